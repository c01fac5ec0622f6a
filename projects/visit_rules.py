"""Which sites to visit first (points by risk), and in what order on one day. Source: the office's own working rules (docs/rules.md).

Values in, verdict out. The points are a proposal; whether somebody goes is decided by people.
"""

import dataclasses
import datetime as dt
from collections.abc import Callable, Sequence
from decimal import Decimal

from linfen_water.policy import Values


@dataclasses.dataclass(frozen=True, slots=True)
class Case:
    """What is known of one unfinished project on a day."""

    lag: Decimal | None  # percentage points behind plan; None: nothing was reported
    late_problems: int = 0
    is_silent: bool = False
    visited_on: dt.date | None = None  # the last visit
    gap: Decimal | None = None  # at that visit: site minus report, percentage points


@dataclasses.dataclass(frozen=True, slots=True)
class Risk:
    """Points with what each stands for; `sentence` is quoted in list, plan and ledger."""

    points: int
    reasons: tuple[tuple[str, int], ...]
    is_proposed: bool

    @property
    def sentence(self) -> str:
        return "；".join(f"{words}（{points}分）" for words, points in self.reasons)


def risk(case: Case, day: dt.date, values: Values) -> Risk:
    """Add up what speaks for a visit; the thresholds of lag are those of the judgement."""
    reasons = tuple((words, points) for words, points in _reasons(case, day, values) if points)
    points = sum(points for _, points in reasons)
    return Risk(points, reasons, points >= values.visit_from_points)


def _reasons(case: Case, day: dt.date, values: Values):
    if case.lag is not None and case.lag > values.far_behind_points:
        yield f"序时差{_tenth(case.lag)}个百分点，严重滞后", values.visit_points_far
    elif case.lag is not None and case.lag >= values.behind_points:
        yield f"序时差{_tenth(case.lag)}个百分点，滞后", values.visit_points_behind
    if case.late_problems:
        yield f"超期问题{case.late_problems}个", case.late_problems * values.visit_points_problem
    if case.is_silent:
        yield f"连续{values.silent_weeks}期填报无变化", values.visit_points_silent
    if case.gap is not None and -case.gap >= values.behind_points:
        yield f"上次督导现场比填报低{_tenth(-case.gap)}个百分点", values.visit_points_gap
    if case.visited_on is None:
        yield "还没有去过现场", values.visit_points_unseen
    elif (day - case.visited_on).days > values.visit_unseen_days:
        yield f"{(day - case.visited_on).days}天没有去现场", values.visit_points_unseen


def beside_report(gap: Decimal) -> str:
    """What was seen on site beside what was reported; `gap` is the difference in percentage points."""
    gap = _tenth(gap).normalize()
    return f"比填报{'高' if gap > 0 else '低'} {abs(gap):f} 个百分点" if gap else "与填报一致"


def _tenth(value: Decimal) -> Decimal:
    return Decimal(value).quantize(Decimal("0.1"))


Place = tuple[float, float] | None


def in_order(start: Place, places: Sequence[Place], far: Callable[[tuple[float, float], tuple[float, float]], float]) -> list[int]:
    """Places in the order of a tour: always the nearest that is left; those without a point come last, as they stand."""
    known = [n for n, place in enumerate(places) if place is not None]
    here, found = start, []
    while known:
        at = here
        nearest = known[0] if at is None else min(known, key=lambda n: (far(at, places[n]), n))  # type: ignore[arg-type]
        known.remove(nearest)
        found.append(nearest)
        here = places[nearest]
    return found + [n for n, place in enumerate(places) if place is None]
