"""A walk through all weeks of the untouched demo: stages only move forward, and every page tells the same figures."""

import datetime as dt
import random

import pytest
from django.db.models import Sum

from ledgers import master
from ledgers.documents import bulletin
from linfen_water.dates import month_end, month_start
from linfen_water.enums import Role
from linfen_water.models import Region, User
from projects import wall
from projects.enums import Stage
from projects.facts import Totals, project_facts, totals
from tests.demo_city import demo_city  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db

CUT_OFF = dt.timedelta(days=3)


def test_stages_only_move_forward_through_all_weeks(demo_city):  # noqa: F811
    before: dict[int, Stage] = {}
    finished = []
    for week_of in demo_city.weeks:
        found = project_facts(week_of + CUT_OFF)
        assert len(found) == demo_city.count
        assert all(f.stage >= before.get(f.pk, Stage.NOT_STARTED) for f in found), week_of
        before = {f.pk: f.stage for f in found}
        finished.append(sum(stage == Stage.FINISHED for stage in before.values()))
    assert finished[0] == 0
    assert finished[-1] == demo_city.finished[demo_city.today]
    assert finished == sorted(finished)


def test_total_investment_is_the_published_one_on_every_day(demo_city):  # noqa: F811
    for week_of in demo_city.weeks[::4]:
        assert totals(project_facts(week_of)).total_investment_wan == demo_city.total_investment_wan


def test_progress_agrees_with_the_stage_in_every_week(demo_city):  # noqa: F811
    for week_of in demo_city.weeks[::2]:
        for f in project_facts(week_of + CUT_OFF):
            reported = f.week_of == week_of
            if f.stage == Stage.NOT_STARTED:
                assert not f.physical_progress, (f.code, week_of)
            elif f.stage == Stage.FINISHED and reported:
                assert f.physical_progress == 100, (f.code, week_of)
            elif reported:
                assert 0 < f.physical_progress < 100, (f.code, week_of)


def ten_days(promise) -> list[dt.date]:
    span = (promise.today - promise.first_week).days
    return sorted(promise.first_week + dt.timedelta(days=day) for day in random.Random(10).sample(range(span), 9)) + [promise.today]


def test_wall_and_ledger_agree_on_ten_days(demo_city):  # noqa: F811
    office = User.objects.get(role=Role.OFFICE)
    for day in ten_days(demo_city):
        expected = totals(project_facts(day))
        shown = wall.document(Region.current(), office, day)["totals"]
        counts = ("count", "not_started", "under_construction", "finished", "started")
        assert {name: shown[name] for name in counts} == {name: getattr(expected, name) for name in counts}, day
        assert shown["invested"] == pytest.approx(float(expected.invested_wan) / 10_000, abs=0.006)
        rows = master.rows(day, office)
        by_stage = [rows.filter(stage=stage).count() for stage in Stage]
        assert by_stage == [expected.not_started, expected.under_construction, expected.finished], day
        sums = rows.aggregate(total=Sum("v__total_investment_wan"), in_place=Sum("in_place_wan"), invested=Sum("invested_wan"))
        assert float(sums["total"]) == pytest.approx(float(expected.total_investment_wan))
        assert float(sums["in_place"] or 0) == pytest.approx(float(expected.in_place_wan))
        assert float(sums["invested"] or 0) == pytest.approx(float(expected.invested_wan))


def test_the_bulletin_tells_what_the_facts_tell_at_every_months_end(demo_city):  # noqa: F811
    months = sorted({month_start(day) for day in ten_days(demo_city)})
    for month in months:
        day = min(month_end(month), demo_city.today)
        told = bulletin.gather(month, demo_city.today)
        assert (told.as_of, told.is_demo) == (day, True)
        assert told.totals == totals(project_facts(day))
        assert isinstance(told.totals, Totals)


def test_the_ledger_reads_row_by_row_what_the_facts_say(demo_city):  # noqa: F811
    day = dt.date(2024, 6, 30)
    facts = {f.pk: f for f in project_facts(day)}
    for row in master.rows(day).values("pk", "stage", "v__name", "physical_progress", "planned_progress", "lag", "in_place_wan"):
        fact = facts[row["pk"]]
        assert (row["stage"], row["v__name"], row["physical_progress"]) == (fact.stage, fact.name, fact.physical_progress)
        assert row["in_place_wan"] == fact.in_place_wan
        assert row["planned_progress"] == pytest.approx(float(fact.planned_progress), abs=1e-6)
        assert row["lag"] == pytest.approx(float(fact.lag), abs=1e-6)
