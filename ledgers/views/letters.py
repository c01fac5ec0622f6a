"""`/letters/`: letters from the draft to the closed answer. A county or department finds what it received; the office all."""

import datetime as dt

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from ledgers import letter_services, letter_states, letters, services
from ledgers.documents import DocumentFault, pdf, periods
from ledgers.documents.letter import LetterFacts
from ledgers.enums import LETTERS, NEXT, DocumentKind, DocumentState, Measure
from ledgers.letter_services import Quicker, Upload
from ledgers.letter_states import LetterState
from ledgers.models import AnswerFile, Document
from ledgers.permissions import may_answer, may_approve_talks, may_issue, received_letters, sees_drafts, visible_letters
from ledgers.views.documents import document_events, works_of
from linfen_water import jobs
from linfen_water.models import Unit
from linfen_water.permissions import is_office
from linfen_water.sent_files import Unfit
from projects import attachments

PER_PAGE = 25
ANSWER_STATES = letter_states.WAITING


@require_safe
def letter_list(request) -> HttpResponse:
    """Letters as of the page's day: what waits first."""
    rows = letters.read(visible_letters(request.user), request.as_of)
    if request.as_of != request.today:
        rows = [row for row in rows if row.document.issued_at]
    kind, unit, group = (request.GET.get(name, "") for name in ("kind", "unit", "group"))
    units = {row.document.unit.code: row.document.unit.name for row in rows}
    found = [row for row in rows if (not kind or row.document.kind == kind) and (not unit or row.document.unit.code == unit)]
    counted = letters.counts(found)
    chosen = [row for row in found if row.is_in(group)] if group in letters.GROUPS else found
    context = {
        "page": Paginator(chosen, PER_PAGE).get_page(request.GET.get("page")),
        "groups": [(key, label, counted[key]) for key, (label, _) in letters.GROUPS.items() if counted[key]],
        "count": len(found),
        "total": len(rows),
        "kinds": letters.kinds(),
        "units": sorted(units.items(), key=lambda item: item[0]) if sees_drafts(request.user) else [],
        "chosen": {"kind": kind, "unit": unit, "group": group},
        "may_issue": may_issue(request.user),
        "own_unit": None if sees_drafts(request.user) else request.user.unit,
        "month": periods.month_period(request.today),
    }
    return render(request, "letters/list.html", context)


@require_POST
def draft_letters(request) -> HttpResponse:
    """Have the letters of a kind drafted for every unit that the facts call for today."""
    _office_only(request)
    kind = request.POST.get("kind", "")
    if kind not in LETTERS:
        raise Http404
    period = periods.month_period(request.today) if kind in letter_services.MONTHLY else request.today.isoformat()
    key = f"letters:{kind}:{period}"
    jobs.enqueue(key=key, kind="draft_letters", args={"kind": kind, "period": period}, by=request.user, again=True)
    messages.success(request, f"正在按今天的情况拟写{DocumentKind(kind).label}，完成后出现在下面；已有的草稿保留。")
    return redirect("letters")


@require_safe
def letter(request, pk: int) -> HttpResponse:
    """One letter: its paper, its grounds, its way."""
    return _letter(request, _visible(request, pk))


def _letter(request, found: Document, *, fault: str = "", typed: dict | None = None, status: int = 200) -> HttpResponse:
    is_draft = found.state == DocumentState.DRAFT
    row = letters.row(found, request.as_of)
    office = may_issue(request.user)
    works = works_of(found) if sees_drafts(request.user) else []
    is_present = request.as_of == request.today
    context = {
        "document": found,
        "row": row,
        "letter": found.letter,
        "facts": LetterFacts.from_json({k: v for k, v in found.facts.items() if k != services.ISSUED_ON}) if found.facts else None,
        "works": works,
        "is_working": any(not work.is_failed for work in works) or found.state == DocumentState.ISSUING,
        "fault": fault,
        "typed": typed or {},
        "digest": services.facts_digest(found),
        "is_stale": is_draft and office and is_present and services.is_stale(found),
        "unprintable": pdf.unprintable(services.drafted_paper(found)) if is_draft and found.facts else "",
        "events": document_events(found) if sees_drafts(request.user) else [],
        "may_issue": office and is_present,
        "may_approve": may_approve_talks(request.user) and letter_states.needs_approval(found) and is_present,
        "may_answer": may_answer(request.user, found) and is_present and row.state in ANSWER_STATES,
        "needs_approval": letter_states.needs_approval(found),
        "next": Measure(NEXT[Measure(found.kind)]).label,
        "accept": attachments.ACCEPT,
        "file_hint": attachments.HINT,
        "own_texts": services.kind_of(found.kind).places and [
            (label, found.own_texts[place]) for place, label in services.kind_of(found.kind).places.items() if found.own_texts.get(place)
        ],
    }  # fmt: skip
    return render(request, "letters/letter.html", context, status=status)


ACTIONS = {
    "review": "已审核",
    "send_back": "已退回修改",
    "approve": "已批准",
    "set_aside": "已登记不发",
    "receive": "已签收",
    "answer": "回复已提交，等待专班办核查",
    "accept": "回复已认可，本函办结",
    "ask_again": "已退回重报",
    "close": "已办结",
    "move_up": "已升级，下一措施是函件的，草稿随后生成",
    "follow": "已登记",
}


@require_POST
def act(request, pk: int) -> HttpResponse:
    """One step of the letter's way; on a fault the page comes back with what was typed."""
    found = _visible(request, pk)
    action = request.POST.get("action", "")
    if action not in ACTIONS:
        return _letter(request, found, fault="请从页面上的按钮操作。", status=422)
    try:
        _do(action, found, request)
    except Quicker as fault:
        return _letter(request, _visible(request, pk), fault=str(fault), typed=request.POST.dict() | {"at": action}, status=409)
    except (DocumentFault, Unfit) as fault:
        return _letter(request, _visible(request, pk), fault=str(fault), typed=request.POST.dict() | {"at": action}, status=422)
    messages.success(request, f"{ACTIONS[action]}。")
    return redirect("letters" if action == "set_aside" else reverse("letter", args=[found.pk]))


def _do(action: str, found: Document, request) -> None:
    post, by = request.POST, request.user
    seen = int(text) if (text := post.get("seen", "")).isdigit() and len(text) < 10 else 0
    common = {"document": found, "by": by}
    if action in {"review", "approve"}:
        getattr(letter_services, action)(**common, seen=seen, facts_seen=post.get("facts_seen", ""))
    elif action in {"send_back", "set_aside", "follow"}:
        getattr(letter_services, action)(**common, seen=seen, reason=post.get("reason", ""))
    elif action == "receive":
        letter_services.receive(**common)
    elif action == "answer":
        files = [Upload(file.name, file.read(attachments.LARGEST + 1)) for file in request.FILES.getlist("files")]
        letter_services.answer(**common, seen=seen, text=post.get("text", ""), files=files)
    elif action == "accept":
        letter_services.accept(**common, seen=seen, remark=post.get("reason", ""))
    elif action == "ask_again":
        letter_services.ask_again(**common, seen=seen, remark=post.get("reason", ""), due_again_on=_day(post.get("due_again_on", "")))
    else:
        letter_services.close(**common, seen=seen, reason=post.get("reason", ""), move_up=action == "move_up")


def _day(text: str) -> dt.date | None:
    if not text.strip():
        return None
    try:
        return dt.date.fromisoformat(text.strip())
    except ValueError:
        raise DocumentFault(f"日期“{text[:20]}”无效，请按 2025-02-20 的格式填写。") from None


@require_safe
def unit_letters(request, code: str) -> HttpResponse:
    """Everything that a unit has received, with its answers: one page, also for paper."""
    unit = get_object_or_404(Unit, code=code)
    if not sees_drafts(request.user) and request.user.unit_id != unit.pk:
        raise Http404
    found = received_letters_of(unit) if sees_drafts(request.user) else received_letters(request.user)
    rows = [row for row in letters.read(found, request.as_of) if row.document.issued_at]
    rows.sort(key=lambda row: (row.document.issued_at, row.document.pk), reverse=True)
    context = {
        "unit": unit,
        "rows": rows,
        "by_kind": [(kind.label, count) for kind in letters.kinds() if (count := sum(row.document.kind == kind for row in rows))],
        "open_count": sum(row.state in (*ANSWER_STATES, LetterState.ANSWERED) for row in rows),
        "overdue_count": sum(row.overdue > 0 for row in rows),
        "sees_all": sees_drafts(request.user),
    }
    return render(request, "letters/unit.html", context)


def received_letters_of(unit: Unit):
    return Document.objects.filter(kind__in=LETTERS, number__isnull=False, issued_at__isnull=False, unit=unit)


@require_safe
def answer_file(request, pk: int) -> HttpResponse:
    """A file of an answer as a download, for whoever may read the letter."""
    letters_seen = visible_letters(request.user).values("pk")
    return attachments.response(get_object_or_404(AnswerFile, pk=pk, answer__letter__document__in=letters_seen))


def _visible(request, pk: int) -> Document:
    related = visible_letters(request.user).select_related("unit__county", "letter__followed_by", "issued_by__unit")
    found = get_object_or_404(related.prefetch_related("letter__answers__files"), pk=pk)
    if request.as_of < request.today and letter_states.day_of(found.issued_at) > request.as_of:
        raise Http404  # on that day it was not there
    return found


def _office_only(request) -> None:
    if not is_office(request.user):
        raise PermissionDenied
