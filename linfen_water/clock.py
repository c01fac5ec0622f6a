"""One clock. The business date may be a rehearsal's or the demo's; trail stamps always take the real time."""

import contextlib
import contextvars
import datetime as dt
from collections.abc import Iterator

from django.conf import settings
from django.utils import timezone

_held: contextvars.ContextVar[dt.date | None] = contextvars.ContextVar("business date", default=None)


def today() -> dt.date:
    """The business date: `OFFICE_TODAY`, else the date that `demo` stored, else the real one."""
    if settings.OFFICE_TODAY:
        return settings.OFFICE_TODAY
    if held := _held.get():
        return held
    from linfen_water.models import Region  # models need the clock's calendar; the clock needs one row of theirs

    return Region.current().demo_on or timezone.localdate()


@contextlib.contextmanager
def held() -> Iterator[dt.date]:
    """One business date for a piece of work that judges many rows: it asks for it once, and midnight does not part the rows."""
    token = _held.set(today())
    try:
        yield today()
    finally:
        _held.reset(token)


def now() -> dt.datetime:
    """The business date with the real time of day, aware."""
    return timezone.make_aware(dt.datetime.combine(today(), time_of_day()))


def time_of_day() -> dt.time:
    return timezone.localtime().time()


def start_of(day: dt.date) -> dt.datetime:
    """The first moment of `day`, aware. A moment compared with it may use an index; one cut to its date never does."""
    return timezone.make_aware(dt.datetime.combine(day, dt.time()))


def end_of(day: dt.date) -> dt.datetime:
    """The first moment after `day`, aware."""
    return start_of(day + dt.timedelta(days=1))
