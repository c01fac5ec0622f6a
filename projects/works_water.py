"""Works and water, the queries: which projects are meant for a section, lie near it or upstream of it, as of a day."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from linfen_water import clock
from projects import permissions
from projects.enums import Stage
from projects.models import Project


class ServingProject(NamedTuple):
    """A project that is meant for a section (服务断面), as of a day."""

    code: str
    name: str
    stage: Stage


def section_projects(day: dt.date, user, pks: Iterable[int]) -> dict[int, list[ServingProject]]:
    """The projects on the list on `day` that are meant for each section of `pks` and that `user` may read (None: all), by number.

    One query (and the policy's). A section that has none is not there.
    """
    visible = Project.objects.all() if user is None else permissions.visible_projects(user, clock.today())
    rows = visible.as_of(day).filter(sections__in=list(pks)).order_by("number", "code")
    found = defaultdict(list)
    for section, code, name, stage in rows.values_list("sections", "code", "v__name", "stage"):
        found[section].append(ServingProject(code, name, Stage(stage)))
    return dict(found)
