"""Writing permits: fields by role, two people at once, the trail, the dictionary; nobody else writes them."""

import datetime as dt
import re
import threading
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from linfen_water.models import TrailEvent
from projects import permit_services
from projects.enums import PermitKind
from projects.models import Permit
from projects.permit_services import list_permits, save_permit
from projects.services import EditConflict, Faulty, Refused
from tests.factories import PermitFactory, ProjectFactory, RegionFactory, UnitFactory, UserFactory

pytestmark = pytest.mark.django_db
DAY = dt.date(2025, 2, 10)
LATER = dt.date(2025, 2, 17)


@pytest.fixture(autouse=True)
def region():
    return RegionFactory()


@pytest.fixture
def project():
    return ProjectFactory()


@pytest.fixture
def authority():
    return UserFactory(in_department=True)


@pytest.fixture
def permit(project, authority):
    return PermitFactory(project=project, kind=PermitKind.EIA, authority=authority.unit)


@pytest.fixture
def people(project, authority):
    return {
        "office": UserFactory(),
        "county": UserFactory(in_county=True, county=project.versions.get().county),
        "foreign_county": UserFactory(in_county=True),
        "authority": authority,
        "lead": UserFactory(in_department=True, unit=project.versions.get().lead_unit),
        "leader": UserFactory(leader=True),
    }


VALUES = {
    "is_required": False,
    "submitted_on": DAY,
    "promised_workdays": 20,
    "obtained_on": DAY,
    "doc_number": "",
    "valid_until": None,
    "note": "等待专家评审",
    "parallel_group": "并联甲",
    "helper_post": "代办员",
}
ALLOWED = {
    "office": set(permit_services.FIELDS),
    "county": {"submitted_on", "note"},
    "authority": {"submitted_on", "promised_workdays", "obtained_on", "doc_number", "valid_until", "note"},
}


@pytest.mark.parametrize("role", ["office", "county", "foreign_county", "authority", "lead", "leader"])
@pytest.mark.parametrize("field", sorted(VALUES))
def test_each_role_writes_the_fields_that_it_holds_and_no_other(permit, people, role, field):
    values = {field: VALUES[field]}
    if field in ALLOWED.get(role, set()):
        saved = save_permit(permit=permit, by=people[role], version=1, values=values)
        assert getattr(saved, field) == VALUES[field]
    else:
        with pytest.raises(Refused, match="不由您填写"):
            save_permit(permit=permit, by=people[role], version=1, values=values)
        permit.refresh_from_db()
        assert permit.edit_version == 1


def test_a_county_leaves_the_day_alone_once_the_paper_is_there(permit, people):
    saved = save_permit(permit=permit, by=people["authority"], version=1, values={"submitted_on": DAY, "obtained_on": LATER})
    with pytest.raises(Refused):
        save_permit(permit=saved, by=people["county"], version=2, values={"submitted_on": LATER})


def test_the_trail_tells_who_changed_what(permit, people):
    save_permit(permit=permit, by=people["county"], version=1, values={"submitted_on": DAY, "note": ""})
    event = TrailEvent.objects.get(subject_type="permit", subject_id=str(permit.pk))
    assert (event.action, event.by) == ("permit.save", people["county"])
    assert event.changes == {"submitted_on": [None, "2025-02-10"], "version": [1, 2]}


def test_the_same_values_write_nothing(permit, people):
    save_permit(permit=permit, by=people["office"], version=1, values={"submitted_on": DAY})
    saved = save_permit(permit=permit, by=people["office"], version=2, values={"submitted_on": DAY})
    assert (saved.edit_version, TrailEvent.objects.filter(subject_type="permit").count()) == (2, 1)


def test_a_request_sent_twice_is_one_change(permit, people):
    for _ in range(2):
        saved = save_permit(permit=permit, by=people["county"], version=1, values={"submitted_on": DAY, "note": "已受理"})
    assert (saved.edit_version, TrailEvent.objects.filter(subject_type="permit").count()) == (2, 1)


def test_values_that_contradict_are_refused_and_nothing_is_written(permit, people):
    with pytest.raises(Faulty, match="早于报送日"):
        save_permit(permit=permit, by=people["office"], version=1, values={"submitted_on": LATER, "obtained_on": DAY, "note": "x"})
    permit.refresh_from_db()
    assert (permit.note, permit.edit_version) == ("", 1)
    assert not TrailEvent.objects.filter(subject_type="permit").exists()


def test_two_people_in_different_fields_both_stay(permit, people):
    save_permit(permit=permit, by=people["county"], version=1, values={"submitted_on": DAY, "note": ""})
    seen_before = {"submitted_on": None, "promised_workdays": 20, "obtained_on": None, "doc_number": "", "valid_until": None, "note": ""}
    saved = save_permit(permit=permit, by=people["authority"], version=1, values=seen_before)
    assert (saved.submitted_on, saved.promised_workdays, saved.edit_version) == (DAY, 20, 3)


def test_two_people_in_one_field_are_shown_both_values(permit, people):
    save_permit(permit=permit, by=people["authority"], version=1, values={"submitted_on": LATER})
    with pytest.raises(EditConflict) as raised:
        save_permit(permit=permit, by=people["county"], version=1, values={"submitted_on": DAY, "note": "已送"})
    conflict = raised.value
    assert (conflict.base, conflict.theirs, conflict.mine) == ({"submitted_on": None}, {"submitted_on": LATER}, {"submitted_on": DAY})
    assert (conflict.merged["note"], conflict.version) == ("已送", 2)
    saved = save_permit(permit=permit, by=people["county"], version=2, values={"submitted_on": DAY, "note": "已送"})
    assert (saved.submitted_on, saved.note) == (DAY, "已送")


def test_an_unknown_version_asks_about_every_difference(permit, people):
    Permit.objects.filter(pk=permit.pk).update(edit_version=7, note="旧库带来")
    with pytest.raises(EditConflict) as raised:
        save_permit(permit=permit, by=people["county"], version=3, values={"note": "新写的", "submitted_on": None})
    assert raised.value.mine == {"note": "新写的"}


def test_an_authority_in_the_trail_is_read_back(permit, people, authority):
    other = UnitFactory()
    save_permit(permit=permit, by=people["office"], version=1, values={"authority": other})
    with pytest.raises(EditConflict) as raised:
        save_permit(permit=permit, by=people["office"], version=1, values={"authority": None})
    assert raised.value.base == {"authority": authority.unit}


def test_the_office_lists_kinds_with_the_authority_that_most_have(project, people):
    usual, rare = UnitFactory(), UnitFactory()
    for unit in (usual, usual, rare):
        PermitFactory(project=ProjectFactory(), kind=PermitKind.TENDER, authority=unit)
    PermitFactory(project=project, kind=PermitKind.APPROVAL, note="在册")
    rows = list_permits(project=project, kinds=[PermitKind.TENDER, PermitKind.APPROVAL, PermitKind.OUTFALL], by=people["office"])
    assert [(row.kind, row.authority) for row in rows] == [(PermitKind.OUTFALL, None), (PermitKind.TENDER, usual)]
    assert list_permits(project=project, kinds=[PermitKind.TENDER], by=people["office"]) == []
    assert project.permits.get(kind=PermitKind.APPROVAL).note == "在册"
    assert TrailEvent.objects.filter(action="permit.list").count() == 2


@pytest.mark.parametrize("role", ["county", "authority", "leader"])
def test_nobody_else_changes_the_list(project, people, role):
    with pytest.raises(Refused):
        list_permits(project=project, kinds=[PermitKind.TENDER], by=people[role])
    assert not project.permits.exists()


WRITES = re.compile(
    r"Permit(\.objects)?[^\n]*\.(create|bulk_create|update|bulk_update|delete|get_or_create|update_or_create)\(|permit\.save\("
)
MAY_WRITE = {"projects/permit_services.py", "projects/demo/loading.py"}


def test_only_the_services_write_permits():
    root = Path(settings.BASE_DIR)
    code = [path for app in ("linfen_water", "monitoring", "projects", "ledgers") for path in (root / app).rglob("*.py")]
    writers = {
        str(path.relative_to(root)) for path in code if "migrations" not in path.parts and WRITES.search(path.read_text(encoding="utf-8"))
    }
    assert writers == MAY_WRITE


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_at_the_same_moment_write_one_after_the_other(permit, people):
    start, outcomes = threading.Barrier(2), []

    def write(who, value):
        try:
            start.wait(10)
            save_permit(permit=permit, by=people[who], version=1, values={"note": value})
            outcomes.append("saved")
        except EditConflict:
            outcomes.append("asked")
        finally:
            connection.close()

    threads = [threading.Thread(target=write, args=args) for args in (("county", "甲"), ("authority", "乙"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(outcomes) == ["asked", "saved"]
    permit.refresh_from_db()
    assert permit.edit_version == 2
