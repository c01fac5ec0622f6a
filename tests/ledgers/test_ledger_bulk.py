"""Bulk edit of a filtered selection: previewed, all or none, taken back."""

import re

import pytest
from django.urls import reverse

from linfen_water.models import TrailEvent
from projects.models import ProjectVersion
from projects.services import revise_project
from tests.caches import forget
from tests.factories import TODAY, CountyFactory, ProjectFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("region")]


def url(slug="master", **query):
    return reverse("ledger_bulk", args=[slug], query=query or None)


def owners() -> list[str]:
    return list(ProjectVersion.objects.filter(effective_to=None).order_by("project").values_list("owner", flat=True))


SAID = {"column": "owner", "value": "县水投公司", "reason": "业主变更批复"}


def preview(client, address) -> tuple[str, dict]:
    page = client.post(address, SAID | {"action": "preview"}).content.decode()
    seen = dict(re.findall(r'name="seen-(\d+)"\s+value="([^"]+)"', page))
    return page, {"row": list(seen), **{f"seen-{pk}": one for pk, one in seen.items()}}


def test_the_filtered_rows_are_shown_then_written_then_taken_back(office):
    county = CountyFactory()
    ProjectFactory(county=county), ProjectFactory(county=county), ProjectFactory()
    address = url(county=county.code)
    page, shown = preview(office, address)
    assert "将修改 2 行" in page
    assert page.count("<s>演示水务公司</s>") == 2
    assert owners() == ["演示水务公司"] * 3
    done = office.post(address, SAID | {"action": "commit"} | shown).content.decode()
    assert "已修改 2 行" in done
    assert owners() == ["县水投公司", "县水投公司", "演示水务公司"]
    assert set(TrailEvent.objects.filter(action="project.revise").values_list("origin", "reason")) == {("bulk", "业主变更批复")}
    packed = re.search(r'name="packed"\s+value="([^"]+)"', done)[1]
    office.post(address, {"action": "undo", "packed": packed})
    assert owners() == ["演示水务公司"] * 3


def test_rows_that_were_unticked_stay(office):
    ProjectFactory(), ProjectFactory()
    _, shown = preview(office, url())
    office.post(url(), SAID | {"action": "commit"} | shown | {"row": shown["row"][1:]})
    assert owners() == ["演示水务公司", "县水投公司"]


def test_a_row_changed_meanwhile_stops_all_and_says_so(office):
    first, _ = ProjectFactory(), ProjectFactory()
    _, shown = preview(office, url())
    revise_project(project=first, effective_from=TODAY, reason="更正", by=None, owner="别人填的")
    page = office.post(url(), SAID | {"action": "commit"} | shown)
    assert page.status_code == 422
    assert "没有写入任何一行" in page.content.decode()
    assert "别人填的" in page.content.decode()
    assert owners() == ["别人填的", "演示水务公司"]


def test_what_cannot_be_is_told_before_anything_is_written(office):
    ProjectFactory()
    page = office.post(url(), {"column": "total_investment_wan", "value": "很多", "action": "preview"})
    assert page.status_code == 422
    assert 'class="field-error"' in page.content.decode()
    assert "很多" in page.content.decode()


def test_foreign_rows_are_not_taken_from_the_form(client):
    mine, other = CountyFactory(), CountyFactory()
    ProjectFactory(county=mine)
    foreign = ProjectFactory(county=other)
    client.force_login(UserFactory())
    _, shown = preview(client, url(county=mine.code))
    forged = shown | {"row": [str(foreign.pk)], f"seen-{foreign.pk}": "x"}
    assert client.post(url(county=mine.code), SAID | {"action": "commit"} | forged).status_code == 422
    assert owners() == ["演示水务公司"] * 2


@pytest.mark.parametrize("trait", ["in_county", "leader"])
def test_who_writes_nothing_finds_no_page(client, trait):
    client.force_login(UserFactory(**{trait: True}))
    assert client.get(url()).status_code == 404
    assert client.post(url(), SAID).status_code == 404


def test_forged_or_foreign_undo_is_refused(office):
    ProjectFactory()
    answer = office.post(url(), {"action": "undo", "packed": "x:y"}, follow=True)
    assert "撤销的记录已失效" in answer.content.decode()


def test_a_past_day_cannot_be_edited(office):
    assert office.get(url(as_of="2025-01-01")).status_code == 404


def test_too_many_rows_are_asked_to_be_narrowed(office, monkeypatch):
    monkeypatch.setattr("ledgers.bulk.MOST_ROWS", 1)
    ProjectFactory(), ProjectFactory()
    page = office.post(url(), SAID | {"action": "preview"})
    assert page.status_code == 422
    assert "一次最多修改 1 行" in page.content.decode()


def test_same_queries_for_one_row_and_thirty(office, django_assert_max_num_queries, django_assert_num_queries):
    ProjectFactory()
    with django_assert_max_num_queries(60) as first:
        office.post(url(), SAID | {"action": "preview"})
    ProjectFactory.create_batch(29)
    forget()
    with django_assert_num_queries(len(first)):
        office.post(url(), SAID | {"action": "preview"})
