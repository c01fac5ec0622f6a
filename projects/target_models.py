"""What the province says of a project and what a year must bring: dated facts beside the city's own."""

from django.db import models
from django.db.models import Q

from projects.record_base import STANDING, Record, percent, wan
from projects.record_enums import TargetKind


class ProvincialTerm(Record):
    """Category, limits and benefits as the province set them, in force from a day (省定内容)."""

    project = models.ForeignKey("projects.Project", models.CASCADE, related_name="provincial_terms", verbose_name="项目")
    effective_on = models.DateField("生效日")
    category = models.CharField("省类别", max_length=30, blank=True)
    start_by = models.DateField("省定开工时限", null=True, blank=True)
    finish_by = models.DateField("省定完工时限", null=True, blank=True)
    benefit = models.TextField("效益指标", blank=True)
    ground = models.CharField("依据", max_length=200)

    class Meta:
        ordering = ["project", "effective_on"]
        verbose_name = verbose_name_plural = "省定内容"
        constraints = [models.UniqueConstraint(fields=["project", "effective_on"], condition=STANDING, name="one_provincial_term_a_day")]


class ProvincialFigure(Record):
    """What the province's dispatch shows of a project on a day (省调度数), to be held against the city's ledger."""

    project = models.ForeignKey("projects.Project", models.CASCADE, related_name="provincial_figures", verbose_name="项目")
    on = models.DateField("省调度日")
    invested_wan = wan("省调度累计完成投资")
    ground = models.CharField("来源说明", max_length=200)

    class Meta:
        ordering = ["project", "on"]
        verbose_name = verbose_name_plural = "省调度数"
        constraints = [
            models.UniqueConstraint(fields=["project", "on"], condition=STANDING, name="one_provincial_figure_a_day"),
            models.CheckConstraint(condition=Q(invested_wan__gte=0), name="provincial_figure_not_negative"),
        ]


class AnnualTarget(Record):
    """What a project must reach in a year and how much it may spend (年度任务)."""

    project = models.ForeignKey("projects.Project", models.CASCADE, related_name="annual_targets", verbose_name="项目")
    year = models.PositiveSmallIntegerField("年度")
    kind = models.CharField("目标", max_length=10, choices=TargetKind)
    progress = percent("目标进度", null=True, blank=True)  # of kind PROGRESS
    text = models.CharField("年度目标", max_length=200)
    plan_wan = wan("年计划投资")
    set_on = models.DateField("下达日")

    class Meta:
        ordering = ["project", "year"]
        verbose_name = verbose_name_plural = "年度任务"
        constraints = [models.UniqueConstraint(fields=["project", "year"], condition=STANDING, name="one_annual_target_a_year")]


class Milestone(Record):
    """A node of a project's year (节点): name, limit, the post that answers for it, and when it was done."""

    project = models.ForeignKey("projects.Project", models.CASCADE, related_name="milestones", verbose_name="项目")
    name = models.CharField("节点", max_length=60)
    due_on = models.DateField("时限")
    responsible_post = models.CharField("责任人", max_length=30)  # a post, never a name
    done_on = models.DateField("完成日", null=True, blank=True)
    note = models.CharField("说明", max_length=200, blank=True)

    class Meta:
        ordering = ["project", "due_on", "pk"]
        verbose_name = verbose_name_plural = "节点"
        constraints = [models.UniqueConstraint(fields=["project", "name", "due_on"], condition=STANDING, name="one_milestone_a_name")]
