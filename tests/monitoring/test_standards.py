"""Rivers and basins, change, trend, means and the city index, on both sides of every edge."""

import datetime as dt
import math
from collections import Counter
from decimal import Decimal as D
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring import limits, rules
from monitoring.enums import Change, Rating, WaterBody, WaterClass
from monitoring.standards import assessment_2011_22 as assessment
from monitoring.standards import cwqi, statistics_2020_82
from monitoring.standards.trend import CRITICAL, average_ranks, critical_value, trend

TABLE = limits.table()
GOOD = {"ph": D(8), "do": D(9), "nh3n": D("0.3"), "cod": D(12)}  # Ⅱ
FAIR = GOOD | {"cod": D(28)}  # Ⅳ
FOUL = GOOD | {"cod": D(50)}  # 劣Ⅴ


# ── Limits by date ───────────────────────────────────────────────────────────────────────────────────────────────────
def test_limits_in_force_begin_on_their_first_day():
    assert limits.in_force_on(dt.date(2002, 6, 1)) is limits.table()
    with pytest.raises(LookupError, match="2002-05-31"):
        limits.in_force_on(dt.date(2002, 5, 31))


def test_a_new_edition_takes_over_on_its_day(tmp_path):
    content = limits.PATH.read_text(encoding="utf-8")
    (tmp_path / "old.csv").write_text(content, encoding="utf-8")
    (tmp_path / "new.csv").write_text(content.replace("0.15,0.5,1.0", "0.15,0.5,0.9"), encoding="utf-8")
    editions = tmp_path / "limits.csv"
    editions.write_text(
        "file,standard,in_force_from,in_force_to\nold.csv,甲,2002-06-01,2030-01-01\nnew.csv,乙,2030-01-01,\n", encoding="utf-8"
    )
    found = [limits.in_force_on(day, editions).of("nh3n").values[2] for day in (dt.date(2029, 12, 31), dt.date(2030, 1, 1))]
    assert found == [D("1.0"), D("0.9")]


# ── Against the target ───────────────────────────────────────────────────────────────────────────────────────────────
def test_over_target_is_another_figure_than_the_main_pollutants():
    values = GOOD | {"cod": D(36)}
    assert rules.judge(values, TABLE).main_pollutants == (("cod", D("0.8")),)
    assert rules.over_target(values, TABLE, WaterClass.IV) == (("cod", D("0.2")),)
    assert rules.over_target(values, TABLE, WaterClass.V) == ()
    assert rules.over_target(GOOD, TABLE, WaterClass.I) == (("nh3n", D("1.0")),)


# ── Rivers and basins ────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("good", "worse", "of", "expected"),
    [
        pytest.param(90, 0, 100, Rating.EXCELLENT, id="90%为优"),
        pytest.param(899, 0, 1000, Rating.GOOD, id="不足90%为良好"),
        pytest.param(75, 25, 100, Rating.GOOD, id="75%为良好，不问劣Ⅴ"),
        pytest.param(749, 0, 1000, Rating.LIGHT, id="不足75%为轻度"),
        pytest.param(70, 19, 100, Rating.LIGHT, id="劣Ⅴ不足20%为轻度"),
        pytest.param(70, 20, 100, Rating.MODERATE, id="劣Ⅴ到20%为中度"),
        pytest.param(50, 39, 100, Rating.MODERATE, id="劣Ⅴ不足40%为中度"),
        pytest.param(60, 40, 100, Rating.HEAVY, id="恰为60/40是重度"),
        pytest.param(3, 2, 5, Rating.HEAVY, id="五个断面的60/40"),
        pytest.param(0, 0, 0, None, id="没有参评断面"),
    ],
)
def test_rating_by_share_on_both_sides_of_every_edge(good, worse, of, expected):
    assert assessment.rating_by_share(assessment.Shares(of, good, worse)) is expected


@given(st.integers(1, 60).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n))), st.data())
def test_a_section_getting_worse_never_betters_a_basin(size, data):
    of, good = size
    worse = data.draw(st.integers(0, of - good))
    here = assessment.rating_by_share(assessment.Shares(of, good, worse))
    if good:
        assert assessment.rating_by_share(assessment.Shares(of, good - 1, worse)) >= here
    if worse < of - good:
        assert assessment.rating_by_share(assessment.Shares(of, good, worse + 1)) >= here


def test_shares_leave_out_what_was_not_evaluated():
    """147 of 179 evaluated, not of 183."""
    found = assessment.shares([WaterClass.II] * 147 + [WaterClass.IV] * 31 + [WaterClass.WORSE_THAN_V] + [None] * 4)
    assert (found.evaluated, found.good, found.worse_than_v) == (179, 147, 1)
    assert (found.good_share, found.worse_than_v_share) == (D("82.1"), D("0.6"))


def test_share_is_rounded_half_up_and_unknown_of_none():
    assert assessment.Shares(16, 13, 0).good_share == D("81.3")  # 81.25
    assert assessment.Shares(0, 0, 0).good_share is None


def test_four_sections_are_judged_by_the_means_of_their_items():
    found = rules.judge_waters([GOOD, GOOD, GOOD, FOUL], TABLE)
    assert (found.is_by_share, found.rating) == (False, Rating.LIGHT)
    assert found.by_mean.water_class is WaterClass.IV  # cod (12 × 3 + 50) / 4 = 21.5
    assert found.main_pollutants == (("cod", D("0.1")),)
    assert found.reason == "参评断面4个，按各指标断面均值评价为Ⅳ类，水质轻度污染。"


def test_five_sections_are_judged_by_share():
    found = rules.judge_waters([GOOD, GOOD, GOOD, FOUL, FOUL], TABLE)
    assert (found.is_by_share, found.rating, found.by_mean) == (True, Rating.HEAVY, None)
    assert found.main_pollutants == (("cod", D("40.0")),)
    assert found.reason == "参评断面5个，Ⅰ～Ⅲ类3个（60.0%），劣Ⅴ类2个（40.0%），水质重度污染。"


def test_all_sections_choose_the_method_and_the_evaluated_ones_are_the_denominator():
    found = rules.judge_waters([GOOD, GOOD, GOOD, None, GOOD | {"cod": None}], TABLE)
    assert (found.is_by_share, found.rating) == (True, Rating.EXCELLENT)
    assert found.shares == assessment.Shares(3, 3, 0)
    assert found.reason == "参评断面3个，Ⅰ～Ⅲ类3个（100.0%），劣Ⅴ类0个（0.0%），水质为优。"


@pytest.mark.parametrize("sections", [[], [None], [None] * 5, [{"tn": D(9)}]], ids=["没有断面", "一个断流", "五个断流", "只测总氮"])
def test_nothing_evaluated_is_no_rating(sections):
    found = rules.judge_waters(sections, TABLE)
    assert (found.rating, found.main_pollutants, found.reason) == (None, (), "没有参评断面，未评价。")


def test_a_basins_pollutants_are_ranked_by_their_sections_and_three_at_most():
    foul = {"cod": D(99), "nh3n": D(9), "tp": D(9), "codmn": D(99)}
    sections = [foul, foul, {"nh3n": D(9)}, {"nh3n": D(9), "tp": D(9)}, GOOD]
    found = rules.judge_waters(sections, TABLE).main_pollutants
    assert found == (("nh3n", D("80.0")), ("tp", D("60.0")), ("codmn", D("40.0")))


def test_lakes_together_are_judged_by_the_limits_of_lakes():
    assert rules.judge_waters([{"tp": D("0.1")}], TABLE).rating is Rating.EXCELLENT
    assert rules.judge_waters([{"tp": D("0.1")}], TABLE, WaterBody.LAKE).rating is Rating.LIGHT


def test_rivers_and_lakes_have_no_common_mean():
    waters = [rules.Water({"tp": D("0.04")}, WaterClass.II), rules.Water({"tp": D("0.04")}, WaterClass.III, (), WaterBody.LAKE)]
    found = rules.judge_together(waters, TABLE)
    assert (found.rating, found.shares.evaluated) == (None, 2)
    assert found.reason == "河流和湖库断面共2个，限值不同，不求均值，分别评价。"


def test_rivers_and_lakes_share_a_rating_when_they_are_five():
    found = rules.judge_together([rules.Water({}, WaterClass.II)] * 4 + [rules.Water({}, WaterClass.IV, ("tp",), WaterBody.LAKE)], TABLE)
    assert (found.rating, found.main_pollutants) == (Rating.GOOD, (("tp", D("20.0")),))


def test_classes_without_values_have_no_mean():
    found = rules.judge_together([rules.Water({}, WaterClass.II)], TABLE)
    assert (found.rating, found.reason) == (None, "参评断面1个，只有类别、没有浓度，不能求均值，未评价。")


# ── Change ───────────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (Rating.EXCELLENT, Rating.EXCELLENT, Change.NONE),
        (Rating.GOOD, Rating.EXCELLENT, Change.BETTER),
        (Rating.GOOD, Rating.LIGHT, Change.WORSE),
        (Rating.LIGHT, Rating.EXCELLENT, Change.CLEARLY_BETTER),
        (Rating.EXCELLENT, Rating.HEAVY, Change.CLEARLY_WORSE),
        (None, Rating.GOOD, None),
        (Rating.GOOD, None, None),
    ],
)
def test_change_by_rating(before, after, expected):
    assert assessment.change_by_rating(before, after) is expected


def test_from_one_to_two_is_no_change():
    assert assessment.change_by_rating(rules.rating(WaterClass.I), rules.rating(WaterClass.II)) is Change.NONE


@pytest.mark.parametrize(
    ("good", "worse", "expected"),
    [
        pytest.param(60, 10, Change.NONE, id="好10点无明显变化"),
        pytest.param(61, 10, Change.BETTER, id="好11点有所好转"),
        pytest.param(60, 0, Change.BETTER, id="好10点、劣Ⅴ少10点，计20点，有所好转"),
        pytest.param(61, 0, Change.CLEARLY_BETTER, id="21点明显好转"),
        pytest.param(40, 10, Change.NONE, id="差10点无明显变化"),
        pytest.param(39, 10, Change.WORSE, id="差11点有所变差"),
        pytest.param(39, 20, Change.CLEARLY_WORSE, id="差21点明显变差"),
        pytest.param(60, 20, Change.NONE, id="好劣相抵"),
    ],
)
def test_change_by_share_from_half_good_and_a_tenth_foul(good, worse, expected):
    assert assessment.change_by_share(assessment.Shares(100, 50, 10), assessment.Shares(100, good, worse)) is expected


def test_change_by_share_is_exact_and_unknown_of_nothing():
    before, after = assessment.Shares(30, 10, 0), assessment.Shares(30, 13, 0)  # exactly 10 points
    assert assessment.change_by_share(before, after) is Change.NONE
    assert assessment.change_by_share(before, assessment.Shares(0, 0, 0)) is None


def test_of_both_changes_the_larger_is_taken():
    before = rules.judge_waters([GOOD] * 3 + [FOUL] * 2, TABLE)  # 重度, 60 - 40
    after = rules.judge_waters([GOOD] * 3 + [FAIR] * 2, TABLE)  # 轻度: two steps; 60 - 0: 40 points
    assert rules.change(before, after) is Change.CLEARLY_BETTER
    slight = rules.judge_waters([GOOD] * 9 + [FAIR], TABLE), rules.judge_waters([GOOD] * 8 + [FAIR] * 2, TABLE)
    assert rules.change(*slight) is Change.WORSE  # one step of rating, 10 points only
    assert rules.change(rules.judge_waters([GOOD], TABLE), rules.judge_waters([FOUL], TABLE)) is Change.CLEARLY_WORSE
    assert rules.change(before, rules.judge_waters([None], TABLE)) is None


# ── Means ────────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_months_count_once_whatever_their_readings():
    assert statistics_2020_82.mean_of_months("cod", [[D(10), D(20), D(30)], [D(40)]]) == D(30)


def test_a_month_of_missing_values_leaves_the_mean():
    assert statistics_2020_82.mean_of_months("cod", [[D(10)], [None, None]]) == D(10)
    assert statistics_2020_82.mean_of_months("cod", [[None]]) is None


# ── Trend ────────────────────────────────────────────────────────────────────────────────────────────────────────────
def series(*values):
    return [None if value is None else D(str(value)) for value in values]


def test_a_steady_rise_and_fall():
    assert (trend(series(1, 2, 3, 4, 5)).direction, trend(series(1, 2, 3, 4, 5)).coefficient) == (1, 1.0)
    assert trend(series(5, 4, 3, 2, 1)).direction == -1
    assert trend(series(5, 4, 3, 2, 1)).reason == "5期秩相关系数-1.000，临界值0.900，呈显著下降趋势。"


def test_four_periods_are_too_few_and_absent_ones_do_not_count():
    assert trend(series(1, 2, 3, 4)).direction is None
    found = trend(series(1, None, 2, 3, 4))
    assert (found.periods, found.direction, found.reason) == (4, None, "只有4期数据，不足5期，不作趋势分析。")


def test_the_coefficient_is_the_published_one_without_ties():
    """1 - 6Σd²/(n³-n) with Σd² = 2: 0.9, which reaches the critical value of five and does not exceed it."""
    found = trend(series(1, 2, 3, 5, 4))
    assert found.coefficient == pytest.approx(0.9)
    assert found.direction == 0


def test_a_coefficient_that_reads_as_the_critical_value_does_not_exceed_it():
    """Seven periods, Σd² = 16: 0.7143 beside a table of three decimals, 0.714."""
    found = trend(series(2, 1, 3, 7, 4, 6, 5))
    assert found.coefficient == pytest.approx(5 / 7)
    assert (found.direction, found.reason) == (0, "7期秩相关系数0.714，临界值0.714，无显著变化趋势。")


@pytest.mark.parametrize("periods", [5, 6, 7])
def test_critical_values_are_those_of_the_exact_distribution(periods):
    """The smallest coefficient that one in twenty series without a trend reaches at most, counted over all orders."""
    times = range(periods)
    sums = Counter(sum((t - rank) ** 2 for t, rank in zip(times, order, strict=True)) for order in permutations(times))
    reached, least = 0, None
    for total in sorted(sums):
        reached += sums[total]
        if reached * 20 > math.factorial(periods):
            break
        least = 1 - D(6 * total) / (periods**3 - periods)
    assert round(least, 3) == critical_value(periods)


def test_equal_values_share_the_average_of_their_ranks():
    assert average_ranks(series(3, 1, 3, 2)) == [D("3.5"), 1, D("3.5"), 2]
    found = trend(series(1, 2, 2, 3, 4, 5))
    assert found.coefficient == pytest.approx(0.9856107606)
    assert found.direction == 1


def test_a_constant_series_has_no_trend():
    found = trend(series(2, 2, 2, 2, 2))
    assert (found.coefficient, found.direction) == (None, 0)


@pytest.mark.parametrize(
    ("periods", "expected"), [(5, ".900"), (6, ".829"), (10, ".564"), (11, ".564"), (12, ".506"), (13, ".506"), (60, ".306")]
)
def test_critical_value_of_a_number_outside_the_table_is_the_stricter_one(periods, expected):
    assert critical_value(periods) == D(expected)


def test_critical_values_only_fall():
    assert sorted(CRITICAL.values(), reverse=True) == list(CRITICAL.values())


@given(st.lists(st.decimals(0, 100, places=2), min_size=5, max_size=30))
def test_a_series_read_backwards_has_the_opposite_trend(values):
    forwards, backwards = trend(values), trend(values[::-1])
    assert backwards.direction == -forwards.direction
    assert forwards.coefficient is None or -1.0000001 <= forwards.coefficient <= 1.0000001


# ── City index ───────────────────────────────────────────────────────────────────────────────────────────────────────
def unit(name, *rivers, lakes=()):
    return cwqi.RankedUnit(name, {WaterBody.RIVER: rivers, WaterBody.LAKE: lakes})


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("cod", "20", 1),
        ("cod", "10", "0.5"),
        ("do", "5", 1),
        ("do", "10", "0.5"),
        ("ph", "7", 0),
        ("ph", "6", 1),
        ("ph", "9", 1),
        ("ph", "8", "0.5"),
    ],
)
def test_index_of_an_item_is_one_at_class_three(key, value, expected):
    assert cwqi.item_index(TABLE.of(key), D(value)) == D(expected)


def test_items_are_averaged_over_the_sections_before_the_index():
    """Oxygen 5 and 10: 5 / 7.5, not the mean of 1 and 0.5."""
    assert cwqi.index(unit("甲", {"do": D(5)}, {"do": D(10)}), TABLE, ["do"]) == pytest.approx(D(5) / D("7.5"))


def test_rivers_and_lakes_are_weighted_by_their_sections():
    one = unit("甲", {"tp": D("0.2")}, {"tp": D("0.2")}, {"tp": D("0.2")}, lakes=[{"tp": D("0.1")}])
    assert cwqi.index(one, TABLE, ["tp"]) == D("1.25")  # (1 × 3 + 2 × 1) / 4


def test_smaller_is_better_and_ties_share_a_rank():
    ranking = cwqi.rank(
        [unit("甲", {"cod": D(20)}), unit("乙", {"cod": D(10)}), unit("丙", {"cod": D(20)}), unit("丁", {"cod": D(30)})], TABLE
    )
    assert [(place.name, place.rank) for place in ranking.places] == [("乙", 1), ("甲", 2), ("丙", 2), ("丁", 4)]
    assert (ranking.label, ranking.items, ranking.reason) == ("排名", ("cod",), "按1项（化学需氧量）排名。")


def test_different_items_make_a_reference_ranking_on_the_common_ones():
    ranking = cwqi.rank([unit("甲", {"cod": D(20), "f": D(9)}), unit("乙", {"cod": D(30), "tn": D(9)})], TABLE)
    assert [(place.name, place.rank) for place in ranking.places] == [("甲", 1), ("乙", 2)]
    assert (ranking.label, ranking.items) == ("参考排名", ("cod",))
    assert ranking.reason == "监测指标不同，只按共同的1项（化学需氧量）作参考排名。"


def test_without_a_common_item_nobody_is_ranked():
    ranking = cwqi.rank([unit("甲", {"cod": D(20)}), unit("乙", {"f": D(1)})], TABLE)
    assert [place.rank for place in ranking.places] == [None, None]
    assert ranking.reason == "各单位没有共同的监测指标，不排名。"


def test_a_unit_without_measurements_and_one_without_oxygen_have_no_rank():
    ranking = cwqi.rank([unit("甲"), unit("乙", {"do": D(0)}), unit("丙", {"do": D(8)})], TABLE)
    assert [(place.name, place.rank, place.reason) for place in ranking.places] == [
        ("丙", 1, ""),
        ("甲", None, "未监测"),
        ("乙", None, "没有共同指标或溶解氧为零，不能计算指数"),
    ]


def test_no_unit_at_all_is_no_ranking():
    ranking = cwqi.rank([], TABLE)
    assert (ranking.places, ranking.is_reference, ranking.reason) == ((), False, "各单位没有共同的监测指标，不排名。")


def test_a_missing_value_leaves_its_section_out_of_the_mean_of_the_item():
    assert cwqi.index(unit("甲", {"cod": D(20)}, {"cod": None}), TABLE, ["cod"]) == 1


def test_an_item_that_only_the_rivers_have_is_not_compared():
    both = unit("甲", {"cod": D(20), "tp": D("0.2")}, lakes=[{"cod": D(20)}])
    assert cwqi.items_of(both, TABLE) == {"cod"}
