"""Which counties a month's bulletin praises and which it names as slow. Pure; our own proposal ([D] 建议值), editable in the paper.

Praised: among the first `leading` ranks by completion rate, something completed, nothing behind plan and nothing without change.
Named: a project far behind plan or without change over the policy's periods; or among the last `leading` ranks with a project behind.
A county whose projects are all completed is never named.
"""

import dataclasses
from collections import Counter

from ledgers.documents.bulletin import LEADING, BulletinFacts, CountyRow


@dataclasses.dataclass(frozen=True)
class Named:
    """A county that is named, with the counts that are the reason."""

    county: CountyRow
    behind: int
    far_behind: int
    silent: int


def praised(facts: BulletinFacts, leading: int = LEADING) -> list[CountyRow]:
    troubled = {row.county for row in facts.lagging} | {row.county for row in facts.silent}
    rows = [row for row in facts.counties if row.finish_rank and row.finish_rank <= leading]
    chosen = [row for row in rows if row.totals.finished and row.name not in troubled]
    return sorted(chosen, key=lambda row: row.finish_rank or 0)


def named(facts: BulletinFacts, leading: int = LEADING) -> list[Named]:
    """Worst first: by projects far behind, then without change, then behind."""
    behind, far = Counter(row.county for row in facts.lagging), Counter(row.county for row in facts.lagging if row.is_far)
    silent = Counter(row.county for row in facts.silent)
    last = _last(facts.counties, leading)
    found = [
        Named(row, behind[row.name], far[row.name], silent[row.name])
        for row in facts.counties
        if row.totals.finished < row.totals.count and (far[row.name] or silent[row.name] or (row.name in last and behind[row.name]))
    ]
    return sorted(found, key=lambda one: (-one.far_behind, -one.silent, -one.behind))


def _last(counties: tuple[CountyRow, ...], leading: int) -> set[str]:
    """Names of the last `leading` by completion rate; ties with the first of them are among them."""
    ranks = sorted((row.finish_rank for row in counties if row.finish_rank), reverse=True)
    if not ranks:
        return set()
    limit = ranks[min(leading, len(ranks)) - 1]
    return {row.name for row in counties if row.finish_rank and row.finish_rank >= limit}
