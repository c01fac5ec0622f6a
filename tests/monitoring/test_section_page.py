"""`/sections/<pk>/`: what it shows as of a day, to whom, and at what cost."""

import datetime as dt
import re
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from linfen_water.models import Region
from monitoring import periods, services
from monitoring.enums import Cause, CellFlag, IntakeKind, Level, ReadingFlag, StationState
from monitoring.models import Intake, Reading, SectionTarget, StationRecord
from tests.caches import forget
from tests.factories import CountyFactory, DomainFactory, RegionFactory, RiverFactory, SectionFactory, UserFactory

pytestmark = pytest.mark.django_db

TODAY = dt.date(2025, 2, 20)
# A water of class Ⅳ by its ammonia.
WATER = {"ph": "8.0", "do": "8.0", "codmn": "3.0", "nh3n": "1.20", "tp": "0.10"}


@pytest.fixture(autouse=True)
def region():
    return RegionFactory(settings={"water_domain": "水务"})


@pytest.fixture
def section():
    section = SectionFactory(
        name="某断面", river=RiverFactory(name="清河"), county=CountyFactory(name="甲县"), order_along=12.5, coord_quality="约1—2公里"
    )
    SectionTarget.objects.create(section=section, year=2025, water_class=3)
    return section


@pytest.fixture
def office(client):
    client.force_login(UserFactory())
    return client


def sampled(section, day, intake=None, **changed):
    at = timezone.make_aware(dt.datetime.combine(day, dt.time(10)))
    for key, value in (WATER | changed).items():
        Reading.objects.create(section=section, sampled_at=at, parameter=key, value=Decimal(value), source="某监测站", intake=intake)


def assessed(section, month, published_on):
    return services.assess(section=section, period=periods.month(month), published_on=published_on)


def runs(section, count, *, last=dt.datetime(2025, 2, 20, 8), **more):
    """Back from `last`, every four hours."""
    values = {"ph": "8.01", "nh3n": "1.1", "tn": "4.2"}
    StationRecord.objects.bulk_create(
        StationRecord(
            section=section, at=timezone.make_aware(last - dt.timedelta(hours=4 * n)), **({"values": values, "water_class": 4} | more)
        )
        for n in range(count)
    )


def page(client, section, query="", **headers):
    answer = client.get(f"/sections/{section.pk}/{query}", headers=headers)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", answer.content.decode())


def words(html):
    """The text as a reader sees it, without tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


# ── What it says ──
def test_the_page_says_class_target_and_main_pollutants(office, section):
    sampled(section, dt.date(2025, 1, 6))
    assessed(section, dt.date(2025, 1, 1), dt.date(2025, 2, 10))
    text = words(page(office, section))
    assert "2025年1月水质 Ⅳ 轻度污染 · 2025年目标 Ⅲ类 · 未达标" in text
    assert "定类指标 氨氮 主要污染物 氨氮(0.2) 括号内为超Ⅲ类标准的倍数" in text
    assert "超目标指标 氨氮(0.2)" in text
    assert "环比 — 2024年12月未评价" in text
    assert "参评指标 pH值、溶解氧、高锰酸盐指数、氨氮、总磷（5 项）" in text
    assert "发布 2025-02-10" in text


def test_a_month_published_later_is_not_known_on_the_day(office, section):
    sampled(section, dt.date(2025, 1, 6))
    assessed(section, dt.date(2025, 1, 1), dt.date(2025, 2, 10))
    html = page(office, section, "?as_of=2025-02-09")
    assert "截至 2025-02-09，本断面还没有已发布的月评价结果。" in words(html)
    assert "数据截至 2025-02-09" in words(html)


def test_links_keep_the_day(office, section):
    other = SectionFactory(river=section.river, order_along=20.0)
    html = page(office, section, "?as_of=2025-02-09")
    assert f'href="/sections/{other.pk}/?as_of=2025-02-09"' in html
    assert 'href="?as_of=2025-02-09&amp;item=tp"' in html
    assert f'hx-get="/sections/{section.pk}/works/?as_of=2025-02-09"' in html


def test_a_correction_is_a_second_revision_with_both_dates(office, section):
    sampled(section, dt.date(2025, 1, 6))
    assessed(section, dt.date(2025, 1, 1), dt.date(2025, 2, 10))
    Reading.objects.filter(parameter="nh3n").update(value=Decimal("0.9"))
    assessed(section, dt.date(2025, 1, 1), dt.date(2025, 2, 15))
    text = words(page(office, section))
    assert "结果版次（2 版）" in text
    assert "第2版 · 2025-02-15 发布 · Ⅳ → Ⅲ" in text
    assert "第1版 · 2025-02-10 发布 · Ⅳ" in text
    assert "本期数据的更正" not in text, "nothing says that a value was revised"


def test_a_corrected_value_says_why_and_by_whom(office, section):
    sampled(section, dt.date(2025, 1, 6))
    assessed(section, dt.date(2025, 1, 1), dt.date(2025, 2, 10))
    before = Reading.objects.get(parameter="nh3n")
    Reading.objects.update(is_live=False)
    clerk = UserFactory(in_department=True)
    intake = Intake.objects.create(kind=IntakeKind.FORM, by=clerk)
    Reading.objects.create(
        section=section,
        sampled_at=before.sampled_at,
        parameter="nh3n",
        value=Decimal("0.9"),
        revision=2,
        reason="实验室复核",
        intake=intake,
    )
    other = Reading(section=section, sampled_at=before.sampled_at - dt.timedelta(days=31), parameter="nh3n", value=1, revision=2)
    other.reason, other.intake = "上月的更正", intake
    other.save()
    text = words(page(office, section))
    assert f"本期数据的更正（按现在所知）： {timezone.localtime(intake.at):%Y-%m-%d} 氨氮：实验室复核 · {clerk}" in text
    assert "上月的更正 ·" not in text


def test_a_past_day_says_what_is_of_then_and_what_is_of_now(office, section):
    sampled(section, dt.date(2025, 1, 6))
    assessed(section, dt.date(2025, 1, 1), dt.date(2025, 2, 10))
    said = "已发布的版次；监测数据和工程按现在所知显示"
    assert f"评价结果是截至 2025-02-15 {said}" in page(office, section, "?as_of=2025-02-15")
    assert said not in page(office, section)


def test_a_frozen_month_says_so_and_is_not_judged(office, section):
    section.interruptions.create(month=dt.date(2025, 1, 1), cause=Cause.FROZEN)
    assessed(section, dt.date(2025, 1, 1), dt.date(2025, 2, 10))
    text = words(page(office, section))
    assert "未评价：结冰" in text
    assert "不作达标判断" in text


def test_a_replaced_section_names_its_successor_and_the_other_way_round(office, section):
    old = SectionFactory(name="旧断面", river=section.river, replaced_by=section, in_force_to=dt.date(2024, 1, 1))
    assert "本断面已于 2024-01-01 停用，下面是停用前的资料。 由 某断面 接替。" in words(page(office, old))
    assert "接替 旧断面 （2024-01-01 停用）" in words(page(office, section))


def test_place_and_neighbours_are_named(office, section):
    SectionFactory(name="上一个", river=section.river, order_along=3.0)
    SectionFactory(name="下一个", river=section.river, order_along=30.0)
    text = words(page(office, section))
    assert "上游断面 上一个 下游断面 下一个" in text
    assert "清河（河源以下约 12.5 km）" in text
    assert "点位精度：约1—2公里" in text


def test_values_show_where_they_came_from(office, section):
    person = UserFactory(post="监测员")
    intake = Intake.objects.create(kind=IntakeKind.WORKBOOK, name="一月.xlsx", by=person)
    sampled(section, dt.date(2025, 1, 6), intake)
    first = Reading.objects.get(parameter="nh3n")
    Reading.objects.filter(pk=first.pk).update(is_live=False)
    Reading.objects.create(
        section=section, sampled_at=first.sampled_at, parameter="nh3n", value=Decimal("0.025"), is_below_detection=True, revision=2,
        reason="实验室复核", flag=ReadingFlag.DOUBTFUL, source="某监测站", intake=intake, place="第4行“氨氮”",
    )  # fmt: skip
    assessed(section, dt.date(2025, 1, 1), dt.date(2025, 2, 10))
    html = page(office, section, "?item=nh3n")
    text = words(html)
    assert "&lt;0.025 低于检出限 存疑 某监测站 Excel 工作簿 一月.xlsx" in text
    assert "第4行“氨氮” 第2版 实验室复核" in text
    assert '<tr class="is-superseded">' in html
    assert "已被更正" in text


def test_markup_in_a_name_is_text(office, section):
    intake = Intake.objects.create(kind=IntakeKind.CSV, name="<script>alert(1)</script>")
    sampled(section, dt.date(2025, 1, 6), intake)
    assessed(section, dt.date(2025, 1, 1), dt.date(2025, 2, 10))
    runs(section, 1, flags={"</script><b>x": CellFlag.MISSING})
    html = page(office, section)
    assert "<script>alert" not in html
    assert "<b>x" not in html


# ── Item and range ──
def test_the_item_shown_is_one_the_class_stands_on(office, section):
    sampled(section, dt.date(2025, 1, 6))
    assessed(section, dt.date(2025, 1, 1), dt.date(2025, 2, 10))
    assert office.get(f"/sections/{section.pk}/").context["item"].key == "nh3n"


@pytest.mark.parametrize(
    ("query", "item", "chosen"),
    [
        ("?item=tp&range=7d", "tp", "7d"),
        ("?item=gold&range=9y", "ph", "30d"),
        ("?item=../x&range=", "ph", "30d"),
        ("?item=tn&range=5y", "tn", "5y"),
    ],
)
def test_the_address_chooses_and_nonsense_falls_back(office, section, query, item, chosen):
    runs(section, 3)
    context = office.get(f"/sections/{section.pk}/{query}").context
    assert (context["item"].key, context["station"]["range"]) == (item, chosen)


@pytest.mark.parametrize("query", ["", "?item=tp", "?range=7d&item=nh3n", "?range=5y", "?as_of=2025-02-19"])
def test_the_part_stands_word_for_word_in_the_page(office, section, query):
    sampled(section, dt.date(2025, 1, 6))
    assessed(section, dt.date(2025, 1, 1), dt.date(2025, 2, 10))
    runs(section, 10)
    whole = office.get(f"/sections/{section.pk}/{query}")
    part = office.get(f"/sections/{section.pk}/{query}", headers={"HX-Request": "true"})
    assert part.content.decode().strip() in whole.content.decode()
    assert 'id="series"' in part.content.decode()
    assert "<html" not in part.content.decode()
    assert "HX-Request" in whole["Vary"]


# ── Station ──
def test_a_section_without_a_station_says_so(office, section):
    assert "截至 2025-02-20，本断面没有自动站数据" in words(page(office, section))


def test_the_stations_last_runs_stand_with_both_classes(office, section):
    runs(section, 2)
    runs(section, 1, last=dt.datetime(2025, 2, 20, 12), feed_class=3, water_class=4, flags={"do": CellFlag.EXTREME}, values={"nh3n": "1.2"})
    html = page(office, section, "?item=nh3n")
    text = words(html)
    assert "02-20 12:00 正常 Ⅳ Ⅲ 不同" in text
    assert "极值过滤" in text
    assert "1 次发布类别与本系统判断不同" in text
    assert "不是国家考核评价的结果" in text
    assert f'href="/sections/differences/?section={section.pk}"' in html


def test_the_page_counts_the_differences_that_the_list_has(office, section):
    runs(section, 1, last=dt.datetime(2025, 2, 19, 12), feed_class=3, water_class=4)
    runs(section, 1, last=dt.datetime(2025, 2, 19, 16), feed_class=3)
    runs(section, 1, last=dt.datetime(2025, 2, 19, 20), water_class=4)
    runs(section, 1, last=dt.datetime(2025, 2, 20, 12), feed_class=3, water_class=4)  # after the day
    html = page(office, section, "?as_of=2025-02-19")
    assert "2 次发布类别与本系统判断不同" in words(html)
    assert words(html).count("不同 ") - words(html).count("判断不同 ") == 2
    address = re.search(r'href="(/sections/differences/[^"]*from=[^"]*)"', html)[1].replace("&amp;", "&")
    assert office.get(address).context["page"].paginator.count == 2


def test_on_a_past_day_the_station_knows_nothing_later(office, section):
    runs(section, 12)
    context = office.get(f"/sections/{section.pk}/?as_of=2025-02-19").context
    latest = timezone.localtime(context["station"]["runs"][0][0].at)
    assert latest == timezone.make_aware(dt.datetime(2025, 2, 19, 20))
    assert (context["station"]["age"], context["station"]["is_overdue"]) == ("4小时前", False)


def test_a_station_that_fell_silent_is_marked(office, section):
    runs(section, 2, last=dt.datetime(2025, 2, 10, 8))
    context = office.get(f"/sections/{section.pk}/").context
    assert context["station"]["is_overdue"]
    assert context["station"]["age"].endswith("天前")
    assert "数据未及时到达" in page(office, section)


def test_maintenance_and_missing_values_are_counted_in_words(office, section):
    runs(section, 3)
    runs(section, 1, last=dt.datetime(2025, 2, 20, 12), values={}, flags={"nh3n": CellFlag.MISSING}, state=StationState.MAINTENANCE)
    assert "共 4 次，本项 3 个有效值，缺测 1 次，维护 1 次" in words(page(office, section, "?item=nh3n"))


def test_an_item_that_the_station_lacks_offers_those_it_has(office, section):
    runs(section, 3)
    text = words(page(office, section, "?item=codmn"))
    assert "本站不监测高锰酸盐指数，可选： pH值 、 氨氮 、 总氮 。" in text


def test_means_of_automatic_data_are_called_reference(office, section):
    runs(section, 12)
    text = words(page(office, section, "?item=nh3n&range=1y"))
    assert "2025-02 1.10 Ⅳ类 12 —" in text
    assert "仅供参考，不作为评价和考核依据" in text


# ── Who ──
def test_a_stranger_is_sent_to_the_login(client, section):
    answer = client.get(f"/sections/{section.pk}/")
    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/login/")


def test_an_unknown_section_is_not_there(office):
    assert office.get("/sections/999999/").status_code == 404


@pytest.mark.parametrize(
    ("who", "may_record", "may_edit"),
    [
        pytest.param({}, True, True, id="专班办"),
        pytest.param({"leader": True}, False, False, id="领导"),
        pytest.param({"in_county": True}, False, False, id="县"),
        pytest.param({"in_department": True, "domain": "农业"}, False, False, id="其他部门"),
        pytest.param({"in_department": True, "domain": "水务"}, True, False, id="水的部门"),
    ],
)
def test_everyone_reads_and_only_some_are_offered_to_write(client, section, who, may_record, may_edit):
    if "domain" in who:
        who = who | {"domain": DomainFactory(name=who["domain"])}
    client.force_login(UserFactory(**who))
    html = page(client, section)
    assert (f'href="{reverse("readings")}?level=national#s{section.pk}"' in html) is may_record
    assert (f'href="{reverse("section_edit", args=[section.pk])}"' in html) is may_edit


def test_only_reading_is_possible(office, section):
    assert office.post(f"/sections/{section.pk}/").status_code == 405


# ── At what cost ──
@pytest.mark.parametrize("query", ["", "?range=7d", "?range=1y", "?range=5y&item=ph"])
def test_the_page_costs_as_many_queries_for_one_run_as_for_two_thousand(office, section, query):
    sampled(section, dt.date(2025, 1, 6))
    assessed(section, dt.date(2025, 1, 1), dt.date(2025, 2, 10))
    runs(section, 1)
    few = _queries(office, section, query)
    runs(section, 1999, last=dt.datetime(2025, 2, 20, 4))
    for n in range(1, 25):
        intake = Intake.objects.create(kind=IntakeKind.FORM, by=UserFactory(in_department=True))
        sampled(section, dt.date(2023 + n // 12, n % 12 + 1, 7), intake)
    for n in range(1, 13):
        assessed(section, dt.date(2024, n, 1), dt.date(2025, 1, 15))
        SectionFactory(river=section.river, order_along=float(n), level=Level.OTHER)
    assert _queries(office, section, query) == few


def _queries(client, section, query):
    client.get(f"/sections/{section.pk}/{query}")
    forget()
    with CaptureQueriesContext(connection) as queries:
        client.get(f"/sections/{section.pk}/{query}")
    return len(queries)


def test_five_years_of_runs_are_not_sent_to_the_browser(office, section):
    runs(section, 5 * 365 * 6)
    answer = office.get(f"/sections/{section.pk}/?range=5y&item=nh3n")
    figure = answer.context["station"]["figure"]
    assert {len(trace["y"]) for trace in figure["data"][:3]} == {5 * 365 + 1}  # from the morning of the first day to that of the last
    assert len(answer.content) < 200_000


def test_the_demo_mark_shows_with_demo_data(office, section):
    assert Region.current().demo_on
    assert "演示数据" in page(office, section)


def test_a_day_before_there_were_limits_shows_an_empty_page(office, section):
    assert office.get(f"/sections/{section.pk}/?as_of=2000-01-01").status_code == 200
