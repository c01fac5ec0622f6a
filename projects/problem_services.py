"""Every change of problems, their levels and notes: one transaction, the project locked, one event in the trail.

Nothing else writes these models, loaders apart. `by` is the person, `version` the edit version that they had before them.
Changes are dated with the business day (`on` in the trail), so that a page of a past day tells what was known then.
"""

import datetime as dt
from collections.abc import Collection, Iterable

from django.db import transaction
from django.db.models.functions import Length
from django.urls import reverse

from linfen_water import clock, notices, policy, trail
from linfen_water.enums import UnitKind
from linfen_water.models import Region, TrailEvent, Unit, User
from linfen_water.sent_files import Unfit
from linfen_water.workdays import add_workdays
from projects import attachments, problem_rules
from projects.enums import HelpLevel, ProblemCategory, ProblemState
from projects.models import Dispatch, Problem, ProblemNote, ProblemStep, Project, ProjectVersion
from projects.rules import Fault
from projects.services import EditConflict, Faulty, Refused

EDITABLE = ("category", "description", "handler", "assistants", "due_on", "measures")
LEVEL_DAYS = {
    HelpLevel.OFFICE: "help_days_office",
    HelpLevel.DEPARTMENTS: "help_days_departments",
    HelpLevel.CITY_LEADERS: "help_days_city",
    HelpLevel.PROVINCE: "help_days_province",
}
RAISED = "提出，专班办分析"
NOTICE = "problem"
QUICKER = "这个问题刚被他人改动，还没有办理：请核对下面的新情况后再操作，填写的内容已保留。"


def level_due(level: int, entered_on: dt.date) -> dt.date:
    """By when a problem that came to `level` on `entered_on` must leave it, by the policy of that day."""
    return add_workdays(entered_on, getattr(policy.values_on(entered_on), LEVEL_DAYS[HelpLevel(level)]))


# ── Raising and editing ─────────────────────────────────────────────────────────────────────────────────────────────


@transaction.atomic
def raise_problem(
    *,
    project: Project,
    by: User,
    category: str,
    description: str,
    raised_on: dt.date,
    dispatch: Dispatch | None = None,
    handler: Unit | None = None,
    assistants: Collection[Unit] = (),
    due_on: dt.date | None = None,
    measures: str = "",
) -> Problem:
    """Enter a problem at the first level and give it the year's next number. The same one sent twice is one."""
    Project.objects.select_for_update().get(pk=project.pk)
    list(Region.objects.select_for_update().values_list("pk"))  # numbers of all projects are one row of figures: no gap, none twice
    description = description.strip()
    if faults := list(_raising_faults(project, description, raised_on, due_on, dispatch)):
        raise Faulty(faults)
    same = Problem.objects.filter(project=project, description=description, category=category, raised_on=raised_on, closed_on=None)
    if found := same.first():
        if found.raised_by_id == by.pk:
            return found
        raise Faulty([Fault("description", f"同样的问题已由{found.raised_by or '他人'}登记为 {found.code}，不必重复提出。")])
    problem = Problem.objects.create(
        project=project,
        code=_next_code(raised_on.year),
        category=category,
        description=description,
        raised_on=raised_on,
        raised_by=by,
        dispatch=dispatch,
        handler=handler,
        due_on=due_on,
        measures=measures.strip(),
    )
    problem.assistants.set(_without(assistants, handler))
    ProblemStep.objects.create(
        problem=problem,
        level=HelpLevel.OFFICE,
        entered_on=raised_on,
        entry_opinion=RAISED,
        due_on=level_due(HelpLevel.OFFICE, raised_on),
        by=by,
    )
    said = _values(problem)
    changes = {name: [None, _spelled(name, said[name])] for name in EDITABLE if said[name]}
    _record("problem.raise", problem, by, changes, version=[0, problem.edit_version])
    _tell_assigned(problem, by)
    _tell_office(problem, by, "raised", f"提出问题 {problem.code}（{problem.get_category_display()}）：{_short(description)}")
    return problem


def _raising_faults(project: Project, description: str, raised_on: dt.date, due_on: dt.date | None, dispatch: Dispatch | None):
    today = clock.today()
    if not description:
        yield Fault("description", "请写明问题：什么事、卡在哪里。")
    if raised_on > today:
        yield Fault("raised_on", f"提出日 {raised_on} 晚于今天（{today}）。")
    if raised_on < project.listed_on:
        yield Fault("raised_on", f"提出日 {raised_on} 早于项目列入日（{project.listed_on}）。")
    if due_on and due_on < raised_on:
        yield Fault("due_on", f"整改时限 {due_on} 早于提出日 {raised_on}。")
    if dispatch and dispatch.project_id != project.pk:
        yield Fault("dispatch", "这份周调度不是这个项目的，请重新选择。")


def _next_code(year: int) -> str:
    codes = Problem.objects.filter(code__startswith=f"WT-{year}-").order_by(Length("code").desc(), "-code")
    return problem_rules.next_code(year, codes.values_list("code", flat=True).first())


@transaction.atomic
def edit_problem(*, problem: Problem, by: User | None, version: int, reason: str = "", **changes) -> Problem:
    """Change some of EDITABLE. What others changed since `version` is kept; the same field changed by both raises EditConflict."""
    problem = _locked(problem)
    _must_be_open(problem)
    current = _values(problem)
    mine = {name: _tidy(name, value) for name, value in changes.items()}
    if "assistants" in mine:
        mine["assistants"] = _without(mine["assistants"], mine.get("handler", current["handler"]))
    if version != problem.edit_version:
        mine = _merge(problem, version, current, mine)
    changed = {name: value for name, value in mine.items() if value != current[name]}
    if not changed:
        return problem
    if faults := list(editing_faults(problem, changed, reason)):
        raise Faulty(faults)
    _write(problem, **{name: value for name, value in changed.items() if name != "assistants"})
    if "assistants" in changed:
        problem.assistants.set(changed["assistants"])
    spelled = {name: [_spelled(name, current[name]), _spelled(name, value)] for name, value in changed.items()}
    _record("problem.edit", problem, by, spelled, reason=reason.strip())
    if changed.get("handler"):
        _tell_assigned(problem, by)
    return problem


def editing_faults(problem: Problem, changed: dict, reason: str):
    """What speaks against changing these fields; without a query."""
    if "description" in changed and not changed["description"]:
        yield Fault("description", "问题描述不能为空。")
    due_on = changed.get("due_on")
    if due_on and due_on < problem.raised_on:
        yield Fault("due_on", f"整改时限 {due_on} 早于提出日 {problem.raised_on}。")
    if "due_on" in changed and problem.due_on and (due_on is None or due_on > problem.due_on) and not reason.strip():
        yield Fault("reason", f"整改时限由 {problem.due_on} 延后或取消，须写明理由。")


def _merge(problem: Problem, version: int, current: dict, mine: dict) -> dict:
    """`mine` without what only others changed since `version`; EditConflict where both changed a field."""
    since: dict = {}
    events = TrailEvent.objects.filter(subject_type="problem", subject_id=str(problem.pk)).order_by("pk")
    for event in events:
        if event.changes.get("version", [0, 0])[1] > version:
            for name, (old, _new) in event.changes.items():
                if name in mine:
                    since.setdefault(name, old)
    kept = {name: value for name, value in mine.items() if name not in since or _spelled(name, value) != since[name]}
    clash = [name for name in kept if name in since and kept[name] != current[name]]
    if clash:
        raise EditConflict(
            base={name: since[name] for name in clash},
            mine={name: _spelled(name, kept[name]) for name in clash},
            theirs={name: _spelled(name, current[name]) for name in clash},
            merged=current | kept,
            version=problem.edit_version,
        )
    return kept


# ── Handling ────────────────────────────────────────────────────────────────────────────────────────────────────────


@transaction.atomic
def begin_problem(*, problem: Problem, by: User, version: int) -> Problem:
    """The handler has taken it up."""
    problem = _seen(problem, version)
    _must_be(problem, ProblemState.WAITING)
    if problem.handler_id is None:
        raise Refused("还没有确定承办单位：请专班办先交办。")
    _write(problem, begun_on=clock.today())
    _record("problem.begin", problem, by, {})
    return problem


@transaction.atomic
def add_note(*, problem: Problem, by: User, text: str) -> ProblemNote:
    """Say what happened today. Notes are only added, so nobody's edit is in the way; the same words sent twice are one."""
    problem = _locked(problem)
    _must_be_open(problem)
    if not text.strip():
        raise Faulty([Fault("text", "请写明进展。")])
    note, is_new = ProblemNote.objects.get_or_create(problem=problem, on=clock.today(), text=text.strip(), by=by)
    if is_new:
        _record("problem.note", problem, by, {"text": [None, note.text]}, version=None)
    return note


@transaction.atomic
def add_files(*, problem: Problem, by: User, files: Iterable[attachments.Taken]) -> None:
    """Put files beside an open problem."""
    problem = _locked(problem)
    _must_be_open(problem)
    _keep(problem, files, by)


@transaction.atomic
def answer_problem(
    *, problem: Problem, by: User, version: int, basis: str, files: Iterable[attachments.Taken] = (), no_evidence: str = ""
) -> Problem:
    """The handler says that it is solved, on what ground and with which evidence, and asks for the check."""
    problem = _seen(problem, version)
    if _state(problem) not in (ProblemState.WAITING, ProblemState.HANDLING):
        raise Refused("已经报请核查或已销号，不必重复报请。")
    _must_prove(problem, basis, files, no_evidence)
    today = clock.today()
    _keep(problem, files, by)
    old = problem.closing_basis
    _write(problem, begun_on=problem.begun_on or today, answered_on=today, closing_basis=basis.strip())
    _record("problem.answer", problem, by, {"closing_basis": [old or None, problem.closing_basis]}, reason=no_evidence.strip())
    _tell_office(problem, by, "answered", f"问题 {problem.code} 已报请核查：{_short(problem.closing_basis)}")
    return problem


@transaction.atomic
def return_answer(*, problem: Problem, by: User, version: int, opinion: str) -> Problem:
    """The check found it not solved: back to the handler, with what is missing."""
    problem = _seen(problem, version)
    _must_be(problem, ProblemState.ANSWERED)
    if not opinion.strip():
        raise Faulty([Fault("opinion", "退回须写明核查意见：哪里没有到位、还要做什么。")])
    _write(problem, answered_on=None)
    _record("problem.return", problem, by, {"opinion": [None, opinion.strip()]})
    _tell(problem.handler, problem, by, "returned", f"问题 {problem.code} 核查未通过：{_short(opinion)}")
    return problem


@transaction.atomic
def close_problem(
    *, problem: Problem, by: User, version: int, basis: str, files: Iterable[attachments.Taken] = (), no_evidence: str = ""
) -> Problem:
    """The check found it solved: it is closed out (销号) and leaves its level."""
    problem = _seen(problem, version)
    _must_be_open(problem)
    _must_prove(problem, basis, files, no_evidence)
    today = clock.today()
    _keep(problem, files, by)
    old = problem.closing_basis
    ProblemStep.objects.filter(problem=problem, left_on=None).update(left_on=today, exit_opinion=f"销号：{basis.strip()}")
    _write(
        problem, begun_on=problem.begun_on or today, answered_on=problem.answered_on or today, closed_on=today, closing_basis=basis.strip()
    )
    before = None if old == problem.closing_basis else old or None
    _record("problem.close", problem, by, {"closing_basis": [before, problem.closing_basis]}, reason=no_evidence.strip())
    for unit in {problem.handler, problem.raised_by and problem.raised_by.unit} - {None}:
        _tell(unit, problem, by, f"closed:{unit.pk}", f"问题 {problem.code} 已销号：{_short(problem.closing_basis)}")
    return problem


@transaction.atomic
def reopen_problem(*, problem: Problem, by: User, version: int, reason: str) -> Problem:
    """It was closed out too early: back to handling, at the level that it had left, with the days of that level anew."""
    problem = _seen(problem, version)
    _must_be(problem, ProblemState.CLOSED)
    if not reason.strip():
        raise Faulty([Fault("reason", "恢复办理须写明理由。")])
    today, was_closed_on = clock.today(), problem.closed_on
    _write(problem, answered_on=None, closed_on=None)
    ProblemStep.objects.create(
        problem=problem,
        level=problem.level,
        entered_on=today,
        entry_opinion=f"恢复办理：{reason.strip()}"[: problem_rules.OPINION_LENGTH],
        due_on=level_due(problem.level, today),
        by=by,
    )
    _record("problem.reopen", problem, by, {"closed_on": [was_closed_on, None]}, reason=reason.strip())
    _tell(problem.handler, problem, by, "reopened", f"问题 {problem.code} 恢复办理：{_short(reason)}")
    return problem


# ── Levels of help ──────────────────────────────────────────────────────────────────────────────────────────────────


@transaction.atomic
def move_problem(*, problem: Problem, by: User, version: int, to: int, exit_opinion: str, entry_opinion: str = "") -> Problem:
    """To the next level, with what was done at this one and why it failed; or back to a lower one, with the reason."""
    problem = _seen(problem, version)
    _must_be_open(problem)
    if to not in problem_rules.moves(problem.level):
        raise Faulty([Fault("to", "只能升到上一级，不能越级；或退回到较低的一级。")])
    is_up = to > problem.level
    if faults := list(_moving_faults(is_up, exit_opinion, entry_opinion)):
        raise Faulty(faults)
    today, was = clock.today(), problem.level
    ProblemStep.objects.filter(problem=problem, left_on=None).update(left_on=today, exit_opinion=exit_opinion.strip())
    ProblemStep.objects.create(
        problem=problem,
        level=to,
        entered_on=today,
        entry_opinion=entry_opinion.strip() or f"由{problem_rules.short(was)}退回",
        due_on=level_due(to, today),
        by=by,
    )
    _write(problem, level=to)
    changes = {
        "level": [HelpLevel(was).label, HelpLevel(to).label],
        "exit_opinion": [None, exit_opinion.strip()],
        "entry_opinion": [None, entry_opinion.strip() or None],
    }
    _record("problem.up" if is_up else "problem.down", problem, by, changes)
    words = f"问题 {problem.code} {'升至' if is_up else '退回'}{HelpLevel(to).label}：{_short(entry_opinion or exit_opinion)}"
    for unit in {problem.handler, *problem.assistants.all()} - {None}:
        _tell(unit, problem, by, f"moved:{unit.pk}", words)
    return problem


def _moving_faults(is_up: bool, exit_opinion: str, entry_opinion: str):
    if not exit_opinion.strip():
        yield Fault("exit_opinion", "升级须写明本级做了什么、为什么没有解决。" if is_up else "退回须写明理由。")
    if is_up and not entry_opinion.strip():
        yield Fault("entry_opinion", "升级须写明请上一级协调解决什么。")


def tell_due(day: dt.date) -> int:
    """Tell the office and the handlers, once a stay, that problems must move up or are past the last level; how many were told."""
    from projects.problem_reports import due_problems

    told = 0
    for problem, sentence in due_problems(day):
        key, text = f"{NOTICE}.due:{problem.step_id}", f"问题 {problem.code} {sentence}"
        for unit in {_office(), problem.handler} - {None}:
            told += notices.notify(key=f"{key}:{unit.pk}", kind="problem.due", text=text, by=None, url=address(problem), unit=unit)
    return told


# ── What all of them share ──────────────────────────────────────────────────────────────────────────────────────────


def address(problem: Problem) -> str:
    return reverse("problem", args=[problem.code])


def _locked(problem: Problem) -> Problem:
    """Lock the project and read the problem anew: whoever comes second sees what the first one wrote."""
    Project.objects.select_for_update().get(pk=problem.project_id)
    return Problem.objects.select_related("handler", "raised_by__unit", "project").get(pk=problem.pk)


def _seen(problem: Problem, version: int) -> Problem:
    problem = _locked(problem)
    if version != problem.edit_version:
        raise Refused(QUICKER)
    return problem


def _state(problem: Problem) -> ProblemState:
    return problem_rules.state(clock.today(), problem.begun_on, problem.answered_on, problem.closed_on)


def _must_be(problem: Problem, wanted: ProblemState) -> None:
    state = _state(problem)
    if state != wanted:
        raise Refused(f"问题现在是“{state.label}”，不是“{wanted.label}”，没有办理：请刷新页面。")


def _must_be_open(problem: Problem) -> None:
    if problem.closed_on is not None:
        raise Refused(f"问题已于 {problem.closed_on} 销号：需要继续办理的，请专班办先恢复办理。")


def _must_prove(problem: Problem, basis: str, files: Iterable, no_evidence: str) -> None:
    faults = []
    if not basis.strip():
        faults.append(Fault("basis", "请写明依据：怎么解决的、凭什么认定已解决。"))
    if not files and not no_evidence.strip() and not problem.attachments.filter(withdrawn_at=None).exists():
        faults.append(Fault("files", "请附佐证材料（批复、照片、凭证等）；确实没有的，写明原因。"))
    if faults:
        raise Faulty(faults)


def _keep(problem: Problem, files: Iterable[attachments.Taken], by: User) -> None:
    try:
        attachments.keep_all(project=problem.project, files=files, by=by, problem=problem)
    except Unfit as fault:
        raise Faulty([Fault("files", str(fault))]) from fault


def _write(problem: Problem, **values) -> None:
    values["edit_version"] = problem.edit_version + 1
    for name, value in values.items():
        setattr(problem, name, value)
    problem.save(update_fields=list(values))


def _record(
    action: str, problem: Problem, by: User | None, changes: dict, *, reason: str = "", version: list | str | None = "next"
) -> None:
    """One event; `version` lets a later editor find what changed since (`_merge`), None where no edit can be in its way."""
    county = ProjectVersion.objects.select_related("county").get(project=problem.project_id, effective_to=None).county
    stamp = [problem.edit_version - 1, problem.edit_version] if version == "next" else version
    changes = changes | {"on": [None, clock.today()]} | ({"version": stamp} if stamp else {})
    trail.record(action=action, subject=problem, by=by, county=county, changes=changes, reason=reason)


def _values(problem: Problem) -> dict:
    assistants = sorted(problem.assistants.all(), key=lambda unit: unit.pk)
    return {name: getattr(problem, name) for name in EDITABLE} | {"assistants": assistants}


def _tidy(name: str, value):
    if name == "assistants":
        return sorted(value, key=lambda unit: unit.pk)
    return value.strip() if isinstance(value, str) else value


def _without(units: Iterable[Unit], handler: Unit | None) -> list[Unit]:
    return sorted((unit for unit in units if unit != handler), key=lambda unit: unit.pk)


def _spelled(name: str, value):
    """A value in words, as the trail keeps it."""
    if name == "assistants":
        return "、".join(unit.name for unit in value) or None
    if name == "category":
        return ProblemCategory(value).label
    if value in (None, ""):
        return None
    return str(value)


def _short(text: str, length: int = 60) -> str:
    text = " ".join(text.split())
    return text if len(text) <= length else text[: length - 1] + "…"


def _office() -> Unit | None:
    return Unit.objects.filter(kind=UnitKind.OFFICE).first()


def _tell(unit: Unit | None, problem: Problem, by: User | None, what: str, text: str) -> None:
    """Those who did it themselves need not be told."""
    if unit is not None and (by is None or unit.pk != by.unit_id):
        key = f"{NOTICE}.{what}:{problem.pk}:{problem.edit_version}"
        notices.notify(key=key, kind=f"{NOTICE}.{what.partition(':')[0]}", text=text, by=by, url=address(problem), unit=unit)


def _tell_office(problem: Problem, by: User, what: str, text: str) -> None:
    _tell(_office(), problem, by, what, text)


def _tell_assigned(problem: Problem, by: User | None) -> None:
    limit = f"，时限 {problem.due_on}" if problem.due_on else ""
    _tell(problem.handler, problem, by, "assigned", f"交办问题 {problem.code}{limit}：{_short(problem.description)}")
