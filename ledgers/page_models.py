"""What people make of the ledgers: how they look at them (views), columns and further ledgers of the office's own."""

from django.db import models
from django.db.models import Q

from ledgers.enums import OwnKind
from linfen_water.models import User


class SavedView(models.Model):
    """A ledger as somebody looks at it (视图): its address under a name, for themselves or for everyone."""

    ledger = models.CharField("台账", max_length=40)  # slug
    name = models.CharField("名称", max_length=30)
    query = models.CharField("条件", max_length=2000, blank=True)  # of the address, without day and page
    owner = models.ForeignKey(User, models.CASCADE, related_name="+", verbose_name="建立人")
    is_shared = models.BooleanField("全办共享", default=False)
    is_default = models.BooleanField("打开台账时使用", default=False)  # by its owner; of a shared one by all who have none of their own
    at = models.DateTimeField("保存时间", auto_now=True)

    class Meta:
        ordering = ["-is_shared", "name"]
        verbose_name = verbose_name_plural = "台账视图"
        constraints = [
            models.UniqueConstraint(fields=["ledger", "owner", "name"], condition=Q(is_shared=False), name="one_own_view_a_name"),
            models.UniqueConstraint(fields=["ledger", "name"], condition=Q(is_shared=True), name="one_shared_view_a_name"),
            models.UniqueConstraint(fields=["ledger", "owner"], condition=Q(is_shared=False, is_default=True), name="one_own_default_view"),
            models.UniqueConstraint(fields=["ledger"], condition=Q(is_shared=True, is_default=True), name="one_shared_default_view"),
        ]

    def __str__(self):
        return self.name


class OwnLedger(models.Model):
    """A ledger that the office defined in the browser: rows of another one, narrowed, with columns of its choice."""

    slug = models.SlugField("地址", max_length=40, unique=True)
    title = models.CharField("名称", max_length=40)
    about = models.CharField("说明", max_length=120, blank=True)
    base = models.CharField("依据台账", max_length=40)  # slug of the ledger whose rows it shows
    columns = models.JSONField("列", default=list)  # names of the base's columns in order; empty: all
    query = models.CharField("条件", max_length=2000, blank=True)  # what the rows are narrowed by, as in the base's address
    grouping = models.CharField("分组", max_length=60, blank=True)
    edit_version = models.PositiveIntegerField("编辑版本", default=1)
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", verbose_name="建立人")
    at = models.DateTimeField("建立时间", auto_now_add=True)
    retired_at = models.DateTimeField("停用时间", null=True, blank=True)

    class Meta:
        ordering = ["pk"]
        verbose_name = verbose_name_plural = "自建台账"

    def __str__(self):
        return self.title


class OwnColumn(models.Model):
    """A column that the office added to a ledger (自设列)."""

    ledger = models.CharField("台账", max_length=40)
    label = models.CharField("列名", max_length=30)
    kind = models.CharField("类型", max_length=10, choices=OwnKind, default=OwnKind.TEXT)
    unit = models.CharField("单位", max_length=10, blank=True)
    choices = models.JSONField("可选值", default=list)
    note = models.CharField("填写说明", max_length=120, blank=True)
    counties_write = models.BooleanField("县区填写本县的", default=False)
    position = models.PositiveSmallIntegerField("次序", default=0)
    edit_version = models.PositiveIntegerField("编辑版本", default=1)
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", verbose_name="建立人")
    at = models.DateTimeField("建立时间", auto_now_add=True)
    retired_at = models.DateTimeField("停用时间", null=True, blank=True)

    class Meta:
        ordering = ["position", "pk"]
        verbose_name = verbose_name_plural = "自设列"
        constraints = [
            models.UniqueConstraint(fields=["ledger", "label"], condition=Q(retired_at__isnull=True), name="one_own_column_a_label")
        ]

    def __str__(self):
        return self.label

    @property
    def name(self) -> str:
        """How addresses and rows call it."""
        return f"own_{self.pk}"


class OwnValue(models.Model):
    """What an own column says of a row from a day on. Append-only: the last one up to a day counts, "" is nothing."""

    column = models.ForeignKey(OwnColumn, models.CASCADE, related_name="values", verbose_name="列")
    row = models.CharField("行", max_length=60)  # the row's key in its ledger
    on = models.DateField("生效日")
    text = models.CharField("值", max_length=500, blank=True)  # dates as 2025-02-20, numbers plain
    reason = models.CharField("理由", max_length=200, blank=True)
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", verbose_name="填写人")
    at = models.DateTimeField("填写时间", auto_now_add=True)

    class Meta:
        ordering = ["pk"]
        verbose_name = verbose_name_plural = "自设列的值"
        indexes = [models.Index(fields=["column", "row", "-id"], name="own_value_of_a_row")]
