"""How a project's papers (手续) hang together: what must come first, how long each takes, by when it must be handed in.

Order: laws and rules of the State, named with every row of `PREREQUISITES`; rows marked 惯例 are usual practice and a proposal.
Lead times: learned from the papers that the office has seen through; with fewer than five of a kind, what was promised.
"""

import dataclasses
import datetime as dt
import math
import statistics
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from linfen_water.enums import Role
from linfen_water.workdays import add_workdays, last_workday_by, workdays_between
from projects.enums import PermitKind as P
from projects.enums import PermitState, Stage
from projects.rules import Fault, permit_state


class Prerequisite(NamedTuple):
    """`kind` is handed in only when `after` is there, and on what ground."""

    kind: P
    after: P
    source: str


INVESTMENT = "《政府投资条例》第九条（项目建议书、可行性研究报告、初步设计依次报批）"
BUILDING = "《建筑工程施工许可管理办法》第四条"
USUAL = "惯例（建议值，可商）"

PREREQUISITES: tuple[Prerequisite, ...] = (
    Prerequisite(P.FEASIBILITY, P.APPROVAL, INVESTMENT),
    Prerequisite(P.PRELIMINARY_DESIGN, P.FEASIBILITY, INVESTMENT),
    Prerequisite(P.LAND_PREREVIEW, P.APPROVAL, "《建设项目用地预审管理办法》第五条（审批类项目在可研阶段申请）"),
    Prerequisite(P.FEASIBILITY, P.LAND_PREREVIEW, "《建设项目用地预审管理办法》（未经预审，不得批复可研）"),
    Prerequisite(P.FEASIBILITY, P.STABILITY_RISK, "发改投资〔2012〕2492号（风险评估作为可研的重要内容）"),
    Prerequisite(P.LAND_USE, P.FEASIBILITY, "《城乡规划法》第三十七条（经批准、核准、备案后申请）"),
    Prerequisite(P.LAND_USE, P.FOREST_RIVER_LAND, "《森林法》第三十七条（占用林地先经审核同意）"),
    Prerequisite(P.PLANNING_PERMIT, P.LAND_USE, "《城乡规划法》第四十条（须提交使用土地的证明文件）"),
    Prerequisite(P.BUDGET_REVIEW, P.PRELIMINARY_DESIGN, USUAL),
    Prerequisite(P.TENDER, P.PRELIMINARY_DESIGN, "《工程建设项目施工招标投标办法》第八条（初步设计及概算已批准）"),
    Prerequisite(P.TENDER, P.BUDGET_REVIEW, USUAL),
    Prerequisite(P.DRAWING_REVIEW, P.PRELIMINARY_DESIGN, USUAL),
    Prerequisite(P.QUALITY_SUPERVISION, P.TENDER, USUAL),
    Prerequisite(P.CONSTRUCTION_PERMIT, P.LAND_USE, BUILDING),
    Prerequisite(P.CONSTRUCTION_PERMIT, P.PLANNING_PERMIT, BUILDING),
    Prerequisite(P.CONSTRUCTION_PERMIT, P.DRAWING_REVIEW, BUILDING),
    Prerequisite(P.CONSTRUCTION_PERMIT, P.TENDER, BUILDING),
)
# Why the works may not begin without the paper, where no other paper asks for it first.
BEFORE_START: dict[P, str] = {
    P.EIA: "《环境影响评价法》第二十五条",
    P.SOIL_CONSERVATION: "《水土保持法》第二十六条",
    P.FLOOD_ASSESSMENT: "《防洪法》第二十七条、第三十三条",
    P.WATER_INTAKE: "《取水许可和水资源费征收管理条例》第二十一条",
    P.OUTFALL: "《水污染防治法》第十九条",
    P.QUALITY_SUPERVISION: "《建设工程质量管理条例》第十三条",
    P.CONSTRUCTION_PERMIT: "《建筑法》第七条",
}
_AFTER: dict[P, tuple[P, ...]] = {kind: tuple(row.after for row in PREREQUISITES if row.kind == kind) for kind in P}
GROUNDS = {(row.kind, row.after): row.source for row in PREREQUISITES}

LEAST_SAMPLES = 5
LIKELY_SHARE = 0.8
SOON_DAYS = 60  # a paper that ends within so many days is marked


@dataclasses.dataclass(frozen=True, slots=True)
class Paper:
    """One permit of a project."""

    kind: P
    is_required: bool = True
    authority: str = ""  # its name
    submitted_on: dt.date | None = None
    promised_workdays: int | None = None
    obtained_on: dt.date | None = None
    doc_number: str = ""
    valid_until: dt.date | None = None
    note: str = ""
    parallel_group: str = ""
    helper_post: str = ""

    def known_by(self, day: dt.date) -> "Paper":
        """What was there on `day`: dates after it have not happened yet."""
        is_obtained = self.obtained_on is not None and self.obtained_on <= day
        return dataclasses.replace(
            self,
            submitted_on=self.submitted_on if self.submitted_on and self.submitted_on <= day else None,
            obtained_on=self.obtained_on if is_obtained else None,
            doc_number=self.doc_number if is_obtained else "",
            valid_until=self.valid_until if is_obtained else None,
        )

    def state(self, day: dt.date) -> PermitState:
        return permit_state(day, self.is_required, self.submitted_on, self.obtained_on)

    @property
    def due_on(self) -> dt.date | None:
        """应办结日: the promised working days after it was handed in."""
        if not self.is_required or self.submitted_on is None or self.promised_workdays is None:
            return None
        return add_workdays(self.submitted_on, self.promised_workdays)

    def overdue_workdays(self, day: dt.date) -> int:
        """Working days past the promise: until it was obtained, else until `day`; 0 when it is not overdue."""
        if self.due_on is None:
            return 0
        return workdays_between(self.due_on, min(self.obtained_on or day, day))

    def validity(self, day: dt.date) -> str:
        """In words, when the paper has lapsed or soon will."""
        if self.valid_until is None or self.state(day) != PermitState.OBTAINED:
            return ""
        left = (self.valid_until - day).days
        return f"已过有效期{-left}天" if left < 0 else f"{left}天后到期" if left <= SOON_DAYS else ""


# ── Who writes which field ──────────────────────────────────────────────────────────────────────────────────────────
COUNTY_FIELDS = frozenset({"submitted_on", "note"})
AUTHORITY_FIELDS = frozenset({"submitted_on", "promised_workdays", "obtained_on", "doc_number", "valid_until", "note"})
OFFICE_FIELDS = AUTHORITY_FIELDS | {"is_required", "authority", "parallel_group", "helper_post"}


def held_fields(role: str, *, is_own_project: bool, is_authority: bool, is_obtained: bool) -> frozenset[str]:
    """The fields of a permit that a person may write.

    The office all; the authority what it decides; a county when it handed the papers in and where they stall, until they are through.
    """
    if role == Role.OFFICE:
        return OFFICE_FIELDS
    if role == Role.DEPARTMENT and is_authority:
        return AUTHORITY_FIELDS
    if role == Role.COUNTY and is_own_project:
        return COUNTY_FIELDS - {"submitted_on"} if is_obtained else COUNTY_FIELDS
    return frozenset()


def check(paper: Paper, today: dt.date) -> list[Fault]:
    """What speaks against a permit's values, in the order of the page."""
    return list(_faults(paper, today))


def _faults(paper: Paper, today: dt.date) -> Iterator[Fault]:
    if not paper.is_required and (paper.submitted_on or paper.obtained_on):
        yield Fault("is_required", "已有报送或办结日期，不能改为不需要：请先清空日期。")
    if paper.submitted_on and paper.submitted_on > today:
        yield Fault("submitted_on", f"报送日 {paper.submitted_on} 晚于今天（{today}）：还没有报送的请留空。")
    if paper.obtained_on and paper.obtained_on > today:
        yield Fault("obtained_on", f"办结日 {paper.obtained_on} 晚于今天（{today}）：还没有办结的请留空。")
    if paper.obtained_on and paper.submitted_on and paper.obtained_on < paper.submitted_on:
        yield Fault("obtained_on", f"办结日 {paper.obtained_on} 早于报送日 {paper.submitted_on}：请改其中一个。")
    if paper.obtained_on is None and paper.doc_number:
        yield Fault("obtained_on", f"已有文号“{paper.doc_number}”，请填办结日。")
    if paper.valid_until and not paper.obtained_on:
        yield Fault("valid_until", "还没有办结，不能填有效期。")
    elif paper.valid_until and paper.obtained_on and paper.valid_until < paper.obtained_on:
        yield Fault("valid_until", f"有效期 {paper.valid_until} 早于办结日 {paper.obtained_on}：请改其中一个。")


# ── Lead times ──────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclasses.dataclass(frozen=True, slots=True)
class Learned:
    """Working days from handing in to the paper, of `n` papers of one kind at one authority."""

    n: int
    median: float
    likely: int  # 80 of 100 took no longer


@dataclasses.dataclass(frozen=True, slots=True)
class Lead:
    """How long a paper takes from now on: `workdays` is what schedules reckon with, `sentence` where it comes from."""

    workdays: int
    sentence: str
    is_learned: bool = False
    is_known: bool = True


def learn(samples: Iterable[tuple[str, Any, int]]) -> dict[tuple[str, Any], Learned]:
    """Lead times by (kind, authority) from finished papers: `(kind, authority, working days)`."""
    found: dict[tuple[str, Any], list[int]] = {}
    for kind, authority, workdays in samples:
        found.setdefault((kind, authority), []).append(workdays)
    return {key: Learned(len(days), statistics.median(days), percentile(days, LIKELY_SHARE)) for key, days in found.items()}


def percentile(values: list[int], share: float) -> int:
    """The smallest value that at least `share` of all do not exceed (nearest rank)."""
    return sorted(values)[max(math.ceil(share * len(values)) - 1, 0)]


def lead(learned: Learned | None, promised_workdays: int | None) -> Lead:
    """How long to reckon with: learned from five papers or more, else promised; with neither, none, and it says so."""
    n = learned.n if learned else 0
    if learned and n >= LEAST_SAMPLES:
        words = f"该机关已办结{n}件：中位{learned.median:g}个工作日，八成不超过{learned.likely}个"
        return Lead(learned.likely, words, is_learned=True)
    few = f"该机关只有{n}件办结，不足{LEAST_SAMPLES}件" if n else "该机关还没有办结记录"
    if promised_workdays is not None:
        return Lead(promised_workdays, f"{few}，按承诺时限{promised_workdays}个工作日")
    return Lead(0, f"{few}，也没有承诺时限：未计时间，实际更紧", is_known=False)


# ── The schedule: forward to the likely end, backward from the target (倒排) ────────────────────────────────────────


@dataclasses.dataclass(slots=True)
class Step:
    """A required paper in the schedule of its project. `likely_end_on` is the real one once it is there."""

    paper: Paper
    state: PermitState
    lead: Lead
    waits_for: tuple[P, ...]  # required papers that come before it
    likely_start_on: dt.date
    likely_end_on: dt.date
    latest_submit_on: dt.date | None = None  # None: handed in already, or nothing to aim at
    latest_end_on: dt.date | None = None
    after_workdays: int = 0  # what the papers after it take
    is_stalled: bool = False  # under way for longer than such papers take: when it ends cannot be told
    is_critical: bool = False  # on the chain that decides when all papers are there
    sentence: str = ""

    @property
    def kind(self) -> P:
        return self.paper.kind

    @property
    def is_missing(self) -> bool:
        return self.state != PermitState.OBTAINED

    @property
    def slack(self) -> int | None:
        """Working days that it may still slip; negative = it comes too late for the target."""
        return None if self.latest_end_on is None else workday_span(self.likely_end_on, self.latest_end_on)


@dataclasses.dataclass(slots=True)
class Plan:
    """All required papers of a project on a day."""

    day: dt.date
    target_on: dt.date
    target_word: str
    steps: list[Step]  # in an order in which each comes after what it waits for

    @property
    def missing(self) -> list[Step]:
        return [step for step in self.steps if step.is_missing]

    @property
    def ready_on(self) -> dt.date | None:
        """When all papers are likely to be there; the real day once they are; None without any."""
        return max((step.likely_end_on for step in self.steps), default=None)

    @property
    def critical(self) -> list[Step]:
        return [step for step in self.steps if step.is_critical]

    @property
    def slack(self) -> int | None:
        """Working days between the likely last paper and the target; negative = short of so many. None when nothing is missing."""
        return workday_span(self.ready_on, self.target_on) if self.missing and self.ready_on else None

    @property
    def tightest(self) -> Step | None:
        """The missing paper that leaves least time."""
        return min(
            self.missing, key=lambda step: (step.slack if step.slack is not None else 0, step.latest_end_on or dt.date.max), default=None
        )

    @property
    def sentence(self) -> str:
        """What is missing, when it is likely to be there, and whether that is in time."""
        missing = self.missing
        if not self.steps:
            return "还没有登记需要办理的手续。"
        if not missing:
            return f"{len(self.steps)}项手续已全部办结。"
        chain = "→".join(P(step.kind).label for step in self.critical if step.is_missing)
        stalled = sum(step.is_stalled for step in missing)
        words = f"缺{len(missing)}项手续，" + (f"其中{stalled}项已超过通常用时，最早" if stalled else "预计") + f" {self.ready_on} 办齐"
        slack = self.slack or 0
        if self.target_on < self.day:
            words += f"；{self.target_word} {self.target_on} 已过"
        elif slack < 0:
            words += f"，比{self.target_word} {self.target_on} 晚{-slack}个工作日"
        else:
            words += f"，距{self.target_word} {self.target_on} 还余{slack}个工作日"
        unknown = sum(not step.lead.is_known for step in missing)
        return words + (f"；关键：{chain}" if chain else "") + (f"（{unknown}项时限不明，未计）" if unknown else "") + "。"


def plan(
    papers: Iterable[Paper], leads: Mapping[P, Lead], *, day: dt.date, stage: Stage, baseline_start_on: dt.date, baseline_finish_on: dt.date
) -> Plan:
    """The schedule of a project's required papers on `day`: before the start it aims at the baseline start, afterwards at the finish."""
    target_on, word = (baseline_start_on, "基线开工") if stage == Stage.NOT_STARTED else (baseline_finish_on, "基线完工")
    known = {paper.kind: paper.known_by(day) for paper in papers if paper.is_required}
    steps: dict[P, Step] = {}
    for kind in in_order(known):
        steps[kind] = _forward(known[kind], leads[kind], prerequisites(kind, known), steps, day)
    found = Plan(day, target_on, word, list(steps.values()))
    _backward(found)
    _mark_critical(steps)
    for step in found.steps:
        step.sentence = _sentence(step, found)
    return found


def prerequisites(kind: P, papers: Mapping[P, Paper]) -> tuple[P, ...]:
    """The papers that `kind` waits for. What is not required, or applied for side by side with it, is passed over to what it waits for."""
    group, found, seen = papers[kind].parallel_group, [], set()

    def walk(after: P) -> None:
        for before in _AFTER[after]:
            if before in seen:
                continue
            seen.add(before)
            if before not in papers or (group and papers[before].parallel_group == group):
                walk(before)
            else:
                found.append(before)

    walk(kind)
    return tuple(before for before in P if before in found)


def in_order(papers: Mapping[P, Paper]) -> list[P]:
    """The kinds so that each comes after all that it waits for; else as the dictionary has them."""
    done: list[P] = []
    left = [kind for kind in P if kind in papers]
    while left:
        ready = next(kind for kind in left if all(before in done for before in prerequisites(kind, papers)))
        done.append(ready)
        left.remove(ready)
    return done


def _forward(paper: Paper, lead: Lead, waits_for: tuple[P, ...], before: Mapping[P, Step], day: dt.date) -> Step:
    state = paper.state(day)
    free_on = max((before[kind].likely_end_on for kind in waits_for if before[kind].is_missing), default=day)
    if paper.obtained_on:
        return Step(paper, state, lead, waits_for, paper.submitted_on or paper.obtained_on, paper.obtained_on)
    if paper.submitted_on:
        end = add_workdays(paper.submitted_on, lead.workdays)
        return Step(paper, state, lead, waits_for, paper.submitted_on, max(end, day), is_stalled=end < day)
    start = max(free_on, day)
    return Step(paper, state, lead, waits_for, start, add_workdays(start, lead.workdays))


def _backward(found: Plan) -> None:
    """The latest days that still meet the target, from the last paper to the first. What was handed in already binds nobody before it."""
    for step in reversed(found.steps):
        if not step.is_missing:
            continue
        later = [s for s in found.steps if step.kind in s.waits_for and s.state == PermitState.NOT_SUBMITTED]
        step.latest_end_on = min((s.latest_submit_on for s in later if s.latest_submit_on), default=found.target_on)
        step.after_workdays = max((s.lead.workdays + s.after_workdays for s in later), default=0)
        if step.state == PermitState.NOT_SUBMITTED:
            step.latest_submit_on = latest_submission(step.latest_end_on, step.lead.workdays)


def _mark_critical(steps: Mapping[P, Step]) -> None:
    """From the paper that comes last back through the one that each had to wait for longest."""
    last = max(steps.values(), key=lambda step: (step.is_missing, step.likely_end_on), default=None)
    while last is not None:
        last.is_critical = True
        before = [steps[kind] for kind in last.waits_for]
        last = max(before, key=lambda step: (step.is_missing, step.likely_end_on), default=None)


def latest_submission(needed_on: dt.date, workdays: int) -> dt.date:
    """The last working day on which a paper that takes `workdays` is handed in and still there by `needed_on`."""
    day = needed_on - dt.timedelta(days=workdays * 7 // 5)
    while (short := workdays - workdays_between(day, needed_on)) > 0:
        day -= dt.timedelta(days=short)
    while day < needed_on and workdays_between(day + dt.timedelta(days=1), needed_on) >= workdays:
        day += dt.timedelta(days=1)
    return last_workday_by(day)


def workday_span(first: dt.date, last: dt.date) -> int:
    """Working days from `first` to `last`; negative when `last` is the earlier."""
    return workdays_between(first, last) if first <= last else -workdays_between(last, first)


def _sentence(step: Step, found: Plan) -> str:
    """What is to be done by when: `环境影响评价需45个工作日，距基线开工 2025-04-03 只剩30个：本应于 2025-01-15 前报送，已晚15个工作日。`"""
    label = P(step.kind).label
    if not step.is_missing:
        return f"{label}已于 {step.paper.obtained_on} 办结。"
    late = step.paper.overdue_workdays(found.day)
    if step.state == PermitState.IN_PROGRESS:
        passed = workdays_between(step.likely_start_on, found.day)
        words = f"{label} {step.paper.submitted_on} 报送，已办{passed}个工作日"
        words += f"，超过承诺时限{late}个工作日" if late else f"，承诺 {step.paper.due_on} 办结" if step.paper.due_on else ""
        if found.target_on < found.day:
            return f"{words}；{found.target_word} {found.target_on} 已过，请尽快办结。"
        return f"{words}；最迟应于 {step.latest_end_on} 办结。"
    needs = f"{label}需{step.lead.workdays}个工作日" if step.lead.is_known else f"{label}所需时间不明"
    if step.after_workdays:
        needs += f"，其后手续还需{step.after_workdays}个"
    if found.target_on < found.day:
        return f"{needs}；{found.target_word} {found.target_on} 已过，请尽快报送。"
    left = workdays_between(found.day, found.target_on)
    latest = step.latest_submit_on or found.day
    if latest < found.day:
        by = workdays_between(latest, found.day)
        return f"{needs}，距{found.target_word} {found.target_on} 只剩{left}个：本应于 {latest} 前报送，已晚{by}个工作日。"
    return f"{needs}，距{found.target_word} {found.target_on} 还有{left}个：最迟应于 {latest} 报送。"


def brief(step: Step, plan: Plan) -> str:
    """The same in a few words, for a list."""
    late = step.paper.overdue_workdays(plan.day)
    if step.state == PermitState.IN_PROGRESS:
        since = f"{step.likely_start_on} 报送"
        return since + (f"，超承诺{late}个工作日" if late else f"，承诺 {step.paper.due_on} 办结" if step.paper.due_on else "")
    needs = f"需{step.lead.workdays}个工作日" if step.lead.is_known else "时间不明"
    if plan.target_on < plan.day or step.latest_submit_on is None:
        return f"{needs}，请尽快报送"
    if step.latest_submit_on < plan.day:
        return f"{needs}，本应 {step.latest_submit_on} 前报送，已晚{workdays_between(step.latest_submit_on, plan.day)}个"
    return f"{needs}，最迟 {step.latest_submit_on} 报送"


# ── The ladder of the early stages ──────────────────────────────────────────────────────────────────────────────────
# 编可研→可研批→编初设→初设批→开工: not one 前期.


def ladder_step(papers: Mapping[P, Paper], stage: Stage, day: dt.date) -> str:
    """Where on the ladder a project stands on `day`; empty when the papers do not tell."""
    if stage != Stage.NOT_STARTED:
        return stage.label
    states = {kind: paper.state(day) for kind, paper in papers.items()}
    feasibility, design = states.get(P.FEASIBILITY), states.get(P.PRELIMINARY_DESIGN)
    if design == PermitState.OBTAINED:
        return "初设已批，待开工"
    if design == PermitState.IN_PROGRESS:
        return "初设报批"
    if feasibility == PermitState.OBTAINED:
        return "编初设"
    if feasibility == PermitState.IN_PROGRESS:
        return "可研报批"
    if states.get(P.APPROVAL) == PermitState.OBTAINED:
        return "编可研"
    return "立项" if P.APPROVAL in states else ""
