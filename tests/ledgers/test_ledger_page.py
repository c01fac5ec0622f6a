"""How a ledger is looked at: columns, groups, views. Every ledger of the registry."""

import datetime as dt
import re
from decimal import Decimal

import pytest
from django.urls import reverse

from ledgers import grouping, master
from ledgers.page_models import SavedView
from ledgers.registry import LEDGERS
from ledgers.rows import Rows, counted
from ledgers.shape import arranged, kept_query, read_shape
from projects.enums import PermitKind
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
    RegionFactory,
    UserFactory,
)


def url(slug="master", **query):
    return reverse("ledger", args=[slug], query=query or None)


def html(response) -> str:
    assert response.status_code == 200, response
    return response.content.decode()


@pytest.mark.once
@pytest.mark.parametrize(
    ("chosen", "hidden", "shown"),
    [
        ([], (), ["code", "name", "a", "b"]),
        ([], ("a",), ["code", "name", "b"]),
        (["b", "a"], ("a",), ["code", "name", "b", "a"]),
        (["b", "name", "nonsense"], (), ["code", "name", "b"]),
    ],
)
def test_chosen_columns_stand_in_their_order_behind_the_pinned_ones(chosen, hidden, shown):
    assert arranged(["code", "name", "a", "b"], ["code", "name"], chosen, hidden) == shown


@pytest.mark.once
@pytest.mark.parametrize(
    ("asked", "is_brief"),
    [
        ({}, True),
        ({"view": "all"}, False),
        ({"view": "brief"}, True),
        ({"since": "2025-02-01"}, False),
        ({"view": "brief", "since": "2025-02-01"}, True),
    ],
)
def test_a_long_ledger_opens_with_its_usual_columns(rf, asked, is_brief):
    """Beside another day it shows those that changed, which may be any."""
    query = rf.get("/", asked).GET
    assert read_shape(query, TODAY, opens_brief=True).is_brief is is_brief
    assert read_shape(query, TODAY).is_brief is (asked.get("view") == "brief")


@pytest.mark.once
def test_a_view_keeps_filter_and_looks_but_no_page_no_day_and_nothing_empty(rf):
    query = rf.get("/?q=&county=141024&sort=-lag&page=3&as_of=2025-01-01&cols=a,b&saved=4&part=totals").GET
    assert kept_query(query) == "county=141024&sort=-lag&cols=a%2Cb"


@pytest.mark.once
@pytest.mark.parametrize("since", ["2025-02-30", "2025-02-20", "2025-02-21", "x"])
def test_a_day_to_compare_with_must_be_an_earlier_one(rf, since):
    shape = read_shape(rf.get("/", {"since": since, "changed": "1"}).GET, TODAY)
    assert shape.since is None
    assert shape.fault
    assert not shape.only_changed


@pytest.mark.django_db
class TestColumns:
    @pytest.fixture(autouse=True)
    def page(self, client):
        RegionFactory()
        client.force_login(UserFactory())

    def headings(self, page: str) -> list[str]:
        return re.findall(r'data-c="([^"]+)"', page)

    def test_only_the_chosen_ones_are_shown_and_all_are_offered(self, client):
        ProjectFactory(reported=40)
        page = html(client.get(url(cols="stage,county,nonsense", unfolded="1")))
        assert self.headings(page) == ["code", "name", "stage", "county"]
        assert page.count('name="cols"') == len(LEDGERS["master"].table.base_columns) + 1  # and what the filters carry along

    def test_repeated_parameters_of_a_form_without_script_say_the_same(self, client):
        ProjectFactory()
        assert self.headings(html(client.get("/ledgers/master/?cols=stage&cols=county"))) == ["code", "name", "stage", "county"]

    @pytest.mark.parametrize("slug", LEDGERS)
    def test_every_ledger_can_be_cut_to_one_column(self, client, slug):
        ProjectFactory(reported=40)
        ledger = LEDGERS[slug]
        name = list(ledger.table.base_columns)[-1]
        page = client.get(url(slug, cols=name, density="dense"))
        assert page.status_code == 200


def fill():
    """Two counties with two projects each, permits and problems, one report, two sections."""
    for name in ("甲县", "乙县"):
        county = CountyFactory(name=name)
        for project in ProjectFactory.create_batch(2, county=county, reported=40, total_investment_wan=Decimal("1000.10")):
            PermitFactory(project=project, kind=PermitKind.EIA)
            ProblemFactory(project=project)
    AssessmentFactory.create_batch(2, values={"ph": "8"})


@pytest.mark.django_db
class TestGroups:
    @pytest.fixture(autouse=True)
    def office(self, client):
        RegionFactory()
        client.force_login(UserFactory())
        fill()

    @pytest.mark.parametrize("slug", LEDGERS)
    def test_counts_of_groups_add_up_to_the_whole_in_every_ledger_by_every_column(self, slug):
        ledger = LEDGERS[slug]
        chosen = ledger.opened(TODAY).qs
        columns = ledger.table_for(chosen).base_columns
        for name in grouping.groupable(columns):
            rows = chosen
            if isinstance(rows, Rows):
                ledger.table_for(chosen)(rows)
            found = grouping.subtotals(ledger, TODAY, rows, name, columns)
            assert sum(counted(part.sums) for part in found) == chosen.count(), name

    def test_each_group_has_its_head_with_its_sums(self, client):
        page = html(client.get(url(group="county", sort="-name")))
        heads = re.findall(r'<tr class="ledger-group"[^>]*>.*?(?=<tr data-k)', page)
        assert ["甲县　2 个" in heads[0], "乙县　2 个" in heads[1]] == [True, True]
        assert all("2,000.20" in head for head in heads)

    def test_groups_respect_the_filter(self, client):
        page = html(client.get(url(group="county", q=ProjectFactory(county=CountyFactory(name="丙县"), name="独一无二").code)))
        assert "丙县　1 个" in page
        assert "甲县　" not in page

    def test_a_long_ledger_gets_its_subtotals_with_the_totals(self, client, monkeypatch):
        monkeypatch.setattr("ledgers.views.ledger.INLINE_TOTALS", 1)
        page = html(client.get(url(group="county")))
        assert "2,000.20" not in page
        assert page.count('class="ledger-group"') == 2
        part = html(client.get(url(group="county", part="totals"), headers={"HX-Request": "true"}))
        assert len(re.findall(r'<tr class="ledger-group"[^>]*hx-swap-oob="true"', part)) == 2
        assert part.count("2,000.20") == 2

    def test_a_page_gets_the_sums_of_its_own_groups_only(self, client, monkeypatch):
        monkeypatch.setattr("ledgers.views.ledger.INLINE_TOTALS", 1)
        monkeypatch.setattr("ledgers.views.ledger.PER_PAGE", [2])
        for page, (here, elsewhere) in {1: ("甲县", "乙县"), 2: ("乙县", "甲县")}.items():
            part = html(client.get(url(group="county", part="totals", page=page), headers={"HX-Request": "true"}))
            assert f"{here}　2 个" in part
            assert f"{elsewhere}　" not in part

    def test_there_may_be_more_groups_than_are_read_at_once(self, client, monkeypatch):
        monkeypatch.setattr("ledgers.grouping.BATCH", 1)
        assert [f"{county}　2 个" in html(client.get(url(group="county"))) for county in ("甲县", "乙县")] == [True, True]

    def test_unknown_group_is_harmless(self, client):
        assert "ledger-group" not in html(client.get(url(group="scale"))).split("<tbody")[1].split("</tbody")[0]

    def test_same_queries_for_few_rows_and_many_in_groups(self, client, django_assert_max_num_queries, django_assert_num_queries):
        with django_assert_max_num_queries(50) as first:
            client.get(url(group="county"))
        ProjectFactory.create_batch(20, reported=40)
        forget()
        with django_assert_num_queries(len(first)):
            client.get(url(group="county"))


@pytest.mark.django_db
class TestViews:
    @pytest.fixture(autouse=True)
    def region(self):
        RegionFactory()

    def save(self, client, name="我的", query="stage=2&cols=stage", slug="master", **more):
        return client.post(reverse("save_view", args=[slug]), {"name": name, "query": query, **more})

    def test_a_saved_view_is_opened_by_its_link(self, client):
        client.force_login(UserFactory())
        ProjectFactory(not_started=True)
        answer = self.save(client, query="stage=2&cols=stage&page=7&as_of=2025-01-01")
        view = SavedView.objects.get()
        assert view.query == "stage=2&cols=stage"
        assert answer.url == f"/ledgers/master/?stage=2&cols=stage&saved={view.pk}"
        assert "视图：我的" in html(client.get(answer.url))

    def test_the_same_name_takes_its_place(self, client):
        client.force_login(UserFactory())
        self.save(client)
        self.save(client, query="stage=3")
        assert SavedView.objects.get().query == "stage=3"

    def test_others_do_not_see_it_unless_the_office_shares_it(self, client):
        office, county = UserFactory(), UserFactory(in_county=True)
        client.force_login(office)
        self.save(client, name="只给自己")
        self.save(client, name="大家的", shared="1")
        client.force_login(county)
        page = html(client.get(url(saved="0", unfolded="1")))
        assert ">大家的</a>" in page
        assert ">只给自己</a>" not in page
        assert client.post(reverse("delete_view", args=["master", SavedView.objects.get(name="只给自己").pk])).status_code == 404
        client.post(reverse("delete_view", args=["master", SavedView.objects.get(name="大家的").pk]))
        assert SavedView.objects.count() == 2

    def test_a_county_cannot_share(self, client):
        client.force_login(UserFactory(in_county=True))
        self.save(client, shared="1")
        assert not SavedView.objects.exists()

    def test_default_opens_the_ledger_and_can_be_left(self, client):
        client.force_login(UserFactory())
        ProjectFactory()
        self.save(client, default="1")
        view = SavedView.objects.get()
        assert client.get(url()).url == f"/ledgers/master/?stage=2&cols=stage&saved={view.pk}"
        assert client.get(url(saved="0")).status_code == 200
        self.save(client, name="另一个", default="1")
        assert [v.name for v in SavedView.objects.filter(is_default=True)] == ["另一个"]

    def test_own_default_goes_before_the_shared_one(self, client):
        client.force_login(UserFactory())
        self.save(client, name="大家", query="stage=1", shared="1", default="1")
        assert "stage=1" in client.get(url()).url
        self.save(client, name="自己", query="stage=3", default="1")
        assert "stage=3" in client.get(url()).url

    @pytest.mark.parametrize("name", ["", "  ", "长" * 31])
    def test_a_view_needs_a_name(self, client, name):
        client.force_login(UserFactory())
        answer = self.save(client, name=name)
        assert not SavedView.objects.exists()
        assert "30字以内" in html(client.get(answer.url))

    def test_hostile_name_stays_text(self, client):
        client.force_login(UserFactory())
        answer = self.save(client, name='"><script>x</script>', query='q="><script>')
        assert "<script>x" not in html(client.get(answer.url))


@pytest.mark.django_db
class TestMarks:
    def test_a_report_that_says_the_same_and_one_that_is_missing_are_marked(self, client):
        RegionFactory()
        client.force_login(UserFactory())
        same, moved, silent = ProjectFactory(), ProjectFactory(), ProjectFactory()
        earlier = LAST_WEEK - dt.timedelta(days=7)
        for project, progress in ((same, 40), (moved, 30)):
            DispatchFactory(project=project, week_of=earlier, physical_progress=progress, invested_wan=Decimal(5))
            DispatchFactory(project=project, week_of=LAST_WEEK, physical_progress=40, invested_wan=Decimal(5))
        rows = {row["pk"]: row["marks"] for row in master.read(TODAY, [same.pk, moved.pk, silent.pk])}
        assert rows[same.pk]["physical_progress"] == rows[moved.pk]["invested_wan"] == "is-same"
        assert "physical_progress" not in rows[moved.pk]
        assert rows[silent.pk] == {"updated_on": "is-missing"}
        page = html(client.get(url()))
        assert "（与上期相同）" in page
        assert "（缺报）" in page
        assert 'class="legend"' in page

    def test_a_finished_project_is_asked_for_nothing(self):
        RegionFactory()
        project = ProjectFactory(finished=True)
        assert master.read(TODAY, [project.pk])[0]["marks"] == {}


@pytest.mark.django_db
class TestFolded:
    """What waits behind a button is sent when it is opened; a page without scripts has it all with `unfolded`."""

    @pytest.fixture(autouse=True)
    def page(self, client):
        RegionFactory()
        client.force_login(UserFactory())

    @pytest.mark.parametrize("part", ["filters", "columns", "views"])
    def test_a_part_stands_word_for_word_in_the_unfolded_page(self, client, part):
        ProjectFactory()
        answer = client.get(url(part=part), headers={"HX-Request": "true"})
        assert answer.status_code == 200
        whole = html(client.get(url(unfolded="1")))
        said = html(answer).replace(' hx-preserve="true"', "")  # said only where it takes the place of what is being typed in
        lines = [line for line in said.splitlines() if line.strip() and "href=" not in line]
        assert lines
        assert [line for line in lines if line not in whole] == []

    def test_a_condition_that_is_set_is_never_folded(self, client):
        assert 'name="lag_from"' not in html(client.get(url()))
        assert 'name="lag_from"' in html(client.get(url(lag_from="3")))
        assert 'name="since"' in html(client.get(url(since="2025-01-02")))

    def test_keys_are_told_on_a_page_of_their_own(self, client):
        assert "<kbd>F2</kbd>" in html(client.get("/ledgers/keys/"))


@pytest.mark.django_db
class TestUsualColumns:
    """工程总台账 opens with the columns that are looked at daily; all are one click away, and files hold all."""

    def shown(self, client, **asked) -> list[str]:
        return [column.name for column in client.get("/ledgers/master/", asked).context["table"].columns]

    def test_all_are_one_click_away(self, client):
        ProjectFactory()
        client.force_login(UserFactory())
        usual, whole = self.shown(client), self.shown(client, view="all")
        assert set(usual) < set(whole)
        assert [name for name in whole if name in usual] == usual
        page = client.get("/ledgers/master/").content.decode()
        assert f"显示全部 {len(whole)} 列" in page
        assert "显示全部" not in client.get("/ledgers/master/", {"view": "all"}).content.decode()

    def test_what_orders_the_rows_is_shown(self, client):
        ProjectFactory()
        client.force_login(UserFactory())
        assert "started_on" not in self.shown(client)
        assert "started_on" in self.shown(client, sort="-started_on")

    def test_a_file_holds_all(self, client):
        ProjectFactory()
        client.force_login(UserFactory())
        text = b"".join(client.get("/ledgers/master/", {"export": "csv"})).decode("utf-8-sig")
        assert all(head in text for head in ("建设规模及主要内容", "资金来源", "实际开工", "序时差"))
