"""Writing the demo city: once, in one transaction, and only into a database that no office works in."""

import datetime as dt

from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from linfen_water import policy, trail
from linfen_water.enums import UnitKind
from linfen_water.models import County, Domain, Region, Unit, User
from monitoring.models import Section
from projects.demo import accounts, books, history, papers, sketches, told, troubles, water
from projects.demo import promise as promises
from projects.demo.promise import Broken, Promise
from projects.demo.sketches import Sketch
from projects.enums import StageEvent
from projects.models import (
    Dispatch,
    DispatchLine,
    FundingPaper,
    FundingSource,
    MonthlyPlan,
    Permit,
    Problem,
    ProblemNote,
    ProblemStep,
    Project,
    ProjectVersion,
    StageFact,
)
from projects.regions import loading as regions
from projects.regions.pack import Pack

BATCH = 1000
LISTED = "列入省定工程清单"
POSTPONED = "汛期和冬季低温停工影响，经专班研究同意调整完工时限"
RENAMED = "初步设计批复后规范项目名称"
SPONSORS = {"县": "副县长", "区": "副区长", "市": "副市长"}  # posts, never names
SPONSOR_OF_ZONE = "管委会副主任"
RENAMED_EVERY = 29  # every n-th invented project got a new name


class InUse(ValueError):
    """The database holds an office's own data; its text is the Chinese sentence for the person."""


@transaction.atomic
def load(pack: Pack) -> bool:
    """Load the demo city of `pack`; False when it is there already, and then nothing is changed."""
    promise = promises.read(pack)
    refuse_if_in_use()
    region, _ = regions.load(pack)
    if region.is_demo:
        return False
    region.demo_on = promise.today
    region.save(update_fields=["demo_on"])
    users = accounts.make_accounts(at=_morning(promise.first_week))
    water.pour(pack, promise)
    everything = sketches.sketch_all(pack, promise)
    projects = _projects(everything, promise)
    _versions(everything, projects, promise)
    _plans(everything, projects)
    _serve_sections(everything, projects)
    _papers_and_weeks(everything, projects, promise, users, list(pack.counties))
    books.pour(promise)
    told.tell(promise)
    for county in [None, *County.objects.all()]:
        trail.record(action="demo.load", subject=region, by=None, county=county, reason=f"装入演示数据，业务日期 {promise.today}")
    check(promise)
    return True


def refuse_if_in_use() -> None:
    """Raise InUse when there are projects or users that no demo made."""
    if Region.current().is_demo:
        return
    if count := Project.objects.count():
        raise InUse(f"数据库中已有本办录入的{count}个项目，不能装入演示数据。请另用一个空库（设置 DATA_DIR 或 DATABASE_URL）。")
    if User.objects.filter(is_superuser=False).exists():
        raise InUse("数据库中已有本办的用户，不能装入演示账号。请另用一个空库（设置 DATA_DIR 或 DATABASE_URL）。")


def _morning(day: dt.date) -> dt.datetime:
    return timezone.make_aware(dt.datetime.combine(day, dt.time(9)))


def _projects(everything: list[Sketch], promise: Promise) -> list[Project]:
    domains = {domain.name: domain for domain in Domain.objects.all()}
    rows = Project.objects.bulk_create(
        Project(
            code=s.code,
            number=s.number,
            domain=domains[s.domain],
            is_domain_inferred=s.is_domain_inferred,
            nature=s.nature,
            scale=s.scale,
            lon=s.lon,
            lat=s.lat,
            location_quality="示意位置（按县域和河流推定）" if s.is_public else "示意位置（演示数据）",
            listed_on=promise.first_week,
            started_on=s.pace.started_on,
            completed_on=s.pace.completed_on,
            provenance=s.provenance,
            source=s.source,
            note=s.note,
        )
        for s in everything
    )
    counties = {county.code: county for county in County.objects.all()}
    also_in = Project.also_in.through
    also_in.objects.bulk_create(
        also_in(project=row, county=counties[code]) for s, row in zip(everything, rows, strict=True) for code in s.also_in
    )
    return rows


def _versions(everything: list[Sketch], projects: list[Project], promise: Promise) -> None:
    """The first version of each project, and a second one where the baseline was moved or the name was put right."""
    counties = {county.code: county for county in County.objects.all()}
    leads = {
        unit.domain.name: unit for unit in Unit.objects.filter(kind=UnitKind.DEPARTMENT, domain__isnull=False).select_related("domain")
    }
    responsible = {unit.county.code: unit for unit in Unit.objects.filter(kind=UnitKind.COUNTY).select_related("county")}
    rows = []
    for s, project in zip(everything, projects, strict=True):
        changes: list[tuple[dt.date, dict, str]] = []
        first = {"name": s.name, "baseline_finish_on": s.pace.baseline_finish_on}
        if not s.is_public and s.number % RENAMED_EVERY == 0:
            first["name"] = s.name.replace("工程", "项目")
            changes.append((promise.first_week + dt.timedelta(days=100 + s.number), {"name": s.name}, RENAMED))
        if s.pace.revised_on:
            changes.append((s.pace.revised_on, {"baseline_finish_on": s.pace.revised_finish_on}, POSTPONED))
        now, steps = first, sorted([(promise.first_week, {}, LISTED), *changes], key=lambda step: step[0])
        for place, (on, change, reason) in enumerate(steps):
            now = now | change
            rows.append(
                ProjectVersion(
                    project=project,
                    effective_from=on,
                    effective_to=steps[place + 1][0] if place + 1 < len(steps) else None,
                    name=now["name"],
                    county=counties[s.county],
                    lead_unit=leads[s.domain],
                    responsible_unit=responsible[s.county],
                    owner=s.owner,
                    sponsor_post="" if s.is_public else SPONSORS.get(counties[s.county].name[-1], SPONSOR_OF_ZONE),
                    total_investment_wan=s.total_wan,
                    baseline_start_on=s.pace.baseline_start_on,
                    baseline_finish_on=now["baseline_finish_on"],
                    reason=reason if s.is_public else f"{reason}（演示数据）",
                )
            )
    ProjectVersion.objects.bulk_create(rows, batch_size=BATCH)
    for row in rows:
        row.recorded_at = _morning(row.effective_from)
    ProjectVersion.objects.bulk_update(rows, ["recorded_at"], batch_size=BATCH)


def _plans(everything: list[Sketch], projects: list[Project]) -> None:
    MonthlyPlan.objects.bulk_create(
        (
            MonthlyPlan(
                project=project,
                month=month,
                planned_progress=percent,
                planned_invested_wan=(s.total_wan * percent / 100).quantize(s.total_wan),
            )
            for s, project in zip(everything, projects, strict=True)
            for month, percent in s.pace.plans.items()
        ),
        batch_size=BATCH,
    )


def _serve_sections(everything: list[Sketch], projects: list[Project]) -> None:
    sections = {section.name: section for section in Section.objects.all()}
    through = Project.sections.through
    through.objects.bulk_create(
        through(project=project, section=sections[name]) for s, project in zip(everything, projects, strict=True) for name in s.sections
    )


def _papers_and_weeks(
    everything: list[Sketch], projects: list[Project], promise: Promise, users: dict[str, User], counties: list[dict]
) -> None:
    """Funding, permits, problems, then all weeks, in few batches; the facts of start and completion point at their week."""
    units = {unit.code: unit for unit in Unit.objects.select_related("county", "domain")}
    leads = {unit.domain.name: unit for unit in units.values() if unit.kind == UnitKind.DEPARTMENT and unit.domain}
    reporting = {unit.county.code: unit for unit in units.values() if unit.kind == UnitKind.COUNTY}
    turns = {row["code"]: place for place, row in enumerate(counties)}
    funding = [_funding(s, project) for s, project in zip(everything, projects, strict=True)]
    FundingSource.objects.bulk_create((row for rows in funding for row in rows), batch_size=BATCH)
    _issued(funding, projects)
    permits = [papers.permits(s, project, promise, units) for s, project in zip(everything, projects, strict=True)]
    Permit.objects.bulk_create((row for rows in permits for row in rows), batch_size=BATCH)
    problems = [
        papers.problems(s, project, promise, units, leads[s.domain], reporting[s.county])
        for s, project in zip(everything, projects, strict=True)
    ]
    _problems(everything, problems, promise, {s.county: users[reporting[s.county].code] for s in everything})
    values = policy.values_on(promise.today)
    audited = next((s for s in everything if history.may_be_audited(s, promise)), None)
    weeks: list[history.Week] = []
    for s, project, sources, hindering in zip(everything, projects, funding, problems, strict=True):
        people = history.People(users[reporting[s.county].code], users[leads[s.domain].code])
        weeks += history.weeks(s, project, sources, hindering, people, promise, values, turns[s.county], s is audited)
    Dispatch.objects.bulk_create((week.dispatch for week in weeks), batch_size=BATCH)
    DispatchLine.objects.bulk_create((line for week in weeks for line in history.rows_of(week)), batch_size=BATCH)
    _stage_facts(weeks)


def _problems(everything: list[Sketch], problems: list[list[Problem]], promise: Promise, clerks: dict[str, User]) -> None:
    """Problems with their numbers, levels and notes."""
    for row in (row for rows in problems for row in rows if row.closed_on is None):
        troubles.date_anew(row, promise.today, promise.dice("limits", f"{row.project.code} {row.category}"))
    troubles.number([row for rows in problems for row in rows])
    told = [
        troubles.unfold(row, promise.today, promise.dice("levels", row.code), clerks[s.county])
        for s, rows in zip(everything, problems, strict=True)
        for row in rows
    ]
    Problem.objects.bulk_create((row for rows in problems for row in rows), batch_size=BATCH)
    ProblemStep.objects.bulk_create((step for steps, _ in told for step in steps), batch_size=BATCH)
    ProblemNote.objects.bulk_create((note for _, notes in told for note in notes), batch_size=BATCH)


def _funding(s: Sketch, project: Project) -> list[FundingSource]:
    return [
        FundingSource(
            project=project,
            kind=source.kind,
            planned_wan=source.planned_wan,
            issued_wan=source.issued_wan,
            issued_on=source.issued_on,
            issued_doc="" if s.is_public or source.issued_on is None else f"演示〔{source.issued_on.year}〕{s.number * 3 + place}号",
            position=place,
        )
        for place, source in enumerate(s.sources, 1)
    ]


def _issued(funding: list[list[FundingSource]], projects: list[Project]) -> None:
    """The paper behind every amount that was issued."""
    FundingPaper.objects.bulk_create(
        (
            FundingPaper(
                source=row,
                doc_number=row.issued_doc,
                issued_on=row.issued_on or project.listed_on,
                amount_wan=row.issued_wan,
                note="演示数据" if row.issued_doc else "文号未登记",
            )
            for rows, project in zip(funding, projects, strict=True)
            for row in rows
            if row.issued_wan
        ),
        batch_size=BATCH,
    )


def _stage_facts(weeks: list[history.Week]) -> None:
    facts = []
    for week in weeks:
        row = week.dispatch
        if not row.is_live:
            continue
        for event, on in ((StageEvent.START, row.started_on), (StageEvent.COMPLETION, row.completed_on)):
            if on:
                facts.append(StageFact(project=row.project, event=event, on=on, ground="周调度", dispatch=row, by=row.submitted_by))
    StageFact.objects.bulk_create(facts, batch_size=BATCH)
    for fact in facts:
        fact.at = fact.dispatch.submitted_at
    StageFact.objects.bulk_update(facts, ["at"], batch_size=BATCH)


def check(promise: Promise) -> None:
    """Raise Broken unless the rows hold what was promised."""
    projects = Project.objects.filter(listed_on__lte=promise.first_week)
    found = {
        "count": projects.count(),
        "total": ProjectVersion.objects.filter(effective_to=None).aggregate(n=Sum("total_investment_wan"))["n"],
    }
    wanted = {"count": promise.count, "total": promise.total_investment_wan}
    found["started"], wanted["started"] = projects.filter(started_on__lte=promise.all_started_by).count(), promise.count
    for day, count in promise.finished.items():
        found[f"finished {day}"], wanted[f"finished {day}"] = projects.filter(completed_on__lte=day).count(), count
    for name, count in promise.domains.items():
        found[name], wanted[name] = projects.filter(domain__name=name).count(), count
    for year, count in promise.good_sections.items():
        found[f"good {year}"], wanted[f"good {year}"] = water.good_in(year, promise.today)[0], count
    if found != wanted:
        raise Broken({key: (found[key], wanted[key]) for key in wanted if found[key] != wanted[key]})
