"""The embedded broker: leased, acknowledged, never lost."""

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import time
from itertools import islice
from pathlib import Path

import pytest
from kombu import Connection

from linfen_water.celery import app  # registers the transport

pytestmark = pytest.mark.once

LEASE = 0.4  # seconds


@pytest.fixture
def url(tmp_path):
    return f"leased:///{tmp_path / 'broker.sqlite3'}"


@pytest.fixture
def queue(url):
    with open_queue(url) as queue:
        yield queue


@contextlib.contextmanager
def open_queue(url, name="work", lease=LEASE):
    options = {"visibility_timeout": lease, "polling_interval": 0.05}
    with Connection(url, transport_options=options) as connection, connection.SimpleQueue(name) as queue:
        yield queue


def test_celery_knows_it_by_its_address():
    assert app.connection_for_write("leased:///x").transport.driver_type == "leased"


def test_message_arrives_as_it_was_sent(queue):
    queue.put({"job": 7, "名称": "一泓清水"})
    message = queue.get(timeout=1)
    assert message.payload == {"job": 7, "名称": "一泓清水"}


def test_messages_come_in_the_order_they_were_sent(queue):
    for n in range(5):
        queue.put(n)
    taken = [queue.get(timeout=1) for _ in range(5)]
    assert [message.payload for message in taken] == [0, 1, 2, 3, 4]


def test_leased_message_is_hidden_until_the_lease_ends_and_then_comes_again(queue, url):
    queue.put("once more")
    queue.get(timeout=1)
    with open_queue(url) as other:
        with pytest.raises(other.Empty):
            other.get(timeout=LEASE / 4)
        assert other.get(timeout=LEASE * 4).payload == "once more"


def test_acknowledged_message_is_gone_for_good(queue, url):
    queue.put("done")
    queue.get(timeout=1).ack()
    assert queue.qsize() == 0
    with open_queue(url) as other, pytest.raises(other.Empty):
        other.get(timeout=LEASE * 2)


def test_rejected_message_is_gone_and_a_requeued_one_comes_back_at_once(queue):
    queue.put("a")
    queue.get(timeout=1).reject()
    assert queue.qsize() == 0
    queue.put("b")
    queue.get(timeout=1).requeue()
    assert queue.get(timeout=LEASE / 4).payload == "b"


def test_consumer_that_closes_gives_back_what_it_had_not_finished(queue, url):
    queue.put("unfinished")
    with open_queue(url) as leaving:
        leaving.get(timeout=1)
    assert queue.get(timeout=LEASE / 4).payload == "unfinished"


def test_message_survives_until_somebody_comes(url):
    with open_queue(url) as queue:
        queue.put("later")
    with open_queue(url) as queue:
        assert queue.get(timeout=1).payload == "later"


def test_purge_empties_one_queue_only(queue, url):
    queue.put(1)
    with open_queue(url, "other") as other:
        other.put(2)
        assert queue.clear() == 1
        assert (queue.qsize(), other.qsize()) == (0, 1)


def test_consumer_that_would_never_acknowledge_is_refused(queue):
    with pytest.raises(NotImplementedError):
        queue.channel.basic_consume("work", True, callback=None, consumer_tag="x")


CONSUMER = """
import os, sys, time
from queue import Empty
from tests.linfen_water.test_broker import open_queue
with open_queue(sys.argv[1], lease=2) as queue:
    idle = time.monotonic()
    while time.monotonic() - idle < 4:
        try:
            message = queue.get(timeout=0.2)
        except Empty:
            continue
        with open(sys.argv[2], "a") as log:
            log.write(f"{os.getpid()} {message.payload}\\n")
        time.sleep(0.005)
        message.ack()
        idle = time.monotonic()
"""


@pytest.mark.runtime
def test_nothing_is_lost_with_two_consumers_of_which_one_is_killed_again_and_again(url, tmp_path):
    log = tmp_path / "log"
    with open_queue(url) as queue:
        numbers = iter(range(100_000))
        put = [queue.put(n) or n for n in islice(numbers, 500)]

        def wait_until_at_work(process):
            """A kill before its first message would prove nothing; there is always one left for it."""
            deadline = time.monotonic() + 60
            while f"{process.pid} " not in (log.read_text() if log.exists() else ""):
                assert time.monotonic() < deadline, "the consumer never began"
                queue.put(next_number := next(numbers))
                put.append(next_number)
                time.sleep(0.02)

        def start():
            environment = dict(os.environ, PYTHONPATH=str(Path(__file__).parents[2]), DJANGO_SETTINGS_MODULE="tests.settings")
            return subprocess.Popen([sys.executable, "-c", CONSUMER, url, str(log)], env=environment)

        steady, victim = start(), start()
        for _ in range(4):
            wait_until_at_work(victim)
            victim.send_signal(signal.SIGKILL)
            victim.wait()
            victim = start()
        assert [steady.wait(60), victim.wait(60)] == [0, 0]
        done = [line.split() for line in log.read_text().splitlines()]
        assert {int(number) for _, number in done} == set(put)
        assert len({pid for pid, _ in done}) > 4  # the killed ones did part of the work
        assert len(done) <= len(put) + 4  # at most the one message in each victim's hands comes twice
        assert queue.qsize() == 0


def test_file_is_in_wal_mode_so_that_readers_do_not_wait(queue, url):
    queue.put(1)
    with sqlite3.connect(url.removeprefix("leased:///")) as file:
        assert file.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    file.close()


@pytest.mark.parametrize("content", [b"no database at all" * 100, b"SQLite format 3\0" + b"\xff" * 5000], ids=["别的文件", "坏了的库"])
def test_a_broken_file_is_put_aside_and_work_goes_on(url, tmp_path, content):
    (tmp_path / "broker.sqlite3").write_bytes(content)
    with open_queue(url) as queue:
        queue.put({"job": 1})
        assert queue.get(timeout=1).payload == {"job": 1}
    assert (tmp_path / "broker.sqlite3.broken").read_bytes() == content
