"""`/sections/`: what stands on it, in which order, for whom, as of which day."""

import datetime as dt
import re

import pytest
from django.urls import reverse

from linfen_water.models import Region
from monitoring import charts, periods
from monitoring.enums import Cause, Level, WaterClass
from monitoring.filters import ONLY, Chooser
from monitoring.maps import Share
from monitoring.models import Interruption, SectionTarget
from monitoring.reports import section_table
from monitoring.tables import item_columns, sheet, strip
from tests.factories import (
    TODAY,
    AssessmentFactory,
    CountyFactory,
    DomainFactory,
    RegionFactory,
    RiverFactory,
    SectionFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db
JANUARY, DECEMBER = periods.read("2025-01"), periods.read("2024-12")
FIVE = {"ph": "8", "do": "9.1", "codmn": "3.2", "nh3n": "0.40", "tp": "0.080"}


@pytest.fixture(autouse=True)
def region():
    return RegionFactory()


@pytest.fixture
def office(client):
    client.force_login(UserFactory())
    return client


def url(**query):
    return reverse("sections", query=query or None)


def text_of(client, **query) -> str:
    return client.get(url(**query)).content.decode()


def assessed(section=None, water_class=WaterClass.III, of=JANUARY, values=FIVE, **more):
    section = section or SectionFactory()
    return AssessmentFactory(
        section=section, of=of, water_class=water_class, values=values, items=list(values), deciding_items=["nh3n"], **more
    ).section


def names(page: str) -> list[str]:
    """Names of the sections in the table, in order."""
    return re.findall(r'<th scope="row" class="pin">\s*<a href="[^"]*">([^<]+)</a>', page)


# ── What stands on the page ──────────────────────────────────────────────────────────────────────────────────────────
def test_shows_class_target_values_changes_and_pollutants_of_a_section(office):
    section = SectionFactory(name="上断面")
    SectionTarget.objects.create(section=section, year=2025, water_class=WaterClass.II)
    assessed(section, WaterClass.III, DECEMBER)
    assessed(section, WaterClass.IV, values=FIVE | {"nh3n": "1.50"}, main_pollutants=[["nh3n", "0.5"]], revision=2, note="不含1月（结冰）")
    page = text_of(office)
    row = page[page.index('<th scope="row" class="pin">') :].split("</tr>")[0]
    assert f'<a href="{reverse("section", args=[section.pk])}">上断面</a>' in row
    assert '<span class="water-class water-class-4" title="轻度污染">Ⅳ</span>' in row
    assert "✗ 未达标" in row
    assert "有所变差" in row
    assert re.search(r">氨氮\(0\.5\)</span>", row)
    assert re.search(r'>氨氮\(2\.0\)</span>\s*<small class="unit"\s*>对Ⅱ类</small>', row)
    assert re.search(r'<td class="number value-over">\s*1\.50<span class="visually-hidden">，超Ⅲ类</span>', row)
    assert "不含1月（结冰）；第2版" in row
    assert 'title="参评：pH值、溶解氧、高锰酸盐指数、氨氮、总磷"' in row


def test_a_section_that_was_not_evaluated_says_why_and_leaves_the_denominator(office):
    assessed()
    dry = SectionFactory(name="干断面")
    Interruption.objects.create(section=dry, month=JANUARY.starts_on, cause=Cause.NO_FLOW)
    page = text_of(office)
    assert 'title="未评价：断流"' in page
    assert "国考断面2个，参评1个，Ⅰ～Ⅲ类1个，占100.0%（1/1）" in page
    assert "未参评1个：干断面（断流）" in page


def test_shares_stand_below_for_each_level_and_all(office):
    assessed()
    assessed(SectionFactory(level=Level.OTHER), WaterClass.V)
    rows = re.findall(r'<th scope="row">(\S+断面)</th>\s*<td class="number">(\d+)</td>', text_of(office))
    assert rows == [("国考断面", "1"), ("其他断面", "1"), ("全部断面", "2")]


def test_whole_years_show_their_share_with_its_denominator(office):
    year = periods.read("2024")
    for water_class in (WaterClass.II, WaterClass.IV, None):
        assessed(None, water_class, year)
    page = text_of(office)
    assert re.search(r'2024年</th>\s*<td class="number">2</td>\s*<td class="number">1/2</td>\s*<td class="number">50\.0%</td>', page)
    assert 'id="years-figure"' in page


def test_good_shares_draw_no_bar_for_a_year_without_evaluated_sections():
    figure = charts.good_shares({2023: Share(7, 9), 2024: Share(0, 0)})
    assert figure["data"][0]["x"] == ["2023年"]
    assert figure["data"][0]["y"] == [77.8]
    assert figure["data"][0]["text"] == ["<b>77.8%</b><br>7/9"]


# ── Order, sorting, narrowing ────────────────────────────────────────────────────────────────────────────────────────
def test_national_sections_come_first_then_rivers_by_rank_and_sections_along_them(office):
    trunk, main = RiverFactory(name="乙河", rank=1), RiverFactory(name="甲河", rank=2)
    for name, river, level, along in [
        ("其他一", trunk, Level.OTHER, 1),
        ("下游", main, Level.NATIONAL, 90),
        ("上游", main, Level.NATIONAL, 10),
        ("干流", trunk, Level.NATIONAL, None),
    ]:
        assessed(SectionFactory(name=name, river=river, level=level, order_along=along))
    assert names(text_of(office)) == ["干流", "上游", "下游", "其他一"]


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        pytest.param("class", ["优", "良", "差", "缺"], id="类别升序，未评价在后"),
        pytest.param("-class", ["差", "良", "优", "缺"], id="类别降序，未评价仍在后"),
        pytest.param("-nh3n", ["差", "良", "优", "缺"], id="按数值而不是按文字"),
        pytest.param("nonsense", ["良", "缺", "差", "优"], id="不认识的列按原顺序"),
    ],
)
def test_sorting_by_a_column(office, sort, expected):
    river = RiverFactory()
    for place, (name, water_class, ammonia) in enumerate(
        [("良", WaterClass.III, "0.9"), ("缺", None, None), ("差", WaterClass.WORSE_THAN_V, "10.2"), ("优", WaterClass.I, "0.10")]
    ):
        section = SectionFactory(name=name, river=river, order_along=place)
        assessed(section, water_class, values=FIVE | {"nh3n": ammonia} if ammonia else {})
    assert names(text_of(office, sort=sort)) == expected


def test_a_sorted_column_says_so_and_leads_back_in_three_clicks(office):
    assessed()
    assert 'aria-sort="ascending"' in text_of(office, sort="class")
    found = sheet(section_table(TODAY, JANUARY), [], [], "-class")
    assert [(heading.direction, heading.sort) for heading in found.headings if heading.key == "class"] == [("descending", "")]


@pytest.mark.parametrize(
    ("narrowed", "expected"),
    [
        ({"level": "other"}, ["丙"]),
        ({"river": "小河"}, ["乙"]),
        ({"county": "990009"}, ["丙"]),
        ({"only": "missed"}, ["乙"]),
        ({"only": "over"}, ["乙"]),
        ({"only": "worse"}, ["乙"]),
        ({"only": "worse_than_last_year"}, []),
        ({"only": "left_out"}, ["丙"]),
        ({"level": "national", "only": "left_out"}, []),
    ],
)
def test_narrowing(office, narrowed, expected):
    good, bad = SectionFactory(name="甲"), SectionFactory(name="乙", river=RiverFactory(name="小河"))
    for section in (good, bad):
        SectionTarget.objects.create(section=section, year=2025, water_class=WaterClass.III)
        assessed(section, WaterClass.II, DECEMBER)
    assessed(good, WaterClass.III.value - 1)
    assessed(bad, WaterClass.IV)
    SectionFactory(name="丙", level=Level.OTHER, county=CountyFactory(code="990009"))
    page = text_of(office, **narrowed)
    assert names(page) == expected
    assert "清除筛选" in page
    assert "国考断面2个" in page  # words and shares speak of all


def test_every_choice_of_only_has_words():
    assert all(words and callable(rule) for words, rule in ONLY.values())


def test_a_filter_that_cannot_be_says_so_and_shows_no_rows(office):
    assessed()
    page = text_of(office, river="没有的河")
    assert "筛选条件有误" in page
    assert "“河流”" in page
    assert names(page) == []


def test_items_that_no_section_has_make_no_column():
    assessed(values=FIVE | {"f": "0.6"})
    assert [item.key for item in item_columns(section_table(TODAY, JANUARY))] == ["ph", "do", "codmn", "nh3n", "tp", "f"]
    assert [item.unit for item in item_columns(section_table(TODAY, JANUARY))][:2] == ["", "mg/L"]


# ── The strip ────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_strip_holds_a_cell_a_month_with_gaps_told_apart():
    section = SectionFactory(in_force_from=dt.date(2024, 11, 15))
    SectionTarget.objects.create(section=section, year=2025, water_class=WaterClass.II)
    assessed(section, WaterClass.III)
    Interruption.objects.create(section=section, month=DECEMBER.starts_on, cause=Cause.FROZEN)
    tables = [section_table(TODAY, periods.read(text)) for text in ("2024-10", "2024-11", "2024-12", "2025-01")]
    found = strip(tables, sheet(tables[-1], tables[-1].rows, []).groups, [JANUARY])
    assert [(cell.water_class, cell.short, cell.words) for cell in found.rows[0].cells] == [
        (None, "", ""),
        (None, "—", "未监测"),
        (None, "冰", "结冰"),
        (WaterClass.III, "", "Ⅲ类"),
    ]
    assert [cell.is_missed for cell in found.rows[0].cells] == [False, False, False, True]
    assert [(share.now.good, share.now.evaluated) for share in found.shares] == [(0, 0), (0, 0), (0, 0), (1, 1)]
    assert found.years == [(2024, 3), (2025, 1)]


@pytest.mark.parametrize(("months", "expected"), [(None, 13), ("13", 13), ("25", 25), ("7", 13)])
def test_strip_is_13_or_25_months_long(office, months, expected):
    section = assessed()
    assessed(section, of=periods.read("2022-01"))
    page = office.get(url(**({"months": months} if months else {})))
    assert len(page.context["strip"].months) == expected
    assert page.context["strip"].months[-1] == JANUARY


def test_strip_begins_with_the_first_month_ever_published(office):
    assessed(assessed(), of=DECEMBER)
    assert [str(month) for month in office.get(url()).context["strip"].months] == ["2024-12", "2025-01"]


# ── The period and the day ───────────────────────────────────────────────────────────────────────────────────────────
def test_opens_with_the_last_month_published_for_the_national_sections(office):
    assessed(of=DECEMBER)
    assessed(SectionFactory(level=Level.OTHER))
    assert office.get(url()).context["period"] == DECEMBER


@pytest.mark.parametrize("text", ["2025-01", "2024-Q4", "2024-01..12", "2024"])
def test_every_kind_of_period_has_its_table(office, text):
    period = periods.read(text)
    assessed(of=period)
    page = text_of(office, period=text)
    assert f"{period.label}断面水质" in page
    assert len(names(page)) == 1
    assert (">环比</a>" in page) == (text in {"2025-01", "2024-Q4"})


def test_a_period_that_is_not_published_yet_is_named_and_leads_back(office):
    assessed()
    page = text_of(office, period="2025-02")
    assert "2025年2月的评价结果尚未发布" in page
    assert "最近发布的是2025年1月" in page
    assert names(page) == []


def test_a_period_that_cannot_be_read_is_refused_with_the_last_one_below(office):
    assessed()
    page = office.get(url(period="2025-13"))
    assert page.status_code == 400
    assert "“2025-13”不是评价时段" in page.content.decode()
    assert len(names(page.content.decode())) == 1


def test_an_earlier_day_shows_what_was_published_by_then_and_stays_in_every_link(office):
    section = SectionFactory()
    assessed(section, WaterClass.II, DECEMBER)
    assessed(section, WaterClass.IV)
    day = JANUARY.ends_on.isoformat()
    page = text_of(office, as_of=day)
    assert "2024年12月断面水质" in page
    assert f'{reverse("section", args=[section.pk])}?as_of={day}"' in page
    main = page[
        page.index('<div id="sections"') : page.index("years-block") if "years-block" in page else page.index('class="hint method"')
    ]
    own = re.findall(r'href="(/(?:sections|ledgers)/[^"]*)"', main)
    assert own
    assert all(f"as_of={day}" in link for link in own), own


def test_chooser_goes_from_period_to_period_and_from_kind_to_kind():
    published = [periods.read(text) for text in ("2025-01", "2024-12", "2024-Q4", "2024-01..12", "2024", "2024-11", "2024-09", "2024-Q3")]
    chooser = Chooser(DECEMBER, published)
    assert (str(chooser.previous), str(chooser.next)) == ("2024-11", "2025-01")
    assert [str(kind.period) for kind in chooser.kinds] == ["2024-12", "2024-Q4", "2024-01..12", "2024"]
    assert str(Chooser(periods.read("2024-Q3"), published).kinds[0].period) == "2024-09"
    assert [str(p) for p in Chooser(periods.read("2024-Q4"), published).months] == ["2024-11", "2024-12"]
    assert Chooser(JANUARY, published).next is None
    assert Chooser(JANUARY, [JANUARY]).kinds[1].period is None


# ── Nothing there yet ────────────────────────────────────────────────────────────────────────────────────────────────
def test_without_sections_the_page_says_where_they_come_from(office):
    assert "还没有断面" in text_of(office)


def test_without_results_the_page_says_what_to_do(office):
    SectionFactory()
    page = text_of(office)
    assert "还没有发布的水质评价" in page
    assert reverse("readings") in page


# ── For whom ─────────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("person", "may"),
    [
        pytest.param(lambda: UserFactory(), True, id="专班办"),
        pytest.param(lambda: UserFactory(in_department=True, domain=DomainFactory(name="生态环境")), True, id="水质主管部门"),
        pytest.param(lambda: UserFactory(in_department=True), False, id="其他部门"),
        pytest.param(lambda: UserFactory(in_county=True), False, id="县区"),
        pytest.param(lambda: UserFactory(leader=True), False, id="领导"),
    ],
)
def test_everyone_reads_and_only_those_who_record_find_the_way_in(client, person, may):
    Region.objects.update(settings={"water_domain": "生态环境"})
    assessed()
    client.force_login(person())
    page = client.get(url()).content.decode()
    assert "2025年1月断面水质" in page
    assert (f'href="{reverse("readings")}"' in page) is may
    assert (f'href="{reverse("readings_import")}"' in page) is may


def test_a_stranger_is_led_to_the_login(client):
    assert client.get(url()).status_code == 302


def test_export_asks_the_ledger_for_the_months_of_the_period_narrowed_alike(office):
    section = assessed(of=periods.read("2024-Q4"))
    assert office.get(url(period="2024-Q4")).context["exports"] == ""  # none of its months is published
    for text in ("2024-11", "2024-12"):
        assessed(section, of=periods.read(text))
    found = office.get(url(period="2024-Q4", only="over")).context["exports"]
    assert found == "/ledgers/sections/?only=over&month_from=2024-11&month_to=2024-12&export=xlsx"
    workbook = office.get(found)
    assert workbook.status_code == 200
    workbook.close()


# ── How it is made ───────────────────────────────────────────────────────────────────────────────────────────────────
def test_query_count_does_not_grow_with_sections(office, django_assert_num_queries):
    assessed(assessed(), of=DECEMBER)
    office.get(url())
    with django_assert_num_queries(QUERIES):
        office.get(url())
    for _ in range(29):
        assessed(assessed(), of=DECEMBER)
    with django_assert_num_queries(QUERIES):
        page = office.get(url())
    assert len(names(page.content.decode())) == 30


QUERIES = 14  # one of them for the bell


def test_htmx_part_is_found_word_for_word_in_the_page(office):
    assessed(values=FIVE | {"f": "0.6"})
    query = {"period": "2025-01", "sort": "-nh3n", "level": "national"}
    part = office.get(url(**query), headers={"HX-Request": "true"})
    assert part.content.decode().strip() in text_of(office, **query)
    assert "<html" not in part.content.decode()
    assert "HX-Request" in part.headers["Vary"]


@pytest.mark.parametrize("query", [{"sort": "'"}, {"only": "x"}, {"level": "x"}, {"county": "0"}, {"months": "-1"}, {"period": "0000-01"}])
def test_odd_addresses_do_not_break_the_page(office, query):
    assessed()
    assert office.get(url(**query)).status_code in {200, 400}
