"""The history of a cell whose row keeps one value a day: everyone who wrote it is there."""

from decimal import Decimal

import pytest

from ledgers.history import project_history, trail_history
from projects import funds_services
from projects.enums import SourceKind
from projects.models import ProjectVersion
from projects.services import revise_project
from tests.factories import TODAY, ProjectFactory, RegionFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def region():
    return RegionFactory()


@pytest.fixture
def people():
    return UserFactory(first_name="填报员甲"), UserFactory(first_name="填报员乙")


def said(entries) -> list[tuple[str, str, str, str]]:
    return [(entry.old, entry.new, entry.by, entry.reason) for entry in entries]


def test_two_revisions_of_a_day_show_both_people(people, django_assert_num_queries):
    first, second = people
    project = ProjectFactory(name="旧名")
    revise_project(project=project, effective_from=TODAY, reason="批复一", by=first, name="新名")
    revise_project(project=project, effective_from=TODAY, reason="批复二", by=second, name="更新的名", owner="新业主")
    assert ProjectVersion.objects.count() == 2
    with django_assert_num_queries(2):
        entries = project_history(project.pk, "name", TODAY)
    assert said(entries)[:2] == [("新名", "更新的名", str(second), "批复二"), ("旧名", "新名", str(first), "批复一")]
    assert (len(entries), {entry.on for entry in entries[:2]}) == (3, {TODAY})
    assert [entry.by for entry in project_history(project.pk, "owner", TODAY)][:1] == [str(second)]


def test_one_revision_a_day_is_told_by_its_version(people):
    project = ProjectFactory(name="旧名")
    revise_project(project=project, effective_from=TODAY, reason="批复", by=people[0], name="新名")
    assert said(project_history(project.pk, "name", TODAY))[0] == ("旧名", "新名", str(people[0]), "批复")


def test_what_was_taken_back_on_the_same_day_is_there_too(people):
    first, second = people
    project = ProjectFactory(name="旧名")
    revise_project(project=project, effective_from=TODAY, reason="批复", by=first, name="新名")
    revise_project(project=project, effective_from=TODAY, reason="改回", by=second, name="旧名")
    assert [(old, new, by) for old, new, by, _ in said(project_history(project.pk, "name", TODAY))][:2] == [
        ("新名", "旧名", str(second)),
        ("旧名", "新名", str(first)),
    ]


def test_two_plans_of_a_day_show_both_people(people):
    first, second = people
    source = ProjectFactory(funding={SourceKind.CENTRAL: Decimal(600)}).funding.get()
    for by, planned in ((first, 700), (second, 800)):
        source.refresh_from_db()
        funds_services.revise_plan(
            source=source, by=by, version=source.edit_version, planned_wan=Decimal(planned), effective_from=TODAY, reason="批复"
        )
    assert [(one.old, one.new, one.by) for one in trail_history("fundingsource", [str(source.pk)], "planned_wan")] == [
        ("700", "800", str(second)),
        ("600", "700", str(first)),
    ]
