"""Login, log-out, password, accounts, notices, channels and health."""

from django.contrib.auth import views as auth
from django.urls import path

from linfen_water import notice_views, views

urlpatterns = [
    path("accounts/login/", views.LoginView.as_view(), name="login"),
    path("accounts/logout/", auth.LogoutView.as_view(), name="logout"),
    path("accounts/stay/", views.stay, name="stay"),
    path("accounts/password/", views.PasswordChangeView.as_view(), name="password_change"),
    path("accounts/", views.account_list, name="accounts"),
    path("accounts/<int:pk>/reset/", views.reset_password, name="reset_password"),
    path("accounts/<int:pk>/active/", views.set_active, name="set_active"),
    path("accounts/screens/", views.make_kiosk, name="make_kiosk"),
    path("accounts/screens/<int:pk>/revoke/", views.revoke_kiosk, name="revoke_kiosk"),
    path("screen/", views.pair_kiosk, name="pair_kiosk"),
    path("notices/", notice_views.notice_list, name="notices"),
    path("notices/<int:pk>/", notice_views.open_notice, name="notice"),
    path("notices/channels/", notice_views.channel_list, name="channels"),
    path("notices/channels/<int:pk>/", notice_views.channel, name="channel"),
    path("notices/channels/<int:pk>/act/", notice_views.channel_act, name="channel_act"),
    path("notices/deliveries/<int:pk>/again/", notice_views.deliver_again, name="deliver_again"),
    path("healthz", views.healthz, name="healthz"),
]
