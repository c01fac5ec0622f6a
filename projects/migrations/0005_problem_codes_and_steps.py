"""Give problems that were kept before the levels their code and their first step, in the order in which they were raised."""

from collections import Counter

from django.db import migrations

from linfen_water import policy
from linfen_water.workdays import add_workdays

KEPT = "原有问题转入"


def give_codes_and_steps(apps, schema_editor):
    Problem, ProblemStep = apps.get_model("projects", "Problem"), apps.get_model("projects", "ProblemStep")
    days = policy.Values()
    allowed = {1: days.help_days_office, 2: days.help_days_departments, 3: days.help_days_city, 4: days.help_days_province}
    counts = Counter(code.split("-")[1] for code in Problem.objects.exclude(code=None).values_list("code", flat=True))
    rows, steps = [], []
    for problem in Problem.objects.filter(code=None).order_by("raised_on", "pk"):
        year = str(problem.raised_on.year)
        counts[year] += 1
        problem.code = f"WT-{year}-{counts[year]:03}"
        if problem.measures or problem.closed_on:  # somebody had begun
            problem.begun_on = problem.raised_on
        if problem.closed_on:
            problem.answered_on = problem.closed_on
        rows.append(problem)
        steps.append(
            ProblemStep(
                problem=problem,
                level=problem.level,
                entered_on=problem.raised_on,
                entry_opinion=KEPT,
                due_on=add_workdays(problem.raised_on, allowed.get(problem.level, days.help_days_office)),
                left_on=problem.closed_on,
                exit_opinion=f"销号：{problem.closing_basis}" if problem.closed_on else "",
            )
        )
    Problem.objects.bulk_update(rows, ["code", "begun_on", "answered_on"], batch_size=200)
    ProblemStep.objects.bulk_create(steps, batch_size=200)


class Migration(migrations.Migration):
    dependencies = [("projects", "0004_weeks_papers_steps_photos")]
    operations = [migrations.RunPython(give_codes_and_steps, migrations.RunPython.noop)]
