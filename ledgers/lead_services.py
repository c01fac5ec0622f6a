"""A leader's word on a problem, through the services of problems: agreed, given to a unit, taken back. All of it in the trail."""

import dataclasses
import datetime as dt

from django.db import transaction

from ledgers.lead import AGREED, DELEGATED, TAKEN_BACK
from linfen_water.enums import UnitKind
from linfen_water.models import Unit, User
from linfen_water.permissions import is_leader
from projects import problem_services
from projects.models import Problem, Project
from projects.problem_rules import OPINION_LENGTH
from projects.rules import Fault
from projects.services import Faulty, Refused

LONGEST = OPINION_LENGTH - 60


@dataclasses.dataclass(frozen=True, slots=True)
class Undo:
    """What taking it back needs: the version that the word made, and what stood before."""

    problem: int
    version: int
    handler: int | None
    due_on: str
    was: str


@transaction.atomic
def agree(*, problem: Problem, by: User, version: int, text: str = "") -> Undo:
    """The measures as they are proposed, or as the leader says."""
    problem = _seen(problem, by, version)
    said = " ".join(text.split()) or "同意按所列措施办理，请承办单位抓紧落实。"
    _must_fit(said)
    problem_services.add_note(problem=problem, by=by, text=f"{AGREED}{said}")
    return Undo(problem.pk, problem.edit_version, problem.handler_id, _day(problem.due_on), "批示")


@transaction.atomic
def delegate(*, problem: Problem, by: User, version: int, unit: Unit, due_on: dt.date, text: str = "") -> Undo:
    """Give it to a unit by a day: it becomes the handler and is told."""
    before = _seen(problem, by, version)
    if unit.kind == UnitKind.COMPANY:
        raise Faulty([Fault("unit", "只能交给县（市、区）和市直单位。")])
    said = " ".join(text.split())
    _must_fit(said)
    problem_services.edit_problem(problem=before, by=by, version=version, reason="领导交办", handler=unit, due_on=due_on)
    words = f"{DELEGATED}由{unit}承办，{due_on} 前办结并报告。{said}"
    problem_services.add_note(problem=before, by=by, text=words[:OPINION_LENGTH])
    now = Problem.objects.get(pk=before.pk)
    return Undo(before.pk, now.edit_version, before.handler_id, _day(before.due_on), "交办")


@transaction.atomic
def take_back(*, undo: Undo, by: User) -> Problem:
    """As it was, while nobody has done anything since."""
    problem = _seen(Problem.objects.get(pk=undo.problem), by, undo.version)
    handler = Unit.objects.filter(pk=undo.handler).first()
    due_on = dt.date.fromisoformat(undo.due_on) if undo.due_on else None
    problem_services.edit_problem(
        problem=problem, by=by, version=undo.version, reason=f"领导撤回{undo.was}", handler=handler, due_on=due_on
    )
    problem_services.add_note(problem=problem, by=by, text=f"{TAKEN_BACK}刚才的{undo.was}作废。")
    return problem


def _seen(problem: Problem, by: User, version: int) -> Problem:
    """The problem under its project's lock, as the leader saw it."""
    if not is_leader(by):
        raise Refused("批示和交办由领导本人操作。")
    Project.objects.select_for_update().get(pk=problem.project_id)
    problem = Problem.objects.get(pk=problem.pk)
    if problem.edit_version != version:
        raise Refused("这个问题刚有新进展，还没有办理：请看过下面的新情况后再定。")
    return problem


def _must_fit(text: str) -> None:
    if len(text) > LONGEST:
        raise Faulty([Fault("text", f"最多 {LONGEST} 字，现为 {len(text)} 字。")])


def _day(day: dt.date | None) -> str:
    return day.isoformat() if day else ""
