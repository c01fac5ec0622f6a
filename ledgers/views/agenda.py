"""`/meetings/<pk>/agenda/`: a meeting's material sheet, put together, edited and printed; minutes and decided items typed beside it."""

from django import forms
from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from ledgers import agenda, agenda_services, minutes_services
from ledgers.agenda_services import Typed
from ledgers.enums import MeetingKind
from ledgers.meeting_forms import DecidedForm, MinutesForm
from ledgers.meeting_models import Meeting
from ledgers.meetings import MEETING
from ledgers.views.meetings import meeting_pages
from linfen_water.permissions import is_county, is_office
from projects import services
from projects.forms import add_faults, readable
from projects.record_forms import words_field

OK, UNPROCESSABLE, CONFLICT = 200, 422, 409
LARGEST = 32_000


class LineForm(forms.Form):
    """A line of the office's own."""

    text = words_field("内容", max_length=agenda_services.TEXT_LENGTH, rows=2)
    ask = words_field("提请事项", max_length=agenda_services.ASK_LENGTH, required=False, rows=1)


def _office_meeting(request, pk: int) -> Meeting:
    """The meeting, for those who prepare it; for others the address is not there."""
    row = meeting_pages.find(request, pk)
    if not is_office(request.user) or row.withdrawn_at:
        raise Http404
    return row


# ── preparing ──


@require_http_methods(["GET", "HEAD", "POST"])
def agenda_page(request, pk: int):
    """The sheet as it is edited. A POST puts it together anew, saves all lines, or adds one (`action`)."""
    row = _office_meeting(request, pk)
    if request.method != "POST":
        return _page(request, row)
    try:
        return {"assemble": _assemble, "add": _add}.get(request.POST.get("action", ""), _save)(request, row)
    except services.Faulty as refusal:
        faults = {fault.field: fault.sentence for fault in refusal.faults}
        return _page(request, row, UNPROCESSABLE, typed=_typed(request), faults=faults)
    except services.Refused as refusal:
        return _page(request, row, CONFLICT, typed=_typed(request), fault=str(refusal))


def _assemble(request, row: Meeting):
    if _is_typed_on(request, row):
        agenda_services.save(meeting=row, by=request.user, lines=_typed(request).values())
    told = agenda_services.assemble(meeting=row, by=request.user)
    if told.new or told.renewed or told.gone:
        messages.success(request, f"已汇集：新增 {told.new} 条，更新 {told.renewed} 条，已解决而不再上会 {told.gone} 条；改写过的没有动。")
    else:
        messages.success(request, "已汇集，没有新的变化。")
    return redirect("meeting_agenda", row.pk)


def _is_typed_on(request, row: Meeting) -> bool:
    """Whether the button that puts together came with lines: what was typed on them is kept first."""
    return any(name.startswith("text-") for name in request.POST)


def _add(request, row: Meeting):
    form = LineForm(request.POST, prefix="own")
    if not form.is_valid():
        return _page(request, row, UNPROCESSABLE, form=form)
    agenda_services.add_line(meeting=row, by=request.user, **form.cleaned_data)
    messages.success(request, "已加入议程。")
    return redirect("meeting_agenda", row.pk)


def _save(request, row: Meeting):
    changed = agenda_services.save(meeting=row, by=request.user, lines=_typed(request).values())
    messages.success(request, f"已保存 {changed} 条改动。" if changed else "没有改动。")
    return redirect("meeting_agenda", row.pk)


def _typed(request) -> dict[int, Typed]:
    """What was sent of each line."""
    found = {}
    for name in request.POST:
        key = name.removeprefix("text-")
        if name.startswith("text-") and key.isascii() and key.isdigit() and len(key) < 10:
            found[int(key)] = Typed(
                pk=int(key),
                version=_number(request.POST.get(f"version-{key}", "")),
                text=readable(request.POST[name].replace("\r\n", "\n")),
                ask=readable(request.POST.get(f"ask-{key}", "")),
                is_taken=f"taken-{key}" in request.POST,
                position=_number(request.POST.get(f"position-{key}", "")),
            )
    return found


def _number(text: str) -> int:
    text = text.strip()
    return min(int(text), LARGEST) if text.isascii() and text.isdigit() and len(text) < 6 else 0


def _page(request, row: Meeting, status: int = OK, *, typed=None, faults=None, fault: str = "", form: LineForm | None = None):
    typed, faults = typed or {}, faults or {}
    parts = [
        (
            part.part,
            [
                (
                    line,
                    typed.get(line.pk, line),
                    faults.get(f"text-{line.pk}") or faults.get(f"ask-{line.pk}"),
                    typed[line.pk].version if faults and line.pk in typed else line.edit_version,
                )
                for line in part.lines
            ],
        )
        for part in agenda.sheet(row)
    ]
    recipe = agenda.RECIPES[MeetingKind(row.kind)]
    context = {
        "meeting": row,
        "parts": parts,
        "recipe": recipe,
        "sources": "、".join(part.label for part in recipe.parts),
        "fault": fault,
        "has_faults": bool(faults),
        "form": form or LineForm(prefix="own"),
        "is_open": row.held_on >= request.today,
    }
    return render(request, "ledgers/agenda.html", context, status=status)


# ── printing ──


@require_safe
def sheet(request, pk: int):
    """The material sheet on paper: what is taken up, with what the meeting is asked; once it was held, with what it decided."""
    row = meeting_pages.find(request, pk)
    if is_county(request.user) or row.withdrawn_at:  # it tells of all counties
        raise Http404
    more = meeting_pages.context(request, row)
    context = {"meeting": row, "parts": agenda.sheet(row, is_taken=True), "decisions": more["decisions"]}
    return render(request, "ledgers/meeting_sheet.html", context)


# ── holding ──


@require_POST
def minutes(request, pk: int):
    """Who was there and the minutes, typed on the meeting's page."""
    row = _office_meeting(request, pk)
    form = MinutesForm(request.POST)
    if form.is_valid():
        try:
            minutes_services.write(meeting=row, by=request.user, **form.cleaned_data)
        except services.EditConflict as conflict:
            merged = {name: conflict.merged[name] for name in form.cleaned_data if name != "version"}
            again = MinutesForm(merged | {"version": conflict.version})
            for name, theirs in conflict.theirs.items():
                said = f"{MEETING.label(name)}刚被他人改动，没有保存。这里是您写的，再保存即以您的为准。他人写的是：{theirs or '（空）'}"
                again.add_error(name, said)
            return meeting_pages.page(request, meeting_pages.find(request, pk), CONFLICT, minutes_form=again)
        except services.Refused as refusal:  # closed meanwhile: what was typed stays to be copied
            form.add_error(None, str(refusal))
            return meeting_pages.page(request, meeting_pages.find(request, pk), CONFLICT, minutes_form=form)
        messages.success(request, "已保存纪要。")
        return redirect(MEETING.address(row))
    return meeting_pages.page(request, row, UNPROCESSABLE, minutes_form=form)


@require_POST
def decide(request, pk: int):
    """One decided item, typed on the meeting's page, on a line of its agenda or beside it."""
    row = _office_meeting(request, pk)
    form = DecidedForm(request.POST, prefix="decided", meeting=row)
    if form.is_valid():
        try:
            agenda_services.decide(meeting=row, by=request.user, **form.cleaned_data)
        except services.Faulty as refusal:
            add_faults(form, refusal.faults)
        except services.Refused as refusal:
            form.add_error(None, str(refusal))
            return meeting_pages.page(request, row, CONFLICT, decided_form=form)
        else:
            messages.success(request, "已登记议定事项，并告知主办单位。")
            return redirect(f"{reverse('meeting', args=[row.pk])}#decided")
    return meeting_pages.page(request, row, UNPROCESSABLE, decided_form=form)
