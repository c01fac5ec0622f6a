import datetime as dt
import io
import json
import re
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.urls import reverse
from openpyxl import Workbook, load_workbook

from ledgers import air as air_ledger
from ledgers import air_heads, air_intake
from ledgers.registry import LEDGERS
from linfen_water.models import TrailEvent
from linfen_water.workbook import read_workbook
from monitoring import air
from monitoring.models import AirPeriod, AirResult, Intake
from tests.caches import forget
from tests.factories import TODAY, AirPeriodFactory, AirResultFactory, CountyFactory, UserFactory
from tests.ledgers.air_workbooks import as_bytes, cells, ranking, save

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("region")]
JANUARY = (dt.date(2025, 1, 1), dt.date(2025, 1, 31))
SINCE_OCTOBER = (dt.date(2024, 10, 1), dt.date(2025, 1, 31))


@pytest.fixture
def counties():
    """曲沃县, 翼城县, 尧都区 and a zone."""
    names = [("曲沃县", "曲沃"), ("翼城县", "翼城"), ("尧都区", "尧都")]
    return [CountyFactory(name=name, short=short) for name, short in names] + [CountyFactory(zone=True, name="经济开发区", short="经开区")]


def url(**query):
    return reverse("ledger", args=["air"], query=query or None)


def rehearsed(book: Workbook, **kwargs):
    return air_intake.rehearse(read_workbook(as_bytes(book)), reason="更正", **kwargs)


def full_rows():
    """Three counties in three periods, the third as the first, as in January."""
    first = {
        "曲\n沃": cells("4.57", "-5.3%", 45, "↓3.1", (1, 1, 2, 1)),
        "翼城县": cells(4.8, 1.2, "44", 0, (2, 2, 1, 2)),
        "尧　都": cells(4.8, Decimal("1.30"), 60, "—", (2, 3, 3, None)),
    }
    longer = {"曲\n沃": cells(4.9, -1, 50, -2), "翼城县": cells(5.01, 2, 51, -3), "尧　都": cells("—", "—", "/", "")}
    return {name: [*row, *longer[name], *row] for name, row in first.items()}


# ── the page ─────────────────────────────────────────────────────────────────────────────────────────────────────────
def two_months(counties):
    for (starts_on, ends_on), label, indices in (
        (JANUARY, "2025年1月", ("4.50", "4.20", "4.20", None)),
        (SINCE_OCTOBER, "2024年10月以来", ("4.90", None, "4.10", "4.00")),
        ((dt.date(2024, 12, 1), dt.date(2024, 12, 31)), "2024年12月", ("4.00", "5.00", "4.50", None)),
    ):
        at = AirPeriodFactory(starts_on=starts_on, ends_on=ends_on, label=label, notes="越小越好。", source="市局")
        for county, index in zip(counties, indices, strict=True):
            AirResultFactory(period=at, county=county, composite_index=index, composite_change="-10.0" if index else None)


def body_rows(page) -> list[list[str]]:
    """The cells of the page's table as text."""
    body = page.content.decode().split("<tbody>")[1].split("</tbody>")[0]
    rows = [re.findall(r"<td[^>]*>(.*?)(?=<td|$)", row) for row in body.split("<tr")]
    return [[re.sub(r"<[^>]+>", "", cell) for cell in row] for row in rows if row]


def test_page_lays_periods_side_by_side_sorted_by_the_months_index(office, counties):
    two_months(counties)
    page = office.get(url())
    rows = body_rows(page)
    assert [row[0] for row in rows] == ["翼城县", "尧都区", "曲沃县", "经济开发区"]
    assert rows[0][:5] == ["翼城县", "4.20", "1", "-10.0", "1"]
    assert [row[2] for row in rows] == ["1", "1", "3", ""]
    assert [row[10] for row in rows] == ["", "2", "3", "1"]
    html = page.content.decode()
    assert html.index("<span>2025年1月</span>") < html.index("<span>2024年10月以来</span>")
    assert "注：越小越好。" in html
    assert "数据来源：市局　发布日期：2025-02-12" in html
    assert "单位：PM2.5 μg/m³，同比变化率 %" in html


def test_page_says_the_movement_of_ranks_and_draws_last_years_values(office, counties):
    two_months(counties)
    page = office.get(url())
    movers = {mover.county: (mover.before, mover.rank, mover.moved) for mover in page.context["beside"]["movers"]}
    assert movers == {"翼城县": (3, 1, 2), "尧都区": (2, 1, 1), "曲沃县": (1, 3, -2), "经济开发区": (None, None, None)}
    then = page.context["beside"]["figure"]["data"][1]
    assert dict(zip(then["y"], then["x"], strict=True)) == {"翼城县": 4.67, "尧都区": 4.67, "曲沃县": 5.0}
    assert "前移 2 位" in page.content.decode()
    assert "综合指数最低（最好）翼城县、尧都区（4.20），最高曲沃县（4.50）" in page.content.decode()


@pytest.mark.parametrize(
    ("sort", "names"),
    [
        ("-composite_index_1", ["曲沃县", "翼城县", "尧都区", "经济开发区"]),
        ("rank_composite_index_2", ["经济开发区", "尧都区", "曲沃县", "翼城县"]),
        ("-rank_composite_index_2", ["曲沃县", "尧都区", "经济开发区", "翼城县"]),
        ("county", ["曲沃县", "翼城县", "尧都区", "经济开发区"]),
        ("nonsense", ["翼城县", "尧都区", "曲沃县", "经济开发区"]),
    ],
)
def test_any_column_sorts_and_missing_values_stay_last(office, counties, sort, names):
    two_months(counties)
    assert [row[0] for row in body_rows(office.get(url(sort=sort)))] == names


def test_month_and_day_choose_what_is_seen(office, counties):
    two_months(counties)
    assert [row[0] for row in body_rows(office.get(url(month="2024-12")))] == ["曲沃县", "尧都区", "翼城县", "经济开发区"]
    past = office.get(url(as_of="2025-02-11"))
    assert "截至月份：2024年12月" in past.content.decode()
    assert "2025年1月</span>" not in past.content.decode()
    refused = office.get(url(as_of="2025-02-11", month="2025-01"))
    assert "没有 2025-01 的排名" in refused.content.decode()
    assert "没有 2031-01 的排名" in office.get(url(month="2031-01")).content.decode()


def test_part_is_found_word_for_word_in_the_page(office, counties):
    two_months(counties)
    part = office.get(url(month="2024-12"), headers={"HX-Request": "true"}).content.decode()
    assert part.strip() in office.get(url(month="2024-12")).content.decode()


def test_empty_ledger_says_so_and_offers_the_ways_in(office):
    html = office.get(url()).content.decode()
    assert "还没有发布的排名。" in html
    assert reverse("air_new") in html
    assert reverse("ledger_import", args=["air"]) in html


@pytest.mark.parametrize("trait", ["in_county", "in_department", "leader"])
def test_everyone_reads_and_only_recorders_find_the_ways_in(client, counties, trait):
    two_months(counties)
    client.force_login(UserFactory(**{trait: True}))
    html = client.get(url()).content.decode()
    assert "翼城县" in html
    assert reverse("air_new") not in html
    assert "/edit/" not in html
    assert reverse("air_import") not in html


def test_past_days_offer_no_way_in(office, counties):
    two_months(counties)
    html = office.get(url(as_of="2025-02-15")).content.decode()
    assert reverse("air_new") not in html
    assert "/edit/" not in html


def test_queries_are_the_same_for_1_and_30_counties(office, django_assert_max_num_queries):
    at = AirPeriodFactory()
    AirResultFactory(period=at)
    with django_assert_max_num_queries(25) as few:
        office.get(url())
    for county in CountyFactory.create_batch(29):
        AirResultFactory(period=at, county=county)
    forget()
    with django_assert_max_num_queries(25) as many:
        assert len(body_rows(office.get(url()))) == 30
    assert len(many) == len(few)


# ── the ways out ─────────────────────────────────────────────────────────────────────────────────────────────────────
def test_workbook_has_the_papers_layout_with_bare_numbers(office, counties):
    two_months(counties)
    AirPeriod.objects.filter(label="2025年1月").update(notes="=HYPERLINK(1)")
    page = load_workbook(io.BytesIO(b"".join(office.get(url(export="xlsx")).streaming_content))).active
    rows = list(page.iter_rows(values_only=True))
    assert rows[0][0] == "县（市、区）环境空气质量排名"
    assert (rows[2][1], rows[2][9]) == ("2025年1月", "2024年10月以来")
    assert rows[3][:5] == ("县（市、区）", "综合指数", "名次＝", "同比变化率（%）", "名次＝")
    assert rows[4][:5] == ("翼城县", 4.2, 1, -10, 1)
    assert rows[4][9] is None
    assert "B3:I3" in {str(merged) for merged in page.merged_cells.ranges}
    assert rows[8][0] == "注：=HYPERLINK(1)"
    assert (page.page_setup.orientation, page.page_setup.paperSize, page.freeze_panes) == ("landscape", 9, "B5")


def test_csv_says_which_period_a_heading_belongs_to(office, counties):
    two_months(counties)
    lines = b"".join(office.get(url(export="csv")).streaming_content).decode().splitlines()
    headings = lines[2].split(",")
    assert headings[:3] == ["县（市、区）", "2025年1月 综合指数", "2025年1月 名次＝"]
    assert len(set(headings)) < len(headings) == 17
    assert lines[3].startswith("翼城县,4.20,1,-10.0,1")


def test_what_is_exported_comes_back_without_a_change(tmp_path, counties):
    two_months(counties)
    AirPeriod.objects.filter(ends_on=dt.date(2025, 1, 31)).update(notes="越小越好。\n第二条。")
    file = tmp_path / "空气.xlsx"
    call_command("export_ledger", "air", str(file))
    found = air_intake.rehearse(read_workbook(file.read_bytes()), reason="")
    assert (found.errors, found.changes) == ([], [])
    assert sorted(found.entries) == [SINCE_OCTOBER, JANUARY]


# ── headings ─────────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("2025年1月", ("2025-01-01", "2025-01-31")),
        ("2024年10月1日—2025年1月31日", ("2024-10-01", "2025-01-31")),
        ("2024年10月1日至1月31日", None),
        ("2024.10.1-2025.1.31", ("2024-10-01", "2025-01-31")),
        ("2024年10月—2025年1月", ("2024-10-01", "2025-01-31")),
        ("2024年10月以来", ("2024-10-01", "2025-01-31")),
        ("2025年 1 — 1 月", ("2025-01-01", "2025-01-31")),
        ("1～3月", ("2025-01-01", "2025-03-31")),
        ("1月份", ("2025-01-01", "2025-01-31")),
        ("2024年", ("2024-01-01", "2024-12-31")),
        ("2025年13月", None),
        ("2025年2月30日-2025年3月1日", None),
        ("秋冬防以来", None),
    ],
)
def test_periods_are_read_from_headings(text, span):
    expected = tuple(map(dt.date.fromisoformat, span)) if span else None
    assert air_heads.span_of(text, year=2025, until=dt.date(2025, 1, 31)) == expected


def test_three_line_heads_are_understood(counties):
    book = Workbook()
    page = book.active
    page.append(["2025年县(市、区)环境空气质量排名"])
    page.append(["序号", "县区", "1月", *[None] * 7, "1—2月", *[None] * 7])
    page.append([None, None, *["综合指数", None, None, None, "PM₂.₅", None, None, None] * 2])
    page.append([None, None, *["数值", "排名", "同比变化率(%)", "排名", "浓度(μg/m³)", "排名", "同比变化率(%)", "排名"] * 2])
    page.append([1, "曲沃县", *cells(4.5, -1, 40, -2, (1, 1, 1, 1)), *cells(4.6, -3, 41, -4, (1, 1, 1, 1))])
    head = air_heads.find_head(read_workbook(as_bytes(book))[0], {"曲沃县"})
    assert head.labels == ["1月", "1-2月"]
    assert [(column.measure, column.is_rank) for column in head.columns[:8]] == [
        (name, is_rank) for name in ("composite_index", "composite_change", "pm25", "pm25_change") for is_rank in (False, True)
    ]
    found = rehearsed(book)
    assert "到 2025-02-28 才结束" in found.errors[0].reason
    assert list(found.entries) == [JANUARY]


def test_each_sheet_may_hold_a_period_named_by_its_title(counties):
    book = ranking({"曲沃县": cells(4.5, -1, 45, -1)}, periods=["2025年1月"])
    for title, index in (("2024年12月排名", 4.1), ("2024年10月以来排名", 4.2), ("秋冬防", 4.3)):
        page = book.create_sheet(title)
        page.append([f"{title}表" if "年" in title else "排名"])
        page.append(["县区", "综合指数", "名次"])
        page.append(["曲沃", index, 1])
    book.create_sheet("藏").sheet_state = "hidden"
    found = rehearsed(book)
    assert {span: one.values[counties[0].pk]["composite_index"] for span, one in found.entries.items()} == {
        JANUARY: Decimal("4.5"),
        (dt.date(2024, 12, 1), dt.date(2024, 12, 31)): Decimal("4.1"),
        SINCE_OCTOBER: Decimal("4.2"),
    }
    assert found.undated == ["秋冬防"]
    assert [(error.sheet, error.column) for error in found.errors] == [("秋冬防", "秋冬防")]
    assert [entry.label for entry in found.entries.values()][1] == "2024年12月"


def test_columns_of_other_pollutants_are_left_alone(counties):
    book = Workbook()
    page = book.active
    page.append(["2025年1月排名"])
    page.append(["县区", "PM10", "名次", "同比变化率(%)", "综合指数", "名次", "PM2.5同比变化率", "优良天数"])
    page.append(["曲沃县", 90, 1, -9, 4.5, 1, -2, 20])
    found = rehearsed(book)
    assert found.errors == []
    assert found.entries[JANUARY].values[counties[0].pk] == {
        "composite_index": Decimal("4.5"), "composite_change": None, "pm25": None, "pm25_change": Decimal("-2.0"),
    }  # fmt: skip


# ── intake ───────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_a_realistic_workbook_is_taken_in_whole(tmp_path, counties, capsys):
    book = ranking({"全市平均": cells(4.9, -1, 50, -1) * 3, **full_rows()})
    file = save(book, tmp_path / "排名.xlsx")
    call_command("import_ledger", "air", str(file), "--json")
    said = json.loads(capsys.readouterr().out)
    assert said["errors"] == []
    assert said["changes"][0] == {
        "sheet": "排名", "row": 6, "key": "曲沃县", "column": "2025年1月 综合指数", "old": "", "new": "4.57",
    }  # fmt: skip
    assert [one["reason"] for one in said["skipped"]] == [
        "“全市平均”是合计或平均行，未导入。", "“2025年1-1月”与“2025年1月”是同一时段，只记一次。",
    ]  # fmt: skip
    assert not AirPeriod.objects.exists()

    call_command("import_ledger", "air", str(file), "--commit")
    month, longer = AirPeriod.objects.order_by("-starts_on")
    assert (month.label, longer.label) == ("2025年1月", "2024年10月1日—2025年1月31日")
    assert (month.source, month.published_on) == ("测试市生态环境局", dt.date(2025, 2, 12))
    assert month.notes == "1.综合指数越小，空气质量越好。\n2.同比变化率为负表示改善。"
    assert [(r.county.name, r.composite_index, r.composite_change, r.pm25, r.pm25_change) for r in month.results.all()] == [
        ("曲沃县", Decimal("4.57"), Decimal("-5.3"), Decimal(45), Decimal("-3.1")),
        ("翼城县", Decimal("4.8"), Decimal("1.2"), Decimal(44), Decimal(0)),
        ("尧都区", Decimal("4.8"), Decimal("1.3"), Decimal(60), None),
    ]
    assert longer.results.count() == 2
    assert Intake.objects.get().kind == "workbook"
    assert TrailEvent.objects.filter(action="air.enter").count() == 2

    capsys.readouterr()
    call_command("import_ledger", "air", str(file), "--commit", "--json")
    assert json.loads(capsys.readouterr().out)["changes"] == []
    assert AirPeriod.objects.count() == 2


def test_typed_ranks_are_compared_and_never_believed(counties):
    rows = {name: row[:8] for name, row in full_rows().items()}
    rows["尧　都"][1] = 3  # the paper's unrounded values parted the tie
    found = rehearsed(ranking(rows, periods=["2025年1月"]))
    assert [(one.row, one.reason) for one in found.skipped] == [
        (7, "尧都区“2025年1月 综合指数”的名次在表中是3，按表中数值计算第2名：以计算为准，请核对。")
    ]


def test_more_decimals_than_are_kept_are_rounded_and_said(counties):
    found = rehearsed(ranking({"曲沃县": cells(4.57649, -5.25, 45, -1), "翼城县": cells(4.5, -5.35, 45, -1)}, periods=["2025年1月"]))
    values = found.entries[JANUARY].values
    assert [values[county.pk]["composite_change"] for county in counties[:2]] == [Decimal("-5.2"), Decimal("-5.4")]
    assert values[counties[0].pk]["composite_index"] == Decimal("4.576")
    said = [one.reason for one in found.skipped if "修约" in one.reason]
    assert said == [
        "“2025年1月 综合指数”有1个数多于3位小数，已修约（GB/T 8170）：名次按修约后的数计算。",
        "“2025年1月 综合指数同比变化率(%)”有2个数多于1位小数，已修约（GB/T 8170）：名次按修约后的数计算。",
    ]


def test_percentages_of_the_sheet_are_read_as_shown(counties):
    book = ranking({"曲沃县": cells(4.5, -0.053, 45, 0.031)}, periods=["2025年1月"])
    for place in ("D5", "H5"):
        book.active[place].number_format = "0.0%"
    values = rehearsed(book).entries[JANUARY].values[counties[0].pk]
    assert (values["composite_change"], values["pm25_change"]) == (Decimal("-5.3"), Decimal("3.1"))


def test_days_that_the_head_does_not_say_are_asked_for(counties):
    book = ranking({"曲沃县": cells(4.5, -1, 45, -1)}, periods=["秋冬防以来"])
    found = rehearsed(book)
    assert found.undated == ["秋冬防以来"]
    assert "没有写明起止日期" in found.errors[0].reason
    told = rehearsed(book, about=air_intake.About({"秋冬防以来": SINCE_OCTOBER}))
    assert told.errors == []
    assert told.entries[SINCE_OCTOBER].label == "秋冬防以来"


def test_same_period_twice_must_say_the_same(counties):
    rows = full_rows()
    rows["曲\n沃"][16] = 4.6
    found = rehearsed(ranking(rows))
    assert [(error.row, error.column, error.value) for error in found.errors] == [(5, "2025年1-1月 综合指数", "4.60")]
    assert "与“2025年1月”是同一时段，那里曲沃县是“4.57”" in found.errors[0].reason


@pytest.mark.parametrize(
    ("name", "row", "reason"),
    [
        pytest.param("曲沃县", cells("四点五", -1, 45, -1), "不是数字", id="文字"),
        pytest.param("曲沃县", cells(45, -1, 4.5, -1), None, id="看起来合理的数不猜"),
        pytest.param("曲沃县", cells(450, -1, 45, -1), "请核对数值和所在的列", id="超出范围"),
        pytest.param("曲沃县", cells(4.5, "↑-1", 45, -1), "又升又降", id="又升又降"),
        pytest.param("曲沃县", cells("=1/0", -1, 45, -1), "没有可用的值", id="没有算出的公式"),
        pytest.param("曲沃县", cells(dt.date(2025, 4, 5), -1, 45, -1), "这里是日期", id="日期"),
        pytest.param("曲阳县", cells(4.5, -1, 45, -1), "是不是“曲沃县”", id="别处的县"),
        pytest.param(None, cells(4.5, -1, 45, -1), "没有县（市、区）名称", id="没有名称"),
        pytest.param("翼城", cells(4.5, -1, 45, -1), "已经出现", id="重复的县"),
    ],
)
def test_hostile_rows_are_refused_with_their_place(counties, name, row, reason):
    rows = {"翼城县": cells(4.8, 1, 44, 1)} | {name: row}
    found = rehearsed(ranking(rows, periods=["2025年1月"]))
    assert [error.row for error in found.errors] == ([6] if reason else [])
    assert reason is None or reason in found.errors[0].reason


MESSY_HEAD = ["县区", "综合指数", "同比变化率", "PM2.5", "同比变化率"]
MESSY = {
    "合计写在序号列": ([["序号", "县区", "综合指数", "PM2.5"], [1, "曲沃县", 4.5, 45], ["合计", None, 9.1, 89]], 2, []),
    "升降写成文字": ([MESSY_HEAD, ["曲 沃", "4.5", "下降5.3%", 45, "↑2.0"], ["翼城", "—", "持平", "无", "/"]], 5, []),
    "重复的表头": ([MESSY_HEAD, ["曲沃县", 4.5, 1, 45, 1], MESSY_HEAD, ["翼城县", 4.6, 1, 46, 1]], 8, []),
    "下面的表列序不同": (
        [MESSY_HEAD, ["曲沃县", 4.5, 1, 45, 1], ["县区", "PM2.5", "同比变化率", "综合指数", "同比变化率"], ["翼城县", 46, 1, 4.6, 1]],
        4,
        [(4, "又有一个表头")],
    ),
    "比率没有设成百分比": (
        [MESSY_HEAD, ["曲沃县", 4.5, -0.053, 45, 1], ["翼城县", 4.6, 0.021, 46, 0.25]],
        8,
        [(2, "像是没有设成百分比的比率")],
    ),
    "两县合并一个数": ([MESSY_HEAD, ["曲沃县", 4.5, 1, 45, 1], ["翼城县", None, 1, 46, 1]], 6, [(3, "请拆分单元格"), (4, "请拆分单元格")]),
    "名称相近和算不出的数": (
        [MESSY_HEAD, ["曲沃县", "#REF!", 1, 45, 1], ["翼县", 4.6, 1, 46, 1]],
        3,
        [(3, "没有可用的值"), (4, "是不是“翼城县”")],
    ),
}


@pytest.mark.once
@pytest.mark.parametrize(("rows", "changed", "errors"), MESSY.values(), ids=MESSY)
def test_messy_rankings_are_understood_or_complained_of(counties, rows, changed, errors):
    book = Workbook()
    for row in [["2025年1月环境空气质量情况"], *rows]:
        book.active.append(row)
    if any("拆分" in part for _, part in errors):
        book.active.merge_cells("B3:B4")
    found = rehearsed(book)
    assert sorted((error.row, part in error.reason) for error, (_, part) in zip(found.errors, errors, strict=True)) == sorted(
        (row, True) for row, _ in errors
    )
    assert len(found.changes) == changed
    assert found.is_broken == bool(errors)


def test_one_error_keeps_everything_out(tmp_path, counties):
    rows = full_rows()
    rows["尧　都"][0] = "错"
    file = save(ranking(rows), tmp_path / "a.xlsx")
    with pytest.raises(CommandError, match="未写入任何数据"):
        call_command("import_ledger", "air", str(file), "--commit")
    assert not AirPeriod.objects.exists()
    assert not Intake.objects.exists()


@pytest.mark.parametrize("content", [["说明"], ["县(市、区)", "人口"], ["曲沃县", 4.5]], ids=["只有文字", "没有排名的列", "没有表头"])
def test_a_workbook_without_a_ranking_says_what_is_missing(counties, content):
    book = Workbook()
    book.active.append(content)
    found = rehearsed(book)
    assert "没有找到排名表" in found.errors[0].reason


def test_queries_do_not_grow_with_the_rows(counties, django_assert_num_queries):
    names = [f"第{n}县" for n in range(200, 230)]
    for name in names:
        CountyFactory(name=name, short=name)
    sheets = read_workbook(as_bytes(ranking({name: cells(4.5, -1, 45, -1) for name in names}, periods=["2025年1月"])))
    few = read_workbook(as_bytes(ranking({names[0]: cells(4.5, -1, 45, -1)}, periods=["2025年1月"])))
    air_intake.rehearse(few, reason="")
    for one in (few, sheets):
        with django_assert_num_queries(4):
            air_intake.rehearse(one, reason="")


# ── the import page ──────────────────────────────────────────────────────────────────────────────────────────────────
def sent(client, book=None, **said):
    data = {"reason": "", "published_on": "", "source": ""} | said
    if book is not None:
        data["file"] = SimpleUploadedFile("排名.xlsx", as_bytes(book))
    return client.post(reverse("air_import"), data)


def test_page_rehearses_asks_for_days_and_takes_in_what_was_seen(office, counties):
    book = ranking({"曲沃县": cells(4.5, -1, 45, -1)}, periods=["秋冬防以来"])
    page = sent(office, book)
    assert page.status_code == 422
    assert "表头没有写明起止日期的时段" in page.content.decode()
    asked = {"label_0": "秋冬防以来", "from_0": "2024-10-01", "to_0": "2025-01-31", "source": "市局", "published_on": "2025-02-13"}
    page = sent(office, kept=page.context["kept"], name="排名.xlsx", **asked)
    assert page.status_code == 200
    assert "确认写入 1 个时段" in page.content.decode()
    assert not AirPeriod.objects.exists()
    seen = page.context["rehearsal"].digest
    changed = sent(office, kept=page.context["kept"], action="commit", seen=seen, **asked | {"from_0": "2024-11-01"})
    assert changed.status_code == 422
    assert not AirPeriod.objects.exists()
    done = sent(office, kept=page.context["kept"], action="commit", seen=seen, **asked)
    assert done.status_code == 302
    at = AirPeriod.objects.get()
    assert (at.starts_on, at.ends_on, at.source, at.published_on) == (*SINCE_OCTOBER, "市局", dt.date(2025, 2, 13))


def test_page_wants_a_reason_before_published_values_change(office, counties):
    AirResultFactory(period=AirPeriodFactory(label="2025年1月"), county=counties[0], composite_index="4.4")
    book = ranking({"曲沃县": cells(4.5, None, None, None)}, periods=["2025年1月"], notes=(), publication="")
    page = sent(office, book)
    html = page.content.decode()
    assert page.status_code == 422
    assert "请写明更正理由" in html
    assert "<del>4.40</del>" in html
    assert "确认写入" not in html
    page = sent(office, kept=page.context["kept"], reason="市局更正")
    done = sent(office, kept=page.context["kept"], reason="市局更正", action="commit", seen=page.context["rehearsal"].digest)
    assert done.status_code == 302
    assert AirResult.objects.get().composite_index == Decimal("4.5")
    assert TrailEvent.objects.get(action="air.revise").reason == "市局更正"


def test_page_refuses_files_that_are_no_workbooks_and_impossible_days(office, counties):
    page = office.post(reverse("air_import"), {"file": SimpleUploadedFile("a.xlsx", b"%PDF-1.4"), "published_on": "2025-03-01"})
    html = page.content.decode()
    assert page.status_code == 422
    assert "这不是 Excel 工作簿" in html
    assert "发布日不能晚于今天" in html
    assert "请选择要导入的文件" in sent(office).content.decode()
    assert "核对过的文件已不在" in sent(office, kept="0" * 64).content.decode()


def test_registered_under_its_slug():
    assert LEDGERS["air"].rows(TODAY).ends == []
    assert air_ledger.columns(air_ledger.AirRows()).keys() == {"county"}
    assert air.COLUMNS[0] == "composite_index"
