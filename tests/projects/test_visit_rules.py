"""Points for a visit: each with its words and limits at the edge; the order of a tour."""

import datetime as dt
from decimal import Decimal

import pytest

from linfen_water.policy import Values
from projects.visit_rules import Case, beside_report, in_order, risk

DAY = dt.date(2025, 2, 20)
SEEN = DAY - dt.timedelta(days=1)
VALUES = Values()


@pytest.mark.parametrize(
    ("case", "points"),
    [
        (Case(None, visited_on=SEEN), 0),
        (Case(Decimal("9.9"), visited_on=SEEN), 0),
        (Case(Decimal(10), visited_on=SEEN), 20),
        (Case(Decimal(30), visited_on=SEEN), 20),
        (Case(Decimal("30.1"), visited_on=SEEN), 40),
        (Case(None, late_problems=3, visited_on=SEEN), 30),
        (Case(None, is_silent=True, visited_on=SEEN), 20),
        (Case(None, visited_on=SEEN, gap=Decimal(-10)), 20),
        (Case(None, visited_on=SEEN, gap=Decimal("-9.9")), 0),
        (Case(None, visited_on=SEEN, gap=Decimal(40)), 0),  # the site is ahead of its report
        (Case(None, visited_on=DAY - dt.timedelta(days=60)), 0),
        (Case(None, visited_on=DAY - dt.timedelta(days=61)), 10),
        (Case(None), 10),
    ],
)
def test_each_reason_has_its_points(case, points):
    found = risk(case, DAY, VALUES)
    assert found.points == points == sum(one for _, one in found.reasons)


def test_points_add_up_and_the_sentence_says_how():
    found = risk(Case(Decimal("12.34"), late_problems=1), DAY, VALUES)
    assert (found.points, found.is_proposed) == (40, True)
    assert found.sentence == "序时差12.3个百分点，滞后（20分）；超期问题1个（10分）；还没有去过现场（10分）"


def test_the_office_sets_the_points():
    values = Values(visit_points_behind=5, visit_points_unseen=0, visit_from_points=6)
    found = risk(Case(Decimal(12)), DAY, values)
    assert (found.points, found.is_proposed, found.sentence) == (5, False, "序时差12.0个百分点，滞后（5分）")


def test_a_tour_goes_to_the_nearest_that_is_left_and_keeps_the_unknown_for_the_end():
    def far(a, b):
        return abs(a[0] - b[0]) + abs(a[1] - b[1])

    places = [(5.0, 0.0), None, (1.0, 0.0), (2.0, 0.0), None]
    assert in_order((0.0, 0.0), places, far) == [2, 3, 0, 1, 4]
    assert in_order(None, places, far) == [0, 3, 2, 1, 4]
    assert in_order((0.0, 0.0), [], far) == []


@pytest.mark.parametrize(
    ("gap", "words"),
    [
        ("0", "与填报一致"), ("0.04", "与填报一致"), ("-0.04", "与填报一致"), ("0.05", "与填报一致"), ("0.06", "比填报高 0.1 个百分点"),
        ("-5", "比填报低 5 个百分点"), ("5.5", "比填报高 5.5 个百分点"), ("-20.00", "比填报低 20 个百分点"),
    ],
)  # fmt: skip
def test_what_was_seen_is_told_beside_what_was_reported(gap, words):
    assert beside_report(Decimal(gap)) == words
