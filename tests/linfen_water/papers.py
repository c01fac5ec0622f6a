"""The city and the papers of `test_jobs_survive_kills.py`: a clerk who does what the input says, line by line.

`python -m tests.linfen_water.papers DAYS` reads lay, draft, report, issue, check. Ten units have one slow project each, so each day calls
for ten reminders, and every day says something else: what a letter must say is known here without asking the product.
"""

# ruff: noqa: E402 (Django must be set up before models are imported)
import datetime as dt
import sys
from decimal import Decimal

import django

django.setup()

from django.conf import settings
from django.core.management import call_command
from django.db import connection

from ledgers import letter_services, services
from ledgers.enums import DocumentKind, DocumentState
from ledgers.models import Document
from linfen_water import jobs, trail_guard
from linfen_water.models import Job, User
from projects.models import Project
from tests import factories
from tests.factories import THIS_WEEK, TODAY, DispatchFactory, ProjectFactory, UnitFactory, UserFactory

UNITS = 10
MONTHS = ("2025-01",)  # of the bulletin that the calendar wants
FIRST_WEEK = dt.date(2024, 12, 30)
A_WEEK = dt.timedelta(weeks=1)
PREFIXES = {"letter": "测清专办函", "bulletin": "测清专办"}


class NoMigrations:
    """As a setting: tables are laid out from the models, which takes one second instead of twenty."""

    def __contains__(self, app: str) -> bool:
        return True

    def __getitem__(self, app: str) -> None:
        return None


def days(count: int) -> list[dt.date]:
    """The days of the letters: the last ones before TODAY, so that none of them sees what is reported meanwhile."""
    return [TODAY - dt.timedelta(days=n) for n in range(count, 0, -1)]


def lay(count: int) -> None:
    """Empty tables with the trail's guard, and the city."""
    settings.MIGRATION_MODULES = NoMigrations()
    call_command("migrate", run_syncdb=True, verbosity=0, skip_checks=True)
    trail_guard.install(connection)
    factories.RegionFactory(settings={"office": {"name": "测试市清水工程专班办公室", "prefixes": PREFIXES}})
    UserFactory(username="office", unit=UnitFactory(kind="office", code="office", name="专班办"))
    for unit in range(UNITS):
        project = ProjectFactory(listed_on=dt.date(2025, 1, 1), baseline_finish_on=dt.date(2025, 12, 31))
        for n in range((THIS_WEEK - FIRST_WEEK) // A_WEEK):
            DispatchFactory(project=project, week_of=FIRST_WEEK + n * A_WEEK, physical_progress=reported(unit, n))


def reported(unit: int, week: int) -> Decimal:
    """What a unit reports in a week: every pair of them is another number, all of them 10-30 points behind."""
    return Decimal(30) + Decimal(week) + Decimal(unit) / 10


def draft(count: int) -> None:
    """Ask for the letters of so many days, as the calendar does for one."""
    for day in days(count):
        args = {"kind": DocumentKind.REMINDER, "period": day.isoformat()}
        jobs.enqueue(key=f"letters:{DocumentKind.REMINDER}:{day}", kind="draft_letters", args=args)


def report(count: int) -> None:
    """The units report the running week, in great strides: whoever read the facts of now would write something else."""
    for project in Project.objects.all():
        DispatchFactory(project=project, week_of=THIS_WEEK, physical_progress=Decimal(99))


def papers(count: int):
    """The letters and bulletins that are to be issued."""
    letters = Document.objects.filter(kind=DocumentKind.REMINDER, period__in=[day.isoformat() for day in days(count)])
    return letters | Document.objects.filter(kind=DocumentKind.BULLETIN, period__in=MONTHS)


def issue(count: int) -> None:
    """Ask for the issue of the drafts as they stand, letters after a review."""
    by = User.objects.get(username="office")
    for document in papers(count).select_related("letter").order_by("pk"):
        digest = services.facts_digest(document)
        if document.kind == DocumentKind.REMINDER:
            letter_services.review(document=document, by=by, facts_seen=digest, seen=document.letter.edit_version)
        services.request_issue(document=document, by=by, facts_seen=digest)


def check(count: int) -> None:
    """Every paper is issued with the facts that were seen, those of its day; every letter says what its unit had reported by then."""
    for document in papers(count).select_related("unit"):
        named = f"{document.file_number} {document.period}"
        assert document.state == DocumentState.ISSUED, named
        assert Job.objects.get(key=services.issue_key(document)).args["facts_seen"] == services.facts_digest(document), named
        if document.kind == DocumentKind.REMINDER:
            _check_words(document, named)


def _check_words(letter: Document, named: str) -> None:
    day = dt.date.fromisoformat(letter.period)
    again = services.kind_of(letter.kind).gathered(letter.period, TODAY, letter.unit)
    assert again | {services.ISSUED_ON: TODAY.isoformat()} == letter.facts, named
    (project,) = Project.objects.filter(versions__responsible_unit=letter.unit)
    week = (day - dt.timedelta(days=3) - FIRST_WEEK) // A_WEEK  # of the last Thursday
    expected = f"截至{day.year}年{day.month}月{day.day}日", f"实际进度{reported(project.number - 1, week):.1f}%"
    (line,) = [line for line in letter.facts["lines"] if line["rule"] == "behind"]  # beside it some are among the last of the appraisal
    assert all(words in line["sentence"] for words in expected), (named, expected, line["sentence"])


if __name__ == "__main__":
    for line in sys.stdin:
        {"lay": lay, "draft": draft, "report": report, "issue": issue, "check": check}[line.strip()](int(sys.argv[1]))
