"""`/assessment/`: the appraisal of counties and departments as of a day, every score opening to its numbers."""

import dataclasses
from collections.abc import Iterator

from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from ledgers import appraisal
from ledgers.appraisal import Period
from ledgers.appraisal_paper import appraisal_paper
from ledgers.appraisal_rules import Part
from ledgers.documents.bulletin import office_of
from ledgers.views.printed import printed
from linfen_water import policy
from linfen_water.enums import UnitKind
from linfen_water.models import Unit
from linfen_water.permissions import is_department
from projects.facts import project_facts
from projects.permissions import is_whole_city


@require_safe
def assessment(request):
    """Everyone reads the whole ranking but a county, which reads its own row and its rank, unless the policy opens all."""
    user, period = request.user, _period(request)
    groups, of = _groups(request, period)
    before_on = appraisal.period_before(request.as_of, period)
    context = {
        "period_name": appraisal.period_name(request.as_of, period),
        "before_name": appraisal.period_name(before_on, period),
        "before_on": before_on,
        "groups": [(key, title, list(_with_lines(key, rows, request))) for key, title, rows in groups],
        "of": of,
        "period": period,
        "periods": Period.choices,
        "other_weights": [words for _, _, rows in groups for words in appraisal.other_weights(rows)],
        "first": appraisal.period_start(request.as_of, period),
        "mine": user.unit.code if is_department(user) else user.unit.county.code if user.unit and user.unit.county else "",
        "values": policy.values_on(request.as_of),
    }
    return render(request, "ledgers/assessment.html", context)


@require_safe
def assessment_pdf(request):
    """The same on paper: what the person may read, with every part's numbers."""
    day, period = request.as_of, _period(request)
    groups, _ = _groups(request, period)
    titled = [(title, rows) for _, title, rows in groups]
    paper = appraisal_paper(office_of(request.region), day, period, titled, is_demo=request.region.is_demo)
    return printed(request, paper, day, name=f"assessment-{day}", refusal="没有生成 PDF")


# The ledger with the rows that a part is made of, and by what it is narrowed: the county, the county's unit, the department, its domain.
SOURCES = {
    "finish": ("master", "county"), "start": ("master", "county"), "invested": ("master", "county"), "in_place": ("funds", "county"),
    "lag": ("master", "county"), "reports": ("weekly", "county"), "letters": ("letters", "unit"),
    "factors": ("permits", "authority"), "works_finish": ("master", "domain"), "works_invested": ("master", "domain"),
    "dispatch": ("weekly", "domain"),
}  # fmt: skip


@dataclasses.dataclass(frozen=True, slots=True)
class Line:
    """A part as the page shows it: beside the one of the period before, with the address of the rows behind its numbers."""

    part: Part
    before: Part | None
    source: str  # empty where there are no rows
    is_half: bool = False


def _with_lines(kind: str, rows: list[appraisal.Row], request) -> Iterator[tuple[appraisal.Row, list[Line]]]:
    if kind == "county":
        units = Unit.objects.filter(kind=UnitKind.COUNTY, county__isnull=False).values_list("county__code", "code")
    else:
        units = Unit.objects.filter(kind=UnitKind.DEPARTMENT, domain__isnull=False).values_list("code", "domain__name")
    name, others = ("unit" if kind == "county" else "domain"), dict(units)
    day = {"as_of": request.as_of.isoformat()} if request.as_of != request.today else {}
    for row in rows:
        known = {"county": row.key, "authority": row.key, name: others.get(row.key, "")}
        yield row, list(_lines(row, known, day))


def _lines(row: appraisal.Row, known: dict[str, str], day: dict[str, str]) -> Iterator[Line]:
    for part, before in row.parts_beside:
        yield Line(part, before, _source(part, known, day))
        halves_before = {half.key: half for half in before.halves} if before else {}
        for half in part.halves:
            yield Line(half, halves_before.get(half.key), _source(half, known, day), is_half=True)


def _source(part: Part, known: dict[str, str], day: dict[str, str]) -> str:
    """The address of the rows behind `part`; empty where there is none."""
    if not part.denominator:
        return ""
    ledger, by = SOURCES[part.key]
    whole = {"view": "all"} if part.key == "lag" else {}  # the planned progress and the lag are no usual columns
    return reverse("ledger", args=[ledger], query={by: known[by]} | whole | day) if known.get(by) else ""


def _period(request) -> Period:
    wanted = request.GET.get("period", "")
    return Period(wanted) if wanted in Period.values else Period.MONTH


def _groups(request, period: Period) -> tuple[list[tuple[str, str, list[appraisal.Row]]], int]:
    """Counties and departments that the person may read, by rank, and how many counties have one."""
    day, user = request.as_of, request.user
    facts = project_facts(day)
    counties = appraisal.counties(day, facts, period)
    of = sum(row.rank is not None for row in counties)
    if not is_whole_city(user, request.today):
        counties, departments = [row for row in counties if row.key == user.unit.county.code], []
    else:
        departments = appraisal.departments(day, facts, period)
    return [("county", "县（市、区）", _by_rank(counties)), ("department", "市直部门", _by_rank(departments))], of


def _by_rank(rows: list[appraisal.Row]) -> list[appraisal.Row]:
    return sorted(rows, key=lambda row: (row.rank is None, row.rank or 0))
