"""What changed between two weeks, project by project, and the fixed sentence of the weekly report that sums it up.

Source: the city's own weekly reports (docs/rules.md). “前期” and “已开工” are the projects of that stage at the later cut-off, and
已开工 counts the finished ones too, so that both make up the list. What counts as progress goes up: a correction downwards is none.
"""

import dataclasses
import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal

from linfen_water import clock
from projects import weeks
from projects.enums import PermitKind, Stage
from projects.facts import ProjectFacts, project_facts
from projects.models import Permit, Problem, Project
from projects.rules import plain

MONEY_WORDS = {"invested_wan": "完成投资", "in_place_wan": "到位资金", "allocated_wan": "拨付", "paid_wan": "支付"}


@dataclasses.dataclass(frozen=True, slots=True)
class Papers:
    """What else happened to one project between two days."""

    obtained: tuple[str, ...] = ()  # names of permits
    submitted: tuple[str, ...] = ()
    closed: int = 0  # problems


@dataclasses.dataclass(frozen=True, slots=True)
class ProjectChange:
    """One project at the later cut-off, beside what it was at the earlier one."""

    now: ProjectFacts
    before: ProjectFacts | None  # None: not on the list then
    is_reported: bool  # a dispatch of the later week counts; else the last one before it still stands
    steps: tuple[str, ...]  # what moved, in words; empty when nothing did
    is_newly_finished: bool

    @property
    def has_moved(self) -> bool:
        return bool(self.steps)


@dataclasses.dataclass(frozen=True, slots=True)
class WeekChange:
    """The projects of one week against an earlier one. Every number of the sentence is the length of one of the lists."""

    week_of: dt.date
    before_week_of: dt.date
    as_of: dt.date  # the later week's cut-off, or today before it
    before_on: dt.date
    rows: tuple[ProjectChange, ...]
    left: tuple[ProjectFacts, ...]  # no longer on the list

    @property
    def newly_finished(self) -> list[ProjectChange]:
        return [row for row in self.rows if row.is_newly_finished]

    @property
    def not_started(self) -> list[ProjectChange]:
        return [row for row in self.rows if row.now.stage == Stage.NOT_STARTED]

    @property
    def advanced(self) -> list[ProjectChange]:
        return [row for row in self.not_started if row.has_moved]

    @property
    def started(self) -> list[ProjectChange]:
        """已开工 of reports: finished ones too."""
        return [row for row in self.rows if row.now.stage != Stage.NOT_STARTED]

    @property
    def progressed(self) -> list[ProjectChange]:
        return [row for row in self.started if row.has_moved]

    @property
    def listed(self) -> list[ProjectChange]:
        return [row for row in self.rows if row.before is None]

    @property
    def unmoved(self) -> list[ProjectChange]:
        """Unfinished projects in which nothing moved."""
        return [row for row in self.rows if not row.has_moved and row.now.stage != Stage.FINISHED]

    @property
    def since(self) -> str:
        """上周, else the week's name."""
        if self.week_of - self.before_week_of == dt.timedelta(weeks=1):
            return "上周"
        year, number, _ = self.before_week_of.isocalendar()
        return f"第{number}周" if year == self.week_of.isocalendar().year else f"{year}年第{number}周"

    @property
    def sentence(self) -> str:
        return sentence(
            self.since, len(self.newly_finished), len(self.not_started), len(self.advanced), len(self.started), len(self.progressed)
        )

    @property
    def note(self) -> str:
        """Why the difference of the finished ones is another number: the list itself changed. Empty when it did not."""
        old = sum(row.now.stage == Stage.FINISHED and not row.is_newly_finished for row in self.listed)
        said = [
            f"列入{len(self.listed)}个（其中列入前已完工{old}个）" if self.listed else "",
            f"调出{len(self.left)}个（其中已完工{sum(f.stage == Stage.FINISHED for f in self.left)}个）" if self.left else "",
        ]
        words = "，".join(word for word in said if word)
        return f"其间清单有变化：{words}，不计入“完工增加”。" if words else ""


def sentence(since: str, finished: int, not_started: int, advanced: int, started: int, progressed: int) -> str:
    """The fixed sentence of the weekly report."""
    return f"较{since}相比，完工增加{finished}个，前期{not_started}个中{advanced}个有所推进，已开工{started}个中{progressed}个有新进展"


def compare(
    now: Iterable[ProjectFacts],
    before: Iterable[ProjectFacts],
    papers: Mapping[int, Papers],
    *,
    week_of: dt.date,
    before_week_of: dt.date,
    as_of: dt.date,
    before_on: dt.date,
) -> WeekChange:
    """Put the facts of two days side by side. Pure."""
    now, old = list(now), {facts.pk: facts for facts in before}
    rows = tuple(_change(facts, old.get(facts.pk), papers.get(facts.pk, Papers()), week_of, before_on) for facts in now)
    there = {facts.pk for facts in now}
    left = tuple(facts for facts in old.values() if facts.pk not in there)
    return WeekChange(week_of, before_week_of, as_of, before_on, rows, left)


def _change(now: ProjectFacts, before: ProjectFacts | None, papers: Papers, week_of: dt.date, before_on: dt.date) -> ProjectChange:
    return ProjectChange(
        now=now,
        before=before,
        is_reported=now.week_of == week_of,
        steps=tuple(_steps(now, before, papers, before_on)),
        is_newly_finished=now.completed_on is not None and now.completed_on > before_on,
    )


def _steps(now: ProjectFacts, before: ProjectFacts | None, papers: Papers, before_on: dt.date) -> Iterator[str]:
    for word, on in (("开工", now.started_on), ("完工", now.completed_on)):
        if on and on > before_on:
            yield f"{on.month}月{on.day}日{word}"
    if before is not None:  # what was not on the list has nothing to be compared with
        yield from _rises(now, before)
    if papers.obtained:
        yield f"办结{'、'.join(papers.obtained)}"
    if papers.submitted:
        yield f"报送{'、'.join(papers.submitted)}"
    if papers.closed:
        yield f"销号问题{papers.closed}个"


def _rises(now: ProjectFacts, before: ProjectFacts) -> Iterator[str]:
    old, new = before.physical_progress or Decimal(0), now.physical_progress or Decimal(0)
    if new > old:
        yield f"总体进度{plain(old)}%→{plain(new)}%"
    for field, word in MONEY_WORDS.items():
        more = (getattr(now, field) or Decimal(0)) - (getattr(before, field) or Decimal(0))
        if more > 0:
            yield f"{word}增加{plain(more)}万元"


# ── Reading ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def week_change(
    week_of: dt.date,
    before_week_of: dt.date | None = None,
    *,
    projects=None,
    now: list[ProjectFacts] | None = None,
    day: dt.date | None = None,
) -> WeekChange:
    """The change of `projects` (default: all) from the week of `before_week_of` (default: the week before) to that of `week_of`.

    As known now and true on `day` (default: today) where that is before a cut-off. A fixed number of queries; `now` saves reading
    the facts of the later cut-off again.
    """
    before_week_of = before_week_of or week_of - dt.timedelta(weeks=1)
    if before_week_of >= week_of:
        raise ValueError("the week compared with must be the earlier one")
    day = day or clock.today()
    times = weeks.times_of([week_of, before_week_of])
    as_of, before_on = (min(times[week].cut_off_on, day) for week in (week_of, before_week_of))
    now = project_facts(as_of, projects) if now is None else now
    return compare(
        now,
        project_facts(before_on, projects),
        _papers(before_on, as_of, projects),
        week_of=week_of,
        before_week_of=before_week_of,
        as_of=as_of,
        before_on=before_on,
    )


def _papers(since: dt.date, until: dt.date, projects) -> dict[int, Papers]:
    """Permits obtained and submitted, problems closed after `since` and up to `until`. Two queries."""
    scope = Project.objects.all() if projects is None else projects
    permits = Permit.objects.filter(project__in=scope, is_required=True).order_by("project", "pk")
    obtained: dict[int, list[str]] = defaultdict(list)
    submitted: dict[int, list[str]] = defaultdict(list)
    in_time = {"gt": since, "lte": until}
    wanted = permits.filter(**{f"obtained_on__{k}": v for k, v in in_time.items()}) | permits.filter(
        **{f"submitted_on__{k}": v for k, v in in_time.items()}
    )
    for pk, kind, submitted_on, obtained_on in wanted.values_list("project_id", "kind", "submitted_on", "obtained_on"):
        if obtained_on and since < obtained_on <= until:
            obtained[pk].append(PermitKind(kind).label)
        elif submitted_on and since < submitted_on <= until:
            submitted[pk].append(PermitKind(kind).label)
    closed: dict[int, int] = defaultdict(int)
    for pk in Problem.objects.filter(project__in=scope, closed_on__gt=since, closed_on__lte=until).values_list("project_id", flat=True):
        closed[pk] += 1
    return {
        pk: Papers(tuple(obtained.get(pk, ())), tuple(submitted.get(pk, ())), closed.get(pk, 0))
        for pk in obtained.keys() | submitted.keys() | closed.keys()
    }
