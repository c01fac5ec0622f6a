"""The office's own columns and ledgers (自设列, 自建台账): what the registry declares, together with what was defined in the browser."""

import dataclasses
import datetime as dt
import hashlib
from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.db.models import CharField, FloatField, OuterRef, Subquery, Sum, Value
from django.db.models.functions import Cast, NullIf
from django.http import QueryDict

from ledgers import columns as c
from ledgers.choices import kept_offer
from ledgers.enums import OwnKind
from ledgers.filters import spoken
from ledgers.history import Entry, spell_person
from ledgers.page_models import OwnColumn, OwnLedger, OwnValue
from ledgers.registry import LEDGERS, Ledger
from ledgers.rows import Rows
from linfen_water.enums import UnitKind
from linfen_water.models import County, Unit

GROUP = "自设列"
BATCH = 500


# ── Ledgers ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def find_ledger(slug: str) -> Ledger | None:
    """The ledger of that address with the office's own columns; None when there is none or it was retired."""
    declared = LEDGERS.get(slug)
    if declared is None:
        own = OwnLedger.objects.filter(slug=slug, retired_at=None).first()
        declared = built(own) if own else None
    return with_columns(declared, _columns_in_use(slug)) if declared else None


def _columns_in_use(slug: str) -> list[OwnColumn]:
    """Kept until anything changes, since every page of the ledger asks."""
    columns = OwnColumn.objects.filter(ledger=slug, retired_at=None)
    return kept_offer(f"own-columns:{slug}", lambda: list(columns))


def all_ledgers() -> list[Ledger]:
    """Every ledger in use: those of the registry, then the office's own."""
    columns = defaultdict(list)
    for column in OwnColumn.objects.filter(retired_at=None):
        columns[column.ledger].append(column)
    own = filter(None, map(built, OwnLedger.objects.filter(retired_at=None)))
    return [with_columns(ledger, columns[ledger.slug]) for ledger in [*LEDGERS.values(), *own]]


def built(own: OwnLedger) -> Ledger | None:
    """A ledger out of what the office defined; None when the one that it rests on is no more."""
    base = LEDGERS.get(own.base)
    if base is None:
        return None
    query = QueryDict(own.query)

    def rows(day: dt.date, user=None):
        """Of a ledger of the database only the rows that its definition chooses."""
        scope = base.rows(day, user)
        if base.read is None:
            return scope
        narrowed = base.filter(query, queryset=scope, day=day)
        return narrowed.qs if narrowed.is_valid() else scope.none()

    def columns(chosen) -> dict[str, c.LedgerColumn]:
        found = _columns_of(base, chosen)
        pinned = [name for name, column in found.items() if "pin" in column.css.split()]
        names = [*pinned, *(name for name in own.columns if name in found and name not in pinned)] if own.columns else list(found)
        return {name: found[name] for name in names}

    def holds(day: dt.date) -> list[str]:
        """The definition's conditions in words."""
        asked = hashlib.sha256(own.query.encode()).hexdigest()
        return kept_offer(f"own-holds:{own.base}:{asked}:{day}", lambda: spoken(base.filter(query, queryset=base.rows(day), day=day).form))

    shown = columns(Rows())
    return dataclasses.replace(
        base,
        slug=own.slug,
        title=own.title,
        about=own.about or f"自建台账：依据{base.title}",
        rows=rows,
        filter=base.filter if base.read is not None else _narrowed(base.filter, query),
        table=type(base.table.__name__, (base.table,), {"details": ()}),
        columns=columns,
        label_column=base.label_column if base.label_column in shown else next(iter(shown)),
        words_column=base.words_column if base.words_column in shown else "",
        may_take_in=None,
        entry_page="",
        beside=None,
        base=base.slug,
        holds=holds,
        fixed=frozenset(name for name, values in query.lists() if any(values) and not (name == "q" and base.read)),
        opens_brief=False,
        opens_grouped=own.grouping,
    )


def _narrowed(filter_class: type, query: QueryDict) -> type:
    """The filter with what the definition says already chosen; a person may choose only the rest."""

    def __init__(self, data, *, queryset, day):
        merged = QueryDict(mutable=True)
        merged.update(data) if isinstance(data, QueryDict) else merged.update(dict(data))
        for name, values in query.lists():
            merged.setlist(name, values)
        filter_class.__init__(self, merged, queryset=queryset, day=day)

    return type(filter_class.__name__, (filter_class,), {"__init__": __init__})


def _columns_of(ledger: Ledger, chosen: Any) -> dict[str, c.LedgerColumn]:
    if ledger.columns is None or not getattr(chosen, "data", True):
        return dict(ledger.table.base_columns)
    return dict(ledger.columns(chosen))


# ── Columns ─────────────────────────────────────────────────────────────────────────────────────────────────────────


class OwnTextColumn(c.LedgerColumn):
    """Words of the office's own; long ones are cut as everywhere."""

    def render(self, value, row):
        return c.cut(c.escape(value)) if value else c.MISSING


class OwnNumberColumn(c.LedgerColumn):
    css = "number"
    number_format = "#,##0.######"
    is_summed = is_amount = True

    def render(self, value, row):
        return c.MISSING if value is None else f"{value:,f}"

    def as_sum(self, value):
        return None if value is None else plain(Decimal(str(value)))


class OwnChoiceColumn(c.LedgerColumn):
    is_choice = True


COLUMNS = {
    OwnKind.TEXT: OwnTextColumn, OwnKind.NUMBER: OwnNumberColumn, OwnKind.DATE: c.DateColumn, OwnKind.CHOICE: OwnChoiceColumn,
}  # fmt: skip


def column_of(own: OwnColumn, *, is_sorted: bool) -> c.LedgerColumn:
    label = f"{own.label}（{own.unit}）" if own.unit else own.label
    width, css = (24, "medium") if own.kind == OwnKind.TEXT else (12, "")
    return COLUMNS[OwnKind(own.kind)](label, sort=own.name if is_sorted else "", group=GROUP, width=width, css=css)


def with_columns(ledger: Ledger, own: Iterable[OwnColumn]) -> Ledger:
    """The ledger with the office's columns behind its own."""
    own = list(own)
    if not own:
        return ledger
    is_sorted = ledger.read is not None  # rows computed by rules know an own column only on the page at hand

    def rows(day: dt.date, user=None):
        scope = ledger.rows(day, user)
        return scope.annotate(**{column.name: _value_in_sql(column, day) for column in own}) if is_sorted else scope

    def columns(chosen) -> dict[str, c.LedgerColumn]:
        return _columns_of(ledger, chosen) | {column.name: column_of(column, is_sorted=is_sorted) for column in own}

    def extend(day: dt.date, found: list[dict]) -> None:
        if ledger.extend:
            ledger.extend(day, found)
        values = values_on(own, [row["key"] for row in found], day)
        for row in found:
            row.update({column.name: values.get((column.pk, str(row["key"]))) for column in own})

    def totals(day: dt.date, chosen):
        return WithSums(ledger.totals(day, chosen), _own_sums(ledger, own, day, chosen))

    return dataclasses.replace(
        ledger, rows=rows, columns=columns, extend=extend, totals=totals if ledger.totals else None, writer=_writer(ledger, own)
    )


def _value_in_sql(column: OwnColumn, day: dt.date):
    """What orders and adds up the rows by an own column as of `day`."""
    last = OwnValue.objects.filter(column=column, row=Cast(OuterRef("pk"), CharField()), on__lte=day).order_by("-pk")
    text = NullIf(Subquery(last.values("text")[:1]), Value(""))
    return Cast(text, FloatField()) if column.kind == OwnKind.NUMBER else text


def values_on(columns: list[OwnColumn], keys: list, day: dt.date) -> dict[tuple[int, str], Any]:
    """What the columns say of the rows with these keys as of `day`, by column and key. One query."""
    kinds = {column.pk: column.kind for column in columns}
    rows = OwnValue.objects.filter(column__in=kinds, row__in=[str(key) for key in keys], on__lte=day).order_by("pk")
    return {(pk, row): typed(kinds[pk], text) for pk, row, text in rows.values_list("column_id", "row", "text")}


def typed(kind: str, text: str) -> Any:
    """A stored text as a value."""
    if not text:
        return None
    if kind == OwnKind.NUMBER:
        return Decimal(text)
    return dt.date.fromisoformat(text) if kind == OwnKind.DATE else text


def plain(value: Decimal) -> Decimal:
    """Without the places that adding in floating point leaves."""
    rounded = value.quantize(Decimal("0.000001")).normalize()
    return rounded if rounded.as_tuple().exponent < 0 else rounded.quantize(Decimal(1))


@dataclasses.dataclass(frozen=True)
class WithSums:
    """The ledger's own sums and those of the own columns."""

    sums: Any
    own: dict[str, Any]

    def __getattr__(self, name: str):
        if "sums" not in self.__dict__:  # a copy that is being put together, as the cache does
            raise AttributeError(name)
        return self.own[name] if name in self.own else getattr(self.sums, name)


def _own_sums(ledger: Ledger, own: list[OwnColumn], day: dt.date, chosen: Any) -> dict[str, Any]:
    numbers = [column for column in own if column.kind == OwnKind.NUMBER]
    if not numbers:
        return {}
    if isinstance(chosen, Rows):
        values = values_on(numbers, [ledger.key_of(row) for row in chosen.data], day)
        sums = dict.fromkeys((column.pk for column in numbers), Decimal(0))
        for (pk, _), value in values.items():
            sums[pk] += value or 0
        return {column.name: sums[column.pk] for column in numbers}
    sums = chosen.order_by().aggregate(**{f"sum_{column.name}": Sum(column.name) for column in numbers})
    return {column.name: plain(Decimal(str(sums[f"sum_{column.name}"] or 0))) for column in numbers}


def _writer(ledger: Ledger, own: list[OwnColumn]):
    from ledgers.own_writer import OwnWriter  # it needs the ledgers, which need what is here

    return OwnWriter(ledger, own) if ledger.read is not None or ledger.writer else None


# ── A cell ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def standing_column(slug: str, name: str) -> OwnColumn | None:
    """The own column of the ledger that is called `name`."""
    pk = name.removeprefix("own_")
    is_own = name.startswith("own_") and pk.isascii() and pk.isdigit() and len(pk) < 19
    return OwnColumn.objects.filter(ledger=slug, pk=int(pk), retired_at=None).first() if is_own else None


def value_history(name: str, key: str, day: dt.date) -> list[Entry]:
    """What an own column said of a row, the last first."""
    pk = int(name.removeprefix("own_"))
    values = OwnValue.objects.filter(column=pk, row=key, on__lte=day).order_by("pk").select_related("by__unit")
    entries, before = [], ""
    for value in values:
        entries.append(Entry(value.at, spell_person(value.by), before, value.text or "（空）", value.reason, "自设列", "", value.on))
        before = value.text
    return entries[::-1]


def names_of(field) -> list[str]:
    """Names that a cell of counties or units may hold, offered while typing."""
    if field.kind == "county":
        return list(County.objects.values_list("name", flat=True))
    return list(Unit.objects.exclude(kind=UnitKind.COMPANY).values_list("name", flat=True)) if field.kind in {"unit", "units"} else []
