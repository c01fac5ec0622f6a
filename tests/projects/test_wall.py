"""The wall's document: true as of the day, scoped, small, computed once per change; and its page."""

import datetime as dt
import json
import re
from decimal import Decimal

import plotly.graph_objects as go
import pytest

from linfen_water import trail
from linfen_water.models import Region
from monitoring.enums import Level, PeriodKind
from monitoring.models import Assessment, SectionTarget
from projects import charts, facts, geo, wall
from projects.models import Project
from projects.regions.pack import PACKS
from tests.factories import TODAY, CountyFactory, ProjectFactory, RegionFactory, RiverFactory, SectionFactory, UserFactory

pytestmark = pytest.mark.django_db
MONDAY, THURSDAY, FRIDAY = dt.date(2025, 1, 13), dt.date(2025, 1, 16), dt.date(2025, 1, 17)


@pytest.fixture
def region():
    return RegionFactory()


@pytest.fixture
def leader(client, region):
    user = UserFactory(leader=True)
    client.force_login(user)
    return user


def ask(client, **query) -> dict:
    response = client.get("/api/wall.json", query)
    assert response.status_code == 200
    return response.json()


def only(document: dict, column: str):
    (value,) = document["projects"][column]
    return value


# ── true as of the day ──────────────────────────────────────────────────────────────────────────────────────────────
def test_weeks_are_counted_from_the_monday_of_the_earliest_listing(client, leader):
    ProjectFactory(listed_on=dt.date(2023, 5, 3), started_on=dt.date(2023, 5, 14), completed_on=dt.date(2023, 5, 15))
    document = ask(client)
    assert document["week0"] == "2023-05-01"
    assert only(document, "listed_week") == 0
    assert only(document, "start_week") == 1  # the Sunday
    assert only(document, "finish_week") == 2  # the Monday after
    assert document["week"] == (TODAY - dt.date(2023, 5, 1)).days // 7


def test_a_completion_counts_on_its_day_and_not_on_the_day_before(client, leader):
    ProjectFactory(started_on=dt.date(2024, 1, 1), completed_on=FRIDAY)
    before, after = ask(client, as_of=THURSDAY.isoformat()), ask(client, as_of=FRIDAY.isoformat())
    assert (before["totals"]["under_construction"], before["totals"]["finished"]) == (1, 0)
    assert (after["totals"]["under_construction"], after["totals"]["finished"]) == (0, 1)
    assert only(before, "finish_week") is None
    assert only(before, "completed_on") is None
    assert only(after, "finish_week") == after["week"]


def test_nothing_later_than_the_day_leaks(client, leader):
    ProjectFactory(started_on=FRIDAY, completed_on=dt.date(2025, 2, 3))
    late = ProjectFactory(listed_on=FRIDAY, started_on=None)
    text = json.dumps(ask(client, as_of=THURSDAY.isoformat()))
    assert late.code not in text
    assert FRIDAY.isoformat() not in text
    assert "2025-02-03" not in text


def test_totals_are_those_of_the_facts(client, leader):
    ProjectFactory(finished=True, total_investment_wan=Decimal("12345.00"), reported=100)
    ProjectFactory(total_investment_wan=Decimal("20000.00"), reported=30)
    ProjectFactory(not_started=True, total_investment_wan=Decimal("10000.00"))
    expected = facts.totals(facts.project_facts(TODAY))
    found = ask(client)["totals"]
    assert found["total_investment"] == 4.23  # 42345 万元, half up
    assert found["finished_investment"] == 1.23
    assert found["invested"] == float(round(expected.invested_wan / 10_000, 2))
    assert [found[name] for name in ("count", "not_started", "under_construction", "finished")] == [3, 1, 1, 1]
    assert (found["start_rate"], found["finish_rate"]) == (66.7, 33.3)


def test_plans_and_forecasts_are_kept_apart(client, leader):
    ProjectFactory(not_started=True, baseline_start_on=dt.date(2025, 3, 3), baseline_finish_on=dt.date(2025, 9, 1))
    document = ask(client)
    assert only(document, "planned_start_week") == (dt.date(2025, 3, 3) - dt.date(2023, 5, 1)).days // 7
    assert only(document, "forecast_finish_week") is None
    assert document["last_week"] == only(document, "planned_finish_week")


def test_every_column_has_one_value_per_project(client, leader):
    for _ in range(3):
        ProjectFactory()
    assert {len(column) for column in ask(client)["projects"].values()} == {3}


def test_an_office_without_projects_has_an_empty_wall(client, leader):
    document = ask(client)
    assert document["totals"]["count"] == 0
    assert document["projects"]["code"] == []
    assert "还没有列入清单的项目" in client.get("/wall/").content.decode()


# ── water ───────────────────────────────────────────────────────────────────────────────────────────────────────────
def assess(section, month: dt.date, water_class: int | None, published_on: dt.date, revision: int = 1) -> None:
    ends_on = (month + dt.timedelta(days=31)).replace(day=1) - dt.timedelta(days=1)
    Assessment.objects.create(
        section=section, period_kind=PeriodKind.MONTH, starts_on=month, ends_on=ends_on,
        water_class=water_class, published_on=published_on, revision=revision, source="演示",
    )  # fmt: skip


def test_a_section_has_the_class_of_the_latest_month_published_by_the_day(client, leader):
    section = SectionFactory()
    assess(section, dt.date(2024, 12, 1), 2, dt.date(2025, 1, 10))
    assess(section, dt.date(2025, 1, 1), 4, dt.date(2025, 2, 10))
    SectionTarget.objects.create(section=section, year=2025, water_class=3)
    (now,), (then,) = ask(client)["sections"], ask(client, as_of="2025-02-09")["sections"]
    assert (now["class"], now["month"], now["target"]) == (4, "2025-01", 3)
    assert (then["class"], then["month"]) == (2, "2024-12")
    assert len(then["history"]) == 1


def test_a_revision_replaces_the_month_from_its_publication(client, leader):
    section = SectionFactory()
    assess(section, dt.date(2024, 12, 1), 4, dt.date(2025, 1, 10))
    assess(section, dt.date(2024, 12, 1), 3, dt.date(2025, 1, 20), revision=2)
    assert ask(client, as_of="2025-01-19")["sections"][0]["class"] == 4
    assert ask(client, as_of="2025-01-20")["sections"][0]["class"] == 3


def test_good_sections_are_counted_among_the_evaluated_national_ones(client, leader):
    for water_class in (1, 3, 4, None):
        assess(SectionFactory(), dt.date(2025, 1, 1), water_class, dt.date(2025, 2, 10))
    assess(SectionFactory(level=Level.OTHER), dt.date(2025, 1, 1), 1, dt.date(2025, 2, 10))
    water = ask(client)["water"]
    assert (water["good"], water["evaluated"], water["national"], water["month"]) == (2, 3, 4, "2025-01")


# ── scope ───────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_a_county_sees_its_own_projects_and_all_sections(client, region):
    own, other = CountyFactory(), CountyFactory()
    ProjectFactory(county=own)
    foreign = ProjectFactory(county=other)
    SectionFactory(county=other)
    client.force_login(UserFactory(in_county=True, county=own))
    document = ask(client)
    assert document["totals"]["count"] == 1
    assert foreign.code not in json.dumps(document)
    assert len(document["sections"]) == 1


def test_two_scopes_never_share_an_answer(client, leader):
    ProjectFactory()
    everything = client.get("/api/wall.json")
    client.force_login(UserFactory(in_county=True))
    nothing = client.get("/api/wall.json", headers={"If-None-Match": everything["ETag"]})
    assert nothing.status_code == 200
    assert nothing.json()["totals"]["count"] == 0


@pytest.mark.parametrize("address", ["/wall/", "/api/wall.json", "/wall/outlines.json"])
def test_nothing_of_the_wall_is_public(client, region, address):
    assert client.get(address).status_code == 302


@pytest.mark.parametrize("day", ["2025-02-30", "2025-02-21", "1999-12-31", "heute"])
def test_an_impossible_day_is_refused_in_chinese(client, leader, day):
    response = client.get("/wall/", {"as_of": day})
    assert response.status_code == 400
    assert "日期" in response.content.decode()


# ── once per change ─────────────────────────────────────────────────────────────────────────────────────────────────
def test_an_unchanged_wall_is_answered_304_before_anything_is_computed(client, leader, monkeypatch):
    ProjectFactory()
    etag = client.get("/api/wall.json")["ETag"]
    monkeypatch.setattr(wall, "answer", None)  # would fail when called
    response = client.get("/api/wall.json", headers={"If-None-Match": etag})
    assert response.status_code == 304
    assert response["Cache-Control"] == "private, no-cache"


def test_a_change_of_facts_gives_a_new_answer(client, leader):
    project = ProjectFactory()
    before = client.get("/api/wall.json")
    Project.objects.filter(pk=project.pk).update(completed_on=TODAY)
    trail.record(action="project.complete", subject=project, by=None)
    after = client.get("/api/wall.json", headers={"If-None-Match": before["ETag"]})
    assert after.status_code == 200
    assert (before.json()["totals"]["finished"], after.json()["totals"]["finished"]) == (0, 1)


def test_the_document_is_computed_once_per_change(client, leader, monkeypatch):
    ProjectFactory()
    computed = []
    document = wall.document
    monkeypatch.setattr(wall, "document", lambda *args: computed.append(1) or document(*args))
    for _ in range(3):
        client.get("/api/wall.json")
    assert len(computed) == 1


@pytest.mark.parametrize("count", [1, 30])
def test_the_number_of_queries_does_not_grow_with_the_projects(region, django_assert_num_queries, count):
    county, river = CountyFactory(), RiverFactory()
    for _ in range(count):
        ProjectFactory(reported=40, county=county)
        SectionFactory(county=county, river=river)
    user = UserFactory(leader=True)
    region = Region.current()
    with django_assert_num_queries(18):
        wall.document(region, user, TODAY)


# ── page and figures ────────────────────────────────────────────────────────────────────────────────────────────────
def test_the_page_shows_its_figures_without_a_script(client, leader):
    ProjectFactory(finished=True)
    ProjectFactory()
    page = client.get("/wall/").content.decode()
    for name, count in (("total", 2), ("finished", 1), ("under_construction", 1), ("not_started", 0)):
        assert f'data-count="{name}">{count}<' in page
    assert "演示数据" in page
    assert f"<span data-day-label>数据截至</span> <b data-as-of>{TODAY}" in page


def test_the_page_carries_the_map_s_approval_number_under_every_map(client, leader):
    Region.objects.update(settings={"wall": {"attribution": "审图号 测试0001号", "schematic_note": "水系为示意"}})
    page = client.get("/wall/").content.decode()
    assert page.count("审图号 测试0001号") == page.count('class="map"') == 3
    assert page.count("水系为示意") == 3


@pytest.mark.parametrize(("query", "theme"), [("", "dark"), ("light", "light"), ("dark", "dark"), ("pink", "dark")])
def test_the_theme_follows_the_address(client, leader, query, theme):
    assert f'data-theme="{theme}"' in client.get("/wall/", {"theme": query}).content.decode()


def test_the_theme_follows_the_last_choice(client, leader):
    client.cookies["wall_theme"] = "light"
    assert 'data-theme="light"' in client.get("/wall/").content.decode()


def test_the_page_has_no_inline_script(client, leader):
    page = client.get("/wall/").content.decode()
    for tag in page.split("<script")[1:]:
        assert ' src="' in tag.split(">")[0] or 'type="application/json"' in tag.split(">")[0]
    assert "<style" not in page


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_every_figure_is_one_that_plotly_knows(theme):
    figures = charts.wall_figures((200.0, 170.0), theme)
    for figure in [*figures["maps"], figures["time"], figures["board"]]:
        go.Figure(data=figure["data"], layout=figure["layout"])  # raises on any unknown name or impossible value
        assert {trace["type"] for trace in figure["data"]} == {"scatter"}


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_digits_on_buttons_are_readable(theme):
    figures = charts.wall_figures((200.0, 170.0), theme)
    for button in [*figures["stages"].values(), *figures["water"].values()]:
        assert contrast(button["color"], button["digit"]) >= 4.5


def contrast(a: str, b: str) -> float:
    """WCAG 2 contrast ratio of two #rrggbb colours."""
    light, dark = sorted((luminance(a), luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_the_ground_is_in_the_page_before_any_script(client, leader, monkeypatch):
    land = geo.load(PACKS / "linfen", "EPSG:4546", ("黄河",), ("汾河",))
    monkeypatch.setattr(wall, "land_of", lambda region: land)
    text = client.get("/wall/").content.decode()
    assert text.count('<use href="#ground"') == 3
    assert '<path class="ground-land" d="M' in text
    assert f'viewBox="0 0 {land.size[0]} {land.size[1]}"' in text
    assert "plotly" not in re.sub(r'data-plotly="[^"]*"', "", text)  # its megabyte does not compete with the first picture


def test_the_outlines_may_be_kept_for_good_only_under_their_own_hash(client, leader):
    address = re.search(r'data-outlines="([^"]+)"', client.get("/wall/").content.decode())[1]
    kept = client.get(address)
    assert "immutable" in kept["Cache-Control"]
    assert "immutable" not in client.get("/wall/outlines.json?v=0")["Cache-Control"]
    assert client.get(address, headers={"If-None-Match": kept["ETag"]}).status_code == 304


def test_a_broken_kept_place_is_made_anew(settings, tmp_path):
    settings.CACHES = settings.CACHES | {"places": settings.CACHES["places"] | {"LOCATION": tmp_path}}
    sites, radii = ((1.0, 2.0), (1.1, 2.0)), (0.5, 0.5)
    first = wall._declutter(sites, radii)
    kept = list(tmp_path.glob("*.djcache"))
    assert len(kept) == 1
    kept[0].write_bytes(b"no pickle")
    wall._declutter.cache_clear()
    assert wall._declutter(sites, radii) == first
