"""`/meetings/<pk>/minutes.pdf`, `.docx`: the minutes of a held meeting as an official paper."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from ledgers.documents import minutes
from ledgers.documents.minutes_words import minutes_paper
from ledgers.views.meetings import meeting_pages
from ledgers.views.printed import printed


@require_safe
def minutes_pdf(request, pk: int):
    return _paper(request, pk, as_word=False)


@require_safe
def minutes_docx(request, pk: int):
    return _paper(request, pk, as_word=True)


def _paper(request, pk: int, *, as_word: bool) -> HttpResponse:
    """What the person may read of the meeting, printed; before the meeting there is nothing to tell."""
    row = meeting_pages.find(request, pk)
    if row.held_on > request.as_of:
        said = f"会议定于 {row.held_on} 召开，开过会才能生成会议纪要。"
        return render(request, "error.html", {"title": "没有会议纪要", "message": said}, status=409)
    paper = minutes_paper(minutes.read(row, request.user, request.as_of, request.today))
    day = row.minutes_closed_on or row.held_on
    return printed(request, paper, day, name=f"minutes-{row.held_on}", refusal="没有生成会议纪要", as_word=as_word)
