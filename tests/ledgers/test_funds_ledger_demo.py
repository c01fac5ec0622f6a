"""Sums of 资金台账 in the demo city are those of the master ledger and of the rules, on any day."""

import csv
import datetime as dt
import random
import re

import pytest

from ledgers import master
from ledgers.registry import LEDGERS
from linfen_water.models import User
from projects import funds, funds_rules
from projects.facts import summed
from tests.demo_city import demo_city  # noqa: F401 - a fixture
from tests.factories import TODAY

# ruff: noqa: F811 - the fixture is named like its argument
pytestmark = pytest.mark.django_db
LEDGER = LEDGERS["funds"]
ALIKE = (("in_place_wan", "in_place_wan"), ("allocated_wan", "allocated_wan"), ("paid_wan", "paid_wan"), ("completed_wan", "invested_wan"))


def test_sums_are_those_of_the_master_ledger_and_of_the_rules_on_any_day(demo_city):
    dice = random.Random(9)
    days = [TODAY, *(TODAY - dt.timedelta(days=dice.randrange(1, 640)) for _ in range(4))]
    for day in days:
        found, whole = LEDGER.totals(day, LEDGER.rows(day)), summed(day, master.rows(day))
        assert [getattr(found, own) for own, _ in ALIKE] == [getattr(whole, other) for _, other in ALIKE]
        assert found == funds_rules.sum_up(line.source for line in funds.read(day))
        assert found.before_wan == summed(day - funds.WEEK, master.rows(day - funds.WEEK)).in_place_wan


def test_a_csv_spells_every_amount_with_two_places(demo_city, client):
    client.force_login(User.objects.get(username="office"))
    lines = b"".join(client.get("/ledgers/funds/?export=csv")).decode().splitlines()
    amounts = [cell for row in csv.reader(lines[3:30]) for cell in row if re.fullmatch(r"-?\d+\.\d+", cell)]
    assert len(amounts) > 100
    assert [cell for cell in amounts if len(cell.partition(".")[2]) > 2] == []
