"""Scores and ranks: parts without a denominator, caps, lag on both sides of its limits, ties, other weights than ours."""

import datetime as dt
from decimal import Decimal as D

import pytest

from ledgers.appraisal_rules import Part, is_due, lag_percent, moved, other_weights, ranks, risen, risen_words, score

pytestmark = pytest.mark.once


def parts(*said):
    return [Part(str(n), str(n), weight, top, bottom) for n, (weight, top, bottom) in enumerate(said)]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param([(30, 1, 2), (15, 2, 2), (25, 50, 100), (10, 1, 1), (10, 1, 1), (5, 1, 1), (5, 1, 1)], D("72.50"), id="七项齐全"),
        pytest.param([(60, 1, 2), (40, 0, 0)], D("50.00"), id="没有分母的不参评"),
        pytest.param([(60, 1, 2), (40, None, 7)], D("50.00"), id="没有数的不参评"),
        pytest.param([(60, 3, 2), (40, 1, 1)], D("100.00"), id="超过分母按满分"),
        pytest.param([(60, 0, 1), (40, 0, 1)], D("0.00"), id="零分不是不参评"),
        pytest.param([(60, 0, 0)], None, id="都不参评没有得分"),
        pytest.param([(0, 1, 1)], None, id="权重为零不参评"),
        pytest.param([(100, 1, 3)], D("33.33"), id="四舍五入到两位"),
        pytest.param([(50, 1, 1), (150, 0, 1)], D("25.00"), id="权重不是一百也折算"),
    ],
)
def test_score(said, expected):
    assert score(parts(*said)) == expected


@pytest.mark.parametrize(
    ("lag", "percent"), [(None, None), (D(-5), 100), (D(0), 100), (D(15), 50), (D(30), 0), (D("30.1"), 0), (D("29.7"), 1)]
)
def test_lag_as_a_share(lag, percent):
    assert lag_percent(lag, 30) == percent


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([D(9), D(8), D(8), D(7)], [1, 2, 2, 4]),
        ([D(8), None, D(9)], [2, None, 1]),
        ([D(5)], [1]),
        ([D(5), D(5), D(5)], [1, 1, 1]),
        ([], []),
    ],
)
def test_ties_share_a_rank_and_the_next_is_skipped(scores, expected):
    assert ranks(scores) == expected


@pytest.mark.parametrize(("rank", "before", "words"), [(2, 5, "升3位"), (5, 2, "降3位"), (2, 2, "持平"), (None, 2, "—"), (2, None, "—")])
def test_change_since_the_last_period(rank, before, words):
    assert moved(rank, before) == words


@pytest.mark.parametrize(
    ("now", "before", "points", "words"),
    [
        (D("80.10"), D("79.05"), D("1.05"), "升1.05分"),
        (D("79.05"), D("80.10"), D("-1.05"), "降1.05分"),
        (D("80.10"), D("80.10"), D(0), "持平"),
        (None, D(80), None, "—"),
        (D(80), None, None, "—"),
    ],
)
def test_change_of_the_score(now, before, points, words):
    assert (risen(now, before), risen_words(risen(now, before))) == (points, words)


@pytest.mark.parametrize(
    ("halves", "rate"),
    [
        pytest.param([(1, 2), (1, 4)], D("37.5"), id="两率平均"),
        pytest.param([(1, 2), (None, 0)], D(50), id="一率没有分母只算另一率"),
        pytest.param([(3, 2), (0, 4)], D(50), id="各率先封顶"),
        pytest.param([(0, 0), (0, 0)], None, id="都没有则不参评"),
    ],
)
def test_the_mean_of_two_shares(halves, rate):
    part = Part("works", "工程建设", 40, halves=tuple(Part(str(n), "", 0, *said) for n, said in enumerate(halves)))
    assert part.rate == rate
    assert part.points == (None if rate is None else rate * 40 / 100)


def test_other_weights_are_named():
    before = [Part("a", "完工率", 30), Part("b", "开工率", 15)]
    now = [Part("a", "完工率", 25), Part("b", "开工率", 15), Part("c", "到位率", 5)]
    assert other_weights(now, before) == ["完工率由30分改为25分"]
    assert other_weights(now, now) == []


@pytest.mark.parametrize(
    ("due", "day", "today", "is_met", "counts"),
    [
        pytest.param(19, 20, 20, False, True, id="期限已过"),
        pytest.param(20, 20, 20, False, False, id="今天到期今天还没有过完"),
        pytest.param(20, 20, 20, True, True, id="今天到期已经办了"),
        pytest.param(20, 20, 21, False, True, id="回看到期那天"),
        pytest.param(21, 20, 25, False, False, id="那天还没有到期"),
        pytest.param(21, 20, 25, True, False, id="提前办的也等到期才计"),
    ],
)
def test_a_promise_counts_once_its_day_is_over_or_it_is_met(due, day, today, is_met, counts):
    assert is_due(*(dt.date(2025, 2, on) for on in (due, day, today)), is_met) is counts
