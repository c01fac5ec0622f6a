"""Who may see problems, raise them and do something about them. A problem that is not visible is not there."""

import datetime as dt

from django.db.models import Q

from linfen_water.enums import UnitKind
from linfen_water.models import Unit
from linfen_water.permissions import is_county, is_department, is_office
from projects.models import Attachment, Problem, Project
from projects.permissions import dispatched_projects, visible_projects


def visible_problems(user, today: dt.date):
    """Problems of the projects that `user` may read, and those that their unit handles or assists with, wherever they lie."""
    if not is_county(user):
        return Problem.objects.all()
    assisted = Problem.assistants.through.objects.filter(unit=user.unit_id).values("problem")
    return Problem.objects.filter(Q(project__in=visible_projects(user, today)) | Q(handler=user.unit_id) | Q(pk__in=assisted))


def may_raise(user) -> bool:
    return is_office(user) or is_county(user) or is_department(user)


def raisable_projects(user, today: dt.date):
    """Projects of which `user` may raise a problem: a county its own, departments and the office all."""
    if is_county(user):
        return dispatched_projects(user)
    return visible_projects(user, today) if may_raise(user) else Project.objects.none()


def assignable_units(user):
    """Units that `user` may name as handler or assistant: a county itself and the departments, the others everyone."""
    units = Unit.objects.exclude(kind=UnitKind.COMPANY)
    return units.filter(Q(pk=user.unit_id) | ~Q(kind=UnitKind.COUNTY)) if is_county(user) else units


def may_handle(user, problem: Problem) -> bool:
    """Begin, say what was done, hand the result in: the handler, and the office for it."""
    return is_office(user) or (may_raise(user) and user.unit_id is not None and user.unit_id == problem.handler_id)


def may_note(user, problem: Problem) -> bool:
    """Add to the progress: who handles or assists, the department of the domain, and who raised it."""
    if may_handle(user, problem):
        return True
    if not may_raise(user) or user.unit_id is None:
        return False
    raised_here = problem.raised_by is not None and problem.raised_by.unit_id == user.unit_id
    own = is_county(user) and dispatched_projects(user).filter(pk=problem.project_id).exists()
    led = is_department(user) and user.unit.domain_id is not None and user.unit.domain_id == problem.project.domain_id
    return raised_here or own or led or problem.assistants.filter(pk=user.unit_id).exists()


def may_direct(user) -> bool:
    """Assign, move between the levels, check, close out, reopen: the office."""
    return is_office(user)


def may_withdraw_file(user, file: Attachment) -> bool:
    """Take an evidence file off: the office, and whoever put it there while the problem is open."""
    return is_office(user) or (file.by_id == user.pk and file.problem is not None and file.problem.closed_on is None)
