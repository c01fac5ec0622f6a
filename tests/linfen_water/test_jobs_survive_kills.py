"""Letters and bulletins, real workers killed while they draft and while they issue, two schedulers: each once, numbers 1 to n.

Runs on the database of this round: SQLite in its own file with the embedded broker, PostgreSQL with that and with Redis. The large
proof, `TEST_LETTERS=300 TEST_KILLS=12`, has every pair.
"""

import contextlib
import hashlib
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from urllib.parse import quote

import psycopg2
import pytest
import redis
from django.conf import settings
from django.db import connection

pytestmark = pytest.mark.runtime

UNITS, BULLETINS = 10, 1  # of the city in `papers.py`, which is for other processes: it sets Django up by itself
LETTERS = int(os.environ.get("TEST_LETTERS", "20"))  # in tens, one a unit and day; at most 300
KILLS = int(os.environ.get("TEST_KILLS", "4"))  # a third of them while drafts are made, the others while they are issued
DAYS = LETTERS // UNITS
LEASE_SECONDS = 2
PATIENCE = 120 + LETTERS  # seconds until everything must be done

CELERY = ["celery", "--quiet", "--skip-checks", "--app", "linfen_water"]
PAPERS = ["tests.linfen_water.papers", str(DAYS)]
IS_LETTER = "kind = 'reminder' AND length(period) = 10"  # the calendar's own of the month has no day
IS_PAPER = f"({IS_LETTER} OR kind = 'bulletin')"


class SQLite:
    """Databases as files of a folder."""

    def __init__(self, folder):
        self.folder = folder

    def url(self, name: str) -> str:
        return f"sqlite:///{self.folder / name}.sqlite3"

    def create(self, name: str, *, like: str = "") -> None:
        if like:
            shutil.copy(self.folder / f"{like}.sqlite3", self.folder / f"{name}.sqlite3")

    def connect(self, name: str):
        return sqlite3.connect(self.folder / f"{name}.sqlite3", timeout=20)

    def drop(self, name: str) -> None:
        (self.folder / f"{name}.sqlite3").unlink()


class PostgreSQL:
    """Databases on the server of this round."""

    def __init__(self):
        own = connection.settings_dict
        self.params = {"host": own["HOST"], "port": own["PORT"] or 5432, "user": own["USER"], "password": own["PASSWORD"]}

    def url(self, name: str) -> str:
        secret = f":{quote(self.params['password'])}" if self.params["password"] else ""
        host = quote(self.params["host"], safe="")
        return f"postgres://{self.params['user']}{secret}@{host}:{self.params['port']}/{self._own(name)}"

    def create(self, name: str, *, like: str = "") -> None:
        self.drop(name)
        self._do(f"CREATE DATABASE {self._own(name)}" + (f" TEMPLATE {self._own(like)}" if like else ""))

    def connect(self, name: str):
        rows = psycopg2.connect(dbname=self._own(name), **self.params)
        rows.autocommit = True
        return rows

    def drop(self, name: str) -> None:
        self._do(f"DROP DATABASE IF EXISTS {self._own(name)} WITH (FORCE)")

    def _do(self, statement: str) -> None:
        with contextlib.closing(psycopg2.connect(dbname="postgres", **self.params)) as server:
            server.autocommit = True
            server.cursor().execute(statement)

    def _own(self, name: str) -> str:
        return f"office_kills_{os.getpid()}_{name}"


@pytest.fixture(scope="module")
def databases(tmp_path_factory):
    """Where databases are, with one that holds the city: laid out once, copied for every broker."""
    found = PostgreSQL() if connection.vendor == "postgresql" else SQLite(tmp_path_factory.mktemp("kills"))
    found.create("city")
    folder = str(tmp_path_factory.mktemp("city"))
    environment = os.environ | {"DATABASE_URL": found.url("city"), "DATA_DIR": folder, "DJANGO_SETTINGS_MODULE": "linfen_water.settings"}
    subprocess.run([sys.executable, "-m", *PAPERS], input=b"lay\n", env=environment, cwd=settings.BASE_DIR, check=True, timeout=120)
    yield found
    found.drop("city")


def brokers() -> list[str]:
    is_small = "TEST_LETTERS" not in os.environ and "sqlite" in settings.DATABASES["default"]["ENGINE"]
    return ["leased"] if is_small else ["leased", "redis"]


@pytest.fixture(params=brokers())
def broker(request, tmp_path):
    if request.param == "leased":
        return f"leased:///{tmp_path / 'broker.sqlite3'}"
    url = os.environ.get("TEST_REDIS_URL")
    if not url:
        pytest.skip("no Redis: `make test` starts one")
    redis.Redis.from_url(url.replace("redis+socket", "unix")).flushdb()
    return url


@pytest.fixture
def office(tmp_path, databases, broker):
    """How to start a process of this installation, and its rows; all processes end with the test."""
    databases.create("office", like="city")
    environment = os.environ | {
        "DATABASE_URL": databases.url("office"),
        "DATA_DIR": str(tmp_path),
        "CELERY_BROKER_URL": broker,
        "JOB_LEASE_SECONDS": str(LEASE_SECONDS),
        "RECONCILE_SECONDS": "1",
        "DJANGO_SETTINGS_MODULE": "linfen_water.settings",
        "LOG_LEVEL": "WARNING",
    }
    running = []

    def start(*arguments, **pipes):
        own = {"env": environment, "cwd": settings.BASE_DIR, "start_new_session": True}
        process = subprocess.Popen([sys.executable, "-m", *arguments], **own, **pipes)
        running.append(process)
        return process

    with contextlib.closing(databases.connect("office")) as rows:
        yield start, rows
        for process in running:
            if process.poll() is None:
                process.kill()
                process.wait()
    databases.drop("office")


def test_every_paper_is_issued_once_with_a_number_of_its_own(office, tmp_path):
    start, rows = office
    crew, clerk = Crew(start), Clerk(start)
    for _ in range(2):
        start(*CELERY, "beat", "--scheduler", "celery.beat.Scheduler", "--pidfile=", "--loglevel", "error")
    clerk.begin("draft")
    crew.suffer(KILLS // 3, lambda: count(rows, "ledgers_document", IS_LETTER), LETTERS)
    wait_for(rows, lambda: count(rows, "linfen_water_job", "kind = 'draft_letters' AND state = 'done'"), DAYS + 4)  # and the calendar's
    wait_for(rows, lambda: count(rows, "ledgers_document", IS_PAPER), LETTERS + BULLETINS)
    clerk.begin("report", "issue")
    crew.suffer(KILLS - KILLS // 3, lambda: count(rows, "ledgers_document", f"{IS_PAPER} AND state = 'issued'"), LETTERS)
    wait_for(rows, lambda: count(rows, "linfen_water_job", "kind = 'issue_document' AND state = 'done'"), LETTERS + BULLETINS)

    papers = f"SELECT state, count(*) FROM ledgers_document WHERE {IS_PAPER} GROUP BY state"
    assert ask(rows, papers) == [("issued", LETTERS + BULLETINS)]
    for kind, number in ((IS_LETTER, LETTERS), ("kind = 'bulletin'", BULLETINS)):
        assert ask(rows, f"SELECT number FROM ledgers_document WHERE {kind} ORDER BY number") == [(n,) for n in range(1, number + 1)]
    assert sorted(ask(rows, "SELECT last FROM ledgers_numberseries")) == [(BULLETINS,), (LETTERS,)]
    for action in ("document.number", "document.issue"):
        told = f"SELECT count(*), count(DISTINCT subject_id) FROM linfen_water_trailevent WHERE action = '{action}'"
        assert ask(rows, told) == [(LETTERS + BULLETINS, LETTERS + BULLETINS)]
    # The schedule's own letters of the month: one a unit, although two schedulers asked for them.
    assert count(rows, "ledgers_document", "kind = 'reminder' AND period = '2025-02' AND state = 'draft'") == UNITS
    # Each unit heard of each of its letters once.
    assert count(rows, "linfen_water_notice", "kind = 'letter' AND unit_id IS NOT NULL") == LETTERS
    for (name,) in ask(rows, f"SELECT pdf_sha256 FROM ledgers_document WHERE {IS_PAPER}"):
        assert hashlib.sha256((tmp_path / "documents" / f"{name}.pdf").read_bytes()).hexdigest() == name
    clerk.begin("check")
    clerk.finish()
    (attempts, jobs), *_ = ask(rows, "SELECT sum(attempts), count(*) FROM linfen_water_job")
    assert attempts > jobs  # the kills did hit work in hand


class Crew:
    """Two workers, of which now one, now the other is killed and started again."""

    def __init__(self, start):
        self.start = start
        self.chance = random.Random(20250220)
        self.workers = [self.worker(), self.worker()]

    def worker(self):
        return self.start(*CELERY, "worker", "--pool", "solo", "--loglevel", "error", "--without-gossip", "--without-mingle")

    def suffer(self, kills: int, done: Callable[[], int], whole: int) -> None:
        """Kill a worker at so many random points of the way to `whole`, each a random moment after the point is reached."""
        for point in sorted(self.chance.randrange(1, whole * 9 // 10) for _ in range(kills)):
            reach(done, point)
            time.sleep(self.chance.uniform(0, 0.5))
            victim = self.chance.randrange(len(self.workers))
            self.workers[victim].send_signal(signal.SIGKILL)
            self.workers[victim].wait()
            self.workers[victim] = self.worker()


class Clerk:
    """A process of the office that asks for papers and checks them; what fails in it fails the test."""

    def __init__(self, start):
        self.process = start(*PAPERS, stdin=subprocess.PIPE, text=True)

    def begin(self, *tasks: str) -> None:
        for task in tasks:
            print(task, file=self.process.stdin, flush=True)

    def finish(self) -> None:
        self.process.stdin.close()
        assert self.process.wait(PATIENCE) == 0


def wait_for(rows, done: Callable[[], int], whole: int) -> None:
    try:
        reach(done, whole)
    except TimeoutError:
        pytest.fail(str(ask(rows, "SELECT kind, state, error, count(*) FROM linfen_water_job GROUP BY 1, 2, 3")))


def reach(done: Callable[[], int], number: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while done() < number:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{done()} of {number}")
        time.sleep(0.1)


def count(rows, table: str, condition: str) -> int:
    return ask(rows, f"SELECT count(*) FROM {table} WHERE {condition}")[0][0]


def ask(rows, question: str) -> list[tuple]:
    cursor = rows.cursor()
    cursor.execute(question)
    return cursor.fetchall()
