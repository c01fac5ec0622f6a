"""Many simple projects for benchmarks: rows of the right shape, quickly, into a test database that has a region."""

import datetime as dt
import itertools
import random
from decimal import Decimal

import shapely
from django.db import transaction
from shapely.geometry.base import BaseGeometry

from linfen_water import policy, trail
from linfen_water.dates import monday
from linfen_water.enums import UnitKind
from linfen_water.models import County, Domain, Region, Unit
from projects import geo
from projects.enums import DispatchState, Provenance, SourceKind
from projects.models import Dispatch, DispatchLine, FundingSource, MonthlyPlan, Project, ProjectVersion

BATCH = 5000
LISTED_ON = dt.date(2023, 5, 1)
SEED = 20250220
NOTE = "规模测试数据，非真实项目。"


@transaction.atomic
def load_many(count: int, weeks: int, *, today: dt.date = dt.date(2025, 2, 20)) -> list[Project]:
    """Insert `count` projects (S-000001 …) with their last `weeks` weekly dispatches up to the week of `today`.

    Each has one version, one source of money and the plan of the current month. The region must be loaded.
    """
    dice = random.Random(SEED)
    counties, domains = list(County.objects.all()), list(Domain.objects.all())
    leads = {unit.domain_id: unit for unit in Unit.objects.filter(kind=UnitKind.DEPARTMENT, domain__isnull=False)}
    responsible = {unit.county_id: unit for unit in Unit.objects.filter(kind=UnitKind.COUNTY)}
    outlines = geo.outlines_of(Region.current())
    offset = Project.objects.count()
    projects, ends = [], []
    for n in range(count):
        started_on = LISTED_ON + dt.timedelta(days=dice.randrange((today - LISTED_ON).days + 60))
        completed_on = started_on + dt.timedelta(days=dice.randrange(120, 600))
        ends.append((started_on, completed_on))
        county = counties[n % len(counties)]
        lon, lat = _site(county, outlines.get(county.code), dice)
        projects.append(
            Project(
                code=f"S-{offset + n + 1:06d}",
                domain=domains[n % len(domains)],
                lon=lon,
                lat=lat,
                listed_on=LISTED_ON,
                started_on=started_on if started_on <= today else None,
                completed_on=completed_on if completed_on <= today else None,
                provenance=Provenance.DEMO,
                note=NOTE,
            )
        )
    Project.objects.bulk_create(projects, batch_size=BATCH)
    ProjectVersion.objects.bulk_create(
        (
            ProjectVersion(
                project=project, effective_from=LISTED_ON, name=f"规模测试项目{project.code}", county=counties[n % len(counties)],
                lead_unit=leads[project.domain_id], responsible_unit=responsible[counties[n % len(counties)].pk],
                total_investment_wan=Decimal(1000 + n % 9000), baseline_start_on=start, baseline_finish_on=finish, reason=NOTE,
            )
            for n, (project, (start, finish)) in enumerate(zip(projects, ends, strict=True))
        ),
        batch_size=BATCH,
    )  # fmt: skip
    funding = FundingSource.objects.bulk_create(
        (
            FundingSource(project=project, kind=SourceKind.CENTRAL, planned_wan=1000 + n % 9000, issued_wan=1000 + n % 9000)
            for n, project in enumerate(projects)
        ),
        batch_size=BATCH,
    )
    MonthlyPlan.objects.bulk_create(
        (
            MonthlyPlan(project=p, month=today.replace(day=1), planned_progress=_percent(today, *e))
            for p, e in zip(projects, ends, strict=True)
        ),
        batch_size=BATCH,
    )
    _dispatches(projects, ends, funding, weeks, today)
    trail.record(action="scale.load", subject=Region.current(), by=None, changes={"projects": [offset, offset + count]}, reason=NOTE)
    return projects


def _site(county: County, outline: BaseGeometry | None, dice: random.Random) -> tuple[float, float]:
    """Somewhere in the county, more often near its seat; a zone's within some kilometres of it."""
    seat = county.seat_lon or 0, county.seat_lat or 0
    for _ in range(20 if outline is not None else 0):
        x0, y0, x1, y1 = outline.bounds
        wide, high = (x1 - x0, y1 - y0)
        near = dice.random() < 0.4
        lon = dice.gauss(seat[0], wide / 7) if near else dice.uniform(x0, x1)
        lat = dice.gauss(seat[1], high / 7) if near else dice.uniform(y0, y1)
        if shapely.contains_xy(outline, lon, lat):
            return round(lon, 5), round(lat, 5)
    return round(seat[0] + dice.uniform(-0.03, 0.03), 5), round(seat[1] + dice.uniform(-0.03, 0.03), 5)


def _percent(day: dt.date, start_on: dt.date, finish_on: dt.date) -> Decimal:
    done = min(max((day - start_on).days, 0), (finish_on - start_on).days)
    return Decimal(100 * done // (finish_on - start_on).days)


def _dispatches(projects: list[Project], ends: list, funding: list[FundingSource], weeks: int, today: dt.date) -> None:
    """Accepted dispatches, all on plan, in batches that bound the memory."""
    values = policy.values_on(today)
    mondays = [monday(today) - dt.timedelta(weeks=n) for n in reversed(range(weeks))]
    triples = ((p, e, f, week_of) for p, e, f in zip(projects, ends, funding, strict=True) for week_of in mondays)
    while batch := list(itertools.islice(triples, BATCH)):
        rows = []
        for project, (start_on, finish_on), source, week_of in batch:
            cut_off_on = policy.cut_off_on(week_of, values)
            progress = _percent(cut_off_on, start_on, finish_on)
            money = source.planned_wan * progress / 100
            rows.append(
                Dispatch(
                    project=project, week_of=week_of, cut_off_on=cut_off_on, state=DispatchState.ACCEPTED, is_live=True,
                    physical_progress=progress, forecast_finish_on=finish_on, done=NOTE,
                    in_place_wan=money, allocated_wan=money, paid_wan=money, invested_wan=money,
                )
            )  # fmt: skip
        Dispatch.objects.bulk_create(rows, batch_size=BATCH)
        DispatchLine.objects.bulk_create(
            (
                DispatchLine(
                    dispatch=row,
                    source=source,
                    in_place_wan=row.in_place_wan,
                    allocated_wan=row.allocated_wan,
                    paid_wan=row.paid_wan,
                    completed_wan=row.invested_wan,
                )
                for row, (_, _, source, _) in zip(rows, batch, strict=True)
            ),
            batch_size=BATCH,
        )
