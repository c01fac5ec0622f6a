"""How a problem stands on a day, and whether its level of help must change. Source: the office's four levels of help (docs/rules.md).

Values in, verdict out: no ORM, no settings, no clock. Days of a level are working days; the caller counts them.
"""

import dataclasses
import datetime as dt

from django.db import models

from projects.enums import HelpLevel, ProblemState

# What may be typed; the columns hold as much.
OPINION_LENGTH, BASIS_LENGTH = 500, 200


class Standing(models.TextChoices):
    """Whom a problem waits for, and whether it has waited too long."""

    OVER = "over", "已销号"
    TO_CHECK = "to_check", "待核查"
    DUE_UP = "due_up", "应升级"
    OVERDUE_LAST = "overdue_last", "四级超期"
    LATE = "late", "超整改时限"
    SOON = "soon", "临近期限"
    IN_TIME = "in_time", "期限内"


LATE = (Standing.DUE_UP, Standing.OVERDUE_LAST, Standing.LATE)


@dataclasses.dataclass(frozen=True, slots=True)
class Verdict:
    """How a problem stands, with the sentence that list, page, notice and ledger quote."""

    standing: Standing
    sentence: str

    @property
    def is_late(self) -> bool:
        return self.standing in LATE


@dataclasses.dataclass(frozen=True, slots=True)
class Stay:
    """A problem's time at the level where it is: `days` of `allowed` working days are used, it must be settled by `due_on`."""

    level: HelpLevel
    entered_on: dt.date
    due_on: dt.date
    days: int
    days_over: int = 0


def state(day: dt.date, begun_on: dt.date | None, answered_on: dt.date | None, closed_on: dt.date | None) -> ProblemState:
    """待办 until somebody begins, 办理 until it is said to be solved, 待核 until the office closes it out."""
    for on, reached in ((closed_on, ProblemState.CLOSED), (answered_on, ProblemState.ANSWERED), (begun_on, ProblemState.HANDLING)):
        if on is not None and on <= day:
            return reached
    return ProblemState.WAITING


def is_overdue(day: dt.date, due_on: dt.date | None, answered_on: dt.date | None, closed_on: dt.date | None) -> bool:
    """Whether an open problem is past its own limit; who handed the result in by then is not late, however long the check takes."""
    if due_on is None or (closed_on is not None and closed_on <= day):
        return False
    return due_on < (answered_on if answered_on is not None and answered_on <= day else day)


def short(level: int) -> str:
    """一级"""
    return HelpLevel(level).label.partition("：")[0]


def verdict(day: dt.date, now: ProblemState, stay: Stay | None, due_on: dt.date | None, *, overdue: bool) -> Verdict:
    """How a problem stands on `day`. Past a level's days it must move up, which a person does; at the last level it stays, marked."""
    if now == ProblemState.CLOSED:
        return Verdict(Standing.OVER, "已销号。")
    if now == ProblemState.ANSWERED:
        late = f"（整改时限 {due_on}，报请时已超期）" if overdue else ""
        return Verdict(Standing.TO_CHECK, f"承办单位已报请核查，待专班办核查销号{late}。")
    if stay is not None and stay.due_on < day:
        been = f"在{HelpLevel(stay.level).label}已 {stay.days} 个工作日，超过本级期限（{stay.due_on}）{stay.days_over} 个工作日"
        if stay.level < HelpLevel.PROVINCE:
            return Verdict(Standing.DUE_UP, f"{been}，应提请升至{HelpLevel(stay.level + 1).label}。")
        return Verdict(Standing.OVERDUE_LAST, f"{been}，已是最高一级，请催办。")
    if overdue and due_on is not None:
        return Verdict(Standing.LATE, f"整改时限 {due_on} 已过 {(day - due_on).days} 天。")
    ends = [on for on in (stay.due_on if stay else None, due_on) if on is not None]
    if not ends:
        return Verdict(Standing.IN_TIME, "未定时限。")
    nearest = min(ends)
    left = (nearest - day).days
    what = "本级期限" if stay is not None and nearest == stay.due_on else "整改时限"
    if left <= 1:
        return Verdict(Standing.SOON, f"{what} {nearest} {'今天' if left == 0 else '明天'}到期。")
    return Verdict(Standing.IN_TIME, f"{what} {nearest}，还有 {left} 天。")


def moves(level: int) -> list[HelpLevel]:
    """Levels that a problem may go to from `level`: the next one up, or any one below."""
    return [other for other in HelpLevel if other < level or other == level + 1]


def next_code(year: int, last: str | None) -> str:
    """WT-2025-014 after WT-2025-013; the first of a year is 001."""
    number = int(last.rpartition("-")[2]) + 1 if last else 1
    return f"WT-{year}-{number:03}"
