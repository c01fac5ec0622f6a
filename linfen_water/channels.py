"""Reminders that leave the site: robots of chat groups (群机器人) and e-mail. Each message is a job: tried again, and logged.

Addresses and signing keys are secrets: shown masked, and kept out of the trail, of the log and of every fault.
A message that went out just before its worker was killed goes out once more: twice is better than never.
"""

import base64
import contextlib
import dataclasses
import hashlib
import hmac
import http.client
import json
import re
import socket
import ssl
import threading
import time
from urllib.parse import SplitResult, quote_plus, urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from linfen_water import jobs, trail
from linfen_water.enums import ChannelKind, DeliveryState, JobState
from linfen_water.models import Channel, Delivery, Job, Region, Unit, User

JOB_KIND = "deliver"
PATIENCE = 8  # seconds that the other side may take for its whole answer
MOST_READ = 64 * 1024  # bytes of an answer
LONGEST = {ChannelKind.WECOM: 4000, ChannelKind.DINGTALK: 18_000, ChannelKind.WEBHOOK: 60_000, ChannelKind.EMAIL: 200_000}  # bytes of text
WECOM_TEXT = 2000  # up to so many bytes it is sent as plain text, longer as markdown
CUT = "\n……（太长，其余请在系统中查看）"
# A robot's own codes that mean "later": busy, or too many messages a minute.
BUSY = {-1, 45009, 45033, 130101, 410100}
HTTP_LATER = {408, 425, 429}
TROUBLES = {  # what the network says, in words; never its own text, which may quote the address
    TimeoutError: "对方超时没有回应",
    ssl.SSLError: "对方的 HTTPS 证书有问题",
    ConnectionRefusedError: "对方拒绝连接",
}


class Refused(Exception):
    """The state of things does not allow it; the text is the Chinese sentence for the person."""


class SendFault(Exception):
    """It did not arrive this time; the text says why, without any secret."""


class FinalFault(SendFault):
    """It will not arrive however often it is tried."""


# ── Channels ────────────────────────────────────────────────────────────────────────────────────────────────────────


def address_fault(kind: str, address: str) -> str:
    """Why `address` is none for this kind; empty when it is."""
    if kind == ChannelKind.EMAIL:
        try:
            validate_email(address)
        except ValidationError:
            return "邮箱地址不正确，例如 tiaodu@example.gov.cn。"
        return ""
    try:
        parts = _split(address)
    except ValueError:
        return "地址不正确：请整条复制机器人给出的 Webhook 地址。"
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return "地址须以 http:// 或 https:// 开头。"
    if parts.username is not None or parts.password is not None:
        return "地址里不能带用户名和密码。"
    return ""


@transaction.atomic
def save_channel(*, channel: Channel, values: dict, by: User) -> Channel:
    """Make a channel or change one; an empty address or secret keeps what is there (`secret` None takes it away)."""
    old = Channel.objects.select_for_update().get(pk=channel.pk) if channel.pk else Channel()
    new = {"name": values["name"].strip(), "kind": values["kind"], "unit": values["unit"]}
    new["address"] = values["address"].strip() or old.address
    new["secret"] = "" if values["secret"] is None else values["secret"].strip() or old.secret
    if fault := address_fault(new["kind"], new["address"]):
        raise Refused(fault)
    changes = {name: [_told(name, getattr(old, name)), _told(name, value)] for name, value in new.items() if getattr(old, name) != value}
    if not changes:
        return old
    for name, value in new.items():
        setattr(old, name, value)
    old.save()
    trail.record(action="channel.save", subject=old, by=by, changes=changes)
    return old


@transaction.atomic
def set_active(*, channel: Channel, is_active: bool, by: User) -> None:
    """Let a channel rest, or use it again."""
    if Channel.objects.filter(pk=channel.pk, is_active=not is_active).update(is_active=is_active):
        trail.record(action="channel.active", subject=channel, by=by, changes={"is_active": [not is_active, is_active]})


def masked(channel: Channel) -> str:
    """Enough of the address to know it again, and nothing to use it with."""
    if channel.kind == ChannelKind.EMAIL:
        name, _, host = channel.address.partition("@")
        return f"{name[:2]}…@{host}"
    parts = _split(channel.address)
    return f"{parts.scheme}://{parts.hostname}/…{channel.address[-4:]}"


def _told(name: str, value) -> object:
    """A value for the trail: of a secret only that there is one."""
    if name in {"address", "secret"}:
        return "（已设，不留痕）" if value else ""
    return value.code if isinstance(value, Unit) else value


# ── Deliveries ──────────────────────────────────────────────────────────────────────────────────────────────────────


@transaction.atomic
def deliver(*, channel: Channel, key: str, text: str, by: User | None) -> Delivery:
    """Send `text` through `channel` in a job of its own; the same key once only."""
    delivery, _ = Delivery.objects.get_or_create(channel=channel, key=key, defaults={"text": text, "by": by})
    jobs.enqueue(key=_job_key(delivery), kind=JOB_KIND, args={"delivery": delivery.pk}, by=by)
    return delivery


@transaction.atomic
def deliver_again(*, delivery: Delivery, by: User) -> None:
    """Try anew what was given up."""
    row = Delivery.objects.select_for_update().select_related("channel").get(pk=delivery.pk)
    if row.state == DeliveryState.SENT:
        raise Refused("这一条已经送达，不需要重发。")
    if not row.channel.is_active:
        raise Refused(f"渠道“{row.channel.name}”已停用，请先启用再重发。")
    Delivery.objects.filter(pk=row.pk).update(state=DeliveryState.WAITING)
    jobs.enqueue(key=_job_key(row), kind=JOB_KIND, args={"delivery": row.pk}, by=by, again=True)


def given_up(deliveries) -> set[int]:
    """Which of `deliveries` nobody tries any more though they still wait: their worker was ended too often."""
    keys = {_job_key(row): row.pk for row in deliveries if row.state == DeliveryState.WAITING}
    over = Job.objects.filter(key__in=keys, state=JobState.FAILED).values_list("key", flat=True)
    return {keys[key] for key in over}


def run(job: Job, lease: jobs.Lease) -> None:
    """One attempt; a fault that may pass is raised again, so that the job waits and comes back."""
    delivery = Delivery.objects.select_related("channel").get(pk=job.args["delivery"])
    if delivery.state == DeliveryState.SENT:
        return
    try:
        if not delivery.channel.is_active:
            raise FinalFault("渠道已停用，没有发送")
        answer = send(delivery.channel, delivery.text, key=delivery.key)
    except FinalFault as fault:
        _note(delivery, lease, state=DeliveryState.FAILED, answer=str(fault))
        raise jobs.Refused(f"{delivery.channel.name}：{fault}") from None
    except SendFault as fault:
        is_last = job.attempts >= jobs.MAX_ATTEMPTS
        _note(delivery, lease, state=DeliveryState.FAILED if is_last else DeliveryState.WAITING, answer=str(fault))
        if is_last:
            raise jobs.Refused(f"{delivery.channel.name}：{fault}") from None
        raise
    _note(delivery, lease, state=DeliveryState.SENT, answer=answer, sent_at=timezone.now())


def _note(delivery: Delivery, lease: jobs.Lease, **changes) -> None:
    with transaction.atomic():
        lease.check()
        rows = Delivery.objects.filter(~Q(state=DeliveryState.SENT), pk=delivery.pk)
        rows.update(**changes | {"answer": changes["answer"][:300], "attempts": F("attempts") + 1})


def _job_key(delivery: Delivery) -> str:
    return f"{JOB_KIND}:{delivery.pk}"


# ── One message ─────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclasses.dataclass(frozen=True)
class Message:
    """What is posted to a robot."""

    url: str
    body: dict


def send(channel: Channel, text: str, *, key: str = "") -> str:
    """Send it now and return what the other side answered; SendFault when it did not arrive."""
    if channel.kind == ChannelKind.EMAIL:
        return _send_mail(channel, shortened(text, LONGEST[channel.kind]))
    message = message_for(channel, text, key=key, at_ms=time.time_ns() // 1_000_000)
    status, answer = _post(message.url, json.dumps(message.body, ensure_ascii=False).encode())
    return _judge(status, answer)


def message_for(channel: Channel, text: str, *, key: str, at_ms: int) -> Message:
    """The address and body that the robot of this kind expects."""
    text = shortened(text, LONGEST[channel.kind])
    if channel.kind == ChannelKind.WECOM:
        form = "text" if len(text.encode()) <= WECOM_TEXT else "markdown"
        return Message(channel.address, {"msgtype": form, form: {"content": text}})
    if channel.kind == ChannelKind.DINGTALK:
        return Message(_signed(channel, at_ms), {"msgtype": "text", "text": {"content": text}})
    return Message(channel.address, {"text": text, "key": key, "from": Region.current().programme, "timestamp": at_ms})


def shortened(text: str, most: int) -> str:
    """`text` in at most so many bytes, cut at the end of a line and saying so."""
    if len(text.encode()) <= most:
        return text
    kept = text.encode()[: most - len(CUT.encode())].decode(errors="ignore")
    return (kept.rpartition("\n")[0] or kept) + CUT


def _signed(channel: Channel, at_ms: int) -> str:
    """DingTalk: HMAC-SHA256 over time stamp and secret, in the address."""
    if not channel.secret:
        return channel.address
    digest = hmac.new(channel.secret.encode(), f"{at_ms}\n{channel.secret}".encode(), hashlib.sha256).digest()
    joint = "&" if urlsplit(channel.address).query else "?"
    return f"{channel.address}{joint}timestamp={at_ms}&sign={quote_plus(base64.b64encode(digest))}"


def _post(url: str, body: bytes) -> tuple[int, bytes]:
    """Status and answer of one POST: no proxy, no redirect, no more time or bytes than allowed."""
    parts = _split(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    link = kind(parts.hostname, parts.port, timeout=PATIENCE)
    end = time.monotonic() + PATIENCE
    guard = threading.Timer(PATIENCE, _hang_up, [link])  # also on one that keeps sending a byte now and then
    guard.daemon = True
    guard.start()
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        link.request("POST", target, body, {"Content-Type": "application/json; charset=utf-8"})
        reply = link.getresponse()
        answer = reply.read(MOST_READ)
        if time.monotonic() > end:
            raise TimeoutError
    except (OSError, http.client.HTTPException) as fault:
        is_late = time.monotonic() > end
        words = next((words for kind, words in TROUBLES.items() if isinstance(fault, kind)), "连不上对方服务器")
        raise SendFault(TROUBLES[TimeoutError] if is_late else words) from None
    finally:
        guard.cancel()
        link.close()
    return reply.status, answer


def _hang_up(link: http.client.HTTPConnection) -> None:
    with contextlib.suppress(OSError, AttributeError):  # closed meanwhile, or not connected yet: then the connecting has its own limit
        link.sock.shutdown(socket.SHUT_RDWR)


def _judge(status: int, answer: bytes) -> str:
    """What the answer means: robots say 200 also to what they refuse, and tell in `errcode`."""
    if status in HTTP_LATER or status >= 500:
        raise SendFault(f"对方服务器出错（HTTP {status}）")
    if 300 <= status < 400:
        raise FinalFault(f"地址被转向（HTTP {status}），请填最终的地址")
    if not 200 <= status < 300:
        raise FinalFault(f"对方不接收（HTTP {status}），请核对地址")
    try:
        said = json.loads(answer)
    except ValueError:
        return f"HTTP {status}"
    code = said.get("errcode", 0) if isinstance(said, dict) else 0
    if code in (0, "0", None):
        return f"HTTP {status}"
    words = f"机器人答复 {str(code)[:12]}：{_plain(said.get('errmsg', ''))}"
    raise SendFault(words) if code in BUSY else FinalFault(words)


def _plain(words) -> str:
    """What a robot says, without addresses or keys that it may quote."""
    return re.sub(r"https?://\S+|[A-Za-z0-9_-]{20,}", "…", str(words))[:200]


def _send_mail(channel: Channel, text: str) -> str:
    if not is_mail_set():
        raise FinalFault("没有设置发信服务器（EMAIL_URL），邮件发不出去")
    subject = f"【{Region.current().programme or '工程调度'}】{text.partition(chr(10))[0][:60]}"
    try:
        EmailMessage(subject, text, to=[channel.address]).send()
    except Exception as fault:  # a mail server's client fails in many ways
        raise SendFault(f"邮件没有发出（{type(fault).__name__}）") from None
    return "邮件服务器已接收"


def is_mail_set() -> bool:
    """Whether a mail server is configured at all."""
    return not settings.EMAIL_BACKEND.endswith("dummy.EmailBackend")


def _split(address: str) -> SplitResult:
    """The parts of an address; ValueError for what is none."""
    if re.search(r"[\x00-\x20\x7f]|[^\x00-\x7f]", address):
        raise ValueError("an address has no blanks and no letters beyond ASCII")
    parts = urlsplit(address)
    _ = parts.port  # raises when it is no number
    return parts
