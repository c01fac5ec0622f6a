"""The JSON of the national automatic stations (国家地表水水质自动监测), read into runs: `read_feed`.

Form: `{"result": 1, "thead": [17 names], "tbody": [[17 cells], …]}`. Cells are HTML now and then and times have no year. A
row that cannot be read stays out alone with its reason; rows of stations that are not ours are counted as skipped.
"""

import datetime as dt
import functools
import json
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from html.parser import HTMLParser

from django.utils import timezone

from linfen_water import clock
from linfen_water.models import Region
from monitoring import headings, limits
from monitoring.cells import BadCell, Cell, read_cell
from monitoring.enums import CellFlag, StationState, WaterClass
from monitoring.intake.faults import BadFile
from monitoring.limits import Limit
from monitoring.models import Section
from monitoring.samples import Batch, Fault, Run

LARGEST = 20 << 20  # bytes of an answer or an upload
LONGEST_CELL = 500  # characters; reading HTML that never ends takes time by the square of it
SMALLEST = -15  # the power of ten below which no instrument tells a value from nothing
MOST_BRACKETS = 2_000_000  # lists and objects in it, each of which costs memory before anything is known of it

# Where the columns stand when the head does not say so.
ORDER = (
    "province", "basin", "name", "time", "class", "water_temp", "ph", "do", "conductivity", "turbidity", "codmn", "nh3n",
    "tp", "tn", "chla", "algae", "state",
)  # fmt: skip
HEADINGS = {
    "省份": "province", "省": "province", "流域": "basin", "断面名称": "name", "断面": "name", "站点名称": "name",
    "监测时间": "time", "时间": "time", "水质类别": "class", "站点情况": "state", "站点状态": "state",
}  # fmt: skip


def _extra(key: str, name: str, unit: str) -> Limit:
    return Limit(key, name, unit, "le", (), is_assessed=False, decimals=None)


# What stations measure beside the items of the standard; no limits are laid down for them.
EXTRAS = {
    item.key: item
    for item in (
        _extra("conductivity", "电导率", "μS/cm"),
        _extra("turbidity", "浊度", "NTU"),
        _extra("chla", "叶绿素α", "mg/L"),
        _extra("algae", "藻密度", "cells/L"),
    )
}
EXTRA_NAMES = {"电导率": "conductivity", "浊度": "turbidity", "叶绿素α": "chla", "叶绿素a": "chla", "叶绿素": "chla", "藻密度": "algae"}
POSSIBLE = {  # beyond these no sensor is believed
    "water_temp": (Decimal(-5), Decimal(60)),
    "conductivity": (Decimal(0), Decimal(1_000_000)),
    "turbidity": (Decimal(0), Decimal(1_000_000)),
    "algae": (Decimal(0), Decimal(10) ** 13),
}

NOT_JSON = "不是完整的自动站数据（JSON），可能没有下载完：请重新下载后再试。"
TOO_LONG = f"格子里超过{LONGEST_CELL}个字，不是监测数据"
WRONG_SHAPE = "不是国家自动站数据：须有 result、thead 和 tbody，tbody 逐条是一个断面的各格。"
_SPAN = re.compile(r"<span[^<>]*\stitle=(['\"])原始值：(\d+(?:\.\d+)?)\1[^<>]*>\s*\d+(?:\.\d+)?\s*</span>", re.ASCII)
_RAW = re.compile(r"原始值\s*[:：]\s*(\S+)")
_TIME = re.compile(r"(?:(\d{4})[-/])?(\d{1,2})[-/](\d{1,2})[ T]+(\d{1,2}):(\d{2})(?::\d{2})?", re.ASCII)
_DASHES = re.compile(r"[-‐‑–—−]*")
_ROMAN = {"I": 1, "II": 2, "III": 3, "IV": 4, "V": 5, "劣V": 6}
_STATES = {state.label: state for state in StationState}


# ── Stations ─────────────────────────────────────────────────────────────────────────────────────────────────────────
class StationIndex:
    """Our sections by what the feed calls them: one name exists in two provinces, so the province counts too."""

    def __init__(self, sections: Iterable[Section], province: str = ""):
        """`province`: of sections that do not name one; where that is blank as well, the name alone must do."""
        self.by_name: dict[str, dict[str, Section]] = defaultdict(dict)
        for section in sections:
            name = plain_name(section.station_name or section.name)
            self.by_name[name][plain_province(section.station_province or province)] = section

    @property
    def has_uncertain(self) -> bool:
        return any("" in found for found in self.by_name.values())

    def find(self, province: str, name: str) -> Section | None:
        """The section of a station; one whose province nobody knows fits any."""
        found = self.by_name.get(plain_name(name), {})
        return found.get(plain_province(province)) or found.get("")

    def is_certain(self, name: str) -> bool:
        """Whether the province decides; else two provinces with this name cannot be told apart."""
        return "" not in self.by_name.get(plain_name(name), {})


def stations_of_region() -> StationIndex:
    """The index of all our sections. Two queries."""
    return StationIndex(Section.objects.all(), Region.current().settings.get("province", ""))


def plain_name(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split())


@functools.lru_cache(maxsize=200)
def plain_province(text: str) -> str:
    """山西 of 山西省, 内蒙古 of 内蒙古自治区."""
    return re.sub(r"(省|市|(壮族|回族|维吾尔)?自治区)$", "", plain_name(text))


# ── The file ─────────────────────────────────────────────────────────────────────────────────────────────────────────
def read_feed(data: bytes | str, *, now: dt.datetime, year: int | None, stations: StationIndex, largest: int = LARGEST) -> Batch:
    """The runs of our stations. Times have no year: `year`, else the latest that puts nothing after `now`, row by row.

    Raises BadFile when the file as a whole is of no use.
    """
    if len(data) > largest:
        raise BadFile(f"文件超过 {largest >> 20} MB：请分几次下载、导入。")
    table = _table(data if isinstance(data, str) else decode(data))
    return _Reading(table, now, year, stations).batch


def latest_now() -> dt.datetime:
    """The last moment that is not in the future: of the business date its end, since its hours are not those of the stations."""
    if clock.today() == timezone.localdate():
        return timezone.now() + dt.timedelta(minutes=30)  # clocks of stations run ahead a little
    return timezone.make_aware(dt.datetime.combine(clock.today(), dt.time(23, 59)))


def decode(data: bytes) -> str:
    """JSON is UTF-8, -16 or -32 by its first bytes; some tools save it in GB18030."""
    try:
        return data.decode(json.detect_encoding(data))
    except UnicodeDecodeError:
        pass
    try:
        return data.decode("gb18030")
    except UnicodeDecodeError:
        raise BadFile(NOT_JSON) from None


def _table(text: str) -> dict:
    """The answer as an object whose `tbody` is a list. Numbers stay the text that they are."""
    text = text.strip("\ufeff \t\r\n\0")
    if not text:
        raise BadFile("文件是空的：没有收到自动站数据。")
    if text.startswith("<"):
        raise BadFile("收到的是网页，不是自动站数据：平台可能正在维护，请稍后再试。")
    if text.count("[") + text.count("{") > MOST_BRACKETS:
        raise BadFile("条数过多：请分几次下载、导入。")
    try:
        found = json.loads(text, parse_float=str, parse_int=str, parse_constant=str)
    except (ValueError, RecursionError):
        raise BadFile(NOT_JSON) from None
    if not isinstance(found, dict):
        raise BadFile(WRONG_SHAPE)
    if str(found.get("result", "1")) not in ("1", "True"):
        raise BadFile(f"平台答复没有数据（result={shown(found['result'])}）：请稍后再试。")
    if not isinstance(found.get("tbody"), list):
        raise BadFile(WRONG_SHAPE)
    return found


class _Reading:
    """One file being read."""

    def __init__(self, table: dict, now: dt.datetime, year: int | None, stations: StationIndex):
        self.now, self.year, self.stations = timezone.localtime(now), year, stations
        self.columns = _columns(table.get("thead"))
        self.places = {column: place for place, column in enumerate(self.columns) if column}
        self.items = [(place, item_of(column)) for place, column in enumerate(self.columns) if column and is_item(column)]
        self.moments: dict[str, dt.datetime] = {}
        self.batch = Batch(is_feed=True)
        rows = table["tbody"]
        self.unclear = self._unclear(rows)
        for number, row in enumerate(rows, 1):
            try:
                self.take(number, row)
            except BadRow as fault:
                self.batch.errors.append(Fault(number, fault.column, shown(fault.value), fault.reason))

    def _unclear(self, rows: Sequence) -> set[str]:
        """Names of ours that stand in this file for several provinces, when nobody said which one is meant."""
        provinces = defaultdict(set)
        for row in rows if self.stations.has_uncertain else []:
            if isinstance(row, list) and len(row) == len(self.columns):
                name = self.text(row, "name")
                if name in self.stations.by_name and not self.stations.is_certain(name):
                    provinces[name].add(plain_province(self.text(row, "province")))
        return {name for name, found in provinces.items() if len(found) > 1}

    def text(self, row: list, column: str) -> str:
        return words(row[self.places[column]])[0] if column in self.places else ""

    def take(self, number: int, row) -> None:
        if not isinstance(row, list) or len(row) != len(self.columns):
            size = f"有{len(row)}格" if isinstance(row, list) else "不是一行"
            raise BadRow("", row, f"本条{size}，应有{len(self.columns)}格")
        if any(isinstance(cell, (list, dict)) for cell in row):
            raise BadRow("", row, "格子里不是文字或数值")
        if any(map(_is_too_long, row)):
            raise BadRow("", row, TOO_LONG)
        name = self.text(row, "name")
        section = self.stations.find(self.text(row, "province"), name)
        if section is None:
            self.batch.skipped.append(Fault(number, "断面名称", shown(name), "不是本系统的断面"))
            return
        if plain_name(name) in self.unclear:
            raise BadRow("断面名称", name, "文件里有两个省的同名断面：请在断面设置中填写自动站省份")
        state = _STATES.get(self.text(row, "state"), StationState.UNKNOWN)
        time = self.text(row, "time")
        if _DASHES.fullmatch(time) and state != StationState.NORMAL:
            self.batch.skipped.append(Fault(number, "监测时间", time, f"没有监测时间（{state.label}）"))
            return
        values, flags = self._values(row)
        feed_class = read_class(self.text(row, "class")) if "class" in self.places else None
        self.batch.runs.append(Run(section, self.moment(time), values, flags, state, feed_class, f"第{number}条"))

    def moment(self, text: str) -> dt.datetime:
        """A time is the same for all stations that were read then: found once."""
        if text not in self.moments:
            self.moments[text] = moment(text, now=self.now, year=self.year)
        return self.moments[text]

    def _values(self, row: list) -> tuple[dict[str, str], dict[str, str]]:
        values: dict[str, str] = {}
        flags: dict[str, str] = {}
        for place, item in self.items:
            value, flag = station_cell(row[place], item)
            if value is not None:
                values[item.key] = value
            elif flag:
                flags[item.key] = flag
        return values, flags


class BadRow(Exception):
    """A row that cannot be taken: which column, what stood there, and why in Chinese."""

    def __init__(self, column: str, value, reason: str):
        self.column, self.value, self.reason = column, value, reason


# ── Columns ──────────────────────────────────────────────────────────────────────────────────────────────────────────
def _columns(thead) -> list[str]:
    """What each column is, by the names in the head if it has them, else by the order laid down; "" for one not known."""
    names = [words(cell)[0] for cell in thead] if isinstance(thead, list) else []
    known = [column_of(name) for name in names]
    if not any(known):
        return list(ORDER)
    if missing := [heading for heading in ("断面名称", "监测时间") if HEADINGS[heading] not in known]:
        raise BadFile(f"表头缺少{'、'.join(missing)}：{WRONG_SHAPE}")
    for column in known:
        if column and known.count(column) > 1:
            raise BadFile(f"表头里“{names[known.index(column)]}”出现了两次，不知用哪一列。")
    return known


def column_of(name: str) -> str:
    """What a heading such as 高锰酸盐指数(mg/L) names; "" when it is not known. Raises BadFile for another unit than ours."""
    plain = headings.plain(name)
    short = plain.partition("(")[0].strip()
    found = HEADINGS.get(short) or EXTRA_NAMES.get(short) or _item_aliases().get(plain) or _item_aliases().get(short) or ""
    if found and is_item(found) and found not in EXTRAS and "g/l" in plain and item_of(found).unit.casefold() not in plain:
        raise BadFile(f"“{shown(name)}”的单位须为{item_of(found).unit}。")
    return found


@functools.cache
def _item_aliases() -> dict[str, str]:
    return headings.aliases(limits.table())


def is_item(column: str) -> bool:
    return column in EXTRAS or column in limits.table().items


def item_of(key: str) -> Limit:
    return EXTRAS.get(key) or limits.table().items[key]


# ── Cells ────────────────────────────────────────────────────────────────────────────────────────────────────────────
class _Words(HTMLParser):
    """The text of a cell and the titles of its tags; what a script or style holds is no text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text: list[str] = []
        self.titles: list[str] = []
        self.silent = 0

    def handle_starttag(self, tag, attrs):
        self.silent += tag in ("script", "style")
        self.titles += [value for name, value in attrs if name == "title" and value]

    def handle_endtag(self, tag):
        self.silent -= tag in ("script", "style") and self.silent > 0

    def handle_data(self, data):
        if not self.silent:
            self.text.append(data)


@functools.lru_cache(maxsize=20_000)
def _words(cell: str) -> tuple[str, str]:
    if "<" not in cell and "&" not in cell:
        return unicodedata.normalize("NFKC", cell).strip(), ""
    parser = _Words()
    parser.feed(cell)
    parser.close()
    return unicodedata.normalize("NFKC", "".join(parser.text)).strip(), " ".join(parser.titles)


def words(cell) -> tuple[str, str]:
    """Text and title of a cell: `<span title='原始值：2.0036'>2.00</span>` is 2.00 and 原始值：2.0036. Full-width forms are folded."""
    return ("", "") if _is_too_long(cell) else _words("" if cell is None else cell if isinstance(cell, str) else str(cell))


def _is_too_long(cell) -> bool:
    return isinstance(cell, str) and len(cell) > LONGEST_CELL


@functools.lru_cache(maxsize=50_000)
def _station_cell(text: str, key: str) -> tuple[str | None, str]:
    item = item_of(key)
    if (found := _SPAN.fullmatch(text)) is not None:  # nearly every cell with a value
        return _value(found[2], item), ""
    said, title = words(text)
    if said == "*":
        return None, ""
    if _DASHES.fullmatch(said):
        return None, CellFlag.EXTREME if "极值" in title else CellFlag.MISSING
    raw = _RAW.search(unicodedata.normalize("NFKC", title))
    return _value(raw[1] if raw else said, item), ""


def station_cell(cell, item: Limit) -> tuple[str | None, str]:
    """Value as published and unrounded, or why there is none (CellFlag); neither: not monitored. Raises BadRow."""
    try:
        if _is_too_long(cell):
            raise BadCell(TOO_LONG)
        return _station_cell("" if cell is None else cell if isinstance(cell, str) else str(cell), item.key)
    except BadCell as fault:
        raise BadRow(limits.table().name(item.key) if item.key not in EXTRAS else item.name, words(cell)[0], str(fault)) from None


def _value(text: str, item: Limit) -> str:
    found: Cell = read_cell(text, item)
    if found.value is None:
        raise BadCell("不是数值")
    low, high = POSSIBLE.get(item.key, (None, None))
    if low is not None and high is not None and not low <= found.value <= high:
        raise BadCell(f"超出{low}到{high:,}（{item.unit}），不可能：请核对原始记录")
    if found.value and found.value.adjusted() < SMALLEST:
        raise BadCell("小得不可能：请核对原始记录")
    value = found.value / 2 if found.is_below_detection else found.value  # what a value below detection counts for
    return text if _PLAIN.fullmatch(text) else f"{value:f}"


_PLAIN = re.compile(r"\d+(\.\d+)?", re.ASCII)


def read_class(text: str) -> WaterClass | None:
    """The class that a station was given: Ⅳ, IV, 劣V; None for "", - and *. Raises BadRow."""
    plain = unicodedata.normalize("NFKC", text).upper().replace("类", "").replace(" ", "")
    if plain == "*" or _DASHES.fullmatch(plain):
        return None
    if plain not in _ROMAN:
        raise BadRow("水质类别", text, "不是水质类别：应为Ⅰ至劣Ⅴ")
    return WaterClass(_ROMAN[plain])


def moment(text: str, *, now: dt.datetime, year: int | None) -> dt.datetime:
    """The time `MM-DD HH:mm`, in `year`, else in the latest year that does not put it after `now`. Raises BadRow."""
    found = _TIME.fullmatch(text)
    if not found:
        raise BadRow("监测时间", text, "不是监测时间：应为“月-日 时:分”")
    given, month, day, hour, minute = (int(part) if part else None for part in found.groups())
    years: Iterable[int] = [y] if (y := given or year) else range(now.year, now.year - 9, -1)  # eight years without 29 February
    for one in years:
        at = _aware(one, month, day, hour, minute)
        if at and at <= now:
            if at.date() < limits.first_day():
                raise BadRow("监测时间", text, "年份太早：请核对")
            return at
        if at and (given or year):
            raise BadRow("监测时间", text, f"{one}年的这个时间还没有到：请核对年份")
    raise BadRow("监测时间", text, f"{y}年没有这个时间" if (y := given or year) else "没有这个时间")


def _aware(*parts) -> dt.datetime | None:
    try:
        return timezone.make_aware(dt.datetime(*parts))  # noqa: DTZ001 - made aware here
    except ValueError:
        return None


def shown(value) -> str:
    """Of a strange cell what a person may be shown: on one line, not too long."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    clean = "".join(character if character.isprintable() else " " for character in text)
    return clean if len(clean) <= 40 else clean[:40] + "…"
