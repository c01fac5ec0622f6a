"""市直部门分领域台账: domains with their projects below them, told apart in counts and kept together when ordered."""

import re
from decimal import Decimal

import pytest

from tests.factories import TODAY, DomainFactory, ProjectFactory, RegionFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def office(client):
    RegionFactory()
    water, homes = DomainFactory(name="水利", position=1), DomainFactory(name="住建", position=2)
    for code, domain, total in (("LF-001", water, 100), ("LF-002", water, 300), ("LF-003", homes, 250), ("LF-004", homes, 400)):
        ProjectFactory(code=code, domain=domain, total_investment_wan=Decimal(total))
    client.force_login(UserFactory())
    return client


def rows(page: str) -> list[str]:
    """Codes of projects and names of domains in the order of the page."""
    lines = page.partition("<tbody>")[2].partition("</tbody>")[0].split("<tr ")[1:]
    return [re.search(r"水利|住建|LF-\d{3}", line)[0] for line in lines]


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("", ["水利", "LF-001", "LF-002", "住建", "LF-003", "LF-004"]),
        ("-total_investment_wan", ["住建", "LF-004", "LF-003", "水利", "LF-002", "LF-001"]),
        ("total_investment_wan", ["水利", "LF-001", "LF-002", "住建", "LF-003", "LF-004"]),
        ("-name", ["水利", "LF-002", "LF-001", "住建", "LF-004", "LF-003"]),
    ],
)
def test_projects_stay_under_their_domain_in_any_order(office, sort, order):
    page = office.get("/ledgers/domains/", {"sort": sort} if sort else {}).content.decode()
    assert rows(page) == order


def test_domains_and_projects_are_counted_apart(office):
    page = office.get("/ledgers/domains/").content.decode()
    assert "<strong>2个领域、4个项目</strong>" in page
    assert "合计 2 个领域" in page
    assert "2个领域、4个项目" in office.get("/ledgers/").content.decode()
    assert "<strong>2个领域</strong>" in office.get("/ledgers/domains/?show=domains").content.decode()
    file = b"".join(office.get("/ledgers/domains/?export=csv")).decode()
    assert "2个领域；4个项目，本周新开工" in file


def test_each_domain_has_a_key_of_its_own(office):
    page = office.get("/ledgers/domains/").content.decode()
    assert re.findall(r'<tr data-k="(domain-[^"]+)"', page) == ["domain-水利", "domain-住建"]
    panel = office.get("/ledgers/domains/cell/", {"row": "domain-住建", "col": "total_investment_wan"}).content.decode()
    assert "650.00" in panel


def test_a_changed_project_keeps_its_domain_above_it(office):
    from projects.models import Project

    project = Project.objects.get(code="LF-003")
    project.completed_on = TODAY
    project.save()
    page = office.get("/ledgers/domains/", {"since": "2025-02-06"}).content.decode()
    assert rows(page) == ["住建", "LF-003"]
