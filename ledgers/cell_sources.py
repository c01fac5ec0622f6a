"""Where a cell comes from that nobody types in its ledger: what its value is made of, and the page on which that is filled in."""

import dataclasses
import datetime as dt
import re
from collections.abc import Callable, Iterator
from decimal import ROUND_HALF_UP, Decimal
from html import unescape
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.urls import reverse

from ledgers.columns import CENT, LedgerColumn
from linfen_water import policy
from projects.enums import Stage

if TYPE_CHECKING:
    from ledgers.registry import Ledger


@dataclasses.dataclass(frozen=True)
class Source:
    """A sentence, and the page that it speaks of."""

    sentence: str
    url: str = ""
    link: str = ""  # words of the link


def sources_of(ledger: "Ledger", row: dict, name: str, columns: dict[str, LedgerColumn], day: dt.date) -> Iterator[Source]:
    """What a cell of `row` is made of, as far as it is known, and where to go."""
    if (made := _MASTER.get(name)) and "master" in (ledger.slug, ledger.base):
        yield made(row, day)
        return
    is_taken_in = ledger.writer is not None and name in ledger.writer.fields
    if sentence := "在这一行的页面登记，或从表格导入。" if is_taken_in else about_intake(ledger):
        url = _page_of(row, columns)
        yield Source(sentence, url, "打开这一行的页面" if url else "")


def about_intake(ledger: "Ledger") -> str:
    """What the ledger says of values that are not taken in, without the words that only concern files."""
    if ledger.intake_page:
        return "取自导入或录入的数据。"
    said = ledger.no_intake or (ledger.writer.not_here if ledger.writer else "")
    said = re.sub("，?不从(台账|这里)导入", "", said).lstrip("：，")
    return f"{said.rstrip('。')}。" if said else ""


def _page_of(row: dict, columns: dict[str, LedgerColumn]) -> str:
    """Where the row's first column leads."""
    name, column = next(iter(columns.items()))
    found = re.search(r'href="([^"]+)"', column.render(row[name], row))
    return unescape(found[1]) if found else ""


# ── 工程总台账 ──────────────────────────────────────────────────────────────────────────────────────────────────────

_Made = Callable[[dict, dt.date], Source]


def _points(value: Decimal) -> Decimal:
    """As the table writes them: two places, which is how progress is kept, so that a difference is what its parts give."""
    return value.quantize(CENT, ROUND_HALF_UP) + 0


def _difference(row: dict) -> str:
    planned, actual, lag = (_points(row[name]) for name in ("planned_progress", "physical_progress", "lag"))
    return f"计划进度 {planned}% − 总体进度 {actual}% = {lag}"


def _lag(row: dict, day: dt.date) -> Source:
    if row["lag"] is None:
        return Source("还没有填报总体进度，算不出序时差。", *_project(row))
    return Source(f"{_difference(row)} 个百分点，正数为落后。", *_project(row))


def _risk(row: dict, day: dt.date) -> Source:
    limits = policy.values_on(day)
    rule = f"序时差满 {limits.behind_points} 个百分点为滞后，超过 {limits.far_behind_points} 个为严重滞后"
    if row["stage"] == Stage.FINISHED:
        return Source("已完工的项目不再判定滞后，为正常。", *_project(row))
    if row["lag"] is None:
        return Source(f"还没有填报总体进度，为未报。填报后，{rule}。", *_project(row))
    return Source(f"{_difference(row)} 个百分点；{rule}。", *_project(row))


def _planned(row: dict, day: dt.date) -> Source:
    span = f"{row['baseline_start_on']} 至 {row['baseline_finish_on']}"
    return Source(f"按月计划算到 {day}，月内按天；没有月计划的月份按基线工期（{span}）均匀推算。", *_project(row))


def _reported(row: dict, day: dt.date) -> Source:
    if row["updated_on"] is None:
        return Source(f"取自周调度：截至 {day} 还没有报送。", *_project(row))
    return Source(f"取自截至 {day} 最近一次有效的周调度（{row['updated_on']} 起的一周）。", *_project(row))


def _project(row: dict) -> tuple[str, str]:
    return reverse("project", args=[row["code"]]), "项目页"


def _in_ledger(slug: str, words: str) -> Callable[[dict], tuple[str, str]]:
    """The rows of another ledger that are the project's."""
    return lambda row: (f"{reverse('ledger', args=[slug])}?{urlencode({'q': row['code']})}", words)


def _always(sentence: str, where: Callable[[dict], tuple[str, str]] = _project) -> _Made:
    return lambda row, day: Source(sentence, *where(row))


_LISTED = _always("省定清单里的内容，列入清单时登记，不在台账中修改。")
_STAGED = _always("取自开工、完工登记，在项目页登记或撤销。")
_MASTER: dict[str, _Made] = {
    **dict.fromkeys(("code", "number", "domain", "nature", "scale"), _LISTED),
    **dict.fromkeys(("started_on", "completed_on"), _STAGED),
    "stage": _always("按开工、完工登记：登记完工的为完工，登记开工的为开工，其余为前期。"),
    **dict.fromkeys(
        ("physical_progress", "in_place_wan", "invested_wan", "forecast_start_on", "forecast_finish_on", "updated_on"), _reported
    ),
    "planned_progress": _planned,
    "lag": _lag,
    "risk": _risk,
    "funding": _always("各资金来源的计划额，在资金台账中登记和调整。", _in_ledger("funds", "资金台账中的这个项目")),
    "permits": _always("需要办理而还没有办结的手续，随手续台账变化。", _in_ledger("permits", "手续台账中的这个项目")),
    "problems": _always("还没有销号的问题，随问题台账变化。", _in_ledger("problems", "问题台账中的这个项目")),
}
