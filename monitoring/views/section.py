"""`/sections/<pk>/`: one section on one page, as of a day."""

import datetime as dt

from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from linfen_water import clock
from monitoring import figures, limits, periods, permissions, reports, series, services
from monitoring.enums import PeriodKind
from monitoring.models import Assessment, River, Section, StationRecord
from monitoring.series import Item

DEFAULT_RANGE = "30d"
OVERDUE_HOURS = 3 * series.RUN_HOURS  # two runs are missing for certain


@require_safe
def section(request, pk: int):
    """`?item=` and `?range=` choose what the series show; an htmx request for them is answered with that part alone."""
    found = get_object_or_404(Section.objects.select_related("river", "county", "replaced_by"), pk=pk)
    context = _measured(request, found)
    is_part = request.htmx and not request.htmx.history_restore_request
    if not is_part:
        context |= _known(found, request.as_of, context["results"], context["causes"]) | {
            "may_record": permissions.may_record(request.user),
            "may_edit": permissions.may_edit_sections(request.user),
        }
    response = render(request, "sections/section.html#series" if is_part else "sections/section.html", context)
    patch_vary_headers(response, ["HX-Request"])  # part and page share an address
    return response


# ── What is published ──
def _known(section: Section, day: dt.date, results: series.Results, causes: services.Causes) -> dict:
    """Head, the result of now, the river and the ribbon."""
    now = series.latest(results)
    targets = dict(section.targets.order_by("-year").values_list("year", "water_class"))
    shown = now or periods.month(reports.latest_month(day) or day)  # without a result of its own, its river's
    table = reports.section_table(day, shown)
    corrections = series.corrections(section, now) if now else []
    return {
        "now": now,
        "shown": shown,
        "row": next((row for row in table.rows if row.pk == section.pk), None),
        "result": results.get(now) if now else None,
        "revisions": _with_before(series.revisions(section, now, day)) if now else [],
        "corrections": [(one, [table.limits.name(key) for key in one.parameters]) for one in corrections],
        "targets": targets,
        "target": targets.get(now.year if now else day.year),
        "x_names": [table.limits.name(key) for key in section.due_items if key not in limits.FIVE],
        "item_names": [table.limits.name(key) for key in (results[now].items if now else [])],
        "replaces": list(section.replaces.all()),
        "is_in_force": section.is_in_force(day),
        "along": series.along(section, table.rows, list(River.objects.all())),
        "ribbon": series.ribbon(results, causes, targets, day),
        "first_published": min((period for period in results if period.kind == PeriodKind.MONTH), default=None),
    }


def _with_before(revisions: list[Assessment]) -> list[tuple[Assessment, Assessment | None]]:
    """Each revision with the one that it took the place of; the last comes first."""
    return list(zip(revisions, [*revisions[1:], None], strict=False))


# ── What was measured ──
def _measured(request, section: Section) -> dict:
    """One item's months, and the station: what `?item=` and `?range=` choose."""
    day = request.as_of
    table = limits.in_force_on(max(day, limits.first_day()))
    results = series.results(section, day)
    runs = series.latest_runs(section, day)
    items = series.items(section, results, runs, table)
    measured = series.measured_items(items, runs)
    item = _chosen_item(request.GET.get("item", ""), items, measured, results)
    readings = series.item_readings(section, item, day)
    causes = services.causes_of([section], series.first_month(day), day)[section.pk]
    months = series.month_values(results, item, readings, causes, day)
    target = section.targets.filter(year=day.year).values_list("water_class", flat=True).first()
    return {
        "section": section,
        "results": results,
        "causes": causes,
        "items": items,
        "item": item,
        "limit_words": figures.limit_words(item.limit),
        "months": months[::-1],
        "readings": [(reading, series.as_written(reading)) for reading in readings],
        "is_cut": len(readings) == series.MOST_READINGS,
        "trends": series.trends(results, item, months) if months else [],
        "item_figure": figures.item_months(item, months, target),
        "season_figure": figures.seasons(item, months, target),
        "station": _station(request, section, item, measured, runs, months, target),
    }


def _chosen_item(key: str, items: list[Item], measured: list[Item], results: series.Results) -> Item:
    """The one asked for, else one that the last class stands on (best one that the station measures too), else the first due."""
    now = series.latest(results)
    by_key = {item.key: item for item in items}
    deciding = [by_key[key] for key in (results[now].deciding_items if now else []) if key in by_key]
    return by_key.get(key) or next((item for item in deciding if item in measured), (deciding or items)[0])


def _station(request, section: Section, item: Item, measured: list[Item], runs: list[StationRecord], months, target) -> dict | None:
    """None for a section without a station."""
    if not runs:
        return None
    day, chosen = request.as_of, request.GET.get("range", "")
    chosen = chosen if chosen in series.RANGES else DEFAULT_RANGE
    first = day - dt.timedelta(days=series.RANGE_DAYS[chosen] - 1)
    is_raw = series.RANGE_DAYS[chosen] <= series.RAW_DAYS
    raw = series.runs_since(section, item.key, first, day) if is_raw else []
    # The longer ranges have the days at hand that the means of months stand on.
    days = [] if is_raw else series.days_since(section, item.key, min(first, series.reference_first(day)), day)
    within = [one for one in days if one.day >= first]
    if within:
        first = within[0].day  # a younger station's line fills the figure
    hours = (_reference(request) - runs[0].at) / dt.timedelta(hours=1)
    return {
        "range": chosen,
        "ranges": series.RANGES,
        "first": first,
        "is_raw": is_raw,
        "count": len(raw) if is_raw else sum(one.runs for one in within),
        "values": sum(run.value is not None for run in raw) if is_raw else sum(one.values for one in within),
        "lost": figures.lost_counts(raw),
        "differing": sum(run.is_differing for run in raw),
        "figure": figures.station_runs(item, raw, (first, day), target)
        if is_raw
        else figures.station_days(item, within, (first, day), target),
        "months": series.station_months(item, days, months, day),
        "items": measured,
        "has_item": item in measured or any(one.values for one in days) or any(run.value for run in raw),
        "runs": [(run, [_cell(run, one.key) for one in measured], series.is_differing(run.feed_class, run.water_class)) for run in runs],
        "age": _age(hours),
        "is_overdue": hours > OVERDUE_HOURS,
    }


def _reference(request) -> dt.datetime:
    """The moment that the page speaks of: now, or the end of a past day."""
    if request.as_of == request.today:
        return clock.now()
    return timezone.make_aware(dt.datetime.combine(request.as_of + dt.timedelta(days=1), dt.time()))


def _age(hours: float) -> str:
    if hours < 1:
        return "不到1小时前"
    return f"{hours:.0f}小时前" if hours < 48 else f"{hours / 24:.0f}天前"


def _cell(run: StationRecord, key: str) -> tuple[str, str]:
    """A run's value as published, or why it has none."""
    return run.values.get(key, ""), series.lost_word(run, key)
