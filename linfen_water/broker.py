"""A Celery broker that needs no server: `leased://` keeps messages in a SQLite file of its own (docs/adr/0005).

A message that is taken is not removed but leased: it is due again when the lease ends, and only the acknowledgement
deletes it. A worker killed at any moment therefore loses nothing; what comes twice does no harm (`jobs.py`).
"""

import fcntl
import logging
import sqlite3
import time
from pathlib import Path
from queue import Empty

from kombu.transport import virtual
from kombu.utils.json import dumps, loads

log = logging.getLogger(__name__)

SCHEMA = """
CREATE TABLE IF NOT EXISTS message (
    id INTEGER PRIMARY KEY, queue TEXT NOT NULL, tag TEXT NOT NULL UNIQUE, payload TEXT NOT NULL, due REAL NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS message_by_queue ON message (queue, id);
"""
FIRST_DUE = "SELECT id FROM message WHERE queue = :queue AND due <= :now ORDER BY id LIMIT 1"
TAKE = f"UPDATE message SET due = :until WHERE id = ({FIRST_DUE}) RETURNING payload"  # noqa: S608


def open_file(path: str) -> sqlite3.Connection:
    """The broker's file, made when it is not there; one that is broken is put aside, since only bells are lost with it."""
    try:
        return _opened(path)
    except Broken:
        with Path(f"{path}.lock").open("a") as lock:  # of several processes the first one makes it anew
            fcntl.flock(lock, fcntl.LOCK_EX)
            try:
                return _opened(path)
            except Broken as fault:
                log.error("broker file %s is broken (%s): put aside as .broken, a new one is made", path, fault)
                Path(path).replace(f"{path}.broken")
                for rest in ("-wal", "-shm"):
                    Path(path + rest).unlink(missing_ok=True)
                return _opened(path)


class Broken(Exception):
    """The file is no SQLite database, or a damaged one."""


def _opened(path: str) -> sqlite3.Connection:
    """The file, looked over; every statement commits by itself."""
    try:
        file = _connected(path)
        found = file.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.OperationalError:  # busy, or no room: not broken
        raise
    except sqlite3.DatabaseError as fault:
        raise Broken(str(fault)) from fault
    if found != "ok":
        file.close()
        raise Broken(found)
    return file


def _connected(path: str) -> sqlite3.Connection:
    file = sqlite3.connect(path, timeout=20, isolation_level=None, check_same_thread=False)
    file.execute("PRAGMA journal_mode=WAL")
    file.execute("PRAGMA synchronous=NORMAL")  # survives a killed process; after a power cut the reconciler rings again
    file.executescript(SCHEMA)
    return file


class QoS(virtual.QoS):
    """What was taken and not yet acknowledged."""

    def ack(self, delivery_tag):
        self.channel.forget(delivery_tag)
        super().ack(delivery_tag)

    def reject(self, delivery_tag, requeue=False):
        if not requeue:
            self.channel.forget(delivery_tag)
        super().reject(delivery_tag, requeue)


class Channel(virtual.Channel):
    """Each statement is a transaction of its own, so any number of processes may share the file."""

    QoS = QoS

    def __init__(self, connection, **kwargs):
        super().__init__(connection, **kwargs)
        self.file = open_file(connection.client.virtual_host)

    @property
    def lease_seconds(self) -> float:
        return self.connection.client.transport_options.get("visibility_timeout", 240)

    def basic_consume(self, queue, no_ack, *args, **kwargs):
        if no_ack:
            raise NotImplementedError("leased:// deletes a message only when it is acknowledged")
        return super().basic_consume(queue, no_ack, *args, **kwargs)

    def _put(self, queue, message, **kwargs):
        tag = message["properties"]["delivery_tag"]
        self.file.execute("INSERT INTO message (queue, tag, payload) VALUES (?, ?, ?)", (queue, tag, dumps(message)))

    def _get(self, queue, timeout=None):
        now = time.time()
        values = {"queue": queue, "now": now, "until": now + self.lease_seconds}
        if not self.file.execute(FIRST_DUE, values).fetchone():  # an idle poll takes no write lock
            raise Empty
        taken = self.file.execute(TAKE, values).fetchall()
        if not taken:  # another worker was quicker
            raise Empty
        return loads(taken[0][0])

    def _restore(self, message):
        """Give a message back that was taken and not worked on: due at once."""
        self.file.execute("UPDATE message SET due = 0 WHERE tag = ?", (message.delivery_tag,))

    def forget(self, delivery_tag):
        self.file.execute("DELETE FROM message WHERE tag = ?", (delivery_tag,))

    def _size(self, queue):
        return self.file.execute("SELECT count(*) FROM message WHERE queue = ?", (queue,)).fetchone()[0]

    def _purge(self, queue):
        return self.file.execute("DELETE FROM message WHERE queue = ?", (queue,)).rowcount

    def close(self):
        super().close()
        self.file.close()


class Transport(virtual.Transport):
    """Registered as `leased` by `celery.py`; the address is `leased:///` and the absolute path of the file."""

    Channel = Channel
    polling_interval = 0.2
    default_connection_params = {}  # no host, no port
    connection_errors = (*virtual.Transport.connection_errors, sqlite3.DatabaseError)
    driver_type = driver_name = "leased"

    def driver_version(self):
        return sqlite3.sqlite_version
