"""The cache of tables: hands out the very thing, keeps the ones asked for last, as many rows as it may."""

import pytest

from linfen_water.shelf import Shelf

MOST = 10


@pytest.fixture
def shelf():
    shelf = Shelf("", {"OPTIONS": {"MAX_ROWS": MOST}})
    yield shelf
    shelf.clear()


def test_what_was_given_is_handed_out_itself(shelf):
    table = [1, 2]
    shelf.set("a", table)
    assert shelf.get("a") is table
    assert shelf.get("b") is None
    assert shelf.get("b", "none") == "none"


@pytest.mark.parametrize(("rows", "kept"), [(MOST - 5, True), (MOST - 4, False)])
def test_the_one_asked_for_longest_ago_makes_room(shelf, rows, kept):
    shelf.set("old", [0] * 3)
    shelf.set("asked", [0] * 2)
    shelf.get("old")
    shelf.set("new", [0] * rows)
    assert (shelf.get("asked") is not None) == kept
    assert shelf.get("old") is not None
    assert shelf.get("new") is not None


@pytest.mark.parametrize(("rows", "kept"), [(MOST - 1, True), (MOST + 1, False)])
def test_a_table_too_long_is_not_kept_and_drives_out_nothing(shelf, rows, kept):
    shelf.set("old", [])
    shelf.set("long", [0] * rows)
    assert (shelf.get("long") is not None) == kept
    assert shelf.get("old") is not None


def test_a_table_set_again_counts_once(shelf):
    shelf.set("other", [0] * 4)
    for _ in range(3):
        shelf.set("same", [0] * 6)
    assert shelf.get("other") is not None


def test_deleted_and_cleared_it_is_gone(shelf):
    shelf.set("a", [1])
    shelf.set("b", [1])
    assert shelf.delete("a")
    assert not shelf.delete("a")
    shelf.clear()
    assert shelf.get("b") is None


def test_a_key_of_another_version_is_another(shelf):
    shelf.set("a", [1], version="one")
    assert shelf.get("a") is None
    assert shelf.get("a", version="one") == [1]


def test_a_new_version_of_the_facts_drives_out_the_old_one(shelf):
    shelf.set("a", [1], version="one")
    shelf.set("b", [2], version="two")
    assert shelf.get("a", version="one") is None
    assert shelf.get("b", version="two") == [2]


def test_empty_tables_count_too(shelf):
    for n in range(MOST + 1):
        shelf.set(str(n), [])
    assert [n for n in range(MOST + 1) if shelf.get(str(n)) is None] == [0]


@pytest.mark.parametrize(("timeout", "kept"), [(None, True), (60, True), (0, False)])
def test_nothing_is_kept_past_its_time(shelf, timeout, kept):
    shelf.set("a", [1], timeout)
    assert (shelf.get("a") is not None) == kept
