"""A file of values becomes a file of classes: one line in, one line out, in order, as long as the file may be.

A text is read and graded once for all cells that repeat it, a line of the same grades is concluded once: that makes it fast.
"""

import csv
import dataclasses
import difflib
import functools
import io
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import getitem
from typing import IO

from monitoring import rules
from monitoring.cells import BadCell, read_cell
from monitoring.enums import WaterBody, WaterClass
from monitoring.headings import aliases, plain
from monitoring.limits import Limit, Limits

HEADER = ["class", "rating", "deciding_items", "main_pollutants", "error"]
BODY_COLUMN = "water_body"
BODIES = {"": WaterBody.RIVER, **{str(name).casefold(): body for body in WaterBody for name in (body.value, body.label)}}

Line = tuple[str, str, str, str, str]  # as in HEADER

MISSING = object()
WORDS = {found: (found.label, rating.label) for found in WaterClass if (rating := rules.rating(found))}  # class and rating as printed
ON_THE_REST = "类别只按其余指标评定"
_ROOM = 20_000  # different texts of one column; beyond that, start afresh
_QUOTED = 30  # characters of a bad text that an error repeats


def read_lines(stream: IO[bytes]) -> Iterator[str]:
    """The lines of a CSV in UTF-8 (with or without BOM), GB18030 or UTF-16, whatever they end with.

    Each line finds its own encoding, so a damaged line harms no other and a pipe can be read as well as a file.
    """
    start = stream.peek(2)[:2]  # type: ignore[attr-defined]
    if start in (b"\xff\xfe", b"\xfe\xff"):
        wrapper = io.TextIOWrapper(stream, "utf-16", errors="replace", newline="")
        yield from wrapper
        wrapper.detach()  # whoever opened the stream closes it
        return
    for number, raw in enumerate(stream):
        try:
            line = raw.decode("utf-8-sig" if number == 0 else "utf-8")
        except UnicodeDecodeError:
            line = raw.decode("gb18030", "replace")
        if "\r" in line[:-2]:  # lines of an old Mac
            yield from io.StringIO(line, newline="")
        else:
            yield line


class Evaluation:
    """A table being judged. Iterating gives the result of each line as `(class, rating, deciding, pollutants, error)`."""

    def __init__(self, lines: Iterable[str], limits: Limits, name: Callable[[str], str] | None = None):
        """`name` turns an item's key into what is printed; by default its Chinese name."""
        self.limits = limits
        self.names = {key: (name or limits.name)(key) for key in limits.items}
        first, lines = _peek(iter(lines))
        self.records = _records(csv.reader(lines, delimiter=max(",\t;", key=first.count), strict=True))
        self.headings = next(self.records, [])
        self.aliases = aliases(limits)
        self._read_headings()
        order = list(limits.items)
        self.places = sorted(self.items, key=lambda place: order.index(self.items[place]))  # as in the standard
        self.columns = self._columns()

    def _read_headings(self) -> None:
        """Sort the headings into items, the water body, faults that spoil every line, and what is not known."""
        self.items: dict[int, str] = {}
        self.bodies: list[int] = []
        self.faults: dict[str, str] = {}  # sentence: the item it spoils
        self.unknown: list[str] = []
        for place, heading in enumerate(self.headings):
            name = plain(heading)
            if name in (BODY_COLUMN, "水体"):
                self.bodies.append(place)
            elif key := self.aliases.get(name) or self.aliases.get(name.partition("(")[0].strip()):
                unit = self.limits.items[key].unit
                if "g/l" in name and unit.casefold() not in name:  # μg/L where mg/L is due
                    self.faults[f"列“{_shown(heading)}”的单位须为{unit}：换算后再评价"] = key
                else:
                    self.items[place] = key
            elif name:
                self.unknown.append(heading)
        counts = Counter(self.items.values())
        for key in [key for key in counts if counts[key] > 1]:
            same = [place for place, other in self.items.items() if other == key]
            self.faults[f"{self.limits.name(key)}有{len(same)}列，不知用哪一列：只留一列"] = key
            for place in same:
                del self.items[place]
        if len(self.bodies) > 1:
            self.faults[f"列“{BODY_COLUMN}”有{len(self.bodies)}列，不知用哪一列：只留一列"] = ""

    def notes(self) -> list[str]:
        """What the reader should know of the headings as a whole, in Chinese."""
        found = []
        for heading in self.unknown:
            near = difflib.get_close_matches(plain(heading), self.aliases, 1, cutoff=0.7)
            hint = f"，是不是“{self.aliases[near[0]]}”？" if near else "。"
            found.append(f"不认识的列“{_shown(heading)}”没有参评{hint}")
        if not self.items:
            found.append(f"表头里没有可评价的指标：列名用 {'、'.join(self.limits.order)}。")
        return found

    def _columns(self) -> dict[str, list["Remembered"]]:
        """By kind of water what each text of each item amounts to, in the order of `places`."""

        @functools.cache  # where rivers and lakes share a limit, they share the column
        def column(place: int, key: str, limit: Limit | None) -> Remembered:
            return Remembered(functools.partial(_finding, self.headings[place], self.limits.items[key], limit))

        return {
            body: [column(place, self.items[place], self.limits.of(self.items[place], body)) for place in self.places]
            for body in WaterBody.values
        }

    def __iter__(self) -> Iterator[Line]:
        width = len(self.headings)
        results = Remembered(self._result)  # by what a line's cells amount to
        for record in self.records:
            if len(record) != width or isinstance(record, Broken):
                yield from self._irregular(record)
            elif (body := self._body(record)) is None:
                yield self._unknown_body(record)
            else:
                yield results[self._found(record, body)]

    def _found(self, record: list[str], body: str) -> tuple:
        """What the cells of a line amount to, item by item."""
        return tuple(map(getitem, self.columns[body], map(record.__getitem__, self.places)))

    def _body(self, record: list[str]) -> str | None:
        if not self.bodies:
            return WaterBody.RIVER
        text = record[self.bodies[0]]
        return BODIES.get(text) or BODIES.get(plain(text))

    def _unknown_body(self, record: list[str]) -> Line:
        return _refused(f"列“{BODY_COLUMN}”的值“{_shown(record[self.bodies[0]])}”不认识：填 river（河流）或 lake（湖库）")

    def _irregular(self, record: list[str]) -> Iterator[Line]:
        """A line that is broken, or has more or fewer cells than there are headings."""
        width = len(self.headings)
        if isinstance(record, Broken):
            yield _refused(f"到文件第{record[0]}行为止读不成表格：检查引号是否成对、是否缺逗号")
        elif not record and width > 1:
            return  # an empty line is no line, but in a table of one column it is an empty cell
        elif any(cell.strip() for cell in record[width:]):
            yield _refused(f"本行有{len(record)}格，表头只有{width}列：小数点须用“.”，含逗号的文字须加引号")
        else:
            padded = record[:width] + [""] * (width - len(record))
            body = self._body(padded)
            if body is None:
                yield self._unknown_body(padded)
                return
            short = [self.headings[place] for place in self.items if place >= len(record)]
            yield self._result(
                self._found(padded, body), f"本行只有{len(record)}格，表头有{width}列，按缺测处理：{'、'.join(short)}" if short else ""
            )

    def _result(self, found: tuple, fault: str = "") -> Line:
        """What a line amounts to: a missing cell takes the class away; a bad one is said, and the others are judged."""
        if not (self.faults or fault) and set(map(type, found)) == {rules.Grade}:  # nearly every line
            return self._line(found)
        bad = [cell for cell in found if isinstance(cell, Bad)]
        errors = [*self.faults, *filter(None, [fault]), *(cell.sentence for cell in bad)]
        grades = [cell for cell in found if isinstance(cell, rules.Grade)]
        if not grades or MISSING in found or "" in self.faults.values():
            return _refused(*errors)
        if any(cell.is_assessed for cell in bad) or any(self.limits.items[key].is_assessed for key in self.faults.values()):
            errors.append(ON_THE_REST)
        return self._line(grades, "；".join(errors))

    def _line(self, grades: Sequence[rules.Grade], error: str = "") -> Line:
        worst = rules.worst(grades)
        deciding = "、".join([self.names[grade.key] for grade in worst])
        pollutants = [self.names[key] + ("" if multiple is None else f"({multiple})") for key, multiple in rules.main_pollutants(grades)]
        return *WORDS[worst[0].water_class], deciding, "、".join(pollutants), error


class Remembered(dict):
    """What `find` makes of each key, found once and kept while there is room."""

    def __init__(self, find: Callable):
        self.find = find

    def __missing__(self, key):
        if len(self) >= _ROOM:
            self.clear()
        self[key] = found = self.find(key)
        return found


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Bad:
    """A cell that could not be read."""

    sentence: str
    is_assessed: bool


class Broken(list):
    """A row that is no CSV: the number of its last line in the file."""


def _finding(heading: str, item: Limit, limit: Limit | None, text: str) -> rules.Grade | Bad | object | None:
    """What a cell amounts to: its grade, `MISSING`, a bad cell, or None where it does not count."""
    is_assessed = limit is not None and limit.is_assessed
    try:
        cell = read_cell(text, item)
    except BadCell as fault:
        return Bad(f"列“{_shown(heading)}”的值“{_shown(text)}”{fault}", is_assessed)
    if limit is None or not is_assessed or not cell.is_monitored:
        return None
    return MISSING if cell.value is None else rules.grade(limit, rules.for_mean(cell.value, cell.is_below_detection))


def _peek(lines: Iterator[str]) -> tuple[str, Iterator[str]]:
    """The first line that is not blank, and all lines from it on."""
    first = next((line for line in lines if line.strip()), "")
    return first, _chain(first, lines)


def _chain(first: str, lines: Iterator[str]) -> Iterator[str]:
    if first:
        yield first
    yield from lines


def _records(reader) -> Iterator[list[str]]:
    """The rows of a CSV; where one cannot be read, `Broken` in its place, and on with the next line."""
    while True:
        try:
            yield next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield Broken([str(reader.line_num)])


def _refused(*errors: str) -> Line:
    return "", "", "", "", "；".join(errors)


def _shown(text: str) -> str:
    """A text of the file as an error repeats it: printable, on one line, not too long."""
    clean = "".join(character if character.isprintable() else " " for character in text)
    return clean if len(clean) <= _QUOTED else clean[:_QUOTED] + "…"
