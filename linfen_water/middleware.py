"""What every request carries: the region, the business date, and the day that the page speaks of (`?as_of=`)."""

import contextlib
import datetime as dt
from http import HTTPStatus

from django.shortcuts import redirect, render

from linfen_water import clock, trail
from linfen_water.models import Region
from linfen_water.once import reading

EARLIEST = dt.date(2000, 1, 1)
SAFE = {"GET", "HEAD"}


class BadDay(ValueError):
    """An as-of date that cannot be; its text is the Chinese sentence for the person."""


def read_day(text: str, today: dt.date) -> dt.date:
    """Return the day that `text` (YYYY-MM-DD) names; raise BadDay when it is impossible, too early or in the future."""
    try:
        if len(text) != len("YYYY-MM-DD"):
            raise ValueError
        day = dt.date.fromisoformat(text)
    except ValueError:
        raise BadDay(f"日期“{text[:20]}”无效，请按 2025-02-20 的格式填写。") from None
    if day > today:
        raise BadDay(f"日期 {day} 晚于今天（{today}），还没有数据。")
    if day < EARLIEST:
        raise BadDay(f"日期 {day} 过早，请填写 {EARLIEST} 以后的日期。")
    return day


class OfficeMiddleware:
    """Set `request.region`, `request.today` and `request.as_of`; answer an impossible date with 400 in Chinese."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        with reading() if request.method in SAFE else contextlib.nullcontext():
            return self.answer(request)

    def answer(self, request):
        request.region = Region.current()
        request.today = request.as_of = clock.today()
        if has_null(request):
            return render(
                request, "error.html", {"title": "地址无效", "message": "地址里有不能使用的字符，请从页面上的链接打开。"}, status=400
            )
        text = request.GET.get("as_of", "").strip()
        if text and request.user.is_authenticated:
            try:
                request.as_of = read_day(text, request.today)
            except BadDay as fault:
                return render(request, "error.html", {"title": "日期无效", "message": str(fault)}, status=400)
        with trail.origin(f"page {request.path}"):
            response = self.get_response(request)
        return shown(request, response) if response.status_code == HTTPStatus.METHOD_NOT_ALLOWED and not response.content else response


class OwnPasswordMiddleware:
    """Who logged in with a password that was made for them finds nothing but the page to change it."""

    OPEN = {"password_change", "login", "logout", "healthz"}

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_view(self, request, view, args, kwargs):
        if request.user.is_authenticated and request.user.must_change_password and request.resolver_match.url_name not in self.OPEN:
            return redirect("password_change")
        return None


def has_null(request) -> bool:
    """Whether the address holds the null character, which PostgreSQL takes in no text: the one place that keeps it from every query."""
    return "\0" in request.path or any("\0" in value for _, values in request.GET.lists() for value in values)


def shown(request, refusal):
    """The page that tells of a refused method: without one the browser shows a blank, for example after a login in between."""
    told = {"title": "请从页面上操作", "message": "这个地址只接收页面上的按钮。如果刚才登录已过期，请回到原来的页面重新提交。"}
    response = render(request, "error.html", told, status=refusal.status_code)
    response["Allow"] = refusal["Allow"]
    return response
