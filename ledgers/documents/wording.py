"""How figures are written in official papers. Rounding is half up, as in the office's published tables; None is a dash."""

import datetime as dt
from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal

NOTHING = "—"
NUMERALS = "〇一二三四五六七八九"


def numeral(number: int) -> str:
    """1-99 as used in headings: 一, 十, 十二, 二十一."""
    tens, ones = divmod(number, 10)
    if not tens:
        return NUMERALS[ones]
    return ("" if tens == 1 else NUMERALS[tens]) + "十" + (NUMERALS[ones] if ones else "")


def yi(wan: Decimal) -> str:
    """万元 as 亿元 with two decimals, without the unit: 1293700 → 129.37."""
    return str((wan / 10_000).quantize(Decimal("0.01"), ROUND_HALF_UP))


def wan(amount: Decimal | None) -> str:
    """万元 with two decimals, without the unit."""
    return NOTHING if amount is None else str(amount.quantize(Decimal("0.01"), ROUND_HALF_UP))


def one_decimal(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.1"), ROUND_HALF_UP)


def percent(value: Decimal | None) -> str:
    """A percentage with one decimal and its sign: 65.3%."""
    return NOTHING if value is None else f"{one_decimal(value)}%"


def ratio(part: int, whole: int) -> str:
    """Numerator and denominator: 1/2 and 5/10 are both 50 %."""
    return f"{part}/{whole}"


def date(day: dt.date | None) -> str:
    """2025年1月31日."""
    return NOTHING if day is None else f"{day.year}年{day.month}月{day.day}日"


def short_date(day: dt.date | None) -> str:
    """2025-01-31, for tables."""
    return NOTHING if day is None else day.isoformat()


def month(day: dt.date) -> str:
    """2025年1月."""
    return f"{day.year}年{day.month}月"


def change(now: Decimal | int | None, before: Decimal | int | None, unit: str, *, up: str = "增加", down: str = "减少") -> str:
    """What became of a figure since the month before: 增加2个, 下降0.3个百分点, 持平; both are compared as printed."""
    if now is None or before is None:
        return "无可比数据"
    difference = now - before
    if not difference:
        return "持平"
    return f"{up if difference > 0 else down}{abs(difference)}{unit}"


def since(now, before, unit: str, **words) -> str:
    """`change` as a clause: 较上月末增加2个, 与上月末持平, 上月末无可比数据."""
    said = change(now, before, unit, **words)
    return {"持平": "与上月末持平", "无可比数据": "上月末无可比数据"}.get(said, f"较上月末{said}")


def points(now: Decimal | None, before: Decimal | None) -> str:
    """A rate against that of the month before, in percentage points."""
    return since(now, before, "个百分点", up="提高", down="下降")


def listed(items: Iterable[str]) -> str:
    """甲、乙、丙."""
    return "、".join(items)
