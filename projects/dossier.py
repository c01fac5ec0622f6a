"""Everything that a project's page shows, as of a day: nothing that happened later appears. A fixed number of queries."""

import dataclasses
import datetime as dt
import itertools
from collections.abc import Iterable, Iterator
from decimal import Decimal

from django.db.models import Q

from linfen_water.models import TrailEvent
from projects import figures, funds, reports, rules
from projects.blocks import LABELS
from projects.enums import DispatchState, PermitKind, PermitState, Stage, StageEvent
from projects.models import Dispatch, Permit, Problem, Project, ProjectVersion, StageFact
from projects.permit_services import FIELDS as PERMIT_FIELDS
from projects.services import VERSIONED

SHOWN_EVENTS = 30
ACTIONS = {
    "dispatch.save": "保存周调度草稿",
    "dispatch.discard": "放弃周调度草稿",
    "dispatch.submit": "提交周调度",
    "dispatch.return": "退回周调度",
    "dispatch.accept": "审核通过周调度",
    "stage.record": "登记开工完工",
    "stage.withdraw": "撤销开工完工登记",
    "permit.save": "填写手续",
    "permit.list": "手续列入清单",
    "photo.keep": "上传现场照片",
    "photo.describe": "改照片说明",
    "photo.withdraw": "撤下现场照片",
    "funds.add": "登记资金来源",
    "funds.plan": "调整计划额",
    "funds.close": "关闭资金来源",
    "funds.reopen": "恢复资金来源",
    "funds.paper": "登记下达文件",
    "funds.unpaper": "撤销下达文件",
    "project.create": "列入清单",
    "project.revise": "变更基本信息",
}

FUNDS_LABELS = {
    "planned_wan": "计划额",
    "opened_on": "启用日",
    "closed_on": "关闭日",
    "effective_from": "生效日",
    "issued_doc": "下达文号",
    "issued_on": "下达日期",
    "amount_wan": "下达额",
}


@dataclasses.dataclass(frozen=True, slots=True)
class FundingRow:
    """One source: what was planned, what has come, 万元."""

    kind: str
    planned_wan: Decimal
    issued_wan: Decimal | None
    issued_doc: str
    in_place_wan: Decimal | None
    allocated_wan: Decimal | None
    paid_wan: Decimal | None
    completed_wan: Decimal | None

    @property
    def gap_wan(self) -> Decimal | None:
        return None if self.in_place_wan is None else max(self.planned_wan - self.in_place_wan, Decimal(0))

    @property
    def in_place_rate(self) -> Decimal | None:
        return rules.rate(self.in_place_wan, self.planned_wan)


@dataclasses.dataclass(frozen=True, slots=True)
class PermitRow:
    """One paper with its state; dates after the day are not known yet."""

    permit: Permit
    state: PermitState
    submitted_on: dt.date | None
    obtained_on: dt.date | None


@dataclasses.dataclass(frozen=True, slots=True)
class TrailRow:
    """Who changed what, when, from what, to what, in words."""

    event: TrailEvent
    action: str
    about: str
    changes: list[tuple[str, str, str]]  # label, old, new


@dataclasses.dataclass(frozen=True, slots=True)
class Dossier:
    project: Project
    day: dt.date
    version: ProjectVersion
    started_on: dt.date | None
    completed_on: dt.date | None
    stage: Stage
    last: Dispatch | None
    planned_progress: Decimal
    lag: Decimal | None
    versions: list[ProjectVersion]
    stage_facts: list[StageFact]
    funding: list[FundingRow]
    permits: list[PermitRow]
    problems: list[Problem]
    sections: list
    also_in: list
    weeks: object  # a queryset, latest first: the page takes what it shows
    figure: dict
    trail: list[TrailRow]
    is_delisted: bool

    @property
    def invested_rate(self) -> Decimal | None:
        return rules.rate(self.last.invested_wan, self.version.total_investment_wan) if self.last else None

    @property
    def funding_wan(self) -> Decimal:
        """What the sources were planned to give together; after a revision of the project it may differ from the total investment."""
        return sum((row.planned_wan for row in self.funding), Decimal(0))

    @property
    def required_permits(self) -> list[PermitRow]:
        return [row for row in self.permits if row.state != PermitState.NOT_NEEDED]

    @property
    def obtained_permits(self) -> int:
        return sum(row.state == PermitState.OBTAINED for row in self.permits)

    @property
    def open_problems(self) -> int:
        return sum(problem.closed_on is None for problem in self.problems)


def read_dossier(project: Project, day: dt.date, *, is_now: bool) -> Dossier | None:
    """The page's content; None when nothing is in force by `day`. The trail is of the present only: it has real time."""
    known = project.versions.filter(effective_from__lte=day).select_related("county", "lead_unit", "responsible_unit", "by__unit")
    versions = list(known.order_by("-effective_from"))
    if not versions:
        return None
    weeks = Dispatch.objects.speaking(day).filter(project=project).order_by("-week_of").select_related("submitted_by__unit")
    last = weeks.prefetch_related("lines").first()
    plans = dict(project.plans.values_list("month", "planned_progress"))
    started_on, completed_on = (on if on and on <= day else None for on in (project.started_on, project.completed_on))
    planned = rules.planned(day, plans, versions[0].baseline_start_on, versions[0].baseline_finish_on)
    sources = list(project.funding.all())
    listed_on = min(day, project.delisted_on - dt.timedelta(days=1)) if project.delisted_on else day  # what it was left with
    money = funds.read(listed_on, Project.objects.filter(pk=project.pk))
    steps = list(weeks.order_by("week_of").values_list("cut_off_on", "physical_progress"))
    return Dossier(
        project=project,
        day=day,
        version=versions[0],
        started_on=started_on,
        completed_on=completed_on,
        stage=rules.stage(day, started_on, completed_on),
        last=last,
        planned_progress=planned,
        lag=rules.lag(planned, last.physical_progress if last else None),
        versions=versions,
        stage_facts=_stage_facts(project, day, is_now),
        funding=[_funding_row(line) for line in money],
        permits=_permits(project, day),
        problems=_problems(project, day),
        sections=list(project.sections.select_related("river")),
        also_in=list(project.also_in.all()),
        weeks=weeks,
        figure=figures.progress(day, plans, versions[0], steps, started_on, completed_on),
        trail=_trail(project, sources) if is_now else [],
        is_delisted=project.delisted_on is not None and project.delisted_on <= day,
    )


def _stage_facts(project: Project, day: dt.date, is_now: bool) -> list[StageFact]:
    """Withdrawn ones are shown today only: as known now, they never held."""
    facts = project.stage_facts.filter(on__lte=day).select_related("by__unit", "withdrawn_by__unit").order_by("on", "pk")
    return list(facts if is_now else facts.filter(withdrawn_at=None))


def _funding_row(line: funds.Line) -> FundingRow:
    source, now = line.source, line.source.now
    return FundingRow(
        kind=source.label,
        planned_wan=source.planned_wan,
        issued_wan=source.issued_wan,
        issued_doc="；".join(paper.doc_number for paper in line.papers if paper.doc_number),
        in_place_wan=now.in_place_wan if now else None,
        allocated_wan=now.allocated_wan if now else None,
        paid_wan=now.paid_wan if now else None,
        completed_wan=now.completed_wan if now else None,
    )


def _permits(project: Project, day: dt.date) -> list[PermitRow]:
    return [
        PermitRow(
            permit=permit,
            state=rules.permit_state(day, permit.is_required, permit.submitted_on, permit.obtained_on),
            submitted_on=permit.submitted_on if permit.submitted_on and permit.submitted_on <= day else None,
            obtained_on=permit.obtained_on if permit.obtained_on and permit.obtained_on <= day else None,
        )
        for permit in project.permits.select_related("authority").order_by("pk")
    ]


def _problems(project: Project, day: dt.date) -> list[Problem]:
    problems = list(project.problems.filter(raised_on__lte=day).select_related("handler"))
    for problem in problems:
        if problem.closed_on is None or problem.closed_on > day:  # a basis is proposed before the close-out
            problem.closed_on, problem.closing_basis = None, ""
    return problems


def _trail(project: Project, sources) -> list[TrailRow]:
    weeks = dict(project.dispatches.values_list("pk", "week_of"))
    own = Q(subject_type="project", subject_id=str(project.pk))
    of_dispatches = Q(subject_type="dispatch", subject_id__in=[str(pk) for pk in weeks])
    papers = dict(project.permits.values_list("pk", "kind"))
    of_permits = Q(subject_type="permit", subject_id__in=[str(pk) for pk in papers])
    kinds = {source.pk: source.get_kind_display() for source in sources}
    of_funds = Q(subject_type="fundingsource", subject_id__in=[str(pk) for pk in kinds])
    events = (
        TrailEvent.objects.filter(own | of_dispatches | of_permits | of_funds).select_related("by__unit").order_by("-pk")[:SHOWN_EVENTS]
    )
    labels = _labels(sources)
    return [
        TrailRow(
            event=event,
            action=ACTIONS.get(event.action, event.action) + (f"（{times} 次）" if times > 1 else ""),
            about=_about(event, weeks, papers, kinds),
            changes=[(labels.get(key, key), _spoken(key, old), _spoken(key, new)) for key, (old, new) in changes.items()],
        )
        for event, changes, times in _folded(events)
    ]


def _folded(events: Iterable[TrailEvent]) -> Iterator[tuple[TrailEvent, dict, int]]:
    """(event, changes, times), newest first: saves of one draft by one person in a row are told as one, from first value to last."""
    for _, run in itertools.groupby(events, key=_run):
        rows = list(run)
        changes: dict = {}
        for event in reversed(rows):
            for key, (old, new) in event.changes.items():
                if key != "version":
                    changes[key] = [changes.get(key, [old])[0], new]
        yield rows[0], {key: pair for key, pair in changes.items() if pair[0] != pair[1] or len(rows) == 1}, len(rows)


def _run(event: TrailEvent) -> tuple:
    """What saves of one draft have in common; anything else stands for itself."""
    if event.action != "dispatch.save":
        return (event.pk,)
    return (event.subject_id, event.by_id, event.at.date())


def _labels(sources) -> dict[str, str]:
    labels = {name: str(ProjectVersion._meta.get_field(name).verbose_name) for name in VERSIONED}
    labels |= {name: str(Permit._meta.get_field(name).verbose_name) for name in PERMIT_FIELDS}
    labels |= FUNDS_LABELS
    labels |= (
        LABELS
        | {"state": "状态", "week_of": "周次", "photo": "照片", "caption": "照片说明"}
        | {str(event.value): event.label for event in StageEvent}
    )
    for source in sources:
        for field, word in rules.MONEY_WORDS.items():
            labels[reports.money_key(field, source.pk)] = f"{source.get_kind_display()}{word}"
    return labels


def _about(event: TrailEvent, weeks: dict[int, dt.date], papers: dict[int, str], kinds: dict[int, str]) -> str:
    if event.subject_type == "fundingsource":
        return kinds[int(event.subject_id)]
    if event.subject_type == "permit":
        return PermitKind(papers[int(event.subject_id)]).label
    week_of = weeks.get(int(event.subject_id)) if event.subject_type == "dispatch" else None
    return f"{week_of.isocalendar()[0]}年第{week_of.isocalendar()[1]}周" if week_of else ""


def _spoken(key: str, value) -> str:
    if value in (None, ""):
        return "空"
    if isinstance(value, bool):
        return "是" if value else "否"
    return DispatchState(value).label if key == "state" else str(value)
