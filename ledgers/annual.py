"""年度任务分台账: a project in a year, its money month by month against the plan, and its milestones."""

import dataclasses
import datetime as dt
import functools
from collections import defaultdict
from decimal import Decimal

from django import forms

from ledgers import columns as c
from ledgers import of_projects
from ledgers.choices import KeptChoiceField
from ledgers.filters import RowsFilter
from ledgers.inspections import PercentColumn
from ledgers.provincial import TargetColumn
from ledgers.rows import Rows
from ledgers.search import matches
from ledgers.tables import LedgerTable
from ledgers.weekly import ShareColumn
from linfen_water import clock
from linfen_water.dates import month_end
from linfen_water.models import County, Domain
from projects import rules
from projects.facts import ZERO, ProjectFacts, project_facts
from projects.models import Dispatch, MonthlyPlan, Project
from projects.permissions import visible_projects
from projects.record_enums import TargetState
from projects.target_models import AnnualTarget, Milestone
from projects.target_rules import by_month, elapsed_percent, verdict


@dataclasses.dataclass(frozen=True)
class Source:
    """What may be read as of `day`; rows are read when the year is chosen."""

    day: dt.date
    scope: object

    @functools.cached_property
    def facts(self) -> list[ProjectFacts]:
        return project_facts(self.day, self.scope)

    def none(self) -> Rows:
        return Rows()

    def read(self, year: int) -> list[dict]:
        """Every project on the list that was not finished before the year. Six queries."""
        first, last = dt.date(year, 1, 1), dt.date(year, 12, 31)
        facts = [f for f in self.facts if not (f.completed_on and f.completed_on < first)]
        keys = [f.pk for f in facts]
        targets = {t.project_id: t for t in AnnualTarget.objects.standing().filter(project__in=keys, year=year, set_on__lte=self.day)}
        plans = self._plans(keys, first, last)
        invested = self._invested(keys, first, min(last, self.day))
        nodes = self._nodes(keys, year)
        progress = self._progress(last)
        return [
            _row(
                self.day,
                year,
                f,
                progress.get(f.pk),
                targets.get(f.pk),
                plans[f.pk],
                invested[f.pk],
                nodes[f.pk],
            )
            for f in facts
        ]

    def _progress(self, last: dt.date) -> dict[int, Decimal | None]:
        """Of a year that is over the progress at its end, else that of the day."""
        return {f.pk: f.physical_progress for f in (project_facts(last, self.scope) if last < self.day else self.facts)}

    def _plans(self, keys, first, last):
        """Cumulative planned money at the months' ends of the year, and at the end of the year before."""
        months: dict[int, dict[int, Decimal]] = defaultdict(dict)
        before: dict[int, Decimal] = defaultdict(Decimal)
        plans = MonthlyPlan.objects.filter(project__in=keys, month__lte=last, planned_invested_wan__isnull=False).order_by("month")
        for pk, month, wan in plans.values_list("project", "month", "planned_invested_wan"):
            if month < first:
                before[pk] = wan
            else:
                months[pk][month.month] = wan
        return {pk: (months[pk], before[pk]) for pk in keys}

    def _invested(self, keys, first, until):
        """Cumulative money at the months' ends up to `until`, as the dispatches speaking then say, and before the year."""
        months: dict[int, dict[int, Decimal]] = defaultdict(dict)
        before: dict[int, Decimal] = defaultdict(Decimal)
        said: dict[int, list[tuple[dt.date, Decimal]]] = defaultdict(list)
        live = Dispatch.objects.speaking(self.day).filter(project__in=keys, cut_off_on__gte=first).order_by("cut_off_on")
        for pk, on, wan in live.values_list("project", "cut_off_on", "invested_wan"):
            said[pk].append((on, wan))
        for f in project_facts(first - dt.timedelta(days=1), self.scope):
            before[f.pk] = f.invested_wan or ZERO
        for pk in keys:
            now = before[pk]
            for month in range(1, until.month + 1):
                end = month_end(dt.date(first.year, month, 1))
                reached = [wan for on, wan in said[pk] if on <= end or end >= until]
                now = reached[-1] if reached else now
                months[pk][month] = now
        return {pk: (months[pk], before[pk]) for pk in keys}

    def _nodes(self, keys, year):
        found: dict[int, list[str]] = defaultdict(list)
        for node in Milestone.objects.standing().filter(project__in=keys, due_on__year=year).order_by("due_on", "pk"):
            done = node.done_on if node.done_on and node.done_on <= self.day else None
            late = "逾期未完成" if not done and node.due_on < self.day else "未完成"
            found[node.project_id].append(f"{node.name}（{node.due_on}，{node.responsible_post}，{f'{done} 完成' if done else late}）")
        return found


MONTHS = range(1, 13)


def _row(day, year: int, f: ProjectFacts, progress, target, plan, actual, nodes: list[str]) -> dict:
    plans, done = by_month(*plan), by_month(*actual)
    spent = sum(done.values(), ZERO) if day.year >= year else None
    share = rules.rate(spent, target.plan_wan) if target and spent is not None else None
    gone = elapsed_percent(day, year)
    months = {f"plan_{m}": plans.get(m) for m in MONTHS} | {f"done_{m}": done.get(m) for m in MONTHS}
    return months | {
        "pk": f.pk,
        "code": f.code,
        "url": f"{c.project_url(f.code)}targets/",
        "name": f.name,
        "county": f.county,
        "county_code": f.county_code,
        "domain": f.domain,
        "year": year,
        "target": target.text if target else "",
        "kind": target.get_kind_display() if target else "",
        "progress": target and target.progress,
        "reached": verdict(
            day,
            year,
            target and target.kind,
            target and target.progress,
            f.started_on,
            f.completed_on,
            progress,
        ),
        "plan_wan": target and target.plan_wan,
        "spent_wan": spent,
        "share": share,
        "elapsed": gone,
        "lag": None if share is None else gone - share,
        "nodes": nodes,
    }


def years(day: dt.date) -> range:
    """The years that the ledger offers as of `day`, the next one first."""
    return range(day.year + 1, day.year - 6, -1)


class AnnualForm(forms.Form):
    year = forms.ChoiceField(label="年度", required=False)
    county = KeptChoiceField(label="县（市、区）", required=False, queryset=County.objects.all(), to_field_name="code", empty_label="全部")
    domain = KeptChoiceField(label="领域", required=False, queryset=Domain.objects.all(), to_field_name="name", empty_label="全部")
    state = forms.ChoiceField(label="年度目标", required=False, choices=[("", "全部"), *TargetState.choices])
    q = forms.CharField(label="查找", required=False, max_length=60)

    def __init__(self, data=None, *, source: Source):
        super().__init__(data)
        self.fields["year"].choices = [("", f"当年（{source.day.year}）"), *((str(year), f"{year}年") for year in years(source.day))]


class AnnualFilter(RowsFilter):
    form_class = AnnualForm

    def choose(self, *, year, county, domain, state, q) -> Rows:
        found = self.queryset.read(int(year or self.queryset.day.year))
        return Rows(
            row
            for row in found
            if (not county or row["county_code"] == county.code)
            and (not domain or row["domain"] == domain.name)
            and (not state or row["reached"] == state)
            and matches(q, row["code"], row["name"])
        )


class LagColumn(c.LedgerColumn):
    css = "number"
    number_format = "0.0"

    def render(self, value, row):
        return c.MISSING if value is None else f'<strong class="over">{value}</strong>' if value > 0 else f"{value}"


class AnnualTable(LedgerTable):
    """年度任务分台账."""

    details = tuple(f"plan_{month}" for month in MONTHS)

    code = of_projects.UrlColumn("编号", sort="code", group="项目", width=9, css="pin pin-1 nowrap")
    name = of_projects.UrlColumn("项目名称", sort="name", group="项目", width=34, css="pin pin-2 name")
    county = c.LedgerColumn("县（市、区）", sort="county_code", group="项目", width=11, css="nowrap")
    year = c.IntegerColumn("年度", group="年度任务", width=7)
    target = c.LedgerColumn("年度目标", group="年度任务", width=24, css="medium")
    kind = c.LedgerColumn("目标类型", sort="kind", group="年度任务", width=9, css="nowrap")
    progress = PercentColumn("目标进度", group="年度任务", width=9)
    reached = TargetColumn("是否达到", sort="reached", group="年度任务", is_computed=True, width=9, css="nowrap")
    plan_wan = c.WanColumn("年计划投资", sort="plan_wan", group="年度任务", width=13)
    spent_wan = c.WanColumn("本年完成", sort="spent_wan", group="执行", is_computed=True, width=13)
    share = ShareColumn("占年计划", sort="share", group="执行", is_computed=True, width=9)
    elapsed = ShareColumn("时间进度", group="执行", is_computed=True, width=9)
    lag = LagColumn("序时差（百分点）", sort="lag", group="执行", is_computed=True, width=10)
    for _month in MONTHS:
        locals()[f"plan_{_month}"] = c.WanColumn("计划", group=f"{_month}月", is_computed=True, width=11)
        locals()[f"done_{_month}"] = c.WanColumn("完成", group=f"{_month}月", is_computed=True, width=11)
    nodes = c.ListColumn("节点（时限、责任人、完成）", group="节点", width=50, css="wide")


def rows(day: dt.date, user=None) -> Source:
    return Source(day, Project.objects.all() if user is None else visible_projects(user, clock.today()))


SUMMED = ("plan_wan", "spent_wan", *(f"{what}_{month}" for month in MONTHS for what in ("plan", "done")))


class Totals:
    """Sums of the year; properties named as the columns."""

    def __init__(self, chosen: Rows):
        self.count = len(chosen)
        for name in SUMMED:
            said = [row[name] for row in chosen if row[name] is not None]
            setattr(self, name, sum(said, ZERO) if said else None)
        self.share = rules.rate(self.spent_wan, self.plan_wan)
        self.elapsed = chosen.data[0]["elapsed"] if chosen.data else None
        self.reached_count = sum(row["reached"] == TargetState.REACHED for row in chosen)
        self.targets = sum(row["reached"] != TargetState.NONE for row in chosen)


def totals(day: dt.date, chosen: Rows) -> Totals:
    return Totals(chosen)


def spoken_totals(sums: Totals) -> str:
    share = "—" if sums.share is None else f"{sums.share}%"
    return f"有年度任务{sums.targets}个，已达到{sums.reached_count}个；完成占年计划 {share}，时间进度 {sums.elapsed or 0}%"


def notes(chosen) -> list[str]:
    return [
        "各月计划由月进展计划的累计数相减得出，各月完成由月末有效周调度的累计完成投资相减得出；更正下调的月份可能为负。",
        "序时差＝时间进度－占年计划，正数为滞后。",
    ]
