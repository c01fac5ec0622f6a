"""The judgement of water against the limits of GB 3838-2002: both sides of every limit."""

from decimal import Decimal as D

import pytest

from monitoring import limits, rules
from monitoring.enums import Rating, WaterBody, WaterClass
from tests.monitoring.test_limits import LOWER_LIMITS, hand_typed

TABLE = limits.table()
STEP = D("0.000000000001")
ASSESSED = [key for (key, body), limit in TABLE.by_key.items() if limit.is_assessed and body == WaterBody.RIVER]


def violated(key: str, values: tuple[D, ...], value: D) -> WaterClass:
    """The class by counting: as many classes further as there are limits that the value does not meet."""
    return WaterClass(1 + sum(value < bound if key in LOWER_LIMITS else value > bound for bound in values))


def cases():
    """Each limit of table 1 as typed by hand, one step to its good and one to its bad side."""
    for key, body, values in hand_typed():
        for bound in dict.fromkeys(values):
            for value in (bound - STEP, bound, bound + STEP):
                yield pytest.param(key, body, value, violated(key, values, value), id=f"{key}-{body}-{value}")


@pytest.mark.parametrize(("key", "body", "value", "expected"), list(cases()))
def test_classify_on_both_sides_of_every_limit(key, body, value, expected):
    assert rules.classify(TABLE.of(key, body), value) is expected


@pytest.mark.parametrize("body", WaterBody.values)
@pytest.mark.parametrize(("value", "fine"), [(6 - STEP, False), (D(6), True), (D(9), True), (9 + STEP, False), (D(0), False)])
def test_ph_is_fine_from_6_to_9_and_else_worse_than_five(body, value, fine):
    assert rules.classify(TABLE.of("ph", body), value) is (WaterClass.I if fine else WaterClass.WORSE_THAN_V)


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        pytest.param("nh3n", "0.15", WaterClass.I, id="氨氮Ⅰ类限值"),
        pytest.param("nh3n", "1.0", WaterClass.III, id="氨氮Ⅲ类限值"),
        pytest.param("nh3n", "1.01", WaterClass.IV, id="氨氮刚过Ⅲ类"),
        pytest.param("nh3n", "2.01", WaterClass.WORSE_THAN_V, id="氨氮劣Ⅴ"),
        pytest.param("do", "7.5", WaterClass.I, id="溶解氧Ⅰ类取7.5"),
        pytest.param("do", "7.49", WaterClass.II, id="溶解氧略低于7.5"),
        pytest.param("do", "5", WaterClass.III, id="溶解氧Ⅲ类限值"),
        pytest.param("do", "1.99", WaterClass.WORSE_THAN_V, id="溶解氧劣Ⅴ"),
        pytest.param("cod", "15", WaterClass.I, id="化学需氧量Ⅰ、Ⅱ类同限取Ⅰ"),
        pytest.param("f", "1.0", WaterClass.I, id="氟化物1.0为Ⅰ类"),
        pytest.param("f", "1.01", WaterClass.IV, id="氟化物过1.0即Ⅳ类"),
        pytest.param("ph", "6", WaterClass.I, id="pH下限"),
        pytest.param("ph", "9", WaterClass.I, id="pH上限"),
        pytest.param("ph", "5.99", WaterClass.WORSE_THAN_V, id="pH低于6"),
        pytest.param("ph", "9.01", WaterClass.WORSE_THAN_V, id="pH高于9"),
    ],
)
def test_classify_the_best_known_limits(key, value, expected):
    assert rules.classify(TABLE.of(key), D(value)) is expected


def test_total_phosphorus_has_a_row_for_rivers_and_one_for_lakes():
    assert rules.classify(TABLE.of("tp", WaterBody.RIVER), D("0.2")) is WaterClass.III
    assert rules.classify(TABLE.of("tp", WaterBody.LAKE), D("0.2")) is WaterClass.V


def test_twenty_one_items_are_assessed_in_a_river():
    assert len(ASSESSED) == 21


FIVE = {"ph": D(8), "do": D(9), "codmn": D(3), "nh3n": D("0.3"), "tp": D("0.05")}


def test_a_section_is_as_bad_as_its_worst_item():
    judgement = rules.judge(FIVE | {"nh3n": D("1.2")}, TABLE)
    assert judgement.water_class is WaterClass.IV
    assert judgement.deciding_items == ("nh3n",)
    assert judgement.items == ("ph", "do", "codmn", "nh3n", "tp")
    assert judgement.rating is Rating.LIGHT


@pytest.mark.parametrize("body", WaterBody.values)
def test_total_nitrogen_temperature_and_coliforms_never_matter(body):
    judgement = rules.judge(FIVE | {"tn": D(99), "fc": D(999999), "water_temperature": D(60)}, TABLE, body)
    assert judgement == rules.judge(FIVE, TABLE, body)


def test_an_item_that_is_not_monitored_is_left_out():
    without = {key: value for key, value in FIVE.items() if key != "tp"}
    assert rules.judge(without, TABLE).water_class is WaterClass.II


def test_an_item_that_is_missing_takes_the_class_away():
    judgement = rules.judge(FIVE | {"tp": None}, TABLE)
    assert judgement.water_class is None
    assert judgement.missing == ("tp",)
    assert judgement.main_pollutants == ()


@pytest.mark.parametrize("values", [{}, {"tn": D(3)}, {"ph": None}], ids=["什么都没测", "只测了不参评的", "只有一项且缺测"])
def test_nothing_measured_is_no_class_and_never_zero(values):
    assert rules.judge(values, TABLE).water_class is None


def test_main_pollutants_as_published():
    """氟化物(0.6)、化学需氧量(0.8)、高锰酸盐指数(0.2): fluoride leads since it alone is 劣Ⅴ."""
    judgement = rules.judge({"f": D("1.6"), "cod": D(36), "codmn": D("7.2"), "nh3n": D("0.2")}, TABLE)
    assert judgement.main_pollutants == (("f", D("0.6")), ("cod", D("0.8")), ("codmn", D("0.2")))


def test_main_pollutants_are_three_at_most_and_none_within_class_three():
    bad = {"cod": D(35), "codmn": D(11), "nh3n": D("1.8"), "tp": D("0.35"), "bod5": D(7)}
    assert len(rules.judge(bad, TABLE).main_pollutants) == 3
    assert rules.judge(FIVE | {"nh3n": D("1.0")}, TABLE).main_pollutants == ()


def test_heavy_metals_and_cyanide_lead_the_main_pollutants():
    judgement = rules.judge({"cod": D(90), "hg": D("0.0002")}, TABLE)
    assert [key for key, _ in judgement.main_pollutants] == ["hg", "cod"]


def test_ph_and_oxygen_have_no_multiple():
    judgement = rules.judge({"ph": D("9.5"), "do": D("1")}, TABLE)
    assert judgement.main_pollutants == (("ph", None), ("do", None))


def test_multiple_against_another_target_is_another_figure():
    limit = TABLE.of("cod")
    assert rules.exceedance(limit, D(36)) == D("0.8")
    assert rules.exceedance(limit, D(36), WaterClass.IV) == D("0.2")


@pytest.mark.parametrize(
    ("water_class", "rating", "good"),
    [
        (WaterClass.I, Rating.EXCELLENT, True),
        (WaterClass.II, Rating.EXCELLENT, True),
        (WaterClass.III, Rating.GOOD, True),
        (WaterClass.IV, Rating.LIGHT, False),
        (WaterClass.V, Rating.MODERATE, False),
        (WaterClass.WORSE_THAN_V, Rating.HEAVY, False),
        (None, None, False),
    ],
)
def test_rating_and_good_of_each_class(water_class, rating, good):
    assert rules.rating(water_class) is rating
    assert rules.is_good(water_class) is good


def test_target_is_met_by_its_own_class_and_unknown_without_one():
    assert rules.meets_target(WaterClass.III, WaterClass.III) is True
    assert rules.meets_target(WaterClass.IV, WaterClass.III) is False
    assert rules.meets_target(None, WaterClass.III) is None
    assert rules.meets_target(WaterClass.III, None) is None


def test_mean_of_nothing_is_none():
    assert rules.mean("cod", []) is None


def test_mean_of_ph_goes_by_hydrogen_ions():
    assert rules.mean("ph", [D(7), D(8)]).quantize(D("0.001")) == D("7.260")


def test_below_the_detection_limit_counts_half():
    assert rules.for_mean(D("0.025"), True) == D("0.0125")
    assert rules.for_mean(D("0.025"), False) == D("0.025")


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        pytest.param("codmn", "4.25", "4.2", id="五前为偶则舍"),
        pytest.param("codmn", "4.35", "4.4", id="五前为奇则入"),
        pytest.param("codmn", "4.2501", "4.3", id="五后有数则入"),
        pytest.param("nh3n", "1.005", "1.00", id="氨氮两位"),
        pytest.param("tp", "0.2005", "0.200", id="总磷三位"),
        pytest.param("ph", "8.5", "8", id="pH取整"),
        pytest.param("hg", "0.0000024", "0.000002", id="修约为零时留一位有效数字"),
        pytest.param("hg", "0", "0.00000", id="真零仍为零"),
    ],
)
def test_rounding_of_a_period_mean(key, value, expected):
    rounded = rules.rounded_for_assessment(TABLE.of(key), D(value))
    assert str(rounded) in (expected, f"{D(expected):E}")
    assert rounded == D(expected)
