"""`/documents/`: the office's papers, from the button that drafts one to the file that was issued."""

import dataclasses
import datetime as dt
import io

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Min
from django.http import FileResponse, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.cache import patch_cache_control, patch_vary_headers
from django.utils.http import quote_etag
from django.views.decorators.http import condition, require_POST, require_safe

from ledgers import services
from ledgers.documents import DocumentFault, PrintFault, docx, pdf, periods
from ledgers.documents.bulletin import BulletinFacts
from ledgers.documents.paper import PLACE_MARK, Paragraph
from ledgers.documents.weekly import WeeklyFacts
from ledgers.enums import LETTERS, DocumentKind, DocumentState
from ledgers.models import Document
from ledgers.permissions import may_issue, sees_drafts, visible_documents
from linfen_water.dates import add_months, monday, month_start
from linfen_water.enums import JobState
from linfen_water.models import Job, TrailEvent, Unit
from linfen_water.permissions import is_office
from projects.models import Project

PER_PAGE = 24
JOB_KINDS = {"draft_document": "生成草稿", "issue_document": "印发", "draft_letters": "拟写草稿"}
WEEKS_OFFERED = 26
ACTIONS = {
    "document.draft": "生成草稿",
    "document.write": "修改自拟段落",
    "document.number": "取号",
    "document.issue": "印发",
    "document.withdraw": "作废",
    "letter.review": "审核",
    "letter.lapse": "审核失效",
    "letter.send_back": "退回修改",
    "letter.approve": "批准",
    "letter.set_aside": "不发",
    "letter.receive": "签收",
    "letter.answer": "回复",
    "letter.accept": "认可回复，办结",
    "letter.ask_again": "退回重报",
    "letter.close": "办结",
    "letter.move_up": "升级",
    "letter.follow": "落实升级措施",
}


@dataclasses.dataclass(frozen=True)
class Work:
    """A job about a paper that waits, runs or has failed, in words."""

    name: str
    kind: str
    period: str
    document: int | None
    is_failed: bool
    words: str


# ── Lists ──


@require_safe
def documents(request):
    """Papers as of the page's day, newest first; asks again while work is under way."""
    return _list(request)


def _list(request, *, kind: str = "", period: str = "", fault: str = "", status: int = 200) -> HttpResponse:
    visible = visible_documents(request.user).as_of(request.as_of)
    chosen = request.GET.get("kind", "")
    rows = (visible.filter(kind=chosen) if chosen in DocumentKind.values else visible).defer("facts")
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    works = _works() if sees_drafts(request.user) and request.as_of == request.today else []
    context = {
        "page": page,
        "works": works,
        "is_working": any(not work.is_failed for work in works),
        "forms": _draft_forms(request.today, kind, period, fault) if may_issue(request.user) else [],
        "kinds": [choice for choice in DocumentKind if choice in services.KINDS and (choice not in LETTERS or sees_drafts(request.user))],
        "chosen": chosen,
        "may_issue": may_issue(request.user),
    }
    template = "documents/list.html#papers" if request.htmx else "documents/list.html"
    response = render(request, template, context, status=status)
    patch_vary_headers(response, ["HX-Request"])
    return response


def _draft_forms(today: dt.date, kind: str, period: str, fault: str) -> list[dict]:
    """One choice of periods for each kind that has any; the fault stands beside the one that was sent."""
    first = Project.objects.aggregate(first=Min("listed_on"))["first"]
    if first is None:
        return []
    found = []
    for choice, label, periods_of, usual in (
        (DocumentKind.WEEKLY, "周报", _weeks(today, first), 0),
        (DocumentKind.BULLETIN, "月通报", _months(today, first), 1),
    ):
        if periods_of:
            value = period if choice == kind else periods_of[min(usual, len(periods_of) - 1)]
            said = fault if choice == kind else ""
            found.append({"kind": choice, "label": label, "periods": periods_of, "value": value, "fault": said})
    return found


def _months(today: dt.date, first: dt.date) -> list[str]:
    """Months that a bulletin may speak of, the running one first."""
    month, found = month_start(today), []
    while month >= month_start(first):
        found.append(periods.month_period(month))
        month = add_months(month, -1)
    return found


def _weeks(today: dt.date, first: dt.date) -> list[str]:
    """The last half year's weeks that a report may speak of, the running one first."""
    weeks = (monday(today) - dt.timedelta(weeks=n) for n in range(WEEKS_OFFERED))
    return [periods.week_period(week_of) for week_of in weeks if week_of >= monday(first)]


def works_of(document: Document) -> list[Work]:
    """Jobs about one paper that are not done."""
    return _works(document)


def document_events(document: Document) -> list[dict]:
    """What happened to one paper, from the trail."""
    return _events(document)


def _works(document: Document | None = None) -> list[Work]:
    """Jobs that are not done, of all papers or of one."""
    jobs = Job.objects.filter(kind__in=JOB_KINDS).exclude(state=JobState.DONE)
    if document is not None:
        jobs = jobs.filter(key__in=services.keys_of(document))
    jobs = list(jobs)
    numbers = [job.args["document"] for job in jobs if "document" in job.args]
    names = {pk: (kind, period) for pk, kind, period in found} if (found := _kinds_and_periods(numbers)) else {}
    return [_work(job, names) for job in jobs]


def _kinds_and_periods(numbers: list[int]) -> list[tuple[int, str, str]]:
    return list(Document.objects.filter(pk__in=numbers).values_list("pk", "kind", "period")) if numbers else []


def _work(job: Job, names: dict[int, tuple[str, str]]) -> Work:
    pk = job.args.get("document")
    kind, period = names.get(pk, (job.args.get("kind", ""), job.args.get("period", "")))
    label = DocumentKind(kind).label if kind in DocumentKind.values else ""
    return Work(f"{label}{JOB_KINDS[job.kind]}", kind, period, pk, job.state == JobState.FAILED, _job_words(job))


def _job_words(job: Job) -> str:
    if not job.error:
        return job.get_state_display()
    kind, is_fault, said = job.error.partition(": ")
    if not is_fault:  # a refusal: the sentence for the person, and final
        return job.error
    reason = said if kind == PrintFault.__name__ else "系统出错，请联系管理员查看日志。"
    return reason if job.state == JobState.FAILED else f"第{job.attempts}次没有成功，将自动重试：{reason}"


@require_POST
def draft(request):
    """Have the chosen period's draft made or made again."""
    _office_only(request)
    kind, period = request.POST.get("kind", DocumentKind.BULLETIN), request.POST.get("period", "")
    unit = Unit.objects.filter(code=request.POST["unit"]).first() if request.POST.get("unit") else None
    try:
        job = services.request_draft(kind=kind, period=period, by=request.user, unit=unit)
    except DocumentFault as fault:
        if kind not in services.KINDS:  # no form of this page
            messages.error(request, str(fault))
        return _list(request, kind=kind, period=period, fault=str(fault), status=422)
    label = DocumentKind(kind).label
    messages.success(request, f"{job.args['period']} {label}草稿已排队生成，完成后自动出现在下面。")
    if unit and (standing := services.standing_letters(kind, job.args["period"]).filter(unit=unit).first()):
        return redirect("letter", pk=standing.pk)
    return redirect("documents")


# ── One paper ──


@require_safe
def document(request, pk: int):
    """State, figures and history of one paper; asks again while it is being made or issued. A letter has a page of its own."""
    found = _visible(request, pk)
    if found.kind in LETTERS:
        return redirect("letter", pk=found.pk)
    works = _works(found) if sees_drafts(request.user) else []
    is_draft = found.state == DocumentState.DRAFT
    context = {
        "document": found,
        "facts": _facts(found),
        "works": works,
        "is_working": any(not work.is_failed for work in works),
        "may_issue": may_issue(request.user),
        "digest": services.facts_digest(found),
        "is_stale": is_draft and may_issue(request.user) and services.is_stale(found),
        "unprintable": pdf.unprintable(services.drafted_paper(found)) if is_draft else "",
        "events": _events(found) if sees_drafts(request.user) else [],
        "own_texts": _own_texts(found),
        "places": services.kind_of(found.kind).places,
    }
    template = "documents/document.html#state" if request.htmx else "documents/document.html"
    response = render(request, template, context)
    patch_vary_headers(response, ["HX-Request"])
    return response


FACTS: dict[str, type[BulletinFacts] | type[WeeklyFacts]] = {DocumentKind.BULLETIN: BulletinFacts, DocumentKind.WEEKLY: WeeklyFacts}


def _facts(found: Document) -> BulletinFacts | WeeklyFacts | None:
    return FACTS[found.kind].from_json(found.facts) if found.kind in FACTS and found.facts else None


def _own_texts(found: Document) -> list[tuple[str, list[str]]]:
    """(place in words, its paragraphs) of what the office wrote itself."""
    places = services.kind_of(found.kind).places
    return [(label, found.own_texts[place].splitlines()) for place, label in places.items() if found.own_texts.get(place)]


def _events(found: Document) -> list[dict]:
    events = TrailEvent.objects.filter(subject_type="document", subject_id=str(found.pk)).select_related("by__unit")
    return [{"at": e.at, "by": e.by or "系统", "action": ACTIONS.get(e.action, e.action), "reason": e.reason} for e in events]


def _etag(request, pk: int) -> str | None:
    name = visible_documents(request.user).filter(pk=pk).values_list("pdf_sha256", flat=True).first()
    return quote_etag(name) if name else None


@require_safe
@condition(etag_func=_etag)
def document_pdf(request, pk: int):
    """The kept bytes: of an issued paper those that were issued."""
    found = _visible(request, pk)
    try:
        content = services.printed(found)
    except DocumentFault as fault:
        mend = "请刷新草稿重新生成" if found.state == DocumentState.DRAFT else "请管理员从备份恢复 documents 目录"
        return render(request, "error.html", {"title": "打不开 PDF", "message": f"{fault}，{mend}。"}, status=404)
    mark = "" if found.number else f"（{found.get_state_display()}）"
    name = f"{found.file_number}{found.title}{f'（{found.unit}）' if found.unit else ''}{mark}.pdf"
    response = FileResponse(io.BytesIO(content), filename=name, content_type="application/pdf")
    patch_cache_control(response, private=True, no_cache=True)
    return response


@require_safe
def document_docx(request, pk: int):
    """An editable copy of the same words, made when asked for; the issued paper is the PDF."""
    found = _visible(request, pk)
    if not found.facts:
        return render(request, "error.html", {"title": "没有可编辑稿", "message": "这份文件没有保存数据，不能生成 Word 稿。"}, status=404)
    dated = found.issued_at or found.drafted_at
    content = docx.render_docx(services.standing_paper(found), dated.date() if dated else found.as_of)
    mark = "" if found.number else f"（{found.get_state_display()}）"
    name = f"{found.file_number}{found.title}{mark}（编辑稿）.docx"
    response = FileResponse(io.BytesIO(content), as_attachment=True, filename=name, content_type=docx.CONTENT_TYPE)
    patch_cache_control(response, private=True, no_cache=True)
    return response


def own_texts(request, pk: int):
    """Write the office's own paragraphs of a draft, each beside the computed words that it follows."""
    found = _visible(request, pk)
    _office_only(request)
    places = services.kind_of(found.kind).places
    if not places or found.state != DocumentState.DRAFT:
        messages.error(request, f"本文件{found.get_state_display()}，没有可以修改的自拟段落。")
        return redirect("document", pk=found.pk)
    typed, seen = dict(found.own_texts), services.texts_digest(found)
    fault, theirs, status = "", {}, 200
    if request.method == "POST":
        typed = {place: request.POST.get(place, "") for place in places}
        began_with = request.POST.get("seen", "")
        try:
            services.write_own_texts(document=found, texts=typed, seen=began_with, by=request.user)
        except services.TextsConflict as conflict:
            fault, theirs, status = str(conflict), conflict.standing, 409
            seen = services.texts_digest(_visible(request, pk))
        except DocumentFault as refused:
            fault, status, seen = str(refused), 422, began_with
        else:
            messages.success(request, "自拟段落已保存，正在按最新数据重新排版草稿。")
            return redirect("document", pk=found.pk)
    context = {"document": found, "parts": _parts(found, typed, theirs if status == 409 else None), "seen": seen, "fault": fault}
    return render(request, "documents/own_texts.html", context, status=status)


def _parts(found: Document, typed: dict[str, str], theirs: dict[str, str] | None) -> list[dict]:
    """For each place the computed words before it, what is typed, and what another person saved there when that differs."""
    places = services.kind_of(found.kind).places
    marked = services.kind_of(found.kind).paper(found.facts, own_texts={place: f"{PLACE_MARK}{place}" for place in places})
    parts, before = [], []
    for block in marked.body:
        if not (isinstance(block, Paragraph) and block.text.startswith(PLACE_MARK)):
            before.append(block)
            continue
        place = block.text[1:]
        mine = typed.get(place, "")
        saved = None if theirs is None or theirs.get(place, "") == mine else theirs.get(place, "") or "（空）"
        parts.append({"place": place, "label": places[place], "before": before, "text": mine, "theirs": saved})
        before = []
    return parts


def issue(request, pk: int):
    """Ask once more, with the figures in view; then have the paper numbered and issued."""
    found = _visible(request, pk)
    _office_only(request)
    seen = request.POST.get("facts_seen") or services.facts_digest(found)
    fault = ""
    if request.method == "POST":
        try:
            services.request_issue(document=found, by=request.user, facts_seen=seen)
        except DocumentFault as refused:
            fault = str(refused)
        else:
            messages.success(request, "已提交印发，正在取号并生成正式文件。")
            return redirect("document", pk=found.pk)
    context = {"document": found, "facts": _facts(found), "digest": services.facts_digest(found), "fault": fault}
    return render(request, "documents/issue.html", context, status=422 if fault else 200)


def withdraw(request, pk: int):
    """作废 with a reason; the number stays used."""
    found = _visible(request, pk)
    _office_only(request)
    reason, fault = request.POST.get("reason", "").replace("\0", ""), ""  # which PostgreSQL does not take
    if request.method == "POST":
        try:
            services.withdraw_document(document=found, by=request.user, reason=reason)
        except DocumentFault as refused:
            fault = str(refused)
        else:
            messages.success(request, f"{found.file_number}已作废，文号保留；可以重新生成该期草稿。")
            return redirect(reverse("document", args=[found.pk]))
    return render(request, "documents/withdraw.html", {"document": found, "reason": reason, "fault": fault}, status=422 if fault else 200)


def _visible(request, pk: int) -> Document:
    return get_object_or_404(visible_documents(request.user).select_related("issued_by__unit", "unit"), pk=pk)


def _office_only(request) -> None:
    if not is_office(request.user):
        raise PermissionDenied
