import datetime as dt
from decimal import Decimal

import pytest

from ledgers import cells, heads
from ledgers.cells import FIRST, LAST, Unread, read_amount, read_day
from linfen_water import tabular
from linfen_water.workbook import BadWorkbook, Broken, Row, Sheet

pytestmark = pytest.mark.once
TITLES = {"编号": "code", "项目名称": "name", "总投资": "money", "时间计划开工": "start", "时间实际开工": "began", "县区": "county"}


def day(*parts) -> dt.date:
    return dt.date(*parts)


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("2024-03-15", day(2024, 3, 15)),
        ("2024/3/5", day(2024, 3, 5)),
        ("2024年3月15日前", day(2024, 3, 15)),
        ("20240315", day(2024, 3, 15)),
        (Decimal(45366), day(2024, 3, 15)),
        ("45366", day(2024, 3, 15)),
        ("3月15日", day(2025, 3, 15)),
        ("3.15", day(2025, 3, 15)),
        ("2024年3月底", day(2024, 3, 31)),
        ("2024年2月末", day(2024, 2, 29)),
        ("2024年3月上旬", day(2024, 3, 10)),
        ("2024.10", day(2024, 10, 31)),
        (Decimal("2024.3"), day(2024, 3, 31)),
        ("2024年底", day(2024, 12, 31)),
        ("2024年二季度", day(2024, 6, 30)),
        ("2024年上半年", day(2024, 6, 30)),
        ("24年3月", day(2024, 3, 31)),
        ("二〇二四年十月十五日", day(2024, 10, 15)),
        ("2024-03-15 00:00:00", day(2024, 3, 15)),
    ],
)
def test_a_day_is_read_as_offices_write_it(cell, expected):
    assert read_day(cell, month_is=LAST, year=2025) == expected


def test_a_month_is_its_first_day_where_something_starts():
    assert read_day("2024.3", month_is=FIRST) == day(2024, 3, 1)
    assert read_day("2024年3月底", month_is=FIRST) == day(2024, 3, 31)


@pytest.mark.parametrize("cell", [Decimal("2024.1"), "3月15日", "2024年", Decimal(2024), "约2024年3月"])
def test_what_may_mean_two_days_is_asked(cell):
    with pytest.raises(Unread) as fault:
        read_day(cell, month_is=LAST)
    assert fault.value.is_asked


def test_a_month_without_a_meaning_is_asked():
    with pytest.raises(Unread) as fault:
        read_day("2024年3月")
    assert fault.value.is_asked


@pytest.mark.parametrize("cell", ["2024-02-30", "去年", "2024-13", Decimal(7), Decimal("1.5")])
def test_what_is_no_day_is_refused(cell):
    with pytest.raises(Unread):
        read_day(cell, month_is=LAST)


@pytest.mark.parametrize(
    ("cell", "unit", "expected"),
    [
        (Decimal("1.2"), "亿元", 12000),
        ("1.2亿", "", 12000),
        ("3,500.5万元", "亿元", Decimal("3500.5")),
        (Decimal(35000000), "元", 3500),
        ("１２３４", "", 1234),
    ],
)
def test_an_amount_is_in_the_unit_of_its_heading_unless_it_says_its_own(cell, unit, expected):
    assert read_amount(cell, unit=unit) == expected


@pytest.mark.parametrize("text", ["", " ", "—", "/", "无", "暂无", "－", None])
def test_nothing_is_written_in_many_ways(text):
    assert cells.is_nothing(text)


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (Broken("#REF!"), True),
        ("#ref!", True),
        (" ＃N/A", True),
        ("公式没有保存计算结果", True),
        ("Err:502", True),
        ("#1 泵站", False),
        ("见公式没有保存计算结果的说明", False),
        (None, False),
    ],
)
def test_what_a_spreadsheet_shows_in_place_of_a_value_is_none(cell, expected):
    assert cells.has_no_value(cell) is expected


def test_a_rounded_amount_in_a_larger_unit_is_the_same():
    assert cells.is_rounded(Decimal("1.23"), Decimal("12345.67"), unit="亿元")
    assert not cells.is_rounded(Decimal("1.24"), Decimal("12345.67"), unit="亿元")
    assert not cells.is_rounded(Decimal(1), Decimal("12345.67"), unit="亿元")


def sheet(*lines, merges=()) -> Sheet:
    rows = [Row(number, list(cells)) for number, cells in enumerate(lines, 1) if any(cell is not None for cell in cells)]
    return Sheet("表", False, rows, merges)


class TestHeads:
    def places(self, table: Sheet) -> dict:
        return heads.find_head(table, TITLES, {"code"}).places

    def test_below_titles(self):
        table = sheet(["某市2025年工程台账"], ["单位：亿元"], ["编号", "项 目\n名 称", "总投资(亿元)"], ["LF-001", "一号", 1])
        head = heads.find_head(table, TITLES, {"code"})
        assert (head.row, head.places, head.units["money"]) == (3, {"code": 0, "name": 1, "money": 2}, "亿元")
        assert heads.sheet_unit(table, head) == "亿元"
        assert heads.year_in(heads.above(table, head)) == 2025

    def test_of_two_lines_with_merges(self):
        merges = ((1, 1, 2, 1), (1, 2, 2, 2), (1, 3, 1, 4))
        table = sheet(
            ["编号", "项目名称", "时间", None], [None, None, "计划开工", "实际开工"], ["LF-001", "一号", "2024.3", "2024.5"], merges=merges
        )
        assert self.places(table) == {"code": 0, "name": 1, "start": 2, "began": 3}

    def test_of_two_lines_that_lost_their_merges(self):
        table = sheet(["编号", "项目名称", "时间", None], [None, None, "计划开工", "实际开工"], ["LF-001", "一号", "2024.3", "2024.5"])
        assert self.places(table) == {"code": 0, "name": 1, "start": 2, "began": 3}

    @pytest.mark.parametrize(
        ("lines", "expected"),
        [
            ([["编号", "项目名称"]], (1, True)),
            ([["某市台账"], ["编号", "概算"], ["LF-001", 1]], (2, False)),
            ([["某市台账"], ["姓名", "电话"], ["甲", 1]], (2, False)),
            ([["LF-001", 1], ["LF-002", 2]], None),
        ],
    )
    def test_too_few_known_headings_make_a_guess(self, lines, expected):
        head = heads.find_head(sheet(*lines), TITLES, {"code"})
        assert (head and (head.row, head.is_sure)) == expected

    def test_a_person_has_the_last_word(self):
        table = sheet(["编号", "项目名称", "投资概算"], ["LF-001", "一号", 1])
        assert heads.find_head(table, TITLES, {"code"}, {2: "money"}).places["money"] == 2


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["合 计", None, 5], heads.TOTAL_ROW),
        ([None, "全市合计", 5], heads.TOTAL_ROW),
        (["水利小计", None, 5], heads.SUBTOTAL_ROW),
        (["其中：省级", None, 5], heads.PART_ROW),
        (["一、水利工程"], heads.SUB_HEAD),
        (["（二）生态", None, 7], heads.SUB_HEAD),
        (["甲", "乙", 1, 2, 3], heads.NUMBERS),
        (["注：以上为初步数据"], heads.REMARK),
        (["制表：", None, "审核："], heads.REMARK),
        (["编号", "项目名称", "总投资"], heads.HEAD_AGAIN),
        (["LF-001", "一号", 1], heads.ENTRY),
    ],
)
def test_a_row_is_told_from_what_is_none(cells, kind):
    head = heads.find_head(sheet(["编号", "项目名称", "总投资"]), TITLES, {"code"})
    assert heads.kind_of(Row(9, cells), head, has_key=False) == kind


class TestTables:
    def test_html_under_the_name_of_xls(self):
        page = "<html><body><table><tr><td rowspan=2>编号</td><td colspan=2>时间</td></tr><tr><td>计划</td><td>实际</td></tr>"
        page += "<tr><td>LF-001</td><td>2024.3</td><td><b>暂</b>无</td></tr></table><script>x</script></body></html>"
        (found,) = tabular.read_table(page.encode("gb18030"))
        assert [row.cells for row in found.rows] == [["编号", "时间"], [None, "计划", "实际"], ["LF-001", "2024.3", "暂无"]]
        assert found.merges == ((1, 1, 2, 1), (1, 2, 1, 3))

    @pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030", "utf-16"])
    def test_csv_in_the_encodings_of_offices(self, encoding):
        (found,) = tabular.read_table("编号,项目名称\nLF-001,'=1+1\n".encode(encoding))
        assert [row.cells for row in found.rows] == [["编号", "项目名称"], ["LF-001", "=1+1"]]

    @pytest.mark.parametrize(
        ("data", "fault"),
        [
            (b"", "空的"),
            (b"\x89PNG\r\n\x1a\n\0\0", "不是表格文件"),
            (b"<html><body>404</body></html>", "没有表格"),
            (bytes.fromhex("D0CF11E0A1B11AE1") + bytes(9), "旧版 .xls 或加了打开密码"),
            (b"\x09\x08\x10\0", "旧版 .xls"),
            (b"\xff\xfe\x80", "文字编码"),
            (b'a,"b\n', "引号是否成对"),
            (b"x" * (6 << 20), "超过 5 MB"),
        ],
    )
    def test_what_is_no_table_is_refused_with_a_sentence(self, data, fault):
        with pytest.raises(BadWorkbook, match=fault):
            tabular.read_table(data)


def test_endless_merges_cost_a_bounded_time():
    rows = [Row(n, ["编号", "来源", "计划额"]) for n in range(1, 50)]
    hostile = Sheet("表", False, rows, tuple((2 + n % 50, 1, 4_990, 16_384) for n in range(20_000)))
    head = heads.Head(1, [], [])
    assert sum(map(len, heads.covered(hostile, head).values())) <= heads.MERGED_CELLS
    assert sum(map(len, heads.filled_down(hostile, head)[1].values())) <= heads.MERGED_CELLS
