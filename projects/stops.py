"""Approved stops (停工备案): recorded with their ground and withdrawn with a reason; never changed, never deleted."""

import datetime as dt

from django.db import transaction

from linfen_water import clock, trail
from linfen_water.models import County, Region, User
from projects.enums import StopKind
from projects.models import Project
from projects.permissions import may_edit_projects
from projects.rules import Fault
from projects.services import Faulty, Refused
from projects.stop_models import ApprovedStop

LONGEST_DAYS = 366


@transaction.atomic
def record_stop(
    *, by: User, kind: str, from_on: dt.date, until_on: dt.date, ground: str, project: Project | None = None, county: County | None = None
) -> ApprovedStop:
    """Record that works may stand still: of a project, of a county, or of all. The same one twice is one."""
    if not may_edit_projects(by):
        raise Refused("只有专班办可以登记停工备案。")
    list(Region.objects.select_for_update().values_list("pk"))  # one at a time: the same form sent twice
    ground = " ".join(ground.replace("\0", "").split())
    if faults := list(_faults(kind, from_on, until_on, ground)):
        raise Faulty(faults)
    values = {"project": project, "county": None if project else county, "kind": kind, "from_on": from_on, "until_on": until_on}
    if same := ApprovedStop.objects.standing().filter(**values, ground=ground).first():
        return same
    stop = ApprovedStop.objects.create(**values, ground=ground, by=by)
    changes = {name: [None, str(value)] for name, value in values.items() if value} | {"ground": [None, ground]}
    trail.record(action="stop.record", subject=stop, by=by, county=_county(stop), changes=changes)
    return stop


def _faults(kind: str, from_on: dt.date, until_on: dt.date, ground: str):
    if kind not in StopKind.values:
        yield Fault("kind", "请选择停工的性质。")
    if until_on < from_on:
        yield Fault("until_on", f"止日 {until_on} 早于起日 {from_on}：请改其中一个。")
    elif (until_on - from_on).days > LONGEST_DAYS:
        yield Fault("until_on", "一次备案不能超过一年：请分次登记。")
    if not ground:
        yield Fault("ground", "请写明批准依据，例如文号或会议纪要。")
    elif len(ground) > 120:
        yield Fault("ground", f"批准依据有{len(ground)}字，超过120字。")


@transaction.atomic
def withdraw_stop(*, stop: ApprovedStop, by: User, reason: str) -> None:
    """Take a stop back: it never held, on no day."""
    if not may_edit_projects(by):
        raise Refused("只有专班办可以撤销停工备案。")
    reason = " ".join(reason.replace("\0", "").split())[:200]
    if not reason:
        raise Faulty([Fault("reason", "请写明撤销的理由。")])
    standing = ApprovedStop.objects.standing().filter(pk=stop.pk)
    if standing.update(withdrawn_at=clock.now(), withdrawn_by=by, withdrawn_reason=reason):
        trail.record(action="stop.withdraw", subject=stop, by=by, county=_county(stop), changes={"withdrawn": [False, True]}, reason=reason)


def _county(stop: ApprovedStop) -> County | None:
    if stop.project:
        return stop.project.versions.select_related("county").get(effective_to=None).county
    return stop.county
