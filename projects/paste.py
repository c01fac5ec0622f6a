"""How a block copied out of a spreadsheet becomes cells of the weekly report. Text in, cells and remarks out: no ORM, no clock.

Three shapes are read: a list over projects (first the number or name of a project), a table over the funding sources of one project,
and bare figures that begin at a cell. Nothing is guessed: what cannot be placed for certain is left out and said, with row and reason.
"""

import csv
import dataclasses
import datetime as dt
import difflib
import io
import re
import unicodedata
from collections.abc import Iterator, Sequence
from decimal import Decimal, InvalidOperation

MOST_ROWS, MOST_COLUMNS, MOST_CHARACTERS = 300, 60, 200_000
PROGRESS = "physical_progress"
MONEY = ("in_place_wan", "allocated_wan", "paid_wan", "completed_wan")
DATES = ("started_on", "completed_on", "forecast_start_on", "forecast_finish_on")
TEXTS = ("done", "next_steps", "hinders", "reason")
USUAL_ORDER = (PROGRESS, *MONEY, "done", "next_steps", "hinders")  # of a list without a head row

# Headings as offices write them; compared without spaces, brackets and units.
HEADS: dict[str, tuple[str, ...]] = {
    "code": ("编号", "项目编号", "工程编号", "项目代码"),
    "name": ("项目名称", "工程名称", "项目", "工程", "名称", "工程项目", "工程项目名称"),
    "source": ("资金来源", "来源", "资金渠道"),
    PROGRESS: ("总体进度", "形象进度", "进度", "工程进度", "完成进度", "总进度", "累计进度", "当前进度", "目前进度"),
    "in_place_wan": ("到位", "累计到位", "资金到位", "到位资金", "累计到位资金", "到位金额", "已到位"),
    "allocated_wan": ("拨付", "累计拨付", "资金拨付", "拨付资金", "累计拨付资金", "已拨付", "拨付金额"),
    "paid_wan": ("支付", "累计支付", "资金支付", "支付资金", "累计支付资金", "已支付", "支付金额"),
    "completed_wan": ("完成投资", "累计完成投资", "投资完成", "已完成投资", "累计完成", "完成投资额"),
    "started_on": ("实际开工", "实际开工日期", "开工日期", "实际开工时间", "开工时间"),
    "completed_on": ("实际完工", "实际完工日期", "完工日期", "实际完工时间", "完工时间"),
    "forecast_start_on": ("预计开工", "预计开工日期", "预计开工时间"),
    "forecast_finish_on": ("预计完工", "预计完工日期", "预计完工时间", "最新预计完工"),
    "done": ("本周进展", "进展", "工作进展", "进展情况", "本周工作进展", "本周完成情况", "本周完成工作", "工程进展"),
    "next_steps": ("下周计划", "下步计划", "下一步计划", "下步工作", "下一步工作", "下周工作计划", "下周安排"),
    "hinders": ("存在问题", "问题", "困难", "存在的问题", "困难问题", "需协调问题"),
    "reason": ("说明", "调整说明"),
}
FIELD_OF = {head: field for field, heads in HEADS.items() for head in heads}
NOTHING = re.compile(r"[-‐‑–—−/\\]*|暂无|未填|空")
TOTAL = re.compile(r"(合计|总计|小计|共计|汇总|平均)[::]?")
TOTAL_END = re.compile(r".*(合计|总计|小计)[::]?")
FAULTY = re.compile(r"#(N/A|REF!?|DIV/0!?|VALUE!?|NAME\??|NUM!?|NULL!?)|#+", re.IGNORECASE)
NUMBER = re.compile(r"([+-]?\d+(?:\.\d*)?|[+-]?\.\d+)(亿元|亿|万元|万|元|%)?")
THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")
UNITS = {"亿元": Decimal(10_000), "亿": Decimal(10_000), "万元": Decimal(1), "万": Decimal(1), "元": Decimal("0.0001")}
UNIT_IN_HEAD = re.compile(r"亿元|万元|元|%")
LIST_NUMBER = re.compile(r"[一二三四五六七八九十]+[、.]|其中[::]?|\([一二三四五六七八九十]+\)")
SERIALS = range(36526, 73051)  # days of Excel from 2000 to 2099
MOST_HINTS = 20  # unknown names for which a likely one is looked for: each costs a comparison with all
SHORTEST_PART = 6  # characters of a name that may stand for the whole


@dataclasses.dataclass(frozen=True, slots=True)
class Target:
    """A project whose report may be filled in: its sources as (key, label)."""

    code: str
    name: str
    sources: tuple[tuple[int, str], ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class Start:
    """The cell in which the cursor stands: its project and field (`paid_wan_12`)."""

    code: str
    field: str


@dataclasses.dataclass(frozen=True, slots=True)
class Placed:
    """One cell that was understood; money in 万元, progress in percent, dates as ISO text."""

    row: int  # as in the block, from 1
    code: str
    field: str
    text: str


@dataclasses.dataclass(frozen=True, slots=True)
class Left:
    """Something that was not taken, and why."""

    row: int
    text: str
    reason: str


@dataclasses.dataclass(frozen=True, slots=True)
class Reading:
    """What a block says. `left` are things that somebody may miss, `notes` rows that are no report (totals, headings)."""

    shape: str  # list, sources, figures, or nothing
    placed: tuple[Placed, ...]
    left: tuple[Left, ...]
    notes: tuple[Left, ...]


class _Odd(ValueError):
    """A cell that cannot be taken; its text says why."""


# ── cells ──


def plain(text: str) -> str:
    """Full-width characters as narrow ones, without what a copy leaves at the ends."""
    text = unicodedata.normalize("NFKC", text).replace("\u200b", "").replace("\ufeff", "")
    return text.strip().strip("'").strip()


def folded(text: str) -> str:
    """A name or heading without spaces, line ends, brackets and their marks: what a copy changes by itself."""
    return re.sub(r"[\s()\[\]【】《》“”\"'·、，,。.:：;；_-]", "", plain(text)).casefold()


def split(text: str) -> list[list[str]]:
    """Rows and cells: tabs as a spreadsheet copies them (quoted line ends too), else columns of spaces or bars."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip("\n")
    if "\t" not in text:
        return [_loose(line) for line in text.split("\n")]
    is_quoted = text.count('"') % 2 == 0
    reader = csv.reader(io.StringIO(text), delimiter="\t", quoting=csv.QUOTE_MINIMAL if is_quoted else csv.QUOTE_NONE)
    return [list(row) for row in reader]


def _loose(line: str) -> list[str]:
    if line.count("|") > 1:
        cells = line.strip().strip("|").split("|")
        return [] if all(re.fullmatch(r"\s*:?-+:?\s*", cell) for cell in cells) else cells
    return re.split(r"[ \u3000]{2,}", line.strip()) if line.strip() else []


def number(text: str, unit: str, field: str) -> str:
    """A figure in 万元 or percent, exact; _Odd when it is none or would have to be rounded."""
    bare = plain(text).replace(" ", "")
    if THOUSANDS.fullmatch(bare.rstrip("亿万元%")):
        bare = bare.replace(",", "")
    found = NUMBER.fullmatch(bare)
    if not found:
        raise _Odd(_why_no_number(bare))
    try:
        value = Decimal(found[1])
    except InvalidOperation:  # pragma: no cover - the pattern lets none through
        raise _Odd("不是数字") from None
    sign = found[2] or ""
    if field == PROGRESS:
        if sign not in ("", "%"):
            raise _Odd("进度不能用金额单位，应为 0 到 100 的数")
        if 0 < value < 1 and not sign and unit != "%":
            raise _Odd(f"像是小数形式的百分数：请写成 {_short(value * 100)}% 或 {_short(value * 100)}")
        return _short(value)
    if sign == "%" or unit == "%":
        raise _Odd("金额不能是百分数")
    value *= UNITS[sign or unit or "万元"]
    exponent = value.normalize().as_tuple().exponent
    if isinstance(exponent, int) and exponent < -2:
        raise _Odd(f"换算成万元是 {_short(value)}，多于两位小数：请先取两位")
    return _short(value)


def _why_no_number(bare: str) -> str:
    if FAULTY.fullmatch(bare):
        return "是 Excel 的出错值：请先改正公式"
    if re.fullmatch(r"\([\d,.]+\)", bare):
        return "括号表示负数：累计数不能为负"
    if re.search(r"约|左右|余|多|近|[~～]|至", bare):
        return "不是确数：请填具体数字"
    if "," in bare and re.search(r"\d", bare):
        return "逗号的位置不像千分位：请核对"
    return "不是数字"


def _short(value: Decimal) -> str:
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def day(text: str) -> str:
    """A whole date as ISO text; 2024.3.5, 2024年3月5日, 2024/3/5 and Excel's serial are read."""
    bare = plain(text).replace(" ", "")
    if bare.isdigit() and int(bare) in SERIALS:
        return (dt.date(1899, 12, 30) + dt.timedelta(days=int(bare))).isoformat()
    found = re.fullmatch(r"(\d{4})[-./年](\d{1,2})[-./月](\d{1,2})日?(00:00(:00)?)?", bare)
    if not found:
        is_month = re.fullmatch(r"\d{4}[-./年]\d{1,2}月?(底|初|末|中旬|上旬|下旬)?", bare)
        raise _Odd("只有年月：请写到日，例如 2025-06-30" if is_month else "不是日期：请写成 2025-02-20")
    try:
        return dt.date(*(int(part) for part in found.groups()[:3])).isoformat()
    except ValueError:
        raise _Odd("没有这一天") from None


# ── the block ──


@dataclasses.dataclass(slots=True)
class _Head:
    """The head row: field and unit by column, columns that are no field of a report, where the rows begin."""

    fields: dict[int, str]
    units: dict[int, str]
    unknown: list[tuple[int, str]]
    rows: range  # of the block


class _Reader:
    def __init__(self, rows: list[list[str]], targets: Sequence[Target], start: Start | None):
        self.rows, self.targets, self.start = rows, targets, start
        self.by_code = {_code(target.code): target for target in targets}
        self.by_name = {folded(target.name): target for target in targets}
        self.placed: dict[tuple[str, str], Placed] = {}
        self.left: list[Left] = []
        self.notes: list[Left] = []
        self.hints = 0

    def read(self) -> Reading:
        shape = "nothing"
        head = self._head()
        if head is not None and ("name" in head.fields.values() or "code" in head.fields.values()):
            shape = "list"
            self._list(head)
        elif head is not None and "source" in head.fields.values() and self.start:
            shape = "sources"
            self._sources(head)
        elif self._looks_like_list():
            shape = "list"
            self._list(self._bare_head())
        elif self.start:
            shape = self._beside_cursor(head)
        else:
            self.left.append(Left(1, self._shown(self.rows[0]), "没有看出是哪些项目：第一列须是项目编号或名称，或有表头"))
        return Reading(shape, tuple(self.placed.values()), tuple(self.left), tuple(self.notes))

    # ── heads ──

    def _head(self) -> _Head | None:
        """The row among the first ones with most known headings, with a second line of headings below it."""
        best, known = None, 1
        for index, row in enumerate(self.rows[:8]):
            found = sum(_field(cell) is not None for cell in row)
            if found > known:
                best, known = index, found
        if best is None:
            return None
        first, last = best, best
        if best and self._adds(best - 1, best):
            first = best - 1
        if best + 1 < len(self.rows) and self._adds(best + 1, best):
            last = best + 1
        return self._read_head(first, last)

    def _adds(self, index: int, main: int) -> bool:
        """Whether a row holds headings for columns in which the main row has none."""
        row, beside = self.rows[index], self.rows[main]
        added = [c for c, cell in enumerate(row) if _field(cell) and not (c < len(beside) and _field(beside[c]))]
        return bool(added) and not any(re.search(r"\d", cell) for cell in row)

    def _read_head(self, first: int, last: int) -> _Head:
        fields: dict[int, str] = {}
        units: dict[int, str] = {}
        unknown = []
        general = next((m[0] for row in self.rows[: last + 1] for cell in row if "单位" in cell and (m := UNIT_IN_HEAD.search(cell))), "")
        for column in range(max(len(row) for row in self.rows[first : last + 1])):
            cells = [self._at(index, column) for index in range(first, last + 1)]
            field = next((found for cell in reversed(cells) if (found := _field(cell))), None)
            words = "".join(cells)
            if field is None:
                if plain(words) and folded(words) not in ("序号", "资金", "备注"):
                    unknown.append((column, plain(words)))
                continue
            if field in fields.values():
                unknown.append((column, f"{plain(words)}（与前面一列重复）"))
                continue
            fields[column] = field
            unit = UNIT_IN_HEAD.search(plain(words)) or (self._spanning_unit(first, column) if field in MONEY else None)
            units[column] = unit[0] if unit else (general if field in MONEY else "")
        for index in range(first):
            if any(plain(cell) for cell in self.rows[index]):
                self.notes.append(Left(index + 1, self._shown(self.rows[index]), "表头以上，不填"))
        return _Head(fields, units, unknown, range(last + 1, len(self.rows)))

    def _spanning_unit(self, index: int, column: int):
        """The unit in a merged heading that begins further left."""
        for left in range(column, -1, -1):
            if text := plain(self._at(index, left)):
                return UNIT_IN_HEAD.search(text) if _field(text) is None else None
        return None

    def _bare_head(self) -> _Head:
        """A list without headings: number or name, both perhaps, then the usual order."""
        row = next(row for row in self.rows if any(self._target(cell) for cell in row[:2]))
        both = len(row) > 1 and self._target(row[0]) is not None and self._target(row[1]) is not None
        skipped = 0 if self._target(row[0]) else 1
        width = skipped + (2 if both else 1)
        fields: dict[int, str] = {skipped: "name"} | {width + n: field for n, field in enumerate(USUAL_ORDER)}
        return _Head(fields, dict.fromkeys(fields, ""), [], range(len(self.rows)))

    # ── shapes ──

    def _looks_like_list(self) -> bool:
        hits = sum(any(self._target(cell) for cell in row[:2]) for row in self.rows)
        return hits > 0

    def _list(self, head: _Head) -> None:
        self._say_unknown(head)
        places = {field: column for column, field in head.fields.items()}
        owner: Target | None = None
        for index in head.rows:
            row = self.rows[index]
            if not any(plain(cell) for cell in row):
                continue
            words = [plain(self._at(index, places[key])) for key in ("code", "name") if key in places]
            if "source" in places and not any(words):
                if owner is None:
                    self.left.append(Left(index + 1, self._shown(row), "没有项目编号或名称"))
                    continue
            else:
                owner = self._owner(index, row, words)
            if owner is not None:
                self._row(index, owner, head, places)

    def _owner(self, index: int, row: list[str], words: list[str]) -> Target | None:
        """The project of a row, or None with the reason said."""
        said = next((word for word in words if word), "")
        first = next((plain(cell) for cell in row if plain(cell)), "")
        if _is_total(said) or _is_total(first):
            self.notes.append(Left(index + 1, self._shown(row), "合计行，不填"))
        elif words and all(_field(word) for word in words if word) and said:
            self.notes.append(Left(index + 1, self._shown(row), "重复的表头，不填"))
        elif LIST_NUMBER.match(first) and not any(self._target(word) for word in words):
            self.notes.append(Left(index + 1, self._shown(row), "分组行，不填"))
        elif not said:
            self.left.append(Left(index + 1, self._shown(row), "没有项目编号或名称"))
        else:
            found = [target for word in words if word and (target := self._target(word))]
            if len({target.code for target in found}) == 1:
                return found[0]
            reason = "编号和名称不是同一个项目：请核对" if found else self._unknown_name(said)
            self.left.append(Left(index + 1, " ".join(word for word in words if word), reason))
        return None

    def _row(self, index: int, owner: Target, head: _Head, places: dict[str, int]) -> None:
        source = self._source_of(index, owner, places)
        for column, field in head.fields.items():
            if field in ("code", "name", "source"):
                continue
            text = self._at(index, column)
            if self._is_blank(text, field):
                continue
            if field in MONEY:
                if source is None:
                    self.left.append(Left(index + 1, f"{owner.code} {plain(text)}", self._no_source(index, owner, places)))
                    continue
                self._put(index, owner.code, f"{field}_{source}", text, head.units[column])
            else:
                self._put(index, owner.code, field, text, head.units[column])

    def _source_of(self, index: int, owner: Target, places: dict[str, int]) -> int | None:
        if "source" in places and plain(self._at(index, places["source"])):
            return self._source(owner, self._at(index, places["source"]))
        return owner.sources[0][0] if len(owner.sources) == 1 else None

    def _no_source(self, index: int, owner: Target, places: dict[str, int]) -> str:
        word = plain(self._at(index, places["source"])) if "source" in places else ""
        labels = "、".join(label for _, label in owner.sources)
        if word:
            return f"没有“{word}”这个资金来源，登记的是：{labels or '无'}"
        if not owner.sources:
            return "没有登记资金来源，请联系专班办"
        return f"有 {len(owner.sources)} 个资金来源（{labels}），不知归哪一个：请加一列“资金来源”，或到项目的资金表里粘贴"

    def _sources(self, head: _Head) -> None:
        """A table over the sources of the project in which the cursor stands."""
        owner = self._own()
        self._say_unknown(head)
        places = {field: column for column, field in head.fields.items()}
        for index in head.rows:
            row = self.rows[index]
            word = plain(self._at(index, places["source"]))
            if not any(plain(cell) for cell in row):
                continue
            if _is_total(word):
                self.notes.append(Left(index + 1, self._shown(row), "合计行，不填"))
                continue
            self._row(index, owner, head, places)

    def _beside_cursor(self, head: _Head | None) -> str:
        """Rows named by sources, or bare figures that begin at the cursor."""
        owner = self._own()
        body = [n for n, row in enumerate(self.rows) if any(plain(cell) for cell in row)]
        if head is not None:
            body = [n for n in body if n in head.rows]
        if any(self._source(owner, self._at(n, 0)) is not None for n in body):
            columns = head.fields if head else {n + 1: field for n, field in enumerate(MONEY)}
            named = _Head({0: "source"} | dict(columns), {0: ""} | {c: head.units[c] if head else "" for c in columns}, [], range(0))
            named.rows = range(body[0], len(self.rows))
            self._sources(named)
            return "sources"
        self._figures(owner, body, head)
        return "figures"

    def _figures(self, owner: Target, body: list[int], head: _Head | None) -> None:
        if self.start is None:
            return
        field, _, source = self.start.field.rpartition("_")
        keys = [key for key, _ in owner.sources]
        grid = MONEY if field in MONEY and source.isdigit() and int(source) in keys else None
        first_row, first_column = (keys.index(int(source)), MONEY.index(field)) if grid else (0, 0)
        line = 0
        for index in body:
            if _is_total(next((plain(cell) for cell in self.rows[index] if plain(cell)), "")):
                self.notes.append(Left(index + 1, self._shown(self.rows[index]), "合计行，不填"))
                continue
            for column, text in enumerate(self.rows[index]):
                unit = head.units.get(column, "") if head else ""
                place = self._place(keys, grid, first_row + line, first_column + column, column, line)
                if self._is_blank(text, place or MONEY[0]):
                    continue
                if place is None:
                    self.left.append(Left(index + 1, plain(text), "落在表外：从光标所在格起，右边或下面没有这么多格"))
                else:
                    self._put(index, owner.code, place, text, unit)
            line += 1

    def _place(self, keys: list[int], grid, row: int, column: int, across: int, down: int) -> str | None:
        """The field under a figure; the grid of money, else along the usual order from the cursor on in one line."""
        if grid:
            return f"{grid[column]}_{keys[row]}" if row < len(keys) and column < len(grid) else None
        if down or self.start is None:
            return None
        if self.start.field not in USUAL_ORDER:
            return self.start.field if across == 0 else None
        single = {field: f"{field}_{keys[0]}" for field in MONEY} if len(keys) == 1 else {}
        order = [single.get(field, field) for field in USUAL_ORDER if field not in MONEY or single]
        at = order.index(self.start.field) + across if self.start.field in order else len(order)
        return order[at] if at < len(order) else None

    # ── parts ──

    def _put(self, index: int, code: str, field: str, text: str, unit: str) -> None:
        kind = field.rpartition("_")[0] if field.rpartition("_")[0] in MONEY else field
        try:
            value = text.strip() if kind in TEXTS else day(text) if kind in DATES else number(text, unit, kind)
        except _Odd as fault:
            self.left.append(Left(index + 1, f"{code} {plain(text)[:40]}", str(fault)))
            return
        before = self.placed.get((code, field))
        if before is not None and before.text != value:
            self.left.append(Left(index + 1, f"{code} {plain(text)[:40]}", f"第 {before.row} 行已给了这一格：请只留一个"))
            return
        self.placed.setdefault((code, field), Placed(index + 1, code, field, value))

    def _is_blank(self, text: str, field: str) -> bool:
        kind = field.rpartition("_")[0] if field.rpartition("_")[0] in MONEY else field
        bare = plain(text)
        return bare == "" if kind in TEXTS else bool(NOTHING.fullmatch(bare)) or bare == "无"

    def _say_unknown(self, head: _Head) -> None:
        filled = [
            word for column, word in head.unknown if any(plain(self._at(index, column)) for index in head.rows)
        ]  # fmt: skip
        if filled:
            self.notes.append(Left(head.rows.start, "、".join(filled)[:80], "这些列不在填报项里，没有取用"))

    def _at(self, index: int, column: int) -> str:
        row = self.rows[index]
        return row[column] if column < len(row) else ""

    def _own(self) -> Target:
        return next(target for target in self.targets if self.start and target.code == self.start.code)

    def _target(self, word: str) -> Target | None:
        """The project of that number or name; of a part of a name, when only one has it."""
        bare = folded(word)
        if not bare:
            return None
        if found := self.by_code.get(_code(word)) or self.by_name.get(bare):
            return found
        if len(bare) < SHORTEST_PART:
            return None
        near = [target for name, target in self.by_name.items() if bare in name or (name in bare and len(name) >= SHORTEST_PART)]
        return near[0] if len(near) == 1 else None

    def _unknown_name(self, word: str) -> str:
        self.hints += 1
        near = difflib.get_close_matches(folded(word), self.by_name, n=1, cutoff=0.6) if self.hints <= MOST_HINTS else []
        hint = f"；是不是 {self.by_name[near[0]].code} {self.by_name[near[0]].name}？请改成编号再粘贴" if near else ""
        return f"不在您本周要填的项目里{hint}"

    def _source(self, owner: Target, word: str) -> int | None:
        bare = folded(word).removesuffix("资金").removesuffix("资")
        if not bare:
            return None
        labels = [(key, folded(label).removesuffix("资金").removesuffix("资")) for key, label in owner.sources]
        found = [key for key, label in labels if label == bare] or [key for key, label in labels if bare in label or label in bare]
        return found[0] if len(found) == 1 else None

    @staticmethod
    def _shown(row: Sequence[str]) -> str:
        return " ".join(plain(cell) for cell in row if plain(cell))[:80]


def _code(word: str) -> str:
    """LF-001, lf001, LF－１ alike."""
    bare = plain(word).upper().replace(" ", "").replace("—", "-").replace("–", "-")
    found = re.fullmatch(r"([A-Z]+)-?0*(\d+)", bare)
    return f"{found[1]}-{found[2]}" if found else bare


def _field(word: str) -> str | None:
    bare = folded(re.sub(r"[(\[（【].*?[)\]）】]|单位.*", "", plain(word)))
    for unit in ("万元", "亿元", "%"):
        bare = bare.removesuffix(unit)
    return FIELD_OF.get(bare)


def _is_total(word: str) -> bool:
    bare = plain(word).replace(" ", "")
    return bool(TOTAL.match(bare) or TOTAL_END.fullmatch(bare))


def read(text: str, targets: Sequence[Target], start: Start | None = None) -> Reading:
    """Every cell of `text` that finds a place in the reports of `targets`; the rest with its reason."""
    if len(text) > MOST_CHARACTERS:
        return Reading("nothing", (), (Left(1, "", f"粘贴的内容超过 {MOST_CHARACTERS // 10000} 万字：请分几次粘贴"),), ())
    rows = split(text)
    if not any(plain(cell) for row in rows for cell in row):
        return Reading("nothing", (), (Left(1, "", "没有内容：请先在 Excel 里选中单元格并复制"),), ())
    if len(rows) > MOST_ROWS or max(len(row) for row in rows) > MOST_COLUMNS:
        return Reading("nothing", (), (Left(1, "", f"超过 {MOST_ROWS} 行或 {MOST_COLUMNS} 列：请只复制要填的部分"),), ())
    return _Reader(rows, targets, start).read()


def remarks(reading: Reading) -> Iterator[str]:
    """What was not taken, one sentence each."""
    for left in (*reading.left, *reading.notes):
        yield f"第 {left.row} 行{f'“{left.text}”' if left.text else ''}：{left.reason}。"
