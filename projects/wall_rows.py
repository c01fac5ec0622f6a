"""The rows of the wall: who is on the list as of a day, and who was on it before, so that a past week is shown as it was."""

import dataclasses
import datetime as dt

from projects import rules
from projects.facts import ZERO, ProjectFacts, project_facts
from projects.models import Project, ProjectVersion
from projects.wall_counts import NEVER, Spells


@dataclasses.dataclass(frozen=True)
class WallRow:
    """A project while it stood on the list with one county."""

    facts: ProjectFacts
    since: dt.date
    until: dt.date | None  # exclusive; None = on the list as of the day


def wall_rows(day: dt.date, projects, spells: Spells) -> tuple[list[WallRow], list[WallRow]]:
    """Rows of today's list, by number, and the earlier rows of those that were delisted or moved to another county."""
    stretches = _stretches(spells)
    current = {pk: since for pk, _, since, until in stretches if until is None}
    facts = project_facts(day, projects)
    now = [WallRow(f, current[f.pk], None) for f in facts]
    earlier = [(pk, county, since, until) for pk, county, since, until in stretches if until is not None]
    found = _earlier_facts(day, earlier)
    return now, [WallRow(f, since, until) for f, (_, _, since, until) in zip(found, earlier, strict=True)]


def _stretches(spells: Spells) -> list[tuple[int, int, dt.date, dt.date | None]]:
    """Spells as (project, county, since, until), joined where only something else than the county changed."""
    joined: list[list[int]] = []
    for pk, county, since, until in zip(*(c.tolist() for c in (spells.project, spells.county, spells.since, spells.until)), strict=True):
        if joined and joined[-1][:2] == [pk, county] and joined[-1][3] == since:
            joined[-1][3] = until
        else:
            joined.append([pk, county, since, until])
    day = dt.date.fromordinal
    return [(pk, county, day(since), None if until == NEVER else day(until)) for pk, county, since, until in joined]


def _earlier_facts(day: dt.date, stretches: list[tuple]) -> list[ProjectFacts]:
    """What the wall shows of projects on a past list: their dates and, in its words of that time, who they were. Two queries."""
    pks = {pk for pk, *_ in stretches}
    names = ("code", "number", "lon", "lat", "started_on", "completed_on", "provenance", "domain__name")
    projects = {row["pk"]: row for row in Project.objects.filter(pk__in=pks).order_by().values("pk", *names)}
    versions = ProjectVersion.objects.filter(project__in=pks).select_related("county").order_by("effective_from")
    then = {(v.project_id, v.county_id): v for v in versions}
    return [_earlier(day, projects[pk], then[pk, county]) for pk, county, *_ in stretches]


def _earlier(day: dt.date, row: dict, version: ProjectVersion) -> ProjectFacts:
    started_on, completed_on = (d if d and d <= day else None for d in (row["started_on"], row["completed_on"]))
    return ProjectFacts(
        **{name: row[name] for name in ("pk", "code", "number", "lon", "lat", "provenance")},
        domain=row["domain__name"], name=version.name, county=version.county.name, county_code=version.county.code,
        started_on=started_on, completed_on=completed_on, stage=rules.stage(day, started_on, completed_on),
        baseline_start_on=version.baseline_start_on, baseline_finish_on=version.baseline_finish_on,
        forecast_start_on=None, forecast_finish_on=None, total_investment_wan=version.total_investment_wan,
        physical_progress=None, planned_progress=ZERO, lag=None,
        in_place_wan=None, allocated_wan=None, paid_wan=None, invested_wan=None, week_of=None,
    )  # fmt: skip
