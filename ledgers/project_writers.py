"""Writers of what is kept about projects on the spot and after: visits, acceptance, the province's facts, the year's target.

A row of these ledgers shows the last of several dated facts. What is typed becomes such a fact, or corrects the one shown.
"""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from ledgers import annual, cells
from ledgers.cells import matchable
from ledgers.history import Entry, record_history
from ledgers.writers import (
    NO_CHAIN,
    PROJECT_SYNONYMS,
    ProjectPartWriter,
    chains_of,
    in_batches,
    lock_projects,
    project_scope,
)
from ledgers.writing import Field, WrittenRow
from linfen_water import clock
from linfen_water.models import User
from linfen_water.permissions import is_county, is_department, is_office
from linfen_water.workbook import Cell
from projects import acceptance, inspections, records, targets
from projects.forms import DayField
from projects.models import Project
from projects.permissions import dispatched_projects, reviewed_projects
from projects.record_enums import AcceptanceKind, TargetKind
from projects.record_forms import typed_field
from projects.rules import Fault
from projects.site_models import AcceptanceFact, Inspection
from projects.target_models import AnnualTarget, ProvincialFigure, ProvincialTerm


def typed(kind: records.Kind, name: str, how: str, *, label: str = "", **kwargs) -> Field:
    """A field of the row's form. Every cell may be empty; what must not be emptied is the writer's `faults` to say."""
    clean = None if how in ("unit", "units") else typed_field(kind.field(name))
    if clean is not None:
        clean.required = False
    empty = "" if how in ("text", "long") else None
    return Field(label=label or kind.label(name), clean=clean or forms.CharField(required=False), kind=how, empty=empty, **kwargs)


class OfProjects(ProjectPartWriter):
    """Rows that are found by the code of their project; the project is locked while they are written."""

    def listed(self, by: User | None, day: dt.date):
        """Keys of the projects on the list that `by` may read."""
        return project_scope(by).as_of(day).order_by().values("pk")

    def projects(self, pks: Collection[int], by: User | None, *, lock: bool) -> dict[int, Project]:
        if lock:
            lock_projects(pks)
        shown = Project.objects.filter(pk__in=self.listed(by, clock.today()))
        return {project.pk: project for project in in_batches(pks, lambda some: shown.filter(pk__in=some))}


# ── 现场督导台账 ────────────────────────────────────────────────────────────────────────────────────────────────────


PLACE = 10_000_000  # a visit that a table adds has the key -(project * PLACE + its day as a number) until it is saved
AHEAD = "日期 {} 在今天以后，只能登记为计划：现场进度和交办意见请到现场后再填。"
SEVERAL = "这个项目当日有两次以上督导，不知道是哪一次：请在各自的页面修改。"
MOVED = "原计划 {} 的督导实际在 {} 进行：请在表中改为实际的督导日期。"
NOT_VISITED = "这次督导还没有督导日期，不能填现场进度和交办意见：请先在督导的页面填写督导日期。"


class InspectionWriter(OfProjects):
    """A visit, known by its project and its day: the office writes all, a department what it entered itself.

    A day on which the project has no visit is a new one: made when the day has come, planned when it has not.
    """

    slug = "inspections"
    key = ("project_code", "code")
    not_here = "不从台账导入：督导日期、发现问题、照片、整改反馈和复查请在督导的页面办理"
    adds = "项目当日还没有督导的，按新的督导登记（须有带队；今天以后的只作计划）；已有的按表修改。"
    unknown_row = "清单上没有这个编号，或这个项目的督导不由您登记：请核对编号。"
    fields = {
        "leader_post": typed(inspections.INSPECTION, "leader_post", "text"),
        "units": typed(inspections.INSPECTION, "units", "units", label="部门"),
        "experts": typed(inspections.INSPECTION, "experts", "text"),
        "content": typed(inspections.INSPECTION, "content", "long"),
        "site_progress": typed(inspections.INSPECTION, "site_progress", "percent"),
        "demands": typed(inspections.INSPECTION, "demands", "long"),
        "due_on": typed(inspections.INSPECTION, "due_on", "date", label="整改时限", month_is=cells.LAST),
    }
    synonyms = {
        "project_code": PROJECT_SYNONYMS["code"],
        "name": PROJECT_SYNONYMS["name"],
        "county": PROJECT_SYNONYMS["county"],
        "code": ("督导日期", "督导时间", "检查日期", "检查时间", "现场督导日期"),
        "leader_post": ("带队领导", "带队人", "带队(岗位)"),
        "units": ("参加部门", "参加单位", "督导部门"),
        "experts": ("专家(专业)", "参加专家"),
        "content": ("督导内容", "检查情况", "督导情况"),
        "site_progress": ("现场形象进度", "实际进度"),
        "demands": ("交办事项", "整改要求", "督导意见"),
        "due_on": ("整改期限", "整改完成时限", "时限"),
        "answer": ("整改落实情况", "整改结果"),
    }

    def may_take_in(self, user: User) -> bool:
        return inspections.may_inspect(user)

    def visible(self, by: User | None, day: dt.date):
        return inspections.visible_inspections(by, day).filter(project__in=self.listed(by, day))

    def index(self, by: User | None, day: dt.date) -> dict[tuple[str, ...], int]:
        found = [
            ((matchable(code).upper(), (visited_on or planned_on).isoformat()), pk)
            for pk, code, visited_on, planned_on in self.visible(by, day)
            .order_by()
            .values_list("pk", "project__code", "visited_on", "planned_on")
        ]
        counted = Counter(key for key, _ in found)
        return {key: pk for key, pk in found if counted[key] == 1}

    def new_keys(self, keys: Iterable[tuple[str, ...]], *, by: User | None, day: dt.date) -> dict[tuple[str, ...], int | str]:
        codes = self.added_to(by, day).values_list("code", "pk")
        projects = {matchable(code).upper(): pk for code, pk in codes}
        known: dict[tuple[int, dt.date], list[dt.date]] = defaultdict(list)
        for project, planned_on, visited_on in self.visible(by, day).order_by().values_list("project", "planned_on", "visited_on"):
            for on in {planned_on, visited_on or planned_on}:
                known[project, on].append(visited_on or planned_on)
        found: dict[tuple[str, ...], int | str] = {}
        for code, text in keys:
            if project := projects.get(code):
                found[code, text] = self._new_key(project, text, known)
        return found

    def _new_key(self, project: int, text: str, known: Mapping[tuple[int, dt.date], list[dt.date]]) -> int | str:
        try:
            on = DayField().clean(text)
        except ValidationError as fault:
            return "".join(fault.messages)
        there = known.get((project, on), [])
        if len(there) > 1:
            return SEVERAL
        return MOVED.format(on, there[0]) if there else -(project * PLACE + on.toordinal())

    def added_to(self, by: User | None, day: dt.date):
        """Projects on the list whose visits `by` may enter."""
        mine = Project.objects.all() if by is None else inspections.inspected_projects(by, day)
        return Project.objects.filter(pk__in=self.listed(by, day)).filter(pk__in=mine.order_by().values("pk"))

    def key_text(self, column: str, cell: Cell, year: int | None = None) -> str:
        if column != "code":
            return super().key_text(column, cell, year)
        return "" if cells.is_nothing(cell) else cells.read_day(cell, year=year).isoformat()

    def rows(self, pks: Collection[int], *, by: User | None, lock: bool = False) -> dict[int, WrittenRow]:
        new = {pk: -pk // PLACE for pk in pks if pk < 0}
        pks = set(pks) - new.keys()
        if lock:
            theirs = in_batches(pks, lambda some: Inspection.objects.filter(pk__in=some).values_list("project", flat=True))
            lock_projects({*theirs, *new.values()})
        scope = self.visible(by, clock.today()).select_related("project", "by").prefetch_related("units")
        found = in_batches(pks, lambda some: scope.filter(pk__in=some))
        counties = chains_of([*(row.project_id for row in found), *new.values()])
        rows = {row.pk: self._row(row, by, counties.get(row.project_id, NO_CHAIN)) for row in found}
        scope = self.added_to(by, clock.today())
        places = {project.pk: project for project in in_batches(set(new.values()), lambda some: scope.filter(pk__in=some))}
        for pk, project in new.items():
            if project in places:
                rows[pk] = self._new_row(pk, places[project], counties.get(project, NO_CHAIN))
        return rows

    def _blank(self, row: WrittenRow) -> dict[str, Any]:
        """What stands in a row to be made before anything is typed; `row.values` may hold the office's own columns too."""
        return row.about | {name: row.values[name] for name in self.fields}

    def _new_row(self, pk: int, project: Project, chain: str) -> WrittenRow:
        on = dt.date.fromordinal(-pk % PLACE)
        stands = {"project": project, "planned_on": on, "visited_on": on if on <= clock.today() else None}
        values = {name: [] if field.kind == "units" else field.empty for name, field in self.fields.items()}
        return WrittenRow(
            pk=pk,
            key=f"{project.code} {on}",
            values=values,
            held=frozenset(self.fields),
            version=0,
            chain=chain,
            about=stands,
            is_new=True,
        )

    def _row(self, row: Inspection, by: User | None, chain: str) -> WrittenRow:
        stands = inspections.INSPECTION.values(row)
        return WrittenRow(
            pk=row.pk,
            key=f"{row.project.code} {row.visited_on or row.planned_on}",
            values={name: stands[name] for name in self.fields},
            held=frozenset(self.fields) if by is None or inspections.may_edit(by, row) else frozenset(),
            version=row.edit_version,
            chain=chain,
            about=row,
        )

    def faults(self, row: WrittenRow, values: Mapping[str, Any], reason: str, day: dt.date) -> Iterable[Fault]:
        new = (self._blank(row) if row.is_new else inspections.INSPECTION.values(row.about)) | dict(values)
        if new["leader_post"] == "":
            yield Fault("leader_post", "请填写带队的职务。")
        for fault in inspections.INSPECTION.faults(new):
            said = AHEAD.format(new["planned_on"]) if row.is_new else NOT_VISITED
            yield Fault("code", said) if fault.field == "visited_on" else fault

    def save(self, row: WrittenRow, values: Mapping[str, Any], *, by: User | None, reason: str) -> None:
        if row.is_new:
            row.pk = records.add(inspections.INSPECTION, by=by, reason=reason, **self._blank(row) | dict(values)).pk
            return
        records.edit(inspections.INSPECTION, row=row.about, by=by, version=row.version, reason=reason, **dict(values))


# ── 完工验收达效台账 ────────────────────────────────────────────────────────────────────────────────────────────────

STEPS = {  # column → the step of acceptance and the field of its fact
    "accepted_on": (AcceptanceKind.FINAL, "on"),
    "accepted_doc": (AcceptanceKind.FINAL, "doc_number"),
    "accounts_wan": (AcceptanceKind.ACCOUNTS, "amount_wan"),
    "handover_on": (AcceptanceKind.HANDOVER, "on"),
    "trial_start_on": (AcceptanceKind.TRIAL_START, "on"),
    "trial_end_on": (AcceptanceKind.TRIAL_END, "on"),
    "benefit": (AcceptanceKind.BENEFIT, "text"),
    "leftover": (AcceptanceKind.LEFTOVER, "text"),
}
DATED = {kind: name for name, (kind, own) in STEPS.items() if own == "on"}
FROM_TODAY = (AcceptanceKind.BENEFIT, AcceptanceKind.LEFTOVER)  # words that hold from when they are written


def _step(name: str, how: str, label: str) -> Field:
    return typed(acceptance.FACT, STEPS[name][1], how, label=label)


class AcceptanceWriter(OfProjects):
    """A finished project: what is typed becomes a step of its acceptance, or corrects the step that is shown."""

    slug = "acceptance"
    not_here = "不从台账导入：认定材料、专项验收和运行负荷请在项目的“验收达效”页登记"
    unknown_row = "完工项目中没有这个编号：请核对；还没有完工的，请先由单位在周调度中填报完工日期。"
    fields = {
        "accepted_on": _step("accepted_on", "date", "竣工验收日"),
        "accepted_doc": _step("accepted_doc", "text", "文号"),
        "accounts_wan": _step("accounts_wan", "money", "竣工决算"),
        "handover_on": _step("handover_on", "date", "移交"),
        "trial_start_on": _step("trial_start_on", "date", "试运行起"),
        "trial_end_on": _step("trial_end_on", "date", "试运行止"),
        "benefit": _step("benefit", "long", "效益量化"),
        "leftover": _step("leftover", "long", "遗留问题"),
    }
    synonyms = {
        **PROJECT_SYNONYMS,
        "completed_on": ("完工时间", "完工日期"),
        "accepted_on": ("竣工验收", "竣工验收日期", "竣工验收时间", "验收日期", "验收时间"),
        "accepted_doc": ("验收文号", "竣工验收文号", "验收批复文号"),
        "accounts_wan": ("竣工财务决算", "决算金额", "竣工决算金额", "决算"),
        "handover_on": ("移交日期", "移交时间", "移交管护"),
        "trial_start_on": ("试运行开始", "试运行开始日期", "试运行开始时间"),
        "trial_end_on": ("试运行结束", "试运行结束日期", "试运行结束时间"),
        "benefit": ("效益", "工程效益", "效益情况"),
        "leftover": ("存在问题", "遗留的问题"),
    }

    def may_take_in(self, user: User) -> bool:
        return is_office(user) or is_department(user) or is_county(user)

    def index(self, by: User | None, day: dt.date) -> dict[tuple[str, ...], int]:
        finished = acceptance.finished_projects(project_scope(by).as_of(day), day).order_by()
        return {(matchable(code).upper(),): pk for code, pk in finished.values_list("code", "pk")}

    def rows(self, pks: Collection[int], *, by: User | None, lock: bool = False) -> dict[int, WrittenRow]:
        found, day = self.projects(pks, by, lock=lock), clock.today()
        facts: dict[int, dict[str, AcceptanceFact]] = defaultdict(dict)
        standing = AcceptanceFact.objects.standing().filter(on__lte=day).order_by("on", "pk")
        for fact in in_batches(found, lambda some: standing.filter(project__in=some)):
            facts[fact.project_id][fact.kind] = fact
        counties, held = chains_of(found), self._held(found, by)
        return {
            pk: WrittenRow(
                pk=pk,
                key=project.code,
                values={name: self._value(facts[pk].get(kind), name, own) for name, (kind, own) in STEPS.items()},
                held=held.get(pk, frozenset()) - self._worded(facts[pk]),
                version=sum(fact.edit_version for fact in facts[pk].values()),
                chain=counties.get(pk, NO_CHAIN),
                about=(project, facts[pk]),
            )
            for pk, project in found.items()
        }

    def _value(self, fact: AcceptanceFact | None, name: str, own: str) -> Any:
        return self.fields[name].empty if fact is None else getattr(fact, own)

    def _held(self, pks: Collection[int], by: User | None) -> dict[int, frozenset[str]]:
        """As `acceptance.may_write` says, for all at once."""
        if by is None:
            return dict.fromkeys(pks, frozenset(self.fields))
        keys = [set(scope.values_list("pk", flat=True)) for scope in (dispatched_projects(by), reviewed_projects(by))]
        return {pk: frozenset(self.fields) for pk in pks if any(pk in some for some in keys)}

    def _worded(self, facts: Mapping[str, AcceptanceFact]) -> set[str]:
        """Words that the ledger shows together with a number: on its own a cell cannot say which is which."""
        return {name for name, (kind, own) in STEPS.items() if own == "text" and kind in facts and facts[kind].doc_number}

    def faults(self, row: WrittenRow, values: Mapping[str, Any], reason: str, day: dt.date) -> Iterable[Fault]:
        facts, undone = row.about[1], self._undone(row, values)
        values = {name: value for name, value in values.items() if STEPS[name][0] not in undone}
        for name, value in values.items():
            if value in (None, "") and STEPS[name][1] != "doc_number":
                yield Fault(name, "登记过的不能在表中清空：登记错了的请在项目的“验收达效”页撤销。")
        for kind, changed in self._by_step(values).items():
            if kind not in facts and "on" not in changed and kind not in FROM_TODAY:
                name = next(name for name in values if STEPS[name][0] == kind)
                where = f"请同时填写“{self.fields[DATED[kind]].label}”。" if kind in DATED else "请先在项目的“验收达效”页登记（须有日期）。"
                yield Fault(name, f"还没有登记{kind.label}：{where}")
            elif changed.get("on") and changed["on"] > day:
                yield Fault(DATED[kind], f"日期 {changed['on']} 晚于今天（{day}）：还没有发生的不登记。")

    def _undone(self, row: WrittenRow, values: Mapping[str, Any]) -> set[AcceptanceKind]:
        """Steps whose entry is taken back: it was never corrected, and nothing of it would be left."""
        found = set()
        for kind, changed in self._by_step(values).items():
            if (fact := row.about[1].get(kind)) and row.is_undone and fact.edit_version == 1 and ("on" in changed or kind in FROM_TODAY):
                left = {"doc_number": fact.doc_number, "amount_wan": fact.amount_wan, "text": fact.text} | changed
                found |= {kind} if all(value in (None, "") for value in left.values()) else set()
        return found

    def _by_step(self, values: Mapping[str, Any]) -> dict[AcceptanceKind, dict[str, Any]]:
        found: dict[AcceptanceKind, dict[str, Any]] = defaultdict(dict)
        for name, value in values.items():
            kind, own = STEPS[name]
            found[kind][own] = value
        return found

    def save(self, row: WrittenRow, values: Mapping[str, Any], *, by: User | None, reason: str) -> None:
        (project, facts), undone = row.about, self._undone(row, values)
        for kind, changed in self._by_step(values).items():
            fact = facts.get(kind)
            if fact and kind in undone:
                records.withdraw(acceptance.FACT, row=fact, by=by, version=fact.edit_version, reason=reason)
            elif fact:
                records.edit(acceptance.FACT, row=fact, by=by, version=fact.edit_version, reason=reason, **changed)
            else:
                new = {"kind": kind, "on": clock.today(), "doc_number": "", "amount_wan": None, "text": ""} | changed
                records.add(acceptance.FACT, by=by, reason=reason, project=project, **new)


def acceptance_history(pk: int, column: str, day: dt.date) -> list[Entry]:
    """Of a step's cell: every fact of its kind, corrected or taken back. What rules compute has none."""
    if column not in STEPS:
        return []
    kind, own = STEPS[column]
    return record_history(AcceptanceFact, AcceptanceFact.objects.filter(project=pk, kind=kind), own)


# ── 省定重点工程分台账 ──────────────────────────────────────────────────────────────────────────────────────────────

TERMS = ("category", "start_by", "finish_by", "benefit")
FIGURES = ("told_on", "told_wan")


class ProvincialWriter(OfProjects):
    """The province's terms, in force from today with the reason as their ground, and its figures, each of its own day."""

    slug = "provincial"
    not_here = "不从这里导入：项目的基本情况请从工程总台账导入，其余由周调度和年度任务得出"
    fields = {
        "category": typed(targets.TERM, "category", "text"),
        "start_by": typed(targets.TERM, "start_by", "date", label="开工时限", month_is=cells.LAST),
        "finish_by": typed(targets.TERM, "finish_by", "date", label="完工时限", month_is=cells.LAST),
        "told_on": typed(targets.FIGURE, "on", "date", own="on"),
        "told_wan": typed(targets.FIGURE, "invested_wan", "money", label="省调度数", own="invested_wan"),
        "benefit": typed(targets.TERM, "benefit", "long"),
    }
    synonyms = {
        **PROJECT_SYNONYMS,
        "number": ("省定编号", "省定序号"),
        "category": ("省定类别", "省级类别", "项目类别"),
        "start_by": ("省定开工时限", "要求开工时间", "开工期限"),
        "finish_by": ("省定完工时限", "要求完工时间", "完工期限"),
        "told_on": ("省调度日期", "省调度时间"),
        "told_wan": ("省调度完成投资", "省调度累计完成投资", "省平台数", "省级调度数"),
        "benefit": ("效益", "预期效益", "效益目标"),
    }

    def may_take_in(self, user: User) -> bool:
        return is_office(user)

    def index(self, by: User | None, day: dt.date) -> dict[tuple[str, ...], int]:
        return {(matchable(code).upper(),): pk for code, pk in project_scope(by).as_of(day).order_by().values_list("code", "pk")}

    def rows(self, pks: Collection[int], *, by: User | None, lock: bool = False) -> dict[int, WrittenRow]:
        found, day = self.projects(pks, by, lock=lock), clock.today()
        terms = self._last(ProvincialTerm.objects.standing().filter(effective_on__lte=day).order_by("effective_on", "pk"), found)
        figures = self._last(ProvincialFigure.objects.standing().filter(on__lte=day).order_by("on", "pk"), found)
        counties = chains_of(found)
        held = frozenset(self.fields) if by is None or is_office(by) else frozenset()
        return {
            pk: WrittenRow(
                pk=pk,
                key=project.code,
                values=self._values(terms.get(pk), figures.get(pk)),
                held=held,
                version=sum(one.edit_version for one in (terms.get(pk), figures.get(pk)) if one),
                chain=counties.get(pk, NO_CHAIN),
                about=(project, terms.get(pk), figures.get(pk)),
            )
            for pk, project in found.items()
        }

    def _last(self, rows, projects: Collection[int]) -> dict[int, Any]:
        return {row.project_id: row for row in in_batches(projects, lambda some: rows.filter(project__in=some))}

    def _values(self, term: ProvincialTerm | None, figure: ProvincialFigure | None) -> dict[str, Any]:
        said = {name: getattr(term, name) if term else self.fields[name].empty for name in TERMS}
        return said | {"told_on": figure and figure.on, "told_wan": figure and figure.invested_wan}

    def faults(self, row: WrittenRow, values: Mapping[str, Any], reason: str, day: dt.date) -> Iterable[Fault]:
        if not reason.strip():
            yield Fault("reason", "请写明依据，例如省里的文号。")
        new, figure = row.values | dict(values), row.about[2]
        if values.keys() & set(FIGURES) and figure not in self._undone(row, new):
            if new["told_on"] is None or new["told_wan"] is None:
                yield Fault("told_on" if new["told_on"] is None else "told_wan", "省调度日和省调度数须同时填写，登记过的不能清空。")
            elif new["told_on"] > day:
                yield Fault("told_on", f"省调度日 {new['told_on']} 晚于今天（{day}）。")
            elif figure and new["told_on"] < figure.on:
                yield Fault("told_on", f"已登记 {figure.on} 的省调度数，台账只显示最近一次：更早的请在项目的“年度任务”页补登。")
        if values.keys() & {"start_by", "finish_by"} and new["start_by"] and new["finish_by"] and new["finish_by"] < new["start_by"]:
            yield Fault("finish_by", f"完工时限 {new['finish_by']} 早于开工时限 {new['start_by']}，请核对。")

    def _undone(self, row: WrittenRow, new: Mapping[str, Any]) -> list[Any]:
        """Of the term and the figure those whose entry is taken back: never corrected, and nothing of it would be left."""
        _, term, figure = row.about
        found = [(term, TERMS)] if term and term.effective_on == clock.today() else []
        found += [(figure, FIGURES)] if figure else []
        return [one for one, names in found if row.is_undone and one.edit_version == 1 and not any(new[name] for name in names)]

    def save(self, row: WrittenRow, values: Mapping[str, Any], *, by: User | None, reason: str) -> None:
        project, term, figure = row.about
        new = row.values | dict(values)
        undone = self._undone(row, new)
        for kind, one in ((targets.TERM, term), (targets.FIGURE, figure)):
            if one in undone:
                records.withdraw(kind, row=one, by=by, version=one.edit_version, reason=reason)
        if (terms := {name: values[name] for name in TERMS if name in values}) and term not in undone:
            if term and term.effective_on == clock.today():
                records.edit(targets.TERM, row=term, by=by, version=term.edit_version, reason=reason, **terms)
            else:
                whole = {name: new[name] for name in TERMS}
                records.add(targets.TERM, by=by, reason=reason, project=project, effective_on=clock.today(), ground=reason, **whole)
        if figure in undone:
            return
        if figure and figure.on == new["told_on"] and "told_wan" in values:
            records.edit(targets.FIGURE, row=figure, by=by, version=figure.edit_version, reason=reason, invested_wan=new["told_wan"])
        elif values.keys() & set(FIGURES):
            records.add(
                targets.FIGURE, by=by, reason=reason, project=project, on=new["told_on"], invested_wan=new["told_wan"], ground=reason
            )


def provincial_history(pk: int, column: str, day: dt.date) -> list[Entry]:
    """Of a cell that the province's terms or figures hold."""
    if column in TERMS:
        return record_history(ProvincialTerm, ProvincialTerm.objects.filter(project=pk), column)
    own = {"told_on": "on", "told_wan": "invested_wan"}.get(column)
    return record_history(ProvincialFigure, ProvincialFigure.objects.filter(project=pk), own) if own else []


# ── 年度任务分台账 ──────────────────────────────────────────────────────────────────────────────────────────────────

YEARS = 10_000  # a row is a project in a year: its key is `project * YEARS + year`


class AnnualWriter(OfProjects):
    """A project in a year: its target, which is new where the project has none in that year."""

    slug = "annual"
    knows_computed = True
    key = ("code", "year")
    year_column = "year"
    not_here = "不从台账导入：各月计划在计划曲线页填写，节点在项目的“年度任务”页登记"
    adds = "项目当年还没有年度任务的，按新的任务登记（须有年度目标、目标类型、年计划投资）；已有的按表修改。"
    unknown_row = "清单上没有这个编号，或台账没有这个年度：请核对编号和年度。"
    fields = {
        "target": typed(targets.TARGET, "text", "text", own="text"),
        "kind": Field(
            label="目标类型",
            clean=forms.CharField(),
            kind="choice",
            is_clearable=False,
            choices=tuple(TargetKind.choices),
            synonyms={
                "年内开工": "start",
                "开工建设": "start",
                "新开工": "start",
                "年内完工": "finish",
                "竣工": "finish",
                "形象进度": "progress",
            },
        ),
        "progress": typed(targets.TARGET, "progress", "percent"),
        "plan_wan": typed(targets.TARGET, "plan_wan", "money"),
    }
    synonyms = {
        **PROJECT_SYNONYMS,
        "year": ("年份", "计划年度", "任务年度"),
        "target": ("年度任务", "年度目标任务", "年度建设目标", "年度建设任务", "目标任务"),
        "kind": ("目标类别", "任务类型", "目标种类"),
        "progress": ("年度目标进度", "目标形象进度", "年底进度目标"),
        "plan_wan": ("年度计划投资", "年度投资计划", "本年计划投资", "当年计划投资", "年度计划"),
        "spent_wan": ("本年完成投资", "年度完成投资"),
    }

    def may_take_in(self, user: User) -> bool:
        return is_office(user)

    def index(self, by: User | None, day: dt.date) -> dict[tuple[str, ...], int]:
        projects = list(project_scope(by).as_of(day).order_by().values_list("code", "pk"))
        return {(matchable(code).upper(), str(year)): pk * YEARS + year for year in annual.years(day) for code, pk in projects}

    def key_text(self, column: str, cell: Cell, year: int | None = None) -> str:
        text = super().key_text(column, cell, year)
        return cells.read_year(text) if column == "year" and not cells.is_nothing(cell) else text

    def read(self, day: dt.date, pks: list[int]) -> list[dict]:
        """The rows of the ledger with these keys; a project that was finished before the year has no row."""
        source = annual.Source(day, Project.objects.filter(pk__in={pk // YEARS for pk in pks}))
        found = {}
        for year in sorted({pk % YEARS for pk in pks}):
            found |= {row["pk"] * YEARS + year: row for row in source.read(year)}
        return [found[pk] for pk in pks if pk in found]

    def rows(self, pks: Collection[int], *, by: User | None, lock: bool = False) -> dict[int, WrittenRow]:
        found = self.projects({pk // YEARS for pk in pks}, by, lock=lock)
        standing = AnnualTarget.objects.standing().filter(set_on__lte=clock.today())
        there = {row.project_id * YEARS + row.year: row for row in in_batches(found, lambda some: standing.filter(project__in=some))}
        counties = chains_of(found)
        held = frozenset(self.fields) if by is None or is_office(by) else frozenset()
        rows = [(pk, found[pk // YEARS], there.get(pk)) for pk in pks if pk // YEARS in found and _has_row(found[pk // YEARS], pk % YEARS)]
        return {
            pk: WrittenRow(
                pk=pk,
                key=f"{project.code} {pk % YEARS}年",
                values={name: getattr(target, field.own or name) if target else field.empty for name, field in self.fields.items()},
                held=held,
                version=target.edit_version if target else 0,
                chain=counties.get(project.pk, NO_CHAIN),
                about=target or {"project": project, "year": pk % YEARS},
                is_new=target is None,
            )
            for pk, project, target in rows
        }

    def pk_of(self, row: dict) -> int:
        return row["pk"] * YEARS + row["year"]

    def value_key(self, row: WrittenRow) -> str:
        """A project's, whatever the year: so its page keeps them."""
        return row.key.split()[0]

    def faults(self, row: WrittenRow, values: Mapping[str, Any], reason: str, day: dt.date) -> Iterable[Fault]:
        new = row.values | dict(values)
        for name, field in self.fields.items():
            if name == "progress" or new[name] not in (None, ""):
                continue
            if row.is_new:
                offered = "（开工、完工或进度）" if name == "kind" else ""
                yield Fault(name, f"还没有登记这一年的年度任务：请同时填写“{field.label}”{offered}，或在项目的“年度任务”页登记。")
            elif name in values:
                yield Fault(name, "不能清空：请填写，或在项目的“年度任务”页撤销。")
        yield from targets.TARGET.faults({"year": None, **new})

    def save(self, row: WrittenRow, values: Mapping[str, Any], *, by: User | None, reason: str) -> None:
        own = {self.fields[name].own or name: value for name, value in values.items()}
        if row.is_new:
            missing = {"progress": None} | own
            records.add(targets.TARGET, by=by, reason=reason, set_on=clock.today(), **row.about, **missing)
            return
        records.edit(targets.TARGET, row=row.about, by=by, version=row.version, reason=reason, **own)


def _has_row(project: Project, year: int) -> bool:
    """What was finished before a year has no row in it."""
    return project.completed_on is None or project.completed_on.year >= year


INSPECTIONS, ACCEPTANCE, PROVINCIAL, ANNUAL = InspectionWriter(), AcceptanceWriter(), ProvincialWriter(), AnnualWriter()
