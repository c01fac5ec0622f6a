"""A ledger as PDF: the rows chosen on the page, landscape, the two-line head on each page, by Typst in a process of its own."""

import dataclasses
import datetime as dt
import itertools
from collections.abc import Iterable, Sequence
from decimal import Decimal

from ledgers import columns as c
from ledgers.documents import pdf
from ledgers.documents.ledger_widths import MOST_WHOLE, SAMPLE, SHORT, Measured, layout, measured
from ledgers.export import SIGNATURES, Sheet

A3 = "8"  # as openpyxl numbers paper
MOST_ROWS = 3_000  # some 200 pages; what is longer is for Excel
Rows = tuple[tuple[str, ...], ...]
MOST_CHARACTERS = 600  # of a cell: a row that is taller than a page helps nobody


@dataclasses.dataclass(frozen=True)
class Group:
    """Headings that stand under one label; without a label each takes both lines."""

    label: str
    heads: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class LedgerPaper:
    """What the template prints; every cell is a word by now."""

    title: str
    notes: str
    dated: str
    mark: str
    signatures: str
    format: str  # a3, a4
    size: float  # of the letters, in points
    widths: tuple[float, ...]
    aligns: tuple[str, ...]
    groups: tuple[Group, ...]
    rows: tuple[tuple[str, ...], ...]
    totals: tuple[tuple[str, ...], ...]
    below: tuple[str, ...]
    kind: str = "ledger"


class TooLong(Exception):
    """The ledger has more rows than a PDF holds; the text is the Chinese sentence for the person."""

    def __init__(self) -> None:
        super().__init__(f"PDF 最多印 {MOST_ROWS} 行，这里超过了：请先筛选，或导出 Excel。")


def ledger_pdf(sheet: Sheet) -> bytes:
    """Print the sheet. Raises TooLong and PrintFault."""
    return pdf.print_job(pdf.print_data(paper_of(sheet)), sheet.day, pdf.LEDGER_TEMPLATE)


def paper_of(sheet: Sheet) -> LedgerPaper:
    columns = [column for _, column in sheet.columns]
    rows = tuple(tuple(map(said, row, columns)) for row in itertools.islice(sheet.rows(), MOST_ROWS + 1))
    if len(rows) > MOST_ROWS:
        raise TooLong
    form = "a3" if str(sheet.ledger.paper) == A3 else "a4"
    totals = tuple(tuple(map(said, row, columns)) for row in sheet.total_rows())
    size, widths = layout(columns_measured(columns, sheet.headings(), rows, totals), form, len(rows))
    return LedgerPaper(
        title=sheet.ledger.title,
        notes=sheet.notes,
        dated=f"数据截至 {sheet.day}{'　演示数据' if sheet.is_demo else ''}",
        mark="演示数据" if sheet.is_demo else "",
        signatures=SIGNATURES,
        format=form,
        size=size,
        widths=tuple(widths),
        aligns=tuple("right" if "number" in column.css.split() else "left" for column in columns),
        groups=tuple(groups_of(columns, sheet.headings())),
        rows=rows,
        totals=totals,
        below=(*sheet.notes_below, *left_out(sheet)),
    )


def columns_measured(columns: Sequence[c.LedgerColumn], headings: Sequence[str], rows: Rows, totals: Rows) -> list[Measured]:
    """The columns by their cells, of many rows by some of all parts; sums of numbers stand whole, what they tell in words may break."""
    some = rows[:: len(rows) // SAMPLE + 1]
    found = []
    for place, (column, heading) in enumerate(zip(columns, headings, strict=True)):
        classes = column.css.split()
        sums = totals if "number" in classes else ()
        texts = [row[place] for row in (*some, *sums)]
        made = measured(texts, heading, whole=MOST_WHOLE if "number" in classes else SHORT if "nowrap" in classes else 0.0)
        found.append(dataclasses.replace(made, cells=made.cells[: len(some)]))
    return found


def left_out(sheet: Sheet) -> Iterable[str]:
    """What a paper with some of the columns says of the others."""
    every = len(sheet.ledger.table_for(sheet.chosen).base_columns)
    if len(sheet.columns) < every:
        yield f"注：本表印{len(sheet.columns)}列；全部{every}列见台账，或导出 Excel。"


def groups_of(columns: Sequence[c.LedgerColumn], headings: Sequence[str]) -> Iterable[Group]:
    pairs = zip(columns, headings, strict=True)
    for label, members in itertools.groupby(pairs, key=lambda pair: pair[0].group):
        yield Group(label, tuple(heading for _, heading in members))


def said(value, column: c.LedgerColumn) -> str:
    """A cell in printable words, as the workbook would show it."""
    text = " ".join(("" if value is None else str(spelled(value, column))).split())
    return text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]}……（全文见台账）"


def spelled(value, column: c.LedgerColumn):
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool) and "#,##0" in column.number_format:
        places = len(column.number_format.partition(";")[0].partition(".")[2])
        return f"{value:,.{places}f}"
    return value.isoformat() if isinstance(value, dt.date) else c.as_text(value)
