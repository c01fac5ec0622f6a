"""What leaves a ledger comes back, whatever of it was chosen, and what was kept is handed out again."""

import io

import openpyxl
import pytest

from ledgers import own_services
from ledgers.enums import OwnKind
from ledgers.intake import rehearse
from ledgers.own import find_ledger
from ledgers.registry import LEDGERS
from linfen_water.models import User
from linfen_water.tabular import read_table
from tests.demo_city import demo_city  # noqa: F401 - a fixture

# ruff: noqa: F811 - the fixture is named like its argument
pytestmark = pytest.mark.django_db
TAKING_IN = [slug for slug, ledger in LEDGERS.items() if ledger.writer is not None]


@pytest.fixture
def office(demo_city, client):
    client.force_login(User.objects.get(username="office"))
    return client


def number_column(slug: str):
    office = User.objects.get(username="office")
    return own_services.add_column(by=office, ledger=slug, label="自设数", kind=OwnKind.NUMBER)


def exported(client, slug: str, kind: str, **query) -> bytes:
    answer = client.get(f"/ledgers/{slug}/", {"export": kind, **query})
    assert answer.status_code == 200, (slug, query)
    return b"".join(answer.streaming_content)


def taken(slug: str, data: bytes):
    found = rehearse(read_table(data), reason="核对", ledger=find_ledger(slug))
    return found.changes, found.errors, found.conflicts, found.complaints


@pytest.mark.parametrize("slug", TAKING_IN)
@pytest.mark.parametrize("kind", ["xlsx", "csv"])
def test_an_untouched_file_says_nothing(office, slug, kind):
    assert taken(slug, exported(office, slug, kind)) == ([], [], [], [])


@pytest.mark.parametrize("slug", TAKING_IN)
def test_chosen_columns_bring_their_key_along(office, slug):
    chosen = next(name for name in LEDGERS[slug].writer.fields if name not in LEDGERS[slug].writer.key)
    assert taken(slug, exported(office, slug, "xlsx", cols=chosen)) == ([], [], [], [])


@pytest.mark.parametrize("slug", ["annual", "weekly", "counties", "master"])
def test_an_own_number_is_summed_in_groups_as_often_as_one_asks(office, slug):
    number_column(slug)
    group = "county" if slug in ("annual", "master") else "state" if slug == "weekly" else ""
    for _ in range(3):
        assert office.get(f"/ledgers/{slug}/", {"group": group}).status_code == 200
    for kind in ("xlsx", "csv"):
        assert exported(office, slug, kind, group=group)


def test_an_own_ledgers_workbook_goes_into_the_ledger_that_it_shows(office):
    person = User.objects.get(username="office")
    own = own_services.define_ledger(by=person, title="在建工程", base="master", about="", columns=[], query="stage=2", grouping="")
    data = exported(office, own.slug, "xlsx")
    assert openpyxl.load_workbook(io.BytesIO(data)).worksheets
    assert taken("master", data) == ([], [], [], [])
