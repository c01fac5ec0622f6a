"""Many clerks hand in their week within a minute: what is lost, what is doubled, how long it takes against a bare POST view.

    python -m tests.benchmarks.load_dispatch                    # SQLite, 32 clerks
    python -m tests.benchmarks.load_dispatch --postgres         # PostgreSQL, 200 clerks
    python -m tests.benchmarks.load_dispatch --clerks 50 --seconds 20

A real gunicorn serves the site in a temporary data folder with its own database. Every clerk has an account, a session and a
project, and at a moment of their own sends one POST to `bare` (a view that answers three bytes behind the same middleware,
login and CSRF check) and then submits a whole report; one in ten sends the same report once more, as a browser does whose
answer was lost on the way. Afterwards the database is asked what it has. Exit 1 when something was lost, doubled or
refused; the ratio of the times asserts nothing: it differs between machines, and with what else runs on them.
"""

import argparse
import contextlib
import dataclasses
import http.client
import io
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

BARE = "bench/bare/"
HERE = "tests.benchmarks.load_dispatch"
AGAIN = 10  # one clerk in so many sends the report twice
SEED = 20250220
TOKEN = "a" * 32


@dataclasses.dataclass(slots=True)
class Clerk:
    """One person with one report to hand in."""

    code: str
    cookies: str
    report: dict[str, str]
    starts_at: float  # seconds after the beginning
    sends_twice: bool
    bare_s: float = 0.0
    submit_s: float = 0.0
    status: int = 0
    status_again: int = 0
    told: tuple[str, ...] = ()
    fault: str = ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--clerks", type=int)
    parser.add_argument("--seconds", type=float, default=60)
    options = parser.parse_args()
    count = options.clerks or (200 if options.postgres else 32)
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="office-load-")))
        stack.enter_context(_installation(folder, postgres=options.postgres))
        clerks = _clerks(count, options.seconds)
        log = folder / "web.log"
        port = stack.enter_context(_web(log))
        _run(clerks, port)
        return _tell(clerks, log.read_text(errors="replace"), options.seconds)


# ── the installation ──


@contextlib.contextmanager
def _installation(folder: Path, *, postgres: bool) -> Iterator[None]:
    """A set-up office with the demo city in a database of its own, here and for the processes started from here."""
    os.environ.update(
        DATA_DIR=str(folder), DJANGO_SETTINGS_MODULE="linfen_water.settings", LOG_LEVEL="WARNING", CELERY_BROKER_URL="memory://"
    )
    os.environ.pop("DATABASE_URL", None)
    with contextlib.ExitStack() as stack:
        if postgres:
            os.environ["DATABASE_URL"] = stack.enter_context(_database())
        import django

        django.setup()
        from django.core.management import call_command
        from django.db import connections

        stack.callback(connections.close_all)
        call_command("migrate", verbosity=0)
        call_command("demo", stdout=io.StringIO())
        yield


@contextlib.contextmanager
def _database() -> Iterator[str]:
    """An empty database on a PostgreSQL, dropped afterwards."""
    import psycopg2

    from tests.engines import postgres

    with postgres() as url:
        server, _, name = url.rpartition("/")
        with contextlib.closing(psycopg2.connect(f"{server}/postgres")) as maintenance:
            maintenance.autocommit = True
            maintenance.cursor().execute(f'CREATE DATABASE "{name}"')
            try:
                yield url
            finally:
                maintenance.cursor().execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def _clerks(count: int, seconds: float) -> list[Clerk]:
    """`count` people, each with a running project of their own county and a full report of this week."""
    from django.conf import settings
    from django.test import Client

    from linfen_water import clock
    from linfen_water.dates import monday
    from linfen_water.enums import Role, UnitKind
    from linfen_water.models import Unit, User
    from projects import reports
    from projects.demo.scale import load_many
    from projects.enums import StageEvent
    from projects.models import Project, StageFact

    today = clock.today()
    load_many(count * 6, weeks=6)
    running = Project.objects.filter(code__startswith="S-", started_on__lt=today, completed_on=None, dispatches__is_live=True)
    chosen = Project.objects.filter(pk__in=list(running.distinct().values_list("pk", flat=True)[:count]))
    StageFact.objects.bulk_create(  # `load_many` leaves them out
        StageFact(project=project, event=StageEvent.START, on=project.started_on, ground="压力测试") for project in chosen
    )
    weeks = reports.read_weeks(chosen, monday(today), today)
    units = {unit.county_id: unit for unit in Unit.objects.filter(kind=UnitKind.COUNTY)}
    dice, clerks = random.Random(SEED), []
    for n, week in enumerate(weeks):
        user = User.objects.create(username=f"load{n}", role=Role.COUNTY, unit=units[week.version.county_id], post="填报员")
        client = Client()
        client.force_login(user)
        cookies = {key: morsel.value for key, morsel in client.cookies.items()} | {settings.CSRF_COOKIE_NAME: TOKEN}
        progress = min((week.current["physical_progress"] or 0) + 1, 99)
        report = week.current | {"physical_progress": progress, "done": f"第{n}号填报员本周完成", "reason": "压力测试"}
        typed = {f"{week.project.code}-{key}": reports.as_text(value) or "" for key, value in report.items()}
        clerks.append(
            Clerk(
                code=week.project.code,
                cookies="; ".join(f"{key}={value}" for key, value in cookies.items()),
                report=typed | {f"{week.project.code}-version": str(week.edit_version), "action": "submit"},
                starts_at=dice.uniform(0, seconds),
                sends_twice=n % AGAIN == 0,
            )
        )
    if len(clerks) < count:
        raise SystemExit(f"only {len(clerks)} running projects for {count} clerks")
    return clerks


# ── the server ──


def __getattr__(name: str):
    """This module is also the server's WSGI application and its URL configuration: the site's addresses and the bare view."""
    if name == "application":
        from django.core.wsgi import get_wsgi_application

        application = get_wsgi_application()
        from django.conf import settings

        settings.ROOT_URLCONF = HERE
        settings.ALLOWED_HOSTS = ["*"]
        settings.STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
        return application
    if name == "urlpatterns":
        from django.http import HttpResponse
        from django.urls import include, path

        return [path(BARE, lambda request: HttpResponse("bar")), path("", include("linfen_water.urls"))]
    raise AttributeError(name)


@contextlib.contextmanager
def _web(log: Path) -> Iterator[int]:
    """A gunicorn as `serve` starts it; its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", f"{HERE}:application", "--bind", f"127.0.0.1:{port}", "--log-level", "warning"]
    command += ["--workers", "2", "--threads", "8", "--timeout", "60"]
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
        try:
            _wait_for(port, process)
            yield port
        finally:
            process.terminate()
            process.wait(20)


def _wait_for(port: int, process: subprocess.Popen) -> None:
    for _ in range(300):
        if process.poll() is not None:
            raise SystemExit("the web server did not start")
        with contextlib.suppress(OSError):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/healthz")
            if connection.getresponse().status == 200:
                return
        time.sleep(0.2)
    raise SystemExit("the web server does not answer")


# ── the minute ──


def _run(clerks: list[Clerk], port: int) -> None:
    for clerk in clerks[:2]:
        _post(port, clerk, f"/{BARE}", {})  # both workers have loaded what they need
    start = time.monotonic()
    threads = [threading.Thread(target=_hand_in, args=(clerk, port, start)) for clerk in clerks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _hand_in(clerk: Clerk, port: int, start: float) -> None:
    time.sleep(max(start + clerk.starts_at - time.monotonic(), 0))
    try:
        clerk.bare_s, _, _ = _post(port, clerk, f"/{BARE}", clerk.report)
        clerk.submit_s, clerk.status, words = _post(port, clerk, f"/dispatch/{clerk.code}/", clerk.report)
        if clerk.sends_twice:
            _, clerk.status_again, again = _post(port, clerk, f"/dispatch/{clerk.code}/", clerk.report)
            clerk.told = (words, again)
    except (OSError, http.client.HTTPException) as fault:
        clerk.fault = repr(fault)


def _post(port: int, clerk: Clerk, address: str, data: dict) -> tuple[float, int, str]:
    """Seconds, status and what the page told."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"Cookie": clerk.cookies, "X-CSRFToken": TOKEN, "HX-Request": "true", "Content-Type": "application/x-www-form-urlencoded"}
    start = time.perf_counter()
    connection.request("POST", address, urlencode(data), headers)
    answer = connection.getresponse()
    body = answer.read().decode(errors="replace")
    took = time.perf_counter() - start
    connection.close()
    return took, answer.status, body.partition('role="status">')[2].partition("<")[0].strip()


# ── what came of it ──


def _tell(clerks: list[Clerk], log: str, seconds: float) -> int:
    from django.db import connection
    from django.db.models import Count

    from linfen_water import clock, trail
    from linfen_water.dates import monday
    from linfen_water.models import TrailEvent, TrailHead
    from projects.models import Dispatch

    week_of = monday(clock.today())
    codes = [clerk.code for clerk in clerks]
    rows = Dispatch.objects.filter(project__code__in=codes, week_of=week_of)
    kept = {row.project.code: row.done for row in rows.filter(is_live=True).select_related("project")}
    acknowledged = [clerk for clerk in clerks if clerk.status == 200]
    lost = [clerk.code for clerk in acknowledged if kept.get(clerk.code) != clerk.report[f"{clerk.code}-done"]]
    edited = rows.filter(submitted_by__username__startswith="load")
    doubled = [row["project__code"] for row in edited.values("project__code").annotate(n=Count("pk")) if row["n"] > 1]
    submits = TrailEvent.objects.filter(action="dispatch.submit", by__username__startswith="load").count()
    again = [clerk for clerk in clerks if clerk.sends_twice]
    differing = [clerk.code for clerk in again if clerk.status_again != clerk.status or len(set(clerk.told)) != 1]
    broken = [head.chain for head in TrailHead.objects.all() if trail.verify(head.chain) is not None]
    refused = [(clerk.code, clerk.status, clerk.fault) for clerk in clerks if clerk.status != 200]
    bare, submit = (sorted(getattr(clerk, name) for clerk in clerks) for name in ("bare_s", "submit_s"))
    p95 = [statistics.quantiles(times, n=20)[-1] * 1000 for times in (bare, submit)]
    locked = log.count("database is locked")
    print(f"{connection.vendor}: {len(clerks)} clerks within {seconds:.0f} s, {len(again)} of them twice")
    print(f"  acknowledged {len(acknowledged)}, lost {len(lost)}, in the trail {submits}, twice {len(doubled)}")
    print(f"  not acknowledged {len(refused)} {refused[:3]}, 'database is locked' {locked}, broken chains {broken}")
    print(f"  repeated requests that heard something else {len(differing)} {differing[:3]}")
    print(f"  p50 bare {statistics.median(bare) * 1000:.1f} ms, submit {statistics.median(submit) * 1000:.1f} ms")
    print(f"  p95 bare {p95[0]:.1f} ms, submit {p95[1]:.1f} ms: ratio {p95[1] / p95[0]:.1f}")
    return 1 if lost or doubled or refused or differing or broken or locked or submits != len(acknowledged) else 0


if __name__ == "__main__":
    sys.exit(main())
