"""Workbooks as offices really send them: each is made here, with the facts that it tells and what intake has to complain of.

`MESSY` are for the 工程总台账 of `CITY`. A fact is (编号, column, new value); an error is (row, column, part of its sentence); a sum is
(row, part of its sentence): a total that does not fit. What is told neither as a fact nor as an error changes nothing.
"""

import dataclasses
import datetime as dt
import io
from collections.abc import Callable
from typing import Any

import openpyxl

CITY = {"LF-001": "涝河治理工程", "LF-002": "安泽沁河湿地工程", "LF-003": "尧都区污水处理厂提标工程"}
TOTAL, OWNER, START, FINISH = "总投资", "项目业主", "基线开工", "基线完工"
HEAD = ["编号", "项目名称", "总投资"]


@dataclasses.dataclass(frozen=True)
class Messy:
    """`rows` from row 1 on; `merges` as Excel names them; `finish` does what rows cannot say."""

    name: str
    rows: list[list[Any]]
    facts: set[tuple[str, str, str]] = dataclasses.field(default_factory=set)
    errors: list[tuple[int | None, str, str]] = dataclasses.field(default_factory=list)
    sums: list[tuple[int, str]] = dataclasses.field(default_factory=list)
    merges: tuple[str, ...] = ()
    title: str = "Sheet1"
    finish: Callable[[openpyxl.Workbook], None] | None = None

    def data(self) -> bytes:
        book, file = openpyxl.Workbook(), io.BytesIO()
        book.active.title = self.title
        for row in self.rows:
            book.active.append(row)
        for merge in self.merges:
            book.active.merge_cells(merge)
        if self.finish:
            self.finish(book)
        book.save(file)
        return file.getvalue()


def total(code: str, value: str) -> tuple[str, str, str]:
    return code, TOTAL, value


def _second_sheet(book: openpyxl.Workbook) -> None:
    sheet = book.create_sheet("续表")
    sheet.append(HEAD)
    sheet.append(["LF-002", CITY["LF-002"], 2200])
    book.create_sheet("填表说明").append(["请各县认真填写"])


def _far_format(book: openpyxl.Workbook) -> None:
    """Formats and empty cells far below, as after Ctrl+A."""
    for row in (500, 900):
        book.active.cell(row, 1).number_format = "0.00"


MESSY = [
    Messy(
        "title_unit_and_date_line",
        [["全市重点工程台账"], ["单位：万元", None, "2025年2月20日"], HEAD, ["LF-001", CITY["LF-001"], 1200]],
        {total("LF-001", "1200")},
        merges=("A1:C1",),
    ),
    Messy("unit_of_the_sheet_is_yi", [["单位：亿元"], HEAD, ["LF-001", CITY["LF-001"], 0.12]], {total("LF-001", "1200")}),
    Messy("unit_in_the_heading", [["编号", "总投资\n（亿元）"], ["LF-001", 0.15], ["LF-002", "0.1"]], {total("LF-001", "1500")}),
    Messy("yuan", [["编号", "总投资(元)"], ["LF-001", 12_345_600]], {total("LF-001", "1234.56")}),
    Messy(
        "two_line_head",
        [
            ["序号", "编号", "投资情况", None, "时间", None],
            [None, None, "总投资", "备注", "计划开工", "计划完工"],
            [1, "LF-001", 1300, "x", "2024.3", "2025年9月底"],
        ],
        {total("LF-001", "1300"), ("LF-001", START, "2024-03-01"), ("LF-001", FINISH, "2025-09-30")},
        merges=("A1:A2", "B1:B2", "C1:D1", "E1:F1"),
    ),
    Messy(
        "two_line_head_that_lost_its_merges",
        [["编号", "时间", None], [None, "计划开工", "计划完工"], ["LF-002", "2024-03-15", "2025.11"]],
        {("LF-002", START, "2024-03-15"), ("LF-002", FINISH, "2025-11-30")},
    ),
    Messy(
        "dates_of_every_kind",
        [["2024年计划"], ["编号", "计划开工时间"], ["LF-001", "3月15日"], ["LF-002", 45366], ["LF-003", "二〇二四年三月十五日"]],
        {(code, START, "2024-03-15") for code in CITY},
    ),
    Messy(
        "dates_that_are_none",
        [["编号", "计划完工"], ["LF-001", "2024年"], ["LF-002", "拟2025年底"], ["LF-003", "2025年2月30日"]],
        errors=[(2, FINISH, "只有年份"), (3, FINISH, "不是确定的日期"), (4, FINISH, "日期无效")],
    ),
    Messy("number_that_is_two_months", [["编号", "计划完工"], ["LF-001", 2025.1]], errors=[(2, FINISH, "也可能是10月")]),
    Messy("date_without_a_year", [["编号", "计划完工"], ["LF-001", "10月底"]], errors=[(2, FINISH, "没有写年份")]),
    Messy(
        "nothing_in_many_ways",
        [["编号", "项目业主"], ["LF-001", "—"], ["LF-002", "/"], ["LF-003", "暂无"]],
        {(code, OWNER, "") for code in CITY},
    ),
    Messy("nothing_where_something_must_be", [["编号", "总投资"], ["LF-001", "无"]], errors=[(2, TOTAL, "不能为空")]),
    Messy(
        "total_row_that_fits",
        [HEAD, ["LF-001", CITY["LF-001"], 1100], ["LF-002", CITY["LF-002"], 1000], ["合计", None, 2100]],
        {total("LF-001", "1100")},
    ),
    Messy(
        "total_row_that_does_not_fit",
        [HEAD, ["合计", None, 9999], ["LF-001", CITY["LF-001"], 1100], ["LF-002", CITY["LF-002"], 1000]],
        {total("LF-001", "1100")},
        sums=[(2, "合计 9999 与各行之和 2100 不符")],
    ),
    Messy(
        "sub_headings_and_subtotals",
        [
            HEAD,
            ["一、河道治理"],
            ["LF-001", CITY["LF-001"], 1100],
            ["小计", None, 1100],
            ["二、污水处理"],
            ["LF-003", CITY["LF-003"], 1000],
            ["小计", None, 7],
        ],
        {total("LF-001", "1100")},
        sums=[(7, "小计 7 与各行之和 1000 不符")],
    ),
    Messy(
        "parts_of_a_row",
        [HEAD, ["LF-001", CITY["LF-001"], 1100], ["其中：中央", None, 700], ["其中：县级", None, 500]],
        {total("LF-001", "1100")},
        sums=[(2, "超过该行的 1100")],
    ),
    Messy(
        "head_again_on_every_page",
        [HEAD, ["LF-001", CITY["LF-001"], 1100], HEAD, ["LF-002", CITY["LF-002"], 1200]],
        {total("LF-001", "1100"), total("LF-002", "1200")},
    ),
    Messy("line_of_column_numbers", [HEAD, ["甲", "乙", 1, 2, 3], ["LF-001", CITY["LF-001"], 1100]], {total("LF-001", "1100")}),
    Messy(
        "names_instead_of_codes",
        [["工程名称", "概算总投资"], ["涝河\n治理 工程", 1100], ["安泽沁河湿地公园工程", 5]],
        {total("LF-001", "1100")},
        [(3, "编号", "是不是“安泽沁河湿地工程”")],
    ),
    Messy(
        "names_nearly_right",
        [["编号", "牵头部门"], ["LF-001", "临汾市水利"], ["LF-002", "临汾市 水利局"]],
        {("LF-002", "牵头部门", "临汾市水利局")},
        [(2, "牵头部门", "是不是“临汾市水利局”")],
    ),
    Messy(
        "several_names_in_one_cell",
        [["编号", "责任单位"], ["LF-001", "临汾市水利局、临汾市住建局"]],
        errors=[(2, "责任单位", "一格里有2个单位")],
    ),
    Messy(
        "full_width_and_blanks",
        [["　编 号　", "总　投　资"], ["ＬＦ－００１", "１，１００．５"], [" lf-002 ", " 1200 "]],
        {total("LF-001", "1100.5"), total("LF-002", "1200")},
    ),
    Messy(
        "words_in_amounts",
        [HEAD, ["LF-001", CITY["LF-001"], "约1100"], ["LF-002", CITY["LF-002"], "0.11亿元"], ["LF-003", CITY["LF-003"], "1,200万元"]],
        {total("LF-002", "1100"), total("LF-003", "1200")},
        [(2, TOTAL, "请填确数")],
    ),
    Messy(
        "merged_amount",
        [HEAD, ["LF-001", CITY["LF-001"], 900], ["LF-002", CITY["LF-002"], None]],
        errors=[(2, TOTAL, "合并"), (3, TOTAL, "合并")],
        merges=("C2:C3",),
    ),
    Messy(
        "merged_owner_holds_for_all_its_rows",
        [["编号", "业主单位"], ["LF-001", "演示水务公司"], ["LF-002", None]],
        {("LF-001", OWNER, "演示水务公司"), ("LF-002", OWNER, "演示水务公司")},
        merges=("B2:B3",),
    ),
    Messy(
        "errors_of_the_spreadsheet",
        [HEAD, ["LF-001", CITY["LF-001"], "#REF!"], ["LF-002", CITY["LF-002"], "#DIV/0!"]],
        errors=[(2, TOTAL, "没有可用的值"), (3, TOTAL, "没有可用的值")],
    ),
    Messy("formula_without_its_result", [HEAD, ["LF-001", CITY["LF-001"], "=500*2"]], errors=[(2, TOTAL, "没有可用的值")]),
    Messy(
        "row_twice",
        [HEAD, ["LF-001", CITY["LF-001"], 1100], ["lf-001", CITY["LF-001"], 1200]],
        {total("LF-001", "1100")},
        [(3, "编号", "已经出现")],
    ),
    Messy("project_nobody_knows", [HEAD, ["LF-099", "某工程", 5]], errors=[(2, "编号", "清单上没有这个编号")]),
    Messy("heading_twice", [["编号", "总投资", "总投资"], ["LF-001", 5, 6]], errors=[(1, TOTAL, "出现了两次")]),
    Messy("no_head", [["LF-001", 1], ["LF-002", 2]], errors=[(None, "编号", "没有找到表头")]),
    Messy(
        "two_sheets_and_one_of_words",
        [HEAD, ["LF-001", CITY["LF-001"], 1100]],
        {total("LF-001", "1100"), total("LF-002", "2200")},
        finish=_second_sheet,
    ),
    Messy(
        "signatures_notes_and_empty_rows",
        [HEAD, [], ["LF-001", CITY["LF-001"], 1100], [], ["注：以上为初步数据"], ["制表人：填报员", None, "审核：科长"]],
        {total("LF-001", "1100")},
        finish=_far_format,
    ),
    Messy(
        "days_as_days",
        [["编号", "计划开工", "计划完工"], ["LF-001", dt.date(2024, 3, 15), dt.datetime(2025, 9, 1, 8, 30)]],
        {("LF-001", START, "2024-03-15"), ("LF-001", FINISH, "2025-09-01")},
    ),
    Messy(
        "hostile_texts",
        [["编号", "项目业主"], ["LF-001", "=cmd|'/c calc'!A1"], ["LF-002", "<script>alert(1)</script>"], ["LF-003", "../../etc/passwd"]],
        {("LF-002", OWNER, "<script>alert(1)</script>"), ("LF-003", OWNER, "../../etc/passwd")},
        [(2, OWNER, "没有可用的值")],
    ),
]
