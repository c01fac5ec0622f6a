"""Facts of a month's bulletin on a small city, and what is said of them. The city: two counties, two domains, TODAY 2025-02-20."""

import dataclasses
import datetime as dt
import json
from decimal import Decimal as D

import pytest

from ledgers.documents import DocumentFault, bulletin_rules, pdf, wall_maps
from ledgers.documents.bulletin import BulletinFacts, Lagging, Pollutant, gather
from ledgers.documents.bulletin_words import bulletin_paper
from ledgers.documents.paper import Figure, Paragraph, Table
from linfen_water.dates import month_end
from linfen_water.palette import colours
from monitoring.enums import Level, PeriodKind, WaterClass
from monitoring.models import Assessment, SectionTarget
from projects import charts
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


def every_word(paper) -> str:
    return "\n".join(pdf._strings(dataclasses.asdict(paper)))


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


def assess(section, starts_on, water_class, *, kind=PeriodKind.MONTH, ends_on=None, published_on=None, **values):
    ends_on = ends_on or (dt.date(starts_on.year, 12, 31) if kind == PeriodKind.YEAR else month_end(starts_on))
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


def test_targets_are_told_with_the_multiples_against_them(city):
    """A section may miss a target stricter than Ⅲ while it has no main pollutant at all."""
    strict, met = SectionFactory(name="严断面"), SectionFactory(name="达断面")
    december = dt.date(2024, 12, 1)
    for section, target in ((strict, WaterClass.II), (met, WaterClass.III)):
        SectionTarget.objects.create(section=section, year=2024, water_class=target)
        assess(section, december, WaterClass.III, values={"nh3n": "0.75"}, items=["nh3n"])
    facts = gather(JANUARY, TODAY)
    row = {row.name: row for row in facts.water.rows}["严断面"]
    assert (row.pollutants, row.over_target) == ((), (Pollutant("氨氮", D("0.5")),))
    assert (
        f"对照考核目标，达标1个（1/2），未达标断面：严断面（{strict.county.name}，目标Ⅱ类，实际Ⅲ类，对目标超标项目氨氮（0.5倍））。"
        in texts(facts)
    )


def test_changes_are_told_by_rating_with_both_classes(city):
    december, november, last_year = dt.date(2024, 12, 1), dt.date(2024, 11, 1), dt.date(2023, 12, 1)
    better, worse, same = (SectionFactory(name=name) for name in ("好转断面", "变差断面", "不变断面"))
    for section, before, now, a_year_before in (
        (better, WaterClass.V, WaterClass.III, WaterClass.III),
        (worse, WaterClass.III, WaterClass.IV, WaterClass.IV),
        (same, WaterClass.I, WaterClass.II, None),
    ):
        assess(section, november, before)
        assess(section, december, now)
        assess(section, last_year, a_year_before)
    said = texts(gather(JANUARY, TODAY))
    assert "与上月相比，明显好转1个（好转断面Ⅴ类→Ⅲ类），有所变差1个（变差断面Ⅲ类→Ⅳ类），其余1个无明显变化。" in said
    assert "与2023年12月相比，可比的2个无明显变化，1个无可比数据。" in said
    assert "优良比例66.7%（2/3），环比持平（上月2/3），同比提高16.7个百分点（上年同月1/2）。" in said


def test_january_to_the_month_is_told_once_it_is_more_than_a_month(city):
    section = SectionFactory(name="某断面")
    november, months = dt.date(2024, 11, 1), {"kind": PeriodKind.TO_DATE, "ends_on": dt.date(2024, 11, 30)}
    assess(section, november, WaterClass.II)
    assess(section, dt.date(2024, 1, 1), WaterClass.IV, main_pollutants=[["nh3n", "0.3"]], **months)
    assess(section, dt.date(2023, 1, 1), WaterClass.III, kind=PeriodKind.TO_DATE, ends_on=dt.date(2023, 11, 30))
    assert (
        "2024年1—11月累计评价，国考断面1个，参评1个，优良0个，优良比例0.0%（0/1），同比下降100.0个百分点（上年同期1/1）；无劣Ⅴ类断面。"
        f"未达到优良的断面：{section.river.name}某断面（{section.county.name}，Ⅳ类，主要污染物氨氮（0.3倍））。"
    ) in texts(gather(dt.date(2024, 12, 1), TODAY))


def test_january_alone_has_no_months_to_sum_up_and_december_no_second_year():
    RegionFactory()
    ProjectFactory()
    section = SectionFactory()
    assess(section, JANUARY, WaterClass.II, published_on=END)
    assert gather(JANUARY, TODAY).water.to_date == ()
    assess(section, dt.date(2023, 12, 1), WaterClass.II)
    assess(section, dt.date(2023, 1, 1), WaterClass.II, kind=PeriodKind.TO_DATE, ends_on=dt.date(2023, 12, 31))
    assert len(gather(dt.date(2024, 1, 1), TODAY).water.to_date) == 1  # the year is not published yet
    assess(section, dt.date(2023, 1, 1), WaterClass.II, kind=PeriodKind.YEAR, published_on=dt.date(2024, 1, 24))
    assert gather(dt.date(2024, 1, 1), TODAY).water.to_date == ()


def test_years_have_their_denominators_and_a_chart_when_there_are_two(city):
    a, b = SectionFactory(), SectionFactory()
    assess(a, JANUARY, WaterClass.II, published_on=END)
    for section, year, water_class in ((a, 2023, WaterClass.IV), (a, 2024, WaterClass.II), (b, 2023, None), (b, 2024, WaterClass.II)):
        assess(section, dt.date(year, 1, 1), water_class, kind=PeriodKind.YEAR, published_on=dt.date(year + 1, 1, 24))
    facts = gather(JANUARY, TODAY)
    assert [(y.year, y.good, y.evaluated) for y in facts.water.years] == [(2023, 0, 1), (2024, 2, 2)]
    assert "2024年全年评价，优良断面2个，优良比例100.0%（2/2），较上年提高100.0个百分点（上年0/1）。" in texts(facts)
    figures = [block for block in bulletin_paper(facts).body if isinstance(block, Figure)]
    assert figures[-1].alt == "2023年优良0个，参评1个；2024年优良2个，参评2个"
    assert "100.0%（2/2）" in figures[-1].svg


def test_a_result_corrected_in_the_month_is_named_with_old_and_new_class(city):
    section, quiet = SectionFactory(name="更正断面"), SectionFactory(name="早更正断面")
    november = dt.date(2024, 11, 1)
    for one, corrected_on in ((section, dt.date(2025, 1, 15)), (quiet, dt.date(2024, 12, 20))):
        assess(one, november, WaterClass.IV)
        assess(one, november, WaterClass.III, revision=2, published_on=corrected_on)
    said = texts(gather(JANUARY, TODAY))
    assert "本期有1项评价结果作了更正：更正断面2024年11月由Ⅳ类更正为Ⅲ类（2025年1月15日发布），以更正后的结果为准。" in said
    assert "早更正断面" in texts(gather(dt.date(2024, 12, 1), TODAY))


def test_a_correction_that_leaves_the_class_is_not_told(city):
    section = SectionFactory()
    assess(section, dt.date(2024, 11, 1), WaterClass.III)
    assess(section, dt.date(2024, 11, 1), WaterClass.III, revision=2, published_on=dt.date(2025, 1, 15), values={"ph": "8"})
    assert gather(JANUARY, TODAY).water.corrections == ()


def test_stations_are_said_once_not_to_be_used(city):
    assess(SectionFactory(), dt.date(2024, 12, 1), WaterClass.III)
    assert texts(gather(JANUARY, TODAY)).count("自动监测站数据未参与") == 1


def test_only_national_sections_enter(city):
    assess(SectionFactory(name="国考断面甲"), dt.date(2024, 12, 1), WaterClass.III)
    assess(SectionFactory(name="其他断面乙", level=Level.OTHER), dt.date(2024, 12, 1), WaterClass.V)
    assert [row.name for row in gather(JANUARY, TODAY).water.rows] == ["国考断面甲"]


def test_no_section_evaluated_is_said_and_never_a_share_of_nothing(city):
    section = SectionFactory(name="某断面")
    assess(section, dt.date(2024, 12, 1), None, note="断流")
    said = texts(gather(JANUARY, TODAY))
    assert "国考断面1个，未参评1个（某断面，断流），参评0个。" in said
    assert "None" not in said


def test_facts_frozen_by_an_older_release_still_give_their_paper(city):
    """What the older release knew of the water: no change by year, no months summed up, no years, no corrections."""
    section = SectionFactory(name="某断面")
    SectionTarget.objects.create(section=section, year=2024, water_class=WaterClass.III)
    assess(section, dt.date(2024, 12, 1), WaterClass.IV, main_pollutants=[["nh3n", "0.3"]])
    assess(section, dt.date(2024, 1, 1), WaterClass.III, kind=PeriodKind.YEAR, published_on=END)
    frozen = json.loads(json.dumps(gather(JANUARY, TODAY).to_json()))
    for name in ("to_date", "years", "corrections"):
        del frozen["water"][name]
    for row in frozen["water"]["rows"]:
        for name in ("year_before", "over_target", "note"):
            del row[name]
    facts = BulletinFacts.from_json(frozen)
    said = texts(facts)
    assert "优良比例0.0%（0/1）" in said
    assert "2024年全年评价，优良断面1个，优良比例100.0%（1/1）。" in said
    assert "None" not in every_word(bulletin_paper(facts))


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
    assert "None" not in every_word(paper)
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
        "工程挂图（截至2025年1月31日）",
    ]
    said = texts(gather(JANUARY, TODAY))
    assert all(f"见附件{n}。" in said for n in (1, 3, 4, 5))


def test_every_row_of_a_table_has_a_cell_for_each_column(city):
    paper = bulletin_paper(gather(JANUARY, TODAY))
    tables = [block for block in paper.body if isinstance(block, Table)] + [a.table for a in paper.attachments if a.table]
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

    assess(SectionFactory(), dt.date(2024, 12, 1), WaterClass.III)
    with CaptureQueriesContext(connection) as few:
        gather(JANUARY, TODAY)
    for _ in range(30):
        ProjectFactory(behind=True)
        assess(SectionFactory(), dt.date(2024, 12, 1), WaterClass.III)
    with django_assert_num_queries(len(few)):
        gather(JANUARY, TODAY)


# ── 同比, 表扬和点名, own paragraphs, maps ───────────────────────────────────────────────────────────────────────────


def test_works_and_money_are_compared_with_the_same_month_a_year_before(city):
    facts = gather(JANUARY, TODAY)
    assert facts.year_before_on == dt.date(2024, 1, 31)
    said = texts(facts)
    assert "与上年同月末相比，累计开工增加3个，开工率提高60.0个百分点；累计完工增加2个，完工率提高40.0个百分点。" in said
    assert "与上年同月末相比，累计完成投资增加0.10亿元，累计到位资金增加0.13亿元，累计支付增加0.08亿元。" in said


def test_with_nothing_listed_a_year_before_nothing_is_compared_with_it(city):
    facts = dataclasses.replace(gather(JANUARY, TODAY), year_before=None)
    assert "上年同月末" not in texts(facts)


def ranked(*shares: tuple[int, int]):
    """A city of counties with so many projects finished of so many, and its bulletin's facts."""
    RegionFactory()
    for place, (finished, count) in enumerate(shares):
        county = CountyFactory(name=f"县{place}", position=place)
        for n in range(count):
            if n < finished:
                ProjectFactory(county=county, finished=True)
            else:
                project = ProjectFactory(county=county, baseline_start_on=dt.date(2024, 1, 1), baseline_finish_on=dt.date(2025, 12, 31))
                for week_of, progress in ((LAST_MONDAY, 60), (dt.date(2024, 12, 23), 50)):
                    DispatchFactory(project=project, week_of=week_of, physical_progress=D(progress))
    return gather(JANUARY, TODAY)


def test_the_first_three_ranks_are_praised_ties_with_them_and_nobody_else():
    facts = ranked((4, 4), (3, 4), (3, 4), (2, 4), (0, 4))
    assert [row.name for row in bulletin_rules.praised(facts)] == ["县0", "县1", "县2"]
    assert [row.name for row in bulletin_rules.praised(facts, leading=4)] == ["县0", "县1", "县2", "县3"]
    assert [row.name for row in bulletin_rules.praised(facts, leading=5)][-1] == "县3"  # nothing completed: no praise


def test_a_county_with_a_project_behind_is_not_praised_and_named_only_among_the_last():
    facts = ranked((3, 4), (2, 4), (1, 4))
    row = lagging_row("县0", is_far=False)
    behind = dataclasses.replace(facts, lagging=(row,))
    assert "县0" not in [county.name for county in bulletin_rules.praised(behind)]
    assert [one.county.name for one in bulletin_rules.named(behind, leading=2)] == []
    assert [one.county.name for one in bulletin_rules.named(behind, leading=3)] == ["县0"]


@pytest.mark.parametrize(("is_far", "named"), [pytest.param(False, [], id="滞后不点名"), pytest.param(True, ["县0"], id="严重滞后即点名")])
def test_a_county_of_the_first_ranks_is_named_for_a_project_far_behind_alone(is_far, named):
    facts = dataclasses.replace(ranked((3, 4), (2, 4), (1, 4), (0, 4)), lagging=(lagging_row("县0", is_far=is_far),))
    assert [one.county.name for one in bulletin_rules.named(facts)] == named


def lagging_row(county: str, *, is_far: bool) -> Lagging:
    return Lagging("LF-1", "某工程", county, "水利", D(90), D(50), D(40) if is_far else D(20), is_far, "截至某日滞后")


def test_praise_and_names_are_told_with_their_reasons(city):
    said = texts(gather(JANUARY, TODAY))
    assert "提出表扬" in said
    assert "点名通报：乙县（完工率0.0%（0/2），滞后1个，其中严重滞后1个，连续四期无变化2个）。" in said


def test_what_the_office_writes_itself_stands_in_the_place_of_the_rule_and_comes_with_its_own_heading(city):
    facts = gather(JANUARY, TODAY)
    own = {"named": "本月不作点名。", "requirements": "（一）各县抓紧复工。\n（二）月底前报送计划。", "closing": "特此通报。"}
    paper = bulletin_paper(facts, own_texts=own)
    said = [block.text for block in paper.body if not isinstance(block, (Figure, Table))]
    assert "点名通报" not in "".join(said)
    place = said.index("七、表扬和点名")
    assert said[place : place + 5] == [
        "七、表扬和点名",
        "本月不作点名。",
        "八、下一步工作要求",
        "（一）各县抓紧复工。",
        "（二）月底前报送计划。",
    ]
    assert said[-2] == "特此通报。"
    assert not any("下一步工作要求" in getattr(block, "text", "") for block in bulletin_paper(facts).body)


def test_maps_show_every_project_in_its_stage_and_every_section_in_its_class(city):
    assess(SectionFactory(name="某断面", level=Level.NATIONAL), dt.date(2024, 12, 1), WaterClass.IV)
    facts = gather(JANUARY, TODAY)
    assert sorted(button.stage for button in facts.maps.buttons) == [1, 2, 2, 3, 3]
    assert [(s.name, s.water_class, s.is_national) for s in facts.maps.sections] == [("某断面", 4, True)]
    last = bulletin_paper(facts).attachments[-1]
    assert [figure.caption[:2] for figure in last.figures] == ["图一", "图二", "图三"]
    progress = last.figures[1].svg
    colour = colours()
    assert [progress.count(f'fill="{colour[token]}"') - 1 for token in ("stage-red", "stage-green", "stage-blue")] == [1, 2, 2]
    assert last.figures[1].alt == "各工程项目所处阶段：前期1个，开工2个，完工2个"


def test_of_too_many_projects_for_a_button_each_the_maps_tell_counts(city, monkeypatch):
    monkeypatch.setattr(charts, "MOST_PROJECTS", 3)
    facts = gather(JANUARY, TODAY)
    assert facts.maps.is_dense
    assert facts.maps.buttons == ()
    assert [(c.finished, c.count) for c in facts.maps.counties if c.count] == [(2, 3), (0, 2)]
    assert "2/3" in wall_maps.progress_map(facts.maps)
    sites, progress, _ = bulletin_paper(facts).attachments[-1].figures
    assert (sites.alt, progress.alt) == ("各工程项目位置，共5个", "各工程项目所处阶段：其中完工2个")
    assert all(wall_maps.COUNTED in figure.svg for figure in (sites, progress))


def test_buttons_on_paper_are_as_small_as_those_of_a_crowded_wall(city):
    maps = gather(JANUARY, TODAY).maps
    assert maps.buttons_scale == 1.0
    crowded = wall_maps.progress_map(dataclasses.replace(maps, buttons_scale=0.63))
    assert 'r="10.5"' in wall_maps.progress_map(maps)
    assert 'r="6.6"' in crowded
    assert 'r="10.5"' not in crowded
