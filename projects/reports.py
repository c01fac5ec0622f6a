"""What a project reports in a week, read in a fixed number of queries for any number of projects.

A report is one flat mapping from field to value (`physical_progress`, …, `paid_wan_12` for the money of source 12), so that
prefilling, comparing with the last period, merging two people's edits and the trail all go over the same keys.
"""

import dataclasses
import datetime as dt
from collections import defaultdict
from decimal import Decimal

from django.db.models import OuterRef, Q, Subquery

from linfen_water import clock, policy
from linfen_water.dates import month_start
from projects import rules, weeks
from projects.enums import DispatchState, StageEvent, WeekState
from projects.models import Dispatch, FundingSource, MonthlyPlan, Project, ProjectVersion, StageFact

PROGRESS = "physical_progress"
DATES = ("started_on", "completed_on", "forecast_start_on", "forecast_finish_on")
TEXTS = ("done", "next_steps", "hinders", "reason")
FIELDS = (PROGRESS, *DATES, *TEXTS)
MONEY = ("in_place_wan", "allocated_wan", "paid_wan", "completed_wan")
NOT_CARRIED_OVER = ("started_on", "completed_on", "reason")  # events and reasons belong to their own week
WEEKS_BRIDGED = 2
COUNTING = (DispatchState.SUBMITTED, DispatchState.ACCEPTED)

Flat = dict[str, Decimal | dt.date | str | None]


@dataclasses.dataclass(slots=True)
class ProjectWeek:
    """One project in one week: what is known, what was said before, what is said now."""

    project: Project
    version: ProjectVersion
    times: weeks.Week
    values: policy.Values  # the thresholds in force on the week's Monday
    cut_off_on: dt.date
    sources: list[FundingSource]
    revisions: list[Dispatch]  # of this week, oldest first
    previous: Dispatch | None  # the last one before this week that counts
    elsewhere: dict[str, StageFact]  # standing stage facts that this week's dispatches did not report, by event
    planned_progress: Decimal  # percent at the cut-off day
    following: Dispatch | None = None  # the first one after this week that counts
    recent: tuple[rules.Past, ...] = ()  # what counts of the weeks before this one, newest first

    @property
    def week_of(self) -> dt.date:
        return self.times.week_of

    @property
    def latest(self) -> Dispatch | None:
        return self.revisions[-1] if self.revisions else None

    @property
    def draft(self) -> Dispatch | None:
        return self.latest if self.latest and self.latest.state == DispatchState.DRAFT else None

    @property
    def live(self) -> Dispatch | None:
        return next((d for d in self.revisions if d.is_live), None)

    @property
    def edit_version(self) -> int:
        """What an editor must have seen; 0 before anything was saved. Grows over all revisions of the week."""
        return self.latest.version if self.latest else 0

    @property
    def before(self) -> Flat:
        """The last period's values, empty when there is none."""
        return flat(self.previous) if self.previous else {}

    @property
    def prefilled(self) -> Flat:
        """What the page starts from: last period's values, without what belongs to its own week; money starts at 0."""
        blank = blank_report(self.sources)
        carried = {key: value for key, value in self.before.items() if key in blank and key not in NOT_CARRIED_OVER}
        return blank | carried

    @property
    def current(self) -> Flat:
        """What is saved now, else the prefilled values."""
        return blank_report(self.sources) | flat(self.latest) if self.latest else self.prefilled

    @property
    def is_after_lock(self) -> bool:
        """Whether what counts was handed in when the week was locked."""
        return self.live is not None and self.times.is_after_lock(self.live.submitted_at)

    def known(self, today: dt.date) -> rules.Known:
        """What a report of this week is judged against now (`rules.check_dispatch`, `rules.dispatch_hints`)."""
        start, completion = self.elsewhere.get(StageEvent.START), self.elsewhere.get(StageEvent.COMPLETION)
        return rules.Known(
            latest_on=min(today, self.cut_off_on),
            total_investment_wan=self.version.total_investment_wan,
            budgets={s.pk: rules.Budget(s.get_kind_display(), s.planned_wan, s.issued_wan) for s in self.sources},
            previous=as_report(self.before) if self.previous else None,
            started_on=start.on if start else None,
            completed_on=completion.on if completion else None,
            is_locked=self.times.state(clock.now()) == WeekState.LOCKED,
            reason_before=self.live.reason if self.live else "",
            baseline_finish_on=self.version.baseline_finish_on,
            following=as_report(flat(self.following)) if self.following else None,
            week_of=self.week_of,
            recent=self.recent,
            jump_points=self.values.jump_points,
            idle_money_weeks=self.values.idle_money_weeks,
        )


def blank_report(sources) -> Flat:
    blank: Flat = dict.fromkeys((PROGRESS, *DATES)) | dict.fromkeys(TEXTS, "")
    return blank | {money_key(field, source.pk): Decimal(0) for source in sources for field in MONEY}


def money_key(field: str, source_pk: int) -> str:
    return f"{field}_{source_pk}"


def split_money_key(key: str) -> tuple[str, int] | None:
    """`paid_wan_12` → (`paid_wan`, 12); None for a field that is not money of a source."""
    field, _, pk = key.rpartition("_")
    return (field, int(pk)) if field in MONEY and pk.isdigit() else None


def flat(dispatch: Dispatch) -> Flat:
    """What `dispatch` says; its lines should be prefetched."""
    said = {name: getattr(dispatch, name) for name in FIELDS}
    return said | {money_key(f, line.source_id): getattr(line, f) for line in dispatch.lines.all() for f in MONEY}


def flatten(values: dict, lines: dict[int, dict]) -> Flat:
    """`values` by field and `lines` by source to one flat mapping."""
    return dict(values) | {money_key(field, pk): value for pk, line in lines.items() for field, value in line.items()}


def lines_of(report: Flat) -> dict[int, dict[str, Decimal]]:
    """The money of a flat report, by source."""
    lines: dict[int, dict[str, Decimal]] = defaultdict(dict)
    for key, value in report.items():
        if place := split_money_key(key):
            lines[place[1]][place[0]] = value
    return dict(lines)


def as_report(report: Flat) -> rules.Report:
    """A flat report as the rules read it."""
    said = {name: report[name] for name in (PROGRESS, *DATES, "done", "reason")}
    return rules.Report(**said, lines={pk: rules.Money(**line) for pk, line in lines_of(report).items()})


def differences(old: Flat, new: Flat) -> list[str]:
    """Keys whose values differ."""
    return [key for key in new if new[key] != old.get(key)]


def as_text(value) -> str | None:
    """A value as the trail keeps it: one spelling for one value (45, never 45.00)."""
    return rules.plain(value) if isinstance(value, Decimal) else value.isoformat() if isinstance(value, dt.date) else value


def from_text(key: str, text: str | None):
    """The value that `as_text` wrote."""
    if text is None:
        return None
    if key in DATES:
        return dt.date.fromisoformat(text)
    return Decimal(text) if key == PROGRESS or split_money_key(key) else text


def cut_off_on(week_of: dt.date) -> dt.date:
    """The day that dispatches of the week speak for."""
    return weeks.week_times(week_of).cut_off_on


def reporting_in(projects, week_of: dt.date, *, finished: bool = False):
    """The rows of `projects` that are on the list in the week and are reported in it; with `finished` those that need not be.

    None in a week without a working day (`weeks.is_due`).
    """
    if not weeks.is_due(week_of):
        return projects.none()
    day = week_of + dt.timedelta(days=6)
    listed = projects.filter(Q(delisted_on__isnull=True) | Q(delisted_on__gt=week_of), listed_on__lte=day)
    done_before = Q(completed_on__lt=week_of)  # twin of rules.needs_report
    return listed.filter(done_before) if finished else listed.exclude(done_before)


def read_weeks(projects, week_of: dt.date, day: dt.date) -> list[ProjectWeek]:
    """`projects` (a queryset) in the week of Monday `week_of`, in the queryset's order.

    Names, budgets and baselines are those in force at the week's end, or on `day` when that is earlier.
    """
    live = Dispatch.objects.filter(project=OuterRef("pk"), is_live=True).values("pk")
    last, after = live.filter(week_of__lt=week_of).order_by("-week_of"), live.filter(week_of__gt=week_of).order_by("week_of")
    rows = list(projects.select_related("domain").annotate(previous_id=Subquery(last[:1]), following_id=Subquery(after[:1])))
    ids = [project.pk for project in rows]
    versions = _versions(ids, min(day, week_of + dt.timedelta(days=6)))
    said = Dispatch.objects.prefetch_related("lines").select_related(
        "edited_by__unit", "submitted_by__unit", "reviewed_by__unit", "project"
    )
    revisions = _by_project(said.filter(project__in=ids, week_of=week_of).order_by("revision"))
    beside = said.in_bulk([pk for project in rows for pk in (project.previous_id, project.following_id) if pk])
    sources = _by_project(FundingSource.objects.filter(project__in=ids).order_by("position", "pk"))
    standing = _by_project(StageFact.objects.filter(project__in=ids, withdrawn_at=None).select_related("dispatch"))
    values = policy.values_on(week_of)
    times = weeks.week_times(week_of, values)
    cut_off = times.cut_off_on
    recent = _recent(ids, week_of, values.idle_money_weeks)
    plans = _plans(ids, cut_off)
    return [
        ProjectWeek(
            project=project,
            version=version,
            times=times,
            values=values,
            cut_off_on=revisions[project.pk][-1].cut_off_on if revisions[project.pk] else cut_off,
            sources=_reported(sources[project.pk], revisions[project.pk], cut_off),
            revisions=revisions[project.pk],
            previous=beside.get(project.previous_id),
            following=beside.get(project.following_id),
            recent=tuple(recent.get(project.pk, ())),
            elsewhere={f.event: f for f in standing[project.pk] if not (f.dispatch and f.dispatch.week_of == week_of)},
            planned_progress=rules.planned(cut_off, plans[project.pk], version.baseline_start_on, version.baseline_finish_on),
        )
        for project in rows
        if (version := versions.get(project.pk))
    ]


def _versions(ids: list[int], day: dt.date) -> dict[int, ProjectVersion]:
    """The version of each project in force on `day`; before its first one, that first one."""
    rows = ProjectVersion.objects.filter(project__in=ids).select_related("county", "lead_unit").order_by("-effective_from")
    found: dict[int, ProjectVersion] = {}
    for row in rows:
        if row.project_id not in found or found[row.project_id].effective_from > day:
            found[row.project_id] = row
    return found


def _plans(ids: list[int], day: dt.date) -> dict[int, dict[dt.date, Decimal]]:
    """The monthly plans of each project up to the month of `day`."""
    found: dict[int, dict[dt.date, Decimal]] = defaultdict(dict)
    for pk, month, planned in MonthlyPlan.objects.filter(project__in=ids, month__lte=month_start(day)).values_list(
        "project_id", "month", "planned_progress"
    ):
        found[pk][month] = planned
    return found


def _recent(ids: list[int], week_of: dt.date, number: int) -> dict[int, list[rules.Past]]:
    """What counts of some more than `number` weeks before `week_of`, newest first; the few weeks more bridge one that was not reported."""
    since = week_of - dt.timedelta(weeks=number + WEEKS_BRIDGED)
    rows = Dispatch.objects.filter(project__in=ids, is_live=True, week_of__lt=week_of, week_of__gte=since).order_by("-week_of")
    found: dict[int, list[rules.Past]] = defaultdict(list)
    for pk, *said in rows.values_list("project_id", "week_of", "physical_progress", "paid_wan", "done"):
        found[pk].append(rules.Past(*said))
    return found


def _reported(sources: list[FundingSource], revisions: list[Dispatch], day: dt.date) -> list[FundingSource]:
    """The sources that a week's report asks of: those not closed by `day`, and those that it tells of already."""
    told = {line.source_id for dispatch in revisions for line in dispatch.lines.all()}
    return [source for source in sources if source.closed_on is None or source.closed_on > day or source.pk in told]


def _by_project(rows) -> dict[int, list]:
    found = defaultdict(list)
    for row in rows:
        found[row.project_id].append(row)
    return found
