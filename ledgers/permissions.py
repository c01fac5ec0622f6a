"""Who may do what with ledgers and on `/`. Which rows a ledger shows is said by its queryset."""

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
