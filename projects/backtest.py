"""How far off the forecasts would have been on the office's own finished projects: `/projects/scurve/accuracy/`, `backtest_forecast`."""

import dataclasses
import datetime as dt
import itertools
import statistics
from collections.abc import Iterable, Iterator, Sequence

from django.core.cache import cache

from linfen_water import trail
from projects.courses import KEPT_SECONDS, office_courses
from projects.forecast import STEP_DAYS, Band, Course, Forecast, Trial, band_of, calibrate, guess, trials

SHARES = (0.25, 0.5, 0.75)  # of the real time from start to completion, between which errors are told apart
LINE_DAYS = 5 * 366  # where a straight line leads nowhere near


@dataclasses.dataclass(frozen=True, slots=True)
class Look:
    """One look back at a finished project: errors in days, positive = told too late."""

    share: float  # of the real time elapsed
    forecast: int
    baseline: int
    line: int
    is_inside: bool | None  # None: no interval was given
    width: int | None


@dataclasses.dataclass(frozen=True, slots=True)
class Score:
    """Errors of the looks of one span."""

    label: str
    looks: int
    projects: int
    median: dict[str, float]  # by method: median absolute error in days
    bias: dict[str, float]  # by method: median error
    covered: float | None  # percent of the intervals that held
    intervals: int
    width: float | None  # median days from one end to the other

    @property
    def signed(self) -> dict[str, str]:
        """The bias of each method with its sign, in whole days."""
        return {name: f"{days:+.0f}".replace("-", "−") for name, days in self.bias.items()}


METHODS = {"forecast": "推算", "baseline": "基线日期", "line": "直线外推"}


@dataclasses.dataclass(frozen=True, slots=True)
class Backtest:
    """`left_out`: set right by all other projects; `walked`: by what was known on the day itself, as the office sees it."""

    projects: int  # finished ones that could be looked at
    finished: int
    refused: int  # looks at a project under construction where nothing was told
    told: int
    left_out: list[Score]
    walked: list[Score]
    overdue: int  # intervals given to projects that are unfinished today, already passed
    open: int  # and not yet passed


def read_backtest(day: dt.date) -> Backtest:
    """The office's back-test as known on `day`: computed once per change of the facts."""
    key = f"backtest:{trail.state()}:{day}"
    return cache.get_or_set(key, lambda: backtest(office_courses(day), day), KEPT_SECONDS)


def backtest(courses: dict[int, Course], day: dt.date) -> Backtest:
    """Look back every four weeks at each of `courses`, as known on `day`."""
    found = [trial for pk, course in courses.items() for trial in trials(pk, course, day)]
    done = [trial for trial in found if trial.finished_on]
    left_out = {pk: calibrate(found, day, without=pk) for pk in {trial.key for trial in done}}
    known_on = {on: calibrate(found, on) for on in {trial.on for trial in found}}
    outside = [late for trial in found if not trial.finished_on if (late := _ends(trial, known_on[trial.on])[2])]
    finished = {pk: course for pk, course in courses.items() if course.completed_on and not course.is_assumed}
    return Backtest(
        projects=len(left_out),
        finished=len(finished),
        refused=sum(_refused(course) for course in finished.values()),
        told=len(done),
        left_out=_scores([(t.key, _look(t, courses[t.key], left_out[t.key])) for t in done]),
        walked=_scores([(t.key, _look(t, courses[t.key], known_on[t.on])) for t in done]),
        overdue=sum(late < day for late in outside),
        open=sum(late >= day for late in outside),
    )


def _refused(course: Course) -> int:
    """How often, looking every four weeks between start and completion, nothing is told."""
    count, last = 0, None
    for on, _ in course.reports:
        if not course.started_on or on < course.started_on or (course.completed_on and on >= course.completed_on):
            continue
        if last is None or (on - last).days >= STEP_DAYS:
            last = on
            count += isinstance(guess(on, course), Forecast)
    return count


def _ends(trial: Trial, calibration: dict[int, Band]) -> tuple[dt.date, dt.date | None, dt.date | None]:
    band = calibration.get(band_of(trial.percent))
    multiples = (band.middle, band.low, band.high) if band else (None, None, None)
    middle, low, high = (m and trial.on + dt.timedelta(days=round(trial.days_guessed * m)) for m in multiples)
    return middle or trial.on + dt.timedelta(days=round(trial.days_guessed)), low, high


def _look(trial: Trial, course: Course, calibration: dict[int, Band]) -> Look:
    finish_on, early_on, late_on = _ends(trial, calibration)
    end, start = course.completed_on, course.started_on
    speed = trial.percent / max((trial.on - start).days, 1)
    line_on = trial.on + dt.timedelta(days=min(round((100 - trial.percent) / speed) if speed else LINE_DAYS, LINE_DAYS))
    is_given = early_on is not None and late_on is not None
    return Look(
        share=(trial.on - start).days / max((end - start).days, 1),
        forecast=(finish_on - end).days,
        baseline=(course.baseline(trial.on)[1] - end).days,
        line=(line_on - end).days,
        is_inside=early_on <= end <= late_on if is_given else None,
        width=(late_on - early_on).days if is_given else None,
    )


def _scores(looks: Sequence[tuple[int, Look]]) -> list[Score]:
    edges = (0.0, *SHARES, 1.01)
    spans = [(f"{low:.0%}-{min(high, 1):.0%}", low, high) for low, high in itertools.pairwise(edges)]
    scores = [_score(label, [(pk, look) for pk, look in looks if low <= look.share < high]) for label, low, high in spans]
    return [score for score in (*scores, _score("全部", looks)) if score.looks]


def _score(label: str, looks: Sequence[tuple[int, Look]]) -> Score:
    """Every look counts once; a project that took long has more of them."""
    errors: dict[str, list[int]] = {name: [getattr(look, name) for _, look in looks] for name in METHODS}
    given = [look for _, look in looks if look.is_inside is not None]
    return Score(
        label=label,
        looks=len(looks),
        projects=len({pk for pk, _ in looks}),
        median={name: statistics.median(map(abs, of)) if of else 0.0 for name, of in errors.items()},
        bias={name: statistics.median(of) if of else 0.0 for name, of in errors.items()},
        covered=100 * sum(bool(look.is_inside) for look in given) / len(given) if given else None,
        intervals=len(given),
        width=statistics.median(look.width for look in given) if given else None,
    )


def lines(result: Backtest) -> Iterator[str]:
    """The result as the command prints it."""
    yield f"完工项目{result.finished}个，其中{result.projects}个有可回看的推算（演示中按计划假定进度的公开项目不计）。"
    yield f"每4周回看一次：给出推算{result.told}次，因数据不足等未给{result.refused}次。"
    yield "误差 = 推算完工 − 实际完工，单位天，正数为推晚了。绝对误差和偏差均为中位数；区间目标覆盖率80%。"
    yield from _table("留一校准（用其他全部项目校准）", result.left_out)
    yield from _table("逐日回放（只用当时已知的项目校准，即专班办当时看到的）", result.walked)
    yield ""
    passed = f"上限已过仍未完工（落空）的{result.overdue}个，未到的{result.open}个"
    yield f"另有至今未完工项目当时的区间{result.overdue + result.open}个：{passed}。"


def _table(title: str, scores: Iterable[Score]) -> Iterator[str]:
    yield ""
    yield title
    words = "  ".join(f"{word}:误差/偏差" for word in METHODS.values())
    yield f"工期已过  次数  项目  {words}  区间覆盖(个数)  区间宽"
    for score in scores:
        told = "  ".join(f"{score.median[name]:.0f}/{score.bias[name]:+.0f}" for name in METHODS)
        covered = "不给" if score.covered is None else f"{score.covered:.0f}%({score.intervals})"
        width = "—" if score.width is None else f"{score.width:.0f}"
        yield f"{score.label}  {score.looks}  {score.projects}  {told}  {covered}  {width}"
