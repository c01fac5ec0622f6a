"""Accounts: made by the office with a password shown once, changed at the first login, closed but never deleted."""

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from linfen_water import accounts, trail
from linfen_water.enums import Role, UnitKind
from linfen_water.models import TrailEvent, User
from tests.factories import PASSWORD, CountyFactory, RegionFactory, UnitFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def office(client):
    RegionFactory()
    user = UserFactory()
    client.force_login(user)
    return user


@pytest.fixture
def county_unit():
    return UnitFactory(kind=UnitKind.COUNTY, county=CountyFactory())


def make(client, **changes):
    data = {"username": "c1", "role": "county", "unit": "", "post": "填报员"} | changes
    return client.post(reverse("accounts"), data)


def test_a_new_account_logs_in_with_the_password_shown_and_must_change_it(client, office, county_unit):
    answer = make(client, unit=county_unit.pk)
    user, password = answer.context["made"]
    assert password in answer.content.decode()
    assert answer["Cache-Control"] == "no-store"
    assert password not in client.get(reverse("accounts")).content.decode()
    client.logout()
    login = client.post(reverse("login"), {"username": user.username, "password": password})
    assert login.url == reverse("password_change")
    changed = client.post(
        reverse("password_change"), {"old_password": password, "new_password1": "yellow-river-9", "new_password2": "yellow-river-9"}
    )
    assert changed.status_code == 302
    assert not User.objects.get(pk=user.pk).must_change_password


@pytest.mark.parametrize("path", ["/", "/projects/", "/api/wall.json", "/accounts/stay/", "/documents/"])
def test_with_a_password_made_for_them_people_find_only_the_page_to_change_it(client, path):
    client.force_login(UserFactory(must_change_password=True))
    assert client.get(path).url == reverse("password_change")
    assert client.get(reverse("password_change")).status_code == 200
    assert client.post(reverse("logout")).url == reverse("login")


def test_the_new_password_is_another_one(client):
    user = UserFactory(must_change_password=True)
    client.force_login(user)
    same = client.post(reverse("password_change"), {"old_password": PASSWORD, "new_password1": PASSWORD, "new_password2": PASSWORD})
    assert "新密码不能与旧密码相同。" in same.content.decode()
    assert User.objects.get(pk=user.pk).must_change_password


@pytest.mark.parametrize(
    ("role", "kind", "fault"),
    [
        pytest.param("county", UnitKind.COUNTY, "", id="县区用户属于县"),
        pytest.param("county", UnitKind.DEPARTMENT, "市直部门，不能作为县区填报员用户的单位", id="县区用户不能属于部门"),
        pytest.param("department", UnitKind.DEPARTMENT, "", id="部门用户属于部门"),
        pytest.param("department", None, "必须选择所属单位", id="部门用户须有单位"),
        pytest.param("leader", None, "", id="领导可以没有单位"),
        pytest.param("office", None, "", id="专班办可以没有单位"),
    ],
)
def test_a_unit_must_fit_the_role(role, kind, fault):
    unit = UnitFactory(kind=kind, county=CountyFactory() if kind == UnitKind.COUNTY else None) if kind else None
    assert fault in accounts.unit_fault(role, unit)
    assert bool(fault) == bool(accounts.unit_fault(role, unit))


def test_a_wrong_form_names_the_field_and_keeps_what_was_typed(client, office):
    answer = make(client, username="新 名")
    assert answer.status_code == 422
    assert set(answer.context["form"].errors) == {"username", "unit"}
    assert "新 名" in answer.content.decode()
    assert not User.objects.filter(post="填报员").exists()


def test_names_differ_by_more_than_their_case(client, office, county_unit):
    make(client, unit=county_unit.pk)
    answer = make(client, username="C1", unit=county_unit.pk)
    assert answer.status_code == 422
    assert "已有人使用" in answer.content.decode()


def test_a_reset_logs_the_person_out_and_asks_for_a_new_password(client, office):
    other = UserFactory(in_county=True)
    answer = client.post(reverse("reset_password", args=[other.pk]))
    password = answer.context["made"][1]
    other.refresh_from_db()
    assert other.check_password(password)
    assert not other.check_password(PASSWORD)
    assert other.must_change_password


def test_a_closed_account_cannot_log_in_and_can_be_opened_again(client, office):
    other = UserFactory(in_county=True)
    client.post(reverse("set_active", args=[other.pk]), {"is_active": "0"})
    assert not client.login(username=other.username, password=PASSWORD)
    client.force_login(office)
    client.post(reverse("set_active", args=[other.pk]), {"is_active": "1"})
    assert client.login(username=other.username, password=PASSWORD)


def test_nobody_closes_the_account_they_use(client, office):
    client.post(reverse("set_active", args=[office.pk]), {"is_active": "0"})
    assert User.objects.get(pk=office.pk).is_active


@pytest.mark.parametrize("role", [Role.COUNTY, Role.DEPARTMENT, Role.LEADER])
def test_others_find_no_accounts(client, role):
    RegionFactory()
    user = UserFactory(in_county=role == Role.COUNTY, in_department=role == Role.DEPARTMENT, leader=role == Role.LEADER)
    client.force_login(user)
    assert client.get(reverse("accounts")).status_code == 404
    assert client.post(reverse("reset_password", args=[user.pk])).status_code == 404
    assert client.post(reverse("set_active", args=[user.pk])).status_code == 404


def test_every_change_is_in_the_trail_without_the_password(client, office, county_unit):
    user, password = make(client, unit=county_unit.pk).context["made"]
    client.post(reverse("reset_password", args=[user.pk]))
    client.post(reverse("set_active", args=[user.pk]), {"is_active": "0"})
    events = TrailEvent.objects.filter(subject_type="user", subject_id=str(user.pk))
    assert [e.action for e in events] == ["account.create", "account.reset", "account.close"]
    assert all(password not in str(e.changes) for e in events)
    assert trail.verify(county_unit.county.code) is None


def test_the_list_takes_as_many_queries_for_30_accounts_as_for_1(client, office):
    with CaptureQueriesContext(connection) as few:
        client.get(reverse("accounts"))
    for _ in range(30):
        UserFactory(in_county=True)
    with CaptureQueriesContext(connection) as many:
        client.get(reverse("accounts"))
    assert len(many) == len(few)


def test_the_first_account_is_made_from_the_command_line(capsys, county_unit):
    call_command("create_account", "office1", post="科长")
    out = capsys.readouterr().out
    password = out.rsplit("：", 1)[1].strip()
    assert User.objects.get(username="office1").check_password(password)


def test_the_command_names_an_unknown_unit():
    with pytest.raises(CommandError, match="没有代码为“nowhere”的单位"):
        call_command("create_account", "x", role="county", unit="nowhere")


def test_the_pages_of_the_list_are_reached_from_a_reset_too(client, office, monkeypatch):
    """A reset shows the list at an address that only takes a button: its links lead to the list itself."""
    monkeypatch.setattr("linfen_water.views.ACCOUNTS_PER_PAGE", 1)
    other = UserFactory(in_county=True)
    page = client.post(reverse("reset_password", args=[other.pk])).content.decode()
    assert 'href="/accounts/?page=2"' in page
    assert client.get("/accounts/?page=2").status_code == 200
