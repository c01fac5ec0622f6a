"""Thirty papers, six `kill -9` of real workers, two schedulers: each paper issued once, numbers without gap or double.

Runs on the database of this round (SQLite in its own file, or PostgreSQL) with the embedded broker and with Redis.
"""

import contextlib
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
KILLS = 6
LEASE_SECONDS = 2
PATIENCE = 90  # seconds until everything must be done


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
        "DJANGO_SETTINGS_MODULE": "linfen_water.settings",
        "LOG_LEVEL": "WARNING",
    }  # fmt: skip
    running = []

    def start(*arguments):
        process = subprocess.Popen([sys.executable, "-m", *arguments], env=environment, cwd=settings.BASE_DIR, start_new_session=True)
        running.append(process)
        return process

    assert start("django", "migrate", "--verbosity", "0", "--skip-checks").wait(120) == 0
    assert start("tests.linfen_water.numbering", str(PAPERS)).wait(60) == 0
    yield start, rows
    for process in running:
        if process.poll() is None:
            process.kill()
            process.wait()


def test_every_paper_is_issued_once_with_a_number_of_its_own(office):
    start, rows = office
    chance = random.Random(20250220)

    def celery(*arguments):
        return start("celery", "--quiet", "--skip-checks", "--app", "tests.linfen_water.numbering", *arguments)

    def worker():
        return celery("worker", "--pool", "solo", "--loglevel", "error", "--without-gossip", "--without-mingle")

    for _ in range(2):
        celery("beat", "--scheduler", "celery.beat.Scheduler", "--pidfile=", "--loglevel", "error")
    workers = [worker(), worker()]
    wait_for(rows, 1)
    for _ in range(KILLS):
        time.sleep(chance.uniform(0.6, 1.5))
        victim = chance.randrange(len(workers))
        workers[victim].send_signal(signal.SIGKILL)
        workers[victim].wait()
        workers[victim] = worker()
    wait_for(rows, PAPERS)

    assert ask(rows, "SELECT state, count(*) FROM ledgers_document GROUP BY state") == [("issued", PAPERS)]
    assert ask(rows, "SELECT number FROM ledgers_document ORDER BY number") == [(n,) for n in range(1, PAPERS + 1)]
    assert ask(rows, "SELECT last FROM ledgers_numberseries") == [(PAPERS,)]
    assert ask(rows, "SELECT count(*), count(DISTINCT subject_id) FROM linfen_water_trailevent") == [(PAPERS, PAPERS)]
    assert ask(rows, "SELECT count(*), count(DISTINCT key) FROM linfen_water_job") == [(PAPERS, PAPERS)]
    (attempts,) = ask(rows, "SELECT sum(attempts) FROM linfen_water_job")[0]
    assert attempts > PAPERS  # the kills did hit work in hand


def wait_for(rows, count: int) -> None:
    """Wait until so many jobs are done."""
    deadline = time.monotonic() + PATIENCE
    while ask(rows, "SELECT count(*) FROM linfen_water_job WHERE state = 'done'") < [(count,)]:
        assert time.monotonic() < deadline, ask(rows, "SELECT state, count(*) FROM linfen_water_job GROUP BY state")
        time.sleep(0.2)


def ask(rows, question: str) -> list[tuple]:
    cursor = rows.cursor()
    cursor.execute(question)
    return cursor.fetchall()
