"""市直部门分领域台账: a domain with its projects below it, computed only."""

import dataclasses
import datetime as dt
import functools
from collections import Counter, defaultdict
from collections.abc import Iterator

from django import forms
from django.db.models import Q
from django_tables2.utils import OrderBy

from ledgers import columns as c
from ledgers.appraisal import is_overdue
from ledgers.choices import KeptChoiceField
from ledgers.filters import RowsFilter
from ledgers.rows import Rows, ordered
from ledgers.tables import LedgerTable
from ledgers.weekly import CountColumn, ShareColumn
from linfen_water import clock
from linfen_water.dates import monday
from linfen_water.models import Domain
from projects import facts as project_facts_module
from projects import weeks
from projects.enums import Stage
from projects.facts import ProjectFacts, project_facts
from projects.models import Permit, Project
from projects.permissions import visible_projects


@dataclasses.dataclass(frozen=True)
class Source:
    day: dt.date
    scope: object

    @functools.cached_property
    def facts(self) -> list[ProjectFacts]:
        return project_facts(self.day, self.scope)

    @functools.cached_property
    def since(self) -> dt.date:
        """The cut-off of the week before: what lies after it is of this week."""
        return weeks.week_times(monday(self.day) - weeks.WEEK).cut_off_on

    @functools.cached_property
    def stalled(self) -> tuple[Counter, Counter]:
        """Permits that were applied for and have not come: by domain of the authority, and by project. Two queries."""
        day, keys = self.day, [f.pk for f in self.facts]
        waiting = Permit.objects.filter(Q(obtained_on__isnull=True) | Q(obtained_on__gt=day), is_required=True, submitted_on__lte=day)
        rows = waiting.filter(project__in=keys, authority__domain__isnull=False).order_by()
        return Counter(rows.values_list("authority__domain__name", flat=True)), Counter(rows.values_list("project", flat=True))

    def none(self) -> Rows:
        return Rows()


class DomainsForm(forms.Form):
    domain = KeptChoiceField(label="领域", required=False, queryset=Domain.objects.all(), to_field_name="name", empty_label="全部")
    show = forms.ChoiceField(label="显示", required=False, choices=[("", "领域及其项目"), ("domains", "只看领域小计")])

    def __init__(self, data=None, *, source: Source):
        super().__init__(data)


class DomainRows(Rows):
    """Projects stay under their domain: those of each domain are ordered, and the domains by what their own rows say."""

    def order_by(self, aliases) -> None:
        for alias in reversed(aliases):
            key, is_descending = self.table.columns[OrderBy(alias).bare].column.sort, alias.startswith("-")
            blocks = [[head, *ordered(members, key, is_descending)] for head, members in self.blocks()]
            heads = ordered([block[0] for block in blocks], key, is_descending)
            found = {id(block[0]): block for block in blocks}
            self.data = [row for head in heads for row in found[id(head)]]

    def blocks(self) -> Iterator[tuple[dict, list[dict]]]:
        """Each domain's row with its projects'; projects whose domain is not there follow the first of them."""
        found: list[list[dict]] = []
        for row in self.data:
            if row["is_group"] or not found:
                found.append([])
            found[-1].append(row)
        return ((block[0], block[1:]) for block in found)


class DomainsFilter(RowsFilter):
    form_class = DomainsForm

    def choose(self, *, domain, show) -> Rows:
        groups: dict[str, list[ProjectFacts]] = defaultdict(list)
        for f in self.queryset.facts:
            groups[f.domain].append(f)
        rows = []
        for name in Domain.objects.filter(name__in=groups).values_list("name", flat=True):
            if not domain or domain.name == name:
                rows.append(_domain_row(name, groups[name], self.queryset))
                rows += [] if show else [_project_row(f, self.queryset) for f in groups[name]]
        return DomainRows(rows)


def _domain_row(name: str, members: list[ProjectFacts], source: Source) -> dict:
    return _figures(members, source) | {
        "key": _key(name), "is_group": True, "domain": name, "code": "", "name": "小计", "facts": members,
        "stalled": source.stalled[0][name],
    }  # fmt: skip


def _project_row(f: ProjectFacts, source: Source) -> dict:
    return _figures([f], source) | {
        "key": f.code, "under": _key(f.domain), "is_group": False, "domain": "", "code": f.code, "name": f.name, "facts": [],
        "stalled": source.stalled[1][f.pk],
    }  # fmt: skip


def _key(domain: str) -> str:
    return f"domain-{domain}"


def _figures(members: list[ProjectFacts], source: Source) -> dict:
    sums, since, day = project_facts_module.totals(members), source.since, source.day
    return {
        "count": sums.count,
        "not_started": sums.not_started,
        "under_construction": sums.under_construction,
        "finished": sums.finished,
        "start_rate": sums.start_rate,
        "finish_rate": sums.finish_rate,
        "total_investment_wan": sums.total_investment_wan,
        "in_place_rate": sums.in_place_rate,
        "invested_rate": sums.invested_rate,
        "started_now": sum(bool(f.started_on and since < f.started_on <= day) for f in members),
        "finished_now": sum(f.stage == Stage.FINISHED and since < f.completed_on <= day for f in members),
        "overdue": sum(is_overdue(f, day) for f in members),
    }


BLANK = "\N{NO-BREAK SPACE}"  # a cell that says nothing misses nothing: no dash


class DomainColumn(c.LedgerColumn):
    def render(self, value, row):
        return f"<strong>{c.escape(value)}</strong>" if row["is_group"] else BLANK


class NameColumn(c.LedgerColumn):
    def render(self, value, row):
        if row["is_group"]:
            return "<strong>小计</strong>"
        return f'<a href="{c.project_url(row["code"])}">{c.escape(row["code"])} {c.escape(value)}</a>'

    def value(self, value, row):
        return value if row["is_group"] else f"{row['code']} {value}"


class DomainsTable(LedgerTable):
    """市直部门分领域台账: computed only; projects are ordered under their domain."""

    domain = DomainColumn("领域", group="领域", width=12, css="pin pin-1 nowrap")
    name = NameColumn("项目", sort="code", group="领域", width=38, css="pin pin-2 name")
    count = CountColumn("项目数", sort="count", group="项目", is_computed=True, width=8)
    not_started = CountColumn("前期", sort="not_started", group="项目", is_computed=True, width=7)
    under_construction = CountColumn("开工", sort="under_construction", group="项目", is_computed=True, width=7)
    finished = CountColumn("完工", sort="finished", group="项目", is_computed=True, width=7)
    start_rate = ShareColumn("开工率", sort="start_rate", group="比率", is_computed=True, width=9)
    finish_rate = ShareColumn("完工率", sort="finish_rate", group="比率", is_computed=True, width=9)
    total_investment_wan = c.WanColumn("总投资", sort="total_investment_wan", group="投资", is_computed=True, width=14)
    in_place_rate = ShareColumn("到位率", sort="in_place_rate", group="投资", is_computed=True, width=9)
    invested_rate = ShareColumn("投资完成率（占总投资）", sort="invested_rate", group="投资", is_computed=True, width=11)
    started_now = CountColumn("本周新开工", sort="started_now", group="本周", is_computed=True, width=9)
    finished_now = CountColumn("本周新完工", sort="finished_now", group="本周", is_computed=True, width=9)
    overdue = CountColumn("逾期", sort="overdue", group="卡点", is_computed=True, width=7)
    stalled = CountColumn("卡在本部门的手续", sort="stalled", group="卡点", is_computed=True, width=10)


def rows(day: dt.date, user=None) -> Source:
    return Source(day, Project.objects.all() if user is None else visible_projects(user, clock.today()))


class Sums:
    """Of the domains chosen: their projects once, and what the domain rows say."""

    def __init__(self, chosen: Rows):
        groups = [row for row in chosen if row["is_group"]]
        self.domains = self.rows = len(groups)
        self.totals = project_facts_module.totals(f for row in groups for f in row["facts"])
        for name in ("started_now", "finished_now", "overdue", "stalled"):
            setattr(self, name, sum(row[name] for row in groups))

    def __getattr__(self, name):
        return getattr(self.totals, name)


def totals(day: dt.date, chosen: Rows) -> Sums:
    return Sums(chosen)


def spoken_totals(sums: Sums) -> str:
    week = f"本周新开工{sums.started_now}个、新完工{sums.finished_now}个"
    return f"{sums.count}个项目，{week}，逾期{sums.overdue}个，办理中手续{sums.stalled}项"


def spoken_count(chosen: Rows) -> str:
    """Heads and projects told apart: together they count nothing."""
    heads = sum(row["is_group"] for row in chosen)
    projects = len(chosen) - heads
    return f"{heads}个领域、{projects}个项目" if projects else f"{heads}个领域"


def notes(chosen) -> list[str]:
    return [
        "“卡在本部门的手续”：领域一行为该领域牵头部门受理、已报送未办结的手续，不论项目属于哪个领域；项目一行为该项目已报送未办结的手续。",
        "“本周”自上一周截止日之后起算；“逾期”为基线开工或完工日期已过而未开工或未完工。",
    ]
