"""Whether a project has reached its year's target, and how its money runs against the year. Source: docs/rules.md, the office's own."""

import datetime as dt
from decimal import ROUND_HALF_UP, Decimal

from projects.record_enums import TargetKind, TargetState


def verdict(
    day: dt.date,
    year: int,
    kind: str | None,
    goal: Decimal | None,
    started_on: dt.date | None,
    completed_on: dt.date | None,
    progress: Decimal | None,
) -> TargetState:
    """Reached once it is reached; before the year's last day has passed it is pending, from then on missed. No target: none."""
    if kind is None:
        return TargetState.NONE
    last = dt.date(year, 12, 31)
    horizon = min(day, last)
    reached = {
        TargetKind.START: started_on is not None and started_on <= horizon,
        TargetKind.FINISH: completed_on is not None and completed_on <= horizon,
        TargetKind.PROGRESS: (progress is not None and goal is not None and progress >= goal)
        or (completed_on is not None and completed_on <= horizon),
    }[TargetKind(kind)]
    if reached:
        return TargetState.REACHED
    return TargetState.PENDING if day <= last else TargetState.MISSED


def elapsed_percent(day: dt.date, year: int) -> Decimal:
    """时间进度: how much of the year is over at the end of `day`, percent, one decimal."""
    first, last = dt.date(year, 1, 1), dt.date(year, 12, 31)
    gone = min(max((day - first).days + 1, 0), (last - first).days + 1)
    return (Decimal(100) * gone / ((last - first).days + 1)).quantize(Decimal("0.1"), ROUND_HALF_UP)


def by_month(cumulative: dict[int, Decimal], before: Decimal) -> dict[int, Decimal]:
    """What each month brought, of what stood at the months' ends; a month without a value is left out."""
    found, last = {}, before
    for month in sorted(cumulative):
        found[month] = cumulative[month] - last
        last = cumulative[month]
    return found
