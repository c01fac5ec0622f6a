"""Any ledger: one page, its htmx table, and its export (`?export=xlsx|csv|pdf`)."""

import datetime as dt
import functools
import logging
import re
import tempfile

from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpResponse, QueryDict, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.http import content_disposition_header
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe
from django.views.generic import TemplateView, View

from ledgers import column_sheet as sheets
from ledgers import export, grouping, own, since
from ledgers.documents import PrintFault
from ledgers.documents.ledger_paper import TooLong, ledger_pdf
from ledgers.filters import spoken
from ledgers.kept import count_rows, kept, kept_rows
from ledgers.lines import csv_of as lines_csv
from ledgers.lines import write_workbook as write_lines
from ledgers.permissions import may_share_views
from ledgers.registry import Ledger
from ledgers.rows import Rows, counted
from ledgers.saved_views import opening_view, visible_views
from ledgers.shape import Shape, arranged, kept_query, read_shape
from projects.models import Project

log = logging.getLogger(__name__)

PER_PAGE = [50, 100]
FOR_GOOD = 365 * 24 * 3600  # seconds
REMOVED_SHOWN = 50  # rows that are gone since the day compared with
INLINE_TOTALS = 2_000  # a longer ledger opens first and then asks for its totals, and how long it is
KEPT = ("cols", "view", "sort", "per_page", "density", "as_of")  # what the form of the filters carries along
NOT_WITH_COLUMNS = {"cols", "view", "page", "part", "unfolded", "saved"}
FOLDED = ("filters", "columns", "views")  # parts of the page that are sent when they are opened
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class LedgersView(TemplateView):
    """The ledgers that exist, with how many rows each shows to this person.

    Where there are many projects, what rules compute takes seconds: such a ledger is not opened here only to be counted.
    """

    template_name = "ledgers/ledgers.html"

    def get_context_data(self, **kwargs):
        is_long = Project.objects.count() > INLINE_TOTALS
        with_counts = [(ledger, None if is_long and ledger.read is None else self.count(ledger)) for ledger in own.all_ledgers()]
        return super().get_context_data(ledgers=with_counts, may_define=may_share_views(self.request.user), **kwargs)

    def count(self, ledger: Ledger) -> dict:
        return kept("opened", self.request, ledger, lambda: self.count_anew(ledger))

    def count_anew(self, ledger: Ledger) -> dict:
        rows = ledger.opened(self.request.as_of, self.request.user).qs
        return {"rows": rows.count(), "words": ledger.spoken_count(rows) if ledger.spoken_count else ""}


@require_safe
@cache_control(private=True, max_age=FOR_GOOD, immutable=True)
def column_sheet(request) -> HttpResponse:
    """The rules for a table's columns; what they are is said by the address alone."""
    return HttpResponse(sheets.rules(request.GET.dict()), content_type="text/css; charset=utf-8")


def ledger_or_404(slug: str) -> Ledger:
    ledger = own.find_ledger(slug)
    if ledger is None:
        raise Http404
    return ledger


class LedgerView(View):
    """A ledger, narrowed and shaped by the address: filter, `cols`, `sort`, `group`, `page`, `per_page`, `density`, `as_of`, `export`."""

    def get(self, request, slug: str):
        ledger = ledger_or_404(slug)
        views = list(visible_views(request.user).filter(ledger=slug))
        if not request.META["QUERY_STRING"] and not request.htmx and (view := opening_view(views)):
            return redirect(f"{request.path}?{view.query}&saved={view.pk}")
        shape = read_shape(request.GET, request.as_of, opens_brief=ledger.opens_brief)
        chosen = ledger.filter(request.GET, queryset=ledger.rows(request.as_of, request.user), day=request.as_of)
        rows = chosen_rows(request, ledger, chosen)
        table = make_table(ledger, rows, shape, request.GET.getlist("sort"))
        is_part = request.htmx and not request.htmx.history_restore_request
        frame = functools.partial(self.frame, request, ledger, chosen, table, shape, views)
        folded = request.GET.get("part") if is_part and request.GET.get("part") in FOLDED else ""
        is_compared = shape.since and (not folded or (folded == "columns" and shape.follows_changes))
        compared = Compared(ledger, request, shape, table) if is_compared else None
        if folded:  # says nothing of the rows
            return self.answer(request, f"#{folded}", frame() | {"is_unfolded": True, "unfolds": True})
        if request.GET.get("export"):
            return self.export(request, ledger, chosen, table, shape, compared)
        return self.page(request, ledger, chosen, table, shape, frame() | {"compared": compared}, is_part=is_part)

    def page(self, request, ledger: Ledger, chosen, table, shape: Shape, context: dict, *, is_part: bool):
        compared: Compared | None = context["compared"]
        is_totals = is_part and request.GET.get("part") == "totals"
        is_cut = bool(compared) and shape.only_changed and compared.whole.is_whole
        if is_cut:
            compared.cut_to_changed()
        is_computed = isinstance(table.data, Rows)
        number, per_page = page_asked(request.GET)
        is_longer = False
        if not compared and not is_computed:
            enough = INLINE_TOTALS if number * per_page <= INLINE_TOTALS and not is_totals else None
            table.data._length, is_longer = count_rows(request, ledger, table.data.data, enough)
        open_page(table, number, per_page)
        if compared or is_computed:
            rows = ledger.read_rows(request.as_of, table.page.object_list.data)
        else:
            rows = kept("rows", request, ledger, lambda: ledger.read_rows(request.as_of, table.page.object_list.data))
        if compared:
            rows = compared.marked(rows)
        wants_totals = (ledger.has_totals or table.group) and not is_cut  # sums of some rows would pass for those of the ledger
        is_short = table.paginator.count <= INLINE_TOTALS and not is_longer
        sums: dict = {}
        if wants_totals and (is_totals or is_short):
            sums = kept("totals", request, ledger, lambda: self.sum_up(request, ledger, table))
        context |= {
            "body": table.body(rows, group=table.group, subtotals=sums.get("groups", ())),
            "has_same": any("is-same" in (row.get("marks") or {}).values() for row in rows),
            "has_missing": any("is-missing" in (row.get("marks") or {}).values() for row in rows),
            "heads": table.heads(request.GET),
            "totals": sums.get("total"),
            "groups": table.group_rows(rows, sums.get("groups", ())) if is_totals else (),
            "asks_totals": is_longer or (wants_totals and not sums),
            "is_longer": is_longer,
            "count_words": ledger.spoken_count(rows_of(table)) if ledger.spoken_count else "",
            "is_cut": is_cut,
            "counts_on": is_totals,
            "has_apart": any(row.get("apart") for row in rows),
            "notes": kept("notes", request, ledger, lambda: ledger.notes(rows_of(table))) if ledger.notes else [],
            "beside": ledger.beside(rows_of(table)) if ledger.beside else {},
            "takes_in": bool(ledger.may_take_in) and ledger.may_take_in(request.user) and request.as_of == request.today,
            "edits_in_bulk": may_edit_in_bulk(ledger, request),
            "enters": request.as_of == request.today and ledger.enters(request.user),
            "per_page_choices": PER_PAGE,
            "pages": table.paginator.get_elided_page_range(table.page.number, on_each_side=2, on_ends=1),
        }
        return self.answer(request, "#totals" if is_totals else "#table" if is_part else "", context)

    def frame(self, request, ledger: Ledger, chosen, table, shape: Shape, views: list) -> dict:
        """What the page says around its rows: conditions, columns, views."""
        return {
            "ledger": ledger,
            "filter": chosen,
            **said_of(ledger, request.as_of, chosen),
            "table": table,
            "shape": shape,
            "is_unfolded": bool(request.GET.get("unfolded")),
            "unfolds": False,
            "groupings": grouping.groupable(table.base_columns),
            "all_columns": table.choice(),
            "is_brief": shape.is_brief and not shape.columns,
            "kept": [(name, value) for name in KEPT for value in request.GET.getlist(name) if value],
            "others": [(n, v) for n, values in request.GET.lists() if n not in NOT_WITH_COLUMNS for v in values if v],
            "views": views,
            "saved": next((view for view in views if str(view.pk) == request.GET.get("saved")), None),
            "has_opening_view": opening_view(views) is not None,
            "kept_query": kept_query(request.GET),
            "may_share": may_share_views(request.user),
        }

    def answer(self, request, part: str, context: dict) -> HttpResponse:
        response = render(request, f"ledgers/ledger.html{part}", context)
        response.content = without_indents(response.content)
        response["Vary"] = "HX-Request, Cookie"
        return response

    def sum_up(self, request, ledger: Ledger, table) -> dict:
        found: dict = {"total": None, "groups": []}
        if ledger.totals:
            sums = ledger.totals(request.as_of, rows_of(table))
            label = f"合计 {counted(sums)} {ledger.measure}{ledger.row_is if ledger.spoken_count else ''}"
            found["total"] = {"cells": table.foot(sums, label, ledger.label_column), "words": ledger.spoken_totals(sums)}
        if table.group:
            found["groups"] = grouping.subtotals(ledger, request.as_of, rows_of(table), table.group, table.base_columns)
        return found

    def export(self, request, ledger: Ledger, chosen, table, shape: Shape, compared: "Compared | None"):
        """Exactly what is chosen on the page, all its pages; compared with a day, the list of what changed.

        Columns that are only folded away on the page are in the file, but not on paper: it has the columns of the screen.
        Columns that the person chose are the file's columns.
        """
        kind = request.GET["export"]
        if kind not in EXPORTS or (compared and kind == "pdf") or not chosen.is_valid():
            kinds = "xlsx 和 csv" if compared else "xlsx、csv 和 pdf"
            message = "筛选条件有误，请回到台账改正后再导出。" if kind in EXPORTS else f"不能导出为“{kind[:20]}”，只有 {kinds}。"
            if compared and kind == "pdf":
                message = "变化清单不能导出为 pdf，请导出 Excel 或 CSV。"
            return render(request, "error.html", {"title": "没有导出", "message": message}, status=400)
        if compared:
            return compared.export(kind)
        shown = with_key(ledger, table) if shape.columns else ()
        if kind == "pdf":
            shown = tuple(bound.name for bound in table.columns)
        said = said_of(ledger, request.as_of, chosen)
        conditions = [*(f"只含{words}" for words in said["holds"]), *said["spoken"]]
        sheet = export.Sheet(
            ledger, request.as_of, rows_of(table), conditions, request.region.is_demo, shown, table.group if shape.group else ""
        )
        try:
            response = EXPORTS[kind](sheet)
        except TooLong as fault:
            return render(request, "error.html", {"title": "没有导出", "message": str(fault)}, status=400)
        except PrintFault as fault:
            log.exception("ledger %s was not printed", ledger.slug)
            return render(request, "error.html", {"title": "没有导出", "message": str(fault)}, status=500)
        response["Cache-Control"] = "private, no-store"
        return response


def said_of(ledger: Ledger, day: dt.date, chosen) -> dict:
    """What narrows the rows, in words: `holds` the definition of an own ledger, `spoken` what the person chose beside it."""
    holds = ledger.holds(day) if ledger.holds else []
    is_narrowed = chosen.is_narrowed and any(words not in holds for words in spoken(chosen.form))
    return {"holds": holds, "spoken": [words for words in chosen.spoken if words not in holds], "is_narrowed": is_narrowed}


def chosen_rows(request, ledger: Ledger, chosen):
    """The rows that the address chooses; what rules make of the facts is made once until the facts change."""
    if not chosen.is_valid():
        return chosen.queryset.none()
    return chosen.qs if isinstance(chosen.queryset, QuerySet) else kept_rows(request, ledger, lambda: chosen.qs)


INDENT = re.compile(rb"\n\s+")


def without_indents(page: bytes) -> bytes:
    """The page without the blanks that templates are laid out with, a tenth of it; what is written in cells stays as it is."""
    before, start, rest = page.partition(b"<tbody>")
    body, end, after = rest.rpartition(b"</tbody>")
    return b"".join([INDENT.sub(b"\n", before), start, body, end, INDENT.sub(b"\n", after)])


class Compared:
    """The ledger of the page beside what it was on the day that the address names."""

    def __init__(self, ledger: Ledger, request, shape: Shape, table):
        self.ledger, self.request, self.table, self.since = ledger, request, table, shape.since
        self.columns = {bound.name: table.base_columns[bound.name] for bound in table.columns}
        self.is_of_all_columns = len(self.columns) == len(table.base_columns)
        self.then = since.earlier(ledger, request.GET, self.since, request.user)
        if isinstance(self.then, Rows):
            ledger.table_for(self.then)(self.then)
        self.whole = since.compare(ledger, request.as_of, self.since, rows_of(table), self.then, self.columns)
        if shape.follows_changes and self.whole.is_whole:
            self.hide_unchanged(table)

    @property
    def words(self) -> str:
        return f"{self.whole.words}{'' if self.is_of_all_columns else '（只比所显示的列）'}"

    def hide_unchanged(self, table) -> None:
        """Leave what recognises a row and the columns in which something changed; where only whole rows came or went, the usual ones."""
        if self.whole.columns:
            label = {self.ledger.label_column, next(iter(self.columns))}
            hidden = [n for n, column in self.columns.items() if n not in self.whole.columns | label and "pin" not in column.css.split()]
        else:
            hidden = table.details
        for name in hidden:
            table.columns.hide(name)

    def cut_to_changed(self) -> None:
        """Leave only rows that are new or changed."""
        keys = {*self.whole.added, *self.whole.changed}
        if isinstance(self.table.data, Rows):
            keys |= {row["under"] for row in self.table.data.data if row.get("under") and row["key"] in keys}  # with its head above it
            self.table.data.data = [row for row in self.table.data.data if self.ledger.key_of(row) in keys]
        else:
            self.table.data.data = self.table.data.data.filter(pk__in=keys)

    def marked(self, rows: list[dict]) -> list[dict]:
        """The rows of the page with what was in their cells; on the last page those that are gone."""
        old = since.old_rows(self.ledger, self.then, self.since, rows, self.request.user)
        since.mark(rows, old, self.columns, self.since)
        is_last = self.table.page.number == self.table.paginator.num_pages
        return [*rows, *self.whole.removed[:REMOVED_SHOWN]] if is_last else rows

    def export(self, kind: str):
        name = f"{self.ledger.title}_{self.since}至{self.request.as_of}的变化"
        title = [self.ledger.title, self.words, export.DEMO_MARK if self.request.region.is_demo else ""]
        lines = [title, *since.change_list(self.whole)]
        return send_lines(lines, name, kind)


def may_edit_in_bulk(ledger: Ledger, request) -> bool:
    is_open = ledger.writer is not None and ledger.read is not None and request.as_of == request.today
    return is_open and ledger.writer.may_take_in(request.user)


def make_table(ledger: Ledger, rows, shape: Shape, sort: list[str]):
    """The ledger's table with the columns, the order and the groups that the address asks for."""
    made = ledger.table_for(rows)
    names = list(made.base_columns)
    pinned = [name for name, column in made.base_columns.items() if "pin" in column.css.split()]
    hidden = set(made.details) - {name.lstrip("-") for name in sort} if shape.is_brief else ()  # what orders the rows is shown
    shown = arranged(names, pinned, shape.columns, hidden)
    table = made(rows, exclude=[name for name in names if name not in shown], sequence=[*shown, "..."])
    table.order_by = sort or ()
    table.measure = ledger.measure
    group = shape.group or ledger.opens_grouped
    table.group = group if group in grouping.groupable(made.base_columns) else ""
    if table.group:
        column = made.base_columns[table.group]
        if isinstance(table.data, Rows):
            table.data.data = grouping.in_groups(table.data, column).data
        else:
            table.data.data = grouping.in_groups(table.data.data, column)
    return table


def rows_of(table):
    """All rows of the table in their order: a queryset, or the rows that were read already."""
    return table.data if isinstance(table.data, Rows) else table.data.data


def with_key(ledger: Ledger, table) -> tuple[str, ...]:
    """The columns shown, in front of them what recognises a row: without it the file could not come back."""
    shown = [bound.name for bound in table.columns]
    missing = [name for name in (ledger.writer.key if ledger.writer else ()) if name in table.base_columns and name not in shown]
    return (*missing, *shown)


def page_asked(query: QueryDict) -> tuple[int, int]:
    """The page that is asked for, counted from 1, and how many rows it has; what is no number is the first page."""
    number, per_page = query.get("page", ""), query.get("per_page")
    is_number = number.isascii() and number.isdigit() and len(number) < 10
    return max(int(number), 1) if is_number else 1, int(per_page) if per_page in map(str, PER_PAGE) else PER_PAGE[0]


def open_page(table, number: int, per_page: int) -> None:
    """Turn the table to a page; a number too high opens the last."""
    table.paginate(per_page=per_page, page=1)
    table.page = table.paginator.page(min(number, table.paginator.num_pages))


def send_workbook(sheet: export.Sheet) -> FileResponse:
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
    export.write_workbook(sheet, file)
    file.seek(0)
    return FileResponse(file, as_attachment=True, filename=f"{sheet.filename}.xlsx", content_type=XLSX)


def send_csv(sheet: export.Sheet) -> StreamingHttpResponse:
    response = StreamingHttpResponse(export.csv_lines(sheet), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = content_disposition_header(True, f"{sheet.filename}.csv")
    return response


def send_pdf(sheet: export.Sheet) -> HttpResponse:
    response = HttpResponse(ledger_pdf(sheet), content_type="application/pdf")
    response["Content-Disposition"] = content_disposition_header(True, f"{sheet.filename}.pdf")
    return response


EXPORTS = {"xlsx": send_workbook, "csv": send_csv, "pdf": send_pdf}


def send_lines(lines: list[list[str]], name: str, kind: str):
    """Plain lines as CSV or workbook."""
    if kind == "csv":
        answer = HttpResponse(lines_csv(lines), content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = content_disposition_header(True, f"{name}.csv")
    else:
        file = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
        write_lines(lines, file)
        file.seek(0)
        answer = FileResponse(file, as_attachment=True, filename=f"{name}.xlsx", content_type=XLSX)
    answer["Cache-Control"] = "private, no-store"
    return answer
