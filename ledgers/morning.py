"""碰头会材料: what moved since the last working day, what is due, what waits for whom; one A4 page, for any day.

A part is a heading with a number and its lines; the number opens all of them, the page shows the first few. Everything is read as of
the day, as known now; what waits to be done (reports to review, papers to issue) belongs to the present.
"""

import dataclasses
import datetime as dt
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from functools import cached_property

from django.db.models import DecimalField, F, OuterRef, Q, Subquery, Value
from django.db.models.functions import Coalesce
from django.urls import reverse

from ledgers import letter_states, letters
from ledgers.day_models import DayLine
from ledgers.enums import LETTERS, DocumentState
from ledgers.master import overdue_permits
from ledgers.models import LetterAnswer
from ledgers.permissions import sees_drafts, visible_documents, visible_letters
from linfen_water import clock
from linfen_water.dates import monday
from linfen_water.enums import Role
from linfen_water.workdays import add_workdays, last_workday_by
from monitoring.enums import WaterClass
from monitoring.maps import section_states
from projects import reports, rules, weeks
from projects.enums import DispatchState, HelpLevel, PermitKind, ProblemCategory, SourceKind
from projects.models import Dispatch, FundingPaper, Permit, Problem, ProblemStep, Project
from projects.permissions import reviewed_projects, visible_projects

SHOWN = 4  # lines of a part on the page; all of them behind its number
AHEAD = dt.timedelta(days=7)
AMOUNT = DecimalField(max_digits=16, decimal_places=2)


@dataclasses.dataclass(frozen=True, slots=True)
class Line:
    text: str
    url: str = ""
    mark: str = ""
    tone: str = ""  # ok, warn, bad


@dataclasses.dataclass(frozen=True, slots=True)
class Part:
    """One heading. `said` tells more about the number in words."""

    key: str
    title: str
    lines: list[Line]
    said: str = ""
    url: str = ""  # the page where it is worked on

    @property
    def count(self) -> int:
        return len(self.lines)

    @property
    def shown(self) -> list[Line]:
        return self.lines[:SHOWN]

    @property
    def rest(self) -> int:
        return max(self.count - SHOWN, 0)


@dataclasses.dataclass(frozen=True, slots=True)
class Sheet:
    """The whole page. `since` is the last working day before `day`: what happened on it and after it has moved."""

    day: dt.date
    since: dt.date
    headline: str
    moved: list[Part]
    due: list[Part]
    waiting: list[Part]
    own: list[DayLine]

    def part(self, key: str) -> Part | None:
        return next((part for part in [*self.moved, *self.due, *self.waiting] if part.key == key), None)


def gather(user, day: dt.date) -> Sheet:
    """The sheet of `user` on `day`. A fixed number of queries."""
    desk = _Desk(user, day)
    moved = [part(desk) for part in MOVED]
    return Sheet(
        day=day,
        since=desk.since,
        headline=_headline(desk, moved),
        moved=moved,
        due=[part(desk) for part in DUE],
        waiting=[part(desk) for part in WAITING],
        own=list(DayLine.objects.filter(day=day, withdrawn_at=None).select_related("by__unit")),
    )


@dataclasses.dataclass(frozen=True, slots=True)
class Moved:
    """How much of one part moved: what the page of today tells of it."""

    key: str
    title: str
    count: int


def moved_counts(user, day: dt.date) -> list[Moved]:
    """The numbers of the parts that moved without their lines: counted by the database, for a list of any length."""
    desk = _Desk(user, day)
    mine = Q(project__in=desk.scope)
    came = Dispatch.objects.filter(mine, desk.moment_within("submitted_at"), is_live=True)
    problems = Problem.objects.filter(mine)
    steps = ProblemStep.objects.filter(desk.within("entered_on"), level__gt=HelpLevel.OFFICE, problem__project__in=desk.scope)
    papers = FundingPaper.objects.filter(desk.within("issued_on"), withdrawn_at=None, source__project__in=desk.scope)
    money = came.annotate(before=Coalesce(Subquery(_earlier().values("in_place_wan")[:1]), Value(Decimal(0)), output_field=AMOUNT))
    found = {
        "reported": came.count(),
        "returned": Dispatch.objects.filter(mine, desk.moment_within("reviewed_at"), state=DispatchState.RETURNED).count(),
        "stages": Project.objects.filter(desk.within("started_on") | desk.within("completed_on"), pk__in=desk.scope).count(),
        "permits": Permit.objects.filter(mine, desk.within("obtained_on"), is_required=True).count(),
        "problems": problems.filter(desk.within("raised_on")).count() + steps.count() + problems.filter(desk.within("closed_on")).count(),
        "money": money.exclude(in_place_wan=F("before")).count() + papers.count(),
        "papers": visible_documents(user).filter(desk.moment_within("issued_at"), state=DocumentState.ISSUED).count(),
        "answers": LetterAnswer.objects.filter(desk.moment_within("at"), letter__document__in=visible_letters(user)).count(),
    }
    return [Moved(key, TITLES[key], count) for key, count in found.items() if count]


TITLES = {
    "reported": "报送", "returned": "退回", "stages": "新开工、新完工", "permits": "手续办结", "problems": "问题变动", "money": "资金",
    "papers": "印发文件", "answers": "函件回复",
}  # fmt: skip


def _earlier():
    """Of a report: what counts of its project before it, the last first."""
    return Dispatch.objects.filter(project=OuterRef("project"), is_live=True, week_of__lt=OuterRef("week_of")).order_by("-week_of")


def last_workday_before(day: dt.date) -> dt.date:
    return last_workday_by(day - dt.timedelta(days=1))


class _Desk:
    """What the parts read from, each read once."""

    def __init__(self, user, day: dt.date):
        self.user, self.day = user, day
        self.since = last_workday_before(day)
        self.is_present = day == clock.today()
        self.projects = visible_projects(user, clock.today())
        if user.role == Role.DEPARTMENT:
            self.projects = self.projects.filter(domain=user.unit.domain_id)

    @cached_property
    def names(self) -> dict[int, tuple[str, str, str]]:
        """Code, name and county of every project on the list that moved or has something due; filled as needed by `name`."""
        return {}

    def know(self, keys) -> None:
        """Read the names of the projects with these keys in one query."""
        missing = set(keys) - self.names.keys()
        if missing:
            rows = Project.objects.filter(pk__in=missing).as_of(self.day).order_by()
            self.names.update((pk, tuple(rest)) for pk, *rest in rows.values_list("pk", "code", "v__name", "v__county__short"))

    def name(self, pk: int) -> str:
        code, name, county = self.names[pk]
        return f"{code} {name}（{county}）"

    def address(self, view: str, *args) -> str:
        return reverse(view, args=args) + ("" if self.is_present else f"?as_of={self.day}")

    def project(self, pk: int) -> str:
        return self.address("project", self.names[pk][0])

    def paper(self, document) -> str:
        return self.address("letter" if document.kind in LETTERS else "document", document.pk)

    def sheet(self, pk: int, name: str) -> str:
        """The page of a project's permits or funds."""
        return self.address(f"project_{name}", self.names[pk][0])

    def within(self, field: str) -> Q:
        """That `field`, a date, lies in what the sheet looks back on."""
        return Q(**{f"{field}__gte": self.since, f"{field}__lte": self.day})

    def moment_within(self, field: str) -> Q:
        """The same of a moment."""
        return Q(**{f"{field}__gte": clock.start_of(self.since), f"{field}__lt": clock.end_of(self.day)})

    @cached_property
    def scope(self):
        """Keys of the projects on the list, as a subquery."""
        return self.projects.as_of(self.day).order_by().values("pk")

    @cached_property
    def reports(self) -> list[dict]:
        """Reports that count and came in since, with what the one before said of the money in place."""
        rows = Dispatch.objects.filter(self.moment_within("submitted_at"), is_live=True, project__in=self.scope).order_by("project__code")
        found = rows.annotate(before=Subquery(_earlier().values("in_place_wan")[:1])).values(
            "project_id", "week_of", "is_late", "in_place_wan", "before"
        )
        found = list(found)
        self.know(row["project_id"] for row in found)
        return [row for row in found if row["project_id"] in self.names]


def _headline(desk: _Desk, moved: list[Part]) -> str:
    said = [f"{part.title} {part.count}" for part in moved if part.count and part.key not in {"water"}]
    return "，".join(said) if said else "没有新的变化"


# ── what moved ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _reported(desk: _Desk) -> Part:
    late = sum(row["is_late"] for row in desk.reports)
    lines = [
        Line(
            desk.name(row["project_id"]),
            desk.project(row["project_id"]),
            "迟报" if row["is_late"] else "已报",
            "warn" if row["is_late"] else "ok",
        )
        for row in desk.reports
    ]
    return Part("reported", "报送", lines, f"其中迟报 {late}" if late else "", desk.address("board"))


def _returned(desk: _Desk) -> Part:
    rows = Dispatch.objects.filter(desk.moment_within("reviewed_at"), state=DispatchState.RETURNED, project__in=desk.scope)
    rows = list(rows.order_by("project__code").values_list("project_id", "remark"))
    desk.know(pk for pk, _ in rows)
    lines = [Line(f"{desk.name(pk)}：{remark}", desk.project(pk), "退回", "bad") for pk, remark in rows if pk in desk.names]
    return Part("returned", "退回", lines, "", desk.address("board"))


def _stages(desk: _Desk) -> Part:
    rows = Project.objects.filter(desk.within("started_on") | desk.within("completed_on"), pk__in=desk.scope).order_by("code")
    rows = list(rows.values_list("pk", "started_on", "completed_on"))
    desk.know(pk for pk, *_ in rows)
    lines = []
    for pk, started_on, completed_on in rows:
        is_done = completed_on is not None and desk.since <= completed_on <= desk.day
        word, on = ("完工", completed_on) if is_done else ("开工", started_on)
        lines.append(Line(f"{desk.name(pk)} {on.month}月{on.day}日{word}", desk.project(pk), word, "blue" if is_done else "green"))
    return Part("stages", "新开工、新完工", lines, "", desk.address("ledger", "master"))


def _permits(desk: _Desk) -> Part:
    rows = Permit.objects.filter(desk.within("obtained_on"), is_required=True, project__in=desk.scope).order_by("project__code", "pk")
    rows = list(rows.values_list("project_id", "kind", "obtained_on"))
    desk.know(pk for pk, *_ in rows)
    lines = [Line(f"{desk.name(pk)}：{PermitKind(kind).label}", desk.sheet(pk, "permits"), "办结", "ok") for pk, kind, _ in rows]
    return Part("permits", "手续办结", lines, "", desk.address("permits"))


def _problems(desk: _Desk) -> Part:
    """Raised, moved up and closed, in this order."""
    rows = Problem.objects.filter(desk.within("raised_on") | desk.within("closed_on"), project__in=desk.scope)
    rows = list(rows.order_by("code").values_list("project_id", "code", "category", "description", "raised_on", "closed_on"))
    steps = ProblemStep.objects.filter(desk.within("entered_on"), level__gt=HelpLevel.OFFICE, problem__project__in=desk.scope)
    steps = list(steps.order_by("problem__code", "level").values_list("problem__project", "problem__code", "level", "problem__description"))
    desk.know([row[0] for row in rows] + [row[0] for row in steps])

    def line(pk: int, code: str | None, words: str, mark: str, tone: str) -> Line:
        where = desk.address("problem", code) if code else desk.project(pk)
        return Line(f"{desk.names[pk][0]} {words}", where, mark, tone)

    raised = [
        line(pk, code, f"{ProblemCategory(category).label}：{words}", "提出", "warn")
        for pk, code, category, words, raised_on, _ in rows
        if desk.since <= raised_on <= desk.day
    ]
    moved = [line(pk, code, words, f"升至{HelpLevel(level).label[:2]}", "bad") for pk, code, level, words in steps]
    closed = [
        line(pk, code, f"{ProblemCategory(category).label}：{words}", "销号", "ok")
        for pk, code, category, words, _, closed_on in rows
        if closed_on and desk.since <= closed_on <= desk.day
    ]
    said = "，".join(f"{word} {len(found)}" for word, found in (("提出", raised), ("升级", moved), ("销号", closed)) if found)
    return Part("problems", "问题变动", raised + moved + closed, said, desk.address("problems"))


def _money(desk: _Desk) -> Part:
    """Money that the reports say has arrived, and allocation papers; the largest first."""
    arrived = [(row["in_place_wan"] - (row["before"] or 0), row["project_id"]) for row in desk.reports]
    arrived = sorted(((more, pk) for more, pk in arrived if more), key=lambda pair: (-pair[0], pair[1]))
    papers = FundingPaper.objects.filter(desk.within("issued_on"), withdrawn_at=None, source__project__in=desk.scope)
    papers = list(papers.order_by("-amount_wan", "pk").values_list("source__project", "source__kind", "doc_number", "amount_wan"))
    desk.know(row[0] for row in papers)
    lines = [
        Line(
            f"{desk.name(pk)} {rules.plain(abs(more))}万元",
            desk.sheet(pk, "funds"),
            "到位" if more > 0 else "调减",
            "ok" if more > 0 else "bad",
        )
        for more, pk in arrived
    ]
    lines += [
        Line(
            f"{desk.name(pk)} {SourceKind(kind).label} {rules.plain(amount)}万元（{number or '文号未登记'}）",
            desk.sheet(pk, "funds"),
            "下达",
        )
        for pk, kind, number, amount in papers
    ]
    total = sum((more for more, _ in arrived), Decimal(0))
    said = f"到位{'增加' if total > 0 else '减少'} {rules.plain(abs(total))} 万元" if total else ""
    return Part("money", "资金", lines, said, desk.address("funds"))


def _papers(desk: _Desk) -> Part:
    rows = visible_documents(desk.user).filter(desk.moment_within("issued_at"), state=DocumentState.ISSUED).order_by("-issued_at")
    lines = [Line(f"{row.title} {row.file_number}", desk.paper(row), "印发") for row in rows]
    return Part("papers", "印发文件", lines, "", desk.address("documents"))


def _answers(desk: _Desk) -> Part:
    """Answers to letters that came in."""
    rows = LetterAnswer.objects.filter(desk.moment_within("at"), letter__document__in=visible_letters(desk.user))
    rows = rows.select_related("letter__document__unit").order_by("-at", "-pk")
    lines = [
        Line(
            f"{row.letter.document.unit}：{_letter_words(row.letter.document)}",
            desk.address("letter", row.letter.document_id),
            "回复",
            "ok",
        )
        for row in rows
    ]
    return Part("answers", "函件回复", lines, "", desk.address("letters"))


def _letter_words(document) -> str:
    return f"{document.get_kind_display()} {document.file_number or document.title}"


def _water(desk: _Desk) -> Part:
    """Sections whose class is worse than the target."""
    bad = [s for s in section_states(desk.day) if s.water_class and s.target and s.water_class > s.target]
    lines = [
        Line(
            f"{s.name}（{s.county}）{WaterClass(s.water_class).label}类，目标{WaterClass(s.target).label}类，{s.month.year}年{s.month.month}月",
            desk.address("section", s.pk),
            "未达标",
            "bad",
        )
        for s in bad
        if s.month
    ]
    return Part("water", "未达目标断面", lines, "", desk.address("sections"))


# ── what is due ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _due_mark(on: dt.date, day: dt.date) -> tuple[str, str]:
    if on < day:
        return f"逾期{(day - on).days}天", "bad"
    return ("今天", "bad") if on == day else (f"{on.month}月{on.day}日", "warn")


def _due_problems(desk: _Desk) -> Part:
    rows = Problem.objects.open_on(desk.day).filter(project__in=desk.scope, due_on__lte=desk.day + AHEAD).exclude(answered_on__lte=desk.day)
    rows = list(rows.order_by("due_on", "code").values_list("project_id", "code", "description", "due_on", "handler__name"))
    desk.know(row[0] for row in rows)
    lines = [
        Line(
            f"{desk.names[pk][0]} {words}（{handler or '未定承办'}）",
            desk.address("problem", code) if code else desk.project(pk),
            *_due_mark(due_on, desk.day),
        )
        for pk, code, words, due_on, handler in rows
    ]
    return _due("due_problems", "问题到期", lines, desk.address("problems"))


def _due_permits(desk: _Desk) -> Part:
    waiting = Permit.objects.filter(is_required=True, submitted_on__lte=desk.day, promised_workdays__isnull=False, project__in=desk.scope)
    waiting = waiting.exclude(obtained_on__lte=desk.day).select_related("authority").order_by("pk")
    due = [(add_workdays(row.submitted_on, row.promised_workdays), row) for row in waiting if row.submitted_on]
    due = sorted(((on, row) for on, row in due if on <= desk.day + AHEAD), key=lambda pair: (pair[0], pair[1].pk))
    desk.know(row.project_id for _, row in due)
    lines = [
        Line(
            f"{desk.names[row.project_id][0]} {PermitKind(row.kind).label}（{row.authority or '受理机关未登记'}）",
            desk.sheet(row.project_id, "permits"),
            *_due_mark(on, desk.day),
        )
        for on, row in due
    ]
    return _due("due_permits", "手续应办结", lines, desk.address("permits"))


def _due_works(desk: _Desk) -> Part:
    """Baseline starts and finishes that come, and that have not happened."""
    until = desk.day + AHEAD
    span = (desk.day, until)
    rows = desk.projects.as_of(desk.day).filter(Q(v__baseline_finish_on__range=span) | Q(v__baseline_start_on__range=span))
    rows = list(rows.order_by("code").values("pk", "started_on", "completed_on", "v__baseline_start_on", "v__baseline_finish_on"))
    desk.know(row["pk"] for row in rows)
    lines = []
    for row in rows:
        for word, happened, on in (("开工", "started_on", "v__baseline_start_on"), ("完工", "completed_on", "v__baseline_finish_on")):
            is_open = row[happened] is None or row[happened] > desk.day
            if is_open and desk.day <= row[on] <= until:
                lines.append((row[on], Line(f"{desk.name(row['pk'])} 应{word}", desk.project(row["pk"]), *_due_mark(row[on], desk.day))))
    lines.sort(key=lambda pair: pair[0])
    return Part("due_works", "节点将到", [line for _, line in lines], f"{AHEAD.days} 天内", desk.address("projects"))


def _due(key: str, title: str, lines: list[Line], url: str) -> Part:
    late = sum(line.mark.startswith("逾期") for line in lines)
    return Part(key, title, lines, f"其中逾期 {late}" if late else f"{AHEAD.days} 天内", url)


# ── what waits for whom ─────────────────────────────────────────────────────────────────────────────────────────────


def _unreported(desk: _Desk) -> Part:
    """Counties that owe this week's reports."""
    week_of = monday(desk.day)
    due = reports.reporting_in(desk.projects.filter(pk__in=desk.scope), week_of)
    said = Dispatch.objects.filter(week_of=week_of, is_live=True).values("project")
    rows = due.exclude(pk__in=said).filter(versions__effective_to=None).values_list("versions__county__name", "versions__county__code")
    owed = Counter(rows)
    times = weeks.week_times(week_of)
    lines = [
        Line(f"{name} 缺 {count} 个", f"{reverse('dispatch')}?county={code}", "未报", "warn")
        for (name, code), count in sorted(owed.items(), key=lambda pair: (-pair[1], pair[0][1]))
    ]
    said = f"共 {sum(owed.values())} 个，截止 {weeks.moment_words(times.deadline_at)}"
    return Part("unreported", "等县（市、区）填报", lines, said, desk.address("board"))


def _unreviewed(desk: _Desk) -> Part:
    scope = desk.projects if desk.user.role in (Role.LEADER, Role.COUNTY) else reviewed_projects(desk.user)
    rows = Dispatch.objects.filter(project__in=scope.order_by().values("pk"), state=DispatchState.SUBMITTED, is_live=True)
    found = Counter(rows.values_list("project__domain__name", flat=True))
    lines = [
        Line(f"{name}领域 {count} 份", f"{reverse('dispatch')}?view=review", "待核", "warn")
        for name, count in sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))
    ]
    return Part("unreviewed", "等部门审核", lines, f"共 {sum(found.values())} 份" if found else "", desk.address("board"))


def _at_authorities(desk: _Desk) -> Part:
    late = overdue_permits(Permit.objects.filter(project__in=desk.scope), desk.day)
    found = Counter(str(row.authority or "受理机关未登记") for _, row in late)
    most = sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))
    lines = [Line(f"{name} {count} 项", desk.address("permits"), "超时", "bad") for name, count in most]
    said = f"共 {sum(found.values())} 项" if found else ""
    return Part("at_authorities", "等受理机关办结（已超承诺）", lines, said, desk.address("permits"))


def _at_units(desk: _Desk) -> Part:
    """Letters that wait for their unit's receipt or answer, overdue ones first."""
    open_then = visible_letters(desk.user).filter(number__isnull=False, issued_at__lt=clock.end_of(desk.day))
    open_then = open_then.filter(Q(letter__closed_at=None) | Q(letter__closed_at__gte=clock.end_of(desk.day)))
    rows = [row for row in letters.read(open_then, desk.day) if row.state in letter_states.WAITING]
    lines = [
        Line(
            f"{row.document.unit}：{_letter_words(row.document)}（{row.state.label}）",
            desk.address("letter", row.document.pk),
            *(_due_mark(row.due_on, desk.day) if row.due_on else (row.state.label, "warn")),
        )
        for row in rows
    ]
    late = sum(row.overdue > 0 for row in rows)
    return Part("at_units", "等单位回复函件", lines, f"其中逾期 {late}" if late else "", desk.address("letters"))


def _at_office(desk: _Desk) -> Part:
    """Close-outs to check, and papers to issue for those who see drafts."""
    rows = Problem.objects.open_on(desk.day).filter(project__in=desk.scope, answered_on__lte=desk.day).order_by("answered_on", F("code"))
    lines = [Line(f"{row.code or ''} {row.description}", desk.address("problem", row.code), "待核查", "warn") for row in rows if row.code]
    if sees_drafts(desk.user):
        drafts = visible_documents(desk.user).filter(state__in=[DocumentState.DRAFT, DocumentState.ISSUING]).order_by("-as_of", "-pk")
        lines += [Line(row.title, desk.paper(row), "待印发", "warn") for row in drafts]
    return Part("at_office", "等专班办", lines, "", desk.address("problems"))


def _only_now(part: Callable[[_Desk], Part], key: str, title: str) -> Callable[[_Desk], Part]:
    """What waits belongs to the present: on a past day the part is empty."""
    return lambda desk: part(desk) if desk.is_present else Part(key, title, [])


MOVED = (_reported, _returned, _stages, _permits, _problems, _money, _papers, _answers, _water)
DUE = (_due_problems, _due_permits, _due_works)
WAITING = (
    _only_now(_unreported, "unreported", "等县（市、区）填报"),
    _only_now(_unreviewed, "unreviewed", "等部门审核"),
    _at_authorities,
    _at_units,
    _at_office,
)
