"""Jobs of the weekly dispatch."""

import datetime as dt
from collections.abc import Iterable

from linfen_water import jobs
from linfen_water.models import Job
from projects import reminders


@jobs.handler("chase_week")
def chase_week(job: Job, lease: jobs.Lease) -> None:
    """Remind once before the deadline; the notices' keys keep a second attempt from saying it again."""
    reminders.chase_by_calendar(dt.date.fromisoformat(job.args["week_of"]))


@jobs.calendar
def reminder_before_deadline(today: dt.date) -> Iterable[jobs.Due]:
    """One automatic reminder a week, in the hours before its deadline that the policy says."""
    if week_of := reminders.week_to_chase(today):
        yield jobs.Due(f"chase:{week_of}:{reminders.BY_CALENDAR}", "chase_week", {"week_of": week_of.isoformat()})
