"""`/projects/scurve/`: planned, real and forecast progress of the city, a county or a domain, and how far off forecasts have been."""

from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import Http404
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from linfen_water.models import County, Domain
from projects.backtest import read_backtest
from projects.figures_scurve import curves
from projects.forecast import GAP_DAYS, LEAST_FINISHED
from projects.scurve import read_scurve

PER_PAGE = 30


@require_safe
def scurve(request):
    """The S-curve of what I may see. The address chooses county and domain; a name that there is not is not found."""
    county, domain = _chosen(County, "code", request.GET.get("county")), _chosen(Domain, "name", request.GET.get("domain"))
    found = read_scurve(
        request.user,
        request.as_of,
        request.today,
        county=county.code if county else "",
        domain=domain.name if domain else "",
    )
    past = {"as_of": request.as_of.isoformat()} if request.as_of != request.today else {}
    context = {
        "found": found,
        "county": county,
        "domain": domain,
        "counties": County.objects.all(),
        "domains": Domain.objects.all(),
        "figure": curves(found) if found else None,
        "page": Paginator(found.outlooks if found else [], PER_PAGE).get_page(request.GET.get("page")),
        "past": urlencode(past),
        "gap_days": GAP_DAYS,
        "least_finished": LEAST_FINISHED,
    }
    is_part = request.htmx and not request.htmx.history_restore_request
    response = render(request, "projects/scurve.html#scurve" if is_part else "projects/scurve.html", context)
    patch_vary_headers(response, ["HX-Request"])
    return response


@require_safe
def accuracy(request):
    """How far off the office's forecasts have been: sums over all of its finished projects, the same for everyone."""
    context = {"found": read_backtest(request.as_of), "least_finished": LEAST_FINISHED}
    return render(request, "projects/accuracy.html", context)


def _chosen(model, field: str, value: str | None):
    """The county or domain that the address names; None for all."""
    if not value:
        return None
    found = model.objects.filter(**{field: value}).first()
    if found is None:
        raise Http404
    return found
