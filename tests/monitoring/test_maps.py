"""The water layer as of a day."""

import datetime as dt

import pytest

from monitoring import maps
from monitoring.enums import Level, PeriodKind, WaterClass
from monitoring.models import Assessment, SectionTarget
from tests.factories import SectionFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def section():
    section = SectionFactory()
    SectionTarget.objects.create(section=section, year=2024, water_class=WaterClass.IV)
    SectionTarget.objects.create(section=section, year=2025, water_class=WaterClass.III)
    return section


def test_a_class_is_held_against_the_target_of_its_own_year(section):
    """In January the latest class is that of December: the bulletin holds it against last year's target, and so do maps."""
    for month, published_on in [(dt.date(2024, 12, 1), dt.date(2025, 1, 10)), (dt.date(2025, 1, 1), dt.date(2025, 2, 10))]:
        Assessment.objects.create(
            section=section, period_kind=PeriodKind.MONTH, starts_on=month, ends_on=month.replace(day=31), published_on=published_on,
            water_class=WaterClass.IV, source="试",
        )  # fmt: skip
    (january,), (february,) = maps.section_states(dt.date(2025, 1, 20)), maps.section_states(dt.date(2025, 2, 20))
    assert (january.month.year, january.target) == (2024, WaterClass.IV)
    assert (february.month.year, february.target) == (2025, WaterClass.III)


def test_without_a_class_the_target_is_that_of_the_days_year(section):
    assert maps.section_states(dt.date(2025, 1, 20))[0].target == WaterClass.III


def test_the_share_counts_only_the_newest_month():
    """A section whose class is two months old was not evaluated in the month that the figure names."""
    december, january = dt.date(2024, 12, 1), dt.date(2025, 1, 1)
    for month, water_class in [(december, WaterClass.II), (january, WaterClass.III), (january, WaterClass.IV)]:
        Assessment.objects.create(
            section=SectionFactory(level=Level.NATIONAL), period_kind=PeriodKind.MONTH, starts_on=month, ends_on=month.replace(day=31),
            published_on=month.replace(day=28), water_class=water_class, source="试",
        )  # fmt: skip
    states = maps.section_states(dt.date(2025, 2, 20))
    assert maps.national_month(states) == january
    assert maps.national_share(states) == maps.Share(good=1, evaluated=2)
