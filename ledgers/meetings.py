"""Meetings, decided items and findings of weekly checks as kinds of rows (`projects.records`), and who may see and write them."""

import datetime as dt
from collections.abc import Iterator

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, PositiveIntegerField, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.urls import reverse

from ledgers.meeting_models import CheckFinding, Decision, DecisionNote, Meeting
from linfen_water import clock
from linfen_water.enums import UnitKind
from linfen_water.models import Unit, User
from linfen_water.permissions import is_county, is_department, is_office
from projects import records
from projects.permissions import visible_projects
from projects.rules import Fault
from projects.services import Faulty

CHASED = ("answered_on", "answer", "closed_on", "closing_basis")
LATER = {"answered_on": ("answer",), "closed_on": ("closing_basis",)}


def _meeting_faults(values: dict) -> Iterator[Fault]:
    if values["held_on"] and (values["held_on"] - clock.today()).days > 60:
        yield Fault("held_on", f"会议日期 {values['held_on']} 距今天超过 60 天：请核对年份。")


ATTENDANCE = ("attended", "absent", "observers")
MEETING_TYPED = ("kind", "held_on", "starts_at", "number", "chair_post", "place", "topic", *ATTENDANCE, "minutes")
MEETING = records.Kind(
    name="meeting",
    model=Meeting,
    word="会议",
    fields=(*MEETING_TYPED, "minutes_closed_on"),
    known_from=lambda row: min(row.held_on, clock.today()),  # one that is to come is known now
    later={"minutes_closed_on": ()},
    faults=_meeting_faults,
    address=lambda row: reverse("meeting", args=[row.pk]),
)


def _decision_faults(values: dict) -> Iterator[Fault]:
    held_on = values["meeting"].held_on
    if values["due_on"] and values["due_on"] < held_on:
        yield Fault("due_on", f"时限 {values['due_on']} 早于会议日期 {held_on}。")
    problem, project = values.get("problem"), values.get("project")
    if problem and project and problem.project_id != project.pk:
        yield Fault("problem", f"问题 {problem.code} 不是项目 {project.code} 的：请改其中一个。")


DECISION = records.Kind(
    name="decision",
    model=Decision,
    word="议定事项",
    fields=("meeting", "what", "lead_unit", "assist_units", "due_on", "frequency", "project", "problem", *CHASED),
    known_from=lambda row: min(row.meeting.held_on, clock.today()),
    later=LATER,
    faults=_decision_faults,
    county=lambda row: row.lead_unit.county or records.project_county(row.project),
    address=lambda row: reverse("decision", args=[row.pk]),
    told=lambda row: [row.lead_unit, *row.assist_units.all()],
    subject=lambda row: f"{row.what}（{row.lead_unit}主办{f'，时限 {row.due_on}' if row.due_on else ''}）",
)
DECISION_TYPED = tuple(name for name in DECISION.fields if name not in CHASED)


def _check_faults(values: dict) -> Iterator[Fault]:
    if values["on"] and values["on"] > clock.today():
        yield Fault("on", f"检查日期 {values['on']} 晚于今天（{clock.today()}）。")
    if values["due_on"] and values["on"] and values["due_on"] < values["on"]:
        yield Fault("due_on", f"整改时限 {values['due_on']} 早于检查日期 {values['on']}。")
    if values["year"] and not 2000 <= values["year"] <= 2099:
        yield Fault("year", "年度请填四位数，例如 2025。")


CHECK = records.Kind(
    name="check_finding",
    model=CheckFinding,
    word="检查情况",
    fields=("year", "issue", "on", "unit", "category", "project", "place", "text", "due_on", *CHASED),
    known_from=lambda row: row.on,
    later=LATER,
    faults=_check_faults,
    county=lambda row: row.unit.county,
    address=lambda row: reverse("check_finding", args=[row.pk]),
    told=lambda row: [row.unit],
    subject=lambda row: f"{row} {row.place}：{row.text}",
)
CHECK_TYPED = tuple(name for name in CHECK.fields if name not in CHASED)


# ── who sees what ──


def visible_decisions(user, today: dt.date) -> QuerySet:
    """A county sees what it does or helps with and what is about its projects; everyone else sees all."""
    found = Decision.objects.standing().filter(meeting__withdrawn_at=None)
    if user is None or not is_county(user):
        return found
    assisted = Decision.assist_units.through.objects.filter(unit=user.unit_id).values("decision")
    mine = Q(lead_unit=user.unit_id) | Q(pk__in=assisted) | Q(project__in=visible_projects(user, today).values("pk"))
    return found.filter(mine)


def visible_meetings(user, today: dt.date) -> QuerySet:
    """A county sees the meetings that decided something for it."""
    found = Meeting.objects.standing()
    if not is_county(user):
        return found
    return found.filter(Exists(visible_decisions(user, today).filter(meeting=OuterRef("pk"))))


def visible_checks(user, today: dt.date) -> QuerySet:
    """A county sees what was found at it; everyone else sees all."""
    found = CheckFinding.objects.standing()
    return found.filter(unit=user.unit_id) if user is not None and is_county(user) else found


def may_do(user, row: Decision) -> bool:
    """Answer for a decided item: its lead unit, and the office for it."""
    return is_office(user) or ((is_county(user) or is_department(user)) and user.unit_id == row.lead_unit_id)


def may_note(user, row: Decision) -> bool:
    if may_do(user, row):
        return True
    return (is_county(user) or is_department(user)) and row.assist_units.filter(pk=user.unit_id).exists()


def may_put_right(user, row: CheckFinding) -> bool:
    return is_office(user) or (user.unit_id is not None and user.unit_id == row.unit_id)


def working_units() -> QuerySet:
    return Unit.objects.exclude(kind=UnitKind.COMPANY).order_by("kind", "position", "code")


# ── notes ──


@transaction.atomic
def add_note(*, decision: Decision, by: User, text: str) -> DecisionNote:
    """Say what happened today; the same words sent twice are one."""
    decision = records.locked(DECISION, decision)
    text = text.strip()
    if not text:
        raise Faulty([Fault("text", "请写明进展。")])
    note, is_new = DecisionNote.objects.get_or_create(decision=decision, on=clock.today(), text=text, by=by)
    if is_new:
        version = [decision.edit_version, decision.edit_version]
        records.record(DECISION, "note", decision, by, {"text": [None, text]}, version=version)
    return note


def counted(meetings: QuerySet, user, today: dt.date, day: dt.date) -> QuerySet:
    """Meetings with how many decided items `user` sees of each, how many were open and how many late on `day`."""
    mine = visible_decisions(user, today).filter(meeting=OuterRef("pk")).order_by().values("meeting")
    undone = Q(closed_on__isnull=True) | Q(closed_on__gt=day)
    unanswered = undone & (Q(answered_on__isnull=True) | Q(answered_on__gt=day))

    def count(condition: Q) -> Coalesce:
        grouped = mine.filter(condition).annotate(n=Count("pk")).values("n")
        return Coalesce(Subquery(grouped, output_field=PositiveIntegerField()), 0)

    return meetings.annotate(decided=count(Q()), undone=count(undone), late=count(unanswered & Q(due_on__lt=day)))
