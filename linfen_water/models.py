"""Who works here and for whom (regions, counties, units, domains, users), the policy, the jobs and the trail."""

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import Q
from django.utils import timezone

from linfen_water import enums
from linfen_water.once import once


class Region(models.Model):
    """The one region that this installation serves: a row made by `load_region` from its pack."""

    slug = models.SlugField("区域包", unique=True)
    name = models.CharField("名称", max_length=50)  # 临汾市
    programme = models.CharField("工程", max_length=50)  # 一泓清水入黄河
    settings = models.JSONField("设置", default=dict)  # document heads, 代字, map title: see projects/regions/README.md
    demo_on = models.DateField("演示数据日期", null=True, blank=True)  # set by `demo`: the frozen business date

    class Meta:
        verbose_name = verbose_name_plural = "区域"

    def __str__(self):
        return self.name

    @classmethod
    def current(cls) -> "Region":
        """The region in force; an unsaved blank one before the set-up, so that no page fails."""
        return once("region", lambda: cls.objects.order_by("pk").first() or cls(slug="", name="", programme=""))

    @property
    def is_demo(self) -> bool:
        return self.demo_on is not None


class County(models.Model):
    """A county (县、市、区) or a zone (开发区), which reports like one."""

    code = models.CharField("代码", max_length=12, unique=True)
    name = models.CharField("名称", max_length=50)
    short = models.CharField("简称", max_length=10)
    kind = models.CharField("性质", max_length=10, choices=enums.CountyKind, default=enums.CountyKind.COUNTY)
    seat_lon = models.FloatField("驻地经度", null=True, blank=True)  # WGS84 degrees
    seat_lat = models.FloatField("驻地纬度", null=True, blank=True)
    note = models.CharField("备注", max_length=200, blank=True)
    position = models.PositiveSmallIntegerField("次序", default=0)  # order in every table, as the pack lists them

    class Meta:
        ordering = ["position", "code"]
        verbose_name = verbose_name_plural = "县(市、区)"

    def __str__(self):
        return self.name


class Domain(models.Model):
    """One of the fields of work (领域): 生态环境, 水利, …"""

    name = models.CharField("领域", max_length=20, unique=True)
    position = models.PositiveSmallIntegerField("次序", default=0)

    class Meta:
        ordering = ["position", "name"]
        verbose_name = verbose_name_plural = "领域"

    def __str__(self):
        return self.name


class Unit(models.Model):
    """A body that reports, reviews or receives papers (单位)."""

    code = models.CharField("代码", max_length=20, unique=True)
    name = models.CharField("名称", max_length=60)
    kind = models.CharField("性质", max_length=12, choices=enums.UnitKind)
    domain = models.ForeignKey(Domain, models.PROTECT, null=True, blank=True, verbose_name="牵头领域")
    county = models.ForeignKey(County, models.PROTECT, null=True, blank=True, verbose_name="县(市、区)")
    note = models.CharField("备注", max_length=200, blank=True)
    position = models.PositiveSmallIntegerField("次序", default=0)

    class Meta:
        ordering = ["position", "code"]
        verbose_name = verbose_name_plural = "单位"

    def __str__(self):
        return self.name


class User(AbstractUser):
    """A person who logs in; what they see and may do follows from role and unit (`permissions.py`)."""

    role = models.CharField("角色", max_length=12, choices=enums.Role, default=enums.Role.LEADER)
    unit = models.ForeignKey(Unit, models.PROTECT, null=True, blank=True, verbose_name="单位")
    post = models.CharField("岗位", max_length=30, blank=True)  # 填报员, 科长: shown instead of a name
    must_change_password = models.BooleanField("须改密码", default=False)  # the password was made for them, not by them

    class Meta:
        verbose_name = verbose_name_plural = "用户"
        constraints = [
            models.CheckConstraint(
                condition=~Q(role__in=[enums.Role.COUNTY, enums.Role.DEPARTMENT]) | Q(unit__isnull=False),
                name="user_of_a_unit_has_one",
                violation_error_message="县区和部门用户必须选择所属单位。",
            )
        ]

    def __str__(self):
        return " ".join(filter(None, [self.unit.name if self.unit_id else "", self.post])) or self.username


class Kiosk(models.Model):
    """A screen that shows the wall without anybody's login (`kiosks.py`); only digests of its code and key are kept."""

    name = models.CharField("屏幕", max_length=40)
    made_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name="建立人")
    made_at = models.DateTimeField("建立时间", auto_now_add=True)
    code_digest = models.CharField("登记码摘要", max_length=64, null=True, unique=True)
    code_until = models.DateTimeField("登记码有效期", null=True)
    key_digest = models.CharField("密钥摘要", max_length=64, null=True, unique=True)
    paired_at = models.DateTimeField("登记时间", null=True)
    seen_at = models.DateTimeField("最近在线", null=True)
    revoked_at = models.DateTimeField("撤销时间", null=True)
    revoked_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", verbose_name="撤销人")

    class Meta:
        ordering = ["revoked_at", "-pk"]
        verbose_name = verbose_name_plural = "大屏"

    def __str__(self):
        return self.name

    @property
    def is_waiting(self) -> bool:
        """The code was given out and may still be typed."""
        return self.paired_at is None and self.code_until is not None and self.code_until > timezone.now()


class LoginFailure(models.Model):
    """One attempt to log in that did not succeed (`throttle.py`); gone after its window."""

    name_digest = models.CharField("用户名摘要", max_length=64)  # never the name itself: people type passwords there
    address = models.CharField("地址", max_length=45)
    at = models.DateTimeField("时间", db_index=True)

    class Meta:
        verbose_name = verbose_name_plural = "登录失败"
        indexes = [models.Index(fields=["name_digest", "at"])]


class Policy(models.Model):
    """Thresholds and dates of the office in force from a day on; what a row leaves out keeps the default (`policy.py`)."""

    effective_on = models.DateField("生效日", unique=True)
    values = models.JSONField("阈值", default=dict)
    reason = models.CharField("依据", max_length=200)
    by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, verbose_name="修改人")
    at = models.DateTimeField("修改时间", auto_now_add=True)

    class Meta:
        ordering = ["effective_on"]
        verbose_name = verbose_name_plural = "规则"


class Job(models.Model):
    """A piece of work that must happen once (row = job); a message only rings, the reconciler rings again (`jobs.py`)."""

    key = models.CharField("键", max_length=120, unique=True)  # what makes it the same job: "bulletin:2025-01:draft"
    kind = models.CharField("种类", max_length=40)
    args = models.JSONField("参数", default=dict)
    state = models.CharField("状态", max_length=10, choices=enums.JobState, default=enums.JobState.QUEUED)
    owner = models.CharField("执行者", max_length=40, blank=True)  # random token of the attempt that holds the lease
    lease_until = models.DateTimeField("租约至", null=True, blank=True)
    attempts = models.PositiveIntegerField("次数", default=0)
    error = models.TextField("错误", blank=True)
    by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, verbose_name="发起人")
    created_at = models.DateTimeField("建立时间", auto_now_add=True)
    not_before = models.DateTimeField("不早于", null=True, blank=True)  # back-off after a failure
    finished_at = models.DateTimeField("结束时间", null=True, blank=True)

    class Meta:
        ordering = ["pk"]
        verbose_name = verbose_name_plural = "作业"
        indexes = [models.Index(fields=["state", "lease_until"])]

    def __str__(self):
        return self.key


class TrailHead(models.Model):
    """The end of one chain of the trail: locked while an event is added, so that the chain has no fork."""

    chain = models.CharField("链", max_length=12, unique=True)  # county code, or "office"
    length = models.PositiveBigIntegerField("长度", default=0)
    digest = models.CharField("链首", max_length=64, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "留痕链首"


class TrailEvent(models.Model):
    """Who changed what, when, from what, to what (留痕). Append-only: the database refuses UPDATE and DELETE."""

    chain = models.CharField("链", max_length=12)
    position = models.PositiveBigIntegerField("序")
    at = models.DateTimeField("时间")  # the real time, never the business date
    by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, verbose_name="谁")  # null: the system itself
    action = models.CharField("动作", max_length=40)  # "dispatch.submit"
    subject_type = models.CharField("对象种类", max_length=30)
    subject_id = models.CharField("对象", max_length=40)
    changes = models.JSONField("变化", default=dict)  # {field: [old, new]}
    reason = models.CharField("理由", max_length=300, blank=True)
    origin = models.CharField("来自", max_length=120, blank=True, default="")  # page and its address, import and its file, feed, command
    digest = models.CharField("摘要", max_length=64)  # HMAC over the event and the digest before it

    class Meta:
        ordering = ["pk"]
        verbose_name = verbose_name_plural = "留痕"
        constraints = [models.UniqueConstraint(fields=["chain", "position"], name="one_event_per_place_in_chain")]
        indexes = [models.Index(fields=["subject_type", "subject_id"])]


class Notice(models.Model):
    """A message inside the site (站内提醒) to the people of one unit, or to one person; everyone reads it for themselves."""

    unit = models.ForeignKey(Unit, models.CASCADE, null=True, blank=True, related_name="notices", verbose_name="单位")
    user = models.ForeignKey(User, models.CASCADE, null=True, blank=True, related_name="notices", verbose_name="收件人")
    kind = models.CharField("种类", max_length=30)  # dispatch.chase, dispatch.returned, problem.due …
    key = models.CharField("键", max_length=120, unique=True)  # what makes it the same notice: sent once, however often it is asked for
    text = models.TextField("内容")
    url = models.CharField("链接", max_length=200, blank=True)  # an address of this site
    by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="发送人")
    at = models.DateTimeField("时间")  # on the business clock
    read_by = models.ManyToManyField(User, blank=True, related_name="+", verbose_name="已读")

    class Meta:
        ordering = ["-at", "-pk"]
        verbose_name = verbose_name_plural = "站内提醒"
        constraints = [
            models.CheckConstraint(
                condition=Q(unit__isnull=False, user__isnull=True) | Q(unit__isnull=True, user__isnull=False), name="notice_to_one_side"
            )
        ]
        indexes = [models.Index(fields=["unit", "-at"])]


class Channel(models.Model):
    """Where reminders are sent besides the site (群机器人, 邮件): for one unit, or for all."""

    kind = models.CharField("方式", max_length=10, choices=enums.ChannelKind)
    name = models.CharField("名称", max_length=40)
    address = models.CharField("地址", max_length=500)  # of the robot, or an e-mail address; a secret: never shown whole
    secret = models.CharField("加签密钥", max_length=200, blank=True)  # DingTalk signs with it
    unit = models.ForeignKey(Unit, models.CASCADE, null=True, blank=True, related_name="channels", verbose_name="单位")  # null: all units
    is_active = models.BooleanField("启用", default=True)

    class Meta:
        ordering = ["name"]
        verbose_name = verbose_name_plural = "提醒渠道"


class Delivery(models.Model):
    """One message through one channel: tried again until it arrives or is given up, and kept as the log."""

    channel = models.ForeignKey(Channel, models.CASCADE, related_name="deliveries", verbose_name="渠道")
    key = models.CharField("键", max_length=120)
    text = models.TextField("内容")
    state = models.CharField("状态", max_length=10, choices=enums.DeliveryState, default=enums.DeliveryState.WAITING)
    attempts = models.PositiveSmallIntegerField("次数", default=0)
    answer = models.CharField("对方答复", max_length=300, blank=True)
    by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="发送人")
    at = models.DateTimeField("建立时间", auto_now_add=True)
    sent_at = models.DateTimeField("送达时间", null=True, blank=True)

    class Meta:
        ordering = ["-pk"]
        verbose_name = verbose_name_plural = "发送记录"
        constraints = [models.UniqueConstraint(fields=["channel", "key"], name="one_delivery_a_channel")]
