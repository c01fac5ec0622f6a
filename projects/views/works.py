"""`/sections/<pk>/works/`: a section's works and its water side by side; a part of the section's page, and a page of its own."""

from collections import Counter

from django.core.paginator import Paginator
from django.shortcuts import get_object_or_404, render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from monitoring.models import Section
from projects import figures_water, water_rules, works_water

PER_PAGE = 40
KINDS = {"": "全部", "upstream": "上游", "near": "周边", "meant": "服务本断面"}


@require_safe
def section_works(request, pk: int):
    """Everyone who may log in reads the section; of its works only those that the person may see, the others are counted."""
    section = get_object_or_404(Section.objects.select_related("river", "county", "replaced_by"), pk=pk)
    radius = _chosen(request.GET.get("radius"), {str(km): km for km in works_water.RADII_KM}, works_water.RADIUS_KM)
    kind = _chosen(request.GET.get("kind"), {key: key for key in KINDS}, "")
    found = works_water.section_works(section, request.as_of, request.user, request.region, radius)
    page = Paginator(found.of(kind), PER_PAGE).get_page(request.GET.get("page"))
    item = _chosen(request.GET.get("item"), {key: key for key in found.items}, found.key_item)
    months = found.months[-works_water.SHOWN_MONTHS :]
    compared = [(work, found.comparison(work)) for work in page]
    finished = [(work, comparison) for work, comparison in compared if work.completed_on]
    context = {
        "section": section,
        "found": found,
        "page": page,
        "compared": compared,
        "accepted": [(work, comparison) for work, comparison in finished if not comparison.is_refused],
        "refused": [(work, comparison) for work, comparison in finished if comparison.is_refused],
        "kinds": [(key, word, len(found.of(key))) for key, word in KINDS.items()],
        "kind": kind,
        "radii": works_water.RADII_KM,
        "items": [(key, found.table.name(key)) for key in found.items],
        "item": item,
        "figure": figures_water.timeline(request.as_of, list(page), months, found.table.of(item, section.water_body) if item else None),
        "qualities": Counter(work.location_quality for work in page if work.location_quality).most_common(),
        "no_cause": water_rules.NO_CAUSE,
        "least_pairs": water_rules.LEAST_PAIRS,
        "near_river_km": water_rules.NEAR_RIVER_KM,
    }
    is_part = request.htmx and not request.htmx.history_restore_request
    response = render(request, "projects/section_works.html#works" if is_part else "projects/section_works.html", context)
    patch_vary_headers(response, ["HX-Request"])  # part and page share an address
    return response


def _chosen(text: str | None, choices: dict, default):
    """What the address chooses; the default where it names nothing there is."""
    return choices.get(text or "", default)
