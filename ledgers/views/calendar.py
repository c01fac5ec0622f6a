"""`/calendar/`: one's own address of the calendar; the calendar itself for whoever holds the address."""

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from ledgers import calendar_feed


@require_http_methods(["GET", "HEAD", "POST"])
def calendar(request):
    """Make an address, shown once, or revoke it."""
    address = ""
    if request.method == "POST":
        if request.POST.get("action") == "revoke":
            if calendar_feed.revoke_key(user=request.user):
                messages.success(request, "订阅地址已撤销，原地址不再有效。")
            return redirect("calendar")
        key = calendar_feed.make_key(user=request.user)
        address = request.build_absolute_uri(reverse("calendar_feed", args=[key]))
    response = render(request, "ledgers/calendar.html", {"address": address, "key": calendar_feed.used_by(request.user)})
    response["Cache-Control"] = "no-store"
    return response


@login_not_required
@require_safe
def feed(request, key: str):
    """The calendar; a key that holds for nobody is not there."""
    user = calendar_feed.owner_of(key)
    if user is None:
        raise Http404
    base = request.build_absolute_uri("/").rstrip("/")
    response = HttpResponse(calendar_feed.feed(user, request.today, base), content_type="text/calendar; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="calendar.ics"'
    response["Cache-Control"] = "private, no-store"
    response["Referrer-Policy"] = "no-referrer"
    response["X-Content-Type-Options"] = "nosniff"
    return response
