"""How many projects stood where in which week, for lists too long to show each project: columns in, counts out.

A spell is a stretch of time that a project stood on the list with one county and one investment; a project that was delisted,
or moved to another county, has an earlier one. So the counts of any past week are those of that week's list.
"""

import dataclasses
import datetime as dt
from collections.abc import Sequence

import numpy as np

from projects.models import Dispatch, ProjectVersion

NEVER = 1 << 30  # a day, and a week, later than all
YI = 10_000  # 万元 in one 亿元
SERIES = ("total", "started", "finished", "started_now", "finished_now")


@dataclasses.dataclass(frozen=True)
class Spells:
    """One element a spell. Days are ordinals, NEVER = not by the day that was asked for."""

    project: np.ndarray
    county: np.ndarray  # primary keys
    domain: np.ndarray
    since: np.ndarray
    until: np.ndarray  # exclusive
    joined: np.ndarray  # since when the project stands on the list without a gap, here or in another county
    started: np.ndarray
    completed: np.ndarray
    expected_start: np.ndarray  # as forecast, else as planned
    expected_finish: np.ndarray
    investment_wan: np.ndarray
    lon: np.ndarray  # nan = no site
    lat: np.ndarray

    @property
    def is_now(self) -> np.ndarray:
        """Which are on the list on the day."""
        return self.until == NEVER

    def chosen(self, which: np.ndarray) -> "Spells":
        return Spells(**{field.name: getattr(self, field.name)[which] for field in dataclasses.fields(self)})


def read_spells(day: dt.date, projects) -> Spells:
    """Every spell of `projects` (a queryset) that began by `day`. Two queries, whatever their number."""
    rows = (
        ProjectVersion.objects.filter(project__in=projects, effective_from__lte=day, project__listed_on__lte=day)
        .order_by("project__number", "project__code", "effective_from")
        .values_list(
            "project_id", "county_id", "project__domain_id", "effective_from", "project__listed_on", "effective_to",
            "project__delisted_on", "project__started_on", "project__completed_on", "baseline_start_on", "baseline_finish_on",
            "total_investment_wan", "project__lon", "project__lat",
        )
    )  # fmt: skip
    columns = list(zip(*rows, strict=True)) or [()] * 14
    project, county, domain = (np.array(column, dtype=np.int64) for column in columns[:3])
    since = np.maximum(_ordinals(columns[3]), _ordinals(columns[4]))
    until, started, completed = (
        _by(day, column) for column in (np.minimum(_ordinals(columns[5]), _ordinals(columns[6])), *map(_ordinals, columns[7:9]))
    )
    forecasts = _forecasts(day, projects)
    start, finish = (
        np.array([f.toordinal() if f else -1 for f in (forecasts.get(pk, (None, None))[n] for pk in columns[0])], np.int64) for n in (0, 1)
    )
    spells = Spells(
        project, county, domain, since, until, since, started, completed,
        np.where(start >= 0, start, _ordinals(columns[9])), np.where(finish >= 0, finish, _ordinals(columns[10])),
        *(np.array(column, dtype=float) for column in columns[11:]),
    )  # fmt: skip
    return _joined(spells.chosen(since < until))


def _joined(spells: Spells) -> Spells:
    """With the day from which each project stands on the list without a gap."""
    goes_on = np.zeros(len(spells.since), bool)
    goes_on[1:] = (spells.project[1:] == spells.project[:-1]) & (spells.since[1:] == spells.until[:-1])
    first = np.maximum.accumulate(np.where(goes_on, 0, np.arange(len(goes_on))))
    return dataclasses.replace(spells, joined=spells.since[first])


def _ordinals(days: Sequence[dt.date | None]) -> np.ndarray:
    return np.array([d.toordinal() if d else NEVER for d in days], dtype=np.int64)


def _by(day: dt.date, ordinals: np.ndarray) -> np.ndarray:
    """What has not happened by `day` is not known on it."""
    return np.where(ordinals <= day.toordinal(), ordinals, NEVER)


def _forecasts(day: dt.date, projects) -> dict[int, tuple]:
    """What the last dispatch of each project expects; only those that expect anything."""
    last = projects.as_of(day).with_dispatch(day).order_by().values("dispatch_id")
    said = Dispatch.objects.filter(pk__in=last).exclude(forecast_start_on=None, forecast_finish_on=None).order_by()
    return {pk: (start, finish) for pk, start, finish in said.values_list("project_id", "forecast_start_on", "forecast_finish_on")}


@dataclasses.dataclass(frozen=True)
class Weeks:
    """Spells on the slider: weeks from `week0`, what is expected after the day's week counted as if it came."""

    since: np.ndarray
    until: np.ndarray
    joined: np.ndarray  # since when on the list, in any county
    started: np.ndarray  # from then on under construction or finished
    finished: np.ndarray
    length: int  # weeks of the slider

    def changes(self, series: str, group: np.ndarray, groups: int) -> np.ndarray:
        """By how much a series of `SERIES` changes, group by group and week by week."""
        if series == "total":
            return self._held(self.since, group, groups)
        if series in ("started", "finished"):
            return self._held(np.maximum(self.since, getattr(self, series)), group, groups)
        at = self.started if series == "started_now" else self.finished
        within = (self.joined < at) & (self.since <= at) & (at < self.until)  # it was there the week before
        if series == "started_now":
            within &= at < self.finished  # started and finished in one week is shown as finished
        return self._counted(at, within, group, groups)

    def _held(self, begin: np.ndarray, group: np.ndarray, groups: int, worth: np.ndarray | None = None) -> np.ndarray:
        """+1 (or its worth) when a spell begins to count, -1 when it ends."""
        within = begin < self.until
        return self._counted(begin, within, group, groups, worth) - self._counted(self.until, within, group, groups, worth)

    def held_sum(self, begin: np.ndarray, worth: np.ndarray) -> np.ndarray:
        """The sum of `worth` held in each week."""
        return self._held(np.maximum(self.since, begin), np.zeros(len(worth), np.int64), 1, worth)[0].cumsum()

    def _counted(self, at, within, group, groups: int, worth=None) -> np.ndarray:
        within = within & (at < self.length)
        places = group[within] * self.length + at[within]
        found = np.bincount(places, None if worth is None else worth[within], groups * self.length)
        return found.reshape(groups, self.length)


def on_slider(spells: Spells, day: dt.date, week0: dt.date) -> Weeks:
    """The spells by weeks; the slider ends in the week in which everything should be finished."""
    now = _weeks(np.array([day.toordinal()]), week0)[0]
    expected_start, expected_finish = (_weeks(days, week0) for days in (spells.expected_start, spells.expected_finish))
    last = int(max([now, *expected_finish[spells.is_now]]))
    started, finished = _weeks(spells.started, week0), _weeks(spells.completed, week0)
    finished = np.where((finished == NEVER) & (expected_finish > now), expected_finish, finished)
    started = np.where((started == NEVER) & (expected_start > now), expected_start, started)
    since, until, joined = (_weeks(days, week0) for days in (spells.since, spells.until, spells.joined))
    return Weeks(since, until, joined, np.minimum(started, finished), finished, last + 1)


def _weeks(ordinals: np.ndarray, week0: dt.date) -> np.ndarray:
    return np.where(ordinals == NEVER, NEVER, (ordinals - week0.toordinal()) // 7)


def counts(spells: Spells, weeks: Weeks, county_pks: Sequence[int], domain_pks: Sequence[int]) -> dict:
    """The counts of `wall.json`: changes by week for each county, sums of money by week, and projects by domain."""
    county, domain = _positions(spells.county, county_pks), _positions(spells.domain, domain_pks)
    return {
        **{name: weeks.changes(name, county, len(county_pks)).astype(int).tolist() for name in SERIES},
        "domains": weeks.changes("total", domain, len(domain_pks)).astype(int).tolist(),
        **money(spells, weeks),
    }


def money(spells: Spells, weeks: Weeks) -> dict:
    """Investment on the list, and that of finished projects, in 亿元 week by week."""
    worth = spells.investment_wan / YI
    return {
        "investment": weeks.held_sum(weeks.since, worth).round(2).tolist(),
        "finished_investment": weeks.held_sum(weeks.finished, worth).round(2).tolist(),
    }


def _positions(keys: np.ndarray, order: Sequence[int]) -> np.ndarray:
    position = {pk: index for index, pk in enumerate(order)}
    return np.array([position[int(key)] for key in keys], dtype=np.int64)
