"""A cell's history and source, and what changed between two days. Every ledger of the registry."""

import datetime as dt
import io
import json
import re
from decimal import Decimal

import pytest
from django.urls import reverse
from openpyxl import load_workbook

from ledgers import history
from ledgers.registry import LEDGERS
from ledgers.writing import fingerprint
from projects.enums import DispatchState, PermitKind, StageEvent
from projects.models import StageFact
from projects.permit_services import save_permit
from projects.services import revise_project
from tests.caches import forget
from tests.factories import (
    LAST_WEEK,
    TODAY,
    AssessmentFactory,
    CountyFactory,
    DispatchFactory,
    PermitFactory,
    ProblemFactory,
    ProjectFactory,
    UserFactory,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("region")]
BEFORE = TODAY - dt.timedelta(days=14)


def cell(slug, row, col, **query):
    return reverse("ledger_cell", args=[slug], query={"row": row, "col": col} | query)


def ledger(slug="master", **query):
    return reverse("ledger", args=[slug], query=query or None)


def text(response) -> str:
    assert response.status_code == 200, response
    return b"".join(response.streaming_content).decode() if response.streaming else response.content.decode()


class TestHistory:
    def test_versions_say_who_changed_what_from_what_and_why(self, office):
        project, person = ProjectFactory(name="旧名工程"), UserFactory(post="综合科科长")
        revise_project(project=project, effective_from=TODAY, reason="批复〔2025〕8号", by=person, name="新名工程")
        found = history.project_history(project.pk, "name", TODAY)
        assert [(e.old, e.new, e.reason, e.on) for e in found] == [
            ("旧名工程", "新名工程", "批复〔2025〕8号", TODAY),
            ("", "旧名工程", "列入清单", project.listed_on),
        ]
        page = text(office.get(cell("master", project.pk, "name")))
        assert "<s>旧名工程</s>" in page
        assert "综合科科长" in page
        assert "批复〔2025〕8号" in page
        assert f'href="/projects/{project.code}/"' in page

    def test_a_past_day_does_not_know_later_versions(self):
        project = ProjectFactory(name="旧名工程")
        revise_project(project=project, effective_from=TODAY, reason="更名", by=None, name="新名工程")
        assert [e.new for e in history.project_history(project.pk, "name", TODAY - dt.timedelta(days=1))] == ["旧名工程"]

    def test_reports_say_week_by_week_and_what_was_returned_does_not_count(self):
        project = ProjectFactory()
        earlier = LAST_WEEK - dt.timedelta(days=7)
        DispatchFactory(project=project, week_of=earlier, physical_progress=30)
        DispatchFactory(project=project, week_of=LAST_WEEK, physical_progress=90, state=DispatchState.RETURNED, is_live=False)
        DispatchFactory(project=project, week_of=LAST_WEEK, revision=2, physical_progress=40)
        found = history.project_history(project.pk, "physical_progress", TODAY)
        assert [(e.old, e.new, e.is_void) for e in found] == [
            ("30.00", "40.00", False),
            ("30.00", "90.00", True),
            ("", "30.00", False),
        ]
        assert found[0].source.startswith("周调度 2025年第7周")

    def test_start_and_completion_say_their_ground(self):
        project = ProjectFactory()
        StageFact.objects.filter(project=project).delete()
        StageFact.objects.create(project=project, event=StageEvent.START, on=dt.date(2024, 3, 1), ground="现场核查")
        assert [(e.new, e.source) for e in history.project_history(project.pk, "stage", TODAY)] == [("开工 2024-03-01", "现场核查")]

    def test_what_no_ledger_declares_comes_from_the_trail(self, office):
        permit = PermitFactory(kind=PermitKind.EIA)
        person = UserFactory(post="经办人")
        values = {"note": "等批复"} | {
            name: getattr(permit, name)
            for name in ("is_required", "authority", "submitted_on", "promised_workdays", "obtained_on", "doc_number", "valid_until",
                         "parallel_group", "helper_post")
        }  # fmt: skip
        save_permit(permit=permit, version=permit.edit_version, values=values, by=person)
        page = text(office.get(cell("permits", permit.pk, "note")))
        assert "等批复" in page
        assert "经办人" in page
        assert "手续页" in page

    def test_weekly_rows_are_opened_by_week_and_code(self, office):
        project = ProjectFactory(reported=40)
        page = text(office.get(cell("weekly", f"{LAST_WEEK}.{project.code}", "physical_progress", week=LAST_WEEK.isoformat())))
        assert "周调度 2025年第7周" in page

    def test_a_county_opens_no_cell_of_another(self, client):
        mine, other = CountyFactory(), CountyFactory()
        own, foreign = ProjectFactory(county=mine), ProjectFactory(county=other)
        problem = ProblemFactory(project=foreign)
        client.force_login(UserFactory(in_county=True, county=mine))
        assert client.get(cell("master", own.pk, "name")).status_code == 200
        assert client.get(cell("master", foreign.pk, "name")).status_code == 404
        assert client.get(cell("problems", problem.pk, "description")).status_code == 404
        assert client.get(cell("weekly", f"{LAST_WEEK}.{foreign.code}", "done")).status_code == 404

    @pytest.mark.parametrize(("row", "col"), [("x", "name"), ("", "name"), ("999999", "name"), ("1" * 40, "name"), ("٣", "name")])
    def test_nonsense_is_not_found(self, office, row, col):
        assert office.get(cell("master", row, col)).status_code == 404

    def test_unknown_column_is_not_found(self, office):
        project = ProjectFactory()
        for col in ("pk", "marks", "key", "nothing"):
            assert office.get(cell("master", project.pk, col)).status_code == 404

    def test_same_queries_for_one_report_and_many(self, office, django_assert_max_num_queries, django_assert_num_queries):
        project = ProjectFactory()
        person = UserFactory(in_county=True)
        DispatchFactory(project=project, week_of=LAST_WEEK, physical_progress=9, submitted_by=person)
        with django_assert_max_num_queries(40) as first:
            office.get(cell("master", project.pk, "physical_progress"))
        for n in range(1, 12):
            week = LAST_WEEK - dt.timedelta(weeks=n)
            DispatchFactory(project=project, week_of=week, physical_progress=8, submitted_by=UserFactory(in_county=True))
        forget()
        with django_assert_num_queries(len(first)):
            office.get(cell("master", project.pk, "physical_progress"))


class TestSince:
    def test_changed_cells_show_what_was_in_them(self, office):
        project = ProjectFactory(name="旧名工程", total_investment_wan=Decimal("1000"))
        revise_project(project=project, effective_from=TODAY, reason="概算调整", by=None, total_investment_wan=Decimal("1500"))
        page = text(office.get(ledger(since=BEFORE.isoformat())))
        assert f"与 {BEFORE} 相比：有变化1行，共1处变化" in page
        assert '<s class="was">1000.00</s> <a class="apart"' in page
        assert '≠</a> 1,500.00<span class="visually-hidden">（有变化）</span>' in page

    def test_new_rows_and_rows_that_are_gone_are_marked(self, office):
        ProjectFactory(code="LF-001", name="老工程")
        ProjectFactory(code="LF-002", name="新列入", listed_on=TODAY)
        gone = ProjectFactory(code="LF-003", name="已调出")
        gone.__class__.objects.filter(pk=gone.pk).update(delisted_on=TODAY, delisted_reason="并入")
        page = text(office.get(ledger(since=BEFORE.isoformat())))
        assert "新增1行、减少1行" in page
        body = page.split("<tbody>")[1].split("</tbody>")[0]
        lines = {line.split(">")[0]: line for line in body.split("<tr ")}
        assert any("is-added" in head and "新列入" in line for head, line in lines.items())
        assert any("is-removed" in head and "已调出" in line for head, line in lines.items())
        assert not any("is-" in head and "老工程" in line for head, line in lines.items())

    def test_what_changed_is_shown_first_and_all_is_one_click_away(self, office):
        changed, same = ProjectFactory(name="变了的"), ProjectFactory(name="没变的")
        revise_project(project=changed, effective_from=TODAY, reason="更正", by=None, owner="新业主")
        answer = office.get(ledger(since=BEFORE.isoformat()))
        page = text(answer)
        assert [column.name for column in answer.context["table"].columns] == ["code", "name", "owner"]
        assert "变了的" in page
        assert same.versions.get().name not in page
        assert "合计" not in page.partition("<tbody>")[2]  # of some rows only
        whole = office.get(ledger(since=BEFORE.isoformat(), changed="0", view="all"))
        assert len(whole.context["table"].columns) == len(LEDGERS["master"].table.base_columns)
        assert "没变的" in text(whole)
        assert "合计 2 个" in text(whole)
        offered = text(office.get(ledger(since=BEFORE.isoformat(), part="columns"), headers={"HX-Request": "true"}))
        assert offered.count("checked") == 3

    def test_nothing_changed_is_said(self, office):
        ProjectFactory()
        assert f"<p>与 {BEFORE} 相比：没有变化。</p>" in re.sub(r"\s*\n\s*", "", text(office.get(ledger(since=BEFORE.isoformat()))))

    def test_rows_that_are_gone_are_seen_when_nothing_else_changed(self, office):
        ProjectFactory()
        gone = ProjectFactory(name="已调出")
        gone.__class__.objects.filter(pk=gone.pk).update(delisted_on=TODAY, delisted_reason="并入")
        assert "已调出" in text(office.get(ledger(since=BEFORE.isoformat())))

    def test_comparison_is_between_any_two_days(self, office):
        project = ProjectFactory()
        revise_project(project=project, effective_from=dt.date(2024, 6, 1), reason="一", by=None, owner="甲公司")
        revise_project(project=project, effective_from=dt.date(2024, 9, 1), reason="二", by=None, owner="乙公司")
        page = text(office.get(ledger(since="2024-05-01", as_of="2024-07-01", cols="owner")))
        assert '<s class="was">演示水务公司</s> 甲公司' in page
        assert "乙公司" not in page

    def test_the_list_of_changes_is_exported_as_text(self, office):
        project = ProjectFactory(code="LF-009", name="=1+1")
        revise_project(project=project, effective_from=TODAY, reason="更正", by=None, owner="=cmd()")
        csv = text(office.get(ledger(since=BEFORE.isoformat(), export="csv")))
        assert "修改,LF-009 =1+1,项目业主,演示水务公司,'=cmd()" in csv
        book = load_workbook(io.BytesIO(b"".join(office.get(ledger(since=BEFORE.isoformat(), export="xlsx")).streaming_content)))
        cells = [c for row in book.active.iter_rows() for c in row]
        assert [c.data_type for c in cells if c.value == "=cmd()"] == ["s"]

    def test_an_impossible_day_is_told_at_the_field(self, office):
        ProjectFactory()
        page = text(office.get(ledger(since="2025-02-31")))
        assert "日期“2025-02-31”无效" in page

    @pytest.mark.parametrize("slug", LEDGERS)
    def test_every_ledger_compares_two_days(self, office, slug):
        project = ProjectFactory(reported=40)
        PermitFactory(project=project, submitted_on=dt.date(2025, 2, 18))
        ProblemFactory(project=project, raised_on=dt.date(2025, 2, 18))
        AssessmentFactory(values={"ph": "8"})
        assert "相比" in text(office.get(ledger(slug, since=BEFORE.isoformat())))

    def test_a_county_sees_no_foreign_row_of_the_past(self, client):
        mine, other = CountyFactory(), CountyFactory()
        ProjectFactory(county=mine)
        gone = ProjectFactory(county=other, name="别县已调出")
        gone.__class__.objects.filter(pk=gone.pk).update(delisted_on=TODAY, delisted_reason="并入")
        client.force_login(UserFactory(in_county=True, county=mine))
        for address in (ledger(since=BEFORE.isoformat()), ledger(since=BEFORE.isoformat(), export="csv")):
            assert "别县已调出" not in text(client.get(address))

    def test_a_ledger_too_long_is_compared_page_by_page(self, office, monkeypatch):
        monkeypatch.setattr("ledgers.since.MOST_COMPARED", 1)
        project, _ = ProjectFactory(), ProjectFactory()
        revise_project(project=project, effective_from=TODAY, reason="更正", by=None, owner="新业主")
        page = text(office.get(ledger(since=BEFORE.isoformat())))
        assert "只标出本页的变化" in page
        assert '<s class="was">演示水务公司</s> 新业主' in page

    def test_same_queries_for_one_row_and_thirty(self, office, django_assert_max_num_queries, django_assert_num_queries):
        ProjectFactory(reported=40)
        with django_assert_max_num_queries(80) as first:
            office.get(ledger(since=BEFORE.isoformat()))
        ProjectFactory.create_batch(29, reported=40)
        forget()
        with django_assert_num_queries(len(first)):
            office.get(ledger(since=BEFORE.isoformat()))


def test_a_total_that_no_longer_agrees_with_its_sources_is_said_at_once(office):
    project = ProjectFactory(total_investment_wan=Decimal(1000))
    said = {"value": "1330.45", "reason": "概算批复", "seen": fingerprint(Decimal(1000))}
    answer = office.post(cell("master", "", ""), {"row": project.pk, "col": "total_investment_wan"} | said)
    told = json.loads(answer["HX-Trigger"])["cell-written"]
    assert told["remark"] == "资金来源计划合计比总投资少330.45万元，请到资金台账核对。"
    page = text(office.get(ledger()))
    assert 'aria-label="资金来源计划合计比总投资少330.45万元，看资金来源">≠</a> 1,330.45' in page
    source = project.funding.get()
    answer = office.post(cell("funds", "", ""), {"row": source.pk, "col": "planned_wan"} | said)
    assert json.loads(answer["HX-Trigger"])["cell-written"]["remark"] == ""
    assert "≠" not in text(office.get(ledger()))


class TestCounts:
    """What a comparison counts is told apart from what the ledger holds."""

    def words(self, page) -> str:
        return " ".join(re.sub(r"<[^>]*>", " ", page.partition('id="ledger-count"')[2].partition(">")[2].partition("</p>")[0]).split())

    def test_changed_rows_are_called_so(self, office):
        ProjectFactory.create_batch(2)
        revise_project(project=ProjectFactory(), effective_from=TODAY, reason="一", by=None, owner="甲公司")
        assert self.words(text(office.get(ledger(since=BEFORE.isoformat())))).startswith("有变化的 1 个项目")
        assert self.words(text(office.get(ledger(since=BEFORE.isoformat(), changed="0")))).startswith("共 3 个项目")

    def test_of_columns_that_are_not_shown_nothing_is_said(self, office):
        revise_project(project=ProjectFactory(), effective_from=TODAY, reason="一", by=None, owner="甲公司")
        page = text(office.get(ledger(since=BEFORE.isoformat(), cols="stage")))
        assert "没有变化（只比所显示的列）" in page
        assert "只比所显示的列" not in text(office.get(ledger(since=BEFORE.isoformat())))


def test_what_is_typed_stays_only_where_conditions_unfold(office):
    assert "hx-preserve" not in text(office.get(ledger()))
    assert "hx-preserve" not in text(office.get(ledger(unfolded="1")))
    assert "hx-preserve" in text(office.get(ledger(part="filters"), headers={"HX-Request": "true"}))
