"""How a problem stands on a day: both sides of every limit."""

import datetime as dt

import pytest

from projects import problem_rules as rules
from projects.enums import HelpLevel, ProblemState
from projects.problem_rules import Standing, Stay

DAY = dt.date(2025, 2, 20)
BEFORE, AFTER = DAY - dt.timedelta(days=1), DAY + dt.timedelta(days=1)


@pytest.mark.parametrize(
    ("dates", "expected"),
    [
        pytest.param((None, None, None), ProblemState.WAITING, id="无人办理为待办"),
        pytest.param((DAY, None, None), ProblemState.HANDLING, id="当天开始即办理"),
        pytest.param((AFTER, None, None), ProblemState.WAITING, id="明天才开始仍待办"),
        pytest.param((BEFORE, DAY, None), ProblemState.ANSWERED, id="报请当天即待核"),
        pytest.param((BEFORE, AFTER, None), ProblemState.HANDLING, id="明天才报请仍办理"),
        pytest.param((BEFORE, BEFORE, DAY), ProblemState.CLOSED, id="销号当天即销号"),
        pytest.param((BEFORE, BEFORE, AFTER), ProblemState.ANSWERED, id="明天才销号仍待核"),
    ],
)
def test_state_follows_from_dates(dates, expected):
    assert rules.state(DAY, *dates) == expected


@pytest.mark.parametrize(
    ("due_on", "answered_on", "closed_on", "expected"),
    [
        pytest.param(DAY, None, None, False, id="到期当天不算超期"),
        pytest.param(BEFORE, None, None, True, id="过一天即超期"),
        pytest.param(None, None, None, False, id="没有时限不超期"),
        pytest.param(BEFORE, BEFORE, None, False, id="时限内报请，核查再久不算超期"),
        pytest.param(BEFORE, DAY, None, True, id="超期后才报请仍算超期"),
        pytest.param(BEFORE, AFTER, None, True, id="以后才报请，今天仍超期"),
        pytest.param(BEFORE, None, DAY, False, id="已销号不再超期"),
        pytest.param(BEFORE, None, AFTER, True, id="以后才销号，今天仍超期"),
    ],
)
def test_overdue_is_measured_at_the_answer(due_on, answered_on, closed_on, expected):
    assert rules.is_overdue(DAY, due_on, answered_on, closed_on) is expected


def stay(level=HelpLevel.OFFICE, due_on=BEFORE):
    return Stay(level, dt.date(2025, 2, 17), due_on, days=3, days_over=1)


@pytest.mark.parametrize(
    ("state", "at", "due_on", "overdue", "standing"),
    [
        pytest.param(ProblemState.HANDLING, stay(), None, False, Standing.DUE_UP, id="超过本级期限应升级"),
        pytest.param(ProblemState.HANDLING, stay(due_on=DAY), None, False, Standing.SOON, id="本级期限当天只是临近"),
        pytest.param(ProblemState.HANDLING, stay(due_on=AFTER), None, False, Standing.SOON, id="明天到期为临近"),
        pytest.param(ProblemState.HANDLING, stay(due_on=AFTER + dt.timedelta(1)), None, False, Standing.IN_TIME, id="后天到期为期限内"),
        pytest.param(ProblemState.WAITING, stay(HelpLevel.PROVINCE), None, False, Standing.OVERDUE_LAST, id="四级超期不再升"),
        pytest.param(ProblemState.ANSWERED, stay(), BEFORE, True, Standing.TO_CHECK, id="已报请的等核查，不催升级"),
        pytest.param(ProblemState.HANDLING, stay(due_on=AFTER), BEFORE, True, Standing.LATE, id="本级未到期但超整改时限"),
        pytest.param(ProblemState.HANDLING, None, None, False, Standing.IN_TIME, id="未定时限"),
        pytest.param(ProblemState.CLOSED, None, BEFORE, False, Standing.OVER, id="已销号"),
    ],
)
def test_verdict(state, at, due_on, overdue, standing):
    assert rules.verdict(DAY, state, at, due_on, overdue=overdue).standing == standing


def test_the_sentence_names_level_days_limit_and_where_to():
    sentence = rules.verdict(DAY, ProblemState.HANDLING, stay(), None, overdue=False).sentence
    assert sentence == "在一级：专班办分析已 3 个工作日，超过本级期限（2025-02-19）1 个工作日，应提请升至二级：部门会商。"


def test_a_problem_moves_one_level_up_or_to_any_below():
    assert rules.moves(1) == [2]
    assert rules.moves(3) == [1, 2, 4]
    assert rules.moves(4) == [1, 2, 3]


def test_codes_count_within_a_year_and_go_on_past_three_digits():
    assert rules.next_code(2025, None) == "WT-2025-001"
    assert rules.next_code(2025, "WT-2025-009") == "WT-2025-010"
    assert rules.next_code(2025, "WT-2025-999") == "WT-2025-1000"
