"""Drafting, issuing and withdrawing a bulletin: services, jobs and pages; who may, and that each happens once."""

import concurrent.futures
import datetime as dt
import hashlib
import re
from decimal import Decimal as D

import pytest
from django.db import connection, transaction
from django.urls import reverse

from ledgers import services, tasks, today
from ledgers.documents import DocumentFault, pdf
from ledgers.enums import DocumentKind, DocumentState
from ledgers.models import Document, NumberSeries
from linfen_water import clock, jobs, trail
from linfen_water.enums import JobState
from linfen_water.models import Job, Region, TrailEvent
from tests.factories import TODAY, DispatchFactory, ProjectFactory, RegionFactory, UserFactory

OFFICE = {"office": {"name": "演示专班办", "prefixes": {"bulletin": "演清专办"}}}
PERIOD = "2025-01"


@pytest.fixture
def city(db):
    RegionFactory(settings=OFFICE)
    return ProjectFactory(finished=True)


@pytest.fixture
def office(city):
    return UserFactory()


@pytest.fixture
def draft(office) -> Document:
    return services.draft_document(kind="bulletin", period=PERIOD, by=office)


def run(job: Job) -> Job:
    jobs.run(job.pk)
    job.refresh_from_db()
    return job


def issue(document: Document, by) -> Document:
    job = services.request_issue(document=document, by=by, facts_seen=services.facts_digest(document))
    assert run(job).state == JobState.DONE
    document.refresh_from_db()
    return document


def actions(document: Document) -> list[str]:
    return list(TrailEvent.objects.filter(subject_type="document", subject_id=str(document.pk)).values_list("action", flat=True))


# ── Drafts ──


def test_a_draft_has_facts_bytes_and_no_number(draft):
    assert (draft.state, draft.number, draft.as_of) == (DocumentState.DRAFT, None, dt.date(2025, 1, 31))
    content = draft.pdf_path.read_bytes()
    assert hashlib.sha256(content).hexdigest() == draft.pdf_sha256
    assert draft.title == "关于2025年1月“清水工程”生态保护工程建设进展情况的通报"
    assert actions(draft) == ["document.draft"]


def test_drafting_again_refreshes_the_one_draft(draft, office):
    ProjectFactory(name="新增工程", finished=True)
    again = services.draft_document(kind="bulletin", period=PERIOD, by=office)
    assert (again.pk, Document.objects.count()) == (draft.pk, 1)
    assert again.facts["totals"]["count"] == 2
    assert again.pdf_sha256 != draft.pdf_sha256


def test_the_same_facts_give_the_same_bytes(draft, office):
    assert services.draft_document(kind="bulletin", period=PERIOD, by=office).pdf_sha256 == draft.pdf_sha256


def test_a_draft_of_older_facts_does_not_overwrite_a_newer_one(draft, office):
    Document.objects.update(data_version=trail.data_version() + 1000)
    ProjectFactory()
    assert services.draft_document(kind="bulletin", period=PERIOD, by=office).facts["totals"]["count"] == 1


@pytest.mark.parametrize(
    ("kind", "period", "fault"),
    [
        ("early-warning", "2025-02", "按单位编制"),
        ("weekly", "2025-02", "周次“2025-02”无效"),
        ("weekly", "2025-W54", "无效"),
        ("weekly", "2025-W09", "还没有开始"),
        ("nonsense", PERIOD, "没有“nonsense”这种文件"),
        ("bulletin", "2025-13", "无效"),
        ("bulletin", "2025-03", "还没有开始"),
        ("bulletin", "2020-01", "还没有项目"),
    ],
)
def test_what_cannot_be_made_is_refused_in_chinese(office, kind, period, fault):
    with pytest.raises(DocumentFault, match=fault):
        services.draft_document(kind=kind, period=period, by=office)
    assert not Document.objects.exists()


# ── Issue ──


def test_issuing_takes_number_one_and_freezes_facts_and_bytes(draft, office):
    issued = issue(draft, office)
    assert (issued.state, issued.file_number) == (DocumentState.ISSUED, "演清专办〔2025〕1号")
    assert (issued.issued_by, issued.issued_at.astimezone().date()) == (office, TODAY)
    assert hashlib.sha256(issued.pdf_path.read_bytes()).hexdigest() == issued.pdf_sha256
    assert actions(issued) == ["document.draft", "document.number", "document.issue"]
    ProjectFactory()
    again = services.draft_document(kind="bulletin", period=PERIOD, by=office)
    assert (again.pk, again.pdf_sha256, again.facts) == (issued.pk, issued.pdf_sha256, issued.facts)


def test_issuing_twice_is_once(draft, office):
    issued = issue(draft, office)
    job = Job.objects.get(key=services.issue_key(issued))
    jobs.requeue(job)
    assert run(job).state == JobState.DONE
    assert NumberSeries.objects.get().last == 1
    assert actions(issued).count("document.issue") == 1
    with pytest.raises(DocumentFault, match="不能重复印发"):
        services.request_issue(document=issued, by=office, facts_seen=services.facts_digest(issued))


def test_facts_that_changed_since_the_draft_are_not_issued(draft, office):
    seen = services.facts_digest(draft)
    ProjectFactory()
    with pytest.raises(DocumentFault, match="数据有变动"):
        services.request_issue(document=draft, by=office, facts_seen=seen)


def test_a_draft_refreshed_behind_the_persons_back_is_not_issued(draft, office):
    seen = services.facts_digest(draft)
    ProjectFactory()
    fresh = services.draft_document(kind="bulletin", period=PERIOD, by=office)
    with pytest.raises(DocumentFault, match="草稿已经刷新"):
        services.request_issue(document=fresh, by=office, facts_seen=seen)


def test_a_draft_refreshed_before_the_worker_came_is_not_issued_and_takes_no_number(draft, office):
    job = services.request_issue(document=draft, by=office, facts_seen=services.facts_digest(draft))
    ProjectFactory()
    services.draft_document(kind="bulletin", period=PERIOD, by=office)
    assert "草稿已经刷新" in run(job).error
    draft.refresh_from_db()
    assert (draft.state, draft.number, NumberSeries.objects.count()) == (DocumentState.DRAFT, None, 0)


def test_a_period_that_still_runs_is_not_issued(office):
    document = services.draft_document(kind="bulletin", period="2025-02", by=office)
    with pytest.raises(DocumentFault, match="尚未结束"):
        services.request_issue(document=document, by=office, facts_seen=services.facts_digest(document))


def test_without_a_prefix_nothing_is_issued(office):
    Region.objects.update(settings={})
    document = services.draft_document(kind="bulletin", period=PERIOD, by=office)
    with pytest.raises(DocumentFault, match="机关代字"):
        services.request_issue(document=document, by=office, facts_seen=services.facts_digest(document))


def test_stopped_after_the_number_was_taken_the_same_number_is_issued_later(draft, office, monkeypatch):
    def fails(*_args):
        raise RuntimeError("disk full")

    job = services.request_issue(document=draft, by=office, facts_seen=services.facts_digest(draft))
    with monkeypatch.context() as patch:
        patch.setattr(pdf, "keep", fails)
        assert run(job).state == JobState.QUEUED
    draft.refresh_from_db()
    assert (draft.state, draft.number) == (DocumentState.ISSUING, 1)
    ProjectFactory()  # the facts are frozen by now
    Job.objects.filter(pk=job.pk).update(not_before=None)
    assert run(job).state == JobState.DONE
    draft.refresh_from_db()
    assert (draft.state, draft.number, draft.facts["totals"]["count"], NumberSeries.objects.get().last) == (DocumentState.ISSUED, 1, 1, 1)


def test_a_worker_that_lost_its_lease_writes_nothing(draft, office):
    job = services.request_issue(document=draft, by=office, facts_seen=services.facts_digest(draft))
    stolen = jobs.Lease(job.pk, "not the owner")
    with pytest.raises(jobs.LeaseLost):
        services.issue_document(pk=draft.pk, by=office, seen=services.facts_digest(draft), lease=stolen)
    draft.refresh_from_db()
    assert (draft.state, NumberSeries.objects.count()) == (DocumentState.DRAFT, 0)


def test_a_withdrawn_paper_keeps_its_number_and_the_period_may_be_issued_anew(draft, office):
    first = issue(draft, office)
    services.withdraw_document(document=first, by=office, reason="数据有误")
    second = issue(services.draft_document(kind="bulletin", period=PERIOD, by=office), office)
    first.refresh_from_db()
    assert [(d.state, d.number) for d in (first, second)] == [(DocumentState.WITHDRAWN, 1), (DocumentState.ISSUED, 2)]
    assert TrailEvent.objects.get(action="document.withdraw").reason == "数据有误"


@pytest.mark.parametrize("reason", ["", "   "])
def test_withdrawing_needs_a_reason(draft, office, reason):
    with pytest.raises(DocumentFault, match="作废理由"):
        services.withdraw_document(document=issue(draft, office), by=office, reason=reason)


def test_a_draft_cannot_be_withdrawn(draft, office):
    with pytest.raises(DocumentFault, match="只有已印发"):
        services.withdraw_document(document=draft, by=office, reason="误")


def test_nobody_but_the_office_issues(draft):
    for trait in ("leader", "in_county", "in_department"):
        with pytest.raises(DocumentFault, match="只有专班办"):
            services.request_issue(document=draft, by=UserFactory(**{trait: True}), facts_seen=services.facts_digest(draft))


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_issued_at_once_by_many_workers_numbers_run_from_one_without_gap_or_repeat():
    RegionFactory(settings=OFFICE)
    ProjectFactory(finished=True)
    office = UserFactory()
    periods = [f"{year}-{month:02}" for year in (2023, 2024) for month in range(6, 10)]
    work = []
    for period in periods:
        document = services.draft_document(kind="bulletin", period=period, by=office)
        work.append(services.request_issue(document=document, by=office, facts_seen=services.facts_digest(document)).pk)

    def do(pk: int) -> None:
        try:
            jobs.run(pk)
        finally:
            connection.close()

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(do, work * 2))  # every job twice
    assert sorted(Document.objects.values_list("number", flat=True)) == list(range(1, len(periods) + 1))
    assert set(Document.objects.values_list("state", flat=True)) == {DocumentState.ISSUED}


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_drafted_at_once_by_many_there_is_one_draft():
    RegionFactory(settings=OFFICE)
    ProjectFactory(finished=True)

    def do(_) -> int:
        try:
            return services.draft_document(kind="bulletin", period=PERIOD, by=None).pk
        finally:
            connection.close()

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(do, range(8)))) == 1
    assert Document.objects.count() == 1


# ── What must exist ──


def test_the_calendar_asks_for_the_missing_months_and_never_for_one_that_is_there(draft):
    due = list(tasks.bulletins(TODAY))
    assert [d.args["period"] for d in due] == ["2024-10", "2024-11", "2024-12"]
    assert next(d.key for d in due) == "bulletin:2024-10:due"


def test_the_calendar_asks_for_no_month_before_the_first_project(city):
    assert [d.args["period"] for d in tasks.bulletins(dt.date(2023, 6, 5))] == ["2023-05"]


def test_the_calendar_of_an_empty_office_is_empty(db):
    assert list(tasks.bulletins(TODAY)) == []


def test_the_reconciler_drafts_what_is_due_once(city):
    jobs.reconcile()
    for job in Job.objects.all():
        assert run(job).state == JobState.DONE
    jobs.reconcile()
    bulletins = Document.objects.filter(kind="bulletin").values_list("period", flat=True)
    assert sorted(bulletins) == ["2024-10", "2024-11", "2024-12", "2025-01"]
    assert Job.objects.filter(kind="draft_document").count() == Document.objects.count()


def test_a_draft_of_the_running_month_does_not_keep_the_schedule_from_the_months_bulletin(city, office):
    run(services.request_draft(kind="bulletin", period="2025-02", by=office))
    Region.objects.update(demo_on=dt.date(2025, 3, 5))
    jobs.reconcile()
    run(Job.objects.get(key="bulletin:2025-02:due"))
    assert Document.objects.get(period="2025-02").as_of == dt.date(2025, 2, 28)


def test_the_schedule_never_overwrites_a_draft_that_is_there(draft):
    ProjectFactory()
    job = jobs.enqueue(key="bulletin:2025-01:draft", kind="draft_document", args={"kind": "bulletin", "period": PERIOD})
    run(job)
    draft.refresh_from_db()
    assert draft.facts["totals"]["count"] == 1


# ── Pages ──


def login(client, user):
    client.force_login(user)
    return client


def test_button_schedule_and_command_make_the_same_draft(client, office, tmp_path):
    from django.core.management import call_command

    login(client, office).post(reverse("draft_document"), {"kind": "bulletin", "period": PERIOD})
    run(Job.objects.get(key="bulletin:2025-01:draft"))
    by_button = Document.objects.get()
    call_command("make_document", "bulletin", PERIOD, out=tmp_path / "b.pdf")
    assert hashlib.sha256((tmp_path / "b.pdf").read_bytes()).hexdigest() == by_button.pdf_sha256


ROLES = {"office": {}, "leader": {"leader": True}, "department": {"in_department": True}, "county": {"in_county": True}}


@pytest.mark.parametrize("role", ROLES)
def test_who_may_see_a_paper_in_which_state(client, draft, role):
    login(client, UserFactory(**ROLES[role]))
    for state in DocumentState.values:
        Document.objects.update(state=state)
        sees = role in ("office", "leader") or state == DocumentState.ISSUED
        for name in ("document", "document_pdf"):
            answer = client.get(reverse(name, args=[draft.pk]))
            b"".join(answer)  # read to its end, a file is closed
            assert answer.status_code == (200 if sees else 404)
        assert (draft.title in client.get(reverse("documents")).content.decode()) is sees


@pytest.mark.parametrize("role", ["leader", "department", "county"])
def test_nobody_but_the_office_drafts_issues_or_withdraws_by_page(client, draft, role):
    login(client, UserFactory(**ROLES[role]))
    assert client.post(reverse("draft_document"), {"kind": "bulletin", "period": "2024-12"}).status_code == 403
    refused = 403 if role == "leader" else 404
    for name in ("issue_document", "withdraw_document"):
        for method in (client.get, client.post):
            assert method(reverse(name, args=[draft.pk])).status_code == refused
    assert not Job.objects.exists()


@pytest.mark.parametrize("name", ["documents", "document", "document_pdf", "issue_document", "withdraw_document"])
def test_a_stranger_is_sent_to_the_login(client, draft, name):
    answer = client.get(reverse(name, args=[] if name == "documents" else [draft.pk]))
    assert (answer.status_code, answer.url[:15]) == (302, "/accounts/login")


def test_the_pdf_has_a_chinese_name_and_is_private_and_not_sent_twice(client, draft):
    login(client, UserFactory())
    address = reverse("document_pdf", args=[draft.pk])
    answer = client.get(address)
    assert b"".join(answer.streaming_content) == draft.pdf_path.read_bytes()
    assert "filename*=utf-8''%E5%85%B3%E4%BA%8E2025" in answer["Content-Disposition"]
    assert "private" in answer["Cache-Control"]
    assert client.get(address, headers={"if-none-match": answer["ETag"]}).status_code == 304


def test_a_pdf_that_is_not_on_this_machine_is_told_in_chinese(client, draft):
    draft.pdf_path.unlink()
    answer = login(client, UserFactory()).get(reverse("document_pdf", args=[draft.pk]))
    assert answer.status_code == 404
    assert "文件的 PDF 不在本机，请刷新草稿重新生成。" in answer.content.decode()


def test_a_damaged_pdf_is_never_served_as_the_issued_one(client, draft, office):
    issued = issue(draft, office)
    issued.pdf_path.write_bytes(issued.pdf_path.read_bytes()[:-1])
    answer = login(client, office).get(reverse("document_pdf", args=[draft.pk]))
    assert answer.status_code == 404
    assert "文件的 PDF 已损坏，与登记的摘要不符，请管理员从备份恢复" in answer.content.decode()


def test_issue_by_page_from_the_figures_that_were_seen(client, draft, office):
    login(client, office)
    page = client.get(reverse("issue_document", args=[draft.pk]))
    answer = client.post(reverse("issue_document", args=[draft.pk]), {"facts_seen": page.context["digest"]})
    assert answer.status_code == 302
    run(Job.objects.get(key=services.issue_key(draft)))
    assert "演清专办〔2025〕1号" in client.get(reverse("document", args=[draft.pk])).content.decode()


def test_issue_by_page_of_changed_facts_says_so(client, draft, office):
    ProjectFactory()
    login(client, office)
    answer = client.post(reverse("issue_document", args=[draft.pk]), {"facts_seen": services.facts_digest(draft)})
    assert answer.status_code == 422
    assert "数据有变动，请刷新草稿" in answer.content.decode()
    assert "印发前请先刷新草稿" in client.get(reverse("document", args=[draft.pk])).content.decode()


def test_withdraw_by_page_without_a_reason_keeps_the_page_and_says_so_at_the_field(client, draft, office):
    issue(draft, office)
    login(client, office)
    answer = client.post(reverse("withdraw_document", args=[draft.pk]), {"reason": " "})
    assert (answer.status_code, "请填写作废理由" in answer.content.decode()) == (422, True)
    assert client.post(reverse("withdraw_document", args=[draft.pk]), {"reason": "数据有误"}).status_code == 302
    draft.refresh_from_db()
    assert draft.state == DocumentState.WITHDRAWN


@pytest.mark.parametrize("month", ["2025-13", "", "2025-03", "<script>"])
def test_a_month_that_cannot_be_is_told_at_the_field(client, office, month):
    answer = login(client, office).post(reverse("draft_document"), {"kind": "bulletin", "period": month})
    assert answer.status_code == 422
    assert 'id="bulletin-error"' in answer.content.decode()
    assert "<script>" not in answer.content.decode().split("<main")[1]


def test_drafting_an_issued_month_is_refused_at_the_field(client, draft, office):
    issue(draft, office)
    answer = login(client, office).post(reverse("draft_document"), {"kind": "bulletin", "period": PERIOD})
    assert (answer.status_code, "请先作废" in answer.content.decode()) == (422, True)


def test_the_list_asks_again_while_a_draft_is_being_made_and_then_no_more(client, office):
    login(client, office).post(reverse("draft_document"), {"kind": "bulletin", "period": PERIOD})
    page = client.get(reverse("documents")).content.decode()
    assert ("排队中" in page, 'hx-trigger="every 2s"' in page) == (True, True)
    run(Job.objects.get())
    assert 'hx-trigger="every 2s"' not in client.get(reverse("documents")).content.decode()


def test_a_job_that_failed_is_told_with_a_button_to_try_again(client, office):
    login(client, office).post(reverse("draft_document"), {"kind": "bulletin", "period": PERIOD})
    Job.objects.update(state=JobState.FAILED, error="PrintFault: 文件排版失败，请稍后重试")
    page = client.get(reverse("documents")).content.decode()
    assert ("文件排版失败" in page, "重试" in page) == (True, True)
    client.post(reverse("draft_document"), {"kind": "bulletin", "period": PERIOD})
    assert Job.objects.get().state == JobState.QUEUED


def test_the_part_that_htmx_fetches_is_found_word_for_word_in_the_page(client, draft, office):
    login(client, office)
    for address in (reverse("documents"), reverse("document", args=[draft.pk])):
        page, part = (_without_token(client.get(address, headers=headers)) for headers in ({}, {"hx-request": "true"}))
        assert part.strip() in page
        assert len(part) > 500


def _without_token(answer) -> str:
    """The page without the token of its forms, which is masked anew in each answer."""
    return re.sub(r'(csrfmiddlewaretoken" value=")\w+', r"\1", answer.content.decode())


def test_as_of_shows_the_papers_whose_figures_are_not_later(client, draft, office):
    services.draft_document(kind="bulletin", period="2024-12", by=office)
    page = login(client, office).get(reverse("documents"), {"as_of": "2025-01-30"})
    assert [d.period for d in page.context["page"]] == ["2024-12"]
    assert client.get(reverse("documents"), {"as_of": "2025-02-30"}).status_code == 400


def test_a_paper_is_not_there_before_the_day_it_was_issued(client, draft, office):
    Document.objects.update(state=DocumentState.ISSUED, issued_by=office, issued_at=clock.now().replace(month=2, day=5, hour=0, minute=1))
    for day, count in [("2025-02-04", 0), ("2025-02-05", 1)]:
        assert len(login(client, office).get(reverse("documents"), {"as_of": day}).context["page"]) == count
        desk = today.gather(UserFactory(leader=True), dt.date.fromisoformat(day))
        assert next(b.count for b in desk.blocks if b.title == "通报") == count


def test_an_empty_list_says_what_to_do(client, office):
    assert "还没有文件" in login(client, office).get(reverse("documents")).content.decode()


def test_the_list_takes_the_same_queries_for_1_and_30_papers(client, draft, office):
    from django.test.utils import CaptureQueriesContext

    login(client, office)
    client.get(reverse("documents"))
    with CaptureQueriesContext(connection) as one:
        client.get(reverse("documents"))
    for n in range(29):
        with transaction.atomic():
            Document.objects.create(kind=DocumentKind.BULLETIN, period=f"19{n:02}-01", title="旧通报", as_of=dt.date(2024, 1, 1))
    with CaptureQueriesContext(connection) as thirty:
        client.get(reverse("documents"))
    assert len(thirty) == len(one)


def test_hostile_names_come_out_literally_on_page_and_paper(client, office):
    name = '<img src=x onerror="alert(1)">#read("/etc/passwd")'
    project = ProjectFactory(name=name, behind=True)
    DispatchFactory(project=project, week_of=dt.date(2025, 1, 27), physical_progress=D(1))
    document = services.draft_document(kind="bulletin", period=PERIOD, by=office)
    page = login(client, office).get(reverse("document", args=[document.pk])).content.decode()
    assert "<img src=x" not in page
    assert "&lt;img src=x" in page


def test_an_issue_that_can_never_succeed_fails_at_once_and_says_why(draft, office, client):
    job = services.request_issue(document=draft, by=office, facts_seen=services.facts_digest(draft))
    Document.objects.filter(pk=draft.pk).update(facts=draft.facts | {"title": "别的"})
    assert jobs.run(job.pk) is False
    job.refresh_from_db()
    assert (job.state, job.attempts) == (JobState.FAILED, 1)
    client.force_login(office)
    assert job.error in client.get("/documents/").content.decode()
