"""Upstream and downstream on a small tree of rivers, and the comparison before and after on both sides of each limit."""

import datetime as dt
from decimal import Decimal

import numpy as np
import pytest
import shapely

from linfen_water.dates import add_months
from monitoring import limits
from monitoring.enums import Change, WaterClass
from projects import water_rules
from projects.water_rules import Dates, Place, Reach, River, Station, Way, compare, next_below, places, reaches, way_down

# 干流 100 km; 上支 (20 km) joins it at km 30, 上支's 小溪 (8 km) joins that at km 15; 下支 at km 70; 外河 beyond the map.
TREE = [
    River("干流", None, None, 100.0),
    River("上支", "干流", 30.0, 20.0),
    River("小溪", "上支", 15.0, 8.0),
    River("下支", "干流", 70.0, 40.0),
    River("外河", "干流", None, 50.0),
]


# ── the rivers above a section ──


@pytest.mark.parametrize(
    ("km", "expected"),
    [
        pytest.param(29.9, {"干流"}, id="支流在断面下游汇入"),
        pytest.param(30.0, {"干流", "上支", "小溪"}, id="恰在断面处汇入算上游"),
        pytest.param(30.1, {"干流", "上支", "小溪"}, id="支流在断面上游汇入"),
        pytest.param(100.0, {"干流", "上支", "小溪", "下支"}, id="图外汇入的不算"),
    ],
)
def test_a_tributary_is_upstream_when_its_mouth_is(km, expected):
    assert set(reaches(TREE, "干流", km)) == expected


def test_a_section_on_a_tributary_has_nothing_of_the_main_river():
    assert reaches(TREE, "上支", 14.9) == {"上支": Reach(14.9, 0.0)}
    assert reaches(TREE, "上支", 18.0) == {"上支": Reach(18.0, 0.0), "小溪": Reach(8.0, 3.0)}


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        pytest.param(Place("干流", 50.0, 0), Way(0.0), id="就在断面"),
        pytest.param(Place("干流", 50.1, 0), None, id="断面下游"),
        pytest.param(Place("干流", 12.5, 0), Way(37.5), id="同一河流上游"),
        pytest.param(Place("上支", 20.0, 0), Way(20.0), id="支流河口"),
        pytest.param(Place("小溪", 1.0, 0), Way(32.0), id="支流的支流：7+5+20"),
        pytest.param(Place("下支", 1.0, 0), None, id="下游支流"),
        pytest.param(Place("别河", 1.0, 0), None, id="不相干的河"),
        pytest.param(None, None, id="不在河边"),
    ],
)
def test_the_way_down_to_a_section_at_km_50(place, expected):
    assert way_down(place, reaches(TREE, "干流", 50.0)) == expected


def test_a_river_without_a_line_between_leaves_the_way_unknown():
    rivers = [River("干流", None, None, 100.0), River("无线", "干流", 30.0, None), River("小溪", "无线", 15.0, 8.0)]
    found = reaches(rivers, "干流", 50.0)
    assert way_down(Place("小溪", 1.0, 0), found) == Way(None)
    assert next_below(Place("小溪", 1.0, 0), rivers, [Station(1, "干流", 40.0)]) == (1, Way(None))


def test_rivers_that_flow_into_each_other_come_to_an_end():
    ring = [River("甲", "乙", 5.0, 10.0), River("乙", "甲", 5.0, 10.0)]
    assert set(reaches(ring, "甲", 10.0)) == {"甲", "乙"}
    assert next_below(Place("甲", 1.0, 0), ring, []) is None


# ── the next section below ──


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        pytest.param(Place("干流", 40.0, 0), (1, Way(0.0)), id="就在断面"),
        pytest.param(Place("干流", 40.1, 0), (2, Way(49.9)), id="过了第一个断面"),
        pytest.param(Place("干流", 90.1, 0), None, id="最后一个断面以下"),
        pytest.param(Place("小溪", 1.0, 0), (3, Way(9.0)), id="先过支流上的断面"),
        pytest.param(Place("上支", 17.5, 0), (1, Way(12.5)), id="支流汇入后"),
        pytest.param(Place("外河", 1.0, 0), None, id="图外汇入"),
        pytest.param(Place("别河", 1.0, 0), None, id="没有的河"),
    ],
)
def test_the_next_station_below(place, expected):
    stations = [Station(2, "干流", 90.0), Station(1, "干流", 40.0), Station(3, "上支", 17.0)]
    assert next_below(place, TREE, stations) == expected


# ── points and lines ──


def test_points_lie_on_the_nearest_line_within_the_limit():
    lines = {"东西": shapely.LineString([(0, 0), (10, 0)]), "南北": shapely.LineString([(10, 20), (10, 0)])}
    points = np.array([[3.0, 5.0], [3.0, 5.01], [9.9, 7.0], [-4.0, 3.0], [10.0, 0.0]])
    assert places(lines, points) == [
        Place("东西", 3.0, 5.0),
        None,
        Place("南北", 13.0, 0.1),
        Place("东西", 0.0, 5.0),
        Place("东西", 10.0, 0.0),  # the confluence: the first line counts
    ]


def test_without_lines_nothing_lies_by_a_river():
    assert places({}, np.array([[1.0, 1.0]])) == [None]
    assert places({"东西": shapely.LineString([(0, 0), (1, 0)])}, np.empty((0, 2))) == []


# ── before and after ──

TABLE = limits.table()
FIVE = limits.FIVE
GOOD = {"ph": "8.0", "do": "8.0", "codmn": "4.0", "nh3n": "0.50", "tp": "0.100"}
BAD = GOOD | {"nh3n": "1.20"}
START, FINISH = dt.date(2023, 7, 15), dt.date(2024, 1, 31)


def of(values):
    return {key: Decimal(value) for key, value in values.items()}


def run(first, values, count):
    return {add_months(first, n): of(values) for n in range(count)}


def test_the_months_of_start_and_finish_belong_to_neither_side():
    assert (water_rules.months_before(START)[0], water_rules.months_before(START)[-1]) == (dt.date(2022, 7, 1), dt.date(2023, 6, 1))
    assert (water_rules.months_after(FINISH)[0], water_rules.months_after(FINISH)[-1]) == (dt.date(2024, 2, 1), dt.date(2025, 1, 1))
    assert water_rules.window(START, FINISH) == (dt.date(2022, 7, 1), dt.date(2025, 1, 31))


def test_twelve_months_each_way_are_compared():
    means = run(dt.date(2022, 7, 1), BAD, 12) | run(dt.date(2024, 2, 1), GOOD, 12)
    found = compare(START, FINISH, means, FIVE, TABLE)
    assert (found.class_before, found.class_after, found.change) == (WaterClass.IV, WaterClass.II, Change.CLEARLY_BETTER)
    assert found.sentence == (
        "开工前（2022年7月—2023年6月）与完工后（2024年2月—2025年1月）的12个相同月份相比，按共有5项指标的均值评价，"
        "由Ⅳ类（轻度污染）到Ⅱ类（优），明显好转。"
    )
    ammonia = next(item for item in found.items if item.key == "nh3n")
    assert (ammonia.before, ammonia.after, ammonia.percent, ammonia.pairs) == (Decimal("1.20"), Decimal("0.50"), Decimal("-58.3"), 12)
    assert next(item for item in found.items if item.key == "ph").percent is None


@pytest.mark.parametrize(("months", "is_refused"), [(5, True), (6, False), (7, False)])
def test_six_equal_months_are_the_least(months, is_refused):
    means = run(dt.date(2022, 7, 1), BAD, 12) | run(dt.date(2024, 2, 1), GOOD, months)
    found = compare(START, FINISH, means, FIVE, TABLE)
    assert found.is_refused is is_refused
    assert ("相同月份5对，不足6对（建议值）" in found.sentence) is is_refused


def test_only_equal_months_count_so_that_seasons_are_comparable():
    """Before: ammonia high in winter, low in summer; after: the same, but winter is not measured yet. No change is seen."""
    before = {m: of(GOOD | {"nh3n": "3.0" if m.month in (11, 12, 1, 2, 3, 4) else "0.4"}) for m in water_rules.months_before(START)}
    after = {m: of(GOOD | {"nh3n": "0.4"}) for m in water_rules.months_after(FINISH) if 5 <= m.month <= 10}
    found = compare(START, FINISH, before | after, FIVE, TABLE)
    assert [month.month for month in found.before] == [7, 8, 9, 10, 5, 6]
    assert (found.class_before, found.class_after, found.change) == (WaterClass.II, WaterClass.II, Change.NONE)


def test_the_months_under_construction_do_not_count():
    worst = {add_months(START, n): of(GOOD | {"nh3n": "9"}) for n in range(7)}  # July 2023 to January 2024
    means = run(dt.date(2022, 7, 1), GOOD, 12) | worst | run(dt.date(2024, 2, 1), GOOD, 12)
    assert compare(START, FINISH, means, FIVE, TABLE).change == Change.NONE


@pytest.mark.parametrize(
    ("started_on", "completed_on"), [pytest.param(None, None, id="未开工"), pytest.param(START, None, id="未完工")]
)  # fmt: skip
def test_an_unfinished_work_is_not_compared(started_on, completed_on):
    found = compare(started_on, completed_on, run(dt.date(2022, 1, 1), GOOD, 36), FIVE, TABLE)
    assert (found.is_refused, found.sentence) == (True, "尚未完工，不作前后对比。")


def test_different_items_are_compared_on_the_common_ones_and_told():
    before = run(dt.date(2022, 7, 1), GOOD | {"f": "2.0"}, 12)  # an X item of then: alone it would be 劣Ⅴ
    after = run(dt.date(2024, 2, 1), GOOD | {"cod": "50"}, 12)
    found = compare(START, FINISH, before | after, (*FIVE, "cod"), TABLE)
    assert [item.key for item in found.items] == [key for key in TABLE.order if key in FIVE]
    assert (found.class_before, found.class_after) == (WaterClass.II, WaterClass.II)
    assert found.caveats == ("化学需氧量只有完工后的数据；氟化物只有开工前的数据：只比较共有的指标。",)


@pytest.mark.parametrize(("months", "keys"), [(5, 4), (6, 5)])
def test_an_item_needs_its_own_six_pairs(months, keys):
    before = run(dt.date(2022, 7, 1), GOOD, 12)
    after = run(dt.date(2024, 2, 1), {k: v for k, v in GOOD.items() if k != "tp"}, 12)
    for month in list(after)[:months]:
        after[month] |= {"tp": Decimal("0.1")}
    found = compare(START, FINISH, before | after, FIVE, TABLE)
    assert len(found.items) == keys
    assert [caveat for caveat in found.caveats if "总磷" in caveat] == (
        ["总磷的相同月份不足6对（建议值）：只比较共有的指标。"] if keys == 4 else []
    )


def test_without_one_common_item_there_is_no_comparison():
    means = run(dt.date(2022, 7, 1), {"tp": "0.1"}, 12) | run(dt.date(2024, 2, 1), {"do": "8"}, 12)
    found = compare(START, FINISH, means, FIVE, TABLE)
    assert found.is_refused
    assert "溶解氧只有完工后的数据；总磷只有开工前的数据" in found.sentence


def test_ph_is_averaged_by_its_hydrogen_ions():
    before = {m: of(GOOD | {"ph": "6.0" if m.month % 2 else "8.0"}) for m in water_rules.months_before(START)}
    found = compare(START, FINISH, before | run(dt.date(2024, 2, 1), GOOD, 12), FIVE, TABLE)
    assert next(item for item in found.items if item.key == "ph").before == 6  # not 7, the mean of the figures


def test_a_value_at_the_limit_still_meets_it():
    at, over = ({**GOOD, "nh3n": value} for value in ("1.00", "1.02"))
    found = compare(START, FINISH, run(dt.date(2022, 7, 1), at, 12) | run(dt.date(2024, 2, 1), over, 12), FIVE, TABLE)
    assert (found.class_before, found.class_after, found.change) == (WaterClass.III, WaterClass.IV, Change.WORSE)


def test_a_trend_before_the_start_is_told_and_with_four_months_is_not():
    falling = {m: of(GOOD | {"nh3n": str(2 - n / 10)}) for n, m in enumerate(water_rules.months_before(START))}
    means = falling | run(dt.date(2024, 2, 1), GOOD, 12)
    ammonia = next(item for item in compare(START, FINISH, means, FIVE, TABLE).items if item.key == "nh3n")
    assert (ammonia.trend_before.direction, ammonia.trend_after.direction) == (-1, 0)
    few = {month: values for month, values in means.items() if month < START or month.month in (2, 3, 4, 5)}
    ammonia = next(item for item in compare(START, FINISH, few, FIVE, TABLE, least_pairs=4).items if item.key == "nh3n")
    assert ammonia.trend_after.direction is None


def test_nothing_says_that_the_work_was_the_cause():
    found = compare(START, FINISH, run(dt.date(2022, 7, 1), BAD, 12) | run(dt.date(2024, 2, 1), GOOD, 12), FIVE, TABLE)
    for word in ("因为", "使得", "导致", "成效", "效果", "由于", "得益"):
        assert word not in found.sentence + water_rules.NO_CAUSE
    assert "不说明因果" in water_rules.NO_CAUSE


# ── what else happened ──


@pytest.mark.parametrize(
    ("on", "is_told"),
    [(dt.date(2022, 6, 30), False), (dt.date(2022, 7, 1), True), (dt.date(2025, 1, 31), True), (dt.date(2025, 2, 1), False)],
)
def test_other_works_within_the_window_are_told(on, is_told):
    window = water_rules.window(START, FINISH)
    for other in (Dates("LF-009", on, None), Dates("LF-009", dt.date(2020, 1, 1), on)):
        assert water_rules.other_works(*window, [other]) == ("同期另有1项相关工程开工或完工（LF-009）。" if is_told else None)


def test_many_other_works_are_counted_and_some_named():
    told = water_rules.other_works(START, FINISH, [Dates(f"LF-{n:03}", START, None) for n in range(1, 8)])
    assert told == "同期另有7项相关工程开工或完工（LF-001、LF-002、LF-003、LF-004、LF-005等）。"


def test_months_that_were_not_sampled_are_told():
    months = water_rules.months_before(START)
    assert water_rules.not_sampled(months, {dt.date(2023, 1, 1): "结冰", dt.date(2021, 1, 1): "断流"}) == "期间未监测：2023年1月结冰。"
    assert water_rules.not_sampled(months, {}) is None


@pytest.mark.parametrize(
    ("months", "words"),
    [
        ([dt.date(2023, 1, 1)], "2023年1月"),
        ([dt.date(2023, 8, 1), dt.date(2023, 1, 1)], "2023年1月—8月"),
        ([dt.date(2023, 9, 1), dt.date(2024, 1, 1)], "2023年9月—2024年1月"),
    ],
)
def test_months_in_words(months, words):
    assert water_rules.spell(months) == words
