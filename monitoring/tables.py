"""How the table of the sections lies on the page: groups, columns of items, order, and the strip of classes by month. Pure."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Any

from monitoring.enums import WaterBody, WaterClass
from monitoring.limits import FIVE, Limits
from monitoring.periods import Period
from monitoring.reports import LEVELS, SectionRow, SectionTable, ShareLine, share_line

NOTHING = "—"
SHORT = {"断流": "断", "结冰": "冰", "停站": "停", "其他": "他", "缺测": "缺", "未监测": NOTHING}  # a gap in a cell of the strip

# What the address may sort by, beside the items; what has no value stands last either way.
SORTS: Mapping[str, Callable[[SectionRow], Any]] = {
    "name": lambda row: row.name,
    "river": lambda row: row.river,
    "county": lambda row: row.county_code,
    "target": lambda row: row.target,
    "class": lambda row: row.water_class,
    "met": lambda row: row.meets_target,
    "before": lambda row: row.month_on_month,
    "year_before": lambda row: row.year_on_year,
}


# ── The table ────────────────────────────────────────────────────────────────────────────────────────────────────────
@dataclasses.dataclass(frozen=True)
class ItemColumn:
    key: str
    name: str
    unit: str  # empty: without unit (pH)


@dataclasses.dataclass(frozen=True)
class Value:
    """One concentration as it is printed; `is_over`: worse than Ⅲ."""

    text: str
    is_over: bool


@dataclasses.dataclass(frozen=True)
class Line:
    row: SectionRow
    values: tuple[Value, ...]  # one for each column of items
    judged_by: tuple[str, ...]  # names of the items that entered

    @property
    def is_corrected(self) -> bool:
        return bool(self.row.revision and self.row.revision > 1)

    @property
    def is_lake(self) -> bool:
        """Its limits of total phosphorus differ from a river's."""
        return self.row.water_body == WaterBody.LAKE


@dataclasses.dataclass(frozen=True)
class Group:
    """The lines of one level; without a label when the table is sorted by a column, which mixes the levels."""

    label: str
    lines: tuple[Line, ...]


@dataclasses.dataclass(frozen=True)
class Heading:
    """One column's heading. `key` is empty where a column cannot be sorted by; `sort` is what a click sorts by next."""

    label: str
    key: str = ""
    css: str = ""
    unit: str = ""
    sort: str = ""  # empty again after descending: back to the order of the report
    direction: str = ""  # ascending, descending: as the table is sorted now


@dataclasses.dataclass(frozen=True)
class Sheet:
    items: tuple[ItemColumn, ...]
    groups: tuple[Group, ...]
    sort: str  # "" in the order of the report, else a column, with a minus for descending
    has_before: bool  # a column for 环比

    @property
    def headings(self) -> list[Heading]:
        return [
            self._heading("断面", "name", "pin"),
            self._heading("河流", "river"),
            self._heading("责任县", "county"),
            self._heading("目标", "target", "middle"),
            self._heading("本期类别", "class", "middle"),
            self._heading("达标", "met"),
            *([self._heading("环比", "before")] if self.has_before else []),
            self._heading("同比", "year_before"),
            Heading("主要污染物", css="wide", unit="超Ⅲ类倍数"),
            Heading("对目标超标", css="wide", unit="超目标倍数"),
            *(self._heading(item.name, item.key, "number", item.unit) for item in self.items),
            Heading("定类指标", css="wide"),
            Heading("说明", css="wide"),
        ]

    def _heading(self, label: str, key: str, css: str = "", unit: str = "") -> Heading:
        direction = {key: "ascending", f"-{key}": "descending"}.get(self.sort, "")
        following = {"": key, "ascending": f"-{key}", "descending": ""}[direction]
        return Heading(label, key, css, unit, following, direction)

    @property
    def count(self) -> int:
        return sum(len(group.lines) for group in self.groups)


def sheet(table: SectionTable, rows: Sequence[SectionRow], rivers: Sequence[str], sort: str = "", *, has_before: bool = True) -> Sheet:
    """`rows` of `table`: by level, by river in the order of `rivers` and along it; or by a column, then without groups."""
    items = item_columns(table)
    ordered = sorted(rows, key=lambda row: _report_order(row, rivers))
    key = sort.removeprefix("-")
    if key in SORTS or key in {item.key for item in items}:
        ordered = _by(ordered, SORTS.get(key, lambda row: row.values.get(key)), descending=sort.startswith("-"))
        return Sheet(items, (_group("", ordered, items, table.limits),) if ordered else (), sort, has_before)
    groups = (_group(f"{level.label}断面", same, items, table.limits) for level, same in groupby(ordered, key=lambda row: row.level))
    return Sheet(items, tuple(groups), "", has_before)


def item_columns(table: SectionTable) -> tuple[ItemColumn, ...]:
    """The five and every X item that a section of the table has a value of, in the order of the standard."""
    found = {key for row in table.rows for key in row.values}
    own = [key for key in table.limits.order if key in found and key not in FIVE]
    return tuple(ItemColumn(key, table.limits.name(key), unit_of(table.limits, key)) for key in (*FIVE, *own))


def unit_of(limits: Limits, key: str) -> str:
    """The unit as it stands in a heading; nothing for pH."""
    unit = limits.items[key].unit if key in limits.items else ""
    return "" if unit == "无量纲" else unit


def _group(label: str, rows, items: Sequence[ItemColumn], limits: Limits) -> Group:
    return Group(label, tuple(_line(row, items, limits) for row in rows))


def _line(row: SectionRow, items: Sequence[ItemColumn], limits: Limits) -> Line:
    return Line(row, tuple(_value(row, item.key) for item in items), tuple(map(limits.name, row.items)))


def _value(row: SectionRow, key: str) -> Value:
    value = row.values.get(key)
    return Value(NOTHING if value is None else str(value), key in row.over_iii)


def _report_order(row: SectionRow, rivers: Sequence[str]) -> tuple:
    river = rivers.index(row.river) if row.river in rivers else len(rivers)
    return LEVELS.index(row.level), river, row.river, row.order_along if row.order_along is not None else float("inf"), row.pk


def _by(rows: Sequence[SectionRow], value: Callable[[SectionRow], Any], *, descending: bool) -> list[SectionRow]:
    known = [row for row in rows if value(row) is not None]
    return [*sorted(known, key=value, reverse=descending), *(row for row in rows if value(row) is None)]


# ── The strip ────────────────────────────────────────────────────────────────────────────────────────────────────────
@dataclasses.dataclass(frozen=True)
class Cell:
    """A section in a month. Without a class `short` and `words` say why; both empty while it was not in force."""

    period: Period
    water_class: WaterClass | None
    short: str
    words: str
    is_missed: bool = False  # its target


@dataclasses.dataclass(frozen=True)
class StripRow:
    row: SectionRow
    cells: tuple[Cell, ...]
    starts_group: bool  # the first of its level, but for the very first


@dataclasses.dataclass(frozen=True)
class Strip:
    """A row for each section, a column for each month, oldest first; below it the share of good sections of each month."""

    months: tuple[Period, ...]
    rows: tuple[StripRow, ...]
    shares: tuple[ShareLine, ...]  # one a month, of all sections of `share_label`
    share_label: str  # the highest level that has sections
    published: frozenset[Period]

    @property
    def years(self) -> list[tuple[int, int]]:
        """Each year with its number of columns."""
        return [(year, len(list(months))) for year, months in groupby(self.months, key=lambda period: period.year)]


def strip(tables: Sequence[SectionTable], groups: Sequence[Group], published: Sequence[Period]) -> Strip:
    """`tables` of successive months, `groups` of the sections to show in their order."""
    by_pk = [{row.pk: row for row in table.rows} for table in tables]
    level = next((level for level in LEVELS if any(table.of_level(level) for table in tables)), LEVELS[0])
    return Strip(
        months=tuple(table.period for table in tables),
        rows=tuple(
            StripRow(
                line.row,
                tuple(_cell(table.period, found.get(line.row.pk)) for table, found in zip(tables, by_pk, strict=True)),
                starts_group=group is not groups[0] and line is group.lines[0],
            )
            for group in groups
            for line in group.lines
        ),
        shares=tuple(share_line(table.period.label, table.of_level(level)) for table in tables),
        share_label=level.label,
        published=frozenset(published),
    )


def _cell(period: Period, row: SectionRow | None) -> Cell:
    if row is None:
        return Cell(period, None, "", "")
    if row.water_class is None:
        return Cell(period, None, next((short for word, short in SHORT.items() if word in row.note), NOTHING), row.note)
    return Cell(period, row.water_class, "", f"{row.water_class.label}类", row.meets_target is False)
