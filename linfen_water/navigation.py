"""The navigation, by role: groups on the first line, the pages of the group one is in on the second."""

import dataclasses

from django.urls import reverse

from linfen_water.enums import Role

OFFICE, COUNTY, DEPARTMENT, LEADER = Role.OFFICE, Role.COUNTY, Role.DEPARTMENT, Role.LEADER

# A group's label and its pages: label, address name, roles that see it (None = all). A group leads to the first page that one sees.
GROUPS = [
    ("今日", [("今日", "today", None), ("待决事项", "lead", {OFFICE, LEADER}), ("碰头会材料", "morning", None)]),
    (
        "调度",
        [
            ("填报与审核", "dispatch", {OFFICE, COUNTY, DEPARTMENT}),
            ("报送情况", "board", None),
            ("一周变化", "week_change", None),
            ("异常提示", "anomalies", None),
            ("月进展计划", "dispatch_plans", None),
            ("填报时间", "dispatch_weeks", None),
            ("规则", "dispatch_policy", None),
        ],
    ),
    (
        "项目",
        [
            ("项目清单", "projects", None),
            ("手续", "permits", None),
            ("资金", "funds", None),
            ("问题", "problems", None),
            ("现场督导", "inspections", None),
            ("进度曲线", "scurve", None),
        ],
    ),
    ("挂图", [("挂图", "wall", None)]),
    ("断面", [("断面", "sections", None)]),
    ("台账", [("台账", "ledgers", None)]),
    ("文书", [("文件", "documents", None), ("函件", "letters", None), ("研判", "measures", None)]),
    ("会议", [("会议", "meetings", None), ("督办", "cases", None), ("考核", "assessment", None), ("日历订阅", "calendar", None)]),
    ("管理", [("用户", "accounts", {OFFICE}), ("提醒渠道", "channels", {OFFICE}), ("留痕", "trail", {OFFICE})]),
]


# Lies under 用户 by its address, but is everyone's own.
ELSEWHERE = {"password_change"}


@dataclasses.dataclass(frozen=True)
class Entry:
    label: str
    url: str
    is_here: bool


@dataclasses.dataclass(frozen=True)
class Navigation:
    """`groups` for the first line; `pages` of the group that the path lies in, when it has more than one."""

    groups: tuple[Entry, ...] = ()
    pages: tuple[Entry, ...] = ()


def navigation(user, path: str) -> Navigation:
    """What `user` finds, with the group and the page that `path` lies under marked."""
    if not user.is_authenticated:
        return Navigation()
    if path in {reverse(name) for name in ELSEWHERE}:
        path = ""
    shown = [(label, _shown(pages, user)) for label, pages in GROUPS]
    here = _nearest([url for _, pages in shown for _, url in pages], path)
    groups, beside = [], []
    for label, pages in shown:
        if pages:
            is_here = here in [url for _, url in pages]
            groups.append(Entry(label, pages[0][1], is_here))
            beside = pages if is_here else beside
    pages = [Entry(label, url, url == here) for label, url in beside]
    return Navigation(tuple(groups), tuple(pages) if len(pages) > 1 else ())


def _shown(pages, user) -> list[tuple[str, str]]:
    return [(label, reverse(name)) for label, name, roles in pages if roles is None or user.role in roles]


def _nearest(urls: list[str], path: str) -> str | None:
    """Of the addresses that `path` lies under the longest."""
    over = [url for url in urls if path == url or (url != "/" and path.startswith(url))]
    return max(over, key=len, default=None)
