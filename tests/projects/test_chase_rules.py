"""How something to be done by a day stands: both sides of the limit, what is measured at the answer, what lies in the future."""

import datetime as dt

import pytest

from projects.chase_rules import standing
from projects.record_enums import ChaseState as S

pytestmark = pytest.mark.once
DAY, DUE = dt.date(2025, 2, 20), dt.date(2025, 2, 10)


def ago(days):
    return DAY - dt.timedelta(days=days)


@pytest.mark.parametrize(
    ("due_on", "answered_on", "closed_on", "state", "over"),
    [
        pytest.param(DAY, None, None, S.OPEN, 0, id="当天到期不算逾期"),
        pytest.param(ago(1), None, None, S.LATE, 1, id="次日起逾期"),
        pytest.param(None, None, None, S.OPEN, 0, id="没有时限"),
        pytest.param(DUE, DUE, None, S.ANSWERED, 0, id="时限当天反馈"),
        pytest.param(DUE, ago(9), None, S.ANSWERED, 1, id="反馈晚一天"),
        pytest.param(DUE, DUE, DAY, S.CLOSED, 0, id="核查久不算逾期"),
        pytest.param(DUE, None, ago(8), S.CLOSED, 2, id="直接办结晚两天"),
        pytest.param(DUE, DAY + dt.timedelta(days=1), None, S.LATE, 10, id="以后的反馈还没有发生"),
        pytest.param(DUE, DUE, DAY + dt.timedelta(days=1), S.ANSWERED, 0, id="以后的办结还没有发生"),
    ],
)
def test_standing(due_on, answered_on, closed_on, state, over):
    found = standing(DAY, due_on, answered_on, closed_on)
    assert (found.state, found.overdue_days) == (state, over)
    assert found.sentence
