"""Who may log in to the demo: one account a role and unit, one documented password, posts instead of names."""

import datetime as dt

from django.contrib.auth.hashers import make_password

from linfen_water.enums import Role, UnitKind
from linfen_water.models import Unit, User

DEMO_PASSWORD = "yihong-demo-2025"  # for the demo only: `demo` refuses a database that an office works in

_UNIT_ROLES = {
    UnitKind.OFFICE: (Role.OFFICE, "综合科科长"),
    UnitKind.DEPARTMENT: (Role.DEPARTMENT, "业务科科长"),
    UnitKind.COUNTY: (Role.COUNTY, "填报员"),
}


def demo_accounts() -> list[tuple[str, Role, str | None, str]]:
    """`(username, role, unit code, post)`: the leader, then the office, each domain's department, each county and zone.

    A username is the unit's code; a county's has a `c` before it, since it is all digits.
    """
    accounts: list[tuple[str, Role, str | None, str]] = [("leader", Role.LEADER, None, "市领导")]
    for unit in Unit.objects.order_by("position", "code"):
        if unit.kind not in _UNIT_ROLES or (unit.kind == UnitKind.DEPARTMENT and unit.domain_id is None):
            continue
        role, post = _UNIT_ROLES[unit.kind]
        accounts.append((f"c{unit.code}" if unit.kind == UnitKind.COUNTY else unit.code, role, unit.code, post))
    return accounts


def make_accounts(*, at: dt.datetime) -> dict[str, User]:
    """Make the accounts, which must not exist yet; by unit code (the leader by its username)."""
    units = {unit.code: unit for unit in Unit.objects.all()}
    password = make_password(DEMO_PASSWORD)  # hashed once: the password is in the README anyway
    rows = [
        User(username=name, role=role, unit=units.get(code), post=post, password=password, date_joined=at)
        for name, role, code, post in demo_accounts()
    ]
    User.objects.bulk_create(rows)
    return {user.unit.code if user.unit else user.username: user for user in rows}
