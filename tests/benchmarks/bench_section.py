"""What the page of a section costs with five years of 4-hourly runs, against a section without any, in one run. Asserts nothing.

    python -m tests.benchmarks.bench_section
    DATABASE_URL=postgres://… python -m tests.benchmarks.bench_section

The demo city, then a year of runs at a hundred invented sections and five years at one of them: about 230,000 rows. Each
figure is the median of many requests through the whole WSGI stack in this process, taken in turns. "ratio" is against the
page of a section without a single record; compare ratios of one run only. The plans of the station's queries are printed below.
Everything happens in a temporary data folder, and on PostgreSQL in a test database that is dropped at the end.
"""

import argparse
import datetime as dt
import random
import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.bench_pages import BARE, Browser, _installation, _timed

SECTIONS, DAYS, LONG_DAYS = 100, 365, 5 * 365
HOURS = 4
ITEMS = {"ph": 8.0, "do": 9.0, "codmn": 3.5, "nh3n": 0.6, "tp": 0.12, "tn": 4.2, "water_temp": 12.0}
BATCH = 5000
ROUNDS = 40


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="office-bench-") as folder, _installation(Path(folder)):
        empty, long = _fill()
        _print(list(_measure(empty, long)))
        _plans(long)


def _fill():
    """A section that nothing was ever measured at, and the one with five years."""
    from django.db import connection

    from linfen_water import clock
    from monitoring.models import Section, StationRecord

    like = Section.objects.national().order_by("pk").first()
    made = Section.objects.bulk_create(
        Section(name=f"压测断面{n}", river=like.river, county=like.county, lon=like.lon, lat=like.lat, order_along=n)
        for n in range(SECTIONS + 1)
    )
    empty, long, *others = made
    today = clock.today()
    for section in [long, *others]:
        days = LONG_DAYS if section is long else DAYS
        StationRecord.objects.bulk_create(_runs(section, today, days), batch_size=BATCH)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    print(
        f"{StationRecord.objects.count():,} runs in the table, {long.station_records.count():,} of them of one section; {connection.vendor}"
    )
    return empty, long


def _runs(section, today: dt.date, days: int) -> Iterator:
    from django.utils import timezone

    from monitoring.models import StationRecord

    dice = random.Random(section.pk)
    end = timezone.make_aware(dt.datetime.combine(today, dt.time(20)))
    for n in range(days * 24 // HOURS):
        values = {key: f"{usual * dice.uniform(0.7, 1.3):.3f}" for key, usual in ITEMS.items()}
        yield StationRecord(section=section, at=end - dt.timedelta(hours=HOURS * n), values=values, water_class=3, feed_class=3)


def _measure(empty, long) -> Iterator[tuple]:
    """What, median ms, queries, KB."""
    from django.core.wsgi import get_wsgi_application
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    browser = Browser(get_wsgi_application(), "office")
    pages = {
        "bare view": f"/{BARE}",
        "empty section": f"/sections/{empty.pk}/",
        "5 years of 4-hourly runs": f"/sections/{long.pk}/",
        "the same, range=1y": f"/sections/{long.pk}/?range=1y",
        "the same, range=5y": f"/sections/{long.pk}/?range=5y",
        "the same, range=5y, pH": f"/sections/{long.pk}/?range=5y&item=ph",
    }
    found = {}
    for what, address in pages.items():
        with CaptureQueriesContext(connection) as queries:
            status, _, size = browser.get(address)
        assert status == 200, (what, status)
        found[what] = (len(queries), size / 1024)
    # In turns, so that whatever else the machine does falls on all alike.
    rounds = [{what: _timed(lambda address=address: browser.get(address)) for what, address in pages.items()} for _ in range(ROUNDS)]
    for what, (asked, size) in found.items():
        yield what, 1000 * statistics.median(times[what] for times in rounds), asked, size


def _print(rows: list[tuple]) -> None:
    base = next(ms for what, ms, *_ in rows if what == "empty section")
    print(f"{'':28}{'ms':>9}{'ratio':>8}{'queries':>9}{'KB gzip':>9}")
    for what, ms, asked, size in rows:
        print(f"{what:28}{ms:9.1f}{ms / base:8.2f}{asked:9}{size:9.1f}")


def _plans(section) -> None:
    """Which index each of the station's queries takes."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from linfen_water import clock
    from monitoring import series

    today = clock.today()
    with CaptureQueriesContext(connection) as queries:
        series.latest_runs(section, today)
        series.runs_since(section, "nh3n", today - dt.timedelta(days=29), today)
        series.days_since(section, "nh3n", today - dt.timedelta(days=LONG_DAYS), today)
    explain = "EXPLAIN QUERY PLAN" if connection.vendor == "sqlite" else "EXPLAIN"
    for what, query in zip(("latest runs", "runs of 30 days", "days of 5 years"), queries.captured_queries, strict=True):
        with connection.cursor() as cursor:
            cursor.execute(f"{explain} {query['sql']}".replace("%", "%%"))
            print(f"{what}: " + " | ".join(str(row[-1]).strip() for row in cursor.fetchall()))


def __getattr__(name: str):
    """The bench's URL configuration is that of the pages' bench."""
    if name != "urlpatterns":
        raise AttributeError(name)
    from tests.benchmarks import bench_pages

    return bench_pages.urlpatterns


if __name__ == "__main__":
    main()
