"""How a value becomes a water class. Source: GB 3838-2002《地表水环境质量标准》, table 1.

Concentrations are Decimals in the unit of the limits table; the limits are an argument. Nothing here rounds.
"""

from decimal import Decimal

from monitoring.enums import WaterClass
from monitoring.limits import Limit


def classify(limit: Limit, value: Decimal) -> WaterClass:
    """Return the best class whose limit `value` meets; a value equal to the limit meets it."""
    if limit.direction == "range":
        low, high = limit.values
        return WaterClass.I if low <= value <= high else WaterClass.WORSE_THAN_V
    for water_class, bound in zip(WaterClass, limit.values, strict=False):
        if value <= bound if limit.direction == "le" else value >= bound:
            return water_class
    return WaterClass.WORSE_THAN_V
