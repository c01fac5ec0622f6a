"""The table of all sections in a period, as bureaus publish it: the one source of the page, of ledger 16 and of the bulletin.

`section_table(day, period)` reads (four queries, however many sections), everything below it only puts together.
"""

import dataclasses
import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from monitoring import limits, rules
from monitoring.enums import Change, Level, PeriodKind, Rating, WaterBody, WaterClass
from monitoring.models import Assessment, Interruption, Section, SectionTarget
from monitoring.periods import Period, of
from monitoring.services import Causes, causes_of

LEVELS = [Level.NATIONAL, Level.PROVINCIAL, Level.OTHER]  # the order of every list


@dataclasses.dataclass(frozen=True, slots=True)
class Pollutant:
    """One main pollutant. `multiple` is against Ⅲ with one decimal; None where the item has none (dissolved oxygen, pH)."""

    key: str
    name: str
    multiple: Decimal | None

    def __str__(self) -> str:
        return self.name if self.multiple is None else f"{self.name}({self.multiple})"


@dataclasses.dataclass(frozen=True, slots=True)
class SectionRow:
    """One section in the period. A class is None where it was not evaluated, and then `note` says why."""

    pk: int
    name: str
    river: str
    order_along: float | None  # km from the river's source along its schematic line
    county: str
    county_code: str
    level: Level
    water_body: WaterBody
    target: WaterClass | None  # of the period's year
    water_class: WaterClass | None
    values: dict[str, Decimal]  # by item key, rounded for assessment
    items: tuple[str, ...]  # the items that the class stands on
    over_iii: tuple[str, ...]  # keys of those whose value is worse than Ⅲ, all of them
    deciding: tuple[str, ...]  # names of the items that are as bad as the section
    pollutants: tuple[Pollutant, ...]  # against Ⅲ, only when worse than Ⅲ
    over_target: tuple[Pollutant, ...]  # against the section's target: another figure
    note: str  # 断流, 氨氮缺测, 不含1月（结冰）; 未监测 when nothing is known
    class_before: WaterClass | None  # of the period before (环比)
    class_year_before: WaterClass | None  # of the same period a year earlier (同比)
    published_on: dt.date | None
    revision: int | None  # larger than 1: the result was corrected after its first publication
    source: str
    coord_quality: str

    @property
    def is_evaluated(self) -> bool:
        return self.water_class is not None

    @property
    def rating(self) -> Rating | None:
        return rules.rating(self.water_class)

    @property
    def meets_target(self) -> bool | None:
        return rules.meets_target(self.water_class, self.target)

    @property
    def month_on_month(self) -> Change | None:
        return rules.change_by_rating(rules.rating(self.class_before), self.rating)

    @property
    def year_on_year(self) -> Change | None:
        return rules.change_by_rating(rules.rating(self.class_year_before), self.rating)


@dataclasses.dataclass(frozen=True, slots=True)
class ShareLine:
    """One of the lines below the table: 国考断面, 省考断面 …, a river; with the shares of the periods compared."""

    label: str
    total: int  # sections in force, evaluated or not
    now: rules.Shares
    before: rules.Shares
    year_before: rules.Shares
    met: int  # sections that met their target
    with_target: int  # evaluated sections that have one


@dataclasses.dataclass(frozen=True, slots=True)
class SectionTable:
    period: Period
    day: dt.date  # as of
    rows: tuple[SectionRow, ...]
    limits: limits.Limits  # the limits in force at the period's end

    def lines(self) -> list[ShareLine]:
        """A line for each level that has sections, and for all when there is more than one level."""
        found = [share_line(f"{level.label}断面", rows) for level in LEVELS if (rows := [row for row in self.rows if row.level == level])]
        return [*found, share_line("全部断面", self.rows)] if len(found) > 1 else found

    def of_level(self, level: str) -> tuple[SectionRow, ...]:
        return tuple(row for row in self.rows if row.level == level)


def section_table(day: dt.date, period: Period) -> SectionTable:
    """Every section in force at the period's end, with its assessment as published by `day`. Four queries.

    National sections first, then by river and along it.
    """
    return section_tables(day, [period])[0]


def section_tables(day: dt.date, periods: Sequence[Period]) -> list[SectionTable]:
    """The tables of several periods of one kind, in their order. Four queries, however many periods and sections."""
    if not periods:
        return []
    sections = list(Section.objects.select_related("river", "county"))
    targets = {(pk, year): c for pk, year, c in SectionTarget.objects.values_list("section", "year", "water_class")}
    found = _standing(day, [p for period in periods for p in (period, period.before, period.year_before) if p])
    is_month = periods[0].kind == PeriodKind.MONTH
    causes = causes_of(sections, min(p.starts_on for p in periods), max(p.ends_on for p in periods)) if is_month else {}
    return [_table(day, period, sections, targets, found, causes) for period in periods]


def compared_tables(day: dt.date, period: Period) -> tuple[SectionTable, SectionTable | None, SectionTable]:
    """The tables of the period, of the one before (None for 1-N月, which has none) and of the year before. Four queries."""
    now, year_before, *before = section_tables(day, [p for p in (period, period.year_before, period.before) if p])
    return now, before[0] if before else None, year_before


def latest_month(day: dt.date, sections=None) -> dt.date | None:
    """First day of the last month that any national section (or any of `sections`) has an assessment of, as published by `day`."""
    known = Assessment.objects.known_by(day).filter(period_kind=PeriodKind.MONTH)
    known = known.filter(section__level=Level.NATIONAL) if sections is None else known.filter(section__in=sections)
    return known.order_by("-starts_on").values_list("starts_on", flat=True).first()


def published_periods(day: dt.date) -> list[Period]:
    """Every period with an assessment published by `day`, the last first. One query."""
    known = Assessment.objects.known_by(day).order_by().values_list("period_kind", "starts_on", "ends_on").distinct()
    return sorted(
        (Period(starts_on, ends_on, kind) for kind, starts_on, ends_on in known), key=lambda p: (p.ends_on, p.starts_on), reverse=True
    )


def share_line(label: str, rows: Iterable[SectionRow]) -> ShareLine:
    rows = list(rows)
    judged = [row.meets_target for row in rows if row.meets_target is not None]
    return ShareLine(
        label=label,
        total=len(rows),
        now=rules.shares(row.water_class for row in rows),
        before=rules.shares(row.class_before for row in rows),
        year_before=rules.shares(row.class_year_before for row in rows),
        met=sum(judged),
        with_target=len(judged),
    )


# ── Putting together ─────────────────────────────────────────────────────────────────────────────────────────────────
def _table(
    day: dt.date,
    period: Period,
    sections: list[Section],
    targets: dict[tuple[int, int], int],
    standing: dict[tuple[int, Period], Assessment],
    causes: Mapping[int, Causes],
) -> SectionTable:
    table = limits.in_force_on(max(period.ends_on, limits.first_day()))
    compared = [p for p in (period, period.before, period.year_before) if p]
    rows = [
        _row(
            section,
            period,
            table,
            targets.get((section.pk, period.year)),
            {p: standing.get((section.pk, p)) for p in compared},
            causes.get(section.pk, {}),
        )
        for section in sections
        if section.is_in_force(period.ends_on)
    ]
    return SectionTable(period, day, tuple(sorted(rows, key=_order)), table)


def _standing(day: dt.date, periods: list[Period]) -> dict[tuple[int, Period], Assessment]:
    kind = periods[0].kind
    rows = Assessment.objects.standing(day).filter(
        period_kind=kind, starts_on__in=[p.starts_on for p in periods], ends_on__in=[p.ends_on for p in periods]
    )
    return {(row.section_id, of(kind, row.starts_on, row.ends_on)): row for row in rows}


def _row(
    section: Section,
    period: Period,
    table: limits.Limits,
    target: int | None,
    found: dict[Period, Assessment | None],
    causes: Causes,
) -> SectionRow:
    row = found[period]
    values = {key: Decimal(value) for key, value in row.values.items()} if row else {}
    wanted = WaterClass(target) if target else None
    water_class = _class(row)
    over = rules.over_target(values, table, wanted, section.water_body) if wanted and water_class and water_class > wanted else ()
    return SectionRow(
        pk=section.pk,
        name=section.name,
        river=section.river.name,
        order_along=section.order_along,
        county=section.county.name,
        county_code=section.county.code,
        level=Level(section.level),
        water_body=WaterBody(section.water_body),
        target=wanted,
        water_class=water_class,
        values=values,
        items=tuple(row.items) if row else (),
        over_iii=tuple(key for key in row.items if _is_over(table.of(key, section.water_body), values.get(key))) if row else (),
        deciding=tuple(map(table.name, row.deciding_items)) if row else (),
        pollutants=tuple(pollutant(table, key, multiple) for key, multiple in row.main_pollutants) if row else (),
        over_target=tuple(pollutant(table, key, multiple) for key, multiple in over),
        note=(row.note if row else "") or _why_not(water_class, period, causes),
        class_before=_class(found.get(period.before)) if period.before else None,
        class_year_before=_class(found.get(period.year_before)),
        published_on=row.published_on if row else None,
        revision=row.revision if row else None,
        source=row.source if row else "",
        coord_quality=section.coord_quality,
    )


def _is_over(limit: limits.Limit | None, value: Decimal | None) -> bool:
    return limit is not None and value is not None and rules.classify(limit, value) > WaterClass.III


def _why_not(water_class: WaterClass | None, period: Period, causes: Causes) -> str:
    if water_class is not None:
        return ""
    cause = causes.get(period.starts_on)
    return Interruption(cause=cause).get_cause_display() if cause else "未监测"


def _class(row: Assessment | None) -> WaterClass | None:
    return WaterClass(row.water_class) if row and row.water_class else None


def pollutant(table: limits.Limits, key: str, multiple) -> Pollutant:
    return Pollutant(key, table.name(key), None if multiple is None else Decimal(multiple))


def _order(row: SectionRow) -> tuple:
    return LEVELS.index(row.level), row.river, row.order_along if row.order_along is not None else 1e9, row.pk
