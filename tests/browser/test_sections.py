"""The page of all sections in a real Chromium: narrowed without a reload, sorted, copied, on a phone and on paper."""

from urllib.parse import parse_qs, urlsplit

import pytest

PAGE = "/sections/"
SHOWN = ".sheet tbody th.pin a"


def names(page) -> list[str]:
    return page.locator(SHOWN).all_inner_texts()


@pytest.fixture
def page(person):
    page = person("office", PAGE)
    page.faults = []
    page.on("console", lambda message: message.type == "error" and page.faults.append(message.text))
    yield page
    assert page.faults == []


def test_the_years_are_drawn_and_the_words_copied(page):
    page.wait_for_selector("[data-figure='years-figure'].js-plotly-plot .bars .point", state="attached")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="复制这段话").click()
    page.wait_for_selector("text=已复制")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("【演示数据】")
    assert [line.strip() for line in copied.splitlines()] == [text.strip() for text in page.locator("#report-words p").all_inner_texts()]


def test_narrowing_sorting_and_another_period_keep_each_other_in_the_address(page):
    every = names(page)
    page.select_option("#id_level", "national")
    page.wait_for_url("**level=national*")
    national = names(page)
    assert 0 < len(national) < len(every)
    page.click(".sheet thead a:text-is('氨氮')")
    page.wait_for_url("**sort=nh3n*")
    assert page.locator("th[aria-sort=ascending]").count() == 1
    earlier = page.locator("#id_period option").nth(2)
    value, words = earlier.get_attribute("value"), earlier.inner_text()
    page.select_option("#id_period", value)
    page.wait_for_selector(f"h1:has-text('{words}')")
    assert "level=national" in page.url
    assert "sort=nh3n" in page.url
    assert sorted(names(page)) == sorted(national)
    page.click("text=清除筛选")
    page.wait_for_url(lambda address: "level" not in address)
    assert len(names(page)) == len(every)
    page.go_back()
    page.wait_for_url("**level=national*")
    page.wait_for_selector("#id_level option[value=national][selected]", state="attached")
    assert sorted(names(page)) == sorted(national)


def test_each_kind_of_period_opens_and_a_name_leads_to_its_section(page):
    for kind, word in [("季", "季度"), ("1—N月累计", "1—"), ("年", "年")]:
        page.click(f".period-kinds >> text='{kind}'")
        page.wait_for_selector(f".period-kinds strong:text-is('{kind}')")
        assert word in page.inner_text("h1")
    name = names(page)[0]
    page.locator(SHOWN).first.click()
    page.wait_for_url("**/sections/*/")
    assert name in page.inner_text("h1")


def test_a_phone_scrolls_only_within_the_tables_and_keeps_the_names(person):
    page = person("c141002", PAGE, viewport={"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    frame, first = page.locator(".sheet-scroll"), page.locator(SHOWN).first
    before = first.bounding_box()["x"]
    frame.evaluate("(box) => { box.scrollLeft = 400 }")
    assert first.bounding_box()["x"] == pytest.approx(before, abs=1)


def test_without_scripts_the_page_reads_and_narrows(person, site):
    page = person("leader", PAGE, java_script_enabled=False)
    every = names(page)
    page.select_option("#id_level", "national")
    page.get_by_role("button", name="查看").last.click()
    page.wait_for_url("**level=national*")
    assert 0 < len(names(page)) < len(every)
    assert page.locator("[data-copy]").is_hidden()


def test_on_paper_the_table_has_its_own_sheet(page):
    page.emulate_media(media="print")
    assert page.locator(".periods").is_hidden()
    assert page.locator(".sheet thead").evaluate("(head) => getComputedStyle(head).display") == "table-header-group"
    assert page.locator(".sheet-scroll").evaluate("(box) => box.scrollHeight - box.clientHeight") <= 1


def test_on_paper_the_ledger_breaks_no_river_and_no_remark_a_character_a_line(person):
    page = person("office", "/ledgers/sections/")
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 1047, "height": 718})  # A4 across
    sheet = parse_qs(urlsplit(page.locator("link[href*='columns.css']").get_attribute("href")).query)  # which look stands at which places

    def cells(look: str):
        return page.locator(", ".join(f".ledger-table tbody td:nth-child({place})" for place in sheet[look][0].split(".")))

    widths = cells("remark").evaluate_all("cells => cells.map(cell => cell.offsetWidth)")
    assert widths
    assert min(widths) >= 50
    lines = """cells => cells.map(cell => {
      const text = document.createRange()
      text.selectNodeContents(cell)
      return text.getClientRects().length
    })"""
    assert set(cells("keep").evaluate_all(lines)) == {1}
