"""What the panel of a cell says of a value that nobody types in its ledger."""

from decimal import Decimal

import pytest
from django.urls import reverse

from ledgers.cell_sources import about_intake, sources_of
from ledgers.columns import LedgerColumn
from ledgers.registry import LEDGERS
from projects.enums import Stage
from projects.services import revise_project
from tests.factories import TODAY, ProjectFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("region")]
COLUMNS = {"code": LedgerColumn("编号")}


def panel(client, row, col, slug="master", **query) -> str:
    return client.get(
        reverse("ledger_cell", args=[slug], query={"row": row, "col": col} | query), headers={"HX-Request": "true"}
    ).content.decode()


def made_of(name, **row):
    known = {
        "code": "LF-001",
        "stage": Stage.UNDER_CONSTRUCTION,
        "planned_progress": Decimal("86.6667"),
        "physical_progress": Decimal("65.5"),
    }
    known["lag"] = Decimal("21.1667")
    [source] = sources_of(LEDGERS["master"], known | row, name, COLUMNS, TODAY)
    return source


class TestRisk:
    def test_it_says_the_difference_and_the_rule(self):
        said = made_of("risk").sentence
        assert "计划进度 86.67% − 总体进度 65.50% = 21.17 个百分点" in said
        assert "满 10 个百分点为滞后，超过 30 个为严重滞后" in said

    def test_who_is_ahead_is_so_with_its_sign(self):
        assert "50.00% − 总体进度 60.00% = -10.00" in made_of(
            "risk", planned_progress=Decimal(50), physical_progress=Decimal(60), lag=Decimal(-10)
        ).sentence  # fmt: skip

    def test_nothing_reported_and_finished_have_no_difference(self):
        assert "还没有填报总体进度，为未报" in made_of("risk", lag=None, physical_progress=None).sentence
        assert "不再判定" in made_of("risk", stage=Stage.FINISHED).sentence


def test_every_column_of_projects_that_is_not_typed_says_where_it_comes_from(office):
    project, writer = ProjectFactory(reported=40), LEDGERS["master"].writer
    for name in LEDGERS["master"].table.base_columns:
        page = panel(office, project.pk, name)
        assert ("data-edit-cell" in page) is (name in writer.fields), name
        assert ("cell-source" in page) is (name not in writer.fields), name


def test_money_leads_to_its_ledger_and_is_written_as_the_table_writes_it(office):
    project = ProjectFactory(code="LF-050", total_investment_wan=Decimal("45249.94"))
    assert 'href="/ledgers/funds/?q=LF-050"' in panel(office, project.pk, "funding")
    revise_project(project=project, effective_from=TODAY, reason="概算", by=None, total_investment_wan=Decimal("1234567.8"))
    page = panel(office, project.pk, "total_investment_wan")
    assert "<s>45,249.94</s>" in page
    assert page.count("1,234,567.80") == 2
    assert "45249.94" not in page


class TestNotHere:
    def test_a_past_day_leads_back_to_today_who_may_write_today(self, office):
        page = panel(office, ProjectFactory().pk, "owner", as_of="2025-01-20", county="141081")
        assert "历史日期只能查看" in page
        assert 'href="/ledgers/master/?county=141081"' in page

    def test_what_nobody_types_is_not_promised_for_today(self, office):
        assert "历史日期只能查看" not in panel(office, ProjectFactory().pk, "risk", as_of="2025-01-20")

    @pytest.mark.parametrize("query", [{}, {"as_of": "2025-01-20"}])
    def test_a_reader_is_told_that_others_type_it(self, client, query):
        client.force_login(UserFactory(leader=True))
        page = panel(client, ProjectFactory().pk, "owner", **query)
        assert "这一格不由您填写" in page
        assert "历史日期只能查看" not in page


@pytest.mark.parametrize("slug", LEDGERS)
def test_no_ledger_speaks_of_files_in_a_cell(slug):
    said = about_intake(LEDGERS[slug])
    assert said.endswith("。")
    assert "不从" not in said
    assert "。。" not in said
