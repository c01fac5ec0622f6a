"""Weeks and months, as the office counts them. Pure."""

import datetime as dt


def monday(day: dt.date) -> dt.date:
    """The Monday of the week that `day` lies in: how every week is named (`week_of`)."""
    return day - dt.timedelta(days=day.weekday())


def month_start(day: dt.date) -> dt.date:
    """The first day of the month of `day`."""
    return day.replace(day=1)


def month_end(day: dt.date) -> dt.date:
    """The last day of the month of `day`."""
    return add_months(day.replace(day=1), 1) - dt.timedelta(days=1)


def add_months(day: dt.date, months: int) -> dt.date:
    """The first day of the month `months` after (or before) that of `day`."""
    years, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return dt.date(years, month + 1, 1)
