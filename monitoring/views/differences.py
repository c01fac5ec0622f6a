"""`/sections/differences/?from=&to=&section=`: runs whose class the feed gives otherwise than we judge them, and why that may be."""

import csv
import dataclasses
import datetime as dt
import io
from collections.abc import Iterable, Iterator

from django.core.paginator import Paginator
from django.db.models import Count, F, Q, QuerySet
from django.http import StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from linfen_water import csv_text
from monitoring import limits, rules
from monitoring.cells import BadCell, read_cell
from monitoring.enums import CellFlag, WaterClass
from monitoring.forms import SpanForm
from monitoring.models import Section, StationRecord
from monitoring.month_sheet import in_order
from monitoring.samples import Run

PER_PAGE = 50
DAYS = 30  # shown when nobody says from when
BATCH = 500
HEADINGS = ["断面", "监测时间", "发布类别", "本系统类别", "定类指标", "缺测指标", "站点情况", "全部数值"]


@dataclasses.dataclass(frozen=True)
class Line:
    """One run of which the two classes differ."""

    record: StationRecord
    section: Section
    feed_class: WaterClass | None
    water_class: WaterClass | None
    deciding: list[str]  # item and value, of those that make our class
    missing: list[str]  # names of items without a value, with the cause where it is known
    values: list[str]  # all assessed items


@dataclasses.dataclass(frozen=True)
class Tally:
    """How often the classes of a section differ."""

    section: Section
    compared: int
    differing: int
    stricter: int  # the feed's class is worse than ours
    looser: int
    unjudged: int  # the feed gives one although an item is missing, so that we give none


@require_safe
def differences(request):
    form = SpanForm({"start": request.GET.get("from", ""), "end": request.GET.get("to", "")})
    start, end = _span(form, request.as_of)
    sections = in_order(Section.objects.select_related("river"))
    chosen = next((one for one in sections if str(one.pk) == request.GET.get("section")), None)
    within = _within([chosen] if chosen else sections, start, end)
    rows = _differing(within).order_by("-at", "section", "-pk")
    if request.GET.get("export") == "csv" and form.is_valid():
        return _export(rows, start, end, request.region.is_demo)
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    by_pk = {section.pk: section for section in sections}
    context = {
        "form": form,
        "start": start,
        "end": end,
        "sections": sections,
        "chosen": chosen,
        "tallies": _tallies(within, by_pk),
        "page": page,
        "lines": [_line(row, by_pk[row.section_id]) for row in page.object_list],
    }
    return render(request, "sections/differences.html", context, status=400 if form.errors else 200)


def _span(form: SpanForm, as_of: dt.date) -> tuple[dt.date, dt.date]:
    """The days asked for, never later than the day that the page speaks of; by default the last weeks."""
    is_valid = form.is_valid()
    end = min(form.cleaned_data.get("end") or as_of, as_of) if is_valid else as_of
    start = form.cleaned_data.get("start") if is_valid else None
    return start or end - dt.timedelta(days=DAYS - 1), end


def _within(sections: Iterable[Section], start: dt.date, end: dt.date) -> QuerySet:
    """Live runs of the days; the sections are named so that their index is used."""
    first = timezone.make_aware(dt.datetime.combine(start, dt.time()))
    last = timezone.make_aware(dt.datetime.combine(end + dt.timedelta(days=1), dt.time()))
    return StationRecord.objects.filter(section__in=[section.pk for section in sections], is_live=True, at__gte=first, at__lt=last)


_DIFFERS = Q(feed_class__isnull=False) & (Q(water_class__isnull=True) | ~Q(feed_class=F("water_class")))


def _differing(within: QuerySet) -> QuerySet:
    return within.filter(_DIFFERS)


def _tallies(within: QuerySet, sections: dict[int, Section]) -> list[Tally]:
    """Sections that have runs with a class of the feed, in the order of the table. One query."""
    rows = (
        within.filter(feed_class__isnull=False)
        .order_by()
        .values("section")
        .annotate(
            compared=Count("pk"),
            differing=Count("pk", filter=_DIFFERS),
            stricter=Count("pk", filter=Q(feed_class__gt=F("water_class"))),
            looser=Count("pk", filter=Q(feed_class__lt=F("water_class"))),
            unjudged=Count("pk", filter=Q(water_class__isnull=True)),
        )
    )
    found = {row.pop("section"): row for row in rows}
    return [Tally(section, **found[pk]) for pk, section in sections.items() if pk in found]


def _line(record: StationRecord, section: Section) -> Line:
    """The items are judged again on the values as they are, which is how our class came about."""
    table = limits.in_force_on(timezone.localtime(record.at).date())
    run = Run(section, record.at, record.values, record.flags)
    values = {key: _number(text, table, key) for key, text in run.values.items()} | dict.fromkeys(run.flags)
    judgement = rules.judge(values, table, section.water_body)
    assessed = [key for key in table.order if key in values and (limit := table.of(key, section.water_body)) and limit.is_assessed]
    return Line(
        record,
        section,
        WaterClass(record.feed_class) if record.feed_class else None,
        WaterClass(record.water_class) if record.water_class else None,
        [f"{table.name(key)} {record.values[key]}" for key in judgement.deciding_items],
        [table.name(key) + ("（极值过滤）" if record.flags.get(key) == CellFlag.EXTREME else "") for key in judgement.missing],
        [f"{table.name(key)} {record.values.get(key, '--')}" for key in assessed],
    )


def _number(text: str, table: limits.Limits, key: str):
    """A value of the record; what is no item of the table is never judged."""
    try:
        return read_cell(text, table.items[key]).value if key in table.items else None
    except BadCell:
        return None


# ── CSV ──────────────────────────────────────────────────────────────────────────────────────────────────────────────
def _export(rows: QuerySet, start: dt.date, end: dt.date, is_demo: bool) -> StreamingHttpResponse:
    response = StreamingHttpResponse(_csv_lines(rows, is_demo), content_type="text/csv; charset=utf-8")
    name = f"类别差异_{start}_{end}{'_演示数据' if is_demo else ''}.csv"
    response.headers["Content-Disposition"] = content_disposition_header(True, name)
    return response


def _csv_lines(rows: QuerySet, is_demo: bool) -> Iterator[str]:
    """All of the chosen rows; begins with the mark that tells Excel it is UTF-8."""
    yield "\ufeff"
    if is_demo:
        yield _csv_line(["演示数据：均为虚构"])
    yield _csv_line(HEADINGS)
    for record in rows.select_related("section").iterator(chunk_size=BATCH):
        line = _line(record, record.section)
        yield _csv_line(
            [
                record.section.name,
                f"{timezone.localtime(record.at):%Y-%m-%d %H:%M}",
                line.feed_class.label if line.feed_class else "",
                line.water_class.label if line.water_class else "",
                "、".join(line.deciding),
                "、".join(line.missing),
                record.get_state_display(),
                "、".join(line.values),
            ]
        )


def _csv_line(row: list[str]) -> str:
    file = io.StringIO()
    csv.writer(file).writerow([csv_text.safe(text) for text in row])
    return file.getvalue()
