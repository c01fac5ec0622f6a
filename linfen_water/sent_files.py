"""What every file that people send has in common: a name that harms nobody, a refusal that says how to mend it."""

import unicodedata
from pathlib import PurePosixPath, PureWindowsPath

NAME_LENGTH = 120
LONGEST_ENDING = 10
UNSEEN = {"Zl", "Zp"}  # separators of lines, beside all categories of control characters
FORBIDDEN = str.maketrans('<>:"|?*', "＜＞：＂｜？＊")  # not allowed in names on Windows


class Unfit(Exception):
    """The file cannot be taken; the text is the Chinese sentence for the person."""


def clean_name(name: str) -> str:
    """The file's own name without folders and control characters, short enough to keep, its ending kept."""
    bare = PureWindowsPath(PurePosixPath(name).name).name
    bare = "".join(c for c in unicodedata.normalize("NFC", bare) if not _is_unseen(c)).translate(FORBIDDEN).strip(" .") or "附件"
    ending = PurePosixPath(bare).suffix
    if len(bare) <= NAME_LENGTH or len(ending) > LONGEST_ENDING:
        return bare[:NAME_LENGTH]
    return PurePosixPath(bare).stem[: NAME_LENGTH - len(ending)] + ending


def _is_unseen(character: str) -> bool:
    """Control characters and those that turn the direction of reading, so that `fdp.exe` cannot be shown as `exe.pdf`."""
    kind = unicodedata.category(character)
    return kind[0] == "C" or kind in UNSEEN


def quoted(name: str) -> str:
    """The name as a sentence quotes it."""
    return f"“{clean_name(name)[:60]}”"
