"""Every address of meetings, decided items, weekly checks and the calendar × role × method. An address without an entry fails."""

import pytest
from django.urls import get_resolver, reverse

from ledgers.case_models import Case
from ledgers.meeting_models import CheckFinding, Decision, Meeting
from tests.factories import TODAY, CountyFactory, RegionFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.once]
ROLES = ("county", "foreign_county", "department", "office", "leader")
# The county leads the decided item and was checked; the foreign one has nothing to do with either.
EXPECTED = {
    ("meetings", "get"): (200, 200, 200, 200, 200),
    ("meetings", "post"): (405, 405, 405, 405, 405),
    ("meeting", "get"): (200, 404, 200, 200, 200),
    ("meeting", "post"): (405, 405, 405, 405, 405),
    ("meeting_new", "get"): (404, 404, 404, 200, 404),
    ("meeting_new", "post"): (404, 404, 404, 422, 404),
    ("meeting_edit", "get"): (404, 404, 404, 200, 404),
    ("meeting_edit", "post"): (404, 404, 404, 422, 404),
    ("meeting_act", "get"): (405, 405, 405, 405, 405),
    ("meeting_act", "post"): (404, 404, 404, 404, 404),  # nothing is asked
    ("meeting_withdraw", "get"): (405, 405, 405, 405, 405),
    ("meeting_withdraw", "post"): (404, 404, 404, 422, 404),
    ("meeting_agenda", "get"): (404, 404, 404, 200, 404),
    ("meeting_agenda", "post"): (404, 404, 404, 302, 404),  # nothing sent, nothing changed
    ("meeting_sheet", "get"): (404, 404, 200, 200, 200),  # it tells of all counties
    ("meeting_sheet", "post"): (405, 405, 405, 405, 405),
    ("meeting_minutes", "get"): (405, 405, 405, 405, 405),
    ("meeting_minutes", "post"): (404, 404, 404, 422, 404),
    ("meeting_minutes_pdf", "get"): (200, 404, 200, 200, 200),
    ("meeting_minutes_pdf", "post"): (405, 405, 405, 405, 405),
    ("meeting_minutes_docx", "get"): (200, 404, 200, 200, 200),
    ("meeting_minutes_docx", "post"): (405, 405, 405, 405, 405),
    ("meeting_decide", "get"): (405, 405, 405, 405, 405),
    ("meeting_decide", "post"): (404, 404, 404, 422, 404),
    ("decision", "get"): (200, 404, 200, 200, 200),
    ("decision", "post"): (405, 405, 405, 405, 405),
    ("decision_new", "get"): (404, 404, 404, 200, 404),
    ("decision_new", "post"): (404, 404, 404, 422, 404),
    ("decision_edit", "get"): (404, 404, 404, 200, 404),
    ("decision_edit", "post"): (404, 404, 404, 422, 404),
    ("decision_act", "get"): (405, 405, 405, 405, 405),
    ("decision_act", "post"): (422, 404, 404, 422, 404),
    ("decision_withdraw", "get"): (405, 405, 405, 405, 405),
    ("decision_withdraw", "post"): (404, 404, 404, 422, 404),
    ("decision_note", "get"): (405, 405, 405, 405, 405),
    ("decision_note", "post"): (422, 404, 404, 422, 404),
    ("check_finding", "get"): (200, 404, 200, 200, 200),
    ("check_finding", "post"): (405, 405, 405, 405, 405),
    ("check_finding_new", "get"): (404, 404, 404, 200, 404),
    ("check_finding_new", "post"): (404, 404, 404, 422, 404),
    ("check_finding_edit", "get"): (404, 404, 404, 200, 404),
    ("check_finding_edit", "post"): (404, 404, 404, 422, 404),
    ("check_finding_act", "get"): (405, 405, 405, 405, 405),
    ("check_finding_act", "post"): (422, 404, 404, 422, 404),
    ("check_finding_withdraw", "get"): (405, 405, 405, 405, 405),
    ("check_finding_withdraw", "post"): (404, 404, 404, 422, 404),
    ("cases", "get"): (200, 200, 200, 200, 200),
    ("cases", "post"): (405, 405, 405, 405, 405),
    ("case", "get"): (200, 404, 404, 200, 200),  # the unit's own
    ("case", "post"): (405, 405, 405, 405, 405),
    ("case_new", "get"): (404, 404, 404, 200, 404),
    ("case_new", "post"): (404, 404, 404, 422, 404),
    ("case_edit", "get"): (404, 404, 404, 200, 404),
    ("case_edit", "post"): (404, 404, 404, 422, 404),
    ("case_act", "get"): (405, 405, 405, 405, 405),
    ("case_act", "post"): (422, 404, 404, 422, 404),
    ("case_withdraw", "get"): (405, 405, 405, 405, 405),
    ("case_withdraw", "post"): (404, 404, 404, 422, 404),
    ("calendar", "get"): (200, 200, 200, 200, 200),  # one's own key
    ("calendar", "post"): (200, 200, 200, 200, 200),
    ("calendar_feed", "get"): (404, 404, 404, 404, 404),  # a login is no key
    ("calendar_feed", "post"): (405, 405, 405, 405, 405),
}
PREFIXES = ("meetings/", "checks/", "calendar/", "cases/")


@pytest.fixture
def cast():
    RegionFactory()
    people = {
        "county": UserFactory(in_county=True, county=CountyFactory()),
        "foreign_county": UserFactory(in_county=True, county=CountyFactory()),
        "department": UserFactory(in_department=True),
        "office": UserFactory(),
        "leader": UserFactory(leader=True),
    }
    unit = people["county"].unit
    meeting = Meeting.objects.create(pk=91, kind="joint", held_on=TODAY, chair_post="专班办主任")
    Decision.objects.create(pk=92, meeting=meeting, what="签完征地协议", lead_unit=unit)
    CheckFinding.objects.create(pk=93, year=2025, issue=1, on=TODAY, unit=unit, category="safety", place="基坑", text="护栏缺失")
    Case.objects.create(pk=94, kind="talk", unit=unit, opened_on=TODAY, ground="一个月没有进展")
    return people


KEYS = {"meeting": 91, "decision": 92, "check": 93, "case": 94}


def address(name):
    if name in ("meetings", "calendar", "cases") or name.endswith("_new"):
        return reverse(name)
    return reverse(name, args=["nobodys" if name == "calendar_feed" else KEYS[name.partition("_")[0]]])


def payload(name):
    return {"action": "answer"} if name in ("decision_act", "check_finding_act", "case_act") else {}


@pytest.mark.parametrize(("name", "method"), EXPECTED)
def test_each_role_gets_what_it_may(cast, client, name, method):
    got = []
    for role in ROLES:
        client.force_login(cast[role])
        got.append(getattr(client, method)(address(name), payload(name) if method == "post" else None).status_code)
    assert tuple(got) == EXPECTED[name, method], name


def test_every_address_has_an_entry():
    names = {
        found.name
        for app in get_resolver().url_patterns
        for found in getattr(app, "url_patterns", [])
        if str(found.pattern).startswith(PREFIXES)
    }
    assert names == {name for name, _ in EXPECTED}
