"""Choices of what the office keeps about works beside dispatch, permits and problems."""

from django.db import models


class ChaseState(models.TextChoices):
    """Of something that a unit must have done; derived from its dates as of a day."""

    OPEN = "open", "办理中"
    LATE = "late", "逾期"
    ANSWERED = "answered", "待核"
    CLOSED = "closed", "已办结"


class AcceptanceKind(models.TextChoices):
    """What a finished project goes through until its effect is proven, in this order."""

    RECOGNITION = "recognition", "完工认定材料"
    ENVIRONMENT = "environment", "环境保护验收"
    SOIL = "soil", "水土保持验收"
    FIRE = "fire", "消防验收"
    ARCHIVES = "archives", "档案验收"
    FINAL = "final", "竣工验收"
    ACCOUNTS = "accounts", "竣工财务决算"
    HANDOVER = "handover", "移交管护"
    TRIAL_START = "trial_start", "试运行开始"
    TRIAL_END = "trial_end", "试运行结束"
    EFFECT = "effect", "达效认定"
    BENEFIT = "benefit", "效益量化"
    LEFTOVER = "leftover", "遗留问题"


class TargetKind(models.TextChoices):
    """What a project must have reached by the end of a year."""

    START = "start", "开工"
    FINISH = "finish", "完工"
    PROGRESS = "progress", "进度"


class TargetState(models.TextChoices):
    """Whether it has; derived."""

    REACHED = "reached", "已达到"
    PENDING = "pending", "未到期"
    MISSED = "missed", "未达到"
    NONE = "none", "未定目标"
