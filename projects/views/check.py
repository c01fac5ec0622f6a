"""`/dispatch/<code>/check/`: what would be said of a report while it is still being typed. Writes nothing."""

from django.http import Http404, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from linfen_water.dates import monday
from linfen_water.middleware import BadDay, read_day
from projects import permissions, reports, rules
from projects.forms import DispatchForm
from projects.reports import ProjectWeek


@require_POST
def check_dispatch(request, code: str):
    """The faults and hints of what was typed in one block, as JSON.

    `{"version", "state", "errors": {name: [sentence]}, "faults": [remark], "hints": [remark]}` with remark =
    `{"name", "field", "source", "sentence", "wants_reason"}`; `name` is that of the input, empty when it speaks of no single one.
    `errors` are cells that cannot be read: they are left out of the judgement and keep their saved value.
    """
    try:
        text = request.GET.get("week", "").strip()
        week_of = monday(read_day(text, request.today)) if text else monday(request.today)
    except BadDay as fault:
        return render(request, "error.html", {"title": "周次无效", "message": str(fault)}, status=400)
    scope = reports.reporting_in(permissions.dispatched_projects(request.user).filter(code=code), week_of)
    found = reports.read_weeks(scope, week_of, request.today)
    if not found:
        raise Http404
    return JsonResponse(_verdict(found[0], DispatchForm(found[0], request.POST), request.today))


def _verdict(week: ProjectWeek, form: DispatchForm, today) -> dict:
    errors = form.errors  # cleans
    report, known = reports.as_report(week.current | form.readable), week.known(today)
    return {
        "version": week.edit_version,
        "state": week.latest.state if week.latest else None,
        "errors": {form.add_prefix(name): list(sentences) for name, sentences in errors.items() if form.add_prefix(name) in form.data},
        "faults": [_remark(form, fault) for fault in rules.check_dispatch(report, known)],
        "hints": [_remark(form, hint) for hint in rules.dispatch_hints(report, known)],
    }


def _remark(form: DispatchForm, fault: rules.Fault) -> dict:
    key = fault.field if fault.source is None else reports.money_key(fault.field, fault.source)
    return {
        "name": form.add_prefix(key) if key in form.fields else "",
        "field": fault.field,
        "source": fault.source,
        "sentence": fault.sentence,
        "wants_reason": fault.wants_reason,
    }
