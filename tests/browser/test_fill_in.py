"""The fill-in page as tired people use it: by keyboard, by thumb, over a bad line, two at once, past the lock, from a spreadsheet."""

import io
import re

import pytest
from PIL import ExifTags, Image
from playwright.sync_api import expect

from tests.browser.test_main_journey import open_blocks

FIVE = "c141002"  # has five projects under construction, all handed in when the demo begins
FIRST, SECOND, THIRD = "c141022", "c141027", "c141031"  # have two drafts each
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
REOPEN = """
from linfen_water.models import User
from projects import services
from projects.models import Dispatch, Project
office = User.objects.get(username="office")
own = Project.objects.dispatched_by(User.objects.get(username="c141002"))
for dispatch in Dispatch.objects.filter(is_live=True, week_of="2025-02-17", project__in=own, completed_on=None):
    services.return_dispatch(dispatch=dispatch, remark="请补充", by=office)
"""
LOCK = """
import datetime as dt
from linfen_water import clock
from projects.models import ReportingWeek
ago = lambda **time: clock.now() - dt.timedelta(**time)
ReportingWeek.objects.create(week_of="2025-02-17", opens_at=ago(days=2), deadline_at=ago(minutes=2), locks_at=ago(minutes=1), reason="测试")
"""
UNLOCK = "from projects.models import ReportingWeek; ReportingWeek.objects.all().delete()"


@pytest.fixture
def clerk(person):
    """`clerk("c141022")` opens the page."""
    return lambda username, **context: person(username, "/dispatch/", **context)


@pytest.fixture
def five(site):
    """The five projects wait for a report again."""
    site.manage("shell", "-v", "0", "-c", REOPEN)


def focused(page) -> str:
    return page.evaluate("document.activeElement.name || document.activeElement.value || document.activeElement.tagName")


def state_of(page, code):
    return page.locator(f"#block-{code} [data-save-state]")


def handed_in(page) -> list[str]:
    return page.eval_on_selector_all("[data-block][data-state=submitted]", "blocks => blocks.map(b => b.dataset.block)")


def value(page, name: str) -> str:
    return page.input_value(f"[name='{name}']")


def risen(page, code: str, by: str = "0.5") -> str:
    """A progress a little above what stands there."""
    return f"{float(value(page, f'{code}-physical_progress') or 0) + float(by):g}"


def test_five_projects_are_reported_by_keyboard_only(clerk, five):
    page = clerk(FIVE)
    keys = page.keyboard
    codes = open_blocks(page, "returned")
    assert len(codes) == 5
    expect(page.locator(f"[name='{codes[0]}-physical_progress']")).to_be_focused()
    keys.press("F2")
    expect(page.locator("[data-keys]")).to_be_visible()
    keys.press("Escape")
    for n, code in enumerate(codes):
        expect(page.locator(f"[name='{code}-physical_progress']")).to_be_focused()
        before = value(page, f"{code}-physical_progress")
        if n == 0:  # typed by mistake, set back, typed again, undone, redone
            keys.type("1")
            keys.press("Enter")
            keys.press("Control+z")
            assert value(page, f"{code}-physical_progress") == before
            page.focus(f"[name='{code}-physical_progress']")
        keys.type(risen(page, code))
        page.focus(f"[name='{code}-done']")
        keys.press("End")
        keys.type(f"第{n + 1}项本周新完成一段。")
        keys.press("Control+Enter")
        page.locator(f"#block-{code}[data-state=submitted]").wait_for(state="attached")
    assert set(codes) <= set(handed_in(page))
    assert page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('dispatch:'))") == []


def test_arrows_move_as_in_a_sheet(clerk):
    page = clerk(FIRST)
    keys = page.keyboard
    code = page.locator("[data-block]:has(tbody tr + tr)").first.get_attribute("data-block")
    names = page.eval_on_selector_all(f"#block-{code} tbody input", "cells => cells.map(c => c.name)")
    page.focus(f"[name='{names[0]}']")
    moves = {"ArrowRight": names[1], "ArrowDown": names[5], "ArrowLeft": names[4], "ArrowUp": names[0], "Enter": names[1]}
    for key, name in moves.items():
        keys.press(key)
        assert focused(page) == name, key
    keys.type("1")
    keys.press("Escape")
    assert value(page, names[1]) == page.locator(f"[data-cell]:has([name='{names[1]}'])").get_attribute("data-before")
    keys.press("Control+ArrowDown")
    assert not focused(page).startswith(code)
    area = page.locator(f"[name='{code}-next_steps']")
    area.fill("第一行")
    area.press("Enter")
    area.type("第二行")
    assert area.input_value() == "第一行\n第二行"


def test_a_block_from_a_spreadsheet_is_shown_confirmed_and_undone_at_once(clerk):
    page = clerk(FIRST)
    first, second = open_blocks(page, "draft")[:2]
    name = page.inner_text(f"#block-{second} .block-name")
    old = value(page, f"{first}-physical_progress"), value(page, f"{second}-done")
    page.click("[data-opens-paste]")
    page.fill(
        "#paste-text",
        f"附件：进展表\n编号\t项目名称\t包联领导\t形象进度\t本周进展\n{first}\t\t某\t６６．５％\t\n\n"
        f'\t{name}\t\t约80\t"第一段完成\n第二段开工"\n\t没有的工程\t\t50\n合计\t\t\t99\n',
    )
    dialog = page.locator("[data-paste]")
    expect(dialog.locator("[data-fill]")).to_have_text("填入 2 格")
    said = dialog.inner_text()
    for words in ("不是确数", "不在您本周要填的项目里", "跳过的行和列"):
        assert words in said
    page.keyboard.press("Enter")  # the button has the focus
    assert (value(page, f"{first}-physical_progress"), value(page, f"{second}-done")) == ("66.5", "第一段完成\n第二段开工")
    page.keyboard.press("Control+z")
    assert (value(page, f"{first}-physical_progress"), value(page, f"{second}-done")) == old


def test_figures_copied_in_excel_are_pasted_into_the_table(clerk):
    page = clerk(SECOND)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    code = page.locator("[data-block]:has(tbody tr + tr)").first.get_attribute("data-block")
    names = page.eval_on_selector_all(f"#block-{code} tbody input", "cells => cells.map(c => c.name)")
    page.evaluate("() => navigator.clipboard.writeText('1,000.5\\t900\\n800\\t700\\n')")
    page.focus(f"[name='{names[0]}']")
    page.keyboard.press("Control+v")
    expect(page.locator("[data-fill]")).to_have_text("填入 4 格")
    page.keyboard.press("Enter")
    assert [value(page, names[n]) for n in (0, 1, 4, 5)] == ["1000.5", "900", "800", "700"]


def test_a_line_that_drops_loses_nothing_and_is_made_good(clerk):
    page = clerk(THIRD)
    code = open_blocks(page, "draft")[-1]
    page.context.set_offline(True)
    progress = risen(page, code)
    page.fill(f"[name='{code}-physical_progress']", progress)
    page.fill(f"[name='{code}-done']", "断网时填写的进展。")
    page.locator(f"[name='{code}-done']").press("Control+Enter")
    expect(state_of(page, code)).to_contain_text("恢复后自动提交")
    expect(page.locator("[data-unsaved]")).to_have_text("1 项未存，保留在本机")
    page.context.set_offline(False)
    page.locator(f"#block-{code}[data-state=submitted]").wait_for(state="attached")
    page.reload()
    assert (value(page, f"{code}-physical_progress"), value(page, f"{code}-done")) == (progress, "断网时填写的进展。")


def test_a_browser_that_was_closed_goes_on_where_it_was(clerk):
    page = clerk(THIRD)
    code = open_blocks(page, "draft")[-1]
    page.context.set_offline(True)
    page.fill(f"[name='{code}-next_steps']", "关闭浏览器之前写的")
    expect(state_of(page, code)).to_contain_text("保留在本机")
    page.context.set_offline(False)
    page.route("**/autosave/**", lambda route: route.abort())  # closed before anything went out
    page.reload()
    expect(page.locator("[data-restored]")).to_contain_text(code)
    assert value(page, f"{code}-next_steps") == "关闭浏览器之前写的"
    page.unroute("**/autosave/**")
    page.focus(f"[name='{code}-next_steps']")
    page.keyboard.press("Control+s")
    page.locator(f"#block-{code}[data-state=draft]").wait_for(state="attached")
    page.reload()
    expect(page.locator("[data-restored]")).to_be_hidden()
    assert value(page, f"{code}-next_steps") == "关闭浏览器之前写的"


def test_an_answer_that_was_lost_makes_no_conflict_with_oneself(clerk):
    page = clerk(SECOND)
    code = open_blocks(page, "draft")[-1]
    lost = []

    def swallow(route):
        if not lost:
            lost.append(route.fetch().status)  # it arrived and was saved, only the answer did not come back
            return route.abort()
        return route.continue_()

    page.route("**/autosave/**", swallow)
    page.fill(f"[name='{code}-next_steps']", "第一次")
    page.evaluate("(code) => sheet.flush(code)", code)
    expect(state_of(page, code)).to_contain_text("再试")
    page.fill(f"[name='{code}-next_steps']", "第二次")
    expect(state_of(page, code)).to_contain_text("已自动保存")
    page.evaluate("(code) => sheet.flush(code)", code)
    page.wait_for_function("(code) => !sheet.isTouched(sheet.block(code))", arg=code)
    assert lost == [200]
    page.reload()
    assert value(page, f"{code}-next_steps") == "第二次"


def test_two_clerks_at_once_choose_and_lose_nothing(clerk):
    first, second = clerk(FIRST), clerk(FIRST)
    code = open_blocks(first, "draft")[-1]
    field = f"[name='{code}-next_steps']"
    first.fill(field, "甲的计划")
    first.evaluate("(code) => sheet.flush(code)", code)
    expect(state_of(first, code)).to_contain_text("已自动保存")
    second.fill(f"[name='{code}-hinders']", "乙写的问题")
    second.fill(field, "乙的计划")
    second.evaluate("(code) => sheet.flush(code)", code)
    pick = second.locator(f"#block-{code} .pick")
    expect(pick).to_contain_text("甲的计划")
    assert (value(second, f"{code}-hinders"), value(second, f"{code}-next_steps")) == ("乙写的问题", "乙的计划")
    pick.locator("input[value=theirs]").check()
    second.locator(f"#block-{code} button[value='save:{code}']").click()
    second.locator(f"#block-{code} .notice-success").wait_for()
    first.reload()
    assert (value(first, f"{code}-hinders"), value(first, f"{code}-next_steps")) == ("乙写的问题", "甲的计划")


def test_a_login_that_ended_is_renewed_beside_and_it_goes_on_by_itself(clerk):
    page = clerk(SECOND)
    code = open_blocks(page, "draft")[-1]
    page.fill(f"[name='{code}-next_steps']", "登录过期前写的")
    page.context.clear_cookies()
    page.evaluate("(code) => sheet.flush(code)", code)
    with page.expect_popup() as popup:
        state_of(page, code).locator("a").click()
    login = popup.value
    login.fill("#id_username", SECOND)
    login.fill("#id_password", "yihong-demo-2025")
    login.click("button[type=submit]")
    login.wait_for_load_state()
    page.bring_to_front()
    page.evaluate("window.dispatchEvent(new Event('focus'))")
    page.locator(f"#block-{code}[data-state=draft]").wait_for(state="attached")
    expect(state_of(page, code)).to_contain_text("已自动保存")


def test_who_logs_out_is_asked_about_what_no_server_has(clerk):
    page = clerk(SECOND)
    code = open_blocks(page, "draft")[-1]
    page.route("**/autosave/**", lambda route: route.abort())
    page.fill(f"[name='{code}-next_steps']", "还没有保存")
    asked = []
    page.once("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
    page.click(".account summary")
    page.click("[data-logs-out] button")
    assert code in asked[0]
    assert page.evaluate("Object.keys(localStorage).length") == 1
    page.once("dialog", lambda dialog: dialog.accept())
    page.click("[data-logs-out] button")
    page.wait_for_url("**/accounts/login/")
    assert page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('dispatch:'))") == []


def test_the_lock_passes_while_typing(site, clerk):
    """What was begun before is kept as a draft; handing it in asks why, at its field."""
    page = clerk(THIRD)
    code = open_blocks(page, "draft")[-1]
    page.fill(f"[name='{code}-physical_progress']", risen(page, code))
    site.manage("shell", "-v", "0", "-c", LOCK)
    try:
        page.evaluate("(code) => sheet.flush(code)", code)
        expect(state_of(page, code)).to_contain_text("已自动保存")
        page.locator(f"#block-{code} [data-submit]").click()
        block = page.locator(f"#block-{code}")
        expect(block.locator(".block-reason .field-error")).to_contain_text("本周已锁定")
        page.fill(f"[name='{code}-reason']", "网络故障，未能按时提交")
        block.locator("[data-submit]").click()
        page.locator(f"#block-{code}[data-state=submitted]").wait_for(state="attached")
    finally:
        site.manage("shell", "-v", "0", "-c", UNLOCK)


# ── on a phone ──


def picture() -> bytes:
    """As a phone takes it: lying on its side, with time and place."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = "2025:02:19 15:30:00"
    gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
    gps[1], gps[2], gps[3], gps[4] = "N", (30, 0, 0.0), "E", (120, 0, 0.0)
    target = io.BytesIO()
    Image.new("RGB", (800, 600), (120, 90, 60)).save(target, "JPEG", exif=exif)
    return target.getvalue()


def test_five_projects_are_reported_with_one_thumb(clerk, five):
    page = clerk(FIVE, **PHONE)
    codes = open_blocks(page, "returned")
    cards = page.locator("[data-block].is-current")
    expect(cards).to_have_count(1)
    small = page.eval_on_selector_all(
        ".is-current :is(button, textarea, input:not([type=hidden], [type=file])), .bar button",
        "all => all.filter(e => e.offsetParent && e.getBoundingClientRect().height < 44).map(e => e.name || e.outerHTML)",
    )
    assert small == []
    for code in codes:
        expect(cards).to_have_attribute("data-block", code)
        field = page.locator(f"[name='{code}-physical_progress']")
        assert field.get_attribute("inputmode") == "decimal"
        field.fill(risen(page, code))
        page.fill(f"[name='{code}-done']", "手机上填写的进展。")
        page.tap("[data-card-hand]")
        page.locator(f"#block-{code}[data-state=submitted]").wait_for(state="attached")
        assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert set(codes) <= set(handed_in(page))


def test_a_photo_from_the_phone_is_turned_and_loses_its_place(clerk, person):
    page = clerk(FIRST, **PHONE)
    code = page.locator("[data-block].is-current").get_attribute("data-block")
    block = page.locator(f"#block-{code}")
    page.context.set_offline(True)
    chooser = block.locator("[data-photo-input][name=photos]")
    files = {"IMG_1.jpg": picture(), "b.jpg": b"GIF89a"}
    chooser.set_input_files([{"name": name, "mimeType": "image/jpeg", "buffer": data} for name, data in files.items()])
    expect(block.locator(".photo-queue")).to_contain_text("请不要关闭本页")
    page.context.set_offline(False)
    expect(block.locator(".photo-thumb")).to_have_count(1)
    expect(block.locator(".photo-queue")).to_contain_text("“b.jpg”是 GIF 动图")
    link = block.locator(".photo-thumb img").get_attribute("src").replace("small/", "")
    answer = page.request.get(link)
    image = Image.open(io.BytesIO(answer.body()))
    assert (image.size, dict(image.getexif())) == ((600, 800), {})
    office = person("office", f"/projects/{code}/photos/")
    said = office.inner_text("main")
    assert "拍摄于 2025-02-19 15:30" in said
    assert re.search(r"拍摄地点距项目点位约 \d{3} 公里", said)
