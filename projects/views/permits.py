"""`/permits/` (what blocks the start, and my own desk) and a project's sheet of permits."""

from http import HTTPStatus

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST

from linfen_water.models import County, Unit
from linfen_water.permissions import is_county, is_department, is_office
from projects import figures_permits, permissions, permit_forms, permit_rules, permit_services, permits
from projects.enums import PermitKind, Stage
from projects.models import Permit, Project
from projects.permits import Line, ProjectPermits
from projects.services import EditConflict, Faulty, Refused

PER_PAGE = 30
OK, UNPROCESSABLE, CONFLICT = HTTPStatus.OK, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.CONFLICT
VIEWS = {"desk": "待办手续", "projects": "按项目看卡点", "authorities": "按受理机关看"}


class PermitFilter(forms.Form):
    """What `/permits/` can be narrowed by; the address carries it."""

    q = forms.CharField(label="查找项目", required=False, max_length=60)
    county = forms.ModelChoiceField(
        label="县（市、区）", required=False, queryset=County.objects.all(), to_field_name="code", empty_label="全部"
    )
    authority = forms.ModelChoiceField(
        label="受理机关",
        required=False,
        queryset=Unit.objects.filter(pk__in=Permit.objects.filter(authority__isnull=False).order_by().values("authority")),
        to_field_name="code",
        empty_label="全部",
    )
    kind = forms.ChoiceField(label="事项", required=False, choices=[("", "全部"), *PermitKind.choices])
    stage = forms.ChoiceField(
        label="项目状态", required=False, choices=[("", "全部"), (str(Stage.NOT_STARTED.value), "前期（卡开工）"), ("2", "已开工（补办）")]
    )

    def narrowed(self, scope, day):
        """The projects that fit."""
        chosen = self.cleaned_data
        found = scope.as_of(day)
        for word in chosen["q"].split():
            found = found.filter(v__name__icontains=word) | found.filter(code__icontains=word)
        if chosen["county"]:
            found = found.filter(v__county=chosen["county"])
        if chosen["stage"] == "1":
            found = found.filter(stage=Stage.NOT_STARTED)
        elif chosen["stage"]:
            found = found.exclude(stage=Stage.NOT_STARTED)
        return Project.objects.filter(pk__in=found.order_by().values("pk"))

    @property
    def of_permit(self) -> dict:
        """Conditions on the permits themselves."""
        return {name: self.cleaned_data[name] for name in ("authority", "kind") if self.cleaned_data[name]}


# ── /permits/ ──


@require_http_methods(["GET", "HEAD", "POST"])
def overview(request):
    """What blocks the start by project and by authority; the desk of those who write; a POST saves the rows that were sent."""
    if request.method == "POST":
        return _take_desk(request)
    default = "desk" if is_department(request.user) else "projects"
    view = request.GET.get("view", default)
    if view not in VIEWS or (view == "desk" and not permissions.has_permit_desk(request.user)):
        view = "projects"
    form = PermitFilter(request.GET)
    scope = permissions.visible_projects(request.user, request.today)
    context = _context(request, view) | {"filter": form, "is_narrowed": form.is_valid() and any(form.cleaned_data.values())}
    if not form.is_valid():
        return render(request, "projects/permits/permits.html", context | {"page": None}, status=UNPROCESSABLE)
    scope, day = form.narrowed(scope, request.as_of), request.as_of
    if view == "authorities":
        units = dict(Unit.objects.values_list("pk", "name"))
        context |= {"desks": permits.desks(day, scope), "times": permits.times(day, units)}
    elif view == "desk":
        context |= _desk(request, scope, form.of_permit)
    else:
        page = Paginator(permits.lacking(scope, day, **form.of_permit), PER_PAGE).get_page(request.GET.get("page"))
        chosen = Project.objects.filter(pk__in=[project.pk for project in page.object_list])
        found = {project.pk: project for project in permits.read(day, chosen)}
        context |= {"page": page, "projects": [found[project.pk] for project in page.object_list if project.pk in found]}
    return render(request, "projects/permits/permits.html", context)


def _context(request, view: str) -> dict:
    scope, day = permissions.visible_projects(request.user, request.today), request.as_of
    own_unit = request.user.unit if is_department(request.user) else None
    desks = [desk for desk in permits.desks(day, scope) if view != "desk" or own_unit is None or desk.key == own_unit.pk]
    return {
        "view": view,
        "views": [(key, word) for key, word in VIEWS.items() if key != "desk" or permissions.has_permit_desk(request.user)],
        "may_write": permissions.has_permit_desk(request.user) and day == request.today,
        "counts": {
            "missing": sum(desk.in_progress + desk.not_submitted for desk in desks),
            "late": sum(desk.late for desk in desks),
            "blocking": sum(desk.blocking for desk in desks),
            "projects": len(set().union(*(desk.projects for desk in desks))),
        },
        "own_unit": own_unit,
    }


def _mine(request, scope, of_permit: dict):
    """The missing permits in which `user` may write."""
    if is_department(request.user):
        return permits.waiting(request.as_of, scope, **of_permit).filter(authority=request.user.unit_id)
    if is_county(request.user):
        scope = scope.filter(pk__in=permissions.dispatched_projects(request.user).order_by().values("pk"))
    return permits.waiting(request.as_of, scope, **of_permit)


def _desk(request, scope, of_permit: dict) -> dict:
    page = Paginator(_mine(request, scope, of_permit), PER_PAGE).get_page(request.GET.get("page"))
    lines = permits.lines_of(request.as_of, page.object_list, scope, user=request.user)
    return {"page": page, "lines": _writable(request, lines)}


def dispatch_tab(request):
    """The tab 手续 beside the week's dispatch: my missing permits, each field open to who holds it."""
    scope = permissions.visible_projects(request.user, request.today)
    context = _desk(request, scope, {})
    return render(
        request, "projects/dispatch_permits.html", context | {"own_unit": request.user.unit if is_department(request.user) else None}
    )


def _writable(request, lines: list[Line]) -> list[Line]:
    """Forms today only: the past is read."""
    return permit_forms.with_forms(lines) if request.as_of == request.today else lines


def _take_desk(request):
    """Save the rows that were sent, whatever page they come from; with faults they are shown again, nothing typed is lost."""
    if not permissions.has_permit_desk(request.user):
        raise Http404
    keys = [int(name.removesuffix("-version")) for name in request.POST if name.removesuffix("-version").isascii() and _is_key(name)]
    scope = permissions.visible_projects(request.user, request.today)
    asked = Permit.objects.filter(pk__in=keys, project__in=scope.order_by().values("pk")).order_by("project__code", "pk")
    lines = [line for line in permits.lines_of(request.today, asked, scope, user=request.user) if line.held]
    if len(lines) != len(set(keys)):
        raise Http404
    status = _take_lines(request, lines)
    if status == OK:
        return redirect(_next(request))
    context = _context(request, "desk") | {"filter": PermitFilter({}), "lines": lines, "is_returned": True, "page": None}
    return render(request, "projects/permits/permits.html", context, status=status)


def _is_key(name: str) -> bool:
    key, dash, rest = name.partition("-")
    return rest == "version" and bool(dash) and key.isascii() and key.isdigit() and len(key) < 10


def _next(request) -> str:
    """Back to where the rows were shown."""
    target = request.POST.get("next", "")
    own = url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()}, require_https=request.is_secure())
    return target if own and target.startswith("/") else f"{reverse('permits')}?view=desk"


def _take_lines(request, lines: list[Line]) -> int:
    """Save each line that was sent; tell how it went."""
    units = permit_forms.authorities() if any("authority" in line.held for line in lines) else []
    saved, status = 0, OK
    for line in lines:
        if not permit_forms.is_sent(line, request.POST):
            continue
        outcome = _take(request, line, units)
        status = max(status, outcome)
        saved += line.is_saved
    if saved:
        messages.success(request, f"已保存 {saved} 项手续。")
    if status != OK:
        messages.error(request, "有手续没有保存：请看标出的各行，改正后再点保存。")
    elif not saved:
        messages.info(request, "没有改动，无需保存。")
    permit_forms.with_forms(lines, units)
    return status


def _take(request, line: Line, units: list[Unit]) -> int:
    """Save one line; what is wrong stands in its form."""
    form = line.form = permit_forms.PermitForm(line, permit_forms.with_picks(line, request.POST), units=units)
    if not form.is_valid():
        return UNPROCESSABLE
    before = line.permit.edit_version
    try:
        saved = permit_services.save_permit(permit=line.permit, by=request.user, version=form.cleaned_data["version"], values=form.values)
    except EditConflict as conflict:
        permit_forms.show_conflict(line, conflict, units)
        return CONFLICT
    except Faulty as refusal:
        for fault in refusal.faults:
            form.add_error(fault.field if fault.field in form.fields else None, fault.sentence)
        return UNPROCESSABLE
    except Refused as refusal:
        form.add_error(None, str(refusal))
        return UNPROCESSABLE
    line.is_saved = saved.edit_version != before
    return OK


# ── one row ──


@require_POST
def permit(request, pk: int):
    """One row: the part that htmx swaps; without it, back to where it was."""
    scope = permissions.visible_projects(request.user, request.today)
    found = get_object_or_404(Permit, pk=pk, project__in=scope.order_by().values("pk"))
    line = _one_line(request, found)
    units = permit_forms.authorities() if "authority" in line.held else []
    status = _take(request, line, units)
    if status == OK:
        line, is_saved = _one_line(request, found), line.is_saved
        line.notice = "已保存。" if is_saved else "没有改动。"
        permit_forms.with_forms([line], units)
    if request.htmx:
        return render(request, "projects/permits/_line.html", _row_context(request) | {"line": line}, status=status)
    if status == OK:
        messages.success(request, f"{line.owner.code} {line.label}：{line.notice}")
        return redirect(_next(request))
    context = _context(request, "desk") | {"filter": PermitFilter({}), "lines": [line], "is_returned": True, "page": None}
    return render(request, "projects/permits/permits.html", context, status=status)


def _one_line(request, found: Permit) -> Line:
    scope = permissions.visible_projects(request.user, request.today)
    lines = [line for line in permits.lines_of(request.today, [found], scope, user=request.user) if line.held]
    if not lines:
        raise Http404
    return lines[0]


def _row_context(request) -> dict:
    return {"is_sheet": request.POST.get("sheet") == "1"}


# ── a project's sheet ──


@require_http_methods(["GET", "HEAD", "POST"])
def project_permits(request, code: str):
    """All permits of a project with their schedule; those who hold fields write in them, the office keeps the list."""
    day = request.today if request.method == "POST" else request.as_of
    found = _sheet(request, code, day)
    status = OK
    if request.method == "POST":
        if not any(line.held for line in found.lines) and not is_office(request.user):
            raise Http404
        if request.POST.get("action") == "list":
            return _take_list(request, found)
        status = _take_lines(request, [line for line in found.lines if line.held])
        if status == OK:
            return redirect("project_permits", code)
    elif day == request.today:
        permit_forms.with_forms(found.lines)
    figure = figures_permits.gantt(found.plan) if found.plan.steps else None
    context = {
        "p": found,
        "figure": figure,
        "is_sheet": True,
        "may_write": any(line.form for line in found.lines),
        "dictionary_size": len(PermitKind),
        "may_list": is_office(request.user) and request.as_of == request.today,
        "prerequisites": permit_rules.PREREQUISITES,
        "before_start": [(PermitKind(kind).label, source) for kind, source in permit_rules.BEFORE_START.items()],
        "group_names": sorted(found.groups),
    }
    return render(request, "projects/permits/sheet.html", context, status=status)


def _sheet(request, code: str, day) -> ProjectPermits:
    scope = permissions.visible_projects(request.user, request.today).filter(code=code)
    found = permits.read(day, scope, user=request.user)
    if not found:
        raise Http404
    return found[0]


def _take_list(request, found: ProjectPermits):
    """Put the kinds that were ticked on the project's list."""
    kinds = [kind for kind in PermitKind if kind in request.POST.getlist("kind")]
    rows = []
    if not is_office(request.user):
        raise Http404
    if kinds:
        rows = permit_services.list_permits(project=Project.objects.get(pk=found.pk), kinds=kinds, by=request.user)
    if rows:
        messages.success(request, f"已列入 {len(rows)} 项：{'、'.join(row.get_kind_display() for row in rows)}。请核对受理机关。")
    else:
        messages.info(request, "没有新列入的事项：请先勾选。")
    return redirect("project_permits", found.code)
