"""The S-curve of a set of projects: planned, real and forecast progress, weighted by total investment (按总投资加权).

Which projects belong to the set, their county and their investment are those of the day that is looked at; so one curve compares
like with like. Read in a fixed number of queries, however many the projects, and kept until a fact changes.
"""

import dataclasses
import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from django.core.cache import cache
from django.db.models import FloatField
from django.db.models.functions import Cast

from linfen_water.dates import add_months, month_end, month_start
from projects import rules, wall
from projects.courses import KEPT_SECONDS, office_calibration, read_courses
from projects.enums import Stage
from projects.facts import ProjectFacts, project_facts
from projects.forecast import STALE_DAYS, WINDOW_DAYS, Corners, Course, Forecast, forecast, forecast_gap, projected
from projects.models import Dispatch, MonthlyPlan, Project
from projects.permissions import visible_projects

FARTHEST = 10 * 12  # months before and after the day: a mistyped year must not stretch the axis to it
CHUNK = 20_000
Point = tuple[dt.date, float]


@dataclasses.dataclass(frozen=True, slots=True)
class Outlook:
    """One unfinished project: where it stands, what its pace says, what its unit expects."""

    code: str
    name: str
    county: str
    domain: str
    stage: Stage
    physical_progress: Decimal | None
    lag: Decimal | None
    baseline_finish_on: dt.date
    said_on: dt.date | None  # 单位预计完工
    forecast: Forecast
    gap: str

    @property
    def late_days(self) -> int | None:
        """Days from the baseline to the forecast; positive = later."""
        return (self.forecast.finish_on - self.baseline_finish_on).days if self.forecast.finish_on else None

    @property
    def early_days(self) -> int | None:
        return -self.late_days if self.late_days is not None else None


@dataclasses.dataclass(frozen=True, slots=True)
class Share:
    """One county or domain of the set."""

    key: str  # what an address names it by
    name: str
    count: int
    total_investment_wan: Decimal
    planned: Decimal
    actual: Decimal
    lag: Decimal


@dataclasses.dataclass(frozen=True, slots=True)
class SCurve:
    day: dt.date
    count: int
    total_investment_wan: Decimal
    is_weighted: bool  # False: no investment is known, so every project counts alike
    unreported: int  # never reported: they count as 0
    planned: Decimal  # on the day, percent
    actual: Decimal
    lag: Decimal
    planned_points: list[Point]
    actual_points: list[Point]
    forecast_points: list[Point]
    told: int  # unfinished projects that go on by their own pace
    assumed: int  # by the date their unit expects, else the baseline
    still: int  # that stay where they are: nothing moves, or every date named has passed
    outlooks: list[Outlook]  # the farthest behind their baseline first
    counties: list[Share]
    domains: list[Share]

    @property
    def finish_on(self) -> dt.date | None:
        """The month's end by which all are finished; None while some stand still."""
        return next((on for on, percent in self.forecast_points if percent > 99.995), None) if not self.still else None

    @property
    def months(self) -> list[tuple[dt.date, float, float | None, float | None]]:
        """The curve as a table: month's end (and the day), planned, actual, forecast."""
        ahead = dict(self.forecast_points)
        return [
            (on, percent, _at(self.actual_points, on) if on <= self.day else None, ahead.get(on) if on > self.day else None)
            for on, percent in self.planned_points
        ]


def read_scurve(user, day: dt.date, today: dt.date, *, county: str = "", domain: str = "") -> SCurve | None:
    """The curve of the projects that `user` may see, of a county (code) or domain (name) when named; None when there are none."""
    key = f"scurve:{wall.version(user, day)}:{county}:{domain}".encode().hex()
    found = cache.get(key)
    if found is None:
        found = (scurve(day, _scope(visible_projects(user, today), day, county, domain)),)
        cache.set(key, found, KEPT_SECONDS)
    return found[0]


def _scope(projects, day: dt.date, county: str, domain: str):
    if county:
        projects = projects.filter(pk__in=Project.objects.as_of(day).filter(v__county__code=county).order_by().values("pk"))
    return projects.filter(domain__name=domain) if domain else projects


def scurve(day: dt.date, projects) -> SCurve | None:
    """The curve of `projects` (a queryset) that are on the list on `day`. A fixed number of queries."""
    facts = project_facts(day, projects)
    if not facts:
        return None
    listed = Project.objects.filter(pk__in=projects.as_of(day).order_by().values("pk"))
    total = sum((f.total_investment_wan for f in facts), Decimal(0))
    weights = {f.pk: float(f.total_investment_wan / total) if total else 1 / len(facts) for f in facts}
    open_facts = [f for f in facts if f.stage != Stage.FINISHED]
    unfinished = listed.exclude(completed_on__lte=day)
    courses = read_courses(unfinished, day, since=day - dt.timedelta(days=WINDOW_DAYS + STALE_DAYS)) if open_facts else {}
    calibration = office_calibration(day) if open_facts else {}
    told = {f.pk: forecast(day, courses[f.pk], calibration) for f in open_facts}
    ways = {f.pk: _way(day, f, told[f.pk]) for f in open_facts}
    ends = [way.finish_on for way in ways.values() if way.finish_on]
    days = _days(day, facts, ends)
    here = _share("", "", facts, bool(total))
    return SCurve(
        day=day,
        count=len(facts),
        total_investment_wan=total,
        is_weighted=bool(total),
        unreported=sum(f.physical_progress is None for f in open_facts),
        planned=here.planned,
        actual=here.actual,
        lag=here.lag,
        planned_points=_planned(days, day, facts, listed, weights, here.planned),
        actual_points=_actual(day, facts, listed, weights),
        forecast_points=_ahead(day, [on for on in days if on > day], facts, courses, ways, weights),
        told=sum(forecast.finish_on is not None for forecast in told.values()),
        assumed=sum(told[pk].finish_on is None and way.finish_on is not None for pk, way in ways.items()),
        still=sum(way.finish_on is None for way in ways.values()),
        outlooks=_outlooks(open_facts, told),
        counties=_shares(facts, lambda f: (f.county_code, f.county), bool(total)),
        domains=_shares(facts, lambda f: (f.domain, f.domain), bool(total)),
    )


# ── Plan and reality ────────────────────────────────────────────────────────────────────────────────────────────────


def _reached(facts: ProjectFacts) -> Decimal:
    """What counts as done: all of a finished project, nothing of one that never reported."""
    return rules.HUNDRED if facts.stage == Stage.FINISHED else facts.physical_progress or Decimal(0)


def _days(day: dt.date, facts: Sequence[ProjectFacts], ends: Iterable[dt.date]) -> list[dt.date]:
    """The months' ends that the curve is drawn through, and the day itself."""
    first = max(min(min(f.baseline_start_on for f in facts), day), add_months(month_start(day), -FARTHEST))
    last = min(max(day, *(f.baseline_finish_on for f in facts), *ends), add_months(month_start(day), FARTHEST))
    months = (last.year - first.year) * 12 + last.month - first.month
    return sorted({day, *(month_end(add_months(month_start(first), n)) for n in range(-1, months + 1))})


def _planned(
    days: Sequence[dt.date], day: dt.date, facts: Sequence[ProjectFacts], listed, weights: Mapping[int, float], today: Decimal
) -> list[Point]:
    """`rules.planned` at every month's end, where a month's own plan is what it says; on the day as the facts have it."""
    plans: dict[int, dict[dt.date, Decimal]] = defaultdict(dict)
    rows = MonthlyPlan.objects.filter(project__in=listed.values("pk")).order_by().values_list("project_id", "month", "planned_progress")
    for pk, month, percent in rows.iterator(CHUNK):
        plans[pk][month] = percent
    ends = [(on, month_start(on)) for on in days if on != day or on == month_end(on)]
    sums = dict.fromkeys((on for on, _ in ends), 0.0)
    for one in facts:
        own, weight, start, finish = plans.get(one.pk, {}), weights[one.pk], one.baseline_start_on, one.baseline_finish_on
        for on, month in ends:
            sums[on] += weight * float(own[month] if month in own else rules.baseline_line(on, start, finish))
    return sorted((sums | {day: float(today)}).items())


def _actual(day: dt.date, facts: Sequence[ProjectFacts], listed, weights: Mapping[int, float]) -> list[Point]:
    """Summed step by step, so that a hundred weeks of ten thousand projects pass through without being kept."""
    done = {f.pk: f.completed_on for f in facts if f.completed_on}
    steps: dict[dt.date, float] = defaultdict(float)
    before: dict[int, float] = {}
    said = Dispatch.objects.speaking(day).filter(project__in=listed.values("pk"), physical_progress__isnull=False)
    said = said.annotate(percent=Cast("physical_progress", FloatField())).order_by("project", "week_of")
    for pk, on, value in said.values_list("project_id", "cut_off_on", "percent").iterator(CHUNK):
        if pk in done and on >= done[pk]:
            continue
        steps[min(on, day)] += weights[pk] * (value - before.get(pk, 0.0))
        before[pk] = value
    for pk, on in done.items():
        steps[on] += weights[pk] * (100.0 - before.get(pk, 0.0))
    points, total = [], 0.0
    for on in sorted({*steps, day}):
        total += steps.get(on, 0.0)
        points.append((on, min(max(total, 0.0), 100.0)))
    return points


def _at(points: Sequence[Point], day: dt.date) -> float:
    """The last value up to `day`; 0 before the first."""
    return next((value for on, value in reversed(points) if on <= day), 0.0)


# ── What lies ahead ─────────────────────────────────────────────────────────────────────────────────────────────────


@dataclasses.dataclass(frozen=True, slots=True)
class Way:
    """How one unfinished project is thought to go on: from a day to its finish, or not at all."""

    since: dt.date
    finish_on: dt.date | None


def _way(day: dt.date, facts: ProjectFacts, told: Forecast) -> Way:
    """By its own pace; where that says nothing, by the date that the unit expects, else the baseline, if still to come."""
    if told.finish_on:
        return Way(day, told.finish_on)
    if told.is_stalled:
        return Way(day, None)
    starts = [on for on in (facts.forecast_start_on, facts.baseline_start_on) if on and on > day and facts.stage == Stage.NOT_STARTED]
    since = starts[0] if starts else day
    ends = [on for on in (facts.forecast_finish_on, facts.baseline_finish_on) if on and on > since]
    return Way(since, ends[0] if ends else None)


def _ahead(
    day: dt.date,
    days: Sequence[dt.date],
    facts: Sequence[ProjectFacts],
    courses: Mapping[int, Course],
    ways: Mapping[int, Way],
    weights: Mapping[int, float],
) -> list[Point]:
    """The sum of all ways; what stands still stays where it is. Nothing when all are finished."""
    if not ways:
        return []
    fixed = sum(weights[f.pk] * float(_reached(f)) for f in facts)
    sums = [fixed] * len(days)
    for one in facts:
        way = ways.get(one.pk)
        if way is None or way.finish_on is None:
            continue
        percent, weight = float(_reached(one)), weights[one.pk]
        curve: Corners = courses[one.pk].curve(day)
        for place, value in enumerate(projected(curve, percent, way.since, way.finish_on, days)):
            sums[place] += weight * (value - percent)
    return [(day, fixed), *((on, min(value, 100.0)) for on, value in zip(days, sums, strict=True))]


def _outlooks(facts: Sequence[ProjectFacts], told: Mapping[int, Forecast]) -> list[Outlook]:
    rows = [
        Outlook(
            code=f.code,
            name=f.name,
            county=f.county,
            domain=f.domain,
            stage=f.stage,
            physical_progress=f.physical_progress,
            lag=f.lag,
            baseline_finish_on=f.baseline_finish_on,
            said_on=f.forecast_finish_on,
            forecast=told[f.pk],
            gap=forecast_gap(told[f.pk].finish_on, f.forecast_finish_on),
        )
        for f in facts
    ]
    return sorted(rows, key=lambda row: (not row.forecast.is_stalled, row.late_days is None, -(row.late_days or 0)))


# ── Shares ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _shares(facts: Sequence[ProjectFacts], key, is_weighted: bool) -> list[Share]:
    """The farthest behind first."""
    groups: dict[tuple[str, str], list[ProjectFacts]] = defaultdict(list)
    for one in facts:
        groups[key(one)].append(one)
    return sorted((_share(*names, of, is_weighted) for names, of in groups.items()), key=lambda share: -share.lag)


def _share(key: str, name: str, facts: Sequence[ProjectFacts], is_weighted: bool) -> Share:
    weighed = [(f.total_investment_wan if is_weighted else Decimal(1), f) for f in facts]
    total = sum((weight for weight, _ in weighed), Decimal(0))
    planned = sum((weight * f.planned_progress for weight, f in weighed), Decimal(0)) / total if total else Decimal(0)
    actual = sum((weight * _reached(f) for weight, f in weighed), Decimal(0)) / total if total else Decimal(0)
    money = sum((f.total_investment_wan for f in facts), Decimal(0))
    return Share(key, name, len(facts), money, planned, actual, rules.lag(planned, actual) or Decimal(0))
