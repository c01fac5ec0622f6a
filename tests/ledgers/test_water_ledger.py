"""断面水质台账 on small cities. That it says what the page of the sections says, on every day: `test_water_ledger_demo.py`."""

import csv
import datetime as dt
import io
import re
from decimal import Decimal

import openpyxl
import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from ledgers import water
from ledgers.registry import LEDGERS
from ledgers.water_filters import SectionFilter
from monitoring.enums import Cause, Level, WaterClass
from monitoring.models import Assessment, Interruption, Section, SectionTarget
from monitoring.periods import month, read
from tests.caches import forget
from tests.factories import (
    TODAY,
    AssessmentFactory,
    CountyFactory,
    DomainFactory,
    ProjectFactory,
    RegionFactory,
    RiverFactory,
    SectionFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db
DECEMBER, JANUARY = read("2024-12"), read("2025-01")
HEADINGS = 4


@pytest.fixture(autouse=True)
def region():
    return RegionFactory(settings={"water_domain": "生态环境"})


@pytest.fixture
def office(client):
    client.force_login(UserFactory())
    return client


def url(**query):
    return reverse("ledger", args=["sections"], query=query or None)


def names(page) -> list[str]:
    return re.findall(r'<tr data-k="[^"]*"[^>]*><td><a href="[^"]*">([^<]+)</a>', page.content.decode())


def chosen(day=TODAY, **narrowed):
    found = SectionFilter(narrowed, queryset=water.rows(day), day=day)
    assert found.is_valid(), found.form.errors
    return [(row["section"], row["month"]) for row in found.qs]


def workbook(client, **query):
    response = client.get(url(export="xlsx", **query))
    assert response.status_code == 200
    return openpyxl.load_workbook(io.BytesIO(b"".join(response.streaming_content)))["断面水质台账"]


def cells(page, row: int = HEADINGS + 1) -> dict:
    return {page.cell(HEADINGS, n).value: page.cell(row, n) for n in range(1, page.max_column + 1)}


def table(client, **query) -> list[list[str]]:
    text = b"".join(client.get(url(export="csv", **query)).streaming_content).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text)))


# ── As of a day ───────────────────────────────────────────────────────────────────────────────────────────────────
def test_a_result_published_later_is_not_there_before_its_day():
    section = SectionFactory(name="某断面")
    AssessmentFactory(section=section, of=DECEMBER, water_class=WaterClass.II)
    AssessmentFactory(section=section, of=JANUARY, water_class=WaterClass.IV)
    assert chosen(dt.date(2025, 2, 9)) == [("某断面", "2024-12")]
    assert chosen(dt.date(2025, 2, 10)) == [("某断面", "2025-01")]
    assert chosen(dt.date(2025, 1, 9)) == []


def test_a_correction_shows_from_its_day_and_is_named():
    first = AssessmentFactory(water_class=WaterClass.IV)
    AssessmentFactory(section=first.section, water_class=WaterClass.III, revision=2, published_on=dt.date(2025, 2, 18))
    before, after = (LEDGERS["sections"].opened(day).qs[0] for day in (dt.date(2025, 2, 17), TODAY))
    assert (before["water_class"], before["note"]) == (WaterClass.IV, "")
    assert (after["water_class"], after["note"]) == (WaterClass.III, "已更正（第2版）")


# ── Filters ──────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_every_filter_finds_its_rows():
    county, river = CountyFactory(), RiverFactory(name="清河")
    a, b = SectionFactory(name="甲断面", county=county), SectionFactory(name="乙断面", river=river, level=Level.OTHER)
    c = SectionFactory(name="丙断面")
    Interruption.objects.create(section=c, month=JANUARY.starts_on, cause=Cause.NO_FLOW)
    SectionTarget.objects.create(section=a, year=2025, water_class=WaterClass.II)
    for section, december, january in ((a, WaterClass.II, WaterClass.III), (b, WaterClass.V, WaterClass.IV)):
        AssessmentFactory(section=section, of=DECEMBER, water_class=december)
        AssessmentFactory(section=section, of=JANUARY, water_class=january)
    AssessmentFactory(section=a, of=JANUARY.year_before, water_class=WaterClass.II)

    def found(**narrowed):
        return [name for name, _ in chosen(**narrowed)]

    assert sorted(found()) == ["丙断面", "乙断面", "甲断面"]
    assert found(q="清河") == found(q="乙") == found(river="清河") == found(level="other") == ["乙断面"]
    assert found(q="断流") == found(only="left_out") == ["丙断面"]
    assert found(q="甲 清河") == []
    assert found(county=county.code) == found(water_class="3") == found(only="missed") == ["甲断面"]
    assert found(only="over") == ["乙断面"]
    assert found(only="worse") == found(only="worse_than_last_year") == ["甲断面"]
    assert found(month_to="2024-12", only="over") == ["乙断面"]
    assert chosen(month_from="2024-12", q="甲") == [("甲断面", "2024-12"), ("甲断面", "2025-01")]
    assert chosen(month_to="2024-01", q="甲") == [("甲断面", "2024-01")]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"month_to": "2025-02"}, "“2025-02”没有截至当日已公布的评价结果"),
        ({"month_from": "2025-01", "month_to": "2024-12"}, "起始月晚于截止月"),
        ({"level": "x"}, "筛选条件有误"),
        ({"river": "没有的河"}, "筛选条件有误"),
        ({"county": "x"}, "筛选条件有误"),
    ],
)
def test_a_bad_filter_says_so_at_the_field_and_shows_no_rows(office, query, words):
    section = SectionFactory()
    for period in (DECEMBER, JANUARY):
        AssessmentFactory(section=section, of=period)
    response = office.get(url(**query))
    page = response.content.decode()
    assert (response.status_code, names(response)) == (200, [])
    assert words in page
    assert 'class="field-error"' in page
    assert office.get(url(export="xlsx", **query)).status_code == 400


def test_the_month_shown_is_always_told_and_only_what_a_person_chose_can_be_cleared(office):
    AssessmentFactory(section__name="某断面")
    page = office.get(url()).content.decode()
    assert "月份：2025年1月" in page
    assert "清除筛选" not in page
    assert "清除筛选" in office.get(url(only="over")).content.decode()


# ── The page ─────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_the_page_shows_class_target_pollutants_and_changes(office):
    section = SectionFactory(name="某断面")
    SectionTarget.objects.create(section=section, year=2025, water_class=WaterClass.III)
    AssessmentFactory(section=section, of=DECEMBER, water_class=WaterClass.III)
    AssessmentFactory(
        section=section, of=JANUARY, water_class=WaterClass.IV, values={"ph": "8", "nh3n": "1.20", "cod": "18.5"},
        items=["ph", "nh3n", "cod"], main_pollutants=[["nh3n", "0.2"]],
    )  # fmt: skip
    page = office.get(url()).content.decode()
    body = page[page.index("<tbody>") : page.index("</tbody>")]
    assert f'<a href="/sections/{section.pk}/">某断面</a>' in body
    assert '<strong class="over" title="超Ⅲ类标准">1.20</strong>' in body
    assert '<span class="water-class water-class-4" title="轻度污染">Ⅳ</span>' in body
    assert "✗ 未达标" in body
    assert "氨氮(0.2)" in body
    assert "Ⅲ→Ⅳ" in body
    assert "有所变差" in body
    assert "化学需氧量" in page
    assert "单位：mg/L（pH无量纲）" in page
    foot = page[page.index("<tfoot") : page.index("</tfoot>")]
    assert "Ⅰ—Ⅲ类 0/1" in foot
    assert "国考断面1个，参评1个，Ⅰ—Ⅲ类0个（0.0%，0/1），劣Ⅴ类0个，达标0个（0/1）" in foot
    assert "自动站数据不参与评价" in page


def test_a_section_that_was_not_evaluated_says_why_and_leaves_the_denominator(office):
    dry = SectionFactory(name="干断面")
    Interruption.objects.create(section=dry, month=JANUARY.starts_on, cause=Cause.NO_FLOW)
    SectionFactory(name="无数断面")
    AssessmentFactory(section__name="好断面")
    page = office.get(url()).content.decode()
    assert '<span class="water-class water-class-0">断流</span>' in page
    assert '<span class="water-class water-class-0">未监测</span>' in page
    assert "国考断面3个，参评1个，Ⅰ—Ⅲ类1个（100.0%，1/1）" in page


def test_several_months_are_counted_as_times_and_never_called_a_years_result(office):
    section = SectionFactory()
    for period, water_class in ((DECEMBER, WaterClass.III), (JANUARY, WaterClass.IV)):
        AssessmentFactory(section=section, of=period, water_class=water_class)
    page = office.get(url(month_from="2024-12")).content.decode()
    assert "国考断面2次，参评2次，Ⅰ—Ⅲ类1次（50.0%，1/2）" in page
    assert "比例按断面月次计，不是全年或累计评价结果" in page
    assert "比例按断面月次计" not in office.get(url()).content.decode()


@pytest.mark.parametrize("query", [{"only": "missed"}, {"water_class": "4"}])
def test_rows_chosen_by_their_result_give_no_share(office, query):
    """Of the sections that missed their target none met it: a share of that kind would deceive."""
    for name, water_class in (("甲", WaterClass.IV), ("乙", WaterClass.II)):
        section = SectionFactory(name=name)
        SectionTarget.objects.create(section=section, year=2025, water_class=WaterClass.III)
        AssessmentFactory(section=section, water_class=water_class)
    page = office.get(url(**query)).content.decode()
    foot = page[page.index("<tfoot") : page.index("</tfoot>")]
    assert "合计 1 条" in foot
    assert "已按评价结果筛选，不计算比例" in foot
    assert "%" not in foot
    assert "达标" not in foot.replace("不计算比例", "")
    assert "Ⅰ—Ⅲ类 1/2" in office.get(url()).content.decode()


def test_links_keep_the_day(office):
    section = SectionFactory()
    AssessmentFactory(section=section)
    project = ProjectFactory()
    project.sections.add(section)
    page = office.get(url(as_of="2025-02-15")).content.decode()
    assert f"/sections/{section.pk}/?as_of=2025-02-15" in page
    assert f"/projects/{project.code}/?as_of=2025-02-15" in page


def test_sorts_missing_values_last_both_ways(office):
    for name, value in (("甲", "1.5"), ("乙", "0.5"), ("丙", None)):
        AssessmentFactory(section__name=name, values={"nh3n": value} if value else {})
    assert names(office.get(url(sort="nh3n"))) == ["乙", "甲", "丙"]
    assert names(office.get(url(sort="-nh3n"))) == ["甲", "乙", "丙"]


def test_an_item_of_one_section_alone_is_a_column_and_sorts(office):
    AssessmentFactory(section__name="甲", values={"f": "0.9"})
    AssessmentFactory(section__name="乙", values={"f": "0.4"})
    AssessmentFactory(section__name="丙", values={})
    assert names(office.get(url(sort="f"))) == ["乙", "甲", "丙"]
    page = office.get(url()).content.decode()
    head = page[page.index("<thead>") : page.index("</thead>")]
    assert head.index("总磷") < head.index("氟化物") < head.index("主要污染物（倍数）")
    assert head.index("五项") < head.index("X项") < head.index("评价")


def test_text_with_markup_stays_text(office):
    section = AssessmentFactory(section__name="<script>alert(1)</script>", note='"><img src=x onerror=alert(1)>', water_class=None).section
    section.projects.add(ProjectFactory(name='"><svg onload=alert(1)>'))
    page = office.get(url()).content.decode()
    assert "<script>alert(1)" not in page
    assert "<img src=x" not in page
    assert "<svg onload" not in page


def test_empty_ledger_says_so(office):
    SectionFactory()
    page = office.get(url()).content.decode()
    assert "还没有已公布的月评价结果。" in page
    assert "<table" not in page
    assert "尚无已公布的月份" in page


def test_htmx_part_is_found_word_for_word_in_the_page(office):
    AssessmentFactory.create_batch(3)
    part = office.get(url(sort="-month"), headers={"HX-Request": "true"}).content.decode()
    assert part.strip().startswith('<section id="ledger"')
    assert part.strip() in office.get(url(sort="-month")).content.decode()


def test_same_queries_for_one_section_and_thirty_and_for_a_year(office, django_assert_num_queries, django_assert_max_num_queries):
    def add(count):
        for section in SectionFactory.create_batch(count):
            for of in read("2024").months:
                AssessmentFactory(section=section, of=month(of))
            section.projects.add(ProjectFactory())

    add(1)
    with django_assert_max_num_queries(25) as first:
        office.get(url())
    add(29)
    forget()
    with django_assert_num_queries(len(first)):
        office.get(url())
    forget()
    with django_assert_num_queries(len(first)):
        office.get(url(month_from="2024-01", month_to="2024-12"))


# ── Who ──────────────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("trait", [{}, {"in_county": True}, {"in_department": True}, {"leader": True}])
def test_everyone_reads_the_sections(client, trait):
    AssessmentFactory(section__name="某断面")
    client.force_login(UserFactory(**trait))
    assert names(client.get(url())) == ["某断面"]


def test_works_are_only_those_that_the_person_may_read(client):
    mine, other = CountyFactory(), CountyFactory()
    section = AssessmentFactory(section__name="某断面").section
    for county, name in ((mine, "自己的工程"), (other, "别县的工程")):
        ProjectFactory(county=county, name=name).sections.add(section)
    client.force_login(UserFactory(in_county=True, county=mine))
    page = client.get(url()).content.decode()
    assert "自己的工程" in page
    assert "别县的工程" not in page
    assert "别县的工程" not in str(table(client))
    client.force_login(UserFactory())
    assert "别县的工程" in client.get(url()).content.decode()


@pytest.mark.parametrize(
    ("trait", "may"),
    [
        pytest.param({}, True, id="专班办"),
        pytest.param({"in_department": True, "domain": "生态环境"}, True, id="生态环境部门"),
        pytest.param({"in_department": True, "domain": "水利"}, False, id="其他部门"),
        pytest.param({"in_county": True}, False, id="县区"),
        pytest.param({"leader": True}, False, id="领导"),
    ],
)
def test_values_come_in_by_the_page_of_the_readings_for_those_who_may(client, trait, may):
    if "domain" in trait:
        trait = trait | {"domain": DomainFactory(name=trait["domain"])}
    AssessmentFactory()
    client.force_login(UserFactory(**trait))
    response = client.get(reverse("ledger_import", args=["sections"]))
    assert (response.status_code, response.get("Location")) == ((302, "/sections/import/") if may else (404, None))
    assert ('href="/ledgers/sections/import/"' in client.get(url()).content.decode()) == may
    assert 'href="/ledgers/sections/import/"' not in client.get(url(as_of="2025-02-15")).content.decode()


# ── Export ───────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_workbook_has_numbers_as_numbers_and_classes_as_text(office):
    section = SectionFactory(name="某断面")
    SectionTarget.objects.create(section=section, year=2025, water_class=WaterClass.III)
    AssessmentFactory(section=section, of=DECEMBER, water_class=WaterClass.IV)
    AssessmentFactory(
        section=section, water_class=WaterClass.III, values={"ph": "8", "do": "10.0", "nh3n": "0.60", "tp": "0.0004", "f": "0.592"},
    )  # fmt: skip
    page = workbook(office)
    assert page.cell(2, 1).value.startswith("单位：mg/L（pH无量纲）　数据截至：2025-02-20")
    assert "月份：2025年1月" in page.cell(2, 1).value
    row = cells(page)
    assert {name: row[name].value for name in ("断面", "月份", "pH值", "溶解氧", "氨氮", "总磷", "氟化物", "类别＝", "达标＝", "目标")} == {
        "断面": "某断面", "月份": "2025-01", "pH值": 8, "溶解氧": 10, "氨氮": 0.6, "总磷": 0.0004, "氟化物": 0.592, "类别＝": "Ⅲ",
        "达标＝": "达标", "目标": "Ⅲ",
    }  # fmt: skip
    assert row["氨氮"].number_format == "0.00####"
    assert row["环比＝"].value == "有所好转（Ⅳ→Ⅲ）"
    assert row["同比＝"].value is None
    assert page.freeze_panes == "B5"
    assert page.print_title_rows == "$3:$4"
    total = cells(page, HEADINGS + 2)
    assert (total["断面"].value, total["类别＝"].value, total["达标＝"].value) == ("合计", "Ⅰ—Ⅲ类 1/1", "达标 1/1")
    assert page.cell(HEADINGS + 3, 1).value.startswith("注：浓度为手工监测的月均值")


def test_workbook_and_csv_say_the_same(office):
    for n in range(3):
        AssessmentFactory(section__name=f"第{n}", values={"nh3n": f"0.{n}5"})
    page, rows = workbook(office), table(office)
    assert rows[2] == [cell.value for cell in page[HEADINGS]]
    assert [row[0] for row in rows[3:7]] == [page.cell(n, 1).value for n in range(HEADINGS + 1, HEADINGS + 5)]
    nh3n = rows[2].index("氨氮")
    assert [Decimal(row[nh3n]) for row in rows[3:6]] == [Decimal(str(page.cell(n, nh3n + 1).value)) for n in range(5, 8)]


def test_text_never_becomes_a_formula(office):
    AssessmentFactory(section__name="=1+1")
    cell = cells(workbook(office))["断面"]
    assert (cell.data_type, cell.value) == ("s", "=1+1")
    assert table(office)[3][0] == "'=1+1"


def test_command_writes_what_the_page_opens_with(tmp_path, capsys):
    section = SectionFactory(name="某断面")
    for period in (DECEMBER, JANUARY):
        AssessmentFactory(section=section, of=period)
    file = tmp_path / "断面.xlsx"
    call_command("export_ledger", "sections", str(file), "--as-of", "2025-02-01")
    page = openpyxl.load_workbook(file)["断面水质台账"]
    assert [page.cell(n, 1).value for n in (5, 6)] == ["某断面", "合计"]
    assert "月份：2024年12月" in page.cell(2, 1).value
    assert "断面水质台账：1条断面水质记录，数据截至 2025-02-01" in capsys.readouterr().out


def test_command_takes_no_values_in_and_says_where_they_go(tmp_path):
    with pytest.raises(CommandError, match="import_readings"):
        call_command("import_ledger", "sections", str(tmp_path / "x.xlsx"))


def test_sections_no_longer_in_force_are_there_for_their_time_only():
    old = SectionFactory(name="旧断面", in_force_to=dt.date(2025, 1, 1))
    new = SectionFactory(name="新断面", in_force_from=dt.date(2025, 1, 1))
    AssessmentFactory(section=old, of=DECEMBER)
    AssessmentFactory(section=new, of=JANUARY)
    assert chosen(month_from="2024-12") == [("旧断面", "2024-12"), ("新断面", "2025-01")]
    assert Section.objects.count() == Assessment.objects.count() == 2
