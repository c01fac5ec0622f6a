"""How fast the national feed is read, against `json.loads` of the same text, in one run. Asserts nothing.

    python -m tests.benchmarks.bench_feed
    python -m tests.benchmarks.bench_feed --stations 100 --days 365

Invented runs every four hours, plain cells and cells with their raw value in HTML; half of the stations are ours.
Processor time; compare ratios of one run only.
"""

import argparse
import datetime as dt
import json
import os
import random
import time

RUNS_A_DAY = 6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stations", type=int, default=100)
    parser.add_argument("--days", type=int, default=60)
    given = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "linfen_water.settings")
    import django

    django.setup()
    print(f"{'':8}{'rows':>10}{'read rows/s':>14}{'json rows/s':>14}{'ratio':>8}")
    for form, is_html in (("plain", False), ("html", True)):
        text = feed_text(given.stations, given.days, is_html)
        rows = given.stations * given.days * RUNS_A_DAY
        read, parsed = seconds(lambda text=text: read_all(text, given.stations)), seconds(lambda text=text: json.loads(text))
        print(f"{form:8}{rows:10,}{rows / read:14,.0f}{rows / parsed:14,.0f}{read / parsed:8.1f}")


def seconds(work) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def read_all(text: str, stations: int) -> None:
    from django.utils import timezone

    from monitoring.intake import feed
    from monitoring.models import Section

    ours = feed.StationIndex([Section(pk=n, name=f"第{n}站") for n in range(0, stations, 2)], "某省")
    batch = feed.read_feed(text, now=timezone.now(), year=None, stations=ours, largest=1 << 30)
    assert len(batch.runs) == len(batch.skipped)


def feed_text(stations: int, days: int, is_html: bool) -> str:
    dice, start = random.Random(3838), dt.datetime(2024, 1, 1)

    def cell(value: float, decimals: int) -> str:
        shown = f"{value:.{decimals}f}"
        return f"<span title='原始值：{value:.4f}'>{shown}</span>" if is_html else shown

    def row(n: int, at: dt.datetime) -> list[str]:
        values = [cell(dice.uniform(low, high), decimals) for low, high, decimals in RANGES]
        return ["某省", "黄河流域", f"第{n}站", f"{at:%m-%d %H:%M}", "Ⅲ", *values, "*", "*", "正常"]

    times = [start + dt.timedelta(hours=4 * k) for k in range(days * RUNS_A_DAY)]
    return json.dumps({"result": 1, "thead": [], "tbody": [row(n, at) for at in times for n in range(stations)]}, ensure_ascii=False)


# Water temperature, pH, oxygen, conductivity, turbidity, CODMn, NH3-N, TP, TN: from, to, decimals.
RANGES = [(0, 25, 1), (7, 8.6, 2), (5, 12, 2), (600, 1500, 1), (1, 60, 1), (1, 6, 2), (0.02, 1.5, 3), (0.01, 0.3, 3), (1, 9, 2)]

if __name__ == "__main__":
    main()
