"""What is odd about a project in a week: each rule on both sides of its limit, and the list on the page."""

import datetime as dt
from decimal import Decimal as D

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from linfen_water import clock, policy
from projects import anomalies, rules
from projects.anomalies import Anomaly, Course, PermitDates, judge
from projects.facts import project_facts
from tests.factories import (
    LAST_WEEK,
    CountyFactory,
    DispatchFactory,
    PermitFactory,
    ProjectFactory,
    RegionFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db
CUT_OFF = dt.date(2025, 2, 13)
VALUES = policy.Values()
WEEK = dt.timedelta(weeks=1)


@pytest.fixture(autouse=True)
def region(db):
    return RegionFactory()


def facts(**traits):
    project = ProjectFactory(**traits)
    return next(f for f in project_facts(CUT_OFF) if f.pk == project.pk)


def past(*said: tuple) -> tuple[rules.Past, ...]:
    """(weeks ago, progress, paid) of what counts, newest first."""
    return tuple(rules.Past(LAST_WEEK - ago * WEEK, D(progress), D(paid), "") for ago, progress, paid in said)


def found(*, past=(), is_due=False, is_silent=False, permits=(), day=CUT_OFF, values=VALUES, **traits) -> dict[Anomaly, str]:
    course = Course(facts(**traits), is_due, is_silent, past, permits)
    return {verdict.rule: verdict.sentence for verdict in judge(course, LAST_WEEK, day, values)}


def test_a_due_report_that_is_missing():
    assert found(is_due=True, past=past((1, 40, 0))) == {Anomaly.UNREPORTED: "2025年第7周未报周调度，最近一次填报为2025年第6周"}
    assert found(is_due=True) == {Anomaly.UNREPORTED: "2025年第7周未报周调度，列入以来没有填报"}
    assert found(is_due=True, past=past((0, 40, 0))) == {}


def test_before_the_deadline_nothing_is_missing():
    assert found(is_due=False, past=past((1, 40, 0))) == {}


def test_silence_tells_whether_it_was_reported():
    assert found(is_silent=True, past=past((0, 40, 0)), reported=40) == {
        Anomaly.SILENT: "连续4期阶段、总体进度（40%）和到位、支付、完成投资均无变化"
    }
    assert found(is_silent=True, past=past((4, 40, 0)), reported=40) == {Anomaly.SILENT: "连续4期未报周调度"}


@pytest.mark.parametrize(("finish", "is_over"), [(CUT_OFF, False), (CUT_OFF - dt.timedelta(days=1), True)])
def test_a_baseline_finish_is_over_the_day_after_it(finish, is_over):
    assert (Anomaly.MILESTONE in found(baseline_finish_on=finish, reported=60)) == is_over


def test_a_milestone_tells_the_new_forecast_if_there_is_one():
    assert found(baseline_finish_on=dt.date(2025, 2, 3), reported=60)[Anomaly.MILESTONE] == (
        "2025年2月3日基线完工已过10天仍未完工，总体进度60%，未报新的预计日期"
    )


def test_a_start_that_is_over():
    said = found(not_started=True, baseline_start_on=dt.date(2025, 2, 3))[Anomaly.MILESTONE]
    assert said == "2025年2月3日基线开工已过10天仍未开工，未报新的预计日期"


def test_a_finished_project_is_not_late():
    assert found(finished=True, baseline_finish_on=dt.date(2024, 1, 1), baseline_start_on=dt.date(2023, 1, 1)) == {}


@pytest.mark.parametrize(("day", "is_over"), [(dt.date(2025, 2, 11), False), (dt.date(2025, 2, 12), True)])
def test_a_permit_is_stalled_after_its_last_promised_working_day(day, is_over):
    """Eight working days from Friday 24 January 2025: the 26th and 27th were worked, then the festival until 4 February."""
    permit = PermitDates("环境影响评价", "第一单位", dt.date(2025, 1, 24), 8)
    assert (Anomaly.PERMIT_STALLED in found(permits=(permit,), day=day)) == is_over


def test_a_stalled_permit_names_authority_promise_and_days_over():
    permit = PermitDates("环境影响评价", "第一单位", dt.date(2025, 1, 6), 5)
    assert found(permits=(permit,))[Anomaly.PERMIT_STALLED] == (
        "环境影响评价2025年1月6日报送第一单位，承诺5个工作日，应于2025年1月13日办结，超19个工作日未办结"
    )


@pytest.mark.parametrize(
    ("said", "is_jump"),
    [
        pytest.param(past((0, 60, 0), (1, 40, 0)), False, id="正好20个百分点"),
        pytest.param(past((0, "60.5", 0), (1, 40, 0)), True, id="超过20个百分点"),
        pytest.param(past((0, "60.5", 0), (2, 40, 0)), False, id="两周之间按每周计"),
        pytest.param(past((1, "60.5", 0), (2, 40, 0)), False, id="不是本周的"),
        pytest.param(past((0, "60.5", 0)), False, id="没有上期"),
    ],
)
def test_a_jump(said, is_jump):
    assert (Anomaly.JUMP in found(past=said, reported=60)) == is_jump


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param(past((0, 50, 300), (8, 40, 300)), Anomaly.PROGRESS_WITHOUT_MONEY, id="有进度无支付"),
        pytest.param(past((0, 50, 300), (7, 40, 300)), None, id="不足八周"),
        pytest.param(past((0, 50, 301), (8, 40, 300)), None, id="都有"),
        pytest.param(past((0, 40, 301), (8, 40, 300)), Anomaly.MONEY_WITHOUT_PROGRESS, id="有支付无进度"),
        pytest.param(past((0, 40, 300), (8, 40, 300)), None, id="都没有"),
    ],
)
def test_money_and_progress_apart(said, expected):
    both = {Anomaly.PROGRESS_WITHOUT_MONEY, Anomaly.MONEY_WITHOUT_PROGRESS}
    assert both & set(found(past=said, reported=50)) == ({expected} if expected else set())


def test_thresholds_are_the_policys():
    said = past((0, 46, 0), (1, 40, 0))
    assert Anomaly.JUMP in found(past=said, reported=46, values=policy.Values(jump_points=5))


# ── Reading and the page ──


def test_queries_do_not_grow():
    def read():
        return anomalies.listed(LAST_WEEK, CUT_OFF, clock.now())

    ProjectFactory(reported=40)
    with CaptureQueriesContext(connection) as few:
        read()
    for _ in range(9):
        PermitFactory(project=ProjectFactory(behind=True), submitted_on=dt.date(2024, 12, 2), promised_workdays=5)
    with CaptureQueriesContext(connection) as many:
        assert sum(row.verdict.rule == Anomaly.PERMIT_STALLED for row in read()) == 9
    assert len(many) == len(few)


@pytest.fixture
def signed_in(client):
    client.force_login(UserFactory())
    return client


def test_the_list_is_chosen_by_kind_and_county(signed_in):
    county = CountyFactory(name="甲县")
    mine = ProjectFactory(county=county, baseline_finish_on=dt.date(2025, 1, 1))
    other = ProjectFactory()
    address = reverse("anomalies")
    assert signed_in.get(address, {"week": "2025-02-10"}).context["count"] == 5  # two unreported and silent, one milestone
    page = signed_in.get(address, {"week": "2025-02-10", "county": county.code, "kind": "milestone"})
    assert [row.facts.code for row in page.context["page"]] == [mine.code]
    assert other.code not in page.content.decode()


def test_a_running_week_is_not_called_unreported(signed_in, monkeypatch):
    ProjectFactory()
    monkeypatch.setattr(clock, "now", lambda: dt.datetime(2025, 2, 20, 9, tzinfo=dt.timezone(dt.timedelta(hours=8))))
    page = signed_in.get(reverse("anomalies"))
    assert "这一周还没有截止" in page.content.decode()
    assert [row.verdict.rule for row in page.context["page"]] == [Anomaly.SILENT]


def test_the_part_is_found_word_for_word_in_the_page(signed_in):
    ProjectFactory()
    address = reverse("anomalies") + "?week=2025-02-10"
    part = signed_in.get(address, headers={"HX-Request": "true"}).content.decode()
    assert part.strip() in signed_in.get(address).content.decode()


def test_the_reviewer_sees_it_beside_the_report(signed_in):
    project = ProjectFactory(baseline_finish_on=dt.date(2025, 1, 1))
    DispatchFactory(project=project, submitted=True, physical_progress=D(40))
    page = signed_in.get(reverse("dispatch"), {"view": "review", "week": "2025-02-10"}).content.decode()
    assert "2025年1月1日基线完工已过43天仍未完工" in page


def test_a_county_sees_only_its_own(client):
    foreign = ProjectFactory()
    county = CountyFactory()
    own = ProjectFactory(county=county)
    client.force_login(UserFactory(in_county=True, county=county))
    page = client.get(reverse("anomalies"), {"week": "2025-02-10"}).content.decode()
    assert own.code in page
    assert foreign.code not in page
