"""What a meeting's material sheet is put together from, by kind of meeting: the facts of a day in sentences, a fixed number of queries."""

import dataclasses
import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterator
from decimal import Decimal

from django.db.models import Q

from ledgers import letters
from ledgers.documents.bulletin import lag_sentence
from ledgers.documents.wording import percent, ratio, yi
from ledgers.enums import AgendaPart, DocumentState, MeetingKind
from ledgers.filters import at_risk
from ledgers.master import overdue_permits
from ledgers.meeting_models import AgendaItem, Decision, Meeting
from ledgers.models import Document
from linfen_water import policy
from monitoring.enums import WaterClass
from monitoring.maps import section_states
from projects.chase_rules import standing
from projects.enums import HelpLevel, PermitKind, ProblemState
from projects.facts import Totals, project_facts, summed
from projects.models import Permit, Project
from projects.problem_reports import problems_on, read_problems

F, P = AgendaPart, HelpLevel


@dataclasses.dataclass(frozen=True, slots=True)
class Recipe:
    """The parts of one kind of meeting; of the problems those from `takes_from` on are for discussion, the others wait below."""

    parts: tuple[AgendaPart, ...]
    takes_from: HelpLevel
    about: str


# [D] Our own proposal: what each meeting looks at. What is put together may be edited by the office before the meeting.
RECIPES = {
    MeetingKind.MORNING: Recipe((F.LAST,), P.OFFICE, "昨日以来的变化、今天到期和等谁办，见当日碰头会材料。"),
    MeetingKind.WEEKLY: Recipe((F.FIGURES, F.LAST, F.PROBLEM, F.LETTER, F.LAGGING), P.OFFICE, "专班内部过一遍一周的进展和问题。"),
    MeetingKind.JOINT: Recipe(
        (F.FIGURES, F.LAST, F.PROBLEM, F.LETTER, F.LAGGING), P.DEPARTMENTS, "部门会商以上的问题、逾期函件、滞后项目和上次未办结事项。"
    ),
    MeetingKind.DEPARTMENTS: Recipe((F.LAST, F.PROBLEM, F.PERMIT), P.DEPARTMENTS, "需部门协调的问题和超承诺时限的手续。"),
    MeetingKind.TOPIC: Recipe((F.LAST, F.PROBLEM, F.LAGGING), P.DEPARTMENTS, "围绕一个专题：只留与专题有关的条目，其余不上会。"),
    MeetingKind.GOVERNMENT_WEEK: Recipe(
        (F.FIGURES, F.LAST, F.PROBLEM, F.LAGGING), P.CITY_LEADERS, "总体情况、需市领导协调的问题和滞后项目。"
    ),
    MeetingKind.GOVERNMENT_MONTH: Recipe(
        (F.FIGURES, F.WATER, F.LAST, F.PROBLEM, F.LAGGING), P.CITY_LEADERS, "一月总体情况、断面水质、需市政府决定的问题和滞后项目。"
    ),
}


@dataclasses.dataclass(frozen=True, slots=True)
class Found:
    """One line that the facts call for."""

    part: AgendaPart
    key: str
    text: str
    is_taken: bool = True
    project: int | None = None
    problem: int | None = None
    unit: int | None = None


def found(meeting: Meeting, day: dt.date) -> list[Found]:
    """All lines for `meeting` as the facts of `day` have them, in the order of the sheet."""
    recipe = RECIPES[MeetingKind(meeting.kind)]
    return [line for part in recipe.parts for line in READERS[part](meeting, day, recipe)]


# ── the parts ──


def _figures(meeting: Meeting, day: dt.date, recipe: Recipe) -> Iterator[Found]:
    yield Found(F.FIGURES, "figures", figures_sentence(day, summed(day, Project.objects.as_of(day))))


def figures_sentence(day: dt.date, sums: Totals) -> str:
    """Counts, rates with their fractions, money with its denominator."""
    started = f"开工率{percent(sums.start_rate)}（{ratio(sums.started, sums.count)}）"
    finished = f"完工率{percent(sums.finish_rate)}（{ratio(sums.finished, sums.count)}）"
    money = f"累计完成投资{yi(sums.invested_wan)}亿元，占总投资{yi(sums.total_investment_wan)}亿元的{percent(sums.invested_rate)}"
    return (
        f"截至{day}，共{sums.count}个项目：前期{sums.not_started}个、在建{sums.under_construction}个、完工{sums.finished}个，"
        f"{started}，{finished}；{money}。"
    )


def _last(meeting: Meeting, day: dt.date, recipe: Recipe) -> Iterator[Found]:
    """What earlier meetings of the same kind decided and nobody has done."""
    rows = Decision.objects.standing().filter(meeting__kind=meeting.kind, meeting__withdrawn_at=None, meeting__held_on__lt=meeting.held_on)
    rows = rows.filter(Q(closed_on__isnull=True) | Q(closed_on__gt=day), meeting__held_on__lte=day).exclude(meeting=meeting.pk)
    for row in rows.select_related("meeting", "lead_unit").order_by("due_on", "pk"):
        stands = standing(day, row.due_on, row.answered_on, row.closed_on)
        text = f"{row.what.rstrip('。')}（{row.meeting.held_on}议定，{row.lead_unit}主办）：{stands.sentence}。"
        yield Found(F.LAST, f"decision:{row.pk}", text, True, row.project_id, row.problem_id, row.lead_unit_id)


def _problems(meeting: Meeting, day: dt.date, recipe: Recipe) -> Iterator[Found]:
    """Open problems, the highest level first, late ones before others; those below the meeting's level wait below the line."""
    open_ones = problems_on(day).exclude(state_place=list(ProblemState).index(ProblemState.CLOSED)).exclude(code=None)
    about = dict(open_ones.values_list("pk", "handler"))
    projects = dict(open_ones.values_list("pk", "project"))
    rows = read_problems(day, about)
    for row in sorted(rows, key=lambda one: (-one.level, not one.verdict.is_late, one.code)):
        handler = f"，{row.handler}承办" if row.handler else ""
        head = f"〔{row.level.label[:2]}〕{row.project_code} {row.project_name}（{row.county}）：{row.description}"
        text = f"{head.rstrip('。')}（{row.code}{handler}）。{row.verdict.sentence}"
        is_taken = row.level >= recipe.takes_from
        yield Found(F.PROBLEM, f"problem:{row.pk}", text, is_taken, projects[row.pk], row.pk, about[row.pk])


def _letters(meeting: Meeting, day: dt.date, recipe: Recipe) -> Iterator[Found]:
    issued = Document.objects.filter(state=DocumentState.ISSUED, number__isnull=False)
    for row in letters.read(issued, day):
        if row.overdue > 0 and row.document.unit:
            text = f"{row.document.unit}：{row.label}应于{row.due_on}回复，已逾期{row.overdue}天（{row.state.label}）。"
            yield Found(F.LETTER, f"letter:{row.document.pk}", text, unit=row.document.unit_id)


def _lagging(meeting: Meeting, day: dt.date, recipe: Recipe) -> Iterator[Found]:
    """Projects behind plan, the furthest first; a leader's meeting takes up those far behind."""
    values = policy.values_on(day)
    late = Project.objects.as_of(day).with_progress(day).filter(at_risk("late", values)).order_by()
    units = dict(late.values_list("pk", "v__responsible_unit"))
    facts = project_facts(day, Project.objects.filter(pk__in=units))
    for row in sorted(facts, key=lambda one: (-(one.lag or Decimal(0)), one.code)):
        if row.lag is None or row.physical_progress is None:
            continue
        said = lag_sentence(day, row.planned_progress, row.physical_progress, row.lag)
        is_taken = row.lag > values.far_behind_points or recipe.takes_from < P.CITY_LEADERS
        yield Found(
            F.LAGGING, f"project:{row.pk}", f"{row.code} {row.name}（{row.county}）：{said}。", is_taken, row.pk, None, units[row.pk]
        )


def _permits(meeting: Meeting, day: dt.date, recipe: Recipe) -> Iterator[Found]:
    late = overdue_permits(Permit.objects.all(), day)
    rows = Project.objects.filter(pk__in={permit.project_id for _, permit in late}).as_of(day).order_by()
    names = {pk: (code, name, county) for pk, code, name, county in rows.values_list("pk", "code", "v__name", "v__county__short")}
    for due_on, permit in sorted(late, key=lambda pair: (pair[0], pair[1].pk)):
        if permit.project_id in names:
            code, name, county = names[permit.project_id]
            text = f"{permit.authority or '受理机关'}：{code} {name}（{county}）的{PermitKind(permit.kind).label}应于{due_on}办结"
            text = f"{text}，已超{(day - due_on).days}天。"
            yield Found(F.PERMIT, f"permit:{permit.pk}", text, True, permit.project_id, None, permit.authority_id)


def _water(meeting: Meeting, day: dt.date, recipe: Recipe) -> Iterator[Found]:
    for s in section_states(day):
        if s.month and s.water_class and s.target and s.water_class > s.target:
            now, wanted = WaterClass(s.water_class).label, WaterClass(s.target).label
            yield Found(F.WATER, f"section:{s.pk}", f"{s.name}（{s.county}）{s.month.year}年{s.month.month}月{now}类，目标{wanted}类。")


READERS: dict[AgendaPart, Callable[[Meeting, dt.date, Recipe], Iterator[Found]]] = {
    F.FIGURES: _figures, F.LAST: _last, F.PROBLEM: _problems, F.LETTER: _letters, F.LAGGING: _lagging, F.PERMIT: _permits, F.WATER: _water,
}  # fmt: skip


# ── the sheet as it is kept ──


@dataclasses.dataclass(frozen=True, slots=True)
class Part:
    """The lines of one part of a sheet."""

    part: AgendaPart
    lines: list[AgendaItem]


def sheet(meeting: Meeting, *, is_taken: bool | None = None) -> list[Part]:
    """The kept lines by part, in the order of the parts; only those taken up, or left aside, when that is asked."""
    rows = AgendaItem.objects.standing().filter(meeting=meeting).select_related("project", "problem", "unit").order_by("position", "pk")
    rows = rows if is_taken is None else rows.filter(is_taken=is_taken)
    by_part = defaultdict(list)
    for row in rows:
        by_part[row.part].append(row)
    return [Part(part, by_part[part]) for part in AgendaPart if by_part[part]]
