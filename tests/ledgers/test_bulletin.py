"""Facts of a month's bulletin on a small city, and what is said of them. The city: two counties, two domains, TODAY 2025-02-20."""

import dataclasses
import datetime as dt
import json
from decimal import Decimal as D

import pytest

from ledgers.documents import DocumentFault
from ledgers.documents.bulletin import BulletinFacts, Pollutant, gather
from ledgers.documents.bulletin_words import bulletin_paper
from ledgers.documents.paper import Paragraph, Table
from linfen_water.dates import month_end
from monitoring.enums import PeriodKind, WaterClass
from monitoring.models import Assessment, SectionTarget
from projects.enums import StageEvent
from projects.models import Dispatch
from tests.factories import (
    TODAY,
    CountyFactory,
    DispatchFactory,
    DomainFactory,
    PermitFactory,
    ProblemFactory,
    ProjectFactory,
    RegionFactory,
    SectionFactory,
)

JANUARY, FEBRUARY = dt.date(2025, 1, 1), dt.date(2025, 2, 1)
END = dt.date(2025, 1, 31)
LAST_MONDAY = dt.date(2025, 1, 27)
pytestmark = pytest.mark.django_db


@pytest.fixture
def city():
    """Finished: A1, A2 (in January). Under construction: A3 on plan, B1 far behind. Not started: B2, due in February."""
    RegionFactory()
    a, b = CountyFactory(name="甲县", position=1), CountyFactory(name="乙县", position=2)
    water, towns = DomainFactory(name="水利", position=1), DomainFactory(name="住建", position=2)
    plan = {"baseline_start_on": dt.date(2024, 1, 1)}
    ProjectFactory(code="A1", name="甲一工程", county=a, domain=water, finished=True, **plan)
    ProjectFactory(code="A2", name="甲二工程", county=a, domain=water, completed_on=dt.date(2025, 1, 10), **plan)
    a3 = ProjectFactory(code="A3", name="甲三工程", county=a, domain=towns, baseline_finish_on=dt.date(2026, 1, 31), **plan)
    b1 = ProjectFactory(code="B1", name="乙一工程", county=b, domain=towns, baseline_finish_on=dt.date(2025, 3, 31), **plan)
    ProjectFactory(
        code="B2", name="乙二工程", county=b, domain=water, not_started=True,
        baseline_start_on=dt.date(2025, 2, 10), baseline_finish_on=dt.date(2025, 12, 31),
    )  # fmt: skip
    DispatchFactory(project=a3, week_of=LAST_MONDAY, physical_progress=D(55), invested_wan=D(600), in_place_wan=D(800), paid_wan=D(500))
    DispatchFactory(project=a3, week_of=dt.date(2024, 12, 23), physical_progress=D(50), invested_wan=D(500))
    DispatchFactory(project=b1, week_of=LAST_MONDAY, physical_progress=D(20), submitted=True)
    DispatchFactory(project=b1, week_of=dt.date(2024, 12, 23), physical_progress=D(20))


def texts(facts: BulletinFacts) -> str:
    return "\n".join(block.text for block in bulletin_paper(facts).body if isinstance(block, Paragraph))


def test_overall_figures_and_those_of_the_month_before(city):
    facts = gather(JANUARY, TODAY)
    assert (facts.as_of, facts.before_on) == (END, dt.date(2024, 12, 31))
    now, before = facts.totals, facts.before
    assert (now.count, now.not_started, now.under_construction, now.finished) == (5, 1, 2, 2)
    assert (before.count, before.not_started, before.under_construction, before.finished) == (5, 1, 3, 1)
    assert (now.finish_rate, before.finish_rate) == (D("40.0"), D("20.0"))
    assert now.invested_wan == D(1000)
    assert facts.unreviewed == 1


def test_words_of_the_overall_figures(city):
    said = texts(gather(JANUARY, TODAY))
    assert "列入清单的工程项目共5个，总投资0.50亿元。其中，前期1个，在建2个，完工2个。" in said
    assert "累计开工4个（含完工），开工率80.0%（4/5），与上月末持平；完工率40.0%（2/5），较上月末提高20.0个百分点。" in said
    assert "本月无新开工项目。本月新完工项目1个：甲县甲二工程。" in said
    assert "其中1个项目的最近一期周调度尚待审核。" in said


def test_domains_are_in_the_regions_order_with_their_sums(city):
    facts = gather(JANUARY, TODAY)
    assert [(row.name, row.totals.count, row.totals.finished) for row in facts.domains] == [("水利", 3, 2), ("住建", 2, 0)]


def test_counties_are_ranked_with_numerator_and_denominator(city):
    facts = gather(JANUARY, TODAY)
    rows = {row.name: row for row in facts.counties if row.totals.count}
    assert (rows["甲县"].finish_rank, rows["甲县"].totals.finished, rows["甲县"].totals.count) == (1, 2, 3)
    assert (rows["乙县"].finish_rank, rows["乙县"].totals.finished, rows["乙县"].totals.count) == (2, 0, 2)
    assert "完工率最高的是甲县（2/3），为66.7%；最低的是乙县（0/2），为0.0%。" in texts(facts)


def test_ties_share_a_rank_and_the_next_is_skipped():
    RegionFactory()
    for place, finished in enumerate([2, 1, 1, 0]):
        county = CountyFactory(name=f"县{place}", position=place)
        for n in range(2):
            ProjectFactory(county=county, finished=n < finished)
    facts = gather(JANUARY, TODAY)
    assert [row.finish_rank for row in facts.counties if row.totals.count] == [1, 2, 2, 4]


def test_a_project_far_behind_is_listed_with_its_sentence_and_one_on_plan_is_not(city):
    (row,) = gather(JANUARY, TODAY).lagging
    assert (row.code, row.is_far, row.physical_progress) == ("B1", True, D(20))
    assert row.sentence == "截至2025年1月31日，计划进度87.0%，实际进度20.0%，滞后67.0个百分点"


@pytest.mark.parametrize(
    ("reported", "listed", "is_far"),
    [
        pytest.param("90.01", False, False, id="滞后不到10个百分点"),
        pytest.param("90.00", True, False, id="滞后10个百分点即列入"),
        pytest.param("70.00", True, False, id="滞后30个百分点还不算严重"),
        pytest.param("69.99", True, True, id="超过30个百分点为严重"),
    ],
)
def test_both_sides_of_the_thresholds(reported, listed, is_far):
    RegionFactory()
    project = ProjectFactory(baseline_start_on=dt.date(2024, 1, 1), baseline_finish_on=END)
    DispatchFactory(project=project, week_of=LAST_MONDAY, physical_progress=D(reported))
    assert [row.is_far for row in gather(JANUARY, TODAY).lagging] == ([is_far] if listed else [])


def test_a_project_without_change_is_silent_and_a_permit_or_a_closed_problem_ends_that(city):
    assert [(row.code, row.is_unreported) for row in gather(JANUARY, TODAY).silent] == [("B1", False), ("B2", True)]
    b1 = Dispatch.objects.filter(project__code="B1").first().project
    ProblemFactory(project=b1, raised_on=dt.date(2024, 12, 1), closed_on=dt.date(2025, 1, 20), closing_basis="已解决")
    b2 = b1.__class__.objects.get(code="B2")
    PermitFactory(project=b2, obtained_on=dt.date(2025, 1, 3))  # the day that the four weeks are counted from
    assert [row.code for row in gather(JANUARY, TODAY).silent] == ["B2"]


def test_next_months_list_takes_baseline_or_forecast_and_leaves_out_what_is_done(city):
    a3 = Dispatch.objects.filter(project__code="A3", week_of=LAST_MONDAY)
    a3.update(forecast_finish_on=dt.date(2025, 2, 28))
    due = gather(JANUARY, TODAY).due
    assert [(row.code, row.event, row.baseline_on) for row in due] == [
        ("B2", StageEvent.START, dt.date(2025, 2, 10)),
        ("A3", StageEvent.COMPLETION, dt.date(2026, 1, 31)),
    ]


def test_the_running_month_speaks_as_of_today_and_says_so(city):
    facts = gather(FEBRUARY, TODAY)
    assert (facts.as_of, facts.before_on) == (TODAY, END)
    assert "本月尚未结束，数据为月中数。" in texts(facts)


def test_an_earlier_month_gives_the_figures_of_its_end(city):
    facts = gather(dt.date(2023, 12, 1), TODAY)
    assert (facts.as_of, facts.totals.started, facts.totals.finished) == (dt.date(2023, 12, 31), 1, 0)


def test_before_anything_was_listed_there_is_no_bulletin(city):
    with pytest.raises(DocumentFault, match="还没有项目"):
        gather(dt.date(2023, 4, 1), TODAY)
    first = gather(dt.date(2023, 5, 1), TODAY)
    assert first.before is None
    assert "上月末无可比数据" in texts(first)


def assess(section, starts_on, water_class, *, kind=PeriodKind.MONTH, published_on=None, **values):
    ends_on = dt.date(starts_on.year, 12, 31) if kind == PeriodKind.YEAR else month_end(starts_on)
    published_on = published_on or ends_on + dt.timedelta(days=5)
    period = {"period_kind": kind, "starts_on": starts_on, "ends_on": ends_on, "published_on": published_on}
    return Assessment.objects.create(section=section, water_class=water_class, source="演示", **period, **values)


def test_sections_speak_of_the_latest_published_month_and_year(city):
    good, poor, unknown = (SectionFactory(name=name) for name in ("好断面", "差断面", "无数断面"))
    december, november = dt.date(2024, 12, 1), dt.date(2024, 11, 1)
    assess(good, december, WaterClass.II)
    assess(good, JANUARY, WaterClass.V, published_on=dt.date(2025, 2, 10))  # not known at the month's end
    assess(poor, december, WaterClass.III, published_on=dt.date(2025, 1, 4))
    assess(poor, december, WaterClass.IV, revision=2, main_pollutants=[["nh3n", "0.3"], ["do", None]])
    assess(poor, november, WaterClass.III)
    assess(good, dt.date(2024, 1, 1), WaterClass.II, kind=PeriodKind.YEAR)
    assess(poor, dt.date(2024, 1, 1), WaterClass.IV, kind=PeriodKind.YEAR)
    SectionTarget.objects.create(section=poor, year=2024, water_class=WaterClass.III)
    facts = gather(JANUARY, TODAY)
    rows = {row.name: row for row in facts.water.rows}
    assert facts.water.month == december
    assert (rows["好断面"].water_class, rows["差断面"].water_class, rows["无数断面"].water_class) == (WaterClass.II, WaterClass.IV, None)
    assert (rows["差断面"].before, rows["差断面"].meets_target) == (WaterClass.III, False)
    assert rows["差断面"].pollutants == (Pollutant("氨氮", D("0.3")), Pollutant("溶解氧", None))
    assert (facts.water.year, facts.water.year_good, facts.water.year_assessed) == (2024, 1, 2)
    said = texts(facts)
    assert (
        "国考断面3个，未参评1个（无数断面，未监测），参评2个，优良（Ⅰ—Ⅲ类）1个，优良比例50.0%（1/2），"
        "环比下降50.0个百分点（上月1/1），同比无可比数据。"
    ) in said
    assert "主要污染物氨氮（0.3倍）、溶解氧" in said
    assert "2024年全年评价，优良断面1个，优良比例50.0%（1/2）。" in said
    assert unknown.name in said


def test_none_of_anything_is_said_with_words_not_zeros():
    RegionFactory()
    project = ProjectFactory(finished=True)
    said = texts(gather(JANUARY, TODAY))
    assert "完工1个，无前期项目，无在建项目" in said
    assert "本月无新开工项目。本月无新完工项目。" in said
    assert "无滞后项目。" in said
    assert "无连续四期（建议值）无变化的项目。" in said
    assert "2025年2月无按基线计划或最新预计应开工、应完工的项目。" in said
    assert "尚无已公布的国考断面水质评价结果" in said
    assert project.code not in said
    assert "None" not in said


def test_no_money_and_no_report_is_a_dash_never_a_fault():
    RegionFactory()
    ProjectFactory(not_started=True, total_investment_wan=D(0))
    paper = bulletin_paper(gather(JANUARY, TODAY))
    assert "None" not in str(dataclasses.asdict(paper))
    ranking = paper.attachments[0].table.rows
    assert all(isinstance(cell, str) for row in ranking for cell in row)


def test_every_list_that_is_named_has_its_attachment(city):
    paper = bulletin_paper(gather(JANUARY, TODAY))
    assert [attachment.name for attachment in paper.attachments] == [
        "2025年1月各县（市、区）进展情况排名表",
        "2025年1月新开工、完工项目清单",
        "2025年1月滞后项目清单",
        "2025年1月连续四期无变化项目清单",
        "2025年2月到期任务清单",
    ]
    said = texts(gather(JANUARY, TODAY))
    assert all(f"见附件{n}。" in said for n in (1, 3, 4, 5))


def test_every_row_of_a_table_has_a_cell_for_each_column(city):
    paper = bulletin_paper(gather(JANUARY, TODAY))
    tables = [block for block in paper.body if isinstance(block, Table)] + [a.table for a in paper.attachments]
    assert len(tables) >= 6
    assert {len(row) == len(table.columns) for table in tables for row in table.rows} == {True}


def test_thresholds_are_called_proposals(city):
    assert texts(gather(JANUARY, TODAY)).count("建议值") >= 2


def test_a_draft_has_blanks_and_marks_and_an_issued_paper_has_number_and_date(city):
    facts = gather(dt.date(2024, 12, 1), TODAY)
    draft, issued = bulletin_paper(facts), bulletin_paper(facts, number=3, issued_on=dt.date(2025, 1, 6))
    assert draft.file_number.endswith("〔2025〕　号")
    assert any("草稿" in mark for mark in draft.marks)
    assert (issued.file_number[-8:], issued.dated, issued.printed) == ("〔2025〕3号", "2025年1月6日", "2025年1月6日印发")
    assert [mark[:4] for mark in issued.marks] == ["演示数据"]


def test_an_offices_own_data_carry_no_demo_mark(city):
    facts = dataclasses.replace(gather(JANUARY, TODAY), is_demo=False)
    assert bulletin_paper(facts, number=1, issued_on=END).marks == ()


def test_facts_are_json_both_ways(city):
    facts = gather(JANUARY, TODAY)
    assert BulletinFacts.from_json(json.loads(json.dumps(facts.to_json()))) == facts


def test_the_number_of_queries_does_not_grow_with_the_projects(city, django_assert_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as few:
        gather(JANUARY, TODAY)
    for _ in range(30):
        ProjectFactory(behind=True)
    with django_assert_num_queries(len(few)):
        gather(JANUARY, TODAY)
