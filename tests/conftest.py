"""What every test may rely on: empty caches, no address outside this machine, a trail that only the flush may empty."""

import datetime as dt
import gc
import os
import socket
import time

import pytest
from django.db import connection
from django.db.backends.base.operations import BaseDatabaseOperations

from linfen_water import clock, workbook
from tests.caches import forget
from tests.demo_city import demo_database  # noqa: F401 - a fixture of the whole run

DATABASE_FIXTURES = {"db", "transactional_db", "django_db_setup"}
MORNING, STARTED = dt.datetime(2025, 2, 20, 9), time.monotonic()
LOCAL = {"127.0.0.1", "::1", "localhost"}


@pytest.fixture(autouse=True)
def _empty_caches():
    forget()


@pytest.fixture(autouse=True)
def _it_is_morning(monkeypatch):
    """The time of day counts on the day of a cut-off; it runs on, but from nine o'clock whenever the tests are started."""
    monkeypatch.setattr(clock, "time_of_day", lambda: (MORNING + dt.timedelta(seconds=time.monotonic() - STARTED)).time())


@pytest.fixture(autouse=True)
def _workbooks_are_opened_here(request, monkeypatch):
    """Starting a process to open a workbook takes longer than most tests; what it is for is tested where `apart` says so."""
    if not request.node.get_closest_marker("apart"):
        monkeypatch.setattr(workbook, "_opened_apart", workbook.told)


@pytest.fixture(autouse=True, scope="session")
def _nothing_leaves_this_machine():
    """The office's network is closed: a test that reaches out is a fault of the product."""
    connect = socket.socket.connect

    def guarded(self, address):
        if self.family != socket.AF_UNIX and address[0] not in LOCAL:
            raise AssertionError(f"a test tried to reach {address}")
        return connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded)
        yield


@pytest.fixture(autouse=True, scope="session")
def _flush_may_empty_the_trail():
    """Tests with real transactions empty all tables afterwards, which the trail's guard rightly refuses."""
    from linfen_water import trail_guard

    flush = BaseDatabaseOperations.execute_sql_flush

    def flush_all(self, sql_list):
        with trail_guard.lifted(self.connection):
            flush(self, sql_list)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseDatabaseOperations, "execute_sql_flush", flush_all)
        yield


@pytest.fixture(scope="session")
def django_db_use_migrations():
    """Tables are laid out from the models: all migrations take twenty seconds. They run in full in the journeys and in `serve`'s tests."""
    return False


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """The guard of the trail comes from a migration, so here it is put on by hand."""
    from linfen_water import trail_guard

    with django_db_blocker.unblock():
        if not trail_guard.stands(connection):
            trail_guard.install(connection)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    """Leave out what says nothing in this round: several writers at once on SQLite, which has one; what knows no database twice."""
    from django.conf import settings

    second = "postgresql" in settings.DATABASES["default"]["ENGINE"]
    kept, left_out = [], []
    for item in items:
        processes = item.get_closest_marker("runtime") or item.get_closest_marker("browser")
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.flaky(reruns=1))  # a crowded machine may starve a browser; the summary names who needed it
        databases = processes or item.get_closest_marker("django_db") or DATABASE_FIXTURES & set(item.fixturenames)
        foreign = (item.get_closest_marker("once") or not databases) if second else item.get_closest_marker("postgres")
        (left_out if foreign else kept).append(item)
    if left_out:
        items[:] = kept
        config.hook.pytest_deselected(items=left_out)


def pytest_collection_finish():
    """What was collected stays: the collector need not look through thousands of tests again and again."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session, exitstatus):
    """With CI=true nothing may be skipped: what should have been there and was not is a failure."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") == "true" and reporter and reporter.stats.get("skipped"):
        session.exitstatus = max(int(exitstatus), pytest.ExitCode.TESTS_FAILED)


@pytest.fixture
def on_postgres() -> bool:
    return connection.vendor == "postgresql"
