"""`/projects/<code>/archives/`: a project's archives checked item by item; `/archives/catalogue/`: the catalogue."""

from django.contrib import messages
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from linfen_water.permissions import is_office
from linfen_water.sent_files import Unfit
from projects import archives as works
from projects import attachments, permissions, services
from projects.acceptance import may_write
from projects.models import Attachment, Project
from projects.problem_forms import FilesForm
from projects.site_models import ArchiveEntry, ArchiveItem

SPARE_LINES = 5


@require_http_methods(["GET", "HEAD", "POST"])
def archives(request, code: str):
    """The sheet of one project: what it must have, what is there, how many pages, what is missing."""
    scope = permissions.visible_projects(request.user, request.today)
    project = get_object_or_404(scope, code=code, listed_on__lte=request.as_of)
    may = request.as_of == request.today and may_write(request.user, project)
    if request.method != "POST":
        return _page(request, project, may)
    if not may:
        raise Http404
    action = request.POST.get("action", "")
    if action == "open":
        count = works.open_archive(project=project, by=request.user)
        messages.success(request, f"已建档，按目录列出 {count} 项。" if count else "目录里的项都已列出。")
        return redirect("archives", code)
    if action.startswith("file:"):
        return _file(request, project, action.removeprefix("file:"))
    return _check(request, project)


def _items(project: Project, day):
    found = works.items_on(ArchiveItem.objects.standing().filter(project=project), day)
    return found.select_related("entry").order_by("entry__position", "pk")


def _check(request, project: Project):
    """Write the whole sheet, or show it again as it was typed with what is wrong beside each line."""
    lines, faults = [], {}
    for row in _items(project, request.today):
        typed = {name: request.POST.get(f"{name}-{row.pk}", "").strip() for name in ("required", "present", "pages", "note", "seen")}
        if f"seen-{row.pk}" not in request.POST:
            continue  # came to the catalogue while the sheet was open
        numbers = {name: _number(typed[name]) for name in ("required", "present", "pages")}
        if bad := [word for name, word in NUMBERS.items() if numbers[name] is None and typed[name]]:
            faults[f"note-{row.pk}"] = f"{'、'.join(bad)}请填整数。"
            continue
        required, present = numbers["required"] or 0, numbers["present"] or 0
        lines.append(works.Line(row, required, present, numbers["pages"], typed["note"][:200], typed["seen"]))
    post = request.POST.get("checker_post", "").strip()[:30]
    status, message = 422, ""
    if not faults:
        try:
            count = works.check_items(project=project, by=request.user, lines=lines, checker_post=post)
        except services.Faulty as refusal:
            faults = {fault.field: fault.sentence for fault in refusal.faults}
        except services.Refused as refusal:
            status, message = 409, str(refusal)
        else:
            messages.success(request, f"已保存，核对 {count} 项。" if count else "没有改动。")
            return redirect("archives", project.code)
    return _page(request, project, True, status, faults=faults, fault=message, typed=request.POST)


NUMBERS = {"required": "应有", "present": "已有", "pages": "页数"}


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 and int(text) <= 32_767 else None


def _file(request, project: Project, key: str):
    """Keep files beside one item."""
    item = get_object_or_404(ArchiveItem, pk=_number(key) or 0, project=project, withdrawn_at=None)
    form = FilesForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            attachments.keep_all(project=project, files=form.cleaned_data["files"], by=request.user, archive_item=item)
        except Unfit as fault:
            form.add_error("files", str(fault))
    if form.errors:
        return _page(request, project, True, 422, fault="；".join(form.errors.get("files", [])))
    messages.success(request, f"已上传到“{item.entry.name}”。")
    return redirect("archives", project.code)


def _page(request, project: Project, may: bool, status: int = 200, *, faults=None, fault: str = "", typed=None):
    day, faults = request.as_of, faults or {}
    files: dict[int, list[Attachment]] = {}
    for file in Attachment.objects.filter(archive_item__project=project, withdrawn_at=None):
        files.setdefault(file.archive_item_id, []).append(file)
    rows = []
    for item in _items(project, day):
        shown = {
            "required": item.required,
            "present": "" if item.present is None else item.present,
            "pages": "" if item.pages is None else item.pages,
            "note": item.missing_note or "",
        }
        if typed is not None:
            shown = {name: typed.get(f"{name}-{item.pk}", value) for name, value in shown.items()}
        missing = max(0, item.required - (item.present or 0))
        rows.append((item, shown, works.stamp(item), faults.get(f"note-{item.pk}", ""), files.get(item.pk, []), missing))
    version = project.versions.filter(effective_from__lte=day).order_by("-effective_from").first()
    context = {
        "project": project,
        "name": version.name if version else project.code,
        "rows": rows,
        "may_write": may,
        "may_catalogue": is_office(request.user),
        "faults": faults,
        "fault": fault,
        "checker_post": typed.get("checker_post", "") if typed is not None else request.user.post,
        "missing": [(item, short) for item, *_, short in rows if short],
        "pages": sum(item.pages or 0 for item, *_ in rows),
        "to_add": ArchiveEntry.objects.standing().exclude(items__in=[item.pk for item, *_ in rows]).count(),
        "accept": attachments.ACCEPT,
        "file_hint": attachments.HINT,
        "has_catalogue": ArchiveEntry.objects.standing().exists(),
    }
    return render(request, "records/archives.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def catalogue(request):
    """The entries that every project's archive has: everyone reads them, the office edits them."""
    if request.method == "POST":
        if not is_office(request.user) or request.as_of != request.today:
            raise Http404
        if request.POST.get("action") == "propose":
            works.propose(request.region.settings.get("archives"))
            messages.success(request, "已装入建议目录，可以修改。")
            return redirect("archive_catalogue")
        return _write_catalogue(request)
    return _catalogue_page(request)


def _write_catalogue(request):
    lines, fault = [], ""
    columns = [request.POST.getlist(name)[:300] for name in ("pk", "group", "name", "required")]
    for number, (pk, group, name, required) in enumerate(zip(*columns, strict=False), 1):
        group, name = group.strip()[:20], name.strip()[:60]
        if not (pk or name):
            continue
        if name and (not group or _number(required.strip()) is None):
            fault = f"第{number}行“{name}”：请填写类别，应有份数填整数。"
        lines.append(works.EntryLine(_number(pk), group, name, _number(required.strip()) or 0))
    if not fault:
        try:
            count = works.set_catalogue(lines=lines, by=request.user, seen=request.POST.get("seen", ""))
        except services.Refused as refusal:
            fault = str(refusal)
        else:
            messages.success(request, f"已保存，改动 {count} 项；已建档的项目用“补入新目录项”补上新增的项。")
            return redirect("archive_catalogue")
    return _catalogue_page(request, 422, lines=lines, fault=fault)


def _catalogue_page(request, status: int = 200, *, lines=None, fault: str = ""):
    entries = ArchiveEntry.objects.standing()
    shown = lines if lines is not None else [works.EntryLine(row.pk, row.group, row.name, row.required) for row in entries]
    may = is_office(request.user) and request.as_of == request.today
    spare = [works.EntryLine(None, "", "", 1)] * SPARE_LINES if may else []
    context = {"lines": [*shown, *spare], "may_write": may, "seen": works.fingerprint(), "fault": fault, "count": len(shown)}
    return render(request, "records/archive_catalogue.html", context, status=status)
