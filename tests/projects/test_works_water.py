"""Which projects are meant for a section, lie near it or upstream of it, and what a person may see of them."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from linfen_water.models import Region
from monitoring.enums import Cause, WaterClass
from monitoring.models import Interruption, River, Section
from projects import works_water
from projects.enums import Provenance, Stage
from projects.models import Project
from projects.water_rules import Place, Way
from projects.works_water import downstream, section_projects, section_works
from tests.factories import TODAY, CountyFactory, ProjectFactory, SectionFactory, UserFactory
from tests.projects.canals import BRANCH, GATE, LAKE, MAIN, measure, site

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def region(canals) -> Region:
    return canals


@pytest.fixture
def office(region):
    return UserFactory()


@pytest.fixture
def gate() -> Section:
    return Section.objects.get(name=GATE)


@pytest.fixture
def lake() -> Section:
    return Section.objects.get(name=LAKE)


def of(found) -> dict:
    return {work.code: (work.is_meant, work.is_near, work.way) for work in found.works}


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


# ── near and upstream ──


def test_a_work_is_upstream_on_the_same_canal_or_on_one_that_joins_above(region, office, gate, lake):
    ProjectFactory(code="LF-001", **site(MAIN, 10))
    ProjectFactory(code="LF-002", **site(MAIN, 60))
    ProjectFactory(code="LF-003", **site(BRANCH, 4))
    assert of(section_works(gate, TODAY, office, region, 5)) == {
        "LF-001": (False, False, Way(pytest.approx(gate.order_along - 10, abs=0.2)))
    }
    mouth = River.objects.get(name=BRANCH).mouth_km
    found = section_works(lake, TODAY, office, region, 5)
    branch = 14.4 - 4 + lake.order_along - mouth
    assert [(work.code, round(work.way.km)) for work in found.works] == [
        ("LF-002", round(lake.order_along - 60)),
        ("LF-003", round(branch)),
        ("LF-001", round(lake.order_along - 10)),
    ]


@pytest.mark.parametrize(("off_km", "is_by"), [(4.9, True), (5.1, False)])
def test_a_work_lies_by_a_canal_within_five_kilometres(region, office, gate, off_km, is_by):
    ProjectFactory(code="LF-001", **site(MAIN, 10, off_km=off_km)).sections.add(gate)
    work = section_works(gate, TODAY, office, region).works[0]
    assert (work.place is not None, work.way is not None) == (is_by, is_by)


@pytest.mark.parametrize(("radius", "codes"), [(5, []), (10, ["LF-001"]), (20, ["LF-001", "LF-002"])])
def test_near_is_a_straight_line(region, office, gate, radius, codes):
    ProjectFactory(code="LF-001", **site(MAIN, gate.order_along + 8))
    ProjectFactory(code="LF-002", **site(MAIN, gate.order_along + 18))
    assert [work.code for work in section_works(gate, TODAY, office, region, radius).of("near")] == codes


def test_a_work_meant_for_the_section_belongs_to_it_wherever_it_lies(region, office, gate):
    ProjectFactory(code="LF-001").sections.add(gate)
    ProjectFactory(code="LF-002", **site(MAIN, 80)).sections.add(gate)
    found = section_works(gate, TODAY, office, region)
    assert [(w.code, w.is_meant, w.is_near, w.distance_km is None, w.place is None) for w in found.works] == [
        ("LF-002", True, False, False, False),
        ("LF-001", True, False, True, True),
    ]
    assert [len(found.of(kind)) for kind in ("meant", "near", "upstream", "")] == [2, 0, 0, 2]


def test_a_work_that_moved_is_found_where_it_is_now(region, office, gate):
    ProjectFactory(code="LF-001", **site(MAIN, 10))
    assert len(section_works(gate, TODAY, office, region).works) == 1
    Project.objects.update(**site(MAIN, 80))
    assert section_works(gate, TODAY, office, region).works == ()


def test_without_the_pack_upstream_cannot_be_told_and_near_can(region, office, gate):
    Region.objects.update(slug="elsewhere")
    ProjectFactory(code="LF-001", **site(MAIN, 10))
    found = section_works(gate, TODAY, office, Region.current())
    assert (found.is_placed, of(found)) == (False, {"LF-001": (False, True, None)})


def test_a_past_day_shows_the_works_and_the_water_of_then(region, office, gate):
    ProjectFactory(code="LF-001", finished=True, **site(MAIN, 10))
    ProjectFactory(code="LF-002", listed_on=dt.date(2024, 6, 1), **site(MAIN, 10))
    measure(gate, dt.date(2023, 12, 1), 3)  # published on the 10th of the next month
    found = section_works(gate, dt.date(2024, 2, 9), office, region)
    assert [(w.code, w.stage, w.started_on, w.completed_on) for w in found.works] == [
        ("LF-001", Stage.UNDER_CONSTRUCTION, dt.date(2023, 9, 1), None)
    ]
    assert [month.month for month in found.months] == [dt.date(2023, 12, 1)]
    assert set(found.means) == {dt.date(2023, 12, 1)}
    assert len(section_works(gate, dt.date(2024, 2, 10), office, region).months) == 2
    assert section_works(gate, dt.date(2000, 1, 1), office, region).months == ()


def test_what_a_person_may_not_see_is_counted_and_nothing_else(region, gate):
    county = CountyFactory()
    ProjectFactory(code="LF-001", name="别县工程", finished=True, **site(MAIN, 10))
    ProjectFactory(code="LF-002", county=county, **site(MAIN, 11))
    found = section_works(gate, TODAY, UserFactory(in_county=True, county=county), region)
    assert ([work.code for work in found.works], found.hidden) == (["LF-002"], 1)
    assert found.together.works == ()


# ── before and after ──


def finished(code="LF-001", started_on=dt.date(2023, 7, 15), completed_on=dt.date(2024, 1, 31), **kwargs):
    return ProjectFactory(code=code, started_on=started_on, completed_on=completed_on, **site(MAIN, 10), **kwargs)


def year_each_way(section):
    measure(section, dt.date(2022, 7, 1), 12, nh3n="1.2")
    measure(section, dt.date(2024, 2, 1), 12)


def test_a_finished_work_is_compared_with_what_else_happened(region, office, gate):
    finished()
    ProjectFactory(code="LF-002", started_on=dt.date(2024, 3, 1), **site(MAIN, 5))
    year_each_way(gate)
    Interruption.objects.create(section=gate, month=dt.date(2023, 1, 1), cause=Cause.FROZEN)
    Section.objects.filter(pk=gate.pk).update(in_force_from=dt.date(2022, 9, 1))
    gate.refresh_from_db()
    found = section_works(gate, TODAY, office, region)
    comparison = found.comparison(found.works[0])
    assert (comparison.class_before, comparison.class_after) == (WaterClass.IV, WaterClass.II)
    assert next(item for item in comparison.items if item.key == "nh3n").before == Decimal("1.20")
    assert comparison.caveats[-3:] == (
        "同期另有1项相关工程开工或完工（LF-002）。",
        "期间未监测：2023年1月结冰。",
        "断面自2022-09-01启用。",
    )
    assert found.comparison(found.works[1]).sentence == "尚未完工，不作前后对比。"


def test_half_the_detection_limit_enters_the_means(region, office, gate):
    finished()
    measure(gate, dt.date(2022, 7, 1), 12, nh3n="<0.05")
    measure(gate, dt.date(2024, 2, 1), 12)
    found = section_works(gate, TODAY, office, region)
    assert next(i for i in found.comparison(found.works[0]).items if i.key == "nh3n").before == Decimal("0.02")  # of 0.025


def test_a_section_that_took_anothers_place_says_so(region, office, gate, lake):
    finished()
    year_each_way(gate)
    Section.objects.filter(pk=lake.pk).update(replaced_by=gate)
    Section.objects.filter(pk=gate.pk).update(in_force_from=None)
    gate.refresh_from_db()
    found = section_works(gate, TODAY, office, region)
    assert f"断面启用日不详，接替{LAKE}。" in found.comparison(found.works[0]).caveats


@pytest.mark.parametrize("provenance", [Provenance.PUBLIC, Provenance.LIKELY])
def test_a_real_project_is_not_set_against_invented_water(region, office, gate, provenance):
    finished(provenance=provenance)
    year_each_way(gate)
    found = section_works(gate, TODAY, office, region)
    assert (found.comparison(found.works[0]), found.together.works) == (works_water.REAL_WORK, ())
    Region.objects.update(demo_on=None)
    found = section_works(gate, TODAY, office, Region.current())
    assert not found.comparison(found.works[0]).is_refused


def test_all_finished_works_upstream_are_compared_as_one(region, office, gate):
    finished("LF-001", completed_on=dt.date(2023, 9, 1))
    finished("LF-002", started_on=dt.date(2023, 8, 1))
    finished("LF-003", completed_on=None)
    year_each_way(gate)
    together = section_works(gate, TODAY, office, region).together
    assert [work.code for work in together.works] == ["LF-001", "LF-002"]
    assert (together.started_on, together.completed_on) == (dt.date(2023, 7, 15), dt.date(2024, 1, 31))
    assert (together.comparison.class_before, together.comparison.class_after) == (WaterClass.IV, WaterClass.II)
    assert any("LF-003" in sentence for sentence in together.comparison.caveats)


def test_the_item_shown_first_is_the_one_that_decided_most_often(region, office, gate):
    assert section_works(gate, TODAY, office, region).key_item is None
    year_each_way(gate)
    assert section_works(gate, TODAY, office, region).key_item == "nh3n"


# ── a project's next section ──


def test_the_next_section_below_a_project(region, gate, lake):
    def below(**where):
        found = downstream(ProjectFactory(**where), TODAY, region)
        return found.section and found.section.name, found.way and round(found.way.km), found.place and found.place.river

    assert below(**site(MAIN, 10)) == (GATE, round(gate.order_along - 10), MAIN)
    assert below(**site(MAIN, 30)) == (LAKE, round(lake.order_along - 30), MAIN)
    assert below(**site(BRANCH, 4))[::2] == (LAKE, BRANCH)
    assert below(**site(MAIN, 81)) == (None, None, MAIN)
    assert below(**site(MAIN, 10, off_km=9)) == (None, None, None)
    assert below() == (None, None, None)


def test_a_section_not_in_force_is_passed_over(region, gate):
    Section.objects.filter(pk=gate.pk).update(in_force_to=dt.date(2024, 1, 1))
    project = ProjectFactory(**site(MAIN, 10))
    assert downstream(project, TODAY, region).section.name == LAKE
    assert downstream(project, dt.date(2023, 12, 31), region).section.name == GATE


def test_places_are_kilometres_from_the_source(region):
    found = downstream(ProjectFactory(**site(BRANCH, 4)), TODAY, region).place
    assert (found.river, round(found.km), found.off_km) == (BRANCH, 4, 0)
    assert isinstance(found, Place)


# ── questions asked ──


def test_as_many_questions_for_one_work_and_month_as_for_thirty(region, office, gate):
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            found = section_works(gate, TODAY, office, region)
            assert [found.comparison(work) for work in found.works]
            assert found.together.comparison
        return len(queries)

    finished()
    measure(gate, dt.date(2024, 1, 1), 1)
    asked()  # reads the pack
    one = asked()
    for n in range(29):
        finished(f"LF-1{n:02}").sections.add(gate)
    measure(gate, dt.date(2022, 7, 1), 18)
    measure(gate, dt.date(2024, 2, 1), 12)
    assert asked() == one
