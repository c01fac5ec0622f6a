"""Whether a series rises or falls: Spearman's rank correlation. Source: 环办〔2011〕22号, the trend over five periods or more."""

import dataclasses
import math
from bisect import bisect_right
from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction

LEAST_PERIODS = 5

# Critical values at 0.05 by number of periods; those beyond 12 from the common table [check]. A number that is not in the
# table takes the row above it, whose value is larger: a trend is never claimed too early.
CRITICAL = {
    5: "0.900", 6: "0.829", 7: "0.714", 8: "0.643", 9: "0.600", 10: "0.564", 12: "0.506", 14: "0.456", 16: "0.425",
    18: "0.399", 20: "0.377", 22: "0.359", 24: "0.343", 26: "0.329", 28: "0.317", 30: "0.306",
}  # fmt: skip


@dataclasses.dataclass(frozen=True, slots=True)
class Trend:
    """A series' trend. `direction` is 1 rising, -1 falling, 0 without significance, None where it cannot be told."""

    periods: int
    coefficient: float | None
    critical: Decimal | None
    direction: int | None
    reason: str


def trend(values: Sequence[Decimal | None]) -> Trend:
    """The trend of values in order of time; periods without a value (None) are left out.

    Equal values share the average of their ranks, and the coefficient is that of the ranks (with no ties it is the
    published 1 - 6Σd²/(n³-n)). Significant when its size, to the table's three decimals, exceeds the critical value
    [check: beyond, not at].
    """
    present = [value for value in values if value is not None]
    if len(present) < LEAST_PERIODS:
        return Trend(len(present), None, None, None, f"只有{len(present)}期数据，不足{LEAST_PERIODS}期，不作趋势分析。")
    critical = critical_value(len(present))
    covariance, product = _moments(average_ranks(present))
    if not product:
        return Trend(len(present), None, critical, 0, f"{len(present)}期数值相同，没有变化趋势。")
    coefficient = float(covariance) / math.sqrt(product)
    printed = Decimal(coefficient).quantize(critical, ROUND_HALF_EVEN)
    direction = 0 if abs(printed) <= critical else 1 if printed > 0 else -1
    words = {1: "呈显著上升趋势", -1: "呈显著下降趋势", 0: "无显著变化趋势"}[direction]
    return Trend(len(present), coefficient, critical, direction, f"{len(present)}期秩相关系数{printed}，临界值{critical}，{words}。")


def average_ranks(values: Sequence[Decimal]) -> list[Fraction]:
    """Ranks from the smallest, 1 first; equal values share the average of the ranks they take up together."""
    ordered = sorted(values)
    return [Fraction(ordered.index(value) + 1 + bisect_right(ordered, value), 2) for value in values]


def critical_value(periods: int) -> Decimal:
    """The critical value for a number of periods: of the largest tabulated number that is not above it."""
    return Decimal(CRITICAL[max(n for n in CRITICAL if n <= periods)])


def _moments(ranks: Sequence[Fraction]) -> tuple[Fraction, Fraction]:
    """Covariance of the ranks with time, and the product of both variances (neither divided by n)."""
    middle = Fraction(len(ranks) + 1, 2)
    times = [Fraction(n) - middle for n in range(1, len(ranks) + 1)]
    found = [rank - middle for rank in ranks]
    covariance = sum((t * r for t, r in zip(times, found, strict=True)), Fraction(0))
    return covariance, sum((t * t for t in times), Fraction(0)) * sum((r * r for r in found), Fraction(0))
