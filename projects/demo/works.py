"""What each domain builds: names, scale, size and stages of work that sound like the real thing."""

import dataclasses

from projects.enums import Nature, SourceKind
from projects.enums import PermitKind as P


@dataclasses.dataclass(frozen=True)
class Work:
    """A kind of project. `{c}` is the county, `{r}` a river of it; `scale` draws from `numbers` (low, high, step)."""

    name: str
    scale: str
    numbers: dict[str, tuple[int, int, int]]
    size_wan: tuple[int, int]  # usual total investment
    nature: str = Nature.NEW
    owner: str = "{c}水务发展有限公司（演示）"
    fits_zone: bool = False

    @property
    def needs_river(self) -> bool:
        return "{r}" in self.name


# What is asked of every project, in the order it is got; then what the domain adds.
LADDER = (P.APPROVAL, P.FEASIBILITY, P.PRELIMINARY_DESIGN, P.EIA, P.BUDGET_REVIEW, P.TENDER, P.CONSTRUCTION_PERMIT)
RIVER_WORKS = (P.FLOOD_ASSESSMENT, P.SOIL_CONSERVATION, P.FOREST_RIVER_LAND, P.STABILITY_RISK)
PLANT_WORKS = (P.LAND_PREREVIEW, P.LAND_USE, P.PLANNING_PERMIT, P.DRAWING_REVIEW, P.QUALITY_SUPERVISION, P.OUTFALL)
SEWER_WORKS = (P.PLANNING_PERMIT, P.DRAWING_REVIEW, P.QUALITY_SUPERVISION)
LAND_WORKS = (P.SOIL_CONSERVATION, P.FOREST_RIVER_LAND, P.STABILITY_RISK)

EXTRA_PERMITS = {
    "生态环境": (P.LAND_PREREVIEW, P.OUTFALL, P.STABILITY_RISK),
    "水利": (*RIVER_WORKS, P.WATER_INTAKE),
    "城管": SEWER_WORKS,
    "住建": PLANT_WORKS,
    "规自": LAND_WORKS,
    "商务": PLANT_WORKS,
}

C, V, M, X = SourceKind.CENTRAL, SourceKind.PROVINCE, SourceKind.CITY, SourceKind.COUNTY
S, G, R, W = SourceKind.SPECIAL_BOND, SourceKind.GENERAL_BOND, SourceKind.PRIVATE, SourceKind.OWN
# Usual mixes of money: source and parts.
MIXES = {
    "生态环境": [((C, 6), (V, 2), (X, 2)), ((C, 5), (X, 5)), ((V, 4), (M, 2), (X, 4))],
    "水利": [((C, 6), (V, 2), (X, 2)), ((V, 5), (G, 3), (X, 2)), ((S, 7), (X, 3))],
    "城管": [((S, 6), (X, 4)), ((V, 3), (M, 2), (X, 5)), ((S, 5), (C, 2), (X, 3))],
    "住建": [((S, 7), (X, 3)), ((R, 6), (X, 4)), ((C, 3), (S, 4), (X, 3))],
    "规自": [((C, 7), (X, 3)), ((C, 6), (V, 2), (M, 2))],
    "商务": [((W, 5), (S, 5)), ((R, 7), (W, 3))],
}
USUAL_MIX = [((C, 5), (X, 5))]

PARK_COMPANY = "{s}园区建设发展有限公司（演示）"
WORKS = {
    "生态环境": [
        Work("{c}{r}入河排污口规范化整治工程", "整治入河排污口{n}处，新建截污管{km}公里，配套在线监测{m}套。",
             {"n": (8, 42, 1), "km": (3, 18, 1), "m": (3, 12, 1)}, (1500, 6000), Nature.RESTORATION, "市生态环境局{s}分局"),
        Work("{c}{r}人工湿地水质净化工程", "建设潜流与表流湿地{ha}公顷，设计处理规模{m}万立方米/日，配水管渠{km}公里。",
             {"ha": (8, 60, 1), "m": (1, 5, 1), "km": (2, 9, 1)}, (6000, 22000), Nature.NEW, "{c}生态环保发展有限公司（演示）"),
        Work("{c}农村生活污水治理工程", "涉及{t}个乡镇{v}个行政村，敷设管网{km}公里，建设集中处理站{n}座。",
             {"t": (3, 8, 1), "v": (15, 66, 1), "km": (30, 160, 5), "n": (6, 28, 1)}, (5000, 18000), Nature.NEW, "市生态环境局{s}分局"),
        Work("{c}{r}沿岸生态缓冲带建设工程", "治理岸线{km}公里，恢复缓冲带{ha}公顷，设置生态沟渠{m}公里。",
             {"km": (5, 26, 1), "ha": (20, 120, 5), "m": (3, 16, 1)}, (3500, 14000), Nature.RESTORATION, "市生态环境局{s}分局"),
        Work("{c}农村黑臭水体整治工程", "整治农村黑臭水体{n}处，清淤{m}万立方米，截污管{km}公里。",
             {"n": (4, 19, 1), "m": (2, 12, 1), "km": (4, 22, 1)}, (1200, 5000), Nature.RESTORATION, "市生态环境局{s}分局"),
        Work("{c}畜禽粪污资源化利用工程", "建设集中处理中心{n}处，配套田间贮存池{m}座，年处理粪污{w}万吨。",
             {"n": (1, 4, 1), "m": (20, 90, 5), "w": (6, 30, 1)}, (2500, 9000), Nature.NEW, "{c}畜牧产业发展有限公司（演示）"),
        Work("{c}集中式饮用水水源地保护工程", "设置隔离防护{km}公里，整治保护区污染源{n}处，建设预警监测站{m}座。",
             {"km": (6, 30, 1), "n": (5, 22, 1), "m": (1, 4, 1)}, (1800, 7000), Nature.RESTORATION, "市生态环境局{s}分局"),
    ],
    "水利": [
        Work("{r}{c}段河道综合治理工程", "治理河长{km}公里，新建加固堤防{d}公里，清淤疏浚{m}万立方米，生态护岸{g}公里。",
             {"km": (8, 28, 1), "d": (6, 30, 1), "m": (12, 80, 1), "g": (5, 24, 1)}, (9000, 42000), Nature.RESTORATION, "{c}水利局"),
        Work("{c}{r}缓洪池建设工程", "建设缓洪池{n}座，总容积{m}万立方米，进退水涵闸{z}座。",
             {"n": (1, 4, 1), "m": (60, 320, 10), "z": (2, 9, 1)}, (6000, 24000), Nature.NEW, "{c}水利局"),
        Work("{c}淤地坝除险加固工程", "除险加固淤地坝{n}座，其中大型坝{m}座，配套溢洪道{z}处。",
             {"n": (8, 36, 1), "m": (2, 9, 1), "z": (4, 18, 1)}, (3000, 11000), Nature.RESTORATION, "{c}水利局"),
        Work("{c}小流域水土保持综合治理工程", "治理水土流失面积{m}平方公里，建设梯田{ha}公顷，谷坊{n}座。",
             {"m": (18, 90, 1), "ha": (150, 900, 10), "n": (12, 60, 1)}, (3500, 13000), Nature.RESTORATION, "{c}水利局"),
        Work("{r}{c}段堤防加固与生态护岸工程", "加固堤防{d}公里，生态护岸{g}公里，穿堤涵闸{z}座。",
             {"d": (6, 24, 1), "g": (5, 20, 1), "z": (3, 14, 1)}, (7000, 30000), Nature.UPGRADE, "{c}水利局"),
        Work("{c}坡耕地水土流失综合治理工程", "治理坡耕地{ha}公顷，田间道路{km}公里，蓄水池{n}座。",
             {"ha": (200, 1200, 10), "km": (12, 60, 1), "n": (8, 40, 1)}, (2500, 9000), Nature.RESTORATION, "{c}水利局"),
        Work("{c}灌区续建配套与节水改造工程", "改造渠道{km}公里，配套建筑物{n}座，改善灌溉面积{m}万亩。",
             {"km": (18, 70, 1), "n": (60, 260, 5), "m": (2, 12, 1)}, (6000, 26000), Nature.UPGRADE, "{c}水利局"),
    ],
    "城管": [
        Work("{c}建成区雨污分流管网改造工程", "改造雨污合流管网{km}公里，检查井{n}座，恢复路面{m}万平方米。",
             {"km": (15, 68, 1), "n": (400, 2100, 20), "m": (6, 38, 1)}, (9000, 36000), Nature.UPGRADE, "{c}城市管理局"),
        Work("{c}生活垃圾填埋场渗滤液处理工程", "新建渗滤液处理系统{m}立方米/日，调节池防渗{n}平方米，封场覆盖{ha}公顷。",
             {"m": (60, 260, 10), "n": (3000, 14000, 500), "ha": (3, 12, 1)}, (2800, 9000), Nature.UPGRADE, "{c}城市管理局"),
        Work("{c}建成区污水管网空白区补齐工程", "新建污水管网{km}公里，接户管{n}处，一体化提升泵站{m}座。",
             {"km": (12, 46, 1), "n": (300, 1800, 20), "m": (1, 5, 1)}, (6000, 22000), Nature.NEW, "{c}城市管理局"),
        Work("{c}城区排水防涝与管网修复工程", "修复病害管道{km}公里，新建雨水管渠{m}公里，强排泵站{n}座。",
             {"km": (8, 32, 1), "m": (5, 26, 1), "n": (1, 4, 1)}, (7000, 25000), Nature.UPGRADE, "{c}城市管理局"),
        Work("{c}污泥无害化处置工程", "建设污泥处置线{n}条，处置规模{m}吨/日。",
             {"n": (1, 2, 1), "m": (40, 160, 10)}, (4500, 15000), Nature.NEW, "{c}城市管理局"),
    ],
    "住建": [
        Work("{c}污水处理厂提标扩容工程", "扩建规模{m}万立方米/日，出水达到地表水Ⅴ类（总氮除外），改造配套管网{km}公里。",
             {"m": (1, 5, 1), "km": (2, 14, 1)}, (9000, 38000), Nature.EXTENSION),
        Work("{c}第二污水处理厂新建工程", "新建规模{m}万立方米/日，厂外管网{km}公里，占地{n}亩。",
             {"m": (1, 4, 1), "km": (4, 20, 1), "n": (28, 90, 1)}, (14000, 46000)),
        Work("{c}污水处理厂尾水人工湿地工程", "建设尾水湿地{ha}公顷，设计水量{m}万立方米/日，提升泵站{n}座。",
             {"ha": (5, 28, 1), "m": (1, 5, 1), "n": (1, 3, 1)}, (5000, 17000), Nature.UPGRADE),
        Work("{c}再生水利用工程", "建设再生水厂{m}万立方米/日，输配管线{km}公里，加压泵站{n}座。",
             {"m": (1, 4, 1), "km": (9, 42, 1), "n": (1, 4, 1)}, (7000, 26000)),
        Work("{c}建制镇生活污水处理设施工程", "覆盖{t}个建制镇，建设处理站{n}座，管网{km}公里。",
             {"t": (3, 9, 1), "n": (3, 10, 1), "km": (24, 95, 1)}, (6000, 21000)),
        Work("{c}污水提升泵站及主干管工程", "新建提升泵站{n}座，主干管{km}公里，设计流量{m}万立方米/日。",
             {"n": (1, 4, 1), "km": (6, 26, 1), "m": (2, 9, 1)}, (5000, 18000)),
    ],
    "规自": [
        Work("{c}历史遗留矿山生态修复工程", "修复治理图斑{n}个、面积{ha}公顷，覆土{m}万立方米。",
             {"n": (8, 46, 1), "ha": (60, 380, 5), "m": (14, 90, 1)}, (5000, 21000), Nature.RESTORATION, "{c}自然资源局"),
        Work("{c}{r}沿岸国土绿化与生态修复工程", "营造水源涵养林{ha}公顷，修复退化草地{m}公顷，封育围栏{km}公里。",
             {"ha": (120, 900, 10), "m": (50, 400, 10), "km": (8, 36, 1)}, (4000, 15000), Nature.RESTORATION, "{c}自然资源局"),
        Work("{c}黄土丘陵沟壑区水土保持林工程", "营造水土保持林{ha}公顷，经济林改造{m}公顷，作业道{km}公里。",
             {"ha": (200, 1400, 10), "m": (60, 420, 10), "km": (9, 40, 1)}, (3500, 14000), Nature.RESTORATION, "{c}自然资源局"),
        Work("{c}全域土地综合整治与生态修复工程", "整治土地{ha}公顷，沟道整治{km}公里，生态护坡{m}万平方米。",
             {"ha": (180, 950, 10), "km": (7, 34, 1), "m": (4, 26, 1)}, (7000, 28000), Nature.RESTORATION, "{c}自然资源局"),
        Work("{c}露天采坑治理与植被恢复工程", "治理采坑{n}处，削坡{m}万立方米，复绿{ha}公顷。",
             {"n": (3, 16, 1), "m": (20, 120, 5), "ha": (40, 220, 5)}, (4000, 16000), Nature.RESTORATION, "{c}自然资源局"),
    ],
    "商务": [
        Work("{c}工业园区污水处理厂工程", "新建规模{m}万立方米/日，配套管网{km}公里，事故池{n}座。",
             {"m": (1, 3, 1), "km": (6, 22, 1), "n": (1, 3, 1)}, (9000, 28000), Nature.NEW, PARK_COMPANY, fits_zone=True),
        Work("{c}工业园区中水回用工程", "建设深度处理线{n}条、规模{m}万立方米/日，回用管线{km}公里。",
             {"n": (1, 3, 1), "m": (1, 3, 1), "km": (8, 30, 1)}, (7000, 22000), Nature.NEW, PARK_COMPANY, fits_zone=True),
        Work("{c}园区初期雨水收集与应急事故池工程", "建设初期雨水池{n}座、总容积{m}万立方米，截流管{km}公里。",
             {"n": (2, 8, 1), "m": (1, 6, 1), "km": (4, 18, 1)}, (4000, 13000), Nature.NEW, PARK_COMPANY, fits_zone=True),
    ],
}  # fmt: skip

# For a domain that is not among these.
USUAL_WORKS = [
    Work("{c}生态保护治理工程", "治理面积{ha}公顷，配套设施{n}处。", {"ha": (20, 300, 5), "n": (2, 20, 1)}, (3000, 15000), fits_zone=True),
    Work("{c}环境基础设施提升工程", "改造设施{n}处，管线{km}公里。", {"n": (2, 16, 1), "km": (3, 30, 1)}, (3000, 15000), fits_zone=True),
]

# What a weekly dispatch tells, by domain: early, middle, late, closing stage of the works.
TELLING = {
    "生态环境": (
        "进场清表，完成测量放线和排污口复核",
        "截污管沟槽开挖与管道安装",
        "湿地填料铺设和水生植物栽植",
        "设施联动调试，整理竣工资料",
    ),
    "水利": ("施工便道和围堰填筑，料场备料", "堤身填筑与清淤疏浚分段推进", "护岸砌筑、涵闸安装", "堤顶绿化和收尾，准备完工验收"),
    "城管": ("管线探测、交通导改和围挡", "沟槽支护开挖，主管敷设", "接户管改造、闭水试验", "路面恢复和管网移交"),
    "住建": ("基坑支护与桩基施工", "生化池、二沉池主体结构施工", "设备安装与电气自控接线", "单机调试、通水试运行"),
    "规自": ("地形测量、危岩清理", "削坡整形和覆土", "截排水沟、挡墙施工", "植被恢复和养护"),
    "商务": ("场地平整与基坑开挖", "调节池、生化池主体施工", "工艺设备安装和管网连接", "进水调试，办理移交"),
}
USUAL_TELLING = ("进场准备", "主体施工", "设备安装", "收尾验收")
BEFORE_START = ("开展项目建议书和可研编制", "报审可研，推进用地和环评手续", "初步设计评审，财政评审送审", "组织招标，办理开工手续")
