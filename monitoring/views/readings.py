"""`/sections/readings/?month=2025-01`: the month's laboratory values, typed like a sheet, saved as a whole."""

import dataclasses
import datetime as dt

from django.core.paginator import Page, Paginator
from django.db.models import Q
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from linfen_water.dates import add_months, month_end, month_start
from monitoring import limits, month_sheet, periods
from monitoring.enums import Cause, IntakeKind, Level, PeriodKind, WaterClass
from monitoring.models import Assessment, Intake, Interruption, Reading, Section
from monitoring.permissions import may_edit_sections, may_record
from monitoring.recording import REASON_LENGTH, shown, value_of

PER_PAGE = 40
EARLIEST = limits.first_day()
ACTIONS = {"preview", "more", "check"}


@require_http_methods(["GET", "POST"])
def readings(request):
    if not may_record(request.user):
        raise Http404
    try:
        month = _month(request.GET.get("month", ""), request.today)
    except ValueError as fault:
        return render(request, "error.html", {"title": "月份无效", "message": str(fault)}, status=400)
    page = _sections(request, month)
    if request.method == "GET":
        return _show(request, page, month_sheet.read(page.object_list, month, request.today))
    action, _, prefix = request.POST.get("action", "save").partition(":")
    return _act(request, page, month, prefix, action) if action in ACTIONS else _save(request, page, month)


def _act(request, page: Page, month: dt.date, prefix: str, action: str):
    """Say what was typed amounts to, write nothing: of one section for its row, or of the whole page."""
    sections = [section for section in page.object_list if action != "preview" or f"s{section.pk}" == prefix]
    found = month_sheet.read(sections, month, request.today)
    month_sheet.type_over(found, request.POST.dict(), month_sheet.read_base(request.POST.get("base", "")), request.today)
    if action == "preview":
        return render(request, "sections/readings.html#verdict", {"block": found.blocks[0] if found.blocks else None, "sheet": found})
    if action == "more":
        month_sheet.add_row(found, prefix)
    return _show(request, page, found, reason=request.POST.get("reason", ""), is_checked=action == "check")


def _save(request, page: Page, month: dt.date):
    base = month_sheet.read_base(request.POST.get("base", ""))
    reason = request.POST.get("reason", "")[:REASON_LENGTH]
    found, intake = month_sheet.save(page.object_list, month, request.POST.dict(), base, by=request.user, reason=reason)
    if not found.is_fit:
        return _show(request, page, found, reason=reason, status=422)
    if intake is None:
        return _show(request, page, found, reason=reason, is_same=True)
    query = {"month": f"{month:%Y-%m}", "saved": intake.pk} | {name: request.GET[name] for name in ("level", "page") if name in request.GET}
    return redirect(reverse("readings", query=query))


def _show(request, page: Page, found: month_sheet.Sheet, *, status: int = 200, **more):
    month = found.month
    history = _history(request, page, month)
    if history is not None and request.htmx:
        return render(request, "sections/readings.html#history", {"history": history})
    context = {
        "sheet": found,
        "columns": [_column(key, found.table) for key in found.keys],
        "page": page,
        "period": periods.month(month),
        "is_running": month_end(month) > request.today,
        "month_before": add_months(month, -1),
        "month_after": month_after if (month_after := add_months(month, 1)) <= request.today else None,
        "levels": Level.choices,
        "level": request.GET.get("level", ""),
        "causes": Cause.choices,
        "receipt": _receipt(request, found),
        "history": history,
        "may_edit_sections": may_edit_sections(request.user),
        "is_past": request.as_of < request.today,
    }
    return render(request, "sections/readings.html", context | more, status=status)


def _month(text: str, today: dt.date) -> dt.date:
    """The first day of the month asked for, by default the running one. ValueError with the sentence."""
    if not text:
        return month_start(today)
    period = periods.read(text)
    if period.kind != PeriodKind.MONTH:
        raise ValueError(f"“{text[:20]}”不是月份：写成 2025-01。")
    if period.starts_on > today:
        raise ValueError(f"{period.label}还没有到，不能录入。")
    if period.starts_on < EARLIEST:
        raise ValueError(f"{period.label}过早，请填写 {EARLIEST:%Y-%m} 起的月份。")
    return period.starts_on


def _sections(request, month: dt.date) -> Page:
    """Sections in force at some time of the month, national first, by river and along it."""
    last = month_end(month)
    rows = Section.objects.select_related("river", "county").filter(
        Q(in_force_from__isnull=True) | Q(in_force_from__lte=last), Q(in_force_to__isnull=True) | Q(in_force_to__gt=month)
    )
    if (level := request.GET.get("level", "")) in Level.values:
        rows = rows.filter(level=level)
    return Paginator(month_sheet.in_order(rows), PER_PAGE).get_page(request.GET.get("page"))


@dataclasses.dataclass(frozen=True)
class Column:
    key: str
    name: str
    unit: str


def _column(key: str, table: limits.Limits) -> Column:
    unit = table.items[key].unit
    return Column(key, table.name(key), "" if unit == "无量纲" else unit)


# ── What came out ────────────────────────────────────────────────────────────────────────────────────────────────────
@dataclasses.dataclass(frozen=True)
class Outcome:
    """A section that was written: how many values, and what it amounts to."""

    section: Section
    count: int
    water_class: WaterClass | None
    words: str


@dataclasses.dataclass(frozen=True)
class Receipt:
    intake: Intake
    outcomes: list[Outcome]


def _receipt(request, found: month_sheet.Sheet) -> Receipt | None:
    """What the batch that was just saved wrote, and the class of each of its sections."""
    key = request.GET.get("saved", "")
    if request.method != "GET" or not (key.isascii() and key.isdigit() and len(key) < 10):
        return None
    intake = Intake.objects.filter(pk=key, kind=IntakeKind.FORM).select_related("by").first()
    if intake is None:
        return None
    counts: dict[int, int] = {}
    for pk in Reading.objects.filter(intake=intake).values_list("section", flat=True):
        counts[pk] = counts.get(pk, 0) + 1
    gaps = set(Interruption.objects.filter(intake=intake).values_list("section", flat=True))
    period = periods.month(found.month)
    judged = Assessment.objects.standing(request.today).filter(section__in=counts, period_kind=period.kind, starts_on=period.starts_on)
    results = {row.section_id: row for row in judged}
    outcomes = [
        _outcome(block, counts, results.get(block.section.pk)) for block in found.blocks if block.section.pk in counts.keys() | gaps
    ]
    return Receipt(intake, outcomes)


def _outcome(block: month_sheet.Block, counts: dict[int, int], row: Assessment | None) -> Outcome:
    """The published result once the month is over; before that what the values amount to so far."""
    count = counts.get(block.section.pk, 0)
    if row is None or block.state:
        return Outcome(block.section, count, block.water_class, block.words)
    return Outcome(block.section, count, WaterClass(row.water_class) if row.water_class else None, row.note or block.words)


# ── Where values come from ───────────────────────────────────────────────────────────────────────────────────────────
@dataclasses.dataclass(frozen=True)
class Origin:
    """One revision of one value: what it said, who brought it, when, by which way and why."""

    name: str
    text: str
    reading: Reading


@dataclasses.dataclass(frozen=True)
class History:
    section: Section
    period: periods.Period
    item: str  # name of the one item asked for; empty: all
    samples: list[tuple[dt.datetime, list[Origin]]]


def _history(request, page: Page, month: dt.date) -> History | None:
    """Every value of one section in the month (of one `item`, when asked) with all its revisions, live or not. One query."""
    section = next((one for one in page.object_list if str(one.pk) == request.GET.get("history")), None)
    if section is None or request.method != "GET":
        return None
    table = limits.in_force_on(month_end(month))
    order = {key: place for place, key in enumerate(table.items)}
    rows = Reading.objects.filter(
        section=section,
        sampled_at__gte=timezone.make_aware(dt.datetime.combine(month, dt.time())),
        sampled_at__lt=timezone.make_aware(dt.datetime.combine(add_months(month, 1), dt.time())),
    ).select_related("intake__by__unit")
    if (item := request.GET.get("item", "")) in order:
        rows = rows.filter(parameter=item)
    samples: dict[dt.datetime, list[Origin]] = {}
    for row in sorted(rows, key=lambda row: (row.sampled_at, order.get(row.parameter, len(order)), -row.revision)):
        samples.setdefault(row.sampled_at, []).append(Origin(table.name(row.parameter), shown(value_of(row)), row))
    return History(section, periods.month(month), table.name(item) if item in order else "", list(samples.items()))
