"""The appraisal's page and paper: periods, ties, what is missing, other weights, and the scores of the exported ledger."""

import csv
import datetime as dt
import io
from decimal import Decimal

import pytest

from ledgers import appraisal, appraisal_rules
from ledgers.appraisal import Period
from ledgers.appraisal_rules import Part
from linfen_water import clock
from linfen_water.models import Policy, User
from tests.demo_city import demo_city  # noqa: F401 - a fixture
from tests.factories import (
    LAST_WEEK,
    TODAY,
    CountyFactory,
    DispatchFactory,
    DomainFactory,
    ProjectFactory,
    RegionFactory,
    UserFactory,
)  # fmt: skip

pytestmark = pytest.mark.django_db


@pytest.fixture
def office(client):
    RegionFactory()
    person = UserFactory()
    client.force_login(person)
    return person


@pytest.mark.parametrize(
    ("day", "period", "before"),
    [
        (dt.date(2025, 2, 20), "month", dt.date(2025, 1, 31)),
        (dt.date(2025, 2, 20), "quarter", dt.date(2024, 12, 31)),
        (dt.date(2025, 5, 1), "quarter", dt.date(2025, 3, 31)),
        (dt.date(2025, 12, 31), "quarter", dt.date(2025, 9, 30)),
        (dt.date(2025, 12, 31), "year", dt.date(2024, 12, 31)),
        (dt.date(2025, 1, 1), "month", dt.date(2024, 12, 31)),
    ],
)
def test_the_last_period_ends_where_it_should(day, period, before):
    assert appraisal.period_before(day, period) == before


def test_counties_that_are_alike_share_a_rank_and_one_without_projects_has_none(office):
    first, second, third, empty = (CountyFactory() for _ in range(4))
    ProjectFactory(county=first, finished=True)
    for county in (second, third):
        ProjectFactory(county=county, not_started=True)
    ranks = {row.key: row.rank for row in appraisal.counties(TODAY)}
    assert ranks == {first.code: 1, second.code: 2, third.code: 2}
    assert empty.code not in ranks


def test_a_year_back_a_county_stood_elsewhere(office):
    ahead, behind = CountyFactory(), CountyFactory()
    ProjectFactory(county=ahead, completed_on=dt.date(2025, 1, 15))
    ProjectFactory(county=behind)
    rows = {row.key: row for row in appraisal.counties(TODAY, period=Period.YEAR)}
    assert (rows[ahead.code].rank, rows[ahead.code].before) == (1, 1)
    assert (rows[behind.code].rank, rows[behind.code].before, rows[behind.code].moved) == (2, 1, "降1位")
    month = {row.key: row.before for row in appraisal.counties(TODAY, period=Period.MONTH)}
    assert month == {ahead.code: 1, behind.code: 2}


def test_other_weights_make_other_scores(office):
    one = ProjectFactory(finished=True)
    Policy.objects.create(effective_on=TODAY, reason="会议议定", values={
        "score_finish": 100, "score_start": 0, "score_invested": 0, "score_in_place": 0, "score_lag": 0, "score_reports": 0,
        "score_letters": 0,
    })  # fmt: skip
    (row,) = appraisal.counties(TODAY)
    assert (row.score, row.part("finish").weight, one.completed_on is not None) == (Decimal("100.00"), 100, True)


def test_the_exported_ledger_tells_the_scores_that_the_parts_add_up_to(office, client):
    for n in range(3):
        county = CountyFactory()
        ProjectFactory(county=county, finished=n > 0)
        ProjectFactory(county=county, reported=Decimal(20 * n))
    exported = client.get("/ledgers/counties/", {"export": "csv"})
    text = b"".join(exported).decode("utf-8-sig")
    lines = list(csv.reader(io.StringIO(text)))
    head = next(n for n, line in enumerate(lines) if any("得分" in cell for cell in line))
    heads = lines[head]
    at = next(n for n, cell in enumerate(heads) if "得分" in cell)
    rows = {row.name: row for row in appraisal.counties(TODAY)}
    said = {name: line[at] for line in lines[head + 1 :] for name in rows if name in line}
    assert set(said) == set(rows)
    for name, row in rows.items():
        made = appraisal_rules.score(
            [Part(p.key, p.label, p.weight, p.numerator, p.denominator, p.unit, percent=p.percent) for p in row.parts]
        )
        assert Decimal(said[name]) == row.score == made


@pytest.mark.parametrize("period", ["", "month", "quarter", "year", "never"])
def test_page_and_paper_of_every_period(office, client, period):
    ProjectFactory(finished=True)
    assert client.get("/assessment/", {"period": period}).status_code == 200
    if period in ("", "quarter"):
        answer = client.get("/assessment.pdf", {"period": period})
        assert answer.content.startswith(b"%PDF")
        assert answer["Content-Type"] == "application/pdf"


def test_a_county_prints_its_own_row_only(office, client, monkeypatch):
    from ledgers.views import assessment

    own, other = CountyFactory(), CountyFactory()
    ProjectFactory(county=own)
    ProjectFactory(county=other)
    seen = []
    monkeypatch.setattr(assessment.pdf, "render_pdf", lambda paper, day: seen.append(paper) or b"%PDF")
    client.force_login(UserFactory(in_county=True, county=own))
    assert client.get("/assessment.pdf").status_code == 200
    assert own.name in str(seen[0])
    assert other.name not in str(seen[0])


def test_a_dispatch_checked_later_was_not_checked_then(office):
    """What a department had checked by a day stays so, whatever it checks afterwards."""
    domain = DomainFactory()
    first, second, third = (ProjectFactory(domain=domain) for _ in range(3))
    DispatchFactory(project=first, submitted=True)
    DispatchFactory(project=second, reviewed_at=clock.end_of(LAST_WEEK + dt.timedelta(days=4)) - dt.timedelta(seconds=1))
    DispatchFactory(project=third, reviewed_at=clock.end_of(LAST_WEEK + dt.timedelta(days=4)))
    assert appraisal.dispatches_checked(LAST_WEEK + dt.timedelta(days=4)) == {domain.pk: (1, 3)}
    assert appraisal.dispatches_checked(LAST_WEEK + dt.timedelta(days=5)) == {domain.pk: (2, 3)}
    assert appraisal.dispatches_checked(LAST_WEEK + dt.timedelta(days=2)) == {}  # not yet due


def test_every_part_leads_to_the_rows_behind_it(demo_city, client):  # noqa: F811
    client.force_login(User.objects.get(username="office"))
    groups = client.get("/assessment/").context["groups"]
    seen = set()
    parts = [pair for _, _, rows in groups for _, parts in rows for pair in parts]
    assert [part.key for part, source in parts if bool(source) != bool(part.denominator)] == []
    for part, source in parts:
        if source and part.key not in seen:
            page = client.get(source)
            assert page.context["filter"].is_valid(), source
            assert page.context["table"].paginator.count > 0, source
            seen.add(part.key)
    assert seen == {part.key for part, _ in parts if part.denominator}
    assert len(seen) >= 8
