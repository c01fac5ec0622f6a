"""A batch is compared with the record and taken in whole or not at all."""

import concurrent.futures
import dataclasses
import datetime as dt
from decimal import Decimal as D

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from linfen_water.models import TrailEvent
from monitoring import recording, series
from monitoring.enums import Cause, IntakeKind, ReadingFlag, StationState, WaterClass
from monitoring.models import Assessment, Intake, Interruption, Reading, StationRecord
from monitoring.samples import Batch, Fault, Gap, Run, Sample, Value
from tests.factories import CountyFactory, RegionFactory, SectionFactory, UserFactory

pytestmark = pytest.mark.django_db

GOOD = {"ph": "8", "do": "9", "codmn": "3", "nh3n": "0.3", "tp": "0.05"}


@pytest.fixture
def section():
    RegionFactory()
    return SectionFactory(name="甲断面")


def at(text):
    return timezone.make_aware(dt.datetime.fromisoformat(text))


def sample(section, when="2025-01-06 10:00", place="第4行", **values):
    found = {key: value if isinstance(value, Value) else Value(D(value)) for key, value in values.items()}
    return Sample(section, at(when), found, place=place)


def run(section, when="2025-01-06 08:00", feed_class=WaterClass.II, **values):
    return Run(section, at(when), GOOD | values, feed_class=feed_class, state=StationState.NORMAL, place="第1条")


def take_in(*found, by=None, reason="", **more):
    batch = Batch(
        samples=[one for one in found if isinstance(one, Sample)],
        runs=[one for one in found if isinstance(one, Run)],
        gaps=[one for one in found if isinstance(one, Gap)],
        errors=[one for one in found if isinstance(one, Fault)],
        is_feed=any(isinstance(one, Run) for one in found),
    )
    return recording.take_in(batch, kind=IntakeKind.CSV, name="一月.csv", by=by, reason=reason, **more)


def counts(**more):
    return dict.fromkeys(("taken", "revised", "same", "repeated", "gaps", "skipped", "refused"), 0) | more


def said(rehearsal):
    return [(change.key, change.old, change.new, change.kind) for change in rehearsal.changes]


# ── Laboratory values ────────────────────────────────────────────────────────────────────────────────────────────────
def test_new_values_are_written_judged_and_say_whence_they_came(section):
    person = UserFactory()
    outcome = take_in(sample(section, **GOOD), by=person, digest="ab")
    assert outcome.counts == counts(taken=5)
    reading = Reading.objects.get(parameter="nh3n")
    assert (reading.value, reading.revision, reading.place) == (D("0.3"), 1, "第4行")
    assert (reading.intake.by, reading.intake.digest) == (person, "ab")
    assert Assessment.objects.get(period_kind="month").water_class == WaterClass.II
    event = TrailEvent.objects.get(action="readings.take_in")
    assert (event.by, event.subject_id, event.changes["counts"][1]["taken"]) == (person, str(outcome.intake.pk), 5)


def test_the_same_file_twice_changes_nothing(section):
    take_in(sample(section, **GOOD))
    events = TrailEvent.objects.count()
    again = take_in(sample(section, **GOOD | {"ph": "8.00"}))
    assert (again.counts, again.is_empty) == (counts(same=5), True)
    assert (Reading.objects.count(), TrailEvent.objects.count()) == (5, events)


def test_a_differing_value_needs_a_reason_and_becomes_a_revision(section):
    take_in(sample(section, **GOOD))
    with pytest.raises(recording.Unfit) as refused:
        take_in(sample(section, nh3n="1.2"))
    (error,) = refused.value.rehearsal.errors
    assert (error.row, error.column, error.value, error.reason) == (4, "氨氮", "1.2", "与已有数值不同，请写明更正理由")
    outcome = take_in(sample(section, nh3n="1.2"), reason="实验室复核")
    assert said(outcome) == [("nh3n", "0.3", "1.2", "revised")]
    old, new = Reading.objects.filter(parameter="nh3n").order_by("revision")
    assert (old.is_live, new.is_live, new.revision, new.reason) == (False, True, 2, "实验室复核")
    month = Assessment.objects.filter(period_kind="month").order_by("revision")
    assert [row.water_class for row in month] == [WaterClass.II, WaterClass.IV]


def test_what_was_seen_is_what_is_written(section):
    first = recording.rehearse(Batch(samples=[sample(section, **GOOD)]))
    take_in(sample(section, nh3n="0.9"))
    with pytest.raises(recording.Unfit) as refused:
        take_in(sample(section, **GOOD), reason="复核", seen=first.fingerprint)
    assert Reading.objects.count() == 1
    take_in(sample(section, **GOOD), reason="复核", seen=refused.value.rehearsal.fingerprint)
    assert Reading.objects.filter(is_live=True).count() == 5


def test_the_reason_given_does_not_change_the_fingerprint(section):
    take_in(sample(section, **GOOD))
    batch = Batch(samples=[sample(section, nh3n="1.2")])
    bare, reasoned = recording.rehearse(batch), recording.rehearse(batch, reason="复核")
    assert (bare.needs_reason, reasoned.needs_reason) == (True, False)
    assert bare.fingerprint == reasoned.fingerprint


def test_a_table_with_one_error_is_refused_whole(section):
    with pytest.raises(recording.Unfit):
        take_in(sample(section, **GOOD), Fault(5, "氨氮", "x", "不是数值"))
    assert (Reading.objects.count(), Intake.objects.count()) == (0, 0)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        pytest.param(Value(D("0.0250000")), "0.025", id="数值"),
        pytest.param(Value(D("20")), "20", id="整数"),
        pytest.param(Value(D("0.025"), is_below_detection=True), "<0.025", id="低于检出限"),
        pytest.param(Value(), "--", id="缺测"),
        pytest.param(Value(flag=ReadingFlag.NOT_MONITORED), "*", id="不监测"),
        pytest.param(Value(D("3"), flag=ReadingFlag.DOUBTFUL), "3（存疑）", id="存疑"),
    ],
)
def test_a_value_is_shown_as_a_person_writes_it_and_comes_back_the_same(section, value, shown):
    assert recording.shown(value) == shown
    take_in(sample(section, nh3n=value))
    assert recording.value_of(Reading.objects.get()) == value


@pytest.mark.parametrize("value", ["0.12345678", "10000000", "1e400", "NaN", "Infinity"])
def test_a_number_that_the_record_would_round_is_refused(section, value):
    with pytest.raises(recording.Unfit) as refused:
        take_in(sample(section, fc=value))
    assert "请核对数值和单位" in refused.value.rehearsal.errors[0].reason


def test_one_cell_given_twice_with_two_values_is_refused(section):
    take_in(sample(section, nh3n="0.3"), sample(section, nh3n="0.30", place="第5行"))
    with pytest.raises(recording.Unfit) as refused:
        take_in(sample(section, tp="0.1"), sample(section, tp="0.2", place="表一 第5行"))
    (error,) = refused.value.rehearsal.errors
    assert (error.sheet, error.row, error.column) == ("表一", 5, "总磷")


@pytest.mark.parametrize(
    ("known_to", "when"), [("day", "2025-01-06 12:00"), ("month", "2025-01-01 12:00")], ids=["只知道日期", "只知道月份"]
)
def test_a_sample_without_its_hour_is_the_one_on_record(section, known_to, when):
    take_in(sample(section, "2025-01-06 10:00", **GOOD))
    vague = dataclasses.replace(sample(section, when, **GOOD), known_to=known_to)
    assert take_in(vague).counts == counts(same=5)
    other = dataclasses.replace(sample(section, when.replace("-01-", "-02-", 1), **GOOD), known_to=known_to)
    assert take_in(other).counts == counts(taken=5)


def test_a_sample_without_its_day_is_refused_when_the_month_has_several(section):
    take_in(sample(section, "2025-01-06 10:00", **GOOD), sample(section, "2025-01-20 10:00", **GOOD))
    with pytest.raises(recording.Unfit) as refused:
        take_in(dataclasses.replace(sample(section, "2025-01-01 12:00", **GOOD), known_to="month"))
    assert [error.reason for error in refused.value.rehearsal.errors] == ["本月已有2次采样，不知是哪一次：请写明采样日期"]


def test_a_second_sample_of_a_month_is_taken_with_a_hint(section):
    take_in(sample(section, "2025-01-06 10:00", **GOOD))
    outcome = take_in(sample(section, "2025-01-20 10:00", **GOOD))
    assert outcome.counts == counts(taken=5)
    (hint,) = outcome.hints
    assert (hint.row, hint.value) == (4, "01-20 10:00")
    assert hint.reason == "本月已有采样（01-06 10:00）：这将是另一次，月值取各次平均；若是更正，请写同一采样时间"
    assert take_in(sample(section, "2025-01-20 10:00", **GOOD)).hints == []


# ── Stations ─────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_a_run_is_written_with_both_classes(section):
    take_in(run(section, feed_class=WaterClass.III, turbidity="12.5"))
    record = StationRecord.objects.get()
    assert (record.feed_class, record.water_class, record.values["turbidity"]) == (WaterClass.III, WaterClass.II, "12.5")
    assert not Assessment.objects.exists()


def test_a_missing_item_leaves_a_run_without_our_class(section):
    take_in(Run(section, at("2025-01-06 08:00"), {"ph": "8", "do": "9"}, flags={"tp": "missing"}))
    assert StationRecord.objects.get().water_class is None


@pytest.mark.parametrize(
    ("state", "feed_class", "ours"),
    [
        pytest.param(StationState.STOPPED, None, None, id="停站"),
        pytest.param(StationState.STOPPED, WaterClass.II, None, id="停站而发布类别"),
        pytest.param(StationState.MAINTENANCE, None, None, id="维护"),
        pytest.param(StationState.MAINTENANCE, WaterClass.II, WaterClass.II, id="维护而发布类别"),
        pytest.param(StationState.NORMAL, None, WaterClass.II, id="正常而未发布"),
        pytest.param(StationState.UNKNOWN, None, WaterClass.II, id="未说明"),
    ],
)
def test_a_station_that_does_not_work_is_not_evaluated(section, state, feed_class, ours):
    take_in(dataclasses.replace(run(section, feed_class=feed_class), state=state))
    record = StationRecord.objects.get()
    assert (record.feed_class, record.water_class) == (feed_class, ours)
    assert series.is_differing(record.feed_class, record.water_class) == (feed_class is not None and ours is None)


def test_a_station_corrects_itself_without_a_reason(section):
    take_in(run(section))
    outcome = take_in(run(section, nh3n="1.2", feed_class=WaterClass.IV))
    assert outcome.counts == counts(revised=1)
    assert said(outcome) == [("nh3n", "0.3", "1.2", "revised"), ("feed_class", "Ⅱ", "Ⅳ", "revised")]
    assert [(row.revision, row.is_live) for row in StationRecord.objects.order_by("revision")] == [(1, False), (2, True)]


def test_a_run_that_says_the_same_in_other_digits_is_the_same(section):
    take_in(run(section))
    assert take_in(run(section, nh3n="0.30")).counts == counts(same=1)


def test_of_one_time_twice_in_a_file_the_last_counts(section):
    outcome = take_in(run(section), run(section, nh3n="0.4"))
    assert outcome.counts == counts(taken=1, repeated=1)
    assert StationRecord.objects.get().values["nh3n"] == "0.4"


def test_a_feeds_faulty_rows_stay_out_alone(section):
    outcome = take_in(run(section), Fault(3, "pH", "700", "超出0到14"))
    assert outcome.counts == counts(taken=1, refused=1)


@pytest.mark.parametrize("sections", [1, 30])
def test_the_number_of_queries_does_not_grow_with_the_rows(section, sections, django_assert_num_queries):
    many = [section, *SectionFactory.create_batch(sections - 1, river=section.river, county=section.county)]
    gaps = [Gap(one, dt.date(2024, 12, 1), Cause.FROZEN) for one in many]
    batch = Batch(samples=[sample(one, **GOOD) for one in many], runs=[run(one) for one in many], gaps=gaps)
    with django_assert_num_queries(7):
        recording.rehearse(batch)


@pytest.mark.parametrize(
    ("state", "feed_class", "expected"),
    [
        pytest.param(StationState.NORMAL, None, WaterClass.II, id="正常"),
        pytest.param(StationState.STOPPED, WaterClass.III, None, id="停站不评"),
        pytest.param(StationState.MAINTENANCE, None, None, id="维护且未发布不评"),
        pytest.param(StationState.MAINTENANCE, WaterClass.II, WaterClass.II, id="维护而有发布类别"),
    ],
)
def test_a_station_that_stands_still_is_not_judged(section, state, feed_class, expected):
    assert recording.station_class(dataclasses.replace(run(section, feed_class=feed_class), state=state)) == expected


def test_a_value_added_to_a_published_month_needs_a_reason_like_a_correction(section, settings):
    settings.OFFICE_TODAY = dt.date(2025, 2, 10)
    take_in(sample(section, "2025-01-06 10:00", **GOOD))
    more = Batch(samples=[sample(section, "2025-01-20 10:00", nh3n="3.5")])
    assert not recording.rehearse(more).needs_reason, "on the day of its publication a month is still being typed"
    settings.OFFICE_TODAY = dt.date(2025, 2, 11)
    with pytest.raises(recording.Unfit) as refused:
        recording.take_in(more, kind=IntakeKind.FORM, by=None)
    (error,) = refused.value.rehearsal.errors
    assert recording.wants_reason(error)
    assert f"{section.name}2025年1月的结果已发布（Ⅱ类），新增的数值会改变月均值和类别：请写明理由" == error.reason
    assert Reading.objects.count() == len(GOOD)
    done = recording.take_in(more, kind=IntakeKind.FORM, by=None, reason="补测")
    assert any("的结果已发布" in hint.reason for hint in done.hints)
    assert Assessment.objects.filter(period_kind="month").order_by("revision").last().water_class == WaterClass.V
    assert TrailEvent.objects.filter(action="readings.take_in").last().reason == "补测"


def test_a_month_that_was_never_published_takes_values_without_a_reason(section, settings):
    settings.OFFICE_TODAY = dt.date(2025, 2, 10)
    recording.set_gap(section, dt.date(2024, 12, 1), Cause.FROZEN, "", UserFactory())
    settings.OFFICE_TODAY = dt.date(2025, 2, 11)
    assert not recording.rehearse(Batch(samples=[sample(section, "2025-01-06 10:00", **GOOD)])).needs_reason


# ── Months that nobody sampled ───────────────────────────────────────────────────────────────────────────────────────
def test_a_month_that_was_frozen_is_not_evaluated_and_may_be_taken_back(section):
    person = UserFactory()
    recording.set_gap(section, dt.date(2025, 1, 15), Cause.FROZEN, "全月封冻", person)
    gap = Interruption.objects.get()
    assert (gap.month, gap.note, gap.intake.by) == (dt.date(2025, 1, 1), "全月封冻", person)
    assert [row.note for row in Assessment.objects.all()] == ["结冰"]
    recording.set_gap(section, dt.date(2025, 1, 1), None, "记错月份", person)
    assert not Interruption.objects.exists()
    assert [row.note for row in Assessment.objects.order_by("revision")] == ["结冰", ""]
    assert TrailEvent.objects.get(action="section.resume").reason == "记错月份"


def test_a_month_with_values_is_not_marked_as_not_sampled(section):
    take_in(sample(section, **GOOD))
    with pytest.raises(recording.Unfit) as refused:
        recording.set_gap(section, dt.date(2025, 1, 1), Cause.NO_FLOW, "", None)
    assert refused.value.rehearsal.errors[0].reason == "2025年1月已有监测值，不能再记为断流：请先核对"


def test_another_cause_takes_the_place_of_the_first(section):
    recording.set_gap(section, dt.date(2025, 1, 1), Cause.FROZEN, "", None)
    outcome = take_in(Gap(section, dt.date(2025, 1, 1), Cause.NO_FLOW))
    assert [(gap.old, gap.new, gap.kind) for gap in outcome.gaps] == [("结冰", "断流", "revised")]
    assert Interruption.objects.get().cause == Cause.NO_FLOW


# ── Several people at once ───────────────────────────────────────────────────────────────────────────────────────────
def at_once(*batches, reason="复核"):
    """Take all batches in at the same time, each in a connection of its own."""

    def do(batch):
        try:
            return recording.take_in(batch, kind=IntakeKind.FORM, by=None, reason=reason).counts
        finally:
            connection.close()

    with concurrent.futures.ThreadPoolExecutor(len(batches)) as pool:
        return list(pool.map(do, batches))


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_the_same_values_brought_at_once_are_written_once():
    RegionFactory()
    sections = SectionFactory.create_batch(3)
    batch = Batch(samples=[sample(one, **GOOD) for one in sections], runs=[run(one) for one in sections])
    found = at_once(*[batch] * 6)
    assert sorted(count["taken"] for count in found) == [0, 0, 0, 0, 0, 18]
    assert (Reading.objects.count(), StationRecord.objects.count()) == (15, 3)
    assert Assessment.objects.filter(revision=1).count() == Assessment.objects.count()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_differing_values_brought_at_once_are_all_kept_and_one_is_live():
    RegionFactory()
    section = SectionFactory()
    at_once(*[Batch(samples=[sample(section, nh3n=f"0.{n}")], runs=[run(section, nh3n=f"0.{n}")]) for n in range(1, 9)])
    for model in (Reading, StationRecord):
        rows = model.objects.order_by("revision")
        assert [row.revision for row in rows] == list(range(1, 9))
        assert [row.is_live for row in rows] == [False] * 7 + [True]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_batches_that_meet_the_sections_in_opposite_order_do_not_block_each_other():
    RegionFactory()
    one, other = CountyFactory.create_batch(2)
    crossed = [SectionFactory(county=county) for county in (one, other, other, one)]
    pairs = [crossed[:2], crossed[2:], crossed[1::-1], crossed[:1:-1]] * 2
    found = at_once(*[Batch(samples=[sample(section, nh3n=f"0.{n}") for section in pair]) for n, pair in enumerate(pairs, 1)])
    assert sum(count["taken"] + count["revised"] for count in found) == 16
    assert Reading.objects.filter(is_live=True).count() == 4


def test_a_month_said_to_be_dry_takes_no_values_until_that_is_taken_back(section):
    take_in(Gap(section, dt.date(2025, 1, 1), Cause.NO_FLOW))
    with pytest.raises(recording.Unfit) as refused:
        take_in(sample(section, **GOOD))
    (fault,) = refused.value.rehearsal.errors
    assert (fault.row, fault.value) == (4, "甲断面")
    assert fault.reason == "2025年1月已记为断流：请先在“监测数据”页把它改回“正常”"
    assert not Reading.objects.exists()
    recording.set_gap(section, dt.date(2025, 1, 1), None, "", None)
    assert take_in(sample(section, **GOOD)).counts["taken"] == 5


def test_a_cause_that_changes_leaves_the_old_one_in_the_trail(section):
    take_in(Gap(section, dt.date(2025, 1, 1), Cause.NO_FLOW))
    take_in(Gap(section, dt.date(2025, 1, 1), Cause.FROZEN))
    found = [event.changes["甲断面 2025-01"] for event in TrailEvent.objects.filter(action="readings.take_in").order_by("pk")]
    assert found == [[None, "断流"], ["断流", "结冰"]]


# ── What would come of it ────────────────────────────────────────────────────────────────────────────────────────────
def test_results_that_would_change_are_foreseen_and_nothing_is_written(section):
    take_in(sample(section, **GOOD))
    before = Reading.objects.count(), Assessment.objects.count(), TrailEvent.objects.count(), Intake.objects.count()
    found = recording.foresee(recording.rehearse(Batch(samples=[sample(section, "2025-01-20 10:00", nh3n="3.5")])))
    month = next(one for one in found if one.period.kind == "month")
    assert (month.section, month.period.label, month.old, month.new) == (section, "2025年1月", WaterClass.II, WaterClass.V)
    assert (Reading.objects.count(), Assessment.objects.count(), TrailEvent.objects.count(), Intake.objects.count()) == before
    assert recording.foresee(recording.rehearse(Batch(samples=[sample(section, nh3n="0.31")]))) == []
    assert Reading.objects.filter(is_live=True).count() == len(GOOD)


def test_foreseeing_takes_as_many_queries_for_one_section_as_for_many(section, django_assert_num_queries):
    many = [section, *SectionFactory.create_batch(9, river=section.river, county=section.county)]
    take_in(*(sample(one, **GOOD) for one in many))
    with CaptureQueriesContext(connection) as of_one:
        recording.foresee(recording.rehearse(Batch(samples=[sample(section, nh3n="3.5")])))
    with django_assert_num_queries(len(of_one)):
        assert len(recording.foresee(recording.rehearse(Batch(samples=[sample(one, nh3n="3.5") for one in many])))) >= 10
