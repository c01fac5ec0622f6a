"""What changed since a day: the rows of two days side by side, cell by cell."""

import dataclasses
import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from django.http import QueryDict

from ledgers.columns import LedgerColumn, as_text
from ledgers.registry import Ledger
from ledgers.rows import Rows

MOST_COMPARED = 5_000  # rows of a whole ledger; a longer one is compared page by page
BATCH = 500
NOTHING = "（空）"


@dataclasses.dataclass(frozen=True)
class Cell:
    """One cell that is not what it was."""

    row: str  # how the row is called
    column: str  # heading
    old: str
    new: str


@dataclasses.dataclass
class Comparison:
    """Two days of a ledger as it is narrowed. Keys in the order of the ledger."""

    since: dt.date
    added: list = dataclasses.field(default_factory=list)
    changed: list = dataclasses.field(default_factory=list)
    removed: list[dict] = dataclasses.field(default_factory=list)  # rows as they were
    cells: list[Cell] = dataclasses.field(default_factory=list)
    columns: set[str] = dataclasses.field(default_factory=set)  # names of those in which something changed
    names: dict = dataclasses.field(default_factory=dict)  # of added rows and removed ones
    is_whole: bool = True  # False: too long, only the page was compared

    @property
    def words(self) -> str:
        if not self.is_whole:
            return f"与 {self.since} 相比（行数太多，只标出本页的变化；缩小筛选范围后可看全部变化）"
        said = [
            f"{word}{len(found)}行" for word, found in (("新增", self.added), ("减少", self.removed), ("有变化", self.changed)) if found
        ]
        return f"与 {self.since} 相比：" + ("、".join(said) + f"，共{len(self.cells)}处变化" if said else "没有变化")


def earlier(ledger: Ledger, query: QueryDict, since: dt.date, user) -> Any:
    """The ledger as its filter narrowed it on `since`; a choice that was not there yet finds nothing."""
    then = ledger.filter(query, queryset=ledger.rows(since, user), day=since)
    return then.qs if then.is_valid() else then.queryset.none()


def identities(rows: Iterable[dict]) -> dict:
    """Rows by what makes them the same on two days: without their period where that is unambiguous."""
    rows = list(rows)
    counts = Counter(row.get("same_as") for row in rows)
    return {(row["same_as"] if row.get("same_as") and counts[row["same_as"]] == 1 else row["key"]): row for row in rows}


def differing(columns: dict[str, LedgerColumn], old: dict, new: dict) -> dict[str, tuple[str, str]]:
    """`{column: (old, new)}` in words."""
    found = {}
    for name, column in columns.items():
        if column.moves_with_days:
            continue
        was, now = (as_text(column.value(row.get(name), row)) if name in row else "" for row in (old, new))
        if was != now:
            found[name] = (was, now)
    return found


def name_of(columns: dict[str, LedgerColumn], ledger: Ledger, row: dict) -> str:
    """How a row is called: its first column, and the one that the ledger labels its totals by."""
    names = dict.fromkeys([next(iter(columns)), ledger.label_column])
    return " ".join(as_text(columns[name].value(row[name], row)) for name in names if name in columns)


def mark(rows: list[dict], old: dict, columns: dict[str, LedgerColumn], since: dt.date) -> None:
    """Write into each row what was in its cells on `since`."""
    for identity, row in identities(rows).items():
        before = old.get(identity)
        if before is None:
            row["change"] = "added"
        else:
            row["was"] = {name: was or NOTHING for name, (was, _) in differing(columns, before, row).items()}


def old_rows(ledger: Ledger, then: Any, since: dt.date, rows: list[dict], user) -> dict:
    """The rows of `since` that stand beside `rows`; of a ledger of the database only those that were in it then."""
    if isinstance(then, Rows):
        return identities(ledger.read_rows(since, then))
    keys = [row["key"] for row in rows]
    return {row["key"]: row for row in ledger.read_keys(since, list(then.filter(pk__in=keys).values_list("pk", flat=True)))}


def compare(ledger: Ledger, day: dt.date, since: dt.date, now: Any, then: Any, columns: dict[str, LedgerColumn]) -> Comparison:
    """Everything that differs, when the ledger is not too long for it. The number of queries grows with batches of 500 rows."""
    found = Comparison(since)
    if max(now.count(), then.count()) > MOST_COMPARED:
        found.is_whole = False
        return found
    old = identities(_all(ledger, since, then))
    new = identities(_all(ledger, day, now))
    for identity, row in new.items():
        if identity not in old:
            found.added.append(row["key"])
            found.names[row["key"]] = name_of(columns, ledger, row)
        elif cells := differing(columns, old[identity], row):
            found.changed.append(row["key"])
            name = name_of(columns, ledger, row)
            found.columns |= cells.keys()
            found.cells += [Cell(name, str(columns[column].verbose_name), *pair) for column, pair in cells.items()]
    found.removed = [row for identity, row in old.items() if identity not in new]
    for row in found.removed:
        row["change"], row["marks"] = "removed", {}
        found.names[row["key"]] = name_of(columns, ledger, row)
    return found


def _all(ledger: Ledger, day: dt.date, chosen: Any) -> Iterator[dict]:
    for batch in ledger.read_batches(day, chosen, BATCH):
        yield from batch


def change_list(found: Comparison) -> Iterator[list[str]]:
    """The comparison as lines of a table: 变化, 行, 列, 原值, 现值."""
    yield ["变化", "行", "列", f"{found.since} 的值", "现在的值"]
    for key in found.added:
        yield ["新增", found.names[key], "", "", ""]
    for row in found.removed:
        yield ["减少", found.names[row["key"]], "", "", ""]
    for cell in found.cells:
        yield ["修改", cell.row, cell.column, cell.old, cell.new]
