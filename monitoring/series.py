"""What the page of a section reads, as of a day: its published results, one item's values, the runs of its automatic station.

Each function is one query, however many rows there are. Five years of 4-hourly runs (10,950) never leave the database:
beyond `RAW_DAYS` they are summed up there by days.
"""

import dataclasses
import datetime as dt
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Decimal

from django.db.models import Avg, Count, DateField, F, FloatField, Func, Max, Min, Q, Value
from django.db.models.fields.json import KT
from django.db.models.functions import Power
from django.utils import timezone

from linfen_water.dates import add_months, month_start
from monitoring import periods, rules
from monitoring.enums import Cause, CellFlag, PeriodKind, ReadingFlag, StationState, WaterClass
from monitoring.intake.feed import EXTRAS
from monitoring.limits import Limit, Limits
from monitoring.models import Assessment, Reading, River, Section, StationRecord
from monitoring.periods import Period
from monitoring.reports import SectionRow
from monitoring.services import Causes
from monitoring.standards.trend import Trend, trend

YEARS_SHOWN = 3  # in the ribbon of months and in the series of an item
RANGES = {"7d": "近7天", "30d": "近30天", "1y": "近1年", "5y": "近5年"}
RANGE_DAYS = {"7d": 7, "30d": 30, "1y": 365, "5y": 5 * 365 + 1}
RAW_DAYS = 30  # up to this every run is drawn, beyond it each day's mean, lowest and highest
LATEST_RUNS = 6  # a day of them
REFERENCE_MONTHS = 12  # of the means of automatic data beside the national ones
RUN_HOURS = 4
INTERRUPTED = (StationState.MAINTENANCE, StationState.STOPPED)
MOST_READINGS = 400  # in the table of an item's values

Results = Mapping[Period, Assessment]


# ── Published results ────────────────────────────────────────────────────────────────────────────────────────────────
def first_month(day: dt.date) -> dt.date:
    """The first month that ribbon and item series show."""
    return dt.date(day.year - YEARS_SHOWN + 1, 1, 1)


def results(section: Section, day: dt.date) -> dict[Period, Assessment]:
    """The standing assessments of the years shown, and of every whole year, in order of time. One query."""
    shown = Q(starts_on__gte=first_month(day)) | Q(period_kind=PeriodKind.YEAR)
    rows = Assessment.objects.standing(day).filter(shown, section=section).exclude(period_kind=PeriodKind.TO_DATE)
    return {Period(row.starts_on, row.ends_on, row.period_kind): row for row in rows.order_by("starts_on", "ends_on")}


def latest(found: Results) -> Period | None:
    """The last month with a result: what the page calls now. Within the years shown."""
    return max((period for period in found if period.kind == PeriodKind.MONTH), default=None)


def revisions(section: Section, period: Period, day: dt.date) -> list[Assessment]:
    """Every revision of the period's result known by `day`, the last first. One query."""
    known = Assessment.objects.known_by(day).filter(
        section=section, period_kind=period.kind, starts_on=period.starts_on, ends_on=period.ends_on
    )
    return list(known.order_by("-revision"))


@dataclasses.dataclass(frozen=True, slots=True)
class Correction:
    """Values of a period that were corrected in one batch for one reason, by whose post (None: a command or the system)."""

    on: dt.date
    reason: str
    by: str | None
    parameters: tuple[str, ...]


def corrections(section: Section, period: Period) -> list[Correction]:
    """Why values of the period were revised and who did it, as now known, the last first. One query."""
    first = timezone.make_aware(dt.datetime.combine(period.starts_on, dt.time()))
    end = timezone.make_aware(dt.datetime.combine(period.ends_on + dt.timedelta(days=1), dt.time()))
    revised = Reading.objects.filter(section=section, sampled_at__gte=first, sampled_at__lt=end, revision__gt=1)
    found = defaultdict(set)
    for reading in revised.select_related("intake__by__unit").order_by("-intake__at", "parameter"):
        if intake := reading.intake:  # without a batch nobody knows who or when
            key = (timezone.localtime(intake.at).date(), reading.reason, str(intake.by) if intake.by else None)
            found[key].add(reading.parameter)
    return [Correction(*key, tuple(sorted(parameters))) for key, parameters in found.items()]


@dataclasses.dataclass(frozen=True, slots=True)
class Cell:
    """One period of the ribbon. Without a class, `note` says why; blank while nothing is published."""

    period: Period
    water_class: WaterClass | None
    note: str
    revision: int | None
    published_on: dt.date | None

    @property
    def is_corrected(self) -> bool:
        return bool(self.revision and self.revision > 1)


@dataclasses.dataclass(frozen=True, slots=True)
class RibbonYear:
    year: int
    months: tuple[Cell, ...]
    quarters: tuple[Cell, ...]
    whole: Cell
    target: WaterClass | None


def ribbon(found: Results, causes: Causes, targets: Mapping[int, int], day: dt.date) -> list[RibbonYear]:
    """The years shown, the last first: class of every month, quarter and year, gaps with their cause. Pure."""

    def cell(period: Period) -> Cell:
        row = found.get(period)
        water_class = WaterClass(row.water_class) if row and row.water_class else None
        note = "" if water_class else (row.note if row else "") or _gap(period, causes, day, is_new=not found)
        return Cell(period, water_class, note, row.revision if row else None, row.published_on if row else None)

    def year(number: int) -> RibbonYear:
        first_days = [dt.date(number, n, 1) for n in range(1, 13)]
        target = targets.get(number)
        return RibbonYear(
            number,
            tuple(cell(periods.month(on)) for on in first_days),
            tuple(cell(periods.quarter(on)) for on in first_days[::3]),
            cell(periods.year(first_days[0])),
            WaterClass(target) if target else None,
        )

    return [year(number) for number in range(day.year, day.year - YEARS_SHOWN, -1)]


def _gap(period: Period, causes: Causes, day: dt.date, *, is_new: bool = False) -> str:
    """Why a period has no result: its month's cause, 待发布 while it may still come, 未监测 when nothing is known; blank ahead.

    Nothing is waited for at a section that never had a result.
    """
    if period.ends_on > day:
        return ""
    if period.kind == PeriodKind.MONTH and period.starts_on in causes:
        return Cause(causes[period.starts_on]).label
    return "待发布" if period.ends_on >= add_months(day, -1) and not is_new else "未监测"


# ── Along the river ──────────────────────────────────────────────────────────────────────────────────────────────────
@dataclasses.dataclass(frozen=True, slots=True)
class Stop:
    """One place along the river, from source to mouth: a section, or where a tributary comes in."""

    km: float | None
    row: SectionRow | None = None
    tributary: str = ""
    last_of_tributary: SectionRow | None = None  # its last evaluated section before the mouth
    is_here: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Along:
    """The river's sections in order, and the next ones up and down, across mouths too."""

    stops: tuple[Stop, ...]
    upstream: tuple[SectionRow, ...]
    downstream: SectionRow | None
    mouth: str  # name of the river that it flows into
    mouth_km: float | None


def along(section: Section, rows: Sequence[SectionRow], rivers: Iterable[River]) -> Along:
    """Order by km from the source; a section without its km stands last, and has no neighbours. Pure.

    `rows` are all sections in force; upstream are the nearest one on the river and the last ones of the tributaries
    that come in between.
    """
    names = {river.pk: river.name for river in rivers}
    river = section.river
    own = [row for row in rows if row.river == river.name]
    here = section.order_along
    stops = [Stop(row.order_along, row=row, is_here=row.pk == section.pk) for row in own]
    for tributary in rivers:
        if tributary.parent_id == river.pk and tributary.mouth_km is not None and (last := _last_of(rows, tributary.name)):
            stops.append(Stop(tributary.mouth_km, tributary=tributary.name, last_of_tributary=last))
    stops.sort(key=lambda stop: (stop.km is None, stop.km or 0.0))
    upstream, downstream = [], None
    if here is not None:
        above = [row for row in own if row.order_along is not None and row.order_along < here]
        nearest = max(above, key=lambda row: row.order_along or 0.0, default=None)
        since = nearest.order_along if nearest and nearest.order_along is not None else -1.0
        entering = [stop.last_of_tributary for stop in stops if stop.last_of_tributary and stop.km is not None and since < stop.km <= here]
        upstream = [*([nearest] if nearest else []), *entering]
        downstream = _next_down(rows, river.name, here) or (
            _next_down(rows, names[river.parent_id], river.mouth_km) if river.parent_id and river.mouth_km is not None else None
        )
    return Along(tuple(stops), tuple(upstream), downstream, names[river.parent_id] if river.parent_id else "", river.mouth_km)


def _last_of(rows: Iterable[SectionRow], river: str) -> SectionRow | None:
    """An evaluated one if there is any: a section that another has replaced may still be on the list."""
    placed = [row for row in rows if row.river == river and row.order_along is not None]
    placed = [row for row in placed if row.is_evaluated] or placed
    return max(placed, key=lambda row: row.order_along or 0.0, default=None)


def _next_down(rows: Iterable[SectionRow], river: str, km: float) -> SectionRow | None:
    below = [row for row in rows if row.river == river and row.order_along is not None and row.order_along > km]
    return min(below, key=lambda row: row.order_along or 0.0, default=None)


# ── One item ─────────────────────────────────────────────────────────────────────────────────────────────────────────
@dataclasses.dataclass(frozen=True, slots=True)
class Item:
    """An item as the page names it; `limit` is None where the standard sets none for this water body."""

    key: str
    name: str
    unit: str  # blank for pH
    limit: Limit | None
    is_due: bool  # the section's class stands on it


def items(section: Section, found: Results, runs: Iterable[StationRecord], table: Limits) -> list[Item]:
    """What may be chosen: the items due, then all others that results or the station have, in the order of the standard."""
    measured = {key for row in found.values() for key in row.values} | {key for run in runs for key in (*run.values, *run.flags)}
    order = [*table.items, *EXTRAS]
    keys = sorted(
        measured | set(section.due_items), key=lambda key: (key not in section.due_items, order.index(key) if key in order else 999)
    )
    return [item_of(key, section, table) for key in keys]


def measured_items(items: Iterable[Item], runs: Sequence[StationRecord]) -> list[Item]:
    """Those of the items that the runs have a cell of, a missing value counted as well. Pure."""
    keys = {key for run in runs for key in (*run.values, *run.flags)}
    return [item for item in items if item.key in keys]


def item_of(key: str, section: Section, table: Limits) -> Item:
    known = table.items.get(key) or EXTRAS.get(key)
    name, unit = (known.name.split("(")[0], known.unit) if known else (key, "")
    return Item(key, name, "" if key == "ph" else unit, table.of(key, section.water_body), key in section.due_items)


@dataclasses.dataclass(frozen=True, slots=True)
class MonthValue:
    """An item's published mean of one month, rounded for assessment; None where it has none."""

    month: dt.date
    value: Decimal | None
    water_class: WaterClass | None  # of this value alone
    samples: int
    has_below_detection: bool
    is_doubtful: bool
    note: str

    @property
    def period(self) -> Period:
        return periods.month(self.month)


def month_values(found: Results, item: Item, readings: Iterable[Reading], causes: Causes, day: dt.date) -> list[MonthValue]:
    """Every month from the first shown to the last one published, gaps among them with their cause. Pure."""
    last = latest(found)
    if last is None:
        return []
    samples = defaultdict(list)
    for reading in readings:
        if reading.is_live and reading.flag not in (ReadingFlag.NOT_MONITORED, ReadingFlag.INVALID) and reading.value is not None:
            samples[month_start(timezone.localtime(reading.sampled_at).date())].append(reading)
    months = []
    month = min(period.starts_on for period in found if period.kind == PeriodKind.MONTH)
    while month <= last.starts_on:
        row = found.get(periods.month(month))
        text = row.values.get(item.key) if row else None
        value = Decimal(text) if text is not None else None
        own = samples[month]
        months.append(
            MonthValue(
                month=month,
                value=value,
                water_class=rules.classify(item.limit, value) if item.limit and value is not None else None,
                samples=len(own),
                has_below_detection=any(reading.is_below_detection for reading in own),
                is_doubtful=any(reading.flag == ReadingFlag.DOUBTFUL for reading in own),
                note="" if value is not None else (row.note if row else "") or _gap(periods.month(month), causes, day) or "未监测",
            )
        )
        month = add_months(month, 1)
    return months


def item_readings(section: Section, item: Item, day: dt.date) -> list[Reading]:
    """The laboratory values of an item in the years shown, superseded ones too, the last first. One query."""
    first, end = _midnight(first_month(day)), _midnight(day + dt.timedelta(days=1))
    rows = section.readings.filter(parameter=item.key, sampled_at__gte=first, sampled_at__lt=end).select_related("intake__by__unit")
    return list(rows.order_by("-sampled_at", "-revision")[:MOST_READINGS])


def as_written(reading: Reading) -> str:
    """A laboratory value as it was written: 0.5, <0.025, 缺测."""
    if reading.value is None:
        return "缺测"
    return f"{'<' if reading.is_below_detection else ''}{reading.value.normalize():f}"


@dataclasses.dataclass(frozen=True, slots=True)
class NamedTrend:
    label: str
    trend: Trend


def trends(found: Results, item: Item, months: Sequence[MonthValue]) -> list[NamedTrend]:
    """Spearman's test over the years' means and over the months shown; the sentence is the rule's. Pure."""
    years = [row.values.get(item.key) for period, row in found.items() if period.kind == PeriodKind.YEAR]
    return [
        NamedTrend("年均值", trend([None if text is None else Decimal(text) for text in years])),
        NamedTrend("月均值", trend([month.value for month in months])),
    ]


# ── Automatic station ────────────────────────────────────────────────────────────────────────────────────────────────
class _LocalDay(Func):
    """The office's calendar day of a moment, computed in the database: Django's own way calls Python for each row on SQLite.

    SQLite knows no time zones, so it takes the zone's offset at `near`; a zone with summer time would be an hour off.
    """

    arity = 1
    output_field = DateField()

    def __init__(self, expression, near: dt.datetime):
        super().__init__(expression)
        offset = timezone.localtime(near).utcoffset() or dt.timedelta()
        self.extra["seconds"] = int(offset.total_seconds())

    def as_sqlite(self, compiler, connection, **context):
        return self.as_sql(compiler, connection, template="date(%(expressions)s, '%(seconds)+d seconds')", **context)

    def as_postgresql(self, compiler, connection, **context):
        sql = "((%(expressions)s AT TIME ZONE 'UTC') + interval '%(seconds)d seconds')::date"
        return self.as_sql(compiler, connection, template=sql, **context)


class _CellNumber(Func):
    """The number in one cell of a run; null where it has none. Django's own JSON key asks twice for each value on SQLite."""

    arity = 1
    output_field = FloatField()

    def __init__(self, key: str):
        if not key.isidentifier():
            raise ValueError(key)
        super().__init__(F("values"))
        self.extra["key"] = key

    def as_sqlite(self, compiler, connection, **context):
        return self.as_sql(compiler, connection, template="CAST(json_extract(%(expressions)s, '$.%(key)s') AS REAL)", **context)

    def as_postgresql(self, compiler, connection, **context):
        return self.as_sql(compiler, connection, template="(%(expressions)s ->> '%(key)s')::double precision", **context)


@dataclasses.dataclass(frozen=True, slots=True)
class Day:
    """One day of a station's item. `mean` of pH is that of its hydrogen ions; all None when every run lacks it."""

    day: dt.date
    runs: int
    values: int
    mean: float | None
    low: float | None
    high: float | None
    interrupted: int  # runs under maintenance or while the station stood still


def latest_runs(section: Section, day: dt.date) -> list[StationRecord]:
    """The last runs of the station up to the end of `day`, the last first. One query."""
    return list(_live(section, day).order_by("-at")[:LATEST_RUNS])


@dataclasses.dataclass(frozen=True, slots=True)
class ItemRun:
    """One item in one run; `value` as published, else `flag` says why it has none; neither: not monitored."""

    at: dt.datetime
    value: str | None
    flag: str | None
    state: str
    is_differing: bool


def is_differing(feed_class: int | None, water_class: int | None) -> bool:
    """Whether the feed gives another class than ours, or one where we have none: what the list of differences counts."""
    return feed_class is not None and feed_class != water_class


def runs_since(section: Section, key: str, first: dt.date, day: dt.date) -> list[ItemRun]:
    """Every run from `first` to the end of `day`, in order of time. One query; for at most `RAW_DAYS`."""
    rows = _live(section, day).filter(at__gte=_midnight(first)).order_by("at")
    found = rows.values_list("at", KT(f"values__{key}"), KT(f"flags__{key}"), "state", "feed_class", "water_class")
    return [ItemRun(at, value, flag, state, is_differing(feed, ours)) for at, value, flag, state, feed, ours in found]


def days_since(section: Section, key: str, first: dt.date, day: dt.date) -> list[Day]:
    """An item's days from `first` to `day`, those without any run left out. One query."""
    number = _CellNumber(key)
    rows = _live(section, day).filter(at__gte=_midnight(first)).annotate(day=_LocalDay("at", near=_midnight(day))).values("day")
    rows = rows.annotate(
        runs=Count("pk"),
        n=Count(number),
        mean=Avg(Power(Value(10.0), Value(0.0) - number) if key == "ph" else number),
        low=Min(number),
        high=Max(number),
        interrupted=Count("pk", filter=Q(state__in=INTERRUPTED)),
    )
    found = rows.order_by("day").values_list("day", "runs", "n", "mean", "low", "high", "interrupted")
    return [Day(on, runs, n, _mean(key, mean), low, high, interrupted) for on, runs, n, mean, low, high, interrupted in found]


@dataclasses.dataclass(frozen=True, slots=True)
class StationMonth:
    """The mean of a month's automatic values beside the published one: for reference, never the assessment's result."""

    month: dt.date
    values: int
    mean: Decimal | None  # rounded as the assessment rounds
    water_class: WaterClass | None
    published: Decimal | None


def station_months(item: Item, days: Iterable[Day], published: Sequence[MonthValue], day: dt.date) -> list[StationMonth]:
    """The last months of `days`, the last first; months without a value left out. Every value counts once. Pure."""
    known = {month.month: month.value for month in published}
    first = reference_first(day)
    by_month: dict[dt.date, list[Day]] = defaultdict(list)
    for one in days:
        if one.mean is not None and one.day >= first:
            by_month[month_start(one.day)].append(one)
    months = []
    for month in sorted(by_month, reverse=True):
        mean = _month_mean(item, by_month[month])
        months.append(
            StationMonth(
                month=month,
                values=sum(one.values for one in by_month[month]),
                mean=mean,
                water_class=rules.classify(item.limit, mean) if item.limit else None,
                published=known.get(month),
            )
        )
    return months


def reference_first(day: dt.date) -> dt.date:
    """The first month of the means for reference."""
    return add_months(month_start(day), 1 - REFERENCE_MONTHS)


def _month_mean(item: Item, days: Sequence[Day]) -> Decimal:
    """Binary fractions of the database are rounded to ten decimals first: 0.125 comes out as 0.125, and half to even holds."""
    parts = [(10**-one.mean if item.key == "ph" else one.mean, one.values) for one in days if one.mean is not None]
    mean = sum(value * count for value, count in parts) / sum(count for _, count in parts)
    exact = Decimal(repr(round(-math.log10(mean) if item.key == "ph" else mean, 10)))
    if item.limit and item.limit.decimals is not None:
        return rules.rounded_for_assessment(item.limit, exact)
    return exact.quantize(Decimal("0.01"), ROUND_HALF_EVEN)


def _mean(key: str, mean: float | None) -> float | None:
    return -math.log10(mean) if key == "ph" and mean else mean


def lost_word(run: StationRecord, key: str) -> str:
    """Why a run has no value of an item: 缺测, 极值过滤; 不监测 when it has no such cell at all. Blank when it has one."""
    if key in run.values:
        return ""
    return CellFlag(run.flags[key]).label if key in run.flags else "不监测"


def _live(section: Section, day: dt.date):
    return section.station_records.filter(is_live=True, at__lt=_midnight(day + dt.timedelta(days=1)))


def _midnight(day: dt.date) -> dt.datetime:
    return timezone.make_aware(dt.datetime.combine(day, dt.time()))
