"""How fast the wall is in a real Chromium, against the same picture as plain inline SVG, in one run. Asserts nothing.

    python -m tests.benchmarks.bench_wall                 # paint, bytes, refresh, week steps
    python -m tests.benchmarks.bench_wall --minutes 20    # and the memory of a screen whose views take turns ten times as fast

`serve` runs the demo city in a temporary data folder as in production (compressed files, hashed names). The yardstick is the
finished wall itself, saved as one page without any script: figures, lists and all five drawings as inline SVG, same style
sheets and fonts. CPU is the main thread's own time in tasks as Chromium counts it (CDP `Performance.getMetrics`). Times differ
between machines and with what else runs on them; compare ratios of one run only.
"""

import argparse
import contextlib
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--enable-precise-memory-info",
]
PASSWORD = "yihong-demo-2025"
LOADS = 5
STEPS = 30
SIZE = {"width": 1920, "height": 1080}
KIOSK_SECONDS = 4  # a tenth of the usual 40
CPU_TIME = {"timeDomain": "threadTicks"}  # what the thread has worked, not how long it waited for a core
WATCH = """
  window.seen = {}
  const look = () => {
    // ground and figures are painted by the first frame that finds the last part of the page, or by the first paint, if that is later
    if (document.querySelector(".tabs")) window.seen.parsed ??= performance.now()
    const isDrawn = document.body && (document.body.classList.contains("is-drawn") || document.documentElement.dataset.yardstick)
    if (isDrawn && document.readyState === "complete") {
      document.fonts.ready.then(() => requestAnimationFrame(() => requestAnimationFrame(() => { window.seen.drawn = performance.now() })))
    } else requestAnimationFrame(look)
  }
  requestAnimationFrame(look)
"""
LONG_TASKS = """() => {
  window.long = []
  new PerformanceObserver((list) => window.long.push(...list.getEntries().map((e) => e.duration))).observe({ type: "longtask" })
}"""
SAVE = """() => {
  const copy = document.documentElement.cloneNode(true)
  for (const part of copy.querySelectorAll("script, dialog, noscript")) part.remove()
  copy.dataset.yardstick = "1"
  return "<!DOCTYPE html>" + copy.outerHTML
}"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=0, help="watch a screen's memory for so long")
    minutes = parser.parse_args().minutes
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory(prefix="office-wall-") as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        place = Installation(Path(folder))
        with place.serving() as url:
            state = _logged_in(browser, url)
            _save_yardstick(browser, url, state, place)
        with place.serving() as url:  # static files are listed at the start
            _print_paints(browser, url, state)
            _print_use(browser, url, state)
            if minutes:
                _print_memory(browser, url, state, minutes)
        browser.close()


class Installation:
    """The demo city in a folder of its own."""

    def __init__(self, folder: Path):
        self.folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        real = Path(os.environ.get("DATA_DIR", ROOT / "var"))
        for name in ("fonts", "assets"):
            if (real / name).exists():
                shutil.copytree(real / name, folder / name)
        self.environment = os.environ | {
            "DATA_DIR": str(folder),
            "DJANGO_SETTINGS_MODULE": "linfen_water.settings",
            "DEBUG": "0",
            "LOG_LEVEL": "ERROR",
            "DATABASE_URL": f"sqlite:///{folder / 'office.sqlite3'}",
        }
        for command in (["migrate", "--verbosity", "0", "--skip-checks"], ["demo"]):
            subprocess.run([sys.executable, "manage.py", *command], cwd=ROOT, env=self.environment, check=True, stdout=subprocess.DEVNULL)

    @contextlib.contextmanager
    def serving(self) -> Iterator[str]:
        serve = subprocess.Popen(
            [sys.executable, "manage.py", "serve", "--bind", f"127.0.0.1:{self.port}", "--workers", "1"],
            cwd=ROOT, env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        url = f"http://127.0.0.1:{self.port}"
        try:
            for _ in range(1000):
                with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}/healthz", timeout=5):
                    break
                time.sleep(0.3)
            yield url
        finally:
            serve.send_signal(signal.SIGTERM)
            serve.wait(30)


def _logged_in(browser, url: str) -> dict:
    context = browser.new_context(base_url=url)
    page = context.new_page()
    page.goto("/accounts/login/")
    page.fill("#id_username", "leader")
    page.fill("#id_password", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_url(f"{url}/")
    state = context.storage_state()
    context.close()
    return state


def _context(browser, url: str, state: dict):
    context = browser.new_context(base_url=url, viewport=SIZE, storage_state=state, locale="zh-CN", timezone_id="Asia/Shanghai")
    context.add_init_script(WATCH)
    return context


def _open(page, path: str) -> None:
    page.goto(path)
    while not page.evaluate("window.seen.drawn"):  # the page's CSP lets nobody evaluate texts, wait_for_function neither
        page.wait_for_timeout(100)


def _save_yardstick(browser, url: str, state: dict, place: Installation) -> None:
    context = _context(browser, url, state)
    page = context.new_page()
    _open(page, "/wall/")
    page.wait_for_timeout(1500)
    html = page.evaluate(SAVE)
    (place.folder / "static" / "yardstick.html").write_text(html, encoding="utf-8")
    context.close()


# ── first paint and everything drawn ──
def _print_paints(browser, url: str, state: dict) -> None:
    rows = {"plain inline SVG": "/static/yardstick.html", "wall": "/wall/"}
    found = {name: [] for name in rows}
    for _ in range(LOADS):  # in turns, so that a busy moment hits both
        for name, path in rows.items():
            found[name].append(_load(browser, url, state, path))
    heads = ("first paint", "all drawn", "CPU", "bytes cold", "bytes warm", "first byte")
    print(" " * 18 + "".join(f"{head:>12}" for head in heads) + f"   (ms; median of {LOADS})")
    median = {name: [statistics.median(column) for column in zip(*loads, strict=True)] for name, loads in found.items()}
    for name, row in median.items():
        print(f"{name:18}" + "".join(f"{value:12,.0f}" for value in row))
    best = {name: [min(column) for column in zip(*loads, strict=True)] for name, loads in found.items()}
    for word, rows_of in (("median", median), ("best", best)):
        plain, wall = rows_of.values()
        print(
            f"ratio ({word}): first paint {wall[0] / plain[0]:.1f} ×, all drawn {wall[1] / plain[1]:.1f} ×, CPU {wall[2] / plain[2]:.1f} ×"
        )


def _load(browser, url: str, state: dict, path: str) -> tuple[float, float, float, int, int, float]:
    """First paint of figures and ground, all drawn, CPU, the bytes of a cold and of a warm load, and the wait for the first byte."""
    context = _context(browser, url, state)
    page = context.new_page()
    cdp = context.new_cdp_session(page)
    cdp.send("Performance.enable", CPU_TIME)
    cdp.send("Network.enable")
    sizes = []
    cdp.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    _open(page, path)
    wait, first, drawn = page.evaluate("""() => {
      const paint = performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0
      const wait = performance.getEntriesByType("navigation")[0].responseStart
      return [wait, Math.max(paint, window.seen.parsed), window.seen.drawn]
    }""")
    page.wait_for_timeout(500)
    cpu, cold = _cpu(cdp), sum(sizes)
    sizes.clear()
    _open(page, path)
    page.wait_for_timeout(500)
    warm = sum(sizes)
    context.close()
    return first, drawn, cpu, int(cold), int(warm), wait


def _cpu(cdp) -> float:
    """Milliseconds that the main thread has worked."""
    return next(m["value"] for m in cdp.send("Performance.getMetrics")["metrics"] if m["name"] == "TaskDuration") * 1000


# ── refresh and week steps ──
def _print_use(browser, url: str, state: dict) -> None:
    context = _context(browser, url, state)
    page = context.new_page()
    cdp = context.new_cdp_session(page)
    cdp.send("Performance.enable", CPU_TIME)
    _open(page, "/wall/")
    page.wait_for_timeout(1500)
    statuses = []
    page.on("response", lambda response: "wall.json" in response.url and statuses.append(response.status))
    refreshes = [_spent(cdp, lambda: page.evaluate("wall.refresh()"), page) for _ in range(9)]
    print(
        f"refresh without change: {sorted(set(statuses))}, CPU median {statistics.median(refreshes):.0f} ms, worst {max(refreshes):.0f} ms"
    )
    steps = [_spent(cdp, lambda: page.keyboard.press("ArrowLeft"), page, 120) for _ in range(STEPS)]
    print(f"a week step: CPU median {statistics.median(steps):.0f} ms, worst {max(steps):.0f} ms of {STEPS}")
    _print_held(page)
    context.close()


def _spent(cdp, act, page, rest: int = 300) -> float:
    before = _cpu(cdp)
    act()
    page.wait_for_timeout(rest)
    return _cpu(cdp) - before


def _print_held(page) -> None:
    """A key held down: sixty steps at thirty a second, every one of them heard."""
    page.wait_for_timeout(800)
    page.evaluate("wall.show(wall.state.doc.week)")
    page.wait_for_timeout(800)
    page.evaluate(LONG_TASKS)
    start = page.evaluate("wall.state.week")
    for _ in range(60):
        page.keyboard.press("ArrowLeft")
        page.wait_for_timeout(33)
    page.wait_for_timeout(300)
    heard = start - page.evaluate("wall.state.week")
    long = page.evaluate("window.long")
    print(f"key held down: {heard} of 60 steps heard, tasks over 50 ms: {len(long)}, the longest {max(long, default=0):.0f} ms")


# ── memory of a screen ──
def _print_memory(browser, url: str, state: dict, minutes: float) -> None:
    """Heap, nodes and listeners after a collection, every minute."""
    context = _context(browser, url, state)
    page = context.new_page()
    cdp = context.new_cdp_session(page)
    cdp.send("Performance.enable")
    cdp.send("HeapProfiler.enable")
    _open(page, f"/wall/?kiosk={KIOSK_SECONDS}")
    print("minute  heap MB   nodes  listeners")
    for minute in range(round(minutes) + 1):
        cdp.send("HeapProfiler.collectGarbage")
        now = {m["name"]: m["value"] for m in cdp.send("Performance.getMetrics")["metrics"]}
        print(f"{minute:6} {now['JSHeapUsedSize'] / 1e6:8.2f} {now['Nodes']:7.0f} {now['JSEventListeners']:10.0f}", flush=True)
        page.wait_for_timeout(60_000)
    context.close()


if __name__ == "__main__":
    main()
