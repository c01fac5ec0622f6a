"""Annual targets, milestones and the province's facts as rows that are kept by hand, and who may write them."""

import datetime as dt
from collections.abc import Iterator

from django.db.models import QuerySet
from django.urls import reverse

from linfen_water import clock
from linfen_water.permissions import is_office
from projects import records
from projects.models import Project
from projects.permissions import dispatched_projects, visible_projects
from projects.record_enums import TargetKind
from projects.rules import Fault
from projects.target_models import AnnualTarget, Milestone, ProvincialFigure, ProvincialTerm


def _page(row) -> str:
    return reverse("targets", args=[row.project.code])


def _county(row):
    return records.project_county(row.project)


def _target_faults(values: dict) -> Iterator[Fault]:
    if values["year"] and not 2000 <= values["year"] <= 2099:
        yield Fault("year", "年度请填四位数，例如 2025。")
    if values["kind"] == TargetKind.PROGRESS and values["progress"] is None:
        yield Fault("progress", "目标是“进度”的，请填目标进度。")
    if values["progress"] is not None and values["progress"] > 100:
        yield Fault("progress", "目标进度须在0到100之间。")


TARGET = records.Kind(
    name="annual_target",
    model=AnnualTarget,
    word="年度任务",
    fields=("project", "year", "kind", "progress", "text", "plan_wan", "set_on"),
    known_from=lambda row: min(row.set_on, clock.today()),
    faults=_target_faults,
    county=_county,
    address=_page,
    unique=("project", "year"),
)


def _milestone_faults(values: dict) -> Iterator[Fault]:
    if values["done_on"] and values["done_on"] > clock.today():
        yield Fault("done_on", f"完成日 {values['done_on']} 晚于今天（{clock.today()}）：还没有完成的留空。")


MILESTONE = records.Kind(
    name="milestone",
    model=Milestone,
    word="节点",
    fields=("project", "name", "due_on", "responsible_post", "done_on", "note"),
    known_from=lambda row: min(row.due_on, clock.today()),
    later={"done_on": ("note",)},
    faults=_milestone_faults,
    county=_county,
    address=_page,
    unique=("project", "name", "due_on"),
)
TERM = records.Kind(
    name="provincial_term",
    model=ProvincialTerm,
    word="省定内容",
    fields=("project", "effective_on", "category", "start_by", "finish_by", "benefit", "ground"),
    known_from=lambda row: min(row.effective_on, clock.today()),
    county=_county,
    address=_page,
    unique=("project", "effective_on"),
)


def _figure_faults(values: dict) -> Iterator[Fault]:
    if values["on"] and values["on"] > clock.today():
        yield Fault("on", f"省调度日 {values['on']} 晚于今天（{clock.today()}）。")


FIGURE = records.Kind(
    name="provincial_figure",
    model=ProvincialFigure,
    word="省调度数",
    fields=("project", "on", "invested_wan", "ground"),
    known_from=lambda row: row.on,
    faults=_figure_faults,
    county=_county,
    address=_page,
    unique=("project", "on"),
)
KINDS = (TARGET, MILESTONE, TERM, FIGURE)


def visible(kind: records.Kind, user, today: dt.date) -> QuerySet:
    return kind.model.objects.standing().filter(project__in=visible_projects(user, today).values("pk")).select_related("project")


def may_write(user, kind: records.Kind, project: Project | None = None) -> bool:
    """Targets and the province's facts are the office's; milestones also the county's of its own projects."""
    if is_office(user):
        return True
    if kind is not MILESTONE:
        return False
    mine = dispatched_projects(user)
    return (mine.filter(pk=project.pk) if project else mine).exists()


def writable_projects(user, kind: records.Kind) -> QuerySet:
    return dispatched_projects(user) if kind is MILESTONE else Project.objects.all()
