"""A month's values as the people of the water type them: by keyboard, by paste, from a workbook; nothing typed is lost."""

import io
import re

import openpyxl
from playwright.sync_api import expect

MONTH = "/sections/readings/?month=2025-02"
DUE = ("pH值", "溶解氧", "高锰酸盐指数", "氨氮", "总磷")
PASTE = """text => {
  const data = new DataTransfer()
  data.setData("text/plain", text)
  document.activeElement.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }))
}"""


def focused(page) -> str:
    return page.evaluate("document.activeElement.getAttribute('aria-label') ?? ''")


def row_of(page, name: str):
    return page.locator(f"tbody:has(th a:text-is('{name}'))")


def lines(page) -> list[str]:
    """Names of the sections in the order of the sheet."""
    return page.locator("tbody th > a").all_inner_texts()


def cell(page, name: str, item: str):
    return page.get_by_label(f"{name} {item}", exact=True)


def test_a_month_is_filled_by_keyboard_and_paste_survives_a_lost_login_and_is_judged(person):
    page = person("eco", MONTH)
    first, second, third = lines(page)[:3]
    cell(page, first, "采样日期").click()
    for keys, label in (("9", f"{first} 采样日期"), ("8.1", f"{first} pH值")):
        assert focused(page) == label
        page.keyboard.type(keys)
        page.keyboard.press("ArrowRight")
    assert focused(page) == f"{first} 溶解氧"
    page.keyboard.type("9.9")
    page.keyboard.press("Enter")
    assert focused(page) == f"{second} 溶解氧"
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Tab")
    assert focused(page) == f"{first} 高锰酸盐指数"
    page.keyboard.type("77")
    page.keyboard.press("Escape")
    expect(cell(page, first, "高锰酸盐指数")).to_have_value("")

    columns = page.locator("thead th").evaluate_all("heads => heads.slice(2, -2).map(head => head.firstChild.textContent.trim())")
    values = {"pH值": "8.1", "溶解氧": "9.9", "高锰酸盐指数": "3.6", "氨氮": "1.2", "总磷": "0.09", "化学需氧量": "12"}
    block = "\t".join(values.get(name, "0.4") for name in columns)
    cell(page, first, "pH值").focus()
    page.evaluate(PASTE, f"{block}\n{block}\n")
    expect(page.locator(".toast")).to_contain_text("已粘贴")
    expect(row_of(page, second).locator(".verdict .water-class")).to_have_text("Ⅳ")
    expect(cell(page, second, "氨氮")).to_have_class(re.compile("is-over"))
    for name in DUE:
        expect(cell(page, second, name)).to_have_value(values[name])
    cell(page, third, "采样情况").select_option(label="结冰")
    expect(row_of(page, third).locator(".verdict .water-class")).to_have_text("结冰")

    page.context.clear_cookies(name="sessionid")
    page.click("text=保存全部")
    page.wait_for_url("**/accounts/login/**")
    page.fill("#id_username", "eco")
    page.fill("#id_password", "yihong-demo-2025")
    page.click("button[type=submit]")
    page.wait_for_url("**/sections/readings/**")
    expect(page.locator("[data-restored]")).to_contain_text("没有保存的填写")
    expect(cell(page, second, "氨氮")).to_have_value("1.2")
    expect(row_of(page, second).locator(".verdict .water-class")).to_have_text("Ⅳ")

    page.click("text=保存全部")
    page.wait_for_url("**saved=**")
    receipt = page.locator(".receipt")
    expect(receipt.locator(f"li:has-text('{second}') .water-class")).to_have_text("Ⅳ")
    expect(receipt.locator(f"li:has-text('{third}') .water-class")).to_have_text("结冰")
    expect(page.locator("[data-restored]")).to_be_hidden()
    page.goto(MONTH)
    expect(page.locator("[data-restored]")).to_be_hidden()
    expect(cell(page, second, "氨氮")).to_have_value("1.2")

    cell(page, second, "氨氮").focus()
    row_of(page, second).get_by_text("氨氮来历").click()
    expect(page.locator("#history")).to_contain_text("网页填报")
    expect(page.locator("#history tbody tr")).to_have_count(1)
    cell(page, second, "氨氮").fill("0.9")
    page.click("text=保存全部")
    expect(page.locator(".notice-error")).to_contain_text("请写明更正理由")
    page.fill("#reason", "实验室更正报告")
    page.click("text=保存全部")
    page.wait_for_url("**saved=**")
    expect(page.locator(".receipt")).to_contain_text("更正 1 个")


def test_a_workbook_with_two_errors_is_mended_and_confirmed(person, tmp_path):
    page = person("office", "/sections/import/")
    with page.expect_download() as download:
        page.click("text=下载填报表")
    book = openpyxl.load_workbook(io.BytesIO(download.value.path().read_bytes()))
    sheet = book.active
    heads = {cell.value: cell.column for cell in sheet[3]}
    row = next(row for row in range(5, sheet.max_row + 1) if sheet.cell(row, 2).value is None)
    filled = {"采样日期": "2025-02-11", "pH值": 8, "溶解氧": 9, "高锰酸盐指数": 3, "氨氮": "50 μg/L", "总磷": "abc"}
    row = sheet.max_row  # the last section: nobody else's journey writes it
    for name, value in filled.items():
        sheet.cell(row, heads[name]).value = value
    book.save(tmp_path / "二月.xlsx")
    page.set_input_files("#id_file", tmp_path / "二月.xlsx")
    page.click("button:has-text('核对')")
    expect(page.locator("[role=alert]")).to_contain_text("有 2 处错误，没有写入任何数据")
    wrong = page.locator("section:has(h2:text-is('错误')) tbody tr")
    expect(wrong).to_have_count(2)
    expect(wrong.first).to_contain_text(str(row))

    sheet.cell(row, heads["氨氮"]).value, sheet.cell(row, heads["总磷"]).value = 0.05, "<0.01"
    book.save(tmp_path / "二月（改）.xlsx")
    page.set_input_files("#id_file", tmp_path / "二月（改）.xlsx")
    page.click("button:has-text('重新核对')")
    expect(page.locator("section:has(h2:text-is('变化')) tbody tr")).to_have_count(5)
    page.click("text=确认写入")
    page.wait_for_url("**done=**")
    expect(page.locator(".receipt")).to_contain_text("新增 5")
    page.goto(MONTH)
    expect(cell(page, sheet.cell(row, 1).value, "总磷")).to_have_value("<0.01")
