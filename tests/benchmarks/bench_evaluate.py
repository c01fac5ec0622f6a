"""How fast `evaluate` judges, against reading the same CSV with the standard library, in one run. Asserts nothing.

    python -m tests.benchmarks.bench_evaluate
    python -m tests.benchmarks.bench_evaluate --rows 200000

Invented samples with the decimals that stations publish: the five items of the national assessment, the five and four of
a section's own, all 21. "evaluate" is everything but Django's start: decoding, reading, judging, writing. It stands
against `csv.DictReader`, which like it looks cells up by their column, and against the bare `csv.reader`. Processor time,
best of several runs; compare ratios of one run only.
"""

import argparse
import csv
import io
import os
import random
import time
from collections.abc import Callable, Sequence

RUNS = 7


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=20_000)
    count = parser.parse_args().rows
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "linfen_water.settings")
    import django

    django.setup()
    from monitoring import limits

    assessed = [key for key in limits.table().order if (limit := limits.table().of(key)) and limit.is_assessed]
    print(f"{count} rows\n{'':12}{'evaluate rows/s':>18}{'DictReader':>14}{'ratio':>8}{'reader':>14}{'ratio':>8}")
    for keys in (limits.FIVE, (*limits.FIVE, "cod", "bod5", "f", "hg"), assessed):
        content = samples(count, keys)
        judged, dicts, lists = (count / best(work, content) for work in (evaluate, read_dicts, read_lists))
        print(f"{len(keys):2} items    {judged:18,.0f}{dicts:14,.0f}{dicts / judged:8.1f}{lists:14,.0f}{lists / judged:8.1f}")


def samples(count: int, keys: Sequence[str]) -> bytes:
    """Mostly good water, one value in a hundred not monitored, one in two hundred missing."""
    from monitoring import limits

    dice = random.Random(3838)
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["water_body", *keys])
    for _ in range(count):
        writer.writerow([dice.choice(["river", "river", "river", "lake"]), *(_cell(limits.table().of(key), dice) for key in keys)])
    return out.getvalue().encode()


def _cell(limit, dice: random.Random) -> str:
    chance = dice.random()
    if chance < 0.015:
        return "*" if chance < 0.01 else "--"
    if limit.key in ("ph", "do"):
        return f"{dice.gauss(8, 0.4 if limit.key == 'ph' else 1.5):.2f}"
    third = float(limit.values[2])
    return f"{abs(dice.gauss(0.5 * third, 0.25 * third)):.{(limit.decimals or 0) + 1}f}"


def evaluate(content: bytes) -> None:
    from monitoring import limits
    from monitoring.evaluation import Evaluation, read_lines

    with io.BufferedReader(io.BytesIO(content)) as stream:  # type: ignore[arg-type]
        csv.writer(io.StringIO()).writerows(Evaluation(read_lines(stream), limits.table()))


def read_dicts(content: bytes) -> None:
    for _ in csv.DictReader(io.TextIOWrapper(io.BytesIO(content), "utf-8", newline="")):
        pass


def read_lists(content: bytes) -> None:
    for _ in csv.reader(io.TextIOWrapper(io.BytesIO(content), "utf-8", newline="")):
        pass


def best(work: Callable[[bytes], None], content: bytes) -> float:
    """Seconds of processor time."""

    def once() -> float:
        start = time.process_time()
        work(content)
        return time.process_time() - start

    return min(once() for _ in range(RUNS))


if __name__ == "__main__":
    main()
