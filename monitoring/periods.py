"""The periods that water is assessed for: a month, a quarter, January to a month (1-N月), a year. Pure.

As text, in addresses and commands: `2025-01`, `2025-Q1`, `2025-01..03`, `2025`.
"""

import dataclasses
import datetime as dt
import re
from collections.abc import Iterable

from linfen_water.dates import add_months, month_end, month_start
from monitoring.enums import PeriodKind

_MONTH = re.compile(r"(\d{4})-(\d{2})", re.ASCII)
_QUARTER = re.compile(r"(\d{4})-Q([1-4])", re.ASCII)
_TO_DATE = re.compile(r"(\d{4})-01\.\.(\d{2})", re.ASCII)
_YEAR = re.compile(r"(\d{4})", re.ASCII)


@dataclasses.dataclass(frozen=True, order=True)
class Period:
    """From the first day of its first month to the last day of its last."""

    starts_on: dt.date
    ends_on: dt.date
    kind: str

    @property
    def months(self) -> tuple[dt.date, ...]:
        """First days of its months, in order."""
        count = (self.ends_on.year - self.starts_on.year) * 12 + self.ends_on.month - self.starts_on.month + 1
        return tuple(add_months(self.starts_on, n) for n in range(count))

    @property
    def year(self) -> int:
        return self.starts_on.year

    @property
    def label(self) -> str:
        """In words: 2025年1月, 2025年1季度, 2025年1—2月, 2024年."""
        year = f"{self.year}年"
        if self.kind == PeriodKind.YEAR:
            return year
        if self.kind == PeriodKind.QUARTER:
            return f"{year}{(self.starts_on.month + 2) // 3}季度"
        if self.kind == PeriodKind.TO_DATE and self.ends_on.month > 1:
            return f"{year}1—{self.ends_on.month}月"
        return f"{year}{self.starts_on.month}月"

    @property
    def before(self) -> "Period | None":
        """What 环比 compares with: the period of the same kind just before; None for 1-N月, which has none."""
        if self.kind == PeriodKind.TO_DATE:
            return None
        starts_on = add_months(self.starts_on, -len(self.months))
        return Period(starts_on, self.starts_on - dt.timedelta(days=1), self.kind)

    @property
    def year_before(self) -> "Period":
        """What 同比 compares with: the same period a year earlier."""
        return Period(add_months(self.starts_on, -12), month_end(add_months(self.ends_on, -12)), self.kind)

    def __str__(self) -> str:
        if self.kind == PeriodKind.YEAR:
            return f"{self.year:04}"
        if self.kind == PeriodKind.QUARTER:
            return f"{self.year:04}-Q{(self.starts_on.month + 2) // 3}"
        if self.kind == PeriodKind.TO_DATE:
            return f"{self.year:04}-01..{self.ends_on.month:02}"
        return f"{self.starts_on:%Y-%m}"


def month(day: dt.date) -> Period:
    """The month that `day` lies in."""
    return Period(month_start(day), month_end(day), PeriodKind.MONTH)


def quarter(day: dt.date) -> Period:
    """The quarter that `day` lies in."""
    starts_on = dt.date(day.year, (day.month - 1) // 3 * 3 + 1, 1)
    return Period(starts_on, month_end(add_months(starts_on, 2)), PeriodKind.QUARTER)


def to_date(day: dt.date) -> Period:
    """January to the month of `day` (1-N月)."""
    return Period(dt.date(day.year, 1, 1), month_end(day), PeriodKind.TO_DATE)


def year(day: dt.date) -> Period:
    """The year that `day` lies in."""
    return Period(dt.date(day.year, 1, 1), dt.date(day.year, 12, 31), PeriodKind.YEAR)


def of(kind: str, starts_on: dt.date, ends_on: dt.date | None = None) -> Period:
    """The period of `kind` that starts on `starts_on`; 1-N月 needs its end as well."""
    if kind == PeriodKind.TO_DATE:
        return to_date(ends_on or starts_on)
    return {PeriodKind.MONTH: month, PeriodKind.QUARTER: quarter, PeriodKind.YEAR: year}[PeriodKind(kind)](starts_on)


def read(text: str) -> Period:
    """The period that `text` names. ValueError with the Chinese sentence for the person."""
    try:
        if found := _MONTH.fullmatch(text):
            return month(dt.date(int(found[1]), int(found[2]), 1))
        if found := _QUARTER.fullmatch(text):
            return quarter(dt.date(int(found[1]), int(found[2]) * 3, 1))
        if found := _TO_DATE.fullmatch(text):
            return to_date(dt.date(int(found[1]), int(found[2]), 1))
        if found := _YEAR.fullmatch(text):
            return year(dt.date(int(found[1]), 1, 1))
    except ValueError:
        pass
    raise ValueError(f"“{text[:20]}”不是评价时段：写成 2025-01、2025-Q1、2025-01..03 或 2025。")


def touched(months: Iterable[dt.date], today: dt.date) -> list[Period]:
    """Every period over by `today` whose values change when those of `months` (any days in them) do, in order of their end."""
    found = set()
    for day in months:
        found |= {month(day), quarter(day), year(day)}
        found |= {to_date(dt.date(day.year, n, 1)) for n in range(max(day.month, 2), 13)}  # 1-1月 is the month itself
    return sorted((p for p in found if p.ends_on <= today), key=lambda p: (p.ends_on, len(p.months), p.kind))
