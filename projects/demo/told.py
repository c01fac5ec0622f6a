"""What the demo's people were told inside the site: reports sent back, and last week's automatic reminder, which is read."""

import datetime as dt

from django.utils import timezone

from linfen_water import policy
from linfen_water.dates import monday
from linfen_water.enums import UnitKind
from linfen_water.models import Notice, Unit, User
from projects import board, reminders, weeks
from projects.demo.promise import Promise
from projects.enums import DispatchState, Provenance
from projects.models import Dispatch, Project, ProjectVersion

INVENTED = Provenance.DEMO  # a public project is in no reminder


def tell(promise: Promise) -> None:
    """Write the notices of last week and of this one."""
    this_week = monday(promise.today)
    units = {unit.county_id: unit for unit in Unit.objects.filter(kind=UnitKind.COUNTY)}
    Notice.objects.bulk_create(_returned(this_week, units))
    reminded = Notice.objects.bulk_create(_reminded(this_week - weeks.WEEK, units))
    readers = {user.unit_id: user for user in User.objects.filter(unit__in=units.values())}
    through = Notice.read_by.through
    through.objects.bulk_create(through(notice=row, user=readers[row.unit_id]) for row in reminded)


def _returned(week_of: dt.date, units: dict[int, Unit]):
    rows = Dispatch.objects.filter(week_of=week_of, state=DispatchState.RETURNED, project__provenance=INVENTED)
    rows = list(rows.select_related("project", "reviewed_by").order_by("pk"))
    versions = {v.project_id: v for v in ProjectVersion.objects.filter(effective_to=None, project__in=[row.project_id for row in rows])}
    name = weeks.week_times(week_of).name
    for row in rows:
        version = versions[row.project_id]
        unit = units[version.county_id]
        yield Notice(
            unit=unit,
            kind=reminders.RETURNED,
            key=f"returned:{row.pk}:{row.version}:{unit.code}",
            text=f"{row.project.code} {version.name} {name}周调度已退回：{row.remark} 请修改后重新提交。",
            url=f"/dispatch/{row.project.code}/?week={week_of}",
            by=row.reviewed_by,
            at=row.reviewed_at,
        )


def _reminded(week_of: dt.date, units: dict[int, Unit]):
    """As the calendar would have reminded them: whoever handed in only afterwards."""
    values = policy.values_on(week_of)
    times = weeks.week_times(week_of, values)
    at = times.deadline_at - dt.timedelta(hours=values.remind_hours)
    found = board.read_board(Project.objects.filter(provenance=INVENTED), week_of, now=timezone.localtime(at))
    for row in found.units:
        for line in row.lines:
            if line.live and line.live.submitted_at > at:
                line.live = line.returned = line.latest = None  # as it stood then
        unit = board.UnitRow(row.county, row.lines)
        if unit.owed:
            to = units[unit.county.pk]
            yield Notice(
                unit=to,
                kind=reminders.CHASE,
                key=f"chase:{week_of}:{to.code}:{reminders.BY_CALENDAR}",
                text=board.unit_text(found, unit),
                url=f"/dispatch/?week={week_of}",
                at=at,
            )
