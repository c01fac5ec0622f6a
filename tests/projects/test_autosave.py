"""`/dispatch/<code>/autosave/`: drafts that go to the server by themselves."""

import datetime as dt
from decimal import Decimal

import pytest

from linfen_water import clock
from linfen_water.models import TrailEvent
from projects import services
from projects.enums import DispatchState
from projects.models import Dispatch
from tests.factories import THIS_WEEK, TODAY, CountyFactory, DispatchFactory, ProjectFactory, RegionFactory, UserFactory
from tests.projects.test_dispatch import typed

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def region(monkeypatch):
    noon = dt.datetime.combine(TODAY, dt.time(12), tzinfo=dt.timezone(dt.timedelta(hours=8)))
    monkeypatch.setattr(clock, "now", lambda: noon)
    return RegionFactory()


@pytest.fixture
def project():
    return ProjectFactory(code="LF-001", county=CountyFactory(), reported=Decimal(40))


@pytest.fixture
def clerk(client, project):
    user = UserFactory(in_county=True, county=project.versions.get().county)
    client.force_login(user)
    return user


def autosave(client, project, version=0, headers=None, **values):
    return client.post(f"/dispatch/{project.code}/autosave/?week={THIS_WEEK}", typed(project, version, **values), headers=headers)


def drafts(project):
    return list(Dispatch.objects.filter(project=project, week_of=THIS_WEEK).values_list("state", "version", "physical_progress", "done"))


def test_what_was_typed_is_a_draft_with_one_event_in_the_trail(client, clerk, project):
    answer = autosave(client, project, physical_progress="45", done="浇筑底板").json()
    assert drafts(project) == [(DispatchState.DRAFT, 1, 45, "浇筑底板")]
    assert (answer["version"], answer["state"], answer["at"], answer["unread"]) == (1, "draft", "12:00", {})
    assert (answer["values"]["LF-001-physical_progress"], answer["badges"]) == ("45", [["草稿", "warn"]])
    assert [event.action for event in TrailEvent.objects.filter(subject_type="dispatch")] == ["dispatch.save"]


def test_the_same_request_once_more_is_answered_alike_and_writes_nothing(client, clerk, project):
    first = autosave(client, project, physical_progress="45").json()
    assert autosave(client, project, physical_progress="45").json() == first
    assert TrailEvent.objects.filter(action="dispatch.save").count() == 1


def test_a_repeated_request_after_the_submission_says_what_stands(client, clerk, project):
    autosave(client, project, physical_progress="45")
    services.submit_dispatch(dispatch=Dispatch.objects.get(project=project, week_of=THIS_WEEK), by=clerk)
    assert autosave(client, project, physical_progress="45").json()["state"] == "submitted"


def test_values_that_were_only_spelt_otherwise_are_no_report(client, clerk, project):
    answer = autosave(client, project, physical_progress="40.0%", done="完成护岸砌筑 200 米").json()
    assert (answer["state"], drafts(project)) == (None, [])


def test_a_cell_that_cannot_be_read_is_named_and_the_others_are_saved(client, clerk, project):
    answer = autosave(client, project, physical_progress="很多", done="浇筑底板").json()
    assert answer["unread"] == {"LF-001-physical_progress": ["请填数字。"]}
    assert drafts(project) == [(DispatchState.DRAFT, 1, 40, "浇筑底板")]


def test_what_others_changed_elsewhere_comes_back_with_the_answer(client, clerk, project):
    autosave(client, project, next_steps="安装闸门")
    answer = autosave(client, project, version=0, physical_progress="45").json()
    assert answer["version"] == 2
    assert (answer["values"]["LF-001-next_steps"], answer["values"]["LF-001-physical_progress"]) == ("安装闸门", "45")


def test_the_same_cell_changed_by_two_is_a_conflict_and_nothing_is_written(client, clerk, project):
    autosave(client, project, physical_progress="45")
    answer = autosave(client, project, version=0, physical_progress="46")
    assert (answer.status_code, answer.json()) == (409, {"fields": ["LF-001-physical_progress"]})
    assert drafts(project)[0][2] == 45


def test_nothing_is_saved_in_another_persons_name(client, clerk, project):
    answer = autosave(client, project, headers={"X-Person": "0"}, physical_progress="45")
    assert (answer.status_code, drafts(project)) == (403, [])
    assert "另一个账号" in answer.json()["sentence"]
    assert autosave(client, project, headers={"X-Person": str(clerk.pk)}, physical_progress="45").status_code == 200


@pytest.mark.parametrize(
    ("now", "words"),
    [(dt.datetime(2025, 2, 17, 7, 59), "开放，还没有保存"), (dt.datetime(2025, 2, 17, 8, 0), None), (dt.datetime(2025, 2, 22, 9, 0), None)],
    ids=["开放前", "开放时", "锁定后仍可存草稿"],
)
def test_a_week_that_is_not_open_takes_nothing(client, clerk, project, monkeypatch, now, words):
    monkeypatch.setattr(clock, "now", lambda: now.replace(tzinfo=dt.timezone(dt.timedelta(hours=8))))
    answer = autosave(client, project, physical_progress="45")
    assert answer.status_code == (422 if words else 200)
    assert words is None or words in answer.json()["sentence"]


def test_a_page_without_its_version_is_told_to_reload(client, clerk, project):
    answer = client.post(f"/dispatch/{project.code}/autosave/", {})
    assert (answer.status_code, answer.json()["sentence"]) == (422, "页面已旧，请刷新后再填。")


def test_a_submitted_report_gets_a_correction_and_stands_meanwhile(client, clerk, project):
    live = DispatchFactory(project=project, week_of=THIS_WEEK, submitted=True)
    answer = autosave(client, project, version=1, physical_progress="45").json()
    live.refresh_from_db()
    assert (live.is_live, answer["state"]) == (True, "draft")
    assert ["更正草稿", "warn"] in answer["badges"]


def test_the_trail_tells_saves_in_a_row_as_one(client, clerk, project):
    for version, progress in enumerate(("45", "46", "47")):
        autosave(client, project, version=version, physical_progress=progress, done="浇筑底板" if version else "完成护岸砌筑 200 米")
    rows = client.get("/projects/LF-001/").context["d"].trail
    assert [(row.action, row.changes) for row in rows] == [
        ("保存周调度草稿（3 次）", [("总体进度", "40", "47"), ("本周进展", "完成护岸砌筑 200 米", "浇筑底板")])
    ]
    assert TrailEvent.objects.filter(action="dispatch.save").count() == 3
