"""The office's own lines on the morning sheet: kept, withdrawn, never deleted; every change in the trail."""

import datetime as dt

from django.db import transaction

from ledgers.day_models import DayLine
from ledgers.permissions import may_write_morning
from linfen_water import clock, trail
from linfen_water.models import Region, User
from projects.services import Refused

MOST = 8  # lines of one day: the sheet is one page


@transaction.atomic
def add_line(*, day: dt.date, text: str, by: User) -> DayLine:
    """Put a line on today's sheet, or on that of a day to come."""
    _lock(by)
    text = " ".join(text.split())
    if not text:
        raise Refused("请填写内容。")
    if day < clock.today():
        raise Refused(f"{day} 已过，那天的材料不再增加内容。")
    standing = DayLine.objects.filter(day=day, withdrawn_at=None)
    if standing.filter(text=text).exists():
        raise Refused("这一条已经有了。")
    if standing.count() >= MOST:
        raise Refused(f"自拟事项最多 {MOST} 条，材料只有一页：请先撤下不需要的。")
    row = DayLine.objects.create(day=day, text=text, by=by)
    trail.record(action="morning.add", subject=row, by=by, changes={"text": [None, text], "day": [None, day]})
    return row


@transaction.atomic
def withdraw_line(*, line: DayLine, by: User) -> None:
    """Take a line off; the row stays."""
    _lock(by)
    if line.day < clock.today():
        raise Refused(f"{line.day} 已过，那天的材料不再改动。")
    if not DayLine.objects.filter(pk=line.pk, withdrawn_at=None).update(withdrawn_at=clock.now(), withdrawn_by=by):
        raise Refused("这一条已经撤下，请刷新页面。")
    trail.record(action="morning.withdraw", subject=line, by=by, changes={"text": [line.text, None], "day": [line.day, None]})


def _lock(by: User) -> None:
    """One change of the sheet at a time."""
    if not may_write_morning(by):
        raise Refused("自拟事项由专班办填写。")
    list(Region.objects.select_for_update().values_list("pk"))
