"""While a report is being typed, the rules speak beside the cell, and nothing is saved by it."""

from playwright.sync_api import expect

from tests.browser.test_main_journey import COUNTY, open_block, open_blocks


def test_remarks_come_while_typing_and_go_when_mended(person):
    page = person(COUNTY, "/dispatch/")
    code = open_blocks(page)[0]
    block = open_block(page, code)
    progress = page.locator(f"[name='{code}-physical_progress']")
    before = progress.input_value()
    progress.fill("0.5")
    remark = block.locator(".field-live")
    expect(remark.filter(has_text=f"由上期{before}%降到0.5%")).to_have_count(1)
    expect(block.locator(".block-reason")).to_have_attribute("open", "")
    progress.fill(before)
    expect(remark.filter(has_text="降到")).to_have_count(0)
    progress.fill("很多")
    expect(remark.filter(has_text="请填数字")).to_have_count(1)
    page.reload()
    assert page.locator(f"#block-{code}").get_attribute("data-state") == "none"
