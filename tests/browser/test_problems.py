"""A problem's way through a browser: raised by a county, sent on by the office, solved by its handler on a phone, closed out."""

import re

from playwright.sync_api import expect

PDF = {"name": "补偿协议.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7\n%%EOF\n"}
COUNTY = "c141002"


def test_a_problem_goes_from_a_county_over_two_levels_to_its_close_out(person):
    clerk = person(COUNTY, "/problems/")
    clerk.click("text=提出问题")
    clerk.select_option("#id_project", index=1)
    clerk.fill("#id_description", "占地补偿还有三户没有签协议")
    clerk.click("text=登记问题")
    expect(clerk.locator(".field-error")).to_have_text(["请选择类别。"])
    assert clerk.input_value("#id_description") == "占地补偿还有三户没有签协议"
    clerk.select_option("#id_category", "land")
    own = clerk.locator("#id_handler option").nth(1).get_attribute("value")
    clerk.select_option("#id_handler", own)
    clerk.click("text=登记问题")
    clerk.wait_for_url(re.compile(r"/problems/WT-2025-\d{3}/$"))
    path = re.sub(r"^https?://[^/]+", "", clerk.url)

    office = person("office", path)
    expect(office.locator(".levels .is-here")).to_contain_text("专班办分析")
    office.click("summary:has-text('提请升级')")
    office.fill("#id_up-exit_opinion", "已会同县里梳理，本级无权限")
    office.click("button[value=up]")
    expect(office.locator(".act[open] .field-error")).to_have_text(["升级须写明请上一级协调解决什么。"])
    assert office.input_value("#id_up-exit_opinion") == "已会同县里梳理，本级无权限"
    office.fill("#id_up-entry_opinion", "请规自部门会商")
    office.click("button[value=up]")
    expect(office.locator(".levels .is-here")).to_contain_text("部门会商")

    handler = person(COUNTY, path, viewport={"width": 390, "height": 844}, has_touch=True)
    assert handler.evaluate("document.documentElement.scrollWidth <= innerWidth")
    handler.click("button[value=begin]")
    handler.locator(".notice-success").wait_for()
    handler.click("summary:has-text('报请核查')")
    handler.fill("#id_answer-basis", "三户协议已签，场地已移交")
    handler.set_input_files("#id_answer-files", PDF)
    handler.click("button[value=answer]")
    expect(handler.locator(".page-head .problem-state")).to_have_text("待核")

    office.reload()
    with office.expect_download() as download:
        office.click(".files a")
    assert download.value.suggested_filename == PDF["name"]
    office.click("summary:has-text('核查销号')")
    assert office.input_value("#id_close-basis") == "三户协议已签，场地已移交"
    office.click("button[value=close]")
    expect(office.locator(".page-head .problem-state")).to_have_text("销号")
    said = office.locator(".moments li strong").all_inner_texts()
    assert said == ["销号", "报请核查", "上传附件", "开始办理", "升级", "提出"]


def test_the_list_narrows_by_keyboard_and_its_address_can_be_sent(person):
    office = person("office", "/problems/")
    office.wait_for_load_state("load")
    before = office.locator(".problems-table tbody tr").count()
    office.focus("#id_overdue")
    office.keyboard.press("ArrowDown")
    expect(office).to_have_url(re.compile("overdue=any"))
    expect(office.locator(".problems-counts")).to_contain_text("未销号")
    late = office.locator(".problems-table tbody tr").count()
    assert 0 < late < before
    again = person("office", "/problems/")
    again.goto(office.url)
    assert again.locator(".problems-table tbody tr").count() == late
