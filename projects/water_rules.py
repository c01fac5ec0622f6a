"""Works and water, the rules: what lies upstream of a section, and how its water was before and after a work.

Sources: means by 环办监测函〔2020〕82号, classes, change and trend by 环办〔2011〕22号 (`monitoring/standards/`). No standard says how to
compare before and after a work: twelve months each way, equal calendar months only, and the least number of pairs are
proposals (建议值). Values in, verdict out: no ORM, no settings, no clock. Kilometres run along schematic lines, from the source.
"""

import dataclasses
import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal

import numpy as np
import shapely

from linfen_water.dates import add_months, month_end
from monitoring import rules
from monitoring.enums import Change, WaterBody, WaterClass
from monitoring.limits import Limits
from monitoring.standards.trend import Trend, trend

# ── Rivers ───────────────────────────────────────────────────────────────────────────────────────────────────────────
NEAR_RIVER_KM = 5.0  # 建议值: farther than that from every line, a work is by no river


@dataclasses.dataclass(frozen=True, slots=True)
class River:
    """One river: `mouth_km` lies on its parent's line (None: it joins beyond the map), `length_km` is its own (None: no line)."""

    name: str
    parent: str | None
    mouth_km: float | None
    length_km: float | None


@dataclasses.dataclass(frozen=True, slots=True)
class Place:
    """Where a point lies along the nearest river."""

    river: str
    km: float  # from the source
    off_km: float  # from the line


@dataclasses.dataclass(frozen=True, slots=True)
class Reach:
    """The part of a river whose water passes a section: from its source to `to_km`, which is `way_km` of river above the section."""

    to_km: float
    way_km: float | None  # None: a river without a line lies between


@dataclasses.dataclass(frozen=True, slots=True)
class Way:
    """That one place lies upstream of another, and how far along the rivers; None where it cannot be told."""

    km: float | None


@dataclasses.dataclass(frozen=True, slots=True)
class Station:
    """A section as a place on its river."""

    pk: int
    river: str
    km: float


def places(lines: Mapping[str, shapely.LineString], points: np.ndarray, limit_km: float = NEAR_RIVER_KM) -> list[Place | None]:
    """Where each point (rows of x, y in km) lies along the nearest of `lines` (km, source first); None beyond `limit_km`.

    Of two rivers equally near (a confluence) the one that comes first in `lines` counts.
    """
    if not lines or not len(points):
        return [None] * len(points)
    names, geometries, spots = list(lines), np.array(list(lines.values())), shapely.points(points)
    shapely.prepare(geometries)
    away = shapely.distance(geometries[:, None], spots[None, :])
    nearest = away.argmin(axis=0)
    off = away[nearest, np.arange(len(spots))]
    km = shapely.line_locate_point(geometries[nearest], spots)
    return [
        Place(names[n], round(float(k), 1), round(float(o), 1)) if o <= limit_km else None for n, k, o in zip(nearest, km, off, strict=True)
    ]


def reaches(rivers: Iterable[River], river: str, km: float) -> dict[str, Reach]:
    """Every river whose water passes `km` of `river`, and how much of it: the river above, and all that joins it there.

    A mouth at the very place counts as above. Rivers that flow into themselves end where they meet.
    """
    tributaries = defaultdict(list)
    for found in rivers:
        tributaries[found.parent].append(found)
    result, left = {river: Reach(km, 0.0)}, [river]
    while left:
        name = left.pop()
        below = result[name]
        for tributary in tributaries[name]:
            if tributary.name in result or tributary.mouth_km is None or tributary.mouth_km > below.to_km:
                continue
            if below.way_km is None or tributary.length_km is None:
                result[tributary.name] = Reach(float("inf") if tributary.length_km is None else tributary.length_km, None)
            else:
                result[tributary.name] = Reach(tributary.length_km, below.way_km + below.to_km - tributary.mouth_km)
            left.append(tributary.name)
    return result


def way_down(place: Place | None, found: Mapping[str, Reach]) -> Way | None:
    """How far `place` lies above the section that `found` are the reaches of; None when it is not upstream of it."""
    reach = found.get(place.river) if place else None
    if place is None or reach is None or place.km > reach.to_km:
        return None
    return Way(None if reach.way_km is None else round(reach.way_km + reach.to_km - place.km, 1))


def next_below(place: Place, rivers: Iterable[River], stations: Iterable[Station]) -> tuple[int, Way] | None:
    """The first station that the water of `place` passes, on its river or on what that flows into, and the way there."""
    known, stations = {river.name: river for river in rivers}, list(stations)
    river, km, way, seen = place.river, place.km, 0.0, set()
    is_measured = True
    while river not in seen:
        seen.add(river)
        below = min((s for s in stations if s.river == river and s.km >= km), key=lambda s: (s.km, s.pk), default=None)
        if below:
            return below.pk, Way(round(way + below.km - km, 1) if is_measured else None)
        here = known.get(river)
        if here is None or here.parent is None or here.mouth_km is None:
            return None
        is_measured = is_measured and here.length_km is not None
        way += (here.length_km or 0.0) - km
        river, km = here.parent, here.mouth_km
    return None


# ── Before and after ─────────────────────────────────────────────────────────────────────────────────────────────────
WINDOW_MONTHS = 12  # 建议值: each way
LEAST_PAIRS = 6  # 建议值: calendar months that both sides have

NO_CAUSE = "前后对比只说明时间上的先后，不说明因果：来水量、季节、气象、其他工程和排污变化都会影响水质。"

Means = Mapping[dt.date, Mapping[str, Decimal]]  # {first day of month: {item: mean of the month, not rounded}}


@dataclasses.dataclass(frozen=True, slots=True)
class ItemChange:
    """One item over the paired months. Means are rounded as any that is judged; the percentage is of the exact ones."""

    key: str
    name: str
    unit: str
    pairs: int
    before: Decimal
    after: Decimal
    class_before: WaterClass
    class_after: WaterClass
    percent: Decimal | None  # one decimal; None for pH, whose difference is the figure, and where nothing was there before
    trend_before: Trend  # of the months before the start alone: whether the water was changing already
    trend_after: Trend

    @property
    def difference(self) -> Decimal:
        return self.after - self.before


@dataclasses.dataclass(frozen=True, slots=True)
class Comparison:
    """How the water was before a start and after a finish, or why that is not said; `sentence` is quoted unchanged."""

    sentence: str
    is_refused: bool
    before: tuple[dt.date, ...] = ()  # the months compared, in order
    after: tuple[dt.date, ...] = ()
    items: tuple[ItemChange, ...] = ()
    class_before: WaterClass | None = None
    class_after: WaterClass | None = None
    change: Change | None = None
    caveats: tuple[str, ...] = ()  # what else may lie behind the figures, each a sentence


def refused(sentence: str) -> Comparison:
    return Comparison(sentence, is_refused=True)


def months_before(started_on: dt.date) -> tuple[dt.date, ...]:
    """The twelve months before the one of the start, which belongs to neither side."""
    return tuple(add_months(started_on, n - WINDOW_MONTHS) for n in range(WINDOW_MONTHS))


def months_after(completed_on: dt.date) -> tuple[dt.date, ...]:
    """The twelve months after the one of the finish, which belongs to neither side."""
    return tuple(add_months(completed_on, n + 1) for n in range(WINDOW_MONTHS))


def compare(
    started_on: dt.date | None,
    completed_on: dt.date | None,
    means: Means,
    items: Sequence[str],
    table: Limits,
    water_body: str = WaterBody.RIVER,
    caveats: Sequence[str] = (),
    least_pairs: int = LEAST_PAIRS,
) -> Comparison:
    """The means of the months before the start against those after the finish, on equal calendar months and common items.

    `items` are those that the section's class stands on; both sides are judged by one `table`. Refused, in words, when
    the work is not finished or the equal months are fewer than `least_pairs`.
    """
    if started_on is None or completed_on is None:
        return refused("尚未完工，不作前后对比。")
    before, after = months_before(started_on), months_after(completed_on)
    pairs = _pairs([month for month in before if means.get(month)], [month for month in after if means.get(month)])
    if len(pairs) < least_pairs:
        return refused(_too_few(before, after, means, len(pairs), least_pairs))
    changes = [
        found
        for key in table.order
        if key in items and (found := _item_change(key, pairs, before, after, means, table, water_body, least_pairs))
    ]
    left_out = _left_out([change.key for change in changes], items, before, after, means, table, least_pairs)
    if not changes:
        return refused("；".join([f"前后没有一项指标有{least_pairs}个以上相同月份的数据（建议值），不作前后对比", *left_out]) + "。")
    first, last = (
        rules.judge({change.key: getattr(change, side) for change in changes}, table, water_body).water_class
        for side in ("before", "after")
    )
    change = rules.change_by_rating(rules.rating(first), rules.rating(last))
    return Comparison(
        sentence=_sentence(pairs, changes, first, last, change),
        is_refused=False,
        before=tuple(sorted(month for month, _ in pairs)),
        after=tuple(sorted(month for _, month in pairs)),
        items=tuple(changes),
        class_before=first,
        class_after=last,
        change=change,
        caveats=(*([f"{'；'.join(left_out)}：只比较共有的指标。"] if left_out else []), *caveats),
    )


def _pairs(before: Sequence[dt.date], after: Sequence[dt.date]) -> list[tuple[dt.date, dt.date]]:
    """Months of both sides that are the same month of the year, in the order of the later side."""
    earlier = {month.month: month for month in before}
    return [(earlier[month.month], month) for month in after if month.month in earlier]


def _item_change(
    key: str,
    pairs: Sequence[tuple[dt.date, dt.date]],
    before: Sequence[dt.date],
    after: Sequence[dt.date],
    means: Means,
    table: Limits,
    water_body: str,
    least_pairs: int,
) -> ItemChange | None:
    limit = table.of(key, water_body)
    both = [(means[a][key], means[b][key]) for a, b in pairs if key in means[a] and key in means[b]]
    if limit is None or not limit.is_assessed or len(both) < least_pairs:
        return None
    first, last = (rules.mean(key, side) or Decimal(0) for side in zip(*both, strict=True))
    rounded = [rules.rounded_for_assessment(limit, value) for value in (first, last)]
    return ItemChange(
        key=key,
        name=table.name(key),
        unit="" if key == "ph" else limit.unit,
        pairs=len(both),
        before=rounded[0],
        after=rounded[1],
        class_before=rules.classify(limit, rounded[0]),
        class_after=rules.classify(limit, rounded[1]),
        percent=_percent(first, last) if limit.direction != "range" else None,
        trend_before=trend([means[month].get(key) for month in before if month in means]),
        trend_after=trend([means[month].get(key) for month in after if month in means]),
    )


def _percent(before: Decimal, after: Decimal) -> Decimal | None:
    return (100 * (after - before) / before).quantize(Decimal("0.1"), ROUND_HALF_UP) if before else None


def _left_out(
    compared: Sequence[str],
    items: Sequence[str],
    before: Sequence[dt.date],
    after: Sequence[dt.date],
    means: Means,
    table: Limits,
    least_pairs: int,
) -> list[str]:
    """Which items one side lacks, in words; an item that neither side has is nobody's difference."""
    found = []
    measured = {key for month in (*before, *after) for key in means.get(month, {})}
    assessed = {key for key, limit in table.items.items() if limit.is_assessed}  # an X item of earlier years is one of them
    for key in [*items, *sorted(measured & assessed - set(items))]:
        first, last = (sum(key in means.get(month, {}) for month in side) for side in (before, after))
        if key in compared or not (first or last):
            continue
        if not (first and last):
            found.append(f"{table.name(key)}只有{'开工前' if first else '完工后'}的数据")
        elif key in items:
            found.append(f"{table.name(key)}的相同月份不足{least_pairs}对（建议值）")
    return found


def _too_few(before: Sequence[dt.date], after: Sequence[dt.date], means: Means, pairs: int, least_pairs: int) -> str:
    first, last = (sum(bool(means.get(month)) for month in side) for side in (before, after))
    return (
        f"开工前12个月（{spell(before)}）已发布{first}个月，完工后12个月（{spell(after)}）已发布{last}个月，"
        f"相同月份{pairs}对，不足{least_pairs}对（建议值），不作前后对比。"
    )


def _sentence(
    pairs: Sequence[tuple[dt.date, dt.date]],
    changes: Sequence[ItemChange],
    first: WaterClass | None,
    last: WaterClass | None,
    change: Change | None,
) -> str:
    return (
        f"开工前（{spell([a for a, _ in pairs])}）与完工后（{spell([b for _, b in pairs])}）的{len(pairs)}个相同月份相比，"
        f"按共有{len(changes)}项指标的均值评价，{_classes(first, last)}，{change.label if change is not None else '不作评价'}。"
    )


def _classes(first: WaterClass | None, last: WaterClass | None) -> str:
    if first is None or last is None:
        return "不能定类"
    words = [f"{found.label}类（{grade.label}）" for found in (first, last) if (grade := rules.rating(found)) is not None]
    return f"前后均为{words[0]}" if first == last else f"由{words[0]}到{words[1]}"


def spell(months: Iterable[dt.date]) -> str:
    """From the first month to the last in words: 2023年1月—8月, 2024年9月—2025年1月."""
    ordered = sorted(months)
    first, last = ordered[0], ordered[-1]
    if first == last:
        return f"{first.year}年{first.month}月"
    return f"{first.year}年{first.month}月—" + (f"{last.year}年" if last.year != first.year else "") + f"{last.month}月"


# ── What else happened ───────────────────────────────────────────────────────────────────────────────────────────────
@dataclasses.dataclass(frozen=True, slots=True)
class Dates:
    """When a work started and finished, as known on the day."""

    code: str
    started_on: dt.date | None
    completed_on: dt.date | None


NAMED = 5


def other_works(first: dt.date, last: dt.date, others: Iterable[Dates]) -> str | None:
    """Which other works started or finished from `first` to `last`, in words; None when none did."""
    codes = [work.code for work in others if any(on and first <= on <= last for on in (work.started_on, work.completed_on))]
    if not codes:
        return None
    named = "、".join(codes[:NAMED]) + ("等" if len(codes) > NAMED else "")
    return f"同期另有{len(codes)}项相关工程开工或完工（{named}）。"


def not_sampled(months: Iterable[dt.date], causes: Mapping[dt.date, str]) -> str | None:
    """Which of the months have a cause of not being sampled (its word), in words; None when none has."""
    found = [f"{month.year}年{month.month}月{causes[month]}" for month in sorted(months) if month in causes]
    return f"期间未监测：{'、'.join(found)}。" if found else None


def window(started_on: dt.date, completed_on: dt.date) -> tuple[dt.date, dt.date]:
    """First and last day of all that a comparison looks at."""
    return months_before(started_on)[0], month_end(months_after(completed_on)[-1])
