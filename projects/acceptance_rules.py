"""When a finished plant has proven its effect (达效). Source: docs/rules.md, the office's own; thresholds are policy, [D]."""

import dataclasses
import datetime as dt
from collections.abc import Iterable
from decimal import Decimal


@dataclasses.dataclass(frozen=True, slots=True)
class Load:
    """The load of one day, percent of the design; `is_effluent_ok` None = not said."""

    on: dt.date
    percent: Decimal
    is_effluent_ok: bool | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Effect:
    """The day on which the effect was proven, and the one sentence that every page quotes."""

    on: dt.date | None
    sentence: str


def effect(loads: Iterable[Load], day: dt.date, *, over_percent: int, days: int, gap_days: int) -> Effect:
    """Proven on the day on which the load had been above `over_percent` for `days` days on end, effluent never over its limits.

    A run of readings is broken by one at or below the threshold, by one whose effluent failed, and by more than `gap_days`
    without a reading.
    """
    known = sorted((load for load in loads if load.on <= day), key=lambda load: load.on)
    if not known:
        return Effect(None, "没有运行负荷记录")
    start: dt.date | None = None
    last: dt.date | None = None
    for load in known:
        if load.percent <= over_percent or load.is_effluent_ok is False:
            start = last = None
            continue
        if start is None or last is None or (load.on - last).days > gap_days:
            start = load.on
        last = load.on
        if (last - start).days + 1 >= days:
            proven = start + dt.timedelta(days=days - 1)
            return Effect(proven, f"{start} 起负荷连续 {days} 天高于 {over_percent}%，{proven} 达效")
    if start is None or last is None:
        return Effect(None, f"最近一次（{known[-1].on}）负荷 {known[-1].percent}%，未连续高于 {over_percent}%")
    return Effect(None, f"{start} 起负荷高于 {over_percent}%，已连续 {(last - start).days + 1} 天，满 {days} 天达效")
