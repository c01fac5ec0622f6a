"""Which measure the facts of a day call for. Source: the office's table of letters and measures (docs/rules.md, 函件与措施).

Values and the policy's thresholds in, verdicts out: no ORM, no clock. All limits are proposals (建议值) that the office may change.
A verdict carries one sentence and its evidence; table, letter and bulletin quote it unchanged. What was not reported is never judged
as if it were zero: 未报 is a verdict of its own.
"""

import dataclasses
import datetime as dt
from collections.abc import Iterable, Iterator

from django.db import models

from ledgers.documents.bulletin import lag_sentence
from ledgers.documents.wording import date, one_decimal, percent
from ledgers.enums import DocumentKind, Measure
from linfen_water.policy import Values
from projects import anomalies
from projects.anomalies import PermitDates, week_words
from projects.enums import Stage
from projects.facts import ProjectFacts

PROPOSED = "（建议值）"


class Rule(models.TextChoices):
    """In the order in which they are told."""

    UNREPORTED = "unreported", "未报"
    START_AT_RISK = "start_at_risk", "临近开工缺手续"
    FINISH_AT_RISK = "finish_at_risk", "临近完工进度滞后"
    BEHIND = "behind", "进度滞后"
    LATE_REPORTS = "late_reports", "多次迟报未报"
    BOTTOM = "appraisal_bottom", "考核靠后"
    PERMIT_OVERDUE = "permit_overdue", "手续超承诺时限"
    FAR_BEHIND = "far_behind", "进度严重滞后"
    MILESTONE_OVERDUE = "milestone_overdue", "节点逾期"
    UNANSWERED = "unanswered", "提醒函逾期未回复"
    MOVED_UP = "moved_up", "上一措施未见效"
    LATE_FORECAST = "late_forecast", "预计逾期完工"
    NO_PROGRESS = "no_progress", "无明显进展"
    STILL_AFTER_TALK = "still_after_talk", "约谈后仍无进展"
    QUARTER_LAST = "quarter_last", "季度考核末位"
    GRAVE = "grave", "情节较重"


MEASURES = {
    Rule.UNREPORTED: Measure.CHASE,
    Rule.START_AT_RISK: Measure.EARLY_WARNING,
    Rule.FINISH_AT_RISK: Measure.EARLY_WARNING,
    Rule.BEHIND: Measure.REMINDER,
    Rule.LATE_REPORTS: Measure.REMINDER,
    Rule.BOTTOM: Measure.REMINDER,
    Rule.PERMIT_OVERDUE: Measure.REMINDER,
    Rule.FAR_BEHIND: Measure.SUPERVISION,
    Rule.MILESTONE_OVERDUE: Measure.SUPERVISION,
    Rule.UNANSWERED: Measure.SUPERVISION,
    Rule.LATE_FORECAST: Measure.SITE_SUPERVISION,
    Rule.NO_PROGRESS: Measure.REGULATORY_TALK,
    Rule.STILL_AFTER_TALK: Measure.LISTED_SUPERVISION,
    Rule.QUARTER_LAST: Measure.LISTED_SUPERVISION,
    Rule.GRAVE: Measure.ACCOUNTABILITY,
}
REPLY_DAYS = {
    Measure.EARLY_WARNING: "reply_days_early_warning",
    Measure.REMINDER: "reply_days_reminder",
    Measure.SUPERVISION: "reply_days_supervision",
    Measure.REGULATORY_TALK: "reply_days_talk",
}


def reply_days(kind: str, values: Values) -> int:
    """Working days in which a letter of `kind` is to be answered."""
    return getattr(values, REPLY_DAYS[Measure(kind)])


# ── What is judged ──────────────────────────────────────────────────────────────────────────────────────────────────


@dataclasses.dataclass(frozen=True, slots=True)
class PermitCase:
    """A required permit that was applied for and has not come."""

    kind: str  # key of the dictionary of permits
    dates: PermitDates
    authority: str  # code of the unit that decides; empty: not known


@dataclasses.dataclass(frozen=True, slots=True)
class ProjectCase:
    """One project as of a day, with all that its verdicts need."""

    facts: ProjectFacts
    missing_permits: tuple[str, ...] = ()  # names of required permits that are not there
    permits: tuple[PermitCase, ...] = ()  # under way with a promise
    nodes: tuple[tuple[str, dt.date], ...] = ()  # (节点, its limit) that are not done
    unreported_week: dt.date | None = None  # the last week that was due, when nothing was reported in it
    still_periods: int = 0  # due weeks up to the day in which nothing moved; those of approved stops are not counted
    moved_on: dt.date | None = None  # the cut-off of the week in which something last moved; None: not in sight
    is_stopped: bool = False  # an approved stop is in force on the day

    @property
    def is_open(self) -> bool:
        return self.facts.stage != Stage.FINISHED


@dataclasses.dataclass(frozen=True, slots=True)
class Turnout:
    """How a unit reported in one week whose deadline has passed."""

    week_of: dt.date
    due: int
    late: int
    missing: int

    @property
    def is_poor(self) -> bool:
        return self.late + self.missing > 0


@dataclasses.dataclass(frozen=True, slots=True)
class Appraised:
    """A county's place in an appraisal."""

    period: str
    rank: int
    of: int
    tied: int = 1  # counties that share the rank

    def is_among_last(self, number: int) -> bool:
        """By its rank: who shares the better one is spared. With no more counties than that, nobody is."""
        return self.of > number and self.rank > self.of - number

    @property
    def is_last(self) -> bool:
        """Nobody is behind, somebody before."""
        return self.rank > 1 and self.rank + self.tied > self.of


@dataclasses.dataclass(frozen=True, slots=True)
class LetterCase:
    """An issued letter as of a day."""

    number: str  # 发文字号
    kind: DocumentKind
    unit: str  # code of the addressee
    unit_name: str
    issued_on: dt.date
    reply_due_on: dt.date | None
    answered_on: dt.date | None = None  # the first answer
    closed_on: dt.date | None = None
    moved_up_to: str = ""  # the measure that followed, by a person's decision
    moved_up_reason: str = ""
    is_followed: bool = False  # a letter of that measure was issued since

    def is_unanswered(self, day: dt.date) -> bool:
        """Past its reply date without any answer; on the day itself it is still in time."""
        is_over = self.reply_due_on is not None and day > self.reply_due_on
        return is_over and self.answered_on is None and self.closed_on is None


@dataclasses.dataclass(frozen=True, slots=True)
class CountyCase:
    """One county as of a day."""

    code: str
    name: str
    unit: str  # code of the unit that reports for it
    projects: tuple[ProjectCase, ...] = ()
    weeks: tuple[Turnout, ...] = ()  # newest first
    appraised: Appraised | None = None  # the last one; None: there is none
    quarter: Appraised | None = None
    talked_on: dt.date | None = None  # the last talk
    letters: tuple[LetterCase, ...] = ()

    @property
    def open_projects(self) -> tuple[ProjectCase, ...]:
        return tuple(case for case in self.projects if case.is_open)

    @property
    def moving(self) -> tuple[ProjectCase, ...]:
        """Unfinished projects that no approved stop holds still."""
        return tuple(case for case in self.open_projects if not case.is_stopped)


@dataclasses.dataclass(frozen=True, slots=True)
class Material:
    """All that the verdicts of a day are judged from, whatever the thresholds."""

    day: dt.date
    counties: tuple[CountyCase, ...]
    letters: tuple[LetterCase, ...] = ()  # of units that are no counties
    policy_on: dt.date | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Verdict:
    """What one rule says of one subject: the sentence that is quoted everywhere, and what it stands on."""

    rule: Rule
    subject_type: str  # project, county, permit, letter
    subject: str  # code of the project or county, `code/kind` of a permit, 发文字号 of a letter
    measure: Measure
    sentence: str
    evidence: tuple[tuple[str, str], ...]
    policy_on: dt.date | None
    unit: str  # code of whom the measure is addressed to; empty: nobody is known
    project: str = ""  # its code
    name: str = ""  # of the project, or of the county
    county: str = ""  # code

    def to_json(self) -> dict:
        """As `manage.py judge` prints it."""
        return {
            "rule": self.rule.value,
            "subject_type": self.subject_type,
            "subject": self.subject,
            "measure": self.measure.value,
            "sentence": self.sentence,
            "evidence": dict(self.evidence),
            "policy_on": self.policy_on.isoformat() if self.policy_on else None,
        }


# ── Judging ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def judge(material: Material, values: Values) -> list[Verdict]:
    """Every verdict of a day, by county, then by measure."""
    found: list[Verdict] = []
    for county in material.counties:
        own = [verdict for case in county.projects for verdict in judge_project(case, county, material, values)]
        own += judge_county(county, material, values)
        found += sorted(own, key=lambda verdict: ORDER[verdict.rule])
    found += (verdict for letter in material.letters for verdict in judge_letter(letter, material))
    return found


ORDER = {rule: place for place, rule in enumerate(Rule)}


def judge_project(case: ProjectCase, county: CountyCase, material: Material, values: Values) -> Iterator[Verdict]:
    """What is said of one unfinished project and of its permits."""
    if not case.is_open:
        return
    for rule, sentence, evidence in _project_findings(case, material.day, values):
        yield Verdict(
            rule, "project", case.facts.code, MEASURES[rule], sentence, tuple(evidence), material.policy_on, county.unit,
            case.facts.code, case.facts.name, county.code,
        )  # fmt: skip
    for permit in case.permits:
        if late := permit_overdue(permit, material.day):
            yield Verdict(
                Rule.PERMIT_OVERDUE, "permit", f"{case.facts.code}/{permit.kind}", Measure.REMINDER, late.sentence, late.evidence,
                material.policy_on, permit.authority, case.facts.code, case.facts.name, county.code,
            )  # fmt: skip


Finding = tuple[Rule, str, Iterable[tuple[str, str]]]


def _project_findings(case: ProjectCase, day: dt.date, values: Values) -> Iterator[Finding]:
    for found in (
        unreported(case),
        start_at_risk(case, day, values),
        finish_at_risk(case, day, values),
        behind(case, day, values),
    ):
        if found:
            yield found
    yield from milestones_overdue(case, day)
    if found := late_forecast(case):
        yield found


def judge_county(county: CountyCase, material: Material, values: Values) -> list[Verdict]:
    """What is said of one county as a whole."""
    found = [
        late_reports(county, values),
        bottom_of_appraisal(county, values),
        no_progress(county, values),
        still_after_talk(county, material.day, values),
        last_of_quarter(county),
    ]
    listed = [finding for finding in found[3:] if finding]
    found.append(grave(county, bool(listed), material.day, values))
    verdicts = [
        Verdict(
            rule, "county", county.code, MEASURES[rule], sentence, tuple(evidence), material.policy_on, county.unit,
            name=county.name, county=county.code,
        )
        for finding in found if finding
        for rule, sentence, evidence in [finding]
    ]  # fmt: skip
    return verdicts + [verdict for letter in county.letters for verdict in judge_letter(letter, material, county.code)]


# ── Early warning ───────────────────────────────────────────────────────────────────────────────────────────────────


def start_at_risk(case: ProjectCase, day: dt.date, values: Values) -> Finding | None:
    """Due to start within the policy's days and a required permit is not there."""
    facts = case.facts
    left = (facts.baseline_start_on - day).days
    if facts.stage != Stage.NOT_STARTED or not 0 <= left <= values.due_days or not case.missing_permits:
        return None
    names = "、".join(case.missing_permits)
    sentence = f"{date(facts.baseline_start_on)}应开工，距今{left}天，尚缺{len(case.missing_permits)}项手续：{names}"
    evidence = [("基线开工", str(facts.baseline_start_on)), ("距今", f"{left}天"), ("尚缺手续", names)]
    return Rule.START_AT_RISK, sentence, [*evidence, (f"提前{PROPOSED}", f"{values.due_days}天")]


def finish_at_risk(case: ProjectCase, day: dt.date, values: Values) -> Finding | None:
    """Due to finish within the policy's days and behind its plan."""
    facts = case.facts
    left = (facts.baseline_finish_on - day).days
    if not 0 <= left <= values.due_days or facts.lag is None or facts.lag <= 0 or facts.lag < values.warn_points:
        return None
    sentence = f"{date(facts.baseline_finish_on)}应完工，距今{left}天，{_lag_words(case, day)}"
    evidence = [("基线完工", str(facts.baseline_finish_on)), ("距今", f"{left}天"), *_lag_evidence(case)]
    limits = [(f"提前{PROPOSED}", f"{values.due_days}天"), (f"序时差{PROPOSED}", f"{values.warn_points}个百分点")]
    return Rule.FINISH_AT_RISK, sentence, [*evidence, *limits]


# ── Reminder and supervision ────────────────────────────────────────────────────────────────────────────────────────


def behind(case: ProjectCase, day: dt.date, values: Values) -> Finding | None:
    """Behind plan: a reminder from the lower limit on, supervision above the upper one. Without a report there is no lag."""
    lag = case.facts.lag
    if lag is None or lag < values.behind_points:
        return None
    rule = Rule.FAR_BEHIND if lag > values.far_behind_points else Rule.BEHIND
    limit = f"超过{values.far_behind_points}" if rule == Rule.FAR_BEHIND else f"{values.behind_points}—{values.far_behind_points}"
    return rule, _lag_words(case, day), [*_lag_evidence(case), (f"阈值{PROPOSED}", f"{limit}个百分点")]


def _lag_words(case: ProjectCase, day: dt.date) -> str:
    """The bulletin's sentence; when the last week was not reported it says on which report it stands."""
    facts = case.facts
    assert facts.lag is not None
    assert facts.physical_progress is not None
    sentence = lag_sentence(day, facts.planned_progress, facts.physical_progress, facts.lag)
    return f"{sentence}（实际进度为{week_words(facts.week_of)}所报，其后未报）" if case.unreported_week and facts.week_of else sentence


def _lag_evidence(case: ProjectCase) -> list[tuple[str, str]]:
    facts = case.facts
    assert facts.lag is not None
    said = [("最近一次填报", week_words(facts.week_of))] if facts.week_of else []
    return [
        ("计划进度", percent(facts.planned_progress)), ("实际进度", percent(facts.physical_progress)),
        ("序时差", f"{one_decimal(facts.lag)}个百分点"), *said,
    ]  # fmt: skip


def milestones_overdue(case: ProjectCase, day: dt.date) -> Iterator[Finding]:
    """A baseline date, or the limit of a node of the year, that has passed with its event still to come. The day itself is in time."""
    for verdict in anomalies.milestones(case.facts, day):
        yield Rule.MILESTONE_OVERDUE, verdict.sentence, verdict.evidence
    for name, due_on in case.nodes:
        if due_on < day:
            late = (day - due_on).days
            sentence = f"节点“{name}”应于{date(due_on)}完成，已过{late}天仍未完成"
            yield Rule.MILESTONE_OVERDUE, sentence, [("节点", name), ("时限", str(due_on)), ("截至", str(day))]


def permit_overdue(permit: PermitCase, day: dt.date) -> anomalies.Verdict | None:
    """Past the working days that the authority promised."""
    return anomalies.stalled(permit.dates, day)


def late_reports(county: CountyCase, values: Values) -> Finding | None:
    """Late or missing reports in so many of the last weeks. Each week says which of both it was."""
    poor = [week for week in county.weeks[: values.late_window_weeks] if week.is_poor]
    if len(poor) < values.late_weeks:
        return None
    told = [(week_words(week.week_of), _turnout(week)) for week in poor]
    sentence = f"近{values.late_window_weeks}期周调度有{len(poor)}期迟报或未报：" + "，".join(f"{name}{words}" for name, words in told)
    return Rule.LATE_REPORTS, sentence, [*told, (f"阈值{PROPOSED}", f"{values.late_window_weeks}期中{values.late_weeks}期")]


def _turnout(week: Turnout) -> str:
    parts = [f"迟报{week.late}项" if week.late else "", f"未报{week.missing}项" if week.missing else ""]
    return f"应报{week.due}项、" + "、".join(part for part in parts if part)


def bottom_of_appraisal(county: CountyCase, values: Values) -> Finding | None:
    """Among the last of the appraisal, with unfinished projects."""
    place = county.appraised
    if place is None or not county.open_projects or not place.is_among_last(values.bottom_ranks):
        return None
    sentence = f"{place.period}考核第{place.rank}名（共{place.of}个），还有{len(county.open_projects)}个项目未完工"
    evidence = [("名次", f"{place.rank}/{place.of}"), ("未完工项目", f"{len(county.open_projects)}个")]
    return Rule.BOTTOM, sentence, [*evidence, (f"阈值{PROPOSED}", f"后{values.bottom_ranks}名")]


def judge_letter(letter: LetterCase, material: Material, county: str = "") -> Iterator[Verdict]:
    """A reminder left unanswered leads to supervision; what a person moved up waits for the next measure's letter."""
    found: list[tuple[Rule, Measure, str, tuple[tuple[str, str], ...]]] = []
    label = DocumentKind(letter.kind).label
    dates = (("发文字号", letter.number), ("发文日", str(letter.issued_on)), ("应回复日", str(letter.reply_due_on or "")))
    if letter.kind == DocumentKind.REMINDER and letter.is_unanswered(material.day) and letter.reply_due_on:
        late = (material.day - letter.reply_due_on).days
        words = f"{label}{letter.number}应于{date(letter.reply_due_on)}前回复，已逾期{late}天未回复"
        found.append((Rule.UNANSWERED, Measure.SUPERVISION, words, dates))
    if letter.moved_up_to and not letter.is_followed:
        words = f"{label}{letter.number}未见成效，经专班办研究升级：{letter.moved_up_reason}"
        found.append((Rule.MOVED_UP, Measure(letter.moved_up_to), words, (*dates, ("升级理由", letter.moved_up_reason))))
    for rule, measure, sentence, evidence in found:
        yield Verdict(
            rule,
            "letter",
            letter.number,
            measure,
            sentence,
            evidence,
            material.policy_on,
            letter.unit,
            name=letter.unit_name,
            county=county,
        )


# ── Site supervision, talk, listed supervision, accountability ──────────────────────────────────────────────────────


def late_forecast(case: ProjectCase) -> Finding | None:
    """Expected by those who build it to be finished after the baseline."""
    facts = case.facts
    if facts.forecast_finish_on is None or facts.forecast_finish_on <= facts.baseline_finish_on:
        return None
    late = (facts.forecast_finish_on - facts.baseline_finish_on).days
    sentence = f"预计{date(facts.forecast_finish_on)}完工，比基线完工{date(facts.baseline_finish_on)}晚{late}天"
    evidence = [("预计完工", str(facts.forecast_finish_on)), ("基线完工", str(facts.baseline_finish_on)), ("晚", f"{late}天")]
    return Rule.LATE_FORECAST, sentence, evidence


def unreported(case: ProjectCase) -> Finding | None:
    """Nothing was reported in the last week that was due. It is asked for; no other figure is read out of it."""
    if case.unreported_week is None:
        return None
    verdict = anomalies.unreported(case.unreported_week, case.facts.week_of)
    return Rule.UNREPORTED, verdict.sentence, verdict.evidence


def no_progress(county: CountyCase, values: Values) -> Finding | None:
    """No unfinished project of the county has moved over the policy's periods; approved stops do not count."""
    moving = county.moving
    if not moving or any(case.still_periods < values.silent_weeks for case in moving):
        return None
    silent = [case for case in moving if case.unreported_week]
    stopped = len(county.open_projects) - len(moving)
    sentence = f"连续{values.silent_weeks}期周调度，{len(moving)}个未完工项目的阶段、进度、完成投资和资金均无变化，无新办结手续、新销号问题"
    sentence += f"（其中{len(silent)}个未报）" if silent else ""
    sentence += f"；另有{stopped}个经批准停工，未计" if stopped else ""
    evidence = [(case.facts.code, f"{case.facts.name}，进度{_progress(case)}，{case.still_periods}期无变化") for case in moving]
    return Rule.NO_PROGRESS, sentence, [*evidence, (f"期数{PROPOSED}", f"{values.silent_weeks}期")]


def _progress(case: ProjectCase) -> str:
    return "未报" if case.facts.physical_progress is None else percent(case.facts.physical_progress)


def still_after_talk(county: CountyCase, day: dt.date, values: Values) -> Finding | None:
    """Nothing has moved since a talk that lies the policy's days back."""
    if county.talked_on is None or (day - county.talked_on).days < values.after_talk_days or not county.moving:
        return None
    talked_on = county.talked_on
    if any(case.still_periods == 0 or (case.moved_on and case.moved_on > talked_on) for case in county.moving):
        return None
    days = (day - talked_on).days
    sentence = f"{date(talked_on)}约谈后{days}天，{len(county.moving)}个未完工项目仍无明显进展"
    evidence = [("约谈日", str(talked_on)), ("至今", f"{days}天"), ("未完工项目", f"{len(county.moving)}个")]
    return Rule.STILL_AFTER_TALK, sentence, [*evidence, (f"观察期{PROPOSED}", f"{values.after_talk_days}天")]


def last_of_quarter(county: CountyCase) -> Finding | None:
    """The last of a quarter's appraisal, with unfinished projects."""
    place = county.quarter
    if place is None or not place.is_last or not county.open_projects:
        return None
    return Rule.QUARTER_LAST, f"{place.period}考核末位（第{place.rank}名，共{place.of}个）", [("名次", f"{place.rank}/{place.of}")]


def grave(county: CountyCase, is_listed: bool, day: dt.date, values: Values) -> Finding | None:
    """Under listed supervision, with supervision letters unanswered: the file is gathered, nothing is decided."""
    open_letters = [letter for letter in county.letters if letter.kind == DocumentKind.SUPERVISION and letter.is_unanswered(day)]
    if not is_listed or len(open_letters) < values.grave_letters:
        return None
    numbers = "、".join(letter.number for letter in open_letters)
    sentence = f"已达挂牌督办条件，另有{len(open_letters)}件督办函逾期未回复（{numbers}）。系统只汇集材料，是否问责由有权机关决定"
    return Rule.GRAVE, sentence, [*((letter.number, f"应回复日 {letter.reply_due_on}") for letter in open_letters)]
