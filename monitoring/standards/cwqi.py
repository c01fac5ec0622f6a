"""The city's water index CWQI. Source: 《城市地表水环境质量排名技术规定(试行)》(环办监测〔2017〕51号 [check]).

Each item is averaged over the unit's sections first, then divided by its limit of class Ⅲ; the sum is the index, and
smaller is better. Units are compared on the same items only.
"""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from monitoring.enums import WaterClass
from monitoring.limits import Limit, Limits
from monitoring.standards.assessment_2011_22 import Values
from monitoring.standards.statistics_2020_82 import mean

NEUTRAL_PH = 7


@dataclasses.dataclass(frozen=True, slots=True)
class RankedUnit:
    """A city or county with the period values of its sections by kind of water body."""

    name: str
    sections: Mapping[str, Sequence[Values]]  # "river": …, "lake": …


@dataclasses.dataclass(frozen=True, slots=True)
class Place:
    """A unit's index and rank; both None when it cannot be ranked, and `reason` says why."""

    name: str
    index: Decimal | None
    rank: int | None
    reason: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Ranking:
    """Places, the best first, those without a rank last."""

    places: tuple[Place, ...]
    items: tuple[str, ...]  # the items all ranked units were compared on
    is_reference: bool  # the units' items differ, so only the common ones were used
    reason: str

    @property
    def label(self) -> str:
        return "参考排名" if self.is_reference else "排名"


def item_index(limit: Limit, value: Decimal) -> Decimal | None:
    """One item's part: C/Ⅲ; dissolved oxygen Ⅲ/C, None at 0; pH by its distance from 7 (6 and 9 give 1)."""
    if limit.direction == "range":
        low, high = limit.values
        return (NEUTRAL_PH - value) / (NEUTRAL_PH - low) if value <= NEUTRAL_PH else (value - NEUTRAL_PH) / (high - NEUTRAL_PH)
    bound = limit.values[WaterClass.III - 1]
    if limit.direction == "le":
        return value / bound
    return bound / value if value else None


def items_of(unit: RankedUnit, limits: Limits) -> frozenset[str]:
    """The assessed items that every kind of water body of the unit has a value of."""
    found = [
        frozenset(key for key in limits.order if (limit := limits.of(key, body)) and limit.is_assessed and _mean(sections, key) is not None)
        for body, sections in unit.sections.items()
        if sections
    ]
    return frozenset.intersection(*found) if found else frozenset()


def index(unit: RankedUnit, limits: Limits, items: Iterable[str]) -> Decimal | None:
    """CWQI on `items`, not rounded: rivers and lakes apart, weighted by their numbers of sections [check].

    None when an item has no value or dissolved oxygen is 0.
    """
    total, count = Decimal(0), 0
    keys = tuple(items)
    for body, sections in unit.sections.items():
        if not sections:
            continue
        parts = [_part(limits.of(key, body), _mean(sections, key)) for key in keys]
        present = [part for part in parts if part is not None]
        if not present or len(present) < len(parts):
            return None
        total += sum(present, Decimal(0)) * len(sections)
        count += len(sections)
    return total / count if count else None


def rank(units: Sequence[RankedUnit], limits: Limits) -> Ranking:
    """Rank units by their index, smaller is better, ties share a rank; a unit that was not measured has none.

    Units with different items are compared on the common ones, as 参考排名; without a common item nobody is ranked.
    """
    measured = {unit.name: own for unit in units if (own := items_of(unit, limits))}
    items = tuple(key for key in limits.order if measured and all(key in own for own in measured.values()))
    is_reference = len(set(measured.values())) > 1
    indices = {unit.name: index(unit, limits, items) if unit.name in measured else None for unit in units}
    ranked = [value for value in indices.values() if value is not None]
    places = [
        Place(unit.name, None, None, "未监测" if unit.name not in measured else "没有共同指标或溶解氧为零，不能计算指数")
        if (value := indices[unit.name]) is None
        else Place(unit.name, value, 1 + sum(other < value for other in ranked))
        for unit in units
    ]
    places.sort(key=lambda place: (place.rank is None, place.rank or 0))
    return Ranking(tuple(places), items, is_reference, _reason(items, is_reference, limits))


def _mean(sections: Sequence[Values], key: str) -> Decimal | None:
    return mean(key, [value for values in sections if (value := values.get(key)) is not None])


def _part(limit: Limit | None, value: Decimal | None) -> Decimal | None:
    return None if limit is None or value is None else item_index(limit, value)


def _reason(items: tuple[str, ...], is_reference: bool, limits: Limits) -> str:
    if not items:
        return "各单位没有共同的监测指标，不排名。"
    names = "、".join(map(limits.name, items))
    return f"监测指标不同，只按共同的{len(items)}项（{names}）作参考排名。" if is_reference else f"按{len(items)}项（{names}）排名。"
