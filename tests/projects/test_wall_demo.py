"""The wall of the demo city: small, complete, and nothing covers anything."""

import datetime as dt
import gzip
import itertools
import json
import math

import pytest

from linfen_water.models import Region
from projects import charts, wall
from tests.demo_city import demo_city  # noqa: F401 - a fixture
from tests.factories import TODAY, UserFactory

pytestmark = pytest.mark.django_db


def demo_document(day: dt.date = TODAY) -> dict:
    return json.loads(wall.answer(Region.current(), UserFactory(leader=True), day))


def test_the_demo_city_s_document_is_small(demo_city):  # noqa: F811
    user = UserFactory(leader=True)
    assert len(gzip.compress(wall.answer(Region.current(), user, TODAY), 6)) < 30_000


def test_magnets_and_discs_of_the_demo_city_never_overlap(demo_city):  # noqa: F811
    document = demo_document()
    km = 1 / charts.pixels_per_km(document["size"])
    for kind, spacing in (("magnet", charts.MAGNET_PITCH), ("disc", charts.DISC_SPACING)):
        places = list(zip(document["projects"][f"{kind}_x"], document["projects"][f"{kind}_y"], strict=True))
        assert len(set(places)) == document["totals"]["count"]
        for a, b in itertools.combinations(places, 2):
            assert math.dist(a, b) >= spacing * km - 0.02
        assert all(0 <= x <= document["size"][0] and 0 <= y <= document["size"][1] for x, y in places)


def test_every_county_and_the_zone_stands_on_the_maps(demo_city):  # noqa: F811
    counties = demo_document()["counties"]
    assert all(counties["title_2"])
    assert sum(counties["is_zone"]) == 1
    assert all(title or is_zone for title, is_zone in zip(counties["title_1"], counties["is_zone"], strict=True))


def test_magnets_never_move_while_time_passes(demo_city):  # noqa: F811
    early, late = demo_document(dt.date(2023, 12, 31)), demo_document()
    assert early["projects"]["magnet_x"] == late["projects"]["magnet_x"]
    assert early["projects"]["magnet_y"] == late["projects"]["magnet_y"]
