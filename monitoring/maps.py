"""The water layer of the maps: every section with its class as of a day, and the share of good national sections."""

import dataclasses
import datetime as dt
from collections import defaultdict

from monitoring.enums import Level, PeriodKind, WaterClass
from monitoring.models import Assessment, Section, SectionTarget

LEVELS = [Level.NATIONAL, Level.PROVINCIAL, Level.OTHER]  # the order of lists and of drawing


@dataclasses.dataclass(frozen=True)
class SectionState:
    """One section as of a day. `month` is the first day of the month that the class speaks of."""

    pk: int
    name: str
    river: str
    county: str
    level: str
    lon: float
    lat: float
    coord_quality: str
    water_class: int | None  # None: not assessed (未监测), which is not a class
    month: dt.date | None
    target: int | None  # the class to reach in the year of that month; of the day while there is none
    history: tuple[tuple[dt.date, dt.date, int | None], ...]  # (published, month, class), oldest month first

    @property
    def is_national(self) -> bool:
        return self.level == Level.NATIONAL


@dataclasses.dataclass(frozen=True)
class Share:
    """Good (优良, Ⅰ-Ⅲ) of the national sections that were evaluated in a period."""

    good: int
    evaluated: int


def section_states(day: dt.date) -> list[SectionState]:
    """Every section in force on `day`, national ones first. Three queries."""
    sections = Section.objects.in_force(day).select_related("river", "county")
    targets = {(section, year): c for section, year, c in SectionTarget.objects.values_list("section", "year", "water_class")}
    months = _months(day)
    return sorted(
        (_state(section, targets, months.get(section.pk, ()), day) for section in sections),
        key=lambda state: (LEVELS.index(state.level), state.pk),
    )


def _months(day: dt.date) -> dict[int, tuple]:
    """For each section the months assessed and published by `day`, revisions in their order."""
    rows = Assessment.objects.known_by(day).filter(period_kind=PeriodKind.MONTH).order_by("starts_on", "revision")
    found = defaultdict(list)
    for section, published_on, month, water_class in rows.values_list("section", "published_on", "starts_on", "water_class"):
        found[section].append((published_on, month, water_class))
    return {section: tuple(months) for section, months in found.items()}


def _state(section: Section, targets: dict[tuple[int, int], int], history: tuple, day: dt.date) -> SectionState:
    _, month, water_class = history[-1] if history else (None, None, None)
    return SectionState(
        pk=section.pk,
        name=section.name,
        river=section.river.name,
        county=section.county.name,
        level=section.level,
        lon=section.lon,
        lat=section.lat,
        coord_quality=section.coord_quality,
        water_class=water_class,
        month=month,
        target=targets.get((section.pk, (month or day).year)),
        history=history,
    )


def share(classes) -> Share:
    """`classes` of national sections, None = not evaluated, which leaves the denominator."""
    evaluated = [c for c in classes if c is not None]
    return Share(good=sum(c <= WaterClass.III for c in evaluated), evaluated=len(evaluated))


def national_month(states: list[SectionState]) -> dt.date | None:
    """The month that n/9 speaks of: the newest that any national section has."""
    return max((state.month for state in states if state.is_national and state.month), default=None)


def national_share(states: list[SectionState]) -> Share:
    """Of that month alone: a section whose class is older was not evaluated in it."""
    month = national_month(states)
    return share(state.water_class for state in states if state.is_national and state.month == month)


def yearly_shares(day: dt.date) -> dict[int, Share]:
    """The national sections' share for each year published by `day`. One query."""
    rows = Assessment.objects.known_by(day).filter(period_kind=PeriodKind.YEAR, section__level=Level.NATIONAL)
    latest = {}
    for section, starts_on, water_class in rows.order_by("revision").values_list("section", "starts_on", "water_class"):
        latest[starts_on.year, section] = water_class
    return {year: share(c for (y, _), c in latest.items() if y == year) for year in sorted({year for year, _ in latest})}


def layer(states: list[SectionState]) -> dict:
    """GeoJSON of the sections (RFC 7946, WGS84)."""
    return {"type": "FeatureCollection", "features": [_feature(state) for state in states]}


def _feature(state: SectionState) -> dict:
    return {
        "type": "Feature",
        "id": state.pk,
        "geometry": {"type": "Point", "coordinates": [state.lon, state.lat]},
        "properties": {
            "name": state.name,
            "river": state.river,
            "county": state.county,
            "level": Level(state.level).label,
            "class": WaterClass(state.water_class).label if state.water_class else None,
            "month": f"{state.month:%Y-%m}" if state.month else None,
            "target": WaterClass(state.target).label if state.target else None,
            "coord_quality": state.coord_quality,
        },
    }
