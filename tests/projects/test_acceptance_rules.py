"""When a plant has proven its effect: both sides of the threshold, of the days and of the gap."""

import datetime as dt
from decimal import Decimal

import pytest

from projects.acceptance import read_loads
from projects.acceptance_rules import Load, effect

pytestmark = pytest.mark.once
FIRST, LATER = dt.date(2025, 1, 1), dt.date(2025, 12, 31)


def loads(*said):
    """`(day of the run, percent[, effluent])`."""
    return [Load(FIRST + dt.timedelta(days=one[0] - 1), Decimal(str(one[1])), *one[2:]) for one in said]


def proven(found, day=LATER):
    return effect(found, day, over_percent=75, days=30, gap_days=7).on


@pytest.mark.parametrize(
    ("said", "day"),
    [
        pytest.param([(n, 80) for n in range(1, 31)], 30, id="连续30天"),
        pytest.param([(n, 80) for n in range(1, 30)], None, id="只有29天"),
        pytest.param([(1, 75), *((n, 75.1) for n in range(2, 32))], 31, id="等于75%不算"),
        pytest.param([(1, 80), (8, 80), (15, 80), (22, 80), (29, 80), (30, 80)], 30, id="每七天一次"),
        pytest.param([(1, 80), (9, 80), (16, 80), (23, 80), (30, 80)], None, id="隔八天重新起算"),
        pytest.param([(n, 80, n != 10) for n in range(1, 32)], None, id="出水超标重新起算"),
        pytest.param([(n, 80, None) for n in range(1, 31)], 30, id="未说明出水不影响"),
        pytest.param([], None, id="没有记录"),
    ],
)
def test_effect(said, day):
    assert proven(loads(*said)) == (FIRST + dt.timedelta(days=day - 1) if day else None)


def test_what_comes_later_is_not_known_yet():
    found = loads(*((n, 80) for n in range(1, 31)))
    assert proven(found, FIRST + dt.timedelta(days=28)) is None
    assert proven(found, FIRST + dt.timedelta(days=29)) == FIRST + dt.timedelta(days=29)


def test_the_sentence_tells_the_run():
    told = effect(loads((1, 60), (2, 80), (5, 81)), LATER, over_percent=75, days=30, gap_days=7)
    assert told.sentence == "2025-01-02 起负荷高于 75%，已连续 4 天，满 30 天达效"


@pytest.mark.parametrize(
    ("text", "rows", "faults"),
    [
        ("2025-01-05 78.5 达标 稳定", [(dt.date(2025, 1, 5), Decimal("78.5"), True, "稳定")], []),
        ("2025.1.5\t78.5%\t超标", [(dt.date(2025, 1, 5), Decimal("78.5"), False, "")], []),
        ("２０２５年1月5日，80", [(dt.date(2025, 1, 5), Decimal(80), None, "")], []),
        ("", [], []),
        ("昨天 80", [], ["第1行“昨天 80”：日期请按 2025-01-05 填写。"]),
        ("2025-01-05", [], ["第1行“2025-01-05”：日期后面请填负荷，例如 78.5。"]),
        ("2025-01-05 NaN", [], ["第1行“2025-01-05 NaN”：负荷须在0到200之间，最多一位小数。"]),
        ("2025-01-05 80.25", [], ["第1行“2025-01-05 80.25”：负荷须在0到200之间，最多一位小数。"]),
        ("2025-01-05 80 还行", [], ["第1行“2025-01-05 80 还行”：第三列只能是“达标”“超标”或空。"]),
    ],
)
def test_loads_are_read_as_people_paste_them(text, rows, faults):
    found, wrong = read_loads(text)
    assert ([tuple(row.values()) for row in found], wrong) == (rows, faults)


def test_a_day_twice_is_told():
    assert read_loads("2025-01-05 80\n2025-01-05 81")[1] == ["第2行“2025-01-05 81”：2025-01-05 在第1行已有。"]
