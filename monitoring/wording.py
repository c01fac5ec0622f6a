"""The paragraphs at the head of a month's water report, by rule from the same table that they stand above. Pure.

Shares are compared as printed, with the counts they come from, so that a reader can check every figure.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal

from monitoring import rules
from monitoring.enums import Change, Level, PeriodKind, WaterClass
from monitoring.periods import Period
from monitoring.reports import LEVELS, Pollutant, SectionRow, SectionTable, ShareLine, share_line

MONTHS_COMPARED = {PeriodKind.MONTH: "上月", PeriodKind.QUARTER: "上季度"}  # other kinds have no 环比 of their own
LAST_YEAR = {PeriodKind.MONTH: "上年同月", PeriodKind.YEAR: "上年"}


def compares_with_before(period: Period) -> bool:
    """Whether 环比 says something: 1-N月 has nothing before it, and what is before a year is the year before (同比)."""
    return period.kind in MONTHS_COMPARED


def points(now: rules.Shares, before: rules.Shares) -> Decimal | None:
    """Change of the share of good sections in percentage points, of the printed shares; None where one is not known."""
    return None if now.good_share is None or before.good_share is None else now.good_share - before.good_share


def points_words(now: rules.Shares, before: rules.Shares) -> str:
    """提高17.5个百分点, 持平, 无可比数据."""
    difference = points(now, before)
    if difference is None:
        return "无可比数据"
    return "持平" if not difference else f"{'提高' if difference > 0 else '下降'}{abs(difference)}个百分点"


def paragraphs(table: SectionTable) -> list[str]:
    """What the table says in the words of the monthly report, a paragraph a level; the first one names the period."""
    said = [_level(level, rows, table.period) for level in LEVELS if (rows := table.of_level(level))]
    return [f"{table.period.label}，{text}" if not place else text for place, text in enumerate(said)]


def _level(level: Level, rows: Sequence[SectionRow], period: Period) -> str:
    line = share_line(f"{level.label}断面", rows)
    parts = [_shares(line, rows, period), _targets(line, rows), _over(rows), *_changes(rows, period), _left_out(rows)]
    return "".join(f"{part}。" for part in parts if part)


def _shares(line: ShareLine, rows: Sequence[SectionRow], period: Period) -> str:
    now = line.now
    said = f"{line.label}{line.total}个，参评{now.evaluated}个"
    if not now.evaluated:
        return said
    said += f"，Ⅰ～Ⅲ类{now.good}个，占{now.good_share}%（{now.good}/{now.evaluated}）"
    said += f"，{_compared('同比', now, line.year_before, _last_year(period))}"
    if compares_with_before(period):
        said += f"，{_compared('环比', now, line.before, MONTHS_COMPARED[PeriodKind(period.kind)])}"
    counts = Counter(row.water_class for row in rows if row.water_class)
    said += f"；其中{'、'.join(f'{c.label}类{counts[c]}个' for c in WaterClass if counts[c])}"
    return said if now.worse_than_v else f"{said}，无劣Ⅴ类"


def _last_year(period: Period) -> str:
    return LAST_YEAR.get(PeriodKind(period.kind), "上年同期")


def _compared(word: str, now: rules.Shares, before: rules.Shares, than: str) -> str:
    """同比提高17.5个百分点（上年同月5/7）."""
    if before.good_share is None:
        return f"{word}无可比数据"
    return f"{word}{points_words(now, before)}（{than}{before.good}/{before.evaluated}）"


def _targets(line: ShareLine, rows: Sequence[SectionRow]) -> str:
    if not line.with_target:
        return ""
    said = f"达到考核目标{line.met}个（{line.met}/{line.with_target}）"
    missed = [row for row in rows if row.meets_target is False]
    return f"{said}，未达标断面：{'；'.join(map(_missed, missed))}" if missed else said


def _missed(row: SectionRow) -> str:
    over = f"，对目标超标{_pollutants(row.over_target)}" if row.over_target else ""
    return f"{row.name}（{row.county}，目标{_label(row.target)}类，实际{_label(row.water_class)}类{over}）"


def _over(rows: Sequence[SectionRow]) -> str:
    over = [row for row in rows if row.water_class and not rules.is_good(row.water_class)]
    return f"超Ⅲ类断面：{'；'.join(map(_poor, over))}" if over else ""


def _poor(row: SectionRow) -> str:
    pollutants = f"，主要污染物{_pollutants(row.pollutants)}" if row.pollutants else ""
    return f"{row.river}{row.name}（{row.county}，{_label(row.water_class)}类{pollutants}）"


def _changes(rows: Sequence[SectionRow], period: Period) -> Iterable[str]:
    if compares_with_before(period):
        yield _changed("环比", [(row, row.class_before, row.month_on_month) for row in rows])
    yield _changed("同比", [(row, row.class_year_before, row.year_on_year) for row in rows])


def _changed(word: str, found: list[tuple[SectionRow, WaterClass | None, Change | None]]) -> str:
    """环比变差1个：临汾（Ⅲ→Ⅳ）；好转…: by rating, so Ⅰ↔Ⅱ is none."""
    said = []
    for verb, is_so in (("好转", lambda c: c > Change.NONE), ("变差", lambda c: c < Change.NONE)):
        names = [f"{row.name}（{_label(before)}→{_label(row.water_class)}）" for row, before, c in found if c is not None and is_so(c)]
        if names:
            said.append(f"{verb}{len(names)}个：{'、'.join(names)}")
    return f"{word}{'；'.join(said)}" if said else ""


def _left_out(rows: Sequence[SectionRow]) -> str:
    out = [row for row in rows if not row.is_evaluated]
    return f"未参评{len(out)}个：{'、'.join(f'{row.name}（{row.note}）' for row in out)}" if out else ""


def _pollutants(pollutants: Iterable[Pollutant]) -> str:
    return "、".join(map(str, pollutants))


def _label(water_class: WaterClass | None) -> str:
    return water_class.label if water_class else "—"
