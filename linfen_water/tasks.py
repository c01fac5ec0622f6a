"""What the broker and the schedule ring."""

from celery import shared_task
from celery.signals import worker_ready
from django.conf import settings

from linfen_water import channels, jobs
from linfen_water.models import Job


@shared_task
def run_job(job_id: int) -> bool:
    """Do the job, unless somebody else has it or has done it."""
    return jobs.run(job_id)


@shared_task
def reconcile() -> None:
    """Make what the calendar says is due and ring what waits; leave a sign of life for `check_setup`."""
    jobs.reconcile()
    (settings.DATA_DIR / "reconciled").touch()


@jobs.handler(channels.JOB_KIND)
def deliver(job: Job, lease: jobs.Lease) -> None:
    channels.run(job, lease)


@worker_ready.connect
def reconcile_at_start(**_) -> None:
    """What fell due while no worker ran is made and rung at once."""
    reconcile()
