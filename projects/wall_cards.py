"""What a card on the wall tells of a project or a section, as of a day: read when it is opened, a fixed number of queries."""

import dataclasses
import datetime as dt

from django.db.models import Q

from linfen_water import clock, policy
from linfen_water.models import Region
from monitoring import limits, reports
from monitoring.enums import PeriodKind, WaterClass
from monitoring.models import Assessment, Section, SectionTarget
from projects import rules, works_water
from projects.dossier import Dossier, PermitRow, read_dossier
from projects.enums import PermitState, Risk, Stage, StageEvent
from projects.models import Photo, Problem, Project, StageFact
from projects.works_water import SectionWorks, Work

MONTHS = 13  # this month and the same one a year earlier
MOST_WORKS = 8
NEXT_EVENT = {Stage.NOT_STARTED: StageEvent.START, Stage.UNDER_CONSTRUCTION: StageEvent.COMPLETION}


@dataclasses.dataclass(frozen=True, slots=True)
class ProjectCard:
    """A project on the wall."""

    dossier: Dossier
    risk: Risk
    photo: Photo | None

    @property
    def missing(self) -> list[PermitRow]:
        """Papers that are needed and not obtained yet."""
        return [row for row in self.dossier.required_permits if row.state != PermitState.OBTAINED]

    @property
    def problems(self) -> list[Problem]:
        return [problem for problem in self.dossier.problems if problem.closed_on is None]

    @property
    def next_event(self) -> StageEvent | None:
        """What the next turn of its button would say; None when it is blue."""
        return NEXT_EVENT.get(self.dossier.stage)

    @property
    def last_turn(self) -> StageFact | None:
        """The fact that gave the button its present colour: what an undo withdraws."""
        event = {Stage.UNDER_CONSTRUCTION: StageEvent.START, Stage.FINISHED: StageEvent.COMPLETION}.get(self.dossier.stage)
        return next((fact for fact in self.dossier.stage_facts if fact.event == event and fact.withdrawn_at is None), None)


def project_card(project: Project, day: dt.date) -> ProjectCard | None:
    """The card of `project` (domain selected); None when nothing is in force by `day`."""
    dossier = read_dossier(project, day, is_now=False)
    if dossier is None:
        return None
    points = policy.values_on(day)
    return ProjectCard(
        dossier=dossier,
        risk=rules.risk(dossier.stage, dossier.lag, points.behind_points, points.far_behind_points),
        photo=_photo(project, day),
    )


def _photo(project: Project, day: dt.date) -> Photo | None:
    """The newest photo that was taken, or where that is not known sent for a week, by `day`."""
    end = dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), clock.now().tzinfo)
    by_then = Q(taken_at__lt=end) | Q(taken_at=None, week_of__lte=day)
    if day == clock.today():  # the time of sending is real, the day may be the demo's
        by_then |= Q(taken_at=None, week_of=None)
    return project.photos.filter(by_then, withdrawn_at=None).order_by("-taken_at", "-pk").first()


# ── A section ────────────────────────────────────────────────────────────────────────────────────────────────────────
@dataclasses.dataclass(frozen=True, slots=True)
class MonthClass:
    """One month of the strip; no class says why."""

    month: dt.date
    water_class: WaterClass | None
    note: str


@dataclasses.dataclass(frozen=True, slots=True)
class SectionCard:
    """A section on the wall."""

    section: Section
    now: MonthClass | None
    target: WaterClass | None
    pollutants: tuple[reports.Pollutant, ...]
    strip: tuple[MonthClass, ...]
    works: SectionWorks

    @property
    def meets_target(self) -> bool | None:
        return None if not (self.now and self.now.water_class and self.target) else self.now.water_class <= self.target

    @property
    def related(self) -> tuple[Work, ...]:
        return self.works.works[:MOST_WORKS]

    @property
    def more(self) -> int:
        return len(self.works.works) - len(self.related)

    @property
    def stages(self) -> list[tuple[Stage, int]]:
        return [(stage, sum(work.stage == stage for work in self.works.works)) for stage in Stage]


def section_card(section: Section, day: dt.date, user, region: Region) -> SectionCard:
    """The card of `section` (river, county and successor selected) with the works that `user` may see."""
    found = works_water.section_works(section, day, user, region)
    months = {month.month: month for month in found.months}
    now = found.months[-1] if found.months else None
    target = (
        SectionTarget.objects.filter(section=section, year=(now.month if now else day).year).values_list("water_class", flat=True).first()
    )
    return SectionCard(
        section=section,
        now=MonthClass(now.month, now.water_class, now.note) if now else None,
        target=WaterClass(target) if target else None,
        pollutants=_pollutants(found.table, section, day, now.month) if now else (),
        strip=tuple(_strip(months, now.month)) if now else (),
        works=found,
    )


def _strip(months: dict, last: dt.date):
    first = last.year * 12 + last.month - MONTHS
    for n in range(first, first + MONTHS):
        month = dt.date(n // 12, n % 12 + 1, 1)
        found = months.get(month)
        yield MonthClass(month, found and found.water_class, found.note if found else "未监测")


def _pollutants(table: limits.Limits, section: Section, day: dt.date, month: dt.date) -> tuple[reports.Pollutant, ...]:
    """Against Ⅲ, of the month that the class speaks of."""
    row = Assessment.objects.standing(day).get(section=section, period_kind=PeriodKind.MONTH, starts_on=month)
    return tuple(reports.pollutant(table, key, multiple) for key, multiple in row.main_pollutants)
