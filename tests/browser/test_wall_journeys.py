"""The wall as people use it: a leader reads it, the office turns a button and takes it back, a phone, a screen without a login."""

import collections
import contextlib
import csv
import os
import random
import re
import signal
import time
from pathlib import Path
from urllib.parse import urlparse

from PIL import Image
from playwright.sync_api import expect

expect.set_options(timeout=20_000)
STAGES = ("not_started", "under_construction", "finished")


def drawn(page) -> None:
    page.wait_for_selector("body.is-drawn")


def counts(page) -> list[int]:
    return [int(page.inner_text(f"[data-count={name}]")) for name in STAGES]


def under_construction(page) -> str:
    """A project that is being built now; other journeys have finished some since the demo began."""
    return page.evaluate(
        """() => {
          const { code, start_week: start, finish_week: finish } = window.wall.state.doc.projects
          return code.findLast((_, i) => start[i] !== null && finish[i] === null)
        }"""
    )


def test_a_leader_goes_from_the_city_to_a_county_to_a_project_and_turns_nothing(person):
    page = person("leader", "/wall/")
    outside = []
    page.on("request", lambda request: outside.append(request.url))
    drawn(page)
    assert sum(counts(page)) == 95
    page.click("[data-county='洪洞县']")
    expect(page.locator("[data-crumb-name]")).to_have_text("洪洞县")
    assert sum(counts(page)) == page.locator("[data-list] tbody tr").count()
    page.locator("[data-list] a").first.click()
    expect(page.locator("#card-title")).to_contain_text("洪洞县")
    assert page.locator("[data-magnet]").count() == 0
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.keyboard.press("3")
    page.locator("[data-catalogue] a").first.click()
    expect(page.locator("[data-drawer] .months li")).to_have_count(13, timeout=30_000)
    assert {urlparse(url).hostname for url in outside if url.startswith("http")} <= {"127.0.0.1"}


def test_the_counts_shown_are_those_of_the_table_of_any_week(person):
    """Replayed in the browser from two weeks a project; the table is made by the server from the facts of that day."""
    page = person("leader", "/wall/")
    drawn(page)
    seed = random.randrange(10**6)
    last = page.evaluate("wall.state.doc.week")
    for week in [0, *random.Random(seed).sample(range(1, last), 8), last]:
        page.evaluate("week => wall.show(week)", week)
        day = page.inner_text("[data-as-of]")
        table = page.context.request.get(f"/api/wall.csv?as_of={day}").body().decode("utf-8-sig")
        stages = collections.Counter(row["状态"] for row in csv.DictReader(table.splitlines()))
        assert counts(page) == [stages["前期"], stages["开工"], stages["完工"]], f"week {week}, {day}, seed {seed}"
        shapes = page.evaluate("document.querySelector('[data-map=\"2\"]').data.find((t) => t.name === 'magnets').marker.symbol")
        drawn_of = collections.Counter(shapes)
        assert [drawn_of["diamond"], drawn_of["square"], drawn_of["circle"]] == counts(page), f"week {week}, seed {seed}"


def test_the_ground_takes_part_in_everything_that_the_maps_do(person):
    """It lies in the page under the plots: the same piece of land, in the theme's colours, its lines no thicker near by."""
    page = person("leader", "/wall/?theme=dark")
    drawn(page)
    river = """() => {
      const line = document.querySelector(".ground-main"), ground = document.querySelector('[data-ground="2"]')
      return { fill: getComputedStyle(document.querySelector(".ground-land")).fill, box: ground.viewBox.baseVal.width,
        pixel: parseFloat(ground.style.getPropertyValue("--pixel")), effect: getComputedStyle(line).vectorEffect }
    }"""
    whole = page.evaluate(river)
    page.click("[data-county='洪洞县']")
    near = page.evaluate(river)
    assert near["box"] < whole["box"] / 2
    assert near["pixel"] < 1.5 * whole["pixel"]
    assert near["effect"] == "non-scaling-stroke"
    frame = page.evaluate("""() => { const { layout } = document.querySelector('[data-map="2"]'); return layout.xaxis.range }""")
    assert abs(frame[1] - frame[0] - near["box"]) < 0.01
    page.click("[data-theme-button]")
    assert page.evaluate(river)["fill"] != whole["fill"]


def test_a_map_is_saved_as_a_picture_with_ground_and_chinese(person, tmp_path):
    """With the product's own faces: this may run where no Chinese face is installed, and then there would be boxes."""
    page = person("leader", "/wall/?theme=light")
    drawn(page)
    with page.expect_download(timeout=60_000) as started:
        page.click("[data-picture='1']")
    started.value.save_as(tmp_path / "map.png")
    picture = Image.open(tmp_path / "map.png").convert("RGB")
    assert picture.width == 3840
    colours = {colour: n for n, colour in picture.getcolors(picture.width * picture.height)}
    assert colours[(255, 253, 248)] > 0.1 * picture.width * picture.height  # the land
    assert colours[(201, 164, 78)] > 1000  # 黄河


def test_a_phone_prints_the_whole_wall(person):
    page = person("leader", "/wall/", viewport={"width": 390, "height": 844})
    drawn(page)
    page.emulate_media(media="print")
    page.evaluate("wall.print(true)")
    boxes = [page.locator(f"[data-map='{n}'] .main-svg").first.bounding_box() for n in (1, 2, 3)]
    assert len({(box["width"], box["y"]) for box in boxes}) == 1
    assert page.get_attribute("html", "data-theme") == "light"
    page.emulate_media(media="screen")
    page.evaluate("wall.print(false)")
    assert [page.is_visible(f"[data-panel='{n}']") for n in (1, 2, 3)] == [False, True, False]


def test_a_screen_reloads_itself_by_night_and_for_a_new_release(person):
    page = person("leader", "/wall/")
    page.add_init_script("Math.random = () => 0.5")  # the minute of the hour that a screen draws for itself: half past three
    page.clock.install(time="2025-02-20T01:50:00+08:00")
    page.goto("/wall/?kiosk=3600")
    drawn(page)
    page.evaluate("window.isFirst = true")
    page.clock.fast_forward("01:35:00")
    assert page.evaluate("window.isFirst")
    with page.expect_navigation():  # one step: another one would meet the new page half loaded, and its requests out of time
        page.clock.fast_forward("00:07:00")
    drawn(page)
    page.evaluate("window.isFirst = true")
    with page.expect_navigation():
        page.evaluate("wall.state.doc.release = 'another'; document.dispatchEvent(new CustomEvent('wall:data'))")
    drawn(page)
    assert page.evaluate("window.isFirst") is None


def test_the_office_turns_a_button_and_takes_it_back(person):
    page = person("office", "/wall/")
    drawn(page)
    before = counts(page)
    code = under_construction(page)
    page.keyboard.press("/")
    page.keyboard.type(code)
    expect(page.locator("[data-finder] [role=option]")).to_have_count(1)
    page.keyboard.press("Enter")
    page.click("[data-magnet] summary")
    page.fill("#id_note", "临环验〔2025〕3号")
    page.fill("#id_on", "2025-03-01")
    page.click("[data-magnet] .primary")
    expect(page.locator("[data-drawer] .fault").first).to_contain_text("还没有发生")
    assert page.input_value("#id_note") == "临环验〔2025〕3号"  # nothing typed is lost
    page.fill("#id_on", "2025-02-19")
    page.select_option("#id_kind", "验收文件")
    page.click("[data-magnet] .primary")
    expect(page.locator("[data-drawer] [role=status]")).to_contain_text("已登记：完工 2025-02-19")
    expect(page.locator("[data-count=finished]")).to_have_text(str(before[2] + 1))
    page.click("[data-withdraw] summary")
    page.fill("#undo-reason", "验收未通过")
    page.click("[data-withdraw] .danger")
    expect(page.locator("[data-drawer] [role=status]")).to_contain_text("已撤销")
    expect(page.locator("[data-count=finished]")).to_have_text(str(before[2]))
    page.goto(f"/projects/{code}/")
    trail = page.inner_text(".trail")
    assert "撤销开工完工登记" in trail
    assert "临环验〔2025〕3号" in trail


def test_a_phone_opens_cards_as_a_sheet_and_finds_by_touch(person):
    page = person("leader", "/wall/", viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    drawn(page)
    page.click("[data-find-button]")
    page.fill("[data-finder] input", "hongtong")
    page.locator("[data-finder] [role=option]").first.click()
    expect(page.locator("#card-title")).to_contain_text("洪洞")
    box = page.locator("[data-drawer]").bounding_box()
    assert (box["x"], box["width"]) == (0, 390)
    page.click("[data-close]")
    page.click(".tabs [data-tab='3']")
    assert page.is_visible("[data-panel='3']")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_screen_is_paired_takes_turns_and_outlives_the_server(site, person, chromium):
    office = person("office", "/accounts/")
    office.fill("#kiosk-name", "三楼会议室")
    office.click("text=登记一块大屏")
    code = office.inner_text("code.once")
    context = chromium.new_context(base_url=site.url, viewport={"width": 1920, "height": 1080}, locale="zh-CN")
    screen = context.new_page()
    screen.goto("/screen/")
    screen.fill("#id_code", code)
    screen.click("button[type=submit]")
    drawn(screen)
    assert screen.url.endswith("/wall/?kiosk=40")
    screen.evaluate("wallKiosk.next(); wallKiosk.next()")  # the first is everything, then map 1 alone
    assert screen.get_attribute("body", "data-focus") == "1"
    shown = counts(screen)
    supervisor, web = _processes(site)
    os.kill(supervisor, signal.SIGSTOP)  # it would start a new one at once
    try:
        os.kill(web, signal.SIGKILL)
        time.sleep(1)
        screen.evaluate("wall.refresh()")
        expect(screen.locator("[data-fresh]")).to_contain_text("数据未刷新")
        screen.evaluate("wallKiosk.next()")
        assert screen.get_attribute("body", "data-focus") == "2"  # goes on with the last picture
        screen.clock.install()
        screen.clock.fast_forward(12 * 60_000)
        expect(screen.locator("[data-fresh]")).to_contain_text(re.compile(r"已 1[123] 分钟"))
    finally:
        os.kill(supervisor, signal.SIGCONT)
    _until(lambda: screen.evaluate("wall.refresh().then(() => wall.state.fault === '')"))
    expect(screen.locator("[data-fresh]")).to_contain_text("在线")
    assert counts(screen) == shown
    office.on("dialog", lambda dialog: dialog.accept())
    _until(lambda: office.goto("/accounts/").status == 200)
    office.click("text=撤销 >> nth=-1")
    _until(lambda: "登记已撤销" in screen.evaluate("wall.refresh().then(() => wall.state.fault)"))
    context.close()


def _processes(site) -> tuple[int, int]:
    """The supervisor and the web server's first process, by the address that both were given."""
    address, found = urlparse(site.url).netloc.encode(), {}
    for folder in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            line = (folder / "cmdline").read_bytes() if folder.name.isdigit() else b""
            if address in line and (b"serve\0" in line or b"gunicorn" in line):
                found.setdefault(b"gunicorn" in line, []).append(int(folder.name))
    return min(found[False]), min(found[True])


def _until(holds, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(Exception):
            if holds():
                return
        time.sleep(0.5)
    raise AssertionError("did not come true")
