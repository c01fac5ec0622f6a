"""Who may do what, as named predicates. Which rows a person sees is said by the querysets (`visible_to`, `editable_by`)."""

from linfen_water.enums import Role


def is_office(user) -> bool:
    return user.is_authenticated and user.role == Role.OFFICE


def is_county(user) -> bool:
    return user.is_authenticated and user.role == Role.COUNTY


def is_department(user) -> bool:
    return user.is_authenticated and user.role == Role.DEPARTMENT


def is_leader(user) -> bool:
    return user.is_authenticated and user.role == Role.LEADER


def scope_key(user) -> str:
    """What a cached answer may be shared by: everyone of one scope sees the same rows."""
    return f"{user.role}:{user.unit_id or 0}"
