"""Planned and real progress over time. Percent as Decimal; winters are slow, starts and ends too."""

import dataclasses
import datetime as dt
import functools
from bisect import bisect_right
from decimal import ROUND_CEILING, ROUND_DOWN, Decimal

from linfen_water.dates import add_months, month_end, month_start
from projects import rules

HUNDRED = Decimal(100)
STEP = Decimal("0.5")  # how finely people report progress
ALMOST = Decimal(98)  # what is not finished is never reported as 100 …
NEARLY = Decimal("99.9")  # … nor by those that are on their plan to the last day

# How much work gets done on a day of each month: frost from December to February.
DAY_WEIGHTS = {12: 1, 1: 1, 2: 1, 3: 3, 11: 3}
FULL_DAY = 4
_FIRST = dt.date(2021, 1, 1)
_LAST = dt.date(2028, 12, 31)


@functools.cache
def _work_until() -> list[int]:
    """Cumulative work from `_FIRST` to the end of each day."""
    total, result = 0, []
    for n in range((_LAST - _FIRST).days + 1):
        total += DAY_WEIGHTS.get((_FIRST + dt.timedelta(days=n)).month, FULL_DAY)
        result.append(total)
    return result


def curve(start_on: dt.date, finish_on: dt.date, day: dt.date) -> Decimal:
    """Percent done on `day` of works from `start_on` to `finish_on`: half a straight line, half an S."""
    if day <= start_on:
        return Decimal(0)
    if day >= finish_on:
        return HUNDRED
    work = _work_until()
    first, last, now = (work[(d - _FIRST).days] for d in (start_on, finish_on, day))
    x = Decimal(now - first) / (last - first)
    return HUNDRED * (x + x * x * (3 - 2 * x)) / 2


def along(points: list[tuple[dt.date, Decimal]], day: dt.date) -> Decimal:
    """Percent on `day` on the line through dated points, flat before the first and after the last."""
    place = bisect_right(points, day, key=lambda point: point[0])
    if place == 0:
        return points[0][1]
    if place == len(points):
        return points[-1][1]
    (before, low), (after, high) = points[place - 1], points[place]
    return low + (high - low) * (day - before).days / (after - before).days


@dataclasses.dataclass(frozen=True)
class Pace:
    """How a project was planned and how it really went."""

    baseline_start_on: dt.date
    baseline_finish_on: dt.date  # the first one
    started_on: dt.date
    completed_on: dt.date | None  # None: not by the demo's day
    real_finish_on: dt.date  # completion, or where the real pace leads to
    revised_on: dt.date | None = None  # the baseline was revised on this day …
    revised_finish_on: dt.date | None = None  # … to this finish
    silent_from: dt.date | None = None  # nothing has moved since
    points: tuple[tuple[dt.date, Decimal], ...] = ()  # a published course to follow instead of a curve
    is_on_plan: bool = False  # a public project: what it reports is its plan

    @functools.cached_property
    def plans(self) -> dict[dt.date, Decimal]:
        """Monthly plan: first day of month → cumulative percent at its end, two decimals."""
        finish_on = self.revised_finish_on or self.baseline_finish_on
        plans, month = {}, month_start(self.baseline_start_on)
        while month <= finish_on:
            plans[month] = min(self._planned(month_end(month)), HUNDRED).quantize(Decimal("0.01"))
            month = add_months(month, 1)
        return plans

    def _planned(self, day: dt.date) -> Decimal:
        if self.is_on_plan and day <= month_end(self.started_on):
            return Decimal(0)  # a plan runs through the whole month: no public project is behind before its start
        if self.points:
            return along(list(self.points), day)
        if self.revised_on and self.revised_finish_on and day >= month_start(self.revised_on):
            reached = curve(self.baseline_start_on, self.baseline_finish_on, month_start(self.revised_on))
            return reached + (HUNDRED - reached) * curve(month_start(self.revised_on), self.revised_finish_on, day) / HUNDRED
        return curve(self.baseline_start_on, self.baseline_finish_on, day)

    def planned_on(self, day: dt.date) -> Decimal:
        finish_on = self.baseline_finish_on
        if self.revised_on and self.revised_finish_on and day >= self.revised_on:
            finish_on = self.revised_finish_on
        return rules.planned(day, self.plans, self.baseline_start_on, finish_on)

    def actual_on(self, day: dt.date) -> Decimal:
        """What is reported as done on `day`: never falls, 100 only when completed."""
        if day < self.started_on:
            return Decimal(0)
        if self.completed_on and day >= self.completed_on:
            return HUNDRED
        if self.is_on_plan:
            planned = self.planned_on(day).quantize(Decimal("0.1"), ROUND_CEILING)
            return min(max(planned, STEP), NEARLY)
        seen = min(day, self.silent_from) if self.silent_from else day
        value = curve(self.started_on, self.real_finish_on, seen)
        return min(max((value / STEP).to_integral_value(ROUND_DOWN) * STEP, STEP), ALMOST)


def finish_for(started_on: dt.date, day: dt.date, percent: Decimal) -> dt.date:
    """The finish to head for so that works begun on `started_on` stand at about `percent` on `day`."""
    low, high = day + dt.timedelta(days=1), _LAST
    while (high - low).days > 1:
        middle = low + (high - low) // 2
        low, high = (middle, high) if curve(started_on, middle, day) > percent else (low, middle)
    return high
