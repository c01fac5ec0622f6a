"""Readings of the demo: one manual sample a month and section, whose judged classes give what was published for the years."""

import datetime as dt
import random
from decimal import ROUND_HALF_EVEN, Decimal

from django.utils import timezone

from linfen_water.dates import add_months, month_start
from monitoring import limits, services
from monitoring.enums import PeriodKind, WaterBody, WaterClass
from monitoring.models import Assessment, Reading, Section, SectionTarget
from projects.demo.promise import Promise
from projects.regions.pack import Pack

SOURCE = "演示数据"
SAMPLED_DAY, SAMPLED_HOUR = 6, 10
PUBLISHED_DAY = 10  # a month's result, in the next month
YEAR_PUBLISHED_DAY = 24  # a year's result, in January

# Usual yearly mean by class: mg/L, pH without unit. A class is decided by two or three items, the rest stay good.
LEVELS = {
    WaterClass.I: {"ph": "8.1", "do": "9.8", "codmn": "1.5", "nh3n": "0.08", "tp": "0.015", "cod": "8", "bod5": "1.2", "f": "0.35"},
    WaterClass.II: {"ph": "8.1", "do": "9.4", "codmn": "2.6", "nh3n": "0.24", "tp": "0.062", "cod": "11", "bod5": "1.8", "f": "0.42"},
    WaterClass.III: {"ph": "8.0", "do": "8.6", "codmn": "4.6", "nh3n": "0.56", "tp": "0.128", "cod": "16", "bod5": "2.9", "f": "0.66"},
    WaterClass.IV: {"ph": "7.9", "do": "7.4", "codmn": "6.1", "nh3n": "1.12", "tp": "0.215", "cod": "23", "bod5": "4.3", "f": "0.98"},
    WaterClass.V: {"ph": "7.8", "do": "6.6", "codmn": "7.6", "nh3n": "1.62", "tp": "0.285", "cod": "31", "bod5": "5.6", "f": "1.12"},
}  # fmt: skip
LAKE_PHOSPHORUS = {WaterClass.I: "0.006", WaterClass.II: "0.016", WaterClass.III: "0.034", WaterClass.IV: "0.072", WaterClass.V: "0.14"}
# A water grows better or worse over the winter, not overnight: months of the change, centred on New Year.
CHANGE_MONTHS = 6
WET_OR_DRY = 16  # percent by which a month's flow moves all concentrations of a section together
# Percent of the yearly mean by month: ammonia rises in winter, organics in summer, oxygen falls in summer.
SEASON = {
    "nh3n": (140, 132, 112, 98, 88, 82, 78, 80, 86, 94, 110, 128),
    "do": (122, 118, 110, 102, 96, 88, 84, 84, 90, 98, 106, 116),
    "codmn": (92, 92, 96, 100, 104, 108, 112, 110, 104, 98, 94, 90),
    "cod": (94, 94, 97, 100, 103, 107, 110, 108, 103, 98, 94, 92),
    "tp": (90, 90, 94, 98, 102, 110, 118, 114, 106, 98, 92, 88),
}
SCATTER = {"ph": 3, "do": 8, "f": 9}  # percent each way; the others scatter more
USUAL_SCATTER = 15
DETECTION = {"nh3n": Decimal("0.025"), "tp": Decimal("0.01")}  # values below are written as "below detection"


def pour(pack: Pack, promise: Promise) -> None:
    """Give sections their X items and targets, their readings since the first year, and all assessments due by today."""
    names = [row["name"] for row in pack.sections if row["name"] in promise.sections]
    sections = {section.name: section for section in Section.objects.filter(name__in=names)}
    ordered = [sections[name] for name in names]
    for section in ordered:
        section.x_items = promise.sections[section.name].get("x_items", [])
    Section.objects.bulk_update(ordered, ["x_items"])
    years = sorted(promise.good_sections)
    SectionTarget.objects.bulk_create(
        SectionTarget(section=section, year=year, water_class=promise.sections[section.name]["target"])
        for section in ordered
        if "target" in promise.sections[section.name]
        for year in (*years, promise.today.year)
    )
    months = _months(dt.date(years[0], 1, 1), month_start(promise.today))
    readings = [reading for section in ordered for month in months for reading in _sample(section, month, promise)]
    Reading.objects.bulk_create(readings, batch_size=1000)
    services.assess_all(sections=ordered, periods=_periods(months, years, promise.today), source=SOURCE)


def _months(first: dt.date, end: dt.date) -> list[dt.date]:
    """First days of the months from `first` up to `end`, without it."""
    months = []
    while first < end:
        months.append(first)
        first = add_months(first, 1)
    return months


def _periods(months: list[dt.date], years: list[int], today: dt.date) -> list[tuple[str, dt.date, dt.date]]:
    due = [(PeriodKind.MONTH, month, add_months(month, 1).replace(day=PUBLISHED_DAY)) for month in months]
    due += [(PeriodKind.YEAR, dt.date(year, 1, 1), dt.date(year + 1, 1, YEAR_PUBLISHED_DAY)) for year in years]
    return [period for period in due if period[2] <= today]


def _sample(section: Section, month: dt.date, promise: Promise) -> list[Reading]:
    """One sample: the five items and the section's X; none when the river was frozen or dry."""
    plan = promise.sections[section.name]
    if f"{month:%Y-%m}" in plan.get("frozen", []) + plan.get("no_flow", []):
        return []
    dice = promise.dice("water", section.name, month)
    flow = 100 + Decimal(dice.randint(-10 * WET_OR_DRY, 10 * WET_OR_DRY)) / 10
    levels = _levels(plan["like"], month, max(promise.good_sections), section.water_body)
    at = timezone.make_aware(dt.datetime.combine(month.replace(day=SAMPLED_DAY + dice.randint(0, 3)), dt.time(SAMPLED_HOUR)))
    return [_reading(section, at, key, levels[key], flow, dice) for key in (*limits.FIVE, *section.x_items)]


def _levels(like: dict[str, str], month: dt.date, last_year: int, water_body: str) -> dict[str, Decimal]:
    """The usual values of a month, on the way from one year's to the next one's; after `last_year` as in it.

    A year is like a class, or between two: "3.2" is Ⅲ with a fifth of the way to Ⅳ.
    """

    def of(year: int, key: str) -> Decimal:
        likeness = Decimal(like[str(min(year, last_year))])
        water_class, share = WaterClass(int(likeness)), likeness % 1
        worse = WaterClass(water_class + 1) if share else water_class
        return _level(key, water_class, water_body) * (1 - share) + _level(key, worse, water_body) * share

    half = CHANGE_MONTHS // 2
    before, after = (month.year - 1, month.year) if month.month <= half else (month.year, month.year + 1)
    done = Decimal(month.month + half if month.month <= half else max(month.month - 12 + half, 0)) / CHANGE_MONTHS
    if str(before) not in like:
        before = after
    return {key: of(before, key) * (1 - done) + of(after, key) * done for key in LEVELS[WaterClass.I]}


def _level(key: str, water_class: WaterClass, water_body: str) -> Decimal:
    is_lake_phosphorus = key == "tp" and water_body == WaterBody.LAKE
    return Decimal(LAKE_PHOSPHORUS[water_class] if is_lake_phosphorus else LEVELS[water_class][key])


def _reading(section: Section, at: dt.datetime, key: str, level: Decimal, flow: Decimal, dice: random.Random) -> Reading:
    season = SEASON.get(key, (100,) * 12)[timezone.localtime(at).month - 1]
    scatter = SCATTER.get(key, USUAL_SCATTER)
    value = level * season / 100 * (100 + Decimal(dice.randint(-10 * scatter, 10 * scatter)) / 10) / 100
    if key not in ("ph", "do"):
        value = value * flow / 100
    limit = limits.table().of(key, section.water_body)
    value = value.quantize(Decimal(1).scaleb(-(limit.decimals or 0) - (key in ("ph", "codmn"))), ROUND_HALF_EVEN)
    is_below = key in DETECTION and value < DETECTION[key]
    return Reading(
        section=section, sampled_at=at, parameter=key, value=DETECTION[key] if is_below else value,
        is_below_detection=is_below, source=SOURCE,
    )  # fmt: skip


def good_in(year: int, day: dt.date) -> tuple[int, int]:
    """How many national sections were good in `year`, of how many that were evaluated."""
    classes = [
        c
        for c in Assessment.objects.of_year(year, day).filter(section__in=Section.objects.national()).values_list("water_class", flat=True)
        if c
    ]
    return sum(c <= WaterClass.III for c in classes), len(classes)
