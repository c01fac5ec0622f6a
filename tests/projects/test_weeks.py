"""When a week opens, is due and is locked: by the policy, around public holidays, as the office set it."""

import datetime as dt

import pytest

from linfen_water import policy
from linfen_water.models import Policy
from projects import weeks
from projects.enums import WeekState
from projects.models import ReportingWeek
from tests.factories import THIS_WEEK, RegionFactory

BEIJING = dt.timezone(dt.timedelta(hours=8))
USUAL = policy.Values()


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=BEIJING)


# Holidays as announced for the years 2024 to 2026.
@pytest.mark.parametrize(
    ("week_of", "opens", "deadline", "locks", "reason"),
    [
        pytest.param("2025-02-17", "2025-02-17 08:00", "2025-02-20 18:00", "2025-02-21 18:00", "", id="平常一周"),
        pytest.param(
            "2025-01-27",
            "2025-01-27 08:00",
            "2025-01-27 18:00",
            "2025-02-05 18:00",
            "1月30日不是工作日，截止提前",
            id="春节前只有周一上班：截止提前，锁定顺延到节后",
        ),
        pytest.param(
            "2025-09-29",
            "2025-09-29 08:00",
            "2025-09-30 18:00",
            "2025-10-09 18:00",
            "10月2日不是工作日，截止提前",
            id="国庆节：截止提前到节前最后一天",
        ),
        pytest.param("2025-10-06", "2025-10-06 08:00", "2025-10-09 18:00", "2025-10-10 18:00", "", id="周四已上班则不动"),
        pytest.param("2025-04-28", "2025-04-28 08:00", "2025-04-30 18:00", "2025-05-06 18:00", "5月1日不是工作日，截止提前", id="劳动节"),
    ],
)
def test_times_follow_the_policy_and_the_holidays(week_of, opens, deadline, locks, reason):
    week = weeks.by_policy(dt.date.fromisoformat(week_of), USUAL)
    assert (week.opens_at, week.deadline_at, week.locks_at) == (at(opens), at(deadline), at(locks))
    assert (week.cut_off_on, week.reason, week.is_due) == (at(deadline).date(), reason, True)


def test_a_week_without_working_days_is_not_due():
    week = weeks.by_policy(dt.date(2026, 2, 16), USUAL)
    assert (week.is_due, week.reason) == (False, "本周无工作日，不需填报")
    assert week.opens_at < week.deadline_at <= week.locks_at


def test_without_a_working_day_up_to_the_deadline_it_waits_for_the_first_after_it():
    week = weeks.by_policy(dt.date(2025, 2, 3), policy.Values(cut_off_weekday=1))  # Monday and Tuesday are still holidays
    assert week.deadline_at == at("2025-02-05 18:00")
    assert week.reason == "2月4日及之前无工作日，截止顺延"


def test_an_opening_after_a_deadline_that_was_brought_forward_moves_to_the_weeks_first_minute():
    week = weeks.by_policy(dt.date(2025, 1, 27), policy.Values(open_weekday=1))
    assert week.opens_at == at("2025-01-27 00:00")
    assert week.opens_at < week.deadline_at


def test_a_lock_before_the_deadline_waits_for_it():
    week = weeks.by_policy(THIS_WEEK, policy.Values(cut_off_weekday=4, lock_weekday=3))
    assert week.locks_at == week.deadline_at == at("2025-02-21 18:00")


@pytest.mark.parametrize("start", [dt.date(2024, 1, 1), dt.date(2025, 1, 6)])
def test_every_week_of_a_year_opens_before_it_is_due_and_is_locked_after(start):
    for n in range(52):
        for values in (USUAL, policy.Values(open_weekday=3, open_hour=20), policy.Values(cut_off_weekday=0, lock_weekday=0)):
            week = weeks.by_policy(start + n * weeks.WEEK, values)
            assert week.opens_at < week.deadline_at <= week.locks_at, week


@pytest.mark.parametrize(
    ("now", "state"),
    [
        pytest.param("2025-02-17 07:59", WeekState.AHEAD, id="开放前"),
        pytest.param("2025-02-17 08:00", WeekState.OPEN, id="开放时"),
        pytest.param("2025-02-20 18:00", WeekState.OPEN, id="截止当时仍算按时"),
        pytest.param("2025-02-20 18:01", WeekState.LATE, id="过了截止"),
        pytest.param("2025-02-21 17:59", WeekState.LATE, id="锁定前"),
        pytest.param("2025-02-21 18:00", WeekState.LOCKED, id="锁定时"),
    ],
)
def test_where_a_week_stands(now, state):
    week = weeks.by_policy(THIS_WEEK, USUAL)
    assert week.state(at(now)) == state
    assert week.is_late(at(now)) == (state in {WeekState.LATE, WeekState.LOCKED})
    assert week.is_after_lock(at(now)) == (state == WeekState.LOCKED)


def test_what_was_never_handed_in_is_neither_late_nor_locked():
    week = weeks.by_policy(THIS_WEEK, USUAL)
    assert (week.is_late(None), week.is_after_lock(None)) == (False, False)


def test_midnight_is_hour_24_of_the_day_before():
    assert weeks.at_hour(dt.date(2025, 2, 20), 24) == at("2025-02-21 00:00")


@pytest.mark.django_db
def test_a_week_that_the_office_set_goes_before_the_policy():
    RegionFactory()
    ReportingWeek.objects.create(
        week_of=THIS_WEEK,
        opens_at=at("2025-02-17 09:00"),
        deadline_at=at("2025-02-19 12:00"),
        locks_at=at("2025-02-19 18:00"),
        reason="联席会议提前",
    )
    week = weeks.week_times(THIS_WEEK)
    assert (week.cut_off_on, week.reason, week.is_set) == (dt.date(2025, 2, 19), "联席会议提前", True)
    assert weeks.times_of([THIS_WEEK]) == {THIS_WEEK: week}


@pytest.mark.django_db
def test_a_week_follows_the_policy_of_its_monday():
    Policy.objects.create(
        effective_on=THIS_WEEK + dt.timedelta(days=1), values={"cut_off_weekday": 1, "cut_off_hour": 12}, reason="会议议定"
    )
    assert weeks.week_times(THIS_WEEK).deadline_at == at("2025-02-20 18:00")
    assert weeks.week_times(THIS_WEEK + weeks.WEEK).deadline_at == at("2025-02-25 12:00")


@pytest.mark.django_db
def test_many_weeks_cost_two_queries(django_assert_num_queries):
    Policy.objects.create(effective_on=THIS_WEEK, values={"cut_off_weekday": 2}, reason="会议议定")
    many = [THIS_WEEK + n * weeks.WEEK for n in range(-20, 20)]
    with django_assert_num_queries(2):
        found = weeks.times_of(many)
    assert found == {day: weeks.week_times(day) for day in many}
