"""A small land for works and water: the tiny pack's two canals and two sections, with places along them and monthly samples."""

import datetime as dt
from decimal import Decimal

from django.utils import timezone
from pyproj import Geod

from linfen_water.dates import add_months
from monitoring import periods, services
from monitoring.limits import FIVE
from monitoring.models import Reading, Section

MAIN, BRANCH = "清渠", "支渠"  # 清渠 runs from west to east, 支渠 joins it from the north at 41 km
GATE, LAKE = "甲闸", "丙湖心"  # both on 清渠: above and below the mouth of 支渠
GOOD = {"ph": "8.0", "do": "8.0", "codmn": "3.0", "nh3n": "0.40", "tp": "0.020"}
_EARTH = Geod(ellps="WGS84")
_SOURCES = {MAIN: (119.02, 31.15, 90), BRANCH: (119.45, 31.28, 180)}  # lon, lat, direction of the flow


def site(canal: str, km: float, off_km: float = 0) -> dict[str, float]:
    """`lon` and `lat` of a place at `km` from a canal's source, `off_km` away from it."""
    lon, lat, heading = _SOURCES[canal]
    lon, lat, _ = _EARTH.fwd(lon, lat, heading, km * 1000)
    lon, lat, _ = _EARTH.fwd(lon, lat, heading + 90, off_km * 1000)
    return {"lon": lon, "lat": lat}


def measure(section: Section, first: dt.date, count: int, **values: str) -> None:
    """One sample a month from `first`, judged and published on the 10th of the next month; `<0.05`: below that limit."""
    section.x_items = []
    section.save(update_fields=["x_items"])
    months = [add_months(first, n) for n in range(count)]
    Reading.objects.bulk_create(
        Reading(
            section=section, sampled_at=timezone.make_aware(dt.datetime.combine(month.replace(day=6), dt.time(10))), parameter=key,
            value=Decimal(text.lstrip("<")), is_below_detection=text.startswith("<"), source="演示数据",
        )
        for month in months
        for key, text in ({key: GOOD[key] for key in FIVE} | values).items()
    )  # fmt: skip
    due = [(periods.month(month), add_months(month, 1).replace(day=10)) for month in months]
    services.assess_all(sections=[section], periods=due, source="演示数据")
