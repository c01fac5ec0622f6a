"""Sources and papers through their services, their page and `/funds/`: dates in force, locks, the trail, who sees and who writes."""

import datetime as dt
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from linfen_water.models import TrailEvent
from projects import attachments, funds, funds_services, reports, services
from projects.enums import SourceKind
from projects.models import Attachment, DispatchLine, FundingPaper, FundingRevision, FundingSource, Project
from projects.services import Faulty, Refused
from tests.caches import forget
from tests.factories import LAST_WEEK, THIS_WEEK, TODAY, CountyFactory, DispatchFactory, ProjectFactory, RegionFactory, UserFactory

pytestmark = pytest.mark.django_db
PDF = b"%PDF-1.4 %%EOF"
YESTERDAY = TODAY - dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def region(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    return RegionFactory()


@pytest.fixture
def project():
    return ProjectFactory(code="LF-001", funding={SourceKind.CENTRAL: Decimal(600), SourceKind.COUNTY: Decimal(400)})


@pytest.fixture
def office():
    return UserFactory()


def source_of(project, kind=SourceKind.CENTRAL) -> FundingSource:
    return project.funding.get(kind=kind)


def paper(project, office, number="晋财〔2025〕1号", on=YESTERDAY, note="", files=(), **amounts):
    found = {source_of(project, kind).pk: Decimal(amount) for kind, amount in amounts.items()}
    return funds_services.add_paper(project=project, by=office, doc_number=number, issued_on=on, amounts=found, note=note, files=files)


def line(project, day=TODAY, kind=SourceKind.CENTRAL):
    return next((one for one in funds.read(day, Project.objects.filter(pk=project.pk)) if one.kind == kind), None)


class TestPapers:
    def test_count_from_their_day_and_the_source_keeps_their_sum(self, project, office):
        paper(project, office, central="100")
        paper(project, office, number="晋财〔2025〕2号", on=dt.date(2025, 1, 10), central="50", county="40")
        row = source_of(project)
        assert (row.issued_wan, row.issued_doc, row.issued_on) == (150, "晋财〔2025〕1号", YESTERDAY)
        found = {day: line(project, day).source.issued_wan for day in (dt.date(2025, 1, 9), dt.date(2025, 1, 10), YESTERDAY)}
        assert list(found.values()) == [None, 50, 150]

    def test_what_was_loaded_without_a_paper_is_kept_as_the_first_one(self, project, office):
        FundingSource.objects.filter(pk=source_of(project).pk).update(
            issued_wan=200, issued_on=dt.date(2024, 5, 1), issued_doc="旧〔2024〕9号"
        )
        assert line(project, dt.date(2024, 4, 30)).source.issued_wan is None
        assert line(project).source.issued_wan == 200
        paper(project, office, central="100")
        assert [(p.doc_number, p.amount_wan) for p in source_of(project).papers.all()] == [("旧〔2024〕9号", 200), ("晋财〔2025〕1号", 100)]
        assert line(project).source.issued_wan == 300

    def test_withdrawn_never_counted_and_stays_as_a_row(self, project, office):
        (row, _) = paper(project, office, central="100", county="40")
        funds_services.withdraw_paper(paper=row, by=office, reason="金额登记有误")
        assert line(project).source.issued_wan is None
        assert source_of(project).issued_wan is None
        assert FundingPaper.objects.exclude(withdrawn_at=None).count() == 2
        paper(project, office, central="90")  # the number is free again
        assert line(project).source.issued_wan == 90
        with pytest.raises(Refused, match="已经撤销"):
            funds_services.withdraw_paper(paper=row, by=office, reason="再撤")

    @pytest.mark.parametrize(
        ("asked", "sentence"),
        [
            ({"number": ""}, "请填写下达文号"),
            ({"on": TODAY + dt.timedelta(days=1)}, "晚于今天"),
            ({"central": "0"}, "请至少填写一个来源"),
            ({"central": "600.01"}, "超过计划600万元"),
            ({"central": "-0.01"}, "不能小于 0"),
        ],
    )
    def test_are_refused_with_a_sentence(self, project, office, asked, sentence):
        with pytest.raises(Faulty, match=sentence):
            paper(project, office, **({"central": "100"} | asked))

    def test_up_to_the_plan_and_above_it_with_a_note(self, project, office):
        paper(project, office, central="600")
        paper(project, office, number="晋财〔2025〕3号", central="1", note="省财政追加")
        assert line(project).source.issued_wan == 601

    def test_same_number_twice_is_refused(self, project, office):
        paper(project, office, central="100")
        with pytest.raises(Faulty, match="已登记"):
            paper(project, office, county="40")

    def test_keep_their_files_and_tell_the_trail(self, project, office):
        rows = paper(project, office, central="100", files=[attachments.take("下达.pdf", PDF)])
        assert Attachment.objects.get(paper=rows[0]).name == "下达.pdf"
        event = TrailEvent.objects.get(action="funds.paper")
        assert event.changes["amount_wan"] == [None, "100"]

    def test_only_the_office_writes(self, project):
        for user in (UserFactory(leader=True), UserFactory(in_county=True), UserFactory(in_department=True)):
            with pytest.raises(Refused, match="专班办"):
                paper(project, user, central="100")


class TestPlans:
    def revise(self, project, office, planned, on=TODAY, version=1):
        source = source_of(project)
        return funds_services.revise_plan(
            source=source, by=office, version=version, planned_wan=Decimal(planned), effective_from=on, reason="批复调整"
        )

    def test_hold_from_their_day(self, project, office):
        self.revise(project, office, "700", on=dt.date(2025, 1, 1))
        self.revise(project, office, "800", version=2)
        days = [dt.date(2024, 12, 31), dt.date(2025, 1, 1), YESTERDAY, TODAY]
        assert [line(project, day).source.planned_wan for day in days] == [600, 700, 700, 800]

    def test_second_editor_is_told(self, project, office):
        self.revise(project, office, "700", on=YESTERDAY)
        with pytest.raises(Refused, match="刚被他人修改"):
            self.revise(project, office, "650")

    @pytest.mark.parametrize(
        ("planned", "on", "sentence"),
        [
            ("600", TODAY, "没有改动"),
            ("-1", TODAY, "负数"),
            ("1", TODAY + dt.timedelta(days=1), "晚于今天"),
            ("1", dt.date(2023, 5, 1), "须晚于"),
        ],
    )
    def test_are_refused_with_a_sentence(self, project, office, planned, on, sentence):
        with pytest.raises(Faulty, match=sentence):
            self.revise(project, office, planned, on=on)


class TestSources:
    def test_new_one_is_there_from_its_day(self, project, office):
        funds_services.add_source(
            project=project, by=office, kind=SourceKind.OWN, planned_wan=Decimal(50), opened_on=YESTERDAY, reason="业主自筹承诺"
        )
        assert line(project, YESTERDAY - dt.timedelta(days=1), SourceKind.OWN) is None
        assert line(project, YESTERDAY, SourceKind.OWN).source.planned_wan == 50
        (week,) = reports.read_weeks(Project.objects.filter(pk=project.pk), THIS_WEEK, TODAY)
        assert [source.kind for source in week.sources] == ["central", "county", "own"]

    def test_kind_that_is_there_is_refused(self, project, office):
        with pytest.raises(Faulty, match="已登记，请在那一行调整"):
            funds_services.add_source(
                project=project, by=office, kind=SourceKind.COUNTY, planned_wan=Decimal(1), opened_on=TODAY, reason="批复"
            )

    def test_closed_one_is_gone_from_its_day_and_asked_no_more(self, project, office):
        row = source_of(project, SourceKind.COUNTY)
        funds_services.close_source(source=row, by=office, version=1, closed_on=YESTERDAY, reason="改由省级承担")
        assert line(project, YESTERDAY - dt.timedelta(days=1), SourceKind.COUNTY) is not None
        assert line(project, YESTERDAY, SourceKind.COUNTY) is None
        (week,) = reports.read_weeks(Project.objects.filter(pk=project.pk), THIS_WEEK, TODAY)
        assert [source.kind for source in week.sources] == ["central"]
        funds_services.reopen_source(source=row, by=office, version=2, reason="关错了")
        assert line(project, TODAY, SourceKind.COUNTY) is not None

    def test_one_with_money_on_it_does_not_vanish(self, project, office):
        DispatchFactory(project=project, week_of=LAST_WEEK)  # its line lies on the first source
        with pytest.raises(Refused, match="已报到位500万元"):
            funds_services.close_source(source=source_of(project), by=office, version=1, closed_on=TODAY, reason="不用了")

    def test_report_passes_once_the_paper_is_there(self, project, office):
        """The chain check of the county's report reads what the office recorded."""
        paper(project, office, central="100")
        clerk = UserFactory(in_county=True, unit=project.versions.get().responsible_unit)
        values = {"physical_progress": Decimal(10), "done": "清表", "started_on": None}
        lines = {source_of(project).pk: {"in_place_wan": Decimal(150)}}
        draft = services.save_dispatch(project=project, week_of=THIS_WEEK, by=clerk, version=0, values=values, lines=lines)
        with pytest.raises(Faulty, match="到位150万元大于已下达100万元"):
            services.submit_dispatch(dispatch=draft, by=clerk)
        paper(project, office, number="晋财〔2025〕2号", central="50")
        services.submit_dispatch(dispatch=draft, by=clerk)
        assert line(project).source.now.in_place_wan == 150


class TestPages:
    def post(self, client, **data):
        return client.post("/projects/LF-001/funds/", data)

    def test_office_records_a_paper_with_its_file(self, client, project, office):
        client.force_login(office)
        key = source_of(project).pk
        data = {"paper-doc_number": "晋财〔2025〕1号", "paper-issued_on": "2025.2.19", f"paper-amount_{key}": "1,00.5万元"}
        answer = self.post(client, action="paper", **data, **{"paper-files": SimpleUploadedFile("a.pdf", PDF)})
        assert answer.status_code == 302
        page = client.get("/projects/LF-001/funds/").content.decode()
        assert "晋财〔2025〕1号" in page
        assert "100.50" in page
        assert client.get(f"/attachments/{Attachment.objects.get().pk}/").status_code == 200

    def test_what_is_refused_stands_where_it_was_typed(self, client, project, office):
        client.force_login(office)
        answer = self.post(client, action="paper", **{"paper-doc_number": "晋财〔2025〕8号", "paper-issued_on": "2025-02-19"})
        page = answer.content.decode()
        assert answer.status_code == 422
        assert "请至少填写一个来源的下达额" in page
        assert 'value="晋财〔2025〕8号"' in page

    @pytest.mark.parametrize(
        ("action", "typed", "said"),
        [
            ("plan", {"planned_wan": "650", "effective_from": "2025-02-20", "reason": "批复"}, "计划额已调整"),
            ("close", {"closed_on": "2025-02-20", "reason": "不再安排"}, "已关闭"),
        ],
    )
    def test_office_keeps_the_sources(self, client, project, office, action, typed, said):
        client.force_login(office)
        key = source_of(project, SourceKind.COUNTY).pk
        data = {f"{action}-{key}-{name}": value for name, value in (typed | {"version": "1"}).items()}
        answer = client.post("/projects/LF-001/funds/", {"action": action, "source": key} | data, follow=True)
        assert said in answer.content.decode()
        again = client.post("/projects/LF-001/funds/", {"action": action, "source": key} | data)
        assert again.status_code == 422
        assert "刚被他人修改" in again.content.decode()

    def test_foreign_rows_are_not_found(self, client, project, office):
        other = ProjectFactory(code="LF-002")
        client.force_login(office)
        assert self.post(client, action="plan", source=other.funding.get().pk).status_code == 404
        assert self.post(client, action="plan", source="x").status_code == 404

    def test_county_reads_its_own_money_alone(self, client, project):
        ProjectFactory(code="LF-002", name="别县的工程", county=CountyFactory())
        clerk = UserFactory(in_county=True, unit=project.versions.get().responsible_unit)
        client.force_login(clerk)
        page = client.get("/funds/").content.decode()
        assert "别县的工程" not in page
        assert "0.10" in page  # 1000 万元 of its own, not 2000
        assert client.get("/projects/LF-002/funds/").status_code == 404
        sheet = client.get("/projects/LF-001/funds/").content.decode()
        assert 'name="action"' not in sheet
        assert self.post(client, action="add").status_code == 404

    def test_past_day_is_read_only_and_true_to_its_day(self, client, project, office):
        FundingRevision.objects.create(
            source=source_of(project), effective_from=TODAY, before_wan=600, planned_wan=999, reason="批复", by=office
        )
        FundingSource.objects.filter(pk=source_of(project).pk).update(planned_wan=999)
        client.force_login(office)
        page = client.get("/projects/LF-001/funds/?as_of=2025-02-19").content.decode()
        assert "600.00" in page
        assert "999.00" not in page
        assert '<form method="post" enctype' not in page

    def test_findings_are_listed_with_their_evidence(self, client, project, office):
        DispatchFactory(project=project, week_of=LAST_WEEK, in_place_wan=Decimal(700), allocated_wan=Decimal(700), paid_wan=Decimal(700))
        client.force_login(office)
        for page in (client.get("/funds/"), client.get("/projects/LF-001/funds/")):
            text = page.content.decode()
            assert "中央资金到位700万元大于计划600万元，多100万元" in text
            assert "到位 700万元 · 计划 600万元 · 多出 100万元" in text

    def test_empty_city_says_so(self, client, office):
        client.force_login(office)
        assert "没有资金来源" in client.get("/funds/").content.decode()

    def test_wrong_filter_is_told(self, client, office):
        client.force_login(office)
        assert client.get("/funds/?kind=gold").status_code == 422

    @pytest.mark.parametrize("path", ["/funds/", "/ledgers/funds/"])
    def test_asks_the_same_queries_for_one_row_and_thirty(self, client, project, office, path, django_assert_num_queries):

        client.force_login(office)
        DispatchFactory(project=project)

        def count():
            forget()
            from django.db import connection
            from django.test.utils import CaptureQueriesContext

            with CaptureQueriesContext(connection) as queries:
                assert client.get(path).status_code == 200
            return len(queries)

        count()
        one = count()
        for _ in range(29):
            DispatchFactory(project=ProjectFactory(county=project.versions.get().county, domain=project.domain))
        assert count() == one
        assert DispatchLine.objects.count() == 30
