"""How the demo's problems went: numbers, who began when, the levels with their opinions, what was noted. Invented, labelled 演示数据."""

import datetime as dt
from collections import Counter
from random import Random

from linfen_water import policy
from linfen_water.models import User
from linfen_water.workdays import add_workdays
from projects.enums import HelpLevel
from projects.models import Problem, ProblemNote, ProblemStep
from projects.problem_services import LEVEL_DAYS, RAISED

# What was done at a level and why it was not enough; what the next one is asked for.
LEFT = {
    HelpLevel.OFFICE: (
        "专班办会同县区逐项梳理了所需时间和前置条件，本级没有审批权限，不能解决。",
        "请行业部门和审批部门会商，提出市级能办的事项。",
    ),
    HelpLevel.DEPARTMENTS: (
        "部门会商两次，已给业主提出建议；涉及县区配套和多部门协同，部门之间未能定下时间。",
        "请分管市领导主持协调，明确责任和时限。",
    ),
    HelpLevel.CITY_LEADERS: (
        "市级协调会议定的事项已落实；剩余部分涉及省级指标，市级无法解决。",
        "请报省专班协调。",
    ),
}
NOTES = (
    "已对接承办单位，责任人到位。",
    "现场核对一次，问题属实，正在按措施推进。",
    "补充材料已报出，等待答复。",
    "完成部分工作量，剩余部分本周内推进。",
)


RAISED_AGO = {  # days
    HelpLevel.OFFICE: (1, 6),
    HelpLevel.DEPARTMENTS: (5, 14),
    HelpLevel.CITY_LEADERS: (14, 32),
    HelpLevel.PROVINCE: (32, 60),
}


def date_anew(problem: Problem, today: dt.date, dice: Random) -> None:
    """An open problem was raised so long ago as its level takes; of the limits of open ones some have passed, most have not."""
    problem.raised_on = today - dt.timedelta(days=dice.randint(*RAISED_AGO[HelpLevel(problem.level)]))
    problem.due_on = max(today + dt.timedelta(days=dice.randint(-6, 30)), problem.raised_on + dt.timedelta(days=7))


def number(problems: list[Problem]) -> None:
    """WT-2024-001 … in the order in which they were raised."""
    counts: Counter[int] = Counter()
    for problem in sorted(problems, key=lambda p: (p.raised_on, p.project.code, p.description)):
        counts[problem.raised_on.year] += 1
        problem.code = f"WT-{problem.raised_on.year}-{counts[problem.raised_on.year]:03}"


def unfold(problem: Problem, today: dt.date, dice: Random, by: User) -> tuple[list[ProblemStep], list[ProblemNote]]:
    """The levels that a problem went through up to its own, and some notes; sets when it was begun and answered."""
    end = problem.closed_on or today
    problem.raised_by = by
    problem.begun_on = min(problem.raised_on + dt.timedelta(days=dice.randint(1, 4)), end)
    if problem.closed_on:
        problem.answered_on = max(problem.begun_on, problem.closed_on - dt.timedelta(days=dice.randint(1, 6)))
    elif dice.random() < 0.15 and problem.level < HelpLevel.CITY_LEADERS:
        problem.answered_on = today - dt.timedelta(days=dice.randint(0, 3))
        problem.closing_basis = "已按措施落实，佐证材料随附（演示数据）"
        problem.begun_on = min(problem.begun_on, problem.answered_on)
    elif dice.random() < 0.2 and problem.level == HelpLevel.OFFICE:
        problem.begun_on = None
    steps = _steps(problem, end, today, dice)
    first = problem.begun_on or problem.raised_on
    count = min((end - first).days // 9, len(NOTES)) if problem.begun_on else 0
    days = [first + dt.timedelta(days=9 * place + dice.randint(1, 6)) for place in range(count)]
    return steps, [ProblemNote(problem=problem, on=min(day, end), text=text, by=by) for day, text in zip(days, NOTES, strict=False)]


def _steps(problem: Problem, end: dt.date, today: dt.date, dice: Random) -> list[ProblemStep]:
    """From the first level to the present one. Some are past its days and some are not."""
    levels = list(HelpLevel)[: problem.level]
    days = policy.values_on(today)
    allowed = {level: getattr(days, LEVEL_DAYS[level]) for level in levels}
    entered, entries = problem.raised_on, []
    for level in levels[:-1]:
        entries.append((level, entered))
        entered = min(add_workdays(entered, max(1, allowed[level] + dice.randint(-1, 2))), end)
    entries.append((levels[-1], entered))
    steps = []
    for place, (level, on) in enumerate(entries):
        is_last = place == len(entries) - 1
        steps.append(
            ProblemStep(
                problem=problem,
                level=level,
                entered_on=on,
                entry_opinion=LEFT[level - 1][1] if level > HelpLevel.OFFICE else RAISED,
                due_on=add_workdays(on, allowed[level]),
                left_on=problem.closed_on if is_last else entries[place + 1][1],
                exit_opinion=(f"销号：{problem.closing_basis}" if problem.closed_on else "") if is_last else LEFT[level][0],
            )
        )
    return steps
