"""Placement holds on any region: crowded or large counties, wide or tall, 5 to 120 of them, zones among them."""

import functools
import itertools
import math
from xml.etree import ElementTree

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from projects import charts, geo, placement
from projects.placement import Want
from projects.regions import pack
from tests.regions import grown

pytestmark = pytest.mark.once
SIZE = (200.0, 163.0)
MARGIN = 6.0


@functools.lru_cache(maxsize=64)
def counties(units: int, seed: int, aspect: float) -> tuple[shapely.Polygon, ...]:
    """The cells of an invented region, fitted into SIZE."""
    cells = grown.outlines(units, seed, aspect)
    x0, y0, x1, y1 = shapely.total_bounds(cells)
    scale = min((SIZE[0] - 2 * MARGIN) / (x1 - x0), (SIZE[1] - 2 * MARGIN) / (y1 - y0))
    shift = [(length - scale * (a + b)) / 2 for length, a, b in ((SIZE[0], x0, x1), (SIZE[1], y0, y1))]
    return tuple(shapely.transform(cell, lambda xy: xy * scale + shift) for cell in cells)


@st.composite
def regions(draw, most: int = 20) -> tuple[list[Want], float]:
    """Wants of a region with up to `most` counties, and the pitch of their buttons."""
    cells = counties(draw(st.integers(5, most)), draw(st.integers(0, 3)), draw(st.sampled_from([0.4, 1.2, 3.0])))
    numbers = draw(st.lists(st.integers(0, 9), min_size=len(cells), max_size=len(cells)))
    anchors = [shapely.maximum_inscribed_circle(cell).coords[0] for cell in cells]
    wants = [Want(f"c{n:03}", number, anchor, cell) for n, (number, anchor, cell) in enumerate(zip(numbers, anchors, cells, strict=True))]
    if draw(st.booleans()):
        wants.append(Want("zone", draw(st.integers(0, 3)), anchors[0]))
    return wants, draw(st.sampled_from([4.0, 8.0]))


def are_apart(places: list[tuple[float, float]], distance: float) -> bool:
    """Whether each place is within `distance` of itself alone."""
    points = shapely.points(np.array(places, dtype=float).reshape(-1, 2)).astype(object)
    return len(shapely.STRtree(points).query(points, predicate="dwithin", distance=distance)[0]) == len(places)


def check(wants: list[Want], blocks: dict[str, placement.Block], pitch: float) -> None:
    slots = [slot for block in blocks.values() for slot in block.slots]
    assert len(slots) == sum(want.count for want in wants)
    for a, b in itertools.combinations(blocks.values(), 2):
        assert a.box.overlap(b.box) == 0
    assert are_apart(slots, pitch - 0.02)
    for want in wants:
        block = blocks[want.key]
        if block.leader:
            assert block.leader == (want.anchor, block.box.nearest(want.anchor))
            assert math.dist(*block.leader) > 0
        elif want.outline is not None:
            assert all(want.outline.buffer(0.01).contains(shapely.Point(slot)) for slot in block.slots)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(regions())
def test_on_any_region_no_two_buttons_overlap_and_each_is_in_its_county_or_led_to_it(region):
    wants, pitch = region
    blocks = placement.blocks(wants, pitch, SIZE)
    check(wants, blocks, pitch)


@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(regions(most=14))
def test_on_any_region_the_same_wants_get_the_same_places(region):
    wants, pitch = region
    assert placement.blocks(wants, pitch, SIZE) == placement.blocks(wants[::-1], pitch, SIZE)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.floats(0, 60), st.floats(0, 60)), max_size=120), st.sampled_from([0.5, 2.0]))
def test_discs_of_any_sites_do_not_overlap(sites, radius):
    places = placement.declutter(sites, [radius] * len(sites))
    assert len(places) == len(sites)
    assert are_apart(places, 2 * radius - 0.01)
    assert places == placement.declutter(sites, [radius] * len(sites))


def test_120_counties_find_room_for_a_plate_each():
    wants = [
        Want(f"c{n:03}", 0, shapely.maximum_inscribed_circle(cell).coords[0], cell, (3.2, 1.5))
        for n, cell in enumerate(counties(120, 1, 1.2))
    ]
    pitch = charts.MAGNET_PITCH * 0.63 * SIZE[1] / charts.REFERENCE_PANEL[1]
    blocks = placement.blocks(wants, pitch, SIZE)
    check(wants, blocks, pitch)
    assert not any(block.is_below for block in blocks.values())


@pytest.mark.parametrize(("units", "aspect"), [(5, 3.0), (17, 0.4), (120, 1.2)])
def test_a_grown_pack_has_no_fault_and_its_map_fills_the_panel(tmp_path, units, aspect):
    folder = grown.write(tmp_path / "pack", units, aspect=aspect)
    found = pack.read(folder)  # raises with every fault
    assert len(found.counties) == units
    land = geo.load(folder, found.settings["wall"]["crs"], ("大江",), ("清水",))
    width, height = land.size
    assert width / height == pytest.approx(charts.REFERENCE_PANEL[0] / charts.REFERENCE_PANEL[1], abs=0.001)
    x0, y0, x1, y1 = shapely.total_bounds(list(land.outlines.values()))
    assert x0 >= 0
    assert y0 >= 0
    assert max((x1 - x0) / width, (y1 - y0) / height) > 0.75
    assert ElementTree.fromstring(geo.base_svg(land, "dark")).get("viewBox") == f"0 0 {width} {height}"


def test_a_pack_grows_alike_from_the_same_seed(tmp_path):
    one, other = (grown.write(tmp_path / name, 9, seed=4) for name in ("one", "other"))
    assert all((other / path.name).read_bytes() == path.read_bytes() for path in one.iterdir())
