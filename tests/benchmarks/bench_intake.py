"""A ledger of 10,000 projects out as workbook and CSV and in again, against openpyxl's bare work on the same cells. Asserts nothing.

    python -m tests.benchmarks.bench_intake                 # 10,000 projects, a fresh database in a temporary folder
    python -m tests.benchmarks.bench_intake --size 2000

CPU seconds of this process and of those that it started (a workbook is opened in one of its own), once each. The yardsticks: openpyxl
writing the same values in its write-only mode, and openpyxl reading every cell of the same file in its read-only mode. `peak` is the
memory that Python's own allocator held at most, measured in a run of its own, since measuring slows. Times differ between machines and
with what else runs on them; compare ratios of one run only.
"""

import argparse
import io
import resource
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.benchmarks.bench_pages import _fill, _installation

CHANGED = 100  # cells typed anew in the file that comes back


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=10_000)
    size = parser.parse_args().size
    with tempfile.TemporaryDirectory(prefix="office-bench-") as folder, _installation(Path(folder)):
        _fill(size, weeks=1)
        _measure()


def _measure() -> None:
    from ledgers import intake, own
    from ledgers.export import Sheet, csv_lines, write_workbook
    from linfen_water import clock
    from linfen_water.models import Region
    from linfen_water.tabular import read_table

    ledger, day = own.find_ledger("master"), clock.today()
    assert ledger

    def sheet() -> Sheet:
        return Sheet(ledger, day, ledger.opened(day).qs, [], Region.current().is_demo)

    def workbook() -> bytes:
        file = io.BytesIO()
        write_workbook(sheet(), file)
        return file.getvalue()

    print(f"{'':44}{'CPU s':>8}{'ratio':>8}{'MB':>8}")
    data = workbook()
    values = _read(data)
    bare_write = _tell("openpyxl, write-only, the same values", lambda: _write(values))
    _tell("ledger as workbook", workbook, bare_write)
    _tell("ledger as CSV", lambda: sum(map(len, csv_lines(sheet()))), bare_write)
    print(f"  {len(values)} lines of {max(map(len, values))} cells, {len(data) / 1e6:.1f} MB")
    bare_read = _tell("openpyxl, read-only, every cell", lambda: _read(data))
    _tell("rehearsal of the file as it is", lambda: _rehearse(intake, read_table, ledger, data), bare_read)
    other = _changed(data)
    found = _rehearse(intake, read_table, ledger, other)
    print(f"  {CHANGED} cells typed anew: {len(found.changes)} changes, {len(found.errors)} errors")
    source = read_table(other)
    _tell("taken in, with those changes", lambda: intake.take_in(source, reason="量速度", by=None, ledger=ledger), bare_read, peaks=False)


def _rehearse(intake, read_table, ledger, data: bytes):
    return intake.rehearse(read_table(data), reason="量速度", ledger=ledger)


def _tell(what: str, work: Callable[[], Any], against: float | None = None, *, peaks: bool = True) -> float:
    """Print and return the CPU seconds of `work`."""
    start = _used()
    work()
    seconds = _used() - start
    peak = ""
    if peaks:
        tracemalloc.start()
        work()
        peak = f"{tracemalloc.get_traced_memory()[1] / 1e6:8.0f}"
        tracemalloc.stop()
    ratio = f"{seconds / against:8.2f}" if against else " " * 8
    print(f"{what:44}{seconds:8.2f}{ratio}{peak}", flush=True)
    return seconds


def _used() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _write(lines: list[tuple]) -> bytes:
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    page = book.create_sheet()
    for line in lines:
        page.append(line)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _read(data: bytes) -> list[tuple]:
    from openpyxl import load_workbook

    book = load_workbook(io.BytesIO(data), read_only=True)
    return [line for page in book for line in page.iter_rows(values_only=True)]


def _changed(data: bytes) -> bytes:
    """The exported file with the investment of some projects typed anew, as a person would save it."""
    from openpyxl import load_workbook

    book = load_workbook(io.BytesIO(data))
    page = book.worksheets[0]
    column = next(cell.column for line in page.iter_rows(max_row=6) for cell in line if cell.value and "总投资" in str(cell.value))
    for n in range(CHANGED):
        page.cell(20 + 7 * n, column).value = 1000.5 + n
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


if __name__ == "__main__":
    main()
