"""A measure of pressure as a case: joint supervision, a talk, listed supervision, the file for accountability."""

from django.db import models

from ledgers.enums import CaseKind
from linfen_water.models import Unit
from projects.models import Project
from projects.record_base import Chased


class Case(Chased):
    """One measure against one unit, from its opening to its close-out (督办事项).

    `due_on` is the day by which the unit reports, `answer` its report, `closing_basis` why the case was closed.
    """

    kind = models.CharField("种类", max_length=16, choices=CaseKind)
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="cases", verbose_name="责任单位")
    opened_on = models.DateField("日期")
    with_units = models.ManyToManyField(Unit, blank=True, related_name="+", verbose_name="联合部门")
    projects = models.ManyToManyField(Project, blank=True, related_name="cases", verbose_name="涉及项目")
    ground = models.TextField("事由和依据")
    notice = models.ForeignKey("ledgers.Document", models.SET_NULL, null=True, blank=True, related_name="+", verbose_name="通知文书")
    minutes = models.TextField("谈话（督查）纪要", blank=True)
    conditions = models.TextField("承诺措施、摘牌条件", blank=True)

    class Meta:
        ordering = ["-opened_on", "-pk"]
        verbose_name = verbose_name_plural = "督办事项"
        indexes = [models.Index(fields=["unit", "opened_on"])]

    def __str__(self):
        return f"{self.opened_on} {self.get_kind_display()}"
