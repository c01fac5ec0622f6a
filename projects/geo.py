"""The land of a region on a flat map: outlines and rivers of its pack in kilometres, and the one base drawing of the wall.

WGS84 degrees come in, kilometres of the pack's projection go out, measured from the map's lower left corner (x east, y north).
"""

import dataclasses
import functools
from collections.abc import Iterable, Iterator
from pathlib import Path

import orjson
import shapely
from django.conf import settings
from pyproj import Transformer
from shapely.affinity import translate
from shapely.geometry import MultiPolygon, shape
from shapely.geometry.base import BaseGeometry

from linfen_water import palette
from projects.charts import REFERENCE_PANEL, pixels_per_km
from projects.regions import pack

Point = tuple[float, float]
WEB_MERCATOR = "EPSG:3857"  # for a pack that names no projection
BANK_KM = 6.0  # rivers are shown so far beyond the outline: the trunk river runs along the border
MARGIN_KM = 3.0
SMALLEST_KM = 20.0
PROPORTION = REFERENCE_PANEL[0] / REFERENCE_PANEL[1]
DETAIL_KM = 0.25  # half a pixel of a wall screen


@dataclasses.dataclass(frozen=True)
class River:
    name: str
    kind: str  # trunk, main or river: how it is drawn
    line: BaseGeometry


@dataclasses.dataclass(frozen=True, eq=False)
class Land:
    """Everything that lies still on the three maps, in km of the map."""

    crs: str
    origin: tuple[float, float]  # km of the lower left corner in the projection
    size: tuple[float, float]  # km
    outlines: dict[str, MultiPolygon]  # by county code
    label_places: dict[str, tuple[float, float]]
    rivers: tuple[River, ...]

    @functools.cached_property
    def whole(self) -> BaseGeometry:
        return shapely.union_all(list(self.outlines.values()))

    def place(self, lon: float | None, lat: float | None) -> tuple[float, float] | None:
        """Where a WGS84 point lies on the map; None when it has no coordinates."""
        if lon is None or lat is None:
            return None
        x, y = self.places(lon, lat)
        return round(x, 2), round(y, 2)

    def places(self, lon, lat) -> tuple:
        """x and y of WGS84 coordinates: two numbers, or two arrays."""
        east, north = transformer(self.crs).transform(lon, lat)
        return east / 1000 - self.origin[0], north / 1000 - self.origin[1]


def folder_of(region) -> Path | None:
    """The folder of the pack that `region` (a Region row) was loaded from; None when it is not on this machine."""
    for folder in (pack.PACKS / region.slug, pack.folder_of(settings.REGION)):
        head = folder / "region.json"
        if region.slug and head.is_file() and orjson.loads(head.read_bytes()).get("slug") == region.slug:
            return folder
    return None


def outlines_of(region) -> dict[str, BaseGeometry]:
    """The outlines of the region's counties in WGS84 degrees, by their codes, ready to be asked what lies in them."""
    found = {_code(feature): shape(feature["geometry"]) for feature in _features(folder_of(region), "counties.geojson")}
    shapely.prepare(list(found.values()))
    return found


def land_of(region, points: Iterable[Point] = ()) -> Land:
    """The land of `region`; without outlines the map is fitted around `points` (WGS84)."""
    wall = region.settings.get("wall", {})
    rivers = tuple(wall.get("trunk_rivers", [])), tuple(wall.get("main_rivers", []))
    land = load(folder_of(region), wall.get("crs", WEB_MERCATOR), *rivers)
    return land if land.outlines else load(None, land.crs, *rivers, tuple(points))


@functools.lru_cache(maxsize=4)
def load(
    folder: Path | None,
    crs: str,
    trunk_rivers: tuple[str, ...] = (),
    main_rivers: tuple[str, ...] = (),
    points: tuple[Point, ...] = (),
) -> Land:
    """Read a pack's `counties.geojson` and `rivers.geojson` (either may be missing) and fit the map around them."""
    to_km = _km(crs)
    counties = _features(folder, "counties.geojson")
    outlines = {_code(f): _multi(to_km(shape(f["geometry"]))) for f in counties}
    kinds = dict.fromkeys(main_rivers, "main") | dict.fromkeys(trunk_rivers, "trunk")
    rivers = [(f["properties"]["name"], to_km(shape(f["geometry"]))) for f in _features(folder, "rivers.geojson")]
    near = shapely.union_all(list(outlines.values())).buffer(BANK_KM) if outlines else None
    shown = [(name, line.intersection(near) if near else line) for name, line in rivers]
    shown = [(name, line) for name, line in shown if not line.is_empty]
    seats = [to_km(shapely.Point(point)) for point in points]
    x0, y0, x1, y1 = _bounds([*outlines.values(), *(line for _, line in shown), *seats])

    def shifted(geometry):
        return translate(geometry, -x0, -y0)

    outlines = {code: shifted(outline) for code, outline in outlines.items()}
    return Land(
        crs=crs,
        origin=(x0, y0),
        size=(round(x1 - x0, 2), round(y1 - y0, 2)),
        outlines=outlines,
        label_places={_code(f): _label_place(f, outlines[_code(f)], to_km, (x0, y0)) for f in counties},
        rivers=tuple(River(name, kinds.get(name, "river"), shifted(line)) for name, line in shown),
    )


@functools.lru_cache(maxsize=4)
def outlines_document(land: Land) -> bytes:
    """Rings of every county in km, simplified: for the highlight of a county and for finding the one under a finger."""
    return orjson.dumps(
        {
            code: [
                [round(v, 1) for point in polygon.exterior.coords for v in point]
                for polygon in _multi(outline.simplify(2 * DETAIL_KM)).geoms
            ]
            for code, outline in land.outlines.items()
        }
    )


# The still ground, from below: fill and line as names of tokens.css, and the line's width in pixels of the wall.
GROUND = {
    "halo": (None, "map-halo", 11.0),
    "land": ("map-land", None, 0.0),
    "border": (None, "map-border", 0.9),
    "river": (None, "river", 1.5),
    "outline": (None, "map-outline", 1.5),
    "main": (None, "river-main", 3.4),
    "trunk": (None, "river-trunk", 5.0),
}


@functools.lru_cache(maxsize=4)
def ground(land: Land) -> str:
    """The still ground of the three maps as SVG paths in km, for the page itself: wall.css gives colours and widths of lines."""
    return "".join(f'<path class="ground-{kind}" d="{data}"/>' for kind, data in _layers(land))


@functools.lru_cache(maxsize=8)
def base_svg(land: Land, theme: str) -> bytes:
    """The same as one SVG with its colours, for papers."""
    colour = palette.colours(theme)
    width, height = land.size
    unit = 1 / pixels_per_km(land.size)  # one pixel of the wall
    parts = []
    for kind, data in _layers(land):
        fill, line, pixels = GROUND[kind]
        style = f'fill="{colour[fill] if fill else "none"}"'
        if line:
            style += f' stroke="{colour[line]}" stroke-width="{round(pixels * unit, 2)}" stroke-linejoin="round" stroke-linecap="round"'
        parts.append(f'<path d="{data}" {style}/>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{round(width * 10)}"'
        f' height="{round(height * 10)}" preserveAspectRatio="none">{"".join(parts)}</svg>'
    ).encode()


def _layers(land: Land) -> Iterator[tuple[str, str]]:
    """Kind (of GROUND) and path data of what there is, from below."""
    drawn: dict[str, list[BaseGeometry]] = {kind: [_simple(r.line) for r in land.rivers if r.kind == kind] for kind in GROUND}
    if land.outlines:
        whole = _simple(land.whole)
        borders = shapely.line_merge(shapely.union_all([_simple(o).boundary for o in land.outlines.values()]))
        drawn |= {"halo": [whole], "land": [whole], "border": [borders], "outline": [whole]}
    for kind, geometries in drawn.items():
        if geometries:
            yield kind, "".join(_path(geometry, land.size[1]) for geometry in geometries)


@functools.cache
def transformer(crs: str) -> Transformer:
    """WGS84 to `crs` in metres. Setting one up takes longer than a page's queries, so it is kept."""
    return Transformer.from_crs("EPSG:4326", crs, always_xy=True)


def _km(crs: str):
    """A function that turns WGS84 geometries into km of the projection."""

    def projected(lon, lat):
        east, north = transformer(crs).transform(lon, lat)
        return east / 1000, north / 1000

    return lambda geometry: shapely.transform(geometry, projected, interleaved=False)


def _features(folder: Path | None, name: str) -> list[dict]:
    path = folder / name if folder else None
    return orjson.loads(path.read_bytes())["features"] if path and path.is_file() else []


def _code(feature: dict) -> str:
    return str(feature["properties"]["adcode"])


def _multi(geometry: BaseGeometry) -> MultiPolygon:
    """Only the areas of `geometry`, as a valid MultiPolygon."""
    valid = shapely.make_valid(geometry)
    return MultiPolygon([part for part in shapely.get_parts(valid) if part.geom_type == "Polygon"])


def _bounds(geometries: list[BaseGeometry]) -> tuple[float, float, float, float]:
    """What the map shows: everything with a margin, in the proportions of the panel.

    So a region of any shape fills the panel that it is drawn in, and what has no place inside can stand beside it.
    """
    x0, y0, x1, y1 = (float(v) for v in shapely.total_bounds(geometries)) if geometries else (0.0, 0.0, 0.0, 0.0)
    wide, high = (max(span + 2 * MARGIN_KM, SMALLEST_KM) for span in (x1 - x0, y1 - y0))
    wide, high = max(wide, high * PROPORTION), max(high, wide / PROPORTION)
    x, y = (x0 + x1) / 2, (y0 + y1) / 2
    return x - wide / 2, y - high / 2, x + wide / 2, y + high / 2


def _label_place(feature: dict, outline: MultiPolygon, to_km, origin: tuple[float, float]) -> tuple[float, float]:
    """Where the county's name is best written: what the pack says, else the middle of its largest circle."""
    if label := feature["properties"].get("label"):
        place = to_km(shapely.Point(label))
        return round(place.x - origin[0], 2), round(place.y - origin[1], 2)
    middle = shapely.maximum_inscribed_circle(max(outline.geoms, key=lambda part: part.area)).coords[0]
    return round(middle[0], 2), round(middle[1], 2)


def _simple(geometry: BaseGeometry) -> BaseGeometry:
    return geometry.simplify(DETAIL_KM)


def _path(geometry: BaseGeometry, height: float) -> str:
    """SVG path data of lines and areas, y downwards, to 0.1 km (a third of a pixel of the wall)."""
    data = []
    for part in shapely.get_parts(geometry):
        rings = [part.exterior, *part.interiors] if part.geom_type == "Polygon" else [part]
        for ring in rings:
            points = [(round(x, 1), round(height - y, 1)) for x, y in ring.coords]
            data.append("M" + "L".join(f"{x:g} {y:g}" for x, y in points) + ("Z" if part.geom_type == "Polygon" else ""))
    return "".join(data)
