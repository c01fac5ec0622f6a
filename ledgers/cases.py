"""Measures of pressure as kinds of rows, who may see them, and the ladder of papers behind each on one line of time.

The system gathers and shows; whether somebody is talked to, listed or held to account is decided by people, and nothing here judges.
"""

import dataclasses
import datetime as dt
from collections.abc import Iterator

from django.db.models import Q, QuerySet
from django.urls import reverse

from ledgers import letters
from ledgers.case_models import Case
from ledgers.enums import CaseKind, DocumentState
from ledgers.letter_states import day_of
from ledgers.meetings import visible_decisions
from ledgers.models import Document
from ledgers.permissions import visible_letters
from linfen_water import clock, policy
from linfen_water.permissions import is_county, is_department, is_leader, is_office
from linfen_water.workdays import add_workdays
from projects import records
from projects.enums import HelpLevel
from projects.inspections import visible_inspections
from projects.models import Problem, ProblemStep
from projects.problem_permissions import visible_problems
from projects.rules import Fault

CHASED = ("answered_on", "answer", "closed_on", "closing_basis")
BACK = dt.timedelta(days=365)  # how far before its opening the papers of a case are looked for
PROPOSED = {"talk": CaseKind.TALK, "listed-supervision": CaseKind.LISTED, "accountability": CaseKind.ACCOUNTABILITY}


def _faults(values: dict) -> Iterator[Fault]:
    today, opened_on = clock.today(), values["opened_on"]
    if opened_on and opened_on > today:
        yield Fault("opened_on", f"日期 {opened_on} 晚于今天（{today}）：还没有发生的请先列入会议或日程。")
    if opened_on and values["due_on"] and values["due_on"] < opened_on:
        yield Fault("due_on", f"报告期限 {values['due_on']} 早于 {opened_on}。")
    if values["kind"] == CaseKind.LISTED and not values["conditions"]:
        yield Fault("conditions", "挂牌督办须写明摘牌条件：做到什么才能摘牌。")
    if values["kind"] == CaseKind.TALK and not values["due_on"]:
        yield Fault("due_on", "约谈须写明报告期限。")
    notice = values.get("notice")
    if notice and values["unit"] and notice.unit_id != values["unit"].pk:
        yield Fault("notice", f"{notice.title} 不是发给 {values['unit']} 的：请改其中一个。")


CASE = records.Kind(
    name="case",
    model=Case,
    word="督办事项",
    fields=("kind", "unit", "opened_on", "due_on", "with_units", "projects", "ground", "notice", "conditions", "minutes", *CHASED),
    known_from=lambda row: row.opened_on,
    later={"answered_on": ("answer",), "closed_on": ("closing_basis",)},
    faults=_faults,
    county=lambda row: row.unit.county,
    address=lambda row: reverse("case", args=[row.pk]),
    told=lambda row: [] if row.kind == CaseKind.ACCOUNTABILITY else [row.unit],
    subject=lambda row: f"{row.get_kind_display()}：{row.ground}{f'，{row.due_on} 前报告' if row.due_on else ''}",
)
CASE_TYPED = tuple(name for name in CASE.fields if name not in CHASED)


def report_due(kind: str, opened_on: dt.date) -> dt.date | None:
    """By when the unit reports, by the policy of the day: after a talk its working days, else nothing is proposed."""
    return add_workdays(opened_on, policy.values_on(opened_on).reply_days_talk) if kind == CaseKind.TALK else None


def visible_cases(user) -> QuerySet:
    """The office and leaders see all; a unit its own and those it takes part in, never a file for accountability."""
    found = Case.objects.standing()
    if is_office(user) or is_leader(user):
        return found
    found = found.exclude(kind=CaseKind.ACCOUNTABILITY)
    if not (is_county(user) or is_department(user)):
        return found.none()
    taking_part = Case.with_units.through.objects.filter(unit=user.unit_id).values("case")
    return found.filter(Q(unit=user.unit_id) | Q(pk__in=taking_part))


def may_report(user, row: Case) -> bool:
    """Report on what was promised: the unit itself, and the office for it; a file that is gathered is reported by nobody."""
    if row.kind == CaseKind.ACCOUNTABILITY:
        return False
    return is_office(user) or ((is_county(user) or is_department(user)) and user.unit_id == row.unit_id)


# ── the ladder of papers ──


@dataclasses.dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened, on the line of time."""

    on: dt.date
    word: str
    text: str
    url: str
    tone: str = ""  # ok, warn, bad
    is_own: bool = False  # of the case itself


def ladder(row: Case, user, day: dt.date, today: dt.date) -> list[Entry]:
    """Letters and answers, decided items, problems, visits and earlier cases of the same unit and projects, the first at the top."""
    since, keys = row.opened_on - BACK, list(row.projects.values_list("pk", flat=True))
    until = min(day, row.closed_on or day)
    found = [*_own(row, day)]
    for reader in (_letters, _decisions, _problems, _visits, _others):
        found += [entry for entry in reader(row, user, keys, day, today) if since <= entry.on <= until]
    return sorted(found, key=lambda entry: (entry.on, entry.is_own))


def _own(row: Case, day: dt.date) -> Iterator[Entry]:
    url = CASE.address(row)
    yield Entry(row.opened_on, row.get_kind_display(), row.ground, url, "bad", True)
    known = CASE.known(row, day)
    if known["answered_on"]:
        yield Entry(known["answered_on"], "报告", known["answer"], url, "warn", True)
    if known["closed_on"]:
        yield Entry(known["closed_on"], CLOSED_WORDS[CaseKind(row.kind)], known["closing_basis"], url, "ok", True)


CLOSED_WORDS = {
    CaseKind.JOINT: "督查办结",
    CaseKind.TALK: "约谈办结",
    CaseKind.LISTED: "摘牌",
    CaseKind.ACCOUNTABILITY: "材料移交",
}


def _letters(row: Case, user, keys: list[int], day: dt.date, today: dt.date) -> Iterator[Entry]:
    issued = visible_letters(user).filter(unit=row.unit_id, state=DocumentState.ISSUED, number__isnull=False, issued_at__isnull=False)
    for one in letters.read(issued, day):
        url = reverse("letter", args=[one.document.pk])
        limit = f"，应于{one.due_on}回复" if one.due_on else ""
        late = f"，逾期{one.overdue}天未复" if one.overdue else ""
        yield Entry(day_of(one.document.issued_at), "发函", f"{one.label}{limit}{late}", url, "bad" if one.overdue else "")
        for answer in one.answers:
            yield Entry(day_of(answer.at), "复函", f"回复{one.label}：{records.short(answer.text, 80)}", url, "ok")


def _decisions(row: Case, user, keys: list[int], day: dt.date, today: dt.date) -> Iterator[Entry]:
    rows = visible_decisions(user, today).filter(Q(lead_unit=row.unit_id) | Q(project__in=keys), meeting__held_on__lte=day)
    for one in rows.select_related("meeting").distinct():
        yield Entry(one.meeting.held_on, "会议", f"{one.meeting}议定：{one.what}", reverse("decision", args=[one.pk]))


def _problems(row: Case, user, keys: list[int], day: dt.date, today: dt.date) -> Iterator[Entry]:
    seen = visible_problems(user, today).filter(project__in=keys).exclude(code=None)
    for one in Problem.objects.filter(pk__in=seen.values("pk")).select_related("project"):
        url = reverse("problem", args=[one.code])
        yield Entry(one.raised_on, "问题", f"{one.project.code} 提出：{one.description}（{one.code}）", url)
        if one.closed_on:
            yield Entry(one.closed_on, "销号", f"{one.code}：{one.closing_basis}", url, "ok")
    steps = ProblemStep.objects.filter(problem__in=seen.values("pk"), level__gt=HelpLevel.OFFICE).select_related("problem")
    for step in steps:
        url = reverse("problem", args=[step.problem.code])
        yield Entry(step.entered_on, "升级", f"{step.problem.code} 升至{HelpLevel(step.level).label}", url, "warn")


def _visits(row: Case, user, keys: list[int], day: dt.date, today: dt.date) -> Iterator[Entry]:
    rows = visible_inspections(user, today).filter(project__in=keys, visited_on__isnull=False).select_related("project")
    for one in rows:
        said = one.demands or one.content or "现场督导"
        yield Entry(one.visited_on, "督导", f"{one.project.code} {one.leader_post}带队：{said}", reverse("inspection", args=[one.pk]))


def _others(row: Case, user, keys: list[int], day: dt.date, today: dt.date) -> Iterator[Entry]:
    for one in visible_cases(user).filter(unit=row.unit_id, opened_on__lte=row.opened_on).exclude(pk=row.pk):
        yield Entry(one.opened_on, one.get_kind_display(), one.ground, CASE.address(one), "bad")


# ── what the judgement proposes ──


@dataclasses.dataclass(frozen=True, slots=True)
class Proposal:
    """A verdict that calls for a case which is not open yet."""

    kind: CaseKind
    unit: str  # its code
    name: str
    sentence: str


def proposals(verdicts) -> list[Proposal]:
    """Of the verdicts of a day those that call for a case; one that is open for the unit is not proposed again. One query."""
    wanted = [(PROPOSED[one.measure.value], one) for one in verdicts if one.measure.value in PROPOSED and one.unit]
    open_ones = set(Case.objects.standing().filter(closed_on=None).values_list("kind", "unit__code"))
    return [Proposal(kind, one.unit, one.name, one.sentence) for kind, one in wanted if (kind.value, one.unit) not in open_ones]


def notices_to(unit) -> QuerySet:
    """Issued letters that may be a case's notice."""
    found = Document.objects.filter(state=DocumentState.ISSUED, number__isnull=False, unit__isnull=False).select_related("unit")
    return found.filter(unit=unit) if unit else found
