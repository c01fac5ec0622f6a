"""What happens to the water by the calendar: a month that is over is judged, and the automatic stations' values are fetched.

Fetching goes to `READINGS_URL` every `READINGS_HOURS` hours. A slot of real time is a job: it happens once, is tried again
when the platform does not answer, and gives way to the next slot.
"""

import datetime as dt
import hashlib
import http.client
import time
import urllib.error
import urllib.request
from collections.abc import Iterable
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from linfen_water import clock, jobs
from linfen_water.dates import add_months
from linfen_water.enums import JobState
from linfen_water.models import Job
from monitoring import periods, recording, services
from monitoring.enums import IntakeKind
from monitoring.intake import BadFile, feed
from monitoring.models import Assessment, Section

KIND = "fetch_readings"
ASSESS = "assess_month"
MONTHS_BACK = 4
SCHEMES = ("http", "https")
SILENCE = 30  # seconds without a byte
LONGEST = 300  # seconds for a whole answer
CHUNK = 1 << 16
WILL_MEND = {408, 425, 429}  # of the answers 4xx


class NoAnswer(Exception):
    """The platform gave nothing of use this time; another attempt may."""


@jobs.calendar
def readings_due(today: dt.date) -> Iterable[jobs.Due]:
    """The slot of now; those that went by unfetched are not made up for: the platform only knows its latest values.

    Nothing while the business date is not the real one: what is measured today has no place in a demo or a rehearsal.
    """
    now = timezone.localtime()
    if settings.READINGS_URL and today == now.date():
        slot = now.replace(hour=now.hour - now.hour % settings.READINGS_HOURS)
        yield jobs.Due(f"readings:{slot:%Y-%m-%dT%H}", KIND)


@jobs.handler(KIND)
def fetch_readings(job: Job, lease: jobs.Lease) -> None:
    """Fetch, read and write down; what the platform repeats is the same and changes nothing, so twice does no harm."""
    _give_way(job)
    data = fetch(settings.READINGS_URL, settings.READINGS_BODY)
    try:
        batch = feed.read_feed(data, now=feed.latest_now(), year=None, stations=feed.stations_of_region())
    except BadFile as fault:
        raise NoAnswer(str(fault)) from fault
    with transaction.atomic():
        lease.check()
        digest = hashlib.sha256(data).hexdigest()
        recording.take_in(batch, kind=IntakeKind.FEED, name=_plain(settings.READINGS_URL), digest=digest, by=None)


def _give_way(job: Job) -> None:
    """Slots before this one that failed are of no use any more: one failure at a time is told."""
    earlier = Job.objects.filter(kind=KIND, state=JobState.FAILED, pk__lt=job.pk)
    earlier.update(state=JobState.DONE)  # with its error, which tells it from one that succeeded


# ── Judging ──────────────────────────────────────────────────────────────────────────────────────────────────────────
@jobs.calendar
def months_to_judge(today: dt.date) -> Iterable[jobs.Due]:
    """Months whose values were mostly typed while they ran: what is typed later is judged as it comes (`recording.py`).

    Looks back as far as the bulletins do, for an office whose machine stood still.
    """
    for months in range(MONTHS_BACK, 0, -1):
        month = add_months(today, -months)
        if _unjudged(month).exists():
            yield jobs.Due(f"assess:{month:%Y-%m}", ASSESS, {"month": month.isoformat()})


@jobs.handler(ASSESS)
def assess_month(job: Job, lease: jobs.Lease) -> None:
    """Every period that the month ends or enters; what stands already is left as it is."""
    month = dt.date.fromisoformat(job.args["month"])
    with transaction.atomic():
        lease.check()
        sections = _unjudged(month).select_related("county")
        services.reassess_all(
            months={section: [month] for section in sections}, published_on=clock.today(), source=recording.source_of_results()
        )


def _unjudged(month: dt.date) -> QuerySet[Section]:
    """Sections with something to judge that have no result of the month. A section changed since its result waits for the office.

    With the last month of a quarter also those without a result of the quarter or year: nobody may have sampled them in it.
    """
    due = _without_result(periods.month(month))
    if month.month % 3 == 0:
        due |= _without_result(periods.quarter(month))
    if month.month == 12:
        due |= _without_result(periods.year(month))
    return Section.objects.filter(due)


def _without_result(period: periods.Period) -> Q:
    judged = Assessment.objects.filter(section=OuterRef("pk"), period_kind=period.kind, starts_on=period.starts_on)
    sampled = Section.objects.sampled_in(period.months[0], period.months[-1])
    return Q(~Exists(judged), pk__in=sampled.values("pk"))


# ── Fetching ─────────────────────────────────────────────────────────────────────────────────────────────────────────
class _Redirects(urllib.request.HTTPRedirectHandler):
    """Only to where we would go ourselves: never to a file."""

    def redirect_request(self, req, fp, code, msg, headers, newurl):
        _check(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def fetch(url: str, body: str = "") -> bytes:
    """The answer of `url` to a GET, or to a POST of the form `body`. Raises NoAnswer, or Refused where trying again is no use."""
    _check(url)
    request = urllib.request.Request(url, body.encode() or None, {"User-Agent": "linfen-water", "Accept": "application/json"})  # noqa: S310 - checked
    try:
        with _opener().open(request, timeout=SILENCE) as answer:
            return _read(answer)
    except urllib.error.HTTPError as fault:
        fault.close()
        sentence = f"自动站数据平台答复 {fault.code}（{_plain(url)}）。"
        if fault.code < 500 and fault.code not in WILL_MEND:  # 3xx: sent on to what is no web page
            raise jobs.Refused(sentence + "请核对 READINGS_URL 和 READINGS_BODY。") from fault
        raise NoAnswer(sentence) from fault
    except (OSError, http.client.HTTPException, ValueError) as fault:
        reason = getattr(fault, "reason", None) or fault
        raise NoAnswer(f"自动站数据平台连不上（{_plain(url)}）：{reason}") from fault


def _opener() -> urllib.request.OpenerDirector:
    """One that knows http and https and nothing else: `build_opener` would open files as well."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler,
        urllib.request.UnknownHandler,
        urllib.request.HTTPHandler,
        urllib.request.HTTPSHandler,
        urllib.request.HTTPDefaultErrorHandler,
        _Redirects,
        urllib.request.HTTPErrorProcessor,
    ):
        opener.add_handler(handler())
    return opener


def _read(answer) -> bytes:
    """The whole answer, unless it is too large or drips for too long."""
    ends = time.monotonic() + LONGEST
    data = bytearray()
    while chunk := answer.read1(CHUNK):
        data += chunk
        if len(data) > feed.LARGEST:
            raise jobs.Refused(f"自动站数据超过 {feed.LARGEST >> 20} MB，没有导入：请用 READINGS_BODY 限定区域。")
        if time.monotonic() > ends:
            raise NoAnswer(f"自动站数据平台过慢：{LONGEST} 秒没有传完。")
    return bytes(data)


def _check(url: str) -> None:
    if urlsplit(url).scheme not in SCHEMES:
        raise jobs.Refused("自动站数据的地址须以 http:// 或 https:// 开头：请核对 READINGS_URL 和平台的跳转。")


def _plain(url: str) -> str:
    """The address without what may be a secret: user, password and query."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}{parts.path}"
