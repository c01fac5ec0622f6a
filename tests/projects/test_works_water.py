"""Which projects are meant for a section, lie near it or upstream of it, and what a person may see of them."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from projects.enums import Stage
from projects.works_water import section_projects
from tests.factories import TODAY, CountyFactory, ProjectFactory, RegionFactory, SectionFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def region(db):
    return RegionFactory()


# ── for the ledger's column ──


def test_each_section_has_the_projects_meant_for_it_with_their_stage_then():
    first, second, bare = SectionFactory(), SectionFactory(), SectionFactory()
    both = ProjectFactory(code="LF-001", name="汾河治理工程", finished=True)
    both.sections.add(first, second)
    ProjectFactory(code="LF-002", name="涝河治理工程").sections.add(second)
    ProjectFactory(code="LF-003", listed_on=dt.date(2025, 1, 1)).sections.add(first)
    office = UserFactory()
    assert section_projects(dt.date(2024, 1, 1), office, [first.pk, second.pk, bare.pk]) == {
        first.pk: [("LF-001", "汾河治理工程", Stage.UNDER_CONSTRUCTION)],
        second.pk: [("LF-001", "汾河治理工程", Stage.UNDER_CONSTRUCTION), ("LF-002", "涝河治理工程", Stage.NOT_STARTED)],
    }
    assert [row.code for row in section_projects(TODAY, office, [first.pk])[first.pk]] == ["LF-001", "LF-003"]


def test_a_county_is_told_of_its_own_projects_only():
    section, county = SectionFactory(), CountyFactory()
    ProjectFactory(code="LF-001").sections.add(section)
    ProjectFactory(code="LF-002", county=county).sections.add(section)
    person = UserFactory(in_county=True, county=county)
    assert [row.code for row in section_projects(TODAY, person, [section.pk])[section.pk]] == ["LF-002"]


def test_many_sections_and_projects_are_one_question():
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            section_projects(TODAY, office, [section.pk for section in sections])
        return len(queries)

    office, sections = UserFactory(), [SectionFactory()]
    ProjectFactory().sections.add(sections[0])
    one = asked()
    for _ in range(12):
        sections.append(SectionFactory())
        ProjectFactory().sections.add(*sections)
    assert asked() == one
