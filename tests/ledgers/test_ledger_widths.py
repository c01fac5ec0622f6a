"""Widths of a printed ledger's columns: by their content, together the page, in letters that can be read."""

import pytest

from ledgers.documents.ledger_widths import INSET, LEAST, MOST_OF_MANY, PAGE, SHORT, Measured, em, layout, measured, shared

pytestmark = pytest.mark.once


def test_a_latin_letter_is_about_half_a_chinese_one():
    assert em("河道") == 2
    assert em("LF-001") == pytest.approx(3.36)


@pytest.mark.parametrize(
    ("texts", "whole", "least"),
    [
        pytest.param(["1,294,030.45"], 14.0, 6.72, id="数字不断行"),
        pytest.param(["临汾经济开发区管理委员会"], SHORT, SHORT, id="长名称可断行"),
        pytest.param(["整治入河排污口四十二处"], 0.0, LEAST, id="文字可断行"),
        pytest.param(["x" * 500], 14.0, 14.0, id="过长的字符串也断开"),
        pytest.param([], 0.0, LEAST, id="没有行"),
    ],
)
def test_what_a_column_needs_at_least(texts, whole, least):
    assert measured(texts, "列", whole=whole).least == pytest.approx(least)


def test_room_goes_to_the_column_that_makes_rows_tall():
    short, long = Measured([4.0] * 9, LEAST), Measured([120.0] * 9, LEAST)
    narrow, wide = shared([short, long], 60)
    assert narrow + wide == pytest.approx(60)
    assert narrow < 5 < 55 < wide


@pytest.mark.parametrize(
    ("columns", "form", "count", "size"),
    [
        pytest.param([Measured([6.0], 6.0)] * 5, "a4", 1, 10.0, id="列少则字大"),
        pytest.param([Measured([6.0], 6.0)] * 5, "a4", 5000, MOST_OF_MANY, id="行多则字小些"),
        pytest.param([Measured([9.0], 9.0)] * 14, "a3", 1, 8.0, id="列多则字小"),
        pytest.param([Measured([8.0], 8.0)] * 20, "a3", 1, 6.5, id="放不下才小于7磅"),
        pytest.param([Measured([14.0], 14.0)] * 40, "a3", 1, 5.5, id="最小5.5磅"),
        pytest.param([Measured([], LEAST)] * 3, "a4", 0, 10.0, id="没有行"),
    ],
)
def test_letters_are_as_large_as_the_columns_allow(columns, form, count, size):
    found, widths = layout(columns, form, count)
    assert found == size
    assert sum(widths) * found == pytest.approx(PAGE[form], rel=0.01)
    assert min(widths) > INSET
