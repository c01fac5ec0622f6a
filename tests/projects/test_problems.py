"""`/problems/`: the list and its filters, raising, a problem's page for each who has to do with it, and ledger 9."""

import datetime as dt

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from linfen_water.enums import UnitKind
from projects import attachments, problem_services
from projects.enums import ProblemCategory, ProblemState
from projects.models import Problem
from tests.factories import (
    TODAY,
    CountyFactory,
    DispatchFactory,
    DomainFactory,
    ProblemFactory,
    ProjectFactory,
    RegionFactory,
    UnitFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db
PDF = b"%PDF-1.7\n%%EOF\n"


@pytest.fixture(autouse=True)
def region(db, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    return RegionFactory()


@pytest.fixture
def project():
    return ProjectFactory(code="LF-001", name="一号河治理")


@pytest.fixture
def office():
    return UserFactory(unit=UnitFactory(kind=UnitKind.OFFICE, name="专班办"))


@pytest.fixture
def clerk(project):
    return UserFactory(in_county=True, unit=project.versions.get().responsible_unit)


@pytest.fixture
def problem(project, clerk):
    return put(project, clerk, handler=clerk.unit)


def put(project, by, **values):
    values = {"category": ProblemCategory.LAND, "description": "征地协议未签", "raised_on": TODAY} | values
    return problem_services.raise_problem(project=project, by=by, **values)


def shown(client, **query):
    return [row.code for row in client.get("/problems/", query).context["rows"]]


# ── the list ──


def test_late_ones_come_first_and_closed_ones_last(client, project, clerk, office):
    long_ago = dt.date(2025, 2, 3)
    closed = put(project, clerk, description="甲", raised_on=long_ago)
    problem_services.close_problem(problem=closed, by=office, version=1, basis="好了", no_evidence="看过")
    fresh = put(project, clerk, description="乙")
    limit = put(project, clerk, description="丙", raised_on=dt.date(2025, 2, 19), due_on=dt.date(2025, 2, 19))
    stuck = put(project, clerk, description="丁", raised_on=long_ago)
    client.force_login(office)
    assert shown(client) == [stuck.code, limit.code, fresh.code, closed.code]
    counts = client.get("/problems/").context["counts"]
    assert (counts.all, counts.open, counts.late, counts.due_up, counts.closed) == (4, 3, 2, 1, 1)
    assert shown(client, overdue="any") == [stuck.code, limit.code]
    assert shown(client, overdue="up") == [stuck.code]
    assert shown(client, overdue="limit") == [limit.code]
    assert shown(client, state="open") == [stuck.code, limit.code, fresh.code]
    assert shown(client, state=ProblemState.CLOSED) == [closed.code]
    assert shown(client, as_of="2025-02-04") == [closed.code, stuck.code]  # neither was late or closed then


def test_filters_choose_by_county_domain_category_level_and_words(client, project, clerk, office):
    mine = put(project, clerk)
    county = CountyFactory()
    other = put(
        ProjectFactory(county=county, domain=DomainFactory(name="城管")), office, category=ProblemCategory.FUNDS, description="欠款"
    )
    problem_services.move_problem(problem=other, by=office, version=1, to=2, exit_opinion="甲", entry_opinion="乙")
    client.force_login(office)
    for query in ({"county": county.code}, {"domain": "城管"}, {"category": "funds"}, {"level": "2"}, {"q": "欠款"}):
        assert shown(client, **query) == [other.code], query
    assert shown(client, q="一号河") == [mine.code]
    assert shown(client, level="2", as_of="2025-02-19") == []


def test_a_wrong_filter_is_said_and_shows_nothing(client, problem, office):
    client.force_login(office)
    answer = client.get("/problems/", {"level": "9"})
    assert answer.status_code == 200
    assert answer.context["rows"] == []
    assert "field-error" in answer.content.decode()


def test_the_list_asks_as_often_for_thirty_as_for_one(client, project, clerk, office, django_assert_num_queries):
    client.force_login(office)
    put(project, clerk, description="第一件")
    client.get("/problems/")
    with CaptureQueriesContext(connection) as asked:
        client.get("/problems/")
    for place in range(29):
        put(project, clerk, description=f"又一件{place}", handler=clerk.unit)
    with django_assert_num_queries(len(asked)):
        assert len(client.get("/problems/").context["rows"]) == 30


def test_the_part_is_found_word_for_word_in_the_page(client, problem, office):
    client.force_login(office)
    part = client.get("/problems/", headers={"HX-Request": "true"}).content.decode()
    assert part.strip() in client.get("/problems/").content.decode()
    assert part.strip().startswith("<section")


def test_an_empty_list_says_what_to_do(client, office):
    client.force_login(office)
    assert "没有问题记录" in client.get("/problems/").content.decode()
    assert "没有符合条件的问题" in client.get("/problems/", {"q": "没有这个词"}).content.decode()


# ── who sees what ──


def test_a_county_sees_its_own_and_what_it_handles_or_assists_with(client, project, clerk, office):
    foreign = UserFactory(in_county=True, county=CountyFactory())
    own = put(project, clerk)
    client.force_login(foreign)
    assert shown(client) == []
    assert client.get(f"/problems/{own.code}/").status_code == 404
    problem_services.edit_problem(problem=own, by=office, version=1, assistants=[foreign.unit])
    assert shown(client) == [own.code]
    page = client.get(f"/problems/{own.code}/").content.decode()
    assert f'href="/projects/{project.code}/"' not in page  # the project itself stays closed to them
    assert client.get(f"/projects/{project.code}/").status_code == 404
    assert client.post(f"/problems/{own.code}/note/", {"text": "我县已配合"}).status_code == 302
    assert client.post(f"/problems/{own.code}/edit/", {"version": 2, "measures": "x"}).status_code == 404


def test_a_file_of_a_foreign_problem_is_not_found(client, problem, clerk):
    problem_services.add_files(problem=problem, by=clerk, files=[attachments.take("批复.pdf", PDF)])
    pk = problem.attachments.get().pk
    client.force_login(clerk)
    assert client.get(f"/attachments/{pk}/").status_code == 200
    client.force_login(UserFactory(in_county=True, county=CountyFactory()))
    assert client.get(f"/attachments/{pk}/").status_code == 404


@pytest.mark.parametrize("action", ["close", "return", "up", "down", "reopen", "nonsense", ""])
def test_a_handler_directs_nothing(client, problem, clerk, action):
    client.force_login(clerk)
    data = {"action": action, f"{action}-version": 1, f"{action}-basis": "好了", f"{action}-no_evidence": "无"}
    assert client.post(f"/problems/{problem.code}/act/", data).status_code == 404
    problem.refresh_from_db()
    assert (problem.edit_version, problem.closed_on) == (1, None)


def test_a_handler_changes_the_measures_and_nothing_else(client, problem, clerk):
    client.force_login(clerk)
    client.post(f"/problems/{problem.code}/edit/", {"version": 1, "measures": "逐户协商", "description": "改写", "due_on": "2026-01-01"})
    problem.refresh_from_db()
    assert (problem.measures, problem.description, problem.due_on) == ("逐户协商", "征地协议未签", None)


# ── raising ──


def form(**values):
    return {"project": "LF-001", "category": "land", "description": "占地补偿未定", "raised_on": "2025-02-20"} | values


def test_a_county_raises_a_problem_of_its_own_project(client, project, clerk):
    client.force_login(clerk)
    answer = client.post("/problems/new/", form(handler=clerk.unit.pk))
    assert answer.url == "/problems/WT-2025-001/"
    found = Problem.objects.get()
    assert (found.raised_by, found.handler, found.description) == (clerk, clerk.unit, "占地补偿未定")


def test_a_county_raises_none_of_a_foreign_project_and_names_no_foreign_county(client, project, clerk):
    ProjectFactory(code="LF-002")
    client.force_login(clerk)
    refused = client.post("/problems/new/", form(project="LF-002"))
    assert refused.status_code == 422
    assert "请从列表中选择项目" in refused.content.decode()
    other = UnitFactory(county=CountyFactory())
    assert client.post("/problems/new/", form(handler=other.pk)).status_code == 422
    assert Problem.objects.count() == 0


def test_what_was_typed_comes_back_with_what_is_wrong(client, project, clerk):
    client.force_login(clerk)
    page = client.post("/problems/new/", form(category="", raised_on="2025-02-30", measures="已有措施")).content.decode()
    for words in ("请选择类别", "日期无效", "占地补偿未定", "已有措施", "2025-02-30"):
        assert words in page


def test_a_problem_is_raised_of_what_a_report_says(client, project, clerk):
    dispatch = DispatchFactory(project=project, hinders="砂石料短缺")
    DispatchFactory(project=ProjectFactory(), hinders="别县的困难")
    client.force_login(clerk)
    page = client.get("/problems/new/").content.decode()
    assert "砂石料短缺" in page
    assert "别县的困难" not in page
    filled = client.get("/problems/new/", {"dispatch": dispatch.pk})
    assert filled.context["form"].initial["description"] == "砂石料短缺"
    client.post("/problems/new/", form(description="砂石料短缺", dispatch=dispatch.pk))
    assert Problem.objects.get().dispatch == dispatch
    assert "砂石料短缺" not in client.get("/problems/new/").content.decode()


@pytest.mark.parametrize("query", [{"dispatch": "abc"}, {"dispatch": "9" * 30}, {"project": "LF-999"}, {"text": "甲" * 5000}])
def test_odd_addresses_open_an_empty_form(client, project, clerk, query):
    client.force_login(clerk)
    assert client.get("/problems/new/", query).status_code == 200


# ── a problem's page ──


def test_the_whole_way_by_the_pages(client, problem, clerk, office):
    url = f"/problems/{problem.code}/"
    client.force_login(clerk)
    assert client.post(url + "act/", {"action": "begin", "begin-version": 1}).url == url
    assert client.post(url + "note/", {"text": "已对接"}).url == url
    wrong = client.post(url + "act/", {"action": "answer", "answer-version": 2, "answer-basis": "协议已签"})
    assert wrong.status_code == 422
    assert "请附佐证材料" in wrong.content.decode()
    assert "协议已签" in wrong.content.decode()
    file = SimpleUploadedFile("协议.pdf", PDF)
    data = {"action": "answer", "answer-version": 2, "answer-basis": "协议已签", "answer-files": [file]}
    assert client.post(url + "act/", data).url == url
    client.force_login(office)
    assert "协议.pdf" in client.get(url).content.decode()
    assert client.post(url + "act/", {"action": "close", "close-version": 3, "close-basis": "核查属实"}).url == url
    page = client.get(url)
    assert page.context["row"].state == ProblemState.CLOSED
    assert [act.key for act, _ in page.context["acts"]] == ["reopen"]
    assert [act.key for act, _ in client.get(url, {"as_of": "2025-02-20"}).context["acts"]] == ["reopen"]


def test_a_past_day_shows_what_was_and_changes_nothing(client, problem, office, region):
    region.demo_on = dt.date(2025, 3, 3)
    region.save()
    problem_services.move_problem(problem=problem, by=office, version=1, to=2, exit_opinion="本级无权限", entry_opinion="请会商")
    client.force_login(office)
    past = client.get(f"/problems/{problem.code}/", {"as_of": "2025-02-25"})
    assert (past.context["row"].level, past.context["acts"], past.context["edit_form"]) == (1, [], None)
    assert "本级无权限" not in past.content.decode()
    assert client.get(f"/problems/{problem.code}/", {"as_of": "2025-02-19"}).status_code == 404


def test_an_action_on_an_old_page_keeps_the_words(client, problem, office):
    problem_services.edit_problem(problem=problem, by=office, version=1, measures="先改一步")
    client.force_login(office)
    data = {"action": "up", "up-version": 1, "up-exit_opinion": "写了很久的意见", "up-entry_opinion": "请会商"}
    answer = client.post(f"/problems/{problem.code}/act/", data)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "刚被他人改动" in page
    assert "写了很久的意见" in page
    assert 'name="up-version" value="2"' in page
    assert client.post(f"/problems/{problem.code}/act/", data | {"up-version": 2}).status_code == 302


def test_the_second_editor_sees_both_values(client, problem, office):
    problem_services.edit_problem(problem=problem, by=office, version=1, measures="他人的措施")
    client.force_login(office)
    data = {"version": 1, "category": "land", "description": "征地协议未签", "handler": problem.handler_id, "measures": "我的措施"}
    answer = client.post(f"/problems/{problem.code}/edit/", data)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert answer.context["conflict"] == [("措施", "我的措施", "他人的措施")]
    assert 'name="version" value="2"' in page
    client.post(f"/problems/{problem.code}/edit/", data | {"version": 2})
    problem.refresh_from_db()
    assert problem.measures == "我的措施"


def test_scripts_in_texts_and_file_names_stay_text(client, project, clerk):
    nasty = "<script>alert(1)</script>"
    problem = put(project, clerk, description=nasty, handler=clerk.unit)
    problem_services.add_note(problem=problem, by=clerk, text=nasty)
    problem_services.add_files(problem=problem, by=clerk, files=[attachments.take(f"{nasty}.pdf", PDF)])
    client.force_login(clerk)
    for url in ("/problems/", f"/problems/{problem.code}/", "/ledgers/problems/"):
        assert nasty not in client.get(url).content.decode()


# ── ledger 9 ──


def test_the_ledger_holds_what_the_list_shows(client, problem, office):
    problem_services.move_problem(problem=problem, by=office, version=1, to=2, exit_opinion="本级无权限", entry_opinion="请会商")
    client.force_login(office)
    page = client.get("/ledgers/problems/").content.decode()
    assert problem.code in page
    assert "未销号1个（超期0个，其中应升级0个；待核0个），已销号0个，销号率 0.0%（0/1）" in page
    lines = b"".join(client.get("/ledgers/problems/", {"export": "csv"})).decode("utf-8-sig")
    assert "二级：部门会商" in lines
    assert "一级 2025-02-20 进入：提出，专班办分析；2025-02-20 离开：本级无权限；二级 2025-02-20 进入：请会商；本级期限 2025-02-27" in lines


@pytest.mark.parametrize("sort", ["code", "-level", "county", "verdict", "-due_on", "handler"])
def test_the_ledger_is_sorted_and_scoped(client, problem, clerk, office, sort):
    ProblemFactory(code="WT-2025-900", project=ProjectFactory())
    client.force_login(office)
    assert client.get("/ledgers/problems/", {"sort": sort}).context["table"].paginator.count == 2
    client.force_login(clerk)
    assert client.get("/ledgers/problems/", {"sort": sort}).context["table"].paginator.count == 1


def test_a_projects_page_leads_to_its_problems(client, problem, clerk):
    client.force_login(clerk)
    page = client.get("/projects/LF-001/").content.decode()
    assert f'href="/problems/{problem.code}/"' in page
    assert "/problems/new/?project=LF-001" in page
