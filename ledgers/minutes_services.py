"""Closing a meeting's minutes (定稿): from then on their paper says what it said that day, until they are taken up again with a reason."""

import dataclasses

from django.db import transaction

from ledgers.documents import minutes
from ledgers.meeting_models import ClosedMinutes, Meeting
from ledgers.meetings import MEETING
from linfen_water import clock
from linfen_water.models import User
from projects import records
from projects.rules import Fault
from projects.services import Faulty, Refused

CLOSED = "纪要已定稿，没有保存：要改请先退回修改。"


@transaction.atomic
def write(*, meeting: Meeting, by: User, version: int, **values) -> Meeting:
    """Who was there and what was said; refused once the minutes are closed, also by somebody who was quicker."""
    row = records.locked(MEETING, meeting)
    if row.minutes_closed_on:
        raise Refused(CLOSED)
    return records.edit(MEETING, row=row, by=by, version=version, **values)


@transaction.atomic
def close(*, meeting: Meeting, by: User, version: int) -> Meeting:
    """Freeze what the minutes say now."""
    row = records.locked(MEETING, meeting)
    if fault := why_open(row):
        raise Refused(fault)
    row = records.act(MEETING, row=row, by=by, version=version, action="close_minutes", minutes_closed_on=clock.today())
    keep(row)
    return row


@transaction.atomic
def reopen(*, meeting: Meeting, by: User, version: int, reason: str) -> Meeting:
    """Take closed minutes up again: what was frozen is given up."""
    if not reason.strip():
        raise Faulty([Fault("reason", "请写明退回修改的理由。")])
    row = records.act(MEETING, row=meeting, by=by, version=version, action="reopen_minutes", reason=reason, minutes_closed_on=None)
    ClosedMinutes.objects.filter(meeting=row).delete()
    return row


def keep(meeting: Meeting) -> None:
    """Freeze the minutes of a meeting that says when they were closed."""
    facts = dataclasses.replace(minutes.gather(meeting), closed_on=meeting.minutes_closed_on)
    ClosedMinutes.objects.update_or_create(meeting=meeting, defaults={"facts": facts.to_json()})


def why_open(meeting: Meeting) -> str:
    """Why the minutes cannot be closed yet; empty when they can."""
    if meeting.held_on > clock.today():
        return f"会议定于 {meeting.held_on} 召开，开过会才能定稿纪要。"
    return "" if meeting.attended.strip() else "还没有登记出席单位，请先填写出席再定稿。"
