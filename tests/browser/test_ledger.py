"""Ledgers under the hands: a clerk's view, two people on one cell, the office's own column and ledger, what changed."""

from playwright.sync_api import expect


def test_a_clerk_filters_by_pinyin_chooses_columns_and_saves_a_view(person):
    page = person("c141002", "/ledgers/master/")
    page.keyboard.press("/")
    page.keyboard.type("wushui")
    expect(page.locator(".chip", has_text="查找：wushui")).to_be_visible()
    names = page.locator(".ledger-table tbody td:nth-child(2)").all_inner_texts()
    assert names
    assert all("污水" in name for name in names)
    page.click("summary:has-text('列')")
    page.get_by_role("button", name="显示所选列").wait_for()
    for box in page.locator(".menu-columns input[name=cols]:not(:disabled)").all():
        box.set_checked(False)
    for label in ("状态", "总体进度"):
        page.get_by_role("checkbox", name=label, exact=True).check()
    page.locator(".menu-columns li", has_text="总体进度").get_by_label("上移").click()
    page.click("text=显示所选列")
    page.wait_for_url("**cols=**")
    assert [th.get_attribute("data-c") for th in page.locator("th[data-c]").all()] == ["code", "name", "physical_progress", "stage"]
    page.click("summary:has-text('视图')")
    page.fill("#view-name", "污水项目")
    page.check("input[name=default]")
    page.click("text=保存视图")
    expect(page.locator("summary", has_text="视图：污水项目")).to_be_visible()
    page.goto("/ledgers/master/")
    expect(page.locator("summary", has_text="视图：污水项目")).to_be_visible()
    assert page.locator("th[data-c]").count() == 4
    cell = page.locator(".ledger-table tbody td").first
    cell.click(position={"x": 2, "y": 2})
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator("#cell-panel h2")).to_have_text("总体进度")
    expect(page.locator("#cell-panel .cell-history li").first).to_contain_text("周调度")
    page.keyboard.press("Escape")
    expect(page.locator("#cell-panel")).to_be_hidden()


def test_the_office_adds_a_column_two_people_type_in_one_cell_and_a_ledger_is_made(person):
    page = person("office", "/ledgers/master/columns/")
    page.fill("input[name=label]", "征地亩数")
    page.select_option("select[name=kind]", "number")
    page.fill("input[name=unit]", "亩")
    page.get_by_role("button", name="增加").click()
    expect(page.locator(".notice-success")).to_contain_text("征地亩数")

    def open_cell(one):
        one.goto("/ledgers/master/?cols=stage,own_1")
        one.locator("tr[data-k] >> nth=0").locator("td").nth(3).dblclick()
        expect(one.locator(".cell-editor [data-value]")).to_be_focused()

    other = person("office", "/ledgers/")
    open_cell(page)
    open_cell(other)
    page.keyboard.type("12.5")
    page.keyboard.press("Enter")
    expect(page.locator(".toast")).to_contain_text("改为“12.5”")
    other.keyboard.type("13")
    other.keyboard.press("Enter")
    expect(other.locator(".clash")).to_contain_text("12.5")
    expect(other.locator(".clash")).to_contain_text("13")
    other.get_by_role("button", name="仍用我的").click()
    expect(other.locator(".toast")).to_contain_text("由“12.5”改为“13”")
    other.locator(".toast button").click()
    expect(other.locator(".toast")).to_contain_text("已撤销")
    page.goto("/ledgers/new/?base=master&cols=county,stage,own_1")
    page.fill("input[name=title]", "在建项目一览")
    page.select_option("select[name=stage]", "2")
    page.select_option("select[name=group]", "county")
    page.click("text=保存台账")
    expect(page.locator("h1")).to_have_text("在建项目一览")
    assert page.locator("tr.ledger-group").count() > 3
    page.goto("/ledgers/")
    expect(page.locator(".ledger-card-title", has_text="在建项目一览")).to_be_visible()


def test_nobody_writes_over_what_they_did_not_see(person):
    """Two people have the same table open: one writes, the other opens the cell on an old page; then the first one takes back."""
    first, second = (person("office", "/ledgers/") for _ in range(2))
    for page in (first, second):
        page.goto("/ledgers/master/?q=LF-050&cols=total_investment_wan")

    def cell(page):
        return page.locator("tr[data-k] >> nth=0").locator("td").nth(2)

    def write(page, value):
        page.fill(".cell-editor [data-value]", value)
        page.fill(".cell-editor [name=reason]", "批复")
        page.keyboard.press("Enter")
        expect(page.locator(".toast")).to_contain_text(f"改为“{value}”")

    cell(first).dblclick()
    write(first, "111")
    cell(second).dblclick()
    expect(second.locator(".clash")).to_contain_text("111")
    expect(second.locator(".clash")).to_contain_text("18,840.18")
    second.keyboard.press("Enter")  # the hand rests on what changes nothing
    expect(cell(second)).to_contain_text(" 111.00")
    cell(second).dblclick()
    expect(second.locator(".cell-editor [data-value]")).to_be_focused()
    write(second, "222")
    first.locator(".toast button").click()
    expect(first.locator(".clash")).to_contain_text("222")
    expect(first.locator(".clash")).to_contain_text("18,840.18")
    first.keyboard.press("Escape")
    expect(first.locator("#cell-editor")).to_be_hidden()
    first.reload()
    expect(cell(first)).to_contain_text(" 222.00")
    second.locator(".toast button").click()  # nobody came in between: taken back
    expect(second.locator(".toast")).to_contain_text("已撤销")
    expect(cell(second)).to_contain_text(" 111.00")


def test_what_changed_since_a_day_is_marked(person):
    page = person("leader", "/ledgers/weekly/?since=2025-02-06")
    expect(page.locator(".compared")).to_contain_text("与 2025-02-06 相比")
    assert page.locator("td.is-changed .was").count() > 0


def test_conditions_that_unfold_take_nothing_from_who_is_typing(person):
    page = person("leader", "/ledgers/master/")
    held = []
    page.route("**/*part=filters*", lambda route: held.append(route))
    page.check("#more-filters")
    page.locator("#id_q").press_sequentially("wu")
    expect(page.locator(".chip", has_text="查找：wu")).to_be_visible()
    page.locator("#id_q").press_sequentially("shui")
    held[0].continue_()
    expect(page.locator("#id_lag_from")).to_be_visible()
    expect(page.locator("#id_q")).to_have_value("wushui")
    expect(page.locator("#id_q")).to_be_focused()
    page.keyboard.type("c")
    expect(page.locator(".chip", has_text="查找：wushuic")).to_be_visible()
    page.fill("#id_lag_from", "5")
    page.keyboard.press("Tab")
    expect(page.locator(".chip", has_text="滞后不少于（百分点）：5")).to_be_visible()
    expect(page.locator(".chip", has_text="查找：wushuic")).to_be_visible()


def test_a_cell_says_where_it_comes_from_by_mouse_by_key_and_by_finger(person):
    page = person("office", "/ledgers/")
    page.goto("/ledgers/master/?q=LF-006&view=all")
    risk = page.locator("th[data-c=risk]")
    cell = page.locator("tr[data-k] >> nth=0").locator("td").nth(risk.evaluate("(head) => head.cellIndex"))
    cell.click(position={"x": 3, "y": 3})
    page.get_by_role("button", name="来源和变更记录").click()
    expect(page.locator("#cell-panel h2")).to_be_focused()
    expect(page.locator(".cell-source")).to_contain_text("计划进度")
    page.keyboard.press("Escape")
    expect(cell).to_be_focused()
    page.reload()
    page.keyboard.press("t")
    expect(page.locator("tr[data-k] >> nth=0").locator("td").first).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(page.locator("th[data-c=code] a")).to_be_focused()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.wait_for_url("**sort=number**")
    expect(page.locator("th[data-c=number] a")).to_be_focused()
    assert page.locator("thead a[tabindex='0']").count() == 1

    phone = person("office", "/ledgers/", viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    phone.goto("/ledgers/master/?q=LF-006&cols=owner")
    phone.locator("tr[data-k] >> nth=0").locator("td").nth(2).tap()
    phone.locator("#cell-panel").get_by_role("button", name="修改").tap()
    phone.fill(".cell-editor [data-value]", "半句")
    phone.locator("[data-cell-history]").tap()
    expect(phone.locator("#cell-panel h2")).to_be_focused()
    phone.locator("[data-close-panel]").tap()
    expect(phone.locator(".cell-editor [data-value]")).to_have_value("半句")  # looking up costs nothing that was typed
    for button in phone.locator(".cell-editor-foot button").all():
        box = button.bounding_box()
        assert box["x"] >= 0
        assert box["y"] + box["height"] <= 844
        assert box["x"] + box["width"] <= 390
