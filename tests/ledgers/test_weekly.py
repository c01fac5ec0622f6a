"""The weekly report: its facts exactly, its words, the office's own paragraphs kept through a refresh, its calendar, its pages."""

import datetime as dt
import io
from decimal import Decimal as D

import docx
import pytest
from django.urls import reverse

from ledgers import services, tasks
from ledgers.documents import DocumentFault, periods, weekly
from ledgers.documents.docx import render_docx
from ledgers.documents.paper import Heading, Paragraph
from ledgers.documents.weekly_words import weekly_paper
from ledgers.enums import DocumentState
from ledgers.models import Document
from linfen_water import clock, jobs
from linfen_water.enums import JobState
from linfen_water.models import Job, Region, TrailEvent
from monitoring.enums import WaterClass
from projects import weeks
from projects.models import ReportingWeek
from tests.factories import (
    LAST_WEEK,
    THIS_WEEK,
    AssessmentFactory,
    CountyFactory,
    DispatchFactory,
    PermitFactory,
    ProblemFactory,
    ProjectFactory,
    RegionFactory,
    SectionFactory,
    UserFactory,
)

OFFICE = {"office": {"name": "演示专班办", "prefixes": {"weekly": "演清专办"}}}
PERIOD, CUT_OFF = "2025-W07", dt.date(2025, 2, 13)
WEEK_BEFORE = LAST_WEEK - dt.timedelta(weeks=1)


@pytest.fixture
def city(db):
    RegionFactory(settings=OFFICE)
    county = CountyFactory(name="甲县")
    moved = ProjectFactory(name="渠首工程", county=county)
    DispatchFactory(project=moved, week_of=WEEK_BEFORE, physical_progress=D(30))
    DispatchFactory(project=moved, physical_progress=D(40), submitted=True, is_late=True)
    ProjectFactory(name="湿地工程", county=county, started_on=dt.date(2024, 5, 1), completed_on=dt.date(2025, 2, 11))
    ProjectFactory(name="堤防工程", not_started=True)
    return county


@pytest.fixture
def office(city):
    return UserFactory()


@pytest.fixture
def draft(office) -> Document:
    return services.draft_document(kind="weekly", period=PERIOD, by=office)


@pytest.fixture
def signed_in(client, office):
    client.force_login(office)
    return client


def gathered(week_of=LAST_WEEK) -> weekly.WeeklyFacts:
    return weekly.gather(week_of, clock.now())


def words(facts, **how) -> str:
    return "\n".join(block.text for block in weekly_paper(facts, **how).body if isinstance(block, (Heading, Paragraph)))


def run(job: Job) -> Job:
    jobs.run(job.pk)
    job.refresh_from_db()
    return job


# ── Facts ──


def test_the_week_is_told_at_its_cut_off_in_the_fixed_sentence(city):
    facts = gathered()
    assert (facts.as_of, facts.before_on, facts.is_over) == (CUT_OFF, dt.date(2025, 2, 6), True)
    assert facts.change.sentence == "较上周相比，完工增加1个，前期1个中0个有所推进，已开工2个中2个有新进展"
    assert next((row.name, row.due, row.reported, row.late) for row in facts.counties) == ("甲县", 2, 1, 1)
    assert (facts.due, facts.reported, facts.late, facts.unreviewed) == (3, 1, 1, 1)


def test_facts_survive_json(city):
    AssessmentFactory()
    facts = gathered()
    assert weekly.WeeklyFacts.from_json(facts.to_json()) == facts


def test_what_comes_after_the_cut_off_is_not_told(city):
    ProjectFactory(started_on=dt.date(2025, 2, 14))
    assert gathered().totals.started == 2


def test_a_week_that_the_office_closes_earlier_is_told_at_its_own_cut_off(city):
    at = [weeks.at_hour(dt.date(2025, 2, day), hour) for day, hour in ((10, 8), (12, 12), (13, 12))]
    ReportingWeek.objects.create(week_of=LAST_WEEK, opens_at=at[0], deadline_at=at[1], locks_at=at[2], reason="急件")
    assert gathered().as_of == dt.date(2025, 2, 12)


def test_each_section_is_told_with_its_class_before_and_its_target(city):
    section = SectionFactory(name="河口", county=city)
    AssessmentFactory(section=section, water_class=WaterClass.IV)
    facts = gathered()
    assert [(row.name, row.county, row.water_class, row.before) for row in facts.sections] == [("河口", "甲县", WaterClass.IV, None)]
    assert "国考断面1个，参评1个，优良（Ⅰ—Ⅲ类）0个" in words(facts)


def test_without_water_results_it_says_so(city):
    assert "尚无已公布的断面水质评价结果" in words(gathered())


def test_a_requirement_names_county_project_problem_and_deadline(city):
    late = ProjectFactory(name="截污工程", county=city, baseline_finish_on=dt.date(2025, 1, 31), reported=50)
    found = [r for r in gathered().requirements if r.code == late.code and r.kind == "节点已过"]
    assert [(r.county, r.name, r.problem, r.due_on) for r in found] == [
        ("甲县", "截污工程", "2025年1月31日基线完工已过13天仍未完工，总体进度50%，未报新的预计日期", dt.date(2025, 2, 20))
    ]


def test_an_open_problem_keeps_its_own_deadline_and_an_overdue_one_gets_the_next_cut_off(city):
    project = ProjectFactory(county=city, reported=50)
    ProblemFactory(project=project, description="拆迁未完。", due_on=dt.date(2025, 3, 1))
    ProblemFactory(project=project, description="管线未迁", due_on=dt.date(2025, 2, 1))
    ProblemFactory(project=project, description="已经解决", due_on=dt.date(2025, 3, 1), closed_on=dt.date(2025, 2, 12))
    found = {r.problem: (r.due_on, r.demand) for r in gathered().requirements if r.code == project.code and r.kind == "用地问题"}
    assert found == {
        "拆迁未完": (dt.date(2025, 3, 1), "解决并报送结果"),
        "管线未迁": (dt.date(2025, 2, 20), "限期解决（原定2025年2月1日，已逾期）"),
    }


def test_requirements_stand_in_the_regions_order_of_counties(city):
    ProjectFactory(reported=50, baseline_finish_on=dt.date(2025, 1, 31))
    ProjectFactory(county=city, reported=50, baseline_finish_on=dt.date(2025, 1, 31))
    counties = [r.county for r in gathered().requirements]
    assert counties == sorted(counties, key=lambda name: name != "甲县")


def test_queries_do_not_grow_with_the_projects(city, django_assert_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as few:
        gathered()
    for _ in range(12):
        project = ProjectFactory(reported=50)
        ProblemFactory(project=project)
        PermitFactory(project=project, submitted_on=dt.date(2024, 12, 1), promised_workdays=5)
    with django_assert_num_queries(len(few)):
        gathered()


# ── Words ──


def test_own_paragraphs_stand_after_the_computed_words_of_their_part(city):
    said = words(gathered(), own_texts={"water": "水质总体平稳。\n下步加密监测。", "closing": "特此报告。"}).split("\n")
    assert said.index("下步加密监测。") == said.index("水质总体平稳。") + 1
    assert said.index("一、断面水质情况") < said.index("水质总体平稳。") < said.index("二、工程项目进展情况")
    assert said.index("特此报告。") == len(said) - 2


def test_a_week_without_faults_asks_for_nothing_by_name(db):
    RegionFactory(settings=OFFICE)
    ProjectFactory(finished=True)
    said = words(gathered())
    assert "本周没有需要点名督促的项目" in said
    assert "应报周调度" not in said


# ── Draft, refresh, issue ──


def test_own_paragraphs_survive_a_refresh_of_the_figures(draft, office):
    services.write_own_texts(document=draft, texts={"opening": " 抓紧施工。 \n\n"}, seen=services.texts_digest(draft), by=office)
    before = Document.objects.get().pdf_sha256
    ProjectFactory()
    again = services.draft_document(kind="weekly", period=PERIOD, by=office)
    assert again.own_texts == {"opening": "抓紧施工。"}
    assert again.facts["totals"]["count"] == 4
    assert again.pdf_sha256 != before
    assert "抓紧施工。" in [block.text for block in services.drafted_paper(again).body if isinstance(block, Paragraph)]


def test_writing_is_on_the_trail_and_asks_for_the_draft_anew(draft, office):
    services.write_own_texts(document=draft, texts={"closing": "特此报告。"}, seen=services.texts_digest(draft), by=office)
    assert TrailEvent.objects.filter(action="document.write").get().changes == {"closing": ["", "特此报告。"]}
    assert run(Job.objects.get(key=f"weekly:{PERIOD}:draft")).state == JobState.DONE


def test_the_second_to_write_is_told_what_the_first_wrote(draft, office):
    seen = services.texts_digest(draft)
    services.write_own_texts(document=draft, texts={"closing": "甲写的。"}, seen=seen, by=office)
    with pytest.raises(services.TextsConflict) as conflict:
        services.write_own_texts(document=draft, texts={"closing": "乙写的。"}, seen=seen, by=office)
    assert conflict.value.standing == {"closing": "甲写的。"}
    draft.refresh_from_db()
    assert draft.own_texts == {"closing": "甲写的。"}


@pytest.mark.parametrize(("text", "fault"), [("水" * 3001, "超过3000字"), ("表情\U0001f600", "无法排印")])
def test_words_that_cannot_be_printed_are_refused_where_they_are_written(draft, office, text, fault):
    with pytest.raises(DocumentFault, match=f"“开头”.*{fault}"):
        services.write_own_texts(document=draft, texts={"opening": text}, seen=services.texts_digest(draft), by=office)


def test_own_paragraphs_written_while_the_draft_is_printed_are_printed_too(draft, office, monkeypatch):
    render = services.pdf.render_pdf
    calls = []

    def written_meanwhile(paper, dated):
        if not calls:
            Document.objects.update(own_texts={"closing": "同时写的。"})
        calls.append(paper)
        return render(paper, dated)

    monkeypatch.setattr(services.pdf, "render_pdf", written_meanwhile)
    again = services.draft_document(kind="weekly", period=PERIOD, by=office)
    assert len(calls) == 2
    assert again.own_texts == {"closing": "同时写的。"}
    assert any(isinstance(block, Paragraph) and block.text == "同时写的。" for block in calls[-1].body)


def test_it_is_issued_with_its_own_paragraphs_and_then_frozen(draft, office):
    services.write_own_texts(document=draft, texts={"closing": "特此报告。"}, seen=services.texts_digest(draft), by=office)
    draft = services.draft_document(kind="weekly", period=PERIOD, by=office)
    assert run(services.request_issue(document=draft, by=office, facts_seen=services.facts_digest(draft))).state == JobState.DONE
    draft.refresh_from_db()
    assert (draft.state, draft.file_number) == (DocumentState.ISSUED, "演清专办〔2025〕1号")
    with pytest.raises(DocumentFault, match="不能再改"):
        services.write_own_texts(document=draft, texts={}, seen=services.texts_digest(draft), by=office)
    ProjectFactory()
    assert services.draft_document(kind="weekly", period=PERIOD, by=office).pdf_sha256 == draft.pdf_sha256
    assert "特此报告。" in [block.text for block in services.standing_paper(draft).body if isinstance(block, Paragraph)]


def test_who_saw_other_own_paragraphs_does_not_issue(draft, office):
    seen = services.facts_digest(draft)
    services.write_own_texts(document=draft, texts={"closing": "特此报告。"}, seen=services.texts_digest(draft), by=office)
    draft.refresh_from_db()
    with pytest.raises(DocumentFault, match="草稿已经刷新"):
        services.request_issue(document=draft, by=office, facts_seen=seen)


def test_before_the_deadline_it_is_not_issued(office, monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: weeks.at_hour(dt.date(2025, 2, 20), 18))
    document = services.draft_document(kind="weekly", period="2025-W08", by=office)
    assert not document.facts["is_over"]
    with pytest.raises(DocumentFault, match=r"2月20日（周四）18:00才截止"):
        services.request_issue(document=document, by=office, facts_seen=services.facts_digest(document))


def test_the_paper_in_place_of_a_withdrawn_one_begins_with_its_paragraphs(draft, office):
    services.write_own_texts(document=draft, texts={"closing": "特此报告。"}, seen=services.texts_digest(draft), by=office)
    Document.objects.update(state=DocumentState.WITHDRAWN)
    assert services.draft_document(kind="weekly", period=PERIOD, by=office).own_texts == {"closing": "特此报告。"}


# ── Calendar ──


def test_the_calendar_asks_for_a_week_only_after_its_deadline(city, monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: weeks.at_hour(dt.date(2025, 2, 20), 18))
    assert [due.args["period"] for due in tasks.weekly_reports(dt.date(2025, 2, 20))] == ["2025-W05", "2025-W06", "2025-W07"]
    monkeypatch.setattr(clock, "now", lambda: weeks.at_hour(dt.date(2025, 2, 20), 18) + dt.timedelta(minutes=1))
    assert "2025-W08" in [due.args["period"] for due in tasks.weekly_reports(dt.date(2025, 2, 20))]


def test_a_draft_made_before_the_deadline_is_made_again_after_it_once(office, monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: weeks.at_hour(dt.date(2025, 2, 20), 9))
    services.draft_document(kind="weekly", period="2025-W08", by=office)
    monkeypatch.setattr(clock, "now", lambda: weeks.at_hour(dt.date(2025, 2, 20), 19))
    for _ in range(2):
        jobs.reconcile()
        for job in Job.objects.filter(state=JobState.QUEUED):
            run(job)
    assert Document.objects.get(period="2025-W08").facts["is_over"]
    assert TrailEvent.objects.filter(action="document.draft", subject_id=str(Document.objects.get(period="2025-W08").pk)).count() == 2


def test_no_week_is_due_before_the_first_project_was_listed(db):
    RegionFactory(settings=OFFICE)
    ProjectFactory(listed_on=dt.date(2025, 2, 12))
    monday = dt.date(2025, 2, 17)
    assert {due.args["period"] for due in tasks.weekly_reports(monday)} <= {"2025-W07", "2025-W08"}


@pytest.mark.parametrize(
    ("text", "monday"),
    [("2025-W08", THIS_WEEK), ("2025-w8", THIS_WEEK), ("2024-W01", dt.date(2024, 1, 1)), ("2020-W53", dt.date(2020, 12, 28))],
)
def test_a_week_is_read_by_iso(text, monday):
    assert periods.read_week(text, dt.date(2025, 2, 20)) == monday
    assert periods.read_week(periods.week_period(monday), dt.date(2025, 2, 20)) == monday


@pytest.mark.parametrize("text", ["2025-W53", "2025-W00", "2025-08", "W08", "２０２５-W08", "2025-W09", ""])
def test_what_is_no_week_is_refused(text):
    with pytest.raises(DocumentFault):
        periods.read_week(text, dt.date(2025, 2, 20))


# ── Pages ──


def test_the_office_writes_its_paragraphs_in_the_browser(signed_in, draft):
    address = reverse("document_texts", args=[draft.pk])
    page = signed_in.get(address).content.decode()
    assert "列入清单的工程项目3个" in page
    seen = services.texts_digest(draft)
    answer = signed_in.post(address, {"seen": seen, "projects": "各县要抓紧。"})
    assert answer.status_code == 302
    assert "各县要抓紧。" in signed_in.get(reverse("document", args=[draft.pk])).content.decode()


def test_a_conflict_shows_both_and_keeps_what_was_typed(signed_in, draft, office):
    seen = services.texts_digest(draft)
    services.write_own_texts(document=draft, texts={"closing": "甲写的。"}, seen=seen, by=office)
    answer = signed_in.post(reverse("document_texts", args=[draft.pk]), {"seen": seen, "closing": "乙写的。"})
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "甲写的。" in page
    assert "乙写的。" in page
    draft.refresh_from_db()
    again = {"seen": services.texts_digest(draft), "closing": "乙写的。"}
    assert signed_in.post(reverse("document_texts", args=[draft.pk]), again).status_code == 302


def test_what_is_refused_stays_typed(signed_in, draft):
    typed = {"seen": services.texts_digest(draft), "opening": "笑脸\U0001f600", "closing": "还在。"}
    answer = signed_in.post(reverse("document_texts", args=[draft.pk]), typed)
    assert answer.status_code == 422
    assert "还在。" in answer.content.decode()
    assert "笑脸" in answer.content.decode()


@pytest.mark.parametrize("trait", ["leader", "in_county", "in_department"])
def test_only_the_office_writes(client, draft, trait):
    client.force_login(UserFactory(**{trait: True}))
    answer = client.post(reverse("document_texts", args=[draft.pk]), {"seen": "", "opening": "外人写的"})
    assert answer.status_code in (403, 404)
    draft.refresh_from_db()
    assert draft.own_texts == {}


def test_the_week_is_chosen_and_drafted_on_the_page(signed_in):
    signed_in.post(reverse("draft_document"), {"kind": "weekly", "period": PERIOD})
    run(Job.objects.get())
    page = signed_in.get(reverse("documents"), {"kind": "weekly"}).content.decode()
    assert "“清水工程”生态保护工程建设进展周报（2025年第7周）" in page
    assert "周报（2025年" not in signed_in.get(reverse("documents"), {"kind": "bulletin"}).content.decode()


# ── The editable copy ──


def test_the_word_file_has_the_papers_words_in_the_standards_layout(signed_in, draft):
    answer = signed_in.get(reverse("document_docx", args=[draft.pk]))
    word = docx.Document(io.BytesIO(b"".join(answer.streaming_content)))
    said = [paragraph.text for paragraph in word.paragraphs if paragraph.text]
    paper = services.drafted_paper(draft)
    for block in paper.body:
        if isinstance(block, (Heading, Paragraph)):
            assert block.text in said
    assert len(word.tables) == sum(block.kind == "table" for block in paper.body) + len(paper.attachments)
    normal = word.styles["Normal"]
    assert normal.paragraph_format.line_spacing.pt == 28.95
    assert 'w:eastAsia="仿宋_GB2312"' in normal.element.xml
    section = word.sections[0]
    assert [round(m.mm) for m in (section.top_margin, section.bottom_margin, section.left_margin, section.right_margin)] == [37, 35, 28, 26]
    assert 'w:type="lines"' in section._sectPr.xml


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        pytest.param({}, ("official", "演清专办〔2025〕7号", "演示专班办文件"), id="文件"),
        pytest.param({"form": "brief"}, ("brief", "2025年第7期", "“清水工程”生态保护工程简报"), id="简报，标志按项目名"),
        pytest.param({"form": "brief", "head": "清水工程周报"}, ("brief", "2025年第7期", "清水工程周报"), id="简报，标志自定"),
    ],
)
def test_the_region_pack_chooses_the_head_of_a_kind(city, settings, expected):
    region = Region.current()
    region.settings["office"]["weekly"] = settings
    region.save()
    made = weekly_paper(gathered(), number=7, issued_on=CUT_OFF)
    assert (made.form, made.file_number, made.head) == expected
    assert (made.addressees == "", made.has_seal) == ((True, False) if settings else (False, True))


def test_words_that_xml_cannot_hold_do_not_break_the_word_file(city):
    content = render_docx(weekly_paper(gathered(), own_texts={"opening": "甲\x0b乙\x00丙<&>\ufffe"}), CUT_OFF)
    assert "乙丙<&>" in "\n".join(p.text for p in docx.Document(io.BytesIO(content)).paragraphs)


def test_the_word_file_of_an_issued_paper_bears_its_number(draft, office):
    Region.objects.update(demo_on=dt.date(2025, 2, 20))
    run(services.request_issue(document=draft, by=office, facts_seen=services.facts_digest(draft)))
    draft.refresh_from_db()
    word = docx.Document(io.BytesIO(render_docx(services.standing_paper(draft), CUT_OFF)))
    assert "演清专办〔2025〕1号" in [paragraph.text for paragraph in word.paragraphs]


@pytest.mark.parametrize("trait", ["in_county", "in_department"])
def test_a_draft_in_word_is_not_for_others(client, draft, trait):
    client.force_login(UserFactory(**{trait: True}))
    assert client.get(reverse("document_docx", args=[draft.pk])).status_code == 404
