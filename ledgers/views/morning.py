"""`/morning/`: the sheet of the morning meeting, and the office's own lines on it."""

from http import HTTPStatus

from django import forms
from django.contrib import messages
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from ledgers import morning, morning_services
from ledgers.day_models import DayLine
from ledgers.permissions import may_write_morning
from projects.forms import readable
from projects.services import Refused


class LineForm(forms.Form):
    text = forms.CharField(
        label="自拟事项",
        max_length=120,
        error_messages={"required": "请填写内容。", "max_length": "最多 %(limit_value)s 字，现为 %(show_value)s 字。"},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def clean_text(self):
        return readable(self.cleaned_data["text"])


@require_http_methods(["GET", "HEAD", "POST"])
def morning_sheet(request):
    """The sheet as of a day; `show` opens all lines of one part. A POST adds or takes off a line of today's."""
    form = LineForm()
    if request.method == "POST":
        if not may_write_morning(request.user):
            raise Http404
        form = LineForm(request.POST)
        if _take(request, form):
            return redirect("morning")
    sheet = morning.gather(request.user, request.as_of)
    show = request.GET.get("show")
    part = sheet.part(show) if show else None
    if show and part is None:
        raise Http404
    context = {"sheet": sheet, "part": part, "form": form if may_write_morning(request.user) and request.as_of == request.today else None}
    return render(request, "ledgers/morning.html", context, status=HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK)


def _take(request, form: LineForm) -> bool:
    """Whether it was done; what is wrong stands in the form."""
    try:
        if key := request.POST.get("withdraw"):
            if not (key.isascii() and key.isdigit() and len(key) < 10):
                raise Http404
            line = get_object_or_404(DayLine, pk=int(key))
            morning_services.withdraw_line(line=line, by=request.user)
            messages.success(request, f"已撤下：{line.text}")
            return True
        if form.is_valid():
            morning_services.add_line(day=request.today, text=form.cleaned_data["text"], by=request.user)
            messages.success(request, "已加入今天的材料。")
            return True
    except Refused as refusal:
        form.full_clean()
        form.add_error(None if request.POST.get("withdraw") else "text", str(refusal))
    return False
