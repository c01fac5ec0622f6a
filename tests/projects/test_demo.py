"""The demo city: what was published holds, the rest is labelled, and loading it again changes nothing."""

import datetime as dt
import hashlib
import json
from collections import Counter
from decimal import Decimal

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db.models import Count, F, Max, Q, Sum

from ledgers import agenda
from ledgers.case_models import Case
from ledgers.cases import CASE
from ledgers.documents.minutes import MinutesFacts
from ledgers.enums import CaseKind, DocumentKind, MeetingKind
from ledgers.meeting_models import Meeting
from linfen_water import clock, trail
from linfen_water.enums import Role
from linfen_water.models import County, Region, User
from monitoring.enums import PeriodKind
from monitoring.models import Assessment, Reading, Section
from projects import chase_rules, facts
from projects.demo import accounts, history, pace, sketches, water
from projects.demo.sites import Sites
from projects.enums import DispatchState, HelpLevel, PermitState, ProblemCategory, Provenance, Stage, StageEvent
from projects.models import Dispatch, DispatchLine, FundingSource, Permit, Problem, Project, ProjectVersion, StageFact
from projects.record_enums import ChaseState
from projects.regions import pack
from projects.rules import permit_state
from tests.demo_city import demo_city  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db

REAL = Q(provenance__in=[Provenance.PUBLIC, Provenance.LIKELY])
REAL_DISPATCH = Q(project__provenance__in=[Provenance.PUBLIC, Provenance.LIKELY])
# Of all invented and public facts, as every machine and both databases must make them. A wanted change of the
# generator changes it: look at the demo first, then put the new value here.
DIGEST = "dce48e4720d366aff8f02ae024b58a85eae5d3087289e9bfe2e9b4ae292c659e"
TABLES = [
    "monitoring.Section", "monitoring.SectionTarget", "monitoring.Reading", "monitoring.Assessment", "monitoring.Interruption",
    "monitoring.StationRecord", "monitoring.AirPeriod", "monitoring.AirResult", "linfen_water.County",
    "linfen_water.Unit",
    "projects.Project", "projects.ProjectVersion", "projects.FundingSource", "projects.MonthlyPlan", "projects.Permit",
    "projects.Problem", "projects.Dispatch", "projects.DispatchLine", "projects.StageFact",
    "projects.AnnualTarget", "projects.Milestone", "projects.ProvincialTerm", "projects.ProvincialFigure", "projects.Inspection",
    "projects.InspectionFinding", "projects.AcceptanceFact", "projects.LoadReading", "projects.ArchiveEntry", "projects.ArchiveItem",
    "projects.ArchiveCheck", "ledgers.Meeting", "ledgers.Decision", "ledgers.DecisionNote",
    "ledgers.CheckFinding", "ledgers.Case",
]  # fmt: skip


def digest(tables: list[str], *, with_ids: bool) -> str:
    """SHA-256 of all rows; without ids, a foreign key counts as the place of its row in the other table."""
    places: dict = {}

    def place(model, pk):
        if model not in places:
            places[model] = {key: n for n, key in enumerate(model.objects.order_by("pk").values_list("pk", flat=True))}
        return places[model].get(pk)

    hashed = hashlib.sha256()
    for name in tables:
        model = apps.get_model(name)
        fields = [f for f in model._meta.concrete_fields if with_ids or not f.primary_key]
        for row in model.objects.order_by("pk").values_list(*(f.attname for f in fields)):
            cells = [
                place(f.related_model, cell) if f.is_relation and not with_ids else str(cell) if isinstance(cell, Decimal) else cell
                for f, cell in zip(fields, row, strict=True)
            ]
            hashed.update(json.dumps([name, *cells], default=_plain, ensure_ascii=False, sort_keys=True).encode())
    return hashed.hexdigest()


def _plain(cell):
    return cell.astimezone(dt.UTC).isoformat() if isinstance(cell, dt.datetime) else str(cell)


# ── What was published ─────────────────────────────────────────────────────────────────────────────────────────────


def test_totals_are_those_published(demo_city):  # noqa: F811
    totals = facts.totals(facts.project_facts(demo_city.today))
    assert totals.count == demo_city.count == 95
    assert totals.total_investment_wan == Decimal("1293700.00")
    assert clock.today() == dt.date(2025, 2, 20)


def test_domains_and_counties_are_those_promised(demo_city):  # noqa: F811
    found = facts.project_facts(demo_city.today)
    domains = Counter(f.domain for f in found)
    assert domains == demo_city.domains
    assert domains["生态环境"] == 22
    assert sum(domains.values()) - 22 == 73
    assert {f.county_code for f in found} == set(County.objects.values_list("code", flat=True))
    assert County.objects.count() == 18


@pytest.mark.parametrize(
    ("day", "started", "finished"),
    [("2024-12-31", 95, 62), ("2025-02-20", 95, 64)],
    ids=["2024年底全部开工、62个完工", "2025年2月63至65个完工"],
)
def test_stages_on_the_published_days(demo_city, day, started, finished):  # noqa: F811
    totals = facts.totals(facts.project_facts(dt.date.fromisoformat(day)))
    assert (totals.started, totals.finished) == (started, finished)


def test_all_are_listed_from_may_2023_and_nearly_all_not_started_then(demo_city):  # noqa: F811
    found = facts.project_facts(dt.date(2023, 5, 1))
    assert len(found) == demo_city.count
    assert sum(f.stage == Stage.NOT_STARTED for f in found) > 0.9 * len(found)


def test_national_sections_were_good_as_published(demo_city):  # noqa: F811
    assert water.good_in(2023, demo_city.today) == (7, 9)
    assert water.good_in(2024, demo_city.today) == (8, 9)


def test_every_class_is_computed_from_the_readings(demo_city):  # noqa: F811
    from monitoring import periods, services

    for section in Section.objects.filter(readings__isnull=False).distinct()[:4]:
        before = section.assessments.count()
        for row in section.assessments.all():
            same = services.assess(
                section=section,
                period=periods.of(row.period_kind, row.starts_on, row.ends_on),
                published_on=row.published_on,
                source=row.source,
            )
            assert same == row
        assert section.assessments.count() == before


def test_the_latest_month_is_the_one_published_by_the_demo_day(demo_city):  # noqa: F811
    last = Assessment.objects.filter(period_kind=PeriodKind.MONTH).aggregate(n=Max("starts_on"))["n"]
    assert last == dt.date(2025, 1, 1)
    assert not Assessment.objects.filter(published_on__gt=demo_city.today).exists()
    assert not Reading.objects.filter(sampled_at__date__gt=demo_city.today).exists()


def test_months_scatter_around_their_year(demo_city):  # noqa: F811
    months = Assessment.objects.filter(period_kind=PeriodKind.MONTH, section__in=Section.objects.national())
    assert len(set(months.values_list("water_class", flat=True)) - {None}) >= 4
    assert months.filter(water_class__isnull=True).exists(), "a month without flow or with ice has no class"


# ── Public projects ────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_public_projects_are_all_there_with_their_facts(demo_city):  # noqa: F811
    assert Counter(Project.objects.filter(REAL).values_list("provenance", flat=True)) == {Provenance.PUBLIC: 11, Provenance.LIKELY: 6}
    river = ProjectVersion.objects.get(name="乡宁县罗河河道生态修复工程")
    assert (river.total_investment_wan, river.baseline_finish_on, river.county.name) == (
        Decimal("2929.31"),
        dt.date(2025, 10, 31),
        "乡宁县",
    )
    water_works = ProjectVersion.objects.get(name="侯马市水源置换及北庄地表水厂建设工程")
    assert (water_works.total_investment_wan, water_works.project.is_domain_inferred) == (Decimal("60000.00"), False)
    plant = ProjectVersion.objects.get(name="甘亭污水处理厂")
    assert (plant.county.name, plant.project.is_domain_inferred) == ("临汾经济开发区", True)
    mines = Project.objects.get(versions__name="山西黄河重点生态区(临汾)历史遗留废弃矿山生态修复示范工程")
    assert {c.name for c in mines.also_in.all()} == {"汾西县", "洪洞县"}


def test_nothing_invented_shames_a_public_project(demo_city):  # noqa: F811
    assert not Problem.objects.filter(REAL_DISPATCH).exists()
    assert not Dispatch.objects.filter(REAL_DISPATCH).filter(Q(is_late=True) | Q(state=DispatchState.RETURNED) | Q(revision__gt=1)).exists()
    assert not ProjectVersion.objects.filter(REAL_DISPATCH, project__completed_on__gt=F("baseline_finish_on")).exists()
    assert ProjectVersion.objects.filter(REAL_DISPATCH).count() == Project.objects.filter(REAL).count()


def test_public_projects_report_every_week_and_are_never_behind(demo_city):  # noqa: F811
    for week_of in demo_city.weeks[::6]:
        cut_off = week_of + dt.timedelta(days=3)
        for fact in facts.project_facts(cut_off, Project.objects.filter(REAL)):
            assert fact.lag <= 0, (fact.name, cut_off)
            last_report = min(week_of, _last_week(fact)) if fact.completed_on else week_of
            assert fact.week_of == last_report, (fact.name, cut_off)


def _last_week(fact) -> dt.date:
    return Dispatch.objects.filter(project=fact.pk).aggregate(n=Max("week_of"))["n"]


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [("乡宁县罗河河道生态修复工程", 40, 60), ("侯马市水源置换及北庄地表水厂建设工程", 20, 50)],
    ids=["2025年4月为60%", "2025年8月为50%"],
)
def test_published_progress_is_not_contradicted(demo_city, name, low, high):  # noqa: F811
    (fact,) = [f for f in facts.project_facts(demo_city.today) if f.name == name]
    assert low < fact.physical_progress < high


def test_four_of_the_five_in_xiangning_are_finished(demo_city):  # noqa: F811
    stages = Counter(f.stage for f in facts.project_facts(demo_city.today) if f.county == "乡宁县")
    assert stages == {Stage.FINISHED: 4, Stage.UNDER_CONSTRUCTION: 1}


# ── The invented ones ──────────────────────────────────────────────────────────────────────────────────────────────


def test_everything_invented_says_so(demo_city):  # noqa: F811
    for project in Project.objects.exclude(REAL):
        assert project.provenance == Provenance.DEMO
        assert "演示数据" in project.note
        assert "演示数据" in project.scale
    assert all("演示数据" in project.note for project in Project.objects.filter(REAL))
    assert set(Reading.objects.values_list("source", flat=True).distinct()) == {"演示数据"}
    assert set(Assessment.objects.values_list("source", flat=True).distinct()) == {"演示数据"}
    assert Region.current().is_demo


def test_names_are_unique_and_numbers_run_county_by_county(demo_city):  # noqa: F811
    found = facts.project_facts(demo_city.today)
    assert len({f.name for f in found}) == len(found)
    assert [f.number for f in found] == list(range(1, len(found) + 1))
    assert found[0].code == "LF-001"
    order = list(County.objects.values_list("code", flat=True))
    places = [order.index(f.county_code) for f in found]
    assert places == sorted(places)


def test_every_site_lies_in_its_county(demo_city):  # noqa: F811
    sites = Sites(pack.read("linfen"))
    zone_lies_in = {"141002401": "141002"}
    for fact in facts.project_facts(demo_city.today):
        assert sites.county_at(fact.lon, fact.lat) == zone_lies_in.get(fact.county_code, fact.county_code), fact.name


def test_every_project_serves_a_section_but_never_one_that_nobody_samples(demo_city):  # noqa: F811
    served = Project.objects.annotate(n=Count("sections"))
    assert served.filter(n=0).count() == 0
    assert not Project.objects.filter(sections__readings__isnull=True).exists()


def test_some_are_slow_some_far_behind_some_silent_some_ahead(demo_city):  # noqa: F811
    running = [f for f in facts.project_facts(demo_city.today) if f.stage == Stage.UNDER_CONSTRUCTION]
    earlier = {f.pk: f for f in facts.project_facts(demo_city.today - dt.timedelta(weeks=5))}
    silent = [f for f in running if (f.physical_progress, f.invested_wan, f.in_place_wan) ==
              (earlier[f.pk].physical_progress, earlier[f.pk].invested_wan, earlier[f.pk].in_place_wan)]  # fmt: skip
    assert sum(10 < f.lag <= 30 for f in running) >= 5
    assert sum(f.lag > 30 for f in running) >= 2
    assert sum(f.lag < -5 for f in running) >= 2
    assert len(silent) >= 3
    assert {f.provenance for f in silent} == {Provenance.DEMO}


def test_problems_of_every_category_and_level_open_and_closed(demo_city):  # noqa: F811
    assert {p.category for p in Problem.objects.all()} == set(ProblemCategory)
    assert set(Problem.objects.open_on(demo_city.today).values_list("level", flat=True)) == set(HelpLevel)
    assert Problem.objects.filter(closed_on__lte=demo_city.today).count() > Problem.objects.open_on(demo_city.today).count() > 9


def test_permits_are_got_before_the_start_and_some_still_stall(demo_city):  # noqa: F811
    assert not Permit.objects.filter(obtained_on__gt=F("project__started_on")).exists()
    states = Counter(permit_state(demo_city.today, p.is_required, p.submitted_on, p.obtained_on) for p in Permit.objects.all())
    assert states[PermitState.IN_PROGRESS] >= 5
    assert states[PermitState.NOT_NEEDED] >= 5
    stalled = Permit.objects.filter(is_required=True, obtained_on__isnull=True)
    assert not stalled.filter(project__completed_on__isnull=False).exists()
    assert not stalled.filter(note="").exists()


def test_baselines_were_revised_with_a_reason_and_both_stay(demo_city):  # noqa: F811
    revised = ProjectVersion.objects.filter(effective_to__isnull=False)
    assert revised.count() >= 5
    assert not ProjectVersion.objects.filter(reason="").exists()
    for version in revised:
        following = ProjectVersion.objects.get(project=version.project, effective_from=version.effective_to)
        assert following.total_investment_wan == version.total_investment_wan
        assert (following.baseline_finish_on, following.name) != (version.baseline_finish_on, version.name)


# ── Money and weeks ────────────────────────────────────────────────────────────────────────────────────────────────


def test_sources_add_up_to_the_total_and_hold_the_chain(demo_city):  # noqa: F811
    for version in ProjectVersion.objects.filter(effective_to=None):
        planned = FundingSource.objects.filter(project=version.project_id).aggregate(n=Sum("planned_wan"))["n"]
        assert planned == version.total_investment_wan
    assert not FundingSource.objects.filter(issued_wan__gt=F("planned_wan")).exists()
    for line in DispatchLine.objects.select_related("source", "dispatch"):
        assert line.paid_wan <= line.in_place_wan <= (line.source.issued_wan or 0)
        if line.in_place_wan:
            assert line.source.issued_on <= line.dispatch.cut_off_on


def test_dispatch_sums_are_the_sums_of_their_lines(demo_city):  # noqa: F811
    sums: dict[int, list[Decimal]] = {}
    for line in DispatchLine.objects.values_list("dispatch", "in_place_wan", "paid_wan", "completed_wan"):
        sums[line[0]] = [a + b for a, b in zip(sums.get(line[0], [Decimal(0)] * 3), line[1:], strict=True)]
    stated = Dispatch.objects.values_list("pk", "in_place_wan", "paid_wan", "invested_wan")
    assert {pk: list(values) for pk, *values in stated} == sums


def test_cumulative_values_fall_only_with_a_reason(demo_city):  # noqa: F811
    falls, before = [], {}
    for row in Dispatch.objects.filter(is_live=True).order_by("project", "week_of"):
        now = (row.physical_progress, row.in_place_wan, row.paid_wan, row.invested_wan)
        if any(a < b for a, b in zip(now, before.get(row.project_id, now), strict=True)):
            falls.append(row)
        before[row.project_id] = now
    assert 1 <= len(falls) <= 2
    assert all(row.reason for row in falls)


def test_above_the_budget_only_with_a_reason(demo_city):  # noqa: F811
    budgets = dict(ProjectVersion.objects.filter(effective_to=None).values_list("project", "total_investment_wan"))
    rows = Dispatch.objects.filter(is_live=True).values_list("project", "invested_wan", "reason")
    reasons = [reason for project, invested, reason in rows if invested > budgets[project]]
    assert reasons
    assert all(reasons)


def test_weeks_follow_the_rules_of_dispatching(demo_city):  # noqa: F811
    rows = Dispatch.objects.all()
    assert not rows.exclude(week_of__in=demo_city.weeks).exists()
    assert not rows.filter(is_live=False, state=DispatchState.SUBMITTED).exists()
    assert not rows.filter(completed_on__isnull=False).exclude(physical_progress=100).exists()
    assert not rows.filter(physical_progress=100, is_live=True).filter(
        Q(project__completed_on__isnull=True) | Q(project__completed_on__gt=F("cut_off_on"))
    ).exists()  # fmt: skip
    assert not rows.filter(submitted_at__date__gt=demo_city.today).exists()
    assert not rows.filter(reviewed_at__date__gt=demo_city.today).exists()
    assert not rows.filter(reviewed_at__lt=F("submitted_at")).exists()
    late = rows.filter(is_late=True)
    assert late.exists()
    assert all(d.submitted_at.date() > d.cut_off_on for d in late)
    assert rows.filter(state=DispatchState.RETURNED).count() >= 10
    assert rows.filter(revision=2, is_live=True).exclude(reason="").exists(), "some corrections"


def test_the_current_week_is_partly_reported(demo_city):  # noqa: F811
    states = Counter(Dispatch.objects.filter(week_of=demo_city.weeks[-1]).values_list("state", flat=True))
    assert set(states) == set(DispatchState)
    running = Project.objects.filter(completed_on__isnull=True).count()
    assert sum(states.values()) < running + 4
    assert not Dispatch.objects.filter(week_of=demo_city.weeks[-1], is_late=True).exists()


def test_a_finished_project_reports_a_few_weeks_more_and_then_rests(demo_city):  # noqa: F811
    for project in Project.objects.filter(completed_on__lt=dt.date(2024, 12, 1)):
        last = Dispatch.objects.filter(project=project).latest("week_of")
        after = (last.cut_off_on - project.completed_on).days
        assert 7 * (history.WEEKS_AFTER_COMPLETION - 2) <= after <= 7 * (history.WEEKS_AFTER_COMPLETION + 1), project.code


def test_stage_facts_say_what_the_projects_say(demo_city):  # noqa: F811
    stated = {(f.project_id, f.event): f.on for f in StageFact.objects.all()}
    for project in Project.objects.all():
        assert stated.pop((project.pk, StageEvent.START)) == project.started_on
        if project.completed_on:
            assert stated.pop((project.pk, StageEvent.COMPLETION)) == project.completed_on
    assert stated == {}
    assert not StageFact.objects.filter(dispatch__is_live=False).exists()


def test_every_row_passes_the_models_own_checks(demo_city):  # noqa: F811
    for model in (Project, ProjectVersion, Problem, Permit, FundingSource):
        for row in model.objects.all():
            try:
                row.full_clean(validate_unique=False, exclude=["successor", "delisted_reason"])
            except ValidationError as fault:
                raise AssertionError((model, row.pk, fault)) from fault


# ── What the office did about it ───────────────────────────────────────────────────────────────────────────────────


def test_a_joint_meeting_is_closed_with_its_minutes_one_is_written_up_and_the_next_prepared(demo_city):  # noqa: F811
    coming, last, closed = Meeting.objects.filter(kind=MeetingKind.JOINT).order_by("-held_on")[:3]
    assert closed.held_on < last.held_on <= demo_city.today < coming.held_on
    assert (closed.minutes_closed_on > closed.held_on, last.minutes_closed_on) == (True, None)
    assert all(row.attended and "演示数据" in row.minutes for row in (closed, last))
    assert all(row.agenda.filter(is_taken=True).exists() for row in (coming, last, closed))
    states = Counter(chase_rules.standing(demo_city.today, *stands).state for stands in closed.decisions.values_list(
        "due_on", "answered_on", "closed_on"))  # fmt: skip
    assert states == {ChaseState.OPEN: 2, ChaseState.LATE: 1, ChaseState.CLOSED: 1}
    facts_kept = MinutesFacts.from_json(closed.closed_minutes.facts)
    assert [one.what for one in facts_kept.decided] == list(closed.decisions.order_by("pk").values_list("what", flat=True))


def test_the_next_agenda_is_what_a_click_would_put_together(demo_city):  # noqa: F811
    coming = Meeting.objects.order_by("-held_on").first()
    found = {line.key: line.text for line in agenda.found(coming, demo_city.today)}
    assert dict(coming.agenda.values_list("key", "text")) == found


def test_cases_follow_from_letters_verdicts_and_lags(demo_city):  # noqa: F811
    rows = {row.kind: row for row in Case.objects.all()}
    joint, talk, listed = (rows.pop(kind) for kind in (CaseKind.JOINT, CaseKind.TALK, CaseKind.LISTED))
    assert rows == {}
    assert (joint.notice.kind, joint.notice.unit) == (DocumentKind.SUPERVISION, joint.unit)
    assert joint.with_units.exists()
    assert joint.opened_on < joint.answered_on <= joint.due_on < joint.closed_on <= demo_city.today
    assert (talk.notice.kind, talk.notice.unit) == (DocumentKind.TALK, talk.unit)
    assert talk.notice.as_of < talk.opened_on < talk.answered_on <= talk.due_on
    assert talk.minutes
    assert talk.conditions
    assert talk.closed_on is None  # nothing has moved since
    assert (listed.answered_on, listed.closed_on) == (None, None)
    assert listed.due_on > demo_city.today
    assert listed.projects.count() > 1
    for row in (joint, talk, listed):
        assert "演示数据" in row.ground
        assert row.projects.exists()
        assert not row.projects.filter(REAL).exists()
        assert not [*CASE.faults(CASE.values(row))]


# ── Loading ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_loading_twice_changes_nothing(demo_city, capsys):  # noqa: F811
    every = [
        model._meta.label for model in apps.get_models() if model._meta.app_label in ("linfen_water", "monitoring", "projects", "ledgers")
    ]
    before = digest(every, with_ids=True)
    call_command("demo")
    call_command("load_region")
    assert digest(every, with_ids=True) == before
    assert "未作改动" in capsys.readouterr().out


def test_every_machine_and_both_databases_make_the_same_demo(demo_city):  # noqa: F811
    assert digest(TABLES, with_ids=False) == DIGEST


def test_the_trail_of_every_chain_says_so_and_holds(demo_city):  # noqa: F811
    chains = [trail.OFFICE_CHAIN, *County.objects.values_list("code", flat=True)]
    assert [trail.verify(chain) for chain in chains] == [None] * len(chains)
    assert trail.data_version() == len(chains) + 1  # the region's own event


def test_accounts_one_a_role_and_unit_with_a_post_and_no_name(demo_city):  # noqa: F811
    users = {user.username: user for user in User.objects.all()}
    assert Counter(user.role for user in users.values()) == {
        Role.OFFICE: 1, Role.LEADER: 1, Role.DEPARTMENT: len(demo_city.domains), Role.COUNTY: County.objects.count()
    }  # fmt: skip
    assert all(user.check_password(accounts.DEMO_PASSWORD) and user.post and not user.first_name for user in users.values())
    assert users["c141081"].unit.name == "侯马市人民政府"
    assert users["eco"].role == Role.DEPARTMENT
    assert {name for name, *_ in accounts.demo_accounts()} == set(users)


# ── Parts ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_curve_rises_from_nothing_to_all_and_slows_in_winter():
    start, finish = dt.date(2024, 3, 1), dt.date(2025, 6, 1)
    days = [start + dt.timedelta(days=n) for n in range((finish - start).days + 1)]
    values = [pace.curve(start, finish, day) for day in days]
    assert (values[0], values[-1]) == (0, 100)
    assert values == sorted(values)

    def gain(month):
        return pace.curve(start, finish, pace.month_end(month)) - pace.curve(start, finish, month)

    assert gain(dt.date(2025, 1, 1)) < gain(dt.date(2024, 10, 1)) / 2


def test_finish_for_reaches_what_was_asked():
    start, day = dt.date(2024, 3, 1), dt.date(2025, 2, 20)
    for percent in (Decimal(20), Decimal(60), Decimal(95)):
        assert abs(pace.curve(start, pace.finish_for(start, day, percent), day) - percent) < Decimal("0.5")


def test_streams_of_chance_do_not_disturb_one_another(demo_city):  # noqa: F811
    first = demo_city.dice("a").random()
    demo_city.dice("b").random()
    assert demo_city.dice("a").random() == first != demo_city.dice("b").random()


def test_sketches_do_not_depend_on_the_database(demo_city):  # noqa: F811
    again = sketches.sketch_all(pack.read("linfen"), demo_city)
    assert [s.name for s in again] == [f.name for f in facts.project_facts(demo_city.today)]
