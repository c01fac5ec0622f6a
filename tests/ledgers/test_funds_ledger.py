"""资金台账: what it can be narrowed by; who sees which rows."""

from decimal import Decimal

import pytest

from ledgers.registry import LEDGERS
from projects import funds
from projects.enums import SourceKind
from projects.models import Project
from tests.factories import LAST_WEEK, TODAY, DispatchFactory, ProjectFactory, RegionFactory, UserFactory

LEDGER = LEDGERS["funds"]


@pytest.mark.django_db
class TestRows:
    @pytest.fixture(autouse=True)
    def rows(self):
        RegionFactory()
        both = ProjectFactory(code="LF-001", funding={SourceKind.CENTRAL: Decimal(600), SourceKind.OWN: Decimal(400)})
        for week, in_place in ((LAST_WEEK - 9 * funds.WEEK, 400), (LAST_WEEK + funds.WEEK, 500)):
            DispatchFactory(project=both, week_of=week, in_place_wan=Decimal(in_place), allocated_wan=Decimal(300), paid_wan=Decimal(250))

    def kinds(self, **asked):
        chosen = LEDGER.filter(asked, queryset=LEDGER.rows(TODAY), day=TODAY)
        assert chosen.is_valid(), chosen.form.errors
        return [row["kind"] for row in LEDGER.read_rows(TODAY, chosen.qs)]

    @pytest.mark.parametrize(
        ("asked", "found"),
        [
            ({}, ["中央资金", "自筹"]),
            ({"only": "moved"}, ["中央资金"]),
            ({"only": "gap"}, ["中央资金"]),
            ({"only": "idle"}, ["中央资金"]),
            ({"only": "no_paper"}, ["中央资金"]),
            ({"only": "breach"}, []),
            ({"only": "unreported"}, ["自筹"]),
            ({"kind": "own"}, ["自筹"]),
            ({"q": "LF-001 河道"}, ["中央资金", "自筹"]),
            ({"q": "没有"}, []),
        ],
    )
    def test_it_can_be_narrowed(self, asked, found):
        assert self.kinds(**asked) == found

    def test_a_row_has_both_periods_and_the_rates(self):
        row = LEDGER.read_rows(TODAY, LEDGER.rows(TODAY))[0]
        assert (row["in_place_wan"], row["before_wan"], row["arrived_wan"], row["gap_wan"]) == (500, 400, 100, 100)
        assert (row["in_place_rate"], row["paid_rate"]) == (Decimal("83.3"), Decimal("50.0"))

    def test_a_county_sees_its_own(self, client):
        client.force_login(UserFactory(in_county=True))
        assert "LF-001" not in client.get("/ledgers/funds/").content.decode()
        assert Project.objects.count() == 1
