"""Plans of funds, decided items, findings of checks and archive items, written through their ledgers."""

import datetime as dt
from decimal import Decimal

import pytest

from ledgers.enums import CheckCategory, MeetingKind
from ledgers.meeting_models import CheckFinding, Decision, Meeting
from ledgers.record_writers import ARCHIVES, CHECKS, DECISIONS, FUNDS
from ledgers.writing import Change, NotWritten, undone, write
from linfen_water import trail
from linfen_water.models import TrailEvent
from projects import archives, funds
from projects.enums import SourceKind
from projects.models import FundingRevision, Project
from tests.factories import TODAY, ProjectFactory, RegionFactory, UnitFactory, UserFactory

pytestmark = pytest.mark.django_db
YESTERDAY = TODAY - dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def region():
    return RegionFactory()


@pytest.fixture
def office():
    return UserFactory()


def source():
    return ProjectFactory(code="LF-001", funding={SourceKind.CENTRAL: Decimal(600)}).funding.get()


def decision(**values):
    meeting = Meeting.objects.create(kind=MeetingKind.values[0], held_on=dt.date(2025, 2, 3), chair_post="演示主持岗位")
    return Decision.objects.create(meeting=meeting, what="落实资金", lead_unit=UnitFactory(name="甲局"), **values)


def finding():
    values = {"unit": UnitFactory(name="甲局"), "category": CheckCategory.SAFETY, "place": "一号工地", "text": "未设围挡"}
    return CheckFinding.objects.create(year=2025, issue=1, on=dt.date(2025, 2, 10), **values)


def item():
    entry = archives.ArchiveEntry.objects.create(group="前期", name="立项文件", required=1, position=1)
    return archives.ArchiveItem.objects.create(project=ProjectFactory(code="LF-001"), entry=entry, required=2)


def faults_of(writer, *changes, **kwargs) -> list[tuple[str, str]]:
    with pytest.raises(NotWritten) as refused:
        write(writer, changes, **({"reason": "批复"} | kwargs))
    return [(fault.column, fault.sentence) for fault in refused.value.faults]


def test_plan_holds_from_today_and_can_be_taken_back_on_the_same_day(office):
    row = source()
    done = write(FUNDS, [Change(row.pk, "planned_wan", "0.08亿元")], by=office, reason="批复")
    planned = [funds.read(day, Project.objects.all())[0].source.planned_wan for day in (YESTERDAY, TODAY)]
    assert planned == [600, 800]
    write(FUNDS, undone(done), by=office, reason="撤销")
    row.refresh_from_db()
    assert (row.planned_wan, FundingRevision.objects.count()) == (600, 1)
    assert TrailEvent.objects.filter(action="funds.plan").count() == 2
    county = row.project.versions.get().county.code
    assert trail.verify(county) is None


def test_plan_wants_its_reason_and_an_open_source(office):
    row = source()
    assert "调整理由" in faults_of(FUNDS, Change(row.pk, "planned_wan", "5"), by=office, reason=" ")[0][1]
    type(row).objects.filter(pk=row.pk).update(closed_on=YESTERDAY, closed_reason="不再安排")
    assert faults_of(FUNDS, Change(row.pk, "planned_wan", "5"), by=office) == [("planned_wan", "这一格不由您填写。")]


@pytest.mark.parametrize(
    ("writer", "made", "column", "value"),
    [
        (FUNDS, source, "planned_wan", "700"),
        (DECISIONS, decision, "due_on", "2025年3月底"),
        (CHECKS, finding, "place", "二号工地"),
        (ARCHIVES, item, "checker_post", "档案岗"),
    ],
    ids=lambda one: getattr(one, "slug", ""),
)
class TestEach:
    @pytest.mark.parametrize("trait", ["in_county", "in_department", "leader"])
    def test_is_the_offices_to_write(self, writer, made, column, value, trait):
        row, other = made(), UserFactory(**{trait: True})
        assert not writer.may_take_in(other)
        assert faults_of(writer, Change(row.pk, column, value), by=other)
        assert writer.may_take_in(UserFactory())

    def test_is_written_by_a_command_too_and_leaves_its_event(self, writer, made, column, value):
        row, before = made(), TrailEvent.objects.count()
        assert len(write(writer, [Change(row.pk, column, value)], by=None, reason="台账导入", source="import abc")) == 1
        event = TrailEvent.objects.order_by("pk").last()
        assert (TrailEvent.objects.count() - before, event.origin) == (1, "import abc")

    def test_second_editor_sees_both_values(self, writer, made, column, value, office):
        row = made()
        seen = writer.row(row.pk, by=office).seen(column)
        write(writer, [Change(row.pk, column, value, seen)], by=office, reason="批复")
        again = {"planned_wan": "9", "due_on": "2025-03-09"}.get(column, "另一处")
        with pytest.raises(NotWritten) as refused:
            write(writer, [Change(row.pk, column, again, seen)], by=office, reason="批复")
        assert [fault.is_conflict for fault in refused.value.faults] == [True]

    def test_is_found_by_its_key(self, writer, made, column, value, office):
        row = made()
        assert list(writer.index(office, TODAY).values()) == [row.pk]


def test_decided_item_is_judged_like_on_its_page(office):
    row, helper = decision(), UnitFactory(name="乙局")
    assert faults_of(DECISIONS, Change(row.pk, "due_on", "2025-01-01"), by=office)[0][0] == "due_on"
    assert "不能为空" in faults_of(DECISIONS, Change(row.pk, "lead_unit", "—"), by=office)[0][1]
    write(DECISIONS, [Change(row.pk, "assist_units", "乙局"), Change(row.pk, "frequency", "每周一次")], by=office)
    row.refresh_from_db()
    assert (list(row.assist_units.all()), row.frequency) == ([helper], "weekly")


def test_archive_that_lacks_something_says_what(office):
    row = item()
    changes = [Change(row.pk, "present", "1"), Change(row.pk, "checker_post", "档案岗")]
    assert [name for name, _ in faults_of(ARCHIVES, *changes, by=office)] == ["missing_note"]
    assert [name for name, _ in faults_of(ARCHIVES, Change(row.pk, "present", "2"), by=office)] == ["checker_post"]
    write(ARCHIVES, [Change(row.pk, "required", "3")], by=office)  # no check
    write(ARCHIVES, [*changes, Change(row.pk, "missing_note", "缺批复"), Change(row.pk, "pages", "12页")], by=office)
    (found,) = archives.items_on(archives.ArchiveItem.objects.all(), TODAY)
    assert (found.required, found.present, found.pages, found.checker_post, found.missing_note) == (3, 1, 12, "档案岗", "缺批复")
    assert [name for name, _ in faults_of(ARCHIVES, Change(row.pk, "present", "—"), by=office)] == ["present"]
