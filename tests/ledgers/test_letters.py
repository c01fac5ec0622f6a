"""A letter's way from the facts to the closed answer: services, jobs, pages; who may, and that each happens once."""

import datetime as dt
import io
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.urls import reverse

from ledgers import letter_services, letter_states, letters, services, tasks
from ledgers.documents import DocumentFault
from ledgers.enums import DocumentKind, DocumentState
from ledgers.letter_states import LetterState, state_on
from ledgers.models import Document, Letter, LetterAnswer, NumberSeries
from linfen_water import clock, jobs
from linfen_water.enums import JobState
from linfen_water.models import Job, Notice, TrailEvent
from linfen_water.sent_files import Unfit
from linfen_water.workdays import add_workdays
from tests.factories import THIS_WEEK, TODAY, DispatchFactory, PermitFactory, ProjectFactory, RegionFactory, UnitFactory, UserFactory

OFFICE = {"office": {"name": "演示市清水工程专班办公室", "prefixes": {"letter": "演清专办函", "bulletin": "演清专办"}}}
PDF = b"%PDF-1.4 answer %%EOF"


@pytest.fixture
def city(db, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    RegionFactory(settings=OFFICE)
    return ProjectFactory(behind=True, name="甲县河道治理工程")


@pytest.fixture
def office(city):
    return UserFactory(unit=UnitFactory(kind="office", code="office", name="专班办"))


@pytest.fixture
def unit(city):
    return city.versions.get().responsible_unit


@pytest.fixture
def county(unit):
    return UserFactory(in_county=True, unit=unit)


@pytest.fixture
def draft(office, unit) -> Document:
    return services.draft_document(kind="supervision", period="2025-02-20", unit=unit, by=office)


def fresh(document: Document) -> Document:
    return Document.objects.select_related("letter", "unit").get(pk=document.pk)


def seen(document: Document) -> int:
    return Letter.objects.get(document=document).edit_version


def review(document: Document, by) -> None:
    letter_services.review(document=document, by=by, facts_seen=services.facts_digest(document), seen=seen(document))


def issue(document: Document, by) -> Document:
    job = services.request_issue(document=document, by=by, facts_seen=services.facts_digest(document))
    jobs.run(job.pk)
    job.refresh_from_db()
    assert job.state == JobState.DONE, job.error
    return fresh(document)


@pytest.fixture
def issued(draft, office) -> Document:
    review(draft, office)
    return issue(fresh(draft), office)


@pytest.fixture
def answered(issued, county) -> Document:
    letter_services.answer(document=issued, by=county, text="已增加两个作业面。", seen=seen(issued))
    return fresh(issued)


def state(document: Document, day: dt.date = TODAY) -> LetterState:
    return state_on(fresh(document), day)


# ── Drafts ──


def test_a_draft_collects_all_of_a_unit_and_names_its_grounds(draft, unit):
    assert (draft.unit, draft.title, state(draft)) == (unit, "关于有关工程项目工作推进缓慢的督办函", LetterState.DRAFT)
    (line,) = draft.facts["lines"]
    assert line["rule"] == "far_behind"
    assert line["sentence"].startswith("截至2025年2月20日，计划进度")


def test_without_grounds_there_is_no_letter(office, unit):
    with pytest.raises(DocumentFault, match="没有应发约谈通知的情形"):
        services.draft_document(kind="talk", period="2025-02-20", unit=UnitFactory(), by=office)
    with pytest.raises(DocumentFault, match="按单位编制"):
        services.draft_document(kind="supervision", period="2025-02-20", by=office)


def test_the_calendar_asks_monthly_kinds_once_a_month_and_the_others_every_day(city):
    keys = {due.key for due in tasks.letters(TODAY)}
    assert keys == {
        "letters:early-warning:2025-02",
        "letters:reminder:2025-02",
        "letters:supervision:2025-02-20",
        "letters:talk:2025-02-20",
    }


def test_drafting_twice_makes_one_draft_a_unit(office, unit):
    for _ in range(2):
        job = jobs.enqueue(key="x", kind="draft_letters", args={"kind": "supervision", "period": "2025-02-20"}, again=True)
        assert jobs.run(job.pk)
    assert [(d.unit, d.state) for d in Document.objects.all()] == [(unit, "draft")]


def test_a_waiting_draft_of_an_earlier_day_speaks_for_the_new_day(draft, office):
    Document.objects.filter(pk=draft.pk).update(period="2025-02-18", own_texts={"closing": "请高度重视。"})
    letter_services.draft_due(kind="supervision", period="2025-02-20")
    (standing,) = Document.objects.all()
    assert (standing.pk, standing.period, standing.own_texts) == (draft.pk, "2025-02-20", {"closing": "请高度重视。"})


def test_what_an_open_letter_tells_is_not_told_again_until_it_is_closed(issued, office, unit):
    assert letter_services.units_due(DocumentKind.SUPERVISION, "2025-02-20") == []
    letter_services.close(document=issued, by=office, reason="情况已消除", seen=seen(issued))
    assert letter_services.units_due(DocumentKind.SUPERVISION, "2025-02-20") == [unit]


def test_a_draft_that_is_not_sent_keeps_its_reason_and_rests_for_a_week(draft, office):
    with pytest.raises(DocumentFault, match="理由"):
        letter_services.set_aside(document=draft, by=office, reason=" ", seen=seen(draft))
    letter_services.set_aside(document=draft, by=office, reason="县里已经当面约定", seen=seen(draft))
    assert state(draft) == LetterState.SET_ASIDE
    assert letter_services.units_due(DocumentKind.SUPERVISION, "2025-02-20") == []
    assert TrailEvent.objects.get(action="letter.set_aside").reason == "县里已经当面约定"


def test_reminders_go_to_departments_whose_permits_are_late(office, city):
    authority = UnitFactory(name="市水利局")
    PermitFactory(project=city, authority=authority, submitted_on=dt.date(2025, 1, 2), promised_workdays=5)
    made = letter_services.draft_due(kind="reminder", period="2025-02")
    assert "关于有关手续办理超过承诺时限的提醒函" in [d.title for d in made if d.unit == authority]


# ── Review and issue ──


def test_a_letter_is_reviewed_before_it_is_issued(draft, office):
    with pytest.raises(DocumentFault, match="还没有审核"):
        services.request_issue(document=draft, by=office, facts_seen=services.facts_digest(draft))
    review(draft, office)
    assert state(draft) == LetterState.REVIEWED
    document = issue(fresh(draft), office)
    assert (document.file_number, state(document)) == ("演清专办函〔2025〕1号", LetterState.ISSUED)
    assert document.letter.reply_due_on == add_workdays(TODAY, 3)
    assert document.pdf_path.exists()


def test_a_review_lapses_when_figures_or_words_change(draft, office, city):
    review(draft, office)
    services.write_own_texts(document=draft, texts={"closing": "请高度重视。"}, seen=services.texts_digest(draft), by=office)
    assert state(draft) == LetterState.DRAFT
    review(fresh(draft), office)
    DispatchFactory(project=city, week_of=THIS_WEEK, physical_progress=25)
    services.draft_document(kind="supervision", period="2025-02-20", unit=draft.unit, by=office)
    assert state(draft) == LetterState.DRAFT
    assert [e.action for e in TrailEvent.objects.filter(action__startswith="letter.")] == [
        "letter.review", "letter.lapse", "letter.review", "letter.lapse",
    ]  # fmt: skip


def test_a_talk_needs_a_leader(office, city, unit):
    for n in range(6):
        DispatchFactory(project=city, week_of=THIS_WEEK - n * dt.timedelta(weeks=1), physical_progress=20) if n != 1 else None
    talk = services.draft_document(kind="talk", period="2025-02-20", unit=unit, by=office)
    leader = UserFactory(leader=True)
    review(talk, office)
    assert Notice.objects.filter(user=leader).count() == 1
    with pytest.raises(DocumentFault, match="须经领导批准"):
        services.request_issue(document=talk, by=office, facts_seen=services.facts_digest(talk))
    approval = {"document": talk, "facts_seen": services.facts_digest(talk), "seen": seen(talk)}
    with pytest.raises(DocumentFault, match="只能由领导批准"):
        letter_services.approve(**approval, by=office)
    letter_services.approve(**approval, by=leader)
    assert state(talk) == LetterState.APPROVED
    assert issue(fresh(talk), office).file_number == "演清专办函〔2025〕1号"


def test_kinds_share_one_series_without_a_gap_and_a_withdrawn_number_stays(issued, office, city):
    authority = UnitFactory(name="市水利局")
    PermitFactory(project=city, authority=authority, submitted_on=dt.date(2025, 1, 2), promised_workdays=5)
    services.withdraw_document(document=issued, by=office, reason="单位写错")
    reminder = services.draft_document(kind="reminder", period="2025-02", unit=authority, by=office)
    review(reminder, office)
    assert issue(fresh(reminder), office).file_number == "演清专办函〔2025〕2号"
    assert (fresh(issued).file_number, state(issued)) == ("演清专办函〔2025〕1号", LetterState.WITHDRAWN)
    assert list(NumberSeries.objects.values_list("prefix", "last")) == [("演清专办函", 2)]


def test_the_frozen_facts_are_those_of_the_day(issued, city):
    before = issued.facts
    DispatchFactory(project=city, week_of=THIS_WEEK, physical_progress=90)
    assert fresh(issued).facts == before
    assert not services.is_stale(fresh(issued))


# ── Receipt, answer, check ──


def test_the_addressee_receives_answers_and_the_office_closes(issued, county, office):
    letter_services.receive(document=issued, by=county)
    assert state(issued) == LetterState.RECEIVED
    letter_services.answer(
        document=issued, by=county, text="已增加作业面。", seen=seen(issued), files=[letter_services.Upload("方案.pdf", PDF)]
    )
    assert state(issued) == LetterState.ANSWERED
    letter_services.accept(document=issued, by=office, remark="现场核实", seen=seen(issued))
    assert state(issued) == LetterState.CLOSED
    row = LetterAnswer.objects.get()
    assert (row.is_accepted, row.remark, [f.name for f in row.files.all()]) == (True, "现场核实", ["方案.pdf"])
    kinds = [e.action for e in TrailEvent.objects.filter(subject_type="document", action__startswith="letter.")]
    assert kinds == ["letter.review", "letter.receive", "letter.answer", "letter.accept"]


def test_an_answer_receives_by_itself_and_bad_ones_are_refused_whole(issued, county, office):
    for text, files, fault in (
        (" ", [], DocumentFault),
        ("字" * 5001, [], DocumentFault),
        ("好", [letter_services.Upload("a.exe", b"MZ")], Unfit),
    ):
        with pytest.raises(fault):
            letter_services.answer(document=issued, by=county, text=text, files=files, seen=seen(issued))
    assert not LetterAnswer.objects.exists()
    letter_services.answer(document=issued, by=county, text="好", seen=seen(issued))
    assert fresh(issued).letter.received_by == county


def test_asked_again_there_is_a_new_day_and_a_new_answer(answered, county, office):
    with pytest.raises(DocumentFault, match="期限须晚于今天"):
        letter_services.ask_again(document=answered, by=office, remark="写明日期", seen=seen(answered), due_again_on=TODAY)
    letter_services.ask_again(document=answered, by=office, remark="写明日期", seen=seen(answered))
    assert state(answered) == LetterState.ASKED_AGAIN
    assert letter_states.due_on(fresh(answered), TODAY) == add_workdays(TODAY, 3)
    letter_services.answer(document=answered, by=county, text="三月十日完成。", seen=seen(answered))
    assert state(answered) == LetterState.ANSWERED


def test_nobody_else_acts(issued, office, county):
    stranger = UserFactory(in_county=True)
    for person in (stranger, office, UserFactory(leader=True)):
        with pytest.raises(DocumentFault):
            letter_services.answer(document=issued, by=person, text="好", seen=seen(issued))
    for act, said in ((letter_services.accept, "remark"), (letter_services.close, "reason")):
        with pytest.raises(DocumentFault):
            act(document=issued, by=county, seen=seen(issued), **{said: "好"})


def test_who_comes_second_is_told(answered, office):
    old = seen(answered)
    letter_services.ask_again(document=answered, by=office, remark="写明日期", seen=old)
    with pytest.raises(letter_services.Quicker):
        letter_services.accept(document=answered, by=office, remark="好", seen=old)


def test_moving_up_closes_with_the_reason_and_drafts_the_next_measure(office, city, unit):
    authority = UnitFactory(name="市水利局")
    PermitFactory(project=city, authority=authority, submitted_on=dt.date(2025, 1, 2), promised_workdays=5)
    reminder = services.draft_document(kind="reminder", period="2025-02", unit=authority, by=office)
    review(reminder, office)
    reminder = issue(fresh(reminder), office)
    letter_services.close(document=reminder, by=office, reason="两次电话催办无果", seen=seen(reminder), move_up=True)
    assert state(reminder) == LetterState.MOVED_UP
    assert letters.waiting_by_county(TODAY) == {}
    job = Job.objects.get(kind="draft_document")
    assert jobs.run(job.pk)
    draft = Document.objects.get(kind="supervision", unit=authority)
    assert [(line["rule"], line["sentence"]) for line in draft.facts["lines"]] == [
        ("moved_up", "提醒函演清专办函〔2025〕1号未见成效，经专班办研究升级：两次电话催办无果")
    ]
    review(draft, office)
    issue(fresh(draft), office)
    assert fresh(reminder).letter.followed_by == draft


def test_overdue_answers_chase_themselves_and_feed_the_supervision(issued, office, unit):
    due = issued.letter.reply_due_on
    assert letter_services.chase(due - dt.timedelta(days=1)) == 1
    assert letter_services.chase(due) == 0
    late = add_workdays(due, 1)
    assert letter_services.chase(late) == 1
    assert letter_services.chase(late) == 0  # told once a day
    texts = list(Notice.objects.filter(unit=unit, kind="letter").order_by("pk").values_list("text", flat=True))
    assert "须于" in texts[1]
    assert "已逾期 1 天" in texts[2]
    assert Notice.objects.filter(unit__kind="office", key__contains=":late:").count() == 1


def test_a_day_that_is_no_workday_chases_nobody(issued):
    assert letter_services.chase(dt.date(2025, 3, 1)) == 0


# ── Pages ──


def test_a_county_sees_its_own_issued_letters_and_no_draft(client, issued, county, office):
    stranger = UserFactory(in_county=True)
    assert issued.file_number in _get(client, county, "/letters/")
    for name in ("letter", "document_pdf", "document_docx"):
        assert client.get(reverse(name, args=[issued.pk])).status_code == 200
    assert "演清专办函" not in _get(client, stranger, "/letters/")
    for name in ("letter", "document", "document_pdf", "document_docx"):
        assert client.get(reverse(name, args=[issued.pk])).status_code == 404


def test_a_talk_is_approved_on_its_page_by_a_leader_and_by_nobody_else(client, office, county, city, unit):
    for n in (0, 2, 3, 4, 5):
        DispatchFactory(project=city, week_of=THIS_WEEK - n * dt.timedelta(weeks=1), physical_progress=20)
    talk = services.draft_document(kind="talk", period="2025-02-20", unit=unit, by=office)
    leader, page, act = UserFactory(leader=True), reverse("letter", args=[talk.pk]), reverse("letter_act", args=[talk.pk])
    issue_page = reverse("issue_document", args=[talk.pk])

    def post(user, action: str) -> int:
        client.force_login(user)
        data = {"action": action, "seen": seen(talk), "facts_seen": services.facts_digest(talk)}
        return client.post(act, data).status_code

    assert "批准约谈" not in _get(client, leader, page)  # nobody has reviewed it
    assert post(office, "review") == 302
    office_page = _get(client, office, page)
    assert "等待领导批准" in office_page
    assert issue_page not in office_page
    refused = client.post(issue_page, {"facts_seen": services.facts_digest(talk)})
    assert (refused.status_code, "须经领导批准" in refused.content.decode()) == (422, True)
    assert (post(office, "approve"), post(county, "approve")) == (422, 404)
    assert state(talk) == LetterState.REVIEWED
    assert "批准约谈" in _get(client, leader, page)
    assert post(leader, "approve") == 302
    assert state(talk) == LetterState.APPROVED
    assert issue_page in _get(client, office, page)
    assert issue_page not in _get(client, leader, page)


NEXT_PERIODS = [
    # the kind that follows, papers of it that stand: (period, state), expected
    pytest.param("supervision", [], "2025-02-20", id="督办没有草稿按当天"),
    pytest.param("supervision", [("2025-02-18", "draft")], "2025-02-18", id="等着的草稿并入"),
    pytest.param("supervision", [("2025-02-14", "draft"), ("2025-02-18", "draft")], "2025-02-18", id="并入最近的草稿"),
    pytest.param("supervision", [("2025-02-18", "issued")], "2025-02-20", id="早先印发的不碍当天"),
    pytest.param("supervision", [("2025-02-20", "issued")], "2025-02", id="当天已印发改用当月"),
    pytest.param("supervision", [("2025-02-20", "withdrawn")], "2025-02-20", id="作废的不算"),
    pytest.param("supervision", [("2025-02-20", "issued"), ("2025-02", "issued")], None, id="当天当月都已印发"),
    pytest.param("talk", [("2025-02-20", "issuing")], "2025-02", id="正在印发的同已印发"),
    pytest.param("reminder", [], "2025-02", id="提醒按当月"),
    pytest.param("reminder", [("2025-02", "draft")], "2025-02", id="当月草稿并入"),
    pytest.param("reminder", [("2025-02", "issued")], "2025-02-20", id="当月已印发按当天"),
    pytest.param("reminder", [("2025-02", "withdrawn")], "2025-02", id="当月作废的重拟"),
    pytest.param("reminder", [("2025-02", "issued"), ("2025-02-20", "issued")], None, id="提醒当月当天都已印发"),
]


@pytest.mark.parametrize(("kind", "standing", "expected"), NEXT_PERIODS)
def test_the_period_of_the_letter_that_follows(draft, unit, office, kind, standing, expected):
    Document.objects.filter(pk=draft.pk).update(unit=UnitFactory())
    for period, state in standing:
        more = {"issued_at": clock.now(), "issued_by": office} if state == "issued" else {}
        Document.objects.create(kind=kind, period=period, unit=unit, state=state, title="旧函", as_of=TODAY, **more)
    assert letter_services.next_period(kind, unit) == expected


def _get(client, user, path: str) -> str:
    client.force_login(user)
    return client.get(path).content.decode()


@pytest.mark.parametrize("name", ["letter", "document_pdf", "document_docx"])
def test_drafts_are_only_the_offices_and_the_leaders(client, draft, county, office, name):
    client.force_login(county)
    assert client.get(reverse(name, args=[draft.pk])).status_code == 404
    for user in (office, UserFactory(leader=True)):
        client.force_login(user)
        assert client.get(reverse(name, args=[draft.pk])).status_code == 200


def test_the_whole_way_in_the_browser(client, draft, office, county):
    url, act = reverse("letter", args=[draft.pk]), reverse("letter_act", args=[draft.pk])
    client.force_login(office)
    digest = services.facts_digest(draft)
    assert client.post(act, {"action": "review", "seen": seen(draft), "facts_seen": digest}).url == url
    assert client.post(reverse("issue_document", args=[draft.pk]), {"facts_seen": digest}).status_code == 302
    jobs.run(Job.objects.get(kind="issue_document").pk)
    client.force_login(county)
    assert "签收和回复" in client.get(url).content.decode()
    assert "没有签收" not in client.get("/").content.decode()
    empty = client.post(act, {"action": "answer", "seen": seen(draft), "text": ""})
    assert (empty.status_code, "请写明回复内容" in empty.content.decode()) == (422, True)
    file = SimpleUploadedFile("方案.pdf", PDF)
    assert client.post(act, {"action": "answer", "seen": seen(draft), "text": "已增加作业面", "files": [file]}).status_code == 302
    page = client.get(url).content.decode()
    assert "已增加作业面" in page
    kept = LetterAnswer.objects.get().files.get()
    assert b"".join(client.get(reverse("answer_file", args=[kept.pk]))) == PDF
    client.force_login(office)
    stale = client.post(act, {"action": "accept", "seen": 0, "reason": "核实"})
    assert (stale.status_code, "核实" in stale.content.decode()) == (409, True)
    client.post(act, {"action": "accept", "seen": seen(draft), "reason": "现场核实"})
    assert state(draft) == LetterState.CLOSED
    assert "现场核实" in client.get(reverse("unit_letters", args=[draft.unit.code])).content.decode()


def test_files_of_an_answer_are_the_units_own(client, issued, county):
    letter_services.answer(document=issued, by=county, text="好", seen=seen(issued), files=[letter_services.Upload("a.pdf", PDF)])
    path = reverse("answer_file", args=[LetterAnswer.objects.get().files.get().pk])
    client.force_login(UserFactory(in_county=True))
    assert client.get(path).status_code == 404
    client.force_login(county)
    answer = client.get(path)
    assert answer["Content-Disposition"].startswith("attachment")


def test_everything_a_unit_has_received_is_its_own(client, issued, county, unit):
    path = reverse("unit_letters", args=[unit.code])
    assert issued.file_number in _get(client, county, path)
    client.force_login(UserFactory(in_county=True))
    assert client.get(path).status_code == 404


def test_the_page_of_a_past_day_shows_what_was_there_then(client, issued, office):
    client.force_login(office)
    assert issued.file_number not in client.get("/letters/?as_of=2025-02-19").content.decode()
    assert client.get(reverse("letter", args=[issued.pk]) + "?as_of=2025-02-19").status_code == 404


def test_letters_are_read_in_the_same_queries_for_one_and_for_thirty(answered, office, django_assert_num_queries):
    """Papers, answers, their files: pages, ledger and the page of today all read through it."""
    with django_assert_num_queries(3):
        assert len(letters.read(Document.objects.all(), TODAY)) == 1
    for n in range(2, 31):
        copy = Document.objects.get(pk=answered.pk)
        copy.pk, copy.number, copy.period, copy._state.adding = None, n, f"2024-{n % 12 + 1:02}-{n:02}", True
        copy.save()
        letter = Letter.objects.create(document=copy, reply_due_on=TODAY, received_at=copy.issued_at, received_by=office)
        LetterAnswer.objects.create(letter=letter, text="好", at=copy.issued_at, by=office)
    with django_assert_num_queries(3):
        assert len(letters.read(Document.objects.all(), TODAY)) == 30


def test_the_ledger_has_every_column_and_exports(client, answered, office):
    client.force_login(office)
    page = client.get("/ledgers/letters/?view=all").content.decode()
    for head in (
        "文号",
        "种类",
        "主送",
        "抄送",
        "项目",
        "触发依据",
        "拟稿/审核/签发",
        "发文日",
        "应回复日",
        "签收",
        "回复日",
        "回复内容",
        "核查",
        "状态",
        "升级到",
    ):
        assert head in page
    text = b"".join(client.get("/ledgers/letters/?export=csv")).decode("utf-8-sig")
    assert "演清专办函〔2025〕1号" in text
    assert "进度严重滞后：截至2025年2月20日" in text


# ── make_document ──


def test_make_document_writes_one_letter_or_a_zip_of_all(office, unit, tmp_path, capsys):
    call_command("make_document", "supervision", "2025-02-20", unit=unit.code, out=tmp_path / "a.pdf")
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")
    call_command("make_document", "supervision", "2025-02", out=tmp_path / "b.zip")
    with zipfile.ZipFile(io.BytesIO((tmp_path / "b.zip").read_bytes())) as archive:
        assert archive.namelist() == [f"{unit.name}-督办函-2025-02.pdf"]
    assert "草稿，未编号，数据截至 2025-02-20" in capsys.readouterr().out
    with pytest.raises(CommandError, match="没有应发预警函的单位"):
        call_command("make_document", "early-warning", "2024-01", out=tmp_path / "c.zip")


def test_make_document_of_an_issued_letter_writes_the_frozen_bytes(issued, unit, tmp_path, city):
    DispatchFactory(project=city, week_of=THIS_WEEK, physical_progress=90)
    call_command("make_document", "supervision", "2025-02-20", unit=unit.code, out=tmp_path / "a.pdf")
    assert (tmp_path / "a.pdf").read_bytes() == issued.pdf_path.read_bytes()
    assert Document.objects.get().state == DocumentState.ISSUED
