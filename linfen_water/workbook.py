"""Reading a workbook that somebody sent: `read_workbook(bytes) -> list[Sheet]`, or BadWorkbook with the sentence for the person.

The file is opened in a process of its own (this module as a script, the file on stdin, JSON on stdout) with limits on memory and time;
it knows no Django and no database. Before the workbook is parsed its zip is unpacked in a stream and counted, and any
DOCTYPE or ENTITY refuses it. Formulas are read as the values that Excel kept for them.
"""

import dataclasses
import datetime as dt
import io
import json
import math
import re
import resource
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path

LARGEST = 5 << 20  # bytes of the file
UNPACKED = 40 << 20  # bytes of all that is in it
PARTS = 1_000  # files inside the zip
ROWS, COLUMNS = 20_000, 200  # what is read of a sheet
LAST_ROW = 1_048_576  # of any sheet
TEXT = 10_000_000  # cells and their characters together: one shared text may stand in a million of them
MEMORY = 1 << 30  # bytes of address space
SECONDS = 20  # of computing; a ledger of 20,000 rows takes seven
PATIENCE = 45  # seconds that it may take on a machine that is busy with other work; the web server in front waits for 60
CHUNK = 1 << 16
FORMULA = re.compile(rb"[<:]f[\s/>]")
BEFORE_XML = b"\xef\xbb\xbf\xff\xfe \t\r\n"  # byte order marks and blanks

EMPTY = "文件是空的，请重新选择。"
TOO_LARGE = f"文件超过 {LARGEST >> 20} MB，请删去图片和多余的工作表后再试。"
OLD_OR_LOCKED = "这是旧版 .xls 或加了打开密码的文件，请在 Excel 中去掉密码，另存为 .xlsx 后再试。"
NO_WORKBOOK = "这不是 Excel 工作簿（.xlsx）：请用 Excel 或 WPS 打开原表，另存为 .xlsx 后再试，不要只改扩展名。"
DAMAGED = "工作簿不完整或已损坏，请在 Excel 中重新打开并另存为 .xlsx 后再试。"
TOO_MUCH = "工作簿展开后内容过多，请只保留要导入的工作表，删去图片、空行和格式后再试。"
BUSY = "服务器正忙，没有读完这个文件，什么都没有写入。请过几分钟再试。"
UNSAFE = "工作簿含有不允许的 XML 声明（DOCTYPE 或 ENTITY），请在 Excel 中另存为新的 .xlsx 后再试。"
TOO_LONG = f"工作表超过 {ROWS} 行，请分成几个文件导入。"
WITH_MACROS = "工作簿含有宏（.xlsm 或带宏的模板），为安全起见不读取：请在 Excel 中另存为“Excel 工作簿（.xlsx）”后再试。"
TOO_WIDE = f"工作表的内容超过 {COLUMNS} 列：请删去右边多余的列（或误写在远处的单元格）后再试。"
NOT_CALCULATED = "公式没有保存计算结果"
MERGES = 20_000  # merged ranges of a sheet that are looked at
MERGE = re.compile(rb'<(?:\w+:)?mergeCell ref="([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})"')
FAR_CELL = re.compile(rb'<(?:\w+:)?c r="[A-Z]{3}\d+"[^>]*(?<!/)>\s*<(?:\w+:)?(?:v|is|f)[\s>]')


class BadWorkbook(Exception):
    """The file cannot be read; the text is the Chinese sentence for the person."""


@dataclasses.dataclass(frozen=True)
class Broken:
    """A cell without a usable value: an error of the spreadsheet, or a formula that was never calculated."""

    text: str

    def __str__(self):
        return self.text


class Percent(Decimal):
    """A number that the sheet shows as a percentage; its value is what the file holds: -0.053 for -5.3 %."""


Cell = str | Decimal | dt.date | Broken | None


@dataclasses.dataclass(frozen=True)
class Row:
    """A row with something in it; `number` counts from 1 as Excel shows it, `cells` begin in column A."""

    number: int
    cells: list[Cell]


@dataclasses.dataclass(frozen=True)
class Sheet:
    title: str
    is_hidden: bool
    rows: list[Row]
    merges: tuple[tuple[int, int, int, int], ...] = ()  # first row and column, last row and column, counted from 1


# ── For the caller ──────────────────────────────────────────────────────────────────────────────────────────────────


def read_workbook(data: bytes, *, with_times: bool = False) -> list[Sheet]:
    """The sheets of the workbook `data`, its blank rows left out; days that have a time of day are datetimes `with_times`.

    Raises BadWorkbook.
    """
    if fault := first_look(data):
        raise BadWorkbook(fault)
    said = json.loads(_opened_apart(data))
    if "fault" in said:
        raise BadWorkbook(said["fault"])
    return [_sheet(sheet, with_times) for sheet in said["sheets"]]


def _opened_apart(data: bytes) -> bytes:
    """What a process of its own says of the file. Raises BadWorkbook when it comes to no end."""
    worker = [sys.executable, "-P", str(Path(__file__).resolve())]  # by its path: its package would load Celery each time
    try:
        done = subprocess.run(worker, input=data, capture_output=True, timeout=PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        raise BadWorkbook(BUSY) from None  # it waits for its turn: what computes too long falls by its own limit
    if done.returncode:  # out of memory or computing time: nothing else lets the worker fall
        raise BadWorkbook(TOO_MUCH) from RuntimeError(done.stderr.decode(errors="replace")[-2000:])
    return done.stdout


def _sheet(said: dict, with_times: bool) -> Sheet:
    rows = [Row(number, [_cell(cell, with_times) for cell in cells]) for number, cells in said["rows"]]
    return Sheet(said["title"], said["is_hidden"], rows, tuple(tuple(merge) for merge in said["merges"]))


def first_look(data: bytes) -> str:
    """What the size and the first bytes tell already: a fault, or "" for what may be a workbook."""
    if not data:
        return EMPTY
    if len(data) > LARGEST:
        return TOO_LARGE
    if data.startswith(bytes.fromhex("D0CF11E0A1B11AE1")):  # a compound file
        return OLD_OR_LOCKED
    return "" if data.startswith(b"PK") else NO_WORKBOOK


def _cell(said, with_times: bool = False) -> Cell:
    if isinstance(said, dict):
        if "percent" in said:
            return Percent(f"{said['percent']:.15g}")
        if "broken" in said:
            return Broken(said["broken"])
        at = dt.datetime.fromisoformat(said["at"])
        return at if with_times and at.time() != dt.time() else at.date()
    if isinstance(said, (int, float)):
        return Decimal(f"{said:.15g}")  # the digits that a spreadsheet shows; the rest is binary dust
    return said


# ── The worker ──────────────────────────────────────────────────────────────────────────────────────────────────────


def main() -> None:
    data = sys.stdin.buffer.read(LARGEST + 1)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    sys.modules["numpy"] = None  # openpyxl would load it only to know its kinds of numbers
    sys.stdout.write(told(data))


def told(data: bytes) -> str:
    """The sheets, or the fault, as JSON."""
    try:
        return json.dumps({"sheets": unpack(data)})
    except BadWorkbook as fault:
        return json.dumps({"fault": str(fault)})


def unpack(data: bytes) -> list[dict]:
    """The sheets as JSON: title, is_hidden, rows as `[number, cells]`. Raises BadWorkbook."""
    merges: dict[str, list] = {}
    has_formulas = inspect(data, merges)
    try:
        return _sheets(data, has_formulas, merges)
    except (BadWorkbook, MemoryError):
        raise
    except Exception as fault:  # a file may be wrong in more ways than a library names
        raise BadWorkbook(DAMAGED) from fault


def inspect(data: bytes, merges: dict[str, list] | None = None) -> bool:
    """Unpack every part once, keeping none; say whether there are formulas. Raises BadWorkbook for what must not be parsed.

    `merges` is filled with the merged ranges of each part, which the reader of rows does not tell.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
            if len(parts) > PARTS:
                raise BadWorkbook(TOO_MUCH)
            if any(part.flag_bits & 1 for part in parts):
                raise BadWorkbook(OLD_OR_LOCKED)
            names = {part.filename for part in parts}
            if "[Content_Types].xml" not in names or not any(name.lower().endswith("workbook.xml") for name in names):
                raise BadWorkbook(NO_WORKBOOK)
            if any(name.lower().endswith("vbaproject.bin") for name in names):
                raise BadWorkbook(WITH_MACROS)
            return _look_through(archive, parts, {} if merges is None else merges)
    except (zipfile.BadZipFile, EOFError, zlib.error, NotImplementedError, OSError, ValueError) as fault:
        raise BadWorkbook(DAMAGED) from fault


def _look_through(archive: zipfile.ZipFile, parts: list[zipfile.ZipInfo], merges: dict[str, list]) -> bool:
    unpacked, has_formulas = 0, False
    for part in parts:
        with archive.open(part) as file:
            before = b""
            while chunk := file.read(CHUNK):
                unpacked += len(chunk)
                if unpacked > UNPACKED:
                    raise BadWorkbook(TOO_MUCH)
                text = before + chunk.replace(b"\0", b"")  # so that UTF-16 hides nothing
                if not before and _is_xml(part) and not text.lstrip(BEFORE_XML).startswith(b"<"):
                    raise BadWorkbook(DAMAGED)  # or in an encoding that would hide the next two words
                if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
                    raise BadWorkbook(UNSAFE)
                has_formulas = has_formulas or FORMULA.search(text) is not None
                if b"mergeCell " in text:
                    _add_merges(text, merges.setdefault(part.filename, []))
                if FAR_CELL.search(text):
                    raise BadWorkbook(TOO_WIDE)
                before = text[-64:]
    return has_formulas


def _add_merges(text: bytes, found: list[tuple[int, int, int, int]]) -> None:
    for left, top, right, bottom in MERGE.findall(text):
        merge = (int(top), _column(left), int(bottom), _column(right))
        if len(found) < MERGES and merge not in found[-4:]:
            found.append(merge)


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = 26 * number + letter - 64
    return number


def _is_xml(part: zipfile.ZipInfo) -> bool:
    return part.filename.lower().endswith((".xml", ".rels"))


def _sheets(data: bytes, has_formulas: bool, merges: dict[str, list]) -> list[dict]:
    from openpyxl import load_workbook  # after the limits are set

    def opened(data_only: bool):
        return load_workbook(io.BytesIO(data), read_only=True, data_only=data_only, keep_links=False)

    left = TEXT
    found = []
    sources = opened(data_only=False) if has_formulas else None
    for page in opened(data_only=True).worksheets:
        sources_rows = _cells(sources[page.title]) if sources else None
        rows = []
        for number, cells in _filled(_cells(page), sources_rows):
            left -= sum(len(cell) for cell in cells if isinstance(cell, str)) + len(cells)
            if left < 0:
                raise BadWorkbook(TOO_MUCH)
            rows.append([number, cells])
        spans = merges.get(page._worksheet_path.lstrip("/"), [])
        found.append({"title": page.title, "is_hidden": page.sheet_state != "visible", "rows": rows, "merges": spans})
    return found


def _cells(page) -> Iterable[tuple]:
    page.reset_dimensions()  # what a sheet says of its size is often wrong
    return page.iter_rows(max_col=COLUMNS)


def _filled(values: Iterable[tuple], sources: Iterable[tuple] | None) -> Iterator[tuple[int, list]]:
    """Number and cells of each row that is not blank, without blanks at its end. Raises BadWorkbook past the last row allowed."""
    rows = zip(values, sources, strict=True) if sources is not None else ((row, row) for row in values)
    blank = None  # openpyxl hands out one and the same row for all that are missing: a million of them cost nothing
    for number, (row, written) in enumerate(rows, 1):
        if number > LAST_ROW:
            raise BadWorkbook(TOO_LONG)
        if row is blank:
            continue
        cells = [_said(cell, source) for cell, source in zip(row, written, strict=True)]
        while cells and cells[-1] is None:
            cells.pop()
        if not cells:
            blank = row
        elif number > ROWS:
            raise BadWorkbook(TOO_LONG)
        else:
            yield number, cells


def _said(cell, source):
    """A cell as JSON: text, number, `{"percent"}`, `{"at"}`, `{"broken"}` or None. `source` is the same cell with its formula."""
    value = cell.value
    if value is None:
        return {"broken": NOT_CALCULATED} if source.value is not None else None
    if cell.data_type == "e":
        return {"broken": str(value)}
    if isinstance(value, dt.datetime):
        return {"at": value.isoformat()}
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, (int, float)):
        if not math.isfinite(value) or abs(value) >= 1e300:
            return {"broken": str(value)}
        return {"percent": value} if "%" in (cell.number_format or "") else value
    return str(value) if str(value).strip() else None


if __name__ == "__main__":
    main()
