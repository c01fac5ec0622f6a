"""`/measures/`: what the facts of a day call for, on which evidence; the simulator of thresholds; approved stops."""

import datetime as dt
from collections import Counter

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from ledgers.enums import LETTERS, Measure
from ledgers.measures import reports, simulate
from ledgers.measures.rules import Verdict
from linfen_water import policy
from linfen_water.models import County, Unit
from linfen_water.permissions import is_county, is_leader, is_office
from projects import stops
from projects.enums import StopKind
from projects.models import Project
from projects.permissions import may_edit_projects
from projects.services import Faulty
from projects.stop_models import ApprovedStop

PER_PAGE = 50


def seen_by(user, found: list[Verdict]) -> list[Verdict]:
    """The verdicts that `user` may read: a county what concerns itself, everyone else all."""
    if not is_county(user):
        return found
    return [verdict for verdict in found if verdict.unit == user.unit.code or (verdict.county and verdict.county == user.unit.county.code)]


@require_safe
def measures(request) -> HttpResponse:
    """Verdicts of the page's day, by measure and unit."""
    found = seen_by(request.user, reports.verdicts(request.as_of))
    names = dict(Unit.objects.values_list("code", "name"))
    measure, unit = request.GET.get("measure", ""), request.GET.get("unit", "")
    of_unit = [verdict for verdict in found if not unit or verdict.unit == unit]
    counts = Counter(verdict.measure for verdict in of_unit)
    chosen = [verdict for verdict in of_unit if not measure or verdict.measure == measure]
    units = Counter(verdict.unit for verdict in found if not measure or verdict.measure == measure)
    context = {
        "page": Paginator([(verdict, names.get(verdict.unit, "未指定")) for verdict in chosen], PER_PAGE).get_page(request.GET.get("page")),
        "measures": [(m.value, m.label, counts[m]) for m in Measure if counts[m]],
        "count": len(of_unit),
        "total": len(found),
        "units": [(code, names.get(code, "未指定"), number) for code, number in sorted(units.items())],
        "chosen": {"measure": measure, "unit": unit},
        "policy_on": policy.effective_on(request.as_of),
        "letters": LETTERS,
        "is_own": is_county(request.user),
        "may_simulate": _may_simulate(request.user),
    }
    return render(request, "measures/measures.html", context)


def _may_simulate(user) -> bool:
    return is_office(user) or is_leader(user)


@require_safe
def simulator(request) -> HttpResponse:
    """Move thresholds and see who would get what, today and over the year. Writes nothing."""
    if not _may_simulate(request.user):
        raise Http404
    base = policy.values_on(request.as_of)
    values, faults = simulate.read_values(request.GET.dict(), base)
    outcome = None if faults else simulate.simulate(simulate.year_of(request.as_of), values)
    names = dict(Unit.objects.values_list("code", "name"))
    limits = [
        {
            "name": name,
            "term": policy.TERMS[name],
            "base": getattr(base, name),
            "value": request.GET.get(name, "").strip() or getattr(base, name),
            "is_moved": getattr(values, name) != getattr(base, name),
        }
        for name in simulate.MOVABLE
    ]
    context = {
        "limits": limits,
        "faults": faults,
        "outcome": outcome,
        "measures": list(Measure),
        "is_moved": any(limit["is_moved"] for limit in limits),
        "units": [(names.get(row.unit, "未指定"), row.cells) for row in outcome.units] if outcome else [],
        "gained": [(verdict, names.get(verdict.unit, "未指定")) for verdict in outcome.gained] if outcome else [],
        "lost": [(verdict, names.get(verdict.unit, "未指定")) for verdict in outcome.lost] if outcome else [],
        "policy_on": policy.effective_on(request.as_of),
    }
    return render(request, "measures/simulate.html", context, status=422 if faults else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def stop_list(request) -> HttpResponse:
    """Approved stops, which are never held against anybody; the office records and withdraws them."""
    if is_county(request.user):
        own = Project.objects.visible_to(request.user)
        rows = ApprovedStop.objects.filter(county=request.user.unit.county_id) | ApprovedStop.objects.filter(project__in=own)
        rows |= ApprovedStop.objects.filter(project=None, county=None)
    else:
        rows = ApprovedStop.objects.all()
    may_edit = may_edit_projects(request.user)
    faults: dict[str, str] = {}
    if request.method == "POST":
        if not may_edit:
            raise Http404
        faults = _change_stop(request)
        if not faults:
            return redirect("stops")
    context = {
        "page": Paginator(rows.filter(from_on__lte=request.as_of).select_related("project", "county", "by__unit"), PER_PAGE).get_page(
            request.GET.get("page")
        ),
        "may_edit": may_edit and request.as_of == request.today,
        "may_simulate": _may_simulate(request.user),
        "kinds": StopKind.choices,
        "counties": County.objects.all() if may_edit else [],
        "faults": faults,
        "typed": request.POST if request.method == "POST" else {"from_on": request.today.isoformat()},
    }
    return render(request, "measures/stops.html", context, status=422 if faults else 200)


def _change_stop(request) -> dict[str, str]:
    """Record or withdraw a stop as the form says; what is wrong, by field."""
    post = request.POST
    try:
        if pk := post.get("withdraw", ""):
            stop = get_object_or_404(ApprovedStop, pk=int(pk) if pk.isdigit() and len(pk) < 10 else 0)
            stops.withdraw_stop(stop=stop, by=request.user, reason=post.get("reason", ""))
            messages.success(request, "停工备案已撤销。")
            return {}
        faults, values = _read_stop(post)
        if faults:
            return faults
        stops.record_stop(by=request.user, **values)
    except Faulty as fault:
        return {one.field: one.sentence for one in fault.faults}
    messages.success(request, "停工备案已登记，所涉期间不计入无明显进展。")
    return {}


def _read_stop(post) -> tuple[dict[str, str], dict]:
    faults, values = {}, {"kind": post.get("kind", ""), "ground": post.get("ground", "")}
    for name, label in (("from_on", "起日"), ("until_on", "止日")):
        try:
            values[name] = dt.date.fromisoformat(post.get(name, "").strip())
        except ValueError:
            faults[name] = f"请填写{label}，例如 2025-02-20。"
    if code := post.get("project", "").strip():
        values["project"] = Project.objects.filter(code=code.upper()).first()
        if values["project"] is None:
            faults["project"] = f"没有编号为“{code[:20]}”的项目。"
    elif code := post.get("county", ""):
        values["county"] = County.objects.filter(code=code).first()
        if values["county"] is None:
            faults["county"] = "请选择县（市、区）。"
    return faults, values
