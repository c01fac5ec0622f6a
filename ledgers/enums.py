"""Choices of what the office keeps and sends."""

from django.db import models


class DocumentKind(models.TextChoices):
    WEEKLY = "weekly", "周报"
    BULLETIN = "bulletin", "通报"
    EARLY_WARNING = "early-warning", "预警函"
    REMINDER = "reminder", "提醒函"
    SUPERVISION = "supervision", "督办函"
    TALK = "talk", "约谈通知"


class DocumentState(models.TextChoices):
    DRAFT = "draft", "草稿"
    ISSUING = "issuing", "印发中"  # number taken and facts frozen, its PDF still being made
    ISSUED = "issued", "已印发"
    WITHDRAWN = "withdrawn", "作废"


class MeetingKind(models.TextChoices):
    """The meetings of the office's clock."""

    MORNING = "morning", "碰头会"
    WEEKLY = "weekly", "专班周例会"
    JOINT = "joint", "联席会议"
    DEPARTMENTS = "departments", "部门协调会"
    TOPIC = "topic", "专题推进会"
    GOVERNMENT_WEEK = "government_week", "政府周调度会"
    GOVERNMENT_MONTH = "government_month", "政府月度工作例会"


class AgendaPart(models.TextChoices):
    """What a meeting's material sheet is made of, in its order."""

    FIGURES = "figures", "总体情况"
    LAST = "last", "上次会议未办结事项"
    PROBLEM = "problem", "需协调的问题"
    LETTER = "letter", "逾期未复的函件"
    LAGGING = "lagging", "滞后项目"
    PERMIT = "permit", "超承诺时限的手续"
    WATER = "water", "未达目标的断面"
    OWN = "own", "其他事项"


class CaseKind(models.TextChoices):
    """Measures of pressure that are kept as a case with all its papers."""

    JOINT = "joint", "联合督查"
    TALK = "talk", "约谈"
    LISTED = "listed", "挂牌督办"
    ACCOUNTABILITY = "accountability", "问责材料汇集"


class DecisionFrequency(models.TextChoices):
    """How often progress of a decided item is to be told."""

    ONCE = "once", "一次办结"
    DAILY = "daily", "每日"
    WEEKLY = "weekly", "每周"
    MONTHLY = "monthly", "每月"
    QUARTERLY = "quarterly", "每季"


class CheckCategory(models.TextChoices):
    """What a weekly check looks at."""

    PROGRESS = "progress", "工程进度"
    QUALITY = "quality", "工程质量"
    SAFETY = "safety", "安全生产"
    ENVIRONMENT = "environment", "生态环保"
    ARCHIVES = "archives", "档案资料"
    DISPATCH = "dispatch", "调度填报"
    OTHER = "other", "其他"


class OwnKind(models.TextChoices):
    """What a column of the office's own holds."""

    TEXT = "text", "文字"
    NUMBER = "number", "数值"
    DATE = "date", "日期"
    CHOICE = "choice", "选项"


class Measure(models.TextChoices):
    """What the office may do about slow works, from the softest; those of `LETTERS` are done by letter."""

    CHASE = "chase", "催报"
    EARLY_WARNING = "early-warning", "预警函"
    REMINDER = "reminder", "提醒函"
    SUPERVISION = "supervision", "督办函"
    SITE_SUPERVISION = "site-supervision", "现场督导"
    REGULATORY_TALK = "talk", "约谈"
    LISTED_SUPERVISION = "listed-supervision", "挂牌督办"
    ACCOUNTABILITY = "accountability", "问责材料汇集"


# Kinds of documents that go to one unit and are answered. Their values are those of the measures.
LETTERS = (DocumentKind.EARLY_WARNING, DocumentKind.REMINDER, DocumentKind.SUPERVISION, DocumentKind.TALK)
# The next rung of the ladder when a letter did not help.
NEXT = {
    Measure.EARLY_WARNING: Measure.REMINDER,
    Measure.REMINDER: Measure.SUPERVISION,
    Measure.SUPERVISION: Measure.REGULATORY_TALK,
    Measure.REGULATORY_TALK: Measure.LISTED_SUPERVISION,
}
