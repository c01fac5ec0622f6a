"""Dull rows for tests; situations are traits (`ProjectFactory(behind=True)`). All of it is invented.

`RegionFactory()` freezes the business date at TODAY (a Thursday: the cut-off day of its week), as the demo does.
"""

import datetime as dt
from decimal import Decimal

import factory
from django.contrib.auth.hashers import make_password
from factory.django import DjangoModelFactory

from linfen_water.enums import CountyKind, Role, UnitKind
from linfen_water.models import County, Domain, Region, Unit, User
from monitoring.enums import Level, WaterClass
from monitoring.models import AirPeriod, AirResult, Assessment, River, Section
from monitoring.periods import month
from projects.enums import DispatchState, PermitKind, ProblemCategory, Provenance, SourceKind, StageEvent
from projects.models import Dispatch, DispatchLine, FundingSource, MonthlyPlan, Permit, Problem, Project, ProjectVersion, StageFact

TODAY = dt.date(2025, 2, 20)  # Thursday
THIS_WEEK = dt.date(2025, 2, 17)
LAST_WEEK = dt.date(2025, 2, 10)
PASSWORD = "only-for-tests-1"


class RegionFactory(DjangoModelFactory):
    class Meta:
        model = Region
        django_get_or_create = ("slug",)

    slug = "test"
    name = "测试市"
    programme = "清水工程"
    demo_on = TODAY


class CountyFactory(DjangoModelFactory):
    class Meta:
        model = County

    code = factory.Sequence(lambda n: f"9910{n:02}")
    name = factory.Sequence(lambda n: f"第{n + 1}县")
    short = factory.Sequence(lambda n: f"县{n + 1}")
    kind = CountyKind.COUNTY
    position = factory.Sequence(lambda n: n)

    class Params:
        zone = factory.Trait(kind=CountyKind.ZONE, name=factory.Sequence(lambda n: f"第{n + 1}开发区"))


class DomainFactory(DjangoModelFactory):
    class Meta:
        model = Domain
        django_get_or_create = ("name",)

    name = "水利"
    position = 0


class UnitFactory(DjangoModelFactory):
    """A department by default; `county=` makes it a county's unit."""

    class Meta:
        model = Unit

    code = factory.Sequence(lambda n: f"unit{n}")
    name = factory.Sequence(lambda n: f"第{n + 1}单位")
    kind = factory.LazyAttribute(lambda o: UnitKind.COUNTY if o.county else UnitKind.DEPARTMENT)
    county = None
    domain = None


class UserFactory(DjangoModelFactory):
    """A person of the office by default; traits `in_county`, `in_department`, `leader`; pass `county=` or `domain=`."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    username = factory.Sequence(lambda n: f"user{n}")
    password = factory.LazyFunction(lambda: make_password(PASSWORD))
    role = Role.OFFICE
    post = "工作人员"
    unit = None

    class Params:
        county = None
        domain = None
        leader = factory.Trait(role=Role.LEADER, post="领导")
        in_county = factory.Trait(
            role=Role.COUNTY,
            post="填报员",
            unit=factory.LazyAttribute(lambda o: UnitFactory(county=o.county or CountyFactory())),
        )
        in_department = factory.Trait(
            role=Role.DEPARTMENT,
            post="科长",
            unit=factory.LazyAttribute(lambda o: UnitFactory(domain=o.domain or DomainFactory())),
        )


class RiverFactory(DjangoModelFactory):
    class Meta:
        model = River

    name = factory.Sequence(lambda n: f"第{n + 1}河")
    rank = 3


class SectionFactory(DjangoModelFactory):
    class Meta:
        model = Section

    name = factory.Sequence(lambda n: f"第{n + 1}断面")
    river = factory.SubFactory(RiverFactory)
    county = factory.SubFactory(CountyFactory)
    level = Level.NATIONAL
    lon = 111.5
    lat = 36.1


class AssessmentFactory(DjangoModelFactory):
    """January 2025 of a section, published in February; `of=Period` for another period."""

    class Meta:
        model = Assessment

    class Params:
        of = month(dt.date(2025, 1, 1))

    section = factory.SubFactory(SectionFactory)
    period_kind = factory.LazyAttribute(lambda o: o.of.kind)
    starts_on = factory.LazyAttribute(lambda o: o.of.starts_on)
    ends_on = factory.LazyAttribute(lambda o: o.of.ends_on)
    published_on = factory.LazyAttribute(lambda o: o.of.ends_on + dt.timedelta(days=10))
    water_class = WaterClass.III
    source = "演示数据"


class ProjectFactory(DjangoModelFactory):
    """A project with one version and one source (`funding={kind: 万元}` for more), under construction by default.

    Traits: `not_started`, `finished` (some weeks ago), `behind` (20 % reported where the plan says much more; with `reported`).
    `county=`, `name=`, `total_investment_wan=`, `baseline_start_on=`, `baseline_finish_on=` go to the version;
    `reported=30` adds last week's accepted dispatch with that progress.
    """

    class Meta:
        model = Project
        skip_postgeneration_save = True

    class Params:
        not_started = factory.Trait(started_on=None)
        finished = factory.Trait(started_on=dt.date(2023, 9, 1), completed_on=dt.date(2024, 11, 20))
        behind = factory.Trait(baseline_start_on=dt.date(2024, 1, 1), baseline_finish_on=dt.date(2025, 3, 31), reported=Decimal(20))

    code = factory.Sequence(lambda n: f"LF-{n + 1:03}")
    number = factory.Sequence(lambda n: n + 1)
    domain = factory.SubFactory(DomainFactory)
    scale = "治理河道 3.2 公里"
    listed_on = dt.date(2023, 5, 1)
    started_on = dt.date(2024, 3, 1)
    completed_on = None
    provenance = Provenance.DEMO

    # Not fields of the project: taken out by _create.
    county = None
    name = None
    lead_unit = None
    responsible_unit = None
    total_investment_wan = Decimal("1000.00")
    baseline_start_on = dt.date(2024, 1, 1)
    baseline_finish_on = dt.date(2025, 12, 31)
    funding = None
    reported = None

    @classmethod
    def _create(cls, model_class, *args, **kwargs):
        county = kwargs.pop("county") or CountyFactory()
        name = kwargs.pop("name") or f"{kwargs['code']} 河道治理工程"
        lead_unit = kwargs.pop("lead_unit") or UnitFactory(domain=kwargs["domain"])
        responsible_unit = kwargs.pop("responsible_unit") or UnitFactory(county=county)
        version = {key: kwargs.pop(key) for key in ("total_investment_wan", "baseline_start_on", "baseline_finish_on")}
        funding, reported = kwargs.pop("funding"), kwargs.pop("reported")
        project = super()._create(model_class, *args, **kwargs)
        ProjectVersion.objects.create(
            project=project,
            effective_from=project.listed_on,
            name=name,
            county=county,
            lead_unit=lead_unit,
            responsible_unit=responsible_unit,
            owner="演示水务公司",
            reason="列入清单",
            **version,
        )
        for position, (kind, planned) in enumerate((funding or {SourceKind.PROVINCE: version["total_investment_wan"]}).items()):
            FundingSource.objects.create(project=project, kind=kind, planned_wan=planned, position=position)
        for event, on in ((StageEvent.START, project.started_on), (StageEvent.COMPLETION, project.completed_on)):
            if on:
                StageFact.objects.create(project=project, event=event, on=on, ground="现场核查")
        if reported is not None:
            DispatchFactory(project=project, physical_progress=reported)
        return project


class PlanFactory(DjangoModelFactory):
    class Meta:
        model = MonthlyPlan

    project = factory.SubFactory(ProjectFactory)
    month = dt.date(2025, 2, 1)
    planned_progress = Decimal("60.00")


class DispatchFactory(DjangoModelFactory):
    """Last week's accepted dispatch by default; traits `draft`, `submitted`, `returned`. Its money lies on one line.

    `in_place_wan`, `allocated_wan`, `paid_wan`, `invested_wan` (completed investment) are written as the row's sums and its one line alike.
    """

    class Meta:
        model = Dispatch
        skip_postgeneration_save = True

    class Params:
        draft = factory.Trait(state=DispatchState.DRAFT, is_live=False, submitted_at=None)
        submitted = factory.Trait(state=DispatchState.SUBMITTED)
        returned = factory.Trait(state=DispatchState.RETURNED, is_live=False, remark="请核对进度")

    project = factory.SubFactory(ProjectFactory)
    week_of = LAST_WEEK
    cut_off_on = factory.LazyAttribute(lambda o: o.week_of + dt.timedelta(days=3))
    revision = 1
    state = DispatchState.ACCEPTED
    is_live = True
    physical_progress = Decimal("40.00")
    done = "完成护岸砌筑 200 米"
    next_steps = "继续护岸施工"
    in_place_wan = Decimal("500.00")
    allocated_wan = Decimal("300.00")
    paid_wan = Decimal("300.00")
    invested_wan = Decimal("400.00")
    submitted_at = factory.LazyAttribute(
        lambda o: dt.datetime.combine(o.cut_off_on, dt.time(10), tzinfo=dt.timezone(dt.timedelta(hours=8)))
    )

    @factory.post_generation
    def lines(self, create, extracted, **kwargs):
        source = self.project.funding.order_by("position", "pk").first()
        if create and source:
            DispatchLine.objects.create(
                dispatch=self,
                source=source,
                in_place_wan=self.in_place_wan,
                allocated_wan=self.allocated_wan,
                paid_wan=self.paid_wan,
                completed_wan=self.invested_wan,
            )


class PermitFactory(DjangoModelFactory):
    class Meta:
        model = Permit

    project = factory.SubFactory(ProjectFactory)
    kind = PermitKind.EIA


class ProblemFactory(DjangoModelFactory):
    class Meta:
        model = Problem

    project = factory.SubFactory(ProjectFactory)
    category = ProblemCategory.LAND
    description = "临时用地手续未批"
    raised_on = dt.date(2025, 1, 15)


class AirPeriodFactory(DjangoModelFactory):
    class Meta:
        model = AirPeriod

    starts_on = dt.date(2025, 1, 1)
    ends_on = dt.date(2025, 1, 31)
    label = factory.LazyAttribute(lambda o: f"{o.starts_on}至{o.ends_on}")
    published_on = factory.LazyAttribute(lambda o: o.ends_on + dt.timedelta(days=12))
    source = "测试来源"


class AirResultFactory(DjangoModelFactory):
    class Meta:
        model = AirResult

    period = factory.SubFactory(AirPeriodFactory)
    county = factory.SubFactory(CountyFactory)
    composite_index = Decimal("4.50")
