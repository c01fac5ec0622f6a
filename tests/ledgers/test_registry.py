import datetime as dt

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from ledgers.columns import LedgerColumn
from ledgers.registry import LEDGERS
from tests.factories import ProjectFactory, RegionFactory, UserFactory

TODAY = dt.date(2025, 2, 20)


@pytest.mark.parametrize("ledger", LEDGERS.values(), ids=list(LEDGERS))
class TestEveryLedger:
    def test_slug_is_its_key(self, ledger):
        assert LEDGERS[ledger.slug] is ledger

    def test_columns_are_ledger_columns_with_a_group(self, ledger):
        assert all(isinstance(column, LedgerColumn) and column.group for column in ledger.table.base_columns.values())

    def test_groups_are_not_torn_apart(self, ledger):
        groups = [column.group for column in ledger.table.base_columns.values()]
        seen = list(dict.fromkeys(groups))
        assert groups == sorted(groups, key=seen.index)

    def test_brief_view_and_label_name_columns_that_exist(self, ledger):
        assert {*ledger.table.details, ledger.label_column} <= set(ledger.table.base_columns)

    @pytest.mark.django_db
    def test_every_row_has_every_column(self, ledger):
        ProjectFactory(reported=40)
        rows = ledger.read(TODAY, ledger.keys(ledger.rows(TODAY)))
        assert len(rows) == 1
        assert set(ledger.table.base_columns) <= set(rows[0])

    @pytest.mark.django_db
    def test_every_column_that_can_be_sorted_sorts_both_ways(self, ledger):
        ProjectFactory.create_batch(2, reported=40)
        ProjectFactory(not_started=True)
        for name, column in ledger.table.base_columns.items():
            if not column.sort:
                continue
            for order in (name, f"-{name}"):
                table = ledger.table(ledger.rows(TODAY), order_by=order)
                assert len(ledger.keys(table.data.data)) == 3


def test_master_ledger_has_the_columns_of_the_office_in_its_order():
    headings = [str(column.verbose_name) for column in LEDGERS["master"].table.base_columns.values()]
    assert headings == [
        "编号", "省定序号", "项目名称", "县（市、区）", "领域", "建设性质", "建设规模及主要内容", "总投资", "资金来源", "项目业主",
        "责任单位",
        "牵头部门", "包联领导", "基线开工", "基线完工", "预计开工", "预计完工", "实际开工", "实际完工", "状态", "总体进度", "累计到位",
        "累计完成投资", "卡点手续", "未销号问题", "风险", "更新于（周）",
    ]  # fmt: skip


def test_what_is_computed_is_marked():
    computed = [str(column.verbose_name) for column in LEDGERS["master"].table.base_columns.values() if column.is_computed]
    assert computed == ["状态", "总体进度", "累计到位", "累计完成投资", "卡点手续", "未销号问题", "风险", "更新于（周）"]


@pytest.mark.django_db
def test_list_of_ledgers_names_each_with_its_rows(client):
    RegionFactory()
    ProjectFactory.create_batch(3)
    client.force_login(UserFactory())
    page = client.get(reverse("ledgers")).content.decode()
    assert all(ledger.title in page for ledger in LEDGERS.values())
    assert '<span class="digits">3</span> 个项目' in page


@pytest.mark.django_db
def test_command_refuses_a_ledger_that_does_not_exist(tmp_path):
    with pytest.raises(CommandError, match="没有台账“nothing”，现有：master（工程总台账）"):
        call_command("export_ledger", "nothing", str(tmp_path / "x.xlsx"))
