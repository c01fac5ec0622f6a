"""Every change of a meeting's agenda: the meeting locked, one event in its trail, nothing overwritten that a person wrote."""

import dataclasses
import datetime as dt
from collections.abc import Iterable

from django.db import transaction

from ledgers import agenda
from ledgers.enums import AgendaPart
from ledgers.meeting_models import AgendaItem, Decision, Meeting
from ledgers.meetings import DECISION, MEETING
from linfen_water import clock
from linfen_water.models import Unit, User
from projects import records
from projects.rules import Fault
from projects.services import Faulty, Refused

MOST = 300  # lines of one sheet: nobody reads more
TEXT_LENGTH, ASK_LENGTH = 1000, AgendaItem._meta.get_field("ask").max_length


@dataclasses.dataclass(frozen=True, slots=True)
class Assembled:
    """What putting the sheet together changed."""

    new: int
    renewed: int
    gone: int


@dataclasses.dataclass(frozen=True, slots=True)
class Typed:
    """A line as the office wants it; `version` is the one that it had before its eyes."""

    pk: int
    version: int
    text: str
    ask: str
    is_taken: bool
    position: int


@transaction.atomic
def assemble(*, meeting: Meeting, by: User) -> Assembled:
    """Fetch what the facts call for now. New lines are added; lines that nobody touched are brought up to date; what is settled
    meanwhile is set aside. What a person wrote stays as it is."""
    meeting = _before(meeting)
    there = {row.key: row for row in AgendaItem.objects.standing().filter(meeting=meeting) if row.key}
    lines = agenda.found(meeting, min(meeting.held_on, clock.today()))
    added = [
        AgendaItem(
            meeting=meeting, part=line.part, key=line.key, position=_position(place), text=line.text, is_taken=line.is_taken,
            project_id=line.project, problem_id=line.problem, unit_id=line.unit, by=by,
        )
        for place, line in enumerate(lines[:MOST]) if line.key not in there
    ]  # fmt: skip
    AgendaItem.objects.bulk_create(added)
    renewed = []
    for line in lines:
        row = there.get(line.key)
        if row and not row.is_edited and row.text != line.text:
            row.text, row.edit_version = line.text, row.edit_version + 1
            renewed.append(row)
    keys = {line.key for line in lines}
    gone = [row for key, row in there.items() if key not in keys and row.is_taken and not row.is_edited]
    for row in gone:
        row.is_taken, row.edit_version = False, row.edit_version + 1
    AgendaItem.objects.bulk_update(renewed + gone, ["text", "is_taken", "edit_version"])
    told = Assembled(len(added), len(renewed), len(gone))
    if added or renewed or gone:
        counts = {"议程新增": told.new, "议程更新": told.renewed, "议程已解决": told.gone}
        changes = {name: [None, f"{count} 条"] for name, count in counts.items() if count}
        records.record(MEETING, "assemble", meeting, by, changes, version=_same(meeting))
    return told


@transaction.atomic
def save(*, meeting: Meeting, by: User, lines: Iterable[Typed]) -> int:
    """Write what was changed on the sheet, all or nothing; how many lines were."""
    meeting = _before(meeting)
    rows = {row.pk: row for row in AgendaItem.objects.standing().filter(meeting=meeting)}
    changes, changed, faults, late = {}, [], [], []
    for line in lines:
        row = rows.get(line.pk)
        if row is None:
            continue
        wanted = {"text": line.text.strip(), "ask": line.ask.strip(), "is_taken": line.is_taken, "position": line.position}
        mine = {name: value for name, value in wanted.items() if value != getattr(row, name)}
        if not mine:
            continue
        faults += _faults(line)
        if line.version != row.edit_version:
            late.append(row)
        number = f"议程{row.pk}"
        for name, value in mine.items():
            label = str(AgendaItem._meta.get_field(name).verbose_name)
            changes[f"{number} {label}"] = [_spelled(getattr(row, name)), _spelled(value)]
            setattr(row, name, value)
        row.is_edited = row.is_edited or bool({"text", "ask", "is_taken"} & mine.keys())
        row.edit_version += 1
        changed.append(row)
    if faults:
        raise Faulty(faults)
    if late:
        now = "；".join(f"“{records.short(row.text, 30)}”" for row in AgendaItem.objects.filter(pk__in=[row.pk for row in late]))
        raise Refused(f"有 {len(late)} 条刚被他人改动，整张都没有保存：{now}。下面是您填的，核对后再保存即以您填的为准。")
    if changed:
        AgendaItem.objects.bulk_update(changed, ["text", "ask", "is_taken", "position", "is_edited", "edit_version"])
        records.record(MEETING, "agenda", meeting, by, changes, version=_same(meeting))
    return len(changed)


@transaction.atomic
def add_line(*, meeting: Meeting, by: User, text: str, ask: str = "") -> AgendaItem:
    """A line of the office's own; the same one sent twice is one."""
    meeting = _before(meeting)
    typed = Typed(0, 0, text, ask, True, 0)
    if faults := _faults(typed):
        raise Faulty(faults)
    rows = AgendaItem.objects.standing().filter(meeting=meeting)
    if same := rows.filter(part=AgendaPart.OWN, text=text.strip()).first():
        return same
    if rows.count() >= MOST:
        raise Refused(f"一次会议最多 {MOST} 条，请先整理。")
    last = rows.order_by("-position").values_list("position", flat=True).first() or 0
    row = AgendaItem.objects.create(
        meeting=meeting, part=AgendaPart.OWN, position=min(last + 10, 32_000), text=text.strip(), ask=ask.strip(), is_edited=True, by=by
    )
    records.record(MEETING, "agenda", meeting, by, {f"议程{row.pk} 内容": [None, row.text]}, version=_same(meeting))
    return row


@transaction.atomic
def decide(*, meeting: Meeting, by: User, what: str, lead_unit: Unit, due_on: dt.date | None, item: AgendaItem | None = None) -> Decision:
    """Write down what was decided, on a line of the agenda or beside it: from now on it is chased. Refused once the minutes are closed."""
    if records.locked(MEETING, meeting).minutes_closed_on:
        raise Refused("纪要已定稿，没有登记：要增加议定事项，请先退回修改纪要。")
    about = {"project": item.project if item else None, "problem": item.problem if item else None}
    return records.add(DECISION, by=by, meeting=meeting, what=what, lead_unit=lead_unit, assist_units=[], due_on=due_on, item=item, **about)


def _before(meeting: Meeting) -> Meeting:
    """The meeting under its lock, while its sheet may still be changed: what was before people's eyes stays."""
    meeting = records.locked(MEETING, meeting)
    if meeting.held_on < clock.today():
        raise Refused(f"会议已于 {meeting.held_on} 召开，材料不再改动；会上议定的请登记为议定事项。")
    return meeting


def _faults(line: Typed) -> list[Fault]:
    faults = []
    if not line.text.strip():
        faults.append(Fault(f"text-{line.pk}", "内容不能为空；不上会的去掉“上会”即可。"))
    if len(line.text.strip()) > TEXT_LENGTH:
        faults.append(Fault(f"text-{line.pk}", f"最多 {TEXT_LENGTH} 字，现为 {len(line.text.strip())} 字。"))
    if len(line.ask.strip()) > ASK_LENGTH:
        faults.append(Fault(f"ask-{line.pk}", f"提请事项最多 {ASK_LENGTH} 字，现为 {len(line.ask.strip())} 字。"))
    return faults


def _position(place: int) -> int:
    return (place + 1) * 10


def _same(meeting: Meeting) -> list[int]:
    """The agenda is beside the meeting's own fields: their version stays."""
    return [meeting.edit_version, meeting.edit_version]


def _spelled(value) -> str | None:
    if isinstance(value, bool):
        return "是" if value else "否"
    return None if value in ("", None) else str(value)
