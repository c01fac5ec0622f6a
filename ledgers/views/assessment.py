"""`/assessment/`: the appraisal of counties and departments as of a day, every score opening to its numbers."""

from django.shortcuts import render
from django.views.decorators.http import require_safe

from ledgers import appraisal
from linfen_water import policy
from linfen_water.permissions import is_department
from projects.facts import project_facts
from projects.permissions import is_whole_city


@require_safe
def assessment(request):
    """Everyone reads the whole ranking but a county, which reads its own row and its rank, unless the policy opens all."""
    day, user = request.as_of, request.user
    facts = project_facts(day)
    counties = appraisal.counties(day, facts)
    of = sum(row.rank is not None for row in counties)
    if not is_whole_city(user, request.today):
        counties, departments = [row for row in counties if row.key == user.unit.county.code], []
    else:
        departments = appraisal.departments(day, facts)
    context = {
        "groups": [("county", "县（市、区）", _by_rank(counties)), ("department", "市直部门", _by_rank(departments))],
        "of": of,
        "before_on": appraisal.period_before(day),
        "mine": user.unit.code if is_department(user) else user.unit.county.code if user.unit and user.unit.county else "",
        "values": policy.values_on(day),
    }
    return render(request, "ledgers/assessment.html", context)


def _by_rank(rows: list[appraisal.Row]) -> list[appraisal.Row]:
    return sorted(rows, key=lambda row: (row.rank is None, row.rank or 0))
