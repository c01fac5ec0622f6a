import datetime as dt
import re
from decimal import Decimal

import pytest
from django.urls import reverse

from ledgers import today
from ledgers.enums import DocumentKind
from ledgers.models import Document
from linfen_water import jobs, policy
from linfen_water.enums import JobState, Role
from linfen_water.models import Job
from monitoring.enums import PeriodKind, WaterClass
from monitoring.models import Assessment, SectionTarget
from projects import services
from projects.enums import Stage, StageEvent
from projects.facts import project_facts, totals
from tests.factories import (
    LAST_WEEK,
    THIS_WEEK,
    TODAY,
    CountyFactory,
    DispatchFactory,
    DomainFactory,
    PermitFactory,
    ProblemFactory,
    ProjectFactory,
    RegionFactory,
    SectionFactory,
    UnitFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db
NOON = dt.datetime(2025, 2, 20, 12, tzinfo=dt.timezone(dt.timedelta(hours=8)))


@pytest.fixture(autouse=True)
def region():
    return RegionFactory()


@pytest.fixture(autouse=True)
def noon(monkeypatch):
    """Six hours before the deadline."""
    monkeypatch.setattr("ledgers.today.clock.now", lambda: NOON)


def block(desk, title):
    return next(found for found in desk.blocks if found.title == title)


def figure(desk, label):
    return next(found for found in desk.figures if found.label == label)


def texts(found) -> list[str]:
    return [line.text for line in found.lines]


def marks(found) -> list[str]:
    return [line.mark for line in found.lines]


class TestCounty:
    @pytest.fixture
    def county(self):
        return CountyFactory(name="甲县")

    @pytest.fixture
    def clerk(self, county):
        return UserFactory(in_county=True, county=county)

    def test_sees_what_it_still_owes_returned_ones_first(self, county, clerk):
        missing, draft, returned, done = (
            ProjectFactory(code=f"LF-00{i}", name=f"工程{i}", county=county, reported=40) for i in range(1, 5)
        )
        DispatchFactory(project=draft, week_of=THIS_WEEK, draft=True)
        DispatchFactory(project=returned, week_of=THIS_WEEK, returned=True, remark="进度偏高，请核")
        DispatchFactory(project=done, week_of=THIS_WEEK, submitted=True)
        ProjectFactory(county=county, finished=True)
        ProjectFactory()
        desk = today.gather(clerk, TODAY)
        owed = block(desk, "本周待填报")
        assert texts(owed) == ["LF-003 工程3", "LF-001 工程1", "LF-002 工程2"]
        assert marks(owed) == ["退回", "未报", "草稿"]
        assert owed.lines[0].detail == "退回意见：进度偏高，请核"
        assert figure(desk, "本周已报").value == "1/4"
        assert desk.headline == "本周调度还差 3 个，截止 2月20日18时，还有 6 小时"
        assert missing.code in owed.lines[1].text

    def test_is_told_when_the_deadline_has_passed(self, county, clerk, monkeypatch):
        ProjectFactory(county=county)
        monkeypatch.setattr("ledgers.today.clock.now", lambda: NOON.replace(hour=18, minute=1))
        assert today.gather(clerk, TODAY).headline == "本周调度还差 1 个，已过截止时间（2月20日18时），补报记为迟报"

    def test_is_told_when_all_is_reported(self, county, clerk):
        DispatchFactory(project=ProjectFactory(county=county), week_of=THIS_WEEK, submitted=True)
        desk = today.gather(clerk, TODAY)
        assert desk.headline == "本周调度已全部报完（1/1）"
        assert block(desk, "本周待填报").lines == []
        assert block(desk, "本周待填报").empty == "本周已全部报完"

    def test_is_reminded_of_last_weeks_gap(self, county, clerk):
        ProjectFactory(county=county)
        assert block(today.gather(clerk, TODAY), "本周待填报").note == "上周仍缺 1 个，请补报"

    def test_problems_are_ordered_by_their_limit(self, county, clerk):
        project = ProjectFactory(county=county)
        for text, due_on in [("晚", dt.date(2025, 3, 30)), ("逾期", dt.date(2025, 2, 19)), ("今天", TODAY), ("未定", None)]:
            ProblemFactory(project=project, description=text, due_on=due_on)
        ProblemFactory(project=project, description="已销号", closed_on=TODAY)
        ProblemFactory(description="别县的")
        found = block(today.gather(clerk, TODAY), "未销号问题")
        assert texts(found) == ["用地：逾期", "用地：今天", "用地：晚", "用地：未定"]
        assert marks(found) == ["逾期 1 天", "即将到期", "办理中", "办理中"]

    def test_permits_past_their_promised_days(self, county, clerk):
        project = ProjectFactory(county=county)
        PermitFactory(project=project, kind="eia", submitted_on=dt.date(2025, 2, 12), promised_workdays=5)  # due 19 February
        PermitFactory(project=project, kind="approval", submitted_on=dt.date(2025, 2, 13), promised_workdays=5)  # due today
        PermitFactory(project=project, kind="land_use", submitted_on=dt.date(2025, 1, 2), promised_workdays=5, obtained_on=TODAY)
        found = block(today.gather(clerk, TODAY), "超过承诺时限的手续")
        assert [line.text[:6] for line in found.lines] == ["环境影响评价"]
        assert marks(found) == ["逾期 1 天"]

    def test_lagging_projects_are_quoted_with_their_numbers(self, county, clerk):
        ProjectFactory(code="LF-009", name="九号", county=county, behind=True)
        found = block(today.gather(clerk, TODAY), "滞后项目")
        assert [(line.text, line.mark, line.detail) for line in found.lines] == [
            ("LF-009 九号", "严重滞后", "截至2025年2月20日，计划进度91.4%，实际进度20.0%，滞后71.4个百分点")
        ]


class TestDepartment:
    def test_reviews_and_sees_its_domain_only(self):
        water, city = DomainFactory(name="水利"), DomainFactory(name="城管")
        own, other = ProjectFactory(domain=water, name="自己的", behind=True), ProjectFactory(domain=city, name="别家的", behind=True)
        for project in (own, other):
            DispatchFactory(project=project, week_of=THIS_WEEK, physical_progress=20, submitted=True)
        desk = today.gather(UserFactory(in_department=True, domain=water), TODAY)
        assert texts(block(desk, "待审核")) == [f"{own.code} 自己的"]
        assert texts(block(desk, "滞后项目")) == [f"{own.code} 自己的"]
        assert figure(desk, "项目").value == 1
        assert desk.headline == "水利领域 1 个项目"

    def test_sees_the_permits_that_stall_with_it_in_any_domain(self):
        clerk = UserFactory(in_department=True, domain=DomainFactory(name="规自"))
        project = ProjectFactory(domain=DomainFactory(name="水利"), name="等用地的")
        PermitFactory(project=project, submitted_on=dt.date(2025, 1, 2), promised_workdays=5, authority=clerk.unit)
        PermitFactory(project=project, kind="land_use", submitted_on=dt.date(2025, 1, 2), promised_workdays=5, authority=UnitFactory())
        found = block(today.gather(clerk, TODAY), "在本部门超时的手续")
        assert texts(found) == [f"环境影响评价：{project.code} 等用地的"]


class TestOffice:
    @pytest.fixture
    def office(self):
        return UserFactory()

    def test_sees_who_has_not_reported_those_late_since_last_week_first(self, office):
        punctual, late, done = (CountyFactory(name=name) for name in ("只缺本周", "上周也缺", "都报了"))
        ProjectFactory(county=punctual, reported=40)
        ProjectFactory(county=punctual, reported=40)
        ProjectFactory(county=late)
        DispatchFactory(project=ProjectFactory(county=done, reported=40), week_of=THIS_WEEK, submitted=True)
        found = block(today.gather(office, TODAY), "还没有报")
        assert [(line.text, line.mark, line.detail) for line in found.lines] == [
            ("上周也缺", "缺 1/1", "上周仍缺 1"),
            ("只缺本周", "缺 2/2", ""),
        ]

    def test_sees_reports_to_accept_papers_and_failed_jobs(self, office):
        project = ProjectFactory(name="待核的")
        DispatchFactory(project=project, week_of=LAST_WEEK, submitted=True, is_late=True)
        Document.objects.create(kind=DocumentKind.BULLETIN, period="2025-01", title="一月通报", as_of=dt.date(2025, 1, 31))
        job = Job.objects.create(key="bulletin:2025-01", kind="draft_document", state=JobState.FAILED, attempts=5, error="x\n磁盘已满")
        desk = today.gather(office, TODAY)
        assert marks(block(desk, "待审核")) == ["迟报"]
        assert texts(block(desk, "待印发文件")) == ["一月通报"]
        line = block(desk, "后台任务").lines[0]
        assert (line.text, line.retry, line.detail) == ("生成文件草稿", job.pk, "bulletin:2025-01，已试 5 次：磁盘已满")

    def test_sees_silent_projects(self, office):
        project = ProjectFactory(name="不动的")
        for week_of in (dt.date(2025, 1, 13), LAST_WEEK):
            DispatchFactory(project=project, week_of=week_of, physical_progress=40)
        assert texts(block(today.gather(office, TODAY), "连续 4 周无变化")) == [f"{project.code} 不动的"]

    def test_what_the_database_chooses_is_what_the_rules_say(self, office):
        for progress in (None, 10, 49, 50, 69, 70, 71, 20, 21, 22, 23, 24):
            project = ProjectFactory(behind=True)
            if progress is not None:
                DispatchFactory(project=project, week_of=THIS_WEEK, physical_progress=Decimal(progress), submitted=True)
        ProjectFactory(finished=True)
        limits = policy.values_on(TODAY)
        late = [f for f in project_facts(TODAY) if f.lag is not None and f.stage != Stage.FINISHED and f.lag >= limits.behind_points]
        desk = today.gather(office, TODAY)
        found = block(desk, "滞后项目")
        assert found.count == figure(desk, "滞后").value == len(late) > today.SHOWN
        assert texts(found) == [f"{f.code} {f.name}" for f in sorted(late, key=lambda f: (-f.lag, f.code))[: today.SHOWN]]
        assert figure(desk, "滞后").change == f"其中严重滞后 {sum(f.lag > limits.far_behind_points for f in late)} 个"

    def test_tells_what_moved_and_leads_to_its_lines(self, client, office):
        ProjectFactory(started_on=TODAY)
        ProjectFactory(started_on=dt.date(2024, 3, 1))
        found = block(today.gather(office, TODAY), "2月19日以来的变化")
        assert [(line.text, line.mark, line.url) for line in found.lines] == [("新开工、新完工", "1", "/morning/?show=stages")]
        client.force_login(office)
        assert client.get(found.lines[0].url).status_code == 200

    def test_figures_are_those_of_the_facts(self, office):
        ProjectFactory(finished=True, reported=100)
        ProjectFactory(behind=True)
        ProjectFactory(not_started=True)
        desk, sums = today.gather(office, TODAY), totals(project_facts(TODAY))
        assert [figure(desk, label).value for label in ("项目", "前期", "开工", "完工")] == [
            sums.count, sums.not_started, sums.under_construction, sums.finished,
        ]  # fmt: skip
        assert figure(desk, "滞后").value == 1

    def test_every_figure_that_leads_to_the_ledger_counts_its_rows(self, client, office):
        ProjectFactory(finished=True, reported=100)
        ProjectFactory.create_batch(2, behind=True)
        ProjectFactory.create_batch(3, not_started=True)
        client.force_login(office)
        for found in today.gather(office, TODAY).figures:
            if found.url.startswith("/ledgers/") and isinstance(found.value, int):
                page = client.get(found.url).content.decode()
                assert len(re.findall(r'<tr data-k="[^"]*"[^>]*><td><a', page)) == found.value, found.label

    def test_a_past_day_shows_facts_and_hides_work(self, office):
        project = ProjectFactory(started_on=dt.date(2024, 3, 1))
        DispatchFactory(project=project, week_of=LAST_WEEK, submitted=True)
        desk = today.gather(office, dt.date(2024, 2, 29))
        assert [found.title for found in desk.blocks] == [
            "2月28日以来的变化", "滞后项目", "连续 4 周无变化", "未销号问题", "超过承诺时限的手续",
        ]  # fmt: skip
        assert figure(desk, "前期").value == 1
        assert "as_of=2024-02-29" in figure(desk, "前期").url


class TestLeader:
    @pytest.fixture
    def leader(self):
        return UserFactory(leader=True)

    def test_reads_the_change_against_last_week(self, leader):
        ProjectFactory(started_on=dt.date(2025, 2, 18))
        ProjectFactory(started_on=dt.date(2024, 1, 1), completed_on=dt.date(2025, 2, 14))
        moved = ProjectFactory(reported=40)
        DispatchFactory(project=moved, week_of=THIS_WEEK, physical_progress=45, submitted=True)
        desk = today.gather(leader, TODAY)
        assert desk.headline == "较上周：新开工 1 个，新完工 1 个；在建 2 个中 1 个进度有推进"
        assert marks(block(desk, "近七天新开工、新完工")) == ["完工", "开工"]
        assert (figure(desk, "完工").value, figure(desk, "完工").change) == (1, "较上周 +1")
        assert (figure(desk, "前期").value, figure(desk, "前期").change) == (0, "较上周 −1")
        assert figure(desk, "开工").change == "与上周持平"
        assert (figure(desk, "开工率").value, figure(desk, "开工率").change) == ("100.0%", "3/3")
        assert (figure(desk, "完工率").value, figure(desk, "完工率").change) == ("33.3%", "1/3")

    def test_the_week_is_the_last_seven_days(self, leader):
        ProjectFactory(started_on=dt.date(2025, 2, 13), code="LF-001")
        ProjectFactory(started_on=dt.date(2025, 2, 14), code="LF-002")
        found = block(today.gather(leader, TODAY), "近七天新开工、新完工")
        assert [line.text[:6] for line in found.lines] == ["LF-002"]

    def test_counties_at_the_foot_show_rank_and_both_numbers(self, leader):
        for name, finished, building in [("甲", 1, 0), ("乙", 1, 1), ("丙", 2, 2), ("丁", 0, 1), ("戊", 3, 1)]:
            county = CountyFactory(name=name)
            ProjectFactory.create_batch(finished, county=county, finished=True)
            ProjectFactory.create_batch(building, county=county)
        found = block(today.gather(leader, TODAY), "完工率靠后的县（市、区）")
        assert [(line.text, line.mark, line.detail) for line in found.lines] == [
            ("丁", "第 5 名", "完工率 0.0%（0/1），在建 1，前期 0"),
            ("乙", "第 3 名", "完工率 50.0%（1/2），在建 1，前期 0"),
            ("丙", "第 3 名", "完工率 50.0%（2/4），在建 2，前期 0"),
        ]

    def test_sections_worse_than_their_target_are_named_with_the_month(self, leader):
        for name, found, target in [("达标的", 3, 3), ("超标的", 4, 3)]:
            section = SectionFactory(name=name)
            SectionTarget.objects.create(section=section, year=2025, water_class=target)
            Assessment.objects.create(
                section=section, period_kind=PeriodKind.MONTH, starts_on=dt.date(2025, 1, 1), ends_on=dt.date(2025, 1, 31),
                water_class=WaterClass(found), published_on=dt.date(2025, 2, 10), source="测试",
            )  # fmt: skip
        desk = today.gather(leader, TODAY)
        line = block(desk, "未达目标的断面").lines[0]
        assert (line.text, line.mark) == ("超标的", "Ⅳ类")
        assert line.url == reverse("section", args=[section.pk])
        assert figure(desk, "国考断面优良").url == reverse("sections")
        assert line.detail.endswith("目标 Ⅲ类，2025年1月评价")
        assert (figure(desk, "国考断面优良").value, figure(desk, "国考断面优良").change) == ("1/2", "2025年1月")


PEOPLE = {
    Role.OFFICE: {},
    Role.LEADER: {"leader": True},
    Role.COUNTY: {"in_county": True},
    Role.DEPARTMENT: {"in_department": True},
}


@pytest.mark.parametrize("traits", PEOPLE.values(), ids=list(PEOPLE))
class TestPage:
    def test_opens_on_an_empty_city(self, client, traits):
        client.force_login(UserFactory(**traits))
        assert client.get("/").status_code == 200
        assert client.get("/?as_of=2023-12-31").status_code == 200

    def test_asks_the_same_queries_for_one_row_and_thirty(self, client, traits, django_assert_num_queries, django_assert_max_num_queries):
        county, domain = CountyFactory(), DomainFactory()
        user = UserFactory(**traits, county=county, domain=domain)

        def add(count):
            for project in ProjectFactory.create_batch(count, county=county, domain=domain, behind=True):
                PermitFactory(project=project, submitted_on=dt.date(2025, 1, 2), promised_workdays=5, authority=user.unit)
                ProblemFactory(project=project, handler=user.unit)
                DispatchFactory(project=project, week_of=THIS_WEEK, physical_progress=Decimal(20), submitted=True)

        client.force_login(user)
        add(1)
        with django_assert_max_num_queries(70) as first:
            client.get("/")
        add(29)
        with django_assert_num_queries(len(first)):
            client.get("/")

    def test_every_address_on_it_opens(self, client, traits):
        county, domain = CountyFactory(), DomainFactory()
        user = UserFactory(**traits, county=county, domain=domain)
        ProjectFactory(county=county, domain=domain, behind=True)
        client.force_login(user)
        page = client.get("/").content.decode()
        for address in set(re.findall(r'href="(/[^"]*)"', page[page.index("<main") : page.index("</main>")])):
            assert client.get(address.replace("&amp;", "&")).status_code == 200, address


class TestRetry:
    @pytest.fixture
    def job(self):
        return Job.objects.create(key="bulletin:2025-01", kind="draft_document", state=JobState.FAILED, attempts=5, error="x")

    def test_office_starts_failed_work_again(self, client, job, monkeypatch):
        rung = []
        monkeypatch.setattr(jobs, "ring", rung.append)
        client.force_login(UserFactory())
        page = client.post(reverse("retry_job", args=[job.pk]), follow=True)
        job.refresh_from_db()
        assert (job.state, job.attempts, job.error) == (JobState.QUEUED, 0, "")
        assert rung == [job.pk]
        assert "已重新排队：bulletin:2025-01" in page.content.decode()

    @pytest.mark.parametrize("trait", ["in_county", "in_department", "leader"])
    def test_others_find_nothing_there(self, client, job, trait):
        client.force_login(UserFactory(**{trait: True}))
        assert client.post(reverse("retry_job", args=[job.pk])).status_code == 404
        job.refresh_from_db()
        assert job.state == JobState.FAILED

    def test_work_that_has_not_failed_is_left_alone(self, client, job):
        Job.objects.update(state=JobState.RUNNING)
        client.force_login(UserFactory())
        assert client.post(reverse("retry_job", args=[job.pk])).status_code == 404

    def test_only_post_is_answered(self, client, job):
        client.force_login(UserFactory())
        assert client.get(reverse("retry_job", args=[job.pk])).status_code == 405


class TestLongList:
    """Of a long list what the facts say is kept until they change."""

    @pytest.mark.parametrize("traits", [{}, {"leader": True}, {"in_department": True}, {"in_county": True}])
    def test_kept_page_says_what_the_facts_say(self, monkeypatch, traits):
        user = UserFactory(**traits)
        for _ in range(2):
            DispatchFactory(project=ProjectFactory(behind=True), week_of=THIS_WEEK, submitted=True)
        fresh = today.gather(user, TODAY)
        monkeypatch.setattr(today, "KEPT_FROM", 0)
        assert today.gather(user, TODAY) == fresh
        ProjectFactory()  # without the trail nothing is known to have changed
        assert today.gather(user, TODAY) == fresh

    def test_what_does_not_follow_from_the_facts_is_always_read(self, monkeypatch):
        monkeypatch.setattr(today, "KEPT_FROM", 0)
        office = UserFactory()
        assert block(today.gather(office, TODAY), "后台任务").count == 0
        Job.objects.create(kind="draft_document", key="bulletin 2025-01", state=JobState.FAILED)
        assert block(today.gather(office, TODAY), "后台任务").count == 1

    def test_a_change_of_facts_shows_at_once(self, monkeypatch):
        monkeypatch.setattr(today, "KEPT_FROM", 0)
        office, project = UserFactory(), ProjectFactory(not_started=True)
        assert figure(today.gather(office, TODAY), "前期").value == 1
        services.record_stage_fact(project=project, event=StageEvent.START, on=TODAY, ground="现场核查", by=office)
        assert figure(today.gather(office, TODAY), "前期").value == 0
