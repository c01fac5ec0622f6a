"""Every rule of the table of measures, on both sides of each limit."""

import dataclasses
import datetime as dt
from decimal import Decimal

import pytest

from ledgers.enums import DocumentKind, Measure
from ledgers.measures import rules
from ledgers.measures.rules import Appraised, CountyCase, LetterCase, Material, PermitCase, ProjectCase, Rule, Turnout
from linfen_water.policy import Values
from projects.anomalies import PermitDates
from projects.enums import Stage
from projects.facts import ProjectFacts

pytestmark = pytest.mark.once
DAY = dt.date(2025, 2, 20)
VALUES = Values()


def after(days: int) -> dt.date:
    return DAY + dt.timedelta(days=days)


def facts(**more) -> ProjectFacts:
    blank = dict.fromkeys(field.name for field in dataclasses.fields(ProjectFacts)) | {
        "pk": 1, "code": "LF-001", "number": 1, "name": "河道治理工程", "county": "甲县", "county_code": "1", "domain": "水利",
        "stage": Stage.UNDER_CONSTRUCTION, "baseline_start_on": after(-300), "baseline_finish_on": after(300),
        "physical_progress": Decimal(50), "planned_progress": Decimal(50), "lag": Decimal(0), "week_of": dt.date(2025, 2, 17),
        "provenance": "own",
    }  # fmt: skip
    return ProjectFacts(**blank | more)


def lagging(points: str, **more) -> ProjectFacts:
    return facts(planned_progress=Decimal(50) + Decimal(points), lag=Decimal(points), **more)


def measures(case: ProjectCase | None = None, values: Values = VALUES, **county) -> set[Measure]:
    return {verdict.measure for verdict in verdicts(case, values, **county)}


def verdicts(case: ProjectCase | None = None, values: Values = VALUES, **county) -> list[rules.Verdict]:
    projects = county.pop("projects", (case,) if case else ())
    return rules.judge(Material(DAY, (CountyCase("1", "甲县", "u1", projects=projects, **county),)), values)


def found(*args, **kwargs) -> set[Rule]:
    return {verdict.rule for verdict in verdicts(*args, **kwargs)}


@pytest.mark.parametrize(
    ("days", "missing", "expected"),
    [
        pytest.param(61, ("环评",), False, id="六十一天还早"),
        pytest.param(60, ("环评",), True, id="六十天即预警"),
        pytest.param(0, ("环评",), True, id="当天仍预警"),
        pytest.param(60, (), False, id="手续齐全不预警"),
        pytest.param(-1, ("环评",), False, id="过期改由督办"),
    ],
)
def test_due_to_start_with_a_permit_missing(days, missing, expected):
    case = ProjectCase(facts(stage=Stage.NOT_STARTED, baseline_start_on=after(days)), missing_permits=missing)
    assert (Rule.START_AT_RISK in found(case)) == expected
    assert (Rule.MILESTONE_OVERDUE in found(case)) == (days < 0)


@pytest.mark.parametrize(
    ("days", "points", "expected"),
    [
        pytest.param(61, "5", False, id="六十一天还早"),
        pytest.param(60, "5", True, id="六十天且滞后"),
        pytest.param(60, "1", True, id="等于阈值即预警"),
        pytest.param(60, "0.9", False, id="刚不到阈值"),
        pytest.param(60, "0", False, id="不滞后"),
        pytest.param(0, "5", True, id="当天"),
        pytest.param(-1, "5", False, id="过期改由督办"),
    ],
)
def test_due_to_finish_and_behind(days, points, expected):
    case = ProjectCase(lagging(points, baseline_finish_on=after(days)))
    assert (Rule.FINISH_AT_RISK in found(case)) == expected


def test_a_warning_limit_of_zero_still_spares_who_is_on_plan():
    case = ProjectCase(lagging("0", baseline_finish_on=after(10)))
    assert found(case, dataclasses.replace(VALUES, warn_points=0)) == set()


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        pytest.param("9.99", set(), id="不到十"),
        pytest.param("10", {Measure.REMINDER}, id="等于十即提醒"),
        pytest.param("30", {Measure.REMINDER}, id="等于三十仍提醒"),
        pytest.param("30.01", {Measure.SUPERVISION}, id="超过三十即督办"),
    ],
)
def test_behind_plan(points, expected):
    assert measures(ProjectCase(lagging(points))) == expected


def test_a_finished_project_is_left_alone():
    late = lagging("40", stage=Stage.FINISHED, baseline_finish_on=after(-9), forecast_finish_on=after(9))
    case = ProjectCase(late, unreported_week=DAY, still_periods=9)
    assert verdicts(case) == []


def test_a_missing_number_is_its_own_verdict_and_no_lag():
    case = ProjectCase(facts(physical_progress=None, lag=None, week_of=None), unreported_week=dt.date(2025, 2, 10))
    (verdict,) = verdicts(case)
    assert (verdict.rule, verdict.measure) == (Rule.UNREPORTED, Measure.CHASE)
    assert verdict.sentence == "2025年第7周未报周调度，列入以来没有填报"


def test_a_lag_that_stands_on_an_old_report_says_so():
    case = ProjectCase(lagging("12", week_of=dt.date(2025, 2, 3)), unreported_week=dt.date(2025, 2, 10))
    told = next(verdict for verdict in verdicts(case) if verdict.rule == Rule.BEHIND)
    assert told.sentence == ("截至2025年2月20日，计划进度62.0%，实际进度50.0%，滞后12.0个百分点（实际进度为2025年第6周所报，其后未报）")


@pytest.mark.parametrize(("days", "expected"), [(0, False), (-1, True)], ids=["当天仍在时限内", "次日即逾期"])
def test_a_baseline_that_has_passed_and_a_node_that_has(days, expected):
    assert (Rule.MILESTONE_OVERDUE in found(ProjectCase(facts(baseline_finish_on=after(days))))) == expected
    assert (Rule.MILESTONE_OVERDUE in found(ProjectCase(facts(), nodes=(("主体封顶", after(days)),)))) == expected


@pytest.mark.parametrize(
    ("submitted", "expected"),
    [pytest.param("2025-02-13", False, id="承诺最后一天"), pytest.param("2025-02-12", True, id="超一个工作日")],
)
def test_a_permit_past_its_promise_goes_to_the_authority(submitted, expected):
    permit = PermitCase("eia", PermitDates("环境影响评价", "市生态环境局", dt.date.fromisoformat(submitted), 5), "eco")
    told = verdicts(ProjectCase(facts(), permits=(permit,)))
    assert [(v.rule, v.subject_type, v.subject, v.unit, v.measure) for v in told] == (
        [(Rule.PERMIT_OVERDUE, "permit", "LF-001/eia", "eco", Measure.REMINDER)] if expected else []
    )


def poor(*weeks: tuple[int, int]) -> tuple[Turnout, ...]:
    return tuple(Turnout(dt.date(2025, 2, 10) - dt.timedelta(weeks=n), 5, late, missing) for n, (late, missing) in enumerate(weeks))


@pytest.mark.parametrize(
    ("weeks", "expected"),
    [
        pytest.param(poor((1, 0), (0, 0), (0, 0), (0, 0)), False, id="一周迟报"),
        pytest.param(poor((1, 0), (0, 0), (0, 0), (0, 2)), True, id="一周迟报一周未报"),
        pytest.param(poor((1, 0), (0, 0), (0, 0), (0, 0), (3, 0)), False, id="第五周前的不计"),
    ],
)
def test_two_late_dispatches(weeks, expected):
    assert (Rule.LATE_REPORTS in found(weeks=weeks)) == expected


def test_late_and_missing_are_told_apart():
    (verdict,) = verdicts(weeks=poor((1, 0), (1, 2)))
    assert verdict.sentence == "近4期周调度有2期迟报或未报：2025年第7周应报5项、迟报1项，2025年第6周应报5项、迟报1项、未报2项"


@pytest.mark.parametrize(("rank", "expected"), [(15, False), (16, True), (18, True)], ids=["倒数第四", "倒数第三", "末位"])
def test_the_bottom_of_the_appraisal(rank, expected):
    case = ProjectCase(facts())
    assert (Rule.BOTTOM in found(case, appraised=Appraised("2025年1月", rank, 18))) == expected
    done = ProjectCase(facts(stage=Stage.FINISHED))
    assert Rule.BOTTOM not in found(done, appraised=Appraised("2025年1月", 18, 18))


@pytest.mark.parametrize(
    ("rank", "of", "tied", "expected"),
    [
        pytest.param(17, 18, 1, False, id="倒数第二"),
        pytest.param(18, 18, 1, True, id="末位"),
        pytest.param(17, 18, 2, True, id="并列末位"),
        pytest.param(16, 18, 2, False, id="并列但后面有人"),
        pytest.param(1, 18, 18, False, id="全部并列没有末位"),
        pytest.param(1, 1, 1, False, id="只有一个没有末位"),
    ],
)
def test_the_last_of_the_quarter(rank, of, tied, expected):
    place = Appraised("2024年第四季度", rank, of, tied)
    assert (Measure.LISTED_SUPERVISION in measures(ProjectCase(facts()), quarter=place)) == expected


@pytest.mark.parametrize(
    ("rank", "of", "tied", "expected"),
    [
        pytest.param(2, 4, 1, True, id="四个里的第二"),
        pytest.param(1, 4, 1, False, id="四个里的第一"),
        pytest.param(3, 3, 1, False, id="只有三个没有后三名"),
        pytest.param(16, 18, 3, True, id="三个并列第十六"),
        pytest.param(15, 18, 4, False, id="四个并列第十五按较好的名次"),
    ],
)
def test_the_last_three_by_rank(rank, of, tied, expected):
    assert (Rule.BOTTOM in found(ProjectCase(facts()), appraised=Appraised("2025年1月", rank, of, tied))) == expected


@pytest.mark.parametrize(("days", "expected"), [(300, False), (301, True)], ids=["与基线同日", "晚一天"])
def test_a_forecast_after_the_baseline(days, expected):
    case = ProjectCase(facts(forecast_finish_on=after(days)))
    assert (measures(case) == {Measure.SITE_SUPERVISION}) == expected


def still(periods: int, *, stopped: bool = False, moved_on: dt.date | None = None, code: str = "LF-001") -> ProjectCase:
    return ProjectCase(facts(code=code), still_periods=periods, is_stopped=stopped, moved_on=moved_on)


@pytest.mark.parametrize(
    ("projects", "expected"),
    [
        pytest.param((still(3),), False, id="三期"),
        pytest.param((still(4),), True, id="四期"),
        pytest.param((still(4), still(0)), False, id="有一个在动"),
        pytest.param((still(4), still(0, stopped=True)), True, id="停工的不计"),
        pytest.param((still(9, stopped=True),), False, id="全部停工"),
        pytest.param((), False, id="没有项目"),
        pytest.param((ProjectCase(facts(stage=Stage.FINISHED), still_periods=9),), False, id="都已完工"),
    ],
)
def test_no_visible_progress_of_a_county(projects, expected):
    assert (measures(projects=projects) == {Measure.REGULATORY_TALK}) == expected


def test_a_talk_names_every_project_with_its_periods():
    (verdict,) = verdicts(projects=(still(5), still(4, code="LF-002"), still(0, stopped=True, code="LF-003")))
    assert verdict.sentence == (
        "连续4期周调度，2个未完工项目的阶段、进度、完成投资和资金均无变化，无新办结手续、新销号问题；另有1个经批准停工，未计"
    )
    assert [name for name, _ in verdict.evidence] == ["LF-001", "LF-002", "期数（建议值）"]


@pytest.mark.parametrize(
    ("talked", "moved", "expected"),
    [
        pytest.param(-29, None, False, id="不足一月"),
        pytest.param(-30, None, True, id="满一月"),
        pytest.param(-30, -40, True, id="约谈前动过"),
        pytest.param(-30, -30, True, id="约谈当天动过"),
        pytest.param(-30, -20, False, id="约谈后动过"),
    ],
)
def test_still_no_change_after_a_talk(talked, moved, expected):
    case = still(3, moved_on=after(moved) if moved else None)
    assert (Rule.STILL_AFTER_TALK in found(case, talked_on=after(talked))) == expected


def letter(kind=DocumentKind.REMINDER, due: int = -1, **more) -> LetterCase:
    return LetterCase("测函〔2025〕1号", kind, "u1", "甲县人民政府", after(-20), after(due), **more)


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        pytest.param(letter(due=0), set(), id="应回复日当天"),
        pytest.param(letter(due=-1), {Rule.UNANSWERED}, id="逾期一天"),
        pytest.param(letter(answered_on=after(-5)), set(), id="已回复"),
        pytest.param(letter(closed_on=after(-5)), set(), id="已办结"),
        pytest.param(letter(DocumentKind.SUPERVISION), set(), id="督办函未回复不再督办"),
        pytest.param(letter(closed_on=DAY, moved_up_to="supervision", moved_up_reason="答复空泛"), {Rule.MOVED_UP}, id="人工升级"),
        pytest.param(
            letter(closed_on=DAY, moved_up_to="supervision", moved_up_reason="答复空泛", is_followed=True), set(), id="已发督办函"
        ),
    ],
)
def test_what_becomes_of_letters(case, expected):
    assert found(letters=(case,)) == expected
    assert {v.measure for v in verdicts(letters=(case,))} <= {Measure.SUPERVISION}


def test_letters_of_departments_are_judged_too():
    found = rules.judge(Material(DAY, (), (letter(),)), VALUES)
    assert [(v.subject_type, v.subject, v.unit) for v in found] == [("letter", "测函〔2025〕1号", "u1")]


@pytest.mark.parametrize(("letters", "expected"), [((), False), ((letter(DocumentKind.SUPERVISION),), True)], ids=["无", "一件未复"])
def test_the_file_is_gathered_only_beside_a_listed_supervision(letters, expected):
    talked = {"talked_on": after(-40)}
    assert (Rule.GRAVE in found(still(9), letters=letters, **talked)) == expected
    assert Rule.GRAVE not in found(still(9), letters=letters)


def test_every_rule_leads_to_one_measure_and_every_verdict_is_json():
    assert set(Rule) == set(rules.MEASURES) | {Rule.MOVED_UP}  # which a person leads on
    (verdict,) = verdicts(ProjectCase(lagging("12")))
    assert set(verdict.to_json()) == {"rule", "subject_type", "subject", "measure", "sentence", "evidence", "policy_on"}


def test_thresholds_are_arguments():
    case = ProjectCase(lagging("12"))
    assert measures(case, dataclasses.replace(VALUES, behind_points=13)) == set()
    assert measures(case, dataclasses.replace(VALUES, behind_points=5, far_behind_points=11)) == {Measure.SUPERVISION}
