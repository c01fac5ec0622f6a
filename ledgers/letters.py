"""Letters as pages read them: where each stands on a day, in a fixed number of queries for any number of letters."""

import dataclasses
import datetime as dt
from collections import Counter
from collections.abc import Iterable

from django.db.models import Prefetch, Q, QuerySet

from ledgers.enums import LETTERS, DocumentKind, DocumentState
from ledgers.letter_states import WAITING, LetterState, day_of, due_on, overdue_days, state_on
from ledgers.models import Document, LetterAnswer
from linfen_water import clock

TONES = {
    LetterState.ISSUED: "badge-warn",
    LetterState.RECEIVED: "badge-warn",
    LetterState.ASKED_AGAIN: "badge-bad",
    LetterState.ANSWERED: "badge-warn",
    LetterState.CLOSED: "badge-ok",
    LetterState.MOVED_UP: "badge-bad",
}
# What a list can be narrowed to: {key: (label, states)}; "overdue" looks at the days instead.
GROUPS: dict[str, tuple[str, tuple[LetterState, ...]]] = {
    "draft": ("草稿", (LetterState.DRAFT, LetterState.REVIEWED, LetterState.APPROVED, LetterState.ISSUING)),
    "waiting": ("待签收回复", WAITING),
    "overdue": ("逾期未复", ()),
    "check": ("待核查", (LetterState.ANSWERED,)),
    "closed": ("已办结", (LetterState.CLOSED, LetterState.MOVED_UP)),
    "withdrawn": ("作废、不发", (LetterState.WITHDRAWN, LetterState.SET_ASIDE)),
}


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """A letter on a day."""

    document: Document
    state: LetterState
    due_on: dt.date | None
    overdue: int  # days
    answers: tuple[LetterAnswer, ...]  # newest first

    @property
    def tone(self) -> str:
        return TONES.get(self.state, "")

    @property
    def label(self) -> str:
        return f"{self.document.get_kind_display()}{self.document.file_number}"

    @property
    def projects(self) -> list[tuple[str, str]]:
        """(code, name) of the projects that it tells of."""
        lines = self.document.facts.get("lines", ())
        return list({line["project"]: (line["project"], line["name"]) for line in lines if line["project"]}.values())

    def is_in(self, group: str) -> bool:
        return self.overdue > 0 if group == "overdue" else self.state in GROUPS[group][1]


def read(documents: QuerySet[Document], day: dt.date) -> list[Row]:
    """The letters among `documents` as of `day`, what waits first, then the newest."""
    answers = Prefetch("letter__answers", LetterAnswer.objects.select_related("by__unit", "checked_by__unit").prefetch_related("files"))
    found = (
        documents.filter(letter__isnull=False, as_of__lte=day)
        .select_related("unit__county", "letter", "issued_by__unit", "letter__received_by__unit", "letter__closed_by__unit")
        .select_related("letter__reviewed_by__unit", "letter__approved_by__unit", "letter__followed_by")
        .prefetch_related(answers)
    )
    rows = [row(document, day) for document in found if _is_there(document, day)]
    return sorted(rows, key=_place)


def row(document: Document, day: dt.date) -> Row:
    """`document` as of `day`, with its letter and answers at hand."""
    answers = [answer for answer in document.letter.answers.all() if day_of(answer.at) <= day]
    newest_first = tuple(sorted(answers, key=lambda answer: -answer.pk))
    return Row(document, state_on(document, day), due_on(document, day), overdue_days(document, day), newest_first)


def _is_there(document: Document, day: dt.date) -> bool:
    """On a past day drafts are nobody's any more: what was issued by then counts."""
    return document.state == DocumentState.DRAFT or not document.issued_at or day_of(document.issued_at) <= day


ORDER = (
    LetterState.ASKED_AGAIN, LetterState.ISSUED, LetterState.RECEIVED, LetterState.ANSWERED, LetterState.ISSUING, LetterState.APPROVED,
    LetterState.REVIEWED, LetterState.DRAFT,
)  # fmt: skip


def _place(row: Row) -> tuple:
    place = ORDER.index(row.state) if row.state in ORDER else len(ORDER)
    issued = row.document.issued_at
    return (-row.overdue if place < len(ORDER) else 0, place, -issued.timestamp() if issued else 0, -row.document.pk)


def counts(rows: Iterable[Row]) -> dict[str, int]:
    """How many rows each group has."""
    rows = list(rows)
    return {group: sum(row.is_in(group) for row in rows) for group in GROUPS}


def waiting_by_county(day: dt.date) -> Counter[str]:
    """`{county: letters to its units in the group 待签收回复}`. Two queries, of the letters that are open on `day` only."""
    is_open = Q(letter__closed_at__isnull=True) | Q(letter__closed_at__gte=clock.end_of(day))
    sent = Document.objects.filter(is_open, kind__in=LETTERS, letter__isnull=False, issued_at__lt=clock.end_of(day), as_of__lte=day)
    found = sent.filter(unit__county__isnull=False).select_related("unit__county", "letter").prefetch_related("letter__answers")
    return Counter(document.unit.county.code for document in found if state_on(document, day) in WAITING)


def kinds() -> list[DocumentKind]:
    return [DocumentKind.EARLY_WARNING, DocumentKind.REMINDER, DocumentKind.SUPERVISION, DocumentKind.TALK]
