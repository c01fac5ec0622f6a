"""Plain lines of text as CSV or workbook, safe to open in a spreadsheet program."""

import csv
import io
from collections.abc import Iterable
from typing import BinaryIO

from openpyxl import Workbook

from ledgers.sheet_rows import SheetRows, save
from linfen_water.csv_text import FORMULA_STARTS


def csv_of(lines: Iterable[list[str]]) -> str:
    """CSV with the mark that tells Excel it is UTF-8; what would begin a formula gets an apostrophe."""
    text = io.StringIO("\ufeff", newline="")
    text.seek(0, io.SEEK_END)
    csv.writer(text, lineterminator="\r\n").writerows(
        [f"'{cell}" if cell.startswith(FORMULA_STARTS) else cell for cell in line] for line in lines
    )
    return text.getvalue()


def write_workbook(lines: Iterable[list[str]], file: BinaryIO) -> None:
    """A workbook of one sheet; every cell is typed as text."""
    book = Workbook(write_only=True)
    page = book.create_sheet("变化")
    for letter, width in zip("ABCDE", (8, 40, 22, 40, 40), strict=True):
        page.column_dimensions[letter].width = width
    rows = SheetRows(page)
    for line in lines:
        rows.append(line)
    save(book, [rows], file)
