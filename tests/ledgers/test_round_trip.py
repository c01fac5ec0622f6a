"""The law of the round trip: what is exported comes back without a change; k cells changed in between are exactly k changes."""

import datetime as dt
import io
from decimal import Decimal

import openpyxl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ledgers import export, intake, own_services
from ledgers.enums import CheckCategory, MeetingKind
from ledgers.meeting_models import CheckFinding, Decision, Meeting
from ledgers.own import find_ledger
from ledgers.page_models import OwnColumn
from ledgers.registry import LEDGERS
from linfen_water import trail
from linfen_water.models import TrailEvent
from linfen_water.workbook import read_workbook
from projects import archives
from projects.enums import PermitKind, SourceKind
from projects.models import Project, ProjectVersion
from projects.site_models import AcceptanceFact, Inspection
from projects.target_models import AnnualTarget, ProvincialFigure, ProvincialTerm
from tests.factories import TODAY, PermitFactory, ProblemFactory, ProjectFactory, RegionFactory, UnitFactory, UserFactory

pytestmark = pytest.mark.django_db
FEW = settings(
    max_examples=3, deadline=None, derandomize=True, phases=[Phase.generate], suppress_health_check=[HealthCheck.function_scoped_fixture]
)
ROWS = 4
FIRST_ROW = export.HEAD_ROWS + 1
DAYS = st.dates(dt.date(2025, 3, 1), dt.date(2025, 12, 31))
DAYS_BEFORE = st.dates(dt.date(2025, 1, 1), TODAY)
MONEY = st.integers(5_000, 90_000).map(lambda n: Decimal(n) / 4)
TEXTS = st.text("河道治理一二三四工程=+@'《》", min_size=2, max_size=12).map(lambda text: f"改{text}完")
# Columns that may be written without another one (a 文号 wants its 办结日): what a person could type there.
TYPED = {
    "master": {"name": TEXTS, "owner": TEXTS, "total_investment_wan": MONEY},
    "permits": {"note": TEXTS, "promised_workdays": st.integers(31, 60)},
    "problems": {"description": TEXTS, "measures": TEXTS, "due_on": DAYS},
    "funds": {"planned_wan": MONEY},
    "decisions": {"what": TEXTS, "due_on": DAYS},
    "notices": {"text": TEXTS, "place": TEXTS, "due_on": DAYS},
    "inspections": {"content": TEXTS, "demands": TEXTS, "site_progress": st.integers(2, 199).map(lambda n: Decimal(n) / 2)},
    "acceptance": {"handover_on": DAYS_BEFORE, "accepted_doc": TEXTS, "benefit": TEXTS, "accounts_wan": MONEY},
    "provincial": {"category": TEXTS, "benefit": TEXTS, "told_wan": MONEY, "finish_by": DAYS},
    "annual": {"target": TEXTS, "plan_wan": MONEY, "kind": st.just("完工")},
    "archives": {"required": st.integers(2, 60), "pages": st.integers(1, 900), "missing_note": TEXTS},
}


OWN = [
    {"label": "演示核对", "kind": "text"},
    {"label": "演示里程", "kind": "number", "unit": "公里"},
    {"label": "演示日期", "kind": "date"},
    {"label": "演示分类", "kind": "choice", "choices": ["甲", "乙"]},
]
FUNDING = {SourceKind.CENTRAL: Decimal("600.50")}  # one source a project: a row each


def test_every_ledger_that_takes_workbooks_in_is_under_the_law():
    assert set(TYPED) == {ledger.slug for ledger in LEDGERS.values() if ledger.writer}


@pytest.fixture
def city():
    RegionFactory()
    office, unit = UserFactory(), UnitFactory(name="演示单位")
    meeting = Meeting.objects.create(kind=MeetingKind.values[0], held_on=dt.date(2025, 2, 3), chair_post="演示主持岗位")
    entry = archives.ArchiveEntry.objects.create(group="前期", name="立项文件", required=1, position=1)
    for number in range(1, ROWS + 1):
        project = ProjectFactory(
            code=f"LF-{number:03}",
            name=f"第{number}号河\n 治理",
            total_investment_wan=Decimal("1234.50"),
            funding=FUNDING,
            started_on=dt.date(2024, 3, 1),
            completed_on=dt.date(2025, 1, 10),
        )
        PermitFactory(project=project, kind=PermitKind.EIA)
        ProblemFactory(project=project, code=f"WT-2025-{number:03}")
        Decision.objects.create(
            meeting=meeting, what=f"第{number}项：落实资金", lead_unit=unit, due_on=dt.date(2025, 2, 28)
        ).assist_units.add(unit)
        CheckFinding.objects.create(
            year=2025,
            issue=number,
            on=dt.date(2025, 2, 10),
            unit=unit,
            category=CheckCategory.SAFETY,
            place=f"{number}号工地",
            text="未设围挡",
        )
        keep_parts(project, unit)
        item = archives.ArchiveItem.objects.create(project=project, entry=entry, required=2)
        archives.ArchiveCheck.objects.create(
            item=item, on=dt.date(2025, 2, 10), present=1, pages=12, checker_post="档案岗", missing_note="缺批复", by=office
        )


def keep_parts(project, unit):
    """One row in every ledger of what is kept about a project, some of its cells empty."""
    Inspection.objects.create(
        project=project, planned_on=dt.date(2025, 2, 1), visited_on=dt.date(2025, 2, 3), leader_post="演示岗位", content="查看进度"
    ).units.add(unit)
    AcceptanceFact.objects.create(project=project, kind="final", on=dt.date(2025, 1, 20), doc_number="演示验〔2025〕1号")
    AcceptanceFact.objects.create(project=project, kind="accounts", on=dt.date(2025, 1, 22), amount_wan=Decimal("1200.50"))
    ProvincialTerm.objects.create(project=project, effective_on=dt.date(2024, 1, 1), category="甲类", ground="演示文件")
    ProvincialFigure.objects.create(project=project, on=dt.date(2025, 2, 1), invested_wan=Decimal("500.25"), ground="演示文件")
    AnnualTarget.objects.create(project=project, year=TODAY.year, kind="start", text="年内开工", plan_wan=300, set_on=dt.date(2025, 1, 5))


def exported(slug: str):
    ledger, file = find_ledger(slug), io.BytesIO()
    export.write_workbook(export.Sheet(ledger, TODAY, ledger.opened(TODAY).qs, [], True), file)
    file.seek(0)
    return openpyxl.load_workbook(file)


def rehearse(slug: str, book) -> intake.Rehearsal:
    file = io.BytesIO()
    book.save(file)
    return intake.rehearse(read_workbook(file.getvalue()), reason="批复", ledger=find_ledger(slug))


@pytest.mark.parametrize("slug", TYPED)
def test_an_export_changes_nothing(city, slug):
    found = rehearse(slug, exported(slug))
    assert (found.changes, found.errors, found.conflicts) == ([], [], [])


@pytest.fixture
def own_columns(city):
    """The office's own columns in every ledger, one of each kind, a value in the first row; by ledger."""
    office = UserFactory()
    for slug in TYPED:
        made = [own_services.add_column(by=office, ledger=slug, **column) for column in OWN]
        ledger = find_ledger(slug)
        some = next(iter(ledger.read_batches(TODAY, ledger.opened(TODAY).qs, 1)))[0]["key"]
        for column, text in zip(made, ["已核", "12.5", "2025-01-02", "甲"], strict=True):
            own_services.set_value(by=office, column=column, row=str(some), text=text)
    return {slug: [column.name for column in OwnColumn.objects.filter(ledger=slug)] for slug in TYPED}


@pytest.mark.once
@pytest.mark.parametrize("slug", TYPED)
def test_own_columns_are_under_the_law(own_columns, slug):
    found = rehearse(slug, exported(slug))
    assert (found.changes, found.errors, found.conflicts) == ([], [], [])
    book, names = exported(slug), list(intake.columns_of(find_ledger(slug)))
    for name, value in zip(own_columns[slug], ["再核", 7.25, dt.date(2025, 2, 3), "乙"], strict=True):
        book.worksheets[0].cell(FIRST_ROW + 1, names.index(name) + 1).value = value
    file = io.BytesIO()
    book.save(file)
    sheets, ledger, office = read_workbook(file.getvalue()), find_ledger(slug), UserFactory()
    done = intake.take_in(sheets, reason="核对", by=office, ledger=ledger)
    assert [(one.row, one.old, one.new) for one in done.changes] == [
        (FIRST_ROW + 1, "", new) for new in ("再核", "7.25", "2025-02-03", "乙")
    ]
    again = intake.rehearse(sheets, reason="核对", by=office, ledger=find_ledger(slug))
    assert (again.changes, again.errors) == ([], [])
    assert not [chain for chain in TrailEvent.objects.values_list("chain", flat=True).distinct().order_by() if trail.verify(chain)]


@pytest.mark.parametrize("slug", TYPED)
def test_k_cells_are_k_changes(city, slug):
    places = {name: spot for spot, name in enumerate(LEDGERS[slug].table.base_columns, 1)}
    cells = st.tuples(st.integers(0, ROWS - 1), st.sampled_from(sorted(TYPED[slug])))

    @FEW
    @given(st.sets(cells, max_size=6), st.data())
    def law(chosen, data):
        book, wanted = exported(slug), set()
        for row, name in sorted(chosen):
            value = data.draw(TYPED[slug][name])
            cell = book.worksheets[0].cell(FIRST_ROW + row, places[name])
            cell.value = value
            if isinstance(value, str):
                cell.data_type = "s"
            wanted.add((FIRST_ROW + row, str(LEDGERS[slug].table.base_columns[name].verbose_name)))
        found = rehearse(slug, book)
        assert found.errors == []
        assert {(change.row, change.column) for change in found.changes} == wanted
        assert len(found.changes) == len(wanted)

    law()


def grouped() -> openpyxl.Workbook:
    ledger, file = find_ledger("master"), io.BytesIO()
    export.write_workbook(export.Sheet(ledger, TODAY, ledger.opened(TODAY).qs.order_by("code"), [], True, group="county"), file)
    file.seek(0)
    return openpyxl.load_workbook(file)


def test_sums_of_an_export_need_not_fit_what_is_changed_above_them(city):
    ProjectVersion.objects.update(county=ProjectVersion.objects.first().county)
    book, spot = grouped(), list(LEDGERS["master"].table.base_columns).index("total_investment_wan") + 1
    page = book.worksheets[0]
    page.cell(FIRST_ROW, spot).value = 2000
    page.cell(FIRST_ROW + 1, spot).value = None
    page.cell(FIRST_ROW + 2, spot).value = "很多"
    found = rehearse("master", book)
    assert ([one.new for one in found.changes], found.complaints) == (["2000"], [])
    Project.objects.get(code="LF-002").versions.update(total_investment_wan=7)
    assert rehearse("master", book).complaints == []  # what was exported cannot be told any more
    Project.objects.get(code="LF-002").versions.update(total_investment_wan=Decimal("1234.50"))
    page.delete_rows(FIRST_ROW + 3)
    sums = [one.reason for one in rehearse("master", book).complaints if "“总投资”" in one.reason]
    assert sums
    assert all("4938" in one and "3703.5 不符" in one for one in sums)
