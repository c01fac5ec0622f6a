"""Blocks copied out of a spreadsheet: what is understood, and what is left out with its reason."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects import paste
from projects.enums import SourceKind
from projects.paste import Start, Target
from tests.factories import ProjectFactory, RegionFactory, UserFactory

A = Target("LF-001", "洪安涧河缓洪池建设工程", ((11, "省级资金"),))
B = Target("LF-002", "汾河城区段生态护岸工程", ((21, "中央资金"), (22, "县级资金")))
C = Target("LF-012", "汾河（下游）湿地修复工程", ())
TARGETS = [A, B, C]
HEAD = "项目编号\t项目名称\t形象进度（%）\t到位（万元）\t拨付\t支付\t完成投资\t本周进展\n"


def placed(text, start=None):
    return {(p.code, p.field): p.text for p in paste.read(text, TARGETS, start).placed}


def left(text, start=None):
    return [(item.row, item.reason) for item in paste.read(text, TARGETS, start).left]


def notes(text, start=None):
    return [(item.row, item.reason) for item in paste.read(text, TARGETS, start).notes]


WHOLE = {
    ("LF-001", "physical_progress"): "45",
    ("LF-001", "in_place_wan_11"): "500",
    ("LF-001", "allocated_wan_11"): "400",
    ("LF-001", "paid_wan_11"): "300.5",
    ("LF-001", "completed_wan_11"): "450",
    ("LF-001", "done"): "浇筑底板",
}


@pytest.mark.once
@pytest.mark.parametrize(
    "text",
    [
        pytest.param(HEAD + "LF-001\t洪安涧河缓洪池建设工程\t45\t500\t400\t300.5\t450\t浇筑底板", id="有表头"),
        pytest.param("LF-001\t45\t500\t400\t300.5\t450\t浇筑底板", id="无表头按编号"),
        pytest.param("洪安涧河缓洪池建设工程\t45\t500\t400\t300.5\t450\t浇筑底板", id="无表头按名称"),
        pytest.param("LF-001\t洪安涧河缓洪池建设工程\t45\t500\t400\t300.5\t450\t浇筑底板", id="无表头编号名称都有"),
        pytest.param("1\tLF-001\t45\t500\t400\t300.5\t450\t浇筑底板", id="前面有序号"),
        pytest.param(HEAD + "\n\t\t\nｌｆ－１\t\t４５％\t５００\t400.00\t300.50万元\t450万\t浇筑底板\n\n", id="全角空行单位"),
        pytest.param(HEAD.replace("（万元）", "（亿元）") + "LF-001\t\t45%\t0.05\t400\t300.5\t450\t浇筑底板", id="表头单位亿元"),
        pytest.param("LF-001\t45%\t0.05亿元\t4000000元\t300.5\t0.045亿\t浇筑底板", id="格内单位"),
        pytest.param(
            "单位：元\n" + HEAD.replace("（万元）", "") + "LF-001\t\t45\t5,000,000\t4000000\t3005000\t4,500,000\t浇筑底板", id="表上单位元"
        ),
        pytest.param(
            "附件2 进展表\n\n" + HEAD + "LF-001\t\t45\t500\t400\t300.5\t450\t浇筑底板\n合计\t\t\t500\t400\t300.5\t450\t", id="标题和合计"
        ),
        pytest.param(
            "项目名称\t形象进度\t累计资金（万元）\t\t\t\t本周进展\n\t\t到位\t拨付\t支付\t完成投资\t\n洪安涧河缓洪池建设工程\t45\t500\t400\t300.5\t450\t浇筑底板",
            id="两行表头",
        ),
        pytest.param('"洪安涧河\n缓洪池建设工程"\t45\t500\t400\t300.5\t450\t浇筑底板', id="名称中换行"),
        pytest.param("洪安涧河缓洪池\t45\t500\t400\t300.5\t450\t浇筑底板", id="名称的一部分"),
        pytest.param("LF-001  45  500  400  300.5  450  浇筑底板", id="空格分列"),
        pytest.param("| LF-001 | 45 | 500 | 400 | 300.5 | 450 | 浇筑底板 |", id="竖线分列"),
        pytest.param("本周进展\t完成投资\t支付\t拨付\t到位\t进度\t编号\n浇筑底板\t450\t300.5\t400\t500\t45\tLF-001", id="列次颠倒"),
        pytest.param(HEAD.replace("支付", "包联领导\t支付") + "LF-001\t\t45\t500\t400\t某职务\t300.5\t450\t浇筑底板", id="夹着不用的列"),
    ],
)
def test_a_list_is_read_however_it_is_laid_out(text):
    assert placed(text) == WHOLE
    assert left(text) == []


@pytest.mark.once
def test_a_quoted_cell_keeps_its_lines_and_quotes():
    text = 'LF-001\t45\t\t\t\t\t"第一行\n第二行""主体"""'
    assert placed(text)["LF-001", "done"] == '第一行\n第二行"主体"'


@pytest.mark.once
def test_a_lone_quote_swallows_nothing():
    assert len(placed('LF-001\t45\t500\t\t\t\t5" 管\nLF-002\t46')) == 4


@pytest.mark.once
@pytest.mark.parametrize("nothing", ["", " ", "-", "—", "/", "无", "暂无", "——"])
def test_nothing_in_a_cell_leaves_it_as_it_is(nothing):
    assert placed(f"LF-001\t45\t{nothing}") == {("LF-001", "physical_progress"): "45"}
    assert left(f"LF-001\t45\t{nothing}") == []


@pytest.mark.once
def test_no_problem_is_a_word_where_words_are_asked_for():
    assert placed("编号\t存在问题\nLF-001\t无") == {("LF-001", "hinders"): "无"}


@pytest.mark.once
@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        pytest.param("约45", "不是确数", id="约数"),
        pytest.param("#REF!", "出错值", id="公式出错"),
        pytest.param("0.45", "请写成 45%", id="小数形式的百分数"),
        pytest.param("45万元", "不能用金额单位", id="进度带金额单位"),
        pytest.param("主体完工", "不是数字", id="文字"),
        pytest.param("45\t12,34", "千分位", id="逗号错位"),
        pytest.param("45\t(300)", "括号表示负数", id="括号负数"),
        pytest.param("45\t30%", "金额不能是百分数", id="金额百分数"),
        pytest.param("45\t12345.67元", "多于两位小数", id="元换算不整"),
        pytest.param("45\t500.123", "多于两位小数", id="三位小数"),
    ],
)
def test_a_cell_that_is_not_certain_is_left_with_its_reason(cells, reason):
    found = left(f"LF-001\t{cells}")
    assert len(found) == 1
    assert (found[0][0], reason in found[0][1]) == (1, True)


@pytest.mark.once
@pytest.mark.parametrize(
    ("text", "row", "reason"),
    [
        pytest.param("编号\t进度\nLF-099\t45", 2, "不在您本周要填的项目里", id="别人的项目"),
        pytest.param("项目名称\t进度\n洪安间河缓洪池建设工程\t45", 2, "是不是 LF-001", id="名称有错字"),
        pytest.param("编号\t项目名称\t进度\nLF-001\t汾河城区段生态护岸工程\t45", 2, "不是同一个项目", id="编号名称不符"),
        pytest.param("编号\t进度\nLF-001\t45\nLF-001\t46", 3, "第 2 行已给了这一格", id="同一格两个数"),
        pytest.param("编号\t到位\nLF-002\t45", 2, "有 2 个资金来源", id="不知归哪个来源"),
        pytest.param("编号\t资金来源\t到位\nLF-002\t专项债\t45", 2, "没有“专项债”这个资金来源", id="没有的来源"),
        pytest.param("编号\t到位\nLF-012\t45", 2, "没有登记资金来源", id="没登记来源"),
        pytest.param("编号\t预计完工\nLF-001\t2025年6月底", 2, "只有年月", id="只有年月"),
        pytest.param("编号\t预计完工\nLF-001\t2025-06-31", 2, "没有这一天", id="不存在的日期"),
        pytest.param("编号\t进度\n\t45", 2, "没有项目编号或名称", id="没有项目"),
        pytest.param("汾河\t45\t46", 1, "没有看出是哪些项目", id="两个都像"),
        pytest.param("45\t46", 1, "没有看出是哪些项目", id="没有光标的数字"),
        pytest.param("", 1, "没有内容", id="空"),
        pytest.param("LF-001\t1\n" * 301, 1, "超过 300 行", id="太长"),
    ],
)
def test_a_row_that_finds_no_place_is_left_with_its_reason(text, row, reason):
    found = left(text)
    assert [(where, reason in why) for where, why in found] == [(row, True)]


@pytest.mark.once
@pytest.mark.parametrize(
    ("text", "row", "reason"),
    [
        ("LF-001\t45\n合 计\t45", 2, "合计行"),
        ("LF-001\t45\n生态领域小计\t45", 2, "合计行"),
        ("一、生态环境领域\nLF-001\t45", 1, "分组行"),
        ("其中：\t1\nLF-001\t45", 1, "分组行"),
        ("编号\t进度\nLF-001\t45\n编号\t进度\nLF-002\t46", 4, "重复的表头"),
        ("编号\t总投资\t进度\nLF-001\t999\t45", 2, "不在填报项里"),
    ],
)
def test_rows_that_are_no_report_are_passed_over_and_named(text, row, reason):
    assert [reason in why for _, why in notes(text)] == [True]
    assert placed(text)["LF-001", "physical_progress"] == "45"


@pytest.mark.once
@pytest.mark.parametrize(
    "written",
    ["2025-06-30", "2025.6.30", "2025/6/30", "2025年6月30日", "２０２５年６月３０日", "45838", "2025/6/30 0:00".replace("0:00", "00:00")],
)
def test_dates_as_offices_write_them(written):
    assert placed(f"编号\t预计完工\nLF-001\t{written}") == {("LF-001", "forecast_finish_on"): "2025-06-30"}


@pytest.mark.once
def test_several_sources_of_one_project_under_a_merged_name():
    text = "项目名称\t资金来源\t到位\t支付\n汾河城区段生态护岸工程\t中央\t100\t50\n\t县级资金\t200\t60\n\t小计\t300\t110"
    assert placed(text) == {
        ("LF-002", "in_place_wan_21"): "100",
        ("LF-002", "paid_wan_21"): "50",
        ("LF-002", "in_place_wan_22"): "200",
        ("LF-002", "paid_wan_22"): "60",
    }


@pytest.mark.once
@pytest.mark.parametrize(
    ("text", "start", "expected"),
    [
        pytest.param(
            "1\t2\n3\t4",
            "allocated_wan_21",
            {"allocated_wan_21": "1", "paid_wan_21": "2", "allocated_wan_22": "3", "paid_wan_22": "4"},
            id="从光标起",
        ),
        pytest.param("1\n3", "completed_wan_21", {"completed_wan_21": "1", "completed_wan_22": "3"}, id="一列"),
        pytest.param(
            "到位\t拨付\n1\t2\n3\t4\n合计\t6",
            "in_place_wan_21",
            {"in_place_wan_21": "1", "allocated_wan_21": "2", "in_place_wan_22": "3", "allocated_wan_22": "4"},
            id="带表头和合计",
        ),
        pytest.param(
            "县级资金\t1\t2\n中央资金\t3",
            "in_place_wan_21",
            {"in_place_wan_22": "1", "allocated_wan_22": "2", "in_place_wan_21": "3"},
            id="按来源名",
        ),
        pytest.param("资金来源\t支付\t到位\n县级\t1\t2", "physical_progress", {"paid_wan_22": "1", "in_place_wan_22": "2"}, id="来源表头"),
        pytest.param(
            "45\t完成底板\t安装闸门",
            "physical_progress",
            {"physical_progress": "45", "done": "完成底板", "next_steps": "安装闸门"},
            id="一行",
        ),
    ],
)
def test_figures_begin_at_the_cursor(text, start, expected):
    assert placed(text, Start("LF-002", start)) == {("LF-002", field): value for field, value in expected.items()}


@pytest.mark.once
def test_figures_beyond_the_table_are_named():
    assert [why.split("：")[0] for _, why in left("1\t2\n3\t4\n5\t6", Start("LF-002", "completed_wan_21"))] == ["落在表外"] * 4


@pytest.mark.once
def test_a_whole_list_of_unknown_names_is_answered_row_by_row():
    targets = [Target(f"LF-{n:03}", f"第{n}条河道综合治理与生态修复工程", ((n, "省级资金"),)) for n in range(1, 100)]
    text = "项目名称\t进度\n" + "\n".join(f"第{n}条河道综合整治与生态修复工程\t{n}" for n in range(1, 100))
    reasons = [why for _, why in left_of(text, targets)]
    assert (len(reasons), sum("是不是" in why for why in reasons)) == (99, paste.MOST_HINTS)


def left_of(text, targets):
    return [(item.row, item.reason) for item in paste.read(text, targets).left]


@pytest.mark.once
@given(st.text(alphabet='LF-0123\t\n"合计亿元%.,无编号进度到位 ', max_size=120))
def test_nothing_that_is_pasted_breaks_it(text):
    reading = paste.read(text, TARGETS, Start("LF-002", "in_place_wan_21"))
    assert all(p.code in {"LF-001", "LF-002", "LF-012"} for p in reading.placed)


@pytest.mark.django_db
class TestPage:
    @pytest.fixture
    def own(self, client):
        RegionFactory()
        project = ProjectFactory(code="LF-001", reported=Decimal(40), funding={SourceKind.PROVINCE: 600, SourceKind.CITY: 400})
        client.force_login(UserFactory(in_county=True, unit=project.versions.get().responsible_unit))
        return project

    def test_says_where_each_cell_goes_and_what_the_form_will_say_of_it(self, client, own):
        ProjectFactory(code="LF-002")
        found = client.post("/dispatch/paste/", {"text": "LF-001\t145\nLF-002\t46"}).json()
        assert found["cells"] == [
            {"name": "LF-001-physical_progress", "code": "LF-001", "project": own.versions.get().name, "label": "总体进度", "text": "145",
             "error": "不能大于 100。"}
        ]  # fmt: skip
        assert "不在您本周要填的项目里" in found["left"][0]["reason"]

    def test_reads_beside_the_cursor(self, client, own):
        first, second = own.funding.order_by("position")
        data = {"text": "1\n2", "code": "LF-001", "field": f"paid_wan_{first.pk}"}
        found = client.post("/dispatch/paste/", data).json()
        assert [(cell["name"], cell["label"]) for cell in found["cells"]] == [
            (f"LF-001-paid_wan_{first.pk}", "省级资金累计支付"),
            (f"LF-001-paid_wan_{second.pk}", "市级资金累计支付"),
        ]

    def test_a_cursor_in_a_foreign_project_is_none(self, client, own):
        ProjectFactory(code="LF-002")
        assert client.post("/dispatch/paste/", {"text": "1", "code": "LF-002", "field": "physical_progress"}).json()["cells"] == []
