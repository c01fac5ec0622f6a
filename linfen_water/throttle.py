"""Guessing a password is slow: a person has some tries from one address, and more from all addresses together.

A whole county sits behind one address, so an address alone is never shut out. Kept in the database, so that every web
process counts the same tries. Behind a proxy that passes no addresses on the limit per person and address is one per person.
"""

import datetime as dt
import math
import unicodedata

from django.db.models import Min
from django.utils import timezone
from django.utils.crypto import salted_hmac

from linfen_water.models import LoginFailure

WINDOW = dt.timedelta(minutes=15)
TRIES_FROM_ONE_ADDRESS = 5
TRIES_FROM_EVERYWHERE = 30
LOOPBACK = {"127.0.0.1", "::1"}


def address_of(request) -> str:
    """Where the request comes from; behind a proxy on this machine (`deploy/nginx.conf`) what that one saw, which it adds last.

    Only the proxy's own word is taken: what stands before it in the header was sent by the client.
    """
    near = request.META["REMOTE_ADDR"]
    seen = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    return seen if seen and near in LOOPBACK else near


class TooManyTries(Exception):
    """No more tries for now; `minutes` until the next."""

    def __init__(self, minutes: int):
        super().__init__(f"{minutes} minutes")
        self.minutes = minutes


def count_try(username: str, address: str) -> int:
    """Note a try before the password is looked at and return how many are left; raise TooManyTries when there are none.

    Noted first, so that a hundred tries at once are a hundred tries.
    """
    now = timezone.now()
    LoginFailure.objects.filter(at__lt=now - WINDOW).delete()
    attempt = LoginFailure.objects.create(name_digest=_digest(username), address=address[:45], at=now)
    everywhere = LoginFailure.objects.filter(name_digest=attempt.name_digest)
    here = everywhere.filter(address=attempt.address)
    for tries, limit in [(here, TRIES_FROM_ONE_ADDRESS), (everywhere, TRIES_FROM_EVERYWHERE)]:
        if tries.count() > limit:
            attempt.delete()  # a try that was refused does not make the wait longer
            oldest = tries.aggregate(at=Min("at"))["at"] or now
            raise TooManyTries(max(1, math.ceil((oldest + WINDOW - now).total_seconds() / 60)))
    return TRIES_FROM_ONE_ADDRESS - here.count()


def forget_tries(username: str, address: str) -> None:
    """The person has logged in from `address`: what failed there no longer counts."""
    LoginFailure.objects.filter(name_digest=_digest(username), address=address[:45]).delete()


def _digest(username: str) -> str:
    """Spellings of one name count together; only a digest is kept."""
    name = unicodedata.normalize("NFKC", username).strip().casefold()
    return salted_hmac("linfen_water.throttle", name, algorithm="sha256").hexdigest()
