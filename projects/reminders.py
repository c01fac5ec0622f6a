"""Chasing those who have not reported, and telling units and reviewers what became of a report.

Inside the site always; through robots and mail where the office has set channels up (`linfen_water/channels.py`).
"""

import dataclasses
import datetime as dt

from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from linfen_water import channels, clock, notices, policy, trail
from linfen_water.dates import monday
from linfen_water.enums import UnitKind
from linfen_water.models import Channel, Notice, Region, Unit, User
from projects import board, weeks
from projects.enums import DispatchState
from projects.models import Dispatch, Project, ProjectVersion

CHASE, RETURNED, ANSWERED = "dispatch.chase", "dispatch.returned", "dispatch.answered"
ONCE_IN = dt.timedelta(hours=1)  # who was reminded so lately is only reminded again when a person says so
BY_CALENDAR = "auto"
LONGEST_NOTE = 200


class NothingOwed(Exception):
    """Nobody is waited for."""


class AskAgain(Exception):
    """Some were reminded less than an hour ago; `units` are their names, `minutes` how long ago the last one was."""

    def __init__(self, units: list[str], minutes: int):
        self.units, self.minutes = units, minutes
        super().__init__("、".join(units))


@dataclasses.dataclass(frozen=True)
class Sent:
    """Who was told: units inside the site, messages through channels."""

    units: int
    messages: int


@transaction.atomic
def chase(*, week_of: dt.date, projects, by: User | None, note: str = "", again: bool = False) -> Sent:
    """Remind every unit that owes a report of one of `projects`; AskAgain unless `again` when one was reminded within the hour.

    The calendar (`by` None) leaves those out instead of asking. Asked for twice in one minute it is sent once.
    """
    region = Region.objects.select_for_update().order_by("pk").first()  # one at a time: two people press the button at once
    now = clock.now()
    week = board.read_board(projects, week_of, now=now)
    if not week.owing:
        raise NothingOwed
    lately = _reminded_lately(week_of, now)
    owing = {row.county.pk: row for row in week.owing}
    units = list(Unit.objects.filter(kind=UnitKind.COUNTY, county__in=owing).order_by("position", "code"))
    fresh = [unit for unit in units if unit.pk not in lately]
    if by is None:
        units = fresh
    elif len(fresh) < len(units) and not again:
        minutes = min(int((now - at).total_seconds() // 60) for at in lately.values())
        raise AskAgain([unit.name for unit in units if unit.pk in lately], minutes)
    turn = f"{by.pk}:{timezone.localtime(now):%m%d%H%M}" if by else BY_CALENDAR
    ending = f"\n{note.strip()[:LONGEST_NOTE]}" if note.strip() else ""
    told = {unit.pk: board.unit_text(week, owing[unit.county_id]) + ending for unit in units}
    url = f"{reverse('dispatch')}?week={week_of}"
    keys = {unit.pk: f"chase:{week_of}:{unit.code}:{turn}" for unit in units}
    count = sum(notices.notify(key=keys[unit.pk], kind=CHASE, text=told[unit.pk], url=url, unit=unit, by=by) for unit in units)
    ways = list(Channel.objects.filter(is_active=True)) if units and count else []
    whole = board.chase_text(week, region or Region.current()) + ending
    sent = [
        channels.deliver(channel=way, key=f"chase:{week_of}:{turn}", text=told.get(way.unit_id, whole), by=by)
        for way in ways
        if way.unit_id is None or way.unit_id in told
    ]
    if count and region:
        changes = {"week_of": [None, week_of], "units": [None, [unit.code for unit in units]], "messages": [None, len(sent)]}
        trail.record(action="dispatch.chase", subject=region, by=by, changes=changes, reason=note.strip())
    return Sent(count, len(sent))


def _reminded_lately(week_of: dt.date, now: dt.datetime) -> dict[int, dt.datetime]:
    """When each unit was last chased for this week, if that was within the hour."""
    rows = Notice.objects.filter(kind=CHASE, key__startswith=f"chase:{week_of}:", at__gt=now - ONCE_IN, at__lte=now)
    return dict(rows.order_by("at").values_list("unit_id", "at"))


# ── by the calendar ──


def week_to_chase(today: dt.date) -> dt.date | None:
    """The week whose units are to be reminded now: the policy's hours before its deadline have begun, and it has not passed."""
    week_of, now = monday(today), clock.now()
    hours = policy.values_on(today).remind_hours
    times = weeks.week_times(week_of)
    begins = times.deadline_at - dt.timedelta(hours=hours)
    return week_of if hours and times.is_due and begins <= now < times.deadline_at else None


def chase_by_calendar(week_of: dt.date) -> Sent:
    """The week's one automatic reminder; after its deadline, and with nobody to remind, nothing."""
    if clock.now() >= weeks.week_times(week_of).deadline_at:
        return Sent(0, 0)
    try:
        return chase(week_of=week_of, projects=Project.objects.all(), by=None)
    except NothingOwed:
        return Sent(0, 0)


# ── what became of a report ──


def tell_returned(dispatch: Dispatch, *, by: User) -> None:
    """Tell the unit that a report was sent back, in the transaction that sends it back."""
    version = _version(dispatch)
    text = f"{_named(dispatch, version)}已退回：{dispatch.remark} 请修改后重新提交。"
    url = f"{reverse('dispatch_project', args=[dispatch.project.code])}?week={dispatch.week_of}"
    for unit in Unit.objects.filter(kind=UnitKind.COUNTY, county=version.county_id):
        key = f"returned:{dispatch.pk}:{dispatch.version}:{unit.code}"
        notices.notify(key=key, kind=RETURNED, text=text, url=url, unit=unit, by=by)


def tell_answered(dispatch: Dispatch, *, by: User) -> None:
    """Tell who sent the report of the week back that it has been handed in anew."""
    returned = Dispatch.objects.filter(
        project=dispatch.project_id, week_of=dispatch.week_of, state=DispatchState.RETURNED, revision__lt=dispatch.revision
    )
    last = returned.order_by("revision").select_related("reviewed_by").last()
    if last is None or last.reviewed_by is None:
        return
    version = _version(dispatch)
    text = f"{_named(dispatch, version)}（{version.county.short}）已按退回意见重新提交，请审核。退回意见：{last.remark}"
    url = f"{reverse('board')}?week={dispatch.week_of}#unit-{version.county.code}"
    notices.notify(key=f"answered:{dispatch.pk}", kind=ANSWERED, text=text, url=url, user=last.reviewed_by, by=by)


def _version(dispatch: Dispatch) -> ProjectVersion:
    return ProjectVersion.objects.select_related("county").get(project=dispatch.project_id, effective_to=None)


def _named(dispatch: Dispatch, version: ProjectVersion) -> str:
    return f"{dispatch.project.code} {version.name} {weeks.week_times(dispatch.week_of).name}周调度"
