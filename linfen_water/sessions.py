"""How long a login lasts: SESSION_HOURS after the last page that was opened. Open pages that refresh themselves do not count."""

import time

from django.conf import settings
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver

ENDS_AT = "ends_at"  # in the session: seconds since 1970


class SessionClockMiddleware:
    """Set `request.session_left` (seconds, None without a login) and prolong a session that is past its half."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        request.session_left = seconds_left(request) if request.user.is_authenticated else None
        return self.get_response(request)


@receiver(user_logged_in)
def start_clock(request, **kwargs) -> None:
    request.session[ENDS_AT] = int(time.time()) + settings.SESSION_COOKIE_AGE


def _is_poll(request) -> bool:
    """Asked by a page on its own: nobody sits there, so it keeps no login alive."""
    return request.path.startswith("/api/") or "X-Poll" in request.headers


def seconds_left(request) -> int:
    now = int(time.time())
    left = request.session.get(ENDS_AT, now) - now
    if left < settings.SESSION_COOKIE_AGE / 2 and not _is_poll(request):
        left = settings.SESSION_COOKIE_AGE
        request.session[ENDS_AT] = now + left  # writing to it makes Django save and prolong it
    return left
