"""Columns of ledgers. `render` draws a cell, `value` gives its bare content to the workbook; both see the same row.

A row is a dict; a column reads the key of its own name. `render` returns safe HTML. Missing is an empty cell, never zero.
"""

import copy
import datetime as dt
import functools
from decimal import ROUND_HALF_UP, Decimal
from html import escape

import django_tables2 as tables
from django.db.models import F
from django.urls import reverse

from projects.enums import Risk, Stage

MISSING = ""  # the style sheet draws a dash into an empty cell
TENTH = Decimal("0.1")
CENT = Decimal("0.01")


class LedgerColumn(tables.Column):
    """A column of text; the base of all others.

    `group` is the heading above the heading, `is_computed` marks what nobody types, `sort` names the annotation,
    field or key that orders the rows ("" = cannot be sorted), `width` is in characters of the workbook.
    """

    css = ""
    number_format = "General"
    is_amount = False  # whether the database can add its `sort` up, for subtotals
    moves_with_days = False  # whether it is another value on every day: no change to speak of
    is_choice = False  # whether its values are few and the rows can be grouped by them
    is_summed = False  # whether the total row has something to say in this column
    unit = ""  # stands in the workbook's heading, so that its cells hold bare numbers

    def __init__(self, label: str, *, sort: str = "", group: str = "", is_computed: bool = False, width: int = 12, css: str = ""):
        super().__init__(verbose_name=label, orderable=bool(sort), order_by=sort or None)
        self.sort, self.group, self.is_computed, self.width = sort, group, is_computed, width
        self.css = " ".join(filter(None, [self.css, css]))

    def __deepcopy__(self, memo) -> "LedgerColumn":
        """A table copies its columns down to the last text each time it is made, a sixth of a page; what is in them never changes."""
        return copy.copy(self)

    def render(self, value, row: dict) -> str:
        return escape(str(value)) if value not in (None, "") else MISSING

    def value(self, value, row: dict):
        return value

    def as_sum(self, value):
        """What the database added up, as the column shows it."""
        return value

    def order(self, queryset, is_descending: bool):
        """Missing values last both ways, on both databases; the code breaks ties, so that pages do not overlap."""
        key = F(self.sort)
        key = key.desc(nulls_last=True) if is_descending else key.asc(nulls_last=True)
        return queryset.order_by(key, "code"), True


class ClampedColumn(LedgerColumn):
    """Long text, cut to some lines on the page; whole when pointed at (`ledger.js` makes the tooltip), opened, printed, exported."""

    def render(self, value, row):
        return cut(escape(value)) if value else MISSING


class LinkColumn(LedgerColumn):
    """Text that leads to the project's page."""

    def render(self, value, row):
        return f'<a href="{project_url(row["code"])}">{escape(str(value))}</a>' if value not in (None, "") else MISSING


class DomainColumn(LedgerColumn):
    def render(self, value, row):
        mark = ' <i title="公开资料未写明领域，由建设内容推定">推定</i>' if row["is_domain_inferred"] else ""
        return escape(value) + mark

    def value(self, value, row):
        return f"{value}（推定）" if row["is_domain_inferred"] else value


class IntegerColumn(LedgerColumn):
    css = "number"
    number_format = "0"


class WanColumn(LedgerColumn):
    """Money, 万元, two decimals."""

    css = "number"
    number_format = "#,##0.00"
    is_summed = is_amount = True
    unit = "万元"

    def as_sum(self, value):
        """To the cent: SQLite adds in floating point and hands back more places."""
        return None if value is None else Decimal(value).quantize(CENT, ROUND_HALF_UP)

    def render(self, value, row):
        return MISSING if value is None else f"{value:,.2f}"


class DateColumn(LedgerColumn):
    css = "number date"
    number_format = "yyyy-mm-dd"

    def render(self, value, row):
        return MISSING if value is None else value.isoformat()


class StageColumn(LedgerColumn):
    """状态: colour, shape and word."""

    def render(self, value, row):
        return STAGE_CELLS[value]

    def value(self, value, row):
        return Stage(value).label


class ProgressColumn(LedgerColumn):
    """Percent with a bar; planned progress as a tick in the bar's tooltip."""

    css = "number"
    number_format = "0.0"
    unit = "%"

    def render(self, value, row):
        if value is None:
            return MISSING
        planned = one_decimal(row["planned_progress"])
        return f'<progress max=100 value={value:.0f} title="计划 {planned}%" aria-hidden=true></progress>{one_decimal(value)}%'

    def value(self, value, row):
        return one_decimal(value)


class PointsColumn(LedgerColumn):
    """Percent or percentage points that are computed from the plan of the day, to two decimals."""

    css = "number"
    moves_with_days = True
    number_format = "0.00"

    def render(self, value, row):
        return MISSING if value is None else f"{self.value(value, row)}"

    def value(self, value, row):
        return None if value is None else value.quantize(CENT, ROUND_HALF_UP) + 0  # never −0.00


class RiskColumn(LedgerColumn):
    """风险 in words, with the points behind plan."""

    def render(self, value, row):
        points = row["lag"]
        behind = f" <i>{one_decimal(points)}个百分点</i>" if value in BEHIND else ""
        return RISK_CELLS[value] + behind

    def value(self, value, row):
        return f"{Risk(value).label}（{one_decimal(row['lag'])}个百分点）" if value in BEHIND else Risk(value).label


class ListColumn(LedgerColumn):
    """Several short texts in one cell: their number first, the whole in the tooltip and in the workbook."""

    def __init__(self, label: str, *, is_counted: bool = True, **kwargs):
        super().__init__(label, **kwargs)
        self.is_counted = is_counted

    def render(self, value, row):
        if not value:
            return MISSING
        text = escape("；".join(value))
        return cut(f"<b>{len(value)}</b> {text}" if self.is_counted else text)

    def value(self, value, row):
        return "；".join(value) or None


class UpdatedColumn(DateColumn):
    """The Monday of the last week that was reported."""

    def render(self, value, row):
        if value is None:
            return badge("未报", "bad")
        is_missing = (row.get("marks") or {}).get("updated_on") == "is-missing"
        return value.isoformat() + (f" {badge('缺报', 'bad')}" if is_missing else "")


# ── What stands in cells, in few letters: a page has a thousand of them ─────────────────────────────────────────────
# `ledgers.css` draws it: <b> is a badge (in cut text a number that leads it), <i> a remark beside a value, <p> text cut to some lines.


def badge(words: object, tone: str = "", title: str = "") -> str:
    """A badge; `tone` is ok, warn, bad or none. Words and title come escaped."""
    css = f" class={tone}" if tone else ""
    said = f' title="{title}"' if title else ""
    return f"<b{css}{said}>{words}</b>"


def cut(text: str) -> str:
    """Text that the page cuts to some lines; the end of the cell ends it."""
    return f"<p>{text}"


def one_decimal(value: Decimal | None) -> Decimal | None:
    """Half up to one decimal, as every percentage of the office."""
    return None if value is None else Decimal(value).quantize(TENTH, ROUND_HALF_UP)


BEHIND = {Risk.BEHIND, Risk.FAR_BEHIND}
STAGE_CELLS = {stage: f"<data value={stage.value}>{stage.label}</data>" for stage in Stage}
RISK_TONES = {Risk.NORMAL: "ok", Risk.BEHIND: "warn", Risk.FAR_BEHIND: "bad", Risk.UNREPORTED: "bad"}
RISK_CELLS = {risk: badge(risk.label, RISK_TONES[risk]) for risk in Risk}


@functools.lru_cache(maxsize=10_000)
def project_url(code: str) -> str:
    return reverse("project", args=[code])


def as_text(value) -> str:
    """A bare value as the text of a CSV cell."""
    if value is None:
        return ""
    return value.isoformat() if isinstance(value, dt.date) else str(value)
