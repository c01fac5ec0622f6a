"""Every SQL twin against its rule, on the database in use."""

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from projects import reports, rules
from projects.models import MonthlyPlan, Project
from tests.factories import DispatchFactory, ProjectFactory, RegionFactory

DAYS = st.dates(dt.date(2023, 5, 1), dt.date(2025, 12, 31))
PERCENTS = st.decimals(0, 100, places=2)
MONTHS = st.dates(dt.date(2023, 1, 1), dt.date(2026, 1, 31)).map(lambda day: day.replace(day=1))


class TwinsAgree(TestCase):
    @settings(max_examples=60, deadline=None)
    @given(
        day=DAYS,
        baseline=st.tuples(DAYS, DAYS).map(sorted),
        dates=st.tuples(st.none() | DAYS, st.none() | DAYS),
        plans=st.dictionaries(MONTHS, PERCENTS, max_size=5),
        progress=st.none() | PERCENTS,
    )
    def test_planned_stage_and_lag(self, day, baseline, dates, plans, progress):
        RegionFactory()
        started_on, completed_on = dates
        if completed_on and (not started_on or completed_on < started_on):
            completed_on = None
        start, finish = baseline
        project = ProjectFactory(
            started_on=started_on, completed_on=completed_on, baseline_start_on=start, baseline_finish_on=finish,
            listed_on=dt.date(2023, 5, 1),
        )  # fmt: skip
        MonthlyPlan.objects.bulk_create(MonthlyPlan(project=project, month=m, planned_progress=p) for m, p in plans.items())
        if progress is not None:
            DispatchFactory(project=project, week_of=dt.date(2023, 4, 24), physical_progress=progress)
        row = (
            Project.objects.as_of(day).with_progress(day).values("stage", "planned_progress", "lag", "physical_progress").get(pk=project.pk)
        )
        planned = rules.planned(day, plans, start, finish)
        expected_lag = rules.lag(planned, progress)
        assert row["stage"] == rules.stage(day, started_on, completed_on)
        assert row["planned_progress"] == pytest.approx(float(planned), abs=1e-9)
        assert row["physical_progress"] == progress
        assert row["lag"] == (None if expected_lag is None else pytest.approx(float(expected_lag), abs=1e-9))


@pytest.mark.django_db
@pytest.mark.parametrize("completed_on", [None, dt.date(2025, 2, 16), dt.date(2025, 2, 17)])
def test_reporting_in_is_the_twin_of_needs_report(completed_on):
    RegionFactory()
    project = ProjectFactory(completed_on=completed_on)
    week_of = dt.date(2025, 2, 17)
    everyone = Project.objects.all()
    assert reports.reporting_in(everyone, week_of).filter(pk=project.pk).exists() is rules.needs_report(week_of, completed_on)
    assert reports.reporting_in(everyone, week_of, finished=True).filter(pk=project.pk).exists() is not rules.needs_report(
        week_of, completed_on
    )


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("lag", "twin"),
    [(Decimal("12.5"), 12.5), (Decimal("-3"), -3.0)],
)
def test_lag_is_positive_when_behind(lag, twin):
    RegionFactory()
    day = dt.date(2025, 2, 20)
    project = ProjectFactory(
        baseline_start_on=dt.date(2024, 1, 1), baseline_finish_on=dt.date(2025, 1, 1), reported=Decimal(100) - lag if lag > 0 else 97
    )
    if lag > 0:
        assert Project.objects.as_of(day).with_progress(day).get(pk=project.pk).lag == pytest.approx(twin)
    else:
        MonthlyPlan.objects.create(project=project, month=dt.date(2025, 2, 1), planned_progress=0)
        assert Project.objects.as_of(day).with_progress(day).get(pk=project.pk).lag == pytest.approx(-97)
