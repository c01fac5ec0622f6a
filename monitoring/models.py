"""What the water is: rivers, sections, what was measured and what it amounts to."""

import datetime as dt

from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from linfen_water.dates import add_months
from linfen_water.models import County, User
from monitoring.enums import (
    Cause,
    IntakeKind,
    Level,
    PeriodKind,
    ReadingFlag,
    StationState,
    WaterBody,
    WaterClass,
)
from monitoring.limits import FIVE


class River(models.Model):
    """A river of the region; its line (schematic) stays in the pack's rivers.geojson, keyed by name."""

    name = models.CharField("河流", max_length=30, unique=True)
    rank = models.PositiveSmallIntegerField("级", default=3)  # 1 the trunk (黄河), 2 the city's main river, 3 others
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, verbose_name="汇入")
    mouth_km = models.FloatField("汇入处里程", null=True, blank=True)  # km from the parent's source, along its schematic line

    class Meta:
        ordering = ["rank", "name"]
        verbose_name = verbose_name_plural = "河流"

    def __str__(self):
        return self.name


class SectionQuerySet(models.QuerySet):
    def in_force(self, day: dt.date):
        """Sections that are monitored on `day`."""
        return self.filter(
            Q(in_force_from__isnull=True) | Q(in_force_from__lte=day),
            Q(in_force_to__isnull=True) | Q(in_force_to__gt=day),
        )

    def national(self):
        return self.filter(level=Level.NATIONAL)

    def sampled_in(self, first_month: dt.date, last_month: dt.date):
        """Sections with laboratory values in the months (their first days, both counted), or a cause why there are none."""
        first = timezone.make_aware(dt.datetime.combine(first_month, dt.time()))
        end = timezone.make_aware(dt.datetime.combine(add_months(last_month, 1), dt.time()))
        sampled = Reading.objects.filter(section=OuterRef("pk"), is_live=True, sampled_at__gte=first, sampled_at__lt=end)
        explained = Interruption.objects.filter(section=OuterRef("pk"), month__gte=first_month, month__lte=last_month)
        return self.filter(Exists(sampled) | Exists(explained))


class Section(models.Model):
    """A monitoring section (断面)."""

    name = models.CharField("断面", max_length=30, unique=True)
    river = models.ForeignKey(River, models.PROTECT, verbose_name="河流")
    county = models.ForeignKey(County, models.PROTECT, verbose_name="责任县(市、区)")
    level = models.CharField("级别", max_length=12, choices=Level, default=Level.OTHER)
    water_body = models.CharField("水体", max_length=6, choices=WaterBody, default=WaterBody.RIVER)
    lon = models.FloatField("经度")  # WGS84 degrees
    lat = models.FloatField("纬度")
    coord_quality = models.CharField("点位精度", max_length=80, blank=True)
    x_items = models.JSONField("X项", default=list, blank=True)  # keys of the limits table beside the five
    order_along = models.FloatField("沿河次序", null=True, blank=True)  # km from the source along the schematic line
    in_force_from = models.DateField("启用日", null=True, blank=True)
    in_force_to = models.DateField("停用日", null=True, blank=True)
    replaced_by = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="replaces", verbose_name="由…接替")
    # What the national feed calls it; blank: the section's own name, the region's province (one name exists in two provinces).
    station_name = models.CharField("自动站名称", max_length=30, blank=True)
    station_province = models.CharField("自动站省份", max_length=20, blank=True)
    edited_at = models.DateTimeField("修改时间", null=True, blank=True)  # by the office: from then on the pack leaves the row alone
    source = models.CharField("来源", max_length=120, blank=True)

    objects = SectionQuerySet.as_manager()

    class Meta:
        ordering = ["-level", "pk"]
        verbose_name = verbose_name_plural = "断面"

    def __str__(self):
        return self.name

    def is_in_force(self, day: dt.date) -> bool:
        """Twin of `SectionQuerySet.in_force`."""
        return (self.in_force_from is None or self.in_force_from <= day) and (self.in_force_to is None or self.in_force_to > day)

    @property
    def due_items(self) -> tuple[str, ...]:
        """Keys of the items that its class stands on: the five, then its own X ("5+X")."""
        return (*FIVE, *(key for key in self.x_items if key not in FIVE))


class SectionTarget(models.Model):
    """The class that a section must reach in a year (考核目标)."""

    section = models.ForeignKey(Section, models.CASCADE, related_name="targets", verbose_name="断面")
    year = models.PositiveSmallIntegerField("年度")
    water_class = models.PositiveSmallIntegerField("目标", choices=WaterClass)

    class Meta:
        verbose_name = verbose_name_plural = "考核目标"
        constraints = [models.UniqueConstraint(fields=["section", "year"], name="one_target_a_year")]


class Intake(models.Model):
    """One way in for many values (来源批次): who brought which file or page, when, and how much of it was taken."""

    kind = models.CharField("方式", max_length=10, choices=IntakeKind)
    name = models.CharField("文件或地址", max_length=200, blank=True)
    digest = models.CharField("SHA-256", max_length=64, blank=True)
    counts = models.JSONField("计数", default=dict)  # {"taken": 9, "same": 0, "revised": 1, "skipped": 3400, "refused": 0}
    by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="录入人")
    at = models.DateTimeField("录入时间", auto_now_add=True)

    class Meta:
        ordering = ["-pk"]
        verbose_name = verbose_name_plural = "来源批次"

    def __str__(self):
        return f"{self.get_kind_display()} {self.name}".strip()


class Reading(models.Model):
    """One laboratory value of one item (指标) of one manual sample. A revision is a new row; one of them is live."""

    section = models.ForeignKey(Section, models.CASCADE, related_name="readings", verbose_name="断面")
    sampled_at = models.DateTimeField("采样时间")
    parameter = models.CharField("指标", max_length=12)  # key of the limits table: ph, do, codmn, nh3n, tp …
    value = models.DecimalField("数值", max_digits=14, decimal_places=7, null=True)  # the item's unit; null = missing (缺测)
    is_below_detection = models.BooleanField("低于检出限", default=False)  # then `value` is the detection limit
    flag = models.CharField("实验室标记", max_length=14, choices=ReadingFlag, blank=True, default=ReadingFlag.VALID)
    revision = models.PositiveSmallIntegerField("版次", default=1)
    is_live = models.BooleanField("有效", default=True)
    reason = models.CharField("更正理由", max_length=200, blank=True)  # why it took the place of the revision before
    source = models.CharField("来源", max_length=60)  # the laboratory or monitoring station; 演示数据
    intake = models.ForeignKey(Intake, models.PROTECT, null=True, related_name="readings", verbose_name="来源批次")
    place = models.CharField("出处", max_length=60, blank=True)  # where in the file: 第4行“氨氮”

    class Meta:
        verbose_name = verbose_name_plural = "监测数据"
        constraints = [
            models.UniqueConstraint(
                fields=["section", "sampled_at", "parameter"], condition=Q(is_live=True), name="one_live_value_an_item_and_time"
            ),
            models.UniqueConstraint(fields=["section", "sampled_at", "parameter", "revision"], name="one_value_a_revision"),
            models.CheckConstraint(
                condition=Q(revision=1) | ~Q(reason=""),
                name="reading_revised_with_reason",
                violation_error_message="更正监测数据须写明理由。",
            ),
        ]


class StationRecord(models.Model):
    """One run of an automatic station (自动站, every 4 hours), all its items in one row: a year of 100 stations is 219,000 rows.

    `values` are as published, never rounded by us; `flags` says why a cell has none; an item that is in neither is not
    monitored. The feed's own class stands beside ours, which is judged on the values as they are: neither is the
    national assessment's result.
    """

    # Without an index of its own: both unique ones begin with it, and PostgreSQL would read by the poorer one.
    section = models.ForeignKey(Section, models.CASCADE, related_name="station_records", db_index=False, verbose_name="断面")
    at = models.DateTimeField("监测时间")
    values = models.JSONField("数值", default=dict)  # {item key: value as text, in the item's unit}
    flags = models.JSONField("缺测原因", default=dict)  # {item key: CellFlag}
    state = models.CharField("站点情况", max_length=12, choices=StationState, default=StationState.NORMAL)
    feed_class = models.PositiveSmallIntegerField("发布类别", choices=WaterClass, null=True, blank=True)
    water_class = models.PositiveSmallIntegerField("本系统类别", choices=WaterClass, null=True, blank=True)
    revision = models.PositiveSmallIntegerField("版次", default=1)
    is_live = models.BooleanField("有效", default=True)
    intake = models.ForeignKey(Intake, models.PROTECT, null=True, related_name="station_records", verbose_name="来源批次")

    class Meta:
        verbose_name = verbose_name_plural = "自动站数据"
        constraints = [
            models.UniqueConstraint(fields=["section", "at"], condition=Q(is_live=True), name="one_live_record_a_run"),
            models.UniqueConstraint(fields=["section", "at", "revision"], name="one_record_a_revision"),
        ]


class Interruption(models.Model):
    """That a section could not be sampled in a month, and why (断流, 结冰, 停站): it is not evaluated then."""

    section = models.ForeignKey(Section, models.CASCADE, related_name="interruptions", verbose_name="断面")
    month = models.DateField("月份")  # its first day
    cause = models.CharField("原因", max_length=10, choices=Cause)
    note = models.CharField("说明", max_length=200, blank=True)
    intake = models.ForeignKey(Intake, models.PROTECT, null=True, related_name="interruptions", verbose_name="来源批次")

    class Meta:
        ordering = ["section", "month"]
        verbose_name = verbose_name_plural = "未监测说明"
        constraints = [models.UniqueConstraint(fields=["section", "month"], name="one_cause_a_month")]


class AssessmentQuerySet(models.QuerySet):
    def known_by(self, day: dt.date):
        """Assessments of periods that were over and published by `day`; only the latest revision of each is of use."""
        return self.filter(published_on__lte=day, ends_on__lte=day)

    def standing(self, day: dt.date):
        """The latest revision known by `day` of each section and period."""
        same = {name: OuterRef(name) for name in ("section", "period_kind", "starts_on", "ends_on")}
        newer = Assessment.objects.known_by(day).filter(**same, revision__gt=OuterRef("revision"))
        return self.known_by(day).filter(~Exists(newer))

    def of_year(self, year: int, day: dt.date):
        """Each section's assessment of `year` as published by `day` (latest revision)."""
        return self.standing(day).filter(period_kind=PeriodKind.YEAR, starts_on=dt.date(year, 1, 1))


class Assessment(models.Model):
    """What the readings of a section in a period amount to (评价). Computed, never typed."""

    section = models.ForeignKey(Section, models.CASCADE, related_name="assessments", verbose_name="断面")
    period_kind = models.CharField("周期", max_length=8, choices=PeriodKind)
    starts_on = models.DateField("起")
    ends_on = models.DateField("止")
    revision = models.PositiveSmallIntegerField("版次", default=1)
    water_class = models.PositiveSmallIntegerField("类别", choices=WaterClass, null=True)  # null: not assessed (未监测)
    values = models.JSONField("均值", default=dict)  # {item key: value as a string, rounded for assessment}
    items = models.JSONField("参评指标", default=list)
    deciding_items = models.JSONField("定类指标", default=list)
    main_pollutants = models.JSONField("主要污染物", default=list)  # [[item key, multiple against Ⅲ or null], …]
    note = models.CharField("说明", max_length=120, blank=True)  # why there is no class: 断流, 氨氮缺测, 只有6个月
    limits_version = models.CharField("标准版本", max_length=40, blank=True)  # file and hash of the limits it was judged by
    published_on = models.DateField("发布日")
    source = models.CharField("来源", max_length=60)

    objects = AssessmentQuerySet.as_manager()

    class Meta:
        ordering = ["section", "starts_on"]
        verbose_name = verbose_name_plural = "水质评价"
        constraints = [
            models.UniqueConstraint(
                fields=["section", "period_kind", "starts_on", "ends_on", "revision"], name="one_assessment_a_revision"
            ),
            models.CheckConstraint(condition=Q(ends_on__gte=F("starts_on")), name="assessment_ends_after_start"),
        ]
        indexes = [models.Index(fields=["section", "period_kind", "starts_on"]), models.Index(fields=["period_kind", "starts_on"])]


class AirPeriod(models.Model):
    """A period of the air ranking (环境空气质量排名) as the bureau published it: 1月, 1-1月, 2024年10月以来 …"""

    starts_on = models.DateField("起")
    ends_on = models.DateField("止")
    label = models.CharField("时段", max_length=40)
    notes = models.TextField("注", blank=True)  # printed below the table, one a line
    published_on = models.DateField("发布日")
    source = models.CharField("来源", max_length=120)
    intake = models.ForeignKey(Intake, models.PROTECT, null=True, related_name="air_periods", verbose_name="来源批次")

    class Meta:
        ordering = ["-ends_on", "-starts_on"]
        verbose_name = verbose_name_plural = "空气质量时段"
        constraints = [
            models.UniqueConstraint(fields=["starts_on", "ends_on"], name="one_air_period"),
            models.CheckConstraint(
                condition=Q(ends_on__gte=F("starts_on")), name="air_period_ends_after_start", violation_error_message="止日不能早于起日。"
            ),
        ]

    def __str__(self):
        return self.label


class AirResult(models.Model):
    """The air of one county in one period; ranks are computed (`standards/air_ranking.py`), never typed."""

    period = models.ForeignKey(AirPeriod, models.CASCADE, related_name="results", verbose_name="时段")
    county = models.ForeignKey(County, models.PROTECT, verbose_name="县(市、区)")
    composite_index = models.DecimalField("综合指数", max_digits=6, decimal_places=3, null=True, blank=True)
    composite_change = models.DecimalField("综合指数同比变化率", max_digits=6, decimal_places=1, null=True, blank=True)  # percent
    pm25 = models.DecimalField("PM2.5", max_digits=6, decimal_places=1, null=True, blank=True)  # μg/m³
    pm25_change = models.DecimalField("PM2.5同比变化率", max_digits=6, decimal_places=1, null=True, blank=True)  # percent

    class Meta:
        ordering = ["period", "county__position"]
        verbose_name = verbose_name_plural = "空气质量"
        constraints = [models.UniqueConstraint(fields=["period", "county"], name="one_air_result_a_county")]
