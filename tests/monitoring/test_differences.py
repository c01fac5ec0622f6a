"""Runs whose class the feed gives otherwise than we judge them, with what decides ours and what is missing."""

import csv
import datetime as dt
import io

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from monitoring.enums import WaterClass
from monitoring.models import StationRecord
from tests.factories import RegionFactory, SectionFactory, UserFactory

pytestmark = pytest.mark.django_db
URL = "/sections/differences/"
GOOD = {"ph": "8.00", "do": "9.00", "codmn": "3.0", "nh3n": "0.600", "tp": "0.050"}


@pytest.fixture(autouse=True)
def region():
    return RegionFactory()


@pytest.fixture
def section():
    return SectionFactory(name="甲断面")


@pytest.fixture
def office(client):
    client.force_login(UserFactory(username="office"))
    return client


def ran(section, at="2025-02-10 08:00", feed=WaterClass.IV, ours=WaterClass.III, flags=None, **values):
    when = timezone.make_aware(dt.datetime.fromisoformat(at))
    return StationRecord.objects.create(
        section=section, at=when, values=GOOD | values, flags=flags or {}, feed_class=feed, water_class=ours
    )


def shown(client, **query):
    answer = client.get(URL, query)
    return [(line.record.pk, line.feed_class, line.water_class, line.deciding, line.missing) for line in answer.context["lines"]]


def tallied(client, **query):
    return [
        (one.section.name, one.compared, one.differing, one.stricter, one.looser, one.unjudged)
        for one in client.get(URL, query).context["tallies"]
    ]


def test_a_difference_shows_both_classes_and_what_decides_ours(office, section):
    row = ran(section)
    ran(section, "2025-02-10 12:00", feed=WaterClass.III)
    assert shown(office) == [(row.pk, WaterClass.IV, WaterClass.III, ["氨氮 0.600"], [])]
    page = office.get(URL).content.decode()
    assert "不是国家考核的评价结果" in page
    assert "未修约" in page


def test_a_missing_item_leaves_our_class_open_and_is_named(office, section):
    row = ran(section, ours=None, flags={"cod": "extreme"})
    assert shown(office) == [(row.pk, WaterClass.IV, None, [], ["化学需氧量（极值过滤）"])]
    assert tallied(office) == [("甲断面", 1, 1, 0, 0, 1)]


def test_counts_of_each_section_say_which_way_the_feed_leans(office, section):
    ran(section, "2025-02-10 00:00", WaterClass.IV, WaterClass.III)
    ran(section, "2025-02-10 04:00", WaterClass.II, WaterClass.III)
    ran(section, "2025-02-10 08:00", WaterClass.III, WaterClass.III)
    ran(section, "2025-02-10 12:00", None, WaterClass.III)
    other = SectionFactory(name="乙断面")
    ran(other, feed=WaterClass.I, ours=WaterClass.II)
    assert sorted(tallied(office)) == sorted([("甲断面", 3, 2, 1, 1, 0), ("乙断面", 1, 1, 0, 1, 0)])
    assert tallied(office, section=other.pk) == [("乙断面", 1, 1, 0, 1, 0)]


def test_a_record_that_was_replaced_is_left_out(office, section):
    row = ran(section)
    StationRecord.objects.filter(pk=row.pk).update(is_live=False)
    assert shown(office) == []
    assert "没有带发布类别的自动站数据" in office.get(URL).content.decode()


@pytest.mark.parametrize(
    ("query", "hours"),
    [
        pytest.param({}, [23, 0], id="默认30天"),
        pytest.param({"from": "2025-02-10", "to": "2025-02-10"}, [23, 0], id="一天含头尾"),
        pytest.param({"from": "2025-02-11"}, [], id="从次日起"),
        pytest.param({"to": "2025-02-09"}, [], id="到前一日"),
        pytest.param({"as_of": "2025-02-09", "to": "2025-02-20"}, [], id="数据截至之后的不列"),
    ],
)
def test_days_are_local_and_both_ends_count(office, section, query, hours):
    ran(section, "2025-02-10 00:00")
    ran(section, "2025-02-10 23:59")
    found = [timezone.localtime(line.record.at).hour for line in office.get(URL, query).context["lines"]]
    assert found == hours


@pytest.mark.parametrize(
    ("query", "sentence"),
    [({"from": "2025-13-01"}, "日期请按"), ({"from": "2025-02-10", "to": "2025-02-01"}, "结束日不能早于开始日")],
)
def test_impossible_days_are_told_and_the_page_stays(office, section, query, sentence):
    ran(section)
    answer = office.get(URL, query)
    assert answer.status_code == 400
    assert sentence in answer.content.decode()
    assert len(answer.context["lines"]) == 1


@pytest.mark.parametrize("wrong", ["abc", "0", "999999999999999999999", ""])
def test_a_section_that_is_none_shows_all(office, section, wrong):
    ran(section)
    assert len(shown(office, section=wrong)) == 1


def test_all_of_it_goes_home_as_csv_and_no_text_becomes_a_formula(office, section):
    bad = SectionFactory(name="=甲")
    ran(section)
    ran(bad, "2025-02-10 12:00", do="2.5", ours=WaterClass.V)
    answer = office.get(URL, {"export": "csv"})
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))
    assert rows[0] == ["演示数据：均为虚构"]
    assert rows[2][:5] == ["'=甲", "2025-02-10 12:00", "Ⅳ", "Ⅴ", "溶解氧 2.5"]
    assert rows[3][:3] == ["甲断面", "2025-02-10 08:00", "Ⅳ"]
    assert "演示数据" in answer["Content-Disposition"] or "%E6%BC%94" in answer["Content-Disposition"]


def test_the_list_is_paged_and_its_queries_do_not_grow(office, section):
    def queries():
        with CaptureQueriesContext(connection) as found:
            assert office.get(URL).status_code == 200
        return len(found)

    ran(section, "2025-02-01 00:00")
    office.get(URL)
    one = queries()
    for n in range(60):
        ran(SectionFactory() if n < 29 else section, f"2025-02-{2 + n // 6:02} {n % 6 * 4:02}:00")
    assert queries() == one
    assert len(shown(office)) == 50
    assert len(shown(office, page=2)) == 11


@pytest.mark.parametrize("trait", [{}, {"in_county": True}, {"in_department": True}, {"leader": True}])
def test_everyone_who_logs_in_may_read(client, section, trait):
    client.force_login(UserFactory(**trait))
    assert client.get(URL).status_code == 200
    assert client.post(URL).status_code == 405


def test_a_stranger_must_log_in(client):
    assert client.get(URL).status_code == 302


@pytest.mark.parametrize("query", [{"from": "0001-01-01"}, {"to": "0001-01-01"}, {"from": "1999-12-31"}])
def test_days_that_no_station_ran_on_are_refused(office, query):
    answer = office.get(URL, query)
    assert answer.status_code == 400
    assert "年份不早于2000" in answer.content.decode()
