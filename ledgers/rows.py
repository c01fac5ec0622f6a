"""Rows of a ledger that are read already: facts that rules compute, which SQL cannot order or choose."""

from collections.abc import Iterable

from django_tables2.data import TableData
from django_tables2.utils import OrderBy


class Rows(TableData):
    """Dicts in the ledger's own order, with what pages and workbooks ask of a queryset: length, slices, `none`, the order of a column."""

    data: list[dict]

    def __init__(self, rows: Iterable[dict] = (), *, is_by_result: bool = False):
        super().__init__(list(rows))
        self.is_by_result = is_by_result  # chosen by what the rules made of them: a share among these says nothing

    def __len__(self):
        return len(self.data)

    def count(self) -> int:
        return len(self.data)

    def none(self) -> "Rows":
        return type(self)()

    def order_by(self, aliases) -> None:
        """By the key that the column's `sort` names; missing values last both ways, the ledger's own order breaks ties."""
        for alias in reversed(aliases):
            self.data = ordered(self.data, self.table.columns[OrderBy(alias).bare].column.sort, alias.startswith("-"))


def ordered(rows: list[dict], key: str, is_descending: bool) -> list[dict]:
    """Rows by one key, missing values last both ways."""
    there = [row for row in rows if row[key] is not None]
    return sorted(there, key=lambda row: row[key], reverse=is_descending) + [row for row in rows if row[key] is None]


def counted(sums) -> int:
    """How many rows `sums` stand for: where the column of counts is that of projects (counties, domains), `rows` tells."""
    return getattr(sums, "rows", sums.count)
