"""What a page asks for again is read once, and never from another request."""

import pytest

from linfen_water import clock, policy
from linfen_water.models import Policy, Region
from linfen_water.once import once, reading


def test_remembers_only_inside_a_reading():
    asked = []

    def find():
        asked.append(1)
        return len(asked)

    assert [once("a", find), once("a", find)] == [1, 2]
    with reading():
        assert [once("a", find), once("a", find), once("b", find)] == [3, 3, 4]
    with reading():
        assert once("a", find) == 5
    assert once("a", find) == 6


@pytest.mark.django_db
def test_region_and_policy_cost_one_query_each_while_reading(django_assert_num_queries):
    day = clock.today()
    with reading(), django_assert_num_queries(2):
        for _ in range(3):
            Region.current()
            policy.values_on(day)


@pytest.mark.django_db
def test_next_reading_sees_what_was_changed():
    day = clock.today()
    with reading():
        before = policy.values_on(day).behind_points
    Policy.objects.create(effective_on=day, values={"behind_points": before + 1}, reason="会议纪要")
    with reading():
        assert policy.values_on(day).behind_points == before + 1
