"""Readings become assessments."""

import datetime as dt
from decimal import Decimal as D

import pytest
from django.utils import timezone

from linfen_water import trail
from monitoring import limits, periods, services
from monitoring.enums import Cause, ReadingFlag, WaterClass
from monitoring.models import Assessment, Interruption, Reading
from tests.factories import CountyFactory

pytestmark = pytest.mark.django_db

JANUARY = dt.date(2025, 1, 1)
MONTH, YEAR_2024 = periods.month(JANUARY), periods.year(dt.date(2024, 1, 1))
PUBLISHED = dt.date(2025, 2, 10)
GOOD = {"ph": "8", "do": "9", "codmn": "3", "nh3n": "0.3", "tp": "0.05", "cod": "9"}


@pytest.fixture
def section():
    from monitoring.models import River, Section

    return Section.objects.create(
        name="试断面", river=River.objects.create(name="试河"), county=CountyFactory(), lon=111, lat=36, x_items=["cod"]
    )


def sample(section, day, hour=10, below=(), flag=ReadingFlag.VALID, **values):
    at = timezone.make_aware(dt.datetime.combine(day, dt.time(hour)))
    for key, value in values.items():
        number = None if value is None else D(value)
        Reading.objects.create(
            section=section, sampled_at=at, parameter=key, value=number, is_below_detection=key in below, flag=flag, source="试"
        )


def assess(section, period=MONTH):
    return services.assess(section=section, period=period, published_on=PUBLISHED)


def test_a_month_is_the_mean_of_its_readings_judged_once(section):
    sample(section, dt.date(2025, 1, 5), **GOOD | {"cod": "10"})
    sample(section, dt.date(2025, 1, 20), **GOOD | {"nh3n": "1.9", "cod": "12"})
    result = assess(section)
    assert result.values["nh3n"] == "1.10"
    assert result.values["cod"] == "11.0"
    assert result.water_class == WaterClass.IV
    assert result.deciding_items == ["nh3n"]
    assert result.main_pollutants == [["nh3n", "0.1"]]
    assert result.items == ["ph", "do", "codmn", "cod", "nh3n", "tp"]


def test_below_detection_enters_with_half_the_limit(section):
    sample(section, dt.date(2025, 1, 5), below=["nh3n"], **GOOD | {"nh3n": "0.025"})
    assert assess(section).values["nh3n"] == "0.01"


def test_a_month_without_readings_has_no_class(section):
    result = assess(section)
    assert (result.water_class, result.values, result.items) == (None, {}, [])


def test_a_missing_item_takes_the_class_away_but_keeps_the_values(section):
    sample(section, dt.date(2025, 1, 5), **GOOD | {"tp": None})
    result = assess(section)
    assert result.water_class is None
    assert result.values["nh3n"] == "0.30"
    assert "tp" not in result.values


def test_other_months_and_superseded_readings_do_not_count(section):
    sample(section, dt.date(2025, 1, 6), nh3n="9")
    Reading.objects.update(is_live=False)
    sample(section, dt.date(2025, 1, 5), **GOOD)
    sample(section, dt.date(2024, 12, 31), hour=23, nh3n="9")
    sample(section, dt.date(2025, 2, 1), hour=0, nh3n="9")
    assert assess(section).water_class == WaterClass.II


def test_items_outside_five_and_x_do_not_count(section):
    sample(section, dt.date(2025, 1, 5), **GOOD | {"bod5": "99", "tn": "99"})
    assert assess(section).water_class == WaterClass.II


def test_an_item_that_nobody_gave_is_missing(section):
    sample(section, dt.date(2025, 1, 5), **{key: value for key, value in GOOD.items() if key != "cod"})
    result = assess(section)
    assert (result.water_class, result.note) == (None, "化学需氧量缺测")


def test_an_item_said_to_be_not_monitored_is_left_out(section):
    sample(section, dt.date(2025, 1, 5), **{key: value for key, value in GOOD.items() if key != "cod"})
    sample(section, dt.date(2025, 1, 5), flag=ReadingFlag.NOT_MONITORED, cod=None)
    result = assess(section)
    assert (result.water_class, "cod" in result.items) == (WaterClass.II, False)


def test_an_invalid_value_is_kept_and_counts_as_missing(section):
    sample(section, dt.date(2025, 1, 5), **{key: value for key, value in GOOD.items() if key != "tp"})
    sample(section, dt.date(2025, 1, 5), flag=ReadingFlag.INVALID, tp="0.05")
    assert assess(section).note == "总磷缺测"


def test_a_doubtful_value_counts(section):
    sample(section, dt.date(2025, 1, 5), flag=ReadingFlag.DOUBTFUL, **GOOD)
    assert assess(section).water_class == WaterClass.II


def test_a_month_not_sampled_says_why(section):
    Interruption.objects.create(section=section, month=JANUARY, cause=Cause.FROZEN)
    result = assess(section)
    assert (result.water_class, result.note) == (None, "结冰")


def test_reassess_judges_every_period_that_the_month_enters(section):
    for month in (1, 2, 3):
        sample(section, dt.date(2024, month, 5), **GOOD)
    changed = services.reassess(section=section, months=[dt.date(2024, 2, 5)], published_on=dt.date(2024, 4, 10))
    found = {str(periods.of(row.period_kind, row.starts_on, row.ends_on)): row.water_class for row in Assessment.objects.all()}
    assert found == {"2024-02": 2, "2024-01..02": 2, "2024-01..03": 2, "2024-Q1": 2}
    assert changed == 4
    assert services.reassess(section=section, months=[dt.date(2024, 2, 5)], published_on=dt.date(2024, 4, 11)) == 0


def test_assessing_twice_keeps_the_first_and_a_correction_makes_a_revision(section):
    sample(section, dt.date(2025, 1, 5), **GOOD)
    first = assess(section)
    assert assess(section) == first
    Reading.objects.filter(parameter="nh3n").update(value=D("1.5"))
    second = assess(section)
    assert (second.revision, second.water_class) == (2, WaterClass.IV)
    first.refresh_from_db()
    assert first.water_class == WaterClass.II


def test_a_new_result_is_an_event_so_that_no_map_keeps_the_old_one(section):
    before = trail.data_version()
    sample(section, dt.date(2025, 1, 5), **GOOD)
    assess(section)
    assert trail.data_version() == before + 1
    assess(section)  # nothing new
    assert trail.data_version() == before + 1


@pytest.mark.parametrize(("months", "expected"), [(8, WaterClass.II), (7, None)], ids=["八个月可评", "七个月不评"])
def test_a_year_needs_eight_months(section, months, expected):
    for month in range(1, months + 1):
        sample(section, dt.date(2024, month, 5), **GOOD)
    assert assess(section, YEAR_2024).water_class == expected


@pytest.mark.parametrize(("months", "note"), [(8, ""), (7, "氨氮只有7个月数据，不足8个月"), (0, "氨氮缺测")])
def test_an_item_must_have_as_many_months_as_the_year(section, months, note):
    for month in range(1, 13):
        sample(section, dt.date(2024, month, 5), **GOOD | {"nh3n": "0.3" if month <= months else None})
    result = assess(section, YEAR_2024)
    assert (result.water_class, result.note) == (None if note else WaterClass.II, note)


def test_an_item_monitored_in_one_month_on_purpose_stands_on_that_month(section):
    """Metals are sampled once a year: the other months say so, and the class stands on all items that were due."""
    for month in range(1, 13):
        sample(section, dt.date(2024, month, 5), **{key: value for key, value in GOOD.items() if key != "cod"})
        flag = ReadingFlag.VALID if month == 6 else ReadingFlag.NOT_MONITORED
        sample(section, dt.date(2024, month, 5), flag=flag, cod="22" if month == 6 else None)
    result = assess(section, YEAR_2024)
    assert (result.water_class, result.values["cod"], result.note) == (WaterClass.IV, "22.0", "")


QUARTER = periods.quarter(dt.date(2025, 1, 1))


@pytest.mark.parametrize(
    ("months", "expected"),
    [
        pytest.param([1, 2, 3], (WaterClass.II, ""), id="三个月"),
        pytest.param([1, 3], (WaterClass.II, "不含2月"), id="两个月可评"),
        pytest.param([2], (None, "只有1个月数据，不足2个月"), id="一个月不评"),
        pytest.param([], (None, ""), id="没有数据"),
    ],
)
def test_a_quarter_needs_two_months(section, months, expected):
    for month in months:
        sample(section, dt.date(2025, month, 5), **GOOD)
    result = assess(section, QUARTER)
    assert (result.water_class, result.note) == expected


def test_january_to_a_month_says_which_months_it_does_without_and_why(section):
    sample(section, dt.date(2025, 3, 5), **GOOD)
    Interruption.objects.create(section=section, month=JANUARY, cause=Cause.FROZEN)
    result = assess(section, periods.to_date(dt.date(2025, 3, 1)))
    assert (result.water_class, result.note) == (WaterClass.II, "不含1月（结冰）、2月")


def test_a_period_says_by_which_limits_it_was_judged(section):
    assert assess(section).limits_version == limits.in_force_on(dt.date(2025, 1, 31)).version


def test_a_year_is_the_mean_of_months_not_of_readings(section):
    for month in range(1, 9):
        sample(section, dt.date(2024, month, 5), **GOOD)
    for day in (6, 7, 8):
        sample(section, dt.date(2024, 1, day), **GOOD | {"nh3n": "1.9"})
    result = assess(section, YEAR_2024)
    assert result.values["nh3n"] == "0.45"  # (1.5 + 7 × 0.3) / 8
    assert result.ends_on == dt.date(2024, 12, 31)


def test_assess_all_gives_what_assess_gives(section):
    sample(section, dt.date(2025, 1, 5), **GOOD | {"cod": "22"})
    services.assess_all(sections=[section], periods=[(MONTH, PUBLISHED)], source="手工监测")
    assert assess(section) == Assessment.objects.get()


def test_readings_of_one_section_and_of_many_are_one_query(section, django_assert_num_queries):
    from monitoring.models import Section

    many = [
        section,
        *(Section.objects.create(name=f"断面{n}", river=section.river, county=section.county, lon=1, lat=1) for n in range(20)),
    ]
    for one in many:
        sample(one, dt.date(2025, 1, 5), **GOOD)
    for sections in (many[:1], many):
        with django_assert_num_queries(1):
            months = services.months_of(sections, JANUARY, dt.date(2025, 1, 31))
        assert {pk: dict(found[JANUARY])["nh3n"] for pk, found in months.items()} == {s.pk: [D("0.3")] for s in sections}


def test_a_dry_month_of_which_all_values_are_invalid_says_that_it_was_dry(section):
    sample(section, dt.date(2025, 1, 5), flag=ReadingFlag.INVALID, **GOOD)
    Interruption.objects.create(section=section, month=JANUARY, cause=Cause.NO_FLOW)
    result = assess(section)
    assert (result.water_class, result.note) == (None, "断流")
