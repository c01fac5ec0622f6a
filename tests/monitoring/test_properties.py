"""What must hold of the judgement whatever the values."""

from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring import limits, rules
from monitoring.enums import Rating, WaterBody, WaterClass
from monitoring.evaluation import Evaluation

TABLE = limits.table()
BODIES = st.sampled_from(WaterBody.values)
AMOUNTS = st.decimals(0, 60, places=5)
SAMPLES = st.dictionaries(st.sampled_from([key for key in TABLE.order if key not in ("tn", "fc")]), AMOUNTS, min_size=1)


def worse(key: str, value: D, by: D) -> D:
    """A value that is no better: less oxygen, more of anything else, pH further from 7.5."""
    if key == "do":
        return max(D(0), value - by)
    if key == "ph":
        return value + by if value >= D("7.5") else value - by
    return value + by


@given(SAMPLES, BODIES, AMOUNTS, st.data())
def test_worsening_one_value_never_improves_the_class(values, body, by, data):
    key = data.draw(st.sampled_from(sorted(values)))
    before = rules.judge(values, TABLE, body)
    after = rules.judge(values | {key: worse(key, values[key], by)}, TABLE, body)
    assert after.water_class >= before.water_class


@given(SAMPLES, BODIES, st.randoms())
def test_the_order_of_items_never_matters(values, body, dice):
    shuffled = list(values.items())
    dice.shuffle(shuffled)
    assert rules.judge(dict(shuffled), TABLE, body) == rules.judge(values, TABLE, body)


@given(SAMPLES, BODIES, AMOUNTS)
def test_items_that_do_not_count_change_nothing(values, body, amount):
    others = {"tn": amount, "fc": amount, "water_temp": None, "so4": amount, "unheard-of": amount}
    assert rules.judge(values | others, TABLE, body) == rules.judge(values, TABLE, body)


@given(SAMPLES, BODIES, st.sampled_from(["ph", "do", "cod", "hg"]))
def test_a_missing_item_takes_the_class_away_from_any_sample(values, body, key):
    judgement = rules.judge(values | {key: None}, TABLE, body)
    assert (judgement.water_class, judgement.missing) == (None, (key,))


@given(SAMPLES, BODIES)
def test_a_judgement_hangs_together(values, body):
    found = rules.judge(values, TABLE, body)
    assert set(found.items) == set(values)
    assert found.deciding_items
    assert set(found.deciding_items) <= set(found.items)
    assert bool(found.main_pollutants) == (found.water_class > WaterClass.III)
    assert len(found.main_pollutants) <= 3
    for key, multiple in found.main_pollutants:
        assert rules.classify(TABLE.of(key, body), values[key]) > WaterClass.III
        assert multiple is None if key in ("ph", "do") else multiple >= 0


@given(SAMPLES, BODIES)
def test_main_pollutants_are_those_over_the_target_three(values, body):
    assert rules.over_target(values, TABLE, WaterClass.III, body) == rules.judge(values, TABLE, body).main_pollutants


@pytest.mark.parametrize("body", WaterBody.values)
def test_every_limit_belongs_to_the_best_class_that_has_it(body):
    for key in TABLE.order:
        limit = TABLE.of(key, body)
        if limit is None or limit.direction == "range":
            continue
        for bound in limit.values:
            assert rules.classify(limit, bound) == limit.values.index(bound) + 1


# ── evaluate and the judgement ───────────────────────────────────────────────────────────────────────────────────────
CELLS = st.one_of(AMOUNTS.map(lambda value: f"{value:f}"), st.sampled_from(["*", "--", "", "<0.4"]))
ROWS = st.lists(st.tuples(BODIES, st.lists(CELLS, min_size=3, max_size=3)), max_size=8)


def read(text: str) -> D | None:
    return None if text in ("--", "") else D("0.2") if text == "<0.4" else D(text)


@given(st.permutations(["codmn", "cod", "nh3n", "tp", "hg", "oil", "tn"]).map(lambda keys: keys[:3]), ROWS)
def test_evaluate_says_of_each_row_what_judge_says(keys, rows):
    lines = [f"water_body,{','.join(keys)}\n", *(f"{body},{','.join(cells)}\n" for body, cells in rows)]
    found = list(Evaluation(lines, TABLE, str))
    expected = [
        rules.judge({key: read(text) for key, text in zip(keys, cells, strict=True) if text != "*"}, TABLE, body) for body, cells in rows
    ]
    assert [row[0] for row in found] == [judgement.water_class.label if judgement.water_class else "" for judgement in expected]
    assert [row[2] for row in found] == ["、".join(judgement.deciding_items) for judgement in expected]
    assert [row[3] for row in found] == [
        "、".join(key if multiple is None else f"{key}({multiple})" for key, multiple in judgement.main_pollutants)
        for judgement in expected
    ]
    assert {row[4] for row in found} <= {""}


@given(SAMPLES, st.sampled_from(["abc", "1,5", "-1", "NaN", "1e99"]))
def test_a_bad_cell_leaves_the_result_of_the_others(values, text):
    others = {key: f"{value:f}" for key, value in values.items() if key not in ("ph", "nh3n")}
    lines = [",".join(others) + "\n", ",".join(others.values()) + "\n"]
    spoilt = [f"nh3n,{lines[0]}", f'"{text}",{lines[1]}']
    if others:
        (plain,), (row,) = Evaluation(lines, TABLE), Evaluation(spoilt, TABLE)
        assert row[:4] == plain[:4]
        assert row[4].startswith("列“nh3n”")


# ── Means ────────────────────────────────────────────────────────────────────────────────────────────────────────────
MEASURED = st.lists(st.decimals(D("0.001"), 14, places=3), min_size=1, max_size=30)
ITEMS = st.sampled_from(["ph", "do", "cod", "nh3n", "tp", "hg"])


@given(ITEMS, MEASURED)
def test_a_mean_lies_between_its_smallest_and_largest_value(key, values):
    found = rules.mean(key, values)
    assert min(values) - D("1e-20") <= found <= max(values) + D("1e-20")


@given(ITEMS, MEASURED, st.randoms())
def test_a_mean_does_not_depend_on_the_order_of_its_readings(key, values, dice):
    shuffled = dice.sample(values, len(values))
    assert rules.mean(key, shuffled) == pytest.approx(rules.mean(key, values), rel=D("1e-20"))


@given(st.sampled_from(["do", "cod", "nh3n"]), MEASURED, st.integers(2, 1000))
def test_a_mean_scales_with_its_readings(key, values, factor):
    assert rules.mean(key, [value * factor for value in values]) == pytest.approx(factor * rules.mean(key, values), rel=D("1e-20"))


@given(st.sampled_from([key for key in TABLE.order if TABLE.of(key, WaterBody.LAKE).decimals is not None]), AMOUNTS)
def test_rounding_twice_is_rounding_once_and_moves_half_a_step_at_most(key, value):
    limit = TABLE.of(key, WaterBody.LAKE)
    once = rules.rounded_for_assessment(limit, value)
    assert rules.rounded_for_assessment(limit, once) == once
    assert abs(once - value) <= D("0.5").scaleb(-limit.decimals)
    assert (once == 0) is (value == 0)


# ── Together ─────────────────────────────────────────────────────────────────────────────────────────────────────────
@given(st.lists(st.one_of(st.none(), SAMPLES), max_size=8), st.randoms())
def test_the_order_of_sections_never_matters_to_a_river(sections, dice):
    here, shuffled = rules.judge_waters(sections, TABLE), rules.judge_waters(dice.sample(sections, len(sections)), TABLE)
    assert (here.rating, here.shares) == (shuffled.rating, shuffled.shares)


@given(SAMPLES, st.integers(1, 9))
def test_sections_that_are_alike_make_a_river_like_each(values, count):
    alone, together = rules.judge_waters([values], TABLE), rules.judge_waters([values] * count, TABLE)
    if count < 5:
        assert together.by_mean == alone.by_mean
    else:
        assert together.shares.good in (0, count)
        assert (together.rating <= Rating.GOOD) is bool(together.shares.good)
