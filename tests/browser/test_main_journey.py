"""The main job from end to end, as people do it: a county reports, and wall, ledger and bulletin say the same."""

import io
import re
import time

from pdfminer.high_level import extract_text
from playwright.sync_api import expect

COUNTY = "c141024"
COMPLETED_ON = "2025-02-19"
STAGES = ("total", "not_started", "under_construction", "finished")
PATIENCE = 60  # seconds for a real worker to make a bulletin


def open_blocks(page, state: str = "none"):
    """Codes of the county's projects of this week in `state`, "none" = nothing reported yet."""
    page.locator("[data-block]").first.wait_for(state="attached")  # a click does not wait for the page that it leads to
    return page.eval_on_selector_all(f"[data-block][data-state={state}]", "blocks => blocks.map(b => b.dataset.block)")


def open_block(page, code: str):
    """The block of a project, unfolded."""
    block = page.locator(f"#block-{code}")
    if block.get_attribute("open") is None:
        block.locator("summary").first.click()
    return block


def counts(wall) -> dict[str, int]:
    """The figures that the wall shows."""
    return {name: int(wall.inner_text(f"[data-count={name}]")) for name in STAGES}


def buttons(wall) -> dict[str, int]:
    """Buttons of each colour on the progress map: how many of the wall's own data have that stage on its day."""
    return wall.evaluate(
        """() => {
          const { doc } = window.wall.state, { start_week: start, finish_week: finish, code } = doc.projects
          const stage = code.map((_, i) => finish[i] !== null ? "finished" : start[i] !== null ? "under_construction" : "not_started")
          const found = { total: code.length, not_started: 0, under_construction: 0, finished: 0 }
          for (const name of stage) found[name] += 1
          return found
        }"""
    )


def report_completion(page) -> tuple[str, str]:
    """Report one unfinished project of the county as completed; return its code and name."""
    page.click("nav a:text-is('调度')")
    code = open_blocks(page)[0]
    block = open_block(page, code)
    name = block.locator(".block-name").inner_text()
    page.fill(f"[name='{code}-physical_progress']", "100")
    page.fill(f"[name='{code}-completed_on']", COMPLETED_ON)
    page.fill(f"[name='{code}-done']", "全部完工，已组织自验。")
    block.locator("button[data-submit]").click()
    page.locator(f"#block-{code}[data-state=submitted]").wait_for(state="attached")
    return code, name


def saved(answer) -> bool:
    """Whether this is the answer to a block that was sent, and not to the check that runs while somebody types."""
    return answer.request.method == "POST" and "/check/" not in answer.url


def make_bulletin(page, month: str) -> str:
    """Ask for the month's bulletin, wait for the worker, return the text of its PDF."""
    page.goto("/documents/")
    form = page.locator("form:has(#period-bulletin)")
    form.locator("select").select_option(month)
    with page.expect_response(lambda answer: answer.request.method == "POST"):
        form.locator("button").click()
    page.wait_for_load_state()
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        page.goto("/documents/")
        row = page.locator(f"tr:has-text('通报'):has-text('{month}')").first
        link = row.locator("a[href$='.pdf']").first
        if link.count():
            answer = page.request.get(link.get_attribute("href"))
            assert answer.headers["content-type"] == "application/pdf"
            return re.sub(r"\s", "", extract_text(io.BytesIO(answer.body())))
        time.sleep(1)
    raise AssertionError(f"no bulletin of {month} after {PATIENCE} s: {page.inner_text('main')}")


def test_a_completion_goes_from_the_county_to_the_wall_the_ledger_and_the_bulletin(person):
    wall = person("leader", "/wall/")
    expect(wall.locator("[data-fresh]")).to_have_class(re.compile("is-live"))
    before = counts(wall)
    assert buttons(wall) == before

    code, name = report_completion(person(COUNTY))

    wall.evaluate("window.wall.refresh()")
    expected = before | {"under_construction": before["under_construction"] - 1, "finished": before["finished"] + 1}
    expect(wall.locator("[data-count=finished]")).to_have_text(str(expected["finished"]))
    assert counts(wall) == expected
    assert buttons(wall) == expected

    office = person("office", "/ledgers/master/")
    office.fill("#id_q", code)
    office.wait_for_url("**q=*")
    office.locator(".ledger-count:has-text('共 1 个项目')").wait_for()
    row = office.locator("tbody tr").inner_text()
    assert name in row
    assert "完工" in row
    assert "100.0%" in row
    assert COMPLETED_ON in row
    office.click("text=清除筛选")
    office.locator(f".ledger-count:has-text('共 {expected['total']} 个项目')").wait_for()
    words = office.locator("#totals .pin-words").inner_text()
    assert words.startswith(f"前期{expected['not_started']}、开工{expected['under_construction']}、完工{expected['finished']}；")

    text = make_bulletin(office, "2025-02")
    assert re.sub(r"\s", "", name) in text
    assert f"共{expected['total']}个" in text
    assert f"（{expected['finished']}/{expected['total']}）" in text
    assert "2月19日" in text or COMPLETED_ON in text


def test_the_second_of_two_people_is_told_and_nothing_is_lost(person):
    first, second = person(COUNTY, "/dispatch/"), person(COUNTY, "/dispatch/")
    code = open_blocks(first)[0]
    field, other = f"[name='{code}-physical_progress']", f"[name='{code}-next_steps']"
    for page in (first, second):
        open_block(page, code)
    first.fill(field, "97")
    first.locator(f"#block-{code} button[value='save:{code}']").click()
    first.locator(f"#block-{code}[data-state=draft]").wait_for(state="attached")

    second.fill(field, "98")
    second.fill(other, "第二个人写的下周计划")
    with second.expect_response(saved) as answer:
        second.locator(f"#block-{code} button[value='save:{code}']").click()
    assert answer.value.status == 409
    block = second.locator(f"#block-{code}")
    block.locator("[role=alert]:has-text('也保存了这一项目')").wait_for()
    assert second.input_value(field) == "98"
    assert second.input_value(other) == "第二个人写的下周计划"
    assert "97" in block.locator(".pick").inner_text()

    block.locator(f"button[value='save:{code}']").click()
    block.locator(".notice-success").wait_for()
    first.reload()
    assert first.input_value(field) == "98"
    assert first.input_value(other) == "第二个人写的下周计划"


def test_a_login_that_ended_keeps_what_was_typed(person):
    page = person(COUNTY, "/dispatch/")
    code = open_blocks(page)[-1]
    open_block(page, code)
    page.fill(f"[name='{code}-next_steps']", "不能丢的文字")
    page.context.clear_cookies()
    page.locator(f"#block-{code} button[value='save:{code}']").click()
    page.locator("text=登录已过期").first.wait_for()
    assert page.input_value(f"[name='{code}-next_steps']") == "不能丢的文字"


def test_a_ledger_is_sorted_paged_and_taken_home(person):
    page = person("office", "/ledgers/master/")
    page.click("th a:has-text('总投资')")
    page.wait_for_url("**sort=*")
    page.click("th a:has-text('总投资')")
    page.wait_for_url("**sort=-total_investment_wan*")
    place = [th.get_attribute("data-c") for th in page.locator("th[data-c]").all()].index("total_investment_wan")
    amounts = [float(text.strip("≠ ").replace(",", "")) for text in page.locator(f"tbody td:nth-child({place + 1})").all_inner_texts()]
    assert page.locator("th[data-c=scale]").count() == 0
    page.click("a.all-columns")
    page.locator("th[data-c=scale]").wait_for()
    page.go_back()
    page.locator("th[data-c=scale]").wait_for(state="detached")
    assert amounts == sorted(amounts, reverse=True)
    page.go_back()
    page.wait_for_url("**sort=total_investment_wan*")
    page.locator("thead").wait_for()
    with page.expect_download() as download:
        page.click("text=导出 Excel")
    assert download.value.suggested_filename == "工程总台账_2025-02-20_演示数据.xlsx"
