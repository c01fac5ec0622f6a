"""完工验收达效台账: a finished project a row, from its certificate to its proven effect."""

import dataclasses
import datetime as dt
from collections.abc import Iterable
from decimal import Decimal

import django_filters as filters
from django.db.models import Exists, F, OuterRef, QuerySet
from django.urls import reverse

from ledgers import columns as c
from ledgers import of_projects
from ledgers.filters import LedgerFilter
from ledgers.inspections import PercentColumn
from ledgers.tables import LedgerTable
from projects.acceptance import SPECIAL, Proof, finished_projects, proofs, section_changes
from projects.models import Project
from projects.record_enums import AcceptanceKind
from projects.site_models import AcceptanceFact


class AcceptanceTable(LedgerTable):
    """完工验收达效台账."""

    details = ("domain", "recognition", "accounts_wan", "handover_on", "benefit", "leftover")

    code = of_projects.UrlColumn("编号", sort="code", group="项目", width=9, css="pin pin-1 nowrap")
    name = of_projects.UrlColumn("项目名称", sort="v__name", group="项目", width=34, css="pin pin-2 name")
    county = c.LedgerColumn("县（市、区）", sort="v__county__position", group="项目", width=11, css="nowrap")
    domain = c.LedgerColumn("领域", sort="domain__position", group="项目", width=9, css="nowrap")
    completed_on = c.DateColumn("完工日", sort="completed_on", group="验收", is_computed=True, width=11)
    recognition = c.ClampedColumn("认定材料", group="验收", width=26, css="medium")
    special = c.ListColumn("专项验收", group="验收", width=30, css="medium")
    accepted_on = c.DateColumn("竣工验收日", group="验收", width=11)
    accepted_doc = c.LedgerColumn("文号", group="验收", width=18, css="medium")
    accounts_wan = c.WanColumn("竣工决算", group="验收", width=13)
    handover_on = c.DateColumn("移交", group="验收", width=11)
    trial_start_on = c.DateColumn("试运行起", group="试运行", width=11)
    trial_end_on = c.DateColumn("试运行止", group="试运行", width=11)
    load = PercentColumn("运行负荷", group="试运行", width=9)
    effluent = c.LedgerColumn("出水达标", group="试运行", width=12, css="nowrap")
    effect_on = c.DateColumn("达效日", group="达效", is_computed=True, width=11)
    benefit = c.ClampedColumn("效益量化", group="达效", width=30, css="medium")
    sections = c.ListColumn("关联断面变化", group="达效", is_computed=True, width=30, css="medium", is_counted=False)
    leftover = c.ClampedColumn("遗留问题", group="达效", width=26, css="medium")


class AcceptanceFilter(of_projects.ProjectConditions, LedgerFilter):
    domain_field = "domain"
    words = ("code", "v__name")
    lacks = filters.ChoiceFilter(
        label="尚缺",
        choices=[(kind.value, kind.label) for kind in AcceptanceKind if kind not in (AcceptanceKind.LEFTOVER, AcceptanceKind.EFFECT)],
        method="lacking",
        empty_label="全部",
    )
    effect = filters.ChoiceFilter(label="达效", choices=[("yes", "已达效"), ("no", "未达效")], method="proven", empty_label="全部")

    def lacking(self, queryset: QuerySet, name: str, kind: str) -> QuerySet:
        there = AcceptanceFact.objects.standing().filter(project=OuterRef("pk"), kind=kind, on__lte=self.day)
        return queryset.filter(~Exists(there))

    def proven(self, queryset: QuerySet, name: str, wanted: str) -> QuerySet:
        """Runs of days are no matter of SQL: found first and chosen by key."""
        keys = list(queryset.order_by().values_list("pk", flat=True))
        effective = {pk for pk, proof in proofs(self.day, keys).items() if proof.effect_on}
        return queryset.filter(pk__in=effective) if wanted == "yes" else queryset.exclude(pk__in=effective)


def rows(day: dt.date, user=None) -> QuerySet:
    return finished_projects(of_projects.listed(day, user), day).order_by(F("completed_on").desc(), "code")


def read(day: dt.date, chosen: Iterable[int]) -> list[dict]:
    """The projects with the keys `chosen`, in that order. Eight queries for any number."""
    chosen = list(chosen)
    names = of_projects.about(day, chosen)
    completed = dict(Project.objects.filter(pk__in=names).values_list("pk", "completed_on"))
    found, changes = proofs(day, names), section_changes(day, completed)
    return [_row(names[pk], completed[pk], found[pk], changes.get(pk, [])) for pk in chosen if pk in names]


def _row(about: dict, completed_on: dt.date, proof: Proof, changes: list[str]) -> dict:
    facts = proof.facts

    def on(kind: AcceptanceKind) -> dt.date | None:
        return facts[kind].on if kind in facts else None

    def words(kind: AcceptanceKind) -> str:
        return " ".join(filter(None, [facts[kind].doc_number, facts[kind].text])) if kind in facts else ""

    final, accounts = facts.get(AcceptanceKind.FINAL), facts.get(AcceptanceKind.ACCOUNTS)
    return about | {
        "code": about["project_code"],
        "url": reverse("acceptance", args=[about["project_code"]]),
        "completed_on": completed_on,
        "recognition": words(AcceptanceKind.RECOGNITION),
        "special": [f"{kind.label} {facts[kind].on}" for kind in SPECIAL if kind in facts],
        "accepted_on": final and final.on,
        "accepted_doc": final.doc_number if final else "",
        "accounts_wan": accounts and accounts.amount_wan,
        "handover_on": on(AcceptanceKind.HANDOVER),
        "trial_start_on": on(AcceptanceKind.TRIAL_START),
        "trial_end_on": on(AcceptanceKind.TRIAL_END),
        "load": proof.last_load and proof.last_load.load_percent,
        "effluent": proof.effluent,
        "effect_on": proof.effect_on,
        "benefit": words(AcceptanceKind.BENEFIT),
        "sections": changes,
        "leftover": words(AcceptanceKind.LEFTOVER),
    }


@dataclasses.dataclass(frozen=True)
class Totals:
    count: int
    accepted: int
    proven: int
    accounts_wan: Decimal


def totals(day: dt.date, chosen: QuerySet) -> Totals:
    """Of the finished projects chosen: how many passed the final acceptance and proved their effect, and the sum of their accounts."""
    keys = list(chosen.order_by().values_list("pk", flat=True))
    found = list(proofs(day, keys).values())
    accounts = (proof.facts[AcceptanceKind.ACCOUNTS].amount_wan for proof in found if AcceptanceKind.ACCOUNTS in proof.facts)
    return Totals(
        count=len(keys),
        accepted=sum(AcceptanceKind.FINAL in proof.facts for proof in found),
        proven=sum(proof.effect_on is not None for proof in found),
        accounts_wan=sum(filter(None, accounts), Decimal("0.00")),
    )


def spoken_totals(sums: Totals) -> str:
    return f"已竣工验收{sums.accepted}个，已达效{sums.proven}个"


def notes(chosen) -> list[str]:
    return [
        "达效日按规则由运行负荷算出（建议值见“规则”），不以负荷衡量的工程由专班办认定。",
        "关联断面变化为最近一个月与完工前同月的水质类别，只作参考，不说明因果。",
    ]
