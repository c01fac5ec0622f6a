"""The land of a region on a flat map, for the Linfen pack and for an invented one of another shape."""

import math
from pathlib import Path
from xml.etree import ElementTree

import pytest
from django.conf import settings
from pyproj import Geod

from linfen_water import palette
from linfen_water.models import Region
from projects import geo
from projects.regions.pack import PACKS

TINY = Path(__file__).parents[1] / "regions" / "tiny"


@pytest.fixture(params=["linfen", "tiny"])
def land(request) -> geo.Land:
    if request.param == "linfen":
        return geo.load(PACKS / "linfen", "EPSG:4546", ("黄河",), ("汾河",))
    return geo.load(TINY, "EPSG:32650", (), ("清渠",))


def test_every_outline_and_label_lies_on_the_map(land):
    width, height = land.size
    for code, outline in land.outlines.items():
        x0, y0, x1, y1 = outline.bounds
        assert x0 >= 0
        assert y0 >= 0
        assert x1 <= width
        assert y1 <= height
        assert outline.contains(geo.shapely.Point(land.label_places[code]))


def test_distances_on_the_map_are_kilometres():
    land = geo.load(PACKS / "linfen", "EPSG:4546")
    here, there = (111.51672, 36.08048), (110.67737, 36.09952)  # the seats of Yaodu and Jixian
    metres = Geod(ellps="GRS80").line_length(*zip(here, there, strict=True))
    assert math.dist(land.place(*here), land.place(*there)) == pytest.approx(metres / 1000, rel=2e-3)


def test_a_point_without_coordinates_has_no_place(land):
    assert land.place(None, 36.0) is None
    assert land.place(111.0, None) is None


def test_rivers_are_drawn_by_their_kind():
    land = geo.load(PACKS / "linfen", "EPSG:4546", ("黄河",), ("汾河",))
    kinds = {river.name: river.kind for river in land.rivers}
    assert kinds["黄河"] == "trunk"
    assert kinds["汾河"] == "main"
    assert kinds["沁河"] == "river"


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_base_drawing_is_one_small_svg_in_the_theme_s_colours(land, theme):
    drawn = geo.base_svg(land, theme)
    root = ElementTree.fromstring(drawn)
    used = {path.get(name) for path in root for name in ("fill", "stroke")} - {None, "none"}
    assert root.get("viewBox") == f"0 0 {land.size[0]} {land.size[1]}"
    assert used <= set(palette.colours(theme).values())
    assert palette.colours(theme)["map-land"] in used
    assert len(drawn) < 40_000


def test_the_ground_in_the_page_leaves_colours_and_widths_to_the_style_sheet(land):
    sheet = (settings.BASE_DIR / "static/css/wall.css").read_text(encoding="utf-8")
    drawn = ElementTree.fromstring(f"<g>{geo.ground(land)}</g>")
    kinds = [path.get("class") for path in drawn]
    assert kinds[:2] == ["ground-halo", "ground-land"]
    assert all(set(path.keys()) == {"class", "d"} for path in drawn)
    assert all(f".{kind} {{" in sheet for kind in kinds)
    for kind, (fill, line, pixels) in geo.GROUND.items():  # papers and screens draw the same
        stroke = f"stroke: var(--{line}); stroke-width: calc({f'{pixels:g}'.removeprefix('0')} * var(--pixel)); }}"
        assert f".ground-{kind} {{ " + (f"fill: var(--{fill}); }}" if fill else stroke) in sheet


def test_two_themes_differ(land):
    assert geo.base_svg(land, "dark") != geo.base_svg(land, "light")


def test_a_map_without_a_pack_is_fitted_around_its_points():
    region = Region(slug="nowhere", settings={"wall": {"crs": "EPSG:4546"}})
    points = [(111.0, 36.0), (111.5, 36.4)]
    land = geo.land_of(region, points)
    for point in points:
        x, y = land.place(*point)
        assert 0 <= x <= land.size[0]
        assert 0 <= y <= land.size[1]


def test_a_map_of_nothing_still_has_a_size():
    width, height = geo.land_of(Region(slug="", settings={})).size
    assert (height, width) == (geo.SMALLEST_KM, pytest.approx(geo.SMALLEST_KM * geo.PROPORTION, abs=0.01))


def test_pack_of_a_region_is_found_by_its_own_name_only(settings):
    settings.REGION = str(TINY)
    assert geo.folder_of(Region(slug="tiny")) == TINY
    assert geo.folder_of(Region(slug="linfen")) == PACKS / "linfen"
    assert geo.folder_of(Region(slug="other")) is None
