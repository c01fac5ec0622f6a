"""A 50-row page of ledgers at 95, 10,000 and 100,000 projects, in one run, with ratios. Asserts nothing.

    python -m tests.benchmarks.bench_ledger                     # three sizes, a fresh database in a temporary folder
    python -m tests.benchmarks.bench_ledger --sizes 0 10000     # 0 = the demo city as it is

Each figure is the median CPU of several requests through the whole stack in this process: `new` with nothing kept, as for the first
who asks after a change of facts, `again` for those who ask afterwards. `plain` is the yardstick: the ledger of projects in the same
frame, by the same statements, the same cells (its usual columns, for `all columns` all of them), printed by a plain Django template
with two loops; ratios are against it, `first` against the smallest size of this run. Times differ between machines and with what else
runs on them; compare ratios of one run only.
"""

import argparse
import gc
import gzip
import statistics
import tempfile
import time
from pathlib import Path

from tests.benchmarks.bench_pages import _fill, _installation

PLAIN = """{% extends "base.html" %}{% block content %}<h1>{{ title }}</h1><table class="table"><thead><tr>{% for heading in headings %}
<th>{{ heading }}</th>{% endfor %}</tr></thead><tbody>{% for row in rows %}<tr>{% for cell in row %}
<td class="{{ cell.0 }}">{{ cell.1 }}</td>{% endfor %}</tr>{% endfor %}</tbody></table>{% endblock %}"""
PAGES = {
    "master": "/ledgers/master/",
    "master, all columns": "/ledgers/master/?view=all",
    "master, table alone": "/ledgers/master/|part",
    "master, county + stage": "/ledgers/master/?county=141002&stage=2",
    "master, pinyin": "/ledgers/master/?q=guimo",
    "master, page 100": "/ledgers/master/?page=100",
    "master by lag": "/ledgers/master/?sort=-risk",
    "permits": "/ledgers/permits/",
    "problems": "/ledgers/problems/",
    "master, subtotals": "/ledgers/master/?group=county&part=totals|part",
}
REPEATS = 9


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="*", default=[0, 10_000, 100_000])
    sizes = parser.parse_args().sizes
    first: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="office-bench-") as folder, _installation(Path(folder)):
        for size in sizes:
            _fill(size, weeks=1)
            _measure(first)


def _measure(first: dict[str, float]) -> None:
    from django.core.cache import caches
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from linfen_water.models import User
    from projects.models import Project

    def forget_all() -> None:
        for cache in caches.all():
            cache.clear()

    client = Client()
    client.force_login(User.objects.get(username="office"))
    print(f"\n{Project.objects.count()} projects, {connection.vendor}")
    print(
        f"{'':28}{'new ms':>9}{'first':>8}{'plain':>8}{'SQL':>5}{'again ms':>10}{'first':>8}{'plain':>8}{'SQL':>5}{'KB':>8}{'KB sent':>9}"
    )
    plain = {is_whole: _median(_plain_page(is_whole)) for is_whole in (False, True)}
    print(f"{'plain template, same cells':28}{plain[False]:9.1f}")
    print(f"{'plain, all columns':28}{plain[True]:9.1f}")
    for name, address in PAGES.items():
        address, _, part = address.partition("|")
        headers = {"HX-Request": "true"} if part else {}

        def ask(address=address, headers=headers):
            return client.get(address, headers=headers)

        def counted(ask=ask):
            with CaptureQueriesContext(connection) as queries:
                answer = ask()
            assert answer.status_code == 200, (answer.request["PATH_INFO"], answer.status_code)
            return len(queries), answer.content

        line = f"{name:28}"
        for when, forget in (("new", forget_all), ("again", None)):
            if forget:
                forget()
            count, content = counted()
            ms = _median(ask, forget)
            before = first.setdefault(f"{name}, {when}", ms)
            line += f"{ms:{9 if forget else 10}.1f}{ms / before:8.2f}{ms / plain['view=all' in address]:8.2f}{count:5d}"
        print(f"{line}{len(content) / 1024:8.1f}{len(gzip.compress(content, 6)) / 1024:9.1f}", flush=True)


def _plain_page(is_whole: bool):
    """The yardstick: rows read as the ledger reads them, printed by a template that loops over rows and cells."""
    from django.template import engines
    from django.test import RequestFactory

    from ledgers import own
    from ledgers.columns import as_text
    from linfen_water import clock
    from linfen_water.models import Region, User

    template = engines["django"].from_string(PLAIN)
    user, day = User.objects.select_related("unit").get(username="office"), clock.today()

    def page():
        request = RequestFactory().get("/ledgers/master/")
        request.user, request.region, request.today, request.as_of, request.session_left = user, Region.current(), day, day, None
        ledger = own.find_ledger("master")
        chosen = ledger.filter({}, queryset=ledger.rows(day, user), day=day).qs
        table = ledger.table_for(chosen)
        columns = {name: column for name, column in table.base_columns.items() if is_whole or name not in table.details}
        count = chosen.count()
        rows = ledger.read_rows(day, chosen[:50])
        cells = [[(column.css, as_text(column.value(row[name], row))) for name, column in columns.items()] for row in rows]
        headings = [column.verbose_name for column in columns.values()]
        return template.render({"title": f"{ledger.title} {count}", "headings": headings, "rows": cells}, request)

    return page


def _median(once, forget=None) -> float:
    """Milliseconds of CPU, each time after `forget`."""
    once()
    gc.collect()
    times: list[float] = []
    while len(times) < REPEATS and sum(times) < 20:
        if forget:
            forget()
        start = time.process_time()
        once()
        times.append(time.process_time() - start)
    return 1000 * statistics.median(times)


if __name__ == "__main__":
    main()
