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
    QUARTER = "quarter", "季"
    TO_DATE = "to_date", "累计"  # 1-N月: January to a month
    YEAR = "year", "年"


class ReadingFlag(models.TextChoices):
    """What the laboratory says of a value (实验室标记)."""

    VALID = "", "有效"
    DOUBTFUL = "doubtful", "存疑"  # counts, and is marked wherever it shows
    INVALID = "invalid", "无效"  # is kept, and counts as missing
    NOT_MONITORED = "not_monitored", "不监测"  # said so on purpose (*): the class stands on the rest


class CellFlag(models.TextChoices):
    """Why an automatic station's cell has no value. An item that is not monitored has no cell at all."""

    MISSING = "missing", "缺测"
    EXTREME = "extreme", "极值过滤"


class StationState(models.TextChoices):
    """站点情况 of the national feed."""

    NORMAL = "normal", "正常"
    MAINTENANCE = "maintenance", "维护"
    STOPPED = "stopped", "停站"
    UNKNOWN = "unknown", "未说明"


class Cause(models.TextChoices):
    """Why a section was not sampled in a month; it is not evaluated then and leaves the denominator."""

    NO_FLOW = "no_flow", "断流"
    FROZEN = "frozen", "结冰"
    STOPPED = "stopped", "停站"
    OTHER = "other", "其他"


class IntakeKind(models.TextChoices):
    """The way by which values came in (provenance)."""

    FORM = "form", "网页填报"
    WORKBOOK = "workbook", "Excel 工作簿"
    CSV = "csv", "CSV 文件"
    PASTE = "paste", "粘贴"
    FEED = "feed", "国家自动站数据"
    DEMO = "demo", "演示数据"


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
