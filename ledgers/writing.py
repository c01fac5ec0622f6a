"""How ledgers are written: which row a line is, which of its cells a person may write, how a cell is read, and the act.

A `Writer` is the one way into the rows of a ledger, for its page (cells), its workbooks (`intake`) and ledgers to come. It changes
nothing itself: `save` calls the service that owns the row, so that rules, locks and the trail are those of the row's own page.

    writer = LEDGERS["master"].writer
    row = writer.row(pk, by=user)                     # None: not theirs to read, or not there
    row.held                                          # names of the columns that they may write in this row
    field = writer.fields["total_investment_wan"]
    seen = row.seen("total_investment_wan")           # goes into the page, comes back with the typed text
    change = Change(pk, "total_investment_wan", "1.2亿元", seen)
    done = write(writer, [change], by=user, reason="批复文号", source="page")

`write` is all or nothing and raises NotWritten with every fault: each names row and column, says why, and is a conflict (both values)
when the cell was changed since `seen`. What comes back tells old and new value of each cell; undo is `write(writer, undone(done), …)`.

A new ledger has a writer by three things: `key` (columns that recognise a row), `fields` (columns that may be written) and `read`,
`faults`, `save`; `writers.py` holds those there are, and `Ledger(writer=…)` opens page and import to whom `may_take_in` says.
"""

import contextlib
import dataclasses
import datetime as dt
import difflib
import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.functional import cached_property

from ledgers import cells
from ledgers.cells import matchable, squeezed
from linfen_water import clock, trail
from linfen_water.models import County, Unit, User
from linfen_water.workbook import Cell, Percent
from projects.forms import readable
from projects.rules import Fault
from projects.services import EditConflict, Faulty, Refused

SEVERAL_NAMESAKES = "有几个同名的单位，无法确定是哪一个：请在项目页修改。"


# ── Names ───────────────────────────────────────────────────────────────────────────────────────────────────────────


class UnknownName(ValidationError):
    """A name that nobody has; `near` is the one it looks like, offered and never taken by itself."""

    def __init__(self, sentence: str, text: str, near: str = ""):
        self.text, self.near = text, near
        super().__init__(sentence)


class Names:
    """Counties and units by name, read once for all rows; `aliases` are names that a person confirmed: `{matchable text: full name}`."""

    def __init__(self, aliases: Mapping[str, str] | None = None):
        self.aliases = aliases or {}

    @cached_property
    def counties(self) -> dict[str, list[County]]:
        return _by_name(County.objects.all())

    @cached_property
    def units(self) -> dict[str, list[Unit]]:
        return _by_name(Unit.objects.all())

    def find(self, text: str, known: Mapping[str, Sequence[Any]], *, what: str = "名称"):
        """The one that bears the name. Raises ValidationError."""
        wanted = matchable(text)
        found = known.get(wanted) or known.get(matchable(self.aliases.get(wanted, "")), ())
        if len(found) == 1:
            return found[0]
        if found:
            raise ValidationError(SEVERAL_NAMESAKES)
        close = nearest(wanted, known)
        near = str(getattr(known[close][0], "name", known[close][0])) if close else ""
        hint = f"是不是“{near}”？" if near else ""
        raise UnknownName(f"系统中没有这个{what}。{hint}请按系统中的全称填写。", text, near)


def nearest(text: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """The known text that is nearly `text`, "" when none is."""
    close = difflib.get_close_matches(text[:60], list(known), n=1, cutoff=cutoff)
    return close[0] if close else ""


def _by_name(rows: Iterable) -> dict[str, list]:
    found: dict[str, list] = {}
    for one in rows:
        for text in {one.name, getattr(one, "short", one.name)}:
            found.setdefault(matchable(text), []).append(one)
    return found


# ── Fields ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclasses.dataclass(frozen=True)
class Sense:
    """What a cell is read with: names, the unit of its heading, the year that its table speaks of."""

    names: Names
    unit: str = ""
    year: int | None = None
    is_table: bool = False  # a share may stand in a table as 0.45; who types into a cell that shows % means what they type


@dataclasses.dataclass(frozen=True, kw_only=True)
class Field:
    """A column that may be written. `clean` is the field of the row's own form: it has the last word on every value."""

    label: str
    clean: forms.Field
    kind: str = "text"  # how a page asks for it: text, long, date, money, integer, boolean, choice, unit, units, county
    empty: Any = ""  # what an empty cell is worth
    is_clearable: bool = True
    month_is: str = ""  # of a day: what a month without a day means (cells.FIRST, cells.LAST)
    choices: tuple[tuple[str, str], ...] = ()  # value and label
    synonyms: Mapping[str, str] = dataclasses.field(default_factory=dict)  # other words for a choice
    own: str = ""  # the field of the model, when it is called otherwise than the column

    def parse(self, cell: Cell, sense: Sense) -> Any:
        """The cell as a value of the row. Raises ValidationError with what is wrong and how to mend it."""
        if cells.has_no_value(cell):
            raise ValidationError(f"单元格没有可用的值（{cell}）：请在 Excel 中算出结果，或改填文字、数字。")
        if cells.is_nothing(cell):
            if self.is_clearable:
                return [] if self.kind == "units" else self.empty
            raise ValidationError("不能为空：请填写，或从表中删去这一列。")
        if isinstance(cell, str) and matchable(cell) in cells.DITTO:
            raise ValidationError(f"“{cell.strip()}”要看别的格才知道：请写出内容。")
        try:
            return _READ[self.kind](self, cell, sense)
        except cells.Unread as fault:
            raise ValidationError(str(fault), code="asked" if fault.is_asked else "unread") from None

    def spell(self, value: Any) -> str:
        """A value in words, as pages show it and `parse` reads it."""
        if self.kind == "choice":
            return dict(self.choices).get(value, "")
        if self.kind == "boolean":
            return {True: "是", False: "否"}.get(value, "")
        if isinstance(value, (list, tuple)):
            return "、".join(str(one) for one in value)
        return spelled(value)


def spelled(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return cells.plain(value)
    return value.isoformat() if isinstance(value, dt.date) else str(value)


def _text(field: Field, cell: Cell, sense: Sense) -> str:
    text = readable(cells.plain(cell) if isinstance(cell, Decimal) else cells.words(cell))
    if field.kind == "long":
        return field.clean.clean(text.strip())
    # A line break inside a cell is how wide the column was, several blanks are one.
    return field.clean.clean(" ".join("".join(line.strip() for line in text.splitlines()).split()))


def _date(field: Field, cell: Cell, sense: Sense) -> dt.date:
    return field.clean.clean(cells.read_day(cell, month_is=field.month_is, year=sense.year))


def _money(field: Field, cell: Cell, sense: Sense) -> Decimal:
    return field.clean.clean(cells.plain(cells.read_amount(cell, unit=sense.unit)))


def _integer(field: Field, cell: Cell, sense: Sense) -> int:
    text = matchable(cells.words(cell))
    for unit in ("个工作日", "工作日", "天", "日", "个", "页", "份", "件", "卷", "册"):
        text = text.removesuffix(unit)
    return field.clean.clean(cells.plain(Decimal(text)) if isinstance(cell, Decimal) else text)


def _boolean(field: Field, cell: Cell, sense: Sense) -> bool:
    text = matchable(cells.words(cell)).upper()
    known = {"是": True, "需要": True, "√": True, "✓": True, "TRUE": True, "有": True, "1": True}
    known |= {"否": False, "不需要": False, "×": False, "FALSE": False, "不办": False, "无需": False, "0": False}
    known |= {"需办理": True, "需要办理": True, "不涉及": False, "无需办理": False, "不需办理": False, "不办理": False}
    if text not in known:
        raise ValidationError("请填“是”或“否”。")
    return known[text]


def _choice(field: Field, cell: Cell, sense: Sense) -> str:
    text = matchable(cells.words(cell))
    known = {matchable(label): value for value, label in field.choices}
    known |= {matchable(word): value for word, value in field.synonyms.items()}
    if text not in known:
        near = nearest(text, known)
        hint = f"是不是“{dict(field.choices)[known[near]]}”？" if near else ""
        raise ValidationError(f"没有这一项。{hint}可填：{'、'.join(label for _, label in field.choices)[:200]}。")
    return known[text]


def _county(field: Field, cell: Cell, sense: Sense) -> County:
    return sense.names.find(cells.words(cell), sense.names.counties)


def _unit(field: Field, cell: Cell, sense: Sense) -> Unit:
    text = cells.words(cell)
    several = cells.split_names(text)
    if len(several) > 1 and matchable(text) not in sense.names.units and matchable(text) not in sense.names.aliases:
        raise ValidationError(f"一格里有{len(several)}个单位（{'、'.join(several)[:60]}）：这一列只能填一个，请留下主要的一个。")
    return sense.names.find(text, sense.names.units)


def _units(field: Field, cell: Cell, sense: Sense) -> list[Unit]:
    text = cells.words(cell)
    several = [text] if matchable(text) in sense.names.units else cells.split_names(text)
    return sorted({sense.names.find(name, sense.names.units) for name in several}, key=lambda unit: unit.pk)


def _percent(field: Field, cell: Cell, sense: Sense) -> Decimal:
    if isinstance(cell, Percent):  # shown as 45 %, kept as 0.45
        return field.clean.clean(cells.plain(cell * 100))
    text = matchable(cells.words(cell))
    number = cells.read_amount(text.removesuffix("%"))
    if sense.is_table and 0 < number < 1 and not text.endswith("%"):
        raise ValidationError(f"{cells.plain(number)} 可能是{cells.plain(number * 100)}%，也可能是{cells.plain(number)}%：请连同“%”写明。")
    return field.clean.clean(cells.plain(number))


_READ: dict[str, Callable[[Field, Cell, Sense], Any]] = {
    "text": _text, "long": _text, "date": _date, "money": _money, "integer": _integer, "boolean": _boolean, "choice": _choice,
    "county": _county, "percent": _percent, "unit": _unit, "units": _units,
}  # fmt: skip


# ── Rows ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclasses.dataclass(slots=True)
class WrittenRow:
    """A row as it may be written: `values` by column, `held` the columns that the person may write, `version` the row's edit version."""

    pk: int
    key: str  # how people call it: LF-001, LF-001 环境影响评价
    values: dict[str, Any]
    held: frozenset[str]
    version: int
    chain: str  # of the trail: rows are locked in this order
    about: Any = None  # what the writer needs to save it
    is_new: bool = False  # not there yet: `save` makes it
    is_undone: bool = False  # what is written takes back what was just written: a first entry may go again

    def seen(self, name: str) -> str:
        """A fingerprint of the cell as it is now: a write with it fails when the cell is another one by then."""
        return fingerprint(self.values[name])


def fingerprint(value: Any) -> str:
    """The same for the same value, whatever it is spelled like."""
    said = "、".join(sorted(str(one) for one in value)) if isinstance(value, (list, tuple)) else spelled(value)
    return hashlib.blake2b(squeezed(said).encode(), digest_size=5).hexdigest()


class Writer:
    """The way into one ledger's rows. Every method asks a number of queries that does not depend on the number of rows."""

    slug: str
    key: tuple[str, ...] = ("code",)  # columns that recognise a row
    name_column = ""  # the column of the project's name, which stands in for an empty code
    year_column = ""  # the key column that a table may leave to its title: 2025年度任务
    knows_computed = False  # whether `pk_of` finds the key of rows that rules compute
    fields: Mapping[str, Field] = {}
    synonyms: Mapping[str, tuple[str, ...]] = {}  # other headings of a column
    not_here = "不从台账导入，请在项目页或周调度中填写"  # said of a typed column that has no field
    adds = ""  # what is said of rows that a table may add
    unknown_row = "清单上没有这个编号：请核对；新列入的项目请先由专班办登记。"

    def may_take_in(self, user: User) -> bool:
        """Whether `user` may write any row at all."""
        raise NotImplementedError

    def index(self, by: User | None, day: dt.date) -> dict[tuple[str, ...], int]:
        """Keys of all rows that `by` may read (None: the system), by the matchable texts of the key columns."""
        raise NotImplementedError

    def names(self, by: User | None, day: dt.date) -> dict[str, list[str]]:
        """Codes of projects by matchable name."""
        return {}

    def new_keys(self, keys: Iterable[tuple[str, ...]], *, by: User | None, day: dt.date) -> dict[tuple[str, ...], int | str]:
        """Of keys that `index` does not know: a number below 0 by which `rows` gives a row to be made, or why none can be."""
        return {}

    def key_text(self, column: str, cell: Cell, year: int | None = None) -> str:
        """A cell of a key column as `index` spells it, "" when it names nothing; `year` is the table's. Raises cells.Unread."""
        return matchable(cells.words(cell)).upper()

    def read(self, day: dt.date, pks: list[int]) -> list[dict]:
        """The rows of the ledger with these keys as it shows them; where rules compute its rows."""
        raise NotImplementedError

    def rows(self, pks: Collection[int], *, by: User | None, lock: bool = False) -> dict[int, WrittenRow]:
        """The rows with these keys that `by` may read."""
        raise NotImplementedError

    def remark(self, pk: int, columns: Collection[str]) -> str:
        """What the person should hear after writing these cells of the row, and where to go; nothing when all agrees."""
        return ""

    def pk_of(self, row: dict) -> int:
        """The key by which `rows` knows a row that the ledger read."""
        return row["key"]

    def value_key(self, row: WrittenRow) -> str:
        """How the values of the office's own columns name the row."""
        return str(row.pk)

    def row(self, pk: int, *, by: User | None) -> WrittenRow | None:
        return self.rows([pk], by=by).get(pk)

    def faults(self, row: WrittenRow, values: Mapping[str, Any], reason: str, day: dt.date) -> Iterable[Fault]:
        """What speaks against `values` (by column) in `row`; without a query."""
        return ()

    def save(self, row: WrittenRow, values: Mapping[str, Any], *, by: User | None, reason: str) -> None:
        """Write `values` by the row's own service. Raises Refused, Faulty or EditConflict."""
        raise NotImplementedError


# ── Write ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclasses.dataclass(frozen=True)
class Change:
    """One cell to be written. `value` is what was typed (any text that `Field.parse` reads) or already a value with `is_parsed`."""

    pk: int
    column: str
    value: Any
    seen: str | None = None  # `WrittenRow.seen` of what the person had before them; None: whatever is there
    is_parsed: bool = False
    is_undo: bool = False  # it takes back what the person has just written


@dataclasses.dataclass(frozen=True)
class Done:
    """A cell that was written."""

    pk: int
    key: str
    column: str
    old: Any
    new: Any


@dataclasses.dataclass(frozen=True)
class CellFault:
    """Why a cell was not written. A conflict shows `theirs`, what is there now, beside `mine`."""

    pk: int
    key: str
    column: str  # "" : the row as a whole
    sentence: str
    is_conflict: bool = False
    mine: str = ""
    theirs: str = ""
    seen: str = ""  # of what is there now: sending `mine` again with it settles the conflict


class NotWritten(Exception):
    """Nothing was written; `faults` say why, cell by cell."""

    def __init__(self, faults: Sequence[CellFault]):
        self.faults = list(faults)
        super().__init__("；".join(fault.sentence for fault in faults))


@transaction.atomic
def write(
    writer: Writer, changes: Iterable[Change], *, by: User | None, reason: str = "", source: str = "", names: Names | None = None
) -> list[Done]:
    """Write the cells, all or none, each row by its own service and with its event in the trail. Raises NotWritten.

    `source` is where they come from ("page", "import 3f9a… 总台账.xlsx"): the events keep it.
    """
    wanted: dict[int, dict[str, Change]] = {}
    for change in changes:
        wanted.setdefault(change.pk, {})[change.column] = change
    rows = writer.rows(wanted, by=by, lock=True)
    faults: list[CellFault] = [CellFault(pk, "", "", "这一行已不在台账中，或不由您填写：请刷新页面。") for pk in wanted if pk not in rows]
    day, sense, done = clock.today(), Sense(names or Names()), []
    settled = []
    for row in sorted(rows.values(), key=lambda row: (row.chain, row.pk)):
        row.is_undone = all(change.is_undo for change in wanted[row.pk].values())
        values, found = _settle(writer, row, wanted[row.pk], sense)
        found += [] if found or not values else _row_faults(writer, row, values, reason, day)
        faults += found
        settled.append((row, values))
    if faults:
        raise NotWritten(faults)
    with trail.origin(source) if source else contextlib.nullcontext():
        for row, values in settled:
            if values:
                _save(writer, row, values, by, reason)
                done += [Done(row.pk, row.key, name, row.values[name], value) for name, value in values.items()]
    return done


def undone(done: Iterable[Done]) -> list[Change]:
    """The changes that take `done` back: each only while its cell still is what was written."""
    return [Change(one.pk, one.column, one.old, fingerprint(one.new), is_parsed=True, is_undo=True) for one in done]


def _settle(writer: Writer, row: WrittenRow, changes: Mapping[str, Change], sense: Sense) -> tuple[dict[str, Any], list[CellFault]]:
    """The values that differ from what is there, and what speaks against single cells."""
    values: dict[str, Any] = {}
    faults: list[CellFault] = []
    for name, change in changes.items():
        field = writer.fields.get(name)
        if field is None or name not in row.held:
            faults.append(CellFault(row.pk, row.key, name, "这一格不由您填写。" if field else "这一列不能在台账里填写。"))
            continue
        try:
            value = change.value if change.is_parsed else field.parse(change.value, sense)
        except ValidationError as fault:
            faults.append(CellFault(row.pk, row.key, name, "".join(fault.messages)))
            continue
        now = row.values[name]
        if value == now:
            continue
        if change.seen is not None and change.seen != row.seen(name):
            theirs, mine = field.spell(now), field.spell(value)
            sentence = f"这一格刚被他人改为“{theirs or '空'}”，您填的是“{mine or '空'}”：请选择保留哪一个。"
            faults.append(CellFault(row.pk, row.key, name, sentence, True, mine, theirs, row.seen(name)))
            continue
        values[name] = value
    return values, faults


def _row_faults(writer: Writer, row: WrittenRow, values: Mapping[str, Any], reason: str, day: dt.date) -> list[CellFault]:
    return [
        CellFault(row.pk, row.key, fault.field if fault.field in writer.fields else "", fault.sentence)
        for fault in writer.faults(row, values, reason, day)
    ]


def _save(writer: Writer, row: WrittenRow, values: Mapping[str, Any], by: User | None, reason: str) -> None:
    try:
        writer.save(row, values, by=by, reason=reason)
    except Faulty as fault:
        found = [CellFault(row.pk, row.key, one.field if one.field in writer.fields else "", one.sentence) for one in fault.faults]
        raise NotWritten(found) from fault
    except Refused as fault:
        raise NotWritten([CellFault(row.pk, row.key, "", str(fault))]) from fault
    except EditConflict as fault:  # cannot be while the row is locked
        raise NotWritten([CellFault(row.pk, row.key, "", "这一行刚被他人修改，请刷新页面。", True)]) from fault


def batches(pks: Sequence[int], size: int = 500) -> Iterator[Sequence[int]]:
    """Keys in portions that every database takes as arguments."""
    for start in range(0, len(pks), size):
        yield pks[start : start + size]
