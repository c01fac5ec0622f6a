"""Every change to what is known of the water: readings become assessments here and nowhere else."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from linfen_water import trail
from linfen_water.models import User
from monitoring import limits, rules
from monitoring.enums import Cause, PeriodKind, ReadingFlag
from monitoring.limits import Limits
from monitoring.models import Assessment, Interruption, Reading, Section
from monitoring.periods import Period, touched

MANUAL = "手工监测"

# Values of one section: {first day of month: {item: what each reading counts for, None where it is missing}}. A month
# that nobody sampled is not there; an empty list is an item that is not monitored, said so on purpose.
Months = Mapping[dt.date, Mapping[str, list[Decimal | None]]]
Causes = Mapping[dt.date, str]  # {first day of month: why it was not sampled (Cause)}


# ── Assessments ──────────────────────────────────────────────────────────────────────────────────────────────────────
def assess(*, section: Section, period: Period, published_on: dt.date, source: str = MANUAL, by: User | None = None) -> Assessment:
    """Judge the laboratory readings of `section` in the period and keep the result; safe to repeat.

    Returns the standing assessment when nothing changed, else a new revision, with its event in the trail: maps and
    their caches are keyed by it.
    """
    with transaction.atomic():
        Section.objects.select_for_update().get(pk=section.pk)  # one revision at a time
        row = _assessments([section], [(period, published_on)], source)[0]
        return _keep(row, _last(section).get(_period(row)), by=by)


def reassess(*, section: Section, months: Iterable[dt.date], published_on: dt.date, source: str = MANUAL, by: User | None = None) -> int:
    """Judge again every period over by `published_on` that the values of `months` enter; how many results changed."""
    return reassess_all(months={section: months}, published_on=published_on, source=source, by=by)


def reassess_all(
    *, months: Mapping[Section, Iterable[dt.date]], published_on: dt.date, source: str = MANUAL, by: User | None = None
) -> int:
    """`reassess` of many sections, each with its own months: a few queries to read and write, one event of the trail a section.

    Goes through the counties' chains of the trail in the order of their codes, as everybody must who locks several.
    """
    months = {section: list(days) for section, days in months.items()}
    if not any(touched(days, published_on) for days in months.values()):
        return 0
    with transaction.atomic():
        list(Section.objects.select_for_update().filter(pk__in=[section.pk for section in months]).order_by("pk").values_list("pk"))
        changed = differing(months=months, published_on=published_on, source=source)
        Assessment.objects.bulk_create([row for found in changed.values() for row, _ in found], batch_size=500)
        for section, found in changed.items():
            if found:
                changes = {str(_read_period(row)): [before.water_class if before else None, row.water_class] for row, before in found}
                trail.record(action="section.reassess", subject=section, by=by, county=section.county, changes=changes)
        return sum(map(len, changed.values()))


def differing(
    *, months: Mapping[Section, Iterable[dt.date]], published_on: dt.date, source: str = MANUAL
) -> dict[Section, list[tuple[Assessment, Assessment | None]]]:
    """What judging again would publish: each new result with the one that it takes the place of; nothing is written.

    Sections stand in the order of their chains. Three queries.
    """
    due = {section: touched(days, published_on) for section, days in months.items()}
    periods = {period for found in due.values() for period in found}
    if not periods:
        return {}
    first, end = min(p.starts_on for p in periods), max(p.ends_on for p in periods)
    values, causes = months_of(due, first, end), causes_of(due, first, end)
    standing = _last_of(due, first)
    changed: dict[Section, list[tuple[Assessment, Assessment | None]]] = {section: [] for section in sorted(due, key=_chain)}
    for section, found in changed.items():
        for period in due[section]:
            row = assessment(section, values[section.pk], period, causes=causes[section.pk], published_on=published_on, source=source)
            before = standing.get((section.pk, *_period(row)))
            if (before and _result(before) != _result(row)) or (not before and (row.values or row.note)):
                row.revision = before.revision + 1 if before else 1
                found.append((row, before))
    return changed


def _chain(section: Section) -> tuple[str, int]:
    return section.county.code, section.pk


def _last_of(sections: Iterable[Section], first: dt.date) -> dict[tuple, Assessment]:
    """The last revision of each period from `first` on, by section and period. One query."""
    rows = Assessment.objects.filter(section__in=sections, starts_on__gte=first).order_by("revision")
    return {(row.section_id, *_period(row)): row for row in rows}


def assess_all(*, sections: Iterable[Section], periods: Iterable[tuple[Period, dt.date]], source: str) -> list[Assessment]:
    """First assessments of many sections and periods `(period, published_on)` in three queries, for a first load.

    Leaves the trail to its caller, as every loader does.
    """
    return Assessment.objects.bulk_create(_assessments(list(sections), list(periods), source), batch_size=500)


def _assessments(sections: list[Section], periods: list[tuple[Period, dt.date]], source: str) -> list[Assessment]:
    """Rows not saved yet, section by section. Two queries."""
    if not periods:
        return []
    first, last = min(p.starts_on for p, _ in periods), max(p.ends_on for p, _ in periods)
    months, causes = months_of(sections, first, last), causes_of(sections, first, last)
    return [
        assessment(section, months[section.pk], period, causes=causes[section.pk], published_on=published_on, source=source)
        for section in sections
        for period, published_on in periods
    ]


def _keep(row: Assessment, last: Assessment | None, *, by: User | None) -> Assessment:
    """Save `row` as the next revision, unless the last one says the same."""
    if last and _result(last) == _result(row):
        return last
    row.revision = last.revision + 1 if last else 1
    row.save()
    changes = {
        "water_class": [last.water_class if last else None, row.water_class],
        "period": [None, str(_read_period(row))],
    }
    trail.record(action="section.assess", subject=row.section, by=by, county=row.section.county, changes=changes)
    return row


def _last(section: Section) -> dict[tuple, Assessment]:
    """The last revision of each period of `section`."""
    return {_period(row): row for row in section.assessments.order_by("revision")}


def _period(row: Assessment) -> tuple[str, dt.date, dt.date]:
    return row.period_kind, row.starts_on, row.ends_on


def _read_period(row: Assessment) -> Period:
    return Period(row.starts_on, row.ends_on, row.period_kind)


# ── From readings to a period's values ───────────────────────────────────────────────────────────────────────────────
def months_of(sections: Iterable[Section], first: dt.date, last: dt.date) -> dict[int, Months]:
    """Live laboratory readings of `sections` from `first` to `last` (local days) by section, month and item. One query."""
    result: dict[int, defaultdict] = {section.pk: defaultdict(lambda: defaultdict(list)) for section in sections}
    readings = Reading.objects.filter(
        section__in=result, is_live=True, sampled_at__gte=_midnight(first), sampled_at__lt=_midnight(last + dt.timedelta(days=1))
    ).order_by("sampled_at", "pk")
    for pk, at, key, value, below, flag in readings.values_list(
        "section", "sampled_at", "parameter", "value", "is_below_detection", "flag"
    ):
        cell = result[pk][timezone.localtime(at).date().replace(day=1)][key]
        if flag != ReadingFlag.NOT_MONITORED:
            cell.append(None if value is None or flag == ReadingFlag.INVALID else rules.for_mean(value, below))
    return result


def causes_of(sections: Iterable[Section], first: dt.date, last: dt.date) -> dict[int, Causes]:
    """Why months from `first` to `last` were not sampled, by section. One query."""
    result: dict[int, dict[dt.date, str]] = {section.pk: {} for section in sections}
    rows = Interruption.objects.filter(section__in=result, month__gte=first.replace(day=1), month__lte=last)
    for pk, of, cause in rows.values_list("section", "month", "cause"):
        result[pk][of] = cause
    return result


def assessment(section: Section, months: Months, period: Period, *, causes: Causes, published_on: dt.date, source: str) -> Assessment:
    """What `months` amount to for the period, as a row that is not saved yet."""
    table = limits.in_force_on(period.ends_on)
    within = {of: items for of, items in months.items() if period.starts_on <= of <= period.ends_on and items}
    least = rules.least_months(period.kind)
    values = period_values(section, within, table, least) if len(within) >= least else {}
    judgement = rules.judge(values, table, section.water_body)
    return Assessment(
        section=section,
        period_kind=period.kind,
        starts_on=period.starts_on,
        ends_on=period.ends_on,
        water_class=judgement.water_class,
        values={key: str(value) for key, value in values.items() if value is not None},
        items=list(judgement.items),
        deciding_items=list(judgement.deciding_items),
        main_pollutants=[[key, None if multiple is None else str(multiple)] for key, multiple in judgement.main_pollutants],
        note=_note(period, within, causes, table, judgement.missing, least),
        limits_version=table.version,
        published_on=published_on,
        source=source,
    )


def period_values(section: Section, months: Months, table: Limits, least: int = 1) -> dict[str, Decimal | None]:
    """Mean of each item that is due (the five and the section's own X) over the months, rounded for assessment.

    An item that is due and has no value in the whole period, or values in fewer than `least` of the months that it was
    due in, is None (missing) [check: that each item needs as many]. One that every month says is not monitored is left out.
    """
    values: dict[str, Decimal | None] = {}
    for key in section.due_items if months else ():
        limit = table.of(key, section.water_body)
        due = [cell for items in months.values() if (cell := items.get(key)) != []]
        if limit is None or not due:
            continue
        enough = months_with(months, key) >= min(least, len(due))
        value = rules.mean_of_months(key, [cell for cell in due if cell]) if enough else None
        values[key] = None if value is None else rules.rounded_for_assessment(limit, value)
    return values


def months_with(months: Months, key: str) -> int:
    """In how many of the months an item has a value."""
    return sum(any(value is not None for value in items.get(key) or ()) for items in months.values())


def _note(period: Period, within: Months, causes: Causes, table: Limits, missing: Iterable[str], least: int) -> str:
    """Why there is no class, or which months a mean does without; empty when there is nothing to say."""
    absent = [of for of in period.months if of not in within]
    if period.kind == PeriodKind.MONTH:
        if period.starts_on in causes and not any(months_with(within, key) for items in within.values() for key in items):
            return Cause(causes[period.starts_on]).label  # also where all that was sampled is invalid
        if absent:
            return ""
    elif len(within) < least:
        return f"只有{len(within)}个月数据，不足{least}个月" if within else ""
    lacks = [_lack(table.name(key), months_with(within, key), least) for key in missing]
    if absent and within and period.kind != PeriodKind.MONTH:
        lacks.append("不含" + "、".join(_absent_month(of, causes) for of in absent))
    return "、".join(lacks)[:120]


def _lack(name: str, months: int, least: int) -> str:
    return f"{name}只有{months}个月数据，不足{least}个月" if months else f"{name}缺测"


def _absent_month(of: dt.date, causes: Causes) -> str:
    return f"{of.month}月" + (f"（{Cause(causes[of]).label}）" if of in causes else "")


def _result(row: Assessment) -> tuple:
    """What makes two assessments the same; JSON keeps lists, never tuples."""
    return row.water_class, row.values, row.items, row.deciding_items, row.main_pollutants, row.note, row.limits_version, row.source


def _midnight(day: dt.date) -> dt.datetime:
    return timezone.make_aware(dt.datetime.combine(day, dt.time()))
