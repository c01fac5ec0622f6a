"""`serve` keeps its children alive, takes them along, and says what it needs."""

import contextlib
import http.client
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from django.conf import settings

pytestmark = [pytest.mark.runtime, pytest.mark.once]


@pytest.fixture
def port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A data folder with its database laid out by the migrations, to be copied."""
    folder = tmp_path_factory.mktemp("installed")
    done = manage(variables(folder), "migrate", "--verbosity", "0", "--skip-checks")
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def environment(installed, tmp_path):
    """An installation of its own on SQLite."""
    shutil.copytree(installed, tmp_path, dirs_exist_ok=True)
    return variables(tmp_path)


def variables(folder) -> dict[str, str]:
    given = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "CELERY_BROKER_URL"}}
    return given | {
        "DATA_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "linfen_water.settings", "DEBUG": "true", "PYTHONUNBUFFERED": "1"
    }  # fmt: skip


@pytest.fixture
def office(environment, port):
    """A running `serve`, and its output so far."""
    with started(environment, port) as office:
        wait_until(lambda: answers(port))
        yield office


@contextlib.contextmanager
def started(environment, port):
    log = open(os.path.join(environment["DATA_DIR"], "log"), "w+")  # noqa: SIM115, PTH118, PTH123
    office = subprocess.Popen(
        [sys.executable, "manage.py", "serve", "--bind", f"127.0.0.1:{port}", "--workers", "1"],
        cwd=settings.BASE_DIR, env=environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip
    office.output = lambda: (log.seek(0), log.read())[1]
    try:
        yield office
    finally:
        if office.poll() is None:
            office.terminate()
            office.wait(40)
        log.close()


def manage(environment, *arguments):
    return subprocess.run(
        [sys.executable, "manage.py", *arguments], cwd=settings.BASE_DIR, env=environment, capture_output=True, text=True, check=False
    )


def answers(port) -> bool:
    with contextlib.suppress(OSError), contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as client:
        client.request("GET", "/healthz")
        return client.getresponse().status == 200
    return False


def children(office) -> dict[str, psutil.Process]:
    words = {"gunicorn": "web", "worker": "worker", "beat": "schedule"}
    found = {}
    for process in psutil.Process(office.pid).children():
        with contextlib.suppress(psutil.NoSuchProcess):
            command = process.cmdline()
            found |= {name: process for word, name in words.items() if word in command}
    return found


def wait_until(condition, seconds=40):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)


def test_one_command_runs_web_worker_and_schedule_and_reconciles_at_start(office, tmp_path):
    wait_until(lambda: children(office).keys() == {"web", "worker", "schedule"})
    wait_until((tmp_path / "reconciled").exists)
    wait_until(lambda: "已启动" in office.output())


def test_killed_children_are_started_again(office, port):
    wait_until(lambda: len(children(office)) == 3)
    killed = children(office)
    for child in killed.values():
        child.kill()
    wait_until(lambda: len(children(office)) == 3 and not {p.pid for p in killed.values()} & {p.pid for p in children(office).values()})
    wait_until(lambda: answers(port))


def test_children_end_when_the_supervisor_is_killed(office):
    wait_until(lambda: len(children(office)) == 3)
    family = psutil.Process(office.pid).children(recursive=True)
    office.send_signal(signal.SIGKILL)
    office.wait()
    assert psutil.wait_procs(family, timeout=30)[1] == []


def test_term_ends_everything_in_good_order(office):
    wait_until(lambda: len(children(office)) == 3)
    family = psutil.Process(office.pid).children(recursive=True)
    office.terminate()
    assert office.wait(40) == 0
    assert psutil.wait_procs(family, timeout=1)[1] == []
    assert "已停止" in office.output()


def test_second_instance_on_the_same_data_is_refused(office, environment, port):
    second = manage(environment, "serve", "--bind", f"127.0.0.1:{port + 1}")
    assert second.returncode == 1
    assert f"已有一个实例在运行，进程号 {office.pid}" in second.stderr


def test_database_that_was_not_upgraded_is_refused(environment, port):
    with contextlib.closing(sqlite3.connect(Path(environment["DATA_DIR"]) / "office.sqlite3")) as rows, rows:
        newest = "SELECT max(id) FROM django_migrations WHERE app = 'ledgers'"
        assert rows.execute(f"DELETE FROM django_migrations WHERE id = ({newest})").rowcount == 1
    refused = manage(environment, "serve", "--bind", f"127.0.0.1:{port}")
    assert refused.returncode == 1
    assert "manage.py migrate" in refused.stderr


def test_the_migrations_leave_the_trail_guarded(environment):
    assert manage(environment, "check_trail").returncode == 0


@pytest.mark.parametrize("bind", ["8000", "127.0.0.1:", "127.0.0.1:web"])
def test_address_that_cannot_be_is_refused_with_an_example(environment, bind):
    refused = manage(environment, "serve", "--bind", bind)
    assert (refused.returncode, "127.0.0.1:8000 的样子" in refused.stderr) == (1, True)


def test_port_in_use_is_said_so(environment, port):
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        refused = manage(environment, "serve", "--bind", f"127.0.0.1:{port}")
    assert refused.returncode == 1
    assert f"不能监听 127.0.0.1:{port}" in refused.stderr
