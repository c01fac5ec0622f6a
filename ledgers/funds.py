"""资金台账: a row is a funding source of a project. SQL chooses and orders; what is shown comes from `projects.funds`."""

import datetime as dt
from collections.abc import Iterable

import django_filters as filters
from django.db.models import Case, DecimalField, F, Q, QuerySet, Sum, When

from ledgers import columns as c
from ledgers.choices import KeptChoiceFilter
from ledgers.filters import LedgerFilter
from ledgers.tables import LedgerTable
from linfen_water import clock, policy
from linfen_water.models import County, Domain
from projects import funds
from projects.enums import SourceKind
from projects.facts import cents
from projects.funds_rules import CHAIN_RULES, HALF_CENT, ZERO, FundsRule, Sums, apart_words
from projects.models import DispatchLine, FundingSource, Project
from projects.permissions import visible_projects

AMOUNT = DecimalField(max_digits=16, decimal_places=2)


# ── Columns ──────────────────────────────────────────────────────────────────────────────────────────────────────────
class SheetColumn(c.LedgerColumn):
    """The project, leading to its sheet of funds."""

    def render(self, value, row):
        return f'<a href="{c.project_url(row["code"])}funds/">{c.escape(str(value))}</a>'


class PapersColumn(c.LedgerColumn):
    """下达文号/日期 of all papers that stand."""

    def render(self, value, row):
        words = "；".join(f'<span class="nowrap">{c.escape(paper)}</span>' for paper in value)
        return c.cut(words) if value else c.MISSING

    def value(self, value, row):
        return "；".join(value) or None


class RiseColumn(c.WanColumn):
    """The difference since the last period: +1.50; a fall stands out."""

    number_format = "+#,##0.00;-#,##0.00;0.00"

    def render(self, value, row):
        if value is None:
            return c.MISSING
        return f"+{value:,.2f}" if value > 0 else f'<strong class="over">{value:,.2f}</strong>' if value < 0 else "0"


class RateColumn(c.LedgerColumn):
    css = "number"
    number_format = "0.0"
    unit = "%"
    is_summed = True

    def render(self, value, row):
        return c.MISSING if value is None else f"{value}%"


class FundsTable(LedgerTable):
    """资金台账."""

    details = ("domain", "papers", "before_wan", "completed_wan")

    code = SheetColumn("编号", sort="code", group="项目", width=9, css="pin pin-1 nowrap")
    name = SheetColumn("项目名称", sort="v__name", group="项目", width=34, css="pin pin-2 name")
    county = c.LedgerColumn("县（市、区）", sort="v__county__position", group="项目", width=11, css="nowrap")
    domain = c.LedgerColumn("领域", sort="project__domain__position", group="项目", width=9, css="nowrap")
    kind = c.LedgerColumn("来源", sort="kind", group="来源", width=11, css="nowrap")
    planned_wan = c.WanColumn("计划额", sort="planned", group="来源", width=13)
    issued_wan = c.WanColumn("下达额", sort="issued", group="下达", is_computed=True, width=13)
    papers = PapersColumn("下达文号/日期", sort="paper_on", group="下达", width=30, css="wide")
    in_place_wan = c.WanColumn("本期", sort="now_in_place_wan", group="到位", is_computed=True, width=13)
    before_wan = c.WanColumn("上期", sort="before_in_place_wan", group="到位", is_computed=True, width=13)
    arrived_wan = RiseColumn("差", sort="arrived", group="到位", is_computed=True, width=12)
    allocated_wan = c.WanColumn("拨付", sort="now_allocated_wan", group="使用", width=13)
    paid_wan = c.WanColumn("支付", sort="now_paid_wan", group="使用", width=13)
    completed_wan = c.WanColumn("完成投资", sort="now_completed_wan", group="使用", width=13)
    gap_wan = c.WanColumn("缺口", sort="gap", group="比较", is_computed=True, width=13)
    in_place_rate = RateColumn("到位率", sort="in_place_share", group="比较", is_computed=True, width=8)
    paid_rate = RateColumn("支付率", sort="paid_share", group="比较", is_computed=True, width=8)


# ── Rows ─────────────────────────────────────────────────────────────────────────────────────────────────────────────
def rows(day: dt.date, user=None) -> QuerySet:
    """Sources of the projects on the list on `day` that `user` may read (None: all, for commands), ready to sort and filter."""
    scope = Project.objects.all() if user is None else visible_projects(user, clock.today())
    return funds.with_apart(funds.with_money(funds.sources_on(day, scope), day), day).order_by("code", "position", "pk")


def read(day: dt.date, chosen: Iterable[int]) -> list[dict]:
    """The sources with the keys `chosen`, in that order. A fixed number of queries for any number."""
    chosen = list(chosen)
    found = {line.pk: line for line in funds.read(day, chosen=chosen)}
    return [_row(found[pk]) for pk in chosen if pk in found]


def _row(line: funds.Line) -> dict:
    source, now = line.source, line.source.now
    return {
        "code": line.code,
        "name": line.name,
        "county": line.county,
        "domain": line.domain,
        "kind": source.label,
        "planned_wan": source.planned_wan,
        "issued_wan": source.issued_wan,
        "papers": [paper.words for paper in line.papers],
        "in_place_wan": now.in_place_wan if now else None,
        "before_wan": source.before.in_place_wan if source.before else None,
        "arrived_wan": source.arrived_wan,
        "allocated_wan": now.allocated_wan if now else None,
        "paid_wan": now.paid_wan if now else None,
        "completed_wan": now.completed_wan if now else None,
        "gap_wan": source.gap_wan,
        "in_place_rate": source.in_place_rate,
        "paid_rate": source.paid_rate,
    }


def totals(day: dt.date, chosen: QuerySet) -> Sums:
    """The same sums as `funds_rules.sum_up`, made by the database for a ledger of any length. Three queries."""
    keys = chosen.order_by().values("pk")
    planned = funds.planned_on(day)
    last = Project.objects.as_of(day).with_dispatch(day).order_by().values("dispatch_id")
    line = DispatchLine.objects.filter(dispatch__in=last, source__in=keys)
    sources = FundingSource.objects.filter(pk__in=keys)
    own = sources.annotate(planned=planned, issued=funds.issued_on(day)).aggregate(n=Sum("planned"), issued_sum=Sum("issued"))
    money = line.aggregate(**{name: Sum(name) for name in funds.MONEY})
    before = Project.objects.as_of(day - funds.WEEK).with_dispatch(day - funds.WEEK).order_by().values("dispatch_id")
    earlier = DispatchLine.objects.filter(dispatch__in=before, source__in=keys).aggregate(n=Sum("in_place_wan"))["n"]
    gap = Case(When(now_in_place_wan__lt=F("planned"), then=F("planned") - F("now_in_place_wan")), output_field=AMOUNT)
    gaps = chosen.order_by().annotate(short=gap).aggregate(n=Sum("short"))["n"]
    sums = {"planned_wan": own["n"], "issued_wan": own["issued_sum"], "before_wan": earlier, "gap_wan": gaps, **money}
    return Sums(count=chosen.count(), **{name: cents(ZERO if value is None else value) for name, value in sums.items()})


def spoken_totals(sums: Sums) -> str:
    rates = [
        ("到位率（到位/计划）", sums.in_place_rate),
        ("支付率（支付/到位）", sums.paid_rate),
        ("下达率（下达/计划）", sums.issued_rate),
    ]
    return "，".join(f"{word}{'—' if value is None else f'{value}%'}" for word, value in rates)


NOTES = [
    "到位、拨付、支付、完成投资为累计数，来自截至当日有效的周调度；上期为一周前；下达为已登记下达文件之和。",
    "缺口＝计划减到位，超额到位的不抵补其他来源，没有填报的不计；到位率＝到位/计划，支付率＝支付/到位，四舍五入到一位小数。",
]


APART = Q(apart__gte=HALF_CENT) | Q(apart__lte=-HALF_CENT)  # SQLite subtracts in floating point
MOST_NAMED = 6  # projects in one note


def notes(chosen) -> list[str]:
    """What the columns mean, and whose plans do not add up to the total investment. One query."""
    found = list(chosen.filter(APART).order_by("code").values_list("code", "apart").distinct()[: MOST_NAMED + 1])
    if not found:
        return NOTES
    named = "；".join(f"{code} {apart_words(cents(apart))}" for code, apart in found[:MOST_NAMED])
    others = "等" if len(found) > MOST_NAMED else ""
    return [f"{named}{others}。总投资在工程总台账修改，计划额在本台账修改；在“只看”中选“与总投资不等”可逐条核对。", *NOTES]


# ── Filter ───────────────────────────────────────────────────────────────────────────────────────────────────────────
BY_MONEY = {
    "issued": Q(issued__gt=0),
    "in_place": Q(now_in_place_wan__gt=0),
    "before": Q(before_in_place_wan__gt=0),
    "moved": ~Q(arrived=0) & Q(arrived__isnull=False),
    "allocated": Q(now_allocated_wan__gt=0),
    "paid": Q(now_paid_wan__gt=0),
    "completed": Q(now_completed_wan__gt=0),
    "gap": Q(gap__gt=0),
    "apart": APART,
    "unreported": Q(now_in_place_wan__isnull=True),
}
BY_RULE = {"breach": CHAIN_RULES, "no_paper": (FundsRule.NO_PAPER,), "idle": (FundsRule.IDLE,)}
ONLY = [
    ("moved", "到位有变化"), ("gap", "有缺口"), ("apart", "与总投资不等"), ("breach", "核对不符"), ("idle", "沉淀资金"),
    ("no_paper", "到位无下达文件"), ("issued", "已下达"), ("in_place", "已到位"), ("allocated", "已拨付"), ("paid", "已支付"),
    ("completed", "有完成投资"), ("before", "上期已到位"), ("unreported", "未填报"),
]  # fmt: skip


class FundsFilter(LedgerFilter):
    """资金台账."""

    q = filters.CharFilter(label="查找", method="search", max_length=60)
    county = KeptChoiceFilter(
        label="县（市、区）", field_name="v__county", queryset=County.objects.all(), to_field_name="code", empty_label="全部"
    )
    domain = KeptChoiceFilter(
        label="领域", field_name="project__domain", queryset=Domain.objects.all(), to_field_name="name", empty_label="全部"
    )
    kind = filters.ChoiceFilter(label="来源", choices=SourceKind.choices, empty_label="全部")
    only = filters.ChoiceFilter(label="只看", choices=ONLY, method="only_those", empty_label="全部")

    def search(self, queryset: QuerySet, name: str, text: str) -> QuerySet:
        """Every word must be found in the code, the project's name or the number of a paper that stands."""
        for word in text.split():
            by_paper = FundingSource.objects.filter(papers__doc_number__icontains=word, papers__withdrawn_at=None).values("pk")
            queryset = queryset.filter(Q(code__icontains=word) | Q(v__name__icontains=word) | Q(pk__in=by_paper))
        return queryset

    def only_those(self, queryset: QuerySet, name: str, what: str) -> QuerySet:
        """What rules say is found first and chosen by key."""
        if what in BY_MONEY:
            return queryset.filter(BY_MONEY[what])
        found = funds.findings(funds.read(self.day), policy.values_on(self.day).idle_funds_weeks, self.day)
        return queryset.filter(pk__in={one.line.pk for one in found if one.verdict.rule in BY_RULE[what]})
