"""The air ranking: what stands on a day, side by side as the local paper prints it, and every change to it.

Ranks are computed here from the published values and nowhere stored.
"""

import dataclasses
import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Mapping
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from linfen_water import trail
from linfen_water.dates import add_months, month_end
from linfen_water.models import County, User
from monitoring import periods
from monitoring.air_values import MEASURES, spoken
from monitoring.enums import IntakeKind
from monitoring.models import AirPeriod, AirResult, Intake
from monitoring.standards import air_ranking

Values = Mapping[str, Decimal | None]  # by measure

PERIOD_FIELDS = {"starts_on": "起", "ends_on": "止", "label": "时段", "notes": "注", "published_on": "发布日", "source": "来源"}
NEEDS_REASON = "已发布的内容有变化，请写明更正理由。"


# ── What stands ──────────────────────────────────────────────────────────────────────────────────────────────────────
@dataclasses.dataclass(frozen=True)
class Cell:
    """One county in one period: its values and its rank by each of them."""

    values: Values
    ranks: Mapping[str, int]  # by measure; what has no value has no rank

    def of(self, key: str) -> Decimal | int | None:
        """A value by its measure, or a rank by `rank_` and its measure."""
        measure = key.removeprefix("rank_")
        return self.values[measure] if measure == key else self.ranks.get(measure)


EMPTY = Cell(dict.fromkeys(MEASURES), {})
# The eight columns of a period, in the order of the paper.
COLUMNS = [key for measure in MEASURES for key in (measure, f"rank_{measure}")]


@dataclasses.dataclass(frozen=True)
class Row:
    county: County
    cells: list[Cell]  # one a period
    moved: int | None = None  # places gained since the month before, by the composite index of the first period


@dataclasses.dataclass(frozen=True)
class Table:
    """All periods with one end, shortest first, and the counties that any of them names, in the region's order."""

    ends_on: dt.date
    periods: list[AirPeriod]
    rows: list[Row]
    before: AirPeriod | None  # what `moved` compares with

    @property
    def notes(self) -> list[str]:
        """The lines below the table, each once."""
        return list(dict.fromkeys(line.strip() for period in self.periods for line in period.notes.splitlines() if line.strip()))

    @property
    def sources(self) -> list[tuple[str, dt.date]]:
        """Who published it and when, each once."""
        return list(dict.fromkeys((period.source, period.published_on) for period in self.periods))


def known_by(day: dt.date) -> QuerySet[AirPeriod]:
    """Periods that were over and published by `day`."""
    return AirPeriod.objects.filter(published_on__lte=day, ends_on__lte=day)


def ends(day: dt.date) -> list[dt.date]:
    """The days that the rankings known by `day` end on, latest first."""
    return list(known_by(day).order_by("-ends_on").values_list("ends_on", flat=True).distinct())


def table(day: dt.date, ends_on: dt.date) -> Table | None:
    """The ranking that ends on `ends_on` as known by `day`; None when there is none. Three queries."""
    same_end = list(known_by(day).filter(ends_on=ends_on).order_by("-starts_on"))
    if not same_end:
        return None
    before = _month_before(same_end[0], day)
    found: dict[int, dict[int, AirResult]] = {period.pk: {} for period in [*same_end, *([before] if before else [])]}
    counties: dict[int, County] = {}
    for result in AirResult.objects.filter(period__in=found).select_related("county").order_by("county__position", "county__code"):
        found[result.period_id][result.county_id] = result
        if before is None or result.period_id != before.pk:
            counties[result.county_id] = result.county
    cells = [_cells(found[period.pk]) for period in same_end]
    then = _cells(found[before.pk]) if before else {}
    return Table(ends_on, same_end, [_row(county, cells, then) for county in counties.values()], before)


def _month_before(period: AirPeriod, day: dt.date) -> AirPeriod | None:
    """The month before `period`, when that is a month itself."""
    if (period.starts_on, period.ends_on) != (period.ends_on.replace(day=1), month_end(period.ends_on)):
        return None
    starts_on = add_months(period.starts_on, -1)
    return known_by(day).filter(starts_on=starts_on, ends_on=month_end(starts_on)).first()


def _cells(results: Mapping[int, AirResult]) -> dict[int, Cell]:
    """Values and ranks by county."""
    values = {county: values_of(result) for county, result in results.items()}
    ranks = {measure: air_ranking.ranks({county: one[measure] for county, one in values.items()}) for measure in MEASURES}
    return {
        county: Cell(one, {measure: ranks[measure][county] for measure in MEASURES if county in ranks[measure]})
        for county, one in values.items()
    }


def _row(county: County, cells: list[dict[int, Cell]], then: Mapping[int, Cell]) -> Row:
    mine = [by_county.get(county.pk, EMPTY) for by_county in cells]
    rank, before = mine[0].ranks.get("composite_index"), then.get(county.pk, EMPTY).ranks.get("composite_index")
    return Row(county, mine, air_ranking.moved(rank, before))


def values_of(result: AirResult) -> dict[str, Decimal | None]:
    return {measure: getattr(result, measure) for measure in MEASURES}


def month_key(ends_on: dt.date) -> str:
    """How a ranking is named in addresses: 2025-01, or its last day when that is not a month's."""
    return f"{ends_on:%Y-%m}" if ends_on == month_end(ends_on) else ends_on.isoformat()


def label_of(starts_on: dt.date, ends_on: dt.date) -> str:
    """How a period is called when nobody gave it a name: 2025年1月, 2025年1—2月, 2024-10-01—2025-01-31."""
    for found in (periods.month(starts_on), periods.quarter(starts_on), periods.year(starts_on), periods.to_date(ends_on)):
        if (found.starts_on, found.ends_on) == (starts_on, ends_on):
            return found.label
    return f"{starts_on}—{ends_on}"


# ── Change ───────────────────────────────────────────────────────────────────────────────────────────────────────────
@dataclasses.dataclass(frozen=True)
class Entry:
    """A period on its way in. Counties that `values` leaves out stay as they are."""

    starts_on: dt.date
    ends_on: dt.date
    label: str
    published_on: dt.date
    source: str
    notes: str
    values: Mapping[int, Values]  # by county


@dataclasses.dataclass(frozen=True)
class Difference:
    """One thing that an entry would change, in words."""

    county: County | None  # None: of the period itself
    name: str  # of the measure, or of the field
    old: str
    new: str

    @property
    def title(self) -> str:
        return MEASURES[self.name].heading if self.county else PERIOD_FIELDS[self.name]


class NeedsReason(Exception):
    """What was published before would change, and nobody said why."""


class Moved(Exception):
    """Somebody else changed the period in the meantime."""


def differences(
    entry: Entry, period: AirPeriod | None, results: Mapping[int, AirResult], counties: Mapping[int, County]
) -> list[Difference]:
    """What `entry` would change; `results` are those of `period` by county. No query."""
    found = []
    for name in PERIOD_FIELDS if period else ():
        old, new = getattr(period, name), getattr(entry, name)
        if old != new:
            found.append(Difference(None, name, str(old), str(new)))
    for pk, values in entry.values.items():
        old_values = values_of(results[pk]) if pk in results else dict.fromkeys(MEASURES)
        found += [
            Difference(counties[pk], name, spoken(name, old_values[name]), spoken(name, values[name]))
            for name in MEASURES
            if old_values[name] != values[name]
        ]
    return found


def state_of(period: AirPeriod, results: Iterable[AirResult]) -> str:
    """A text that differs after every change of the period: what somebody saw when they began to type."""
    facts = [[str(getattr(period, name)) for name in PERIOD_FIELDS]]
    facts += sorted([str(result.county_id), *[spoken(name, getattr(result, name)) for name in MEASURES]] for result in results)
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]


def batch(*, kind: IntakeKind, name: str = "", digest: str = "", by: User | None) -> Intake:
    """The way in that new values are written under."""
    return Intake.objects.create(kind=kind, name=name[:200], digest=digest, by=by)


def enter(
    *, entry: Entry, intake: Intake, by: User | None, reason: str = "", period: AirPeriod | None = None, seen: str | None = None
) -> list[Difference]:
    """Write `entry` down: into `period`, else into the one with its dates, else as a new one. Safe to repeat.

    Returns what changed. Raises NeedsReason when an existing period changes without a `reason`, Moved when it is not
    any more in the state `seen`. The trail keeps every old value.
    """
    with transaction.atomic():
        locked = AirPeriod.objects.select_for_update()
        if period is not None:
            standing = locked.filter(pk=period.pk).first()
            if standing is None:
                raise Moved
        else:
            standing = locked.filter(starts_on=entry.starts_on, ends_on=entry.ends_on).first()
        results = {result.county_id: result for result in standing.results.all()} if standing else {}
        if seen is not None and standing and seen != state_of(standing, results.values()):
            raise Moved
        found = differences(entry, standing, results, County.objects.in_bulk())
        if standing and not found:
            return []
        if standing and not reason.strip():
            raise NeedsReason
        kept = standing or AirPeriod(intake=intake)
        for name in PERIOD_FIELDS:
            setattr(kept, name, getattr(entry, name))
        try:
            with transaction.atomic():
                kept.save()
        except IntegrityError:  # the same period by somebody else at this moment
            raise Moved from None
        _write(kept, entry.values, results)
        changes = {_trail_name(one): [one.old or None, one.new or None] for one in found}
        if standing is None:
            changes = {name: [None, getattr(entry, name)] for name in PERIOD_FIELDS} | changes
        trail.record(action="air.revise" if standing else "air.enter", subject=kept, by=by, changes=changes, reason=reason)
    return found


def _write(period: AirPeriod, values: Mapping[int, Values], results: Mapping[int, AirResult]) -> None:
    """One row a county; a county that has nothing any more has no row."""
    gone = [pk for pk, one in values.items() if pk in results and not any(value is not None for value in one.values())]
    rows = [AirResult(period=period, county_id=pk, **one) for pk, one in values.items() if any(value is not None for value in one.values())]
    period.results.filter(county__in=gone).delete()
    AirResult.objects.bulk_create(rows, update_conflicts=True, unique_fields=["period", "county"], update_fields=list(MEASURES))


def withdraw(*, period: AirPeriod, by: User | None, reason: str, seen: str) -> None:
    """Take a period back that should never have been entered; the trail keeps all that it said."""
    with transaction.atomic():
        standing = AirPeriod.objects.select_for_update().filter(pk=period.pk).first()
        if standing is None:
            raise Moved
        results = list(standing.results.select_related("county"))
        if seen != state_of(standing, results):
            raise Moved
        if not reason.strip():
            raise NeedsReason
        changes = {name: [getattr(standing, name), None] for name in PERIOD_FIELDS}
        changes |= {
            f"{result.county.code}.{name}": [spoken(name, getattr(result, name)), None]
            for result in results
            for name in MEASURES
            if getattr(result, name) is not None
        }
        trail.record(action="air.withdraw", subject=standing, by=by, changes=changes, reason=reason)
        standing.delete()


def _trail_name(one: Difference) -> str:
    return f"{one.county.code}.{one.name}" if one.county else one.name
