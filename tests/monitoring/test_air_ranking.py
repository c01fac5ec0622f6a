from decimal import Decimal

import pytest

from monitoring import air_values
from monitoring.standards.air_ranking import moved, ranks, rounded, year_before

pytestmark = pytest.mark.once


def numbers(**values):
    return {place: None if value is None else Decimal(value) for place, value in values.items()}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param(numbers(a="4.1", b="3.9", c="5"), {"b": 1, "a": 2, "c": 3}, id="数值小的名次在前"),
        pytest.param(numbers(a="1", b="2", c="2", d="3"), {"a": 1, "b": 2, "c": 2, "d": 4}, id="并列后名次顺延"),
        pytest.param(numbers(a="2", b="2.0", c="2.00"), {"a": 1, "b": 1, "c": 1}, id="全部相同都是第1"),
        pytest.param(numbers(a="3", b="2", c="2", d="3", e="4"), {"b": 1, "c": 1, "a": 3, "d": 3, "e": 5}, id="两组并列"),
        pytest.param(numbers(a="-5.3", b="0", c="-12.1", d="3"), {"c": 1, "a": 2, "b": 3, "d": 4}, id="变化率负的在前"),
        pytest.param(numbers(a="4", b=None, c="3"), {"c": 1, "a": 2}, id="没有数值不排名"),
        pytest.param(numbers(a=None, b=None), {}, id="都没有数值"),
        pytest.param(numbers(a="4"), {"a": 1}, id="只有一个县"),
        pytest.param({}, {}, id="一个县也没有"),
    ],
)
def test_ranks(values, expected):
    assert ranks(values) == expected


def test_ranks_do_not_depend_on_the_order_of_counties():
    values = numbers(a="3", b="2", c="2", d=None, e="4")
    assert ranks(dict(reversed(values.items()))) == ranks(values)


@pytest.mark.parametrize(
    ("value", "change", "expected"),
    [
        ("4.50", "-10.0", "5.00"),
        ("4.50", "12.5", "4.00"),
        ("4.50", "0", "4.50"),
        ("4.50", "-99.9", "4500.00"),
        ("4.50", "-100", None),
        ("4.50", "-120", None),
        (None, "5", None),
        ("4.50", None, None),
    ],
)
def test_value_of_the_year_before_is_derived_where_it_can_be(value, change, expected):
    given = [None if one is None else Decimal(one) for one in (value, change)]
    assert year_before(*given, 2) == (None if expected is None else Decimal(expected))


@pytest.mark.parametrize(("now", "before", "expected"), [(2, 5, 3), (5, 2, -3), (4, 4, 0), (None, 2, None), (2, None, None)])
def test_moved_up_is_positive(now, before, expected):
    assert moved(now, before) == expected


@pytest.mark.parametrize(("value", "expected"), [("0.25", "0.2"), ("0.35", "0.4"), ("0.251", "0.3"), ("-0.25", "-0.2")])
def test_rounds_half_to_even(value, expected):
    assert rounded(Decimal(value), 1) == Decimal(expected)


@pytest.mark.parametrize(
    ("name", "said", "expected"),
    [
        ("composite_index", "4.57", "4.57"),
        ("composite_index", "４．５７", "4.57"),
        ("composite_index", " 4.5 ", "4.5"),
        ("composite_index", Decimal("4.8699999"), "4.870"),
        ("pm25", "45", "45"),
        ("pm25", Decimal("45.25"), "45.2"),
        ("composite_change", "-5.3%", "-5.3"),
        ("composite_change", "－５．３％", "-5.3"),
        ("composite_change", "−5.3", "-5.3"),
        ("composite_change", "↓5.3", "-5.3"),
        ("composite_change", "5.3↓", "-5.3"),
        ("composite_change", "↓ -5.3%", "-5.3"),
        ("composite_change", "下降5.3%", "-5.3"),
        ("composite_change", "↑5.3", "5.3"),
        ("composite_change", "+5.3", "5.3"),
        ("composite_change", "持平", "0"),
        ("pm25_change", Decimal("-5.3"), "-5.3"),
    ],
)
def test_reads_a_value_as_offices_write_it(name, said, expected):
    assert air_values.read(name, said) == Decimal(expected)


@pytest.mark.parametrize("said", [None, "", " ", "—", "——", "-", "－", "/", "无", "缺测"])
@pytest.mark.parametrize("name", air_values.MEASURES)
def test_nothing_is_missing_and_never_zero(name, said):
    assert air_values.read(name, said) is None


def test_a_percentage_of_the_sheet_is_a_change_in_percent():
    assert air_values.read("pm25_change", Decimal("-0.053"), is_share=True) == Decimal("-5.3")
    with pytest.raises(ValueError, match="不是百分数"):
        air_values.read("pm25", Decimal("0.45"), is_share=True)


@pytest.mark.parametrize(
    ("name", "said", "reason"),
    [
        ("composite_index", "四点五", "不是数字"),
        ("composite_index", "4,57", "不是数字"),
        ("composite_index", "NaN", "不是数字"),
        ("composite_index", "1e9999", "之间"),
        ("composite_index", "-4.5", "之间"),
        ("composite_index", "0", "之间"),
        ("composite_index", "50.01", "之间"),
        ("pm25", "0", "之间"),
        ("pm25", "1000.1", "之间"),
        ("pm25", "45%", "不是数字"),
        ("composite_change", "↑-5.3", "又升又降"),
        ("composite_change", "↑5.3↓", "不是变化率"),
        ("composite_change", "-100", "之间"),
        ("composite_change", "=1+1", "不是变化率"),
    ],
)
def test_refuses_with_a_sentence(name, said, reason):
    with pytest.raises(ValueError, match=reason):
        air_values.read(name, said)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("composite_index", "4.570", "4.57"),
        ("composite_index", "4.575", "4.575"),
        ("composite_index", "4", "4.00"),
        ("pm25", "45.0", "45"),
        ("pm25", "45.5", "45.5"),
        ("pm25_change", "0", "0.0"),
        ("pm25_change", "-5.3", "-5.3"),
    ],
)
def test_prints_as_the_paper_does(name, value, expected):
    assert air_values.spoken(name, Decimal(value)) == expected
    assert air_values.spoken(name, None) == ""
