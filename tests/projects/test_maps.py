"""GeoJSON layers: RFC 7946, WGS84, as of the day, only what the person may see, and 304 while nothing changed."""

import datetime as dt

import pytest
from django.core.management import call_command
from shapely.geometry import shape

from linfen_water.models import County
from monitoring.enums import PeriodKind
from monitoring.models import Assessment
from tests.factories import ProjectFactory, RegionFactory, SectionFactory, UserFactory

pytestmark = pytest.mark.django_db
LAYERS = ["projects", "sections", "counties"]


@pytest.fixture
def leader(client):
    user = UserFactory(leader=True)
    client.force_login(user)
    return user


def features(client, layer: str, **query) -> dict:
    response = client.get(f"/api/{layer}.geojson", query)
    assert response["Content-Type"] == "application/geo+json"
    return {feature["id"]: feature for feature in response.json()["features"]}


def test_outlines_are_wound_as_the_standard_wants(client, leader):
    call_command("load_region")
    found = features(client, "counties")
    drawn = [shape(f["geometry"]) for f in found.values() if f["geometry"]["type"] != "Point"]
    assert len(found) == County.objects.count()
    assert drawn
    for outline in drawn:
        for part in getattr(outline, "geoms", [outline]):
            assert part.exterior.is_ccw
            assert not any(ring.is_ccw for ring in part.interiors)


def test_a_zone_is_the_point_of_its_seat(client, leader):
    call_command("load_region")
    zone = County.objects.get(kind="zone")
    assert features(client, "counties")[zone.code]["geometry"] == {"type": "Point", "coordinates": [zone.seat_lon, zone.seat_lat]}


def test_a_project_has_its_stage_of_the_day(client, leader):
    RegionFactory()
    ProjectFactory(code="LF-001", finished=True, lon=111.5, lat=36.1)
    now, then = (features(client, "projects", **query)["LF-001"] for query in ({}, {"as_of": "2024-11-19"}))
    assert now["geometry"] == {"type": "Point", "coordinates": [111.5, 36.1]}
    assert (now["properties"]["stage"], now["properties"]["completed_on"]) == ("完工", "2024-11-20")
    assert (then["properties"]["stage"], then["properties"]["completed_on"]) == ("开工", None)


def test_a_project_without_a_site_is_not_lost(client, leader):
    RegionFactory()
    ProjectFactory(code="LF-001")
    assert features(client, "projects")["LF-001"]["geometry"] is None


def test_a_county_sees_only_its_own_projects(client):
    RegionFactory()
    ProjectFactory(code="LF-001")
    own = ProjectFactory(code="LF-002")
    client.force_login(UserFactory(in_county=True, county=own.versions.get().county))
    assert set(features(client, "projects")) == {"LF-002"}


def test_a_section_has_the_class_published_by_the_day(client, leader):
    RegionFactory()
    section = SectionFactory()
    january = {"period_kind": PeriodKind.MONTH, "starts_on": dt.date(2025, 1, 1), "ends_on": dt.date(2025, 1, 31)}
    Assessment.objects.create(section=section, **january, water_class=2, published_on=dt.date(2025, 2, 10), source="演示")
    assert features(client, "sections")[section.pk]["properties"]["class"] == "Ⅱ"
    assert features(client, "sections", as_of="2025-02-09")[section.pk]["properties"]["class"] is None


@pytest.mark.parametrize("layer", LAYERS)
def test_a_layer_is_answered_304_while_nothing_changed(client, leader, layer, django_assert_max_num_queries):
    RegionFactory()
    ProjectFactory()
    address = f"/api/{layer}.geojson"
    etag = client.get(address)["ETag"]
    with django_assert_max_num_queries(6):  # session, user, region, the day, and the data version
        response = client.get(address, headers={"If-None-Match": etag})
    assert response.status_code == 304
    assert response.content == b""


@pytest.mark.parametrize("layer", LAYERS)
def test_a_layer_is_closed_without_login(client, layer):
    RegionFactory()
    assert client.get(f"/api/{layer}.geojson").status_code == 302


@pytest.mark.parametrize("layer", LAYERS)
def test_an_impossible_day_is_refused(client, leader, layer):
    RegionFactory()
    assert client.get(f"/api/{layer}.geojson", {"as_of": "2025-02-30"}).status_code == 400
