"""Problems as of a day: queries for the list, the ledger, a problem's page and the notices; `problem_rules` judges."""

import dataclasses
import datetime as dt
import re
from collections import defaultdict
from collections.abc import Iterable

from django.db.models import Case, Count, Exists, F, FilteredRelation, IntegerField, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce, Least

from linfen_water import clock
from linfen_water.models import TrailEvent, User
from linfen_water.workdays import workdays_between
from projects import problem_rules
from projects.enums import HelpLevel, ProblemCategory, ProblemState
from projects.models import Attachment, Dispatch, Problem, ProblemNote, ProblemStep
from projects.problem_rules import Stay, Verdict

NEVER = dt.date(9999, 12, 31)
STATES = list(ProblemState)
LATE_RANK, OPEN_RANK, CLOSED_RANK = 0, 1, 2


def problems_on(day: dt.date, problems=None):
    """Problems raised by `day` with what was true then, in the office's order: late first, then by the nearest limit, closed last.

    Annotates `v` (the project's version in force), `state_place`, `level_then`, `step_entered_on`, `step_due_on` (None when it
    had left its level), `overdue`, `due_up`, `rank` and `urgent_on`.
    """
    problems = Problem.objects.all() if problems is None else problems
    in_force = Q(project__versions__effective_from__lte=day) & (
        Q(project__versions__effective_to__isnull=True) | Q(project__versions__effective_to__gt=day)
    )
    steps = ProblemStep.objects.filter(problem=OuterRef("pk"), entered_on__lte=day).order_by("-entered_on", "-pk")
    standing = steps.filter(Q(left_on__isnull=True) | Q(left_on__gt=day))
    closed, answered, begun = Q(closed_on__lte=day), Q(answered_on__lte=day), Q(begun_on__lte=day)
    is_overdue = ~Q(state_place=STATES.index(ProblemState.CLOSED)) & (
        Q(answered_on__lte=day, due_on__lt=F("answered_on")) | (~answered_by(day) & Q(due_on__lt=day))
    )
    waits = Q(state_place__in=[STATES.index(ProblemState.WAITING), STATES.index(ProblemState.HANDLING)])
    return (
        problems.filter(raised_on__lte=day)
        .annotate(v=FilteredRelation("project__versions", condition=in_force))
        .filter(v__isnull=False)
        .annotate(
            state_place=Case(
                When(closed, then=STATES.index(ProblemState.CLOSED)),
                When(answered, then=STATES.index(ProblemState.ANSWERED)),
                When(begun, then=STATES.index(ProblemState.HANDLING)),
                default=STATES.index(ProblemState.WAITING),
                output_field=IntegerField(),
            ),
            level_then=Coalesce(Subquery(steps.values("level")[:1]), F("level")),
            step_id=Subquery(standing.values("pk")[:1]),
            step_entered_on=Subquery(standing.values("entered_on")[:1]),
            step_due_on=Subquery(standing.values("due_on")[:1]),
        )
        .annotate(
            is_overdue=Case(When(is_overdue, then=1), default=0, output_field=IntegerField()),
            is_step_over=Case(When(waits & Q(step_due_on__lt=day), then=1), default=0, output_field=IntegerField()),
        )
        .annotate(
            rank=Case(
                When(state_place=STATES.index(ProblemState.CLOSED), then=CLOSED_RANK),
                When(Q(is_step_over=1) | (Q(is_overdue=1) & waits), then=LATE_RANK),
                default=OPEN_RANK,
                output_field=IntegerField(),
            ),
            urgent_on=Least(Coalesce("step_due_on", Value(NEVER)), Coalesce("due_on", Value(NEVER))),
        )
        .order_by("rank", "urgent_on", "-raised_on", "code")
    )


def answered_by(day: dt.date) -> Q:
    """Said to be solved by `day`; spelled so that a missing date is plainly no."""
    return Q(answered_on__isnull=False, answered_on__lte=day)


@dataclasses.dataclass(frozen=True, slots=True)
class ProblemRow:
    """A problem as of a day, for a line of a list."""

    pk: int
    code: str
    project_code: str
    project_name: str
    county: str
    domain: str
    category: str
    description: str
    raised_on: dt.date
    state: ProblemState
    level: HelpLevel
    stay: Stay | None
    handler: str
    assistants: list[str]
    due_on: dt.date | None
    measures: str
    latest: str  # the last note
    closed_on: dt.date | None
    closing_basis: str
    stayed_days: int  # calendar days from when it was raised until it was closed out
    verdict: Verdict


def read_problems(day: dt.date, chosen: Iterable[int]) -> list[ProblemRow]:
    """The rows of `chosen` in their order; three queries, however many."""
    keys = list(chosen)
    found = problems_on(day, Problem.objects.filter(pk__in=keys)).order_by().values(*ROW)
    rows = {row["pk"]: row for row in found}
    helping = Problem.assistants.through.objects.filter(problem__in=keys).order_by("unit__position", "unit__code")
    assistants: dict[int, list[str]] = defaultdict(list)
    for pk, name in helping.values_list("problem", "unit__name"):
        assistants[pk].append(name)
    notes = ProblemNote.objects.filter(problem__in=keys, on__lte=day).order_by("on", "pk")
    latest = {pk: f"{on}：{text}" for pk, on, text in notes.values_list("problem", "on", "text")}
    return [_row(day, rows[pk], assistants[pk], latest.get(pk, "")) for pk in keys if pk in rows]


ROW = (
    "pk", "code", "project__code", "v__name", "v__county__name", "project__domain__name", "category", "description", "raised_on",
    "state_place", "level_then", "step_entered_on", "step_due_on", "is_overdue", "handler__name", "due_on", "measures", "closed_on",
    "answered_on", "closing_basis",
)  # fmt: skip


def _row(day: dt.date, row: dict, assistants: list[str], latest: str) -> ProblemRow:
    state, level = STATES[row["state_place"]], HelpLevel(row["level_then"])
    closed_on = row["closed_on"] if state == ProblemState.CLOSED else None
    stay = stay_of(day, level, row["step_entered_on"], row["step_due_on"])
    return ProblemRow(
        pk=row["pk"],
        code=row["code"] or "",
        project_code=row["project__code"],
        project_name=row["v__name"],
        county=row["v__county__name"],
        domain=row["project__domain__name"],
        category=ProblemCategory(row["category"]).label,
        description=row["description"],
        raised_on=row["raised_on"],
        state=state,
        level=level,
        stay=stay,
        handler=row["handler__name"] or "",
        assistants=assistants,
        due_on=row["due_on"],
        measures=row["measures"],
        latest=latest,
        closed_on=closed_on,
        closing_basis=row["closing_basis"] if state in (ProblemState.CLOSED, ProblemState.ANSWERED) else "",
        stayed_days=((closed_on or day) - row["raised_on"]).days,
        verdict=problem_rules.verdict(day, state, stay, row["due_on"], overdue=bool(row["is_overdue"])),
    )


def stay_of(day: dt.date, level: int, entered_on: dt.date | None, due_on: dt.date | None) -> Stay | None:
    if entered_on is None or due_on is None:
        return None
    return Stay(HelpLevel(level), entered_on, due_on, workdays_between(entered_on, day), workdays_between(due_on, day))


def due_problems(day: dt.date) -> list[tuple[Problem, str]]:
    """Open problems past the days of their level, each with the sentence that says so; `step_id` tells which stay it is."""
    found = list(problems_on(day).filter(is_step_over=1).select_related("handler"))
    said = {row.pk: row.verdict.sentence for row in read_problems(day, [problem.pk for problem in found])}
    return [(problem, said[problem.pk]) for problem in found]


@dataclasses.dataclass(frozen=True, slots=True)
class Counts:
    """What the head of the list says of the rows chosen."""

    all: int
    open: int
    late: int
    due_up: int
    to_check: int
    closed: int


def count(chosen) -> Counts:
    is_open = ~Q(rank=CLOSED_RANK)
    return Counts(
        **chosen.order_by().aggregate(
            all=Count("pk"),
            open=Count("pk", filter=is_open),
            late=Count("pk", filter=Q(rank=LATE_RANK)),
            due_up=Count("pk", filter=Q(is_step_over=1, level_then__lt=HelpLevel.PROVINCE)),
            to_check=Count("pk", filter=Q(state_place=STATES.index(ProblemState.ANSWERED))),
            closed=Count("pk", filter=Q(rank=CLOSED_RANK)),
        )
    )


# ── One problem ─────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclasses.dataclass(frozen=True, slots=True)
class StepRow:
    """A level on a problem's page: passed, present or not reached."""

    level: HelpLevel
    entered_on: dt.date | None = None
    due_on: dt.date | None = None
    left_on: dt.date | None = None
    entry_opinion: str = ""
    exit_opinion: str = ""
    days: int = 0
    by: User | None = None

    @property
    def name(self) -> str:
        return self.level.label.partition("：")[2]

    @property
    def is_here(self) -> bool:
        return self.entered_on is not None and self.left_on is None

    @property
    def days_over(self) -> int:
        return workdays_between(self.due_on, self.left_on) if self.due_on and self.left_on else 0


@dataclasses.dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happened, on the time line."""

    on: dt.date
    what: str
    text: str = ""
    by: User | None = None
    changes: list[tuple[str, str, str]] = dataclasses.field(default_factory=list)
    reason: str = ""
    tone: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class ProblemFile:
    """All of one problem as of a day."""

    problem: Problem
    row: ProblemRow
    steps: list[StepRow]
    attachments: list[Attachment]
    moments: list[Moment]

    @property
    def is_open(self) -> bool:
        return self.row.state != ProblemState.CLOSED


def read_problem(problem: Problem, day: dt.date) -> ProblemFile | None:
    """The page of a problem; None when it had not been raised by `day`."""
    rows = read_problems(day, [problem.pk])
    if not rows:
        return None
    steps = list(problem.steps.filter(entered_on__lte=day).select_related("by__unit").order_by("entered_on", "pk"))
    passed = [_step(step, day) for step in steps]
    highest = max((step.level for step in passed), default=HelpLevel.OFFICE - 1)
    ahead = [StepRow(level) for level in HelpLevel if level > highest]
    moments = _moments(problem, rows[0], passed, day)
    files = list(problem.attachments.filter(withdrawn_at=None).select_related("by__unit").order_by("pk"))
    kept_on = {moment.changes[0][2]: moment.on for moment in moments if moment.what == ACTIONS["attachment.keep"]}
    shown = (
        files if day >= clock.today() else [file for file in files if file.name in kept_on]
    )  # files carry the real time, the trail the day
    return ProblemFile(problem, rows[0], [*passed, *ahead], shown, moments)


def _step(step: ProblemStep, day: dt.date) -> StepRow:
    left_on = step.left_on if step.left_on and step.left_on <= day else None
    return StepRow(
        level=HelpLevel(step.level),
        entered_on=step.entered_on,
        due_on=step.due_on,
        left_on=left_on,
        entry_opinion=step.entry_opinion,
        exit_opinion=step.exit_opinion if left_on else "",
        days=workdays_between(step.entered_on, left_on or day),
        by=step.by,
    )


ACTIONS = {
    "problem.raise": "提出",
    "problem.edit": "修改",
    "problem.begin": "开始办理",
    "problem.note": "进展",
    "problem.answer": "报请核查",
    "problem.return": "核查退回",
    "problem.close": "销号",
    "problem.reopen": "恢复办理",
    "problem.up": "升级",
    "problem.down": "退回下级",
    "attachment.keep": "上传附件",
    "attachment.withdraw": "撤下附件",
}
TONES = {"problem.close": "ok", "problem.return": "bad", "problem.up": "warn", "problem.reopen": "bad", "problem.answer": "ok"}
LABELS = {
    "category": "类别", "description": "描述", "handler": "承办单位", "assistants": "协办单位", "due_on": "整改时限", "measures": "措施",
    "closing_basis": "销号依据", "opinion": "核查意见", "level": "级别", "exit_opinion": "本级意见", "entry_opinion": "提请事项",
    "attachment": "附件", "closed_on": "销号日",
}  # fmt: skip
SPOKEN_ALONE = {"problem.note": "text"}


def _moments(problem: Problem, row: ProblemRow, steps: list[StepRow], day: dt.date) -> list[Moment]:
    """The time line, newest first: what the trail holds, and dated facts that were taken in without it (loaded, moved over)."""
    events = TrailEvent.objects.filter(subject_type="problem", subject_id=str(problem.pk)).select_related("by__unit").order_by("pk")
    told = [_told(event) for event in events]
    known = {(event.action, moment.on) for event, moment in zip(events, told, strict=True)}
    told = [moment for moment in told if moment.on <= day]
    facts = []
    if ("problem.raise", problem.raised_on) not in known and not any(action == "problem.raise" for action, _ in known):
        facts.append(Moment(problem.raised_on, "提出", problem.description, problem.raised_by))
    for before, step in zip([None, *steps], steps, strict=False):
        if before and not {("problem.up", step.entered_on), ("problem.down", step.entered_on), ("problem.reopen", step.entered_on)} & known:
            up = step.level > before.level
            changes = [("级别", before.level.label, step.level.label)]
            facts.append(
                Moment(step.entered_on, "升级" if up else "退回下级", before.exit_opinion, step.by, changes, tone="warn" if up else "")
            )
    if problem.begun_on and problem.begun_on <= day and not {action for action, on in known if on == problem.begun_on} & BEGINS:
        facts.append(Moment(problem.begun_on, "开始办理", problem.measures))
    notes = problem.notes.filter(on__lte=day).select_related("by__unit").order_by("on", "pk")
    said = {(moment.on, moment.text) for moment in told if moment.what == ACTIONS["problem.note"]}
    facts += [Moment(note.on, "进展", note.text, note.by) for note in notes if (note.on, note.text) not in said]
    is_answered = row.state in (ProblemState.ANSWERED, ProblemState.CLOSED) and problem.answered_on
    if is_answered and not {("problem.answer", problem.answered_on), ("problem.close", problem.answered_on)} & known:
        facts.append(Moment(problem.answered_on, "报请核查", "" if row.closed_on else row.closing_basis))
    if row.closed_on and ("problem.close", row.closed_on) not in known:
        facts.append(Moment(row.closed_on, "销号", row.closing_basis, tone="ok"))
    order = sorted([*enumerate([*facts, *told])], key=lambda pair: (pair[1].on, pair[0]))
    return [moment for _, moment in reversed(order)]


BEGINS = {"problem.begin", "problem.answer", "problem.close"}


def _told(event: TrailEvent) -> Moment:
    on = event.changes.get("on", [None, None])[1]
    alone = SPOKEN_ALONE.get(event.action, "")
    changes = [(LABELS[name], old or "", new or "") for name, (old, new) in event.changes.items() if name in LABELS and (old or new)]
    return Moment(
        on=dt.date.fromisoformat(on) if on else event.at.date(),
        what=ACTIONS.get(event.action, event.action),
        text=event.changes.get(alone, [None, ""])[1] or "",
        by=event.by,
        changes=changes,
        reason=event.reason,
        tone=TONES.get(event.action, ""),
    )


# ── What reports say hinders ────────────────────────────────────────────────────────────────────────────────────────


SEARCHED = 300  # dispatches


def reported_hindrances(day: dt.date, projects) -> list[Dispatch]:
    """The last dispatches of `projects` that name something in 存在问题 which no open problem of the project says already."""
    last = Dispatch.objects.speaking(day).filter(project=OuterRef("project")).order_by("-week_of").values("pk")[:1]
    named = (
        Dispatch.objects.filter(project__in=projects, pk=Subquery(last))
        .exclude(hinders__in=["", "无", "无。", "暂无", "没有"])
        .filter(~Exists(Problem.objects.filter(dispatch=OuterRef("pk"))))
        .select_related("project")
        .order_by("-week_of", "project__number", "project__code")[:SEARCHED]
    )
    found = list(named)
    known: dict[int, list[str]] = defaultdict(list)
    raised = Problem.objects.open_on(day).filter(project__in=[dispatch.project_id for dispatch in found])
    for pk, description in raised.values_list("project", "description"):
        known[pk].append(description)
    return [dispatch for dispatch in found if not _is_raised(dispatch.hinders, known[dispatch.project_id])]


def _is_raised(hinders: str, known: list[str]) -> bool:
    """Whether every part of the text stands in a problem already."""
    parts = [part.strip(" 。，") for part in re.split(r"[；;\n]", hinders)]
    return all(any(part in text for text in known) for part in parts if part)
