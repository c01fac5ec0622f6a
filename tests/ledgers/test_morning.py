"""碰头会材料: what moved since the last working day, what is due, what waits; own lines; whose projects; one query count."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ledgers import morning, morning_services
from ledgers.day_models import DayLine
from ledgers.enums import DocumentKind, DocumentState
from ledgers.models import Document, Letter
from linfen_water.models import TrailEvent
from projects.models import FundingPaper
from projects.services import Refused
from tests.factories import (
    LAST_WEEK,
    THIS_WEEK,
    TODAY,
    CountyFactory,
    DispatchFactory,
    PermitFactory,
    ProblemFactory,
    ProjectFactory,
    RegionFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
SHANGHAI = dt.timezone(dt.timedelta(hours=8))


@pytest.fixture(autouse=True)
def region():
    return RegionFactory()


@pytest.fixture
def office():
    return UserFactory()


def at(day, hour=10):
    return dt.datetime.combine(day, dt.time(hour), tzinfo=SHANGHAI)


def texts(user, key, day=TODAY):
    return [line.text for line in morning.gather(user, day).part(key).lines]


@pytest.mark.parametrize(
    ("day", "since"),
    [
        pytest.param(dt.date(2025, 2, 20), dt.date(2025, 2, 19), id="平日从昨天起"),
        pytest.param(dt.date(2025, 2, 17), dt.date(2025, 2, 14), id="周一从上周五起"),
        pytest.param(dt.date(2025, 2, 5), dt.date(2025, 1, 27), id="春节后从节前起"),
    ],
)
def test_looks_back_to_the_last_working_day(office, day, since):
    assert morning.gather(office, day).since == since


@pytest.mark.parametrize(("on", "count"), [(TODAY, 1), (TODAY - DAY, 1), (TODAY - 2 * DAY, 0)], ids=["今天", "昨天", "前天"])
def test_what_happened_since_yesterday_is_there_and_older_is_not(office, on, count):
    started = ProjectFactory(started_on=on)
    PermitFactory(project=started, submitted_on=dt.date(2025, 1, 6), obtained_on=on)
    ProblemFactory(project=started, raised_on=on, description="征地未完成")
    FundingPaper.objects.create(source=started.funding.get(), doc_number="晋财〔2025〕1号", issued_on=on, amount_wan=80)
    sheet = morning.gather(office, TODAY)
    assert {key: sheet.part(key).count for key in ("stages", "permits", "problems", "money")} == dict.fromkeys(
        ("stages", "permits", "problems", "money"), count
    )


def test_reports_returned_ones_and_the_money_that_they_tell_of(office):
    project = ProjectFactory(code="LF-001", name="护岸工程")
    DispatchFactory(project=project, week_of=LAST_WEEK, in_place_wan=Decimal(500))
    DispatchFactory(project=project, week_of=THIS_WEEK, submitted=True, in_place_wan=Decimal("620.5"), submitted_at=at(TODAY), is_late=True)
    DispatchFactory(
        project=ProjectFactory(), week_of=THIS_WEEK, returned=True, reviewed_by=office, reviewed_at=at(TODAY - DAY), remark="缺照片"
    )
    sheet = morning.gather(office, TODAY)
    assert (sheet.part("reported").count, sheet.part("reported").said) == (1, "其中迟报 1")
    assert "缺照片" in sheet.part("returned").lines[0].text
    assert sheet.part("money").said == "到位增加 120.5 万元"
    assert "护岸工程" in sheet.part("money").lines[0].text
    assert sheet.headline == "报送 1，退回 1，资金 1"


def test_the_numbers_without_their_lines_are_those_of_the_sheet(office):
    project = ProjectFactory(started_on=TODAY)
    DispatchFactory(project=project, week_of=LAST_WEEK, in_place_wan=Decimal(500))
    DispatchFactory(project=project, week_of=THIS_WEEK, submitted=True, in_place_wan=Decimal(620), submitted_at=at(TODAY))
    same = ProjectFactory()
    DispatchFactory(project=same, week_of=LAST_WEEK, in_place_wan=Decimal(70))
    DispatchFactory(project=same, week_of=THIS_WEEK, submitted=True, in_place_wan=Decimal(70), submitted_at=at(TODAY - DAY))
    ProblemFactory(project=project, raised_on=TODAY, description="征地未完成")
    PermitFactory(project=project, submitted_on=dt.date(2025, 1, 6), obtained_on=TODAY - DAY)
    for day in (TODAY, TODAY - DAY, TODAY - 3 * DAY):
        sheet = morning.gather(office, day)
        told = {part.key: (part.title, part.count) for part in sheet.moved if part.count and part.key != "water"}
        assert {row.key: (row.title, row.count) for row in morning.moved_counts(office, day)} == told
    assert {row.key: row.count for row in morning.moved_counts(office, TODAY)} == {
        "reported": 2, "stages": 1, "permits": 1, "problems": 1, "money": 1,
    }  # fmt: skip


def test_letters_that_wait_for_their_unit_are_told_with_their_limit(office, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    unit = ProjectFactory(behind=True).versions.get().responsible_unit
    document = Document.objects.create(
        kind=DocumentKind.REMINDER, period="2025-02-20", unit=unit, title="提醒函", as_of=TODAY - DAY, state=DocumentState.ISSUED,
        prefix="演清专办函", year=2025, number=3, issued_at=at(TODAY - DAY), issued_by=office,
    )  # fmt: skip
    Letter.objects.create(document=document, reply_due_on=TODAY + DAY)
    waiting = morning.gather(office, TODAY).part("at_units")
    assert (waiting.count, waiting.lines[0].mark) == (1, "2月21日")
    assert waiting.lines[0].url == f"/letters/{document.pk}/"
    assert morning.gather(office, TODAY - 2 * DAY).part("at_units").count == 0
    assert morning.gather(UserFactory(in_county=True, unit=unit), TODAY).part("at_units").count == 1
    assert morning.gather(UserFactory(in_county=True), TODAY).part("at_units").count == 0


@pytest.mark.parametrize(
    ("due_on", "mark"),
    [(TODAY - DAY, "逾期1天"), (TODAY, "今天"), (TODAY + 7 * DAY, "2月27日"), (TODAY + 8 * DAY, None)],
)
def test_problems_that_are_due_within_a_week(office, due_on, mark):
    ProblemFactory(project=ProjectFactory(), raised_on=dt.date(2025, 1, 6), due_on=due_on)
    assert [line.mark for line in morning.gather(office, TODAY).part("due_problems").lines] == ([mark] if mark else [])


def test_what_waits_is_of_the_present(office):
    county = CountyFactory(name="洪洞县")
    DispatchFactory(project=ProjectFactory(county=county), week_of=LAST_WEEK, submitted=True)
    sheet = morning.gather(office, TODAY)
    assert [line.text for line in sheet.part("unreported").lines] == ["洪洞县 缺 1 个"]
    assert sheet.part("unreviewed").count == 1
    past = morning.gather(office, TODAY - DAY)
    assert (past.part("unreported").count, past.part("unreviewed").count) == (0, 0)


def test_a_county_reads_of_its_own_alone(client):
    ProjectFactory(name="别县的工程", started_on=TODAY)
    clerk = UserFactory(in_county=True)
    client.force_login(clerk)
    assert "别县的工程" not in client.get("/morning/").content.decode()
    assert client.post("/morning/", {"text": "开会"}).status_code == 404


def test_the_number_opens_all_that_it_counts(client, office):
    for _ in range(morning.SHOWN + 2):
        ProjectFactory(started_on=TODAY)
    client.force_login(office)
    page = client.get("/morning/").content.decode()
    assert "另有 2 条" in page
    whole = client.get("/morning/?show=stages").content.decode()
    assert whole.count('class="morning-text"') == morning.SHOWN + 2
    assert client.get("/morning/?show=nothing").status_code == 404


class TestOwnLines:
    def test_are_kept_with_the_trail_and_taken_off(self, client, office):
        client.force_login(office)
        assert "九时三十分调度洪洞" in client.post("/morning/", {"text": "九时三十分调度洪洞"}, follow=True).content.decode()
        line = DayLine.objects.get()
        assert (line.day, line.by) == (TODAY, office)
        assert "九时三十分调度洪洞" not in client.get("/morning/?as_of=2025-02-19").content.decode()
        page = client.post("/morning/", {"withdraw": line.pk}, follow=True).content.decode()
        assert "已撤下" in page
        assert DayLine.objects.get().withdrawn_by == office
        assert list(TrailEvent.objects.values_list("action", flat=True)) == ["morning.add", "morning.withdraw"]
        assert client.post("/morning/", {"withdraw": line.pk}).status_code == 422

    @pytest.mark.parametrize(("text", "said"), [("", "请填写内容"), ("长" * 121, "最多 120 字")])
    def test_what_cannot_be_taken_is_told_and_kept(self, client, office, text, said):
        client.force_login(office)
        answer = client.post("/morning/", {"text": text})
        assert answer.status_code == 422
        assert said in answer.content.decode()
        assert text in answer.content.decode()

    def test_no_more_than_the_page_has_room_for(self, office):
        for number in range(morning_services.MOST):
            morning_services.add_line(day=TODAY, text=f"第{number}件", by=office)
        with pytest.raises(Refused, match="最多 8 条"):
            morning_services.add_line(day=TODAY, text="再一件", by=office)
        with pytest.raises(Refused, match="已过"):
            morning_services.add_line(day=TODAY - DAY, text="补一件", by=office)


def test_asks_the_same_queries_for_one_row_and_thirty(client, office):
    def add(count):
        for _ in range(count):
            project = ProjectFactory(started_on=TODAY - DAY)
            PermitFactory(project=project, submitted_on=dt.date(2025, 1, 6), promised_workdays=5)
            ProblemFactory(project=project, raised_on=TODAY, due_on=TODAY)
            DispatchFactory(project=project, week_of=THIS_WEEK, submitted=True, submitted_at=at(TODAY))

    def count():
        with CaptureQueriesContext(connection) as queries:
            assert client.get("/morning/").status_code == 200
        return len(queries)

    client.force_login(office)
    add(1)
    count()
    one = count()
    add(29)
    assert count() == one


@pytest.mark.parametrize("traits", [{}, {"leader": True}, {"in_county": True}, {"in_department": True}])
def test_opens_for_everyone_on_an_empty_city(client, traits):
    client.force_login(UserFactory(**traits))
    for path in ("/morning/", "/morning/?as_of=2024-05-01"):
        assert "没有新的变化" in client.get(path).content.decode()
