"""Times of the weeks, the office's thresholds and the monthly plans: read by those they bind, changed with a reason."""

import dataclasses
import datetime as dt

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from linfen_water import clock, policy
from linfen_water.dates import monday, month_start
from linfen_water.middleware import BadDay, read_day
from linfen_water.models import Policy
from linfen_water.permissions import is_office
from linfen_water.workdays import is_announced
from projects import permissions, planning, rules, services, weeks
from projects.forms import add_faults
from projects.models import MonthlyPlan, Project, ProjectVersion
from projects.planning import PLANNED
from projects.week_forms import PlanCell, PolicyForm, WeekForm, cell_name, read_plan_row, spelled

WEEKS_BEFORE, WEEKS_AHEAD = 3, 9
PROJECTS_PER_PAGE = 20
UNPROCESSABLE, CONFLICT = 422, 409


# ── the times of the weeks ──


@dataclasses.dataclass(frozen=True, slots=True)
class WeekRow:
    week: weeks.Week
    state: str
    label: str
    is_now: bool
    may_change: bool


@require_http_methods(["GET", "HEAD", "POST"])
def week_list(request):
    """The weeks around the day: when each opens, is due and is locked; the office sets those to come."""
    may_edit = is_office(request.user) and request.as_of == request.today
    if request.method == "POST" and not may_edit:
        raise Http404
    form, chosen, status = None, _chosen_week(request), 200
    if chosen and may_edit:
        form = WeekForm.of(chosen, planning.fingerprint(chosen))
    if request.method == "POST":
        if chosen is None:
            raise Http404
        form, status = _set_week(request, chosen)
        if form is None:
            return redirect(f"{reverse('dispatch_weeks')}#week-{chosen.week_of}")
    this_week, now = monday(request.as_of), clock.now()
    times = weeks.times_of([this_week + n * weeks.WEEK for n in range(-WEEKS_BEFORE, WEEKS_AHEAD + 1)])
    rows = [_row(week, now, monday(request.today), may_edit) for week in times.values()]
    values = policy.values_on(request.as_of)
    context = {
        "rows": rows,
        "form": form,
        "chosen": chosen if may_edit else None,
        "usual": weeks.by_policy(chosen.week_of, policy.values_on(chosen.week_of)) if chosen else None,
        "may_edit": may_edit,
        "values": values,
        "usual_words": _usual_words(values),
        "unannounced": sorted({week.week_of.year for week in times.values() if not is_announced(week.week_of.year)}),
    }
    return render(request, "projects/weeks.html", context, status=status)


def _row(week: weeks.Week, now: dt.datetime, this_week: dt.date, may_edit: bool) -> WeekRow:
    state = week.state(now)
    return WeekRow(week, state.value, state.label, week.week_of == this_week, may_edit and now <= week.deadline_at)


def _chosen_week(request) -> weeks.Week | None:
    """The week that `?week=` names by its Monday."""
    text = request.GET.get("week", "").strip()
    try:
        day = read_day(text, dt.date.max) if text else None
    except BadDay:
        return None
    return weeks.week_times(monday(day)) if day and day <= request.today + (WEEKS_AHEAD + 1) * weeks.WEEK else None


def _set_week(request, chosen: weeks.Week) -> tuple[WeekForm | None, int]:
    """(the form to show again, status); no form when it is done."""
    form = WeekForm(request.POST)
    restores = request.POST.get("action") == "restore"
    if not form.is_valid() and not restores:
        return form, UNPROCESSABLE
    told = {"is_urgent": "is_urgent" in request.POST, "by": request.user, "seen": request.POST.get("seen", "")}
    told["reason"] = request.POST.get("reason", "")[:200]
    try:
        if restores:
            planning.restore_week_times(week_of=chosen.week_of, **told)
        else:
            planning.set_week_times(week=form.week(chosen.week_of), **told)
    except services.Faulty as refusal:
        add_faults(form, refusal.faults)
        return form, UNPROCESSABLE
    except services.Refused as refusal:
        form.data = _renewed(form.data, chosen)
        form.add_error(None, str(refusal))
        return form, CONFLICT
    units = planning.reporting_units().count()
    done = "已恢复常规时间" if restores else "时间已设定"
    messages.success(request, f"{chosen.name}的{done}，已通知 {units} 个单位。")
    return None, 200


def _renewed(data, chosen: weeks.Week):
    """The data with what is saved now as what the person has seen: saving once more is then a decision."""
    renewed = data.copy()
    renewed["seen"] = planning.fingerprint(chosen)
    return renewed


def _usual_words(values: policy.Values) -> str:
    parts = (("open", "开放"), ("cut_off", "截止"), ("lock", "锁定"))
    return "，".join(
        f"{policy.WEEKDAYS[getattr(values, f'{part}_weekday')]} {getattr(values, f'{part}_hour')}:00 {word}" for part, word in parts
    )


# ── the thresholds ──


@dataclasses.dataclass(frozen=True, slots=True)
class Threshold:
    """One value on the page."""

    name: str
    term: policy.Term
    words: str
    is_proposed: bool  # still our own default
    default_words: str
    bound: object  # the form's field


@require_http_methods(["GET", "HEAD", "POST"])
def thresholds(request):
    """Every threshold of the office with what it means; a change holds from a day on, with its ground."""
    may_edit = is_office(request.user) and request.as_of == request.today
    if request.method == "POST" and not may_edit:
        raise Http404
    current = policy.values_on(request.as_of)
    seen = policy.fingerprint()
    form, status = PolicyForm(initial=dataclasses.asdict(current) | {"effective_on": request.today, "seen": seen}), 200
    if request.method == "POST" and request.POST.get("action") == "withdraw":
        _withdraw_policy(request)
        return redirect("dispatch_policy")
    if request.method == "POST":
        form, status = _set_policy(request)
        if form is None:
            return redirect("dispatch_policy")
    groups: dict[str, list[Threshold]] = {}
    for field in dataclasses.fields(policy.Values):
        term = policy.TERMS.get(field.name) or policy.Term("其他", field.name, "")
        value = getattr(current, field.name)
        row = Threshold(
            field.name,
            term,
            policy.words(field.name, value),
            value == field.default,
            policy.words(field.name, field.default),
            form[field.name],
        )
        groups.setdefault(term.group, []).append(row)
    context = {"form": form, "groups": groups, "may_edit": may_edit, "history": _policy_history(request.today), "seen": seen}
    return render(request, "projects/policy.html", context, status=status)


def _set_policy(request) -> tuple[PolicyForm | None, int]:
    form = PolicyForm(request.POST)
    if not form.is_valid():
        return form, UNPROCESSABLE
    if found := policy.faults(form.values):
        for name, sentence in found:
            form.add_error(name, sentence)
        return form, UNPROCESSABLE
    given = {name: form.cleaned_data[name] for name in ("effective_on", "reason", "seen")}
    try:
        policy.set_values(values=form.values, by=request.user, **given)
    except policy.Refused as refusal:
        if request.POST.get("seen") != policy.fingerprint():
            form.data = form.data.copy()
            form.data["seen"] = policy.fingerprint()
        form.add_error(refusal.field, str(refusal))
        return form, UNPROCESSABLE
    messages.success(request, f"规则已保存，自 {form.cleaned_data['effective_on']} 起生效；此前的研判不变。")
    return None, 200


def _withdraw_policy(request) -> None:
    try:
        day = read_day(request.POST.get("effective_on", ""), dt.date.max)
        policy.withdraw(effective_on=day, by=request.user, seen=request.POST.get("seen", ""))
        messages.success(request, f"{day} 起的规则已撤销。")
    except (BadDay, policy.Refused) as refusal:
        messages.error(request, str(refusal))


def _policy_history(today: dt.date) -> list[dict]:
    """The sets of thresholds, newest first, each with what it changed against the one before it."""
    rows = list(Policy.objects.select_related("by__unit").order_by("effective_on"))
    before, found = policy.Values(), []
    for row in rows:
        values = policy.read(row.values)
        changes = [
            (policy.TERMS[name].label if name in policy.TERMS else name, policy.words(name, old), policy.words(name, new))
            for name, new in dataclasses.asdict(values).items()
            if new != (old := getattr(before, name))
        ]
        found.append({"row": row, "changes": changes, "is_future": row.effective_on > today})
        before = values
    return found[::-1]


# ── monthly plans ──


@dataclasses.dataclass(slots=True)
class PlanRow:
    """One project in the sheet."""

    project: Project
    version: ProjectVersion
    cells: list[PlanCell]
    may_edit: bool
    error: str = ""
    limit: str = ""


@require_http_methods(["GET", "HEAD", "POST"])
def plans(request):
    """The plan of each project by month, a sheet of one year; counties fill in their own, the office all."""
    field = request.GET.get("field", "")
    field = field if field in PLANNED else "planned_progress"
    year = _year(request)
    months = [dt.date(year, month, 1) for month in range(1, 13)]
    listed = permissions.visible_projects(request.user, request.today).filter(delisted_on=None, listed_on__lt=dt.date(year + 1, 1, 1))
    visible = listed.exclude(completed_on__lt=months[0])
    editable = permissions.dispatched_projects(request.user) if request.as_of == request.today else Project.objects.none()
    if request.method == "POST" and not permissions.may_dispatch(request.user):
        raise Http404
    page = Paginator(visible.order_by("number", "code"), PROJECTS_PER_PAGE).get_page(request.GET.get("page"))
    mine = set(editable.filter(pk__in=[project.pk for project in page]).values_list("pk", flat=True))
    answers: dict[int, dict] = {}
    reason = request.POST.get("reason", "").strip()[:200]
    if request.method == "POST":
        answers = _take_plans(request, [project for project in page if project.pk in mine], field, months, reason)
        if not answers:
            return redirect(request.get_full_path())
    rows = _plan_rows(page, mine, field, months, request, answers)
    context = {
        "page": page,
        "rows": rows,
        "months": months,
        "year": year,
        "field": field,
        "fields": PLANNED,
        "reason": reason,
        "this_month": month_start(request.today),
        "may_edit": bool(mine),
        "general": [answer["general"] for answer in answers.values() if answer["general"]],
        "finished_count": listed.filter(completed_on__lt=months[0]).count(),
        "wants_reason": any(answer["wants_reason"] for answer in answers.values()),
    }
    return render(request, "projects/plans.html", context, status=max((a["status"] for a in answers.values()), default=200))


def _year(request) -> int:
    text = request.GET.get("year", "")
    year = int(text) if text.isascii() and text.isdigit() and len(text) == 4 else request.as_of.year
    return min(max(year, 2000), request.today.year + 10)


def _take_plans(request, projects: list[Project], field: str, months: list[dt.date], reason: str) -> dict[int, dict]:
    """Save each row for itself; the answers of those that could not be saved, by project."""
    answers, changed = {}, 0
    for project in projects:
        typed, errors = read_plan_row(request.POST, project.code, months)
        answer = {"status": UNPROCESSABLE, "errors": errors, "theirs": {}, "general": "", "wants_reason": False}
        if errors:
            answers[project.pk] = answer
            continue
        try:
            changed += planning.set_plan(project=project, field=field, typed=typed, reason=reason, by=request.user)
        except planning.PlanConflict as conflict:
            answers[project.pk] = answer | {"status": CONFLICT, "theirs": conflict.theirs}
        except services.Faulty as refusal:
            by_month = {month: f.sentence for f in refusal.faults for month in months if f"{month:%Y-%m}" == f.field}
            general = "；".join(f.sentence for f in refusal.faults if f.field == "reason" or f.field not in {f"{m:%Y-%m}" for m in months})
            wants = any(f.wants_reason for f in refusal.faults)
            answers[project.pk] = answer | {"errors": by_month, "general": general and f"{project.code}：{general}", "wants_reason": wants}
    if changed:
        messages.success(request, f"已保存 {changed} 个月的计划。" + ("其余见下方标出处，尚未保存。" if answers else ""))
    elif not answers:
        messages.info(request, "没有改动。")
    return answers


def _plan_rows(page, mine: set[int], field: str, months: list[dt.date], request, answers: dict[int, dict]) -> list[PlanRow]:
    ids = [project.pk for project in page]
    saved = {
        (pk, month): value
        for pk, month, value in MonthlyPlan.objects.filter(project__in=ids, month__in=months).values_list("project", "month", field)
    }
    versions = {v.project_id: v for v in ProjectVersion.objects.filter(project__in=ids, effective_to=None).select_related("county")}
    this_month = month_start(request.today)
    rows = []
    for project in page:
        answer = answers.get(project.pk)
        version = versions[project.pk]
        cells = []
        for month in months:
            name, now = cell_name(project.code, month), spelled(saved.get((project.pk, month)))
            typed = request.POST.get(name) if answer else None
            is_clash = answer is not None and month in answer["theirs"]
            cells.append(
                PlanCell(
                    month=month,
                    name=name,
                    value=now if typed is None else typed,
                    seen=now if answer is None or is_clash else request.POST.get(f"{name}-seen", now),
                    is_past=month < this_month,
                    error=answer["errors"].get(month, "") if answer else "",
                    theirs=(now or "空") if is_clash else None,
                )
            )
        limit = "100" if field == "planned_progress" else rules.plain(version.total_investment_wan)
        rows.append(PlanRow(project, version, cells, project.pk in mine, answer["general"] if answer else "", limit))
    return rows
