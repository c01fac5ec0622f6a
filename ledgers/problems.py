"""问题台账: a problem a row, from the same facts and verdicts as `/problems/`."""

import dataclasses
import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from html import escape

from django.db.models import QuerySet
from django.urls import reverse

from ledgers import columns as c
from ledgers.choices import KeptChoiceFilter
from ledgers.filters import LedgerFilter
from ledgers.tables import LedgerTable
from linfen_water import clock
from linfen_water.enums import UnitKind
from linfen_water.models import County, Domain, Unit, User
from projects.models import Problem, ProblemStep
from projects.problem_filters import ProblemConditions
from projects.problem_permissions import visible_problems
from projects.problem_reports import count, problems_on, read_problems
from projects.problem_rules import short


def rows(day: dt.date, user: User | None = None) -> QuerySet:
    """Problems raised by `day` that `user` may read, late ones first."""
    return problems_on(day, visible_problems(user, clock.today()) if user else Problem.objects.all())


def read(day: dt.date, chosen: Iterable[int]) -> list[dict]:
    keys = list(chosen)
    levels = level_texts(day, keys)
    suffix = "" if day == clock.today() else f"?as_of={day}"
    return [
        {
            "row": row,
            "suffix": suffix,  # keeps the day in links
            "code": row.code,
            "project_code": row.project_code,
            "project": row.project_name,
            "county": row.county,
            "domain": row.domain,
            "category": row.category,
            "description": row.description,
            "raised_on": row.raised_on,
            "level": row.level.value,
            "levels": levels[row.pk],
            "handler": row.handler,
            "assistants": row.assistants,
            "due_on": row.due_on,
            "measures": row.measures,
            "latest": row.latest,
            "state": row.state,
            "verdict": row.verdict,
            "closed_on": row.closed_on,
            "closing_basis": row.closing_basis,
            "stayed_days": row.stayed_days,
        }
        for row in read_problems(day, keys)
    ]


def level_texts(day: dt.date, keys: list[int]) -> dict[int, list[str]]:
    """`{problem: ["一级 2025-01-06 进入：…，2025-01-09 离开：…", …]}` as of `day`."""
    texts: dict[int, list[str]] = defaultdict(list)
    steps = ProblemStep.objects.filter(problem__in=keys, entered_on__lte=day).order_by("entered_on", "pk")
    for step in steps:
        left = f"；{step.left_on} 离开：{step.exit_opinion}" if step.left_on and step.left_on <= day else f"；本级期限 {step.due_on}"
        texts[step.problem_id].append(f"{short(step.level)} {step.entered_on} 进入：{step.entry_opinion}{left}")
    return texts


@dataclasses.dataclass(frozen=True)
class Totals:
    count: int
    state: str
    verdict: str
    words: str


def totals(day: dt.date, chosen: QuerySet) -> Totals:
    found = count(chosen)
    return Totals(
        count=found.all,
        state=f"未销号 {found.open}",
        verdict=f"超期 {found.late}",
        words=(
            f"未销号{found.open}个（超期{found.late}个，其中应升级{found.due_up}个；待核{found.to_check}个），已销号{found.closed}个，"
            f"销号率 {closing_rate(found.closed, found.all)}"
        ),
    )


def closing_rate(closed: int, total: int) -> str:
    rate = c.one_decimal(100 * closed / total) if total else None
    return "—" if rate is None else f"{rate}%（{closed}/{total}）"


def spoken_totals(sums: Totals) -> str:
    return sums.words


def notes(chosen) -> list[str]:
    return [
        "级别按当日所在的层级；“各级”列出每级的进入、离开和意见。各级期限按工作日计，超过即提请升级，由人决定。",
        "停留天数自提出日起按自然日计，至销号日止；整改时限内已报请核查的不计超期。",
    ]


class ProblemColumn(c.LedgerColumn):
    """The code, leading to the problem's page."""

    def render(self, value, row):
        return f'<a href="{reverse("problem", args=[value])}{row["suffix"]}">{escape(value)}</a>' if value else c.MISSING


class ProjectColumn(c.LedgerColumn):
    def render(self, value, row):
        return f"{escape(value)} <i>{escape(row['project_code'])}</i>"

    def value(self, value, row):
        return f"{row['project_code']} {value}"


class LevelColumn(c.LedgerColumn):
    def render(self, value, row):
        return f'<span title="{escape(row["row"].level.label)}">{escape(short(value))}</span>'

    def value(self, value, row):
        return row["row"].level.label


class StateColumn(c.LedgerColumn):
    is_summed = True

    def render(self, value, row):
        return c.badge(escape(value.label))

    def value(self, value, row):
        return value.label


class VerdictColumn(c.LedgerColumn):
    """How it stands, in the one sentence that every page quotes."""

    is_summed = True

    def render(self, value, row):
        return f"{c.badge(escape(value.standing.label), 'bad' if value.is_late else '')} <i>{escape(value.sentence)}</i>"

    def value(self, value, row):
        return f"{value.standing.label}：{value.sentence}"


class ProblemTable(LedgerTable):
    """问题台账: one row is a problem."""

    details = ("domain", "levels", "assistants", "measures", "closing_basis", "closed_on")

    code = ProblemColumn("编号", sort="code", group="问题", width=13, css="pin pin-1 nowrap")
    project = ProjectColumn("项目", sort="project__code", group="问题", width=36, css="medium")
    county = c.LedgerColumn("县（市、区）", sort="v__county__position", group="问题", width=11, css="nowrap")
    domain = c.LedgerColumn("领域", sort="project__domain__position", group="问题", width=10, css="nowrap")
    category = c.LedgerColumn("类别", sort="category", group="问题", width=9, css="nowrap")
    description = c.ClampedColumn("描述", group="问题", width=44, css="wide")
    raised_on = c.DateColumn("提出日", sort="raised_on", group="问题", width=11)
    level = LevelColumn("级别", sort="level_then", group="四级协调", width=16, css="nowrap")
    levels = c.ListColumn("各级进入、离开与意见", group="四级协调", width=60, css="wide")
    handler = c.LedgerColumn("承办单位", sort="handler__position", group="办理", width=18, css="medium")
    assistants = c.ListColumn("协办单位", group="办理", width=18, css="medium", is_counted=False)
    due_on = c.DateColumn("整改时限", sort="due_on", group="办理", width=11)
    measures = c.ClampedColumn("措施", group="办理", width=32, css="wide")
    latest = c.ClampedColumn("最近进展", group="办理", width=32, css="wide")
    state = StateColumn("状态", sort="state_place", group="研判", is_computed=True, width=9, css="nowrap")
    verdict = VerdictColumn("期限", sort="rank", group="研判", is_computed=True, width=40, css="wide")
    stayed_days = c.IntegerColumn("停留天数", group="研判", is_computed=True, width=9)
    closed_on = c.DateColumn("销号日", sort="closed_on", group="销号", width=11)
    closing_basis = c.ClampedColumn("销号依据", group="销号", width=28, css="medium")


class ProblemLedgerFilter(ProblemConditions, LedgerFilter):
    """The conditions of `/problems/`, spoken as a ledger speaks them; what they offer is kept until facts change."""

    county = KeptChoiceFilter(
        label="县（市、区）", field_name="v__county", queryset=County.objects.all(), to_field_name="code", empty_label="全部"
    )
    domain = KeptChoiceFilter(
        label="领域", field_name="project__domain", queryset=Domain.objects.all(), to_field_name="name", empty_label="全部"
    )
    handler = KeptChoiceFilter(
        label="承办单位", queryset=Unit.objects.exclude(kind=UnitKind.COMPANY), to_field_name="code", empty_label="全部"
    )
