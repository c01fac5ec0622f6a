"""现场督导: visits as rows that are kept by hand, their findings, and who may see and write them."""

import datetime as dt
from collections.abc import Iterator

from django.db import transaction
from django.db.models import Q, QuerySet
from django.urls import reverse

from linfen_water import clock
from linfen_water.models import Unit, User
from linfen_water.permissions import is_county, is_department, is_office
from projects import problem_services, records
from projects.models import Project
from projects.permissions import visible_projects
from projects.problem_permissions import raisable_projects
from projects.rules import Fault
from projects.services import Faulty, Refused
from projects.site_models import Inspection, InspectionFinding

CHASED = ("answered_on", "answer", "closed_on", "closing_basis")


def _faults(values: dict) -> Iterator[Fault]:
    today, visited_on = clock.today(), values["visited_on"]
    if visited_on and visited_on > today:
        yield Fault("visited_on", f"督导日期 {visited_on} 晚于今天（{today}）：还没有去的请只填计划日期。")
    if not visited_on and (values["site_progress"] is not None or values["demands"]):
        yield Fault("visited_on", "已填现场进度或交办意见：请填督导日期。")
    if values["site_progress"] is not None and values["site_progress"] > 100:
        yield Fault("site_progress", "现场进度须在0到100之间。")
    if visited_on and values["due_on"] and values["due_on"] < visited_on:
        yield Fault("due_on", f"整改时限 {values['due_on']} 早于督导日期 {visited_on}。")


INSPECTION = records.Kind(
    name="inspection",
    model=Inspection,
    word="现场督导",
    fields=(
        "project", "planned_on", "visited_on", "leader_post", "units", "experts", "content", "site_progress", "demands", "due_on",
        *CHASED,
    ),
    known_from=lambda row: min(row.visited_on or row.planned_on, row.planned_on, clock.today()),
    later={"visited_on": ("site_progress", "demands", "due_on"), "answered_on": ("answer",), "closed_on": ("closing_basis",)},
    faults=_faults,
    county=lambda row: records.project_county(row.project),
    address=lambda row: reverse("inspection", args=[row.pk]),
    told=lambda row: _units_told(row),
    subject=lambda row: f"{row.project.code} {row}{'，' + row.demands if row.demands else ''}",
)  # fmt: skip
INSPECTION_TYPED = tuple(name for name in INSPECTION.fields if name not in CHASED)
FINDING = records.Kind(
    name="inspection_finding",
    model=InspectionFinding,
    word="督导发现",
    fields=("inspection", "category", "text", "problem"),
    known_from=lambda row: row.inspection.visited_on or row.inspection.planned_on,
    county=lambda row: records.project_county(row.inspection.project),
    address=lambda row: reverse("inspection", args=[row.inspection_id]),
)


def _units_told(row: Inspection) -> list[Unit]:
    """Whoever answers for the project, once the visit demands something."""
    if not row.demands:
        return []
    version = row.project.versions.select_related("responsible_unit").get(effective_to=None)
    return [version.responsible_unit]


def visible_inspections(user, today: dt.date) -> QuerySet:
    found = Inspection.objects.standing()
    return found if user is None else found.filter(project__in=visible_projects(user, today).values("pk"))


def on_day(inspections: QuerySet, day: dt.date) -> QuerySet:
    """Visits made or planned by `day`; today also those that are planned for later."""
    return inspections if day >= clock.today() else inspections.filter(Q(visited_on__lte=day) | Q(planned_on__lte=day))


def may_inspect(user) -> bool:
    return is_office(user) or is_department(user)


def inspected_projects(user, today: dt.date) -> QuerySet:
    """Projects that `user` may inspect: the office all, a department those of its domain."""
    if is_office(user):
        return Project.objects.all()
    return Project.objects.filter(domain=user.unit.domain_id) if is_department(user) else Project.objects.none()


def may_edit(user, row: Inspection) -> bool:
    """The office, and the department that entered the visit."""
    return is_office(user) or (is_department(user) and row.by_id is not None and row.by.unit_id == user.unit_id)


def may_put_right(user, row: Inspection) -> bool:
    """Answer for what was demanded: the unit responsible for the project, and the office for it."""
    if is_office(user):
        return bool(row.visited_on)
    return bool(row.visited_on) and is_county(user) and Project.objects.dispatched_by(user).filter(pk=row.project_id).exists()


def may_raise_of(user, row: Inspection, today: dt.date) -> bool:
    return may_edit(user, row) and raisable_projects(user, today).filter(pk=row.project_id).exists()


# ── findings ──


@transaction.atomic
def add_finding(*, inspection: Inspection, by: User, category: str, text: str) -> InspectionFinding:
    """Write down what was found on a visit."""
    inspection = records.locked(INSPECTION, inspection)
    if inspection.visited_on is None:
        raise Faulty([Fault("text", "还没有督导日期：请先在“修改”里填写督导日期，再登记发现的问题。")])
    if same := inspection.findings.filter(withdrawn_at=None, category=category, text=text.strip()).first():
        return same
    return records.add(FINDING, by=by, inspection=inspection, category=category, text=text, problem=None)


@transaction.atomic
def raise_finding(*, finding: InspectionFinding, by: User, handler: Unit | None = None, due_on: dt.date | None = None) -> InspectionFinding:
    """Raise what was found as a problem of the project: from then on it goes the way of problems."""
    finding = records.locked(FINDING, finding)
    if finding.problem_id:
        raise Refused(f"已转为问题 {finding.problem.code}，不必重复。")
    inspection = finding.inspection
    problem = problem_services.raise_problem(
        project=inspection.project,
        by=by,
        category=finding.category,
        description=finding.text,
        raised_on=inspection.visited_on,
        handler=handler,
        due_on=due_on or inspection.due_on,
    )
    if InspectionFinding.objects.filter(problem=problem).exists():
        raise Refused(f"同样的问题今天已转为 {problem.code}，不必重复。")
    return records.edit(FINDING, row=finding, by=by, version=finding.edit_version, action="raise", problem=problem)
