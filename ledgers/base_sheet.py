"""What an exported workbook carries so that a later import can tell who changed a cell: the person in the table, or the site meanwhile.

A sheet that spreadsheet programs do not show holds, for each row by its key, a fingerprint of every cell that may be written, and is
signed. It says nothing that the table beside it does not say.
"""

import dataclasses
import datetime as dt
import hashlib
import hmac
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.conf import settings
from openpyxl import Workbook

from linfen_water.workbook import Sheet

TITLE = "_base"
MARK = "ledger-base-1"
END = "end"
OF_REST = "rest"
DAMAGED = "工作簿里的导出基准不完整，不能判断哪些格在系统中已改动：请重新导出台账，把修改抄到新表里再导入。"
OTHER = "这是“{}”台账导出的工作簿，不能导入到这个台账：请核对。"


class BadBase(Exception):
    """The base cannot be used; the text is the sentence for the person."""


@dataclasses.dataclass(frozen=True)
class Base:
    """What the workbook gave out: the day it speaks of, the day it was made, fingerprints by row and column."""

    day: dt.date
    exported_on: dt.date
    data_version: int
    cells: Mapping[str, Mapping[str, str]]
    is_export: bool = True  # False: the table is of unknown age, and this is what the ledger held when it was first compared

    def of(self, key: str, column: str) -> str | None:
        return self.cells.get(key, {}).get(column) or None

    def has(self, key: str) -> bool:
        return key in self.cells


class BaseRows:
    """The rows of the sheet, one by one, and its signature at the end."""

    def __init__(self, slug: str, day: dt.date, exported_on: dt.date, data_version: int, columns: Sequence[str], *, is_export: bool = True):
        self.columns = list(columns)
        self.hmac = _signer()
        head = [MARK, slug, day.isoformat(), exported_on.isoformat(), str(data_version), ",".join(columns)]
        self.head = self._signed(head if is_export else [*head, OF_REST])

    def row(self, key: str, marks: Sequence[str]) -> list[str]:
        return self._signed([f"#{key}", ",".join(marks)])  # so that no key is taken for a formula

    def end(self) -> list[str]:
        return [END, f"#{self.hmac.hexdigest()}"]

    def _signed(self, cells: list[str]) -> list[str]:
        self.hmac.update("\x1f".join(cells).encode() + b"\x1e")
        return cells


def hidden_page(book: Workbook) -> Any:
    """The empty sheet of that name: spreadsheet programs do not even offer to show it."""
    page = book.create_sheet(TITLE)
    page.sheet_state = "veryHidden"
    return page


def rows_of(base: Base, slug: str) -> Iterator[list[str]]:
    """The rows of the sheet that says `base`."""
    columns = list(dict.fromkeys(name for marks in base.cells.values() for name in marks))
    made = BaseRows(slug, base.day, base.exported_on, base.data_version, columns, is_export=base.is_export)
    yield made.head
    for key, marks in base.cells.items():
        yield made.row(key, [marks.get(name, "") for name in columns])
    yield made.end()


def _signer() -> hmac.HMAC:
    return hmac.new(settings.SECRET_KEY.encode() + MARK.encode(), b"", hashlib.sha256)


def read_base(sheets: list[Sheet], slug: str) -> tuple[Base | None, list[Sheet]]:
    """The base of the workbook, if it has one, and the other sheets. Raises BadBase."""
    found = next((sheet for sheet in sheets if sheet.title == TITLE and sheet.is_hidden and sheet.rows), None)
    if found is None:
        return None, sheets
    rows = [[str(cell) if cell is not None else "" for cell in row.cells] for row in found.rows]
    head = rows[0]
    if head[0] != MARK or len(head) < 5 or rows[-1][0] != END or _digest(rows[:-1]) != rows[-1][1:2]:
        raise BadBase(DAMAGED)
    if head[1] != slug:
        raise BadBase(OTHER.format(head[1]))
    columns = head[5].split(",") if len(head) > 5 and head[5] else []
    cells = {row[0][1:]: dict(zip(columns, row[1].split(",") if len(row) > 1 else [], strict=False)) for row in rows[1:-1]}
    base = Base(dt.date.fromisoformat(head[2]), dt.date.fromisoformat(head[3]), int(head[4]), cells, is_export=head[6:] != [OF_REST])
    return base, [sheet for sheet in sheets if sheet is not found]


def _digest(rows: Iterator | list) -> list[str]:
    signer = _signer()
    for row in rows:
        signer.update("\x1f".join(row).encode() + b"\x1e")
    return [f"#{signer.hexdigest()}"]
