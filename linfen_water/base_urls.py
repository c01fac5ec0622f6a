"""Login, log-out, password, accounts and health."""

from django.contrib.auth import views as auth
from django.urls import path

from linfen_water import views

urlpatterns = [
    path("accounts/login/", views.LoginView.as_view(), name="login"),
    path("accounts/logout/", auth.LogoutView.as_view(), name="logout"),
    path("accounts/stay/", views.stay, name="stay"),
    path("accounts/password/", views.PasswordChangeView.as_view(), name="password_change"),
    path("accounts/", views.account_list, name="accounts"),
    path("accounts/<int:pk>/reset/", views.reset_password, name="reset_password"),
    path("accounts/<int:pk>/active/", views.set_active, name="set_active"),
    path("healthz", views.healthz, name="healthz"),
]
