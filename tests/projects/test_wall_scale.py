"""The wall over time and over size: past weeks as they were, counts in the stead of buttons, a county opened, pictures and tables."""

import csv
import datetime as dt
import gzip
import io
import json
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from PIL import Image

from linfen_water import trail
from linfen_water.models import Region
from projects import charts, density, wall
from projects.models import Project, ProjectVersion
from tests.factories import TODAY, CountyFactory, DomainFactory, ProjectFactory, RegionFactory, SectionFactory, UserFactory

pytestmark = pytest.mark.django_db
FIRST = dt.date(2023, 5, 1)
STAGES = ("not_started", "under_construction", "finished")


@pytest.fixture
def region():
    return RegionFactory()


@pytest.fixture
def leader(client, region):
    user = UserFactory(leader=True)
    client.force_login(user)
    return user


@pytest.fixture
def counted(monkeypatch):
    """No list is short enough for buttons."""
    monkeypatch.setattr(charts, "MOST_PROJECTS", -1)


def a_city(seed: int = 1, count: int = 30) -> list:
    """Projects that came, started, ended, left the list or moved to another county on days of all kinds."""
    dice = random.Random(seed)
    counties, domains = [CountyFactory(seat_lon=111.5, seat_lat=36.1) for _ in range(4)], [DomainFactory(), DomainFactory(name="住建")]
    for n in range(count):
        listed = FIRST + dt.timedelta(days=dice.choice([0, dice.randrange(600)]))
        started = listed + dt.timedelta(days=dice.randrange(-20, 500))
        done = started + dt.timedelta(days=dice.randrange(0, 400))
        left = listed + dt.timedelta(days=dice.randrange(20, 600)) if n % 4 == 0 else None
        project = ProjectFactory(
            county=dice.choice(counties), domain=dice.choice(domains), listed_on=listed, lon=111 + n / 50, lat=36.2,
            started_on=started if started <= TODAY else None, completed_on=done if done <= TODAY else None,
        )  # fmt: skip
        Project.objects.filter(pk=project.pk).update(delisted_on=left, delisted_reason="调出" if left else "")
        if n % 5 == 0:
            version = project.versions.get()
            moved = version.effective_from + dt.timedelta(days=dice.randrange(10, 500))
            ProjectVersion.objects.filter(pk=version.pk).update(effective_to=moved)
            version.pk, version.effective_from, version.county = None, moved, dice.choice(counties)
            version.save(force_insert=True)
    return counties


def days(seed: int, count: int) -> list[dt.date]:
    """Sundays, for which weeks are shown, and the day of the data."""
    dice = random.Random(seed)
    sundays = [FIRST + dt.timedelta(days=6 + 7 * dice.randrange((TODAY - FIRST).days // 7)) for _ in range(count)]
    return [*sundays, TODAY]


def document(day: dt.date = TODAY) -> dict:
    return json.loads(wall.answer(Region.current(), UserFactory(leader=True), day))


def week_of(found: dict, day: dt.date) -> int:
    return (day - dt.date.fromisoformat(found["week0"])).days // 7


def shown(found: dict, week: int) -> dict[str, tuple[int, int, int]]:
    """What the page shows of a week up to the day of the data, by county: 前期, 开工, 完工."""
    sums = {name: [0, 0, 0] for name in found["counties"]["name"]}
    if found["is_dense"]:
        for n, name in enumerate(sums):
            total, started, finished = (sum(found["counts"][series][n][: week + 1]) for series in ("total", "started", "finished"))
            sums[name] = [total - started, started - finished, finished]
    for rows in (found["projects"], found["former"]):
        for since, until, start, finish, county in zip(
            *(rows[name] for name in ("listed_week", "delisted_week", "start_week", "finish_week", "county")), strict=True
        ):
            if since <= week and (until is None or week < until):
                sums[county][2 if finish is not None and finish <= week else 1 if start is not None and start <= week else 0] += 1
    return {name: tuple(numbers) for name, numbers in sums.items() if any(numbers)}


# ── past weeks ──────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("most", [charts.MOST_PROJECTS, -1], ids=["buttons", "counts"])
def test_a_past_week_counts_what_the_wall_of_its_day_counts(region, monkeypatch, most):
    monkeypatch.setattr(charts, "MOST_PROJECTS", most)
    a_city()
    now = document()
    assert now["is_dense"] == (most == -1)
    for day in days(7, 7):
        then = document(day)
        assert shown(now, week_of(now, day)) == shown(then, then["week"]), day
        totals = then["totals"]
        sums = zip(*shown(now, week_of(now, day)).values(), strict=True)
        assert [sum(numbers) for numbers in sums] == [totals[name] for name in STAGES]


def test_a_delisted_project_is_no_row_of_today_s_list(client, leader):
    project = ProjectFactory(listed_on=FIRST)
    Project.objects.filter(pk=project.pk).update(delisted_on=dt.date(2025, 2, 12), delisted_reason="调出")
    found = client.get("/api/wall.json").json()
    assert (found["totals"]["count"], found["projects"]["code"], found["former"]["code"]) == (0, [], [project.code])
    assert found["former"]["delisted_week"] == [found["week"] - 1]
    before = client.get("/api/wall.json?as_of=2025-02-11").json()
    assert (before["projects"]["code"], before["projects"]["delisted_week"], before["former"]["code"]) == ([project.code], [None], [])


def test_counts_and_buttons_tell_the_same_of_weeks_to_come(region, monkeypatch):
    a_city(3)
    buttons = document()
    monkeypatch.setattr(charts, "MOST_PROJECTS", -1)
    trail.record(action="test", subject=region, by=None)  # so that nothing kept is given
    counts = document()
    assert counts["last_week"] == buttons["last_week"]
    last = {series: sum(sum(row) for row in counts["counts"][series]) for series in ("total", "finished")}
    rows = buttons["projects"]
    ends = [f if f is not None else p for f, p in zip(rows["finish_week"], rows["planned_finish_week"], strict=True)]
    late = sum(end is not None and fact is None and end <= counts["week"] for end, fact in zip(ends, rows["finish_week"], strict=True))
    assert last == {"total": len(rows["code"]), "finished": len(rows["code"]) - late}


def test_a_start_in_the_week_of_a_move_is_among_that_week_s_changes(region, counted):
    old, new = CountyFactory(), CountyFactory()
    started = ProjectFactory(county=old, listed_on=FIRST, started_on=dt.date(2024, 11, 20))
    version = started.versions.get()
    ProjectVersion.objects.filter(pk=version.pk).update(effective_to=dt.date(2024, 11, 19))
    version.pk, version.effective_from, version.county = None, dt.date(2024, 11, 19), new
    version.save(force_insert=True)
    ProjectFactory(county=new, listed_on=dt.date(2024, 11, 19), started_on=dt.date(2024, 11, 20))  # came as it was: no change
    found = document()
    week = week_of(found, dt.date(2024, 11, 24))
    changes = {name: row[week] for name, row in zip(found["counties"]["name"], found["counts"]["started_now"], strict=True)}
    assert changes == {old.name: 0, new.name: 1}


def test_those_who_ask_at_once_wait_for_one_computing():
    made, together = [], threading.Barrier(3)

    def ask(_) -> int:
        together.wait()
        return wall._kept_answer("test:at-once", make)

    def make() -> int:
        made.append(1)
        time.sleep(0.05)
        return len(made)

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(ask, range(3))) == [1, 1, 1]


def test_money_of_the_counts_is_that_of_the_totals(region, counted):
    a_city(5)
    found = document()
    for name, total in (("investment", "total_investment"), ("finished_investment", "finished_investment")):
        assert found["counts"][name][found["week"]] == pytest.approx(found["totals"][total], abs=0.02)


# ── too many for buttons ────────────────────────────────────────────────────────────────────────────────────────────
def test_the_counts_name_no_project_and_do_not_grow_with_them(region, counted):
    a_city(2, 8)
    few = wall.answer(Region.current(), UserFactory(leader=True), TODAY)
    assert not any(code.encode() in few for code in Project.objects.values_list("code", flat=True))
    assert {len(column) for column in json.loads(few)["projects"].values()} == {0}
    assert len(gzip.compress(few)) < 30_000


@pytest.mark.parametrize("count", [1, 30])
def test_the_queries_of_the_counts_do_not_grow(region, counted, django_assert_num_queries, count):
    county = CountyFactory()
    for _ in range(count):
        ProjectFactory(county=county, reported=40)
    user, region = UserFactory(leader=True), Region.current()
    with django_assert_num_queries(17):
        wall.document(region, user, TODAY)


def test_more_buttons_than_fit_the_map_give_way_to_counts(region):
    county = CountyFactory(seat_lon=111.5, seat_lat=36.1)
    for _ in range(3):
        ProjectFactory(county=county)
    assert not document()["is_dense"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(charts, "MOST_COVERED", 0.0001)
        trail.record(action="test", subject=region, by=None)
        assert document()["is_dense"]


def test_an_opened_county_brings_its_own_projects_thinned_when_many(client, leader, counted, monkeypatch):
    own, other = CountyFactory(), CountyFactory()
    codes = [ProjectFactory(county=own, number=n + 1).code for n in range(5)]
    ProjectFactory(county=other)
    found = client.get("/api/wall/county.json", {"county": own.code}).json()
    assert (found["county"], found["count"], found["every"], found["projects"]["code"]) == (own.name, 5, 1, codes)
    assert len(found["counts"]["investment"]) == client.get("/api/wall.json").json()["last_week"] + 1
    monkeypatch.setattr(charts, "MOST_DRILLED", 2)
    trail.record(action="test", subject=own, by=None)
    thinned = client.get("/api/wall/county.json", {"county": own.code}).json()
    assert (thinned["count"], thinned["every"], thinned["projects"]["code"]) == (5, 3, codes[::3])
    assert client.get("/api/wall/county.json", {"county": "0"}).status_code == 404


def test_an_opened_county_shows_nobody_what_is_not_theirs(client, region, counted):
    own, other = CountyFactory(), CountyFactory()
    foreign = ProjectFactory(county=other)
    client.force_login(UserFactory(in_county=True, county=own))
    response = client.get("/api/wall/county.json", {"county": other.code})
    assert response.json()["count"] == 0
    assert foreign.code not in response.content.decode()


def test_the_picture_of_all_sites_is_small_and_kept_under_its_hash(client, leader, counted):
    ProjectFactory(lon=111.5, lat=36.1, county=CountyFactory(seat_lon=111.5, seat_lat=36.1))
    ProjectFactory(lon=None, lat=None)
    found = client.get("/api/wall.json").json()
    address = f"/wall/density.png?theme=dark&v={found['density']}"
    response = client.get(address)
    assert response["Content-Type"] == "image/png"
    assert "immutable" in response["Cache-Control"]
    image = Image.open(io.BytesIO(response.content))
    assert image.convert("RGBA").getchannel("A").getextrema()[1] > 0
    assert image.width == pytest.approx(density.SHARPNESS * charts.REFERENCE_PANEL[0], abs=2)
    assert "immutable" not in client.get("/wall/density.png?theme=dark&v=0")["Cache-Control"]


# ── tables and layers ───────────────────────────────────────────────────────────────────────────────────────────────
def lines(response) -> list[list[str]]:
    text = response.content.decode()
    assert text.startswith(("\ufeff编号", "\ufeff断面"))
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))


def test_the_table_holds_what_is_shown_on_the_day_and_no_formula(client, leader):
    ProjectFactory(code="LF-001", name="=HYPERLINK(1)", finished=True)
    ProjectFactory(code="LF-002", listed_on=dt.date(2025, 1, 1))
    response = client.get("/api/wall.csv")
    heads, *rows = lines(response)
    assert "attachment" in response["Content-Disposition"]
    assert [row[0] for row in rows] == ["LF-001", "LF-002"]
    assert dict(zip(heads, rows[0], strict=True))["项目名称"] == "'=HYPERLINK(1)"
    assert dict(zip(heads, rows[0], strict=True))["状态"] == "完工"
    earlier = lines(client.get("/api/wall.csv?as_of=2024-11-19"))
    assert [row[0] for row in earlier[1:]] == ["LF-001"]
    assert "开工" in earlier[1]


def test_the_table_of_one_county_and_of_sections(client, leader):
    own = ProjectFactory(code="LF-001")
    ProjectFactory(code="LF-002")
    county = own.versions.get().county
    assert [row[0] for row in lines(client.get("/api/wall.csv", {"county": county.code}))[1:]] == ["LF-001"]
    section = SectionFactory()
    _, row = lines(client.get("/api/wall.csv?layer=sections"))
    assert (row[0], row[4]) == (section.name, "未监测")
    assert client.get("/api/wall.csv?county=0").status_code == 404
    assert client.get("/api/wall.csv?domain=0").status_code == 404


def test_a_county_gets_its_own_rows_in_the_table(client, region):
    ProjectFactory(code="LF-001")
    own = ProjectFactory(code="LF-002")
    client.force_login(UserFactory(in_county=True, county=own.versions.get().county))
    assert [row[0] for row in lines(client.get("/api/wall.csv"))[1:]] == ["LF-002"]


def test_counties_carry_their_counts_and_rates(client, leader):
    county, empty = CountyFactory(seat_lon=111.5, seat_lat=36.1), CountyFactory()
    ProjectFactory(county=county, finished=True)
    ProjectFactory(county=county)
    ProjectFactory(county=county, not_started=True)
    found = {f["id"]: f for f in client.get("/api/counties.geojson").json()["features"]}
    properties = found[county.code]["properties"]
    assert [properties[name] for name in ("projects", *STAGES, "start_rate", "finish_rate")] == [3, 1, 1, 1, 66.7, 33.3]
    assert (found[empty.code]["properties"]["projects"], found[empty.code]["properties"]["finish_rate"]) == (0, None)
    assert found[empty.code]["geometry"] is None


@pytest.mark.parametrize("layer", ["projects", "sections", "counties"])
def test_a_layer_has_the_structure_of_rfc_7946(client, leader, layer):
    ProjectFactory(lon=111.5, lat=36.1)
    SectionFactory()
    found = client.get(f"/api/{layer}.geojson").json()
    assert found["type"] == "FeatureCollection"
    assert "crs" not in found  # WGS84 alone
    assert found["features"]
    for feature in found["features"]:
        assert set(feature) == {"type", "id", "geometry", "properties"}
        assert feature["type"] == "Feature"
        if feature["geometry"] and feature["geometry"]["type"] == "Point":
            lon, lat = feature["geometry"]["coordinates"]
            assert 73 < lon < 136
            assert 3 < lat < 54
