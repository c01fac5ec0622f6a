"""The facts of many projects as of a day, in a fixed number of queries, and their totals."""

import datetime as dt
from decimal import Decimal

import pytest

from projects import facts
from projects.enums import Stage, StopKind
from projects.models import MonthlyPlan, Project
from projects.stop_models import ApprovedStop
from tests.factories import LAST_WEEK, THIS_WEEK, TODAY, DispatchFactory, PermitFactory, ProjectFactory, RegionFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def region(db):
    return RegionFactory()


@pytest.mark.parametrize("rows", [1, 30])
def test_facts_of_any_number_of_projects_take_the_same_queries(rows, django_assert_max_num_queries):
    for _ in range(rows):
        ProjectFactory(behind=True)
    with django_assert_max_num_queries(5):
        assert len(facts.project_facts(TODAY)) == rows


def test_facts_agree_with_the_querysets_annotations():
    ProjectFactory(behind=True)
    planned = ProjectFactory(reported=Decimal(30))
    MonthlyPlan.objects.create(project=planned, month=dt.date(2025, 2, 1), planned_progress=Decimal(60))
    ProjectFactory(not_started=True)
    ProjectFactory(finished=True, reported=Decimal(100))
    rows = {
        row["pk"]: row
        for row in Project.objects.as_of(TODAY).with_progress(TODAY).values("pk", "stage", "planned_progress", "lag", "invested_wan")
    }
    for fact in facts.project_facts(TODAY):
        row = rows[fact.pk]
        assert (row["stage"], row["invested_wan"]) == (fact.stage, fact.invested_wan)
        assert row["planned_progress"] == pytest.approx(float(fact.planned_progress))
        assert row["lag"] == (None if fact.lag is None else pytest.approx(float(fact.lag)))


def test_a_returned_or_superseded_dispatch_says_nothing():
    project = ProjectFactory(reported=Decimal(40))
    DispatchFactory(project=project, week_of=THIS_WEEK, returned=True, physical_progress=Decimal(90))
    assert facts.project_facts(TODAY)[0].physical_progress == 40


def test_a_dispatch_speaks_from_its_cut_off_day_on():
    ProjectFactory(reported=Decimal(40))
    cut_off = LAST_WEEK + dt.timedelta(days=3)
    progress = [facts.project_facts(day)[0].physical_progress for day in (cut_off - dt.timedelta(days=1), cut_off)]
    assert progress == [None, 40]


def test_dates_after_the_day_are_not_known():
    ProjectFactory(finished=True)
    fact = facts.project_facts(dt.date(2024, 11, 19))[0]
    assert (fact.stage, fact.completed_on) == (Stage.UNDER_CONSTRUCTION, None)


def test_totals_count_finished_ones_as_started():
    ProjectFactory(finished=True, reported=Decimal(100))
    ProjectFactory(reported=Decimal(40))
    ProjectFactory(not_started=True)
    total = facts.totals(facts.project_facts(TODAY))
    assert (total.count, total.not_started, total.under_construction, total.finished, total.started) == (3, 1, 1, 1, 2)
    assert (total.start_rate, total.finish_rate) == (Decimal("66.7"), Decimal("33.3"))
    assert (total.total_investment_wan, total.invested_wan, total.invested_rate) == (3000, 800, Decimal("26.7"))


def test_totals_of_nothing_have_no_rates():
    total = facts.totals([])
    assert (total.count, total.finish_rate, total.invested_rate) == (0, None, None)


def test_silent_keys_are_those_of_the_facts():
    reported = ProjectFactory()
    DispatchFactory(project=reported, week_of=dt.date(2025, 1, 13), physical_progress=Decimal(40))
    DispatchFactory(project=reported, week_of=THIS_WEEK, physical_progress=Decimal(40))
    moving = ProjectFactory()
    DispatchFactory(project=moving, week_of=dt.date(2025, 1, 13), physical_progress=Decimal(40))
    DispatchFactory(project=moving, week_of=THIS_WEEK, physical_progress=Decimal(41))
    permitted, unreported = ProjectFactory(), ProjectFactory(not_started=True)
    PermitFactory(project=permitted, submitted_on=dt.date(2025, 1, 6), obtained_on=LAST_WEEK)
    ProjectFactory(finished=True)
    ProjectFactory(started_on=LAST_WEEK)
    listed = Project.objects.as_of(TODAY)
    assert facts.silent_keys(TODAY, 4, listed) == [unreported.pk, reported.pk]
    for weeks in (1, 2, 4, 8):
        assert set(facts.silent_keys(TODAY, weeks, listed)) == {f.pk for f in facts.silent(TODAY, weeks)}


@pytest.mark.parametrize(
    ("first", "last", "is_silent"),
    [
        (TODAY - dt.timedelta(days=60), TODAY - dt.timedelta(days=28), True),  # ended on the day that is compared with
        (TODAY - dt.timedelta(days=60), TODAY - dt.timedelta(days=27), False),  # one day of the four weeks
        (TODAY, TODAY + dt.timedelta(days=30), False),
        (TODAY + dt.timedelta(days=1), TODAY + dt.timedelta(days=30), True),
    ],
)
@pytest.mark.parametrize("of", ["project", "county", "all"])
def test_who_stood_still_with_approval_is_not_silent(first, last, is_silent, of):
    project = ProjectFactory()
    whose = {"project": {"project": project}, "county": {"county": project.versions.get().county}, "all": {}}[of]
    ApprovedStop.objects.create(kind=StopKind.WINTER, from_on=first, until_on=last, ground="〔2025〕1号", **whose)
    found = [project.pk] if is_silent else []
    assert [f.pk for f in facts.silent(TODAY, 4)] == found
    assert facts.silent_keys(TODAY, 4, Project.objects.as_of(TODAY)) == found
