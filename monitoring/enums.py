"""Choices of the water side. Ordered things are integers, so `max` is the worst."""

from django.db import models


class WaterClass(models.IntegerChoices):
    """Water classes of GB 3838-2002; larger is worse."""

    I = 1, "Ⅰ"  # noqa: E741 - the standard's own name
    II = 2, "Ⅱ"
    III = 3, "Ⅲ"
    IV = 4, "Ⅳ"
    V = 5, "Ⅴ"
    WORSE_THAN_V = 6, "劣Ⅴ"


class Level(models.TextChoices):
    """Who assesses a section. Never 'provincial' until someone says so."""

    NATIONAL = "national", "国考"
    PROVINCIAL = "provincial", "省考"
    OTHER = "other", "其他"


class WaterBody(models.TextChoices):
    RIVER = "river", "河流"
    LAKE = "lake", "湖库"


class PeriodKind(models.TextChoices):
    MONTH = "month", "月"
    YEAR = "year", "年"


class ReadingKind(models.TextChoices):
    MANUAL = "manual", "手工监测"
    AUTOMATIC = "automatic", "自动站"


class Rating(models.IntegerChoices):
    """The quality word of a class (水质状况); larger is worse."""

    EXCELLENT = 1, "优"
    GOOD = 2, "良好"
    LIGHT = 3, "轻度污染"
    MODERATE = 4, "中度污染"
    HEAVY = 5, "重度污染"


class Change(models.IntegerChoices):
    """How the water changed between two periods; larger is better."""

    CLEARLY_WORSE = -2, "明显变差"
    WORSE = -1, "有所变差"
    NONE = 0, "无明显变化"
    BETTER = 1, "有所好转"
    CLEARLY_BETTER = 2, "明显好转"
