"""The papers of `test_jobs_survive_kills.py`: `python -m tests.linfen_water.papers draft|issue COUNT` asks for them as the office would."""

# ruff: noqa: E402 (Django must be set up before models are imported)
import datetime as dt
import sys

import django

django.setup()

from ledgers import services
from ledgers.enums import DocumentKind
from ledgers.models import Document
from linfen_water.dates import add_months
from linfen_water.models import User

FIRST_MONTH = dt.date(2023, 5, 1)


def draft(count: int, by: User) -> None:
    """Ask for the bulletins of so many months."""
    for n in range(count):
        services.request_draft(kind=DocumentKind.BULLETIN, period=f"{add_months(FIRST_MONTH, n):%Y-%m}", by=by)


def issue(count: int, by: User) -> None:
    """Ask for the issue of so many drafts, as they stand."""
    for document in Document.objects.filter(kind=DocumentKind.BULLETIN).order_by("period")[:count]:
        services.request_issue(document=document, by=by, facts_seen=services.facts_digest(document))


if __name__ == "__main__":
    {"draft": draft, "issue": issue}[sys.argv[1]](int(sys.argv[2]), User.objects.get(username="office"))
