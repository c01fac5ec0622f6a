"""How a project's dates, plans and money are judged. Source: the office's own working rules (docs/rules.md).

Values in, verdict out: no ORM, no settings, no clock. Percentages are 0-100, money is 万元, lag is in percentage points.
"""

import dataclasses
import datetime as dt
from collections.abc import Iterator, Mapping
from decimal import ROUND_HALF_UP, Decimal

from linfen_water.dates import add_months, month_start
from projects.enums import PermitState, Risk, Stage

HUNDRED = Decimal(100)


def stage(day: dt.date, started_on: dt.date | None, completed_on: dt.date | None) -> Stage:
    """The stage on `day`: not started until `started_on`, under construction until `completed_on`, then finished."""
    if completed_on is not None and completed_on <= day:
        return Stage.FINISHED
    if started_on is not None and started_on <= day:
        return Stage.UNDER_CONSTRUCTION
    return Stage.NOT_STARTED


def planned(day: dt.date, plans: Mapping[dt.date, Decimal], baseline_start_on: dt.date, baseline_finish_on: dt.date) -> Decimal:
    """Planned progress in percent at the end of `day`.

    `plans` maps the first day of a month to the cumulative percent at that month's end. Inside a planned month the
    plan runs linearly from the last planned month before it (0 without one); a month without a plan falls back on
    the line between the baseline dates. The one definition of 计划进度.
    """
    month = month_start(day)
    if month in plans:
        before = plans[max(earlier)] if (earlier := [m for m in plans if m < month]) else Decimal(0)
        days_in_month = (add_months(month, 1) - month).days
        return before + (plans[month] - before) * day.day / days_in_month
    return baseline_line(day, baseline_start_on, baseline_finish_on)


def baseline_line(day: dt.date, start_on: dt.date, finish_on: dt.date) -> Decimal:
    """The straight line from 0 % at `start_on` to 100 % at `finish_on`."""
    if day >= finish_on:
        return HUNDRED
    if day <= start_on:
        return Decimal(0)
    return HUNDRED * (day - start_on).days / (finish_on - start_on).days


def lag(planned_progress: Decimal, physical_progress: Decimal | None) -> Decimal | None:
    """序时差: planned minus actual in percentage points, positive = behind; None when nothing was reported."""
    return None if physical_progress is None else planned_progress - physical_progress


def risk(stage: Stage, lag: Decimal | None, behind_points: int, far_behind_points: int) -> Risk:
    """滞后 from `behind_points` on, 严重滞后 above `far_behind_points`; a finished project carries none."""
    if stage == Stage.FINISHED:
        return Risk.NORMAL
    if lag is None:
        return Risk.UNREPORTED
    if lag > far_behind_points:
        return Risk.FAR_BEHIND
    return Risk.BEHIND if lag >= behind_points else Risk.NORMAL


def rate(part: Decimal | int | None, whole: Decimal | int | None) -> Decimal | None:
    """`part` of `whole` in percent, half up to one decimal; None when there is no whole.

    Checked on seven published pairs, e.g. (20+3)/43 = 53.5.
    """
    if not whole or part is None:
        return None
    return (HUNDRED * Decimal(part) / Decimal(whole)).quantize(Decimal("0.1"), ROUND_HALF_UP)


def ranks(values: list[Decimal | None]) -> list[int | None]:
    """Rank from the largest; ties share a rank and the next is skipped (1, 2, 2, 4); None has no rank."""
    present = [v for v in values if v is not None]
    return [None if v is None else 1 + sum(other > v for other in present) for v in values]


def permit_state(day: dt.date, is_required: bool, submitted_on: dt.date | None, obtained_on: dt.date | None) -> PermitState:
    """The state of a permit on `day`, from its dates."""
    if not is_required:
        return PermitState.NOT_NEEDED
    if obtained_on is not None and obtained_on <= day:
        return PermitState.OBTAINED
    if submitted_on is not None and submitted_on <= day:
        return PermitState.IN_PROGRESS
    return PermitState.NOT_SUBMITTED


# ── What a dispatch may say ─────────────────────────────────────────────────────────────────────────────────────────
# 支付 ≤ 拨付 ≤ 到位 ≤ 下达 ≤ 计划; a cumulative value falls only with a reason; above the approved budget (超概) needs a reason
# and is not refused. Only what changed since the last period is asked about: an old excess keeps its old reason.


@dataclasses.dataclass(frozen=True, slots=True)
class Money:
    """Cumulative money of one source, 万元."""

    in_place_wan: Decimal = Decimal(0)
    allocated_wan: Decimal = Decimal(0)
    paid_wan: Decimal = Decimal(0)
    completed_wan: Decimal = Decimal(0)


@dataclasses.dataclass(frozen=True, slots=True)
class Budget:
    """What one source may give, 万元; `issued_wan` None = not known."""

    label: str
    planned_wan: Decimal
    issued_wan: Decimal | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Report:
    """What a dispatch says; `lines` by the key of the source."""

    physical_progress: Decimal | None = None
    started_on: dt.date | None = None
    completed_on: dt.date | None = None
    forecast_start_on: dt.date | None = None
    forecast_finish_on: dt.date | None = None
    done: str = ""
    reason: str = ""
    lines: Mapping[int, Money] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True)
class Past:
    """What a dispatch of an earlier week said, as far as patterns over weeks are looked for; money summed over the sources."""

    week_of: dt.date
    physical_progress: Decimal | None
    paid_wan: Decimal
    done: str


@dataclasses.dataclass(frozen=True, slots=True)
class Known:
    """What a dispatch is held against. The dates are those that stand from elsewhere than this week's dispatch."""

    latest_on: dt.date  # the last day that an actual date may name: the cut-off, or today when that is earlier
    total_investment_wan: Decimal
    budgets: Mapping[int, Budget]
    previous: Report | None = None  # the last period that counts; None = this is the first
    started_on: dt.date | None = None
    completed_on: dt.date | None = None
    is_locked: bool = False  # the week is: whoever reports or corrects now says why
    reason_before: str = ""  # of the dispatch that counts now: a correction after the lock needs one of its own
    baseline_finish_on: dt.date | None = None
    following: Report | None = None  # the next period that counts, when a week of the past is told of
    week_of: dt.date | None = None
    recent: tuple[Past, ...] = ()  # newest first
    jump_points: int = 20  # [D] thresholds of the policy: see linfen_water.policy.Values
    idle_money_weeks: int = 8


@dataclasses.dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one value, in words that say how to mend it."""

    field: str
    sentence: str
    source: int | None = None  # key of the funding source, when the field is money of a source
    wants_reason: bool = False  # a written reason mends it


def check_dispatch(report: Report, known: Known) -> list[Fault]:
    """Everything that keeps a dispatch from being submitted, in the order of the page."""
    faults = [*_progress_faults(report, known), *_date_faults(report, known), *_money_faults(report, known)]
    faults += _following_faults(report, known)
    faults = [fault for fault in faults if not (fault.wants_reason and report.reason.strip())]
    return faults + list(_lock_faults(report, known))


def dispatch_hints(report: Report, known: Known) -> list[Fault]:
    """What is odd but not wrong: asked about beside its field, never refused."""
    return [*_date_hints(report, known), *_jump_hints(report, known), *_repeat_hints(report, known), *_idle_money_hints(report, known)]


def _date_hints(report: Report, known: Known) -> Iterator[Fault]:
    finish = report.completed_on or known.completed_on
    if report.physical_progress == HUNDRED and not finish:
        yield Fault("completed_on", "进度已到100%，如已完工请填实际完工日期；不填仍按在建统计。")
        return
    if report.forecast_start_on and report.forecast_start_on < known.latest_on and not (report.started_on or known.started_on):
        yield Fault("forecast_start_on", f"预计开工 {report.forecast_start_on} 已过：已开工请填实际日期，否则请改预计日期。")
    if report.forecast_finish_on and not finish:
        if report.forecast_finish_on < known.latest_on:
            yield Fault("forecast_finish_on", f"预计完工 {report.forecast_finish_on} 已过，请核对。")
        elif known.baseline_finish_on and report.forecast_finish_on > known.baseline_finish_on:
            late = (report.forecast_finish_on - known.baseline_finish_on).days
            yield Fault("forecast_finish_on", f"比基线完工 {known.baseline_finish_on} 晚 {late} 天。")


def _jump_hints(report: Report, known: Known) -> Iterator[Fault]:
    """Progress that rose by more than `jump_points` a week since it was last reported."""
    before = known.recent[0] if known.recent else None
    if before is None or known.week_of is None or before.physical_progress is None or report.physical_progress is None:
        return
    risen, weeks = report.physical_progress - before.physical_progress, (known.week_of - before.week_of).days // 7
    if risen > known.jump_points * weeks:
        since = "比上周" if weeks == 1 else f"{weeks}周内"
        yield Fault("physical_progress", f"{since}增加{plain(risen)}个百分点，超过每周{known.jump_points}个：请核对是否属实。")


REPEATED_WEEKS = 2  # the same words for so many weeks before this one are asked about whatever the progress


def _repeat_hints(report: Report, known: Known) -> Iterator[Fault]:
    """What was done is told in the words of the weeks before: odd when the progress changed, odd when it goes on."""
    said = _folded(report.done)
    same = 0
    while said and same < len(known.recent) and _folded(known.recent[same].done) == said:
        same += 1
    if same >= REPEATED_WEEKS:
        yield Fault("done", f"“本周进展”已连续{same + 1}期一字不变：请写本周新完成的工作，确无进展请写明原因。")
    elif same and known.recent[0].physical_progress != report.physical_progress:
        yield Fault("done", "进度有变化，而“本周进展”与上期一字不差：请写本周新完成的工作。")


def _folded(text: str) -> str:
    """`text` without what a copy may change by itself: spaces, line ends, the last full stop."""
    return "".join(text.split()).rstrip("。.")


def _idle_money_hints(report: Report, known: Known) -> Iterator[Fault]:
    """Over `idle_money_weeks`: money paid while the progress stood still, or progress made while no money was paid."""
    if known.week_of is None or report.physical_progress is None or not 0 < report.physical_progress < HUNDRED:
        return
    since = known.week_of - dt.timedelta(weeks=known.idle_money_weeks)
    then = next((past for past in known.recent if past.week_of <= since), None)
    if then is None or then.physical_progress is None:
        return
    weeks = (known.week_of - then.week_of).days // 7
    paid = sum((money.paid_wan for money in report.lines.values()), Decimal(0))
    risen, spent = report.physical_progress - then.physical_progress, paid - then.paid_wan
    if spent > 0 and risen == 0:
        yield Fault(
            "physical_progress", f"近{weeks}周支付增加{plain(spent)}万元，总体进度一直是{plain(then.physical_progress)}%：请核对进度。"
        )
    elif risen > 0 and spent == 0 and report.lines:
        yield Fault("paid_wan", f"近{weeks}周总体进度增加{plain(risen)}个百分点，累计支付一直是{plain(paid)}万元：请核对资金。")


def _lock_faults(report: Report, known: Known) -> Iterator[Fault]:
    if not known.is_locked:
        return
    if not report.reason.strip():
        yield Fault("reason", "本周已锁定：补报或更正，请在“说明”写明理由。", wants_reason=True)
    elif report.reason.strip() == known.reason_before.strip():
        yield Fault("reason", "本周已锁定：请写明这次更正的理由，“说明”里还是上一次提交时写的。", wants_reason=True)


def _progress_faults(report: Report, known: Known) -> Iterator[Fault]:
    progress = report.physical_progress
    if progress is None:
        yield Fault("physical_progress", "请填写总体进度。")
        return
    if not 0 <= progress <= HUNDRED:
        yield Fault("physical_progress", f"总体进度须在0到100之间（现为{plain(progress)}）。")
        return
    before = known.previous.physical_progress if known.previous else None
    if before is not None and progress < before:
        sentence = f"总体进度由上期{plain(before)}%降到{plain(progress)}%：请核对，确需下调请在“说明”写明理由。"
        yield Fault("physical_progress", sentence, wants_reason=True)
    if progress > 0 and not (report.started_on or _stands_by(known.latest_on, known.started_on)):
        yield Fault("physical_progress", f"进度为{plain(progress)}%但还没有开工：请填实际开工日期，或将进度改为0。")


def _stands_by(day: dt.date, on: dt.date | None) -> bool:
    """Whether what happened on `on` had happened by `day`: a past week is not judged by what came later."""
    return on is not None and on <= day


def _date_faults(report: Report, known: Known) -> Iterator[Fault]:
    started_on = report.started_on or known.started_on
    for field, word, on, standing in (
        ("started_on", "开工", report.started_on, known.started_on),
        ("completed_on", "完工", report.completed_on, known.completed_on),
    ):
        if on and standing and on != standing:
            yield Fault(field, f"已登记{word}日期 {standing}，与所填 {on} 不符；更正请联系专班办撤销原登记。")
        elif on and on > known.latest_on:
            yield Fault(field, f"实际{word}日期 {on} 晚于 {known.latest_on}：还没有发生的请填预计日期。")
    if report.completed_on:
        if not started_on:
            yield Fault("completed_on", "没有开工日期不能完工：请先填实际开工日期。")
        elif report.completed_on < started_on:
            yield Fault("completed_on", f"完工日期 {report.completed_on} 早于开工日期 {started_on}：请改其中一个。")
        if report.physical_progress is not None and report.physical_progress != HUNDRED:
            now = plain(report.physical_progress)
            yield Fault("completed_on", f"已填完工日期，总体进度应为100%（现为{now}%）：请改进度或删去完工日期。")
    elif _stands_by(known.latest_on, known.completed_on) and report.physical_progress not in (None, HUNDRED):
        yield Fault("physical_progress", f"项目已于 {known.completed_on} 完工，总体进度应为100%。")
    if report.forecast_start_on and report.forecast_finish_on and report.forecast_finish_on < report.forecast_start_on:
        yield Fault("forecast_finish_on", f"预计完工 {report.forecast_finish_on} 早于预计开工 {report.forecast_start_on}：请改其中一个。")
    elif started_on and report.forecast_finish_on and report.forecast_finish_on < started_on:
        yield Fault("forecast_finish_on", f"预计完工 {report.forecast_finish_on} 早于实际开工 {started_on}：请核对。")


def _money_faults(report: Report, known: Known) -> Iterator[Fault]:
    before = known.previous.lines if known.previous else {}
    for key, money in report.lines.items():
        yield from _line_faults(key, money, before.get(key), known.budgets[key])
    for field, word in MONEY_WORDS.items():
        total = sum((getattr(money, field) for money in report.lines.values()), Decimal(0))
        total_before = sum((getattr(money, field) for money in before.values()), Decimal(0))
        if total > known.total_investment_wan and total != total_before:
            yield Fault(
                field,
                f"{word}合计{plain(total)}万元，超过总投资{plain(known.total_investment_wan)}万元（超概）：请核对，属实请在“说明”写明理由。",
                wants_reason=True,
            )


MONEY_WORDS = {"in_place_wan": "累计到位", "allocated_wan": "累计拨付", "paid_wan": "累计支付", "completed_wan": "累计完成投资"}


def _line_faults(key: int, money: Money, before: Money | None, budget: Budget) -> Iterator[Fault]:
    for field, word in MONEY_WORDS.items():
        now, then = getattr(money, field), getattr(before, field) if before else None
        if now < 0:
            yield Fault(field, f"{budget.label}{word}不能为负数。", key)
        elif then is not None and now < then:
            yield Fault(
                field,
                f"{budget.label}{word}由上期{plain(then)}万元降到{plain(now)}万元：请核对，确需下调请在“说明”写明理由。",
                key,
                wants_reason=True,
            )
        elif field in ("in_place_wan", "completed_wan") and now > budget.planned_wan and now != then:
            yield Fault(
                field,
                f"{budget.label}{word}{plain(now)}万元，超过计划{plain(budget.planned_wan)}万元：请核对，属实请在“说明”写明理由。",
                key,
                wants_reason=True,
            )
    for field, word, bound, limit in (
        ("allocated_wan", "拨付", "到位", money.in_place_wan),
        ("paid_wan", "支付", "拨付", money.allocated_wan),
    ):
        if (now := getattr(money, field)) > limit:
            yield Fault(field, f"{budget.label}{word}{plain(now)}万元大于{bound}{plain(limit)}万元：{word}不能超过{bound}。", key)
    if budget.issued_wan is not None and money.in_place_wan > budget.issued_wan and money.in_place_wan <= budget.planned_wan:
        yield Fault(
            "in_place_wan",
            f"{budget.label}到位{plain(money.in_place_wan)}万元大于已下达{plain(budget.issued_wan)}万元：请核对，有新下达文件请先由专班办登记。",
            key,
        )


def _following_faults(report: Report, known: Known) -> Iterator[Fault]:
    """A week of the past that says more than the one after it: what is cumulative would fall there."""
    later = known.following
    if later is None:
        return
    advice = "请核对，属实请在“说明”写明理由。"
    now, then = report.physical_progress, later.physical_progress
    if now is not None and then is not None and now > then:
        yield Fault("physical_progress", f"总体进度{plain(now)}%高于后一期已报的{plain(then)}%：{advice}", wants_reason=True)
    for key, money in report.lines.items():
        for field, word in MONEY_WORDS.items():
            now, then = getattr(money, field), getattr(later.lines.get(key), field, None)
            if then is not None and now > then:
                label = known.budgets[key].label
                yield Fault(field, f"{label}{word}{plain(now)}万元，高于后一期已报的{plain(then)}万元：{advice}", key, wants_reason=True)


def plain(value: Decimal) -> str:
    """A number as people write it: no trailing zeros, no exponent."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


# ── The week's report: which project needs one (when it is due: `weeks.py`) ─────────────────────────────────────────


def needs_report(week_of: dt.date, completed_on: dt.date | None) -> bool:
    """A project is reported until the week in which it was completed; from the next week on it need not be."""
    return completed_on is None or completed_on >= week_of
