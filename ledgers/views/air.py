"""`/ledgers/air/import/`: send the workbook of a ranking, see what it says, confirm. Days that its head does not say are asked for."""

import datetime as dt

from django import forms
from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.generic import View

from ledgers import air_intake, intake
from ledgers.air_intake import About, AirRehearsal
from ledgers.registry import LEDGERS
from ledgers.views.intake import SHOWN, IntakeForm, read_sheets, recall_or_read
from linfen_water.kept_files import forget, keep
from linfen_water.workbook import LARGEST
from monitoring import air

ASKED_AT_MOST = 6


def _date(label: str, **kwargs) -> forms.DateField:
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    return forms.DateField(label=label, required=False, widget=widget, error_messages={"invalid": "日期请按 2025-01-31 填写。"}, **kwargs)


class AirIntakeForm(IntakeForm):
    """The file, who published it and when, and the days of periods whose head does not say them: `label_n`, `from_n`, `to_n`."""

    published_on = _date("发布日", help_text="留空则用表中写的发布日期，表中没有则为今天。只用于新的时段。")
    source = forms.CharField(
        label="数据来源", required=False, max_length=air_intake.LONGEST_SOURCE, help_text="发布单位。留空则用表中写的来源。只用于新的时段。"
    )

    def __init__(self, *args, today: dt.date, **kwargs):
        super().__init__(*args, **kwargs)
        self.today = today
        self.fields["reason"].required = False
        self.fields["reason"].label = "更正理由"
        self.fields["reason"].help_text = "改动已发布的数值时必填；新的时段不必填。"
        for n in range(ASKED_AT_MOST):
            self.fields[f"label_{n}"] = forms.CharField(required=False, widget=forms.HiddenInput)
            self.fields[f"from_{n}"], self.fields[f"to_{n}"] = _date("起始日"), _date("截止日")

    def clean(self):
        cleaned = super().clean()
        if cleaned.get("published_on") and cleaned["published_on"] > self.today:
            self.add_error("published_on", f"发布日不能晚于今天（{self.today}）。")
        for n in range(ASKED_AT_MOST):
            first, last = cleaned.get(f"from_{n}"), cleaned.get(f"to_{n}")
            if first and last and last < first:
                self.add_error(f"to_{n}", "截止日不能早于起始日。")
        return cleaned

    @property
    def visible_facts(self) -> list[forms.BoundField]:
        return [self["published_on"], self["source"], self["reason"]]

    @property
    def about(self) -> About:
        said = self.cleaned_data
        spans = {
            said[f"label_{n}"]: (said[f"from_{n}"], said[f"to_{n}"])
            for n in range(ASKED_AT_MOST)
            if said.get(f"from_{n}") and said.get(f"to_{n}")
        }
        return About(spans, said.get("published_on"), " ".join((said.get("source") or "").split()))

    def asked(self, labels: list[str]) -> list[tuple[str, str, forms.BoundField, forms.BoundField]]:
        """`[(name of the hidden field, label, first day, last day)]`; what was typed for a label stays with it."""
        typed = {self.data.get(f"label_{n}"): n for n in range(ASKED_AT_MOST) if f"label_{n}" in self.data}
        free = [n for n in range(ASKED_AT_MOST) if n not in typed.values()]
        places = [(label, typed[label] if label in typed else free.pop(0)) for label in labels[:ASKED_AT_MOST] if label in typed or free]
        return [(f"label_{n}", label, self[f"from_{n}"], self[f"to_{n}"]) for label, n in places]


class AirIntakeView(View):
    """A rehearsal until the person confirms what they saw."""

    def dispatch(self, request, *args, **kwargs):
        self.ledger = LEDGERS["air"]
        if not self.ledger.may_take_in(request.user):
            raise Http404
        return super().dispatch(request, *args, **kwargs)

    def get(self, request):
        return self.page(AirIntakeForm(today=request.today))

    def post(self, request):
        form = AirIntakeForm(request.POST, request.FILES, today=request.today)
        form.is_valid()
        data, name = recall_or_read(request.user, form)
        sheets = read_sheets(form, data)
        if sheets is None or not form.is_valid():
            return self.page(form, kept=keep(request.user, data) if sheets is not None else "", name=name)
        reason, about = form.cleaned_data["reason"].strip(), form.about
        rehearsal = air_intake.rehearse(sheets, reason=reason, about=about)
        if rehearsal.is_revision and not reason:
            form.add_error("reason", air.NEEDS_REASON)
        is_confirmed = request.POST.get("action") == "commit" and not form.cleaned_data["file"]
        if not is_confirmed or form.errors:
            return self.page(form, rehearsal, keep(request.user, data), name)
        try:
            done = air_intake.take_in(
                sheets, reason=reason, by=request.user, seen=request.POST.get("seen", ""), about=about, name=name,
                digest=form.cleaned_data["kept"],
            )  # fmt: skip
        except intake.Unfit as unfit:
            return self.page(form, unfit.rehearsal, keep(request.user, data), name, has_moved=True)
        forget(request.user, form.cleaned_data["kept"])
        messages.success(request, f"已导入“{name[:80]}”：{len(done.revisions)}个时段，共{len(done.changes)}处，已留痕；名次已重新计算。")
        last = max((span[1] for span in done.revisions), default=None)
        return redirect(reverse("ledger", args=["air"], query={"month": air.month_key(last)} if last else None))

    def page(self, form, rehearsal: AirRehearsal | None = None, kept: str = "", name: str = "", *, has_moved: bool = False):
        context = {
            "ledger": self.ledger,
            "form": form,
            "asked": form.asked(rehearsal.undated) if rehearsal else [],
            "rehearsal": rehearsal,
            "periods": [(entry, not rehearsal.states[span]) for span, entry in sorted(rehearsal.entries.items())] if rehearsal else [],
            "kept": kept,
            "name": name,
            "has_moved": has_moved,
            "may_commit": not form.errors,
            "shown": SHOWN,
            "megabytes": LARGEST >> 20,
            "key_label": "县（市、区）",
            "counted": "个时段",
            "effect": "写入后立即参加排名，并留痕。",
        }
        is_fit = not form.errors and not has_moved and not (rehearsal and rehearsal.errors)
        return render(self.request, "ledgers/air_import.html", context, status=200 if is_fit else 422)
