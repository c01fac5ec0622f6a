"""Intake of the air ranking: a workbook laid out as the paper prints it, against what is known. The contract is that of `intake`.

Columns are matched by their headings, rows by the county's name. Ranks are computed: typed ones are only compared.
A workbook changes nothing of a county or period that it does not name.
"""

import dataclasses
import datetime as dt
import difflib
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal

from django.db import transaction

from ledgers import air_heads
from ledgers.air_heads import Column, Head, Span, plain
from ledgers.heads import OTHER_HEAD
from ledgers.intake import Change, Error, Rehearsal, Skipped, Unfit
from linfen_water import clock
from linfen_water.enums import CountyKind
from linfen_water.models import County, Region, User
from linfen_water.workbook import Broken, Cell, Percent, Row, Sheet
from monitoring import air, air_values
from monitoring.air_values import MEASURES
from monitoring.enums import IntakeKind
from monitoring.models import AirPeriod, AirResult
from monitoring.standards import air_ranking

UNSAID_SOURCE = "工作簿导入"
LONGEST_LABEL = AirPeriod._meta.get_field("label").max_length
LONGEST_SOURCE = AirPeriod._meta.get_field("source").max_length
TOTAL = re.compile("全市|全县|平均|均值|合计|总计|小计|全区|城区")
NOTE_MARK = re.compile(r"^(备注|注|说明)[:：]?\s*")
NAME = "县(市、区)"
ONE = Decimal(1)
NO_TABLE = "没有找到排名表：须有一列县（市、区）名称，上方有“综合指数”“PM2.5”“同比变化率”等列名。"
NO_DATES = "没有写明起止日期：请填写这个时段的起止日期，或在表头写成“2024年10月1日—2025年1月31日”。"


@dataclasses.dataclass(frozen=True)
class About:
    """What the person says beside the file: first and last day by the period's heading, who published it and when."""

    spans: Mapping[str, Span] = dataclasses.field(default_factory=dict)
    published_on: dt.date | None = None
    source: str = ""


@dataclasses.dataclass
class AirRehearsal(Rehearsal):
    """`entries` by span with the state they were compared with; `undated` are the headings whose days must be asked for."""

    entries: dict[Span, air.Entry] = dataclasses.field(default_factory=dict)
    states: dict[Span, str] = dataclasses.field(default_factory=dict)
    undated: list[str] = dataclasses.field(default_factory=list)
    published_on: dt.date | None = None
    source: str = ""

    @property
    def digest(self) -> str:
        """Also of the days and the publication, which the person may change beside the file."""
        facts = [[str(fact) for fact in (*span, entry.published_on, entry.source)] for span, entry in sorted(self.entries.items())]
        return hashlib.sha256(json.dumps([super().digest, facts]).encode()).hexdigest()

    @property
    def is_broken(self) -> bool:
        """A ranking is of all its counties: it is taken in whole or not at all."""
        return bool(self.errors)

    @property
    def is_revision(self) -> bool:
        """Whether anything changes that was published before."""
        return any(self.states[span] for span in self.revisions)


@dataclasses.dataclass
class _Block:
    """What a workbook says of one period."""

    label: str
    sheet: str
    head: Head
    values: dict[int, dict[str, Decimal | None]] = dataclasses.field(default_factory=dict)
    ranks: dict[tuple[int, str], tuple[int, int]] = dataclasses.field(default_factory=dict)  # typed: (row, rank)
    rows: dict[int, int] = dataclasses.field(default_factory=dict)  # county → row
    notes: list[str] = dataclasses.field(default_factory=list)
    rounded: dict[str, list[int]] = dataclasses.field(default_factory=dict)  # measure → rows that said more decimals than are kept
    typed: dict[str, list[Decimal]] = dataclasses.field(default_factory=dict)  # measure → its numbers that are not shown as percentages

    @property
    def name(self) -> str:
        """What the period is called on the way in: by its heading, else by its sheet."""
        return self.label or self.sheet

    def column(self, measure: str) -> str:
        return f"{self.name} {MEASURES[measure].heading}"


# ── Act ──────────────────────────────────────────────────────────────────────────────────────────────────────────────
def take_in(
    sheets: list[Sheet],
    *,
    reason: str,
    by: User | None,
    seen: str | None = None,
    about: About | None = None,
    name: str = "",
    digest: str = "",
) -> AirRehearsal:
    """Write down every period that the workbook changes; all or none.

    Raises Unfit with a fresh rehearsal when there are errors, when it is not the one with the digest `seen`, or when
    published values would change without a `reason`.
    """
    with transaction.atomic():
        rehearsal = rehearse(sheets, reason=reason, about=about)
        if rehearsal.errors or (seen is not None and seen != rehearsal.digest) or (rehearsal.is_revision and not reason.strip()):
            raise Unfit(rehearsal)
        if rehearsal.revisions:
            intake = air.batch(kind=IntakeKind.WORKBOOK, name=name, digest=digest, by=by)
            intake.counts = {"taken": len(rehearsal.changes), "skipped": len(rehearsal.skipped), "refused": 0}
            intake.save(update_fields=["counts"])
        try:
            for span in sorted(rehearsal.revisions):
                air.enter(entry=rehearsal.entries[span], intake=intake, by=by, reason=reason, seen=rehearsal.states[span])
        except air.Moved:
            raise Unfit(rehearse(sheets, reason=reason, about=about)) from None
    return rehearsal


# ── Rehearse ─────────────────────────────────────────────────────────────────────────────────────────────────────────
def rehearse(sheets: list[Sheet], *, reason: str, about: About | None = None) -> AirRehearsal:
    """Compare the workbook with what is known. Four queries, however many rows and periods."""
    return _Rehearsing(sheets, about or About()).outcome


class _Rehearsing:
    def __init__(self, sheets: list[Sheet], about: About):
        self.today, self.about, self.outcome = clock.today(), about, AirRehearsal()
        self.counties = County.objects.in_bulk()
        self.names = _names(self.counties.values())
        self.blocks: list[_Block] = []
        self.said_source = ""
        self.said_day: dt.date | None = None
        self.merged: dict[str, set[tuple[int, int]]] = {}  # by sheet: row and place of what merges cover
        self.city = plain(Region.current().name)
        self.read(sheets)
        if not self.outcome.errors or self.blocks:
            self.settle()

    # ── what the sheets say ──
    def read(self, sheets: list[Sheet]) -> None:
        for sheet in sheets:
            if sheet.is_hidden:
                self.skip(sheet.title, 1, "隐藏的工作表，未导入。")
                continue
            head = air_heads.find_head(sheet, self.names)
            if head is None:
                self.skip(sheet.title, 1, "没有找到排名表，整张工作表未导入。")
            else:
                self.read_sheet(sheet, head)
        if not self.blocks:
            self.error(sheets[0].title if sheets else "", None, "", "", NO_TABLE)

    def read_sheet(self, sheet: Sheet, head: Head) -> None:
        blocks = {label: _Block(label, sheet.title, head) for label in head.labels}
        if not self.is_fit(sheet, head):
            return
        self.blocks += blocks.values()
        self.merged[sheet.title] = air_heads.merged(sheet, head)
        self.publication(head.title)
        lines: list[tuple[int, str]] = []
        for row in sheet.rows:
            if row.number > head.row and air_heads.is_other_head(row, head):
                self.error(sheet.title, row.number, NAME, "", OTHER_HEAD.format(head.row))
                break
            if row.number > head.row:
                self.take(sheet, head, row, blocks, lines)
            elif row.number < head.row:
                for cell in row.cells:
                    self.publication(air_heads.words(cell))
        notes = self.notes(sheet, lines, max((row for block in blocks.values() for row in block.rows.values()), default=0))
        for block in blocks.values():
            block.notes = notes
            for measure, rows in block.rounded.items():
                kept = f"“{block.column(measure)}”有{len(rows)}个数多于{MEASURES[measure].decimals}位小数，已修约（GB/T 8170）"
                self.skip(sheet.title, rows[0], f"{kept}：名次按修约后的数计算。")
                if MEASURES[measure].is_change and all(abs(number) < 1 for number in block.typed.get(measure, [ONE])):
                    reason = "都在 -1 到 1 之间且有多位小数，像是没有设成百分比的比率：请把这一列设为百分比格式，或填 -5.3 这样的百分数。"
                    self.error(sheet.title, head.row, block.column(measure), "", reason)
        missing = [
            c.name for pk, c in self.counties.items() if c.kind == CountyKind.COUNTY and not any(pk in b.rows for b in blocks.values())
        ]
        if missing:
            self.skip(sheet.title, head.row, f"表中没有{'、'.join(missing)}：没有数据的不排名，已有的数据不变。")

    def is_fit(self, sheet: Sheet, head: Head) -> bool:
        """Whether no measure stands twice in a period."""
        seen: set[tuple[str, str, bool]] = set()
        is_fit = True
        for column in head.columns:
            key = (column.label, column.measure, column.is_rank)
            if key in seen and not column.is_rank:
                name = f"{column.label} {MEASURES[column.measure].heading}".strip()
                self.error(sheet.title, head.row, name, column.heading, "这一列在同一时段出现了两次，请只保留一列。")
                is_fit = False
            seen.add(key)
        return is_fit

    def take(self, sheet: Sheet, head: Head, row: Row, blocks: Mapping[str, _Block], lines: list[tuple[int, str]]) -> None:
        """One row below the headings: a county's, a total, or words."""
        name = _at(row, head.name_place)
        text = plain(air_heads.words(name))
        said = [column for column in head.columns if _at(row, column.place) is not None]
        if not text:  # a total may stand in the column of numbers
            text = next((left for cell in row.cells[: head.name_place] if TOTAL.search(left := plain(air_heads.words(cell)))), "")
        if text in self.names:
            self.take_county(sheet, head, row, self.names[text], blocks)
        elif TOTAL.search(text) or (text and text == self.city):
            self.skip(sheet.title, row.number, f"“{text[:20]}”是合计或平均行，未导入。")
        elif any(isinstance(cell, (Decimal, Broken)) for cell in (_at(row, column.place) for column in said)):
            close = difflib.get_close_matches(text[:30], self.names, n=1)
            hint = f"是不是“{self.counties[self.names[close[0]][0]].name}”？" if close and text else ""
            fault = "系统中没有这个县（市、区）。" if text else "这一行有数据，没有县（市、区）名称。"
            self.error(sheet.title, row.number, NAME, text, f"{fault}{hint}请按全称或简称填写。")
        else:
            words = " ".join(air_heads.words(cell).strip() for cell in row.cells if cell is not None)
            lines += [(row.number, line.strip()) for line in words.splitlines() if line.strip()]

    def take_county(self, sheet: Sheet, head: Head, row: Row, found: list[int], blocks: Mapping[str, _Block]) -> None:
        if len(found) > 1:
            names = "、".join(self.counties[pk].name for pk in found)
            self.error(sheet.title, row.number, NAME, air_heads.words(_at(row, head.name_place)), f"可能是{names}：请写全称。")
            return
        pk = found[0]
        first = next((block for block in blocks.values() if pk in block.rows), None)
        if first:
            name = self.counties[pk].name
            self.error(sheet.title, row.number, NAME, name, f"这个县（市、区）在第{first.rows[pk]}行已经出现，请只保留一行。")
            return
        for label, block in blocks.items():
            block.rows[pk] = row.number
            values = {c.measure: self.value(block, c, row) for c in head.columns if c.label == label and not c.is_rank}
            block.values[pk] = values
        for column in head.columns:
            typed = _rank(_at(row, column.place)) if column.is_rank else None
            if typed is not None:
                blocks[column.label].ranks.setdefault((pk, column.measure), (row.number, typed))

    def value(self, block: _Block, column: Column, row: Row) -> Decimal | None:
        cell = _at(row, column.place)
        try:
            if isinstance(cell, Broken):
                raise ValueError(f"单元格没有可用的值（{cell}）：请在 Excel 中算出结果，或改填数字。")
            if isinstance(cell, dt.date):
                raise ValueError("这里是日期而不是数字：请把单元格改为数字格式后重新填写。")
            if (row.number, column.place) in self.merged[block.sheet]:
                raise ValueError("合并单元格里的数不知道是哪一个县的：请拆分单元格，分别填写。")
            number = air_values.exact(column.measure, cell, is_share=isinstance(cell, Percent))
            if number is not None and not isinstance(cell, Percent):
                block.typed.setdefault(column.measure, []).append(number)
        except ValueError as fault:
            self.error(block.sheet, row.number, block.column(column.measure), air_heads.words(cell), str(fault))
            return None
        kept = None if number is None else air_ranking.rounded(number, MEASURES[column.measure].decimals)
        if kept != number:
            block.rounded.setdefault(column.measure, []).append(row.number)
        return kept

    def notes(self, sheet: Sheet, lines: list[tuple[int, str]], last: int) -> list[str]:
        """The lines below the last county; who published it and when are taken from them, lines above are left out."""
        found = []
        for number, line in lines:
            is_publication = self.publication(line)
            if number < last:
                self.skip(sheet.title, number, f"“{line[:30]}”是说明文字，未导入。")
            elif not is_publication:
                text = NOTE_MARK.sub("", line)
                found += [text] if text else []
        return found

    def publication(self, line: str) -> bool:
        """Whether the line says who published the ranking, or when; it is remembered."""
        source, day = air_heads.source_in(line), air_heads.day_in(line)
        self.said_source, self.said_day = self.said_source or source, self.said_day or day
        return bool(source or day)

    # ── against what is known ──
    def settle(self) -> None:
        spans = self.spans()
        self.outcome.source = (self.about.source or self.said_source or UNSAID_SOURCE)[:LONGEST_SOURCE]
        self.outcome.published_on = self.about.published_on or self.said_day or self.today
        known = self.known({span for span in spans if span})
        merged: dict[Span, _Block] = {}
        for block, span in zip(self.blocks, spans, strict=True):
            if span is None:
                self.error(block.sheet, block.head.row, block.name, block.name, NO_DATES)
            elif span[1] > self.today:
                self.error(block.sheet, block.head.row, block.name, block.name, f"这个时段到 {span[1]} 才结束，还没有排名。")
            elif span in merged:
                self.merge(merged[span], block)
            else:
                merged[span] = block
        for span, block in merged.items():
            self.compare(span, block, *known.get(span, (None, {})))

    def spans(self) -> list[Span | None]:
        """The period of each block: as its head says, else as the person says. One that goes on ends when the others do."""
        said = [air_heads.spans_of(block.head.labels, f"{block.head.title} {block.sheet}") for block in self.blocks]
        until = max((span[1] for found in said for span in found.values() if span), default=None)
        spans = [
            found[block.label] or air_heads.span_of(block.label or block.head.title, until=until)
            for block, found in zip(self.blocks, said, strict=True)
        ]
        names = [block.name for block in self.blocks]
        self.outcome.undated = list(dict.fromkeys(name for name, span in zip(names, spans, strict=True) if span is None))
        return [span or self.about.spans.get(name) for name, span in zip(names, spans, strict=True)]

    def known(self, spans: set[Span]) -> dict[Span, tuple[AirPeriod, dict[int, AirResult]]]:
        periods = [p for p in AirPeriod.objects.filter(ends_on__in={span[1] for span in spans}) if (p.starts_on, p.ends_on) in spans]
        found: dict[int, dict[int, AirResult]] = {period.pk: {} for period in periods}
        for result in AirResult.objects.filter(period__in=periods):
            found[result.period_id][result.county_id] = result
        return {(period.starts_on, period.ends_on): (period, found[period.pk]) for period in periods}

    def merge(self, first: _Block, again: _Block) -> None:
        """The same period once more: in January 1月 and 1—1月 are one. It must say the same."""
        for pk, values in again.values.items():
            before = first.values.get(pk)
            if before is None:
                first.values[pk], first.rows[pk] = values, again.rows[pk]
                continue
            for name, value in values.items():
                if name not in before:
                    before[name] = value
                elif before[name] != value:
                    there = air_values.spoken(name, before[name]) or "—"
                    reason = f"与“{first.name}”是同一时段，那里{self.counties[pk].name}是“{there}”：请核对后改成一致。"
                    self.error(again.sheet, again.rows[pk], again.column(name), air_values.spoken(name, value), reason)
        if again.sheet == first.sheet:
            self.skip(again.sheet, again.head.row, f"“{again.name}”与“{first.name}”是同一时段，只记一次。")

    def compare(self, span: Span, block: _Block, period: AirPeriod | None, results: dict[int, AirResult]) -> None:
        values = {}
        for pk, said in block.values.items():
            old = air.values_of(results[pk]) if pk in results else dict.fromkeys(MEASURES)
            values[pk] = old | said
        entry = self.entry(span, block, period, values)
        self.outcome.entries[span] = entry
        self.outcome.states[span] = air.state_of(period, results.values()) if period else ""
        published_on = entry.published_on
        if period is None and published_on < span[1]:
            reason = "发布日早于这个时段结束的日子，请核对发布日。"
            self.error(block.sheet, block.head.row, block.name, str(published_on), reason)
        found = air.differences(entry, period, results, self.counties)
        for one in found:
            row = block.rows[one.county.pk] if one.county else block.head.row
            key = one.county.name if one.county else entry.label
            self.outcome.changes.append(Change(block.sheet, row, key, f"{entry.label} {one.title}", one.old, one.new))
        if found or period is None:
            self.outcome.revisions[span] = {}
        self.check_ranks(block, {pk: air.values_of(result) for pk, result in results.items()} | values)

    def entry(self, span: Span, block: _Block, period: AirPeriod | None, values: Mapping[int, air.Values]) -> air.Entry:
        notes = "\n".join(block.notes)
        if period is not None:
            return air.Entry(*span, period.label, period.published_on, period.source, notes or period.notes, values)
        label = _label(block.label) or air.label_of(*span)
        return air.Entry(*span, label, self.outcome.published_on or self.today, self.outcome.source, notes, values)

    def check_ranks(self, block: _Block, values: Mapping[int, air.Values]) -> None:
        computed = {name: air_ranking.ranks({pk: one[name] for pk, one in values.items()}) for name in MEASURES}
        for (pk, name), (row, typed) in block.ranks.items():
            rank = computed[name].get(pk)
            if rank != typed:
                ours = f"第{rank}名" if rank else "没有名次"
                reason = f"{self.counties[pk].name}“{block.column(name)}”的名次在表中是{typed}，按表中数值计算{ours}：以计算为准，请核对。"
                self.skip(block.sheet, row, reason)

    def error(self, sheet: str, row: int | None, column: str, value: str, reason: str) -> None:
        self.outcome.errors.append(Error(sheet, row, column, value, reason))

    def skip(self, sheet: str, row: int, reason: str) -> None:
        self.outcome.skipped.append(Skipped(sheet, row, reason))


def _at(row: Row, place: int) -> Cell:
    return row.cells[place] if place < len(row.cells) else None


def _label(text: str) -> str:
    """A heading as a period's name: its dash as the office writes it."""
    return text.replace("-", "—")[:LONGEST_LABEL]


def _rank(cell: Cell) -> int | None:
    """A typed rank: 3, "3", "第3", "3(并列)"."""
    if isinstance(cell, Decimal):
        return int(cell) if cell == cell.to_integral_value() and abs(cell) < 10_000 else None
    found = re.search(r"\d{1,4}", plain(cell), re.ASCII) if isinstance(cell, str) else None
    return int(found[0]) if found else None


def _names(counties: Iterable[County]) -> dict[str, list[int]]:
    """Full and short names, and the counties that each may mean."""
    found: dict[str, list[int]] = {}
    for county in counties:
        for text in {plain(county.name), plain(county.short)} - {""}:
            found.setdefault(text, []).append(county.pk)
    return found
