"""The workbook of what was left out: untouched it changes nothing, mended it asks before it takes back what others changed meanwhile."""

import datetime as dt
import io
from decimal import Decimal

import openpyxl
import pytest

from ledgers import export, intake, rest
from ledgers.registry import LEDGERS
from linfen_water import workbook
from projects.models import ProjectVersion
from projects.site_models import Inspection
from tests.factories import TODAY, ProjectFactory, RegionFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.once]
MASTER = LEDGERS["master"]
HEAD = ["编号", "总投资", "项目业主"]


@pytest.fixture(autouse=True)
def city():
    RegionFactory()
    made = [ProjectFactory(code=f"LF-00{number}") for number in (1, 2, 3)]
    ProjectVersion.objects.update(owner="原业主")
    return made


def book(*rows, merges=(), percent=()) -> openpyxl.Workbook:
    made = openpyxl.Workbook()
    for row in rows:
        made.active.append(row)
    for merge in merges:
        made.active.merge_cells(merge)
    for cell in percent:
        made.active[cell].number_format = "0%"
    return made


def read(made: openpyxl.Workbook | bytes) -> list[workbook.Sheet]:
    file = io.BytesIO()
    if not isinstance(made, bytes):
        made.save(file)
    return [workbook._sheet(sheet, with_times=False) for sheet in workbook.unpack(file.getvalue() or made)]


def left_out(made: openpyxl.Workbook, slug="master", **choices) -> bytes:
    """The workbook of what stays out when the good rows are written."""
    done = intake.take_in(
        read(made), reason="批复", by=UserFactory(), ledger=LEDGERS[slug], choices=intake.Choices(**choices), is_partial=True
    )
    return rest.workbook_of_rest(done, LEDGERS[slug])


def rehearse(made, slug="master", **choices) -> intake.Rehearsal:
    return intake.rehearse(read(made), reason="批复", ledger=LEDGERS[slug], choices=intake.Choices(**choices))


def changes(found: intake.Rehearsal) -> list[tuple]:
    return [(one.key, one.column, one.new) for one in found.changes]


@pytest.mark.parametrize(
    ("rows", "more"),
    [
        pytest.param([HEAD, ["LF-001", 5, '=HYPERLINK("http://x","y")']], {}, id="公式没有保存结果"),
        pytest.param([HEAD, ["LF-001", 5, "#REF!"]], {}, id="公式出错"),
        pytest.param([HEAD, ["LF-001", 5, workbook.NOT_CALCULATED]], {}, id="出错的话当作文字"),
        pytest.param([HEAD, ["LF-001", 5, "甲"], ["LF-002", 5, None]], {"merges": ("B2:B3",)}, id="合并的金额"),
        pytest.param([HEAD, ["LF-001", 5, None], ["LF-002", 6, "乙"]], {"merges": ("B2:C2",)}, id="合并了两列"),
        pytest.param([HEAD, ["LF-001", 1000, "原业主"], ["LF-001", 9, "丙"]], {}, id="编号重复，前一行没有变化"),
    ],
)
def test_untouched_it_changes_nothing(rows, more):
    again = rehearse(left_out(book(*rows, **more)))
    assert (again.good, again.is_broken) == ({}, False)
    assert again.errors


@pytest.mark.parametrize(
    ("rows", "more", "choices", "at", "expected"),
    [
        pytest.param(
            [HEAD, ["LF-001", 5, "新业主"], ["LF-002", "五", None]],
            {"merges": ("C2:C3",)},
            {},
            "B2",
            [("LF-002", "总投资", "7"), ("LF-002", "项目业主", "新业主")],
            id="合并的文字每行都在",
        ),
        pytest.param(
            [["编号", "概算"], ["LF-001", "五"], ["单位：亿元"]],
            {},
            {"columns": {("Sheet", 1): "total_investment_wan"}},
            "B2",
            [("LF-001", "总投资", "70000")],
            id="表下的单位、人认出的列",
        ),
        pytest.param(
            [[*HEAD, "包联领导"], ["LF-001", "五", "丙", "丁"]],
            {},
            {"columns": {("Sheet", 2): "-"}},
            "B2",
            [("LF-001", "总投资", "7"), ("LF-001", "包联领导", "丁")],
            id="说过不导入的列",
        ),
        pytest.param([HEAD, ["LF-009", 5, "乙"]], {}, {}, "A2", [("LF-003", "总投资", "5"), ("LF-003", "项目业主", "乙")], id="编号写错"),
    ],
)
def test_mended_it_says_what_the_table_said(rows, more, choices, at, expected):
    made = openpyxl.load_workbook(io.BytesIO(left_out(book(*rows, **more), **choices)))
    made.worksheets[0][at] = "LF-003" if at == "A2" else 7
    found = rehearse(made)
    assert (changes(found), found.errors) == (expected, [])


def test_a_share_stays_a_share(city):
    day = dt.date(2025, 2, 3)
    Inspection.objects.create(project=city[0], planned_on=day, visited_on=day, leader_post="演示岗位")
    made = book(["编号", "督导日期", "现场进度", "整改时限"], ["LF-001", day, 1, "去年"], percent=("C2",))
    again = openpyxl.load_workbook(io.BytesIO(left_out(made, "inspections")))
    again.worksheets[0]["D2"] = dt.date(2025, 3, 1)
    found = rehearse(again, "inspections")
    assert [(one.column, one.new) for one in found.changes] == [("现场进度", "100"), ("整改时限", "2025-03-01")]


def of_export() -> openpyxl.Workbook:
    file = io.BytesIO()
    export.write_workbook(export.Sheet(MASTER, TODAY, MASTER.opened(TODAY).qs, [], True), file)
    made = openpyxl.load_workbook(file)
    columns = {str(column.verbose_name): spot for spot, column in enumerate(MASTER.table.base_columns.values(), 1)}
    made.active.cell(export.HEAD_ROWS + 1, columns["总投资"]).value = "五"
    made.active.cell(export.HEAD_ROWS + 1, columns["项目业主"]).value = "表中的业主"
    return made


@pytest.mark.parametrize(
    ("make", "key"),
    [
        pytest.param(of_export, "LF-001", id="导出的表"),
        pytest.param(lambda: book(HEAD, ["LF-001", "五", "表中的业主"]), "LF-001", id="自己的表"),
        pytest.param(lambda: book(HEAD, ["LF-009", 1000, "表中的业主"], ["LF-001", "五", None]), "LF-003", id="自己的表，编号写错"),
    ],
)
def test_what_others_changed_meanwhile_is_asked(make, key):
    made = openpyxl.load_workbook(io.BytesIO(left_out(make())))
    ProjectVersion.objects.filter(project__code=key).update(owner="网上的业主", total_investment_wan=Decimal(1200))
    page = made.worksheets[0]
    line = next(row for row in page.iter_rows() if row[0].value in ("LF-001", "LF-009"))
    spots = {cell.value: spot for row in page.iter_rows() for spot, cell in enumerate(row) if cell.value in HEAD}
    line[0].value, line[spots["总投资"]].value = key, 1000
    found = rehearse(made)
    assert [(one.key, one.theirs, one.mine) for one in found.conflicts] == [(key, "网上的业主", "表中的业主")]
    assert key not in [one.key for one in found.changes]


def test_a_second_workbook_of_the_rest_has_one_column_of_remarks():
    first = left_out(book(HEAD, ["LF-001", "五", "乙"], ["LF-002", "六", "乙"]))
    made = openpyxl.load_workbook(io.BytesIO(first))
    made.worksheets[0]["B3"] = 6
    second = openpyxl.load_workbook(io.BytesIO(left_out(made))).worksheets[0]
    assert [cell.value for cell in second[1]] == [*HEAD, "未导入原因"]
    assert [cell.value for cell in second[2]] == ["LF-001", "五", "乙", "“总投资”请填数字。"]


def test_of_a_ledger_longer_than_a_sheet_only_the_rows_of_the_table_are_told(city, monkeypatch):
    monkeypatch.setattr("ledgers.intake.MOST_ROWS", 3)  # the city has more projects than a sheet of three rows has room for
    made = book(["编号", "总投资"], ["LF-001", "#REF!"], ["LF-002", 1200])
    again = rehearse(left_out(made))
    assert again.base is not None
    assert set(again.base.cells) == {"LF-001", "LF-002"}
