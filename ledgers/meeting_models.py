"""What meetings decide and what weekly checks find, and how it is chased."""

from django.db import models

from ledgers.enums import AgendaPart, CheckCategory, DecisionFrequency, MeetingKind
from linfen_water.models import Unit, User
from projects.models import Problem, Project
from projects.record_base import STANDING, Chased, Record


class Meeting(Record):
    """A meeting of the office or of the government about the works (会议)."""

    kind = models.CharField("会议类型", max_length=16, choices=MeetingKind)
    held_on = models.DateField("日期")
    starts_at = models.TimeField("开始时间", null=True, blank=True)
    number = models.CharField("期次", max_length=30, blank=True)  # 2025年第7次
    chair_post = models.CharField("主持", max_length=30)  # a post, never a name
    place = models.CharField("地点", max_length=60, blank=True)
    topic = models.CharField("议题", max_length=200, blank=True)
    attended = models.TextField("出席", blank=True)  # units and posts, never names
    absent = models.TextField("请假", blank=True)
    observers = models.TextField("列席", blank=True)
    minutes = models.TextField("会议纪要", blank=True)
    minutes_closed_on = models.DateField("纪要定稿日", null=True, blank=True)

    class Meta:
        ordering = ["-held_on", "-pk"]
        verbose_name = verbose_name_plural = "会议"

    def __str__(self):
        return f"{self.held_on} {self.get_kind_display()}{self.number}"


class ClosedMinutes(models.Model):
    """What the minutes said when they were closed (`documents/minutes.py`); beside the meeting, which lists read without it."""

    meeting = models.OneToOneField(Meeting, models.CASCADE, related_name="closed_minutes", verbose_name="会议")
    facts = models.JSONField("定稿内容")

    class Meta:
        verbose_name = verbose_name_plural = "定稿纪要"

    def __str__(self):
        return str(self.meeting)


class AgendaItem(Record):
    """One line of a meeting's material sheet (议程): what the facts said when it was put together, and what the office made of it.

    `key` names the fact that it came from (`problem:7`), so that putting the sheet together again finds it; own lines have none.
    """

    meeting = models.ForeignKey(Meeting, models.CASCADE, related_name="agenda", verbose_name="会议")
    part = models.CharField("部分", max_length=10, choices=AgendaPart)
    key = models.CharField("来源", max_length=60, blank=True)
    position = models.PositiveSmallIntegerField("次序", default=0)
    text = models.TextField("内容")
    ask = models.CharField("提请", max_length=200, blank=True)  # what the meeting is to decide
    is_taken = models.BooleanField("上会", default=True)
    is_edited = models.BooleanField("已改写", default=False)  # by a person: the facts no longer overwrite it
    project = models.ForeignKey(Project, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name="关联项目")
    problem = models.ForeignKey(Problem, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name="关联问题")
    unit = models.ForeignKey(Unit, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name="汇报单位")

    class Meta:
        ordering = ["meeting", "position", "pk"]
        verbose_name = verbose_name_plural = "议程"
        constraints = [
            models.UniqueConstraint(fields=["meeting", "key"], condition=STANDING & ~models.Q(key=""), name="one_agenda_item_a_fact")
        ]


class Decision(Chased):
    """A decided item (议定事项): who does what by when, chased until it is done."""

    meeting = models.ForeignKey(Meeting, models.CASCADE, related_name="decisions", verbose_name="会议")
    what = models.TextField("议定事项")
    lead_unit = models.ForeignKey(Unit, models.PROTECT, related_name="led_decisions", verbose_name="主办单位")
    assist_units = models.ManyToManyField(Unit, blank=True, related_name="assisted_decisions", verbose_name="协办单位")
    frequency = models.CharField("频次", max_length=10, choices=DecisionFrequency, default=DecisionFrequency.ONCE)
    project = models.ForeignKey(Project, models.SET_NULL, null=True, blank=True, related_name="decisions", verbose_name="关联项目")
    problem = models.ForeignKey(Problem, models.SET_NULL, null=True, blank=True, related_name="decisions", verbose_name="关联问题")
    item = models.ForeignKey(AgendaItem, models.SET_NULL, null=True, blank=True, related_name="decisions", verbose_name="议程")

    class Meta:
        ordering = ["meeting", "pk"]
        verbose_name = verbose_name_plural = "议定事项"


class DecisionNote(models.Model):
    """What happened with a decided item on a day (进展). Append-only."""

    decision = models.ForeignKey(Decision, models.CASCADE, related_name="notes", verbose_name="议定事项")
    on = models.DateField("日期")
    text = models.CharField("进展", max_length=500)
    by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="录入人")
    at = models.DateTimeField("录入时间", auto_now_add=True)

    class Meta:
        ordering = ["decision", "on", "pk"]
        verbose_name = verbose_name_plural = "议定事项进展"


class CheckFinding(Chased):
    """What a weekly check found at a unit (检查情况通报): place, problem, limit, and how the unit put it right."""

    year = models.PositiveSmallIntegerField("年度")
    issue = models.PositiveSmallIntegerField("期次")
    on = models.DateField("检查日期")
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="check_findings", verbose_name="单位")
    category = models.CharField("类别", max_length=12, choices=CheckCategory)
    project = models.ForeignKey(Project, models.SET_NULL, null=True, blank=True, related_name="check_findings", verbose_name="项目")
    place = models.CharField("地点", max_length=100)
    text = models.TextField("问题")

    class Meta:
        ordering = ["-year", "-issue", "unit", "pk"]
        verbose_name = verbose_name_plural = "检查情况"
        indexes = [models.Index(fields=["year", "issue"])]

    def __str__(self):
        return f"{self.year}年第{self.issue}期"


class CalendarKey(models.Model):
    """One person's secret address of the calendar (`calendar_feed.py`); only its digest is kept."""

    user = models.ForeignKey(User, models.CASCADE, related_name="calendar_keys", verbose_name="用户")
    digest = models.CharField("摘要", max_length=64, unique=True)
    made_at = models.DateTimeField("生成时间", auto_now_add=True)
    used_at = models.DateTimeField("最近使用", null=True, blank=True)
    revoked_at = models.DateTimeField("撤销时间", null=True, blank=True)

    class Meta:
        ordering = ["-pk"]
        verbose_name = verbose_name_plural = "日历订阅"
        constraints = [
            models.UniqueConstraint(fields=["user"], condition=models.Q(revoked_at__isnull=True), name="one_calendar_key_a_person")
        ]
