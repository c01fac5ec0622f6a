"""The leader's page: what waits for a leader's word, the word itself, taking it back, and who may."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ledgers import lead, lead_services
from linfen_water import trail
from linfen_water.models import Notice, TrailEvent
from projects import problem_services
from projects.enums import HelpLevel
from projects.models import Problem
from projects.services import Refused
from tests.factories import TODAY, ProjectFactory, RegionFactory, UnitFactory, UserFactory

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


@pytest.fixture
def office():
    RegionFactory()
    return UserFactory()


@pytest.fixture
def leader(office):
    return UserFactory(leader=True)


def raised(office, text="管线迁改无人认领", level=HelpLevel.CITY_LEADERS, due=20, **more):
    found = problem_services.raise_problem(
        project=ProjectFactory(), by=office, category="land", description=text, raised_on=TODAY - 9 * DAY, **more
    )
    Problem.objects.filter(pk=found.pk).update(level=level)
    found.steps.update(level=level, due_on=TODAY + due * DAY)
    return Problem.objects.get(pk=found.pk)


def waiting():
    return [card.row.description for card in lead.gather(TODAY).waiting]


def test_five_at_most_and_the_late_ones_of_the_leaders_level_first(office):
    raised(office, "一级", HelpLevel.OFFICE, due=-5)
    raised(office, "二级未超期", HelpLevel.DEPARTMENTS)
    raised(office, "二级超期", HelpLevel.DEPARTMENTS, due=-1)
    raised(office, "三级", due=3)
    raised(office, "三级超期", due=-1)
    assert waiting() == ["三级超期", "三级", "二级超期"]
    for n in range(4):
        raised(office, f"再{n}")
    page = lead.gather(TODAY)
    assert (len(page.waiting), page.count) == (5, 7)


def test_a_leaders_word_stands_in_the_progress_and_the_problem_waits_no_more(office, leader):
    problem = raised(office)
    lead_services.agree(problem=problem, by=leader, version=problem.edit_version, text="按县里方案办")
    assert problem.notes.get().text == "领导批示：按县里方案办"
    assert waiting() == []


def test_giving_it_to_a_unit_makes_it_the_handler_with_a_limit_and_tells_it(office, leader):
    problem, unit = raised(office, due_on=TODAY + DAY), UnitFactory(name="市水利局")
    lead_services.delegate(problem=problem, by=leader, version=problem.edit_version, unit=unit, due_on=lead.due(TODAY))
    problem.refresh_from_db()
    assert (problem.handler, problem.due_on) == (unit, dt.date(2025, 2, 27))  # five working days on
    assert problem.notes.get().text == "领导交办：由市水利局承办，2025-02-27 前办结并报告。"
    assert Notice.objects.filter(unit=unit).exists()
    event = TrailEvent.objects.filter(action="problem.edit").latest("pk")
    assert (event.by, event.reason) == (leader, "领导交办")
    assert trail.verify(event.chain) is None


def test_taking_it_back_restores_what_was_and_it_waits_again(office, leader):
    first = UnitFactory()
    problem = raised(office, handler=first, due_on=TODAY + DAY)
    undo = lead_services.delegate(problem=problem, by=leader, version=problem.edit_version, unit=UnitFactory(), due_on=TODAY + 7 * DAY)
    assert waiting() == []
    lead_services.take_back(undo=undo, by=leader)
    problem.refresh_from_db()
    assert (problem.handler, problem.due_on) == (first, TODAY + DAY)
    assert waiting() == ["管线迁改无人认领"]


def test_what_somebody_did_since_is_not_taken_back(office, leader):
    problem = raised(office)
    undo = lead_services.delegate(problem=problem, by=leader, version=problem.edit_version, unit=UnitFactory(), due_on=TODAY + 7 * DAY)
    problem_services.begin_problem(problem=problem, by=office, version=undo.version)
    with pytest.raises(Refused, match="刚有新进展"):
        lead_services.take_back(undo=undo, by=leader)


def test_an_old_page_decides_nothing(office, leader):
    problem = raised(office)
    problem_services.edit_problem(problem=problem, by=office, version=problem.edit_version, measures="改为明管")
    with pytest.raises(Refused, match="刚有新进展"):
        lead_services.delegate(problem=problem, by=leader, version=problem.edit_version, unit=UnitFactory(), due_on=TODAY)
    assert not problem.notes.exists()


def test_when_it_moves_to_another_level_it_waits_again(office, leader):
    problem = raised(office)
    lead_services.agree(problem=problem, by=leader, version=problem.edit_version)
    problem.notes.update(on=TODAY - 3 * DAY)
    assert waiting() == []
    problem.steps.update(entered_on=TODAY - DAY)
    assert waiting() == ["管线迁改无人认领"]


@pytest.mark.parametrize("role", ["office", "in_county", "in_department"])
def test_only_a_leader_decides(office, role):
    problem = raised(office)
    person = office if role == "office" else UserFactory(**{role: True})
    with pytest.raises(Refused, match="由领导本人操作"):
        lead_services.agree(problem=problem, by=person, version=problem.edit_version)


# ── the page ──


def test_who_finds_the_page_and_who_may_act(office, leader, client):
    problem = raised(office)
    people = {"leader": leader, "office": office, "county": UserFactory(in_county=True), "department": UserFactory(in_department=True)}
    seen = {}
    for name, person in people.items():
        client.force_login(person)
        seen[name] = (
            client.get("/lead/").status_code,
            client.post("/lead/", {}).status_code,
            client.get(f"/lead/{problem.code}/").status_code,
        )
    assert seen == {"leader": (200, 405, 405), "office": (200, 405, 405), "county": (404, 405, 405), "department": (404, 405, 405)}
    for name in ("office", "county", "department"):
        client.force_login(people[name])
        assert client.post(f"/lead/{problem.code}/", {"action": "agree", "version": problem.edit_version}).status_code == 404
    assert not problem.notes.exists()


def test_one_tap_gives_it_and_the_next_takes_it_back(office, leader, client):
    problem = raised(office)
    unit = problem.project.versions.get().lead_unit
    client.force_login(leader)
    sent = {"action": "delegate", "unit": unit.pk, "version": problem.edit_version}
    page = client.post(f"/lead/{problem.code}/", sent, follow=True).content.decode()
    assert f"已交{unit}办理" in page
    assert "撤回交办" in page
    page = client.post(f"/lead/{problem.code}/", {"action": "undo"}, follow=True).content.decode()
    assert "已撤回，恢复原样" in page
    assert "撤回交办" not in page
    problem.refresh_from_db()
    assert problem.handler is None


def test_a_refusal_keeps_the_words(office, leader, client):
    problem = raised(office)
    client.force_login(leader)
    page = client.post(f"/lead/{problem.code}/", {"action": "agree", "version": 99, "text": "我的批示内容"})
    assert page.status_code == 409
    assert "我的批示内容" in page.content.decode()


def test_the_page_takes_as_many_queries_for_one_problem_as_for_thirty(office, leader, client):
    def queries():
        with CaptureQueriesContext(connection) as seen:
            assert client.get("/lead/").status_code == 200
        return len(seen)

    client.force_login(leader)
    raised(office)
    few = queries()
    for n in range(30):
        raised(office, f"问题{n}")
    assert queries() == few
