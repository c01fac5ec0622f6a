"""The facts of a month's bulletin (通报): the only queries of that paper. What is said of them: `bulletin_words.py`."""

import dataclasses
import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable
from decimal import Decimal

from django.db.models import Min

from ledgers.documents import DocumentFault, jsonable, wall_maps
from ledgers.documents.periods import speaks_on
from ledgers.documents.wording import date, numeral, one_decimal, percent
from linfen_water import policy
from linfen_water.dates import add_months, month_end
from linfen_water.models import County, Domain, Region
from monitoring import periods, reports
from monitoring import rules as water_rules
from monitoring.enums import Change, Level, WaterClass
from monitoring.maps import yearly_shares
from monitoring.models import Assessment
from monitoring.reports import latest_month, section_table
from projects import rules
from projects.enums import DispatchState, Risk, Stage, StageEvent
from projects.facts import ProjectFacts, Totals, project_facts, silent, totals
from projects.models import Dispatch, Project

# Where the office writes paragraphs of its own: {place: what the page calls it}.
PLACES = {
    "opening": "开头",
    "works": "三、各县进展之后",
    "water": "四、断面水质之后",
    "named": "七、表扬和点名（写了就替换上面由规则生成的文字）",
    "requirements": "八、下一步工作要求",
    "closing": "结尾",
}
LEADING = 3  # ranks by completion rate that are praised, and as many from the end that are named when they lag ([D] 建议值)


@dataclasses.dataclass(frozen=True)
class Office:
    """Who speaks, to whom, under which head: the region's settings on the day the facts were gathered."""

    name: str
    head: str
    prefix: str
    works: str  # “一泓清水入黄河”生态保护工程
    county_word: str
    addressees: str
    copies_to: str
    has_seal: bool
    is_brief: bool = False  # 简报 instead of 文件: issues instead of a 发文字号, the date in the head, no seal


@dataclasses.dataclass(frozen=True)
class DomainRow:
    name: str
    totals: Totals
    before: Totals | None


@dataclasses.dataclass(frozen=True)
class CountyRow:
    """A county's figures; ranks are None without a project."""

    name: str
    totals: Totals
    before: Totals | None
    finish_rank: int | None
    invested_rank: int | None
    planned_progress: Decimal | None  # plain means over the projects that reported, in percent
    physical_progress: Decimal | None


@dataclasses.dataclass(frozen=True)
class Event:
    """A project that started or was completed in the month."""

    code: str
    name: str
    county: str
    domain: str
    event: StageEvent
    on: dt.date


@dataclasses.dataclass(frozen=True)
class Lagging:
    """A project behind its plan, with the sentence that says so wherever it is quoted."""

    code: str
    name: str
    county: str
    domain: str
    planned_progress: Decimal
    physical_progress: Decimal
    lag: Decimal
    is_far: bool
    sentence: str


@dataclasses.dataclass(frozen=True)
class Silent:
    """An unfinished project without any change over the policy's number of weekly periods."""

    code: str
    name: str
    county: str
    domain: str
    physical_progress: Decimal | None
    is_unreported: bool
    sentence: str


@dataclasses.dataclass(frozen=True)
class Due:
    """What should start or be completed in the next month by baseline or forecast."""

    code: str
    name: str
    county: str
    domain: str
    event: StageEvent
    baseline_on: dt.date
    forecast_on: dt.date | None
    physical_progress: Decimal | None


@dataclasses.dataclass(frozen=True)
class Pollutant:
    name: str
    multiple: Decimal | None  # 超标倍数 against Ⅲ; None where the standard gives none (pH, dissolved oxygen)


@dataclasses.dataclass(frozen=True)
class SectionRow:
    """A national section in a period; a class is None when it was not evaluated, and then `note` says why."""

    name: str
    river: str
    county: str
    water_class: WaterClass | None
    before: WaterClass | None  # of the period before (环比)
    target: WaterClass | None
    pollutants: tuple[Pollutant, ...]  # against Ⅲ
    # Facts of older releases do not have what follows.
    year_before: WaterClass | None = None  # of the same period a year earlier (同比)
    over_target: tuple[Pollutant, ...] = ()  # against the section's target: another figure
    note: str = ""

    @property
    def is_good(self) -> bool:
        return water_rules.is_good(self.water_class)

    @property
    def meets_target(self) -> bool | None:
        return water_rules.meets_target(self.water_class, self.target)

    @property
    def month_on_month(self) -> Change | None:
        return _change(self.before, self.water_class)

    @property
    def year_on_year(self) -> Change | None:
        return _change(self.year_before, self.water_class)


def _change(before: WaterClass | None, now: WaterClass | None) -> Change | None:
    return water_rules.change_by_rating(water_rules.rating(before), water_rules.rating(now))


@dataclasses.dataclass(frozen=True)
class YearShare:
    """Good (优良) of the national sections that were evaluated in a year."""

    year: int
    good: int
    evaluated: int


@dataclasses.dataclass(frozen=True)
class Correction:
    """A result that was published again with another class since the bulletin before."""

    name: str
    period: str  # in words: 2024年11月
    old: WaterClass | None
    new: WaterClass | None
    on: dt.date


@dataclasses.dataclass(frozen=True)
class Water:
    """The national sections in the latest month, from January to it and by year, as published by the day."""

    month: dt.date | None
    rows: tuple[SectionRow, ...]
    year: int | None
    year_good: int
    year_assessed: int
    # Facts of older releases do not have what follows.
    to_date: tuple[SectionRow, ...] = ()  # 1—N月; empty when N is 1, or nothing was published
    years: tuple[YearShare, ...] = ()
    corrections: tuple[Correction, ...] = ()


@dataclasses.dataclass(frozen=True)
class BulletinFacts:
    """All that a month's bulletin is made from; JSON both ways, frozen when it is issued. Money is 万元, rates percent."""

    month: dt.date
    as_of: dt.date
    before_on: dt.date  # the end of the month before
    office: Office
    is_demo: bool
    behind_points: int
    far_behind_points: int
    silent_weeks: int
    totals: Totals
    before: Totals | None
    domains: tuple[DomainRow, ...]
    counties: tuple[CountyRow, ...]  # in the region's order
    events: tuple[Event, ...]
    lagging: tuple[Lagging, ...]  # furthest behind first
    silent: tuple[Silent, ...]
    due: tuple[Due, ...]
    water: Water
    unreviewed: int  # projects whose figures come from a dispatch that nobody has accepted yet (待核)
    # Facts of older releases do not have what follows.
    year_before: Totals | None = None  # at the end of the same month a year earlier (同比)
    year_before_on: dt.date | None = None
    maps: wall_maps.MapFacts | None = None

    def to_json(self) -> dict:
        return jsonable.to_json(self)

    @classmethod
    def from_json(cls, data: dict) -> "BulletinFacts":
        return jsonable.from_json(cls, data)


def gather(month: dt.date, today: dt.date) -> BulletinFacts:
    """Facts of the month that begins on `month`, at its end or, while it runs, as of `today`.

    The number of queries does not grow with the projects. Raises DocumentFault when nothing was on the list then.
    """
    as_of, before_on = speaks_on(month, today), month - dt.timedelta(days=1)
    first = Project.objects.aggregate(first=Min("listed_on"))["first"]
    if first is None or first > as_of:
        raise DocumentFault(f"截至 {as_of} 清单中还没有项目，不能编制通报。")
    thresholds = policy.values_on(as_of)
    region = Region.current()
    now, before = project_facts(as_of), project_facts(before_on)
    year_before_on = month_end(add_months(month, -12))
    return BulletinFacts(
        month=month,
        as_of=as_of,
        before_on=before_on,
        office=office_of(region),
        is_demo=region.is_demo,
        behind_points=thresholds.behind_points,
        far_behind_points=thresholds.far_behind_points,
        silent_weeks=thresholds.silent_weeks,
        totals=totals(now),
        before=totals(before) if before else None,
        domains=_domains(now, before),
        counties=_counties(now, before),
        events=_events(now, month),
        lagging=_lagging(now, as_of, thresholds),
        silent=_silent(now, as_of, thresholds),
        due=_due(now, add_months(month, 1)),
        water=_water(as_of, before_on),
        unreviewed=_unreviewed(as_of),
        year_before=_totals_or_none(project_facts(year_before_on)),
        year_before_on=year_before_on,
        maps=wall_maps.gather(region, as_of),
    )


def office_of(region: Region, kind: str = "bulletin") -> Office:
    """The office's names for papers of a kind from the region pack; what it leaves out is the bulletin's, else the region's own names."""
    given = region.settings.get("office", {})
    bulletin = given.get("bulletin", {}) | given.get(kind, {})
    works = given.get("works") or f"“{region.programme}”生态保护工程"
    name = given.get("name") or f"{region.name}{works}专班办公室"
    county_word = region.settings.get("county_word") or "县（市、区）"
    is_brief = bulletin.get("form") == "brief"
    head = bulletin.get("head", "")
    if is_brief and head.endswith("文件"):
        head = ""  # that of the bulletin, of which this kind is none
    return Office(
        name=name,
        head=head or (f"{works}简报" if is_brief else f"{name}文件"),
        prefix=given.get("prefixes", {}).get(kind, ""),
        works=works,
        county_word=county_word,
        addressees=bulletin.get("addressees") or f"各{county_word}人民政府，市直各有关单位",
        copies_to=bulletin.get("copies_to", ""),
        has_seal=bulletin.get("has_seal", True) and not is_brief,
        is_brief=is_brief,
    )


def _grouped(facts: Iterable[ProjectFacts], key: Callable[[ProjectFacts], str]) -> dict[str, list[ProjectFacts]]:
    groups = defaultdict(list)
    for fact in facts:
        groups[key(fact)].append(fact)
    return groups


def _totals_or_none(facts: list[ProjectFacts] | None) -> Totals | None:
    return totals(facts) if facts else None


def _domains(now: list[ProjectFacts], before: list[ProjectFacts]) -> tuple[DomainRow, ...]:
    """Domains that have projects, in the region's order."""
    groups, earlier = (_grouped(facts, lambda f: f.domain) for facts in (now, before))
    names = Domain.objects.values_list("name", flat=True)
    return tuple(DomainRow(name, totals(groups[name]), _totals_or_none(earlier.get(name))) for name in names if name in groups)


def _counties(now: list[ProjectFacts], before: list[ProjectFacts]) -> tuple[CountyRow, ...]:
    groups, earlier = (_grouped(facts, lambda f: f.county_code) for facts in (now, before))
    counties = list(County.objects.values_list("code", "name"))
    sums = [totals(groups.get(code, [])) for code, _ in counties]
    finish_ranks = rules.ranks([s.finish_rate for s in sums])
    invested_ranks = rules.ranks([s.invested_rate for s in sums])
    return tuple(
        CountyRow(name, total, _totals_or_none(earlier.get(code)), finish_rank, invested_rank, *_means(groups.get(code, [])))
        for (code, name), total, finish_rank, invested_rank in zip(counties, sums, finish_ranks, invested_ranks, strict=True)
    )


def _means(facts: list[ProjectFacts]) -> tuple[Decimal | None, Decimal | None]:
    """Mean planned and physical progress of the projects that reported."""
    reported = [(f.planned_progress, f.physical_progress) for f in facts if f.physical_progress is not None]
    if not reported:
        return None, None
    planned, physical = (sum(values, Decimal(0)) / len(reported) for values in zip(*reported, strict=True))
    return planned, physical


def _events(now: list[ProjectFacts], month: dt.date) -> tuple[Event, ...]:
    """What started or was completed since the month began, in the order of the days."""
    happened = [
        Event(f.code, f.name, f.county, f.domain, event, on)
        for f in now
        for event, on in ((StageEvent.START, f.started_on), (StageEvent.COMPLETION, f.completed_on))
        if on and on >= month
    ]
    return tuple(sorted(happened, key=lambda e: (e.event != StageEvent.START, e.on)))


def _lagging(now: list[ProjectFacts], as_of: dt.date, thresholds: policy.Values) -> tuple[Lagging, ...]:
    rows = [row for f in now if (row := _lagging_row(f, as_of, thresholds))]
    return tuple(sorted(rows, key=lambda row: -row.lag))


def _lagging_row(f: ProjectFacts, as_of: dt.date, thresholds: policy.Values) -> Lagging | None:
    """None for a project that keeps to its plan, or has not reported: that is 未报, no lag."""
    risk = rules.risk(f.stage, f.lag, thresholds.behind_points, thresholds.far_behind_points)
    if risk not in (Risk.BEHIND, Risk.FAR_BEHIND) or f.lag is None or f.physical_progress is None:
        return None
    sentence = lag_sentence(as_of, f.planned_progress, f.physical_progress, f.lag)
    is_far = risk == Risk.FAR_BEHIND
    return Lagging(f.code, f.name, f.county, f.domain, f.planned_progress, f.physical_progress, f.lag, is_far, sentence)


def lag_sentence(as_of: dt.date, planned: Decimal, physical: Decimal, lag: Decimal) -> str:
    return f"截至{date(as_of)}，计划进度{percent(planned)}，实际进度{percent(physical)}，滞后{one_decimal(lag)}个百分点"


def _silent(now: list[ProjectFacts], as_of: dt.date, thresholds: policy.Values) -> tuple[Silent, ...]:
    """A missing report counts as no progress and is called 未报."""
    since = as_of - dt.timedelta(weeks=thresholds.silent_weeks)
    return tuple(_silent_row(f, since, thresholds) for f in silent(as_of, thresholds.silent_weeks, now))


def _silent_row(f: ProjectFacts, since: dt.date, thresholds: policy.Values) -> Silent:
    is_unreported = f.week_of is None or policy.cut_off_on(f.week_of, thresholds) <= since
    if is_unreported:
        last = f"，最近一次填报为{date(f.week_of)}当周" if f.week_of else ""
        sentence = f"连续{numeral(thresholds.silent_weeks)}期未报周调度{last}"
    else:
        progress = percent(f.physical_progress)
        sentence = f"连续{numeral(thresholds.silent_weeks)}期周调度总体进度（{progress}）和到位、支付、完成投资均无变化"
    return Silent(f.code, f.name, f.county, f.domain, f.physical_progress, is_unreported, sentence)


def _due(now: list[ProjectFacts], month: dt.date) -> tuple[Due, ...]:
    """What should start or be completed in the month that begins on `month`, earliest first."""

    def is_due(*days: dt.date | None) -> bool:
        return any(day is not None and month <= day <= month_end(month) for day in days)

    rows = [
        Due(f.code, f.name, f.county, f.domain, event, baseline_on, forecast_on, f.physical_progress)
        for f in now
        for event, before_stage, baseline_on, forecast_on in (
            (StageEvent.START, Stage.UNDER_CONSTRUCTION, f.baseline_start_on, f.forecast_start_on),
            (StageEvent.COMPLETION, Stage.FINISHED, f.baseline_finish_on, f.forecast_finish_on),
        )
        if f.stage < before_stage and is_due(baseline_on, forecast_on)
    ]
    return tuple(sorted(rows, key=lambda row: (row.event != StageEvent.START, row.forecast_on or row.baseline_on)))


def _water(as_of: dt.date, before_on: dt.date) -> Water:
    """From the same table as the page of the sections: eleven queries at most, however many sections."""
    month = latest_month(as_of)
    years = tuple(YearShare(year, share.good, share.evaluated) for year, share in yearly_shares(as_of).items())
    last = years[-1] if years else None
    return Water(
        month=month,
        rows=_section_rows(as_of, periods.month(month)) if month else (),
        year=last.year if last else None,
        year_good=last.good if last else 0,
        year_assessed=last.evaluated if last else 0,
        to_date=_to_date(as_of, month, last) if month else (),
        years=years,
        corrections=_corrections(as_of, before_on),
    )


def _to_date(as_of: dt.date, month: dt.date, last: YearShare | None) -> tuple[SectionRow, ...]:
    """January to the month, unless that is the month itself or the year that is told anyway."""
    if month.month == 1 or (month.month == 12 and last and last.year == month.year):
        return ()
    rows = _section_rows(as_of, periods.to_date(month))
    return rows if any(row.water_class for row in rows) else ()


def _section_rows(as_of: dt.date, period: periods.Period) -> tuple[SectionRow, ...]:
    return tuple(
        SectionRow(
            name=row.name,
            river=row.river,
            county=row.county,
            water_class=row.water_class,
            before=row.class_before,
            target=row.target,
            pollutants=_pollutants(row.pollutants),
            year_before=row.class_year_before,
            over_target=_pollutants(row.over_target),
            note=row.note,
        )
        for row in section_table(as_of, period).of_level(Level.NATIONAL)
    )


def _pollutants(found: Iterable[reports.Pollutant]) -> tuple[Pollutant, ...]:
    return tuple(Pollutant(pollutant.name, pollutant.multiple) for pollutant in found)


def _corrections(as_of: dt.date, before_on: dt.date) -> tuple[Correction, ...]:
    """Classes of national sections that a later revision changed after `before_on`, by section and period. Two queries."""
    known = Assessment.objects.known_by(as_of).filter(section__level=Level.NATIONAL)
    later = list(known.filter(revision__gt=1, published_on__gt=before_on).select_related("section").order_by("section", "ends_on", "pk"))
    older = known.filter(section__in={row.section_id for row in later}, starts_on__in={row.starts_on for row in later}).order_by("revision")
    history = defaultdict(list)
    for row in older:
        history[row.section_id, row.period_kind, row.starts_on, row.ends_on].append(row)
    found = []
    for row in later:
        before = [r for r in history[row.section_id, row.period_kind, row.starts_on, row.ends_on] if r.revision < row.revision]
        if before and before[-1].water_class != row.water_class:
            label = periods.Period(row.starts_on, row.ends_on, row.period_kind).label
            found.append(Correction(row.section.name, label, _class(before[-1]), _class(row), row.published_on))
    return tuple(found)


def _class(row: Assessment) -> WaterClass | None:
    return WaterClass(row.water_class) if row.water_class else None


def _unreviewed(as_of: dt.date) -> int:
    last = Project.objects.as_of(as_of).with_dispatch(as_of).values("dispatch_id")
    return Dispatch.objects.filter(pk__in=last, state=DispatchState.SUBMITTED).count()
