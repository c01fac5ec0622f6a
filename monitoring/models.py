"""What the water is: rivers, sections, what was measured and what it amounts to."""

import datetime as dt

from django.db import models
from django.db.models import F, OuterRef, Q, Subquery

from linfen_water.models import County
from monitoring.enums import Level, PeriodKind, ReadingKind, WaterBody, WaterClass


class River(models.Model):
    """A river of the region; its line (schematic) stays in the pack's rivers.geojson, keyed by name."""

    name = models.CharField("河流", max_length=30, unique=True)
    rank = models.PositiveSmallIntegerField("级", default=3)  # 1 the trunk (黄河), 2 the city's main river, 3 others
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, verbose_name="汇入")

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
    source = models.CharField("来源", max_length=120, blank=True)

    objects = SectionQuerySet.as_manager()

    class Meta:
        ordering = ["-level", "pk"]
        verbose_name = verbose_name_plural = "断面"

    def __str__(self):
        return self.name


class SectionTarget(models.Model):
    """The class that a section must reach in a year (考核目标)."""

    section = models.ForeignKey(Section, models.CASCADE, related_name="targets", verbose_name="断面")
    year = models.PositiveSmallIntegerField("年度")
    water_class = models.PositiveSmallIntegerField("目标", choices=WaterClass)

    class Meta:
        verbose_name = verbose_name_plural = "考核目标"
        constraints = [models.UniqueConstraint(fields=["section", "year"], name="one_target_a_year")]


class Reading(models.Model):
    """One measured value of one item (指标) at a section."""

    section = models.ForeignKey(Section, models.CASCADE, related_name="readings", verbose_name="断面")
    kind = models.CharField("方式", max_length=10, choices=ReadingKind, default=ReadingKind.MANUAL)
    sampled_at = models.DateTimeField("采样时间")
    parameter = models.CharField("指标", max_length=12)  # key of the limits table: ph, do, codmn, nh3n, tp …
    value = models.DecimalField("数值", max_digits=14, decimal_places=7, null=True)  # the item's unit; null = missing
    is_below_detection = models.BooleanField("低于检出限", default=False)  # then `value` is the detection limit
    source = models.CharField("来源", max_length=60)

    class Meta:
        verbose_name = verbose_name_plural = "监测数据"
        constraints = [models.UniqueConstraint(fields=["section", "kind", "sampled_at", "parameter"], name="one_value_an_item_and_time")]


class AssessmentQuerySet(models.QuerySet):
    def known_by(self, day: dt.date):
        """Assessments of periods that were over and published by `day`; only the latest revision of each is of use."""
        return self.filter(published_on__lte=day, ends_on__lte=day)

    def of_year(self, year: int, day: dt.date):
        """Each section's assessment of `year` as published by `day` (latest revision)."""
        newer = Assessment.objects.known_by(day).filter(
            section=OuterRef("section"), period_kind=PeriodKind.YEAR, starts_on=OuterRef("starts_on")
        )
        latest = Subquery(newer.order_by("-revision").values("pk")[:1])
        return self.filter(period_kind=PeriodKind.YEAR, starts_on=dt.date(year, 1, 1)).annotate(newest=latest).filter(pk=F("newest"))


class Assessment(models.Model):
    """What the readings of a section in a period amount to (评价). Computed, never typed."""

    section = models.ForeignKey(Section, models.CASCADE, related_name="assessments", verbose_name="断面")
    period_kind = models.CharField("周期", max_length=6, choices=PeriodKind)
    starts_on = models.DateField("起")
    ends_on = models.DateField("止")
    revision = models.PositiveSmallIntegerField("版次", default=1)
    water_class = models.PositiveSmallIntegerField("类别", choices=WaterClass, null=True)  # null: not assessed (未监测)
    values = models.JSONField("均值", default=dict)  # {item key: value as a string, rounded for assessment}
    items = models.JSONField("参评指标", default=list)
    deciding_items = models.JSONField("定类指标", default=list)
    main_pollutants = models.JSONField("主要污染物", default=list)  # [[item key, multiple against Ⅲ or null], …]
    published_on = models.DateField("发布日")
    source = models.CharField("来源", max_length=60)

    objects = AssessmentQuerySet.as_manager()

    class Meta:
        ordering = ["section", "starts_on"]
        verbose_name = verbose_name_plural = "水质评价"
        constraints = [
            models.UniqueConstraint(fields=["section", "period_kind", "starts_on", "revision"], name="one_assessment_a_revision"),
            models.CheckConstraint(condition=Q(ends_on__gte=F("starts_on")), name="assessment_ends_after_start"),
        ]
        indexes = [models.Index(fields=["section", "period_kind", "starts_on"])]
