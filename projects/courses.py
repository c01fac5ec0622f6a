"""Reads the courses of projects for their forecasts, in a fixed number of queries, and keeps what the whole office has shown."""

import datetime as dt
from collections import defaultdict

from django.core.cache import cache
from django.db.models import FloatField, Q
from django.db.models.functions import Cast

from linfen_water import trail
from linfen_water.models import Region
from projects.enums import Provenance
from projects.forecast import Band, Course, Forecast, Trial, calibrate, forecast, trials
from projects.models import Dispatch, MonthlyPlan, Project, ProjectVersion

MOST_CALIBRATED = 400  # of a larger list as many projects, evenly taken, say how far off forecasts are
KEPT_SECONDS = 24 * 3600
PUBLIC = {Provenance.PUBLIC, Provenance.LIKELY}


def read_courses(projects, day: dt.date, *, since: dt.date | None = None) -> dict[int, Course]:
    """The courses of `projects` (a queryset) as of `day`, by key. Five queries; reports from `since` on only when it is given.

    `projects` must be few enough, or a subquery: it is repeated in each query.
    """
    is_demo = Region.current().is_demo
    dates = {pk: days for pk, *days in projects.order_by().values_list("pk", "started_on", "completed_on", "provenance")}
    own = Q(project__in=projects.order_by().values("pk"))
    baselines, plans, reports = defaultdict(list), defaultdict(dict), defaultdict(list)
    versions = ProjectVersion.objects.filter(own).order_by("effective_from")
    for pk, *one in versions.values_list("project_id", "effective_from", "baseline_start_on", "baseline_finish_on"):
        baselines[pk].append(tuple(one))
    for pk, month, percent in MonthlyPlan.objects.filter(own).order_by().values_list("project_id", "month", "planned_progress"):
        plans[pk][month] = percent
    said = Dispatch.objects.speaking(day).filter(own, physical_progress__isnull=False)
    if since:
        said = said.filter(cut_off_on__gte=since)
    said = said.annotate(percent=Cast("physical_progress", FloatField())).order_by("project", "week_of")
    for pk, on, percent in said.values_list("project_id", "cut_off_on", "percent"):
        reports[pk].append((min(on, day), percent))  # a report for the running week is known today already
    return {
        pk: Course(
            plans[pk], baselines[pk], reports[pk], _known(started_on, day), _known(completed_on, day), is_demo and provenance in PUBLIC
        )
        for pk, (started_on, completed_on, provenance) in dates.items()
        if pk in baselines
    }


def _known(on: dt.date | None, day: dt.date) -> dt.date | None:
    return on if on is not None and on <= day else None


def office_courses(day: dt.date) -> dict[int, Course]:
    """The courses of the office's started projects, an even choice of them where there are very many, whoever asks."""
    pks = list(Project.objects.filter(started_on__lte=day, listed_on__lte=day).order_by("code").values_list("pk", flat=True))
    step = -(-len(pks) // MOST_CALIBRATED) or 1
    return read_courses(Project.objects.filter(pk__in=pks[::step]), day)


def office_trials(day: dt.date) -> list[Trial]:
    """What would have been guessed of them every four weeks up to `day`."""
    courses = office_courses(day)
    return [trial for pk, course in courses.items() for trial in trials(pk, course, day)]


def office_calibration(day: dt.date) -> dict[int, Band]:
    """How far off forecasts have been, as of `day`: computed once per change of the facts."""
    key = f"calibration:{trail.state()}:{day}"
    found = cache.get(key)
    if found is None:
        found = calibrate(office_trials(day), day)
        cache.set(key, found, KEPT_SECONDS)
    return found


def forecasts(projects, day: dt.date) -> dict[int, Forecast]:
    """The likely finish of each of `projects` (a queryset) as of `day`, by key. The number of queries is fixed."""
    calibration = office_calibration(day)
    return {pk: forecast(day, course, calibration) for pk, course in read_courses(projects, day).items()}


def project_forecast(project: Project, day: dt.date) -> tuple[Forecast, Course]:
    """The likely finish of one project (with a version) as of `day`, and the course that it is told from."""
    course = read_courses(Project.objects.filter(pk=project.pk), day)[project.pk]
    return forecast(day, course, office_calibration(day)), course
