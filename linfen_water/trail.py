"""The trail (留痕): append-only events in one HMAC chain per county, written by services inside their transaction.

The data version that caches and ETags are keyed by is the summed length of all chains: heads are locked while a
service's transaction runs, so a version never appears before the facts it stands for.
"""

import contextlib
import contextvars
import hashlib
import hmac
from collections.abc import Iterator

import orjson
from django.conf import settings
from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from linfen_water.models import TrailEvent, TrailHead

OFFICE_CHAIN = "office"
LONGEST_ORIGIN = TrailEvent._meta.get_field("origin").max_length
_origin: contextvars.ContextVar[str] = contextvars.ContextVar("origin", default="")


@contextlib.contextmanager
def origin(text: str) -> Iterator[None]:
    """Where the events recorded inside come from: `page /dispatch/`, `import 3f9a…`, `feed`, `command demo`."""
    token = _origin.set(text[:LONGEST_ORIGIN])
    try:
        yield
    finally:
        _origin.reset(token)


def record(*, action: str, subject, by, county=None, changes: dict | None = None, reason: str = "") -> TrailEvent:
    """Append one event for `subject` (a saved model instance); must run inside the transaction of the change itself.

    `changes` is `{field: [old, new]}` with JSON-able values; `by` is a User, or None for the system.
    """
    chain = county.code if county else OFFICE_CHAIN
    with transaction.atomic():
        TrailHead.objects.get_or_create(chain=chain)
        head = TrailHead.objects.select_for_update().get(chain=chain)
        event = TrailEvent(
            chain=chain,
            position=head.length + 1,
            at=timezone.now(),
            by=by,
            action=action,
            subject_type=subject._meta.model_name,
            subject_id=str(subject.pk),
            changes=orjson.loads(orjson.dumps(changes or {}, default=str)),
            reason=reason[:300],
            origin=_origin.get(),
        )
        event.digest = digest(event, head.digest)
        event.save(force_insert=True)
        head.length, head.digest = event.position, event.digest
        head.save(update_fields=["length", "digest"])
    return event


def digest(event: TrailEvent, before: str) -> str:
    """HMAC-SHA256 of the event and the digest before it, under a key that lies outside the database."""
    facts = [
        before, event.chain, event.position, event.at.timestamp(), event.by_id, event.action,
        event.subject_type, event.subject_id, event.changes, event.reason,
    ]  # fmt: skip
    if event.origin:  # events from before there were origins keep the digest that they have
        facts.append(event.origin)
    return hmac.new(settings.TRAIL_KEY.encode(), orjson.dumps(facts, option=orjson.OPT_SORT_KEYS), hashlib.sha256).hexdigest()


def verify(chain: str) -> int | None:
    """Walk one chain; return the first position that does not fit, or None when all of it holds."""
    before, position = "", 0
    for event in TrailEvent.objects.filter(chain=chain).order_by("position").iterator():
        position += 1
        if event.position != position or event.digest != digest(event, before):
            return position
        before = event.digest
    head = TrailHead.objects.filter(chain=chain).first()
    return None if head is None or (head.length, head.digest) == (position, before) else position + 1


def state() -> str:
    """A text that differs after every committed change of facts, also after a restore to another history of the same length."""
    heads = TrailHead.objects.order_by("chain").values_list("chain", "length", "digest")
    return hashlib.sha256(repr(list(heads)).encode()).hexdigest()[:16]


def data_version() -> int:
    """A number that differs after every committed change of facts."""
    return TrailHead.objects.aggregate(n=Sum("length"))["n"] or 0
