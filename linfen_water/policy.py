"""The office's thresholds and dates. Defaults are our own proposals ([D] 建议值) until the office sets its own row."""

import dataclasses
import datetime as dt
import hashlib
from collections.abc import Collection
from typing import NamedTuple

import orjson
from django.db import transaction

from linfen_water import clock, trail
from linfen_water.models import Policy, Region
from linfen_water.once import once


@dataclasses.dataclass(frozen=True)
class Values:
    """One set of thresholds; each field is one figure that the office may change from a day on."""

    cut_off_weekday: int = 3  # weekly deadline and cut-off: Thursday (0 = Monday)
    cut_off_hour: int = 18
    open_weekday: int = 0  # a week is opened for reports on its Monday at
    open_hour: int = 8
    lock_weekday: int = 4  # and locked on Friday at
    lock_hour: int = 18
    remind_hours: int = 4  # so many hours before the deadline the units that have not reported are reminded once; 0: never
    announce_days: int = 5  # other times of a week are announced so many days before it opens
    jump_points: int = 20  # progress that rises by more in one week is asked about
    idle_money_weeks: int = 8  # progress without money, or money without progress, over so many weeks is asked about
    photo_far_km: int = 10  # a photo taken further from its project is marked
    idle_funds_weeks: int = 8  # 沉淀资金: money that arrived and was not passed on for so many weeks
    help_days_office: int = 2  # working days that a problem may stay at each level of help
    help_days_departments: int = 5
    help_days_city: int = 10
    help_days_province: int = 20
    bulletin_day: int = 5  # day of the next month from which a month's bulletin must exist as a draft
    behind_points: int = 10  # 滞后: percentage points behind plan that make a project "behind"
    far_behind_points: int = 30  # 严重滞后
    silent_weeks: int = 4  # weekly reports without any change that count as "no visible progress"
    due_days: int = 60  # early warning: due to start or finish within so many days
    warn_points: int = 1  # early warning: due to finish soon and so many points behind plan
    late_weeks: int = 2  # reminder: so many weeks with late or missing reports …
    late_window_weeks: int = 4  # … among the last so many weeks
    bottom_ranks: int = 3  # reminder: among the last so many of the appraisal, with unfinished projects
    after_talk_days: int = 30  # listed supervision: still no change so many days after a talk
    grave_letters: int = 1  # accountability: so many unanswered supervision letters beside a listed supervision
    letters_day: int = 1  # day of the month from which its early warnings and reminders must exist as drafts
    reply_days_early_warning: int = 5  # working days to answer, by kind of letter
    reply_days_reminder: int = 5
    reply_days_supervision: int = 3
    reply_days_talk: int = 10
    effect_load_percent: int = 75  # 达效: the load of a plant stays above this percent of its design
    effect_days: int = 30  # for so many days on end
    effect_gap_days: int = 7  # longer without a reading and the days begin anew
    visit_points_far: int = 40  # site supervision by risk: points of a project far behind,
    visit_points_behind: int = 20  # behind,
    visit_points_problem: int = 10  # with a problem past its limits, each,
    visit_points_silent: int = 20  # whose reports have not changed for `silent_weeks`,
    visit_points_gap: int = 20  # where the last visit saw less than was reported by `behind_points` or more,
    visit_points_unseen: int = 10  # not visited for `visit_unseen_days`
    visit_unseen_days: int = 60
    visit_from_points: int = 30  # from so many points on a visit is proposed
    score_finish: int = 30  # weights of a county's appraisal (考核), together 100
    score_start: int = 15
    score_invested: int = 25
    score_in_place: int = 10
    score_lag: int = 10
    score_reports: int = 5
    score_letters: int = 5
    score_factors: int = 40  # weights of a department's, together 100
    score_works: int = 40
    score_dispatch: int = 20
    counties_read_others: bool = False  # whether a county may read (never write) the projects of the others


class Refused(Exception):
    """The thresholds cannot be changed so; the text is the Chinese sentence for the person, `field` the value it speaks of."""

    def __init__(self, sentence: str, field: str | None = None):
        self.field = field
        super().__init__(sentence)


class Term(NamedTuple):
    """How one threshold is called and explained to the office, and what it may be."""

    group: str
    label: str
    help: str
    low: int = 0
    high: int = 366
    unit: str = ""


WEEKDAYS = ["周一", "周二", "周三", "周四", "周五", "周六", "周日"]
WEEK, CHECK, JUDGE, LETTER, HELP, SHOW = "每周填报时间", "填报时的提示", "研判与文书", "函件与措施", "问题协调的期限", "公开范围"
VISIT, EFFECT, COUNTIES, DEPARTMENTS = "现场督导的风险分", "达效认定", "县（市、区）考核权重", "市直部门考核权重"
COUNTY_WEIGHTS = ("score_finish", "score_start", "score_invested", "score_in_place", "score_lag", "score_reports", "score_letters")
DEPARTMENT_WEIGHTS = ("score_factors", "score_works", "score_dispatch")
# Every field of Values. All defaults are proposals of our own; "[P]" in a help text: a figure published elsewhere.
TERMS = {
    "open_weekday": Term(WEEK, "开放日", "从这天起可以填报本周。", 0, 6),
    "open_hour": Term(WEEK, "开放时刻", "", 0, 23, "时"),
    "cut_off_weekday": Term(WEEK, "截止日", "周调度反映到这一天的情况；遇节假日提前到节前最后一个工作日。", 0, 6),
    "cut_off_hour": Term(WEEK, "截止时刻", "过了整点提交记为迟报。", 1, 24, "时"),
    "lock_weekday": Term(WEEK, "锁定日", "锁定后补报、更正须写明理由并作标记；遇节假日顺延到其后第一个工作日。", 0, 6),
    "lock_hour": Term(WEEK, "锁定时刻", "", 1, 24, "时"),
    "remind_hours": Term(WEEK, "自动提醒", "截止前这么多小时自动提醒未报单位一次；填 0 不提醒。", 0, 72, "小时"),
    "announce_days": Term(WEEK, "提前公布", "调整某一周的时间，须在开放前这么多天公布；来不及的按急件办。", 0, 30, "天"),
    "jump_points": Term(CHECK, "进度跳升", "一周内进度增加超过这个数即提示核对，不影响提交。", 1, 100, "个百分点"),
    "idle_money_weeks": Term(CHECK, "资金与进度不同步", "连续这么多周只有支付没有进度，或只有进度没有支付，即提示核对。", 1, 52, "周"),
    "photo_far_km": Term(CHECK, "照片地点偏远", "照片的拍摄地点距项目点位超过这么多公里即作标记，不影响提交。", 1, 200, "公里"),
    "behind_points": Term(
        JUDGE, "滞后", "序时差（计划进度减实际进度）达到这个数为滞后。[P] 银川 10，三亚 50% 以内为黄。", 1, 100, "个百分点"
    ),
    "far_behind_points": Term(JUDGE, "严重滞后", "序时差超过这个数为严重滞后，触发督办函。[P] 银川 30。", 1, 100, "个百分点"),
    "silent_weeks": Term(
        JUDGE, "无明显进展", "连续这么多期周调度没有任何变化（未报也算），提请约谈，由人确认。[P] 银川为三个月。", 1, 26, "期"
    ),
    "idle_funds_weeks": Term(JUDGE, "沉淀资金", "到位满这么多周仍未拨付的资金，列为沉淀资金，请县（市、区）说明。", 1, 104, "周"),
    "due_days": Term(JUDGE, "预警提前", "距基线开工或完工还有这么多天而条件不具备，发预警函。", 1, 366, "天"),
    "bulletin_day": Term(JUDGE, "通报成稿日", "每月从这天起，上月通报须已有草稿。", 1, 28, "日"),
    "warn_points": Term(LETTER, "预警的序时差", "距基线完工在预警提前天数之内，且序时差达到这个数，发预警函。", 0, 100, "个百分点"),
    "late_weeks": Term(LETTER, "迟报周数", "近几周中有这么多周迟报或未报，发提醒函。", 1, 26, "周"),
    "late_window_weeks": Term(LETTER, "迟报统计范围", "迟报从最近截止的这么多周里数（无工作日的周不计）。", 1, 26, "周"),
    "bottom_ranks": Term(LETTER, "考核靠后名次", "考核在最后这么多名、且有未完工项目的县，发提醒函。", 1, 20, "名"),
    "after_talk_days": Term(LETTER, "约谈后观察期", "约谈这么多天以后仍无明显进展，提请挂牌督办。", 1, 366, "天"),
    "grave_letters": Term(
        LETTER, "汇集材料的函件数", "挂牌督办的县另有这么多件督办函逾期未回复，汇集问责材料；是否问责由有权机关决定。", 1, 20, "件"
    ),
    "letters_day": Term(LETTER, "月初拟函日", "每月从这天起，当月预警函、提醒函须已有草稿。", 1, 28, "日"),
    "reply_days_early_warning": Term(LETTER, "预警函回复期限", "印发次日起算。", 1, 60, "个工作日"),
    "reply_days_reminder": Term(LETTER, "提醒函回复期限", "同上。", 1, 60, "个工作日"),
    "reply_days_supervision": Term(LETTER, "督办函回复期限", "同上。", 1, 60, "个工作日"),
    "reply_days_talk": Term(LETTER, "约谈后报告期限", "同上。", 1, 60, "个工作日"),
    "help_days_office": Term(HELP, "一级：专班办分析", "问题在这一级超过期限即提请升级，由人决定。", 1, 120, "个工作日"),
    "help_days_departments": Term(HELP, "二级：部门会商", "同上。", 1, 120, "个工作日"),
    "help_days_city": Term(HELP, "三级：市领导协调", "同上。", 1, 120, "个工作日"),
    "help_days_province": Term(HELP, "四级：报省专班", "同上。", 1, 120, "个工作日"),
    "effect_load_percent": Term(EFFECT, "达效负荷", "试运行负荷高于设计能力的这个比例。", 1, 100, "%"),
    "effect_days": Term(EFFECT, "连续天数", "连续这么多天高于达效负荷且出水达标，最后一天为达效日。", 1, 365, "天"),
    "effect_gap_days": Term(EFFECT, "记录间隔", "两次负荷记录相隔超过这么多天，重新起算。", 1, 60, "天"),
    "visit_points_far": Term(VISIT, "严重滞后", "序时差超过“严重滞后”的项目计这么多分。", 0, 100, "分"),
    "visit_points_behind": Term(VISIT, "滞后", "达到“滞后”而未到严重的项目计这么多分。", 0, 100, "分"),
    "visit_points_problem": Term(VISIT, "超期问题", "未销号而超期限的问题，每个计这么多分。", 0, 100, "分"),
    "visit_points_silent": Term(VISIT, "填报长期无变化", "连续“无明显进展”期数没有变化的项目计这么多分。", 0, 100, "分"),
    "visit_points_gap": Term(VISIT, "现场与填报不符", "上次督导的现场进度比填报低“滞后”的百分点以上，计这么多分。", 0, 100, "分"),
    "visit_points_unseen": Term(VISIT, "久未督导", "超过下面的天数没有去过现场，计这么多分。", 0, 100, "分"),
    "visit_unseen_days": Term(VISIT, "久未督导的天数", "", 1, 366, "天"),
    "visit_from_points": Term(VISIT, "建议督导", "合计达到这么多分的在建项目，建议安排现场督导；去不去由人决定。", 1, 300, "分"),
    "score_finish": Term(COUNTIES, "完工率", "各项权重合计 100；没有分母的项不参评，按其余项折算。", 0, 100, "分"),
    "score_start": Term(COUNTIES, "开工率", "", 0, 100, "分"),
    "score_invested": Term(COUNTIES, "投资完成率", "以总投资为分母。", 0, 100, "分"),
    "score_in_place": Term(COUNTIES, "资金到位率", "以总投资为分母。", 0, 100, "分"),
    "score_lag": Term(COUNTIES, "序时差", "不滞后得满分，达到“严重滞后”的百分点不得分，其间按比例。", 0, 100, "分"),
    "score_reports": Term(COUNTIES, "报送及时率", "考核期内按时的周调度／应报。", 0, 100, "分"),
    "score_letters": Term(COUNTIES, "函件按期回复率", "考核期内按期回复的函件／应回复。", 0, 100, "分"),
    "score_factors": Term(DEPARTMENTS, "要素保障", "承诺时限内办结的手续／到期应办结的手续；各项权重合计 100。", 0, 100, "分"),
    "score_works": Term(DEPARTMENTS, "工程建设", "本领域完工率与投资完成率的平均。", 0, 100, "分"),
    "score_dispatch": Term(DEPARTMENTS, "日常调度", "考核期内已审核的周调度／应审核。", 0, 100, "分"),
    "counties_read_others": Term(SHOW, "县区可互相查看", "各县（市、区）能否查看（不能修改）其他县的项目。", 0, 1),
}


def values_on(day: dt.date) -> Values:
    """The thresholds in force on `day`."""
    return once(("policy", day), lambda: _values_on(day))


def _values_on(day: dt.date) -> Values:
    row = Policy.objects.filter(effective_on__lte=day).order_by("effective_on").last()
    return read(row.values if row else {})


def effective_on(day: dt.date) -> dt.date | None:
    """Since when the thresholds in force on `day` are in force; None: our own proposals, which nobody has set yet."""
    return Policy.objects.filter(effective_on__lte=day).order_by("effective_on").values_list("effective_on", flat=True).last()


def values_on_each(days: Collection[dt.date]) -> dict[dt.date, Values]:
    """The thresholds in force on each of `days`, in one query."""
    rows = [(row.effective_on, read(row.values)) for row in Policy.objects.order_by("effective_on")] if days else []
    return {day: next((values for on, values in reversed(rows) if on <= day), Values()) for day in days}


def read(stored: dict) -> Values:
    """A stored row as thresholds: what it leaves out keeps the default, what is no threshold (any more) is left aside."""
    known = {field.name for field in dataclasses.fields(Values)}
    return Values(**{k: v for k, v in stored.items() if k in known})


def cut_off_on(week_of: dt.date, values: Values) -> dt.date:
    """The usual cut-off day of the week of Monday `week_of`, whatever the calendar says; `projects.weeks` knows the real one."""
    return week_of + dt.timedelta(days=values.cut_off_weekday)


def faults(values: Values) -> list[tuple[str, str]]:
    """(field, sentence) of what cannot be: out of its range, or against another value."""
    found = []
    for name, term in TERMS.items():
        if not term.low <= getattr(values, name) <= term.high:
            found.append((name, f"“{term.label}”须在{term.low}到{term.high}之间。"))
    opens, closes, locks = ((getattr(values, f"{part}_weekday"), getattr(values, f"{part}_hour")) for part in ("open", "cut_off", "lock"))
    if opens >= closes:
        found.append(("cut_off_weekday", "截止须晚于开放：请改其中一个。"))
    if closes > locks:
        found.append(("lock_weekday", "锁定不能早于截止：请改其中一个。"))
    for names, whose in ((COUNTY_WEIGHTS, COUNTIES), (DEPARTMENT_WEIGHTS, DEPARTMENTS)):
        if (whole := sum(getattr(values, name) for name in names)) != 100:
            found.append((names[0], f"{whose}合计须为 100，现为 {whole}：请改其中一项。"))
    if values.behind_points > values.far_behind_points:
        found.append(("far_behind_points", "“严重滞后”不能小于“滞后”。"))
    if values.late_weeks > values.late_window_weeks:
        found.append(("late_window_weeks", "“迟报统计范围”不能小于“迟报周数”。"))
    return found


def words(name: str, value: int | bool) -> str:
    """One threshold as the office reads it: `周四`, `18时`, `是`."""
    term = TERMS.get(name)
    if isinstance(value, bool):
        return "是" if value else "否"
    if name.endswith("_weekday"):
        return WEEKDAYS[value] if 0 <= value < len(WEEKDAYS) else str(value)
    return f"{value}{term.unit if term else ''}"


def fingerprint() -> str:
    """Differs after every change of the thresholds: what an editor must have seen."""
    rows = [[str(on), values] for on, values in Policy.objects.order_by("effective_on").values_list("effective_on", "values")]
    return hashlib.sha256(orjson.dumps(rows, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]


@transaction.atomic
def set_values(*, values: Values, effective_on: dt.date, reason: str, by, seen: str):
    """Put `values` in force from `effective_on` on and return the row; what was in force before that day stays as it was."""
    _lock()
    if seen != fingerprint():
        raise Refused("规则刚被他人修改，尚未保存：请核对下方沿革里的新值后再保存。")
    if not reason.strip():
        raise Refused("修改规则须写明依据，例如会议纪要或文号。", "reason")
    if effective_on < clock.today():
        raise Refused(f"生效日不能早于今天（{clock.today()}）：已经作出的研判不追溯。", "effective_on")
    later = Policy.objects.filter(effective_on__gt=effective_on).order_by("effective_on").first()
    if later:
        raise Refused(f"已有 {later.effective_on} 起生效的修改：请先撤销它，或把生效日定在那天及以后。", "effective_on")
    old = dataclasses.asdict(values_on(effective_on))
    new = dataclasses.asdict(values)
    changes = {name: [old[name], new[name]] for name in new if new[name] != old[name]}
    if not changes:
        raise Refused("没有改动：请修改至少一项再保存。")
    if found := faults(values):
        raise Refused(found[0][1], found[0][0])
    row, _ = Policy.objects.update_or_create(effective_on=effective_on, defaults={"values": new, "reason": reason.strip(), "by": by})
    changes["effective_on"] = [None, effective_on]
    trail.record(action="policy.set", subject=row, by=by, changes=changes, reason=reason.strip())
    return row


@transaction.atomic
def withdraw(*, effective_on: dt.date, by, seen: str) -> None:
    """Take back thresholds that are not yet in force."""
    _lock()
    row = Policy.objects.filter(effective_on=effective_on).first()
    if row is None or seen != fingerprint():
        raise Refused("规则刚被他人修改，没有撤销：请核对后再操作。")
    if effective_on <= clock.today():
        raise Refused(f"{effective_on} 的规则已经生效，不能撤销：请另设新值。")
    changes = {name: [value, None] for name, value in row.values.items()} | {"effective_on": [effective_on, None]}
    trail.record(action="policy.withdraw", subject=row, by=by, changes=changes, reason=row.reason)
    row.delete()


def _lock() -> None:
    """One change of the thresholds at a time."""
    list(Region.objects.select_for_update().values_list("pk"))
