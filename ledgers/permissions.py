"""Who may do what with ledgers and on `/`. Which rows a ledger shows is said by its queryset."""

from ledgers.enums import DocumentState
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
    """Papers that `user` may read: issued ones go to the whole city, all others only to the office and the leaders."""
    return Document.objects.all() if sees_drafts(user) else Document.objects.filter(state=DocumentState.ISSUED)


def may_share_views(user) -> bool:
    """Views for everyone, columns and ledgers of its own are the office's to make."""
    return base.is_office(user)
