"""Doors of the site: login, password, health."""

import logging

from django.contrib.auth import views as auth
from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.http import JsonResponse
from django.urls import reverse_lazy

from linfen_water import throttle

log = logging.getLogger(__name__)


class LoginView(auth.LoginView):
    """The door. What was typed stays, except the password; `next` is kept through every failure."""

    template_name = "accounts/login.html"
    redirect_authenticated_user = True
    tries_left: int | None = None

    def post(self, request, *args, **kwargs):
        name, password = request.POST.get("username", ""), request.POST.get("password", "")
        if name.strip() and password:
            try:
                self.tries_left = throttle.count_try(name, request.META["REMOTE_ADDR"])
            except throttle.TooManyTries as fault:
                log.warning("login refused: too many tries from %s", request.META["REMOTE_ADDR"])
                blocked = f"登录失败次数过多，请 {fault.minutes} 分钟后再试；忘记密码请联系专班办系统管理员重置。"
                form = self.get_form_class()(initial={"username": name[:150]})
                return self.render_to_response(self.get_context_data(form=form, blocked=blocked), status=429)
        return super().post(request, *args, **kwargs)

    def form_valid(self, form):
        throttle.forget_tries(self.request.POST["username"], self.request.META["REMOTE_ADDR"])
        return super().form_valid(form)

    def get_context_data(self, **kwargs):
        return super().get_context_data(tries_left=self.tries_left, **kwargs)


def stay(request):
    """Asked by a page whose login is about to end: prolongs it (`sessions.py`) and tells the seconds left."""
    return JsonResponse({"left": request.session_left})


class PasswordChangeView(auth.PasswordChangeView):
    template_name = "accounts/password.html"
    success_url = reverse_lazy("today")


@login_not_required
def healthz(request):
    """200 when the database answers; for the supervisor and whoever watches the machine."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return JsonResponse({"status": "ok"})
