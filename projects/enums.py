"""Choices of the works side, with the words the office uses."""

from django.db import models


class Stage(models.IntegerChoices):
    """Derived from dates, never stored (DESIGN decision 1). Red, green and blue on the wall."""

    NOT_STARTED = 1, "前期"
    UNDER_CONSTRUCTION = 2, "开工"
    FINISHED = 3, "完工"


class Risk(models.TextChoices):
    """How far behind plan a project is, by the policy's points. A mark in words, never a stage colour."""

    NORMAL = "normal", "正常"
    BEHIND = "behind", "滞后"
    FAR_BEHIND = "far_behind", "严重滞后"
    UNREPORTED = "unreported", "未报"


class StageEvent(models.TextChoices):
    START = "start", "开工"
    COMPLETION = "completion", "完工"


class Provenance(models.TextChoices):
    """Where a project's row comes from; everything invented is labelled."""

    OWN = "own", "本办录入"
    PUBLIC = "public", "公开报道"
    LIKELY = "likely", "公开报道（推定）"
    DEMO = "demo", "演示数据"


class Nature(models.TextChoices):
    NEW = "new", "新建"
    EXTENSION = "extension", "改扩建"
    UPGRADE = "upgrade", "提标改造"
    RESTORATION = "restoration", "治理修复"


class SourceKind(models.TextChoices):
    CENTRAL = "central", "中央资金"
    PROVINCE = "province", "省级资金"
    CITY = "city", "市级资金"
    COUNTY = "county", "县级资金"
    SPECIAL_BOND = "special_bond", "专项债券"
    GENERAL_BOND = "general_bond", "一般债券"
    PRIVATE = "private", "社会资本"
    OWN = "own", "自筹"


class PermitKind(models.TextChoices):
    """Permit dictionary of water projects (前期手续)."""

    APPROVAL = "approval", "项目建议书/立项"
    FEASIBILITY = "feasibility", "可行性研究"
    PRELIMINARY_DESIGN = "preliminary_design", "初步设计及概算"
    LAND_PREREVIEW = "land_prereview", "用地预审与选址"
    FOREST_RIVER_LAND = "forest_river_land", "林地/河湖用地"
    LAND_USE = "land_use", "用地规划许可"
    PLANNING_PERMIT = "planning_permit", "工程规划许可"
    EIA = "eia", "环境影响评价"
    SOIL_CONSERVATION = "soil_conservation", "水土保持"
    FLOOD_ASSESSMENT = "flood_assessment", "洪水影响评价（涉河建设方案）"
    WATER_INTAKE = "water_intake", "取水许可"
    OUTFALL = "outfall", "入河排污口设置"
    STABILITY_RISK = "stability_risk", "社会稳定风险评估"
    BUDGET_REVIEW = "budget_review", "财政评审"
    TENDER = "tender", "招标"
    DRAWING_REVIEW = "drawing_review", "施工图审查"
    CONSTRUCTION_PERMIT = "construction_permit", "施工许可/开工备案"
    QUALITY_SUPERVISION = "quality_supervision", "质量安全监督"


class PermitState(models.TextChoices):
    """Derived from a permit's dates as of a day."""

    NOT_NEEDED = "not_needed", "无办理项"
    NOT_SUBMITTED = "not_submitted", "未办理"
    IN_PROGRESS = "in_progress", "办理中"
    OBTAINED = "obtained", "已办结"


class DispatchState(models.TextChoices):
    DRAFT = "draft", "草稿"
    SUBMITTED = "submitted", "待核"
    RETURNED = "returned", "退回"
    ACCEPTED = "accepted", "已核"


class ProblemCategory(models.TextChoices):
    PERMIT = "permit", "手续"
    LAND = "land", "用地"
    FUNDS = "funds", "资金"
    TECHNICAL = "technical", "技术"
    CONSTRUCTION = "construction", "施工"
    RESPONSIBILITY = "responsibility", "主体责任"
    CROSS_COUNTY = "cross_county", "跨县"


class ProblemState(models.TextChoices):
    """Derived from a problem's dates as of a day."""

    WAITING = "waiting", "待办"  # raised, nobody has begun
    HANDLING = "handling", "办理"
    ANSWERED = "answered", "待核"  # the handler says it is solved; the office has not checked yet
    CLOSED = "closed", "销号"


class WeekState(models.TextChoices):
    """Of a reporting week, from its times."""

    AHEAD = "ahead", "未开放"
    OPEN = "open", "填报中"
    LATE = "late", "已截止，可补报"
    LOCKED = "locked", "已锁定"


class HelpLevel(models.IntegerChoices):
    """Four levels of help for a problem (office.md)."""

    OFFICE = 1, "一级：专班办分析"
    DEPARTMENTS = 2, "二级：部门会商"
    CITY_LEADERS = 3, "三级：市领导协调"
    PROVINCE = 4, "四级：报省专班"


class StopKind(models.TextChoices):
    """Why works stand still with approval."""

    WINTER = "winter", "冬休"
    ORDER = "order", "停工令"
    FLOOD = "flood", "汛期停工"
    OTHER = "other", "其他批准停工"
