"""One column of many rows at once: every change is seen before it is written, all are written or none, and all can be taken back."""

import dataclasses
from collections.abc import Collection
from typing import Any

from django.core import signing
from django.core.exceptions import ValidationError

from ledgers.registry import Ledger
from ledgers.writing import Change, Done, Names, Sense, fingerprint, write
from linfen_water import clock
from linfen_water.models import User

MOST_ROWS = 500
UNDO_SALT = "ledger-bulk"
UNDO_REASON = "撤销批量修改"


class Refused(Exception):
    """Why nothing can be shown, in words; `field` is the one that it speaks of."""

    def __init__(self, sentence: str, field: str = ""):
        self.field = field
        super().__init__(sentence)


@dataclasses.dataclass(frozen=True)
class Line:
    """What one row would become, or why not."""

    pk: int
    key: str
    name: str
    old: str
    new: str
    seen: str
    fault: str = ""
    is_same: bool = False

    @property
    def is_change(self) -> bool:
        return not self.fault and not self.is_same


def writable(ledger: Ledger, columns: dict) -> dict[str, Any]:
    """The columns that can be written, by name: `{name: Field}` in the order of the ledger."""
    return {name: ledger.writer.fields[name] for name in columns if name in ledger.writer.fields} if ledger.writer else {}


def preview(ledger: Ledger, pks: Collection[int], names: dict[int, str], column: str, text: str, reason: str, by: User) -> list[Line]:
    """Every row with its change. Raises Refused when the value itself cannot be. A fixed number of queries."""
    field = ledger.writer.fields[column]
    try:
        value = field.parse(text, Sense(Names()))
    except ValidationError as fault:
        raise Refused("".join(fault.messages), "value") from None
    rows = ledger.writer.rows(pks, by=by)
    day = clock.today()
    return [_line(ledger, rows[pk], names[pk], column, value, reason, day) if pk in rows else _foreign(pk, names[pk]) for pk in pks]


def _line(ledger: Ledger, row, name: str, column: str, value: Any, reason: str, day) -> Line:
    field, old = ledger.writer.fields[column], row.values[column]
    said = {"pk": row.pk, "key": row.key, "name": name, "old": field.spell(old), "new": field.spell(value), "seen": row.seen(column)}
    if column not in row.held:
        return Line(**said, fault="这一格不由您填写。")
    if value == old:
        return Line(**said, is_same=True)
    faults = [fault.sentence for fault in ledger.writer.faults(row, {column: value}, reason, day)]
    return Line(**said, fault="".join(faults))


def _foreign(pk: int, name: str) -> Line:
    return Line(pk, "", name, "", "", "", fault="这一行不由您填写。")


def commit(ledger: Ledger, seen: dict[int, str], column: str, text: str, reason: str, by: User) -> list[Done]:
    """Write the rows in `seen` ({key: what was shown}). Raises NotWritten."""
    changes = [Change(pk, column, text, fingerprint_seen or None) for pk, fingerprint_seen in seen.items()]
    return write(ledger.writer, changes, by=by, reason=reason, source="bulk")


def pack(ledger: Ledger, column: str, done: list[Done]) -> str:
    """What takes `done` back, for the page to keep; nobody can write their own."""
    field = ledger.writer.fields[column]
    return signing.dumps([ledger.slug, column, [[one.pk, field.spell(one.old), fingerprint(one.new)] for one in done]], salt=UNDO_SALT)


def undo(ledger: Ledger, packed: str, by: User) -> list[Done]:
    """Give every cell its value before, as long as it holds what was written then. Raises NotWritten, Refused."""
    try:
        slug, column, cells = signing.loads(packed, salt=UNDO_SALT)
    except signing.BadSignature:
        raise Refused("撤销的记录已失效，请在单元格里逐个改回。") from None
    if slug != ledger.slug:
        raise Refused("撤销的记录不属于这个台账。")
    changes = [Change(pk, column, old, seen, is_undo=True) for pk, old, seen in cells]
    return write(ledger.writer, changes, by=by, reason=UNDO_REASON, source="undo")
