"""What verdicts are judged from: read once for many days, as of each of them; and the command that prints them."""

import datetime as dt
import json
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command

from ledgers import appraisal
from ledgers.measures import facts, reports
from ledgers.measures.rules import Rule
from linfen_water.models import Policy
from projects.enums import PermitKind, Provenance, StopKind
from projects.facts import facts_on_each, project_facts
from projects.stop_models import ApprovedStop
from projects.target_models import Milestone
from tests.factories import (
    LAST_WEEK,
    THIS_WEEK,
    TODAY,
    DispatchFactory,
    PermitFactory,
    ProblemFactory,
    ProjectFactory,
    RegionFactory,
    UnitFactory,
)

pytestmark = pytest.mark.django_db
WEEK = dt.timedelta(weeks=1)


@pytest.fixture(autouse=True)
def region():
    return RegionFactory()


def report_weeks(project, number: int, **said) -> None:
    """The same report in each of the `number` weeks up to this one."""
    for n in range(number):
        DispatchFactory(project=project, week_of=THIS_WEEK - n * WEEK, **said)


def case(day: dt.date = TODAY):
    (county,) = [county for county in facts.read_day(day).counties if county.projects]
    return county.projects[0]


def rules_on(day: dt.date = TODAY) -> set[Rule]:
    return {verdict.rule for verdict in reports.verdicts(day)}


def test_standing_still_is_counted_in_weeks_that_are_due():
    report_weeks(ProjectFactory(), 6)
    assert case().still_periods >= 5
    assert Rule.NO_PROGRESS in rules_on()


@pytest.mark.parametrize("moved", ["progress", "money", "permit", "problem"])
def test_any_visible_step_is_progress(moved):
    project = ProjectFactory()
    report_weeks(project, 1, **{"physical_progress": Decimal(41)} if moved == "progress" else {})
    if moved == "permit":
        PermitFactory(project=project, kind=PermitKind.EIA, obtained_on=dt.date(2025, 2, 18))
    elif moved == "problem":
        ProblemFactory(project=project, raised_on=dt.date(2025, 1, 3), closed_on=dt.date(2025, 2, 18))
    for n in range(1, 6):
        DispatchFactory(project=project, week_of=THIS_WEEK - n * WEEK, **{"paid_wan": Decimal(200)} if moved == "money" else {})
    assert (case().still_periods, case().moved_on) == (0, TODAY)
    assert Rule.NO_PROGRESS not in rules_on()


def test_a_missing_report_counts_as_no_progress_and_is_a_verdict_of_its_own():
    project = ProjectFactory()
    DispatchFactory(project=project, week_of=dt.date(2024, 12, 30))
    assert {Rule.NO_PROGRESS, Rule.UNREPORTED} <= rules_on()
    assert case().unreported_week == LAST_WEEK


def test_weeks_of_an_approved_stop_do_not_count():
    project = ProjectFactory()
    report_weeks(project, 8)
    before = case().still_periods
    stop = ApprovedStop.objects.create(
        project=project, kind=StopKind.WINTER, from_on=dt.date(2025, 2, 3), until_on=dt.date(2025, 2, 12), ground="〔2025〕1号"
    )
    assert case().still_periods == before - 2
    stop.until_on = TODAY
    stop.save()
    assert case().is_stopped
    assert Rule.NO_PROGRESS not in rules_on()


@pytest.mark.parametrize("whose", ["county", "all", "other"])
def test_a_stop_of_a_county_or_of_all_holds_its_projects(whose):
    project = ProjectFactory()
    county = {"county": project.versions.get().county, "all": None, "other": ProjectFactory(finished=True).versions.get().county}[whose]
    ApprovedStop.objects.create(county=county, kind=StopKind.WINTER, from_on=dt.date(2025, 1, 1), until_on=TODAY, ground="〔2025〕1号")
    stopped = [one.is_stopped for c in facts.read_day(TODAY).counties for one in c.projects if one.facts.code == project.code]
    assert stopped == [whose != "other"]


def bottom(day: dt.date) -> set[str]:
    """Sentences of the appraisal's rules."""
    return {v.sentence for v in reports.verdicts(day) if v.rule in {Rule.BOTTOM, Rule.QUARTER_LAST}}


def test_the_appraisal_of_the_last_month_and_quarter_is_fed_to_the_rules():
    """Four counties; who reported nothing is the last, of the month and of the quarter; a finished county is left alone."""
    for progress in (90, 80, 70):
        DispatchFactory(project=ProjectFactory(finished=progress == 70), week_of=dt.date(2024, 12, 23), physical_progress=Decimal(progress))
    ProjectFactory(name="没有填报的项目")
    (last,) = [v for v in reports.verdicts(TODAY) if v.rule == Rule.QUARTER_LAST]
    assert last.sentence == "2024年第四季度考核末位（第4名，共4个）"
    assert "2025年1月考核第4名（共4个），还有1个项目未完工" in bottom(TODAY)
    assert not any(v.county == last.county for v in reports.verdicts(dt.date(2023, 6, 1)) if v.rule == Rule.QUARTER_LAST)


def test_three_counties_have_no_last_three():
    for _ in range(3):
        ProjectFactory()
    assert not any("还有" in sentence for sentence in bottom(TODAY))


def weeks_unchanged() -> list[int]:
    return list(appraisal.unchanged_weeks(TODAY, project_facts(TODAY)).values())


def test_the_ledger_of_counties_counts_no_weeks_of_an_approved_stop():
    project = ProjectFactory(started_on=TODAY - 10 * WEEK)
    report_weeks(project, 10)
    assert weeks_unchanged() == [10]
    stop = ApprovedStop.objects.create(
        project=project, kind=StopKind.WINTER, from_on=dt.date(2025, 2, 6), until_on=dt.date(2025, 2, 7), ground="〔2025〕1号"
    )  # Thursday and Friday: the last day of one week, the first of the next
    assert weeks_unchanged() == [8]
    stop.until_on = TODAY
    stop.save()
    assert weeks_unchanged() == []  # stopped on the day


def test_the_past_is_judged_by_what_was_true_then():
    project = ProjectFactory(baseline_finish_on=dt.date(2025, 1, 10))
    Milestone.objects.create(
        project=project, name="主体完工", due_on=dt.date(2024, 12, 1), responsible_post="副县长", done_on=dt.date(2025, 1, 5)
    )
    report_weeks(project, 10)
    assert [v.sentence for v in reports.verdicts(dt.date(2025, 1, 4)) if v.rule == Rule.MILESTONE_OVERDUE] == [
        "节点“主体完工”应于2024年12月1日完成，已过34天仍未完成"
    ]
    told = [v.sentence for v in reports.verdicts(TODAY) if v.rule == Rule.MILESTONE_OVERDUE]
    assert told == ["2025年1月10日基线完工已过41天仍未完工，总体进度40%，未报新的预计日期"]


@pytest.mark.parametrize("provenance", [Provenance.PUBLIC, Provenance.LIKELY])
def test_real_works_are_never_judged_in_a_demo(provenance, region):
    ProjectFactory(behind=True, provenance=provenance)
    assert reports.verdicts(TODAY) == []
    region.demo_on = None
    region.save()


def test_permits_go_to_their_authority_and_missing_ones_warn():
    authority = UnitFactory(name="市生态环境局")
    project = ProjectFactory(not_started=True, baseline_start_on=dt.date(2025, 3, 20))
    report_weeks(project, 6, physical_progress=Decimal(0))
    PermitFactory(project=project, kind=PermitKind.EIA, authority=authority, submitted_on=dt.date(2025, 1, 2), promised_workdays=10)
    PermitFactory(project=project, kind=PermitKind.WATER_INTAKE, is_required=False)
    told = {verdict.rule: verdict for verdict in reports.verdicts(TODAY)}
    assert told[Rule.PERMIT_OVERDUE].unit == authority.code
    assert told[Rule.START_AT_RISK].sentence == "2025年3月20日应开工，距今28天，尚缺1项手续：环境影响评价"
    assert told[Rule.START_AT_RISK].unit == project.versions.get().responsible_unit.code


def test_many_days_cost_the_same_whatever_the_projects(django_assert_num_queries, django_assert_max_num_queries):
    ProjectFactory(behind=True)
    days = [TODAY - n * WEEK for n in range(9)]
    with django_assert_max_num_queries(62) as first:
        facts.read(days)
    for _ in range(5):
        project = ProjectFactory(behind=True)
        PermitFactory(project=project)
    with django_assert_num_queries(len(first)):
        facts.read(days)


def test_judge_prints_the_stable_interface(capsys):
    project = ProjectFactory(behind=True)
    Policy.objects.create(effective_on=dt.date(2025, 1, 1), values={}, reason="会议议定")
    call_command("judge", as_of="2025-02-20")
    found = json.loads(capsys.readouterr().out)
    assert {"far_behind"} <= {verdict["rule"] for verdict in found}
    told = next(verdict for verdict in found if verdict["rule"] == "far_behind")
    assert (told["subject_type"], told["subject"], told["measure"], told["policy_on"]) == (
        "project",
        project.code,
        "supervision",
        "2025-01-01",
    )
    assert told["sentence"].startswith("截至2025年2月20日，计划进度")
    assert told["evidence"]["阈值（建议值）"] == "超过30个百分点"
    before = json.loads((call_command("judge", as_of="2024-01-01"), capsys.readouterr().out)[1])
    assert {verdict["policy_on"] for verdict in before} == {None}  # our own proposals, which nobody had set yet


@pytest.mark.parametrize("day", ["2025-13-01", "2026-01-01", "heute"])
def test_judge_refuses_an_impossible_day_in_chinese(day):
    with pytest.raises(CommandError, match="日期"):
        call_command("judge", as_of=day)


def test_facts_of_many_days_are_those_of_each():
    ProjectFactory(behind=True)
    ProjectFactory(finished=True)
    late = ProjectFactory(listed_on=dt.date(2025, 2, 1), not_started=True)
    DispatchFactory(project=late, week_of=THIS_WEEK, physical_progress=Decimal(0))
    days = [dt.date(2023, 4, 30), dt.date(2024, 11, 20), dt.date(2025, 2, 1), dt.date(2025, 2, 13), TODAY]
    assert facts_on_each(days) == {day: project_facts(day) for day in days}
