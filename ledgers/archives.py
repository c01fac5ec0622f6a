"""工程档案台账: an archive item of a project a row."""

import dataclasses
import datetime as dt
from collections.abc import Iterable

import django_filters as filters
from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.urls import reverse

from ledgers import columns as c
from ledgers import of_projects
from ledgers.filters import LedgerFilter
from ledgers.tables import LedgerTable
from linfen_water import clock
from projects.archives import items_on, visible_items
from projects.models import Attachment
from projects.site_models import ArchiveItem


class CountColumn(c.IntegerColumn):
    is_summed = True

    def render(self, value, row):
        return c.MISSING if value is None else str(value)


class ArchiveTable(LedgerTable):
    """工程档案台账."""

    code = of_projects.UrlColumn("编号", sort="code", group="项目", width=9, css="pin pin-1 nowrap")
    name = of_projects.UrlColumn("项目名称", sort="v__name", group="项目", width=34, css="pin pin-2 name")
    county = c.LedgerColumn("县（市、区）", sort="v__county__position", group="项目", width=11, css="nowrap")
    group = c.LedgerColumn("类别", sort="entry__position", group="目录", width=10, css="nowrap")
    entry = c.LedgerColumn("目录项", sort="entry__position", group="目录", width=28, css="medium")
    required = CountColumn("应有", sort="required", group="份数", width=7)
    present = CountColumn("已有", sort="present", group="份数", width=7)
    missing = CountColumn("缺", sort="lacking", group="份数", is_computed=True, width=7)
    pages = CountColumn("页数", sort="pages", group="份数", width=8)
    checker_post = c.LedgerColumn("核对人", group="核对", width=14, css="nowrap")
    checked_on = c.DateColumn("核对日期", sort="checked_on", group="核对", width=11)
    missing_note = c.ClampedColumn("缺漏说明", group="核对", width=30, css="wide")
    attachments = c.ListColumn("附件", group="核对", width=24, css="medium")


class ArchiveFilter(of_projects.ProjectConditions, LedgerFilter):
    state = filters.ChoiceFilter(
        label="情况", choices=[("missing", "不齐"), ("complete", "齐全"), ("unchecked", "未核对")], method="standing", empty_label="全部"
    )
    entry = filters.CharFilter(label="目录项", field_name="entry__name", lookup_expr="icontains", max_length=60)

    def standing(self, queryset: QuerySet, name: str, state: str) -> QuerySet:
        if state == "unchecked":
            return queryset.filter(checked_on__isnull=True)
        return queryset.filter(lacking__gt=0) if state == "missing" else queryset.filter(lacking__lte=0)


def rows(day: dt.date, user=None) -> QuerySet:
    found = of_projects.of_listed(items_on(visible_items(user, clock.today()), day), day, user)
    return found.annotate(code=F("project__code"), lacking=F("required") - Coalesce(F("present"), 0)).order_by(
        "code", "entry__position", "pk"
    )


def read(day: dt.date, chosen: Iterable[int]) -> list[dict]:
    """The items with the keys `chosen`, in that order. Three queries for any number."""
    chosen = list(chosen)
    found = {row.pk: row for row in items_on(ArchiveItem.objects.filter(pk__in=chosen), day).select_related("entry")}
    names = of_projects.about(day, (row.project_id for row in found.values()))
    files: dict[int, list[str]] = {}
    for item, name in Attachment.objects.filter(archive_item__in=chosen, withdrawn_at=None).values_list("archive_item", "name"):
        files.setdefault(item, []).append(name)
    return [
        _row(found[pk], names[found[pk].project_id], files.get(pk, [])) for pk in chosen if pk in found and found[pk].project_id in names
    ]


def _row(row: ArchiveItem, about: dict, files: list[str]) -> dict:
    return about | {
        "code": about["project_code"],
        "url": reverse("archives", args=[about["project_code"]]),
        "group": row.entry.group,
        "entry": row.entry.name,
        "required": row.required,
        "present": row.present,
        "missing": max(0, row.required - (row.present or 0)),
        "pages": row.pages,
        "checker_post": row.checker_post,
        "checked_on": row.checked_on,
        "missing_note": row.missing_note,
        "attachments": files,
    }


@dataclasses.dataclass(frozen=True)
class Totals:
    count: int
    required: int
    present: int
    missing: int
    pages: int
    incomplete: int
    unchecked: int


def totals(day: dt.date, chosen: QuerySet) -> Totals:
    short = Q(lacking__gt=0)
    found = chosen.order_by().aggregate(
        n=Count("pk"),
        all_required=Sum("required"),
        all_present=Sum("present"),
        all_missing=Sum("lacking", filter=short),
        all_pages=Sum("pages"),
        incomplete=Count("pk", filter=short),
        unchecked=Count("pk", filter=Q(checked_on__isnull=True)),
    )
    return Totals(count=found.pop("n"), **{name.removeprefix("all_"): value or 0 for name, value in found.items()})


def spoken_totals(sums: Totals) -> str:
    share = c.one_decimal(100 * (sums.count - sums.incomplete) / sums.count) if sums.count else None
    rate = "—" if share is None else f"{share}%（{sums.count - sums.incomplete}/{sums.count}）"
    return f"不齐{sums.incomplete}项、未核对{sums.unchecked}项，齐全率 {rate}，共{sums.pages}页"


def notes(chosen) -> list[str]:
    return ["已有份数、页数以当日以前最后一次核对为准；已有超过应有的不抵别项。"]
