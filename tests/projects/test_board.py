"""Who has reported, chasing the others, and checking from one page."""

import datetime as dt
import html
import re
from decimal import Decimal
from types import SimpleNamespace

import pytest
from django.db import transaction
from django.utils import timezone

from linfen_water import clock, jobs, notices
from linfen_water.enums import ChannelKind, JobState
from linfen_water.models import Channel, Delivery, Job, Notice, Policy, Region, TrailEvent
from projects import board, reminders, services, tasks
from projects.board import Standing, read_board
from projects.demo import told
from projects.enums import DispatchState, Provenance
from projects.models import Dispatch, Project, ReportingWeek
from tests.factories import (
    LAST_WEEK,
    THIS_WEEK,
    TODAY,
    CountyFactory,
    DispatchFactory,
    DomainFactory,
    ProjectFactory,
    RegionFactory,
    UnitFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db
CHINA = timezone.get_default_timezone()


def at(day: dt.date, hour: int, minute: int = 0) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(hour, minute), tzinfo=CHINA)


THURSDAY_NOON = at(TODAY, 12)


@pytest.fixture(autouse=True)
def region():
    return RegionFactory()


@pytest.fixture
def now(monkeypatch):
    """The office's clock, which a test may set."""

    def set_to(moment):
        monkeypatch.setattr(clock, "now", lambda: moment)

    set_to(THURSDAY_NOON)
    return set_to


@pytest.fixture
def yaodu():
    county = CountyFactory(name="尧都区", short="尧都", position=1)
    UnitFactory(county=county, name="尧都区专班办", code="yaodu")
    return county


@pytest.fixture
def houma():
    county = CountyFactory(name="侯马市", short="侯马", position=2)
    UnitFactory(county=county, name="侯马市专班办", code="houma")
    return county


def project(county, code, **more):
    more.setdefault("responsible_unit", county.unit_set.first())
    return ProjectFactory(county=county, code=code, name=f"{code}工程", **more)


def report(row, **more):
    return DispatchFactory(project=row, week_of=THIS_WEEK, **{"submitted": True} | more)


def read(**more):
    return read_board(Project.objects.all(), THIS_WEEK, now=THURSDAY_NOON, **more)


def standings(found=None):
    return {line.project.code: line.standing for line in (found or read()).lines}


# ── who has reported ──


def test_each_project_stands_where_its_reports_say(now, yaodu):
    project(yaodu, "LF-001")
    DispatchFactory(project=project(yaodu, "LF-002"), week_of=THIS_WEEK, draft=True)
    DispatchFactory(project=project(yaodu, "LF-003"), week_of=THIS_WEEK, returned=True)
    report(project(yaodu, "LF-004"))
    report(project(yaodu, "LF-005"), is_late=True, state=DispatchState.ACCEPTED, submitted=False)
    again = project(yaodu, "LF-006")
    DispatchFactory(project=again, week_of=THIS_WEEK, returned=True)
    DispatchFactory(project=again, week_of=THIS_WEEK, revision=2, draft=True)
    corrected = project(yaodu, "LF-007")
    report(corrected)
    DispatchFactory(project=corrected, week_of=THIS_WEEK, revision=2, draft=True)
    project(yaodu, "LF-008", finished=True)
    assert standings() == {
        "LF-001": Standing.MISSING,
        "LF-002": Standing.DRAFT,
        "LF-003": Standing.RETURNED,
        "LF-004": Standing.ON_TIME,
        "LF-005": Standing.LATE,
        "LF-006": Standing.RETURNED,
        "LF-007": Standing.ON_TIME,
    }
    [unit] = read().units
    counted = (unit.due, unit.reported, unit.on_time, unit.late, unit.drafts, unit.returned, unit.missing, len(unit.waiting))
    assert counted == (7, 3, 2, 1, 1, 2, 1, 2)
    assert counted[0] == counted[1] + counted[4] + counted[5] + counted[6]
    assert [line.project.code for line in unit.lines if line.is_corrected] == ["LF-007"]


def test_units_that_are_waited_for_come_first(now, yaodu, houma):
    third = CountyFactory(name="霍州市", short="霍州", position=0)
    report(project(yaodu, "LF-001"), is_late=True)
    project(houma, "LF-002")
    report(project(third, "LF-003"))
    assert [unit.county.short for unit in read().units] == ["侯马", "尧都", "霍州"]
    assert [(unit.words, unit.tone) for unit in read().units] == [("欠 1 项", "bad"), ("已报齐", "warn"), ("已报齐", "ok")]


@pytest.mark.parametrize(
    ("changes", "is_unchanged"),
    [
        pytest.param({}, True, id="全部相同"),
        pytest.param({"physical_progress": Decimal("41")}, False, id="进度变了"),
        pytest.param({"paid_wan": Decimal("301")}, False, id="支付变了"),
        pytest.param({"done": "又干了一些"}, False, id="进展变了"),
        pytest.param({"completed_on": TODAY}, False, id="报完工"),
        pytest.param({"reason": "按会议要求"}, True, id="只有说明"),
    ],
)
def test_unchanged_is_what_says_the_same_as_last_period(now, yaodu, changes, is_unchanged):
    row = project(yaodu, "LF-001", reported=Decimal(40))
    report(row, **changes)
    [unit] = read().units
    assert (unit.lines[0].is_unchanged, unit.is_all_same) == (is_unchanged, is_unchanged)


def test_a_first_report_is_never_unchanged(now, yaodu):
    report(project(yaodu, "LF-001"))
    assert not read().lines[0].is_unchanged


def test_cells_tell_which_figures_are_as_last_period(now, yaodu):
    report(project(yaodu, "LF-001", reported=Decimal(40)), physical_progress=Decimal(45))
    cells = {cell.label: (cell.value, cell.is_same) for cell in read().lines[0].cells}
    assert cells["进度 %"] == (Decimal(45), False)
    assert cells["累计到位"] == (Decimal(500), True)


def test_a_unit_is_the_county_of_that_week(now, yaodu, houma):
    row = project(yaodu, "LF-001")
    version = row.versions.get()
    version.effective_to = dt.date(2025, 2, 24)
    version.save()
    row.versions.create(
        effective_from=dt.date(2025, 2, 24),
        name="新名",
        county=houma,
        reason="移交",
        **{
            name: getattr(version, name)
            for name in ("lead_unit", "responsible_unit", "total_investment_wan", "baseline_start_on", "baseline_finish_on")
        },
    )
    assert [unit.county for unit in read().units] == [yaodu]


@pytest.mark.parametrize("count", [1, 30])
def test_the_number_of_queries_does_not_grow(client, now, count, django_assert_num_queries):
    for n in range(count):
        county = CountyFactory()
        row = project(county, f"LF-{n:03}", reported=Decimal(40))
        report(row)
    client.force_login(UserFactory())
    client.get("/dispatch/board/")
    with django_assert_num_queries(17):
        client.get("/dispatch/board/")


# ── the page ──


def body(answer) -> str:
    return html.unescape(re.sub(r"\s+", " ", answer.content.decode()))


def test_the_part_is_found_word_for_word_in_the_page(client, now, yaodu):
    report(project(yaodu, "LF-001", reported=Decimal(40)))
    project(yaodu, "LF-002")
    client.force_login(UserFactory())
    page = client.get("/dispatch/board/").content.decode()
    part = client.get("/dispatch/board/", headers={"HX-Request": "true"}).content.decode()
    assert '<div\n      id="board"' in part
    assert part.strip() in page


def test_an_unchanged_board_is_answered_304_with_the_time(client, now, yaodu, django_assert_max_num_queries):
    row = project(yaodu, "LF-001")
    client.force_login(UserFactory())
    first = client.get("/dispatch/board/", headers={"HX-Request": "true"})
    now(at(TODAY, 12, 1))
    with django_assert_max_num_queries(8):
        again = client.get("/dispatch/board/", headers={"HX-Request": "true", "If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert int(again["X-Now"]) - int(first["X-Now"]) == 60_000
    dispatch = DispatchFactory(project=row, week_of=THIS_WEEK, submitted=True)
    services.accept_dispatch(dispatch=dispatch, by=UserFactory())
    assert client.get("/dispatch/board/", headers={"HX-Request": "true", "If-None-Match": first["ETag"]}).status_code == 200


def test_the_passing_of_the_deadline_and_the_lock_draws_the_board_anew(client, now, yaodu):
    project(yaodu, "LF-001")
    client.force_login(UserFactory())
    tags = []
    for moment in (at(TODAY, 17, 59), at(TODAY, 18), at(TODAY, 18, 1), at(dt.date(2025, 2, 21), 18)):
        now(moment)
        tags.append(client.get("/dispatch/board/")["ETag"])
    assert len(set(tags)) == 3
    assert tags[0] == tags[1]


def test_two_people_never_share_an_answer(client, now, yaodu):
    project(yaodu, "LF-001")
    tags = set()
    for user in (UserFactory(), UserFactory(leader=True), UserFactory(in_county=True, county=yaodu)):
        client.force_login(user)
        tags.add(client.get("/dispatch/board/")["ETag"])
    assert len(tags) == 3


def test_only_what_is_owed_and_only_one_domain(client, now, yaodu, houma):
    water, town = DomainFactory(name="水利"), DomainFactory(name="住建", position=1)
    report(project(yaodu, "LF-001", domain=water))
    project(yaodu, "LF-002", domain=town)
    report(project(houma, "LF-003", domain=town))
    client.force_login(UserFactory())
    owed = body(client.get("/dispatch/board/?show=owed"))
    assert "LF-002工程" in owed
    assert "LF-001工程" not in owed
    assert 'id="unit-' + houma.code not in owed
    only = body(client.get("/dispatch/board/?domain=水利"))
    assert "LF-001工程" in only
    assert "LF-002工程" not in only
    assert "都已报送" in body(client.get("/dispatch/board/?domain=水利&show=owed"))


def test_a_department_sees_its_own_domain_and_a_county_its_own_rows(client, now, yaodu, houma):
    water, town = DomainFactory(name="水利"), DomainFactory(name="住建", position=1)
    project(yaodu, "LF-001", domain=water)
    project(houma, "LF-002", domain=town)
    client.force_login(UserFactory(in_department=True, domain=water))
    page = body(client.get("/dispatch/board/?domain=住建"))
    assert ("LF-001工程" in page, "LF-002工程" in page) == (True, False)
    client.force_login(UserFactory(in_county=True, county=houma))
    page = body(client.get("/dispatch/board/"))
    assert ("LF-001工程" in page, "LF-002工程" in page) == (False, True)
    assert "发送提醒" not in page
    assert "review-form" not in page


@pytest.mark.parametrize(("query", "status"), [("week=2025-02-99", 400), ("week=2026-01-01", 400), ("week=2025-02-12", 200)])
def test_weeks_that_cannot_be_are_told(client, now, query, status):
    client.force_login(UserFactory())
    assert client.get(f"/dispatch/board/?{query}").status_code == status


def test_a_past_day_leads_to_its_week(client, now):
    client.force_login(UserFactory())
    assert client.get("/dispatch/board/?as_of=2025-02-13").url == "/dispatch/board/?week=2025-02-10"


def test_a_week_without_projects_says_so(client, now):
    client.force_login(UserFactory())
    assert "这一周没有应报的项目" in body(client.get("/dispatch/board/"))


# ── chasing ──


def test_the_chasing_list_names_units_and_projects(now, yaodu, houma, region):
    report(project(yaodu, "LF-001"))
    project(yaodu, "LF-002")
    DispatchFactory(project=project(houma, "LF-003"), week_of=THIS_WEEK, returned=True)
    DispatchFactory(project=project(houma, "LF-004"), week_of=THIS_WEEK, draft=True)
    assert board.chase_text(read(), region) == (
        "【周调度催报】截至2月20日12:00，2025年第8周周调度应报4项、已报1项。未报单位2个、3项：\n"
        "1. 侯马（2项）：LF-003 LF-003工程（已退回）、LF-004 LF-004工程（草稿未提交）\n"
        "2. 尧都（1项）：LF-002 LF-002工程\n"
        "截止时间2月20日（周四）18:00。请尽快登录系统填报；没有变化的项目点“与上周相同，提交”即可。"
    )


@pytest.mark.parametrize(
    ("moment", "sentence"),
    [
        (at(TODAY, 18), "截止时间2月20日（周四）18:00。"),
        (at(TODAY, 18, 1), "已过截止时间2月20日（周四）18:00，现在补报记为迟报，2月21日（周五）18:00锁定。"),
        (at(dt.date(2025, 2, 21), 18), "本周已于2月21日（周五）18:00锁定，补报须写明理由。"),
    ],
)
def test_the_list_tells_what_a_report_now_means(yaodu, region, moment, sentence):
    project(yaodu, "LF-001")
    assert sentence in board.chase_text(read_board(Project.objects.all(), THIS_WEEK, now=moment), region)


def test_a_packs_own_wording_is_used_and_a_faulty_one_is_not(now, yaodu, region):
    project(yaodu, "LF-001")
    region.settings = {"dispatch": {"chase": "还有{units}家没报：{list}"}}
    assert board.chase_text(read(), region) == "还有1家没报：1. 尧都（1项）：LF-001 LF-001工程"
    region.settings = {"dispatch": {"chase": "还有{nonsense}家"}}
    assert board.chase_text(read(), region).startswith("【周调度催报】")


def test_many_projects_are_shortened(now, yaodu, region):
    for n in range(8):
        project(yaodu, f"LF-{n:03}")
    text = board.chase_text(read(), region)
    assert "（8项）" in text
    assert "LF-005工程等" in text
    assert "LF-006" not in text


def chase(**more):
    with transaction.atomic():
        return reminders.chase(week_of=THIS_WEEK, projects=Project.objects.all(), **more)


def test_reminders_go_to_the_units_that_owe_and_through_their_channels(now, yaodu, houma):
    project(yaodu, "LF-001")
    report(project(houma, "LF-002"))
    office = UserFactory()
    own = Channel.objects.create(kind=ChannelKind.WECOM, name="尧都群", address="http://127.0.0.1:9/", unit=yaodu.unit_set.get())
    everyone = Channel.objects.create(kind=ChannelKind.WECOM, name="大群", address="http://127.0.0.1:9/")
    Channel.objects.create(kind=ChannelKind.WECOM, name="侯马群", address="http://127.0.0.1:9/", unit=houma.unit_set.get())
    Channel.objects.create(kind=ChannelKind.WECOM, name="停用", address="http://127.0.0.1:9/", is_active=False)
    assert chase(by=office, note="今天务必报齐") == reminders.Sent(units=1, messages=2)
    notice = Notice.objects.get()
    assert (notice.unit, notice.by, notice.url) == (yaodu.unit_set.get(), office, "/dispatch/?week=2025-02-17")
    assert notice.text == (
        "【周调度催报】2025年第8周周调度，尧都应报1项，还有1项没有报：LF-001 LF-001工程。截止时间2月20日（周四）18:00。\n今天务必报齐"
    )
    sent = dict(Delivery.objects.values_list("channel", "text"))
    assert sent[own.pk] == notice.text
    assert sent[everyone.pk].startswith("【周调度催报】截至2月20日12:00")
    assert set(sent) == {own.pk, everyone.pk}
    assert Job.objects.filter(kind="deliver").count() == 2
    event = TrailEvent.objects.get()
    assert (event.action, event.by, event.reason) == ("dispatch.chase", office, "今天务必报齐")
    assert event.changes["units"] == [None, ["yaodu"]]


def test_within_the_hour_it_asks_and_twice_at_once_it_sends_once(now, yaodu):
    project(yaodu, "LF-001")
    office, other = UserFactory(), UserFactory()
    chase(by=office)
    with pytest.raises(reminders.AskAgain) as asked:
        now(at(TODAY, 12, 20)) or chase(by=other)
    assert (asked.value.units, asked.value.minutes) == (["尧都区专班办"], 20)
    assert chase(by=other, again=True).units == 1
    assert chase(by=other, again=True).units == 0  # the button pressed twice
    now(at(TODAY, 13, 20))
    assert chase(by=office).units == 1
    assert Notice.objects.count() == 3


def test_with_nothing_owed_nobody_is_reminded(now, yaodu):
    report(project(yaodu, "LF-001"))
    with pytest.raises(reminders.NothingOwed):
        chase(by=UserFactory())


def test_the_page_reminds_asks_and_reminds_again(client, now, yaodu):
    project(yaodu, "LF-001")
    client.force_login(UserFactory())
    answer = client.post("/dispatch/board/remind/?show=owed", {"note": "请抓紧"}, follow=True)
    assert answer.redirect_chain == [("/dispatch/board/?show=owed", 302)]
    assert "已向 1 个单位发出站内提醒。" in body(answer)
    asked = client.post("/dispatch/board/remind/?show=owed", {"note": "再说一遍"})
    assert asked.status_code == 409
    assert "尧都区专班办" in body(asked)
    assert 'value="再说一遍"' in body(asked)
    now(at(TODAY, 12, 1))
    answer = client.post("/dispatch/board/remind/?show=owed", {"note": "再说一遍", "again": "1"}, follow=True)
    assert "已向 1 个单位发出站内提醒。" in body(answer)
    assert [notice.text.rpartition("\n")[2] for notice in Notice.objects.order_by("pk")] == ["请抓紧", "再说一遍"]


def test_a_department_reminds_for_its_own_domain_only(client, now, yaodu, houma):
    water, town = DomainFactory(name="水利"), DomainFactory(name="住建", position=1)
    project(yaodu, "LF-001", domain=water)
    project(houma, "LF-002", domain=town)
    client.force_login(UserFactory(in_department=True, domain=water))
    client.post("/dispatch/board/remind/?domain=住建")
    assert [notice.unit.code for notice in Notice.objects.all()] == ["yaodu"]


# ── by the calendar ──


@pytest.mark.parametrize(
    ("moment", "hours", "is_due"),
    [
        pytest.param(at(TODAY, 13, 59), 4, False, id="还早"),
        pytest.param(at(TODAY, 14), 4, True, id="到点"),
        pytest.param(at(TODAY, 17, 59), 4, True, id="截止前一刻"),
        pytest.param(at(TODAY, 18), 4, False, id="已截止"),
        pytest.param(at(TODAY, 17), 0, False, id="设为不提醒"),
        pytest.param(at(TODAY, 9), 10, True, id="改为10小时"),
    ],
)
def test_the_calendar_reminds_in_the_hours_before_the_deadline(now, moment, hours, is_due):
    Policy.objects.create(effective_on=dt.date(2025, 1, 1), values={"remind_hours": hours}, reason="会议议定")
    now(moment)
    due = [(job.key, job.kind, job.args) for job in tasks.reminder_before_deadline(TODAY)]
    assert due == ([("chase:2025-02-17:auto", "chase_week", {"week_of": "2025-02-17"})] if is_due else [])


def test_the_calendar_follows_a_deadline_that_the_office_moved(now):
    ReportingWeek.objects.create(
        week_of=THIS_WEEK, opens_at=at(THIS_WEEK, 8), deadline_at=at(TODAY, 12), locks_at=at(TODAY, 20), reason="急件"
    )
    now(at(TODAY, 11))
    assert len(list(tasks.reminder_before_deadline(TODAY))) == 1


def test_the_automatic_reminder_is_sent_once(now, yaodu, monkeypatch):
    monkeypatch.setattr(jobs, "CALENDAR", [tasks.reminder_before_deadline])
    project(yaodu, "LF-001")
    now(at(TODAY, 15))
    for _ in range(3):
        jobs.reconcile()
        job = Job.objects.get(kind="chase_week")
        Job.objects.update(state=JobState.QUEUED)  # as if its worker had been ended after its last commit
        jobs.run(job.pk)
        now(at(TODAY, 17))
    assert [(notice.unit.code, notice.by) for notice in Notice.objects.all()] == [("yaodu", None)]


def test_the_calendar_leaves_out_who_was_reminded_within_the_hour_or_when_it_is_over(now, yaodu):
    project(yaodu, "LF-001")
    now(at(TODAY, 14))
    chase(by=UserFactory())
    assert reminders.chase_by_calendar(THIS_WEEK).units == 0
    now(at(TODAY, 18))
    assert reminders.chase_by_calendar(THIS_WEEK).units == 0
    now(at(TODAY, 16))
    assert reminders.chase_by_calendar(THIS_WEEK).units == 1


# ── checking from the board ──


def test_what_is_unchanged_is_accepted_after_a_look(client, now, yaodu):
    same = report(project(yaodu, "LF-001", reported=Decimal(40)))
    other = report(project(yaodu, "LF-002", reported=Decimal(40)), physical_progress=Decimal(50))
    client.force_login(UserFactory())
    page = body(client.get("/dispatch/board/"))
    assert "与上期相同、待核 1 项" in page
    ticks = re.findall(r'<input type="checkbox" name="dispatch" value="(\d+)"', page)
    assert ticks == [str(same.pk)]
    answer = client.post("/dispatch/board/review/?week=2025-02-17", {"action": "accept", "dispatch": ticks}, follow=True)
    assert answer.redirect_chain == [("/dispatch/board/?week=2025-02-17", 302)]
    assert "已审核通过 1 项。" in body(answer)
    states = dict(Dispatch.objects.filter(week_of=THIS_WEEK).values_list("pk", "state"))
    assert states == {same.pk: DispatchState.ACCEPTED, other.pk: DispatchState.SUBMITTED}
    assert "没有勾选任何项目" in body(client.post("/dispatch/board/review/", {"action": "accept"}, follow=True))


def test_a_return_needs_a_remark_and_tells_the_unit(client, now, yaodu):
    row = report(project(yaodu, "LF-001"))
    office = UserFactory()
    clerk = UserFactory(in_county=True, unit=yaodu.unit_set.get())
    client.force_login(office)
    answer = client.post("/dispatch/board/review/", {"action": f"return:{row.pk}"}, follow=True)
    assert "退回须写明意见" in body(answer)
    data = {"action": f"return:{row.pk}", f"remark-{row.pk}": "请核对支付数"}
    assert "LF-001 已退回" in body(client.post("/dispatch/board/review/", data, follow=True))
    row.refresh_from_db()
    assert (row.state, row.remark) == (DispatchState.RETURNED, "请核对支付数")
    [notice] = notices.notices_for(clerk)
    assert notice.text == "LF-001 LF-001工程 2025年第8周周调度已退回：请核对支付数 请修改后重新提交。"
    assert notice.url == "/dispatch/LF-001/?week=2025-02-17"
    assert "意见：请核对支付数" in body(client.get("/dispatch/board/"))


def test_who_returned_a_report_hears_of_the_answer(now, yaodu):
    office, clerk = UserFactory(), UserFactory(in_county=True, unit=yaodu.unit_set.get())
    row = project(yaodu, "LF-001")
    week = {"project": row, "week_of": THIS_WEEK, "by": clerk}
    lines = {row.funding.get().pk: {}}
    values = {"physical_progress": Decimal(30), "done": "砌筑护岸", "forecast_finish_on": dt.date(2025, 12, 1)}
    first = services.save_dispatch(**week, version=0, values=values, lines=lines)
    services.submit_dispatch(dispatch=first, by=clerk)
    assert notices.unread_count(office) == 0
    services.return_dispatch(dispatch=first, remark="进度偏低", by=office)
    first.refresh_from_db()
    second = services.save_dispatch(**week, version=first.version, values=values | {"physical_progress": Decimal(35)}, lines=lines)
    services.submit_dispatch(dispatch=second, by=clerk)
    [notice] = notices.notices_for(office).filter(user=office)
    assert notice.text == "LF-001 LF-001工程 2025年第8周周调度（尧都）已按退回意见重新提交，请审核。退回意见：进度偏低"
    assert notice.url == f"/dispatch/board/?week=2025-02-17#unit-{yaodu.code}"


def test_nothing_is_done_by_pressing_enter(client, now, yaodu):
    row = report(project(yaodu, "LF-001"))
    client.force_login(UserFactory())
    page = client.get("/dispatch/board/").content.decode()
    first = re.search(r"<button[^>]*name=\"action\"[^>]*>", page).group()
    assert 'value="none"' in first
    answer = client.post("/dispatch/board/review/", {"action": "none", f"remark-{row.pk}": "没点退回"}, follow=True)
    assert "没有执行" in body(answer)
    row.refresh_from_db()
    assert row.state == DispatchState.SUBMITTED


@pytest.mark.parametrize("action", ["pass", "return"])
def test_a_foreign_domain_is_not_reviewed(client, now, yaodu, action):
    row = report(project(yaodu, "LF-001", domain=DomainFactory(name="水利")))
    client.force_login(UserFactory(in_department=True, domain=DomainFactory(name="住建", position=1)))
    data = {"action": f"{action}:{row.pk}", f"remark-{row.pk}": "x"}
    assert client.post("/dispatch/board/review/", data).status_code == 404
    assert client.post("/dispatch/board/review/", {"action": "accept", "dispatch": [row.pk]}).status_code == 404
    row.refresh_from_db()
    assert row.state == DispatchState.SUBMITTED


def test_before_the_set_up_the_board_opens(client, now):
    Region.objects.all().delete()
    client.force_login(UserFactory())
    assert client.get("/dispatch/board/").status_code == 200


def test_the_demo_tells_of_returns_and_of_last_weeks_reminder_but_never_of_public_projects(now, yaodu, houma):
    clerk = UserFactory(in_county=True, unit=yaodu.unit_set.get())
    UserFactory(in_county=True, unit=houma.unit_set.get())
    late = {"week_of": LAST_WEEK, "submitted_at": at(LAST_WEEK + dt.timedelta(days=3), 17)}
    back = {"week_of": THIS_WEEK, "returned": True, "reviewed_by": UserFactory(), "reviewed_at": THURSDAY_NOON}
    for code, county, provenance in (("LF-001", yaodu, Provenance.DEMO), ("LF-002", houma, Provenance.PUBLIC)):
        row = project(county, code, provenance=provenance)
        DispatchFactory(project=row, **late)
        DispatchFactory(project=row, **back)
    DispatchFactory(project=project(yaodu, "LF-003"), week_of=LAST_WEEK)  # in the morning
    told.tell(SimpleNamespace(today=TODAY))
    assert [(row.unit.code, row.kind, row.is_read) for row in notices.notices_for(clerk)] == [
        ("yaodu", reminders.RETURNED, False),
        ("yaodu", reminders.CHASE, True),
    ]
    assert "尧都应报2项，还有1项没有报：LF-001 LF-001工程。" in Notice.objects.get(kind=reminders.CHASE).text
    assert Notice.objects.count() == 2


def test_last_week_is_read_as_it_was_reported(now, yaodu):
    project(yaodu, "LF-001", reported=Decimal(40))
    found = read_board(Project.objects.all(), LAST_WEEK, now=THURSDAY_NOON)
    assert standings(found) == {"LF-001": Standing.ON_TIME}
