"""`/projects/` and a project's page: as of a day, scoped, and changed only with a reason."""

import datetime as dt
from decimal import Decimal

import plotly.graph_objects as go
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django.asserts import assertInHTML

from linfen_water.enums import Role
from projects import figures, services
from projects.enums import PermitKind, SourceKind
from projects.models import StageFact
from projects.views import projects as pages
from tests.factories import (
    LAST_WEEK,
    TODAY,
    CountyFactory,
    DispatchFactory,
    PermitFactory,
    PlanFactory,
    ProblemFactory,
    ProjectFactory,
    RegionFactory,
    SectionFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def region(db):
    return RegionFactory()


@pytest.fixture
def office(client):
    user = UserFactory()
    client.force_login(user)
    return user


@pytest.fixture
def project():
    return ProjectFactory(code="LF-001", name="汾河治理工程", reported=Decimal(40))


def queries_of(client, url) -> int:
    client.get(url)
    with CaptureQueriesContext(connection) as queries:
        assert client.get(url).status_code == 200
    return len(queries)


def codes(client, **params):
    return [row.code for row in client.get("/projects/", params).context["rows"]]


# ── the list ──


def test_the_list_asks_as_many_questions_for_one_row_as_for_thirty(client, office, project):
    one = queries_of(client, "/projects/")
    for _ in range(29):
        ProjectFactory(behind=True)
    assert queries_of(client, "/projects/") == one


@pytest.mark.parametrize(
    ("text", "expected"),
    [("汾河", ["LF-001"]), ("lf-002", ["LF-002"]), ("治理 工程", ["LF-001", "LF-002"]), ("72", ["LF-002"]), ("没有", []), ("%", [])],
)
def test_search_finds_name_code_and_number(client, office, project, text, expected):
    ProjectFactory(code="LF-002", number=72, name="浍河治理工程")
    assert sorted(codes(client, q=text)) == expected


def test_the_list_is_narrowed_by_county_domain_and_stage(client, office, project):
    finished = ProjectFactory(code="LF-002", finished=True)
    assert codes(client, stage="3") == ["LF-002"]
    assert codes(client, stage="2") == ["LF-001"]
    assert codes(client, county=finished.versions.get().county.code) == ["LF-002"]
    assert codes(client, domain=project.domain.name) == ["LF-001", "LF-002"]


def test_the_list_is_sorted_with_missing_values_last_both_ways(client, office, project):
    ProjectFactory(code="LF-002", reported=Decimal(80))
    ProjectFactory(code="LF-003")
    assert codes(client, sort="progress") == ["LF-001", "LF-002", "LF-003"]
    assert codes(client, sort="-progress") == ["LF-002", "LF-001", "LF-003"]


def test_money_and_percent_have_their_decimals(client, office, project):
    DispatchFactory(project=project, week_of=dt.date(2025, 2, 17), physical_progress=Decimal("40.25"), invested_wan=Decimal("4362.90"))
    page = client.get("/projects/").content.decode()
    assert '<td class="number">4362.90</td>' in page
    assert '<td class="number">40.3</td>' in page


def test_the_list_of_a_past_day_shows_what_was_true_then(client, office, project):
    ProjectFactory(code="LF-002", listed_on=dt.date(2025, 1, 1))
    rows = client.get("/projects/", {"as_of": "2024-02-29"}).context["rows"]
    assert [(row.code, row.stage, row.physical_progress) for row in rows] == [("LF-001", 1, None)]


def test_an_unknown_filter_value_is_told_and_not_a_crash(client, office, project):
    answer = client.get("/projects/", {"stage": "9", "county": "x", "sort": "nonsense"})
    assert answer.status_code == 200
    assert {"stage", "county"} <= set(answer.context["filter"].form.errors)
    assert client.get("/projects/", {"page": "999"}).status_code == 200


def test_the_htmx_part_is_found_in_the_full_page(client, office, project):
    part = client.get("/projects/", HTTP_HX_REQUEST="true").content.decode().strip()
    assert part in client.get("/projects/").content.decode()


# ── a project's page ──


def test_the_page_shows_everything_in_a_fixed_number_of_questions(client, office, project):
    def fill(n):
        for kind in list(PermitKind)[:n]:
            PermitFactory(project=project, kind=kind)
        for i in range(n):
            ProblemFactory(project=project)
            DispatchFactory(project=project, week_of=LAST_WEEK - dt.timedelta(weeks=i + 1))
            project.sections.add(SectionFactory())

    fill(1)
    one = queries_of(client, "/projects/LF-001/")
    project.permits.all().delete()
    project.dispatches.exclude(week_of=LAST_WEEK).delete()
    fill(12)
    assert queries_of(client, "/projects/LF-001/") == one


def test_nothing_later_than_the_day_is_shown(client, office, project):
    PermitFactory(project=project, submitted_on=dt.date(2024, 1, 5), obtained_on=dt.date(2024, 6, 1), doc_number="临环审〔2024〕9号")
    ProblemFactory(project=project, description="早先的问题", raised_on=dt.date(2024, 1, 10), closed_on=dt.date(2024, 9, 1))
    ProblemFactory(project=project, description="后来的问题", raised_on=dt.date(2024, 5, 1))
    services.revise_project(
        project=project, effective_from=dt.date(2024, 8, 1), reason="概算调整批复", by=office, total_investment_wan=Decimal(1234)
    )
    response = client.get("/projects/LF-001/", {"as_of": "2024-02-29"})
    d, page = response.context["d"], response.content.decode()
    assert (d.stage, d.started_on, d.last, d.lag) == (1, None, None, None)
    assert (d.version.total_investment_wan, len(d.versions), d.stage_facts) == (1000, 1, [])
    assert [(row.state, row.obtained_on) for row in d.permits] == [("in_progress", None)]
    assert [(problem.description, problem.closed_on) for problem in d.problems] == [("早先的问题", None)]
    assert "后来的问题" not in page
    assert "概算调整批复" not in page
    assert "1234" not in page
    now = client.get("/projects/LF-001/").context["d"]
    assert (now.stage, now.last.physical_progress, now.version.total_investment_wan, now.open_problems) == (2, 40, 1234, 1)


@pytest.mark.parametrize(("day", "status"), [("2023-04-30", 404), ("2023-05-01", 200), ("2025-02-20", 200), ("2025-02-21", 400)])
def test_the_page_begins_with_the_listing(client, office, project, day, status):
    assert client.get("/projects/LF-001/", {"as_of": day}).status_code == status


def test_a_delisted_project_can_still_be_read(client, office, project):
    project.delisted_on, project.delisted_reason = dt.date(2025, 1, 1), "并入其他项目"
    project.save()
    assert "并入其他项目" in client.get("/projects/LF-001/").content.decode()
    assert codes(client) == []


def test_money_by_source_comes_from_the_last_dispatch(client, office):
    project = ProjectFactory(funding={SourceKind.PROVINCE: Decimal(800), SourceKind.OWN: Decimal(200)}, reported=Decimal(40))
    rows = client.get(f"/projects/{project.code}/").context["d"].funding
    assert [(r.kind, r.planned_wan, r.in_place_wan, r.gap_wan, r.in_place_rate) for r in rows] == [
        ("省级资金", 800, 500, 300, Decimal("62.5")),
        ("自筹", 200, None, None, None),
    ]


def test_the_sum_of_the_sources_is_their_sum_and_a_gap_to_the_total_is_told(client, office, project):
    url = f"/projects/{project.code}/"
    assert "不一致，请核对资金来源" not in client.get(url).content.decode()
    source = project.funding.get()
    source.planned_wan -= 100
    source.save()
    response = client.get(url)
    assert response.context["d"].funding_wan == source.planned_wan
    assert "不一致，请核对资金来源" in response.content.decode()


def test_the_trail_says_who_changed_what(client, office, project):
    services.record_stage_fact(project=project, event="completion", on=dt.date(2025, 2, 1), ground="竣工验收", by=office)
    row = client.get("/projects/LF-001/").context["d"].trail[0]
    assert (row.action, row.changes, row.event.by) == ("登记开工完工", [("完工", "空", "2025-02-01")], office)


# ── the figure ──


def test_the_figure_is_valid_and_ends_with_the_day(project):
    PlanFactory(project=project, month=dt.date(2025, 2, 1), planned_progress=Decimal(60))
    version = project.versions.get()
    steps = [(dt.date(2025, 2, 13), Decimal(40)), (dt.date(2025, 2, 20), None)]
    drawn = figures.progress(TODAY, {dt.date(2025, 2, 1): Decimal(60)}, version, steps, project.started_on, None)
    figure = go.Figure(drawn)
    planned, actual, happened = figure.data
    assert (planned.x[-1], planned.y[-1]) == ("2025-12-31", 100)
    assert dict(zip(planned.x, planned.y, strict=True))["2025-02-28"] == 60
    assert (list(actual.x), list(actual.y)) == (["2025-02-13"], [40])
    assert list(happened.text) == ["开工"]


def test_the_planned_line_runs_straight_between_its_days(project):
    days = figures.planned_days({dt.date(2026, 2, 1): Decimal(100)}, dt.date(2024, 1, 1), dt.date(2025, 12, 31))
    assert (days[0], days[-1]) == (dt.date(2023, 12, 31), dt.date(2026, 2, 28))


# ── the office's changes ──


def revision_of(project, **values):
    version = project.versions.get(effective_to=None)
    form = {
        "name": version.name, "county": version.county_id, "lead_unit": version.lead_unit_id,
        "responsible_unit": version.responsible_unit_id, "owner": version.owner, "sponsor_post": "",
        "total_investment_wan": "1000", "baseline_start_on": "2024-01-01", "baseline_finish_on": "2025-12-31",
        "effective_from": "2025-02-20", "reason": "批复", "seen": version.pk,
    }  # fmt: skip
    return form | values


def test_the_second_of_two_revisions_is_told_and_undoes_nothing(client, office, project):
    mine = revision_of(project, baseline_finish_on="2026-06-30", reason="延期批复")
    theirs = revision_of(project, name="汾河治理二期工程", reason="更名批复", effective_from="2025-02-18")
    assert client.post("/projects/LF-001/revise/", theirs).status_code == 302
    told = client.post("/projects/LF-001/revise/", mine)
    assert (told.status_code, "刚被他人变更" in told.content.decode()) == (422, True)
    assert 'value="2026-06-30"' in told.content.decode()
    assert project.versions.get(effective_to=None).name == "汾河治理二期工程"
    assert f'name="seen" value="{project.versions.get(effective_to=None).pk}"' in told.content.decode()


def test_a_name_is_kept_without_what_cannot_be_shown(client, office, project):
    client.post("/projects/LF-001/revise/", revision_of(project, name="汾河\x07治理工程", reason="更名批复"))
    assert client.get("/projects/LF-001/").context["d"].version.name == "汾河治理工程"


def test_the_office_revises_with_a_reason(client, office, project):
    response = client.post("/projects/LF-001/revise/", revision_of(project, baseline_finish_on="2026-06-30", reason="延期批复"))
    assert response.status_code == 302
    before, after = project.versions.order_by("effective_from")
    assert (before.baseline_finish_on, after.baseline_finish_on, after.reason) == (dt.date(2025, 12, 31), dt.date(2026, 6, 30), "延期批复")


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"reason": "", "owner": "新"}, "reason"),
        ({}, "name"),
        ({"total_investment_wan": "一千万"}, "total_investment_wan"),
        ({"baseline_finish_on": "2023-01-01"}, "baseline_finish_on"),
        ({"owner": "新", "effective_from": "2025-02-21"}, "effective_from"),
    ],
)
def test_a_faulty_revision_comes_back_with_what_was_typed(client, office, project, values, field):
    typed = revision_of(project, sponsor_post="副市长") | values
    if field == "name":
        typed = revision_of(project)
    response = client.post("/projects/LF-001/revise/", typed)
    assert response.status_code == 422
    form = response.context["revision_form"]
    assert field in form.errors
    assert form["sponsor_post"].value() == typed["sponsor_post"]
    assert project.versions.count() == 1


def test_the_office_records_and_withdraws_a_completion(client, office, project):
    assert client.post("/projects/LF-001/stage/", {"event": "completion", "on": "2025-02-01", "ground": "竣工验收"}).status_code == 302
    project.refresh_from_db()
    assert project.completed_on == dt.date(2025, 2, 1)
    fact = StageFact.objects.get(project=project, event="completion")
    url = f"/projects/LF-001/stage/{fact.pk}/withdraw/"
    assert client.post(url, {"reason": ""}).status_code == 422
    assert client.post(url, {"reason": "误录"}).status_code == 302
    project.refresh_from_db()
    assert project.completed_on is None


@pytest.mark.parametrize(("on", "words"), [("2024-02-01", "早于开工日期"), ("2025-02-21", "还没有发生"), ("2025-02-30", "日期无效")])
def test_an_impossible_stage_is_told_at_the_date(client, office, project, on, words):
    response = client.post("/projects/LF-001/stage/", {"event": "completion", "on": on, "ground": "核查"})
    assert response.status_code == 422
    assert words in "".join(response.context["stage_form"].errors["on"])
    assert response.context["stage_form"]["ground"].value() == "核查"


def test_others_see_no_forms(client, project):
    client.force_login(UserFactory(role=Role.LEADER))
    assert "变更基本信息" not in client.get("/projects/LF-001/").content.decode()


def test_an_invented_project_says_so(client, office, project):
    assertInHTML('<span class="badge">演示数据</span>', client.get("/projects/LF-001/").content.decode())


def test_a_project_shared_with_my_county_is_mine_to_read(client, project):
    county = CountyFactory()
    project.also_in.add(county)
    client.force_login(UserFactory(in_county=True, county=county))
    assert client.get("/projects/LF-001/").status_code == 200
    assert client.get("/dispatch/LF-001/").status_code == 404


@pytest.mark.parametrize("per_page", ["1", "0", "-1", "100000", "x"])
def test_the_address_does_not_say_how_long_a_page_is(client, office, monkeypatch, per_page):
    monkeypatch.setattr(pages, "PER_PAGE", 2)
    for _ in range(3):
        ProjectFactory()
    assert len(codes(client, per_page=per_page)) == 2
    assert len(codes(client, per_page=per_page, page="99")) == 1


def test_going_back_in_the_browser_gives_the_whole_page(client, office, project):
    part = client.get("/projects/", headers={"HX-Request": "true"})
    back = client.get("/projects/", headers={"HX-Request": "true", "HX-History-Restore-Request": "true"})
    assert "<html" not in part.content.decode()
    assert "<html" in back.content.decode()
    assert "HX-Request" in part["Vary"]
