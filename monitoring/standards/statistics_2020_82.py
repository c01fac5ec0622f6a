"""How readings become a period's value. Source: 环办监测函〔2020〕82号《地表水环境质量监测数据统计技术规定(试行)》."""

from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Decimal

from monitoring.enums import PeriodKind
from monitoring.limits import Limit

# How many months a period stands on. [check]: two of a quarter's three; eight of a year's twelve where ice or drought prevents some.
LEAST_MONTHS = {PeriodKind.MONTH: 1, PeriodKind.QUARTER: 2, PeriodKind.TO_DATE: 1, PeriodKind.YEAR: 8}


def least_months(kind: str) -> int:
    """The fewest months with values that a period of `kind` is assessed on."""
    return LEAST_MONTHS[PeriodKind(kind)]


def for_mean(value: Decimal, is_below_detection: bool) -> Decimal:
    """What a reading counts for: half the detection limit when it lies below it."""
    return value / 2 if is_below_detection else value


def mean(key: str, values: Iterable[Decimal]) -> Decimal | None:
    """Arithmetic mean, not rounded; pH by its hydrogen ions; None of nothing, never zero."""
    numbers = list(values)
    if not numbers:
        return None
    if key == "ph":
        return -(sum((Decimal(10) ** -v for v in numbers), Decimal(0)) / len(numbers)).log10()
    return sum(numbers, Decimal(0)) / len(numbers)


def mean_of_months(key: str, months: Iterable[Iterable[Decimal | None]]) -> Decimal | None:
    """A quarter's, a year's or 1-N月's value: the mean of its months' means, each month counting once. None = missing.

    `months` holds what each reading of the month counts for. Values are averaged, never classes; not rounded.
    """
    means = (mean(key, [value for value in month if value is not None]) for month in months)
    return mean(key, [value for value in means if value is not None])


def rounded_for_assessment(limit: Limit, value: Decimal) -> Decimal:
    """A period's mean as it is judged and printed: half to even, decimals of the item; never a false zero.

    Where rounding gives 0 for a value that is not 0, one significant digit stays.
    """
    if limit.decimals is None:
        return value
    result = value.quantize(Decimal(1).scaleb(-limit.decimals), ROUND_HALF_EVEN)
    if result == 0 and value != 0:
        result = value.quantize(Decimal(1).scaleb(value.adjusted()), ROUND_HALF_EVEN)
    return result
