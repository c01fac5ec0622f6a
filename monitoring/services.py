"""Every change to what is known of the water: readings become assessments here and nowhere else."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from linfen_water import trail
from linfen_water.dates import add_months, month_end, month_start
from linfen_water.models import User
from monitoring import limits, rules
from monitoring.enums import PeriodKind, ReadingKind
from monitoring.limits import Limits
from monitoring.models import Assessment, Reading, Section
from monitoring.standards.statistics_2020_82 import LEAST_MONTHS_OF_YEAR

# Values of one section: {first day of month: {item: [what each reading counts for, or None where it is missing]}}
Months = Mapping[dt.date, Mapping[str, list[Decimal | None]]]


def period_end(kind: str, starts_on: dt.date) -> dt.date:
    """The last day of the month or year that starts on `starts_on`."""
    return month_end(starts_on) if kind == PeriodKind.MONTH else month_end(add_months(starts_on, 11))


def assess(
    *, section: Section, period_kind: str, starts_on: dt.date, published_on: dt.date, source: str = "手工监测", by: User | None = None
) -> Assessment:
    """Judge the manual readings of `section` in the period and keep the result; safe to repeat.

    Returns the standing assessment when nothing changed, else a new revision, with its event in the trail: maps and
    their caches are keyed by it.
    """
    months = months_of([section], starts_on, period_end(period_kind, starts_on))[section.pk]
    fresh = assessment(section, months, kind=period_kind, starts_on=starts_on, published_on=published_on, source=source)
    with transaction.atomic():
        Section.objects.select_for_update().get(pk=section.pk)  # one revision at a time
        last = section.assessments.filter(period_kind=period_kind, starts_on=starts_on).order_by("revision").last()
        if last and _result(last) == _result(fresh):
            return last
        fresh.revision = last.revision + 1 if last else 1
        fresh.save()
        old = last.water_class if last else None
        changes = {"water_class": [old, fresh.water_class], "starts_on": [None, starts_on]}
        trail.record(action="section.assess", subject=section, by=by, county=section.county, changes=changes)
    return fresh


def assess_all(*, sections: Iterable[Section], periods: Iterable[tuple[str, dt.date, dt.date]], source: str) -> list[Assessment]:
    """First assessments of many sections and periods `(kind, starts_on, published_on)` in two queries, for a first load.

    Leaves the trail to its caller, as every loader does.
    """
    sections, periods = list(sections), list(periods)
    if not periods:
        return []
    first = min(starts_on for _, starts_on, _ in periods)
    last = max(period_end(kind, starts_on) for kind, starts_on, _ in periods)
    by_section = months_of(sections, first, last)
    rows = [
        assessment(section, by_section[section.pk], kind=kind, starts_on=starts_on, published_on=published_on, source=source)
        for section in sections
        for kind, starts_on, published_on in periods
    ]
    return Assessment.objects.bulk_create(rows, batch_size=500)


def months_of(sections: Iterable[Section], first: dt.date, last: dt.date) -> dict[int, Months]:
    """Manual readings of `sections` from `first` to `last` (local days) by section, month and item. One query."""
    result: dict[int, defaultdict] = {section.pk: defaultdict(lambda: defaultdict(list)) for section in sections}
    readings = Reading.objects.filter(
        section__in=result, kind=ReadingKind.MANUAL, sampled_at__gte=_midnight(first), sampled_at__lt=_midnight(last + dt.timedelta(days=1))
    ).order_by("sampled_at", "pk")
    for pk, at, key, value, below in readings.values_list("section", "sampled_at", "parameter", "value", "is_below_detection"):
        counts = None if value is None else rules.for_mean(value, below)
        result[pk][month_start(timezone.localtime(at).date())][key].append(counts)
    return result


def assessment(section: Section, months: Months, *, kind: str, starts_on: dt.date, published_on: dt.date, source: str) -> Assessment:
    """What `months` amount to for the period, as a row that is not saved yet."""
    ends_on = period_end(kind, starts_on)
    table = limits.in_force_on(ends_on)
    within = {month: items for month, items in months.items() if starts_on <= month <= ends_on}
    enough = kind == PeriodKind.MONTH or len(within) >= LEAST_MONTHS_OF_YEAR
    values = period_values(section, within, table) if enough else {}
    judgement = rules.judge(values, table, section.water_body)
    return Assessment(
        section=section,
        period_kind=kind,
        starts_on=starts_on,
        ends_on=ends_on,
        water_class=judgement.water_class,
        values={key: str(value) for key, value in values.items() if value is not None},
        items=list(judgement.items),
        deciding_items=list(judgement.deciding_items),
        main_pollutants=[[key, None if multiple is None else str(multiple)] for key, multiple in judgement.main_pollutants],
        published_on=published_on,
        source=source,
    )


def period_values(section: Section, months: Months, table: Limits) -> dict[str, Decimal | None]:
    """Mean of each assessed item (the five and the section's own X) over the months, rounded for assessment.

    An item that was due and has no value in the whole period is None (missing); one that was never sampled is left out.
    """
    values: dict[str, Decimal | None] = {}
    for key in (*limits.FIVE, *section.x_items):
        sampled = [items[key] for items in months.values() if key in items]
        limit = table.of(key, section.water_body)
        if not sampled or limit is None:
            continue
        value = rules.mean_of_months(key, sampled)
        values[key] = None if value is None else rules.rounded_for_assessment(limit, value)
    return values


def _result(row: Assessment) -> tuple:
    """What makes two assessments the same; JSON keeps lists, never tuples."""
    return row.water_class, row.values, row.items, row.deciding_items, row.main_pollutants, row.source


def _midnight(day: dt.date) -> dt.datetime:
    return timezone.make_aware(dt.datetime.combine(day, dt.time()))
