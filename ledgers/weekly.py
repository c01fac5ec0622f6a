"""周调度台账 and 填报台账: a project in a week, a unit in a week. Read from the facts that the page of the dispatch reads."""

import dataclasses
import datetime as dt
import functools
from collections import Counter
from collections.abc import Iterable
from decimal import Decimal

from django import forms
from django.db.models import Min

from ledgers import columns as c
from ledgers.choices import KeptChoiceField, kept_offer
from ledgers.filters import RowsFilter, spoken
from ledgers.rows import Rows
from ledgers.search import matches
from ledgers.tables import LedgerTable
from linfen_water import clock
from linfen_water.dates import monday
from linfen_water.enums import UnitKind
from linfen_water.models import County, Domain, Unit, User
from linfen_water.permissions import scope_key
from projects import anomalies, reports, weeks
from projects.enums import DispatchState
from projects.models import Project
from projects.permissions import visible_projects
from projects.reports import ProjectWeek

WEEKS_OFFERED = 104
MISSING_WORDS = "未报"


@dataclasses.dataclass(frozen=True)
class Source:
    """What `user` (None: all) may read as of `day`; rows are read when a week is chosen."""

    day: dt.date
    user: User | None

    @functools.cached_property
    def scope(self):
        return Project.objects.all() if self.user is None else visible_projects(self.user, clock.today())

    @functools.cached_property
    def weeks(self) -> list[dt.date]:
        """Mondays, the last first: on a past day those whose cut-off had come, today also the week that runs."""
        first = kept_offer(f"first-listed:{clock.today()}:{scope_key(self.user) if self.user else None}", self._first_listed_on)
        if first is None:
            return []
        last = monday(self.day)
        if self.day < clock.today() and weeks.week_times(last).cut_off_on > self.day:
            last -= weeks.WEEK
        found = (last - n * weeks.WEEK for n in range(WEEKS_OFFERED))
        return [week_of for week_of in found if week_of >= monday(first)]

    def _first_listed_on(self) -> dt.date | None:
        return self.scope.aggregate(first=Min("listed_on"))["first"]

    def none(self) -> Rows:
        return Rows()

    def read(self, week_of: dt.date) -> list[ProjectWeek]:
        """Every project that was due in the week, reported or not; a fixed number of queries."""
        due = reports.reporting_in(self.scope, week_of).order_by("number", "code")
        return reports.read_weeks(due, week_of, self.day)


def rows(day: dt.date, user: User | None = None) -> Source:
    return Source(day, user)


def week_choice(week_of: dt.date) -> tuple[str, str]:
    return week_of.isoformat(), anomalies.week_words(week_of)


class WeekForm(forms.Form):
    """One week; without a choice the last one."""

    week = forms.ChoiceField(label="周次", required=False)
    county = KeptChoiceField(label="县（市、区）", required=False, queryset=County.objects.all(), to_field_name="code", empty_label="全部")

    def __init__(self, data=None, *, source: Source):
        super().__init__(data)
        offered = [week_choice(week_of) for week_of in source.weeks]
        latest = f"最近一期（{offered[0][1]}）" if offered else "尚无填报周"
        self.fields["week"].choices = [("", latest), *offered]
        self.fields["week"].error_messages["invalid_choice"] = "“%(value)s”不是可以查看的周次，请从列表中选择。"


class WeekFilter(RowsFilter):
    """The chosen week is always said, so that a workbook tells what it holds."""

    form_class: type[forms.Form] = WeekForm

    @property
    def week_of(self) -> dt.date | None:
        chosen = self.form.cleaned_data["week"]
        return dt.date.fromisoformat(chosen) if chosen else next(iter(self.queryset.weeks), None)

    @property
    def spoken(self) -> list[str]:
        if not self.form.is_valid():
            return []
        named = [f"周次：{anomalies.week_words(self.week_of)}"] if self.week_of else []
        return [*named, *(words for words in spoken(self.form) if not words.startswith("周次"))]


# ── 周调度台账 ──────────────────────────────────────────────────────────────────────────────────────────────────────

STATES = {"missing": MISSING_WORDS, "returned": "退回待报", "submitted": "待核", "accepted": "已核"}


class DispatchesForm(WeekForm):
    domain = KeptChoiceField(label="领域", required=False, queryset=Domain.objects.all(), to_field_name="name", empty_label="全部")
    state = forms.ChoiceField(label="状态", required=False, choices=[("", "全部"), *STATES.items()])
    only = forms.ChoiceField(label="只看", required=False, choices=[("", "全部"), ("late", "迟报"), ("same", "与上周相同")])
    q = forms.CharField(label="查找", required=False, max_length=60)


class DispatchesFilter(WeekFilter):
    form_class = DispatchesForm

    def choose(self, *, week, county, domain, state, only, q) -> Rows:
        if not self.week_of:
            return Rows()
        found = [_dispatch_row(place, one) for place, one in enumerate(self.queryset.read(self.week_of))]
        return Rows(
            row
            for row in found
            if (not county or row["county_code"] == county.code)
            and (not domain or row["domain"] == domain.name)
            and (not state or row["state"] == STATES[state])
            and (not only or row["is_late" if only == "late" else "is_same"])
            and matches(q, row["code"], row["name"], row["county"], row["done"], row["hinders"])
        )


def _dispatch_row(place: int, week: ProjectWeek) -> dict:
    live, before = week.live, week.previous

    def rise(field: str) -> Decimal | None:
        now, then = getattr(live, field, None), getattr(before, field, None)
        return None if now is None or then is None else now - then

    return {
        "key": f"{week.week_of}.{week.project.code}",
        "same_as": week.project.code,
        "marks": dispatch_marks(week),
        "place": place,
        "code": week.project.code,
        "week": anomalies.week_words(week.week_of),
        "name": week.version.name,
        "county": week.version.county.name,
        "county_code": week.version.county.code,
        "domain": week.project.domain.name,
        "planned_progress": week.planned_progress,
        "physical_progress": live.physical_progress if live else None,
        "progress_rise": rise("physical_progress"),
        "invested_wan": live.invested_wan if live else None,
        "invested_rise": rise("invested_wan"),
        "in_place_wan": live.in_place_wan if live else None,
        "in_place_rise": rise("in_place_wan"),
        "done": live.done if live else "",
        "next_steps": live.next_steps if live else "",
        "hinders": live.hinders if live else "",
        "reason": live.reason if live else "",
        "reporter": str(live.submitted_by) if live and live.submitted_by else "",
        "submitted_on": live.submitted_at.date() if live and live.submitted_at else None,
        "state": _state(week),
        "is_late": bool(live and live.is_late),
        "is_after_lock": week.is_after_lock,
        "is_same": is_same(week),
    }


REPORTED = ("physical_progress", "invested_wan", "in_place_wan", "done", "next_steps", "hinders")


def dispatch_marks(week: ProjectWeek) -> dict[str, str]:
    """What is word for word last period's, and a report that is missing."""
    if not week.live:
        return {"state": "is-missing", "physical_progress": "is-missing"}
    before = week.previous
    if not before:
        return {}
    return {name: "is-same" for name in REPORTED if getattr(week.live, name) == getattr(before, name) not in (None, "")}


def _state(week: ProjectWeek) -> str:
    if week.live:
        return DispatchState(week.live.state).label
    return STATES["returned"] if any(d.state == DispatchState.RETURNED for d in week.revisions) else MISSING_WORDS


def is_same(week: ProjectWeek) -> bool:
    """Whether what counts says word for word what the last period said, but for what belongs to its own week."""
    if not week.live or not week.previous:
        return False
    now = {key: value for key, value in reports.flat(week.live).items() if key not in reports.NOT_CARRIED_OVER}
    return not reports.differences(week.before, now)


class RiseColumn(c.LedgerColumn):
    """The difference since the last report: +1.5; a fall stands out."""

    css = "number"
    number_format = "+0.00;-0.00;0.00"

    def render(self, value, row):
        if value is None:
            return c.MISSING
        return f"+{value:,.2f}" if value > 0 else f'<strong class="over">{value:,.2f}</strong>' if value < 0 else "0"


class StateColumn(c.LedgerColumn):
    """未报, 待核, 已核; with 迟报 and 锁定后 beside it."""

    TONES = {"已核": "ok", "待核": "warn"}

    def render(self, value, row):
        return " ".join([c.badge(value, self.TONES.get(value, "bad")), *(c.badge(mark, "warn") for mark in self.marks(row))])

    def value(self, value, row):
        return value + "".join(f"（{mark}）" for mark in self.marks(row))

    def marks(self, row) -> list[str]:
        return [mark for mark, key in (("迟报", "is_late"), ("锁定后", "is_after_lock")) if row[key]]


class YesColumn(c.LedgerColumn):
    def render(self, value, row):
        return c.badge("相同", "warn") if value else c.MISSING

    def value(self, value, row):
        return "相同" if value else None


class DispatchTable(LedgerTable):
    """周调度台账."""

    details = ("domain", "in_place_wan", "in_place_rise", "next_steps", "reason", "reporter")

    code = c.LedgerColumn("编号", sort="code", group="项目", width=9, css="pin pin-1 nowrap")
    name = c.LinkColumn("项目名称", sort="place", group="项目", width=30, css="medium")
    county = c.LedgerColumn("县（市、区）", sort="county_code", group="项目", width=12, css="nowrap")
    domain = c.LedgerColumn("领域", sort="domain", group="项目", width=9, css="nowrap")
    week = c.LedgerColumn("周次", group="项目", width=13, css="nowrap")
    physical_progress = c.ProgressColumn("进度", sort="physical_progress", group="进度", width=9)
    progress_rise = RiseColumn("较上期（百分点）", sort="progress_rise", group="进度", is_computed=True, width=10)
    invested_wan = c.WanColumn("累计完成投资", sort="invested_wan", group="完成投资", is_computed=True, width=13)
    invested_rise = RiseColumn("较上期（万元）", sort="invested_rise", group="完成投资", is_computed=True, width=12)
    in_place_wan = c.WanColumn("累计到位", sort="in_place_wan", group="到位资金", is_computed=True, width=13)
    in_place_rise = RiseColumn("较上期（万元）", sort="in_place_rise", group="到位资金", is_computed=True, width=12)
    done = c.ClampedColumn("本周进展", group="说明", width=40, css="wide")
    next_steps = c.ClampedColumn("下周计划", group="说明", width=30, css="wide")
    hinders = c.ClampedColumn("存在问题", group="说明", width=30, css="wide")
    reason = c.ClampedColumn("更正等说明", group="说明", width=24, css="medium")
    reporter = c.LedgerColumn("填报人", group="填报", width=18)
    submitted_on = c.DateColumn("提交日", sort="submitted_on", group="填报", width=11)
    state = StateColumn("状态", sort="state", group="填报", width=12, css="nowrap")
    is_same = YesColumn("与上期相同", sort="is_same", group="填报", is_computed=True, width=11, css="nowrap")


@dataclasses.dataclass(frozen=True)
class DispatchTotals:
    count: int
    invested_wan: Decimal
    in_place_wan: Decimal
    reported: int
    same: int


def dispatch_totals(day: dt.date, chosen: Rows) -> DispatchTotals:
    def total(field: str) -> Decimal:
        return sum((row[field] or Decimal(0) for row in chosen), Decimal(0))

    reported = sum(row["physical_progress"] is not None for row in chosen)
    return DispatchTotals(len(chosen), total("invested_wan"), total("in_place_wan"), reported, sum(row["is_same"] for row in chosen))


def spoken_dispatch_totals(sums: DispatchTotals) -> str:
    return f"应报{sums.count}个，已报{sums.reported}个，其中与上期完全相同{sums.same}个"


def dispatch_notes(chosen: Rows) -> list[str]:
    return ["“较上期”与上一次有效填报比；没有填报的项目也列出，金额合计只计已填报的。进度、投资、到位均为累计数。"]


# ── 填报台账 ────────────────────────────────────────────────────────────────────────────────────────────────────────


class SubmissionsFilter(WeekFilter):
    def choose(self, *, week, county) -> Rows:
        if not self.week_of:
            return Rows()
        names = dict(Unit.objects.filter(kind=UnitKind.COUNTY).order_by("-pk").values_list("county", "name"))
        counties: dict[str, list[ProjectWeek]] = {}
        for one in self.queryset.read(self.week_of):
            counties.setdefault(one.version.county.code, []).append(one)
        order = County.objects.filter(code__in=counties)
        return Rows(
            _submission_row(place, names.get(row.pk, row.name), row, self.week_of, counties[row.code])
            for place, row in enumerate(order)
            if not county or row.code == county.code
        )


def _submission_row(place: int, unit: str, county: County, week_of: dt.date, found: Iterable[ProjectWeek]) -> dict:
    counts: Counter[str] = Counter()
    for week in found:
        live = week.live
        counts["due"] += 1
        counts["reported"] += live is not None
        counts["on_time"] += live is not None and not live.is_late
        counts["late"] += live is not None and live.is_late
        counts["returned"] += sum(d.state == DispatchState.RETURNED for d in week.revisions)
        counts["same"] += is_same(week)
        counts["after_lock"] += week.is_after_lock
    missing = counts["due"] - counts["reported"]
    share = c.one_decimal(Decimal(100) * counts["on_time"] / counts["due"])
    return {
        "key": f"{week_of}.{county.code}",
        "same_as": county.code,
        "marks": {"missing": "is-missing"} if missing else {},
        "place": place,
        "week": anomalies.week_words(week_of),
        "unit": unit,
        "county": county.name,
        "missing": missing,
        "share": share,
    } | {key: counts[key] for key in COUNTED}


COUNTED = ("due", "reported", "on_time", "late", "returned", "same", "after_lock")


class CountColumn(c.IntegerColumn):
    is_summed = True


class ShareColumn(c.LedgerColumn):
    css = "number"
    number_format = "0.0"
    unit = "%"
    is_summed = True

    def render(self, value, row):
        return c.MISSING if value is None else f"{value}%"


class SubmissionTable(LedgerTable):
    """填报台账: computed only."""

    week = c.LedgerColumn("周次", group="单位", width=13, css="nowrap")
    unit = c.LedgerColumn("单位", sort="place", group="单位", width=26, css="pin pin-1 nowrap")
    due = CountColumn("应报", sort="due", group="本周", is_computed=True, width=8)
    reported = CountColumn("已报", sort="reported", group="本周", is_computed=True, width=8)
    missing = CountColumn("未报", sort="missing", group="本周", is_computed=True, width=8)
    on_time = CountColumn("按时", sort="on_time", group="时效", is_computed=True, width=8)
    share = ShareColumn("按时率", sort="share", group="时效", is_computed=True, width=9)
    late = CountColumn("补报", sort="late", group="时效", is_computed=True, width=8)
    after_lock = CountColumn("锁定后更正、补报", sort="after_lock", group="时效", is_computed=True, width=10)
    returned = CountColumn("退回（次）", sort="returned", group="质量", is_computed=True, width=9)
    same = CountColumn("与上期完全相同", sort="same", group="质量", is_computed=True, width=10)


@dataclasses.dataclass(frozen=True)
class SubmissionTotals:
    count: int
    due: int
    reported: int
    missing: int
    on_time: int
    share: Decimal | None
    late: int
    after_lock: int
    returned: int
    same: int


def submission_totals(day: dt.date, chosen: Rows) -> SubmissionTotals:
    sums = {key: sum(row[key] for row in chosen) for key in (*COUNTED, "missing")}
    share = c.one_decimal(Decimal(100) * sums["on_time"] / sums["due"]) if sums["due"] else None
    return SubmissionTotals(count=len(chosen), share=share, **sums)


def spoken_submission_totals(sums: SubmissionTotals) -> str:
    return f"{sums.count}个单位应报{sums.due}个，已报{sums.reported}个，按时{sums.on_time}个，未报{sums.missing}个"


def submission_notes(chosen: Rows) -> list[str]:
    return ["按时率=截止前提交的有效填报/应报；补报为截止后提交；退回按次计；“与上期完全相同”不含开工、完工日期和说明。"]
