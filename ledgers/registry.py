"""The ledgers (台账), each declared once: one view, one template and one export serve them all."""

import dataclasses
import datetime as dt
from collections.abc import Callable, Iterable

from django.db.models import QuerySet

from ledgers import filters, master, tables


@dataclasses.dataclass(frozen=True, kw_only=True)
class Ledger:
    """What makes a ledger. `rows(day, user)` is all that `user` may read; `read(day, keys)` the rows of a page as dicts."""

    slug: str
    title: str
    row_is: str  # what one row is: 项目
    measure: str  # how the rows are counted: 个
    about: str
    rows: Callable[..., QuerySet]
    read: Callable[[dt.date, Iterable[int]], list[dict]]
    totals: Callable[[dt.date, QuerySet], object]  # a dataclass or properties named as the columns, with `count`
    spoken_totals: Callable[[object], str]  # the totals in one line
    label_column: str  # where the total row says what it counts
    table: type[tables.LedgerTable]
    filter: type[filters.LedgerFilter]

    def keys(self, chosen: QuerySet) -> list[int]:
        return list(chosen.values_list("pk", flat=True))


LEDGERS: dict[str, Ledger] = {
    ledger.slug: ledger
    for ledger in [
        Ledger(
            slug="master",
            title="工程总台账",
            row_is="项目",
            measure="个",
            about="每个省定工程一行：基本情况、责任、时间、进展、卡点与风险",
            rows=master.rows,
            read=master.read,
            totals=master.totals,
            spoken_totals=master.spoken_totals,
            label_column="name",
            table=tables.ProjectTable,
            filter=filters.ProjectFilter,
        ),
    ]
}
