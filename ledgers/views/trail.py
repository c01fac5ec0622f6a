"""`/trail/`: who changed what, when, from where, for the office. Nothing can be changed here, and nobody can change it elsewhere."""

import itertools

from django.core.paginator import Paginator
from django.http import Http404, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from ledgers.trail_list import HEADINGS, TrailFilter, lines
from linfen_water import csv_text
from linfen_water.permissions import is_office

PER_PAGE = 50
MOST_EXPORTED = 50_000
BATCH = 1_000


@require_safe
def trail_page(request):
    """The events chosen, page by page; `export=csv` sends them all."""
    if not is_office(request.user):
        raise Http404
    form = TrailFilter(request.GET or {})
    events = form.chosen()
    if request.GET.get("export") == "csv" and form.is_valid():
        return send(events)
    page = Paginator(events, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "form": form,
        "page": page,
        "lines": list(lines(list(page.object_list))),
        "is_narrowed": any(form.cleaned_data.values()) or bool(form.errors),
        "most": MOST_EXPORTED,
    }
    response = render(request, "ledgers/trail.html", context, status=422 if form.errors else 200)
    response["Cache-Control"] = "private, no-store"
    return response


def send(events) -> StreamingHttpResponse:
    response = StreamingHttpResponse(table(events), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = content_disposition_header(True, f"留痕_{timezone.localdate()}.csv")
    response["Cache-Control"] = "private, no-store"
    return response


def table(events):
    """The CSV in portions, so that length costs no memory; what is left out at the end is said."""
    yield csv_text.table(HEADINGS, [])
    rows = iter(events[:MOST_EXPORTED].iterator(chunk_size=BATCH))
    while some := list(itertools.islice(rows, BATCH)):
        yield csv_text.table([], (line.cells() for line in lines(some, is_whole=True))).removeprefix(csv_text.MARK).removeprefix("\r\n")
    if (count := events.count()) > MOST_EXPORTED:
        yield f"共{count}条，只导出最近的{MOST_EXPORTED}条：请缩小时间范围。\r\n"
