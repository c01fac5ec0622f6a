"""Every messy workbook tells exactly its facts, and everything else in it is complained of where it stands."""

import datetime as dt
from decimal import Decimal

import pytest

from ledgers import intake, rest
from ledgers.enums import CheckCategory, MeetingKind
from ledgers.meeting_models import CheckFinding, Decision, Meeting
from ledgers.registry import LEDGERS
from linfen_water.workbook import read_workbook
from projects import archives
from projects.enums import PermitKind, SourceKind
from projects.models import Project, ProjectVersion
from projects.site_models import Inspection
from projects.target_models import AnnualTarget
from tests.factories import CountyFactory, PermitFactory, ProblemFactory, ProjectFactory, RegionFactory, UnitFactory
from tests.ledgers.messy import CITY, MESSY
from tests.ledgers.messy_others import OTHERS

pytestmark = [pytest.mark.django_db, pytest.mark.once]
ALL = [("master", one) for one in MESSY] + [(slug, one) for slug, some in OTHERS.items() for one in some]
FUNDING = {"LF-001": {SourceKind.CENTRAL: Decimal(600), SourceKind.CITY: Decimal(400)}}


@pytest.fixture
def city():
    RegionFactory()
    county, water = CountyFactory(), UnitFactory(name="临汾市水利局")
    UnitFactory(name="临汾市住建局")
    for code, name in CITY.items():
        lead = UnitFactory(name=f"{code}原牵头单位")
        project = ProjectFactory(code=code, name=name, county=county, lead_unit=lead, funding=FUNDING.get(code))
        ProjectVersion.objects.filter(project=project).update(owner="原业主", baseline_finish_on=dt.date(2025, 12, 1))
    return water


@pytest.fixture
def kept(city):
    """What the other ledgers hold of the city: LF-001 and LF-002 are finished, LF-003 is not."""
    UnitFactory(name="临汾市生态环境局")
    first, second, third = Project.objects.order_by("code")
    Project.objects.exclude(pk=third.pk).update(completed_on=dt.date(2025, 1, 10))
    for project, kind in ((first, PermitKind.EIA), (first, PermitKind.APPROVAL), (second, PermitKind.EIA)):
        PermitFactory(project=project, kind=kind)
    meeting = Meeting.objects.create(kind=MeetingKind.values[0], held_on=dt.date(2025, 2, 3), chair_post="演示主持岗位")
    entry = archives.ArchiveEntry.objects.create(group="前期", name="立项文件", required=1, position=1)
    for number, project in enumerate((first, second, third), 1):
        ProblemFactory(project=project, code=f"WT-2025-{number:03}")
    for number, what in ((11, "第一项：落实资金"), (12, "第二项：开工")):
        Decision.objects.create(pk=number, meeting=meeting, what=what, lead_unit=city, due_on=dt.date(2025, 2, 28))
    for number, unit in ((21, city), (22, UnitFactory(name="演示公司"))):
        values = {"category": CheckCategory.SAFETY, "place": f"{'一二'[number - 21]}号工地", "text": "未设围挡"}
        CheckFinding.objects.create(pk=number, year=2025, issue=1, on=dt.date(2025, 2, 10), unit=unit, **values)
    for project, day in ((first, dt.date(2025, 2, 3)), (second, dt.date(2025, 2, 5))):
        Inspection.objects.create(project=project, planned_on=day, visited_on=day, leader_post="演示岗位")
        archives.ArchiveItem.objects.create(project=project, entry=entry, required=2)
    for year in (2024, 2025):
        AnnualTarget.objects.create(project=first, year=year, kind="start", text="开工", plan_wan=300, set_on=dt.date(2024, 1, 5))


def test_there_are_enough_of_them():
    assert len({one.name for one in MESSY}) == len(MESSY) >= 25
    assert set(OTHERS) | {"master"} == {ledger.slug for ledger in LEDGERS.values() if ledger.writer}
    assert min(map(len, OTHERS.values())) >= 3


@pytest.mark.parametrize(("slug", "messy"), ALL, ids=lambda one: getattr(one, "name", one))
def test_it_is_understood_or_complained_of(request, slug, messy):
    request.getfixturevalue("city" if slug == "master" else "kept")
    found = intake.rehearse(read_workbook(messy.data()), reason="批复", ledger=LEDGERS[slug], choices=intake.Choices(erases=True))
    assert {(change.key, change.column, change.new) for change in found.changes} == messy.facts
    assert len(found.changes) == len(messy.facts)
    assert [(error.row, error.column) for error in found.errors] == [(row, column) for row, column, _ in messy.errors]
    for error, (_, _, part) in zip(found.errors, messy.errors, strict=True):
        assert part in error.reason
    assert [one.row for one in found.complaints] == [row for row, _ in messy.sums]
    for complaint, (_, part) in zip(found.complaints, messy.sums, strict=True):
        assert part in complaint.reason


@pytest.mark.parametrize(("slug", "messy"), [one for one in ALL if one[1].errors], ids=lambda one: getattr(one, "name", one))
def test_what_was_left_out_comes_back_untouched_and_changes_nothing(request, slug, messy):
    request.getfixturevalue("city" if slug == "master" else "kept")
    sheets, ledger = read_workbook(messy.data()), LEDGERS[slug]
    if intake.rehearse(sheets, reason="批复", ledger=ledger).is_broken:
        with pytest.raises(intake.Unfit):
            intake.take_in(sheets, reason="批复", by=None, ledger=ledger, is_partial=True)
        return
    done = intake.take_in(sheets, reason="批复", by=None, ledger=ledger, is_partial=True)
    again = intake.rehearse(read_workbook(rest.workbook_of_rest(done, ledger)), reason="批复", ledger=ledger)
    assert (again.good, again.is_broken) == ({}, False)
    assert len(again.bad_rows) == len(done.bad_rows)
    assert {error.column for error in again.errors} >= {error.column for error in done.errors}
