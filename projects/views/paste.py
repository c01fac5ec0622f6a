"""`/dispatch/paste/`: what a block copied out of a spreadsheet would fill in. Writes nothing: the page fills its cells when confirmed."""

from django.http import Http404, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from linfen_water.middleware import BadDay
from projects import paste, permissions, reports, rules
from projects.blocks import LABELS
from projects.forms import DispatchForm
from projects.reports import ProjectWeek
from projects.views.dispatch import read_week


@require_POST
def read_paste(request):
    """JSON `{"shape", "cells": [{"name", "code", "project", "label", "text", "error"}], "left": [remark], "notes": [remark]}`.

    `text` is the block; `code` and `field` the cell in which the cursor stands, when there is one. remark = `{"row", "text", "reason"}`.
    """
    if not permissions.may_dispatch(request.user):
        raise Http404
    try:
        week_of = read_week(request)
    except BadDay as fault:
        return render(request, "error.html", {"title": "周次无效", "message": str(fault)}, status=400)
    scope = reports.reporting_in(permissions.dispatched_projects(request.user), week_of)
    weeks = {week.project.code: week for week in reports.read_weeks(scope.order_by("number", "code"), week_of, request.today)}
    code, field = request.POST.get("code", ""), request.POST.get("field", "")
    start = paste.Start(code, field) if code in weeks else None
    reading = paste.read(request.POST.get("text", ""), [_target(week) for week in weeks.values()], start)
    return JsonResponse(
        {
            "shape": reading.shape,
            "cells": [_cell(weeks[placed.code], placed) for placed in reading.placed],
            "left": [_remark(left) for left in reading.left],
            "notes": [_remark(note) for note in reading.notes],
        }
    )


def _target(week: ProjectWeek) -> paste.Target:
    return paste.Target(week.project.code, week.version.name, tuple((s.pk, s.get_kind_display()) for s in week.sources))


def _cell(week: ProjectWeek, placed: paste.Placed) -> dict:
    """One cell as the page shows it before it is filled; `error` is what the form will say of it."""
    name = f"{placed.code}-{placed.field}"
    form = DispatchForm(week, {name: placed.text})
    return {
        "name": name,
        "code": placed.code,
        "project": week.version.name,
        "label": _label(week, placed.field),
        "text": placed.text,
        "error": "".join(form.errors.get(placed.field, [])),
    }


def _label(week: ProjectWeek, field: str) -> str:
    place = reports.split_money_key(field)
    if place is None:
        return LABELS[field]
    return f"{next(s.get_kind_display() for s in week.sources if s.pk == place[1])}{rules.MONEY_WORDS[place[0]]}"


def _remark(left: paste.Left) -> dict:
    return {"row": left.row, "text": left.text, "reason": left.reason}
