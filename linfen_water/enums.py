"""Choices of the base app, with the words the office uses."""

from django.db import models


class Role(models.TextChoices):
    OFFICE = "office", "专班办"
    DEPARTMENT = "department", "市直部门"
    COUNTY = "county", "县区填报员"
    LEADER = "leader", "领导"


class UnitKind(models.TextChoices):
    OFFICE = "office", "专班办"
    DEPARTMENT = "department", "市直部门"
    COUNTY = "county", "县(市、区)"
    COMPANY = "company", "企业"


class CountyKind(models.TextChoices):
    COUNTY = "county", "县(市、区)"
    ZONE = "zone", "开发区"


class JobState(models.TextChoices):
    QUEUED = "queued", "排队中"
    RUNNING = "running", "进行中"
    DONE = "done", "已完成"
    FAILED = "failed", "失败"


class ChannelKind(models.TextChoices):
    """Ways by which a reminder leaves the site."""

    WECOM = "wecom", "企业微信机器人"
    DINGTALK = "dingtalk", "钉钉机器人"
    WEBHOOK = "webhook", "通用 Webhook"
    EMAIL = "email", "电子邮件"


class DeliveryState(models.TextChoices):
    WAITING = "waiting", "待发送"
    SENT = "sent", "已送达"
    FAILED = "failed", "未送达"
