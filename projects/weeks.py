"""When a week is reported: it opens, is due, is locked. From the policy and the calendar, or as the office set it for one week.

[D] All of it is our own proposal: a deadline on a day off is brought forward to the last working day of the week before it
(without one, to the first after it); a lock on a day off waits for the next working day, so that a late report still has one;
a week without any working day is not due at all.
"""

import dataclasses
import datetime as dt
from collections.abc import Collection

from django.utils import timezone

from linfen_water import policy
from linfen_water.workdays import is_workday
from projects.enums import WeekState
from projects.models import ReportingWeek

WEEK = dt.timedelta(weeks=1)
DAY = dt.timedelta(days=1)


@dataclasses.dataclass(frozen=True, slots=True)
class Week:
    """The times of one week, aware. `reason` says why they are not the usual ones; empty when they are."""

    week_of: dt.date
    opens_at: dt.datetime
    deadline_at: dt.datetime
    locks_at: dt.datetime
    reason: str = ""
    is_due: bool = True  # False: nobody works in this week; who reports all the same may
    is_set: bool = False  # by the office, for this week

    @property
    def cut_off_on(self) -> dt.date:
        """The day that the dispatches of this week speak for: that of its deadline."""
        return timezone.localtime(self.deadline_at).date()

    def state(self, now: dt.datetime) -> WeekState:
        """Where the week stands; at the minute of its deadline it is still open."""
        if now < self.opens_at:
            return WeekState.AHEAD
        if now <= self.deadline_at:
            return WeekState.OPEN
        return WeekState.LOCKED if now >= self.locks_at else WeekState.LATE

    @property
    def name(self) -> str:
        """`2025年第8周`, by ISO."""
        year, number, _ = self.week_of.isocalendar()
        return f"{year}年第{number}周"

    def is_late(self, at: dt.datetime | None) -> bool:
        """Whether a report handed in at `at` missed the deadline."""
        return at is not None and at > self.deadline_at

    def is_after_lock(self, at: dt.datetime | None) -> bool:
        """Whether a report handed in at `at` came when the week was locked (锁定后更正、锁定后补报)."""
        return at is not None and self.state(at) == WeekState.LOCKED


def by_policy(week_of: dt.date, values: policy.Values) -> Week:
    """The times of the week of Monday `week_of` as thresholds and calendar say."""
    usual_on = week_of + dt.timedelta(days=values.cut_off_weekday)
    due_on = _due_on(week_of, usual_on)
    deadline_at = at_hour(due_on or usual_on, values.cut_off_hour)
    opens_at = at_hour(week_of + dt.timedelta(days=values.open_weekday), values.open_hour)
    if opens_at >= deadline_at:  # the deadline was brought forward past the opening
        opens_at = at_hour(week_of, 0)
    locks_on = week_of + dt.timedelta(days=values.lock_weekday)
    while due_on and not is_workday(locks_on):
        locks_on += DAY
    return Week(
        week_of=week_of,
        opens_at=opens_at,
        deadline_at=deadline_at,
        locks_at=max(at_hour(locks_on, values.lock_hour), deadline_at),
        reason=_why(usual_on, due_on),
        is_due=due_on is not None,
    )


def week_times(week_of: dt.date, values: policy.Values | None = None) -> Week:
    """The times of the week of Monday `week_of`: the office's own for it, else the policy's (`values`, else those of that Monday)."""
    row = ReportingWeek.objects.filter(week_of=week_of).first()
    return _as_set(row) if row else by_policy(week_of, values or policy.values_on(week_of))


def times_of(weeks: Collection[dt.date]) -> dict[dt.date, Week]:
    """The times of several weeks, in two queries however many they are."""
    rows = {row.week_of: row for row in ReportingWeek.objects.filter(week_of__in=weeks)}
    in_force = policy.values_on_each(weeks)
    return {day: _as_set(rows[day]) if day in rows else by_policy(day, in_force[day]) for day in weeks}


def is_due(week_of: dt.date) -> bool:
    """Whether reports of the week of Monday `week_of` are expected: somebody works in it, or the office set its times all the same."""
    return any(is_workday(week_of + n * DAY) for n in range(7)) or ReportingWeek.objects.filter(week_of=week_of).exists()


def at_hour(day: dt.date, hour: int) -> dt.datetime:
    """The full `hour` of `day`, local; 24 is the midnight at its end."""
    moment = dt.datetime.combine(day, dt.time(0)) + dt.timedelta(hours=hour)
    return timezone.make_aware(moment)


def moment_words(moment: dt.datetime) -> str:
    """`2月20日（周四）18:00`."""
    local = timezone.localtime(moment)
    return f"{local.month}月{local.day}日（周{'一二三四五六日'[local.weekday()]}）{local:%H:%M}"


def _as_set(row: ReportingWeek) -> Week:
    opens_at, deadline_at, locks_at = map(timezone.localtime, (row.opens_at, row.deadline_at, row.locks_at))
    return Week(row.week_of, opens_at, deadline_at, locks_at, reason=row.reason, is_set=True)


def _due_on(week_of: dt.date, usual_on: dt.date) -> dt.date | None:
    """The working day on which the week is due; None when it has none."""
    working = [day for n in range(7) if is_workday(day := week_of + n * DAY)]
    by_then = [day for day in working if day <= usual_on]
    return by_then[-1] if by_then else working[0] if working else None


def _why(usual_on: dt.date, due_on: dt.date | None) -> str:
    usual = f"{usual_on.month}月{usual_on.day}日"
    if due_on is None:
        return "本周无工作日，不需填报"
    if due_on < usual_on:
        return f"{usual}不是工作日，截止提前"
    return f"{usual}及之前无工作日，截止顺延" if due_on > usual_on else ""
