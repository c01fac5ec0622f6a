"""A quarter's appraisal from the facts to the paper: every score opened down to its rows, a fact added, the score moved, the PDF."""

import io
import re
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

from pdfminer.high_level import extract_text
from playwright.sync_api import expect

QUARTER = "/assessment/?period=quarter"
ECOLOGY, DOMAIN = "eco", "生态环境"
WAITING_WEEK, WAITING = "2025-02-10", "LF-050"  # handed in and not yet checked
COUNTY, COUNTY_ROW = "c141081", "141081"


def unit(page, kind: str, key: str):
    return page.locator(f"tr#{kind}-{key}")


def lines(row) -> dict[str, list[str]]:
    """`{label: [numerator, denominator, rate, weight, points, points before]}` of a unit's parts, opened by hand."""
    details = row.locator("details")
    if details.get_attribute("open") is None:
        details.locator("summary").click()
    rows = row.locator(".score-parts tbody tr").all()
    return {one.locator("th").inner_text(): [cell.strip() for cell in one.locator("td").all_inner_texts()] for one in rows}


def number(text: str) -> Decimal:
    return Decimal(re.sub(r"[^\d.−-]", "", text).replace("−", "-") or 0)


def rows_behind(page, source: str):
    """The ledger that a part's name leads to, opened whole."""
    page.goto(source)
    expect(page.locator("tbody tr[data-k]").first).to_be_visible()
    assert page.locator(".pager a[href*='page=']:not([href*='per_page='])").count() == 0  # all rows of one unit are on one page
    return page.locator("tbody tr[data-k]")


def test_a_quarters_appraisal_from_the_facts_to_the_paper(person):
    office = person("office", "/assessment/")
    office.click("nav.tabs a:text-is('本季度，与上季度比')")
    expect(office.locator(".page-head")).to_contain_text("2025年第一季度考核")
    expect(office.locator(".page-head")).to_contain_text("自 2025-01-01 起计")

    # every score of a county opens down to its rows
    row = unit(office, "county", COUNTY_ROW)
    found = lines(row)
    points = {label: number(cells[-2]) for label, cells in found.items() if cells[2] != "不参评"}
    weights = sum(number(cells[-3]) for cells in found.values() if cells[2] != "不参评")
    score = number(row.locator("td strong").inner_text())
    assert abs(sum(points.values()) * 100 / weights - score) < Decimal("0.05")  # each part is shown rounded
    sources = {a.inner_text(): a.get_attribute("href") for a in row.locator(".score-parts th a").all()}
    assert set(points) <= set(sources)
    for label, source in sources.items():
        behind = rows_behind(office, source)
        assert parse_qs(urlsplit(source).query).keys() & {"county", "unit"}, label
        if label in ("完工率", "开工率"):
            assert behind.count() == number(found[label][1])
            wanted = ["完工"] if label == "完工率" else ["完工", "开工"]
            place = [th.get_attribute("data-c") for th in office.locator("th[data-c]").all()].index("stage")
            stages = [text.strip() for text in behind.locator(f"td:nth-child({place + 1})").all_inner_texts()]
            assert sum(stage in wanted for stage in stages) == number(found[label][0]), stages

    # a department checks a dispatch of last week's, and its score moves by that one
    office.goto(QUARTER)
    before = lines(unit(office, "department", ECOLOGY))
    assert {"工程建设", "完工率", "投资完成率"} <= before.keys()  # both shares of what is averaged
    department = person(ECOLOGY, f"/dispatch/?week={WAITING_WEEK}")
    department.locator(f"tr:has-text('{WAITING}') button[value=accept]").click()
    expect(department.locator(".notice-success").first).to_be_visible()
    office.goto(QUARTER)
    after = lines(unit(office, "department", ECOLOGY))
    assert number(after["日常调度"][0]) == number(before["日常调度"][0]) + 1
    assert number(after["日常调度"][1]) == number(before["日常调度"][1])
    assert number(after["日常调度"][4]) > number(before["日常调度"][4])
    moved = unit(office, "department", ECOLOGY)
    expect(moved.locator(".score-before")).to_contain_text(re.compile(r"得分(升|降)[\d.]+分|得分持平"))

    # the paper says what the page says
    scores = {
        row.locator("th").first.inner_text(): row.locator("td strong").inner_text() for row in office.locator("tr[id^=county-]").all()
    }
    paper = office.request.get(office.locator(".page-head a:text-is('PDF')").get_attribute("href"))
    text = re.sub(r"\s", "", extract_text(io.BytesIO(paper.body())))
    assert "2025年第一季度" in text
    assert "与2024年第四季度（截至2024年12月31日）相比" in text
    assert len(scores) == 18
    for name, said in scores.items():
        assert re.sub(r"\s", "", name) in text
        assert said in text
    assert after["日常调度"][4] in text


def test_a_county_reads_its_own_score_on_the_phone(person):
    page = person(COUNTY, "/assessment/", viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page.goto(QUARTER)
    expect(page.locator("tr[id^=county-]")).to_have_count(1)
    expect(page.locator("tr[id^=department-]")).to_have_count(0)
    assert "完工率" in lines(unit(page, "county", COUNTY_ROW))
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    link = page.locator(".score-parts th a").first
    link.click()
    expect(page.locator("tbody tr[data-k]").first).to_be_visible()
