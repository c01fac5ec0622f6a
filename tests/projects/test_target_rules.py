"""Whether a year's target is reached, on both sides of the year's end; the share of the year that is over; months of cumulative money."""

import datetime as dt
from decimal import Decimal as D

import pytest

from projects.record_enums import TargetState as S
from projects.target_rules import by_month, elapsed_percent, verdict

pytestmark = pytest.mark.once
LAST = dt.date(2024, 12, 31)


@pytest.mark.parametrize(
    ("day", "kind", "goal", "started", "completed", "progress", "state"),
    [
        (LAST, None, None, None, None, D(100), S.NONE),
        (LAST, "start", None, None, None, None, S.PENDING),
        (LAST + dt.timedelta(days=1), "start", None, None, None, None, S.MISSED),
        (LAST, "start", None, LAST, None, None, S.REACHED),
        (dt.date(2025, 6, 1), "start", None, dt.date(2025, 1, 1), None, None, S.MISSED),
        (LAST, "finish", None, LAST, LAST, D(100), S.REACHED),
        (dt.date(2024, 6, 1), "finish", None, LAST, LAST, D(40), S.PENDING),
        (LAST, "progress", D(60), LAST, None, D(60), S.REACHED),
        (LAST, "progress", D(60), LAST, None, D("59.9"), S.PENDING),
        (LAST, "progress", D(60), LAST, None, None, S.PENDING),
        (LAST, "progress", D(60), LAST, LAST, None, S.REACHED),
    ],
)
def test_verdict(day, kind, goal, started, completed, progress, state):
    assert verdict(day, 2024, kind, goal, started, completed, progress) == state


@pytest.mark.parametrize(
    ("day", "percent"),
    [
        (dt.date(2023, 12, 31), 0),
        (dt.date(2024, 1, 1), D("0.3")),
        (dt.date(2024, 6, 30), D("49.7")),
        (LAST, 100),
        (dt.date(2025, 3, 1), 100),
    ],
)
def test_time_of_the_year(day, percent):
    assert elapsed_percent(day, 2024) == percent


def test_months_are_the_differences_of_what_is_cumulative():
    assert by_month({1: D(10), 3: D(25), 4: D(20)}, D(4)) == {1: D(6), 3: D(15), 4: D(-5)}
