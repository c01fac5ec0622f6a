"""Any ledger: one page, its htmx table, and its workbook (`?export=xlsx|csv`)."""

import hashlib
import tempfile

from django.core.cache import cache
from django.http import FileResponse, Http404, StreamingHttpResponse
from django.shortcuts import render
from django.utils.http import content_disposition_header
from django.views.generic import TemplateView, View

from ledgers import export
from ledgers.registry import LEDGERS, Ledger
from ledgers.rows import Rows
from linfen_water.permissions import scope_key
from linfen_water.trail import state as trail_state

PER_PAGE = [50, 100]
INLINE_TOTALS = 2_000  # a longer ledger opens first and then asks for its totals
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class LedgersView(TemplateView):
    """The ledgers that exist, with how many rows each shows to this person."""

    template_name = "ledgers/ledgers.html"

    def get_context_data(self, **kwargs):
        day, user = self.request.as_of, self.request.user
        counted = [(ledger, ledger.opened(day, user).qs.count()) for ledger in LEDGERS.values()]
        return super().get_context_data(ledgers=counted, **kwargs)


class LedgerView(View):
    """A ledger, narrowed by the address: filter, `sort`, `page`, `per_page`, `as_of`, `export`."""

    def get(self, request, slug: str):
        ledger = LEDGERS.get(slug)
        if ledger is None:
            raise Http404
        chosen = ledger.filter(request.GET, queryset=ledger.rows(request.as_of, request.user), day=request.as_of)
        hidden = ledger.table.details if request.GET.get("view") == "brief" else ()
        rows = chosen.qs if chosen.is_valid() else chosen.queryset.none()
        table = ledger.table_for(rows)(rows, exclude=hidden)
        table.order_by = request.GET.getlist("sort") or ()
        if request.GET.get("export"):
            return self.export(request, ledger, chosen, table)
        return self.page(request, ledger, chosen, table)

    def page(self, request, ledger: Ledger, chosen, table):
        per_page = request.GET.get("per_page")
        open_page(table, request.GET.get("page"), int(per_page) if per_page in map(str, PER_PAGE) else PER_PAGE[0])
        rows = ledger.read_rows(request.as_of, table.page.object_list.data)
        is_part = request.htmx and not request.htmx.history_restore_request
        is_totals = is_part and request.GET.get("part") == "totals"
        wants_totals = ledger.has_totals and (is_totals or table.paginator.count <= INLINE_TOTALS)
        context = {
            "ledger": ledger,
            "filter": chosen,
            "table": table,
            "body": table.body(rows),
            "totals": self.totals(request, ledger, table) if wants_totals else None,
            "is_brief": bool(table.exclude),
            "notes": ledger.notes(rows_of(table)) if ledger.notes else [],
            "beside": ledger.beside(rows_of(table)) if ledger.beside else {},
            "takes_in": bool(ledger.may_take_in) and ledger.may_take_in(request.user) and request.as_of == request.today,
            "per_page_choices": PER_PAGE,
            "pages": table.paginator.get_elided_page_range(table.page.number, on_each_side=2, on_ends=1),
            "kept": [(name, request.GET[name]) for name in ("sort", "per_page", "view", "as_of") if request.GET.get(name)],
        }
        part = "#totals" if is_totals else "#table" if is_part else ""
        response = render(request, f"ledgers/ledger.html{part}", context)
        response["Vary"] = "HX-Request, Cookie"
        return response

    def totals(self, request, ledger: Ledger, table) -> dict:
        """The total row; of a long ledger it is kept until the facts change."""
        if table.paginator.count <= INLINE_TOTALS:
            return self.sum_up(request, ledger, table)
        asked = hashlib.sha256(repr(sorted(request.GET.items())).encode()).hexdigest()
        key = f"ledger-totals:{ledger.slug}:{request.as_of}:{request.today}:{scope_key(request.user)}:{trail_state()}:{asked}"
        return cache.get_or_set(key, lambda: self.sum_up(request, ledger, table))

    def sum_up(self, request, ledger: Ledger, table) -> dict:
        sums = ledger.totals(request.as_of, rows_of(table))
        label = f"合计 {sums.count} {ledger.measure}"
        return {"cells": table.foot(sums, label, ledger.label_column), "words": ledger.spoken_totals(sums)}

    def export(self, request, ledger: Ledger, chosen, table):
        """Exactly what is chosen on the page, all its pages."""
        kind = request.GET["export"]
        if kind not in {"xlsx", "csv"} or not chosen.is_valid():
            message = (
                "筛选条件有误，请回到台账改正后再导出。" if kind in {"xlsx", "csv"} else f"不能导出为“{kind[:20]}”，只有 xlsx 和 csv。"
            )
            return render(request, "error.html", {"title": "没有导出", "message": message}, status=400)
        sheet = export.Sheet(ledger, request.as_of, rows_of(table), chosen.spoken, request.region.is_demo)
        response = send_workbook(sheet) if kind == "xlsx" else send_csv(sheet)
        response["Cache-Control"] = "private, no-store"
        return response


def rows_of(table):
    """All rows of the table in their order: a queryset, or the rows that were read already."""
    return table.data if isinstance(table.data, Rows) else table.data.data


def open_page(table, number: str | None, per_page: int) -> None:
    """Turn the table to a page; a number that is none opens the first, one too high the last."""
    wanted = int(number) if number and number.isascii() and number.isdigit() and len(number) < 10 else 1
    table.paginate(per_page=per_page, page=1)
    table.page = table.paginator.page(min(max(wanted, 1), table.paginator.num_pages))


def send_workbook(sheet: export.Sheet) -> FileResponse:
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
    export.write_workbook(sheet, file)
    file.seek(0)
    return FileResponse(file, as_attachment=True, filename=f"{sheet.filename}.xlsx", content_type=XLSX)


def send_csv(sheet: export.Sheet) -> StreamingHttpResponse:
    response = StreamingHttpResponse(export.csv_lines(sheet), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = content_disposition_header(True, f"{sheet.filename}.csv")
    return response
