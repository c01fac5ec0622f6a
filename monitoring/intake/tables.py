"""Tables of values: workbook, CSV or a block pasted from Excel. `read_rows` understands them, the others only find the rows.

Wide: 断面 | 采样日期 | a column an item. Long: 断面 | 采样日期 | 指标 | 数值. Title rows above the head, a head of two lines, a row
of units below it, empty rows, totals and notes are understood. All faults of a table are told together: none of it is taken while
there is one.
"""

import csv
import dataclasses
import datetime as dt
import difflib
import functools
import io
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from django.utils import timezone

from linfen_water import clock
from linfen_water.tabular import NO_TABLE
from linfen_water.workbook import DAMAGED, NOT_CALCULATED, BadWorkbook, Broken, Cell, Percent, read_workbook
from monitoring import headings, limits
from monitoring.cells import BadCell, read_cell
from monitoring.enums import Cause, CellFlag, IntakeKind, ReadingFlag, StationState
from monitoring.intake import feed
from monitoring.intake.faults import BadFile
from monitoring.intake.feed import EXTRA_NAMES, EXTRAS, plain_name, shown
from monitoring.limits import Limit
from monitoring.models import Section
from monitoring.samples import Batch, Fault, Gap, Run, Sample, Value

LARGEST = 40 << 20  # bytes of a CSV
HEAD_WITHIN = 50  # filled rows in which the head is looked for
NOON = dt.time(12)  # of a sample whose hour nobody wrote down
NO_HEAD = "没有找到表头：须有一行写着“断面”“采样日期”和指标名称（如 氨氮、总磷），或“断面”“采样日期”“指标”“数值”。"

COLUMNS = {
    "section": ("断面", "断面名称", "监测断面", "点位", "点位名称", "监测点位", "站点", "站点名称", "section"),
    "time": ("采样日期", "采样时间", "监测日期", "监测时间", "日期", "时间", "月份", "监测月份", "年月", "sampled_at", "date"),
    "item": ("指标", "监测指标", "项目", "监测项目", "参数", "parameter", "item"),
    "value": ("数值", "监测值", "测定值", "浓度", "结果", "监测结果", "value"),
    "unit": ("单位", "计量单位", "unit"),
    "way": ("方式", "监测方式", "数据来源", "来源", "监测单位", "source"),
    "flag": ("标记", "实验室标记", "flag"),
    "class": ("水质类别", "类别"),
    "state": ("站点情况", "站点状态"),
    "note": ("备注", "说明"),
    "": (
        "序号", "编号", "河流", "河流名称", "所在河流", "流域", "水系", "省份", "城市", "县", "县(市、区)",
        "责任县(市、区)", "级别", "断面级别", "属性", "水体", "目标", "考核目标", "目标类别", "水质目标", "达标", "是否达标", "主要污染物",
        "主要污染物(倍数)", "超标项目", "定类指标", "同比", "环比", "上月类别", "经度", "纬度", "周边工程", "年度", "发布日",
    ),
}  # fmt: skip
KNOWN = {headings.plain(name): column for column, names in COLUMNS.items() for name in names}
GAPS = {
    "断流": Cause.NO_FLOW, "干涸": Cause.NO_FLOW, "无水": Cause.NO_FLOW, "结冰": Cause.FROZEN, "冰封": Cause.FROZEN, "封冻": Cause.FROZEN,
    "停站": Cause.STOPPED, "停测": Cause.STOPPED,
}  # fmt: skip
FLAGS = {
    "": ReadingFlag.VALID, "有效": ReadingFlag.VALID, "正常": ReadingFlag.VALID, "存疑": ReadingFlag.DOUBTFUL, "可疑": ReadingFlag.DOUBTFUL,
    "无效": ReadingFlag.INVALID, "不监测": ReadingFlag.NOT_MONITORED, "未监测": ReadingFlag.NOT_MONITORED,
}  # fmt: skip
_STATES = {state.label: state for state in StationState}
_TOTALS = re.compile(r"(合计|总计|小计|平均|均值|最大|最小|标准|达标率|注|备注|说明|填表|制表|审核|单位)")
_UNIT = re.compile(r"(?:[a-zμ个]+)\s*/\s*l", re.IGNORECASE)
_UNIT_CELL = re.compile(r"(mg|μg|ug|ng|g|个|cells)\s*/\s*l|无量纲|°c|ntu|[μm]s/c?m|[-/—]|单位", re.IGNORECASE)
_FLAGGED = re.compile(r"(.*?)\((存疑|可疑|无效)\)")
_DASHES = re.compile(r"[-‐‑–—−/]+")

Rows = Iterable[tuple[int, Sequence[Cell]]]


# ── Files ────────────────────────────────────────────────────────────────────────────────────────────────────────────
def read_file(
    data: bytes, *, name: str = "", year: int | None = None, is_automatic: bool = False, largest: int = feed.LARGEST
) -> tuple[IntakeKind, Batch]:
    """What a file holds, and what kind it is by its content: the feed's JSON, .xlsx, or CSV in UTF-8, GB18030 or UTF-16.

    `year` is the feed's, whose times have none; `largest` in bytes; its `name` only tells a damaged workbook from other bytes.
    Raises BadFile.
    """
    start = data[:200].lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n\0")
    if not data.strip():
        raise BadFile("文件是空的，请重新选择。")
    if data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        return IntakeKind.WORKBOOK, read_book(data, is_automatic=is_automatic, today=clock.today())
    if start.startswith(b"%PDF-"):
        raise BadFile(NO_TABLE)
    if start[:1] in (b"{", b"[", b"<"):
        return IntakeKind.FEED, feed.read_feed(data, now=feed.latest_now(), year=year, stations=feed.stations_of_region(), largest=largest)
    if name.casefold().endswith(".xlsx") and not _is_text(data):
        raise BadFile(DAMAGED)
    return IntakeKind.CSV, read_csv(data, is_automatic=is_automatic, today=clock.today())


def read_book(data: bytes, *, is_automatic: bool = False, today: dt.date) -> Batch:
    """All visible sheets of a workbook that have a head. Raises BadFile when none has."""
    try:
        sheets = read_workbook(data, with_times=True)
    except BadWorkbook as fault:
        raise BadFile(str(fault)) from None
    index = SectionIndex.of_region()
    result, read = Batch(), 0
    for sheet in sheets:
        if sheet.is_hidden:
            result.skipped.append(Fault(1, "", "", "隐藏的工作表，未导入", sheet.title))
            continue
        try:
            rows = [(row.number, row.cells) for row in sheet.rows]
            found = read_rows(rows, sheet=sheet.title, is_automatic=is_automatic, today=today, index=index)
        except BadFile:
            result.skipped.append(Fault(1, "", "", "没有找到表头，整张工作表未导入", sheet.title))
            continue
        read += 1
        for field in dataclasses.fields(Batch):
            if field.name != "is_feed":
                getattr(result, field.name).extend(getattr(found, field.name))
    if not read:
        raise BadFile(NO_HEAD)
    return result


def read_csv(data: bytes, *, is_automatic: bool = False, today: dt.date) -> Batch:
    """A CSV whose cells are parted by commas, tabs or semicolons. Raises BadFile."""
    if len(data) > LARGEST:
        raise BadFile(f"文件超过 {LARGEST >> 20} MB：请分成几个文件导入。")
    return read_paste(_text(data), is_automatic=is_automatic, today=today)


def read_paste(text: str, *, is_automatic: bool = False, today: dt.date) -> Batch:
    """A block of cells as Excel puts it on the clipboard, or the text of a CSV. Raises BadFile."""
    if "\0" in text:
        raise BadFile("不是表格：文件里有不是文字的内容。请用 Excel 打开后另存为 .xlsx 或 CSV。")
    first = next((line for line in text.splitlines() if line.strip()), "")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max("\t,;", key=first.count), strict=True)
    try:
        rows = [(number, [cell.strip() or None for cell in cells]) for number, cells in enumerate(reader, 1)]
    except csv.Error:
        raise BadFile(f"到文件第{reader.line_num}行为止读不成表格：检查引号是否成对。") from None
    return read_rows([(number, cells) for number, cells in rows if any(cells)], is_automatic=is_automatic, today=today)


def _text(data: bytes) -> str:
    encodings = ["utf-16"] if data[:2] in (b"\xff\xfe", b"\xfe\xff") else ["utf-8-sig", "gb18030"]
    for encoding in encodings:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise BadFile("认不出文件的文字编码：请用 Excel 打开后另存为 .xlsx 或“CSV UTF-8”。")


def _is_text(data: bytes) -> bool:
    try:
        return "\0" not in _text(data)
    except BadFile:
        return False


# ── Rows ─────────────────────────────────────────────────────────────────────────────────────────────────────────────
class SectionIndex:
    """Sections by their names, and by those of their stations."""

    def __init__(self, sections: Iterable[Section]):
        every = list(sections)
        self.by_name = {plain_name(one.station_name): one for one in every if one.station_name}
        self.by_name |= {plain_name(one.name): one for one in every}

    @classmethod
    def of_region(cls) -> "SectionIndex":
        return cls(Section.objects.all())

    def near(self, name: str) -> str:
        """A hint for a name that is not known: ，是不是“壶口”？"""
        found = difflib.get_close_matches(plain_name(name), self.by_name, 1, cutoff=0.6)
        return f"，是不是“{self.by_name[found[0]].name}”？" if found else ""


def read_rows(rows: Rows, *, sheet: str = "", is_automatic: bool = False, today: dt.date, index: SectionIndex | None = None) -> Batch:
    """What a table holds. `rows` are numbered as in Excel, blank ones may be left out; `index`: by default all our sections.

    A row that gives only a day stands for noon of that day, one that gives only a month for noon of its first day; where
    a sample of that day or month is on record, it is the one that is meant (`Sample.known_to`). Raises BadFile without a head.
    """
    filled = [(number, list(cells)) for number, cells in rows if any(cell is not None for cell in cells)]
    head = _find_head(filled, sheet)
    table = _Table(head, sheet, is_automatic, today, index or SectionIndex.of_region())
    for number, cells in filled:
        if number > head.ends_at:
            table.take(number, cells)
    return table.finish()


@dataclasses.dataclass(frozen=True)
class Head:
    """The headings: their texts, and what each column is ("" of no concern, None not known, else a name of COLUMNS or an item key)."""

    ends_at: int  # its last row
    texts: list[str]
    columns: list[str | None]
    month: tuple[dt.datetime, str] | None  # said above the table, when there is no column for it
    year: str = ""  # said above it, for days that have none
    unit: str = ""  # said above it for all its columns

    @property
    def is_long(self) -> bool:
        return "item" in self.columns and "value" in self.columns

    @property
    def is_usable(self) -> bool:
        has_values = self.is_long or any(column and _is_item(column) for column in self.columns)
        return "section" in self.columns and has_values


def _find_head(rows: list[tuple[int, list[Cell]]], sheet: str) -> Head:
    above: list[str] = [sheet]
    for place, (number, cells) in enumerate(rows[:HEAD_WITHIN]):
        texts = [_words(cell) for cell in cells]
        one_line = _head(number, texts, above)
        if one_line.is_usable:
            return one_line
        if "section" in one_line.columns and place + 1 < len(rows):
            below_number, below = rows[place + 1]
            width = max(len(cells), len(below))
            both = [_at(texts, n) or "" for n in range(width)]
            lower = [_words(cell) for cell in below]
            two_lines = _head(below_number, [(_at(lower, n) or both[n]) for n in range(width)], above)
            if two_lines.is_usable:
                return two_lines
        above += texts
    raise BadFile(NO_HEAD)


def _head(number: int, texts: list[str], above: list[str]) -> Head:
    columns = [_column(text) for text in texts]
    month = None if "time" in columns else _month_above(above)
    return Head(number, texts, columns, month, _only(r"(\d{4})\s*年", above), _only(_UNIT, [text for text in above if "单位" in text]))


def _only(pattern: str | re.Pattern, texts: list[str]) -> str:
    """What the texts say, when they say one thing only."""
    found = {re.sub(r"\s", "", said) for text in texts for said in re.findall(pattern, headings.plain(text))}
    return found.pop() if len(found) == 1 else ""


def _month_above(texts: list[str]) -> tuple[dt.datetime, str] | None:
    """The one month that titles or the sheet's name say."""
    found = {match.groups() for text in texts for match in re.finditer(r"(\d{4})\s*年\s*(\d{1,2})\s*月", text)}
    if len(found) != 1:
        return None
    year, month = found.pop()
    with_month = _moment(int(year), int(month))
    return (with_month, "month") if with_month else None


@functools.cache
def _aliases() -> dict[str, str]:
    return headings.aliases(limits.table()) | {headings.plain(name): key for name, key in EXTRA_NAMES.items()}


def _column(text: str) -> str | None:
    """What a heading names; its unit may follow in brackets, after a blank or a slash."""
    plain = headings.plain(text).replace("\n", "")
    if plain in KNOWN or not plain:
        return KNOWN.get(plain, "")
    return _item_key(plain)


def _item_key(text: str) -> str | None:
    """The item that a text names: 氨氮, NH3-N, 氨氮(mg/L), 氨氮 mg/L."""
    plain = headings.plain(text)
    bare = _UNIT.sub("", plain).strip(" ()")
    for name in (plain, plain.partition("(")[0].strip(), bare, bare.partition("(")[0].strip()):
        if name in _aliases():
            return _aliases()[name]
    return None


def _is_item(column: str) -> bool:
    return column in EXTRAS or column in limits.table().items


def _item(key: str) -> Limit:
    return EXTRAS.get(key) or limits.table().items[key]


def _name(key: str) -> str:
    return EXTRAS[key].name if key in EXTRAS else limits.table().name(key)


class _Bad(Exception):
    """One cell that cannot be taken."""

    def __init__(self, column: str, cell: Cell, reason: str):
        self.column, self.value, self.reason = column, shown(_words(cell)), reason


class _Table:
    """One table being read: its head, and what its rows have amounted to so far."""

    def __init__(self, head: Head, sheet: str, is_automatic: bool, today: dt.date, index: SectionIndex):
        self.head, self.sheet, self.is_automatic, self.today, self.index = head, sheet, is_automatic, today, index
        self.batch = Batch()
        self.place = {column: n for n, column in reversed(list(enumerate(head.columns))) if column}
        self.items = [(n, column) for n, column in enumerate(head.columns) if column and _is_item(column)]
        self.refused: set[str] = set()  # items whose heading or unit is at fault: their values mean nothing
        self.unknown = [n for n, column in enumerate(head.columns) if column is None]
        self.told: set[int] = set()  # unknown columns already refused: an empty one harms nobody
        self.before: dict[str, Cell] = {}  # section and time of the row above: merged cells of a long table
        self.runs: dict[tuple, tuple[int, Run]] = {}
        self.is_first = True
        self.is_over = False  # another table begins, which nobody can read by this one's head
        self._check_head()

    def _check_head(self) -> None:
        seen: set[str] = set()
        for n, column in enumerate(self.head.columns):
            if not column:
                continue
            if column in seen:
                self.error(self.head.ends_at, self.head.texts[n], "", "这一列出现了两次，不知用哪一列：只留一列")
                self.refused.add(column)
            seen.add(column)
            if _is_item(column) and (fault := _wrong_unit(column, self.head.texts[n]) or self._wrong_above(column, self.head.texts[n])):
                self.refused.add(column)
                self.error(self.head.ends_at, self.head.texts[n], "", fault)
        if "time" not in seen and self.head.month is None:
            self.error(self.head.ends_at, "采样日期", "", "缺少“采样日期”列：请补上，只知道月份的写成 2025-01")

    def _wrong_above(self, column: str, text: str) -> str:
        """Why the unit that stands above the table is not the item's, which names none itself."""
        is_said = self.head.unit and _item(column).unit == "mg/L" and not _UNIT.search(headings.plain(text))
        return _wrong_unit(column, self.head.unit) if is_said else ""

    # ── A row ──
    def take(self, number: int, cells: list[Cell]) -> None:
        if self.is_over:
            return
        if self.is_first:
            self.is_first = False
            if self._is_units(cells):
                self._check_units(number, cells)
                return
        self._refuse_unknown(cells)
        try:
            self._take(number, cells)
        except _Bad as fault:
            self.error(number, fault.column, fault.value, fault.reason)

    def _take(self, number: int, cells: list[Cell]) -> None:
        over = [cell for cell in cells[len(self.head.columns) :] if cell is not None]
        if over:
            raise _Bad("", over[0], f"本行有{len(cells)}格，表头只有{len(self.head.columns)}列：小数点用“.”，含逗号的文字须加引号")
        section = self._section(number, cells)
        if section is None:
            return
        is_automatic = self._is_automatic(cells)
        given = self._given(cells)
        gap = self._gap(cells)
        if not given and gap is None and not (is_automatic and self.cell(cells, "state")):
            self.skip(number, section.name, "这一行没有数值")
            return
        at, known_to = self._time(cells)
        if given and all(key in self.refused for _, key in given):
            return  # told at the head
        if gap is not None and not is_automatic:
            self._take_gap(number, section, at, gap, [(n, _at(cells, n)) for n, _ in given])
        elif is_automatic:
            self._take_run(number, section, at, known_to, cells)
        else:
            self._take_sample(number, section, at, known_to, cells)

    def _section(self, number: int, cells: list[Cell]) -> Section | None:
        """Whose values the row holds; None when it is a total, a note or not ours, which is noted."""
        cell = self.cell(cells, "section")
        if cell is None and self.head.is_long and self.cell(cells, "item") is not None:
            cell = self.before.get("section")
        name = _words(cell)
        if not name and not self._given(cells):
            first = _words(next((one for one in cells if one is not None), None))
            self.skip(number, first, "说明文字，未导入")
            return None
        if not name:
            raise _Bad("断面", None, "没有写断面")
        found = self.index.by_name.get(plain_name(name))
        if found is None and _column(name) == "section":
            self._refuse_other_head(cells)
            self.skip(number, name, "重复的表头，未导入")
            return None
        if found is None:
            is_note = _TOTALS.match(plain_name(name)) is not None
            self.skip(number, name, "合计行或说明文字，未导入" if is_note else f"没有这个断面{self.index.near(name)}")
            self.before.pop("section", None)
            return None
        self.before["section"] = cell
        return found

    def _refuse_other_head(self, cells: list[Cell]) -> None:
        columns = [_column(_words(cell)) for cell in cells]
        if any(column and column != _at(self.head.columns, n) for n, column in enumerate(columns)):
            self.is_over = True
            raise _Bad("断面", None, f"这里又有一个表头，与第{self.head.ends_at}行的列不同，以下没有读：请分成两张工作表")

    def _is_automatic(self, cells: list[Cell]) -> bool:
        way = _words(self.cell(cells, "way"))
        return "自动" in way or (self.is_automatic and not re.search("手工|人工|实验室", way))

    def _time(self, cells: list[Cell]) -> tuple[dt.datetime, str]:
        if "time" not in self.place:
            if self.head.month is None:
                raise _Bad("采样日期", None, "没有写采样日期")
            at, known_to = self.head.month
        else:
            heading = self.head.texts[self.place["time"]]
            cell = self.cell(cells, "time")
            if cell is None and self.head.is_long:
                cell = self.before.get("time")
            self.before["time"] = cell
            try:
                is_short = isinstance(cell, str) and self.head.year and _NO_YEAR.fullmatch(_words(cell))
                at, known_to = read_time(f"{self.head.year}年{_words(cell)}" if is_short else cell)
            except ValueError as fault:
                raise _Bad(heading, cell, str(fault)) from None
        if at.date() > self.today:
            raise _Bad("采样日期", self.cell(cells, "time"), f"日期在将来（今天是{self.today:%Y-%m-%d}）：请核对年份和月份")
        if at.date() < limits.first_day():
            raise _Bad("采样日期", self.cell(cells, "time"), "年份太早：请核对")
        return timezone.make_aware(at), known_to

    def _given(self, cells: list[Cell]) -> list[tuple[int, str]]:
        """The value cells that are filled, as place and item; not those that only say why there is no value."""
        if self.head.is_long:
            place = self.place["value"]
            return [(place, "")] if (cell := _at(cells, place)) is not None and _words(cell) not in GAPS else []
        return [(n, key) for n, key in self.items if (cell := _at(cells, n)) is not None and _words(cell) not in GAPS]

    def _gap(self, cells: list[Cell]) -> Cause | None:
        """Why the section was not sampled, wherever the row says so."""
        places = [n for n, _ in self.items] + [
            self.place[name] for name in ("value", "item", "class", "flag", "note") if name in self.place
        ]
        found = {GAPS[word]: place for place in places if (word := _words(_at(cells, place))) in GAPS}
        if len(found) > 1:
            place = max(found.values())
            raise _Bad(self.head.texts[place], _at(cells, place), "一行里写了几种原因：只写一种")
        return next(iter(found), None)

    def _take_gap(self, number: int, section: Section, at: dt.datetime, cause: Cause, given: list[tuple[int, Cell]]) -> None:
        for n, cell in given:
            if not _DASHES.fullmatch(_words(cell)) and _words(cell) != "*":
                raise _Bad(self.head.texts[n], cell, f"同一行写着{cause.label}又有数值：请只留一样")
        month = timezone.localtime(at).date().replace(day=1)
        self.batch.gaps.append(Gap(section, month, cause, place=self.words_of_place(number)))

    # ── Laboratory values ──
    def _take_sample(self, number: int, section: Section, at: dt.datetime, known_to: str, cells: list[Cell]) -> None:
        values: dict[str, Value] = {}
        row_flag = self._flag(cells)
        for heading, key, cell in self._cells(cells):
            if key in EXTRAS:
                self.skip(number, heading, "手工监测不收这一项，未导入")
                continue
            try:
                value = read_value(cell, _item(key), row_flag)
            except BadCell as fault:
                self.error(number, heading, shown(_words(cell)), str(fault))
                continue
            if value is not None:
                values[key] = value
        if values:
            way = _words(self.cell(cells, "way"))
            source = way if way and not re.search("自动|手工|人工", way) else "手工监测"
            self.batch.samples.append(Sample(section, at, values, source, self.words_of_place(number), known_to))

    def _flag(self, cells: list[Cell]) -> ReadingFlag:
        text = _words(self.cell(cells, "flag"))
        if text in GAPS:
            return ReadingFlag.VALID
        if text not in FLAGS:
            raise _Bad("标记", text, f"不认识的标记：填 {'、'.join(name for name in FLAGS if name)} 或留空")
        return FLAGS[text]

    def _cells(self, cells: list[Cell]) -> Iterator[tuple[str, str, Cell]]:
        """Heading, item and cell of each value in the row; faults of item and unit are told here."""
        if not self.head.is_long:
            if "unit" in self.place and (unit := _words(self.cell(cells, "unit"))):
                for n, key in self.items:
                    if _at(cells, n) is not None and (fault := _wrong_unit(key, unit)):
                        raise _Bad(self.head.texts[self.place["unit"]], unit, fault)
            items = [(n, key) for n, key in self.items if key not in self.refused]
            yield from ((self.head.texts[n], key, _at(cells, n)) for n, key in items if _at(cells, n) is not None)
            return
        text = _words(self.cell(cells, "item"))
        found = _item_key(text) if text else None
        if found is None:
            raise _Bad("指标", text or None, f"不认识的指标{_near_item(text)}" if text else "没有写指标")
        unit = _words(self.cell(cells, "unit")) or text
        if fault := _wrong_unit(found, unit):
            raise _Bad("单位" if unit != text else "指标", unit, fault)
        yield _name(found), found, self.cell(cells, "value")

    # ── Runs of stations ──
    def _take_run(self, number: int, section: Section, at: dt.datetime, known_to: str, cells: list[Cell]) -> None:
        if known_to != "minute":
            raise _Bad("采样日期", self.cell(cells, "time"), "自动站数据须写到小时，例如 2025-01-06 08:00")
        values: dict[str, str] = {}
        flags: dict[str, str] = {}
        present = list(self._cells(cells))
        for heading, key, cell in present:
            if _words(cell) in GAPS:
                flags[key] = CellFlag.MISSING
                continue
            if not isinstance(cell, str | Decimal) or isinstance(cell, Percent):
                self.error(number, heading, shown(_words(cell)), _not_a_number(cell))
                continue
            try:
                value, flag = feed.station_cell(cell if isinstance(cell, str) else f"{cell:f}", _item(key))
            except feed.BadRow as fault:
                self.error(number, heading, shown(str(fault.value)), fault.reason)
                continue
            if value is not None:
                values[key] = value
            elif flag:
                flags[key] = flag
        if not self.head.is_long:
            flags |= {key: CellFlag.MISSING for n, key in self.items if key not in self.refused and _at(cells, n) is None}
        self._keep_run(number, self._run(section, at, values, flags, cells, number))

    def _run(self, section: Section, at: dt.datetime, values: dict, flags: dict, cells: list[Cell], number: int) -> Run:
        text = _words(self.cell(cells, "class"))
        try:
            feed_class = None if text in GAPS else feed.read_class(text)
        except feed.BadRow as fault:
            raise _Bad("水质类别", text, fault.reason) from None
        state = _words(self.cell(cells, "state")) or ("停站" if self._gap(cells) == Cause.STOPPED else "正常")
        state_of_station = _STATES.get(state, StationState.UNKNOWN)
        return Run(section, at, values, flags, state_of_station, feed_class, self.words_of_place(number))

    def _keep_run(self, number: int, run: Run) -> None:
        """One run a station and time; a long table gives its items one by one."""
        row, before = self.runs.get((run.section.pk, run.at), (0, None))
        if before is None:
            self.runs[run.section.pk, run.at] = number, run
            return
        same = {key: before.values.get(key, before.flags.get(key)) for key in (*run.values, *run.flags)}
        new = {key for key in same if same[key] is None}
        if self.head.is_long and all(key in new or same[key] == run.values.get(key, run.flags.get(key)) for key in same):
            values, flags = {**before.values, **run.values}, {**before.flags, **run.flags}
            self.runs[run.section.pk, run.at] = row, dataclasses.replace(before, values=values, flags=flags)
        elif (dict(before.values), dict(before.flags)) != (dict(run.values), dict(run.flags)):
            reason = f"第{row}行已有这个断面同一时间的数据，数值不同：请只保留一行"
            self.error(number, "采样日期", f"{timezone.localtime(run.at):%Y-%m-%d %H:%M}", reason)

    def finish(self) -> Batch:
        self.batch.runs = [run for _, run in self.runs.values()]
        return self.batch

    # ── Units ──
    def _is_units(self, cells: list[Cell]) -> bool:
        """A row below the head that holds nothing but units."""
        texts = [_words(cell) for cell in cells if cell is not None]
        return self.cell(cells, "time") is None and all(_UNIT_CELL.fullmatch(headings.plain(text)) for text in texts)

    def _check_units(self, number: int, cells: list[Cell]) -> None:
        for n, key in self.items:
            if fault := _wrong_unit(key, _words(_at(cells, n))):
                self.refused.add(key)
                self.error(number, self.head.texts[n], _words(_at(cells, n)), fault)

    def _refuse_unknown(self, cells: list[Cell]) -> None:
        for n in self.unknown:
            if n not in self.told and _at(cells, n) is not None:
                self.told.add(n)
                reason = f"不认识的列{_near_item(self.head.texts[n])}：改正列名，或删去这一列"
                self.error(self.head.ends_at, shown(self.head.texts[n]), "", reason.replace("？：", "？"))

    # ── Small things ──
    def cell(self, cells: list[Cell], column: str) -> Cell:
        return _at(cells, self.place[column]) if column in self.place else None

    def words_of_place(self, number: int) -> str:
        return f"{self.sheet} 第{number}行".strip()

    def error(self, number: int, column: str, value: str, reason: str) -> None:
        self.batch.errors.append(Fault(number, column, value, reason, self.sheet))

    def skip(self, number: int, value: str, reason: str) -> None:
        self.batch.skipped.append(Fault(number, "", shown(value), reason, self.sheet))


# ── Cells ────────────────────────────────────────────────────────────────────────────────────────────────────────────
def read_value(cell: Cell, item: Limit, flag: ReadingFlag = ReadingFlag.VALID) -> Value | None:
    """One laboratory value: 0.52, <0.025, 0.025L, -- (missing), * (not monitored), 0.52（存疑）; None of an empty cell.

    `flag` is what the row says of all its values. Raises BadCell with the reason.
    """
    if cell is None:
        return None
    if isinstance(cell, Percent) or not isinstance(cell, str | Decimal):
        raise BadCell(_not_a_number(cell))
    text = unicodedata.normalize("NFKC", cell).strip() if isinstance(cell, str) else f"{cell:f}"
    if found := _FLAGGED.fullmatch(text):
        text, flag = found[1].strip(), FLAGS[found[2]]
    read = read_cell(text, item)
    if flag == ReadingFlag.NOT_MONITORED and read.value is not None:
        raise BadCell("标记为不监测，却有数值：请只留一样")
    if not read.is_monitored:
        return Value(flag=ReadingFlag.NOT_MONITORED)
    if read.value is None:
        return Value(flag=flag if flag == ReadingFlag.NOT_MONITORED else ReadingFlag.VALID)
    return Value(read.value, read.is_below_detection, flag)


def _not_a_number(cell: Cell) -> str:
    if isinstance(cell, Broken):
        again = "在 Excel 中重新计算并保存，或" if cell.text == NOT_CALCULATED else ""
        return f"没有数值：请{again}改成数值"
    if isinstance(cell, Percent):
        return "单元格是百分数：请改成数值格式后核对"
    return "单元格是日期，不是数值：请改成数值格式后核对"


_DAY = re.compile(
    r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?"
    r"(?:[ T]*(\d{1,2})\s*[:时点]\s*(\d{1,2})?分?(?::\d{1,2}(?:\.0+)?)?)?",
    re.ASCII,
)
_MONTH = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*月?\s*(?:底|初|中旬|份|上旬|下旬)?", re.ASCII)
_TOGETHER = re.compile(r"(\d{4})(\d{2})(\d{2})?", re.ASCII)
_NO_YEAR = re.compile(r"\d{1,2}\s*[-/.月]\s*\d{1,2}\s*日?(\s.*)?", re.ASCII)
NOT_A_DATE = "不是日期：写成 2025-01-06、2025-01-06 10:00 或 2025-01"


def read_time(cell: Cell) -> tuple[dt.datetime, str]:
    """When a sample was taken (local time), and how exactly that is known: minute, day or month.

    Raises ValueError with the Chinese sentence.
    """
    if isinstance(cell, dt.datetime):
        return cell.replace(second=0, microsecond=0) + dt.timedelta(minutes=cell.second >= 30), "minute"
    if isinstance(cell, dt.date):
        return dt.datetime.combine(cell, NOON), "day"
    if cell is None or isinstance(cell, Broken | Percent):
        raise ValueError("没有写采样日期" if cell is None else NOT_A_DATE)
    if isinstance(cell, Decimal):
        return _time_of_number(cell)
    text = unicodedata.normalize("NFKC", cell).strip()
    if found := _DAY.fullmatch(text):
        year, month, day, hour, minute = (None if part is None else int(part) for part in found.groups())
        at = _moment(year, month, day, hour, minute or 0)
        return _sure(at), "day" if hour is None else "minute"
    if found := _MONTH.fullmatch(text):
        return _sure(_moment(int(found[1]), int(found[2]))), "month"
    if re.fullmatch(r"\d{5}(\.\d+)?|\d{6}|\d{8}", text, re.ASCII):
        return _time_of_number(Decimal(text))
    raise ValueError("没有写年份：写成 2025-01-06" if _NO_YEAR.fullmatch(text) else NOT_A_DATE)


def _time_of_number(number: Decimal) -> tuple[dt.datetime, str]:
    """A spreadsheet's day number (45366), 202501, 20250106, or 2025.12 typed as a number."""
    if 20_000 < number < 80_000:
        at = dt.datetime(1899, 12, 30) + dt.timedelta(minutes=round(number * 1440))  # noqa: DTZ001 - local, made aware later
        return (dt.datetime.combine(at.date(), NOON), "day") if number == int(number) else (at, "minute")
    text = f"{number:f}"
    if found := _TOGETHER.fullmatch(text):
        day = _moment(int(found[1]), int(found[2]), int(found[3] or 1))
        return _sure(day), "day" if found[3] else "month"
    if found := re.fullmatch(r"(\d{4})\.(\d{1,2})", text, re.ASCII):
        if found[2] == "1":
            raise ValueError("可能是1月，也可能是10月（数值丢了末尾的0）：写成 2025-01")
        return _sure(_moment(int(found[1]), int(found[2]))), "month"
    raise ValueError(NOT_A_DATE)


def _moment(year, month, day=1, hour=None, minute=0) -> dt.datetime | None:
    try:
        return dt.datetime(year, month, day, NOON.hour if hour is None else hour, minute)  # noqa: DTZ001 - local
    except ValueError:
        return None


def _sure(at: dt.datetime | None) -> dt.datetime:
    if at is None:
        raise ValueError("没有这一天：请核对日期")
    return at


def _wrong_unit(key: str, text: str) -> str:
    """Why the unit that a text names is not the item's; "" when it is, or when it names none."""
    item = _item(key)
    found = _UNIT.search(headings.plain(text))
    if not found:
        return ""
    said = re.sub(r"\s", "", found[0])
    factor = "（1 μg/L = 0.001 mg/L）" if item.unit == "mg/L" and said in ("μg/l", "ug/l") else ""
    return "" if said == item.unit.casefold() else f"单位须为{item.unit}，请换算后再导入{factor}"


def _near_item(text: str) -> str:
    found = difflib.get_close_matches(headings.plain(text), _aliases(), 1, cutoff=0.6)
    return f"，是不是“{_name(_aliases()[found[0]])}”？" if found else ""


def _words(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, Decimal):
        return f"{cell:f}"
    return unicodedata.normalize("NFKC", str(cell)).strip()


def _at(cells: Sequence, place: int):
    return cells[place] if place < len(cells) else None
