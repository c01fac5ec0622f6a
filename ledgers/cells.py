"""What a cell of an office's table says: nothing, a day, an amount, a name. Pure; a cell that cannot be read raises Unread with a remedy.

Days are written as 2024.3, 2024年3月底, 2024-03-15, 3月15日 or 45366 (a spreadsheet's serial number); what may mean two days is asked.
"""

import calendar
import datetime as dt
import re
import unicodedata
from decimal import Decimal, InvalidOperation

from linfen_water.workbook import NOT_CALCULATED, Broken, Cell

NOTHING = {"", "-", "--", "—", "——", "－", "/", "／", "\\", "无", "暂无", "暂缺", "空", "n/a", "na", "无。", "未填", "…", "……"}
FIRST, LAST = "first", "last"  # which day of a month a month without a day means
SERIALS = (36526, 73050)  # 2000-01-01 and 2099-12-31 as spreadsheets count days
BEFORE_SERIAL_ONE = dt.date(1899, 12, 30)
WAN_OF = {
    "亿元": Decimal(10_000), "亿": Decimal(10_000), "百万元": Decimal(100), "万元": Decimal(1), "万": Decimal(1), "千元": Decimal("0.1"),
    "元": Decimal("0.0001"),
}  # fmt: skip
ERRORS = re.compile(
    r"#(?:NULL!|DIV/0!|VALUE!|REF!|NAME\?|NUM!|N/A|SPILL!|CALC!|FIELD!|BLOCKED!|CONNECT!|UNKNOWN!|BUSY!|GETTING_DATA)|Err:\d{3}", re.I
)  # of spreadsheet programs, as a CSV or a copy of the cell spells them
DITTO = {"同上", "同前", "同左", "如上", "〃", "″", "''", '"'}
DIGITS = str.maketrans("〇零○一二三四五六七八九", "000123456789")

_DAY = re.compile(r"(\d{4})[年./-](\d{1,2})[月./-](\d{1,2})日?(?:[T ]?00:00(?::00(?:\.0+)?)?)?", re.ASCII)
_MONTH = re.compile(r"(\d{4})[年./-](\d{1,2})月?(份|底|末|初|上旬|中旬|下旬)?", re.ASCII)
_YEARLESS = re.compile(r"(\d{1,2})[月./-](\d{1,2})[日号]?", re.ASCII)
_YEARLESS_MONTH = re.compile(r"(\d{1,2})月(份|底|末|初|上旬|中旬|下旬)?", re.ASCII)
_PLAIN = re.compile(r"(20\d{2})(0[1-9]|1[0-2])([0-3]\d)", re.ASCII)
_SHORT_YEAR = re.compile(r"(\d{2})年(\d{1,2})月(?:(\d{1,2})日?)?", re.ASCII)
_YEAR_PART = re.compile(r"(\d{4})年?(?:(底|末|年底|年末)|(上半年|下半年)|第?([一二三四1234])季度(底|末)?)", re.ASCII)
_TAIL = re.compile(r"(之?前|以前|前完成|底前|完成|完工|开工|止)$")
_ASIDE = re.compile(
    r"(?<=[\d日])(?:(?:\s+|T)\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?|\s*\(?(?:星期|周)[一二三四五六日天]\)?)+$", re.ASCII
)  # hour, weekday
_AMOUNT = re.compile(r"(-?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|-?\.\d+)(亿元|亿|百万元|万元|万|千元|元|%)?", re.ASCII)

NOT_A_DAY = "日期无效，请按 2025-02-20 填写。"


class Unread(Exception):
    """The cell cannot be read; the text is the sentence for the person. `is_asked`: it can be read in two ways, the person must say."""

    def __init__(self, sentence: str, *, is_asked: bool = False):
        self.is_asked = is_asked
        super().__init__(sentence)


def words(cell: Cell) -> str:
    """The cell as text on one line."""
    if cell is None:
        return ""
    return cell.isoformat() if isinstance(cell, dt.date) else str(cell)


def squeezed(text: str) -> str:
    """Without any blank, line breaks too."""
    return "".join(text.split())


def matchable(text: str) -> str:
    """For matching names: without blanks, full-width as half-width."""
    return squeezed(unicodedata.normalize("NFKC", text))


def is_nothing(cell: Cell) -> bool:
    """Whether the cell says that there is nothing: blank, —, /, 无, 暂无."""
    return cell is None or (isinstance(cell, str) and matchable(cell).casefold() in NOTHING)


def has_no_value(cell: Cell) -> bool:
    """Whether the cell is what a spreadsheet shows in place of a value, be it an error or the words for one."""
    return isinstance(cell, Broken) or (
        isinstance(cell, str) and (squeezed(cell) == NOT_CALCULATED or ERRORS.fullmatch(matchable(cell)) is not None)
    )


def plain(value: Decimal) -> str:
    """A number in its shortest spelling: 45, never 45.00 or 4.5E+1."""
    text = f"{value:f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"


# ── Days ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def read_day(cell: Cell, *, month_is: str = "", year: int | None = None) -> dt.date:
    """The day that the cell names. `month_is` says what 2024.3 means (FIRST or LAST; "" = must be asked), `year` lends 3月15日 its year."""
    if isinstance(cell, Broken):
        raise Unread(f"单元格没有可用的值（{cell}）：请在 Excel 中算出结果，或改填日期。")
    if isinstance(cell, dt.datetime):
        return cell.date()
    if isinstance(cell, dt.date):
        return cell
    if isinstance(cell, Decimal):
        return _day_of_number(cell, month_is)
    text = squeezed(_ASIDE.sub("", unicodedata.normalize("NFKC", cell or "").strip())).strip("。;；")
    if re.search(r"[〇零○一二三四五六七八九十]+年", text):
        text = _arabic(text)
    try:
        return _day_of_text(text, month_is, year)
    except ValueError:
        raise Unread(NOT_A_DAY) from None


def _day_of_number(number: Decimal, month_is: str) -> dt.date:
    if number == number.to_integral_value():
        whole = int(number)
        if SERIALS[0] <= whole <= SERIALS[1]:
            return BEFORE_SERIAL_ONE + dt.timedelta(days=whole)
        if found := _PLAIN.fullmatch(str(whole)):
            try:
                return dt.date(*map(int, found.groups()))
            except ValueError:
                raise Unread(NOT_A_DAY) from None
        if 2000 <= whole <= 2099:
            raise Unread(f"只有年份 {whole}：请写明月、日，例如 {whole}-12-31。", is_asked=True)
        raise Unread("这里是数字而不是日期：请把单元格设为日期格式，或按 2025-02-20 填写。")
    if SERIALS[0] < number < SERIALS[1] + 1:  # a day with a time of day
        return BEFORE_SERIAL_ONE + dt.timedelta(days=int(number))
    text = plain(number)
    if found := re.fullmatch(r"(20\d{2})\.(\d{1,2})", text, re.ASCII):
        if found[2] == "1":
            raise Unread(f"{text} 是数字，可能是{found[1]}年1月，也可能是10月：请写成 {found[1]}-01 或 {found[1]}-10。", is_asked=True)
        return _of_month(int(found[1]), int(found[2]), "", month_is)
    raise Unread("这里是数字而不是日期：请把单元格设为日期格式，或按 2025-02-20 填写。")


def _day_of_text(text: str, month_is: str, year: int | None) -> dt.date:
    if not re.search(r"\d", text):
        raise Unread(NOT_A_DAY)
    if re.search("约|左右|或|拟|[~～]|至|—", text):
        raise Unread(f"“{text[:20]}”不是确定的日期：请按 2025-02-20 填写。", is_asked=True)
    text = _TAIL.sub("", text)
    if text.isdigit() and len(text) != 4:
        return _day_of_number(Decimal(text), month_is)
    if found := _DAY.fullmatch(text):
        return dt.date(*map(int, found.groups()))
    if found := _SHORT_YEAR.fullmatch(text):
        y, m = 2000 + int(found[1]), int(found[2])
        return dt.date(y, m, int(found[3])) if found[3] else _of_month(y, m, "", month_is)
    if found := _MONTH.fullmatch(text):
        return _of_month(int(found[1]), int(found[2]), found[3] or "", month_is)
    if found := _YEAR_PART.fullmatch(text):
        return _of_part(found, month_is)
    if re.fullmatch(r"\d{4}年?", text):
        raise Unread(f"只有年份“{text}”：请写明月、日，例如 {text[:4]}-12-31。", is_asked=True)
    if found := _YEARLESS.fullmatch(text):
        return dt.date(_year(text, year), int(found[1]), int(found[2]))
    if found := _YEARLESS_MONTH.fullmatch(text):
        return _of_month(_year(text, year), int(found[1]), found[2] or "", month_is)
    raise ValueError(text)


def _year(text: str, year: int | None) -> int:
    if year is None:
        raise Unread(f"“{text}”没有写年份：请补上年份，或在页面上填写“日期缺年份时按”。", is_asked=True)
    return year


def _of_month(year: int, month: int, part: str, month_is: str) -> dt.date:
    last = calendar.monthrange(year, month)[1] if 1 <= month <= 12 else 0
    ends = {"底": last, "末": last, "下旬": last, "中旬": 20, "上旬": 10, "初": 1}
    if part in ends:
        if part in ("上旬", "中旬", "下旬") and month_is == FIRST:
            return dt.date(year, month, {"上旬": 1, "中旬": 11, "下旬": 21}[part])
        return dt.date(year, month, ends[part])
    if not month_is:
        dt.date(year, month, 1)
        raise Unread(f"只有年月（{year}年{month}月）：请写明哪一天，例如 {year}-{month:02}-15。", is_asked=True)
    return dt.date(year, month, 1 if month_is == FIRST else last)


def _of_part(found: re.Match, month_is: str) -> dt.date:
    year, end, half, quarter = int(found[1]), found[2], found[3], found[4]
    if end:
        return dt.date(year, 12, 31)
    last = {"上半年": 6, "下半年": 12}[half] if half else 3 * ("一二三四".find(quarter) % 4 + 1 if quarter in "一二三四" else int(quarter))
    if month_is == FIRST and not found[5]:
        return dt.date(year, last - (5 if half else 2), 1)
    return _of_month(year, last, "底", month_is)


def _arabic(text: str) -> str:
    """二〇二四年三月十五日 → 2024年3月15日."""

    def tens(found: re.Match) -> str:
        before, after = found[1].translate(DIGITS) or "1", found[2].translate(DIGITS) or "0"
        return before + after

    return re.sub("([一二三]?)十([一二三四五六七八九]?)", tens, text).translate(DIGITS)


def read_year(text: str) -> str:
    """2025 of 2025年, 2025年度 and 二〇二五年."""
    year = text.removesuffix("年度").removesuffix("年").translate(DIGITS)
    if not re.fullmatch(r"20\d\d", year, re.ASCII):
        raise Unread(f"“{text[:20]}”不是年度：请填四位年份，例如 2025。")
    return year


# ── Amounts ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def read_amount(cell: Cell, *, unit: str = "") -> Decimal:
    """The number of the cell; of money in 万元, whatever `unit` the heading gives (亿元, 元) unless the cell says its own."""
    if isinstance(cell, Broken):
        raise Unread(f"单元格没有可用的值（{cell}）：请在 Excel 中算出结果，或改填文字、数字。")
    if isinstance(cell, dt.date):
        raise Unread("这里是日期而不是数字：请把单元格设为数值格式后重填。")
    if isinstance(cell, Decimal):
        return cell * WAN_OF.get(unit, Decimal(1))
    text = matchable(cell or "").replace("，", ",")
    found = _AMOUNT.fullmatch(text)
    if not found:
        hint = "有“约”“左右”等字样的请填确数。" if re.search("约|左右|余|多", text) else ""
        hint = "逗号只作千分位，小数点用“.”。" if "," in text else hint
        raise Unread(f"请填数字。{hint}")
    try:
        number = Decimal(found[1].replace(",", ""))
    except InvalidOperation:
        raise Unread("请填数字。") from None
    own = found[2] if found[2] in WAN_OF else unit
    return number * WAN_OF.get(own, Decimal(1))


def is_rounded(cell: Cell, value: Decimal, *, unit: str) -> bool:
    """Whether the cell is `value` (万元) as it looks in the heading's larger unit with the cell's own places: 1.23 亿元 for 12345.67."""
    scale = WAN_OF.get(unit, Decimal(1))
    try:
        number = cell if isinstance(cell, Decimal) else Decimal(matchable(words(cell)).replace(",", ""))
    except InvalidOperation:
        return False
    exponent = number.normalize().as_tuple().exponent
    places = -exponent if isinstance(exponent, int) and exponent < 0 else 0
    return scale > 1 and places >= 2 and round(value / scale, places) == number


# ── Names ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def split_names(text: str) -> list[str]:
    """Several names in one cell: parted by 、，；/ or a line break."""
    return [name for part in re.split(r"[、，,；;/\n\r]+", text) if (name := squeezed(part))]
