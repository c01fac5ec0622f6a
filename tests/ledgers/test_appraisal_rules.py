"""Scores and ranks: parts without a denominator, caps, lag on both sides of its limits, ties, other weights than ours."""

from decimal import Decimal as D

import pytest

from ledgers.appraisal_rules import Part, lag_percent, moved, ranks, score

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
