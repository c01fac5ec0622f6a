"""Jobs of the weekly dispatch and of problems."""

import datetime as dt
from collections.abc import Iterable

from linfen_water import jobs
from linfen_water.models import Job
from projects import problem_services, reminders
from projects.problem_reports import due_problems


@jobs.handler("chase_week")
def chase_week(job: Job, lease: jobs.Lease) -> None:
    """Remind once before the deadline; the notices' keys keep a second attempt from saying it again."""
    reminders.chase_by_calendar(dt.date.fromisoformat(job.args["week_of"]))


@jobs.calendar
def reminder_before_deadline(today: dt.date) -> Iterable[jobs.Due]:
    """One automatic reminder a week, in the hours before its deadline that the policy says."""
    if week_of := reminders.week_to_chase(today):
        yield jobs.Due(f"chase:{week_of}:{reminders.BY_CALENDAR}", "chase_week", {"week_of": week_of.isoformat()})


@jobs.handler("tell_due_problems")
def tell_due_problems(job: Job, lease: jobs.Lease) -> None:
    """Each stay at a level is told of once, however often this runs."""
    problem_services.tell_due(dt.date.fromisoformat(job.args["day"]))


@jobs.calendar
def problems_due(today: dt.date) -> Iterable[jobs.Due]:
    """Once a day, when problems are past the days of their level."""
    if due_problems(today):
        yield jobs.Due(f"problems-due:{today}", "tell_due_problems", {"day": today.isoformat()})
