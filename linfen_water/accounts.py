"""Accounts are made, reset and closed by the office. A password is random, shown once, and changed at the first login."""

import secrets

from django.contrib.auth.backends import ModelBackend
from django.db import transaction

from linfen_water import trail
from linfen_water.enums import Role, UnitKind
from linfen_water.models import Unit, User

ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that is mistaken for something else when read aloud
UNIT_KINDS = {Role.COUNTY: {UnitKind.COUNTY}, Role.DEPARTMENT: {UnitKind.DEPARTMENT, UnitKind.COMPANY}, Role.OFFICE: {UnitKind.OFFICE}}


class Refused(Exception):
    """It cannot be done; the text is the Chinese sentence for the person."""


class UnitBackend(ModelBackend):
    """Django's own accounts; whoever is logged in comes with their unit, which nearly every page asks for."""

    def get_user(self, user_id) -> User | None:
        user = User.objects.select_related("unit").filter(pk=user_id).first()
        return user if user is not None and self.user_can_authenticate(user) else None


def random_password() -> str:
    """Sixteen characters in groups of four: about 79 bits."""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(4)) for _ in range(4))


def unit_fault(role: str, unit: Unit | None) -> str:
    """Why `unit` does not fit `role`; empty when it does."""
    kinds = UNIT_KINDS.get(Role(role))
    if kinds is None or (role == Role.OFFICE and unit is None):
        return ""
    if unit is None:
        return f"{Role(role).label}用户必须选择所属单位。"
    if unit.kind not in kinds:
        return f"“{unit}”是{unit.get_kind_display()}，不能作为{Role(role).label}用户的单位。"
    return ""


@transaction.atomic
def create_account(*, username: str, role: str, unit: Unit | None, post: str, by: User | None) -> tuple[User, str]:
    """Make an account and return it with its password, which nobody can read again."""
    if fault := unit_fault(role, unit):
        raise Refused(fault)
    if User.objects.filter(username__iexact=username).exists():
        raise Refused(f"用户名“{username}”已有人使用。")
    password = random_password()
    user = User(username=username, role=role, unit=unit, post=post, must_change_password=True)
    user.set_password(password)
    user.save(force_insert=True)
    _record("account.create", user, by, {"username": [None, username], "role": [None, role], "unit": [None, unit and unit.code]})
    return user, password


@transaction.atomic
def reset_password(*, user: User, by: User) -> str:
    """Give a new random password, returned once; whoever is logged in with the old one is logged out."""
    password = random_password()
    user.set_password(password)
    user.must_change_password = True
    user.save(update_fields=["password", "must_change_password"])
    _record("account.reset", user, by, {})
    return password


@transaction.atomic
def set_active(*, user: User, is_active: bool, by: User) -> None:
    """Close an account or open it again. Rows that name it stay: nobody is ever deleted."""
    user = User.objects.select_for_update().get(pk=user.pk)
    if user.pk == by.pk:
        raise Refused("不能停用自己正在使用的账号。")
    if user.is_active == is_active:
        return
    user.is_active = is_active
    user.save(update_fields=["is_active"])
    _record("account.open" if is_active else "account.close", user, by, {"is_active": [not is_active, is_active]})


def password_changed(user: User) -> None:
    """The person has chosen a password of their own."""
    User.objects.filter(pk=user.pk).update(must_change_password=False)


def _record(action: str, user: User, by: User | None, changes: dict) -> None:
    county = user.unit.county if user.unit else None
    trail.record(action=action, subject=user, by=by, county=county, changes=changes)
