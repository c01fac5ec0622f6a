"""A meeting's way through a browser: prepared from the ledgers, held, decided, chased on a phone until it is closed."""

import re

from playwright.sync_api import expect

PHONE = {"width": 390, "height": 844}
WHAT = "三日内签完剩余征地协议"


def test_a_meeting_is_prepared_held_decided_and_chased(person):
    office = person("office", "/meetings/new/")
    office.select_option("#id_kind", "joint")
    office.fill("#id_held_on", "2025-02-20")
    office.fill("#id_starts_at", "15:00")
    office.fill("#id_chair_post", "专班办主任")
    office.click("button[type=submit]:has-text('保存')")
    office.click("text=准备议程")
    office.click("button[value=assemble]")
    expect(office.locator(".notice-success")).to_contain_text("已汇集：新增")
    problems = office.locator(".agenda-part:has(h2:has-text('需协调的问题'))")
    assert problems.locator("li").count() > 1
    assert problems.locator("li.is-aside").count() > 0  # those below the meeting's level wait
    line = problems.locator("li:not(.is-aside)").first
    line.locator("input[name^=ask]").fill("定一个签完的日子")
    office.locator("button[value=save]").first.click()
    expect(office.locator(".notice-success")).to_have_text(re.compile("已保存 1 条改动"))
    office.click("button[value=assemble]")  # again: what was written stays
    assert office.locator("input[value='定一个签完的日子']").count() == 1
    office.click("text=会议材料（打印）")
    expect(office.locator(".agenda-ask")).to_contain_text("定一个签完的日子")
    assert office.pdf(prefer_css_page_size=True).startswith(b"%PDF")

    office.click("text=回到会议")
    office.fill("#id_minutes", "会议听取了各县（市、区）汇报，研究了征地问题。")
    office.click("text=保存纪要")
    expect(office.locator(".notice-success")).to_contain_text("已保存纪要")
    office.fill("#id_decided-what", WHAT)
    office.select_option("#id_decided-lead_unit", label="侯马市人民政府")
    office.click("button:has-text('登记议定事项')")
    expect(office.locator(".decided-form .field-error")).to_have_count(1)  # by when?
    assert office.input_value("#id_decided-what") == WHAT
    office.fill("#id_decided-due_on", "2025-02-24")
    office.select_option("#id_decided-item", index=9)
    office.click("button:has-text('登记议定事项')")
    office.click(f"#decided a:has-text('{WHAT}')")
    path = re.sub(r"^https?://[^/]+", "", office.url)

    county = person("c141081", path, viewport=PHONE, has_touch=True)
    assert county.evaluate("document.documentElement.scrollWidth <= innerWidth")
    county.click("summary:has-text('报请办结')")
    county.fill("#id_answer-answer", "协议已全部签完，场地已移交")
    county.click("button[value=answer]")
    county.locator(".notice-success").first.wait_for()
    office.reload()
    office.click("summary:has-text('核实办结')")
    office.fill("#id_close-closing_basis", "已核对协议原件")
    office.click("button[value=close]")
    expect(office.locator(".notice:has(strong)")).to_contain_text("2025-02-20 办结")


def test_the_calendar_is_read_by_its_address_alone_until_it_is_revoked(person):
    leader = person("leader", "/calendar/", viewport=PHONE, has_touch=True)
    leader.click("text=生成订阅地址")
    address = leader.locator("#address").inner_text()
    assert leader.evaluate("document.documentElement.scrollWidth <= innerWidth")
    leader.context.clear_cookies()
    answer = leader.request.get(address)
    assert answer.headers["content-type"].startswith("text/calendar")
    assert "BEGIN:VEVENT" in answer.text()
    again = person("leader", "/calendar/")
    again.click("text=撤销订阅")
    expect(again.locator(".notice-success")).to_contain_text("已撤销")
    assert leader.request.get(address).status == 404
