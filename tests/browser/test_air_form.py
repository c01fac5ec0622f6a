"""An air ranking as it is typed: by keyboard, by a block from a spreadsheet; nothing typed is lost with the login."""

from playwright.sync_api import expect

from projects.demo.accounts import DEMO_PASSWORD
from tests.browser.test_readings import PASTE, focused

NEW = "/ledgers/air/new/"


def cells(page):
    return page.locator("[data-lines] tbody input")


def focus(page, row: int, column: int):
    cell = page.locator(f"[data-lines] tbody tr:nth-child({row}) input").nth(column - 1)
    cell.focus()
    return cell


def test_keys_move_as_in_a_sheet(person):
    page = person("office", NEW)
    names = cells(page).evaluate_all("all => all.map(one => one.getAttribute('aria-label'))")
    focus(page, 1, 1)
    for pressed, at in (
        ("Enter", 4),
        ("ArrowRight", 5),
        ("ArrowUp", 1),
        ("ArrowLeft", 0),
        ("ArrowUp", 0),
        ("ArrowDown", 4),
        ("Shift+Enter", 0),
    ):
        page.keyboard.press(pressed)
        assert focused(page) == names[at], pressed
    focus(page, len(names) // 4, 1)
    page.keyboard.type("4.5")
    page.keyboard.press("Enter")
    assert focused(page) == names[1], "on to the head of the next column"
    assert page.url.endswith(NEW), "Enter saves nothing"


def test_a_pasted_block_survives_a_lost_login_and_its_draft_ends_when_it_is_saved(person):
    page = person("office", NEW)
    for name, value in (("starts_on", "2024-06-01"), ("ends_on", "2024-06-30"), ("published_on", "2024-07-10"), ("source", "演示数据")):
        page.fill(f"[name={name}]", value)
    rows = page.locator("[data-lines] tbody tr").count()
    focus(page, 1, 1)
    page.evaluate(PASTE, "4.01\t −5.3% \t45\t—\r\n 4.12\t0.8%\t46\t2.1％\r\n")
    expect(page.locator(".toast")).to_have_text("已粘贴 7 格")
    for n, value in enumerate(("4.01", "-5.3", "45", "", "4.12", "0.8", "46", "2.1")):
        expect(cells(page).nth(n)).to_have_value(value)
    focus(page, rows, 4)
    page.evaluate(PASTE, "1.5%\t9.9\n7\t—\n")
    expect(page.locator(".toast")).to_contain_text("已粘贴 1 格；有 2 个不是数值或落在表外")
    expect(page.locator(".toast")).to_contain_text("9.9、7")

    page.context.clear_cookies(name="sessionid")
    page.click("button[value=check]")
    page.wait_for_url("**/accounts/login/**")
    page.fill("#id_username", "office")
    page.fill("#id_password", DEMO_PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_url(f"**{NEW}")
    expect(page.locator("[data-restored]")).to_contain_text("没有保存的填写")
    expect(page.locator("[name=ends_on]")).to_have_value("2024-06-30")
    expect(cells(page).nth(4)).to_have_value("4.12")

    page.fill("[name=source]", "")
    page.click("button[value=check]")
    expect(page.locator("[role=alert]")).to_contain_text("数据来源")
    page.goto(NEW)
    expect(page.locator("[data-restored]"), "what was refused is kept too").to_be_visible()
    page.fill("[name=source]", "演示数据")
    page.click("button[value=check]")
    expect(page.locator(".messages")).to_contain_text("已保存“2024年6月”")
    page.goto(NEW)
    expect(page.locator("[data-restored]")).to_be_hidden()
    expect(cells(page).nth(4)).to_have_value("")


def test_a_correction_is_kept_and_can_be_given_up(person):
    page = person("office", "/ledgers/air/")
    page.locator("a[href^='/ledgers/air/'][href$='/edit/']").first.click()
    was = cells(page).first.input_value()
    cells(page).first.fill("6.66")
    page.reload()
    expect(page.locator("[data-restored]")).to_contain_text("1 处")
    expect(cells(page).first).to_have_value("6.66")
    page.click("text=不恢复，用已保存的")
    expect(cells(page).first).to_have_value(was)
    page.reload()
    expect(page.locator("[data-restored]")).to_be_hidden()
