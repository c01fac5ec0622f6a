"""`/ledgers/<slug>/bulk/`: one column of the rows that the address chooses, shown change by change before it is written."""

from django import forms
from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect, render
from django.views.generic import View

from ledgers import bulk, since
from ledgers.registry import Ledger
from ledgers.shape import Shape
from ledgers.views.ledger import ledger_or_404, make_table, rows_of
from ledgers.writing import NotWritten


class BulkForm(forms.Form):
    column = forms.ChoiceField(label="改哪一列")
    value = forms.CharField(label="改为", required=False, max_length=2000, help_text="留空即清除原值。")
    reason = forms.CharField(label="理由", required=False, max_length=200, help_text="例如批复文号；基本信息的变更必须写。")

    def __init__(self, *args, fields: dict, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["column"].choices = [(name, field.label) for name, field in fields.items()]


class BulkView(View):
    def dispatch(self, request, *args, slug: str, **kwargs):
        self.ledger: Ledger = ledger_or_404(slug)
        writer = self.ledger.writer
        if writer is None or self.ledger.read is None or not writer.may_take_in(request.user) or request.as_of != request.today:
            raise Http404
        chosen = self.ledger.filter(request.GET, queryset=self.ledger.rows(request.as_of, request.user), day=request.as_of)
        self.chosen = chosen
        rows = chosen.qs if chosen.is_valid() else chosen.queryset.none()
        self.table = make_table(self.ledger, rows, Shape(), request.GET.getlist("sort"))
        self.fields = bulk.writable(self.ledger, self.table.base_columns)
        self.count = rows_of(self.table).count()
        return super().dispatch(request, *args, **kwargs)

    def get(self, request):
        form = BulkForm(initial={"column": request.GET.get("col", "")}, fields=self.fields)
        return self.page(form)

    def post(self, request):
        if request.POST.get("action") == "undo":
            return self.undo()
        form = BulkForm(request.POST, fields=self.fields)
        if not form.is_valid():
            return self.page(form, status=422)
        if self.count > bulk.MOST_ROWS:
            return self.page(form, status=422)
        return self.commit(form) if request.POST.get("action") == "commit" else self.preview(form)

    def preview(self, form: BulkForm, faults: dict[int, str] | None = None):
        said = form.cleaned_data
        names = {row["key"]: since.name_of(self.table.base_columns, self.ledger, row) for row in self.read()}
        try:
            lines = bulk.preview(self.ledger, list(names), names, said["column"], said["value"], said["reason"], self.request.user)
        except bulk.Refused as refused:
            form.add_error(refused.field or None, str(refused))
            return self.page(form, status=422)
        return self.page(form, lines=lines, faults=faults or {}, status=422 if faults or form.errors else 200)

    def read(self) -> list[dict]:
        return self.ledger.read_rows(self.request.as_of, rows_of(self.table))

    def commit(self, form: BulkForm):
        said, keys = form.cleaned_data, set(rows_of(self.table).values_list("pk", flat=True))
        wanted = [int(pk) for pk in self.request.POST.getlist("row") if pk.isascii() and pk.isdigit() and len(pk) < 19]
        seen = {pk: self.request.POST.get(f"seen-{pk}", "-") for pk in wanted if pk in keys}
        if not seen:
            form.add_error(None, "没有勾选要修改的行，没有写入。")
            return self.preview(form)
        try:
            done = bulk.commit(self.ledger, seen, said["column"], said["value"], said["reason"], self.request.user)
        except NotWritten as unwritten:
            form.add_error(None, "没有写入任何一行：有的行写不进去，原因写在行里，请核对后再确认。")
            return self.preview(form, {fault.pk: fault.sentence for fault in unwritten.faults})
        packed = bulk.pack(self.ledger, said["column"], done)
        return self.page(form, done=done, packed=packed)

    def undo(self):
        try:
            done = bulk.undo(self.ledger, self.request.POST.get("packed", ""), self.request.user)
        except bulk.Refused as refused:
            messages.error(self.request, str(refused))
        except NotWritten as unwritten:
            messages.error(self.request, f"没有撤销：{unwritten.faults[0].key} {unwritten.faults[0].sentence}")
        else:
            messages.success(self.request, f"已撤销，{len(done)}行恢复原值，撤销本身也留痕。")
        query = self.request.META["QUERY_STRING"]
        return redirect(f"/ledgers/{self.ledger.slug}/?{query or 'saved=0'}")

    def page(self, form: BulkForm, *, lines=(), faults=None, done=None, packed: str = "", status: int = 200):
        faults = faults or {}
        context = {
            "ledger": self.ledger,
            "form": form,
            "filter": self.chosen,
            "count": self.count,
            "most": bulk.MOST_ROWS,
            "is_too_many": self.count > bulk.MOST_ROWS,
            "lines": [(line, faults.get(line.pk, line.fault)) for line in lines],
            "changing": sum(line.is_change for line in lines),
            "done": done,
            "packed": packed,
            "query": self.request.META["QUERY_STRING"],
        }
        return render(self.request, "ledgers/bulk.html", context, status=status)
