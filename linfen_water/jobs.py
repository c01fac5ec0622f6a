"""Work that must happen once: row = job, message = bell, and the reconciler rings again (docs/adr/0004).

A handler registers itself in its app's `tasks.py`:

    @jobs.handler("draft_document")
    def draft_document(job, lease):
        with transaction.atomic():
            lease.check()  # fenced: raises LeaseLost when another attempt has taken over
            ...

It may be stopped anywhere and started again, even after its last commit, so it begins by looking at what is already
done. Times of leases are real times, never the business date.
"""

import contextlib
import dataclasses
import datetime as dt
import logging
import threading
import uuid
from collections.abc import Callable, Iterable

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.models import F, Q
from django.utils import timezone

from linfen_water import clock
from linfen_water.enums import JobState
from linfen_water.models import Job

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 5  # after so many a fault is final, until a person asks again
MAX_STARTS = 20  # a job that ended its worker so often is taken for the cause
BACK_OFF = dt.timedelta(seconds=15)  # doubled with each attempt


class LeaseLost(Exception):
    """This attempt no longer owns its job: stop, and write nothing."""


class Refused(Exception):
    """What the job asks for cannot be done, and trying again would not change it; the text is the Chinese sentence for the person."""


@dataclasses.dataclass(frozen=True)
class Due:
    """A job that must exist by now."""

    key: str
    kind: str
    args: dict = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Lease:
    """One attempt's right to its job."""

    job_id: int
    token: str

    def check(self) -> None:
        """Lock the job's row until the caller's transaction ends; raise LeaseLost unless the job is still ours."""
        if not connection.in_atomic_block:
            raise transaction.TransactionManagementError("lease.check() fences a transaction: call it inside atomic()")
        if not self.renew():
            raise LeaseLost(f"job {self.job_id}")

    def renew(self) -> bool:
        """Keep the job for another lease; False when it is no longer ours."""
        return bool(self._own().update(lease_until=_lease_end()))

    def end(self, **changes) -> bool:
        """Leave the job with its last `changes`; False when it is no longer ours."""
        return bool(self._own().update(owner="", lease_until=None, **changes))

    def _own(self):
        return Job.objects.filter(pk=self.job_id, owner=self.token, state=JobState.RUNNING)


Handler = Callable[[Job, Lease], None]
Rule = Callable[[dt.date], Iterable[Due]]
HANDLERS: dict[str, Handler] = {}
CALENDAR: list[Rule] = []


def handler(kind: str) -> Callable[[Handler], Handler]:
    """Register the function that does jobs of `kind`."""

    def register(work: Handler) -> Handler:
        if HANDLERS.setdefault(kind, work) is not work:
            raise ValueError(f"two handlers for jobs of kind {kind!r}")
        return work

    return register


def calendar(rule: Rule) -> Rule:
    """Register a rule that says which jobs must exist by a day; how far it looks back is its own matter."""
    CALENDAR.append(rule)
    return rule


def enqueue(*, key: str, kind: str, args: dict, by=None, again: bool = False) -> Job:
    """Return the job of `key`, made and rung if it is new; with `again` also one that is over is done anew.

    The bell rings when the caller's transaction commits. A broker that is down does not fail the caller.
    """
    job, is_new = _ensure(key, kind, args, by)
    if again and not is_new:
        return requeue(job, args=args, by=by)
    ring(job.pk)
    return job


def _ensure(key: str, kind: str, args: dict, by=None) -> tuple[Job, bool]:
    if kind not in HANDLERS:
        raise KeyError(f"no handler for jobs of kind {kind!r}")
    return Job.objects.get_or_create(key=key, defaults={"kind": kind, "args": args, "by": by})


def requeue(job: Job, **changes) -> Job:
    """Put a job that is done or has failed back into the queue and ring; one that waits or runs is left alone."""
    over = Job.objects.filter(pk=job.pk, state__in=[JobState.DONE, JobState.FAILED])
    over.update(state=JobState.QUEUED, attempts=0, error="", not_before=None, finished_at=None, **changes)
    job.refresh_from_db()
    ring(job.pk)
    return job


def ring(job_id: int) -> None:
    """Tell a worker, once the caller's transaction is committed, that there is work."""
    transaction.on_commit(lambda: _send(job_id))


def _send(job_id: int) -> None:
    from linfen_water.tasks import run_job  # which needs this module

    try:
        run_job.apply_async([job_id], retry=False)
    except Exception:  # whatever the broker's client raises: the row stays, the reconciler rings later
        log.warning("job %s: the bell did not ring", job_id, exc_info=True)


def run(job_id: int) -> bool:
    """Claim the job and do it; False when there was nothing to claim or the attempt did not succeed."""
    lease = Lease(job_id, uuid.uuid4().hex)
    if not _claim(lease):
        log.info("job %s: nothing to do, or somebody else does it", job_id)
        return False
    job = Job.objects.get(pk=job_id)
    log.info("job %s (%s): attempt %s", job_id, job.key, job.attempts)
    try:
        with _heartbeat(lease):
            HANDLERS[job.kind](job, lease)
    except LeaseLost:
        log.warning("job %s (%s): lease lost, attempt given up", job_id, job.key)
        return False
    except Refused as fault:
        log.warning("job %s (%s): refused: %s", job_id, job.key, fault)
        lease.end(state=JobState.FAILED, error=str(fault), finished_at=timezone.now())
        return False
    except Exception as fault:  # a handler may fail in any way; the next attempt may do better
        log.exception("job %s (%s): attempt %s failed", job_id, job.key, job.attempts)
        _put_off(lease, job.attempts, fault)
        return False
    ended = lease.end(state=JobState.DONE, error="", finished_at=timezone.now())
    log.info("job %s (%s): %s", job_id, job.key, "done" if ended else "done, but the lease was lost meanwhile")
    return ended


def reconcile() -> tuple[int, int]:
    """Make the jobs that are due and missing, ring those that wait or whose worker went silent; return both counts."""
    made = sum(_make_due(rule) for rule in CALENDAR)
    _give_up_on_killers()
    waiting = list(Job.objects.filter(_free()).values_list("pk", flat=True))
    for job_id in waiting:
        ring(job_id)
    log.info("reconciled: %s jobs made, %s rung", made, len(waiting))
    return made, len(waiting)


def _make_due(rule: Rule) -> int:
    try:
        due = list(rule(clock.today()))
        known = set(Job.objects.filter(key__in=[d.key for d in due]).values_list("key", flat=True))
        missing = [d for d in due if d.key not in known]
        for d in missing:
            _ensure(d.key, d.kind, d.args)  # rung with all that waits
    except Exception:  # one faulty rule must not silence the others
        log.exception("calendar rule %s failed", rule.__qualname__)
        return 0
    return len(missing)


def _free() -> Q:
    """Jobs that anybody may claim now."""
    now = timezone.now()
    waiting = Q(state=JobState.QUEUED) & (Q(not_before__isnull=True) | Q(not_before__lte=now))
    return waiting | _abandoned(now)


def _abandoned(now: dt.datetime) -> Q:
    return Q(state=JobState.RUNNING, lease_until__lt=now)


def _claim(lease: Lease) -> bool:
    claimed = Job.objects.filter(_free(), pk=lease.job_id).update(
        state=JobState.RUNNING, owner=lease.token, lease_until=_lease_end(), attempts=F("attempts") + 1
    )
    return bool(claimed)


def _put_off(lease: Lease, attempts: int, fault: Exception) -> None:
    error = f"{type(fault).__name__}: {fault}"[:2000]
    now = timezone.now()
    if attempts >= MAX_ATTEMPTS:
        lease.end(state=JobState.FAILED, error=error, finished_at=now)
    else:
        lease.end(state=JobState.QUEUED, error=error, not_before=now + BACK_OFF * 2**attempts)


def _give_up_on_killers() -> None:
    now = timezone.now()
    Job.objects.filter(_abandoned(now), attempts__gte=MAX_STARTS).update(
        state=JobState.FAILED, owner="", lease_until=None, finished_at=now, error=f"执行进程在此作业上中断 {MAX_STARTS} 次"
    )


def _lease_end() -> dt.datetime:
    return timezone.now() + dt.timedelta(seconds=settings.JOB_LEASE_SECONDS)


@contextlib.contextmanager
def _heartbeat(lease: Lease):
    """Renew the lease every third of it from a thread, which has a database connection of its own."""
    stop = threading.Event()

    def beat():
        try:
            while not stop.wait(settings.JOB_LEASE_SECONDS / 3):
                with contextlib.suppress(DatabaseError):  # busy or away for a moment: the next beat is soon enough
                    lease.renew()
        finally:
            connection.close()

    thread = threading.Thread(target=beat, name=f"lease-{lease.job_id}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
