"""The data of the wall map as one document in columns: facts as of a day, and where everything stands on the three maps.

Weeks are integers from `week0` (the Monday of the earliest listing); null = not yet as of the day. Places are km of the
map (`projects/geo.py`), money is 亿元. Slider, counts, board and "this week" are derived from it in the browser.
"""

import contextlib
import dataclasses
import datetime as dt
import functools
import hashlib
import math
import pickle
import threading
import zlib
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import orjson
from django.conf import settings
from django.core.cache import cache, caches
from django.db.models import QuerySet

from linfen_water import clock, permissions, policy, trail
from linfen_water.dates import monday
from linfen_water.enums import CountyKind
from linfen_water.models import County, Domain
from monitoring import maps as water_maps
from monitoring.enums import Level
from monitoring.models import Section
from projects import charts, density, geo, placement, rules, wall_counts
from projects.enums import Provenance, Stage
from projects.facts import ProjectFacts, Totals, summed, totals
from projects.permissions import visible_projects
from projects.placement import Box, Name, Point, Want
from projects.regions import pack
from projects.wall_rows import WallRow, wall_rows

COLUMNS = (
    "code", "number", "name", "county", "domain", "x", "y", "listed_week", "delisted_week", "start_week", "finish_week",
    "planned_start_week", "planned_finish_week", "forecast_start_week", "forecast_finish_week", "started_on", "completed_on",
    "planned_finish_on", "progress", "lag", "risk", "investment", "provenance", "disc_x", "disc_y", "magnet_x", "magnet_y",
)  # fmt: skip
SCALES = (1.0, 0.86, 0.74, 0.63)  # of buttons, from the largest; below, their numbers could not be read
BAR = 1.25  # half the length of a bar of stages, in widths of a button
MOST_PLATED = 0.5  # of the panel by the plates of all counties
PLATE = (3.2, 1.5)  # a county's name with its figure and a bar of its stages, in widths of a button
CACHE_SECONDS = 24 * 3600
# A kept file that is broken is made anew.
UNREADABLE = (OSError, EOFError, ImportError, AttributeError, ValueError, pickle.UnpicklingError, zlib.error)
YI = Decimal(10_000)  # 万元 in one 亿元
_making = threading.Lock()
APPS = ("linfen_water", "monitoring", "projects", "ledgers")


@functools.cache
def code_version() -> str:
    """Changes with every release and every region pack that may draw or count differently, so that no old answer outlives it."""
    sources = [path for app in APPS for path in (settings.BASE_DIR / app).rglob("*.py")]
    data = [path for path in pack.folder_of(settings.REGION).glob("*") if path.is_file()]
    return hashlib.sha256(b"".join(path.read_bytes() for path in sorted(sources) + sorted(data))).hexdigest()[:12]


@functools.cache
def release() -> str:
    """Changes with every release, its scripts, style sheets and templates too: a page of another one is old."""
    drawn = [path for folder in ("static", "templates") for path in (settings.BASE_DIR / folder).rglob("*") if path.is_file()]
    return hashlib.sha256(b"".join([code_version().encode(), *(path.read_bytes() for path in sorted(drawn))])).hexdigest()[:12]


def version(user, day: dt.date) -> str:
    """What an answer for `user` and `day` depends on, as a short text: key of caches and ETags. One small query."""
    parts = [trail.state(), day, clock.today(), permissions.scope_key(user), release()]
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]


def answer(region, user, day: dt.date) -> bytes:
    """The document for `user` as of `day` as JSON, computed once per change and scope."""
    return _kept_answer(f"wall:{version(user, day)}", lambda: orjson.dumps(document(region, user, day)))


def document(region, user, day: dt.date) -> dict:
    """Everything the wall shows of the projects that `user` may see, as of `day`. The number of queries is fixed."""
    seen, counties, states = visible_projects(user, clock.today()), list(County.objects.all()), water_maps.section_states(day)
    scene = _Scene(day, seen, land_of(region), counties, states, policy.values_on(day))
    if scene.seen.as_of(day).count() <= charts.MOST_PROJECTS and (drawn := _with_buttons(scene)):
        return drawn
    return _with_counts(scene)


@dataclasses.dataclass(frozen=True)
class _Scene:
    """What a document is made of."""

    day: dt.date
    seen: QuerySet
    land: geo.Land
    counties: list[County]
    states: list[water_maps.SectionState]
    points: policy.Values

    def spells(self) -> wall_counts.Spells:
        return wall_counts.read_spells(self.day, self.seen)

    def week0(self, spells: wall_counts.Spells) -> dt.date:
        """The Monday of the earliest listing."""
        return monday(dt.date.fromordinal(int(spells.since.min(initial=self.day.toordinal()))))


def _with_buttons(scene: _Scene) -> dict | None:
    """The document with a button for each project; None when the map has no room for them."""
    now, former = wall_rows(scene.day, scene.seen, spells := scene.spells())
    if (plan := _fitted(scene, now + former)) is None:
        return None
    week0 = scene.week0(spells)
    columns = _columns(now + former, scene.points, week0, scene.land, plan)
    return {
        **_head(scene, week0, plan, last_week=_last_week([row.facts for row in now], scene.day, week0)),
        "is_dense": False,
        "domains": list(Domain.objects.values_list("name", flat=True)),
        "totals": _totals([row.facts for row in now]),
        "projects": {name: column[: len(now)] for name, column in columns.items()},
        "former": {name: column[len(now) :] for name, column in columns.items()},
    }


def _with_counts(scene: _Scene) -> dict:
    """The document of a list too long for buttons: counts per county and week, and which picture shows all sites."""
    spells = scene.spells()
    week0 = scene.week0(spells)
    weeks = wall_counts.on_slider(spells, scene.day, week0)
    domains = list(Domain.objects.values_list("pk", "name"))
    now = spells.chosen(spells.is_now)
    return {
        **_head(scene, week0, _plates(scene), last_week=weeks.length - 1),
        "is_dense": True,
        "domains": [name for _, name in domains],
        "totals": _totals_of(
            summed(scene.day, scene.seen.as_of(scene.day)), Decimal(str(now.investment_wan[now.completed < wall_counts.NEVER].sum()))
        ),
        "projects": {name: [] for name in COLUMNS},
        "former": {name: [] for name in COLUMNS},
        "counts": wall_counts.counts(spells, weeks, [c.pk for c in scene.counties], [pk for pk, _ in domains]),
        "density": density.digest(density.sites(now, scene.land)),
    }


def _head(scene: _Scene, week0: dt.date, plan: "_Plan", last_week: int) -> dict:
    """What is the same for few projects and for many."""
    land, points = scene.land, scene.points
    return {
        "as_of": scene.day,
        "release": release(),  # a page of another release reloads itself
        "lag_points": [points.behind_points, points.far_behind_points],
        "week0": week0,
        "week": _week(scene.day, week0),
        "last_week": last_week,
        "size": land.size,
        "scale": plan.scale,  # of buttons and names, against those of a map with room
        "counties": _counties(scene.counties, plan),
        "rivers": [{"name": r.name, "kind": r.kind, "place": plan.river_names.get(r.name)} for r in land.rivers],
        "sections": [_section(state, week0, land, plan) for state in scene.states],
        "water": _water(scene.states, scene.day),
    }


def county_counts(found: dict) -> dict[str, tuple[int, int]]:
    """By the names of the counties in a document: how many projects are finished, and how many there are."""
    names = found["counties"]["name"]
    if found["is_dense"]:
        until = found["week"] + 1
        sums = [[sum(changes[:until]) for changes in found["counts"][name]] for name in ("finished", "total")]
        return {name: (done, count) for name, done, count in zip(names, *sums, strict=True)}
    own: dict[str, list[bool]] = {name: [] for name in names}
    for county, completed_on in zip(found["projects"]["county"], found["projects"]["completed_on"], strict=True):
        own[county].append(completed_on is not None)
    return {name: (sum(done), len(done)) for name, done in own.items()}


def county_answer(region, user, day: dt.date, county: County) -> bytes:
    """The projects of one county as JSON, for a list too long for a button each; kept as `answer` is."""
    return _kept_answer(f"wall:{county.code}:{version(user, day)}", lambda: orjson.dumps(_county_document(region, user, day, county)))


def _county_document(region, user, day: dt.date, county: County) -> dict:
    """Columns as in `document`; of more than MOST_DRILLED every second, third … by number, and the county's money by week."""
    seen = visible_projects(user, clock.today())
    spells = wall_counts.read_spells(day, seen)
    week0 = monday(dt.date.fromordinal(int(spells.since.min(initial=day.toordinal()))))
    length = wall_counts.on_slider(spells, day, week0).length
    own = spells.chosen(spells.county == county.pk)
    weeks = dataclasses.replace(wall_counts.on_slider(own, day, week0), length=length)
    pks = dict.fromkeys(own.project[own.is_now].tolist())
    every = max(1, math.ceil(len(pks) / charts.MOST_DRILLED))
    now, _ = wall_rows(day, seen.filter(pk__in=list(pks)[::every]), own.chosen(own.is_now))
    plan = _Plan()
    plan.discs = plan.magnets = [(None, None)] * len(now)
    return {
        "as_of": day,
        "county": county.name,
        "count": len(pks),
        "every": every,
        "projects": _columns(now, policy.values_on(day), week0, land_of(region), plan),
        "counts": wall_counts.money(own, weeks),
    }


def density_picture(region, user, day: dt.date, theme: str) -> tuple[str, bytes]:
    """The picture of all sites on the list on `day`, in one theme, and the hash of the sites; kept as `answer` is."""

    def draw() -> tuple[str, bytes]:
        spells = wall_counts.read_spells(day, visible_projects(user, clock.today()))
        land = land_of(region)
        sites = density.sites(spells.chosen(spells.is_now), land)
        return density.digest(sites), density.picture(sites, land.size, theme)

    return _kept_answer(f"wall:{theme}:{version(user, day)}", draw)


def _kept_answer(key: str, make: Callable[[], Any]) -> Any:
    """What `make` gives, computed once per key and process: who asks meanwhile waits for it, which is sooner than a second time."""
    found = cache.get(key)
    if found is None:
        with _making:
            found = cache.get(key)
            if found is None:
                found = make()
                cache.set(key, found, CACHE_SECONDS)
    return found


def land_of(region) -> geo.Land:
    """The land under the maps; a pack without outlines is fitted around the seats and the sections."""
    if (land := geo.land_of(region)).outlines:
        return land
    seats = County.objects.filter(seat_lon__isnull=False, seat_lat__isnull=False).values_list("seat_lon", "seat_lat")
    return geo.land_of(region, [*seats, *Section.objects.values_list("lon", "lat")])


# ── Figures ─────────────────────────────────────────────────────────────────────────────────────────────────────────
def _totals(facts: list[ProjectFacts]) -> dict:
    return _totals_of(totals(facts), totals(f for f in facts if f.stage == Stage.FINISHED).total_investment_wan)


def _totals_of(everything: Totals, finished_investment_wan: Decimal) -> dict:
    """Made by `facts` alone, so that wall, ledger and bulletin agree."""
    return {
        **{name: getattr(everything, name) for name in ("count", "not_started", "under_construction", "finished", "started")},
        **{name: _number(getattr(everything, name)) for name in ("start_rate", "finish_rate", "invested_rate")},
        "total_investment": _yi(everything.total_investment_wan),
        "invested": _yi(everything.invested_wan),
        "finished_investment": _yi(finished_investment_wan),
    }


def _yi(wan: Decimal) -> float:
    return float((wan / YI).quantize(Decimal("0.01"), ROUND_HALF_UP))


def _number(value: Decimal | None) -> float | None:
    return None if value is None else float(value)


def _water(states, day: dt.date) -> dict:
    share = water_maps.national_share(states)
    month = water_maps.national_month(states)
    return {
        "good": share.good,
        "evaluated": share.evaluated,
        "national": sum(s.is_national for s in states),
        "month": f"{month:%Y-%m}" if month else None,
        "years": [{"year": year, "good": s.good, "evaluated": s.evaluated} for year, s in water_maps.yearly_shares(day).items()],
    }


# ── Columns ─────────────────────────────────────────────────────────────────────────────────────────────────────────
def _week(day: dt.date | None, week0: dt.date) -> int | None:
    return None if day is None else (monday(day) - week0).days // 7


def _last_week(facts: list[ProjectFacts], day: dt.date, week0: dt.date) -> int:
    """The week in which everything should be finished: the end of the slider."""
    ends = [f.forecast_finish_on or f.baseline_finish_on for f in facts]
    return max([_week(day, week0), *(_week(end, week0) for end in ends)])


def _columns(rows: list[WallRow], points: policy.Values, week0: dt.date, land: geo.Land, plan: "_Plan") -> dict:
    facts = [row.facts for row in rows]

    def column(name: str) -> list:
        return [getattr(f, name) for f in facts]

    def weeks(name: str) -> list:
        return [_week(getattr(f, name), week0) for f in facts]

    sites = [land.place(f.lon, f.lat) for f in facts]
    values = (
        *(column(name) for name in ("code", "number", "name", "county", "domain")),
        [site and site[0] for site in sites],
        [site and site[1] for site in sites],
        [_week(row.since, week0) for row in rows],
        [_week(row.until, week0) for row in rows],
        *(weeks(f"{name}_on") for name in ("started", "completed")),
        *(weeks(f"{name}_on") for name in ("baseline_start", "baseline_finish", "forecast_start", "forecast_finish")),
        column("started_on"),
        column("completed_on"),
        [f.forecast_finish_on or f.baseline_finish_on for f in facts],
        [_number(f.physical_progress) for f in facts],
        [None if f.lag is None else round(float(f.lag), 1) for f in facts],
        [rules.risk(f.stage, f.lag, points.behind_points, points.far_behind_points) for f in facts],
        [float(f.total_investment_wan / YI) for f in facts],
        [Provenance(f.provenance).label for f in facts],
        *([place[axis] for place in places] for places in (plan.discs, plan.magnets) for axis in (0, 1)),
    )
    return dict(zip(COLUMNS, values, strict=True))


def _counties(counties: list[County], plan: "_Plan") -> dict:
    return {
        "code": [c.code for c in counties],
        "name": [c.name for c in counties],
        "short": [c.short for c in counties],
        "is_zone": [c.kind == CountyKind.ZONE for c in counties],
        "anchor": [plan.anchors[c.code] for c in counties],
        "title_1": [plan.county_names_1.get(c.code) for c in counties],
        "title_2": [plan.blocks[c.code].title for c in counties],
        "bar_2": [_bar(plan.blocks[c.code], charts.MAGNET_PITCH * plan.km) for c in counties],
        "leader_2": [plan.blocks[c.code].leader for c in counties],
        "title_3": [plan.county_names_3.get(c.code) for c in counties],
    }


def _bar(block: placement.Block, pitch: float) -> tuple[float, float, float]:
    """Left end, right end and height of a county's bar of stages, under its name."""
    return tuple(round(v, 2) for v in (block.box.x - BAR * pitch, block.box.x + BAR * pitch, block.box.y - 0.4 * pitch))


def _section(state: water_maps.SectionState, week0: dt.date, land: geo.Land, plan: "_Plan") -> dict:
    x, y = land.place(state.lon, state.lat)
    return {
        "id": state.pk,
        "name": state.name,
        "river": state.river,
        "county": state.county,
        "level": state.level,
        "level_name": Level(state.level).label,
        "x": x,
        "y": y,
        "place": plan.sections[state.pk],
        "title": plan.section_names.get(state.pk),
        "class": state.water_class,
        "month": f"{state.month:%Y-%m}" if state.month else None,
        "target": state.target,
        "history": [[_week(published, week0), f"{month:%Y-%m}", cls] for published, month, cls in state.history],
    }


# ── Where everything stands ─────────────────────────────────────────────────────────────────────────────────────────
class _Plan:
    """Places on the three maps, in km, for the sizes that `charts` draws (pixels of the reference panel)."""

    scale: float
    km: float  # in a pixel of the reference panel, at this scale
    anchors: dict[str, Point]
    discs: list[Point]  # one a row
    magnets: list[Point]
    blocks: dict[str, placement.Block]
    sections: dict[int, Point]
    county_names_1: dict[str, Point]
    county_names_3: dict[str, Point]
    section_names: dict[int, Point]
    river_names: dict[str, Point]


def _fitted(scene: _Scene, rows: list[WallRow]) -> _Plan | None:
    """Every button in its place, in the largest size that has room for all; None when none has."""
    for scale in SCALES:
        pitch = charts.MAGNET_PITCH * scale / charts.pixels_per_km(scene.land.size)
        if len(rows) * pitch**2 > charts.MOST_COVERED * scene.land.size[0] * scene.land.size[1]:
            continue  # spares trying
        plan = _plan(scene, scale)
        _place_magnets(plan, scene, rows, pitch)
        if not any(block.is_below for block in plan.blocks.values()) or (scale == SCALES[0] and not scene.land.outlines):
            _place_discs(plan, scene, rows)
            return plan
    return None


def _plates(scene: _Scene) -> _Plan:
    """A plate for each county instead of buttons, in the largest size that has room for all."""
    room = MOST_PLATED * scene.land.size[0] * scene.land.size[1]
    for scale in SCALES:
        pitch = charts.MAGNET_PITCH * scale / charts.pixels_per_km(scene.land.size)
        if len(scene.counties) * PLATE[0] * PLATE[1] * pitch**2 > room and scale != SCALES[-1]:
            continue
        plan = _plan(scene, scale)
        wants = tuple(Want(c.code, 0, plan.anchors[c.code], scene.land.outlines.get(c.code), PLATE) for c in scene.counties)
        plan.blocks = _blocks(wants, pitch, scene.land.size)
        if not any(block.is_below for block in plan.blocks.values()):
            break
    plan.county_names_1 = {code: block.title for code, block in plan.blocks.items()}
    return plan


def _plan(scene: _Scene, scale: float) -> _Plan:
    plan, land = _Plan(), scene.land
    plan.scale = scale
    plan.km = scale / charts.pixels_per_km(land.size)
    middle = (land.size[0] / 2, land.size[1] / 2)
    plan.anchors = {c.code: land.label_places.get(c.code) or land.place(c.seat_lon, c.seat_lat) or middle for c in scene.counties}
    _place_sections(plan, land, scene.states, scene.counties)
    return plan


def _place_discs(plan: _Plan, scene: _Scene, rows: list[WallRow]) -> None:
    """Map 1: discs next to their true sites (a project without one near its county's name), names where room is left."""
    sites = [scene.land.place(r.facts.lon, r.facts.lat) or plan.anchors[r.facts.county_code] for r in rows]
    radius = charts.DISC_SPACING * plan.km / 2
    plan.discs = _declutter(tuple(sites), (radius,) * len(sites))
    obstacles = tuple(Box(*place, 2 * radius, 2 * radius) for place in plan.discs)
    plan.county_names_1 = _write(_county_wants(plan, scene.land, scene.counties), obstacles, scene.land.size)


def _place_magnets(plan: _Plan, scene: _Scene, rows: list[WallRow], pitch: float) -> None:
    """Map 2: rows of magnets per county, by number; those that left the list keep the last places for the weeks before."""
    of_county: dict[str, list[int]] = {c.code: [] for c in scene.counties}
    for index, row in enumerate(rows):
        of_county[row.facts.county_code].append(index)
    outlines = scene.land.outlines
    wants = tuple(Want(c.code, len(of_county[c.code]), plan.anchors[c.code], outlines.get(c.code)) for c in scene.counties)
    plan.blocks = _blocks(wants, pitch, scene.land.size)
    places = {i: slot for code, own in of_county.items() for i, slot in zip(own, plan.blocks[code].slots, strict=True)}
    plan.magnets = [places[index] for index in range(len(rows))]


def _place_sections(plan: _Plan, land: geo.Land, states, counties: list[County]) -> None:
    """Map 3: sections at their sites, then their names, those of rivers, and those of counties where room is left."""
    km = plan.km
    radii = tuple((charts.NATIONAL_SPACING if s.is_national else charts.SECTION_SPACING) * km / 2 for s in states)
    places = _declutter(tuple(land.place(s.lon, s.lat) for s in states), radii)
    plan.sections = {s.pk: place for s, place in zip(states, places, strict=True)}
    obstacles = tuple(Box(*place, 2 * r, 2 * r) for place, r in zip(places, radii, strict=True))
    wants = [_section_want(s, place, radius, km) for s, place, radius in zip(states, places, radii, strict=True) if s.is_national]
    wants += [_river_want(river, km) for river in land.rivers]
    written = _write(tuple(wants) + _county_wants(plan, land, counties), obstacles, land.size)
    plan.section_names = {s.pk: written[f"section:{s.pk}"] for s in states if s.is_national}
    plan.river_names = {r.name: written[f"river:{r.name}"] for r in land.rivers}
    plan.county_names_3 = {c.code: written[c.code] for c in counties if c.code in written}


def _section_want(state, place: Point, radius: float, km: float) -> Name:
    width, height = _written(state.name, charts.SECTION_NAME, km)
    aside, above = radius + width / 2 + km, radius + height / 2 - km
    x, y = place
    beside = [(x + aside, y), (x - aside, y), (x, y - above), (x, y + above)]
    corners = [(x + sx * aside * 0.85, y + sy * above * 0.7) for sx in (1, -1) for sy in (1, -1)]
    return Name(f"section:{state.pk}", width, height, tuple(beside + corners))


def _river_want(river: geo.River, km: float) -> Name:
    width, height = _written(river.name, charts.RIVER_NAME, km)
    return Name(f"river:{river.name}", width, height, tuple(placement.places_along(river.line, width / 2 + 5 * km, 6 * km)))


def _county_wants(plan: _Plan, land: geo.Land, counties: list[County]) -> tuple[Name, ...]:
    """Names of the counties that have an outline; a zone's is written where the projects are (map 2)."""
    return tuple(
        Name(c.code, *_written(c.short, charts.COUNTY_NAME, plan.km), _county_places(land, c.code, plan.anchors[c.code], 10 * plan.km))
        for c in counties
        if c.code in land.outlines
    )


def _written(text: str, pixels: float, km: float) -> Point:
    """Width and height of Chinese `text` at a font size, with a little air."""
    return (len(text) + 0.3) * pixels * km, 1.25 * pixels * km


def _kept(work):
    """Placing is pure and takes seconds: a result is kept in memory, and in DATA_DIR for the processes to come."""

    @functools.lru_cache(maxsize=256)
    @functools.wraps(work)
    def place(*args):
        given = orjson.dumps([work.__name__, code_version(), args], default=lambda outline: outline.wkb_hex)
        key = hashlib.sha256(given).hexdigest()
        found = None
        with contextlib.suppress(*UNREADABLE):
            found = caches["places"].get(key)
        if found is None:
            found = work(*args)
            with contextlib.suppress(OSError):  # a full disk costs time, not the wall
                caches["places"].set(key, found)
        return found

    return place


@_kept
def _declutter(sites: tuple[Point, ...], radii: tuple[float, ...]) -> list[Point]:
    return placement.declutter(sites, radii)


@_kept
def _blocks(wants: tuple[Want, ...], pitch: float, size: Point) -> dict[str, placement.Block]:
    return placement.blocks(wants, pitch, size)


@_kept
def _write(wants: tuple[Name, ...], obstacles: tuple[Box, ...], size: Point) -> dict[str, Point]:
    return placement.names(wants, obstacles, size)


@functools.lru_cache(maxsize=256)
def _county_places(land: geo.Land, code: str, anchor: Point, step: float) -> tuple[Point, ...]:
    """Inside the county, else beyond the border beside it, where nobody else's name can be meant."""
    outline = land.outlines[code]
    beside = outline.buffer(3 * step).difference(land.whole.buffer(step))
    inside = placement.places_within(outline, anchor, step)
    return (*inside, *placement.places_within(beside, anchor, step)[1:])
