"""The rows of a workbook: each value as its own kind, as openpyxl reads it back."""

import datetime as dt
import io
from decimal import Decimal

import openpyxl
import pytest
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

from ledgers.lines import write_workbook
from ledgers.sheet_rows import CELL_LIMIT, SheetRows, save
from projects.enums import Stage

pytestmark = pytest.mark.once


def written(*lines: list, number_format: str = "General"):
    book = Workbook(write_only=True)
    page = book.create_sheet("表")
    cell = WriteOnlyCell(page)
    cell.number_format = number_format
    rows = SheetRows(page)
    for line in lines:
        rows.append(line, [cell.style_id] * len(line))
    file = io.BytesIO()
    save(book, [rows], file)
    return openpyxl.load_workbook(file)["表"]


@pytest.mark.parametrize(
    ("value", "kind", "found"),
    [
        pytest.param("=1+1", "s", "=1+1", id="公式样的文字"),
        pytest.param("#N/A", "s", "#N/A", id="错误样的文字"),
        pytest.param('<甲>&"乙"]]>', "s", '<甲>&"乙"]]>', id="标记"),
        pytest.param(" 两边\n有空 ", "s", " 两边\n有空 ", id="空白"),
        pytest.param("一\r\n二", "s", "一\r\n二", id="回车"),
        pytest.param("坏\x00\x1f\ufffe\ud800字😀", "s", "坏字😀", id="XML容不下的字符"),
        pytest.param("河" * (CELL_LIMIT + 1), "s", "河" * CELL_LIMIT, id="过长"),
        pytest.param("", "n", None, id="空文字"),
        pytest.param(None, "n", None, id="空"),
        pytest.param(Decimal("1234.50"), "n", 1234.5, id="小数"),
        pytest.param(Decimal("1E+3"), "n", 1000, id="指数"),
        pytest.param(0, "n", 0, id="零"),
        pytest.param(Stage.UNDER_CONSTRUCTION, "n", 2, id="枚举"),
        pytest.param(True, "b", True, id="真"),
    ],
)
def test_a_value_is_written_as_its_own_kind(value, kind, found):
    cell = written([value]).cell(1, 1)
    assert (cell.data_type, cell.value) == (kind, found)


@pytest.mark.parametrize(
    ("day", "found"),
    [
        (dt.date(2025, 2, 20), dt.datetime(2025, 2, 20)),
        (dt.datetime(2025, 2, 20, 8, 30), dt.datetime(2025, 2, 20, 8, 30)),
        (dt.date(1900, 1, 1), dt.datetime(1900, 1, 1)),
    ],
)
def test_a_day_is_a_number_that_its_style_shows_as_a_day(day, found):
    cell = written([day], number_format="yyyy-mm-dd hh:mm").cell(1, 1)
    assert (cell.value, cell.number_format) == (found, "yyyy-mm-dd hh:mm")


def test_columns_go_on_behind_z():
    assert written([*range(1, 703), "末"])["AAA1"].value == "末"


def test_lines_of_changes_are_text_in_a_workbook_of_one_sheet():
    file = io.BytesIO()
    write_workbook([["序号", "=1+1"], ["1", ""]], file)
    page = openpyxl.load_workbook(file)["变化"]
    assert [[(cell.value, cell.data_type) for cell in row] for row in page] == [[("序号", "s"), ("=1+1", "s")], [("1", "s"), (None, "n")]]
    assert page.column_dimensions["B"].width == 40
