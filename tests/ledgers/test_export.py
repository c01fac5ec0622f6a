import csv
import datetime as dt
import io
from decimal import Decimal

import openpyxl
import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from ledgers import export
from ledgers.intake import rehearse
from ledgers.registry import LEDGERS
from linfen_water.tabular import read_table
from projects.enums import SourceKind
from tests.caches import forget
from tests.factories import CountyFactory, PermitFactory, ProjectFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("region")]
HOSTILE = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "＝1+1", "＋1", "－1", "＠x", '=HYPERLINK("http://x","点我")']
HEADINGS = 4
NAME = 3  # column


def address(**query):
    return reverse("ledger", args=["master"], query=query)


def workbook(client, **query):
    response = client.get(address(export="xlsx", **query))
    assert response.status_code == 200
    return openpyxl.load_workbook(io.BytesIO(b"".join(response.streaming_content)))["工程总台账"]


def table(client, **query) -> list[list[str]]:
    response = client.get(address(export="csv", **query))
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text)))


def column(page, heading: str) -> list:
    index = [cell.value for cell in page[HEADINGS]].index(heading) + 1
    return [page.cell(row, index).value for row in range(HEADINGS + 1, page.max_row + 1)]


def test_workbook_holds_bare_values_under_the_pages_headings(office):
    ProjectFactory(
        code="LF-001", number=1, name="一号河治理", total_investment_wan=Decimal("1234.50"), funding={SourceKind.CITY: Decimal("1234.50")},
        reported=Decimal("40.25"),
    )  # fmt: skip
    page = workbook(office)
    assert [page.cell(1, 1).value, page.cell(2, 1).value] == [
        "工程总台账", "单位：万元　数据截至：2025-02-20　＝：自动计算　演示数据：除注明公开来源的信息外均为虚构",
    ]  # fmt: skip
    assert column(page, "编号") == ["LF-001", "合计"]
    assert column(page, "总投资") == [1234.5, 1234.5]
    assert column(page, "资金来源") == ["市级资金 1234.50", None]
    assert column(page, "实际开工") == [dt.datetime(2024, 3, 1), None]
    assert column(page, "状态＝") == ["开工", None]
    assert column(page, "总体进度（%）＝") == [40.3, None]
    assert (
        column(page, "项目名称")[1]
        == "1个项目；前期0、开工1、完工0；开工率100.0%，完工率0.0%，资金到位率40.5%，投资完成率（占总投资）32.4%"
    )


def test_workbook_is_ready_to_print(office):
    ProjectFactory.create_batch(2)
    page = workbook(office)
    assert page.freeze_panes == "D5"
    assert (page.page_setup.orientation, page.page_setup.paperSize) == ("landscape", 8)
    assert (page.page_setup.fitToWidth, page.page_setup.fitToHeight) == (2, 0)
    assert page.sheet_properties.pageSetUpPr.fitToPage
    assert page.print_title_rows == "$3:$4"
    assert page.auto_filter.ref == "A4:AC6"
    money = page.cell(HEADINGS + 1, 8)
    assert (money.number_format, money.alignment.horizontal) == ("#,##0.00", "right")
    assert page.cell(HEADINGS + 1, 14).number_format == "yyyy-mm-dd"
    assert [str(found) for found in sorted(page.merged_cells.ranges, key=lambda r: r.min_col)][:2] == ["A3:E3", "F3:I3"]


@pytest.mark.parametrize("text", HOSTILE)
def test_text_never_becomes_a_formula(office, text):
    ProjectFactory(name=text)
    cell = workbook(office).cell(HEADINGS + 1, NAME)
    assert (cell.data_type, cell.value) == ("s", text)
    assert table(office)[3][NAME - 1] == f"'{text}"


def test_numbers_are_never_prefixed(office):
    ProjectFactory(number=None, total_investment_wan=Decimal("0.01"))
    row = table(office)[3]
    assert row[1] == ""
    assert row[7] == "0.01"


def test_control_characters_do_not_break_the_workbook(office):
    ProjectFactory(name="坏\x0b字\x1f符")
    assert workbook(office).cell(HEADINGS + 1, NAME).value == "坏字符"


def test_exports_exactly_what_is_chosen_in_its_order(office):
    county = CountyFactory(name="甲县")
    ProjectFactory(code="LF-001", county=county, total_investment_wan=Decimal("1.00"))
    ProjectFactory(code="LF-002", county=county, total_investment_wan=Decimal("3.00"))
    ProjectFactory(code="LF-003", total_investment_wan=Decimal("2.00"))
    page = workbook(office, county=county.code, sort="-total_investment_wan", page="9", per_page="50")
    assert column(page, "编号") == ["LF-002", "LF-001", "合计"]
    assert column(page, "总投资") == [3, 1, 4]
    assert "县（市、区）：甲县" in page.cell(2, 1).value


def test_all_pages_are_exported(office):
    ProjectFactory.create_batch(51)
    assert len(column(workbook(office), "编号")) == 52
    assert len(table(office)) == 3 + 51 + 1


def test_workbook_and_csv_say_the_same(office):
    ProjectFactory(reported=40)
    ProjectFactory(finished=True, reported=100)
    page = workbook(office)
    rows = table(office)
    assert rows[2] == [cell.value for cell in page[HEADINGS]]
    assert [row[0] for row in rows[3:]] == column(page, "编号")
    assert [Decimal(row[rows[2].index("累计到位＝")]) for row in rows[3:]] == [Decimal(str(value)) for value in column(page, "累计到位＝")]


def test_sums_have_the_decimals_of_their_parts(office):
    """SQLite adds decimals in floating point and hands back more places."""
    ProjectFactory(total_investment_wan=Decimal("1000.10"))
    ProjectFactory(total_investment_wan=Decimal("2000.20"))
    assert table(office)[-1][7] == "3000.30"


def test_as_of_is_honoured_and_named(office):
    ProjectFactory(code="LF-001", started_on=dt.date(2024, 3, 1))
    page = workbook(office, as_of="2024-02-29")
    assert "数据截至：2024-02-29" in page.cell(2, 1).value
    assert column(page, "状态＝")[0] == "前期"
    assert column(page, "实际开工")[0] is None


def test_file_has_a_chinese_name_and_is_not_kept_by_caches(office):
    response = office.get(address(export="xlsx"))
    assert b"".join(response.streaming_content).startswith(b"PK")
    name = "%E5%B7%A5%E7%A8%8B%E6%80%BB%E5%8F%B0%E8%B4%A6_2025-02-20_%E6%BC%94%E7%A4%BA%E6%95%B0%E6%8D%AE"
    assert response["Content-Disposition"] == f"attachment; filename*=utf-8''{name}.xlsx"
    assert response["Cache-Control"] == "private, no-store"
    assert office.get(address(export="csv"))["Content-Disposition"] == f"attachment; filename*=utf-8''{name}.csv"


@pytest.mark.parametrize(
    ("query", "words"), [({"export": "doc"}, "只有 xlsx、csv 和 pdf"), ({"export": "xlsx", "stage": "9"}, "筛选条件有误")]
)
def test_what_cannot_be_exported_is_refused_in_chinese(office, query, words):
    response = office.get(address(**query))
    assert response.status_code == 400
    assert words in response.content.decode()


def test_county_exports_its_own_rows_only(client):
    county = CountyFactory()
    ProjectFactory(code="LF-001", county=county)
    ProjectFactory(code="LF-002", name="别县的工程")
    client.force_login(UserFactory(in_county=True, county=county))
    assert column(workbook(client), "编号") == ["LF-001", "合计"]
    assert "别县的工程" not in str(table(client))


def test_queries_grow_with_batches_not_with_rows(office, monkeypatch, django_assert_num_queries, django_assert_max_num_queries):
    def export():
        b"".join(office.get(address(export="csv")).streaming_content)

    PermitFactory(project=ProjectFactory(reported=1))
    with django_assert_max_num_queries(40) as first:
        export()
    for project in ProjectFactory.create_batch(29, reported=1):
        PermitFactory(project=project)
    forget()
    with django_assert_num_queries(len(first)):
        export()
    monkeypatch.setattr("ledgers.export.BATCH", 10)
    rows = table(office)
    assert len(rows) == 3 + 30 + 1
    assert [row[0] for row in rows[3:-1]] == sorted(row[0] for row in rows[3:-1])


def test_command_writes_the_whole_ledger(tmp_path, capsys):
    ProjectFactory.create_batch(2)
    file = tmp_path / "总台账.xlsx"
    call_command("export_ledger", "master", str(file), "--as-of", "2024-12-31")
    page = openpyxl.load_workbook(file)["工程总台账"]
    assert page.max_row == HEADINGS + 3
    assert "数据截至：2024-12-31" in page.cell(2, 1).value
    assert "工程总台账：2个项目，数据截至 2024-12-31" in capsys.readouterr().out


def test_command_writes_csv_too(tmp_path):
    ProjectFactory()
    file = tmp_path / "总台账.csv"
    call_command("export_ledger", "master", str(file))
    assert file.read_bytes().startswith(b"\xef\xbb\xbf")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["master", "{}/x.doc"], "须以 .xlsx 或 .csv 结尾"),
        (["master", "{}/x.xlsx", "--as-of", "2025-02-30"], "日期“2025-02-30”无效"),
        (["master", "{}/x.xlsx", "--as-of", "2025-02-21"], "晚于今天"),
        (["master", "{}/no/x.xlsx"], "写不了文件"),
    ],
)
def test_command_says_in_chinese_what_is_wrong(tmp_path, arguments, words):
    with pytest.raises(CommandError, match=words):
        call_command("export_ledger", *[argument.format(tmp_path) for argument in arguments])


def test_empty_ledger_exports_its_headings_and_a_total_of_nothing(office):
    page = workbook(office)
    assert column(page, "编号") == ["合计"]
    assert column(page, "总投资") == [0]
    assert len(LEDGERS["master"].table.base_columns) == len([cell for cell in page[HEADINGS] if cell.value])


class TestChosenColumns:
    """The file has the columns that the person chose on the page, in their order; key and name stay in front."""

    CHOSEN = ("total_investment_wan", "county")

    def test_the_file_has_the_columns_of_the_page(self, office):
        ProjectFactory(code="LF-001", name="一号河治理", total_investment_wan=Decimal("1234.50"))
        page = workbook(office, cols=self.CHOSEN)
        assert [cell.value for cell in page[HEADINGS]][2:] == ["总投资", "县（市、区）"]
        assert [cell.value for cell in page[HEADINGS + 1]][:3] == ["LF-001", "一号河治理", 1234.5]
        assert page.cell(HEADINGS + 2, 1).value == "合计"
        assert page.cell(HEADINGS + 2, 3).value == 1234.5
        assert table(office, cols=self.CHOSEN)[2] == [cell.value for cell in page[HEADINGS]]

    def test_what_is_only_folded_away_is_in_the_file(self, office):
        ProjectFactory()
        assert len(workbook(office)[HEADINGS]) == len(LEDGERS["master"].table.base_columns)

    def test_it_comes_back_without_a_change(self, office):
        ProjectFactory(total_investment_wan=Decimal("1234.50"))
        response = office.get(address(export="xlsx", cols=self.CHOSEN))
        found = rehearse(read_table(b"".join(response.streaming_content)), reason="核对", ledger=LEDGERS["master"])
        assert (found.changes, found.errors, found.complaints) == ([], [], [])


class TestGroups:
    """Grouped on the page, grouped in the file: a row of sums behind each group, which an import passes over."""

    @pytest.fixture(autouse=True)
    def city(self, region):
        first, second = CountyFactory(name="甲县"), CountyFactory(name="乙县")
        for n, county in enumerate((second, first, second), 1):
            ProjectFactory(code=f"LF-00{n}", county=county, total_investment_wan=Decimal(1000 * n))

    def test_each_group_has_its_sums_behind_it(self, office):
        page = workbook(office, group="county", cols="total_investment_wan")
        rows = [[cell.value for cell in row][:3] for row in page.iter_rows(min_row=HEADINGS + 1, max_row=HEADINGS + 6)]
        assert [(row[0], row[2]) for row in rows] == [
            ("LF-002", 2000), ("小计", 2000), ("LF-001", 1000), ("LF-003", 3000), ("小计", 4000), ("合计", 6000),
        ]  # fmt: skip
        assert [row[1] for row in rows if row[0] == "小计"] == ["甲县　1个", "乙县　2个"]
        assert page.cell(HEADINGS + 2, 1).font.bold
        assert [row[0] for row in table(office, group="county")[3:]][:6] == [row[0] for row in rows]

    def test_a_grouped_file_comes_back_without_a_change(self, office):
        response = office.get(address(export="xlsx", group="county"))
        found = rehearse(read_table(b"".join(response.streaming_content)), reason="核对", ledger=LEDGERS["master"])
        assert (found.changes, found.errors, found.complaints) == ([], [], [])

    def test_one_without_groups_has_no_sums_but_the_last(self, office):
        assert [row[0] for row in table(office)].count("小计") == 0

    def test_paper_has_them_too(self, office):
        assert office.get(address(export="pdf", group="county"))["Content-Type"] == "application/pdf"


@pytest.mark.parametrize(
    ("widths", "pinned", "paper", "across"),
    [
        ([10], 0, 9, 1),
        ([10] * 22, 2, 9, 1),  # 784 points of paper at 0.65: 229 characters
        ([10] * 23, 2, 9, 2),
        ([10] * 33, 2, 8, 1),  # 1,132 points: 331 characters
        ([10] * 34, 2, 8, 2),
        ([10] * 64, 2, 8, 2),  # the pinned ones again on the second sheet: 663 characters
        ([10] * 65, 2, 8, 3),
        ([400] * 3, 3, 9, 3),  # no more sheets than columns
    ],
)
def test_a_sheet_is_printed_so_wide_that_it_can_be_read(widths, pinned, paper, across):
    assert export.pages_across(widths, pinned, paper) == across


def test_columns_that_recognise_a_row_stand_on_each_sheet_of_paper(office):
    ProjectFactory()
    page = workbook(office)
    assert (page.page_setup.fitToWidth, page.page_setup.fitToHeight, page.page_setup.pageOrder) == (2, 0, "overThenDown")
    assert page.print_title_cols == "$A:$C"
    assert page.print_title_rows == "$3:$4"
    page = workbook(office, cols="stage,lag")
    assert (page.page_setup.fitToWidth, page.print_title_cols) == (1, None)


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        (None, 4, 1), (5, 4, 1), ("", 4, 1), ("河道", 4, 1), ("河道治", 4, 2), ("abcd", 4, 1), ("abcde", 4, 2), ("一\n二", 40, 2),
        ("一\n\n二", 40, 3), ("长" * 500, 10, export.MOST_LINES),
    ],
)  # fmt: skip
def test_lines_that_a_text_takes(text, width, lines):
    assert export._lines(text, width) == lines


def test_a_row_is_as_high_as_its_longest_text(office):
    ProjectFactory(scale="治理河道，" * 20)
    ProjectFactory(scale="治理河道")
    page = workbook(office)
    heights = [page.row_dimensions[row].height for row in (5, 6)]
    assert heights == [5 + 13 * 5, None]
