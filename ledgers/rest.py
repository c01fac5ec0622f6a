"""The rows of a table that could not be taken in, as a workbook to go on with: as they were sent, with a column of remarks."""

import io
from collections.abc import Mapping

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font, PatternFill

from ledgers.heads import REMARKS, Head
from ledgers.sheet_rows import fitting
from linfen_water.workbook import Broken, Cell, Row, Sheet

RED = PatternFill("solid", fgColor="FBE3DC")
FORBIDDEN = str.maketrans(dict.fromkeys(r"[]:*?/\\", "_"))


def workbook_of_rest(tables: list[tuple[Sheet, Head | None]], remarks: Mapping[tuple[str, int], list[str]]) -> bytes:
    """Each sheet with its head and the rows that have remarks, nothing else."""
    book = Workbook(write_only=True)
    for sheet, head in tables:
        rows = [row for row in sheet.rows if (sheet.title, row.number) in remarks]
        if head is None or not rows:
            continue
        page = book.create_sheet(sheet.title.translate(FORBIDDEN)[:31] or "表")
        first = next((place for place, row in enumerate(sheet.rows) if row.number == head.row), 0)
        width = max(len(row.cells) for row in [*sheet.rows[: first + 1], *rows])
        page.column_dimensions["A"].width = 14
        page.freeze_panes = f"A{first + 2}"
        for row in sheet.rows[: first + 1]:
            page.append(_line(page, row, width, REMARKS if row.number == head.row else "", is_head=row.number == head.row))
        for row in rows:
            page.append(_line(page, row, width, "；".join(dict.fromkeys(remarks[sheet.title, row.number]))))
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _line(page, row: Row, width: int, remark: str, *, is_head: bool = False) -> list[WriteOnlyCell]:
    made = [_cell(page, cell) for cell in [*row.cells, *[None] * (width - len(row.cells))]]
    last = _cell(page, remark or None)
    if remark:
        last.fill, last.alignment = RED, Alignment(wrap_text=True, vertical="top")
    if is_head:
        for cell in [*made, last]:
            cell.font = Font(bold=True)
    return [*made, last]


def _cell(page, value: Cell) -> WriteOnlyCell:
    text = str(value) if isinstance(value, Broken) else value
    if isinstance(text, str):
        text = fitting(text)
    cell = WriteOnlyCell(page, text)
    if isinstance(text, str):
        cell.data_type = "s"  # never a formula
    return cell
