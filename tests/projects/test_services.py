"""Every change of dispatches, stages and projects: what it does, what it refuses, what it leaves in the trail."""

import datetime as dt
import re
import threading
from decimal import Decimal

import pytest
from django.conf import settings
from django.db import connection

from linfen_water import clock, trail
from linfen_water.models import TrailEvent
from projects import reports, services
from projects.enums import DispatchState, SourceKind, StageEvent
from projects.models import Dispatch, Project, ProjectVersion, StageFact
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


@pytest.fixture(autouse=True)
def region(db):
    return RegionFactory()


@pytest.fixture
def project():
    return ProjectFactory(reported=Decimal(40))


@pytest.fixture
def clerk(project):
    return UserFactory(in_county=True, county=project.versions.get().county)


@pytest.fixture
def at_noon(monkeypatch):
    """The business clock shows noon of the cut-off day."""
    monkeypatch.setattr(clock, "now", lambda: _moment(TODAY, 12))


def _moment(day, hour, minute=0):
    return dt.datetime.combine(day, dt.time(hour, minute), tzinfo=dt.timezone(dt.timedelta(hours=8)))


def save(project, by, version=0, week_of=THIS_WEEK, lines=None, **values):
    return services.save_dispatch(project=project, week_of=week_of, by=by, version=version, values=values, lines=lines or {})


def submit(project, by, **values):
    draft = save(project, by, version=week(project).edit_version, **values)
    return services.submit_dispatch(dispatch=draft, by=by)


def week(project, week_of=THIS_WEEK):
    return reports.read_weeks(Project.objects.filter(pk=project.pk), week_of, TODAY)[0]


def source_of(project):
    return project.funding.get()


# ── drafts ──


def test_a_first_draft_starts_from_last_periods_values(project, clerk):
    draft = save(project, clerk, physical_progress=Decimal(45))
    assert (draft.state, draft.is_live, draft.revision, draft.version) == (DispatchState.DRAFT, False, 1, 1)
    assert draft.physical_progress == 45
    assert draft.next_steps == "继续护岸施工"
    assert (draft.in_place_wan, draft.paid_wan, draft.invested_wan) == (500, 300, 400)
    assert draft.cut_off_on == TODAY


def test_sums_of_a_dispatch_are_those_of_its_lines(clerk):
    project = ProjectFactory(funding={SourceKind.PROVINCE: Decimal(600), SourceKind.COUNTY: Decimal(400)})
    one, two = project.funding.all()
    lines = {
        one.pk: {"in_place_wan": Decimal("10.50"), "paid_wan": Decimal(5), "completed_wan": Decimal(8)},
        two.pk: {"in_place_wan": Decimal("0.25"), "paid_wan": Decimal(0), "completed_wan": Decimal(1)},
    }
    draft = save(project, clerk, lines=lines)
    draft.refresh_from_db()
    assert (draft.in_place_wan, draft.paid_wan, draft.invested_wan) == (Decimal("10.75"), 5, 9)
    assert draft.lines.count() == 2


def test_money_of_a_foreign_source_is_refused(project, clerk):
    foreign = source_of(ProjectFactory())
    with pytest.raises(services.Refused, match="资金来源"):
        save(project, clerk, lines={foreign.pk: {"paid_wan": Decimal(1)}})


def test_a_draft_does_not_count(project, clerk):
    save(project, clerk, physical_progress=Decimal(90))
    assert Dispatch.objects.speaking(TODAY).get(project=project).physical_progress == 40


def test_saving_leaves_old_and_new_value_in_the_trail(project, clerk):
    draft = save(project, clerk, physical_progress=Decimal("45.50"))
    event = TrailEvent.objects.get(action="dispatch.save")
    assert event.changes == {"physical_progress": ["40", "45.5"], "version": [0, 1]}
    assert (event.by, event.subject_id) == (clerk, str(draft.pk))
    assert event.chain == project.versions.get().county.code
    assert trail.verify(event.chain) is None


# ── two people at once ──


def test_edits_of_different_fields_merge_by_themselves(project, clerk):
    save(project, clerk, physical_progress=Decimal(45))
    draft = save(project, clerk, version=0, physical_progress=Decimal(40), done="铺设管网")
    assert (draft.physical_progress, draft.done, draft.version) == (45, "铺设管网", 2)


def test_edits_of_one_field_conflict_and_nothing_is_lost(project, clerk):
    save(project, clerk, physical_progress=Decimal(45), hinders="缺砂石料")
    with pytest.raises(services.EditConflict) as caught:
        save(project, clerk, version=0, physical_progress=Decimal(50), done="铺设管网")
    conflict = caught.value
    assert conflict.base == {"physical_progress": 40}
    assert conflict.mine == {"physical_progress": 50}
    assert conflict.theirs == {"physical_progress": 45}
    assert (conflict.merged["done"], conflict.merged["hinders"], conflict.version) == ("铺设管网", "缺砂石料", 1)
    settled = services.save_dispatch(
        project=project, week_of=THIS_WEEK, by=clerk, version=conflict.version, values=only_values(conflict.merged), lines={}
    )
    assert (settled.physical_progress, settled.done, settled.hinders) == (50, "铺设管网", "缺砂石料")


def only_values(report):
    return {key: value for key, value in report.items() if key in reports.FIELDS}


def test_two_people_who_type_the_same_do_not_conflict(project, clerk):
    save(project, clerk, physical_progress=Decimal(45))
    assert save(project, clerk, version=0, physical_progress=Decimal(45)).physical_progress == 45


def test_a_conflict_names_what_both_started_from_after_several_saves(project, clerk):
    save(project, clerk, physical_progress=Decimal(45))
    save(project, clerk, version=1, physical_progress=Decimal(46), done="铺设管网")
    save(project, clerk, version=2, physical_progress=Decimal(47))
    with pytest.raises(services.EditConflict) as caught:
        save(project, clerk, version=1, physical_progress=Decimal(50), done="完成护岸砌筑 200 米")
    assert (caught.value.base, caught.value.theirs) == ({"physical_progress": 45}, {"physical_progress": 47})
    assert caught.value.merged["done"] == "铺设管网"


def test_without_history_every_difference_is_a_question(project, clerk):
    DispatchFactory(project=project, week_of=THIS_WEEK, draft=True, version=3, physical_progress=Decimal(60))
    with pytest.raises(services.EditConflict) as caught:
        save(project, clerk, version=1, physical_progress=Decimal(50))
    assert caught.value.theirs == {"physical_progress": 60}


def test_saving_after_a_colleague_submitted_opens_a_correction(project, clerk):
    submit(project, clerk, physical_progress=Decimal(45))
    draft = save(project, clerk, version=0, physical_progress=Decimal(40), done="铺设管网")
    assert (draft.revision, draft.state, draft.physical_progress) == (2, DispatchState.DRAFT, 45)


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
def test_two_threads_saving_one_dispatch_leave_one_draft_and_one_conflict():
    RegionFactory()
    project = ProjectFactory(reported=Decimal(40))
    clerk = UserFactory(in_county=True, county=project.versions.get().county)
    gate, outcomes = threading.Barrier(2), []

    def edit(progress):
        try:
            gate.wait(5)
            save(project, clerk, physical_progress=Decimal(progress))
            outcomes.append("saved")
        except services.EditConflict:
            outcomes.append("conflict")
        finally:
            connection.close()

    threads = [threading.Thread(target=edit, args=[progress]) for progress in (45, 50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(outcomes) == ["conflict", "saved"]
    assert Dispatch.objects.filter(project=project, week_of=THIS_WEEK).count() == 1
    assert trail.verify(project.versions.get().county.code) is None


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
def test_a_draft_submitted_by_two_threads_counts_once():
    RegionFactory()
    project = ProjectFactory(reported=Decimal(40))
    clerk = UserFactory(in_county=True, county=project.versions.get().county)
    draft = save(project, clerk, physical_progress=Decimal(100), completed_on=TODAY)
    gate, outcomes = threading.Barrier(2), []

    def hand_in():
        try:
            gate.wait(5)
            services.submit_dispatch(dispatch=draft, by=clerk)
            outcomes.append("submitted")
        except services.Refused:
            outcomes.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=hand_in) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(outcomes) == ["refused", "submitted"]
    assert StageFact.objects.filter(project=project, event=StageEvent.COMPLETION, withdrawn_at=None).count() == 1


# ── submission ──


def test_a_submitted_dispatch_counts_at_once(project, clerk, at_noon):
    dispatch = submit(project, clerk, physical_progress=Decimal(45))
    assert (dispatch.state, dispatch.is_live, dispatch.is_late) == (DispatchState.SUBMITTED, True, False)
    assert Dispatch.objects.speaking(TODAY).filter(project=project).order_by("-week_of")[0] == dispatch


def test_a_dispatch_that_contradicts_itself_is_not_submitted(project, clerk):
    draft = save(project, clerk, physical_progress=Decimal(30))
    with pytest.raises(services.Faulty) as caught:
        services.submit_dispatch(dispatch=draft, by=clerk)
    assert [fault.field for fault in caught.value.faults] == ["physical_progress"]
    draft.refresh_from_db()
    assert draft.state == DispatchState.DRAFT


def test_a_draft_cannot_be_submitted_twice(project, clerk):
    draft = save(project, clerk)
    services.submit_dispatch(dispatch=draft, by=clerk)
    with pytest.raises(services.Refused, match="已由他人提交"):
        services.submit_dispatch(dispatch=draft, by=clerk)


@pytest.mark.parametrize(
    ("day", "hour", "minute", "late"),
    [
        pytest.param(TODAY, 17, 59, False, id="截止前"),
        pytest.param(TODAY, 18, 0, False, id="整点仍按时"),
        pytest.param(TODAY, 18, 1, True, id="过一分钟即迟报"),
        pytest.param(TODAY + dt.timedelta(days=1), 9, 0, True, id="次日迟报"),
    ],
)
def test_lateness_is_judged_on_the_business_clock(project, clerk, monkeypatch, day, hour, minute, late):
    monkeypatch.setattr(clock, "now", lambda: _moment(day, hour, minute))
    assert submit(project, clerk).is_late is late


def test_a_correction_of_a_timely_report_is_not_late(project, clerk, monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: _moment(TODAY, 12))
    submit(project, clerk)
    monkeypatch.setattr(clock, "now", lambda: _moment(TODAY, 20))
    assert submit(project, clerk, physical_progress=Decimal(46)).is_late is False


def test_a_correction_supersedes_the_live_revision(project, clerk):
    first = submit(project, clerk, physical_progress=Decimal(45))
    second = submit(project, clerk, physical_progress=Decimal(46))
    first.refresh_from_db()
    assert (second.revision, second.is_live) == (2, True)
    assert (first.is_live, first.state) == (False, DispatchState.SUBMITTED)


def test_saving_a_submitted_dispatch_unchanged_opens_no_correction(project, clerk):
    live = submit(project, clerk, physical_progress=Decimal(45))
    assert save(project, clerk, version=live.version, physical_progress=Decimal(45)) == live
    assert Dispatch.objects.filter(project=project, week_of=THIS_WEEK).count() == 1


def test_a_county_corrects_a_past_week_only_with_a_reason(project, clerk):
    old = project.dispatches.get()
    draft = save(project, clerk, version=old.version, week_of=LAST_WEEK, physical_progress=Decimal(41))
    with pytest.raises(services.Faulty) as caught:
        services.submit_dispatch(dispatch=draft, by=clerk)
    assert [fault.field for fault in caught.value.faults] == ["reason"]
    draft = save(project, clerk, version=draft.version, week_of=LAST_WEEK, reason="原数误填")
    assert services.submit_dispatch(dispatch=draft, by=clerk).is_live


def test_the_office_too_corrects_a_locked_week_only_with_a_reason(project):
    office = UserFactory()
    draft = save(project, office, version=1, week_of=LAST_WEEK, physical_progress=Decimal(41))
    with pytest.raises(services.Faulty, match="已锁定"):
        services.submit_dispatch(dispatch=draft, by=office)
    draft = save(project, office, version=draft.version, week_of=LAST_WEEK, reason="现场核定")
    assert services.submit_dispatch(dispatch=draft, by=office).is_live
    assert week(project, LAST_WEEK).is_after_lock


def test_a_second_correction_after_the_lock_wants_a_reason_of_its_own(project):
    office = UserFactory()
    draft = save(project, office, version=1, week_of=LAST_WEEK, physical_progress=Decimal(41), reason="现场核定")
    live = services.submit_dispatch(dispatch=draft, by=office)
    draft = save(project, office, version=live.version, week_of=LAST_WEEK, physical_progress=Decimal(42))
    with pytest.raises(services.Faulty, match="这次更正的理由"):
        services.submit_dispatch(dispatch=draft, by=office)


@pytest.mark.parametrize(
    ("day", "hour", "words"),
    [
        pytest.param(THIS_WEEK + dt.timedelta(days=4), 17, None, id="锁定前不需理由"),
        pytest.param(THIS_WEEK + dt.timedelta(days=4), 18, "已锁定", id="到锁定时刻须有理由"),
    ],
)
def test_a_late_report_wants_a_reason_from_the_lock_on(project, clerk, monkeypatch, day, hour, words):
    monkeypatch.setattr(clock, "now", lambda: _moment(day, hour))
    if words:
        with pytest.raises(services.Faulty, match=words):
            submit(project, clerk, physical_progress=Decimal(45))
    else:
        assert submit(project, clerk, physical_progress=Decimal(45)).is_late


def test_before_the_week_opens_nothing_is_saved_and_the_time_is_told(project, clerk, monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: _moment(THIS_WEEK, 7, 59))
    with pytest.raises(services.Refused, match=r"^2025年第8周的填报 2月17日（周一）08:00 开放，还没有保存。$"):
        save(project, clerk, physical_progress=Decimal(45))
    assert not Dispatch.objects.filter(week_of=THIS_WEEK).exists()
    monkeypatch.setattr(clock, "now", lambda: _moment(THIS_WEEK, 8))
    assert save(project, clerk, physical_progress=Decimal(45)).state == DispatchState.DRAFT


# ── the same request once more ──


def test_a_request_sent_once_more_writes_nothing(project, clerk):
    first = save(project, clerk, physical_progress=Decimal(45))
    events = TrailEvent.objects.count()
    assert save(project, clerk, physical_progress=Decimal(45)) == first
    live = services.submit_dispatch(dispatch=first, by=clerk)
    assert save(project, clerk, physical_progress=Decimal(45)) == live
    assert (Dispatch.objects.filter(project=project, week_of=THIS_WEEK).count(), TrailEvent.objects.count()) == (1, events + 1)


def test_a_request_sent_once_more_after_a_return_does_not_hand_in_the_returned_values(project, clerk):
    live = submit(project, clerk, physical_progress=Decimal(45))
    services.return_dispatch(dispatch=live, remark="请核对", by=UserFactory())
    again = save(project, clerk, physical_progress=Decimal(45))
    assert (again.pk, again.state) == (live.pk, DispatchState.RETURNED)
    assert Dispatch.objects.filter(project=project, week_of=THIS_WEEK).count() == 1


def test_a_request_sent_once_more_does_not_undo_what_another_changed_since(project, clerk):
    live = submit(project, clerk, physical_progress=Decimal(45))
    office = UserFactory()
    draft = save(project, office, version=live.version, physical_progress=Decimal(47))
    again = save(project, clerk, physical_progress=Decimal(45))
    assert (again.pk, again.state) == (live.pk, DispatchState.SUBMITTED)  # what it handed in, not the other's draft
    draft.refresh_from_db()
    assert draft.physical_progress == 47


def test_a_draft_that_another_went_on_with_is_a_question_for_who_asks_again(project, clerk):
    first = save(project, clerk, physical_progress=Decimal(45))
    save(project, UserFactory(), version=first.version, physical_progress=Decimal(47))
    with pytest.raises(services.EditConflict) as caught:
        save(project, clerk, physical_progress=Decimal(45))
    assert (caught.value.mine, caught.value.theirs) == ({"physical_progress": 45}, {"physical_progress": 47})


def test_a_discarded_correction_leaves_the_live_one(project, clerk):
    live = submit(project, clerk, physical_progress=Decimal(45))
    draft = save(project, clerk, version=live.version, physical_progress=Decimal(50))
    services.discard_draft(dispatch=draft, version=draft.version, by=clerk)
    assert week(project).latest == live


def test_a_draft_that_somebody_else_has_changed_is_not_thrown_away(project, clerk):
    draft = save(project, clerk, done="第一稿")
    save(project, UserFactory(), version=draft.version, done="第二稿")
    with pytest.raises(services.Refused, match="刚被他人改动"):
        services.discard_draft(dispatch=draft, version=draft.version, by=clerk)
    assert week(project).draft.done == "第二稿"


def test_a_page_that_shows_a_draft_thrown_away_does_not_overwrite_the_next_one(project, clerk):
    seen = save(project, clerk, done="一", next_steps="一").version
    services.discard_draft(dispatch=week(project).draft, version=seen, by=clerk)
    save(project, clerk, done="二", next_steps="二")
    with pytest.raises(services.EditConflict) as told:
        save(project, UserFactory(), version=seen, done="一", next_steps="三")
    assert told.value.mine.keys() >= {"done", "next_steps"}
    assert week(project).draft.done == "二"


def test_after_a_draft_was_thrown_away_the_week_is_filled_in_as_before(project, clerk):
    services.discard_draft(dispatch=save(project, clerk, done="一"), version=1, by=clerk)
    assert save(project, clerk, version=week(project).edit_version, done="二").done == "二"
    assert submit(project, clerk, done="三").is_live


# ── review ──


def test_a_returned_dispatch_stops_counting(project, clerk):
    dispatch = submit(project, clerk, physical_progress=Decimal(45))
    services.return_dispatch(dispatch=dispatch, remark="进度与现场不符", by=UserFactory())
    dispatch.refresh_from_db()
    assert (dispatch.state, dispatch.is_live, dispatch.remark) == (DispatchState.RETURNED, False, "进度与现场不符")
    assert Dispatch.objects.speaking(TODAY).get(project=project).week_of == LAST_WEEK


def test_after_a_return_the_revision_before_counts_again(project, clerk):
    first = submit(project, clerk, physical_progress=Decimal(45))
    second = submit(project, clerk, physical_progress=Decimal(60))
    services.return_dispatch(dispatch=second, remark="过高", by=UserFactory())
    assert week(project).live == first


def test_a_return_needs_a_remark(project, clerk):
    dispatch = submit(project, clerk)
    with pytest.raises(services.Refused, match="意见"):
        services.return_dispatch(dispatch=dispatch, remark="  ", by=UserFactory())


def test_a_returned_dispatch_is_handed_in_again_as_the_next_revision(project, clerk):
    dispatch = submit(project, clerk)
    services.return_dispatch(dispatch=dispatch, remark="请补充", by=UserFactory())
    again = submit(project, clerk, done="完成护岸 300 米")
    assert (again.revision, again.is_live) == (2, True)


def test_a_superseded_revision_cannot_be_accepted(project, clerk):
    first = submit(project, clerk)
    submit(project, clerk, physical_progress=Decimal(46))
    with pytest.raises(services.Refused, match="已有更正"):
        services.accept_dispatch(dispatch=first, by=UserFactory())


def test_accepting_twice_leaves_one_event(project, clerk):
    dispatch = submit(project, clerk)
    office = UserFactory()
    services.accept_dispatch(dispatch=dispatch, by=office)
    services.accept_dispatch(dispatch=dispatch, by=office)
    assert TrailEvent.objects.filter(action="dispatch.accept").count() == 1


# ── stages ──


def test_a_reported_completion_finishes_the_project(project, clerk):
    submit(project, clerk, physical_progress=Decimal(100), completed_on=dt.date(2025, 2, 19))
    project.refresh_from_db()
    assert project.completed_on == dt.date(2025, 2, 19)
    assert StageFact.objects.get(project=project, event="completion").ground == "周调度 2025年第8周"


def test_a_draft_completion_changes_nothing(project, clerk):
    save(project, clerk, physical_progress=Decimal(100), completed_on=dt.date(2025, 2, 19))
    project.refresh_from_db()
    assert project.completed_on is None


def test_a_completion_that_two_live_weeks_report_stands_when_one_is_returned(project, clerk):
    said = {"is_live": True, "state": DispatchState.SUBMITTED, "completed_on": LAST_WEEK, "physical_progress": 100}
    Dispatch.objects.filter(project=project, week_of=LAST_WEEK).delete()
    first = DispatchFactory(project=project, week_of=LAST_WEEK, submitted=True)
    second = DispatchFactory(project=project, week_of=THIS_WEEK, submitted=True)
    Dispatch.objects.filter(pk__in=[first.pk, second.pk]).update(**said)
    services.record_stage_fact(
        project=project, event=StageEvent.COMPLETION, on=LAST_WEEK, ground="周调度", by=clerk, dispatch=Dispatch.objects.get(pk=second.pk)
    )
    services.return_dispatch(dispatch=Dispatch.objects.get(pk=second.pk), remark="请附照片", by=UserFactory())
    project.refresh_from_db()
    assert project.completed_on == LAST_WEEK
    assert StageFact.objects.get(project=project, event=StageEvent.COMPLETION, withdrawn_at=None).dispatch_id == first.pk


def test_a_returned_completion_is_withdrawn(project, clerk):
    dispatch = submit(project, clerk, physical_progress=Decimal(100), completed_on=dt.date(2025, 2, 19))
    services.return_dispatch(dispatch=dispatch, remark="未验收", by=UserFactory())
    project.refresh_from_db()
    fact = StageFact.objects.get(project=project, event="completion")
    assert project.completed_on is None
    assert fact.withdrawn_reason == "周调度 2025年第8周退回"


def test_a_corrected_completion_date_replaces_the_first(project, clerk):
    submit(project, clerk, physical_progress=Decimal(100), completed_on=dt.date(2025, 2, 19))
    second = submit(project, clerk, completed_on=dt.date(2025, 2, 18))
    project.refresh_from_db()
    assert project.completed_on == dt.date(2025, 2, 18)
    services.return_dispatch(dispatch=second, remark="日期有误", by=UserFactory())
    project.refresh_from_db()
    assert project.completed_on == dt.date(2025, 2, 19)


def test_a_start_that_a_completion_rests_on_is_not_returned(clerk):
    project = ProjectFactory(not_started=True)
    start = submit(project, clerk, week_of=LAST_WEEK, reason="补报", started_on=LAST_WEEK, physical_progress=Decimal(10))
    submit(project, clerk, physical_progress=Decimal(100), completed_on=TODAY)
    with pytest.raises(services.Refused, match="先撤销完工"):
        services.return_dispatch(dispatch=start, remark="不符", by=UserFactory())
    start.refresh_from_db()
    project.refresh_from_db()
    assert (start.is_live, project.completed_on) == (True, TODAY)


def test_the_office_records_and_withdraws_a_stage_fact(project):
    office = UserFactory()
    fact = services.record_stage_fact(project=project, event=StageEvent.COMPLETION, on=dt.date(2025, 2, 1), ground="竣工验收", by=office)
    project.refresh_from_db()
    assert project.completed_on == dt.date(2025, 2, 1)
    services.withdraw_stage_fact(fact=fact, reason="误录", by=office)
    project.refresh_from_db()
    assert project.completed_on is None
    assert list(TrailEvent.objects.filter(subject_type="project").values_list("action", "changes")) == [
        ("stage.record", {"completion": [None, "2025-02-01"]}),
        ("stage.withdraw", {"completion": ["2025-02-01", None]}),
    ]


@pytest.mark.parametrize(
    ("on", "allowed"),
    [
        pytest.param(dt.date(2024, 2, 29), False, id="早于开工"),
        pytest.param(dt.date(2024, 3, 1), True, id="与开工同日"),
        pytest.param(TODAY, True, id="今天"),
        pytest.param(TODAY + dt.timedelta(days=1), False, id="明天"),
    ],
)
def test_a_completion_lies_between_the_start_and_today(project, on, allowed):
    def record():
        services.record_stage_fact(project=project, event=StageEvent.COMPLETION, on=on, ground="核查", by=UserFactory())

    if allowed:
        record()
    else:
        with pytest.raises(services.Refused):
            record()
    project.refresh_from_db()
    assert project.completed_on == (on if allowed else None)


def test_a_stage_stands_once(project):
    with pytest.raises(services.Refused, match="已登记 2024-03-01 开工"):
        services.record_stage_fact(project=project, event=StageEvent.START, on=dt.date(2024, 3, 2), ground="核查", by=UserFactory())


# ── versions ──


def test_a_revision_closes_the_version_in_force_and_opens_the_next(project):
    day = dt.date(2025, 1, 10)
    services.revise_project(
        project=project, effective_from=day, reason="概算批复调整", by=UserFactory(), total_investment_wan=Decimal(1200)
    )
    before, after = project.versions.order_by("effective_from")
    assert (before.effective_to, before.total_investment_wan) == (day, 1000)
    assert (after.effective_to, after.total_investment_wan, after.name) == (None, 1200, before.name)
    assert Project.objects.as_of(day - dt.timedelta(days=1)).values_list("v__total_investment_wan", flat=True)[0] == 1000
    assert Project.objects.as_of(day).values_list("v__total_investment_wan", flat=True)[0] == 1200
    event = TrailEvent.objects.get(action="project.revise")
    assert (event.changes, event.reason) == ({"total_investment_wan": ["1000", "1200"]}, "概算批复调整")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        pytest.param({}, "name", id="没有改动"),
        pytest.param({"reason": " ", "owner": "新业主"}, "reason", id="没有理由"),
        pytest.param({"effective_from": dt.date(2023, 5, 1), "owner": "新业主"}, "effective_from", id="不晚于现行版本"),
        pytest.param({"effective_from": TODAY + dt.timedelta(days=1), "owner": "新业主"}, "effective_from", id="未来生效"),
        pytest.param({"baseline_finish_on": dt.date(2023, 12, 31)}, "baseline_finish_on", id="完工早于开工"),
        pytest.param({"total_investment_wan": Decimal(-1)}, "total_investment_wan", id="负投资"),
    ],
)
def test_a_faulty_revision_names_its_field_and_changes_nothing(project, change, field):
    arguments = {"effective_from": TODAY, "reason": "批复"} | change
    with pytest.raises(services.Faulty) as caught:
        services.revise_project(project=project, by=UserFactory(), **arguments)
    assert [fault.field for fault in caught.value.faults] == [field]
    assert ProjectVersion.objects.filter(project=project).count() == 1


def test_a_project_is_created_with_version_sources_and_trail():
    county, domain = CountyFactory(), DomainFactory()
    unit = UnitFactory(domain=domain)
    project = services.create_project(
        by=UserFactory(),
        code="LF-901",
        number=901,
        domain=domain,
        listed_on=TODAY,
        reason="省专班增列",
        funding={SourceKind.CENTRAL: Decimal(300), SourceKind.COUNTY: Decimal(200)},
        name="新增治理工程",
        county=county,
        lead_unit=unit,
        responsible_unit=unit,
        total_investment_wan=Decimal(500),
        baseline_start_on=dt.date(2025, 3, 1),
        baseline_finish_on=dt.date(2025, 10, 31),
    )
    assert list(Project.objects.as_of(TODAY).values_list("code", "v__name")) == [("LF-901", "新增治理工程")]
    assert sum(project.funding.values_list("planned_wan", flat=True)) == 500
    assert TrailEvent.objects.get(action="project.create").chain == county.code


# ── as of ──


def test_a_dispatch_speaks_for_its_cut_off_day_and_never_earlier(project):
    cut_off = dt.date(2025, 2, 13)
    assert Dispatch.objects.speaking(cut_off - dt.timedelta(days=1)).count() == 0
    assert Dispatch.objects.speaking(cut_off).count() == 1


def test_todays_view_takes_in_what_was_already_submitted_this_week(project, clerk, region):
    region.demo_on = tuesday = THIS_WEEK + dt.timedelta(days=1)
    region.save()
    submit(project, clerk, physical_progress=Decimal(45))
    assert Dispatch.objects.speaking(tuesday).filter(week_of=THIS_WEEK).count() == 1
    region.demo_on = TODAY + dt.timedelta(days=7)
    region.save()
    assert Dispatch.objects.speaking(tuesday).filter(week_of=THIS_WEEK).count() == 0


# ── one door ──


def test_only_services_and_loaders_write_these_models():
    models = (
        "Dispatch|DispatchLine|StageFact|ProjectVersion|Project|Problem|ProblemStep|ProblemNote|Attachment|Photo|MonthlyPlan|ReportingWeek"
    )
    writing = re.compile(rf"\b({models})\.objects\b[^\n]*\.(update|create|bulk_create|bulk_update|delete|get_or_create|update_or_create)\(")
    allowed = {
        "projects/services.py",
        "projects/planning.py",
        "projects/problem_services.py",
        "projects/attachments.py",
        "projects/photos.py",
    }
    found = [
        f"{path.relative_to(settings.BASE_DIR)}: {line.strip()}"
        for app in ("linfen_water", "monitoring", "projects", "ledgers")
        for path in (settings.BASE_DIR / app).rglob("*.py")
        if not {"demo", "migrations"} & set(path.parts) and str(path.relative_to(settings.BASE_DIR)) not in allowed
        for line in path.read_text(encoding="utf-8").splitlines()
        if writing.search(line)
    ]
    assert found == []
