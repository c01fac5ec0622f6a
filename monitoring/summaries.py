"""What the sections of each river, and of the whole city, amount to together. Pure: section tables in, sentences out.

Sources: 环办〔2011〕22号 (rivers, basins, change), the rules of the city index (`standards/cwqi.py`).
"""

import dataclasses

from monitoring import rules
from monitoring.enums import Change, Level
from monitoring.reports import SectionRow, SectionTable
from monitoring.standards import cwqi

CITY = "全市"


@dataclasses.dataclass(frozen=True, slots=True)
class RiverSummary:
    """One river, or the whole city. A change is None where one of its periods was not assessed or not given."""

    name: str
    sections: int  # that take part, evaluated or not
    judgement: rules.WatersJudgement
    before: Change | None  # 环比
    year_before: Change | None  # 同比
    pollutants: tuple[str, ...]  # in words: 化学需氧量(0.8) by means, 化学需氧量(断面超标率40.0%) by share
    reason: str  # the judgement's sentence


def river_summaries(now: SectionTable, before: SectionTable | None, year_before: SectionTable | None) -> list[RiverSummary]:
    """Each river with a section that takes part, in the table's order, and the whole city last; nothing of no section.

    `before` and `year_before` are the tables of the periods to compare with (`reports.compared_tables`).
    """
    rivers = dict.fromkeys(row.river for row in taking_part(now))
    return [_summary(river, now, before, year_before) for river in (*rivers, None)] if rivers else []


def index_ranking(now: SectionTable) -> cwqi.Ranking:
    """The city index of each county on the sections that take part: smaller is better; 参考排名 where their items differ."""
    rows = taking_part(now)
    counties = dict.fromkeys(row.county for row in rows)
    return cwqi.rank([_unit(county, [row for row in rows if row.county == county]) for county in counties], now.limits)


def taking_part(table: SectionTable) -> list[SectionRow]:
    """The sections that speak for their river: the assessed ones always, others (其他) where they have values."""
    return [row for row in table.rows if row.level != Level.OTHER or row.is_evaluated or row.values]


def _summary(river: str | None, now: SectionTable, before: SectionTable | None, year_before: SectionTable | None) -> RiverSummary:
    judgement = _judge(river, now)
    changes = [rules.change(_judge(river, table), judgement) if table else None for table in (before, year_before)]
    return RiverSummary(
        name=river or CITY,
        sections=len(_rows(river, now)),
        judgement=judgement,
        before=changes[0],
        year_before=changes[1],
        pollutants=_pollutants(judgement, now),
        reason=judgement.reason,
    )


def _judge(river: str | None, table: SectionTable) -> rules.WatersJudgement:
    waters = [rules.Water(row.values, row.water_class, row.over_iii, row.water_body) for row in _rows(river, table)]
    return rules.judge_together(waters, table.limits)


def _rows(river: str | None, table: SectionTable) -> list[SectionRow]:
    """The sections of a river, or of the whole city (None)."""
    return [row for row in taking_part(table) if river in (None, row.river)]


def _pollutants(judgement: rules.WatersJudgement, table: SectionTable) -> tuple[str, ...]:
    words = "{}(断面超标率{}%)" if judgement.is_by_share else "{}({})"
    return tuple(
        table.limits.name(key) if figure is None else words.format(table.limits.name(key), figure)
        for key, figure in judgement.main_pollutants
    )


def _unit(county: str, rows: list[SectionRow]) -> cwqi.RankedUnit:
    """A county's sections that have values, rivers and lakes apart."""
    sections: dict[str, list] = {}
    for row in rows:
        if row.values:
            sections.setdefault(row.water_body, []).append(row.values)
    return cwqi.RankedUnit(county, sections)
