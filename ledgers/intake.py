"""Intake (导入): a table against a ledger. `rehearse` says what would change, what is wrong and what is left out; `take_in` acts.

Columns are matched by their headings (`heads`), rows by the ledger's key, cells read by the ledger's writer (`writing`), which also
says who may write which cell. Every other column that differs is left out with a reason. What `export` writes comes back without a
change, and a cell that the site changed since that export is a conflict: both values are shown, the person chooses.
"""

import dataclasses
import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from ledgers import cells, heads
from ledgers.base_sheet import BadBase, Base, read_base
from ledgers.cells import matchable, squeezed
from ledgers.columns import LedgerColumn
from ledgers.heads import Head
from ledgers.registry import LEDGERS, Ledger
from ledgers.rows import Rows
from ledgers.sheet_rows import fitting
from ledgers.writing import Field, Names, Sense, UnknownName, WrittenRow, fingerprint, nearest
from linfen_water import clock, trail
from linfen_water.models import User
from linfen_water.workbook import ROWS as MOST_ROWS
from linfen_water.workbook import Broken, Cell, Row, Sheet
from projects.funds_rules import HALF_CENT
from projects.models import ProjectVersion
from projects.reports import as_text
from projects.services import Refused

LONGEST_REASON = ProjectVersion._meta.get_field("reason").max_length
NO_INTAKE = "这个台账还不能导入。"
GONE = "导出以后这一行已在系统中撤销或改了日期，没有再登记一次：请核对；确要登记的，请抄到另一个表里导入。"
MINE, THEIRS = "mine", "theirs"
# What is left out: a value that differs where nobody may write it from a table, an empty cell that would erase one, a row of sums.
CELL, EMPTY, ROW = "cell", "empty", "row"
MAX_SUMMED = 200  # columns whose totals are checked


@dataclasses.dataclass(frozen=True)
class Change:
    sheet: str
    row: int
    key: str  # 编号
    column: str  # the heading
    old: str
    new: str
    is_new: bool = False  # of a row that is not there yet


@dataclasses.dataclass(frozen=True)
class Error:
    sheet: str
    row: int | None  # None: the file as a whole
    column: str
    value: str
    reason: str


@dataclasses.dataclass(frozen=True)
class Skipped:
    sheet: str
    row: int
    reason: str
    kind: str = ""  # CELL, EMPTY, ROW; "": anything else


@dataclasses.dataclass(frozen=True)
class Conflict:
    """A cell that the site and the table changed since the export; `choice` is what the person said, "" when they have not yet."""

    sheet: str
    row: int
    key: str
    column: str
    theirs: str  # on the site now
    mine: str  # in the table
    field: str  # name of the choice on the page
    choice: str = ""


@dataclasses.dataclass(frozen=True)
class Question:
    """A name that nobody has and one that it looks like: only a person says whether they are the same."""

    kind: str  # unit, project
    text: str
    near: str
    field: str


@dataclasses.dataclass(frozen=True)
class Choices:
    """What the person said beside the file. `columns` by sheet and place, `conflicts` by `Conflict.field`, `aliases` by kind and text."""

    columns: Mapping[tuple[str, int], str] = dataclasses.field(default_factory=dict)
    conflicts: Mapping[str, str] = dataclasses.field(default_factory=dict)
    aliases: Mapping[tuple[str, str], str] = dataclasses.field(default_factory=dict)  # those remembered and those just confirmed
    headings: Mapping[str, str] = dataclasses.field(default_factory=dict)  # columns by heading, as people said before
    head_rows: Mapping[str, int] = dataclasses.field(default_factory=dict)  # by sheet: the last row of its head
    year: int | None = None
    name: str = ""  # of the file: it may say the year
    erases: bool = False  # whether empty cells of a table that we did not export erase what the ledger holds


@dataclasses.dataclass
class Rehearsal:
    """What a table would do. `revisions` holds the new values by key; nothing is written while there are errors."""

    changes: list[Change] = dataclasses.field(default_factory=list)
    errors: list[Error] = dataclasses.field(default_factory=list)
    skipped: list[Skipped] = dataclasses.field(default_factory=list)
    revisions: dict[Any, dict] = dataclasses.field(default_factory=dict)
    complaints: list[Skipped] = dataclasses.field(default_factory=list)  # among `skipped`: sums that do not fit
    conflicts: list[Conflict] = dataclasses.field(default_factory=list)
    questions: list[Question] = dataclasses.field(default_factory=list)
    heads: list[tuple[Sheet, Head | None]] = dataclasses.field(default_factory=list)
    places: dict[Any, tuple[str, int]] = dataclasses.field(default_factory=dict)  # sheet and row of each revision
    added: set[Any] = dataclasses.field(default_factory=set)  # those of `revisions` that are rows to be made
    rows: dict[Any, WrittenRow] = dataclasses.field(default_factory=dict)  # of the ledger that the table names, as they were
    base: Base | None = None  # what the table gave out when it was exported; of rows left out: what they are compared with next time
    twins: dict[tuple[str, int], tuple[str, int]] = dataclasses.field(default_factory=dict)  # a row, and the first one with its key
    lost: dict[tuple[str, int], set[int]] = dataclasses.field(default_factory=dict)  # by row: cells that a merge left without a value
    halts: set[tuple[str, int]] = dataclasses.field(default_factory=set)  # rows from which on a sheet was not read

    def as_json(self) -> dict:
        said = {name: [dataclasses.asdict(one) for one in getattr(self, name)] for name in ("changes", "errors", "skipped")}
        for change in said["changes"]:
            if not change["is_new"]:
                del change["is_new"]
        for skipped in said["skipped"]:
            if not skipped["kind"]:
                del skipped["kind"]
        return said

    @property
    def digest(self) -> str:
        """The same for the same changes: what somebody confirms is what they saw."""
        return hashlib.sha256(json.dumps(self.as_json(), sort_keys=True).encode()).hexdigest()

    @property
    def bad_rows(self) -> set[tuple[str, int]]:
        return {(error.sheet, error.row) for error in self.errors if error.row is not None}

    @property
    def is_broken(self) -> bool:
        """Whether an error concerns more than one row: then no part of it can be taken in."""
        wide = self.halts | {(sheet.title, head.row) for sheet, head in self.heads if head}
        return any(error.row is None or (error.sheet, error.row) in wide for error in self.errors)

    @property
    def is_guess(self) -> bool:
        """Whether it ended with asking what the columns are."""
        return any(head is not None and not head.is_sure for _, head in self.heads)

    @property
    def good(self) -> dict[Any, dict]:
        """The revisions that can be written: of rows without an error, none when an error concerns them all."""
        bad = self.bad_rows
        return {} if self.is_broken else {pk: values for pk, values in self.revisions.items() if self.places.get(pk) not in bad}

    @property
    def told(self) -> list[tuple[Change, bool]]:
        """Every change, and whether it stays out because of an error in its row."""
        bad, is_broken = self.bad_rows, self.is_broken
        return [(change, is_broken or (change.sheet, change.row) in bad) for change in self.changes]

    @property
    def good_changes(self) -> list[Change]:
        return [change for change, is_out in self.told if not is_out]

    @property
    def good_erasures(self) -> list[Change]:
        return [change for change in self.good_changes if change.old and not change.new]

    @property
    def unwritten(self) -> list[Skipped]:
        return [one for one in self.skipped if one.kind == CELL]

    @property
    def unerased(self) -> list[Skipped]:
        return [one for one in self.skipped if one.kind == EMPTY]

    @property
    def passed_over(self) -> list[tuple[str, str, list[int]]]:
        """Rows of sums, titles and remarks: sheet, what they are, their numbers."""
        found: dict[tuple[str, str], list[int]] = {}
        for one in self.skipped:
            if one.kind == ROW:
                found.setdefault((one.sheet, one.reason), []).append(one.row)
        return [(sheet, reason, numbers) for (sheet, reason), numbers in found.items()]

    @property
    def passed_rows(self) -> int:
        return sum(len(numbers) for _, _, numbers in self.passed_over)

    @property
    def other_skipped(self) -> list[Skipped]:
        """What is told nowhere else."""
        told = set(self.complaints)
        return [one for one in self.skipped if not one.kind and one not in told]

    @property
    def good_added(self) -> int:
        return len(self.added & self.good.keys())


class Unfit(Exception):
    """The table cannot be taken in as it is, or not any more; `rehearsal` says why."""

    def __init__(self, rehearsal: Rehearsal):
        self.rehearsal = rehearsal
        super().__init__(f"{len(rehearsal.errors)} errors")


def place(found: Change | Error | Skipped) -> str:
    """Where something was found, in words: 工程总台账第5行“总投资”."""
    row = "" if found.row is None else f"第{found.row}行"
    column = getattr(found, "column", "")
    return f"{found.sheet}{row}{f'“{column}”' if column else ''}"


def columns_of(ledger: Ledger) -> Mapping[str, LedgerColumn]:
    """The columns that a table may have, those that the office added among them."""
    return ledger.table_for(Rows()).base_columns


# ── Act ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def take_in(
    sheets: list[Sheet],
    *,
    reason: str,
    by: User | None,
    seen: str | None = None,
    ledger: Ledger | None = None,
    choices: Choices | None = None,
    source: str = "import",
    is_partial: bool = False,
) -> Rehearsal:
    """Write every row that the table changes, from today; all or none, or with `is_partial` those without an error.

    Raises Unfit with a fresh rehearsal when there are errors, or when it is not the one with the digest `seen`.
    """
    ledger = ledger or LEDGERS["master"]
    with transaction.atomic(), trail.origin(source):
        first = rehearse(sheets, reason=reason, ledger=ledger, by=by, choices=choices)
        ledger.writer.rows(list(first.revisions), by=by, lock=True)  # type: ignore[union-attr]
        rehearsal = rehearse(sheets, reason=reason, ledger=ledger, by=by, choices=choices)
        stops = rehearsal.is_broken if is_partial else rehearsal.errors
        if stops or rehearsal.revisions.keys() - first.revisions.keys() or (seen is not None and seen != rehearsal.digest):
            raise Unfit(rehearsal)
        if rehearsal.errors:
            rehearsal.base = base_of_rest(ledger, rehearsal, by)
        _write(ledger, rehearsal.good if is_partial else rehearsal.revisions, by, reason, rehearsal)
    return rehearsal


def base_of_rest(ledger: Ledger, found: Rehearsal, by: User | None) -> Base:
    """What the rows left out are compared with when they come back: what their table gave out, else what the ledger holds now.

    It speaks of all rows of the ledger, since a code that is mended may lead to any of them; where these are more than a sheet may have,
    of those that the table named.
    """
    writer, day = ledger.writer, clock.today()
    every = sorted(set(writer.index(by, day).values()))  # type: ignore[union-attr]
    rows = (writer.rows(every, by=by) if len(every) < MOST_ROWS - 2 else {}) | found.rows  # type: ignore[union-attr]
    now = {row.key: {name: row.seen(name) for name in writer.fields} for row in rows.values() if not row.is_new}  # type: ignore[union-attr]
    if found.base is None:
        return Base(day, day, trail.data_version(), now, is_export=False)
    given = found.base.cells
    return dataclasses.replace(found.base, cells={key: {**now.get(key, {}), **given.get(key, {})} for key in [*given, *now]})


def _write(ledger: Ledger, revisions: Mapping[int, dict], by: User | None, reason: str, rehearsal: Rehearsal) -> None:
    """In the order of the chains of the trail, which every intake locks alike: two of them at once cannot block each other."""
    rows = ledger.writer.rows(list(revisions), by=by)  # type: ignore[union-attr]
    for row in sorted(rows.values(), key=lambda row: (row.chain, row.pk)):
        sheet, number = rehearsal.places[row.pk]
        try:
            ledger.writer.save(row, revisions[row.pk], by=by, reason=reason)  # type: ignore[union-attr]
        except Refused as fault:  # (a Faulty among them) what the rehearsal cannot know
            rehearsal.errors.append(Error(sheet, number, "", row.key, str(fault)))
            raise Unfit(rehearsal) from fault


# ── Rehearse ────────────────────────────────────────────────────────────────────────────────────────────────────────


def rehearse(
    sheets: list[Sheet], *, reason: str, ledger: Ledger | None = None, by: User | None = None, choices: Choices | None = None
) -> Rehearsal:
    """Compare the table with the ledger as of today. The number of queries does not depend on the number of rows."""
    with clock.held():
        return _Rehearsing(sheets, reason, ledger or LEDGERS["master"], by, choices or Choices()).outcome


class _Rehearsing:
    """One rehearsal: what is known of the ledger's rows, and what is found in the table's."""

    def __init__(self, sheets: list[Sheet], reason: str, ledger: Ledger, by: User | None, choices: Choices):
        self.day, self.reason, self.outcome, self.choices, self.by = clock.today(), reason, Rehearsal(), choices, by
        self.ledger, self.writer = ledger, ledger.writer
        self.key = self.writer.key
        self.columns = columns_of(ledger)
        self.titles = heads.titles_of(self.columns, self.writer.synonyms, choices.headings)
        self.sense = Sense(Names({text: target for (kind, text), target in choices.aliases.items() if kind == "unit"}), is_table=True)
        self.places: dict[tuple[str, ...], tuple[str, int]] = {}  # key → sheet and row where it was met
        self.years: dict[str, int | None] = {}  # by sheet: the year that its days without one have
        self.said_years: dict[str, int | None] = {}  # by sheet: the year that it is about as a whole
        self.refused: dict[tuple[str, ...], str] = {}  # why there is no row with this key and none can be made
        self.base: Base | None = None
        self.rehearse(sheets)

    def rehearse(self, sheets: list[Sheet]) -> None:
        sheets = self.without_base(sheets)
        if self.outcome.errors:
            return
        found = [(sheet, self.find_head(sheet)) for sheet in sheets if not sheet.is_hidden]
        if not any(head and head.is_sure for _, head in found):
            self.guess(sheets, found)
            return
        found = [(sheet, head if head and head.is_sure else None) for sheet, head in found]
        self.outcome.heads = found
        for sheet in sheets:
            if sheet.is_hidden:
                self.skip(sheet, 1, "隐藏的工作表，未导入。")
        self.known(found)
        for sheet, head in found:
            if head is None:
                self.skip(sheet, 1, "没有找到表头，整张工作表未导入。")
            elif self.is_fit(sheet, head):
                self.take_all(sheet, head)

    def guess(self, sheets: list[Sheet], found: list[tuple[Sheet, Head | None]]) -> None:
        """No sheet has a head for sure: what comes nearest is shown, the person says what its columns are."""
        most = max((len(head.places) for _, head in found if head), default=0)
        guesses = [(sheet, head) for sheet, head in found if head and len(head.places) == most]
        if not guesses:
            about = f"“{self.title(self.key[0])}”“{self.title(self.label)}”"
            self.error(sheets[0].title if sheets else "", None, self.key[0], "", f"没有找到表头：须有一行写着{about}等台账的列名。")
        self.outcome.heads = [(sheet, head if (sheet, head) in guesses[:1] or most else None) for sheet, head in found]
        for sheet, head in guesses if most else guesses[:1]:
            known = f"只认出{'、'.join(f'“{self.title(name)}”' for name in head.places)}" if head.places else "一列也没有认出"
            words = f"这一行像是表头，但{known}：请在“列名对应”里选定各列是什么；表头不在这一行的，先改选“表头所在的行”。"
            self.error(sheet.title, head.row, self.key[0], "", words)

    @property
    def label(self) -> str:
        return self.writer.name_column or self.ledger.label_column

    def without_base(self, sheets: list[Sheet]) -> list[Sheet]:
        """The sheets without the one in which an export keeps what it gave out, which is read."""
        try:
            self.base, others = read_base(sheets, self.ledger.slug)
        except BadBase as fault:
            self.error("", None, self.key[0], "", str(fault))
            return sheets
        self.outcome.base = self.base
        if self.base and self.base.day < self.base.exported_on:
            words = f"这是 {self.base.day} 的历史台账，不能导入：请导出今天的台账，在上面修改。"
            self.error(others[0].title if others else "", None, self.key[0], "", words)
        return others

    def find_head(self, sheet: Sheet) -> Head | None:
        chosen = {place: name for (title, place), name in self.choices.columns.items() if title == sheet.title}
        at = self.choices.head_rows.get(sheet.title)
        return heads.find_head(sheet, self.titles, {*self.key, self.writer.name_column} - {""}, chosen, at)

    def known(self, found: list[tuple[Sheet, Head | None]]) -> None:
        """Read all rows of the ledger that the table names."""
        self.pks = self.writer.index(self.by, self.day)
        self.codes = self.writer.names(self.by, self.day) if self.writer.name_column else {}
        met: set[int] = set()
        missing: dict[tuple[str, ...], None] = {}
        self.filled, self.covered = {}, {}
        for sheet, head in found:
            if head is None:
                continue
            self.filled[sheet.title] = heads.filled_down(sheet, head)
            self.covered[sheet.title] = heads.covered(sheet, head)
            self.years[sheet.title] = self.year_of(sheet, head)
            self.said_years[sheet.title] = self.year_of(sheet, head, is_whole=True)
            for row in sheet.rows:
                if row.number <= head.row:
                    continue
                ident = self.key_of(sheet, row, head)[0]
                if (pk := self.pks.get(ident)) is not None:
                    met.add(pk)
                elif all(ident):
                    missing[ident] = None
        made = self.writer.new_keys(missing, by=self.by, day=self.day) if missing else {}
        self.refused = {ident: why for ident, why in made.items() if isinstance(why, str)}
        new = {ident: pk for ident, pk in made.items() if isinstance(pk, int)}
        self.pks |= new
        pks = sorted({*met, *new.values()})
        self.rows: dict[int, WrittenRow] = self.writer.rows(pks, by=self.by)
        self.outcome.rows = self.rows
        self.refused |= {ident: GONE for ident, pk in new.items() if pk in self.rows and self.base and self.base.has(self.rows[pk].key)}
        shown = [pk for pk in pks if pk in self.rows and pk > 0]
        self.shown = dict(zip(shown, self.ledger.read_keys(self.day, shown), strict=True)) if shown else {}

    def is_fit(self, sheet: Sheet, head: Head) -> bool:
        for heading in head.unknown:
            if not heading.startswith(heads.REMARKS):
                self.skip(sheet, head.row, f"“{heading[:30]}”不是本台账的列，未导入。")
        for name in head.twice:
            self.error(sheet.title, head.row, name, self.title(name), "这一列出现了两次，请只保留一列。")
        missing = [name for name in self.key if name not in head.places]
        if missing == [self.key[0]] and self.writer.name_column in head.places:
            missing = []  # a row is recognised by the project's name
        if self.writer.year_column in missing and self.said_years[sheet.title]:
            missing.remove(self.writer.year_column)
        for name in missing:
            is_code = name == self.key[0] and self.writer.name_column
            or_said = "，或在标题里写明年份" if name == self.writer.year_column else ""
            what = "编号”列：请补上，每行填项目编号。" if is_code else f"{self.title(name)}”列：请补上{or_said}。"
            self.error(sheet.title, head.row, name, "", f"缺少“{what}")
        return not missing and not head.twice

    # ── rows ──

    def take_all(self, sheet: Sheet, head: Head) -> None:
        year, unit = self.years[sheet.title], heads.sheet_unit(sheet, head)
        senses = {}
        for name in head.places:
            own = head.units.get(name, "")
            is_money = self.columns[name].unit == "万元"
            senses[name] = dataclasses.replace(self.sense, unit=own or (unit if is_money else ""), year=year)
        sums = _Sums(self, sheet, head, senses)
        for row in sheet.rows:
            if row.number > head.row and not self.take(sheet, head, row, senses, sums):
                break
        sums.finish()

    def take(self, sheet: Sheet, head: Head, row: Row, senses: Mapping[str, Sense], sums: "_Sums") -> bool:
        """One row: what it is, which row of the ledger, its cells, and what the new values amount to together. False: go no further."""
        ident, near = self.key_of(sheet, row, head)
        if ident not in self.pks and heads.is_other_head(row, head, self.titles, self.key):
            self.error(sheet.title, row.number, self.key[0], "", heads.OTHER_HEAD.format(head.row))
            self.outcome.halts.add((sheet.title, row.number))
            return False
        kind = heads.kind_of(row, head, has_key=ident in self.pks)
        sums.add(row, kind, self.pks.get(ident))
        if kind != heads.ENTRY:
            self.skip(sheet, row.number, heads.WHY[kind], ROW)
            return True
        pk = self.find(sheet, row, head, ident, near)
        if pk is None:
            return True
        values, faulty = {}, set()
        for name, spot in head.places.items():
            cell = self.at(sheet, row, spot)
            if name in self.key or self.is_same(name, cell, pk, senses[name].unit):
                continue
            field = self.writer.fields.get(name)
            if field is None or name not in self.rows[pk].held:
                if not (cells.is_nothing(cell) and cells.is_nothing(self.exported(name, pk))):
                    self.skip(sheet, row.number, self.why_not(name, cell, pk), CELL)
                continue
            try:
                if fault := self.why_merged(sheet, row, spot, field, cell):
                    self.outcome.lost.setdefault((sheet.title, row.number), set()).add(spot)
                    raise ValidationError(fault)
                value = field.parse(cell, senses[name])
            except ValidationError as fault:
                faulty.add(name)
                self.error(sheet.title, row.number, name, _words(cell), "".join(fault.messages))
                self.ask("unit", fault)
                continue
            if self.is_wanted(sheet, row, name, cell, value, field, senses[name], pk):
                values[name] = value
        self.settle(sheet, row, pk, values, faulty)
        return True

    def year_of(self, sheet: Sheet, head: Head, *, is_whole: bool = False) -> int | None:
        said = (heads.year_in(text, is_whole=is_whole) for text in (heads.above(sheet, head), sheet.title, self.choices.name))
        return next(filter(None, said), self.choices.year)

    def why_merged(self, sheet: Sheet, row: Row, spot: int, field: Field, cell: Cell) -> str:
        """Why a merge leaves the cell without a value of its own; "" when it does not."""
        if spot in self.covered[sheet.title].get(row.number, ()):
            return "这一格与左边的格合并了，不知道各列是什么：请拆分单元格，分别填写。"
        if field.kind == "money" and spot in self.filled[sheet.title][1].get(row.number, ()):
            return f"合并单元格里的金额不知道各行是多少（合起来写的是“{_words(cell)[:30]}”）：请拆分单元格，每行填各自的数。"
        return ""

    def at(self, sheet: Sheet, row: Row, spot: int) -> Cell:
        """The cell, or what the merge that covers it says."""
        filled = self.filled[sheet.title][0].get(row.number, {})
        if spot in filled:
            return filled[spot]
        return row.cells[spot] if spot < len(row.cells) else None

    def key_of(self, sheet: Sheet, row: Row, head: Head) -> tuple[tuple[str, ...], str]:
        """The row's key as the index spells it, and the name that stood in for a missing code."""
        parts, name = [], ""
        for column in self.key:
            spot = head.places.get(column)
            text = self.key_part(sheet, column, self.at(sheet, row, spot) if spot is not None else None)[0]
            if spot is None and column == self.writer.year_column:
                text = str(self.said_years[sheet.title] or "")
            if not text and column == self.key[0] and self.writer.name_column in head.places:
                name = matchable(_words(self.at(sheet, row, head.places[self.writer.name_column])))
                text = self.code_of(name)
            parts.append(text)
        return tuple(parts), name

    def key_part(self, sheet: Sheet, column: str, cell: Cell) -> tuple[str, str]:
        """The cell as the index spells it, or why it cannot be read."""
        try:
            return self.writer.key_text(column, cell, self.years[sheet.title]), ""
        except cells.Unread as fault:
            return "", str(fault)

    def code_of(self, name: str) -> str:
        codes = self.codes.get(name) or self.codes.get(matchable(self.choices.aliases.get(("project", name), "")), [])
        return matchable(codes[0]).upper() if len(codes) == 1 else ""

    def find(self, sheet: Sheet, row: Row, head: Head, ident: tuple[str, ...], name: str) -> int | None:
        """The key of the row of the ledger; None with an error when there is none, or not only one."""
        here = sheet.title, row.number
        value = " ".join(filter(None, [_words(self.at(sheet, row, head.places[c])) for c in self.key if c in head.places])) or name
        fault, column = "", self.key[0]
        if not all(ident):
            column = next(one for one, text in zip(self.key, ident, strict=True) if not text)
            fault = self.why_no_key(sheet, row, head, column, name)
        elif ident in self.refused or ident not in self.pks or self.pks[ident] not in self.rows:
            fault = self.refused.get(ident, self.writer.unknown_row)
        elif others := self.others_named(sheet, row, head, ident):
            fault = f"编号是{ident[0]}，名称却是{'、'.join(others)}的：请核对是不是错了行。"
        elif (first := self.places.setdefault(ident, here)) != here:
            what = "编号" if len(self.key) == 1 else "编号和" + "、".join(self.title(one) for one in self.key[1:])
            fault = f"这个{what}在{first[0]}第{first[1]}行已经出现，请只保留一行。"
            self.outcome.twins[here] = first
        if fault:
            self.error(sheet.title, row.number, column, value[:200], fault)
        return None if fault else self.pks[ident]

    def others_named(self, sheet: Sheet, row: Row, head: Head, ident: tuple[str, ...]) -> list[str]:
        """Codes of other projects that bear the name which the row gives beside its code."""
        spot = head.places.get(self.writer.name_column)
        codes = self.codes.get(matchable(_words(self.at(sheet, row, spot))), []) if spot is not None else []
        return [] if ident[0] in {matchable(code).upper() for code in codes} else codes

    def why_no_key(self, sheet: Sheet, row: Row, head: Head, column: str, name: str) -> str:
        if column != self.key[0]:
            spot = head.places.get(column)
            cell = self.at(sheet, row, spot) if spot is not None else None
            if cells.is_nothing(cell):
                return f"没有填{self.title(column)}：请补上。"
            return self.key_part(sheet, column, cell)[1] or (f"不认识这个{self.title(column)}“{_words(cell)[:30]}”：请按系统中的名称填写。")
        if not name:
            return "没有填编号：请补上，或删去这一行。"
        if len(self.codes.get(name, [])) > 1:
            return f"清单上有{len(self.codes[name])}个同名的项目（{'、'.join(self.codes[name])}）：请填写编号。"
        near = nearest(name, self.codes)
        if not near:
            return "没有填编号，清单上也没有这个名称的项目：请填写编号。"
        self.outcome.questions.append(Question("project", name, near, f"alias-project-{_short(name)}"))
        return f"没有填编号，清单上没有完全同名的项目。是不是“{near}”（{'、'.join(self.codes[near])}）？请在下面确认，或填写编号。"

    def ask(self, kind: str, fault: ValidationError) -> None:
        if isinstance(fault, UnknownName) and fault.near:
            text = matchable(fault.text)
            if all(one.text != text for one in self.outcome.questions):
                self.outcome.questions.append(Question(kind, text, fault.near, f"alias-{kind}-{_short(text)}"))

    # ── cells ──

    def is_wanted(self, sheet: Sheet, row: Row, name: str, cell: Cell, value: Any, field: Field, sense: Sense, pk: int) -> bool:
        """Whether the cell is a change; where the site changed it since the export, the person says."""
        written = self.rows[pk]
        now = written.values[name]
        if value == now or (isinstance(now, Decimal) and cells.is_rounded(cell, now, unit=sense.unit)):
            return False
        if cells.is_nothing(cell) and not (written.is_new or self.choices.erases or (self.base and self.base.is_export)):
            said = f"写着“{cell.strip()}”" if isinstance(cell, str) else "是空的"
            words = f"{written.key}“{self.title(name)}”表中{said}，台账保留“{field.spell(now)[:60]}”，没有清空。"
            self.skip(sheet, row.number, words, EMPTY)
            return False
        base = self.base.of(written.key, name) if self.base else None
        if base is None or base == written.seen(name):
            return True
        if base == fingerprint(value):
            was, stands = field.spell(value)[:60], field.spell(now)[:60]
            words = f"“{self.title(name)}”表中仍是导出时的旧值“{was}”，台账已改为“{stands}”，保留台账的新值。"
            self.skip(sheet, row.number, words)
            return False
        return self.decide(sheet, row, name, field, value, written)

    def decide(self, sheet: Sheet, row: Row, name: str, field: Field, value: Any, written: WrittenRow) -> bool:
        theirs, mine = field.spell(written.values[name]), field.spell(value)
        choice_name = f"conflict-{written.pk}-{name}-{_short(theirs)}"  # of this very value: a newer one is asked again
        choice = self.choices.conflicts.get(choice_name, "")
        conflict = Conflict(sheet.title, row.number, written.key, self.title(name), theirs, mine, choice_name, choice)
        self.outcome.conflicts.append(conflict)
        if not choice:
            words = f"导出以后这一格在系统中已改为“{theirs or '空'}”，表中改成了“{mine or '空'}”：请选择保留哪一个。"
            self.error(sheet.title, row.number, name, mine, words)
        elif choice == THEIRS:
            self.skip(sheet, row.number, f"“{self.title(name)}”按选择保留系统中的“{theirs or '空'}”。")
        return choice == MINE

    def settle(self, sheet: Sheet, row: Row, pk: int, values: dict, faulty: set[str]) -> None:
        if not values and pk > 0:
            return
        written = self.rows[pk]
        for fault in self.writer.faults(written, values, self.reason, self.day):
            name = fault.field if fault.field in self.columns else self.key[0]
            if name in faulty:
                continue  # said already, of the cell itself
            if not (faulty and name.startswith("baseline")) and fault.field != "reason":
                value = self.writer.fields[name].spell(values.get(name)) if name in self.writer.fields else written.key
                self.error(sheet.title, row.number, name, value, fault.sentence)
            elif fault.field == "reason":
                self.error(sheet.title, row.number, self.key[0], written.key, fault.sentence)
        for name, value in values.items():
            field = self.writer.fields[name]
            old, new = field.spell(written.values[name]), field.spell(value)
            change = Change(sheet.title, row.number, written.key, self.title(name), old, new, written.is_new)
            self.outcome.changes.append(change)
        if written.is_new:
            self.outcome.added.add(pk)
        self.outcome.revisions[pk] = values
        self.outcome.places[pk] = (sheet.title, row.number)

    def exported(self, name: str, pk: int):
        if pk < 0:  # a row to be made
            return None
        row = self.shown[pk]
        return self.columns[name].value(row[name], row)

    def exported_number(self, pk: int | None, name: str, cell: Cell, sense: Sense) -> Decimal:
        """The number of a cell as the export gave it out, whatever the person made of it; of another table's cell its own.

        Raises LookupError when the site and the person both changed it: nobody knows it any more.
        """
        written = None if pk is None else self.rows.get(pk)
        base = self.base.of(written.key, name) if self.base and self.base.is_export and written else None
        here = heads.number_of(cell) or Decimal(0)
        if written is None or base is None:
            return here
        if base == written.seen(name):
            return Decimal(written.values[name] or 0) / cells.WAN_OF.get(sense.unit, Decimal(1))
        try:
            if base == fingerprint(self.writer.fields[name].parse(cell, sense)):
                return here
        except ValidationError:
            pass
        raise LookupError(name)

    def is_same(self, name: str, cell: Cell, pk: int, unit: str) -> bool:
        """Whether the cell says what the ledger's export says, in the unit of its heading."""
        exported = self.exported(name, pk)
        if unit in ("", "万元") or not isinstance(exported, Decimal):
            return is_same(cell, exported)
        number = _number(cell)
        return (number is not None and number * cells.WAN_OF[unit] == exported) or cells.is_rounded(cell, exported, unit=unit)

    def why_not(self, name: str, cell: Cell, pk: int) -> str:
        column = self.columns[name]
        if column.is_computed:
            why = "由系统自动计算"
        elif name in self.writer.fields:
            why = "这一格不由您填写"
        else:
            why = self.writer.not_here
        now = f"现为{_quoted(self.exported(name, pk))}，" if pk > 0 else ""
        return f"“{column.verbose_name}”{why}；{now}表中为{_quoted(cell)}，未导入。"

    def title(self, name: str) -> str:
        return str(self.columns[name].verbose_name)

    def error(self, sheet: str, row: int | None, name: str, value: str, reason: str) -> None:
        self.outcome.errors.append(Error(sheet, row, self.title(name), value, reason))

    def skip(self, sheet: Sheet, row: int, reason: str, kind: str = "") -> None:
        self.outcome.skipped.append(Skipped(sheet.title, row, reason, kind))


class _Sums:
    """Total, subtotal and 其中 rows against the rows that they speak of. A sum that does not fit is a complaint, it stops nothing.

    The sums of an export are numbers, no formulas: they need not fit what the person changes above them, only what was exported.
    """

    def __init__(self, intake: _Rehearsing, sheet: Sheet, head: Head, senses: Mapping[str, Sense]):
        self.intake, self.sheet, self.senses = intake, sheet, senses
        self.pks: dict[int, int | None] = {}  # of entries, by the number of their row
        adding = {name for name, column in intake.columns.items() if column.is_summed and column.unit != "%" and name not in intake.key}
        self.names = {spot: name for name, spot in head.places.items() if name in adding}
        self.all: list[Row] = []
        self.group: list[Row] = []
        self.waiting: Row | None = None  # a sub-heading or total that stands above its rows
        self.parts: list[Row] = []
        self.entry: Row | None = None
        self.top: Row | None = None

    def add(self, row: Row, kind: int, pk: int | None) -> None:
        if kind != heads.PART_ROW:
            self.end_parts()
        if kind == heads.ENTRY:
            self.all.append(row)
            self.group.append(row)
            self.pks[row.number] = pk
            self.entry = row
        elif kind == heads.PART_ROW:
            self.parts.append(row)
        elif kind == heads.SUBTOTAL_ROW and self.group:
            self.check(row, self.group, "小计")
            self.group = []
        elif kind in (heads.SUB_HEAD, heads.SUBTOTAL_ROW):
            self.end_group()
            self.waiting = row
        elif kind == heads.TOTAL_ROW and not self.all:
            self.top = self.entry = row
        elif kind == heads.TOTAL_ROW:
            self.check(row, self.all, "合计")
            self.entry = row

    def end_parts(self) -> None:
        if self.parts and self.entry is not None:
            self.check(self.entry, self.parts, "“其中”", is_limit=True)
        self.parts = []

    def end_group(self) -> None:
        if self.waiting is not None and self.group:
            self.check(self.waiting, self.group, "分组小计")
        self.waiting, self.group = None, []

    def finish(self) -> None:
        self.end_parts()
        self.end_group()
        if self.top is not None and self.all:
            self.check(self.top, self.all, "合计")

    def check(self, row: Row, rows: list[Row], what: str, *, is_limit: bool = False) -> None:
        for spot, name in self.names.items():
            said = heads.number_of(row.cells[spot]) if spot < len(row.cells) else None
            found = [number for one in rows if spot < len(one.cells) and (number := heads.number_of(one.cells[spot])) is not None]
            if said is None or not found or _fits(sum(found, Decimal(0)), said, is_limit):
                continue
            total = self.exported_sum(rows, name, spot)
            if total is not None and not _fits(total, said, is_limit):
                self.complain(row, name, what, said, total, is_limit)

    def exported_sum(self, rows: list[Row], name: str, spot: int) -> Decimal | None:
        """What the rows amount to but for the person's own changes; None when nobody can tell any more."""
        places = ((self.pks.get(row.number), row.cells[spot] if spot < len(row.cells) else None) for row in rows)
        try:
            return sum((self.intake.exported_number(pk, name, cell, self.senses[name]) for pk, cell in places), Decimal(0))
        except LookupError:
            return None

    def complain(self, row: Row, name: str, what: str, said: Decimal, total: Decimal, is_limit: bool) -> None:
        word = (
            f"{what}各行之和 {cells.plain(total)} 超过该行的 {cells.plain(said)}"
            if is_limit
            else (f"{what} {cells.plain(said)} 与各行之和 {cells.plain(total)} 不符")
        )
        found = Skipped(self.sheet.title, row.number, f"“{self.intake.title(name)}”{word}，请核对是否漏行或改错；{what}不导入。")
        self.intake.outcome.skipped.append(found)
        self.intake.outcome.complaints.append(found)


def _fits(total: Decimal, said: Decimal, is_limit: bool) -> bool:
    return total <= said + HALF_CENT if is_limit else abs(total - said) < HALF_CENT


# ── Cells ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _words(value) -> str:
    """A value in words: of the table, of a row, or of the ledger's export."""
    return "" if value is None else str(as_text(value))


def _quoted(value) -> str:
    return f"“{words[:60]}”" if (words := _words(value)) else "空"


def _short(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=5).hexdigest()


def is_same(cell: Cell, exported) -> bool:
    """Whether a cell says what the export wrote: numbers by value, days as days, texts but for their blanks."""
    if isinstance(exported, (int, Decimal)) and not isinstance(exported, bool):
        return _number(cell) == exported
    if isinstance(exported, str) and not isinstance(cell, dt.date):
        return squeezed(_words(cell)) == squeezed(fitting(exported))
    return squeezed(_words(cell)) == _words(exported)


def _number(cell: Cell) -> Decimal | None:
    try:
        return cell if isinstance(cell, Decimal) else Decimal(matchable(_words(cell)).replace(",", "").removesuffix("%"))
    except InvalidOperation:
        return None


__all__ = ["Broken", "Change", "Choices", "Conflict", "Error", "Rehearsal", "Skipped", "Unfit", "place", "rehearse", "take_in"]
