"""What the wall shows as plain tables, for those who go on with it in a spreadsheet program."""

import datetime as dt

from linfen_water import csv_text
from monitoring import maps as water_maps
from monitoring.enums import Level, WaterClass
from projects.enums import Provenance, Stage
from projects.facts import ProjectFacts

PROJECTS = [
    "编号", "省定序号", "项目名称", "县（市、区）", "领域", "状态", "实际开工", "实际完工", "计划完工",
    "总体进度（%）", "总投资（万元）", "经度", "纬度", "数据性质", "数据截至",
]  # fmt: skip
SECTIONS = ["断面", "河流", "责任县（市、区）", "级别", "水质类别", "月份", "目标", "经度", "纬度", "点位说明", "数据截至"]


def projects(facts: list[ProjectFacts], day: dt.date) -> str:
    """The projects on the list on `day`, one a line."""
    return csv_text.table(PROJECTS, (_project(f, day) for f in facts))


def _project(f: ProjectFacts, day: dt.date) -> tuple:
    planned = f.forecast_finish_on or f.baseline_finish_on
    return (
        f.code, f.number, f.name, f.county, f.domain, Stage(f.stage).label, f.started_on, f.completed_on, planned,
        f.physical_progress, f.total_investment_wan, f.lon, f.lat, Provenance(f.provenance).label, day,
    )  # fmt: skip


def sections(states: list[water_maps.SectionState], day: dt.date) -> str:
    """The sections in force on `day` with the class known on it; a section without a class was not assessed."""
    return csv_text.table(SECTIONS, (_section(s, day) for s in states))


def _section(s: water_maps.SectionState, day: dt.date) -> tuple:
    now, target = (WaterClass(c).label if c else None for c in (s.water_class, s.target))
    month = f"{s.month:%Y-%m}" if s.month else None
    return s.name, s.river, s.county, Level(s.level).label, now or "未监测", month, target, s.lon, s.lat, s.coord_quality, day
