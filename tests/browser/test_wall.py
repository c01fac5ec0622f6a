"""The wall in a real Chromium: drawn offline, played, asked, refreshed, and honest about its age."""

import datetime as dt
import random
from urllib.parse import urlparse

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client
from playwright.sync_api import expect

from linfen_water import trail
from linfen_water.pinyin import spelled
from monitoring.models import Section
from projects import charts
from projects.facts import project_facts, totals
from projects.models import Project
from tests.factories import LAST_WEEK, TODAY, ProjectFactory, RegionFactory, SectionFactory, UserFactory

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not (settings.ASSETS_DIR / "plotly.min.js").exists(), reason="plotly.min.js is not fetched (make run)"),
]


@pytest.fixture(scope="module")
def chromium():
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def city():
    """Two projects, one of them started last week, and a section."""
    RegionFactory()
    SectionFactory()
    first = ProjectFactory(lon=111.5, lat=36.1)
    ProjectFactory(county=first.versions.get().county, lon=111.6, lat=36.2, started_on=LAST_WEEK)
    return first


@pytest.fixture
def page(chromium, live_server, city):
    client = Client()
    client.force_login(UserFactory(leader=True))
    context = chromium.new_context(viewport={"width": 1366, "height": 768})
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}])
    page = context.new_page()
    page.faults, page.asked = [], []
    page.on("pageerror", lambda fault: page.faults.append(str(fault)))
    page.on("console", lambda message: message.type == "error" and page.faults.append(message.text))
    page.on("request", lambda request: page.asked.append(request.url))
    yield page
    context.close()


def open_wall(page, live_server, query: str = "") -> None:
    page.goto(f"{live_server.url}/wall/{query}")
    page.wait_for_selector("body.is-drawn")


def count(page, name: str) -> str:
    return page.inner_text(f"[data-count={name}]")


def symbols(page) -> list[str]:
    """The shapes of the magnets on map 2, as drawn."""
    return page.evaluate("document.querySelector('[data-map=\"2\"]').data.find((t) => t.name === 'magnets').marker.symbol")


def test_the_wall_is_drawn_without_any_address_outside(page, live_server):
    open_wall(page, live_server)
    assert {urlparse(url).hostname for url in page.asked if not url.startswith(("data:", "blob:"))} == {"localhost"}
    assert page.faults == []
    assert page.locator(".map .js-plotly-plot, .map .plotly").count() >= 3
    assert symbols(page) == ["square", "square"]


@pytest.mark.parametrize("query", ["?theme=dark&card=project:CODE", "?theme=light&focus=2&colour=risk"])
def test_axe_finds_nothing_serious(page, live_server, city, query):
    open_wall(page, live_server, query.replace("CODE", city.code))
    if "card" in query:
        page.wait_for_selector("#card-title")
    found = Axe().run(page).response["violations"]
    assert [v["id"] for v in found if v["impact"] in ("serious", "critical")] == []


def test_scripts_come_from_here_alone_and_none_is_made_of_text(page, live_server):
    policy = page.goto(f"{live_server.url}/wall/").headers["content-security-policy"]
    directives = dict(part.strip().split(" ", 1) for part in policy.split(";") if " " in part.strip())
    assert directives["script-src"] == "'self'"
    page.wait_for_selector("body.is-drawn")
    assert page.faults == []


def test_a_completion_turns_a_magnet_blue_within_one_refresh(page, live_server, city):
    open_wall(page, live_server)
    assert (count(page, "finished"), count(page, "under_construction")) == ("0", "2")
    Project.objects.filter(pk=city.pk).update(completed_on=TODAY)
    trail.record(action="project.complete", subject=city, by=None)
    page.evaluate("window.wall.refresh()")
    assert (count(page, "finished"), count(page, "under_construction"), count(page, "total")) == ("1", "1", "2")
    assert page.evaluate("window.wall.state.counts.finished") == 1
    assert symbols(page) == ["circle", "square"]
    assert "本周 完工 +1" in page.inner_text("[data-note='2']")


def test_the_slider_goes_back_by_weeks_and_escape_returns(page, live_server):
    open_wall(page, live_server)
    page.keyboard.press("ArrowLeft")
    assert count(page, "under_construction") == "2"
    assert "本周 开工 +1" in page.inner_text("[data-note='2']")
    page.keyboard.press("ArrowLeft")
    assert (count(page, "not_started"), count(page, "under_construction")) == ("1", "1")
    assert sorted(symbols(page)) == ["diamond", "square"]
    page.keyboard.press("Escape")
    assert count(page, "not_started") == "0"


def test_what_is_planned_says_so(page, live_server):
    open_wall(page, live_server)
    assert page.is_hidden("[data-plan-mark]")
    page.keyboard.press("ArrowRight")
    assert page.inner_text("[data-plan-mark]") == "计划推算 · 非实际"


def test_an_unreachable_server_is_admitted(page, live_server):
    open_wall(page, live_server)
    page.context.set_offline(True)
    page.evaluate("window.wall.refresh()")
    assert page.inner_text("[data-fresh]").startswith("数据未刷新")
    assert count(page, "total") == "2"  # the last picture stays
    page.context.set_offline(False)
    page.evaluate("window.wall.refresh()")
    assert page.inner_text("[data-fresh]").startswith("在线")


def test_an_expired_login_is_admitted(page, live_server):
    open_wall(page, live_server)
    page.context.clear_cookies()
    page.evaluate("window.wall.refresh()")
    assert "登录已过期" in page.inner_text("[data-fresh]")


def test_the_theme_button_changes_the_maps_and_the_address(page, live_server):
    open_wall(page, live_server, "?theme=dark")
    ink = "document.querySelector('[data-map=\"1\"]').layout.font.color"
    dark = page.evaluate(ink)
    page.click("[data-theme-button]")
    assert page.get_attribute("html", "data-theme") == "light"
    assert page.url.endswith("theme=light")
    assert page.evaluate(ink) != dark


def place_of(page, number: int, kind: str) -> tuple[float, float]:
    """Where the first button of a trace stands on the screen."""
    box = page.locator(f'[data-map="{number}"]').bounding_box()
    x, y = page.evaluate(
        """([map, name]) => { const { data, layout } = document.querySelector(`[data-map="${map}"]`), t = data.find((t) => t.name === name)
        const [x0, x1] = layout.xaxis.range, [y0, y1] = layout.yaxis.range
        return [(t.x[0] - x0) / (x1 - x0), (y1 - t.y[0]) / (y1 - y0)] }""",
        [number, kind],
    )
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


def test_a_magnet_tells_of_its_project_and_opens_its_card(page, live_server, city):
    open_wall(page, live_server)
    place = place_of(page, 2, "magnets")
    page.mouse.move(*place)
    assert city.code in page.inner_text("[data-card]")
    page.mouse.click(*place)
    expect(page.locator("#card-title")).to_be_focused()
    assert city.versions.get().name in page.inner_text("[data-drawer]")
    assert f"card=project%3A{city.code}" in page.url
    assert page.locator("[data-chosen]:visible").count() == 2  # on maps 1 and 2
    page.keyboard.press("Escape")
    assert page.is_hidden("[data-drawer]")
    page.go_back()
    assert page.is_visible("[data-drawer]")
    page.click("[data-drawer] footer a")
    page.wait_for_url(f"**/projects/{city.code}/")


def test_a_section_opens_its_card_and_leads_to_its_page(page, live_server, city):
    section = Section.objects.get()
    address = f"/sections/{section.pk}/?as_of={LAST_WEEK}"
    open_wall(page, live_server, f"?as_of={LAST_WEEK}")
    place = place_of(page, 3, "national")
    page.mouse.move(*place)
    assert section.name in page.inner_text("[data-card]")
    page.mouse.click(*place)
    page.wait_for_selector("#card-title")
    page.click("[data-drawer] footer a")
    page.wait_for_url(f"**{address}")
    open_wall(page, live_server, f"?as_of={LAST_WEEK}")
    page.keyboard.press("3")
    assert page.get_attribute("[data-catalogue] a", "href") == address


def test_a_project_is_found_by_pinyin_from_the_keyboard_alone(page, live_server, city):
    open_wall(page, live_server)
    page.keyboard.press("/")
    page.keyboard.type(spelled(city.versions.get().name).split()[0][:6])
    expect(page.locator("[data-finder] [role=option]").first).to_contain_text(city.versions.get().name)
    page.keyboard.press("Enter")
    expect(page.locator("#card-title")).to_have_text(city.versions.get().name)


def test_the_address_carries_the_view_and_the_back_button_undoes_it(page, live_server, city):
    name = city.versions.get().county.name
    open_wall(page, live_server)
    page.click(f'[data-columns] [data-county="{name}"]')
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("1")
    assert (page.is_visible("[data-crumb]"), page.is_hidden("[data-panel='2']")) == (True, True)
    address = page.url
    page.go_back()
    assert page.is_visible("[data-panel='2']")
    page.go_back()
    assert page.is_hidden("[data-crumb]")
    page.goto(address)
    page.wait_for_selector("body.is-drawn")
    assert page.inner_text("[data-crumb-name]") == name
    assert page.is_hidden("[data-panel='2']")
    assert page.inner_text("[data-day-label]") == "回放至"


def test_the_shown_counts_are_those_of_the_database_on_any_week(page, live_server, city):
    """Every week of the slider against the facts as of its last day."""
    open_wall(page, live_server)
    last = page.evaluate("wall.state.doc.week")
    for week in random.Random(5).sample(range(last), 6):
        page.evaluate(f"wall.show({week})")
        day = dt.date.fromisoformat(page.inner_text("[data-as-of]"))
        expected = totals(project_facts(day))
        assert [count(page, n) for n in ("not_started", "under_construction", "finished")] == [
            str(getattr(expected, n)) for n in ("not_started", "under_construction", "finished")
        ]


def test_where_buttons_give_way_to_counts_the_list_and_the_drill_down_remain(page, live_server, city, monkeypatch):
    monkeypatch.setattr(charts, "MOST_PROJECTS", -1)
    county = city.versions.get().county.name
    open_wall(page, live_server)
    assert page.evaluate("wall.state.doc.is_dense")
    for week in (page.evaluate("wall.state.doc.week"), 3):
        page.evaluate(f"wall.show({week})")
        expected = totals(project_facts(dt.date.fromisoformat(page.inner_text("[data-as-of]"))))
        shown = [int(count(page, name)) for name in ("not_started", "under_construction", "finished")]
        assert shown == [expected.not_started, expected.under_construction, expected.finished]
    page.keyboard.press("2")
    row = page.locator("[data-catalogue] tr", has_text=county)
    assert [int(cell) for cell in row.locator("td.digit").all_inner_texts()[:4]] == [sum(shown), *shown]
    row.locator("button").click()
    assert page.inner_text("[data-crumb-name]") == county
    page.wait_for_selector(f"[data-catalogue] a[data-open='project:{city.code}']")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(page.locator(f".county-bars [data-county='{county}']")).to_be_visible()
    assert page.faults == []


def test_map_1_takes_marks_by_choice_and_explains_them(page, live_server):
    open_wall(page, live_server)
    for choice, word in (("domain", "水利"), ("lag", "未报"), ("risk", "未报")):
        page.select_option("[data-colour]", choice)
        assert word in page.inner_text("[data-domains]")
        assert page.locator("[data-domains] .swatch").count() >= 1
        assert len(page.evaluate("document.querySelector('[data-map=\"1\"]').data.find((t) => t.name === 'discs').marker.symbol")) == 2
    assert "colour=risk" in page.url


def test_paper_is_light_and_has_no_controls(page, live_server):
    open_wall(page, live_server, "?theme=dark")
    page.emulate_media(media="print")
    page.evaluate("wall.print(true)")
    assert page.get_attribute("html", "data-theme") == "light"
    assert page.is_hidden("[data-slider]")
    page.evaluate("wall.print(false)")
    assert page.get_attribute("html", "data-theme") == "dark"


def test_a_map_is_enlarged_with_its_list_and_back(page, live_server, city):
    open_wall(page, live_server)
    page.keyboard.press("2")
    assert page.is_hidden("[data-panel='1']")
    assert city.versions.get().name in page.inner_text("[data-catalogue]")
    page.keyboard.press("Escape")
    assert page.is_visible("[data-panel='1']")


def test_a_phone_shows_one_map_at_a_time(page, live_server):
    page.set_viewport_size({"width": 390, "height": 844})
    open_wall(page, live_server)
    assert [page.is_visible(f"[data-panel='{n}']") for n in (1, 2, 3)] == [False, True, False]
    page.click(".tabs [data-tab='3']")
    assert [page.is_visible(f"[data-panel='{n}']") for n in (1, 2, 3)] == [False, False, True]
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
