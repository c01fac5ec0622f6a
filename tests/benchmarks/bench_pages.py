"""How long the main pages take, against a bare Django view on the same server stack, in one run. Asserts nothing.

    python -m tests.benchmarks.bench_pages              # the demo city, then 10,000 projects
    python -m tests.benchmarks.bench_pages --sizes 0    # the demo city alone
    DATABASE_URL=postgres://… python -m tests.benchmarks.bench_pages

Each figure is the median of several requests through the whole WSGI stack in this process (middleware, session, gzip as a
browser asks for), without network and web server. "ratio" is against `bare view`: a view that returns three bytes behind the
same middleware and login. Times differ between machines and with what else runs on them; compare ratios of one run only.
Everything happens in a temporary data folder, and on PostgreSQL in a test database that is dropped at the end.
"""

import argparse
import contextlib
import gc
import io
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

BARE = "bench/bare/"
SECONDS = 1.5  # spent on each row, at least RUNS requests
RUNS = 5
MOST = 200


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="*", default=[0, 10_000], help="numbers of projects; 0 = the demo city as it is")
    sizes = parser.parse_args().sizes
    with tempfile.TemporaryDirectory(prefix="office-bench-") as folder, _installation(Path(folder)):
        for size in sizes:
            _fill(size)
            _print_rows(_measure())


@contextlib.contextmanager
def _installation(folder: Path) -> Iterator[None]:
    """A set-up office with the demo city, in a database of its own."""
    real = Path(os.environ.get("DATA_DIR", Path(__file__).parents[2] / "var"))
    os.environ.update(
        DATA_DIR=str(folder), DJANGO_SETTINGS_MODULE="linfen_water.settings", LOG_LEVEL="ERROR", CELERY_BROKER_URL="memory://"
    )
    for name in ("fonts", "assets"):
        if (real / name).exists():
            (folder / name).symlink_to(real / name)
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connection

    settings.STATIC_ROOT.mkdir()
    settings.ROOT_URLCONF = "tests.benchmarks.bench_pages"
    settings.ALLOWED_HOSTS = ["*"]
    settings.STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
    is_server = connection.vendor != "sqlite"
    if is_server:
        connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        call_command("migrate", verbosity=0)
        call_command("demo", stdout=io.StringIO())
        yield
    finally:
        if is_server:
            connection.creation.destroy_test_db(settings.DATABASES["default"]["NAME"], verbosity=0)


def __getattr__(name: str):
    """This module is also the bench's URL configuration: the site's addresses and the bare view."""
    if name != "urlpatterns":
        raise AttributeError(name)
    from django.http import HttpResponse
    from django.urls import include, path

    return [path(BARE, lambda request: HttpResponse("bar")), path("", include("linfen_water.urls"))]


def _fill(size: int, weeks: int = 6) -> None:
    """Add simple projects with so many weeks of reports until there are `size` of them."""
    from django.db import connection

    from projects.demo.scale import load_many
    from projects.models import Project

    missing = size - Project.objects.count()
    if missing > 0:
        load_many(missing, weeks=weeks)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")


class Browser:
    """One person's requests, straight into the WSGI application."""

    def __init__(self, application, username: str):
        from django.test import Client

        from linfen_water.models import User

        client = Client()
        client.force_login(User.objects.get(username=username))
        self.cookies = "; ".join(f"{key}={morsel.value}" for key, morsel in client.cookies.items())
        self.application = application

    def get(self, address: str, **headers: str) -> tuple[int, dict[str, str], int]:
        """Status, headers and length of the body as it would go over the wire."""
        path, _, query = address.partition("?")
        environ = {
            "REQUEST_METHOD": "GET", "PATH_INFO": path, "QUERY_STRING": query, "SERVER_NAME": "127.0.0.1", "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1", "REMOTE_ADDR": "127.0.0.1", "HTTP_COOKIE": self.cookies, "HTTP_ACCEPT_ENCODING": "gzip",
            "wsgi.input": io.BytesIO(), "wsgi.errors": sys.stderr, "wsgi.url_scheme": "http", "wsgi.version": (1, 0),
            "wsgi.multithread": False, "wsgi.multiprocess": False, "wsgi.run_once": False, **headers,
        }  # fmt: skip
        answer: dict = {}

        def start_response(status, fields, exc_info=None):
            answer.update(status=int(status[:3]), headers=dict(fields))

        body = self.application(environ, start_response)
        size = sum(map(len, body))
        if hasattr(body, "close"):
            body.close()
        return answer["status"], answer["headers"], size


def _measure() -> Iterator[tuple]:
    """Rows of the table: what, median ms, queries, KB, how many projects."""
    from django.core.cache import cache
    from django.core.wsgi import get_wsgi_application
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from projects.models import Project

    application = get_wsgi_application()
    office, leader, county = (Browser(application, name) for name in ("office", "leader", "c141024"))
    code = Project.objects.order_by("-pk").values_list("code", flat=True)[0]
    yield ("projects", Project.objects.count(), connection.vendor, 0)

    def row(what: str, browser: Browser, address: str, before: Callable[[], object] = lambda: None, status: int = 200, **headers):
        def once():
            before()
            start = time.perf_counter()
            found = browser.get(address, **headers)
            return time.perf_counter() - start, found

        with CaptureQueriesContext(connection) as queries:
            _, (got, _, size) = once()
        assert got == status, (what, got)
        asked = len(queries)  # now: later requests empty the log
        return what, _median(lambda: once()[0]), asked, size / 1024

    yield row("bare view", office, f"/{BARE}")
    yield row("/ (office)", office, "/")
    yield row("/ (leader)", leader, "/")
    yield row("/ (county)", county, "/")
    yield row("/dispatch/ (county)", county, "/dispatch/")
    yield row("/dispatch/ (office)", office, "/dispatch/")
    yield row("/projects/", office, "/projects/")
    yield row("/projects/<code>/", office, f"/projects/{code}/")
    yield row("/wall/", leader, "/wall/")
    yield row("/api/wall.json, cold", leader, "/api/wall.json", before=cache.clear)
    yield row("/api/wall.json, cached", leader, "/api/wall.json")
    tag = leader.get("/api/wall.json")[1]["ETag"]
    yield row("/api/wall.json, unchanged", leader, "/api/wall.json", status=304, HTTP_IF_NONE_MATCH=tag)
    yield row("/ledgers/master/", office, "/ledgers/master/")
    yield row("/ledgers/master/ by lag", office, "/ledgers/master/?sort=-risk")
    yield row("/ledgers/master/ totals, cold", office, "/ledgers/master/?part=totals", before=cache.clear, HTTP_HX_REQUEST="true")
    yield row("/ledgers/master/ as CSV", office, "/ledgers/master/?export=csv")
    yield row("/ledgers/master/ as workbook", office, "/ledgers/master/?export=xlsx")
    yield row("/documents/", office, "/documents/")
    yield from _bulletin()


def _bulletin() -> Iterator[tuple]:
    """January's bulletin: its facts, and the PDF made from them."""
    from ledgers.documents import pdf
    from ledgers.services import KINDS
    from linfen_water import clock

    made, today, period = KINDS["bulletin"], clock.today(), "2025-01"
    facts = made.gather(period, today)
    paper = made.paper(facts)
    size = len(pdf.render_pdf(paper, today)) / 1024
    yield "bulletin, its facts", _median(lambda: _timed(lambda: made.gather(period, today))), None, None
    yield "bulletin, its PDF", _median(lambda: _timed(lambda: pdf.render_pdf(paper, today))), None, size


def _timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _median(once: Callable[[], float]) -> float:
    """Milliseconds; slow work is measured less often."""
    gc.collect()
    times: list[float] = []
    while len(times) < RUNS or (sum(times) < SECONDS and len(times) < MOST):
        times.append(once())
        if sum(times) > 5 * SECONDS and len(times) >= 2:
            break
    return 1000 * statistics.median(times)


def _print_rows(rows: Iterator[tuple]) -> None:
    """Each as soon as it is measured; the first names the size, the second is what the others are held against."""
    _, count, engine, _ = next(rows)
    print(f"\n{count} projects, {engine}\n{'':34}{'ms':>10}{'ratio':>8}{'queries':>9}{'KB':>9}")
    bare = None
    for what, ms, queries, size in rows:
        bare = bare or ms
        queries, size = ("" if value is None else f"{value:{form}}" for value, form in ((queries, "d"), (size, ".1f")))
        print(f"{what:34}{ms:10.1f}{ms / bare:8.1f}{queries:>9}{size:>9}", flush=True)


if __name__ == "__main__":
    main()
