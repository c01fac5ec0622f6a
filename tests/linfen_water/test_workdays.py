"""Working days against the State Council's holiday notices (国务院办公厅关于部分节假日安排的通知) of 2024 and 2025."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linfen_water import workdays

pytestmark = pytest.mark.once
D = dt.date


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        pytest.param(D(2025, 1, 26), True, id="春节前调休上班的周日"),
        pytest.param(D(2025, 1, 27), True, id="除夕前的周一"),
        pytest.param(D(2025, 1, 28), False, id="除夕"),
        pytest.param(D(2025, 2, 4), False, id="春节假期最后一天"),
        pytest.param(D(2025, 2, 5), True, id="节后第一天"),
        pytest.param(D(2025, 2, 8), True, id="节后调休上班的周六"),
        pytest.param(D(2025, 2, 9), False, id="普通周日"),
        pytest.param(D(2024, 10, 12), True, id="国庆后调休上班的周六"),
        pytest.param(D(2024, 10, 7), False, id="国庆假期的周一"),
        pytest.param(D(2025, 2, 20), True, id="普通周四"),
    ],
)
def test_the_office_works_on(day, expected):
    assert workdays.is_workday(day) is expected


@pytest.mark.parametrize(
    ("day", "count", "expected"),
    [
        pytest.param(D(2025, 2, 12), 5, D(2025, 2, 19), id="一周"),
        pytest.param(D(2025, 1, 24), 5, D(2025, 2, 7), id="跨春节，调休的周日算一天"),
        pytest.param(D(2025, 2, 3), 5, D(2025, 2, 10), id="自假期起，调休的周六算一天"),
        pytest.param(D(2024, 12, 31), 1, D(2025, 1, 2), id="跨元旦"),
        pytest.param(D(2025, 2, 15), 0, D(2025, 2, 15), id="零天是当天"),
        pytest.param(D(2024, 2, 20), 300, D(2025, 5, 6), id="一年以上"),
    ],
)
def test_a_promise_in_working_days_ends_on(day, count, expected):
    assert workdays.add_workdays(day, count) == expected


@given(st.dates(D(2019, 1, 1), D(2027, 12, 31)), st.integers(1, 400))
def test_as_many_working_days_lie_between_as_were_added(day, count):
    end = workdays.add_workdays(day, count)
    assert workdays.is_workday(end)
    assert workdays.workdays_between(day, end) == count


def test_a_deadline_on_a_holiday_is_brought_forward():
    assert workdays.last_workday_by(D(2025, 1, 30)) == D(2025, 1, 27)
    assert workdays.last_workday_by(D(2025, 2, 20)) == D(2025, 2, 20)


def test_shifted_days_of_a_year_not_announced_yet_are_not_made_up():
    assert workdays.is_announced(2025)
    assert not workdays.is_announced(2040)
