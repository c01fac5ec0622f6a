"""Permits and problems of the demo's projects. Public projects have all their permits and no problem."""

import datetime as dt

from linfen_water.models import Unit
from projects.demo import works
from projects.demo.promise import Promise
from projects.demo.sketches import Sketch
from projects.enums import HelpLevel, PermitKind, ProblemCategory
from projects.models import Permit, Problem, Project

PROMISED_WORKDAYS = {PermitKind.EIA: 30, PermitKind.LAND_PREREVIEW: 20, PermitKind.FLOOD_ASSESSMENT: 20, PermitKind.TENDER: 30}
USUAL_WORKDAYS = 15
# Papers that works may still wait for after they began.
WAITED_FOR = (
    PermitKind.OUTFALL,
    PermitKind.LAND_USE,
    PermitKind.FOREST_RIVER_LAND,
    PermitKind.WATER_INTAKE,
    PermitKind.QUALITY_SUPERVISION,
)
STALLED = {
    PermitKind.OUTFALL: "论证报告需按专家意见补充尾水去向比选",
    PermitKind.LAND_USE: "涉及耕地占补平衡指标，县级尚未落实",
    PermitKind.FOREST_RIVER_LAND: "林地可研报告补正中",
    PermitKind.WATER_INTAKE: "水资源论证报告待重新送审",
    PermitKind.QUALITY_SUPERVISION: "施工图变更后需重新办理",
}
# Papers that are applied for side by side where a project needs two of them or more (并联审批), and who helps: posts, invented.
SIDE_BY_SIDE = {
    "并联甲": (PermitKind.EIA, PermitKind.SOIL_CONSERVATION, PermitKind.FLOOD_ASSESSMENT, PermitKind.OUTFALL, PermitKind.WATER_INTAKE),
    "并联乙": (PermitKind.PLANNING_PERMIT, PermitKind.DRAWING_REVIEW, PermitKind.BUDGET_REVIEW),
}
HELPER_POSTS = ("专班办审批联络员", "审批局帮办科长", "属地代办员")
VALID_YEARS = {PermitKind.LAND_PREREVIEW: 3, PermitKind.EIA: 5, PermitKind.FLOOD_ASSESSMENT: 3}
STALLED_FATES = ("slow", "stalled", "silent", "postponed")


def permits(sketch: Sketch, project: Project, promise: Promise, units: dict[str, Unit]) -> list[Permit]:
    """The ladder of papers before the start, one after the other; of projects behind, one that still stalls."""
    dice = promise.dice("permits", sketch.name)
    extra = works.EXTRA_PERMITS.get(sketch.domain, ())
    ladder = (*works.LADDER[:3], *extra, *works.LADDER[3:])
    stalled = (
        next((kind for kind in WAITED_FOR if kind in extra), None)
        if sketch.fate in STALLED_FATES and sketch.pace.completed_on is None
        else None
    )
    due_on = sketch.pace.started_on - dt.timedelta(days=dice.randint(2, 9))
    rows = []
    for kind in reversed(ladder):
        row = Permit(project=project, kind=kind, authority=units.get(promise.permit_authorities.get(kind, "")))
        row.promised_workdays = PROMISED_WORKDAYS.get(kind, USUAL_WORKDAYS)
        if kind == stalled:
            row.submitted_on = promise.today - dt.timedelta(days=dice.randint(35, 120))
            row.note = STALLED[kind]
        elif not sketch.is_public and kind in extra and dice.random() < 0.08:
            row.is_required = False
        else:
            row.obtained_on = due_on
            row.submitted_on = due_on - dt.timedelta(days=dice.randint(8, 26))
            row.doc_number = "" if sketch.is_public else f"演示〔{due_on.year}〕{dice.randint(3, 188)}号"
            due_on = row.submitted_on + dt.timedelta(days=dice.randint(0, 6))  # the next paper overlaps a little
        years = VALID_YEARS.get(kind)
        if years and row.obtained_on and not sketch.is_public:
            row.valid_until = row.obtained_on.replace(day=min(row.obtained_on.day, 28), year=row.obtained_on.year + years)
        if row.note:
            row.helper_post = HELPER_POSTS[sketch.number % len(HELPER_POSTS)]
        rows.append(row)
    if not sketch.is_public:
        _group(rows)
    return rows[::-1]


def _group(rows: list[Permit]) -> None:
    for group, kinds in SIDE_BY_SIDE.items():
        members = [row for row in rows if row.kind in kinds and row.is_required]
        if len(members) > 1:
            for row in members:
                row.parallel_group = group


C = ProblemCategory
# What hinders, by category: description, measures, and on what ground it is closed out.
TROUBLES = {
    C.PERMIT: [("前期手续补正次数多，影响后续工序报批", "专班帮办人驻点指导，实行并联审批", "批复文件已取得"),
               ("设计变更未及时备案，监督手续需重办", "设计单位限期出具变更文件", "变更备案完成")],
    C.LAND: [("部分用地涉及地上附着物，补偿协议未签订", "属地成立专班逐户协商", "附着物清点补偿完成，场地移交"),
             ("临时用地复垦方案未批，料场无法启用", "调整料场位置并补办方案", "临时用地批复取得")],
    C.FUNDS: [("配套资金到位慢，施工单位垫资压力大", "申请调整专项债券使用计划", "本批资金拨付到账"),
              ("进度款审核周期长，材料采购受影响", "实行按月计量、限时审核", "进度款支付完成")],
    C.TECHNICAL: [("地下水位高于勘察值，基坑降水方案需调整", "组织专家论证并优化降水井布置", "专家论证意见落实"),
                  ("进水水质波动大，调试参数需重新确定", "增加调节池停留时间并分阶段调试", "连续运行监测合格")],
    C.CONSTRUCTION: [("施工组织不力，作业面展开不足", "增加班组两个，倒排工期", "周完成量恢复到计划水平"),
                     ("地下管线交叉多，迁改滞后", "管线产权单位现场会商，分段移交", "管线迁改完成")],
    C.RESPONSIBILITY: [("责任单位协调力度不够，问题整改不及时", "约谈项目业主，明确责任清单", "责任清单落实并经核查"),
                       ("施工、监理人员到岗率偏低", "实行考勤通报", "连续四周到岗率达标")],
    C.CROSS_COUNTY: [("上下游施工时序不一致，导流方案需两县协同", "召开两县协调会，统一导流时段", "导流方案两县会签"),
                     ("跨县管线接入点标高不一致", "市级牵头复核并统一标高", "复核成果印发执行")],
}  # fmt: skip
LIKELY_OPEN = {"slow": 1, "stalled": 2, "silent": 1, "postponed": 1}  # open problems on the demo's day
HANDLERS = {C.PERMIT: "approval", C.LAND: "land_use", C.FUNDS: "budget_review"}  # whose permit kind names the unit


def problems(sketch: Sketch, project: Project, promise: Promise, units: dict[str, Unit], lead: Unit, reporter: Unit) -> list[Problem]:
    """Open problems of those behind, and closed ones of every second project; categories and levels go round."""
    if sketch.is_public:
        return []
    dice = promise.dice("problems", sketch.name)
    open_count = LIKELY_OPEN.get(sketch.fate, 0) if sketch.pace.completed_on is None else 0
    closed_count = (sketch.number % 2) + (sketch.fate in ("late", "postponed", "over_budget"))
    rows = []
    for place in range(open_count + closed_count):
        category = list(C)[(sketch.number * 3 + place * 2) % len(C)]
        text, measures, ground = TROUBLES[category][(sketch.number + place) % 2]
        is_open = place < open_count
        level = _level(sketch, place, is_open)
        authority = units.get(promise.permit_authorities.get(HANDLERS.get(category, ""), ""))
        row = Problem(project=project, category=category, description=f"{text}。", measures=measures, level=level)
        row.handler = lead if level >= HelpLevel.DEPARTMENTS and authority is None else authority or reporter
        last = promise.today if is_open else min(sketch.pace.completed_on or promise.today, promise.today)
        first = max(sketch.pace.started_on, last - dt.timedelta(days=120) if is_open else sketch.pace.started_on)
        row.raised_on = first + dt.timedelta(days=dice.randint(5, max((last - first).days - (5 if is_open else 25), 6)))
        row.raised_on = min(row.raised_on, last - dt.timedelta(days=4))
        row.due_on = row.raised_on + dt.timedelta(days=dice.randint(20, 60))
        if not is_open:
            row.closed_on = min(row.raised_on + dt.timedelta(days=dice.randint(12, 75)), last)
            row.closing_basis = ground
        rows.append(row)
    return rows


def _level(sketch: Sketch, place: int, is_open: bool) -> int:
    if not is_open:
        return HelpLevel.OFFICE if (sketch.number + place) % 3 else HelpLevel.DEPARTMENTS
    ladder = [HelpLevel.OFFICE, HelpLevel.DEPARTMENTS, HelpLevel.DEPARTMENTS, HelpLevel.CITY_LEADERS, HelpLevel.OFFICE, HelpLevel.PROVINCE]
    return ladder[(sketch.number + place) % len(ladder)]
