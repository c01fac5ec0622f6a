"""The trail cannot be changed through the database, and a change that was forced is found."""

import threading

import pytest
from django.db import DatabaseError, connection, transaction

from linfen_water import trail, trail_guard
from linfen_water.models import Domain, TrailEvent, TrailHead

pytestmark = pytest.mark.django_db

SUBJECT = Domain(pk=1, name="水利")


def write(count: int) -> list[TrailEvent]:
    return [trail.record(action="domain.rename", subject=SUBJECT, by=None, changes={"name": [n, n + 1]}) for n in range(count)]


@pytest.mark.parametrize("act", [lambda: TrailEvent.objects.update(reason="x"), lambda: TrailEvent.objects.all().delete()])
def test_database_refuses_to_change_what_was_written(act):
    write(2)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        act()
    assert trail.verify(trail.OFFICE_CHAIN) is None


@pytest.mark.postgres
def test_database_refuses_to_truncate():
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {trail_guard.TABLE}")


def test_untouched_chain_verifies():
    write(3)
    assert trail.verify(trail.OFFICE_CHAIN) is None


def test_chain_of_nothing_verifies():
    assert trail.verify("141081") is None


def tamper(*statements: str) -> None:
    with trail_guard.lifted(connection), connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement.format(trail_guard.TABLE))


def move(old: int, new: int) -> str:
    return f"UPDATE {{0}} SET position = {new} WHERE position = {old}"


@pytest.mark.parametrize(
    ("statements", "first_fault"),
    [
        pytest.param(["UPDATE {0} SET reason = 'x' WHERE position = 2"], 2, id="改动一条"),
        pytest.param(["UPDATE {0} SET at = '2020-01-01 00:00:00+00' WHERE position = 3"], 3, id="改动时间"),
        pytest.param(["DELETE FROM {0} WHERE position = 2"], 2, id="抽掉一条"),
        pytest.param(["DELETE FROM {0} WHERE position > 3"], 4, id="截掉末尾"),
        pytest.param(["DELETE FROM {0}"], 1, id="全部删除"),
        pytest.param([move(4, 99), move(5, 4), move(99, 5)], 4, id="对调两条"),
    ],
)
def test_forced_change_is_found(statements, first_fault):
    write(5)
    tamper(*statements)
    assert trail.verify(trail.OFFICE_CHAIN) == first_fault


def test_cut_tail_with_a_shortened_head_still_misses_its_digest():
    write(3)
    tamper("DELETE FROM {0} WHERE position = 3")
    TrailHead.objects.update(length=2)
    assert trail.verify(trail.OFFICE_CHAIN) == 3


def test_guard_can_be_taken_off_and_put_on_again():
    trail_guard.remove(connection)
    assert not trail_guard.stands(connection)
    trail_guard.install(connection)
    assert trail_guard.stands(connection)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_concurrent_writers_make_one_chain_without_fork():
    faults = []

    def writer():
        try:
            for _ in range(10):
                with transaction.atomic():
                    write(1)
        except Exception as fault:
            faults.append(fault)
        finally:
            connection.close()

    threads = [threading.Thread(target=writer) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert list(TrailEvent.objects.values_list("position", flat=True).order_by("position")) == list(range(1, 61))
    assert trail.verify(trail.OFFICE_CHAIN) is None


def test_two_histories_of_the_same_length_have_different_states():
    """After a restore the trail may be as long as before and stand for other facts: no cache may take one for the other."""
    seen = []
    for action in ("first.history", "other.history"):
        with transaction.atomic():
            trail.record(action=action, subject=SUBJECT, by=None)
            seen.append((trail.data_version(), trail.state()))
            transaction.set_rollback(True)
    assert seen[0][0] == seen[1][0]
    assert seen[0][1] != seen[1][1]
