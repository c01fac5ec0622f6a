"""Week after week: who reported what of each project, on time or late, returned, corrected or not at all."""

import dataclasses
import datetime as dt
from decimal import Decimal

from django.utils import timezone

from linfen_water import policy
from linfen_water.dates import month_end
from linfen_water.models import User
from projects.demo import works
from projects.demo.promise import Promise
from projects.demo.sketches import Sketch
from projects.enums import DispatchState
from projects.models import Dispatch, DispatchLine, FundingSource, Problem, Project

WEEKS_AFTER_COMPLETION = 4  # a finished project reports so long for settlement; then its last dispatch stands
REVIEW_WEEKS = 2  # the newest weeks are partly still to be reviewed
# Percent of an invented project's weeks; a careless county's are late and missing three times as often.
LATE, MISSING, RETURNED, CORRECTED = 3, 1, 1, 1
CARELESS_FACTOR = 3
CARELESS = 4  # every n-th county or zone
SPRING_FESTIVALS = (dt.date(2024, 2, 12), dt.date(2025, 1, 27))  # Mondays of the week without work

# What the counties have done by the demo's day for the current week, dealt out in the pack's order.
THIS_WEEK = ("accepted", "submitted", "draft", "submitted", "none", "submitted", "returned", "draft", "accepted")

SEEN_AHEAD = 45  # days before a date from which a unit admits that it cannot be kept
SMALL_DELAY = 20  # days that nobody mentions
LONGEST_ADMITTED = dt.timedelta(days=240)

OVER_BUDGET = "超概说明：地质条件变化增加支护工程量，已按程序报批概算调整。"
CORRECTION = "更正：原填报进度口径有误，按监理月报更正。"
AUDITED = "经财政评审对账，核减重复计列的完成投资。"
AUDIT_WEEKS = (30, 42)  # weeks before today between which the audited project counted some of its investment twice
AUDITED_FROM = 15  # percent at which the double count begins to be believable
TWICE = Decimal("0.06")


def may_be_audited(sketch: Sketch, promise: Promise) -> bool:
    """Is this one whose investment could have been counted twice and put right?"""
    first = promise.today - dt.timedelta(weeks=AUDIT_WEEKS[1] + 1)
    return not sketch.is_public and sketch.pace.completed_on is None and sketch.pace.actual_on(first) >= AUDITED_FROM


@dataclasses.dataclass(frozen=True)
class People:
    """Who writes and reviews a project's dispatches."""

    reporter: User
    reviewer: User


@dataclasses.dataclass
class Week:
    """A dispatch and the money of each source that goes with it: (in place, paid, completed)."""

    dispatch: Dispatch
    lines: list[tuple[FundingSource, Decimal, Decimal, Decimal]]


def weeks(
    sketch: Sketch,
    project: Project,
    funding: list[FundingSource],
    problems: list[Problem],
    people: People,
    promise: Promise,
    values: policy.Values,
    turn: int,
    is_audited: bool,
) -> list[Week]:
    """All dispatches of one project. `turn` is the place of its county in the pack."""
    result: list[Week] = []
    pace, dice = sketch.pace, promise.dice("weeks", sketch.name)
    careless = CARELESS_FACTOR if turn % CARELESS == 1 and not sketch.is_public else 1
    for number, week_of in enumerate(promise.weeks):
        cut_off_on = policy.cut_off_on(week_of, values)
        if pace.completed_on and cut_off_on > pace.completed_on + dt.timedelta(weeks=WEEKS_AFTER_COMPLETION + 1):
            break
        week = _week(sketch, project, funding, problems, week_of, cut_off_on, promise, audit=is_audited)
        chance = dice.randrange(1000) if not sketch.is_public else 999
        is_event = week.dispatch.started_on or week.dispatch.completed_on
        if week_of == promise.weeks[-1]:
            result += _this_week(week, people, THIS_WEEK[turn % len(THIS_WEEK)], sketch, values)
            continue
        if chance < 10 * MISSING * careless and not is_event and number:
            continue
        is_late = 10 * MISSING * careless <= chance < 10 * (MISSING + LATE) * careless
        needs_review = number >= len(promise.weeks) - REVIEW_WEEKS and not sketch.is_public and dice.random() < 0.3
        _submit(
            week,
            people,
            days=values.cut_off_weekday + dice.randint(1, 4) if is_late else dice.randint(1, values.cut_off_weekday),
            minute=dice.randint(0, 480),
        )
        week.dispatch.is_late = is_late
        if not needs_review:
            _accept(week, people, promise.today)
        if 900 <= chance < 900 + 10 * RETURNED and not is_event:
            result.append(_returned_before(week, people, "进度与现场核查不符，请核实后重报。"))
        elif 920 <= chance < 920 + 10 * CORRECTED and not is_event and not needs_review:
            result.append(_superseded_before(week))
        result.append(week)
    return result


def _week(
    sketch: Sketch,
    project: Project,
    funding: list[FundingSource],
    problems: list[Problem],
    week_of: dt.date,
    cut_off_on: dt.date,
    promise: Promise,
    *,
    audit: bool,
) -> Week:
    """What there is to say of a project at a cut-off."""
    pace = sketch.pace
    before = cut_off_on - dt.timedelta(weeks=1)
    progress = pace.actual_on(cut_off_on)
    lines, reason = [], ""
    ago = (promise.today - cut_off_on).days // 7
    for source, row in zip(sketch.sources, funding, strict=True):
        day = min(cut_off_on, pace.silent_from) if pace.silent_from else cut_off_on
        invested = source.invested_at(progress)
        if audit and AUDIT_WEEKS[0] < ago <= AUDIT_WEEKS[1]:
            invested = min(invested + (source.planned_wan * TWICE).quantize(Decimal("0.01")), source.planned_wan)
        in_place, paid = source.in_place_on(day), source.paid_on(day, progress)
        allocated = in_place if sketch.is_public else source.allocated(day, paid)  # of real works nothing is told that would shame
        lines.append((row, in_place, allocated, paid, invested))
    if audit and ago == AUDIT_WEEKS[0]:
        reason = AUDITED
    if sum(line[4] for line in lines) > sketch.total_wan:
        reason = OVER_BUDGET
    done, next_steps = _telling(sketch, week_of, cut_off_on, progress)
    hinders = "；".join(
        p.description.rstrip("。") for p in problems if p.raised_on <= cut_off_on and not (p.closed_on and p.closed_on <= cut_off_on)
    )
    is_first = week_of == promise.first_week
    dispatch = Dispatch(
        project=project,
        week_of=week_of,
        cut_off_on=cut_off_on,
        physical_progress=progress,
        started_on=pace.started_on if before < pace.started_on <= cut_off_on or (is_first and pace.started_on <= cut_off_on) else None,
        completed_on=pace.completed_on if pace.completed_on and before < pace.completed_on <= cut_off_on else None,
        forecast_start_on=None if pace.started_on <= cut_off_on else _forecast_start(sketch, cut_off_on),
        forecast_finish_on=None if pace.completed_on and pace.completed_on <= cut_off_on else _forecast(sketch, cut_off_on),
        done=done,
        next_steps=next_steps,
        hinders=hinders or "无",
        reason=reason,
        in_place_wan=sum((line[1] for line in lines), Decimal(0)),
        allocated_wan=sum((line[2] for line in lines), Decimal(0)),
        paid_wan=sum((line[3] for line in lines), Decimal(0)),
        invested_wan=sum((line[4] for line in lines), Decimal(0)),
    )
    return Week(dispatch, lines)


def _forecast_start(sketch: Sketch, day: dt.date) -> dt.date:
    """The start that the unit expects: the baseline until it comes near, then the end of the month in which it started."""
    pace = sketch.pace
    if sketch.is_public:
        return pace.started_on
    return pace.baseline_start_on if (pace.baseline_start_on - day).days > SEEN_AHEAD else month_end(pace.started_on)


def _forecast(sketch: Sketch, day: dt.date) -> dt.date:
    """The finish that the unit expects: the baseline until it comes near, then a month's end that the pace leads to."""
    pace = sketch.pace
    baseline = pace.revised_finish_on if pace.revised_on and pace.revised_finish_on and day >= pace.revised_on else pace.baseline_finish_on
    is_far = (baseline - day).days > 2 * SEEN_AHEAD
    if sketch.is_public or is_far or ((pace.real_finish_on - baseline).days < SMALL_DELAY and baseline > day):
        return max(baseline, day)
    expected = month_end(min(pace.real_finish_on, pace.baseline_finish_on + LONGEST_ADMITTED))
    return max(baseline, expected, month_end(day))


def _telling(sketch: Sketch, week_of: dt.date, day: dt.date, progress: Decimal) -> tuple[str, str]:
    """What was done in the week and what comes next; the words of a silent project stay those of its last moving week."""
    pace = sketch.pace
    if pace.silent_from and day > pace.silent_from:
        week_of, day = week_of - dt.timedelta(days=(day - pace.silent_from).days // 7 * 7), pace.silent_from
    if day < pace.started_on:
        weeks_left = (pace.started_on - day).days // 7
        place = max(0, len(works.BEFORE_START) - 1 - weeks_left // 8)
        done = works.BEFORE_START[place]
        return f"{done}。", f"{works.BEFORE_START[min(place + 1, len(works.BEFORE_START) - 1)]}。"
    if progress == 100:
        return "已完工，办理工程结算和资料归档。", "准备竣工验收。"
    stages = works.TELLING.get(sketch.domain, works.USUAL_TELLING)
    place = min(int(progress) * len(stages) // 100, len(stages) - 1)
    if week_of in SPRING_FESTIVALS:
        return "春节放假停工，安排专人值守。", f"节后复工，继续{stages[place]}。"
    following = stages[place] if int(progress) % 25 < 18 else stages[min(place + 1, len(stages) - 1)]
    return f"{stages[place]}，累计完成总体进度的{progress.normalize():f}%。", f"继续{following}。"


def _at(day: dt.date, minute: int) -> dt.datetime:
    return timezone.make_aware(dt.datetime.combine(day, dt.time(9)) + dt.timedelta(minutes=minute))


def _submit(week: Week, people: People, *, days: int, minute: int) -> None:
    """Hand in `days` after Monday."""
    row = week.dispatch
    row.submitted_at = row.edited_at = _at(row.week_of + dt.timedelta(days=days), minute)
    row.submitted_by = row.edited_by = people.reporter
    row.state, row.is_live = DispatchState.SUBMITTED, True


def _accept(week: Week, people: People, today: dt.date) -> None:
    row = week.dispatch
    reviewed_at = row.submitted_at + dt.timedelta(hours=20)
    if timezone.localtime(reviewed_at).date() <= today:
        row.state, row.reviewed_by, row.reviewed_at = DispatchState.ACCEPTED, people.reviewer, reviewed_at


def _returned_before(week: Week, people: People, remark: str) -> Week:
    """The first revision that was returned; `week` becomes the second."""
    first = _copy(week)
    first.dispatch.physical_progress = min(
        first.dispatch.physical_progress + 3, Decimal(100) if first.dispatch.completed_on else Decimal(99)
    )
    first.dispatch.state, first.dispatch.is_live, first.dispatch.remark = DispatchState.RETURNED, False, remark
    first.dispatch.submitted_at -= dt.timedelta(hours=6)
    first.dispatch.edited_at = first.dispatch.submitted_at
    first.dispatch.reviewed_by, first.dispatch.reviewed_at = people.reviewer, first.dispatch.submitted_at + dt.timedelta(hours=2)
    week.dispatch.revision = 2
    return first


def _superseded_before(week: Week) -> Week:
    """The accepted first revision that was corrected later; `week` becomes the correction that stands."""
    first = _copy(week)
    first.dispatch.physical_progress = max(first.dispatch.physical_progress - 1, Decimal(0))
    first.dispatch.is_live = False
    week.dispatch.revision = 2
    week.dispatch.reason = week.dispatch.reason or CORRECTION
    return first


def _copy(week: Week) -> Week:
    fields = {f.attname: getattr(week.dispatch, f.attname) for f in Dispatch._meta.concrete_fields if f.name != "id"}
    return Week(Dispatch(**fields), list(week.lines))


def _this_week(week: Week, people: People, progress: str, sketch: Sketch, values: policy.Values) -> list[Week]:
    """The current week, before its cut-off: handed in, still a draft, or not begun, county by county."""
    if (sketch.is_public or week.dispatch.completed_on) and progress in ("draft", "none", "returned"):
        progress = "submitted"
    row = week.dispatch
    _submit(week, people, days=max(values.cut_off_weekday - 2, 0), minute=sketch.number * 5)
    if progress == "none":
        return []
    if progress == "draft":
        row.state, row.is_live, row.submitted_at, row.submitted_by = DispatchState.DRAFT, False, None, None
    elif progress == "returned" and sketch.number % 2:
        row.state, row.is_live, row.remark = DispatchState.RETURNED, False, "本周进展未写明完成工程量，请补充。"
        row.reviewed_by, row.reviewed_at = people.reviewer, row.submitted_at + dt.timedelta(hours=5)
    elif progress == "accepted":
        row.state, row.reviewed_by, row.reviewed_at = DispatchState.ACCEPTED, people.reviewer, row.submitted_at + dt.timedelta(hours=20)
    return [week]


def rows_of(week: Week) -> list[DispatchLine]:
    """The lines of a saved dispatch."""
    return [
        DispatchLine(
            dispatch=week.dispatch, source=source, in_place_wan=in_place, allocated_wan=allocated, paid_wan=paid, completed_wan=completed
        )
        for source, in_place, allocated, paid, completed in week.lines
    ]
