"""What is being built: projects and their dated facts. Facts only; what they amount to is computed (`rules.py`)."""

import datetime as dt
import uuid
from decimal import Decimal
from pathlib import Path

from django.db import models
from django.db.models import F, FilteredRelation, FloatField, OuterRef, Q, Subquery
from django.db.models.functions import Cast

from linfen_water import clock
from linfen_water.dates import monday
from linfen_water.enums import Role
from linfen_water.models import County, Domain, Unit, User
from linfen_water.pinyin import spelled
from monitoring.models import Section
from projects import site_models, stop_models, target_models  # noqa: F401 - so that Django finds them
from projects.enums import (
    DispatchState,
    HelpLevel,
    Nature,
    PermitKind,
    ProblemCategory,
    Provenance,
    SourceKind,
    StageEvent,
)
from projects.expressions import planned_on, stage_on
from projects.record_base import wan


def photo_path(instance, filename: str) -> str:
    """Where a photo is kept: a random name under its project, never the one that was sent."""
    return f"photos/{instance.project_id}/{uuid.uuid4().hex}.jpg"


def attachment_path(instance, filename: str) -> str:
    return f"attachments/{instance.project_id}/{uuid.uuid4().hex}{Path(filename).suffix.lower()[:6]}"


# What a dispatch says that lists and ledgers show.
SAID = (
    "physical_progress",
    "in_place_wan",
    "allocated_wan",
    "paid_wan",
    "invested_wan",
    "week_of",
    "forecast_start_on",
    "forecast_finish_on",
)


class SpellingField(models.TextField):
    """How another field of the row is typed by pinyin and initials, written with it (also in bulk): lists of any length search it."""

    def __init__(self, *args, of: str = "", **kwargs):
        self.of = of
        super().__init__(*args, **kwargs)

    def deconstruct(self):
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, kwargs | {"of": self.of}

    def pre_save(self, instance, add):
        setattr(instance, self.attname, spelled(getattr(instance, self.of)))
        return getattr(instance, self.attname)


class ProjectQuerySet(models.QuerySet):
    def as_of(self, day: dt.date):
        """Projects on the list on `day`, with what was true then.

        Annotates `v` (the version in force: use `v__name`, `v__county` … in values() and filter()) and `stage`.
        """
        in_force = Q(versions__effective_from__lte=day) & (Q(versions__effective_to__isnull=True) | Q(versions__effective_to__gt=day))
        return (
            self.filter(Q(delisted_on__isnull=True) | Q(delisted_on__gt=day), listed_on__lte=day)
            .annotate(v=FilteredRelation("versions", condition=in_force))
            .filter(v__isnull=False)
            .annotate(stage=stage_on(day))
        )

    def with_dispatch(self, day: dt.date):
        """Annotate `dispatch_id`: the last dispatch that speaks for a day up to `day`, None when none does."""
        last = Dispatch.objects.speaking(day).filter(project=OuterRef("pk")).order_by("-week_of").values("pk")
        return self.annotate(dispatch_id=Subquery(last[:1]))

    def with_progress(self, day: dt.date):
        """Annotate what the last dispatch says (`physical_progress`, `*_wan`), `planned_progress` and `lag`, after `as_of`.

        For pages that sort or filter by these; `facts.project_facts` reads whole regions in fewer steps.
        """
        last = Dispatch.objects.speaking(day).filter(project=OuterRef("pk")).order_by("-week_of")
        said = {name: Subquery(last.values(name)[:1]) for name in SAID}
        qs = self.annotate(**said, planned_progress=planned_on(day, MonthlyPlan.objects))
        return qs.annotate(lag=F("planned_progress") - Cast("physical_progress", FloatField()))

    def visible_to(self, user, *, counties_read_others: bool = False):
        """Rows that `user` may read: a county its own (also those that lie in it), everyone else all."""
        if user.role != Role.COUNTY or counties_read_others:
            return self
        county = user.unit.county_id
        own = ProjectVersion.objects.filter(effective_to__isnull=True, county=county).values("project")
        also = Project.also_in.through.objects.filter(county=county).values("project")
        return self.filter(Q(pk__in=own) | Q(pk__in=also))

    def dispatched_by(self, user):
        """Rows whose dispatch `user` may write: a county its own, the office all, others none."""
        if user.role == Role.OFFICE:
            return self
        if user.role != Role.COUNTY:
            return self.none()
        own = ProjectVersion.objects.filter(effective_to__isnull=True, county=user.unit.county_id).values("project")
        return self.filter(pk__in=own)


class Project(models.Model):
    """A project (工程项目). What may change with a reason lies in its versions; its stage follows from two dates."""

    code = models.CharField("编号", max_length=12, unique=True)  # LF-001: the key
    number = models.PositiveSmallIntegerField("省定序号", null=True, blank=True)
    domain = models.ForeignKey(Domain, models.PROTECT, verbose_name="领域")
    is_domain_inferred = models.BooleanField("领域为推定", default=False)
    also_in = models.ManyToManyField(County, blank=True, related_name="shared_projects", verbose_name="涉及县(市、区)")
    nature = models.CharField("建设性质", max_length=12, choices=Nature, default=Nature.NEW)
    scale = models.TextField("建设规模及主要内容", blank=True)
    lon = models.FloatField("经度", null=True, blank=True)  # WGS84 degrees
    lat = models.FloatField("纬度", null=True, blank=True)
    location_quality = models.CharField("点位精度", max_length=60, blank=True)
    sections = models.ManyToManyField(Section, blank=True, related_name="projects", verbose_name="服务断面")
    listed_on = models.DateField("列入日")
    delisted_on = models.DateField("调出日", null=True, blank=True)
    delisted_reason = models.CharField("调出理由", max_length=200, blank=True)
    successor = models.ForeignKey("self", models.PROTECT, null=True, blank=True, verbose_name="并入/拆分为")
    # Kept by services.settle_stage from the stage facts that stand; nothing else writes them.
    started_on = models.DateField("实际开工", null=True, blank=True)
    completed_on = models.DateField("实际完工", null=True, blank=True)
    provenance = models.CharField("数据性质", max_length=10, choices=Provenance, default=Provenance.OWN)
    source = models.CharField("来源", max_length=250, blank=True)
    note = models.CharField("备注", max_length=250, blank=True)

    objects = ProjectQuerySet.as_manager()

    class Meta:
        ordering = ["number", "code"]
        verbose_name = verbose_name_plural = "工程项目"
        constraints = [
            models.CheckConstraint(
                condition=Q(completed_on__isnull=True) | Q(started_on__isnull=False, completed_on__gte=F("started_on")),
                name="project_completed_after_started",
                violation_error_message="完工日期不能早于开工日期，且须先有开工日期。",
            ),
            models.CheckConstraint(
                condition=Q(delisted_on__isnull=True) | ~Q(delisted_reason=""),
                name="project_delisted_with_reason",
                violation_error_message="调出清单须写明理由。",
            ),
        ]
        indexes = [models.Index(fields=["number"]), models.Index(fields=["listed_on"])]

    def __str__(self):
        return self.code


class ProjectVersion(models.Model):
    """Name, county, units, total investment and baseline of a project, in force from a day, with the reason."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="versions", verbose_name="项目")
    effective_from = models.DateField("生效日")
    effective_to = models.DateField("失效日", null=True, blank=True)  # exclusive; null = in force; set by services.revise
    name = models.CharField("项目名称", max_length=120)
    county = models.ForeignKey(County, models.PROTECT, verbose_name="县(市、区)")
    lead_unit = models.ForeignKey(Unit, models.PROTECT, related_name="led_versions", verbose_name="牵头部门")
    responsible_unit = models.ForeignKey(Unit, models.PROTECT, related_name="responsible_versions", verbose_name="责任单位")
    owner = models.CharField("项目业主", max_length=60, blank=True)
    sponsor_post = models.CharField("包联领导", max_length=30, blank=True)  # a post, never a name, in the demo
    total_investment_wan = wan("总投资")
    baseline_start_on = models.DateField("基线开工")
    baseline_finish_on = models.DateField("基线完工")
    reason = models.CharField("变更理由", max_length=200)
    by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, verbose_name="录入人")
    recorded_at = models.DateTimeField("录入时间", auto_now_add=True)
    spelling = SpellingField("名称的拼写", of="name", blank=True, default="", editable=False)

    class Meta:
        ordering = ["project", "effective_from"]
        verbose_name = verbose_name_plural = "项目基本信息"
        constraints = [
            models.UniqueConstraint(fields=["project", "effective_from"], name="one_version_a_day"),
            models.UniqueConstraint(fields=["project"], condition=Q(effective_to__isnull=True), name="one_version_in_force"),
            models.CheckConstraint(
                condition=Q(baseline_finish_on__gte=F("baseline_start_on")),
                name="baseline_finish_after_start",
                violation_error_message="基线完工日期不能早于基线开工日期。",
            ),
            models.CheckConstraint(condition=Q(total_investment_wan__gte=0), name="investment_not_negative"),
        ]
        indexes = [models.Index(fields=["county", "effective_to"])]


class StageFact(models.Model):
    """That a project started or was completed on a day, and on what ground. Withdrawn, never deleted."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="stage_facts", verbose_name="项目")
    event = models.CharField("事项", max_length=10, choices=StageEvent)
    on = models.DateField("日期")
    ground = models.CharField("依据", max_length=120)  # 周调度, 竣工验收, 现场核查 …
    dispatch = models.ForeignKey("Dispatch", models.CASCADE, null=True, blank=True, related_name="stage_facts", verbose_name="周调度")
    by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="录入人")
    at = models.DateTimeField("录入时间", auto_now_add=True)
    withdrawn_at = models.DateTimeField("撤销时间", null=True, blank=True)
    withdrawn_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="撤销人")
    withdrawn_reason = models.CharField("撤销理由", max_length=200, blank=True)

    class Meta:
        ordering = ["project", "on"]
        verbose_name = verbose_name_plural = "开工完工记录"
        constraints = [
            models.UniqueConstraint(fields=["project", "event"], condition=Q(withdrawn_at__isnull=True), name="one_standing_fact_an_event")
        ]


class ReportingWeek(models.Model):
    """Times of one week that the office set otherwise than the policy says (填报周): a holiday, an urgent dispatch.

    A week without a row follows the policy (`weeks.py`); a row is announced ahead and changes only with a reason.
    """

    week_of = models.DateField("周次", unique=True)  # its Monday
    opens_at = models.DateTimeField("开放时间")
    deadline_at = models.DateTimeField("截止时间")  # its day is the day that the week's dispatches speak for
    locks_at = models.DateTimeField("锁定时间")  # from then on a correction needs a reason and is marked
    reason = models.CharField("调整理由", max_length=200)
    by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="设定人")
    at = models.DateTimeField("设定时间", auto_now=True)

    class Meta:
        ordering = ["-week_of"]
        verbose_name = verbose_name_plural = "填报周"
        constraints = [
            models.CheckConstraint(
                condition=Q(opens_at__lt=F("deadline_at"), deadline_at__lte=F("locks_at")),
                name="week_opens_closes_locks",
                violation_error_message="须先开放、后截止，锁定不早于截止。",
            )
        ]


class MonthlyPlan(models.Model):
    """What a project should have reached at a month's end (月进展计划)."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="plans", verbose_name="项目")
    month = models.DateField("月份")  # its first day
    planned_progress = models.DecimalField("计划累计进度", max_digits=5, decimal_places=2)  # percent, cumulative
    planned_invested_wan = wan("计划累计完成投资", null=True, blank=True)

    class Meta:
        ordering = ["project", "month"]
        verbose_name = verbose_name_plural = "月进展计划"
        constraints = [
            models.UniqueConstraint(fields=["project", "month"], name="one_plan_a_month"),
            models.CheckConstraint(condition=Q(planned_progress__gte=0, planned_progress__lte=100), name="planned_progress_is_percent"),
        ]


class FundingSource(models.Model):
    """One source of a project's money (资金来源)."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="funding", verbose_name="项目")
    kind = models.CharField("来源", max_length=14, choices=SourceKind)
    planned_wan = wan("计划额")
    issued_wan = wan("下达额", null=True, blank=True)
    issued_doc = models.CharField("下达文号", max_length=60, blank=True)
    issued_on = models.DateField("下达日期", null=True, blank=True)
    position = models.PositiveSmallIntegerField("次序", default=0)
    opened_on = models.DateField("启用日", null=True, blank=True)  # null: since the project is on the list
    closed_on = models.DateField("关闭日", null=True, blank=True)  # from this day on it gives nothing more
    closed_reason = models.CharField("关闭理由", max_length=200, blank=True)
    edit_version = models.PositiveIntegerField("编辑版本", default=1)  # optimistic lock

    class Meta:
        ordering = ["project", "position", "pk"]
        verbose_name = verbose_name_plural = "资金来源"
        constraints = [
            models.UniqueConstraint(fields=["project", "kind"], name="one_line_a_source"),
            models.CheckConstraint(condition=Q(planned_wan__gte=0), name="planned_not_negative"),
            models.CheckConstraint(condition=Q(closed_on__isnull=True) | ~Q(closed_reason=""), name="source_closed_with_reason"),
        ]


class FundingRevision(models.Model):
    """A change of what a source was planned to give, from a day on, with the reason. Before it `before_wan` was planned."""

    source = models.ForeignKey(FundingSource, models.CASCADE, related_name="revisions", verbose_name="资金来源")
    effective_from = models.DateField("生效日")
    before_wan = wan("原计划额")
    planned_wan = wan("计划额")
    reason = models.CharField("调整理由", max_length=200)
    by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="录入人")
    at = models.DateTimeField("录入时间", auto_now_add=True)

    class Meta:
        ordering = ["source", "effective_from"]
        verbose_name = verbose_name_plural = "计划额调整"
        constraints = [
            models.UniqueConstraint(fields=["source", "effective_from"], name="one_revision_a_day"),
            models.CheckConstraint(condition=Q(planned_wan__gte=0, before_wan__gte=0), name="revision_not_negative"),
        ]


class FundingPaper(models.Model):
    """One paper by which money of a source was issued (下达文件). Withdrawn, never deleted; the source keeps their sum."""

    source = models.ForeignKey(FundingSource, models.CASCADE, related_name="papers", verbose_name="资金来源")
    doc_number = models.CharField("下达文号", max_length=60)
    issued_on = models.DateField("下达日期")
    amount_wan = wan("下达额")  # less than 0: money taken back
    note = models.CharField("说明", max_length=200, blank=True)
    by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="登记人")
    at = models.DateTimeField("登记时间", auto_now_add=True)
    withdrawn_at = models.DateTimeField("撤销时间", null=True, blank=True)
    withdrawn_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="撤销人")
    withdrawn_reason = models.CharField("撤销理由", max_length=200, blank=True)

    class Meta:
        ordering = ["source", "issued_on", "pk"]
        verbose_name = verbose_name_plural = "下达文件"
        constraints = [
            models.UniqueConstraint(fields=["source", "doc_number"], condition=Q(withdrawn_at__isnull=True), name="one_paper_a_number"),
            models.CheckConstraint(condition=~Q(amount_wan=0), name="paper_of_some_money", violation_error_message="下达额不能为零。"),
        ]


def speaking_horizon(day: dt.date, today: dt.date) -> dt.date:
    """The last cut-off that counts as of `day`: its own, and on the present day that of this week."""
    return day if day < today else monday(day) + dt.timedelta(days=6)


class DispatchQuerySet(models.QuerySet):
    def speaking(self, day: dt.date):
        """Dispatches that count as of `day`: live, with a cut-off up to then.

        A dispatch speaks for its cut-off day, never earlier; today's view also takes in what was already submitted
        for this week, since a submitted dispatch counts at once.
        """
        return self.filter(is_live=True, cut_off_on__lte=speaking_horizon(day, clock.today()))


class Dispatch(models.Model):
    """What a unit reports of a project for a week (周调度), one row per revision, one live per project and week."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="dispatches", verbose_name="项目")
    week_of = models.DateField("周次")  # its Monday
    revision = models.PositiveSmallIntegerField("版次", default=1)
    state = models.CharField("状态", max_length=10, choices=DispatchState, default=DispatchState.DRAFT)
    is_live = models.BooleanField("有效", default=False)  # submitted or accepted, and not superseded
    cut_off_on = models.DateField("截止日")
    physical_progress = models.DecimalField("总体进度", max_digits=5, decimal_places=2, null=True, blank=True)  # percent
    started_on = models.DateField("实际开工", null=True, blank=True)  # as reported in this week
    completed_on = models.DateField("实际完工", null=True, blank=True)
    forecast_start_on = models.DateField("预计开工", null=True, blank=True)
    forecast_finish_on = models.DateField("预计完工", null=True, blank=True)
    done = models.TextField("本周进展", blank=True)
    next_steps = models.TextField("下周计划", blank=True)
    hinders = models.TextField("存在问题", blank=True)
    reason = models.CharField("说明", max_length=200, blank=True)  # why a cumulative value fell or passed the budget
    # Sums of the lines, written with them by services.save_dispatch and by nothing else.
    in_place_wan = wan("累计到位", default=Decimal(0))
    allocated_wan = wan("累计拨付", default=Decimal(0))
    paid_wan = wan("累计支付", default=Decimal(0))
    invested_wan = wan("累计完成投资", default=Decimal(0))
    version = models.PositiveIntegerField("编辑版本", default=1)  # optimistic lock: grows with each save
    edited_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="填报人")
    edited_at = models.DateTimeField("编辑时间", null=True, blank=True)
    submitted_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="提交人")
    submitted_at = models.DateTimeField("提交时间", null=True, blank=True)  # on the business clock
    is_late = models.BooleanField("迟报", default=False)
    reviewed_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="审核人")
    reviewed_at = models.DateTimeField("审核时间", null=True, blank=True)
    remark = models.CharField("审核意见", max_length=200, blank=True)

    objects = DispatchQuerySet.as_manager()

    class Meta:
        ordering = ["project", "week_of", "revision"]
        verbose_name = verbose_name_plural = "周调度"
        constraints = [
            models.UniqueConstraint(fields=["project", "week_of", "revision"], name="one_dispatch_a_revision"),
            models.UniqueConstraint(fields=["project", "week_of"], condition=Q(is_live=True), name="one_live_dispatch_a_week"),
            models.UniqueConstraint(fields=["project", "week_of"], condition=Q(state=DispatchState.DRAFT), name="one_draft_a_week"),
            models.CheckConstraint(
                condition=Q(is_live=False) | Q(state__in=[DispatchState.SUBMITTED, DispatchState.ACCEPTED]),
                name="live_dispatch_is_submitted",
            ),
            models.CheckConstraint(
                condition=Q(physical_progress__isnull=True) | Q(physical_progress__gte=0, physical_progress__lte=100),
                name="progress_is_percent",
                violation_error_message="进度须在0到100之间。",
            ),
        ]
        indexes = [
            models.Index(fields=["project", "-week_of"], condition=Q(is_live=True), name="live_dispatch_by_week"),
            models.Index(fields=["week_of", "state"]),
        ]


class DispatchLine(models.Model):
    """The money of one source in one dispatch, cumulative, 万元."""

    dispatch = models.ForeignKey(Dispatch, models.CASCADE, related_name="lines", verbose_name="周调度")
    source = models.ForeignKey(FundingSource, models.CASCADE, related_name="lines", verbose_name="资金来源")
    in_place_wan = wan("到位", default=Decimal(0))  # arrived in the county's account
    allocated_wan = wan("拨付", default=Decimal(0))  # passed on from there to the project's owner
    paid_wan = wan("支付", default=Decimal(0))  # paid by the owner to those who build
    completed_wan = wan("完成投资", default=Decimal(0))

    class Meta:
        ordering = ["dispatch", "source__position"]
        verbose_name = verbose_name_plural = "资金进展"
        constraints = [
            models.UniqueConstraint(fields=["dispatch", "source"], name="one_line_a_source_and_dispatch"),
            models.CheckConstraint(
                condition=Q(in_place_wan__gte=0, allocated_wan__gte=0, paid_wan__gte=0, completed_wan__gte=0), name="line_not_negative"
            ),
        ]


class Permit(models.Model):
    """One paper that a project needs (手续); its state follows from its dates."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="permits", verbose_name="项目")
    kind = models.CharField("事项", max_length=20, choices=PermitKind)
    is_required = models.BooleanField("是否需要", default=True)
    authority = models.ForeignKey(Unit, models.PROTECT, null=True, blank=True, verbose_name="受理机关")
    submitted_on = models.DateField("报送日", null=True, blank=True)
    promised_workdays = models.PositiveSmallIntegerField("承诺时限（工作日）", null=True, blank=True)
    obtained_on = models.DateField("办结日", null=True, blank=True)
    parallel_group = models.CharField("并联组", max_length=20, blank=True)  # papers of one group are applied for side by side
    helper_post = models.CharField("帮办人", max_length=30, blank=True)  # a post, never a name
    edit_version = models.PositiveIntegerField("编辑版本", default=1)  # optimistic lock
    doc_number = models.CharField("文号", max_length=60, blank=True)
    valid_until = models.DateField("有效期至", null=True, blank=True)
    note = models.CharField("卡点说明", max_length=200, blank=True)

    class Meta:
        ordering = ["project", "pk"]
        verbose_name = verbose_name_plural = "手续"
        constraints = [
            models.UniqueConstraint(fields=["project", "kind"], name="one_permit_a_kind"),
            models.CheckConstraint(
                condition=Q(obtained_on__isnull=True) | Q(submitted_on__isnull=True) | Q(obtained_on__gte=F("submitted_on")),
                name="permit_obtained_after_submitted",
                violation_error_message="办结日期不能早于报送日期。",
            ),
        ]


class ProblemQuerySet(models.QuerySet):
    def open_on(self, day: dt.date):
        """Problems raised by `day` and not yet closed then."""
        return self.filter(Q(closed_on__isnull=True) | Q(closed_on__gt=day), raised_on__lte=day)


class Problem(models.Model):
    """What hinders a project, until it is closed out (问题, 销号)."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="problems", verbose_name="项目")
    category = models.CharField("类别", max_length=14, choices=ProblemCategory)
    code = models.CharField("编号", max_length=12, unique=True, null=True, blank=True)  # WT-2025-001, given when it is raised
    description = models.TextField("描述")
    raised_on = models.DateField("提出日")
    dispatch = models.ForeignKey(Dispatch, models.SET_NULL, null=True, blank=True, related_name="problems", verbose_name="来自周调度")
    raised_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="提出人")
    level = models.PositiveSmallIntegerField("级别", choices=HelpLevel, default=HelpLevel.OFFICE)  # that of its last step
    handler = models.ForeignKey(Unit, models.PROTECT, null=True, blank=True, related_name="handled_problems", verbose_name="承办单位")
    assistants = models.ManyToManyField(Unit, blank=True, related_name="assisted_problems", verbose_name="协办单位")
    due_on = models.DateField("时限", null=True, blank=True)
    measures = models.TextField("措施", blank=True)
    begun_on = models.DateField("办理日", null=True, blank=True)
    answered_on = models.DateField("报请核查日", null=True, blank=True)
    edit_version = models.PositiveIntegerField("编辑版本", default=1)  # optimistic lock
    closed_on = models.DateField("销号日", null=True, blank=True)
    closing_basis = models.CharField("销号依据", max_length=200, blank=True)

    objects = ProblemQuerySet.as_manager()

    class Meta:
        ordering = ["-raised_on", "pk"]
        verbose_name = verbose_name_plural = "问题"
        constraints = [
            models.CheckConstraint(
                condition=Q(closed_on__isnull=True) | Q(closed_on__gte=F("raised_on")),
                name="problem_closed_after_raised",
                violation_error_message="销号日期不能早于提出日期。",
            )
        ]
        indexes = [models.Index(fields=["project", "closed_on"])]


class ProblemStep(models.Model):
    """A problem at one level of help: when it came there, by when it must move, what was done and why it had to move up."""

    problem = models.ForeignKey(Problem, models.CASCADE, related_name="steps", verbose_name="问题")
    level = models.PositiveSmallIntegerField("级别", choices=HelpLevel)
    entered_on = models.DateField("进入日")
    entry_opinion = models.CharField("进入意见", max_length=500)
    due_on = models.DateField("本级办结时限")  # entered_on plus the days allowed per level (policy), in working days
    left_on = models.DateField("退出日", null=True, blank=True)
    exit_opinion = models.CharField("退出意见", max_length=500, blank=True)  # what was done at this level and why it was not enough
    by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="录入人")
    at = models.DateTimeField("录入时间", auto_now_add=True)

    class Meta:
        ordering = ["problem", "entered_on", "pk"]
        verbose_name = verbose_name_plural = "问题层级"
        constraints = [
            models.UniqueConstraint(fields=["problem"], condition=Q(left_on__isnull=True), name="one_level_at_a_time"),
            models.CheckConstraint(condition=Q(left_on__isnull=True) | Q(left_on__gte=F("entered_on")), name="step_left_after_entered"),
        ]


class ProblemNote(models.Model):
    """What happened with a problem on a day (进展). Append-only."""

    problem = models.ForeignKey(Problem, models.CASCADE, related_name="notes", verbose_name="问题")
    on = models.DateField("日期")
    text = models.CharField("进展", max_length=500)
    by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="录入人")
    at = models.DateTimeField("录入时间", auto_now_add=True)

    class Meta:
        ordering = ["problem", "on", "pk"]
        verbose_name = verbose_name_plural = "问题进展"


class Photo(models.Model):
    """A photo of a project, re-encoded; where and when it was taken is data here and no longer in the file."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="photos", verbose_name="项目")
    dispatch = models.ForeignKey(Dispatch, models.SET_NULL, null=True, blank=True, related_name="photos", verbose_name="周调度")
    inspection = models.ForeignKey(
        "projects.Inspection", models.SET_NULL, null=True, blank=True, related_name="photos", verbose_name="现场督导"
    )
    week_of = models.DateField("周次", null=True, blank=True)
    file = models.ImageField("照片", upload_to=photo_path, width_field="width", height_field="height")
    width = models.PositiveIntegerField("宽", default=0)  # pixels
    height = models.PositiveIntegerField("高", default=0)
    digest = models.CharField("SHA-256", max_length=64)  # of the file as it was sent: the same photo twice is one
    caption = models.CharField("说明", max_length=100, blank=True)
    taken_at = models.DateTimeField("拍摄时间", null=True, blank=True)
    lon = models.FloatField("经度", null=True, blank=True)  # WGS84 degrees
    lat = models.FloatField("纬度", null=True, blank=True)
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", verbose_name="上传人")
    at = models.DateTimeField("上传时间", auto_now_add=True)
    withdrawn_at = models.DateTimeField("撤下时间", null=True, blank=True)

    class Meta:
        ordering = ["-pk"]
        verbose_name = verbose_name_plural = "照片"
        constraints = [models.UniqueConstraint(fields=["project", "digest"], condition=Q(withdrawn_at__isnull=True), name="one_photo_once")]


class Attachment(models.Model):
    """A file that proves something of a project: a permit, a close-out. Judged, a picture made over; served as a download only."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="attachments", verbose_name="项目")
    permit = models.ForeignKey(Permit, models.CASCADE, null=True, blank=True, related_name="attachments", verbose_name="手续")
    problem = models.ForeignKey(Problem, models.CASCADE, null=True, blank=True, related_name="attachments", verbose_name="问题")
    paper = models.ForeignKey(FundingPaper, models.CASCADE, null=True, blank=True, related_name="attachments", verbose_name="下达文件")
    archive_item = models.ForeignKey(
        "projects.ArchiveItem", models.CASCADE, null=True, blank=True, related_name="attachments", verbose_name="档案"
    )
    acceptance_fact = models.ForeignKey(
        "projects.AcceptanceFact", models.CASCADE, null=True, blank=True, related_name="attachments", verbose_name="验收达效事项"
    )
    file = models.FileField("附件", upload_to=attachment_path)
    name = models.CharField("文件名", max_length=120)
    size = models.PositiveIntegerField("字节")
    digest = models.CharField("SHA-256", max_length=64)  # of the file as it was sent: the same file twice is one
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", verbose_name="上传人")
    at = models.DateTimeField("上传时间", auto_now_add=True)
    withdrawn_at = models.DateTimeField("撤下时间", null=True, blank=True)

    class Meta:
        ordering = ["pk"]
        verbose_name = verbose_name_plural = "附件"
