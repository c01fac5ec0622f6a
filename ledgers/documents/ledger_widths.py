"""How wide the columns of a printed ledger are and how large its letters: by what stands in the cells. Pure.

Widths are in em. A cell that is `n` times as wide as its column takes about `n` lines; a tall row comes from its tallest cell, so lines
count by their square. Under that measure giving each further em to the column that gains most by it is the best there is.
"""

import dataclasses
import heapq
import math
import re
import unicodedata
from collections.abc import Sequence

PAGE = {"a3": 1134.0, "a4": 785.0}  # points between the margins, landscape
SIZES = (10.0, 9.5, 9.0, 8.5, 8.0, 7.5, 7.0)  # points of the letters that are read without a glass
SMALLEST = 5.5  # for a ledger whose numbers alone fill the page
INSET = 0.7  # em that a cell keeps free beside its words
MOST_WHOLE = 14.0  # em: a longer word is broken
SHORT = 6.0  # em: names that should not be broken are not, when they are no longer than this
LEAST = 3.0  # em: three Chinese letters in a line
STEP = 0.5  # em
MANY = 200  # rows: so many are printed in letters of at most MOST_OF_MANY points
MOST_OF_MANY = 8.5
USUAL_LINES = 4  # lines of a row, nine rows of ten have no more: else the letters are made smaller
SAMPLE = 400  # rows that are measured

WORD = re.compile(r"[!-~]+")  # letters and digits that stand together


@dataclasses.dataclass(frozen=True)
class Measured:
    """A column: how wide each of its cells would be on one line, and how wide it is at least."""

    cells: Sequence[float]
    least: float

    def pain(self, width: float) -> float:
        return sum(max(1.0, cell / width) ** 2 for cell in self.cells)


def em(text: str) -> float:
    """How wide the text is: a Chinese letter takes one em, a Latin letter or digit a good half."""
    return sum(1.0 if unicodedata.east_asian_width(letter) in "WFA" else 0.56 for letter in text)


def measured(texts: Sequence[str], heading: str, *, whole: float = 0.0) -> Measured:
    """`whole`: how wide a cell may be that is not broken: of numbers and days MOST_WHOLE, of names SHORT, of text nothing."""
    cells = [em(text) for text in texts]
    words = max((em(word) for text in texts for word in WORD.findall(text)), default=0.0)
    longest = max(min(words, MOST_WHOLE), min(max(cells, default=0.0), whole))
    return Measured(cells, max(LEAST, longest, em(heading) / 4))


def layout(columns: Sequence[Measured], form: str, count: int) -> tuple[float, list[float]]:
    """The size of the letters in points, and the widths of the columns in em: as large as can be without rows that are all tall.

    `count` is how many rows are printed; the columns may have been measured by some of them.
    """
    for size in SIZES:
        if count > MANY and size > MOST_OF_MANY:
            continue
        room = PAGE[form] / size - INSET * len(columns)
        if sum(column.least for column in columns) <= room and usual_lines(columns, widths := shared(columns, room)) <= USUAL_LINES:
            return size, [width + INSET for width in widths]
    least = sum(column.least + INSET for column in columns)
    size = min(SIZES[-1], max(SMALLEST, math.floor(10 * PAGE[form] / least) / 10))
    return size, [width + INSET for width in shared(columns, PAGE[form] / size - INSET * len(columns))]


def shared(columns: Sequence[Measured], room: float) -> list[float]:
    """The width of each column, together `room`: what it needs at least, then step by step where it spares most lines."""
    widths = [column.least for column in columns]
    gains = [(-gain(column, column.least), i) for i, column in enumerate(columns)]
    heapq.heapify(gains)
    left = room - sum(widths)
    while left >= STEP and gains[0][0] < 0:
        _, i = gains[0]
        widths[i] += STEP
        left -= STEP
        heapq.heapreplace(gains, (-gain(columns[i], widths[i]), i))
    stretch = room / sum(widths)  # what nobody needs makes all wider; what is missing, all narrower
    return [width * stretch for width in widths]


def gain(column: Measured, width: float) -> float:
    return column.pain(width) - column.pain(width + STEP)


def usual_lines(columns: Sequence[Measured], widths: Sequence[float]) -> int:
    """How many lines nine rows of ten stay within."""
    rows = zip(*(column.cells for column in columns), strict=True)
    lines = sorted(max(math.ceil(cell / width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return lines[math.ceil(0.9 * len(lines)) - 1] if lines else 1
