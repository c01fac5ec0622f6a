"""The last weekly joint meetings of the demo: one closed with its minutes, one just held, one prepared. Invented, labelled 演示数据.

Their agendas are put together from the demo's own facts as a person's click does it (`agenda.found`).
"""

import datetime as dt

from django.db.models import QuerySet

from ledgers import agenda, minutes_services
from ledgers.demo_words import LABEL
from ledgers.documents import minutes
from ledgers.documents.wording import date
from ledgers.enums import AgendaPart, MeetingKind
from ledgers.meeting_models import AgendaItem, Decision, DecisionNote, Meeting
from linfen_water.enums import UnitKind
from linfen_water.models import Unit, User
from linfen_water.workdays import add_workdays
from projects.demo import books
from projects.demo.promise import Promise

PREPARER, ASKS = "专班办综合科科长", ("请定牵头单位和办结日", "请定提级协调的时间", "请县（市、区）说明进度安排")
ASKED_PARTS = (AgendaPart.PROBLEM, AgendaPart.LAGGING)


def pour(promise: Promise) -> None:
    """Of the joint meetings held the one before the last is closed, the last is written up; the next one is prepared."""
    held = _joint().filter(held_on__lte=promise.today).order_by("-held_on")[:2]
    if len(held) < 2:
        return
    last, closed = held
    office = books.of_office()
    for meeting in (closed, last):
        _prepare(meeting, meeting.held_on, office)
        meeting.starts_at = dt.time(15)
    _decide(closed, promise.today, office)
    for meeting in (closed, last):
        _write_up(meeting)
    closed.minutes_closed_on = add_workdays(closed.held_on, 2)
    for meeting in (closed, last):
        meeting.save()
    minutes_services.keep(closed)
    _prepare(_next(last, office), promise.today, office)
    books.stamp_rows(promise, Meeting, AgendaItem, Decision, DecisionNote)


def _joint() -> QuerySet:
    return Meeting.objects.filter(kind=MeetingKind.JOINT)


def _next(last: Meeting, office: User) -> Meeting:
    on = last.held_on + dt.timedelta(weeks=1)
    return Meeting.objects.create(
        kind=MeetingKind.JOINT, held_on=on, starts_at=dt.time(15), number=f"{on.year}年第{on.isocalendar().week}次",
        chair_post=last.chair_post, place=last.place, topic="滞后项目赶工和问题提级", by=office,
    )  # fmt: skip


def _prepare(meeting: Meeting, day: dt.date, office: User) -> None:
    """The agenda of `day`, and what the meeting is asked at the head of each part that asks something."""
    rows, asked = [], set()
    for place, line in enumerate(agenda.found(meeting, day), start=1):
        row = AgendaItem(
            meeting=meeting, part=line.part, key=line.key, position=10 * place, text=line.text, is_taken=line.is_taken,
            project_id=line.project, problem_id=line.problem, unit_id=line.unit, by=office,
        )  # fmt: skip
        if line.is_taken and line.part in ASKED_PARTS and line.part not in asked:
            row.ask, row.is_edited = ASKS[len(asked)], True
            asked.add(line.part)
        rows.append(row)
    AgendaItem.objects.bulk_create(rows)


def _decide(meeting: Meeting, today: dt.date, office: User) -> None:
    """Beside what is open already: one item that was done in time and one that is late."""
    problem, lagging = (_first(meeting, part) for part in ASKED_PARTS)
    if problem:
        done_on = add_workdays(meeting.held_on, 3)
        what = f"就{problem.project.code}的问题（{problem.problem.code}）到现场会商一次，提出处置意见报专班办。"
        row = _decision(meeting, problem, what, done_on, office)
        row.answered_on, row.answer = done_on, f"已到现场会商，处置意见书面报专班办{LABEL}"
        row.closed_on, row.closing_basis = done_on, f"处置意见已收到，议定事项办结；问题另行跟踪{LABEL}"
        row.save()
        DecisionNote.objects.create(decision=row, on=add_workdays(meeting.held_on, 1), text=f"已约定现场会商时间。{LABEL}", by=office)
    if lagging:
        what = f"重排{lagging.project.code}剩余工程量和工期，明确每周完成量，书面报专班办。"
        late = _decision(meeting, lagging, what, add_workdays(meeting.held_on, 4), office)
        late.save()
        late.assist_units.set(Unit.objects.filter(kind=UnitKind.DEPARTMENT, domain=lagging.project.domain).order_by("pk")[:1])
        DecisionNote.objects.create(decision=late, on=min(late.due_on, today), text=f"已电话催办，回复正在核算工程量。{LABEL}", by=office)


def _first(meeting: Meeting, part: AgendaPart) -> AgendaItem | None:
    """The line of a part that the meeting was asked about."""
    rows = AgendaItem.objects.filter(meeting=meeting, part=part, unit__isnull=False, project__isnull=False).exclude(ask="")
    return rows.select_related("project__domain", "problem", "unit").order_by("position").first()


def _decision(meeting: Meeting, line: AgendaItem, what: str, due_on: dt.date, office: User) -> Decision:
    return Decision(
        meeting=meeting, item=line, what=what, lead_unit=line.unit, due_on=due_on, project=line.project, problem=line.problem,
        by=office,
    )  # fmt: skip


def _write_up(meeting: Meeting) -> None:
    """Who was there, as the agenda and the decided items concern them, and what was said, as far as the agenda tells it."""
    units = minutes.concerned(meeting).split("、")
    present, away = (units[:-1], units[-1]) if len(units) > 3 else (units, "")
    meeting.attended = "、".join([*(unit for unit in present if unit), f"{PREPARER}；各单位均为分管负责同志"])
    meeting.absent = f"{away}分管负责同志（另有会议）" if away else ""
    meeting.observers = "、".join(
        f"{unit}有关科室负责同志" for unit in Unit.objects.filter(name__contains="督查").values_list("name", flat=True)
    )
    parts = {part.part: part.lines for part in agenda.sheet(meeting, is_taken=True)}
    problems, lagging = len(parts.get(AgendaPart.PROBLEM, ())), len(parts.get(AgendaPart.LAGGING, ()))
    meeting.minutes = "\n".join(
        (
            f"会议听取了截至{date(meeting.held_on)}工程推进情况的汇报，逐项研究了{problems}个需协调的问题和{lagging}个滞后项目。",
            "会议指出，年度任务时间已经过去一个多月，滞后项目要把差距落实到每周的完成量，不能只报计划、不报进度。",
            f"会议要求，各责任单位对议定事项逐条明确责任人，按时限报专班办；逾期的由专班办提醒、督办。{LABEL}",
        )
    )
