"""A letter's way as people go it: the draft that appeared by itself, the office, the county on a phone, the office again."""

import io
import re
import time

from pdfminer.high_level import extract_text
from playwright.sync_api import expect

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
PATIENCE = 90_000  # milliseconds for a real worker on a busy machine
OWN_WORDS = "请贵县主要负责同志亲自研究。"
ANSWER = "已增加两个作业面，三月十日前完成护岸砌筑。"
ANSWER_FILE = {"name": "整改方案.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.4 answer %%EOF"}


def county_draft(office) -> str:
    """The code of a county whose reminder waits as a draft, with that letter open; the calendar has it drafted after the start."""
    end = time.monotonic() + PATIENCE / 1000
    while time.monotonic() < end:
        office.goto("/letters/?group=draft&kind=reminder")
        row = office.locator("table.letters tbody tr").filter(has=office.locator("td[data-label=主送]", has_text="县人民政府")).first
        if row.count():
            row.locator("a").first.click()
            office.locator("#letter").wait_for()
            (code,) = re.findall(r"/letters/unit/(\w+)/", office.locator("a[href*='/letters/unit/']").first.get_attribute("href"))
            return code
        time.sleep(1)
    raise AssertionError(f"no reminder to a county was drafted: {office.inner_text('main')}")


def wait_for_pdf(page, words: str) -> str:
    """The text of the letter's PDF once it says `words`: the worker prints it anew."""
    link, end = page.locator("text=打开 PDF").get_attribute("href"), time.monotonic() + PATIENCE / 1000
    while time.monotonic() < end:
        text = re.sub(r"\s", "", extract_text(io.BytesIO(page.request.get(link).body())))
        if words in text:
            return text
        time.sleep(1)
    raise AssertionError(f"“{words}” is not in the letter: {text}")


def state(page):
    return page.locator("#letter .page-head .badge").first


def fits(page) -> bool:
    """Whether neither the page nor a table on it scrolls sideways."""
    boxes = "[document.documentElement, ...document.querySelectorAll('main .table-scroll')]"
    return page.evaluate(f"{boxes}.every(box => box.scrollWidth <= box.clientWidth)")


def test_a_letter_goes_from_the_draft_to_the_closed_answer(person):
    office = person("office", "/letters/")
    code = county_draft(office)
    address = office.url.removeprefix(office.evaluate("location.origin"))
    assert state(office).inner_text() == "草稿"

    office.click("text=改写文字…")
    office.fill("#text-closing", OWN_WORDS)
    office.click("text=保存并重新排版")
    office.locator("text=保存并重新排版").wait_for(state="detached")
    office.goto(address)
    assert "草稿" in wait_for_pdf(office, OWN_WORDS)
    office.goto(address)
    expect(office.locator("#letter .work")).to_have_count(0, timeout=PATIENCE)
    office.click("text=审核通过")
    expect(state(office)).to_have_text("已审核")
    office.click("a:text-is('印发…')")
    office.click("text=确认印发")
    office.goto(address)
    expect(state(office)).to_have_text("待签收", timeout=PATIENCE)
    number = re.search(r"临泓清专办函〔2025〕\d+号", office.inner_text("dl.facts")).group()
    text = wait_for_pdf(office, number)
    assert OWN_WORDS in text
    assert "草稿" not in text

    county = person(f"c{code}", "/letters/", **PHONE)
    assert fits(county)
    county.click(f"text={number}")
    county.click("button:text-is('签收')")
    expect(state(county)).to_have_text("待回复")
    assert fits(county)
    county.fill("#answer-text", ANSWER)
    county.set_input_files("#answer-files", ANSWER_FILE)
    county.click("text=提交回复")
    expect(state(county)).to_have_text("待核查")
    expect(county.locator("main")).to_contain_text(ANSWER)

    office.reload()
    expect(office.locator("main")).to_contain_text(ANSWER)
    with office.expect_download() as download:
        office.click("a:has-text('整改方案.pdf')")
    assert download.value.suggested_filename == "整改方案.pdf"
    office.fill("#check-reason", "电话核实，作业面已增加。")
    office.click("text=认可，办结")
    expect(state(office)).to_have_text("已办结")

    county.reload()
    expect(state(county)).to_have_text("已办结")
    expect(county.locator("main")).to_contain_text("电话核实，作业面已增加。")
    county.goto(f"/letters/unit/{code}/")
    expect(county.locator("main")).to_contain_text(number)
    assert fits(county)
