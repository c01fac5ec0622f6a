"""The data of the wall map as one document in columns: facts as of a day, and where everything stands on the three maps.

Weeks are integers from `week0` (the Monday of the earliest listing); null = not yet as of the day. Places are km of the
map (`projects/geo.py`), money is 亿元. Slider, counts, board and "this week" are derived from it in the browser.
"""

import contextlib
import datetime as dt
import functools
import hashlib
import pickle
import zlib
from decimal import ROUND_HALF_UP, Decimal

import orjson
from django.conf import settings
from django.core.cache import cache, caches

from linfen_water import clock, permissions, policy, trail
from linfen_water.dates import monday
from linfen_water.enums import CountyKind
from linfen_water.models import County, Domain
from monitoring import maps as water_maps
from monitoring.enums import Level
from monitoring.models import Section
from projects import charts, geo, placement, rules
from projects.enums import Provenance, Stage
from projects.facts import ProjectFacts, Totals, project_facts, totals
from projects.permissions import visible_projects
from projects.placement import Box, Name, Point, Want
from projects.regions import pack

CACHE_SECONDS = 24 * 3600
# A kept file that is broken is made anew.
UNREADABLE = (OSError, EOFError, ImportError, AttributeError, ValueError, pickle.UnpicklingError, zlib.error)
YI = Decimal(10_000)  # 万元 in one 亿元
APPS = ("linfen_water", "monitoring", "projects", "ledgers")


@functools.cache
def code_version() -> str:
    """Changes with every release and every region pack that may draw or count differently, so that no old answer outlives it."""
    sources = [path for app in APPS for path in (settings.BASE_DIR / app).rglob("*.py")]
    sources += [path for folder in ("static", "templates") for path in (settings.BASE_DIR / folder).rglob("*") if path.is_file()]
    data = [path for path in pack.folder_of(settings.REGION).glob("*") if path.is_file()]
    return hashlib.sha256(b"".join(path.read_bytes() for path in sorted(sources) + sorted(data))).hexdigest()[:12]


def version(user, day: dt.date) -> str:
    """What an answer for `user` and `day` depends on, as a short text: key of caches and ETags. One small query."""
    parts = [trail.state(), day, clock.today(), permissions.scope_key(user), code_version()]
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]


def answer(region, user, day: dt.date) -> bytes:
    """The document for `user` as of `day` as JSON, computed once per change and scope."""
    key = f"wall:{version(user, day)}"
    found = cache.get(key)
    if found is None:
        found = orjson.dumps(document(region, user, day))
        cache.set(key, found, CACHE_SECONDS)
    return found


def document(region, user, day: dt.date) -> dict:
    """Everything the wall shows of the projects that `user` may see, as of `day`. The number of queries is fixed."""
    seen = visible_projects(user, clock.today())
    facts = project_facts(day, seen)
    listed = dict(seen.as_of(day).values_list("pk", "listed_on"))
    week0 = monday(min(listed.values(), default=day))
    counties = list(County.objects.all())
    states = water_maps.section_states(day)
    land = land_of(region)
    is_dense = len(facts) > charts.MOST_BUTTONS
    points = policy.values_on(day)
    plan = _plan(land, counties, [] if is_dense else facts, states)
    return {
        "as_of": day,
        "release": code_version(),  # a page of another release reloads itself
        "week0": week0,
        "week": _week(day, week0),
        "last_week": _last_week(facts, day, week0),
        "size": land.size,
        "is_dense": is_dense,  # too many projects for a button each: counts per county stand in their stead
        "domains": list(Domain.objects.values_list("name", flat=True)),
        "lag_points": [points.behind_points, points.far_behind_points],
        "totals": _totals(facts),
        "counties": _counties(counties, plan),
        "projects": _projects(facts, listed, points, week0, land, plan),
        "rivers": [{"name": r.name, "kind": r.kind, "place": plan.river_names.get(r.name)} for r in land.rivers],
        "sections": [_section(state, week0, land, plan) for state in states],
        "water": _water(states, day),
    }


def land_of(region) -> geo.Land:
    """The land under the maps; a pack without outlines is fitted around the seats and the sections."""
    if (land := geo.land_of(region)).outlines:
        return land
    seats = County.objects.filter(seat_lon__isnull=False, seat_lat__isnull=False).values_list("seat_lon", "seat_lat")
    return geo.land_of(region, [*seats, *Section.objects.values_list("lon", "lat")])


# ── Figures ─────────────────────────────────────────────────────────────────────────────────────────────────────────
def _totals(facts: list[ProjectFacts]) -> dict:
    """Made by `facts.totals` alone, so that wall, ledger and bulletin agree."""
    everything = totals(facts)
    finished = totals(f for f in facts if f.stage == Stage.FINISHED)
    return {
        **{name: getattr(everything, name) for name in ("count", "not_started", "under_construction", "finished", "started")},
        **{name: _number(getattr(everything, name)) for name in ("start_rate", "finish_rate", "invested_rate")},
        "total_investment": _yi(everything, "total_investment_wan"),
        "invested": _yi(everything, "invested_wan"),
        "finished_investment": _yi(finished, "total_investment_wan"),
    }


def _yi(sums: Totals, name: str) -> float:
    return float((getattr(sums, name) / YI).quantize(Decimal("0.01"), ROUND_HALF_UP))


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


def _projects(facts: list[ProjectFacts], listed: dict, points: policy.Values, week0: dt.date, land: geo.Land, plan: "_Plan") -> dict:
    def column(name: str) -> list:
        return [getattr(f, name) for f in facts]

    def weeks(name: str) -> list:
        return [_week(getattr(f, name), week0) for f in facts]

    sites = [land.place(f.lon, f.lat) for f in facts]
    return {
        **{name: column(name) for name in ("code", "number", "name", "county", "domain")},
        "x": [site and site[0] for site in sites],
        "y": [site and site[1] for site in sites],
        "listed_week": [_week(listed[f.pk], week0) for f in facts],
        "start_week": weeks("started_on"),
        "finish_week": weeks("completed_on"),
        "planned_start_week": weeks("baseline_start_on"),
        "planned_finish_week": weeks("baseline_finish_on"),
        "forecast_start_week": weeks("forecast_start_on"),
        "forecast_finish_week": weeks("forecast_finish_on"),
        "started_on": column("started_on"),
        "completed_on": column("completed_on"),
        "planned_finish_on": [f.forecast_finish_on or f.baseline_finish_on for f in facts],
        "progress": [_number(f.physical_progress) for f in facts],
        "lag": [None if f.lag is None else round(float(f.lag), 1) for f in facts],
        "risk": [rules.risk(f.stage, f.lag, points.behind_points, points.far_behind_points) for f in facts],
        "investment": [float(f.total_investment_wan / YI) for f in facts],
        "provenance": [Provenance(f.provenance).label for f in facts],
        "disc_x": [plan.discs[f.pk][0] for f in facts if f.pk in plan.discs],
        "disc_y": [plan.discs[f.pk][1] for f in facts if f.pk in plan.discs],
        "magnet_x": [plan.magnets[f.pk][0] for f in facts if f.pk in plan.magnets],
        "magnet_y": [plan.magnets[f.pk][1] for f in facts if f.pk in plan.magnets],
    }


def _counties(counties: list[County], plan: "_Plan") -> dict:
    return {
        "code": [c.code for c in counties],
        "name": [c.name for c in counties],
        "short": [c.short for c in counties],
        "is_zone": [c.kind == CountyKind.ZONE for c in counties],
        "anchor": [plan.anchors[c.code] for c in counties],
        "title_1": [plan.county_names_1.get(c.code) for c in counties],
        "title_2": [plan.blocks[c.code].title for c in counties],
        "leader_2": [plan.blocks[c.code].leader for c in counties],
        "title_3": [plan.county_names_3.get(c.code) for c in counties],
    }


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

    anchors: dict[str, Point]
    discs: dict[int, Point]
    magnets: dict[int, Point]
    blocks: dict[str, placement.Block]
    sections: dict[int, Point]
    county_names_1: dict[str, Point]
    county_names_3: dict[str, Point]
    section_names: dict[int, Point]
    river_names: dict[str, Point]


def _plan(land: geo.Land, counties: list[County], facts: list[ProjectFacts], states) -> _Plan:
    plan = _Plan()
    km = 1 / charts.pixels_per_km(land.size)
    middle = (land.size[0] / 2, land.size[1] / 2)
    plan.anchors = {c.code: land.label_places.get(c.code) or land.place(c.seat_lon, c.seat_lat) or middle for c in counties}
    _place_discs(plan, land, facts, counties, km)
    _place_magnets(plan, land, facts, counties, km)
    _place_sections(plan, land, states, counties, km)
    return plan


def _place_discs(plan: _Plan, land: geo.Land, facts: list[ProjectFacts], counties: list[County], km: float) -> None:
    """Map 1: discs next to their true sites (a project without one near its county's name), names where room is left."""
    sites = [land.place(f.lon, f.lat) or plan.anchors[f.county_code] for f in facts]
    radius = charts.DISC_SPACING * km / 2
    places = _declutter(tuple(sites), (radius,) * len(sites))
    plan.discs = {f.pk: place for f, place in zip(facts, places, strict=True)}
    obstacles = tuple(Box(*place, 2 * radius, 2 * radius) for place in places)
    plan.county_names_1 = _write(_county_wants(plan, land, counties, km), obstacles, land.size)


def _place_magnets(plan: _Plan, land: geo.Land, facts: list[ProjectFacts], counties: list[County], km: float) -> None:
    """Map 2: rows of magnets per county, by number."""
    of_county: dict[str, list[int]] = {c.code: [] for c in counties}
    for fact in facts:
        of_county[fact.county_code].append(fact.pk)
    wants = tuple(Want(c.code, len(of_county[c.code]), plan.anchors[c.code], land.outlines.get(c.code)) for c in counties)
    plan.blocks = _blocks(wants, charts.MAGNET_PITCH * km, land.size)
    plan.magnets = {pk: slot for code, pks in of_county.items() for pk, slot in zip(pks, plan.blocks[code].slots, strict=True)}


def _place_sections(plan: _Plan, land: geo.Land, states, counties: list[County], km: float) -> None:
    """Map 3: sections at their sites, then their names, those of rivers, and those of counties where room is left."""
    radii = tuple((charts.NATIONAL_SPACING if s.is_national else charts.SECTION_SPACING) * km / 2 for s in states)
    places = _declutter(tuple(land.place(s.lon, s.lat) for s in states), radii)
    plan.sections = {s.pk: place for s, place in zip(states, places, strict=True)}
    obstacles = tuple(Box(*place, 2 * r, 2 * r) for place, r in zip(places, radii, strict=True))
    wants = [_section_want(s, place, radius, km) for s, place, radius in zip(states, places, radii, strict=True) if s.is_national]
    wants += [_river_want(river, km) for river in land.rivers]
    written = _write(tuple(wants) + _county_wants(plan, land, counties, km), obstacles, land.size)
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


def _county_wants(plan: _Plan, land: geo.Land, counties: list[County], km: float) -> tuple[Name, ...]:
    """Names of the counties that have an outline; a zone's is written where the projects are (map 2)."""
    return tuple(
        Name(c.code, *_written(c.short, charts.COUNTY_NAME, km), _county_places(land, c.code, plan.anchors[c.code], 10 * km))
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
