"""Where a letter stands, and what its paper's way to the issue does to it. Its way after the issue: `letter_services.py`.

Draft → reviewed → (approved by a leader: 约谈) → issued → received → answered → closed. A state follows from dates: any day can be asked.
"""

import datetime as dt

from django.db import models
from django.urls import reverse
from django.utils import timezone

from ledgers.documents import DocumentFault, letter_words
from ledgers.documents.letter import LetterFacts
from ledgers.enums import DocumentKind, DocumentState
from ledgers.models import Document, Letter, LetterAnswer
from linfen_water import channels, notices, trail
from linfen_water.models import Channel, User

NOTICE = "letter"


class LetterState(models.TextChoices):
    DRAFT = "draft", "草稿"
    REVIEWED = "reviewed", "已审核"
    APPROVED = "approved", "已批准"
    ISSUING = "issuing", "印发中"
    ISSUED = "issued", "待签收"
    RECEIVED = "received", "待回复"
    ANSWERED = "answered", "待核查"
    ASKED_AGAIN = "asked_again", "退回重报"
    CLOSED = "closed", "已办结"
    MOVED_UP = "moved_up", "已升级"
    WITHDRAWN = "withdrawn", "作废"
    SET_ASIDE = "set_aside", "不发"


WAITING = (LetterState.ISSUED, LetterState.RECEIVED, LetterState.ASKED_AGAIN)  # for the addressee


def day_of(at: dt.datetime | None) -> dt.date:
    """The local day of a moment; the end of time when there is none."""
    return timezone.localtime(at).date() if at else dt.date.max


def state_on(document: Document, day: dt.date) -> LetterState:
    """The state of a letter on `day`, with its `letter` and the `answers` at hand."""
    letter = document.letter
    if document.state == DocumentState.WITHDRAWN:
        return LetterState.WITHDRAWN if document.number else LetterState.SET_ASIDE
    if day_of(document.issued_at) > day:
        return _before_issue(document, letter, day)
    if day_of(letter.closed_at) <= day:
        return LetterState.MOVED_UP if letter.moved_up_to else LetterState.CLOSED
    if last := last_answer(letter, day):
        is_refused = last.is_accepted is False and day_of(last.checked_at) <= day
        return LetterState.ASKED_AGAIN if is_refused else LetterState.ANSWERED
    return LetterState.RECEIVED if day_of(letter.received_at) <= day else LetterState.ISSUED


def _before_issue(document: Document, letter: Letter, day: dt.date) -> LetterState:
    if document.state == DocumentState.ISSUING:
        return LetterState.ISSUING
    if day_of(letter.approved_at) <= day:
        return LetterState.APPROVED
    return LetterState.REVIEWED if day_of(letter.reviewed_at) <= day else LetterState.DRAFT


def last_answer(letter: Letter, day: dt.date) -> LetterAnswer | None:
    answers = [answer for answer in letter.answers.all() if day_of(answer.at) <= day]
    return max(answers, key=lambda answer: answer.pk, default=None)


def due_on(document: Document, day: dt.date) -> dt.date | None:
    """By when an answer is expected: the letter's day, or the new one where it was asked again."""
    last = last_answer(document.letter, day)
    if last and last.is_accepted is False and day_of(last.checked_at) <= day and last.due_again_on:
        return last.due_again_on
    return document.letter.reply_due_on


def overdue_days(document: Document, day: dt.date) -> int:
    """Days past the date by which an answer was expected and is not there; 0 when it is not overdue."""
    due = due_on(document, day)
    if due is None or state_on(document, day) not in WAITING:
        return 0
    return max((day - due).days, 0)


def needs_approval(document: Document) -> bool:
    return document.kind == DocumentKind.TALK


# ── From draft to issue: called by the services of papers, in their transactions ────────────────────────────────────


def keep_beside(document: Document, digest: str) -> None:
    """See that a drafted letter has its row; a review of other figures or words than it has now lapses."""
    letter, _ = Letter.objects.get_or_create(document=document)
    if letter.reviewed_at and letter.reviewed_digest != digest:
        letter.reviewed_at = letter.reviewed_by = letter.approved_at = letter.approved_by = None
        letter.reviewed_digest, letter.edit_version = "", letter.edit_version + 1
        letter.save()
        trail.record(action="letter.lapse", subject=document, by=None, changes={"reviewed": [True, False]}, reason="数据或文字有变动")


def refuse_unreviewed(document: Document) -> None:
    """Raise DocumentFault unless the letter was reviewed, and a talk approved by a leader."""
    letter = Letter.objects.get(document=document)
    if letter.reviewed_at is None:
        raise DocumentFault("函件还没有审核：请先审核，再印发。")
    if needs_approval(document) and letter.approved_at is None:
        raise DocumentFault("约谈通知须经领导批准后才能印发。")


def start(document: Document, issued_on: dt.date, by: User) -> None:
    """What the issue sets off: the day of answer, the word to the unit, and what was moved up to this has followed."""
    facts = LetterFacts.from_json(document.facts)
    due = letter_words.reply_due_on(facts, issued_on)
    Letter.objects.filter(document=document).update(reply_due_on=due)
    before = Letter.objects.filter(document__unit=document.unit, moved_up_to=document.kind, followed_on=None)
    before.update(followed_on=issued_on, followed_by=document)
    words = f"收到{document.get_kind_display()}{document.file_number}《{document.title}》：请签收，并于 {due} 前回复。"
    tell_unit(document, "issued", words, by)


def tell_withdrawn(document: Document, reason: str, by: User) -> None:
    tell_unit(document, "withdrawn", f"{document.get_kind_display()}{document.file_number}已作废：{reason}", by)


def address(document: Document) -> str:
    return reverse("letter", args=[document.pk])


def tell_unit(document: Document, key: str, text: str, by: User | None) -> bool:
    """Tell the addressee inside the site, and through the channels of its own."""
    unit = document.unit
    assert unit is not None
    whole = f"letter:{document.pk}:{key}"
    is_new = notices.notify(key=whole, kind=NOTICE, text=text, url=address(document), unit=unit, by=by)
    if is_new:
        for way in Channel.objects.filter(is_active=True, unit=unit):
            channels.deliver(channel=way, key=whole, text=text, by=by)
    return is_new
