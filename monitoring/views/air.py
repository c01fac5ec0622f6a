"""Typing and mending an air ranking: one period on a page, a line a county; what was published changes only with a reason."""

from django.contrib import messages
from django.db import transaction
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from linfen_water.models import County
from monitoring import air
from monitoring.air_forms import AirPeriodForm, WithdrawForm
from monitoring.air_values import MEASURES
from monitoring.enums import IntakeKind
from monitoring.models import AirPeriod
from monitoring.permissions import may_record

MOVED = "打开本页之后，已有人改动了这个时段，没有保存。您填写的内容还在：请与下面列出的变化核对后再保存。"
GONE = "这个时段已被撤回，没有保存。需要的话请重新录入。"


@require_http_methods(["GET", "POST"])
def new(request):
    _check(request)
    return _typed(request, None)


@require_http_methods(["GET", "POST"])
def edit(request, pk: int):
    _check(request)
    return _typed(request, get_object_or_404(AirPeriod, pk=pk))


@require_http_methods(["POST"])
def withdraw(request, pk: int):
    """Take back a period that should never have been entered."""
    _check(request)
    period = get_object_or_404(AirPeriod, pk=pk)
    form = WithdrawForm(request.POST)
    if not form.is_valid():
        return _page(request, period, _form(request, period, None), withdrawal=form, status=422)
    try:
        air.withdraw(period=period, by=request.user, reason=form.cleaned_data["reason"], seen=request.POST.get("seen", ""))
    except air.Moved:
        period = get_object_or_404(AirPeriod, pk=pk)
        form.add_error(None, "打开本页之后，已有人改动了这个时段，没有撤回：请看过现在的内容后再决定。")
        return _page(request, period, _form(request, period, None), withdrawal=form, status=422)
    words = f"已撤回“{period.label}”，原来的数值和理由已留痕。"
    messages.success(request, words, extra_tags=f"air:{request.user.pk}:{pk}")
    return redirect("ledger", "air")


def _check(request):
    if not may_record(request.user):
        raise Http404


def _typed(request, period: AirPeriod | None):
    """A form; with changes to what was published, first the list of them; then the act."""
    if request.method == "GET":
        return _page(request, period, _form(request, period, None))
    form = _form(request, period, request.POST)
    if not form.is_valid():
        return _page(request, period, form, status=422)
    standing = AirPeriod.objects.get(pk=period.pk) if period else None
    found = air.differences(form.entry, standing, form.known, {county.pk: county for county in form.counties})
    if standing and not found:
        messages.info(request, "没有改动，不必保存。", extra_tags=_draft(request, standing))
        return redirect(_ledger(standing))
    if standing and not form.cleaned_data["reason"].strip():
        form.add_error("reason", air.NEEDS_REASON)
        return _page(request, period, form, found=found, status=422)
    is_seen = request.POST.get("seen", "") == _state(standing, form)
    if standing and (request.POST.get("action") != "save" or not is_seen):
        if not is_seen:
            form.add_error(None, MOVED)
        return _page(request, period, form, found=found, is_ready=True, status=422 if form.errors else 200)
    return _save(request, standing, form, found)


def _save(request, period: AirPeriod | None, form: AirPeriodForm, found: list[air.Difference]):
    entry, seen = form.entry, request.POST.get("seen", "") if period else ""
    try:
        with transaction.atomic():
            intake = period.intake if period else air.batch(kind=IntakeKind.FORM, by=request.user)
            air.enter(entry=entry, intake=intake, by=request.user, reason=form.cleaned_data["reason"], period=period, seen=seen)
    except air.Moved:
        is_there = AirPeriod.objects.filter(starts_on=entry.starts_on, ends_on=entry.ends_on).exists()
        form.add_error(None, MOVED if is_there else GONE)
        return _page(request, period, form, found=found, status=422)
    words = f"已保存“{entry.label}”，共{len(found)}处变动，已留痕；名次已重新计算。"
    messages.success(request, words, extra_tags=_draft(request, period))
    return redirect(_ledger(entry))


def _draft(request, period: AirPeriod | None) -> str:
    """Under which the browser keeps what this person typed, until the message of a saved form ends it."""
    return f"air:{request.user.pk}:{period.pk if period else 'new'}"


def _ledger(period) -> str:
    return reverse("ledger", args=["air"], query={"month": air.month_key(period.ends_on)})


def _form(request, period: AirPeriod | None, data) -> AirPeriodForm:
    """A line for every county and zone; what stays empty is not ranked."""
    known = {result.county_id: result for result in period.results.all()} if period else {}
    return AirPeriodForm(data, period=period, counties=County.objects.all(), known=known, today=request.today)


def _state(period: AirPeriod | None, form: AirPeriodForm) -> str:
    return air.state_of(period, form.known.values()) if period else ""


def _page(request, period, form, *, found=(), is_ready: bool = False, withdrawal: WithdrawForm | None = None, status: int = 200):
    standing = AirPeriod.objects.filter(pk=period.pk).first() if period else None
    context = {
        "period": standing,
        "form": form,
        "found": found,
        "is_ready": is_ready,
        "seen": _state(standing, form),
        "draft": _draft(request, period),
        "measures": MEASURES.values(),
        "withdrawal": withdrawal or WithdrawForm(),
        "back": _ledger(standing) if standing else reverse("ledger", args=["air"]),
    }
    return render(request, "sections/air_form.html", context, status=status)
