"""A year of the demo city judged again: the counts that docs/rules.md writes down, and nothing against real works."""

import re
from collections import Counter

import pytest
from django.conf import settings

from ledgers.measures import facts, rules
from linfen_water import clock, policy
from projects.enums import Provenance
from projects.models import Project
from tests.demo_city import demo_city  # noqa: F401 - a fixture

# ruff: noqa: F811 - the fixture is named like its argument
pytestmark = pytest.mark.django_db


@pytest.fixture
def year(demo_city, monkeypatch) -> list[rules.Verdict]:
    """Every verdict of the year, at noon: the deadline of the last day's week is still ahead."""
    noon = clock.now().replace(hour=12, minute=0)
    monkeypatch.setattr(clock, "now", lambda: noon)
    materials = facts.read(facts.weekly_days(demo_city.today, 52))
    return [verdict for material in materials for verdict in rules.judge(material, policy.values_on(material.day))]


def test_the_counts_of_the_year_are_those_written_down(year):
    text = (settings.BASE_DIR / "docs/rules.md").read_text()
    (told,) = re.findall(r"demo city's year up to 2025-02-20.*?: (节点.*?)\.", text, re.DOTALL)
    assert Counter(verdict.rule.label for verdict in year) == {name: int(number) for name, number in re.findall(r"(\S+)\s(\d+)", told)}
    labels = {rule.label for rule in rules.Rule}
    assert labels - {verdict.rule.label for verdict in year} == {"情节较重"}  # nothing in the demo is so grave


def test_nothing_is_held_against_real_works(year):
    real = Project.objects.filter(provenance__in=[Provenance.PUBLIC, Provenance.LIKELY]).values_list("code", flat=True)
    assert not {verdict.project for verdict in year} & set(real)
