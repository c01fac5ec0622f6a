"""`/projects/` and a project's page: what is known of it as of a day, and the office's changes with reasons."""

import datetime as dt

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_filters.views import FilterView
from django_tables2 import SingleTableMixin

from linfen_water import policy
from projects import permissions, photos, services, works_water
from projects.courses import project_forecast
from projects.dossier import Dossier, read_dossier
from projects.enums import Stage
from projects.facts import project_facts
from projects.figures_scurve import ahead
from projects.filters import ProjectListFilter
from projects.forecast import forecast_gap
from projects.forms import RevisionForm, StageFactForm, WithdrawalForm, add_faults
from projects.models import Project, ProjectVersion, StageFact
from projects.tables import ProjectListTable

PER_PAGE = 50
WEEKS_PER_PAGE = 12
PHOTOS_SHOWN = 12


class ProjectsView(SingleTableMixin, FilterView):
    """All projects that I may see, as of a day."""

    table_class = ProjectListTable
    filterset_class = ProjectListFilter
    strict = False

    def get_queryset(self):
        day = self.request.as_of
        visible = permissions.visible_projects(self.request.user, self.request.today)
        return visible.as_of(day).with_progress(day).order_by("number", "code")

    def get_table(self, **kwargs):
        """The address chooses order and page, not how long a page is; a page beyond the last shows the last."""
        table = self.table_class(data=self.object_list, order_by=self.request.GET.getlist("sort"), **kwargs)
        table.paginate(per_page=PER_PAGE)
        table.page = table.paginator.get_page(self.request.GET.get("page"))
        return table

    def get_context_data(self, **kwargs):
        """SQL chooses and orders; what is shown of the page's rows comes from the one definition of the facts."""
        context = super().get_context_data(**kwargs)
        chosen = list(context["table"].page.object_list.data.values_list("pk", flat=True))
        facts = {f.pk: f for f in project_facts(self.request.as_of, Project.objects.filter(pk__in=chosen))}
        return context | {"rows": [facts[pk] for pk in chosen]}

    def get_template_names(self):
        is_part = self.request.htmx and not self.request.htmx.history_restore_request
        return ["projects/projects.html#table" if is_part else "projects/projects.html"]

    def render_to_response(self, context, **kwargs):
        """Part and page share an address: a browser that goes back must not take one for the other."""
        response = super().render_to_response(context, **kwargs)
        patch_vary_headers(response, ["HX-Request"])
        return response


# ── a project's page ──


@require_safe
def project(request, code: str):
    """Everything that is known of a project as of a day."""
    return _page(request, code)


def _page(request, code: str, status: int = 200, **forms):
    dossier = read_dossier(_visible(request, code), request.as_of, is_now=request.as_of == request.today)
    if dossier is None:
        raise Http404
    outlook = _outlook(dossier)
    may_edit = permissions.may_edit_projects(request.user) and request.as_of == request.today
    context = {
        "d": dossier,
        "outlook": outlook,
        "below": works_water.downstream(dossier.project, request.as_of, request.region),
        "history": Paginator(dossier.weeks, WEEKS_PER_PAGE).get_page(request.GET.get("page")),
        "may_edit": may_edit,
        "photos": photos.shown(
            photos.standing([dossier.project.pk], request.as_of)[:PHOTOS_SHOWN], policy.values_on(request.as_of).photo_far_km
        ),
        "may_add_photos": permissions.may_dispatch(request.user) and request.as_of == request.today,
    }
    if may_edit:
        context |= {
            "revision_form": forms.get("revision_form") or _revision_form(dossier.version, request.today),
            "stage_form": forms.get("stage_form") or StageFactForm(initial={"on": request.today}),
            "withdrawal": forms.get("withdrawal"),
        }
    if request.htmx and request.htmx.target == "history":
        return render(request, "projects/project.html#history", context)
    return render(request, "projects/project.html", context, status=status)


def _outlook(dossier: Dossier) -> dict | None:
    """What the pace of an unfinished project says of its finish; the figure gains the way there."""
    if dossier.stage == Stage.FINISHED or dossier.is_delisted:
        return None
    told, course = project_forecast(dossier.project, dossier.day)
    last = dossier.last
    if last and last.physical_progress is not None:
        dossier.figure["data"] += ahead(dossier.day, course.curve(dossier.day), float(last.physical_progress), told)
    return {"told": told, "gap": forecast_gap(told.finish_on, last.forecast_finish_on if last else None)}


def _visible(request, code: str) -> Project:
    scope = permissions.visible_projects(request.user, request.today)
    return get_object_or_404(scope.select_related("domain", "successor"), code=code, listed_on__lte=request.as_of)


def _revision_form(version: ProjectVersion, today: dt.date) -> RevisionForm:
    return RevisionForm(instance=version, initial={"effective_from": today, "reason": ""})


# ── the office's changes ──


def _edited(request, code: str) -> Project:
    """The project, for someone who may change it; for others it is not there."""
    found = _visible(request, code)
    if not permissions.may_edit_projects(request.user):
        raise Http404
    return found


@require_POST
def revise(request, code: str):
    """The next version of name, county, units, investment or baseline."""
    found, seen = _edited(request, code), request.POST.get("seen", "")
    form = RevisionForm(request.POST, instance=ProjectVersion.objects.get(project=found, effective_to=None))
    if form.is_valid():
        try:
            services.revise_project(
                project=found,
                effective_from=form.cleaned_data["effective_from"],
                reason=form.cleaned_data["reason"],
                by=request.user,
                seen=int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 19 else 0,
                **form.changes,
            )
        except services.Faulty as refusal:
            add_faults(form, refusal.faults)
        except services.Refused as refusal:
            form.add_error(None, str(refusal))
    if form.errors:
        return _page(request, code, status=422, revision_form=form)
    messages.success(request, f"{code} 的基本信息已变更，原值保留在沿革里。")
    return redirect("project", code)


@require_POST
def record_stage(request, code: str):
    """That the project started or was completed."""
    found = _edited(request, code)
    form = StageFactForm(request.POST)
    if form.is_valid():
        try:
            services.record_stage_fact(project=found, by=request.user, **form.cleaned_data)
        except services.Refused as refusal:
            form.add_error("on", str(refusal))
    if form.errors:
        return _page(request, code, status=422, stage_form=form)
    messages.success(request, f"{code} 已登记。")
    return redirect("project", code)


@require_http_methods(["POST"])
def withdraw_stage(request, code: str, pk: int):
    """That a stage fact does not hold after all."""
    found = _edited(request, code)
    fact = get_object_or_404(StageFact, pk=pk, project=found)
    form = WithdrawalForm(request.POST)
    if form.is_valid():
        try:
            services.withdraw_stage_fact(fact=fact, reason=form.cleaned_data["reason"], by=request.user)
        except services.Refused as refusal:
            form.add_error("reason", str(refusal))
    if form.errors:
        return _page(request, code, status=422, withdrawal={"pk": pk, "form": form})
    messages.success(request, f"{code} 的登记已撤销，记录保留。")
    return redirect(reverse("project", args=[code]))
