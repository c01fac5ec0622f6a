"""Measures of pressure as cases: what must be there, the ladder of papers, and that a file for accountability stays inside."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ledgers import cases
from ledgers.case_models import Case
from ledgers.cases import CASE
from ledgers.enums import CaseKind, Measure
from ledgers.measures.rules import Rule, Verdict
from ledgers.meeting_models import Decision, Meeting
from linfen_water.models import Notice
from projects import records
from projects.services import Faulty
from projects.site_models import Inspection
from tests.factories import TODAY, CountyFactory, ProblemFactory, ProjectFactory, RegionFactory, UserFactory

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


@pytest.fixture
def office():
    RegionFactory()
    return UserFactory()


@pytest.fixture
def county(office):
    return UserFactory(in_county=True, county=CountyFactory())


def typed(unit, **more):
    return {
        "kind": "talk", "unit": unit, "opened_on": TODAY - 5 * DAY, "due_on": TODAY + 5 * DAY, "with_units": [], "projects": [],
        "ground": "连续四期没有变化", "notice": None, "conditions": "", "minutes": "",
    } | more  # fmt: skip


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"due_on": None}, "due_on"),
        ({"kind": "listed"}, "conditions"),
        ({"opened_on": TODAY + DAY}, "opened_on"),
        ({"due_on": TODAY - 6 * DAY}, "due_on"),
        ({"ground": " "}, "ground"),
    ],
)
def test_what_is_missing_is_said_at_its_field(office, county, more, field):
    with pytest.raises(Faulty) as fault:
        records.add(CASE, by=office, **typed(county.unit, **more))
    assert [one.field for one in fault.value.faults] == [field]


def test_a_talk_is_reported_after_the_working_days_of_the_policy():
    assert cases.report_due("talk", TODAY) == dt.date(2025, 3, 6)
    assert cases.report_due("listed", TODAY) is None


def test_the_ladder_tells_everything_of_unit_and_projects_in_the_order_of_days(office, county):
    project, other = ProjectFactory(county=county.unit.county), ProjectFactory()
    meeting = Meeting.objects.create(kind="joint", held_on=TODAY - 20 * DAY, chair_post="主任")
    Decision.objects.create(meeting=meeting, what="倒排工期", lead_unit=county.unit)
    ProblemFactory(project=project, code="WT-2025-001", raised_on=TODAY - 30 * DAY, description="征地未完成")
    ProblemFactory(project=other, code="WT-2025-002", raised_on=TODAY - 30 * DAY, description="别县的问题")
    Inspection.objects.create(project=project, planned_on=TODAY - 9 * DAY, visited_on=TODAY - 9 * DAY, leader_post="科长", demands="加人")
    earlier = records.add(CASE, by=office, **typed(county.unit, opened_on=TODAY - 40 * DAY))
    row = records.add(
        CASE, by=office, **typed(county.unit, kind="listed", projects=[project], conditions="连续四周有进展", opened_on=TODAY - 2 * DAY)
    )
    told = [(entry.word, entry.text) for entry in cases.ladder(row, office, TODAY, TODAY)]
    assert told == [
        ("约谈", earlier.ground),
        ("问题", f"{project.code} 提出：征地未完成（WT-2025-001）"),
        ("会议", f"{meeting}议定：倒排工期"),
        ("督导", f"{project.code} 科长带队：加人"),
        ("挂牌督办", row.ground),
    ]
    before = [entry.word for entry in cases.ladder(row, office, TODAY - 10 * DAY, TODAY)]
    assert before == ["约谈", "问题", "会议", "挂牌督办"]  # the visit came later


def test_it_is_reported_checked_and_closed(office, county, client):
    row = records.add(CASE, by=office, **typed(county.unit))
    assert Notice.objects.filter(unit=county.unit).count() == 1
    client.force_login(county)
    sent = {"action": "answer", "answer-version": 1, "answer-answer": "已增加机械和人员"}
    assert client.post(f"/cases/{row.pk}/act/", sent).status_code == 302
    assert client.post(f"/cases/{row.pk}/act/", {"action": "close", "close-version": 2, "close-closing_basis": "x"}).status_code == 404
    client.force_login(office)
    sent = {"action": "close", "close-version": 2, "close-closing_basis": "现场核实，承诺措施已落实"}
    assert client.post(f"/cases/{row.pk}/act/", sent).status_code == 302
    row.refresh_from_db()
    assert [entry.word for entry in cases.ladder(row, office, TODAY, TODAY)] == ["约谈", "报告", "约谈办结"]


def test_a_file_for_accountability_stays_with_office_and_leaders_and_tells_nobody(office, county, client):
    row = records.add(CASE, by=office, **typed(county.unit, kind="accountability", due_on=None))
    assert not Notice.objects.exists()
    for person, status in ((county, 404), (UserFactory(leader=True), 200), (office, 200)):
        client.force_login(person)
        assert client.get(f"/cases/{row.pk}/").status_code == status
        assert (row.ground in client.get("/cases/").content.decode()) == (status == 200)
    assert not cases.may_report(office, row)


def test_the_judgement_proposes_what_is_not_open_yet(office, county):
    def verdict(rule, measure):
        return Verdict(rule, "county", "1", measure, "连续四期没有变化", (), None, county.unit.code, name="某县")

    said = [verdict(Rule.NO_PROGRESS, Measure.REGULATORY_TALK), verdict(Rule.BEHIND, Measure.REMINDER)]
    assert [(one.kind, one.name) for one in cases.proposals(said)] == [(CaseKind.TALK, "某县")]
    records.add(CASE, by=office, **typed(county.unit))
    assert cases.proposals(said) == []


def test_the_list_and_a_case_take_as_many_queries_for_one_row_as_for_thirty(office, county, client):
    project = ProjectFactory(county=county.unit.county)
    row = records.add(CASE, by=office, **typed(county.unit, projects=[project]))
    leader = UserFactory(leader=True)
    client.force_login(leader)

    def queries():
        with CaptureQueriesContext(connection) as seen:
            assert client.get("/cases/").status_code == 200
            assert client.get(f"/cases/{row.pk}/").status_code == 200
        return len(seen)

    def more(count):
        for n in range(count):
            ProblemFactory(project=project, code=f"WT-2025-{n + 100 * count:04}")
            Inspection.objects.create(project=project, planned_on=TODAY, visited_on=TODAY, leader_post="科长")
            meeting = Meeting.objects.create(kind="joint", held_on=TODAY, chair_post="主任")
            Decision.objects.create(meeting=meeting, what="x", lead_unit=county.unit)
            records.add(CASE, by=office, **typed(county.unit, projects=[project], ground=f"事由{Case.objects.count()}"))

    more(1)
    few = queries()
    more(28)
    assert queries() == few
