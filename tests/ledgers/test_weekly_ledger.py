"""周调度台账 and 填报台账: what a row says, against hand-made weeks; their filters, scope and queries."""

import datetime as dt
from decimal import Decimal as D

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from ledgers.registry import LEDGERS
from projects import weeks
from tests.factories import LAST_WEEK, CountyFactory, DispatchFactory, ProjectFactory, RegionFactory, UserFactory

pytestmark = pytest.mark.django_db
TODAY, CUT_OFF = dt.date(2025, 2, 20), dt.date(2025, 2, 13)
WEEK_BEFORE = LAST_WEEK - dt.timedelta(weeks=1)


@pytest.fixture(autouse=True)
def region(db):
    return RegionFactory()


def rows(slug: str, user=None, day=TODAY, **chosen) -> list[dict]:
    ledger = LEDGERS[slug]
    found = ledger.filter({"week": LAST_WEEK.isoformat(), **chosen}, queryset=ledger.rows(day, user), day=day)
    assert found.is_valid(), found.form.errors
    return list(found.qs)


def test_a_row_tells_what_rose_since_the_last_report():
    project = ProjectFactory(name="渠首工程")
    DispatchFactory(project=project, week_of=WEEK_BEFORE, physical_progress=D(30), invested_wan=D(350), in_place_wan=D(500))
    DispatchFactory(project=project, physical_progress=D("32.5"), invested_wan=D(400), in_place_wan=D(450), submitted=True, is_late=True)
    [row] = rows("weekly")
    told = {key: row[key] for key in ("week", "name", "progress_rise", "invested_rise", "in_place_rise", "state", "is_late", "is_same")}
    assert told == {
        "week": "2025年第7周",
        "name": "渠首工程",
        "progress_rise": D("2.5"),
        "invested_rise": D(50),
        "in_place_rise": D(-50),
        "state": "待核",
        "is_late": True,
        "is_same": False,
    }


def test_a_project_that_was_not_reported_is_there_with_nothing_in_it():
    project = ProjectFactory()
    DispatchFactory(project=project, week_of=WEEK_BEFORE)
    DispatchFactory(project=ProjectFactory(), returned=True)
    missing, returned = rows("weekly")
    assert (missing["physical_progress"], missing["progress_rise"], missing["state"]) == (None, None, "未报")
    assert returned["state"] == "退回待报"


def test_the_same_words_and_figures_are_called_the_same():
    project = ProjectFactory()
    for week_of in (WEEK_BEFORE, LAST_WEEK):
        DispatchFactory(project=project, week_of=week_of)
    other = ProjectFactory()
    DispatchFactory(project=other, week_of=WEEK_BEFORE, done="甲")
    DispatchFactory(project=other, done="乙")
    assert [row["is_same"] for row in rows("weekly")] == [True, False]
    assert [row["code"] for row in rows("weekly", only="same")] == [project.code]


@pytest.mark.parametrize(
    ("chosen", "count"), [({"state": "missing"}, 1), ({"state": "accepted"}, 2), ({"q": "护岸"}, 2), ({"only": "late"}, 1)]
)
def test_it_is_narrowed(chosen, count):
    DispatchFactory(project=ProjectFactory(), is_late=True)
    DispatchFactory(project=ProjectFactory())
    ProjectFactory()
    assert len(rows("weekly", **chosen)) == count


def test_a_unit_counts_due_on_time_late_returned_same_and_after_the_lock():
    county = CountyFactory(name="甲县")
    same, late, locked, missing = (ProjectFactory(county=county) for _ in range(4))
    for week_of in (WEEK_BEFORE, LAST_WEEK):
        DispatchFactory(project=same, week_of=week_of)
    DispatchFactory(project=late, is_late=True, submitted_at=weeks.at_hour(CUT_OFF, 20))
    DispatchFactory(project=locked, returned=True, revision=1)
    DispatchFactory(project=locked, is_late=True, revision=2, submitted_at=weeks.at_hour(CUT_OFF + dt.timedelta(days=2), 9))
    DispatchFactory(project=missing, returned=True)
    ProjectFactory(county=county, finished=True)
    [row] = rows("submissions")
    assert {key: row[key] for key in ("due", "reported", "missing", "on_time", "late", "returned", "same", "after_lock", "share")} == {
        "due": 4, "reported": 3, "missing": 1, "on_time": 1, "late": 2, "returned": 2, "same": 1, "after_lock": 1, "share": D("25.0"),
    }  # fmt: skip


def test_sums_are_those_of_the_rows():
    DispatchFactory(project=ProjectFactory(), is_late=True)
    DispatchFactory(project=ProjectFactory())
    ProjectFactory()
    ledger = LEDGERS["submissions"]
    sums = ledger.totals(TODAY, rows("submissions"))
    assert (sums.count, sums.due, sums.reported, sums.on_time, sums.share) == (3, 3, 2, 1, D("33.3"))
    assert ledger.spoken_totals(sums) == "3个单位应报3个，已报2个，按时1个，未报1个"


@pytest.mark.parametrize("slug", ["weekly", "submissions"])
def test_on_a_past_day_it_opens_with_the_last_week_whose_cut_off_had_come(slug):
    DispatchFactory(project=ProjectFactory())
    ledger = LEDGERS[slug]
    assert ledger.opened(dt.date(2025, 2, 12)).spoken == ["周次：2025年第6周"]
    assert ledger.opened(CUT_OFF).spoken == ["周次：2025年第7周"]
    assert ledger.opened(TODAY).spoken == ["周次：2025年第8周"]


@pytest.mark.parametrize("slug", ["weekly", "submissions"])
def test_a_week_that_cannot_be_chosen_is_told(client, slug):
    ProjectFactory()
    client.force_login(UserFactory())
    page = client.get(reverse("ledger", args=[slug]), {"week": "2031-01-06"}).content.decode()
    assert "“2031-01-06”不是可以查看的周次" in page


@pytest.mark.parametrize("slug", ["weekly", "submissions"])
def test_a_county_sees_only_its_own(slug):
    county = CountyFactory()
    ProjectFactory(county=county)
    ProjectFactory()
    assert len(rows(slug, user=UserFactory(in_county=True, county=county))) == 1
    assert len(rows(slug, user=UserFactory())) == 2


@pytest.mark.parametrize("slug", ["weekly", "submissions"])
def test_without_a_project_they_are_empty(client, slug):
    client.force_login(UserFactory())
    answer = client.get(reverse("ledger", args=[slug]))
    assert answer.status_code == 200
    assert "还没有应填报的" in answer.content.decode()


@pytest.mark.parametrize("slug", ["weekly", "submissions"])
def test_queries_do_not_grow(slug):
    DispatchFactory(project=ProjectFactory())
    with CaptureQueriesContext(connection) as few:
        rows(slug)
    for _ in range(9):
        DispatchFactory(project=ProjectFactory())
    with CaptureQueriesContext(connection) as many:
        rows(slug)
    assert len(many) == len(few)


@pytest.mark.parametrize("slug", ["weekly", "submissions"])
@pytest.mark.parametrize("kind", ["xlsx", "csv"])
def test_they_are_exported(client, slug, kind):
    DispatchFactory(project=ProjectFactory())
    client.force_login(UserFactory())
    answer = client.get(reverse("ledger", args=[slug]), {"export": kind})
    assert answer.status_code == 200
    assert answer.getvalue()
    answer.close()
