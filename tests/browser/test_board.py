"""The office chases, a robot fails and recovers, a county is told and reports, the office's open board shows it and is checked from."""

import json
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import expect

COUNTY, CODE, NAME = "c141033", "141033", "蒲县"
PATIENCE = 90_000  # milliseconds: the first attempt fails, the second waits for its turn


@pytest.fixture
def robot():
    """A chat group's robot that fails the first time."""
    heard = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            said = b'{"errcode":0,"errmsg":"ok"}'
            self.send_response(500 if len(heard) == 1 else 200)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    server.heard, server.address_told = heard, f"http://127.0.0.1:{server.server_port}/send?key=only-for-tests"
    yield server
    server.shutdown()
    server.server_close()


def unit(page):
    return page.locator(f"#unit-{CODE}")


def test_from_the_chase_to_the_check(person, robot):
    office = person("office", "/notices/channels/", permissions=["clipboard-read", "clipboard-write"])
    office.fill("#id_name", "县区群")
    office.fill("#id_address", robot.address_told)
    office.get_by_role("button", name="建立").click()
    expect(office.locator("main")).to_contain_text("http://127.0.0.1/…ests")
    expect(office.locator("main")).not_to_contain_text("only-for-tests")

    office.goto("/dispatch/board/")
    expect(unit(office)).to_contain_text("欠 2 项")
    expect(office.locator("[data-clock-digits]")).to_have_text(re.compile(r"\d\d:\d\d:\d\d|月"))
    office.locator("[data-copy-text]").click()
    expect(office.locator("[data-copy-text]")).to_have_text("已复制，可粘贴到群里")
    copied = office.evaluate("navigator.clipboard.readText()")
    assert f"{NAME.removesuffix('县')}（2项）：" in copied.replace("蒲县", "蒲")
    assert len(copied.splitlines()) > 3

    office.on("dialog", lambda dialog: dialog.accept())
    office.get_by_role("button", name="发送提醒").click()
    again = office.get_by_role("button", name="仍要再发")
    office.wait_for_load_state()
    if again.count():  # the calendar reminded them less than an hour ago
        again.click()
    expect(office.locator(".messages")).to_contain_text("1 条经群机器人或邮件在后台发送")

    clerk = person(COUNTY)
    expect(clerk.locator(".bell b")).to_be_visible()
    clerk.click(".bell")
    clerk.get_by_role("link", name="去办理").first.click()
    clerk.wait_for_url("**/dispatch/?week=*")

    unit(office).locator("summary").first.click()
    code = clerk.eval_on_selector("[data-block][data-state=none]", "block => block.dataset.block")
    block = clerk.locator(f"#block-{code}")
    if block.get_attribute("open") is None:
        block.locator("summary").first.click()
    block.locator("button[value^=same]").first.click()
    clerk.locator(f"#block-{code}[data-state=submitted]").wait_for(state="attached")

    office.evaluate("htmx.trigger('#poll', 'refresh')")
    expect(unit(office)).to_contain_text("欠 1 项")
    assert unit(office).get_attribute("open") is not None  # the refresh folds nothing
    assert office.url.endswith("/dispatch/board/")
    same = office.locator("#same-list")
    same.locator("summary").click()
    expect(same).to_contain_text(code)
    same.locator("[data-pick-all] input").check()
    same.get_by_role("button", name="通过所选").click()
    expect(office.locator(".messages")).to_contain_text("已审核通过")

    unit(office).locator("summary").first.click()
    row = unit(office).locator("tr", has_text=code)
    expect(row).to_contain_text("已核")
    row.get_by_placeholder("退回意见").fill("请补充本周完成的工程量")
    row.get_by_role("button", name="退回").click()
    expect(office.locator(".messages")).to_contain_text(f"{code} 已退回")
    clerk.goto("/notices/?show=new")
    expect(clerk.locator(".told-row").first).to_contain_text("已退回：请补充本周完成的工程量")

    end = time.monotonic() + PATIENCE / 1000
    while len(robot.heard) < 2 and time.monotonic() < end:
        time.sleep(1)
    assert robot.heard[0] == robot.heard[1]
    time.sleep(1)
    office.goto("/notices/channels/")
    expect(office.locator("main")).to_contain_text("已送达")


def test_a_board_that_is_being_typed_on_is_not_drawn_anew(person):
    office = person("office", "/dispatch/board/")
    office.fill("#chase-note", "今天务必")
    office.evaluate("document.getElementById('board').dataset.etag = '\"old\"'")
    office.evaluate("htmx.trigger('#poll', 'refresh')")
    expect(office.locator("#board-news")).to_be_visible()
    assert office.input_value("#chase-note") == "今天务必"


def test_the_board_fits_a_phone(person):
    office = person("office", "/dispatch/board/", viewport={"width": 390, "height": 844})
    office.locator("details.unit > summary").first.click()
    assert office.evaluate("document.documentElement.scrollWidth") <= 390
