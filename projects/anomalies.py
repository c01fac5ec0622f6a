"""What is odd about a project in a week and must be asked about. Source: the office's own working rules (docs/rules.md).

Rules are pure: values and the policy's thresholds in, verdicts out. A verdict carries its sentence and its evidence and is quoted
unchanged on the review page, in the list of anomalies and in the weekly report. Reading takes a fixed number of queries.
"""

import dataclasses
import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal

from django.db import models

from linfen_water import policy
from linfen_water.workdays import add_workdays, workdays_between
from projects import reports, rules, weeks
from projects.enums import PermitKind, Stage
from projects.facts import ProjectFacts, project_facts, silent
from projects.models import Dispatch, Permit, Project


class Anomaly(models.TextChoices):
    """In the order in which they are told."""

    UNREPORTED = "unreported", "本周未报"
    SILENT = "silent", "长期无变化"
    MILESTONE = "milestone", "节点已过"
    PERMIT_STALLED = "permit_stalled", "手续超承诺"
    JUMP = "jump", "进度跳升"
    PROGRESS_WITHOUT_MONEY = "progress_without_money", "有进度无支付"
    MONEY_WITHOUT_PROGRESS = "money_without_progress", "有支付无进度"


@dataclasses.dataclass(frozen=True, slots=True)
class Verdict:
    """One anomaly of one project: the sentence that is quoted everywhere, and what it stands on."""

    rule: Anomaly
    sentence: str
    evidence: tuple[tuple[str, str], ...]  # (name, value) pairs: thresholds, figures, dates


@dataclasses.dataclass(frozen=True, slots=True)
class PermitDates:
    """A required permit that was applied for and has not come."""

    name: str
    authority: str
    submitted_on: dt.date
    promised_workdays: int


@dataclasses.dataclass(frozen=True, slots=True)
class Course:
    """All that a project's anomalies are judged from."""

    facts: ProjectFacts
    is_due: bool  # a report of the week is due and its deadline has passed
    is_silent: bool  # no visible progress over the policy's weeks (`facts.silent`)
    past: tuple[rules.Past, ...]  # what counts up to this week, newest first; this week's own first when there is one
    permits: tuple[PermitDates, ...] = ()


def judge(course: Course, week_of: dt.date, day: dt.date, values: policy.Values) -> list[Verdict]:
    """Every anomaly of one project in a week, as known on `day`."""
    facts = course.facts
    if facts.stage == Stage.FINISHED:
        return list(_jump(course.past, week_of, values))
    return [
        *_unreported(course, week_of),
        *_silent(course, week_of, values),
        *milestones(facts, day),
        *(verdict for permit in course.permits if (verdict := stalled(permit, day))),
        *_jump(course.past, week_of, values),
        *_idle_money(course.past, facts.physical_progress, values),
    ]


def _unreported(course: Course, week_of: dt.date) -> Iterator[Verdict]:
    said = course.past[0].week_of if course.past else None
    if course.is_due and said != week_of:
        yield unreported(week_of, said)


def unreported(week_of: dt.date, said: dt.date | None) -> Verdict:
    """That nothing was reported in a week; `said` is the last week in which something was."""
    last = f"最近一次填报为{week_words(said)}" if said else "列入以来没有填报"
    return Verdict(Anomaly.UNREPORTED, f"{week_words(week_of)}未报周调度，{last}", (("最近一次填报", str(said or "无")),))


def _silent(course: Course, week_of: dt.date, values: policy.Values) -> Iterator[Verdict]:
    """No visible progress; a missing report counts as none."""
    if not course.is_silent:
        return
    span, progress = values.silent_weeks, course.facts.physical_progress
    said = course.past[0].week_of if course.past else None
    if said is None or week_of - said >= dt.timedelta(weeks=span):
        sentence = f"连续{span}期未报周调度"
    else:
        sentence = f"连续{span}期阶段、总体进度（{_percent(progress)}）和到位、支付、完成投资均无变化"
    yield Verdict(Anomaly.SILENT, sentence, (("期数（建议值）", f"{span}期"), ("总体进度", _percent(progress))))


def milestones(facts: ProjectFacts, day: dt.date) -> Iterator[Verdict]:
    """A baseline date that lies before `day` with its event still to come. The day itself is still in time."""
    for word, baseline_on, is_open, forecast_on in (
        ("开工", facts.baseline_start_on, facts.stage == Stage.NOT_STARTED, facts.forecast_start_on),
        ("完工", facts.baseline_finish_on, facts.stage != Stage.FINISHED, facts.forecast_finish_on),
    ):
        if is_open and baseline_on < day:
            late = (day - baseline_on).days
            now = f"，总体进度{_percent(facts.physical_progress)}" if word == "完工" else ""
            ahead = f"，预计{word}{_day(forecast_on)}" if forecast_on and forecast_on >= day else "，未报新的预计日期"
            evidence = ((f"基线{word}", str(baseline_on)), (f"预计{word}", str(forecast_on or "未填")), ("截至", str(day)))
            yield Verdict(Anomaly.MILESTONE, f"{_day(baseline_on)}基线{word}已过{late}天仍未{word}{now}{ahead}", evidence)


def stalled(permit: PermitDates, day: dt.date) -> Verdict | None:
    """Not obtained by the end of its last promised working day."""
    due_on = add_workdays(permit.submitted_on, permit.promised_workdays)
    if day <= due_on:
        return None
    over = workdays_between(due_on, day)
    passed = f"超{over}个工作日" if over else "已超期"  # the promise ended on the last working day before a holiday
    sentence = (
        f"{permit.name}{_day(permit.submitted_on)}报送{permit.authority}，承诺{permit.promised_workdays}个工作日，"
        f"应于{_day(due_on)}办结，{passed}未办结"
    )
    evidence = (
        ("报送日", str(permit.submitted_on)),
        ("承诺时限", f"{permit.promised_workdays}个工作日"),
        ("应办结日", str(due_on)),
        ("超期", f"{over}个工作日"),
    )
    return Verdict(Anomaly.PERMIT_STALLED, sentence, evidence)


def _jump(past: Sequence[rules.Past], week_of: dt.date, values: policy.Values) -> Iterator[Verdict]:
    """Progress of this week that rose by more than the policy's points a week since the report before."""
    if len(past) < 2 or past[0].week_of != week_of:
        return
    now, then = past[0], past[1]
    if now.physical_progress is None or then.physical_progress is None:
        return
    risen, span = now.physical_progress - then.physical_progress, (now.week_of - then.week_of).days // 7
    if risen > values.jump_points * span:
        since = "比上周" if span == 1 else f"{span}周内"
        evidence = (
            ("上期进度", _percent(then.physical_progress)), ("本期进度", _percent(now.physical_progress)),
            ("阈值（建议值）", f"每周{values.jump_points}个百分点"),
        )  # fmt: skip
        yield Verdict(Anomaly.JUMP, f"总体进度{since}增加{rules.plain(risen)}个百分点，超过每周{values.jump_points}个", evidence)


def _idle_money(past: Sequence[rules.Past], progress: Decimal | None, values: policy.Values) -> Iterator[Verdict]:
    """Over the policy's weeks: progress while nothing was paid, or money paid while the progress stood still."""
    if not past or progress is None or not 0 < progress < rules.HUNDRED:
        return
    now, since = past[0], past[0].week_of - dt.timedelta(weeks=values.idle_money_weeks)
    then = next((one for one in past if one.week_of <= since), None)
    if then is None or then.physical_progress is None or now.physical_progress is None:
        return
    span = (now.week_of - then.week_of).days // 7
    risen, spent = now.physical_progress - then.physical_progress, now.paid_wan - then.paid_wan
    evidence = (
        ("比较", f"{week_words(then.week_of)}至{week_words(now.week_of)}"),
        ("总体进度", f"{_percent(then.physical_progress)}→{_percent(now.physical_progress)}"),
        ("累计支付", f"{rules.plain(then.paid_wan)}→{rules.plain(now.paid_wan)}万元"),
    )
    if risen > 0 and spent == 0:
        sentence = f"近{span}周总体进度增加{rules.plain(risen)}个百分点，累计支付一直是{rules.plain(now.paid_wan)}万元"
        yield Verdict(Anomaly.PROGRESS_WITHOUT_MONEY, sentence, evidence)
    elif spent > 0 and risen == 0:
        sentence = f"近{span}周支付增加{rules.plain(spent)}万元，总体进度一直是{_percent(now.physical_progress)}"
        yield Verdict(Anomaly.MONEY_WITHOUT_PROGRESS, sentence, evidence)


def week_words(week_of: dt.date) -> str:
    """2025年第8周."""
    year, number, _ = week_of.isocalendar()
    return f"{year}年第{number}周"


def _day(day: dt.date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


def _percent(value: Decimal | None) -> str:
    return "未报" if value is None else f"{rules.plain(value)}%"


# ── Reading ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclasses.dataclass(frozen=True, slots=True)
class Found:
    """One anomaly with the project that it is about."""

    facts: ProjectFacts
    verdict: Verdict


def read(
    week_of: dt.date, day: dt.date, now: dt.datetime, *, projects=None, facts: list[ProjectFacts] | None = None
) -> dict[int, list[Verdict]]:
    """The anomalies of `projects` (default: all) in a week, as of `day`, by the key of each project that has any.

    `now` says whether the week's deadline has passed; `facts` saves reading the facts of `day` again.
    """
    return {found.pk: verdicts for found, verdicts in _judged(week_of, day, now, projects, facts) if verdicts}


def listed(week_of: dt.date, day: dt.date, now: dt.datetime, *, projects=None, facts: list[ProjectFacts] | None = None) -> list[Found]:
    """The same as a list, by kind and then by project."""
    found = [Found(one, verdict) for one, verdicts in _judged(week_of, day, now, projects, facts) for verdict in verdicts]
    order = list(Anomaly)
    return sorted(found, key=lambda row: order.index(row.verdict.rule))


def _judged(week_of, day, now, projects, facts) -> Iterator[tuple[ProjectFacts, list[Verdict]]]:
    values, times = policy.values_on(week_of), weeks.week_times(week_of)
    facts = project_facts(day, projects) if facts is None else facts
    scope = Project.objects.all() if projects is None else projects
    due = _due(scope, week_of) if times.deadline_at < now else set()
    still = {one.pk for one in silent(day, values.silent_weeks, facts)}
    past, permits = _past(scope, week_of, values), _permits(scope, day)
    for one in facts:
        course = Course(one, one.pk in due, one.pk in still, tuple(past.get(one.pk, ())), tuple(permits.get(one.pk, ())))
        yield one, judge(course, week_of, day, values)


def _due(scope, week_of: dt.date) -> set[int]:
    return set(reports.reporting_in(scope, week_of).values_list("pk", flat=True))


def _past(scope, week_of: dt.date, values: policy.Values) -> dict[int, list[rules.Past]]:
    """What counts of this week and of those that the rules look back to, newest first."""
    back = max(values.idle_money_weeks, values.silent_weeks) + reports.WEEKS_BRIDGED
    rows = Dispatch.objects.filter(
        project__in=scope, is_live=True, week_of__lte=week_of, week_of__gte=week_of - dt.timedelta(weeks=back)
    ).order_by("-week_of")
    found: dict[int, list[rules.Past]] = defaultdict(list)
    for pk, *said in rows.values_list("project_id", "week_of", "physical_progress", "paid_wan", "done"):
        found[pk].append(rules.Past(*said))
    return found


def _permits(scope, day: dt.date) -> dict[int, list[PermitDates]]:
    """Required permits that were applied for with a promise and had not come by `day`."""
    rows = Permit.objects.filter(project__in=scope, is_required=True, submitted_on__lte=day, promised_workdays__isnull=False)
    rows = rows.exclude(obtained_on__lte=day).select_related("authority").order_by("project", "pk")
    found: dict[int, list[PermitDates]] = defaultdict(list)
    for permit in rows:
        name = PermitKind(permit.kind).label
        authority = permit.authority.name if permit.authority else "受理机关"
        if permit.submitted_on and permit.promised_workdays is not None:
            found[permit.project_id].append(PermitDates(name, authority, permit.submitted_on, permit.promised_workdays))
    return found
