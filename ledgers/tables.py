"""Tables of the ledgers: django-tables2 keeps columns, order and pages; the body is drawn here, since its own costs 57 ms a page."""

import dataclasses
from collections.abc import Iterable
from html import escape
from itertools import groupby

import django_tables2 as tables
from django.utils.safestring import SafeString, mark_safe

from ledgers import columns as c


@dataclasses.dataclass(frozen=True)
class Group:
    """A heading above the headings."""

    label: str
    span: int


class LedgerTable(tables.Table):
    """A ledger's table; its rows are the dicts that the ledger reads for the page at hand."""

    details: tuple[str, ...] = ()  # columns that the brief view leaves out; the workbook has them all

    class Meta:
        order_by_field = "sort"

    @property
    def groups(self) -> list[Group]:
        found = groupby((bound.column for bound in self.columns), key=lambda column: column.group)
        return [Group(label, len(list(members))) for label, members in found]

    def body(self, rows: Iterable[dict]) -> SafeString:
        """The rows as HTML; every cell comes escaped from its column."""
        cells = [(bound.name, bound.column.render, _opening_tag(bound.column)) for bound in self.columns]
        lines = ("<tr>" + "".join(f"{tag}{draw(row[name], row)}</td>" for name, draw, tag in cells) + "</tr>" for row in rows)
        return mark_safe("\n".join(lines))  # noqa: S308 - columns escape

    def foot(self, sums, label: str, label_column: str) -> SafeString:
        """One cell for each column: the sum of a column that has one, `label` under `label_column`."""
        cells = []
        for bound in self.columns:
            text = escape(label) if bound.name == label_column else _sum_text(sums, bound)
            cells.append(f"{_opening_tag(bound.column)}{text}</td>")
        return mark_safe("".join(cells))  # noqa: S308 - columns escape


def _sum_text(sums, bound) -> str:
    value = getattr(sums, bound.name, None) if bound.column.is_summed else None
    if value is None or isinstance(value, str):
        return escape(value or "")
    return bound.column.render(value, {})


def _opening_tag(column: c.LedgerColumn) -> str:
    return f'<td class="{column.css}">' if column.css else "<td>"


class ProjectTable(LedgerTable):
    """工程总台账: one row is a project."""

    details = (
        "number", "nature", "scale", "funding", "owner", "responsible_unit", "lead_unit", "sponsor_post",
        "baseline_start_on", "forecast_start_on", "started_on",
    )  # fmt: skip

    code = c.LinkColumn("编号", sort="code", group="项目", width=9, css="pin pin-1 nowrap")
    number = c.IntegerColumn("省定序号", sort="number", group="项目", width=6)
    name = c.LinkColumn("项目名称", sort="v__name", group="项目", width=34, css="pin pin-2 name")
    county = c.LedgerColumn("县（市、区）", sort="v__county__position", group="项目", width=11, css="nowrap")
    domain = c.DomainColumn("领域", sort="domain__position", group="项目", width=12, css="nowrap")
    nature = c.LedgerColumn("建设性质", sort="nature", group="基本情况", width=9, css="nowrap")
    scale = c.ClampedColumn("建设规模及主要内容", group="基本情况", width=40, css="wide")
    total_investment_wan = c.WanColumn("总投资", sort="v__total_investment_wan", group="基本情况", width=13)
    funding = c.ListColumn("资金来源", group="基本情况", width=28, css="wide", is_counted=False)
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
    in_place_wan = c.WanColumn("累计到位", sort="in_place_wan", group="进展", is_computed=True, width=13)
    invested_wan = c.WanColumn("累计完成投资", sort="invested_wan", group="进展", is_computed=True, width=13)
    permits = c.ListColumn("卡点手续", sort="missing_permits", group="问题与风险", is_computed=True, width=30, css="wide")
    problems = c.ListColumn("未销号问题", sort="open_problems", group="问题与风险", is_computed=True, width=30, css="wide")
    risk = c.RiskColumn("风险", sort="lag", group="问题与风险", is_computed=True, width=20, css="nowrap")
    updated_on = c.UpdatedColumn("更新于（周）", sort="week_of", group="问题与风险", is_computed=True, width=11)
