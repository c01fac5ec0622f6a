"""现场督导台账: a visit to a site a row."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable

from django.db.models import Case, Count, DateField, DecimalField, F, Q, QuerySet, Value, When

from ledgers import chased, of_projects
from ledgers import columns as c
from ledgers.filters import LedgerFilter
from ledgers.tables import LedgerTable
from linfen_water import clock
from projects.inspections import INSPECTION, on_day, visible_inspections
from projects.models import Photo
from projects.said import with_said
from projects.site_models import Inspection, InspectionFinding

PLANNED = "planned"


class DifferenceColumn(c.LedgerColumn):
    """Points that the site is above (+) or below (-) what was reported."""

    css = "number"
    number_format = "+0.0;-0.0;0.0"

    def render(self, value, row):
        if value is None:
            return c.MISSING
        shown = c.one_decimal(value)
        return f"+{shown}" if shown > 0 else f'<strong class="over">{shown}</strong>' if shown < 0 else "0"

    def value(self, value, row):
        return c.one_decimal(value)


class PercentColumn(c.LedgerColumn):
    css = "number"
    number_format = "0.0"
    unit = "%"

    def render(self, value, row):
        return c.MISSING if value is None else f"{c.one_decimal(value)}%"

    def value(self, value, row):
        return c.one_decimal(value)


class VisitColumn(chased.StateColumn):
    """计划 until somebody went; without a demand there is nothing to chase."""

    def render(self, value, row):
        return c.badge(value) if isinstance(value, str) and value in WORDS else super().render(value, row)

    def value(self, value, row):
        return value if isinstance(value, str) and value in WORDS else super().value(value, row)


WORDS = {"计划", "已督导"}


class InspectionTable(LedgerTable):
    """现场督导台账."""

    details = ("experts", "content", "photos", "answer")

    code = of_projects.UrlColumn("日期", sort="known_on", group="督导", width=11, css="pin pin-1 nowrap digits")
    leader_post = c.LedgerColumn("带队", sort="leader_post", group="督导", width=14, css="nowrap")
    units = c.ListColumn("部门", group="督导", width=24, css="medium", is_counted=False)
    experts = c.LedgerColumn("专家", group="督导", width=14, css="medium")
    project_code = of_projects.CodeColumn("编号", sort="project_code", group="项目", width=9, css="nowrap")
    name = c.LedgerColumn("项目名称", sort="v__name", group="项目", width=30, css="medium")
    county = c.LedgerColumn("县（市、区）", sort="v__county__position", group="项目", width=11, css="nowrap")
    content = c.ClampedColumn("检查内容", group="现场", width=34, css="wide")
    site_progress = PercentColumn("现场进度", sort="known_progress", group="现场", width=9)
    reported = PercentColumn("当日填报", sort="said_physical_progress", group="现场", is_computed=True, width=9)
    difference = DifferenceColumn("与填报差", sort="difference", group="现场", is_computed=True, width=9)
    photos = c.IntegerColumn("照片", group="现场", width=7)
    findings = c.ListColumn("发现问题", group="问题与整改", width=40, css="wide")
    demands = c.ClampedColumn("交办意见", group="问题与整改", width=34, css="wide")
    due_on = c.DateColumn("整改时限", sort="due_on", group="问题与整改", width=11)
    answer = c.ClampedColumn("整改情况", group="问题与整改", width=30, css="medium")
    state = VisitColumn("状态", sort="state", group="问题与整改", is_computed=True, width=9, css="nowrap")
    overdue_days = chased.OverdueColumn("逾期天数", sort="overdue_since", group="问题与整改", is_computed=True, width=9)
    closed_on = c.DateColumn("复查日", sort="known_closed_on", group="复查", width=11)
    closing_basis = c.ClampedColumn("复查结果", group="复查", width=26, css="medium")


class InspectionFilter(of_projects.ProjectConditions, LedgerFilter):
    state = chased.filters.ChoiceFilter(
        label="状态",
        choices=[
            (PLANNED, "计划"),
            ("visited", "已督导"),
            *[(s.value, f"整改：{s.label}") for s in chased.ChaseState],
        ],
        method="standing",
        empty_label="全部",
    )
    words = ("project__code", "v__name", "content", "demands", "leader_post")

    def standing(self, queryset: QuerySet, name: str, state: str) -> QuerySet:
        if state in (PLANNED, "visited"):
            return queryset.filter(has_come=state == "visited")
        return queryset.filter(state=state, has_come=True).exclude(demands="")


def rows(day: dt.date, user=None) -> QuerySet:
    came = Q(visited_on__isnull=False, visited_on__lte=day)
    found = of_projects.of_listed(on_day(visible_inspections(user, clock.today()), day), day, user)
    found = with_said(chased.stand(found, day), "visited_on", "physical_progress")
    is_there = Case(When(came, then=Value(True)), default=Value(False))
    progress = Case(When(came, then=F("site_progress")), output_field=DecimalField(max_digits=5, decimal_places=2))
    return found.annotate(
        has_come=is_there,
        known_on=Case(When(came, then=F("visited_on")), default=F("planned_on"), output_field=DateField()),
        known_progress=progress,
        difference=progress - F("said_physical_progress"),
    ).order_by("-known_on", "-pk")


def read(day: dt.date, chosen: Iterable[int]) -> list[dict]:
    """The visits with the keys `chosen`, in that order. Five queries for any number."""
    chosen = list(chosen)
    scope = Inspection.objects.filter(pk__in=chosen).select_related("project").prefetch_related("units")
    found = {row.pk: row for row in with_said(scope, "visited_on", "physical_progress")}
    names = of_projects.about(day, (row.project_id for row in found.values()))
    findings: dict[int, list[str]] = defaultdict(list)
    for finding in InspectionFinding.objects.standing().filter(inspection__in=chosen).select_related("problem").order_by("pk"):
        mark = f"（{finding.problem.code}）" if finding.problem else ""
        findings[finding.inspection_id].append(f"{finding.get_category_display()}：{finding.text}{mark}")
    photos = Photo.objects.filter(inspection__in=chosen, withdrawn_at=None).order_by().values_list("inspection")
    counts = dict(photos.annotate(n=Count("pk")))
    return [
        _row(found[pk], names[found[pk].project_id], findings[pk], counts.get(pk), day)
        for pk in chosen
        if pk in found and found[pk].project_id in names
    ]


def _row(row: Inspection, about: dict, findings: list[str], photos: int | None, day: dt.date) -> dict:
    known = INSPECTION.known(row, day)
    cells = chased.cells(INSPECTION, row, day) | about
    came = known["visited_on"] is not None
    progress = known["site_progress"]
    reported = row.said_physical_progress if came else None
    return cells | {
        "code": str(known["visited_on"] or row.planned_on),
        "leader_post": row.leader_post,
        "units": [unit.name for unit in row.units.all()],
        "experts": row.experts,
        "content": row.content,
        "site_progress": progress,
        "reported": reported,
        "difference": None if progress is None or reported is None else progress - reported,
        "photos": photos if came else None,
        "findings": findings if came else [],
        "demands": known["demands"],
        "due_on": known["due_on"],
        "state": cells["state"] if known["demands"] else "已督导" if came else "计划",
        "overdue_days": cells["overdue_days"] if known["demands"] else 0,
    }


def totals(day: dt.date, chosen: QuerySet) -> chased.Totals:
    """Counted by what was demanded: planned visits and those that demanded nothing are only in the number of rows."""
    sums = chased.totals(day, chosen.filter(has_come=True).exclude(demands=""))
    return chased.dataclasses.replace(sums, count=chosen.count())


def spoken_totals(sums: chased.Totals) -> str:
    demanded = sums.open + sums.late + sums.answered + sums.closed
    return f"有交办意见的{demanded}次：整改中{sums.open}、逾期{sums.late}、待复查{sums.answered}、复查通过{sums.closed}"


def notes(chosen) -> list[str]:
    return ["与填报差＝现场进度－督导当日有效的周调度进度（百分点），负数表示现场低于填报。", "发现问题转入问题台账的，括号内为问题编号。"]
