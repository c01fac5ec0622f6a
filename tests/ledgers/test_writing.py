import datetime as dt
from decimal import Decimal

import pytest

from ledgers import writing
from ledgers.registry import LEDGERS
from ledgers.writers import MASTER, PERMITS, PROBLEMS
from ledgers.writing import Change, NotWritten, Sense, write
from linfen_water import trail
from linfen_water.models import TrailEvent
from projects.enums import PermitKind
from projects.models import Permit, ProjectVersion
from tests.factories import (
    CountyFactory,
    DomainFactory,
    PermitFactory,
    ProblemFactory,
    ProjectFactory,
    RegionFactory,
    UnitFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db
WRITERS = [ledger.writer for ledger in LEDGERS.values() if ledger.writer]


@pytest.fixture(autouse=True)
def region():
    return RegionFactory()


@pytest.fixture
def office():
    return UserFactory()


def version_of(project) -> ProjectVersion:
    return ProjectVersion.objects.get(project=project, effective_to=None)


def fault_of(writer, changes, **kwargs) -> writing.CellFault:
    with pytest.raises(NotWritten) as refused:
        write(writer, changes, **({"reason": "批复"} | kwargs))
    assert len(refused.value.faults) == 1, refused.value.faults
    return refused.value.faults[0]


@pytest.mark.parametrize("writer", WRITERS, ids=lambda writer: writer.slug)
class TestEveryWriter:
    def test_its_columns_are_those_of_its_ledger(self, writer):
        columns = LEDGERS[writer.slug].table.base_columns
        named = {*writer.key, *writer.fields, *writer.synonyms, *filter(None, [writer.name_column])}
        assert named <= set(columns)
        assert not [name for name in writer.fields if columns[name].is_computed]

    def test_a_heading_means_one_column(self, writer):
        said = [heading for headings in writer.synonyms.values() for heading in headings]
        assert len(said) == len(set(said))


def test_cell_is_written_by_the_service_and_can_be_taken_back(office):
    project = ProjectFactory(name="一号")
    row = MASTER.row(project.pk, by=office)
    done = write(
        MASTER, [Change(project.pk, "total_investment_wan", "1.2亿元", row.seen("total_investment_wan"))], by=office, reason="批复"
    )
    assert [(one.key, one.old, one.new) for one in done] == [(project.code, Decimal("1000.00"), Decimal(12000))]
    assert version_of(project).total_investment_wan == 12000
    write(MASTER, writing.undone(done), by=office, reason="撤销")
    assert version_of(project).total_investment_wan == 1000
    assert ProjectVersion.objects.filter(project=project).count() == 2
    events = TrailEvent.objects.filter(subject_type="project", action="project.revise")
    assert [event.changes for event in events] == [{"total_investment_wan": ["1000", "12000"]}, {"total_investment_wan": ["12000", "1000"]}]
    assert trail.verify(version_of(project).county.code) is None


def test_cell_changed_meanwhile_is_a_conflict_with_both_values(office):
    project = ProjectFactory(name="一号")
    seen = MASTER.row(project.pk, by=office).seen("name")
    write(MASTER, [Change(project.pk, "name", "二号", seen)], by=office, reason="更名")
    fault = fault_of(MASTER, [Change(project.pk, "name", "三号", seen)], by=office)
    assert (fault.is_conflict, fault.mine, fault.theirs) == (True, "三号", "二号")
    write(MASTER, [Change(project.pk, "name", "三号", fault.seen)], by=office, reason="更名")
    assert version_of(project).name == "三号"


def test_same_value_twice_or_by_both_is_nothing(office):
    project = ProjectFactory(name="一号")
    seen = MASTER.row(project.pk, by=office).seen("name")
    write(MASTER, [Change(project.pk, "name", "二号", seen)], by=office, reason="更名")
    assert write(MASTER, [Change(project.pk, "name", " 二号\n", seen)], by=office) == []


def test_one_fault_and_nothing_is_written(office):
    one, two = ProjectFactory(name="一号"), ProjectFactory(name="二号")
    changes = [Change(one.pk, "name", "新名"), Change(two.pk, "baseline_start_on", "某天")]
    assert fault_of(MASTER, changes, by=office).sentence == "日期无效，请按 2025-02-20 填写。"
    assert version_of(one).name == "一号"


def test_faults_of_the_row_name_its_column(office):
    project = ProjectFactory()
    fault = fault_of(MASTER, [Change(project.pk, "baseline_finish_on", "2001.3")], by=office)
    assert (fault.column, "早于基线开工" in fault.sentence) == ("baseline_finish_on", True)
    assert "须写明理由" in fault_of(MASTER, [Change(project.pk, "name", "新名")], by=office, reason=" ").sentence


def test_unit_that_nobody_knows_is_suggested_never_guessed(office):
    project, unit = ProjectFactory(), UnitFactory(name="洪洞县水利局")
    assert "是不是“洪洞县水利局”？" in fault_of(MASTER, [Change(project.pk, "lead_unit", "洪洞水利局")], by=office).sentence
    names = writing.Names({"洪洞水利局": "洪洞县水利局"})
    write(MASTER, [Change(project.pk, "lead_unit", "洪洞 水利局")], by=office, reason="调整", names=names)
    assert version_of(project).lead_unit == unit
    assert "一格里有2个单位" in fault_of(MASTER, [Change(project.pk, "lead_unit", "甲局、乙局")], by=office).sentence


def test_others_read_and_do_not_write():
    project = ProjectFactory()
    leader = UserFactory(leader=True)
    assert MASTER.row(project.pk, by=leader).held == frozenset()
    assert fault_of(MASTER, [Change(project.pk, "name", "新名")], by=leader).sentence == "这一格不由您填写。"
    assert not MASTER.may_take_in(leader)


def test_foreign_row_is_not_there():
    here = UserFactory(in_county=True)
    permit = PermitFactory(project=ProjectFactory(county=CountyFactory()))
    assert PERMITS.row(permit.pk, by=here) is None
    assert "已不在台账中" in fault_of(PERMITS, [Change(permit.pk, "note", "卡")], by=here).sentence


def test_county_writes_in_a_permit_what_it_holds():
    county = CountyFactory()
    here = UserFactory(in_county=True, county=county)
    permit = PermitFactory(project=ProjectFactory(county=county), kind=PermitKind.EIA)
    assert PERMITS.row(permit.pk, by=here).held == {"submitted_on", "note"}
    write(PERMITS, [Change(permit.pk, "submitted_on", "45664")], by=here, source="import abc")
    permit.refresh_from_db()
    assert permit.submitted_on == dt.date(2025, 1, 7)
    assert TrailEvent.objects.get(subject_type="permit").origin == "import abc"
    assert "不由您填写" in fault_of(PERMITS, [Change(permit.pk, "doc_number", "1号")], by=here).sentence


def test_authority_decides_and_rules_judge():
    unit = UnitFactory(domain=DomainFactory())
    there = UserFactory(role="department", unit=unit)
    permit = PermitFactory(project=ProjectFactory(), authority=unit)
    fault = fault_of(PERMITS, [Change(permit.pk, "obtained_on", "2031-01-01")], by=there)
    assert (fault.column, "晚于今天" in fault.sentence) == ("obtained_on", True)
    with pytest.raises(NotWritten):
        write(PERMITS, [Change(permit.pk, "required", "否")], by=there)
    assert Permit.objects.get().is_required


def test_problem_of_the_office_and_of_its_handler(office):
    one, two = UnitFactory(name="甲局"), UnitFactory(name="乙局")
    handler = UserFactory(role="department", unit=one)
    problem = ProblemFactory(project=ProjectFactory(), code="WT-2025-001")
    write(PROBLEMS, [Change(problem.pk, "handler", "甲局"), Change(problem.pk, "assistants", "乙局、")], by=office)
    problem.refresh_from_db()
    assert (problem.handler, list(problem.assistants.all())) == (one, [two])
    assert PROBLEMS.row(problem.pk, by=handler).held == {"measures"}
    write(PROBLEMS, [Change(problem.pk, "category", "征地拆迁"), Change(problem.pk, "due_on", "2025年3月底")], by=None, reason="会议")
    problem.refresh_from_db()
    assert (problem.category, problem.due_on) == ("land", dt.date(2025, 3, 31))


@pytest.mark.parametrize("writer", WRITERS, ids=lambda writer: writer.slug)
def test_what_a_field_spells_it_reads(writer, office):
    PermitFactory(project=ProjectFactory(), submitted_on=dt.date(2025, 1, 6), promised_workdays=10)
    ProblemFactory(project=ProjectFactory(), code="WT-2025-001", due_on=dt.date(2025, 4, 1))
    sense = Sense(writing.Names())
    pks = writer.index(None, dt.date(2025, 2, 20)).values()
    for row in writer.rows(pks, by=office).values():
        for name, field in writer.fields.items():
            if field.spell(row.values[name]):
                assert field.parse(field.spell(row.values[name]), sense) == row.values[name]
