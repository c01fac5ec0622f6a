"""`import_readings FILE`: counts in Chinese, exit 0 for a feed with strangers in it, exit 1 and nothing written for a faulty table."""

import io
import json
from decimal import Decimal as D

import pytest
from django.core.management import CommandError, call_command

from linfen_water.models import TrailEvent
from monitoring.models import Intake, Reading, StationRecord
from tests.factories import RegionFactory, SectionFactory
from tests.monitoring.test_feed import answer, row

pytestmark = pytest.mark.django_db

CSV = "断面,采样日期,氨氮\n甲断面,2025-01-06,0.3\n"


@pytest.fixture
def section():
    RegionFactory(settings={"province": "山西省"})
    SectionFactory(name="河津大桥")
    return SectionFactory(name="甲断面")


@pytest.fixture
def run(section, tmp_path):
    def run(content, *options, name="一月.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        out, err = io.StringIO(), io.StringIO()
        try:
            call_command("import_readings", str(path), *options, stdout=out, stderr=err)
            fault = ""
        except CommandError as refused:
            fault = str(refused).replace(str(path), name)
        return out.getvalue(), err.getvalue(), fault

    return run


def test_a_table_is_taken_in_and_counted(run, section):
    out, err, fault = run(CSV)
    assert (out, err, fault) == ("新增 1，更正 0，相同 0，重复 0，未监测说明 0，跳过 0，拒收 0。\n", "", "")
    reading = Reading.objects.get()
    assert (reading.section, reading.value, reading.intake.name, reading.place) == (section, D("0.3"), "一月.csv", "第2行")
    assert len(reading.intake.digest) == 64


def test_the_same_file_again_changes_nothing(run):
    run(CSV)
    assert run(CSV)[0] == "新增 0，更正 0，相同 1，重复 0，未监测说明 0，跳过 0，拒收 0。\n"


def test_a_table_with_errors_writes_nothing_and_tells_them_all(run):
    out, err, fault = run(CSV + "甲断面,2025-01-07,300 μg/L\n甲断面,2026-01-07,0.3\n")
    assert err.splitlines() == [
        "错误　第3行“氨氮”（300 μg/L）：带有单位：只填以mg/L计的数值（1 μg/L = 0.001 mg/L）",
        "错误　第4行“采样日期”（2026-01-07）：日期在将来（今天是2025-02-20）：请核对年份和月份",
    ]
    assert (out, fault) == ("", "有2处错误，未写入任何数据。")
    assert (Reading.objects.count(), Intake.objects.count()) == (0, 0)


def test_a_correction_needs_a_reason(run):
    run(CSV)
    changed = CSV.replace("0.3", "0.5")
    assert run(changed)[1] == "错误　第2行“氨氮”（0.5）：与已有数值不同，请写明更正理由\n"
    assert run(changed, "--reason", "实验室复核")[0].startswith("新增 0，更正 1，")
    assert Reading.objects.get(is_live=True).reason == "实验室复核"


def test_a_feed_takes_ours_and_skips_the_rest(run):
    data = answer(row(), row(name="别处"), row(time="02-20 12:00", ph="700"))
    out, err, fault = run(data, name="feed.json")
    assert out.splitlines()[-1] == "新增 1，更正 0，相同 0，重复 0，未监测说明 0，跳过 1，拒收 1。"
    assert (err, fault) == ("拒收　第3行“pH值”（700）：超出0到14，不是pH值：请核对原始记录\n", "")
    record = StationRecord.objects.get()
    assert (record.values["ph"], record.feed_class, record.at.year) == ("8.1234", 4, 2025)


def test_the_year_may_be_given(run):
    run(answer(row()), "--year", "2021")
    assert StationRecord.objects.get().at.year == 2021


def test_a_feed_of_strangers_alone_is_no_error(run):
    assert run(answer(row(name="别处")))[2] == ""
    assert not StationRecord.objects.exists()


def test_a_table_may_be_of_stations(run):
    run("断面,监测时间,氨氮\n甲断面,2025-01-06 08:00,0.3\n", "--automatic")
    assert StationRecord.objects.get().values == {"nh3n": "0.3"}


def test_json_says_what_changed(run):
    out = json.loads(run(CSV, "--json")[0])
    assert out["counts"]["taken"] == 1
    assert out["changes"] == [
        {"section": "甲断面", "at": "2025-01-06T12:00:00+08:00", "item": "nh3n", "old": "", "new": "0.3", "kind": "new"}
    ]


def test_standard_input(section, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(CSV.encode())))
    call_command("import_readings", "-", stdout=io.StringIO())
    assert Intake.objects.get().name == "标准输入"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "文件是空的"),
        (answer(row())[:-30], "不是完整的自动站数据"),
        ("<html>502</html>", "网页"),
        ('{"result":0,"tbody":[]}', "result=0"),
        ("a,b\n1,2\n", "没有找到表头"),
    ],
)
def test_a_file_of_no_use_is_one_sentence(run, content, said):
    out, err, fault = run(content)
    assert (out, err) == ("", "")
    assert fault.startswith("“一月.csv”没有导入：")
    assert said in fault


def test_a_file_that_is_not_there_is_one_sentence(section, tmp_path):
    with pytest.raises(CommandError, match="没有这个文件"):
        call_command("import_readings", "/nowhere/x.csv")
    with pytest.raises(CommandError, match="读不了文件"):
        call_command("import_readings", str(tmp_path))


def test_before_the_set_up_it_says_what_to_run(db, tmp_path):
    with pytest.raises(CommandError, match="load_region"):
        call_command("import_readings", str(tmp_path / "x"))


def test_a_dry_run_says_what_would_change_and_writes_nothing(run):
    run(CSV)
    before = Reading.objects.count(), Intake.objects.count(), TrailEvent.objects.count()
    changed = CSV.replace("0.3", "0.5") + "河津大桥,2024-12-06,断流\n"
    out, err, fault = run(changed, "--dry-run", "--reason", "实验室复核")
    assert out.splitlines() == [
        "变化　甲断面 2025-01-06 12:00 氨氮：0.3 → 0.5",
        "变化　河津大桥 2024-12 采样情况：（空） → 断流",
        "新增 0，更正 1，相同 0，重复 0，未监测说明 1，跳过 0，拒收 0。",
        "以上是核对结果，没有写入任何数据。",
    ]
    assert (err, fault) == ("", "")
    assert json.loads(run(changed, "--dry-run", "--reason", "实验室复核", "--json")[0])["counts"]["revised"] == 1
    assert run(changed, "--dry-run")[2] == "有1处错误，不能导入。"
    assert (Reading.objects.count(), Intake.objects.count(), TrailEvent.objects.count()) == before


def test_a_dry_run_of_a_feed_names_the_whole_run(run):
    out, _, fault = run(answer(row()), "--dry-run", name="feed.json")
    assert out.startswith("变化　河津大桥 ")
    assert ("整组：（空） → " in out, fault) == (True, "")
    assert not StationRecord.objects.exists()
