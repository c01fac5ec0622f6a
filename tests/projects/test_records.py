"""Rows that are kept by hand: added once, merged or in conflict, withdrawn and gone, every change in the trail."""

import datetime as dt

import pytest

from linfen_water import trail
from linfen_water.models import Notice, TrailEvent
from projects import inspections, records
from projects.inspections import INSPECTION
from projects.services import EditConflict, Faulty, Refused
from projects.site_models import Inspection, InspectionFinding
from tests.factories import TODAY, ProjectFactory, RegionFactory, UnitFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def office():
    RegionFactory()
    return UserFactory()


def typed(project, **more):
    return {
        "project": project, "planned_on": TODAY, "visited_on": TODAY, "leader_post": "专班办副主任", "units": [], "experts": "",
        "content": "核对进度", "site_progress": None, "demands": "", "due_on": None,
    } | more  # fmt: skip


@pytest.fixture
def visit(office):
    return records.add(INSPECTION, by=office, **typed(ProjectFactory(), units=[UnitFactory(name="市水利局")]))


def test_the_same_sent_twice_is_one(visit, office):
    again = records.add(INSPECTION, by=office, **typed(visit.project, units=list(visit.units.all())))
    assert again == visit
    assert Inspection.objects.count() == 1


def test_adding_stands_in_the_trail_in_words(visit):
    event = TrailEvent.objects.get(subject_type="inspection")
    assert event.action == "inspection.add"
    assert event.changes["units"] == [None, "市水利局"]
    assert event.changes["on"] == [None, "2025-02-20"]
    assert trail.verify(event.chain) is None


def test_what_only_others_changed_is_kept(visit, office):
    records.edit(INSPECTION, row=visit, by=UserFactory(), version=1, content="另一人改的")
    found = records.edit(INSPECTION, row=visit, by=office, version=1, leader_post="分管副市长", content="核对进度")
    assert (found.leader_post, found.content, found.edit_version) == ("分管副市长", "另一人改的", 3)


def test_the_same_field_changed_by_both_is_a_conflict(visit, office):
    records.edit(INSPECTION, row=visit, by=UserFactory(), version=1, content="甲")
    with pytest.raises(EditConflict) as conflict:
        records.edit(INSPECTION, row=visit, by=office, version=1, content="乙")
    assert (conflict.value.mine, conflict.value.theirs, conflict.value.version) == ({"content": "乙"}, {"content": "甲"}, 2)
    visit.refresh_from_db()
    assert visit.content == "甲"


def test_nothing_changed_writes_nothing(visit, office):
    before = TrailEvent.objects.count()
    records.edit(INSPECTION, row=visit, by=office, version=1, content="核对进度")
    assert TrailEvent.objects.count() == before


def test_a_decision_on_an_old_version_is_refused(visit, office):
    records.edit(INSPECTION, row=visit, by=office, version=1, content="新")
    with pytest.raises(Refused, match="刚被他人改动"):
        records.act(INSPECTION, row=visit, by=office, version=1, action="close", closed_on=TODAY)


def test_withdrawing_wants_a_reason_and_then_nothing_more_is_changed(visit, office):
    with pytest.raises(Faulty, match="撤销须写明理由"):
        records.withdraw(INSPECTION, row=visit, by=office, version=1, reason=" ")
    records.withdraw(INSPECTION, row=visit, by=office, version=1, reason="登记错了项目")
    assert not Inspection.objects.standing().exists()
    with pytest.raises(Refused, match="已撤销（登记错了项目）"):
        records.edit(INSPECTION, row=visit, by=office, version=2, content="再改")


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"visited_on": dt.date(2025, 2, 21)}, "visited_on"),
        ({"visited_on": None, "demands": "整改"}, "visited_on"),
        ({"site_progress": 101}, "site_progress"),
        ({"due_on": dt.date(2025, 2, 19)}, "due_on"),
        ({"leader_post": ""}, "leader_post"),
    ],
)
def test_what_cannot_be_is_said_at_its_field(office, changed, field):
    with pytest.raises(Faulty) as fault:
        records.add(INSPECTION, by=office, **typed(ProjectFactory(), **changed))
    assert [one.field for one in fault.value.faults] == [field]


def test_what_is_demanded_is_told_to_the_responsible_unit_once(office):
    project = ProjectFactory()
    records.add(INSPECTION, by=office, **typed(project, demands="限期整改"))
    assert [notice.unit for notice in Notice.objects.all()] == [project.versions.get().responsible_unit]


def test_a_finding_becomes_a_problem_once(visit, office):
    finding = inspections.add_finding(inspection=visit, by=office, category="land", text="临时用地手续未批")
    found = inspections.raise_finding(finding=finding, by=office)
    assert (found.problem.description, found.problem.raised_on, found.problem.project) == ("临时用地手续未批", TODAY, visit.project)
    with pytest.raises(Refused, match="已转为问题 WT-2025-001"):
        inspections.raise_finding(finding=found, by=office)


def test_a_visit_that_has_not_been_made_has_no_findings(office):
    planned = records.add(INSPECTION, by=office, **typed(ProjectFactory(), visited_on=None))
    with pytest.raises(Faulty, match="还没有督导日期"):
        inspections.add_finding(inspection=planned, by=office, category="land", text="x")
    assert not InspectionFinding.objects.exists()


def test_rows_may_have_a_field_called_kind(office):
    from ledgers.meetings import MEETING  # a kind of the other app, whose own field is called so

    said = {"held_on": TODAY, "number": "", "chair_post": "专班办主任", "place": "", "topic": "", "minutes": ""}
    meeting = records.add(MEETING, by=office, kind="weekly", **said)
    assert records.edit(MEETING, row=meeting, by=office, version=1, kind="morning").kind == "morning"
