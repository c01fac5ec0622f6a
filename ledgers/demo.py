"""What the demo's office decided: meetings with their decided items, findings of weekly checks. Invented, labelled 演示数据.

Beside it: its letters (`demo_letters`), the last meetings with agenda and minutes (`demo_meetings`), its cases (`demo_cases`).
"""

import datetime as dt

from django.db import transaction

from ledgers import demo_cases, demo_letters, demo_meetings
from ledgers.enums import CheckCategory, DecisionFrequency, MeetingKind
from ledgers.meeting_models import CheckFinding, Decision, DecisionNote, Meeting
from linfen_water.dates import add_months, month_start
from linfen_water.enums import UnitKind
from linfen_water.models import Unit, User
from projects.demo import books, loading
from projects.demo.promise import Promise, read
from projects.enums import Provenance
from projects.models import Problem, ProjectVersion
from projects.regions.pack import Pack

WEEKS_OF_MEETINGS, MONTHS_OF_MEETINGS, ISSUES = 20, 8, 10
CHAIRS = {MeetingKind.JOINT: "专班办主任", MeetingKind.GOVERNMENT_MONTH: "分管副市长", MeetingKind.TOPIC: "市政府副秘书长"}
TOPICS = ("前期手续和开工", "资金到位和支付", "年度任务推进", "完工验收和达效", "断面水质与工程协同")
ITEMS = (
    "逐项列出未办结手续的办理时限，落实帮办人",
    "核实资金到位与支付，提出本季度支付计划",
    "对滞后项目倒排工期，明确每周完成量",
    "组织已完工项目竣工验收，补齐档案资料",
    "协调管线迁改和临时用地，打通施工作业面",
    "对接省专班，争取要素指标",
)
DONE = "已按要求完成，材料报专班办（演示数据）"
STEPS = ("已明确责任人和时限。", "完成现场核对，正在落实。", "大部分已完成，剩余本周内办结。")
FINDINGS = (
    (CheckCategory.PROGRESS, "施工现场", "作业面人员、机械不足，周完成量低于计划"),
    (CheckCategory.QUALITY, "施工现场", "护岸砌筑砂浆不饱满，监理未及时提出"),
    (CheckCategory.SAFETY, "基坑", "临边防护缺失，警示标识不全"),
    (CheckCategory.ENVIRONMENT, "料场", "裸露土方未覆盖，扬尘管控不到位"),
    (CheckCategory.ARCHIVES, "项目部", "监理月报、隐蔽工程记录未及时归档"),
    (CheckCategory.DISPATCH, "项目部", "周调度进度与现场不一致，未附照片"),
)


@transaction.atomic
def load(pack: Pack) -> bool:
    """Load the whole demo city: the works with `projects.demo`, then what lies above them; False when it is there already."""
    if not loading.load(pack):
        return False
    promise = read(pack)
    pour(promise)
    demo_letters.load(promise.seed, promise.today)
    demo_meetings.pour(promise)
    demo_cases.pour(promise)
    return True


def pour(promise: Promise) -> None:
    """Only units and projects that are invented are named in decided items and findings."""
    today, office = promise.today, books.of_office()
    versions = ProjectVersion.objects.filter(effective_to=None, project__provenance=Provenance.DEMO)
    places = list(versions.select_related("project", "responsible_unit", "lead_unit").order_by("project__code"))
    problems = {problem.project_id: problem for problem in Problem.objects.filter(closed_on=None).order_by("-pk")}
    meetings = Meeting.objects.bulk_create(_meetings(promise, office))
    decisions, helpers = [], []
    departments = list(Unit.objects.filter(kind=UnitKind.DEPARTMENT).order_by("pk"))
    for place, meeting in enumerate(meetings):
        for number in range(2):
            dice = promise.dice("decision", place, number)
            version = places[dice.randrange(len(places))]
            decisions.append(_decision(meeting, version, problems.get(version.project_id), dice, today, office))
            helpers.append(departments[dice.randrange(len(departments))])
    Decision.objects.bulk_create(decisions)
    through = Decision.assist_units.through
    pairs = zip(decisions, helpers, strict=True)
    through.objects.bulk_create(through(decision=row, unit=unit) for row, unit in pairs if unit.pk != row.lead_unit_id)
    DecisionNote.objects.bulk_create(note for place, row in enumerate(decisions) for note in _notes(row, place, today, office))
    CheckFinding.objects.bulk_create(_findings(promise, places, office))
    books.stamp_rows(promise, Meeting, Decision, DecisionNote, CheckFinding)


def _meetings(promise: Promise, office: User) -> list[Meeting]:
    """A joint meeting every Wednesday, the government's every month, a special one now and then."""
    monday, rows = promise.weeks[-1], []
    for n in range(WEEKS_OF_MEETINGS, -1, -1):
        on = monday - dt.timedelta(weeks=n) + dt.timedelta(days=2)
        if on <= promise.today:
            rows.append((MeetingKind.JOINT, on))
        if n % 6 == 3:
            rows.append((MeetingKind.TOPIC, on + dt.timedelta(days=1)))
    for n in range(MONTHS_OF_MEETINGS, -1, -1):
        rows.append((MeetingKind.GOVERNMENT_MONTH, add_months(month_start(promise.today), -n) + dt.timedelta(days=7)))
    rows = sorted((on, kind) for kind, on in rows if on <= promise.today)
    return [
        Meeting(
            kind=kind, held_on=on, number=f"{on.year}年第{on.isocalendar().week}次" if kind == MeetingKind.JOINT else "",
            chair_post=CHAIRS[kind], place="市政府会议室", topic=TOPICS[place % len(TOPICS)], by=office,
        )
        for place, (on, kind) in enumerate(rows)
    ]  # fmt: skip


def _decision(meeting: Meeting, version: ProjectVersion, problem: Problem | None, dice, today: dt.date, office: User) -> Decision:
    lead = version.lead_unit if dice.random() < 0.5 else version.responsible_unit
    row = Decision(
        meeting=meeting, what=f"{dice.choice(ITEMS)}（{version.name}）。", lead_unit=lead,
        due_on=meeting.held_on + dt.timedelta(days=dice.randint(7, 30)),
        frequency=dice.choice((DecisionFrequency.ONCE, DecisionFrequency.WEEKLY, DecisionFrequency.MONTHLY)),
        project=version.project, problem=problem if problem and problem.raised_on <= meeting.held_on else None,
        by=office,
    )  # fmt: skip
    answered_on = meeting.held_on + dt.timedelta(days=dice.randint(5, 34))
    if answered_on <= today and dice.random() < 0.9:
        row.answered_on, row.answer = answered_on, DONE
        closed_on = answered_on + dt.timedelta(days=dice.randint(1, 5))
        if closed_on <= today:
            row.closed_on, row.closing_basis = closed_on, "专班办核实，办结"
    return row


def _notes(row: Decision, place: int, today: dt.date, office: User):
    for step, text in enumerate(STEPS[: 1 + place % 3], 1):
        on = row.meeting.held_on + dt.timedelta(days=4 * step)
        if on <= min(today, row.closed_on or today):
            yield DecisionNote(decision=row, on=on, text=text, by=office)


def _findings(promise: Promise, places: list[ProjectVersion], office: User):
    """Four findings of each weekly check of the year that runs and the end of the last one."""
    for issue in range(ISSUES):
        on = promise.weeks[-1] - dt.timedelta(weeks=ISSUES - 1 - issue) + dt.timedelta(days=1)
        for number in range(4):
            dice = promise.dice("check", issue, number)
            version, (category, place, text) = places[dice.randrange(len(places))], FINDINGS[(issue * 4 + number) % len(FINDINGS)]
            row = CheckFinding(
                year=on.year, issue=on.isocalendar().week, on=on, unit=version.responsible_unit, category=category, project=version.project,
                place=f"{version.project.code} {place}", text=f"{text}。", due_on=on + dt.timedelta(days=dice.randint(7, 15)), by=office,
            )  # fmt: skip
            answered_on = on + dt.timedelta(days=dice.randint(4, 16))
            if answered_on <= promise.today and dice.random() < 0.93:
                row.answered_on, row.answer = answered_on, "已整改并附照片（演示数据）"
                closed_on = answered_on + dt.timedelta(days=dice.randint(1, 6))
                if closed_on <= promise.today:
                    row.closed_on, row.closing_basis = closed_on, "核实整改到位"
            yield row
