"""What is kept about a project on the spot and after its end: inspections, acceptance and effect, archives."""

from django.db import models
from django.db.models import Q

from linfen_water.models import Unit, User
from projects.enums import ProblemCategory
from projects.record_base import STANDING, Chased, Record, percent, wan
from projects.record_enums import AcceptanceKind


class Inspection(Chased):
    """A visit to a site (现场督导), from its plan to the check of what it demanded.

    `due_on` is the limit of what was demanded (整改时限), `answer` the unit's rectification, `closed_on` the day of the
    re-inspection (复查日) and `closing_basis` its result.
    """

    project = models.ForeignKey("projects.Project", models.CASCADE, related_name="inspections", verbose_name="项目")
    planned_on = models.DateField("计划日期")
    visited_on = models.DateField("督导日期", null=True, blank=True)
    leader_post = models.CharField("带队", max_length=30)  # a post, never a name
    units = models.ManyToManyField(Unit, blank=True, related_name="inspections", verbose_name="参加部门")
    experts = models.CharField("专家", max_length=100, blank=True)  # fields of work, not names
    content = models.TextField("检查内容", blank=True)
    site_progress = percent("现场进度", null=True, blank=True)
    demands = models.TextField("交办意见", blank=True)

    class Meta:
        ordering = ["-planned_on", "-pk"]
        verbose_name = verbose_name_plural = "现场督导"
        constraints = [
            models.CheckConstraint(
                condition=Q(site_progress__isnull=True) | Q(site_progress__gte=0, site_progress__lte=100), name="site_progress_is_percent"
            ),
        ]
        indexes = [models.Index(fields=["project", "visited_on"])]

    def __str__(self):
        return f"{self.visited_on or self.planned_on} 现场督导"


class InspectionFinding(Record):
    """What was found on a visit (发现问题); what cannot be put right at once is raised as a problem."""

    inspection = models.ForeignKey(Inspection, models.CASCADE, related_name="findings", verbose_name="现场督导")
    category = models.CharField("类别", max_length=14, choices=ProblemCategory)
    text = models.TextField("发现问题")
    problem = models.OneToOneField(
        "projects.Problem", models.SET_NULL, null=True, blank=True, related_name="finding", verbose_name="转入问题台账"
    )

    class Meta:
        ordering = ["inspection", "pk"]
        verbose_name = verbose_name_plural = "督导发现"


class AcceptanceFact(Record):
    """One step of acceptance and effect of a finished project, with day, document and words. One of a kind stands."""

    project = models.ForeignKey("projects.Project", models.CASCADE, related_name="acceptance_facts", verbose_name="项目")
    kind = models.CharField("事项", max_length=12, choices=AcceptanceKind)
    on = models.DateField("日期")
    doc_number = models.CharField("文号", max_length=60, blank=True)
    amount_wan = wan("决算金额", null=True, blank=True)
    text = models.TextField("内容", blank=True)

    class Meta:
        ordering = ["project", "kind", "-on", "-pk"]
        verbose_name = verbose_name_plural = "验收达效事项"
        constraints = [models.UniqueConstraint(fields=["project", "kind", "on"], condition=STANDING, name="one_acceptance_fact_a_day")]


class LoadReading(Record):
    """The load of a plant on a day of its trial run (运行负荷), in percent of its design, and whether its effluent met its limits."""

    project = models.ForeignKey("projects.Project", models.CASCADE, related_name="loads", verbose_name="项目")
    on = models.DateField("日期")
    load_percent = models.DecimalField("运行负荷", max_digits=5, decimal_places=1)
    is_effluent_ok = models.BooleanField("出水达标", null=True, blank=True)
    note = models.CharField("说明", max_length=200, blank=True)

    class Meta:
        ordering = ["project", "on"]
        verbose_name = verbose_name_plural = "运行负荷"
        constraints = [
            models.UniqueConstraint(fields=["project", "on"], condition=STANDING, name="one_load_a_day"),
            models.CheckConstraint(condition=Q(load_percent__gte=0, load_percent__lte=200), name="load_is_percent"),
        ]


class ArchiveEntry(Record):
    """One entry of the office's catalogue of archives (档案目录); every project keeps it unless it does not apply."""

    group = models.CharField("类别", max_length=20)
    name = models.CharField("目录项", max_length=60)
    required = models.PositiveSmallIntegerField("应有份数", default=1)
    position = models.PositiveSmallIntegerField("次序", default=0)

    class Meta:
        ordering = ["position", "pk"]
        verbose_name = verbose_name_plural = "档案目录"
        constraints = [models.UniqueConstraint(fields=["name"], condition=STANDING, name="one_archive_entry_a_name")]

    def __str__(self):
        return self.name


class ArchiveItem(Record):
    """An archive item of one project: how many pieces it must have (0: does not apply)."""

    project = models.ForeignKey("projects.Project", models.CASCADE, related_name="archive_items", verbose_name="项目")
    entry = models.ForeignKey(ArchiveEntry, models.PROTECT, related_name="items", verbose_name="目录项")
    required = models.PositiveSmallIntegerField("应有份数", default=1)

    class Meta:
        ordering = ["project", "entry__position", "pk"]
        verbose_name = verbose_name_plural = "档案"
        constraints = [models.UniqueConstraint(fields=["project", "entry"], condition=STANDING, name="one_archive_item_an_entry")]


class ArchiveCheck(models.Model):
    """What was found of an archive item on a day, checked item by item (核对). The last one speaks; the earlier ones stay."""

    item = models.ForeignKey(ArchiveItem, models.CASCADE, related_name="checks", verbose_name="档案")
    on = models.DateField("核对日期")
    present = models.PositiveSmallIntegerField("已有份数", default=0)
    pages = models.PositiveIntegerField("页数", null=True, blank=True)
    checker_post = models.CharField("核对人", max_length=30)  # a post, never a name
    missing_note = models.CharField("缺漏说明", max_length=200, blank=True)
    by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="登记人")
    at = models.DateTimeField("登记时间", auto_now_add=True)

    class Meta:
        ordering = ["item", "on", "pk"]
        verbose_name = verbose_name_plural = "档案核对"
        constraints = [models.UniqueConstraint(fields=["item", "on"], name="one_archive_check_a_day")]
