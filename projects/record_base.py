"""What every row that people keep by hand has in common: who wrote it, its edit version, and that it is withdrawn, never deleted."""

from django.db import models
from django.db.models import Q

from linfen_water.models import User


def wan(label: str, **kwargs) -> models.DecimalField:
    """A field of money in 万元, two decimals."""
    return models.DecimalField(label, max_digits=14, decimal_places=2, **kwargs)


def percent(label: str, **kwargs) -> models.DecimalField:
    return models.DecimalField(label, max_digits=5, decimal_places=2, **kwargs)


class RecordQuerySet(models.QuerySet):
    def standing(self):
        """Rows that were not withdrawn: what was withdrawn never held, on no day."""
        return self.filter(withdrawn_at__isnull=True)


class Record(models.Model):
    """A row that `projects.records` writes: added, edited with an optimistic lock, withdrawn with a reason."""

    edit_version = models.PositiveIntegerField("编辑版本", default=1)
    by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="登记人")
    at = models.DateTimeField("登记时间", auto_now_add=True)
    withdrawn_at = models.DateTimeField("撤销时间", null=True, blank=True)
    withdrawn_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="撤销人")
    withdrawn_reason = models.CharField("撤销理由", max_length=200, blank=True)

    objects = RecordQuerySet.as_manager()

    class Meta:
        abstract = True


class Chased(Record):
    """Something that a unit must have done by a day: answered by the unit, checked and closed by who asked for it."""

    due_on = models.DateField("时限", null=True, blank=True)
    answered_on = models.DateField("反馈日", null=True, blank=True)
    answer = models.TextField("反馈内容", blank=True)
    closed_on = models.DateField("办结日", null=True, blank=True)
    closing_basis = models.CharField("办结依据", max_length=200, blank=True)

    class Meta:
        abstract = True


STANDING = Q(withdrawn_at__isnull=True)
