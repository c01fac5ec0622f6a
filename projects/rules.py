"""How a project's dates, plans and money are judged. Source: the office's own working rules (docs/rules.md).

Values in, verdict out: no ORM, no settings, no clock. Percentages are 0-100, money is 万元, lag is in percentage points.
"""

import datetime as dt
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal

from linfen_water.dates import add_months, month_start
from projects.enums import PermitState, Risk, Stage

HUNDRED = Decimal(100)


def stage(day: dt.date, started_on: dt.date | None, completed_on: dt.date | None) -> Stage:
    """The stage on `day`: not started until `started_on`, under construction until `completed_on`, then finished."""
    if completed_on is not None and completed_on <= day:
        return Stage.FINISHED
    if started_on is not None and started_on <= day:
        return Stage.UNDER_CONSTRUCTION
    return Stage.NOT_STARTED


def planned(day: dt.date, plans: Mapping[dt.date, Decimal], baseline_start_on: dt.date, baseline_finish_on: dt.date) -> Decimal:
    """Planned progress in percent at the end of `day`.

    `plans` maps the first day of a month to the cumulative percent at that month's end. Inside a planned month the
    plan runs linearly from the last planned month before it (0 without one); a month without a plan falls back on
    the line between the baseline dates. The one definition of 计划进度.
    """
    month = month_start(day)
    if month in plans:
        before = plans[max(earlier)] if (earlier := [m for m in plans if m < month]) else Decimal(0)
        days_in_month = (add_months(month, 1) - month).days
        return before + (plans[month] - before) * day.day / days_in_month
    return baseline_line(day, baseline_start_on, baseline_finish_on)


def baseline_line(day: dt.date, start_on: dt.date, finish_on: dt.date) -> Decimal:
    """The straight line from 0 % at `start_on` to 100 % at `finish_on`."""
    if day >= finish_on:
        return HUNDRED
    if day <= start_on:
        return Decimal(0)
    return HUNDRED * (day - start_on).days / (finish_on - start_on).days


def lag(planned_progress: Decimal, physical_progress: Decimal | None) -> Decimal | None:
    """序时差: planned minus actual in percentage points, positive = behind; None when nothing was reported."""
    return None if physical_progress is None else planned_progress - physical_progress


def risk(stage: Stage, lag: Decimal | None, behind_points: int, far_behind_points: int) -> Risk:
    """滞后 from `behind_points` on, 严重滞后 above `far_behind_points`; a finished project carries none."""
    if stage == Stage.FINISHED:
        return Risk.NORMAL
    if lag is None:
        return Risk.UNREPORTED
    if lag > far_behind_points:
        return Risk.FAR_BEHIND
    return Risk.BEHIND if lag >= behind_points else Risk.NORMAL


def rate(part: Decimal | int | None, whole: Decimal | int | None) -> Decimal | None:
    """`part` of `whole` in percent, half up to one decimal; None when there is no whole.

    Checked on seven published pairs, e.g. (20+3)/43 = 53.5.
    """
    if not whole or part is None:
        return None
    return (HUNDRED * Decimal(part) / Decimal(whole)).quantize(Decimal("0.1"), ROUND_HALF_UP)


def ranks(values: list[Decimal | None]) -> list[int | None]:
    """Rank from the largest; ties share a rank and the next is skipped (1, 2, 2, 4); None has no rank."""
    present = [v for v in values if v is not None]
    return [None if v is None else 1 + sum(other > v for other in present) for v in values]


def permit_state(day: dt.date, is_required: bool, submitted_on: dt.date | None, obtained_on: dt.date | None) -> PermitState:
    """The state of a permit on `day`, from its dates."""
    if not is_required:
        return PermitState.NOT_NEEDED
    if obtained_on is not None and obtained_on <= day:
        return PermitState.OBTAINED
    if submitted_on is not None and submitted_on <= day:
        return PermitState.IN_PROGRESS
    return PermitState.NOT_SUBMITTED
