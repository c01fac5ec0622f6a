"""检查情况通报台账: a finding of a weekly check a row."""

import datetime as dt
from collections.abc import Iterable

import django_filters as filters
from django.db.models import QuerySet

from ledgers import chased
from ledgers import columns as c
from ledgers.choices import KeptChoiceFilter
from ledgers.enums import CheckCategory
from ledgers.filters import LedgerFilter
from ledgers.meeting_models import CheckFinding
from ledgers.meetings import CHECK, visible_checks, working_units
from ledgers.tables import LedgerTable
from linfen_water import clock


class CheckTable(LedgerTable):
    """检查情况通报台账."""

    details = ("project", "closing_basis")

    code = chased.OpenColumn("编号", sort="code", group="检查", width=9, css="pin pin-1 nowrap")
    issue = c.LedgerColumn("期次", sort="on", group="检查", width=14, css="nowrap")
    on = c.DateColumn("检查日期", sort="on", group="检查", width=11)
    unit = c.LedgerColumn("单位", sort="unit__position", group="检查", width=24, css="medium")
    category = c.LedgerColumn("类别", sort="category", group="问题", width=10, css="nowrap")
    project = chased.ProjectColumn("项目", sort="project__code", group="问题", width=11, css="nowrap")
    place = c.LedgerColumn("地点", sort="place", group="问题", width=22, css="medium")
    text = c.ClampedColumn("问题", group="问题", width=44, css="wide")
    due_on = c.DateColumn("整改时限", sort="due_on", group="整改", width=11)
    answer = c.ClampedColumn("整改情况", group="整改", width=40, css="wide")
    answered_on = c.DateColumn("反馈日", sort="answered_on", group="整改", width=11)
    state = chased.StateColumn("状态", sort="state", group="整改", is_computed=True, width=9, css="nowrap")
    overdue_days = chased.OverdueColumn("逾期天数", sort="overdue_since", group="整改", is_computed=True, width=9)
    closed_on = c.DateColumn("核实日", sort="known_closed_on", group="整改", width=11)
    closing_basis = c.ClampedColumn("核实情况", group="整改", width=26, css="medium")


class CheckFilter(chased.ChasedConditions, LedgerFilter):
    year = filters.NumberFilter(label="年度", min_value=2000, max_value=2099)
    issue = filters.NumberFilter(label="期次", min_value=1, max_value=999)
    unit = KeptChoiceFilter(label="单位", queryset=working_units(), to_field_name="code", empty_label="全部")
    category = filters.ChoiceFilter(label="类别", choices=CheckCategory.choices, empty_label="全部")
    q = filters.CharFilter(label="查找", method="search", max_length=60)
    searched = ("text", "place", "unit__name", "project__code")


def rows(day: dt.date, user=None) -> QuerySet:
    found = visible_checks(user, clock.today()).filter(on__lte=day)
    return chased.stand(found, day).order_by("-year", "-issue", "rank", "unit__position", "pk")


def read(day: dt.date, chosen: Iterable[int]) -> list[dict]:
    """The findings with the keys `chosen`, in that order. One query for any number."""
    chosen = list(chosen)
    found = {row.pk: row for row in CheckFinding.objects.filter(pk__in=chosen).select_related("unit", "project")}
    return [_row(found[pk], day) for pk in chosen if pk in found]


def _row(row: CheckFinding, day: dt.date) -> dict:
    return chased.cells(CHECK, row, day) | {
        "issue": str(row),
        "on": row.on,
        "unit": row.unit.name,
        "category": CheckCategory(row.category).label,
        "project": row.project and row.project.code,
        "place": row.place,
        "text": row.text,
    }


def notes(chosen) -> list[str]:
    return ["一行是一次检查发现的一个问题。整改时限内已反馈的不计逾期；反馈后由专班办核实销号。"]
