"""A meeting's material sheet: put together from the facts by kind of meeting, edited by people, overwritten by nobody."""

import datetime as dt

import pytest

from ledgers import agenda, agenda_services
from ledgers.agenda_services import Typed
from ledgers.enums import AgendaPart, MeetingKind
from ledgers.meeting_models import AgendaItem, Decision, Meeting
from linfen_water import trail
from linfen_water.models import Notice, TrailEvent
from projects import problem_services
from projects.enums import HelpLevel
from projects.models import Problem
from projects.services import Faulty, Refused
from tests.factories import TODAY, ProjectFactory, RegionFactory, UnitFactory, UserFactory

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


@pytest.fixture
def office():
    RegionFactory()
    return UserFactory()


@pytest.fixture
def meeting(office):
    return Meeting.objects.create(kind=MeetingKind.JOINT, held_on=TODAY + DAY, chair_post="专班办主任", by=office)


def raised(office, project, text, level=HelpLevel.OFFICE):
    problem = problem_services.raise_problem(project=project, by=office, category="land", description=text, raised_on=TODAY - 3 * DAY)
    Problem.objects.filter(pk=problem.pk).update(level=level)
    problem.steps.update(level=level)
    return problem


def texts(meeting, part, **more):
    return [line.text for one in agenda.sheet(meeting, **more) if one.part == part for line in one.lines]


def assembled(meeting, office):
    return agenda_services.assemble(meeting=meeting, by=office)


def test_problems_stand_by_level_and_those_below_the_meetings_level_wait(meeting, office):
    project = ProjectFactory()
    raised(office, project, "征地补偿未签")
    raised(office, project, "管线迁改无人认领", HelpLevel.CITY_LEADERS)
    raised(office, project, "用地预审未批", HelpLevel.DEPARTMENTS)
    assembled(meeting, office)
    found = texts(meeting, AgendaPart.PROBLEM)
    assert [text[:4] for text in found] == ["〔三级〕", "〔二级〕", "〔一级〕"]
    taken = texts(meeting, AgendaPart.PROBLEM, is_taken=True)
    assert [text[:4] for text in taken] == ["〔三级〕", "〔二级〕"]


def test_lagging_projects_come_with_the_sentence_of_the_bulletin(meeting, office):
    ProjectFactory(behind=True, name="涝洰河治理")
    ProjectFactory(finished=True)
    assembled(meeting, office)
    (text,) = texts(meeting, AgendaPart.LAGGING)
    assert "涝洰河治理" in text
    assert "滞后" in text
    assert "截至2025年2月20日" in text


def test_unfinished_items_of_earlier_meetings_of_the_kind_are_carried_over(meeting, office):
    last = Meeting.objects.create(kind=MeetingKind.JOINT, held_on=TODAY - 7 * DAY, chair_post="专班办主任")
    other = Meeting.objects.create(kind=MeetingKind.TOPIC, held_on=TODAY - 7 * DAY, chair_post="副市长")
    unit = UnitFactory(name="市水利局")
    Decision.objects.create(meeting=last, what="三日内签完征地协议", lead_unit=unit, due_on=TODAY - DAY)
    Decision.objects.create(meeting=last, what="已办完的", lead_unit=unit, closed_on=TODAY)
    Decision.objects.create(meeting=other, what="别的会的", lead_unit=unit)
    assembled(meeting, office)
    (text,) = texts(meeting, AgendaPart.LAST)
    assert text.startswith("三日内签完征地协议（2025-02-13议定，市水利局主办）：应于 2025-02-19 完成，已逾期 1 天")


def test_what_a_person_wrote_is_never_overwritten(meeting, office):
    problem = raised(office, ProjectFactory(), "征地补偿未签", HelpLevel.DEPARTMENTS)
    assembled(meeting, office)
    row = AgendaItem.objects.get(key=f"problem:{problem.pk}")
    typed = Typed(row.pk, row.edit_version, "请县里说明为何未签", "定一个签完的日子", True, row.position)
    assert agenda_services.save(meeting=meeting, by=office, lines=[typed]) == 1
    Problem.objects.filter(pk=problem.pk).update(description="补偿已签一半")
    assert assembled(meeting, office).renewed == 0
    row.refresh_from_db()
    assert (row.text, row.ask) == ("请县里说明为何未签", "定一个签完的日子")


def test_what_nobody_touched_is_brought_up_to_date_and_what_is_settled_is_set_aside(meeting, office):
    problem = raised(office, ProjectFactory(), "征地补偿未签", HelpLevel.DEPARTMENTS)
    settled = raised(office, ProjectFactory(), "用电未批", HelpLevel.DEPARTMENTS)
    assembled(meeting, office)
    Problem.objects.filter(pk=problem.pk).update(description="补偿已签一半")
    Problem.objects.filter(pk=settled.pk).update(begun_on=TODAY, answered_on=TODAY, closed_on=TODAY)
    told = assembled(meeting, office)
    assert (told.new, told.renewed, told.gone) == (0, 1, 1)
    assert ["补偿已签一半" in text for text in texts(meeting, AgendaPart.PROBLEM, is_taken=True)] == [True]
    again = assembled(meeting, office)
    assert (again.new, again.renewed, again.gone) == (0, 0, 0)


def test_a_line_that_was_left_out_is_not_brought_back(meeting, office):
    raised(office, ProjectFactory(), "征地补偿未签", HelpLevel.DEPARTMENTS)
    assembled(meeting, office)
    row = AgendaItem.objects.get(part=AgendaPart.PROBLEM)
    agenda_services.save(meeting=meeting, by=office, lines=[Typed(row.pk, 1, row.text, "", False, row.position)])
    assembled(meeting, office)
    row.refresh_from_db()
    assert not row.is_taken


def test_a_line_that_another_changed_meanwhile_refuses_the_whole_sheet(meeting, office):
    one = agenda_services.add_line(meeting=meeting, by=office, text="甲事")
    two = agenda_services.add_line(meeting=meeting, by=office, text="乙事")
    agenda_services.save(meeting=meeting, by=UserFactory(), lines=[Typed(one.pk, 1, "甲事已定", "", True, one.position)])
    mine = [Typed(one.pk, 1, "甲事再议", "", True, one.position), Typed(two.pk, 1, "乙事再议", "", True, two.position)]
    with pytest.raises(Refused, match="刚被他人改动，整张都没有保存：“甲事已定”"):
        agenda_services.save(meeting=meeting, by=office, lines=mine)
    two.refresh_from_db()
    assert two.text == "乙事"


def test_what_cannot_be_is_said_at_its_line(meeting, office):
    row = agenda_services.add_line(meeting=meeting, by=office, text="甲事")
    with pytest.raises(Faulty) as fault:
        agenda_services.save(meeting=meeting, by=office, lines=[Typed(row.pk, 1, " ", "请" * 201, True, 10)])
    assert [one.field for one in fault.value.faults] == [f"text-{row.pk}", f"ask-{row.pk}"]


def test_after_the_meeting_its_sheet_stays_as_it_was(meeting, office):
    agenda_services.add_line(meeting=meeting, by=office, text="甲事")
    Meeting.objects.filter(pk=meeting.pk).update(held_on=TODAY - DAY)
    with pytest.raises(Refused, match="已于 2025-02-19 召开，材料不再改动"):
        agenda_services.add_line(meeting=meeting, by=office, text="乙事")
    with pytest.raises(Refused, match="材料不再改动"):
        assembled(meeting, office)


def test_every_change_stands_in_the_trail(meeting, office):
    raised(office, ProjectFactory(), "征地补偿未签", HelpLevel.DEPARTMENTS)
    assembled(meeting, office)
    row = AgendaItem.objects.get(part=AgendaPart.PROBLEM)
    agenda_services.save(meeting=meeting, by=office, lines=[Typed(row.pk, 1, row.text, "定时限", True, row.position)])
    events = TrailEvent.objects.filter(subject_type="meeting").order_by("pk")
    assert [event.action for event in events] == ["meeting.assemble", "meeting.agenda"]
    assert events[1].changes[f"议程{row.pk} 提请"] == [None, "定时限"]
    assert trail.verify(events[1].chain) is None


def test_a_decided_item_carries_the_project_and_problem_of_its_line_and_tells_the_unit(meeting, office):
    problem = raised(office, ProjectFactory(), "征地补偿未签", HelpLevel.DEPARTMENTS)
    assembled(meeting, office)
    row, unit = AgendaItem.objects.get(part=AgendaPart.PROBLEM), UnitFactory(name="尧都区政府")
    said = {"what": "三日内签完", "lead_unit": unit, "due_on": TODAY + 5 * DAY}
    found = agenda_services.decide(meeting=meeting, by=office, item=row, **said)
    assert agenda_services.decide(meeting=meeting, by=office, item=row, **said) == found
    assert (found.project, found.problem, found.item) == (problem.project, problem, row)
    assert Notice.objects.filter(unit=unit).count() == 1


@pytest.mark.parametrize("kind", MeetingKind.values)
def test_every_kind_of_meeting_has_its_sheet(kind, office):
    ProjectFactory(behind=True)
    raised(office, ProjectFactory(), "征地补偿未签", HelpLevel.PROVINCE)
    row = Meeting.objects.create(kind=kind, held_on=TODAY, chair_post="专班办主任")
    assembled(row, office)
    assert {one.part for one in agenda.sheet(row)} <= set(agenda.RECIPES[MeetingKind(kind)].parts)
    assert agenda.sheet(row) or kind == MeetingKind.MORNING


def test_reading_the_sheet_takes_as_many_queries_for_one_line_as_for_many(meeting, office, client, django_assert_num_queries):
    client.force_login(office)

    def queries():
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        with CaptureQueriesContext(connection) as seen:
            for path in (f"/meetings/{meeting.pk}/", f"/meetings/{meeting.pk}/agenda/", f"/meetings/{meeting.pk}/sheet/"):
                assert client.get(path).status_code == 200
        return len(seen)

    def assembling():
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        with CaptureQueriesContext(connection) as seen:
            agenda.found(meeting, TODAY)
        return len(seen)

    raised(office, ProjectFactory(behind=True), "问题甲", HelpLevel.DEPARTMENTS)
    assembled(meeting, office)
    few, read = queries(), assembling()
    for n in range(30):
        raised(office, ProjectFactory(behind=True), f"问题{n}", HelpLevel.DEPARTMENTS)
    assembled(meeting, office)
    assert len(texts(meeting, AgendaPart.PROBLEM)) == 31
    assert (queries(), assembling()) == (few, read)


# ── the pages ──


def test_the_page_keeps_what_was_typed_beside_the_fault(meeting, office, client):
    row = agenda_services.add_line(meeting=meeting, by=office, text="甲事")
    client.force_login(office)
    sent = {
        f"text-{row.pk}": "",
        f"ask-{row.pk}": "我写的提请",
        f"version-{row.pk}": "1",
        f"taken-{row.pk}": "on",
        f"position-{row.pk}": "10",
    }
    page = client.post(f"/meetings/{meeting.pk}/agenda/", sent)
    assert page.status_code == 422
    assert "内容不能为空" in page.content.decode()
    assert "我写的提请" in page.content.decode()


def test_the_page_takes_a_second_save_after_a_conflict(meeting, office, client):
    row = agenda_services.add_line(meeting=meeting, by=office, text="甲事")
    agenda_services.save(meeting=meeting, by=UserFactory(), lines=[Typed(row.pk, 1, "他人改的", "", True, 10)])
    client.force_login(office)
    sent = {f"text-{row.pk}": "我改的", f"version-{row.pk}": "1", f"taken-{row.pk}": "on", f"position-{row.pk}": "10"}
    page = client.post(f"/meetings/{meeting.pk}/agenda/", sent)
    assert page.status_code == 409
    text = page.content.decode()
    assert "我改的" in text
    assert f'name="version-{row.pk}" value="2"' in text
    assert client.post(f"/meetings/{meeting.pk}/agenda/", sent | {f"version-{row.pk}": "2"}).status_code == 302
    row.refresh_from_db()
    assert row.text == "我改的"


def test_minutes_are_kept_and_a_conflict_shows_both(meeting, office, client):
    client.force_login(office)
    path = f"/meetings/{meeting.pk}/minutes/"
    assert client.post(path, {"version": 1, "minutes": "会议听取了汇报。"}).status_code == 302
    page = client.post(path, {"version": 1, "minutes": "另一份。"})
    assert page.status_code == 409
    assert "会议听取了汇报。" in page.content.decode()
    assert "另一份。" in page.content.decode()
    meeting.refresh_from_db()
    assert meeting.minutes == "会议听取了汇报。"


def test_an_incomplete_decided_item_is_asked_for_in_words(meeting, office, client):
    client.force_login(office)
    page = client.post(f"/meetings/{meeting.pk}/decide/", {"decided-what": "三日内签完"})
    assert page.status_code == 422
    text = page.content.decode()
    assert "三日内签完" in text
    assert not Decision.objects.exists()
