"""The appraisal (考核) of counties and departments as of a day: gathered from the facts of every ledger, scored by `appraisal_rules`."""

import dataclasses
import datetime as dt
from calendar import monthrange
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from decimal import Decimal

from django.db import models
from django.db.models import Exists, F, OuterRef, Q

from ledgers import appraisal_rules
from ledgers.appraisal_rules import Part
from ledgers.models import Letter, LetterAnswer
from linfen_water import clock, policy
from linfen_water.dates import monday
from linfen_water.enums import UnitKind
from linfen_water.models import County, Unit
from linfen_water.workdays import add_workdays
from monitoring.enums import PeriodKind, WaterClass
from monitoring.models import Assessment
from projects import facts as project_facts_module
from projects import weeks
from projects.enums import DispatchState, Stage
from projects.facts import ZERO, ProjectFacts, Totals, facts_on_each, project_facts
from projects.models import Dispatch, Permit, Problem, Project
from projects.rules import needs_report
from projects.stop_models import StopSpan, stop_spans

FEW = 3  # for so few days only what they need is read
LOOK_BACK_WEEKS = 26  # unchanged for longer is told as this many
WEEK = dt.timedelta(weeks=1)
IS_DUE = Q(project__completed_on__isnull=True) | Q(project__completed_on__gte=F("week_of"))  # of a dispatch: `rules.needs_report` in SQL


@dataclasses.dataclass(frozen=True)
class Row:
    """A county or a department with its score, every part with its numbers."""

    key: str
    name: str
    totals: Totals
    parts: tuple[Part, ...]
    score: Decimal | None
    rank: int | None = None
    earlier: "Row | None" = None  # the same as of the end of the period before
    overdue: int = 0
    unchanged_weeks: int | None = None
    sections: str = ""

    @property
    def before(self) -> int | None:
        """The rank of the period before."""
        return self.earlier.rank if self.earlier else None

    @property
    def moved(self) -> str:
        return appraisal_rules.moved(self.rank, self.before)

    @property
    def risen(self) -> Decimal | None:
        """By how many points the score rose since the period before."""
        return appraisal_rules.risen(self.score, self.earlier.score if self.earlier else None)

    @property
    def risen_words(self) -> str:
        return appraisal_rules.risen_words(self.risen)

    @property
    def parts_beside(self) -> list[tuple[Part, Part | None]]:
        """Every part with the same of the period before."""
        return [(part, self.earlier.part(part.key) if self.earlier else None) for part in self.parts]

    def part(self, key: str) -> Part:
        return next(part for part in self.parts if part.key == key)


class Period(models.TextChoices):
    """What an appraisal is of, up to its day, and what it is held against: the label."""

    MONTH = "month", "本月，与上月比"
    QUARTER = "quarter", "本季度，与上季度比"
    YEAR = "year", "本年，与上年比"
    SAME_DAY = "last-year", "本月，与上年同期比"
    SAME_QUARTER = "last-year-quarter", "本季度，与上年同期比"

    @property
    def months(self) -> int:
        """How many months it has when it is whole."""
        return {Period.YEAR: 12, Period.QUARTER: 3, Period.SAME_QUARTER: 3}.get(self, 1)


def period_start(day: dt.date, period: Period = Period.MONTH) -> dt.date:
    """The first day of the month, quarter or year that `day` lies in: what is due is counted from it."""
    return dt.date(day.year, (day.month - 1) // period.months * period.months + 1, 1)


def period_name(day: dt.date, period: Period) -> str:
    """2025年2月, 2025年第一季度, 2025年."""
    return f"{day.year}年" + {1: f"{day.month}月", 3: f"第{'一二三四'[(day.month - 1) // 3]}季度", 12: ""}[period.months]


def period_before(day: dt.date, period: Period = Period.MONTH) -> dt.date:
    """The day that the last period speaks of: the end of the month, quarter or year before, or the same day a year ago."""
    if period in (Period.SAME_DAY, Period.SAME_QUARTER):
        return dt.date(day.year - 1, day.month, min(day.day, monthrange(day.year - 1, day.month)[1]))
    return period_start(day, period) - dt.timedelta(days=1)


def counties(day: dt.date, found: list[ProjectFacts] | None = None, period: Period = Period.MONTH) -> list[Row]:
    """All counties that have projects, in the region's order, with their rank of today and of the end of the last period."""
    earlier = period_before(day, period)
    before = _ranked(_counties(earlier, project_facts(earlier), period))
    return _beside(before, _ranked(_counties(day, project_facts(day) if found is None else found, period)))


@dataclasses.dataclass(frozen=True, slots=True)
class Place:
    """A county's rank in an appraisal."""

    rank: int
    of: int  # counties that have one
    tied: int  # counties that share it


def county_places(asked: Collection[tuple[dt.date, Period]]) -> dict[tuple[dt.date, Period], dict[str, Place]]:
    """`{(day, period): {county: place}}`: the ranks of `counties`, without what a page shows beside."""
    days = {day for day, _ in asked}
    told = facts_on_each(days) if len(days) > FEW else {day: project_facts(day) for day in days}
    return {(day, period): _places(county_parts(day, told[day], period, letters_of(day, period))) for day, period in asked}


def _places(parts: dict[str, tuple[Part, ...]]) -> dict[str, Place]:
    found = appraisal_rules.ranks([appraisal_rules.score(own) for own in parts.values()])
    ranks = {code: rank for code, rank in zip(parts, found, strict=True) if rank is not None}
    shared = Counter(ranks.values())
    return {code: Place(rank, len(ranks), shared[rank]) for code, rank in ranks.items()}


def _ranked(rows: list[Row]) -> list[Row]:
    places = appraisal_rules.ranks([row.score for row in rows])
    return [dataclasses.replace(row, rank=rank) for row, rank in zip(rows, places, strict=True)]


def _beside(before: list[Row], now: list[Row]) -> list[Row]:
    known = {row.key: row for row in before}
    return [dataclasses.replace(row, earlier=known.get(row.key)) for row in now]


def other_weights(rows: Iterable[Row]) -> list[str]:
    """Which weights changed since the period that `rows` are compared with, in words."""
    row = next((row for row in rows if row.earlier), None)
    return appraisal_rules.other_weights(row.parts, row.earlier.parts) if row and row.earlier else []


def _by_county(found: list[ProjectFacts]) -> dict[str, list[ProjectFacts]]:
    groups: dict[str, list[ProjectFacts]] = defaultdict(list)
    for f in found:
        groups[f.county_code].append(f)
    return groups


def county_parts(day: dt.date, found: list[ProjectFacts], period: Period, answers: dict[str, "Letters"]) -> dict[str, tuple[Part, ...]]:
    """The parts of every county's score as of `day`; what is due is counted from the period's first day."""
    values = policy.values_on(day)
    on_time = reports_on_time(day, found, period_start(day, period))
    parts = {}
    for code, members in _by_county(found).items():
        sums = project_facts_module.totals(members)
        said, letter = on_time.get(code, (0, 0)), answers.get(code, Letters())
        parts[code] = (
            Part("finish", "完工率", values.score_finish, sums.finished, sums.count, "个"),
            Part("start", "开工率", values.score_start, sums.started, sums.count, "个"),
            Part("invested", "投资完成率", values.score_invested, sums.invested_wan, sums.total_investment_wan, "万元"),
            Part("in_place", "到位率", values.score_in_place, sums.in_place_wan, sums.total_investment_wan, "万元"),
            _lag_part(members, values),
            Part("reports", "报送及时率", values.score_reports, *said, "个"),
            Part("letters", "函件按期回复率", values.score_letters, letter.on_time, letter.due, "件"),
        )
    return parts


def _counties(day: dt.date, found: list[ProjectFacts], period: Period) -> list[Row]:
    groups = _by_county(found)
    parts = county_parts(day, found, period, letters_of(day, period))
    unchanged, classes = unchanged_weeks(day, found), section_words(day)
    rows = []
    for county in County.objects.filter(code__in=groups):
        members = groups[county.code]
        moving = [unchanged[f.pk] for f in members if f.pk in unchanged]
        rows.append(
            Row(
                key=county.code,
                name=county.name,
                totals=project_facts_module.totals(members),
                parts=parts[county.code],
                score=appraisal_rules.score(parts[county.code]),
                overdue=sum(is_overdue(f, day) for f in members),
                unchanged_weeks=min(moving, default=None),
                sections=classes.get(county.code, ""),
            )
        )
    return rows


def is_overdue(f: ProjectFacts, day: dt.date) -> bool:
    """A baseline date lies before `day` and its event has not come (the rule of 节点已过)."""
    late_start = f.stage == Stage.NOT_STARTED and f.baseline_start_on < day
    return late_start or (f.stage != Stage.FINISHED and f.baseline_finish_on < day)


def _lag_part(members: list[ProjectFacts], values: policy.Values) -> Part:
    """Weighted by investment; a finished project is not behind, one that never reported has done nothing."""
    whole = sum((f.total_investment_wan for f in members), ZERO)
    if not whole:
        return Part("lag", "序时差", values.score_lag, None, None, "个百分点")
    behind = sum((f.total_investment_wan * _lag(f) for f in members), ZERO) / whole
    shown = behind.quantize(Decimal("0.01")) or Decimal("0.00")  # never −0.00
    percent = appraisal_rules.lag_percent(behind, values.far_behind_points)
    return Part("lag", "序时差", values.score_lag, shown, values.far_behind_points, "个百分点", percent=percent)


def _lag(f: ProjectFacts) -> Decimal:
    return ZERO if f.stage == Stage.FINISHED else f.planned_progress if f.lag is None else f.lag


# ── reports, letters, silence, water ──


def reports_on_time(day: dt.date, found: list[ProjectFacts], first: dt.date) -> dict[str, tuple[int, int]]:
    """`{county: (on time, due)}` over the weeks from `first` on whose cut-off has come by `day`. Four queries."""
    county_of = {f.pk: f.county_code for f in found}
    begin = monday(first) - WEEK
    times = weeks.times_of([begin + n * WEEK for n in range((day - begin).days // 7 + 1)])
    counted = [week_of for week_of, week in times.items() if week.is_due and first <= week.cut_off_on <= day]
    due: Counter = Counter()
    for pk, listed_on, delisted_on, completed_on in Project.objects.values_list("pk", "listed_on", "delisted_on", "completed_on"):
        for week_of in counted:  # twin of reports.reporting_in
            is_listed = listed_on <= week_of + dt.timedelta(days=6) and not (delisted_on and delisted_on <= week_of)
            due[county_of.get(pk)] += is_listed and needs_report(week_of, completed_on)
    live = Dispatch.objects.filter(IS_DUE, is_live=True, is_late=False, week_of__in=counted).order_by()
    on_time = Counter(county_of.get(pk) for pk in live.values_list("project", flat=True))
    return {code: (on_time[code], count) for code, count in due.items() if code and count}


@dataclasses.dataclass(frozen=True)
class Letters:
    """Letters to a county whose answer was due in the period."""

    on_time: int = 0
    due: int = 0


def letters_of(day: dt.date, period: Period) -> dict[str, Letters]:
    """By county, due from the period's first day on. One query."""
    first = period_start(day, period)
    answers = LetterAnswer.objects.filter(letter=OuterRef("pk"), at__lt=clock.end_of(day))
    rows = (
        Letter.objects.filter(document__issued_at__lt=clock.end_of(day), reply_due_on__gte=first, document__unit__county__isnull=False)
        .annotate(is_answered=Exists(answers), was_in_time=Exists(answers.filter(at__date__lte=OuterRef("reply_due_on"))))
        .values_list("document__unit__county__code", "reply_due_on", "is_answered", "was_in_time")
    )
    today = clock.today()
    found: dict[str, Counter] = defaultdict(Counter)
    for county, due_on, is_answered, was_in_time in rows:
        if appraisal_rules.is_due(due_on, day, today, is_answered):
            found[county]["due"] += 1
            found[county]["on_time"] += was_in_time
    return {county: Letters(**counts) for county, counts in found.items()}


def unchanged_weeks(day: dt.date, found: list[ProjectFacts]) -> dict[int, int]:
    """`{project: full weeks since anything visible changed}` of the unfinished ones, at most LOOK_BACK_WEEKS. Four queries.

    Weeks that an approved stop touches do not count, and who is stopped on the day is left out, as in the rule of 无明显进展.
    """
    stops = stop_spans()
    county_of = {f.pk: f.county_code for f in found if f.stage != Stage.FINISHED}
    keys = [pk for pk, county in county_of.items() if not any(stop.holds(pk, county, day, day) for stop in stops)]
    since = day - LOOK_BACK_WEEKS * WEEK
    last: dict[int, dt.date] = {f.pk: f.started_on for f in found if f.started_on}
    before: dict[int, tuple] = {}
    names = ("project", "cut_off_on", "physical_progress", "in_place_wan", "paid_wan", "invested_wan")
    said = Dispatch.objects.speaking(day).filter(project__in=keys, cut_off_on__gt=since - 2 * WEEK).order_by("week_of")
    for pk, on, *values in said.values_list(*names):
        if pk in before and before[pk] != tuple(values):
            last[pk] = max(last.get(pk, on), on)
        before[pk] = tuple(values)
    for model, field in ((Permit, "obtained_on"), (Problem, "closed_on")):
        rows = model.objects.filter(**{"project__in": keys, f"{field}__gt": since, f"{field}__lte": day}).order_by()
        for pk, on in rows.values_list("project", field):
            last[pk] = max(last.get(pk, on), on)
    return {pk: _unheld_weeks(pk, county_of[pk], last.get(pk, since), day, stops) for pk in keys}


def _unheld_weeks(pk: int, county: str, since: dt.date, day: dt.date, stops: Iterable[StopSpan]) -> int:
    """Full weeks from `since` to `day`, counted back from it, that no stop touches."""
    ends = [day - n * WEEK for n in range(min((day - since).days // 7, LOOK_BACK_WEEKS))]
    return sum(not any(stop.holds(pk, county, end - dt.timedelta(days=6), end) for stop in stops) for end in ends)


def section_words(day: dt.date) -> dict[str, str]:
    """`{county: "Ⅲ类2个、Ⅳ类1个"}` of the latest complete month that was published by `day`. Two queries."""
    months = Assessment.objects.standing(day).filter(period_kind=PeriodKind.MONTH)
    last = months.order_by("-starts_on").values_list("starts_on", flat=True).first()
    counts: dict[str, Counter] = defaultdict(Counter)
    for county, water_class in months.filter(starts_on=last, water_class__isnull=False).values_list("section__county__code", "water_class"):
        counts[county][water_class] += 1
    return {
        county: "、".join(f"{WaterClass(water_class).label}类{n}个" for water_class, n in sorted(classes.items()))
        for county, classes in counts.items()
    }


# ── departments ──


def departments(day: dt.date, found: list[ProjectFacts] | None = None, period: Period = Period.MONTH) -> list[Row]:
    """The departments that lead a domain, with their rank of today and of the end of the last period."""
    earlier = period_before(day, period)
    before = _ranked(_departments(earlier, project_facts(earlier), period))
    return _beside(before, _ranked(_departments(day, project_facts(day) if found is None else found, period)))


def _departments(day: dt.date, found: list[ProjectFacts], period: Period) -> list[Row]:
    values = policy.values_on(day)
    groups: dict[str, list[ProjectFacts]] = defaultdict(list)
    for f in found:
        groups[f.domain].append(f)
    promised, checked, rows = permits_in_time(day), dispatches_checked(day, period_start(day, period)), []
    for unit in Unit.objects.filter(kind=UnitKind.DEPARTMENT, domain__isnull=False).select_related("domain").order_by("position", "code"):
        sums = project_facts_module.totals(groups[unit.domain.name])
        parts = (
            Part("factors", "要素保障", values.score_factors, *promised.get(unit.pk, (0, 0)), "项"),
            Part("works", "工程建设", values.score_works, halves=_works(sums)),
            Part("dispatch", "日常调度", values.score_dispatch, *checked.get(unit.domain_id, (0, 0)), "份"),
        )
        overdue = sum(is_overdue(f, day) for f in groups[unit.domain.name])
        rows.append(Row(unit.code, unit.name, sums, parts, appraisal_rules.score(parts), overdue=overdue))
    return rows


def _works(sums: Totals) -> tuple[Part, ...]:
    return (
        Part("works_finish", "完工率", 0, sums.finished, sums.count, "个"),
        Part("works_invested", "投资完成率", 0, sums.invested_wan, sums.total_investment_wan, "万元"),
    )


def permits_in_time(day: dt.date) -> dict[int, tuple[int, int]]:
    """`{authority: (obtained in time, due)}` of permits promised for a day of the year of `day`, up to it."""
    first, today, found = dt.date(day.year, 1, 1), clock.today(), defaultdict(Counter)
    waiting = Permit.objects.filter(
        is_required=True, submitted_on__lte=day, submitted_on__gt=first - dt.timedelta(days=400), promised_workdays__isnull=False
    )
    for unit, submitted_on, workdays, obtained_on in waiting.values_list("authority", "submitted_on", "promised_workdays", "obtained_on"):
        due_on = add_workdays(submitted_on, workdays)
        is_there = obtained_on is not None and obtained_on <= day
        if unit and first <= due_on and appraisal_rules.is_due(due_on, day, today, is_there):
            found[unit]["due"] += 1
            found[unit]["on_time"] += bool(obtained_on and obtained_on <= due_on)
    return {unit: (counts["on_time"], counts["due"]) for unit, counts in found.items()}


def dispatches_checked(day: dt.date, first: dt.date) -> dict[int, tuple[int, int]]:
    """`{domain: (checked, handed in)}` of the dispatches due from `first` to `day`, as they stood at its end: of corrections the last."""
    handed_in = [DispatchState.SUBMITTED, DispatchState.ACCEPTED, DispatchState.RETURNED]
    due = Dispatch.objects.filter(IS_DUE, cut_off_on__gte=first, cut_off_on__lte=day, state__in=handed_in)
    end = clock.end_of(day)
    said = due.exclude(submitted_at__gte=end).order_by("revision")
    last = {
        (project, week_of): (domain, state != DispatchState.SUBMITTED and (reviewed_at is None or reviewed_at < end))
        for project, week_of, domain, state, reviewed_at in said.values_list(
            "project", "week_of", "project__domain", "state", "reviewed_at"
        )
    }
    found: dict[int, Counter] = defaultdict(Counter)
    for domain, is_checked in last.values():
        found[domain]["handed_in"] += 1
        found[domain]["checked"] += is_checked
    return {domain: (counts["checked"], counts["handed_in"]) for domain, counts in found.items()}
