"""What the dispatch said that spoke for the day of each row: for figures of other sources that are held against it."""

import datetime as dt

from django.db.models import Case, DateField, F, OuterRef, QuerySet, Subquery, Value, When

from linfen_water import clock
from linfen_water.dates import monday
from projects.models import Dispatch


def with_said(rows: QuerySet, day_field: str, *names: str) -> QuerySet:
    """Annotate `said_<name>` of the last dispatch that speaks for the row's day (`DispatchQuerySet.speaking`, row by row)."""
    today = clock.today()
    sunday = monday(today) + dt.timedelta(days=6)
    horizon = Case(When(**{f"{day_field}__gte": today}, then=Value(sunday)), default=F(day_field), output_field=DateField())
    last = Dispatch.objects.filter(is_live=True, project=OuterRef("project"), cut_off_on__lte=OuterRef("horizon")).order_by("-week_of")
    return rows.annotate(horizon=horizon).annotate(**{f"said_{name}": Subquery(last.values(name)[:1]) for name in names})
