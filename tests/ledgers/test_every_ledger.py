"""Every ledger on the demo city: no query for a row, every role sees what is its own, nothing is public."""

import re
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.html import strip_tags

from ledgers.registry import LEDGERS
from linfen_water import trail
from linfen_water.models import User
from projects.models import ProjectVersion
from projects.permissions import visible_projects
from tests.demo_city import demo_city  # noqa: F401 - a fixture
from tests.factories import TODAY

# ruff: noqa: F811 - the fixture is named like its argument
pytestmark = pytest.mark.django_db
FEW, MANY = 4, 30
ONCE_MORE = 2  # statements that only some kind of row calls for, whatever their number
FROM_DATABASE = [slug for slug, ledger in LEDGERS.items() if ledger.read is not None]
ROLES = ("office", "leader", "eco", "c141081")


@pytest.mark.parametrize("slug", FROM_DATABASE)
def test_rows_are_read_in_the_same_queries_for_few_and_many(demo_city, slug):
    ledger = LEDGERS[slug]
    keys = ledger.keys(ledger.opened(TODAY).qs)[:MANY]
    assert len(keys) > 2 * FEW, "too few rows in the demo to tell"
    counts = []
    for some in (keys[:FEW], keys):
        with CaptureQueriesContext(connection) as queries:
            assert len(ledger.read_keys(TODAY, some)) == len(some)
        counts.append(len(queries))
    assert counts[1] <= counts[0] + ONCE_MORE, counts


@pytest.mark.parametrize("slug", LEDGERS)
def test_every_role_opens_it_and_a_stranger_does_not(demo_city, client, slug):
    assert client.get(f"/ledgers/{slug}/").url.startswith("/accounts/login/")
    for username in ROLES:
        client.force_login(User.objects.get(username=username))
        assert client.get(f"/ledgers/{slug}/").status_code == 200, username


@pytest.mark.parametrize("slug", LEDGERS)
def test_a_county_takes_home_no_project_of_another(demo_city, client, slug):
    county = User.objects.get(username="c141081")
    own = visible_projects(county, TODAY).values("pk")
    foreign = ProjectVersion.objects.exclude(project__in=own).values_list("name", flat=True)
    assert foreign
    client.force_login(county)
    text = b"".join(client.get(f"/ledgers/{slug}/?export=csv")).decode()
    assert [name for name in foreign if name in text] == []


@pytest.mark.parametrize("slug", LEDGERS)
@pytest.mark.parametrize("page", ["cell/", "bulk/", "columns/", "views/", "import/"])
def test_what_changes_a_ledger_is_no_leaders_and_no_strangers(demo_city, client, slug, page):
    """A view is everyone's own; else leaders write nothing, whatever they send."""
    url = f"/ledgers/{slug}/{page}"
    answer = client.post(url, {"key": "1", "column": "name", "value": "x"})
    assert answer.status_code == 302
    assert answer.url.startswith("/accounts/login/")
    client.force_login(User.objects.get(username="leader"))
    with CaptureQueriesContext(connection) as queries:
        answer = client.post(url, {"key": "1", "column": "name", "value": "x"})
    assert answer.status_code in ({302, 404, 409, 422} if page == "views/" else {403, 404, 405}), answer.status_code
    written = [
        one["sql"] for one in queries if one["sql"].startswith(("INSERT", "UPDATE", "DELETE")) and "django_session" not in one["sql"]
    ]
    assert written == []


@pytest.mark.parametrize("slug", LEDGERS)
def test_a_page_that_was_asked_for_before_costs_six_statements_until_facts_change(demo_city, client, slug):
    """Region, session, person; state of the trail, saved views, unread notices. The rest was kept, whoever of the scope asked."""
    office = User.objects.get(username="office")
    client.force_login(office)
    first = client.get(f"/ledgers/{slug}/").content.decode()
    with CaptureQueriesContext(connection) as queries:
        second = client.get(f"/ledgers/{slug}/").content.decode()
    assert len(queries) <= 6, [one["sql"][:90] for one in queries]
    assert body(second) == body(first)
    trail.record(action="test.change", subject=office, by=None, changes={})
    with CaptureQueriesContext(connection) as again:
        client.get(f"/ledgers/{slug}/")
    assert len(again) > len(queries)


@pytest.mark.parametrize("slug", [slug for slug in FROM_DATABASE if LEDGERS[slug].writer])
def test_a_cell_opened_from_the_table_is_recognised(demo_city, client, slug):
    """What the table shows is what there is: the field opens without a word of another value."""
    client.force_login(User.objects.get(username="office"))
    page, opened = client.get(f"/ledgers/{slug}/?view=all").content.decode(), 0
    names = re.findall(r'data-c="([^"]+)"', page)
    for key, line in re.findall(r'<tr data-k="([^"]+)"[^>]*>(.*?)(?=<tr|</tbody>)', page, re.DOTALL)[:FEW]:
        drawn = [re.sub(r'<span class="visually-hidden">.*?</span>', "", cell) for cell in re.split(r"<td[^>]*>", line)[1:]]
        for name in LEDGERS[slug].writer.fields:
            said = {"row": key, "col": name, "part": "edit", "shown": unescape(strip_tags(drawn[names.index(name)]))}
            answer = client.post(f"/ledgers/{slug}/cell/", said)
            opened += answer.status_code == 200
            assert b'class="clash"' not in answer.content, said
    assert opened


@pytest.mark.parametrize("slug", LEDGERS)
def test_every_cell_of_a_row_opens_and_says_where_it_comes_from(demo_city, client, slug):
    client.force_login(User.objects.get(username="office"))
    page = client.get(f"/ledgers/{slug}/?view=all").content.decode()
    row = re.search(r'data-k="([^"]+)"', page)[1]
    for name in re.findall(r'data-c="([^"]+)"', page):
        answer = client.get(f"/ledgers/{slug}/cell/", {"row": row, "col": name})
        assert answer.status_code == 200, name
        said = answer.content.decode()
        assert any(word in said for word in ("data-edit-cell", "cell-source", "cell-history", "不由您填写")), name


MOST = 40  # KB of raw HTML that a page of fifty rows may have
# Here the words alone, with the tags that no cell can do without, are more: they open with their usual columns, and all may have so many.
WORDIER = {"master": 54, "problems": 53, "letters": 48}


@pytest.mark.parametrize("view", ["", "all"])
@pytest.mark.parametrize("slug", LEDGERS)
def test_a_page_of_fifty_rows_weighs_no_more_than_it_may(demo_city, client, slug, view):
    client.force_login(User.objects.get(username="office"))
    page = client.get(f"/ledgers/{slug}/", {"view": view} if view else {}).content
    assert 0 < page.count(b"<tr data-k=") <= 50
    assert len(page) <= 1024 * (WORDIER.get(slug, MOST) if view else MOST)
    assert b"\n  " not in page.partition(b"<tbody>")[0]


def body(page: str) -> str:
    return page[page.index("<tbody") : page.rindex("</tbody>")]
