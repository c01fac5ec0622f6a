"""How something that a unit must have done by a day stands. Source: the office's own working rules (docs/rules.md)."""

import dataclasses
import datetime as dt

from projects.record_enums import ChaseState


@dataclasses.dataclass(frozen=True, slots=True)
class Standing:
    """State, days past the limit (0: in time or without limit) and the one sentence that every page quotes."""

    state: ChaseState
    overdue_days: int
    sentence: str


def standing(day: dt.date, due_on: dt.date | None, answered_on: dt.date | None, closed_on: dt.date | None) -> Standing:
    """As of `day`; what happened later has not happened. The limit is measured at the answer: a long check makes nobody late."""
    answered_on = answered_on if answered_on and answered_on <= day else None
    closed_on = closed_on if closed_on and closed_on <= day else None
    done_on = answered_on or closed_on
    over = max(0, ((done_on or day) - due_on).days) if due_on else 0
    late = f"，超时限 {over} 天" if over else "，在时限内" if due_on else ""
    if closed_on:
        return Standing(ChaseState.CLOSED, over, f"{closed_on} 办结{late}")
    if answered_on:
        return Standing(ChaseState.ANSWERED, over, f"{answered_on} 已反馈，待核{late}")
    if over:
        return Standing(ChaseState.LATE, over, f"应于 {due_on} 完成，已逾期 {over} 天")
    if due_on is None:
        return Standing(ChaseState.OPEN, 0, "未定时限")
    left = (due_on - day).days
    return Standing(ChaseState.OPEN, 0, f"应于 {due_on} 完成，还有 {left} 天" if left else f"今天（{due_on}）到期")
