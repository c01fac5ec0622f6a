"""The table of sections in a period: what stands on a day, what it is compared with, what is below it."""

import datetime as dt
from decimal import Decimal as D

import pytest

from monitoring import limits, periods, reports
from monitoring.enums import Cause, Change, Level, Rating, WaterBody, WaterClass
from monitoring.models import Interruption, SectionTarget
from tests.factories import AssessmentFactory, RiverFactory, SectionFactory

pytestmark = pytest.mark.django_db

JANUARY = periods.month(dt.date(2025, 1, 1))
TODAY = dt.date(2025, 2, 20)
I, II, III, IV, V, WORSE = WaterClass  # noqa: E741 - the standard's own name


def assessed(section, water_class, period=JANUARY, **more):
    return AssessmentFactory(section=section, of=period, water_class=water_class, **more)


def row_of(section, period=JANUARY, day=TODAY) -> reports.SectionRow:
    return next(row for row in reports.section_table(day, period).rows if row.pk == section.pk)


# ── One row ──────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_a_row_says_all_that_is_published_of_a_section():
    section = SectionFactory(name="下河桥", river=RiverFactory(name="大河"), x_items=["cod"])
    SectionTarget.objects.create(section=section, year=2025, water_class=III)
    SectionTarget.objects.create(section=section, year=2024, water_class=V)
    assessed(
        section,
        V,
        values={"ph": "8", "do": "9.1", "codmn": "6.4", "nh3n": "1.80", "tp": "0.150", "cod": "24.0"},
        items=["ph", "do", "codmn", "cod", "nh3n", "tp"],
        deciding_items=["nh3n"],
        main_pollutants=[["nh3n", "0.8"], ["cod", "0.2"], ["codmn", "0.1"]],
    )
    row = row_of(section)
    assert (row.name, row.river, row.level, row.water_body) == ("下河桥", "大河", Level.NATIONAL, WaterBody.RIVER)
    assert (row.water_class, row.rating, row.target, row.meets_target) == (V, Rating.MODERATE, III, False)
    assert row.values["nh3n"] == D("1.80")
    assert row.deciding == ("氨氮",)
    assert list(map(str, row.pollutants)) == ["氨氮(0.8)", "化学需氧量(0.2)", "高锰酸盐指数(0.1)"]
    assert row.over_iii == ("codmn", "cod", "nh3n")
    assert list(map(str, row.over_target)) == list(map(str, row.pollutants))
    assert (row.note, row.revision, row.published_on) == ("", 1, dt.date(2025, 2, 10))


def test_over_the_target_is_another_figure_than_over_three():
    section = SectionFactory()
    SectionTarget.objects.create(section=section, year=2025, water_class=II)
    values = {"cod": "24.0", "nh3n": "0.80", "do": "5.5"}
    assessed(section, IV, values=values, items=list(values), main_pollutants=[["cod", "0.2"]])
    row = row_of(section)
    assert list(map(str, row.pollutants)) == ["化学需氧量(0.2)"]
    assert list(map(str, row.over_target)) == ["化学需氧量(0.6)", "氨氮(0.6)", "溶解氧"]  # against 15, 0.5 and 6


@pytest.mark.parametrize(("target", "met"), [(IV, True), (V, True), (III, False), (None, None)])
def test_what_meets_its_target_is_over_nothing(target, met):
    section = SectionFactory()
    if target:
        SectionTarget.objects.create(section=section, year=2025, water_class=target)
    assessed(section, IV, values={"cod": "24.0"}, items=["cod"])
    row = row_of(section)
    assert row.meets_target is met
    assert bool(row.over_target) is (met is False)


def test_a_lake_is_held_against_the_limits_of_lakes():
    section = SectionFactory(water_body=WaterBody.LAKE)
    SectionTarget.objects.create(section=section, year=2025, water_class=III)
    assessed(section, IV, values={"tp": "0.100"}, items=["tp"])
    row = row_of(section)
    assert row.over_iii == ("tp",)
    assert list(map(str, row.over_target)) == ["总磷(1.0)"]


@pytest.mark.parametrize(
    ("kept", "cause", "note"),
    [
        pytest.param(None, None, "未监测", id="什么都不知道"),
        pytest.param(None, Cause.FROZEN, "结冰", id="只知道没采样"),
        pytest.param("断流", None, "断流", id="评价时已说明"),
        pytest.param("氨氮缺测", None, "氨氮缺测", id="缺测"),
    ],
)
def test_a_section_without_a_class_says_why(kept, cause, note):
    section = SectionFactory()
    SectionTarget.objects.create(section=section, year=2025, water_class=III)
    if kept is not None:
        assessed(section, None, note=kept)
    if cause:
        Interruption.objects.create(section=section, month=dt.date(2025, 1, 1), cause=cause)
    row = row_of(section)
    assert (row.water_class, row.is_evaluated, row.meets_target, row.rating, row.note) == (None, False, None, None, note)
    assert (row.over_iii, row.over_target, row.month_on_month) == ((), (), None)


# ── As of a day ──────────────────────────────────────────────────────────────────────────────────────────────────────
def test_a_correction_counts_from_its_publication_on():
    section = SectionFactory()
    assessed(section, IV, published_on=dt.date(2025, 2, 10))
    assessed(section, III, published_on=dt.date(2025, 2, 15), revision=2)
    found = {day: row_of(section, day=dt.date(2025, 2, day)) for day in (9, 10, 14, 15, 20)}
    assert {day: (row.water_class, row.revision) for day, row in found.items()} == {
        9: (None, None), 10: (IV, 1), 14: (IV, 1), 15: (III, 2), 20: (III, 2),
    }  # fmt: skip
    assert found[9].note == "未监测"


def test_the_class_before_is_that_which_stands_on_the_day_too():
    section = SectionFactory()
    december = JANUARY.before
    assessed(section, V, december, published_on=dt.date(2025, 1, 10))
    assessed(section, III, december, published_on=dt.date(2025, 2, 15), revision=2)
    assessed(section, III)
    assert row_of(section, day=dt.date(2025, 2, 14)).month_on_month is Change.CLEARLY_BETTER
    assert row_of(section, day=dt.date(2025, 2, 15)).month_on_month is Change.NONE


def test_only_sections_in_force_at_the_periods_end_are_listed():
    ended = SectionFactory(name="旧断面", in_force_to=dt.date(2025, 1, 31))
    begun = SectionFactory(name="新断面", in_force_from=dt.date(2025, 1, 31))
    SectionFactory(name="将来的断面", in_force_from=dt.date(2025, 2, 1))
    assert [row.pk for row in reports.section_table(TODAY, JANUARY).rows] == [begun.pk]
    assert [row.pk for row in reports.section_table(TODAY, JANUARY.before).rows] == [ended.pk]


# ── Compared ─────────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("before", "now", "change"),
    [
        (I, II, Change.NONE), (II, I, Change.NONE), (II, III, Change.WORSE), (IV, III, Change.BETTER),
        (WORSE, IV, Change.CLEARLY_BETTER), (II, IV, Change.CLEARLY_WORSE), (None, III, None), (III, None, None),
    ],
)  # fmt: skip
def test_month_on_month_and_year_on_year(before, now, change):
    monthly, yearly = SectionFactory(), SectionFactory()
    assessed(monthly, before, JANUARY.before)
    assessed(yearly, before, JANUARY.year_before)
    for section in (monthly, yearly):
        assessed(section, now)
    assert (row_of(monthly).month_on_month, row_of(monthly).year_on_year) == (change, None)
    assert (row_of(yearly).month_on_month, row_of(yearly).year_on_year) == (None, change)


@pytest.mark.parametrize(
    ("text", "before", "year_before"),
    [
        ("2025-01", "2024-12", "2024-01"),
        ("2024-Q1", "2023-Q4", "2023-Q1"),
        ("2024-01..02", None, "2023-01..02"),
        ("2024", "2023", "2023"),
    ],
)
def test_every_kind_of_period_is_compared_with_its_own_kind(text, before, year_before):
    section = SectionFactory()
    classes = {text: III, before: IV, year_before: II} if before != year_before else {text: III, before: II}
    for period, found in classes.items():
        if period:
            assessed(section, found, periods.read(period))
    for other in {"2024-12", "2024-01", "2023-12", "2023-Q1", "2023-01", "2023-02", "2023-01..02", "2023"} - set(classes):
        assessed(section, WORSE, periods.read(other))
    row = row_of(section, periods.read(text))
    assert (row.water_class, row.class_before, row.class_year_before) == (III, classes[before] if before else None, II)


# ── Below the table ──────────────────────────────────────────────────────────────────────────────────────────────────
def test_shares_are_of_the_evaluated_and_the_total_of_all():
    national = [SectionFactory() for _ in range(5)]
    for section, found in zip(national, [I, III, IV, WORSE, None], strict=True):
        SectionTarget.objects.create(section=section, year=2025, water_class=III)
        assessed(section, found)
    assessed(national[4], II, JANUARY.before)
    (line,) = reports.section_table(TODAY, JANUARY).lines()
    assert (line.label, line.total) == ("国考断面", 5)
    assert (line.now.evaluated, line.now.good, line.now.worse_than_v, line.now.good_share) == (4, 2, 1, D("50.0"))
    assert (line.before.evaluated, line.before.good_share, line.year_before.good_share) == (1, D("100.0"), None)
    assert (line.met, line.with_target) == (2, 4)


def test_each_level_has_a_line_and_all_together_the_last():
    assessed(SectionFactory(level=Level.OTHER), IV)
    assessed(SectionFactory(), II)
    table = reports.section_table(TODAY, JANUARY)
    assert [(line.label, line.total, line.now.good) for line in table.lines()] == [
        ("国考断面", 1, 1), ("其他断面", 1, 0), ("全部断面", 2, 1),
    ]  # fmt: skip
    assert [row.level for row in table.rows] == [Level.NATIONAL, Level.OTHER]
    assert [row.water_class for row in table.of_level(Level.OTHER)] == [IV]


def test_without_a_section_there_is_no_line():
    assert reports.section_table(TODAY, JANUARY).lines() == []


def test_rows_go_by_level_river_and_from_its_source():
    a, b = RiverFactory(name="甲河"), RiverFactory(name="乙河")
    SectionFactory(name="尾", river=a, order_along=90)
    SectionFactory(name="首", river=a, order_along=0)
    SectionFactory(name="不知何处", river=a)
    SectionFactory(name="别河", river=b, order_along=5)
    SectionFactory(name="其他", river=b, order_along=1, level=Level.OTHER)
    assert [row.name for row in reports.section_table(TODAY, JANUARY).rows] == ["别河", "首", "尾", "不知何处", "其他"]


# ── Several at once, and what there is ───────────────────────────────────────────────────────────────────────────────
def test_tables_of_several_periods_are_the_tables_one_by_one():
    section = SectionFactory()
    for number, found in enumerate([III, IV, None, II], 1):
        assessed(section, found, periods.month(dt.date(2024, number, 1)))
    asked = [periods.month(dt.date(2024, number, 1)) for number in (4, 1, 3, 2)]
    assert reports.section_tables(TODAY, asked) == [reports.section_table(TODAY, period) for period in asked]
    assert reports.section_tables(TODAY, []) == []


def test_compared_tables_are_those_of_the_period_the_one_before_and_the_year_before():
    assessed(SectionFactory(), III)
    found = reports.compared_tables(TODAY, JANUARY)
    assert [table.period for table in found] == [JANUARY, JANUARY.before, JANUARY.year_before]
    to_date = periods.read("2025-01..02")
    now, before, year_before = reports.compared_tables(dt.date(2025, 3, 20), to_date)
    assert (now.period, before, year_before.period) == (to_date, None, to_date.year_before)


def test_as_many_queries_for_thirty_sections_as_for_one(django_assert_num_queries):
    def grow(count):
        for _ in range(count):
            section = SectionFactory()
            SectionTarget.objects.create(section=section, year=2025, water_class=III)
            assessed(section, IV, values={"cod": "24.0"}, items=["cod"])
            assessed(section, None, JANUARY.before, note="断流")

    for count in (1, 29):
        grow(count)
        with django_assert_num_queries(4):
            table = reports.section_table(TODAY, JANUARY)
            assert table.lines()[0].now.evaluated == len(table.rows)
    assert len(table.rows) == 30
    with django_assert_num_queries(4):
        reports.compared_tables(TODAY, JANUARY)


def test_the_latest_month_is_the_last_that_was_published():
    section = SectionFactory()
    assert reports.latest_month(TODAY) is None
    assessed(section, III, JANUARY.before)
    assessed(section, III)
    assessed(SectionFactory(level=Level.OTHER), II, periods.month(dt.date(2025, 2, 1)))
    assert reports.latest_month(dt.date(2025, 2, 9)) == dt.date(2024, 12, 1)
    assert reports.latest_month(dt.date(2025, 3, 20)) == dt.date(2025, 1, 1)


def test_published_periods_come_once_each_the_last_first():
    for section in (SectionFactory(), SectionFactory()):
        for text in ("2024", "2024-Q4", "2024-12", "2025-01"):
            assessed(section, III, periods.read(text))
    assert list(map(str, reports.published_periods(TODAY))) == ["2025-01", "2024-12", "2024-Q4", "2024"]
    assert reports.published_periods(dt.date(2024, 12, 31)) == []


def test_a_table_carries_the_limits_it_was_judged_by():
    assert reports.section_table(TODAY, JANUARY).limits is limits.in_force_on(JANUARY.ends_on)
