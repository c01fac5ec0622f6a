"""What was read is written down: `rehearse` says what a batch would change, `take_in` does it, all or none, in one transaction.

A laboratory value that differs from the one on record becomes a revision and needs a reason; an automatic station corrects
itself without one. What is on record already is counted and left alone, so that a file may be brought twice.
"""

import dataclasses
import datetime as dt
import functools
import hashlib
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from itertools import islice
from typing import Any, TypeVar

from django.db import transaction
from django.utils import timezone

from linfen_water import clock, trail
from linfen_water.dates import add_months, month_end, month_start
from linfen_water.models import Region, User
from monitoring import limits, rules, services
from monitoring.enums import Cause, IntakeKind, PeriodKind, ReadingFlag, StationState, WaterClass
from monitoring.models import Assessment, Intake, Interruption, Reading, Section, StationRecord
from monitoring.periods import Period
from monitoring.samples import Batch, Fault, Gap, Run, Sample, Value

CHUNK = 2_000  # rows that are compared or written at once: a year of 100 stations never lies in memory twice
DEMO = "演示数据"
NEEDS_REASON = "与已有数值不同，请写明更正理由"
PUBLISHED = "{section}{month}的结果已发布（{now}），新增的数值会改变月均值和类别"
NEEDS_REASON_TO_ADD = "请写明理由"
REASON_LENGTH = Reading._meta.get_field("reason").max_length
_ROW = re.compile(r"^(?P<sheet>.*?)\s*第(?P<row>\d+)行")

_T = TypeVar("_T")


@dataclasses.dataclass(frozen=True, slots=True)
class Change:
    """One value that would change: of a sample, or of a run (`key` empty: the run as a whole is new)."""

    section: Section
    at: dt.datetime  # aware
    key: str  # item key
    old: str  # as a person writes it: 0.52, <0.025, --, *; empty: nothing on record
    new: str
    kind: str  # "new", "revised"
    place: str


@dataclasses.dataclass(frozen=True, slots=True)
class GapChange:
    """One month that would be marked as not sampled, or with another cause."""

    section: Section
    month: dt.date  # its first day
    old: str  # 断流; empty: nothing on record
    new: str
    kind: str  # "new", "revised"
    note: str
    place: str


@dataclasses.dataclass(slots=True)
class Rehearsal:
    """What a batch would do, or has done. Only what differs from the record is listed; what is the same is counted.

    `counts`: taken (new), revised, same, repeated (a run that stands in the file once more, the last one counts), gaps,
    skipped, refused - laboratory values and runs of stations, one each.
    """

    changes: list[Change] = dataclasses.field(default_factory=list)
    gaps: list[GapChange] = dataclasses.field(default_factory=list)
    errors: list[Fault] = dataclasses.field(default_factory=list)
    skipped: list[Fault] = dataclasses.field(default_factory=list)
    hints: list[Fault] = dataclasses.field(default_factory=list)  # worth a second look, and no hindrance
    counts: dict[str, int] = dataclasses.field(default_factory=dict)
    needs_reason: bool = False  # laboratory values, or a result that was published, would change and nobody said why
    intake: Intake | None = None  # once it is taken in
    _values: list["_NewValue"] = dataclasses.field(default_factory=list)
    _runs: list["_NewRun"] = dataclasses.field(default_factory=list)
    _months: dict[int, set[dt.date]] = dataclasses.field(default_factory=lambda: defaultdict(set))

    @property
    def fingerprint(self) -> str:
        """The same for the same changes, whatever the reason given: what somebody confirms is what they saw."""
        facts: list[list] = [[one.section.pk, one.at.timestamp(), one.key, one.old, one.new, one.kind] for one in self.changes]
        facts += [[one.section.pk, one.month.isoformat(), one.note, one.old, one.new, one.kind] for one in self.gaps]
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()

    @property
    def is_empty(self) -> bool:
        """Nothing would be written."""
        return not self.changes and not self.gaps


class Unfit(Exception):
    """The batch cannot be taken in as it is, or not any more; `rehearsal` says why."""

    def __init__(self, rehearsal: Rehearsal):
        self.rehearsal = rehearsal
        super().__init__(f"{len(rehearsal.errors)} errors")


@dataclasses.dataclass(frozen=True, slots=True)
class _NewValue:
    sample: Sample
    key: str
    value: Value
    before: Reading | None


@dataclasses.dataclass(frozen=True, slots=True)
class _NewRun:
    run: Run
    before: int | None  # key of the record it takes the place of
    revision: int


# ── Act ──────────────────────────────────────────────────────────────────────────────────────────────────────────────
def take_in(
    batch: Batch,
    *,
    kind: IntakeKind,
    name: str = "",
    digest: str = "",
    by: User | None,
    reason: str = "",
    seen: str = "",
    also_judge: Mapping[int, set[dt.date]] | None = None,
) -> Rehearsal:
    """Write down all that the batch changes, judge the touched periods again, and leave an `Intake` that says whence it came.

    Raises Unfit with a fresh rehearsal when a table has errors (a feed's faulty rows stay out alone), or when the
    rehearsal is not the one whose fingerprint was `seen`. `digest` is the SHA-256 of the file;
    `also_judge` are months of sections whose values the caller withdrew in the same transaction.
    """
    with transaction.atomic():
        _lock(section.pk for section in _sections_of(batch))
        rehearsal = rehearse(batch, reason=reason)
        if (rehearsal.errors and not batch.is_feed) or rehearsal.needs_reason or (seen and seen != rehearsal.fingerprint):
            raise Unfit(rehearsal)
        intake = Intake.objects.create(kind=kind, name=name[:200], digest=digest, counts=rehearsal.counts, by=by)
        _write_values(rehearsal._values, intake, reason)
        _write_runs(rehearsal._runs, intake)
        _write_gaps(rehearsal.gaps, intake)
        for pk, months in (also_judge or {}).items():
            rehearsal._months[pk] |= months
        _reassess(rehearsal._months, by)
        if not rehearsal.is_empty:
            changes = {"counts": [None, rehearsal.counts], "name": [None, intake.name]}
            changes |= {
                f"{gap.section.name} {gap.month:%Y-%m}": [gap.old or None, gap.new] for gap in rehearsal.gaps
            }  # they keep no revisions
            trail.record(action="readings.take_in", subject=intake, by=by, changes=changes, reason=reason)
    rehearsal.intake = intake
    return rehearsal


def wants_reason(fault: Fault) -> bool:
    """Whether a written reason mends it."""
    return fault.reason.endswith((NEEDS_REASON, NEEDS_REASON_TO_ADD))


def set_gap(section: Section, month: dt.date, cause: Cause | None, note: str, by: User | None) -> None:
    """Say why `section` was not sampled in the month (any day of it), or with None take that back; judge again.

    Raises Unfit when the month has valid values.
    """
    month = month_start(month)
    if cause is not None:
        take_in(Batch(gaps=[Gap(section, month, cause, note)]), kind=IntakeKind.FORM, by=by)
        return
    with transaction.atomic():
        _lock({section.pk})
        for gone in Interruption.objects.filter(section=section, month=month):
            changes = {"cause": [gone.get_cause_display(), None], "month": [None, f"{month:%Y-%m}"]}
            gone.delete()
            _reassess({section.pk: {month}}, by)
            trail.record(action="section.resume", subject=section, by=by, county=section.county, changes=changes, reason=note)


@dataclasses.dataclass(frozen=True, slots=True)
class ResultChange:
    """A published result that would get another class."""

    section: Section
    period: Period
    old: WaterClass | None
    new: WaterClass | None


def foresee(rehearsal: Rehearsal) -> list[ResultChange]:
    """The published results whose class what was rehearsed would change. It is written, judged and rolled back: nothing stays."""
    if not rehearsal._values and not rehearsal.gaps:
        return []
    with transaction.atomic():
        _retire(Reading, [one.before.pk for one in rehearsal._values if one.before and one.before.is_live])
        Reading.objects.bulk_create((_reading(one, None, NEEDS_REASON) for one in rehearsal._values), batch_size=CHUNK)
        _write_gaps(rehearsal.gaps, None)
        sections = Section.objects.select_related("county").filter(pk__in=list(rehearsal._months))
        months = {one: rehearsal._months[one.pk] for one in sections}
        found = services.differing(months=months, published_on=clock.today(), source=source_of_results())
        transaction.set_rollback(True)
    return [
        ResultChange(section, Period(row.starts_on, row.ends_on, row.period_kind), _class(before.water_class), _class(row.water_class))
        for section, rows in found.items()
        for row, before in rows
        if before and before.water_class != row.water_class
    ]


def _class(number: int | None) -> WaterClass | None:
    return WaterClass(number) if number else None


def _sections_of(batch: Batch) -> set[Section]:
    return {sample.section for sample in batch.samples} | {run.section for run in batch.runs} | {gap.section for gap in batch.gaps}


def _lock(sections: Iterable[int]) -> None:
    """Whoever writes values of a section holds its row; always in one order, so that no two wait for each other."""
    list(Section.objects.select_for_update().filter(pk__in=set(sections)).order_by("pk").values_list("pk"))


def _write_values(found: list[_NewValue], intake: Intake, reason: str) -> None:
    _retire(Reading, [one.before.pk for one in found if one.before and one.before.is_live])
    Reading.objects.bulk_create((_reading(one, intake, reason) for one in found), batch_size=CHUNK)


def _reading(one: _NewValue, intake: Intake | None, reason: str) -> Reading:
    return Reading(
        section=one.sample.section,
        sampled_at=one.sample.at,
        parameter=one.key,
        value=one.value.value,
        is_below_detection=one.value.is_below_detection,
        flag=one.value.flag,
        revision=one.before.revision + 1 if one.before else 1,
        reason=reason[:REASON_LENGTH] if one.before else "",
        source=one.sample.source[:60],
        intake=intake,
        place=one.sample.place[:60],
    )


def _write_runs(found: list[_NewRun], intake: Intake) -> None:
    for some in _chunks(found):
        _retire(StationRecord, [one.before for one in some if one.before])
        StationRecord.objects.bulk_create([_record(one, intake) for one in some])


def _record(one: _NewRun, intake: Intake) -> StationRecord:
    run = one.run
    return StationRecord(
        section=run.section,
        at=run.at,
        values=dict(run.values),
        flags=dict(run.flags),
        state=run.state,
        feed_class=run.feed_class,
        water_class=station_class(run),
        revision=one.revision,
        intake=intake,
    )


def station_class(run: Run) -> WaterClass | None:
    """Our class of one run: judged on the values as they are; None when an assessed item that the station has is missing.

    A stopped station is not evaluated whatever it sends, one under maintenance only where the feed gives a class.
    """
    if run.state == StationState.STOPPED or (run.state == StationState.MAINTENANCE and run.feed_class is None):
        return None
    values: dict[str, Decimal | None] = {key: Decimal(text) for key, text in run.values.items()} | dict.fromkeys(run.flags)
    return rules.judge(values, limits.in_force_on(timezone.localtime(run.at).date()), run.section.water_body).water_class


def _retire(model: type[Reading] | type[StationRecord], pks: list[int]) -> None:
    for some in _chunks(pks):
        model.objects.filter(pk__in=some).update(is_live=False)


def _write_gaps(found: list[GapChange], intake: Intake | None) -> None:
    for one in found:
        defaults = {"cause": Cause(_CAUSES[one.new]), "note": one.note[:200], "intake": intake}
        Interruption.objects.update_or_create(section=one.section, month=one.month, defaults=defaults)


def _reassess(months: dict[int, set[dt.date]], by: User | None) -> None:
    """Publish today what the months amount to now. In a demo every result is one, also where a typed value entered it."""
    source = source_of_results()
    sections = Section.objects.select_related("county").filter(pk__in=list(months))
    services.reassess_all(months={one: months[one.pk] for one in sections}, published_on=clock.today(), source=source, by=by)


# ── Rehearse ─────────────────────────────────────────────────────────────────────────────────────────────────────────
def rehearse(batch: Batch, *, reason: str = "") -> Rehearsal:
    """Compare the batch with what is on record. The number of queries grows with the chunks, never with the rows."""
    outcome = Rehearsal(errors=list(batch.errors), skipped=list(batch.skipped))
    counts: Counter[str] = Counter()
    _compare_samples(batch.samples, outcome, counts, reason)
    _compare_runs(batch.runs, outcome, counts)
    _compare_gaps(batch, outcome, counts)
    outcome.counts = {name: counts[name] for name in ("taken", "revised", "same", "repeated", "gaps")}
    outcome.counts |= {"skipped": len(outcome.skipped), "refused": len(outcome.errors)}
    return outcome


def _compare_samples(samples: list[Sample], outcome: Rehearsal, counts: Counter[str], reason: str) -> None:
    on_record = _readings_of(samples)
    met: dict[tuple, Value] = {}
    for sample in _settled(samples, on_record, outcome):
        for key, value in sample.values.items():
            place = sample.section.pk, sample.at, key
            if place in met:
                if not _is_same(met[place], value):
                    outcome.errors.append(_fault(sample, key, value, "同一断面同一时间的这一项前面已有另一个数值：请只保留一个"))
                continue
            met[place] = value
            if fault := _unstorable(value.value):
                outcome.errors.append(_fault(sample, key, value, fault))
                continue
            _compare_value(_NewValue(sample, key, value, on_record.get(place)), outcome, counts, reason)
    _refuse_in_gaps(outcome)
    _ask_for_published_months(outcome, reason)


def _ask_for_published_months(outcome: Rehearsal, reason: str) -> None:
    """A value added to a month whose result was published changes it as a correction does, and needs a reason like one. One query.

    What was published today is still being typed: a sheet is filled in over several saves.
    """
    added: dict[tuple[int, dt.date], Sample] = {}
    for one in outcome._values:
        if one.before is None:
            added.setdefault((one.sample.section.pk, month_start(timezone.localtime(one.sample.at).date())), one.sample)
    if not added:
        return
    today = clock.today()
    published = Assessment.objects.standing(today).filter(
        period_kind=PeriodKind.MONTH,
        section__in={pk for pk, _ in added},
        starts_on__in={month for _, month in added},
        published_on__lt=today,
    )
    for row in published.exclude(items=[]).order_by("section", "starts_on"):
        if sample := added.get((row.section_id, row.starts_on)):
            now = f"{_class_label(row.water_class)}类" if row.water_class else "未评价"
            told = PUBLISHED.format(section=sample.section.name, month=f"{row.starts_on.year}年{row.starts_on.month}月", now=now)
            fault = _at_place(sample.place, "采样日期", f"{timezone.localtime(sample.at):%m-%d %H:%M}", told)
            outcome.hints.append(fault)
            if not reason.strip():
                outcome.needs_reason = True
                outcome.errors.append(dataclasses.replace(fault, reason=f"{told}：{NEEDS_REASON_TO_ADD}"))


def _refuse_in_gaps(outcome: Rehearsal) -> None:
    """A month that is on record as not sampled must first be said to be sampled: it cannot be both. One query."""
    found: dict[tuple[int, dt.date], Sample] = {}
    for one in outcome._values:
        if _is_usable(one.value):
            found.setdefault((one.sample.section.pk, month_start(timezone.localtime(one.sample.at).date())), one.sample)
    if not found:
        return
    rows = Interruption.objects.filter(section__in={pk for pk, _ in found}, month__in={month for _, month in found})
    for row in rows:
        if sample := found.get((row.section_id, row.month)):
            reason = f"{row.month.year}年{row.month.month}月已记为{row.get_cause_display()}：请先在“监测数据”页把它改回“正常”"
            outcome.errors.append(_at_place(sample.place, "断面", sample.section.name, reason))


def _is_usable(value: Value) -> bool:
    return value.value is not None and value.flag != ReadingFlag.INVALID


def _compare_value(one: _NewValue, outcome: Rehearsal, counts: Counter[str], reason: str) -> None:
    before = value_of(one.before) if one.before and one.before.is_live else None
    if before and _is_same(before, one.value):
        counts["same"] += 1
        return
    old, kind = (shown(before) if before else "", "revised" if one.before else "new")
    counts["revised" if one.before else "taken"] += 1
    sample = one.sample
    outcome.changes.append(Change(sample.section, sample.at, one.key, old, shown(one.value), kind, sample.place))
    outcome._values.append(one)
    outcome._months[sample.section.pk].add(month_start(timezone.localtime(sample.at).date()))
    if one.before and not reason.strip():
        outcome.needs_reason = True
        outcome.errors.append(_fault(sample, one.key, one.value, NEEDS_REASON))


def _readings_of(samples: list[Sample]) -> dict[tuple, Reading]:
    """The last revision of every value of these sections in these months. One query."""
    if not samples:
        return {}
    days = [timezone.localtime(sample.at).date() for sample in samples]
    rows = Reading.objects.filter(
        section__in={sample.section.pk for sample in samples},
        sampled_at__gte=_midnight(month_start(min(days))),
        sampled_at__lt=_midnight(add_months(max(days), 1)),
    ).order_by("revision")
    return {(row.section_id, row.sampled_at, row.parameter): row for row in rows}


def _midnight(day: dt.date) -> dt.datetime:
    return timezone.make_aware(dt.datetime.combine(day, dt.time()))


def _settled(samples: list[Sample], on_record: dict[tuple, Reading], outcome: Rehearsal) -> Iterator[Sample]:
    """A sample of which only the day or the month is known is the one on record for it, if there is just one."""
    times: dict[tuple, set[dt.datetime]] = defaultdict(set)
    for pk, at, _ in on_record:
        day = timezone.localtime(at).date()
        times[pk, "day", day].add(at)
        times[pk, "month", month_start(day)].add(at)
    for sample in samples:
        day = timezone.localtime(sample.at).date()
        found = times.get((sample.section.pk, sample.known_to, day if sample.known_to == "day" else month_start(day)), set())
        if len(found) > 1:
            when = "当天" if sample.known_to == "day" else "本月"
            wanted = "时间" if sample.known_to == "day" else "日期"
            reason = f"{when}已有{len(found)}次采样，不知是哪一次：请写明采样{wanted}"
            outcome.errors.append(_at_place(sample.place, "采样日期", f"{day}", reason))
            continue
        in_month = times.get((sample.section.pk, "month", month_start(day)), set())
        if not found and in_month and sample.at not in in_month:
            days = "、".join(f"{timezone.localtime(at):%m-%d %H:%M}" for at in sorted(in_month))
            reason = f"本月已有采样（{days}）：这将是另一次，月值取各次平均；若是更正，请写同一采样时间"
            outcome.hints.append(_at_place(sample.place, "采样日期", f"{timezone.localtime(sample.at):%m-%d %H:%M}", reason))
        yield dataclasses.replace(sample, at=found.pop()) if found else sample


def value_of(reading: Reading) -> Value:
    return Value(reading.value, reading.is_below_detection, ReadingFlag(reading.flag))


def shown(value: Value) -> str:
    """A laboratory value as a person writes it into a table: 0.52, <0.025, -- (missing), * (not monitored), 0.52（存疑）."""
    if value.flag == ReadingFlag.NOT_MONITORED:
        return "*"
    if value.value is None:
        return "--"
    text = ("<" if value.is_below_detection else "") + _plain(value.value)
    return f"{text}（{value.flag.label}）" if value.flag != ReadingFlag.VALID else text


def _plain(value: Decimal) -> str:
    """Without an exponent and without the zeros that the database adds."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _is_same(one: Value, other: Value) -> bool:
    return one == other  # Decimals compare as numbers: 2.0 is 2.00


_VALUE = Reading._meta.get_field("value")


def _unstorable(value: Decimal | None) -> str:
    """Why a number does not fit into the column, which must never round it; "" when it does."""
    if value is None:
        return ""
    if not value.is_finite() or abs(value) >= Decimal(10) ** (_VALUE.max_digits - _VALUE.decimal_places):
        return "数值过大：请核对数值和单位"
    digits = value.normalize().as_tuple()
    if isinstance(digits.exponent, int) and -digits.exponent > _VALUE.decimal_places:
        return f"小数超过{_VALUE.decimal_places}位：请核对数值和单位"
    return ""


def _compare_runs(runs: list[Run], outcome: Rehearsal, counts: Counter[str]) -> None:
    """Of several runs of one station and time the last one counts: the feed repeats a time with a value updated."""
    last = {(run.section.pk, run.at): run for run in runs}
    counts["repeated"] += len(runs) - len(last)
    for some in _chunks(last.values()):
        on_record = _records_of(some)
        for run in some:
            _compare_run(run, on_record.get((run.section.pk, run.at)), outcome, counts)


def _compare_run(run: Run, before: StationRecord | None, outcome: Rehearsal, counts: Counter[str]) -> None:
    if before is None or not before.is_live:
        differences = [Change(run.section, run.at, "", "", _summary(run), "revised" if before else "new", run.place)]
    else:
        differences = list(_differences(run, before))
    if not differences:
        counts["same"] += 1
        return
    counts["revised" if before else "taken"] += 1
    outcome.changes += differences
    outcome._runs.append(_NewRun(run, before.pk if before and before.is_live else None, before.revision + 1 if before else 1))


def _records_of(runs: list[Run]) -> dict[tuple, StationRecord]:
    times = [run.at for run in runs]
    rows = StationRecord.objects.filter(section__in={run.section.pk for run in runs}, at__gte=min(times), at__lte=max(times))
    rows = rows.only("section", "at", "values", "flags", "state", "feed_class", "revision", "is_live").order_by("revision")
    return {(row.section_id, row.at): row for row in rows}


def _differences(run: Run, before: StationRecord) -> Iterator[Change]:
    """Item by item what the run says otherwise than the record; its state and class last."""
    change = functools.partial(Change, run.section, run.at, kind="revised", place=run.place)
    for key in [*before.values, *before.flags, *(key for key in (*run.values, *run.flags) if key not in before.values | before.flags)]:
        old, new = _cell(key, before.values, before.flags), _cell(key, run.values, run.flags)
        if old != new and not _is_same_number(old, new):
            yield change(key=key, old=old, new=new)
    if run.state != before.state:
        yield change(key="state", old=StationState(before.state).label, new=StationState(run.state).label)
    if run.feed_class != before.feed_class:
        yield change(key="feed_class", old=_class_label(before.feed_class), new=_class_label(run.feed_class))


def _cell(key: str, values: Any, flags: Any) -> str:
    """A station's cell in words: its text, --, --（极值过滤）, or * where the item is not monitored."""
    if key in values:
        return values[key]
    flag = flags.get(key)
    return "*" if flag is None else "--" if flag == "missing" else "--（极值过滤）"


def _is_same_number(one: str, other: str) -> bool:
    return one[:1].isdigit() and other[:1].isdigit() and Decimal(one) == Decimal(other)


def _summary(run: Run) -> str:
    return f"{len(run.values)}项" + (f"，{run.feed_class.label}类" if run.feed_class else "")


def _class_label(water_class: int | None) -> str:
    return WaterClass(water_class).label if water_class else "--"


_CAUSES = {cause.label: cause for cause in Cause}


def _compare_gaps(batch: Batch, outcome: Rehearsal, counts: Counter[str]) -> None:
    if not batch.gaps:
        return
    sections, months = {gap.section for gap in batch.gaps}, [gap.month for gap in batch.gaps]
    rows = Interruption.objects.filter(section__in=sections, month__gte=min(months), month__lte=max(months))
    on_record = {(row.section_id, row.month): row for row in rows}
    sampled = _sampled_months(batch, sections, min(months), max(months))
    met: dict[tuple, Gap] = {}
    for gap in batch.gaps:
        place = gap.section.pk, gap.month
        if place in sampled:
            reason = f"{gap.month.year}年{gap.month.month}月已有监测值，不能再记为{gap.cause.label}：请先核对"
            outcome.errors.append(_at_place(gap.place, gap.section.name, gap.cause.label, reason))
        elif place in met:
            if met[place].cause != gap.cause:
                reason = f"前面已写明{met[place].cause.label}：一个月只写一个原因"
                outcome.errors.append(_at_place(gap.place, gap.section.name, gap.cause.label, reason))
        else:
            met[place] = gap
            _compare_gap(gap, on_record.get(place), outcome, counts)


def _compare_gap(gap: Gap, before: Interruption | None, outcome: Rehearsal, counts: Counter[str]) -> None:
    if before and (before.cause, before.note) == (gap.cause, gap.note or before.note):
        counts["same"] += 1
        return
    old, kind = (before.get_cause_display(), "revised") if before else ("", "new")
    counts["gaps"] += 1
    note = gap.note or (before.note if before else "")
    outcome.gaps.append(GapChange(gap.section, gap.month, old, gap.cause.label, kind, note, gap.place))
    outcome._months[gap.section.pk].add(gap.month)


def _sampled_months(batch: Batch, sections: set[Section], first: dt.date, last: dt.date) -> set[tuple[int, dt.date]]:
    """Months of `sections` that have a usable value, on record or in the batch itself."""
    found = {
        (sample.section.pk, month_start(timezone.localtime(sample.at).date()))
        for sample in batch.samples
        if any(map(_is_usable, sample.values.values()))
    }
    months = services.months_of(sections, first, month_end(last))
    return found | {
        (pk, month)
        for pk, of in months.items()
        for month, items in of.items()
        if any(value is not None for values in items.values() for value in values)
    }


# ── In words ─────────────────────────────────────────────────────────────────────────────────────────────────────────
def _fault(sample: Sample, key: str, value: Value, reason: str) -> Fault:
    return _at_place(sample.place, limits.table().name(key), shown(value), reason)


def _at_place(place: str, column: str, value: str, reason: str) -> Fault:
    """A fault found after reading: row and sheet are taken from where the value stood; 0 where it stood in no table."""
    found = _ROW.match(place)
    return Fault(int(found["row"]) if found else 0, column, value, reason, found["sheet"].strip() if found else "")


def _chunks(rows: Iterable[_T]) -> Iterator[list[_T]]:
    rows = iter(rows)
    while some := list(islice(rows, CHUNK)):
        yield some


def source_of_results() -> str:
    """What an assessment made now names as its source: in a demo it stands on invented values, whoever typed some of them."""
    return DEMO if Region.current().is_demo else services.MANUAL
