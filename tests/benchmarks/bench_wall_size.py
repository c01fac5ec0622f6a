"""How long the wall takes to draw at 95, 10,000 and 100,000 projects, in one headless Chromium, in one run. Asserts nothing.

    python -m tests.benchmarks.bench_wall_size                    # the demo city, then 10,000 and 100,000 projects
    python -m tests.benchmarks.bench_wall_size --sizes 0 100000

The page's own work is measured: CPU of the page's thread (TaskDuration of the browser) and the time until everything is drawn, from the
arrival of an answer that the server already has. "ratio" is against the demo city. Medians; compare ratios of one run only.
"""

import argparse
import gzip
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from tests.benchmarks.bench_pages import _fill, _installation

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
RUNS = 5


class Quiet(WSGIRequestHandler):
    def log_message(self, *args) -> None:
        pass


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--sizes", type=int, nargs="*", default=[0, 10_000, 100_000], help="numbers of projects; 0 = the demo city as it is"
    )
    sizes = parser.parse_args().sizes
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # Playwright keeps an event loop in this thread
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory(prefix="office-bench-") as folder, _installation(Path(folder)), sync_playwright() as running:
        browser = running.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        server = _serve()
        address = f"http://127.0.0.1:{server.server_port}"
        words = ("projects", "made ms", "KB", "KB gzip", "drawn ms", "CPU ms", "ratio", "week ms", "ratio")
        heads = zip(words, (10, 16, 8, 9, 10, 8, 7, 13, 7), strict=True)
        print("".join(f"{word:>{width}}" for word, width in heads))
        first: tuple[float, float] | None = None
        for size in sizes:
            _fill(size, weeks=1)
            made, body = _answer()
            drawn, cpu, week = _measure(browser, address)
            first = first or (cpu, week)
            count = _count()
            print(
                f"{count:10d}{made:16.0f}{len(body) / 1024:8.1f}{len(gzip.compress(body)) / 1024:9.1f}{drawn:10.0f}{cpu:8.0f}"
                f"{cpu / first[0]:7.2f}{week:13.1f}{week / first[1]:7.2f}",
                flush=True,
            )
        browser.close()
        server.shutdown()


def _serve() -> WSGIServer:
    """The whole site in a thread; the bench's own URLs are the product's."""
    from django.conf import settings
    from django.contrib.staticfiles.handlers import StaticFilesHandler
    from django.core.wsgi import get_wsgi_application

    settings.DEBUG = True  # static files from where they lie
    server = make_server("127.0.0.1", 0, StaticFilesHandler(get_wsgi_application()), handler_class=Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def _count() -> int:
    from projects.models import Project

    return Project.objects.count()


def _answer() -> tuple[float, bytes]:
    """The document made anew, its places known: ms of CPU, and the bytes."""
    from django.core.cache import cache

    from linfen_water import clock
    from linfen_water.models import Region, User
    from projects import wall

    user, times = User.objects.get(username="leader"), []
    for _ in range(3):
        cache.clear()
        start = time.process_time()
        body = wall.answer(Region.current(), user, clock.today())
        times.append(1000 * (time.process_time() - start))
    return statistics.median(times[1:]), body


def _measure(browser, address: str) -> tuple[float, float, float]:
    """Median ms until drawn, ms of CPU for it, ms of CPU of a week step."""
    runs = list(_runs(browser, address))
    return tuple(statistics.median(column) for column in zip(*runs, strict=True))  # type: ignore[return-value]


def _runs(browser, address: str) -> Iterator[tuple[float, float, float]]:
    from django.conf import settings
    from django.test import Client

    from linfen_water.models import User

    client = Client()
    client.force_login(User.objects.get(username="leader"))
    context = browser.new_context(viewport={"width": 1920, "height": 1080})
    name = settings.SESSION_COOKIE_NAME
    context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": address}])
    page = context.new_page()
    page.goto(f"{address}/wall/", timeout=180_000)
    page.wait_for_selector("body.is-drawn", timeout=180_000)
    page.wait_for_load_state("networkidle")
    session = context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})  # what the thread has worked, not how long it waited for a core

    def used() -> float:
        found = {metric["name"]: metric["value"] for metric in session.send("Performance.getMetrics")["metrics"]}
        return 1000 * found["TaskDuration"]

    for _ in range(RUNS):
        before = used()
        # Everything anew from the document: plots taken away, then drawn until two frames have passed.
        drawn = page.evaluate(
            """async () => {
              const start = performance.now()
              for (const plot of document.querySelectorAll(".js-plotly-plot")) Plotly.purge(plot)
              wall.state.etag = null
              await wall.refresh()
              await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))
              return performance.now() - start
            }"""
        )
        cpu, before = used() - before, used()
        for week in range(10):
            page.evaluate(
                "async (back) => { wall.show(wall.state.doc.week - back); await new Promise((done) => requestAnimationFrame(done)) }",
                week + 1,
            )
        yield drawn, cpu, (used() - before) / 10
    context.close()


if __name__ == "__main__":
    main()
