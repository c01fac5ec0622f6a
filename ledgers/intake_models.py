"""What intake remembers: files that were taken in, what a person said a heading or a name means."""

from django.conf import settings
from django.db import models

from linfen_water.models import User


class IntakeFile(models.Model):
    """A table that was taken into a ledger (导入文件): kept under its hash, the source of the events that it caused."""

    ledger = models.CharField("台账", max_length=40)  # slug
    sha256 = models.CharField("文件摘要", max_length=64)
    name = models.CharField("文件名", max_length=120, blank=True)
    size = models.PositiveIntegerField("字节", default=0)
    reason = models.CharField("变更理由", max_length=200)
    rows = models.PositiveIntegerField("变更行数", default=0)
    cells = models.PositiveIntegerField("变更处数", default=0)
    left_out = models.PositiveIntegerField("未导入行数", default=0)  # rows handed back with remarks
    by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="导入人")
    at = models.DateTimeField("导入时间", auto_now_add=True)

    class Meta:
        ordering = ["-pk"]
        verbose_name = verbose_name_plural = "导入文件"
        indexes = [models.Index(fields=["ledger", "-id"], name="intake_files_of_a_ledger")]

    def __str__(self):
        return self.name or self.sha256[:12]

    @property
    def path(self):
        return settings.MEDIA_ROOT / "imports" / self.sha256


class HeadingMeaning(models.Model):
    """That a heading stands for a column of a ledger (列名对应), as somebody said; "-" = for none."""

    ledger = models.CharField("台账", max_length=40)
    heading = models.CharField("列名", max_length=80)  # as `heads.plain_heading` spells it
    column = models.CharField("对应列", max_length=40)
    by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="确认人")
    at = models.DateTimeField("确认时间", auto_now=True)

    class Meta:
        verbose_name = verbose_name_plural = "列名对应"
        constraints = [models.UniqueConstraint(fields=["ledger", "heading"], name="one_meaning_a_heading")]

    def __str__(self):
        return self.heading


class NameAlias(models.Model):
    """That a name written otherwise means one that is known (名称对应), as somebody confirmed."""

    kind = models.CharField("种类", max_length=10)  # unit, project
    text = models.CharField("写法", max_length=120)  # without blanks
    target = models.CharField("指", max_length=120)  # the full name
    by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="确认人")
    at = models.DateTimeField("确认时间", auto_now=True)

    class Meta:
        verbose_name = verbose_name_plural = "名称对应"
        constraints = [models.UniqueConstraint(fields=["kind", "text"], name="one_meaning_a_name")]

    def __str__(self):
        return self.text
