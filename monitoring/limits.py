"""The limits as data: one file a standard, one row an item, one column a class. In force: GB 3838-2002, `data/limits.csv` says when."""

import csv
import dataclasses
import datetime as dt
import functools
import hashlib
from decimal import Decimal
from pathlib import Path

from monitoring.enums import WaterBody

PATH = Path(__file__).parent / "data" / "gb3838_2002.csv"
EDITIONS = PATH.with_name("limits.csv")  # which file is in force from when to when
CLASSES = ("I", "II", "III", "IV", "V")  # columns of the file, best first

FIVE = ("ph", "do", "codmn", "nh3n", "tp")  # the five of "5+X", assessed at every national section


@dataclasses.dataclass(frozen=True)
class Limit:
    """The limits of one item in one kind of water body, in the item's unit."""

    key: str
    name: str
    unit: str
    direction: str  # "le": at most, "ge": at least, "range": between `values[0]` and `values[1]` for every class
    values: tuple[Decimal, ...]  # classes Ⅰ to Ⅴ
    is_assessed: bool  # one of the 21 items that make a section's class
    decimals: int | None  # of a period's mean when it is assessed; None: not laid down


@dataclasses.dataclass(frozen=True)
class Limits:
    """All items of table 1, by key and kind of water body, in the order of the standard."""

    version: str  # changes with the file
    by_key: dict[tuple[str, str], Limit]
    order: tuple[str, ...]  # every key once
    items: dict[str, Limit]  # every item the file names: also those without a class (water temperature, table 2), for name and unit

    def of(self, key: str, water_body: str = WaterBody.RIVER) -> Limit | None:
        """The limits of an item in a river or lake; None when the standard sets none there (total nitrogen in rivers)."""
        return self.by_key.get((key, water_body))

    def name(self, key: str) -> str:
        """The item's name without its explanation: 氨氮 of 氨氮(NH3-N)."""
        return self.items[key].name.split("(")[0] if key in self.items else key


def table(path: Path = PATH) -> Limits:
    """The limits of one file, by default those of GB 3838-2002; each file is read once."""
    return _read(path)


@functools.cache
def _read(path: Path) -> Limits:
    content = path.read_bytes()
    every = list(csv.DictReader(content.decode("utf-8").splitlines()))
    rows = [row for row in every if row["table"] == "1" and row["direction"] != "rule"]
    by_key: dict[tuple[str, str], Limit] = {}
    for row in rows:
        for body in WaterBody.values if row["water_body"] == "all" else [row["water_body"]]:
            by_key[row["key"], body] = _limit(row)
    order = tuple(dict.fromkeys(row["key"] for row in rows))
    items = {row["key"]: _limit(row) for row in every}
    return Limits(version=f"{path.stem}@{hashlib.sha256(content).hexdigest()[:8]}", by_key=by_key, order=order, items=items)


def in_force_on(day: dt.date, editions: Path = EDITIONS) -> Limits:
    """The limits in force on `day`. LookupError when there were none."""
    for starts_on, ends_on, path in _editions(editions):
        if starts_on <= day < ends_on:
            return table(path)
    raise LookupError(f"{day} 没有施行中的水质标准：请在 {editions.name} 中补一行。")


def first_day(editions: Path = EDITIONS) -> dt.date:
    """The day from which there are limits at all: nothing older can be judged."""
    return min(starts_on for starts_on, _, _ in _editions(editions))


@functools.cache
def _editions(path: Path) -> list[tuple[dt.date, dt.date, Path]]:
    """From which day, to the day before which, which file; an empty end is open."""
    with path.open(encoding="utf-8", newline="") as file:
        return [
            (
                dt.date.fromisoformat(row["in_force_from"]),
                dt.date.fromisoformat(row["in_force_to"] or "9999-12-31"),
                path.with_name(row["file"]),
            )
            for row in csv.DictReader(file)
        ]


def _limit(row: dict[str, str]) -> Limit:
    texts = row["I"].split("-") if row["direction"] == "range" else [row[name] for name in CLASSES if row[name]]
    return Limit(
        key=row["key"],
        name=row["name_zh"],
        unit=row["unit"],
        direction=row["direction"],
        values=tuple(Decimal(text) for text in texts),
        is_assessed=row["in_21_assessed"] == "1",
        decimals=int(row["assessment_decimals"]) if row["assessment_decimals"] else None,
    )
