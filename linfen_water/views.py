"""Doors of the site: login, password, accounts, health."""

import logging

from django.contrib import messages
from django.contrib.auth import views as auth
from django.contrib.auth.decorators import login_not_required
from django.core.paginator import Paginator
from django.db import connection
from django.http import Http404, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse, reverse_lazy
from django.views.decorators.http import require_http_methods, require_POST

from linfen_water import accounts, kiosks, permissions, throttle
from linfen_water.forms import AccountForm, KioskForm, OwnPasswordForm
from linfen_water.models import Kiosk, User

log = logging.getLogger(__name__)

ACCOUNTS_PER_PAGE = 100


class LoginView(auth.LoginView):
    """The door. What was typed stays, except the password; `next` is kept through every failure."""

    template_name = "accounts/login.html"
    redirect_authenticated_user = True
    tries_left: int | None = None

    def post(self, request, *args, **kwargs):
        name, password = request.POST.get("username", ""), request.POST.get("password", "")
        if name.strip() and password:
            try:
                self.tries_left = throttle.count_try(name, throttle.address_of(request))
            except throttle.TooManyTries as fault:
                log.warning("login refused: too many tries from %s", throttle.address_of(request))
                blocked = f"登录失败次数过多，请 {fault.minutes} 分钟后再试；忘记密码请联系专班办系统管理员重置。"
                form = self.get_form_class()(initial={"username": name[:150]})
                return self.render_to_response(self.get_context_data(form=form, blocked=blocked), status=429)
        return super().post(request, *args, **kwargs)

    def form_valid(self, form):
        throttle.forget_tries(self.request.POST["username"], throttle.address_of(self.request))
        return super().form_valid(form)

    def get_success_url(self):
        """A password that was made for the person is changed first."""
        if self.request.user.must_change_password:
            messages.info(self.request, "这是第一次登录或密码刚被重置，请先换成您自己的密码。")
            return reverse("password_change")
        return super().get_success_url()

    def get_context_data(self, **kwargs):
        return super().get_context_data(refusal=self.refusal, **kwargs)

    @property
    def refusal(self) -> str:
        """One sentence for a wrong name and a wrong password alike."""
        rest = f"还可以再试 {self.tries_left} 次。" if self.tries_left else "请 15 分钟后再试。"
        return f"用户名或密码不正确，请核对后重试（区分大小写）。{rest}"


def stay(request):
    """Asked by a page whose login is about to end: prolongs it (`sessions.py`) and tells the seconds left."""
    return JsonResponse({"left": request.session_left})


class PasswordChangeView(auth.PasswordChangeView):
    form_class = OwnPasswordForm
    template_name = "accounts/password.html"
    success_url = reverse_lazy("today")

    def form_valid(self, form):
        answer = super().form_valid(form)
        accounts.password_changed(self.request.user)
        messages.success(self.request, "密码已修改。")
        return answer


@require_http_methods(["GET", "HEAD", "POST"])
def account_list(request):
    """Every account, for the office; a POST makes a new one and shows its password once."""
    _office_only(request)
    form = AccountForm(request.POST or None)
    made = None
    if request.method == "POST" and form.is_valid():
        try:
            made = accounts.create_account(**form.cleaned_data, by=request.user)
            form = AccountForm()
        except accounts.Refused as refusal:
            form.add_error(None, str(refusal))
    return _account_page(request, form, made)


@require_POST
def reset_password(request, pk: int):
    """A new random password for one account, shown once."""
    _office_only(request)
    user = get_object_or_404(User, pk=pk)
    return _account_page(request, AccountForm(), (user, accounts.reset_password(user=user, by=request.user)))


@require_POST
def set_active(request, pk: int):
    """Close an account or open it again."""
    _office_only(request)
    user = get_object_or_404(User, pk=pk)
    is_active = request.POST.get("is_active") == "1"
    try:
        accounts.set_active(user=user, is_active=is_active, by=request.user)
        messages.success(request, f"账号 {user.username} 已{'启用' if is_active else '停用'}。")
    except accounts.Refused as refusal:
        messages.error(request, str(refusal))
    return redirect("accounts")


def _office_only(request) -> None:
    if not permissions.is_office(request.user):
        raise Http404


# ── Screens on a wall ──


@require_POST
def make_kiosk(request):
    """A new screen; its code is shown once."""
    _office_only(request)
    form = KioskForm(request.POST)
    if not form.is_valid():
        return _account_page(request, AccountForm(), None, kiosk_form=form)
    return _account_page(request, AccountForm(), None, screen=kiosks.make(name=form.cleaned_data["name"], by=request.user))


@require_POST
def revoke_kiosk(request, pk: int):
    """The screen shows nothing new from now on."""
    _office_only(request)
    kiosk = get_object_or_404(Kiosk, pk=pk)
    kiosks.revoke(kiosk=kiosk, by=request.user)
    messages.success(request, f"大屏“{kiosk}”的登记已撤销。")
    return redirect("accounts")


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def pair_kiosk(request):
    """On the screen itself: the code is typed once, then the wall stays open."""
    fault, status = "", 200
    if request.method == "POST":
        address = throttle.address_of(request)
        try:
            throttle.count_try(kiosks.THROTTLE_NAME, address)
            _, key = kiosks.pair(code=request.POST.get("code", ""))
        except throttle.TooManyTries as refusal:
            fault, status = f"登记码输错次数过多，请 {refusal.minutes} 分钟后再试。", 429
        except accounts.Refused as refusal:
            fault, status = str(refusal), 422
        else:
            throttle.forget_tries(kiosks.THROTTLE_NAME, address)
            response = redirect(f"{reverse('wall')}?kiosk=40")
            kiosks.remember(response, key)
            return response
    known = kiosks.kiosk_of(request.COOKIES.get(kiosks.COOKIE, ""))
    response = render(request, "accounts/kiosk.html", {"fault": fault, "known": known}, status=status)
    response["Cache-Control"] = "no-store"
    return response


def _account_page(request, form: AccountForm, made: tuple[User, str] | None, kiosk_form: KioskForm | None = None, **more):
    users = User.objects.select_related("unit").order_by("-is_active", "unit__position", "username")
    page = Paginator(users, ACCOUNTS_PER_PAGE).get_page(request.GET.get("page"))
    screens = Kiosk.objects.select_related("made_by__unit", "revoked_by__unit")[:ACCOUNTS_PER_PAGE]
    context = {"form": form, "page": page, "made": made, "screens": screens, "kiosk_form": kiosk_form or KioskForm(), **more}
    is_faulty = form.errors or (kiosk_form and kiosk_form.errors)
    answer = render(request, "accounts/accounts.html", context, status=422 if is_faulty else 200)
    answer["Cache-Control"] = "no-store"  # a password shown once is not kept by the browser
    return answer


@login_not_required
def healthz(request):
    """200 when the database answers; for the supervisor and whoever watches the machine."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return JsonResponse({"status": "ok"})
