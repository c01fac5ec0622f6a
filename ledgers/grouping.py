"""Subtotals of a ledger by one of its columns, made by the database where the rows are a QuerySet."""

import copy
import dataclasses
import datetime as dt
import hashlib
from types import SimpleNamespace
from typing import Any

from django.db.models import Count, F, Min, QuerySet, Sum

from ledgers.columns import LedgerColumn
from ledgers.rows import Rows

# Columns that make sense of as groups, wherever a ledger has them.
GROUPABLE = (
    "county", "domain", "unit", "responsible_unit", "lead_unit", "stage", "nature", "sponsor_post", "category", "kind", "state",
    "level", "authority", "handler", "river", "water_class", "meets_target", "source", "risk_level", "measure", "org", "period",
)  # fmt: skip
BATCH = 500  # groups whose names are read at once


@dataclasses.dataclass(frozen=True)
class Subtotal:
    label: str
    sums: Any  # as the ledger's totals: `count` and the sums by column

    @property
    def id(self) -> str:
        return group_id(self.label)


def group_id(label: str) -> str:
    """Names the group's row in the page."""
    return f"sub-{hashlib.sha256(label.encode()).hexdigest()[:8]}"


def groupable(columns: dict[str, LedgerColumn]) -> dict[str, LedgerColumn]:
    """Columns by which the ledger can be grouped."""
    return {name: column for name, column in columns.items() if column.sort and (name in GROUPABLE or column.is_choice)}


def label_of(column: LedgerColumn, name: str, row: dict) -> str:
    """The group of a row in words."""
    value = column.value(row[name], row)
    return "（空）" if value in (None, "") else str(value)


def in_groups(chosen: Any, column: LedgerColumn):
    """`chosen` with the group first in its order, its own order inside."""
    if isinstance(chosen, Rows):
        grouped = copy.copy(chosen)
        there = [row for row in chosen.data if row[column.sort] is not None]
        grouped.data = sorted(there, key=lambda row: row[column.sort]) + [row for row in chosen.data if row[column.sort] is None]
        return grouped
    return chosen.order_by(F(column.sort).asc(nulls_last=True), *chosen.query.order_by)


def subtotals(ledger, day: dt.date, chosen: Any, name: str, columns: dict[str, LedgerColumn]) -> list[Subtotal]:
    """One for each group, however many. Two queries and those of the ledger's `read` for a QuerySet, none for rows that are read."""
    if isinstance(chosen, Rows):
        return _of_rows(ledger, day, chosen, name, columns[name])
    return _of_queryset(ledger, day, chosen, name, columns)


def _of_rows(ledger, day: dt.date, chosen: Rows, name: str, column: LedgerColumn) -> list[Subtotal]:
    parts: dict[str, list[dict]] = {}
    for row in chosen.data:
        parts.setdefault(label_of(column, name, row), []).append(row)
    return [Subtotal(label, _sums_of(ledger, day, chosen, rows)) for label, rows in parts.items()]


def _sums_of(ledger, day: dt.date, chosen: Rows, rows: list[dict]):
    part = copy.copy(chosen)
    part.data = rows
    return ledger.totals(day, part) if ledger.totals else SimpleNamespace(count=len(rows))


def _of_queryset(ledger, day: dt.date, chosen: QuerySet, name: str, columns: dict[str, LedgerColumn]) -> list[Subtotal]:
    summed = {key: column for key, column in columns.items() if column.is_summed and column.sort and column.is_amount}
    sums = {f"sum_{key}": Sum(F(column.sort)) for key, column in summed.items()}
    key = F(columns[name].sort)
    groups = list(chosen.order_by().values(group_key=key).annotate(group_count=Count("pk"), sample=Min("pk"), **sums).order_by("group_key"))
    samples = chosen.model._default_manager.filter(pk__in=[group["sample"] for group in groups])
    batches = ledger.read_batches(day, samples, BATCH)
    labels = {row["key"]: label_of(columns[name], name, row) for batch in batches for row in batch}
    return [
        Subtotal(
            labels[group["sample"]],
            SimpleNamespace(count=group["group_count"], **{key: columns[key].as_sum(group[f"sum_{key}"]) for key in summed}),
        )
        for group in groups
        if group["sample"] in labels
    ]
