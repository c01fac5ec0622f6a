"""The table of limits, as read from its file."""

from decimal import Decimal as D

import pytest

from monitoring import limits
from monitoring.enums import WaterBody

# GB 3838-2002, table 1, typed from the standard by hand: classes Ⅰ to Ⅴ. It checks the file, so never copy it from there.
TABLE_1 = {
    "do": "7.5 6 5 3 2",
    "codmn": "2 4 6 10 15",
    "cod": "15 15 20 30 40",
    "bod5": "3 3 4 6 10",
    "nh3n": "0.15 0.5 1.0 1.5 2.0",
    "tp": "0.02 0.1 0.2 0.3 0.4",
    "tp lake": "0.01 0.025 0.05 0.1 0.2",
    "tn lake": "0.2 0.5 1.0 1.5 2.0",
    "cu": "0.01 1.0 1.0 1.0 1.0",
    "zn": "0.05 1.0 1.0 2.0 2.0",
    "f": "1.0 1.0 1.0 1.5 1.5",
    "se": "0.01 0.01 0.01 0.02 0.02",
    "as": "0.05 0.05 0.05 0.1 0.1",
    "hg": "0.00005 0.00005 0.0001 0.001 0.001",
    "cd": "0.001 0.005 0.005 0.005 0.01",
    "cr6": "0.01 0.05 0.05 0.05 0.1",
    "pb": "0.01 0.01 0.05 0.05 0.1",
    "cn": "0.005 0.05 0.2 0.2 0.2",
    "vp": "0.002 0.002 0.005 0.01 0.1",
    "oil": "0.05 0.05 0.05 0.5 1.0",
    "las": "0.2 0.2 0.2 0.3 0.3",
    "s": "0.05 0.1 0.2 0.5 1.0",
    "fc": "200 2000 10000 20000 40000",
}
LOWER_LIMITS = {"do"}


def hand_typed():
    """Item, kind of water body, limits Ⅰ to Ⅴ of table 1; an item without a kind has the same limits in both."""
    for name, texts in TABLE_1.items():
        key, _, body = name.partition(" ")
        bodies = [body] if body else [WaterBody.RIVER] if f"{key} lake" in TABLE_1 else WaterBody.values
        for of in bodies:
            yield key, str(of), tuple(map(D, texts.split()))


@pytest.mark.parametrize(("key", "body", "values"), list(hand_typed()))
def test_the_file_says_what_the_standard_says(key, body, values):
    limit = limits.table().of(key, body)
    assert limit.values == values
    assert limit.direction == ("ge" if key in LOWER_LIMITS else "le")
    assert limit.is_assessed is (key not in ("tn", "fc"))


def test_the_file_has_no_item_that_the_standard_has_not():
    typed = {(key, body) for key, body, _ in hand_typed()}
    assert set(limits.table().by_key) == typed | {("ph", body) for body in WaterBody.values}
    assert limits.table().of("ph").values == (D(6), D(9))


def test_decimals_of_period_means_are_those_of_the_statistics_rules():
    """环办监测函〔2020〕82号, the items that decide nearly all classes."""
    decimals = {key: limits.table().of(key).decimals for key in ("ph", "do", "codmn", "cod", "bod5", "nh3n", "tp")}
    assert decimals == {"ph": 0, "do": 1, "codmn": 1, "cod": 1, "bod5": 1, "nh3n": 2, "tp": 3}


def test_limits_are_read_once_and_carry_a_version():
    assert limits.table() is limits.table()
    assert limits.table().version.startswith("gb3838_2002@")


def test_another_file_has_another_version(tmp_path):
    changed = tmp_path / limits.PATH.name
    changed.write_text(limits.PATH.read_text(encoding="utf-8").replace("0.15,0.5,1.0", "0.16,0.5,1.0"), encoding="utf-8")
    assert limits.table(changed).of("nh3n").values[0] == D("0.16")
    assert limits.table(changed).version != limits.table().version


def test_limits_never_get_laxer_from_class_to_class():
    for limit in limits.table().by_key.values():
        if limit.direction == "le":
            assert list(limit.values) == sorted(limit.values), limit.key
        if limit.direction == "ge":
            assert list(limit.values) == sorted(limit.values, reverse=True), limit.key


def test_total_nitrogen_has_limits_in_lakes_only():
    assert limits.table().of("tn", WaterBody.RIVER) is None
    assert limits.table().of("tn", WaterBody.LAKE).is_assessed is False


def test_names_come_without_their_explanation():
    assert limits.table().name("nh3n") == "氨氮"
    assert limits.table().name("unheard-of") == "unheard-of"
