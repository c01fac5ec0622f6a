"""SQL twins of `rules.py` for querysets of projects, so that a ledger of any length can sort and filter by them.

`tests/projects/test_expressions.py` holds every twin against its rule on both databases.
"""

import datetime as dt

from django.db.models import (
    Case,
    ExpressionWrapper,
    F,
    FloatField,
    Func,
    OuterRef,
    PositiveSmallIntegerField,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Cast, Coalesce

from linfen_water.dates import add_months, month_start
from projects.enums import Stage


class DayNumber(Func):
    """A date as a count of days, for differences that both databases compute alike."""

    output_field = FloatField()

    def as_sqlite(self, compiler, connection, **context):
        return self.as_sql(compiler, connection, template="julianday(%(expressions)s)", **context)

    def as_postgresql(self, compiler, connection, **context):
        return self.as_sql(compiler, connection, template="(CAST(%(expressions)s AS date) - DATE '2000-01-01')", **context)


def stage_on(day: dt.date) -> Case:
    """Twin of `rules.stage`."""
    return Case(
        When(completed_on__lte=day, then=Value(int(Stage.FINISHED))),
        When(started_on__lte=day, then=Value(int(Stage.UNDER_CONSTRUCTION))),
        default=Value(int(Stage.NOT_STARTED)),
        output_field=PositiveSmallIntegerField(),
    )


def planned_on(day: dt.date, plans) -> Coalesce:
    """Twin of `rules.planned`, in percent, for a queryset that has `v` (`as_of`). `plans` is `MonthlyPlan.objects`."""
    month = month_start(day)
    own = plans.filter(project=OuterRef("pk"))
    this = Cast(Subquery(own.filter(month=month).values("planned_progress")[:1]), FloatField())
    earlier = own.filter(month__lt=month).order_by("-month").values("planned_progress")[:1]
    before = Coalesce(Cast(Subquery(earlier), FloatField()), Value(0.0))
    share = day.day / (add_months(month, 1) - month).days
    return Coalesce(ExpressionWrapper(before + (this - before) * Value(share), FloatField()), baseline_line(day), output_field=FloatField())


def baseline_line(day: dt.date) -> Case:
    """Twin of `rules.baseline_line` on the version in force."""
    since_start = DayNumber(Value(day)) - DayNumber(F("v__baseline_start_on"))
    length = DayNumber(F("v__baseline_finish_on")) - DayNumber(F("v__baseline_start_on"))
    return Case(
        When(v__baseline_finish_on__lte=day, then=Value(100.0)),
        When(v__baseline_start_on__gte=day, then=Value(0.0)),
        default=ExpressionWrapper(Value(100.0) * since_start / length, FloatField()),
        output_field=FloatField(),
    )
