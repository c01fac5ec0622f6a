"""Columns and table of 断面水质台账."""

from html import escape

from django.urls import reverse

from ledgers import columns as c
from ledgers.rows import Rows
from ledgers.tables import LedgerTable
from ledgers.water import own_items
from monitoring import limits
from monitoring.enums import Change, WaterClass
from monitoring.templatetags.water_tags import change_mark, class_badge
from projects.works_water import ServingProject

COMMON_UNIT = "mg/L"


class SectionColumn(c.LedgerColumn):
    """The section, leading to its page."""

    def render(self, value, row):
        return f'<a href="{reverse("section", args=[row["row"].pk])}{row["suffix"]}">{escape(value)}</a>'


class TargetColumn(c.LedgerColumn):
    def render(self, value, row):
        return value.label if value else c.MISSING

    def value(self, value, row):
        return value.label if value else None


class ItemColumn(c.LedgerColumn):
    """The mean of one item, rounded for assessment; worse than Ⅲ is marked."""

    css = "number"

    def __init__(self, key: str, *, group: str):
        item = limits.table().items[key]
        unit = "" if item.unit in ("", COMMON_UNIT) or key == "ph" else f"（{item.unit}）"
        super().__init__(f"{limits.table().name(key)}{unit}", sort=key, group=group, width=8)
        self.key = key
        # Places of the mean, more where one significant digit was kept.
        self.number_format = f"0.{'0' * item.decimals}####" if item.decimals else "General"

    def render(self, value, row):
        if value is None:
            return c.MISSING
        return f'<strong class="over" title="超Ⅲ类标准">{value}</strong>' if self.key in row["row"].over_iii else str(value)


class ClassColumn(c.LedgerColumn):
    """The class as a badge; a section without one says why. The total row counts Ⅰ to Ⅲ."""

    is_summed = True

    def render(self, value, row):
        return class_badge(value, row["row"].note)

    def value(self, value, row):
        return WaterClass(value).label if value else None


class TargetMetColumn(c.LedgerColumn):
    is_summed = True
    WORDS = {True: "达标", False: "未达标"}
    CELLS = {True: c.badge("✓ 达标", "ok"), False: c.badge("✗ 未达标", "bad")}

    def render(self, value, row):
        return self.CELLS.get(value, c.MISSING)

    def value(self, value, row):
        return self.WORDS.get(value)


class PollutantsColumn(c.LedgerColumn):
    """氨氮(0.5)、总磷(0.1): items with their multiples."""

    def render(self, value, row):
        return escape(self.value(value, row) or "") or c.MISSING

    def value(self, value, row):
        return "、".join(map(str, value)) or None


class ChangeColumn(c.LedgerColumn):
    """The change of the rating since another period, with the classes of both. `before` names the class compared with."""

    def __init__(self, label: str, *, before: str, **kwargs):
        super().__init__(label, **kwargs)
        self.before = before

    def render(self, value, row):
        return c.MISSING if value is None else f"<i>{self.classes(row)}</i> {change_mark(value)}"

    def value(self, value, row):
        return None if value is None else f"{Change(value).label}（{self.classes(row)}）"

    def classes(self, row) -> str:
        return f"{getattr(row['row'], self.before).label}→{row['row'].water_class.label}"


LINKED = 3  # works that a cell names; it has place for no more


class WorksColumn(c.LedgerColumn):
    """The projects meant for the section: how many, the first of them as links; all with their stages in the tooltip."""

    def render(self, value, row):
        if not value:
            return c.MISSING
        first = [f'<a href="{c.project_url(work.code)}{row["suffix"]}">{escape(work.name)}</a>' for work in value[:LINKED]]
        words = "；".join([*first, "…"][: len(value)])
        return f'<p class=one title="{escape(self.value(value, row))}"><strong class="digits">{len(value)}</strong> {words}'

    def value(self, value: list[ServingProject], row):
        return f"{len(value)}个：" + "；".join(f"{work.code} {work.name}（{work.stage.label}）" for work in value) if value else None


class SectionTable(LedgerTable):
    """断面水质台账: one row is a section in a month."""

    details = ("level", "over_target", "published_on", "works")

    section = SectionColumn("断面", sort="place", group="断面", width=11, css="pin pin-1 nowrap")
    month = c.LedgerColumn("月份", sort="month", group="断面", width=9, css="date")
    river = c.LedgerColumn("河流", sort="river", group="断面", width=9, css="nowrap keep")
    county = c.LedgerColumn("县（市、区）", sort="county_code", group="断面", width=11, css="nowrap")
    level = c.LedgerColumn("级别", sort="level_place", group="断面", width=6, css="nowrap")
    target = TargetColumn("目标", sort="target", group="断面", width=6, css="nowrap")
    ph = ItemColumn("ph", group="五项")
    do = ItemColumn("do", group="五项")
    codmn = ItemColumn("codmn", group="五项")
    nh3n = ItemColumn("nh3n", group="五项")
    tp = ItemColumn("tp", group="五项")
    water_class = ClassColumn("类别", sort="water_class", group="评价", is_computed=True, width=12, css="nowrap")
    meets_target = TargetMetColumn("达标", sort="meets_target", group="评价", is_computed=True, width=10, css="nowrap")
    pollutants = PollutantsColumn("主要污染物（倍数）", group="评价", is_computed=True, width=34, css="medium")
    over_target = PollutantsColumn("对目标超标（倍数）", group="评价", is_computed=True, width=26)
    year_on_year = ChangeColumn(
        "同比", before="class_year_before", sort="year_on_year", group="变化", is_computed=True, width=20, css="nowrap"
    )
    month_on_month = ChangeColumn(
        "环比", before="class_before", sort="month_on_month", group="变化", is_computed=True, width=20, css="nowrap"
    )
    note = c.LedgerColumn("说明", group="来源", width=16, css="remark")
    published_on = c.DateColumn("发布日", sort="published_on", group="来源", width=11)
    works = WorksColumn("周边工程（服务本断面）", sort="works_count", group="工程", width=90, css="wide")


def columns(chosen: Rows) -> dict[str, c.LedgerColumn]:
    """All columns: after the five the items of the sections' own that the rows have."""
    found = dict(SectionTable.base_columns)
    names = list(found)
    after = names.index("tp") + 1
    own = {key: ItemColumn(key, group="X项") for key in own_items(chosen)}
    return {name: found[name] for name in names[:after]} | own | {name: found[name] for name in names[after:]}
