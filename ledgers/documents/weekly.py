"""The facts of a week's report (周报): the only queries of that paper. What is said of them: `weekly_words.py`."""

import dataclasses
import datetime as dt

from django.db.models import Min

from ledgers.documents import DocumentFault, jsonable
from ledgers.documents.bulletin import Office, lag_sentence, office_of
from ledgers.documents.wording import date
from linfen_water import policy
from linfen_water.models import County, Region
from monitoring import periods as water_periods
from monitoring.enums import Level, WaterClass
from monitoring.reports import latest_month, section_table
from projects import anomalies, rules, weeks
from projects.anomalies import Anomaly
from projects.enums import DispatchState, HelpLevel, ProblemCategory, Risk, Stage
from projects.facts import ProjectFacts, Totals, project_facts, totals
from projects.models import Dispatch, Problem, Project
from projects.reports import reporting_in
from projects.week_change import ProjectChange, WeekChange, sentence, week_change

# Where the office writes paragraphs of its own: {place: what the page calls it}. They follow the part's computed words.
PLACES = {
    "opening": "开头",
    "water": "一、断面水质之后",
    "projects": "二、工程进展之后",
    "requirements": "三、下一步要求之后",
    "closing": "结尾",
}
# Requirements that are asked of a county every week; the others (see Anomaly) are questions for the review, not for a paper.
TOLD = (Anomaly.UNREPORTED, Anomaly.SILENT, Anomaly.MILESTONE, Anomaly.PERMIT_STALLED)


@dataclasses.dataclass(frozen=True)
class SectionLine:
    """A section in its latest month; a class is None when it was not evaluated, and then `note` says why."""

    name: str
    river: str
    county: str
    level: Level
    water_class: WaterClass | None
    before: WaterClass | None
    target: WaterClass | None
    pollutants: str
    note: str


@dataclasses.dataclass(frozen=True)
class Moved:
    """A project that got on since the week before, and how."""

    code: str
    name: str
    county: str
    steps: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Change:
    """The fixed sentence with the projects behind its numbers."""

    since: str
    newly_finished: tuple[Moved, ...]
    newly_started: tuple[Moved, ...]
    not_started: int
    advanced: tuple[Moved, ...]
    started: int
    progressed: tuple[Moved, ...]
    note: str

    @property
    def sentence(self) -> str:
        counts = len(self.newly_finished), self.not_started, len(self.advanced), self.started, len(self.progressed)
        return sentence(self.since, *counts)


@dataclasses.dataclass(frozen=True)
class DomainLine:
    name: str
    totals: Totals


@dataclasses.dataclass(frozen=True)
class CountyLine:
    """A county's week: its projects, and what it reported."""

    name: str
    totals: Totals
    moved: int
    due: int
    reported: int
    late: int


@dataclasses.dataclass(frozen=True)
class Requirement:
    """What a county is asked to do about a project, and by when."""

    county: str
    code: str
    name: str
    kind: str
    problem: str  # the verdict's sentence, or the problem as it is registered
    demand: str
    due_on: dt.date


@dataclasses.dataclass(frozen=True)
class WeeklyFacts:
    """All that a week's report is made from; JSON both ways, frozen when it is issued. Money is 万元, rates percent."""

    week_of: dt.date
    as_of: dt.date  # the cut-off, or today before it
    before_on: dt.date
    is_over: bool  # the deadline has passed
    office: Office
    is_demo: bool
    behind_points: int
    far_behind_points: int
    silent_weeks: int
    totals: Totals
    change: Change
    domains: tuple[DomainLine, ...]
    counties: tuple[CountyLine, ...]  # in the region's order, those with projects
    due: int
    reported: int
    late: int
    unreviewed: int
    water_month: dt.date | None
    sections: tuple[SectionLine, ...]
    requirements: tuple[Requirement, ...]  # by county, in the region's order

    def to_json(self) -> dict:
        return jsonable.to_json(self)

    @classmethod
    def from_json(cls, data: dict) -> "WeeklyFacts":
        return jsonable.from_json(cls, data)


def gather(week_of: dt.date, now: dt.datetime) -> WeeklyFacts:
    """Facts of the week of Monday `week_of` at its cut-off or, while it runs, as of `now`.

    The number of queries does not grow with the projects. Raises DocumentFault when nothing was on the list then.
    """
    times, today = weeks.week_times(week_of), now.date()
    as_of = min(times.cut_off_on, today)
    first = Project.objects.aggregate(first=Min("listed_on"))["first"]
    if first is None or first > as_of:
        raise DocumentFault(f"截至 {as_of} 清单中还没有项目，不能编制周报。")
    values, region = policy.values_on(week_of), Region.current()
    facts = project_facts(as_of)
    counties = list(County.objects.values_list("code", "name"))
    change = week_change(week_of, now=facts)
    reports = _reports(week_of, change)
    return WeeklyFacts(
        week_of=week_of,
        as_of=as_of,
        before_on=change.before_on,
        is_over=now > times.deadline_at,
        office=office_of(region, "weekly"),
        is_demo=region.is_demo,
        behind_points=values.behind_points,
        far_behind_points=values.far_behind_points,
        silent_weeks=values.silent_weeks,
        totals=totals(facts),
        change=_change(change),
        domains=_domains(facts),
        counties=_counties(counties, change, reports),
        due=sum(len(states) for states in reports.values()),
        reported=sum(state is not None for states in reports.values() for state in states.values()),
        late=sum(bool(state and state[1]) for states in reports.values() for state in states.values()),
        unreviewed=sum(bool(state and state[0] == DispatchState.SUBMITTED) for states in reports.values() for state in states.values()),
        requirements=_requirements(facts, counties, week_of, as_of, now, values),
        **_water(as_of),
    )


def _change(change: WeekChange) -> Change:
    return Change(
        since=change.since,
        newly_finished=_moved(change.newly_finished),
        newly_started=_moved(row for row in change.rows if row.now.started_on and row.now.started_on > change.before_on),
        not_started=len(change.not_started),
        advanced=_moved(change.advanced),
        started=len(change.started),
        progressed=_moved(change.progressed),
        note=change.note,
    )


def _moved(rows) -> tuple[Moved, ...]:
    return tuple(Moved(row.now.code, row.now.name, row.now.county, row.steps) for row in rows)


def _domains(facts: list[ProjectFacts]) -> tuple[DomainLine, ...]:
    """By number of projects."""
    names = sorted({f.domain for f in facts}, key=lambda name: (-sum(f.domain == name for f in facts), name))
    return tuple(DomainLine(name, totals(f for f in facts if f.domain == name)) for name in names)


def _reports(week_of: dt.date, change: WeekChange) -> dict[str, dict[int, tuple[str, bool] | None]]:
    """For each county the projects due in the week, with (state, late) of what counts, None when nothing does. Two queries."""
    due = set(reporting_in(Project.objects.all(), week_of).values_list("pk", flat=True))
    live = Dispatch.objects.filter(project__in=due, week_of=week_of, is_live=True)
    said = {pk: (state, late) for pk, state, late in live.values_list("project_id", "state", "is_late")}
    found: dict[str, dict[int, tuple[str, bool] | None]] = {}
    for row in change.rows:
        if row.now.pk in due:
            found.setdefault(row.now.county_code, {})[row.now.pk] = said.get(row.now.pk)
    return found


def _counties(counties: list[tuple[str, str]], change: WeekChange, reports: dict) -> tuple[CountyLine, ...]:
    groups: dict[str, list[ProjectChange]] = {}
    for row in change.rows:
        groups.setdefault(row.now.county_code, []).append(row)
    return tuple(_county(name, groups[code], list(reports.get(code, {}).values())) for code, name in counties if code in groups)


def _county(name: str, rows: list[ProjectChange], states: list) -> CountyLine:
    return CountyLine(
        name=name,
        totals=totals(row.now for row in rows),
        moved=sum(row.has_moved for row in rows),
        due=len(states),
        reported=sum(state is not None for state in states),
        late=sum(bool(state and state[1]) for state in states),
    )


def _water(as_of: dt.date) -> dict:
    """Every section that is assessed for somebody, from the same table as the page of the sections."""
    month = latest_month(as_of)
    if month is None:
        return {"water_month": None, "sections": ()}
    rows = section_table(as_of, water_periods.month(month)).rows
    lines = (
        SectionLine(
            name=row.name,
            river=row.river,
            county=row.county,
            level=row.level,
            water_class=row.water_class,
            before=row.class_before,
            target=row.target,
            pollutants="、".join(map(str, row.pollutants)),
            note=row.note,
        )
        for row in rows
        if row.level in (Level.NATIONAL, Level.PROVINCIAL) or row.is_evaluated
    )
    return {"water_month": month, "sections": tuple(lines)}


# ── 三、要求 ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _requirements(
    facts: list[ProjectFacts], counties: list[tuple[str, str]], week_of: dt.date, as_of: dt.date, now: dt.datetime, values: policy.Values
) -> tuple[Requirement, ...]:
    """Each names county, project, problem and deadline; by county in the region's order, then by project."""
    next_cut_off = weeks.week_times(week_of + weeks.WEEK).cut_off_on
    odd = anomalies.read(week_of, as_of, now, facts=facts)
    problems = _problems(as_of)
    found: list[tuple[str, Requirement]] = []
    for one in facts:
        said = [*_of_problems(one, problems.get(one.pk, []), as_of, next_cut_off), *_of_verdicts(one, odd.get(one.pk, []), next_cut_off)]
        risk = rules.risk(one.stage, one.lag, values.behind_points, values.far_behind_points)
        if risk == Risk.FAR_BEHIND and one.lag is not None and one.physical_progress is not None:
            sentence = lag_sentence(as_of, one.planned_progress, one.physical_progress, one.lag)
            said.append(_requirement(one, "严重滞后", sentence, "倒排工期，报送赶工计划", next_cut_off))
        found += [(one.county_code, requirement) for requirement in said]
    order = {code: place for place, (code, _) in enumerate(counties)}
    return tuple(requirement for _, requirement in sorted(found, key=lambda pair: order.get(pair[0], len(order))))


def _problems(as_of: dt.date) -> dict[int, list[Problem]]:
    found: dict[int, list[Problem]] = {}
    for problem in Problem.objects.open_on(as_of).select_related("handler").order_by("due_on", "pk"):
        found.setdefault(problem.project_id, []).append(problem)
    return found


def _of_problems(one: ProjectFacts, problems: list[Problem], as_of: dt.date, next_cut_off: dt.date) -> list[Requirement]:
    if one.stage == Stage.FINISHED:
        return []
    return [
        _requirement(
            one,
            f"{ProblemCategory(problem.category).label}问题",
            _ended(problem.description) + (f"（{HelpLevel(problem.level).label}）" if problem.level > HelpLevel.OFFICE else ""),
            _handling(problem, as_of),
            problem.due_on if problem.due_on and problem.due_on >= as_of else next_cut_off,
        )
        for problem in problems
    ]


def _handling(problem: Problem, as_of: dt.date) -> str:
    who = f"{problem.handler.name}牵头" if problem.handler else ""
    if problem.due_on and problem.due_on < as_of:
        return f"{who}限期解决（原定{date(problem.due_on)}，已逾期）"
    return f"{who}解决并报送结果"


DEMANDS = {
    Anomaly.UNREPORTED: "补报本周周调度并说明原因",
    Anomaly.SILENT: "核实现场情况，说明无进展的原因和恢复推进的措施",
    Anomaly.MILESTONE: "说明原因，按程序报批新的时限或明确完成日期",
    Anomaly.PERMIT_STALLED: "会同受理机关明确办结日期",
}


def _of_verdicts(one: ProjectFacts, verdicts: list[anomalies.Verdict], next_cut_off: dt.date) -> list[Requirement]:
    told = [verdict for verdict in verdicts if verdict.rule in TOLD]
    return [_requirement(one, v.rule.label, v.sentence, DEMANDS[v.rule], next_cut_off) for v in told]


def _requirement(one: ProjectFacts, kind: str, problem: str, demand: str, due_on: dt.date) -> Requirement:
    return Requirement(one.county, one.code, one.name, kind, problem, demand, due_on)


def _ended(text: str) -> str:
    """One line without its last full stop, as a part of a sentence."""
    return " ".join(text.split()).rstrip("。.")
