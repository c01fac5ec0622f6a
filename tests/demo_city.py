"""The demo city as a fixture: loaded once a module and rolled back after it (about five seconds).

Use it by importing `demo_city` into a `conftest.py` or a test module.
"""

import pytest
from django.db import transaction

from ledgers import demo
from projects.demo.promise import Promise
from projects.demo.promise import read as read_promise
from projects.regions import pack


@pytest.fixture(scope="module")
def demo_city(django_db_setup, django_db_blocker) -> Promise:
    """Load the demo of the region shipped here; return what it promises."""
    with django_db_blocker.unblock(), transaction.atomic():
        found = pack.read("linfen")
        demo.load(found)
        yield read_promise(found)
        transaction.set_rollback(True)
