"""What the killed workers of `test_jobs_survive_kills.py` run: each paper takes a number, is slowly made, and is issued.

The work is as small as it can be and keeps the real order: number and state in one fenced transaction, the slow part
outside, the issue by conditional UPDATE with its trail event. `python -m tests.linfen_water.numbering` lays out the papers.
"""

# ruff: noqa: E402 (Django must be set up before models are imported)

import datetime as dt
import sys
import time

import django

django.setup()

from django.db import transaction

from ledgers.enums import DocumentState
from ledgers.models import Document, NumberSeries
from linfen_water import jobs, trail
from linfen_water.celery import app  # what `celery --app tests.linfen_water.numbering` looks for
from linfen_water.models import User

__all__ = ["app"]

SERIES = {"prefix": "测专办", "year": 2025}
SLOW = 0.3  # seconds of rendering

jobs.CALENDAR.clear()


@jobs.calendar
def every_paper_must_be_issued(today):
    return [jobs.Due(f"number:{pk}", "number", {"document": pk}) for pk in Document.objects.values_list("pk", flat=True)]


@jobs.handler("number")
def number(job, lease):
    pk = job.args["document"]
    with transaction.atomic():
        lease.check()
        document = Document.objects.select_for_update().get(pk=pk)
        if document.number is None:
            series = NumberSeries.objects.select_for_update().get(**SERIES)
            series.last += 1
            series.save()
            document.number, document.state = series.last, DocumentState.ISSUING
            document.prefix, document.year = series.prefix, series.year
            document.save()
    time.sleep(SLOW)
    with transaction.atomic():
        lease.check()
        by = User.objects.get()
        issuing = Document.objects.filter(pk=pk, state=DocumentState.ISSUING)
        if issuing.update(state=DocumentState.ISSUED, issued_at=dt.datetime.now(dt.UTC), issued_by=by):
            trail.record(action="document.issue", subject=document, by=by)


def lay_out(count: int) -> None:
    """So many papers without a number, and the person who signs them."""
    User.objects.create(username="signer")
    NumberSeries.objects.create(**SERIES)
    day = dt.date(2025, 1, 1)
    Document.objects.bulk_create(
        Document(kind="bulletin", period=f"t-{n:04}", title=f"第{n}件", as_of=day, prefix=SERIES["prefix"], year=SERIES["year"])
        for n in range(count)
    )


if __name__ == "__main__":
    lay_out(int(sys.argv[1]))
