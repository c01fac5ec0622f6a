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
