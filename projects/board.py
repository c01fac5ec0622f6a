"""Who has reported in a week (`/dispatch/board/`), by unit and project, and the words by which the others are chased.

A unit here is a county or zone: it reports the projects that lie in it. Read in a fixed number of queries for any number of projects.
"""

import dataclasses
import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from functools import cached_property

from django.db import models
from django.db.models import OuterRef, Subquery
from django.utils import timezone

from linfen_water.models import County, Region
from projects import reports, weeks
from projects.enums import DispatchState, WeekState
from projects.models import Dispatch, Project, ProjectVersion

NAMES_SHOWN = 6  # projects of one unit that a message names
NAME_LENGTH = 24
# What a chasing list says; a region's pack may say it otherwise (`dispatch.chase` of region.json).
CHASE = (
    "【周调度催报】截至{now}，{week}应报{due}项、已报{reported}项。未报单位{units}个、{missing}项：\n"
    "{list}\n"
    "{deadline}请尽快登录系统填报；没有变化的项目点“与上周相同，提交”即可。"
)


class Standing(models.IntegerChoices):
    """Where one project's report of the week stands; the lower, the more it is waited for."""

    MISSING = 1, "未报"
    RETURNED = 2, "退回待改"
    DRAFT = 3, "草稿"
    LATE = 4, "迟报"
    ON_TIME = 5, "按时"


REPORTED = (Standing.LATE, Standing.ON_TIME)
# Figures of a report that stand on the board, with what a list of them is headed by.
SHOWN = {
    "physical_progress": "进度 %",
    "in_place_wan": "累计到位",
    "allocated_wan": "累计拨付",
    "paid_wan": "累计支付",
    "invested_wan": "完成投资",
}


@dataclasses.dataclass(frozen=True, slots=True)
class Cell:
    """One figure of a report; `is_same` as last period's."""

    label: str
    value: Decimal | None
    is_same: bool


@dataclasses.dataclass(slots=True)
class Line:
    """One project in the week."""

    project: Project
    name: str
    county_id: int
    live: Dispatch | None
    latest: Dispatch | None
    previous: Dispatch | None
    returned: Dispatch | None  # the last one that was sent back, while nothing has taken its place
    is_after_lock: bool
    may_review: bool = False

    @property
    def standing(self) -> Standing:
        if self.live:
            return Standing.LATE if self.live.is_late else Standing.ON_TIME
        if self.returned:
            return Standing.RETURNED
        return Standing.DRAFT if self.latest else Standing.MISSING

    @property
    def is_reported(self) -> bool:
        return self.live is not None

    @property
    def is_waiting(self) -> bool:
        """Handed in, not yet checked."""
        return self.live is not None and self.live.state == DispatchState.SUBMITTED

    @property
    def is_corrected(self) -> bool:
        """A newer draft lies on top of what counts."""
        return self.live is not None and self.latest is not self.live and self.latest.state == DispatchState.DRAFT

    @property
    def is_unchanged(self) -> bool:
        """Whether it says in everything what the last period said, and reports neither start nor completion."""
        if not self.live or not self.previous or self.live.started_on or self.live.completed_on:
            return False
        said = {key: value for key, value in reports.flat(self.live).items() if key not in reports.NOT_CARRIED_OVER}
        return not reports.differences(reports.flat(self.previous), said)

    @property
    def is_done_same(self) -> bool:
        return self.live is not None and self.previous is not None and self.live.done == self.previous.done

    @property
    def cells(self) -> list[Cell]:
        """The figures that count now; the last period's are not shown in their stead."""
        if not self.live:
            return [Cell(label, None, False) for label in SHOWN.values()]
        return [
            Cell(label, getattr(self.live, name), self.previous is not None and getattr(self.live, name) == getattr(self.previous, name))
            for name, label in SHOWN.items()
        ]

    @property
    def label(self) -> str:
        """Number and name for a message: short, with why it is still waited for."""
        name = self.name if len(self.name) <= NAME_LENGTH else self.name[: NAME_LENGTH - 1] + "…"
        mark = {Standing.RETURNED: "（已退回）", Standing.DRAFT: "（草稿未提交）"}.get(self.standing, "")
        return f"{self.project.code} {name}{mark}"


class Counts:
    """How many of `lines` stand where."""

    lines: list[Line]

    @cached_property
    def due(self) -> int:
        return len(self.lines)

    @cached_property
    def reported(self) -> int:
        return self.on_time + self.late

    @cached_property
    def on_time(self) -> int:
        return self._at(Standing.ON_TIME)

    @cached_property
    def late(self) -> int:
        return self._at(Standing.LATE)

    @cached_property
    def drafts(self) -> int:
        return self._at(Standing.DRAFT)

    @cached_property
    def returned(self) -> int:
        return self._at(Standing.RETURNED)

    @cached_property
    def missing(self) -> int:
        return self._at(Standing.MISSING)

    @cached_property
    def owed(self) -> list[Line]:
        """What is still waited for: missing, sent back, or only a draft."""
        return [line for line in self.lines if not line.is_reported]

    @cached_property
    def waiting(self) -> list[Line]:
        return [line for line in self.lines if line.is_waiting]

    @cached_property
    def unchanged(self) -> list[Line]:
        return [line for line in self.lines if line.is_unchanged]

    @cached_property
    def to_accept(self) -> list[Line]:
        """Unchanged, waiting, and this person's to accept."""
        return [line for line in self.unchanged if line.is_waiting and line.may_review]

    def _at(self, standing: Standing) -> int:
        return sum(line.standing == standing for line in self.lines)


@dataclasses.dataclass
class UnitRow(Counts):
    """One unit's reports of the week."""

    county: County
    lines: list[Line]

    @property
    def is_all_same(self) -> bool:
        """All of it is there and nothing differs from the last period."""
        return self.due > 0 and self.reported == self.due == len(self.unchanged)

    @property
    def last_at(self) -> dt.datetime | None:
        return max((line.live.submitted_at for line in self.lines if line.live and line.live.submitted_at), default=None)

    @property
    def words(self) -> str:
        """Its state in one word, for those who do not see colours."""
        if self.owed:
            return f"欠 {len(self.owed)} 项"
        return "全部与上期相同" if self.is_all_same else "已报齐"

    @property
    def tone(self) -> str:
        return "bad" if self.owed else "warn" if self.is_all_same or self.late else "ok"


@dataclasses.dataclass
class Board(Counts):
    """All units that report in the week, those that are waited for first."""

    times: weeks.Week
    now: dt.datetime
    units: list[UnitRow]
    lines: list[Line]

    @property
    def state(self) -> WeekState:
        return self.times.state(self.now)

    @property
    def owing(self) -> list[UnitRow]:
        return [unit for unit in self.units if unit.owed]

    @property
    def complete(self) -> int:
        """Units that have handed in everything."""
        return len(self.units) - len(self.owing)


def read_board(projects, week_of: dt.date, *, now: dt.datetime, reviewed: Iterable[int] = ()) -> Board:
    """`projects` (a queryset) in the week of Monday `week_of`; `reviewed`: keys of those that the person may accept or return."""
    times = weeks.week_times(week_of)
    last = Dispatch.objects.filter(project=OuterRef("pk"), is_live=True, week_of__lt=week_of).order_by("-week_of").values("pk")
    due = reports.reporting_in(projects, week_of).select_related("domain").annotate(previous_id=Subquery(last[:1]))
    rows = list(due.order_by("number", "code"))
    ids = [row.pk for row in rows]
    said = Dispatch.objects.prefetch_related("lines")
    revisions = defaultdict(list)
    for row in said.filter(project__in=ids, week_of=week_of).order_by("revision"):
        revisions[row.project_id].append(row)
    before = said.in_bulk([row.previous_id for row in rows if row.previous_id and row.pk in revisions])
    versions = _versions(ids, min(timezone.localtime(now).date(), week_of + dt.timedelta(days=6)))
    may_review = set(reviewed)
    lines = [
        _line(row, versions[row.pk], revisions.get(row.pk, []), before.get(row.previous_id), times, row.pk in may_review)
        for row in rows
        if row.pk in versions
    ]
    return Board(times=times, now=now, units=_by_unit(lines), lines=lines)


def _line(project, version: tuple[str, int], revisions: list[Dispatch], previous, times: weeks.Week, may_review: bool) -> Line:
    live = next((row for row in revisions if row.is_live), None)
    returned = next((row for row in reversed(revisions) if row.state == DispatchState.RETURNED), None)
    return Line(
        project=project,
        name=version[0],
        county_id=version[1],
        live=live,
        latest=revisions[-1] if revisions else None,
        previous=previous,
        returned=None if live else returned,
        is_after_lock=live is not None and times.is_after_lock(live.submitted_at),
        may_review=may_review,
    )


def _by_unit(lines: list[Line]) -> list[UnitRow]:
    counties = {county.pk: county for county in County.objects.all()} if lines else {}
    found = defaultdict(list)
    for line in sorted(lines, key=lambda line: line.standing):
        found[line.county_id].append(line)
    units = [UnitRow(county=counties[pk], lines=mine) for pk, mine in found.items()]
    return sorted(units, key=lambda unit: (-len(unit.owed), -unit.late, unit.county.position, unit.county.code))


def _versions(ids: list[int], day: dt.date) -> dict[int, tuple[str, int]]:
    """Name and county of each project on `day`; before its first version, those of that one."""
    found: dict[int, tuple[dt.date, str, int]] = {}
    rows = ProjectVersion.objects.filter(project__in=ids).order_by("-effective_from")
    for pk, since, name, county in rows.values_list("project_id", "effective_from", "name", "county_id"):
        if pk not in found or found[pk][0] > day:
            found[pk] = (since, name, county)
    return {pk: (name, county) for pk, (_, name, county) in found.items()}


# ── words ──


def chase_text(board: Board, region: Region) -> str:
    """The list for a chat group: who is waited for, and for which projects; empty when for nobody."""
    if not board.owing:
        return ""
    now = timezone.localtime(board.now)
    rows = [f"{place}. {unit.county.short}（{len(unit.owed)}项）：{_names(unit.owed)}" for place, unit in enumerate(board.owing, 1)]
    wording = region.settings.get("dispatch", {}).get("chase") or CHASE
    words = {
        "now": f"{now.month}月{now.day}日{now:%H:%M}",
        "week": board.times.name + "周调度",
        "due": board.due,
        "reported": board.reported,
        "units": len(board.owing),
        "missing": len(board.owed),
        "list": "\n".join(rows),
        "deadline": _deadline(board),
    }
    try:
        return wording.format_map(words)
    except (KeyError, ValueError, IndexError):  # a pack's wording with a placeholder that is none
        return CHASE.format_map(words)


def unit_text(board: Board, unit: UnitRow) -> str:
    """What one unit alone is told."""
    return (
        f"【周调度催报】{board.times.name}周调度，{unit.county.short}应报{unit.due}项，还有{len(unit.owed)}项没有报："
        f"{_names(unit.owed)}。{_deadline(board)}"
    )


def _names(owed: list[Line]) -> str:
    named = "、".join(line.label for line in owed[:NAMES_SHOWN])
    return named if len(owed) <= NAMES_SHOWN else f"{named}等"


def _deadline(board: Board) -> str:
    deadline, lock = weeks.moment_words(board.times.deadline_at), weeks.moment_words(board.times.locks_at)
    match board.state:
        case WeekState.AHEAD | WeekState.OPEN:
            return f"截止时间{deadline}。"
        case WeekState.LATE:
            return f"已过截止时间{deadline}，现在补报记为迟报，{lock}锁定。"
        case _:
            return f"本周已于{lock}锁定，补报须写明理由。"
