"""Acceptance and effect: what another entered meanwhile is never overwritten unseen; from completion to the proven effect."""

import datetime as dt

import pytest

from projects import acceptance
from projects.site_models import AcceptanceFact, LoadReading
from tests.factories import TODAY, ProjectFactory, RegionFactory, UserFactory

pytestmark = pytest.mark.django_db
ON = TODAY - dt.timedelta(days=10)
DAY = dt.timedelta(days=1)


@pytest.fixture
def office(client):
    RegionFactory()
    person = UserFactory()
    client.force_login(person)
    return person


@pytest.fixture
def project(office):
    return ProjectFactory(finished=True)


def put(project, by, seen=None, **more):
    said = {"kind": "final", "on": ON, "doc_number": "临验〔2025〕1号", "amount_wan": None, "text": ""}
    return acceptance.put_fact(project=project, by=by, seen=seen, **said | more)


def send(client, project, **more):
    said = {"action": "fact", "kind": "final", "on": str(ON), "doc_number": "我的文号", "amount_wan": "", "text": "", "seen": ""}
    return client.post(f"/projects/{project.code}/acceptance/", said | more)


def test_a_step_entered_by_another_meanwhile_is_shown_and_the_second_save_corrects_it(client, project):
    put(project, UserFactory())
    page = send(client, project)
    assert page.status_code == 422
    text = page.content.decode()
    assert "临验〔2025〕1号" in text
    assert "我的文号" in text
    row = AcceptanceFact.objects.get()
    assert row.doc_number == "临验〔2025〕1号"
    assert send(client, project, seen=f"{row.pk}:{row.edit_version}").status_code == 302
    assert AcceptanceFact.objects.get().doc_number == "我的文号"


def test_a_correction_of_an_old_version_shows_both(client, project):
    row = put(project, UserFactory())
    put(project, UserFactory(), seen=(row.pk, 1), doc_number="他人改的")
    page = send(client, project, seen=f"{row.pk}:1")
    assert page.status_code == 422
    assert "他人改的" in page.content.decode()
    row.refresh_from_db()
    assert row.doc_number == "他人改的"
    assert f'value="{row.pk}:2"' in page.content.decode()
    assert send(client, project, seen=f"{row.pk}:2").status_code == 302


def test_a_corrected_day_moves_the_step_and_adds_none(client, project, office):
    row = put(project, office)
    assert send(client, project, seen=f"{row.pk}:1", on=str(ON + DAY)).status_code == 302
    assert [fact.on for fact in AcceptanceFact.objects.all()] == [ON + DAY]


def test_the_same_sent_twice_is_one(client, project):
    for _ in range(2):
        assert send(client, project).status_code == 302
    assert AcceptanceFact.objects.count() == 1


def test_what_was_changed_since_is_not_withdrawn(client, project, office):
    row = put(project, office)
    put(project, UserFactory(), seen=(row.pk, 1), doc_number="他人改的")
    page = client.post(f"/projects/{project.code}/acceptance/withdraw/", {"fact": row.pk, "version": 1, "reason": "登记错了"})
    assert page.status_code == 422
    assert AcceptanceFact.objects.standing().exists()


def test_loads_that_another_corrected_meanwhile_are_not_overwritten_unseen(client, project, office):
    acceptance.take_loads(project=project, by=office, rows=acceptance.read_loads(f"{ON} 70 达标")[0])
    seen = acceptance.loads_seen(project)
    acceptance.take_loads(project=project, by=UserFactory(), rows=acceptance.read_loads(f"{ON} 82 达标")[0])
    address, sent = f"/projects/{project.code}/acceptance/", {"action": "loads", "loads": f"{ON} 75 达标", "seen": seen}
    page = client.post(address, sent)
    assert page.status_code == 422
    assert f"{ON} 75 达标" in page.content.decode()
    assert str(LoadReading.objects.get().load_percent) == "82.0"
    assert client.post(address, {"action": "loads", "loads": f"{ON + DAY} 75 达标", "seen": seen}).status_code == 302
    assert client.post(address, sent | {"seen": acceptance.loads_seen(project)}).status_code == 302
    assert str(LoadReading.objects.get(on=ON).load_percent) == "75.0"


def test_thirty_days_above_the_load_prove_the_effect_and_one_below_begins_anew(client, project, office):
    first = TODAY - dt.timedelta(days=40)
    lines = "\n".join(f"{first + n * DAY} {60 if n == 5 else 80} 达标" for n in range(36))
    acceptance.take_loads(project=project, by=office, rows=acceptance.read_loads(lines)[0])
    day = first + 35 * DAY
    assert acceptance.proofs(day - DAY, [project.pk])[project.pk].effect_on is None
    proof = acceptance.proofs(day, [project.pk])[project.pk]
    assert proof.effect_on == first + 35 * DAY
