"""What a section's page reads: results, neighbours, an item's months, a station's days."""

import datetime as dt
from decimal import Decimal

import pytest
from django.utils import timezone

from monitoring import limits, periods, rules, series
from monitoring.enums import Cause, CellFlag, PeriodKind, ReadingFlag, StationState, WaterClass
from monitoring.models import Assessment, Reading, StationRecord
from monitoring.services import causes_of
from tests.factories import RiverFactory, SectionFactory

pytestmark = pytest.mark.django_db

DAY = dt.date(2025, 2, 20)


def judged(section, period, water_class=WaterClass.III, *, published_on=None, revision=1, values=None, note=""):
    return Assessment.objects.create(
        section=section, period_kind=period.kind, starts_on=period.starts_on, ends_on=period.ends_on, water_class=water_class,
        published_on=published_on or period.ends_on + dt.timedelta(days=10), revision=revision, values=values or {}, note=note,
        items=list(values or {}), source="试",
    )  # fmt: skip


def month(year, number):
    return periods.month(dt.date(year, number, 1))


def measured(section, day, key, value, **more):
    at = timezone.make_aware(dt.datetime.combine(day, dt.time(10)))
    return Reading.objects.create(section=section, sampled_at=at, parameter=key, value=Decimal(value), source="试", **more)


def run(section, at, values, **more):
    return StationRecord.objects.create(section=section, at=timezone.make_aware(at), values=values, **more)


def item(section, key):
    return series.item_of(key, section, limits.table())


# ── Results ──
def test_results_are_those_published_by_the_day_in_their_last_revision():
    section = SectionFactory()
    judged(section, month(2024, 12), WaterClass.IV, published_on=dt.date(2025, 1, 10))
    judged(section, month(2024, 12), WaterClass.III, published_on=dt.date(2025, 2, 1), revision=2)
    judged(section, month(2025, 1), published_on=dt.date(2025, 2, 21))
    judged(section, periods.to_date(dt.date(2024, 3, 1)))
    assert {period: row.water_class for period, row in series.results(section, DAY).items()} == {month(2024, 12): WaterClass.III}
    assert series.results(section, dt.date(2025, 1, 31))[month(2024, 12)].water_class == WaterClass.IV
    assert [row.revision for row in series.revisions(section, month(2024, 12), DAY)] == [2, 1]


def test_old_months_are_left_out_and_old_years_stay():
    section = SectionFactory()
    for period in (month(2022, 12), month(2023, 1), periods.year(dt.date(2019, 1, 1))):
        judged(section, period)
    assert list(series.results(section, DAY)) == [periods.year(dt.date(2019, 1, 1)), month(2023, 1)]


def test_the_ribbon_says_why_a_month_has_no_class():
    section = SectionFactory()
    judged(section, month(2024, 10), WaterClass.V)
    judged(section, month(2024, 11), None, note="氨氮缺测")
    section.interruptions.create(month=dt.date(2024, 12, 1), cause=Cause.FROZEN)
    causes = causes_of([section], dt.date(2023, 1, 1), DAY)[section.pk]
    this_year, last_year, _ = series.ribbon(series.results(section, DAY), causes, {2024: 4}, DAY)
    assert [(cell.water_class, cell.note) for cell in last_year.months[8:]] == [
        (None, "未监测"),
        (WaterClass.V, ""),
        (None, "氨氮缺测"),
        (None, "结冰"),
    ]
    assert [cell.note for cell in this_year.months[:3]] == ["待发布", "", ""]  # January's result is still to come, February is not over
    assert (last_year.target, this_year.target) == (WaterClass.IV, None)


def test_nothing_is_waited_for_at_a_section_without_any_result():
    ribbon = series.ribbon({}, {}, {}, DAY)
    assert ribbon[0].months[0].note == "未监测"


# ── Along the river ──
@pytest.fixture
def rows():
    """Names of the rows by place: a main river with a tributary coming in at 50 km, itself running into another one."""
    from monitoring.reports import section_table

    trunk = RiverFactory(name="干流", rank=1)
    main = RiverFactory(name="主河", parent=trunk, mouth_km=300.0)
    side = RiverFactory(name="支流", parent=main, mouth_km=50.0)
    places = [("上", main, 10), ("中", main, 60), ("下", main, 90), ("支上", side, 5), ("支下", side, 20), ("干", trunk, 310)]
    sections = {name: SectionFactory(name=name, river=river, order_along=km) for name, river, km in places}
    for section in sections.values():
        judged(section, month(2025, 1))
    return sections, section_table(DAY, month(2025, 1)).rows, [trunk, main, side]


@pytest.mark.parametrize(
    ("name", "upstream", "downstream"),
    [
        pytest.param("上", [], "中", id="源头第一个"),
        pytest.param("中", ["上", "支下"], "下", id="中间有支流汇入"),
        pytest.param("下", ["中"], "干", id="下游在所汇入的河上"),
        pytest.param("支下", ["支上"], "中", id="支流最后一个"),
        pytest.param("干", [], None, id="出境"),
    ],
)
def test_neighbours_cross_the_mouths_of_rivers(rows, name, upstream, downstream):
    sections, table, rivers = rows
    found = series.along(sections[name], table, rivers)
    if name != "干":  # the main river comes in above it
        assert [row.name for row in found.upstream] == upstream
    else:
        assert [row.name for row in found.upstream] == ["下"]
    assert (found.downstream.name if found.downstream else None) == downstream


def test_stops_run_from_source_to_mouth_with_the_tributary_between(rows):
    sections, table, rivers = rows
    found = series.along(sections["中"], table, rivers)
    assert [(stop.row.name if stop.row else stop.tributary) for stop in found.stops] == ["上", "支流", "中", "下"]
    assert [stop.is_here for stop in found.stops] == [False, False, True, False]
    assert (found.mouth, found.mouth_km) == ("干流", 300.0)


def test_a_section_without_its_km_has_no_neighbours(rows):
    sections, table, rivers = rows
    sections["中"].order_along = None
    found = series.along(sections["中"], table, rivers)
    assert (found.upstream, found.downstream) == ((), None)


# ── One item ──
def test_items_due_come_first_then_what_else_was_measured():
    section = SectionFactory(x_items=["cod"])
    runs = [run(section, dt.datetime(2025, 2, 20, 8), {"water_temp": "3.0", "turbidity": "12"}, flags={"tn": CellFlag.MISSING})]
    found = series.items(section, {}, runs, limits.table())
    due = ["ph", "do", "codmn", "cod", "nh3n", "tp"]
    assert [(one.key, one.is_due) for one in found] == [(key, True) for key in due] + [
        ("water_temp", False),
        ("tn", False),
        ("turbidity", False),
    ]
    assert [one.key for one in series.measured_items(found, runs)] == ["water_temp", "tn", "turbidity"]
    assert found[-1].name == "浊度"


def test_months_carry_their_value_marks_and_gaps():
    section = SectionFactory()
    judged(section, month(2024, 10), values={"nh3n": "0.01"})
    judged(section, month(2024, 12), values={"nh3n": "1.20"})
    measured(section, dt.date(2024, 10, 6), "nh3n", "0.025", is_below_detection=True)
    measured(section, dt.date(2024, 12, 6), "nh3n", "9.9", is_live=False)
    measured(section, dt.date(2024, 12, 6), "nh3n", "1.2", revision=2, reason="复核", flag=ReadingFlag.DOUBTFUL)
    measured(section, dt.date(2024, 12, 7), "nh3n", "7", flag=ReadingFlag.INVALID)
    ammonia = item(section, "nh3n")
    readings = series.item_readings(section, ammonia, DAY)
    assert [(r.revision, r.is_live) for r in readings] == [(1, True), (2, True), (1, False), (1, True)]
    first, gap, last = series.month_values(series.results(section, DAY), ammonia, readings, {}, DAY)
    assert (first.value, first.water_class, first.samples, first.has_below_detection) == (Decimal("0.01"), WaterClass.I, 1, True)
    assert (gap.value, gap.note, gap.samples) == (None, "未监测", 0)
    assert (last.value, last.water_class, last.samples, last.is_doubtful) == (Decimal("1.20"), WaterClass.IV, 1, True)


def test_readings_after_the_day_are_not_known_yet():
    section = SectionFactory()
    measured(section, DAY, "tp", "0.1")
    measured(section, DAY + dt.timedelta(days=1), "tp", "0.2")
    assert [reading.value for reading in series.item_readings(section, item(section, "tp"), DAY)] == [Decimal("0.1")]


@pytest.mark.parametrize(
    ("value", "below", "expected"),
    [("0.5000000", False, "0.5"), ("0.0000400", True, "<0.00004"), ("1200", False, "1200"), (None, False, "缺测"), ("0", False, "0")],
)
def test_a_value_is_shown_as_it_was_written(value, below, expected):
    assert series.as_written(Reading(value=value and Decimal(value), is_below_detection=below)) == expected


def test_trends_speak_with_the_rules_own_sentence():
    section = SectionFactory()
    for year, value in zip(range(2018, 2025), ("1.5", "1.4", "1.3", "1.2", "1.1", "1.0", "0.9"), strict=True):
        judged(section, periods.year(dt.date(year, 1, 1)), values={"nh3n": value})
    years, months = series.trends(series.results(section, DAY), item(section, "nh3n"), [])
    assert years.trend.reason == "7期秩相关系数-1.000，临界值0.714，呈显著下降趋势。"
    assert months.trend.reason == "只有0期数据，不足5期，不作趋势分析。"


# ── Automatic station ──
def test_days_are_the_offices_days():
    """A run at midnight belongs to the day that begins: 16:00 of the day before in UTC."""
    section = SectionFactory()
    for hour, value in ((0, "1"), (4, "2"), (20, "6")):
        run(section, dt.datetime(2025, 2, 19, hour), {"nh3n": value})
    run(section, dt.datetime(2025, 2, 20), {"nh3n": "9"})
    found = series.days_since(section, "nh3n", dt.date(2025, 2, 1), DAY)
    assert [(one.day, one.runs, one.values, one.mean, one.low, one.high) for one in found] == [
        (dt.date(2025, 2, 19), 3, 3, 3.0, 1.0, 6.0),
        (dt.date(2025, 2, 20), 1, 1, 9.0, 9.0, 9.0),
    ]


def test_a_days_ph_is_the_mean_of_its_hydrogen_ions():
    section = SectionFactory()
    for hour, value in ((0, "7.00"), (4, "8.00")):
        run(section, dt.datetime(2025, 2, 19, hour), {"ph": value})
    (found,) = series.days_since(section, "ph", dt.date(2025, 2, 1), DAY)
    assert found.mean == pytest.approx(float(rules.mean("ph", [Decimal(7), Decimal(8)])))
    assert (found.low, found.high) == (7.0, 8.0)


def test_missing_cells_superseded_runs_and_later_days_do_not_count():
    section = SectionFactory()
    run(section, dt.datetime(2025, 2, 19, 0), {}, flags={"nh3n": CellFlag.EXTREME}, state=StationState.MAINTENANCE)
    run(section, dt.datetime(2025, 2, 19, 4), {"nh3n": "8"}, is_live=False)
    run(section, dt.datetime(2025, 2, 19, 4), {"nh3n": "2"}, revision=2)
    run(section, dt.datetime(2025, 2, 21), {"nh3n": "5"})
    run(SectionFactory(), dt.datetime(2025, 2, 19, 8), {"nh3n": "5"})
    (found,) = series.days_since(section, "nh3n", dt.date(2025, 2, 1), DAY)
    assert found == series.Day(dt.date(2025, 2, 19), 2, 1, 2.0, 2.0, 2.0, 1)
    assert [r.revision for r in series.latest_runs(section, DAY)] == [2, 1]
    assert [series.lost_word(r, "nh3n") for r in series.latest_runs(section, DAY)] == ["", "极值过滤"]
    assert series.lost_word(series.latest_runs(section, DAY)[0], "tn") == "不监测"


def test_runs_bring_one_item_in_order_of_time_and_tell_where_classes_differ():
    section = SectionFactory()
    run(section, dt.datetime(2025, 2, 20, 20), {"nh3n": "0.5"}, feed_class=3, water_class=2)
    run(section, dt.datetime(2025, 2, 20, 16), {"tp": "0.1"}, flags={"nh3n": CellFlag.EXTREME}, feed_class=3)
    run(section, dt.datetime(2025, 2, 19, 20), {"nh3n": "9"})
    run(section, dt.datetime(2025, 2, 21, 0), {"nh3n": "9"})
    found = series.runs_since(section, "nh3n", DAY, DAY)
    assert [(timezone.localtime(one.at).hour, one.value, one.flag, one.is_differing) for one in found] == [
        (16, None, CellFlag.EXTREME, True),
        (20, "0.5", None, True),
    ]


def test_an_item_without_a_value_all_day_is_not_zero():
    section = SectionFactory()
    run(section, dt.datetime(2025, 2, 19, 0), {"ph": "8"})
    (found,) = series.days_since(section, "nh3n", dt.date(2025, 2, 1), DAY)
    assert (found.runs, found.values, found.mean, found.low) == (1, 0, None, None)


def test_months_of_a_station_count_every_value_once_and_round_half_to_even():
    """Two values on one day, one on another: 0.1 and 0.1, then 0.175 make 0.125, which is 0.12 with two decimals."""
    section = SectionFactory()
    for at, value in (((2025, 1, 6, 0), "0.1"), ((2025, 1, 6, 4), "0.1"), ((2025, 1, 7, 0), "0.175")):
        run(section, dt.datetime(*at), {"nh3n": value})
    days = series.days_since(section, "nh3n", dt.date(2024, 3, 1), DAY)
    (found,) = series.station_months(item(section, "nh3n"), days, [], DAY)
    assert (found.month, found.values, found.mean, found.water_class) == (dt.date(2025, 1, 1), 3, Decimal("0.12"), WaterClass.I)


def test_months_of_a_station_stand_beside_the_published_ones():
    section = SectionFactory()
    judged(section, month(2025, 1), values={"do": "9.9"})
    run(section, dt.datetime(2025, 1, 6), {"do": "10.26"})
    oxygen = item(section, "do")
    months = series.month_values(series.results(section, DAY), oxygen, [], {}, DAY)
    (found,) = series.station_months(oxygen, series.days_since(section, "do", dt.date(2024, 3, 1), DAY), months, DAY)
    assert (found.mean, found.published) == (Decimal("10.3"), Decimal("9.9"))


def test_a_key_that_is_no_name_never_reaches_the_database():
    with pytest.raises(ValueError, match="x'"):
        series.days_since(SectionFactory(), "x'", DAY, DAY)


def test_the_station_is_read_through_its_index(on_postgres):
    """The partial index of live runs serves the queries, not a scan; PostgreSQL scans small tables anyway: the bench asks it."""
    if on_postgres:
        return
    section = SectionFactory()
    runs = section.station_records.filter(is_live=True, at__lt=timezone.now()).order_by("-at")[:6]
    assert "one_live_record_a_run" in runs.explain()


def test_kind_of_period_shown_is_a_month():
    section = SectionFactory()
    judged(section, periods.year(dt.date(2024, 1, 1)))
    assert series.latest(series.results(section, DAY)) is None
    judged(section, month(2024, 12))
    assert series.latest(series.results(section, DAY)).kind == PeriodKind.MONTH
