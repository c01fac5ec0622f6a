"""`/sections/<id>/edit/`: what the office may say of a section, and judging it again afterwards."""

import dataclasses

from django.contrib import messages
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from linfen_water.models import TrailEvent
from monitoring import section_services
from monitoring.forms import ReassessForm, SectionForm
from monitoring.models import Section
from monitoring.permissions import may_edit_sections

MOVED = "打开本页之后，已有人改动了这个断面，没有保存。您填写的还在：请与下面的变更记录核对后再保存。"


@require_http_methods(["GET", "POST"])
def edit(request, pk: int):
    if not may_edit_sections(request.user):
        raise Http404
    section = get_object_or_404(Section.objects.select_related("river", "county"), pk=pk)
    if request.method == "GET":
        return _page(request, section, _form(request, section))
    if request.POST.get("action") == "reassess":
        return _reassess(request, section)
    form = _form(request, section, request.POST)
    if not form.is_valid():
        return _page(request, section, form, seen=request.POST.get("seen", ""), status=422)
    values = {name: form.cleaned_data[name] for name in section_services.FIELDS}
    try:
        changes = section_services.revise_section(
            section=section,
            values=values,
            targets=form.targets,
            by=request.user,
            reason=form.cleaned_data["reason"],
            seen=request.POST.get("seen", ""),
        )
    except section_services.Moved:
        form.add_error(None, MOVED)
        return _page(request, section, form, status=422)
    if not changes:
        messages.info(request, "没有改动，不必保存。")
    else:
        messages.success(request, f"已保存“{section.name}”的{len(changes)}处变更，已留痕。")
    return redirect("section_edit", pk)


def _reassess(request, section: Section):
    form = ReassessForm(request.POST)
    if not form.is_valid():
        return _page(request, section, _form(request, section), reassess=form, status=422)
    count = section_services.reassess_section(
        section=section, since=form.cleaned_data["since"], by=request.user, reason=form.cleaned_data["why"]
    )
    messages.success(request, f"已重新评价“{section.name}”：{count}个时段的结果有变化，记为新版次，旧结果保留。")
    return redirect("section_edit", section.pk)


def _form(request, section: Section, data=None) -> SectionForm:
    """On a row of its own: validation writes into the form's instance, and the page still shows what stands."""
    return SectionForm(data, instance=Section.objects.get(pk=section.pk), today=request.today)


@dataclasses.dataclass(frozen=True)
class Past:
    """One event of the section with its changes in words."""

    event: TrailEvent
    lines: list[tuple[str, str, str]]  # what, from, to


def _past(event: TrailEvent) -> Past:
    lines = [(section_services.field_label(name), *map(_said, change)) for name, change in event.changes.items()]
    return Past(event, lines)


def _said(value) -> str:
    return "" if value is None else str(value)


def _page(request, section: Section, form: SectionForm, *, reassess: ReassessForm | None = None, seen: str = "", status: int = 200):
    found = section_services.differences(section, request.today)
    this_year = request.today.replace(month=1, day=1)
    since = max(this_year, min(one.period.starts_on for one in found)) if found else None
    context = {
        "section": section,
        "form": form,
        "seen": seen or section_services.state_of(section),  # after a mistake still what the person saw
        "differences": found,
        "unjudged": sum(one.new is None for one in found),
        "reassess": reassess or ReassessForm(initial={"since": f"{since:%Y-%m}" if since else ""}),
        "past": [_past(event) for event in section_services.history(section)],
    }
    return render(request, "sections/edit.html", context, status=status)
