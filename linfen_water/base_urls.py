"""Login, log-out, password and health."""

from django.contrib.auth import views as auth
from django.urls import path

from linfen_water import views

urlpatterns = [
    path("accounts/login/", views.LoginView.as_view(), name="login"),
    path("accounts/logout/", auth.LogoutView.as_view(), name="logout"),
    path("accounts/stay/", views.stay, name="stay"),
    path("accounts/password/", views.PasswordChangeView.as_view(), name="password_change"),
    path("healthz", views.healthz, name="healthz"),
]
