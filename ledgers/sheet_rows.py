"""Rows of a workbook, written as the text that a sheet holds: openpyxl makes the book, styles and layout, not the thousands of cells.

It makes an object of each cell and guesses its type twice over, which was two thirds of the time of an export. Here a value's own type is
the cell's: text is text, whatever it begins with, and never becomes a formula.
"""

import datetime as dt
import functools
import io
import itertools
import re
import shutil
import tempfile
import zipfile
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, BinaryIO
from xml.sax.saxutils import escape

from openpyxl import Workbook
from openpyxl.utils import get_column_letter
from openpyxl.utils.datetime import to_excel

CELL_LIMIT = 32_767  # characters that a cell can hold
FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # no XML can hold them
RETURN = {"\r": "&#13;"}  # bare, a reader would take it for a line's end
END = b"</sheetData>"


def fitting(text: str) -> str:
    """A text as a cell can hold it."""
    return FORBIDDEN.sub("", text)[:CELL_LIMIT]


class SheetRows:
    """The rows of `page`. They wait in a file of their own, since the sheets of a book stand one behind the other in it."""

    def __init__(self, page: Any):
        self.page, self.number = page, 0
        self.file = tempfile.TemporaryFile()  # noqa: SIM115 - `save` closes it

    def append(self, values: Iterable, styles: Iterable[int] = itertools.repeat(0), height: int = 0, *, is_fixed: bool = True) -> None:
        """A row of bare values, each in the style of that number in the book; its height in points if it has one of its own.

        One that is not fixed is what the texts need; who types in the row gets it anew.
        """
        self.number += 1
        cells = [
            _cell(f"{get_column_letter(place)}{self.number}", value, style)
            for place, (value, style) in enumerate(zip(values, styles, strict=False), 1)
        ]
        fixed = ' customHeight="1"' if is_fixed else ""
        tall = f' ht="{height}"{fixed}' if height else ""
        self.file.write(f'<row r="{self.number}"{tall}>{"".join(cells)}</row>'.encode())


def save(book: Workbook, sheets: Iterable[SheetRows], file: BinaryIO) -> None:
    """Write the book with the rows of its sheets, once; they are copied from file to file, so that length costs no memory."""
    bare = io.BytesIO()
    book.save(bare)
    rows = {sheet.page.path.removeprefix("/"): sheet.file for sheet in sheets}
    with zipfile.ZipFile(bare) as made, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as whole:
        for name in made.namelist():
            top, end, bottom = made.read(name).partition(END)
            with whole.open(name, "w") as part:
                part.write(top)
                if name in rows:
                    assert end, name
                    with rows[name] as text:
                        text.seek(0)
                        shutil.copyfileobj(text, part)
                part.write(end + bottom)


def _cell(place: str, value: Any, style: int) -> str:
    if value is None or value == "":
        return f'<c r="{place}" s="{style}"/>' if style else ""
    if isinstance(value, str):
        text = fitting(value)
        kept = ' xml:space="preserve"' if text != text.strip() else ""
        return f'<c r="{place}" s="{style}" t="inlineStr"><is><t{kept}>{escape(text, RETURN)}</t></is></c>'
    if isinstance(value, bool):
        return f'<c r="{place}" s="{style}" t="b"><v>{value:d}</v></c>'
    if isinstance(value, (int, float, Decimal)):
        return f'<c r="{place}" s="{style}"><v>{value}</v></c>'
    return f'<c r="{place}" s="{style}"><v>{_days(value)}</v></c>'


@functools.lru_cache(maxsize=4_000)
def _days(moment: dt.date | dt.time | dt.timedelta) -> str:
    """A day as spreadsheets count them; the same days stand in many rows."""
    return f"{to_excel(moment):.15g}"
