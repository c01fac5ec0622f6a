"""Columns and ledgers of the office's own, made in the browser."""

from django import forms
from django.contrib import messages
from django.http import Http404, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.views.generic import View

from ledgers import grouping, own_services
from ledgers.enums import OwnKind
from ledgers.page_models import OwnColumn, OwnLedger, OwnValue
from ledgers.permissions import may_share_views
from ledgers.registry import LEDGERS, Ledger
from ledgers.shape import kept_query
from ledgers.views.ledger import ledger_or_404

NOT_CONDITIONS = ("cols", "view", "sort", "per_page", "group", "density", "since", "changed", "base")


class OfficeOnly(View):
    """Pages that only the office finds."""

    def dispatch(self, request, *args, **kwargs):
        if not may_share_views(request.user):
            raise Http404
        return super().dispatch(request, *args, **kwargs)


class ColumnForm(forms.Form):
    label = forms.CharField(label="列名", max_length=30, error_messages={"required": "请填写列名。", "max_length": "列名不超过30字。"})
    kind = forms.ChoiceField(label="类型", choices=OwnKind.choices, help_text="建成后不能再改：已填的值属于这个类型。")
    unit = forms.CharField(label="单位", max_length=10, required=False, help_text="数值列用，例如 万元、公里。")
    choices = forms.CharField(label="可选值", required=False, widget=forms.Textarea(attrs={"rows": 4}), help_text="选项列用，每行一个。")
    note = forms.CharField(label="填写说明", max_length=120, required=False)
    counties_write = forms.BooleanField(label="县（市、区）可以填写本县项目的这一列", required=False)

    def __init__(self, *args, is_new: bool = True, **kwargs):
        super().__init__(*args, **kwargs)
        if not is_new:
            del self.fields["kind"]

    def values(self) -> dict:
        said = dict(self.cleaned_data)
        return said | {"choices": said["choices"].splitlines()}


class ColumnsView(OfficeOnly):
    """`/ledgers/<slug>/columns/`: the columns that the office added; one more, other words, out of use and back."""

    def get(self, request, slug: str):
        return self.page(request, ledger_or_404(slug), ColumnForm())

    def post(self, request, slug: str):
        ledger = ledger_or_404(slug)
        pk = request.POST.get("column", "")
        column = get_object_or_404(OwnColumn, ledger=slug, pk=int(pk)) if pk.isascii() and pk.isdigit() and len(pk) < 19 else None
        act = request.POST.get("action", "")
        if column and act in {"retire", "restore"}:
            return self.retire(request, ledger, column, is_retired=act == "retire")
        form = ColumnForm(request.POST, is_new=column is None, auto_id=f"id_{column.pk}_%s" if column else "id_%s")
        if not form.is_valid():
            return self.page(request, ledger, form, column, status=422)
        try:
            if column:
                own_services.edit_column(by=request.user, column=column, version=_version(request), **form.values())
            else:
                column = own_services.add_column(by=request.user, ledger=slug, **form.values())
        except own_services.Refused as refused:
            form.add_error(refused.field if refused.field in form.fields else None, str(refused))
            return self.page(request, ledger, form, column, status=422)
        messages.success(request, f"已保存列“{column.label}”：在台账里双击单元格（或按 F2）填写，导出也带这一列。")
        return redirect("ledger_columns", slug)

    def retire(self, request, ledger: Ledger, column: OwnColumn, *, is_retired: bool):
        try:
            own_services.retire_column(by=request.user, column=column, is_retired=is_retired)
        except own_services.Refused as refused:
            messages.error(request, str(refused))
        else:
            messages.success(request, f"列“{column.label}”已{'停用，填过的值都保留，可以随时恢复' if is_retired else '恢复使用'}。")
        return redirect("ledger_columns", ledger.slug)

    def page(self, request, ledger: Ledger, form: ColumnForm, column: OwnColumn | None = None, status: int = 200):
        columns = list(OwnColumn.objects.filter(ledger=ledger.slug).order_by("position", "pk"))
        filled = dict.fromkeys(
            OwnValue.objects.filter(column__ledger=ledger.slug).order_by().values_list("column", flat=True).distinct(), True
        )
        edited = {
            one.pk: form if column and column.pk == one.pk else ColumnForm(_initial(one), is_new=False, auto_id=f"id_{one.pk}_%s")
            for one in columns
            if not one.retired_at
        }
        context = {
            "ledger": ledger,
            "form": ColumnForm() if column else form,
            "columns": [(one, edited.get(one.pk), one.pk in filled) for one in columns],
        }
        return render(request, "ledgers/columns.html", context, status=status)


def _initial(column: OwnColumn) -> dict:
    said = {name: getattr(column, name) for name in ("label", "unit", "note", "counties_write")}
    return said | {"choices": "\n".join(column.choices)}


def _version(request) -> int:
    text = request.POST.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0


class LedgerForm(forms.Form):
    title = forms.CharField(label="台账名称", max_length=40, error_messages={"required": "请填写台账名称。", "max_length": "不超过40字。"})
    about = forms.CharField(label="一句话说明", max_length=120, required=False)


class OwnLedgerView(OfficeOnly):
    """`/ledgers/new/`, `/ledgers/<slug>/define/`: a ledger from a base, with columns, conditions and groups."""

    own: OwnLedger | None = None

    def get(self, request, slug: str = ""):
        own = get_object_or_404(OwnLedger, slug=slug) if slug else None
        base = LEDGERS.get(own.base if own else request.GET.get("base", ""))
        if base is None:
            return render(request, "ledgers/new.html", {"bases": LEDGERS.values(), "retired": OwnLedger.objects.exclude(retired_at=None)})
        query = QueryDict(own.query) if own else _conditions(request.GET)
        columns = own.columns if own else [name for text in request.GET.getlist("cols") for name in text.split(",") if name]
        form = LedgerForm({"title": own.title, "about": own.about} if own else None)
        return self.page(request, base, own, form, query, columns, own.grouping if own else request.GET.get("group", ""))

    def post(self, request, slug: str = ""):
        own = get_object_or_404(OwnLedger, slug=slug) if slug else None
        if own and request.POST.get("action") in {"retire", "restore"}:
            return self.retire(request, own, is_retired=request.POST["action"] == "retire")
        base = LEDGERS.get(own.base if own else request.POST.get("base", ""))
        if base is None:
            raise Http404
        form = LedgerForm(request.POST)
        query = _conditions(request.POST)
        names = _columns(base)
        columns = [name for text in request.POST.getlist("cols") for name in text.split(",") if name in names]
        group = request.POST.get("group", "")
        chosen = base.filter(query, queryset=base.rows(request.today, request.user), day=request.today)
        if not form.is_valid() or not chosen.is_valid():
            return self.page(request, base, own, form, query, columns, group, status=422)
        said = form.cleaned_data | {
            "columns": columns,
            "query": query.urlencode(),
            "grouping": group if group in grouping.groupable(names) else "",
        }
        try:
            if own:
                own = own_services.edit_ledger(by=request.user, own=own, version=_version(request), **said)
            else:
                own = own_services.define_ledger(by=request.user, base=base.slug, **said)
        except own_services.Refused as refused:
            form.add_error(refused.field if refused.field in form.fields else None, str(refused))
            return self.page(request, base, own, form, query, columns, group, status=422)
        messages.success(request, f"已保存台账“{own.title}”，“台账”一页里可以找到它。")
        return redirect("ledger", own.slug)

    def retire(self, request, own: OwnLedger, *, is_retired: bool):
        own_services.retire_ledger(by=request.user, own=own, is_retired=is_retired)
        messages.success(request, f"台账“{own.title}”已{'停用，定义和填过的值都保留，可以随时恢复' if is_retired else '恢复使用'}。")
        return redirect("new_ledger") if is_retired else redirect("ledger", own.slug)

    def page(self, request, base: Ledger, own, form, query: QueryDict, columns: list[str], group: str, status: int = 200):
        names = _columns(base)
        shown = [name for name in columns if name in names] or [name for name in names if own or name not in base.table.details]
        context = {
            "base": base,
            "own": own,
            "form": form,
            "filter": base.filter(query, queryset=base.rows(request.today, request.user), day=request.today),
            "choice": [(name, names[name], name in shown) for name in [*shown, *(name for name in names if name not in shown)]],
            "groupings": grouping.groupable(names),
            "group": group,
        }
        return render(request, "ledgers/define.html", context, status=status)


def _columns(base: Ledger) -> dict:
    return dict(base.table.base_columns)


def _conditions(said: QueryDict) -> QueryDict:
    """What of an address or form narrows the rows."""
    query = QueryDict(kept_query(said), mutable=True)
    for name in (*NOT_CONDITIONS, "title", "about", "version", "action"):
        query.pop(name, None)
    return query
