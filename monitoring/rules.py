"""How values become a water class. Sources: GB 3838-2002 table 1; 环办〔2011〕22号; 环办监测函〔2020〕82号.

Values in, verdict out: no ORM, no settings, no clock. Concentrations are Decimals in the unit of the limits table;
the limits are an argument (`limits.table()`). Nothing here rounds a value except `mean`, which speaks for a period.
"""

import dataclasses
from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal

from monitoring.enums import Rating, WaterBody, WaterClass
from monitoring.limits import Limit, Limits

# They lead the main pollutants whenever they exceed (环办〔2011〕22号 2.1 [check]).
CYANIDE_AND_HEAVY_METALS = frozenset({"cn", "hg", "cd", "cr6", "pb", "as", "cu", "zn"})
MAIN_POLLUTANTS_SHOWN = 3

RATINGS = {
    WaterClass.I: Rating.EXCELLENT,
    WaterClass.II: Rating.EXCELLENT,
    WaterClass.III: Rating.GOOD,
    WaterClass.IV: Rating.LIGHT,
    WaterClass.V: Rating.MODERATE,
    WaterClass.WORSE_THAN_V: Rating.HEAVY,
}


def classify(limit: Limit, value: Decimal) -> WaterClass:
    """Return the best class whose limit `value` meets; a value equal to the limit meets it."""
    if limit.direction == "range":
        low, high = limit.values
        return WaterClass.I if low <= value <= high else WaterClass.WORSE_THAN_V
    for water_class, bound in zip(WaterClass, limit.values, strict=False):
        if value <= bound if limit.direction == "le" else value >= bound:
            return water_class
    return WaterClass.WORSE_THAN_V


def exceedance(limit: Limit, value: Decimal, target: WaterClass = WaterClass.III) -> Decimal | None:
    """超标倍数 against `target`: (C - L) / L, one decimal; None for pH and dissolved oxygen, which have none."""
    if limit.direction != "le":
        return None
    bound = limit.values[target - 1]
    return ((value - bound) / bound).quantize(Decimal("0.1"), ROUND_HALF_UP)


@dataclasses.dataclass(frozen=True)
class Judgement:
    """What one set of values amounts to."""

    water_class: WaterClass | None  # None: nothing measured, or an item that should be there is missing
    items: tuple[str, ...]  # the items the class was judged by, in the order of the standard
    deciding_items: tuple[str, ...]  # those of them that are as bad as the section
    main_pollutants: tuple[tuple[str, Decimal | None], ...]  # worse than Ⅲ only: item and multiple against Ⅲ, worst first
    missing: tuple[str, ...]  # items that should have a value and have none

    @property
    def rating(self) -> Rating | None:
        return rating(self.water_class)


def judge(values: Mapping[str, Decimal | None], limits: Limits, water_body: str = WaterBody.RIVER) -> Judgement:
    """A water is as bad as its worst assessed item.

    An item that `values` does not name is not monitored there and is left out; one whose value is None is missing,
    and then there is no class. Items outside the 21 assessed (total nitrogen among them) never matter.
    """
    assessed = {key: limit for key in limits.order if key in values and (limit := limits.of(key, water_body)) and limit.is_assessed}
    missing = tuple(key for key in assessed if values[key] is None)
    classes = {key: classify(limit, value) for key, limit in assessed.items() if (value := values[key]) is not None}
    worst = max(classes.values(), default=None)
    if worst is None or missing:
        return Judgement(None, tuple(classes), (), (), missing)
    multiples = {key: exceedance(assessed[key], values[key]) for key in classes}  # type: ignore[arg-type]
    return Judgement(
        water_class=worst,
        items=tuple(classes),
        deciding_items=tuple(key for key, water_class in classes.items() if water_class == worst),
        main_pollutants=tuple((key, multiples[key]) for key in main_pollutants(classes, assessed, values)),
        missing=(),
    )


def main_pollutants(classes: Mapping[str, WaterClass], limits: Mapping[str, Limit], values: Mapping[str, Decimal | None]) -> list[str]:
    """The items worse than Ⅲ, worst class first, then by multiple, at most three; cyanide and heavy metals lead."""

    def weight(key: str):
        limit, value = limits[key], values[key]
        exact = value / limit.values[WaterClass.III - 1] if limit.direction == "le" and value is not None else Decimal(0)
        return key not in CYANIDE_AND_HEAVY_METALS, -classes[key], -exact

    return sorted((key for key, c in classes.items() if c > WaterClass.III), key=weight)[:MAIN_POLLUTANTS_SHOWN]


def rating(water_class: WaterClass | None) -> Rating | None:
    """The quality word of a class: 优 for Ⅰ and Ⅱ, 良好 for Ⅲ …; None where there is no class."""
    return None if water_class is None else RATINGS[water_class]


def is_good(water_class: WaterClass | None) -> bool:
    """优良: Ⅰ to Ⅲ. A water without a class is not good, and not counted among the evaluated either."""
    return water_class is not None and water_class <= WaterClass.III


def meets_target(water_class: WaterClass | None, target: WaterClass | None) -> bool | None:
    """达标: not worse than the target; None when either is unknown."""
    return None if water_class is None or target is None else water_class <= target


def for_mean(value: Decimal, is_below_detection: bool) -> Decimal:
    """What a reading counts for in a mean: half the detection limit when it lies below it."""
    return value / 2 if is_below_detection else value


def mean(key: str, values: Iterable[Decimal]) -> Decimal | None:
    """Arithmetic mean of a period, not rounded; pH by its hydrogen ions; None of nothing, never zero."""
    numbers = list(values)
    if not numbers:
        return None
    if key == "ph":
        return -(sum((Decimal(10) ** -v for v in numbers), Decimal(0)) / len(numbers)).log10()
    return sum(numbers, Decimal(0)) / len(numbers)


def rounded_for_assessment(limit: Limit, value: Decimal) -> Decimal:
    """A period's mean as it is judged and printed: half to even, decimals of the item; never a false zero.

    Where rounding gives 0 for a value that is not 0, one significant digit stays (环办监测函〔2020〕82号).
    """
    if limit.decimals is None:
        return value
    result = value.quantize(Decimal(1).scaleb(-limit.decimals), ROUND_HALF_EVEN)
    if result == 0 and value != 0:
        result = value.quantize(Decimal(1).scaleb(value.adjusted()), ROUND_HALF_EVEN)
    return result
