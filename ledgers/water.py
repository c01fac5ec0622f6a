"""断面水质台账: a section in a month. Its facts are those of `monitoring.reports`, the one source of the sections table."""

import dataclasses
import datetime as dt
import functools
from collections.abc import Iterable, Iterator
from decimal import Decimal

from ledgers.choices import kept_offer
from ledgers.documents.wording import percent, ratio
from ledgers.rows import Rows
from linfen_water import clock
from linfen_water.models import User
from monitoring import limits
from monitoring.enums import PeriodKind
from monitoring.limits import FIVE
from monitoring.periods import Period, month
from monitoring.reports import LEVELS, SectionRow, SectionTable, latest_month, published_periods, section_tables, share_line
from projects.works_water import ServingProject, section_projects


@dataclasses.dataclass(frozen=True)
class Source:
    """What the ledger can show to `user` (None: all) as of `day`; rows are read when months are chosen."""

    day: dt.date
    user: User | None

    @functools.cached_property
    def months(self) -> list[Period]:
        """Every month with a published result, the last first."""
        return kept_offer(f"months:{self.day}", lambda: [one for one in published_periods(self.day) if one.kind == PeriodKind.MONTH])

    @functools.cached_property
    def latest(self) -> Period | None:
        """What the ledger opens with: the last month published for the national sections, else for any."""
        found = kept_offer(f"latest-month:{self.day}", lambda: latest_month(self.day))
        return month(found) if found else next(iter(self.months), None)

    def none(self) -> Rows:
        return Rows()

    def read(self, months: Iterable[Period]) -> Rows:
        """Every section in force in each of `months`, earlier months first. Six queries, however many months and sections."""
        tables = section_tables(self.day, sorted(months))
        works = section_projects(self.day, self.user, {row.pk for table in tables for row in table.rows})
        suffix = "" if self.day == clock.today() else f"?as_of={self.day}"
        found = [(table, row) for table in tables for row in table.rows]
        return Rows(_row(place, table, row, works.get(row.pk, []), suffix) for place, (table, row) in enumerate(found))


def rows(day: dt.date, user: User | None = None) -> Source:
    return Source(day, user)


def _row(place: int, table: SectionTable, row: SectionRow, works: list[ServingProject], suffix: str) -> dict:
    return {
        "key": f"{row.pk}.{table.period}",
        "same_as": str(row.pk),
        "row": row,
        "period": table.period,
        "place": place,
        "suffix": suffix,  # keeps the day in links
        "section": row.name,
        "month": str(table.period),
        "river": row.river,
        "county": row.county,
        "county_code": row.county_code,
        "level": row.level.label,
        "level_place": LEVELS.index(row.level),
        "target": row.target,
        **dict.fromkeys(table.limits.order),
        **row.values,
        "water_class": row.water_class,
        "meets_target": row.meets_target,
        "pollutants": row.pollutants,
        "over_target": row.over_target,
        "year_on_year": row.year_on_year,
        "month_on_month": row.month_on_month,
        "published_on": row.published_on,
        "note": _note(row),
        "works": works,
        "works_count": len(works) or None,
    }


def _note(row: SectionRow) -> str:
    corrected = f"已更正（第{row.revision}版）" if row.revision and row.revision > 1 else ""
    return "；".join(filter(None, [row.note, corrected]))


def own_items(chosen: Iterable[dict]) -> list[str]:
    """The items beside the five that any of the rows has a value of (X项), in the order of the standard."""
    found = {key for row in chosen for key in row["row"].values if key not in FIVE}
    order = limits.table().order
    return sorted(found, key=lambda key: order.index(key) if key in order else len(order))


# ── Below the table ──────────────────────────────────────────────────────────────────────────────────────────────────
@dataclasses.dataclass(frozen=True)
class Totals:
    """How many rows, and how many of those evaluated are good and meet their target: n/m, never a mean of classes.

    No shares of rows that were chosen by their class or by whether they met their target.
    """

    count: int
    water_class: str | None
    meets_target: str | None
    words: str


def totals(day: dt.date, chosen: Rows) -> Totals:
    line = share_line("", [row["row"] for row in chosen])
    has_shares = not chosen.is_by_result
    return Totals(
        count=len(chosen),
        water_class=f"Ⅰ—Ⅲ类 {ratio(line.now.good, line.now.evaluated)}" if has_shares else None,
        meets_target=f"达标 {ratio(line.met, line.with_target)}" if has_shares else None,
        words="；".join(_lines(chosen)) if has_shares else "已按评价结果筛选，不计算比例",
    )


def spoken_totals(sums: Totals) -> str:
    return sums.words


def _lines(chosen: Rows) -> Iterator[str]:
    """国考断面9个，参评9个，Ⅰ—Ⅲ类8个（88.9%，8/9），劣Ⅴ类0个，达标9个（9/9）; a line for each level."""
    unit = "次" if len({row["period"] for row in chosen}) > 1 else "个"
    for level in LEVELS:
        of_level = [row["row"] for row in chosen if row["row"].level == level]
        if not of_level:
            continue
        line = share_line(f"{level.label}断面", of_level)
        now = line.now
        said = f"{line.label}{line.total}{unit}，参评{now.evaluated}{unit}"
        if now.evaluated:
            said += f"，Ⅰ—Ⅲ类{now.good}{unit}（{_share(now.good_share)}，{ratio(now.good, now.evaluated)}），劣Ⅴ类{now.worse_than_v}{unit}"
        if line.with_target:
            said += f"，达标{line.met}{unit}（{ratio(line.met, line.with_target)}）"
        yield said


def _share(share: Decimal | None) -> str:
    return percent(share)


def notes(chosen: Rows) -> list[str]:
    """What a reader must know of the figures."""
    several = len({row["period"] for row in chosen}) > 1
    return [
        "浓度为手工监测的月均值，按评价要求修约；类别按单因子评价，参评指标为五项和本断面的X项。自动站数据不参与评价。",
        "主要污染物的超标倍数对Ⅲ类标准计算；“对目标超标”对本断面考核目标计算，两者不可混用。断流、结冰、停站和缺测的断面不参评，不计入比例的分母。",
        *(["多个月一并列出时，比例按断面月次计，不是全年或累计评价结果。"] if several else []),
        "周边工程为清单上以本断面为服务断面、且本账号可以查看的工程；只列出位置关系，不表示水质变化由其引起。",
    ]
