"""What the demo's office keeps by hand: visits, acceptance, archives, targets, the province's figures. Invented, labelled 演示数据.

Public projects get the neutral part only: provincial limits that are their baseline, figures equal to the city's.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator
from decimal import ROUND_DOWN, Decimal

from django.utils import timezone

from linfen_water.dates import add_months, month_end
from linfen_water.enums import Role, UnitKind
from linfen_water.models import Unit, User
from projects import rules
from projects.demo.promise import Promise
from projects.enums import Provenance
from projects.models import Dispatch, MonthlyPlan, Problem, Project, ProjectVersion
from projects.record_enums import AcceptanceKind as K
from projects.record_enums import TargetKind
from projects.site_models import AcceptanceFact, ArchiveCheck, ArchiveEntry, ArchiveItem, Inspection, InspectionFinding, LoadReading
from projects.target_models import AnnualTarget, Milestone, ProvincialFigure, ProvincialTerm

BATCH = 1000
PLANTS = ("厂", "站", "湿地", "处理")  # works whose effect a load measures
LEADERS = ("专班办副主任", "分管副市长", "专班办综合科科长", "市直部门分管副局长")
EXPERTS = ("水利工程专业", "市政给排水专业", "环境工程专业", "工程造价专业")
CONTENTS = (
    "核对形象进度和作业面，查看质量安全和扬尘管控",
    "核对周调度填报与现场是否一致，查看资料归档",
    "查看剩余工程量和工期安排，现场协调卡点",
)
DEMANDS = ("倒排工期，每周报一次进展。", "按现场实际更正周调度进度，补齐监理资料。", "两周内打开剩余作业面，落实机械和人员。")
CATEGORIES = {"生态环境": "污染治理", "水利": "水利生态", "城管": "管网提质", "住建": "污水处理", "规自": "生态修复", "商务": "园区治理"}
BENEFITS = {
    "生态环境": "年削减化学需氧量约120吨、氨氮约8吨",
    "水利": "治理河道、恢复岸线，年补水约300万立方米",
    "城管": "消除雨污混接，收集率提高约5个百分点",
    "住建": "新增处理能力约1万立方米/日",
    "规自": "恢复植被、减少水土流失",
    "商务": "园区废水全部集中处理",
}
POSTS = ("项目业主工程部长", "项目业主负责人", "施工单位项目经理")
CHECKER = "业务科科长"


def of_office() -> User | None:
    """Who acts for the office in the demo: its account is named after its unit, which another region calls otherwise."""
    return User.objects.filter(role=Role.OFFICE).order_by("pk").first()


class City:
    """The rows that all parts start from, read once."""

    def __init__(self, promise: Promise):
        self.promise, self.today = promise, promise.today
        self.projects = list(Project.objects.select_related("domain").order_by("pk"))
        self.invented = [p for p in self.projects if p.provenance == Provenance.DEMO]
        versions = ProjectVersion.objects.filter(effective_to=None).select_related("lead_unit", "responsible_unit")
        self.versions = {version.project_id: version for version in versions}
        self.departments = list(Unit.objects.filter(kind=UnitKind.DEPARTMENT).order_by("pk"))
        self.office = of_office()
        self.plans: dict[int, dict[dt.date, Decimal]] = defaultdict(dict)
        for project, month, progress in MonthlyPlan.objects.order_by().values_list("project", "month", "planned_progress"):
            self.plans[project][month] = progress
        self.said: dict[int, list[tuple[dt.date, Decimal, Decimal]]] = defaultdict(list)
        live = Dispatch.objects.filter(is_live=True).order_by("cut_off_on")
        for project, on, progress, invested in live.values_list("project", "cut_off_on", "physical_progress", "invested_wan"):
            self.said[project].append((on, progress, invested))

    def said_on(self, project: Project, day: dt.date) -> tuple[Decimal, Decimal] | None:
        """Progress and investment as the last dispatch up to `day` says."""
        found = [(progress, invested) for on, progress, invested in self.said[project.pk] if on <= day]
        return found[-1] if found else None


def pour(promise: Promise) -> None:
    """Write all of it; `at` is a morning of the demo's own time, so that every machine makes the same rows."""
    city = City(promise)
    _targets(city)
    _provincial(city)
    _milestones(city)
    _visits(city)
    _acceptance(city)
    _archives(city)
    stamp_rows(promise, AnnualTarget, ProvincialTerm, ProvincialFigure, Milestone, Inspection, InspectionFinding)
    stamp_rows(promise, AcceptanceFact, LoadReading, ArchiveEntry, ArchiveItem, ArchiveCheck)


def stamp_rows(promise: Promise, *models) -> None:
    at = timezone.make_aware(dt.datetime.combine(promise.today, dt.time(9)))
    for model in models:
        model.objects.update(at=at)


def _targets(city: City) -> None:
    """What each year must bring of invented projects: a public one is held against no target."""
    rows = []
    for project in city.invented:
        version = city.versions[project.pk]
        for year in range(project.listed_on.year, city.today.year + 1):
            if project.completed_on and project.completed_on.year < year:
                continue
            last = dt.date(year, 12, 31)
            first, plans = dt.date(year, 1, 1) - dt.timedelta(days=1), city.plans[project.pk]
            before, after = (rules.planned(day, plans, version.baseline_start_on, version.baseline_finish_on) for day in (first, last))
            kind, progress, text = _target(version, after, last)
            plan = (version.total_investment_wan * max(after - before, Decimal(0)) / 100).quantize(Decimal("0.01"))
            rows.append(
                AnnualTarget(
                    project=project, year=year, kind=kind, progress=progress, text=text, plan_wan=plan,
                    set_on=max(project.listed_on, dt.date(year, 1, 6)), by=city.office,
                )
            )  # fmt: skip
    AnnualTarget.objects.bulk_create(rows, batch_size=BATCH)


def _target(version: ProjectVersion, planned: Decimal, last: dt.date) -> tuple[str, Decimal | None, str]:
    if version.baseline_finish_on <= last:
        return TargetKind.FINISH, None, "年底前完工"
    if version.baseline_start_on.year == last.year:
        return TargetKind.START, None, "年内开工"
    progress = max(planned - 5, Decimal(0)).quantize(Decimal(1), ROUND_DOWN)
    return TargetKind.PROGRESS, progress, f"年底形象进度达到 {progress}%"


def _provincial(city: City) -> None:
    terms, figures = [], []
    days = [dt.date(city.today.year - 1, 12, 31), month_end(add_months(city.today, -1))]
    for project in city.projects:
        version, dice = city.versions[project.pk], city.promise.dice("province", project.code)
        is_public = project.provenance != Provenance.DEMO
        terms.append(
            ProvincialTerm(
                project=project, effective_on=project.listed_on, category=CATEGORIES.get(project.domain.name, "其他"),
                start_by=version.baseline_start_on, finish_by=version.baseline_finish_on,
                benefit="" if is_public else BENEFITS.get(project.domain.name, ""),
                ground="省定工程清单（演示数据）", by=city.office,
            )
        )  # fmt: skip
        for day in days:
            said = city.said_on(project, day)
            if said:
                differs = not is_public and dice.random() < 0.12
                invested = (said[1] * (Decimal(dice.randint(94, 99)) / 100)).quantize(Decimal("0.01")) if differs else said[1]
                figures.append(
                    ProvincialFigure(project=project, on=day, invested_wan=invested, ground="省调度系统（演示数据）", by=city.office)
                )
    ProvincialTerm.objects.bulk_create(terms, batch_size=BATCH)
    ProvincialFigure.objects.bulk_create(figures, batch_size=BATCH)


NODES = ("施工图审查完成", "主体工程完成一半", "主体工程完工", "设备调试完成")


def _milestones(city: City) -> None:
    """Four nodes between the baseline dates of invented projects; done when the progress had come so far."""
    rows = []
    for project in city.invented:
        version, dice = city.versions[project.pk], city.promise.dice("nodes", project.code)
        span = (version.baseline_finish_on - version.baseline_start_on).days
        for place, name in enumerate(NODES, 1):
            due_on = version.baseline_start_on + dt.timedelta(days=span * place // 5)
            needed = Decimal(place * 20 - 4)
            done_on = next((on for on, progress, _ in city.said[project.pk] if progress is not None and progress >= needed), None)
            post = POSTS[dice.randrange(len(POSTS))]
            rows.append(Milestone(project=project, name=name, due_on=due_on, responsible_post=post, done_on=done_on, by=city.office))
    Milestone.objects.bulk_create(rows, batch_size=BATCH)


def _visits(city: City) -> None:
    """Visits on the day on which a problem was raised (it is their finding), some more, and three that are planned."""
    problems = list(Problem.objects.filter(project__provenance=Provenance.DEMO).select_related("project").order_by("code"))
    found = [(problem.project, problem.raised_on, problem) for problem in problems[::3]]
    for project in city.invented[::7]:
        dice = city.promise.dice("visit", project.code)
        on = city.today - dt.timedelta(days=dice.randint(20, 200))
        if project.started_on and project.started_on < on:
            found.append((project, on, None))
    rows, findings, units = [], [], []
    for project, on, problem in sorted(found, key=lambda one: (one[1], one[0].code)):
        row = _visit(city, project, on, bool(problem))
        rows.append(row)
        units.append([city.versions[project.pk].lead_unit, city.departments[len(rows) % len(city.departments)]])
        if problem:
            findings.append(
                InspectionFinding(inspection=row, category=problem.category, text=problem.description, problem=problem, by=city.office)
            )
    for place, project in enumerate([p for p in city.invented if p.completed_on is None][:3]):
        planned_on = city.today + dt.timedelta(days=4 + 3 * place)
        rows.append(Inspection(project=project, planned_on=planned_on, leader_post=LEADERS[place], content=CONTENTS[2], by=city.office))
        units.append([city.versions[project.pk].lead_unit])
    Inspection.objects.bulk_create(rows, batch_size=BATCH)
    InspectionFinding.objects.bulk_create(findings, batch_size=BATCH)
    through = Inspection.units.through
    through.objects.bulk_create(
        through(inspection=row, unit=unit) for row, some in zip(rows, units, strict=True) for unit in dict.fromkeys(some)
    )


def _visit(city: City, project: Project, on: dt.date, demands: bool) -> Inspection:
    dice = city.promise.dice("site", project.code, on)
    said = city.said_on(project, on)
    progress = None if said is None or said[0] is None else max(Decimal(0), said[0] - Decimal(dice.choice((0, 0, 0, 1, 2, 5))))
    row = Inspection(
        project=project, planned_on=on - dt.timedelta(days=3), visited_on=on,
        leader_post=dice.choice(LEADERS), experts=dice.choice(EXPERTS),
        content=dice.choice(CONTENTS), site_progress=progress, by=city.office,
    )  # fmt: skip
    if demands or dice.random() < 0.6:
        row.demands, row.due_on = dice.choice(DEMANDS), on + dt.timedelta(days=dice.randint(10, 25))
        answered_on = on + dt.timedelta(days=dice.randint(6, 28))
        if answered_on <= city.today:
            row.answered_on, row.answer = answered_on, "已按交办意见整改，材料随附（演示数据）"
            closed_on = answered_on + dt.timedelta(days=dice.randint(2, 9))
            if closed_on <= city.today:
                row.closed_on, row.closing_basis = closed_on, "现场复查，整改到位（演示数据）"
    return row


def _acceptance(city: City) -> None:
    """The longer an invented project is finished, the further it has come; plants have loads and prove their effect."""
    facts: list[AcceptanceFact] = []
    loads: list[LoadReading] = []
    for project in city.invented:
        if project.completed_on and project.completed_on <= city.today:
            facts += _steps(city, project)
            if any(word in city.versions[project.pk].name for word in PLANTS):
                loads += _loads(city, project)
    AcceptanceFact.objects.bulk_create(facts, batch_size=BATCH)
    LoadReading.objects.bulk_create(loads, batch_size=BATCH)


COURSE = (  # step, days after the completion (from, to), how often it is there, its words
    (K.RECOGNITION, (3, 15), 0.95, "完工认定申请、四方验收记录、影像资料"),
    (K.TRIAL_START, (5, 20), 0.6, "进入试运行"),
    (K.ARCHIVES, (40, 90), 0.8, "档案验收合格"),
    (K.ENVIRONMENT, (50, 110), 0.8, "自主验收并公示"),
    (K.SOIL, (50, 120), 0.6, "水土保持设施验收报备"),
    (K.TRIAL_END, (70, 120), 0.6, "试运行结束"),
    (K.FINAL, (80, 170), 0.85, "验收合格"),
    (K.ACCOUNTS, (120, 240), 0.7, "决算经审核"),
    (K.HANDOVER, (100, 200), 0.75, "移交管护单位"),
    (K.BENEFIT, (100, 150), 0.8, ""),
    (K.LEFTOVER, (30, 60), 0.15, "绿化补植待春季完成"),
)
WITH_PAPER = {K.ENVIRONMENT, K.SOIL, K.FINAL, K.ACCOUNTS}


def _steps(city: City, project: Project) -> Iterator[AcceptanceFact]:
    dice = city.promise.dice("acceptance", project.code)
    version = city.versions[project.pk]
    for kind, (low, high), share, words in COURSE:
        on, is_there, number = (
            project.completed_on + dt.timedelta(days=dice.randint(low, high)),
            dice.random() < share,
            dice.randint(3, 188),
        )
        part = Decimal(dice.randint(92, 100)) / 100
        if is_there and on <= city.today:
            yield AcceptanceFact(
                project=project, kind=kind, on=on, by=city.office, doc_number=f"演示〔{on.year}〕{number}号" if kind in WITH_PAPER else "",
                amount_wan=(version.total_investment_wan * part).quantize(Decimal("0.01")) if kind == K.ACCOUNTS else None,
                text=words or BENEFITS.get(project.domain.name, "达到设计目标"),
            )  # fmt: skip


def _loads(city: City, project: Project) -> Iterator[LoadReading]:
    dice = city.promise.dice("loads", project.code)
    on, top = project.completed_on + dt.timedelta(days=12), dice.randint(70, 92)
    for step in range(16):
        if on > city.today:
            return
        percent = min(Decimal(40 + 4 * step), Decimal(top)) + Decimal(dice.randint(-15, 15)) / 10
        yield LoadReading(project=project, on=on, load_percent=percent, is_effluent_ok=True, by=city.office)
        on += dt.timedelta(days=5)


def _archives(city: City) -> None:
    """Archives of the finished invented projects and of those of the first domain: most are complete, some lack a piece."""
    first = city.projects[0].domain_id if not city.invented else city.invented[0].domain_id
    kept = [p for p in city.invented if p.completed_on or p.domain_id == first]
    entries = list(ArchiveEntry.objects.order_by("position"))
    items = [ArchiveItem(project=project, entry=entry, required=entry.required, by=city.office) for project in kept for entry in entries]
    ArchiveItem.objects.bulk_create(items, batch_size=BATCH)
    ArchiveCheck.objects.bulk_create(_checks(city, kept, items), batch_size=BATCH)


def _checks(city: City, kept: list[Project], items: list[ArchiveItem]) -> Iterator[ArchiveCheck]:
    dice = {project.pk: city.promise.dice("archives", project.code) for project in kept}
    for item in items:
        chance, project = dice[item.project_id], item.project
        on = (project.completed_on or city.today - dt.timedelta(days=60)) + dt.timedelta(days=chance.randint(20, 55))
        is_late_part = item.entry.group in ("验收", "影像") and project.completed_on is None
        lacks, pages = chance.random() < 0.08 or is_late_part, chance.randint(4, 60) * item.required
        if on <= city.today:
            present = 0 if is_late_part else max(0, item.required - 1) if lacks else item.required
            note = "完工后补充" if is_late_part else "缺一份，已通知业主补齐" if lacks else ""
            yield ArchiveCheck(
                item=item, on=on, present=present, pages=pages if present else None, checker_post=CHECKER, missing_note=note, by=city.office
            )
