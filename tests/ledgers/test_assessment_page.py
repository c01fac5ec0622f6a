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
from linfen_water.dates import month_start
from linfen_water.enums import UnitKind
from linfen_water.models import Policy, Unit, User
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
        (dt.date(2025, 2, 20), "last-year", dt.date(2024, 2, 20)),
        (dt.date(2024, 2, 29), "last-year", dt.date(2023, 2, 28)),
        (dt.date(2025, 3, 31), "last-year-quarter", dt.date(2024, 3, 31)),
    ],
)
def test_the_last_period_ends_where_it_should(day, period, before):
    assert appraisal.period_before(day, Period(period)) == before


@pytest.mark.parametrize(
    ("day", "period", "first", "name"),
    [
        (dt.date(2025, 2, 20), Period.MONTH, dt.date(2025, 2, 1), "2025年2月"),
        (dt.date(2025, 2, 20), Period.QUARTER, dt.date(2025, 1, 1), "2025年第一季度"),
        (dt.date(2025, 6, 30), Period.QUARTER, dt.date(2025, 4, 1), "2025年第二季度"),
        (dt.date(2025, 10, 1), Period.SAME_QUARTER, dt.date(2025, 10, 1), "2025年第四季度"),
        (dt.date(2025, 12, 31), Period.YEAR, dt.date(2025, 1, 1), "2025年"),
    ],
)
def test_a_period_counts_from_its_first_day(day, period, first, name):
    assert (appraisal.period_start(day, period), appraisal.period_name(day, period)) == (first, name)


def test_a_quarter_counts_the_reports_of_all_its_weeks(office):
    county = CountyFactory()
    project = ProjectFactory(county=county, listed_on=dt.date(2024, 1, 1))
    DispatchFactory(project=project, week_of=dt.date(2025, 1, 6), submitted=True)
    DispatchFactory(project=project, week_of=LAST_WEEK, submitted=True)
    month, quarter = (appraisal.counties(TODAY, period=period)[0].part("reports") for period in (Period.MONTH, Period.QUARTER))
    assert month.numerator == 1 < quarter.numerator == 2
    assert quarter.denominator > month.denominator


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


def test_weights_that_changed_since_the_last_period_are_said(office, client):
    ProjectFactory(finished=True)
    assert client.get("/assessment/").context["other_weights"] == []
    Policy.objects.create(effective_on=TODAY, reason="会议议定", values={"score_finish": 35, "score_start": 10})
    page = client.get("/assessment/")
    assert page.context["other_weights"] == ["完工率由30分改为35分", "开工率由15分改为10分"]
    assert "权重与上期不同（完工率由30分改为35分；开工率由15分改为10分）" in page.content.decode()


def test_score_and_every_part_stand_beside_those_of_the_last_period(office, client):
    ProjectFactory(completed_on=dt.date(2025, 2, 10))
    ((row, lines),) = client.get("/assessment/").context["groups"][0][2]
    assert row.risen == row.score - row.earlier.score > 0
    finish = lines[0]
    assert (finish.part.numerator, finish.before.numerator) == (1, 0)
    assert f"得分{row.risen_words}；上期第 1，{row.earlier.score} 分" in client.get("/assessment/").content.decode()


@pytest.mark.parametrize("period", ["", *Period.values, "never"])
def test_page_and_paper_of_every_period(office, client, period):
    ProjectFactory(finished=True)
    assert client.get("/assessment/", {"period": period}).status_code == 200
    if period in ("", "quarter"):
        answer = client.get("/assessment.pdf", {"period": period})
        assert answer.content.startswith(b"%PDF")
        assert answer["Content-Type"] == "application/pdf"


def test_a_county_prints_its_own_row_only(office, client, monkeypatch):
    from ledgers.views import printed

    own, other = CountyFactory(), CountyFactory()
    ProjectFactory(county=own)
    ProjectFactory(county=other)
    seen = []
    monkeypatch.setattr(printed.pdf, "render_pdf", lambda paper, day: seen.append(paper) or b"%PDF")
    client.force_login(UserFactory(in_county=True, county=own))
    assert client.get("/assessment.pdf").status_code == 200
    assert own.name in str(seen[0])
    assert other.name not in str(seen[0])


def checked(day: dt.date) -> dict:
    return appraisal.dispatches_checked(day, month_start(day))


def test_a_dispatch_checked_later_was_not_checked_then(office):
    """What a department had checked by a day stays so, whatever it checks afterwards."""
    domain = DomainFactory()
    first, second, third = (ProjectFactory(domain=domain) for _ in range(3))
    DispatchFactory(project=first, submitted=True)
    DispatchFactory(project=second, reviewed_at=clock.end_of(LAST_WEEK + dt.timedelta(days=4)) - dt.timedelta(seconds=1))
    DispatchFactory(project=third, reviewed_at=clock.end_of(LAST_WEEK + dt.timedelta(days=4)))
    assert checked(LAST_WEEK + dt.timedelta(days=4)) == {domain.pk: (1, 3)}
    assert checked(LAST_WEEK + dt.timedelta(days=5)) == {domain.pk: (2, 3)}
    assert checked(LAST_WEEK + dt.timedelta(days=2)) == {}  # not yet due


def test_of_a_corrected_dispatch_the_one_that_stood_then_counts(office):
    """A correction handed in later changes nothing about a past day, and its first version does not stay unchecked for ever."""
    domain, end = DomainFactory(), clock.end_of(LAST_WEEK + dt.timedelta(days=4))
    project = ProjectFactory(domain=domain)
    DispatchFactory(project=project, submitted=True, is_live=False, submitted_at=end - dt.timedelta(hours=2))
    DispatchFactory(project=project, revision=2, submitted_at=end + dt.timedelta(hours=1), reviewed_at=end + dt.timedelta(hours=2))
    assert checked(LAST_WEEK + dt.timedelta(days=4)) == {domain.pk: (0, 1)}
    assert checked(LAST_WEEK + dt.timedelta(days=5)) == {domain.pk: (1, 1)}


def test_what_a_finished_project_still_says_is_neither_due_nor_counted(office):
    domain = DomainFactory()
    DispatchFactory(project=ProjectFactory(domain=domain, completed_on=LAST_WEEK - dt.timedelta(days=1)))
    DispatchFactory(project=ProjectFactory(domain=domain, completed_on=LAST_WEEK))
    assert checked(LAST_WEEK + dt.timedelta(days=6)) == {domain.pk: (1, 1)}


def test_every_part_leads_to_the_rows_behind_it(demo_city, client):  # noqa: F811
    client.force_login(User.objects.get(username="office"))
    groups = client.get("/assessment/").context["groups"]
    seen = set()
    parts = [(line.part, line.source) for _, _, rows in groups for _, lines in rows for line in lines]
    assert [part.key for part, source in parts if bool(source) != bool(part.denominator)] == []
    for part, source in parts:
        if source and part.key not in seen:
            page = client.get(source)
            assert page.context["filter"].is_valid(), source
            assert page.context["table"].paginator.count > 0, source
            seen.add(part.key)
    assert seen == {part.key for part, _ in parts if part.denominator}
    assert len(seen) >= 8


# ── the same scores out of what the office takes home ──


def exported(client, slug: str, **asked) -> list[dict[str, str]]:
    """The rows of a ledger's CSV by heading."""
    text = b"".join(client.get(f"/ledgers/{slug}/", {"export": "csv"} | asked)).decode("utf-8-sig")
    lines = list(csv.reader(io.StringIO(text)))
    heads = [head.rstrip("＝") for head in lines[2]]
    return [dict(zip(heads, line, strict=False)) for line in lines[3:] if line and not line[0].startswith(("合计", "注：", "其中"))]


def ratio(rows: list[dict], is_counted) -> tuple[int, int]:
    return sum(bool(is_counted(row)) for row in rows), len(rows)


def summed(rows: list[dict], *heads: str) -> tuple[Decimal, ...]:
    return tuple(sum((Decimal(row[head] or 0) for row in rows), Decimal(0)) for head in heads)


def behind(rows: list[dict]) -> Decimal:
    """The lag of 序时差, weighted by investment: finished counts as not behind, never reported as nothing done."""

    def lag(row: dict) -> Decimal:
        return Decimal(0) if row["状态"] == "完工" else Decimal(row["序时差（百分点）"] or row["计划进度（%）"])

    (whole,) = summed(rows, "总投资")
    return sum((Decimal(row["总投资"]) * lag(row) for row in rows), Decimal(0)) / whole


WEEKS_OF_FEBRUARY = ("2025-02-03", "2025-02-10", "2025-02-17")  # whose cut-off lies between the first and the demo's day
WEIGHTS = {"finish": 30, "start": 15, "invested": 25, "in_place": 10, "lag": 10, "reports": 5, "letters": 5}


def test_the_scores_can_be_computed_again_from_the_exported_ledgers(demo_city, client):  # noqa: F811
    client.force_login(User.objects.get(username="office"))
    shown = {row.name: row for row in appraisal.counties(clock.today())}
    master, funds, letters = (exported(client, slug) for slug in ("master", "funds", "letters"))
    weekly = [row for week in WEEKS_OF_FEBRUARY for row in exported(client, "weekly", week=week)]
    ranked = {row["县（市、区）"]: row for row in exported(client, "counties")}
    assert set(shown) == set(ranked) == {row["县（市、区）"] for row in master}
    for county, row in shown.items():
        own, paid, said = ([r for r in rows if r["县（市、区）"] == county] for rows in (master, funds, weekly))
        sent = [r for r in letters if r["主送"].startswith(county) and "2025-02-01" <= r["应回复日"] < "2025-02-20"]
        shares = {
            "finish": ratio(own, lambda r: r["状态"] == "完工"),
            "start": ratio(own, lambda r: r["状态"] != "未开工"),
            "invested": summed(own, "累计完成投资", "总投资"),
            "in_place": (*summed(paid, "本期"), *summed(own, "总投资")),
            "reports": ratio(said, lambda r: r["状态"] in ("待核", "已核")),
            "letters": ratio(sent, lambda r: r["回复日"] and r["回复日"] <= r["应回复日"]),
        }
        parts = {key: Part(key, key, WEIGHTS[key], *share) for key, share in shares.items()}
        parts["lag"] = Part("lag", "lag", 10, percent=appraisal_rules.lag_percent(behind(own), 30))
        for part in row.parts:
            assert parts[part.key].shown_points == part.shown_points, (county, part.label)
            if part.key != "lag":
                assert (parts[part.key].numerator, parts[part.key].denominator) == (part.numerator or 0, part.denominator or 0)
        assert appraisal_rules.score(parts.values()) == row.score == Decimal(ranked[county]["得分"])
        assert row.rank == int(ranked[county]["名次"])


def test_so_can_the_scores_of_the_departments(demo_city, client):  # noqa: F811
    client.force_login(User.objects.get(username="office"))
    domains = dict(Unit.objects.filter(kind=UnitKind.DEPARTMENT, domain__isnull=False).values_list("name", "domain__name"))
    master, permits = exported(client, "master"), exported(client, "permits")
    weekly = [row for week in WEEKS_OF_FEBRUARY for row in exported(client, "weekly", week=week)]
    rows = appraisal.departments(clock.today())
    assert {row.name for row in rows} == set(domains)
    for row in rows:
        own, said = ([r for r in table if r["领域"].removesuffix("（推定）") == domains[row.name]] for table in (master, weekly))
        promised = [
            r
            for r in permits
            if (r["受理机关"], r["是否需要"]) == (row.name, "是") and "2025-01-01" <= r["应办结日"] <= "2025-02-20"
            and (r["应办结日"] < "2025-02-20" or r["办结日"])
        ]  # fmt: skip
        works = (
            Part("finish", "", 0, *ratio(own, lambda r: r["状态"] == "完工")),
            Part("invested", "", 0, *summed(own, "累计完成投资", "总投资")),
        )
        parts = (
            Part("factors", "要素保障", 40, *ratio(promised, lambda r: r["办结日"] and r["办结日"] <= r["应办结日"])),
            Part("works", "工程建设", 40, halves=works),
            Part("dispatch", "日常调度", 20, *ratio([r for r in said if r["状态"] != "未报"], lambda r: r["状态"][:2] in ("已核", "退回"))),
        )
        for part, mine in zip(row.parts, parts, strict=True):
            assert mine.shown_points == part.shown_points, (row.name, part.label)
        assert appraisal_rules.score(parts) == row.score
