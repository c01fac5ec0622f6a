"""今日: what needs a person now, by role. Figures come from `projects.facts`; each leads to the rows it counts.

A desk is a headline, some figures and some blocks of lines. On a day that is over only facts are shown: what waits to be
done (reports to fill, papers to issue, jobs to restart) belongs to the present.
"""

import dataclasses
import datetime as dt
from collections import Counter
from decimal import Decimal
from functools import cached_property
from urllib.parse import urlencode

from django.core.cache import cache
from django.db.models import F, Q
from django.urls import reverse

from ledgers import letter_states, letters, morning
from ledgers.documents import wording
from ledgers.documents.bulletin import lag_sentence
from ledgers.enums import LETTERS, DocumentKind, DocumentState
from ledgers.filters import HAIR, at_risk
from ledgers.master import overdue_permits
from ledgers.models import Document
from ledgers.permissions import received_letters
from linfen_water import clock, policy
from linfen_water.dates import monday
from linfen_water.enums import JobState, Role
from linfen_water.models import County, Job
from monitoring.enums import Level, WaterClass
from monitoring.maps import SectionState, national_month, national_share, section_states
from projects import reports, rules, wall, weeks
from projects.enums import DispatchState, HelpLevel, PermitKind, ProblemCategory, Risk, Stage
from projects.facts import ProjectFacts, Totals, project_facts, silent_keys, summed, totals
from projects.models import Dispatch, Permit, Problem, Project
from projects.permissions import dispatched_projects, reviewed_projects, visible_projects
from projects.problem_reports import problems_on

SHOWN = 8  # lines of a block; the rest is behind its link
SOON = dt.timedelta(days=7)
JOB_WORDS = {
    "draft_document": "生成文件草稿",
    "issue_document": "印发文件",
    "draft_letters": "拟写函件草稿",
    "chase_letters": "催办函件回复",
    "fetch_readings": "获取自动站数据",
    "assess_month": "评价上月水质",
    "deliver": "发送提醒",
    "chase_week": "截止前自动提醒",
}


@dataclasses.dataclass(frozen=True)
class Figure:
    """A number of the strip. `change` is against a week ago, in words."""

    label: str
    value: object
    unit: str = ""
    url: str = ""
    change: str = ""
    stage: Stage | None = None  # of a stage's own figure: its shape and colour


@dataclasses.dataclass(frozen=True)
class Line:
    """One thing in a block: what, a mark in words, more about it, where it leads."""

    text: str
    url: str = ""
    mark: str = ""
    tone: str = ""  # ok, warn, bad
    detail: str = ""
    retry: int | None = None  # key of a failed job that may be started again


@dataclasses.dataclass(frozen=True)
class Block:
    """A list with its whole length; what is empty says so in words."""

    title: str
    lines: list[Line]
    empty: str
    count: int
    url: str = ""
    note: str = ""
    is_duty: bool = True  # empty is good news; else it is only empty


@dataclasses.dataclass(frozen=True)
class Today:
    headline: str
    figures: list[Figure]
    blocks: list[Block]


@dataclasses.dataclass(frozen=True)
class Week:
    """Who has reported in a week. `states` holds every project that must, None = nothing at all."""

    week_of: dt.date
    states: dict[int, str | None]
    remarks: dict[int, str]

    @property
    def reported(self) -> int:
        return sum(state in reports.COUNTING for state in self.states.values())

    def having(self, state: str | None) -> list[int]:
        return [pk for pk, found in self.states.items() if found == state]

    @property
    def unreported(self) -> list[int]:
        return [pk for pk, state in self.states.items() if state not in reports.COUNTING]


class Desk:
    """What one person's page is made from, each part read once and only when it is needed."""

    def __init__(self, user, day: dt.date):
        self.user, self.day, self.now = user, day, clock.now()
        self.is_present = day == self.now.date()
        self.week_of = monday(day)
        self.thresholds = policy.values_on(day)

    @cached_property
    def projects(self):
        return visible_projects(self.user, self.now.date())

    @cached_property
    def facts(self) -> list[ProjectFacts]:
        return project_facts(self.day, self.projects)

    @cached_property
    def everywhere(self):
        """All projects that the person may read, as of the day."""
        return self.projects.as_of(self.day)

    @cached_property
    def listed(self):
        """The projects that the page is about: a department's are those of its domain."""
        if self.user.role != Role.DEPARTMENT:
            return self.everywhere
        domain = self.user.unit.domain_id
        return self.everywhere.filter(domain=domain) if domain else self.everywhere.none()

    def names(self, keys) -> dict[int, tuple[str, str]]:
        """ "LF-001 …" and the code of the projects with these keys: of the few that are shown."""
        rows = Project.objects.filter(pk__in=list(keys)).as_of(self.day).order_by().values_list("pk", "code", "v__name")
        return {pk: (f"{code} {name}", code) for pk, code, name in rows}

    @cached_property
    def counties_of(self) -> dict[int, tuple[str, str]]:
        """County and its code of each project that may have to report this week or the last."""
        since = self.week_of - dt.timedelta(days=7)
        rows = self.listed.filter(Q(completed_on__isnull=True) | Q(completed_on__gte=since)).order_by()
        return {pk: (name, code) for pk, name, code in rows.values_list("pk", "v__county__name", "v__county__code")}

    @cached_property
    def late(self) -> list[tuple[float, str, int]]:
        """Lag, code and key of the projects behind plan, the furthest first: chosen by the database."""
        rows = self.listed.with_progress(self.day).filter(at_risk("late", self.thresholds)).order_by()
        return sorted(((lag, code, pk) for lag, code, pk in rows.values_list("lag", "code", "pk")), key=lambda row: (-row[0], row[1]))

    @cached_property
    def week_ago(self) -> list[ProjectFacts]:
        return project_facts(self.day - dt.timedelta(days=7), self.projects)

    @cached_property
    def totals(self) -> Totals:
        return summed(self.day, self.listed)

    def totals_a_week_ago(self, domain: str = "") -> Totals:
        """Of the projects on today's list, summed up by the database: the facts of that day are not needed for it."""
        then = self.day - dt.timedelta(days=7)
        rows = self.projects.as_of(then).filter(pk__in=self.projects.as_of(self.day).order_by().values("pk"))
        if self.user.role == Role.DEPARTMENT:
            rows = rows.filter(domain__name=domain)  # one without a domain has no projects of its own
        return summed(then, rows)

    @cached_property
    def counties(self) -> list[str]:
        return list(County.objects.values_list("name", flat=True))

    @cached_property
    def sections(self) -> list[SectionState]:
        return section_states(self.day)

    @cached_property
    def this_week(self) -> Week:
        return read_week(self.dispatched, self.week_of, set(self.counties_of))

    @cached_property
    def last_week(self) -> Week:
        return read_week(self.dispatched, self.week_of - dt.timedelta(days=7), set(self.counties_of))

    @property
    def dispatched(self):
        return self.projects if self.user.role == Role.DEPARTMENT else dispatched_projects(self.user)

    @cached_property
    def deadline(self) -> dt.datetime:
        """When this week's dispatch is due, on the business clock."""
        return weeks.week_times(self.week_of, self.thresholds).deadline_at

    def risk(self, facts: ProjectFacts) -> Risk:
        return rules.risk(facts.stage, facts.lag, self.thresholds.behind_points, self.thresholds.far_behind_points)

    def ledger(self, **narrowed) -> str:
        """The address of the master ledger, narrowed, on the day of the page."""
        if not self.is_present:
            narrowed["as_of"] = self.day.isoformat()
        return reverse("ledger", args=["master"]) + (f"?{urlencode(narrowed)}" if narrowed else "")

    def address(self, name: str, *args, **query) -> str:
        if not self.is_present:
            query["as_of"] = self.day.isoformat()
        return reverse(name, args=args) + (f"?{urlencode(query)}" if query else "")


def read_week(projects, week_of: dt.date, known: set[int]) -> Week:
    """The state of each project that reports in the week: that of its live dispatch, else of its last revision."""
    expected = [pk for pk in reports.reporting_in(projects, week_of).values_list("pk", flat=True) if pk in known]
    states: dict[int, str | None] = dict.fromkeys(expected)
    remarks = {}
    said = Dispatch.objects.filter(week_of=week_of, project__in=projects).order_by("is_live", "revision")
    for pk, state, remark in said.values_list("project", "state", "remark"):
        if pk in states:
            states[pk] = state
            remarks[pk] = remark
    return Week(week_of, states, remarks)


def gather(user, day: dt.date) -> Today:
    """The page of `user` on `day`. Of a long list what the facts say is kept until they change; what waits is always read."""
    desk = Desk(user, day)
    made = _kept(desk)
    fresh = {
        DOCUMENTS: _documents, JOBS: _failed_jobs, PAPERS: _papers, RECEIVED: _received, LETTERS_AT_WORK: _letters, TALKS: _talks,
        SINCE_YESTERDAY: _since_yesterday,
    }  # fmt: skip
    blocks = [fresh[block](desk) if isinstance(block, str) else block for block in made.blocks]
    headline = _deadline_words(desk, *made.headline) if isinstance(made.headline, tuple) else made.headline
    return Today(headline, made.figures, blocks)


@dataclasses.dataclass(frozen=True)
class Made:
    """A page as the facts make it. `headline`: reported and due where the time left is still to be told; a block may be one to read."""

    headline: str | tuple[int, int]
    figures: list[Figure]
    blocks: list[Block | str]


DOCUMENTS, JOBS, PAPERS = "documents", "jobs", "papers"  # blocks that do not follow from the facts
RECEIVED, LETTERS_AT_WORK, TALKS, SINCE_YESTERDAY = "received", "letters", "talks", "since_yesterday"
KEPT_FROM = 1_000  # projects: reading the facts of fewer costs less than asking what changed
KEPT_SECONDS = 24 * 3600


def _kept(desk: Desk) -> Made:
    """By role; keyed like the wall's answer, and by whether the deadline has passed, which colours what is missing."""
    make = {Role.COUNTY: _county, Role.DEPARTMENT: _department, Role.OFFICE: _office, Role.LEADER: _leader}[Role(desk.user.role)]
    if desk.projects.count() < KEPT_FROM:
        return make(desk)
    is_over = desk.is_present and desk.now > desk.deadline
    return cache.get_or_set(f"today:{wall.version(desk.user, desk.day)}:{is_over}", lambda: make(desk), KEPT_SECONDS)


# ── the desks ──


def _county(desk: Desk) -> Made:
    work = [_to_report(desk), RECEIVED] if desk.is_present else []
    return Made(
        headline=_week_state(desk),
        figures=[_reported(desk), *_stages(desk), _behind_figure(desk), _invested(desk)],
        blocks=[*work, SINCE_YESTERDAY, _problems(desk), _behind(desk), _permits(desk)],
    )


def _department(desk: Desk) -> Made:
    work = [_to_review(desk), RECEIVED] if desk.is_present else []
    domain = desk.user.unit.domain
    narrowed = {"domain": domain.name} if domain else {}
    return Made(
        headline=f"{domain.name if domain else ''}领域 {desk.totals.count} 个项目" if domain else "本部门未牵头领域",
        figures=[*_stages(desk, **narrowed), _behind_figure(desk, **narrowed), _invested(desk)],
        blocks=[
            *work,
            SINCE_YESTERDAY,
            _permits(desk, at=desk.user.unit),
            _behind(desk, **narrowed),
            _problems(desk, handler=desk.user.unit),
        ],
    )


def _office(desk: Desk) -> Made:
    work = [_unreported(desk), _to_review(desk), LETTERS_AT_WORK, DOCUMENTS, JOBS] if desk.is_present else []
    return Made(
        headline=_week_state(desk),
        figures=[_reported(desk), *_stages(desk), _behind_figure(desk), _invested(desk), _water(desk)],
        blocks=[*work, SINCE_YESTERDAY, _behind(desk), _silent(desk), _problems(desk), _permits(desk)],
    )


def _leader(desk: Desk) -> Made:
    return Made(
        headline=_week_words(desk),
        figures=[*_stages(desk), _start_rate(desk), _finish_rate(desk), _invested(desk), _in_place(desk), _water(desk)],
        blocks=[
            *([TALKS] if desk.is_present else []),
            SINCE_YESTERDAY,
            _moved(desk),
            _foot_counties(desk),
            _sections(desk),
            _behind(desk),
            PAPERS,
        ],
    )


# ── headlines ──


def _week_state(desk: Desk) -> str | tuple[int, int]:
    """How many have reported of how many that are due: what the headline tells; of a past day only which it is."""
    week = desk.this_week
    return (week.reported, len(week.states)) if desk.is_present else f"{desk.day} 的情况"


def _deadline_words(desk: Desk, reported: int, due: int) -> str:
    what, missing = "本周调度", due - reported
    if not due:
        return "本周没有需要填报的项目"
    if not missing:
        return f"{what}已全部报完（{reported}/{due}）"
    left = desk.deadline - desk.now
    when = f"{desk.deadline.month}月{desk.deadline.day}日{desk.deadline.hour}时"
    if left < dt.timedelta(0):
        return f"{what}还差 {missing} 个，已过截止时间（{when}），补报记为迟报"
    hours = int(left.total_seconds() // 3600)
    rest = f"{hours // 24} 天 {hours % 24} 小时" if hours >= 24 else f"{hours} 小时" if hours else "不到 1 小时"
    return f"{what}还差 {missing} 个，截止 {when}，还有 {rest}"


def _week_words(desk: Desk) -> str:
    """较上周: the fixed sentence of the weekly report, from the facts of two days."""
    before = {f.pk: f for f in desk.week_ago}
    finished = sum(f.stage == Stage.FINISHED and was(before, f) != Stage.FINISHED for f in desk.facts)
    started = sum(f.stage != Stage.NOT_STARTED and was(before, f) == Stage.NOT_STARTED for f in desk.facts)
    building = [f for f in desk.facts if f.stage == Stage.UNDER_CONSTRUCTION]
    moved = sum(f.pk in before and (f.physical_progress or 0) > (before[f.pk].physical_progress or 0) for f in building)
    return f"较上周：新开工 {started} 个，新完工 {finished} 个；在建 {len(building)} 个中 {moved} 个进度有推进"


def was(before: dict[int, ProjectFacts], facts: ProjectFacts) -> Stage | None:
    return before[facts.pk].stage if facts.pk in before else None


# ── figures ──


def _stages(desk: Desk, **narrowed) -> list[Figure]:
    now, before = desk.totals, desk.totals_a_week_ago(**narrowed)
    return [
        Figure("项目", now.count, "个", desk.ledger(**narrowed)),
        *(
            Figure(stage.label, value, "个", desk.ledger(stage=int(stage), **narrowed), change(value - old), stage)
            for stage, value, old in [
                (Stage.NOT_STARTED, now.not_started, before.not_started),
                (Stage.UNDER_CONSTRUCTION, now.under_construction, before.under_construction),
                (Stage.FINISHED, now.finished, before.finished),
            ]
        ),
    ]


def change(difference: int | Decimal, unit: str = "") -> str:
    return "与上周持平" if not difference else f"较上周 {'+' if difference > 0 else '−'}{abs(difference)}{unit}"


def _reported(desk: Desk) -> Figure:
    week = desk.this_week
    return Figure("本周已报", f"{week.reported}/{len(week.states)}", "个", desk.address("dispatch"))


def _behind_figure(desk: Desk, **narrowed) -> Figure:
    far = sum(lag > desk.thresholds.far_behind_points + HAIR for lag, *_ in desk.late)
    return Figure("滞后", len(desk.late), "个", desk.ledger(risk="late", **narrowed), f"其中严重滞后 {far} 个")


def _invested(desk: Desk) -> Figure:
    now = desk.totals
    return Figure(
        "累计完成投资",
        wording.yi(now.invested_wan),
        "亿元",
        desk.ledger(sort="-invested_wan"),
        f"占总投资 {wording.percent(now.invested_rate)}",
    )


def _in_place(desk: Desk) -> Figure:
    now = desk.totals
    return Figure(
        "资金累计到位",
        wording.yi(now.in_place_wan),
        "亿元",
        desk.ledger(sort="-in_place_wan"),
        f"到位率 {wording.percent(now.in_place_rate)}",
    )


def _start_rate(desk: Desk) -> Figure:
    return Figure("开工率", wording.percent(desk.totals.start_rate), "", desk.ledger(), f"{desk.totals.started}/{desk.totals.count}")


def _finish_rate(desk: Desk) -> Figure:
    return Figure(
        "完工率",
        wording.percent(desk.totals.finish_rate),
        "",
        desk.ledger(stage=int(Stage.FINISHED)),
        f"{desk.totals.finished}/{desk.totals.count}",
    )


def _water(desk: Desk) -> Figure:
    """Good of the national sections that were evaluated, with the month that the classes speak of."""
    share, month = national_share(desk.sections), national_month(desk.sections)
    when = wording.month(month) if month else "尚无评价"
    said = f"{share.good}/{share.evaluated}" if share.evaluated else wording.NOTHING
    return Figure("国考断面优良", said, "", desk.address("sections"), when)


# ── blocks ──


def _block(
    title: str, lines: list[Line], empty: str, url: str = "", note: str = "", *, is_duty: bool = True, count: int | None = None
) -> Block:
    """`count` where only the lines that are shown were made."""
    return Block(title, lines[:SHOWN], empty, len(lines) if count is None else count, url, note, is_duty)


def _to_report(desk: Desk) -> Block:
    """This week's reports that this county still owes, returned ones first with their remark."""
    week = desk.this_week
    order = [DispatchState.RETURNED, None, DispatchState.DRAFT]
    names = desk.names(week.unreported)
    owed = sorted(week.unreported, key=lambda pk: (order.index(week.states[pk]), names[pk][1]))
    url = desk.address("dispatch")
    lines = [
        Line(
            names[pk][0],
            url,
            DispatchState(week.states[pk]).label if week.states[pk] else "未报",
            "warn" if week.states[pk] == DispatchState.DRAFT else "bad",
            f"退回意见：{week.remarks[pk]}" if week.states[pk] == DispatchState.RETURNED else "",
        )
        for pk in owed
    ]
    missed = len(desk.last_week.unreported)
    return _block("本周待填报", lines, "本周已全部报完", url, f"上周仍缺 {missed} 个，请补报" if missed else "")


def _unreported(desk: Desk) -> Block:
    """Counties that still owe reports of this week, those that also owe last week's first."""
    owed, old = _per_county(desk, desk.this_week.unreported), _per_county(desk, desk.last_week.unreported)
    expected = _per_county(desk, list(desk.this_week.states))
    drafts = _per_county(desk, desk.this_week.having(DispatchState.DRAFT))
    returned = _per_county(desk, desk.this_week.having(DispatchState.RETURNED))
    codes = dict(desk.counties_of.values())
    names = sorted((n for n in desk.counties if owed[n] or old[n]), key=lambda n: (-old[n], -owed[n], desk.counties.index(n)))
    lines = [
        Line(
            name,
            desk.address("dispatch", county=codes[name]),
            f"缺 {owed[name]}/{expected[name]}" if owed[name] else "上周缺报",
            "bad" if desk.now > desk.deadline or old[name] else "warn",
            "，".join(
                f"{word} {number[name]}" for word, number in [("上周仍缺", old), ("已存草稿", drafts), ("已退回", returned)] if number[name]
            ),
        )
        for name in names
    ]
    return _block("还没有报", lines, "本周已全部报完", desk.address("dispatch"))


def _per_county(desk: Desk, keys: list[int]) -> Counter:
    return Counter(desk.counties_of[pk][0] for pk in keys)


def _to_review(desk: Desk) -> Block:
    """Submitted reports that nobody has accepted or returned yet, oldest week first."""
    listed = reviewed_projects(desk.user).as_of(desk.day).order_by().values("pk")
    waiting = Dispatch.objects.filter(project__in=listed, state=DispatchState.SUBMITTED, is_live=True).order_by("week_of", "submitted_at")
    shown = list(waiting.values_list("project", "week_of", "is_late")[:SHOWN])
    names = desk.names(pk for pk, *_ in shown)
    lines = [
        Line(
            names[pk][0],
            desk.address("dispatch", week=week_of.isoformat()),
            "迟报" if late else "待核",
            "warn" if late else "",
            f"周次 {week_of}",
        )
        for pk, week_of, late in shown
    ]
    return _block("待审核", lines, "没有待审核的调度", desk.address("dispatch", view="review"), count=waiting.count())


def _received(desk: Desk) -> Block:
    """Letters that wait for the unit's receipt or answer, overdue ones first."""
    waiting = letters.read(received_letters(desk.user).filter(letter__closed_at=None), desk.day)
    lines = [_letter_line(desk, row) for row in waiting if row.state in letter_states.WAITING]
    return _block("待签收、回复的函件", lines, "没有待办的函件", desk.address("letters"))


def _letters(desk: Desk) -> Block:
    """Letters that wait for the office: answers to check, drafts to review and to issue, overdue answers."""
    found = letters.read(Document.objects.filter(kind__in=LETTERS, letter__closed_at=None).exclude(state=DocumentState.WITHDRAWN), desk.day)
    lines = [_letter_line(desk, row) for row in found if row.overdue or row.state not in letter_states.WAITING]
    return _block("待办函件", lines, "没有待审核、印发、核查的函件", desk.address("letters"))


def _talks(desk: Desk) -> Block:
    """Talks that a leader has to decide on."""
    waiting = Document.objects.filter(kind=DocumentKind.TALK, state=DocumentState.DRAFT, letter__reviewed_at__isnull=False)
    lines = [_letter_line(desk, row) for row in letters.read(waiting.filter(letter__approved_at=None), desk.day)]
    return _block("待批准的约谈", lines, "没有待批准的约谈", desk.address("letters", group="draft"))


def _letter_line(desk: Desk, row: letters.Row) -> Line:
    mark = f"逾期 {row.overdue} 天" if row.overdue else row.state.label
    detail = f"{row.document.unit}，应回复 {row.due_on}" if row.due_on else str(row.document.unit)
    name = row.document.file_number or row.document.title
    return Line(
        f"{row.document.get_kind_display()} {name}", desk.address("letter", row.document.pk), mark, "bad" if row.overdue else "warn", detail
    )


def _documents(desk: Desk) -> Block:
    waiting = (
        Document.objects.filter(state__in=[DocumentState.DRAFT, DocumentState.ISSUING]).exclude(kind__in=LETTERS).order_by("-as_of", "pk")
    )
    lines = [
        Line(document.title, desk.address("document", document.pk), document.get_state_display(), "warn", f"数据截至 {document.as_of}")
        for document in waiting[: SHOWN + 1]
    ]
    return _block("待印发文件", lines, "没有等待印发的文件", desk.address("documents"))


def _failed_jobs(desk: Desk) -> Block:
    failed = Job.objects.filter(state=JobState.FAILED).order_by("-pk")
    lines = [
        Line(JOB_WORDS.get(job.kind, job.kind), "", "失败", "bad", f"{job.key}，已试 {job.attempts} 次：{last_line(job.error)}", job.pk)
        for job in failed[: SHOWN + 1]
    ]
    return _block("后台任务", lines, "没有失败的任务")


def last_line(error: str) -> str:
    lines = error.strip().splitlines()
    return lines[-1][:100] if lines else "原因不明"


def _behind(desk: Desk, **narrowed) -> Block:
    """Projects behind plan, the furthest first, each in the same words as everywhere."""
    last = desk.late[:SHOWN][-1][0] if desk.late else 0  # the database reckons with floats: the order among the shown is the rules' own
    shown = project_facts(desk.day, Project.objects.filter(pk__in=[pk for lag, _, pk in desk.late if lag >= last - HAIR]))
    late = sorted(shown, key=lambda f: (-f.lag, f.code))[:SHOWN]
    lines = [
        Line(
            _name(f),
            desk.address("project", f.code),
            desk.risk(f).label,
            _tone(desk.risk(f)),
            lag_sentence(desk.day, f.planned_progress, f.physical_progress, f.lag),
        )
        for f in late
    ]
    t = desk.thresholds
    note = f"建议值：滞后 {t.behind_points} 个百分点及以上，严重滞后超过 {t.far_behind_points} 个百分点"
    return _block("滞后项目", lines, "没有滞后的项目", desk.ledger(risk="late", sort="-risk", **narrowed), note, count=len(desk.late))


def _tone(risk: Risk) -> str:
    return "bad" if risk == Risk.FAR_BEHIND else "warn"


def _silent(desk: Desk) -> Block:
    weeks = desk.thresholds.silent_weeks
    keys = silent_keys(desk.day, weeks, desk.listed)
    shown = {f.pk: f for f in project_facts(desk.day, Project.objects.filter(pk__in=keys[:SHOWN]))}
    still = [shown[pk] for pk in keys[:SHOWN]]
    lines = [
        Line(_name(f), desk.address("project", f.code), "无变化", "warn", f"{f.county}，最近一次填报 {f.week_of or '无'}") for f in still
    ]
    return _block(f"连续 {weeks} 周无变化", lines, f"没有连续 {weeks} 周无变化的项目", desk.ledger(has="silent"), count=len(keys))


def _problems(desk: Desk, handler=None) -> Block:
    """Open problems, overdue and soon due first."""
    rows = Problem.objects.open_on(desk.day).filter(project__in=desk.everywhere.order_by().values("pk"))
    rows = rows.filter(handler=handler) if handler else rows
    first = rows.order_by(F("due_on").asc(nulls_last=True), "-level", "pk")
    shown = list(first.values_list("pk", "project", "code", "category", "description", "level", "due_on")[:SHOWN])
    names = desk.names(row[1] for row in shown)
    there = problems_on(desk.day, Problem.objects.filter(pk__in=[pk for pk, *_ in shown]))
    due_up = set(there.filter(is_step_over=1, level_then__lt=HelpLevel.PROVINCE).values_list("pk", flat=True))
    lines = [
        Line(
            f"{ProblemCategory(category).label}：{description}",
            desk.address("problem", code) if code else desk.address("project", names[project][1]),
            *(("应升级", "bad") if pk in due_up else _due_mark(due_on, desk.day)),
            f"{names[project][0]}，{HelpLevel(level).label[:2]}" + (f"，时限 {due_on}" if due_on else "，未定时限"),
        )
        for pk, project, code, category, description, level, due_on in shown
    ]
    narrowed = {"handler": handler.code} if handler else {}
    return _block("未销号问题", lines, "没有未销号的问题", desk.address("problems", state="open", **narrowed), count=rows.count())


def _due_mark(due_on: dt.date | None, day: dt.date) -> tuple[str, str]:
    if due_on and due_on < day:
        return f"逾期 {(day - due_on).days} 天", "bad"
    if due_on and due_on <= day + SOON:
        return "即将到期", "warn"
    return "办理中", ""


def _permits(desk: Desk, at=None) -> Block:
    """Permits under way past the days that were promised; the longest overdue first."""
    rows = Permit.objects.filter(project__in=desk.everywhere.order_by().values("pk"))
    stalled = overdue_permits(rows.filter(authority=at) if at else rows, desk.day)
    stalled.sort(key=lambda pair: (pair[0], pair[1].pk))
    shown = stalled[:SHOWN]
    names = desk.names(permit.project_id for _, permit in shown)
    lines = [
        Line(
            f"{PermitKind(permit.kind).label}：{names[permit.project_id][0]}",
            desk.address("project", names[permit.project_id][1]),
            f"逾期 {(desk.day - due_on).days} 天",
            "bad",
            f"{permit.authority or '受理机关未登记'}，应于 {due_on} 办结" + (f"；{permit.note}" if permit.note else ""),
        )
        for due_on, permit in shown
    ]
    title = "在本部门超时的手续" if at else "超过承诺时限的手续"
    url, note = "" if at else desk.ledger(has="late_permit"), "按工作日计，已扣除法定节假日并计调休"
    return _block(title, lines, "没有超时的手续", url, note, count=len(stalled))


def _moved(desk: Desk) -> Block:
    """What was finished or started within the last week."""
    since = desk.day - dt.timedelta(days=7)
    finished = [f for f in desk.facts if f.completed_on and f.completed_on > since]
    started = [f for f in desk.facts if f.started_on and f.started_on > since and f not in finished]
    lines = [Line(_name(f), desk.address("project", f.code), "完工", "blue", f"{f.county}，{f.completed_on} 完工") for f in finished]
    lines += [Line(_name(f), desk.address("project", f.code), "开工", "green", f"{f.county}，{f.started_on} 开工") for f in started]
    url = desk.ledger(completed_from=(since + dt.timedelta(days=1)).isoformat())
    return _block("近七天新开工、新完工", lines, "近七天没有新开工或新完工的项目", url, is_duty=False)


def _since_yesterday(desk: Desk) -> Block:
    """What moved since the last working day, a line for each kind; the sheet of the morning meeting has the rows."""
    since = morning.last_workday_before(desk.day)
    moved = morning.moved_counts(desk.user, desk.day)
    lines = [Line(part.title, desk.address("morning", show=part.key), str(part.count)) for part in moved]
    when = f"{since.month}月{since.day}日以来的变化"
    return Block(when, lines, f"{since.month}月{since.day}日以来没有变化", len(lines), desk.address("morning"), is_duty=False)


def _foot_counties(desk: Desk) -> Block:
    """The three lowest finish rates (ties included), with rank, numerator and denominator."""
    groups = [(name, totals([f for f in desk.facts if f.county == name])) for name in desk.counties]
    groups = [(name, t) for name, t in groups if t.count]
    ranks = rules.ranks([t.finish_rate for _, t in groups])  # as printed, and as the bulletin ranks them
    ranked = sorted(zip(ranks, groups, strict=True), key=lambda pair: -pair[0])
    last = ranked[min(3, len(ranked)) - 1][0] if ranked else 0
    codes = {f.county: f.county_code for f in desk.facts}
    lines = [
        Line(
            name,
            desk.ledger(county=codes[name]),
            f"第 {rank} 名",
            "",
            f"完工率 {wording.percent(t.finish_rate)}（{t.finished}/{t.count}），在建 {t.under_construction}，前期 {t.not_started}",
        )
        for rank, (name, t) in ranked
        if rank >= last and t.finished < t.count
    ]
    return _block("完工率靠后的县（市、区）", lines, "各县（市、区）已全部完工", desk.address("wall"))


def _sections(desk: Desk) -> Block:
    """National sections whose class is worse than this year's target."""
    bad = [s for s in desk.sections if s.water_class and s.target and s.water_class > s.target]
    lines = [
        Line(
            s.name,
            desk.address("section", s.pk),
            f"{WaterClass(s.water_class).label}类",
            "bad",
            f"{s.river}，{s.county}；目标 {WaterClass(s.target).label}类，{wording.month(s.month)}评价",
        )
        for s in sorted(bad, key=lambda s: (s.level != Level.NATIONAL, s.target - s.water_class, s.name))
    ]
    return _block("未达目标的断面", lines, "各断面均达到目标", desk.address("sections", only="missed"))


def _papers(desk: Desk) -> Block:
    """The latest bulletins."""
    papers = Document.objects.as_of(desk.day).exclude(state=DocumentState.WITHDRAWN).exclude(kind__in=LETTERS).order_by("-as_of", "-pk")[:3]
    lines = [
        Line(paper.title, desk.address("document", paper.pk), paper.get_state_display(), "", paper.file_number or f"数据截至 {paper.as_of}")
        for paper in papers
    ]
    return _block("通报", lines, "还没有通报", desk.address("documents"), is_duty=False)


def _name(facts: ProjectFacts) -> str:
    return f"{facts.code} {facts.name}"
