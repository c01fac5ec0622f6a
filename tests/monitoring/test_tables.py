"""A table is understood as people make them, or refused with every reason, row and column."""

import datetime as dt
import io
from decimal import Decimal as D

import pytest
from django.utils import timezone
from openpyxl import Workbook

from linfen_water.workbook import DAMAGED, NOT_CALCULATED, Broken, Percent
from monitoring.enums import Cause, CellFlag, IntakeKind, ReadingFlag, WaterClass
from monitoring.intake import BadFile, read_book, read_csv, read_file, read_paste, read_rows, tables
from monitoring.models import Section
from monitoring.samples import Value
from tests.factories import SectionFactory

TODAY = dt.date(2025, 2, 20)
A, B = Section(pk=1, name="甲断面"), Section(pk=2, name="乙断面", station_name="乙站")
HEAD = ["断面", "采样日期", "pH值", "氨氮", "总磷"]


def read(*rows, **more):
    """`rows` stand below each other from row 1 on."""
    options = {"today": TODAY, "index": tables.SectionIndex([A, B])} | more
    return read_rows(list(enumerate(rows, 1)), **options)


def faults(batch):
    return [(fault.row, fault.column, fault.value, fault.reason) for fault in batch.errors]


def when(at):
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M}"


def one(cell, column=3):
    """What the table makes of one cell of the ammonia column."""
    row = ["甲断面", "2025-01-06", "8", "0.3", "0.05"]
    row[column] = cell
    batch = read(HEAD, row)
    assert faults(batch) == []
    return batch.samples[0].values.get("nh3n")


# ── Forms ────────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_a_wide_table():
    batch = read(HEAD, ["甲断面", "2025-01-06 10:30", "8", "0.3", "<0.01"], ["乙断面", dt.date(2025, 1, 7), D("7.9"), D("0.412"), None])
    first, second = batch.samples
    assert (first.section, when(first.at), first.known_to, first.place) == (A, "2025-01-06 10:30", "minute", "第2行")
    assert first.values == {"ph": Value(D(8)), "nh3n": Value(D("0.3")), "tp": Value(D("0.01"), is_below_detection=True)}
    assert (second.section, when(second.at), second.known_to) == (B, "2025-01-07 12:00", "day")
    assert second.values == {"ph": Value(D("7.9")), "nh3n": Value(D("0.412"))}


def test_a_long_table_with_merged_cells():
    batch = read(
        ["断面", "采样日期", "指标", "数值", "单位", "数据来源"],
        ["甲断面", "2025-01-06", "氨氮", "0.3", "mg/L", "市监测站"],
        [None, None, "总磷", "0.05", None, "市监测站"],
        ["乙断面", "2025-01-07", "pH", "8", "无量纲", None],
    )
    assert faults(batch) == []
    assert [(s.section, s.source, s.place, dict(s.values)) for s in batch.samples] == [
        (A, "市监测站", "第2行", {"nh3n": Value(D("0.3"))}),
        (A, "市监测站", "第3行", {"tp": Value(D("0.05"))}),
        (B, "手工监测", "第4行", {"ph": Value(D(8))}),
    ]


def test_titles_two_line_heads_units_empty_rows_and_notes():
    batch = read(
        ["某市国考断面水质监测结果"],
        [None, "2025年2月印"],
        ["序号", "断面", "河流", "采样日期", "监测项目", None],
        [None, None, None, None, "氨氮", "总磷"],
        [None, None, None, None, "mg/L", "mg/L"],
        [],
        [D(1), "甲断面", "某河", "2025.1.6", "0.3", "0.05"],
        [None, "平均", None, None, "0.3", "0.05"],
        ["注：数据未经审核。"],
    )
    assert faults(batch) == []
    assert [(s.place, dict(s.values)) for s in batch.samples] == [("第7行", {"nh3n": Value(D("0.3")), "tp": Value(D("0.05"))})]
    assert [(s.row, s.reason) for s in batch.skipped] == [(8, "合计行或说明文字，未导入"), (9, "说明文字，未导入")]


@pytest.mark.parametrize(
    ("rows", "values", "said"),
    [
        pytest.param([["2025年1月监测数据"], HEAD, ["甲断面", "1月6日", "8", "0.3", "0.05"]], 1, [], id="年份在标题里"),
        pytest.param(
            [["单位：μg/L"], HEAD, ["甲断面", "2025-01-06", "8", "300", "50"]],
            0,
            [(2, "单位须为mg/L"), (2, "单位须为mg/L")],
            id="单位在表头上方",
        ),
        pytest.param([["单位：mg/L（pH无量纲）"], HEAD, ["甲断面", "2025-01-06", "8", "0.3", "0.05"]], 1, [], id="单位相符"),
        pytest.param(
            [HEAD, ["甲断面", "2025-01-06", "8", "0.3", "0.05"], HEAD, ["乙断面", "2025-01-06", "8", "0.3", None]], 2, [], id="表头重复"
        ),
        pytest.param(
            [
                HEAD,
                ["甲断面", "2025-01-06", "8", "0.3", "0.05"],
                ["断面", "采样日期", "pH值", "总磷", "氨氮"],
                ["乙断面", "2025-01-06", "8", "0.05", "0.3"],
            ],
            1,
            [(3, "又有一个表头")],
            id="下面的表列序不同",
        ),
    ],
)
def test_messy_tables_are_understood_or_complained_of(rows, values, said):
    batch = read(*rows)
    assert [(fault.row, part in fault.reason) for fault, (_, part) in zip(batch.errors, said, strict=True)] == [
        (row, True) for row, _ in said
    ]
    assert len([sample for sample in batch.samples if "nh3n" in sample.values]) == values


def test_a_month_in_the_title_counts_for_all_rows():
    batch = read(["2025年1月水质监测结果"], ["断面", "氨氮"], ["甲断面", "0.3"])
    (sample,) = batch.samples
    assert (when(sample.at), sample.known_to) == ("2025-01-01 12:00", "month")


@pytest.mark.parametrize(
    "heading", ["氨氮", "nh3n", "NH3-N", "氨氮(mg/L)", "氨氮（mg/L）", "氨氮 mg/L", "氨氮\n(mg/L)", "氨氮(NH3-N)", "ＮＨ３-Ｎ"]
)
def test_what_an_item_may_be_called(heading):
    (sample,) = read(["断面", "采样日期", heading], ["甲断面", "2025-01-06", "0.3"]).samples
    assert sample.values == {"nh3n": Value(D("0.3"))}


@pytest.mark.parametrize(
    ("cell", "expected", "known_to"),
    [
        ("2025-01-06", "2025-01-06 12:00", "day"),
        ("2025/1/6", "2025-01-06 12:00", "day"),
        ("2025.1.6", "2025-01-06 12:00", "day"),
        ("2025年1月6日", "2025-01-06 12:00", "day"),
        ("20250106", "2025-01-06 12:00", "day"),
        (dt.date(2025, 1, 6), "2025-01-06 12:00", "day"),
        (D("45663"), "2025-01-06 12:00", "day"),
        ("45663", "2025-01-06 12:00", "day"),
        (D("45663.5"), "2025-01-06 12:00", "minute"),
        ("2025-01-06 9:05", "2025-01-06 09:05", "minute"),
        ("2025-01-06T09:05:00", "2025-01-06 09:05", "minute"),
        ("2025年1月6日9时5分", "2025-01-06 09:05", "minute"),
        ("2025年1月6日 9时", "2025-01-06 09:00", "minute"),
        (dt.datetime(2025, 1, 6, 9, 4, 59), "2025-01-06 09:05", "minute"),
        ("2025-01", "2025-01-01 12:00", "month"),
        ("2025年1月", "2025-01-01 12:00", "month"),
        ("2025年1月底", "2025-01-01 12:00", "month"),
        ("2025.1", "2025-01-01 12:00", "month"),
        ("202501", "2025-01-01 12:00", "month"),
        (D("2024.12"), "2024-12-01 12:00", "month"),
        (D("2024.2"), "2024-02-01 12:00", "month"),
    ],
)
def test_dates_of_every_kind(cell, expected, known_to):
    at, known = tables.read_time(cell)
    assert (f"{at:%Y-%m-%d %H:%M}", known) == (expected, known_to)


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("1月6日", "没有写年份：写成 2025-01-06"),
        ("2025-02-30", "没有这一天：请核对日期"),
        ("2025-13", "没有这一天：请核对日期"),
        (D("2024.1"), "可能是1月，也可能是10月（数值丢了末尾的0）：写成 2025-01"),
        ("上周", tables.NOT_A_DATE),
        (D(7), tables.NOT_A_DATE),
        (Broken("#REF!"), tables.NOT_A_DATE),
        (None, "没有写采样日期"),
        ("2025-02-21", "日期在将来（今天是2025-02-20）：请核对年份和月份"),
        ("1905-06-01", "年份太早：请核对"),
        ("2002-05-31", "年份太早：请核对"),
    ],
)
def test_dates_that_are_none(cell, reason):
    ((row, column, _, said),) = faults(read(HEAD, ["甲断面", cell, "8", "0.3", "0.05"]))
    assert (row, column, said) == (2, "采样日期", reason)


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("0.52", Value(D("0.52"))),
        (D("0.52"), Value(D("0.52"))),
        ("<0.025", Value(D("0.025"), is_below_detection=True)),
        ("0.025L", Value(D("0.025"), is_below_detection=True)),
        ("--", Value()),
        ("*", Value(flag=ReadingFlag.NOT_MONITORED)),
        ("0.52（存疑）", Value(D("0.52"), flag=ReadingFlag.DOUBTFUL)),
        ("9(无效)", Value(D(9), flag=ReadingFlag.INVALID)),
        (None, None),
    ],
)
def test_cells_of_every_form(cell, expected):
    assert one(cell) == expected


@pytest.mark.parametrize(
    ("cell", "shown", "reason"),
    [
        ("很高", "很高", "不是数值：填数字（mg/L），未监测填 *，缺测填 -- 或留空"),
        ("-0.3", "-0.3", "是负数：请核对原始记录；低于检出限写成“<检出限”"),
        ("0,3", "0,3", "带有逗号：小数点用“.”，不用千分位"),
        ("300 μg/L", "300 μg/L", "带有单位：只填以mg/L计的数值（1 μg/L = 0.001 mg/L）"),
        ("1e9", "1e9", "超过每升一百万毫克，不可能：请核对数值和单位（mg/L）"),
        (Broken("#DIV/0!"), "#DIV/0!", "没有数值：请改成数值"),
        (Broken(NOT_CALCULATED), NOT_CALCULATED, "没有数值：请在 Excel 中重新计算并保存，或改成数值"),
        (Percent("0.3"), "0.3", "单元格是百分数：请改成数值格式后核对"),
        (dt.date(2025, 1, 3), "2025-01-03", "单元格是日期，不是数值：请改成数值格式后核对"),
    ],
)
def test_cells_that_cannot_be_read_are_told_with_place_and_reason(cell, shown, reason):
    batch = read(HEAD, ["甲断面", "2025-01-06", "8", cell, "0.05"])
    assert faults(batch) == [(2, "氨氮", "300 μg/L" if "μ" in shown else shown, reason)]


def test_all_faults_are_told_together():
    batch = read(
        HEAD,
        ["甲断面", "2025-01-06", "80", "x", "0.05"],
        ["乙断面", "2026-01-06", "8", "0.3", "0.05"],
        [None, "2025-01-06", "8", None, None],
    )
    assert [(row, column) for row, column, *_ in faults(batch)] == [(2, "pH值"), (2, "氨氮"), (3, "采样日期"), (4, "断面")]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        pytest.param([["断面", "采样日期", "氨氮(μg/L)"]], (1, "氨氮(μg/L)"), id="表头里"),
        pytest.param([["断面", "采样日期", "氨氮"], [None, None, "μg/L"]], (2, "氨氮"), id="单位行里"),
        pytest.param([["断面", "采样日期", "氨氮", "单位"], ["甲断面", "2025-01-06", "300", "ug/L"]], (2, "单位"), id="单位列里"),
        pytest.param(
            [["断面", "采样日期", "指标", "数值", "单位"], ["甲断面", "2025-01-06", "氨氮", "300", "μg/L"]], (2, "单位"), id="长表里"
        ),
    ],
)
def test_another_unit_is_refused_wherever_it_stands(rows, expected):
    ((row, column, _, reason),) = faults(read(*rows))
    assert (row, column) == expected
    assert reason == "单位须为mg/L，请换算后再导入（1 μg/L = 0.001 mg/L）"


def test_an_unknown_column_with_values_is_refused_with_a_hint():
    batch = read([*HEAD, "氨 氮量", "化学需氧", None], ["甲断面", "2025-01-06", "8", "0.3", "0.05", None, "15"])
    assert faults(batch) == [(1, "化学需氧", "", "不认识的列，是不是“化学需氧量”？改正列名，或删去这一列")]


def test_an_unknown_item_of_a_long_table_is_refused():
    batch = read(["断面", "采样日期", "指标", "数值"], ["甲断面", "2025-01-06", "氨氮氮", "1"])
    assert faults(batch) == [(2, "指标", "氨氮氮", "不认识的指标，是不是“氨氮”？")]


def test_a_column_that_stands_twice_is_refused():
    assert faults(read([*HEAD, "氨氮"])) == [(1, "氨氮", "", "这一列出现了两次，不知用哪一列：只留一列")]


def test_a_section_that_is_not_ours_is_skipped_with_a_hint():
    batch = read(HEAD, ["甲断", "2025-01-06", "8", "0.3", "0.05"], ["别处", "x", "y", "z", None])
    assert [(s.row, s.value, s.reason) for s in batch.skipped] == [
        (2, "甲断", "没有这个断面，是不是“甲断面”？"),
        (3, "别处", "没有这个断面"),
    ]
    assert batch.errors == []


@pytest.mark.parametrize(("word", "cause"), [("断流", Cause.NO_FLOW), ("结冰", Cause.FROZEN), ("停站", Cause.STOPPED)])
@pytest.mark.parametrize("place", [2, 5], ids=["数值列", "类别列"])
def test_a_row_may_say_why_there_is_no_value(word, cause, place):
    row = ["甲断面", "2025-01", "--", None, None, None]
    row[place] = word
    batch = read([*HEAD, "水质类别"], row)
    assert [(gap.section, gap.month, gap.cause, gap.place) for gap in batch.gaps] == [(A, dt.date(2025, 1, 1), cause, "第2行")]
    assert (batch.samples, batch.errors) == ([], [])


def test_a_value_beside_a_reason_for_none_is_refused():
    batch = read(HEAD, ["甲断面", "2025-01", "断流", "0.3", None])
    assert faults(batch) == [(2, "氨氮", "0.3", "同一行写着断流又有数值：请只留一样")]


@pytest.mark.parametrize(("text", "flag"), [("存疑", ReadingFlag.DOUBTFUL), ("无效", ReadingFlag.INVALID), ("有效", ReadingFlag.VALID)])
def test_a_flag_counts_for_the_row(text, flag):
    (sample,) = read([*HEAD, "标记"], ["甲断面", "2025-01-06", "8", None, None, text]).samples
    assert sample.values == {"ph": Value(D(8), flag=flag)}


def test_an_unknown_flag_is_refused():
    assert [fault[1:3] for fault in faults(read([*HEAD, "标记"], ["甲断面", "2025-01-06", "8", None, None, "好"]))] == [("标记", "好")]


# ── Stations ─────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_a_table_of_a_station():
    batch = read([*HEAD, "浊度", "水质类别"], ["乙站", "2025-01-06 08:00", "8.12", None, "*", "12.5", "Ⅳ"], is_automatic=True)
    (run,) = batch.runs
    assert (run.section, when(run.at), run.values) == (B, "2025-01-06 08:00", {"ph": "8.12", "turbidity": "12.5"})
    assert (run.flags, run.feed_class, run.place) == ({"nh3n": CellFlag.MISSING}, WaterClass.IV, "第2行")


def test_a_column_may_say_which_rows_are_automatic():
    batch = read(
        [*HEAD, "方式"], ["甲断面", "2025-01-06 08:00", "8", "0.3", "0.05", "自动"], ["甲断面", "2025-01-06", "8", "0.3", "0.05", "手工"]
    )
    assert (len(batch.runs), len(batch.samples)) == (1, 1)


def test_a_station_needs_the_hour():
    batch = read(HEAD, ["甲断面", "2025-01-06", "8", "0.3", "0.05"], is_automatic=True)
    assert [fault[1] for fault in faults(batch)] == ["采样日期"]


def test_one_time_twice_with_two_values_is_refused():
    row = ["甲断面", "2025-01-06 08:00", "8", "0.3", "0.05"]
    assert faults(read(HEAD, row, row, is_automatic=True)) == []
    batch = read(HEAD, row, [*row[:-1], "0.06"], is_automatic=True)
    assert faults(batch) == [(3, "采样日期", "2025-01-06 08:00", "第2行已有这个断面同一时间的数据，数值不同：请只保留一行")]


def test_a_long_table_of_a_station_becomes_one_run():
    rows = [["甲断面", "2025-01-06 08:00", name, value] for name, value in (("pH", "8"), ("氨氮", "0.3"), ("总磷", "--"))]
    (run,) = read(["断面", "监测时间", "指标", "数值"], *rows, is_automatic=True).runs
    assert (run.values, run.flags) == ({"ph": "8", "nh3n": "0.3"}, {"tp": CellFlag.MISSING})


# ── Files ────────────────────────────────────────────────────────────────────────────────────────────────────────────
CSV = "断面,采样日期,氨氮\n甲断面,2025-01-06,0.3\n"


@pytest.fixture
def section(db):
    return SectionFactory(name="甲断面")


def book(*rows, title="一月", hidden=False):
    workbook = Workbook()
    page = workbook.active
    page.title = title
    for row in rows:
        page.append(row)
    if hidden:
        workbook.create_sheet("看得见")
        page.sheet_state = "hidden"
    out = io.BytesIO()
    workbook.save(out)
    return out.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("separator", [",", "\t", ";"])
def test_a_csv_in_every_encoding(section, encoding, separator):
    kind, batch = read_file(CSV.replace(",", separator).encode(encoding), name="a.csv")
    assert (kind, batch.samples[0].section, batch.samples[0].place) == (IntakeKind.CSV, section, "第2行")


def test_a_workbook_with_times_of_day(section):
    data = book(["断面", "监测时间", "氨氮"], ["甲断面", dt.datetime(2025, 1, 6, 8), 0.3])
    kind, batch = read_file(data, is_automatic=True)
    (run,) = batch.runs
    assert (kind, when(run.at), run.values, run.place) == (IntakeKind.WORKBOOK, "2025-01-06 08:00", {"nh3n": "0.3"}, "一月 第2行")


def test_a_hidden_sheet_is_left_out(section):
    with pytest.raises(BadFile, match="没有找到表头"):
        read_book(book(["断面", "采样日期", "氨氮"], ["甲断面", "2025-01-06", 0.3], hidden=True), today=TODAY)


def test_the_feed_is_known_by_its_content(section):
    kind, batch = read_file(b'\xef\xbb\xbf {"result":1,"thead":[],"tbody":[]}', name="a.csv")
    assert (kind, batch.is_feed) == (IntakeKind.FEED, True)


def test_a_decimal_comma_that_moves_the_cells_is_refused(section):
    batch = read_csv("断面,采样日期,氨氮\n甲断面,2025-01-06,0,3\n".encode(), today=TODAY)
    assert faults(batch) == [(2, "", "3", "本行有4格，表头只有3列：小数点用“.”，含逗号的文字须加引号")]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        pytest.param(b"", "空的", id="空"),
        pytest.param(b" \n", "空的", id="空白"),
        pytest.param(b"<html></html>", "网页", id="网页"),
        pytest.param(b"PK\x03\x04junk", "不完整或已损坏", id="坏工作簿"),
        pytest.param(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "旧版 .xls", id="xls"),
        pytest.param("姓名,年龄\n甲,1\n".encode(), "没有找到表头", id="别的表"),
        pytest.param(b"a\0b,c\n", "不是表格", id="二进制"),
        pytest.param(b"\xff" * 50, "文字编码", id="乱码"),
        pytest.param('断面,采样日期,氨氮\n"甲断面,2025-01-06,0.3\n'.encode(), "引号", id="引号不成对"),
    ],
)
def test_a_file_of_no_use_is_refused_with_one_sentence(section, data, said):
    with pytest.raises(BadFile, match=said):
        read_file(data)


def test_a_pasted_block(section):
    batch = read_paste("断面\t采样日期\t氨氮\r\n甲断面\t2025-01-06\t0.3\r\n", today=TODAY)
    assert [dict(sample.values) for sample in batch.samples] == [{"nh3n": Value(D("0.3"))}]


def test_reading_a_file_is_few_queries_however_long_it_is(section, django_assert_num_queries):
    for rows in (1, 300):
        text = "断面,采样日期,氨氮\n" + "甲断面,2025-01-06,0.3\n" * rows
        with django_assert_num_queries(1):
            read_csv(text.encode(), today=TODAY)


@pytest.mark.parametrize(
    "head",
    [
        pytest.param([["断面", "采样日期", "pH", "氨氮(μg/L)"]], id="单位不对的列"),
        pytest.param([["断面", "采样日期", "pH", "氨氮"], [None, None, None, "μg/L"]], id="单位行里不对"),
        pytest.param([["断面", "采样日期", "pH", "氨氮", "氨氮"]], id="出现两次的列"),
    ],
)
@pytest.mark.parametrize("is_automatic", [False, True])
def test_a_refused_column_gives_no_values(head, is_automatic):
    batch = read(*head, ["甲断面", "2025-01-06 10:00", "8", "300"], ["甲断面", "2025-01-07 10:00", None, "300"], is_automatic=is_automatic)
    assert len(batch.errors) == 1
    found = batch.runs if is_automatic else batch.samples
    assert [(list(one.values), dict(getattr(one, "flags", {}))) for one in found] == [(["ph"], {})]


@pytest.mark.parametrize("data", [b"\xff\xfe\xff\xff\x00\xd8", b"abc\0def", b"\x8f\xff\xff"])
def test_bytes_that_were_a_workbook_are_told_as_a_damaged_one(data):
    with pytest.raises(BadFile, match=DAMAGED):
        read_file(data, name="一月.XLSX")
