"""Site supervision planned by risk, its route of a day, and what is written down at the site."""

import dataclasses
import datetime as dt
from collections import Counter
from collections.abc import Iterable
from decimal import Decimal

from django.db import transaction
from pyproj import Geod

from linfen_water import policy
from linfen_water.models import County, User
from linfen_water.permissions import is_county
from projects import inspections, records, visit_rules
from projects.enums import Stage
from projects.facts import silent_keys
from projects.inspections import INSPECTION, inspected_projects, visible_inspections
from projects.models import Problem, Project
from projects.permissions import visible_projects
from projects.problem_reports import LATE_RANK, problems_on
from projects.rules import Fault
from projects.said import with_said
from projects.services import Faulty
from projects.site_models import Inspection
from projects.visit_rules import Case, Risk

GROUND = Geod(ellps="WGS84")
MOST = 40  # sites of one plan


@dataclasses.dataclass(frozen=True, slots=True)
class Candidate:
    """A project as the plan looks at it."""

    pk: int
    code: str
    name: str
    county: str
    risk: Risk
    planned_on: dt.date | None  # a visit that is planned already


def candidates(user: User, day: dt.date) -> list[Candidate]:
    """Unfinished projects that `user` may inspect, the most points first. A fixed number of queries."""
    scope = visible_projects(user, day) if is_county(user) else Project.objects.all()
    scope = scope if not inspections.may_inspect(user) else inspected_projects(user, day)
    listed = scope.as_of(day).exclude(stage=Stage.FINISHED)
    values = policy.values_on(day)
    rows = list(listed.with_progress(day).order_by("code").values_list("pk", "code", "v__name", "v__county__short", "lag"))
    late = Counter(
        problems_on(day, Problem.objects.filter(project__in=listed.order_by().values("pk")))
        .filter(rank=LATE_RANK)
        .order_by()
        .values_list("project", flat=True)
    )
    silent = set(silent_keys(day, values.silent_weeks, listed))
    last, planned = _last_visits(day), _planned(day)
    found = []
    for pk, code, name, county, lag in rows:
        visited_on, gap = last.get(pk, (None, None))
        case = Case(None if lag is None else Decimal(str(lag)), late[pk], pk in silent, visited_on, gap)
        found.append(Candidate(pk, code, name, county, visit_rules.risk(case, day, values), planned.get(pk)))
    return sorted(found, key=lambda one: (-one.risk.points, one.code))


def _last_visits(day: dt.date) -> dict[int, tuple[dt.date, Decimal | None]]:
    """The last visit to each project, with what it saw against what was reported."""
    rows = Inspection.objects.standing().filter(visited_on__lte=day).order_by("visited_on", "pk")
    rows = with_said(rows, "visited_on", "physical_progress").values_list(
        "project", "visited_on", "site_progress", "said_physical_progress"
    )
    return {pk: (on, None if site is None or said is None else site - said) for pk, on, site, said in rows}


def _planned(day: dt.date) -> dict[int, dt.date]:
    rows = Inspection.objects.standing().filter(visited_on=None, planned_on__gte=day).order_by("-planned_on")
    return dict(rows.values_list("project", "planned_on"))


@transaction.atomic
def plan(*, by: User, chosen: Iterable[int], planned_on: dt.date, leader_post: str, today: dt.date) -> list[Inspection]:
    """Visits to the chosen projects on a day, each with what speaks for it; one that is planned for that day already is not doubled."""
    wanted = set(chosen)
    if not wanted:
        raise Faulty([Fault("planned_on", "请先勾选要去的项目。")])
    if len(wanted) > MOST:
        raise Faulty([Fault("planned_on", f"一次最多安排 {MOST} 个项目，现为 {len(wanted)} 个。")])
    if planned_on < today:
        raise Faulty([Fault("planned_on", f"督导日期 {planned_on} 已过：去过的请在“登记现场督导”里补记。")])
    there = set(Inspection.objects.standing().filter(planned_on=planned_on, project__in=wanted).values_list("project", flat=True))
    projects = Project.objects.in_bulk(wanted - there)
    risks = {one.pk: one.risk for one in candidates(by, today) if one.pk in wanted}
    return [
        records.add(
            INSPECTION, by=by, project=projects[pk], planned_on=planned_on, visited_on=None, leader_post=leader_post, units=[], experts="",
            content=f"按风险安排：{risks[pk].sentence}" if pk in risks and risks[pk].reasons else "", site_progress=None, demands="",
            due_on=None,
        )
        for pk in sorted(projects)
    ]  # fmt: skip


# ── the route of a day ──


@dataclasses.dataclass(frozen=True, slots=True)
class Stop:
    """One site of the tour, with the straight line to it from the one before, in km."""

    inspection: Inspection
    name: str
    county: str
    scale: str
    km: float | None


def route(user: User, day: dt.date, today: dt.date) -> list[Stop]:
    """The visits planned for `day`, in the order of a tour that begins at the first county's seat."""
    rows = visible_inspections(user, today).filter(planned_on=day).select_related("project").order_by("project__code", "pk")
    rows = list(rows)
    about = Project.objects.filter(pk__in=[row.project_id for row in rows]).as_of(today).order_by()
    names = {pk: (name, county) for pk, name, county in about.values_list("pk", "v__name", "v__county__short")}
    seat = County.objects.filter(seat_lon__isnull=False).values_list("seat_lon", "seat_lat").first()
    places = [_place(row.project) for row in rows]
    here, stops = seat, []
    for n in visit_rules.in_order(seat, places, _far):
        there = places[n]
        km = None if here is None or there is None else round(_far(here, there), 1)
        name, county = names.get(rows[n].project_id, ("", ""))
        stops.append(Stop(rows[n], name, county, rows[n].project.scale, km))
        here = there or here
    return stops


def _place(project: Project) -> tuple[float, float] | None:
    return None if project.lon is None or project.lat is None else (project.lon, project.lat)


def _far(a: tuple[float, float], b: tuple[float, float]) -> float:
    return GROUND.inv(*a, *b)[2] / 1000


# ── at the site ──


@transaction.atomic
def record_site(
    *,
    inspection: Inspection,
    by: User,
    version: int,
    visited_on: dt.date,
    site_progress: Decimal | None,
    demands: str,
    due_on: dt.date | None,
    category: str = "",
    finding: str = "",
    is_problem: bool = False,
) -> Inspection:
    """All that was typed at the site in one piece: the visit, and what was found on it, raised as a problem when that is wished."""
    typed = {"site_progress": site_progress, "demands": demands, "due_on": due_on, "visited_on": inspection.visited_on or visited_on}
    row = records.edit(INSPECTION, row=inspection, by=by, version=version, action="site", **typed)
    if demands and demands != inspection.demands:
        records.tell_units(INSPECTION, row, by, "site", f"现场督导交办：{INSPECTION.subject(row)}")
    if finding:
        found = inspections.add_finding(inspection=row, by=by, category=category, text=finding)
        if is_problem and found.problem_id is None:
            inspections.raise_finding(finding=found, by=by, due_on=due_on)
    return row
