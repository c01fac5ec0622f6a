"""`/inspections/`: visits planned by risk, the route of a day, and the form that is filled at the site on a phone."""

import datetime as dt

from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from linfen_water.dates import monday
from linfen_water.middleware import BadDay, read_day
from linfen_water.sent_files import Unfit
from projects import inspections, photos, services, visits
from projects.forms import add_faults
from projects.inspection_forms import PlanForm, SiteForm
from projects.said import with_said
from projects.views.inspections import inspection_pages
from projects.views.records import CONFLICT, OK, UNPROCESSABLE
from projects.visit_rules import beside_report

AHEAD = dt.timedelta(days=60)
SHOWN = 30  # of each list


@require_http_methods(["GET", "HEAD", "POST"])
def visit_list(request):
    """What is planned, what risk proposes, what was seen lately. A POST plans visits to the chosen projects."""
    may_plan = inspections.may_inspect(request.user) and request.as_of == request.today
    if request.method != "POST":
        return _page(request, PlanForm(initial={"planned_on": request.today + dt.timedelta(days=1)}), may_plan)
    if not may_plan:
        raise Http404
    form = PlanForm(request.POST)
    chosen = [int(key) for key in request.POST.getlist("project") if key.isascii() and key.isdigit() and len(key) < 10]
    mine = set(inspections.inspected_projects(request.user, request.today).filter(pk__in=chosen).values_list("pk", flat=True))
    if set(chosen) - mine:
        raise Http404
    if form.is_valid():
        try:
            made = visits.plan(by=request.user, chosen=chosen, today=request.today, **form.cleaned_data)
        except services.Faulty as refusal:
            add_faults(form, refusal.faults)
        else:
            messages.success(request, f"已安排 {len(made)} 个项目。" if made else "所选项目这一天都已安排。")
            return redirect(f"{reverse('inspection_route')}?day={form.cleaned_data['planned_on']}")
    return _page(request, form, may_plan, UNPROCESSABLE, chosen)


def _page(request, form: PlanForm, may_plan: bool, status: int = OK, chosen: list[int] = ()):
    day = request.as_of
    seen = inspections.visible_inspections(request.user, request.today).select_related("project")
    found = visits.candidates(request.user, day)
    done = with_said(seen.filter(visited_on__lte=day), "visited_on", "physical_progress").order_by("-visited_on", "-pk")
    context = {
        "form": form,
        "may_plan": may_plan,
        "proposed": [one for one in found if one.risk.is_proposed],
        "others": [one for one in found if not one.risk.is_proposed],
        "chosen": chosen,
        "planned": seen.filter(visited_on=None, planned_on__gte=day - AHEAD, planned_on__lte=day + AHEAD).order_by("planned_on", "pk")[
            :SHOWN
        ],
        "done": [(row, gap := _gap(row), "" if gap is None else beside_report(gap)) for row in done[:SHOWN]],
    }
    return render(request, "records/visits.html", context, status=status)


def _gap(row):
    said = row.said_physical_progress
    return None if said is None or row.site_progress is None else row.site_progress - said


@require_safe
def route(request):
    """The sites of one day in the order of a tour, on paper or on the phone."""
    try:
        day = read_day(request.GET.get("day", "").strip() or str(request.today), request.today + AHEAD)
    except BadDay as fault:
        return render(request, "error.html", {"title": "日期无效", "message": str(fault)}, status=400)
    context = {"day": day, "stops": visits.route(request.user, day, request.today)}
    return render(request, "records/route.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def site(request, pk: int):
    """The form at the site: what was typed is saved first, then each photo for itself, so that a bad one costs nothing."""
    row = inspection_pages.find(request, pk)
    if row.withdrawn_at or request.as_of != request.today or not inspections.may_edit(request.user, row):
        raise Http404
    if request.method != "POST":
        return _site_page(request, row, SiteForm(initial=_initial(row)))
    form = SiteForm(request.POST)
    files = request.FILES.getlist("photos")
    if len(files) > photos.MOST:
        form.add_error("photos", f"一次最多上传 {photos.MOST} 张，现为 {len(files)} 张：请分几次。")
    if not form.is_valid():
        return _site_page(request, row, form, UNPROCESSABLE)
    typed = {name: value for name, value in form.cleaned_data.items() if name != "photos"}
    try:
        row = visits.record_site(inspection=row, by=request.user, visited_on=request.today, **typed)
    except services.Faulty as refusal:
        add_faults(form, refusal.faults)
        return _site_page(request, row, form, UNPROCESSABLE)
    except services.EditConflict as conflict:
        both = "；".join(f"{inspections.INSPECTION.label(name)}：他人刚填 {conflict.theirs[name] or '空'}" for name in conflict.mine)
        form = SiteForm(_with(request.POST, conflict.version))
        form.is_valid()
        form.add_error(None, f"刚被他人改动，还没有保存（{both}）。下面是您填的，再保存即以您的为准。")
        return _site_page(request, row, form, CONFLICT)
    except services.Refused as refusal:
        form.add_error(None, str(refusal))
        return _site_page(request, row, form, CONFLICT)
    return _with_photos(request, row, files)


def _with(data, version: int):
    """What was sent, with the version that is saved now."""
    again = data.copy()
    again["version"] = str(version)
    return again


def _with_photos(request, row, files):
    faults, kept = [], 0
    for file in files:
        try:
            data = file.read(photos.LARGEST + 1)
            photos.keep(
                project=row.project, week_of=monday(row.visited_on), name=file.name, data=data, by=request.user, inspection=row,
                caption=f"{row.visited_on} 现场督导",
            )  # fmt: skip
            kept += 1
        except Unfit as refusal:
            faults.append(str(refusal))
    messages.success(request, f"已保存现场情况{f'，照片 {kept} 张' if kept else ''}。")
    for sentence in faults:
        messages.error(request, f"照片没有收下：{sentence}")
    return redirect("inspection_site" if faults else "inspection", row.pk)


def _initial(row) -> dict:
    return {"version": row.edit_version, "site_progress": row.site_progress, "demands": row.demands, "due_on": row.due_on}


def _site_page(request, row, form, status: int = OK):
    day = row.visited_on or request.today
    said = with_said(
        type(row).objects.filter(pk=row.pk), "planned_on" if row.visited_on is None else "visited_on", "physical_progress"
    ).get()
    context = {
        "row": row,
        "form": form,
        "day": day,
        "reported": said.said_physical_progress,
        "photos": row.photos.filter(withdrawn_at=None),
        "accept": photos.ACCEPT,
        "findings": row.findings.filter(withdrawn_at=None).select_related("problem"),
    }
    return render(request, "records/site.html", context, status=status)
