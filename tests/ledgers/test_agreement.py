"""One truth: on ten random dates every figure that several ledgers, the wall and the bulletin show is the same in all of them."""

import datetime as dt
import random
from collections import Counter
from decimal import Decimal

import pytest

from ledgers import appraisal
from ledgers.documents import bulletin
from ledgers.registry import LEDGERS
from linfen_water.dates import month_start
from linfen_water.enums import Role
from linfen_water.models import Region, User
from projects import wall
from projects.facts import project_facts, silent, totals
from projects.models import Project
from tests.demo_city import demo_city  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db
COUNTS = ("count", "not_started", "under_construction", "finished")
RATES = ("start_rate", "finish_rate", "in_place_rate", "invested_rate")
PER_PROJECT = {  # ledger → columns that it shares with the facts of a project
    "master": ("name", "county", "domain", "stage", "total_investment_wan", "invested_wan", "in_place_wan", "physical_progress"),
    "provincial": ("name", "county", "stage", "total_investment_wan", "invested_wan"),
    "annual": ("name", "county"),
    "acceptance": ("name", "county", "completed_on"),
    "permits": ("name", "county"),
    "archives": ("name", "county"),
}


def ten_days(promise) -> list[dt.date]:
    span = (promise.today - promise.first_week).days
    return sorted(promise.first_week + dt.timedelta(days=day) for day in random.Random(15).sample(range(span), 9)) + [promise.today]


def read(slug: str, day: dt.date, **asked) -> list[dict]:
    ledger = LEDGERS[slug]
    return ledger.read_rows(day, ledger.filter(asked, queryset=ledger.rows(day), day=day).qs)


def agree(day: dt.date) -> None:
    facts = project_facts(day)
    by_code, expected = {f.code: f for f in facts}, totals(facts)
    for slug, names in PER_PROJECT.items():
        ledger = LEDGERS[slug]
        for row in ledger.read_rows(day, ledger.opened(day).qs):
            assert {n: row[n] for n in names} == {n: getattr(by_code[row["code"]], n) for n in names}, (slug, day)
    for slug in ("master", "domains", "counties"):
        ledger = LEDGERS[slug]
        sums = ledger.totals(day, ledger.opened(day).qs)
        for name in (*COUNTS, *RATES, "total_investment_wan", "invested_wan"):
            assert getattr(sums, name) == getattr(expected, name), (slug, name, day)
    province = LEDGERS["provincial"].totals(day, LEDGERS["provincial"].opened(day).qs)
    assert (province.count, province.invested_wan) == (expected.count, expected.invested_wan), day
    shown = wall.document(Region.current(), User.objects.filter(role=Role.OFFICE).first(), day)["totals"]
    assert {name: shown[name] for name in COUNTS} == {name: getattr(expected, name) for name in COUNTS}, day
    rows = {row["county"]: row for row in LEDGERS["counties"].opened(day).qs}
    for county, row in rows.items():
        of_county = totals(f for f in facts if f.county == county)
        assert {n: row[n] for n in (*COUNTS, *RATES)} == {n: getattr(of_county, n) for n in (*COUNTS, *RATES)}, (county, day)
    waiting = [row for row in LEDGERS["letters"].opened(day).qs if row["row"].is_in("waiting")]
    told = Counter(row["county_code"] for row in waiting if row["county_code"])
    assert {row["code"]: row["unanswered"] for row in rows.values() if row["unanswered"]} == told, day
    assert {code: len(read("letters", day, county=code, state="waiting")) for code in told} == told, day
    assert {row["code"] for row in read("master", day) if row["apart"]} == {row["code"] for row in read("funds", day, only="apart")}, day
    domains = [row for row in LEDGERS["domains"].opened(day).qs if row["is_group"]]
    assert sum(row["overdue"] for row in domains) == sum(row["overdue"] for row in rows.values()), day


def test_all_ledgers_and_the_wall_agree_on_ten_days(demo_city):  # noqa: F811
    for day in ten_days(demo_city):
        agree(day)


def test_a_total_that_its_sources_do_not_plan_is_told_in_both_ledgers_from_that_day_on(demo_city):  # noqa: F811
    day, before = demo_city.today, demo_city.today - dt.timedelta(days=1)
    project = Project.objects.get(code="LF-001")
    version = project.versions.get(effective_to=None)
    version.effective_to = day
    version.save()
    version.pk, version.effective_from, version.effective_to = None, day, None
    version.total_investment_wan += Decimal("330.45")
    version.save()
    words = "资金来源计划合计比总投资少330.45万元"
    master, funds = LEDGERS["master"], LEDGERS["funds"]
    (row,) = (row for row in read("master", day) if row["apart"])
    assert (row["code"], row["apart"]) == ("LF-001", words)
    assert {row["code"] for row in read("funds", day, only="apart")} == {"LF-001"}
    assert funds.notes(funds.opened(day).qs)[0].startswith(f"LF-001 {words}。")
    sums = master.totals(day, master.opened(day).qs), funds.totals(day, funds.opened(day).qs)
    assert sums[0].total_investment_wan - sums[1].planned_wan == Decimal("330.45")
    assert [row for row in read("master", before) if row["apart"]] == []
    assert not funds.notes(funds.opened(before).qs)[0].startswith("LF-001")


def test_counties_add_up_to_the_bulletin(demo_city):  # noqa: F811
    day = demo_city.today
    told = bulletin.gather(month_start(day), day)
    ledger = LEDGERS["counties"]
    sums = ledger.totals(told.as_of, ledger.opened(told.as_of).qs)
    assert [getattr(sums, name) for name in (*COUNTS, *RATES)] == [getattr(told.totals, name) for name in (*COUNTS, *RATES)]


def test_four_unchanged_weeks_are_those_of_the_rule(demo_city):  # noqa: F811
    day = demo_city.today
    facts = project_facts(day)
    weeks = appraisal.unchanged_weeks(day, facts)
    assert {pk for pk, count in weeks.items() if count >= 4} == {f.pk for f in silent(day, 4, facts)}


def test_reports_in_time_are_those_of_the_ledger_of_reports(demo_city):  # noqa: F811
    """Over the weeks of the month whose cut-off has come, added up week by week."""
    day = dt.date(2025, 1, 31)
    found = appraisal.reports_on_time(day, project_facts(day), month_start(day))
    added: dict[str, list[int]] = {}
    ledger = LEDGERS["submissions"]
    for week in ("2024-12-30", "2025-01-06", "2025-01-13", "2025-01-20", "2025-01-27"):
        chosen = ledger.filter({"week": week}, queryset=ledger.rows(day), day=day)
        if chosen.is_valid():
            for row in chosen.qs:
                one = added.setdefault(row["county"], [0, 0])
                one[0] += row["on_time"]
                one[1] += row["due"]
    names = {f.county_code: f.county for f in project_facts(day)}
    assert {names[code]: list(pair) for code, pair in found.items()} == added
