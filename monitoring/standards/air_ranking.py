"""How places are ranked by their air. Source: 环办监测〔2018〕19号《城市环境空气质量排名技术规定》 [check]; statistics: HJ 663-2013.

The composite index, PM2.5 and their change against the same period of the year before are ranked alike: smaller is better.
Equal values share a rank and the next ranks are skipped (1, 2, 2, 4), which bulletins print as 并列. What has no value has no rank.
Ranks stand on the values as published; whoever ranks unrounded ones may part what is equal here.
"""

from collections.abc import Hashable, Mapping
from decimal import ROUND_HALF_EVEN, Decimal
from typing import TypeVar

Place = TypeVar("Place", bound=Hashable)

HUNDRED = Decimal(100)


def ranks(values: Mapping[Place, Decimal | None]) -> dict[Place, int]:
    """Return the rank of each place that has a value: one more than the number of places with a smaller one."""
    found: dict[Place, int] = {}
    ordered = sorted((value, n, place) for n, (place, value) in enumerate(values.items()) if value is not None)
    for n, (value, _, place) in enumerate(ordered, 1):
        is_tie = n > 1 and ordered[n - 2][0] == value
        found[place] = found[ordered[n - 2][2]] if is_tie else n
    return found


def year_before(value: Decimal | None, change: Decimal | None, decimals: int) -> Decimal | None:
    """The value of the same period a year earlier that `value` and its change in percent stand for.

    Both were rounded when they were published, so it is near the published one, not equal to it. None when either is
    missing, or the change is -100 % or less.
    """
    if value is None or change is None or change <= -HUNDRED:
        return None
    return rounded(value * HUNDRED / (HUNDRED + change), decimals)


def moved(now: int | None, before: int | None) -> int | None:
    """Places gained since `before`; negative = lost. None when there is no rank to compare with."""
    return None if now is None or before is None else before - now


def rounded(value: Decimal, decimals: int) -> Decimal:
    """Half to even, as GB/T 8170 rounds and the ranking rule asks."""
    return value.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_EVEN)
