"""Works and water, the queries: which projects are meant for a section, lie near it or upstream of it, as of a day.

Rivers are the pack's schematic lines and sites are approximate, so every kilometre along a river is.
"""

import dataclasses
import datetime as dt
import functools
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import numpy as np
import shapely
from pyproj import Geod

from linfen_water import clock
from monitoring import limits, rules
from monitoring.enums import Cause, PeriodKind, WaterClass
from monitoring.models import Assessment, River, Section
from monitoring.services import causes_of, months_of
from projects import geo, permissions, water_rules
from projects.enums import Provenance, Stage
from projects.models import Project
from projects.regions import pack
from projects.rules import stage
from projects.water_rules import Comparison, Dates, Place, Station, Way

RADII_KM = (5, 10, 20)  # 建议值: what counts as near, in a straight line
RADIUS_KM = 10
SHOWN_MONTHS = 60
_EARTH = Geod(ellps="WGS84")


# ── Meant for a section ──────────────────────────────────────────────────────────────────────────────────────────────
class ServingProject(NamedTuple):
    """A project that is meant for a section (服务断面), as of a day."""

    code: str
    name: str
    stage: Stage


def section_projects(day: dt.date, user, pks: Iterable[int]) -> dict[int, list[ServingProject]]:
    """The projects on the list on `day` that are meant for each section of `pks` and that `user` may read (None: all), by number.

    One query (and the policy's). A section that has none is not there.
    """
    visible = Project.objects.all() if user is None else permissions.visible_projects(user, clock.today())
    rows = visible.as_of(day).filter(sections__in=list(pks)).order_by("number", "code")
    found = defaultdict(list)
    for section, code, name, stage_then in rows.values_list("sections", "code", "v__name", "stage"):
        found[section].append(ServingProject(code, name, Stage(stage_then)))
    return dict(found)


# ── Places along the rivers ──────────────────────────────────────────────────────────────────────────────────────────
@dataclasses.dataclass(frozen=True)
class Waters:
    """The rivers of a region with their schematic lines, km of the pack's projection, from source to mouth."""

    rivers: tuple[water_rules.River, ...]
    folder: Path | None
    crs: str

    @property
    def is_drawn(self) -> bool:
        return bool(_lines(self.folder, self.crs))

    def places(self, points: Sequence[tuple[float, float]]) -> list[Place | None]:
        """Where WGS84 points lie along the rivers; kept for as long as the same points are asked for."""
        return _places(self.folder, self.crs, tuple(points))

    def place(self, lon: float, lat: float) -> Place | None:
        """Where one point lies; it takes no room from the many."""
        return _places.__wrapped__(self.folder, self.crs, ((lon, lat),))[0]


def waters_of(region) -> Waters:
    """One query; the lines are read from the pack once."""
    folder, crs = geo.folder_of(region), region.settings.get("wall", {}).get("crs", geo.WEB_MERCATOR)
    lines = _lines(folder, crs)
    rows = River.objects.values_list("name", "parent__name", "mouth_km")
    rivers = [water_rules.River(*row, lines[row[0]].length if row[0] in lines else None) for row in rows]
    return Waters(tuple(rivers), folder, crs)


@functools.lru_cache(maxsize=4)
def _lines(folder: Path | None, crs: str) -> Mapping[str, shapely.LineString]:
    """The pack's lines as its loader turns and measures them; none when the pack is not on this machine or faulty."""
    try:
        rivers = pack.read(folder).rivers if folder else []
    except pack.PackFaults:
        rivers = []
    return {river["name"]: shapely.transform(river["line"], _to_km(crs), interleaved=False) for river in rivers}


@functools.lru_cache(maxsize=8)
def _places(folder: Path | None, crs: str, points: tuple[tuple[float, float], ...]) -> list[Place | None]:
    if not points:
        return []
    x, y = _to_km(crs)(*np.array(points).T)
    return water_rules.places(_lines(folder, crs), np.column_stack([x, y]))


def _to_km(crs: str):
    transform = geo.transformer(crs).transform

    def projected(lon, lat):
        east, north = transform(lon, lat)
        return east / 1000, north / 1000

    return projected


# ── A section's works ────────────────────────────────────────────────────────────────────────────────────────────────
@dataclasses.dataclass(frozen=True, slots=True)
class Work:
    """A project as seen from a section, as of a day."""

    pk: int
    code: str
    number: int | None
    name: str
    county: str
    domain: str
    started_on: dt.date | None  # None when after the day
    completed_on: dt.date | None
    stage: Stage
    baseline_start_on: dt.date
    baseline_finish_on: dt.date
    provenance: Provenance
    location_quality: str
    is_meant: bool  # 服务断面 names this section
    is_near: bool
    distance_km: float | None  # straight line; None without coordinates
    place: Place | None  # None: by no river
    way: Way | None  # None: not upstream

    @property
    def dates(self) -> Dates:
        return Dates(self.code, self.started_on, self.completed_on)


@dataclasses.dataclass(frozen=True, slots=True)
class Month:
    """One month of the section as published by the day; `note` says why there is no class."""

    month: dt.date
    water_class: WaterClass | None
    values: dict[str, Decimal]
    deciding: tuple[str, ...]
    note: str


@dataclasses.dataclass(frozen=True)
class SectionWorks:
    """Everything that the works part of a section's page shows. `works`: upstream first, from near to far, then the others."""

    section: Section
    day: dt.date
    radius_km: int
    works: tuple[Work, ...]
    hidden: int  # works that belong here and that the person may not read
    is_placed: bool  # the section lies on a river with a line, so upstream can be told
    months: tuple[Month, ...]
    table: limits.Limits
    means: water_rules.Means  # of the months published by the day
    causes: Mapping[dt.date, str]  # {first day of month: 结冰 …}
    predecessors: tuple[str, ...]  # names of the sections that this one took the place of
    is_demo: bool

    def of(self, kind: str) -> tuple[Work, ...]:
        """The works of one kind: `meant`, `near` or `upstream`; all of them for any other word."""
        chosen = {"meant": lambda w: w.is_meant, "near": lambda w: w.is_near, "upstream": lambda w: w.way is not None}.get(kind)
        return tuple(filter(chosen, self.works)) if chosen else self.works

    @functools.cached_property
    def items(self) -> tuple[str, ...]:
        """Items with monthly values that the class stands on, in the order of the standard."""
        return tuple(key for key in self.table.order if any(key in month.values for month in self.months))

    @property
    def key_item(self) -> str | None:
        """The item that decided the class most often, the worse months first; None while nothing is published."""
        worse = Counter(key for month in self.months if (month.water_class or 0) > WaterClass.III for key in month.deciding)
        every = Counter(key for month in self.months for key in month.deciding)
        return max(self.items, key=lambda key: (worse[key], every[key]), default=None)

    def comparison(self, work: Work) -> Comparison:
        """The water before the work's start and after its finish."""
        if self._is_real(work):
            return REAL_WORK
        return self._compare(work.started_on, work.completed_on, [other for other in self.works if other.pk != work.pk])

    @functools.cached_property
    def together(self) -> "Together":
        """All finished works upstream as one: from the first start to the last finish."""
        upstream = self.of("upstream")
        finished = [work for work in upstream if work.stage == Stage.FINISHED and not self._is_real(work)]
        if not finished:
            return Together((), None, None, water_rules.refused("上游没有可作前后对比的已完工工程。"))
        first, last = min(work.started_on for work in finished), max(work.completed_on for work in finished)
        chosen = {work.pk for work in finished}
        comparison = self._compare(first, last, [other for other in self.works if other.pk not in chosen])
        return Together(tuple(finished), first, last, comparison)

    def _is_real(self, work: Work) -> bool:
        """A real project is not set against invented water."""
        return self.is_demo and work.provenance in (Provenance.PUBLIC, Provenance.LIKELY)

    def _compare(self, started_on: dt.date | None, completed_on: dt.date | None, others: list[Work]) -> Comparison:
        caveats = self._caveats(started_on, completed_on, others) if started_on and completed_on else []
        return water_rules.compare(
            started_on, completed_on, self.means, self.section.due_items, self.table, self.section.water_body, caveats
        )

    def _caveats(self, started_on: dt.date, completed_on: dt.date, others: list[Work]) -> list[str]:
        """What else happened from the first month looked at to the last."""
        first, last = water_rules.window(started_on, completed_on)
        last = min(last, self.day)
        compared = (*water_rules.months_before(started_on), *water_rules.months_after(completed_on))
        found = [
            water_rules.other_works(first, last, [other.dates for other in others]),
            f"另有{self.hidden}项工程不在您的查看范围，未计入。" if self.hidden else None,
            water_rules.not_sampled(compared, self.causes),
            *_replacements(self.section, self.predecessors, first, last),
        ]
        return [sentence for sentence in found if sentence]


@dataclasses.dataclass(frozen=True, slots=True)
class Together:
    """The finished works upstream of a section, compared as one."""

    works: tuple[Work, ...]
    started_on: dt.date | None
    completed_on: dt.date | None
    comparison: Comparison


REAL_WORK = water_rules.refused("公开报道的真实项目不与演示水质数据（虚构）作前后对比。")


def section_works(section: Section, day: dt.date, user, region, radius_km: int = RADIUS_KM) -> SectionWorks:
    """The works of `section` (river and successor selected) on the list on `day`, as `user` may see them. A fixed number of queries."""
    waters = waters_of(region)
    sites = _sites(section, day, waters, radius_km)
    rows = permissions.visible_projects(user, clock.today()).filter(pk__in=sites).as_of(day).order_by("code")
    works = [_work(row, sites[row["pk"]], day) for row in rows.values(*COLUMNS)]
    months = _months(section, day)
    table = limits.in_force_on(months[-1].month) if months else limits.table()
    return SectionWorks(
        section=section,
        day=day,
        radius_km=radius_km,
        works=tuple(sorted(works, key=_order)),
        hidden=len(sites) - len(works),
        is_placed=waters.is_drawn and section.order_along is not None,
        months=tuple(months),
        table=table,
        means=_means(section, months),
        causes=_causes(section, months, day),
        predecessors=tuple(section.replaces.order_by("pk").values_list("name", flat=True)),
        is_demo=region.is_demo,
    )


COLUMNS = (
    "pk", "code", "number", "v__name", "v__county__name", "domain__name", "started_on", "completed_on", "v__baseline_start_on",
    "v__baseline_finish_on", "provenance", "location_quality",
)  # fmt: skip


class _Site(NamedTuple):
    is_meant: bool
    is_near: bool
    distance_km: float | None
    place: Place | None
    way: Way | None


def _sites(section: Section, day: dt.date, waters: Waters, radius_km: int) -> dict[int, _Site]:
    """Every project on the list on `day` that belongs to the section in one of the three ways. Two queries."""
    meant = set(Project.sections.through.objects.filter(section=section).values_list("project_id", flat=True))
    found = list(Project.objects.as_of(day).order_by("pk").values_list("pk", "lon", "lat"))
    placed = [(pk, lon, lat) for pk, lon, lat in found if lon is not None and lat is not None]
    points = [(lon, lat) for _, lon, lat in placed]
    distances = dict(zip([pk for pk, *_ in placed], _distances(section, points), strict=True))
    places = dict(zip([pk for pk, *_ in placed], waters.places(points), strict=True))
    above = {}
    if section.order_along is not None:
        above = water_rules.reaches(waters.rivers, section.river.name, section.order_along)
    sites = {}
    for pk, _, _ in found:
        distance, place = distances.get(pk), places.get(pk)
        is_near, way = distance is not None and distance <= radius_km, water_rules.way_down(place, above)
        if pk in meant or is_near or way is not None:
            sites[pk] = _Site(pk in meant, is_near, None if distance is None else round(distance, 1), place, way)
    return sites


def _distances(section: Section, points: Sequence[tuple[float, float]]) -> list[float]:
    """Straight lines to the section, km."""
    if not points:
        return []
    lon, lat = np.array(points).T
    _, _, metres = _EARTH.inv(np.full(len(points), section.lon), np.full(len(points), section.lat), lon, lat)
    return (metres / 1000).tolist()


def _work(row: dict, site: _Site, day: dt.date) -> Work:
    started_on, completed_on = (on if on and on <= day else None for on in (row["started_on"], row["completed_on"]))
    return Work(
        pk=row["pk"],
        code=row["code"],
        number=row["number"],
        name=row["v__name"],
        county=row["v__county__name"],
        domain=row["domain__name"],
        started_on=started_on,
        completed_on=completed_on,
        stage=stage(day, started_on, completed_on),
        baseline_start_on=row["v__baseline_start_on"],
        baseline_finish_on=row["v__baseline_finish_on"],
        provenance=Provenance(row["provenance"]),
        location_quality=row["location_quality"],
        **site._asdict(),
    )


def _order(work: Work) -> tuple:
    """Upstream first, the nearest along the river first; then by straight line; what has no site last."""
    far = float("inf")
    along = work.way.km if work.way and work.way.km is not None else far
    return work.way is None, along, far if work.distance_km is None else work.distance_km, work.code


def _months(section: Section, day: dt.date) -> list[Month]:
    rows = Assessment.objects.standing(day).filter(section=section, period_kind=PeriodKind.MONTH).order_by("starts_on")
    return [
        Month(
            month=row.starts_on,
            water_class=WaterClass(row.water_class) if row.water_class else None,
            values={key: Decimal(value) for key, value in row.values.items()},
            deciding=tuple(row.deciding_items),
            note=row.note,
        )
        for row in rows
    ]


def _means(section: Section, months: Sequence[Month]) -> water_rules.Means:
    """Each published month's mean of each item, not rounded, half the detection limit where below it. One query."""
    if not months:
        return {}
    published = {month.month for month in months}
    found = months_of([section], months[0].month, water_rules.month_end(months[-1].month))[section.pk]
    return {
        month: {key: value for key, cell in items.items() if (value := rules.mean(key, [v for v in cell if v is not None])) is not None}
        for month, items in found.items()
        if month in published
    }


def _causes(section: Section, months: Sequence[Month], day: dt.date) -> dict[dt.date, str]:
    """Why months up to the last published one were not sampled, in words. One query."""
    if not months:
        return {}
    found = causes_of([section], months[0].month, months[-1].month)[section.pk]
    return {month: str(Cause(cause).label) for month, cause in found.items()}


def _replacements(section: Section, predecessors: Sequence[str], first: dt.date, last: dt.date) -> list[str]:
    """That the section itself came or went meanwhile, or may have: then both sides may not be the same place."""
    found = []
    old = f"，接替{'、'.join(predecessors)}" if predecessors else ""
    if section.in_force_from and first < section.in_force_from <= last:
        found.append(f"断面自{section.in_force_from}启用{old}。")
    elif old and not section.in_force_from:
        found.append(f"断面启用日不详{old}。")
    new = f"，由{section.replaced_by}接替" if section.replaced_by else ""
    if section.in_force_to and first < section.in_force_to <= last:
        found.append(f"断面于{section.in_force_to}停用{new}。")
    elif new and not section.in_force_to:
        found.append(f"断面停用日不详{new}。")
    return found


# ── A project's sections ─────────────────────────────────────────────────────────────────────────────────────────────
@dataclasses.dataclass(frozen=True, slots=True)
class Downstream:
    """Where a project lies along the rivers, and the first section that its water passes."""

    place: Place | None
    section: Section | None
    way: Way | None


def downstream(project: Project, day: dt.date, region) -> Downstream:
    """The nearest section in force on `day` below the project. Two queries."""
    waters = waters_of(region)
    place = None if project.lon is None or project.lat is None else waters.place(project.lon, project.lat)
    if place is None:
        return Downstream(None, None, None)
    sections = {s.pk: s for s in Section.objects.in_force(day).filter(order_along__isnull=False).select_related("river")}
    stations = [Station(s.pk, s.river.name, s.order_along) for s in sections.values()]
    found = water_rules.next_below(place, waters.rivers, stations)
    return Downstream(place, sections[found[0]], found[1]) if found else Downstream(place, None, None)
