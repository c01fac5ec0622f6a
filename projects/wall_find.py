"""Finding a project or a section on the wall by number, code, name, county, pinyin or initials."""

import datetime as dt
from typing import NamedTuple

from django.db.models import Q

from linfen_water import clock
from linfen_water.pinyin import spelled
from monitoring.models import Section
from projects.enums import Stage
from projects.permissions import visible_projects

MOST_HITS = 12
MOST_SPELLED = 5_000  # longer lists are found by number, code and characters only: to spell them all takes too long


class Hit(NamedTuple):
    """Something found: `key` is a project's code or a section's number."""

    kind: str
    key: str
    number: int | None
    name: str
    county: str
    stage: Stage | None


def find(text: str, day: dt.date, user) -> list[Hit]:
    """What `text` may mean, best first, among what `user` may see on `day`."""
    wanted = "".join(text.lower().split())[:40]
    if not wanted:
        return []
    projects, sections = _projects(wanted, day, user), _sections(wanted, day)
    ranked = sorted(((_rank(wanted, hit), n, hit) for n, hit in enumerate([*projects, *sections])), key=lambda found: found[:2])
    return [hit for _, _, hit in ranked[:MOST_HITS]]


def _projects(wanted: str, day: dt.date, user) -> list[Hit]:
    listed = visible_projects(user, clock.today()).as_of(day).order_by("number", "code")
    written = Q(code__icontains=wanted) | Q(v__name__icontains=wanted) | Q(v__county__name__icontains=wanted)
    if wanted.isascii() and wanted.isdigit() and len(wanted) < 6:
        written |= Q(number=int(wanted))
    rows = listed
    if not wanted.isascii() or listed.count() > MOST_SPELLED:
        rows = listed.filter(written)[:200]
    hits = [Hit("project", *row[:-1], Stage(row[-1])) for row in rows.values_list("code", "number", "v__name", "v__county__name", "stage")]
    return [hit for hit in hits if _rank(wanted, hit) < len(RANKS)]


def _sections(wanted: str, day: dt.date) -> list[Hit]:
    rows = Section.objects.in_force(day).order_by("pk").values_list("pk", "name", "county__name")
    hits = [Hit("section", str(pk), None, name, county, None) for pk, name, county in rows]
    return [hit for hit in hits if _rank(wanted, hit) < len(RANKS)]


# From sure to possible; the first that holds is the hit's rank.
RANKS = (
    lambda wanted, hit: wanted == str(hit.number),
    lambda wanted, hit: hit.kind == "project" and wanted == hit.key.lower(),
    lambda wanted, hit: hit.name.startswith(wanted) or any(word.startswith(wanted) for word in spelled(hit.name).split()),
    lambda wanted, hit: wanted in hit.name or wanted in spelled(hit.name),
    lambda wanted, hit: hit.kind == "project" and wanted in hit.key.lower(),
    lambda wanted, hit: wanted in hit.county or any(word.startswith(wanted) for word in spelled(hit.county).split()),
)


def _rank(wanted: str, hit: Hit) -> int:
    return next((n for n, holds in enumerate(RANKS) if holds(wanted, hit)), len(RANKS))
