"""县（市、区）台账与考核: a county a row, computed only."""

import dataclasses
import datetime as dt
import functools
from collections import Counter
from decimal import Decimal

from django import forms
from django.urls import reverse

from ledgers import columns as c
from ledgers import letters
from ledgers.appraisal import Row, counties
from ledgers.choices import KeptChoiceField
from ledgers.filters import RowsFilter
from ledgers.permissions import sees_drafts
from ledgers.rows import Rows
from ledgers.tables import LedgerTable
from ledgers.weekly import CountColumn, ShareColumn
from linfen_water import clock
from linfen_water.models import County
from linfen_water.permissions import is_county
from projects import facts as project_facts_module
from projects.facts import Totals, project_facts
from projects.permissions import is_whole_city


@dataclasses.dataclass(frozen=True)
class Source:
    """The ranking is the whole city's; `user` (None: all) sees the rows of the counties whose projects they may read."""

    day: dt.date
    user: object

    @functools.cached_property
    def facts(self):
        return project_facts(self.day)

    @functools.cached_property
    def rows(self) -> list[Row]:
        rows = counties(self.day, self.facts)
        if self.user is None or is_whole_city(self.user, clock.today()):
            return rows
        own = self.user.unit.county.code
        return [row for row in rows if row.key == own]

    @functools.cached_property
    def waiting(self) -> Counter[str]:
        return letters.waiting_by_county(self.day)

    def letters_of(self, county: str) -> str:
        """Where the letters are that are counted; nowhere for those who may not read them all."""
        may_read = self.user is None or sees_drafts(self.user) or (is_county(self.user) and self.user.unit.county.code == county)
        if not self.waiting[county] or not may_read:
            return ""
        past = {} if self.day == clock.today() else {"as_of": self.day.isoformat()}
        return reverse("ledger", args=["letters"], query={"county": county, "state": "waiting"} | past)

    def none(self) -> Rows:
        return Rows()


class CountiesForm(forms.Form):
    county = KeptChoiceField(label="县（市、区）", required=False, queryset=County.objects.all(), to_field_name="code", empty_label="全部")

    def __init__(self, data=None, *, source: Source):
        super().__init__(data)


class CountiesFilter(RowsFilter):
    form_class = CountiesForm

    def choose(self, *, county) -> Rows:
        shown = [row for row in self.queryset.rows if not county or row.key == county.code]
        return Rows(_row(place, row, self.queryset) for place, row in enumerate(shown))


def _row(place: int, row: Row, source: Source) -> dict:
    sums, said = row.totals, row.part("reports")
    return {
        "letters": source.letters_of(row.key),
        "place": place,
        "row": row,
        "code": row.key,
        "county": row.name,
        "count": sums.count,
        "not_started": sums.not_started,
        "under_construction": sums.under_construction,
        "finished": sums.finished,
        "start_rate": sums.start_rate,
        "finish_rate": sums.finish_rate,
        "invested_rate": sums.invested_rate,
        "in_place_rate": sums.in_place_rate,
        "on_time": said.shown_rate,
        "unchanged_weeks": row.unchanged_weeks,
        "overdue": row.overdue,
        "unanswered": source.waiting[row.key],
        "sections": row.sections,
        "score": row.score,
        "rank": row.rank,
        "before": row.before,
    }


class CountyColumn(c.LedgerColumn):
    """The county, leading to its projects."""

    def render(self, value, row):
        return f'<a href="{reverse("ledger", args=["master"])}?county={row["code"]}">{c.escape(value)}</a>'


class ScoreColumn(c.LedgerColumn):
    """The score, leading to its numbers."""

    css = "number"
    number_format = "0.00"

    def render(self, value, row):
        return c.MISSING if value is None else f'<a href="{reverse("assessment")}#county-{row["code"]}">{value}</a>'


class UnansweredColumn(CountColumn):
    """The letters that wait, leading to them."""

    def render(self, value, row):
        words = super().render(value, row)
        return f'<a href="{c.escape(row["letters"])}">{words}</a>' if row.get("letters") else words


class CountiesTable(LedgerTable):
    """县（市、区）台账与考核: computed only."""

    county = CountyColumn("县（市、区）", sort="place", group="县（市、区）", width=14, css="pin pin-1 nowrap")
    count = CountColumn("项目数", sort="count", group="项目", is_computed=True, width=8)
    not_started = CountColumn("前期", sort="not_started", group="项目", is_computed=True, width=7)
    under_construction = CountColumn("开工", sort="under_construction", group="项目", is_computed=True, width=7)
    finished = CountColumn("完工", sort="finished", group="项目", is_computed=True, width=7)
    start_rate = ShareColumn("开工率", sort="start_rate", group="比率", is_computed=True, width=9)
    finish_rate = ShareColumn("完工率", sort="finish_rate", group="比率", is_computed=True, width=9)
    invested_rate = ShareColumn("投资完成率（占总投资）", sort="invested_rate", group="比率", is_computed=True, width=11)
    in_place_rate = ShareColumn("到位率", sort="in_place_rate", group="比率", is_computed=True, width=9)
    on_time = ShareColumn("按时报送", sort="on_time", group="调度", is_computed=True, width=9)
    unchanged_weeks = c.IntegerColumn("连续无变化周数", sort="unchanged_weeks", group="调度", is_computed=True, width=10)
    overdue = CountColumn("逾期", sort="overdue", group="调度", is_computed=True, width=7)
    unanswered = UnansweredColumn("未回函", sort="unanswered", group="调度", is_computed=True, width=8)
    sections = c.LedgerColumn("断面类别", group="水质", is_computed=True, width=22, css="medium")
    score = ScoreColumn("得分", sort="score", group="考核", is_computed=True, width=9)
    rank = c.IntegerColumn("名次", sort="rank", group="考核", is_computed=True, width=7)
    before = c.IntegerColumn("上期名次", sort="before", group="考核", is_computed=True, width=8)


def rows(day: dt.date, user=None) -> Source:
    return Source(day, user)


@dataclasses.dataclass(frozen=True)
class Sums:
    """Of the counties chosen; rates are made from sums, never from rates."""

    totals: Totals
    rows: int
    overdue: int
    unanswered: int
    on_time: Decimal | None

    def __getattr__(self, name):
        return getattr(self.totals, name)

    @property
    def count(self) -> int:
        return self.totals.count


def totals(day: dt.date, chosen: Rows) -> Sums:
    found = [row["row"] for row in chosen]
    codes = {row.key for row in found}
    said = [row.part("reports") for row in found]
    share = project_facts_module.rules.rate(sum(part.numerator for part in said), sum(part.denominator for part in said))
    sums = project_facts_module.totals(f for f in project_facts(day) if f.county_code in codes)
    return Sums(sums, len(found), sum(row.overdue for row in found), sum(row["unanswered"] for row in chosen), share)


def spoken_totals(sums: Sums) -> str:
    return f"{sums.rows}个县（市、区），项目{sums.count}个；逾期{sums.overdue}个，未回函{sums.unanswered}件"


def notes(chosen) -> list[str]:
    return [
        "得分按“规则”里的考核权重（建议值），没有分母的项不参评、按其余项折算；并列同名次、下一名次顺延。上期为上月末。",
        "未回函为截至当日待签收、待回复和退回重报的函件（同函件台账“待签收回复”），已升级、已办结和作废的不再计。",
        "按时报送为本月截止已到的各周；连续无变化周数取本县未完工项目中最近一次有变化的，经批准停工的周和项目不计，最多计26周；断面类别为最近一个已公布的月份。",
    ]
