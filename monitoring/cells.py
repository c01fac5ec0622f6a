"""What one cell of a table of water says: a value, below detection, missing, or not monitored."""

import re
import unicodedata
from decimal import Decimal
from typing import NamedTuple

from monitoring.limits import Limit

NOT_MONITORED = "*"
_DASHES = re.compile(r"[-‐‑–—−]+")
_PLAIN_NUMBER = re.compile(r"\d+(\.\d+)?", re.ASCII)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,3})?", re.ASCII)
_WITH_COMMA = re.compile(r"[+-]?\d+(,\d+)+(\.\d+)?", re.ASCII)
_WITH_UNIT = re.compile(r"[<\d.]+ *(mg|[μu]g|ug|ng|g|个)\s*/\s*l", re.ASCII)
_UNDETECTED = {"nd", "n.d.", "未检出", "未检测出"}

MOST_MG_PER_LITRE = 1_000_000  # a litre of water weighs no more
MOST_PH = 14
_MOST = {"mg/L": Decimal(MOST_MG_PER_LITRE), "无量纲": Decimal(MOST_PH)}  # by unit; only pH has none
_BELOW_ZERO = {"℃"}


class BadCell(ValueError):
    """A cell that cannot be read. Its text says in Chinese what is wrong and how to mend it."""


class Cell(NamedTuple):
    """One cell. `value` is None when missing or not monitored, the detection limit when below it."""

    value: Decimal | None = None
    is_below_detection: bool = False
    is_monitored: bool = True


def read_cell(text: str, item: Limit) -> Cell:
    """Read the cell of one item: number, `<0.05` or `0.05L` (below detection), `*` (not monitored), `--` or empty (missing).

    Full-width characters and spaces around are forgiven; a value is never rounded. Anything else is a `BadCell`.
    """
    if _PLAIN_NUMBER.fullmatch(text):  # nearly every cell
        return Cell(_possible(Decimal(text), item))
    plain = unicodedata.normalize("NFKC", text).strip().casefold()
    if plain == NOT_MONITORED:
        return Cell(is_monitored=False)
    if not plain or _DASHES.fullmatch(plain):
        return Cell()
    bare = plain[1:].lstrip() if plain.startswith("<") else plain[:-1].rstrip() if plain.endswith("l") else plain
    if not _NUMBER.fullmatch(bare):
        raise BadCell(_unreadable(plain, item))
    value = _possible(Decimal(bare), item)
    if bare != plain and item.direction != "le":
        raise BadCell(f"{item.name}没有低于检出限的写法：填测得的数值")
    return Cell(value, is_below_detection=bare != plain)


def _possible(value: Decimal, item: Limit) -> Decimal:
    """`value` as it is, unless no water can have it."""
    if value <= _MOST.get(item.unit, value) and (value >= 0 or item.unit in _BELOW_ZERO):
        return value
    if item.key == "ph":
        raise BadCell(f"超出0到{MOST_PH}，不是pH值：请核对原始记录")
    if value < 0:
        raise BadCell("是负数：请核对原始记录；低于检出限写成“<检出限”")
    raise BadCell("超过每升一百万毫克，不可能：请核对数值和单位（mg/L）")


def _unreadable(plain: str, item: Limit) -> str:
    """Why a cell is no number, and how to mend it."""
    if _WITH_COMMA.fullmatch(plain):
        return "带有逗号：小数点用“.”，不用千分位"
    if _WITH_UNIT.fullmatch(plain):
        return f"带有单位：只填以{item.unit}计的数值（1 μg/L = 0.001 mg/L）"
    if plain in _UNDETECTED:
        return "没有写明检出限：写成“<检出限”，例如 <0.01"
    unit = "" if item.unit == "无量纲" else f"（{item.unit}）"
    return f"不是数值：填数字{unit}，未监测填 *，缺测填 -- 或留空"
