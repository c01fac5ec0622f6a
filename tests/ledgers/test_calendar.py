"""The calendar feed: whole to a calendar's reader, one's own days only, its key a secret that can be taken back."""

import datetime as dt

import pytest
from icalendar import Calendar

from ledgers import calendar_feed
from ledgers.enums import MeetingKind
from ledgers.meeting_models import CalendarKey, Decision, Meeting
from linfen_water.models import TrailEvent
from projects.site_models import Inspection
from tests.factories import TODAY, CountyFactory, ProblemFactory, ProjectFactory, RegionFactory, UserFactory

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


@pytest.fixture
def office():
    RegionFactory()
    return UserFactory()


def events(user):
    return {str(event["uid"]).partition("@")[0]: event for event in calendar(user).walk("VEVENT")}


def calendar(user):
    return Calendar.from_ical(calendar_feed.feed(user, TODAY, "https://office.example"))


def test_a_meeting_with_its_time_is_in_utc_and_one_without_takes_the_day(office):
    one = Meeting.objects.create(kind=MeetingKind.JOINT, held_on=TODAY, starts_at=dt.time(9, 30), chair_post="主任", place="三楼")
    two = Meeting.objects.create(kind=MeetingKind.TOPIC, held_on=TODAY + DAY, chair_post="主任", topic="征地,\n管线;迁改")
    found = events(office)
    first = found[f"meeting-{one.pk}"]
    assert first["dtstart"].dt == dt.datetime(2025, 2, 20, 1, 30, tzinfo=dt.UTC)
    assert first["location"] == "三楼"
    second = found[f"meeting-{two.pk}"]
    assert (second["dtstart"].dt, second["dtend"].dt) == (TODAY + DAY, TODAY + 2 * DAY)
    assert second["description"] == "征地,\n管线;迁改"


def test_it_is_what_rfc_5545_asks_for(office):
    Meeting.objects.create(kind=MeetingKind.JOINT, held_on=TODAY, chair_post="主任", topic="议" * 90)
    raw = calendar_feed.feed(office, TODAY, "https://office.example")
    assert raw.startswith(b"BEGIN:VCALENDAR\r\n")
    assert raw.endswith(b"END:VCALENDAR\r\n")
    assert all(len(line) <= 75 for line in raw.split(b"\r\n"))
    assert b"\n" not in raw.replace(b"\r\n", b"")
    found = calendar(office)
    assert (found["version"], found["calscale"]) == ("2.0", "GREGORIAN")
    for event in found.walk("VEVENT"):
        assert {"UID", "DTSTAMP", "DTSTART", "SUMMARY"} <= set(event.keys())
    assert raw == calendar_feed.feed(office, TODAY, "https://office.example")


def test_only_what_is_due_is_there_and_an_edit_keeps_its_uid(office):
    meeting = Meeting.objects.create(kind=MeetingKind.JOINT, held_on=TODAY, chair_post="主任")
    unit = UserFactory(in_county=True).unit
    one = Decision.objects.create(meeting=meeting, what="签完协议", lead_unit=unit, due_on=TODAY + DAY)
    Decision.objects.create(meeting=meeting, what="已办结", lead_unit=unit, due_on=TODAY + DAY, closed_on=TODAY)
    Decision.objects.create(meeting=meeting, what="没有时限", lead_unit=unit)
    assert [key for key in events(office) if key.startswith("decision")] == [f"decision-{one.pk}"]
    Decision.objects.filter(pk=one.pk).update(due_on=TODAY + 9 * DAY, edit_version=2)
    event = events(office)[f"decision-{one.pk}"]
    assert (event["dtstart"].dt, int(event["sequence"])) == (TODAY + 9 * DAY, 1)


def test_a_county_reads_its_own_days_only(office):
    ours, theirs = (UserFactory(in_county=True, county=CountyFactory()) for _ in range(2))
    meeting = Meeting.objects.create(kind=MeetingKind.JOINT, held_on=TODAY, chair_post="主任")
    mine = Decision.objects.create(meeting=meeting, what="我的", lead_unit=ours.unit, due_on=TODAY + DAY)
    Decision.objects.create(meeting=meeting, what="别人的", lead_unit=theirs.unit, due_on=TODAY + DAY)
    near, far = (ProjectFactory(county=user.unit.county) for user in (ours, theirs))
    problem = ProblemFactory(project=near, handler=ours.unit, due_on=TODAY + DAY, code="WT-2025-001")
    ProblemFactory(project=far, handler=theirs.unit, due_on=TODAY + DAY, code="WT-2025-002")
    visit = Inspection.objects.create(project=near, planned_on=TODAY + DAY, leader_post="科长")
    Inspection.objects.create(project=far, planned_on=TODAY + DAY, leader_post="科长")
    assert set(events(ours)) == {f"meeting-{meeting.pk}", f"decision-{mine.pk}", f"problem-{problem.pk}", f"visit-{visit.pk}"}
    assert "别人的" not in calendar_feed.feed(ours, TODAY, "https://office.example").decode()


def test_the_key_is_kept_as_a_digest_and_opens_without_a_login(office, client):
    key = calendar_feed.make_key(user=office)
    row = CalendarKey.objects.get()
    assert key not in (row.digest, str(TrailEvent.objects.latest("pk").changes))
    answer = client.get(f"/calendar/{key}.ics")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    assert answer["Cache-Control"] == "private, no-store"
    row.refresh_from_db()
    assert row.used_at is not None


@pytest.mark.parametrize("end", ["revoke", "again", "inactive"])
def test_a_key_that_ended_opens_nothing(office, client, end):
    key = calendar_feed.make_key(user=office)
    if end == "revoke":
        assert calendar_feed.revoke_key(user=office)
    elif end == "again":
        calendar_feed.make_key(user=office)
    else:
        office.is_active = False
        office.save()
    assert client.get(f"/calendar/{key}.ics").status_code == 404
    assert client.get("/calendar/wrong.ics").status_code == 404


def test_the_address_is_shown_once(office, client):
    client.force_login(office)
    page = client.post("/calendar/", {"action": "make"})
    assert "/calendar/" in page.content.decode()
    assert ".ics" in page.content.decode()
    assert page["Cache-Control"] == "no-store"
    assert ".ics" not in client.get("/calendar/").content.decode()
    client.post("/calendar/", {"action": "revoke"})
    assert "还没有订阅地址" in client.get("/calendar/").content.decode()


def test_the_feed_takes_as_many_queries_for_one_as_for_thirty(office):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def queries():
        with CaptureQueriesContext(connection) as seen:
            calendar_feed.feed(office, TODAY, "https://office.example")
        return len(seen)

    def more(count):
        for _ in range(count):
            meeting = Meeting.objects.create(kind=MeetingKind.JOINT, held_on=TODAY, chair_post="主任")
            project = ProjectFactory()
            unit = project.versions.get().responsible_unit
            Decision.objects.create(meeting=meeting, what="x", lead_unit=unit, due_on=TODAY + DAY)
            Inspection.objects.create(project=project, planned_on=TODAY + DAY, leader_post="科长")
            ProblemFactory(project=project, handler=unit, due_on=TODAY + DAY, code=f"WT-2025-{project.pk:03}")

    more(1)
    few = queries()
    more(30)
    assert queries() == few
