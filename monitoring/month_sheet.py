"""A month's laboratory values as a sheet: what is on record, what somebody typed over it, and saving the difference.

`read` makes the sheet of some sections from the record; `type_over` lays typed texts on it, cell by cell against what the
person had seen (`base`), so that of two people at once nobody overwrites the other unseen; `save` writes what differs.
A cell is a text as laboratories write it: 0.52, <0.025, -- (missing), * (not monitored), 0.52（存疑）; empty: nothing on record.
"""

import dataclasses
import datetime as dt
import functools
import json
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from linfen_water import clock, trail
from linfen_water.dates import add_months, month_end
from linfen_water.models import User
from monitoring import limits, periods, recording, rules, services
from monitoring.cells import BadCell
from monitoring.enums import Cause, IntakeKind, Level, ReadingFlag, WaterClass
from monitoring.intake.tables import GAPS, read_value
from monitoring.models import Intake, Interruption, Reading, Section
from monitoring.recording import Unfit, shown
from monitoring.reports import LEVELS
from monitoring.samples import Batch, Gap, Sample, Value

NOON = dt.time(12)  # of a sample that is known to the day
FAR = 5  # times beyond the range of the last twelve months
RANGE_MONTHS = 12
NEEDS_REASON = "改动了已有的数值，请写明更正理由，例如“实验室更正报告”。"
_DAY = re.compile(r"(?:(?:(\d{4})[-/.年])?(\d{1,2})[-/.月])?(\d{1,2})日?", re.ASCII)
_COMPACT_DAY = re.compile(r"(\d{4})(\d{2})(\d{2})", re.ASCII)

Base = Mapping[str, Mapping]  # {section: {"state", "note", "rows": [{"at", "cells": {key: text}}]}} as the person saw it


@dataclasses.dataclass(slots=True)
class Cell:
    """One item of one sample."""

    name: str  # of the field: s12-0-nh3n
    key: str
    was: str = ""  # on record
    text: str = ""  # typed, else on record
    before: str = ""  # last month's value
    errors: list[str] = dataclasses.field(default_factory=list)
    theirs: str | None = None  # what somebody else wrote meanwhile, to choose from
    is_over: bool = False  # worse than Ⅲ
    far: str = ""  # why it deserves a second look
    is_extra: bool = False  # on record although the section's class does not stand on it

    @property
    def is_changed(self) -> bool:
        return not is_same(self.text, self.was)


@dataclasses.dataclass(slots=True)
class Row:
    """One sample of a section, or room for one."""

    prefix: str  # s12-0
    number: int  # as counted on the page
    at: dt.datetime | None  # None: not on record
    day_was: str
    day: str
    cells: dict[str, Cell]
    errors: list[str] = dataclasses.field(default_factory=list)  # of the day
    on: dt.date | None = None  # what `day` says

    @property
    def is_empty(self) -> bool:
        return not any(cell.text.strip() for cell in self.cells.values())

    @property
    def is_moved(self) -> bool:
        """The day of a sample on record was typed anew."""
        return self.at is not None and self.on is not None and self.on != timezone.localtime(self.at).date()

    def base(self) -> dict:
        return {"at": self.at.isoformat() if self.at else "", "cells": {key: cell.was for key, cell in self.cells.items() if cell.was}}

    @property
    def changed(self) -> list[Cell]:
        return [cell for cell in self.cells.values() if cell.is_changed]


@dataclasses.dataclass(slots=True)
class Block:
    """A section in the month."""

    section: Section
    rows: list[Row]
    state_was: str = ""  # Cause; "" = sampled
    state: str = ""
    note_was: str = ""
    note: str = ""
    errors: list[str] = dataclasses.field(default_factory=list)  # of the state
    notices: list[str] = dataclasses.field(default_factory=list)  # what somebody else did meanwhile
    water_class: WaterClass | None = None  # what the typed values amount to
    words: str = ""  # what decides it, or why there is none

    @property
    def prefix(self) -> str:
        return f"s{self.section.pk}"

    @property
    def cells(self) -> list[Cell]:
        return [cell for row in self.rows for cell in row.cells.values()]

    @property
    def has_errors(self) -> bool:
        return bool(self.errors or any(row.errors for row in self.rows) or any(cell.errors for cell in self.cells))

    @property
    def has_conflicts(self) -> bool:
        return any(cell.theirs is not None for cell in self.cells)

    @property
    def is_filled(self) -> bool:
        """Nothing is left to type: not sampled for a cause, or every due item has a text."""
        due = self.section.due_items
        return bool(self.state) or any(all(row.cells[key].text.strip() for key in due if key in row.cells) for row in self.rows)

    @property
    def overs(self) -> list[str]:
        return [cell.key for cell in self.cells if cell.is_over]


@dataclasses.dataclass(slots=True)
class Sheet:
    """The month's sheet of some sections. `keys` are its columns, in the order of the standard."""

    month: dt.date
    blocks: list[Block]
    keys: list[str]
    table: limits.Limits
    history: "_History"
    reason_error: str = ""
    has_moved: bool = False  # somebody else saved meanwhile, and there is something to choose or look at

    @property
    def is_fit(self) -> bool:
        return not (self.reason_error or self.has_moved or any(block.has_errors for block in self.blocks))

    @property
    def filled(self) -> int:
        return sum(block.is_filled for block in self.blocks)

    def base(self) -> str:
        """What is on record, as JSON: it goes with the page and comes back with what was typed over it."""
        return json.dumps(
            {
                block.prefix: {"state": block.state_was, "note": block.note_was, "rows": [row.base() for row in block.rows]}
                for block in self.blocks
            },
            ensure_ascii=False,
        )


# ── Texts ────────────────────────────────────────────────────────────────────────────────────────────────────────────
def read_text(text: str, item: limits.Limit) -> Value | None:
    """The laboratory value that a cell says; None of an empty one. Raises BadCell."""
    try:
        return read_value(text.strip() or None, item)
    except BadCell as fault:
        word = unicodedata.normalize("NFKC", text).strip()
        raise BadCell(f"{fault}；{word}请在“采样情况”里选") if word in GAPS else fault from None


def is_same(one: str, other: str) -> bool:
    """Whether two cells say the same: 0.50 is 0.5, full-width digits are digits."""
    return _meaning(one) == _meaning(other)


@functools.lru_cache(maxsize=20_000)
def _meaning(text: str) -> object:
    plain = unicodedata.normalize("NFKC", text).strip().casefold()
    try:
        value = read_text(text, _ANY_ITEM)
    except BadCell:
        return plain
    return plain if value is None else value


_ANY_ITEM = limits.Limit("", "", "", "le", (), False, None)


def read_day(text: str, month: dt.date) -> dt.date:
    """The day of `month` that somebody typed: 6, 6日, 1-6, 1月6日, 2025-01-06, 20250106. ValueError with the sentence."""
    plain = unicodedata.normalize("NFKC", text).strip()
    found = _COMPACT_DAY.fullmatch(plain) or _DAY.fullmatch(plain)
    try:
        if not found:
            raise ValueError
        day = dt.date(int(found[1] or month.year), int(found[2] or month.month), int(found[3]))
    except ValueError:
        raise ValueError(f"“{plain[:20]}”不是日期：写成 6 或 {month.year}-{month.month:02}-06") from None
    if (day.year, day.month) != (month.year, month.month):
        raise ValueError(f"{day}不在{month.year}年{month.month}月：请换到那个月填写，或改日期")
    return day


def shown_day(day: dt.date) -> str:
    """As the sheet writes a day of its month: 01-06."""
    return f"{day:%m-%d}"


def in_order(sections: Iterable[Section]) -> list[Section]:
    """National sections first, then by river and along it: the order of every table."""
    return sorted(sections, key=_order)


def _order(section: Section) -> tuple:
    along = section.order_along
    return LEVELS.index(Level(section.level)), section.river.name, along if along is not None else 1e9, section.pk


# ── From the record ──────────────────────────────────────────────────────────────────────────────────────────────────
def read(sections: Sequence[Section], month: dt.date, today: dt.date) -> Sheet:
    """The sheet of `sections` for the month that begins on `month`. Three queries."""
    table = limits.in_force_on(month_end(month))
    history = _History.read(sections, month)
    causes = {row.section_id: row for row in Interruption.objects.filter(section__in=sections, month=month)}
    blocks = [_block(section, history, causes.get(section.pk)) for section in sections]
    keys = {key for block in blocks for row in block.rows for key in row.cells}
    sheet = Sheet(month, blocks, [key for key in table.items if key in keys], table, history)
    _give_days(sheet, today)
    _number(sheet)
    judge(sheet)
    return sheet


@dataclasses.dataclass(slots=True)
class _History:
    """Live readings of the month and of the twelve months before."""

    month: dt.date
    now: dict[int, dict[dt.datetime, dict[str, Value]]]  # by section, sample and item
    last: dict[tuple[int, str], str]  # last month's text by section and item
    ranges: dict[tuple[int, str], tuple[Decimal, Decimal]]  # least and most of the twelve months before
    last_days: list[dt.date]  # days sampled last month

    @classmethod
    def read(cls, sections: Iterable[Section], month: dt.date) -> "_History":
        found = cls(month, defaultdict(lambda: defaultdict(dict)), {}, {}, [])
        rows = Reading.objects.filter(
            section__in=sections,
            is_live=True,
            sampled_at__gte=_moment(add_months(month, -RANGE_MONTHS)),
            sampled_at__lt=_moment(add_months(month, 1)),
        ).order_by("sampled_at", "pk")
        for row in rows.values_list("section", "sampled_at", "parameter", "value", "is_below_detection", "flag"):
            found._add(*row[:3], Value(row[3], row[4], ReadingFlag(row[5])))
        return found

    def _add(self, pk: int, at: dt.datetime, key: str, value: Value) -> None:
        day = timezone.localtime(at).date()
        if day >= self.month:
            self.now[pk][at][key] = value
            return
        if day >= add_months(self.month, -1):
            self.last[pk, key] = shown(value)
            self.last_days.append(day)
        if value.value is not None and value.flag != ReadingFlag.INVALID:
            least, most = self.ranges.get((pk, key), (value.value, value.value))
            self.ranges[pk, key] = min(least, value.value), max(most, value.value)


def _block(section: Section, history: _History, cause: Interruption | None) -> Block:
    block = Block(section, [])
    for n, (at, values) in enumerate(sorted(history.now[section.pk].items()) or [(None, {})]):
        block.rows.append(_row(section, n, at, values, history))
    if cause:
        block.state = block.state_was = cause.cause
        block.note = block.note_was = cause.note
    return block


def _row(section: Section, n: int, at: dt.datetime | None, values: Mapping[str, Value], history: _History) -> Row:
    day = shown_day(timezone.localtime(at).date()) if at else ""
    prefix = f"s{section.pk}-{n}"
    keys = [*section.due_items, *(key for key in values if key not in section.due_items)]
    cells = {}
    for key in keys:
        text = shown(values[key]) if key in values else ""
        before = history.last.get((section.pk, key), "")
        cells[key] = Cell(f"{prefix}-{key}", key, text, text, before, is_extra=key not in section.due_items)
    return Row(prefix, 0, at, day, day, cells)


def _give_days(sheet: Sheet, today: dt.date) -> None:
    """Room for a sample begins with the day used last: in this month, else the usual one of the month before."""
    history = sheet.history
    used = [timezone.localtime(at).date() for samples in history.now.values() for at in samples]
    if used:
        day = max(used)
    elif history.last_days:
        usual = max(set(history.last_days), key=history.last_days.count)
        day = min(sheet.month + dt.timedelta(days=usual.day - 1), month_end(sheet.month))
    else:
        return
    for block in sheet.blocks:
        for row in block.rows:
            if row.at is None and day <= today:
                row.day = row.day_was = shown_day(day)


def _number(sheet: Sheet) -> None:
    for number, row in enumerate((row for block in sheet.blocks for row in block.rows), 1):
        row.number = number


# ── What the texts amount to ─────────────────────────────────────────────────────────────────────────────────────────
def judge(sheet: Sheet) -> None:
    """Say of every section what its texts amount to, and mark the values that deserve a second look; none is refused for it."""
    for block in sheet.blocks:
        _judge(block, sheet)


def _judge(block: Block, sheet: Sheet) -> None:
    items: dict[str, list[Decimal | None]] = {}
    for cell in block.cells:
        cell.is_over, cell.far = False, ""
        try:
            value = read_text(cell.text, sheet.table.items[cell.key])
        except BadCell as fault:
            if str(fault) not in cell.errors:
                cell.errors.append(str(fault))
            continue
        if value is None:
            continue
        found = items.setdefault(cell.key, [])
        if value.flag == ReadingFlag.NOT_MONITORED:
            continue
        number = None if value.value is None or value.flag == ReadingFlag.INVALID else rules.for_mean(value.value, value.is_below_detection)
        found.append(number)
        if number is not None:
            _mark(cell, value, number, block.section, sheet)
    period = periods.month(sheet.month)
    causes = {sheet.month: block.state} if block.state else {}
    months = {sheet.month: items} if items else {}
    row = services.assessment(block.section, months, period, causes=causes, published_on=period.ends_on, source="")
    block.water_class = None if block.state or row.water_class is None else WaterClass(row.water_class)
    block.words = _words(row, block, sheet.table)


def _mark(cell: Cell, value: Value, number: Decimal, section: Section, sheet: Sheet) -> None:
    limit = sheet.table.of(cell.key, section.water_body)
    cell.is_over = limit is not None and rules.classify(limit, number) > WaterClass.III
    known = sheet.history.ranges.get((section.pk, cell.key))
    if known is None or cell.key == "ph" or value.is_below_detection or value.value is None:
        return  # pH is a logarithm: five times says nothing
    least, most = known
    if (value.value > most * FAR) or (value.value * FAR < least):
        cell.far = f"近12个月为{_plain(least)}—{_plain(most)}，相差{FAR}倍以上，请再核对"


def _words(row, block: Block, table: limits.Limits) -> str:
    if block.state:
        return Cause(block.state).label
    if row.water_class is None:
        return row.note
    if row.water_class <= WaterClass.III:
        return ""
    return "、".join(table.name(key) + ("" if multiple is None else f"({multiple})") for key, multiple in row.main_pollutants)


def _plain(value: Decimal) -> str:
    return shown(Value(value))


# ── What somebody typed ──────────────────────────────────────────────────────────────────────────────────────────────
def type_over(sheet: Sheet, typed: Mapping[str, str], base: Base, today: dt.date) -> None:
    """Lay the texts of the form over the sheet; faults and conflicts end up at their cells, nothing typed is lost."""
    for block in sheet.blocks:
        seen = base.get(block.prefix)
        if seen is not None:
            _type_rows(block, typed, seen, sheet)
            _type_state(block, typed, seen)
    _number(sheet)
    for block in sheet.blocks:
        _check(block, sheet, today)
    judge(sheet)


def add_row(sheet: Sheet, prefix: str) -> None:
    """Room for one more sample of a section."""
    for block in sheet.blocks:
        if block.prefix == prefix:
            block.rows.append(_row(block.section, len(block.rows), None, {}, sheet.history))
    _number(sheet)


def _type_rows(block: Block, typed: Mapping[str, str], seen: Mapping, sheet: Sheet) -> None:
    """Match the rows that the person saw with the samples on record now, then cell by cell."""
    on_record = {row.at.isoformat(): row for row in block.rows if row.at}
    empty = next((row for row in block.rows if row.at is None), None)
    rows: list[Row] = []
    for n, saw in enumerate(seen.get("rows", [])):
        prefix = f"{block.prefix}-{n}"
        day = typed.get(f"{prefix}-day", "")
        row = on_record.pop(saw.get("at", ""), None) or (None if saw.get("at") else _same_day(day, on_record, sheet.month))
        if row is None:
            row = _row(block.section, n, None, {}, sheet.history)
            row.day_was = empty.day_was if empty else ""
        _type_row(row, prefix, typed, saw.get("cells", {}), day)
        rows.append(row)
    left = [row for _, row in sorted(on_record.items())]
    if left:
        block.notices.append(f"{block.section.name}：打开本页之后，有人录入了{'、'.join(row.day for row in left)}的采样，已列在下面。")
        if any(row.at is None and not row.is_empty for row in rows):
            sheet.has_moved = True
        rows = [row for row in rows if row.at or not row.is_empty]
    block.rows = rows + left
    for n, row in enumerate(block.rows):
        row.prefix = f"{block.prefix}-{n}"
        for key, cell in row.cells.items():
            cell.name = f"{row.prefix}-{key}"
    sheet.has_moved = sheet.has_moved or block.has_conflicts


def _same_day(text: str, on_record: dict[str, Row], month: dt.date) -> Row | None:
    """A sample that somebody else entered meanwhile, of the day that is typed: the same one."""
    try:
        day = read_day(text, month)
    except ValueError:
        return None
    found = next((at for at, row in on_record.items() if row.day_was == shown_day(day)), None)
    return on_record.pop(found) if found else None


def _type_row(row: Row, prefix: str, typed: Mapping[str, str], saw: Mapping[str, str], day: str) -> None:
    row.day = day
    for key in saw.keys() & limits.table().items.keys():  # the page says it, and a page can be forged
        row.cells.setdefault(key, Cell("", key, is_extra=True))  # withdrawn meanwhile
    for key, cell in row.cells.items():
        name = f"{prefix}-{key}"
        if name not in typed:
            continue
        mine, base = typed[name], saw.get(key, "")
        if typed.get(f"pick-{name}") == "theirs" or is_same(mine, base):
            cell.text = cell.was
            continue
        cell.text = mine
        if not is_same(cell.was, base) and not is_same(cell.was, mine):
            cell.theirs = cell.was


def _type_state(block: Block, typed: Mapping[str, str], seen: Mapping) -> None:
    state, note = typed.get(f"{block.prefix}-state", ""), typed.get(f"{block.prefix}-note", "").strip()
    if (state, note) == (seen.get("state", ""), seen.get("note", "")):
        return  # left alone: what is on record now stands
    if (block.state_was, block.note_was) not in ((seen.get("state", ""), seen.get("note", "")), (state, note)):
        block.errors.append(
            f"打开本页之后，有人已记为“{Cause(block.state_was).label if block.state_was else '正常'}”：确认要改就再保存一次"
        )
    block.state = state if state in ("", *Cause.values) else ""
    block.note = note if block.state else ""


def _check(block: Block, sheet: Sheet, today: dt.date) -> None:
    """Faults of days and states; those of cells are found where they are judged."""
    days: dict[dt.date, Row] = {}
    for row in block.rows:
        if row.is_empty and row.at is None:
            continue
        if row.is_empty and row.day == row.day_was:
            continue  # all its values are withdrawn
        try:
            row.on = _day(row, block.section, sheet.month, today)
        except ValueError as fault:
            row.errors.append(str(fault))
            continue
        if row.on in days:
            row.errors.append("这一天已有一行：同一天的值填在一行里")
        days[row.on] = row
    if block.state and not all(row.is_empty for row in block.rows):
        block.errors.append(f"已选“{Cause(block.state).label}”，又有数值：清空数值，或改回“正常”")
    if block.state == Cause.OTHER and not block.note:
        block.errors.append("选“其他”时请写明原因")


def _day(row: Row, section: Section, month: dt.date, today: dt.date) -> dt.date:
    if row.at and row.day.strip() == row.day_was:
        return timezone.localtime(row.at).date()
    if not row.day.strip():
        raise ValueError("请填采样日期，例如 6")
    day = read_day(row.day, month)
    if day > today:
        raise ValueError(f"采样日期晚于今天（{today}）")
    if not section.is_in_force(day):
        raise ValueError("这一天断面不在启用期内")
    return day


# ── Saving ───────────────────────────────────────────────────────────────────────────────────────────────────────────
@dataclasses.dataclass(slots=True)
class _Plan:
    batch: Batch
    withdrawn: list[tuple[Section, dt.datetime, str, str]] = dataclasses.field(default_factory=list)  # section, at, key, text
    resumed: list[Block] = dataclasses.field(default_factory=list)
    is_correction: bool = False

    @property
    def is_empty(self) -> bool:
        return not (self.batch.samples or self.batch.gaps or self.withdrawn or self.resumed)

    def months(self, month: dt.date) -> dict[int, set[dt.date]]:
        """What must be judged again although nothing new was written."""
        touched = {section.pk for section, *_ in self.withdrawn} | {block.section.pk for block in self.resumed}
        return {pk: {month} for pk in touched}


def save(
    sections: Sequence[Section], month: dt.date, typed: Mapping[str, str], base: Base, *, by: User, reason: str
) -> tuple[Sheet, Intake | None]:
    """Write what was typed and differs from the record, all or none: the sheet as it stands then, and the batch that holds it.

    With faults or conflicts nothing is written: the sheet is not fit (`is_fit`) and carries them. No batch: nothing differed.
    """
    reason = reason.strip()
    with transaction.atomic():
        list(Section.objects.select_for_update().filter(pk__in=[section.pk for section in sections]).order_by("pk").values_list("pk"))
        sheet = read(sections, month, clock.today())
        type_over(sheet, typed, base, clock.today())
        plan = _plan(sheet)
        if plan.is_correction and not reason:
            sheet.reason_error = NEEDS_REASON
        if not sheet.is_fit or plan.is_empty:
            return sheet, None
        try:
            with transaction.atomic():
                intake = _write(plan, sheet, by, reason)
        except Unfit as unfit:
            _say(unfit, sheet)
            return sheet, None
    return sheet, intake


def _plan(sheet: Sheet) -> _Plan:
    plan = _Plan(Batch())
    for block in sheet.blocks:
        for row in block.rows:
            _plan_row(plan, block, row, sheet)
        if (block.state, block.note) == (block.state_was, block.note_was):
            continue
        if block.state:
            plan.batch.gaps.append(Gap(block.section, sheet.month, Cause(block.state), block.note))
        else:
            plan.resumed.append(block)
    return plan


def _plan_row(plan: _Plan, block: Block, row: Row, sheet: Sheet) -> None:
    cells = [cell for cell in row.cells.values() if cell.text.strip()] if row.is_moved else [c for c in row.changed if c.text.strip()]
    gone = [cell for cell in row.cells.values() if cell.was] if row.is_moved else [c for c in row.changed if not c.text.strip()]
    plan.is_correction = plan.is_correction or bool(gone) or any(cell.was for cell in cells)
    if row.at:
        plan.withdrawn += [(block.section, row.at, cell.key, cell.was) for cell in gone]
    if not cells or row.on is None:
        return
    values = {}
    for cell in cells:
        try:
            values[cell.key] = read_text(cell.text, sheet.table.items[cell.key])
        except BadCell:
            return  # stands at its cell already
    at = row.at if row.at and not row.is_moved else timezone.make_aware(dt.datetime.combine(row.on, NOON))
    plan.batch.samples.append(Sample(block.section, at, {k: v for k, v in values.items() if v}, place=f"网页第{row.number}行"))


def _write(plan: _Plan, sheet: Sheet, by: User, reason: str) -> Intake:
    for section, at, key, _ in plan.withdrawn:
        Reading.objects.filter(section=section, sampled_at=at, parameter=key, is_live=True).update(is_live=False)
    Interruption.objects.filter(section__in=[block.section for block in plan.resumed], month=sheet.month).delete()
    name = f"{periods.month(sheet.month).label}监测数据"
    done = recording.take_in(plan.batch, kind=IntakeKind.FORM, name=name, by=by, reason=reason, also_judge=plan.months(sheet.month))
    intake = done.intake
    assert intake is not None
    if plan.withdrawn or plan.resumed:
        changes = {
            f"{section.name} {timezone.localtime(at):%Y-%m-%d} {sheet.table.name(key)}": [text, None]
            for section, at, key, text in plan.withdrawn
        }
        changes |= {f"{block.section.name} {sheet.month:%Y-%m}": [Cause(block.state_was).label, None] for block in plan.resumed}
        trail.record(action="readings.withdraw", subject=intake, by=by, changes=changes, reason=reason)
    return intake


def _say(unfit: Unfit, sheet: Sheet) -> None:
    """Bring the faults of recording to their cells; one that has no cell stands at the section or the reason."""
    rows = {row.number: (block, row) for block in sheet.blocks for row in block.rows}
    names = {sheet.table.name(key): key for key in sheet.keys}
    for fault in unfit.rehearsal.errors:
        if recording.wants_reason(fault):
            sheet.reason_error = NEEDS_REASON if fault.reason == recording.NEEDS_REASON else f"{fault.reason}。"
        elif fault.row in rows:
            block, row = rows[fault.row]
            cell = row.cells.get(names.get(fault.column, ""))
            (cell.errors if cell else block.errors).append(fault.reason)
        else:
            sheet.blocks[0].errors.append(f"{fault.column}：{fault.reason}")


def read_base(text: str) -> Base:
    """What the person had seen, as it came back with the form; nothing when it is no such thing."""
    try:
        found = json.loads(text)
        return {
            str(prefix): {
                "state": str(saw.get("state", "")),
                "note": str(saw.get("note", "")),
                "rows": [
                    {"at": str(row.get("at", "")), "cells": {str(key): str(text) for key, text in row.get("cells", {}).items()}}
                    for row in saw.get("rows", [])
                ],
            }
            for prefix, saw in found.items()
        }
    except (ValueError, AttributeError, TypeError, RecursionError):
        return {}


def _moment(day: dt.date) -> dt.datetime:
    return timezone.make_aware(dt.datetime.combine(day, dt.time()))
