"""Jobs happen once, whoever rings and whatever dies."""

import datetime as dt
import threading

import pytest
from django.db import connection, transaction
from django.utils import timezone

from linfen_water import jobs, tasks
from linfen_water.enums import JobState
from linfen_water.models import Domain, Job

pytestmark = pytest.mark.django_db

HOUR = dt.timedelta(hours=1)


@pytest.fixture
def done(monkeypatch):
    """Handlers of this test alone: `note` appends its argument, `fail` raises, `refuse` refuses, `steal` loses its lease half-way."""
    done = []

    def fail(job, lease):
        raise RuntimeError("磁盘已满")

    def refuse(job, lease):
        raise jobs.Refused("草稿已经刷新。")

    def steal(job, lease):
        Job.objects.filter(pk=job.pk).update(owner="somebody else")
        with transaction.atomic():
            Domain.objects.create(name="不该有的")
            lease.check()

    monkeypatch.setattr(
        jobs, "HANDLERS", {"note": lambda job, lease: done.append(job.args["n"]), "fail": fail, "refuse": refuse, "steal": steal}
    )
    monkeypatch.setattr(jobs, "CALENDAR", [])
    return done


def make(key="a", kind="note", **changes) -> Job:
    return Job.objects.create(key=key, kind=kind, args={"n": key}, **changes)


def test_job_is_done_once(done):
    job = make()
    assert [jobs.run(job.pk), jobs.run(job.pk)] == [True, False]
    job.refresh_from_db()
    assert done == ["a"]
    assert (job.state, job.owner, job.lease_until, job.attempts) == (JobState.DONE, "", None, 1)
    assert job.finished_at is not None


def test_enqueue_twice_makes_one_job(done):
    first = jobs.enqueue(key="k", kind="note", args={"n": 1})
    second = jobs.enqueue(key="k", kind="note", args={"n": 2})
    assert first == second
    assert second.args == {"n": 1}


def test_enqueue_rings_after_the_commit_only(done, django_capture_on_commit_callbacks, monkeypatch):
    rung = []
    monkeypatch.setattr(jobs, "_send", rung.append)
    with django_capture_on_commit_callbacks(execute=True):
        job = jobs.enqueue(key="k", kind="note", args={"n": 1})
        assert rung == []
    assert rung == [job.pk]


def test_enqueue_of_an_unknown_kind_is_refused_at_once(done):
    with pytest.raises(KeyError, match="no handler"):
        jobs.enqueue(key="k", kind="nothing", args={})


def test_broker_that_is_down_does_not_fail_the_caller(done, django_capture_on_commit_callbacks, monkeypatch):
    def no_broker(*args, **kwargs):
        raise ConnectionRefusedError

    monkeypatch.setattr(tasks.run_job, "apply_async", no_broker)
    with django_capture_on_commit_callbacks(execute=True):
        job = jobs.enqueue(key="k", kind="note", args={"n": 1})
    assert Job.objects.get().state == JobState.QUEUED
    assert jobs.run(job.pk)


def test_job_that_is_over_is_done_again_only_when_asked(done):
    job = jobs.enqueue(key="k", kind="note", args={"n": 1})
    jobs.run(job.pk)
    assert jobs.enqueue(key="k", kind="note", args={"n": 2}).state == JobState.DONE
    again = jobs.enqueue(key="k", kind="note", args={"n": 2}, again=True)
    assert (again.pk, again.state) == (job.pk, JobState.QUEUED)
    jobs.run(job.pk)
    assert done == [1, 2]


@pytest.mark.parametrize("state", [JobState.QUEUED, JobState.RUNNING])
def test_job_under_way_is_not_started_again_by_asking(done, state):
    job = make(state=state, attempts=1, owner="me", lease_until=timezone.now() + HOUR)
    jobs.requeue(job)
    job.refresh_from_db()
    assert (job.state, job.attempts, job.owner) == (state, 1, "me")


@pytest.mark.parametrize(
    ("changes", "claimed"),
    [
        pytest.param({"state": JobState.QUEUED}, True, id="排队中"),
        pytest.param({"state": JobState.QUEUED, "not_before": -1}, True, id="退避已过"),
        pytest.param({"state": JobState.QUEUED, "not_before": +1}, False, id="还在退避"),
        pytest.param({"state": JobState.RUNNING, "lease_until": +1}, False, id="别人在做"),
        pytest.param({"state": JobState.RUNNING, "lease_until": -1}, True, id="别人没了声息"),
        pytest.param({"state": JobState.DONE}, False, id="已完成"),
        pytest.param({"state": JobState.FAILED}, False, id="已失败"),
    ],
)
def test_only_a_free_job_is_claimed(done, changes, claimed):
    seconds = {k: timezone.now() + dt.timedelta(seconds=v * 5) for k, v in changes.items() if k != "state"}
    job = make(**changes | seconds)
    assert jobs.run(job.pk) is claimed
    assert done == (["a"] if claimed else [])


def test_job_that_does_not_exist_is_no_fault(done):
    assert jobs.run(404) is False


def test_failed_attempt_is_put_off_and_its_error_kept(done):
    job = make(kind="fail")
    before = timezone.now()
    assert jobs.run(job.pk) is False
    job.refresh_from_db()
    assert (job.state, job.error, job.attempts, job.owner) == (JobState.QUEUED, "RuntimeError: 磁盘已满", 1, "")
    assert job.not_before >= before + 2 * jobs.BACK_OFF


@pytest.mark.parametrize(("earlier", "state"), [(jobs.MAX_ATTEMPTS - 2, JobState.QUEUED), (jobs.MAX_ATTEMPTS - 1, JobState.FAILED)])
def test_last_attempt_that_fails_ends_the_job(done, earlier, state):
    job = make(kind="fail", attempts=earlier)
    jobs.run(job.pk)
    job.refresh_from_db()
    assert job.state == state


def test_refused_job_is_not_tried_again(done):
    job = make(kind="refuse")
    assert jobs.run(job.pk) is False
    job.refresh_from_db()
    assert (job.state, job.error, job.attempts) == (JobState.FAILED, "草稿已经刷新。", 1)


def test_failed_job_starts_afresh_when_asked(done):
    job = make(state=JobState.FAILED, attempts=5, error="x", not_before=timezone.now() + HOUR)
    jobs.requeue(job)
    assert (job.state, job.attempts, job.error, job.not_before) == (JobState.QUEUED, 0, "", None)
    assert jobs.run(job.pk)


def test_attempt_that_lost_its_lease_writes_nothing(done):
    job = make(kind="steal")
    assert jobs.run(job.pk) is False
    job.refresh_from_db()
    assert (job.state, job.owner) == (JobState.RUNNING, "somebody else")  # the other one's to end
    assert not Domain.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_lease_checked_outside_a_transaction_is_a_fault_of_the_handler():
    with pytest.raises(transaction.TransactionManagementError):
        jobs.Lease(1, "x").check()


def test_second_handler_of_a_kind_is_refused(done):
    with pytest.raises(ValueError, match="two handlers"):
        jobs.handler("note")(lambda job, lease: None)


def test_every_registered_kind_has_a_function_that_takes_job_and_lease():
    assert all(callable(work) for work in jobs.HANDLERS.values())


# ── The reconciler ─────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.fixture
def rung(monkeypatch):
    rung = []
    monkeypatch.setattr(jobs, "ring", rung.append)
    return rung


def test_reconciler_makes_what_the_calendar_says_and_only_once(done, rung, settings):
    settings.OFFICE_TODAY = dt.date(2025, 2, 20)
    jobs.calendar(lambda today: [jobs.Due(f"bulletin:{today:%Y-%m}", "note", {"n": 1})])
    assert jobs.reconcile()[0] == 1
    assert jobs.reconcile()[0] == 0
    assert Job.objects.get().key == "bulletin:2025-02"


def test_schedule_missed_for_months_is_caught_up(done, rung, settings):
    def monthly(today):
        return [jobs.Due(f"m:{month}", "note", {"n": month}) for month in range(1, today.month)]

    jobs.calendar(monthly)
    settings.OFFICE_TODAY = dt.date(2025, 2, 5)
    jobs.reconcile()
    settings.OFFICE_TODAY = dt.date(2025, 5, 5)  # nobody was there in March and April
    jobs.reconcile()
    assert set(Job.objects.values_list("key", flat=True)) == {"m:1", "m:2", "m:3", "m:4"}


def test_faulty_rule_does_not_silence_the_others(done, rung):
    def broken(today):
        raise ZeroDivisionError

    jobs.calendar(broken)
    jobs.calendar(lambda today: [jobs.Due("k", "note", {"n": 1})])
    assert jobs.reconcile()[0] == 1


def test_reconciler_rings_what_waits_and_what_was_abandoned_and_nothing_else(done, rung):
    now = timezone.now()
    waiting = make("waiting")
    make("put off", not_before=now + HOUR)
    make("at work", state=JobState.RUNNING, lease_until=now + HOUR)
    abandoned = make("abandoned", state=JobState.RUNNING, lease_until=now - HOUR)
    make("done", state=JobState.DONE)
    make("failed", state=JobState.FAILED)
    assert jobs.reconcile() == (0, 2)
    assert rung == [waiting.pk, abandoned.pk]


@pytest.mark.parametrize(("starts", "state"), [(jobs.MAX_STARTS - 1, JobState.RUNNING), (jobs.MAX_STARTS, JobState.FAILED)])
def test_job_that_keeps_killing_its_worker_is_given_up(done, rung, starts, state):
    job = make(state=JobState.RUNNING, attempts=starts, lease_until=timezone.now() - HOUR)
    jobs.reconcile()
    job.refresh_from_db()
    assert job.state == state


# ── Several at once ────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_eight_workers_ringing_at_once_do_each_job_once(done):
    waiting = [make(str(n)).pk for n in range(10)]
    gate = threading.Barrier(8)

    def worker():
        gate.wait()
        for job_id in waiting:
            jobs.run(job_id)
        connection.close()

    _together(worker, 8)
    assert sorted(done, key=int) == [str(n) for n in range(10)]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_eight_callers_at_once_make_one_job(done):
    gate = threading.Barrier(8)
    made = []

    def caller():
        gate.wait()
        made.append(jobs.enqueue(key="k", kind="note", args={"n": 1}).pk)
        connection.close()

    _together(caller, 8)
    assert len(made) == 8
    assert len(set(made)) == 1


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_long_job_keeps_its_lease_by_heartbeat(done, settings):
    settings.JOB_LEASE_SECONDS = 0.6
    busy = threading.Event()

    def slow(job, lease):
        busy.set()
        threading.Event().wait(1.5)
        done.append("slow")

    jobs.HANDLERS["slow"] = slow
    job = make(kind="slow")

    def worker():
        jobs.run(job.pk)
        connection.close()

    thread = threading.Thread(target=worker)
    thread.start()
    busy.wait(5)
    threading.Event().wait(1.0)  # longer than one lease
    assert jobs.run(job.pk) is False
    thread.join()
    job.refresh_from_db()
    assert (done, job.state, job.attempts) == (["slow"], JobState.DONE, 1)


def _together(work, count):
    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
