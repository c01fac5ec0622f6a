"""Messages inside the site (站内提醒): written once, read by everyone for themselves.

Nothing else writes these rows. `key` is what makes it the same notice: whoever asks for it again gets no second one.
"""

from collections.abc import Iterable

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from linfen_water import clock
from linfen_water.enums import Role, UnitKind
from linfen_water.models import Notice, Unit, User


@transaction.atomic
def notify(*, key: str, kind: str, text: str, by: User | None, url: str = "", unit: Unit | None = None, user: User | None = None) -> bool:
    """Tell one unit or one person; False when they were told already."""
    _, is_new = Notice.objects.get_or_create(
        key=key, defaults={"kind": kind, "text": text, "url": url, "by": by, "unit": unit, "user": user, "at": clock.now()}
    )
    return is_new


def notices_for(user: User):
    """What `user` may read: their own, their unit's, and of the office everyone what goes to the office. `is_read` is annotated."""
    mine = Q(user=user)
    if user.unit_id:
        mine |= Q(unit=user.unit_id)
    if user.role == Role.OFFICE:
        mine |= Q(unit__kind=UnitKind.OFFICE)
    read = Notice.read_by.through.objects.filter(notice=OuterRef("pk"), user=user)
    return Notice.objects.filter(mine).annotate(is_read=Exists(read))


def unread_count(user: User) -> int:
    """How many of them are new: one query, and never yesterday's number of another process."""
    return notices_for(user).filter(is_read=False).count()


def mark_read(*, user: User, keys: Iterable[int] | None = None) -> int:
    """Note that `user` has read the notices of `keys`, or all of theirs; return how many were new to them."""
    unread = notices_for(user).filter(is_read=False)
    if keys is not None:
        unread = unread.filter(pk__in=list(keys))
    through = Notice.read_by.through
    rows = [through(notice_id=pk, user_id=user.pk) for pk in unread.values_list("pk", flat=True)]
    through.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)
