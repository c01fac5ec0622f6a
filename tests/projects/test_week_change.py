"""The difference between two weeks: what counts as progress, what the sentence's numbers stand on, the page behind them."""

import datetime as dt
from decimal import Decimal as D

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from linfen_water.models import Policy
from projects.week_change import sentence, week_change
from tests.factories import (
    LAST_WEEK,
    CountyFactory,
    DispatchFactory,
    PermitFactory,
    ProblemFactory,
    ProjectFactory,
    RegionFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db
WEEK_BEFORE = LAST_WEEK - dt.timedelta(weeks=1)
IN_WEEK, BEFORE = dt.date(2025, 2, 11), dt.date(2025, 2, 5)  # the week's cut-offs: 13 and 6 February


@pytest.fixture(autouse=True)
def region(db):
    return RegionFactory()


def change(**kwargs):
    return week_change(LAST_WEEK, **kwargs)


def steps_of(project) -> tuple[str, ...]:
    return next(row.steps for row in change().rows if row.now.pk == project.pk)


def two_weeks(before: dict, now: dict, **traits):
    """A project that reported so the week before and so this week."""
    project = ProjectFactory(**traits)
    DispatchFactory(project=project, week_of=WEEK_BEFORE, **before)
    DispatchFactory(project=project, **now)
    return project


def test_the_fixed_sentence():
    assert sentence("上周", 1, 20, 3, 23, 9) == "较上周相比，完工增加1个，前期20个中3个有所推进，已开工23个中9个有新进展"


def test_started_counts_the_finished_too_and_both_groups_make_the_list():
    ProjectFactory(finished=True)
    ProjectFactory()
    ProjectFactory(not_started=True)
    found = change()
    assert (len(found.not_started), len(found.started), len(found.rows)) == (1, 2, 3)


@pytest.mark.parametrize(
    ("before", "now", "said"),
    [
        pytest.param({"physical_progress": D(40)}, {"physical_progress": D("40.5")}, ("总体进度40%→40.5%",), id="进度上升"),
        pytest.param({"physical_progress": D(40)}, {"physical_progress": D(40)}, (), id="原样"),
        pytest.param({"physical_progress": D(40)}, {"physical_progress": D(35)}, (), id="更正下调不算进展"),
        pytest.param({"invested_wan": D(400)}, {"invested_wan": D("400.01")}, ("完成投资增加0.01万元",), id="完成投资"),
        pytest.param({"in_place_wan": D(500)}, {"in_place_wan": D(600)}, ("到位资金增加100万元",), id="资金到位"),
        pytest.param({"paid_wan": D(200)}, {"paid_wan": D(250)}, ("支付增加50万元",), id="支付"),
        pytest.param({"paid_wan": D(300)}, {"paid_wan": D(250)}, (), id="支付冲回不算进展"),
    ],
)
def test_what_rose_is_progress(before, now, said):
    assert steps_of(two_weeks(before, now)) == said


def test_a_week_that_was_not_reported_is_no_progress():
    project = ProjectFactory()
    DispatchFactory(project=project, week_of=WEEK_BEFORE, physical_progress=D(30))
    [row] = change().rows
    assert (row.steps, row.is_reported) == ((), False)


def test_what_was_reported_for_later_does_not_speak_for_the_week():
    project = ProjectFactory()
    DispatchFactory(project=project, week_of=WEEK_BEFORE, physical_progress=D(30))
    DispatchFactory(project=project, week_of=LAST_WEEK + dt.timedelta(weeks=1), physical_progress=D(60))
    assert steps_of(project) == ()


@pytest.mark.parametrize(("on", "is_new"), [(dt.date(2025, 2, 6), False), (dt.date(2025, 2, 7), True), (dt.date(2025, 2, 13), True)])
def test_a_completion_counts_in_the_week_after_the_cut_off_before(on, is_new):
    ProjectFactory(completed_on=on)
    assert len(change().newly_finished) == is_new


def test_a_completion_after_the_cut_off_is_the_next_weeks():
    ProjectFactory(completed_on=dt.date(2025, 2, 14))
    found = change()
    assert (len(found.newly_finished), len(found.started)) == (0, 1)


def test_a_project_that_started_in_the_week_is_among_the_started_not_among_the_advanced():
    ProjectFactory(started_on=IN_WEEK)
    found = change()
    assert (len(found.not_started), len(found.advanced), [row.steps for row in found.progressed]) == (0, 0, [("2月11日开工",)])


def test_before_the_start_permits_are_progress_obtained_or_submitted():
    project = ProjectFactory(not_started=True)
    PermitFactory(project=project, kind="eia", submitted_on=BEFORE, obtained_on=IN_WEEK)
    PermitFactory(project=project, kind="land_use", submitted_on=IN_WEEK)
    PermitFactory(project=project, kind="approval", submitted_on=BEFORE, obtained_on=BEFORE)
    PermitFactory(project=project, kind="tender", submitted_on=IN_WEEK, is_required=False)
    found = change()
    assert [row.steps for row in found.advanced] == [("办结环境影响评价", "报送用地规划许可")]


def test_a_closed_problem_is_progress():
    project = ProjectFactory()
    ProblemFactory(project=project, closed_on=IN_WEEK)
    ProblemFactory(project=project, closed_on=BEFORE)
    assert steps_of(project) == ("销号问题1个",)


def test_what_came_onto_the_list_is_told_apart_and_not_counted_as_completed():
    ProjectFactory(finished=True, listed_on=IN_WEEK)
    ProjectFactory(finished=True, delisted_on=IN_WEEK, delisted_reason="并入")
    ProjectFactory()
    found = change()
    assert len(found.newly_finished) == 0
    assert found.note == "其间清单有变化：列入1个（其中列入前已完工1个），调出1个（其中已完工1个），不计入“完工增加”。"


def test_any_two_weeks_can_be_compared_and_are_named():
    ProjectFactory(completed_on=dt.date(2024, 12, 20))
    found = week_change(LAST_WEEK, dt.date(2024, 12, 9))
    assert len(found.newly_finished) == 1
    assert found.sentence.startswith("较2024年第50周相比，完工增加1个")
    with pytest.raises(ValueError, match="earlier"):
        week_change(LAST_WEEK, LAST_WEEK)


def test_the_cut_off_of_a_holiday_week_is_the_one_brought_forward():
    """Spring Festival 2025 began on Tuesday 28 January: that week was due on Monday the 27th."""
    assert week_change(dt.date(2025, 2, 3)).before_on == dt.date(2025, 1, 27)


def test_queries_do_not_grow():
    two_weeks({}, {})
    with CaptureQueriesContext(connection) as few:
        change()
    for _ in range(9):
        project = two_weeks({}, {})
        PermitFactory(project=project, obtained_on=IN_WEEK)
    with CaptureQueriesContext(connection) as many:
        change()
    assert len(many) == len(few)


# ── The page ──


@pytest.fixture
def signed_in(client):
    client.force_login(UserFactory())
    return client


@pytest.mark.parametrize("chosen", ["finished", "not-started", "advanced", "started", "progressed", "unmoved"])
def test_every_number_opens_to_as_many_projects(signed_in, chosen):
    ProjectFactory(completed_on=IN_WEEK)
    two_weeks({"physical_progress": D(30)}, {"physical_progress": D(40)})
    two_weeks({}, {})
    PermitFactory(project=ProjectFactory(not_started=True), obtained_on=IN_WEEK)
    ProjectFactory(not_started=True)
    answer = signed_in.get(reverse("week_change"), {"week": "2025-02-12", "list": chosen})
    number = {key: count for key, _, count in answer.context["lists"]}[chosen]
    assert (
        number == len(answer.context["page"].object_list) == {"not-started": 2, "started": 3, "unmoved": 2, "progressed": 2}.get(chosen, 1)
    )


def test_the_sentence_of_the_page_is_that_of_the_report(signed_in):
    two_weeks({"physical_progress": D(30)}, {"physical_progress": D(40)})
    answer = signed_in.get(reverse("week_change"), {"week": "2025-02-10"})
    page = answer.content.decode()
    shown = page[page.index('<p class="sentence">') :].split("</p>")[0]
    bare = "".join(part.split(">")[-1] for part in shown.replace("\n", "").split("<"))
    assert "".join(bare.split()) == answer.context["change"].sentence + "。"


def test_the_part_is_found_word_for_word_in_the_page(signed_in):
    two_weeks({"physical_progress": D(30)}, {"physical_progress": D(40)})
    address = reverse("week_change") + "?week=2025-02-10&list=started"
    part = signed_in.get(address, headers={"HX-Request": "true"}).content.decode()
    assert part.strip() in signed_in.get(address).content.decode()


@pytest.mark.parametrize(
    "query",
    ["week=2025-13-01", "week=heute", "week=2025-03-10", "week=2025-02-10&before=2025-02-13", "week=2025-02-10&before=2025-02-17"],
)
def test_weeks_that_cannot_be_compared_are_refused_in_chinese(signed_in, query):
    answer = signed_in.get(f"{reverse('week_change')}?{query}")
    assert answer.status_code == 400
    assert "周" in answer.content.decode()


def test_a_county_sees_only_its_own_and_is_told_so(client):
    county = CountyFactory()
    ProjectFactory(county=county)
    foreign = ProjectFactory(name="外县工程")
    client.force_login(UserFactory(in_county=True, county=county))
    page = client.get(reverse("week_change"), {"week": "2025-02-10", "list": "started"}).content.decode()
    assert foreign.code not in page
    assert "不是全市数" in page
    Policy.objects.create(effective_on=dt.date(2025, 1, 1), values={"counties_read_others": True}, reason="公开")
    page = client.get(reverse("week_change"), {"week": "2025-02-10", "list": "started"}).content.decode()
    assert foreign.code in page
    assert "不是全市数" not in page


def test_on_a_past_day_the_page_shows_nothing_of_later(signed_in):
    two_weeks({"physical_progress": D(30)}, {"physical_progress": D(40)})
    answer = signed_in.get(reverse("week_change"), {"as_of": "2025-02-12"})
    assert answer.context["change"].as_of == dt.date(2025, 2, 12)
    assert answer.context["change"].progressed == []
