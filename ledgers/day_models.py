"""Lines that the office adds to the morning sheet of a day. Withdrawn, never deleted."""

from django.db import models

from linfen_water.models import User


class DayLine(models.Model):
    """One line of the office's own on the sheet of a day (碰头会材料)."""

    day = models.DateField("日期")
    text = models.CharField("内容", max_length=120)
    by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name="录入人")
    at = models.DateTimeField("录入时间", auto_now_add=True)
    withdrawn_at = models.DateTimeField("撤下时间", null=True, blank=True)
    withdrawn_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="撤下人")

    class Meta:
        ordering = ["day", "pk"]
        verbose_name = verbose_name_plural = "碰头会自拟事项"
        indexes = [models.Index(fields=["day"], condition=models.Q(withdrawn_at__isnull=True), name="standing_day_lines")]
