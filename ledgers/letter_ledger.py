"""函件台账: a document sent a row, from the same facts as `/letters/`. Read-only: what was issued is frozen."""

import dataclasses
import datetime as dt
import functools
from collections.abc import Iterable
from html import escape

from django import forms
from django.db.models import QuerySet
from django.urls import reverse

from ledgers import columns as c
from ledgers import letters
from ledgers.choices import KeptChoiceField
from ledgers.documents.letter import LetterFacts
from ledgers.enums import LETTERS
from ledgers.filters import RowsFilter
from ledgers.letters import GROUPS, Row
from ledgers.models import Document
from ledgers.permissions import visible_letters
from ledgers.rows import Rows
from ledgers.search import matches
from ledgers.services import ISSUED_ON
from ledgers.tables import LedgerTable
from linfen_water.models import County, Unit, User


@dataclasses.dataclass(frozen=True)
class Source:
    """Issued letters that `user` (None: all) may read, as of `day`."""

    day: dt.date
    user: User | None

    @functools.cached_property
    def documents(self) -> QuerySet[Document]:
        seen = Document.objects.filter(kind__in=LETTERS) if self.user is None else visible_letters(self.user)
        return seen.filter(number__isnull=False, issued_at__isnull=False)

    def none(self) -> Rows:
        return Rows()

    def read(self) -> list[dict]:
        found = [row for row in letters.read(self.documents, self.day) if row.document.issued_at]
        found.sort(key=lambda row: (row.document.issued_at, row.document.pk), reverse=True)
        return [_row(place, row, self.day) for place, row in enumerate(found)]


def rows(day: dt.date, user: User | None = None) -> Source:
    return Source(day, user)


def _row(place: int, row: Row, day: dt.date) -> dict:
    document, letter = row.document, row.document.letter
    facts = LetterFacts.from_json({key: value for key, value in document.facts.items() if key != ISSUED_ON})
    checked = next((answer for answer in row.answers if answer.checked_at and letters.day_of(answer.checked_at) <= day), None)
    return {
        "row": row,
        "pk": document.pk,
        "place": place,
        "code": document.file_number,
        "number": (document.prefix, document.year, document.number),
        "kind": document.get_kind_display(),
        "unit": document.unit.name if document.unit else "",
        "unit_code": document.unit.code if document.unit else "",
        "county_code": document.unit.county.code if document.unit and document.unit.county else "",
        "copies_to": facts.office.copies_to,
        "projects": [f"{code} {name}" for code, name in row.projects],
        "grounds": [f"{line.rule.label}：{line.sentence}" for line in facts.lines],
        "people": _people(document),
        "issued_on": letters.day_of(document.issued_at),
        "due_on": row.due_on,
        "received_on": _by(letter.received_at, day),
        "answered_on": letters.day_of(row.answers[0].at) if row.answers else None,
        "answer": row.answers[0].text if row.answers else "",
        "check": checked.remark if checked else "",
        "state": row.state,
        "state_label": row.state.label,
        "overdue": row.overdue or None,
        "moved_up_to": letter.get_moved_up_to_display() if letter.moved_up_to and _by(letter.closed_at, day) else "",
    }


def _people(document: Document) -> str:
    """拟稿/审核/批准/签发, by post."""
    letter = document.letter
    said = [
        ("拟稿", "系统" if document.drafted_at else ""),
        ("审核", letter.reviewed_by),
        ("批准", letter.approved_by),
        ("签发", document.issued_by),
    ]
    return "；".join(f"{word} {who}" for word, who in said if who)


def _by(at: dt.datetime | None, day: dt.date) -> dt.date | None:
    return on if (on := letters.day_of(at)) <= day else None


class LettersForm(forms.Form):
    q = forms.CharField(label="查找", required=False, max_length=60)
    kind = forms.ChoiceField(label="种类", required=False, choices=[("", "全部"), *((kind.value, kind.label) for kind in LETTERS)])
    unit = KeptChoiceField(label="主送", required=False, queryset=Unit.objects.all(), to_field_name="code", empty_label="全部")
    county = KeptChoiceField(label="县（市、区）", required=False, queryset=County.objects.all(), to_field_name="code", empty_label="全部")
    state = forms.ChoiceField(
        label="状态", required=False, choices=[("", "全部"), *((key, label) for key, (label, _) in GROUPS.items() if key != "draft")]
    )
    year = forms.IntegerField(label="年度", required=False, min_value=2000, max_value=2999)

    def __init__(self, data=None, *, source: Source):
        super().__init__(data)
        addressed = source.documents.order_by().values("unit")
        self.fields["unit"].queryset = Unit.objects.filter(pk__in=addressed)


class LettersFilter(RowsFilter):
    form_class = LettersForm

    def choose(self, *, q, kind, unit, county, state, year) -> Rows:
        return Rows(
            (
                row
                for row in self.queryset.read()
                if (not kind or row["row"].document.kind == kind)
                and (not unit or row["unit_code"] == unit.code)
                and (not county or row["county_code"] == county.code)
                and (not state or row["row"].is_in(state))
                and (not year or row["row"].document.year == year)
                and matches(q, row["code"], row["unit"], *row["projects"])
            ),
            is_by_result=bool(state),
        )


@dataclasses.dataclass(frozen=True)
class Totals:
    count: int
    state_label: str
    words: str


def totals(day: dt.date, chosen: Iterable[dict]) -> Totals:
    found = list(chosen)
    counted = letters.counts(row["row"] for row in found)
    answered = sum(row["answered_on"] is not None for row in found)
    waiting = f"待签收回复{counted['waiting']}件（逾期{counted['overdue']}件）"
    words = f"已回复{answered}件，{waiting}，待核查{counted['check']}件，已办结{counted['closed']}件"
    return Totals(len(found), f"逾期 {counted['overdue']}", words)


def spoken_totals(sums: Totals) -> str:
    return sums.words


def notes(chosen) -> list[str]:
    return [
        "应回复日自印发次日起按工作日计；退回重报的为重新回复的期限。触发依据为印发时的规则和数值，已封存，不随数据变动。",
        "已印发函件的各列不能修改；作废的函件保留文号。",
    ]


class NumberColumn(c.LedgerColumn):
    """发文字号, leading to the letter."""

    def render(self, value, row):
        return f'<a href="{reverse("letter", args=[row["pk"]])}">{escape(value)}</a>'


class LetterStateColumn(c.LedgerColumn):
    is_summed = True

    def render(self, value, row):
        state = c.badge(escape(value), row["row"].tone.removeprefix("badge-"))
        late = c.badge(f"逾期 {row['overdue']} 天", "bad")
        return f"{state} {late}" if row["overdue"] else state

    def value(self, value, row):
        return f"{value}（逾期{row['overdue']}天）" if row["overdue"] else value


class LetterTable(LedgerTable):
    """函件台账: computed and frozen columns only."""

    details = ("copies_to", "people", "check")

    code = NumberColumn("文号", sort="number", group="函件", width=24, css="pin pin-1 nowrap")
    kind = c.LedgerColumn("种类", sort="kind", group="函件", width=10, css="nowrap")
    unit = c.LedgerColumn("主送", sort="unit_code", group="函件", width=24, css="nowrap")
    copies_to = c.LedgerColumn("抄送", group="函件", width=18, css="medium")
    projects = c.ListColumn("项目", group="依据", width=40, css="wide")
    grounds = c.ListColumn("触发依据（规则与当时数值）", group="依据", width=60, css="wide")
    people = c.ClampedColumn("拟稿/审核/签发", group="印发", width=26, css="medium")
    issued_on = c.DateColumn("发文日", sort="issued_on", group="印发", width=11)
    due_on = c.DateColumn("应回复日", sort="due_on", group="回复", is_computed=True, width=11)
    received_on = c.DateColumn("签收", sort="received_on", group="回复", width=11)
    answered_on = c.DateColumn("回复日", sort="answered_on", group="回复", width=11)
    answer = c.ClampedColumn("回复内容", group="回复", width=50, css="wide")
    check = c.ClampedColumn("核查", group="回复", width=30, css="medium")
    state_label = LetterStateColumn("状态", sort="state_label", group="办结", is_computed=True, width=16, css="nowrap")
    moved_up_to = c.LedgerColumn("升级到", group="办结", width=12, css="nowrap")
