"""Every messy workbook tells exactly its facts, and everything else in it is complained of where it stands."""

import datetime as dt

import pytest

from ledgers import intake
from linfen_water.workbook import read_workbook
from projects.models import ProjectVersion
from tests.factories import CountyFactory, ProjectFactory, RegionFactory, UnitFactory
from tests.ledgers.messy import CITY, MESSY

pytestmark = [pytest.mark.django_db, pytest.mark.once]


@pytest.fixture
def city():
    RegionFactory()
    county, water = CountyFactory(), UnitFactory(name="临汾市水利局")
    UnitFactory(name="临汾市住建局")
    for code, name in CITY.items():
        project = ProjectFactory(code=code, name=name, county=county, lead_unit=UnitFactory(name=f"{code}原牵头单位"))
        ProjectVersion.objects.filter(project=project).update(owner="原业主", baseline_finish_on=dt.date(2025, 12, 1))
    return water


def test_there_are_enough_of_them():
    assert len({one.name for one in MESSY}) == len(MESSY) >= 25


@pytest.mark.parametrize("messy", MESSY, ids=lambda one: one.name)
def test_it_is_understood_or_complained_of(city, messy):
    found = intake.rehearse(read_workbook(messy.data()), reason="批复")
    assert {(change.key, change.column, change.new) for change in found.changes} == messy.facts
    assert len(found.changes) == len(messy.facts)
    assert [(error.row, error.column) for error in found.errors] == [(row, column) for row, column, _ in messy.errors]
    for error, (_, _, part) in zip(found.errors, messy.errors, strict=True):
        assert part in error.reason
    assert [one.row for one in found.complaints] == [row for row, _ in messy.sums]
    for complaint, (_, part) in zip(found.complaints, messy.sums, strict=True):
        assert part in complaint.reason
