"""Which month or week a paper speaks of, and how that is written. Pure."""

import datetime as dt
import re

from ledgers.documents import DocumentFault
from linfen_water.dates import add_months, monday, month_end, month_start


def read_month(text: str, today: dt.date) -> dt.date:
    """Return the first day of the month that `text` (YYYY-MM) names; raise DocumentFault when it is none or has not begun."""
    match = re.fullmatch(r"([0-9]{4})-([0-9]{2})", text.strip())
    if not match or not 1 <= int(match[2]) <= 12 or int(match[1]) < 2000:
        raise DocumentFault(f"月份“{text[:20]}”无效，请按 2025-01 的格式填写。")
    month = dt.date(int(match[1]), int(match[2]), 1)
    if month > today:
        raise DocumentFault(f"{month:%Y-%m} 还没有开始（今天是 {today}），不能编制该月通报。")
    return month


def month_period(month: dt.date) -> str:
    """2025-01, as documents are filed."""
    return f"{month:%Y-%m}"


def speaks_on(month: dt.date, today: dt.date) -> dt.date:
    """The day that the month's figures are those of: its end, or today while it runs."""
    return min(month_end(month), today)


def is_over(month: dt.date, today: dt.date) -> bool:
    return month_end(month) < today


def months_due(today: dt.date, bulletin_day: int, look_back: int = 3) -> list[dt.date]:
    """Months, oldest first, whose bulletin must exist: last month from `bulletin_day` on, and `look_back` before it."""
    last = add_months(month_start(today), -1)
    newest = last if today.day >= bulletin_day else add_months(last, -1)
    return [add_months(newest, -n) for n in range(look_back, -1, -1)]


def read_week(text: str, today: dt.date) -> dt.date:
    """Return the Monday of the week that `text` (YYYY-Www) names; raise DocumentFault when it is none or has not begun."""
    match = re.fullmatch(r"([0-9]{4})-W([0-9]{1,2})", text.strip().upper())
    try:
        week_of = dt.date.fromisocalendar(int(match[1]), int(match[2]), 1) if match and int(match[1]) >= 2000 else None
    except ValueError:
        week_of = None
    if week_of is None:
        raise DocumentFault(f"周次“{text[:20]}”无效，请按 2025-W08 的格式填写。")
    if week_of > today:
        raise DocumentFault(f"{week_period(week_of)} 还没有开始（今天是 {today}），不能编制该周周报。")
    return week_of


def week_period(week_of: dt.date) -> str:
    """2025-W08, by ISO: as documents are filed."""
    year, number, _ = week_of.isocalendar()
    return f"{year}-W{number:02}"


def weeks_due(today: dt.date, look_back: int = 3) -> list[dt.date]:
    """Mondays of this week and of `look_back` before it, oldest first: which of them are over is said by their deadlines."""
    return [monday(today) - dt.timedelta(weeks=n) for n in range(look_back, -1, -1)]


def read_day_or_month(text: str, today: dt.date) -> str:
    """The period of a letter as it is filed: a month (2025-01) or a day (2025-01-15) that has begun."""
    text = text.strip()
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        return month_period(read_month(text, today))
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        raise DocumentFault(f"日期“{text[:20]}”无效，请按 2025-02-20 的格式填写。") from None
    if day > today:
        raise DocumentFault(f"{day} 还没有到（今天是 {today}），不能编制当日函件。")
    if day.year < 2000:
        raise DocumentFault(f"日期“{text[:20]}”无效，请按 2025-02-20 的格式填写。")
    return text


def letter_day(period: str, today: dt.date) -> dt.date:
    """The day that a letter's figures are those of: its own, or its month's end, or today while that runs."""
    if len(period) == len("2025-02-20"):
        return dt.date.fromisoformat(period)
    return speaks_on(dt.date.fromisoformat(f"{period}-01"), today)
