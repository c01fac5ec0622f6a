"""The law of the round trip: what is exported comes back without a change; k cells changed in between are exactly k changes."""

import datetime as dt
import io
from decimal import Decimal

import openpyxl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ledgers import export, intake
from ledgers.registry import LEDGERS
from linfen_water.workbook import read_workbook
from projects.enums import PermitKind
from tests.factories import TODAY, PermitFactory, ProblemFactory, ProjectFactory, RegionFactory

pytestmark = pytest.mark.django_db
FEW = settings(
    max_examples=3, deadline=None, derandomize=True, phases=[Phase.generate], suppress_health_check=[HealthCheck.function_scoped_fixture]
)
ROWS = 4
FIRST_ROW = export.HEAD_ROWS + 1
DAYS = st.dates(dt.date(2025, 3, 1), dt.date(2025, 12, 31))
TEXTS = st.text("河道治理一二三四工程=+@'《》", min_size=2, max_size=12).map(lambda text: f"改{text}完")
# Columns that may be written without another one (a 文号 wants its 办结日): what a person could type there.
TYPED = {
    "master": {"name": TEXTS, "owner": TEXTS, "total_investment_wan": st.integers(5_000, 90_000).map(lambda n: Decimal(n) / 4)},
    "permits": {"note": TEXTS, "promised_workdays": st.integers(31, 60)},
    "problems": {"description": TEXTS, "measures": TEXTS, "due_on": DAYS},
}


@pytest.fixture
def city():
    RegionFactory()
    for number in range(1, ROWS + 1):
        project = ProjectFactory(code=f"LF-{number:03}", name=f"第{number}号河\n 治理", total_investment_wan=Decimal("1234.50"))
        PermitFactory(project=project, kind=PermitKind.EIA)
        ProblemFactory(project=project, code=f"WT-2025-{number:03}")


def exported(slug: str):
    ledger, file = LEDGERS[slug], io.BytesIO()
    export.write_workbook(export.Sheet(ledger, TODAY, ledger.rows(TODAY, None), [], True), file)
    file.seek(0)
    return openpyxl.load_workbook(file)


def rehearse(slug: str, book) -> intake.Rehearsal:
    file = io.BytesIO()
    book.save(file)
    return intake.rehearse(read_workbook(file.getvalue()), reason="批复", ledger=LEDGERS[slug])


@pytest.mark.parametrize("slug", TYPED)
def test_an_export_changes_nothing(city, slug):
    found = rehearse(slug, exported(slug))
    assert (found.changes, found.errors, found.conflicts) == ([], [], [])


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
