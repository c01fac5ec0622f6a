"""What meetings decided on a problem, and which letters told of its project while it was open, as of a day."""

import datetime as dt

from ledgers import letters, meetings
from ledgers.letters import Row
from ledgers.meeting_models import Decision
from ledgers.permissions import visible_letters
from linfen_water import clock
from projects.chase_rules import Standing, standing
from projects.models import Problem

READ = 200  # letters that are looked through, the newest first: those of some years to the units of one problem


def read(problem: Problem, user, today: dt.date, day: dt.date) -> tuple[list[tuple[Decision, Standing]], list[Row]]:
    """Those that `user` may read, newest first. A fixed number of queries."""
    rows = meetings.visible_decisions(user, today).filter(problem=problem, meeting__held_on__lte=day)
    rows = rows.select_related("meeting", "lead_unit").order_by("-meeting__held_on", "pk")
    decisions = [(row, standing(day, row.due_on, row.answered_on, row.closed_on)) for row in rows]
    return decisions, letters_on(problem, user, day)


def letters_on(problem: Problem, user, day: dt.date) -> list[Row]:
    """Letters issued between the day on which the problem was raised and its close-out that tell of its project."""
    until = min(day, problem.closed_on or day)
    issued = visible_letters(user).filter(
        issued_at__gte=clock.start_of(problem.raised_on), issued_at__lt=clock.end_of(until), number__isnull=False
    )
    newest = issued.order_by("-issued_at", "-pk").values_list("pk", "facts__lines")[:READ]
    code = problem.project.code
    chosen = [pk for pk, lines in newest if any(line.get("project") == code for line in lines or ())]
    return letters.read(issued.filter(pk__in=chosen), day) if chosen else []
