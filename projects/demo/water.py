"""Water and air of the demo: a manual sample a month and section, whose judged classes give what was published for the years,
the last weeks of the automatic stations at the national sections, and an air ranking. All of it is invented but the shares.
"""

import datetime as dt
import random
from decimal import ROUND_HALF_EVEN, Decimal

from django.utils import timezone

from linfen_water.dates import add_months, month_start
from linfen_water.enums import CountyKind
from linfen_water.models import County
from monitoring import limits, periods, rules, services
from monitoring.enums import Cause, CellFlag, IntakeKind, Level, StationState, WaterBody, WaterClass
from monitoring.models import AirPeriod, AirResult, Assessment, Intake, Interruption, Reading, Section, SectionTarget, StationRecord
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
    intake = Intake.objects.create(kind=IntakeKind.DEMO, name=SOURCE)
    months = _months(dt.date(years[0], 1, 1), month_start(promise.today))
    readings = [reading for section in ordered for month in months for reading in _sample(section, month, promise)]
    for reading in readings:
        reading.intake = intake
    Reading.objects.bulk_create(readings, batch_size=1000)
    Interruption.objects.bulk_create(_interruptions(ordered, promise, intake))
    services.assess_all(sections=ordered, periods=_periods(months, promise.today), source=SOURCE)
    records = [record for section in ordered if section.level == Level.NATIONAL for record in _runs(section, promise)]
    for record in records:
        record.intake = intake
    StationRecord.objects.bulk_create(records, batch_size=1000)
    _air(promise, intake)


def _months(first: dt.date, end: dt.date) -> list[dt.date]:
    """First days of the months from `first` up to `end`, without it."""
    months = []
    while first < end:
        months.append(first)
        first = add_months(first, 1)
    return months


def _periods(months: list[dt.date], today: dt.date) -> list[tuple[periods.Period, dt.date]]:
    """Every period that the months enter, with the day its result was published, as far as that is over by today."""
    due = [(period, _published_on(period)) for period in periods.touched(months, today)]
    return [(period, published_on) for period, published_on in due if published_on <= today]


def _published_on(period: periods.Period) -> dt.date:
    day = YEAR_PUBLISHED_DAY if period.kind == periods.PeriodKind.YEAR else PUBLISHED_DAY
    return add_months(period.ends_on, 1).replace(day=day)


def _interruptions(sections: list[Section], promise: Promise, intake: Intake) -> list[Interruption]:
    return [
        Interruption(section=section, month=dt.date.fromisoformat(f"{month}-01"), cause=cause, note=SOURCE, intake=intake)
        for section in sections
        for cause, name in ((Cause.FROZEN, "frozen"), (Cause.NO_FLOW, "no_flow"))
        for month in promise.sections[section.name].get(name, [])
    ]


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


# ── Automatic stations ───────────────────────────────────────────────────────────────────────────────────────────────
RUNS = (0, 4, 8, 12, 16, 20)  # hours
STATION_DAYS = 45
STATION_ITEMS = (*limits.FIVE, "water_temp", "tn")
WATER_TEMPERATURE = (1, 2, 7, 13, 18, 23, 26, 25, 20, 14, 7, 2)  # ℃ by month
DECIMALS = {"ph": 2, "do": 2, "codmn": 2, "nh3n": 3, "tp": 3, "tn": 2, "water_temp": 1}


def _runs(section: Section, promise: Promise) -> list[StationRecord]:
    """The runs of the last weeks: values that wander from one to the next, some cells missing, some hours of maintenance."""
    dice = promise.dice("station", section.name)
    drift = dict.fromkeys(STATION_ITEMS, Decimal(100))
    records = []
    first = promise.today - dt.timedelta(days=STATION_DAYS)
    maintained = first + dt.timedelta(days=dice.randint(5, STATION_DAYS - 5))
    for n in range(STATION_DAYS):
        day = first + dt.timedelta(days=n)
        levels = _levels(promise.sections[section.name]["like"], month_start(day), max(promise.good_sections), section.water_body)
        levels |= {"water_temp": Decimal(WATER_TEMPERATURE[day.month - 1]), "tn": Decimal("4.2")}
        for hour in RUNS:
            for key in STATION_ITEMS:
                drift[key] = min(max(drift[key] + Decimal(dice.randint(-30, 30)) / 10, Decimal(80)), Decimal(125))
            at = timezone.make_aware(dt.datetime.combine(day, dt.time(hour)))
            is_maintained = day == maintained and hour in RUNS[2:4]
            records.append(_run(section, at, levels, drift, is_maintained, dice))
    return records


def _run(section: Section, at: dt.datetime, levels: dict, drift: dict, is_maintained: bool, dice: random.Random) -> StationRecord:
    values, flags = {}, {}
    for key in STATION_ITEMS:
        lost = dice.random()
        if is_maintained or lost < 0.004:
            flags[key] = CellFlag.EXTREME if lost < 0.001 else CellFlag.MISSING
            continue
        scale = 100 + (drift[key] - 100) / 10 if key == "ph" else drift[key]
        month = timezone.localtime(at).month - 1
        value = levels[key] * SEASON.get(key, (100,) * 12)[month] / 100 * scale / 100
        values[key] = str(value.quantize(Decimal(1).scaleb(-DECIMALS[key]), ROUND_HALF_EVEN))
    cells = {key: Decimal(values[key]) if key in values else None for key in STATION_ITEMS}
    ours = rules.judge(cells, limits.table(), section.water_body).water_class
    # The feed judges as it sees fit: now and then its class is not ours, which is what the list of differences is for.
    feed = min(ours + 1, WaterClass.WORSE_THAN_V) if ours and dice.random() < 0.003 else ours
    state = StationState.MAINTENANCE if is_maintained else StationState.NORMAL
    return StationRecord(section=section, at=at, values=values, flags=flags, state=state, feed_class=feed, water_class=ours)


# ── Air ──────────────────────────────────────────────────────────────────────────────────────────────────────────────
AIR_NOTES = """综合指数越小，空气质量越好；同比变化率为负表示改善。
名次由小到大排列，数值相同的名次并列。
演示数据，不代表任何县（市、区）的实际情况。"""
AIR_PUBLISHED_DAY = 12


def _air(promise: Promise, intake: Intake) -> None:
    """The air ranking of the last months: the month, the year to date, and since October, which is the heating season's campaign."""
    counties = list(County.objects.filter(kind=CountyKind.COUNTY))
    last = add_months(promise.today, -1) if promise.today.day >= AIR_PUBLISHED_DAY else add_months(promise.today, -2)
    for back in range(6):
        month = add_months(last, -back)
        october = dt.date(month.year - (month.month < 10), 10, 1)
        spans = {
            periods.month(month).label: month,
            f"{october.year}年10月以来": october,
            periods.to_date(month).label: dt.date(month.year, 1, 1),
        }
        for label, starts_on in spans.items():
            period, is_new = AirPeriod.objects.get_or_create(
                starts_on=starts_on,
                ends_on=periods.month(month).ends_on,
                defaults={
                    "label": label, "notes": AIR_NOTES, "source": SOURCE, "intake": intake,
                    "published_on": add_months(month, 1).replace(day=AIR_PUBLISHED_DAY),
                },
            )  # fmt: skip
            if is_new:
                AirResult.objects.bulk_create(_air_result(period, county, promise.dice("air", label, county.code)) for county in counties)


def _air_result(period: AirPeriod, county: County, dice: random.Random) -> AirResult:
    winter = 1 if period.ends_on.month in (10, 11, 12, 1, 2, 3) else 0
    composite = Decimal(dice.randint(300, 420) + 90 * winter) / 100
    return AirResult(
        period=period,
        county=county,
        composite_index=composite,
        composite_change=Decimal(dice.randint(-180, 90)) / 10,
        pm25=Decimal(dice.randint(28, 44) + 22 * winter),
        pm25_change=Decimal(dice.randint(-220, 120)) / 10,
    )


def good_in(year: int, day: dt.date) -> tuple[int, int]:
    """How many national sections were good in `year`, of how many that were evaluated."""
    classes = [
        c
        for c in Assessment.objects.of_year(year, day).filter(section__in=Section.objects.national()).values_list("water_class", flat=True)
        if c
    ]
    return sum(c <= WaterClass.III for c in classes), len(classes)
