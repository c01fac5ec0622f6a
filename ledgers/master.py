"""工程总台账: every project with what is known of it. What is shown comes from `projects.facts`; SQL only orders and chooses."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal

from django.db.models import Case, Count, DateField, F, OuterRef, PositiveIntegerField, Q, QuerySet, Subquery, When
from django.db.models.functions import Coalesce

from linfen_water import clock, policy
from linfen_water.dates import monday
from linfen_water.models import Domain
from linfen_water.workdays import add_workdays
from projects import funds, funds_rules, rules, weeks
from projects.enums import HelpLevel, Nature, PermitKind, PermitState, ProblemCategory, SourceKind, Stage
from projects.facts import ProjectFacts, Totals, project_facts, summed
from projects.models import Dispatch, Permit, Problem, Project
from projects.permissions import visible_projects

FACTS = (
    "pk", "code", "number", "name", "county", "domain", "stage", "total_investment_wan", "physical_progress", "planned_progress",
    "lag", "in_place_wan", "invested_wan", "baseline_start_on", "baseline_finish_on", "forecast_start_on", "forecast_finish_on",
    "started_on", "completed_on",
)  # fmt: skip


REPORTED = ("physical_progress", "in_place_wan", "invested_wan")


def rows(day: dt.date, user=None) -> QuerySet:
    """Projects of the ledger as of `day` that `user` may read (None: all, for commands), ready to sort and filter."""
    scope = Project.objects.all() if user is None else visible_projects(user, clock.today())
    return (
        scope.as_of(day)
        .with_progress(day)
        .annotate(
            known_start_on=Case(When(started_on__lte=day, then=F("started_on")), output_field=DateField()),
            known_completion_on=Case(When(completed_on__lte=day, then=F("completed_on")), output_field=DateField()),
            missing_permits=count_of(Permit.objects.filter(~obtained_by(day), is_required=True)),
            open_problems=count_of(Problem.objects.open_on(day)),
        )
        .order_by("code")
    )


def count_of(related: QuerySet) -> Coalesce:
    """How many rows of `related` each project has."""
    counted = related.filter(project=OuterRef("pk")).order_by().values("project").annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(counted, output_field=PositiveIntegerField()), 0)


def obtained_by(day: dt.date) -> Q:
    return Q(obtained_on__isnull=False, obtained_on__lte=day)


def read(day: dt.date, chosen: Iterable[int]) -> list[dict]:
    """The rows of the projects with the keys `chosen`, in that order. Seven queries for any number."""
    chosen = list(chosen)
    scope = Project.objects.filter(pk__in=chosen)
    facts = {f.pk: f for f in project_facts(day, scope)}
    earlier = Dispatch.objects.speaking(day).filter(project=OuterRef("pk")).order_by("-week_of")
    about = {row["pk"]: row for row in scope.as_of(day).annotate(
        **{f"earlier_{name}": Subquery(earlier.values(name)[1:2]) for name in REPORTED}
    ).values(
        "pk", "nature", "scale", "is_domain_inferred",
        "v__owner", "v__sponsor_post", "v__responsible_unit__name", "v__lead_unit__name", *(f"earlier_{name}" for name in REPORTED),
    )}  # fmt: skip
    plans, permits, problems = funds.plans_on(day, scope), permit_texts(day, chosen), problem_texts(day, chosen)
    thresholds = policy.values_on(day)
    due = last_due_week(day, thresholds)
    return [
        _row(facts[pk], about[pk], thresholds, due)
        | funding_of(facts[pk].total_investment_wan, plans.get(pk, []))
        | {"permits": permits[pk], "problems": problems[pk]}
        for pk in chosen
        if pk in facts
    ]


def last_due_week(day: dt.date, thresholds: policy.Values) -> dt.date:
    """The Monday of the last week whose report should be there by `day`."""
    week_of = monday(day)
    while not (week := weeks.by_policy(week_of, thresholds)).is_due or week.cut_off_on >= day:
        week_of -= weeks.WEEK
    return week_of


def marks_of(facts: ProjectFacts, about: dict, due: dt.date) -> dict[str, str]:
    """What an unfinished project reported without any change against the report before, and a report that is missing."""
    if facts.stage == Stage.FINISHED:
        return {}
    same = {name: "is-same" for name in REPORTED if getattr(facts, name) == about[f"earlier_{name}"] is not None}
    return same | ({"updated_on": "is-missing"} if facts.week_of is None or facts.week_of < due else {})


def _row(facts: ProjectFacts, about: dict, thresholds: policy.Values, due: dt.date) -> dict:
    row = {name: getattr(facts, name) for name in FACTS}
    return row | {
        "nature": Nature(about["nature"]).label,
        "scale": about["scale"],
        "is_domain_inferred": about["is_domain_inferred"],
        "owner": about["v__owner"],
        "sponsor_post": about["v__sponsor_post"],
        "responsible_unit": about["v__responsible_unit__name"],
        "lead_unit": about["v__lead_unit__name"],
        "risk": rules.risk(facts.stage, facts.lag, thresholds.behind_points, thresholds.far_behind_points),
        "updated_on": facts.week_of,
        "marks": marks_of(facts, about, due),
    }


def funding_of(total_wan: Decimal, plans: list[tuple[SourceKind, Decimal]]) -> dict:
    """`funding`: ["中央资金 1200.00", …], planned amounts in 万元; `apart`: by how much they miss the total investment, in words."""
    difference = funds_rules.apart(total_wan, [planned for _, planned in plans])
    return {"funding": [f"{kind.label} {planned:.2f}" for kind, planned in plans], "apart": funds_rules.apart_words(difference)}


def permit_texts(day: dt.date, chosen: list[int]) -> dict[int, list[str]]:
    """Required permits not yet obtained on `day`: `{project: ["环境影响评价（办理中，已过承诺时限）", …]}`."""
    texts = defaultdict(list)
    missing = Permit.objects.filter(~obtained_by(day), project__in=chosen, is_required=True).order_by("project", "pk")
    for pk, kind, submitted_on, workdays in missing.values_list("project", "kind", "submitted_on", "promised_workdays"):
        texts[pk].append(f"{PermitKind(kind).label}（{permit_remark(day, submitted_on, workdays)}）")
    return texts


def permit_remark(day: dt.date, submitted_on: dt.date | None, promised_workdays: int | None) -> str:
    """How a permit that is not there yet stands on `day`, in words."""
    state = rules.permit_state(day, True, submitted_on, None)
    if state == PermitState.IN_PROGRESS and promised_workdays is not None:
        due_on = add_workdays(submitted_on, promised_workdays)
        return f"{state.label}，应于{due_on}办结" + ("，已逾期" if day > due_on else "")
    return state.label


def overdue_permits(permits: QuerySet, day: dt.date) -> list[tuple[dt.date, Permit]]:
    """Those of `permits` that were promised for a day before `day` and are not there yet, with that day."""
    waiting = permits.filter(is_required=True, submitted_on__lt=day, promised_workdays__isnull=False).exclude(obtained_on__lte=day)
    due = [(add_workdays(permit.submitted_on, permit.promised_workdays), permit) for permit in waiting.select_related("authority")]
    return [(due_on, permit) for due_on, permit in due if due_on < day]


def problem_texts(day: dt.date, chosen: list[int]) -> dict[int, list[str]]:
    """Problems open on `day`: `{project: ["用地：征地未完成（二级，2025-01-31前）", …]}`."""
    texts = defaultdict(list)
    problems = Problem.objects.open_on(day).filter(project__in=chosen).order_by("project", "-level", "raised_on", "pk")
    for pk, category, description, level, due_on in problems.values_list("project", "category", "description", "level", "due_on"):
        limit = f"，时限{due_on}" if due_on else ""
        texts[pk].append(f"{ProblemCategory(category).label}：{description}（{HelpLevel(level).label[:2]}{limit}）")
    return texts


def parts(day: dt.date, chosen: QuerySet) -> list[tuple[str, Totals]]:
    """The totals of each domain in `chosen`, in the order of domains; none when all lie in one. As many queries as there are domains."""
    domains = list(Domain.objects.filter(pk__in=chosen.order_by().values("domain")))
    return [(domain.name, summed(day, chosen.filter(domain=domain))) for domain in domains] if len(domains) > 1 else []


def spoken_totals(sums: Totals) -> str:
    """The totals in one line, with the rates that reports use."""
    rates = "，".join(
        f"{word}{'—' if value is None else f'{value}%'}"
        for word, value in [
            ("开工率", sums.start_rate),
            ("完工率", sums.finish_rate),
            ("资金到位率", sums.in_place_rate),
            ("投资完成率（占总投资）", sums.invested_rate),
        ]
    )
    return f"前期{sums.not_started}、开工{sums.under_construction}、完工{sums.finished}；{rates}"
