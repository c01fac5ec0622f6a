"""Minutes as an official paper: their words, who reads what of them, and that closed ones stay as they were."""

import dataclasses
import datetime as dt
import io
import zipfile

import docx
import pytest

from ledgers import agenda_services, minutes_services
from ledgers.documents import docx as word
from ledgers.documents import minutes, minutes_words, pdf
from ledgers.documents.bulletin import Office
from ledgers.documents.minutes import Decided, MinutesFacts, Part, Topic
from ledgers.documents.minutes_words import DEMO, EXCERPT, WORKING, minutes_paper
from ledgers.documents.paper import Paragraph
from ledgers.enums import DecisionFrequency, MeetingKind
from ledgers.meeting_models import Meeting
from ledgers.meetings import MEETING
from linfen_water import trail
from projects import records
from projects.services import Faulty, Refused
from tests.factories import TODAY, CountyFactory, RegionFactory, UnitFactory, UserFactory
from tests.ledgers.test_documents import HOSTILE, flat, letters, pages, top

DAY = dt.timedelta(days=1)
HELD = dt.date(2025, 2, 19)
OFFICE = Office("临汾市工程专班办公室", "“清水”工程专班会议纪要", "", "“清水”工程", "县（市、区）", "", "市政府办公室。", has_seal=False)
ONCE, WEEKLY = DecisionFrequency.ONCE, DecisionFrequency.WEEKLY


def decided(what="三日内签完征地协议", lead="尧都区人民政府", assist=(), due_on=dt.date(2025, 2, 25), frequency=ONCE, key=1) -> Decided:
    return Decided(key, what, lead, assist, due_on, frequency)


def facts(**changes) -> MinutesFacts:
    values = {
        "kind": MeetingKind.JOINT, "held_on": HELD, "starts_at": "15:00", "number": "2025年第8次", "chair_post": "专班办主任",
        "place": "市政府会议室", "topic": "征地和手续", "attended": "市水利局、尧都区人民政府",
        "absent": "", "observers": "", "minutes": "",
        "parts": (Part("需协调的问题", (Topic("征地补偿未签", ""), Topic("管线迁改无人认领。", "明确牵头单位"))),),
        "decided": (decided(),), "office": OFFICE, "is_demo": False,
    }  # fmt: skip
    return MinutesFacts(**values | changes)


def words(found: MinutesFacts) -> list[str]:
    return [block.text for block in minutes_paper(found).body]


# ── the words ──


def test_the_words_of_the_minutes_in_their_order():
    found = facts(minutes="会议听取了汇报。\n\n会议要求抓紧推进。")
    assert words(found) == [
        "2025年2月19日15时，专班办主任在市政府会议室主持召开联席会议，研究征地和手续。现将会议情况纪要如下：",
        "一、会议听取和研究的事项",
        "（一）需协调的问题",
        "1．征地补偿未签。",
        "2．管线迁改无人认领。提请会议：明确牵头单位。",
        "二、会议讨论情况",
        "会议听取了汇报。",
        "会议要求抓紧推进。",
        "三、会议议定事项",
        "1．三日内签完征地协议。由尧都区人民政府主办，2025年2月25日前办结。",
    ]


@pytest.mark.parametrize(
    ("changes", "opening"),
    [
        pytest.param({}, "2025年2月19日15时，专班办主任在市政府会议室主持召开联席会议，研究征地和手续。", id="时间地点议题齐全"),
        pytest.param(
            {"starts_at": "09:05"}, "2025年2月19日9时05分，专班办主任在市政府会议室主持召开联席会议，研究征地和手续。", id="有分钟"
        ),
        pytest.param({"starts_at": "", "place": "", "topic": ""}, "2025年2月19日，专班办主任主持召开联席会议。", id="只有日期和主持"),
        pytest.param(
            {"topic": "征地；\n手续。"}, "2025年2月19日15时，专班办主任在市政府会议室主持召开联席会议，研究征地； 手续。", id="议题分行"
        ),
    ],
)
def test_the_opening_says_when_where_who_and_what_about(changes, opening):
    assert words(facts(**changes))[0] == f"{opening}现将会议情况纪要如下："


@pytest.mark.parametrize(
    ("one", "sentence"),
    [
        pytest.param(decided(), "1．三日内签完征地协议。由尧都区人民政府主办，2025年2月25日前办结。", id="主办和时限"),
        pytest.param(decided(due_on=None), "1．三日内签完征地协议。由尧都区人民政府主办。", id="没有时限"),
        pytest.param(
            decided("清淤。", assist=("市水利局", "市住建局"), frequency=WEEKLY),
            "1．清淤。由尧都区人民政府主办，市水利局、市住建局协办，2025年2月25日前办结，每周报告进展。",
            id="协办和频次",
        ),
    ],
)
def test_a_decided_item_says_who_with_whom_and_by_when(one, sentence):
    assert words(facts(decided=(one,)))[-1] == sentence


def test_a_meeting_that_decided_nothing_says_so_and_parts_that_are_empty_are_left_out():
    assert words(facts(parts=(), decided=()))[1:] == ["一、会议议定事项", "本次会议未议定事项。"]


@pytest.mark.parametrize(
    ("changes", "lines"),
    [
        pytest.param({"attended": ""}, (), id="没有登记"),
        pytest.param({"attended": "市水利局、\n尧都区政府。"}, (("出席", "市水利局、尧都区政府"),), id="分行写的连成一行"),
        pytest.param(
            {"attended": "甲", "absent": "乙", "observers": "丙"}, (("出席", "甲"), ("请假", "乙"), ("列席", "丙")), id="三类按次序"
        ),
        pytest.param({"attended": "甲", "observers": "丙"}, (("出席", "甲"), ("列席", "丙")), id="没有请假的不列"),
    ],
)
def test_who_was_there_stands_below_in_the_order_of_the_standard(changes, lines):
    assert minutes_paper(facts(**changes)).attendance == lines


@pytest.mark.parametrize(
    ("changes", "marks"),
    [
        pytest.param({}, (WORKING,), id="未定稿是工作材料"),
        pytest.param({"closed_on": HELD}, (), id="定稿后没有标记"),
        pytest.param({"closed_on": HELD, "is_demo": True}, (DEMO,), id="演示数据"),
        pytest.param({"is_excerpt": True}, (WORKING, EXCERPT), id="县里看到的是节选"),
    ],
)
def test_what_kind_of_copy_it_is_stands_at_its_head(changes, marks):
    assert minutes_paper(facts(**changes)).marks == marks


def test_facts_come_back_from_what_is_kept():
    found = facts(starts_at="", decided=(decided(assist=("甲", "乙"), due_on=None),))
    assert MinutesFacts.from_json(found.to_json()) == found


# ── the paper ──


@pytest.mark.once
def test_the_paper_has_the_head_of_minutes_and_no_seal():
    found = facts(attended="、".join(f"单位{n}" for n in range(60)), observers="市政府督查室")
    made = pdf.render_pdf(minutes_paper(found), HELD)
    assert made.startswith(b"%PDF")
    first, *_ = pages(made)
    head = [letter for letter in letters(first) if letter.size > 24]
    assert "".join(letter.get_text() for letter in head) == OFFICE.head
    assert min(top(first, letter) for letter in head) == pytest.approx(72, abs=2)  # of its em box: the ink begins a little lower
    text = flat(made)
    for said in ("2025年第8次", "出席：单位0、", "单位59", "列席：市政府督查室", "一、会议听取和研究的事项", "抄送：市政府办公室。"):
        assert said in text
    assert "请假" not in text


@pytest.mark.once
def test_more_people_than_a_page_holds_go_on_over_the_page():
    long = facts(attended="、".join(f"第{n}个单位" for n in range(400)), minutes="议" * 700)
    text = flat(pdf.render_pdf(minutes_paper(long), HELD))
    assert "第399个单位" in text


@pytest.mark.once
def test_hostile_words_are_printed_as_words():
    found = facts(
        topic=HOSTILE, place=HOSTILE[:60], attended=HOSTILE, observers=HOSTILE, minutes=HOSTILE, number=HOSTILE[:30],
        parts=(Part("其他事项", (Topic(HOSTILE, HOSTILE),)),), decided=(decided(HOSTILE, HOSTILE),),
        office=dataclasses.replace(OFFICE, copies_to=HOSTILE),
    )  # fmt: skip
    assert pdf.render_pdf(minutes_paper(found), HELD).startswith(b"%PDF")
    with zipfile.ZipFile(io.BytesIO(word.render_docx(minutes_paper(found), HELD))) as archive:
        assert archive.testzip() is None


@pytest.mark.once
def test_the_editable_copy_says_the_same():
    found = facts(absent="市住建局")
    made = word.render_docx(minutes_paper(found), HELD)
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        assert "word/document.xml" in archive.namelist()
    said = [paragraph.text for paragraph in docx.Document(io.BytesIO(made)).paragraphs]
    for line in (*words(found), "出席：市水利局、尧都区人民政府", "请假：市住建局", OFFICE.head):
        assert line in said
    assert said.index("出席：市水利局、尧都区人民政府") > said.index(words(found)[-1])


# ── from a meeting ──


@pytest.fixture
def office(db):
    RegionFactory()
    return UserFactory()


@pytest.fixture
def held(office):
    return Meeting.objects.create(kind="joint", held_on=TODAY, chair_post="专班办主任", topic="征地", attended="市水利局", by=office)


def decide(meeting, office, what, unit):
    return agenda_services.decide(meeting=meeting, by=office, what=what, lead_unit=unit, due_on=TODAY + 5 * DAY)


def test_the_facts_are_those_of_agenda_and_decided_items(held, office):
    agenda_services.add_line(meeting=held, by=office, text="征地补偿未签", ask="定时限")
    row = decide(held, office, "签完协议", UnitFactory(name="尧都区人民政府"))
    found = minutes.gather(held)
    assert found.parts == (Part("其他事项", (Topic("征地补偿未签", "定时限"),)),)
    assert found.decided == (Decided(row.pk, "签完协议", "尧都区人民政府", (), TODAY + 5 * DAY, ONCE),)
    assert (found.attended, found.closed_on) == ("市水利局", None)


def test_a_county_reads_only_what_was_decided_for_it(held, office, client):
    county, other = (UserFactory(in_county=True, county=CountyFactory()) for _ in range(2))
    agenda_services.add_line(meeting=held, by=office, text="别县的问题")
    decide(held, office, "本县的事", county.unit)
    decide(held, office, "别县的事", other.unit)
    mine = minutes.read(held, county, TODAY, TODAY)
    assert ([one.what for one in mine.decided], mine.parts, mine.is_excerpt) == (["本县的事"], (), True)
    minutes_services.close(meeting=held, by=office, version=1)
    held.refresh_from_db()
    closed = minutes.read(held, county, TODAY, TODAY)
    assert ([one.what for one in closed.decided], closed.parts, closed.closed_on) == (["本县的事"], (), TODAY)
    client.force_login(county)
    text = "".join(p.text for p in docx.Document(io.BytesIO(client.get(f"/meetings/{held.pk}/minutes.docx").content)).paragraphs)
    assert "本县的事" in text
    assert "别县" not in text


def test_closed_minutes_stay_as_they_were_until_they_are_taken_up_again(held, office):
    decide(held, office, "签完协议", UnitFactory())
    minutes_services.close(meeting=held, by=office, version=1)
    held.refresh_from_db()
    records.edit(MEETING, row=held, by=None, version=held.edit_version, topic="后来改的议题")  # as no page lets anybody
    assert [one.what for one in minutes.read(held, office, TODAY, TODAY).decided] == ["签完协议"]
    assert minutes.read(held, office, TODAY, TODAY).topic != "后来改的议题"
    before = minutes.read(held, office, TODAY - DAY, TODAY)
    assert before.closed_on is None  # on that day they were not closed
    with pytest.raises(Faulty):
        minutes_services.reopen(meeting=held, by=office, version=3, reason=" ")
    minutes_services.reopen(meeting=held, by=office, version=3, reason="漏了一项")
    held.refresh_from_db()
    decide(held, office, "后来登记的", UnitFactory())
    assert [one.what for one in minutes.read(held, office, TODAY, TODAY).decided] == ["签完协议", "后来登记的"]
    events = list(records.events(MEETING, held))
    assert [event.action for event in events] == ["meeting.close_minutes", "meeting.edit", "meeting.reopen_minutes"]
    assert trail.verify(events[-1].chain) is None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        pytest.param({"attended": " "}, "还没有登记出席单位", id="没有出席"),
        pytest.param({"held_on": TODAY + DAY}, "开过会才能定稿", id="还没有开会"),
    ],
)
def test_what_keeps_minutes_from_being_closed_is_said(held, office, changes, said):
    Meeting.objects.filter(pk=held.pk).update(**changes)
    with pytest.raises(Refused, match=said):
        minutes_services.close(meeting=held, by=office, version=1)


def test_only_one_of_two_closes_them(held, office):
    minutes_services.close(meeting=held, by=office, version=1)
    with pytest.raises(Refused, match="刚被他人改动"):
        minutes_services.close(meeting=held, by=office, version=1)


# ── the pages ──


def test_units_that_the_meeting_concerned_are_proposed_until_somebody_was_entered(held, office, client):
    Meeting.objects.filter(pk=held.pk).update(attended="")
    decide(held, office, "签完协议", UnitFactory(name="尧都区人民政府"))
    client.force_login(office)
    page = client.get(f"/meetings/{held.pk}/").content.decode()
    assert "尧都区人民政府</textarea>" in page
    assert "还没有保存：请核对后保存" in page
    held.refresh_from_db()
    assert held.attended == ""
    sent = {"version": held.edit_version, "attended": "市水利局", "absent": "市住建局", "observers": "", "minutes": "已研究。"}
    assert client.post(f"/meetings/{held.pk}/minutes/", sent).status_code == 302
    held.refresh_from_db()
    assert (held.attended, held.absent, held.minutes) == ("市水利局", "市住建局", "已研究。")
    assert "请核对后保存" not in client.get(f"/meetings/{held.pk}/").content.decode()


def test_two_who_write_who_was_there_both_see_it(held, office, client):
    client.force_login(office)
    path = f"/meetings/{held.pk}/minutes/"
    assert client.post(path, {"version": 1, "attended": "市水利局、甲局"}).status_code == 302
    page = client.post(path, {"version": 1, "attended": "市水利局、乙局"})
    assert page.status_code == 409
    assert "市水利局、甲局" in page.content.decode()
    assert "市水利局、乙局</textarea>" in page.content.decode()
    assert client.post(path, {"version": 2, "attended": "市水利局、甲局、乙局"}).status_code == 302


def test_minutes_are_closed_and_taken_up_again_on_the_page(held, office, client):
    client.force_login(office)
    path = f"/meetings/{held.pk}/"
    closing = {"action": "close_minutes", "close_minutes-version": 1}
    assert client.post(f"{path}act/", closing).status_code == 302
    page = client.get(path).content.decode()
    assert "定稿，生成的文件以定稿时的内容为准" in page
    assert "保存纪要" not in page
    assert client.get(f"{path}edit/").status_code == 404
    assert client.post(f"{path}minutes/", {"version": 2, "minutes": "改"}).status_code == 409
    assert client.post(f"{path}act/", closing).status_code == 404
    again = {"action": "reopen_minutes", "reopen_minutes-version": 2, "reopen_minutes-reason": ""}
    assert client.post(f"{path}act/", again).status_code == 422
    assert client.post(f"{path}act/", again | {"reopen_minutes-reason": "漏了一项"}).status_code == 302
    assert "保存纪要" in client.get(path).content.decode()


def test_a_meeting_to_come_has_no_minutes_and_says_why(held, office, client):
    Meeting.objects.filter(pk=held.pk).update(held_on=TODAY + DAY)
    client.force_login(office)
    assert "会议召开后可生成会议纪要" in client.get(f"/meetings/{held.pk}/").content.decode()
    answer = client.get(f"/meetings/{held.pk}/minutes.pdf")
    assert answer.status_code == 409
    assert "开过会才能生成会议纪要" in answer.content.decode()


def test_both_copies_are_kept_from_shared_caches(held, office, client):
    client.force_login(office)
    for suffix, kind in (("pdf", "application/pdf"), ("docx", word.CONTENT_TYPE)):
        answer = client.get(f"/meetings/{held.pk}/minutes.{suffix}")
        assert (answer.status_code, answer["Content-Type"], answer["Cache-Control"]) == (200, kind, "private, no-store")
        assert f"minutes-{TODAY}.{suffix}" in answer["Content-Disposition"]


def test_of_a_long_part_the_minutes_tell_what_was_asked_and_count_the_rest():
    topics = tuple(Topic(f"第{n}个滞后项目", "定一个日子" if n == 5 else "") for n in range(1, 14))
    said = [block.text for block in minutes_words._parts([Part("滞后项目", topics)]) if isinstance(block, Paragraph)]
    assert said == ["1．第5个滞后项目。提请会议：定一个日子。", "听取了其余12项的情况，见会议材料。"]
    few = [block.text for block in minutes_words._parts([Part("滞后项目", topics[:3])]) if isinstance(block, Paragraph)]
    assert len(few) == 3
    none = [block.text for block in minutes_words._parts([Part("滞后项目", topics[:4])]) if isinstance(block, Paragraph)]
    assert none[-1] == "听取了其余1项的情况，见会议材料。"


def test_minutes_typed_while_a_colleague_closed_them_stay_on_the_page(held, office, client):
    client.force_login(office)
    minutes_services.write(meeting=held, by=office, version=held.edit_version, attended="市水利局", absent="", observers="", minutes="旧")
    held.refresh_from_db()
    minutes_services.close(meeting=held, by=office, version=held.edit_version)
    answer = client.post(f"/meetings/{held.pk}/minutes/", {"version": held.edit_version, "attended": "市水利局", "minutes": "我刚写的一段"})
    assert answer.status_code == 409
    assert "纪要已定稿，没有保存" in answer.content.decode()
    assert "我刚写的一段" in answer.content.decode()
    with pytest.raises(Refused, match="已定稿"):
        minutes_services.write(meeting=held, by=office, version=99, minutes="抢先")
    with pytest.raises(Refused, match="请先退回修改纪要"):
        agenda_services.decide(meeting=held, by=office, what="补一条", lead_unit=UnitFactory(), due_on=TODAY)


def test_an_excerpt_without_an_item_of_the_county_does_not_say_that_nothing_was_decided():
    assert "没有涉及本单位的议定事项" in minutes_words._decided(facts(decided=(), is_excerpt=True))[0].text
    assert "未议定事项" in minutes_words._decided(facts(decided=()))[0].text
