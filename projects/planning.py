"""What is fixed ahead and changed only with a reason: the times of a week and the monthly plans (月进展计划).

Like `services.py`: one transaction, one lock, one event in the trail; what cannot be is refused with a sentence for the person.
"""

import dataclasses
import datetime as dt
import itertools
from decimal import Decimal

from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from linfen_water import clock, notices, policy, trail
from linfen_water.dates import month_start
from linfen_water.enums import Role
from linfen_water.models import Region, Unit, User
from projects import rules, weeks
from projects.models import Dispatch, MonthlyPlan, Project, ProjectVersion, ReportingWeek
from projects.rules import Fault, plain
from projects.services import Faulty, Refused
from projects.weeks import Week

TIMES = {"opens_at": "开放", "deadline_at": "截止", "locks_at": "锁定"}
LONGEST_LOCK = dt.timedelta(weeks=3)  # after the week's Monday


# ── The times of a week ─────────────────────────────────────────────────────────────────────────────────────────────


def fingerprint(week: Week) -> str:
    """What an editor of a week's times must have seen."""
    return "|".join(getattr(week, name).isoformat() for name in TIMES)


@transaction.atomic
def set_week_times(*, week: Week, reason: str, is_urgent: bool, by: User, seen: str) -> ReportingWeek:
    """Give one week times of its own, tell all reporting units, and let what was already reported speak for the new cut-off day.

    `week` holds the times wanted, `seen` is the `fingerprint` of those that the person had before them. Raises Faulty.
    """
    old = _locked_times(week.week_of, seen)
    found = week_faults(old, week, clock.now(), policy.values_on(week.week_of).announce_days, is_urgent=is_urgent, reason=reason)
    if found:
        raise Faulty(found)
    times = {name: getattr(week, name) for name in TIMES}
    row, _ = ReportingWeek.objects.update_or_create(week_of=week.week_of, defaults=times | {"reason": reason.strip(), "by": by})
    _settle_week(row, old, weeks.week_times(week.week_of), by, is_urgent=is_urgent)
    return row


@transaction.atomic
def restore_week_times(*, week_of: dt.date, reason: str, is_urgent: bool, by: User, seen: str) -> Week:
    """Let a week follow the policy again."""
    old = _locked_times(week_of, seen)
    if not old.is_set:
        raise Refused("这一周没有单独设定时间，已按常规执行。")
    usual, values = weeks.by_policy(week_of, policy.values_on(week_of)), policy.values_on(week_of)
    found = week_faults(old, usual, clock.now(), values.announce_days, is_urgent=is_urgent, reason=reason)
    if found:
        raise Faulty(found)
    row = ReportingWeek.objects.get(week_of=week_of)
    ReportingWeek.objects.filter(pk=row.pk).delete()
    row.reason = reason.strip()
    _settle_week(row, old, usual, by, is_urgent=is_urgent)
    return usual


def week_faults(old: Week, new: Week, now: dt.datetime, announce_days: int, *, is_urgent: bool, reason: str) -> list[Fault]:
    """What speaks against the times `new` in place of `old`; pure."""
    if now > old.deadline_at:
        return [Fault("deadline_at", f"{old.name}已于 {weeks.moment_words(old.deadline_at)} 截止，时间不能再改。")]
    found = []
    if new.opens_at != old.opens_at and now >= old.opens_at:
        found.append(Fault("opens_at", f"本周已于 {weeks.moment_words(old.opens_at)} 开放，开放时间不能再改。"))
    first, last = weeks.at_hour(new.week_of, 0), weeks.at_hour(new.week_of + weeks.WEEK, 0)
    if new.opens_at < first:
        found.append(Fault("opens_at", f"开放不能早于本周一 {weeks.moment_words(first)}。"))
    if new.deadline_at <= new.opens_at:
        found.append(Fault("deadline_at", "截止须晚于开放。"))
    if not first <= new.deadline_at < last:
        found.append(Fault("deadline_at", "截止须在本周之内：周调度反映到截止那一天。"))
    elif new.deadline_at <= now:
        found.append(Fault("deadline_at", "截止须晚于现在。"))
    if new.locks_at < new.deadline_at:
        found.append(Fault("locks_at", "锁定不能早于截止。"))
    elif new.locks_at > first + LONGEST_LOCK:
        found.append(Fault("locks_at", f"锁定不能晚于 {weeks.moment_words(first + LONGEST_LOCK)}。"))
    if not found and all(getattr(new, name) == getattr(old, name) for name in TIMES) and old.is_set == new.is_set:
        found.append(Fault("opens_at", "没有改动：请修改至少一项时间。"))
    if not reason.strip():
        found.append(Fault("reason", "调整时间须写明理由，例如联席会议提前。"))
    ahead = (timezone.localtime(min(old.opens_at, new.opens_at)).date() - timezone.localtime(now).date()).days
    if ahead < announce_days and not is_urgent:
        when = f"距开放只有{ahead}天" if ahead > 0 else "本周已到开放时间"
        found.append(Fault("is_urgent", f"{when}，来不及提前{announce_days}天公布：确需调整请勾选“急件”。"))
    return found


def _locked_times(week_of: dt.date, seen: str) -> Week:
    """The week's times, with all that may be reported in it held still."""
    if week_of.weekday() != 0:
        raise Refused("周次须为周一。")
    list(Region.objects.select_for_update().values_list("pk"))
    list(Project.objects.select_for_update().order_by("pk").values_list("pk"))
    old = weeks.week_times(week_of)
    if seen != fingerprint(old):
        raise Refused(f"这一周的时间刚被他人改为：{times_words(old)}。请核对后再保存。")
    return old


def _settle_week(row: ReportingWeek, old: Week, new: Week, by: User, *, is_urgent: bool) -> None:
    """What follows from other times: the cut-off day of what was reported, the trail, the notice to the units."""
    Dispatch.objects.filter(week_of=new.week_of).update(cut_off_on=new.cut_off_on)
    changes = {name: [_local(old, name), _local(new, name)] for name in TIMES if getattr(old, name) != getattr(new, name)}
    changes |= {"week_of": [new.week_of, new.week_of], "is_urgent": [None, is_urgent]}
    event = trail.record(action="week.times", subject=row, by=by, changes=changes, reason=row.reason)
    text = f"{'【急件】' if is_urgent else ''}{new.name}周调度填报时间调整：{times_words(new)}。理由：{row.reason}"
    for unit in reporting_units():
        notices.notify(
            key=f"week.times:{event.pk}:{unit.pk}", kind="week.times", text=text, unit=unit, url=reverse("dispatch_weeks"), by=by
        )


def reporting_units():
    """Units whose people report or review."""
    return Unit.objects.filter(user__is_active=True, user__role__in=[Role.COUNTY, Role.DEPARTMENT]).distinct()


def times_words(week: Week) -> str:
    return "，".join(f"{weeks.moment_words(getattr(week, name))}{word}" for name, word in TIMES.items())


def _local(week: Week, name: str) -> str:
    return timezone.localtime(getattr(week, name)).isoformat(timespec="minutes")


# ── Monthly plans ───────────────────────────────────────────────────────────────────────────────────────────────────

PLANNED = {"planned_progress": "计划累计进度", "planned_invested_wan": "计划累计完成投资"}


class PlanConflict(Exception):
    """Two people changed the same months. `theirs` maps the month to the value saved meanwhile."""

    def __init__(self, theirs: dict[dt.date, Decimal | None]):
        self.theirs = theirs
        super().__init__("plan conflict")


@dataclasses.dataclass(frozen=True, slots=True)
class Typed:
    """One cell of the plan sheet: what the person saw and what they made of it; None = no plan."""

    seen: Decimal | None
    value: Decimal | None


@transaction.atomic
def set_plan(*, project: Project, field: str, typed: dict[dt.date, Typed], reason: str, by: User) -> int:
    """Write one project's plan (`field` of PLANNED) by month; cells that were left as seen keep what is saved. Returns how many changed.

    Raises PlanConflict where somebody else changed a cell that is changed here too, Faulty where values cannot be.
    """
    Project.objects.select_for_update().get(pk=project.pk)
    rows = {row.month: row for row in MonthlyPlan.objects.filter(project=project)}
    saved = {month: getattr(row, field) for month, row in rows.items()}
    wanted = {month: cell.value for month, cell in typed.items() if cell.value != cell.seen and cell.value != saved.get(month)}
    theirs = {month: saved.get(month) for month in wanted if saved.get(month) != typed[month].seen}
    if theirs:
        raise PlanConflict(theirs)
    version = ProjectVersion.objects.select_related("county").get(project=project, effective_to=None)
    limit = Decimal(100) if field == "planned_progress" else version.total_investment_wan
    found = plan_faults(field, saved, wanted, limit, month_start(clock.today()), reason)
    if found:
        raise Faulty(found)
    for month, value in wanted.items():
        _write_plan(project, rows.get(month), month, field, value)
    if wanted:
        changes = {f"{field}:{month:%Y-%m}": [_plain(saved.get(month)), _plain(value)] for month, value in sorted(wanted.items())}
        trail.record(action="plan.set", subject=project, by=by, county=version.county, changes=changes, reason=reason.strip())
    return len(wanted)


def plan_faults(
    field: str,
    saved: dict[dt.date, Decimal | None],
    wanted: dict[dt.date, Decimal | None],
    limit: Decimal,
    this_month: dt.date,
    reason: str,
) -> list[Fault]:
    """What speaks against `wanted` in a plan; a fault's field is the month, `2025-03`. Pure.

    A plan is cumulative, so it never falls. What was planned for a month up to this one is known to others already: to change it
    needs a reason; so does a plan for a month that has passed without one. The first plan for this month does not.
    """
    whole = {month: value for month, value in (saved | wanted).items() if value is not None}
    found, months = [], sorted(whole)
    unit = "%" if field == "planned_progress" else "万元"
    for month, value in wanted.items():
        if value is not None and not 0 <= value <= limit:
            found.append(Fault(f"{month:%Y-%m}", f"{month.month}月{PLANNED[field]}须在0到{plain(limit)}{unit}之间（现为{plain(value)}）。"))
    for before, after in itertools.pairwise(months):
        if whole[after] < whole[before] and (before in wanted or after in wanted):
            place = after if after in wanted else before
            fall = f"{_month(after)}计划{plain(whole[after])}{unit}小于{_month(before)}的{plain(whole[before])}{unit}"
            found.append(Fault(f"{place:%Y-%m}", f"{fall}：计划是累计数，不能减少。"))
    touched = sorted(m for m in wanted if m < this_month or (m == this_month and saved.get(m) is not None))
    if touched and not reason.strip():
        names = "、".join(_month(month) for month in touched)
        found.append(Fault("reason", f"改动了{names}的计划（当月和以前月份已作为考核依据），请写明理由。", wants_reason=True))
    return found


def _write_plan(project: Project, row: MonthlyPlan | None, month: dt.date, field: str, value: Decimal | None) -> None:
    """A month without planned progress has no plan at all: the row goes, and with it the planned investment."""
    if field == "planned_progress" and value is None:
        MonthlyPlan.objects.filter(project=project, month=month).delete()
    elif row is not None:
        MonthlyPlan.objects.filter(pk=row.pk).update(**{field: value})
    elif field == "planned_progress":
        MonthlyPlan.objects.create(project=project, month=month, planned_progress=value)
    else:
        raise Faulty([Fault(f"{month:%Y-%m}", f"{_month(month)}还没有计划进度：请先填计划进度，再填计划完成投资。")])


def _month(month: dt.date) -> str:
    return f"{month.year}年{month.month}月"


def _plain(value: Decimal | None) -> str | None:
    return None if value is None else rules.plain(value)
