"""The table of limits, as read from its file."""

from decimal import Decimal as D

from monitoring import limits
from monitoring.enums import WaterBody


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
