"""`serve`: the web site, the worker and the schedule in one go."""

import http.client
import os
import signal
import socket
import sys
import threading
import time

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connections
from django.db.migrations.executor import MigrationExecutor

from linfen_water.enums import Role
from linfen_water.models import Region, User
from linfen_water.supervisor import AlreadyRunning, Child, only_one, supervise


class Command(BaseCommand):
    requires_system_checks = []  # `make run` and `check_setup` run them; a smaller supervisor
    help = "启动网站、后台作业和定时巡检 / web, worker and schedule in one go"

    def add_arguments(self, parser):
        parser.add_argument("--bind", default="127.0.0.1:8000", help="监听地址，如 0.0.0.0:8000")
        parser.add_argument("--workers", type=int, default=os.cpu_count(), help="网站进程数（默认等于核数）")
        parser.add_argument("--threads", type=int, default=8, help="每个网站进程的线程数")

    def handle(self, *, bind, workers, threads, **options):
        address = _address(bind)
        try:
            with only_one(settings.DATA_DIR / "serve.lock"):
                _wait_for_port(address)
                _ready()
                self._serve([web(bind, workers, threads), worker(), beat()], address)
        except AlreadyRunning as other:
            raise CommandError(f"这个数据目录（{settings.DATA_DIR}）已有一个实例在运行，进程号 {other}。") from None

    def _serve(self, children: list[Child], address: tuple[str, int]) -> None:
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: stop.set())
        threading.Thread(target=self._announce, args=(address, stop), daemon=True).start()
        supervise(children, stop)
        self.stdout.write("已停止。")

    def _announce(self, address: tuple[str, int], stop: threading.Event) -> None:
        """Say where the site is and who can log in, once it answers."""
        while not _answers(address):
            if stop.wait(0.3):
                return
        host, port = address
        lines = ["", self.style.SUCCESS(f"已启动 (ready): http://{'127.0.0.1' if host == '0.0.0.0' else host}:{port}/")]  # noqa: S104
        self.stdout.write("\n".join([*lines, *demo_accounts(), "按 Ctrl-C 停止 (Ctrl-C to stop)", ""]))
        self.stdout.flush()
        connections.close_all()


def web(bind: str, workers: int, threads: int) -> Child:
    """gunicorn with threads: connections to the database are kept, one a thread."""
    options = ["--workers", str(workers), "--threads", str(threads), "--worker-class", "gthread", "--graceful-timeout", "20"]
    return Child("web", [sys.executable, "-m", "gunicorn", "linfen_water.wsgi", "--bind", bind, "--log-level", "warning", *options])


def worker() -> Child:
    """One worker; a polling broker is quickest without a pool of processes (docs/adr/0005)."""
    pool = ["--pool", "solo"] if settings.CELERY_BROKER_URL.startswith("leased") else ["--concurrency", str(os.cpu_count())]
    return Child("worker", [*_celery("worker"), "--loglevel", "info", "--without-gossip", "--without-mingle", *pool])


def beat() -> Child:
    """The schedule, kept in memory: it only rings the reconciler, so there is nothing to remember and no file to break."""
    return Child("schedule", [*_celery("beat"), "--loglevel", "warning", "--scheduler", "celery.beat.Scheduler", "--pidfile="])


def demo_accounts() -> list[str]:
    """Lines naming the accounts of the demo by role; none in an office's own installation."""
    if not Region.current().is_demo:
        return []
    from projects.demo import accounts

    names = [name for name, *_ in accounts.demo_accounts()]
    users = User.objects.filter(username__in=names, is_active=True).select_related("unit").order_by("unit__position", "pk")
    lines = [f"演示账号（密码均为 {accounts.DEMO_PASSWORD}）："]
    for role in Role:
        here = [f"{user.username} {user.unit.name if user.unit else ''}".strip() for user in users if user.role == role]
        lines += [f"  {role.label}：{'、'.join(here)}"] if here else []
    return lines


def _celery(program: str) -> list[str]:
    return [sys.executable, "-m", "celery", "--app", "linfen_water", "--quiet", "--skip-checks", program]


def _address(bind: str) -> tuple[str, int]:
    host, _, port = bind.rpartition(":")
    if not host or not port.isdigit():
        raise CommandError(f"监听地址“{bind}”无效，请写成 127.0.0.1:8000 的样子。")
    return host.strip("[]"), int(port)


def _wait_for_port(address: tuple[str, int]) -> None:
    """An instance that was killed may still be letting go of the port: give it ten seconds."""
    for _ in range(20):
        fault = _cannot_bind(address)
        if not fault:
            return
        time.sleep(0.5)
    raise CommandError(f"不能监听 {address[0]}:{address[1]}（{fault}）。换一个端口，例如 serve --bind 127.0.0.1:8001")


def _cannot_bind(address: tuple[str, int]) -> str:
    with socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as fault:
            return fault.strerror or str(fault)
    return ""


def _ready() -> None:
    """Refuse to start on an old database; collect static files when nobody has."""
    executor = MigrationExecutor(connections["default"])
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise CommandError("数据库还没有升级，请先运行 manage.py migrate。")
    if not settings.DEBUG and not (settings.STATIC_ROOT / "staticfiles.json").exists():
        call_command("collectstatic", interactive=False, verbosity=0)
    connections.close_all()


def _answers(address: tuple[str, int]) -> bool:
    client = http.client.HTTPConnection(address[0], address[1], timeout=5)
    try:
        client.request("GET", "/healthz", headers={"Host": "127.0.0.1"})
        return client.getresponse().status == 200
    except OSError:
        return False
    finally:
        client.close()
