"""Every change of projects, dispatches and stage facts: one transaction, one lock on the project, one event in the trail.

Nothing else writes these models, loaders apart. `by` is the person. What cannot be done is refused with a sentence for them:
`Refused` (the state does not allow it), `Faulty` (the values do not), `EditConflict` (somebody else was quicker).
"""

import datetime as dt
from decimal import Decimal

from django.db import transaction

from linfen_water import clock, trail
from linfen_water.models import Domain, TrailEvent, User
from projects import reminders, reports, rules, weeks
from projects.enums import DispatchState, StageEvent, WeekState
from projects.models import Dispatch, DispatchLine, FundingSource, Project, ProjectVersion, StageFact
from projects.reports import COUNTING, FIELDS, Flat, ProjectWeek

# What a version of a project holds: changed only by `revise_project`, with a reason.
VERSIONED = (
    "name", "county", "lead_unit", "responsible_unit", "owner", "sponsor_post",
    "total_investment_wan", "baseline_start_on", "baseline_finish_on",
)  # fmt: skip


class Refused(Exception):
    """The state of things does not allow it; the text is the Chinese sentence for the person."""


class Faulty(Refused):
    """The values do not allow it; `faults` name the fields."""

    def __init__(self, faults: list[rules.Fault]):
        self.faults = faults
        super().__init__("；".join(fault.sentence for fault in faults))


class EditConflict(Exception):
    """Two people changed the same fields.

    `base`, `mine`, `theirs` hold the fields in conflict, `merged` the whole report with mine in these and the newest value in
    all others, `version` what is saved now: saving `merged` with it settles the conflict.
    """

    def __init__(self, *, base: Flat, mine: Flat, theirs: Flat, merged: Flat, version: int):
        self.base, self.mine, self.theirs, self.merged, self.version = base, mine, theirs, merged, version
        super().__init__(f"edit conflict in {', '.join(mine)}")


# ── Dispatches ──────────────────────────────────────────────────────────────────────────────────────────────────────


@transaction.atomic
def save_dispatch(*, project: Project, week_of: dt.date, by: User, version: int, values: dict, lines: dict[int, dict]) -> Dispatch:
    """Save what was typed as this week's draft and return it.

    `values` by field, `lines` by pk of the funding source (in_place_wan, allocated_wan, paid_wan, completed_wan); what is left out stays.
    `version` is what the editor saw (`ProjectWeek.edit_version`): fields changed by others meanwhile are merged, the same
    field changed by both raises EditConflict. After a submission this opens the next revision; when nothing differs, nothing is written.
    The same request once more (its answer was lost on the way) writes nothing either and gets the row that it wrote, as that is now.
    """
    week = _locked_week(project, week_of)
    if week.times.state(clock.now()) == WeekState.AHEAD:
        raise Refused(f"{week.times.name}的填报 {weeks.moment_words(week.times.opens_at)} 开放，还没有保存。")
    report = reports.flatten(values, lines)
    if not report.keys() <= week.current.keys():
        raise Refused("这个项目的资金来源刚有变动，请刷新页面后再填。")
    report = week.current | report
    if version != week.edit_version:
        if said := _said_already(week, version, report, by):
            return said
        report = _merge(week, version, report)
    changed = reports.differences(week.current, report)
    if not changed and week.latest and (week.latest.state != DispatchState.RETURNED or version != week.edit_version):
        return week.latest
    changes = {key: [reports.as_text(week.current.get(key)), reports.as_text(report[key])] for key in changed}
    draft = week.draft or Dispatch(
        project=week.project,
        week_of=week_of,
        revision=week.latest.revision + 1 if week.latest else 1,
        cut_off_on=week.cut_off_on,
        version=max(week.edit_version, _first_unused_version(week)),
    )
    _write(draft, report, by)
    _record(draft, week, "dispatch.save", by, changes)
    return draft


@transaction.atomic
def discard_draft(*, dispatch: Dispatch, version: int, by: User) -> None:
    """Throw a draft away as its editor saw it (`version`); what was submitted before it stands."""
    week = _locked_week(dispatch.project, dispatch.week_of)
    if not week.draft or week.draft.pk != dispatch.pk:
        raise Refused("草稿已不在：可能已由他人提交，请刷新页面。")
    if version != week.edit_version:
        raise Refused("草稿刚被他人改动，没有放弃：请刷新页面核对。")
    changes = {"week_of": [week.week_of, None], "version": [version, version]}
    trail.record(action="dispatch.discard", subject=week.project, by=by, county=week.version.county, changes=changes)
    week.draft.delete()


@transaction.atomic
def submit_dispatch(*, dispatch: Dispatch, by: User) -> Dispatch:
    """Hand a draft in: it counts at once, in place of the revision before it. Raises Faulty when the values contradict."""
    week = _locked_week(dispatch.project, dispatch.week_of)
    draft = week.draft
    if not draft or draft.pk != dispatch.pk:
        raise Refused("这份周调度已由他人提交，请刷新页面查看。")
    known = week.known(clock.today())
    if faults := rules.check_dispatch(reports.as_report(week.current), known):
        raise Faulty(faults)
    if week.live:
        _silence(week.live, by, "更正")
    now = clock.now()
    was_in_time = any(d.submitted_at and not d.is_late for d in week.revisions)
    _change(
        draft,
        state=DispatchState.SUBMITTED,
        is_live=True,
        submitted_by=by,
        submitted_at=now,
        is_late=not was_in_time and week.times.is_late(now),
    )
    _speak(draft, by)
    _record(draft, week, "dispatch.submit", by, {"state": [DispatchState.DRAFT, DispatchState.SUBMITTED]}, draft.reason)
    reminders.tell_answered(draft, by=by)
    return draft


@transaction.atomic
def return_dispatch(*, dispatch: Dispatch, remark: str, by: User) -> Dispatch:
    """Send a dispatch back with a remark: it stops counting, and the revision before it counts again."""
    if not remark.strip():
        raise Refused("退回须写明意见。")
    week, live = _reviewed(dispatch)
    before = live.state
    _silence(live, by, "退回")
    _change(live, state=DispatchState.RETURNED, reviewed_by=by, reviewed_at=clock.now(), remark=remark.strip())
    earlier = [d for d in week.revisions if d.revision < live.revision and d.state in COUNTING]
    if earlier:
        _change(earlier[-1], is_live=True)
    _speak_again(week.project, by)
    settle_stage(week.project)
    _record(live, week, "dispatch.return", by, {"state": [before, DispatchState.RETURNED]}, remark.strip())
    reminders.tell_returned(live, by=by)
    return live


@transaction.atomic
def accept_dispatch(*, dispatch: Dispatch, by: User) -> Dispatch:
    """Mark a submitted dispatch as checked."""
    week, live = _reviewed(dispatch)
    if live.state == DispatchState.ACCEPTED:
        return live
    _change(live, state=DispatchState.ACCEPTED, reviewed_by=by, reviewed_at=clock.now(), remark="")
    _record(live, week, "dispatch.accept", by, {"state": [DispatchState.SUBMITTED, DispatchState.ACCEPTED]})
    return live


def _locked_week(project: Project, week_of: dt.date) -> ProjectWeek:
    """Lock the project and read its week anew: whoever comes second sees what the first one wrote."""
    Project.objects.select_for_update().get(pk=project.pk)
    return reports.read_weeks(Project.objects.filter(pk=project.pk), week_of, clock.today())[0]


def _reviewed(dispatch: Dispatch) -> tuple[ProjectWeek, Dispatch]:
    """The week and its live dispatch, when that still is the one that the reviewer saw."""
    week = _locked_week(dispatch.project, dispatch.week_of)
    if not week.live or week.live.pk != dispatch.pk:
        raise Refused("这份周调度已有更正或已退回，请刷新页面后再审核。")
    return week, week.live


def _said_already(week: ProjectWeek, version: int, report: Flat, by: User) -> Dispatch | None:
    """The revision that `by` wrote with these values when `version` was current: this request is the same one again.

    A draft that went on since then is no answer to it: what is submitted next must be what the person saw.
    """
    step = {"version": [version, version + 1]}
    events = TrailEvent.objects.filter(
        subject_type="dispatch", subject_id__in=[str(d.pk) for d in week.revisions], action="dispatch.save", by=by
    )
    first = next((event for event in events if event.changes.get("version") == step["version"]), None)
    later = _changed_since(week, version + 1) if first else None
    if first is None or later is None:
        return None
    then = week.current | later
    if any(report[key] not in (then[key], week.current[key]) for key in report):
        return None
    said = {key: reports.from_text(key, new) for key, (_, new) in first.changes.items() if key in report}
    row = next(d for d in week.revisions if str(d.pk) == first.subject_id)
    is_answer = row.state != DispatchState.DRAFT or row.version == version + 1
    return row if is_answer and all(report[key] == value for key, value in said.items()) else None


def _merge(week: ProjectWeek, version: int, mine: Flat) -> Flat:
    """`mine`, made when `version` was saved, with what others changed since; EditConflict where both changed a field."""
    theirs, since = week.current, _changed_since(week, version)
    if since is None:  # history unknown: every difference is a question
        clash, base = reports.differences(theirs, mine), {}
    else:
        merged = mine | {key: theirs[key] for key, old in since.items() if key in mine and mine[key] == old}
        mine, base = merged, since
        clash = [key for key in since if key in mine and mine[key] not in (theirs[key], since[key])]
    if clash:
        raise EditConflict(
            base={key: base.get(key) for key in clash},
            mine={key: mine[key] for key in clash},
            theirs={key: theirs.get(key) for key in clash},
            merged=mine,
            version=week.edit_version,
        )
    return mine


def _first_unused_version(week: ProjectWeek) -> int:
    """Past all that drafts thrown away have used, and one more: who still has such a draft on the page is asked about every difference."""
    events = TrailEvent.objects.filter(subject_type="project", subject_id=str(week.project.pk), action="dispatch.discard")
    used = [e.changes["version"][1] for e in events if e.changes["week_of"][0] == week.week_of.isoformat()]
    return max(used, default=-1) + 1


def _changed_since(week: ProjectWeek, version: int) -> Flat | None:
    """Fields changed after `version` was saved, with their values at that time, out of the trail; None when it is not all there."""
    events = TrailEvent.objects.filter(subject_type="dispatch", subject_id__in=[str(d.pk) for d in week.revisions])
    later = [e.changes for e in events.order_by("pk") if e.changes.get("version", [0, 0])[1] > version]
    if len(later) != week.edit_version - version:
        return None
    base: Flat = {}
    for changes in later:
        for key, (old, _new) in changes.items():
            if key in week.current:
                base.setdefault(key, reports.from_text(key, old))
    return base


def _write(draft: Dispatch, report: Flat, by: User) -> None:
    """Put `report` into `draft` and its lines; the sums of the row are made here and nowhere else."""
    lines = reports.lines_of(report)
    total = {field: sum((line[field] for line in lines.values()), Decimal(0)) for field in reports.MONEY}
    values = {name: report[name] for name in FIELDS}
    values |= {"invested_wan": total.pop("completed_wan"), **total}
    values |= {"edited_by": by, "edited_at": clock.now()}
    if draft.pk:
        _change(draft, **values)
    else:
        for name, value in (values | {"version": draft.version + 1}).items():
            setattr(draft, name, value)
        draft.save(force_insert=True)
    DispatchLine.objects.bulk_create(
        [DispatchLine(dispatch=draft, source_id=pk, **line) for pk, line in lines.items()],
        update_conflicts=True,
        unique_fields=["dispatch", "source"],
        update_fields=reports.MONEY,
    )


def _change(dispatch: Dispatch, **values) -> None:
    """Update one row if nobody did since it was read; the edit version grows."""
    values["version"] = dispatch.version + 1
    if not Dispatch.objects.filter(pk=dispatch.pk, version=dispatch.version).update(**values):
        raise Refused("这份周调度刚被他人修改，请刷新页面。")  # the lock on the project should make this impossible
    for name, value in values.items():
        setattr(dispatch, name, value)


def _silence(dispatch: Dispatch, by: User, why: str) -> None:
    """Let a live dispatch count no more, nor the stage facts that it reported."""
    Dispatch.objects.filter(pk=dispatch.pk).update(is_live=False)
    dispatch.is_live = False
    StageFact.objects.filter(dispatch=dispatch, withdrawn_at=None).update(
        withdrawn_at=clock.now(), withdrawn_by=by, withdrawn_reason=f"{_ground(dispatch)}{why}"
    )


def _speak(dispatch: Dispatch, by: User) -> None:
    """Record the start and completion that a live dispatch reports, unless they stand already."""
    for event, on in ((StageEvent.START, dispatch.started_on), (StageEvent.COMPLETION, dispatch.completed_on)):
        if on and not StageFact.objects.filter(project=dispatch.project_id, event=event, withdrawn_at=None).exists():
            StageFact.objects.create(project_id=dispatch.project_id, event=event, on=on, ground=_ground(dispatch), dispatch=dispatch, by=by)
    settle_stage(dispatch.project)


def _speak_again(project: Project, by: User) -> None:
    """After one dispatch fell silent: let the others that still count say what only it had been heard to say, the earliest first."""
    live = Dispatch.objects.filter(project=project, is_live=True).exclude(started_on=None, completed_on=None)
    for other in live.order_by("week_of"):
        _speak(other, other.submitted_by or by)


def _ground(dispatch: Dispatch) -> str:
    year, week, _ = dispatch.week_of.isocalendar()
    return f"周调度 {year}年第{week}周"


def _record(dispatch: Dispatch, week: ProjectWeek, action: str, by: User, changes: dict, reason: str = "") -> None:
    """One event; `version` lets a later editor find what changed since (`_changed_since`)."""
    changes = changes | {"version": [dispatch.version - 1, dispatch.version]}
    trail.record(action=action, subject=dispatch, by=by, county=week.version.county, changes=changes, reason=reason)


# ── Stage facts ─────────────────────────────────────────────────────────────────────────────────────────────────────


@transaction.atomic
def settle_stage(project: Project) -> Project:
    """Recompute started_on and completed_on from the stage facts that stand."""
    standing = dict(StageFact.objects.filter(project=project, withdrawn_at=None).values_list("event", "on"))
    started_on, completed_on = standing.get(StageEvent.START), standing.get(StageEvent.COMPLETION)
    if completed_on and not started_on:
        raise Refused(f"已登记 {completed_on} 完工，开工登记不能撤销：请先撤销完工登记或退回报完工的周调度。")
    if completed_on and completed_on < started_on:
        raise Refused(f"完工日期 {completed_on} 早于开工日期 {started_on}，请核对后再登记。")
    Project.objects.filter(pk=project.pk).update(started_on=started_on, completed_on=completed_on)
    project.started_on, project.completed_on = started_on, completed_on
    return project


@transaction.atomic
def record_stage_fact(
    *, project: Project, event: StageEvent, on: dt.date, ground: str, by: User, dispatch: Dispatch | None = None
) -> StageFact:
    """Record that the project started or was completed on a day, and on what ground."""
    project = Project.objects.select_for_update().get(pk=project.pk)
    if on > clock.today():
        raise Refused(f"日期 {on} 晚于今天（{clock.today()}），还没有发生。")
    if not ground.strip():
        raise Refused("请写明依据，例如：竣工验收、现场核查。")
    standing = StageFact.objects.filter(project=project, event=event, withdrawn_at=None).first()
    if standing:
        raise Refused(f"已登记 {standing.on} {standing.get_event_display()}（{standing.ground}），更正请先撤销原登记。")
    fact = StageFact.objects.create(project=project, event=event, on=on, ground=ground.strip(), by=by, dispatch=dispatch)
    settle_stage(project)
    trail.record(action="stage.record", subject=project, by=by, county=_county(project), changes={str(event): [None, on]}, reason=ground)
    return fact


@transaction.atomic
def withdraw_stage_fact(*, fact: StageFact, reason: str, by: User) -> StageFact:
    """Withdraw a stage fact with a reason; the row stays."""
    project = Project.objects.select_for_update().get(pk=fact.project_id)
    if not reason.strip():
        raise Refused("撤销须写明理由。")
    withdrawn = {"withdrawn_at": clock.now(), "withdrawn_by": by, "withdrawn_reason": reason.strip()}
    if not StageFact.objects.filter(pk=fact.pk, withdrawn_at=None).update(**withdrawn):
        raise Refused("这条登记已经撤销，请刷新页面。")
    settle_stage(project)
    trail.record(
        action="stage.withdraw", subject=project, by=by, county=_county(project), changes={str(fact.event): [fact.on, None]}, reason=reason
    )
    fact.refresh_from_db()
    return fact


# ── Projects and their versions ─────────────────────────────────────────────────────────────────────────────────────


@transaction.atomic
def create_project(
    *, by: User | None, code: str, domain: Domain, listed_on: dt.date, reason: str, funding: dict[str, Decimal], **values
) -> Project:
    """Put a project on the list: its row, its first version (in force from `listed_on`) and its sources (万元 by kind)."""
    version = {name: values.pop(name) for name in VERSIONED if name in values}
    also_in, sections = values.pop("also_in", []), values.pop("sections", [])
    project = Project.objects.create(code=code, domain=domain, listed_on=listed_on, **values)
    project.also_in.set(also_in)
    project.sections.set(sections)
    ProjectVersion.objects.create(project=project, effective_from=listed_on, reason=reason, by=by, **version)
    FundingSource.objects.bulk_create(
        FundingSource(project=project, kind=kind, planned_wan=planned, position=n) for n, (kind, planned) in enumerate(funding.items())
    )
    trail.record(action="project.create", subject=project, by=by, county=version["county"], changes=_spelled({}, version), reason=reason)
    return project


@transaction.atomic
def revise_project(
    *, project: Project, effective_from: dt.date, reason: str, by: User | None, seen: int | None = None, **changes
) -> ProjectVersion:
    """Close the version in force and open the next one with `changes` (names in VERSIONED), in force from `effective_from`.

    A second change on the same day takes the place of that day's version, since a day has one: the trail keeps both steps.
    `seen` is the key of the version that the person had before them: Refused when another one is in force by now.
    """
    Project.objects.select_for_update().get(pk=project.pk)
    current = ProjectVersion.objects.select_related("county").get(project=project, effective_to=None)
    if seen is not None and seen != current.pk:
        raise Refused("基本信息刚被他人变更，尚未保存：请核对沿革里的新值后再保存。")
    old = {name: getattr(current, name) for name in VERSIONED}
    new = old | changes
    changed = [name for name in VERSIONED if new[name] != old[name]]
    faults = list(revision_faults(current, new, changed, effective_from, reason, clock.today()))
    if faults:
        raise Faulty(faults)
    if current.effective_from == effective_from:
        ProjectVersion.objects.filter(pk=current.pk).delete()
    else:
        ProjectVersion.objects.filter(pk=current.pk).update(effective_to=effective_from)
    version = ProjectVersion.objects.create(project=project, effective_from=effective_from, reason=reason.strip(), by=by, **new)
    trail.record(
        action="project.revise",
        subject=project,
        by=by,
        county=current.county,
        changes=_spelled({name: old[name] for name in changed}, {name: new[name] for name in changed}),
        reason=reason.strip(),
    )
    return version


def revision_faults(current: ProjectVersion, new: dict, changed: list[str], effective_from: dt.date, reason: str, today: dt.date):
    """What speaks against `new` following `current`; without a query, so that a rehearsal may ask it of many."""
    if not changed:
        yield rules.Fault("name", "没有改动：请修改至少一项再保存。")
    if not reason.strip():
        yield rules.Fault("reason", "变更须写明理由，例如批复文号。")
    if effective_from < current.effective_from or (effective_from == current.effective_from and effective_from != today):
        yield rules.Fault("effective_from", f"生效日须晚于现行版本的生效日 {current.effective_from}。")
    elif effective_from > today:
        yield rules.Fault("effective_from", f"生效日不能晚于今天（{today}）。")
    if new["baseline_finish_on"] < new["baseline_start_on"]:
        yield rules.Fault("baseline_finish_on", f"基线完工 {new['baseline_finish_on']} 早于基线开工 {new['baseline_start_on']}。")
    if new["total_investment_wan"] < 0:
        yield rules.Fault("total_investment_wan", "总投资不能为负数。")


def _spelled(old: dict, new: dict) -> dict:
    """`{field: [old, new]}` in words."""

    def word(value):
        return value if value is None else str(reports.as_text(value))

    return {name: [word(old.get(name)), word(new[name])] for name in new}


def _county(project: Project):
    return ProjectVersion.objects.select_related("county").get(project=project, effective_to=None).county
