"""How papers hang together: order, lead times, the schedule forwards and backwards, who writes what."""

import datetime as dt

import pytest

from linfen_water.enums import Role
from linfen_water.workdays import add_workdays, is_workday, workdays_between
from projects import permit_rules as rules
from projects.enums import PermitKind as P
from projects.enums import PermitState, Stage
from projects.permit_rules import Lead, Learned, Paper

TODAY = dt.date(2025, 2, 20)  # Thursday
START, FINISH = dt.date(2025, 4, 1), dt.date(2025, 12, 31)


def known(days):
    return Lead(days, "测试", is_learned=True)


def plan(*papers, leads=None, day=TODAY, stage=Stage.NOT_STARTED, start=START):
    leads = {paper.kind: known(10) for paper in papers} | (leads or {})
    return rules.plan(papers, leads, day=day, stage=stage, baseline_start_on=start, baseline_finish_on=FINISH)


def step(found, kind):
    return next(s for s in found.steps if s.kind == kind)


# ── the dictionary ──


def test_prerequisites_have_no_circle_and_each_names_its_ground():
    papers = {kind: Paper(kind) for kind in P}
    order = rules.in_order(papers)
    assert sorted(order) == sorted(P)
    assert all(order.index(row.after) < order.index(row.kind) for row in rules.PREREQUISITES)
    assert all(row.source for row in rules.PREREQUISITES)


def test_every_kind_is_needed_by_another_one_or_before_the_start():
    needed = {row.after for row in rules.PREREQUISITES} | set(rules.BEFORE_START)
    assert set(P) - needed == set()


# ── state and due date ──


@pytest.mark.parametrize(
    ("values", "state", "overdue"),
    [
        pytest.param({}, PermitState.NOT_SUBMITTED, 0, id="没有报送"),
        pytest.param({"is_required": False}, PermitState.NOT_NEEDED, 0, id="不需要"),
        pytest.param({"submitted_on": dt.date(2025, 2, 6), "promised_workdays": 10}, PermitState.IN_PROGRESS, 1, id="过了一天"),
        pytest.param({"submitted_on": dt.date(2025, 2, 6), "promised_workdays": 11}, PermitState.IN_PROGRESS, 0, id="当天到期不算逾期"),
        pytest.param({"submitted_on": dt.date(2025, 1, 6)}, PermitState.IN_PROGRESS, 0, id="没有承诺时限"),
        pytest.param({"submitted_on": dt.date(2025, 2, 21)}, PermitState.NOT_SUBMITTED, 0, id="那天还没有报送"),
        pytest.param(
            {"submitted_on": dt.date(2025, 2, 6), "promised_workdays": 5, "obtained_on": dt.date(2025, 2, 14)},
            PermitState.OBTAINED,
            2,  # Saturday 8 February was worked
            id="办结的算到办结日",
        ),
        pytest.param({"obtained_on": dt.date(2025, 2, 21)}, PermitState.NOT_SUBMITTED, 0, id="那天还没有办结"),
    ],
)
def test_a_paper_on_a_day(values, state, overdue):
    paper = Paper(P.EIA, **values).known_by(TODAY)
    assert (paper.state(TODAY), paper.overdue_workdays(TODAY)) == (state, overdue)


def test_number_and_validity_come_with_the_paper_itself():
    paper = Paper(P.EIA, obtained_on=TODAY, doc_number="演示1号", valid_until=dt.date(2025, 3, 1))
    before = paper.known_by(TODAY - dt.timedelta(days=1))
    assert (before.doc_number, before.valid_until) == ("", None)
    assert paper.known_by(TODAY).validity(TODAY) == "9天后到期"
    assert paper.validity(dt.date(2025, 3, 3)) == "已过有效期2天"


# ── what may be written ──

EVERYTHING = rules.OFFICE_FIELDS


@pytest.mark.parametrize(
    ("role", "facts", "fields"),
    [
        pytest.param(Role.OFFICE, {}, EVERYTHING, id="专班办全部"),
        pytest.param(Role.COUNTY, {"is_own_project": True}, {"submitted_on", "note"}, id="县填报送和卡点"),
        pytest.param(Role.COUNTY, {"is_own_project": True, "is_obtained": True}, {"note"}, id="办结后县不改报送日"),
        pytest.param(Role.COUNTY, {}, set(), id="别县的项目"),
        pytest.param(Role.DEPARTMENT, {"is_authority": True}, rules.AUTHORITY_FIELDS, id="受理机关"),
        pytest.param(Role.DEPARTMENT, {}, set(), id="不是受理机关"),
        pytest.param(Role.DEPARTMENT, {"is_own_project": True}, set(), id="牵头不等于受理"),
        pytest.param(Role.LEADER, {"is_own_project": True, "is_authority": True}, set(), id="领导只读"),
    ],
)
def test_who_holds_which_field(role, facts, fields):
    all_facts = {"is_own_project": False, "is_authority": False, "is_obtained": False} | facts
    assert rules.held_fields(role, **all_facts) == fields


@pytest.mark.parametrize(
    ("values", "fields"),
    [
        pytest.param({}, [], id="空的可以"),
        pytest.param({"submitted_on": TODAY, "obtained_on": TODAY, "doc_number": "1"}, [], id="当天报当天办"),
        pytest.param({"submitted_on": TODAY + dt.timedelta(days=1)}, ["submitted_on"], id="报送在将来"),
        pytest.param({"obtained_on": TODAY + dt.timedelta(days=1)}, ["obtained_on"], id="办结在将来"),
        pytest.param({"submitted_on": TODAY, "obtained_on": dt.date(2025, 2, 19)}, ["obtained_on"], id="办结早于报送"),
        pytest.param({"doc_number": "演示1号"}, ["obtained_on"], id="有文号没有办结日"),
        pytest.param({"valid_until": FINISH}, ["valid_until"], id="没办结有有效期"),
        pytest.param({"obtained_on": TODAY, "valid_until": dt.date(2025, 2, 19)}, ["valid_until"], id="有效期早于办结"),
        pytest.param({"is_required": False, "submitted_on": TODAY}, ["is_required"], id="已报送不能改为不需要"),
    ],
)
def test_what_speaks_against_a_permit(values, fields):
    assert [fault.field for fault in rules.check(Paper(P.EIA, **values), TODAY)] == fields


# ── lead times ──


@pytest.mark.parametrize(
    ("values", "expected"),
    [([7], 7), ([1, 2, 3, 4, 5], 4), ([1, 2, 3, 4], 4), (list(range(1, 11)), 8), ([5, 5, 5, 5, 90], 5)],
)
def test_the_percentile_is_a_value_that_eight_in_ten_do_not_exceed(values, expected):
    found = rules.percentile(values, 0.8)
    assert found == expected
    assert sum(v <= found for v in values) >= 0.8 * len(values)


def test_times_are_learned_by_kind_and_authority():
    found = rules.learn([("eia", 1, 10), ("eia", 1, 20), ("eia", 2, 99), ("tender", 1, 7)])
    assert found[("eia", 1)] == Learned(2, 15.0, 20)
    assert found[("eia", 2)].n == 1


@pytest.mark.parametrize(
    ("learned", "promised", "workdays", "words"),
    [
        pytest.param(Learned(5, 12.0, 20), 30, 20, "该机关已办结5件：中位12个工作日，八成不超过20个", id="五件起用实际"),
        pytest.param(Learned(4, 12.0, 20), 30, 30, "该机关只有4件办结，不足5件，按承诺时限30个工作日", id="四件用承诺"),
        pytest.param(None, 30, 30, "该机关还没有办结记录，按承诺时限30个工作日", id="没有记录"),
        pytest.param(None, None, 0, "该机关还没有办结记录，也没有承诺时限：未计时间，实际更紧", id="什么都没有"),
    ],
)
def test_a_lead_time_says_where_it_comes_from(learned, promised, workdays, words):
    found = rules.lead(learned, promised)
    assert (found.workdays, found.sentence) == (workdays, words)


# ── the schedule ──


@pytest.mark.parametrize("workdays", [0, 1, 5, 20, 45, 130])
@pytest.mark.parametrize(
    "needed", [dt.date(2025, 2, 8), dt.date(2025, 2, 9), dt.date(2025, 4, 1), dt.date(2025, 10, 8), dt.date(2026, 1, 2)]
)
def test_the_latest_submission_is_the_last_workday_that_still_works(needed, workdays):
    found = rules.latest_submission(needed, workdays)
    assert is_workday(found)
    assert add_workdays(found, workdays) <= needed
    later = found + dt.timedelta(days=1)
    while not is_workday(later):
        later += dt.timedelta(days=1)
    assert add_workdays(later, workdays) > needed


def test_the_sentence_of_a_paper_that_comes_too_late():
    found = plan(Paper(P.EIA), leads={P.EIA: known(45)}, start=add_workdays(TODAY, 30))
    only = step(found, P.EIA)
    assert only.slack == -15
    latest = rules.latest_submission(found.target_on, 45)
    assert only.sentence == f"环境影响评价需45个工作日，距基线开工 {found.target_on} 只剩30个：本应于 {latest} 前报送，已晚15个工作日。"
    assert workdays_between(latest, TODAY) == 15
    assert "晚15个工作日" in found.sentence


def test_the_sentence_of_a_paper_that_is_still_in_time():
    found = plan(Paper(P.EIA), leads={P.EIA: known(20)}, start=add_workdays(TODAY, 30))
    latest = rules.latest_submission(found.target_on, 20)
    assert step(found, P.EIA).sentence == f"环境影响评价需20个工作日，距基线开工 {found.target_on} 还有30个：最迟应于 {latest} 报送。"
    assert (step(found, P.EIA).slack, found.slack) == (10, 10)


def test_what_comes_after_moves_the_latest_day_forward():
    found = plan(Paper(P.FEASIBILITY), Paper(P.PRELIMINARY_DESIGN), Paper(P.EIA))
    first, second, beside = step(found, P.FEASIBILITY), step(found, P.PRELIMINARY_DESIGN), step(found, P.EIA)
    assert first.latest_end_on == second.latest_submit_on == rules.latest_submission(START, 10)
    assert (first.after_workdays, second.after_workdays) == (10, 0)
    assert second.likely_start_on == first.likely_end_on == add_workdays(TODAY, 10)
    assert beside.likely_start_on == TODAY
    assert [s.kind for s in found.critical] == [P.FEASIBILITY, P.PRELIMINARY_DESIGN]


def test_papers_of_one_group_do_not_wait_for_each_other():
    apart = plan(Paper(P.LAND_USE), Paper(P.PLANNING_PERMIT))
    grouped = plan(Paper(P.LAND_USE, parallel_group="并联甲"), Paper(P.PLANNING_PERMIT, parallel_group="并联甲"))
    assert apart.ready_on == add_workdays(TODAY, 20)
    assert grouped.ready_on == add_workdays(TODAY, 10)


def test_a_group_still_waits_for_what_comes_before_it():
    group = {"parallel_group": "并联甲"}
    found = plan(Paper(P.FEASIBILITY), Paper(P.LAND_USE, **group), Paper(P.PLANNING_PERMIT, **group))
    assert step(found, P.PLANNING_PERMIT).waits_for == (P.FEASIBILITY,)


def test_a_paper_that_is_not_needed_is_passed_over_to_what_comes_before_it():
    found = plan(Paper(P.APPROVAL), Paper(P.FEASIBILITY, is_required=False), Paper(P.PRELIMINARY_DESIGN))
    assert [s.kind for s in found.steps] == [P.APPROVAL, P.PRELIMINARY_DESIGN]
    assert step(found, P.PRELIMINARY_DESIGN).waits_for == (P.APPROVAL,)


def test_a_paper_under_way_ends_by_its_usual_time_and_one_that_took_longer_is_stalled():
    on = dt.date(2025, 2, 17)
    going = step(plan(Paper(P.EIA, submitted_on=on)), P.EIA)
    assert (going.likely_end_on, going.is_stalled, going.latest_submit_on) == (add_workdays(on, 10), False, None)
    found = plan(Paper(P.EIA, submitted_on=dt.date(2024, 12, 2), promised_workdays=15))
    stuck = step(found, P.EIA)
    assert (stuck.likely_end_on, stuck.is_stalled) == (TODAY, True)
    assert "超过承诺时限" in stuck.sentence
    assert "其中1项已超过通常用时，最早 2025-02-20 办齐" in found.sentence


def test_what_was_handed_in_already_binds_nobody_before_it():
    found = plan(Paper(P.LAND_USE), Paper(P.CONSTRUCTION_PERMIT, submitted_on=dt.date(2025, 2, 17)))
    assert step(found, P.LAND_USE).latest_end_on == START


def test_a_project_that_has_started_aims_at_its_finish():
    found = plan(Paper(P.OUTFALL), stage=Stage.UNDER_CONSTRUCTION)
    assert (found.target_on, found.target_word) == (FINISH, "基线完工")


def test_a_target_that_has_passed_is_said():
    found = plan(Paper(P.OUTFALL), start=dt.date(2025, 2, 3))
    assert found.slack < 0
    assert found.sentence == "缺1项手续，预计 2025-03-06 办齐；基线开工 2025-02-03 已过；关键：入河排污口设置。"


def test_nothing_missing_and_nothing_listed():
    done = plan(Paper(P.EIA, submitted_on=dt.date(2025, 1, 2), obtained_on=dt.date(2025, 1, 20)))
    assert (done.sentence, done.slack, done.tightest) == ("1项手续已全部办结。", None, None)
    assert plan().sentence == "还没有登记需要办理的手续。"
    assert plan().ready_on is None


def test_the_schedule_of_a_past_day_knows_nothing_of_later():
    paper = Paper(P.EIA, submitted_on=dt.date(2025, 1, 2), obtained_on=dt.date(2025, 1, 20))
    assert step(plan(paper, day=dt.date(2025, 1, 10)), P.EIA).state == PermitState.IN_PROGRESS
    assert step(plan(paper, day=dt.date(2024, 12, 31)), P.EIA).state == PermitState.NOT_SUBMITTED


@pytest.mark.parametrize(
    ("papers", "stage", "words"),
    [
        ([], Stage.NOT_STARTED, ""),
        ([Paper(P.APPROVAL)], Stage.NOT_STARTED, "立项"),
        ([Paper(P.APPROVAL, obtained_on=TODAY)], Stage.NOT_STARTED, "编可研"),
        ([Paper(P.FEASIBILITY, submitted_on=TODAY)], Stage.NOT_STARTED, "可研报批"),
        ([Paper(P.FEASIBILITY, obtained_on=TODAY)], Stage.NOT_STARTED, "编初设"),
        ([Paper(P.PRELIMINARY_DESIGN, submitted_on=TODAY)], Stage.NOT_STARTED, "初设报批"),
        ([Paper(P.PRELIMINARY_DESIGN, obtained_on=TODAY)], Stage.NOT_STARTED, "初设已批，待开工"),
        ([Paper(P.APPROVAL)], Stage.FINISHED, "完工"),
    ],
)
def test_the_ladder_of_the_early_stages(papers, stage, words):
    assert rules.ladder_step({paper.kind: paper for paper in papers}, stage, TODAY) == words
