"""Intake (导入): a workbook against the ledger. `rehearse` says what would change, what is wrong and what is left out; `take_in` acts.

Columns are matched by their headings, rows by 编号. What a project's version holds may change, through `services.revise_project`;
every other column that differs is left out with a reason. What `export` writes comes back without a change.
"""

import dataclasses
import datetime as dt
import difflib
import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from ledgers.columns import LedgerColumn
from ledgers.export import CELL_LIMIT
from ledgers.registry import LEDGERS
from linfen_water import clock
from linfen_water.models import County, Unit, User
from linfen_water.workbook import Broken, Cell, Row, Sheet
from projects import services
from projects.forms import RevisionForm, readable
from projects.models import Project, ProjectVersion
from projects.reports import as_text
from projects.services import VERSIONED

KEY = "code"
HEAD_WITHIN = 50  # filled rows in which the headings are looked for
ENOUGH_HEADINGS = 3  # so many known headings make a head row even without 编号
CHINESE = re.compile(r"[\u4e00-\u9fff]")
TOTALS = {"合计", "总计", "小计"}
CLEARABLE = {name for name in VERSIONED if not RevisionForm.base_fields[name].required}
NAMED = {"county": County, "lead_unit": Unit, "responsible_unit": Unit}
LONGEST_REASON = ProjectVersion._meta.get_field("reason").max_length
NO_INTAKE = "这个台账还不能导入。"


@dataclasses.dataclass(frozen=True)
class Change:
    sheet: str
    row: int
    key: str  # 编号
    column: str  # the heading
    old: str
    new: str


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


@dataclasses.dataclass
class Rehearsal:
    """What a workbook would do. `revisions` holds the new values by key; nothing is written while there are errors."""

    changes: list[Change] = dataclasses.field(default_factory=list)
    errors: list[Error] = dataclasses.field(default_factory=list)
    skipped: list[Skipped] = dataclasses.field(default_factory=list)
    revisions: dict[Any, dict] = dataclasses.field(default_factory=dict)

    def as_json(self) -> dict:
        return {name: [dataclasses.asdict(one) for one in getattr(self, name)] for name in ("changes", "errors", "skipped")}

    @property
    def digest(self) -> str:
        """The same for the same changes: what somebody confirms is what they saw."""
        return hashlib.sha256(json.dumps(self.as_json(), sort_keys=True).encode()).hexdigest()


class Unfit(Exception):
    """The workbook cannot be taken in as it is, or not any more; `rehearsal` says why."""

    def __init__(self, rehearsal: Rehearsal):
        self.rehearsal = rehearsal
        super().__init__(f"{len(rehearsal.errors)} errors")


def place(found: Change | Error | Skipped) -> str:
    """Where something was found, in words: 工程总台账第5行“总投资”."""
    row = "" if found.row is None else f"第{found.row}行"
    column = getattr(found, "column", "")
    return f"{found.sheet}{row}{f'“{column}”' if column else ''}"


# ── Act ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def take_in(sheets: list[Sheet], *, reason: str, by: User | None, seen: str | None = None) -> Rehearsal:
    """Revise every project that the workbook changes, from today; all or none.

    Raises Unfit with a fresh rehearsal when there are errors, or when it is not the one with the digest `seen`.
    """
    with transaction.atomic():
        met = projects_met(sheets, clock.today()).values()
        by_pk = {project.pk: project for project in Project.objects.select_for_update().filter(pk__in=met).order_by("pk")}
        rehearsal = rehearse(sheets, reason=reason)
        if rehearsal.errors or (seen is not None and seen != rehearsal.digest):
            raise Unfit(rehearsal)
        for pk in _by_county(rehearsal.revisions):
            services.revise_project(project=by_pk[pk], effective_from=clock.today(), reason=reason, by=by, **rehearsal.revisions[pk])
    return rehearsal


def _by_county(revisions: Iterable[int]) -> list[int]:
    """In the order of their counties' chains of the trail, which every intake locks alike: two of them at once cannot block each other."""
    versions = ProjectVersion.objects.filter(project__in=list(revisions), effective_to=None)
    return list(versions.order_by("county__code", "project").values_list("project", flat=True))


# ── Rehearse ────────────────────────────────────────────────────────────────────────────────────────────────────────


def rehearse(sheets: list[Sheet], *, reason: str) -> Rehearsal:
    """Compare the workbook with the ledger as of today. The number of queries does not depend on the number of rows."""
    return _Rehearsing(sheets, reason).outcome


@dataclasses.dataclass(frozen=True)
class Head:
    """Where the headings stand: `places` by column name, counted from 0; headings not known, names of those that stand twice."""

    row: int
    places: dict[str, int]
    unknown: list[str]
    twice: list[str]


class _Rehearsing:
    """One rehearsal: what is known of the projects, and what is found in the rows."""

    def __init__(self, sheets: list[Sheet], reason: str):
        self.day, self.reason, self.outcome = clock.today(), reason, Rehearsal()
        self.ledger = LEDGERS["master"]
        self.columns: dict[str, LedgerColumn] = self.ledger.table.base_columns
        self.pks = projects_met(sheets, self.day)
        self.shown = {row["pk"]: row for row in self.ledger.read(self.day, self.pks.values())}
        current = ProjectVersion.objects.filter(project__in=self.pks.values(), effective_to=None)
        self.current = {v.project_id: v for v in current.select_related("project", "county", "lead_unit", "responsible_unit")}
        self.named = {name: _by_name(model) for name, model in NAMED.items()}
        self.places: dict[str, str] = {}  # code → where it was met
        self.rehearse(sheets)

    def rehearse(self, sheets: list[Sheet]) -> None:
        heads = [(sheet, find_head(sheet, self.columns)) for sheet in sheets if not sheet.is_hidden]
        if not any(head for _, head in heads):
            self.error(sheets[0].title if sheets else "", None, KEY, "", "没有找到表头：须有一行写着“编号”“项目名称”等台账的列名。")
            return
        for sheet in sheets:
            if sheet.is_hidden:
                self.skip(sheet, 1, "隐藏的工作表，未导入。")
        for sheet, head in heads:
            if head is None:
                self.skip(sheet, 1, "没有找到表头，整张工作表未导入。")
            elif self.is_fit(sheet, head):
                for row in sheet.rows:
                    if row.number > head.row:
                        self.take(sheet, head, row)

    def is_fit(self, sheet: Sheet, head: Head) -> bool:
        for heading in head.unknown:
            self.skip(sheet, head.row, f"“{heading[:30]}”不是本台账的列，未导入。")
        for name in head.twice:
            self.error(sheet.title, head.row, name, self.columns[name].verbose_name, "这一列出现了两次，请只保留一列。")
        if KEY not in head.places:
            self.error(sheet.title, head.row, KEY, "", "缺少“编号”列：请补上，每行填项目编号。")
        return KEY in head.places and not head.twice

    def take(self, sheet: Sheet, head: Head, row: Row) -> None:
        """One row: its project, its cells, and what the new values amount to together."""
        if not _is_entry(row):
            self.skip(sheet, row.number, "合计行或说明文字，未导入。")
            return
        code = _key(_at(row, head, KEY))
        pk = self.find(sheet, row, code)
        if pk is None:
            return
        values, faulty = {}, set()
        for name in head.places:
            cell = _at(row, head, name)
            if name == KEY or self.is_same(name, cell, pk):
                continue
            if name not in VERSIONED:
                self.skip(sheet, row.number, self.why_not(name, cell, pk))
                continue
            try:
                values[name] = self.read(name, cell)
            except ValidationError as fault:
                faulty.add(name)
                self.error(sheet.title, row.number, name, _words(cell), "".join(fault.messages))
        self.settle(sheet, row, code, values, faulty)

    def find(self, sheet: Sheet, row: Row, code: str) -> int | None:
        """The key of the row's project; None with an error when there is none, or not only one."""
        here = f"{sheet.title}第{row.number}行"
        first = self.places.setdefault(code, here)
        fault = ""
        if not code:
            fault = "没有填编号：请补上，或删去这一行。"
        elif first != here:
            fault = f"这个编号在{first}已经出现，请只保留一行。"
        elif code not in self.pks:
            fault = "清单上没有这个编号：请核对；新列入的项目请先由专班办登记。"
        if fault:
            self.error(sheet.title, row.number, KEY, code, fault)
        return None if fault else self.pks[code]

    def settle(self, sheet: Sheet, row: Row, code: str, values: dict, faulty: set[str]) -> None:
        current = self.current[self.pks[code]]
        old = {name: getattr(current, name) for name in VERSIONED}
        changed = [name for name in values if values[name] != old[name]]
        if not changed:
            return
        for fault in services.revision_faults(current, old | values, changed, self.day, self.reason, self.day):
            if fault.field == "effective_from":
                today = f"这个项目今天（{self.day}）已变更过一次，同一天不能再变更，请明天再导入。"
                self.error(sheet.title, row.number, KEY, code, today if current.effective_from == self.day else fault.sentence)
            elif fault.field in VERSIONED and not faulty & {"baseline_start_on", "baseline_finish_on"}:
                self.error(sheet.title, row.number, fault.field, _words(values.get(fault.field)), f"{fault.sentence}请核对这两个日期。")
        for name in changed:
            change = Change(sheet.title, row.number, code, self.title(name), _words(old[name]), _words(values[name]))
            self.outcome.changes.append(change)
        self.outcome.revisions[current.project_id] = {name: values[name] for name in changed}

    def is_same(self, name: str, cell: Cell, pk: int) -> bool:
        """Whether the cell says what the ledger's export says."""
        row = self.shown[pk]
        return _is_same(cell, self.columns[name].value(row[name], row))

    def why_not(self, name: str, cell: Cell, pk: int) -> str:
        row, column = self.shown[pk], self.columns[name]
        why = "由系统自动计算" if column.is_computed else "不从台账导入，请在项目页或周调度中填写"
        now = _words(column.value(row[name], row))
        return f"“{column.verbose_name}”{why}；现为“{now[:60]}”，表中为“{_words(cell)[:60]}”，未导入。"

    def read(self, name: str, cell: Cell):
        """The cell as a value of the version. Raises ValidationError."""
        if isinstance(cell, Broken):
            raise ValidationError(f"单元格没有可用的值（{cell}）：请在 Excel 中算出结果，或改填文字、数字。")
        if cell is None:
            if name in CLEARABLE:
                return ""
            raise ValidationError("不能为空：请填写，或从表中删去这一列。")
        if name in NAMED:
            return self.look_up(name, str(cell))
        field = RevisionForm.base_fields[name]
        if name.endswith("_on"):
            if isinstance(cell, Decimal):
                raise ValidationError("这里是数字而不是日期：请把单元格设为日期格式，或按 2025-02-20 填写。")
            return field.clean(cell if isinstance(cell, dt.date) else _squeezed(cell))
        if name.endswith("_wan"):
            return field.clean(cell if isinstance(cell, Decimal) else _words(cell))
        return field.clean(_one_line(_words(cell)))

    def look_up(self, name: str, text: str):
        known = self.named[name]
        found = known.get(_matchable(text), [])
        if len(found) == 1:
            return found[0]
        if found:
            raise ValidationError("有几个同名的单位，无法确定是哪一个：请在项目页修改。")
        close = difflib.get_close_matches(_matchable(text)[:60], known, n=1)
        hint = f"是不是“{known[close[0]][0]}”？" if close else ""
        raise ValidationError(f"系统中没有这个名称。{hint}请按系统中的全称填写。")

    def title(self, name: str) -> str:
        return str(self.columns[name].verbose_name)

    def error(self, sheet: str, row: int | None, name: str, value: str, reason: str) -> None:
        self.outcome.errors.append(Error(sheet, row, self.title(name), value, reason))

    def skip(self, sheet: Sheet, row: int, reason: str) -> None:
        self.outcome.skipped.append(Skipped(sheet.title, row, reason))


# ── Headings and rows ───────────────────────────────────────────────────────────────────────────────────────────────


def find_head(sheet: Sheet, columns: dict[str, LedgerColumn]) -> Head | None:
    """The row with most known headings among the first ones; None when none has enough of them."""
    titles = {_heading(str(column.verbose_name)): name for name, column in columns.items()}
    heads = [_head(row, titles) for row in sheet.rows[:HEAD_WITHIN]]
    best = max(heads, key=lambda head: len(head.places), default=None)
    if best is None or len(best.places) < (2 if KEY in best.places else ENOUGH_HEADINGS):
        return None
    return best


def _head(row: Row, titles: dict[str, str]) -> Head:
    places: dict[str, int] = {}
    unknown, twice = [], []
    for place, cell in enumerate(row.cells):
        name = titles.get(_heading(_words(cell)), "")
        if name in places:
            twice.append(name)
        elif name:
            places[name] = place
        elif cell is not None:
            unknown.append(_words(cell))
    return Head(row.number, places, unknown, twice)


def _heading(text: str) -> str:
    """A heading without blanks, the mark of what is computed, and its unit."""
    text = _matchable(text).strip("=")
    for unit in ("(万元)", "(%)"):
        text = text.removesuffix(unit)
    return text


def _is_entry(row: Row) -> bool:
    """Whether a row below the headings is one of the ledger: no total, no sentence standing alone."""
    filled = [cell for cell in row.cells if cell is not None]
    is_total = any(_squeezed(_words(cell)) in TOTALS for cell in filled)
    is_remark = len(filled) == 1 and isinstance(filled[0], str) and CHINESE.search(filled[0]) is not None
    return not is_total and not is_remark


def projects_met(sheets: list[Sheet], day: dt.date) -> dict[str, int]:
    """Projects on the list on `day` whose 编号 stands in the workbook: key by code. One query, however many the rows."""
    columns = LEDGERS["master"].table.base_columns
    heads = [(sheet, find_head(sheet, columns)) for sheet in sheets if not sheet.is_hidden]
    tables = [(sheet, head) for sheet, head in heads if head and KEY in head.places]
    keys = {_key(_at(row, head, KEY)) for sheet, head in tables for row in sheet.rows if row.number > head.row}
    return {code: pk for code, pk in Project.objects.as_of(day).values_list("code", "pk") if code in keys}


def _at(row: Row, head: Head, name: str) -> Cell:
    place = head.places[name]
    return row.cells[place] if place < len(row.cells) else None


def _by_name(model) -> dict[str, list]:
    found: dict[str, list] = {}
    for one in model.objects.all():
        for text in {one.name, getattr(one, "short", one.name)}:
            found.setdefault(_matchable(text), []).append(one)
    return found


# ── Cells ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _words(value) -> str:
    """A value in words: of the workbook, of a version, or of the ledger's export."""
    return "" if value is None else str(as_text(value))


def _squeezed(text: str) -> str:
    return "".join(text.split())


def _matchable(text: str) -> str:
    """For matching names: without blanks, full-width as half-width."""
    return _squeezed(unicodedata.normalize("NFKC", text))


def _one_line(text: str) -> str:
    """`text` as it is stored: a line break inside a cell is how wide the column was, several blanks are one."""
    return " ".join("".join(line.strip() for line in readable(text).splitlines()).split())


def _key(cell: Cell) -> str:
    return _matchable(_words(cell)).upper()


def _is_same(cell: Cell, exported) -> bool:
    """Whether a cell says what the export wrote: numbers by value, days as days, texts but for their blanks."""
    if isinstance(exported, (int, Decimal)) and not isinstance(exported, bool):
        return _number(cell) == exported
    if isinstance(exported, str) and not isinstance(cell, dt.date):
        return _squeezed(_words(cell)) == _squeezed(ILLEGAL_CHARACTERS_RE.sub("", exported)[:CELL_LIMIT])
    return _squeezed(_words(cell)) == _words(exported)


def _number(cell: Cell) -> Decimal | None:
    try:
        return cell if isinstance(cell, Decimal) else Decimal(_matchable(_words(cell)).replace(",", "").removesuffix("%"))
    except InvalidOperation:
        return None
