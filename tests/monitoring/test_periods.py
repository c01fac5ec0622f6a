"""Periods: names, neighbours, and which ones a month enters."""

import datetime as dt

import pytest

from monitoring import periods
from monitoring.enums import PeriodKind

pytestmark = pytest.mark.once
D = dt.date


@pytest.mark.parametrize(
    ("text", "starts_on", "ends_on", "label", "before", "year_before"),
    [
        ("2025-01", D(2025, 1, 1), D(2025, 1, 31), "2025年1月", "2024-12", "2024-01"),
        ("2024-02", D(2024, 2, 1), D(2024, 2, 29), "2024年2月", "2024-01", "2023-02"),
        ("2024-Q4", D(2024, 10, 1), D(2024, 12, 31), "2024年4季度", "2024-Q3", "2023-Q4"),
        ("2025-Q1", D(2025, 1, 1), D(2025, 3, 31), "2025年1季度", "2024-Q4", "2024-Q1"),
        ("2024-01..02", D(2024, 1, 1), D(2024, 2, 29), "2024年1—2月", None, "2023-01..02"),
        ("2024", D(2024, 1, 1), D(2024, 12, 31), "2024年", "2023", "2023"),
    ],
)
def test_a_period_reads_as_it_is_written_and_knows_its_neighbours(text, starts_on, ends_on, label, before, year_before):
    period = periods.read(text)
    assert (str(period), period.starts_on, period.ends_on, period.label) == (text, starts_on, ends_on, label)
    assert (period.before and str(period.before), str(period.year_before)) == (before, year_before)
    assert periods.of(period.kind, period.starts_on, period.ends_on) == period


@pytest.mark.parametrize("text", ["", "2025-13", "2025-00", "2025-Q5", "2025-02..03", "2025-1", "0000-01", "２０２５", "2025-01\n"])
def test_what_is_no_period_is_told_in_words(text):
    with pytest.raises(ValueError, match="不是评价时段"):
        periods.read(text)


def test_a_month_enters_every_period_that_holds_it_and_is_over():
    found = periods.touched([D(2024, 2, 9)], today=D(2024, 4, 30))
    assert [str(p) for p in found] == ["2024-02", "2024-01..02", "2024-Q1", "2024-01..03", "2024-01..04"]
    assert {p.kind for p in periods.touched([D(2024, 2, 9)], today=D(2024, 12, 31))} == set(PeriodKind)


def test_a_month_that_is_not_over_is_not_due():
    assert periods.touched([D(2024, 2, 9)], today=D(2024, 2, 28)) == []
    assert [str(p) for p in periods.touched([D(2024, 1, 9)], today=D(2024, 1, 31))] == ["2024-01"]
