"""Tables of the ledgers: django-tables2 keeps columns, order and pages; the body is drawn here, since its own costs 57 ms a page."""

import dataclasses
from collections.abc import Iterable
from html import escape
from itertools import groupby
from urllib.parse import quote

import django_tables2 as tables
from django.http import QueryDict
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe

from ledgers import column_sheet
from ledgers import columns as c
from ledgers.grouping import Subtotal, group_id, label_of
from ledgers.rows import counted


@dataclasses.dataclass(frozen=True)
class Group:
    """A heading above the headings."""

    label: str
    span: int


class LedgerTable(tables.Table):
    """A ledger's table; its rows are the dicts that the ledger reads for the page at hand."""

    measure = ""  # how its rows are counted
    group = ""  # the column by which the rows are grouped
    details: tuple[str, ...] = ()  # columns that the brief view leaves out; the workbook has them all

    class Meta:
        order_by_field = "sort"

    @property
    def sheet(self) -> str:
        """Where the rules for its columns are: cells bear no classes, the address says which class stands where."""
        return column_sheet.address([bound.column.css for bound in self.columns])

    @property
    def groups(self) -> list[Group]:
        found = groupby((bound.column for bound in self.columns), key=lambda column: column.group)
        return [Group(label, len(list(members))) for label, members in found]

    def choice(self) -> list[tuple[str, c.LedgerColumn, bool, bool]]:
        """All columns for the person to choose from: name, column, whether it is shown, whether it always is; shown ones first."""
        shown = [bound.name for bound in self.columns]
        hidden = [name for name in self.base_columns if name not in shown]
        return [(name, (column := self.base_columns[name]), name in shown, "pin" in column.css.split()) for name in [*shown, *hidden]]

    def heads(self, query: QueryDict) -> SafeString:
        """The headings, each with the address that orders the rows by it; written here, since tags cost a line of blanks each."""
        kept = query.copy()
        for name in ("sort", "page", "part"):
            kept.pop(name, None)
        address = "".join(f"{part}&" for part in [kept.urlencode()] if part)
        return mark_safe("".join([_head(bound, address) for bound in self.columns]))  # noqa: S308 - escaped in `_head`

    def body(self, rows: Iterable[dict], *, group: str = "", subtotals: Iterable[Subtotal] = ()) -> SafeString:
        """The rows as HTML; every cell comes escaped from its column.

        Cells and rows are left open, as HTML allows: the next one closes them, and a page has more than a thousand.
        A row may say of its cells what `marks` they bear (`{column: class}`) and what `was` in them on the day compared with.
        """
        cells = [(bound.name, bound.column.render) for bound in self.columns]
        sums = {subtotal.label: subtotal for subtotal in subtotals}
        lines, label = [], None
        for row in rows:
            if group and (here := label_of(self.base_columns[group], group, row)) != label:
                label = here
                lines.append(self.group_row(label, sums.get(label)))
            draw_cells = _marked_cells if row.get("marks") or row.get("was") else _plain_cells
            lines.append(f"{_row_tag(row)}{draw_cells(cells, row)}")
        return mark_safe("".join(lines))  # noqa: S308 - columns escape

    def group_rows(self, rows: Iterable[dict], subtotals: Iterable[Subtotal]) -> list[SafeString]:
        """The heads of the groups that these rows are of, for a page that has them without their sums; it does not have the others."""
        shown = {label_of(self.base_columns[self.group], self.group, row) for row in rows} if self.group else set()
        return [self.group_row(part.label, part, comes_later=True) for part in subtotals if part.label in shown]

    def group_row(self, label: str, subtotal: Subtotal | None, *, comes_later: bool = False) -> SafeString:
        """The head of a group: its name, and its sums once they are known (`comes_later`: takes the place of the one without)."""
        swap = ' hx-swap-oob="true"' if comes_later else ""
        tag = f'<tr class="ledger-group" id="{group_id(label)}"{swap}>'
        if subtotal is None:
            return mark_safe(f'{tag}<td colspan="{len(self.columns)}"><span class="pin-words">{escape(label)}</span>')  # noqa: S308
        first = next(iter(self.columns)).name
        words = f"{label}　{counted(subtotal.sums)} {self.measure}"
        return mark_safe(f"{tag}{self.foot(subtotal.sums, words, first)}")  # noqa: S308 - escaped in foot

    def foot(self, sums, label: str, label_column: str) -> SafeString:
        """One cell for each column: the sum of a column that has one, `label` under `label_column` (if hidden under the first)."""
        if label_column not in self.columns.names():
            label_column = next(iter(self.columns)).name
        cells = []
        for bound in self.columns:
            text = escape(label) if bound.name == label_column else _sum_text(sums, bound)
            cells.append(f"<td>{text}")
        return mark_safe("".join(cells))  # noqa: S308 - columns escape


def _head(bound, address: str) -> str:
    """One heading."""
    column, order = bound.column, bound.order_by_alias
    sorts = f' aria-sort="{"descending" if order.is_descending else "ascending"}"' if bound.is_ordered else ""
    mark = f'<span class="sort-mark" aria-hidden="true">{"▼" if order.is_descending else "▲"}</span>' if bound.is_ordered else ""
    computed = COMPUTED if column.is_computed else ""
    text = escape(str(bound.header))
    if bound.orderable:
        text = f'<a href="?{escape(address)}sort={quote(str(order.next))}">{text}{mark}</a>'
    return f'<th scope="col" data-c="{escape(bound.name)}"{sorts}>{computed}{text}'


def _plain_cells(cells: list[tuple], row: dict) -> str:
    return "".join([f"<td>{draw(row[name], row)}" for name, draw in cells])


def _marked_cells(cells: list[tuple], row: dict) -> str:
    """Cells with their marks in words for those who do not see colours, and with what was in them before."""
    marks, was = row.get("marks") or {}, row.get("was") or {}
    drawn = []
    for name, draw in cells:
        text = draw(row[name], row)
        classes = " ".join(filter(None, [marks.get(name, ""), "is-changed" if name in was else ""]))
        if not classes:
            drawn.append(f"<td>{text}")
            continue
        spoken = "".join(f'<span class="visually-hidden">（{MARK_WORDS[mark]}）</span>' for mark in classes.split())
        before = f'<s class="was">{escape(was[name])}</s> ' if name in was else ""
        drawn.append(f'<td class="{classes}">{before}{text or NOTHING}{spoken}')
    return "".join(drawn)


def _row_tag(row: dict) -> str:
    change = row.get("change")
    css = f' class="is-{change}"' if change else ""
    return f'<tr data-k="{escape(str(row.get("key", "")))}"{css}>'


NOTHING = "<i>—</i>"  # in an empty cell that has something to say; else the style sheet draws it
COMPUTED = '<span class="computed" title="自动计算">＝</span>'
MARK_WORDS = {"is-same": "与上期相同", "is-missing": "缺报", "is-changed": "有变化"}


def _sum_text(sums, bound) -> str:
    value = getattr(sums, bound.name, None) if bound.column.is_summed else None
    if value is None or isinstance(value, str):
        return escape(value or "")
    return bound.column.render(value, {})


class TotalColumn(c.WanColumn):
    """总投资; where the sources plan another sum, a sign that leads to them."""

    def render(self, value, row):
        words = row.get("apart")
        if not words:
            return super().render(value, row)
        address = escape(reverse("ledger", args=["funds"], query={"q": row["code"]}))
        sign = f'<a class="apart" href="{address}" title="{words}" aria-label="{words}，看资金来源">≠</a>'
        return f"{sign} {super().render(value, row)}"


class FundingColumn(c.ListColumn):
    """资金来源 with what they plan; first, where it is not so, that they do not add up to the total investment."""

    def render(self, value, row):
        words = row.get("apart")
        return c.cut(f'<strong class="apart">{words}</strong> {escape("；".join(value))}') if words else super().render(value, row)


class ProjectTable(LedgerTable):
    """工程总台账: one row is a project."""

    details = (
        "number", "nature", "scale", "funding", "owner", "responsible_unit", "lead_unit", "sponsor_post",
        "baseline_start_on", "forecast_start_on", "started_on", "planned_progress", "lag",
    )  # fmt: skip

    code = c.LinkColumn("编号", sort="code", group="项目", width=9, css="pin pin-1 nowrap")
    number = c.IntegerColumn("省定序号", sort="number", group="项目", width=6)
    name = c.LinkColumn("项目名称", sort="v__name", group="项目", width=34, css="pin pin-2 name")
    county = c.LedgerColumn("县（市、区）", sort="v__county__position", group="项目", width=11, css="nowrap")
    domain = c.DomainColumn("领域", sort="domain__position", group="项目", width=12, css="nowrap")
    nature = c.LedgerColumn("建设性质", sort="nature", group="基本情况", width=9, css="nowrap")
    scale = c.ClampedColumn("建设规模及主要内容", group="基本情况", width=40, css="wide")
    total_investment_wan = TotalColumn("总投资", sort="v__total_investment_wan", group="基本情况", width=13)
    funding = FundingColumn("资金来源", group="基本情况", width=28, css="wide", is_counted=False)
    owner = c.LedgerColumn("项目业主", sort="v__owner", group="责任", width=22, css="medium")
    responsible_unit = c.LedgerColumn("责任单位", sort="v__responsible_unit__position", group="责任", width=18, css="medium")
    lead_unit = c.LedgerColumn("牵头部门", sort="v__lead_unit__position", group="责任", width=18, css="medium")
    sponsor_post = c.LedgerColumn("包联领导", sort="v__sponsor_post", group="责任", width=11, css="nowrap")
    baseline_start_on = c.DateColumn("基线开工", sort="v__baseline_start_on", group="时间", width=11)
    baseline_finish_on = c.DateColumn("基线完工", sort="v__baseline_finish_on", group="时间", width=11)
    forecast_start_on = c.DateColumn("预计开工", sort="forecast_start_on", group="时间", width=11)
    forecast_finish_on = c.DateColumn("预计完工", sort="forecast_finish_on", group="时间", width=11)
    started_on = c.DateColumn("实际开工", sort="known_start_on", group="时间", width=11)
    completed_on = c.DateColumn("实际完工", sort="known_completion_on", group="时间", width=11)
    stage = c.StageColumn("状态", sort="stage", group="进展", is_computed=True, width=7)
    physical_progress = c.ProgressColumn("总体进度", sort="physical_progress", group="进展", is_computed=True, width=9)
    planned_progress = c.PointsColumn("计划进度（%）", group="进展", is_computed=True, width=9)
    lag = c.PointsColumn("序时差（百分点）", sort="lag", group="进展", is_computed=True, width=10)
    in_place_wan = c.WanColumn("累计到位", sort="in_place_wan", group="进展", is_computed=True, width=13)
    invested_wan = c.WanColumn("累计完成投资", sort="invested_wan", group="进展", is_computed=True, width=13)
    permits = c.ListColumn("卡点手续", sort="missing_permits", group="问题与风险", is_computed=True, width=30, css="wide")
    problems = c.ListColumn("未销号问题", sort="open_problems", group="问题与风险", is_computed=True, width=30, css="wide")
    risk = c.RiskColumn("风险", sort="lag", group="问题与风险", is_computed=True, width=20, css="nowrap")
    updated_on = c.UpdatedColumn("更新于（周）", sort="week_of", group="问题与风险", is_computed=True, width=11)
