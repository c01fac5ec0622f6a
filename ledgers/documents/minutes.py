"""The facts of a meeting's minutes (会议纪要): who met, what was before the meeting, what it decided. Their words: `minutes_words.py`."""

import dataclasses
import datetime as dt
from collections.abc import Collection

from ledgers import agenda
from ledgers.documents import jsonable
from ledgers.documents.bulletin import Office, office_of
from ledgers.enums import DecisionFrequency, MeetingKind
from ledgers.meeting_models import AgendaItem, ClosedMinutes, Decision, Meeting
from ledgers.meetings import visible_decisions, working_units
from linfen_water.models import Region, Unit
from linfen_water.permissions import is_county


@dataclasses.dataclass(frozen=True)
class Topic:
    """What was before the meeting and what it was asked."""

    text: str
    ask: str


@dataclasses.dataclass(frozen=True)
class Part:
    label: str
    topics: tuple[Topic, ...]


@dataclasses.dataclass(frozen=True)
class Decided:
    key: int  # of the decided item
    what: str
    lead: str
    assist: tuple[str, ...]
    due_on: dt.date | None
    frequency: DecisionFrequency


@dataclasses.dataclass(frozen=True)
class MinutesFacts:
    """All that the minutes are made from; JSON both ways, frozen when they are closed."""

    kind: MeetingKind
    held_on: dt.date
    starts_at: str  # 15:00
    number: str
    chair_post: str
    place: str
    topic: str
    attended: str
    absent: str
    observers: str
    minutes: str
    parts: tuple[Part, ...]
    decided: tuple[Decided, ...]
    office: Office
    is_demo: bool
    closed_on: dt.date | None = None
    is_excerpt: bool = False

    def to_json(self) -> dict:
        return jsonable.to_json(self)

    @classmethod
    def from_json(cls, data: dict) -> "MinutesFacts":
        return jsonable.from_json(cls, data)


def read(meeting: Meeting, user, day: dt.date, today: dt.date) -> MinutesFacts:
    """What `user` may read of the minutes: as they were closed, before that as the facts stand; a county what was decided for it."""
    is_closed = meeting.minutes_closed_on is not None and meeting.minutes_closed_on <= day
    kept = ClosedMinutes.objects.filter(meeting=meeting).first() if is_closed else None
    facts = MinutesFacts.from_json(kept.facts) if kept else gather(meeting)
    if not is_county(user):
        return facts
    return excerpt(facts, set(visible_decisions(user, today).filter(meeting=meeting).values_list("pk", flat=True)))


def gather(meeting: Meeting) -> MinutesFacts:
    """The whole minutes as the facts stand now. Four queries."""
    region = Region.current()
    return MinutesFacts(
        kind=MeetingKind(meeting.kind),
        held_on=meeting.held_on,
        starts_at=f"{meeting.starts_at:%H:%M}" if meeting.starts_at else "",
        number=meeting.number,
        chair_post=meeting.chair_post,
        place=meeting.place,
        topic=meeting.topic,
        attended=meeting.attended,
        absent=meeting.absent,
        observers=meeting.observers,
        minutes=meeting.minutes,
        parts=tuple(_part(part) for part in agenda.sheet(meeting, is_taken=True)),
        decided=tuple(_decided(row) for row in decisions_of(meeting)),
        office=minutes_office(region),
        is_demo=region.is_demo,
    )


def excerpt(facts: MinutesFacts, keys: Collection[int]) -> MinutesFacts:
    """The minutes with the decided items `keys` alone and without the agenda, which tells of others: as the meeting's page is."""
    decided = tuple(one for one in facts.decided if one.key in keys)
    return dataclasses.replace(facts, parts=(), decided=decided, is_excerpt=True)


def minutes_office(region: Region) -> Office:
    """The office's names on minutes: a head of their own and nobody addressed but who is named for it."""
    own = region.settings.get("office", {}).get("minutes", {})
    office = office_of(region, "minutes")
    return dataclasses.replace(
        office, head=own.get("head") or f"{office.works}专班会议纪要", copies_to=own.get("copies_to", ""), has_seal=False
    )


def decisions_of(meeting: Meeting):
    rows = Decision.objects.standing().filter(meeting=meeting).select_related("lead_unit").prefetch_related("assist_units")
    return rows.order_by("pk")


def concerned(meeting: Meeting) -> str:
    """The units that the agenda and the decided items name, in their order: a proposal for who was there."""
    through = Decision.assist_units.through.objects
    decided = Decision.objects.standing().filter(meeting=meeting)
    asked = AgendaItem.objects.standing().filter(meeting=meeting, is_taken=True, unit__isnull=False)
    named = Unit.objects.filter(pk__in=asked.values("unit")) | Unit.objects.filter(pk__in=decided.values("lead_unit"))
    helping = Unit.objects.filter(pk__in=through.filter(decision__in=decided.values("pk")).values("unit"))
    keys = (named | helping).order_by().values("pk")
    return "、".join(working_units().filter(pk__in=keys).values_list("name", flat=True))


def _part(part: agenda.Part) -> Part:
    return Part(part.part.label, tuple(Topic(line.text, line.ask) for line in part.lines))


def _decided(row: Decision) -> Decided:
    assist = tuple(unit.name for unit in row.assist_units.all())
    return Decided(row.pk, row.what, row.lead_unit.name, assist, row.due_on, DecisionFrequency(row.frequency))
