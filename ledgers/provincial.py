"""省定重点工程分台账: a project a row, the province's terms and figures beside the city's own."""

import dataclasses
import datetime as dt
from collections.abc import Iterable
from decimal import Decimal

import django_filters as filters
from django.db.models import F, OuterRef, QuerySet, Subquery

from ledgers import columns as c
from ledgers import of_projects
from ledgers.filters import LedgerFilter
from ledgers.tables import LedgerTable
from projects.facts import ZERO, cents, project_facts, summed
from projects.models import Project
from projects.record_enums import TargetState
from projects.said import with_said
from projects.target_models import AnnualTarget, ProvincialFigure, ProvincialTerm
from projects.target_rules import verdict

TONES = {TargetState.REACHED: "ok", TargetState.MISSED: "bad", TargetState.PENDING: "", TargetState.NONE: ""}


class TargetColumn(c.LedgerColumn):
    def render(self, value, row):
        return c.badge(value.label, TONES[value], c.escape(row["target"] or ""))

    def value(self, value, row):
        return value.label


class DifferenceColumn(c.WanColumn):
    """The province's figure minus the city's on the same day."""

    number_format = "+#,##0.00;-#,##0.00;0.00"

    def render(self, value, row):
        return c.MISSING if value is None else f'<strong class="over">{value:+,.2f}</strong>' if value else "0"


class ProvincialTable(LedgerTable):
    """省定重点工程分台账."""

    number = c.IntegerColumn("省序号", sort="number", group="项目", width=7, css="pin pin-1")
    code = of_projects.CodeColumn("编号", sort="code", group="项目", width=9, css="nowrap")
    name = of_projects.UrlColumn("项目名称", sort="v__name", group="项目", width=34, css="name")
    county = c.LedgerColumn("县（市、区）", sort="v__county__position", group="项目", width=11, css="nowrap")
    category = c.LedgerColumn("省类别", sort="category", group="省定内容", width=12, css="nowrap")
    start_by = c.DateColumn("开工时限", sort="start_by", group="省定内容", width=11)
    finish_by = c.DateColumn("完工时限", sort="finish_by", group="省定内容", width=11)
    stage = c.StageColumn("本期状态", sort="stage", group="进展", is_computed=True, width=9)
    reached = TargetColumn("是否达年度目标", group="进展", is_computed=True, width=11, css="nowrap")
    total_investment_wan = c.WanColumn("总投资", sort="v__total_investment_wan", group="投资", width=13)
    invested_wan = c.WanColumn("累计完成投资", sort="invested_wan", group="投资", is_computed=True, width=13)
    told_on = c.DateColumn("省调度日", sort="told_on", group="省调度", width=11)
    told_wan = c.WanColumn("省调度数", sort="told_wan", group="省调度", width=13)
    difference = DifferenceColumn("与市台账差异", group="省调度", is_computed=True, width=13)
    benefit = c.ClampedColumn("效益指标", group="效益", width=32, css="medium")


class ProvincialFilter(of_projects.ProjectConditions, LedgerFilter):
    domain_field = "domain"
    words = ("code", "v__name")
    differs = filters.ChoiceFilter(label="差异", choices=[("yes", "与市台账不一致")], method="differing", empty_label="全部")

    def differing(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        keys = list(queryset.order_by().values_list("pk", flat=True))
        figures = last_figures(self.day, keys)
        return queryset.filter(pk__in=[pk for pk, row in figures.items() if difference(row)])


def rows(day: dt.date, user=None) -> QuerySet:
    term = ProvincialTerm.objects.standing().filter(project=OuterRef("pk"), effective_on__lte=day).order_by("-effective_on", "-pk")
    told = ProvincialFigure.objects.standing().filter(project=OuterRef("pk"), on__lte=day).order_by("-on", "-pk")
    terms = {name: Subquery(term.values(name)[:1]) for name in ("category", "start_by", "finish_by")}
    figures = {"told_on": Subquery(told.values("on")[:1]), "told_wan": Subquery(told.values("invested_wan")[:1])}
    return of_projects.listed(day, user).with_progress(day).annotate(**terms, **figures).order_by(F("number").asc(nulls_last=True), "code")


def last_figures(day: dt.date, keys: list[int]) -> dict[int, ProvincialFigure]:
    """The province's last figure by `day` of each project, with what the city's ledger said on its day (`said_invested_wan`)."""
    scope = ProvincialFigure.objects.standing().filter(project__in=keys, on__lte=day).order_by("on", "pk")
    return {row.project_id: row for row in with_said(scope, "on", "invested_wan")}


def difference(row: ProvincialFigure) -> Decimal:
    """The province's figure minus the city's on its day, to the cent."""
    return cents(row.invested_wan - (row.said_invested_wan or ZERO))


def read(day: dt.date, chosen: Iterable[int]) -> list[dict]:
    """The projects with the keys `chosen`, in that order. Six queries for any number."""
    chosen = list(chosen)
    facts = {f.pk: f for f in project_facts(day, Project.objects.filter(pk__in=chosen))}
    terms = {}
    for term in ProvincialTerm.objects.standing().filter(project__in=chosen, effective_on__lte=day).order_by("effective_on", "pk"):
        terms[term.project_id] = term
    targets = {t.project_id: t for t in AnnualTarget.objects.standing().filter(project__in=chosen, year=day.year, set_on__lte=day)}
    figures = last_figures(day, chosen)
    return [_row(day, facts[pk], terms.get(pk), targets.get(pk), figures.get(pk)) for pk in chosen if pk in facts]


def _row(day: dt.date, facts, term, target, figure) -> dict:
    state = verdict(
        day, day.year, target and target.kind, target and target.progress, facts.started_on, facts.completed_on, facts.physical_progress
    )
    return {
        "number": facts.number,
        "code": facts.code,
        "url": f"{c.project_url(facts.code)}targets/",
        "name": facts.name,
        "county": facts.county,
        "category": term.category if term else "",
        "start_by": term and term.start_by,
        "finish_by": term and term.finish_by,
        "stage": facts.stage,
        "target": target.text if target else "",
        "reached": state,
        "total_investment_wan": facts.total_investment_wan,
        "invested_wan": facts.invested_wan,
        "told_on": figure and figure.on,
        "told_wan": figure and figure.invested_wan,
        "difference": figure and difference(figure),
        "benefit": term.benefit if term else "",
    }


@dataclasses.dataclass(frozen=True)
class Totals:
    count: int
    total_investment_wan: Decimal
    invested_wan: Decimal
    told_wan: Decimal
    difference: Decimal
    differing: int


def totals(day: dt.date, chosen: QuerySet) -> Totals:
    """Money of what is chosen, from the same facts as every ledger."""
    keys = list(chosen.order_by().values_list("pk", flat=True))
    sums, figures = summed(day, chosen), last_figures(day, keys).values()
    differences = [difference(row) for row in figures]
    return Totals(
        count=sums.count,
        total_investment_wan=sums.total_investment_wan,
        invested_wan=sums.invested_wan,
        told_wan=sum((row.invested_wan for row in figures), ZERO),
        difference=sum(differences, ZERO),
        differing=sum(1 for difference in differences if difference),
    )


def spoken_totals(sums: Totals) -> str:
    return f"与市台账不一致 {sums.differing} 个，差额合计 {sums.difference:+,.2f} 万元"


def notes(chosen) -> list[str]:
    return [
        "差异＝省调度数－市台账同日的累计完成投资；省调度数为当日以前最近一次。",
        "年度目标按当年的年度任务判定，年底前未达到的为“未到期”。",
    ]
