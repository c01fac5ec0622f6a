"""Groups on the first line, the pages of one's group on the second, by role."""

import pytest

from linfen_water.enums import Role
from linfen_water.navigation import navigation
from tests.factories import RegionFactory, UserFactory

pytestmark = pytest.mark.django_db


def here(entries) -> list[str]:
    return [entry.label for entry in entries if entry.is_here]


@pytest.mark.parametrize(
    ("path", "group", "page"),
    [
        pytest.param("/", ["今日"], ["今日"], id="今日只在首页"),
        pytest.param("/morning/", ["今日"], ["碰头会材料"], id="碰头会材料属于今日"),
        pytest.param("/dispatch/", ["调度"], ["填报与审核"], id="填报"),
        pytest.param("/dispatch/board/", ["调度"], ["报送情况"], id="更近的一页"),
        pytest.param("/dispatch/LF-001/", ["调度"], ["填报与审核"], id="项目的填报"),
        pytest.param("/projects/LF-001/", ["项目"], ["项目清单"], id="项目页"),
        pytest.param("/projects/scurve/", ["项目"], ["进度曲线"], id="进度曲线"),
        pytest.param("/wall/", ["挂图"], None, id="挂图"),
        pytest.param("/accounts/password/", [], None, id="自己的密码不属于管理"),
        pytest.param("/nowhere/", [], None, id="哪里都不是"),
    ],
)
def test_group_and_page_of_a_path_are_marked(path, group, page):
    found = navigation(UserFactory(role=Role.OFFICE), path)
    assert here(found.groups) == group
    if page is not None:
        assert here(found.pages) == page


def test_a_group_of_one_page_has_no_second_line():
    assert navigation(UserFactory(role=Role.LEADER), "/wall/").pages == ()


def test_a_group_leads_to_the_first_page_that_the_role_sees():
    leader = navigation(UserFactory(role=Role.LEADER), "/")
    assert {entry.label: entry.url for entry in leader.groups}["调度"] == "/dispatch/board/"
    assert "管理" not in [entry.label for entry in leader.groups]


def test_every_page_of_the_navigation_opens_for_who_sees_it(client):
    RegionFactory()
    for role in (Role.OFFICE, Role.LEADER):
        user = UserFactory(role=role)
        client.force_login(user)
        urls = [entry.url for entry in navigation(user, "/").groups]
        urls += [page.url for url in urls for page in navigation(user, url).pages]
        assert {url: client.get(url).status_code for url in urls} == dict.fromkeys(urls, 200)
