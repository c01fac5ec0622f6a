"""Screens on a wall: made and revoked by the office, paired by a code that works once, open to the wall alone."""

import datetime as dt
import re

import pytest
from django.urls import get_resolver
from django.utils import timezone

from linfen_water import kiosks
from linfen_water.accounts import Refused
from linfen_water.models import Kiosk, LoginFailure, TrailEvent
from tests.factories import ProjectFactory, RegionFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def office():
    RegionFactory()
    return UserFactory()


@pytest.fixture
def made(office):
    return kiosks.make(name="三楼会议室", by=office)


def pair(client, code: str, address: str = "10.1.1.1"):
    return client.post("/screen/", {"code": code}, REMOTE_ADDR=address)


def test_a_paired_screen_reads_the_wall_without_a_login(client, made):
    answer = pair(client, made[1])
    assert answer.url == "/wall/?kiosk=40"
    cookie = client.cookies[kiosks.COOKIE]
    assert (cookie["httponly"], cookie["samesite"], cookie["max-age"]) == (True, "Strict", 400 * 24 * 3600)
    ProjectFactory(code="LF-001")
    page = client.get("/wall/?kiosk=40")
    assert page.status_code == 200
    assert 'data-kiosk="40"' in page.content.decode()
    assert kiosks.COOKIE in page.cookies  # kept for another year
    assert client.get("/api/wall.json").json()["projects"]["code"] == ["LF-001"]
    assert "sessionid" not in client.cookies


def test_a_screen_opens_nothing_but_the_wall(client, made):
    """Every address of the site without arguments, and what a card or a turn would be."""
    pair(client, made[1])
    ProjectFactory(code="LF-001")
    opened = set()
    for name in (key for key in get_resolver().reverse_dict if isinstance(key, str)):
        ((path, arguments), *_), *_ = get_resolver().reverse_dict.getlist(name)[0]
        if not arguments and client.get("/" + path).status_code == 200:
            opened.add(name)
    assert opened == {"wall", "wall_json", "wall_density", "wall_outlines", "login", "pair_kiosk", "healthz"}
    for path in ("/projects/LF-001/", "/wall/projects/LF-001/", "/wall/find/?q=1"):
        assert client.get(path).status_code == 302
    for path in ("/wall/projects/LF-001/turn/", "/wall/", "/api/wall.json"):
        assert client.post(path).status_code == 302


def test_a_screen_shows_today_whatever_its_address_says(client, made):
    pair(client, made[1])
    assert client.get("/api/wall.json?as_of=2024-01-01").json()["as_of"] == "2025-02-20"


def test_a_code_works_once(client, made):
    pair(client, made[1])
    answer = pair(client, made[1])
    assert answer.status_code == 422
    assert "登记码不对或已过期" in answer.content.decode()


@pytest.mark.parametrize(("minutes", "works"), [(29, True), (31, False)], ids=["半小时内", "过了半小时"])
def test_a_code_is_good_for_half_an_hour(made, minutes, works):
    Kiosk.objects.update(code_until=timezone.now() + kiosks.CODE_TTL - dt.timedelta(minutes=minutes))
    if works:
        assert kiosks.pair(code=made[1].upper())[0] == made[0]
    else:
        with pytest.raises(Refused):
            kiosks.pair(code=made[1])


def test_codes_cannot_be_guessed(client, made):
    for _ in range(5):
        assert pair(client, "aaaa-bbbb-cccc").status_code == 422
    assert pair(client, made[1]).status_code == 429
    assert pair(client, made[1], "10.2.2.2").status_code == 302
    assert LoginFailure.objects.exists()


def test_a_revoked_screen_is_shut_out_at_once(client, made, office):
    pair(client, made[1])
    kiosks.revoke(kiosk=made[0], by=office)
    assert client.get("/wall/").status_code == 302
    assert client.get("/api/wall.json").status_code == 302
    kiosks.revoke(kiosk=made[0], by=office)
    assert [e.action for e in TrailEvent.objects.filter(subject_type="kiosk")] == ["kiosk.make", "kiosk.pair", "kiosk.revoke"]


def test_only_digests_are_kept(client, made):
    pair(client, made[1])
    row = str(Kiosk.objects.values().get())
    assert made[1] not in row
    assert client.cookies[kiosks.COOKIE].value not in row


def test_a_login_on_the_same_machine_comes_first(client, made):
    pair(client, made[1])
    client.force_login(UserFactory(in_county=True))
    assert client.get("/projects/").status_code == 200
    assert client.get("/api/wall.json").wsgi_request.user.role == "county"


def test_that_it_was_seen_is_noted_every_ten_minutes(client, made):
    pair(client, made[1])
    client.get("/wall/")
    first = Kiosk.objects.get().seen_at
    client.get("/wall/")
    assert Kiosk.objects.get().seen_at == first
    Kiosk.objects.update(seen_at=first - dt.timedelta(minutes=11))
    client.get("/api/wall.json")
    assert Kiosk.objects.get().seen_at >= first


class TestAccountsPage:
    def test_the_office_makes_a_screen_and_sees_its_code_once(self, client, office):
        client.force_login(office)
        page = client.post("/accounts/screens/", {"name": "大厅"}).content.decode()
        code = re.search(r'class="once">([a-z2-9-]{14})<', page)[1]
        assert "/screen/" in page
        assert "待登记" in page
        assert code not in client.get("/accounts/").content.decode()
        client.logout()
        assert pair(client, code).status_code == 302

    def test_a_screen_needs_a_name(self, client, office):
        client.force_login(office)
        answer = client.post("/accounts/screens/", {"name": " "})
        assert answer.status_code == 422
        assert "请填写屏幕名称或位置" in answer.content.decode()

    def test_the_office_revokes_a_screen(self, client, office, made):
        client.force_login(office)
        assert client.post(f"/accounts/screens/{made[0].pk}/revoke/").status_code == 302
        assert "已撤销" in client.get("/accounts/").content.decode()

    @pytest.mark.parametrize("role", ["leader", "in_county", "in_department"])
    def test_nobody_else_makes_or_revokes_one(self, client, made, role):
        client.force_login(UserFactory(**{role: True}))
        assert client.post("/accounts/screens/", {"name": "大厅"}).status_code == 404
        assert client.post(f"/accounts/screens/{made[0].pk}/revoke/").status_code == 404
        assert Kiosk.objects.get().revoked_at is None
