"""`manage.py evaluate`: a CSV in, a CSV out, whatever the file holds."""

import csv
import io
import os
import subprocess
import sys
from decimal import Decimal as D
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st

from monitoring import limits
from monitoring.cells import BadCell, Cell, read_cell
from monitoring.enums import WaterBody
from monitoring.evaluation import HEADER, Evaluation, read_lines
from tests.monitoring.test_limits import LOWER_LIMITS, hand_typed

TABLE = limits.table()
LABELS = ["Ⅰ", "Ⅱ", "Ⅲ", "Ⅳ", "Ⅴ", "劣Ⅴ"]
TINY = D("1e-9")


def evaluate(content: str | bytes, *flags) -> list[dict[str, str]]:
    """The rows the command writes for a file of this content."""
    return list(csv.DictReader(io.StringIO(written(content, *flags)[0])))


@pytest.fixture(autouse=True)
def _file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def written(content: str | bytes, *flags) -> tuple[str, str]:
    """What goes to stdout and to stderr."""
    Path("values.csv").write_bytes(content.encode() if isinstance(content, str) else content)
    out, err = io.StringIO(), io.StringIO()
    call_command("evaluate", "values.csv", *flags, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def one(**cells: str) -> dict[str, str]:
    """The result of a single row."""
    file = io.StringIO()
    csv.writer(file).writerows([cells.keys(), cells.values()])
    (row,) = evaluate(file.getvalue())
    return row


# ── What is judged ───────────────────────────────────────────────────────────────────────────────────────────────────
def test_one_row_out_for_one_row_in_and_in_order():
    rows = evaluate("water_body,nh3n,tp\nriver,0.1,0.02\nlake,0.1,0.02\n,0.3,0.05\nriver,1.2,0.2\nriver,9,0.2\n")
    assert [row["class"] for row in rows] == ["Ⅰ", "Ⅱ", "Ⅱ", "Ⅳ", "劣Ⅴ"]
    assert [row["rating"] for row in rows] == ["优", "优", "优", "轻度污染", "重度污染"]
    assert [row["deciding_items"] for row in rows] == ["氨氮、总磷", "总磷", "氨氮、总磷", "氨氮", "氨氮"]
    assert [row["main_pollutants"] for row in rows] == ["", "", "", "氨氮(0.2)", "氨氮(8.0)"]
    assert {row["error"] for row in rows} == {""}


def test_main_pollutants_as_published():
    row = one(f="1.6", cod="36", codmn="7.2", nh3n="0.2")
    assert row == {
        "class": "劣Ⅴ", "rating": "重度污染", "deciding_items": "氟化物",
        "main_pollutants": "氟化物(0.6)、化学需氧量(0.8)、高锰酸盐指数(0.2)", "error": "",
    }  # fmt: skip


def test_ph_and_oxygen_are_named_without_a_multiple_and_metals_lead():
    assert one(ph="9.1", do="1", cod="21")["main_pollutants"] == "pH值、溶解氧、化学需氧量(0.1)"
    assert one(cod="99", hg="0.0002", cn="0.3")["main_pollutants"] == "氰化物(0.5)、汞(1.0)、化学需氧量(4.0)"


def test_keys_instead_of_names_when_asked():
    (row,) = evaluate("nh3n,tp,do\n3,0.5,1\n", "--keys")
    assert (row["deciding_items"], row["main_pollutants"]) == ("do、nh3n、tp", "nh3n(2.0)、tp(1.5)、do")


def sides():
    """Both sides of every limit of every assessed item, as the file would write them, with the class found by counting."""
    for key, body, values in hand_typed():
        for value in {bound + step for bound in values for step in (-TINY, 0, TINY)}:
            violated = sum(value < bound if key in LOWER_LIMITS else value > bound for bound in values)
            yield body, key, f"{value:f}", LABELS[violated]
    for text, label in [("6", "Ⅰ"), ("9", "Ⅰ"), ("5.999999999", "劣Ⅴ"), ("9.000000001", "劣Ⅴ"), ("0", "劣Ⅴ"), ("14", "劣Ⅴ")]:
        yield "river", "ph", text, label


@pytest.mark.parametrize("key", [key for key in TABLE.order if TABLE.of(key, WaterBody.LAKE).is_assessed])
def test_both_sides_of_every_limit_without_rounding(key):
    cases = [(body, text, label) for body, other, text, label in sides() if other == key]
    assert cases
    content = f"water_body,{key}\n" + "".join(f"{body},{text}\n" for body, text, _ in cases)
    assert [(text, row["class"]) for (_, text, _), row in zip(cases, evaluate(content), strict=True)] == [
        (text, label) for _, text, label in cases
    ]


def test_never_rounds_however_many_digits():
    rows = evaluate(f"nh3n\n1.0{'0' * 60}\n1.0{'0' * 60}1\n0.{'9' * 60}\n")
    assert [row["class"] for row in rows] == ["Ⅲ", "Ⅳ", "Ⅲ"]


@pytest.mark.parametrize("body", WaterBody.values)
@pytest.mark.parametrize(("key", "text"), [("tn", "99"), ("fc", "999999"), ("water_temp", "35"), ("so4", "9999"), ("mn_metal", "5")])
def test_what_is_not_assessed_never_decides(body, key, text):
    for cell in (text, "--", "", "*"):
        row = one(water_body=body, nh3n="0.3", **{key: cell})
        assert (row["class"], row["deciding_items"], row["main_pollutants"], row["error"]) == ("Ⅱ", "氨氮", "", "")
    assert one(water_body=body, **{key: text})["class"] == ""


def test_a_frosty_water_temperature_is_no_fault():
    assert one(nh3n="0.3", water_temp="-0.5")["error"] == ""


def test_lakes_have_their_own_limits_of_phosphorus():
    assert [one(water_body=body, tp="0.1")["class"] for body in ("river", "lake", "", "LAKE", "湖库", " 河流 ")] == [
        "Ⅱ",
        "Ⅳ",
        "Ⅱ",
        "Ⅳ",
        "Ⅳ",
        "Ⅱ",
    ]


# ── Missing, not monitored, below detection ──────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("missing", ["", "--", " ", "－－", "——", "—"])
def test_missing_takes_the_class_away_and_is_no_fault(missing):
    assert one(nh3n="9", tp=missing) == dict.fromkeys(HEADER, "")


@pytest.mark.parametrize("absent", ["*", " * ", "＊"])
def test_not_monitored_is_left_out(absent):
    assert one(nh3n="0.3", tp=absent)["class"] == "Ⅱ"
    assert one(nh3n=absent, tp=absent) == dict.fromkeys(HEADER, "")


@given(st.sampled_from([key for key in TABLE.order if key != "nh3n"]))
def test_adding_an_item_that_is_not_monitored_changes_nothing(key):
    plain, more = (list(Evaluation(lines, TABLE)) for lines in (["nh3n\n", "1.2\n"], [f"{key},nh3n\n", "*,1.2\n"]))
    assert plain == more


@pytest.mark.parametrize("text", ["<0.3", "＜0.3", "< 0.3", "0.3L", "0.3l", "0.3 L"])
def test_below_detection_is_judged_by_half_the_limit(text):
    assert one(nh3n=text)["class"] == "Ⅰ"  # 0.15
    assert one(nh3n=text.replace("0.3", "0.302"))["class"] == "Ⅱ"  # 0.151


def test_a_cell_below_detection_keeps_its_limit():
    assert read_cell("0.05L", TABLE.of("nh3n")) == Cell(D("0.05"), is_below_detection=True)


# ── Bad cells ────────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("abc", "不是数值"),
        ("-0.1", "是负数"),
        ("0,5", "小数点用“.”"),
        ("1,000", "小数点用“.”"),
        ("NaN", "不是数值"),
        ("Infinity", "不是数值"),
        ("-inf", "不是数值"),
        ("1_0", "不是数值"),
        ("0x1F", "不是数值"),
        ("1.2.3", "不是数值"),
        ("1e9999999999", "不是数值"),
        ("1e9", "不可能"),
        ("٣", "不是数值"),
        ("0. 5", "不是数值"),
        ("3 mg/L", "带有单位"),
        ("3μg/L", "带有单位"),
        ("3µg/L", "带有单位"),
        (">2", "不是数值"),
        ("<", "不是数值"),
        ("L", "不是数值"),
        ("ND", "没有写明检出限"),
        ("未检出", "没有写明检出限"),
        ("#DIV/0!", "不是数值"),
        ("**", "不是数值"),
        ("=1+1", "不是数值"),
    ],
)
def test_a_bad_cell_is_named_with_its_value_and_how_to_mend_it(text, hint):
    row = one(nh3n=text, cod="25")
    assert row["error"].startswith(f"列“nh3n”的值“{text}”")
    assert hint in row["error"]


def test_the_others_of_a_row_with_a_bad_cell_are_judged_and_the_error_says_so():
    row = one(nh3n="abc", cod="25", tp="0.1")
    assert row == {
        "class": "Ⅳ", "rating": "轻度污染", "deciding_items": "化学需氧量", "main_pollutants": "化学需氧量(0.3)",
        "error": "列“nh3n”的值“abc”不是数值：填数字（mg/L），未监测填 *，缺测填 -- 或留空；类别只按其余指标评定",
    }  # fmt: skip


def test_a_bad_cell_beside_a_missing_one_leaves_no_class():
    row = one(nh3n="abc", cod="25", tp="--")
    assert [row[name] for name in HEADER[:-1]] == [""] * 4
    assert row["error"].startswith("列“nh3n”的值“abc”不是数值")
    assert "其余" not in row["error"]


def test_a_bad_cell_beside_what_is_not_monitored_leaves_no_class():
    row = one(nh3n="abc", cod="*", tn="3")
    assert (row["class"], "其余" in row["error"]) == ("", False)


@pytest.mark.parametrize(("text", "bad"), [("14", False), ("14.01", True), ("-0.01", True), ("0", False)])
def test_ph_lies_between_0_and_14(text, bad):
    assert ("不是pH值" in one(ph=text)["error"]) is bad


@pytest.mark.parametrize("key", ["ph", "do"])
def test_ph_and_oxygen_have_no_detection_limit(key):
    assert "没有低于检出限的写法" in one(**{key: "<2"})["error"]


def test_all_bad_cells_of_a_row_are_named_and_the_other_rows_judged():
    rows = evaluate("nh3n,tp\n0.3,0.05\nx,y\n0.3,0.05\n")
    assert [row["class"] for row in rows] == ["Ⅱ", "", "Ⅱ"]
    assert rows[1]["error"].count("不是数值") == 2
    assert "其余" not in rows[1]["error"]


def test_a_bad_cell_that_does_not_count_leaves_the_class():
    row = one(nh3n="0.3", tn="abc")
    assert row["class"] == "Ⅱ"
    assert row["error"] == "列“tn”的值“abc”不是数值：填数字（mg/L），未监测填 *，缺测填 -- 或留空"


def test_an_unknown_water_body_is_named():
    row = one(water_body="sea", nh3n="0.3")
    assert (row["class"], row["error"]) == ("", "列“water_body”的值“sea”不认识：填 river（河流）或 lake（湖库）")


@pytest.mark.parametrize(
    ("text", "value"),
    [("1.5e-3", "0.0015"), ("1E2", "100"), ("+0.5", "0.5"), (".5", "0.5"), ("5.", "5"), ("０．５", "0.5"), (" 0.5 ", "0.5"), ("-0", "0")],
)
def test_numbers_people_and_programs_write(text, value):
    assert read_cell(text, TABLE.of("nh3n")).value == D(value)


def test_a_long_or_wild_cell_is_repeated_in_short_and_on_one_line():
    row = one(nh3n="坏" * 500, tp="a\nb\x00")
    assert len(row["error"]) < 300
    assert "\n" not in row["error"]
    assert "\x00" not in row["error"]


# ── The file ─────────────────────────────────────────────────────────────────────────────────────────────────────────
SAMPLE = "断面,water_body,氨氮,总磷\n甲,river,0.3,0.15\n乙,lake,1.2,0.05\n"


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(SAMPLE.encode(), id="UTF-8"),
        pytest.param(SAMPLE.encode("utf-8-sig"), id="带BOM"),
        pytest.param(SAMPLE.encode("gbk"), id="GBK"),
        pytest.param(SAMPLE.encode("gb18030"), id="GB18030"),
        pytest.param(SAMPLE.encode("utf-16"), id="UTF-16"),
        pytest.param(SAMPLE.replace(",", "\t").encode("utf-16"), id="Excel的Unicode文本"),
        pytest.param(SAMPLE.replace("\n", "\r\n").encode(), id="CRLF"),
        pytest.param(SAMPLE.replace("\n", "\r").encode(), id="CR"),
        pytest.param(SAMPLE.replace(",", ";").encode(), id="分号"),
        pytest.param(SAMPLE.replace("0.3", '"0.3"').replace("氨氮", '"氨氮"').encode(), id="引号"),
        pytest.param(SAMPLE.replace(",", " , ").encode(), id="空格"),
        pytest.param(b"\n\n" + SAMPLE.encode() + b"\n\n", id="前后空行"),
        pytest.param(SAMPLE.replace("\n乙", "\n\n乙").encode(), id="中间空行"),
        pytest.param(SAMPLE.encode().rstrip(), id="末行无换行"),
        pytest.param(SAMPLE.replace("0.15", "0.15,,").encode(), id="行末多出空格子"),
        pytest.param(SAMPLE.replace("氨氮", "NH3-N").replace("总磷", "TP(mg/L)").encode(), id="别名和单位"),
        pytest.param(SAMPLE.replace("氨氮", "氨氮(NH3-N)").replace("总磷", "总磷（mg/L）").encode(), id="全角括号"),
    ],
)
def test_any_ordinary_file_is_read(content):
    assert [(row["class"], row["error"]) for row in evaluate(content)] == [("Ⅲ", ""), ("Ⅳ", "")]


@pytest.mark.parametrize("key", TABLE.items)
@pytest.mark.parametrize("encoding", ["utf-8", "gbk"])
def test_every_item_is_known_by_its_name_alone_in_both_encodings(key, encoding):
    """Lines are decoded one by one, and the bytes of 铅, 铜, 锌 and 值 in GBK pass for UTF-8."""
    item = TABLE.items[key]
    for heading in (item.name.split("(")[0], f"{item.name.split('(')[0]}({item.unit})"):
        with io.BufferedReader(io.BytesIO(f'"{heading}"\nx\n'.encode(encoding, "replace"))) as stream:
            evaluation = Evaluation(read_lines(stream), TABLE)
            (row,) = evaluation
        assert list(evaluation.items.values()) == [key]
        assert "不是数值" in row[-1]


def test_a_damaged_byte_harms_its_own_row_only():
    rows = evaluate(b"nh3n,tp\n0.3,0.05\n0.3,\xff\xfe0\n0.3,0.05\n")
    assert [row["class"] for row in rows] == ["Ⅱ", "Ⅱ", "Ⅱ"]
    assert [bool(row["error"]) for row in rows] == [False, True, False]
    assert "列“tp”" in rows[1]["error"]


@pytest.mark.parametrize("content", ["", "\n", "nh3n,tp\n", "﻿nh3n\n", "water_body\n"])
def test_no_rows_give_the_heading_alone(content):
    assert written(content)[0] == "class,rating,deciding_items,main_pollutants,error\n"


def test_a_table_of_one_column_may_have_an_empty_cell():
    assert [row["class"] for row in evaluate("nh3n\n0.3\n\n1.2\n")] == ["Ⅱ", "", "Ⅳ"]


def test_unknown_columns_are_left_out_and_said_on_stderr():
    out, err = written("断面,nh3-n2,nh3n\n甲,9,0.3\n")
    assert out.splitlines()[1] == "Ⅱ,优,氨氮,,"
    assert err.splitlines() == ["提示：不认识的列“断面”没有参评。", "提示：不认识的列“nh3-n2”没有参评，是不是“nh3n”？"]


def test_a_file_without_a_known_item_says_which_there_are():
    out, err = written("a,b\n1,2\n")
    assert out.splitlines()[1:] == [",,,,"]
    assert "表头里没有可评价的指标：列名用 ph、do、codmn" in err


def test_a_column_in_another_unit_is_a_fault_of_every_row_and_the_others_are_judged():
    rows = evaluate("nh3n,hg(μg/L)\n0.3,0.05\n1.2,0.05\n")
    assert [row["class"] for row in rows] == ["Ⅱ", "Ⅳ"]
    assert {row["error"] for row in rows} == {"列“hg(μg/L)”的单位须为mg/L：换算后再评价；类别只按其余指标评定"}


def test_a_column_in_another_unit_that_never_decides_is_said_and_leaves_the_class():
    (row,) = evaluate("nh3n,fe(μg/L)\n0.3,50\n")
    assert (row["class"], row["error"]) == ("Ⅱ", "列“fe(μg/L)”的单位须为mg/L：换算后再评价")


@pytest.mark.parametrize("heading", ["氨氮(mg/L)", "氨氮（以N计，mg/L）", "nh3n(月均值)", "氨氮(NH3-N)", "NH3N (mg/l)"])
def test_a_heading_may_explain_itself(heading):
    (row,) = evaluate(f'"{heading}"\n1.2\n')
    assert (row["class"], row["error"]) == ("Ⅳ", "")


@pytest.mark.parametrize("second", ["nh3n", "NH3N", "氨氮"])
def test_an_item_in_two_columns_is_left_out_and_said(second):
    (row,) = evaluate(f"nh3n,tp,{second}\n0.3,0.15,9\n")
    assert (row["class"], row["error"]) == ("Ⅲ", "氨氮有2列，不知用哪一列：只留一列；类别只按其余指标评定")


def test_water_body_in_two_columns_is_refused():
    (row,) = evaluate("water_body,nh3n,water_body\nriver,0.3,lake\n")
    assert (row["class"], row["error"][:20]) == ("", "列“water_body”有2列，不知用哪一列"[:20])


def test_a_row_longer_than_the_heading_is_not_guessed_at():
    rows = evaluate("nh3n,tp\n0,3,0.05\n0.3,0.05\n")
    assert [row["class"] for row in rows] == ["", "Ⅱ"]
    assert rows[0]["error"].startswith("本行有3格，表头只有2列")


def test_a_row_shorter_than_the_heading_is_missing_what_it_lacks():
    rows = evaluate("nh3n,tp,备注\n0.3\n0.3,0.05\n")
    assert [row["class"] for row in rows] == ["", "Ⅱ"]
    assert rows[0]["error"] == "本行只有1格，表头有3列，按缺测处理：tp"
    assert rows[1]["error"] == ""


def test_an_open_quote_is_said_and_the_rows_before_stand():
    rows = evaluate('nh3n,tp\n0.3,0.05\n0.3,"0.05\n0.3,0.05\n')
    assert [row["class"] for row in rows] == ["Ⅱ", ""]
    assert rows[1]["error"] == "到文件第4行为止读不成表格：检查引号是否成对、是否缺逗号"


def test_a_cell_beyond_all_measure_breaks_its_row_only():
    rows = evaluate("nh3n,tp\n0.3," + "1" * 200_000 + "\n0.3,0.05\n")
    assert [row["class"] for row in rows] == ["", "Ⅱ"]
    assert "读不成表格" in rows[0]["error"]


@given(st.binary(max_size=200))
def test_no_bytes_at_all_bring_it_down(content):
    found = list(Evaluation(read_lines(io.BufferedReader(io.BytesIO(b"nh3n,tp\n" + content))), TABLE))
    assert all(len(row) == len(HEADER) and row[0] in ["", *LABELS] for row in found)


@given(st.text(max_size=12), st.sampled_from(sorted(TABLE.items)))
def test_no_text_at_all_brings_a_cell_down(text, key):
    try:
        cell = read_cell(text, TABLE.items[key])
    except BadCell as fault:
        assert str(fault)  # noqa: PT017 - either a reason, or a value
    else:
        assert cell.value is None or cell.value.is_finite()


@given(st.lists(st.tuples(st.decimals(0, 3, places=2), st.decimals(0, 1, places=3)), max_size=40))
def test_a_row_has_the_same_result_alone_and_among_others(rows):
    """What is remembered from one row never colours another."""
    lines = [f"{nh3n:f},{tp:f}\n" for nh3n, tp in rows]
    together = list(Evaluation(["nh3n,tp\n", *lines], TABLE))
    assert together == [found for line in lines for found in Evaluation(["nh3n,tp\n", line], TABLE)]


def test_remembering_is_bounded(monkeypatch):
    monkeypatch.setattr("monitoring.evaluation._ROOM", 10)
    evaluation = Evaluation(["nh3n\n", *(f"0.{n:04}\n" for n in range(1, 400))], TABLE)
    assert {row[0] for row in evaluation} == {"Ⅰ"}
    assert all(len(column) <= 10 for column in evaluation.columns["river"])


def test_rows_come_out_while_rows_go_in():
    """A file of any size runs through; nothing waits for its end."""

    def lines():
        yield "nh3n\n"
        yield "0.3\n"
        yield "1.2\n"
        raise AssertionError("read further than asked")

    rows = iter(Evaluation(lines(), TABLE))
    assert next(rows)[0] == "Ⅱ"


# ── The command itself ───────────────────────────────────────────────────────────────────────────────────────────────
def test_files_that_cannot_be_read_are_named(tmp_path):
    with pytest.raises(CommandError, match="没有这个文件"):
        call_command("evaluate", "absent.csv")
    with pytest.raises(CommandError, match="是文件夹：请指定其中的一个 CSV 文件"):
        call_command("evaluate", str(tmp_path))
    (tmp_path / "book.csv").write_bytes(b"PK\x03\x04...")
    with pytest.raises(CommandError, match="另存为 CSV"):
        call_command("evaluate", "book.csv")


def test_as_a_program_it_exits_0_and_writes_utf8_in_any_locale(tmp_path):
    (tmp_path / "values.csv").write_text("nh3n\n9\nx\n", encoding="utf-8")
    environment = os.environ | {"DATA_DIR": str(tmp_path), "PYTHONIOENCODING": "ascii", "DJANGO_SETTINGS_MODULE": "linfen_water.settings"}
    done = subprocess.run(
        [sys.executable, settings.BASE_DIR / "manage.py", "evaluate", "values.csv"], env=environment, capture_output=True, check=True
    )
    assert done.stdout.decode().splitlines()[:2] == ["class,rating,deciding_items,main_pollutants,error", "劣Ⅴ,重度污染,氨氮,氨氮(8.0),"]
    assert done.stderr == b""
