"""How a value becomes a water class. Source: GB 3838-2002《地表水环境质量标准》, table 1.

Concentrations are Decimals in the unit of the limits table; the limits are an argument. Nothing here rounds.
"""

from bisect import bisect_left
from decimal import Decimal

from monitoring.enums import WaterClass
from monitoring.limits import Limit

CLASSES = tuple(WaterClass)  # best first; the last has no limit of its own


def classify(limit: Limit, value: Decimal) -> WaterClass:
    """Return the best class whose limit `value` meets; a value equal to the limit meets it."""
    if limit.direction == "le":
        return CLASSES[bisect_left(limit.values, value)]
    if limit.direction == "ge":
        return CLASSES[bisect_left(limit.values, value.copy_negate(), key=Decimal.copy_negate)]
    low, high = limit.values
    return WaterClass.I if low <= value <= high else WaterClass.WORSE_THAN_V
