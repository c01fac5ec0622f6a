"""How a Chinese name is typed on a keyboard: its pinyin and its initials, so that `hongdong` and `hd` both find 洪洞."""

import functools
import re

from pypinyin import lazy_pinyin

# Names of places that are read otherwise than the dictionary says; each stands for its sound. Both readings are found.
READ_AS = {"洪洞": "洪同", "解州": "害州"}
RUNS = re.compile(r"[㐀-鿿]+|[a-z0-9]")  # Chinese characters together, so that words are read as words; others one by one


@functools.lru_cache(maxsize=20_000)
def spelled(text: str) -> str:
    """Return the pinyin and the initials of `text` in small letters as words: `"yichengxian ycx"`.

    Letters and digits stay as they are, marks and blanks are left out. Whoever matches asks whether what was typed, in small
    letters and without blanks, is contained in it; no text of Chinese characters ever is.
    """
    readings = {text, functools.reduce(lambda said, name: said.replace(name, READ_AS[name]), READ_AS, text)}
    return " ".join(dict.fromkeys(word for reading in sorted(readings, key=text.__ne__) for word in _words(reading)))


def _words(text: str) -> list[str]:
    """Each letter and digit counts among the initials."""
    sounds = [sound for run in RUNS.findall(text.lower()) for sound in lazy_pinyin(run)]
    return ["".join(sounds), "".join(sound[0] for sound in sounds)] if sounds else []
