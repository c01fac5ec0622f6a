"""The style sheet that knows the columns of a table by their places."""

import re

import pytest
from django.conf import settings

from ledgers import column_sheet
from ledgers.registry import LEDGERS

COLUMNS = ["pin pin-1 nowrap", "number", "", "number date"]


def test_address_says_which_class_stands_where():
    assert re.sub("v=.*", "v=", column_sheet.address(COLUMNS)) == "/ledgers/columns.css?pin=1&pin-1=1&nowrap=1&number=2.4&date=4&v="


def test_rules_name_places_where_the_address_gives_them():
    rules = column_sheet.rules({"number": "2.4", "pin-1": "1", "v": "0"})
    assert "td:is(:nth-child(2),:nth-child(4)):where(:is(td,th):not([colspan])) { font-family" in rules
    assert ".ledger-table :is(:nth-child(1)):where(:is(td,th):not([colspan])) { left: 0; }" in rules
    assert ".number" not in rules
    assert ".wide" in rules


@pytest.mark.parametrize("places", ["", "2.", "2){}", "-1", "1234", "2 3"])
def test_a_place_that_is_none_changes_nothing(places):
    assert column_sheet.rules({"number": places}) == column_sheet.RULES


@pytest.mark.parametrize("ledger", LEDGERS.values(), ids=lambda ledger: ledger.slug)
def test_every_class_of_a_column_has_rules(ledger):
    classes = {name for column in ledger.table.base_columns.values() for name in column.css.split()}
    assert classes <= set(column_sheet.CLASS.findall(column_sheet.RULES))


@pytest.mark.django_db
def test_sheet_is_kept_for_good_by_who_fetched_it(admin_client):
    answer = admin_client.get(column_sheet.address(COLUMNS))
    assert answer["Content-Type"] == "text/css; charset=utf-8"
    assert answer["Cache-Control"] == "private, max-age=31536000, immutable"
    assert ":nth-child(4)" in answer.content.decode()


def test_every_rule_speaks_of_ledgers_tables_alone():
    """A place (`:nth-child`) would meet every other table of the page as well."""
    text = re.sub(r"/\*.*?\*/", "", (settings.BASE_DIR / "ledgers/columns.css").read_text(), flags=re.S)
    rules = [rule.rpartition("{")[2] if "{" in rule else rule for rule in re.findall(r"([^{}]+)\{[^{}]*\}", text)]
    selectors = [one.strip() for rule in rules for one in rule.split(",")]
    assert len(selectors) > 20
    assert [one for one in selectors if ".ledger-table" not in one] == []
