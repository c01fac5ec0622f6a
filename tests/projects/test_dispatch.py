"""`/dispatch/`: filling in, errors beside the cell, two people at once, review."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from linfen_water import clock
from linfen_water.models import TrailEvent
from projects.enums import DispatchState, SourceKind
from projects.models import Dispatch, Project
from projects.reports import MONEY
from projects.views.dispatch import time_left
from tests.factories import (
    LAST_WEEK,
    THIS_WEEK,
    TODAY,
    CountyFactory,
    DispatchFactory,
    DomainFactory,
    ProjectFactory,
    RegionFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db
HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture(autouse=True)
def region(db, monkeypatch):
    noon = dt.datetime.combine(TODAY, dt.time(12), tzinfo=dt.timezone(dt.timedelta(hours=8)))
    monkeypatch.setattr(clock, "now", lambda: noon)
    return RegionFactory()


@pytest.fixture
def county():
    return CountyFactory()


@pytest.fixture
def project(county):
    return ProjectFactory(code="LF-001", county=county, reported=Decimal(40))


@pytest.fixture
def clerk(client, county):
    user = UserFactory(in_county=True, county=county)
    client.force_login(user)
    return user


def typed(project, version=0, **values):
    """The POST of one block: everything that the page offers, as it was prefilled, with `values` typed over it."""
    source = project.funding.get()
    block = {"version": version, "physical_progress": "40", "done": "完成护岸砌筑 200 米", "next_steps": "继续护岸施工"}
    block |= {"hinders": "", "reason": "", "completed_on": "", "forecast_finish_on": ""}
    block |= {f"{field}_{source.pk}": amount for field, amount in zip(MONEY, ["500", "300", "300", "400"], strict=True)}
    return {f"{project.code}-{key}": value for key, value in (block | values).items()}


def submit(client, project, version=0, action="submit", **values):
    url = f"/dispatch/{project.code}/?week={THIS_WEEK}"
    return client.post(url, typed(project, version, **values) | {"action": f"{action}:{project.code}"}, **HTMX)


def block_of(response, project):
    return next(block for block in response.context["blocks"] if block.code == project.code)


# ── the page ──


def test_last_periods_values_are_prefilled_and_marked_as_unchanged(client, clerk, project):
    response = client.get("/dispatch/")
    block = block_of(response, project)
    assert (block.progress.value, block.progress.before, block.progress.is_same) == ("40", "40", True)
    assert [cell.value for row in block.source_rows for cell in row.cells] == ["500", "300", "300", "400"]
    assert [words for words, _ in block.badges] == ["未报"]
    assert "未变" in response.content.decode()


def test_a_changed_draft_cell_is_no_longer_marked(client, clerk, project):
    DispatchFactory(project=project, week_of=THIS_WEEK, draft=True, physical_progress=Decimal(45))
    block = block_of(client.get("/dispatch/"), project)
    assert (block.progress.value, block.progress.is_same) == ("45", False)
    assert all(cell.is_same for row in block.source_rows for cell in row.cells)


def test_a_county_finds_its_own_projects_only(client, clerk, project):
    ProjectFactory(code="LF-002")
    assert [block.code for block in client.get("/dispatch/").context["blocks"]] == ["LF-001"]


def test_a_project_finished_before_the_week_is_folded_away(client, clerk, county):
    ProjectFactory(code="LF-003", county=county, finished=True)
    response = client.get("/dispatch/")
    assert list(response.context["blocks"]) == []
    assert [row["code"] for row in response.context["finished"]] == ["LF-003"]


def test_the_bar_counts_what_is_reported(client, clerk, county, project):
    ProjectFactory(county=county)
    submit(client, project, physical_progress="45")
    counts = client.get("/dispatch/").context["counts"]
    assert (counts["reported"], counts["due"], counts["drafts"]) == (1, 2, 0)


def test_the_htmx_part_is_found_in_the_full_page(client, clerk, project):
    part = client.get(f"/dispatch/{project.code}/", **HTMX).content.decode().split("</details>\n")[0]
    assert part.strip() in client.get("/dispatch/").content.decode()


def test_the_page_asks_as_many_questions_for_one_row_as_for_thirty(client, clerk, county, project):
    DispatchFactory(project=project, week_of=THIS_WEEK, submitted=True)
    one = queries_of(client)
    for _ in range(29):
        DispatchFactory(project=ProjectFactory(county=county, reported=Decimal(20)), week_of=THIS_WEEK, submitted=True)
    assert queries_of(client) == one


def queries_of(client) -> int:
    client.get("/dispatch/")
    with CaptureQueriesContext(connection) as queries:
        assert client.get("/dispatch/").status_code == 200
    return len(queries)


@pytest.mark.parametrize(
    ("week", "status"),
    [
        ("2025-02-17", 200),
        ("2025-02-19", 200),
        ("2025-02-23", 200),
        ("2025-02-24", 400),
        ("2025-02-30", 400),
        ("x", 400),
        ("1999-01-04", 400),
    ],
)
def test_an_impossible_or_future_week_is_answered_with_400(client, clerk, week, status):
    assert client.get("/dispatch/", {"week": week}).status_code == status


def test_a_past_as_of_leads_to_that_week(client, clerk):
    response = client.get("/dispatch/?as_of=2025-02-13")
    assert (response.status_code, response.url) == (302, "/dispatch/?week=2025-02-10")


@pytest.mark.parametrize(
    ("hour", "minute", "words"),
    [(17, 59, "还有 0 小时 1 分"), (18, 0, "还有 0 小时 0 分"), (18, 1, "")],
    ids=["前一分钟", "整点", "过一分钟"],
)
def test_the_time_left_ends_with_the_cut_off(hour, minute, words):
    now = dt.datetime.combine(TODAY, dt.time(hour, minute), tzinfo=dt.timezone(dt.timedelta(hours=8)))
    assert time_left(now, now.replace(hour=18, minute=0)) == words


# ── saving and submitting ──


def test_a_draft_is_saved_and_counts_for_nothing(client, clerk, project):
    response = submit(client, project, action="save", physical_progress="45")
    assert response.status_code == 200
    draft = Dispatch.objects.get(project=project, week_of=THIS_WEEK)
    assert (draft.state, draft.physical_progress, draft.edited_by) == (DispatchState.DRAFT, 45, clerk)


def test_a_submission_counts_at_once(client, clerk, project):
    response = submit(client, project, physical_progress="45", done="完成护岸砌筑 260 米")
    assert response.status_code == 200
    live = Dispatch.objects.get(project=project, week_of=THIS_WEEK)
    assert (live.is_live, live.is_late, live.done, live.invested_wan) == (True, False, "完成护岸砌筑 260 米", 400)
    assert "bar-count" in response.content.decode()


def test_a_completion_is_reported_in_one_go(client, clerk, project):
    assert submit(client, project, physical_progress="100", completed_on="2025-02-19").status_code == 200
    project.refresh_from_db()
    assert project.completed_on == dt.date(2025, 2, 19)


@pytest.mark.parametrize(
    ("values", "field", "words"),
    [
        pytest.param({"physical_progress": "101"}, "physical_progress", "不能大于 100", id="超过100"),
        pytest.param({"physical_progress": "39"}, "physical_progress", "由上期40%降到39%", id="下降"),
        pytest.param({"physical_progress": "很多"}, "physical_progress", "请填数字", id="不是数字"),
        pytest.param({"physical_progress": "100", "completed_on": "2024-02-01"}, "completed_on", "早于开工日期", id="完工早于开工"),
        pytest.param({"completed_on": "2025-02-21", "physical_progress": "100"}, "completed_on", "还没有发生", id="未来完工"),
        pytest.param({"completed_on": "2025-02-31"}, "completed_on", "日期无效", id="不存在的日期"),
    ],
)
def test_a_contradiction_is_told_beside_its_cell_and_nothing_is_lost(client, clerk, project, values, field, words):
    response = submit(client, project, done="打了很多字", **values)
    assert response.status_code == 422
    block = block_of(response, project)
    cell = block.cell(field, "number")
    assert words in "".join(cell.errors)
    assert cell.value == values[field]
    assert block.texts[0].value == "打了很多字"
    assert not Dispatch.objects.filter(project=project, week_of=THIS_WEEK, is_live=True).exists()


def test_money_above_the_total_wants_a_reason(client, clerk, project):
    key = f"completed_wan_{project.funding.get().pk}"
    response = submit(client, project, **{key: "1000.01"})
    assert response.status_code == 422
    assert "超过总投资1000万元" in response.content.decode()
    version = Dispatch.objects.get(project=project, week_of=THIS_WEEK).version
    assert submit(client, project, version, reason="设计变更，已报批", **{key: "1000.01"}).status_code == 200


def test_markup_comes_out_as_text(client, clerk, project):
    submit(client, project, action="save", done="<script>alert(1)</script>", hinders='"><img src=x>')
    page = client.get("/dispatch/").content.decode()
    assert "<script>alert(1)</script>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<img src=x>" not in page


def test_one_click_reports_a_week_without_change(client, clerk, project):
    assert submit(client, project, action="same").status_code == 200
    live = Dispatch.objects.get(project=project, week_of=THIS_WEEK, is_live=True)
    assert (live.physical_progress, live.invested_wan, live.done) == (40, 400, "完成护岸砌筑 200 米")


def test_the_click_for_no_change_refuses_what_was_changed(client, clerk, project):
    response = submit(client, project, action="same", physical_progress="45")
    assert response.status_code == 422
    assert block_of(response, project).progress.value == "45"
    assert not Dispatch.objects.filter(project=project, week_of=THIS_WEEK).exists()


def test_all_that_was_typed_is_submitted_at_once_and_the_rest_left_alone(client, clerk, county, project):
    other, idle = (ProjectFactory(county=county, reported=Decimal(40)) for _ in range(2))
    data = typed(project, physical_progress="45") | typed(other, physical_progress="46") | typed(idle)
    response = client.post("/dispatch/", data | {"action": "submit"})
    assert response.status_code == 302
    live = Dispatch.objects.filter(week_of=THIS_WEEK, is_live=True).values_list("project__code", flat=True)
    assert set(live) == {project.code, other.code}
    assert not Dispatch.objects.filter(project=idle, week_of=THIS_WEEK).exists()


def test_without_scripts_one_fault_loses_nothing_of_the_others(client, clerk, county, project):
    other = ProjectFactory(county=county, reported=Decimal(40))
    data = typed(project, physical_progress="300") | typed(other, done="另一个项目的话")
    response = client.post("/dispatch/", data | {"action": f"submit:{project.code}"})
    assert response.status_code == 422
    assert block_of(response, project).progress.value == "300"
    assert block_of(response, other).texts[0].value == "另一个项目的话"
    assert Dispatch.objects.get(project=other, week_of=THIS_WEEK).state == DispatchState.DRAFT


def test_the_office_corrects_a_past_week_only_within_what_the_next_one_says(client, project):
    """Else cumulative figures would fall in the week that was reported since."""
    DispatchFactory(project=project, week_of=THIS_WEEK, submitted=True, physical_progress=Decimal(45))
    client.force_login(UserFactory())
    url = f"/dispatch/{project.code}/?week={LAST_WEEK}"
    version = Dispatch.objects.get(project=project, week_of=LAST_WEEK).version
    refused = client.post(url, typed(project, version, physical_progress="45.5") | {"action": "submit"}, **HTMX)
    assert refused.status_code == 422
    assert "高于后一期已报的45%" in refused.content.decode()
    draft = Dispatch.objects.get(project=project, week_of=LAST_WEEK, state=DispatchState.DRAFT)
    data = typed(project, draft.version, physical_progress="45") | {"action": "submit", f"{project.code}-reason": "现场核定"}
    assert client.post(url, data, **HTMX).status_code == 200


def test_the_office_does_not_hand_in_the_drafts_of_counties_with_one_click(client, clerk, project):
    submit(client, project, action="save", physical_progress="45")
    draft = Dispatch.objects.get(project=project, state=DispatchState.DRAFT)
    everything = typed(project, draft.version, physical_progress="45") | {"action": "submit"}
    client.force_login(UserFactory())
    client.post("/dispatch/", everything)
    draft.refresh_from_db()
    assert draft.state == DispatchState.DRAFT
    client.force_login(clerk)
    client.post("/dispatch/", everything)
    draft.refresh_from_db()
    assert draft.state == DispatchState.SUBMITTED


def test_a_past_week_is_filled_in_with_a_reason_and_marked(client, clerk, project):
    late = ProjectFactory(county=project.versions.get().county)
    url = f"/dispatch/{late.code}/?week={LAST_WEEK}"
    data = typed(late, physical_progress="10") | {"action": "submit"}
    assert client.post(url, data, **HTMX).status_code == 422
    data[f"{late.code}-version"] = 1
    response = client.post(url, data | {f"{late.code}-reason": "系统故障漏报"}, **HTMX)
    assert response.status_code == 200
    assert [words for words, _ in block_of(response, late).badges] == ["待核", "锁定后补报"]


def test_a_correction_is_a_new_revision(client, clerk, project):
    submit(client, project, physical_progress="45")
    version = Dispatch.objects.get(project=project, week_of=THIS_WEEK).version
    assert submit(client, project, version, physical_progress="46").status_code == 200
    rows = Dispatch.objects.filter(project=project, week_of=THIS_WEEK).order_by("revision")
    assert [(row.physical_progress, row.is_live) for row in rows] == [(45, False), (46, True)]


def test_a_draft_may_be_thrown_away(client, clerk, project):
    submit(client, project, action="save", physical_progress="45")
    assert submit(client, project, 1, action="discard").status_code == 200
    assert not Dispatch.objects.filter(project=project, week_of=THIS_WEEK).exists()


# ── two people at once ──


def test_a_draft_changed_by_somebody_else_is_not_thrown_away(client, clerk, project):
    submit(client, project, action="save", done="第一稿")
    submit(client, project, 1, action="save", done="第二稿")
    answer = submit(client, project, 1, action="discard")
    assert (answer.status_code, "刚被他人改动" in answer.content.decode()) == (409, True)
    assert Dispatch.objects.get(project=project, week_of=THIS_WEEK).done == "第二稿"


def test_the_second_of_two_is_told_and_chooses(client, clerk, project):
    submit(client, project, action="save", physical_progress="45", hinders="缺砂石料")
    response = submit(client, project, 0, action="save", physical_progress="50", done="铺设管网")
    assert response.status_code == 409
    block = block_of(response, project)
    conflict = block.progress.conflict
    assert (conflict.base, conflict.theirs, conflict.mine) == ("40", "45", "50")
    assert [cell.value for cell in block.texts] == ["铺设管网", "继续护岸施工", "缺砂石料"]
    assert block.edit_version == 1


@pytest.mark.parametrize(("pick", "expected"), [("mine", 50), ("theirs", 45)])
def test_the_choice_settles_the_conflict(client, clerk, project, pick, expected):
    submit(client, project, action="save", physical_progress="45")
    submit(client, project, 0, action="save", physical_progress="50")
    values = {"physical_progress": "50", "pick-physical_progress": pick}
    assert submit(client, project, 1, action="save", **values).status_code == 200
    assert Dispatch.objects.get(project=project, week_of=THIS_WEEK).physical_progress == expected


def test_fields_that_do_not_overlap_merge_silently(client, clerk, project):
    submit(client, project, action="save", physical_progress="45")
    assert submit(client, project, 0, action="save", done="铺设管网").status_code == 200
    draft = Dispatch.objects.get(project=project, week_of=THIS_WEEK)
    assert (draft.physical_progress, draft.done) == (45, "铺设管网")


@pytest.mark.parametrize("action", ["submit", "same"])
def test_nobody_hands_in_what_somebody_else_typed_meanwhile_unseen(client, clerk, project, action):
    submit(client, project, action="save", physical_progress="45", done="浇筑底板")
    typed = {} if action == "same" else {"hinders": "缺砂石料"}
    answer = submit(client, project, 0, action=action, **typed)
    said = block_of(answer, project).notice
    assert answer.status_code == 409
    assert "“总体进度”为45（您的页面上是40）" in said
    assert "“本周进展”为浇筑底板" in said
    assert not Dispatch.objects.filter(project=project, week_of=THIS_WEEK, is_live=True).exists()
    seen = {"physical_progress": "45", "done": "浇筑底板"} | typed
    assert submit(client, project, block_of(answer, project).edit_version, **seen).status_code == 200
    assert Dispatch.objects.get(project=project, week_of=THIS_WEEK, is_live=True).physical_progress == 45


def test_who_chose_the_others_value_sees_a_third_one_before_it_is_handed_in(client, clerk, project):
    submit(client, project, action="save", physical_progress="55")
    assert submit(client, project, 0, action="save", physical_progress="50").status_code == 409
    submit(client, project, 1, action="save", physical_progress="42", reason="审计核减")
    answer = submit(client, project, 1, physical_progress="55")  # chosen while a third value was saved
    assert (answer.status_code, "“总体进度”为42" in block_of(answer, project).notice) == (409, True)
    assert not Dispatch.objects.filter(project=project, week_of=THIS_WEEK, is_live=True).exists()


# ── review ──


@pytest.fixture
def reported(project):
    return DispatchFactory(project=project, week_of=THIS_WEEK, submitted=True, physical_progress=Decimal(45))


@pytest.fixture
def reviewer(client, project):
    user = UserFactory(in_department=True, domain=project.domain)
    client.force_login(user)
    return user


def test_a_department_sees_the_dispatches_of_its_domain_read_only(client, reviewer, reported):
    other = ProjectFactory(domain=DomainFactory(name="住建"))
    page = client.get("/dispatch/").content.decode()
    assert (reported.project.code in page, other.code in page, "<textarea" in page) == (True, False, False)


def test_a_department_accepts(client, reviewer, reported):
    client.post(f"/dispatch/LF-001/{reported.pk}/review/", {"action": "accept"})
    reported.refresh_from_db()
    assert (reported.state, reported.reviewed_by) == (DispatchState.ACCEPTED, reviewer)


def test_a_return_wants_a_remark_and_shows_it_to_the_county(client, reviewer, reported, county):
    url = f"/dispatch/LF-001/{reported.pk}/review/"
    assert "退回须写明意见" in client.post(url, {"action": "return", "remark": ""}, follow=True).content.decode()
    client.post(url, {"action": "return", "remark": "与现场不符"})
    client.force_login(UserFactory(in_county=True, county=county))
    block = block_of(client.get("/dispatch/"), reported.project)
    assert (block.returned.remark, [words for words, _ in block.badges]) == ("与现场不符", ["退回"])


def test_all_on_the_page_are_accepted_at_once(client, reviewer, reported):
    client.post("/dispatch/accept/", {"dispatch": [reported.pk]})
    reported.refresh_from_db()
    assert reported.state == DispatchState.ACCEPTED
    assert TrailEvent.objects.filter(action="dispatch.accept", by=reviewer).count() == 1


@pytest.mark.parametrize("key", ["²", "9" * 30, "9" * 5000, "-1", ""])
def test_a_key_that_is_none_is_left_aside(client, reviewer, reported, key):
    assert client.post("/dispatch/accept/", {"dispatch": [key]}).status_code == 302
    reported.refresh_from_db()
    assert reported.state == DispatchState.SUBMITTED


def test_review_never_leads_off_the_site(client, reviewer, reported):
    response = client.post(f"/dispatch/LF-001/{reported.pk}/review/", {"action": "accept", "back": "https://example.org/dispatch/?"})
    assert response.url == "/dispatch/"


def test_the_review_page_asks_as_many_questions_for_one_row_as_for_thirty(client, reviewer, reported):
    one = queries_of(client)
    for _ in range(29):
        DispatchFactory(project=ProjectFactory(domain=reported.project.domain, reported=Decimal(1)), week_of=THIS_WEEK, submitted=True)
    assert queries_of(client) == one


def test_a_past_as_of_leads_the_reviewer_to_that_week(client, reviewer):
    assert client.get("/dispatch/?as_of=2025-02-13&view=review").url == "/dispatch/?week=2025-02-10&view=review"


def test_the_reviewer_sees_a_moved_forecast_and_what_is_odd(client, reviewer, project):
    """A finish that has passed is accepted from the county with a hint; the reviewer must not pass it unseen."""
    Dispatch.objects.filter(project=project, week_of=LAST_WEEK).update(forecast_finish_on=dt.date(2025, 6, 30))
    DispatchFactory(project=project, week_of=THIS_WEEK, submitted=True, forecast_finish_on=dt.date(2025, 2, 1))
    row = client.get("/dispatch/").context["rows"][0]
    assert (row.forecast_before, row.hints) == (dt.date(2025, 6, 30), ["预计完工 2025-02-01 已过，请核对。"])


def test_the_reviewer_is_not_told_of_a_forecast_that_stands(client, reviewer, project):
    Dispatch.objects.filter(project=project, week_of=LAST_WEEK).update(forecast_finish_on=dt.date(2025, 6, 30))
    DispatchFactory(project=project, week_of=THIS_WEEK, submitted=True, forecast_finish_on=dt.date(2025, 6, 30))
    assert "→" not in client.get("/dispatch/").content.decode().partition("<table")[2]


def test_a_text_that_is_too_long_is_refused_whole_not_cut_by_the_browser(client, clerk, project):
    assert "maxlength" not in client.get("/dispatch/").content.decode()
    response = submit(client, project, action="save", done="长" * 2001)
    assert response.status_code == 422
    assert "最多 2000 字，现为 2001 字" in response.content.decode()


# ── the office ──


def test_the_office_fills_in_for_any_county_and_narrows_by_county(client, project):
    other = ProjectFactory(code="LF-002", funding={SourceKind.CITY: Decimal(10)})
    client.force_login(UserFactory())
    assert [b.code for b in client.get("/dispatch/").context["blocks"]] == ["LF-001", "LF-002"]
    code = other.versions.get().county.code
    assert [b.code for b in client.get("/dispatch/", {"county": code}).context["blocks"]] == ["LF-002"]


def test_the_office_pages_through_many(client, county):
    for _ in range(21):
        ProjectFactory(county=county)
    client.force_login(UserFactory())
    assert [len(client.get("/dispatch/", {"page": n}).context["blocks"]) for n in (1, 2)] == [20, 1]


def test_what_was_typed_is_kept_when_its_block_moves_to_another_page(client, county):
    rows = [ProjectFactory(county=county) for _ in range(21)]
    last = rows[-1]
    user = UserFactory()
    client.force_login(user)
    assert [b.code for b in client.get("/dispatch/", {"page": 2}).context["blocks"]] == [last.code]
    first = rows[0]
    Project.objects.filter(pk=first.pk).update(completed_on=LAST_WEEK)  # meanwhile: the list is one shorter
    data = typed(last, done="砌筑完成") | typed(first, done="没有人看见") | {"action": "save"}
    answer = client.post("/dispatch/?page=2", data, follow=True)
    assert Dispatch.objects.get(project=last).done == "砌筑完成"
    assert not Dispatch.objects.filter(project=first).exists()
    assert f"{first.code}：这一周已不由您填报" in answer.content.decode()


def test_a_leader_has_no_dispatch_page(client):
    client.force_login(UserFactory(leader=True))
    assert client.get("/dispatch/").status_code == 404
