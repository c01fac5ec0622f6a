"""A whole installation beside the tests: `serve` with its own data folder and database, the demo city in it, and Chromium.

The database is of this round's engine: a SQLite file, or a new database on the round's PostgreSQL; there the worker is
rung through Redis when the round has one. The tests themselves never touch the database, only pages.
"""

import contextlib
import dataclasses
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from urllib.parse import quote

import psycopg2
import pytest
from django.conf import settings

from projects.demo.accounts import DEMO_PASSWORD

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
PATIENCE = 120  # seconds that the site may take to answer: the machine may be busy
PAGE_PATIENCE = 30_000  # milliseconds that a page may take, for the same reason


@dataclasses.dataclass(frozen=True)
class Site:
    """A running installation."""

    url: str
    environment: dict[str, str]

    def manage(self, *arguments: str) -> str:
        """Run a command of the installation and return what it printed."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            env=self.environment,
            cwd=settings.BASE_DIR,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


# Where writers meet, or the worker answers through Redis: these are gone on both databases. The others see pages, or write alone.
ON_BOTH = {"test_board", "test_installation", "test_letters", "test_main_journey"}
ON_BOTH_TOO = {"test_two_clerks_at_once_choose_and_lose_nothing", "test_an_answer_that_was_lost_makes_no_conflict_with_oneself"}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            if item.path.stem not in ON_BOTH and item.name not in ON_BOTH_TOO:
                item.add_marker(pytest.mark.once)
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The demo city on a port of its own, with a real worker and schedule."""
    folder = tmp_path_factory.mktemp("site")
    for name in ("assets", "fonts"):
        source = settings.ASSETS_DIR if name == "assets" else settings.FONTS_DIR
        if source.exists():
            shutil.copytree(source, folder / name)
    port = _free_port()
    with _database(folder) as database:
        environment = os.environ | database | {
            "DATA_DIR": str(folder),
            "DJANGO_SETTINGS_MODULE": "linfen_water.settings",
            "DEBUG": "0",
            "RECONCILE_SECONDS": "5",
            "LOG_LEVEL": "WARNING",
        }  # fmt: skip
        site = Site(f"http://127.0.0.1:{port}", environment)
        site.manage("migrate", "--verbosity", "0", "--skip-checks")
        site.manage("demo")
        log = (folder / "serve.log").open("w")
        serve = subprocess.Popen(
            [sys.executable, "manage.py", "serve", "--bind", f"127.0.0.1:{port}", "--workers", "1"],
            env=environment, cwd=settings.BASE_DIR, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
        try:
            _wait_for(site.url + "/healthz", serve, folder / "serve.log")
            yield site
        finally:
            serve.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                serve.wait(30)
            if serve.poll() is None:
                os.killpg(serve.pid, signal.SIGKILL)
                serve.wait()
            log.close()


@contextlib.contextmanager
def _database(folder: Path):
    """Environment of an empty database and of the broker that goes with it."""
    own = settings.DATABASES["default"]
    if "postgresql" not in own["ENGINE"]:
        yield {"DATABASE_URL": f"sqlite:///{folder / 'office.sqlite3'}", "CELERY_BROKER_URL": f"leased:///{folder / 'broker.sqlite3'}"}
        return
    name = f"office_site_{os.getpid()}"
    place = {"host": own["HOST"], "port": own["PORT"] or 5432, "user": own["USER"], "password": own["PASSWORD"]}
    with contextlib.closing(psycopg2.connect(dbname="postgres", **place)) as server:
        server.autocommit = True
        server.cursor().execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        server.cursor().execute(f"CREATE DATABASE {name}")
        secret = f":{quote(own['PASSWORD'])}" if own["PASSWORD"] else ""
        yield {
            "DATABASE_URL": f"postgres://{own['USER']}{secret}@{quote(own['HOST'], safe='')}:{place['port']}/{name}",
            "CELERY_BROKER_URL": _redis() or f"leased:///{folder / 'broker.sqlite3'}",
        }
        server.cursor().execute(f"DROP DATABASE {name} WITH (FORCE)")


def _redis() -> str:
    """The round's Redis, in a database that other tests do not empty, one for each test process."""
    own = 14 - int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 8
    url = os.environ.get("TEST_REDIS_URL", "")
    if url.startswith("redis+socket"):
        return f"{url}?virtual_host={own}"
    return f"{url.rpartition('/')[0]}/{own}" if url.count("/") == 3 else url


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_for(url: str, serve: subprocess.Popen, log: Path) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and serve.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5):
            return
        time.sleep(0.3)
    raise AssertionError(f"the site did not answer:\n{log.read_text()}")


@pytest.fixture(scope="session")
def chromium(site):
    """One browser; each person has a context of their own in it."""
    from playwright.sync_api import expect, sync_playwright

    if not Path(CHROMIUM).exists():
        pytest.skip("no Chromium: apt-get install chromium")
    expect.set_options(timeout=PAGE_PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def person(site, chromium):
    """`person("c141024")` logs in with the demo's password and returns a page at `/`; faults on any page fail the test."""
    contexts, faults = [], []

    def log_in(username: str, path: str = "/", **context):
        contexts.append(
            chromium.new_context(base_url=site.url, locale="zh-CN", timezone_id="Asia/Shanghai", accept_downloads=True, **context)
        )
        page = contexts[-1].new_page()
        page.set_default_timeout(PAGE_PATIENCE)
        page.on("pageerror", lambda error: faults.append(f"{username}: {error}"))
        page.goto(f"/accounts/login/?next={path}")
        page.fill("#id_username", username)
        page.fill("#id_password", DEMO_PASSWORD)
        page.click("button[type=submit]")
        page.wait_for_url(f"{site.url}{path}")
        return page

    yield log_in
    for context in contexts:
        context.close()
    assert faults == []
