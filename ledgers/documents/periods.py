"""Which month a bulletin speaks of, and how that is written. Pure."""

import datetime as dt
import re

from ledgers.documents import DocumentFault
from linfen_water.dates import add_months, month_end, month_start


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
