"""Money from the paper to the ledger: the office registers what was issued, the county reports what came, the sums follow everywhere."""

import csv
import io
import re
from decimal import Decimal

from playwright.sync_api import expect

from tests.browser.test_main_journey import open_block

COUNTY = "c141022"
PAPER = "临财农〔2025〕17号"
PDF = {"name": "下达文件.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7\n%%EOF\n"}
ISSUED = Decimal(120)


def number(text: str) -> Decimal:
    """The number of a cell; one that says nothing is 0."""
    return Decimal(re.sub(r"[^\d.-]", "", text.replace("−", "-")) or 0)


def money(page, code: str, column: str) -> list[Decimal]:
    """A column of the project's sources in the ledger of funds, as it is taken home."""
    rows = list(csv.reader(io.StringIO(page.request.get(f"/ledgers/funds/?q={code}&export=csv").text())))
    head = next(row for row in rows if row[0] == "编号")
    return [number(row[head.index(column)]) for row in rows if row[0] == code]


def issued_in(page, code: str) -> Decimal:
    return sum(money(page, code, "下达额＝"), Decimal(0))


def test_a_paper_of_the_office_meets_the_money_of_the_county_in_the_ledger(person):
    clerk = person(COUNTY, "/dispatch/")
    code = clerk.locator("[data-block]:not([data-state=submitted])").first.get_attribute("data-block")
    office = person("office")
    before = issued_in(office, code)

    office.goto(f"/projects/{code}/funds/")
    source = office.locator("[name^=paper-amount_]").first.get_attribute("name").removeprefix("paper-amount_")
    planned = office.locator(f"[name=plan-{source}-planned_wan]")
    office.locator("details", has=planned).locator("summary").click()
    planned.fill(str(number(planned.input_value()) + 500))
    office.fill(f"[name=plan-{source}-reason]", "概算调增，见批复")
    office.get_by_role("button", name="保存计划额").first.click()
    expect(office.locator("main")).to_contain_text("计划额已调整")

    office.click("summary:has-text('登记下达文件')")
    amount = office.locator(f"[name=paper-amount_{source}]")
    amount.fill(str(ISSUED))
    office.fill("[name=paper-issued_on]", "2025-02-19")
    office.set_input_files("[name=paper-files]", PDF)
    office.get_by_role("button", name="登记", exact=True).click()
    expect(office.locator(".field-error", has_text="请填写下达文号。")).to_be_visible()
    assert number(amount.input_value()) == ISSUED  # nothing typed is lost
    office.fill("[name=paper-doc_number]", PAPER)
    office.set_input_files("[name=paper-files]", PDF)
    office.get_by_role("button", name="登记", exact=True).click()
    expect(office.locator("#papers")).to_contain_text(PAPER)
    assert issued_in(office, code) == before + ISSUED

    block = open_block(clerk, code)
    field = f"[name='{code}-in_place_wan_{source}']"
    in_place = number(clerk.input_value(field)) + 60
    clerk.fill(field, str(in_place))
    block.locator("button[data-submit]").click()
    clerk.locator(f"#block-{code}[data-state=submitted]").wait_for(state="attached")

    office.goto(f"/projects/{code}/funds/")
    assert in_place in map(number, office.locator("tbody td.number").all_inner_texts())
    assert in_place in money(office, code, "本期＝")

    office.goto(f"/projects/{code}/funds/")
    paper = office.locator("#papers li", has_text=PAPER).first
    paper.locator("summary", has_text="撤销登记").click()
    paper.locator("[name$=reason]:visible").fill("文号登记错误")
    paper.get_by_role("button", name="撤销登记").click()
    expect(office.locator("#papers li.is-withdrawn", has_text=PAPER)).to_contain_text("文号登记错误")
    assert issued_in(office, code) == before
