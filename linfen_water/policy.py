"""The office's thresholds and dates. Defaults are our own proposals ([D] 建议值) until the office sets its own row."""

import dataclasses
import datetime as dt
from collections.abc import Collection


@dataclasses.dataclass(frozen=True)
class Values:
    """One set of thresholds; each field is one figure that the office may change from a day on."""

    cut_off_weekday: int = 3  # weekly deadline and cut-off: Thursday (0 = Monday)
    cut_off_hour: int = 18
    open_weekday: int = 0  # a week is opened for reports on its Monday at
    open_hour: int = 8
    lock_weekday: int = 4  # and locked on Friday at
    lock_hour: int = 18
    announce_days: int = 5  # other times of a week are announced so many days before it opens
    jump_points: int = 20  # progress that rises by more in one week is asked about
    idle_money_weeks: int = 8  # progress without money, or money without progress, over so many weeks is asked about
    help_days_office: int = 2  # working days that a problem may stay at each level of help
    help_days_departments: int = 5
    help_days_city: int = 10
    help_days_province: int = 20
    bulletin_day: int = 5  # day of the next month from which a month's bulletin must exist as a draft
    behind_points: int = 10  # 滞后: percentage points behind plan that make a project "behind"
    far_behind_points: int = 30  # 严重滞后
    silent_weeks: int = 4  # weekly reports without any change that count as "no visible progress"
    due_days: int = 60  # early warning: due to start or finish within so many days
    counties_read_others: bool = False  # whether a county may read (never write) the projects of the others


def values_on(day: dt.date) -> Values:
    """The thresholds in force on `day`."""
    from linfen_water.models import Policy

    row = Policy.objects.filter(effective_on__lte=day).order_by("effective_on").last()
    return read(row.values if row else {})


def values_on_each(days: Collection[dt.date]) -> dict[dt.date, Values]:
    """The thresholds in force on each of `days`, in one query."""
    from linfen_water.models import Policy

    rows = [(row.effective_on, read(row.values)) for row in Policy.objects.order_by("effective_on")] if days else []
    return {day: next((values for on, values in reversed(rows) if on <= day), Values()) for day in days}


def read(stored: dict) -> Values:
    """A stored row as thresholds: what it leaves out keeps the default, what is no threshold (any more) is left aside."""
    known = {field.name for field in dataclasses.fields(Values)}
    return Values(**{k: v for k, v in stored.items() if k in known})


def cut_off_on(week_of: dt.date, values: Values) -> dt.date:
    """The usual cut-off day of the week of Monday `week_of`, whatever the calendar says; `projects.weeks` knows the real one."""
    return week_of + dt.timedelta(days=values.cut_off_weekday)
