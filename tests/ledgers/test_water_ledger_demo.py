"""断面水质台账 of the demo city: the same facts as the table of the sections, on every day."""

import datetime as dt

import pytest

from ledgers import water
from ledgers.registry import LEDGERS
from ledgers.water_filters import SectionFilter
from monitoring.periods import month, read
from monitoring.reports import section_table
from tests.demo_city import demo_city  # noqa: F401 - a fixture

# ruff: noqa: F811 - the fixture is named like its argument
pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("day", ["2023-02-09", "2023-02-10", "2024-03-01", "2024-12-31", "2025-01-23", "2025-02-09", "2025-02-20"])
def test_rows_are_those_of_the_sections_table_on_any_day(demo_city, day):
    day = dt.date.fromisoformat(day)
    source = water.rows(day)
    found = LEDGERS["sections"].opened(day).qs
    expected = section_table(day, source.latest).rows if source.latest else ()
    assert tuple(row["row"] for row in found) == expected
    for row, facts in zip(found, expected, strict=True):
        assert (row["section"], row["water_class"], row["meets_target"]) == (facts.name, facts.water_class, facts.meets_target)
        assert {key: row[key] for key in facts.values} == facts.values
        assert (row["month_on_month"], row["year_on_year"]) == (facts.month_on_month, facts.year_on_year)


def test_before_the_first_publication_there_is_nothing(demo_city):
    assert list(LEDGERS["sections"].opened(dt.date(2023, 2, 9)).qs) == []


def test_a_year_is_its_months_one_after_another(demo_city):
    found = SectionFilter({"month_from": "2024-01", "month_to": "2024-12"}, queryset=water.rows(demo_city.today), day=demo_city.today)
    months = [month(day) for day in read("2024").months]
    assert [row["row"] for row in found.qs] == [row for period in months for row in section_table(demo_city.today, period).rows]
    assert found.spoken == ["月份：2024年1月—2024年12月"]


def test_last_months_line_is_that_of_the_table(demo_city):
    table = section_table(demo_city.today, water.rows(demo_city.today).latest)
    sums = water.totals(demo_city.today, LEDGERS["sections"].opened(demo_city.today).qs)
    national = table.lines()[0]
    assert sums.words.startswith(
        f"国考断面{national.total}个，参评{national.now.evaluated}个，Ⅰ—Ⅲ类{national.now.good}个"
        f"（{national.now.good_share}%，{national.now.good}/{national.now.evaluated}）"
    )
