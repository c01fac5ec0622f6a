"""`/projects/<code>/photos/`: photos of the works, to look at and to add; the pictures themselves."""

import datetime as dt

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from linfen_water import policy
from linfen_water.dates import monday
from linfen_water.middleware import BadDay, read_day
from linfen_water.sent_files import Unfit
from projects import permissions, photos
from projects.models import Photo, Project, ProjectVersion

PER_PAGE = 24
MOST_AT_ONCE = photos.MOST
OK, UNPROCESSABLE = 200, 422


@require_http_methods(["GET", "HEAD", "POST"])
def project_photos(request, code: str):
    """A project's photos, all or of `?week=`; a POST adds some to the week."""
    try:
        week_of = _week(request)
    except BadDay as fault:
        return render(request, "error.html", {"title": "周次无效", "message": str(fault)}, status=400)
    scope = permissions.visible_projects(request.user, request.today)
    project = get_object_or_404(scope, code=code, listed_on__lte=request.as_of)
    if request.method == "POST":
        return _add(request, project, week_of or monday(request.today))
    return _page(request, project, week_of)


def _week(request) -> dt.date | None:
    text = request.GET.get("week", "").strip()
    return monday(read_day(text, request.today + dt.timedelta(days=6))) if text else None


def _page(request, project: Project, week_of: dt.date | None, status: int = OK, faults: list[str] = ()):
    rows = photos.standing([project.pk], request.as_of)
    if week_of:
        rows = rows.filter(week_of=week_of)
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "project": project,
        "name": _name(project, request.as_of),
        "week_of": week_of,
        "page": page,
        "photos": photos.shown(page.object_list, policy.values_on(request.as_of).photo_far_km),
        "may_write": _may_write(request, project),
        "accept": photos.ACCEPT,
        "most": photos.MOST,
        "faults": faults,
        "typed_caption": request.POST.get("caption", "") if request.resolver_match.url_name == "project_photos" else "",
    }
    return render(request, "projects/photos.html", context, status=status)


def _name(project: Project, day: dt.date) -> str:
    rows = ProjectVersion.objects.filter(project=project).order_by("effective_from").values_list("effective_from", "name")
    return next((name for since, name in reversed(rows) if since <= day), "")


def _may_write(request, project: Project) -> bool:
    return request.as_of == request.today and permissions.dispatched_projects(request.user).filter(pk=project.pk).exists()


def _add(request, project: Project, week_of: dt.date):
    """Take each file for itself: a bad one keeps no good one back. A script gets the week's strip, or what is wrong as JSON."""
    if not _may_write(request, project) or week_of > monday(request.today):
        raise Http404
    files = request.FILES.getlist("photos")
    faults = [] if files else ["没有收到照片：请先选择。"]
    if len(files) > MOST_AT_ONCE:
        files, faults = [], [f"一次最多上传 {MOST_AT_ONCE} 张，现为 {len(files)} 张：请分几次。"]
    for file in files:
        try:
            data = file.read(photos.LARGEST + 1)
            photos.keep(
                project=project, week_of=week_of, name=file.name, data=data, by=request.user, caption=request.POST.get("caption", "")
            )
        except Unfit as refusal:
            faults.append(str(refusal))
    if request.headers.get("Accept") == "application/json":
        return _strip(request, project, week_of, faults)
    if faults:
        return _page(request, project, week_of, UNPROCESSABLE, faults)
    messages.success(request, f"{project.code}：已上传 {len(files)} 张照片。")
    return redirect(f"{reverse('project_photos', args=[project.code])}?week={week_of}")


def _strip(request, project: Project, week_of: dt.date, faults: list[str]):
    if faults:
        return JsonResponse({"sentence": "".join(faults)}, status=UNPROCESSABLE)
    context = {
        "code": project.code,
        "photos": photos.of_week([project.pk], week_of, policy.values_on(week_of).photo_far_km)[project.pk],
        "week_of": week_of,
    }
    answer = render(request, "projects/_photos.html", context)
    patch_vary_headers(answer, ["Accept"])
    return answer


# ── one photo ──


def _readable(request, pk: int) -> Photo:
    """A standing photo of a project that the person may read."""
    scope = permissions.visible_projects(request.user, request.today)
    return get_object_or_404(photos.standing(scope.order_by().values("pk"), request.today), pk=pk)


def _writable(request, pk: int) -> Photo:
    found = _readable(request, pk)
    if not _may_write(request, found.project):
        raise Http404
    return found


@require_safe
def photo(request, pk: int):
    return photos.response(_readable(request, pk))


@require_safe
def thumb(request, pk: int):
    return photos.response(_readable(request, pk), is_small=True)


@require_POST
def describe(request, pk: int):
    """What the photo shows, in words."""
    found = _writable(request, pk)
    try:
        photos.describe(photo=found, caption=request.POST.get("caption", ""), by=request.user)
        messages.success(request, "已保存照片说明。")
    except Unfit as refusal:
        return _page(request, found.project, found.week_of, UNPROCESSABLE, [str(refusal)])
    return _back(found)


@require_POST
def withdraw(request, pk: int):
    """Off the pages, with a reason."""
    found = _writable(request, pk)
    try:
        photos.withdraw(photo=found, reason=request.POST.get("reason", ""), by=request.user)
        messages.success(request, "已撤下照片，记录保留。")
    except Unfit as refusal:
        return _page(request, found.project, found.week_of, UNPROCESSABLE, [str(refusal)])
    return _back(found)


def _back(found: Photo):
    return redirect(f"{reverse('project_photos', args=[found.project.code])}?week={found.week_of}")
