"""A problem's page leads to the meetings that decided on it and to the letters that told of its project."""

import datetime as dt

import pytest

from ledgers.enums import DocumentKind, DocumentState
from ledgers.meeting_models import Decision, Meeting
from ledgers.models import Document, Letter
from tests.factories import TODAY, ProblemFactory, ProjectFactory, RegionFactory, UserFactory

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
SHANGHAI = dt.timezone(dt.timedelta(hours=8))


@pytest.fixture(autouse=True)
def region():
    return RegionFactory()


@pytest.fixture
def project():
    return ProjectFactory(code="LF-001")


@pytest.fixture
def problem(project):
    return ProblemFactory(project=project, code="WT-2025-001", raised_on=TODAY - 5 * DAY)


@pytest.fixture
def unit(project):
    return project.versions.get().responsible_unit


def letter(unit, number, on, code):
    issued_at = dt.datetime.combine(on, dt.time(10), tzinfo=SHANGHAI)
    document = Document.objects.create(
        kind=DocumentKind.REMINDER, period=f"2025-01-{number:02d}", unit=unit, title="提醒函", as_of=on, state=DocumentState.ISSUED,
        prefix="演清专办函", year=2025, number=number, issued_at=issued_at, issued_by=UserFactory(),
        facts={"lines": [{"project": code, "name": "工程", "rule": "behind", "subject": code}]},
    )  # fmt: skip
    Letter.objects.create(document=document, reply_due_on=TODAY + DAY)
    return document


def page(client, problem, **query) -> str:
    answer = client.get(f"/problems/{problem.code}/", query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_decisions_and_letters_are_linked(client, problem, unit):
    meeting = Meeting.objects.create(kind="joint", held_on=TODAY - DAY, number="第1次", chair_post="副市长")
    decision = Decision.objects.create(meeting=meeting, what="三日内签完征地协议", lead_unit=unit, problem=problem)
    told, other = letter(unit, 1, TODAY - DAY, "LF-001"), letter(unit, 2, TODAY - DAY, "LF-999")
    before = letter(unit, 3, TODAY - 9 * DAY, "LF-001")
    client.force_login(UserFactory())
    now = page(client, problem)
    assert f'href="/meetings/decisions/{decision.pk}/"' in now
    assert "三日内签完征地协议" in now
    assert [f'href="/letters/{row.pk}/"' in now for row in (told, other, before)] == [True, False, False]
    past = page(client, problem, as_of=str(TODAY - 3 * DAY))
    assert "没有关联的议定事项" in past


def test_a_county_reads_no_letter_of_another_unit(client, problem, unit):
    foreign = letter(ProjectFactory().versions.get().responsible_unit, 1, TODAY, "LF-001")
    client.force_login(UserFactory(in_county=True, unit=unit))
    assert f"/letters/{foreign.pk}/" not in page(client, problem)
