"""Who may do what with ledgers and on `/`. Which rows a ledger shows is said by its queryset."""

from django.db.models import Q

from ledgers.enums import LETTERS, DocumentState
from ledgers.models import Document
from linfen_water import permissions as base


def may_retry_jobs(user) -> bool:
    """Failed work is the office's to start again."""
    return base.is_office(user)


def sees_drafts(user) -> bool:
    """Papers that are not issued yet concern the office and the leaders."""
    return base.is_office(user) or base.is_leader(user)


def may_issue(user) -> bool:
    """The office drafts, issues and withdraws papers."""
    return base.is_office(user)


def may_write_morning(user) -> bool:
    """The office adds lines of its own to the morning sheet."""
    return base.is_office(user)


def may_take_in(user) -> bool:
    """The office keeps the ledgers: only it takes workbooks in."""
    return base.is_office(user)


def visible_documents(user):
    """Papers that `user` may read: the office and the leaders all; others what was issued to the whole city, and letters to their unit."""
    if sees_drafts(user):
        return Document.objects.all()
    return Document.objects.filter(Q(state=DocumentState.ISSUED) & ~Q(kind__in=LETTERS) | Q(pk__in=received_letters(user).values("pk")))


def received_letters(user):
    """Letters that were issued to the unit of `user`; one that was withdrawn afterwards stays on its record."""
    issued = Document.objects.filter(kind__in=LETTERS, number__isnull=False, issued_at__isnull=False)
    return issued.filter(unit=user.unit_id) if user.unit_id else issued.none()


def visible_letters(user):
    """Letters with all that became of them, of whoever may read them."""
    return visible_documents(user).filter(kind__in=LETTERS, letter__isnull=False)


def may_approve_talks(user) -> bool:
    """约谈 is a leader's to decide."""
    return base.is_leader(user)


def may_answer(user, document) -> bool:
    """Receipt and answer are the addressee's."""
    return (base.is_county(user) or base.is_department(user)) and user.unit_id is not None and user.unit_id == document.unit_id


def may_share_views(user) -> bool:
    """Views for everyone, columns and ledgers of its own are the office's to make."""
    return base.is_office(user)
