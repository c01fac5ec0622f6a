"""Scripts and fonts fetched at set-up and never committed. Each has a first source, through the ordinary package client,
and a fallback that is always there, so a machine without a network gets a site that works and says what it lacks.
"""

import dataclasses
import json
import logging
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import plotly
import pylopdf_fonts_zh_cn as noto
from django.conf import settings
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

PLOTLY = "plotly.js-basic-dist-min@4.1.1"
BARLOW = "@fontsource/barlow-semi-condensed@5.3.0"
BARLOW_FILES = [f"barlow-semi-condensed-latin-{weight}-normal.woff2" for weight in (400, 500, 600, 700)]
SERIF_BOLD = "NotoSerifCJK-Bold.ttc"
LATIN = "".join(map(chr, range(0x20, 0x7F))) + "·–—‘’“”…°±×÷"
TIMEOUT = 600  # seconds for one package on a slow line


class NotFetched(Exception):
    """The first source gave nothing; the text says why."""


@dataclasses.dataclass(frozen=True)
class Asset:
    """One thing the site or its documents need."""

    name: str
    label: str
    source: str
    fetch: Callable[[], None]
    fallback: str  # what serves instead
    fall_back: Callable[[], None] | None  # None: nothing to make, the program copes
    holds: Callable[[], set[str]]  # version or characters; made anew when what was made lacks any of them


def ensure(*, retry: bool = False) -> Iterator[tuple[Asset, str]]:
    """Make every asset that is missing or stale, yielding each with its fault ("" = from its first source).

    An asset that fell back before is left so, unless `retry`: a closed network would otherwise cost its time-out each time.
    """
    record = read_record()
    for asset in ASSETS:
        known = record.get(asset.name)
        if not known or _is_stale(asset, known) or (retry and known["fault"]):
            known = record[asset.name] = {"holds": sorted(asset.holds()), "fault": _make(asset)}
            _write(_record_path(), json.dumps(record, ensure_ascii=False).encode())
        yield asset, known["fault"]


def _is_stale(asset: Asset, known: dict) -> bool:
    if not asset.holds() <= set(known["holds"]):
        return True
    made = asset.fall_back or not known["fault"]
    return bool(made) and not all(path.is_file() for path in files(asset))


def files(asset: Asset) -> list[Path]:
    """The files that must be there when the asset is made."""
    fonts = settings.ASSETS_DIR / "fonts"
    return {
        "plotly": [settings.ASSETS_DIR / "plotly.min.js"],
        "barlow": [fonts / name for name in BARLOW_FILES],
        "title": [fonts / "title.woff2"],
        "sans": [fonts / "sans.woff2"],
        "documents": [settings.FONTS_DIR / f"Fandol{face}-Regular.otf" for face in ("Fang", "Hei", "Kai", "Song")],
    }[asset.name]


def read_record() -> dict:
    """What was made from where: `{name: {"holds", "fault"}}`."""
    try:
        return json.loads(_record_path().read_text())
    except (FileNotFoundError, ValueError):
        return {}


def _record_path() -> Path:
    return settings.DATA_DIR / "assets.json"


def _make(asset: Asset) -> str:
    try:
        asset.fetch()
    except (NotFetched, OSError, subprocess.SubprocessError, tarfile.TarError) as fault:
        if asset.fall_back:
            asset.fall_back()
        return str(fault).strip() or type(fault).__name__
    return ""


# ── Each asset ─────────────────────────────────────────────────────────────────────────────────────────────────────
def _plotly_basic() -> None:
    with _npm(PLOTLY) as package:
        _write(settings.ASSETS_DIR / "plotly.min.js", (package / "plotly-basic.min.js").read_bytes())


def _plotly_full() -> None:
    full = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
    _write(settings.ASSETS_DIR / "plotly.min.js", full.read_bytes())


def _barlow() -> None:
    with _npm(BARLOW) as package:
        for name in BARLOW_FILES:
            _write(settings.ASSETS_DIR / "fonts" / name, (package / "files" / name).read_bytes())


def _barlow_fallback() -> None:
    cut = _subset(TTFont(noto.sans_path()), LATIN)
    for name in BARLOW_FILES:
        _write(settings.ASSETS_DIR / "fonts" / name, cut)


def _title() -> None:
    installed = Path("/usr/share/fonts/opentype/noto") / SERIF_BOLD
    if installed.is_file():
        return _cut_title(installed)
    with _debian("fonts-noto-cjk", SERIF_BOLD) as found:
        return _cut_title(found[0])


def _cut_title(collection: Path) -> None:
    simplified = _face(collection, "Noto Serif CJK SC")
    _write(settings.ASSETS_DIR / "fonts" / "title.woff2", _subset(simplified, title_characters()))


def _title_fallback() -> None:
    _write(settings.ASSETS_DIR / "fonts" / "title.woff2", _subset(TTFont(noto.serif_path()), title_characters()))


def _sans() -> None:
    """For machines without a Chinese font of their own, such as a bare screen on the wall; others never load it."""
    _write(settings.ASSETS_DIR / "fonts" / "sans.woff2", _subset(TTFont(noto.sans_path()), title_characters()))


def title_characters() -> str:
    """What a title may hold: the common characters (GB 2312 level 1 and its signs) and all that our own files use."""
    folders = ["templates", "static", "linfen_water", "monitoring", "projects", "ledgers"]
    texts = (
        path.read_text(errors="ignore")
        for folder in folders
        for path in (settings.BASE_DIR / folder).rglob("*")
        if path.suffix in {".html", ".js", ".json", ".csv", ".py"}
    )
    return "".join(sorted({c for text in [LATIN, _gb2312(), *texts] for c in text if c.isprintable()}))


def _gb2312() -> str:
    rows = [0xA1, 0xA2, 0xA3, *range(0xB0, 0xD8)]  # signs, numbers, full-width forms, level 1
    return "".join(bytes([row, cell]).decode("gb2312", "ignore") for row in rows for cell in range(0xA1, 0xFF))


def _fandol() -> None:
    with _debian("texlive-lang-chinese", "Fandol*.otf") as found:
        for path in found:
            _write(settings.FONTS_DIR / path.name, path.read_bytes())


ASSETS = [
    Asset(
        "plotly",
        "图表脚本 plotly.js",
        f"npm {PLOTLY}",
        _plotly_basic,
        "plotly 安装包里的完整版（可用，体积大四倍）",
        _plotly_full,
        lambda: {PLOTLY},
    ),
    Asset("barlow", "数字字体 Barlow", f"npm {BARLOW}", _barlow, "Noto Sans SC 的西文部分", _barlow_fallback, lambda: {BARLOW}),
    Asset(
        "title",
        "标题字体",
        "Debian fonts-noto-cjk（Noto Serif CJK SC Bold）",
        _title,
        "Noto Serif SC Regular（笔画较细）",
        _title_fallback,
        lambda: set(title_characters()),
    ),
    Asset(
        "sans",
        "正文字体",
        "Python pylopdf-fonts-zh-cn（Noto Sans SC）",
        _sans,
        "电脑自带的中文字体",
        None,
        lambda: set(title_characters()),
    ),
    Asset(
        "documents",
        "公文字体 Fandol（仿宋、楷体、黑体、宋体）",
        "Debian texlive-lang-chinese",
        _fandol,
        "Noto Serif SC、Noto Sans SC（公文没有仿宋和楷体）",
        None,
        set,
    ),
]


# ── Package clients and fonts ──────────────────────────────────────────────────────────────────────────────────────
@contextmanager
def _npm(spec: str) -> Iterator[Path]:
    """The unpacked npm package, in a folder that is removed afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        _run(["npm", "pack", "--silent", "--fetch-retries=1", "--fetch-timeout=60000", spec], folder)
        for archive in Path(folder).glob("*.tgz"):
            with tarfile.open(archive) as tar:
                tar.extractall(folder, filter="data")
        yield Path(folder) / "package"


@contextmanager
def _debian(package: str, pattern: str) -> Iterator[list[Path]]:
    """The files of a Debian package whose names match, unpacked without being installed, in a folder that is removed afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            _run(["apt-get", "download", "-qq", package], folder)
        except NotFetched:
            if os.geteuid() != 0:
                raise
            _run(["apt-get", "update", "-qq"], folder)  # a fresh machine has no list of packages yet
            _run(["apt-get", "download", "-qq", package], folder)
        for archive in Path(folder).glob("*.deb"):
            _run(["dpkg-deb", "--extract", str(archive), folder], folder)
        found = sorted(Path(folder).rglob(pattern))
        if not found:
            raise NotFetched(f"{package} 里没有 {pattern}")
        yield found


def _run(command: list[str], folder: str) -> None:
    """Run a package client; raise NotFetched with its last word."""
    if not shutil.which(command[0]):
        raise NotFetched(f"没有 {command[0]}")
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=TIMEOUT, check=False)
    if done.returncode:
        words = [line for line in done.stderr.splitlines() if line.strip()] or ["没有说明"]
        raise NotFetched(f"{' '.join(command[:2])} 失败：{words[-1].strip()[:200]}")


def _face(collection: Path, family: str) -> TTFont:
    """The face of that family in a font collection."""
    number = 0
    while True:
        font = TTFont(collection, fontNumber=number)
        if font["name"].getDebugName(1).startswith(family):
            return font
        number += 1
        if number == font.reader.numFonts:
            raise NotFetched(f"{collection.name} 里没有 {family}")


def _subset(font: TTFont, characters: str) -> bytes:
    """The font cut to `characters`, as WOFF2."""
    logging.getLogger("fontTools").setLevel(logging.ERROR)  # it names every glyph
    options = Options(layout_features=[], hinting=False, notdef_outline=True)
    subsetter = Subsetter(options)
    subsetter.populate(text=characters)
    subsetter.subset(font)
    font.flavor = "woff2"
    with tempfile.TemporaryFile() as file:
        font.save(file)
        file.seek(0)
        return file.read()


def _write(path: Path, content: bytes) -> None:
    """Put the whole content under its name at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_bytes(content)
    part.replace(path)
