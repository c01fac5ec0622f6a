"""How sections, rivers and changes are assessed. Source: 环办〔2011〕22号《地表水环境质量评价办法(试行)》.

Values are Decimals by item key, of one sample or one period; a judgement carries the items it stands on. What was
written down from memory of the text is marked [check].
"""

import dataclasses
import functools
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from operator import attrgetter

from monitoring.enums import Change, Rating, WaterBody, WaterClass
from monitoring.limits import Limit, Limits
from monitoring.standards.gb3838 import classify
from monitoring.standards.statistics_2020_82 import mean, rounded_for_assessment

Values = Mapping[str, Decimal | None]  # by item key; None = missing; an item that is not there is not monitored
Pollutants = tuple[tuple[str, Decimal | None], ...]  # item key and multiple, worst first

# They lead the main pollutants whenever they exceed (2.1; which ones count as heavy metals [check]).
CYANIDE_AND_HEAVY_METALS = frozenset({"cn", "hg", "cd", "cr6", "pb", "as", "cu", "zn"})
MAIN_POLLUTANTS_SHOWN = 3

RATINGS = {
    WaterClass.I: Rating.EXCELLENT,
    WaterClass.II: Rating.EXCELLENT,
    WaterClass.III: Rating.GOOD,
    WaterClass.IV: Rating.LIGHT,
    WaterClass.V: Rating.MODERATE,
    WaterClass.WORSE_THAN_V: Rating.HEAVY,
}


# ── One section ──────────────────────────────────────────────────────────────────────────────────────────────────────
def exceedance(limit: Limit, value: Decimal, target: WaterClass = WaterClass.III) -> Decimal | None:
    """超标倍数 against `target`: (C - L) / L, one decimal; None for pH and dissolved oxygen, which have none."""
    if limit.direction != "le":
        return None
    bound = limit.values[target - 1]
    return ((value - bound) / bound).quantize(Decimal("0.1"), ROUND_HALF_UP)


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Grade:
    """What one value of one item amounts to. Compared by identity, so that a whole line of grades can be looked up."""

    key: str
    water_class: WaterClass
    multiple: Decimal | None = None  # when worse than the target: against it, Ⅲ unless said otherwise
    precedence: tuple[bool, int, Decimal] | None = None  # when worse than the target: among main pollutants, smallest first


def grade(limit: Limit, value: Decimal, target: WaterClass = WaterClass.III) -> Grade:
    """The class of one value and, when it is worse than `target`, what ranks it among the main pollutants."""
    water_class = classify(limit, value)
    if water_class <= target:
        return _within(limit.key, water_class)
    exact = value / limit.values[target - 1] if limit.direction == "le" else Decimal(0)
    precedence = (limit.key not in CYANIDE_AND_HEAVY_METALS, -water_class, -exact)
    return Grade(limit.key, water_class, exceedance(limit, value, target), precedence)


_within = functools.cache(Grade)  # the same for all values of the class


def main_pollutants(grades: Iterable[Grade]) -> Pollutants:
    """The items worse than the target, worst class first, then by multiple, three at most; cyanide and heavy metals lead."""
    exceeding = sorted(filter(_precedence, grades), key=_precedence)
    return tuple([(found.key, found.multiple) for found in exceeding[:MAIN_POLLUTANTS_SHOWN]])


@dataclasses.dataclass(frozen=True, slots=True)
class Judgement:
    """What one set of values amounts to."""

    water_class: WaterClass | None  # None: nothing measured, or an item that should be there is missing
    items: tuple[str, ...]  # the items the class was judged by, in the order they were given
    deciding_items: tuple[str, ...]  # those of them that are as bad as the section
    main_pollutants: Pollutants  # worse than Ⅲ only: item and multiple against Ⅲ, worst first
    missing: tuple[str, ...]  # items that should have a value and have none

    @property
    def rating(self) -> Rating | None:
        return rating(self.water_class)


def judge(values: Values, limits: Limits, water_body: str = WaterBody.RIVER) -> Judgement:
    """A water is as bad as its worst assessed item.

    An item that `values` does not name is not monitored there and is left out; one whose value is None is missing,
    and then there is no class. Items outside the 21 assessed (total nitrogen among them) never matter.
    """
    assessed = _assessed(values, limits, water_body)
    grades = [grade(limit, value) for key, limit in assessed.items() if (value := values[key]) is not None]
    return conclude(grades, missing=tuple(key for key in assessed if values[key] is None))


def conclude(grades: Sequence[Grade], missing: tuple[str, ...] = ()) -> Judgement:
    """The judgement of a section from its items' grades, given in the order of the standard."""
    items = tuple(map(_key, grades))
    if missing or not grades:
        return Judgement(None, items, (), (), missing)
    deciding = worst(grades)
    return Judgement(deciding[0].water_class, items, tuple(map(_key, deciding)), main_pollutants(grades), ())


def worst(grades: Sequence[Grade]) -> list[Grade]:
    """Those that are as bad as the worst of them: they decide the class. At least one grade is given."""
    water_class = max(map(_class, grades))
    return [grade for grade in grades if grade.water_class is water_class]


_key, _class, _precedence = attrgetter("key"), attrgetter("water_class"), attrgetter("precedence")


def over_target(values: Values, limits: Limits, target: WaterClass, water_body: str = WaterBody.RIVER) -> Pollutants:
    """The items worse than the section's target with their multiples against it: another figure than `main_pollutants`."""
    assessed = _assessed(values, limits, water_body)
    return main_pollutants(grade(limit, value, target) for key, limit in assessed.items() if (value := values[key]) is not None)


def _assessed(values: Values, limits: Limits, water_body: str) -> dict[str, Limit]:
    return {key: limit for key in limits.order if key in values and (limit := limits.of(key, water_body)) and limit.is_assessed}


def rating(water_class: WaterClass | None) -> Rating | None:
    """The quality word of a class: 优 for Ⅰ and Ⅱ, 良好 for Ⅲ …; None where there is no class."""
    return None if water_class is None else RATINGS[water_class]


def is_good(water_class: WaterClass | None) -> bool:
    """优良: Ⅰ to Ⅲ. A water without a class is not good, and not counted among the evaluated either."""
    return water_class is not None and water_class <= WaterClass.III


def meets_target(water_class: WaterClass | None, target: WaterClass | None) -> bool | None:
    """达标: not worse than the target; None when either is unknown."""
    return None if water_class is None or target is None else water_class <= target


# ── A river, a basin, a city ─────────────────────────────────────────────────────────────────────────────────────────
LEAST_SECTIONS_FOR_SHARE = 5  # below that, items are averaged over the sections


@dataclasses.dataclass(frozen=True, slots=True)
class Shares:
    """How many of the evaluated sections are good (Ⅰ-Ⅲ) and how many worse than Ⅴ. Shares in percent, None of none."""

    evaluated: int
    good: int
    worse_than_v: int

    def percent(self, count: int) -> Decimal | None:
        """`count` of the evaluated, in percent, half up to one decimal."""
        return (Decimal(100 * count) / self.evaluated).quantize(Decimal("0.1"), ROUND_HALF_UP) if self.evaluated else None

    @property
    def good_share(self) -> Decimal | None:
        return self.percent(self.good)

    @property
    def worse_than_v_share(self) -> Decimal | None:
        return self.percent(self.worse_than_v)


def shares(classes: Iterable[WaterClass | None]) -> Shares:
    """Count; sections without a class (断流, 结冰, 停站, 缺测) leave the denominator."""
    found = [water_class for water_class in classes if water_class is not None]
    return Shares(len(found), sum(map(is_good, found)), found.count(WaterClass.WORSE_THAN_V))


def rating_by_share(counts: Shares) -> Rating | None:
    """The rating of five sections or more, from the exact shares: a limit that is reached counts.

    40 % worse than Ⅴ leaves at most 60 % good, so 重度污染 needs no second condition, at exactly 60/40 either.
    """
    if not counts.evaluated:
        return None
    if counts.good * 100 >= 90 * counts.evaluated:
        return Rating.EXCELLENT
    if counts.good * 100 >= 75 * counts.evaluated:
        return Rating.GOOD
    if counts.worse_than_v * 100 >= 40 * counts.evaluated:
        return Rating.HEAVY
    return Rating.MODERATE if counts.worse_than_v * 100 >= 20 * counts.evaluated else Rating.LIGHT


@dataclasses.dataclass(frozen=True, slots=True)
class WatersJudgement:
    """What the sections of one river, basin or city amount to together."""

    rating: Rating | None  # None: no section was evaluated
    shares: Shares
    is_by_share: bool  # else by the means of the items
    by_mean: Judgement | None  # of the averaged items, when there are fewer than five sections
    main_pollutants: Pollutants  # by mean: multiple against Ⅲ; by share: percent of the evaluated sections over Ⅲ
    reason: str


@dataclasses.dataclass(frozen=True, slots=True)
class Water:
    """One section's part in a river, basin or city: what it was found to be in the period."""

    values: Values
    water_class: WaterClass | None  # None: not evaluated (断流, 结冰, 停站, 缺测)
    over_iii: tuple[str, ...] = ()  # the items worse than Ⅲ
    water_body: str = WaterBody.RIVER


def judge_waters(sections: Sequence[Values | None], limits: Limits, water_body: str = WaterBody.RIVER) -> WatersJudgement:
    """Judge all sections of a river, basin or city by their values; None is a section that was not evaluated (断流, 结冰, 停站)."""
    return judge_together([_water(values or {}, limits, water_body) for values in sections], limits)


def judge_together(sections: Sequence[Water], limits: Limits) -> WatersJudgement:
    """Judge all sections of a river, basin or city together.

    The number of all sections chooses the method, the evaluated ones are the denominator. Rivers and lakes have
    limits of their own, so fewer than five sections of both kinds have no mean and no rating. The main pollutants of
    fewer than five sections are those of the averaged items [check: the text may want each section's own].
    """
    evaluated = [section for section in sections if section.water_class is not None]
    counts = shares(section.water_class for section in evaluated)
    if len(sections) >= LEAST_SECTIONS_FOR_SHARE:
        found = rating_by_share(counts)
        return WatersJudgement(found, counts, True, None, _by_share_over(evaluated, counts, limits), _share_reason(counts, found))
    bodies = {section.water_body for section in evaluated}
    if len(bodies) > 1:
        return WatersJudgement(None, counts, False, None, (), f"河流和湖库断面共{counts.evaluated}个，限值不同，不求均值，分别评价。")
    body = bodies.pop() if bodies else WaterBody.RIVER
    by_mean = judge(means([section.values for section in evaluated], limits, body), limits, body)
    return WatersJudgement(by_mean.rating, counts, False, by_mean, by_mean.main_pollutants, _mean_reason(counts, by_mean))


def _water(values: Values, limits: Limits, water_body: str) -> Water:
    judgement = judge(values, limits, water_body)
    return Water(values, judgement.water_class, over_iii(values, limits, water_body), water_body)


def over_iii(values: Values, limits: Limits, water_body: str = WaterBody.RIVER) -> tuple[str, ...]:
    """All assessed items worse than Ⅲ, in the order of the standard."""
    assessed = _assessed(values, limits, water_body)
    return tuple(key for key, limit in assessed.items() if (value := values[key]) is not None and classify(limit, value) > WaterClass.III)


def means(sections: Collection[Values], limits: Limits, water_body: str = WaterBody.RIVER) -> dict[str, Decimal | None]:
    """Each assessed item averaged over the sections that have it, rounded as any mean that is judged and printed."""
    result: dict[str, Decimal | None] = {}
    for key in limits.order:
        found = mean(key, [value for values in sections if (value := values.get(key)) is not None])
        if found is not None and (limit := limits.of(key, water_body)) and limit.is_assessed:
            result[key] = rounded_for_assessment(limit, found)
    return result


def _by_share_over(evaluated: Sequence[Water], counts: Shares, limits: Limits) -> Pollutants:
    """The items over Ⅲ at the most sections, with their share of the evaluated sections in percent (断面超标率)."""
    over = Counter(key for section in evaluated for key in section.over_iii)
    ranked = sorted(over, key=lambda key: (-over[key], limits.order.index(key)))[:MAIN_POLLUTANTS_SHOWN]
    return tuple((key, counts.percent(over[key])) for key in ranked)


def _share_reason(counts: Shares, found: Rating | None) -> str:
    if found is None:
        return "没有参评断面，未评价。"
    return (
        f"参评断面{counts.evaluated}个，Ⅰ～Ⅲ类{counts.good}个（{counts.good_share}%），"
        f"劣Ⅴ类{counts.worse_than_v}个（{counts.worse_than_v_share}%），水质{_state(found)}。"
    )


def _mean_reason(counts: Shares, judgement: Judgement) -> str:
    if not counts.evaluated:
        return "没有参评断面，未评价。"
    if judgement.water_class is None or judgement.rating is None:
        return f"参评断面{counts.evaluated}个，只有类别、没有浓度，不能求均值，未评价。"
    return f"参评断面{counts.evaluated}个，按各指标断面均值评价为{judgement.water_class.label}类，水质{_state(judgement.rating)}。"


def _state(found: Rating) -> str:
    return "为优" if found == Rating.EXCELLENT else str(found.label)


# ── Change between two periods ───────────────────────────────────────────────────────────────────────────────────────
def change_by_rating(before: Rating | None, after: Rating | None) -> Change | None:
    """By steps of rating: Ⅰ to Ⅱ is no change, one step 有所, two or more 明显; None when a period was not assessed."""
    return None if before is None or after is None else Change(max(-2, min(2, before - after)))


def change_by_share(before: Shares, after: Shares) -> Change | None:
    """By shares: x = ΔG - ΔD in points, from the exact shares; to 10 none, to 20 有所, beyond 明显."""
    if not before.evaluated or not after.evaluated:
        return None
    x = _balance(after) - _balance(before)
    size = 0 if abs(x) <= 10 else 1 if abs(x) <= 20 else 2
    return Change(size if x > 0 else -size)


def _balance(counts: Shares) -> Fraction:
    return Fraction(100 * (counts.good - counts.worse_than_v), counts.evaluated)


def change(before: WatersJudgement, after: WatersJudgement) -> Change | None:
    """By rating, and by share where both periods were judged so: the larger of the two, of equals the share's [check]."""
    by_rating = change_by_rating(before.rating, after.rating)
    if by_rating is None or not (before.is_by_share and after.is_by_share):
        return by_rating
    by_share = change_by_share(before.shares, after.shares)
    return max((by_share, by_rating), key=lambda found: abs(found or 0))
