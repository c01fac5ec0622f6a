"""Jobs of the office's papers, and which of them must exist by a day."""

import contextlib
import datetime as dt
from collections.abc import Iterable, Iterator

from django.db.models import Min

from ledgers import letter_services, services
from ledgers.documents import DocumentFault, PrintFault, periods
from ledgers.enums import DocumentKind
from linfen_water import clock, jobs, policy
from linfen_water.dates import month_end
from linfen_water.models import Job, Unit
from projects import weeks
from projects.models import Project


@jobs.handler("draft_document")
def draft_document(job: Job, lease: jobs.Lease) -> None:
    """Make the draft; one that is already there is made again only when a person asked for it."""
    kind, period = job.args["kind"], job.args["period"]
    if not job.args.get("again") and services.is_there(kind, period):
        return
    unit = Unit.objects.get(code=job.args["unit"]) if "unit" in job.args else None
    with _final_faults():
        services.draft_document(kind=kind, period=period, by=job.by, unit=unit, lease=lease)


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


# ── Letters ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@jobs.handler("draft_letters")
def draft_letters(job: Job, lease: jobs.Lease) -> None:
    """One draft for every unit that the facts call for; those that are there stay."""
    with _final_faults():
        letter_services.draft_due(kind=job.args["kind"], period=job.args["period"], lease=lease)


@jobs.calendar
def letters(today: dt.date) -> Iterable[jobs.Due]:
    """Early warnings and reminders once a month from the policy's day on, the others every day that calls for them."""
    if not Project.objects.exists():
        return
    if today.day >= policy.values_on(today).letters_day:
        for kind in letter_services.MONTHLY:
            period = periods.month_period(today)
            yield jobs.Due(f"letters:{kind}:{period}", "draft_letters", {"kind": kind, "period": period})
    for kind in letter_services.DAILY:
        yield jobs.Due(f"letters:{kind}:{today}", "draft_letters", {"kind": kind, "period": today.isoformat()})


@jobs.handler("chase_letters")
def chase_letters(job: Job, lease: jobs.Lease) -> None:
    """Ask for answers that are due or overdue; the notices' keys keep a second attempt from saying it again."""
    letter_services.chase(dt.date.fromisoformat(job.args["day"]))


@jobs.calendar
def letters_due(today: dt.date) -> Iterable[jobs.Due]:
    """Once a day, while letters wait for an answer."""
    if letter_services.waiting_on(today):
        yield jobs.Due(f"letters-due:{today}", "chase_letters", {"day": today.isoformat()})
