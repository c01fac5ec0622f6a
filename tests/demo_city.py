"""The demo city as a fixture: loaded once a process (five seconds), into a database of its own that the modules asking for it work in.

Use it by importing `demo_city` into a `conftest.py` or a test module. Each test is rolled back, as it is on the empty database.
"""

import contextlib
import sqlite3
from collections.abc import Iterator

import pytest
from django.db import connection, transaction

from ledgers import demo
from projects.demo.promise import Promise
from projects.demo.promise import read as read_promise
from projects.regions import pack

IN_MEMORY = "file:demo_city?mode=memory&cache=shared"


@pytest.fixture(scope="module")
def demo_city(demo_database, django_db_blocker) -> Iterator[Promise]:
    """Turn to the demo of the region shipped here; return what it promises."""
    with django_db_blocker.unblock(), _turned_to(demo_database):
        yield read_promise(pack.read("linfen"))


@pytest.fixture(scope="session")
def demo_database(django_db_setup, django_db_blocker) -> Iterator[str]:
    """The name of a copy of the empty database with the demo city in it."""
    with django_db_blocker.unblock(), _copy() as name:
        with _turned_to(name):
            _load()
        yield name


def _load() -> None:
    with transaction.atomic():
        demo.load(pack.read("linfen"))
        connection.run_on_commit.clear()  # nobody is to be rung
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # as the server would by itself, a little later


@contextlib.contextmanager
def _copy() -> Iterator[str]:
    if connection.vendor == "sqlite":
        connection.ensure_connection()
        with contextlib.closing(sqlite3.connect(IN_MEMORY, uri=True)) as copy:  # while this is open it is there
            connection.connection.backup(copy)
            yield IN_MEMORY
        return
    connection.creation.clone_test_db("demo", verbosity=0, autoclobber=True)
    yield connection.creation.get_test_db_clone_settings("demo")["NAME"]
    connection.creation.destroy_test_db(suffix="demo", verbosity=0)


@contextlib.contextmanager
def _turned_to(name: str) -> Iterator[None]:
    """Let Django's connection lead to the database `name`, then to where it led before."""
    before = connection.connection, connection.settings_dict["NAME"]
    connection.connection, connection.settings_dict["NAME"] = None, name
    try:
        yield
    finally:
        if connection.connection is not None:
            connection.connection.close()
        connection.connection, connection.settings_dict["NAME"] = before
