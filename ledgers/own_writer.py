"""Own columns written as the ledger's other columns are: typed in place, in bulk, by workbook."""

import dataclasses
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from ledgers import cells, own_services
from ledgers.enums import OwnKind
from ledgers.page_models import OwnColumn
from ledgers.registry import Ledger
from ledgers.writing import Field, Sense, Writer, WrittenRow
from linfen_water import clock
from linfen_water.models import County, User
from linfen_water.permissions import is_county, is_office
from linfen_water.workbook import Broken, Cell
from projects.models import Project
from projects.permissions import dispatched_projects
from projects.rules import Fault

KINDS = {OwnKind.TEXT: "text", OwnKind.NUMBER: "text", OwnKind.DATE: "date", OwnKind.CHOICE: "choice"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class OwnField(Field):
    """A cell of an own column; its value is the text that is stored."""

    column: OwnColumn

    def parse(self, cell: Cell, sense: Sense) -> str:
        if isinstance(cell, Broken):
            raise ValidationError(f"单元格没有可用的值（{cell}）：请在 Excel 中算出结果，或改填文字、数字。")
        if cells.is_nothing(cell):
            return ""
        try:
            if self.column.kind == OwnKind.DATE:
                return cells.read_day(cell, year=sense.year).isoformat()
            return own_services.read_value(self.column, cells.words(self._scaled(cell, sense)))
        except (cells.Unread, own_services.Refused) as fault:
            raise ValidationError(str(fault)) from None

    def _scaled(self, cell: Cell, sense: Sense) -> Cell:
        """Money under a heading in another unit (亿元), in the column's own."""
        if sense.unit == self.column.unit or not {sense.unit, self.column.unit} <= cells.WAN_OF.keys():
            return cell
        return cells.read_amount(cell, unit=sense.unit) / cells.WAN_OF[self.column.unit]

    def spell(self, value: Any) -> str:
        return str(value or "")


def field_of(column: OwnColumn) -> OwnField:
    label = f"{column.label}（{column.unit}）" if column.unit else column.label
    choices = tuple((one, one) for one in column.choices)
    return OwnField(label=label, clean=forms.CharField(required=False), kind=KINDS[OwnKind(column.kind)], choices=choices, column=column)


class OwnWriter(Writer):
    """The ledger's own writer, if it has one, and the office's columns beside it."""

    def __init__(self, ledger: Ledger, own: list[OwnColumn]):
        self.ledger, self.inner = ledger, ledger.writer
        self.own = {column.name: column for column in own}
        self.counties: dict[str, County] = {}
        self.slug = ledger.slug
        if self.inner:
            for name in ("key", "name_column", "year_column", "synonyms", "not_here", "adds", "unknown_row"):
                setattr(self, name, getattr(self.inner, name))
        self.knows_computed = bool(self.inner and self.inner.knows_computed)
        self.fields = {**(self.inner.fields if self.inner else {}), **{name: field_of(column) for name, column in self.own.items()}}

    def remark(self, pk: int, columns: Collection[str]) -> str:
        return self.inner.remark(pk, columns) if self.inner else super().remark(pk, columns)

    def pk_of(self, row: dict) -> int:
        return self.inner.pk_of(row) if self.inner else super().pk_of(row)

    def value_key(self, row: WrittenRow) -> str:
        return self.inner.value_key(row) if self.inner else super().value_key(row)

    def read(self, day, pks):
        return self.inner.read(day, pks) if self.inner else super().read(day, pks)

    def may_take_in(self, user: User) -> bool:
        return is_office(user) or bool(self.inner and self.inner.may_take_in(user))

    def index(self, by, day):
        return self.inner.index(by, day) if self.inner else {}

    def names(self, by, day):
        return self.inner.names(by, day) if self.inner else {}

    def new_keys(self, keys, *, by, day):
        return self.inner.new_keys(keys, by=by, day=day) if self.inner else {}

    def key_text(self, column: str, cell: Cell, year: int | None = None) -> str:
        return self.inner.key_text(column, cell, year) if self.inner else super().key_text(column, cell, year)

    def rows(self, pks: Collection[int], *, by: User | None, lock: bool = False) -> dict[int, WrittenRow]:
        """The rows that `by` may read, with what the own columns say of them."""
        from ledgers import own

        day = clock.today()
        if lock:  # before the rows and the chains of the trail, so that two who write never wait for each other
            columns = OwnColumn.objects.select_for_update().filter(pk__in=[column.pk for column in self.own.values()])
            list(columns.order_by("pk").values_list("pk"))
            self.counties = {county.code: county for county in County.objects.all()}
        found = self.inner.rows(pks, by=by, lock=lock) if self.inner else self._bare_rows(pks, by)
        values = own.values_on(list(self.own.values()), [self.value_key(row) for row in found.values()], day)
        held = self._held(list(found), by)
        for pk, row in found.items():
            said = {name: own_services.stored(values.get((column.pk, self.value_key(row)))) for name, column in self.own.items()}
            row.values = {**row.values, **said}
            row.held = frozenset({*row.held, *held.get(pk, ())})
        return found

    def _bare_rows(self, pks: Collection[int], by: User | None) -> dict[int, WrittenRow]:
        """Rows of a ledger that nobody else writes."""
        shown = self.ledger.rows(clock.today(), by).filter(pk__in=pks).order_by().values_list("pk", flat=True)
        return {pk: WrittenRow(pk=pk, key=str(pk), values={}, held=frozenset(), version=0, chain="", about=None) for pk in shown}

    def _held(self, pks: list[int], by: User | None) -> dict[int, set[str]]:
        """Which own columns `by` writes in which row: the office all, a county what it may in rows of its own projects."""
        if by is None or is_office(by):
            return {pk: set(self.own) for pk in pks}
        theirs = {name for name, column in self.own.items() if column.counties_write}
        if not theirs or not is_county(by) or self.ledger.read is None:
            return {}
        model = self.ledger.rows(clock.today(), by).model
        own = dispatched_projects(by).values("pk")
        names = {field.name for field in model._meta.get_fields()}
        if model is Project:
            mine = Project.objects.filter(pk__in=pks).filter(pk__in=own)
        elif "project" in names:
            mine = model._default_manager.filter(pk__in=pks, project__in=own)
        else:
            return {}
        return dict.fromkeys(mine.values_list("pk", flat=True), theirs)

    def faults(self, row: WrittenRow, values: Mapping[str, Any], reason: str, day) -> Iterable[Fault]:
        inner = {name: value for name, value in values.items() if name not in self.own}
        return self.inner.faults(row, inner, reason, day) if self.inner and (inner or row.pk < 0) else ()

    def save(self, row: WrittenRow, values: Mapping[str, Any], *, by: User | None, reason: str) -> None:
        inner = {name: value for name, value in values.items() if name not in self.own}
        if inner:
            self.inner.save(row, inner, by=by, reason=reason)
        for name in values.keys() & self.own.keys():
            own_services.set_value(
                by=by,
                column=self.own[name],
                row=self.value_key(row),
                text=values[name],
                reason=reason,
                county=self.counties.get(row.chain),
            )
