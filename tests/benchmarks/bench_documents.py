"""What a bulletin of 95 and of 3,000 projects costs, against an empty page and against WeasyPrint, in one run. Asserts nothing.

    python -m tests.benchmarks.bench_documents
    python -m tests.benchmarks.bench_documents --sizes 0

"gather" is the time of the queries, first and once more. "cold" is a process of its own, from its start to the PDF: for Typst the
product's own worker. "warm" prints again in a process that has done it before. The empty page is Typst's with the same fonts; WeasyPrint
gets the same words and tables as HTML with the same page and fonts, without the drawings, and for the mere text: no red head, no 版记, no
PDF/A. Medians of few runs; compare ratios ("x", against the empty page) of one run only.
"""

import argparse
import contextlib
import dataclasses
import datetime as dt
import html
import io
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.benchmarks.bench_pages import _fill, _installation

RUNS = 3
MONTH = dt.date(2025, 1, 1)
EMPTY = '#set text(font: "FandolFang R")\n水'


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="*", default=[0, 3000], help="numbers of projects; 0 = the demo city as it is")
    parser.add_argument("--weasyprint", nargs=2, metavar=("HTML", "PDF"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.weasyprint:
        _weasyprint(Path(asked.weasyprint[0]).read_text(), Path(asked.weasyprint[1]))
        return
    with tempfile.TemporaryDirectory(prefix="office-bench-") as folder, _installation(Path(folder)):
        print(f"{'':34}{'pages':>6}{'KB':>7}{'gather s':>16}{'cold s':>9}{'x':>7}{'warm s':>9}{'x':>7}")
        empty = _empty(Path(folder))
        _print("Typst, an empty page", empty, empty)
        for size in asked.sizes:
            _fill(size)
            for name, cost in _bulletin(Path(folder)):
                _print(name, cost, empty)


@dataclasses.dataclass(frozen=True)
class Cost:
    """Seconds, and what came out."""

    cold: float
    warm: float
    content: bytes
    gather: str = ""


def _print(name: str, cost: Cost, empty: Cost) -> None:
    from pdfminer.pdfpage import PDFPage

    pages = sum(1 for _ in PDFPage.get_pages(io.BytesIO(cost.content)))
    times = f"{cost.cold:9.2f}{cost.cold / empty.cold:7.1f}{cost.warm:9.3f}{cost.warm / empty.warm:7.1f}"
    print(f"{name:34}{pages:6d}{len(cost.content) / 1024:7.0f}{cost.gather:>16}{times}", flush=True)


def _seconds(work: Callable[[], object], runs: int = RUNS) -> float:
    """The median of `runs`."""

    def one() -> float:
        begin = time.perf_counter()
        work()
        return time.perf_counter() - begin

    return statistics.median(one() for _ in range(runs))


def _empty(folder: Path) -> Cost:
    from ledgers.documents import fonts, render

    files = render._linked([str(path) for path in fonts.files()], _made(folder / "empty"))
    source = folder / "empty.typ"
    source.write_text(EMPTY)
    code = (
        "import sys, typst\n"
        "known = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[sys.argv[2]])\n"
        "open(sys.argv[3], 'wb').write(typst.Compiler(sys.argv[1], font_paths=known).compile(format='pdf'))\n"
    )
    out = folder / "empty.pdf"
    cold = _seconds(lambda: subprocess.run([sys.executable, "-c", code, source, files, out], check=True))

    def again() -> None:
        import typst

        known = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(files)])
        typst.Compiler(str(source), font_paths=known).compile(format="pdf")

    again()
    return Cost(cold, _seconds(again), out.read_bytes())


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _bulletin(folder: Path) -> Iterator[tuple[str, Cost]]:
    """The month's bulletin as the product prints it, and the same words by WeasyPrint."""
    import orjson

    from ledgers.documents import bulletin, bulletin_words, fonts, pdf, render
    from linfen_water import clock

    begin = time.perf_counter()
    facts = bulletin.gather(MONTH, clock.today())
    middle = time.perf_counter()
    facts = bulletin.gather(MONTH, clock.today())
    gathered = f"{middle - begin:.2f} / {time.perf_counter() - middle:.2f}"
    paper = bulletin_words.bulletin_paper(facts)
    contents: list[bytes] = []
    cold = _seconds(lambda: contents.append(pdf.render_pdf(paper, clock.today())))
    data = orjson.dumps(pdf.print_data(paper)).decode()

    def again() -> None:
        with tempfile.TemporaryDirectory(dir=folder) as own:
            render.print_paper(data, render._linked([str(path) for path in fonts.files()], Path(own)), Path(own), clock.today())

    again()
    yield f"Typst, bulletin of {facts.totals.count:,}", Cost(cold, _seconds(again), contents[-1], gathered)

    with contextlib.suppress(ImportError):
        page, out = folder / "bulletin.html", folder / "bulletin.pdf"
        page.write_text(_html(paper, fonts.files()))
        command = [sys.executable, "-m", "tests.benchmarks.bench_documents", "--weasyprint", page, out]
        _weasyprint(page.read_text(), out)  # also says whether it is there
        cold = _seconds(lambda: subprocess.run(command, check=True))
        warm = _seconds(lambda: _weasyprint(page.read_text(), out))
        yield f"WeasyPrint, bulletin of {facts.totals.count:,}", Cost(cold, warm, out.read_bytes())


def _weasyprint(page: str, out: Path) -> None:
    from weasyprint import HTML  # a benchmark's dependency only

    HTML(string=page).write_pdf(out)


def _html(paper, files) -> str:
    """The paper's words and tables on the same page, in the same fonts."""
    faces = "".join(f"@font-face {{ font-family: f{n}; src: url(file://{path}) }}" for n, path in enumerate(files))
    names = ", ".join(f"f{n}" for n in range(len(list(files))))
    parts = [f"<h1>{html.escape(paper.head)}</h1><h2>{html.escape(''.join(paper.title))}</h2>"]
    blocks = [*paper.body]
    for attachment in paper.attachments:
        parts_of = [attachment.table] if attachment.table else []
        blocks += parts_of
    for block in blocks:
        if block.kind == "table":
            parts.append(_table(block))
        elif block.kind != "figure":
            parts.append(f"<p>{html.escape(block.text)}</p>")
    style = f"@page {{ size: A4; margin: 37mm 26mm 35mm 28mm }} body {{ font: 16pt/29.6pt {names} }}"
    style += " table { font-size: 10.5pt } p { margin: 0 }"
    return f"<meta charset=utf-8><style>{faces}{style}</style>{''.join(parts)}"


def _table(table) -> str:
    heads = "".join(f"<th>{html.escape(column.head)}</th>" for column in table.columns)
    rows = "".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in table.rows)
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"


if __name__ == "__main__":
    main()
