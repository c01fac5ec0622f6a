"""The bulletin of the demo city: the published figures, and nothing that would shame a real project."""

import datetime as dt

import pytest

from ledgers.documents import pdf
from ledgers.documents.bulletin import BulletinFacts, gather
from ledgers.documents.bulletin_words import bulletin_paper
from ledgers.documents.paper import Paragraph
from projects.enums import Provenance
from projects.models import Project
from tests.demo_city import demo_city  # noqa: F401 - a fixture
from tests.ledgers.test_documents import letters, pages

# ruff: noqa: F811 - the fixture is named like its argument
DECEMBER, JANUARY, FEBRUARY = dt.date(2024, 12, 1), dt.date(2025, 1, 1), dt.date(2025, 2, 1)
pytestmark = pytest.mark.django_db


def texts(facts: BulletinFacts) -> str:
    return "\n".join(block.text for block in bulletin_paper(facts).body if isinstance(block, Paragraph))


def test_the_demos_bulletin_says_what_was_published(demo_city):
    facts = gather(DECEMBER, demo_city.today)
    assert (facts.totals.count, facts.totals.started, facts.totals.finished) == (demo_city.count, demo_city.count, 62)
    assert {row.name: row.totals.count for row in facts.domains} == demo_city.domains
    assert sum(row.totals.count for row in facts.counties) == demo_city.count
    assert "总投资129.37亿元" in texts(facts)
    assert "开工率100.0%（95/95）" in texts(facts)
    assert "完工率65.3%（62/95）" in texts(facts)


def test_the_demos_year_of_water_is_the_published_one(demo_city):
    water = gather(JANUARY, demo_city.today).water
    assert (water.year, water.year_good, water.year_assessed) == (2024, 8, 9)


def test_no_real_project_of_the_demo_is_named_as_behind_or_silent(demo_city):
    real = set(Project.objects.exclude(provenance=Provenance.DEMO).values_list("code", flat=True))
    for month in (dt.date(2024, 6, 1), DECEMBER, JANUARY, FEBRUARY):
        facts = gather(month, demo_city.today)
        assert facts.lagging or facts.silent
        assert not real & {row.code for row in (*facts.lagging, *facts.silent)}


def test_every_page_of_the_demos_bulletin_carries_the_demo_mark(demo_city):
    facts = gather(JANUARY, demo_city.today)
    found = pages(pdf.render_pdf(bulletin_paper(facts), facts.as_of))
    assert len(found) > 6
    assert all("演示数据" in "".join(c.get_text() for c in letters(page)) for page in found)
