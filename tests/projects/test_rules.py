"""The rules of dates, plans and dispatches, on both sides of every limit."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest

from projects import rules
from projects.enums import PermitState, Risk, Stage
from projects.rules import Budget, Known, Money, Report

D = Decimal
CUT_OFF = dt.date(2025, 2, 20)
START, FINISH = dt.date(2024, 1, 1), dt.date(2025, 1, 1)


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        pytest.param(dt.date(2024, 2, 29), Stage.NOT_STARTED, id="开工前一天"),
        pytest.param(dt.date(2024, 3, 1), Stage.UNDER_CONSTRUCTION, id="开工当天"),
        pytest.param(dt.date(2024, 12, 30), Stage.UNDER_CONSTRUCTION, id="完工前一天"),
        pytest.param(dt.date(2024, 12, 31), Stage.FINISHED, id="完工当天"),
    ],
)
def test_stage_follows_from_two_dates(day, expected):
    assert rules.stage(day, dt.date(2024, 3, 1), dt.date(2024, 12, 31)) is expected


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        pytest.param(dt.date(2023, 12, 31), "0", id="基线开工前"),
        pytest.param(START, "0", id="基线开工当天"),
        pytest.param(dt.date(2024, 7, 2), "50", id="一半"),
        pytest.param(dt.date(2024, 12, 31), str(D(100) * 365 / 366), id="完工前一天"),
        pytest.param(FINISH, "100", id="基线完工当天"),
    ],
)
def test_without_a_plan_the_baseline_line_counts(day, expected):
    assert rules.planned(day, {}, START, FINISH) == D(expected)


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        pytest.param(dt.date(2025, 2, 28), "60", id="月末为计划数"),
        pytest.param(dt.date(2025, 2, 14), "50", id="月中按日内插"),
        pytest.param(dt.date(2025, 1, 31), "40", id="上月末"),
    ],
)
def test_inside_a_planned_month_the_plan_is_linear(day, expected):
    plans = {dt.date(2025, 1, 1): D(40), dt.date(2025, 2, 1): D(60)}
    assert rules.planned(day, plans, START, FINISH) == D(expected)


@pytest.mark.parametrize(
    ("part", "whole", "expected"),
    [(20 + 3, 43, "53.5"), (23 + 3, 43, "60.5"), (19 + 14, 43, "76.7"), (14, 43, "32.6"), (277, 285, "97.2"), (138, 285, "48.4"),
     (213, 285, "74.7"), (88, 285, "30.9")],
)  # fmt: skip
def test_rate_agrees_with_the_published_pairs(part, whole, expected):
    assert rules.rate(part, whole) == D(expected)


def test_rate_of_nothing_is_nothing():
    assert (rules.rate(1, 0), rules.rate(None, 5)) == (None, None)


def test_ranks_share_a_place_and_skip_the_next():
    assert rules.ranks([D(9), D(7), None, D(7), D(3)]) == [1, 2, None, 2, 4]


@pytest.mark.parametrize(
    ("lag", "expected"),
    [(D("9.99"), Risk.NORMAL), (D(10), Risk.BEHIND), (D(30), Risk.BEHIND), (D("30.01"), Risk.FAR_BEHIND), (None, Risk.UNREPORTED)],
)
def test_risk_changes_at_its_points(lag, expected):
    assert rules.risk(Stage.UNDER_CONSTRUCTION, lag, 10, 30) == expected


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (dt.date(2024, 1, 9), PermitState.NOT_SUBMITTED),
        (dt.date(2024, 1, 10), PermitState.IN_PROGRESS),
        (dt.date(2024, 1, 20), PermitState.OBTAINED),
    ],
)
def test_permit_state_follows_its_dates(day, expected):
    assert rules.permit_state(day, True, dt.date(2024, 1, 10), dt.date(2024, 1, 20)) is expected
    assert rules.permit_state(day, False, None, None) is PermitState.NOT_NEEDED


# ── what a dispatch may say ──

BUDGETS = {1: Budget("省级资金", D(600), D(500)), 2: Budget("自筹", D(400))}
BEFORE = Report(physical_progress=D(40), lines={1: Money(D(300), D(220), D(200), D(250)), 2: Money(D(100), D(60), D(50), D(80))})
KNOWN = Known(latest_on=CUT_OFF, total_investment_wan=D(1000), budgets=BUDGETS, previous=BEFORE, started_on=dt.date(2024, 3, 1))
NOT_STARTED = replace(KNOWN, started_on=None, previous=None)
SAME = replace(BEFORE)


def faults(report, known=KNOWN):
    return [(f.field, f.source) for f in rules.check_dispatch(report, known)]


def with_line(source, **money):
    return replace(SAME, lines=SAME.lines | {source: replace(SAME.lines[source], **{k: D(v) for k, v in money.items()})})


def test_a_week_like_the_last_has_no_fault():
    assert faults(SAME) == []


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        pytest.param(SAME, [], id="与后一期相同"),
        pytest.param(replace(SAME, physical_progress=D("40.01")), [("physical_progress", None)], id="进度高于后一期"),
        pytest.param(with_line(1, completed_wan="250.01"), [("completed_wan", 1)], id="投资高于后一期"),
        pytest.param(replace(SAME, physical_progress=D("40.01"), reason="复核"), [], id="有理由"),
    ],
)
def test_a_past_week_says_no_more_than_the_one_after_it_without_a_reason(report, expected):
    assert faults(report, replace(KNOWN, following=BEFORE)) == expected


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        pytest.param(replace(SAME, physical_progress=None), ["physical_progress"], id="未填进度"),
        pytest.param(replace(SAME, physical_progress=D("-0.01")), ["physical_progress"], id="负进度"),
        pytest.param(replace(SAME, physical_progress=D("100.01")), ["physical_progress"], id="超过100"),
        pytest.param(replace(SAME, physical_progress=D(100)), [], id="正好100"),
        pytest.param(replace(SAME, physical_progress=D("39.99")), ["physical_progress"], id="下降无理由"),
        pytest.param(replace(SAME, physical_progress=D("39.99"), reason=" "), ["physical_progress"], id="下降理由为空格"),
        pytest.param(replace(SAME, physical_progress=D("39.99"), reason="复核"), [], id="下降有理由"),
        pytest.param(replace(SAME, physical_progress=D("101"), reason="复核"), ["physical_progress"], id="理由救不了超过100"),
    ],
)
def test_progress_lies_between_0_and_100_and_falls_only_with_a_reason(report, expected):
    assert [field for field, _ in faults(report)] == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param({"physical_progress": D(0)}, [], id="未开工进度为零"),
        pytest.param({"physical_progress": D("0.01")}, ["physical_progress"], id="未开工有进度"),
        pytest.param({"physical_progress": D(5), "started_on": CUT_OFF}, [], id="截止日开工"),
        pytest.param({"physical_progress": D(5), "started_on": CUT_OFF + dt.timedelta(days=1)}, ["started_on"], id="开工在截止日后"),
        pytest.param({"physical_progress": D(100), "completed_on": CUT_OFF}, ["physical_progress", "completed_on"], id="没有开工就完工"),
        pytest.param({"physical_progress": D(100), "started_on": CUT_OFF, "completed_on": CUT_OFF}, [], id="同日开工完工"),
        pytest.param(
            {"physical_progress": D(100), "started_on": CUT_OFF, "completed_on": CUT_OFF - dt.timedelta(days=1)},
            ["completed_on"],
            id="完工早于开工",
        ),
    ],
)
def test_dates_of_a_project_that_has_not_started(values, expected):
    assert [field for field, _ in faults(Report(**values), NOT_STARTED)] == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param({"physical_progress": D("99.99"), "completed_on": CUT_OFF}, ["completed_on"], id="完工而进度不足"),
        pytest.param({"physical_progress": D(100), "completed_on": CUT_OFF}, [], id="完工且进度100"),
        pytest.param({"physical_progress": D(100), "completed_on": CUT_OFF + dt.timedelta(days=1)}, ["completed_on"], id="完工在截止日后"),
        pytest.param({"started_on": dt.date(2024, 3, 2)}, ["started_on"], id="与已登记开工不符"),
        pytest.param({"started_on": dt.date(2024, 3, 1)}, [], id="与已登记开工一致"),
        pytest.param({"forecast_finish_on": dt.date(2024, 2, 29)}, ["forecast_finish_on"], id="预计完工早于开工"),
        pytest.param(
            {"forecast_start_on": dt.date(2025, 4, 1), "forecast_finish_on": dt.date(2025, 3, 31)},
            ["forecast_finish_on"],
            id="预计完工早于预计开工",
        ),
        pytest.param({"forecast_start_on": dt.date(2025, 4, 1), "forecast_finish_on": dt.date(2025, 4, 1)}, [], id="预计同日"),
    ],
)
def test_dates_of_a_project_under_construction(values, expected):
    assert [field for field, _ in faults(replace(SAME, **values))] == expected


def test_a_finished_project_stays_at_100():
    known = replace(KNOWN, completed_on=dt.date(2025, 2, 1))
    assert faults(replace(SAME, physical_progress=D("99")), known) == [("physical_progress", None)]
    assert faults(replace(SAME, physical_progress=D(100)), known) == []


@pytest.mark.parametrize(("completed_on", "expected"), [(CUT_OFF, [("physical_progress", None)]), (CUT_OFF + dt.timedelta(days=1), [])])
def test_a_past_week_is_not_judged_by_what_came_later(completed_on, expected):
    assert faults(SAME, replace(KNOWN, completed_on=completed_on)) == expected


@pytest.mark.parametrize(("started_on", "expected"), [(CUT_OFF, []), (CUT_OFF + dt.timedelta(days=1), [("physical_progress", None)])])
def test_progress_begins_with_the_start(started_on, expected):
    assert faults(Report(physical_progress=D(5)), replace(NOT_STARTED, started_on=started_on)) == expected


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        pytest.param(with_line(1, in_place_wan="299.99"), [("in_place_wan", 1)], id="到位下降"),
        pytest.param(with_line(1, allocated_wan="300"), [], id="拨付等于到位"),
        pytest.param(with_line(1, allocated_wan="300.01"), [("allocated_wan", 1)], id="拨付大于到位"),
        pytest.param(with_line(1, allocated_wan="299", paid_wan="299"), [], id="支付等于拨付"),
        pytest.param(with_line(1, allocated_wan="299", paid_wan="299.01"), [("paid_wan", 1)], id="支付大于拨付"),
        pytest.param(with_line(1, in_place_wan="500"), [], id="到位等于下达"),
        pytest.param(with_line(1, in_place_wan="500.01"), [("in_place_wan", 1)], id="到位大于下达"),
        pytest.param(with_line(2, in_place_wan="400"), [], id="下达不详时到位等于计划"),
        pytest.param(with_line(2, in_place_wan="400.01"), [("in_place_wan", 2)], id="到位大于计划"),
        pytest.param(replace(with_line(2, in_place_wan="400.01"), reason="追加"), [], id="到位大于计划有理由"),
        pytest.param(with_line(1, completed_wan="600.01"), [("completed_wan", 1)], id="完成大于计划"),
        pytest.param(with_line(1, completed_wan="-1"), [("completed_wan", 1)], id="负数"),
        pytest.param(
            replace(with_line(1, completed_wan="950"), reason=""), [("completed_wan", 1), ("completed_wan", None)], id="合计超总投资"
        ),
    ],
)
def test_money_keeps_its_order(report, expected):
    assert faults(report) == expected


def test_paid_above_allocated_is_refused_whatever_the_reason():
    assert faults(replace(with_line(1, allocated_wan="300", paid_wan="300.01"), reason="先垫付")) == [("paid_wan", 1)]


def test_an_old_excess_is_not_asked_about_again():
    over = Report(physical_progress=D(90), lines={1: Money(D(500), D(500), D(500), D(700))})
    assert faults(over, replace(KNOWN, previous=over, total_investment_wan=D(650))) == []


def test_a_sentence_names_the_numbers_and_the_way_out():
    sentence = rules.check_dispatch(replace(SAME, physical_progress=D("39.50")), KNOWN)[0].sentence
    assert sentence == "总体进度由上期40%降到39.5%：请核对，确需下调请在“说明”写明理由。"


def test_a_locked_week_wants_a_reason_from_everyone():
    known = replace(KNOWN, is_locked=True)
    assert faults(SAME, known) == [("reason", None)]
    assert faults(replace(SAME, reason="漏报"), known) == []


def test_a_correction_after_the_lock_wants_a_reason_of_its_own():
    known = replace(KNOWN, is_locked=True, reason_before="审计核减")
    assert faults(replace(SAME, reason="审计核减 "), known) == [("reason", None)]
    assert faults(replace(SAME, reason="审计核减；更正笔误"), known) == []


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param({"physical_progress": D(100)}, ["completed_on"], id="100而未填完工只提示"),
        pytest.param({"physical_progress": D(100), "completed_on": CUT_OFF}, [], id="已填完工"),
        pytest.param({"forecast_finish_on": CUT_OFF - dt.timedelta(days=1)}, ["forecast_finish_on"], id="预计已过"),
        pytest.param({"forecast_finish_on": dt.date(2025, 6, 1)}, [], id="预计等于基线"),
        pytest.param({"forecast_finish_on": dt.date(2025, 6, 2)}, ["forecast_finish_on"], id="预计晚于基线"),
    ],
)
def test_odd_values_are_hinted_at_and_not_refused(values, expected):
    known = replace(KNOWN, baseline_finish_on=dt.date(2025, 6, 1))
    report = replace(SAME, **values)
    assert [hint.field for hint in rules.dispatch_hints(report, known)] == expected
    assert rules.check_dispatch(report, known) == []


@pytest.mark.parametrize(
    ("value", "expected"), [("45.00", "45"), ("45.50", "45.5"), ("100", "100"), ("0.00", "0"), ("1E+2", "100"), ("-3.10", "-3.1")]
)
def test_plain_numbers_have_no_idle_zeros(value, expected):
    assert rules.plain(D(value)) == expected


@pytest.mark.parametrize(
    ("completed_on", "expected"),
    [(None, True), (dt.date(2025, 2, 17), True), (dt.date(2025, 2, 16), False)],
    ids=["未完工", "周一完工", "上周日完工"],
)
def test_a_project_is_reported_until_the_week_of_its_completion(completed_on, expected):
    assert rules.needs_report(dt.date(2025, 2, 17), completed_on) is expected


# ── patterns over weeks, asked about and never refused ──

WEEK_8 = dt.date(2025, 2, 17)


def past(weeks_ago, progress, paid="100", done="完成护岸 200 米"):
    return rules.Past(WEEK_8 - dt.timedelta(weeks=weeks_ago), D(progress), D(paid), done)


def hints(report, *recent, **thresholds):
    known = replace(KNOWN, week_of=WEEK_8, recent=recent, **thresholds)
    return [(hint.field, hint.sentence) for hint in rules.dispatch_hints(report, known)]


def said(progress, paid="100", done="完成护岸 260 米"):
    return replace(SAME, physical_progress=D(progress), done=done, lines={1: Money(D(500), D(400), D(paid), D(400))})


@pytest.mark.parametrize(
    ("progress", "recent", "words"),
    [
        pytest.param("60", past(1, "40"), None, id="正好20个点不问"),
        pytest.param("60.01", past(1, "40"), "比上周增加20.01个百分点，超过每周20个：请核对是否属实。", id="超过即问"),
        pytest.param("75", past(2, "40"), None, id="隔两周容许40个点"),
        pytest.param("81", past(2, "40"), "2周内增加41个百分点，超过每周20个：请核对是否属实。", id="隔两周超过40"),
    ],
)
def test_a_jump_of_progress_is_asked_about(progress, recent, words):
    expected = [("physical_progress", words)] if words else []
    assert hints(said(progress), recent) == expected


def test_the_first_report_jumps_over_nothing():
    assert hints(said("90")) == []


SAME_WORDS = "完成护岸 200 米"


@pytest.mark.parametrize(
    ("report", "recent", "words"),
    [
        pytest.param(
            said("45", done=SAME_WORDS),
            [past(1, "40")],
            "进度有变化，而“本周进展”与上期一字不差：请写本周新完成的工作。",
            id="进度变了话没变",
        ),
        pytest.param(
            said("45", done="完成护岸200米。 "),
            [past(1, "40")],
            "进度有变化，而“本周进展”与上期一字不差：请写本周新完成的工作。",
            id="空格句号不算改",
        ),
        pytest.param(said("40", done=SAME_WORDS), [past(1, "40")], None, id="都没变一次不问"),
        pytest.param(
            said("40", done=SAME_WORDS),
            [past(1, "40"), past(2, "40")],
            "“本周进展”已连续3期一字不变：请写本周新完成的工作，确无进展请写明原因。",
            id="连续三期照抄",
        ),
        pytest.param(said("40", done=SAME_WORDS), [past(1, "40", done="别的"), past(2, "40")], None, id="中间换过话"),
        pytest.param(said("45", done=""), [past(1, "40", done="")], None, id="没写不算重复"),
    ],
)
def test_repeated_words_are_asked_about(report, recent, words):
    assert hints(report, *recent) == ([("done", words)] if words else [])


@pytest.mark.parametrize(
    ("report", "then", "expected"),
    [
        pytest.param(said("40", paid="150"), past(8, "40"), ["近8周支付增加50万元，总体进度一直是40%：请核对进度。"], id="有支付无进度"),
        pytest.param(
            said("50", paid="100"), past(8, "40"), ["近8周总体进度增加10个百分点，累计支付一直是100万元：请核对资金。"], id="有进度无支付"
        ),
        pytest.param(said("50", paid="150"), past(8, "40"), [], id="都在动"),
        pytest.param(said("40", paid="100"), past(8, "40"), [], id="都没动是另一回事"),
        pytest.param(said("40", paid="150"), past(7, "40"), [], id="不满8周不问"),
        pytest.param(
            said("40", paid="150"), past(9, "40"), ["近9周支付增加50万元，总体进度一直是40%：请核对进度。"], id="第8周缺报看第9周"
        ),
    ],
)
def test_money_without_progress_and_progress_without_money_are_asked_about(report, then, expected):
    assert [sentence for _, sentence in hints(report, then)] == expected


def test_a_forecast_start_that_passed_is_asked_about():
    report = replace(SAME, physical_progress=D(0), forecast_start_on=CUT_OFF - dt.timedelta(days=1))
    known = replace(KNOWN, started_on=None)
    assert [hint.field for hint in rules.dispatch_hints(report, known)] == ["forecast_start_on"]
    assert rules.dispatch_hints(report, replace(known, started_on=dt.date(2024, 3, 1))) == []
