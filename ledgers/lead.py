"""The leader's page on the phone: three numbers, the briefing of the day, and the problems that wait for a leader's word."""

import dataclasses
import datetime as dt

from django.db.models import Q
from django.urls import reverse

from ledgers import agenda
from ledgers.documents.wording import percent
from ledgers.filters import HAIR, at_risk
from ledgers.meeting_models import Decision
from linfen_water import policy
from linfen_water.enums import Role
from linfen_water.models import Unit
from linfen_water.workdays import add_workdays
from monitoring.maps import national_month, national_share, section_states
from projects.enums import HelpLevel, ProblemState
from projects.facts import summed
from projects.models import Problem, ProblemNote, Project
from projects.problem_reports import STATES, ProblemRow, problems_on, read_problems

SHOWN = 5
AGREED, DELEGATED, TAKEN_BACK = "领导批示：", "领导交办：", "领导撤回："  # how a leader's note begins: what waits is read from it


@dataclasses.dataclass(frozen=True, slots=True)
class Number:
    """One of the three. `said` explains it, `url` opens its rows."""

    label: str
    value: str
    said: str
    url: str


@dataclasses.dataclass(frozen=True, slots=True)
class Waiting:
    """A problem that waits for a decision, with the units that it can be given to at one tap."""

    row: ProblemRow
    version: int
    units: tuple[Unit, ...]
    due_on: dt.date


@dataclasses.dataclass(frozen=True, slots=True)
class Page:
    numbers: list[Number]
    briefing: list[str]
    waiting: list[Waiting]
    count: int  # of all that wait


def gather(day: dt.date) -> Page:
    """The page of `day`. A fixed number of queries."""
    found = waiting_problems(day)
    return Page(_numbers(day), _briefing(day), _cards(day, found[:SHOWN]), len(found))


# ── what waits ──


def waiting_problems(day: dt.date) -> list[int]:
    """Keys of open problems at the leaders' level, or past the days of the level before it, without a leader's word in this stay."""
    open_ones = problems_on(day).filter(state_place__in=[STATES.index(ProblemState.WAITING), STATES.index(ProblemState.HANDLING)])
    is_theirs = Q(level_then=HelpLevel.CITY_LEADERS) | Q(level_then=HelpLevel.DEPARTMENTS, is_step_over=1)
    rows = open_ones.exclude(code=None).filter(is_theirs).values_list("pk", "level_then", "rank", "step_entered_on", "code")
    rows = list(rows.order_by("-level_then", "rank", "urgent_on", "code"))
    spoken = _last_words(day, [pk for pk, *_ in rows])
    return [pk for pk, _, _, entered_on, _ in rows if not _is_spoken(spoken.get(pk), entered_on)]


def _last_words(day: dt.date, keys: list[int]) -> dict[int, tuple[dt.date, str]]:
    """The last note of a leader on each problem."""
    notes = ProblemNote.objects.filter(problem__in=keys, by__role=Role.LEADER, on__lte=day).order_by("on", "pk")
    return {pk: (on, text) for pk, on, text in notes.values_list("problem", "on", "text")}


def _is_spoken(last: tuple[dt.date, str] | None, entered_on: dt.date | None) -> bool:
    return last is not None and not last[1].startswith(TAKEN_BACK) and (entered_on is None or last[0] >= entered_on)


def _cards(day: dt.date, keys: list[int]) -> list[Waiting]:
    rows = {row.pk: row for row in read_problems(day, keys)}
    found = problems_on(day, Problem.objects.filter(pk__in=keys)).order_by()
    about = {pk: rest for pk, *rest in found.values_list("pk", "edit_version", "v__lead_unit", "v__responsible_unit", "handler")}
    units = Unit.objects.in_bulk({unit for _, *three in about.values() for unit in three if unit})
    due_on = due(day)
    return [
        Waiting(rows[pk], about[pk][0], tuple(units[unit] for unit in dict.fromkeys(about[pk][1:3]) if unit and unit in units), due_on)
        for pk in keys if pk in rows
    ]  # fmt: skip


def due(day: dt.date) -> dt.date:
    """By when what a leader gives out is to be done: the working days of the departments' level in the policy."""
    return add_workdays(day, policy.values_on(day).help_days_departments)


# ── numbers and words ──


def _numbers(day: dt.date) -> list[Number]:
    listed, query = Project.objects.as_of(day), f"?as_of={day}"
    sums, values = summed(day, listed), policy.values_on(day)
    lags = list(listed.with_progress(day).filter(at_risk("late", values)).order_by().values_list("lag", flat=True))
    far = sum(lag > values.far_behind_points + HAIR for lag in lags)
    sections = section_states(day)
    share, month = national_share(sections), national_month(sections)
    master = reverse("ledger", args=["master"])
    return [
        Number("完工率", percent(sums.finish_rate), f"{sums.finished}/{sums.count}", f"{master}{query}&stage=3"),
        Number("滞后项目", str(len(lags)), f"严重滞后 {far} 个", f"{master}{query}&risk=late"),
        Number(
            "国考断面优良",
            f"{share.good}/{share.evaluated}" if share.evaluated else "—",
            f"{month.year}年{month.month}月" if month else "尚无评价",
            reverse("sections") + query,
        ),
    ]


def _briefing(day: dt.date) -> list[str]:
    """What a leader is told in the lift: each sentence is one of a ledger."""
    sums = summed(day, Project.objects.as_of(day))
    open_ones = problems_on(day).exclude(state_place=STATES.index(ProblemState.CLOSED))
    levels = list(open_ones.order_by().values_list("level_then", "is_overdue", "is_step_over"))
    late = sum(bool(overdue or over) for _, overdue, over in levels)
    high = sum(level >= HelpLevel.CITY_LEADERS for level, *_ in levels)
    undone = Decision.objects.standing().filter(meeting__withdrawn_at=None, meeting__held_on__lte=day)
    undone = undone.filter(Q(closed_on__isnull=True) | Q(closed_on__gt=day)).values_list("due_on", "answered_on")
    overdue = sum(bool(due_on and due_on < day and not (answered_on and answered_on <= day)) for due_on, answered_on in undone)
    return [
        agenda.figures_sentence(day, sums),
        f"未销号问题{len(levels)}个，其中市领导协调以上{high}个、超期限{late}个；议定事项未办结{len(undone)}条，其中逾期{overdue}条。",
    ]
