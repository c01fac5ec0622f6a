"""The S-curve of a set of projects, its page, and the back-test that says how far off it all is."""

import datetime as dt
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import call_command

from linfen_water import policy
from projects import rules
from projects.backtest import backtest
from projects.courses import read_courses
from projects.facts import project_facts
from projects.figures_scurve import ahead, curves
from projects.forecast import Forecast, plan_curve
from projects.models import Project, ProjectVersion
from projects.scurve import scurve
from tests.caches import forget
from tests.factories import (
    LAST_WEEK,
    TODAY,
    CountyFactory,
    DispatchFactory,
    DomainFactory,
    PlanFactory,
    ProjectFactory,
    RegionFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db
PAGE = "/projects/scurve/"


@pytest.fixture(autouse=True)
def region():
    forget()
    return RegionFactory()


@pytest.fixture
def office(client):
    client.force_login(UserFactory())
    return client


def everything(day=TODAY):
    return scurve(day, Project.objects.all())


def weekly(project, weeks=12, per_week=2, last=50):
    for n in range(weeks):
        DispatchFactory(project=project, week_of=LAST_WEEK - dt.timedelta(weeks=n), physical_progress=Decimal(max(last - per_week * n, 0)))


def test_progress_is_weighed_by_investment():
    ProjectFactory(total_investment_wan=Decimal(3000), reported=Decimal(80))
    ProjectFactory(total_investment_wan=Decimal(1000), reported=Decimal(40))
    found = everything()
    planned = project_facts(TODAY)[0].planned_progress
    assert (found.actual, found.planned, found.is_weighted) == (70, pytest.approx(planned), True)
    assert found.lag == rules.lag(found.planned, found.actual)


def test_without_any_investment_projects_count_alike():
    for percent in (80, 40):
        ProjectFactory(total_investment_wan=Decimal(0), reported=Decimal(percent))
    assert (everything().actual, everything().is_weighted) == (60, False)


def test_the_real_curve_ends_where_the_figures_say():
    weekly(ProjectFactory(total_investment_wan=Decimal(3000)))
    ProjectFactory(finished=True)  # by a record of the office: nobody reported 100
    ProjectFactory(not_started=True)
    found = everything()
    assert found.actual_points[-1] == (TODAY, pytest.approx(float(found.actual)))
    assert dict(found.actual_points)[dt.date(2024, 11, 20)] >= 20
    assert (found.count, found.unreported, found.forecast_points[0][1]) == (3, 1, pytest.approx(float(found.actual)))


def test_a_correction_downwards_lowers_the_curve():
    project = ProjectFactory()
    for week, percent in ((2, 60), (1, 40)):
        DispatchFactory(project=project, week_of=LAST_WEEK - dt.timedelta(weeks=week), physical_progress=Decimal(percent))
    assert [value for _, value in everything().actual_points] == [60, 40, 40]


def test_every_month_of_the_plan_is_that_of_the_rule():
    project = ProjectFactory(reported=Decimal(30))
    for month, percent in ((1, 20), (2, 35), (4, 60)):
        PlanFactory(project=project, month=dt.date(2025, month, 1), planned_progress=Decimal(percent))
    plans, version = dict(project.plans.values_list("month", "planned_progress")), ProjectVersion.objects.get()
    for on, percent in everything().planned_points:
        expected = rules.planned(on, plans, version.baseline_start_on, version.baseline_finish_on)
        assert percent == pytest.approx(float(expected)), on


def test_as_of_a_day_nothing_later_is_known():
    project = ProjectFactory()
    weekly(project, weeks=20)
    day = LAST_WEEK - dt.timedelta(weeks=5)
    before = scurve(day, Project.objects.all())
    project.dispatches.filter(cut_off_on__gt=day).delete()
    forget()
    assert scurve(day, Project.objects.all()) == before


def test_unfinished_ones_go_on_by_pace_or_by_their_date_or_not_at_all():
    weekly(ProjectFactory(code="LF-001"))
    ProjectFactory(code="LF-002", reported=Decimal(30))  # too few reports: its baseline
    weekly(ProjectFactory(code="LF-003"), per_week=0)
    found = everything()
    assert (found.told, found.assumed, found.still, found.finish_on) == (1, 1, 1, None)
    assert found.outlooks[0].code == "LF-003"
    assert found.forecast_points[-1][1] == pytest.approx((100 + 100 + 50) / 3)


def test_all_are_finished_by_the_month_that_the_curve_ends_in():
    weekly(ProjectFactory())
    found = everything()
    finish_on = found.outlooks[0].forecast.finish_on
    assert finish_on <= found.finish_on < finish_on + dt.timedelta(days=31)


def test_a_mistyped_year_does_not_stretch_the_axis():
    ProjectFactory(baseline_finish_on=dt.date(2925, 12, 31), reported=Decimal(10))
    assert everything().planned_points[-1][0] == dt.date(2035, 2, 28)


def test_an_empty_set_has_no_curve():
    assert everything() is None


def test_the_same_queries_for_one_project_and_thirty(django_assert_num_queries, django_assert_max_num_queries):
    weekly(ProjectFactory(), weeks=7)
    forget()
    with django_assert_max_num_queries(25) as first:
        everything()
    for _ in range(29):
        weekly(ProjectFactory(), weeks=7)
    forget()
    with django_assert_num_queries(len(first)):
        assert everything().count == 30


# ── The page ──


def test_the_page_shows_the_curve_and_each_project(office):
    weekly(ProjectFactory(code="LF-001", name="甲河治理"), per_week=1)
    body = office.get(PAGE).content.decode()
    assert "甲河治理" in body
    assert "按总投资加权" in body
    assert 'id="scurve-figure"' in body
    assert "2025-02-20" in body


def test_an_empty_page_says_so(office):
    assert "没有您可以查看的项目" in office.get(PAGE).content.decode()


def test_the_part_is_found_word_for_word_in_the_page(office):
    weekly(ProjectFactory())
    part = office.get(PAGE, headers={"HX-Request": "true"})
    assert part.content.decode().strip() in office.get(PAGE).content.decode()
    assert "HX-Request" in part["Vary"]


def test_a_county_and_a_domain_narrow_it(office):
    county, domain = CountyFactory(name="甲县"), DomainFactory(name="住建")
    ProjectFactory(county=county, name="甲县一号", reported=Decimal(20))
    ProjectFactory(domain=domain, name="住建一号", reported=Decimal(20))
    body = office.get(PAGE, {"county": county.code}).content.decode()
    assert ("甲县一号" in body, "住建一号" in body) == (True, False)
    body = office.get(PAGE, {"domain": "住建"}).content.decode()
    assert ("甲县一号" in body, "住建一号" in body) == (False, True)
    assert "没有您可以查看的项目" in office.get(PAGE, {"county": county.code, "domain": "住建"}).content.decode()


@pytest.mark.parametrize("query", [{"county": "nowhere"}, {"domain": "没有"}])
def test_a_place_that_is_not_is_not_found(office, query):
    assert office.get(PAGE, query).status_code == 404


def test_a_county_sees_its_own_also_after_the_office_looked(client):
    """What is kept for one scope is never shown to another."""
    own = CountyFactory()
    ProjectFactory(county=own, name="自己的", reported=Decimal(20))
    ProjectFactory(name="别人的", reported=Decimal(20))
    client.force_login(UserFactory())
    assert "别人的" in client.get(PAGE).content.decode()
    client.force_login(UserFactory(in_county=True, county=own))
    body = client.get(PAGE).content.decode()
    assert ("自己的" in body, "别人的" in body) == (True, False)


def test_opening_the_projects_of_others_is_seen_at_once(client):
    ProjectFactory(name="别人的", reported=Decimal(20))
    client.force_login(UserFactory(in_county=True, county=CountyFactory()))
    assert "别人的" not in client.get(PAGE).content.decode()
    values = policy.Values(counties_read_others=True)
    policy.set_values(values=values, effective_on=TODAY, reason="会议纪要", by=UserFactory(), seen=policy.fingerprint())
    assert "别人的" in client.get(PAGE).content.decode()


def test_a_projects_page_tells_its_finish_and_the_gap(office):
    project = ProjectFactory()
    weekly(project, per_week=1)
    project.dispatches.filter(week_of=LAST_WEEK).update(forecast_finish_on=dt.date(2025, 3, 1))
    body = office.get(f"/projects/{project.code}/").content.decode()
    assert "期和开工以来的进度（为计划速度的" in body
    assert "单位预计2025-03-01完工，按进度推算为" in body


def test_a_finished_projects_page_tells_nothing(office):
    project = ProjectFactory(finished=True)
    assert "完工推算" not in office.get(f"/projects/{project.code}/").content.decode()


# ── Figures ──


def test_the_figure_has_the_three_curves():
    weekly(ProjectFactory())
    assert [trace["name"] for trace in curves(everything())["data"]] == ["计划", "实际", "推算"]


def test_a_projects_figure_gains_its_way_and_its_interval():
    curve = plan_curve({}, dt.date(2024, 1, 1), dt.date(2025, 12, 31))
    day = dt.date(2025, 1, 1)
    told = Forecast(dt.date(2026, 1, 1), dt.date(2025, 11, 1), None, 1.0, 13, "")
    assert [trace["name"] for trace in ahead(day, curve, 50, told)] == ["推算"]  # an open end is not drawn
    line = ahead(day, curve, 50, told)[0]
    assert (line["x"][0], line["y"][0], line["x"][-1], line["y"][-1]) == ("2025-01-01", 50, "2026-01-01", 100)


# ── The back-test ──


def test_backtest_knows_a_forecast_that_is_always_right():
    """Projects that keep exactly to a straight plan: no error, no bias, every interval holds."""
    start, finish = dt.date(2024, 1, 1), dt.date(2024, 12, 30)
    for n in range(12):
        project = ProjectFactory(
            started_on=start, completed_on=finish, baseline_start_on=start, baseline_finish_on=finish, code=f"LF-{n:03}"
        )
        for week in range(8, 52, 4 if n else 1):
            on = start + dt.timedelta(weeks=week, days=3)
            percent = Decimal(100 * (on - start).days / 364).quantize(Decimal("0.01"))
            DispatchFactory(project=project, week_of=start + dt.timedelta(weeks=week), physical_progress=percent)
    courses = read_courses(Project.objects.all(), TODAY)
    for course in courses.values():  # all as densely reported as the first
        course.reports = next(iter(courses.values())).reports
    found = backtest(courses, TODAY)
    total = found.left_out[-1]
    assert (found.finished, found.projects, total.covered, found.overdue) == (12, 12, 100, 0)
    assert total.median["forecast"] <= 1
    assert abs(total.bias["line"]) <= 1


def test_the_page_says_how_far_off_as_the_rule_does(office):
    """One project that kept to its plan: its looks are on the page, an interval is not."""
    start = TODAY - dt.timedelta(weeks=30)
    finish = TODAY - dt.timedelta(weeks=2)
    project = ProjectFactory(started_on=start, completed_on=finish, baseline_start_on=start, baseline_finish_on=finish)
    for week in range(2, 28):
        DispatchFactory(
            project=project, week_of=start + dt.timedelta(weeks=week), physical_progress=Decimal(100 * week / 28).quantize(Decimal("0.1"))
        )
    found = office.get("/projects/scurve/accuracy/")
    score = found.context["found"].walked[-1]
    assert score.looks > 1
    text = " ".join(found.content.decode().split())
    assert f'<td class="number">{score.looks}</td>' in text
    assert f"<b>{score.median['forecast']:.0f}</b>（{score.signed['forecast']}）" in text
    assert "不给" in text


def test_without_finished_projects_the_page_says_so(office):
    assert "还没有可以回看的完工项目" in office.get("/projects/scurve/accuracy/").content.decode()


def test_the_command_prints_its_errors():
    weekly(ProjectFactory(completed_on=TODAY), weeks=12)
    out = StringIO()
    call_command("backtest_forecast", stdout=out)
    assert "完工项目1个" in out.getvalue()
    assert "不给" in out.getvalue()  # one finished project gives no interval
