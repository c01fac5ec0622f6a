"""The national feed is read whatever it looks like, and nothing hostile in it does harm."""

import contextlib
import datetime as dt
import json

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from monitoring.enums import CellFlag, StationState, WaterClass
from monitoring.intake import BadFile, feed
from monitoring.models import Section

pytestmark = pytest.mark.once

HEAD = ["省份", "流域", "断面名称", "监测时间", "水质类别", "水温(℃)", "pH(无量纲)", "溶解氧(mg/L)", "电导率(μS/cm)", "浊度(NTU)",
        "高锰酸盐指数(mg/L)", "氨氮(mg/L)", "总磷(mg/L)", "总氮(mg/L)", "叶绿素α(mg/L)", "藻密度(cells/L)", "站点情况"]  # fmt: skip
NAME = "<span data-toggle='tooltip' title='所在地市:运城市&#10;所属河流:汾河'>河津大桥</span>"
CELLS = {
    "省份": "山西省", "流域": "黄河流域", "断面名称": NAME, "监测时间": "02-20 08:00", "水质类别": "Ⅳ", "水温(℃)": "4.1",
    "pH(无量纲)": "<span title='原始值：8.1234'>8.12</span>", "溶解氧(mg/L)": '<span title="原始值：10.0036">10.00</span>',
    "电导率(μS/cm)": "1234.5", "浊度(NTU)": "<span title='原始值：12.34'>12.3</span>", "高锰酸盐指数(mg/L)": "5.2", "氨氮(mg/L)": "1.204",
    "总磷(mg/L)": "0.105", "总氮(mg/L)": "6.02", "叶绿素α(mg/L)": "*", "藻密度(cells/L)": "*", "站点情况": "正常",
}  # fmt: skip
KEYS = dict(zip(HEAD, feed.ORDER, strict=True))
NOW = timezone.make_aware(dt.datetime(2025, 2, 20, 23, 59))
SECTION = Section(pk=1, name="河津大桥")


def row(**more):
    """One row of the feed; `more` by column key."""
    return [more.get(KEYS[heading], cell) for heading, cell in CELLS.items()]


def answer(*rows, head=HEAD, **more):
    return json.dumps({"result": 1, "total": 1, "records": len(rows), "thead": head, "tbody": list(rows)} | more, ensure_ascii=False)


def read(data, now=NOW, year=None, stations=None):
    return feed.read_feed(data, now=now, year=year, stations=stations or feed.StationIndex([SECTION], "山西省"))


def only(*rows, **more):
    batch = read(answer(*rows), **more)
    assert not batch.errors
    return batch.runs


def refused(**more):
    batch = read(answer(row(**more), row(time="02-20 12:00")))
    (error,) = batch.errors
    assert [run.place for run in batch.runs] == ["第2条"]  # the others go on
    assert error.row == 1
    return error.column, error.reason


def test_a_row_becomes_a_run_with_raw_values():
    (run,) = only(row())
    assert run.section is SECTION
    assert timezone.localtime(run.at).isoformat() == "2025-02-20T08:00:00+08:00"
    assert run.values == {
        "water_temp": "4.1", "ph": "8.1234", "do": "10.0036", "conductivity": "1234.5", "turbidity": "12.34",
        "codmn": "5.2", "nh3n": "1.204", "tp": "0.105", "tn": "6.02",
    }  # fmt: skip
    assert (run.flags, run.state, run.feed_class) == ({}, StationState.NORMAL, WaterClass.IV)


@pytest.mark.parametrize(
    ("cell", "value", "flag"),
    [
        pytest.param("2.00", "2.00", None, id="裸值"),
        pytest.param(2.5, "2.5", None, id="JSON数字"),
        pytest.param("<span title='原始值：2.0036'>2.00</span>", "2.0036", None, id="单引号"),
        pytest.param('<span title="原始值：2.0036">2.00</span>', "2.0036", None, id="双引号"),
        pytest.param("<span title='原始值:2.0036'>2.00</span>", "2.0036", None, id="半角冒号"),
        pytest.param("<span class=x title='原始值：2.0036' style='color:red'>2.00</span>", "2.0036", None, id="别的属性"),
        pytest.param("<b><span title='原始值：2.0036'>2.00</span></b>", "2.0036", None, id="嵌套标签"),
        pytest.param("２．５", "2.5", None, id="全角"),
        pytest.param("2.5e-1", "0.25", None, id="科学记数"),
        pytest.param("<script>alert(1)</script>2.5", "2.5", None, id="脚本只当没有"),
        pytest.param("--", None, CellFlag.MISSING, id="缺测"),
        pytest.param("", None, CellFlag.MISSING, id="空"),
        pytest.param(None, None, CellFlag.MISSING, id="null"),
        pytest.param("<span title='极值过滤'>--</span>", None, CellFlag.EXTREME, id="极值过滤"),
        pytest.param("*", None, None, id="不监测"),
        pytest.param("<span title=''>*</span>", None, None, id="标签里不监测"),
    ],
)
def test_cells_of_every_form(cell, value, flag):
    (run,) = only(row(codmn=cell))
    assert (run.values.get("codmn"), run.flags.get("codmn")) == (value, flag)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ⅰ", 1),
        ("Ⅱ", 2),
        ("Ⅲ类", 3),
        ("Ⅳ", 4),
        ("IV", 4),
        ("iv", 4),
        ("Ⅴ", 5),
        ("V", 5),
        ("劣Ⅴ", 6),
        ("劣V", 6),
        ("劣Ⅴ类", 6),
        ("", None),
        ("-", None),
        ("--", None),
        ("*", None),
        (None, None),
    ],
)
def test_classes_of_every_form(text, expected):
    (run,) = only(row(**{"class": text}))
    assert run.feed_class == expected


@pytest.mark.parametrize(
    ("text", "expected"), [("正常", "normal"), ("维护", "maintenance"), ("停站", "stopped"), ("", "unknown"), ("换机", "unknown")]
)
def test_states_of_a_station(text, expected):
    assert only(row(state=text))[0].state == expected


@pytest.mark.parametrize(
    ("now", "text", "expected"),
    [
        pytest.param("2025-01-01 01:00", "12-31 20:00", "2024-12-31 20:00", id="元旦读到除夕"),
        pytest.param("2025-01-01 01:00", "01-01 00:00", "2025-01-01 00:00", id="元旦"),
        pytest.param("2024-12-31 23:00", "12-31 20:00", "2024-12-31 20:00", id="除夕"),
        pytest.param("2025-02-20 08:00", "02-20 08:00", "2025-02-20 08:00", id="刚好到点"),
        pytest.param("2025-02-20 07:59", "02-20 08:00", "2024-02-20 08:00", id="还没到点"),
        pytest.param("2025-03-01 08:00", "02-29 08:00", "2024-02-29 08:00", id="闰日"),
        pytest.param("2101-03-01 08:00", "02-29 08:00", "2096-02-29 08:00", id="隔八年的闰日"),
        pytest.param("2025-02-20 08:00", "2023-05-01 04:00", "2023-05-01 04:00", id="写了年份"),
    ],
)
def test_the_year_is_the_latest_that_puts_nothing_in_the_future(now, text, expected):
    (run,) = only(row(time=text), now=timezone.make_aware(dt.datetime.fromisoformat(now)))
    assert f"{timezone.localtime(run.at):%Y-%m-%d %H:%M}" == expected


def test_a_file_read_at_new_year_holds_two_years():
    runs = only(row(time="12-31 20:00"), row(time="01-01 00:00"), now=timezone.make_aware(dt.datetime(2025, 1, 1, 2)))
    assert [timezone.localtime(run.at).year for run in runs] == [2024, 2025]


@pytest.mark.parametrize(
    ("year", "text", "reason"),
    [
        (2023, "02-29 08:00", "2023年没有这个时间"),
        (2025, "12-31 20:00", "2025年的这个时间还没有到：请核对年份"),
        (None, "02-30 08:00", "没有这个时间"),
        (None, "昨天", "不是监测时间：应为“月-日 时:分”"),
        (None, "02-20 25:00", "没有这个时间"),
    ],
)
def test_times_that_cannot_be(year, text, reason):
    batch = read(answer(row(time=text)), year=year)
    assert [(error.column, error.reason) for error in batch.errors] == [("监测时间", reason)]


def test_a_given_year_holds():
    assert timezone.localtime(only(row(), year=2021)[0].at).year == 2021


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("ph", "700"), ("ph", 700), ("nh3n", "-1"), ("nh3n", "1e400"), ("nh3n", "NaN"), ("nh3n", "Infinity"), ("nh3n", "1,2"),
        ("nh3n", "<span title='原始值：-5'>2</span>"), ("nh3n", "<img src=x onerror=alert(1)>很多"), ("turbidity", "1e99"),
        ("water_temp", "-999"),
        ("class", "Ⅶ"), ("time", ""), ("codmn", ["1"]), ("codmn", {"a": 1}), ("codmn", "9" * 5000), ("codmn", "<" * 5000),
    ],
)  # fmt: skip
def test_an_absurd_cell_refuses_its_row_alone(column, cell):
    said, reason = refused(**{column: cell})
    assert reason
    assert said or column == "codmn"


def test_numbers_that_json_itself_forbids_refuse_their_row_alone():
    data = answer(row(nh3n="X"), row(time="02-20 12:00")).replace('"X"', "NaN")
    assert [error.column for error in read(data).errors] == ["氨氮"]
    data = answer(row(nh3n="X"), row(time="02-20 12:00")).replace('"X"', "1e400")
    batch = read(data)
    assert (len(batch.errors), len(batch.runs)) == (1, 1)


@pytest.mark.parametrize("cells", [[], ["山西省"], CELLS, "x", None, 7, row() + ["多一格"]], ids=str)
def test_a_row_of_another_shape_is_refused_alone(cells):
    batch = read(answer(cells, row()))
    assert (len(batch.errors), len(batch.runs)) == (1, 1)


def test_other_stations_are_skipped_whatever_they_hold():
    batch = read(answer(row(name="别处", ph="700"), row(province="河南省"), row()))
    assert [(one.row, one.value, one.reason) for one in batch.skipped] == [
        (1, "别处", "不是本系统的断面"),
        (2, "河津大桥", "不是本系统的断面"),
    ]
    assert (len(batch.runs), batch.errors) == (1, [])


def test_one_name_in_two_provinces_is_told_apart_by_the_province():
    ours, theirs = Section(pk=1, name="石桥"), Section(pk=2, name="豫石桥", station_name="石桥", station_province="河南")
    runs = only(row(name="石桥"), row(name="石桥", province="河南省"), stations=feed.StationIndex([ours, theirs], "山西"))
    assert [run.section for run in runs] == [ours, theirs]


def test_one_name_in_two_provinces_is_refused_when_nobody_said_which():
    batch = read(answer(row(), row(province="河南省")), stations=feed.StationIndex([SECTION]))
    assert [error.reason for error in batch.errors] == ["文件里有两个省的同名断面：请在断面设置中填写自动站省份"] * 2
    assert [run.section for run in only(row(), stations=feed.StationIndex([SECTION]))] == [SECTION]


def test_a_stopped_station_without_a_time_is_skipped():
    batch = read(answer(row(time="--", state="停站")))
    assert [one.reason for one in batch.skipped] == ["没有监测时间（停站）"]


def test_columns_are_found_by_their_names():
    head, cells = HEAD[::-1], row()[::-1]
    assert read(answer(cells, head=head)).runs == read(answer(row())).runs


@pytest.mark.parametrize("head", [None, [], ["a"] * 17, {}], ids=str)
def test_without_a_known_head_the_order_laid_down_counts(head):
    assert read(answer(row(), head=head)).runs == read(answer(row())).runs


def test_a_column_that_is_not_known_is_passed_over():
    assert only(row())[0] == read(answer([*row(), "新列"], head=[*HEAD, "蓝藻"])).runs[0]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_encodings(encoding):
    assert len(read(answer(row()).encode(encoding)).runs) == 1


@pytest.mark.parametrize(
    ("data", "said"),
    [
        pytest.param(answer(row())[:-40], "不是完整的", id="没有下载完"),
        pytest.param(b"", "空的", id="空文件"),
        pytest.param("<html><body>502 Bad Gateway</body></html>", "网页", id="网页"),
        pytest.param("[]", "须有 result", id="列表"),
        pytest.param("7", "须有 result", id="数字"),
        pytest.param('{"result":1}', "须有 result", id="没有tbody"),
        pytest.param('{"result":1,"thead":[],"tbody":{}}', "须有 result", id="tbody不是列表"),
        pytest.param('{"result":0,"tbody":[]}', "result=0", id="平台拒答"),
        pytest.param("[" * 100_000, "不是完整的", id="嵌套过深"),
        pytest.param('{"a":' * 100_000, "不是完整的", id="对象嵌套过深"),
        pytest.param("[" * 2_000_001, "条数过多", id="括号炸弹"),
        pytest.param(b"\xff\xfe\x00\xd8", "不是完整的", id="坏编码"),
        pytest.param(b"\x81" * 99, "不是完整的", id="乱码"),
        pytest.param(answer(row(), head=[*HEAD[:2], "站", *HEAD[3:]]), "表头缺少断面名称", id="没有断面列"),
        pytest.param(answer(row(), head=[*HEAD[:-1], "pH"]), "出现了两次", id="两个pH"),
        pytest.param(answer(row(), head=[*HEAD[:11], "氨氮(μg/L)", *HEAD[12:]]), "单位须为mg/L", id="单位不对"),
    ],
)
def test_a_file_of_no_use_is_refused_with_one_sentence(data, said):
    with pytest.raises(BadFile, match=said):
        read(data)


def test_a_huge_file_is_refused_unread():
    with pytest.raises(BadFile, match="超过 20 MB"):
        read(b"x" * (feed.LARGEST + 1))


def test_an_empty_answer_is_an_empty_batch():
    batch = read(answer())
    assert (batch.runs, batch.errors, batch.is_feed) == ([], [], True)


CELL = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=12),
    st.text("<>'\"/=&;:： spantile原始值0123456789.-*", max_size=40),
    st.lists(st.none(), max_size=2),
    st.sampled_from([cell for cell in CELLS.values() if isinstance(cell, str)]),
)


@given(st.lists(st.lists(CELL, min_size=16, max_size=18), max_size=4))
def test_whatever_stands_in_the_cells_every_row_is_a_run_a_fault_or_skipped(rows):
    batch = read(answer(*rows))
    assert len(batch.runs) + len(batch.errors) + len(batch.skipped) == len(rows)


ANSWERS = st.recursive(
    CELL, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["result", "thead", "tbody", "x"]), inner)
)


@given(ANSWERS)
def test_whatever_json_it_is_it_is_read_or_refused(data):
    with contextlib.suppress(BadFile):
        assert read(json.dumps(data)).is_feed


@pytest.mark.parametrize("column", ["name", "time", "class", "state", "nh3n"])
def test_html_without_end_is_refused_before_it_is_read(column, monkeypatch):
    monkeypatch.setattr(feed._Words, "feed", lambda self, text: pytest.fail("read"))
    batch = read(answer([cell if KEYS[heading] != column else "<a " * 200 for heading, cell in zip(HEAD, PLAIN, strict=True)]))
    ((fault),) = batch.errors
    assert (fault.row, fault.reason) == (1, feed.TOO_LONG)


PLAIN = ["山西省", "黄河流域", "河津大桥", "02-20 08:00", "Ⅳ", *["1"] * 11, "正常"]


def test_a_value_smaller_than_any_instrument_tells_is_refused():
    assert refused(nh3n="0." + "0" * 15 + "1") == ("氨氮", "小得不可能：请核对原始记录")
    assert refused(nh3n="1e-400")[1] == "小得不可能：请核对原始记录"
    assert only(row(nh3n="0.000000000000001"))[0].values["nh3n"] == "0.000000000000001"


def test_a_time_before_there_were_limits_is_refused():
    assert refused(time="2002-05-31 20:00") == ("监测时间", "年份太早：请核对")
