"""A completed project on its way to its proven effect: step by step, by the loads of a trial run, as the ledger shows it."""

import datetime as dt

from playwright.sync_api import expect

COUNTY, CODE, NAME = "c141032", "LF-070", "永和县污水处理厂工艺完善工程"  # completed, and nothing registered since
COMPLETED_ON, RUNNING_FROM, PROVEN_ON = "2024-02-28", dt.date(2025, 1, 15), "2025-02-13"  # thirty days above 75 %
STEPS = (
    ("recognition", "2025-01-12", "演示县〔2025〕3号", "完工认定材料齐全"),
    ("final", "2025-02-14", "演示验〔2025〕5号", "竣工验收合格"),
    ("handover", "2025-02-17", "", "移交县水务公司管护"),
    ("trial_start", "2025-01-15", "", "进水试运行"),
    ("trial_end", "2025-02-15", "", "试运行报告已备案"),
    ("benefit", "2025-02-18", "", "日处理生活污水4800吨"),
)


def loads(days: int) -> str:
    return "\n".join(f"{RUNNING_FROM + dt.timedelta(days=n)} {80 + n % 5} 达标" for n in range(days))


def type_loads(page, text: str) -> None:
    act = page.locator("details:has(#id_loads)")
    if act.get_attribute("open") is None:
        act.locator("summary").click()
    page.fill("#id_loads", text)
    page.click("button[value=loads]")


def test_a_project_goes_from_its_completion_to_its_proven_effect(person):
    path = f"/projects/{CODE}/acceptance/"
    county = person(COUNTY, path)
    expect(county.locator(".page-head")).to_contain_text(NAME)
    expect(county.locator("main > .notice").first).to_contain_text(f"{COMPLETED_ON} 完工。没有运行负荷记录")

    for kind, on, paper, words in STEPS:
        county.goto(f"{path}?kind={kind}")
        county.fill("#id_on", on)
        county.fill("#id_doc_number", paper)
        county.fill("#id_text", words)
        county.click("button[value=fact]")
        expect(county.locator(".notice-success")).to_contain_text("已登记")
        expect(county.locator("table.steps")).to_contain_text(words)

    type_loads(county, f"{loads(29)}\n2025-02-31 80 达标")
    expect(county.locator(".field-error, .notice-error").first).to_be_visible()
    assert county.input_value("#id_loads").endswith("2025-02-31 80 达标")  # nothing typed is lost
    type_loads(county, loads(29))
    expect(county.locator("main > .notice:not(.notice-success)").first).to_contain_text("已连续 29 天，满 30 天达效")
    type_loads(county, loads(30))
    expect(county.locator("main > .notice:not(.notice-success)").first).to_contain_text(f"{PROVEN_ON} 达效")

    office = person("office", f"/ledgers/acceptance/?q={CODE}")
    row = office.locator("tbody tr[data-k]")
    expect(row).to_have_count(1)
    for shown in (NAME, COMPLETED_ON, "2025-02-14", PROVEN_ON, "日处理生活污水4800吨"):
        expect(row).to_contain_text(shown)
    office.goto(f"/ledgers/acceptance/?q={CODE}&as_of=2025-02-12")
    expect(office.locator("tbody tr[data-k]")).not_to_contain_text("2025-02-14")
