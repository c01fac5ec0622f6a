"""`/sections/import/`: bring a file or a pasted table of values, see what it would change, confirm."""

import dataclasses
import hashlib

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from linfen_water import clock, kept_files
from linfen_water.dates import month_start
from linfen_water.sent_files import clean_name
from monitoring import intake, limits, periods, recording, value_book
from monitoring.enums import IntakeKind, PeriodKind
from monitoring.forms import ValuesForm
from monitoring.intake.feed import EXTRAS
from monitoring.models import Assessment, Intake, Reading, Section
from monitoring.permissions import may_record
from monitoring.recording import Change, Rehearsal
from monitoring.samples import Batch, Fault

SHOWN = 300  # rows of each list on the page
MOST_LINES = 50_000  # more would hold a web process for minutes; the command takes them
TOO_LONG = f"超过 {MOST_LINES} 行，网页上一次看不完：请按年或按断面分成几个文件，或请管理员用 import_readings 命令导入。"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
OTHER_KEYS = {"": "整组", "state": "站点情况", "feed_class": "发布类别"}


@require_http_methods(["GET", "POST"])
def import_values(request):
    if not may_record(request.user):
        raise Http404
    if request.GET.get("template") == "xlsx":
        return _template(request)
    if request.method == "GET":
        return _page(request, ValuesForm(today=request.today), receipt=_receipt(request))
    form = ValuesForm(request.POST, request.FILES, today=request.today)
    form.is_valid()
    brought = _bring(request, form)
    found = _read(form, brought) if brought else None
    if brought is None or found is None or not form.is_valid():
        return _page(request, form, brought)
    kind, batch = found
    reason = form.cleaned_data["reason"]
    if request.POST.get("action") != "commit" or not brought.was_kept:
        return _page(request, form, brought, recording.rehearse(batch, reason=reason), is_feed=batch.is_feed)
    try:
        done = recording.take_in(
            batch,
            kind=kind,
            name=brought.name,
            digest=hashlib.sha256(brought.data).hexdigest(),
            by=request.user,
            reason=reason,
            seen=request.POST.get("seen", ""),
        )
    except recording.Unfit as unfit:
        if unfit.rehearsal.needs_reason and not reason.strip():
            form.add_error("reason", "会改动已有的数值或已发布的结果，请写明理由，例如“实验室更正报告”“补测”。")
            return _page(request, form, brought, unfit.rehearsal, is_feed=batch.is_feed)
        return _page(request, form, brought, unfit.rehearsal, is_feed=batch.is_feed, has_moved=True)
    kept_files.forget(request.user, form.cleaned_data["kept"])
    messages.success(request, _told(done, brought.name))
    assert done.intake is not None
    return redirect(reverse("readings_import", query={"done": done.intake.pk}))


# ── What was brought ─────────────────────────────────────────────────────────────────────────────────────────────────
@dataclasses.dataclass(frozen=True)
class Brought:
    data: bytes
    name: str
    is_paste: bool
    was_kept: bool  # from the step before


def _bring(request, form: ValuesForm) -> Brought | None:
    """The file just sent, else the table just pasted, else what was kept; None with an error at the field."""
    said = form.cleaned_data
    if {"file", "text"} & set(form.errors):
        return None
    if said.get("file"):
        return Brought(said["file"].read(), clean_name(said["file"].name), is_paste=False, was_kept=False)
    kept = said.get("kept")
    text = (said.get("text") or "").replace("\r\n", "\n")
    if text.strip():
        data = text.encode("utf-8", "replace")
        return Brought(data, "粘贴的表格", is_paste=True, was_kept=hashlib.sha256(data).hexdigest() == kept)
    data = kept_files.recall(request.user, kept) if kept else None
    if data is None:
        form.add_error("file", "核对过的文件已不在，请重新选择。" if kept else "请选择文件，或在下面粘贴表格。")
        return None
    return Brought(data, clean_name(said["name"]) if said.get("name") else "", is_paste=False, was_kept=True)


def _read(form: ValuesForm, brought: Brought) -> tuple[IntakeKind, Batch] | None:
    """What it holds; None with an error at the field."""
    is_automatic = form.cleaned_data.get("way") == form.AUTOMATIC
    if brought.data.count(b"\n") > MOST_LINES:
        form.add_error("text" if brought.is_paste else "file", TOO_LONG)
        return None
    try:
        if brought.is_paste:
            return IntakeKind.PASTE, intake.read_paste(brought.data.decode(), is_automatic=is_automatic, today=clock.today())
        year = form.cleaned_data.get("year")
        return intake.read_file(brought.data, name=brought.name, year=year, is_automatic=is_automatic)
    except intake.BadFile as fault:
        form.add_error("text" if brought.is_paste else "file", str(fault))
        return None


def _told(done: Rehearsal, name: str) -> str:
    counts = done.counts
    parts = [f"新增{counts['taken']}", f"更正{counts['revised']}", f"相同{counts['same']}"]
    parts += [f"未采样{counts['gaps']}"] if counts["gaps"] else []
    return f"已导入“{name[:80]}”：{'、'.join(parts)}，已留痕并重新评价。"


# ── The page ─────────────────────────────────────────────────────────────────────────────────────────────────────────
@dataclasses.dataclass(frozen=True)
class Line:
    """One change as the page shows it."""

    section: Section
    when: str
    name: str
    old: str
    new: str
    is_revised: bool
    place: str


def _page(
    request,
    form: ValuesForm,
    brought: Brought | None = None,
    rehearsal: Rehearsal | None = None,
    *,
    is_feed: bool = False,
    has_moved: bool = False,
    receipt=None,
):
    faults = [fault for fault in rehearsal.errors if not recording.wants_reason(fault)] if rehearsal else []
    is_blocked = bool(faults) and not is_feed
    context = {
        "form": form,
        "kept": kept_files.keep(request.user, brought.data) if brought and rehearsal else "",
        "name": brought.name if brought and not brought.is_paste else "",
        "rehearsal": rehearsal,
        "lines": _lines(rehearsal) if rehearsal else [],
        "results": recording.foresee(rehearsal) if rehearsal and not is_blocked else [],
        "faults": sorted(faults, key=_row_of),
        "is_feed": is_feed,
        "is_blocked": is_blocked,
        "has_moved": has_moved,
        "receipt": receipt,
        "shown": SHOWN,
        "month": f"{request.today:%Y-%m}",
    }
    status = 422 if form.errors or is_blocked or has_moved else 200
    return render(request, "sections/import.html", context, status=status)


def _row_of(fault: Fault) -> tuple[str, int]:
    return fault.sheet, fault.row


def _lines(rehearsal: Rehearsal) -> list[Line]:
    """The first of what would change: values, then months without a sample."""
    lines = [
        Line(one.section, f"{timezone.localtime(one.at):%Y-%m-%d %H:%M}", _name(one), one.old, one.new, one.kind == "revised", one.place)
        for one in rehearsal.changes[:SHOWN]
    ]
    return lines + [
        Line(gap.section, f"{gap.month:%Y-%m}", "采样情况", gap.old, gap.new, gap.kind == "revised", gap.place)
        for gap in rehearsal.gaps[: SHOWN - len(lines)]
    ]


def _name(change: Change) -> str:
    if change.key in OTHER_KEYS:
        return OTHER_KEYS[change.key]
    return EXTRAS[change.key].name if change.key in EXTRAS else limits.table().name(change.key)


# ── Afterwards ───────────────────────────────────────────────────────────────────────────────────────────────────────
@dataclasses.dataclass(frozen=True)
class Receipt:
    intake: Intake
    results: list[Assessment]  # of the months that got values


def _receipt(request) -> Receipt | None:
    """The batch that was just taken in, with the classes of the sections and months that it touched. Four queries."""
    key = request.GET.get("done", "")
    done = Intake.objects.select_related("by").filter(pk=key).first() if key.isascii() and key.isdigit() and len(key) < 10 else None
    if done is None:
        return None
    touched = {
        (pk, month_start(timezone.localtime(at).date()))
        for pk, at in Reading.objects.filter(intake=done).values_list("section", "sampled_at").distinct()
    }
    rows = Assessment.objects.standing(request.today).filter(
        period_kind=PeriodKind.MONTH, section__in={pk for pk, _ in touched}, starts_on__in={month for _, month in touched}
    )
    found = [row for row in rows.select_related("section").order_by("-starts_on", "section") if (row.section_id, row.starts_on) in touched]
    return Receipt(done, found[:SHOWN])


def _template(request) -> HttpResponse:
    """A workbook to fill in: the sections in force in a month, a column an item."""
    try:
        period = periods.read(request.GET.get("month", "") or f"{request.today:%Y-%m}")
    except ValueError as fault:
        return render(request, "error.html", {"title": "月份无效", "message": str(fault)}, status=400)
    month = month_start(period.starts_on)
    if month < limits.first_day():
        message = f"{period.label}过早，请填写 {limits.first_day():%Y-%m} 起的月份。"
        return render(request, "error.html", {"title": "月份无效", "message": message}, status=400)
    response = HttpResponse(value_book.blank(month), content_type=XLSX)
    response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{value_book.file_name(month)}"
    return response
