"""Jobs of the office's papers, and which of them must exist by a day."""

import contextlib
import datetime as dt
from collections.abc import Iterable, Iterator

from django.db.models import Min

from ledgers import services
from ledgers.documents import DocumentFault, PrintFault, periods
from ledgers.enums import DocumentKind
from linfen_water import clock, jobs, policy
from linfen_water.dates import month_end
from linfen_water.models import Job
from projects import weeks
from projects.models import Project


@jobs.handler("draft_document")
def draft_document(job: Job, lease: jobs.Lease) -> None:
    """Make the draft; one that is already there is made again only when a person asked for it."""
    kind, period = job.args["kind"], job.args["period"]
    if not job.args.get("again") and services.is_there(kind, period):
        return
    with _final_faults():
        services.draft_document(kind=kind, period=period, by=job.by, lease=lease)


@jobs.handler("issue_document")
def issue_document(job: Job, lease: jobs.Lease) -> None:
    with _final_faults():
        services.issue_document(pk=job.args["document"], by=job.by, seen=job.args["facts_seen"], lease=lease)


@contextlib.contextmanager
def _final_faults() -> Iterator[None]:
    """What is wrong with the paper itself is told at once; only printing is tried again."""
    try:
        yield
    except PrintFault:
        raise
    except DocumentFault as fault:
        raise jobs.Refused(str(fault)) from fault


@jobs.calendar
def bulletins(today: dt.date) -> Iterable[jobs.Due]:
    """Last month's bulletin from the policy's day on, and those of up to three months before it that are missing."""
    first = Project.objects.aggregate(first=Min("listed_on"))["first"]
    if first is None:
        return
    for month in periods.months_due(today, policy.values_on(today).bulletin_day):
        period = periods.month_period(month)
        if month_end(month) >= first and not services.is_there(DocumentKind.BULLETIN, period):
            args = {"kind": DocumentKind.BULLETIN, "period": period}
            yield jobs.Due(services.due_key(DocumentKind.BULLETIN, period), "draft_document", args)


@jobs.calendar
def weekly_reports(today: dt.date) -> Iterable[jobs.Due]:
    """The report of every week whose deadline has passed: this week's and those of up to three weeks before it that are missing."""
    first = Project.objects.aggregate(first=Min("listed_on"))["first"]
    if first is None:
        return
    candidates, now = periods.weeks_due(today), clock.now()
    for week_of, times in weeks.times_of(candidates).items():
        period = periods.week_period(week_of)
        if times.is_due and times.deadline_at < now and times.cut_off_on >= first and not services.is_there(DocumentKind.WEEKLY, period):
            yield jobs.Due(services.due_key(DocumentKind.WEEKLY, period), "draft_document", {"kind": DocumentKind.WEEKLY, "period": period})
