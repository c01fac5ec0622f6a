"""Writers of the ledgers whose rows people keep by hand (`projects.records`), of sources of money and of archive items."""

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from django import forms
from django.db.models import OuterRef, QuerySet, Subquery

from ledgers import cells
from ledgers.cells import matchable
from ledgers.meetings import CHECK, DECISION, visible_checks, visible_decisions
from ledgers.writers import (
    NO_CHAIN,
    PROJECT_SYNONYMS,
    ProjectPartWriter,
    apart_words_of,
    chains_of,
    in_batches,
    lock_projects_of,
    project_scope,
)
from ledgers.writing import Field, Writer, WrittenRow
from linfen_water import clock
from linfen_water.models import User
from linfen_water.permissions import is_office
from linfen_water.workbook import Cell
from projects import archives, funds_services, records
from projects.enums import SourceKind
from projects.funds_forms import wan_field
from projects.models import FundingRevision, FundingSource
from projects.record_forms import typed_field
from projects.rules import Fault
from projects.site_models import ArchiveCheck, ArchiveItem

# ── 资金台账 ────────────────────────────────────────────────────────────────────────────────────────────────────────

SOURCE_WORDS = {
    "中央": "central", "中央预算内": "central", "中央预算内投资": "central", "中央财政": "central", "省": "province", "省级": "province",
    "省级财政": "province", "市": "city", "市级": "city", "市级财政": "city", "县": "county", "县级": "county", "县级财政": "county",
    "县(市、区)级": "county", "专项债": "special_bond", "地方政府专项债券": "special_bond", "一般债": "general_bond",
    "地方政府一般债券": "general_bond", "社会": "private", "社会投资": "private", "企业自筹": "own", "自筹资金": "own", "业主自筹": "own",
}  # fmt: skip
_SOURCES = {matchable(kind.label): kind.value for kind in SourceKind} | {matchable(word): kind for word, kind in SOURCE_WORDS.items()}


class FundsWriter(ProjectPartWriter):
    """A source of a project: what it is to give, in force from today. What came of it is reported week by week."""

    slug = "funds"
    key = ("code", "kind")
    not_here = "不从台账导入：到位、拨付、支付和完成投资在周调度中填报，下达文件在项目的资金页登记"
    unknown_row = "这个项目没有登记这个资金来源（或清单上没有这个项目）：请核对编号和来源；新的来源请先在项目的资金页登记。"
    fields = {"planned_wan": Field(label="计划额", clean=wan_field("计划额", min_value=0), kind="money", is_clearable=False)}
    synonyms = {
        **PROJECT_SYNONYMS,
        "kind": ("资金来源", "资金渠道", "来源渠道", "资金类别"),
        "planned_wan": ("计划", "计划投资", "计划资金", "计划数", "计划金额"),
        "issued_wan": ("下达", "下达资金", "已下达", "下达金额"),
        "papers": ("下达文号", "资金文号"),
        "in_place_wan": ("到位", "到位资金", "资金到位", "累计到位资金"),
        "allocated_wan": ("已拨付", "拨付资金"),
        "paid_wan": ("已支付", "支付资金"),
        "completed_wan": ("累计完成投资", "已完成投资"),
    }  # fmt: skip

    def remark(self, pk: int, columns: Collection[str]) -> str:
        if "planned_wan" not in columns:
            return ""
        words = apart_words_of(FundingSource.objects.values_list("project", flat=True).get(pk=pk))
        return words and f"{words}，请核对。"

    def may_take_in(self, user: User) -> bool:
        return is_office(user)

    def index(self, by: User | None, day: dt.date) -> dict[tuple[str, ...], int]:
        shown = project_scope(by).as_of(day).order_by().values("pk")
        found = FundingSource.objects.filter(project__in=shown).order_by().values_list("project__code", "kind", "pk")
        return {(matchable(code).upper(), kind): pk for code, kind, pk in found}

    def key_text(self, column: str, cell: Cell, year: int | None = None) -> str:
        return _SOURCES.get(matchable(cells.words(cell)), "") if column == "kind" else super().key_text(column, cell, year)

    def rows(self, pks: Collection[int], *, by: User | None, lock: bool = False) -> dict[int, WrittenRow]:
        shown = project_scope(by).order_by().values("pk")
        if lock:
            lock_projects_of(FundingSource.objects.all(), pks)
        last = FundingRevision.objects.filter(source=OuterRef("pk")).order_by("-effective_from")
        sources = FundingSource.objects.select_related("project").annotate(revised_on=Subquery(last.values("effective_from")[:1]))
        found = in_batches(pks, lambda some: sources.filter(pk__in=some, project__in=shown))
        counties, may = chains_of(source.project_id for source in found), by is None or is_office(by)
        return {
            source.pk: WrittenRow(
                pk=source.pk,
                key=f"{source.project.code} {source.get_kind_display()}",
                values={"planned_wan": source.planned_wan},
                held=frozenset(self.fields) if may and source.closed_on is None else frozenset(),
                version=source.edit_version,
                chain=counties.get(source.project_id, NO_CHAIN),
                about=source,
            )
            for source in found
        }

    def faults(self, row: WrittenRow, values: Mapping[str, Any], reason: str, day: dt.date) -> Iterable[Fault]:
        source: FundingSource = row.about
        yield from funds_services.plan_faults(source, source.revised_on, values["planned_wan"], day, reason)  # type: ignore[attr-defined]

    def save(self, row: WrittenRow, values: Mapping[str, Any], *, by: User | None, reason: str) -> None:
        funds_services.revise_plan(
            source=row.about, by=by, version=row.version, planned_wan=values["planned_wan"], effective_from=clock.today(), reason=reason
        )


# ── Rows kept by hand ───────────────────────────────────────────────────────────────────────────────────────────────


class RecordWriter(Writer):
    """Rows of one `records.Kind`, known by their number: the office writes what its page lets it write."""

    kind: records.Kind
    visible: Callable[[User | None, dt.date], QuerySet]
    related: tuple[str, ...] = ()
    many: tuple[str, ...] = ()

    def may_take_in(self, user: User) -> bool:
        return is_office(user)

    def index(self, by: User | None, day: dt.date) -> dict[tuple[str, ...], int]:
        return {(str(pk),): pk for pk in type(self).visible(by, day).order_by().values_list("pk", flat=True)}

    def rows(self, pks: Collection[int], *, by: User | None, lock: bool = False) -> dict[int, WrittenRow]:
        if lock:
            rows = self.kind.model.objects.select_for_update().order_by("pk")
            in_batches(pks, lambda some: rows.filter(pk__in=some).values_list("pk"))
        scope = type(self).visible(by, clock.today()).select_related(*self.related).prefetch_related(*self.many)
        held = frozenset(self.fields) if by is None or is_office(by) else frozenset()
        return {row.pk: self._row(row, held) for row in in_batches(pks, lambda some: scope.filter(pk__in=some))}

    def _row(self, row: Any, held: frozenset[str]) -> WrittenRow:
        stands = self.kind.values(row)
        return WrittenRow(
            pk=row.pk,
            key=f"{row.pk}",
            values={name: stands[name] for name in self.fields},
            held=held,
            version=row.edit_version,
            chain=self.chain(row),
            about=row,
        )

    def chain(self, row: Any) -> str:
        return NO_CHAIN

    def faults(self, row: WrittenRow, values: Mapping[str, Any], reason: str, day: dt.date) -> Iterable[Fault]:
        yield from self.kind.faults(self.kind.values(row.about) | dict(values))

    def save(self, row: WrittenRow, values: Mapping[str, Any], *, by: User | None, reason: str) -> None:
        records.edit(self.kind, row=row.about, by=by, version=row.version, reason=reason, **dict(values))  # type: ignore[arg-type]


def _typed(kind: records.Kind, name: str, how: str, **kwargs) -> Field:
    """A field of the row as its form has it; one that must be filled cannot be emptied."""
    own = kind.field(name)
    is_named = how in ("unit", "units")
    clean = forms.CharField(required=False) if is_named else typed_field(own)
    empty = "" if how in ("text", "long") else None
    label = str(own.verbose_name)
    return Field(label=label, clean=clean or forms.CharField(), kind=how, empty=empty, is_clearable=own.blank, **kwargs)


class DecisionWriter(RecordWriter):
    """A decided item: what the office wrote down of it. Progress, answer and closing have their own page."""

    slug = "decisions"
    kind = DECISION
    visible = staticmethod(visible_decisions)
    related, many = ("meeting", "lead_unit__county", "project", "problem"), ("assist_units",)
    not_here = "不从台账导入：会议、关联、进展和办结请在议定事项的页面办理"
    unknown_row = "没有这个编号的议定事项：请核对；新的议定事项请先在会议的页面登记。"
    fields = {
        "what": _typed(DECISION, "what", "long"),
        "lead_unit": _typed(DECISION, "lead_unit", "unit"),
        "assist_units": _typed(DECISION, "assist_units", "units"),
        "due_on": _typed(DECISION, "due_on", "date", month_is=cells.LAST),
        "frequency": Field(
            label="频次",
            clean=forms.CharField(),
            kind="choice",
            is_clearable=False,
            choices=tuple(DECISION.field("frequency").flatchoices),
            synonyms={"一次性": "once", "每天": "daily", "每周一次": "weekly", "每月一次": "monthly", "每季度": "quarterly"},
        ),
    }
    synonyms = {
        "code": ("事项编号", "议定事项编号"),
        "kind": ("会议", "会议名称"),
        "held_on": ("会议日期", "会议时间"),
        "what": ("事项", "议定内容", "工作任务", "任务", "决定事项", "事项内容"),
        "lead_unit": ("主办", "牵头单位", "责任单位", "承办单位", "主办部门"),
        "assist_units": ("协办", "配合单位", "协办部门"),
        "due_on": ("完成时限", "办结时限", "完成时间", "办理时限"),
        "frequency": ("报送频次", "反馈频次"),
        "latest": ("进展情况", "办理进展", "落实情况"),
    }

    def chain(self, row: Any) -> str:
        return row.lead_unit.county.code if row.lead_unit.county else NO_CHAIN


class CheckWriter(RecordWriter):
    """A finding of a weekly check, as the office wrote it down."""

    slug = "notices"
    kind = CHECK
    visible = staticmethod(visible_checks)
    related = ("unit__county", "project")
    not_here = "不从台账导入：期次、项目、反馈和核实请在检查情况的页面办理"
    unknown_row = "没有这个编号的检查情况：请核对；新的请先在检查情况的页面登记。"
    fields = {
        "on": _typed(CHECK, "on", "date"),
        "unit": _typed(CHECK, "unit", "unit"),
        "category": Field(
            label="类别",
            clean=forms.CharField(),
            kind="choice",
            is_clearable=False,
            choices=tuple(CHECK.field("category").flatchoices),
            synonyms={"进度": "progress", "质量": "quality", "安全": "safety", "环保": "environment", "档案": "archives"},
        ),
        "place": _typed(CHECK, "place", "text"),
        "text": _typed(CHECK, "text", "long"),
        "due_on": _typed(CHECK, "due_on", "date", month_is=cells.LAST),
    }
    synonyms = {
        "code": ("检查编号",),
        "on": ("检查时间",),
        "unit": ("责任单位", "被检查单位", "整改单位"),
        "category": ("问题类别", "问题类型", "检查类别"),
        "place": ("检查地点", "点位"),
        "text": ("发现问题", "存在问题", "问题描述", "问题内容"),
        "due_on": ("整改期限", "整改完成时限", "时限"),
        "answer": ("整改措施", "整改落实情况"),
    }

    def chain(self, row: Any) -> str:
        return row.unit.county.code if row.unit.county else NO_CHAIN


# ── 工程档案台账 ────────────────────────────────────────────────────────────────────────────────────────────────────


def _count(label: str, **kwargs) -> Field:
    errors = {"invalid": "请填整数。", "min_value": "不能小于 0。", "max_value": "数字过大。"}
    clean = forms.IntegerField(required=False, min_value=0, max_value=32_767, error_messages=errors)
    return Field(label=label, clean=clean, kind="integer", empty=None, **kwargs)


def _line(label: str, name: str) -> Field:
    return Field(label=label, clean=typed_field(ArchiveCheck._meta.get_field(name)) or forms.CharField())


class ArchiveWriter(ProjectPartWriter):
    """An archive item: how many there are to be, and what the check of today finds."""

    slug = "archives"
    key = ("code", "entry")
    not_here = "不从台账导入：目录和附件请在项目的“工程档案”页办理"
    unknown_row = "这个项目的档案没有这个目录项（或还没有建档）：请核对编号和目录项；先在项目的“工程档案”页建档。"
    fields = {
        "required": _count("应有", is_clearable=False),
        "present": _count("已有"),
        "pages": _count("页数"),
        "checker_post": _line("核对人", "checker_post"),
        "missing_note": _line("缺漏说明", "missing_note"),
    }
    synonyms = {
        **PROJECT_SYNONYMS,
        "entry": ("档案名称", "档案目录", "目录", "资料名称", "文件名称"),
        "required": ("应有份数", "应归档"),
        "present": ("已有份数", "实有", "已归档"),
        "pages": ("页",),
        "checker_post": ("核对人(岗位)", "核查人"),
        "missing_note": ("缺漏", "缺项说明", "缺漏情况"),
    }

    def may_take_in(self, user: User) -> bool:
        return is_office(user)

    def index(self, by: User | None, day: dt.date) -> dict[tuple[str, ...], int]:
        shown = project_scope(by).as_of(day).order_by().values("pk")
        found = ArchiveItem.objects.standing().filter(project__in=shown).order_by().values_list("project__code", "entry__name", "pk")
        return {(matchable(code).upper(), matchable(entry).upper()): pk for code, entry, pk in found}

    def rows(self, pks: Collection[int], *, by: User | None, lock: bool = False) -> dict[int, WrittenRow]:
        if lock:
            lock_projects_of(ArchiveItem.objects.all(), pks)
        scope = archives.items_on(archives.visible_items(by, clock.today()), clock.today()).select_related("project", "entry")
        found = in_batches(pks, lambda some: scope.filter(pk__in=some))
        counties = chains_of(row.project_id for row in found)
        held = frozenset(self.fields) if by is None or is_office(by) else frozenset()
        return {
            row.pk: WrittenRow(
                pk=row.pk,
                key=f"{row.project.code} {row.entry.name}",
                values={
                    "required": row.required,
                    "present": row.present,
                    "pages": row.pages,
                    "checker_post": row.checker_post or "",
                    "missing_note": row.missing_note or "",
                },
                held=held,
                version=row.edit_version,
                chain=counties.get(row.project_id, NO_CHAIN),
                about=row,
            )
            for row in found
        }

    def faults(self, row: WrittenRow, values: Mapping[str, Any], reason: str, day: dt.date) -> Iterable[Fault]:
        line = self._checked(row, values)
        if "present" in values and values["present"] is None:
            yield Fault("present", "已核对的份数不能清空：没有的请填 0。")
        for fault in archives.line_faults([line], (row.values | dict(values))["checker_post"]):
            if fault.field == "checker_post" and values.keys() == {"required"}:
                continue  # how many there are to be is no check
            yield Fault("missing_note" if fault.field.startswith("note-") else fault.field, fault.sentence)

    def save(self, row: WrittenRow, values: Mapping[str, Any], *, by: User | None, reason: str) -> None:
        if values.keys() == {"required"}:
            records.edit(archives.ITEM, row=row.about, by=by, version=row.version, reason=reason, **dict(values))  # type: ignore[arg-type]
            return
        post, line = (row.values | dict(values))["checker_post"], self._checked(row, values)
        archives.check_items(project=row.about.project, by=by, lines=[line], checker_post=post, is_said=True)

    def _checked(self, row: WrittenRow, values: Mapping[str, Any]) -> archives.Line:
        new = row.values | dict(values)
        return archives.Line(row.about, new["required"], new["present"] or 0, new["pages"], new["missing_note"], archives.stamp(row.about))


FUNDS, DECISIONS, CHECKS, ARCHIVES = FundsWriter(), DecisionWriter(), CheckWriter(), ArchiveWriter()
