import datetime as dt
import re
import time

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from linfen_water import sessions, throttle
from linfen_water.models import LoginFailure
from tests.factories import PASSWORD, RegionFactory, UserFactory

pytestmark = pytest.mark.django_db
LOGIN = "/accounts/login/"


@pytest.fixture(autouse=True)
def region():
    return RegionFactory()


def log_in(client, name="houma", password=PASSWORD, address="10.1.1.1", headers=None, **more):
    return client.post(LOGIN, {"username": name, "password": password, **more}, REMOTE_ADDR=address, headers=headers)


class TestLogin:
    @pytest.fixture(autouse=True)
    def person(self):
        return UserFactory(username="houma")

    def test_leads_to_where_the_person_wanted_to_go(self, client):
        assert client.get("/ledgers/master/?county=141024").url == f"{LOGIN}?next=/ledgers/master/%3Fcounty%3D141024"
        page = client.get(f"{LOGIN}?next=/ledgers/master/%3Fcounty%3D141024").content.decode()
        assert '<input type="hidden" name="next" value="/ledgers/master/?county=141024">' in page
        assert log_in(client, next="/ledgers/master/?county=141024").url == "/ledgers/master/?county=141024"

    def test_leads_to_today_without_a_wish(self, client):
        assert log_in(client).url == "/"

    def test_never_leads_to_another_site(self, client):
        assert log_in(client, next="https://evil.example/").url == "/"

    def test_wrong_password_keeps_name_and_wish_and_says_how_many_tries_are_left(self, client):
        page = log_in(client, password="wrong", next="/projects/").content.decode()
        assert 'value="houma"' in page
        assert '<input type="hidden" name="next" value="/projects/">' in page
        assert "用户名或密码不正确，请核对后重试（区分大小写）。还可以再试 4 次。" in page

    def test_wrong_name_and_wrong_password_read_the_same(self, client):
        def words(name):
            return re.search(r'role="alert">([^<]+)<', log_in(client, name=name, password="wrong").content.decode())[1]

        assert words("houma") == words("nobody-of-that-name")

    def test_empty_form_costs_no_try(self, client):
        page = log_in(client, password="").content.decode()
        assert "请填写用户名和密码" in page
        assert not LoginFailure.objects.exists()

    def test_log_out_ends_the_session(self, client):
        log_in(client)
        assert client.post(reverse("logout")).url == LOGIN
        assert client.get("/").status_code == 302

    def test_log_out_by_a_mere_link_is_refused(self, client):
        log_in(client)
        assert client.get(reverse("logout")).status_code == 405

    def test_account_that_was_closed_cannot_log_in(self, client, person):
        person.is_active = False
        person.save()
        assert "用户名或密码不正确" in log_in(client).content.decode()


class TestThrottle:
    @pytest.fixture(autouse=True)
    def person(self):
        return UserFactory(username="houma")

    def fail(self, client, times, address="10.1.1.1", name="houma"):
        for _ in range(times):
            page = log_in(client, name=name, password="wrong", address=address)
        return page

    def test_fifth_try_is_heard_and_sixth_is_refused_even_with_the_right_password(self, client):
        assert self.fail(client, 4).status_code == 200
        assert log_in(client).status_code == 302
        client.logout()
        page = self.fail(client, 5)
        assert page.status_code == 200
        assert "请 15 分钟后再试" in page.content.decode()
        page = log_in(client)
        assert page.status_code == 429
        assert "登录失败次数过多，请 15 分钟后再试" in page.content.decode()
        assert 'value="houma"' in page.content.decode()

    def test_another_person_behind_the_same_address_is_not_shut_out(self, client):
        UserFactory(username="quwo")
        self.fail(client, 6)
        assert log_in(client, name="quwo").status_code == 302

    def test_same_person_from_another_address_is_not_shut_out(self, client):
        self.fail(client, 6)
        assert log_in(client, address="10.2.2.2").status_code == 302

    def test_behind_our_own_proxy_the_address_is_the_one_it_saw(self, client):
        for said, seen in [("10.1.1.1", "10.1.1.1"), ("6.6.6.6, 10.1.1.1", "10.1.1.1"), ("", "127.0.0.1")]:
            log_in(client, password="wrong", address="127.0.0.1", headers={"X-Forwarded-For": said})
            assert LoginFailure.objects.latest("pk").address == seen

    def test_nobody_from_outside_names_an_address_of_their_choice(self, client):
        log_in(client, password="wrong", address="10.3.3.3", headers={"X-Forwarded-For": "6.6.6.6"})
        assert LoginFailure.objects.get().address == "10.3.3.3"

    def test_many_addresses_together_are_shut_out(self, client):
        for i in range(throttle.TRIES_FROM_EVERYWHERE // throttle.TRIES_FROM_ONE_ADDRESS):
            assert self.fail(client, throttle.TRIES_FROM_ONE_ADDRESS, address=f"10.9.9.{i}").status_code == 200
        assert log_in(client, address="10.8.8.8").status_code == 429

    def test_spellings_of_a_name_count_together(self, client):
        for name in ("houma", "HOUMA", " houma", "ｈｏｕｍａ", "Houma"):
            self.fail(client, 1, name=name)
        assert log_in(client).status_code == 429

    def test_refused_tries_do_not_make_the_wait_longer(self, client):
        self.fail(client, 9)
        assert LoginFailure.objects.count() == throttle.TRIES_FROM_ONE_ADDRESS

    @pytest.mark.parametrize(("seconds", "status"), [(-1, 429), (1, 302)])
    def test_tries_are_forgotten_after_the_window(self, client, seconds, status):
        self.fail(client, 5)
        LoginFailure.objects.update(at=timezone.now() - throttle.WINDOW - dt.timedelta(seconds=seconds))
        assert log_in(client).status_code == status

    def test_success_forgets_what_failed_before(self, client):
        self.fail(client, 4)
        log_in(client)
        assert not LoginFailure.objects.exists()

    def test_names_are_not_kept(self, client):
        self.fail(client, 1, name="my-password-in-the-wrong-field")
        assert "password" not in str(LoginFailure.objects.values().get())


class TestSession:
    @pytest.fixture
    def person(self, client):
        person = UserFactory()
        client.force_login(person)
        return person

    def rest(self, client, seconds):
        session = client.session
        session[sessions.ENDS_AT] = int(time.time()) + seconds
        session.save()

    def test_page_tells_how_long_the_login_lasts(self, client, person):
        left = int(re.search(r'data-session-left="(\d+)"', client.get("/ledgers/").content.decode())[1])
        assert settings.SESSION_COOKIE_AGE - 5 <= left <= settings.SESSION_COOKIE_AGE

    def test_opening_a_page_in_the_second_half_prolongs_it(self, client, person):
        self.rest(client, settings.SESSION_COOKIE_AGE // 2 - 10)
        assert client.get("/ledgers/").cookies["sessionid"]["max-age"] == settings.SESSION_COOKIE_AGE

    def test_opening_a_page_in_the_first_half_writes_nothing(self, client, person):
        self.rest(client, settings.SESSION_COOKIE_AGE // 2 + 10)
        assert "sessionid" not in client.get("/ledgers/").cookies

    def test_pages_that_refresh_themselves_do_not_prolong_it(self, client, person, rf):
        request = rf.get("/api/wall.json")
        request.session, request.user = client.session, person
        request.session[sessions.ENDS_AT] = int(time.time()) + 60
        assert sessions.seconds_left(request) == 60

    def test_asking_to_stay_prolongs_it(self, client, person):
        self.rest(client, 300)
        assert client.get(reverse("stay")).json() == {"left": settings.SESSION_COOKIE_AGE}

    def test_asking_to_stay_after_the_end_leads_to_the_door(self, client):
        assert client.get(reverse("stay")).status_code == 302


class TestFaults:
    def test_missing_page_is_told_in_chinese_inside_the_site(self, client):
        client.force_login(UserFactory())
        page = client.get("/nowhere/")
        assert page.status_code == 404
        assert "<h1>没有找到</h1>" in page.content.decode()
        assert 'aria-label="主导航"' in page.content.decode()

    def test_stale_form_is_told_in_chinese(self):
        client = Client(enforce_csrf_checks=True)
        page = client.post(LOGIN, {"username": "x", "password": "y"})
        assert page.status_code == 403
        assert "<h1>页面已过期</h1>" in page.content.decode()
        assert "填写的内容已保存在这台电脑上" in page.content.decode()

    def test_broken_page_is_told_in_chinese_without_details(self, client, monkeypatch):
        def broken(*args):
            raise RuntimeError("a secret detail")

        monkeypatch.setattr("ledgers.today.gather", broken)
        client.raise_request_exception = False
        client.force_login(UserFactory())
        page = client.get("/")
        assert page.status_code == 500
        assert "<h1>系统出错</h1>" in page.content.decode()
        assert "secret" not in page.content.decode()

    @pytest.mark.parametrize("day", ["2025-02-30", "2025-2-1", "20250201", "x", "1999-12-31", "2025-02-21", "2025-02-20T00", "٢٠٢٥-٠٢-٠١"])
    def test_impossible_day_is_answered_with_400_in_chinese(self, client, day):
        client.force_login(UserFactory())
        page = client.get("/ledgers/", {"as_of": day})
        assert page.status_code == 400
        assert "日期" in page.content.decode()
        assert "回到首页" in page.content.decode()

    @pytest.mark.parametrize("day", ["2000-01-01", "2025-02-20", ""])
    def test_possible_days_are_shown(self, client, day):
        client.force_login(UserFactory())
        assert client.get("/ledgers/", {"as_of": day}).status_code == 200


class TestEveryPage:
    @pytest.fixture
    def page(self, client):
        client.force_login(UserFactory())
        return client.get("/")

    def test_runs_scripts_of_its_own_only(self, page):
        policy = dict(part.strip().split(" ", 1) for part in page["Content-Security-Policy"].split(";"))
        assert policy["script-src"] == "'self'"
        assert (policy["object-src"], policy["base-uri"], policy["frame-ancestors"]) == ("'none'", "'none'", "'none'")

    def test_holds_no_inline_script_and_nothing_from_elsewhere(self, page):
        html = page.content.decode()
        assert re.findall(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)", html) == []
        assert "<style" not in html
        assert re.findall(r'(?:src|href)="(?:https?:)?//', html) == []

    def test_says_that_it_is_a_demo_and_of_which_day(self, page):
        html = page.content.decode()
        assert 'class="demo-mark"' in html
        assert "数据截至 2025-02-20" in html

    def test_is_not_shown_in_frames_and_not_guessed_at(self, page):
        assert page["X-Frame-Options"] == "DENY"
        assert page["X-Content-Type-Options"] == "nosniff"

    def test_past_day_is_announced(self, client):
        client.force_login(UserFactory())
        assert "不是今天的" in client.get("/ledgers/?as_of=2024-12-31").content.decode()

    def test_leaves_the_demo_mark_off_real_work(self, client, region):
        region.demo_on = None
        region.save()
        client.force_login(UserFactory())
        assert "演示数据" not in client.get("/ledgers/").content.decode()

    def test_address_of_a_button_shows_a_page_not_a_blank(self, client):
        """A login in between leads back to the address that the button wrote to."""
        client.force_login(UserFactory())
        response = client.get(reverse("logout"))
        assert (response.status_code, response["Allow"]) == (405, "POST, OPTIONS")
        assert "请回到原来的页面重新提交" in response.content.decode()

    @pytest.mark.parametrize("address", ["/", "/ledgers/", "/ledgers/master/", "/accounts/password/", "/accounts/stay/", "/jobs/1/retry/"])
    def test_every_door_is_shut_without_a_login(self, client, address):
        assert client.get(address).url.startswith(LOGIN)


class TestPassword:
    def test_own_password_is_not_marked_as_the_offices_list_of_accounts(self, client):
        client.force_login(UserFactory())
        assert 'aria-current="page"' not in client.get(reverse("password_change")).content.decode()
        assert 'aria-current="page"' in client.get(reverse("accounts")).content.decode()

    def test_weak_ones_are_refused_in_chinese_at_the_field(self, client):
        client.force_login(UserFactory(username="houma"))
        answer = {"old_password": PASSWORD, "new_password1": "12345", "new_password2": "12345"}
        page = client.post(reverse("password_change"), answer).content.decode()
        assert "密码太短，至少要 10 个字符" in page
        assert "密码只包含数字" in page

    def test_changing_it_keeps_this_login(self, client):
        client.force_login(UserFactory(username="houma"))
        answer = {"old_password": PASSWORD, "new_password1": "qingshui-ru-he", "new_password2": "qingshui-ru-he"}
        assert client.post(reverse("password_change"), answer).url == "/"
        assert client.get("/ledgers/").status_code == 200


@pytest.mark.parametrize("address", ["/projects/%00/", "/dispatch/?county=%00", "/ledgers/master/?q=a%00", "/?as_of=2024-12-31&x=%00"])
def test_a_null_character_in_the_address_is_refused_before_any_query(client, address):
    client.force_login(UserFactory())
    response = client.get(address)
    assert response.status_code == 400
    assert "地址里有不能使用的字符" in response.content.decode()
