"""A ledger beside another day: only what changed, and from change to change by keys."""

from playwright.sync_api import expect

CHANGES = "td.is-changed, tr.is-added > td:first-child, tr.is-removed > td:first-child"


def test_keys_go_from_change_to_change_and_round_the_page(person):
    page = person("leader", "/ledgers/weekly/?since=2025-02-06")
    assert page.locator("tbody tr[data-k]:not(:has(.is-changed)):not(.is-added):not(.is-removed)").count() == 0
    changes = page.locator(CHANGES)
    for key, place in (("n", 0), ("n", 1), ("Shift+N", 0), ("Shift+N", -1), ("n", 0)):
        page.keyboard.press(key)
        expect(changes.nth(place)).to_be_focused()
