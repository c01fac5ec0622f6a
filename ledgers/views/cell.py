"""One cell of a ledger: what it was and where it comes from; typed in place where the person may.

Nobody writes over what they did not see. The table sends the text of the cell that is opened (`shown`), the field carries the
fingerprint of the value it opened on (`seen`), the undo that of the value it takes back; what differs by then is shown beside it.
"""

import dataclasses
import json
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from html import unescape

from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.html import strip_tags
from django.views.generic import View

from ledgers import history, own, own_services
from ledgers.cell_sources import Source, sources_of
from ledgers.cells import squeezed
from ledgers.columns import WanColumn, as_text
from ledgers.kept import kept_rows
from ledgers.own_writer import field_of
from ledgers.permissions import may_share_views
from ledgers.registry import Ledger
from ledgers.rows import Rows
from ledgers.views.ledger import ledger_or_404
from ledgers.writing import CellFault, Change, Done, Field, Names, NotWritten, Sense, WrittenRow, fingerprint, write
from linfen_water import trail

UNDO_REASON = "撤销刚才的修改"


def find_row(ledger: Ledger, request, key: str) -> tuple[dict | None, Rows | None]:
    """The row with this key that the person may read, as of the day; of computed rows one that the address shows, and all of these."""
    scope = ledger.rows(request.as_of, request.user)
    if ledger.read is not None:
        if not (key.isascii() and key.isdigit() and len(key) < 19):
            return None, None
        keys = list(scope.filter(pk=int(key)).order_by().values_list("pk", flat=True)[:1])
        return next(iter(ledger.read_keys(request.as_of, keys)), None), None
    chosen = ledger.filter(request.GET, queryset=scope, day=request.as_of)
    rows: Rows = kept_rows(request, ledger, lambda: chosen.qs) if chosen.is_valid() else chosen.queryset.none()
    return next((row for row in ledger.read_rows(request.as_of, rows) if str(row["key"]) == key), None), rows


def read_words(text: str) -> str:
    """What a person reads in a cell: blanks say nothing, nor does the dash of an empty one."""
    words = squeezed(text)
    return "" if words == "—" else words


@dataclasses.dataclass(frozen=True)
class Clash:
    """Two values side by side, of which the person chooses one: what is there now, and what they have before them."""

    sentence: str
    there: tuple[str, str]  # what it is called, and the value
    here: tuple[str, str]
    keep: str  # the button that changes nothing
    go_on: str

    @property
    def sides(self) -> tuple[tuple[str, str], ...]:
        return self.there, self.here


@dataclasses.dataclass(frozen=True)
class Typed:
    """What was sent to be written, and what speaks against it."""

    value: str
    reason: str
    seen: str  # without one nobody can say what the person had before them: every other value is a conflict then
    is_undo: bool = False
    fault: CellFault | None = None

    @property
    def seen_next(self) -> str:
        """What goes back into the field: only a conflict tells the person what is there now, another fault does not."""
        return self.fault.seen if self.fault and self.fault.is_conflict else self.seen

    @property
    def clash(self) -> Clash | None:
        if self.fault is None or not self.fault.is_conflict:
            return None
        there, mine = ("他人改为", self.fault.theirs), self.fault.mine
        if self.is_undo:
            said = "您改过以后，这一格又被他人改过，没有撤销。请选择保留哪一个："
            return Clash(said, there, ("撤销会恢复为", mine), "保留他人的", "仍要撤销")
        return Clash("这一格刚被他人改过，请选择保留哪一个：", there, ("我填的是", mine), "保留他人的", "仍用我的")


class CellView(View):
    """GET: history and source beside the table. POST: write, or say why not; `part=edit`: the field, given what the table shows.

    What it shows may be a long text, which does not fit an address.
    """

    def setup(self, request, *args, slug: str, **kwargs):
        super().setup(request, *args, slug=slug, **kwargs)
        self.slug = slug

    def prepare(self, request) -> None:
        self.ledger = ledger_or_404(self.slug)
        said = request.POST if request.method == "POST" else request.GET
        self.key, self.name = said.get("row", "")[:60], said.get("col", "")[:60]
        row, rows = find_row(self.ledger, request, self.key)
        if row is None or self.name not in row:
            raise Http404
        self.row = row
        self.columns = self.ledger.table_for(rows).base_columns
        if self.name not in self.columns:
            raise Http404
        self.column = self.columns[self.name]

    def get(self, request, slug: str):
        self.prepare(request)
        return self.panel(request)

    def field(self) -> Field | None:
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

    def computed_rows_field(self) -> Field | None:
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
            if change.seen != self.written.seen(self.name) and value != old:
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
        field = self.field()
        context = {
            "ledger": self.ledger,
            "column": self.column,
            "value": self.value(),
            "row_name": " ".join(self.names()),
            "entries": [self.as_drawn(entry) for entry in entries[: history.MOST]],
            "is_editable": field is not None,
            "is_closed_by_day": field is None and self.is_written_today(),
            "sources": [] if field else list(self.sources()),
            "marks": (self.row.get("marks") or {}).get(self.name, ""),
            "is_office": may_share_views(request.user),
            "key": self.key,
            "name": self.name,
        }
        part = "ledgers/_cell.html" if request.htmx else "ledgers/cell.html"
        return render(request, part, context)

    def value(self) -> str:
        """What is in the cell, a number as the table writes it."""
        value = self.column.value(self.row[self.name], self.row)
        if not isinstance(value, Decimal):
            return as_text(value)
        return self.drawn(self.row).removesuffix("%")

    def drawn(self, row: dict) -> str:
        """The words of the cell as the table draws it."""
        return unescape(strip_tags(self.column.render(row[self.name], row)))

    def as_drawn(self, entry: history.Entry) -> history.Entry:
        return dataclasses.replace(entry, old=self.amount(entry.old), new=self.amount(entry.new))

    def amount(self, text: str) -> str:
        """A stored amount as the table writes amounts; any other text as it is."""
        try:
            return self.column.render(Decimal(text), {}) if isinstance(self.column, WanColumn) else text  # {}: no mark of today's row
        except InvalidOperation:
            return text

    def is_written_today(self) -> bool:
        """Whether the person could write into this column, were it not a past day."""
        if self.request.as_of == self.request.today:
            return False
        if self.ledger.read is None:
            return may_share_views(self.request.user) and own.standing_column(self.ledger.slug, self.name) is not None
        writer = self.ledger.writer
        return writer is not None and self.name in writer.fields and writer.may_take_in(self.request.user)

    def sources(self) -> Iterator[Source]:
        """Where the value comes from when it is not typed here."""
        writer = self.ledger.writer
        if (self.ledger.read is not None and writer is not None and self.name in writer.fields) or self.name.startswith("own_"):
            return iter([] if self.is_written_today() else [Source("这一格不由您填写。")])
        return sources_of(self.ledger, self.row, self.name, self.columns, self.request.as_of)

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

    def opened(self, request, field: Field):
        """The field as the table opens it; when the table shows another value than there is now, with both of them.

        The row is read after its fingerprint was taken: what is written in between is told now, or when the person saves.
        """
        row, shown = find_row(self.ledger, request, self.key)[0] or self.row, request.POST.get("shown", "")
        if read_words(shown) == read_words(self.drawn(row | {"apart": ""})):
            return self.editor(request, field)
        there = ("现在是", field.spell(self.written.values[self.name]))
        said = "这一格在您打开页面以后改过，您看到的已不是现在的值："
        clash = Clash(said, there, ("您看到的是", " ".join(shown.split())), "保留现在的", "仍要修改")
        return self.editor(request, field, clash=clash)

    def editor(self, request, field: Field, *, typed: Typed | None = None, clash: Clash | None = None):
        now = self.written.values[self.name]
        context = {
            "ledger": self.ledger,
            "column": self.column,
            "field": field,
            "key": self.key,
            "name": self.name,
            "value": typed.value if typed else field.spell(now),
            "seen": typed.seen_next if typed else self.written.seen(self.name),
            "is_undo": typed is not None and typed.is_undo,
            "fault": typed and typed.fault,
            "clash": clash,
            "sides": [(label, self.amount(value)) for label, value in clash.sides] if clash else [],
            "reason": typed.reason if typed else "",
            "needs_reason": self.needs_reason(now),
            "label": " ".join(self.names()),
            "options": [label for _, label in field.choices] if field.kind in {"choice", "boolean"} else [],
            "names": own.names_of(field),
        }
        return render(request, "ledgers/_editor.html", context)

    def needs_reason(self, now) -> bool:
        """Whether the row's own rules ask for a reason, whatever is written."""
        if self.ledger.read is None:
            return False
        faults = self.ledger.writer.faults(self.written, {self.name: now}, "", self.request.today)
        return any(fault.field == "reason" for fault in faults)

    def post(self, request, slug: str):
        self.prepare(request)
        field, is_opening = self.field(), request.POST.get("part") == "edit"
        if is_opening:
            return self.opened(request, field) if field else HttpResponse(status=204)
        if field is None:
            raise Http404
        is_undo = request.POST.get("undo") == "1"
        typed = Typed(
            request.POST.get("value", ""),
            request.POST.get("reason", "").strip() or (UNDO_REASON if is_undo else ""),
            request.POST.get("seen", ""),
            is_undo,
        )
        pk = int(self.key) if self.ledger.read is not None else 0
        change = Change(pk, self.name, typed.value, typed.seen, is_undo=is_undo)
        try:
            done = self.write(change, typed.reason, "undo" if is_undo else "page")
        except NotWritten as unwritten:
            fault = next((f for f in unwritten.faults if f.column == self.name), unwritten.faults[0])
            typed = dataclasses.replace(typed, fault=fault)
            return self.editor(request, field, typed=typed, clash=typed.clash)
        answer = HttpResponse(status=204)
        told = {"row": self.key, "col": self.name, "heading": str(self.column.verbose_name), "isUndo": is_undo, "remark": self.remark(done)}
        if done:
            told |= {"old": field.spell(done[0].old), "new": field.spell(done[0].new), "seen": fingerprint(done[0].new)}
        answer["HX-Trigger"] = json.dumps({"cell-written": told})
        return answer
