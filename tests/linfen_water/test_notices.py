"""Notices are written once and read by everyone for themselves."""

import re

import pytest
from django.conf import settings
from django.urls import reverse

from linfen_water import notices
from linfen_water.enums import UnitKind
from linfen_water.models import Notice
from tests.factories import CountyFactory, RegionFactory, UnitFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def region():
    return RegionFactory()


@pytest.fixture
def clerk():
    return UserFactory(in_county=True, county=CountyFactory())


def tell(key="k", text="请尽快填报", **to):
    return notices.notify(key=key, kind="dispatch.chase", text=text, by=None, **to)


def test_the_same_notice_is_written_once(clerk):
    assert [tell(unit=clerk.unit), tell(unit=clerk.unit, text="换了说法")] == [True, False]
    assert Notice.objects.get().text == "请尽快填报"


def test_everyone_of_the_unit_reads_for_themselves(clerk):
    colleague = UserFactory(in_county=True, unit=clerk.unit)
    tell(unit=clerk.unit)
    assert notices.mark_read(user=clerk) == 1
    assert (notices.unread_count(clerk), notices.unread_count(colleague)) == (0, 1)
    assert notices.mark_read(user=clerk) == 0


def test_nobody_reads_what_goes_to_others(client, clerk):
    other = UserFactory(in_county=True, county=CountyFactory())
    tell(unit=clerk.unit, text="只给本县")
    tell("k2", text="只给本人", user=clerk)
    pk = Notice.objects.get(key="k").pk
    client.force_login(other)
    assert list(notices.notices_for(other)) == []
    assert client.get(f"/notices/{pk}/").status_code == 404
    client.post("/notices/", {"notice": pk})
    assert notices.unread_count(clerk) == 2
    page = client.get("/notices/").content.decode()
    assert "只给" not in page
    assert "还没有提醒" in page


def test_the_whole_office_reads_what_goes_to_the_office(clerk):
    tell(unit=UnitFactory(kind=UnitKind.OFFICE))
    assert (notices.unread_count(UserFactory()), notices.unread_count(clerk)) == (1, 0)


def test_the_bell_counts_what_is_new_in_one_query(client, clerk, django_assert_num_queries):
    client.force_login(clerk)
    assert '<a class="bell" href="/notices/">提醒</a>' in client.get("/accounts/password/").content.decode()
    tell(unit=clerk.unit)
    assert "<b>1</b>" in client.get("/accounts/password/").content.decode()
    with django_assert_num_queries(1):
        assert notices.unread_count(clerk) == 1


def test_the_list_shows_what_was_read_and_leads_on(client, clerk):
    tell(unit=clerk.unit, url=reverse("dispatch"))
    pk = Notice.objects.get().pk
    client.force_login(clerk)
    page = client.get("/notices/").content.decode()
    assert "未读</span>" in page
    assert f'href="/notices/{pk}/"' in page
    assert client.get(f"/notices/{pk}/").url == "/dispatch/"
    page = client.get("/notices/").content.decode()
    assert "已读</span>" in page
    assert "未读</span>" not in page
    assert "没有未读的提醒" in client.get("/notices/?show=new").content.decode()


def test_only_what_the_page_showed_is_marked(client, clerk):
    tell(unit=clerk.unit)
    tell("k2", unit=clerk.unit)
    client.force_login(clerk)
    client.post("/notices/", {"notice": [Notice.objects.get(key="k").pk, "x", "9" * 30]})
    assert [row.key for row in notices.notices_for(clerk).filter(is_read=False)] == ["k2"]
    client.post("/notices/", {"all": "1"})
    assert notices.unread_count(clerk) == 0


def test_a_notice_leads_to_no_other_site(client, clerk):
    tell(unit=clerk.unit, url="//elsewhere.example/")
    client.force_login(clerk)
    assert client.get(f"/notices/{Notice.objects.get().pk}/").url == "/notices/"


@pytest.mark.parametrize("count", [1, 30])
def test_the_list_asks_the_same_queries_for_one_and_thirty(client, clerk, count, django_assert_num_queries):
    office = UserFactory()
    for n in range(count):
        notices.notify(key=str(n), kind="x", text="x", by=office, unit=clerk.unit)
    client.force_login(clerk)
    with django_assert_num_queries(6):
        client.get("/notices/")


def test_only_their_services_and_the_demo_write_these_models():
    writing = re.compile(r"\b(Notice|Channel|Delivery)\.objects\b[^\n]*\.(update|create|bulk_create|bulk_update|delete|\w+_or_create)\(")
    found = {
        str(path.relative_to(settings.BASE_DIR))
        for app in ("linfen_water", "monitoring", "projects", "ledgers")
        for path in (settings.BASE_DIR / app).rglob("*.py")
        if not {"demo", "migrations"} & set(path.parts) and any(writing.search(line) for line in path.read_text().splitlines())
    }
    assert found == {"linfen_water/channels.py", "linfen_water/notices.py"}
