"""What was measured, on its way in: read from a file, a page or the national feed, not yet written down."""

import dataclasses
import datetime as dt
from collections.abc import Mapping
from decimal import Decimal

from monitoring.enums import Cause, ReadingFlag, StationState, WaterClass
from monitoring.models import Section


@dataclasses.dataclass(frozen=True, slots=True)
class Value:
    """One laboratory value; `value` is None when missing, the detection limit when below it."""

    value: Decimal | None = None
    is_below_detection: bool = False
    flag: ReadingFlag = ReadingFlag.VALID


@dataclasses.dataclass(frozen=True, slots=True)
class Sample:
    """One manual sample: some items of one section at one time."""

    section: Section
    at: dt.datetime  # aware
    values: Mapping[str, Value]  # by item key
    source: str = "手工监测"  # the laboratory or monitoring station
    place: str = ""  # where it stood: 第4行, Sheet1 第4行
    known_to: str = "minute"  # or "day", "month": then a sample on record of that day or month is the one that is meant


@dataclasses.dataclass(frozen=True, slots=True)
class Run:
    """One run of an automatic station, values as published (text in the item's unit)."""

    section: Section
    at: dt.datetime  # aware
    values: Mapping[str, str]
    flags: Mapping[str, str] = dataclasses.field(default_factory=dict)  # {item key: CellFlag}
    state: StationState = StationState.NORMAL
    feed_class: WaterClass | None = None
    place: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Gap:
    """That a section was not sampled in a month, and why."""

    section: Section
    month: dt.date  # its first day
    cause: Cause
    note: str = ""
    place: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Fault:
    """One reason why something cannot be taken in: where (row as in Excel, column), what was there, how to mend it."""

    row: int
    column: str
    value: str
    reason: str
    sheet: str = ""


@dataclasses.dataclass(slots=True)
class Batch:
    """All that one file or page holds. With a fault in a table nothing of it is written; a feed's faulty rows stay out alone."""

    samples: list[Sample] = dataclasses.field(default_factory=list)
    runs: list[Run] = dataclasses.field(default_factory=list)
    gaps: list[Gap] = dataclasses.field(default_factory=list)
    errors: list[Fault] = dataclasses.field(default_factory=list)
    skipped: list[Fault] = dataclasses.field(default_factory=list)  # rows that are not ours: unknown stations, totals
    is_feed: bool = False
