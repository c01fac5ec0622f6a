"""Where the headings of an office's table stand, what they mean, and which rows below them are entries. Pure.

Titles may stand above; a head has up to three lines, merged or not; 总投资（亿元） says its unit. A heading is looked up as a whole
(时间 over 计划开工), by its own words, and where nothing stands below it, by what stands above.
"""

import dataclasses
import datetime as dt
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal

from ledgers.cells import WAN_OF, matchable, squeezed, words
from linfen_water.workbook import COLUMNS, Cell, Row, Sheet

HEAD_WITHIN = 50  # filled rows in which the headings are looked for
HEAD_LINES = 3
MERGED_CELLS = 200_000  # cells covered by merges that are looked at
ENOUGH_HEADINGS = 3  # so many known headings make a head row even without the key
LEFT_OUT = "-"  # a heading that a person said belongs to no column
OTHER_HEAD = "这里又有一个表头，与第{}行的列不同，以下没有读：请把下面的表放到另一张工作表里，或改成同样的列。"
REMARKS = "未导入原因"  # the column that `rest` adds

CHINESE = re.compile(r"[\u4e00-\u9fff]")
TOTAL = re.compile(r"^(全市|全县|累计|本页)?(合计|总计|共计|小计)|^.{1,8}(小计|合计)$")
SUBTOTAL = re.compile("小计")
PART = re.compile(r"^其中[:：]?|^#?其中")
SUB_HEADING = re.compile(r"^(第?[一二三四五六七八九十]+[、.．]|[(（][一二三四五六七八九十]+[)）])")
SIGNED = re.compile(r"^(制表人?|审核人?|复核人?|负责人|填表人?|填报人|填报单位|分管领导|单位负责人|联系电话|填报日期|制表日期)[:：]")
ASIDE = re.compile(r"^(备注|注|说明|填表说明)[:：\d]?")
MONEY = "亿元|百万元|万元|千元|元"
UNIT = re.compile(rf"[(\[]?(?:单位[:：])?({MONEY}|%|百分点)[)\]]?$")
SHEET_UNIT = re.compile(rf"单位(?:[:：]|为)?[(]?(?:[^,，。;；:：()\d]{{1,6}}[、/])?({MONEY})(?![a-zA-Z])")
TITLE_UNIT = re.compile(rf"[(](?:单位[:：])?({MONEY})[)]$")
YEAR = re.compile(r"(20\d{2})年")
TO_FILL = re.compile("[(](?:必填|选填|必填项|选填项|下拉选择)[)]")
MONTH_OF_A_YEAR = re.compile(r"20\d{2}年\d{1,2}月")


@dataclasses.dataclass(frozen=True)
class Heading:
    """One column of the sheet: where it stands, what is written over it, in which unit, and the ledger's column that it is."""

    place: int
    text: str
    column: str = ""
    unit: str = ""


@dataclasses.dataclass(frozen=True)
class Head:
    """The headings of a sheet; `row` is their last line."""

    row: int
    headings: list[Heading]
    twice: list[str]
    is_sure: bool = True  # False: a guess, with too few known headings

    @property
    def places(self) -> dict[str, int]:
        return {one.column: one.place for one in self.headings if one.column not in ("", LEFT_OUT)}

    @property
    def units(self) -> dict[str, str]:
        return {one.column: one.unit for one in self.headings if one.column}

    @property
    def unknown(self) -> list[str]:
        return [one.text for one in self.headings if not one.column]


def plain_heading(text: str) -> str:
    """A heading for looking up: without blanks, the mark of what is computed, and its unit."""
    text = TO_FILL.sub("", matchable(text)).strip("=").strip("*")
    return UNIT.sub("", text).rstrip(",，/:：") or text


def unit_of(text: str) -> str:
    found = UNIT.search(matchable(text).strip("="))
    return found[1] if found and found[1] in WAN_OF else ""


def titles_of(columns: Mapping[str, object], synonyms: Mapping[str, Iterable[str]], remembered: Mapping[str, str]) -> dict[str, str]:
    """The column's name by every plain heading that stands for it: its own words come first, then what people said, then synonyms."""
    found: dict[str, str] = {}
    for name, column in columns.items():
        found.setdefault(plain_heading(str(column.verbose_name)), name)  # type: ignore[attr-defined]
        found.setdefault(matchable(str(column.verbose_name)), name)  # type: ignore[attr-defined]
    own = set(found)
    found |= {text: name for text, name in remembered.items() if text not in own and (name in columns or name == LEFT_OUT)}
    for name, others in synonyms.items():
        for text in others:
            found.setdefault(plain_heading(text), name)
    for name, column in columns.items():
        found.setdefault(plain_heading(f"{getattr(column, 'group', '')}{column.verbose_name}"), name)  # type: ignore[attr-defined]
    return found


# ── The head ────────────────────────────────────────────────────────────────────────────────────────────────────────


def find_head(
    sheet: Sheet, titles: Mapping[str, str], key: Iterable[str], chosen: Mapping[int, str] | None = None, at: int | None = None
) -> Head | None:
    """The lines with most known headings among the first rows, or those that end in row `at`; with too few of them it is a guess.

    None when nothing looks like a head. `chosen` says columns by place.
    """
    rows = sheet.rows[:HEAD_WITHIN]
    ends = [end for end, row in enumerate(rows) if at in (None, row.number)]
    made = [_head(sheet, end - depth + 1, end, titles) for end in ends for depth in range(1, min(HEAD_LINES, end + 1) + 1)]
    best = max(made, key=lambda head: len(head.places), default=None)  # the first of the best
    if best is not None and not best.places:
        end = next((end for end in ends if sum(isinstance(cell, str) for cell in rows[end].cells) >= 2), None)
        best = None if end is None else _head(sheet, end, end, titles)
    if best is None:
        return None
    head = _chosen(best, chosen or {})
    enough = 2 if set(key) & head.places.keys() else ENOUGH_HEADINGS
    return dataclasses.replace(head, is_sure=at is not None or len(head.places) >= enough)


def _chosen(head: Head, chosen: Mapping[int, str]) -> Head:
    if not chosen:
        return head
    headings = [dataclasses.replace(one, column=chosen.get(one.place, one.column)) for one in head.headings]
    names = [one.column for one in headings if one.column not in ("", LEFT_OUT)]
    return Head(head.row, headings, sorted({name for name in names if names.count(name) > 1}))


def _head(sheet: Sheet, start: int, end: int, titles: Mapping[str, str]) -> Head:
    rows = sheet.rows[start : end + 1]
    lines = [_spread(sheet, row, is_last=row is rows[-1], below=rows[i + 1] if i + 1 < len(rows) else None) for i, row in enumerate(rows)]
    headings: list[Heading] = []
    seen: dict[str, int] = {}
    twice = []
    for place in range(max(map(len, lines), default=0)):
        texts = [squeezed(line[place]) for line in lines if place < len(line) and line[place]]
        texts = list(dict.fromkeys(texts))
        if not texts:
            continue
        name = _look_up(texts, titles)
        if name in seen and name != LEFT_OUT:
            twice.append(name)
        elif name:
            seen[name] = place
        unit = next((unit for text in reversed(texts) if (unit := unit_of(text))), "")
        headings.append(Heading(place, " ".join(texts), name, unit))
    return Head(rows[-1].number, headings, twice)


def meaning(text: str, titles: Mapping[str, str]) -> str:
    """The column that a heading on one line stands for, "" for none."""
    return _look_up([squeezed(text)], titles)


def _look_up(texts: list[str], titles: Mapping[str, str]) -> str:
    tried = ["".join(plain_heading(text) for text in texts), texts[-1], "".join(texts[-2:])]
    return next((titles[found] for text in tried if (found := plain_heading(text)) in titles or (found := matchable(text)) in titles), "")


def _spread(sheet: Sheet, row: Row, *, is_last: bool, below: Row | None) -> list[str]:
    """The line's texts, each over all columns that it heads."""
    texts = [words(cell) for cell in row.cells]
    for top, left, bottom, right in sheet.merges:
        if top <= row.number <= bottom and left <= len(texts) and not (top == bottom == row.number and right - left > 12):
            texts += [""] * (right - len(texts))
            for place in range(left, right):
                texts[place] = texts[place] or texts[left - 1]
    if not is_last and not sheet.merges and below is not None:  # a table that lost its merges: a heading reaches to the next one
        texts += [""] * (len(below.cells) - len(texts))
        for place in range(1, len(texts)):
            has_below = place < len(below.cells) and below.cells[place] is not None
            if not texts[place] and has_below and place - 1 < len(below.cells) and below.cells[place - 1] is not None:
                texts[place] = texts[place - 1]
    return texts


def told(row: Row) -> list[str]:
    """What the row says, cell by cell, without what is blank."""
    return [text for cell in row.cells if (text := squeezed(words(cell)))]


def above(sheet: Sheet, head: Head) -> str:
    """All that stands above the last line of the head, for unit and year."""
    return " ".join(words(cell) for row in sheet.rows if row.number < head.row for cell in row.cells if isinstance(cell, str))


def sheet_unit(sheet: Sheet, head: Head) -> str:
    """The unit that the sheet says above its head, else in a line of words below."""
    titles = [matchable(words(row.cells[0])) for row in _lines(sheet) if row.number < head.row]
    below = [matchable(words(row.cells[0])) for row in unit_lines(sheet, head)]
    said = [SHEET_UNIT.search(matchable(above(sheet, head))), *map(TITLE_UNIT.search, titles), *map(SHEET_UNIT.search, below)]
    return next((found[1] for found in said if found), "")


def unit_lines(sheet: Sheet, head: Head) -> list[Row]:
    """The lines of words below the head that say a unit."""
    return [row for row in _lines(sheet) if row.number > head.row and SHEET_UNIT.search(matchable(words(row.cells[0])))]


def _lines(sheet: Sheet) -> list[Row]:
    return [row for row in sheet.rows if isinstance(row.cells[0], str) and all(cell is None for cell in row.cells[1:])]


def year_in(text: str, *, is_whole: bool = False) -> int | None:
    """The one year that the text speaks of; None when there is none or more than one. `is_whole`: months and days are no years."""
    plain = matchable(text)
    years = {int(year) for year in YEAR.findall(MONTH_OF_A_YEAR.sub("", plain) if is_whole else plain)}
    return years.pop() if len(years) == 1 else None


# ── Rows below it ───────────────────────────────────────────────────────────────────────────────────────────────────

ENTRY, TOTAL_ROW, SUBTOTAL_ROW, PART_ROW, SUB_HEAD, NUMBERS, HEAD_AGAIN, REMARK = range(8)
WHY = {
    TOTAL_ROW: "合计行或说明文字，未导入。",
    SUBTOTAL_ROW: "小计行，未导入。",
    PART_ROW: "“其中”行，未导入。",
    SUB_HEAD: "分组标题行，未导入。",
    NUMBERS: "栏次行，未导入。",
    HEAD_AGAIN: "重复的表头，未导入。",
    REMARK: "合计行或说明文字，未导入。",
}


def kind_of(row: Row, head: Head, *, has_key: bool) -> int:
    """What a row below the head is. `has_key`: it bears the key of a row that is known."""
    filled = [cell for cell in row.cells if cell is not None]
    texts = [squeezed(cell) for cell in filled if isinstance(cell, str)]
    first = squeezed(words(filled[0])) if filled else ""
    if has_key:
        return ENTRY
    if any(TOTAL.search(text) for text in texts[:2]):
        return SUBTOTAL_ROW if any(SUBTOTAL.search(text) for text in texts[:2]) else TOTAL_ROW
    if PART.search(first) or any(PART.search(text) for text in texts[:2]):
        return PART_ROW
    if SUB_HEADING.search(first) and len(texts) <= 2:
        return SUB_HEAD
    if any(SIGNED.search(text) for text in texts) or (ASIDE.search(first) and len(filled) == 1):
        return REMARK
    if len(filled) == 1 and isinstance(filled[0], str) and CHINESE.search(filled[0]):
        return REMARK
    if len(filled) >= 3 and _counts_up(filled):
        return NUMBERS
    return HEAD_AGAIN if len(texts) >= 3 and _is_head_again(row, head) else ENTRY


def _counts_up(filled: Sequence[Cell]) -> bool:
    """甲 乙 1 2 3: the line of column numbers under a head."""
    numbers = [words(cell).strip("()（）") for cell in filled if words(cell) not in ("甲", "乙", "丙", "栏次", "序号")]
    return (
        len(numbers) >= 3
        and all(text.isdigit() for text in numbers)
        and [int(n) for n in numbers] == list(range(int(numbers[0]), int(numbers[0]) + len(numbers)))
    )


def _is_head_again(row: Row, head: Head) -> bool:
    said = {one.place: one.text for one in head.headings}
    same = sum(squeezed(words(cell)) != "" and said.get(place, "").endswith(squeezed(words(cell))) for place, cell in enumerate(row.cells))
    return same >= 3


def filled_down(sheet: Sheet, head: Head) -> tuple[dict[int, dict[int, Cell]], dict[int, set[int]]]:
    """For cells merged over rows: the value by row and place, and the places of each row that a merge covers (its first one too)."""
    numbers = {row.number: row for row in sheet.rows}
    values: dict[int, dict[int, Cell]] = {}
    merged: dict[int, set[int]] = {}
    spans = [(top, left, bottom) for top, left, bottom, _ in sheet.merges if top > head.row and 0 < bottom - top <= 5_000]
    for top, left, number in itertools.islice(((t, left, n) for t, left, b in spans for n in range(t, b + 1)), MERGED_CELLS):
        first = numbers.get(top)
        merged.setdefault(number, set()).add(left - 1)
        if number > top:
            values.setdefault(number, {})[left - 1] = first.cells[left - 1] if first and left <= len(first.cells) else None
    return values, merged


def covered(sheet: Sheet, head: Head) -> dict[int, set[int]]:
    """Places by row that a merge over columns covers, but for its first one: nobody knows what they say."""
    found: dict[int, set[int]] = {}
    spans = [merge for merge in sheet.merges if merge[0] > head.row and merge[3] > merge[1]]
    for number, place in cells_of(spans):
        found.setdefault(number, set()).add(place)
    return found


def cells_of(spans: Iterable[tuple[int, int, int, int]], *, with_first: bool = False) -> Iterator[tuple[int, int]]:
    """Row and place of the cells that merges cover, without their first column unless `with_first`; a hostile sheet has endless ones."""
    places = (
        (number, place)
        for top, left, bottom, right in spans
        for number in range(top, bottom + 1)
        for place in range(left - with_first, min(right, COLUMNS))
    )
    return itertools.islice(places, MERGED_CELLS)


def is_other_head(row: Row, head: Head, titles: Mapping[str, str], key: Iterable[str]) -> bool:
    """Whether a row below the head is the head of another table: its columns stand elsewhere, or are others."""
    texts = {place: squeezed(cell) for place, cell in enumerate(row.cells) if isinstance(cell, str)}
    names = {place: name for place, text in texts.items() if (name := _look_up([text], titles))}
    if len(names) < 2 or not set(key) & set(names.values()):
        return False
    said = {one.place: (squeezed(one.text), one.column) for one in head.headings}
    return any(
        text not in said.get(place, ("", ""))[0] and names.get(place) != said.get(place, ("", ""))[1] for place, text in texts.items()
    )


def number_of(cell: Cell) -> Decimal | None:
    """The number of a cell for adding up; None when it is none."""
    if isinstance(cell, Decimal):
        return cell
    if isinstance(cell, (dt.date, type(None))):
        return None
    text = matchable(words(cell)).replace(",", "").replace("，", "")
    return Decimal(text) if re.fullmatch(r"-?\d+(\.\d+)?", text, re.ASCII) else None
