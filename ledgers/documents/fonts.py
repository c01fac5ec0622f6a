"""Which font plays which role (仿宋 楷体 黑体 宋体 小标宋), with what is at hand; and which characters they can print.

The office's own licensed fonts (`OFFICE_FONTS`: role=path) come first, then the free Fandol fonts that the set-up fetched,
then the Noto fonts of a Python package, which are the last of every role: Fandol, like 仿宋_GB2312, lacks 洰 and ㎡.
"""

import functools
import importlib.resources
import logging
import re
import tempfile
import unicodedata
from pathlib import Path

from django.conf import settings
from fontTools.ttLib import TTFont

log = logging.getLogger(__name__)

# role: file of Fandol, weight, last resort
ROLES = {
    "fangsong": ("FandolFang-Regular.otf", 400, "NotoSerifSC-Regular.otf"),
    "kai": ("FandolKai-Regular.otf", 400, "NotoSerifSC-Regular.otf"),
    "hei": ("FandolHei-Regular.otf", 400, "NotoSansSC-Regular.otf"),
    "song": ("FandolSong-Regular.otf", 400, "NotoSerifSC-Regular.otf"),
    "title": ("FandolSong-Bold.otf", 700, "NotoSerifSC-Regular.otf"),
}
BREAKS = re.compile("[\t\n\v\f\r\x85\u2028\u2029]+")
HIDDEN = ("Cc", "Cf", "Cs")  # control, format (also what turns the direction of writing), halves of surrogate pairs
REPLACEMENT = "□"  # stands for a character that no font can print; every font has it


def roles() -> dict[str, dict]:
    """`{role: {"families": [...], "weight": 400}}` for the template."""
    return {role: {"families": list(families(role)), "weight": ROLES[role][1]} for role in ROLES}


def families(role: str) -> tuple[str, ...]:
    return tuple(family(path) for path in paths(role))


def files() -> list[Path]:
    """Every font file in use, once."""
    return list(dict.fromkeys(path for role in ROLES for path in paths(role)))


def paths(role: str) -> tuple[Path, ...]:
    """The files of a role, best first; the last one is always there."""
    return _paths(role, str(settings.OFFICE_FONTS.get(role, "")), settings.FONTS_DIR)


@functools.cache
def _paths(role: str, own: str, fonts_dir: Path) -> tuple[Path, ...]:
    fandol, _, last = ROLES[role]
    fetched = sorted(fonts_dir.rglob(fandol))[:1] if fonts_dir.is_dir() else []
    wanted = [Path(own)] if own else []
    if missing := [path for path in wanted if not path.is_file()]:
        log.warning("font of role %s not found: %s", role, missing[0])
    if not fetched and not own:
        log.warning("role %s: no Fandol font under %s, documents use %s", role, fonts_dir, last)
    return (*(path for path in wanted if path.is_file()), *fetched, _noto() / last)


def falls_back() -> bool:
    """Whether a role has nothing better than its last resort."""
    return any(len(paths(role)) == 1 for role in ROLES)


@functools.cache
def _noto() -> Path:
    return Path(str(importlib.resources.files("pylopdf_fonts_zh_cn")))


@functools.cache
def family(path: Path) -> str:
    """The family name by which Typst knows the file: it calls FandolFang "FandolFang R"."""
    import typst  # heavy, and only documents need it

    with tempfile.TemporaryDirectory() as folder:  # Typst takes folders; the file's own may hold thousands of fonts
        (Path(folder) / path.name).symlink_to(path.resolve())
        known = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[folder])
        return known.fonts()[0].family


@functools.cache
def _printable(path: Path) -> frozenset[int]:
    with TTFont(path, lazy=True) as font:
        return frozenset(font.getBestCmap())


def clean(text: str) -> str:
    """`text` as it can be printed: line breaks as blanks, no control or invisible characters, `REPLACEMENT` for what no font has.

    An uncovered character would fail a whole PDF/A document.
    """
    seen = (character for character in BREAKS.sub(" ", text) if unicodedata.category(character) not in HIDDEN)
    return "".join(character if is_printable(character) else REPLACEMENT for character in seen)


def unprintable(text: str) -> str:
    """The characters that `clean` takes out or replaces, each once, for the note that tells the office."""
    rest = BREAKS.sub("", text)
    return "".join(dict.fromkeys(c for c in rest if unicodedata.category(c) in HIDDEN or not is_printable(c)))


def is_printable(character: str) -> bool:
    """Whether the last resorts, of which one ends every role's list, both have it."""
    return all(ord(character) in _printable(_noto() / name) for name in {last for _, _, last in ROLES.values()})
