"""Buttons, discs and names never cover one another, always land in the same place, and none is ever lost."""

import itertools
import math
import random

import pytest
import shapely

from projects import placement
from projects.placement import Box, Name, Want

SEEDS = range(12)
HALF_A_MILLIMETRE = 1e-6


def some_sites(seed: int, count: int = 80) -> list[tuple[float, float]]:
    dice = random.Random(seed)
    return [(dice.gauss(50, 12), dice.gauss(40, 9)) for _ in range(count)]


def some_wants(seed: int) -> list[Want]:
    """Counties as the cells of a crooked grid, one of them a zone without an outline, with 0 to 9 buttons each."""
    dice = random.Random(seed)
    columns, rows = dice.randint(2, 4), dice.randint(2, 4)
    wants = []
    for i, j in itertools.product(range(columns), range(rows)):
        width, height = 160 / columns, 130 / rows
        cell = shapely.box(10 + i * width, 10 + j * height, 10 + (i + 1) * width, 10 + (j + 1) * height)
        wants.append(Want(f"c{i}{j}", dice.randint(0, 9), (cell.centroid.x, cell.centroid.y), cell))
    return [*wants, Want("zone", dice.randint(1, 3), (80.0, 70.0), None)]


# ── discs ───────────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("seed", SEEDS)
def test_discs_never_overlap(seed):
    sites = some_sites(seed)
    radii = [random.Random(seed).choice([1.5, 3.0]) for _ in sites]
    places = placement.declutter(sites, radii)
    for (a, ra), (b, rb) in itertools.combinations(zip(places, radii, strict=True), 2):
        assert math.dist(a, b) >= ra + rb - HALF_A_MILLIMETRE


def test_discs_with_room_stay_at_their_sites():
    sites = [(0.0, 0.0), (10.0, 0.0), (0.0, 10.0)]
    assert placement.declutter(sites, [2.0] * 3) == sites


def test_touching_discs_stay_and_overlapping_ones_move():
    assert placement.declutter([(0.0, 0.0), (4.0, 0.0)], [2.0, 2.0]) == [(0.0, 0.0), (4.0, 0.0)]
    moved = placement.declutter([(0.0, 0.0), (3.9, 0.0)], [2.0, 2.0])
    assert math.dist(*moved) >= 4.0


def test_many_discs_at_one_site_all_find_a_place_nearby():
    places = placement.declutter([(5.0, 5.0)] * 40, [1.0] * 40)
    assert len(set(places)) == 40
    assert max(math.dist(place, (5, 5)) for place in places) < 12  # a tight heap of 40 has a radius of about 7


def test_no_discs_need_no_place():
    assert placement.declutter([], []) == []


# ── blocks of magnets ───────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("seed", SEEDS)
def test_blocks_never_overlap_and_hold_every_button(seed):
    wants = some_wants(seed)
    blocks = placement.blocks(wants, 8.0, (180.0, 150.0))
    for a, b in itertools.combinations(blocks.values(), 2):
        assert a.box.overlap(b.box) == 0
    for want in wants:
        block = blocks[want.key]
        assert len(block.slots) == want.count
        for x, y in block.slots:
            assert abs(x - block.box.x) <= block.box.width / 2
            assert abs(y - block.box.y) <= block.box.height / 2
    slots = [slot for block in blocks.values() for slot in block.slots]
    for a, b in itertools.combinations(slots, 2):
        assert math.dist(a, b) >= 8.0 - 0.02  # rounded to 0.01 km


def test_the_same_wants_get_the_same_places_in_any_order():
    wants = some_wants(3)
    assert placement.blocks(wants, 8.0, (180.0, 150.0)) == placement.blocks(wants[::-1], 8.0, (180.0, 150.0))


def test_buttons_stand_in_rows_by_number_under_the_name():
    county = shapely.box(0, 0, 100, 100)
    block = placement.blocks([Want("c", 5, (50.0, 50.0), county)], 10.0, (100.0, 100.0))["c"]
    rows = sorted({y for _, y in block.slots}, reverse=True)
    assert list(block.slots) == sorted(block.slots, key=lambda slot: (rows.index(slot[1]), slot[0]))
    assert all(y < block.title[1] for _, y in block.slots)


def test_a_county_with_room_keeps_its_buttons_inside():
    county = shapely.box(20, 20, 120, 100)
    block = placement.blocks([Want("c", 6, (70.0, 60.0), county)], 8.0, (140.0, 120.0))["c"]
    assert all(county.contains(shapely.Point(slot)) for slot in block.slots)
    assert block.leader is None


def test_a_county_too_small_stands_beside_the_region_with_a_leader_line():
    big, small = shapely.box(0, 40, 200, 200), shapely.box(90, 110, 94, 114)
    wants = [Want("big", 4, (50.0, 150.0), big.difference(small)), Want("small", 12, (92.0, 112.0), small)]
    block = placement.blocks(wants, 9.0, (200.0, 200.0))["small"]
    assert block.leader is not None
    assert block.leader[0] == (92.0, 112.0)
    assert not small.intersects(shapely.MultiPoint(block.slots))


def test_a_zone_covers_its_place_or_has_a_leader_line_to_it():
    county = shapely.box(0, 0, 200, 200)
    place = (100.0, 100.0)
    wants = [Want("county", 9, place, county), Want("zone", 2, place, None), Want("other zone", 2, place, None)]
    blocks = placement.blocks(wants, 9.0, (200.0, 200.0))
    for block in (blocks["zone"], blocks["other zone"]):
        assert (block.leader is None) == (block.box.nearest(place) == place)
    assert any(block.leader and block.leader[0] == place for block in blocks.values())


def test_more_buttons_than_the_map_holds_stand_below_it():
    wants = [Want("a", 30, (10.0, 10.0), shapely.box(0, 0, 20, 20)), Want("b", 30, (10.0, 10.0), None)]
    blocks = placement.blocks(wants, 5.0, (20.0, 20.0))
    assert sum(len(block.slots) for block in blocks.values()) == 60
    assert blocks["a"].box.overlap(blocks["b"].box) == 0


# ── names ───────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_a_name_takes_its_first_place_that_covers_nothing():
    obstacle = Box(5, 5, 4, 4)
    name = Name("n", 4, 2, [(5.0, 5.0), (9.0, 5.0), (15.0, 5.0)])
    assert placement.names([name], [obstacle], (40, 40)) == {"n": (9.0, 5.0)}


def test_a_name_without_a_free_place_covers_as_little_as_it_can():
    name = Name("n", 4, 4, [(5.0, 5.0), (8.0, 5.0)])
    assert placement.names([name], [Box(5, 5, 4, 4)], (40, 40)) == {"n": (8.0, 5.0)}


def test_names_do_not_cover_earlier_names_and_stay_on_the_map():
    wants = [Name("first", 4, 2, [(5.0, 5.0)]), Name("second", 4, 2, [(5.0, 5.0), (0.0, 5.0), (12.0, 5.0)])]
    assert placement.names(wants, [], (40, 40)) == {"first": (5.0, 5.0), "second": (12.0, 5.0)}
