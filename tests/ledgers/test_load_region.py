"""`load_region`: rows follow the pack, every fault is reported at once with its place, a repeat changes nothing."""

import json
import shutil
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from linfen_water import policy
from linfen_water.enums import CountyKind
from linfen_water.models import County, Domain, Policy, Region, TrailEvent, Unit, User
from monitoring.enums import Level, WaterBody
from monitoring.models import River, Section
from projects.regions import pack

pytestmark = pytest.mark.django_db

TINY = Path(__file__).parent.parent / "regions" / "tiny"
MODELS = (Region, County, Domain, Unit, River, Section, Policy, TrailEvent, User)


@pytest.fixture
def folder(tmp_path):
    """A copy of the tiny pack that a test may spoil."""
    return Path(shutil.copytree(TINY, tmp_path / "tiny"))


def replace(folder, name, old, new):
    path = folder / name
    content = path.read_text(encoding="utf-8")
    assert old in content
    path.write_text(content.replace(old, new), encoding="utf-8")


def rows() -> list:
    return [list(model.objects.order_by("pk").values()) for model in MODELS]


def test_the_shipped_region_is_loaded_whole(capsys):
    call_command("load_region", "linfen")
    region = Region.objects.get()
    assert (region.name, region.programme, region.is_demo) == ("临汾市", "一泓清水入黄河", False)
    assert list(County.objects.values_list("kind", flat=True)).count(CountyKind.COUNTY) == 17
    assert County.objects.filter(kind=CountyKind.ZONE).count() == 1
    assert County.objects.first().name == "尧都区"
    assert [d.name for d in Domain.objects.all()] == ["生态环境", "水利", "城管", "住建", "规自", "商务"]
    assert Section.objects.national().count() == 9
    assert set(Section.objects.exclude(level=Level.NATIONAL).values_list("level", flat=True)) == {Level.OTHER}
    assert River.objects.get(name="洰河").parent.parent == River.objects.get(name="汾河")
    assert not User.objects.exists()
    assert "新增85行" in capsys.readouterr().out


def test_sections_stand_in_the_order_in_which_the_river_meets_them():
    call_command("load_region", "linfen")
    fen = Section.objects.filter(river__name="汾河").order_by("order_along").values_list("name", flat=True)
    assert list(fen) == ["北益昌桥南", "天井", "临汾", "下靳桥", "柴庄", "北庄", "上平望"]
    hui = Section.objects.filter(river__name="浍河").order_by("order_along").values_list("name", flat=True)
    assert list(hui) == ["小韩村", "西曲村"]


def test_another_city_needs_no_code():
    call_command("load_region", str(TINY))
    region = Region.objects.get()
    assert (region.name, region.programme) == ("虚拟市", "清渠入湖")
    assert region.settings["wall"]["crs"] == "EPSG:32650"
    assert (County.objects.count(), Domain.objects.count(), Unit.objects.count(), Section.objects.count()) == (4, 2, 7, 2)
    assert Section.objects.get(name="甲闸").x_items == ["cod", "f"]
    lake = Section.objects.get(name="丙湖心")
    assert (lake.water_body, lake.level, lake.in_force_from) == (WaterBody.LAKE, Level.OTHER, None)
    assert 70 < lake.order_along < 80  # km from the source, by the pack's own projection
    assert policy.values_on(region.demo_on or policy.dt.date(2025, 1, 1)).behind_points == 15


def test_loading_twice_changes_nothing():
    call_command("load_region", str(TINY))
    before = rows()
    call_command("load_region", str(TINY))
    assert rows() == before


def test_a_change_in_the_pack_is_followed_and_leaves_a_trail(folder, capsys):
    call_command("load_region", str(folder))
    replace(folder, "units.csv", "虚拟市水务局", "虚拟市水利局")
    call_command("load_region", str(folder))
    assert Unit.objects.get(code="sl").name == "虚拟市水利局"
    assert TrailEvent.objects.filter(action="region.load").last().changes == {"created": [0, 0], "changed": [0, 1]}
    assert "更新1行" in capsys.readouterr().out


def test_what_vanishes_from_the_pack_is_kept_and_named(folder, capsys):
    call_command("load_region", str(folder))
    replace(folder, "sections.csv", "丙湖心,清渠,990103,other,lake,119.80,31.14,,,invented\n", "")
    call_command("load_region", str(folder))
    assert Section.objects.filter(name="丙湖心").exists()
    assert "库中保留（不删除）：断面“丙湖心”" in capsys.readouterr().out


def test_a_column_that_the_pack_does_not_have_is_left_alone(folder):
    call_command("load_region", str(folder))
    Section.objects.filter(name="甲闸").update(coord_quality="现场核实")
    call_command("load_region", str(folder))
    assert Section.objects.get(name="甲闸").coord_quality == "现场核实"


def test_a_second_region_is_refused():
    call_command("load_region", str(TINY))
    with pytest.raises(CommandError, match="数据库已用于“虚拟市”"):
        call_command("load_region", "linfen")
    assert Region.objects.count() == 1


def test_every_fault_is_reported_at_once_and_nothing_is_written(folder):
    replace(folder, "counties.csv", "990102,中乙县,中乙,county,119.45", "990101,中乙县,中乙,town,一百度")
    replace(folder, "units.csv", "sl,虚拟市水务局,department,水务", "sl,虚拟市水务局,department,商务")
    replace(folder, "sections.csv", "甲闸,清渠", "甲闸,浊渠")
    replace(folder, "sections.csv", "cod f", "cod 铀")
    replace(folder, "region.json", "EPSG:32650", "EPSG:0")
    replace(folder, "region.json", "behind_points", "behind_feet")
    with pytest.raises(CommandError) as caught:
        call_command("load_region", str(folder))
    text = str(caught.value)
    assert "未写入任何数据" in text
    for fault in (
        "counties.csv 第3行“kind”：“town”不在 county、zone 之中。",
        "counties.csv 第3行“seat_lon”：“一百度”不是经纬度（WGS84，十进制度）。",
        "counties.csv 第3行：“990101”与counties.csv 第2行重复。",
        "counties.geojson 第2个要素“990102”：counties.csv 中没有这个代码。",
        "units.csv 第4行“domain”：“商务”不在 region.json 的 domains 中。",
        "units.csv：领域“水务”应有且只有一个牵头部门，现有0个。",
        "sections.csv 第2行“river”：rivers.geojson 中没有“浊渠”。",
        "sections.csv 第2行“x_items”：标准中没有指标 铀。",
        "region.json“wall.crs”：应为投影坐标系的代号，如 EPSG:4546。",
        "region.json“policy.behind_feet”：没有这一项。",
    ):
        assert fault in text, fault
    assert not any(rows())


@pytest.mark.parametrize(
    ("name", "content", "fault"),
    [
        ("counties.csv", None, "counties.csv：文件不存在。"),
        ("sections.csv", b"\xb6\xcf\xc3\xe6", "sections.csv：不是 UTF-8 编码的文本。"),
        ("units.csv", b"code,name\n", "units.csv 第1行：缺少列 kind、domain、county_code。"),
        ("region.json", b'{"slug": "x",\n oops}', "region.json 第2行：不是有效的 JSON"),
        ("rivers.geojson", b"[]", "rivers.geojson：最外层应为对象。"),
        ("counties.geojson", b'{"features":[{"properties":{"adcode":"990101"},"geometry":null}]}', "第1个要素“990101”：几何应为"),
        ("counties.geojson", b'{"features":[{"properties":{}}]}', "counties.geojson 第1个要素：缺少属性 adcode。"),
        (
            "counties.csv",
            b"code,name,short,kind,seat_lon,seat_lat\n" + "1,甲,甲,county,1,1,9,9\n".encode(),
            "counties.csv 第2行：比表头多2格",
        ),
    ],
    ids=["缺文件", "不是UTF-8", "缺列", "坏JSON", "不是对象", "没有几何", "没有属性", "多出的格"],
)
def test_a_broken_file_is_named(folder, name, content, fault):
    path = folder / name
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(CommandError, match="未写入任何数据") as caught:
        call_command("load_region", str(folder))
    assert fault in str(caught.value)
    assert not any(rows())


def test_counter_clockwise_outlines_are_refused(folder):
    path = folder / "counties.geojson"
    data = json.loads(path.read_text(encoding="utf-8"))
    data["features"][0]["geometry"]["coordinates"][0].reverse()
    path.write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(pack.PackFaults, match="“990101”：外环应为顺时针"):
        pack.read(folder)


def test_rivers_that_flow_in_a_circle_are_refused(folder):
    replace(folder, "rivers.geojson", '"parent": ""', '"parent": "支渠"')
    with pytest.raises(pack.PackFaults, match="“支渠”：汇入关系成环"):
        pack.read(folder)


def test_an_unknown_pack_is_named():
    with pytest.raises(CommandError, match="找不到区域包“atlantis”"):
        call_command("load_region", "atlantis")


def test_a_file_with_a_byte_order_mark_is_read(folder):
    path = folder / "units.csv"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert pack.read(folder).units[0]["code"] == "zb"
