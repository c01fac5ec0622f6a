"""How the workbook of an air ranking is laid out: which rows are headings, which period and measure each column belongs to. Pure.

The paper's table has a line of periods over lines of measures, merged at will; a merged heading stands in its first cell only.
"""

import calendar
import dataclasses
import datetime as dt
import re
import unicodedata
from collections.abc import Collection

from ledgers.heads import cells_of
from linfen_water.workbook import Cell, Row, Sheet

HEAD_WITHIN = 50  # rows in which the first county is looked for

_RANK = re.compile("名次|排名|位次|排序|位列")
_CHANGE = re.compile("同比|变化|变幅|幅度|改善|增幅|降幅")
_PM25 = re.compile(r"PM2[.．]?5|细颗粒物", re.IGNORECASE)
_COMPOSITE = re.compile("综合指数|综合质量指数")
_OTHER = re.compile(r"PM10|SO2|NO2|O3|CO(?![A-Z])|臭氧|优良|天数|备注|可吸入", re.IGNORECASE)
_MEASURE = re.compile(
    f"{_RANK.pattern}|{_CHANGE.pattern}|{_PM25.pattern}|{_COMPOSITE.pattern}|{_OTHER.pattern}|浓度|数值|指数", re.IGNORECASE
)
_TITLE = re.compile("排名|情况|统计|一览|通报|汇总")
_ASIDE = re.compile("^[(]?(单位|计量单位|日期|时间|填报|制表|发布|数据来源|来源)")
_SOURCE = re.compile(r"(?:数据来源|资料来源|来源|发布单位|制表单位|发布机构)[:：](.+?)(?:发布日期|发布时间|日期|$)")
_DAY = re.compile(r"(\d{4})[年./-](\d{1,2})[月./-](\d{1,2})日?", re.ASCII)

_Y, _M, _D = r"(\d{4})[年./-]", r"(\d{1,2})", r"[月./-](\d{1,2})日?"
_TO = r"(?:-|至|到)"
_DAYS = re.compile(rf"{_Y}{_M}{_D}{_TO}(?:{_Y})?{_M}{_D}", re.ASCII)
_MONTHS = re.compile(rf"(\d{{4}})[年.](\d{{1,2}})月?{_TO}(?:(\d{{4}})[年.])?(\d{{1,2}})月", re.ASCII)
_YEARLESS_MONTHS = re.compile(rf"(?<!\d)(\d{{1,2}})月?{_TO}(\d{{1,2}})月", re.ASCII)
_SINCE = re.compile(r"(\d{4})年(\d{1,2})月(?:(\d{1,2})日)?(?:以来|至今|起)", re.ASCII)
_MONTH = re.compile(r"(\d{4})年(\d{1,2})月(?!\d)", re.ASCII)
_PLAIN_MONTH = re.compile(r"(\d{4})[./-](\d{1,2})", re.ASCII)
_YEARLESS_MONTH = re.compile(r"(\d{1,2})月份?", re.ASCII)
_YEAR = re.compile(r"(\d{4})年(?:度|全年)?", re.ASCII)
_ANY_YEAR = re.compile(r"(\d{4})年", re.ASCII)

Span = tuple[dt.date, dt.date]


@dataclasses.dataclass(frozen=True)
class Column:
    """One column of figures: whose period, which measure, and whether it holds the ranks of that measure."""

    place: int
    label: str
    measure: str
    is_rank: bool
    heading: str


@dataclasses.dataclass(frozen=True)
class Head:
    """What stands above the rows of a ranking."""

    row: int  # number of the last heading row
    name_place: int  # column of the counties' names
    columns: list[Column]
    title: str  # all that stands above the headings

    @property
    def labels(self) -> list[str]:
        """The periods in their order; "" when only the title can say which."""
        return list(dict.fromkeys(column.label for column in self.columns))


# ── Periods ──────────────────────────────────────────────────────────────────────────────────────────────────────────
def span_of(text: str, *, year: int | None = None, until: dt.date | None = None) -> Span | None:
    """First and last day of the period that `text` names, or None.

    `year` stands in for a year that is not said (1—3月), `until` for the end of what is still going on (2024年10月以来).
    """
    text = plain(text)
    try:
        return _span(text, year, until)
    except ValueError:
        return None


def _span(text: str, year: int | None, until: dt.date | None) -> Span | None:
    if found := _DAYS.search(text):
        y, m, d, y2, m2, d2 = (int(part) if part else None for part in found.groups())
        return _in_order(dt.date(y, m, d), dt.date(y2 or y, m2, d2))  # type: ignore[arg-type]
    if found := _MONTHS.search(text):
        y, m, y2, m2 = (int(part) if part else None for part in found.groups())
        return _in_order(dt.date(y, m, 1), _end(y2 or y, m2))  # type: ignore[arg-type]
    if found := _SINCE.search(text):
        return _in_order(dt.date(int(found[1]), int(found[2]), int(found[3] or 1)), until) if until else None
    said = _ANY_YEAR.search(text)
    year = int(said[1]) if said else year
    if year and (found := _YEARLESS_MONTHS.search(text)):
        return _in_order(dt.date(year, int(found[1]), 1), _end(year, int(found[2])))
    if found := _MONTH.search(text) or _PLAIN_MONTH.fullmatch(text):
        return dt.date(int(found[1]), int(found[2]), 1), _end(int(found[1]), int(found[2]))
    if year and (found := _YEARLESS_MONTH.fullmatch(text)):
        return dt.date(year, int(found[1]), 1), _end(year, int(found[1]))
    if found := _YEAR.fullmatch(text):
        return dt.date(int(found[1]), 1, 1), dt.date(int(found[1]), 12, 31)
    return None


def spans_of(labels: Collection[str], title: str) -> dict[str, Span | None]:
    """The period of each label, as far as the headings say it: the title lends the year, the others the end."""
    said = _ANY_YEAR.search(plain(title))
    years = [int(found[1]) for label in labels for found in _ANY_YEAR.finditer(plain(label))]
    year = int(said[1]) if said else max(years, default=None)
    spans = {label: span_of(label or title, year=year) for label in labels}
    until = max((span[1] for span in spans.values() if span), default=None)
    return {label: span or span_of(label or title, year=year, until=until) for label, span in spans.items()}


def _end(year: int, month: int) -> dt.date:
    if not 1 <= month <= 12:
        raise ValueError(month)
    return dt.date(year, month, calendar.monthrange(year, month)[1])


def _in_order(first: dt.date, last: dt.date) -> Span | None:
    return (first, last) if first <= last else None


def source_in(text: str) -> str:
    """Who published it, when a line says so."""
    found = _SOURCE.search(text.strip())
    return found[1].strip("　 ，,；;。（）()") if found else ""


def day_in(text: str) -> dt.date | None:
    """The day of publication, when a line says it: 发布日期：2025年2月12日, or the day alone."""
    squeezed = plain(text).strip("()")
    found = _DAY.fullmatch(squeezed) or (_DAY.search(squeezed) if re.search("发布|印发|日期|时间", squeezed) else None)
    if not found or _DAYS.search(squeezed):
        return None
    try:
        return dt.date(*map(int, found.groups()))
    except ValueError:
        return None


def plain(text: str) -> str:
    """Without blanks, full-width as half-width, every dash as one."""
    squeezed = "".join(unicodedata.normalize("NFKC", text).split())
    return re.sub("[—–―~－]+|-{2,}", "-", squeezed)


def words(cell: Cell) -> str:
    """A cell in words; a day that stands for a month (as spreadsheets read 2025年1月) is that month."""
    if isinstance(cell, dt.date):
        return f"{cell.year}年{cell.month}月" if cell.day == 1 else f"{cell.year}年{cell.month}月{cell.day}日"
    return "" if cell is None else str(cell)


# ── Headings ─────────────────────────────────────────────────────────────────────────────────────────────────────────
def find_head(sheet: Sheet, names: Collection[str]) -> Head | None:
    """The headings above the first row of a county; `names` are the counties' names as `plain` writes them."""
    for n, row in enumerate(sheet.rows[:HEAD_WITHIN]):
        place = next((i for i, cell in enumerate(row.cells) if isinstance(cell, str) and plain(cell) in names), None)
        if place is not None:
            return _head([above for above in sheet.rows[:n] if not _has_figures(above, place)], place)
    return None


def _has_figures(row: Row, name_place: int) -> bool:
    return any(not isinstance(cell, (str, dt.date)) and cell is not None for cell in row.cells[name_place + 1 :])


def _head(rows: list[Row], name_place: int) -> Head | None:
    lines = [(row, _headings(row, name_place)) for row in rows]
    heading_rows = [(row, line) for row, line in lines if line and not _is_title(line)]
    if not heading_rows:
        return None
    title_rows = [row for row, line in lines if not line or _is_title(line)]
    title = " ".join(words(cell).strip() for row in title_rows for cell in row.cells if cell is not None)
    columns = _columns(_spread([line for _, line in heading_rows]))
    return Head(heading_rows[-1][0].number, name_place, columns, title) if columns else None


def _headings(row: Row, name_place: int) -> dict[int, str]:
    """Headings right of the names by place, without lines like 单位：…"""
    found = {i: plain(words(cell)) for i, cell in enumerate(row.cells) if i > name_place and cell is not None}
    return {i: text for i, text in found.items() if text and not _ASIDE.match(text)}


def merged(sheet: Sheet, head: Head) -> set[tuple[int, int]]:
    """Row and place of every cell below the headings that a merge covers."""
    return set(cells_of([merge for merge in sheet.merges if merge[0] > head.row], with_first=True))


def is_other_head(row: Row, head: Head) -> bool:
    """Whether a row below the headings heads another table, whose columns are others."""
    texts = ((column, words(row.cells[column.place])) for column in head.columns if column.place < len(row.cells))
    return any((_PM25 if column.measure.startswith("composite") else _COMPOSITE).search(plain(text)) for column, text in texts)


def _is_title(line: dict[int, str]) -> bool:
    """A title that was put into the middle of the table by hand."""
    return len(line) == 1 and all(len(text) > 10 and _TITLE.search(text) for text in line.values())


def _spread(lines: list[dict[int, str]]) -> dict[int, list[str]]:
    """The headings over each column, lowest first. A merged one reaches to the right as far as none above it begins anew."""
    width = max(max(line) for line in lines) + 1
    over: dict[int, list[str]] = {}
    for n, line in enumerate(lines):
        last = ""
        for place in range(width):
            if place in line:
                last = line[place]
            elif any(place in above for above in lines[:n]):
                last = ""
            if last:
                over.setdefault(place, []).insert(0, last)
    return over


def _columns(over: dict[int, list[str]]) -> list[Column]:
    found: list[Column] = []
    label_before, measure = None, ""  # the measure that a rank or a change without a name of its own belongs to
    for place, texts in sorted(over.items()):
        label = " ".join(reversed([text for text in texts if _is_label(text)]))
        said = [text for text in texts if not _is_label(text)]
        if label != label_before:
            label_before, measure = label, ""
        measure, is_rank = _classify(said, measure)
        if measure:
            found.append(Column(place, label, measure, is_rank, said[0]))
    return found


def _is_label(text: str) -> bool:
    """Whether a heading names a period: it speaks of no measure, or of a ranking with its month."""
    if not _MEASURE.search(text):
        return True
    is_only_rank = not (_CHANGE.search(text) or _PM25.search(text) or _COMPOSITE.search(text) or _OTHER.search(text))
    return is_only_rank and re.search(r"\d月|\d年", text) is not None


def _classify(said: list[str], before: str) -> tuple[str, bool]:
    """The measure of a column by its headings, lowest first, and whether it holds ranks; "" when it is none of ours."""
    if not said or _OTHER.search(said[0]):
        return "", False
    whole = " ".join(said)
    is_rank, is_change = bool(_RANK.search(said[0])), bool(_CHANGE.search(said[0]))
    subject = "pm25" if _PM25.search(whole) else "composite" if _COMPOSITE.search(whole) else ""
    if is_rank and not is_change:
        named = "pm25" if _PM25.search(said[0]) else "composite_index" if _COMPOSITE.search(said[0]) else ""
        return named or before, True
    if not subject and not is_change and not is_rank:
        return "", False
    subject = subject or before.removesuffix("_index").removesuffix("_change")
    if not subject:
        return "", False
    return (f"{subject}_change" if is_change else "pm25" if subject == "pm25" else "composite_index"), is_rank
