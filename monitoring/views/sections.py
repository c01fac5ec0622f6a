"""`/sections/`: every section in a period, as bureaus publish it, with what the sections amount to together."""

import datetime as dt
from collections.abc import Sequence

from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from linfen_water.dates import add_months
from monitoring import charts, summaries, wording
from monitoring.enums import PeriodKind
from monitoring.filters import NARROWING, Chooser, SectionsForm, choose_period
from monitoring.maps import yearly_shares
from monitoring.models import River, Section
from monitoring.periods import Period, month
from monitoring.permissions import may_record
from monitoring.reports import SectionTable, compared_tables, published_periods, section_tables
from monitoring.tables import sheet, strip

STRIP_MONTHS = {"13": 13, "25": 25}  # both hold the same month of the year before


@require_safe
def sections(request):
    """The table of the period in the address, by default the last month published as of the day."""
    day = request.as_of
    published = published_periods(day)
    period, fault = choose_period(request.GET.get("period", "").strip(), published, day)
    context = {
        "fault": fault,
        "may_record": may_record(request.user) and day == request.today,
        "suffix": "" if day == request.today else f"?as_of={day}",
    }
    if period is None:
        context["has_sections"] = Section.objects.exists()
    else:
        chooser = Chooser(period, published)
        context |= {"chooser": chooser, "period": period}
        if chooser.is_published:
            context |= _report(request, chooser)
    is_part = request.htmx and not request.htmx.history_restore_request
    if not is_part:
        years = yearly_shares(day)
        context["years"] = [(year, share, charts.percent(share)) for year, share in years.items()]
        context["figure"] = charts.good_shares(years) if years else None
    template = "sections/sections.html#report" if is_part else "sections/sections.html"
    response = render(request, template, context, status=400 if fault else 200)
    patch_vary_headers(response, ["HX-Request"])  # part and page share an address
    return response


def _report(request, chooser: Chooser) -> dict:
    """Table, shares, strip, rivers and index of a published period."""
    period, day = chooser.period, request.as_of
    count = STRIP_MONTHS.get(request.GET.get("months", ""), min(STRIP_MONTHS.values()))
    months = section_tables(day, _months_to(period, count, chooser.published))
    now, before, year_before = _compared(period, months, day)
    form = SectionsForm(request.GET)
    has_before = wording.compares_with_before(period)
    rivers = list(River.objects.values_list("name", flat=True))
    found = sheet(now, form.choose(now.rows), rivers, request.GET.get("sort", ""), has_before=has_before)
    return {
        "form": form,
        "table": now,
        "sheet": found,
        "lines": now.lines(),
        "paragraphs": wording.paragraphs(now),
        "has_before": has_before,
        "strip": strip(months, found.groups, chooser.published),
        "strip_choices": list(STRIP_MONTHS.items()),
        "strip_count": count,
        "rivers": sorted(summaries.river_summaries(now, before, year_before), key=lambda river: _place(river.name, rivers)),
        "ranking": summaries.index_ranking(now),
        "qualities": _by_quality(now),
        "is_corrected": any(line.is_corrected for group in found.groups for line in group.lines),
        "exports": _export_address(request, chooser),
    }


def _months_to(period: Period, count: int, published: Sequence[Period]) -> list[Period]:
    """The `count` months up to the last one of the period, without those before the first that was ever published."""
    last = period.months[-1]
    months = [month(add_months(last, -n)) for n in reversed(range(count))]
    first = min((p.starts_on for p in published if p.kind == PeriodKind.MONTH), default=last)
    return [p for p in months if p.starts_on >= first] or months[-1:]


def _compared(
    period: Period, months: Sequence[SectionTable], day: dt.date
) -> tuple[SectionTable, SectionTable | None, SectionTable | None]:
    """The period's table, that of the period before and of the year before: of a month they are in the strip already."""
    if period.kind != PeriodKind.MONTH:
        return compared_tables(day, period)
    by_period = {table.period: table for table in months}
    return by_period[period], by_period.get(period.before), by_period.get(period.year_before)


def _place(river: str, rivers: list[str]) -> int:
    """Rivers in the order of the table, the whole city last."""
    return rivers.index(river) if river in rivers else len(rivers)


def _by_quality(table: SectionTable) -> list[tuple[str, list[str]]]:
    """How exact the places on the maps are, with the sections of each kind."""
    kinds = dict.fromkeys(row.coord_quality for row in table.rows if row.coord_quality)
    return [(kind, [row.name for row in table.rows if row.coord_quality == kind]) for kind in kinds]


def _export_address(request, chooser: Chooser) -> str:
    """The ledger of sections keeps months: those of the period that are published, narrowed as the table is; "" of none."""
    if not chooser.months:
        return ""
    query = {name: request.GET[name] for name in NARROWING if request.GET.get(name)}
    query |= {"month_from": str(chooser.months[0]), "month_to": str(chooser.months[-1])}
    if request.as_of != request.today:
        query["as_of"] = request.as_of.isoformat()
    return reverse("ledger", args=["sections"], query=query | {"export": "xlsx"})
