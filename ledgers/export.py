"""A ledger as a workbook or CSV: exactly the rows that are chosen on the page, safe to open in a spreadsheet program.

Text never becomes a formula: in workbooks every text cell is typed as text (`sheet_rows`), in CSV a leading = + - @ tab or their
full-width forms are prefixed with an apostrophe. Rows are read and written in batches, so that length costs no memory.
"""

import csv
import dataclasses
import datetime as dt
import functools
import io
import itertools
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from django.db.models import QuerySet
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.cell_range import CellRange
from openpyxl.worksheet.page import PageMargins

from ledgers import columns as c
from ledgers import grouping
from ledgers.base_sheet import BaseRows, hidden_page
from ledgers.registry import Ledger
from ledgers.rows import Rows, counted
from ledgers.sheet_rows import SheetRows, save
from linfen_water import clock, csv_text, trail

BATCH = 500
SUBTOTAL: tuple = ()  # the mark of a row of sums: no row of the ledger, so an import knows nothing of it
DEMO_MARK = "演示数据：除注明公开来源的信息外均为虚构"
SIGNATURES = "制表：　　　　　　　　审核：　　　　　　　　负责人："


@dataclasses.dataclass(frozen=True)
class Sheet:
    """What is exported: a ledger on a day, the rows chosen (in order), and what is said above them."""

    ledger: Ledger
    day: dt.date
    chosen: QuerySet | Rows
    conditions: list[str]  # the filter in words
    is_demo: bool
    shown: tuple[str, ...] = ()  # the columns that the person chose, in order; none chosen: all
    group: str = ""  # the column by which `chosen` is ordered first and has a subtotal behind each group

    @functools.cached_property
    def columns(self) -> list[tuple[str, c.LedgerColumn]]:
        columns = self.ledger.table_for(self.chosen).base_columns
        return [(name, columns[name]) for name in self.shown or columns]

    @property
    def notes(self) -> str:
        """The line under the title: unit, day, filter, mark."""
        parts = [f"单位：{self.ledger.unit}", f"数据截至：{self.day}", "＝：自动计算", *self.conditions]
        return "　".join([*parts, DEMO_MARK] if self.is_demo else parts)

    @property
    def filename(self) -> str:
        return f"{self.ledger.title}_{self.day}{'_演示数据' if self.is_demo else ''}"

    def headings(self) -> list[str]:
        """Headings with their units; ＝ marks what is computed (behind the words: in front a spreadsheet takes it for a formula)."""
        return [
            f"{column.verbose_name}{f'（{column.unit}）' if column.unit == '%' else ''}{'＝' if column.is_computed else ''}"
            for _, column in self.columns
        ]

    def headings_alone(self) -> list[str]:
        """Headings for one line: what stands under several groups says which."""
        headings = self.headings()
        return [
            f"{column.group} {heading}" if headings.count(heading) > 1 else heading
            for heading, (_, column) in zip(headings, self.columns, strict=True)
        ]

    def rows(self) -> Iterator[list]:
        """Bare values, row by row."""
        return (row for row, _ in self.marked_rows())

    def marked_rows(self, *, is_marked: bool = False) -> Iterator[tuple[list, tuple | None]]:
        """Bare values, row by row; `is_marked` with the row's key and the prints of what may be written in it. SUBTOTAL marks sums."""
        columns = [(name, column.value) for name, column in self.columns]
        subtotals, last = self._subtotals(), None
        for batch, marks in self._batches(is_marked):
            for row, mark in zip(batch, marks, strict=True):
                here = grouping.label_of(self._grouped_by, self.group, row) if self.group else None
                if last not in (None, here):
                    yield from subtotals.get(last, ())
                last = here
                yield [value(row[name], row) for name, value in columns], mark
        yield from subtotals.get(last, ())

    @functools.cached_property
    def _grouped_by(self) -> c.LedgerColumn:
        return self.ledger.table_for(self.chosen).base_columns[self.group]

    def _subtotals(self) -> dict[str | None, list]:
        """The row of sums behind each group, by the group's label."""
        if not self.group:
            return {}
        found = grouping.subtotals(self.ledger, self.day, self.chosen, self.group, self.ledger.table_for(self.chosen).base_columns)
        return {
            part.label: [(self.sums_row("小计", f"{part.label}　{counted(part.sums)}{self.ledger.measure}", part.sums), SUBTOTAL)]
            for part in found
        }

    def _batches(self, is_marked: bool) -> Iterator[tuple[list[dict], list[tuple[str, list[str]] | None]]]:
        writer = self.ledger.writer
        for batch in self.ledger.read_batches(self.day, self.chosen, BATCH):
            if not is_marked:
                yield batch, [None] * len(batch)
                continue
            written = writer.rows(pks := [writer.pk_of(row) for row in batch], by=None)
            found = (written.get(pk) for pk in pks)
            yield batch, [row and (row.key, [row.seen(name) for name in self.written]) for row in found]

    @property
    def written(self) -> list[str]:
        """Columns that an import may write."""
        return [name for name, _ in self.columns if self.ledger.writer and name in self.ledger.writer.fields]

    def base(self) -> BaseRows | None:
        """What the workbook carries for a later import; a ledger that takes nothing in carries nothing."""
        writer = self.ledger.writer
        if writer is None or (self.ledger.read is None and not writer.knows_computed):
            return None
        return BaseRows(self.ledger.base or self.ledger.slug, self.day, clock.today(), trail.data_version(), self.written)

    def foot(self) -> Iterator[list]:
        """What stands below the rows: the total row and its parts, then the notes, each in a row of its own."""
        yield from self.total_rows()
        for note in self.notes_below:
            yield [note]

    def total_rows(self) -> Iterator[list]:
        if self.ledger.totals:
            yield self.totals()
        if self.ledger.parts:
            for label, sums in self.ledger.parts(self.day, self.chosen):
                yield self.sums_row("其中", f"{label}{counted(sums)}{self.ledger.measure}", sums)

    @property
    def notes_below(self) -> list[str]:
        return [f"注：{note}" for note in self.ledger.notes(self.chosen)] if self.ledger.notes else []

    def totals(self) -> list:
        """The total row: how many, and the sums."""
        sums = self.ledger.totals(self.day, self.chosen)
        return self.sums_row("合计", f"{counted(sums)}{self.ledger.measure}{self.ledger.row_is}；{self.ledger.spoken_totals(sums)}", sums)

    def sums_row(self, label: str, words: str, sums) -> list:
        row = [getattr(sums, name, None) if column.is_summed else None for name, column in self.columns]
        told = self.ledger.words_column or self.ledger.label_column
        for i, (name, _) in enumerate(self.columns):
            if name == told:
                row[i] = words
        row[0] = label
        return row


def csv_lines(sheet: Sheet) -> Iterator[str]:
    """The sheet as CSV text, line by line; begins with the mark that tells Excel it is UTF-8."""
    yield "\ufeff"
    for row in [[sheet.ledger.title], [sheet.notes], sheet.headings_alone()]:
        yield _csv_line(row)
    for row in sheet.rows():
        yield _csv_line(row)
    for row in sheet.foot():
        yield _csv_line(row)


def _csv_line(row: Iterable) -> str:
    line = io.StringIO()
    csv.writer(line).writerow([_csv_cell(value) for value in row])
    return line.getvalue()


def _csv_cell(value) -> str:
    return csv_text.safe(value) if isinstance(value, str) else c.as_text(value)


HEAD_ROWS = 4  # title, notes, groups, headings
PAPER_WIDTH = {8: 1190, 9: 842}  # points of A3 and A4, landscape
MARGIN = 0.4  # inch, left and right
POINTS = 5.25  # of a character, as spreadsheets count widths
SMALLEST = 0.65  # of the size that letters have: 6.5 points
MOST_LINES = 20  # a row is at most 409 points high
LINE = Side(style="thin", color="B9B09B")
GRID = Border(left=LINE, right=LINE, top=LINE, bottom=LINE)
SHADE = PatternFill("solid", fgColor="F0E6CD")


def write_workbook(sheet: Sheet, file: BinaryIO) -> None:
    """The sheet as .xlsx: landscape, as wide as can be read, headings on every page, first columns and headings frozen."""
    book = Workbook(write_only=True)
    page = book.create_sheet(sheet.ledger.title)
    _lay_out(page, sheet)
    columns = [column for _, column in sheet.columns]
    rows = SheetRows(page)
    rows.append([sheet.ledger.title], [_style(page, font=Font(name="宋体", size=18, bold=True))], height=30)
    rows.append([sheet.notes], [_style(page, font=Font(name="宋体", size=10, color="55606D"))], height=18)
    heading = _style(page, font=Font(name="宋体", size=10, bold=True), border=GRID, fill=SHADE, alignment=_aligned("center"))
    groups = [label for label, start, end in _groups(columns) for label in [label] + [""] * (end - start)]
    rows.append(groups, itertools.repeat(heading), height=18)
    rows.append(sheet.headings(), itertools.repeat(heading), height=32)
    body, bold = ([_body_style(page, column, bold=is_bold) for column in columns] for is_bold in (False, True))
    base = sheet.base()
    base_rows = base and _base_rows(book, base)
    for row, mark in sheet.marked_rows(is_marked=base is not None):
        rows.append(row, bold if mark == SUBTOTAL else body, _height(row, columns), is_fixed=False)
        if base_rows and mark:
            base_rows.append(base.row(*mark))
    page.auto_filter.ref = f"A{HEAD_ROWS}:{get_column_letter(len(columns))}{rows.number}"
    if base_rows:
        base_rows.append(base.end())
    for row in sheet.total_rows():
        rows.append(row, bold, _height(row, columns), is_fixed=False)
    small = _style(page, font=Font(name="宋体", size=10))
    for note in sheet.notes_below:
        rows.append([note], [small])
    for _, start, end in _groups(columns):
        page.merged_cells.add(CellRange(min_row=3, max_row=3, min_col=start, max_col=end))
    save(book, filter(None, [rows, base_rows]), file)


def _base_rows(book: Workbook, base: BaseRows) -> SheetRows:
    """The hidden sheet with its first row."""
    rows = SheetRows(hidden_page(book))
    rows.append(base.head)
    return rows


def _lay_out(page, sheet: Sheet) -> None:
    """All that must be said before the first row is written."""
    columns = [column for _, column in sheet.columns]
    for i, column in enumerate(columns, 1):
        page.column_dimensions[get_column_letter(i)].width = column.width + 2
    pinned = max((i for i, column in enumerate(columns, 1) if "pin" in column.css.split()), default=0)
    page.freeze_panes = f"{get_column_letter(pinned + 1)}{HEAD_ROWS + 1}"
    page.page_setup.orientation, page.page_setup.paperSize = "landscape", sheet.ledger.paper
    across = pages_across([column.width + 2 for column in columns], pinned, sheet.ledger.paper)
    page.page_setup.fitToWidth, page.page_setup.fitToHeight = across, 0
    page.page_setup.pageOrder = "overThenDown"
    page.sheet_properties.pageSetUpPr.fitToPage = True
    page.page_margins = PageMargins(left=MARGIN, right=MARGIN, top=0.6, bottom=0.7, header=0.3, footer=0.3)
    page.print_title_rows = f"3:{HEAD_ROWS}"
    if across > 1 and pinned:
        page.print_title_cols = f"A:{get_column_letter(pinned)}"
    page.oddFooter.left.text = f"数据截至 {sheet.day}{'　演示数据' if sheet.is_demo else ''}"
    page.oddFooter.center.text = SIGNATURES  # at the foot of each sheet of paper, so that nobody takes it for a row
    page.oddFooter.right.text = "第 &P 页，共 &N 页"


def pages_across(widths: list[int], pinned: int, paper: int) -> int:
    """On how many sheets of paper side by side the columns can be read; those that are pinned stand on each of them.

    `widths` in characters as spreadsheets count them.
    """
    room = PAPER_WIDTH[paper] - 2 * MARGIN * 72
    needed, again = (POINTS * sum(some) * SMALLEST for some in (widths, widths[:pinned]))
    across = 1
    while across < len(widths) and across * room < needed + (across - 1) * again:
        across += 1
    return across


def _height(row: list, columns: list[c.LedgerColumn]) -> int:
    """Points that the longest text of the row needs; 0 for one line. Not every program finds that out when it opens a workbook."""
    lines = max(_lines(value, column.width) for value, column in zip(row, columns, strict=True))
    return 5 + 13 * lines if lines > 1 else 0


def _lines(value, width: int) -> int:
    """Lines that a text takes in a column for so many narrow characters; a Chinese one is two."""
    if not isinstance(value, str) or (2 * len(value) <= width and "\n" not in value):
        return 1
    return min(sum(max(1, -(-len(part.encode("gb18030")) // width)) for part in value.split("\n")), MOST_LINES)


def _groups(columns: list[c.LedgerColumn]) -> Iterator[tuple[str, int, int]]:
    """Label, first and last column of each group, counted from 1."""
    start = 1
    for label, members in itertools.groupby(columns, key=lambda column: column.group):
        end = start + len(list(members)) - 1
        yield label, start, end
        start = end + 1


def _aligned(horizontal: str | None = None) -> Alignment:
    return Alignment(horizontal=horizontal, vertical="center", wrap_text=True)


def _style(page, **kwargs) -> int:
    """The number under which the book keeps this style."""
    cell = WriteOnlyCell(page)
    for name, value in kwargs.items():
        setattr(cell, name, value)
    return cell.style_id


def _body_style(page, column: c.LedgerColumn, *, bold: bool = False) -> int:
    is_number = "number" in column.css.split()
    return _style(
        page,
        font=Font(name="宋体", size=10, bold=bold),
        border=GRID,
        alignment=_aligned("right" if is_number else None),
        number_format=column.number_format,
    )
