"""Thirty bulletins, real workers killed while they draft and while they issue, two schedulers: each issued once, none unnumbered.

Runs on the database of this round (SQLite in its own file, or PostgreSQL) with the embedded broker and with Redis.
"""

import contextlib
import hashlib
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from urllib.parse import quote

import psycopg2
import pytest
import redis
from django.conf import settings
from django.db import connection

pytestmark = pytest.mark.runtime

PAPERS = 30
KILLS = 6  # while they are issued; half as many while they are drafted
LEASE_SECONDS = 2
PATIENCE = 120  # seconds until everything must be done


CELERY = ["celery", "--quiet", "--skip-checks", "--app", "linfen_water"]


@pytest.fixture
def database(tmp_path, on_postgres):
    """Environment and connection of an empty database that other processes can reach."""
    if not on_postgres:
        with contextlib.closing(sqlite3.connect(tmp_path / "office.sqlite3", timeout=20)) as rows:
            yield {"DATABASE_URL": f"sqlite:///{tmp_path / 'office.sqlite3'}"}, rows
        return
    own = connection.settings_dict
    name = f"office_kills_{os.getpid()}"
    params = {"host": own["HOST"], "port": own["PORT"] or 5432, "user": own["USER"], "password": own["PASSWORD"]}
    with contextlib.closing(psycopg2.connect(dbname="postgres", **params)) as server:
        server.autocommit = True
        server.cursor().execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        server.cursor().execute(f"CREATE DATABASE {name}")
        secret = f":{quote(own['PASSWORD'])}" if own["PASSWORD"] else ""
        host = quote(own["HOST"], safe="")
        with contextlib.closing(psycopg2.connect(dbname=name, **params)) as rows:
            rows.autocommit = True
            yield {"DATABASE_URL": f"postgres://{own['USER']}{secret}@{host}:{params['port']}/{name}"}, rows
        server.cursor().execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["leased", "redis"])
def broker(request, tmp_path):
    if request.param == "leased":
        return f"leased:///{tmp_path / 'broker.sqlite3'}"
    url = os.environ.get("TEST_REDIS_URL")
    if not url:
        pytest.skip("no Redis: `make test` starts one")
    redis.Redis.from_url(url.replace("redis+socket", "unix")).flushdb()
    return url


@pytest.fixture
def office(tmp_path, database, broker):
    """How to start a process of this installation; all of them end with the test."""
    environment, rows = database
    environment = os.environ | environment | {
        "DATA_DIR": str(tmp_path),
        "CELERY_BROKER_URL": broker,
        "JOB_LEASE_SECONDS": str(LEASE_SECONDS),
        "RECONCILE_SECONDS": "1",
        "OFFICE_TODAY": "2025-11-06",  # thirty months after the first that the demo knows
        "DJANGO_SETTINGS_MODULE": "linfen_water.settings",
        "LOG_LEVEL": "WARNING",
    }  # fmt: skip
    running = []

    def start(*arguments):
        process = subprocess.Popen([sys.executable, "-m", *arguments], env=environment, cwd=settings.BASE_DIR, start_new_session=True)
        running.append(process)
        return process

    assert start("django", "migrate", "--verbosity", "0", "--skip-checks").wait(120) == 0
    assert start("django", "demo", "--skip-checks").wait(120) == 0
    yield start, rows
    for process in running:
        if process.poll() is None:
            process.kill()
            process.wait()


def test_every_paper_is_issued_once_with_a_number_of_its_own(office, tmp_path):
    start, rows = office
    crew = Crew(start)
    for _ in range(2):
        start(*CELERY, "beat", "--scheduler", "celery.beat.Scheduler", "--pidfile=", "--loglevel", "error")
    ask_for(start, "draft")
    wait_for(rows, "draft_document", 1)
    crew.suffer(KILLS // 2)
    wait_for(rows, "draft_document", PAPERS)
    ask_for(start, "issue")
    crew.suffer(KILLS)
    wait_for(rows, "issue_document", PAPERS)

    assert ask(rows, "SELECT state, count(*) FROM ledgers_document WHERE kind = 'bulletin' GROUP BY state") == [("issued", PAPERS)]
    assert ask(rows, "SELECT number FROM ledgers_document WHERE kind = 'bulletin' ORDER BY number") == [(n,) for n in range(1, PAPERS + 1)]
    assert ask(rows, "SELECT last FROM ledgers_numberseries WHERE prefix NOT LIKE '%函'") == [(PAPERS,)]
    for action in ("document.number", "document.issue"):
        told = f"SELECT count(*), count(DISTINCT subject_id) FROM linfen_water_trailevent WHERE action = '{action}'"
        assert ask(rows, told) == [(PAPERS, PAPERS)]
    for (name,) in ask(rows, "SELECT pdf_sha256 FROM ledgers_document WHERE pdf_sha256 <> ''"):  # the demo's letters are not printed yet
        assert hashlib.sha256((tmp_path / "documents" / f"{name}.pdf").read_bytes()).hexdigest() == name
    (attempts,) = ask(rows, "SELECT sum(attempts) FROM linfen_water_job")[0]
    assert attempts > 2 * PAPERS  # the kills did hit work in hand


class Crew:
    """Two workers, of which now one, now the other is killed and started again."""

    def __init__(self, start):
        self.start = start
        self.chance = random.Random(20250220)
        self.workers = [self.worker(), self.worker()]

    def worker(self):
        return self.start(*CELERY, "worker", "--pool", "solo", "--loglevel", "error", "--without-gossip", "--without-mingle")

    def suffer(self, kills: int) -> None:
        for _ in range(kills):
            time.sleep(self.chance.uniform(0.6, 1.5))
            victim = self.chance.randrange(len(self.workers))
            self.workers[victim].send_signal(signal.SIGKILL)
            self.workers[victim].wait()
            self.workers[victim] = self.worker()


def ask_for(start, what: str) -> None:
    assert start("tests.linfen_water.papers", what, str(PAPERS)).wait(60) == 0


def wait_for(rows, kind: str, count: int) -> None:
    """Wait until so many jobs of that kind are done."""
    deadline = time.monotonic() + PATIENCE
    # The calendar has weekly reports drafted beside; they take no part.
    done = f"SELECT count(*) FROM linfen_water_job WHERE state = 'done' AND kind = '{kind}' AND key NOT LIKE 'weekly:%'"
    while ask(rows, done) < [(count,)]:
        assert time.monotonic() < deadline, ask(rows, "SELECT kind, state, error, count(*) FROM linfen_water_job GROUP BY 1, 2, 3")
        time.sleep(0.2)


def ask(rows, question: str) -> list[tuple]:
    cursor = rows.cursor()
    cursor.execute(question)
    return cursor.fetchall()
