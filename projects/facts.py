"""The facts of all projects as of a day, read in a fixed number of queries; what maps, bulletins and totals start from."""

import dataclasses
import datetime as dt
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from decimal import Decimal
from typing import Any

from django.db.models import Count, OuterRef, Q, Subquery, Sum

from linfen_water import clock
from linfen_water.dates import month_start
from projects import rules
from projects.enums import Stage
from projects.models import SAID, Dispatch, MonthlyPlan, Permit, Problem, Project, ProjectVersion, speaking_horizon
from projects.stop_models import StopSpan, stop_spans

ZERO = Decimal(0)


@dataclasses.dataclass(frozen=True, slots=True)
class ProjectFacts:
    """One project as of a day. Percent and 万元; None = never reported, which is not zero."""

    pk: int
    code: str
    number: int | None
    name: str
    county: str  # its name
    county_code: str
    domain: str
    lon: float | None
    lat: float | None
    started_on: dt.date | None  # None when after the day
    completed_on: dt.date | None
    stage: Stage
    baseline_start_on: dt.date
    baseline_finish_on: dt.date
    forecast_start_on: dt.date | None
    forecast_finish_on: dt.date | None
    total_investment_wan: Decimal
    physical_progress: Decimal | None
    planned_progress: Decimal
    lag: Decimal | None  # 0 or less once finished
    in_place_wan: Decimal | None
    allocated_wan: Decimal | None
    paid_wan: Decimal | None
    invested_wan: Decimal | None
    week_of: dt.date | None  # of the last dispatch that counts
    provenance: str


def project_facts(day: dt.date, projects=None) -> list[ProjectFacts]:
    """Facts of `projects` (default: all) that are on the list on `day`, by number. Three queries."""
    scope = Project.objects.all() if projects is None else projects
    rows = list(
        scope.as_of(day)
        .with_dispatch(day)
        .order_by("number", "code")
        .values(
            "pk",
            "code",
            "number",
            "lon",
            "lat",
            "started_on",
            "completed_on",
            "provenance",
            "domain__name",
            "dispatch_id",
            "v__name",
            "v__county__name",
            "v__county__code",
            "v__total_investment_wan",
            "v__baseline_start_on",
            "v__baseline_finish_on",
        )
    )
    ids = [row["dispatch_id"] for row in rows if row["dispatch_id"]]
    said = {d["pk"]: d for d in Dispatch.objects.filter(pk__in=ids).order_by().values("pk", *SAID)}
    plans = _plans(day, None if projects is None else [row["pk"] for row in rows])
    return [_facts(day, row, said.get(row["dispatch_id"], {}), plans.get(row["pk"], {})) for row in rows]


VERSION = ("name", "county__name", "county__code", "total_investment_wan", "baseline_start_on", "baseline_finish_on")
OWN = ("pk", "code", "number", "lon", "lat", "started_on", "completed_on", "provenance", "domain__name")


def facts_on_each(days: Collection[dt.date]) -> dict[dt.date, list[ProjectFacts]]:
    """`project_facts` of many days in four queries: everything is read once, and what speaks on a day is chosen here."""
    rows = list(Project.objects.order_by("number", "code").values(*OWN, "listed_on", "delisted_on"))
    versions, said, plans = _all_versions(), _all_said(), _all_plans()
    today = clock.today()
    found: dict[dt.date, list[ProjectFacts]] = {}
    for day in days:
        horizon = speaking_horizon(day, today)
        found[day] = [
            _facts(day, row | version, _speaking(said.get(row["pk"]), horizon), plans.get(row["pk"], {}))
            for row in rows
            if row["listed_on"] <= day
            and not (row["delisted_on"] and row["delisted_on"] <= day)
            and (version := _in_force(versions.get(row["pk"], ()), day))
        ]
    return found


def _all_versions() -> dict[int, list[dict]]:
    found: dict[int, list[dict]] = defaultdict(list)
    for row in ProjectVersion.objects.order_by("effective_from").values("project_id", "effective_from", "effective_to", *VERSION):
        found[row["project_id"]].append(
            {f"v__{name}": row[name] for name in VERSION} | {"from": row["effective_from"], "to": row["effective_to"]}
        )
    return found


def _in_force(versions: Iterable[dict], day: dt.date) -> dict | None:
    return next((row for row in versions if row["from"] <= day and not (row["to"] and row["to"] <= day)), None)


def _all_said() -> dict[int, tuple[list[dt.date], list[dict]]]:
    """What counts of each project, oldest first, with the days that it speaks for beside."""
    found: dict[int, tuple[list[dt.date], list[dict]]] = defaultdict(lambda: ([], []))
    rows = Dispatch.objects.filter(is_live=True).order_by("week_of").values("project_id", "cut_off_on", *SAID)
    for row in rows.iterator(chunk_size=5000):
        days, said = found[row["project_id"]]
        days.append(row["cut_off_on"])
        said.append(row)
    return found


def _speaking(said: tuple[list[dt.date], list[dict]] | None, horizon: dt.date) -> dict:
    """The last that counts up to `horizon`; weeks follow each other, and so do their cut-offs."""
    place = bisect_right(said[0], horizon) if said else 0
    return said[1][place - 1] if said and place else {}


def _all_plans() -> dict[int, dict[dt.date, Decimal]]:
    found: dict[int, dict[dt.date, Decimal]] = defaultdict(dict)
    for pk, month, planned in MonthlyPlan.objects.order_by().values_list("project_id", "month", "planned_progress"):
        found[pk][month] = planned
    return found


def _plans(day: dt.date, pks: list[int] | None) -> dict[int, dict[dt.date, Decimal]]:
    """For each project (of `pks`, None = all) with a plan for the month of `day`: that month's and the last earlier one's."""
    month = month_start(day)
    plans = MonthlyPlan.objects.filter(month=month).order_by()  # the models' own order would join the projects
    if pks is not None:  # a page of a long ledger reads its own plans only
        plans = plans.filter(project__in=pks)
    earlier = MonthlyPlan.objects.filter(project=OuterRef("project"), month__lt=month).order_by("-month")
    rows = plans.values_list(
        "project_id", "planned_progress", Subquery(earlier.values("month")[:1]), Subquery(earlier.values("planned_progress")[:1])
    )
    return {pk: {month: now} | ({when: before} if when else {}) for pk, now, when, before in rows}


def _facts(day: dt.date, row: dict, said: dict, plans: dict) -> ProjectFacts:
    started_on, completed_on = (d if d and d <= day else None for d in (row["started_on"], row["completed_on"]))
    planned = rules.planned(day, plans, row["v__baseline_start_on"], row["v__baseline_finish_on"])
    progress = said.get("physical_progress")
    return ProjectFacts(
        pk=row["pk"],
        code=row["code"],
        number=row["number"],
        name=row["v__name"],
        county=row["v__county__name"],
        county_code=row["v__county__code"],
        domain=row["domain__name"],
        lon=row["lon"],
        lat=row["lat"],
        started_on=started_on,
        completed_on=completed_on,
        stage=rules.stage(day, started_on, completed_on),
        baseline_start_on=row["v__baseline_start_on"],
        baseline_finish_on=row["v__baseline_finish_on"],
        forecast_start_on=said.get("forecast_start_on"),
        forecast_finish_on=said.get("forecast_finish_on"),
        total_investment_wan=row["v__total_investment_wan"],
        physical_progress=progress,
        planned_progress=planned,
        lag=rules.lag(planned, progress),
        in_place_wan=said.get("in_place_wan"),
        allocated_wan=said.get("allocated_wan"),
        paid_wan=said.get("paid_wan"),
        invested_wan=said.get("invested_wan"),
        week_of=said.get("week_of"),
        provenance=row["provenance"],
    )


@dataclasses.dataclass(frozen=True, slots=True)
class Totals:
    """Counts and sums of a set of projects; the one place where rates are made."""

    count: int
    not_started: int
    under_construction: int
    finished: int
    total_investment_wan: Decimal
    in_place_wan: Decimal
    allocated_wan: Decimal
    paid_wan: Decimal
    invested_wan: Decimal

    @property
    def started(self) -> int:
        """已开工 of reports: finished ones too, so not the number of green buttons."""
        return self.under_construction + self.finished

    @property
    def start_rate(self) -> Decimal | None:
        return rules.rate(self.started, self.count)

    @property
    def finish_rate(self) -> Decimal | None:
        return rules.rate(self.finished, self.count)

    @property
    def invested_rate(self) -> Decimal | None:
        """投资完成率 against total investment (the other denominator, the year's plan, is a different figure)."""
        return rules.rate(self.invested_wan, self.total_investment_wan)

    @property
    def in_place_rate(self) -> Decimal | None:
        return rules.rate(self.in_place_wan, self.total_investment_wan)

    @property
    def paid_rate(self) -> Decimal | None:
        return rules.rate(self.paid_wan, self.in_place_wan)


def totals(facts: Iterable[ProjectFacts]) -> Totals:
    """Sum up; a project that never reported adds nothing to the money."""
    facts = list(facts)
    stages = Counter(f.stage for f in facts)
    return Totals(
        count=len(facts),
        not_started=stages[Stage.NOT_STARTED],
        under_construction=stages[Stage.UNDER_CONSTRUCTION],
        finished=stages[Stage.FINISHED],
        total_investment_wan=sum((f.total_investment_wan for f in facts), ZERO),
        in_place_wan=sum((f.in_place_wan or ZERO for f in facts), ZERO),
        allocated_wan=sum((f.allocated_wan or ZERO for f in facts), ZERO),
        paid_wan=sum((f.paid_wan or ZERO for f in facts), ZERO),
        invested_wan=sum((f.invested_wan or ZERO for f in facts), ZERO),
    )


def summed(day: dt.date, chosen) -> Totals:
    """The same sums as `totals`, made by the database for any number of projects (a queryset after `as_of`). Two queries."""
    sums = chosen.order_by().aggregate(
        count=Count("pk"),
        not_started=Count("pk", filter=Q(stage=Stage.NOT_STARTED)),
        under_construction=Count("pk", filter=Q(stage=Stage.UNDER_CONSTRUCTION)),
        finished=Count("pk", filter=Q(stage=Stage.FINISHED)),
        total_investment_wan=Sum("v__total_investment_wan"),
    )
    last = chosen.with_dispatch(day).order_by().values("dispatch_id")
    names = ("in_place_wan", "allocated_wan", "paid_wan", "invested_wan")
    sums |= Dispatch.objects.filter(pk__in=last).aggregate(**{name: Sum(name) for name in names})
    return Totals(**{name: ZERO if value is None else cents(value) for name, value in sums.items()})


def cents(value: int | Decimal | None) -> Any:
    """An amount to the hundredth of a 万元 that its parts have: SQLite computes in floating point and hands back more places."""
    return value.quantize(Decimal("0.01")) if isinstance(value, Decimal) else value


def unchanged(now: Iterable[ProjectFacts], before: Iterable[ProjectFacts]) -> list[ProjectFacts]:
    """Unfinished projects of `now` whose stage, progress and money are those of `before`: no visible progress between.

    A week that was not reported counts as no progress, since the last dispatch stands; one that was not on the list
    before is left out.
    """
    old = {f.pk: _visible(f) for f in before}
    return [f for f in now if f.stage != Stage.FINISHED and old.get(f.pk) == _visible(f)]


def silent(day: dt.date, weeks: int, now: Iterable[ProjectFacts] | None = None, projects=None) -> list[ProjectFacts]:
    """Projects without visible progress over the `weeks` up to `day`; `now` saves reading the facts of `day` again.

    A permit obtained or a problem closed meanwhile is progress, too; who stood still with approval on any of these days is left out.
    """
    since = day - dt.timedelta(weeks=weeks)
    now = project_facts(day, projects) if now is None else now
    moved = set(Permit.objects.filter(obtained_on__gt=since, obtained_on__lte=day).values_list("project_id", flat=True))
    moved |= set(Problem.objects.filter(closed_on__gt=since, closed_on__lte=day).values_list("project_id", flat=True))
    unfinished = Project.objects.filter(pk__in=[f.pk for f in now if f.stage != Stage.FINISHED])
    stops = stop_spans()
    still = (f for f in unchanged(now, project_facts(since, unfinished)) if f.pk not in moved)
    return [f for f in still if not _was_stopped(stops, f.pk, f.county_code, since, day)]


def _was_stopped(stops: list[StopSpan], pk: int, county: str, since: dt.date, day: dt.date) -> bool:
    """Whether works stood still with approval on any day after `since` up to `day`."""
    return any(stop.holds(pk, county, since + dt.timedelta(days=1), day) for stop in stops)


def silent_keys(day: dt.date, weeks: int, listed) -> list[int]:
    """Keys of what `silent` finds among `listed` (a queryset after `as_of(day)`), the longest without a report first; six queries.

    For pages that show a few of them: no facts are made, and reports are compared only where another one speaks now.
    """
    since = day - dt.timedelta(weeks=weeks)
    unfinished = listed.exclude(stage=Stage.FINISHED).order_by()
    now = list(unfinished.with_dispatch(day).values_list("pk", "code", "stage", "dispatch_id", "v__county__code"))
    earlier = Project.objects.filter(pk__in=unfinished.values("pk")).as_of(since).with_dispatch(since).order_by()
    before = {pk: (stage, said) for pk, stage, said in earlier.values_list("pk", "stage", "dispatch_id")}
    moved = set(Permit.objects.filter(obtained_on__gt=since, obtained_on__lte=day).values_list("project_id", flat=True))
    moved |= set(Problem.objects.filter(closed_on__gt=since, closed_on__lte=day).values_list("project_id", flat=True))
    stops = stop_spans()
    moved |= {pk for pk, *_, county in now if _was_stopped(stops, pk, county, since, day)}
    still = [row for row in now if row[0] in before and before[row[0]][0] == row[2] and row[0] not in moved]
    ids = {said for row in still for said in (row[3], before[row[0]][1]) if said}
    rows = Dispatch.objects.filter(pk__in=ids).order_by()
    said = {pk: (week_of, rest) for pk, week_of, *rest in rows.values_list("pk", "week_of", *VISIBLE)}
    nothing = (dt.date.min, [None] * len(VISIBLE))
    found = [
        (said.get(now_id, nothing)[0], code, pk)
        for pk, code, _, now_id, _ in still
        if now_id == before[pk][1] or said.get(now_id, nothing)[1] == said.get(before[pk][1], nothing)[1]
    ]
    return [pk for _, _, pk in sorted(found)]


VISIBLE = ("physical_progress", "in_place_wan", "paid_wan", "invested_wan")


def _visible(facts: ProjectFacts) -> tuple:
    return facts.stage, facts.physical_progress, facts.in_place_wan, facts.paid_wan, facts.invested_wan
