"""Who may see or do what with projects and dispatches. Rows are scoped by querysets, so a foreign row is simply not found."""

import datetime as dt

from linfen_water import policy
from linfen_water.permissions import is_county, is_department, is_office
from projects import permit_rules
from projects.models import Permit, Project


def visible_projects(user, today: dt.date):
    """Projects that `user` may read: the one way that every view scopes its rows.

    By the policy of today, never of the day that is looked at: an address with `as_of` opens nothing that is closed now.
    """
    return Project.objects.visible_to(user, counties_read_others=is_county(user) and policy.values_on(today).counties_read_others)


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


def permit_fields(user, permit: Permit, *, is_own_project: bool | None = None) -> frozenset[str]:
    """The fields of `permit` that `user` may write; lists tell whether the project is one's own, so that nothing is asked per row."""
    if user is None:  # a command of the office's own machine
        return permit_rules.OFFICE_FIELDS
    if is_own_project is None:
        is_own_project = dispatched_projects(user).filter(pk=permit.project_id).exists()
    return permit_rules.held_fields(
        user.role,
        is_own_project=is_own_project,
        is_authority=user.unit_id is not None and permit.authority_id == user.unit_id,
        is_obtained=permit.obtained_on is not None,
    )


def has_permit_desk(user) -> bool:
    """Whether some permits are this person's to write in: a county's own projects, a department's decisions, the office all."""
    return is_office(user) or is_county(user) or is_department(user)


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
