"""Times of weeks, thresholds and monthly plans as people set them: what is kept, refused, told and traced. And the check while typing."""

import dataclasses
import datetime as dt
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from linfen_water import clock, policy, trail
from linfen_water.models import Notice, Policy, TrailEvent
from projects import planning, services, weeks
from projects.models import Dispatch, MonthlyPlan, ReportingWeek
from tests.factories import (
    LAST_WEEK,
    THIS_WEEK,
    TODAY,
    DispatchFactory,
    PlanFactory,
    ProjectFactory,
    RegionFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db
BEIJING = dt.timezone(dt.timedelta(hours=8))
NEXT_WEEK, IN_TWO_WEEKS = THIS_WEEK + weeks.WEEK, THIS_WEEK + 2 * weeks.WEEK


@pytest.fixture(autouse=True)
def noon(monkeypatch):
    """The business clock shows noon of the cut-off day."""
    RegionFactory()
    monkeypatch.setattr(clock, "now", lambda: dt.datetime.combine(TODAY, dt.time(12), tzinfo=BEIJING))


@pytest.fixture
def project():
    return ProjectFactory(reported=Decimal(40))


@pytest.fixture
def clerk(project):
    return UserFactory(in_county=True, county=project.versions.get().county)


@pytest.fixture
def office(client):
    user = UserFactory()
    client.force_login(user)
    return user


def times(week_of, deadline="12:00", day=2, **more):
    """A POST that moves the deadline of a week to its Wednesday noon."""
    at = lambda n, hour: f"{week_of + dt.timedelta(days=n)}T{hour}"  # noqa: E731
    seen = planning.fingerprint(weeks.week_times(week_of))
    given = {
        "opens_at": at(0, "08:00"),
        "deadline_at": at(day, deadline),
        "locks_at": at(3, "18:00"),
        "reason": "联席会议提前",
        "seen": seen,
    }
    return given | more


def set_week(client, week_of, **more):
    return client.post(f"/dispatch/weeks/?week={week_of}", times(week_of, **more))


# ── the times of a week ──


def test_a_week_to_come_is_set_told_and_traced(client, office, clerk):
    assert set_week(client, IN_TWO_WEEKS).status_code == 302
    week = weeks.week_times(IN_TWO_WEEKS)
    assert (week.deadline_at, week.reason) == (dt.datetime.combine(dt.date(2025, 3, 5), dt.time(12), tzinfo=BEIJING), "联席会议提前")
    notice = Notice.objects.get(unit=clerk.unit)
    assert notice.text == (
        "2025年第10周周调度填报时间调整：3月3日（周一）08:00开放，3月5日（周三）12:00截止，3月6日（周四）18:00锁定。理由：联席会议提前"
    )
    event = TrailEvent.objects.get(action="week.times")
    assert event.changes["deadline_at"] == ["2025-03-06T18:00+08:00", "2025-03-05T12:00+08:00"]
    assert (event.by, event.reason, trail.verify(event.chain)) == (office, "联席会议提前", None)


def test_too_late_to_announce_is_asked_to_be_called_urgent(client, office, clerk):
    refused = set_week(client, NEXT_WEEK)
    assert refused.status_code == 422
    assert "距开放只有4天，来不及提前5天公布" in refused.content.decode()
    assert "2025-02-26T12:00" in refused.content.decode()  # what was typed is still there
    assert not ReportingWeek.objects.exists()
    assert set_week(client, NEXT_WEEK, is_urgent="on").status_code == 302
    assert Notice.objects.get(unit=clerk.unit).text.startswith("【急件】")


def test_the_running_week_is_prolonged_and_what_was_reported_speaks_for_the_new_day(client, office, project):
    row = DispatchFactory(project=project, week_of=THIS_WEEK, submitted=True)
    given = {"day": 4, "deadline": "10:00", "locks_at": f"{THIS_WEEK + dt.timedelta(days=4)}T18:00", "is_urgent": "on"}
    assert set_week(client, THIS_WEEK, **given).status_code == 302
    row.refresh_from_db()
    assert row.cut_off_on == TODAY + dt.timedelta(days=1)
    assert Dispatch.objects.get(week_of=LAST_WEEK).cut_off_on == LAST_WEEK + dt.timedelta(days=3)


@pytest.mark.parametrize(
    ("week_of", "more", "words"),
    [
        pytest.param(LAST_WEEK, {"is_urgent": "on"}, "截止，时间不能再改", id="已截止的周"),
        pytest.param(THIS_WEEK, {"opens_at": f"{THIS_WEEK}T09:00", "is_urgent": "on", "day": 4}, "开放时间不能再改", id="已开放"),
        pytest.param(THIS_WEEK, {"is_urgent": "on"}, "截止须晚于现在", id="截止在过去"),
        pytest.param(IN_TWO_WEEKS, {"deadline_at": f"{IN_TWO_WEEKS}T07:00"}, "截止须晚于开放", id="截止早于开放"),
        pytest.param(IN_TWO_WEEKS, {"day": 7}, "截止须在本周之内", id="截止在下周"),
        pytest.param(IN_TWO_WEEKS, {"locks_at": f"{IN_TWO_WEEKS}T09:00"}, "锁定不能早于截止", id="锁定早于截止"),
        pytest.param(IN_TWO_WEEKS, {"locks_at": "2025-06-01T09:00"}, "锁定不能晚于", id="锁定太远"),
        pytest.param(IN_TWO_WEEKS, {"reason": " "}, "须写明理由", id="无理由"),
        pytest.param(IN_TWO_WEEKS, {"opens_at": "x"}, "时间无效", id="读不懂"),
    ],
)
def test_times_that_cannot_be_are_refused_at_their_field(client, office, week_of, more, words):
    answer = set_week(client, week_of, **more)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not ReportingWeek.objects.exists()
    assert not Notice.objects.exists()


def test_who_comes_second_sees_what_the_first_one_set(client, office):
    seen = planning.fingerprint(weeks.week_times(IN_TWO_WEEKS))
    set_week(client, IN_TWO_WEEKS)
    second = set_week(client, IN_TWO_WEEKS, day=1, seen=seen)
    assert second.status_code == 409
    assert "刚被他人改为" in second.content.decode()
    assert "3月5日（周三）12:00截止" in second.content.decode()
    assert weeks.week_times(IN_TWO_WEEKS).cut_off_on == dt.date(2025, 3, 5)
    again = second.context["form"].data["seen"]
    assert set_week(client, IN_TWO_WEEKS, day=1, seen=again).status_code == 302
    assert weeks.week_times(IN_TWO_WEEKS).cut_off_on == dt.date(2025, 3, 4)


def test_a_week_follows_the_policy_again(client, office):
    set_week(client, IN_TWO_WEEKS)
    assert set_week(client, IN_TWO_WEEKS, action="restore", reason="会议取消").status_code == 302
    assert weeks.week_times(IN_TWO_WEEKS) == weeks.by_policy(IN_TWO_WEEKS, policy.Values())
    assert [e.reason for e in TrailEvent.objects.filter(action="week.times").order_by("pk")] == ["联席会议提前", "会议取消"]
    assert len({e.subject_id for e in TrailEvent.objects.filter(action="week.times")}) == 1


@pytest.mark.parametrize("role", ["county", "leader", "department"])
def test_only_the_office_sets_times(client, project, role):
    who = {"county": {"in_county": True}, "leader": {"leader": True}, "department": {"in_department": True}}[role]
    client.force_login(UserFactory(**who))
    assert set_week(client, IN_TWO_WEEKS).status_code == 404
    page = client.get("/dispatch/weeks/").content.decode()
    assert "2月20日" in page
    assert "?week=" not in page.split("<main")[1]
    assert not ReportingWeek.objects.exists()


def test_the_page_of_weeks_costs_the_same_however_many_were_set(client, office, django_assert_max_num_queries):
    for n in range(2, 8):
        set_week(client, THIS_WEEK + n * weeks.WEEK)
    with django_assert_max_num_queries(12):
        client.get("/dispatch/weeks/")


# ── the thresholds ──


def rules_post(**more):
    values = {name: value for name, value in dataclasses.asdict(policy.Values()).items() if value is not False}
    return values | {"effective_on": TODAY, "reason": "专班会议纪要第3期", "seen": policy.fingerprint()} | more


def test_every_threshold_has_its_words():
    assert {field.name for field in dataclasses.fields(policy.Values)} == set(policy.TERMS)
    assert policy.faults(policy.Values()) == []


def test_thresholds_hold_from_their_day_on_and_the_old_ones_before(client, office):
    Policy.objects.create(effective_on=dt.date(2024, 1, 1), values={"behind_points": 12}, reason="初始")
    day = TODAY + dt.timedelta(days=3)
    assert client.post("/dispatch/policy/", rules_post(effective_on=day, behind_points=15)).status_code == 302
    assert [policy.values_on(d).behind_points for d in (TODAY, day - dt.timedelta(days=1), day)] == [12, 12, 15]
    event = TrailEvent.objects.get(action="policy.set")
    assert (event.changes["behind_points"], event.reason) == ([12, 15], "专班会议纪要第3期")
    page = client.get("/dispatch/policy/").content.decode()
    assert "尚未生效" in page
    assert "建议值" in page


@pytest.mark.parametrize(
    ("more", "words"),
    [
        pytest.param({"effective_on": TODAY - dt.timedelta(days=1), "behind_points": 15}, "生效日不能早于今天", id="追溯"),
        pytest.param({}, "没有改动", id="没有改动"),
        pytest.param({"reason": "", "behind_points": 15}, "须写明依据", id="无依据"),
        pytest.param({"behind_points": 31}, "“严重滞后”不能小于“滞后”", id="两级颠倒"),
        pytest.param({"cut_off_weekday": 0, "cut_off_hour": 8}, "截止须晚于开放", id="截止不晚于开放"),
        pytest.param({"lock_weekday": 3, "lock_hour": 17}, "锁定不能早于截止", id="锁定早于截止"),
        pytest.param({"cut_off_hour": 25}, "不能大于 24", id="25时"),
        pytest.param({"jump_points": "二十"}, "请填整数", id="文字"),
    ],
)
def test_thresholds_that_cannot_be_are_refused(client, office, more, words):
    answer = client.post("/dispatch/policy/", rules_post(**more))
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not Policy.objects.exists()


def test_two_people_do_not_overwrite_each_others_thresholds(client, office):
    seen = policy.fingerprint()
    client.post("/dispatch/policy/", rules_post(behind_points=15))
    second = client.post("/dispatch/policy/", rules_post(due_days=90, seen=seen))
    assert second.status_code == 422
    assert "刚被他人修改" in second.content.decode()
    assert (policy.values_on(TODAY).behind_points, policy.values_on(TODAY).due_days) == (15, 60)


def test_a_change_before_one_that_waits_is_refused_and_the_waiting_one_can_be_withdrawn(client, office):
    day = TODAY + dt.timedelta(days=9)
    client.post("/dispatch/policy/", rules_post(effective_on=day, behind_points=15))
    refused = client.post("/dispatch/policy/", rules_post(behind_points=12))
    assert f"已有 {day} 起生效的修改" in refused.content.decode()
    client.post("/dispatch/policy/", {"action": "withdraw", "effective_on": day, "seen": policy.fingerprint()})
    assert not Policy.objects.exists()
    assert TrailEvent.objects.filter(action="policy.withdraw").count() == 1


def test_what_is_in_force_cannot_be_withdrawn(client, office):
    client.post("/dispatch/policy/", rules_post(behind_points=15))
    client.post("/dispatch/policy/", {"action": "withdraw", "effective_on": TODAY, "seen": policy.fingerprint()})
    assert policy.values_on(TODAY).behind_points == 15


# ── monthly plans ──


def cell(project, month, value, seen=""):
    name = f"{project.code}-2025-{month:02}"
    return {name: value, f"{name}-seen": seen}


def test_a_county_plans_the_months_to_come_without_a_reason(client, clerk, project):
    client.force_login(clerk)
    answer = client.post("/dispatch/plans/?year=2025", cell(project, 3, "６５") | cell(project, 4, "80%"))
    assert answer.status_code == 302
    assert list(project.plans.values_list("month__month", "planned_progress")) == [(3, 65), (4, 80)]
    event = TrailEvent.objects.get(action="plan.set")
    assert event.changes == {"planned_progress:2025-03": [None, "65"], "planned_progress:2025-04": [None, "80"]}


@pytest.mark.parametrize("month", [1, 2], ids=["过去的月份", "当月"])
def test_a_plan_that_others_know_changes_only_with_a_reason(client, clerk, project, month):
    PlanFactory(project=project, month=dt.date(2025, month, 1), planned_progress=Decimal(50))
    client.force_login(clerk)
    data = cell(project, month, "45", seen="50")
    refused = client.post("/dispatch/plans/?year=2025", data)
    assert refused.status_code == 422
    assert f"改动了2025年{month}月的计划" in refused.content.decode()
    assert 'value="45"' in refused.content.decode()
    assert project.plans.get().planned_progress == 50
    assert client.post("/dispatch/plans/?year=2025", data | {"reason": "设计变更批复"}).status_code == 302
    assert project.plans.get().planned_progress == 45
    assert TrailEvent.objects.get(action="plan.set").reason == "设计变更批复"


def test_the_first_plan_of_this_month_needs_no_reason(client, clerk, project):
    client.force_login(clerk)
    assert client.post("/dispatch/plans/?year=2025", cell(project, 2, "45")).status_code == 302


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        pytest.param({4: "60"}, "4月计划60%小于2025年3月的70%", id="累计减少"),
        pytest.param({4: "100.01"}, "须在0到100%之间", id="超过100"),
        pytest.param({4: "八成"}, "请填数字", id="文字"),
    ],
)
def test_a_plan_that_cannot_be_is_refused_and_nothing_of_the_row_is_saved(client, clerk, project, typed, words):
    PlanFactory(project=project, month=dt.date(2025, 3, 1), planned_progress=Decimal(70))
    client.force_login(clerk)
    data = cell(project, 5, "95") | {k: v for month, value in typed.items() for k, v in cell(project, month, value).items()}
    answer = client.post("/dispatch/plans/?year=2025", data)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert 'value="95"' in answer.content.decode()
    assert MonthlyPlan.objects.count() == 1


def test_two_people_at_one_cell_see_both_values(client, clerk, project):
    PlanFactory(project=project, month=dt.date(2025, 4, 1), planned_progress=Decimal(75))  # meanwhile, over the 70 that was seen
    client.force_login(clerk)
    answer = client.post("/dispatch/plans/?year=2025", cell(project, 4, "80", seen="70"))
    assert answer.status_code == 409
    assert "他人刚把这一格改为 75，您填的是 80" in " ".join(answer.content.decode().split())
    assert project.plans.get().planned_progress == 75
    assert client.post("/dispatch/plans/?year=2025", cell(project, 4, "80", seen="75")).status_code == 302
    assert project.plans.get().planned_progress == 80


def test_a_cell_left_alone_keeps_what_another_saved_meanwhile(client, clerk, project):
    PlanFactory(project=project, month=dt.date(2025, 4, 1), planned_progress=Decimal(75))
    client.force_login(clerk)
    client.post("/dispatch/plans/?year=2025", cell(project, 4, "70", seen="70") | cell(project, 5, "90"))
    assert list(project.plans.values_list("planned_progress", flat=True)) == [75, 90]


def test_a_foreign_county_neither_sees_nor_writes_a_plan(client, project):
    client.force_login(UserFactory(in_county=True))
    assert client.post("/dispatch/plans/?year=2025", cell(project, 4, "80")).status_code == 302  # nothing of it is theirs
    assert project.code not in client.get("/dispatch/plans/?year=2025").content.decode()
    assert not MonthlyPlan.objects.exists()


def test_planned_investment_wants_a_plan_of_progress_first_and_stays_within_the_total(client, clerk, project):
    client.force_login(clerk)
    address = "/dispatch/plans/?year=2025&field=planned_invested_wan"
    assert "请先填计划进度" in client.post(address, cell(project, 4, "300")).content.decode()
    PlanFactory(project=project, month=dt.date(2025, 4, 1))
    assert "须在0到1000万元之间" in client.post(address, cell(project, 4, "1000.01")).content.decode()
    assert client.post(address, cell(project, 4, "1000")).status_code == 302
    assert project.plans.get().planned_invested_wan == 1000


def test_the_sheet_of_plans_costs_the_same_for_one_project_and_many(client, office, project, django_assert_num_queries):
    client.get("/dispatch/plans/")  # fills the caches of the frame around every page
    with CaptureQueriesContext(connection) as one:
        client.get("/dispatch/plans/")
    for _ in range(15):
        PlanFactory(project=ProjectFactory())
    with django_assert_num_queries(len(one)):
        client.get("/dispatch/plans/")


# ── the check while typing ──


def test_what_is_being_typed_is_judged_and_nothing_is_written(client, clerk, project):
    client.force_login(clerk)
    source = project.funding.get()
    data = {f"{project.code}-version": "0", f"{project.code}-physical_progress": "39", f"{project.code}-paid_wan_{source.pk}": "900"}
    answer = client.post(f"/dispatch/{project.code}/check/", data).json()
    assert {(fault["name"], fault["wants_reason"]) for fault in answer["faults"]} == {
        (f"{project.code}-physical_progress", True),
        (f"{project.code}-paid_wan_{source.pk}", False),
    }
    assert (answer["version"], answer["state"], answer["errors"]) == (0, None, {})
    assert not Dispatch.objects.filter(week_of=THIS_WEEK).exists()


def test_a_jump_and_repeated_words_are_hints(client, clerk, project):
    client.force_login(clerk)
    data = {f"{project.code}-version": "0", f"{project.code}-physical_progress": "75", f"{project.code}-done": "完成护岸砌筑 200 米"}
    answer = client.post(f"/dispatch/{project.code}/check/", data).json()
    assert [hint["field"] for hint in answer["hints"]] == ["physical_progress", "done"]
    assert answer["faults"] == []


def test_a_cell_that_cannot_be_read_is_told_and_the_others_are_still_judged(client, clerk, project):
    client.force_login(clerk)
    source = project.funding.get()
    data = {f"{project.code}-version": "0", f"{project.code}-physical_progress": "39", f"{project.code}-paid_wan_{source.pk}": "九百"}
    answer = client.post(f"/dispatch/{project.code}/check/", data).json()
    assert answer["errors"] == {f"{project.code}-paid_wan_{source.pk}": ["请填数字。"]}
    assert [fault["field"] for fault in answer["faults"]] == ["physical_progress"]


def test_a_repeated_request_hears_what_it_heard_first(client, clerk, project):
    client.force_login(clerk)
    money = dict.fromkeys(["in_place_wan", "allocated_wan", "paid_wan", "completed_wan"], "500")
    data = {f"{project.code}-{name}_{project.funding.get().pk}": value for name, value in money.items()}
    data |= {f"{project.code}-version": "0", f"{project.code}-physical_progress": "45", "action": "submit"}
    answers = [client.post(f"/dispatch/{project.code}/", data, headers={"HX-Request": "true"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert [answer.context["block"].notice for answer in answers] == ["已提交，待审核。"] * 2
    assert Dispatch.objects.filter(project=project, week_of=THIS_WEEK).count() == 1


def test_a_week_without_working_days_expects_nothing(client, clerk, project, monkeypatch):
    holiday = dt.date(2026, 2, 16)
    monkeypatch.setattr(clock, "now", lambda: dt.datetime.combine(holiday, dt.time(12), tzinfo=BEIJING))
    monkeypatch.setattr(clock, "today", lambda: holiday)
    client.force_login(clerk)
    page = client.get("/dispatch/")
    assert (page.context["counts"]["due"], page.context["blocks"]) == (0, [])
    assert "本周无工作日，不需填报" in page.content.decode()


def test_services_refuse_a_week_that_is_no_monday(office):
    week = dataclasses.replace(weeks.week_times(IN_TWO_WEEKS), week_of=IN_TWO_WEEKS + dt.timedelta(days=1))
    with pytest.raises(services.Refused, match="周一"):
        planning.set_week_times(week=week, reason="x", is_urgent=False, by=office, seen="")
