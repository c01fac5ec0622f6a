"""The trail (留痕) as the office reads it: events chosen by who, when, what, on what and from where, in words. Reading only."""

import dataclasses
import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from django import forms
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.html import format_html

from ledgers.history import spell, spell_person
from ledgers.trail_words import VERBS, field_of, folded, models_by_name, source_of, value_word
from linfen_water.models import County, TrailEvent, User
from linfen_water.trail import OFFICE_CHAIN
from projects import dossier, problem_reports
from projects.enums import PermitKind
from projects.forms import DayField
from projects.models import Dispatch, FundingSource, Permit, Problem, Project, StageFact

# First part of an action, and what it is about.
KINDS = {
    "project": "项目基本信息",
    "stage": "开工完工",
    "dispatch": "周调度",
    "plan": "月计划",
    "permit": "手续",
    "problem": "问题",
    "funds": "资金",
    "funding": "资金",
    "attachment": "附件",
    "photo": "照片",
    "letter": "函件",
    "document": "文件",
    "decision": "会议议定事项",
    "inspection": "督查",
    "acceptance": "验收",
    "archive": "档案",
    "morning": "早会单",
    "stop": "停工",
    "own": "自建列与台账",
    "intake": "表格导入",
    "air": "空气质量",
    "readings": "水质数据",
    "section": "断面",
    "policy": "规则",
    "week": "填报时间",
    "channel": "提醒渠道",
    "account": "账号",
    "kiosk": "大屏",
    "region": "区域",
    "acceptance_fact": "验收",
    "load": "运行负荷",
    "archive_entry": "档案目录",
    "archive_item": "档案",
    "inspection_finding": "督查",
    "annual_target": "年度任务",
    "milestone": "年度任务",
    "provincial_term": "省定内容",
    "provincial_figure": "省调度数",
    "case": "督办事项",
    "meeting": "会议",
    "check_finding": "检查情况",
    "calendar": "日历订阅",
    "demo": "演示数据",
    "scale": "模拟数据",
}
ACTIONS = {
    **dossier.ACTIONS,
    **problem_reports.ACTIONS,
    "intake.file": "导入文件", "intake.alias": "记住名称", "intake.heading": "记住列名", "project.create": "列入清单",
    "project.revise": "变更基本信息", "account.create": "建立账号", "account.open": "启停账号", "account.reset": "重置密码",
    "policy.set": "修改规则", "policy.withdraw": "撤回规则", "document.draft": "起草文件", "document.write": "修改文件",
    "document.number": "编号", "document.issue": "印发", "document.withdraw": "撤回文件", "readings.take_in": "导入监测数据",
    "readings.withdraw": "撤回监测数据", "section.assess": "断面评价", "section.reassess": "重新评价", "letter.approve": "批准函件",
    "letter.answer": "回函", "letter.accept": "销号", "letter.review": "审核函件", "dispatch.chase": "催报", "own.column": "设置自建列",
    "own.ledger": "设置自建台账", "own.value": "填写自建列", "own.retire": "停用", "permit.save": "填写手续", "permit.list": "列出手续",
    "demo.load": "装入演示数据", "region.load": "装入区域",
}  # fmt: skip
BY_CODE = {  # subjects that people know by a code: model, and the path to it
    "project": (Project, "code"),
    "problem": (Problem, "code"),
    "dispatch": (Dispatch, "project__code"),
    "permit": (Permit, "project__code"),
    "fundingsource": (FundingSource, "project__code"),
    "stagefact": (StageFact, "project__code"),
}
HEADINGS = ["时间", "操作人", "事项", "对象", "编号", "变更内容", "理由", "来源", "链", "序"]
CHANGES_SHOWN, LONGEST = 12, 120


class TrailFilter(forms.Form):
    """How the office narrows the trail. Every field may be empty."""

    code = forms.CharField(label="项目或问题编号", required=False, max_length=40)
    kind = forms.ChoiceField(label="事项", required=False)
    by = forms.ChoiceField(label="操作人", required=False)
    chain = forms.ChoiceField(label="县（市、区）", required=False)
    origin = forms.CharField(label="来源（如文件名）", required=False, max_length=60)
    since = DayField(label="自", required=False)
    until = DayField(label="至", required=False)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        words = dict.fromkeys(KINDS.values())
        self.fields["kind"].choices = [("", "全部"), *((word, word) for word in words)]
        people = User.objects.select_related("unit").order_by("username")
        self.fields["by"].choices = [("", "全部"), ("system", "系统"), *((str(one.pk), f"{one.username}　{one}") for one in people)]
        counties = County.objects.order_by("code").values_list("code", "name")
        self.fields["chain"].choices = [("", "全部"), (OFFICE_CHAIN, "市级"), *counties]

    def clean(self):
        since, until = self.cleaned_data.get("since"), self.cleaned_data.get("until")
        if since and until and since > until:
            self.add_error("until", "不能早于开始日期。")
        return self.cleaned_data

    def chosen(self) -> QuerySet[TrailEvent]:
        """The events, the latest first; none while something typed is wrong."""
        found = TrailEvent.objects.select_related("by__unit").order_by("-pk")
        if not self.is_valid():
            return found.none()
        said = self.cleaned_data
        wanted = Q()
        if said["kind"]:
            for prefix in (prefix for prefix, word in KINDS.items() if word == said["kind"]):
                wanted |= Q(action__startswith=f"{prefix}.")
        if said["by"]:
            wanted &= Q(by=None) if said["by"] == "system" else Q(by=int(said["by"]))
        if said["chain"]:
            wanted &= Q(chain=said["chain"])
        if said["origin"]:
            wanted &= Q(origin__icontains=said["origin"])
        if said["since"]:
            wanted &= Q(at__gte=midnight(said["since"]))
        if said["until"]:
            wanted &= Q(at__lt=midnight(said["until"] + dt.timedelta(days=1)))
        if said["code"]:
            wanted &= about(said["code"])
        return found.filter(wanted)


def midnight(day: dt.date) -> dt.datetime:
    return timezone.make_aware(dt.datetime.combine(day, dt.time()))


def about(code: str) -> Q:
    """Events of all that bears the code, or lies in the project that does."""
    wanted = Q(pk__in=[])
    for kind, (model, path) in BY_CODE.items():
        pks = [str(pk) for pk in model.objects.filter(**{f"{path}__iexact": code.strip()}).order_by().values_list("pk", flat=True)[:5000]]
        wanted |= Q(subject_type=kind, subject_id__in=pks)
    return wanted


@dataclasses.dataclass(frozen=True)
class Word:
    """A value in words; `whole` is all of it where the page shows only a part."""

    text: str
    whole: str = ""

    def __str__(self) -> str:
        return self.text

    @property
    def drawn(self) -> str:
        return format_html('<span title="{}">{}</span>', self.whole, self.text) if self.whole else self.text


@dataclasses.dataclass(frozen=True)
class Line:
    """One event in words."""

    at: dt.datetime
    by: str
    action: str
    subject: str
    code: str
    changes: tuple[tuple[str, Word, Word], ...]  # field, old, new
    more: int  # changes that are not among them
    reason: str
    source: str
    origin: str  # the same as the trail keeps it
    chain: str
    position: int

    def cells(self) -> list[str]:
        """As a line of the CSV, in the order of HEADINGS."""
        changes = "；".join(f"{field}：{old} → {new}" for field, old, new in self.changes)
        at = timezone.localtime(self.at).strftime("%Y-%m-%d %H:%M:%S")
        return [at, self.by, self.action, self.subject, self.code, changes, self.reason, self.source, self.chain, str(self.position)]


def lines(events: Sequence[TrailEvent], *, is_whole: bool = False) -> Iterator[Line]:
    """The events in words; `is_whole` with all changes at full length. The queries do not depend on how many there are."""
    codes = codes_of(events)
    counties = dict(County.objects.values_list("code", "name"))
    for event in events:
        changes = list(spelled(event, LONGEST if not is_whole else None))
        shown = changes if is_whole else changes[:CHANGES_SHOWN]
        yield Line(
            at=event.at,
            by=spell_person(event.by),
            action=action_of(event.action),
            subject=model_name(event.subject_type),
            code=codes.get((event.subject_type, event.subject_id), ""),
            changes=tuple(shown),
            more=len(changes) - len(shown),
            reason=event.reason,
            source=source_of(event),
            origin=event.origin,
            chain=counties.get(event.chain, "市级" if event.chain == OFFICE_CHAIN else event.chain),
            position=event.position,
        )


def codes_of(events: Iterable[TrailEvent]) -> dict[tuple[str, str], str]:
    met = defaultdict(set)
    for event in events:
        if event.subject_type in BY_CODE and event.subject_id.isdigit():
            met[event.subject_type].add(int(event.subject_id))
    found = {}
    for kind, pks in met.items():
        model, path = BY_CODE[kind]
        more = ["kind"] if kind == "permit" else []
        for pk, code, *rest in model._base_manager.filter(pk__in=pks).order_by().values_list("pk", path, *more):
            found[kind, str(pk)] = " ".join([code or "", *(PermitKind(one).label for one in rest)]).strip()
    return found


def action_of(action: str) -> str:
    prefix, _, rest = action.partition(".")
    return ACTIONS.get(action) or f"{KINDS.get(prefix, '其他')}（{VERBS.get(rest, '办理')}）"


def spelled(event: TrailEvent, longest: int | None) -> Iterator[tuple[str, Word, Word]]:
    """Field, old and new value of each change; what an event keeps otherwise is its new value."""
    for name, change in event.changes.items():
        pair = change if isinstance(change, list) and len(change) == 2 else (None, change)
        old, new = (word(value_word(event.subject_type, name, value), longest) for value in pair)
        yield field_name(event.subject_type, name), old, new


def word(value, longest: int | None) -> Word:
    """The value at full length, or as much of it as stands in a line."""
    text = spell(value)
    if longest is None:
        return Word(text)
    shown = folded(text)
    shown = shown if len(shown) <= longest else f"{shown[:longest]}……"
    return Word(shown, text if shown != text else "")


def model_name(subject_type: str) -> str:
    model = models_by_name().get(subject_type)
    return str(model._meta.verbose_name) if model else subject_type


# What events keep that is no field of their row.
BESIDE = {
    "noted_on": "登记日", "on": "登记日", "version": "版次", "attachment": "附件", "created": "新建", "changed": "更改", "units": "单位",
    "messages": "消息", "retired": "停用", "calendar": "日历", "row": "行", "sha256": "文件摘要", "rows": "行数", "cells": "格数",
    "reviewed": "已审核",
}  # fmt: skip


def field_name(subject_type: str, name: str) -> str:
    field = field_of(subject_type, name)
    return str(field.verbose_name) if field else BESIDE.get(name, name)
