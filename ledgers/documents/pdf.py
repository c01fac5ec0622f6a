"""A paper to PDF/A-2u bytes, in a process of its own with a time-out and a memory limit; kept under the name of its hash."""

import base64
import dataclasses
import datetime as dt
import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import orjson
from django.conf import settings

from ledgers.documents import DocumentFault, PrintFault, fonts
from ledgers.documents.paper import Paper

TIME_OUT = 60  # seconds; a bulletin takes well under one
MEMORY = 4 << 30  # bytes of address space; a bulletin of 95 projects takes 0.1 GB, one of 10,000 with 8,000 rows over 2 (1.0 resident)
OFFICIAL_TEMPLATE, LEDGER_TEMPLATE, FIGURES_TEMPLATE = "official.typ", "ledger.typ", "figures.typ"
CHINESE_FAULT = "文件排版失败，请稍后重试；仍不成功时请联系管理员查看日志。"


def render_pdf(paper: Paper, dated: dt.date) -> bytes:
    """Print `paper`; the same paper and date give the same bytes. Raises PrintFault when that fails."""
    return print_job(print_data(paper), dated)


def pictures(svgs: Sequence[str], dated: dt.date) -> list[bytes]:
    """Drawings as PNG of the text block's width, in their order. Raises PrintFault."""
    if not svgs:
        return []
    made = print_job({"figures": list(svgs), "fonts": fonts.roles()}, dated, FIGURES_TEMPLATE)
    return [base64.b64decode(picture) for picture in orjson.loads(made)]


def print_job(data: dict, dated: dt.date, template: str = OFFICIAL_TEMPLATE) -> bytes:
    """Print clean `data`, the fonts among them, with a template of this folder. Raises PrintFault."""
    with tempfile.TemporaryDirectory(prefix="document-") as folder:
        out = Path(folder) / "paper.pdf"
        job = {
            "data": orjson.dumps(data).decode(),
            "fonts": [str(path) for path in fonts.files()],
            "dated": dated.isoformat(),
            "template": template,
            "memory": MEMORY,
            "seconds": TIME_OUT,
            "folder": folder,
            "out": str(out),
        }
        _work(job)
        return out.read_bytes()


def _work(job: dict) -> None:
    worker = [sys.executable, "-m", "ledgers.documents.render"]
    try:
        done = subprocess.run(worker, input=orjson.dumps(job), capture_output=True, timeout=TIME_OUT, cwd=settings.BASE_DIR, check=False)
    except subprocess.TimeoutExpired as fault:
        raise PrintFault(CHINESE_FAULT) from fault
    if done.returncode:
        raise PrintFault(CHINESE_FAULT) from RuntimeError(done.stderr.decode(errors="replace")[-2000:])


def print_data(paper: Any) -> dict:
    """What the template reads: the paper (a dataclass) with every string printable, and the fonts by role."""
    return _clean(dataclasses.asdict(paper)) | {"fonts": fonts.roles()}


def _clean(value, key: str = ""):
    if isinstance(value, str):
        lines = value.split("\n") if key in ("head", "rows") else [value]  # only headings and cells have lines of their own
        return value if key == "svg" else "\n".join(map(fonts.clean, lines))
    if isinstance(value, dict):
        return {name: _clean(item, name) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_clean(item, key) for item in value]
    return value


def unprintable(paper: Paper) -> str:
    """The characters of `paper` that no font can print, or that are invisible: replaced or left out in the PDF."""
    return fonts.unprintable("".join(_strings(dataclasses.asdict(paper))))


def _strings(value, key: str = "") -> Iterable[str]:
    if isinstance(value, str) and key != "svg":
        yield value
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _strings(item, name)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _strings(item)


def keep(pdf: bytes) -> str:
    """Write `pdf` under DOCUMENTS_DIR, safely on disk before it gets its name; return its SHA-256, which is that name."""
    name = hashlib.sha256(pdf).hexdigest()
    folder = settings.DOCUMENTS_DIR
    folder.mkdir(parents=True, exist_ok=True)
    file = tempfile.NamedTemporaryFile(dir=folder, suffix=".part", delete=False)  # noqa: SIM115 - closed before it is renamed
    try:
        with file:
            file.write(pdf)
            file.flush()
            os.fsync(file.fileno())
        Path(file.name).replace(folder / f"{name}.pdf")
    except OSError:  # a full disk is not made fuller by every attempt
        Path(file.name).unlink(missing_ok=True)
        raise
    _settle(folder)
    return name


def kept(name: str) -> bytes:
    """The bytes kept under `name`; DocumentFault when they are not on this machine or no longer what they were."""
    try:
        content = (settings.DOCUMENTS_DIR / f"{name}.pdf").read_bytes()
    except FileNotFoundError:
        raise DocumentFault("文件的 PDF 不在本机") from None
    if hashlib.sha256(content).hexdigest() != name:
        raise DocumentFault("文件的 PDF 已损坏，与登记的摘要不符")
    return content


def _settle(folder: Path) -> None:
    """A rename is on disk when its folder is."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
