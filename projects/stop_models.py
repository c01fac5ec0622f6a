"""Days on which works may stand still with approval: they are never held against a project."""

import dataclasses
import datetime as dt

from django.db import models
from django.db.models import F, Q

from linfen_water.models import County
from projects.enums import StopKind
from projects.record_base import Record


class ApprovedStop(Record):
    """An approved stop (停工备案): of one project, of a county, or of all. Withdrawn, never deleted."""

    project = models.ForeignKey("projects.Project", models.CASCADE, null=True, blank=True, related_name="stops", verbose_name="项目")
    county = models.ForeignKey(County, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="县(市、区)")
    kind = models.CharField("性质", max_length=10, choices=StopKind)
    from_on = models.DateField("起")
    until_on = models.DateField("止")  # the last day
    ground = models.CharField("批准依据", max_length=120)  # 文号、会议纪要

    class Meta:
        ordering = ["-from_on", "pk"]
        verbose_name = verbose_name_plural = "停工备案"
        constraints = [
            models.CheckConstraint(
                condition=Q(until_on__gte=F("from_on")), name="stop_ends_after_start", violation_error_message="止日不能早于起日。"
            ),
            models.CheckConstraint(condition=Q(project__isnull=True) | Q(county__isnull=True), name="stop_of_project_or_county"),
        ]


@dataclasses.dataclass(frozen=True, slots=True)
class StopSpan:
    """A standing stop as rules ask about it."""

    from_on: dt.date
    until_on: dt.date
    project: int | None
    county: str  # code; empty with no project: all

    def holds(self, pk: int, county: str, first: dt.date, last: dt.date) -> bool:
        """Whether works of the project were stopped on any day from `first` to `last`."""
        concerns = self.project == pk or (self.project is None and self.county in ("", county))
        return concerns and self.from_on <= last and self.until_on >= first


def stop_spans() -> list[StopSpan]:
    """All stops that stand. One query."""
    rows = ApprovedStop.objects.standing().values_list("from_on", "until_on", "project_id", "county__code")
    return [StopSpan(from_on, until_on, project, county or "") for from_on, until_on, project, county in rows]
