"""Doors of the site: login, password, health."""

from django.contrib.auth import views as auth
from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.http import JsonResponse
from django.urls import reverse_lazy


class LoginView(auth.LoginView):
    template_name = "accounts/login.html"
    redirect_authenticated_user = True


class PasswordChangeView(auth.PasswordChangeView):
    template_name = "accounts/password.html"
    success_url = reverse_lazy("today")


@login_not_required
def healthz(request):
    """200 when the database answers; for the supervisor and whoever watches the machine."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return JsonResponse({"status": "ok"})
