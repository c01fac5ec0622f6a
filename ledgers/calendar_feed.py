"""The calendar as a feed (RFC 5545): meetings and days by which something is due, for the calendar on a person's phone.

The address holds a long random key; the database keeps its digest only. Who holds it reads what its owner may read and nothing else;
the owner revokes it at any time, and it ends with the account.
"""

import datetime as dt
import secrets
from collections.abc import Iterator

from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import salted_hmac
from icalendar import Calendar, Event

from ledgers import letters, meetings
from ledgers.enums import DocumentState, MeetingKind
from ledgers.meeting_models import CalendarKey
from ledgers.permissions import visible_letters
from linfen_water import trail
from linfen_water.enums import Role
from linfen_water.models import Region, User
from linfen_water.permissions import is_county, is_department
from projects.inspections import visible_inspections
from projects.problem_permissions import visible_problems
from projects.problem_reports import problems_on

BACK = dt.timedelta(days=60)  # meetings that are over are kept so long
MOST = 500  # events of one kind
USED_EVERY = dt.timedelta(minutes=10)
LENGTH = dt.timedelta(hours=1)  # [D] of a meeting whose beginning is known


def _digest(key: str) -> str:
    return salted_hmac("ledgers.calendar_feed", key, algorithm="sha256").hexdigest()


@transaction.atomic
def make_key(*, user: User) -> str:
    """A new key, which nobody can read again; the one before it opens nothing any more."""
    User.objects.select_for_update().get(pk=user.pk)
    _revoke(user)
    key = secrets.token_urlsafe(32)
    row = CalendarKey.objects.create(user=user, digest=_digest(key))
    trail.record(action="calendar.make", subject=row, by=user, changes={"calendar": [None, "生成"]})
    return key


@transaction.atomic
def revoke_key(*, user: User) -> bool:
    """Whether there was one."""
    User.objects.select_for_update().get(pk=user.pk)
    return _revoke(user)


def _revoke(user: User) -> bool:
    row = CalendarKey.objects.filter(user=user, revoked_at=None).first()
    if row is None:
        return False
    CalendarKey.objects.filter(pk=row.pk).update(revoked_at=timezone.now())
    trail.record(action="calendar.revoke", subject=row, by=user, changes={"calendar": ["在用", "撤销"]})
    return True


def owner_of(key: str) -> User | None:
    """Whose key it is, while key and account hold; that it was used is noted every ten minutes."""
    row = CalendarKey.objects.select_related("user__unit").filter(digest=_digest(key), revoked_at=None, user__is_active=True).first()
    if row is None:
        return None
    now = timezone.now()
    if row.used_at is None or now - row.used_at > USED_EVERY:
        CalendarKey.objects.filter(pk=row.pk).update(used_at=now)
    return row.user


def feed(user: User, today: dt.date, base: str) -> bytes:
    """The calendar of `user`; `base` is the site's address. A fixed number of queries."""
    region = Region.current()
    calendar = Calendar()
    calendar.add("prodid", "-//yihong//calendar 1//ZH")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", f"{region.name}工程调度{'（演示数据）' if region.is_demo else ''}")
    calendar.add("refresh-interval", dt.timedelta(hours=1), parameters={"value": "DURATION"})
    for reader in (_meetings, _decisions, _problems, _letters, _visits):
        for event in reader(user, today, base):
            calendar.add_component(event)
    return calendar.to_ical()


def _event(base: str, key: str, path: str, summary: str, at: dt.datetime, *, number: int = 0, description: str = "") -> Event:
    """What all have; `at` is when the row was written, so that an unchanged calendar stays the same bytes."""
    event = Event()
    event.add("uid", f"{key}@{base.partition('://')[2] or base}")
    event.add("dtstamp", at.astimezone(dt.UTC).replace(microsecond=0))
    event.add("sequence", number)
    event.add("summary", summary)
    event.add("url", f"{base}{path}")
    if description:
        event.add("description", description)
    return event


def _whole_day(event: Event, day: dt.date) -> Event:
    event.add("dtstart", day)
    event.add("dtend", day + dt.timedelta(days=1))
    event.add("transp", "TRANSPARENT")  # a limit makes nobody busy
    return event


def _meetings(user: User, today: dt.date, base: str) -> Iterator[Event]:
    rows = meetings.visible_meetings(user, today).filter(held_on__gte=today - BACK).order_by("held_on", "pk")
    for row in rows[:MOST]:
        title = f"{MeetingKind(row.kind).label}{row.number}"
        event = _event(base, f"meeting-{row.pk}", reverse("meeting", args=[row.pk]), title, row.at, number=row.edit_version - 1,
                       description=row.topic)  # fmt: skip
        if row.place:
            event.add("location", row.place)
        if row.starts_at is None:
            yield _whole_day(event, row.held_on)
            continue
        begins = timezone.make_aware(dt.datetime.combine(row.held_on, row.starts_at)).astimezone(dt.UTC)
        event.add("dtstart", begins)
        event.add("dtend", begins + LENGTH)
        yield event


def _decisions(user: User, today: dt.date, base: str) -> Iterator[Event]:
    """Decided items that are not done: of units their own, of others all."""
    rows = meetings.visible_decisions(user, today).filter(Q(closed_on__isnull=True) | Q(closed_on__gt=today), due_on__isnull=False)
    if is_county(user) or is_department(user):
        rows = rows.filter(lead_unit=user.unit_id)
    for row in rows.select_related("lead_unit").order_by("due_on", "pk")[:MOST]:
        path = reverse("decision", args=[row.pk])
        title = f"议定事项到期：{row.what[:40]}（{row.lead_unit}）"
        event = _event(base, f"decision-{row.pk}", path, title, row.at, number=row.edit_version - 1, description=row.what)
        yield _whole_day(event, row.due_on)


def _problems(user: User, today: dt.date, base: str) -> Iterator[Event]:
    scope = visible_problems(user, today).filter(closed_on=None)
    if is_county(user) or is_department(user):
        scope = scope.filter(handler=user.unit_id)
    rows = problems_on(today, scope).exclude(code=None).filter(due_on__isnull=False).select_related("project").order_by("due_on", "pk")
    for row in rows[:MOST]:
        at = dt.datetime.combine(row.raised_on, dt.time(), dt.UTC)
        title = f"问题整改时限：{row.code} {row.project.code}"
        path = reverse("problem", args=[row.code])
        event = _event(base, f"problem-{row.pk}", path, title, at, number=row.edit_version - 1, description=row.description)
        yield _whole_day(event, row.due_on)


def _letters(user: User, today: dt.date, base: str) -> Iterator[Event]:
    open_ones = visible_letters(user).filter(state=DocumentState.ISSUED, letter__closed_at=None)
    for row in letters.read(open_ones, today)[:MOST]:
        if row.due_on:
            path = reverse("letter", args=[row.document.pk])
            title = f"函件应复：{row.label}（{row.document.unit}）"
            yield _whole_day(_event(base, f"letter-{row.document.pk}", path, title, row.document.issued_at), row.due_on)


def _visits(user: User, today: dt.date, base: str) -> Iterator[Event]:
    """Planned visits to sites: to those who go and those who are visited."""
    rows = visible_inspections(user, today).filter(visited_on=None, planned_on__gte=today - BACK).select_related("project")
    if user.role == Role.DEPARTMENT:
        rows = rows.filter(Q(by__unit=user.unit_id) | Q(units=user.unit_id)).distinct()
    for row in rows.order_by("planned_on", "pk")[:MOST]:
        title, path = f"现场督导：{row.project.code}（{row.leader_post}带队）", reverse("inspection", args=[row.pk])
        yield _whole_day(_event(base, f"visit-{row.pk}", path, title, row.at, number=row.edit_version - 1), row.planned_on)


def used_by(user: User) -> CalendarKey | None:
    """The key in force, for its owner's page."""
    return CalendarKey.objects.filter(user=user, revoked_at=None).first()
