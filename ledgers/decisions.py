"""会议议定事项台账: a decided item a row. SQL chooses and orders; how it stands comes from `projects.chase_rules`."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable

import django_filters as filters
from django.db.models import QuerySet

from ledgers import chased
from ledgers import columns as c
from ledgers.choices import KeptChoiceFilter
from ledgers.enums import DecisionFrequency, MeetingKind
from ledgers.filters import LedgerFilter, date_input
from ledgers.meeting_models import Decision, DecisionNote
from ledgers.meetings import DECISION, visible_decisions, working_units
from ledgers.tables import LedgerTable
from linfen_water import clock


class DecisionTable(LedgerTable):
    """会议议定事项台账."""

    details = ("chair_post", "assist_units", "frequency", "problem", "closing_basis")

    code = chased.OpenColumn("编号", sort="code", group="会议", width=9, css="pin pin-1 nowrap")
    kind = c.LedgerColumn("会议类型", sort="meeting__kind", group="会议", width=14, css="nowrap")
    held_on = c.DateColumn("日期", sort="meeting__held_on", group="会议", width=11)
    chair_post = c.LedgerColumn("主持", sort="meeting__chair_post", group="会议", width=14, css="nowrap")
    what = c.ClampedColumn("议定事项", group="议定", width=48, css="wide")
    lead_unit = c.LedgerColumn("主办单位", sort="lead_unit__position", group="议定", width=20, css="medium")
    assist_units = c.ListColumn("协办单位", group="议定", width=22, css="medium", is_counted=False)
    due_on = c.DateColumn("时限", sort="due_on", group="议定", width=11)
    frequency = c.LedgerColumn("频次", sort="frequency", group="议定", width=9, css="nowrap")
    project = chased.ProjectColumn("关联项目", sort="project__code", group="关联", width=12, css="nowrap")
    problem = c.LedgerColumn("关联问题", sort="problem__code", group="关联", width=13, css="nowrap")
    latest = c.ListColumn("进展", group="办理", width=40, css="wide", is_counted=False)
    state = chased.StateColumn("状态", sort="state", group="办理", is_computed=True, width=9, css="nowrap")
    closed_on = c.DateColumn("办结日", sort="known_closed_on", group="办理", width=11)
    closing_basis = c.ClampedColumn("办结依据", group="办理", width=28, css="medium")
    overdue_days = chased.OverdueColumn("逾期天数", sort="overdue_since", group="办理", is_computed=True, width=9)


class DecisionFilter(chased.ChasedConditions, LedgerFilter):
    kind = filters.ChoiceFilter(label="会议类型", field_name="meeting__kind", choices=MeetingKind.choices, empty_label="全部")
    unit = KeptChoiceFilter(label="主办单位", field_name="lead_unit", queryset=working_units(), to_field_name="code", empty_label="全部")
    held_from = filters.DateFilter(label="会议自", field_name="meeting__held_on", lookup_expr="gte", widget=date_input())
    q = filters.CharFilter(label="查找", method="search", max_length=60)
    searched = ("what", "project__code", "lead_unit__name")
    unit_field = "lead_unit"


def rows(day: dt.date, user=None) -> QuerySet:
    found = visible_decisions(user, clock.today()).filter(meeting__held_on__lte=day)
    return chased.stand(found, day).order_by("rank", "due_on", "pk")


def read(day: dt.date, chosen: Iterable[int]) -> list[dict]:
    """The decided items with the keys `chosen`, in that order. Three queries for any number."""
    chosen = list(chosen)
    found = Decision.objects.filter(pk__in=chosen).select_related("meeting", "lead_unit", "project", "problem")
    by_key = {row.pk: row for row in found.prefetch_related("assist_units")}
    notes = defaultdict(list)
    for note in DecisionNote.objects.filter(decision__in=chosen, on__lte=day).order_by("-on", "-pk"):
        notes[note.decision_id].append(f"{note.on} {note.text}")
    return [_row(by_key[pk], notes[pk], day) for pk in chosen if pk in by_key]


def _row(row: Decision, notes: list[str], day: dt.date) -> dict:
    return chased.cells(DECISION, row, day) | {
        "kind": MeetingKind(row.meeting.kind).label + row.meeting.number,
        "held_on": row.meeting.held_on,
        "chair_post": row.meeting.chair_post,
        "what": row.what,
        "lead_unit": row.lead_unit.name,
        "assist_units": [unit.name for unit in row.assist_units.all()],
        "frequency": DecisionFrequency(row.frequency).label,
        "project": row.project and row.project.code,
        "problem": row.problem and row.problem.code,
        "latest": notes,
    }


def notes(chosen) -> list[str]:
    return ["逾期天数按自然日计，报请办结即停止计算；没有时限的不计逾期。进展最近一条在前。"]
