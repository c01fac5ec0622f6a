"""Scores and ranks of counties and departments (考核). Source: the office's own working rules (docs/rules.md); weights are policy, [D].

Values in, verdict out: no ORM, no settings, no clock.
"""

import dataclasses
import datetime as dt
from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_UP, Decimal

from projects import rules

TENTH = Decimal("0.1")
HUNDRED = Decimal(100)


@dataclasses.dataclass(frozen=True, slots=True)
class Part:
    """One part of a score: `numerator` of `denominator` in percent, times its weight. No denominator: it does not take part."""

    key: str
    label: str
    weight: int
    numerator: Decimal | int | None = None
    denominator: Decimal | int | None = None
    unit: str = ""
    percent: Decimal | None = None  # given where it is no plain share (序时差)
    halves: tuple["Part", ...] = ()  # shares that it is the mean of (工程建设); their own weight is nothing

    @property
    def rate(self) -> Decimal | None:
        """The share in percent, never above 100, unrounded; the mean of the halves that have one."""
        if self.halves:
            rates = [half.rate for half in self.halves if half.rate is not None]
            return sum(rates, Decimal(0)) / len(rates) if rates else None
        if self.percent is not None:
            return min(max(self.percent, Decimal(0)), HUNDRED)
        if self.numerator is None or not self.denominator:
            return None
        return min(max(HUNDRED * Decimal(self.numerator) / Decimal(self.denominator), Decimal(0)), HUNDRED)

    @property
    def points(self) -> Decimal | None:
        return None if self.rate is None else self.rate * self.weight / HUNDRED

    @property
    def shown_rate(self) -> Decimal | None:
        return None if self.rate is None else self.rate.quantize(TENTH, ROUND_HALF_UP)

    @property
    def shown_points(self) -> Decimal | None:
        return None if self.points is None else self.points.quantize(Decimal("0.01"), ROUND_HALF_UP)


def score(parts: Iterable[Part]) -> Decimal | None:
    """The points of the parts that take part, scaled to 100, half up to two decimals; None when none does."""
    counted = [part for part in parts if part.points is not None and part.weight]
    whole = sum(part.weight for part in counted)
    if not whole:
        return None
    total = sum((part.points or Decimal(0) for part in counted), Decimal(0))
    return (total * HUNDRED / whole).quantize(Decimal("0.01"), ROUND_HALF_UP)


def risen(now: Decimal | None, before: Decimal | None) -> Decimal | None:
    """By how many points a score rose since the last period; below nothing: it fell."""
    return None if now is None or before is None else now - before


def risen_words(points: Decimal | None) -> str:
    """That change in words."""
    if points is None:
        return "—"
    return "持平" if not points else f"{'升' if points > 0 else '降'}{abs(points)}分"


def other_weights(now: Iterable[Part], before: Iterable[Part]) -> list[str]:
    """Which weights are not those of the last period, in words: such scores cannot be compared without saying so."""
    then = {part.key: part.weight for part in before}
    return [f"{part.label}由{then[part.key]}分改为{part.weight}分" for part in now if part.weight != then.get(part.key, part.weight)]


def is_due(due_on: dt.date, day: dt.date, today: dt.date, is_met: bool) -> bool:
    """Whether a promise for `due_on` counts as of `day`: once its day is over, or earlier when it is met already."""
    return due_on <= day and (is_met or due_on < today)


def lag_percent(lag: Decimal | None, far_points: int) -> Decimal | None:
    """序时差 as a share: 100 when not behind, 0 from `far_points` behind on, straight between."""
    if lag is None:
        return None
    return HUNDRED * (1 - min(max(lag, Decimal(0)), Decimal(far_points)) / Decimal(far_points))


def ranks(scores: Sequence[Decimal | None]) -> list[int | None]:
    """From the highest; ties share a rank and the next is skipped (1, 2, 2, 4); without a score there is no rank."""
    return rules.ranks(list(scores))


def moved(rank: int | None, before: int | None) -> str:
    """The change since the last period, in words."""
    if rank is None or before is None:
        return "—"
    return "持平" if rank == before else f"升{before - rank}位" if rank < before else f"降{rank - before}位"
