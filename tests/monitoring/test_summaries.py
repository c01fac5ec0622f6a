"""Rivers, the whole city and the index of counties, from section tables."""

import datetime as dt
from decimal import Decimal as D

import pytest

from monitoring import limits, periods, reports, summaries
from monitoring.enums import Change, Level, Rating, WaterBody, WaterClass
from monitoring.reports import SectionRow, SectionTable
from tests.factories import AssessmentFactory, SectionFactory

JANUARY = periods.month(dt.date(2025, 1, 1))
GOOD = {"ph": D(8), "cod": D(12), "nh3n": D("0.3")}  # Ⅱ
FAIR = GOOD | {"cod": D(26)}  # Ⅳ
FOUL = GOOD | {"cod": D(50)}  # 劣Ⅴ
CLASSES = {id(GOOD): WaterClass.II, id(FAIR): WaterClass.IV, id(FOUL): WaterClass.WORSE_THAN_V}


def section(river="甲河", values=GOOD, county="甲县", level=Level.NATIONAL, water_body=WaterBody.RIVER) -> SectionRow:
    """A row as `section_table` gives it; `values` None: not evaluated."""
    return SectionRow(
        pk=0, name="", river=river, order_along=None, county=county, county_code="", level=level, water_body=water_body, target=None,
        water_class=CLASSES.get(id(values), WaterClass.III) if values is not None else None, values=values or {}, items=tuple(values or ()),
        over_iii=("cod",) if (values or {}).get("cod", 0) > 20 else (), deciding=(), pollutants=(), over_target=(), note="",
        class_before=None, class_year_before=None, published_on=None, revision=1, source="", coord_quality="",
    )  # fmt: skip


def table(*rows: SectionRow, period=JANUARY) -> SectionTable:
    return SectionTable(period, dt.date(2025, 2, 20), rows, limits.table())


def summary(now, before=None, year_before=None, *, river="甲河") -> summaries.RiverSummary:
    return next(found for found in summaries.river_summaries(now, before, year_before) if found.name == river)


def test_each_river_once_and_the_city_last():
    found = summaries.river_summaries(table(section("甲河"), section("乙河"), section("甲河")), None, None)
    assert [(one.name, one.sections) for one in found] == [("甲河", 2), ("乙河", 1), ("全市", 3)]


def test_of_no_section_there_is_no_summary():
    assert summaries.river_summaries(table(), None, None) == []


def test_fewer_than_five_sections_are_judged_by_the_means_of_their_items():
    found = summary(table(section(), section(), section(), section(values=FOUL)))
    assert found.judgement.rating is Rating.LIGHT  # (3 × 12 + 50) / 4 = 21.5
    assert found.pollutants == ("化学需氧量(0.1)",)
    assert found.reason == "参评断面4个，按各指标断面均值评价为Ⅳ类，水质轻度污染。"


def test_five_sections_are_judged_by_share():
    found = summary(table(*[section()] * 3, *[section(values=FOUL)] * 2))
    assert found.judgement.rating is Rating.HEAVY
    assert found.pollutants == ("化学需氧量(断面超标率40.0%)",)
    assert found.reason == "参评断面5个，Ⅰ～Ⅲ类3个（60.0%），劣Ⅴ类2个（40.0%），水质重度污染。"


def test_a_pollutant_without_a_multiple_is_named_alone():
    assert summary(table(section(values={"ph": D(8), "do": D("2.5")}))).pollutants == ("溶解氧",)


def test_a_section_that_was_not_evaluated_leaves_the_denominator_and_still_counts_for_the_method():
    found = summary(table(*[section()] * 4, section(values=None)))
    assert (found.sections, found.judgement.is_by_share, found.judgement.shares.evaluated) == (5, True, 4)
    assert found.reason == "参评断面4个，Ⅰ～Ⅲ类4个（100.0%），劣Ⅴ类0个（0.0%），水质为优。"


def test_a_river_of_which_nothing_was_evaluated_says_so():
    found = summary(table(section(values=None), section("乙河")))
    assert (found.judgement.rating, found.pollutants, found.reason) == (None, (), "没有参评断面，未评价。")


def test_other_sections_take_part_where_they_have_values():
    watched, silent = section(level=Level.OTHER), section(level=Level.OTHER, values=None)
    assert summary(table(section(), watched, silent)).sections == 2
    assert summaries.river_summaries(table(silent), None, None) == []


@pytest.mark.parametrize(
    ("before", "now", "change"),
    [
        pytest.param([GOOD], [FAIR], Change.CLEARLY_WORSE, id="优到轻度，两级"),
        pytest.param([FOUL], [GOOD], Change.CLEARLY_BETTER, id="重度到优"),
        pytest.param([GOOD] * 10, [GOOD] * 9 + [FAIR], Change.NONE, id="五个以上，比例差10点"),
        pytest.param([GOOD] * 10, [GOOD] * 8 + [FAIR] * 2, Change.WORSE, id="五个以上，比例差20点"),
        pytest.param([GOOD] * 10, [GOOD] * 7 + [FAIR] * 3, Change.CLEARLY_WORSE, id="五个以上，比例差30点"),
        pytest.param([None], [GOOD], None, id="上期未评价"),
        pytest.param([], [GOOD], None, id="上期没有断面"),
    ],
)
def test_the_change_against_both_periods(before, now, change):
    earlier, later = (table(*[section(values=values) for values in sections]) for sections in (before, now))
    found = summary(later, earlier, None)
    assert (found.before, found.year_before) == (change, None)
    found = summary(later, None, earlier)
    assert (found.before, found.year_before) == (None, change)


def test_a_river_that_was_not_there_before_has_no_change_and_the_city_has():
    found = summaries.river_summaries(table(section("甲河"), section("乙河")), table(section("甲河")), None)
    assert [(one.name, one.before) for one in found] == [("甲河", Change.NONE), ("乙河", None), ("全市", Change.NONE)]


def test_lakes_and_rivers_have_no_common_mean():
    found = summary(table(section(), section(water_body=WaterBody.LAKE)))
    assert (found.judgement.rating, found.reason) == (None, "河流和湖库断面共2个，限值不同，不求均值，分别评价。")


# ── The index ────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_counties_are_ranked_by_their_index():
    ranking = summaries.index_ranking(table(section(county="甲县", values=FOUL), section(county="乙县"), section(county="甲县")))
    assert [(place.name, place.rank) for place in ranking.places] == [("乙县", 1), ("甲县", 2)]
    assert (ranking.label, ranking.places[0].index) == ("排名", D("1.4"))  # pH 0.5, COD 12/20, ammonia 0.3


def test_counties_with_different_items_are_ranked_for_reference_on_the_common_ones():
    ranking = summaries.index_ranking(table(section(county="甲县"), section(county="乙县", values=GOOD | {"f": D("0.2")})))
    assert (ranking.label, ranking.items) == ("参考排名", ("ph", "cod", "nh3n"))
    assert [place.rank for place in ranking.places] == [1, 1]


def test_a_county_without_values_has_no_rank():
    ranking = summaries.index_ranking(table(section(county="甲县", values=None), section(county="乙县")))
    assert [(place.name, place.rank, place.reason) for place in ranking.places] == [("乙县", 1, ""), ("甲县", None, "未监测")]


def test_lakes_are_held_against_their_own_limits():
    lake = section(county="甲县", values={"tp": D("0.05")}, water_body=WaterBody.LAKE)
    ranking = summaries.index_ranking(table(lake, section(county="乙县", values={"tp": D("0.1")})))
    assert [(place.name, place.index) for place in ranking.places] == [("乙县", D("0.5")), ("甲县", D(1))]


def test_without_sections_nobody_is_ranked():
    assert summaries.index_ranking(table()).places == ()


# ── From the database ────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.django_db
def test_as_many_queries_for_thirty_sections_as_for_one(django_assert_num_queries):
    for count in (1, 29):
        for _ in range(count):
            one = SectionFactory()
            for period, cod in ((JANUARY, "26.0"), (JANUARY.before, "18.0"), (JANUARY.year_before, "50.0")):
                found = {"water_class": WaterClass.IV if cod == "26.0" else WaterClass.III, "values": {"cod": cod}, "items": ["cod"]}
                AssessmentFactory(section=one, of=period, **found)
        with django_assert_num_queries(4):
            tables = reports.compared_tables(dt.date(2025, 2, 20), JANUARY)
            city = summaries.river_summaries(*tables)[-1]
            summaries.index_ranking(tables[0])
    assert (city.sections, city.judgement.rating, city.pollutants) == (30, Rating.LIGHT, ("化学需氧量(断面超标率100.0%)",))
