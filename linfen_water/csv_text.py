"""CSV that spreadsheet programs open as it is meant: UTF-8 with its mark, and text that never becomes a formula."""

import csv
import io
from collections.abc import Iterable

MARK = "\ufeff"  # tells Excel that it is UTF-8
FORMULA_STARTS = tuple("=+-@\t\r\n＝＋－＠")


def safe(value) -> str:
    """The text of a cell; what a program would take for a formula begins with an apostrophe."""
    text = "" if value is None else str(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(FORMULA_STARTS) else text


def table(headings: list[str], rows: Iterable[Iterable]) -> str:
    """A whole table, headings first."""
    file = io.StringIO()
    file.write(MARK)
    writer = csv.writer(file)
    writer.writerow(headings)
    writer.writerows([safe(value) for value in row] for row in rows)
    return file.getvalue()
