"""`/ledgers/<slug>/import/`: send or paste a table, see what it would change, settle what is asked, confirm all or the good rows."""

import functools
import json
import logging
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.views.generic import View

from ledgers import heads, intake, intake_memory, own
from ledgers.intake import Choices
from ledgers.intake_models import IntakeFile
from ledgers.registry import Ledger
from ledgers.rest import workbook_of_rest
from linfen_water.kept_files import forget, keep, recall
from linfen_water.permissions import is_office
from linfen_water.sent_files import clean_name
from linfen_water.tabular import PASTED, read_table
from linfen_water.workbook import EMPTY, LARGEST, TOO_LARGE, BadWorkbook, Sheet, read_workbook

log = logging.getLogger(__name__)

SHOWN = 300  # rows of each list on the page; the command prints all
FILES_SHOWN = 10
HEADS_OFFERED = 20  # rows of a sheet among which a person chooses the head
LONGEST_PASTE = 2_000_000
YEARS = (2000, 2099)
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


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


class TableForm(IntakeForm):
    """A table of any ledger: also pasted, and with what the person says about it."""

    pasted = forms.CharField(
        label="或粘贴表格",
        required=False,
        strip=False,
        max_length=LONGEST_PASTE,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"max_length": "粘贴的内容过长，请保存为工作簿后选择文件。"},
    )
    year = forms.IntegerField(
        label="日期缺年份时按",
        required=False,
        min_value=YEARS[0],
        max_value=YEARS[1],
        error_messages={"invalid": "请填四位年份。", "min_value": "请填四位年份。", "max_value": "请填四位年份。"},
    )

    erase = forms.BooleanField(required=False)  # empty cells erase

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["file"].label = "工作簿（.xlsx）或 CSV"

    def choices(self, ledger: Ledger, sheets: list[Sheet]) -> Choices:
        """What the person said: in earlier tables, and about this one."""
        post, file = self.data, self.cleaned_data.get("file")
        sheets = [sheet for sheet in sheets if not sheet.is_hidden]
        columns = columns_said(post, [sheet.title for sheet in sheets])
        rows = [(sheet.title, post.get(f"head-{i}", "")) for i, sheet in enumerate(sheets)]
        conflicts = {name: value for name, value in post.items() if name.startswith("conflict-") and value in (intake.MINE, intake.THEIRS)}
        return Choices(
            columns={place: name for place, name in columns.items() if name == heads.LEFT_OUT or name in intake.columns_of(ledger)},
            conflicts=conflicts,
            aliases=intake_memory.aliases() | self.confirmed,
            headings=intake_memory.headings(ledger.slug),
            head_rows={title: int(row) for title, row in rows if re.fullmatch(r"\d{1,6}", row, re.ASCII)},
            year=self.cleaned_data.get("year"),
            erases=self.cleaned_data.get("erase", False) and not self.is_new,  # it was said of the table before
            name=(file.name if file else "") if self.is_new else self.cleaned_data.get("name", ""),
        )

    @property
    def is_new(self) -> bool:
        """Whether a table was sent, not only said more of the one before."""
        return bool(self.cleaned_data.get("file") or self.cleaned_data.get("pasted", "").strip())

    @property
    def confirmed(self) -> dict[tuple[str, str], str]:
        """Names that the person said are the same: `{(kind, text): full name}`."""
        found = {}
        for said in self.data.getlist("alias"):
            try:
                kind, text, target = json.loads(said)
            except ValueError:
                continue
            if kind in ("unit", "project") and all(isinstance(one, str) and len(one) <= 120 for one in (text, target)):
                found[kind, text] = target
        return found


def columns_said(post: Mapping[str, str], titles: list[str]) -> dict[tuple[str, int], str]:
    """What the person said of columns, by sheet and place; what they said before they chose another head row was of other columns."""
    found = {}
    for name, value in post.items():
        said = re.fullmatch(r"column-(\d{1,4})-(\d{1,4})", name, re.ASCII)
        if said and value and int(said[1]) < len(titles):
            head = f"head-{said[1]}"
            if post.get(head, "") == post.get(f"{head}-was", ""):
                found[titles[int(said[1])], int(said[2])] = value
    return found


class IntakeView(View):
    """A rehearsal until the person confirms what they saw."""

    def dispatch(self, request, *args, slug: str, **kwargs):
        self.ledger = own.find_ledger(slug)
        if self.ledger and self.ledger.base:  # an own ledger shows rows of another one, which takes them in
            return redirect("ledger_import", self.ledger.base)
        if self.ledger and self.ledger.no_intake and request.method in ("GET", "HEAD"):
            return render(request, "ledgers/no_import.html", {"ledger": self.ledger, "sources": sources_of(self.ledger)})
        if self.ledger is None or self.ledger.may_take_in is None or not self.ledger.may_take_in(request.user):
            raise Http404
        if self.ledger.intake_page:
            return redirect(self.ledger.intake_page)
        if self.ledger.writer is None:
            raise Http404
        return super().dispatch(request, *args, **kwargs)

    def get(self, request):
        if request.GET.get("rest"):
            return self.send_rest(request.GET["rest"])
        if request.GET.get("file"):
            return self.send_file(request.GET["file"])
        return self.page(TableForm())

    def post(self, request):
        form = TableForm(request.POST, request.FILES)
        form.is_valid()
        data, name = recall_or_read(request.user, form)
        sheets = read_sheets(form, data, functools.partial(read_table, name=name or PASTED))
        if sheets is None or not form.is_valid():
            return self.page(form, kept=keep(request.user, data) if sheets is not None else "", name=name)
        reason, choices = form.cleaned_data["reason"], form.choices(self.ledger, sheets)
        action = request.POST.get("action")
        if action not in ("commit", "partial") or form.is_new:
            rehearsal = intake.rehearse(sheets, reason=reason, ledger=self.ledger, by=request.user, choices=choices)
            return self.page(form, rehearsal, keep(request.user, data), name, choices=choices)
        try:
            done = intake.take_in(
                sheets,
                reason=reason,
                by=request.user,
                seen=request.POST.get("seen", ""),
                ledger=self.ledger,
                choices=choices,
                source=intake_memory.origin(data, name),
                is_partial=action == "partial",
            )
        except intake.Unfit as unfit:
            return self.page(form, unfit.rehearsal, keep(request.user, data), name, choices=choices, has_moved=True)
        return self.finish(request, form, done, data, name)

    def finish(self, request, form: TableForm, done: intake.Rehearsal, data: bytes, name: str):
        """Keep the file and what was said of headings and names; hand back what was left out."""
        written = done.good
        cells = len(done.good_changes)
        intake_memory.keep_file(
            self.ledger.slug,
            data=data,
            name=name,
            reason=form.cleaned_data["reason"],
            rows=len(written),
            cells=cells,
            left_out=len(done.bad_rows),
            by=request.user,
        )
        if is_office(request.user):
            meanings = corrected(self.ledger, done, intake_memory.headings(self.ledger.slug))
            intake_memory.remember(self.ledger.slug, meanings=meanings, names=form.confirmed, by=request.user)
        forget(request.user, form.cleaned_data["kept"])
        since = "，自今日起生效并已留痕。" if self.ledger.slug == "master" else "，已留痕。"
        counted = f"{self.ledger.measure}{self.ledger.row_is}"
        added = f"（新增{done.good_added}{counted}）" if done.good_added else ""
        messages.success(request, f"已导入“{name[:80]}”：变更{len(written)}{counted}{added}，共{cells}处{since}")
        if not done.errors:
            return redirect("ledger", self.ledger.slug)
        url = reverse("ledger_import", args=[self.ledger.slug])
        try:
            rest = keep(request.user, workbook_of_rest(done, self.ledger))
        except Exception:  # what was good is written: whatever happens now must not look as if it were not
            log.exception("the rows that %s left out were not made a workbook", name)
            messages.warning(request, f"有{len(done.bad_rows)}行没有导入，未能做成工作簿：请按原表改正这些行后再导入，已写入的不会重复。")
            return redirect(url)
        messages.warning(request, f"有{len(done.bad_rows)}行没有导入，已在表中写明原因：下载后改正，再从这里导入。")
        return redirect(f"{url}?{urlencode({'left': rest, 'of': name})}")

    def send_rest(self, name: str) -> HttpResponse:
        data = recall(self.request.user, name) if len(name) == 64 and name.isalnum() else None
        if data is None:
            raise Http404
        stem = Path(clean_name(self.request.GET.get("of") or self.ledger.title)).stem  # it may say the year of the days
        title = f"{stem}_未导入的行.xlsx"
        return private(HttpResponse(data, content_type=XLSX, headers={"Content-Disposition": attachment(title)}))

    def send_file(self, pk: str) -> FileResponse:
        """A table that was taken in, as it was sent; the office sees all, others their own."""
        files = self.files().filter(pk=pk) if pk.isdigit() and len(pk) < 15 else IntakeFile.objects.none()
        kept = files.first()
        if kept is None or not kept.path.is_file():
            raise Http404
        return private(FileResponse(kept.path.open("rb"), as_attachment=True, filename=kept.name or f"{kept.sha256[:12]}.bin"))

    def files(self):
        found = IntakeFile.objects.filter(ledger=self.ledger.slug)
        return found if is_office(self.request.user) else found.filter(by=self.request.user)

    def page(
        self,
        form,
        rehearsal: intake.Rehearsal | None = None,
        kept: str = "",
        name: str = "",
        *,
        choices: Choices | None = None,
        has_moved: bool = False,
    ):
        left = self.request.GET.get("left", "")
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
            "key_label": intake.columns_of(self.ledger)[self.ledger.writer.key[0]].verbose_name,
            "keys": [intake.columns_of(self.ledger)[name].verbose_name for name in self.ledger.writer.key],
            "has_names": bool(self.ledger.writer.name_column),
            "counted": f"{self.ledger.measure}{self.ledger.row_is}",
            "effect": f"自今日（{self.request.today}）起生效，每个{self.ledger.row_is}记下理由并留痕。",
            "maps": maps_of(self.ledger, rehearsal, choices) if rehearsal and choices else [],
            "confirmed": [json.dumps([*said, target], ensure_ascii=False) for said, target in confirmed_of(form).items()],
            "questions": [(one, json.dumps([one.kind, one.text, one.near], ensure_ascii=False)) for one in rehearsal.questions]
            if rehearsal
            else [],
            "left": left if len(left) == 64 and left.isalnum() else "",
            "left_of": self.request.GET.get("of", ""),
            "files": self.files().select_related("by__unit")[:FILES_SHOWN],
            "adds": self.ledger.writer.adds,
            "writable": [field.label for field in self.ledger.writer.fields.values()],
        }
        is_fit = not form.errors and not has_moved and not (rehearsal and rehearsal.errors)
        return render(self.request, "ledgers/import.html", context, status=200 if is_fit else 422)


def confirmed_of(form: forms.Form) -> dict[tuple[str, str], str]:
    return form.confirmed if form.is_bound else {}


def maps_of(ledger: Ledger, rehearsal: intake.Rehearsal, choices: Choices) -> list[dict]:
    """What each heading was taken for, with all that it could be, and the rows in which the head could stand."""
    columns = intake.columns_of(ledger)
    typed = [(name, str(columns[name].verbose_name)) for name in columns if name in ledger.writer.fields or name in ledger.writer.key]
    others = [(name, str(column.verbose_name)) for name, column in columns.items() if name not in dict(typed)]
    return [
        {
            "sheet": sheet.title,
            "row": head.row,
            "head": f"head-{i}",
            "chosen": choices.head_rows.get(sheet.title, ""),
            "rows": [(row.number, "、".join(heads.told(row))[:60]) for row in sheet.rows[:HEADS_OFFERED]],
            "headings": [
                (f"column-{i}-{one.place}", one)
                for one in sorted(head.headings, key=lambda one: bool(one.column))  # what was not understood first
                if not one.text.startswith(heads.REMARKS)
            ],
            "unknown": len([one for one in head.headings if not one.column and not one.text.startswith(heads.REMARKS)]),
            "typed": typed,
            "others": others,
        }
        for i, (sheet, head) in enumerate(rehearsal.heads)
        if head
    ]


def corrected(ledger: Ledger, done: intake.Rehearsal, remembered: Mapping[str, str]) -> dict[str, str]:
    """Headings that the person gave another meaning than we had for them."""
    titles = heads.titles_of(intake.columns_of(ledger), ledger.writer.synonyms, remembered)
    found = {}
    for _, head in done.heads:
        for one in head.headings if head else []:
            heading = heads.plain_heading(one.text)
            known = titles.get(heading) or titles.get(heads.plain_heading(one.text.split(" ")[-1]), "")
            if one.column and one.column != known:
                found[heading] = one.column
    return found


def sources_of(ledger: Ledger) -> list[tuple[str, str]]:
    """The pages where the values of a ledger that takes nothing in are typed: words and address."""
    return [(words, reverse(name, args=args)) for words, name, *args in ledger.sources]


def attachment(name: str) -> str:
    return content_disposition_header(True, name) or "attachment"


def private(response):
    response["Cache-Control"] = "private, no-store"
    return response


# ── What was sent ──


def recall_or_read(user, form: IntakeForm) -> tuple[bytes | None, str]:
    """The bytes and the name of the file just sent, else of the one kept; None with an error at the field."""
    file = form.cleaned_data.get("file")
    if file:
        return file.read(), clean_name(file.name)
    pasted = form.cleaned_data.get("pasted") or ""
    if pasted.strip():
        return pasted.encode(), PASTED
    name = clean_name(form.cleaned_data["name"]) if form.cleaned_data.get("name") else ""
    if "file" in form.errors or "pasted" in form.errors:
        return None, name
    kept = form.cleaned_data.get("kept")
    data = recall(user, kept) if kept else None
    if data is None:
        form.add_error("file", "核对过的文件已不在，请重新选择。" if kept else "请选择要导入的文件。")
    return data, name


def read_sheets(form: IntakeForm, data: bytes | None, read: Callable[[bytes], list[Sheet]] = read_workbook) -> list[Sheet] | None:
    """The table's sheets; None with an error at the field."""
    if data is None:
        return None
    try:
        return read(data)
    except BadWorkbook as fault:
        form.add_error("file", str(fault))
        return None
