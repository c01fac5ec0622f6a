"""`/dispatch/`: this week's dispatches on one page, to fill in (counties, office) and to review (departments, office)."""

import dataclasses
import datetime as dt
import re

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import Http404, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from linfen_water import clock, policy
from linfen_water.dates import monday
from linfen_water.middleware import BadDay, read_day
from linfen_water.models import County
from linfen_water.permissions import is_county, is_office
from projects import anomalies, permissions, photos, reports, rules, services, weeks
from projects.blocks import Block
from projects.enums import DispatchState
from projects.forms import DispatchForm, ReturnForm
from projects.models import Dispatch, Project
from projects.reports import ProjectWeek
from projects.views import permits as permit_pages

PER_PAGE = 20
FINISHED_SHOWN = 50  # the rest is on the list of projects
OK, UNPROCESSABLE, CONFLICT, FORBIDDEN = 200, 422, 409, 403
ANOTHER_PERSON = "这个页面是另一个账号打开的：请换回原来的账号，或刷新页面后用现在的账号填写。"
NUMBER = re.compile("[0-9]{1,18}")  # what both databases take as a key


# ── the page ──


@require_http_methods(["GET", "HEAD", "POST"])
def dispatch(request):
    """The week's blocks of all my projects; a POST saves what was typed in any of them and submits what was asked for."""
    try:
        week_of = read_week(request)
    except BadDay as fault:
        return render(request, "error.html", {"title": "周次无效", "message": str(fault)}, status=400)
    if request.GET.get("view") == "permits" and permissions.has_permit_desk(request.user):
        return permit_pages.dispatch_tab(request)
    if request.as_of != request.today:  # a past day: the dispatches of its week
        view = "&view=review" if request.GET.get("view") == "review" else ""
        return redirect(f"{reverse('dispatch')}?week={monday(request.as_of)}{view}")
    wants_review = request.GET.get("view") == "review" or not permissions.may_dispatch(request.user)
    if wants_review and permissions.may_review(request.user):
        return _review_page(request, week_of)
    if not permissions.may_dispatch(request.user):
        raise Http404
    scope = reports.reporting_in(_by_county(request, permissions.dispatched_projects(request.user)), week_of)
    page = Paginator(scope.order_by("number", "code"), PER_PAGE).get_page(request.GET.get("page"))
    shown = _typed(request, week_of) if request.method == "POST" else page.object_list
    weeks = reports.read_weeks(shown, week_of, request.today)
    status, blocks = OK, None
    if request.method == "POST":
        outcomes = _take_page(request, weeks)
        _tell_gone(request, weeks)
        status = max((outcome.status for outcome in outcomes.values()), default=OK)
        if status == OK:
            _tell(request, outcomes)
            return redirect(request.get_full_path())
        fresh = reports.read_weeks(shown, week_of, request.today)
        blocks = [outcomes[w.project.code].block(request, w) if w.project.code in outcomes else _block(request, w) for w in fresh]
    blocks = _with_photos(blocks or [_block(request, week) for week in weeks])
    return render(request, "projects/dispatch.html", _page_context(request, week_of) | {"page": page, "blocks": blocks}, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def dispatch_project(request, code: str):
    """One project's block: the part that htmx swaps, and a page of its own without it."""
    try:
        week_of = read_week(request)
    except BadDay as fault:
        return render(request, "error.html", {"title": "周次无效", "message": str(fault)}, status=400)
    week = one_week(request, code, week_of)
    if request.method == "POST" and is_another_person(request):
        return render(request, "error.html", {"title": "登录的是另一个账号", "message": ANOTHER_PERSON}, status=FORBIDDEN)
    if request.method == "POST":
        intent = request.POST.get("action", "save").partition(":")[0]
        outcome = _take(request, week, intent)
        block = outcome.block(request, one_week(request, code, week_of))
        if not request.htmx and outcome.status == OK:
            messages.success(request, outcome.notice)
            return redirect(f"{reverse('dispatch')}?week={week_of}")
        status = outcome.status
    else:
        block, status = _block(request, week), OK
    _with_photos([block])
    context = _page_context(request, week_of) | {"blocks": [block], "block": block, "is_part": request.htmx}
    template = "projects/dispatch.html#answer" if request.htmx else "projects/dispatch.html"
    return render(request, template, context, status=status)


def is_another_person(request) -> bool:
    """Whether the page was opened by somebody else than who is logged in by now: what one typed is never saved in another's name."""
    return request.headers.get("X-Person", str(request.user.pk)) != str(request.user.pk)


def read_week(request) -> dt.date:
    """The Monday that `?week=` names, else this week's; BadDay when it is no day or lies ahead."""
    text = request.GET.get("week", "").strip()
    week_of = monday(read_day(text, dt.date.max)) if text else monday(request.today)
    if week_of > monday(request.today):
        raise BadDay(f"{week_of} 这一周还没有开始，请填写本周或以前的周次。")
    return week_of


def _by_county(request, projects):
    """Narrowed to `?county=`, for the office."""
    code = request.GET.get("county")
    if not code or not is_office(request.user):
        return projects
    return projects.filter(versions__effective_to=None, versions__county__code=code)


def one_week(request, code: str, week_of: dt.date) -> ProjectWeek:
    scope = reports.reporting_in(permissions.dispatched_projects(request.user).filter(code=code), week_of)
    weeks = reports.read_weeks(scope, week_of, request.today)
    if not weeks:
        raise Http404
    return weeks[0]


def _page_context(request, week_of: dt.date) -> dict:
    times, now = weeks.week_times(week_of), clock.now()
    mine = _by_county(request, permissions.dispatched_projects(request.user))
    due, finished = reports.reporting_in(mine, week_of), reports.reporting_in(mine, week_of, finished=True)
    this_week = monday(request.today)
    return {
        "week_of": week_of,
        "week_number": week_of.isocalendar()[1],
        "cut_off_on": times.cut_off_on,
        "times": times,
        "week_state": times.state(now),
        "time_left": time_left(now, times.deadline_at),
        "seconds_left": int((times.deadline_at - now).total_seconds()),
        "seconds_to_lock": int((times.locks_at - now).total_seconds()),
        "is_past_week": week_of < this_week,
        "week_before": week_of - dt.timedelta(days=7),
        "week_after": week_of + dt.timedelta(days=7) if week_of < this_week else None,
        "counts": due.aggregate(
            due=Count("pk", distinct=True),
            reported=Count("pk", distinct=True, filter=Q(dispatches__week_of=week_of, dispatches__is_live=True)),
            drafts=Count("pk", distinct=True, filter=Q(dispatches__week_of=week_of, dispatches__state=DispatchState.DRAFT)),
        ),
        "finished": finished.filter(versions__effective_to=None)
        .order_by("number", "code")
        .values("code", "number", "completed_on", "versions__name")[:FINISHED_SHOWN],
        "finished_count": finished.count(),
        "counties": County.objects.all() if is_office(request.user) else [],
        "county": request.GET.get("county", ""),
        "may_review": permissions.may_review(request.user),
        "is_county": is_county(request.user),
        "photo_accept": photos.ACCEPT,
    }  # fmt: skip


def time_left(now: dt.datetime, deadline_at: dt.datetime) -> str:
    """How long until the deadline, in words; empty once it has passed."""
    left = deadline_at - now
    if left < dt.timedelta(0):
        return ""
    if left.days:
        return f"还有 {left.days} 天 {left.seconds // 3600} 小时"
    return f"还有 {left.seconds // 3600} 小时 {left.seconds % 3600 // 60} 分"


# ── filling in ──


@dataclasses.dataclass(slots=True)
class Outcome:
    """What became of one block's POST."""

    status: int
    notice: str = ""
    level: str = "success"
    arguments: dict = dataclasses.field(default_factory=dict)  # for the block

    def block(self, request, week: ProjectWeek) -> Block:
        return _block(request, week, notice=self.notice, notice_level=self.level, **self.arguments)


def _block(request, week: ProjectWeek, **arguments) -> Block:
    return Block(week, today=request.today, by_county=is_county(request.user), **arguments)


def _with_photos(blocks: list[Block]) -> list[Block]:
    """The blocks with the photos of their week: one query for all."""
    if blocks:
        week = blocks[0].week
        found = photos.of_week([block.project.pk for block in blocks], week.week_of, week.values.photo_far_km)
        for block in blocks:
            block.photos = found[block.project.pk]
    return blocks


def _take_page(request, weeks: list[ProjectWeek]) -> dict[str, Outcome]:
    """Save every block in which something was typed, submit those asked for: `action` is save, submit or verb:code."""
    verb, _, target = request.POST.get("action", "save").partition(":")
    outcomes = {}
    for week in weeks:
        code = week.project.code
        if f"{code}-version" not in request.POST:
            continue
        is_touched = _is_touched(request, week)
        is_ready = is_touched or (verb == "submit" and _is_own_draft(request.user, week))
        if target == code or (not target and is_ready):
            outcomes[code] = _take(request, week, verb)
        elif is_touched:
            outcomes[code] = _take(request, week, "save")
    return outcomes


def _codes(request) -> list[str]:
    """Of the blocks that were sent."""
    return [name.removesuffix("-version") for name in request.POST if name.endswith("-version") and "\0" not in name]


def _typed(request, week_of: dt.date):
    """The projects whose blocks were sent, on whatever page they stand by now: what was typed is not lost when the list moves."""
    mine = reports.reporting_in(permissions.dispatched_projects(request.user), week_of)
    return mine.filter(code__in=_codes(request)).order_by("number", "code")


def _tell_gone(request, weeks: list[ProjectWeek]) -> None:
    found = {week.project.code for week in weeks}
    for code in _codes(request):
        if code not in found:
            messages.error(request, f"{code[:20]}：这一周已不由您填报（可能已完工、调出或换了县），所填内容没有保存。")


def _is_own_draft(user, week: ProjectWeek) -> bool:
    """A draft that `user` may hand in together with all others: the office does not hand in what a county still writes on."""
    return week.draft is not None and (is_county(user) or week.draft.edited_by_id == user.pk)


def _is_touched(request, week: ProjectWeek) -> bool:
    form = DispatchForm(week, request.POST)
    return not form.is_valid() or form.report != week.current


def _take(request, week: ProjectWeek, intent: str) -> Outcome:
    """Do what was asked for with one block: save, submit, same (hand in last period's values) or discard."""
    if intent == "discard":
        return _discard(request, week)
    form = DispatchForm(week, _with_picks(request.POST, week))
    if not form.is_valid():
        return Outcome(UNPROCESSABLE, "有填写错误，尚未保存。", "error", {"form": form})
    if intent == "same" and form.report != week.prefilled:
        return Outcome(UNPROCESSABLE, "您已改动了数据，不是“与上周相同”：请核对后点“提交”。", "warning", {"form": form})
    try:
        saved = services.save_dispatch(
            project=week.project,
            week_of=week.week_of,
            by=request.user,
            version=form.cleaned_data["version"],
            values=form.values,
            lines=form.lines,
        )
        if intent == "save" or saved.state != DispatchState.DRAFT:
            return Outcome(OK, _what_stands(saved, intent))
        if unseen := _unseen(saved, form):
            return Outcome(CONFLICT, f"他人刚改了{unseen}，已并入草稿，还没有提交：请核对后再点一次“提交”。", "warning")
        services.submit_dispatch(dispatch=saved, by=request.user)
    except services.EditConflict as conflict:
        return Outcome(CONFLICT, arguments={"conflict": conflict})
    except services.Faulty as refusal:
        return Outcome(UNPROCESSABLE, "草稿已保存，还不能提交：请改正标出的各项。", "error", {"faults": refusal.faults})
    except services.Refused as refusal:
        return Outcome(UNPROCESSABLE, str(refusal), "error", {"form": form})
    return Outcome(OK, SUBMITTED_WORDS[intent])


def _unseen(saved: Dispatch, form: DispatchForm) -> str:
    """What others changed since the page was opened, in words: nobody hands in what they have not seen."""
    now = reports.flat(Dispatch.objects.prefetch_related("lines").get(pk=saved.pk))
    return "、".join(
        f"“{form.fields[key].label}”为{reports.as_text(now[key]) or '空'}（您的页面上是{reports.as_text(form.report[key]) or '空'}）"
        for key in reports.differences(now, form.report)
    )


SUBMITTED_WORDS = {"submit": "已提交，待审核。", "same": "已按“与上周相同”提交。"}


def _what_stands(saved: Dispatch, intent: str) -> str:
    """The answer when nothing was handed in just now: also to a request that was sent once more, which hears what it heard first."""
    if saved.state == DispatchState.DRAFT:
        return "草稿已保存。"
    is_handed_in = saved.state in reports.COUNTING
    return SUBMITTED_WORDS[intent] if is_handed_in and intent in SUBMITTED_WORDS else "没有改动。"


def _discard(request, week: ProjectWeek) -> Outcome:
    if not week.draft:
        return Outcome(OK, "没有草稿。")
    seen = request.POST.get(f"{week.project.code}-version", "")
    try:
        services.discard_draft(dispatch=week.draft, version=int(seen) if NUMBER.fullmatch(seen) else -1, by=request.user)
    except services.Refused as refusal:
        return Outcome(CONFLICT, str(refusal), "warning")
    return Outcome(OK, "草稿已放弃。")


def _with_picks(data: QueryDict, week: ProjectWeek) -> QueryDict:
    """The data with the other person's value wherever it was chosen after a conflict."""
    picked = data.copy()
    for key, value in week.current.items():
        if data.get(f"{week.project.code}-pick-{key}") == "theirs":
            picked[f"{week.project.code}-{key}"] = reports.as_text(value) or ""
    return picked


def _tell(request, outcomes: dict[str, Outcome]) -> None:
    for code, outcome in outcomes.items():
        messages.success(request, f"{code}：{outcome.notice}")
    if not outcomes:
        messages.info(request, "没有改动，无需保存。未变化的项目请点“与上周相同，提交”。")


# ── review ──


def _review_page(request, week_of: dt.date):
    scope = permissions.reviewed_projects(request.user)
    due = reports.reporting_in(_by_county(request, scope), week_of)
    page = Paginator(due.order_by("number", "code"), PER_PAGE).get_page(request.GET.get("page"))
    found = reports.read_weeks(page.object_list, week_of, request.today)
    odd = _odd(found, week_of, request.today)
    pictures = photos.of_week([week.project.pk for week in found], week_of, policy.values_on(week_of).photo_far_km)
    context = _page_context(request, week_of) | {
        "page": page,
        "rows": [ReviewRow.of(week, request.today, odd.get(week.project.pk, []), pictures[week.project.pk]) for week in found],
        "may_dispatch": permissions.may_dispatch(request.user),
        "counts": due.aggregate(
            due=Count("pk", distinct=True),
            reported=Count("pk", distinct=True, filter=Q(dispatches__week_of=week_of, dispatches__is_live=True)),
            waiting=Count(
                "pk", distinct=True, filter=Q(dispatches__week_of=week_of, dispatches__is_live=True, dispatches__state="submitted")
            ),
        ),
    }
    return render(request, "projects/review.html", context)


# What the hints of a report do not tell: a reviewer reads it beside them.
BESIDE_HINTS = (anomalies.Anomaly.SILENT, anomalies.Anomaly.MILESTONE, anomalies.Anomaly.PERMIT_STALLED)


def _odd(found: list[ProjectWeek], week_of: dt.date, today: dt.date) -> dict[int, list[anomalies.Verdict]]:
    """The anomalies of the page's projects, by their keys; a fixed number of queries."""
    scope = Project.objects.filter(pk__in=[week.project.pk for week in found])
    day = min(weeks.week_times(week_of).cut_off_on, today)
    verdicts = anomalies.read(week_of, day, clock.now(), projects=scope)
    return {pk: [verdict for verdict in rows if verdict.rule in BESIDE_HINTS] for pk, rows in verdicts.items()}


@dataclasses.dataclass(slots=True)
class ReviewRow:
    """One project's report of the week beside the last period's, for the reviewer."""

    week: ProjectWeek
    live: Dispatch | None
    returned: Dispatch | None
    is_waiting: bool
    is_unchanged: bool
    progress_change: object
    invested_change: object
    forecast_before: dt.date | None  # the finish that was forecast last period; this week's when there was none
    hints: list[str]  # what the person who filled it in was told, as odd but not wrong
    odd: list[anomalies.Verdict]
    photos: list[photos.Shown]

    @classmethod
    def of(cls, week: ProjectWeek, today: dt.date, odd: list[anomalies.Verdict], pictures: list[photos.Shown]) -> "ReviewRow":
        live, previous = week.live, week.previous
        returned = [d for d in week.revisions if d.state == DispatchState.RETURNED]
        known = week.known(today)
        both = live is not None and previous is not None and None not in (live.physical_progress, previous.physical_progress)
        return cls(
            week=week,
            live=live,
            returned=returned[-1] if returned and not live else None,
            is_waiting=live is not None and live.state == DispatchState.SUBMITTED,
            is_unchanged=live is not None and previous is not None and not reports.differences(week.before, _carried(live)),
            progress_change=live.physical_progress - previous.physical_progress if both else None,
            invested_change=live.invested_wan - previous.invested_wan if both else None,
            forecast_before=(previous or live).forecast_finish_on if live else None,
            hints=[hint.sentence for hint in rules.dispatch_hints(reports.as_report(reports.flat(live)), known)] if live else [],
            odd=odd,
            photos=pictures,
        )


def _carried(dispatch_row: Dispatch) -> reports.Flat:
    return {key: value for key, value in reports.flat(dispatch_row).items() if key not in reports.NOT_CARRIED_OVER}


@require_POST
def review(request, code: str, pk: int):
    """Accept or return one dispatch."""
    row = _reviewed(request, [pk], code=code)[0]
    back = request.POST.get("back") or f"{reverse('dispatch')}?view=review&week={row.week_of}"
    try:
        if request.POST.get("action") == "accept":
            services.accept_dispatch(dispatch=row, by=request.user)
            messages.success(request, f"{code} 已审核通过。")
        else:
            form = ReturnForm(request.POST)
            if not form.is_valid():
                messages.error(request, f"{code}：{form.errors['remark'][0]}")
            else:
                services.return_dispatch(dispatch=row, remark=form.cleaned_data["remark"], by=request.user)
                messages.success(request, f"{code} 已退回，意见将显示给填报单位。")
    except services.Refused as refusal:
        messages.error(request, f"{code}：{refusal}")
    return redirect(_safe(request, back))


@require_POST
def accept_all(request):
    """Accept every dispatch that the reviewer had before them (`dispatch` = their keys)."""
    keys = [int(pk) for pk in request.POST.getlist("dispatch") if NUMBER.fullmatch(pk)]
    accepted = 0
    for row in _reviewed(request, keys):
        try:
            services.accept_dispatch(dispatch=row, by=request.user)
            accepted += 1
        except services.Refused as refusal:
            messages.error(request, f"{row.project.code}：{refusal}")
    messages.success(request, f"已审核通过 {accepted} 项。")
    return redirect(_safe(request, request.POST.get("back") or f"{reverse('dispatch')}?view=review"))


def _reviewed(request, keys: list[int], **where) -> list[Dispatch]:
    """The dispatches of `keys` that the person may review; 404 when one is not among them."""
    scope = permissions.reviewed_projects(request.user)
    rows = list(Dispatch.objects.filter(pk__in=keys, project__in=scope).exclude(state=DispatchState.DRAFT).select_related("project"))
    rows = [row for row in rows if where.get("code") in (None, row.project.code)]
    if len(rows) != len(set(keys)):
        raise Http404
    return rows


def _safe(request, address: str) -> str:
    """Only back to the dispatch page of this site."""
    return address if address.startswith(reverse("dispatch") + "?") else reverse("dispatch")
