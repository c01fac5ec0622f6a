"""Screens on a wall (大屏) read the wall for months without anybody's login (docs/adr/0013).

The office makes a screen and gets a code, shown once and good for half an hour; typed on the screen it becomes a long random
key in a cookie that no script reads. The database keeps digests only. The key opens the few addresses that are marked
`open_to_kiosks`, for reading, as a leader reads; it is revoked by the office, and every step is in the trail.
"""

import datetime as dt
import secrets

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from linfen_water import trail
from linfen_water.accounts import ALPHABET, Refused
from linfen_water.enums import Role
from linfen_water.models import Kiosk, User

COOKIE = "wall_screen"
COOKIE_AGE = dt.timedelta(days=400)  # the longest that browsers keep one; each nightly reload begins it anew
CODE_TTL = dt.timedelta(minutes=30)
SEEN_EVERY = dt.timedelta(minutes=10)
THROTTLE_NAME = "大屏登记"  # wrong codes are counted like wrong passwords
SAFE = {"GET", "HEAD"}


def open_to_kiosks(view):
    """Mark a view: a screen may read it. Everything else is closed to screens."""
    view.is_open_to_kiosks = True
    return view


def _digest(secret: str) -> str:
    return salted_hmac("linfen_water.kiosks", secret, algorithm="sha256").hexdigest()


@transaction.atomic
def make(*, name: str, by: User) -> tuple[Kiosk, str]:
    """A new screen and the code to be typed on it, which nobody can read again."""
    code = "-".join("".join(secrets.choice(ALPHABET) for _ in range(4)) for _ in range(3))
    kiosk = Kiosk.objects.create(name=name, made_by=by, code_digest=_digest(code), code_until=timezone.now() + CODE_TTL)
    trail.record(action="kiosk.make", subject=kiosk, by=by, changes={"name": [None, name]})
    return kiosk, code


@transaction.atomic
def pair(*, code: str) -> tuple[Kiosk, str]:
    """The screen that `code` belongs to and its key. A code works once."""
    wanted = "".join(code.lower().split()).replace("－", "-")
    kiosk = Kiosk.objects.select_for_update().filter(code_digest=_digest(wanted), code_until__gt=timezone.now(), revoked_at=None).first()
    if kiosk is None:
        raise Refused("登记码不对或已过期（半小时内有效，只能用一次），请核对，或由专班办重新生成。")
    key = secrets.token_urlsafe(32)
    kiosk.key_digest, kiosk.code_digest, kiosk.code_until, kiosk.paired_at = _digest(key), None, None, timezone.now()
    kiosk.save(update_fields=["key_digest", "code_digest", "code_until", "paired_at"])
    trail.record(action="kiosk.pair", subject=kiosk, by=None, changes={"paired": [False, True]})
    return kiosk, key


@transaction.atomic
def revoke(*, kiosk: Kiosk, by: User) -> None:
    """The screen's key opens nothing any more; the row stays."""
    if Kiosk.objects.filter(pk=kiosk.pk, revoked_at=None).update(
        revoked_at=timezone.now(), revoked_by=by, code_digest=None, key_digest=None
    ):
        trail.record(action="kiosk.revoke", subject=kiosk, by=by, changes={"revoked": [False, True]})


def kiosk_of(key: str) -> Kiosk | None:
    """The screen that holds `key`. One query; that it was here is noted every ten minutes."""
    kiosk = Kiosk.objects.filter(key_digest=_digest(key), revoked_at=None).first() if key else None
    now = timezone.now()
    if kiosk and (kiosk.seen_at is None or now - kiosk.seen_at > SEEN_EVERY):
        Kiosk.objects.filter(pk=kiosk.pk).update(seen_at=now)
    return kiosk


def reader(kiosk: Kiosk) -> User:
    """Who reads there: a leader without a row, an account, a password or a session."""
    return User(username=f"screen-{kiosk.pk}", role=Role.LEADER, post=kiosk.name)


def remember(response, key: str) -> None:
    """Put the key into the browser: out of the reach of scripts and of other sites' forms."""
    response.set_cookie(COOKIE, key, max_age=COOKIE_AGE, httponly=True, samesite="Strict", secure=settings.HTTPS)


class KioskMiddleware:
    """Before the login is asked for: a screen's key makes a reader of whoever has no login, on the marked addresses alone."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        request.kiosk = None
        response = self.get_response(request)
        if request.kiosk and response.get("Content-Type", "").startswith("text/html"):
            remember(response, request.COOKIES[COOKIE])
        return response

    def process_view(self, request, view, args, kwargs):
        if request.method in SAFE and getattr(view, "is_open_to_kiosks", False) and not request.user.is_authenticated:
            request.kiosk = kiosk_of(request.COOKIES.get(COOKIE, ""))
        if request.kiosk:
            request.user = reader(request.kiosk)
            request.as_of = request.today  # a screen shows today
