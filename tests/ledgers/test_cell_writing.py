"""Nobody writes over what they did not see: in one cell, by typing, by taking back, and when the page is old."""

import json
import re
from decimal import Decimal
from html import unescape

import pytest
from django.urls import reverse

from ledgers import own_services
from ledgers.page_models import OwnValue
from projects.enums import PermitKind, SourceKind
from projects.models import ProjectVersion
from tests.factories import AssessmentFactory, PermitFactory, ProjectFactory, RegionFactory, UserFactory

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
MONEY = "total_investment_wan"


class Person:
    """Someone at a ledger's page, as their browser speaks."""

    def __init__(self, client, slug="master"):
        self.client, self.slug = client, slug

    def post(self, row, col, **said):
        return self.client.post(reverse("ledger_cell", args=[self.slug]), {"row": row, "col": col, **said}, headers=HTMX)

    def open(self, row, col, shown) -> str:
        return self.post(row, col, part="edit", shown=shown).content.decode()

    def write(self, row, col, value, seen, **more):
        return self.post(row, col, value=value, seen=seen, **({"reason": "批复"} | more))


def seen_in(page: str) -> str:
    return re.search(r'name="seen"\s+value="([^"]*)"', page)[1]


def sides(page: str) -> list[str]:
    """The two values that stand side by side; none when nothing clashes."""
    return re.findall(r"<strong>([^<]*)</strong>", page)


def told(answer) -> dict:
    assert answer.status_code == 204, answer.content.decode()
    return json.loads(answer["HX-Trigger"])["cell-written"]


@pytest.fixture
def office(client):
    RegionFactory()
    client.force_login(UserFactory())
    return Person(client)


@pytest.fixture
def project(office):
    return ProjectFactory(total_investment_wan=Decimal("18840.18"))


def total(project) -> Decimal:
    return ProjectVersion.objects.get(project=project, effective_to=None).total_investment_wan


class TestUndo:
    def first_then_second(self, office, project) -> dict:
        """The first person writes 111 and keeps the notice; the second one writes 222."""
        seen = seen_in(office.open(project.pk, MONEY, "18,840.18"))
        first = told(office.write(project.pk, MONEY, "111", seen))
        told(office.write(project.pk, MONEY, "222", first["seen"]))
        return first

    def test_what_was_written_is_taken_back_while_it_stands(self, office, project):
        first = told(office.write(project.pk, MONEY, "111", seen_in(office.open(project.pk, MONEY, "18,840.18"))))
        assert told(office.post(project.pk, MONEY, value=first["old"], seen=first["seen"], undo="1"))["isUndo"]
        assert total(project) == Decimal("18840.18")

    def test_what_another_person_wrote_meanwhile_stays_and_both_values_are_shown(self, office, project):
        first = self.first_then_second(office, project)
        page = office.post(project.pk, MONEY, value=first["old"], seen=first["seen"], undo="1").content.decode()
        assert total(project) == 222
        assert sides(page) == ["222.00", "18,840.18"]
        assert "没有撤销" in page
        assert "撤销刚才的修改" in page
        told(office.write(project.pk, MONEY, first["old"], seen_in(page)))
        assert total(project) == Decimal("18840.18")

    @pytest.mark.parametrize("seen", [{}, {"seen": ""}, {"seen": "0" * 10}], ids=["没有指纹", "空的指纹", "编造的指纹"])
    def test_without_the_fingerprint_of_what_was_written_nothing_is_taken_back(self, office, project, seen):
        self.first_then_second(office, project)
        page = office.post(project.pk, MONEY, value="18840.18", undo="1", **seen).content.decode()
        assert total(project) == 222
        assert sides(page) == ["222.00", "18,840.18"]

    def test_it_holds_for_columns_of_the_office_too(self, office, project):
        own = own_services.add_column(by=UserFactory(), ledger="master", label="征地", kind="text").name
        first = told(office.write(project.pk, own, "甲", seen_in(office.open(project.pk, own, "—"))))
        told(office.write(project.pk, own, "乙", first["seen"]))
        assert sides(office.post(project.pk, own, value="", seen=first["seen"], undo="1").content.decode()) == ["乙", "（空）"]
        assert OwnValue.objects.order_by("pk").last().text == "乙"

    def test_and_in_rows_that_rules_compute(self, office):
        AssessmentFactory(values={"ph": "8"})
        own = own_services.add_column(by=UserFactory(), ledger="sections", label="会商", kind="text").name
        sections = Person(office.client, "sections")
        row = re.search(r'data-k="([^"]+)"', office.client.get("/ledgers/sections/").content.decode())[1]
        first = told(sections.write(row, own, "甲", seen_in(sections.open(row, own, ""))))
        told(sections.write(row, own, "乙", first["seen"]))
        for seen in (first["seen"], ""):
            assert sides(sections.post(row, own, value="", seen=seen, undo="1").content.decode()) == ["乙", "（空）"]
        assert OwnValue.objects.order_by("pk").last().text == "乙"


class TestWriting:
    def test_without_a_fingerprint_nothing_is_written(self, office, project):
        assert sides(office.post(project.pk, MONEY, value="5", reason="批复").content.decode()) == ["18,840.18", "5.00"]
        assert total(project) == Decimal("18840.18")

    def test_a_fault_in_between_does_not_hide_what_another_person_wrote(self, office, project):
        seen = seen_in(office.open(project.pk, MONEY, "18,840.18"))
        told(office.write(project.pk, MONEY, "222", seen))
        page = office.write(project.pk, MONEY, "很多", seen).content.decode()
        assert "请填数字" in page
        assert seen_in(page) == seen
        assert sides(office.write(project.pk, MONEY, "333", seen_in(page)).content.decode()) == ["222.00", "333.00"]
        assert total(project) == 222

    def test_in_a_conflict_one_button_confirms(self, office, project):
        seen = seen_in(office.open(project.pk, MONEY, "18,840.18"))
        told(office.write(project.pk, MONEY, "222", seen))
        page = office.write(project.pk, MONEY, "333", seen).content.decode()
        assert re.findall(r'type="submit">([^<]*)<', page) == ["仍用我的"]


class TestOpening:
    """The field opens on what there is now: when the table shows something else, the person is told before they type."""

    @pytest.mark.parametrize("shown", ["18,840.18", " 18,840.18\n"])
    def test_it_opens_as_ever_when_the_table_shows_what_there_is(self, office, project, shown):
        page = office.open(project.pk, MONEY, shown)
        assert sides(page) == []
        assert 'value="18840.18"' in page
        assert re.findall(r'type="submit">([^<]*)<', page) == ["保存"]

    @pytest.mark.parametrize("shown", ["18,840.19", "—", "", "<b>18,840.18"])
    def test_it_shows_both_values_when_the_table_is_older(self, office, project, shown):
        page = office.open(project.pk, MONEY, shown)
        assert [unescape(side) for side in sides(page)] == ["18,840.18", shown or "（空）"]
        assert re.findall(r'type="submit">([^<]*)<', page) == ["仍要修改"]

    @pytest.mark.parametrize("shown", ["", "—", "\n"])
    def test_an_empty_cell_is_drawn_as_a_dash(self, office, shown):
        permit = PermitFactory(kind=PermitKind.EIA, note="")
        assert sides(Person(office.client, "permits").open(permit.pk, "note", shown)) == []

    def test_a_long_text_is_compared_to_its_end(self, office):
        text = "征" * 180
        permit, permits = PermitFactory(kind=PermitKind.EIA, note=f"{text}甲"), Person(office.client, "permits")
        assert sides(permits.open(permit.pk, "note", f"{text}甲")) == []
        assert sides(permits.open(permit.pk, "note", f"{text}乙")) == [f"{text}甲", f"{text}乙"]

    def test_who_may_not_write_opens_no_field(self, client, project):
        client.force_login(UserFactory(leader=True))
        assert Person(client).post(project.pk, MONEY, part="edit", shown="1").status_code == 204


class TestReason:
    def asks(self, page: str) -> bool:
        return "理由（必填）" in page and bool(re.search(r'name="reason"[^>]*required', page))

    def test_the_field_says_that_a_reason_must_be_given(self, office):
        project = ProjectFactory(funding={SourceKind.CENTRAL: Decimal(600)})
        assert self.asks(office.open(project.pk, "owner", "演示水务公司"))
        assert self.asks(Person(office.client, "funds").open(project.funding.get().pk, "planned_wan", "600.00"))

    def test_where_none_is_asked_for_none_is_demanded(self, office, project):
        own = own_services.add_column(by=UserFactory(), ledger="master", label="征地", kind="text").name
        for person, row, col in ((office, project.pk, own), (Person(office.client, "permits"), PermitFactory().pk, "note")):
            page = person.open(row, col, "")
            assert 'name="reason"' in page
            assert not self.asks(page)
