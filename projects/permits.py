"""Permits as pages read them: what is missing as of a day, what it waits for, who may write which field. A fixed number of queries."""

import dataclasses
import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from django.core.cache import cache
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from linfen_water import trail
from linfen_water.models import User
from linfen_water.workdays import workdays_between
from projects import permissions, permit_rules, permit_services
from projects.enums import PermitKind, PermitState, Stage
from projects.models import Permit
from projects.permit_rules import Lead, Learned, Paper, Plan, Step


@dataclasses.dataclass(slots=True)
class Line:
    """One permit of a project as of a day. `form` is there when the person may write some of it."""

    permit: Permit
    paper: Paper  # as known by the day
    state: PermitState
    owner: "ProjectPermits"
    step: Step | None  # None: not required
    overdue_workdays: int
    validity: str
    held: frozenset[str] = frozenset()
    form: Any = None
    conflict: list | None = None  # (field label, name, theirs, mine) where two people wrote
    notice: str = ""
    is_saved: bool = False

    @property
    def label(self) -> str:
        return PermitKind(self.permit.kind).label

    @property
    def is_late(self) -> bool:
        """Under way past the promise."""
        return self.state == PermitState.IN_PROGRESS and self.overdue_workdays > 0

    @property
    def brief(self) -> str:
        return permit_rules.brief(self.step, self.owner.plan) if self.step else ""

    @property
    def waits_for(self) -> list[str]:
        """What must be there before it can be handed in, and is not."""
        if self.step is None or self.step.state != PermitState.NOT_SUBMITTED:
            return []
        missing = {step.kind for step in self.owner.plan.missing}
        return [PermitKind(kind).label for kind in self.step.waits_for if kind in missing]


@dataclasses.dataclass(slots=True)
class ProjectPermits:
    """All permits of a project as of a day, with their schedule."""

    pk: int
    code: str
    name: str
    county: str
    stage: Stage
    baseline_start_on: dt.date
    baseline_finish_on: dt.date
    plan: Plan
    ladder: str
    lines: list[Line] = dataclasses.field(default_factory=list)

    @property
    def missing(self) -> list[Line]:
        return [line for line in self.lines if line.step is not None and line.step.is_missing]

    @property
    def obtained_count(self) -> int:
        return sum(line.state == PermitState.OBTAINED for line in self.lines)

    @property
    def required_count(self) -> int:
        return sum(line.step is not None for line in self.lines)

    @property
    def groups(self) -> dict[str, list[Line]]:
        """The parallel groups by name."""
        found: dict[str, list[Line]] = defaultdict(list)
        for line in self.lines:
            if line.step is not None and line.paper.parallel_group:
                found[line.paper.parallel_group].append(line)
        return dict(found)

    @property
    def unlisted(self) -> list[PermitKind]:
        """Kinds of the dictionary that are not on the project's list."""
        listed = {line.permit.kind for line in self.lines}
        return [kind for kind in PermitKind if kind not in listed]


def learned(day: dt.date) -> dict[tuple[str, Any], Learned]:
    """Lead times by (kind, key of the authority) from what was obtained by `day`; kept until the facts change."""
    return cache.get_or_set(f"permit-times:{day}:{trail.state()}", lambda: _learn(day))


def _learn(day: dt.date) -> dict[tuple[str, Any], Learned]:
    rows = Permit.objects.filter(is_required=True, submitted_on__isnull=False, obtained_on__lte=day, authority__isnull=False)
    dates = rows.order_by().values_list("kind", "authority", "submitted_on", "obtained_on")
    return permit_rules.learn((kind, authority, workdays_between(first, last)) for kind, authority, first, last in dates.iterator())


def leads_of(permits: Iterable[Permit], times: Mapping[tuple[str, Any], Learned]) -> dict[PermitKind, Lead]:
    """How long each of a project's papers takes."""
    return {PermitKind(p.kind): permit_rules.lead(times.get((p.kind, p.authority_id)), p.promised_workdays) for p in permits}


def read(day: dt.date, scope: QuerySet, *, user: User | None = None) -> list[ProjectPermits]:
    """The projects of `scope` that are on the list on `day`, in its order, each with all its permits. Five queries at most.

    With `user`, each line tells which fields that person may write.
    """
    rows = list(
        scope.as_of(day).values("pk", "code", "stage", "v__name", "v__county__short", "v__baseline_start_on", "v__baseline_finish_on")
    )
    keys = [row["pk"] for row in rows]
    found: dict[int, list[Permit]] = defaultdict(list)
    for permit in Permit.objects.filter(project__in=keys).select_related("authority"):
        found[permit.project_id].append(permit)
    own = set(permissions.dispatched_projects(user).filter(pk__in=keys).values_list("pk", flat=True)) if user else set()
    times = learned(day)
    return [_project(row, found[row["pk"]], times, day, user, row["pk"] in own) for row in rows]


def _project(row: dict, permits: list[Permit], times: Mapping, day: dt.date, user: User | None, is_own: bool) -> ProjectPermits:
    places = {kind: place for place, kind in enumerate(PermitKind)}
    permits.sort(key=lambda permit: places[PermitKind(permit.kind)])
    papers = [permit_services.paper_of(permit) for permit in permits]
    stage = Stage(row["stage"])
    baseline = {"baseline_start_on": row["v__baseline_start_on"], "baseline_finish_on": row["v__baseline_finish_on"]}
    plan = permit_rules.plan(papers, leads_of(permits, times), day=day, stage=stage, **baseline)
    steps = {step.kind: step for step in plan.steps}
    known = {paper.kind: paper.known_by(day) for paper in papers}
    project = ProjectPermits(
        pk=row["pk"],
        code=row["code"],
        name=row["v__name"],
        county=row["v__county__short"],
        stage=stage,
        plan=plan,
        ladder=permit_rules.ladder_step(known, stage, day),
        **baseline,
    )
    for permit in permits:
        paper = known[PermitKind(permit.kind)]
        project.lines.append(
            Line(
                permit=permit,
                paper=paper,
                state=paper.state(day),
                owner=project,
                step=steps.get(PermitKind(permit.kind)),
                overdue_workdays=paper.overdue_workdays(day),
                validity=paper.validity(day),
                held=permissions.permit_fields(user, permit, is_own_project=is_own) if user else frozenset(),
            )
        )
    return project


# ── What is missing ─────────────────────────────────────────────────────────────────────────────────────────────────


def missing_on(day: dt.date) -> Q:
    """Required and not there yet on `day`."""
    return Q(is_required=True) & (Q(obtained_on__isnull=True) | Q(obtained_on__gt=day))


def lacking(scope: QuerySet, day: dt.date, **of_permit) -> QuerySet:
    """Projects of `scope` that lack a permit on `day`: those not started first, by their baseline start."""
    permits = Permit.objects.filter(missing_on(day), project=OuterRef("pk"), **of_permit)
    return scope.as_of(day).filter(Exists(permits)).order_by("stage", "v__baseline_start_on", "code")


@dataclasses.dataclass(slots=True)
class Desk:
    """What lies with one approving authority."""

    key: int | None
    name: str
    in_progress: int = 0
    late: int = 0
    not_submitted: int = 0
    blocking: int = 0  # papers of projects that have not started
    longest_late: int = 0
    projects: set[int] = dataclasses.field(default_factory=set)


def desks(day: dt.date, scope: QuerySet) -> list[Desk]:
    """The authorities with missing permits in `scope`; what is overdue longest first. Two queries."""
    stages = dict(scope.as_of(day).values_list("pk", "stage"))
    rows = Permit.objects.filter(missing_on(day), project__in=scope.as_of(day).order_by().values("pk")).select_related("authority")
    found: dict[int | None, Desk] = {}
    for permit in rows:
        desk = found.setdefault(permit.authority_id, Desk(permit.authority_id, str(permit.authority or "受理机关未登记")))
        paper = permit_services.paper_of(permit).known_by(day)
        late = paper.overdue_workdays(day)
        is_submitted = paper.state(day) == PermitState.IN_PROGRESS
        desk.in_progress += is_submitted
        desk.not_submitted += not is_submitted
        desk.late += is_submitted and late > 0
        desk.longest_late = max(desk.longest_late, late)
        desk.blocking += stages[permit.project_id] == Stage.NOT_STARTED
        desk.projects.add(permit.project_id)
    return sorted(found.values(), key=lambda desk: (-desk.late, -desk.blocking, -len(desk.projects), desk.name))


@dataclasses.dataclass(frozen=True, slots=True)
class Time:
    """A row of the table of lead times."""

    kind: str
    authority: str
    learned: Learned

    @property
    def is_enough(self) -> bool:
        return self.learned.n >= permit_rules.LEAST_SAMPLES


def times(day: dt.date, units: Mapping[int, str]) -> list[Time]:
    """Lead times that the schedules reckon with, in the order of the dictionary, the most frequent authority first."""
    places = {kind.value: place for place, kind in enumerate(PermitKind)}
    found = sorted(learned(day).items(), key=lambda item: (places[item[0][0]], -item[1].n, item[0][1]))
    return [Time(PermitKind(kind).label, units.get(authority, ""), known) for (kind, authority), known in found]


def waiting(day: dt.date, scope: QuerySet, **of_permit) -> QuerySet:
    """Missing permits of the projects in `scope`: handed in longest ago first, then those not handed in."""
    rows = Permit.objects.filter(missing_on(day), project__in=scope.as_of(day).order_by().values("pk"), **of_permit)
    return rows.order_by(F("submitted_on").asc(nulls_last=True), "project__code", "pk")


def lines_of(day: dt.date, permits: Iterable[Permit], scope: QuerySet, *, user: User) -> list[Line]:
    """The lines of `permits`, in their order."""
    permits = list(permits)
    projects = read(day, scope.filter(pk__in={permit.project_id for permit in permits}), user=user)
    lines = {line.permit.pk: line for project in projects for line in project.lines}
    return [lines[permit.pk] for permit in permits if permit.pk in lines]
