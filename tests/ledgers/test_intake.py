import datetime as dt
import html
import io
import json
import os
import re
import zipfile
from decimal import Decimal
from urllib.parse import unquote

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from ledgers import intake
from ledgers.intake_models import IntakeFile
from ledgers.registry import LEDGERS
from linfen_water import kept_files, tabular, trail, workbook
from linfen_water.models import TrailEvent
from linfen_water.workbook import BadWorkbook, Broken, read_workbook
from projects.models import ProjectVersion
from tests.factories import (
    TODAY,
    CountyFactory,
    PermitFactory,
    ProblemFactory,
    ProjectFactory,
    RegionFactory,
    UnitFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db
URL = "/ledgers/master/import/"


@pytest.fixture(autouse=True)
def region():
    return RegionFactory()


@pytest.fixture(autouse=True)
def media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"
    return settings.MEDIA_ROOT


@pytest.fixture
def office(client):
    client.force_login(UserFactory(username="office"))
    return client


def book(*rows, title="工程总台账") -> bytes:
    """A workbook of these rows."""
    made = openpyxl.Workbook()
    made.active.title = title
    for row in rows:
        made.active.append(row)
    return saved(made)


def saved(made) -> bytes:
    file = io.BytesIO()
    made.save(file)
    return file.getvalue()


def packed(parts: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return file.getvalue()


def unpacked(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rehearse(*rows) -> intake.Rehearsal:
    return intake.rehearse(read_workbook(book(*rows)), reason="批复")


def changes(rehearsal) -> list[tuple]:
    return [(c.row, c.key, c.column, c.old, c.new) for c in rehearsal.changes]


def one_error(rehearsal) -> tuple:
    assert len(rehearsal.errors) == 1, rehearsal.errors
    error = rehearsal.errors[0]
    return error.row, error.column, error.value


def fault_of(data: bytes) -> str:
    with pytest.raises(BadWorkbook) as fault:
        read_workbook(data)
    return str(fault.value)


def post(client, data: bytes | None = None, *, reason="批复文号", **fields):
    if data is not None:
        fields["file"] = SimpleUploadedFile("总台账.xlsx", data)
    return client.post(URL, {"reason": reason, **fields})


def confirm(client, page, **fields):
    context = page.context
    seen = context["rehearsal"].digest
    return post(client, action="commit", kept=context["kept"], name=context["name"], seen=seen, **fields)


def exported(tmp_path) -> bytes:
    file = tmp_path / "export.xlsx"
    call_command("export_ledger", "master", file, verbosity=0, stdout=io.StringIO())
    return file.read_bytes()


# ── Round trip ──


def test_what_export_writes_comes_back_without_a_change(tmp_path):
    ProjectFactory(name="一号河\n 治理", reported=Decimal("40.25"), total_investment_wan=Decimal("1234.50"))
    ProjectFactory(finished=True, number=None, reported=Decimal(100))
    ProjectFactory(not_started=True, name="=1+1", scale="坏\x0b字\r\n第二行 _x000D_")
    behind = ProjectFactory(behind=True)
    PermitFactory(project=behind)
    ProblemFactory(project=behind)
    rehearsal = intake.rehearse(read_workbook(exported(tmp_path)), reason="批复")
    assert (rehearsal.changes, rehearsal.errors) == ([], [])
    assert {s.reason for s in rehearsal.skipped} <= {"合计行或说明文字，未导入。", "“其中”行，未导入。"}
    assert min(s.row for s in rehearsal.skipped) == 9
    assert rehearsal.complaints == []


def test_an_edited_export_changes_what_was_edited(tmp_path):
    ProjectFactory(code="LF-001")
    ProjectFactory(code="LF-002", name="二号")
    made = openpyxl.load_workbook(io.BytesIO(exported(tmp_path)))
    made.active["C6"] = "二号河治理"
    made.active["H6"] = 2000.5
    rehearsal = intake.rehearse(read_workbook(saved(made)), reason="批复")
    assert changes(rehearsal) == [(6, "LF-002", "项目名称", "二号", "二号河治理"), (6, "LF-002", "总投资", "1000", "2000.5")]
    assert rehearsal.errors == []


# ── What is read ──


def test_columns_are_matched_by_title_and_absent_ones_left_alone():
    project = ProjectFactory(code="LF-001")
    rehearsal = rehearse(["某某表"], ["单位：万元"], ["总投资（万元）", "＝编号 "], [1500, " lf-001 "])
    assert changes(rehearsal) == [(4, "LF-001", "总投资", "1000", "1500")]
    assert rehearsal.revisions == {project.pk: {"total_investment_wan": Decimal(1500)}}


@pytest.mark.parametrize(
    "cell",
    [
        "2024-03-15",
        "2024.3.15",
        "2024/3/15",
        "2024年3月15日",
        "２０２４年３月１５日",
        45366,
        dt.date(2024, 3, 15),
        dt.datetime(2024, 3, 15, 8),
    ],
)
def test_days_are_read_as_people_write_them(cell):
    ProjectFactory(code="LF-001")
    rehearsal = rehearse(["编号", "基线开工"], ["LF-001", cell])
    assert changes(rehearsal) == [(2, "LF-001", "基线开工", "2024-01-01", "2024-03-15")]


@pytest.mark.parametrize("cell", ["2024-02-30", "2024-13-01", "去年", 2024.1, "1999-12-31", "2100-01-01", True])
def test_what_is_no_day_is_an_error(cell):
    ProjectFactory(code="LF-001")
    rehearsal = rehearse(["编号", "基线开工"], ["LF-001", cell])
    assert one_error(rehearsal)[:2] == (2, "基线开工")
    assert rehearsal.changes == []


@pytest.mark.parametrize(
    ("cell", "new"), [(1234.5, "1234.5"), ("1,234.50", "1234.5"), ("１２３４万元", "1234"), (0, "0"), (0.1 + 0.2, "0.3")]
)
def test_money_is_read_as_people_write_it(cell, new):
    ProjectFactory(code="LF-001")
    assert [c.new for c in rehearse(["编号", "总投资"], ["LF-001", cell]).changes] == [new]


@pytest.mark.parametrize("cell", ["约一千", -0.01, "1.234", 1.234, 1e15, "NaN", True, None, "  ", dt.date(2024, 3, 15)])
def test_what_is_no_money_is_an_error(cell):
    ProjectFactory(code="LF-001")
    rehearsal = rehearse(["编号", "总投资", "项目业主"], ["LF-001", cell, "演示水务公司"])
    assert one_error(rehearsal)[:2] == (2, "总投资")


@pytest.mark.parametrize(("title", "longest"), [("项目名称", 120), ("项目业主", 60), ("包联领导", 30)])
def test_texts_fit_or_are_an_error(title, longest):
    ProjectFactory(code="LF-001")
    assert len(rehearse(["编号", title], ["LF-001", "长" * longest]).changes) == 1
    assert one_error(rehearse(["编号", title], ["LF-001", "长" * (longest + 1)]))[:2] == (2, title)


@pytest.mark.parametrize("title", ["项目名称", "县（市、区）", "责任单位", "牵头部门", "总投资", "基线开工", "基线完工"])
def test_an_empty_cell_of_a_required_column_is_an_error(title):
    ProjectFactory(code="LF-001")
    assert one_error(rehearse(["编号", "省定序号", title], ["LF-001", None, "   "])) == (2, title, "")


EMPTY_CELLS = [["编号", "项目业主", "包联领导", "项目名称"], ["LF-001", None, "—", "LF-001 河道治理工程"]]


def sponsored():
    project = ProjectFactory(code="LF-001")
    ProjectVersion.objects.filter(project=project).update(sponsor_post="副市长", owner="甲公司")
    return project


def test_an_empty_cell_of_a_foreign_table_clears_only_when_that_is_asked_for(office):
    sponsored()
    page = post(office, book(*EMPTY_CELLS))
    found, text = page.context["rehearsal"], page.content.decode()
    assert (found.changes, [one.kind for one in found.skipped]) == ([], ["empty", "empty"])
    assert found.skipped[1].reason == "LF-001“包联领导”表中写着“—”，台账保留“副市长”，没有清空。"
    assert "清空这 2 处，重新核对" in text
    page = post(office, kept=page.context["kept"], name=page.context["name"], erase="1")
    assert changes(page.context["rehearsal"]) == [(2, "LF-001", "项目业主", "甲公司", ""), (2, "LF-001", "包联领导", "副市长", "")]
    assert page.content.decode().count(">清空</span>") == 2
    assert confirm(office, page, erase="1").status_code == 302
    assert ProjectVersion.objects.get(effective_to=None).sponsor_post == ""


def test_an_empty_cell_of_an_export_clears(tmp_path):
    sponsored()
    made = openpyxl.load_workbook(io.BytesIO(exported(tmp_path)))
    row = next(row for row in made.active.iter_rows() if row[0].value == "LF-001")
    next(cell for cell in row if cell.value == "副市长").value = None
    assert changes(intake.rehearse(read_workbook(saved(made)), reason="批复")) == [(5, "LF-001", "包联领导", "副市长", "")]


def test_names_are_matched_without_their_blanks():
    ProjectFactory(code="LF-001", county=CountyFactory(name="甲县（老区）"))
    new_county, new_unit = CountyFactory(name="乙县（新区）", short="乙县"), UnitFactory(name="市水利局")
    rehearsal = rehearse(["编号", "县(市、区)", "牵头部门"], ["LF-001", "乙县\n (新区) ", " 市 水利局"])
    assert rehearsal.errors == []
    (values,) = rehearsal.revisions.values()
    assert values == {"county": new_county, "lead_unit": new_unit}
    assert [c.new for c in rehearse(["编号", "县(市、区)"], ["LF-001", "乙县"]).changes] == ["乙县（新区）"]
    assert rehearse(["编号", "县(市、区)"], ["LF-001", "甲县 （老区）"]).changes == []


def test_an_unknown_name_is_an_error_with_a_suggestion():
    ProjectFactory(code="LF-001")
    UnitFactory(name="市生态环境局")
    rehearsal = rehearse(["编号", "责任单位"], ["LF-001", "市生态环境厅"])
    assert one_error(rehearsal) == (2, "责任单位", "市生态环境厅")
    assert rehearsal.errors[0].reason == "系统中没有这个名称。是不是“市生态环境局”？请按系统中的全称填写。"


def test_a_name_of_two_units_is_an_error_unless_it_stays():
    twin = UnitFactory(name="水利局")
    UnitFactory(name="水利局")
    ProjectFactory(code="LF-001")
    ProjectFactory(code="LF-002", lead_unit=twin)
    assert one_error(rehearse(["编号", "牵头部门"], ["LF-001", "水利局"], ["LF-002", "水利局"])) == (2, "牵头部门", "水利局")


def test_the_baseline_may_be_one_day_but_not_end_before_it_starts():
    ProjectFactory(code="LF-001")
    assert rehearse(["编号", "基线完工"], ["LF-001", "2024-01-01"]).errors == []
    rehearsal = rehearse(["编号", "基线完工"], ["LF-001", "2023-12-31"])
    assert one_error(rehearsal) == (2, "基线完工", "2023-12-31")
    assert rehearsal.errors[0].reason == "基线完工 2023-12-31 早于基线开工 2024-01-01。请核对这两个日期。"


def test_codes_must_be_known_there_and_alone():
    ProjectFactory(code="LF-001")
    ProjectFactory(code="LF-009", delisted_on=TODAY, delisted_reason="调整")
    rows = [["编号", "总投资"], ["LF-001", 1000], ["LF-002", 1], ["LF-001", 5], [None, 7], ["LF-009", 5], ["L" * 40, 5]]
    assert [(e.row, e.column, e.value, e.reason[:9]) for e in rehearse(*rows).errors] == [
        (3, "编号", "LF-002", "清单上没有这个编号"),
        (4, "编号", "LF-001", "这个编号在工程总台"),
        (5, "编号", "", "没有填编号：请补上"),
        (6, "编号", "LF-009", "清单上没有这个编号"),
        (7, "编号", "L" * 40, "清单上没有这个编号"),
    ]


def test_a_workbook_without_the_codes_column_is_an_error():
    assert one_error(rehearse(["项目名称", "总投资", "责任单位"], ["一号", 1, "水利局"])) == (2, "编号", "一号")
    assert one_error(rehearse(["总投资", "责任单位", "项目业主"], [1, "水利局", "甲"])) == (1, "编号", "")
    assert one_error(rehearse(["姓名", "电话"], ["甲", 1])) == (1, "编号", "")


def test_a_heading_twice_is_an_error():
    ProjectFactory(code="LF-001")
    assert one_error(rehearse(["编号", "总投资", "总投资＝"], ["LF-001", 1, 2])) == (1, "总投资", "总投资")


def test_columns_that_nobody_types_here_are_skipped_with_their_name():
    ProjectFactory(code="LF-001", scale="护岸")
    rehearsal = rehearse(
        ["编号", "状态＝", "建设规模及主要内容", "备注"], ["LF-001", "完工", "清淤", "x"], ["注：以上为初步数据"], ["合计", 1]
    )
    assert (rehearsal.changes, rehearsal.errors) == ([], [])
    assert [(s.row, s.reason) for s in rehearsal.skipped] == [
        (1, "“备注”不是本台账的列，未导入。"),
        (2, "“状态”由系统自动计算；现为“开工”，表中为“完工”，未导入。"),
        (2, "“建设规模及主要内容”不从台账导入，请在项目页或周调度中填写；现为“护岸”，表中为“清淤”，未导入。"),
        (3, "合计行或说明文字，未导入。"),
        (4, "合计行或说明文字，未导入。"),
    ]
    assert [s.row for s in rehearsal.unwritten] == [2, 2]
    assert rehearsal.passed_over == [("工程总台账", "合计行或说明文字，未导入。", [3, 4])]
    assert [s.row for s in rehearsal.other_skipped] == [1]


def test_a_project_revised_today_may_be_revised_again_and_the_day_has_one_version():
    project = ProjectFactory(code="LF-001")
    call = {"reason": "批复", "by": UserFactory()}
    intake.take_in(read_workbook(book(["编号", "总投资"], ["LF-001", 5])), **call)
    intake.take_in(read_workbook(book(["编号", "总投资"], ["LF-001", 6])), **call)
    assert [v.total_investment_wan for v in project.versions.all()] == [1000, 6]
    changes = [event.changes["total_investment_wan"] for event in TrailEvent.objects.filter(action="project.revise")]
    assert changes == [["1000", "5"], ["5", "6"]]


def test_rehearsal_asks_the_same_number_of_queries_for_30_rows():
    unit = UnitFactory(name="新单位")
    county = CountyFactory()

    def asked(count):
        ProjectFactory.create_batch(count, county=county, responsible_unit=unit)
        codes = ProjectVersion.objects.values_list("project__code", flat=True)
        sheets = read_workbook(book(["编号", "总投资", "牵头部门"], *([code, 7, "新单位"] for code in codes)))
        with CaptureQueriesContext(connection) as queries:
            assert len(intake.rehearse(sheets, reason="批复").revisions) == len(codes)
        return len(queries)

    assert asked(1) == asked(29)


def test_rehearsal_writes_nothing():
    ProjectFactory(code="LF-001")
    before = trail.data_version()
    assert rehearse(["编号", "总投资"], ["LF-001", 5]).revisions
    assert (trail.data_version(), ProjectVersion.objects.count()) == (before, 1)


def test_take_in_is_all_or_nothing():
    ProjectFactory(code="LF-001")
    ProjectFactory(code="LF-002")
    sheets = read_workbook(book(["编号", "总投资"], ["LF-001", 5], ["LF-002", "五"]))
    with pytest.raises(intake.Unfit):
        intake.take_in(sheets, reason="批复", by=None)
    assert ProjectVersion.objects.count() == 2
    assert not TrailEvent.objects.exists()


def test_take_in_revises_each_changed_project_from_today_with_the_reason():
    by = UserFactory()
    changed, kept = ProjectFactory(code="LF-001"), ProjectFactory(code="LF-002")
    intake.take_in(read_workbook(book(["编号", "总投资"], ["LF-001", 5], ["LF-002", 1000])), reason="发改〔2025〕1号", by=by)
    version = changed.versions.get(effective_to=None)
    assert (version.total_investment_wan, version.effective_from, version.reason, version.by) == (5, TODAY, "发改〔2025〕1号", by)
    assert kept.versions.count() == 1
    event = TrailEvent.objects.get()
    assert (event.action, event.changes) == ("project.revise", {"total_investment_wan": ["1000", "5"]})


# ── Files that are no workbooks, or hostile ──


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        pytest.param(b"", workbook.EMPTY, id="空文件"),
        pytest.param("编号,总投资\nLF-001,5\n".encode("gb18030"), workbook.NO_WORKBOOK, id="八位字节的文本"),
        pytest.param(bytes(range(256)) * 8, workbook.NO_WORKBOOK, id="任意字节"),
        pytest.param(b"%PDF-1.7\n", workbook.NO_WORKBOOK, id="PDF改名"),
        pytest.param(bytes.fromhex("D0CF11E0A1B11AE1") + bytes(600), workbook.OLD_OR_LOCKED, id="xls或加密"),
        pytest.param(packed({"a.txt": b"x"}), workbook.NO_WORKBOOK, id="压缩包改名"),
        pytest.param(b"PK\x03\x04" + bytes(100), workbook.DAMAGED, id="假压缩包"),
        pytest.param(b"PK" + bytes(workbook.LARGEST - 1), workbook.TOO_LARGE, id="超过上限一字节"),
        pytest.param(b"PK" + bytes(workbook.LARGEST - 2), workbook.DAMAGED, id="等于上限"),
    ],
)
def test_a_file_that_is_no_workbook_is_refused_with_a_sentence(data, fault):
    assert fault_of(data) == fault


@pytest.mark.parametrize("part", ["xl/workbook.xml", "xl/worksheets/sheet1.xml", "xl/styles.xml"])
def test_broken_xml_is_refused(part):
    parts = unpacked(book(["编号"]))
    assert fault_of(packed(parts | {part: parts[part][:-40]})) == workbook.DAMAGED


def test_a_truncated_workbook_is_refused():
    data = book(["编号"])
    assert fault_of(data[: len(data) // 2]) == workbook.DAMAGED


def test_what_unpacks_to_too_much_is_refused_and_what_just_fits_is_read():
    parts = unpacked(book(["编号"]))
    room = workbook.UNPACKED - sum(map(len, parts.values()))
    assert fault_of(packed(parts | {"xl/media/image1.bmp": bytes(room + 1)})) == workbook.TOO_MUCH
    assert len(read_workbook(packed(parts | {"xl/media/image1.bmp": bytes(room)}))) == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("part", ["xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "[Content_Types].xml"])
def test_entities_are_refused_in_any_part_and_encoding(part, encoding):
    parts = unpacked(book(["编号"]))
    doctype = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    text = f'<?xml version="1.0" encoding="{encoding}"?>{doctype}<a>&x;</a>'
    assert fault_of(packed(parts | {part: text.encode(encoding)})) == workbook.UNSAFE


def test_one_cell_in_the_last_corner_does_not_hurt_and_is_not_passed_over():
    made = openpyxl.Workbook()
    made.active["A1"], made.active["XFD1048576"] = "编号", 1
    assert fault_of(saved(made)) == workbook.TOO_WIDE


def test_macros_are_refused():
    parts = unpacked(book(["编号"]))
    assert fault_of(packed(parts | {"xl/vbaProject.bin": b"x"})) == workbook.WITH_MACROS


def test_rows_are_read_to_the_limit_and_refused_past_it():
    made = openpyxl.Workbook()
    made.active.cell(workbook.ROWS, workbook.COLUMNS, "到此为止")
    made.active.cell(workbook.ROWS, workbook.COLUMNS + 1, "列外")
    (sheet,) = read_workbook(saved(made))
    assert [(row.number, len(row.cells)) for row in sheet.rows] == [(workbook.ROWS, workbook.COLUMNS)]
    made.active.cell(workbook.ROWS + 1, 1, "多一行")
    assert fault_of(saved(made)) == workbook.TOO_LONG


def test_rows_beyond_any_sheet_are_refused():
    parts = unpacked(book(["编号"]))
    sheet = parts["xl/worksheets/sheet1.xml"].replace(b'<row r="1"', b'<row r="99999999999"')
    assert fault_of(packed(parts | {"xl/worksheets/sheet1.xml": sheet})) == workbook.TOO_LONG


@pytest.mark.apart
def test_the_process_that_opens_it_says_what_is_in_it():
    data = book(["编号", "总投资", "计划开工"], ["LF-001", 12.5, dt.date(2025, 2, 20)])
    assert workbook._opened_apart(data).decode() == workbook.told(data)
    assert read_workbook(data)[0].rows[1].cells == ["LF-001", Decimal("12.5"), dt.date(2025, 2, 20)]
    assert fault_of(b"PK" + bytes(100)) == workbook.DAMAGED


@pytest.mark.apart
@pytest.mark.parametrize(("ends", "said"), [("SystemExit(3)", workbook.TOO_MUCH), ("__import__('time').sleep(9)", workbook.BUSY)])
def test_a_process_that_falls_or_never_ends_is_told_apart(monkeypatch, tmp_path, ends, said):
    script = tmp_path / "worker.py"
    script.write_text(f"raise {ends}" if "Exit" in ends else ends)
    monkeypatch.setattr(workbook, "__file__", str(script))
    monkeypatch.setattr(workbook, "PATIENCE", 2)
    assert fault_of(book(["编号"])) == said


@pytest.mark.apart
def test_one_long_text_in_very_many_cells_is_refused():
    made = openpyxl.Workbook()
    for _ in range(7):
        made.active.append(["长" * 30_000] * 100)
    assert fault_of(saved(made)) == workbook.TOO_MUCH


def test_formulas_are_read_as_their_kept_values_and_never_as_empty():
    parts = unpacked(book(["编号", "总投资", "项目业主"], ["LF-001", "=500+1", "=A1"]))
    sheet = (
        parts["xl/worksheets/sheet1.xml"]
        .replace(b"<f>500+1</f><v></v>", b"<f>500+1</f><v>501</v>")
        .replace(b"<f>500+1</f><v />", b"<f>500+1</f><v>501</v>")
    )
    (page,) = read_workbook(packed(parts | {"xl/worksheets/sheet1.xml": sheet}))
    assert page.rows[1].cells == ["LF-001", Decimal(501), Broken(workbook.NOT_CALCULATED)]
    ProjectFactory(code="LF-001")
    rehearsal = intake.rehearse([page], reason="批复")
    assert one_error(rehearsal)[:2] == (2, "项目业主")
    assert changes(rehearsal) == [(2, "LF-001", "总投资", "1000", "501")]


def test_errors_of_the_spreadsheet_are_errors():
    ProjectFactory(code="LF-001")
    assert one_error(rehearse(["编号", "总投资"], ["LF-001", "#REF!"])) == (2, "总投资", "#REF!")


def test_hidden_sheets_are_not_taken_in():
    ProjectFactory(code="LF-001")
    made = openpyxl.load_workbook(io.BytesIO(book(["编号", "总投资"], ["LF-001", 1000])))
    hidden = made.create_sheet("旧表")
    hidden.sheet_state = "hidden"
    hidden.append(["编号", "总投资"])
    hidden.append(["LF-001", 5])
    rehearsal = intake.rehearse(read_workbook(saved(made)), reason="批复")
    assert (rehearsal.changes, rehearsal.errors) == ([], [])
    assert [(s.sheet, s.reason) for s in rehearsal.skipped] == [("旧表", "隐藏的工作表，未导入。")]


# ── Command ──


def run(tmp_path, data: bytes, *args):
    file, out = tmp_path / "in.xlsx", io.StringIO()
    file.write_bytes(data)
    try:
        call_command("import_ledger", "master", file, *args, stdout=out, stderr=io.StringIO())
    except CommandError as fault:
        return out.getvalue(), str(fault)
    return out.getvalue(), ""


def test_command_rehearses_unless_told_to_commit(tmp_path):
    project = ProjectFactory(code="LF-001")
    data = book(["编号", "总投资"], ["LF-001", 5])
    out, fault = run(tmp_path, data, "--json")
    assert fault == ""
    assert json.loads(out) == {
        "changes": [{"sheet": "工程总台账", "row": 2, "key": "LF-001", "column": "总投资", "old": "1000", "new": "5"}],
        "errors": [],
        "skipped": [],
    }
    assert project.versions.count() == 1
    assert run(tmp_path, data, "--commit") == ("变化　工程总台账第2行“总投资” LF-001：1000 → 5\n已变更1个项目。\n", "")
    version = project.versions.get(effective_to=None)
    assert (version.total_investment_wan, version.reason, version.by) == (5, "台账导入", None)


def test_command_with_errors_fails_and_writes_nothing(tmp_path):
    project = ProjectFactory(code="LF-001")
    out, fault = run(tmp_path, book(["编号", "总投资"], ["LF-001", "五"]), "--commit", "--json")
    assert fault == "有1处错误，未写入任何数据。"
    assert json.loads(out)["errors"] == [{"sheet": "工程总台账", "row": 2, "column": "总投资", "value": "五", "reason": "请填数字。"}]
    assert project.versions.count() == 1


def test_command_says_of_a_bad_file_what_is_wrong_with_it(tmp_path):
    out, fault = run(tmp_path, b"\xff\xfe\x80", "--json")
    assert fault == "有1处错误，未写入任何数据。"
    assert json.loads(out)["errors"] == [{"sheet": "", "row": None, "column": "", "value": "in.xlsx", "reason": tabular.NOT_TEXT}]


@pytest.mark.parametrize("args", [("nothing", "x.xlsx"), ("master", "no-such-file.xlsx"), ("master", "x.xlsx", "--reason", " ")])
def test_command_refuses_what_it_cannot_do(args):
    with pytest.raises(CommandError):
        call_command("import_ledger", *args)


# ── Page ──


def test_office_sees_the_changes_and_then_confirms_them(office, media):
    project = ProjectFactory(code="LF-001")
    page = post(office, book(["编号", "总投资"], ["LF-001", 5]))
    assert page.status_code == 200
    assert "确认写入 1 个项目" in page.content.decode()
    assert project.versions.count() == 1
    assert len(list(media.glob("intake/*"))) == 1
    done = confirm(office, page)
    assert done.url == reverse("ledger", args=["master"])
    assert "变更1个项目，共1处" in office.get(done.url).content.decode()
    assert project.versions.get(effective_to=None).reason == "批复文号"
    assert list(media.glob("intake/*")) == []


def test_errors_are_shown_with_their_cell_and_there_is_nothing_to_confirm(office):
    ProjectFactory(code="LF-001")
    page = post(office, book(["编号", "总投资"], ["LF-001", "五"]))
    text = page.content.decode()
    assert page.status_code == 422
    assert "请填数字。" in text
    assert 'value="commit"' not in text
    assert confirm(office, page).status_code == 422
    assert ProjectVersion.objects.count() == 1


def test_the_good_rows_are_written_exactly_as_announced(office):
    for number in range(1, 5):
        ProjectFactory(code=f"LF-00{number}")
    rows = [
        ["LF-001", 5, "甲公司"],
        ["LF-002", "五", "乙公司"],
        ["LF-003", 7, "演示水务公司"],
        ["LF-004", 1000, "=1"],
        ["LF-001", 9, "丙公司"],
    ]
    page = post(office, book(["编号", "总投资", "项目业主"], *rows))
    found, text = page.context["rehearsal"], page.content.decode()
    assert (len(found.good), len(found.good_changes), len(found.bad_rows), len(found.errors)) == (2, 3, 3, 3)
    assert [is_out for _, is_out in found.told] == [False, False, True, False]
    assert "只写入没有问题的 2 个项目（3 处），其余退回" in text
    assert text.count("有错误，不写入") == 1
    done = post(office, action="partial", kept=page.context["kept"], name=page.context["name"], seen=found.digest)
    assert ProjectVersion.objects.count() == 4 + 2
    assert "变更2个项目，共3处" in office.get(done.url).content.decode()
    assert list(IntakeFile.objects.values_list("rows", "cells", "left_out")) == [(2, 3, 3)]
    link = re.search(r'href="(\?rest=[^"]*)"', office.get(done.url).content.decode())[1]
    sent = office.get(URL + html.unescape(link))
    assert unquote(sent["Content-Disposition"]).endswith("总台账_未导入的行.xlsx")
    assert len(read_workbook(sent.content)[0].rows) == 1 + 3 + 1  # and the row that the last one repeats


def test_an_error_of_the_whole_table_lets_nothing_in_and_says_so(office):
    ProjectFactory(code="LF-001")
    page = post(office, book(["编号", "总投资", "项目业主", "项目业主"], ["LF-001", 5, "甲", "乙"]))
    found = page.context["rehearsal"]
    assert (found.good, found.good_changes) == ({}, [])
    assert 'value="partial"' not in page.content.decode()


def test_a_table_with_one_strange_heading_is_asked_about_and_then_remembered(office):
    ProjectFactory(code="LF-001")
    page = post(office, pasted="编号\t概算数\nLF-001\t7777\n")
    (error,) = page.context["rehearsal"].errors
    assert (error.row, error.reason.split("：")[0]) == (1, "这一行像是表头，但只认出“编号”")
    assert 'name="column-0-1"' in page.content.decode()
    said = {"column-0-1": "total_investment_wan"}
    page = post(office, kept=page.context["kept"], name=page.context["name"], **said)
    assert changes(page.context["rehearsal"]) == [(2, "LF-001", "总投资", "1000", "7777")]
    assert confirm(office, page, **said).status_code == 302
    assert len(post(office, pasted="编号\t概算数\nLF-001\t8888\n").context["rehearsal"].changes) == 1


def test_the_person_says_where_the_head_stands(office):
    ProjectFactory(code="LF-001")
    page = post(office, book(["项目代码", "编号", "总投资"], ["编码", "概算", "编号"], ["LF-001", 7777, "x"]))
    assert [head.row for _, head in page.context["rehearsal"].heads] == [1]
    said = {"kept": page.context["kept"], "name": page.context["name"], "head-0": "2", "column-0-0": "owner"}
    page = post(office, **said)  # what was said of the other row's columns does not count
    assert [(head.row, head.places) for _, head in page.context["rehearsal"].heads] == [(2, {"code": 2})]
    page = post(office, **said | {"head-0-was": "2", "column-0-0": "code", "column-0-1": "total_investment_wan", "column-0-2": "-"})
    assert changes(page.context["rehearsal"]) == [(3, "LF-001", "总投资", "1000", "7777")]


def test_a_csv_is_called_by_its_name(office):
    ProjectFactory(code="LF-001")
    sent = SimpleUploadedFile("概算.csv", "编号,总投资\nLF-001,五\n".encode())
    page = office.post(URL, {"reason": "批复", "file": sent})
    assert [error.sheet for error in page.context["rehearsal"].errors] == ["概算.csv"]


def test_the_reason_stays_when_the_file_is_bad_and_the_file_when_the_reason_is_missing(office):
    page = post(office, b"\0\1\2\xff", reason="发改〔2025〕1号")
    assert page.status_code == 422
    assert page.context["form"].errors["file"] == [tabular.NO_TABLE]
    assert 'value="发改〔2025〕1号"' in page.content.decode()
    ProjectFactory(code="LF-001")
    page = post(office, book(["编号", "总投资"], ["LF-001", 5]), reason=" ")
    assert list(page.context["form"].errors) == ["reason"]
    again = post(office, kept=page.context["kept"], name=page.context["name"], action="rehearse")
    assert len(again.context["rehearsal"].changes) == 1
    assert again.context["name"] == "总台账.xlsx"


def test_what_moved_since_it_was_seen_is_shown_again_and_not_written(office):
    project = ProjectFactory(code="LF-001")
    page = post(office, book(["编号", "总投资"], ["LF-001", 5]))
    ProjectVersion.objects.filter(project=project).update(total_investment_wan=7)
    moved = confirm(office, page)
    assert moved.status_code == 422
    assert "台账已有新的变动" in moved.content.decode()
    assert project.versions.count() == 1
    assert confirm(office, moved).status_code == 302
    assert project.versions.count() == 2


def test_a_new_file_is_never_written_unseen(office):
    project = ProjectFactory(code="LF-001")
    page = post(office, book(["编号", "总投资"], ["LF-001", 5]))
    other = post(
        office, book(["编号", "总投资"], ["LF-001", 6]), action="commit", kept=page.context["kept"], seen=page.context["rehearsal"].digest
    )
    assert [c.new for c in other.context["rehearsal"].changes] == ["6"]
    assert project.versions.count() == 1


@pytest.mark.parametrize("kept", ["", "0" * 64, "../../etc/passwd", "x" * 64])
def test_a_file_that_is_not_kept_must_be_sent_again(office, kept):
    page = post(office, action="commit", kept=kept, seen="")
    assert page.status_code == 422
    assert "file" in page.context["form"].errors


def test_the_file_of_another_person_cannot_be_confirmed(office, client):
    project = ProjectFactory(code="LF-001")
    page = post(office, book(["编号", "总投资"], ["LF-001", 5]))
    client.force_login(UserFactory())
    assert confirm(client, page).status_code == 422
    assert project.versions.count() == 1


def test_text_with_markup_comes_out_escaped(office):
    ProjectFactory(code="LF-001")
    markup = "<script>alert(1)</script><!-- x -->"
    page = post(office, book(["编号", "项目名称", "总投资", markup], ["LF-001", markup, markup, 1]), name=markup)
    text = page.content.decode()
    assert markup not in text
    assert text.count("&lt;script&gt;alert(1)&lt;/script&gt;&lt;!-- x --&gt;") == 2  # as a name and as money
    assert "“&lt;script&gt;" in text


def test_old_files_are_cleared_away(office, media):
    ProjectFactory(code="LF-001")
    post(office, book(["编号", "总投资"], ["LF-001", 5]))
    (old,) = media.glob("intake/*")
    long_ago = old.stat().st_mtime - kept_files.KEPT_SECONDS - 1
    os.utime(old, (long_ago, long_ago))
    post(office, book(["编号", "总投资"], ["LF-001", 6]))
    assert old not in list(media.glob("intake/*"))
    assert len(list(media.glob("intake/*"))) == 1


@pytest.mark.parametrize("trait", ["in_county", "in_department", "leader"])
def test_only_the_office_finds_the_page(client, trait):
    client.force_login(UserFactory(**{trait: True}))
    assert client.get(URL).status_code == 404
    assert post(client, book(["编号"])).status_code == 404
    assert URL not in client.get(reverse("ledger", args=["master"])).content.decode()


@pytest.mark.parametrize("slug", [slug for slug, ledger in LEDGERS.items() if ledger.no_intake])
def test_a_ledger_that_takes_nothing_in_says_where_its_values_come_from(office, slug):
    page = office.get(f"/ledgers/{slug}/import/")
    assert page.status_code == 200
    assert LEDGERS[slug].no_intake in page.content.decode()
    assert page.context["sources"]
    assert {office.get(address).status_code for _, address in page.context["sources"]} == {200}


def test_the_ledger_leads_the_office_to_the_page_today_only(office):
    ledger = reverse("ledger", args=["master"])
    assert URL in office.get(ledger).content.decode()
    assert URL not in office.get(ledger, {"as_of": "2025-02-19"}).content.decode()
    assert office.get(URL).status_code == 200
    assert office.get("/ledgers/nothing/import/").status_code == 404


def test_a_stranger_must_log_in(client):
    assert client.get(URL).status_code == 302
