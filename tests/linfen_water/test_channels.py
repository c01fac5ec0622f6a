"""Messages leave through a real local server: robots that answer well, badly, late or never."""

import base64
import hashlib
import hmac
import json
import logging
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core import mail
from django.utils import timezone

from linfen_water import channels, jobs
from linfen_water.enums import ChannelKind, DeliveryState, JobState
from linfen_water.models import Channel, Delivery, Job, TrailEvent
from tests.factories import RegionFactory, UnitFactory, UserFactory

pytestmark = pytest.mark.django_db
SECRET = "SEC0123456789abcdef0123456789abcdef"
KEY = "a-very-secret-key-of-the-robot-000001"


class Robot:
    """What the server says next, and what it was told. `answers`: (status, body, seconds to wait, headers)."""

    def __init__(self):
        self.answers, self.heard = [], []
        robot = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                robot.heard.append((self.path, json.loads(body)))
                status, said, wait, headers = robot.answers.pop(0) if len(robot.answers) > 1 else robot.answers[0]
                try:
                    self.wait(wait, headers)
                    self.send_response(status)
                    for name, value in headers.items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", str(len(said)))
                    self.end_headers()
                    self.wfile.write(said)
                except OSError:
                    pass  # the other side has given up waiting

            def wait(self, seconds, headers):
                """Silently, or with a byte of a header now and then."""
                pause = float(headers.get("drip", seconds))
                if "drip" in headers:
                    self.wfile.write(b"HTTP/1.1 200 ")
                for _ in range(int(seconds / pause) if seconds else 0):
                    time.sleep(pause)
                    if "drip" in headers:
                        self.wfile.write(b"O")

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=[0.01], daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/robot/send?access_token={KEY}"

    def says(self, *answers):
        self.answers = [(status, json.dumps(body).encode() if not isinstance(body, bytes) else body, 0, {}) for status, body in answers]


@pytest.fixture
def robot():
    found = Robot()
    found.says((200, {"errcode": 0, "errmsg": "ok"}))
    yield found
    found.server.shutdown()
    found.server.server_close()


@pytest.fixture(autouse=True)
def region():
    return RegionFactory()


@pytest.fixture
def office():
    return UserFactory()


def channel(robot, kind=ChannelKind.WECOM, **more):
    return Channel.objects.create(kind=kind, name="县区调度群", address=robot.url, **more)


def attempt(delivery) -> Job:
    """One attempt of its job, as a worker makes it, whenever it would be due."""
    job = Job.objects.get(key=f"deliver:{delivery.pk}")
    Job.objects.filter(pk=job.pk).update(not_before=timezone.now())
    jobs.run(job.pk)
    delivery.refresh_from_db()
    job.refresh_from_db()
    return job


def state_of(delivery):
    return delivery.state, delivery.attempts, delivery.answer


# ── bodies ──


def test_a_wecom_robot_gets_text(robot, office):
    delivery = channels.deliver(channel=channel(robot), key="k", text="请尽快填报", by=office)
    attempt(delivery)
    assert robot.heard == [(f"/robot/send?access_token={KEY}", {"msgtype": "text", "text": {"content": "请尽快填报"}})]
    assert state_of(delivery) == (DeliveryState.SENT, 1, "HTTP 200")
    assert delivery.sent_at is not None


@pytest.mark.parametrize(("length", "form"), [(666, "text"), (667, "markdown"), (1333, "markdown")])
def test_a_long_wecom_message_goes_as_markdown(robot, length, form):
    body = channels.message_for(channel(robot), "水" * length, key="k", at_ms=0).body
    assert body == {"msgtype": form, form: {"content": "水" * length}}


def test_a_dingtalk_robot_gets_a_signature_of_this_moment(robot, office):
    row = channel(robot, ChannelKind.DINGTALK, secret=SECRET)
    attempt(channels.deliver(channel=row, key="k", text="请尽快填报", by=office))
    [(path, body)] = robot.heard
    asked = parse_qs(urlsplit(path).query)
    stamp = asked["timestamp"][0]
    wanted = base64.b64encode(hmac.new(SECRET.encode(), f"{stamp}\n{SECRET}".encode(), hashlib.sha256).digest()).decode()
    assert asked["sign"] == [wanted]
    assert asked["access_token"] == [KEY]
    assert abs(int(stamp) - time.time() * 1000) < 60_000
    assert body == {"msgtype": "text", "text": {"content": "请尽快填报"}}


def test_the_signature_is_the_one_of_the_published_algorithm():
    row = Channel(kind=ChannelKind.DINGTALK, address="https://robot.example/send?access_token=x", secret="this is secret")
    url = channels.message_for(row, "x", key="", at_ms=1577262236757).url
    digest = hmac.digest(b"this is secret", b"1577262236757\nthis is secret", "sha256")
    sign = base64.b64encode(digest).decode().replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")
    assert url == f"https://robot.example/send?access_token=x&timestamp=1577262236757&sign={sign}"


def test_a_webhook_of_ones_own_gets_plain_json(robot, office):
    row = channel(robot, ChannelKind.WEBHOOK)
    robot.says((204, b""))
    delivery = channels.deliver(channel=row, key="chase:1", text="请尽快填报", by=office)
    attempt(delivery)
    [(_, body)] = robot.heard
    assert {k: v for k, v in body.items() if k != "timestamp"} == {"text": "请尽快填报", "key": "chase:1", "from": "清水工程"}
    assert delivery.state == DeliveryState.SENT


def test_what_is_too_long_is_cut_at_a_line_and_says_so():
    text = "\n".join("一二三四五" for _ in range(100))
    short = channels.shortened(text, 400)
    assert len(short.encode()) <= 400
    assert short.endswith("一二三四五\n……（太长，其余请在系统中查看）")
    assert channels.shortened("短", 400) == "短"


# ── faults ──


def test_errors_of_the_server_are_tried_again_until_it_is_well(robot, office):
    robot.says((500, b"x"), (503, b"x"), (200, {"errcode": 0}))
    delivery = channels.deliver(channel=channel(robot), key="k", text="请填报", by=office)
    first = attempt(delivery)
    assert state_of(delivery) == (DeliveryState.WAITING, 1, "对方服务器出错（HTTP 500）")
    assert first.state == JobState.QUEUED
    assert first.not_before > timezone.now()  # backs off
    attempt(delivery)
    assert state_of(delivery) == (DeliveryState.WAITING, 2, "对方服务器出错（HTTP 503）")
    assert attempt(delivery).state == JobState.DONE
    assert state_of(delivery) == (DeliveryState.SENT, 3, "HTTP 200")
    assert len(robot.heard) == 3


def test_what_stays_dead_is_given_up_and_can_be_sent_again(robot, office):
    robot.says((500, b"x"))
    delivery = channels.deliver(channel=channel(robot), key="k", text="请填报", by=office)
    for _ in range(jobs.MAX_ATTEMPTS):
        job = attempt(delivery)
    assert (job.state, job.error) == (JobState.FAILED, "县区调度群：对方服务器出错（HTTP 500）")
    assert state_of(delivery) == (DeliveryState.FAILED, jobs.MAX_ATTEMPTS, "对方服务器出错（HTTP 500）")
    robot.says((200, {"errcode": 0}))
    channels.deliver_again(delivery=delivery, by=office)
    attempt(delivery)
    assert delivery.state == DeliveryState.SENT
    with pytest.raises(channels.Refused, match="已经送达"):
        channels.deliver_again(delivery=delivery, by=office)


def test_a_robot_that_refuses_in_a_good_answer_has_not_been_reached(robot, office):
    robot.says((200, {"errcode": 93000, "errmsg": f"invalid webhook url, {KEY}, see https://robot.example/x"}))
    delivery = channels.deliver(channel=channel(robot), key="k", text="请填报", by=office)
    assert attempt(delivery).state == JobState.FAILED
    assert state_of(delivery) == (DeliveryState.FAILED, 1, "机器人答复 93000：invalid webhook url, …, see …")


def test_a_robot_that_is_busy_is_asked_later(robot, office):
    robot.says((200, {"errcode": 45009, "errmsg": "api freq out of limit"}), (200, {"errcode": 0}))
    delivery = channels.deliver(channel=channel(robot), key="k", text="请填报", by=office)
    assert attempt(delivery).state == JobState.QUEUED
    attempt(delivery)
    assert delivery.state == DeliveryState.SENT


@pytest.mark.parametrize("is_dripping", [False, True])
def test_a_server_that_says_nothing_or_next_to_nothing_is_not_waited_for(robot, office, monkeypatch, is_dripping):
    wait = 3
    monkeypatch.setattr(channels, "PATIENCE", 0.3)
    robot.answers = [(200, b"{}" * 15, wait, {"drip": "0.1"} if is_dripping else {})]
    delivery = channels.deliver(channel=channel(robot), key="k", text="请填报", by=office)
    begun = time.monotonic()
    attempt(delivery)
    assert time.monotonic() - begun < wait
    assert state_of(delivery) == (DeliveryState.WAITING, 1, "对方超时没有回应")


def test_a_server_that_is_not_there_is_tried_again(robot, office):
    robot.server.shutdown()
    robot.server.server_close()
    delivery = channels.deliver(channel=channel(robot), key="k", text="请填报", by=office)
    attempt(delivery)
    assert state_of(delivery) == (DeliveryState.WAITING, 1, "对方拒绝连接")


def test_a_redirect_is_not_followed(robot, office):
    robot.answers = [(302, b"", 0, {"Location": "http://127.0.0.1:1/elsewhere"})]
    delivery = channels.deliver(channel=channel(robot), key="k", text="请填报", by=office)
    attempt(delivery)
    assert state_of(delivery) == (DeliveryState.FAILED, 1, "地址被转向（HTTP 302），请填最终的地址")
    assert len(robot.heard) == 1


def test_no_more_of_an_answer_is_read_than_allowed(robot, office, monkeypatch):
    monkeypatch.setattr(channels, "MOST_READ", 1000)
    robot.says((200, b"x" * 100_000))
    delivery = channels.deliver(channel=channel(robot), key="k", text="请填报", by=office)
    attempt(delivery)
    assert delivery.state == DeliveryState.SENT


def test_a_proxy_of_the_machine_is_not_used(robot, office, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    delivery = channels.deliver(channel=channel(robot), key="k", text="请填报", by=office)
    attempt(delivery)
    assert delivery.state == DeliveryState.SENT


def test_a_channel_that_rests_sends_nothing(robot, office):
    row = channel(robot)
    delivery = channels.deliver(channel=row, key="k", text="请填报", by=office)
    channels.set_active(channel=row, is_active=False, by=office)
    attempt(delivery)
    assert (robot.heard, state_of(delivery)) == ([], (DeliveryState.FAILED, 1, "渠道已停用，没有发送"))


# ── once ──


def test_the_same_message_is_sent_once_however_often_it_is_asked_for(robot, office):
    row = channel(robot)
    first = channels.deliver(channel=row, key="k", text="请填报", by=office)
    attempt(first)
    again = channels.deliver(channel=row, key="k", text="请填报", by=office)
    attempt(again)
    assert (again.pk, len(robot.heard), Delivery.objects.count()) == (first.pk, 1, 1)


def test_a_job_done_anew_sends_nothing_that_arrived(robot, office):
    delivery = channels.deliver(channel=channel(robot), key="k", text="请填报", by=office)
    job = attempt(delivery)
    jobs.requeue(job)
    attempt(delivery)
    assert len(robot.heard) == 1


def test_a_message_whose_worker_was_ended_too_often_is_known_as_given_up(robot, office):
    delivery = channels.deliver(channel=channel(robot), key="k", text="请填报", by=office)
    assert channels.given_up([delivery]) == set()
    Job.objects.update(state=JobState.FAILED)
    assert channels.given_up([delivery]) == {delivery.pk}


# ── e-mail ──


@pytest.fixture
def mailbox(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    mail.outbox = []
    return mail.outbox


def mailing():
    return Channel.objects.create(kind=ChannelKind.EMAIL, name="邮箱", address="tiaodu@example.gov.cn")


def test_a_mail_has_the_first_line_as_its_subject(mailbox, office):
    delivery = channels.deliver(channel=mailing(), key="k", text="请尽快填报\n第二行", by=office)
    attempt(delivery)
    [sent] = mailbox
    assert (sent.subject, sent.body, sent.to) == ("【清水工程】请尽快填报", "请尽快填报\n第二行", ["tiaodu@example.gov.cn"])
    assert state_of(delivery) == (DeliveryState.SENT, 1, "邮件服务器已接收")


def test_without_a_mail_server_it_says_so_at_once(settings, office):
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    delivery = channels.deliver(channel=mailing(), key="k", text="x", by=office)
    attempt(delivery)
    assert state_of(delivery) == (DeliveryState.FAILED, 1, "没有设置发信服务器（EMAIL_URL），邮件发不出去")


def test_a_mail_server_that_fails_is_tried_again_and_quotes_nothing(settings, office):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    delivery = channels.deliver(channel=mailing(), key="k", text="x", by=office)
    assert attempt(delivery).state == JobState.QUEUED
    assert delivery.answer == "邮件没有发出（ConnectionRefusedError）"


# ── addresses and secrets ──


@pytest.mark.parametrize(
    ("kind", "address", "fault"),
    [
        pytest.param("wecom", "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=x", "", id="https"),
        pytest.param("webhook", "http://10.1.2.3:8080/hook", "", id="内网地址"),
        pytest.param("webhook", "http://[fd00::1]/hook", "", id="IPv6"),
        pytest.param("webhook", "ftp://10.1.2.3/hook", "地址须以 http:// 或 https:// 开头。", id="ftp"),
        pytest.param("webhook", "file:///etc/passwd", "地址须以 http:// 或 https:// 开头。", id="file"),
        pytest.param("webhook", "http://", "地址须以 http:// 或 https:// 开头。", id="没有主机"),
        pytest.param("webhook", "http://u:p@10.1.2.3/", "地址里不能带用户名和密码。", id="带密码"),
        pytest.param("webhook", "http://10.1.2.3/a b", "地址不正确：请整条复制机器人给出的 Webhook 地址。", id="空格"),
        pytest.param("webhook", "http://10.1.2.3/\r\nX: y", "地址不正确：请整条复制机器人给出的 Webhook 地址。", id="换行"),
        pytest.param("webhook", "http://10.1.2.3:99999/", "地址不正确：请整条复制机器人给出的 Webhook 地址。", id="端口"),
        pytest.param("email", "tiaodu@example.gov.cn", "", id="邮箱"),
        pytest.param("email", "tiaodu", "邮箱地址不正确，例如 tiaodu@example.gov.cn。", id="不是邮箱"),
    ],
)
def test_addresses(kind, address, fault):
    assert channels.address_fault(kind, address) == fault


def values(robot, **more):
    return {"name": "群", "kind": "dingtalk", "unit": None, "address": robot.url, "secret": SECRET} | more


def test_secrets_stand_nowhere_but_in_their_row(client, robot, office, caplog):
    caplog.set_level(logging.DEBUG)
    robot.says((200, {"errcode": 310000, "errmsg": f"sign not match {KEY}"}))
    row = channels.save_channel(channel=Channel(), values=values(robot), by=office)
    attempt(channels.deliver(channel=row, key="k", text="请填报", by=office))
    robot.server.shutdown()
    robot.server.server_close()
    attempt(channels.deliver(channel=row, key="k2", text="请填报", by=office))
    client.force_login(office)
    pages = client.get("/notices/channels/").content.decode() + client.get(f"/notices/channels/{row.pk}/").content.decode()
    told = [repr(event.changes) + event.reason for event in TrailEvent.objects.all()]
    errors = [job.error + repr(job.args) + job.key for job in Job.objects.all()] + [d.answer for d in Delivery.objects.all()]
    everything = pages + "".join(told) + "".join(errors) + caplog.text
    assert KEY not in everything
    assert SECRET not in everything
    assert "http://127.0.0.1/…0001" in pages


def test_an_empty_address_keeps_the_one_that_is_there(robot, office):
    row = channels.save_channel(channel=Channel(), values=values(robot), by=office)
    channels.save_channel(channel=row, values=values(robot, name="新名", address="", secret=""), by=office)
    row.refresh_from_db()
    assert (row.name, row.address, row.secret) == ("新名", robot.url, SECRET)
    channels.save_channel(channel=row, values=values(robot, name="新名", address="", secret=None), by=office)
    row.refresh_from_db()
    assert row.secret == ""
    assert [event.changes for event in TrailEvent.objects.order_by("pk")] == [
        {
            "name": ["", "群"],
            "kind": ["", "dingtalk"],
            "address": ["", "（已设，不留痕）"],
            "secret": ["", "（已设，不留痕）"],
        },
        {"name": ["群", "新名"]},
        {"secret": ["（已设，不留痕）", ""]},
    ]


# ── the page ──


def test_the_office_sets_a_channel_up_tests_it_and_sends_again(client, robot, office):
    client.force_login(office)
    unit = UnitFactory(name="侯马市专班办")
    data = {"name": "侯马群", "kind": "wecom", "unit": unit.pk, "address": robot.url, "secret": ""}
    assert client.post("/notices/channels/", data).url == "/notices/channels/"
    row = Channel.objects.get()
    assert (row.unit, row.address, row.is_active) == (unit, robot.url, True)
    robot.says((404, b""))
    client.post(f"/notices/channels/{row.pk}/act/", {"action": "test"})
    delivery = Delivery.objects.get()
    attempt(delivery)
    page = client.get("/notices/channels/").content.decode()
    assert "对方不接收（HTTP 404），请核对地址" in page
    assert f"/notices/deliveries/{delivery.pk}/again/" in page
    robot.says((200, {"errcode": 0}))
    client.post(f"/notices/deliveries/{delivery.pk}/again/")
    attempt(delivery)
    assert delivery.state == DeliveryState.SENT
    assert f"/notices/deliveries/{delivery.pk}/again/" not in client.get("/notices/channels/").content.decode()


def test_a_bad_address_is_refused_with_what_was_typed_kept(client, office):
    client.force_login(office)
    answer = client.post("/notices/channels/", {"name": "侯马群", "kind": "wecom", "address": "ftp://x", "secret": ""})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "地址须以 http:// 或 https:// 开头。" in page
    assert 'value="侯马群"' in page
    assert Channel.objects.count() == 0


def test_a_channel_rests_and_is_used_again(client, robot, office):
    row = channel(robot)
    client.force_login(office)
    client.post(f"/notices/channels/{row.pk}/act/", {"action": "stop"})
    client.post(f"/notices/channels/{row.pk}/act/", {"action": "test"})
    assert (Delivery.objects.count(), Channel.objects.get().is_active) == (0, False)
    client.post(f"/notices/channels/{row.pk}/act/", {"action": "use"})
    assert Channel.objects.get().is_active


@pytest.mark.parametrize("trait", [{"leader": True}, {"in_county": True}, {"in_department": True}])
def test_channels_are_the_offices_alone(client, robot, trait):
    row = channel(robot)
    delivery = Delivery.objects.create(channel=row, key="k", text="x", state=DeliveryState.FAILED)
    client.force_login(UserFactory(**trait))
    answers = [
        client.get("/notices/channels/"),
        client.post("/notices/channels/", {"name": "x"}),
        client.get(f"/notices/channels/{row.pk}/"),
        client.post(f"/notices/channels/{row.pk}/", {"name": "x"}),
        client.post(f"/notices/channels/{row.pk}/act/", {"action": "stop"}),
        client.post(f"/notices/deliveries/{delivery.pk}/again/"),
    ]
    assert [answer.status_code for answer in answers] == [404] * 6
    row.refresh_from_db()
    assert (row.name, row.is_active) == ("县区调度群", True)


@pytest.mark.parametrize("count", [1, 30])
def test_the_page_asks_the_same_queries_for_one_and_thirty(client, robot, office, count, django_assert_num_queries):
    client.force_login(office)
    for n in range(count):
        row = channel(robot, unit=UnitFactory())
        Delivery.objects.create(channel=row, key=str(n), text="x", by=UserFactory(in_county=True))
    with django_assert_num_queries(9):
        client.get("/notices/channels/")
