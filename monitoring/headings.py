"""What the columns of a table of water may be called: an item's key, or its Chinese name with or without its explanation."""

import re
import unicodedata

from monitoring.limits import Limits


def plain(text: str) -> str:
    """`text` as it is compared: full-width characters, case and outer blanks forgiven."""
    return unicodedata.normalize("NFKC", text).strip().casefold()


def aliases(limits: Limits) -> dict[str, str]:
    """Item key by each plain text that stands for it."""
    found: dict[str, str] = {}
    for key, item in limits.items.items():
        short = item.name.split("(")[0]
        inside = re.findall(r"\(([A-Za-z0-9-]+)\)", item.name)  # NH3-N, COD, BOD5
        for name in (key, item.name, short, *inside):
            found |= {plain(name): key, plain(_misread(name)): key}
    return found


def _misread(text: str) -> str:
    """`text` as it looks where its bytes in GBK pass for UTF-8: 铅, 铜, 锌 and pH值 do, and then Ǧ stands for 铅."""
    try:
        return text.encode("gb18030").decode("utf-8")
    except UnicodeDecodeError:
        return text
