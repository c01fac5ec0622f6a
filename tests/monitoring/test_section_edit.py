"""A section changes with a reason and an event; its results change only when somebody has them judged again."""

import datetime as dt
import re
from decimal import Decimal as D

import pytest
from django.utils import timezone

from linfen_water.models import TrailEvent
from monitoring import section_services, services
from monitoring.enums import Level, WaterBody, WaterClass
from monitoring.models import Assessment, Reading, Section, SectionTarget
from tests.factories import TODAY, RegionFactory, RiverFactory, SectionFactory, UserFactory

pytestmark = pytest.mark.django_db
GOOD = {"ph": "8", "do": "9", "codmn": "3", "nh3n": "0.3", "tp": "0.05"}


@pytest.fixture(autouse=True)
def region():
    return RegionFactory()


@pytest.fixture
def section():
    section = SectionFactory(name="甲断面", x_items=["f"], coord_quality="约3公里")
    SectionTarget.objects.create(section=section, year=2025, water_class=WaterClass.III)
    return section


@pytest.fixture
def office(client):
    client.force_login(UserFactory(username="office"))
    return client


def url(section):
    return f"/sections/{section.pk}/edit/"


def typed(section, **changes):
    """The form as the page hands it out, with changes."""
    said = {
        "level": section.level, "river": section.river_id, "order_along": "", "county": section.county_id,
        "water_body": section.water_body, "lon": "111.5", "lat": "36.1", "coord_quality": section.coord_quality,
        "x_items": section.x_items, "in_force_from": "", "in_force_to": "", "replaced_by": "", "station_name": "",
        "station_province": "", "target_2025": "3", "target_2026": "", "new_year": "", "new_target": "",
        "reason": "依据晋环函〔2025〕1号", "seen": section_services.state_of(section), "action": "save",
    }  # fmt: skip
    return said | changes


def sampled(section, month="2025-01", **values):
    at = timezone.make_aware(dt.datetime.fromisoformat(f"{month}-06 10:00"))
    for key, value in (GOOD | values).items():
        Reading.objects.create(section=section, sampled_at=at, parameter=key, value=D(value), source="手工监测")
    services.reassess(section=section, months=[at.date().replace(day=1)], published_on=TODAY)


# ── Changing ─────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_a_change_is_kept_with_its_reason_and_shown_in_the_history(office, section):
    river = RiverFactory(name="乙河")
    answer = office.post(url(section), typed(section, river=river.pk, order_along="12.5", x_items=["cod", "f"], station_name="甲站"))
    assert answer.status_code == 302
    section.refresh_from_db()
    assert (section.river, section.order_along, section.x_items, section.station_name) == (river, 12.5, ["cod", "f"], "甲站")
    assert section.edited_at is not None
    event = TrailEvent.objects.get(action="section.revise")
    assert (event.reason, event.by.username, event.chain) == ("依据晋环函〔2025〕1号", "office", section.county.code)
    assert event.changes["x_items"] == ["氟化物", "化学需氧量、氟化物"]
    assert event.changes["order_along"] == ["", "12.5"]
    page = office.get(url(section)).content.decode()
    assert "依据晋环函〔2025〕1号" in page
    assert "<del>氟化物</del>" in page


def test_targets_are_added_changed_and_taken_back(office, section):
    SectionTarget.objects.create(section=section, year=2024, water_class=WaterClass.IV)
    office.post(url(section), typed(section, target_2024="", target_2025="2", target_2026="2", new_year="2030", new_target="1"))
    assert dict(section.targets.values_list("year", "water_class")) == {2025: 2, 2026: 2, 2030: 1}
    changes = TrailEvent.objects.get(action="section.revise").changes
    assert changes == {
        "target_2024": ["Ⅳ类", ""],
        "target_2025": ["Ⅲ类", "Ⅱ类"],
        "target_2026": ["", "Ⅱ类"],
        "target_2030": ["", "Ⅰ类"],
    }


def test_nothing_changed_leaves_no_event_and_the_pack_in_charge(office, section):
    answer = office.post(url(section), typed(section), follow=True)
    assert "没有改动" in answer.content.decode()
    section.refresh_from_db()
    assert section.edited_at is None
    assert not TrailEvent.objects.filter(action="section.revise").exists()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        pytest.param({"reason": " "}, "请写明变更理由", id="没有理由"),
        pytest.param({"level": "city"}, "没有这个级别", id="别的级别"),
        pytest.param({"lon": "36.1", "lat": "111.5"}, "是否写反", id="经纬度写反"),
        pytest.param({"lon": "一百一十一"}, "经度填度数", id="文字经度"),
        pytest.param({"lon": "nan"}, "经度填度数", id="NaN"),
        pytest.param({"x_items": ["tn"]}, "没有这一项", id="总氮不是X项"),
        pytest.param({"x_items": ["nothing"]}, "没有这一项", id="不认识的指标"),
        pytest.param({"in_force_from": "2025-01-01", "in_force_to": "2025-01-01"}, "停用日须晚于启用日", id="停用早于启用"),
        pytest.param({"in_force_from": "去年"}, "日期请按", id="文字日期"),
        pytest.param({"new_year": "2030"}, "请选择这一年的目标", id="只有年度"),
        pytest.param({"new_target": "2"}, "请填写目标的年度", id="只有目标"),
        pytest.param({"new_year": "30", "new_target": "2"}, "年度在2000到2100之间", id="两位年度"),
        pytest.param({"order_along": "-1"}, "不能是负数", id="负里程"),
    ],
)
def test_what_cannot_be_is_told_and_what_was_typed_is_kept(office, section, changes, sentence):
    answer = office.post(url(section), typed(section, coord_quality="刚填的精度", **changes))
    page = answer.content.decode()
    assert answer.status_code == 422
    assert sentence in page
    assert "刚填的精度" in page
    section.refresh_from_db()
    assert section.coord_quality == "约3公里"


def test_a_successor_needs_a_last_day_and_two_sections_cannot_replace_each_other(office, section):
    other = SectionFactory(name="乙断面", replaced_by=section)
    page = office.post(url(section), typed(section, replaced_by=other.pk)).content.decode()
    assert "请填停用日" in page
    assert "不能互相接替" in page


def test_a_new_year_that_is_listed_already_wins_over_nothing(office, section):
    office.post(url(section), typed(section, new_year="2025", new_target="2"))
    assert dict(section.targets.values_list("year", "water_class")) == {2025: 2}


def test_the_second_of_two_people_is_told(office, section):
    mine = typed(section, coord_quality="我的精度")
    office.post(url(section), typed(section, coord_quality="对方的精度"))
    answer = office.post(url(section), mine)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "已有人改动了这个断面" in page
    assert "我的精度" in page
    section.refresh_from_db()
    assert section.coord_quality == "对方的精度"
    again = re.search(r'name="seen" value="(\w+)"', page)[1]
    assert office.post(url(section), mine | {"seen": again}).status_code == 302


# ── Judging again ────────────────────────────────────────────────────────────────────────────────────────────────────
def test_results_stay_until_they_are_judged_again_and_then_get_a_new_revision(office, section):
    sampled(section, f="0.4", cod="25")
    assert Assessment.objects.get(period_kind="month").water_class == WaterClass.II
    office.post(url(section), typed(section, x_items=["f", "cod"]))
    assert Assessment.objects.get(period_kind="month").water_class == WaterClass.II
    section.refresh_from_db()
    (found,) = [one for one in section_services.differences(section, TODAY) if one.period.label == "2025年1月"]
    assert (found.old, found.new, found.note) == (WaterClass.II, WaterClass.IV, "增加化学需氧量")
    page = office.get(url(section)).content.decode()
    assert 'value="2025-01"' in page
    answer = office.post(url(section), {"action": "reassess", "since": "2025-01", "why": "X项变更"}, follow=True)
    assert "1个时段的结果有变化" in answer.content.decode()
    rows = list(Assessment.objects.filter(period_kind="month").order_by("revision").values_list("revision", "water_class"))
    assert rows == [(1, WaterClass.II), (2, WaterClass.IV)]
    assert TrailEvent.objects.get(action="section.judge_again").reason == "X项变更"
    assert section_services.differences(section, TODAY) == []


def test_judging_again_from_a_later_month_leaves_the_earlier_ones(office, section):
    for month in ("2024-11", "2024-12"):
        sampled(section, month, f="0.4", cod="25")
    section.x_items = ["f", "cod"]
    section.save()
    section_services.reassess_section(section=section, since=dt.date(2024, 12, 1), by=None, reason="X项变更")
    classes = {row.starts_on.month: row.water_class for row in Assessment.objects.standing(TODAY).filter(period_kind="month")}
    assert classes == {11: WaterClass.II, 12: WaterClass.IV}


def test_another_water_body_is_judged_by_its_own_phosphorus(office, section):
    sampled(section, f="0.4")
    office.post(url(section), typed(section, water_body=WaterBody.LAKE))
    section.refresh_from_db()
    assert [one.new for one in section_services.differences(section, TODAY)] == [WaterClass.III]


def test_the_level_changes_no_class(office, section):
    sampled(section, f="0.4")
    office.post(url(section), typed(section, level=Level.PROVINCIAL))
    section.refresh_from_db()
    assert section.level == Level.PROVINCIAL
    assert section_services.differences(section, TODAY) == []


@pytest.mark.parametrize("fields", [{"since": "", "why": "x"}, {"since": "一月", "why": "x"}, {"since": "2025-01", "why": ""}])
def test_judging_again_needs_a_month_and_a_reason(office, section, fields):
    sampled(section, f="0.4")
    assert office.post(url(section), {"action": "reassess"} | fields).status_code == 422
    assert not TrailEvent.objects.filter(action="section.judge_again").exists()


# ── Who may ──────────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("trait", ["in_county", "in_department", "leader"])
def test_only_the_office_finds_the_page(client, section, trait):
    client.force_login(UserFactory(**{trait: True}))
    assert client.get(url(section)).status_code == 404
    assert client.post(url(section), typed(section)).status_code == 404


def test_a_section_that_is_not_there_is_not_found(office):
    assert office.get("/sections/999/edit/").status_code == 404


def test_a_mistake_does_not_open_the_door_to_overwriting_another(office, section):
    mine = typed(section, coord_quality="约1公里", reason="")
    Section.objects.filter(pk=section.pk).update(coord_quality="约2公里")  # somebody else, meanwhile
    page = office.post(url(section), mine).content.decode()
    seen = re.search(r'name="seen" value="([^"]*)"', page)[1]
    answer = office.post(url(section), mine | {"reason": "依据", "seen": seen})
    assert answer.status_code == 422
    section.refresh_from_db()
    assert section.coord_quality == "约2公里"
