"""The trail's own words for people: where an event comes from, what was done, what a stored value is called. Pure; no queries."""

import re
from typing import Any

from django.apps import apps
from django.db import models

from linfen_water.models import TrailEvent

FOLDED = 8  # digits of a fingerprint that a page shows
FINGERPRINT = re.compile(r"[0-9a-f]{32,}")

# First part of an address, and the pages that lie there.
PAGES = {
    "accounts": "登录与账号", "acceptance": "验收达效", "air": "空气质量排名", "archives": "工程档案", "assessment": "考核",
    "attachments": "附件", "calendar": "日历", "cases": "督办事项", "decisions": "议定事项", "dispatch": "周调度",
    "documents": "文书", "funds": "资金页", "inspections": "现场督导", "jobs": "后台任务", "lead": "领导页", "ledgers": "台账",
    "letters": "函件", "measures": "督办措施", "meetings": "会议", "morning": "早会单", "permits": "手续页", "photos": "现场照片",
    "problems": "问题页", "projects": "项目页", "readings": "水质数据", "sections": "断面", "wall": "挂图",
}  # fmt: skip
IN_PROJECT = {
    "permits": "手续页", "funds": "资金页", "photos": "现场照片", "acceptance": "验收达效", "archives": "工程档案",
    "targets": "年度任务", "revise": "变更基本信息", "stage": "开工完工登记", "scurve": "计划曲线",
}  # fmt: skip
IN_LEDGER = {"import": "导入", "bulk": "批量修改", "columns": "自设列", "define": "定义", "views": "视图", "cell": "单元格"}
# First part of an action, where nothing says from which page it comes.
BY_ACTION = {
    "dispatch": "周调度", "project": "项目页", "permit": "手续页", "problem": "问题页", "stage": "开工完工登记", "own": "台账页面",
    "readings": "水质数据", "section": "断面", "air": "空气质量排名", "funding": "资金页", "funds": "资金页", "document": "文书",
    "letter": "函件", "plan": "计划曲线", "attachment": "附件", "photo": "现场照片", "decision": "会议", "meeting": "会议",
    "inspection": "现场督导", "acceptance_fact": "验收达效", "load": "验收达效", "archive": "工程档案", "archive_item": "工程档案",
    "annual_target": "年度任务", "milestone": "年度任务", "provincial_term": "年度任务", "provincial_figure": "年度任务",
    "check_finding": "检查情况", "case": "督办事项", "morning": "早会单", "stop": "停工登记", "intake": "表格导入",
    "policy": "规则设置", "week": "填报时间", "account": "账号管理", "demo": "演示数据", "region": "区域数据", "scale": "模拟数据",
}  # fmt: skip
ORIGINS = {"page": "台账页面", "bulk": "台账页面批量修改", "undo": "撤销", "import": "导入", "feed": "自动接收", "command": "系统命令"}
VERBS = {
    "add": "登记", "edit": "修改", "withdraw": "撤销", "close": "办结", "reopen": "恢复", "revise": "修改", "set": "设置",
    "save": "保存", "make": "建立", "revoke": "停用", "pair": "配对", "record": "登记", "keep": "保存", "note": "记录进展",
    "load": "装入", "open": "建档", "answer": "反馈", "verify": "核实", "resume": "恢复", "lapse": "批准失效", "times": "调整时间",
    "active": "启停", "raise": "提出", "close_minutes": "纪要定稿", "reopen_minutes": "纪要退回修改", "site": "现场填写",
    "catalogue": "修改目录", "draft": "起草",
}  # fmt: skip


def source_of(event: TrailEvent) -> str:
    """Where an event says that it comes from."""
    kind, _, rest = event.origin.partition(" ")
    if not event.origin:
        return BY_ACTION.get(event.action.partition(".")[0], "页面" if event.by_id else "系统")
    if kind == "page" and rest:
        return place_of(rest)
    if kind == "import":
        return f"导入 {folded(rest)}".strip()
    return f"{ORIGINS[kind]} {rest}".strip() if kind in ORIGINS else event.origin


def place_of(path: str) -> str:
    """The page at an address: 工程总台账导入, 手续页."""
    parts = [part for part in path.split("/") if part]
    if parts[:1] == ["ledgers"] and len(parts) > 1:
        return ledger_title(parts[1]) + (IN_LEDGER.get(parts[2], "") if len(parts) > 2 else "")
    if parts[:1] == ["projects"] and len(parts) > 2:
        return f"{parts[1]} {IN_PROJECT.get(parts[2], '项目页')}"
    return PAGES.get(parts[0], "其他页面") if parts else "首页"


def ledger_title(slug: str) -> str:
    """Of a ledger of the registry; of one that the office made its number, since its title may have changed since."""
    from ledgers.registry import LEDGERS  # it needs the history, which needs what is here

    if slug in LEDGERS:
        return LEDGERS[slug].title
    return f"自建台账{slug.removeprefix('own-')}" if slug.startswith("own-") else "台账"


def folded(text: str) -> str:
    """With fingerprints of files cut to their first digits: who compares them finds the whole beside it."""
    text = re.sub(r"^[0-9a-f]{16}(?= )", lambda found: found[0][:FOLDED], text)
    return FINGERPRINT.sub(lambda found: f"{found[0][:FOLDED]}…", text)


def value_word(subject_type: str, name: str, value: Any) -> Any:
    """A stored value as people call it: a choice by its label, a ledger by its title; any other as it is."""
    if name == "ledger" and isinstance(value, str) and value:
        return ledger_title(value)
    field = field_of(subject_type, name)
    if field is None or not field.choices or isinstance(value, bool) or not isinstance(value, (str, int)):
        return value
    return dict(field.flatchoices).get(value, value)


def field_of(subject_type: str, name: str) -> models.Field | None:
    """The field that an event's change speaks of; of a project it may be one of its version."""
    for kind in ("projectversion", "project") if subject_type == "project" else (subject_type,):
        model = models_by_name().get(kind)
        for field in model._meta.get_fields() if model else ():
            if field.name == name and isinstance(field, models.Field):
                return field
    return None


def models_by_name() -> dict[str, type[models.Model]]:
    return {model._meta.model_name: model for model in apps.get_models() if model._meta.model_name}
