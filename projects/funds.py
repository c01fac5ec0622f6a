"""The money of projects as of a day, source by source, read in a fixed number of queries; what page, ledger and checks start from.

What is planned and issued has its own dates; what is in place, passed on, paid and worked off is what the last dispatch says that
speaks for the day, as in `projects.facts`, so that every sum is that of the master ledger.
"""

import dataclasses
import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.db.models import (
    Case,
    DecimalField,
    Exists,
    ExpressionWrapper,
    F,
    FilteredRelation,
    FloatField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Cast, Coalesce, NullIf

from linfen_water import policy
from projects import funds_rules as rules
from projects.enums import SourceKind, Stage
from projects.facts import cents
from projects.models import Dispatch, DispatchLine, FundingPaper, FundingRevision, FundingSource, Project
from projects.rules import Money

WEEK = dt.timedelta(weeks=1)
MONEY = ("in_place_wan", "allocated_wan", "paid_wan", "completed_wan")


@dataclasses.dataclass(frozen=True, slots=True)
class Paper:
    """An allocation paper that stands."""

    doc_number: str
    issued_on: dt.date
    amount_wan: Decimal

    @property
    def words(self) -> str:
        return f"{self.doc_number or '文号未登记'} {self.issued_on}"


@dataclasses.dataclass(frozen=True, slots=True)
class Line:
    """One source of one project."""

    pk: int
    project_pk: int
    code: str
    name: str
    county: str
    county_code: str
    domain: str
    stage: Stage
    source: rules.Source
    papers: tuple[Paper, ...]
    closed_on: dt.date | None

    @property
    def kind(self) -> SourceKind:
        return self.source.kind


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
    """One verdict with the source that it is about."""

    line: Line
    verdict: rules.Verdict


# ── SQL twins: so that a ledger of any length can be chosen and ordered ─────────────────────────────────────────────


def planned_on(day: dt.date) -> Coalesce:
    """What a source was planned to give on `day`: what stood before the first later change, else what stands."""
    later = FundingRevision.objects.filter(source=OuterRef("pk"), effective_from__gt=day).order_by("effective_from")
    return Coalesce(Subquery(later.values("before_wan")[:1]), F("planned_wan"))


def issued_on(day: dt.date) -> Case:
    """The sum of the papers that stand by `day`; None when there is none. A source without papers keeps what it was loaded with."""
    standing = FundingPaper.objects.filter(source=OuterRef("pk"), withdrawn_at=None)
    total = standing.filter(issued_on__lte=day).order_by().values("source").annotate(n=Sum("amount_wan")).values("n")
    is_loaded = ~Exists(standing) & (Q(issued_on__isnull=True) | Q(issued_on__lte=day))
    return Case(
        When(is_loaded, then=F("issued_wan")),
        default=Subquery(total, output_field=DecimalField(max_digits=16, decimal_places=2)),
        output_field=DecimalField(max_digits=16, decimal_places=2),
    )


def open_on(day: dt.date) -> Q:
    return (Q(opened_on__isnull=True) | Q(opened_on__lte=day)) & (Q(closed_on__isnull=True) | Q(closed_on__gt=day))


def _line_on(day: dt.date) -> QuerySet:
    """The line of a source in the last dispatch of its project that speaks for `day`."""
    last = Dispatch.objects.speaking(day).filter(project=OuterRef(OuterRef("project"))).order_by("-week_of").values("pk")
    return DispatchLine.objects.filter(source=OuterRef("pk"), dispatch=Subquery(last[:1]))


def sources_on(day: dt.date, projects) -> QuerySet:
    """Sources of the `projects` that are on the list on `day`: those that are open then, and closed ones that money stands on.

    Annotates `v` (the project's version in force), `code`, `planned`, `issued`.
    """
    in_force = Q(project__versions__effective_from__lte=day)
    in_force &= Q(project__versions__effective_to__isnull=True) | Q(project__versions__effective_to__gt=day)
    has_money = Q(in_place_wan__gt=0) | Q(allocated_wan__gt=0) | Q(paid_wan__gt=0) | Q(completed_wan__gt=0)
    return (
        FundingSource.objects.filter(open_on(day) | Exists(_line_on(day).filter(has_money)))
        .filter(project__in=projects.as_of(day).order_by().values("pk"))
        .annotate(
            v=FilteredRelation("project__versions", condition=in_force),
            code=F("project__code"),
            planned=planned_on(day),
            issued=issued_on(day),
        )
    )


def plans_on(day: dt.date, projects: QuerySet) -> dict[int, list[tuple[SourceKind, Decimal]]]:
    """`{project: [(kind, planned)]}` of the sources that the ledger of funds has on `day`, in their order. One query."""
    found: dict[int, list[tuple[SourceKind, Decimal]]] = defaultdict(list)
    for pk, kind, planned in sources_on(day, projects).order_by("position", "pk").values_list("project", "kind", "planned"):
        found[pk].append((SourceKind(kind), cents(planned)))
    return found


def with_apart(sources: QuerySet, day: dt.date) -> QuerySet:
    """Annotate `apart`, the SQL twin of `rules.apart`: the same for all sources of a project."""
    siblings = sources_on(day, Project.objects.all()).filter(project=OuterRef("project")).order_by().values("project")
    planned = Subquery(siblings.annotate(n=Sum("planned")).values("n"))
    money = DecimalField(max_digits=16, decimal_places=2)
    return sources.annotate(apart=ExpressionWrapper(F("v__total_investment_wan") - planned, output_field=money))


def with_money(sources: QuerySet, day: dt.date) -> QuerySet:
    """Annotate what the lines say on `day` and a week before, and what follows from it, to sort and filter by."""
    now = _line_on(day)
    money = DecimalField(max_digits=16, decimal_places=2)
    papers = FundingPaper.objects.filter(source=OuterRef("pk"), withdrawn_at=None, issued_on__lte=day).order_by("-issued_on", "-pk")
    zero = Value(Decimal(0), output_field=money)
    annotated = sources.annotate(
        **{f"now_{name}": Subquery(now.values(name)[:1]) for name in MONEY},
        before_in_place_wan=Subquery(_line_on(day - WEEK).values("in_place_wan")[:1]),
        paper_on=Subquery(papers.values("issued_on")[:1]),
    )
    arrived = F("now_in_place_wan") - Coalesce(F("before_in_place_wan"), zero)
    gap = F("planned") - F("now_in_place_wan")
    return annotated.annotate(
        arrived=ExpressionWrapper(arrived, output_field=money),
        gap=Case(When(now_in_place_wan__lt=F("planned"), then=ExpressionWrapper(gap, output_field=money)),
                 When(now_in_place_wan__isnull=False, then=zero), output_field=money),
        in_place_share=_share(F("now_in_place_wan"), F("planned")),
        paid_share=_share(F("now_paid_wan"), F("now_in_place_wan")),
    )  # fmt: skip


def _share(part, whole) -> ExpressionWrapper:
    """A rate to order by; what is shown comes from the rules."""
    return ExpressionWrapper(Cast(part, FloatField()) / NullIf(Cast(whole, FloatField()), Value(0.0)), output_field=FloatField())


# ── Reading ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def read(day: dt.date, projects=None, *, chosen: Iterable[int] | None = None, weeks: int | None = None) -> list[Line]:
    """The sources of `projects` (default: all) on `day` in the order of the list; `chosen` keeps only some. A fixed number of queries."""
    scope = Project.objects.all() if projects is None else projects
    rows = sources_on(day, scope)
    if chosen is not None:
        chosen = list(chosen)
        rows = rows.filter(pk__in=chosen)
        scope = Project.objects.filter(pk__in=FundingSource.objects.filter(pk__in=chosen).values("project"))
    found = list(
        rows.order_by("project__number", "code", "position", "pk").values(
            "pk", "project_id", "kind", "planned", "issued", "closed_on", "code", "v__name", "v__county__name", "v__county__code",
            "project__domain__name",
        )
    )  # fmt: skip
    if not found:
        return []
    weeks = policy.values_on(day).idle_funds_weeks if weeks is None else weeks
    now, before, earlier = (_money(scope, on) for on in (day, day - WEEK, day - weeks * WEEK))
    papers = _papers(day, None if chosen is None else [row["pk"] for row in found])
    stages = dict(scope.as_of(day).order_by().values_list("pk", "stage"))
    return [_line(row, now, before, earlier, papers, stages) for row in found]


def _line(row: dict[str, Any], now, before, earlier, papers, stages) -> Line:
    pk = row["pk"]
    planned, issued = cents(row["planned"]), cents(row["issued"])
    source = rules.Source(SourceKind(row["kind"]), planned, issued, now.get(pk), before.get(pk), earlier.get(pk))
    return Line(
        pk=pk,
        project_pk=row["project_id"],
        code=row["code"],
        name=row["v__name"],
        county=row["v__county__name"],
        county_code=row["v__county__code"],
        domain=row["project__domain__name"],
        stage=Stage(stages[row["project_id"]]),
        source=source,
        papers=tuple(papers.get(pk, ())),
        closed_on=row["closed_on"],
    )


def _money(scope, day: dt.date) -> dict[int, Money]:
    """What the last dispatches that speak for `day` say of each source."""
    last = scope.as_of(day).with_dispatch(day).order_by().values("dispatch_id")
    rows = DispatchLine.objects.filter(dispatch__in=last).order_by()
    return {pk: Money(*values) for pk, *values in rows.values_list("source_id", *MONEY)}


def _papers(day: dt.date, chosen: list[int] | None) -> dict[int, list[Paper]]:
    rows = FundingPaper.objects.filter(withdrawn_at=None, issued_on__lte=day).order_by("issued_on", "pk")
    if chosen is not None:
        rows = rows.filter(source__in=chosen)
    found: dict[int, list[Paper]] = defaultdict(list)
    for pk, *values in rows.values_list("source_id", "doc_number", "issued_on", "amount_wan"):
        found[pk].append(Paper(*values))
    return found


# ── What follows ────────────────────────────────────────────────────────────────────────────────────────────────────


def findings(lines: Iterable[Line], weeks: int, day: dt.date) -> list[Finding]:
    """Every verdict, by rule and then the largest amount first."""
    found = [Finding(line, verdict) for line in lines for verdict in rules.check(line.source, weeks, day)]
    order = list(rules.FundsRule)
    return sorted(found, key=lambda one: (order.index(one.verdict.rule), -one.verdict.amount_wan, one.line.code))


@dataclasses.dataclass(frozen=True, slots=True)
class Group:
    """One row of the overview: a county, a domain or a kind of source."""

    label: str
    key: str
    sums: rules.Sums


@dataclasses.dataclass(frozen=True, slots=True)
class Overview:
    """All that `/funds/` shows."""

    sums: rules.Sums
    counties: list[Group]
    domains: list[Group]
    kinds: list[Group]
    gaps: list[Line]  # sources with the largest gaps first, the first few
    gap_count: int
    found: tuple[tuple[rules.FundsRule, int], ...]  # rule and source of every verdict, in their order: `findings_of` reads those of a page
    by_rule: list[tuple[rules.FundsRule, int, Decimal]]  # how many findings of each rule there are, and how much money they speak of
    unreported: int  # sources of which nothing was reported yet
    projects: int
    weeks: int

    def of(self, rule: str) -> list[tuple[rules.FundsRule, int]]:
        return [pair for pair in self.found if not rule or pair[0] == rule]

    @property
    def breaches(self) -> int:
        return sum(rule in rules.CHAIN_RULES for rule, _ in self.found)


GAPS = 15  # that the overview carries; the ledger has them all


def findings_of(day: dt.date, pairs: Iterable[tuple[rules.FundsRule, int]], weeks: int) -> list[Finding]:
    """The findings of these rules and sources, in this order. A fixed number of queries."""
    pairs = list(pairs)
    lines = read(day, chosen={pk for _, pk in pairs}, weeks=weeks)
    found = {(one.verdict.rule, one.line.pk): one for one in findings(lines, weeks, day)}
    return [found[pair] for pair in pairs if pair in found]


def overview(day: dt.date, projects, *, kind: str = "") -> Overview:
    """The money of `projects` on `day`; with `kind` that of one kind of source."""
    weeks = policy.values_on(day).idle_funds_weeks
    lines = [line for line in read(day, projects, weeks=weeks) if not kind or line.kind == kind]
    short = sorted((line for line in lines if line.source.gap_wan), key=lambda line: (-(line.source.gap_wan or 0), line.code))
    found = findings(lines, weeks, day)
    return Overview(
        sums=rules.sum_up(line.source for line in lines),
        counties=_groups(lines, lambda line: (line.county, line.county_code)),
        domains=_groups(lines, lambda line: (line.domain, line.domain)),
        kinds=_groups(lines, lambda line: (line.source.label, str(line.kind))),
        gaps=short[:GAPS],
        gap_count=len(short),
        found=tuple((one.verdict.rule, one.line.pk) for one in found),
        by_rule=_by_rule(found),
        unreported=sum(line.source.now is None for line in lines),
        projects=len({line.project_pk for line in lines}),
        weeks=weeks,
    )


def _by_rule(found: list[Finding]) -> list[tuple[rules.FundsRule, int, Decimal]]:
    amounts: dict[rules.FundsRule, list[Decimal]] = defaultdict(list)
    for one in found:
        amounts[one.verdict.rule].append(one.verdict.amount_wan)
    return [(rule, len(amounts[rule]), sum(amounts[rule], Decimal(0))) for rule in rules.FundsRule]


def _groups(lines: list[Line], key) -> list[Group]:
    found: dict[tuple[str, str], list[rules.Source]] = defaultdict(list)
    for line in lines:
        found[key(line)].append(line.source)
    groups = [Group(label, code, rules.sum_up(sources)) for (label, code), sources in found.items()]
    return sorted(groups, key=lambda group: (-group.sums.planned_wan, group.label))


@dataclasses.dataclass(frozen=True, slots=True)
class Week:
    """What a project's dispatch of one week says of its money, summed and by source."""

    week_of: dt.date
    cut_off_on: dt.date
    state: str
    total: Money
    lines: dict[int, Money]
    rise: Money | None  # since the report before

    @property
    def name(self) -> str:
        year, number, _ = self.week_of.isocalendar()
        return f"{year}年第{number}周"


def course(project: Project, day: dt.date) -> list[Week]:
    """The course of a project's money, week by week, the first on top. Two queries."""
    rows = Dispatch.objects.speaking(day).filter(project=project).order_by("week_of").prefetch_related("lines")
    found: list[Week] = []
    for row in rows:
        lines = {line.source_id: Money(*(getattr(line, name) for name in MONEY)) for line in row.lines.all()}
        total = Money(row.in_place_wan, row.allocated_wan, row.paid_wan, row.invested_wan)
        rise = Money(*(getattr(total, name) - getattr(found[-1].total, name) for name in MONEY)) if found else None
        found.append(Week(row.week_of, row.cut_off_on, row.get_state_display(), total, lines, rise))
    return found
