"""A paper printed on the spot from the facts of the moment, for whoever asked: kept by nobody."""

import datetime as dt

from django.http import HttpResponse
from django.shortcuts import render

from ledgers.documents import PrintFault, docx, pdf
from ledgers.documents.paper import Paper


def printed(request, paper: Paper, day: dt.date, *, name: str, refusal: str, as_word: bool = False) -> HttpResponse:
    """`paper` of `day` as a PDF to look at or a Word file to keep, called `name`; headed by `refusal` why it could not be printed."""
    try:
        content = docx.render_docx(paper, day) if as_word else pdf.render_pdf(paper, day)
    except PrintFault as fault:
        return render(request, "error.html", {"title": refusal, "message": str(fault)}, status=503)
    response = HttpResponse(content, content_type=docx.CONTENT_TYPE if as_word else "application/pdf")
    shown = f'attachment; filename="{name}.docx"' if as_word else f'inline; filename="{name}.pdf"'
    response["Content-Disposition"] = shown
    response["Cache-Control"] = "private, no-store"
    return response
