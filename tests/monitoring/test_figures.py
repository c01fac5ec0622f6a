"""The figures of a section's page: Plotly accepts them, gaps are gaps, five years are not many bytes."""

import datetime as dt
import json
from decimal import Decimal

import plotly.graph_objects
import pytest
from django.utils import timezone

from monitoring import figures, limits
from monitoring.enums import CellFlag, StationState, WaterClass
from monitoring.models import Section
from monitoring.series import Day, ItemRun, MonthValue, item_of

FIRST, LAST = dt.date(2025, 2, 1), dt.date(2025, 2, 3)


def item(key: str, **section):
    return item_of(key, Section(**section), limits.table())


def month(number: int, value: str | None, *, year: int = 2024, below: bool = False, doubtful: bool = False) -> MonthValue:
    return MonthValue(dt.date(year, number, 1), value and Decimal(value), WaterClass.II if value else None, 1, below, doubtful, "")


def run(hour: int, value: str | None, *, flag: str | None = None, state: str = StationState.NORMAL) -> ItemRun:
    at = timezone.make_aware(dt.datetime.combine(FIRST, dt.time()) + dt.timedelta(hours=hour))
    return ItemRun(at, value, flag, state, is_differing=False)


def drawn(figure: dict) -> dict:
    """The figure as the browser gets it, accepted by Plotly."""
    plotly.graph_objects.Figure(figure)
    return json.loads(json.dumps(figure))


def labels(figure: dict) -> list[str]:
    return [word["text"] for word in figure["layout"]["annotations"]]


@pytest.mark.parametrize(
    ("key", "section", "expected"),
    [
        pytest.param("nh3n", {}, ["Ⅰ", "Ⅱ", "Ⅲ", "Ⅳ", "Ⅴ", "劣Ⅴ"], id="上限"),
        pytest.param("cod", {}, ["Ⅰ–Ⅱ", "Ⅲ", "Ⅳ", "Ⅴ", "劣Ⅴ"], id="两类同限"),
        pytest.param("f", {}, ["Ⅰ–Ⅲ", "Ⅳ–Ⅴ", "劣Ⅴ"], id="三类同限"),
        pytest.param("do", {}, ["劣Ⅴ", "Ⅴ", "Ⅳ", "Ⅲ", "Ⅱ", "Ⅰ"], id="溶解氧相反"),
        pytest.param("ph", {}, ["劣Ⅴ", "各类", "劣Ⅴ"], id="pH为范围"),
    ],
)
def test_bands_lie_from_the_lowest_value_to_the_highest(key, section, expected):
    limit = item(key, **section).limit
    found = figures.bands(limit)
    assert [band.label for band in found] == expected
    assert [band.high for band in found[:-1]] == [band.low for band in found[1:]]
    assert (found[0].low, found[-1].high) == (None, None)


@pytest.mark.parametrize("key", [key for key in limits.table().order if limits.table().of(key)])
def test_a_value_at_a_limit_lies_in_the_band_of_its_class(key):
    """The bands are drawn from the same limits that judge."""
    from monitoring.rules import classify

    limit = limits.table().of(key)
    for band in figures.bands(limit):
        edge = band.high if limit.direction == "le" else band.low
        if edge is not None and limit.direction != "range":
            assert classify(limit, edge) == band.water_class


def test_limits_in_words_say_the_sense():
    assert figures.limit_words(item("nh3n").limit) == "Ⅰ ≤0.15，Ⅱ ≤0.5，Ⅲ ≤1.0，Ⅳ ≤1.5，Ⅴ ≤2.0。"
    assert figures.limit_words(item("do").limit) == "Ⅰ ≥7.5，Ⅱ ≥6，Ⅲ ≥5，Ⅳ ≥3，Ⅴ ≥2。溶解氧越高越好，限值是下限。"
    assert figures.limit_words(item("ph").limit) == "各类均为 6—9，超出范围为劣Ⅴ类。"
    assert figures.limit_words(item("tn").limit) == "本标准对该水体不设此项限值。"


def test_lakes_have_their_own_phosphorus():
    assert figures.limit_words(item("tp", water_body="lake").limit).startswith("Ⅰ ≤0.01，")


def test_months_are_marked_by_what_their_samples_were():
    months = [month(1, "0.50"), month(2, None), month(3, "0.01", below=True), month(4, "0.70", doubtful=True)]
    figure = drawn(figures.item_months(item("nh3n"), months, WaterClass.III))
    (trace,) = figure["data"]
    assert trace["y"] == [0.5, None, 0.01, 0.7]
    assert trace["connectgaps"] is False
    assert trace["marker"]["symbol"] == ["circle", "circle", "circle-open", "diamond"]
    assert labels(figure) == ["Ⅰ", "Ⅱ", "Ⅲ", "Ⅳ", "目标Ⅲ类 ≤1.0"]


def test_ph_has_no_target_line_and_oxygen_one_from_below():
    assert "目标" not in "".join(labels(drawn(figures.item_months(item("ph"), [month(1, "8")], WaterClass.III))))
    assert labels(drawn(figures.item_months(item("do"), [month(1, "8.0")], WaterClass.II)))[-1] == "目标Ⅱ类 ≥6"


def test_every_value_lies_inside_the_axis():
    for key, value in (("nh3n", "25"), ("do", "17"), ("ph", "4"), ("water_temp", "-2"), ("conductivity", "1800")):
        figure = drawn(figures.item_months(item(key), [month(1, value)], None))
        low, high = figure["layout"]["yaxis"]["range"]
        assert low <= float(value) <= high
        for shape in figure["layout"]["shapes"]:
            assert low <= shape["y0"] < shape["y1"] <= high


def test_seasons_lay_this_year_over_the_last_ones():
    months = [month(1, "1.0", year=2023), month(1, "0.8", year=2024), month(2, "0.7", year=2024), month(1, "0.6", year=2025)]
    figure = drawn(figures.seasons(item("nh3n"), months, None))
    assert [(trace["name"], trace["y"][:2]) for trace in figure["data"]] == [
        ("2023年", [1.0, None]),
        ("2024年", [0.8, 0.7]),
        ("2025年", [0.6, None]),
    ]
    assert len({trace["line"]["dash"] for trace in figure["data"]}) == 3


def test_runs_break_where_they_are_missing_and_the_strip_says_why():
    runs = [
        run(0, "0.5"),
        run(4, None, flag=CellFlag.EXTREME),
        run(8, None, flag=CellFlag.MISSING, state=StationState.MAINTENANCE),
        run(24, "0.6"),
    ]
    figure = drawn(figures.station_runs(item("nh3n"), runs, (FIRST, LAST), WaterClass.III))
    line, *marks = figure["data"]
    assert line["x"] == ["2025-02-01T00:00", "2025-02-01T04:00", "2025-02-01T08:00", "2025-02-01T12:00", "2025-02-02T00:00"]
    assert line["y"] == [0.5, None, None, None, 0.6]
    assert {mark["name"]: mark["x"] for mark in marks} == {
        "维护、停站": ["2025-02-01T08:00"],
        "极值过滤": ["2025-02-01T04:00"],
        "缺测": ["2025-02-01T08:00", "2025-02-01T12:00"],
    }
    assert len({mark["marker"]["symbol"] for mark in marks}) == 3
    assert figures.lost_counts(runs) == {"缺测": 1, "极值过滤": 1, "维护": 1}


def test_days_without_a_value_are_gaps():
    days = [Day(FIRST, 6, 6, 0.5, 0.4, 0.6, 0), Day(LAST, 6, 0, None, None, None, 2)]
    figure = drawn(figures.station_days(item("nh3n"), days, (FIRST, LAST), None))
    low, high, mean, *marks = figure["data"]
    assert (low["y"], high["y"], mean["y"]) == ([0.4, None, None], [0.6, None, None], [0.5, None, None])
    assert (mean["x0"], mean["dx"]) == ("2025-02-01", 86_400_000)
    assert {mark["name"]: mark["x"] for mark in marks} == {"维护、停站": ["2025-02-03"], "缺测": ["2025-02-02", "2025-02-03"]}


def test_nothing_measured_is_still_a_figure():
    drawn(figures.item_months(item("nh3n"), [], None))
    drawn(figures.seasons(item("conductivity"), [], None))
    drawn(figures.station_days(item("nh3n"), [], (FIRST, LAST), None))
    drawn(figures.station_runs(item("tn"), [], (FIRST, LAST), None))


def test_five_years_of_days_stay_below_two_hundred_kilobytes():
    first = dt.date(2020, 2, 21)
    days = [Day(first + dt.timedelta(days=n), 6, 6, 0.123456 + n / 3e3, 0.0123456 + n / 3e3, 1.23456 + n / 3e3, n % 2) for n in range(1826)]
    figure = figures.station_days(item("nh3n"), days, (first, days[-1].day), WaterClass.III)
    assert len(json.dumps(figure)) < 100_000


def test_a_target_beyond_the_last_limit_still_draws():
    figure = drawn(figures.item_months(item("nh3n"), [month(1, "0.5")], WaterClass.WORSE_THAN_V))
    assert figure["layout"]["yaxis"]["range"][1] > 2
