"""What other thresholds would have said: the facts of a year read once, the rules run twice. Nothing is written."""

import dataclasses
import datetime as dt
import functools
from collections import Counter
from collections.abc import Iterable

from ledgers.enums import Measure
from ledgers.measures import facts, rules
from ledgers.measures.rules import Material, Verdict
from linfen_water import clock, policy, trail
from linfen_water.policy import TERMS, Values

WEEKS = 52
MOVABLE = (
    "due_days", "warn_points", "behind_points", "far_behind_points", "late_weeks", "late_window_weeks", "bottom_ranks", "silent_weeks",
    "after_talk_days", "grave_letters",
)  # fmt: skip


@dataclasses.dataclass(frozen=True, slots=True)
class Count:
    """One measure now and by the moved thresholds: verdicts today, and (unit, month) pairs of the year that it would have met."""

    measure: Measure
    now: int
    then: int
    year_now: int
    year_then: int

    @property
    def change(self) -> int:
        return self.then - self.now

    @property
    def year_change(self) -> int:
        return self.year_then - self.year_now


@dataclasses.dataclass(frozen=True, slots=True)
class UnitYear:
    """In how many months of the year a unit would have met each measure, now and by the moved thresholds."""

    unit: str
    cells: tuple[tuple[int, int], ...]  # in the order of the measures


@dataclasses.dataclass(frozen=True, slots=True)
class Outcome:
    """What moving thresholds does."""

    counts: list[Count]
    gained: list[Verdict]  # of today
    lost: list[Verdict]
    units: list[UnitYear]
    weeks: list[tuple[dt.date, int, int]]  # verdicts that call for a letter, week by week


def year_of(day: dt.date) -> tuple[Material, ...]:
    """The weekly materials of the year up to `day`; kept while the facts are the same, for about an hour."""
    return _year(day, clock.now().replace(minute=0, second=0, microsecond=0), trail.state())


@functools.lru_cache(maxsize=2)
def _year(day: dt.date, hour: dt.datetime, state: str) -> tuple[Material, ...]:
    return tuple(facts.read(facts.weekly_days(day, WEEKS)))


def read_values(given: dict[str, str], base: Values) -> tuple[Values, list[str]]:
    """`base` with the thresholds that a person moved, and what is wrong with them as sentences."""
    faults, moved = [], {}
    for name in MOVABLE:
        text, term = given.get(name, "").strip(), TERMS[name]
        if not text:
            continue
        if not text.isascii() or not text.isdigit() or len(text) > 4 or not term.low <= int(text) <= term.high:
            faults.append(f"“{term.label}”须是{term.low}到{term.high}之间的整数。")
            continue
        moved[name] = int(text)
    values = dataclasses.replace(base, **moved)  # type: ignore[arg-type]
    faults += [sentence for _, sentence in policy.faults(values)] if not faults else []
    return values, faults


def simulate(materials: tuple[Material, ...], moved: Values) -> Outcome:
    """Run the rules by the thresholds in force on each day and by the moved ones."""
    in_force = policy.values_on_each([material.day for material in materials])
    changed = {name: getattr(moved, name) for name in MOVABLE}
    now = [rules.judge(material, in_force[material.day]) for material in materials]
    then = [rules.judge(material, dataclasses.replace(in_force[material.day], **changed)) for material in materials]
    months_now, months_then = (_months(materials, found) for found in (now, then))
    return Outcome(
        counts=[
            Count(
                m,
                *(sum(v.measure == m for v in found[-1]) for found in (now, then)),
                *(len(months[m]) for months in (months_now, months_then)),
            )
            for m in Measure
        ],
        gained=_without(then[-1], now[-1]),
        lost=_without(now[-1], then[-1]),
        units=_units(months_now, months_then),
        weeks=[(m.day, _letters(a), _letters(b)) for m, a, b in zip(materials, now, then, strict=True)],
    )


def _today(found: list[list[Verdict]], measure: Measure) -> int:
    return sum(verdict.measure == measure for verdict in found[-1])


def _letters(found: Iterable[Verdict]) -> int:
    return sum(verdict.measure in rules.REPLY_DAYS for verdict in found)


def _without(found: list[Verdict], others: list[Verdict]) -> list[Verdict]:
    """Verdicts that are not among `others`: the same rule on the same subject is the same, whatever its evidence."""
    known = {(verdict.rule, verdict.subject) for verdict in others}
    return [verdict for verdict in found if (verdict.rule, verdict.subject) not in known]


def _months(materials: Iterable[Material], found: Iterable[list[Verdict]]) -> dict[Measure, set[tuple[str, str]]]:
    """{measure: {(unit, month)}}: a unit that meets a measure in several weeks of a month meets it once."""
    met: dict[Measure, set[tuple[str, str]]] = {measure: set() for measure in Measure}
    for material, verdicts in zip(materials, found, strict=True):
        for verdict in verdicts:
            met[verdict.measure].add((verdict.unit, f"{material.day:%Y-%m}"))
    return met


def _units(now: dict[Measure, set[tuple[str, str]]], then: dict[Measure, set[tuple[str, str]]]) -> list[UnitYear]:
    counted = [{m: Counter(unit for unit, _ in months[m]) for m in Measure} for months in (now, then)]
    units = sorted({unit for months in (now, then) for pairs in months.values() for unit, _ in pairs})
    return [UnitYear(unit, tuple((counted[0][m][unit], counted[1][m][unit]) for m in Measure)) for unit in units]
