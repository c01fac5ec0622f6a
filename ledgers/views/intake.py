"""`/ledgers/<slug>/import/`: send a workbook, see what it would change, confirm."""

from django import forms
from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect, render
from django.views.generic import View

from ledgers import intake
from ledgers.registry import LEDGERS
from linfen_water.kept_files import forget, keep, recall
from linfen_water.workbook import EMPTY, LARGEST, TOO_LARGE, BadWorkbook, Sheet, read_workbook

SHOWN = 300  # rows of each list on the page; the command prints all


class IntakeForm(forms.Form):
    """The file and why; after the first step the file is kept, and `kept` is its hash."""

    file = forms.FileField(label="工作簿（.xlsx）", required=False, allow_empty_file=True)
    reason = forms.CharField(
        label="变更理由",
        max_length=intake.LONGEST_REASON,
        error_messages={
            "required": "请写明变更理由，例如批复文号；每个变更的项目都会记下。",
            "max_length": "最多 %(limit_value)s 字，现为 %(show_value)s 字。",
        },
    )
    kept = forms.RegexField(r"^[0-9a-f]{64}$", required=False)
    name = forms.CharField(required=False)

    def clean_file(self):
        file = self.cleaned_data["file"]
        if file and file.size > LARGEST:
            raise forms.ValidationError(TOO_LARGE)
        if file is not None and not file.size:
            raise forms.ValidationError(EMPTY)
        return file


class IntakeView(View):
    """A rehearsal until the person confirms what they saw."""

    def dispatch(self, request, *args, slug: str, **kwargs):
        self.ledger = LEDGERS.get(slug)
        if self.ledger is None or self.ledger.may_take_in is None or not self.ledger.may_take_in(request.user):
            raise Http404
        if self.ledger.intake_page:
            return redirect(self.ledger.intake_page)
        return super().dispatch(request, *args, **kwargs)

    def get(self, request):
        return self.page(IntakeForm())

    def post(self, request):
        form = IntakeForm(request.POST, request.FILES)
        form.is_valid()
        data, name = recall_or_read(request.user, form)
        sheets = read_sheets(form, data)
        if sheets is None or not form.is_valid():
            return self.page(form, kept=keep(request.user, data) if sheets is not None else "", name=name)
        reason, is_confirmed = form.cleaned_data["reason"], request.POST.get("action") == "commit" and not form.cleaned_data["file"]
        if not is_confirmed:
            return self.page(form, intake.rehearse(sheets, reason=reason), keep(request.user, data), name)
        try:
            done = intake.take_in(sheets, reason=reason, by=request.user, seen=request.POST.get("seen", ""))
        except intake.Unfit as unfit:
            return self.page(form, unfit.rehearsal, keep(request.user, data), name, has_moved=True)
        forget(request.user, form.cleaned_data["kept"])
        messages.success(request, f"已导入“{name[:80]}”：变更{len(done.revisions)}个项目，共{len(done.changes)}处，自今日起生效并已留痕。")
        return redirect("ledger", self.ledger.slug)

    def page(self, form, rehearsal: intake.Rehearsal | None = None, kept: str = "", name: str = "", *, has_moved: bool = False):
        context = {
            "ledger": self.ledger,
            "form": form,
            "rehearsal": rehearsal,
            "kept": kept,
            "name": name,
            "has_moved": has_moved,
            "shown": SHOWN,
            "megabytes": LARGEST >> 20,
            "may_commit": True,
            "key_label": "编号",
            "counted": f"{self.ledger.measure}{self.ledger.row_is}",
            "effect": f"自今日（{self.request.today}）起生效，每个{self.ledger.row_is}记下理由并留痕。",
        }
        is_fit = not form.errors and not has_moved and not (rehearsal and rehearsal.errors)
        return render(self.request, "ledgers/import.html", context, status=200 if is_fit else 422)


# ── What was sent ──


def recall_or_read(user, form: IntakeForm) -> tuple[bytes | None, str]:
    """The bytes and the name of the file just sent, else of the one kept; None with an error at the field."""
    file = form.cleaned_data.get("file")
    if file:
        return file.read(), file.name
    name = form.cleaned_data.get("name") or ""
    if "file" in form.errors:
        return None, name
    kept = form.cleaned_data.get("kept")
    data = recall(user, kept) if kept else None
    if data is None:
        form.add_error("file", "核对过的文件已不在，请重新选择。" if kept else "请选择要导入的文件。")
    return data, name


def read_sheets(form: IntakeForm, data: bytes | None) -> list[Sheet] | None:
    """The workbook's sheets; None with an error at the field."""
    if data is None:
        return None
    try:
        return read_workbook(data)
    except BadWorkbook as fault:
        form.add_error("file", str(fault))
        return None
