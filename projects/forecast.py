"""When a project will likely be finished, from its own pace. Source: earned schedule (Lipke, "Schedule Is Different", 2003); the
slope of Theil (1950) and Sen (1968), which one wrong report in four does not bend; intervals of Kaplan and Meier (1958).

Progress is first turned into *earned days*: how many days of its plan the work done is worth. So the plan's own shape (slow
start, winter, slow end) is kept, and the pace is earned days a day: 1 is on plan. How far such a guess is off is not assumed:
it is read from how the office's own projects went (`calibrate`). Values in, verdict out.
"""

import dataclasses
import datetime as dt
import statistics
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import combinations

from linfen_water.dates import add_months, month_end, month_start
from projects.rules import planned

# All figures of this block are proposals of our own (建议值), chosen by `manage.py backtest_forecast`.
WINDOW_DAYS = 13 * 7  # the recent pace is that of a quarter: one bad week does not move it, a new one shows within a month
LEAST_REPORTS = 6  # in the window, since the start
LEAST_SPAN_DAYS = 28  # from the first to the last of them
APART_DAYS = 14  # reports nearer to each other say more of rounding than of pace
LEAST_PACE = 0.02  # below that (a day of plan in seven weeks) there is no finish to be told
TRUST_DAYS = 60  # so many days of plan are laid beside the days since the start: a young project is guessed by its plan
FAR_DAYS = 5 * 366  # beyond this nothing is told
STALE_DAYS = 8 * 7  # nor when the last report is older
STEP_DAYS = 28  # how often a project's past is looked at to calibrate
BANDS = (40, 80)  # percent of progress between which guesses are off alike
LEAST_FINISHED = 10  # projects that must have shown how far off guesses of a band are; fewer give no interval
LOW, MIDDLE, HIGH = 0.1, 0.5, 0.9  # an interval for four finishes in five
GAP_DAYS = 30  # 推算与单位预计相差超过这么多天即提示

Corners = Sequence[tuple[dt.date, float]]


@dataclasses.dataclass(slots=True)
class Course:
    """All that a project's finish is told from: its plan, its baselines (in force from, start, finish), its reports by cut-off day."""

    plans: Mapping[dt.date, Decimal]
    baselines: Sequence[tuple[dt.date, dt.date, dt.date]]
    reports: Sequence[tuple[dt.date, float]]  # by day, cumulative percent
    started_on: dt.date | None = None
    completed_on: dt.date | None = None
    is_assumed: bool = False  # its reports are no observations: the demo lets real, published projects keep to their plan
    _curves: dict[tuple[dt.date, dt.date], Corners] = dataclasses.field(default_factory=dict)

    def baseline(self, day: dt.date) -> tuple[dt.date, dt.date]:
        """Start and finish of the baseline in force on `day` (the first one before any was)."""
        known = [(start, finish) for since, start, finish in self.baselines if since <= day]
        return known[-1] if known else self.baselines[0][1:]

    def curve(self, day: dt.date) -> Corners:
        key = self.baseline(day)
        if key not in self._curves:
            self._curves[key] = plan_curve(self.plans, *key)
        return self._curves[key]


@dataclasses.dataclass(frozen=True, slots=True)
class Guess:
    """What a course by itself says on a day, before it is set right by how others went."""

    last_on: dt.date  # the report that it starts from
    percent: float
    pace: float  # days of plan done a day; 1 = on plan
    days_left: float  # from last_on
    reports: int  # in the window


@dataclasses.dataclass(frozen=True, slots=True)
class Band:
    """How the real remaining time compared with the guessed one, over the office's projects at about the same progress."""

    finished: int  # projects that showed it
    low: float | None  # one in ten took less than this multiple
    middle: float | None
    high: float | None  # one in ten took more


Calibration = Mapping[int, Band]


@dataclasses.dataclass(frozen=True, slots=True)
class Forecast:
    """A likely finish. Days are None when they cannot be told; `reason` says why or how, and is quoted as it stands."""

    finish_on: dt.date | None
    early_on: dt.date | None  # four in five finish between these two
    late_on: dt.date | None
    pace: float | None
    reports: int  # the reports it stands on
    reason: str
    is_stalled: bool = False  # refused because nothing moves


def forecast(day: dt.date, course: Course, calibration: Calibration) -> Forecast:
    """The likely finish as of `day`; only reports up to then are looked at."""
    found = guess(day, course)
    if isinstance(found, Forecast):
        return found
    band = calibration.get(band_of(found.percent))
    finish_on = _after(found, band.middle if band and band.middle else 1.0)
    if finish_on is None:
        return _refused(found.reports, "按现在的进度五年内不能完工，请核对计划和填报。", found.pace, is_stalled=True)
    early_on = _after(found, band.low) if band and band.low else None
    late_on = _after(found, band.high) if band and band.high else None
    if (late_on or finish_on) < day:
        last = f"{late_on or finish_on}"
        return _refused(found.reports, f"按以往的进度最晚应在{last}完工，至今未报完工：请核实现场进度和完工日期。", found.pace)
    finish_on, early_on = max(finish_on, day), early_on and max(early_on, day)
    reason = _sentence(found, band, finish_on, early_on, late_on, course.baseline(day)[1])
    return Forecast(finish_on, early_on, late_on, found.pace, found.reports, reason)


def guess(day: dt.date, course: Course) -> "Guess | Forecast":
    """The remaining time by the course's own pace: half that of the last quarter, half that since the start; or why not."""
    started_on = course.started_on
    if course.is_assumed:
        return _refused(0, "公开项目的每周进度是演示时按计划假定的，不作推算。")
    if course.completed_on is not None and course.completed_on <= day:
        return _refused(0, "已完工，不再推算。")
    if started_on is None or started_on > day:
        return _refused(0, "尚未开工，无法按进度推算。")
    said = [(on, percent) for on, percent in course.reports if on <= day]
    if not said:
        return _refused(0, "没有填报进度，无法推算。")
    last_on, percent = said[-1]
    if percent >= 100:
        return _refused(len(said), "进度已到100%，等待登记完工日期，不再推算。")
    if (silent := (day - last_on).days) > STALE_DAYS:
        return _refused(len(said), f"已有{silent // 7}周没有填报进度，无法推算。")
    window = [(on, value) for on, value in said if on > last_on - dt.timedelta(days=WINDOW_DAYS) and on >= started_on]
    if len(window) < LEAST_REPORTS or (window[-1][0] - window[0][0]).days < LEAST_SPAN_DAYS:
        return _refused(
            len(window), f"开工以来近{WINDOW_DAYS // 7}周只有{len(window)}期进度，数据太少，无法推算（至少{LEAST_REPORTS}期）。"
        )
    curve = course.curve(day)
    earned = earned_days(curve, percent)
    recent = _median_slope([((on - last_on).days, earned_days(curve, value)) for on, value in window])
    if recent < LEAST_PACE:
        return _refused(len(window), f"近{WINDOW_DAYS // 7}周几乎没有进展，按现在的进度无法推算完工时间。", recent, is_stalled=True)
    since = max((last_on - started_on).days, 1)
    pace = ((recent + earned / since) / 2 * since + TRUST_DAYS) / (since + TRUST_DAYS)
    left = max((curve[-1][0] - curve[0][0]).days - earned, 1.0)
    return Guess(last_on, percent, pace, left / pace, len(window))


def forecast_gap(finish_on: dt.date | None, said_on: dt.date | None, threshold: int = GAP_DAYS) -> str:
    """The hint when a forecast and the unit's own expected finish lie more than `threshold` days apart; else nothing."""
    if finish_on is None or said_on is None or abs(days := (finish_on - said_on).days) <= threshold:
        return ""
    if days > 0:
        return f"单位预计{said_on}完工，按进度推算为{finish_on}，晚{days}天：请核实预计日期是否可行。"
    return f"单位预计{said_on}完工，按进度推算为{finish_on}，早{-days}天：请核对进度和预计日期。"


# ── How far off guesses are ─────────────────────────────────────────────────────────────────────────────────────────


def band_of(percent: float) -> int:
    """The band of progress in which guesses are off alike."""
    return sum(percent >= edge for edge in BANDS)


@dataclasses.dataclass(frozen=True, slots=True)
class Trial:
    """One look back: what was guessed on a day, and what remained in truth."""

    key: int  # of the project
    on: dt.date  # from here the remaining time counts
    percent: float
    days_guessed: float
    finished_on: dt.date | None  # None: not yet


def trials(key: int, course: Course, until: dt.date) -> list[Trial]:
    """What would have been guessed every four weeks of a course up to `until`."""
    found: list[Trial] = []
    for on, _ in course.reports:
        if on > until or (course.completed_on and on >= course.completed_on):
            break
        if found and (on - found[-1].on).days < STEP_DAYS:
            continue
        one = guess(on, course)
        if isinstance(one, Guess):
            found.append(Trial(key, on, one.percent, one.days_left, course.completed_on))
    return found


def calibrate(found: Iterable[Trial], day: dt.date, *, without: int | None = None) -> dict[int, Band]:
    """The bands as known on `day`, each project weighing the same; `without` leaves one project out.

    A project that is not finished yet is not forgotten: it took at least as long as it has taken (censored), else the slow
    ones would be missing exactly while they are slow.
    """
    bands: dict[int, dict[int, list[tuple[float, bool]]]] = {}
    for trial in found:
        if trial.on >= day or trial.key == without:
            continue
        is_finished = trial.finished_on is not None and trial.finished_on <= day
        end = trial.finished_on if trial.finished_on is not None and is_finished else day
        ratio = (end - trial.on).days / trial.days_guessed
        bands.setdefault(band_of(trial.percent), {}).setdefault(trial.key, []).append((ratio, is_finished))
    shown = {band: _band(of) for band, of in sorted(bands.items())}
    return {band: one for band, one in shown.items() if one.finished >= LEAST_FINISHED}


def _band(of: Mapping[int, Sequence[tuple[float, bool]]]) -> Band:
    weighed = sorted((ratio, not happened, 1 / len(rows)) for rows in of.values() for ratio, happened in rows)
    finished = sum(any(happened for _, happened in rows) for rows in of.values())
    if finished < LEAST_FINISHED:
        return Band(finished, None, None, None)
    # The next project is one more than those seen, and may lie beyond all of them (conformal prediction): the ends move outwards.
    outwards = ((LOW * (finished + 1) - 1) / finished, MIDDLE, HIGH * (finished + 1) / finished)
    low, middle, high = _quantiles(weighed, outwards)
    return Band(finished, low, middle, high)


def _quantiles(weighed: Sequence[tuple[float, bool, float]], shares: Sequence[float]) -> list[float | None]:
    """Kaplan-Meier: the values (value, is censored, weight), in order, below which each share ends; None where too many are censored."""
    at_risk, still = sum(weight for _, _, weight in weighed), 1.0
    result: list[float | None] = [None] * len(shares)
    for value, is_censored, weight in weighed:
        if not is_censored:
            still *= 1 - min(weight / at_risk, 1.0)
        at_risk = max(at_risk - weight, 1e-12)
        for place, share in enumerate(shares):
            if result[place] is None and 1 - still >= share - 1e-9:
                result[place] = value
    return result


# ── The plan's curve ────────────────────────────────────────────────────────────────────────────────────────────────


def plan_curve(plans: Mapping[dt.date, Decimal], start_on: dt.date, finish_on: dt.date) -> list[tuple[dt.date, float]]:
    """The plan's corners (day, percent), from its start at 0 to the first day at 100, never falling."""
    first, last = min([start_on, *plans]), max([finish_on, *map(month_end, plans)])
    months = (last.year - first.year) * 12 + last.month - first.month
    days = sorted({start_on, finish_on, *(month_end(add_months(month_start(first), n)) for n in range(-1, months + 1))})
    corners: list[tuple[dt.date, float]] = []
    for on in days:
        percent = max(float(planned(on, plans, start_on, finish_on)), corners[-1][1] if corners else 0.0)
        if percent <= 0:
            corners = [(on, 0.0)]  # the last day before anything is due
        else:
            corners.append((on, percent))
        if percent >= 100:
            break
    if len(corners) == 1:  # start and finish on one day
        corners.insert(0, (corners[0][0] - dt.timedelta(days=1), 0.0))
    if corners[-1][1] < 100:  # a plan that never says 100 ends with the baseline
        corners.append((max(finish_on, corners[-1][0] + dt.timedelta(days=1)), 100.0))
    return corners


def earned_days(curve: Corners, percent: Decimal | float) -> float:
    """How many days after the plan's start it reaches `percent`."""
    value, start = float(percent), curve[0][0]
    before_on, before = curve[0]
    for on, at in curve[1:]:
        if at >= value:
            share = max((value - before) / (at - before), 0.0) if at > before else 0.0
            return (before_on - start).days + share * (on - before_on).days
        before_on, before = on, at
    return float((curve[-1][0] - start).days)


def percent_at(curve: Corners, days: float) -> float:
    """The percent that the plan has reached `days` after its start: what `earned_days` undoes."""
    start = curve[0][0]
    before, low = 0, curve[0][1]
    for on, high in curve[1:]:
        after = (on - start).days
        if days <= after:
            return low + (high - low) * max(days - before, 0.0) / (after - before)
        before, low = after, high
    return 100.0


def projected(curve: Corners, percent: float, since: dt.date, finish_on: dt.date, days: Sequence[dt.date]) -> list[float]:
    """The percent on each of `days` of a work that stands at `percent` on `since` and goes on in its plan's shape to 100 on `finish_on`."""
    earned, total = earned_days(curve, percent), float((curve[-1][0] - curve[0][0]).days)
    span, result = max((finish_on - since).days, 1), []
    for day in days:
        share = min(max((day - since).days, 0) / span, 1.0)
        done = 100.0 if day >= finish_on else percent_at(curve, earned + (total - earned) * share)
        result.append(max(percent, done) if day > since else percent)
    return result


def _median_slope(points: Sequence[tuple[int, float]]) -> float:
    """Theil-Sen: the median of the slopes between every two points that lie far enough apart."""
    slopes = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in combinations(points, 2) if b[0] - a[0] >= APART_DAYS]
    return statistics.median(slopes) if slopes else 0.0


def _after(found: Guess, multiple: float) -> dt.date | None:
    days = found.days_left * multiple
    return None if days > FAR_DAYS else found.last_on + dt.timedelta(days=round(days))


def _sentence(
    found: Guess, band: Band | None, finish_on: dt.date, early_on: dt.date | None, late_on: dt.date | None, baseline_finish_on: dt.date
) -> str:
    against = (finish_on - baseline_finish_on).days
    word = f"比基线晚{against}天" if against > 0 else f"比基线早{-against}天" if against < 0 else "与基线相同"
    told = f"按近{found.reports}期和开工以来的进度（为计划速度的{found.pace:.0%}）推算，{finish_on}完工，{word}"
    if band is None or early_on is None:
        return f"{told}；同样进度的完工项目不足{LEAST_FINISHED}个，不给区间。"
    ground = f"（据本市{band.finished}个完工项目的偏差）"
    if late_on is None:
        return f"{told}；九成把握不早于{early_on}，最晚说不准{ground}。"
    return f"{told}；八成把握在{early_on}至{late_on}之间{ground}。"


def _refused(reports: int, reason: str, pace: float | None = None, *, is_stalled: bool = False) -> Forecast:
    return Forecast(None, None, None, pace, reports, reason, is_stalled)
