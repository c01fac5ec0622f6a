"""What the verdicts of a day, or of many days, are judged from: read once, in a number of queries that does not grow with the projects.

A year is read at once, so that it is replayed quickly and a threshold can be moved without reading again. The past is as it is known
now (docs/adr/0002).
"""

import dataclasses
import datetime as dt
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from django.db.models import Prefetch
from django.utils import timezone

from ledgers import appraisal
from ledgers.appraisal import Period as Appraisal
from ledgers.appraisal import Place, period_before
from ledgers.enums import LETTERS, DocumentKind, DocumentState
from ledgers.measures.rules import Appraised, CountyCase, LetterCase, Material, PermitCase, ProjectCase, Turnout
from ledgers.models import Document, LetterAnswer
from linfen_water import clock
from linfen_water.dates import monday
from linfen_water.enums import UnitKind
from linfen_water.models import County, Policy, Region, Unit
from projects import rules, weeks
from projects.anomalies import PermitDates
from projects.enums import PermitKind, Provenance
from projects.facts import ProjectFacts, facts_on_each, project_facts
from projects.models import Dispatch, Permit, Problem, Project, speaking_horizon
from projects.stop_models import StopSpan, stop_spans
from projects.target_models import Milestone

FEW = 3  # for so few days only what they need is read
WEEKS_BACK = 27  # how far standing still is counted; the policy allows 26 periods
APPRAISALS = (Appraisal.MONTH, Appraisal.QUARTER)
A_WEEK = dt.timedelta(weeks=1)


def read(days: Collection[dt.date]) -> list[Material]:
    """The material of each of `days`, in their order."""
    if not days:
        return []
    history = History.of(days)
    told = facts_on_each(days) if len(days) > FEW else {day: project_facts(day) for day in days}
    return [history.material(day, told[day]) for day in days]


def read_day(day: dt.date) -> Material:
    return read([day])[0]


def weekly_days(day: dt.date, number: int) -> list[dt.date]:
    """`day` and the cut-offs of the `number` weeks before its own, oldest first: the days on which a year is looked back at."""
    mondays = [monday(day) - n * A_WEEK for n in range(number, 0, -1)]
    return [times.cut_off_on for times in weeks.times_of(mondays).values()] + [day]


@dataclasses.dataclass(frozen=True, slots=True)
class Said:
    """What counts of one project in one week."""

    week_of: dt.date
    cut_off_on: dt.date
    is_late: bool
    visible: tuple  # progress and money


@dataclasses.dataclass(frozen=True, slots=True)
class Period:
    """A week in which reports were due."""

    week_of: dt.date
    cut_off_on: dt.date
    is_over: bool  # its deadline has passed


@dataclasses.dataclass(frozen=True)
class History:
    """All that happened over a span of days, as far as rules ask about it."""

    periods: list[Period]  # oldest first
    said: Mapping[int, list[Said]]  # by project, oldest first
    lateness: Mapping[tuple[int, dt.date], bool]  # whether what counts of a project in a week came late
    listed: dict[int, tuple[dt.date, dt.date | None]]
    moves: Mapping[int, list[dt.date]]  # days on which a permit came, a problem was closed, or the stage changed
    permits: Mapping[int, list[Permit]]
    nodes: Mapping[int, list[tuple[str, dt.date, dt.date | None]]]  # name, limit, done on
    stops: list[StopSpan]
    letters: list[Document]
    counties: list[County]
    units: dict[str, Unit]  # by county
    appraised: Mapping[tuple[dt.date, Appraisal], Mapping[str, Place]]  # by the last day and the kind of the appraisal, by county
    policies: list[dt.date]
    is_demo: bool
    now: dt.datetime

    @classmethod
    def of(cls, days: Collection[dt.date]) -> "History":
        first, last = min(days), max(days)
        begin = monday(first) - WEEKS_BACK * A_WEEK
        mondays = [begin + n * A_WEEK for n in range((monday(last) - begin).days // 7 + 1)]
        said = _said(begin, last)
        return cls(
            periods=_periods(mondays),
            said=said,
            lateness={(pk, one.week_of): one.is_late for pk, rows in said.items() for one in rows},
            listed={pk: span for pk, *span in Project.objects.values_list("pk", "listed_on", "delisted_on")},  # type: ignore[misc]
            moves=_moves(begin),
            permits=_permits(),
            nodes=_nodes(),
            stops=stop_spans(),
            letters=_letters(),
            counties=list(County.objects.all()),
            units=_units(),
            appraised=appraisal.county_places({(period_before(day, kind), kind) for day in days for kind in APPRAISALS}),
            policies=list(Policy.objects.order_by("effective_on").values_list("effective_on", flat=True)),
            is_demo=Region.current().is_demo,
            now=clock.now(),
        )

    def material(self, day: dt.date, told: list[ProjectFacts]) -> Material:
        """What `day` is judged from; `told` are the facts of its projects."""
        cases: dict[str, list[ProjectCase]] = defaultdict(list)
        span = self._span(day)
        for facts in told:
            if self.is_demo and facts.provenance in (Provenance.PUBLIC, Provenance.LIKELY):
                continue  # real works: nothing invented is ever held against them
            cases[facts.county_code].append(self._project(facts, day, span))
        letters = [case for document in self.letters if (case := letter_case(document, day))]
        by_unit: dict[str, list[LetterCase]] = defaultdict(list)
        for letter in letters:
            by_unit[letter.unit].append(letter)
        counties = tuple(self._county(county, cases[county.code], by_unit, day, span) for county in self.counties)
        known = {county.unit for county in counties}
        in_force = [on for on in self.policies if on <= day]
        others = tuple(letter for letter in letters if letter.unit not in known)
        return Material(day, counties, others, in_force[-1] if in_force else None)

    def _span(self, day: dt.date) -> list[Period]:
        """Due weeks that count by `day`, newest first; on the present day this week's reports count already."""
        horizon = speaking_horizon(day, self.now.date())
        found = [period for period in self.periods if period.week_of <= day and period.cut_off_on <= horizon]
        return found[: -WEEKS_BACK - 1 : -1]

    def _project(self, facts: ProjectFacts, day: dt.date, span: list[Period]) -> ProjectCase:
        papers = [permit for permit in self.permits.get(facts.pk, ()) if not (permit.obtained_on and permit.obtained_on <= day)]
        still, moved_on = self._still(facts, span)
        return ProjectCase(
            facts,
            missing_permits=tuple(PermitKind(permit.kind).label for permit in papers),
            permits=tuple(_permit_case(permit) for permit in papers if _is_promised(permit, day)),
            nodes=tuple((name, due) for name, due, done in self.nodes.get(facts.pk, ()) if done is None or done > day),
            unreported_week=self._unreported(facts, span, day),
            still_periods=still,
            moved_on=moved_on,
            is_stopped=any(stop.holds(facts.pk, facts.county_code, day, day) for stop in self.stops),
        )

    def _unreported(self, facts: ProjectFacts, span: list[Period], day: dt.date) -> dt.date | None:
        """The last due week whose deadline has passed, when nothing counts in it or after it."""
        week = next((week for week in span if week.is_over), None)
        if week is None or not self._is_due(facts.pk, facts.completed_on, week.week_of):
            return None
        return None if any(week.week_of <= said.week_of <= day for said in self.said.get(facts.pk, ())) else week.week_of

    def _is_due(self, pk: int, completed_on: dt.date | None, week_of: dt.date) -> bool:
        listed_on, delisted_on = self.listed[pk]
        is_listed = listed_on <= week_of + dt.timedelta(days=6) and not (delisted_on and delisted_on <= week_of)
        return is_listed and rules.needs_report(week_of, completed_on)

    def _still(self, facts: ProjectFacts, span: list[Period]) -> tuple[int, dt.date | None]:
        """(due weeks in a row up to the last one without any change, cut-off of the week of the last change)."""
        said, moves = self.said.get(facts.pk, []), self.moves.get(facts.pk, [])
        listed_on, count = self.listed[facts.pk][0], 0
        for place, week in enumerate(span):
            if week.cut_off_on < listed_on:
                break
            before_on = span[place + 1].cut_off_on if place + 1 < len(span) else week.cut_off_on - A_WEEK
            if bisect_right(moves, week.cut_off_on) > bisect_right(moves, before_on) or _has_changed(said, week.week_of):
                return count, week.cut_off_on
            is_held = any(stop.holds(facts.pk, facts.county_code, before_on + dt.timedelta(days=1), week.cut_off_on) for stop in self.stops)
            count += not is_held
        return count, None

    def _county(self, county: County, cases: list[ProjectCase], by_unit: Mapping[str, list], day: dt.date, span: list[Period]):
        unit = self.units.get(county.code)
        letters = tuple(by_unit.get(unit.code, ())) if unit else ()
        talks = [letter.issued_on for letter in letters if letter.kind == DocumentKind.TALK]
        return CountyCase(
            county.code,
            county.name,
            unit.code if unit else "",
            projects=tuple(cases),
            weeks=tuple(self._turnout(cases, week) for week in span if week.is_over),
            talked_on=max(talks, default=None),
            letters=letters,
            appraised=self._appraised(county.code, day, Appraisal.MONTH),
            quarter=self._appraised(county.code, day, Appraisal.QUARTER),
        )

    def _appraised(self, county: str, day: dt.date, kind: Appraisal) -> Appraised | None:
        """The county's place in the last appraisal of its kind that was over by `day`."""
        last = period_before(day, kind)
        place = self.appraised[last, kind].get(county)
        if place is None:
            return None
        return Appraised(appraisal.period_name(last, kind), place.rank, place.of, place.tied)

    def _turnout(self, cases: Iterable[ProjectCase], week: Period) -> Turnout:
        due = late = missing = 0
        for case in cases:
            if not self._is_due(case.facts.pk, case.facts.completed_on, week.week_of):
                continue
            due += 1
            is_late = self.lateness.get((case.facts.pk, week.week_of))
            missing += is_late is None
            late += bool(is_late)
        return Turnout(week.week_of, due, late, missing)


def _periods(mondays: list[dt.date]) -> list[Period]:
    now = clock.now()
    return [Period(week.week_of, week.cut_off_on, week.deadline_at < now) for week in weeks.times_of(mondays).values() if week.is_due]


def _has_changed(said: list[Said], week_of: dt.date) -> bool:
    """Whether what counts of the week differs from what counted before it; a missing report changes nothing."""
    place = bisect_right(said, week_of, key=lambda one: one.week_of) - 1
    if place < 0 or said[place].week_of != week_of:
        return False
    return place > 0 and said[place - 1].visible != said[place].visible


def _said(begin: dt.date, last: dt.date) -> dict[int, list[Said]]:
    """What counts from some weeks before `begin` on; the one before is needed to tell a change."""
    rows = Dispatch.objects.filter(is_live=True, week_of__gte=begin - 2 * A_WEEK, week_of__lte=last).order_by("week_of")
    found: dict[int, list[Said]] = defaultdict(list)
    for pk, week_of, cut_off_on, is_late, *visible in rows.values_list(
        "project_id", "week_of", "cut_off_on", "is_late", "physical_progress", "in_place_wan", "paid_wan", "invested_wan"
    ):
        found[pk].append(Said(week_of, cut_off_on, is_late, tuple(visible)))
    return found


def _moves(begin: dt.date) -> dict[int, list[dt.date]]:
    found: dict[int, list[dt.date]] = defaultdict(list)
    for pk, on in Permit.objects.filter(obtained_on__gte=begin - 2 * A_WEEK).values_list("project_id", "obtained_on"):
        found[pk] += [on] if on else []
    for pk, on in Problem.objects.filter(closed_on__gte=begin - 2 * A_WEEK).values_list("project_id", "closed_on"):
        found[pk] += [on] if on else []
    for pk, started_on, completed_on in Project.objects.values_list("pk", "started_on", "completed_on"):
        found[pk] += [on for on in (started_on, completed_on) if on]
    for days in found.values():
        days.sort()
    return found


def _permits() -> dict[int, list[Permit]]:
    found: dict[int, list[Permit]] = defaultdict(list)
    for permit in Permit.objects.filter(is_required=True).select_related("authority").order_by("project", "pk"):
        found[permit.project_id].append(permit)
    return found


def _is_promised(permit: Permit, day: dt.date) -> bool:
    return permit.submitted_on is not None and permit.submitted_on <= day and permit.promised_workdays is not None


def _permit_case(permit: Permit) -> PermitCase:
    authority = permit.authority
    assert permit.submitted_on is not None
    assert permit.promised_workdays is not None
    dates = PermitDates(
        PermitKind(permit.kind).label, authority.name if authority else "受理机关", permit.submitted_on, permit.promised_workdays
    )
    return PermitCase(permit.kind, dates, authority.code if authority else "")


def _nodes() -> dict[int, list[tuple[str, dt.date, dt.date | None]]]:
    found: dict[int, list[tuple[str, dt.date, dt.date | None]]] = defaultdict(list)
    for pk, *node in Milestone.objects.standing().order_by("due_on", "pk").values_list("project_id", "name", "due_on", "done_on"):
        found[pk].append(tuple(node))
    return found


def _units() -> dict[str, Unit]:
    """The unit that reports for each county."""
    units = Unit.objects.filter(kind=UnitKind.COUNTY, county__isnull=False).select_related("county").order_by("-position", "-code")
    return {unit.county.code: unit for unit in units if unit.county}


# ── Letters ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _letters() -> list[Document]:
    issued = Document.objects.filter(kind__in=LETTERS, state=DocumentState.ISSUED, letter__isnull=False, unit__isnull=False)
    answers = Prefetch("letter__answers", LetterAnswer.objects.order_by("pk"))
    return list(issued.select_related("unit", "letter").prefetch_related(answers).order_by("issued_at", "pk"))


def letter_case(document: Document, day: dt.date) -> LetterCase | None:
    """An issued letter as of `day`; None when it was issued later."""
    letter, unit = document.letter, document.unit
    issued_on = _on(document.issued_at)
    if issued_on > day or unit is None:
        return None
    answers = [answer for answer in letter.answers.all() if _on(answer.at) <= day]
    last = answers[-1] if answers else None
    is_asked_again = last is not None and last.is_accepted is False and _on(last.checked_at) <= day
    closed_on = _by(letter.closed_at, day)
    return LetterCase(
        number=document.file_number,
        kind=DocumentKind(document.kind),
        unit=unit.code,
        unit_name=unit.name,
        issued_on=issued_on,
        reply_due_on=(last.due_again_on if is_asked_again and last else None) or letter.reply_due_on,
        answered_on=_on(answers[0].at) if answers and not is_asked_again else None,
        closed_on=closed_on,
        moved_up_to=letter.moved_up_to if closed_on else "",
        moved_up_reason=letter.closing_note if closed_on and letter.moved_up_to else "",
        is_followed=letter.followed_on is not None and letter.followed_on <= day,
    )


def _on(at: dt.datetime | None) -> dt.date:
    return timezone.localtime(at).date() if at else dt.date.max


def _by(at: dt.datetime | None, day: dt.date) -> dt.date | None:
    return on if (on := _on(at)) <= day else None
