"""Any table that somebody sends or pastes, as sheets: .xlsx, CSV in the encodings that offices have, HTML under the name of .xls.

`read_table(data)` looks at the bytes; a name is only what the sheet of a CSV is called. What is no table is
refused with a sentence (BadWorkbook).
"""

import csv
import io
import re
from html.parser import HTMLParser

from linfen_water.workbook import (
    COLUMNS,
    EMPTY,
    LARGEST,
    OLD_OR_LOCKED,
    ROWS,
    TEXT,
    TOO_LARGE,
    TOO_LONG,
    TOO_MUCH,
    BadWorkbook,
    Cell,
    Row,
    Sheet,
    read_workbook,
)

PASTED = "粘贴的表格"
MARKS = "\t,;"  # between the cells of a line
NOT_TEXT = "认不出文件的文字编码：请用 Excel 打开后另存为 .xlsx 或“CSV UTF-8”。"
NO_TABLE = "这不是表格文件：请选择 Excel 工作簿（.xlsx）或 CSV，用 Excel 或 WPS 打开原表另存为 .xlsx 后再试，不要只改扩展名。"
HTML_WITHOUT_TABLE = "这是网页（HTML），里面没有表格：请用 Excel 打开原表，另存为 .xlsx 后再试。"
HTML_START = re.compile(r"^\s*(<\?xml[^>]*\?>\s*)?(<!--.*?-->\s*)?<(!doctype\s+html|html|table|head|meta|body|style|div)\b", re.I | re.S)

OTHER_START = re.compile(r"^\s*(%PDF-|<[?!a-z])", re.I)  # readable as text, and no table for all that


def read_table(data: bytes, name: str = PASTED) -> list[Sheet]:
    """The sheets of what was sent. Raises BadWorkbook."""
    if not data:
        raise BadWorkbook(EMPTY)
    if len(data) > LARGEST:
        raise BadWorkbook(TOO_LARGE)
    if data.startswith((b"PK", bytes.fromhex("D0CF11E0A1B11AE1"))):
        return read_workbook(data)
    if data[:2] == b"\x09\x08" or data[:4] == b"\x09\x04\x06\x00":  # a bare BIFF stream
        raise BadWorkbook(OLD_OR_LOCKED)
    text = decoded(data)
    if text is None:
        raise BadWorkbook(NO_TABLE if b"\0" in data else NOT_TEXT)
    if HTML_START.match(text[:2000]):
        return read_html(text)
    if OTHER_START.match(text):
        raise BadWorkbook(NO_TABLE)
    return [read_text(text, name)]


def decoded(data: bytes) -> str | None:
    """The text of the bytes in the encodings that spreadsheet programs write; None when it is none."""
    encodings = ["utf-16"] if data[:2] in (b"\xff\xfe", b"\xfe\xff") else ["utf-8-sig", "gb18030"]
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        return None if "\0" in text else text
    return None


def read_text(text: str, title: str = PASTED) -> Sheet:
    """A block of cells as Excel puts it on the clipboard, or the text of a CSV. Raises BadWorkbook."""
    if "\0" in text:
        raise BadWorkbook(NO_TABLE)
    if len(text) > TEXT:
        raise BadWorkbook(TOO_MUCH)
    first = next((line for line in text.splitlines() if any(mark in line for mark in MARKS)), "")  # a title alone stands above it
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(MARKS, key=first.count), strict=True)
    rows = []
    try:
        for number, line in enumerate(reader, 1):
            if any(cell.strip() for cell in line):
                rows.append(Row(number, _trimmed([_cell(cell) for cell in line[:COLUMNS]])))
            if number > ROWS:
                raise BadWorkbook(TOO_LONG)
    except csv.Error:
        raise BadWorkbook(f"到第{reader.line_num}行为止读不成表格：检查引号是否成对。") from None
    return Sheet(title, False, rows)


def _cell(text: str) -> Cell:
    """A text cell; the apostrophe that our own CSV puts before what a spreadsheet would take for a formula is no part of it."""
    text = text.strip("\ufeff")
    if text[:1] == "'" and text[1:2] in tuple("=+-@\t\r\n＝＋－＠"):
        text = text[1:]
    return text if text.strip() else None


def _trimmed(row: list[Cell]) -> list[Cell]:
    while row and row[-1] is None:
        row.pop()
    return row


# ── HTML ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def read_html(text: str) -> list[Sheet]:
    """The tables of a page, as systems export them under the name of .xls. Raises BadWorkbook."""
    reader = _Tables()
    reader.feed(text)
    reader.close()
    reader.end_table()
    sheets = [sheet for sheet in reader.sheets if sheet.rows]
    if not sheets:
        raise BadWorkbook(HTML_WITHOUT_TABLE)
    return sheets


class _Tables(HTMLParser):
    """Cells of tables with their spans; scripts and styles are no text."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.sheets: list[Sheet] = []
        self.rows: list[Row] = []
        self.merges: list[tuple[int, int, int, int]] = []
        self.cells: dict[int, Cell] = {}
        self.taken: dict[int, set[int]] = {}  # places of coming rows that a cell above spans
        self.number, self.place, self.left = 0, 0, TEXT
        self.text: list[str] | None = None
        self.is_silent = 0

    def handle_starttag(self, tag, attrs):
        if tag in ("script", "style"):
            self.is_silent += 1
        elif tag == "table":
            self.end_table()
        elif tag == "tr":
            self.end_row()
            self.number += 1
            self.place = 0
            if self.number > ROWS:
                raise BadWorkbook(TOO_LONG)
        elif tag in ("td", "th"):
            self.end_cell()
            self.start_cell(dict(attrs))
        elif tag == "br" and self.text is not None:
            self.text.append("\n")

    def handle_endtag(self, tag):
        if tag in ("script", "style"):
            self.is_silent = max(0, self.is_silent - 1)
        elif tag in ("td", "th"):
            self.end_cell()
        elif tag == "tr":
            self.end_row()
        elif tag == "table":
            self.end_table()

    def handle_data(self, data):
        if self.text is not None and not self.is_silent:
            self.left -= len(data)
            if self.left < 0:
                raise BadWorkbook(TOO_MUCH)
            self.text.append(data)

    def start_cell(self, attrs: dict) -> None:
        while self.place in self.taken.get(self.number, ()):
            self.place += 1
        wide, high = _span(attrs.get("colspan"), COLUMNS), _span(attrs.get("rowspan"), ROWS)
        if wide > 1 or high > 1:
            self.merges.append((self.number, self.place + 1, self.number + high - 1, self.place + wide))
            for row in range(self.number + 1, min(self.number + high, self.number + 2_000)):
                self.taken.setdefault(row, set()).update(range(self.place, self.place + wide))
        self.here, self.next, self.text = self.place, self.place + wide, []

    def end_cell(self) -> None:
        if self.text is None:
            return
        said = "\n".join(filter(None, (" ".join(line.split()) for line in "".join(self.text).split("\n"))))
        if said and self.here < COLUMNS:
            self.cells[self.here] = said
        self.place, self.text = self.next, None

    def end_row(self) -> None:
        self.end_cell()
        if self.cells:
            self.rows.append(Row(self.number, [self.cells.get(place) for place in range(max(self.cells) + 1)]))
        self.cells = {}

    def end_table(self) -> None:
        self.end_row()
        if self.rows:
            self.sheets.append(Sheet(f"表{len(self.sheets) + 1}", False, self.rows, tuple(self.merges[:20_000])))
        self.rows, self.merges, self.taken, self.number = [], [], {}, 0


def _span(text: str | None, most: int) -> int:
    return min(int(text), most) if text and text.isascii() and text.isdigit() and 0 < len(text) < 6 and int(text) else 1
