"""What a paper is made of, whatever prints it (Typst now, an editable copy later): words in their final order, no figures to compute."""

import dataclasses
import itertools
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal


@dataclasses.dataclass(frozen=True)
class Heading:
    """`level` 1: 一、 in 黑体; 2: （一） in 楷体."""

    level: int
    text: str
    kind: str = "heading"


@dataclasses.dataclass(frozen=True)
class Paragraph:
    text: str
    kind: str = "paragraph"


@dataclasses.dataclass(frozen=True)
class Column:
    head: str
    width: float  # share of the table's width
    align: Literal["left", "center", "right"] = "center"


@dataclasses.dataclass(frozen=True)
class Table:
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""
    has_total: bool = False  # the last row is the sum of the others
    kind: str = "table"


@dataclasses.dataclass(frozen=True)
class Figure:
    """A drawing as SVG, with the words that stand for it."""

    svg: str
    caption: str
    alt: str
    kind: str = "figure"


Block = Heading | Paragraph | Table | Figure
PLACE_MARK = "\ue000"  # begins what stands for an own paragraph on the page where it is written: both it and the computed words show


def own_paragraphs(own: Mapping[str, str], place: str) -> list[Block]:
    """The office's own words at `place`, a paragraph for each line."""
    return [Paragraph(line.strip()) for line in own.get(place, "").splitlines() if line.strip()]


@dataclasses.dataclass(frozen=True)
class Attachment:
    name: str
    table: Table | None
    notes: tuple[str, ...] = ()
    is_landscape: bool = False
    figures: tuple[Figure, ...] = ()  # below the table, each whole on a page


@dataclasses.dataclass(frozen=True)
class Paper:
    """A paper in one of the formats of GB/T 9704-2012 (`form`): 文件格式, its variant for 简报 ("brief"), 信函格式 ("letter"), 纪要格式.

    Dates are words, blank ones in a draft.
    """

    head: str  # 发文机关标志
    file_number: str
    title: tuple[str, ...]  # its lines
    addressees: str
    body: tuple[Block, ...]
    attachments: tuple[Attachment, ...]
    signature: str
    dated: str
    has_seal: bool  # leaves the seal its place; it is never drawn
    copies_to: str
    printed: str  # 印发日期
    marks: tuple[str, ...]  # outside the text block of every page: 草稿, 演示数据
    form: Literal["official", "brief", "letter", "minutes"] = "official"
    urgency: str = ""  # 特急, 加急: of a letter, at the left of its number
    note: str = ""  # 附注, in brackets under the date
    attendance: tuple[tuple[str, str], ...] = ()  # of minutes, under the text: 出席, 请假, 列席 with units and posts

    @property
    def is_dated_in_head(self) -> bool:
        """Whether who issues it and its date stand above the red line, and no signature below the text."""
        return self.form in ("brief", "minutes")


def title_lines(words: list[str], width: float = 20) -> tuple[str, ...]:
    """Break a title between words only: fewest lines of at most `width` characters, none needlessly short, the longest first."""
    for count in range(1, len(words) + 1):
        breaks: list[list[str]] = [lines for lines in _partitions(words, count) if all(_width(line) <= width for line in lines)]
        if breaks:
            return tuple(min(breaks, key=_unevenness))
    return tuple(words)  # a single word wider than a line: printed as it is, narrowed by the template


def _partitions(words: list[str], count: int) -> Iterator[list[str]]:
    """Every way to lay `words` in `count` lines."""
    if count == 1:
        yield ["".join(words)]
        return
    for cut in range(1, len(words) - count + 2):
        for rest in _partitions(words[cut:], count - 1):
            yield ["".join(words[:cut]), *rest]


def _width(text: str) -> float:
    """In full-width characters."""
    return sum(0.5 if ord(character) < 0x2E80 and character not in "“”—…" else 1 for character in text)


def _unevenness(lines: Iterable[str]) -> float:
    widths = [_width(line) for line in lines]
    grows = sum(max(0, after - before) for before, after in itertools.pairwise(widths))
    return sum(width**2 for width in widths) + grows  # a trapezoid that narrows, or a diamond, over one that widens
