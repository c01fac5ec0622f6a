"""One cell of a ledger: what it was and where it comes from; typed in place where the person may."""

import json

from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.generic import View

from ledgers import history, own, own_services
from ledgers.columns import as_text
from ledgers.own_writer import field_of
from ledgers.permissions import may_share_views
from ledgers.registry import Ledger
from ledgers.rows import Rows
from ledgers.views.ledger import ledger_or_404
from ledgers.writing import CellFault, Change, Done, Names, NotWritten, Sense, WrittenRow, fingerprint, write
from linfen_water import trail

UNDO_REASON = "撤销刚才的修改"


def find_row(ledger: Ledger, request, key: str) -> dict | None:
    """The row with this key that the person may read, as of the day; of computed rows one that the address shows."""
    scope = ledger.rows(request.as_of, request.user)
    if ledger.read is not None:
        if not (key.isascii() and key.isdigit() and len(key) < 19):
            return None
        keys = list(scope.filter(pk=int(key)).order_by().values_list("pk", flat=True)[:1])
        return next(iter(ledger.read_keys(request.as_of, keys)), None)
    chosen = ledger.filter(request.GET, queryset=scope, day=request.as_of)
    rows: Rows = chosen.qs if chosen.is_valid() else chosen.queryset.none()
    return next((row for row in ledger.read_rows(request.as_of, rows) if str(row["key"]) == key), None)


class CellView(View):
    """GET: history and source beside the table (`part=edit`: the field in the cell). POST: write, or say why not."""

    def setup(self, request, *args, slug: str, **kwargs):
        super().setup(request, *args, slug=slug, **kwargs)
        self.slug = slug

    def prepare(self, request) -> None:
        self.ledger = ledger_or_404(self.slug)
        said = request.POST if request.method == "POST" else request.GET
        self.key, self.name = said.get("row", "")[:60], said.get("col", "")[:60]
        row = find_row(self.ledger, request, self.key)
        if row is None or self.name not in row:
            raise Http404
        self.row = row
        self.columns = self.ledger.table_for(Rows([row]) if self.ledger.read is None else None).base_columns
        if self.name not in self.columns:
            raise Http404
        self.column = self.columns[self.name]

    def get(self, request, slug: str):
        self.prepare(request)
        if request.GET.get("part") == "edit":
            return self.editor(request) if self.field() else HttpResponse(status=204)
        return self.panel(request)

    def field(self):
        """The field that the person may write into, None when they may not."""
        if self.ledger.read is None:
            return self.computed_rows_field()
        writer = self.ledger.writer
        if self.request.as_of != self.request.today or writer is None or self.name not in writer.fields or not str(self.key).isdigit():
            return None
        written = writer.row(int(self.key), by=self.request.user)
        if written is None or self.name not in written.held:
            return None
        self.written = written
        return writer.fields[self.name]

    def computed_rows_field(self):
        """Of rows that rules compute only the office's own columns can be typed, by the office."""
        column = own.standing_column(self.ledger.slug, self.name)
        if column is None or self.request.as_of != self.request.today or not may_share_views(self.request.user):
            return None
        values = {self.name: own_services.stored(self.row[self.name])}
        self.written = WrittenRow(
            pk=0, key=str(self.key), values=values, held=frozenset(values), version=0, chain=trail.OFFICE_CHAIN, about=column
        )
        return field_of(column)

    def write(self, change: Change, reason: str, source: str) -> list[Done]:
        """Write the cell: through the ledger's writer, of computed rows the office's own value. Raises NotWritten."""
        if self.ledger.read is not None:
            return write(self.ledger.writer, [change], by=self.request.user, reason=reason, source=source)
        field, old = field_of(self.written.about), self.written.values[self.name]
        said = {"pk": 0, "key": str(self.key), "column": self.name}
        try:
            value = field.parse(change.value, Sense(Names()))
            if change.seen and change.seen != self.written.seen(self.name) and value != old:
                raise own_services.Stale(old)
            with trail.origin(source):
                kept = own_services.set_value(
                    by=self.request.user, column=field.column, row=str(self.key), text=value, reason=reason, seen=old
                )
        except ValidationError as fault:
            raise NotWritten([CellFault(**said, sentence="".join(fault.messages))]) from None
        except own_services.Stale as stale:
            fault = CellFault(
                **said, sentence=str(stale), is_conflict=True, mine=value, theirs=stale.theirs, seen=fingerprint(stale.theirs)
            )
            raise NotWritten([fault]) from None
        return [Done(0, str(self.key), self.name, old, value)] if kept else []

    def remark(self, done: list[Done]) -> str:
        """What the writer says of the row after the change."""
        return self.ledger.writer.remark(int(self.key), {self.name}) if done and self.ledger.read is not None else ""

    def panel(self, request):
        find = self.ledger.history
        if self.name.startswith("own_"):
            entries = own.value_history(self.name, self.key, request.as_of)
        elif find:
            entries = find(self.row["key"], self.name, request.as_of)
        else:
            entries = self.from_trail()
        value = as_text(self.column.value(self.row[self.name], self.row))
        context = {
            "ledger": self.ledger,
            "column": self.column,
            "value": value,
            "row_name": " ".join(self.names()),
            "entries": entries[: history.MOST],
            "is_editable": self.field() is not None,
            "marks": (self.row.get("marks") or {}).get(self.name, ""),
            "is_office": may_share_views(request.user),
            "key": self.key,
            "name": self.name,
        }
        part = "ledgers/_cell.html" if request.htmx else "ledgers/cell.html"
        return render(request, part, context)

    def from_trail(self):
        if self.ledger.read is None:
            return []
        model = self.ledger.rows(self.request.as_of, self.request.user).model
        field = self.ledger.writer.fields.get(self.name) if self.ledger.writer else None
        names = dict.fromkeys([self.name, getattr(field, "own", "") or self.name])
        return history.trail_history(model._meta.model_name, [self.key], *names)

    def names(self) -> list[str]:
        first = next(iter(self.columns))
        named = dict.fromkeys([first, self.ledger.label_column])
        return [as_text(self.columns[name].value(self.row[name], self.row)) for name in named if name in self.columns]

    # ── In place ──

    def editor(self, request, *, value: str | None = None, fault=None, reason: str = "", status: int = 200):
        field = self.field()
        now = self.written.values[self.name]
        context = {
            "ledger": self.ledger,
            "column": self.column,
            "field": field,
            "key": self.key,
            "name": self.name,
            "value": field.spell(now) if value is None else value,
            "seen": fault.seen if fault and fault.is_conflict else self.written.seen(self.name),
            "fault": fault,
            "reason": reason,
            "label": " ".join(self.names()),
            "options": [label for _, label in field.choices] if field.kind in {"choice", "boolean"} else [],
            "names": own.names_of(field),
        }
        return render(request, "ledgers/_editor.html", context, status=status)

    def post(self, request, slug: str):
        self.prepare(request)
        if self.field() is None:
            raise Http404
        value, reason = request.POST.get("value", ""), request.POST.get("reason", "").strip()
        field = self.field()
        is_undo = request.POST.get("undo") == "1"
        pk, seen = int(self.key) if self.ledger.read is not None else 0, request.POST.get("seen") or None
        change = Change(pk, self.name, value, seen, is_undo=is_undo)
        source = "undo" if is_undo else "page"
        try:
            done = self.write(change, reason or (UNDO_REASON if is_undo else ""), source)
        except NotWritten as unwritten:
            fault = next((f for f in unwritten.faults if f.column == self.name), unwritten.faults[0])
            return self.editor(request, value=value, fault=fault, reason=reason)
        answer = HttpResponse(status=204)
        told = {"row": self.key, "col": self.name, "heading": str(self.column.verbose_name), "isUndo": is_undo, "remark": self.remark(done)}
        if done:
            told |= {"old": field.spell(done[0].old), "new": field.spell(done[0].new)}
        answer["HX-Trigger"] = json.dumps({"cell-written": told})
        return answer
