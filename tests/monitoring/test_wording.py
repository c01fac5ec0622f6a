"""The words at the head of the table, figure by figure."""

import dataclasses
import datetime as dt
from decimal import Decimal

import pytest

from monitoring import limits, periods
from monitoring.enums import Level, WaterBody, WaterClass
from monitoring.reports import Pollutant, SectionRow, SectionTable
from monitoring.rules import Shares
from monitoring.wording import compares_with_before, paragraphs, points_words

I, II, III, IV, V, WORSE = WaterClass  # noqa: E741 - the standard's own name
JANUARY = periods.month(dt.date(2025, 1, 1))
ROW = SectionRow(
    pk=1, name="上断面", river="大河", order_along=None, county="甲县", county_code="001", level=Level.NATIONAL,
    water_body=WaterBody.RIVER, target=III, water_class=III, values={}, items=(), over_iii=(), deciding=(), pollutants=(),
    over_target=(), note="", class_before=III, class_year_before=III, published_on=None, revision=1, source="", coord_quality="",
)  # fmt: skip
AMMONIA = Pollutant("nh3n", "氨氮", Decimal("0.5"))


def row(**more) -> SectionRow:
    return dataclasses.replace(ROW, **more)


def said(*rows: SectionRow, period=JANUARY) -> list[str]:
    return paragraphs(SectionTable(period, dt.date(2025, 2, 20), rows, limits.table()))


def test_the_whole_paragraph():
    rows = [
        row(),
        row(
            pk=2, name="下断面", target=II, water_class=IV, pollutants=(AMMONIA,), over_target=(Pollutant("nh3n", "氨氮", Decimal("2.0")),)
        ),
        row(pk=3, name="冰断面", water_class=None, note="结冰", class_before=None),
    ]
    assert said(*rows) == [
        "2025年1月，国考断面3个，参评2个，Ⅰ～Ⅲ类1个，占50.0%（1/2），同比下降50.0个百分点（上年同月3/3），环比下降50.0个百分点（上月2/2）；"
        "其中Ⅲ类1个、Ⅳ类1个，无劣Ⅴ类。"
        "达到考核目标1个（1/2），未达标断面：下断面（甲县，目标Ⅱ类，实际Ⅳ类，对目标超标氨氮(2.0)）。"
        "超Ⅲ类断面：大河下断面（甲县，Ⅳ类，主要污染物氨氮(0.5)）。"
        "环比变差1个：下断面（Ⅲ→Ⅳ）。同比变差1个：下断面（Ⅲ→Ⅳ）。"
        "未参评1个：冰断面（结冰）。"
    ]


def test_each_level_has_its_paragraph_and_only_the_first_names_the_period():
    found = said(row(level=Level.OTHER, target=None), row(pk=2))
    assert [text[:12] for text in found] == ["2025年1月，国考断面", "其他断面1个，参评1个，"]
    assert "考核目标" not in found[1]


def test_sections_that_nobody_evaluated_have_no_share():
    assert said(row(water_class=None, note="断流")) == ["2025年1月，国考断面1个，参评0个。未参评1个：上断面（断流）。"]


def test_a_table_without_sections_says_nothing():
    assert said() == []


def test_a_class_worse_than_five_is_counted_not_denied():
    (text,) = said(row(water_class=WORSE, class_before=V, class_year_before=WORSE))
    assert "其中劣Ⅴ类1个。" in text
    assert "无劣Ⅴ类" not in text


def test_one_and_two_are_no_change():
    (text,) = said(row(water_class=I, class_before=II, class_year_before=II))
    assert "好转" not in text


@pytest.mark.parametrize(
    ("now", "before", "expected"),
    [
        pytest.param(Shares(9, 8, 0), Shares(7, 5, 1), "提高17.5个百分点", id="按印出的比例相减"),
        pytest.param(Shares(9, 7, 0), Shares(9, 8, 0), "下降11.1个百分点", id="下降"),
        pytest.param(Shares(9, 8, 0), Shares(9, 8, 1), "持平", id="持平"),
        pytest.param(Shares(0, 0, 0), Shares(9, 8, 1), "无可比数据", id="本期无参评"),
        pytest.param(Shares(9, 8, 0), Shares(0, 0, 0), "无可比数据", id="上期无参评"),
    ],
)
def test_points_words(now, before, expected):
    assert points_words(now, before) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("2025-01", ["上年同月", "上月"]), ("2024-Q2", ["上年同期", "上季度"]), ("2024-01..06", ["上年同期"]), ("2024", ["上年"])],
)
def test_what_a_period_is_compared_with(text, expected):
    period = periods.read(text)
    (found,) = said(row(), period=period)
    assert [word for word in ("上年同月", "上年同期", "上月", "上季度") if f"（{word}1/1）" in found] == [
        w for w in expected if w != "上年"
    ]
    assert ("（上年1/1）" in found) == (expected == ["上年"])
    assert compares_with_before(period) == ("环比" in found)
