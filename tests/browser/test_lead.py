"""The leader's phone: five problems at most, one tap gives one to a unit, the next takes it back."""

from playwright.sync_api import expect

PHONE = {"width": 390, "height": 844}


def test_a_leader_gives_a_problem_to_a_unit_at_one_tap_and_takes_it_back(person):
    leader = person("leader", "/lead/", viewport=PHONE, has_touch=True)
    assert leader.evaluate("document.documentElement.scrollWidth <= innerWidth")
    cards = leader.locator(".lead-card")
    before, first = cards.count(), cards.first.locator("h3").inner_text()
    assert 0 < before <= 5
    cards.first.locator("button[name=unit]").first.tap()
    expect(leader.locator(".notice-success")).to_contain_text("已告知")
    expect(leader.locator(".lead-card h3").filter(has_text=first)).to_have_count(0)
    leader.locator("button[value=undo]").tap()
    expect(leader.locator(".notice-success")).to_contain_text("已撤回，恢复原样")
    expect(leader.locator(".lead-card h3").first).to_have_text(first)
    leader.locator(".lead-card summary").first.tap()
    leader.locator(".lead-card textarea").first.fill("请副秘书长牵头，下周三前报我")
    leader.locator("button[value=agree]").first.tap()
    expect(leader.locator(".lead-card h3").filter(has_text=first)).to_have_count(0)
    leader.locator(".lead-undo a").tap()
    expect(leader.locator("body")).to_contain_text("领导批示：请副秘书长牵头，下周三前报我")
