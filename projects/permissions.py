"""Who may see or do what with projects and dispatches. Rows are scoped by querysets, so a foreign row is simply not found."""

import datetime as dt

from linfen_water import policy
from linfen_water.permissions import is_county, is_department, is_office
from projects.models import Project


def visible_projects(user, today: dt.date):
    """Projects that `user` may read: the one way that every view scopes its rows.

    By the policy of today, never of the day that is looked at: an address with `as_of` opens nothing that is closed now.
    """
    return Project.objects.visible_to(user, counties_read_others=policy.values_on(today).counties_read_others)


def dispatched_projects(user):
    """Projects whose dispatch `user` may write."""
    return Project.objects.dispatched_by(user)


def reviewed_projects(user):
    """Projects whose dispatch `user` may accept or return: the office all, a department its domain."""
    if is_office(user):
        return Project.objects.all()
    if is_department(user):
        return Project.objects.filter(domain=user.unit.domain_id)
    return Project.objects.none()


def may_dispatch(user) -> bool:
    return is_office(user) or is_county(user)


def may_review(user) -> bool:
    return is_office(user) or is_department(user)


def may_edit_projects(user) -> bool:
    """Facts of a project and its stage are the office's to change."""
    return is_office(user)


def may_edit_funds(user) -> bool:
    """Sources, planned amounts and allocation papers are the office's to keep; what arrives is reported by the counties."""
    return is_office(user)


def is_whole_city(user, today: dt.date) -> bool:
    """Whether `user` reads every project, so that sums over what they see are those of the city."""
    return not is_county(user) or policy.values_on(today).counties_read_others
