"""The cards of the wall as parts of its page: read by everyone within their scope, the button turned by the office alone."""

import orjson
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_POST, require_safe

from monitoring.models import Section
from projects import permissions, services, water_rules
from projects.forms import MagnetForm, WithdrawalForm
from projects.models import Project, StageFact
from projects.wall_cards import project_card, section_card
from projects.wall_find import find


@require_safe
def project(request, code: str):
    """The card of a project as of the day that the wall shows."""
    return _project(request, _visible(request, code))


def _visible(request, code: str) -> Project:
    scope = permissions.visible_projects(request.user, request.today)
    return get_object_or_404(scope.select_related("domain"), code=code, listed_on__lte=request.as_of)


def _project(request, found: Project, status: int = 200, **more):
    card = project_card(found, request.as_of)
    if card is None:
        raise Http404
    may_turn = permissions.may_edit_projects(request.user)
    is_now = request.as_of == request.today
    context = {"card": card, "d": card.dossier, "may_turn": may_turn and is_now, "is_only_past": may_turn and not is_now, **more}
    if may_turn and is_now and card.next_event:
        context.setdefault("form", MagnetForm(initial={"event": card.next_event, "on": request.today}))
    return _part(render(request, "projects/wall_project.html", context, status=status))


@require_POST
def turn(request, code: str):
    """Turn the button: the project started or was completed on a day, on what ground. The same service as the project's page."""
    found = _office_only(request, code)
    form = MagnetForm(request.POST)
    fact = None
    if form.is_valid():
        try:
            fact = services.record_stage_fact(project=found, by=request.user, **form.fact)
        except services.Refused as refusal:
            form.add_error(None, str(refusal))
    if form.errors:
        return _project(request, found, 422, form=form)
    return _project(request, _visible(request, code), turned=fact)


@require_POST
def turn_back(request, code: str, pk: int):
    """Withdraw what a turn said, with a reason; the record stays in the trail."""
    found = _office_only(request, code)
    fact = get_object_or_404(StageFact, pk=pk, project=found)
    form = WithdrawalForm(request.POST)
    if form.is_valid():
        try:
            services.withdraw_stage_fact(fact=fact, reason=form.cleaned_data["reason"], by=request.user)
        except services.Refused as refusal:
            form.add_error(None, str(refusal))
    if form.errors:
        return _project(request, found, 422, withdrawal=form)
    return _project(request, _visible(request, code), withdrawn=fact)


def _office_only(request, code: str) -> Project:
    """For others the address is not there. A fact is recorded today, whatever day the address looks at."""
    if not permissions.may_edit_projects(request.user):
        raise Http404
    request.as_of = request.today
    return _visible(request, code)


@require_safe
def section(request, pk: int):
    """The card of a section as of the day that the wall shows."""
    in_force = Section.objects.in_force(request.as_of).select_related("river", "county", "replaced_by")
    card = section_card(get_object_or_404(in_force, pk=pk), request.as_of, request.user, request.region)
    return _part(render(request, "projects/wall_section.html", {"card": card, "no_cause": water_rules.NO_CAUSE}))


@require_safe
def finder(request):
    """What the typed text may mean."""
    hits = find(request.GET.get("q", ""), request.as_of, request.user)
    return _part(HttpResponse(orjson.dumps([hit._asdict() for hit in hits]), content_type="application/json"))


def _part(response: HttpResponse) -> HttpResponse:
    """What is in a card is true now: neither browser nor proxy keeps it."""
    response["Cache-Control"] = "no-store"
    return response
