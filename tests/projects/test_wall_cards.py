"""The cards of the wall: true as of the day, within the reader's scope, and the button turned by the office alone."""

import datetime as dt
import io
import json
from decimal import Decimal

import pytest
from django.core.files.base import ContentFile
from PIL import Image

from linfen_water.models import Policy, TrailEvent
from monitoring.models import SectionTarget
from projects.enums import PermitKind, Stage, StageEvent
from projects.models import Permit, Photo, StageFact
from projects.wall_cards import project_card
from projects.wall_find import find
from tests.factories import (
    TODAY,
    AssessmentFactory,
    CountyFactory,
    PermitFactory,
    ProblemFactory,
    ProjectFactory,
    RegionFactory,
    SectionFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db
TURN = {"event": "completion", "on": "2025-02-19", "kind": "验收文件", "note": "临环验〔2025〕3号"}


@pytest.fixture
def own():
    RegionFactory()
    county = CountyFactory(name="蒲县")  # the factory's own names have numbers in them, which are looked for, too
    values = {"reported": Decimal(40), "total_investment_wan": Decimal("1234.50")}
    return ProjectFactory(code="LF-001", number=1, name="汾河湿地工程", county=county, **values)


@pytest.fixture
def users(own):
    version = own.versions.get()
    return {
        "county": UserFactory(in_county=True, unit=version.responsible_unit),
        "foreign": UserFactory(in_county=True, county=CountyFactory()),
        "department": UserFactory(in_department=True, domain=own.domain),
        "leader": UserFactory(leader=True),
        "office": UserFactory(),
    }


def read(client, user, address: str, **query):
    client.force_login(user)
    return client.get(address, query)


ROLES = ("county", "foreign", "department", "leader", "office")


@pytest.mark.parametrize(
    ("address", "method", "expected"),
    [
        ("/wall/projects/LF-001/", "get", (200, 404, 200, 200, 200)),
        ("/wall/projects/LF-001/", "post", (405, 405, 405, 405, 405)),
        ("/wall/projects/LF-001/turn/", "get", (405, 405, 405, 405, 405)),
        ("/wall/projects/LF-001/turn/", "post", (404, 404, 404, 404, 422)),
        ("/wall/projects/LF-001/turn/FACT/withdraw/", "post", (404, 404, 404, 404, 422)),
        ("/wall/sections/SECTION/", "get", (200, 200, 200, 200, 200)),
        ("/wall/sections/SECTION/", "post", (405, 405, 405, 405, 405)),
        ("/wall/find/", "get", (200, 200, 200, 200, 200)),
        ("/wall/find/", "post", (405, 405, 405, 405, 405)),
    ],
)
def test_each_address_answers_each_role_as_it_should(client, own, users, address, method, expected):
    fact = StageFact.objects.get(project=own)
    address = address.replace("FACT", str(fact.pk)).replace("SECTION", str(SectionFactory().pk))
    answers = []
    for role in ROLES:
        client.force_login(users[role])
        answers.append(getattr(client, method)(address).status_code)
    assert tuple(answers) == expected
    client.logout()
    assert getattr(client, method)(address).status_code == 302


def test_a_project_s_card_tells_stage_progress_permits_funds_problems_and_last_report(client, own, users):
    PermitFactory(project=own, kind=PermitKind.EIA)
    ProblemFactory(project=own, description="管线迁改未定")
    page = read(client, users["leader"], "/wall/projects/LF-001/").content.decode()
    for words in ("汾河湿地工程", "开工", "40%", "环境影响评价（", "1234.50 万元", "管线迁改未定", "当周", "/projects/LF-001/"):
        assert words in page
    assert "<form" not in page
    assert "data-magnet" not in page


def test_a_card_knows_nothing_later_than_its_day(client, own, users):
    own.problems.create(category="land", description="后来的问题", raised_on=TODAY)
    page = read(client, users["office"], "/wall/projects/LF-001/", as_of="2025-01-15").content.decode()
    assert "后来的问题" not in page
    assert "data-magnet" not in page
    assert "磁扣只能在最新一周翻动" in page


def test_a_photo_is_shown_from_its_week_on(own, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    pixel = io.BytesIO()
    Image.new("RGB", (2, 2)).save(pixel, "JPEG")
    file = ContentFile(pixel.getvalue(), name="a.jpg")
    photo = Photo.objects.create(project=own, file=file, digest="0" * 64, week_of=dt.date(2025, 2, 10))
    assert project_card(own, dt.date(2025, 2, 9)).photo is None
    assert project_card(own, dt.date(2025, 2, 10)).photo == photo


def test_the_office_turns_a_button_and_takes_it_back_and_the_trail_tells_both(client, own, users):
    client.force_login(users["office"])
    page = client.post("/wall/projects/LF-001/turn/", TURN).content.decode()
    own.refresh_from_db()
    assert own.completed_on == dt.date(2025, 2, 19)
    assert "已登记：完工 2025-02-19（竣工验收文件：临环验〔2025〕3号）" in page
    fact = StageFact.objects.get(project=own, event=StageEvent.COMPLETION)
    answer = client.post(f"/wall/projects/LF-001/turn/{fact.pk}/withdraw/", {"reason": "验收未通过"})
    assert answer.status_code == 200
    own.refresh_from_db()
    assert own.completed_on is None
    events = TrailEvent.objects.filter(subject_type="project", action__startswith="stage.").order_by("pk")
    assert [(e.action, e.by) for e in events][-2:] == [("stage.record", users["office"]), ("stage.withdraw", users["office"])]


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        pytest.param({"note": ""}, "请写明文号或说明", id="没有依据"),
        pytest.param({"on": "2025-02-21"}, "还没有发生", id="将来的日期"),
        pytest.param({"on": "二月"}, "日期无效", id="不是日期"),
        pytest.param({"on": "2000-01-01"}, "早于开工日期", id="早于开工"),
        pytest.param({"event": "start"}, "已登记", id="已开工"),
    ],
)
def test_a_turn_that_cannot_be_is_refused_in_words_and_keeps_what_was_typed(client, own, users, values, sentence):
    client.force_login(users["office"])
    answer = client.post("/wall/projects/LF-001/turn/", TURN | values)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert sentence in page
    assert (TURN | values)["note"] in page
    assert StageFact.objects.filter(project=own).count() == 1


def test_a_turn_looked_at_on_a_past_day_is_still_recorded_today(client, own, users):
    client.force_login(users["office"])
    client.post("/wall/projects/LF-001/turn/?as_of=2024-01-01", TURN)
    own.refresh_from_db()
    assert own.completed_on == dt.date(2025, 2, 19)


def test_a_section_s_card_tells_class_target_months_and_works(client, own, users):
    section = SectionFactory(name="甲断面")
    AssessmentFactory(section=section, water_class=4, main_pollutants=[["nh3n", "0.2"]])
    SectionTarget.objects.create(section=section, year=2025, water_class=3)
    own.sections.add(section)
    page = read(client, users["leader"], f"/wall/sections/{section.pk}/").content.decode()
    for words in ("甲断面", "2025年1月", "目标 Ⅲ 类", "未达目标", "氨氮(0.2)", "汾河湿地工程", "服务本断面", f"/sections/{section.pk}/"):
        assert words in page
    assert page.count("<li>") == 13 + 1


def test_works_that_a_reader_may_not_see_are_counted_but_not_named(client, own, users):
    section = SectionFactory()
    own.sections.add(section)
    page = read(client, users["foreign"], f"/wall/sections/{section.pk}/").content.decode()
    assert "汾河湿地工程" not in page
    assert "另有 1 项不在您的查看范围" in page


@pytest.mark.parametrize("rows", [1, 30])
def test_a_card_asks_as_often_with_many_rows(client, own, users, rows, django_assert_max_num_queries):
    section = SectionFactory()
    for kind in PermitKind.values[: min(rows, len(PermitKind.values))]:
        Permit.objects.create(project=own, kind=kind)
    for _ in range(rows):
        ProblemFactory(project=own)
        ProjectFactory().sections.add(section)
    client.force_login(users["office"])
    with django_assert_max_num_queries(26):
        assert client.get("/wall/projects/LF-001/").status_code == 200
    with django_assert_max_num_queries(26):
        assert client.get(f"/wall/sections/{section.pk}/").status_code == 200


class TestFind:
    @pytest.fixture(autouse=True)
    def rows(self, own):
        ProjectFactory(code="LF-012", number=12, name="洪洞县污水处理厂", started_on=None)

    @pytest.mark.parametrize(
        ("typed", "codes"),
        [
            pytest.param("12", ["LF-012"], id="序号"),
            pytest.param("lf-012", ["LF-012"], id="编号"),
            pytest.param("湿地", ["LF-001"], id="名称的一部分"),
            pytest.param("fenhe", ["LF-001"], id="拼音"),
            pytest.param("FHSD", ["LF-001"], id="首字母不分大小写"),
            pytest.param("hongtong", ["LF-012"], id="地名的本地读音"),
            pytest.param("fen he", ["LF-001"], id="空格不算"),
            pytest.param("没有的", [], id="没有"),
            pytest.param("", [], id="空"),
        ],
    )
    def test_finds_by_number_code_name_pinyin_and_initials(self, typed, codes, users):
        assert [hit.key for hit in find(typed, TODAY, users["leader"])] == codes

    def test_a_number_comes_before_what_merely_contains_it(self, users):
        ProjectFactory(code="LF-112", number=112, name="第12号泵站")
        assert find("12", TODAY, users["leader"])[0].key == "LF-012"

    def test_finds_sections_too(self, users):
        section = SectionFactory(name="上平望")
        assert [(hit.kind, hit.key) for hit in find("spw", TODAY, users["leader"])] == [("section", str(section.pk))]

    def test_finds_nothing_outside_the_reader_s_scope(self, client, users):
        assert find("fenhe", TODAY, users["foreign"]) == []
        Policy.objects.create(effective_on=TODAY, values={"counties_read_others": True}, reason="试")
        assert len(find("fenhe", TODAY, users["foreign"])) == 1

    def test_answers_with_the_stage_of_the_day(self, client, users):
        client.force_login(users["leader"])
        hit, *_ = json.loads(client.get("/wall/find/", {"q": "12"}).content)
        assert hit["stage"] == Stage.NOT_STARTED
