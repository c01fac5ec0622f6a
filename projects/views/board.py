"""`/dispatch/board/`: who has reported, chasing the others, and accepting or returning from one page."""

import hashlib
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpResponseNotModified
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import parse_etags, quote_etag
from django.views.decorators.http import require_http_methods, require_POST

from linfen_water import clock, trail
from linfen_water import permissions as people
from linfen_water.dates import monday
from linfen_water.middleware import BadDay
from linfen_water.models import Domain
from projects import board, permissions, reminders, services
from projects.forms import ReturnForm
from projects.views.dispatch import NUMBER, _reviewed, read_week

CODE_VERSION = 1  # of the part's markup: an open page then draws it anew
LINES_SHOWN = 100  # projects of one unit; the rest is on the page of reviews
CONFLICT = 409


@require_http_methods(["GET", "HEAD"])
def board_page(request):
    """The week's board; asked for again by the open page, which is answered 304 while nothing has changed."""
    try:
        week_of = read_week(request)
    except BadDay as fault:
        return render(request, "error.html", {"title": "周次无效", "message": str(fault)}, status=400)
    if request.as_of != request.today:  # a past day: its week
        return redirect(f"{reverse('board')}?week={monday(request.as_of)}")
    now = clock.now()
    etag = _etag(request, week_of, now)
    if request.htmx and etag in parse_etags(request.headers.get("If-None-Match", "")):
        return _timed(HttpResponseNotModified(), etag, now)
    found = board.read_board(_scope(request), week_of, now=now, reviewed=_reviewed_keys(request.user))
    only_owed = request.GET.get("show") == "owed"
    units = found.owing if only_owed else found.units
    context = {
        "board": found,
        "units": [(unit, (unit.owed if only_owed else unit.lines)[:LINES_SHOWN]) for unit in units],
        "lines_shown": LINES_SHOWN,
        "times": found.times,
        "state": found.state,
        "week_of": week_of,
        "week_before": week_of - board.weeks.WEEK,
        "week_after": week_of + board.weeks.WEEK if week_of < monday(request.today) else None,
        "only_owed": only_owed,
        "domain": _domain(request),
        "domains": [] if people.is_department(request.user) else Domain.objects.all(),
        "etag": etag,
        "now_ms": _ms(now),
        "deadline_ms": _ms(found.times.deadline_at),
        "lock_ms": _ms(found.times.locks_at),
        "opens_ms": _ms(found.times.opens_at),
        "chase_text": board.chase_text(found, request.region),
        "may_review": permissions.may_review(request.user),
        "note_length": reminders.LONGEST_NOTE,
    }
    template = "projects/board.html#board" if request.htmx else "projects/board.html"
    return _timed(render(request, template, context), etag, now)


@require_POST
def board_review(request):
    """Accept what was ticked (`dispatch`), or return one report with a remark."""
    verb, _, key = request.POST.get("action", "").partition(":")
    if verb == "accept":
        _accept(request, request.POST.getlist("dispatch"))
    elif verb in {"pass", "return"} and NUMBER.fullmatch(key):
        _accept(request, [key]) if verb == "pass" else _return(request, key)
    else:
        messages.info(request, "没有执行：请点要退回的那一行的“退回”，或勾选后点“通过所选”。")
    return redirect(_back(request))


@require_POST
def board_remind(request):
    """Remind the units that still owe something; who was reminded within the hour is asked about first."""
    if not permissions.may_review(request.user):
        raise Http404
    try:
        week_of = read_week(request)
    except BadDay as fault:
        return render(request, "error.html", {"title": "周次无效", "message": str(fault)}, status=400)
    note, again = request.POST.get("note", ""), request.POST.get("again") == "1"
    try:
        sent = reminders.chase(week_of=week_of, projects=_scope(request), by=request.user, note=note.replace("\0", ""), again=again)
    except reminders.NothingOwed:
        messages.info(request, "都已报齐，不需要提醒。")
    except reminders.AskAgain as question:
        context = {"question": question, "note": note, "address": request.get_full_path(), "back": _back(request)}
        return render(request, "projects/board_again.html", context, status=CONFLICT)
    else:
        also = f"，另有 {sent.messages} 条经群机器人或邮件在后台发送" if sent.messages else ""
        messages.success(request, f"已向 {sent.units} 个单位发出站内提醒{also}。" if sent.units else "刚刚已经提醒过，没有重复发送。")
    return redirect(_back(request))


def _scope(request):
    """A department its own domain, everyone else what they may read; narrowed to `?domain=`."""
    if people.is_department(request.user):
        return permissions.reviewed_projects(request.user)
    scope = permissions.visible_projects(request.user, request.today)
    domain = _domain(request)
    return scope.filter(domain=domain) if domain else scope


def _domain(request) -> Domain | None:
    name = request.GET.get("domain")
    return Domain.objects.filter(name=name).first() if name else None


def _reviewed_keys(user) -> list[int]:
    return list(permissions.reviewed_projects(user).values_list("pk", flat=True)) if permissions.may_review(user) else []


def _accept(request, keys: list[str]) -> None:
    rows = _reviewed(request, [int(key) for key in keys if NUMBER.fullmatch(key)])
    accepted = 0
    for row in rows:
        try:
            services.accept_dispatch(dispatch=row, by=request.user)
            accepted += 1
        except services.Refused as refusal:
            messages.error(request, f"{row.project.code}：{refusal}")
    if accepted:
        messages.success(request, f"已审核通过 {accepted} 项。")
    elif not rows:
        messages.info(request, "没有勾选任何项目。")


def _return(request, key: str) -> None:
    row = _reviewed(request, [int(key)])[0]
    form = ReturnForm({"remark": request.POST.get(f"remark-{key}", "")})
    if not form.is_valid():
        messages.error(request, f"{row.project.code}：{form.errors['remark'][0]}")
        return
    try:
        services.return_dispatch(dispatch=row, remark=form.cleaned_data["remark"], by=request.user)
        messages.success(request, f"{row.project.code} 已退回，已站内提醒填报单位。")
    except services.Refused as refusal:
        messages.error(request, f"{row.project.code}：{refusal}")


def _back(request) -> str:
    """The board as it was looked at: the same week and filters."""
    asked = request.GET.copy()
    kept = {key: asked[key] for key in ("week", "domain", "show") if asked.get(key)}
    return reverse("board") + (f"?{urlencode(kept)}" if kept else "")


def _etag(request, week_of, now) -> str:
    """What the part depends on: the facts, the week and where it stands, the person and the filters."""
    times = board.weeks.week_times(week_of)
    user = request.user
    parts = (
        CODE_VERSION,
        trail.state(),
        week_of,
        times,
        times.state(now),
        user.pk,
        user.role,
        user.unit_id,
        _domain(request),
        request.GET.get("show"),
    )
    return quote_etag(hashlib.sha256(repr(parts).encode()).hexdigest()[:20])


def _timed(response, etag: str, now):
    """With the server's time, so that the count-down never drifts, also when nothing else is sent."""
    response["ETag"], response["X-Now"] = etag, str(_ms(now))
    response["Cache-Control"] = "private, no-cache"
    response["Vary"] = "Cookie, HX-Request"
    return response


def _ms(moment) -> int:
    return int(moment.timestamp() * 1000)
