"""`/dispatch/<code>/autosave/`: what was typed goes into the draft by itself, through the same service as every save."""

from django.http import JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_POST

from linfen_water import clock
from linfen_water.middleware import BadDay
from linfen_water.permissions import is_county
from projects import reports, services
from projects.blocks import Block
from projects.forms import DispatchForm
from projects.reports import ProjectWeek
from projects.views.dispatch import ANOTHER_PERSON, CONFLICT, FORBIDDEN, UNPROCESSABLE, is_another_person, one_week, read_week


@require_POST
def autosave(request, code: str):
    """Save what can be read of one block as the draft; answers JSON.

    200 `{"version", "state", "at", "values": {name: text}, "unread": {name: [sentence]}, "badges": [[words, level]]}`: cells that
    cannot be read (`unread`) keep their saved value. 409: two people changed the same cells, an ordinary save shows both values.
    403, 422: `{"sentence"}`. The same request once more is answered as the first time and writes nothing.
    """
    try:
        week_of = read_week(request)
    except BadDay as fault:
        return render(request, "error.html", {"title": "周次无效", "message": str(fault)}, status=400)
    week = one_week(request, code, week_of)
    if is_another_person(request):
        return JsonResponse({"sentence": ANOTHER_PERSON}, status=FORBIDDEN)
    form = DispatchForm(week, request.POST)
    form.is_valid()
    if "version" not in form.cleaned_data:
        return JsonResponse({"sentence": "页面已旧，请刷新后再填。"}, status=UNPROCESSABLE)
    try:
        _save(week, form, request.user)
    except services.EditConflict as conflict:
        return JsonResponse({"fields": [form.add_prefix(key) for key in conflict.mine]}, status=CONFLICT)
    except services.Refused as refusal:
        return JsonResponse({"sentence": str(refusal)}, status=UNPROCESSABLE)
    return JsonResponse(_receipt(request, one_week(request, code, week_of), form))


def _save(week: ProjectWeek, form: DispatchForm, by) -> None:
    """Through the service, unless nothing differs from what the page began with: that would be a report that nobody made."""
    report, version = form.readable, form.cleaned_data["version"]
    if version == week.edit_version and not reports.differences(week.current, report):
        return
    values = {name: value for name, value in report.items() if name in reports.FIELDS}
    services.save_dispatch(
        project=week.project, week_of=week.week_of, by=by, version=version, values=values, lines=reports.lines_of(report)
    )


def _receipt(request, week: ProjectWeek, form: DispatchForm) -> dict:
    block = Block(week, today=request.today, by_county=is_county(request.user))
    return {
        "version": week.edit_version,
        "state": week.latest.state if week.latest else None,
        "at": f"{timezone.localtime(clock.now()):%H:%M}",
        "values": {form.add_prefix(key): reports.as_text(value) or "" for key, value in week.current.items()},
        "unread": {form.add_prefix(name): list(said) for name, said in form.errors.items() if form.add_prefix(name) in form.data},
        "badges": block.badges,
    }
