"""Visits, acceptance, the province's facts and the year's targets, written through their ledgers."""

import datetime as dt
import io
from decimal import Decimal

import openpyxl
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ledgers import export, intake, own_services
from ledgers.own import find_ledger
from ledgers.page_models import OwnValue
from ledgers.project_writers import ACCEPTANCE, ANNUAL, INSPECTIONS, PROVINCIAL, YEARS, acceptance_history, provincial_history
from ledgers.registry import LEDGERS
from ledgers.writing import Change, NotWritten, fingerprint, undone, write
from linfen_water import trail
from linfen_water.models import TrailEvent
from linfen_water.workbook import Row, Sheet, read_workbook
from projects import acceptance, inspections, records
from projects.site_models import AcceptanceFact, Inspection
from projects.target_models import AnnualTarget, ProvincialFigure, ProvincialTerm
from tests.factories import TODAY, DomainFactory, ProjectFactory, RegionFactory, UnitFactory, UserFactory

pytestmark = pytest.mark.django_db
DAY = dt.date(2025, 2, 3)


@pytest.fixture(autouse=True)
def region():
    return RegionFactory()


@pytest.fixture
def office():
    return UserFactory()


def visit(**values) -> int:
    project = values.pop("project", None) or ProjectFactory(code="LF-001")
    values = {"planned_on": DAY, "visited_on": DAY, "leader_post": "演示岗位"} | values
    return Inspection.objects.create(project=project, **values).pk


def finished() -> int:
    return ProjectFactory(code="LF-001", finished=True).pk


def listed() -> int:
    return ProjectFactory(code="LF-001").pk


def target() -> int:
    project = ProjectFactory(code="LF-001")
    AnnualTarget.objects.create(project=project, year=2025, kind="start", text="年内开工", plan_wan=300, set_on=dt.date(2025, 1, 5))
    return project.pk * YEARS + 2025


def faults_of(writer, *changes, **kwargs) -> list[tuple[str, str]]:
    with pytest.raises(NotWritten) as refused:
        write(writer, changes, **({"reason": "批复"} | kwargs))
    return [(fault.column, fault.sentence) for fault in refused.value.faults]


def sheet(*rows) -> list[Sheet]:
    return [Sheet("表", False, [Row(number, list(cells)) for number, cells in enumerate(rows, 1)])]


@pytest.mark.parametrize(
    ("writer", "made", "column", "value", "again"),
    [
        (INSPECTIONS, visit, "content", "查看现场", "另一处"),
        (ACCEPTANCE, finished, "handover_on", "2025-01-15", "2025-01-16"),
        (PROVINCIAL, listed, "category", "甲类", "乙类"),
        (ANNUAL, target, "plan_wan", "0.05亿元", "700"),
    ],
    ids=lambda one: getattr(one, "slug", ""),
)
class TestEach:
    def test_a_leader_only_reads(self, writer, made, column, value, again):
        pk, leader = made(), UserFactory(leader=True)
        assert not writer.may_take_in(leader)
        assert faults_of(writer, Change(pk, column, value), by=leader) == [(column, "这一格不由您填写。")]

    def test_a_stranger_finds_no_row(self, writer, made, column, value, again):
        pk, stranger = made(), UserFactory(in_county=True)
        assert faults_of(writer, Change(pk, column, value), by=stranger)
        assert not getattr(writer.row(pk, by=stranger), "held", frozenset())

    def test_is_written_by_a_command_too_and_leaves_its_event(self, writer, made, column, value, again):
        pk, before = made(), TrailEvent.objects.count()
        assert len(write(writer, [Change(pk, column, value)], by=None, reason="台账导入", source="import abc")) == 1
        event = TrailEvent.objects.order_by("pk").last()
        assert (TrailEvent.objects.count() - before, event.origin, event.reason) == (1, "import abc", "台账导入")
        assert trail.verify(writer.row(pk, by=None).chain) is None

    def test_second_editor_sees_both_values(self, writer, made, column, value, again, office):
        pk = made()
        seen = writer.row(pk, by=office).seen(column)
        write(writer, [Change(pk, column, value, seen)], by=office, reason="批复")
        with pytest.raises(NotWritten) as refused:
            write(writer, [Change(pk, column, again, seen)], by=office, reason="批复")
        assert [fault.is_conflict for fault in refused.value.faults] == [True]

    def test_is_found_by_its_key(self, writer, made, column, value, again, office):
        assert made() in writer.index(office, TODAY).values()


# ── 现场督导 ──


def test_a_department_writes_the_visits_that_it_entered():
    officer = UserFactory(in_department=True)
    project = ProjectFactory(domain=officer.unit.domain)
    mine, other = visit(project=project, by=officer), visit(project=project, visited_on=dt.date(2025, 2, 5))
    write(INSPECTIONS, [Change(mine, "site_progress", "45.5%")], by=officer)
    assert Inspection.objects.get(pk=mine).site_progress == Decimal("45.5")
    assert faults_of(INSPECTIONS, Change(other, "content", "x"), by=officer) == [("content", "这一格不由您填写。")]


def test_two_visits_of_a_day_are_no_row_to_guess(office):
    project = ProjectFactory(code="LF-001")
    visit(project=project), visit(project=project)
    found = intake.rehearse(
        sheet(["编号", "督导日期", "检查内容"], ["LF-001", "2025年2月3日", "复核"]), reason="补记", ledger=LEDGERS["inspections"], by=office
    )
    assert [(error.row, "当日有两次以上" in error.reason) for error in found.errors] == [(2, True)]


def test_a_visit_not_made_yet_demands_nothing(office):
    pk = visit(visited_on=None)
    assert "填写督导日期" in faults_of(INSPECTIONS, Change(pk, "demands", "加快"), by=office)[0][1]


VISITS = ["编号", "日期", "带队", "部门", "检查内容", "现场进度", "整改时限"]
NEW_VISIT = ["LF-001", "2025年2月10日", "演示岗位", "临汾市水利局", "查看清淤", "45%", "3月底"]


def visits(*rows, by, **kwargs):
    return intake.rehearse(sheet(["2025年2月督导"], VISITS, *rows), reason="补记", ledger=LEDGERS["inspections"], by=by, **kwargs)


def test_a_visit_of_a_day_without_one_is_new_and_the_same_table_twice_changes_nothing(office):
    unit, project = UnitFactory(name="临汾市水利局"), ProjectFactory(code="LF-001")
    visit(project=project)
    table = sheet(["2025年2月督导"], VISITS, NEW_VISIT, ["LF-001", "2月3日", "副市长", None, None, None, None])
    done = intake.take_in(table, reason="补记2月督导", ledger=LEDGERS["inspections"], by=office)
    assert [(one.key, one.column, one.is_new) for one in done.changes] == [
        *(("LF-001 2025-02-10", name, True) for name in ("带队", "部门", "检查内容", "现场进度", "整改时限")),
        ("LF-001 2025-02-03", "带队", False),
    ]
    assert (len(done.good), done.good_added) == (2, 1)
    made = Inspection.objects.get(planned_on=dt.date(2025, 2, 10))
    assert (made.visited_on, made.site_progress, made.due_on, made.by) == (made.planned_on, 45, dt.date(2025, 3, 31), office)
    assert list(made.units.all()) == [unit]
    event = TrailEvent.objects.get(action="inspection.add")
    assert (event.origin, event.reason, event.subject_id) == ("import", "补记2月督导", str(made.pk))
    again = intake.rehearse(table, reason="再来", ledger=LEDGERS["inspections"], by=office)
    assert (again.changes, again.errors, again.added) == ([], [], set())


@pytest.mark.parametrize(
    ("cells", "column", "said"),
    [
        pytest.param({"带队": None}, "带队", "请填写带队的职务", id="没有带队"),
        pytest.param({"编号": "LF-099"}, "编号", "清单上没有这个编号", id="没有这个项目"),
        pytest.param({"日期": "2025-02-27"}, "日期", "只能登记为计划", id="还没有去的填了进度"),
        pytest.param({"日期": "2125-02-03"}, "编号", "过晚", id="年份写错"),
        pytest.param({"整改时限": "2025-02-01"}, "整改时限", "早于督导日期", id="时限早于督导"),
        pytest.param({"日期": "2025-02-01"}, "编号", "实际在 2025-02-03 进行", id="改了期的按计划日填"),
    ],
)
def test_a_new_visit_is_judged_like_on_its_page(office, cells, column, said):
    UnitFactory(name="临汾市水利局")
    visit(planned_on=dt.date(2025, 2, 1))
    row = list((dict(zip(VISITS, NEW_VISIT, strict=True)) | cells).values())
    found = visits(row, by=office)
    assert [(error.column, said in error.reason) for error in found.errors] == [(column, True)]
    assert not found.good


def test_the_offices_own_columns_of_a_new_visit_come_in_with_it(office):
    ProjectFactory(code="LF-001")
    own_services.add_column(by=office, ledger="inspections", label="演示核对", kind="text")
    table = sheet([*VISITS[:3], "演示核对"], ["LF-001", "2025-02-10", "演示岗位", "已核"])
    intake.take_in(table, reason="补记", ledger=find_ledger("inspections"), by=office)
    assert list(OwnValue.objects.values_list("row", "text")) == [(str(Inspection.objects.get().pk), "已核")]
    again = intake.rehearse(table, reason="再来", ledger=find_ledger("inspections"), by=office)
    assert (again.changes, again.errors) == ([], [])


def test_a_visit_to_come_is_a_plan(office):
    ProjectFactory(code="LF-001")
    table = sheet(VISITS[:3], ["LF-001", "2025-02-27", "演示岗位"])
    intake.take_in(table, reason="3月计划", ledger=LEDGERS["inspections"], by=office)
    assert list(Inspection.objects.values_list("planned_on", "visited_on")) == [(dt.date(2025, 2, 27), None)]


def test_a_department_enters_visits_of_its_domain_only(office):
    officer = UserFactory(in_department=True)
    ProjectFactory(code="LF-001", domain=officer.unit.domain)
    ProjectFactory(code="LF-002", lead_unit=officer.unit, domain=DomainFactory(name="住建"))
    rows = [["LF-001", "2025-02-10", "演示岗位"], ["LF-002", "2025-02-10", "演示岗位"]]
    found = intake.rehearse(sheet(VISITS[:3], *rows), reason="补记", ledger=LEDGERS["inspections"], by=officer)
    assert [(error.row, "不由您登记" in error.reason) for error in found.errors] == [(3, True)]
    assert [change.key for change in found.changes] == ["LF-001 2025-02-10"]


def test_a_visit_entered_meanwhile_is_not_entered_twice(office):
    project = ProjectFactory(code="LF-001")
    table = sheet(VISITS[:3], ["LF-001", "2025-02-03", "演示岗位"])
    seen = intake.rehearse(table, reason="补记", ledger=LEDGERS["inspections"], by=office).digest
    visit(project=project)
    with pytest.raises(intake.Unfit):
        intake.take_in(table, reason="补记", ledger=LEDGERS["inspections"], by=office, seen=seen)
    assert Inspection.objects.count() == 1


def test_a_visit_withdrawn_since_the_export_does_not_come_back_with_the_workbook(office):
    row = Inspection.objects.get(pk=visit())
    ledger, file = LEDGERS["inspections"], io.BytesIO()
    export.write_workbook(export.Sheet(ledger, TODAY, ledger.opened(TODAY).qs, [], True), file)
    records.withdraw(inspections.INSPECTION, row=row, by=office, version=row.edit_version, reason="登记错了")
    found = intake.rehearse(read_workbook(file.getvalue()), reason="补记", ledger=ledger, by=office)
    assert [("已在系统中撤销" in error.reason) for error in found.errors] == [True]
    assert found.changes == []


# ── 验收达效 ──


def test_a_step_is_added_once_and_then_corrected(office):
    pk = finished()
    write(ACCEPTANCE, [Change(pk, "accepted_on", "2025-01-10"), Change(pk, "accepted_doc", "演示〔2025〕1号")], by=office, reason="验收")
    write(ACCEPTANCE, [Change(pk, "accepted_on", "2025-01-12")], by=office, reason="更正")
    assert list(AcceptanceFact.objects.values_list("kind", "on", "doc_number")) == [("final", dt.date(2025, 1, 12), "演示〔2025〕1号")]


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        pytest.param("accepted_doc", "1号", "请同时填写“竣工验收日”", id="文号没有日期"),
        pytest.param("accounts_wan", "500", "请先在项目的“验收达效”页登记", id="决算没有登记"),
        pytest.param("handover_on", "2025-12-01", "晚于今天", id="还没有发生"),
    ],
)
def test_a_step_wants_its_day(office, column, value, said):
    assert [(name, said in sentence) for name, sentence in faults_of(ACCEPTANCE, Change(finished(), column, value), by=office)] == [
        (column, True)
    ]


def test_what_was_registered_is_not_emptied_by_a_table(office):
    pk = finished()
    write(ACCEPTANCE, [Change(pk, "leftover", "缺绿化")], by=office, reason="验收")
    assert "不能在表中清空" in faults_of(ACCEPTANCE, Change(pk, "leftover", "—"), by=office)[0][1]


FIRST = [
    pytest.param("acceptance", {"handover_on": "2025-01-10"}, AcceptanceFact, id="移交日"),
    pytest.param("acceptance", {"accepted_on": "2025-01-10", "accepted_doc": "1号"}, AcceptanceFact, id="竣工验收日和文号"),
    pytest.param("acceptance", {"leftover": "缺绿化"}, AcceptanceFact, id="遗留问题"),
    pytest.param("provincial", {"category": "甲类", "finish_by": "2025年6月"}, ProvincialTerm, id="省定内容"),
    pytest.param("provincial", {"told_on": "2025-02-10", "told_wan": "120"}, ProvincialFigure, id="省调度数"),
]


@pytest.mark.parametrize(("slug", "cells", "model"), FIRST)
def test_undo_takes_a_first_entry_back_to_nothing(slug, cells, model, office):
    pk, writer = finished(), LEDGERS[slug].writer
    before = writer.row(pk, by=office).values
    done = write(writer, [Change(pk, name, value) for name, value in cells.items()], by=office, reason="登记")
    write(writer, undone(done), by=office, reason="撤销刚才的修改", source="undo")
    assert writer.row(pk, by=office).values == before
    (row,) = model.objects.all()
    assert (row.withdrawn_by, row.withdrawn_reason) == (office, "撤销刚才的修改")
    event = TrailEvent.objects.latest("pk")
    assert (event.action.partition(".")[2], event.origin) == ("withdraw", "undo")
    assert trail.verify(writer.row(pk, by=office).chain) is None
    write(writer, [Change(pk, name, value) for name, value in cells.items()], by=office, reason="再登记")


def test_undo_takes_back_no_entry_that_was_corrected_or_says_more(office):
    pk = finished()
    done = write(ACCEPTANCE, [Change(pk, "accepted_on", "2025-01-10"), Change(pk, "accepted_doc", "1号")], by=office, reason="验收")
    assert "不能在表中清空" in faults_of(ACCEPTANCE, *undone(done[:1]), by=office)[0][1]
    write(ACCEPTANCE, [Change(pk, "accepted_doc", "2号")], by=office, reason="更正")
    both = [Change(pk, name, "", is_undo=True) for name in ("accepted_on", "accepted_doc")]
    assert "不能在表中清空" in faults_of(ACCEPTANCE, *both, by=office)[0][1]


def test_the_cell_offers_what_it_does(office, client):
    pk = finished()
    client.force_login(office)
    said = {"row": pk, "col": "handover_on", "value": "2025-01-10", "reason": "移交", "seen": fingerprint(None)}
    assert client.post("/ledgers/acceptance/cell/", said).status_code == 204
    said |= {"seen": fingerprint(dt.date(2025, 1, 10))}
    assert client.post("/ledgers/acceptance/cell/", said | {"value": ""}).status_code == 200  # emptied by hand: refused
    assert client.post("/ledgers/acceptance/cell/", said | {"value": "", "undo": "1", "reason": ""}).status_code == 204
    assert not AcceptanceFact.objects.standing().exists()


def test_a_steps_cell_tells_who_registered_corrected_and_took_it_back(office):
    pk = finished()
    write(ACCEPTANCE, [Change(pk, "accepted_on", "2025-01-10"), Change(pk, "accepted_doc", "演示〔2025〕1号")], by=office, reason="验收")
    write(ACCEPTANCE, [Change(pk, "accepted_on", "2025-01-12")], by=office, reason="更正", source="import:补录.xlsx")
    told = acceptance_history(pk, "accepted_on", TODAY)
    assert [(one.old, one.new, one.by, one.reason) for one in told] == [
        ("2025-01-10", "2025-01-12", str(office), "更正"),
        ("（空）", "2025-01-10", str(office), "验收"),
    ]
    assert "补录.xlsx" in told[0].source
    assert [one.new for one in acceptance_history(pk, "accepted_doc", TODAY)] == ["演示〔2025〕1号"]
    assert acceptance_history(pk, "effect_on", TODAY) == []
    fact = AcceptanceFact.objects.get()
    records.withdraw(acceptance.FACT, row=fact, by=office, version=fact.edit_version, reason="登记错了项目")
    (last,) = [one for one in acceptance_history(pk, "accepted_on", TODAY) if one.new == "（已撤销）"]
    assert (last.old, last.new, last.reason) == ("2025-01-12", "（已撤销）", "登记错了项目")


def test_the_day_of_a_step_is_in_the_trail_before_and_after(office):
    """It once gave way to the day on which it was written down."""
    pk = finished()
    write(ACCEPTANCE, [Change(pk, "handover_on", "2025-01-10")], by=office, reason="移交")
    write(ACCEPTANCE, [Change(pk, "handover_on", "2025-01-12")], by=office, reason="更正")
    last = TrailEvent.objects.filter(subject_type="acceptancefact").latest("pk")
    assert last.changes["on"] == ["2025-01-10", "2025-01-12"]
    assert last.changes["noted_on"] == [None, TODAY.isoformat()]
    (edit, added) = records.history(acceptance.FACT, AcceptanceFact.objects.get(), TODAY, {})
    assert (edit.on, edit.changes) == (TODAY.isoformat(), [("日期", "2025-01-10", "2025-01-12")])
    assert ("日期", None, "2025-01-10") in added.changes


# ── 省定 ──


def test_terms_hold_from_today_and_earlier_days_keep_theirs(office):
    pk = listed()
    ProvincialTerm.objects.create(project_id=pk, effective_on=dt.date(2024, 1, 1), category="甲类", benefit="增水", ground="演示文件")
    write(PROVINCIAL, [Change(pk, "category", "乙类")], by=office, reason="演示〔2025〕2号")
    write(PROVINCIAL, [Change(pk, "finish_by", "2025年6月")], by=office, reason="演示〔2025〕2号")
    said = ProvincialTerm.objects.order_by("effective_on").values_list("effective_on", "category", "finish_by", "benefit", "ground")
    assert list(said) == [
        (dt.date(2024, 1, 1), "甲类", None, "增水", "演示文件"),
        (TODAY, "乙类", dt.date(2025, 6, 30), "增水", "演示〔2025〕2号"),
    ]


def test_a_figure_of_a_later_day_is_a_new_one(office):
    pk = listed()
    ProvincialFigure.objects.create(project_id=pk, on=DAY, invested_wan=100, ground="演示文件")
    write(PROVINCIAL, [Change(pk, "told_on", "2025-02-10"), Change(pk, "told_wan", "120")], by=office, reason="省调度")
    write(PROVINCIAL, [Change(pk, "told_wan", "121")], by=office, reason="更正")
    found = ProvincialFigure.objects.order_by("on").values_list("on", "invested_wan")
    assert list(found) == [(DAY, 100), (dt.date(2025, 2, 10), 121)]
    assert "更早的" in faults_of(PROVINCIAL, Change(pk, "told_on", "2025-01-01"), by=office)[0][1]


def test_the_provinces_cells_tell_what_they_were(office):
    pk = listed()
    write(PROVINCIAL, [Change(pk, "category", "甲类")], by=office, reason="演示〔2025〕1号")
    write(PROVINCIAL, [Change(pk, "told_on", "2025-02-10"), Change(pk, "told_wan", "120")], by=office, reason="省调度")
    write(PROVINCIAL, [Change(pk, "told_wan", "121")], by=office, reason="更正")
    assert [(one.old, one.new) for one in provincial_history(pk, "told_wan", TODAY)] == [("120", "121"), ("（空）", "120")]
    assert [one.new for one in provincial_history(pk, "told_on", TODAY)] == ["2025-02-10"]
    assert [(one.new, one.reason) for one in provincial_history(pk, "category", TODAY)] == [("甲类", "演示〔2025〕1号")]
    assert provincial_history(pk, "name", TODAY) == []


@pytest.mark.parametrize(("slug", "column", "value"), [("acceptance", "handover_on", "2025-01-10"), ("provincial", "category", "甲类")])
def test_the_history_opens_in_the_cell(slug, column, value, office, client):
    pk = finished()
    write(LEDGERS[slug].writer, [Change(pk, column, value)], by=office, reason="演示〔2025〕1号")
    client.force_login(office)
    page = client.get(f"/ledgers/{slug}/cell/", {"row": pk, "col": column}, headers={"HX-Request": "true"})
    assert [entry.new for entry in page.context["entries"]] == [value]


def test_a_figure_wants_its_day_and_the_reason_is_its_ground(office):
    pk = listed()
    assert faults_of(PROVINCIAL, Change(pk, "told_wan", "5"), by=office)[0][0] == "told_on"
    assert "请写明依据" in faults_of(PROVINCIAL, Change(pk, "category", "甲"), by=office, reason=" ")[0][1]


# ── 年度任务 ──


def test_a_target_that_is_not_there_is_not_made_of_words(office):
    pk = listed() * YEARS + 2025
    said = faults_of(ANNUAL, Change(pk, "target", "年内开工"), by=office)
    assert [(name, "还没有登记这一年的年度任务" in sentence) for name, sentence in said] == [("kind", True), ("plan_wan", True)]


def test_a_target_is_made_of_all_that_it_needs_once(office):
    listed()
    head = ["编号", "年度", "年度目标", "目标类型", "目标进度", "年计划投资"]
    table = sheet(head, ["LF-001", "2025年", "完成主体", "形象进度", "60%", "0.05亿元"])
    done = intake.take_in(table, reason="市政办〔2025〕1号", ledger=LEDGERS["annual"], by=office)
    assert {(one.key, one.is_new) for one in done.changes} == {("LF-001 2025年", True)}
    assert (len(done.added), len(done.changes)) == (1, 4)
    (row,) = AnnualTarget.objects.values("year", "kind", "progress", "text", "plan_wan", "set_on", "by")
    assert row == {
        "year": 2025, "kind": "progress", "progress": 60, "text": "完成主体", "plan_wan": 500, "set_on": TODAY, "by": office.pk,
    }  # fmt: skip
    event = TrailEvent.objects.get(action="annual_target.add")
    assert (event.origin, event.reason) == ("import", "市政办〔2025〕1号")
    again = intake.rehearse(table, reason="再来", ledger=LEDGERS["annual"], by=office)
    assert (again.changes, again.errors, again.added) == ([], [], set())


def test_kind_and_progress_of_a_target_are_judged_together(office):
    pk = target()
    assert [name for name, _ in faults_of(ANNUAL, Change(pk, "kind", "进度"), by=office)] == ["progress"]
    write(ANNUAL, [Change(pk, "kind", "进度"), Change(pk, "progress", "60")], by=office)
    assert list(AnnualTarget.objects.values_list("kind", "progress")) == [("progress", 60)]


def test_rows_of_several_years_are_told_apart(office):
    target()
    AnnualTarget.objects.create(
        project=AnnualTarget.objects.get().project, year=2024, kind="start", text="年内完工", plan_wan=100, set_on=dt.date(2024, 1, 5)
    )
    found = intake.take_in(
        sheet(["编号", "年度", "年计划投资"], ["LF-001", "2024年", Decimal(150)], ["LF-001", Decimal(2025), Decimal(350)]),
        reason="下达",
        ledger=LEDGERS["annual"],
        by=office,
    )
    assert [(one.key, one.old, one.new) for one in found.changes] == [("LF-001 2024年", "100", "150"), ("LF-001 2025年", "300", "350")]
    assert sorted(AnnualTarget.objects.values_list("year", "plan_wan")) == [(2024, 150), (2025, 350)]


def test_a_workbook_that_was_overtaken_on_the_site_shows_both(office):
    """The rows of the ledger are computed, yet its workbook carries what its cells were."""
    target()
    ledger, file = LEDGERS["annual"], io.BytesIO()
    export.write_workbook(export.Sheet(ledger, TODAY, ledger.opened(TODAY).qs, [], True), file)
    AnnualTarget.objects.update(plan_wan=310)
    book = openpyxl.load_workbook(file)
    page = book.worksheets[0]
    column = next(cell.column for cell in page[4] if cell.value == "年计划投资")
    assert page.cell(5, column).value == 300
    page.cell(5, column).value = 350
    book.save(file)
    found = intake.rehearse(read_workbook(file.getvalue()), reason="下达", ledger=ledger)
    assert found.changes == []
    assert [(one.key, one.mine, one.theirs) for one in found.conflicts] == [("LF-001 2025年", "350", "310")]


@pytest.mark.parametrize("slug", ["inspections", "new", "acceptance", "provincial", "annual"])
def test_rehearsal_asks_the_same_number_of_queries_for_30_rows(slug, office):

    unit, tables = UnitFactory(), []
    for number in range(1, 31):
        project = ProjectFactory(code=f"LF-{number:03}", finished=True)
        Inspection.objects.create(project=project, planned_on=DAY, visited_on=DAY, leader_post="演示岗位").units.add(unit)
        AnnualTarget.objects.create(project=project, year=2024, kind="start", text="年内开工", plan_wan=3, set_on=dt.date(2024, 1, 5))
        title, value = {
            "inspections": ("检查内容", "复核"),
            "new": ("带队", "演示岗位"),
            "acceptance": ("移交", "2025-01-15"),
            "provincial": ("省类别", "甲类"),
            "annual": ("年度目标", "改了"),
        }[slug]
        day = {"inspections": "2025-02-03", "new": "2025-02-10"}.get(slug, Decimal(2024))
        tables.append([f"LF-{number:03}", day, value])
    head = ["编号", "日期" if isinstance(day, str) else "年度", title]
    slug = "inspections" if slug == "new" else slug
    counts = []
    for rows in (tables[:1], tables):
        with CaptureQueriesContext(connection) as queries:
            found = intake.rehearse(sheet(head, *rows), reason="批复", ledger=LEDGERS[slug], by=office)
        counts.append(len(queries))
        assert (len(found.changes), found.errors) == (len(rows), [])
    assert counts[0] == counts[1]


def test_a_heading_that_was_not_understood_comes_first(office, client):
    listed()
    client.force_login(office)
    said = {"pasted": "编号\t项目名称\t某列\nLF-001\t\t甲类\n", "reason": "省文件", "action": "rehearse"}
    page = client.post("/ledgers/provincial/import/", said)
    assert [heading.text for _, heading in page.context["maps"][0]["headings"]] == ["某列", "编号", "项目名称"]
    page = client.post("/ledgers/provincial/import/", said | {"column-0-2": "category"})  # as the person corrects the match
    assert [(one.key, one.new) for one in page.context["rehearsal"].changes] == [("LF-001", "甲类")]


@pytest.mark.parametrize(
    ("slug", "said"),
    [("inspections", "按“编号”“日期”（没有编号时按项目名称）对应各行"), ("decisions", "按“编号”对应各行")],
)
def test_the_page_says_how_rows_are_recognised_and_what_is_computed(slug, said, office, client):
    client.force_login(office)
    page = client.get(f"/ledgers/{slug}/import/").content.decode()
    assert said in page
    assert "标“＝”的列由系统计算，不导入" in page


def test_on_a_phone_every_cell_says_what_it_is(office, client):
    listed()
    client.force_login(office)
    said = {"pasted": "编号\t省类别\t完工时限\nLF-001\t甲类\t明年\n", "reason": "省文件", "action": "rehearse"}
    page = client.post("/ledgers/provincial/import/", said).content.decode()
    assert [page.count(f'data-label="{label}"') for label in ("问题与改法", "原为", "改为", "行")] == [1, 1, 1, 2]
