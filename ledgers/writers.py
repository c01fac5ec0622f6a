"""The writers of the ledgers that there are: each goes through the services that own its rows."""

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from django import forms
from django.db.models import QuerySet

from ledgers import cells
from ledgers.cells import matchable
from ledgers.permissions import may_take_in
from ledgers.writing import Field, Writer, WrittenRow, batches
from linfen_water import clock
from linfen_water.models import User
from linfen_water.permissions import is_county, is_department, is_office
from linfen_water.workbook import Cell
from projects import funds, permit_rules, permit_services, problem_services, services
from projects.enums import PermitKind, ProblemCategory
from projects.forms import DayField, LongTextField, RevisionForm
from projects.funds_rules import ZERO, apart, apart_words
from projects.models import Permit, Problem, Project, ProjectVersion
from projects.permissions import dispatched_projects, permit_fields, visible_projects
from projects.permit_forms import LABELS, MOST_WORKDAYS, TextField
from projects.problem_permissions import may_direct, may_handle, visible_problems
from projects.rules import Fault
from projects.services import VERSIONED

NO_CHAIN = "~"  # behind all counties


def project_scope(by: User | None):
    return Project.objects.all() if by is None else visible_projects(by, clock.today())


def project_names(by: User | None, day: dt.date) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for code, name in project_scope(by).as_of(day).values_list("code", "v__name"):
        found.setdefault(matchable(name), []).append(code)
    return found


def in_batches(pks: Collection[int], read: Callable[[Collection[int]], Iterable[Any]]) -> list[Any]:
    """Rows by keys: SQLite takes 250,000 arguments at once, PostgreSQL 65,535."""
    return [row for portion in batches(sorted(pks), 20_000) for row in read(portion)]


def lock_projects(pks: Iterable[int]) -> None:
    """In the order of their keys, so that two who lock several never wait for each other."""
    in_batches(set(pks), lambda some: Project.objects.select_for_update().filter(pk__in=some).order_by("pk").values_list("pk"))


def lock_projects_of(rows: QuerySet, pks: Collection[int]) -> None:
    """The projects that these of `rows` belong to."""
    lock_projects(in_batches(pks, lambda some: rows.filter(pk__in=some).values_list("project", flat=True)))


def chains_of(projects: Iterable[int]) -> dict[int, str]:
    """The trail's chain of each of `projects`: the county that it lies in now."""
    current = ProjectVersion.objects.filter(effective_to=None)
    return dict(in_batches(set(projects), lambda some: current.filter(project__in=some).values_list("project", "county__code")))


# ── 工程总台账 ──────────────────────────────────────────────────────────────────────────────────────────────────────

_REVISED = RevisionForm.base_fields


def _revised(label: str, name: str, kind: str = "text", **kwargs) -> Field:
    return Field(label=label, clean=_REVISED[name], kind=kind, is_clearable=not _REVISED[name].required, **kwargs)


def apart_words_of(project: int) -> str:
    """By how much the project's sources miss its total investment today, in words."""
    day, scope = clock.today(), Project.objects.filter(pk=project)
    plans = funds.plans_on(day, scope).get(project, [])
    total = scope.as_of(day).values_list("v__total_investment_wan", flat=True).first() or ZERO
    return apart_words(apart(total, [planned for _, planned in plans]))


class MasterWriter(Writer):
    """A project: what its version holds, in force from today."""

    slug = "master"
    name_column = "name"
    fields = {
        "name": _revised("项目名称", "name"),
        "county": _revised("县（市、区）", "county", "county"),
        "total_investment_wan": _revised("总投资", "total_investment_wan", "money"),
        "owner": _revised("项目业主", "owner"),
        "responsible_unit": _revised("责任单位", "responsible_unit", "unit"),
        "lead_unit": _revised("牵头部门", "lead_unit", "unit"),
        "sponsor_post": _revised("包联领导", "sponsor_post"),
        "baseline_start_on": _revised("基线开工", "baseline_start_on", "date", month_is=cells.FIRST),
        "baseline_finish_on": _revised("基线完工", "baseline_finish_on", "date", month_is=cells.LAST),
    }
    synonyms = {
        "code": ("项目编号", "工程编号", "项目编码", "项目代码", "市编号"),
        "number": ("省序号", "省定编号", "省级序号"),
        "name": ("工程名称", "项目", "工程项目名称", "名称", "工程项目", "建设项目名称"),
        "county": ("县区", "县市区", "所属县区", "所在县区", "县(市区)", "所属县(市、区)", "建设地点", "区县"),
        "domain": ("所属领域", "类别", "项目类别", "项目类型"),
        "nature": ("性质",),
        "scale": ("建设内容", "建设内容及规模", "主要建设内容", "建设规模", "建设规模及内容", "主要建设内容及规模"),
        "total_investment_wan": ("总投资额", "概算总投资", "投资总额", "项目总投资", "估算总投资", "投资规模", "计划总投资"),
        "owner": ("业主单位", "项目单位", "建设单位", "项目法人", "业主"),
        "responsible_unit": ("责任主体", "实施主体", "责任部门", "实施单位"),
        "lead_unit": ("牵头单位", "市直牵头部门", "市级牵头部门", "主管部门", "行业主管部门"),
        "sponsor_post": ("包联市领导", "包联县级领导", "包保领导", "责任领导"),
        "baseline_start_on": ("计划开工", "计划开工时间", "计划开工日期", "基线开工日期", "时间计划开工", "开工时限", "基线开工时间"),
        "baseline_finish_on": (
            "计划完工", "计划完工时间", "计划完工日期", "基线完工日期", "计划竣工时间", "时间计划完工", "完工时限", "完成时限",
            "基线完工时间",
        ),
        "forecast_start_on": ("预计开工时间", "预计开工日期"),
        "forecast_finish_on": ("预计完工时间", "预计完工日期", "预计竣工时间"),
        "started_on": ("开工时间", "开工日期", "实际开工时间", "实际开工日期", "时间实际开工"),
        "completed_on": ("完工时间", "完工日期", "实际完工时间", "实际完工日期", "竣工时间", "时间实际完工"),
        "stage": ("项目状态", "目前状态", "建设阶段"),
        "physical_progress": ("形象进度", "工程进度", "完成进度", "总进度"),
        "in_place_wan": ("到位资金", "资金到位", "累计到位资金"),
        "invested_wan": ("完成投资", "累计投资", "已完成投资"),
    }  # fmt: skip

    def may_take_in(self, user: User) -> bool:
        return may_take_in(user)

    def remark(self, pk: int, columns: Collection[str]) -> str:
        words = apart_words_of(pk) if "total_investment_wan" in columns else ""
        return words and f"{words}，请到资金台账核对。"

    def index(self, by: User | None, day: dt.date) -> dict[tuple[str, ...], int]:
        return {(matchable(code).upper(),): pk for code, pk in project_scope(by).as_of(day).values_list("code", "pk")}

    def names(self, by: User | None, day: dt.date) -> dict[str, list[str]]:
        return project_names(by, day)

    def rows(self, pks: Collection[int], *, by: User | None, lock: bool = False) -> dict[int, WrittenRow]:
        if lock:
            lock_projects(pks)
        held = frozenset(self.fields) if by is None or may_take_in(by) else frozenset()
        shown = project_scope(by).order_by().values("pk")
        current = ProjectVersion.objects.filter(project__in=shown, effective_to=None)
        related = current.select_related("project", "county", "lead_unit", "responsible_unit")
        versions = in_batches(pks, lambda some: related.filter(project__in=some))
        return {
            version.project_id: WrittenRow(
                pk=version.project_id,
                key=version.project.code,
                values={name: getattr(version, name) for name in VERSIONED},
                held=held,
                version=version.pk,
                chain=version.county.code,
                about=version,
            )
            for version in versions
        }

    def faults(self, row: WrittenRow, values: Mapping[str, Any], reason: str, day: dt.date) -> Iterable[Fault]:
        current: ProjectVersion = row.about
        for fault in services.revision_faults(current, row.values | dict(values), list(values), day, reason, day):
            if fault.field == "effective_from":
                yield Fault("code", fault.sentence)
            elif fault.field.startswith("baseline"):
                yield Fault(fault.field, f"{fault.sentence}请核对这两个日期。")
            else:
                yield fault

    def save(self, row: WrittenRow, values: Mapping[str, Any], *, by: User | None, reason: str) -> None:
        services.revise_project(
            project=row.about.project, effective_from=clock.today(), reason=reason, by=by, seen=row.version, **dict(values)
        )


# ── 前期手续台账 ────────────────────────────────────────────────────────────────────────────────────────────────────

PERMIT_WORDS = {
    "立项": "approval", "项目建议书": "approval", "立项批复": "approval", "项目建议书(立项)": "approval",
    "可研": "feasibility", "可研批复": "feasibility", "可行性研究报告": "feasibility",
    "初设": "preliminary_design", "初步设计": "preliminary_design", "初设批复": "preliminary_design", "初步设计批复": "preliminary_design",
    "用地预审": "land_prereview", "选址": "land_prereview", "用地预审与选址意见书": "land_prereview",
    "林地": "forest_river_land", "使用林地": "forest_river_land", "河湖用地": "forest_river_land",
    "用地规划": "land_use", "建设用地规划许可证": "land_use", "建设用地规划许可": "land_use",
    "工程规划": "planning_permit", "建设工程规划许可证": "planning_permit", "建设工程规划许可": "planning_permit",
    "环评": "eia", "环评批复": "eia", "环境影响评价批复": "eia", "环境影响评价文件": "eia",
    "水保": "soil_conservation", "水土保持方案": "soil_conservation", "水保方案": "soil_conservation",
    "洪评": "flood_assessment", "洪水影响评价": "flood_assessment", "涉河建设方案": "flood_assessment", "防洪评价": "flood_assessment",
    "取水": "water_intake", "取水许可证": "water_intake", "排污口": "outfall", "入河排污口": "outfall", "排污口设置": "outfall",
    "稳评": "stability_risk", "社会稳定风险": "stability_risk", "财评": "budget_review", "财政投资评审": "budget_review",
    "招投标": "tender", "招标投标": "tender", "施工图": "drawing_review", "图审": "drawing_review",
    "施工许可": "construction_permit", "施工许可证": "construction_permit", "开工备案": "construction_permit",
    "开工报告": "construction_permit",
    "质监": "quality_supervision", "质量监督": "quality_supervision", "质安监督": "quality_supervision",
}  # fmt: skip


def _permit_text(name: str, length: int) -> Field:
    return Field(label=LABELS[name], clean=TextField(LABELS[name], length))


def _permit_day(name: str) -> Field:
    return Field(label=LABELS[name], clean=DayField(label=LABELS[name], required=False), kind="date", empty=None)


PROJECT_SYNONYMS = {name: MasterWriter.synonyms[name] for name in ("code", "name", "county")}


class ProjectPartWriter(Writer):
    """A row that is a part of a project: known by the project's code and a word of its own."""

    name_column = "name"

    def names(self, by: User | None, day: dt.date) -> dict[str, list[str]]:
        return project_names(by, day)


class PermitWriter(ProjectPartWriter):
    """A permit of a project: the fields that the person holds in it (`permit_rules.held_fields`)."""

    slug = "permits"
    key = ("code", "kind")
    not_here = "不从台账导入，请在项目页或手续页中填写"
    unknown_row = "这个项目没有列这项手续（或清单上没有这个项目）：请核对编号和事项；新的手续请先在项目的手续页添加。"
    fields = {
        "required": Field(
            label="是否需要", clean=forms.BooleanField(required=False), kind="boolean", is_clearable=False, own="is_required"
        ),
        "authority": Field(label="受理机关", clean=forms.CharField(required=False), kind="unit", empty=None),
        "submitted_on": _permit_day("submitted_on"),
        "promised_workdays": Field(
            label="承诺时限（工作日）",
            clean=forms.IntegerField(
                required=False,
                min_value=0,
                max_value=MOST_WORKDAYS,
                error_messages={
                    "invalid": "请填整数，单位为工作日。",
                    "min_value": "不能小于 0。",
                    "max_value": f"不能大于 {MOST_WORKDAYS}。",
                },
            ),
            kind="integer",
            empty=None,
        ),
        "obtained_on": _permit_day("obtained_on"),
        "doc_number": _permit_text("doc_number", 60),
        "valid_until": Field(
            label="有效期至", clean=DayField(label="有效期至", required=False), kind="date", empty=None, month_is=cells.LAST
        ),
        "note": _permit_text("note", 200),
        "parallel_group": _permit_text("parallel_group", 20),
        "helper_post": _permit_text("helper_post", 30),
    }
    synonyms = {
        **PROJECT_SYNONYMS,
        "kind": ("手续", "手续名称", "事项名称", "审批事项", "前期手续", "手续事项"),
        "required": ("需要办理", "是否办理", "是否需办理"),
        "state": ("办理状态", "办理情况"),
        "authority": ("审批部门", "审批机关", "受理部门", "审批单位", "办理部门"),
        "submitted_on": ("报送日期", "报送时间", "申报日期", "申报时间", "上报时间"),
        "promised_workdays": ("承诺时限", "承诺办结时限", "办理时限"),
        "obtained_on": ("办结日期", "办结时间", "批复日期", "批复时间", "取得时间"),
        "doc_number": ("批复文号", "批文号", "文件号", "证号"),
        "valid_until": ("有效期", "有效期限"),
        "note": ("卡点", "存在问题", "卡点堵点", "备注"),
        "helper_post": ("帮办人(岗位)", "帮办"),
    }  # fmt: skip

    def may_take_in(self, user: User) -> bool:
        return is_office(user) or is_department(user) or is_county(user)

    def index(self, by: User | None, day: dt.date) -> dict[tuple[str, ...], int]:
        shown = project_scope(by).as_of(day).order_by().values("pk")
        found = Permit.objects.filter(project__in=shown).order_by().values_list("project__code", "kind", "pk")
        return {(matchable(code).upper(), kind): pk for code, kind, pk in found}

    def key_text(self, column: str, cell: Cell, year: int | None = None) -> str:
        if column != "kind":
            return super().key_text(column, cell, year)
        return _KINDS.get(matchable(cells.words(cell)), "")

    def rows(self, pks: Collection[int], *, by: User | None, lock: bool = False) -> dict[int, WrittenRow]:
        scope = project_scope(by)
        if lock:
            lock_projects_of(Permit.objects.all(), pks)
        permits = in_batches(
            pks,
            lambda some: Permit.objects.filter(pk__in=some, project__in=scope.order_by().values("pk")).select_related(
                "authority", "project"
            ),
        )
        own = set(dispatched_projects(by).values_list("pk", flat=True)) if by is not None and is_county(by) else set()
        counties = chains_of(permit.project_id for permit in permits)
        return {permit.pk: self._row(permit, by, own, counties) for permit in permits}

    def _row(self, permit: Permit, by: User | None, own: Collection[int], counties: Mapping[int, str]) -> WrittenRow:
        held = permit_fields(by, permit, is_own_project=permit.project_id in own)
        return WrittenRow(
            pk=permit.pk,
            key=f"{permit.project.code} {PermitKind(permit.kind).label}",
            values={name: getattr(permit, field.own or name) for name, field in self.fields.items()},
            held=frozenset(name for name, field in self.fields.items() if (field.own or name) in held),
            version=permit.edit_version,
            chain=counties.get(permit.project_id, NO_CHAIN),
            about=permit,
        )

    def faults(self, row: WrittenRow, values: Mapping[str, Any], reason: str, day: dt.date) -> Iterable[Fault]:
        new = {(self.fields[name].own or name): value for name, value in (row.values | dict(values)).items()}
        authority = new.pop("authority")
        paper = permit_rules.Paper(kind=PermitKind(row.about.kind), authority=authority.name if authority else "", **new)
        for fault in permit_rules.check(paper, day):
            yield Fault("required" if fault.field == "is_required" else fault.field, fault.sentence)

    def save(self, row: WrittenRow, values: Mapping[str, Any], *, by: User | None, reason: str) -> None:
        own = {(self.fields[name].own or name): value for name, value in values.items()}
        permit_services.save_permit(permit=row.about, by=by, version=row.version, values=own, reason=reason)


_KINDS = {matchable(kind.label): kind.value for kind in PermitKind} | {matchable(word): kind for word, kind in PERMIT_WORDS.items()}


# ── 问题台账 ────────────────────────────────────────────────────────────────────────────────────────────────────────

CATEGORY_WORDS = {
    "审批手续": "permit",
    "前期手续": "permit",
    "征地": "land",
    "征地拆迁": "land",
    "资金问题": "funds",
    "责任": "responsibility",
}


class ProblemWriter(Writer):
    """An open problem: what the office assigns; its handler the measures. Levels and closing have steps of their own."""

    slug = "problems"
    not_here = "不从台账导入：级别、进展和销号请在问题页办理"
    unknown_row = "没有这个编号的问题：请核对；新的问题请先在问题页提出。"
    fields = {
        "category": Field(
            label="类别",
            clean=forms.CharField(),
            kind="choice",
            is_clearable=False,
            choices=tuple(ProblemCategory.choices),
            synonyms={
                "审批手续": "permit",
                "前期手续": "permit",
                "征地": "land",
                "征地拆迁": "land",
                "资金问题": "funds",
                "责任": "responsibility",
            },
        ),
        "description": Field(label="描述", clean=LongTextField(label="描述"), kind="long", is_clearable=False),
        "handler": Field(label="承办单位", clean=forms.CharField(required=False), kind="unit", empty=None),
        "assistants": Field(label="协办单位", clean=forms.CharField(required=False), kind="units", empty=None),
        "due_on": Field(label="整改时限", clean=DayField(label="整改时限", required=False), kind="date", empty=None, month_is=cells.LAST),
        "measures": Field(label="措施", clean=LongTextField(label="措施"), kind="long"),
    }
    synonyms = {
        "code": ("问题编号", "问题编码"),
        "project": ("项目名称", "工程名称", "所属项目"),
        "county": MasterWriter.synonyms["county"],
        "category": ("问题类别", "问题类型", "类型"),
        "description": ("问题描述", "存在问题", "问题", "具体问题", "问题内容", "主要问题"),
        "handler": ("承办", "责任单位", "整改单位", "承办部门"),
        "assistants": ("协办", "配合单位", "协办部门"),
        "due_on": ("时限", "整改期限", "完成时限", "办结时限", "整改完成时限"),
        "measures": ("整改措施", "解决措施", "工作措施"),
        "latest": ("进展", "进展情况", "整改进展"),
        "raised_on": ("提出日期", "提出时间"),
    }

    def may_take_in(self, user: User) -> bool:
        return is_office(user) or is_department(user) or is_county(user)

    def index(self, by: User | None, day: dt.date) -> dict[tuple[str, ...], int]:
        scope = Problem.objects.all() if by is None else visible_problems(by, day)
        found = scope.filter(raised_on__lte=day, code__isnull=False).order_by().values_list("code", "pk").distinct()
        return {(matchable(code).upper(),): pk for code, pk in found}

    def rows(self, pks: Collection[int], *, by: User | None, lock: bool = False) -> dict[int, WrittenRow]:
        scope = Problem.objects.all() if by is None else visible_problems(by, clock.today())
        if lock:
            lock_projects_of(Problem.objects.all(), pks)
        shown = scope.order_by().values("pk")
        found = in_batches(
            pks,
            lambda some: (
                Problem.objects.filter(pk__in=some).filter(pk__in=shown).select_related("handler", "project").prefetch_related("assistants")
            ),
        )
        counties = chains_of(problem.project_id for problem in found)
        return {problem.pk: self._row(problem, by, counties.get(problem.project_id, NO_CHAIN)) for problem in found}

    def _row(self, problem: Problem, by: User | None, chain: str) -> WrittenRow:
        values = {name: getattr(problem, name) for name in self.fields if name != "assistants"}
        values["assistants"] = sorted(problem.assistants.all(), key=lambda unit: unit.pk)
        return WrittenRow(
            pk=problem.pk,
            key=problem.code or "",
            values=values,
            held=self.held(problem, by),
            version=problem.edit_version,
            chain=chain,
            about=problem,
        )

    def held(self, problem: Problem, by: User | None) -> frozenset[str]:
        if problem.closed_on:
            return frozenset()
        if by is None or may_direct(by):
            return frozenset(self.fields)
        return frozenset({"measures"}) if may_handle(by, problem) else frozenset()

    def faults(self, row: WrittenRow, values: Mapping[str, Any], reason: str, day: dt.date) -> Iterable[Fault]:
        return problem_services.editing_faults(row.about, dict(values), reason)

    def save(self, row: WrittenRow, values: Mapping[str, Any], *, by: User | None, reason: str) -> None:
        problem_services.edit_problem(problem=row.about, by=by, version=row.version, reason=reason, **dict(values))


MASTER, PERMITS, PROBLEMS = MasterWriter(), PermitWriter(), ProblemWriter()
