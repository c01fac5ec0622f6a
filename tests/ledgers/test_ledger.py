import datetime as dt
import re
from decimal import Decimal

import pytest
from django.urls import reverse

from ledgers import master
from ledgers.filters import ProjectFilter
from ledgers.registry import LEDGERS
from linfen_water.models import Policy
from projects.enums import PermitKind, Risk, Stage
from projects.facts import project_facts, summed, totals
from projects.models import Project
from tests.caches import forget
from tests.factories import (
    LAST_WEEK,
    THIS_WEEK,
    TODAY,
    CountyFactory,
    DispatchFactory,
    DomainFactory,
    PermitFactory,
    PlanFactory,
    ProblemFactory,
    ProjectFactory,
    RegionFactory,
    UserFactory,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("region")]
MASTER = LEDGERS["master"]


def url(**query):
    return reverse("ledger", args=["master"], query=query or None)


def codes(page) -> list[str]:
    """The codes of the rows of a page, in order."""
    return re.findall(r'<tr data-k="[^"]*"[^>]*><td><a href="[^"]*">([^<]+)</a>', page.content.decode())


def chosen(**narrowed):
    found = ProjectFilter(narrowed, queryset=master.rows(TODAY), day=TODAY)
    assert found.is_valid(), found.errors
    return sorted(found.qs.values_list("code", flat=True))


def test_sums_are_those_of_the_facts():
    ProjectFactory(finished=True, reported=100, total_investment_wan=Decimal("123.45"))
    ProjectFactory(behind=True, total_investment_wan=Decimal("0.10"))
    ProjectFactory(not_started=True, total_investment_wan=Decimal("9999999.99"))
    ProjectFactory(listed_on=dt.date(2025, 3, 1))
    assert summed(TODAY, master.rows(TODAY)) == totals(project_facts(TODAY))


@pytest.mark.parametrize("day", [dt.date(2023, 12, 31), dt.date(2024, 11, 19), dt.date(2024, 11, 20), TODAY])
def test_sums_are_those_of_the_facts_on_earlier_days_too(day):
    DispatchFactory(project=ProjectFactory(finished=True), week_of=dt.date(2024, 11, 18), physical_progress=100)
    DispatchFactory(project=ProjectFactory(started_on=dt.date(2024, 1, 1)), week_of=dt.date(2023, 12, 25), invested_wan=Decimal("77.70"))
    assert summed(day, master.rows(day)) == totals(project_facts(day))


def test_page_shows_the_sums_of_what_is_chosen(office):
    county = CountyFactory(name="甲县")
    ProjectFactory(county=county, total_investment_wan=Decimal("1234.50"))
    ProjectFactory(total_investment_wan=Decimal("5000.00"))
    assert "6,234.50" in office.get(url()).content.decode()
    page = office.get(url(county=county.code)).content.decode()
    assert "合计 1 个" in page
    foot = page[page.index("<tfoot") :]
    assert "1,234.50" in foot
    assert "6,234.50" not in foot
    assert "前期0、开工1、完工0；开工率100.0%，完工率0.0%" in foot


def test_row_says_what_is_known(office):
    project = ProjectFactory(code="LF-007", number=7, name="一号河治理", behind=True)
    PermitFactory(project=project, kind=PermitKind.EIA, submitted_on=dt.date(2025, 2, 3), promised_workdays=5)
    ProblemFactory(project=project, description="征地未完成", due_on=dt.date(2025, 2, 28))
    row = master.read(TODAY, [project.pk])[0]
    assert row["permits"] == ["环境影响评价（办理中，应于2025-02-10办结，已逾期）"]
    assert row["problems"] == ["用地：征地未完成（一级，时限2025-02-28）"]
    assert row["funding"] == ["省级资金 1000.00"]
    assert row["risk"] == Risk.FAR_BEHIND
    assert row["updated_on"] == LAST_WEEK
    page = office.get(url()).content.decode()
    assert "<b class=bad>严重滞后</b> <i>71.4个百分点</i>" in page


def test_missing_is_a_dash_and_never_zero(office):
    ProjectFactory(not_started=True)
    page = office.get(url()).content.decode()
    assert "<b class=bad>未报</b>" in page
    assert "0.00" not in page.split("<tbody>")[1].split("</tbody>")[0].replace("1,000.00", "").replace("1000.00", "")


def test_text_with_markup_stays_text(office):
    ProjectFactory(name="<script>alert(1)</script>", scale='"><img src=x onerror=alert(1)>')
    page = office.get(url()).content.decode()
    assert "<script>alert(1)" not in page
    assert "<img src=x" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


@pytest.mark.parametrize(
    ("progress", "risk"),
    [
        pytest.param("50.01", "normal", id="差不到10个百分点"),
        pytest.param("50.00", "behind", id="正好10个百分点"),
        pytest.param("30.00", "behind", id="正好30个百分点"),
        pytest.param("29.99", "far_behind", id="超过30个百分点"),
    ],
)
def test_filter_of_risk_agrees_with_the_rule(progress, risk):
    """The plan says 60 % at the end of the day, exactly."""
    day = dt.date(2025, 2, 28)
    RegionFactory().__class__.objects.update(demo_on=day)
    project = ProjectFactory(reported=Decimal(progress))
    PlanFactory(project=project, planned_progress=60)
    assert master.read(day, [project.pk])[0]["risk"] == risk
    found = {key: ProjectFilter({"risk": key}, queryset=master.rows(day), day=day).qs.count() for key in [*Risk.values, "late"]}
    assert found == dict.fromkeys([*Risk.values, "late"], 0) | {risk: 1, "late": int(risk in {"behind", "far_behind"})}


@pytest.mark.parametrize(("planned", "progress"), [("15.12", "0.80"), ("42.28", "0.20")], ids=["浮点略小于10", "浮点略大于30"])
def test_a_lag_of_exactly_the_limit_is_behind_in_page_and_filter(planned, progress):
    RegionFactory()
    project = ProjectFactory(reported=Decimal(progress))
    PlanFactory(project=project, planned_progress=Decimal(planned))
    assert master.read(TODAY, [project.pk])[0]["risk"] == Risk.BEHIND
    assert [k for k in Risk.values if ProjectFilter({"risk": k}, queryset=master.rows(TODAY), day=TODAY).qs.exists()] == ["behind"]


def test_finished_and_silent_projects_have_their_own_risk():
    ProjectFactory(code="LF-001", finished=True, reported=80)
    ProjectFactory(code="LF-002")
    assert chosen(risk="normal") == ["LF-001"]
    assert chosen(risk="unreported") == ["LF-002"]
    assert chosen(risk="late") == []


def test_thresholds_are_the_offices():
    ProjectFactory(code="LF-001", behind=True)
    assert chosen(risk="far_behind") == ["LF-001"]
    Policy.objects.create(effective_on=dt.date(2025, 1, 1), values={"far_behind_points": 90, "behind_points": 80}, reason="试行")
    assert chosen(risk="late") == []


def test_every_filter_finds_its_rows():
    county, domain = CountyFactory(), DomainFactory(name="住建")
    a = ProjectFactory(code="LF-001", number=41, name="城南污水处理厂", county=county, finished=True)
    b = ProjectFactory(code="LF-002", number=42, name="城北河道治理", domain=domain, started_on=dt.date(2025, 2, 14), reported=5)
    ProjectFactory(code="LF-003", number=43, not_started=True)
    PermitFactory(project=b, submitted_on=dt.date(2025, 2, 3), promised_workdays=5)
    PermitFactory(project=a, obtained_on=dt.date(2024, 1, 1))
    ProblemFactory(project=a, closed_on=dt.date(2025, 2, 1))
    ProblemFactory(project=b)
    assert chosen() == ["LF-001", "LF-002", "LF-003"]
    assert chosen(q="城 污水") == ["LF-001"]
    assert chosen(q="42") == ["LF-002"]
    assert chosen(q="lf-003") == ["LF-003"]
    assert chosen(q="没有") == []
    assert chosen(county=county.code) == ["LF-001"]
    assert chosen(domain="住建") == ["LF-002"]
    assert chosen(unit=b.versions.get().lead_unit.code) == ["LF-002"]
    assert chosen(stage=str(int(Stage.FINISHED))) == ["LF-001"]
    assert chosen(has="permit") == ["LF-002"]
    assert chosen(has="late_permit") == ["LF-002"]
    assert chosen(has="problem") == ["LF-002"]
    assert chosen(started_from="2025-02-14") == ["LF-002"]
    assert chosen(started_from="2025-02-15") == []
    assert chosen(completed_from="2024-11-20") == ["LF-001"]
    assert chosen(completed_from="2024-11-21") == []


def test_silent_projects_are_those_without_change_over_the_weeks():
    still, moved, new = ProjectFactory(code="LF-001"), ProjectFactory(code="LF-002"), ProjectFactory(code="LF-003")
    for project, progress in ((still, 40), (moved, 30)):
        DispatchFactory(project=project, week_of=dt.date(2025, 1, 13), physical_progress=progress)
    for project in (still, moved, new):
        DispatchFactory(project=project, week_of=LAST_WEEK, physical_progress=40)
    assert chosen(has="silent") == ["LF-001"]


@pytest.mark.parametrize("query", [{"county": "nowhere"}, {"stage": "9"}, {"completed_from": "2024-13-01"}, {"risk": "x"}])
def test_bad_filter_says_so_at_the_field_and_shows_no_rows(office, query):
    ProjectFactory()
    page = office.get(url(**query))
    assert page.status_code == 200
    assert codes(page) == []
    assert 'class="field-error"' in page.content.decode()
    assert "筛选条件有误" in page.content.decode()


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"county": "zz"}, "县（市、区）：“zz”不在可选之列，请从列表中选择。"),
        ({"stage": "9"}, "状态：“9”不在可选之列，请从列表中选择。"),
        ({"lag_from": "abc"}, "滞后不少于（百分点）：输入一个数字。"),
        ({"date_from": "2025-02-01", "date_to": "2025-01-01"}, "日期至：不能早于“日期自”（2025-02-01）。"),
        ({"lag_from": "5", "lag_to": "4.5"}, "滞后不多于（百分点）：不能小于“滞后不少于（百分点）”（5）。"),
    ],
)
def test_a_bad_filter_is_told_with_its_name_and_value(office, query, sentence):
    ProjectFactory()
    answer = office.get(url(**query))
    assert codes(answer) == []
    assert f"筛选条件有误：{sentence}" in answer.content.decode()


def test_as_of_shows_what_was_true_then_and_orders_by_it(office):
    ProjectFactory(code="LF-001", started_on=dt.date(2024, 3, 1), completed_on=dt.date(2024, 9, 1))
    ProjectFactory(code="LF-002", started_on=dt.date(2023, 9, 1))
    page = office.get(url(as_of="2023-12-31", sort="started_on"))
    assert codes(page) == ["LF-002", "LF-001"]
    html = page.content.decode()
    assert "2024-03-01" not in html
    assert "2024-09-01" not in html
    assert "前期1、开工1、完工0" in html


def test_impossible_day_is_refused_in_chinese(office):
    page = office.get(url(as_of="2025-02-30"))
    assert page.status_code == 400
    assert "日期“2025-02-30”无效" in page.content.decode()


def test_sorts_missing_values_last_both_ways(office):
    ProjectFactory(code="LF-001")
    ProjectFactory(code="LF-002", reported=10)
    ProjectFactory(code="LF-003", reported=90)
    assert codes(office.get(url(sort="physical_progress"))) == ["LF-002", "LF-003", "LF-001"]
    assert codes(office.get(url(sort="-physical_progress"))) == ["LF-003", "LF-002", "LF-001"]


def test_unknown_sort_and_page_are_harmless(office):
    ProjectFactory(code="LF-001")
    for query in ({"sort": "nonsense"}, {"page": "-1"}, {"page": "999999999999"}, {"page": "x"}, {"per_page": "100000"}):
        assert codes(office.get(url(**query))) == ["LF-001"]


def test_pages_do_not_overlap(office):
    ProjectFactory.create_batch(120)
    found = [code for page in (1, 2, 3) for code in codes(office.get(url(sort="county", page=page)))]
    assert len(found) == len(set(found)) == 120
    assert len(codes(office.get(url(per_page=100)))) == 100


def test_county_sees_its_own_rows_only(client):
    mine, other = CountyFactory(), CountyFactory()
    own = ProjectFactory(county=mine, name="自己的工程")
    shared = ProjectFactory(county=other, name="跨县的工程")
    shared.also_in.add(mine)
    ProjectFactory(county=other, name="别县的工程", total_investment_wan=Decimal("77777.00"))
    client.force_login(UserFactory(in_county=True, county=mine))
    page = client.get(url())
    assert sorted(codes(page)) == sorted([own.code, shared.code])
    for address in (url(), url(q="别县"), url(county=other.code), url(export="csv"), url(view="brief")):
        assert "别县的工程" not in body(client.get(address))
        assert "77,777.00" not in body(client.get(address))


def body(response) -> str:
    content = b"".join(response.streaming_content) if response.streaming else response.content
    return content.decode("utf-8", "replace")


@pytest.mark.parametrize("trait", ["in_county", "in_department", "leader"])
def test_everyone_may_open_ledgers(client, trait):
    client.force_login(UserFactory(**{trait: True}))
    assert client.get(url()).status_code == 200
    assert client.get(reverse("ledgers")).status_code == 200


def test_unknown_ledger_is_not_found_in_chinese(office):
    page = office.get(reverse("ledger", args=["nothing"]))
    assert page.status_code == 404
    assert "没有找到" in page.content.decode()


def test_needs_login(client):
    page = client.get(url(county="141024"))
    assert page.status_code == 302
    assert page.url == "/accounts/login/?next=/ledgers/master/%3Fcounty%3D141024"


def test_only_get_is_answered(office):
    assert office.post(url()).status_code == 405


def test_htmx_part_is_found_word_for_word_in_the_page(office):
    ProjectFactory.create_batch(60, reported=40)
    part = office.get(url(sort="-name"), headers={"HX-Request": "true"}).content.decode()
    assert part.strip().startswith('<section id="ledger"')
    assert part.strip() in office.get(url(sort="-name")).content.decode()


def test_going_back_in_the_browser_gets_the_whole_page(office):
    page = office.get(url(), headers={"HX-Request": "true", "HX-History-Restore-Request": "true"})
    assert "<html" in page.content.decode()


def test_long_ledger_asks_for_its_sums_later(office, monkeypatch):
    monkeypatch.setattr("ledgers.views.ledger.INLINE_TOTALS", 1)
    ProjectFactory.create_batch(2)
    page = office.get(url()).content.decode()
    assert 'hx-trigger="load"' in page
    part = office.get(url(part="totals"), headers={"HX-Request": "true"}).content.decode()
    assert part.strip().startswith('<tfoot id="totals">')
    assert "2,000.00" in part


class TestLongLedger:
    """Its page counts only so far; the request for its totals counts on."""

    @pytest.fixture(autouse=True)
    def long(self, monkeypatch):
        monkeypatch.setattr("ledgers.views.ledger.INLINE_TOTALS", 100)
        monkeypatch.setattr("ledgers.views.ledger.PER_PAGE", [2, 50])
        ProjectFactory.create_batch(105)

    def words(self, page):
        return " ".join(re.sub(r"<[^>]+>", " ", page.split('id="ledger-count"')[1].split("</span>\n")[0]).split())

    def pages(self, page):
        return re.findall(r"(?:page=|page\">)(\d+)", page.split('id="ledger-pages"')[1].split("</span>\n          <span>")[0])

    def test_the_page_counts_so_far(self, office, django_assert_num_queries):
        page = office.get(url()).content.decode()
        assert "共 100 余个项目" in self.words(page)
        assert self.pages(page)[-1] == "50"

    def test_the_totals_tell_the_count_and_the_pages(self, office):
        part = office.get(url(part="totals"), headers={"HX-Request": "true"}).content.decode()
        assert "共 105 个项目" in self.words(part)
        assert self.pages(part)[-1] == "53"

    def test_the_sums_are_added_up_once_for_all_pages(self, office, django_assert_max_num_queries):
        first = office.get(url(part="totals"), headers={"HX-Request": "true"}).content.decode()
        office.get(url(page=2))
        with django_assert_max_num_queries(6):
            other = office.get(url(part="totals", page=2, density="dense"), headers={"HX-Request": "true"}).content.decode()
        foot = re.compile(r"<tfoot.*?</tfoot>", re.DOTALL)
        assert foot.search(other)[0] == foot.search(first)[0]
        assert "105,000.00" in foot.search(first)[0]

    def test_who_asks_afterwards_is_told_at_once(self, office):
        office.get(url(part="totals"), headers={"HX-Request": "true"})
        page = office.get(url(sort="-name")).content.decode()
        assert "共 105 个项目" in self.words(page)
        assert "余" not in self.words(page)

    @pytest.mark.parametrize(("asked", "shown"), [("50", "50"), ("51", "51"), ("53", "53"), ("54", "53"), ("999999999", "53")])
    def test_a_page_beyond_knows_where_the_ledger_ends(self, office, asked, shown):
        page = office.get(url(page=asked)).content.decode()
        assert f'aria-current="page">{shown}<' in page
        assert ("余" in self.words(page)) == (asked == "50")

    def test_a_ledger_of_just_so_many_is_counted_to_its_end(self, office):
        Project.objects.filter(pk__in=Project.objects.order_by("-pk").values_list("pk")[:5]).update(
            delisted_on=dt.date(2020, 1, 1), delisted_reason="并项"
        )
        forget()
        assert "共 100 个项目" in self.words(office.get(url()).content.decode())


def test_same_queries_for_one_row_and_thirty(office, django_assert_num_queries, django_assert_max_num_queries):
    def add(count):
        for project in ProjectFactory.create_batch(count, reported=40):
            PermitFactory(project=project)
            ProblemFactory(project=project)

    add(1)
    # region, session, person with their unit; state of the trail, own columns, views; count, keys of the page; projects, reports, plans,
    # particulars, funding, permits, problems; two of the total row; unread notices; the lists to choose from
    with django_assert_max_num_queries(22) as first:
        office.get(url())
    count = len(first)  # a page outside of the count empties the log
    add(29)
    forget()
    with django_assert_num_queries(count):
        office.get(url())


def test_a_new_county_can_be_chosen_at_once(office):
    ProjectFactory()
    assert "甲乙县" not in office.get(url()).content.decode()
    CountyFactory(name="甲乙县")
    assert "甲乙县" in office.get(url()).content.decode()


def test_empty_ledger_says_so(office):
    page = office.get(url()).content.decode()
    assert "没有符合条件的项目" in page
    assert "<table" not in page


def test_filter_is_told_in_words_and_can_be_cleared(office):
    county = CountyFactory(name="甲县")
    ProjectFactory(county=county)
    page = office.get(url(county=county.code, as_of="2025-02-01")).content.decode()
    assert "县（市、区）：甲县" in page
    assert re.search(r'<a\s+href="/ledgers/master/\?as_of=2025-02-01"\s*>清除筛选</a>', page)


def test_this_weeks_report_counts_today_but_not_last_week():
    project = ProjectFactory(reported=40)
    DispatchFactory(project=project, week_of=THIS_WEEK, physical_progress=55, submitted=True)
    assert master.read(TODAY, [project.pk])[0]["physical_progress"] == 55
    assert master.read(TODAY - dt.timedelta(days=7), [project.pk])[0]["physical_progress"] == 40


def test_project_off_the_list_is_off_the_ledger():
    project = ProjectFactory()
    Project.objects.update(delisted_on=TODAY, delisted_reason="并入他项")
    assert list(master.rows(TODAY)) == []
    assert list(master.rows(TODAY - dt.timedelta(days=1))) == [project]
