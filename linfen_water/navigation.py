"""The entries of the main navigation, by role."""

import dataclasses

from django.urls import reverse

from linfen_water.enums import Role

# label, address name, arguments, roles that see it (None = all)
ENTRIES = [
    ("今日", "today", [], None),
    ("周调度", "dispatch", [], {Role.OFFICE, Role.COUNTY, Role.DEPARTMENT}),
    ("报送情况", "board", [], None),
    ("问题", "problems", [], None),
    ("项目", "projects", [], None),
    ("手续", "permits", [], None),
    ("资金", "funds", [], None),
    ("挂图", "wall", [], None),
    ("断面", "sections", [], None),
    ("会议", "meetings", [], None),
    ("台账", "ledgers", [], None),
    ("文件", "documents", [], None),
    ("用户", "accounts", [], {Role.OFFICE}),
]


# Lies under 用户 by its address, but is everyone's own.
ELSEWHERE = {"password_change"}


@dataclasses.dataclass(frozen=True)
class Entry:
    label: str
    url: str
    is_here: bool


def entries(user, path: str) -> list[Entry]:
    """What `user` finds in the navigation, with the entry that `path` lies under marked."""
    if not user.is_authenticated:
        return []
    if path in {reverse(name) for name in ELSEWHERE}:
        path = ""
    shown = [(label, reverse(name, args=args)) for label, name, args, roles in ENTRIES if roles is None or user.role in roles]
    over = [url for _, url in shown if path == url or (url != "/" and path.startswith(url))]
    here = max(over, key=len, default=None)  # of two that the path lies under the nearer one
    return [Entry(label, url, url == here) for label, url in shown]
