"""What must hold of the judgement whatever the values."""

from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring import limits, rules
from monitoring.enums import WaterBody, WaterClass

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
