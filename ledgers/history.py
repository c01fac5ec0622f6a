"""What a cell was: who wrote it when, from what, to what, why, and what it comes from (report, paper, import).

A ledger may say by itself where the history of a column lies (`Ledger.history`); what nobody declared is read from the trail.
"""

import dataclasses
import datetime as dt
from collections.abc import Callable, Iterable
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from ledgers.trail_words import source_of
from linfen_water.models import TrailEvent
from monitoring.models import Assessment
from projects.enums import DispatchState, StageEvent
from projects.models import Dispatch, Project, ProjectVersion, StageFact
from projects.record_base import Record
from projects.records import NOTED_ON
from projects.services import VERSIONED

MOST = 60  # entries that are shown
WRITTEN_ON_ROWS = ("physical_progress", "in_place_wan", "invested_wan", "forecast_start_on", "forecast_finish_on")
REPORT_TEXTS = ("done", "next_steps", "hinders", "reason")
STAGES = {"started_on": (StageEvent.START,), "completed_on": (StageEvent.COMPLETION,), "stage": (StageEvent.START, StageEvent.COMPLETION)}


@dataclasses.dataclass(frozen=True)
class Entry:
    """One step of a cell: the last comes first."""

    at: dt.datetime | None  # when it was recorded
    by: str
    old: str
    new: str
    reason: str = ""
    source: str = ""  # 周调度 2025年第8周, 基本信息变更, 导入 …
    url: str = ""
    on: dt.date | None = None  # the day from which it holds
    is_void: bool = False  # returned, superseded or withdrawn: it does not count


Spell = Callable[[Any], str]


def spell(value: Any) -> str:
    """A stored value in words."""
    if value is None or value == "":
        return "（空）"
    if isinstance(value, bool):
        return "是" if value else "否"
    return str(value.name) if hasattr(value, "name") else str(value)


# ── A project ───────────────────────────────────────────────────────────────────────────────────────────────────────


def project_history(pk: int, column: str, day: dt.date) -> list[Entry]:
    """Of a column of the ledger of projects."""
    if column in VERSIONED or column in {"baseline_start_on", "baseline_finish_on"}:
        return version_history(pk, column, day)
    if column in WRITTEN_ON_ROWS:
        return dispatch_history(pk, column, day)
    if column == "updated_on":
        return dispatch_history(pk, "week_of", day)
    if column in STAGES:
        return stage_history(pk, column, day)
    return trail_history("project", [str(pk)], column)


def version_history(pk: int, field: str, day: dt.date) -> list[Entry]:
    """The versions in which `field` changed, the first one too."""
    versions = ProjectVersion.objects.filter(project=pk, effective_from__lte=day).order_by("effective_from")
    revisions, entries, before, last = _revisions(pk), [], None, 0
    for version in versions.select_related("county", "lead_unit", "responsible_unit", "by__unit", "project"):
        now = spell(getattr(version, field))
        own = _own_event(revisions, version) if before is not None else None
        # A day has one version, the last one: who was there before on the same day is told by the trail.
        steps = [event for event in revisions if own and last < event.pk <= own.pk]
        last = own.pk if own else last
        if len(steps) > 1:
            entries += _stepped(steps, version, field)
        elif now != before:
            url = reverse("project", args=[version.project.code])
            said = "列入清单" if before is None else "基本信息变更"
            by = spell_person(version.by)
            entries.append(Entry(version.recorded_at, by, before or "", now, version.reason, said, url, version.effective_from))
        before = now
    return entries[::-1]


def _revisions(pk: int) -> list[TrailEvent]:
    events = TrailEvent.objects.filter(subject_type="project", subject_id=str(pk), action="project.revise")
    return list(events.select_related("by__unit").order_by("pk"))


def _stepped(steps: list[TrailEvent], version: ProjectVersion, field: str) -> list[Entry]:
    url = reverse("project", args=[version.project.code])
    return [
        Entry(event.at, spell_person(event.by), spell(old), spell(new), event.reason, "基本信息变更", url, version.effective_from)
        for event in steps
        for old, new in [event.changes.get(field) or (None, None)]
        if old != new
    ]


def _own_event(revisions: list[TrailEvent], version: ProjectVersion) -> TrailEvent | None:
    """The event that was recorded with the version; a version that a loader wrote has none."""
    own = (event for event in revisions if event.at >= version.recorded_at)
    return next((event for event in own if (event.reason, event.by_id) == (version.reason, version.by_id)), None)


def dispatch_history(pk: int, field: str, day: dt.date) -> list[Entry]:
    """What each weekly report said, revision by revision."""
    code = Project.objects.values_list("code", flat=True).get(pk=pk)
    reports = Dispatch.objects.filter(project=pk, cut_off_on__lte=max(day, day + dt.timedelta(days=6 - day.weekday())))
    reports = reports.exclude(state=DispatchState.DRAFT).order_by("-week_of", "-revision").select_related("submitted_by__unit")[:MOST]
    found = list(reports)
    before = {d.pk: earlier for d, earlier in zip(found, _counting_before(found), strict=True)}
    return [_reported(d, before[d.pk], field, code) for d in found]


def _counting_before(found: list[Dispatch]) -> Iterable[Dispatch | None]:
    """For each report, latest first, the one of an earlier week that counts."""
    for place, d in enumerate(found):
        yield next((e for e in found[place + 1 :] if e.is_live and e.week_of < d.week_of), None)


def _reported(d: Dispatch, before: Dispatch | None, field: str, code: str) -> Entry:
    year, week, _ = d.week_of.isocalendar()
    is_void = not d.is_live
    said = f"周调度 {year}年第{week}周" + (f"（{d.get_state_display()}）" if not is_void else "（已被更正或退回，不计）")
    old = spell(getattr(before, field)) if before else ""
    url = reverse("project", args=[code])
    return Entry(
        d.submitted_at, spell_person(d.submitted_by), old, spell(getattr(d, field)), d.reason or d.remark, said, url, d.cut_off_on, is_void
    )


def stage_history(pk: int, column: str, day: dt.date) -> list[Entry]:
    """Start and completion as they were recorded and withdrawn."""
    facts = (
        StageFact.objects.filter(project=pk, event__in=STAGES[column], on__lte=day).select_related("by", "project").order_by("-at", "-pk")
    )
    return [
        Entry(
            fact.at,
            spell_person(fact.by),
            "",
            f"{fact.get_event_display()} {fact.on}",
            f"撤销：{fact.withdrawn_reason}" if fact.withdrawn_at else "",
            fact.ground,
            reverse("project", args=[fact.project.code]),
            fact.on,
            fact.withdrawn_at is not None,
        )
        for fact in facts.select_related("by__unit", "project")
    ]


def weekly_history(key: str, column: str, day: dt.date) -> list[Entry]:
    """Of a row of 周调度台账 (`week.code`): the field over the weeks up to its own."""
    week, _, code = key.partition(".")
    project = Project.objects.filter(code=code).first()
    fields = {"progress_rise": "physical_progress", "invested_rise": "invested_wan", "in_place_rise": "in_place_wan", "state": "state"}
    field = fields.get(column, column)
    if project is None or field not in (*WRITTEN_ON_ROWS, *REPORT_TEXTS, "state"):
        return []
    return dispatch_history(project.pk, field, min(day, dt.date.fromisoformat(week) + dt.timedelta(days=6)))


# ── A section in a month ────────────────────────────────────────────────────────────────────────────────────────────


def section_history(key: str, column: str, day: dt.date) -> list[Entry]:
    """The revisions of the month's result."""
    pk, _, month = key.partition(".")
    year, _, number = month.partition("-")
    rows = Assessment.objects.filter(
        section=int(pk), starts_on=dt.date(int(year), int(number), 1), period_kind="month", published_on__lte=day
    )
    entries, before = [], ""
    for row in rows.order_by("revision"):
        now = row.values.get(column) or (row.get_water_class_display() if column == "water_class" else "")
        now = str(now or (row.note if column == "note" else ""))
        if now and now != before:
            url = reverse("section", args=[row.section_id])
            entries.append(Entry(None, "", before, now, "", f"第{row.revision}版，{row.source}", url, row.published_on))
            before = now
    return entries[::-1]


# ── The trail ───────────────────────────────────────────────────────────────────────────────────────────────────────


def trail_history(subject_type: str, subjects: list[str], *fields: str) -> list[Entry]:
    """Events that changed one of `fields` of the subjects; two queries at most."""
    events = TrailEvent.objects.filter(subject_type=subject_type, subject_id__in=subjects).select_related("by__unit").order_by("-pk")
    found = []
    for event in events[: 10 * MOST]:
        for field in fields:
            if field == "on" and NOTED_ON not in event.changes:
                continue  # there it is the day of the event
            if field in event.changes:
                old, new = event.changes[field]
                found.append(Entry(event.at, spell_person(event.by), spell(old), spell(new), event.reason, source_of(event)))
    return found[:MOST]


def record_history(model: type[Record], rows: QuerySet, field: str) -> list[Entry]:
    """Of a field of records (`projects.records`) over all `rows` that ever held it, those taken back too. Three queries at most."""
    keys = [str(pk) for pk in rows.values_list("pk", flat=True)]
    entries = trail_history(model._meta.model_name, keys, field)
    taken_back = [
        Entry(row.withdrawn_at, spell_person(row.withdrawn_by), spell(getattr(row, field)), "（已撤销）", row.withdrawn_reason)
        for row in rows.filter(withdrawn_at__isnull=False).select_related("withdrawn_by__unit")
    ]
    return sorted([*taken_back, *entries], key=lambda entry: entry.at, reverse=True)


def spell_person(person) -> str:
    return str(person) if person else "系统"


def when(entry: Entry) -> str:
    """The moment of an entry in words."""
    return timezone.localtime(entry.at).strftime("%Y-%m-%d %H:%M") if entry.at else ""
