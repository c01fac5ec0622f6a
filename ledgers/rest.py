"""The rows of a table that could not be taken in, as a workbook to go on with: as they were sent, with a column of remarks.

Sent again untouched it changes nothing. So every cell reads here as it read there: headings say the columns that they were taken for,
merged cells their value in each row, and a cell without a usable value is an error of the spreadsheet, never a text that would pass for
one. A hidden sheet says what the cells are compared with, so that what others change meanwhile is a conflict.
"""

import io
from collections.abc import Mapping
from decimal import Decimal

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ERROR_CODES
from openpyxl.styles import Alignment, Font, PatternFill

from ledgers import heads
from ledgers.base_sheet import hidden_page, rows_of
from ledgers.cells import squeezed, words
from ledgers.heads import REMARKS, Head, Heading
from ledgers.intake import Rehearsal, columns_of
from ledgers.registry import Ledger
from ledgers.sheet_rows import fitting
from linfen_water.workbook import Broken, Cell, Percent, Sheet

RED = PatternFill("solid", fgColor="FBE3DC")
FORBIDDEN = str.maketrans(dict.fromkeys(r"[]:*?/\\", "_"))
NO_VALUE = "#N/A"
TWIN = "与第{}行是同一{}，供对照：请只保留一行。"


def workbook_of_rest(found: Rehearsal, ledger: Ledger) -> bytes:
    """Each sheet with its head and the rows that have remarks, nothing else."""
    book = Workbook(write_only=True)
    remarks, columns = _remarks(found, ledger), columns_of(ledger)
    titles = heads.titles_of(columns, ledger.writer.synonyms, {})  # type: ignore[union-attr]
    for sheet, head in found.heads:
        rows = [row for row in sheet.rows if (sheet.title, row.number) in remarks]
        if head is None or not rows:
            continue
        page = book.create_sheet(sheet.title.translate(FORBIDDEN)[:31] or "表")
        above = [row for row in sheet.rows if row.number < head.row]
        told = {one.place: _heading(one, sheet, head, titles, str(columns[one.column].verbose_name) if one.column in columns else "")
                for one in head.headings}  # fmt: skip
        width = max([*told, *(len(row.cells) - 1 for row in [*above, *rows])]) + 1
        spot = next((one.place for one in head.headings if one.text.startswith(REMARKS)), width)
        page.column_dimensions["A"].width = 14
        page.freeze_panes = f"A{len(above) + 2}"
        for row in above:
            page.append([_cell(page, cell) for cell in row.cells])
        page.append(_head(page, {**told, spot: REMARKS}))
        filled = heads.filled_down(sheet, head)[0]
        bad = _bad_places(found, sheet, head, {str(columns[name].verbose_name): place for name, place in head.places.items()})
        for row in rows:
            lost = found.lost.get((sheet.title, row.number), ())
            cells = {**dict(enumerate(row.cells)), **filled.get(row.number, {}), **dict.fromkeys(lost, Broken(NO_VALUE))}
            remark = "；".join(dict.fromkeys(remarks[sheet.title, row.number]))
            page.append(_line(page, cells, bad.get(row.number, set()), spot, remark))
        for row in heads.unit_lines(sheet, head):  # below the rows too it says what their amounts are
            page.append([_cell(page, cell) for cell in row.cells])
    if found.base is not None:
        page = hidden_page(book)
        for line in rows_of(found.base, ledger.slug):
            page.append(line)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _remarks(found: Rehearsal, ledger: Ledger) -> dict[tuple[str, int], list[str]]:
    """What is wrong with each row; the row that another one repeats stands beside it, else that one would be alone and pass."""
    said: dict[tuple[str, int], list[str]] = {}
    for error in found.errors:
        if error.row is not None:
            said.setdefault((error.sheet, error.row), []).append(f"“{error.column}”{error.reason}" if error.column else error.reason)
    for (_, number), first in found.twins.items():
        said.setdefault(first, []).append(TWIN.format(number, f"{ledger.measure}{ledger.row_is}"))
    return said


def _bad_places(found: Rehearsal, sheet: Sheet, head: Head, places: Mapping[str, int]) -> dict[int, set[int]]:
    """The places with an error, by row."""
    bad: dict[int, set[int]] = {}
    for error in found.errors:
        if error.sheet == sheet.title and error.row is not None and error.column in places:
            bad.setdefault(error.row, set()).add(places[error.column])
    return bad


def _heading(one: Heading, sheet: Sheet, head: Head, titles: Mapping[str, str], title: str) -> str:
    """The heading in words that mean alone, and to anybody, what they meant there: its own, else the ledger's."""
    line = next(row for row in sheet.rows if row.number == head.row)
    own = [squeezed(words(line.cells[one.place])) if one.place < len(line.cells) else "", one.text]
    column = "" if one.column == heads.LEFT_OUT else one.column
    fits = (text for text in own if text and heads.meaning(text, titles) == column and (not column or heads.unit_of(text) == one.unit))
    instead = f"{title}（{one.unit}）" if one.unit and column else title or f"不导入：{one.text}"
    return next(fits, instead)


def _head(page, told: Mapping[int, str]) -> list[WriteOnlyCell]:
    made = [_cell(page, told.get(place)) for place in range(max(told) + 1)]
    for cell in made:
        cell.font = Font(bold=True)
    return made


def _line(page, cells: Mapping[int, Cell], bad: set[int], spot: int, remark: str) -> list[WriteOnlyCell]:
    made = [_cell(page, remark if place == spot else cells.get(place)) for place in range(max([*cells, *bad, spot]) + 1)]
    made[spot].alignment = Alignment(wrap_text=True, vertical="top")
    for place in {*bad, spot}:
        made[place].fill = RED
    return made


def _cell(page, value: Cell) -> WriteOnlyCell:
    if isinstance(value, Broken):
        return WriteOnlyCell(page, value.text if value.text in ERROR_CODES else NO_VALUE)
    if isinstance(value, str):
        cell = WriteOnlyCell(page, fitting(value))
        cell.data_type = "s"  # never a formula
        return cell
    cell = WriteOnlyCell(page, Decimal(value) if isinstance(value, Percent) else value)
    if isinstance(value, Percent):
        cell.number_format = "0.00%"  # without it 100 % would read as 1
    return cell
