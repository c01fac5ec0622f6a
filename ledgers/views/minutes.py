"""`/meetings/<pk>/minutes.pdf`, `.docx`: the minutes of a held meeting as an official paper."""

from collections.abc import Callable

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from ledgers.documents import PrintFault, docx, minutes, pdf
from ledgers.documents.minutes_words import minutes_paper
from ledgers.views.meetings import meeting_pages


@require_safe
def minutes_pdf(request, pk: int):
    return _paper(request, pk, pdf.render_pdf, "pdf", "application/pdf", "inline")


@require_safe
def minutes_docx(request, pk: int):
    return _paper(request, pk, docx.render_docx, "docx", docx.CONTENT_TYPE, "attachment")


def _paper(request, pk: int, print_with: Callable, suffix: str, content_type: str, disposition: str) -> HttpResponse:
    """What the person may read of the meeting, printed; before the meeting there is nothing to tell."""
    row = meeting_pages.find(request, pk)
    if row.held_on > request.as_of:
        said = f"会议定于 {row.held_on} 召开，开过会才能生成会议纪要。"
        return render(request, "error.html", {"title": "没有会议纪要", "message": said}, status=409)
    paper = minutes_paper(minutes.read(row, request.user, request.as_of, request.today))
    try:
        content = print_with(paper, row.minutes_closed_on or row.held_on)
    except PrintFault as fault:
        return render(request, "error.html", {"title": "没有生成会议纪要", "message": str(fault)}, status=503)
    response = HttpResponse(content, content_type=content_type)
    response["Content-Disposition"] = f'{disposition}; filename="minutes-{row.held_on}.{suffix}"'
    response["Cache-Control"] = "private, no-store"
    return response
