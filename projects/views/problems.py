"""`/problems/`: the list, raising one, and a problem's page where it is handled, moved between the levels and closed out."""

import dataclasses
from collections.abc import Callable

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from projects import attachments, permissions, problem_permissions, problem_reports, problem_services, services
from projects import problem_forms as forms
from projects.enums import ProblemState
from projects.forms import add_faults
from projects.models import Attachment, Dispatch, Problem
from projects.problem_filters import ProblemFilter

PER_PAGE = 50
HINDRANCES_SHOWN = 20
OK, UNPROCESSABLE, CONFLICT = 200, 422, 409


# ── the list ──


@require_safe
def problems(request):
    """Problems that I may see, as of a day, late ones first."""
    scope = problem_permissions.visible_problems(request.user, request.today)
    chosen = ProblemFilter(request.GET, queryset=problem_reports.problems_on(request.as_of, scope), day=request.as_of)
    rows = chosen.qs if chosen.is_valid() else chosen.queryset.none()
    page = Paginator(rows.values_list("pk", flat=True), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "filter": chosen,
        "is_narrowed": any(request.GET.get(name) for name in chosen.form.fields),
        "page": page,
        "rows": problem_reports.read_problems(request.as_of, page.object_list),
        "counts": problem_reports.count(rows),
        "may_raise": problem_permissions.may_raise(request.user) and request.as_of == request.today,
    }
    is_part = request.htmx and not request.htmx.history_restore_request
    answer = render(request, "projects/problems/problems.html#table" if is_part else "projects/problems/problems.html", context)
    patch_vary_headers(answer, ["HX-Request"])
    return answer


# ── raising ──


@require_http_methods(["GET", "HEAD", "POST"])
def problem_new(request):
    """Raise a problem, directly or of what a dispatch says hinders (`?project=&dispatch=&text=`)."""
    if not problem_permissions.may_raise(request.user):
        raise Http404
    if request.method == "POST":
        form = forms.RaiseForm(request.POST, user=request.user, today=request.today)
        found = _raise(request, form) if form.is_valid() else None
        if found:
            messages.success(request, f"已登记为 {found.code}。")
            return redirect("problem", found.code)
        return _new_page(request, form, UNPROCESSABLE)
    source = _source(request)
    text = request.GET.get("text", "").strip()[:2000] or (source.hinders if source else "")
    code = source.project.code if source else request.GET.get("project", "")
    initial = {"project": code, "dispatch": source and source.pk, "description": text, "raised_on": request.today}
    return _new_page(request, forms.RaiseForm(user=request.user, today=request.today, initial=initial), OK)


def _raise(request, form) -> Problem | None:
    values = form.cleaned_data
    mine = Dispatch.objects.filter(pk=values.pop("dispatch"), project=values["project"])
    try:
        return problem_services.raise_problem(by=request.user, dispatch=mine.first(), **values)
    except services.Faulty as refusal:
        add_faults(form, refusal.faults)
    return None


def _new_page(request, form, status: int):
    mine = problem_permissions.raisable_projects(request.user, request.today)
    found = problem_reports.reported_hindrances(request.today, mine)
    context = {
        "form": form,
        "source": _source(request, form.data.get("dispatch")),
        "hindrances": found[:HINDRANCES_SHOWN],
        "hindrance_count": len(found),
    }
    return render(request, "projects/problems/new.html", context, status=status)


def _source(request, key: str | None = None) -> Dispatch | None:
    """The dispatch that a problem is raised of, when the person may raise problems of its project."""
    key = request.GET.get("dispatch", "") if key is None else key
    if not (key.isascii() and key.isdigit() and len(key) < 19):
        return None
    mine = problem_permissions.raisable_projects(request.user, request.today)
    return Dispatch.objects.filter(pk=key, project__in=mine).select_related("project").first()


# ── a problem's page ──


@dataclasses.dataclass(frozen=True)
class Act:
    """Something that is done about a problem: its form, who may, and when."""

    key: str
    title: str
    button: str
    form: type[forms.StepForm]
    may: Callable
    states: tuple[ProblemState, ...]
    done: str
    tone: str = ""
    about: str = ""


OPEN = (ProblemState.WAITING, ProblemState.HANDLING)
BEFORE_CLOSING = (*OPEN, ProblemState.ANSWERED)
CHECKED = (ProblemState.ANSWERED,)


def _directs(user, problem):
    return problem_permissions.may_direct(user)


ACTS = [
    Act(
        "begin", "开始办理", "开始办理", forms.BeginForm, problem_permissions.may_handle, (ProblemState.WAITING,),
        "已开始办理", "primary",
    ),
    Act(
        "answer", "报请核查", "报请核查", forms.ProveForm, problem_permissions.may_handle, OPEN,
        "已报请专班办核查", "", "已经解决的，写明依据并附材料，由专班办核查后销号。",
    ),
    Act(
        "close", "核查销号", "核查通过，销号", forms.ProveForm, _directs, BEFORE_CLOSING,
        "已销号", "primary", "核对依据和佐证材料属实后销号。",
    ),
    Act("return", "核查退回", "退回继续办理", forms.ReturnForm, _directs, CHECKED, "已退回承办单位", "danger"),
    Act("up", "提请升级", "升级", forms.UpForm, _directs, OPEN, "已升级", "", "由人决定：写明本级做了什么、为什么没有解决。"),
    Act(
        "down", "退回下级", "退回下级", forms.DownForm, _directs, OPEN,
        "已退回下级", "danger", "误升级或上级已有意见、交回办理的，退到较低一级。",
    ),
    Act(
        "reopen", "恢复办理", "恢复办理", forms.ReopenForm, _directs, (ProblemState.CLOSED,),
        "已恢复办理", "danger", "销号后发现没有解决的，恢复办理并写明理由。",
    ),
]  # fmt: skip
BY_KEY = {act.key: act for act in ACTS}


@require_safe
def problem(request, code: str):
    """Everything about a problem as of a day."""
    return _page(request, _visible(request, code))


def _visible(request, code: str) -> Problem:
    scope = problem_permissions.visible_problems(request.user, request.today)
    related = ("project__domain", "handler", "raised_by__unit", "dispatch")
    return get_object_or_404(scope.select_related(*related), code=code)


def _page(request, found: Problem, status: int = OK, **given):
    """The page; `given` forms were sent and not accepted, so they come back as they were typed."""
    file = problem_reports.read_problem(found, request.as_of)
    if file is None:
        raise Http404
    user, is_now = request.user, request.as_of == request.today
    version = given.get("version", found.edit_version)
    may_edit = is_now and file.is_open and problem_permissions.may_handle(user, found)
    may_note = is_now and file.is_open and problem_permissions.may_note(user, found)
    context = {
        "file": file,
        "p": found,
        "row": file.row,
        "acts": _acts(user, found, file, version, given) if is_now else [],
        "edit_form": (given.get("edit") or forms.EditForm(user=user, initial=forms.edit_initial(found))) if may_edit else None,
        "note_form": (given.get("note") or forms.NoteForm()) if may_note else None,
        "files_form": (given.get("files") or forms.FilesForm()) if may_edit else None,
        "may_direct": is_now and problem_permissions.may_direct(user),
        "conflict": given.get("conflict"),
        "fault": given.get("fault", ""),
        "sees_project": permissions.visible_projects(user, request.today).filter(pk=found.project_id).exists(),
        "typed": given.get("act", ""),
    }
    return render(request, "projects/problems/problem.html", context, status=status)


def _acts(user, found: Problem, file, version: int, given: dict) -> list[tuple[Act, forms.StepForm]]:
    """What this person may do now, each with its form."""
    shown = []
    for act in ACTS:
        if file.row.state not in act.states or not act.may(user, found) or not _fits(act, found):
            continue
        if act.key == "answer" and problem_permissions.may_direct(user) and found.handler_id != user.unit_id:
            continue  # the office closes it out at once
        form = given["form"] if given.get("act") == act.key else _act_form(act, found, initial=_initial(act, found, version))
        shown.append((act, form))
    return shown


def _fits(act: Act, found: Problem) -> bool:
    """Whether there is a level to go to, and somebody who may begin."""
    highest, lowest = max(problem_services.LEVEL_DAYS), min(problem_services.LEVEL_DAYS)
    return {"up": found.level < highest, "down": found.level > lowest, "begin": found.handler_id is not None}.get(act.key, True)


def _act_form(act: Act, found: Problem, data=None, files=None, **kwargs):
    if act.form is forms.DownForm:
        return forms.DownForm(data, level=found.level, prefix=act.key, **kwargs)
    return act.form(data, files=files, prefix=act.key, **kwargs)


def _initial(act: Act, found: Problem, version: int) -> dict:
    return {"version": version} | ({"basis": found.closing_basis} if act.form is forms.ProveForm else {})


# ── changes ──

DO = {
    "begin": problem_services.begin_problem,
    "answer": problem_services.answer_problem,
    "close": problem_services.close_problem,
    "return": problem_services.return_answer,
    "up": problem_services.move_problem,
    "down": problem_services.move_problem,
    "reopen": problem_services.reopen_problem,
}


@require_POST
def problem_act(request, code: str):
    """Begin, hand in, close out, return, move or reopen (`action`)."""
    found = _visible(request, code)
    act = BY_KEY.get(request.POST.get("action", ""))
    if act is None or not act.may(request.user, found):
        raise Http404
    form = _act_form(act, found, request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, found, UNPROCESSABLE, act=act.key, form=form)
    arguments = form.arguments | ({"to": found.level + 1} if act.key == "up" else {})
    try:
        DO[act.key](problem=found, by=request.user, version=form.cleaned_data["version"], **arguments)
    except services.Faulty as refusal:
        add_faults(form, refusal.faults)
        return _page(request, found, UNPROCESSABLE, act=act.key, form=form)
    except services.Refused as refusal:
        return _page(request, _visible(request, code), CONFLICT, act=act.key, form=_again(act, form, found), fault=str(refusal))
    messages.success(request, f"{code} {act.done}。")
    return redirect("problem", code)


def _again(act: Act, form, found: Problem):
    """The same words over what is saved now, to be sent once more when they still hold."""
    found.refresh_from_db()
    values = {name: value for name, value in form.cleaned_data.items() if name != "files"}
    return _act_form(act, found, initial=values | {"version": found.edit_version})


@require_POST
def problem_edit(request, code: str):
    """Change category, description, units, limit, measures; the handler the measures only."""
    found = _visible(request, code)
    if not problem_permissions.may_handle(request.user, found):
        raise Http404
    form = forms.EditForm(request.POST, user=request.user)
    if not form.is_valid():
        return _page(request, found, UNPROCESSABLE, edit=form)
    try:
        reason = form.cleaned_data.get("reason", "")
        problem_services.edit_problem(problem=found, by=request.user, version=form.cleaned_data["version"], reason=reason, **form.changes)
    except services.Faulty as refusal:
        add_faults(form, refusal.faults)
        return _page(request, found, UNPROCESSABLE, edit=form)
    except services.EditConflict as conflict:
        return _conflict_page(request, code, form, conflict)
    except services.Refused as refusal:
        return _page(request, _visible(request, code), CONFLICT, edit=form, fault=str(refusal))
    messages.success(request, f"{code} 已保存。")
    return redirect("problem", code)


def _conflict_page(request, code: str, form: forms.EditForm, conflict: services.EditConflict):
    """Both values side by side; what is saved next is what stands in the fields."""
    merged = {name: value for name, value in conflict.merged.items() if name in form.fields}
    merged |= {"version": conflict.version, "reason": form.cleaned_data.get("reason", "")}
    if "assistants" in merged:
        merged["assistants"] = [unit.pk for unit in merged["assistants"]]
    if "handler" in merged:
        merged["handler"] = merged["handler"] and merged["handler"].pk
    again = forms.EditForm(user=request.user, initial=merged)
    both = [(again.fields[name].label, conflict.mine[name] or "空", conflict.theirs[name] or "空") for name in conflict.mine]
    return _page(request, _visible(request, code), CONFLICT, edit=again, conflict=both)


@require_POST
def problem_note(request, code: str):
    """What happened today."""
    found = _visible(request, code)
    if not problem_permissions.may_note(request.user, found):
        raise Http404
    form = forms.NoteForm(request.POST)
    if form.is_valid():
        try:
            problem_services.add_note(problem=found, by=request.user, text=form.cleaned_data["text"])
        except services.Faulty as refusal:
            add_faults(form, refusal.faults)
        except services.Refused as refusal:
            form.add_error("text", str(refusal))
    if form.errors:
        return _page(request, found, UNPROCESSABLE, note=form)
    messages.success(request, f"{code} 已记录进展。")
    return redirect("problem", code)


@require_POST
def problem_files(request, code: str):
    """Add files beside a problem."""
    found = _visible(request, code)
    if not problem_permissions.may_handle(request.user, found):
        raise Http404
    form = forms.FilesForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            problem_services.add_files(problem=found, by=request.user, files=form.cleaned_data["files"])
        except services.Faulty as refusal:
            add_faults(form, refusal.faults)
        except services.Refused as refusal:
            form.add_error("files", str(refusal))
    if form.errors:
        return _page(request, found, UNPROCESSABLE, files=form)
    messages.success(request, f"{code} 已上传附件。")
    return redirect("problem", code)


@require_POST
def problem_file_withdraw(request, code: str, pk: int):
    """Take a file off the page, with a reason: who put it there, and the office."""
    found = _visible(request, code)
    file = get_object_or_404(Attachment, pk=pk, problem=found, withdrawn_at=None)
    if not problem_permissions.may_withdraw_file(request.user, file):
        raise Http404
    form = forms.WithdrawFileForm(request.POST)
    if not form.is_valid():
        return _page(request, found, UNPROCESSABLE, fault="；".join(form.errors["reason"]))
    attachments.withdraw(attachment=file, reason=form.cleaned_data["reason"], by=request.user)
    messages.success(request, f"已撤下附件“{file.name}”，记录保留。")
    return redirect("problem", code)


@require_safe
def attachment(request, pk: int):
    """A file as a download, for who may see what it belongs to."""
    problems = problem_permissions.visible_problems(request.user, request.today)
    projects = permissions.visible_projects(request.user, request.today)
    return attachments.response(get_object_or_404(attachments.visible(problems, projects), pk=pk))
