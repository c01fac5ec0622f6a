"""Working days: without public holidays, with the week-end days that were shifted to work (调休), by the `holidays` package.

Holidays of a year are announced in the autumn before; until then only its fixed days are known, and `is_announced` says so.
"""

import datetime as dt
import functools
from bisect import bisect_right

import holidays
from django.conf import settings


def is_workday(day: dt.date) -> bool:
    """Whether the office works on `day`."""
    return day in _of_year(day.year)


def add_workdays(day: dt.date, count: int) -> dt.date:
    """The day `count` working days after `day`; with 0 the day itself. Promised and reply days are counted so, the day of receipt not."""
    if count <= 0:
        return day
    year, rest = day.year, count
    days = _of_year(year)
    start = bisect_right(days, day)
    while start + rest > len(days):
        rest -= len(days) - start
        year, start = year + 1, 0
        days = _of_year(year)
    return days[start + rest - 1]


def workdays_between(first: dt.date, last: dt.date) -> int:
    """How many working days lie after `first` and up to `last`; 0 when there are none."""
    if last <= first:
        return 0
    found = 0
    for year in range(first.year, last.year + 1):
        days = _of_year(year)
        found += bisect_right(days, last) - bisect_right(days, first)
    return found


def last_workday_by(day: dt.date) -> dt.date:
    """`day` when it is a working day, else the last one before it: a deadline that falls on a holiday is brought forward."""
    while not is_workday(day):
        day -= dt.timedelta(days=1)
    return day


def is_announced(year: int) -> bool:
    """Whether the shifted days of `year` are known already (China shifts some every year); before that only fixed holidays are left out."""
    _of_year(year)  # the package works a year out when it is asked for
    return settings.HOLIDAYS_COUNTRY != "CN" or any(day.year == year for day in _calendar().weekend_workdays)


@functools.cache
def _of_year(year: int) -> tuple[dt.date, ...]:
    """The working days of a year, in order."""
    calendar = _calendar()
    first = dt.date(year, 1, 1)
    return tuple(day for n in range(366) if (day := first + dt.timedelta(days=n)).year == year and calendar.is_working_day(day))


@functools.cache
def _calendar() -> holidays.HolidayBase:
    return holidays.country_holidays(settings.HOLIDAYS_COUNTRY)
