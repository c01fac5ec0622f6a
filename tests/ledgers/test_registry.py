import datetime as dt
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from ledgers.columns import LedgerColumn
from ledgers.meeting_models import CheckFinding, Decision, Meeting
from ledgers.registry import LEDGERS
from linfen_water import trail
from linfen_water.enums import Role
from projects.enums import PermitKind
from projects.site_models import AcceptanceFact, ArchiveCheck, ArchiveEntry, ArchiveItem, Inspection
from projects.target_models import AnnualTarget, Milestone, ProvincialFigure, ProvincialTerm
from tests.factories import AssessmentFactory, PermitFactory, ProjectFactory, RegionFactory, SectionFactory, UnitFactory, UserFactory

TODAY = dt.date(2025, 2, 20)


def projects():
    """Three rows, one of them with nothing known."""
    ProjectFactory.create_batch(2, reported=40)
    ProjectFactory(not_started=True)


def sections():
    AssessmentFactory.create_batch(2, values={"ph": "8", "nh3n": "0.5"})
    SectionFactory()


def permits():
    """Three papers of one project, two of them with nothing known."""
    project = ProjectFactory()
    for kind in (PermitKind.EIA, PermitKind.TENDER):
        PermitFactory(project=project, kind=kind)
    PermitFactory(project=project, kind=PermitKind.LAND_USE, submitted_on=dt.date(2025, 1, 6), promised_workdays=10)


def decisions():
    meeting = Meeting.objects.create(kind="joint", held_on=TODAY - dt.timedelta(days=9), chair_post="专班办主任")
    for n in range(3):
        unit, due_on = UnitFactory(), TODAY - dt.timedelta(days=2) if n else None
        Decision.objects.create(meeting=meeting, what=f"第{n}件事", lead_unit=unit, due_on=due_on, closed_on=TODAY if n == 2 else None)


def inspections():
    visit = {"planned_on": TODAY, "leader_post": "科长"}
    for day in (TODAY, TODAY - dt.timedelta(days=7)):
        Inspection.objects.create(
            project=ProjectFactory(reported=40), visited_on=day, site_progress=38, demands="整改", due_on=day, **visit
        )
    Inspection.objects.create(project=ProjectFactory(), **visit)


def acceptance():
    for project in ProjectFactory.create_batch(3, finished=True):
        AcceptanceFact.objects.create(project=project, kind="final", on=TODAY, doc_number="一号")


def archives():
    project = ProjectFactory()
    for n in range(3):
        entry = ArchiveEntry.objects.create(group="施工", name=f"第{n}项", position=n)
        item = ArchiveItem.objects.create(project=project, entry=entry, required=2)
        if n:
            ArchiveCheck.objects.create(item=item, on=TODAY, present=n, pages=12, checker_post="科长")


def provincial():
    for project in ProjectFactory.create_batch(2, reported=40):
        ProvincialTerm.objects.create(project=project, effective_on=TODAY, category="水利", ground="清单")
        ProvincialFigure.objects.create(project=project, on=TODAY, invested_wan=300, ground="省调度")
    ProjectFactory(not_started=True)


def annual():
    for project in ProjectFactory.create_batch(2, reported=40):
        AnnualTarget.objects.create(project=project, year=2025, kind="finish", text="年底前完工", plan_wan=500, set_on=TODAY)
        Milestone.objects.create(project=project, name="主体完工", due_on=TODAY, responsible_post="业主负责人")
    ProjectFactory(not_started=True)


def counties():
    ProjectFactory.create_batch(2, reported=40)  # each in a county of its own
    ProjectFactory(finished=True)


def notices():
    for n in range(3):
        unit = UnitFactory()
        CheckFinding.objects.create(
            year=2025, issue=n + 1, on=TODAY, unit=unit, category="safety", place="基坑", text="无防护", due_on=TODAY
        )


# A ledger that is not there has a test of its own.
FILL = {"master": projects, "weekly": projects, "submissions": projects, "sections": sections, "permits": permits} | {
    "decisions": decisions, "inspections": inspections, "acceptance": acceptance, "archives": archives, "notices": notices,
    "provincial": provincial, "annual": annual, "counties": counties,
}  # fmt: skip


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
        named = {*ledger.table.details, ledger.label_column, ledger.words_column} - {""}
        assert named <= set(ledger.table.base_columns)

    def test_what_is_summed_is_told_in_words_too(self, ledger):
        assert (ledger.totals is None) == (ledger.spoken_totals is None)


@pytest.mark.django_db
@pytest.mark.parametrize("slug", FILL)
class TestEveryLedgerWithRows:
    def test_every_row_has_every_column(self, slug):
        FILL[slug]()
        ledger = LEDGERS[slug]
        chosen = ledger.opened(TODAY).qs
        rows = ledger.read_rows(TODAY, chosen)
        assert len(rows) == chosen.count() == 3
        assert all(set(ledger.table_for(chosen).base_columns) <= set(row) for row in rows)

    def test_every_column_that_can_be_sorted_sorts_both_ways(self, slug):
        FILL[slug]()
        ledger = LEDGERS[slug]
        for name, column in ledger.table.base_columns.items():
            if not column.sort:
                continue
            for order in (name, f"-{name}"):
                chosen = ledger.opened(TODAY).qs
                table = ledger.table_for(chosen)(chosen, order_by=order)
                assert len(table.rows) == 3

    def test_batches_are_the_rows_in_their_order(self, slug):
        FILL[slug]()
        ledger = LEDGERS[slug]
        chosen = ledger.opened(TODAY).qs
        batches = list(ledger.read_batches(TODAY, chosen, 2))
        assert [len(batch) for batch in batches] == [2, 1]
        assert [row for batch in batches for row in batch] == ledger.read_rows(TODAY, chosen)


def test_master_ledger_has_the_columns_of_the_office_in_its_order():
    headings = [str(column.verbose_name) for column in LEDGERS["master"].table.base_columns.values()]
    assert headings == [
        "编号", "省定序号", "项目名称", "县（市、区）", "领域", "建设性质", "建设规模及主要内容", "总投资", "资金来源", "项目业主",
        "责任单位",
        "牵头部门", "包联领导", "基线开工", "基线完工", "预计开工", "预计完工", "实际开工", "实际完工", "状态", "总体进度",
        "计划进度（%）", "序时差（百分点）", "累计到位", "累计完成投资", "卡点手续", "未销号问题", "风险",
        "更新于（周）",
    ]  # fmt: skip


def test_what_is_computed_is_marked():
    computed = [str(column.verbose_name) for column in LEDGERS["master"].table.base_columns.values() if column.is_computed]
    assert computed == [
        "状态", "总体进度", "计划进度（%）", "序时差（百分点）", "累计到位", "累计完成投资", "卡点手续", "未销号问题", "风险",
        "更新于（周）",
    ]  # fmt: skip


@pytest.mark.django_db
def test_list_of_ledgers_names_each_with_its_rows(client):
    RegionFactory()
    projects()
    sections()
    client.force_login(UserFactory())
    page = client.get(reverse("ledgers")).content.decode()
    assert all(ledger.title in page for ledger in LEDGERS.values())
    assert '<span class="digits">3</span> 个项目' in page
    assert '<span class="digits">3</span> 条断面水质记录' in page


@pytest.mark.django_db
def test_counts_of_the_list_are_found_once_until_facts_change(client, django_assert_max_num_queries):
    RegionFactory()
    projects()
    client.force_login(UserFactory(role=Role.OFFICE))
    client.get(reverse("ledgers"))
    with django_assert_max_num_queries(8):
        client.get(reverse("ledgers"))
    trail.record(action="project.update", subject=ProjectFactory(), by=None)
    assert '<span class="digits">4</span> 个项目' in client.get(reverse("ledgers")).content.decode()


@pytest.mark.django_db
def test_where_there_are_many_projects_the_list_opens_no_computed_ledger(client, monkeypatch):
    monkeypatch.setattr("ledgers.views.ledger.INLINE_TOTALS", 2)
    RegionFactory()
    projects()
    client.force_login(UserFactory())
    page = client.get(reverse("ledgers")).content.decode()
    assert '<span class="digits">3</span> 个项目' in page
    assert page.count("打开时计算") == sum(ledger.read is None for ledger in LEDGERS.values())


@pytest.mark.django_db
def test_command_refuses_a_ledger_that_does_not_exist(tmp_path):
    with pytest.raises(CommandError, match="没有台账“nothing”，现有：master（工程总台账）"):
        call_command("export_ledger", "nothing", str(tmp_path / "x.xlsx"))


@pytest.mark.django_db
def test_finished_projects_are_summed_by_what_became_of_them():
    RegionFactory()
    done, _ = ProjectFactory(finished=True), ProjectFactory(finished=True)
    AcceptanceFact.objects.create(project=done, kind="final", on=TODAY, doc_number="一号")
    AcceptanceFact.objects.create(project=done, kind="accounts", on=TODAY, amount_wan=Decimal("120.50"))
    ledger = LEDGERS["acceptance"]
    sums = ledger.totals(TODAY, ledger.opened(TODAY).qs)
    assert (sums.count, sums.accepted, sums.accounts_wan) == (2, 1, Decimal("120.50"))
    assert ledger.spoken_totals(sums) == "已竣工验收1个，已达效0个"
