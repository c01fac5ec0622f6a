"""前期手续台账: states as of a day, in SQL as in the rules; what it can be narrowed by; who sees which rows."""

import datetime as dt

import pytest

from ledgers.registry import LEDGERS
from projects import permit_services
from projects.enums import PermitKind, PermitState
from projects.models import Permit
from tests.factories import TODAY, PermitFactory, ProjectFactory, RegionFactory, UserFactory

pytestmark = pytest.mark.django_db
LEDGER = LEDGERS["permits"]
SITUATIONS = {
    PermitKind.APPROVAL: {"submitted_on": dt.date(2024, 6, 3), "obtained_on": dt.date(2024, 6, 20), "valid_until": dt.date(2025, 1, 31)},
    PermitKind.EIA: {"submitted_on": dt.date(2025, 1, 6), "promised_workdays": 10},
    PermitKind.TENDER: {"submitted_on": dt.date(2025, 2, 17), "promised_workdays": 10, "parallel_group": "并联甲"},
    PermitKind.OUTFALL: {},
    PermitKind.LAND_USE: {"is_required": False},
}


@pytest.fixture(autouse=True)
def rows():
    RegionFactory()
    project = ProjectFactory(code="LF-001")
    return {kind: PermitFactory(project=project, kind=kind, **values) for kind, values in SITUATIONS.items()}


def kinds(**asked):
    chosen = LEDGER.filter(asked, queryset=LEDGER.rows(TODAY), day=TODAY)
    assert chosen.is_valid(), chosen.form.errors
    return {row["kind"] for row in LEDGER.read_rows(TODAY, chosen.qs)}


@pytest.mark.parametrize("day", [dt.date(2024, 6, 1), dt.date(2024, 6, 10), dt.date(2025, 1, 10), TODAY])
def test_states_in_the_database_are_those_of_the_rules(day):
    found = dict(LEDGER.rows(day).values_list("pk", "state"))
    permits = Permit.objects.select_related("authority")
    assert found == {p.pk: permit_services.paper_of(p).known_by(day).state(day) for p in permits}


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"only": "missing"}, {"环境影响评价", "招标", "入河排污口设置"}),
        ({"only": "late"}, {"环境影响评价"}),
        ({"only": "lapsed"}, {"项目建议书/立项"}),
        ({"only": "grouped"}, {"招标"}),
        ({"state": "not_needed"}, {"用地规划许可"}),
        ({"kind": "outfall", "q": "LF-001"}, {"入河排污口设置"}),
        ({"q": "没有"}, set()),
    ],
)
def test_it_can_be_narrowed(asked, found):
    assert kinds(**asked) == found


def test_a_row_of_a_late_paper(rows):
    (row,) = LEDGER.read_rows(TODAY, LEDGER.rows(TODAY).filter(pk=rows[PermitKind.EIA].pk))
    assert (row["state"], row["due_on"], row["overdue"], row["obtained_on"]) == (
        PermitState.IN_PROGRESS,
        dt.date(2025, 1, 20),
        19,
        None,
    )


def test_the_totals_count_what_is_needed():
    sums = LEDGER.totals(TODAY, LEDGER.rows(TODAY))
    assert LEDGER.spoken_totals(sums) == "需要办理4项：已办结1、办理中2、未办理1"
    assert sums.count == 5


def test_a_county_sees_its_own(client):
    PermitFactory(project=ProjectFactory(code="LF-777"))
    client.force_login(UserFactory(in_county=True))
    page = client.get("/ledgers/permits/").content.decode()
    assert "LF-777" not in page
    assert "LF-001" not in page
