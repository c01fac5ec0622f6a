"""The likely finish of a project: its pace, its interval, and when nothing is told."""

import datetime as dt
import itertools
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects import forecast as rules
from projects.courses import forecasts, office_calibration
from projects.enums import Provenance
from projects.forecast import Band, Course, Forecast, Trial, calibrate, forecast, forecast_gap, guess, trials
from projects.models import Project
from tests.factories import TODAY, DispatchFactory, ProjectFactory, RegionFactory

START = dt.date(2024, 1, 1)
FINISH = dt.date(2025, 12, 31)
DAY = dt.date(2024, 9, 5)


def course(speed=1.0, weeks=30, *, until=DAY, percent=None, **kwargs) -> Course:
    """A straight plan over two years, reported on every week up to `until` at `speed` times its pace."""
    length = (FINISH - START).days
    days = [until - dt.timedelta(weeks=n) for n in reversed(range(weeks))]
    said = [(on, min(100.0, 100 * speed * max((on - START).days, 0) / length)) for on in days]
    if percent is not None:
        said[-1] = (said[-1][0], percent)
    return Course({}, [(START, START, FINISH)], said, **({"started_on": START} | kwargs))


@pytest.mark.parametrize(
    ("speed", "least", "most"),
    [
        pytest.param(1.0, -3, 3, id="照计划则与基线相同"),
        pytest.param(2.0, -400, -320, id="快一倍"),
        pytest.param(0.5, 300, 700, id="慢一半"),
    ],
)
def test_a_finish_follows_the_pace(speed, least, most):
    told = forecast(DAY, course(speed), {})
    assert least <= (told.finish_on - FINISH).days <= most


def test_one_wrong_report_in_four_hardly_bends_the_recent_pace():
    right, wrong = course(), course()
    for place in (-3, -6, -9):
        wrong.reports[place] = (wrong.reports[place][0], 90.0)
    assert abs((forecast(DAY, right, {}).finish_on - forecast(DAY, wrong, {}).finish_on).days) < 45


@pytest.mark.parametrize(
    ("given", "word"),
    [
        pytest.param(course(started_on=None), "尚未开工", id="未开工"),
        pytest.param(course(started_on=DAY + dt.timedelta(days=1)), "尚未开工", id="开工在后"),
        pytest.param(course(completed_on=DAY), "已完工", id="已完工"),
        pytest.param(course(weeks=0), "没有填报", id="未报"),
        pytest.param(course(percent=100.0), "已到100%", id="满进度未完工"),
        pytest.param(course(weeks=5), "数据太少", id="五期"),
        pytest.param(course(until=DAY - dt.timedelta(days=57)), "已有8周没有填报", id="久未报"),
        pytest.param(course(is_assumed=True), "不作推算", id="假定的进度"),
    ],
)
def test_too_little_is_not_guessed_from(given, word):
    told = forecast(DAY, given, {})
    assert (told.finish_on, told.early_on, told.late_on, told.is_stalled) == (None, None, None, False)
    assert word in told.reason


def test_six_reports_are_just_enough_and_eight_weeks_just_not_too_old():
    assert isinstance(guess(DAY, course(weeks=6)), rules.Guess)
    assert isinstance(guess(DAY, course(until=DAY - dt.timedelta(days=56))), rules.Guess)


def test_what_stands_still_has_no_finish():
    still = Course({}, [(START, START, FINISH)], [(DAY - dt.timedelta(weeks=n), 40.0) for n in reversed(range(20))], START)
    told = forecast(DAY, still, {})
    assert (told.finish_on, told.is_stalled) == (None, True)


def test_the_interval_is_the_bands_multiple_of_the_time_left():
    given = course()
    left = guess(DAY, given).days_left
    told = forecast(DAY, given, {0: Band(30, 0.5, 1.0, 1.5)})
    assert [round(left * n) for n in (0.5, 1.0, 1.5)] == [(on - DAY).days for on in (told.early_on, told.finish_on, told.late_on)]
    assert f"八成把握在{told.early_on}至{told.late_on}之间（据本市30个完工项目的偏差）" in told.reason


def test_an_end_that_nobody_has_reached_is_said_to_be_open():
    told = forecast(DAY, course(), {0: Band(12, 0.5, 1.0, None)})
    assert (told.late_on, "最晚说不准" in told.reason) == (None, True)


def test_no_interval_without_enough_finished_projects():
    told = forecast(DAY, course(), {1: Band(30, 0.5, 1.0, 1.5)})  # another band
    assert (told.early_on, told.late_on) == (None, None)
    assert "不足10个，不给区间" in told.reason


def test_a_finish_that_should_long_have_been_is_asked_about():
    told = forecast(DAY, course(until=DAY - dt.timedelta(days=50)), {0: Band(30, 0.01, 0.02, 0.03)})
    assert told.finish_on is None
    assert "至今未报完工" in told.reason


@given(st.integers(0, 29), st.floats(0.2, 3.0))
def test_what_comes_later_changes_nothing(after, speed):
    """As of a day only what was reported by then counts."""
    whole = course(speed)
    day = whole.reports[after][0]
    cut = Course({}, whole.baselines, whole.reports[: after + 1], START)
    assert forecast(day, whole, {}) == forecast(day, cut, {})


@given(st.lists(st.integers(0, 100), min_size=1, max_size=30), st.floats(0, 100))
def test_earned_days_and_percent_undo_each_other(months, percent):
    plans = {dt.date(2023 + n // 12, n % 12 + 1, 1): Decimal(value) for n, value in enumerate(sorted(months))}
    curve = rules.plan_curve(plans, dt.date(2023, 1, 10), dt.date(2025, 6, 30))
    assert rules.percent_at(curve, rules.earned_days(curve, percent)) == pytest.approx(percent, abs=1e-6)


@given(st.floats(0, 99), st.integers(1, 900))
def test_a_projected_course_never_falls_and_ends_at_its_finish(percent, span):
    curve = rules.plan_curve({}, START, FINISH)
    end = DAY + dt.timedelta(days=span)
    values = rules.projected(curve, percent, DAY, end, [DAY + dt.timedelta(days=span * n // 7) for n in range(9)])
    assert values == sorted(values)
    assert (values[0], values[-1]) == (percent, 100.0)


@pytest.mark.parametrize(
    ("days", "word"),
    [
        pytest.param(30, "", id="恰30天不提示"),
        pytest.param(31, "晚31天", id="晚31天"),
        pytest.param(-30, "", id="早30天不提示"),
        pytest.param(-31, "早31天", id="早31天"),
    ],
)
def test_gap_to_the_units_own_date(days, word):
    hint = forecast_gap(DAY + dt.timedelta(days=days), DAY)
    assert (word in hint) if word else hint == ""


def test_no_gap_without_both_dates():
    assert (forecast_gap(None, DAY), forecast_gap(DAY, None)) == ("", "")


# ── Calibration ──


def trial(key, ratio, finished=True) -> Trial:
    return Trial(key, DAY, 20.0, 100.0, DAY + dt.timedelta(days=ratio) if finished else None)


def test_nine_finished_projects_say_nothing_and_ten_do():
    later = DAY + dt.timedelta(days=400)
    rows = [trial(n, 80 + n) for n in range(10)]
    assert calibrate(rows[:9], later) == {}
    assert calibrate(rows, later)[0] == Band(10, 0.8, 0.84, 0.89)


def test_a_project_is_left_out_of_its_own_judgement():
    rows = [trial(n, 100) for n in range(11)]
    assert calibrate(rows, DAY + dt.timedelta(days=400), without=3)[0].finished == 10


def test_every_project_weighs_the_same_however_often_it_was_looked_at():
    rows = [trial(n, 100) for n in range(10)] + [trial(10, 500)] * 50
    assert calibrate(rows, DAY + dt.timedelta(days=600))[0].middle == 1.0


def test_unfinished_projects_push_the_late_end_out():
    """They took at least so long: forgetting them would promise too much."""
    later = DAY + dt.timedelta(days=300)
    done = [trial(n, 60 + 5 * n) for n in range(12)]
    slow = [trial(20 + n, 0, finished=False) for n in range(6)]
    assert calibrate(done, later)[0].high == 1.15
    assert calibrate([*done, *slow], later)[0].high is None
    assert calibrate([*done, *slow], later)[0].middle > calibrate(done, later)[0].middle


def test_as_of_a_day_a_later_completion_is_not_known():
    assert calibrate([trial(n, 100) for n in range(12)], DAY + dt.timedelta(days=99)) == {}


def test_the_past_is_looked_at_every_four_weeks_until_completion():
    found = trials(7, course(completed_on=DAY - dt.timedelta(days=10)), DAY)
    gaps = [(b.on - a.on).days for a, b in itertools.pairwise(found)]
    assert set(gaps) == {28}
    assert found[-1].on < DAY - dt.timedelta(days=10)


# ── Reading ──


def weekly(project, weeks=12, per_week=2):
    for n in range(weeks):
        DispatchFactory(project=project, week_of=dt.date(2025, 2, 10) - dt.timedelta(weeks=n), physical_progress=Decimal(50 - per_week * n))


@pytest.mark.django_db
def test_the_same_queries_for_one_project_and_thirty(django_assert_num_queries, django_assert_max_num_queries):
    RegionFactory()
    weekly(ProjectFactory())
    office_calibration(TODAY)
    with django_assert_max_num_queries(9) as first:
        assert all(told.finish_on for told in forecasts(Project.objects.all(), TODAY).values())
    for _ in range(29):
        weekly(ProjectFactory(), weeks=7)
    office_calibration(TODAY)
    with django_assert_num_queries(len(first)):
        assert len(forecasts(Project.objects.all(), TODAY)) == 30


@pytest.mark.django_db
def test_a_public_project_of_the_demo_is_not_guessed_at_and_a_real_offices_is():
    region = RegionFactory()
    project = ProjectFactory(provenance=Provenance.PUBLIC)
    weekly(project)
    assert "不作推算" in forecasts(Project.objects.all(), TODAY)[project.pk].reason
    region.demo_on = None
    region.save()
    told: Forecast = forecasts(Project.objects.all(), TODAY)[project.pk]
    assert told.finish_on is not None


@pytest.mark.django_db
def test_a_returned_report_bends_nothing():
    RegionFactory()
    project = ProjectFactory()
    weekly(project)
    before = forecasts(Project.objects.all(), TODAY)[project.pk]
    DispatchFactory(project=project, week_of=dt.date(2025, 2, 17), returned=True, physical_progress=Decimal(95))
    assert forecasts(Project.objects.all(), TODAY)[project.pk] == before
