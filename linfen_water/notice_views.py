"""`/notices/`: what I was told; and for the office the channels by which reminders leave the site, with their log."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import OuterRef, Subquery
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST

from linfen_water import channels, notices, permissions
from linfen_water.enums import DeliveryState
from linfen_water.forms import ChannelForm
from linfen_water.models import Channel, Delivery

PER_PAGE = 50
OK, UNPROCESSABLE = 200, 422
TEST_WORDS = "这是一条测试消息：{name} 已接入{programme}调度系统的提醒。"


# ── mine ──


@require_http_methods(["GET", "HEAD", "POST"])
def notice_list(request):
    """My notices, the newest first; a POST marks those that the page showed, or all, as read."""
    if request.method == "POST":
        shown = [int(pk) for pk in request.POST.getlist("notice") if pk.isdecimal() and len(pk) < 19]
        count = notices.mark_read(user=request.user, keys=None if "all" in request.POST else shown)
        messages.success(request, f"已标为已读 {count} 条。" if count else "没有未读的提醒。")
        return redirect("notices")
    rows = notices.notices_for(request.user).select_related("unit", "by__unit")
    only_new = request.GET.get("show") == "new"
    page = Paginator(rows.filter(is_read=False) if only_new else rows, PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "notices/notices.html", {"page": page, "only_new": only_new, "is_office": permissions.is_office(request.user)})


@require_http_methods(["GET", "HEAD", "POST"])
def open_notice(request, pk: int):
    """Read one: note that, and go where it leads."""
    notice = get_object_or_404(notices.notices_for(request.user), pk=pk)
    notices.mark_read(user=request.user, keys=[notice.pk])
    is_ours = notice.url and url_has_allowed_host_and_scheme(notice.url, allowed_hosts=None)
    return redirect(notice.url if is_ours else "notices")


# ── the office's channels ──


@require_http_methods(["GET", "HEAD", "POST"])
def channel_list(request):
    """All channels and the log of what was sent; a POST makes a new one."""
    _office_only(request)
    form = ChannelForm(Channel(), request.POST or None)
    if request.method == "POST" and form.is_valid():
        made = channels.save_channel(channel=Channel(), values=form.values, by=request.user)
        messages.success(request, f"渠道“{made.name}”已建立。请点“发一条测试”核对能否收到。")
        return redirect("channels")
    last = Delivery.objects.filter(channel=OuterRef("pk")).order_by("-pk")
    rows = list(Channel.objects.select_related("unit").annotate(last_state=Subquery(last.values("state")[:1])))
    log = Paginator(Delivery.objects.select_related("channel__unit", "by__unit"), PER_PAGE).get_page(request.GET.get("page"))
    gone = channels.given_up(log.object_list)
    context = {
        "form": form,
        "channels": [(row, channels.masked(row), DeliveryState(row.last_state) if row.last_state else None) for row in rows],
        "page": log,
        "log": [(row, DeliveryState.FAILED if row.pk in gone else DeliveryState(row.state)) for row in log],
        "is_mail_set": channels.is_mail_set(),
    }
    return _private(render(request, "notices/channels.html", context, status=UNPROCESSABLE if form.errors else OK))


@require_http_methods(["GET", "HEAD", "POST"])
def channel(request, pk: int):
    """Change one channel."""
    _office_only(request)
    row = get_object_or_404(Channel, pk=pk)
    form = ChannelForm(row, request.POST or None)
    if request.method == "POST" and form.is_valid():
        channels.save_channel(channel=row, values=form.values, by=request.user)
        messages.success(request, f"渠道“{form.values['name']}”已保存。")
        return redirect("channels")
    return _private(render(request, "notices/channel.html", {"form": form, "channel": row}, status=UNPROCESSABLE if form.errors else OK))


@require_POST
def channel_act(request, pk: int):
    """Send a test message, or let the channel rest, or use it again."""
    _office_only(request)
    row = get_object_or_404(Channel, pk=pk)
    match request.POST.get("action"):
        case "test" if row.is_active:
            text = TEST_WORDS.format(name=row.name, programme=request.region.programme)
            channels.deliver(channel=row, key=f"test:{timezone.now():%Y%m%d%H%M%S}", text=text, by=request.user)
            messages.success(request, "测试消息已交后台发送，结果见下面的发送记录（刷新可见）。")
        case "stop" | "use" as action:
            channels.set_active(channel=row, is_active=action == "use", by=request.user)
            messages.success(request, f"渠道“{row.name}”已{'启用' if action == 'use' else '停用'}。")
        case _:
            messages.error(request, "没有执行：渠道已停用，或操作不明。")
    return redirect("channels")


@require_POST
def deliver_again(request, pk: int):
    """Send once more what did not arrive."""
    _office_only(request)
    row = get_object_or_404(Delivery, pk=pk)
    try:
        channels.deliver_again(delivery=row, by=request.user)
        messages.success(request, "已重新交后台发送。")
    except channels.Refused as refusal:
        messages.error(request, str(refusal))
    return redirect("channels")


def _office_only(request) -> None:
    if not permissions.is_office(request.user):
        raise Http404


def _private(response):
    response["Cache-Control"] = "no-store"  # a page on which a secret was typed is not kept by the browser
    return response
