"""The worker that prints one paper: `python -m ledgers.documents.render`, its task as JSON on stdin, the PDF (or pictures) into a file.

It knows no Django and no database. Data reaches the template as one JSON string, so nothing that people typed is ever source;
the template's root is a folder with nothing but itself, so it can read no other file.
"""

import base64
import datetime as dt
import json
import os
import resource
import shutil
import sys
from pathlib import Path
from typing import Any

TEMPLATES = ("official.typ", "ledger.typ", "figures.typ")
# Lines a page to try until the signature shares its page with text: the standard's 22 first, then closer or wider ones, as it
# allows (GB/T 9704-2012 7.3.5.5).
LINES = (22, 23, 21, 24)
PICTURE_PPI = 200
BLOCK_HEIGHT, GLYPH = 225 * 72 / 25.4, 16  # points


def main() -> None:
    job = json.load(sys.stdin)
    limit(job["memory"], job["seconds"])
    folder = Path(job["folder"])
    fonts, dated = _linked(job["fonts"], folder), dt.date.fromisoformat(job["dated"])
    print_with = dict(zip(TEMPLATES, (print_paper, print_ledger, print_pictures), strict=True))[job["template"]]
    pdf = print_with(job["data"], fonts, folder, dated)
    with Path(job["out"]).open("wb") as file:
        file.write(pdf)
        file.flush()
        os.fsync(file.fileno())


def limit(memory: int, seconds: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))


def _linked(files: list[str], folder: Path) -> Path:
    """A folder with just these fonts, since Typst takes folders."""
    fonts = folder / "fonts"
    fonts.mkdir()
    for place, file in enumerate(files):
        (fonts / f"{place}{Path(file).suffix}").symlink_to(file)
    return fonts


def print_paper(data: str, fonts: Path, folder: Path, dated: dt.date) -> bytes:
    """PDF/A-2u with tags. The date is the only time that goes in, so the same data give the same bytes."""
    import typst  # after the limits are set

    root, template = _root(folder, TEMPLATES[0])
    known = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(fonts)])

    def laid_out(lines: int, keep: str = "no"):
        pitch = (BLOCK_HEIGHT - GLYPH) / (lines - 1)  # from line to line: 29.609 points for 22
        inputs = {"data": data, "pitch": f"{pitch:.3f}", "keep": keep}
        return typst.Compiler(template, root=str(root), font_paths=known, sys_inputs=inputs)

    fitting = (paper for lines in LINES if _signature_has_company(paper := laid_out(lines)))
    paper = next(fitting, None) or laid_out(LINES[0], keep="yes")  # else the last paragraph keeps it company
    return _pdf(paper, "a-2u", dated)


def print_ledger(data: str, fonts: Path, folder: Path, dated: dt.date) -> bytes:
    """PDF/A-2b: thousands of rows without the tags of each cell, which would take most of the time."""
    import typst  # after the limits are set

    root, template = _root(folder, TEMPLATES[1])
    known = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(fonts)])
    compiler = typst.Compiler(template, root=str(root), font_paths=known, sys_inputs={"data": data})
    return _pdf(compiler, "a-2b", dated)


def print_pictures(data: str, fonts: Path, folder: Path, dated: dt.date) -> bytes:
    """PNG pictures as a JSON list in base64, in the order of the figures."""
    import typst  # after the limits are set

    root, template = _root(folder, TEMPLATES[2])
    known = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(fonts)])
    compiler = typst.Compiler(template, root=str(root), font_paths=known, sys_inputs={"data": data})
    made = compiler.compile(format="png", ppi=PICTURE_PPI)
    pictures = made if isinstance(made, list) else [made]
    return json.dumps([base64.b64encode(picture).decode() for picture in pictures if picture]).encode()


def _pdf(compiler: Any, standard: str, dated: dt.date) -> bytes:
    return compiler.compile(format="pdf", pdf_standards=[standard], timestamp=dt.datetime.combine(dated, dt.time(), tzinfo=dt.UTC))


def _root(folder: Path, name: str) -> tuple[Path, str]:
    """A folder with nothing but the template."""
    root = folder / "root"
    root.mkdir()
    return root, str(shutil.copy(Path(__file__).with_name(name), root))


def _signature_has_company(compiler) -> bool:
    pages = json.loads(compiler.query("<pages>", field="value", one=True))
    return pages["text"] == pages["signature"]


if __name__ == "__main__":
    main()
