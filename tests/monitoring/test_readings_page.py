"""The month's sheet: what is typed is judged, saved as a whole or not at all, and nothing typed is lost."""

import datetime as dt
import html
import json
import re
import threading
from decimal import Decimal as D

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from linfen_water.models import TrailEvent
from monitoring import month_sheet
from monitoring.enums import Cause, IntakeKind, Level, WaterClass
from monitoring.models import Assessment, Intake, Interruption, Reading
from tests.factories import TODAY, DomainFactory, RegionFactory, RiverFactory, SectionFactory, UserFactory

pytestmark = pytest.mark.django_db
URL = "/sections/readings/?month=2025-01"
GOOD = {"ph": "8", "do": "9", "codmn": "3", "nh3n": "0.3", "tp": "0.05"}
PREVIEW = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture(autouse=True)
def region():
    return RegionFactory(settings={"water_domain": "生态环境"})


@pytest.fixture
def section():
    return SectionFactory(name="甲断面", x_items=["f"])


@pytest.fixture
def office(client):
    client.force_login(UserFactory(username="office"))
    return client


def measured(section, key, value, at="2025-01-06 10:00", **more):
    when = timezone.make_aware(dt.datetime.fromisoformat(at))
    return Reading.objects.create(section=section, sampled_at=when, parameter=key, value=D(value), source="手工监测", **more)


def base_of(client, url=URL):
    """What the person saw, as the page hands it out."""
    found = re.search(r'name="base" value="([^"]*)"', client.get(url).content.decode())
    return html.unescape(found[1])


def fields(section, row=0, day="6", **values):
    """The form's fields of one row."""
    prefix = f"s{section.pk}-{row}"
    return {f"{prefix}-day": day} | {f"{prefix}-{key}": text for key, text in values.items()}


def post(client, typed, *, base=None, url=URL, **more):
    return client.post(url, {"base": base if base is not None else base_of(client, url), "action": "save"} | typed | more)


def live(section):
    found = Reading.objects.filter(section=section, is_live=True).order_by("parameter")
    return {row.parameter: str(row.value.normalize()) for row in found if row.value is not None}


# ── Saving ───────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_a_month_is_typed_saved_judged_and_says_what_came_out(office, section):
    answer = post(office, fields(section, **GOOD, f="0.4"))
    assert answer.status_code == 302
    assert live(section) == {"ph": "8", "do": "9", "codmn": "3", "nh3n": "0.3", "tp": "0.05", "f": "0.4"}
    reading = Reading.objects.get(parameter="nh3n")
    assert timezone.localtime(reading.sampled_at).isoformat() == "2025-01-06T12:00:00+08:00"
    assert (reading.intake.kind, reading.intake.by.username, reading.place) == (IntakeKind.FORM, "office", "网页第1行")
    assert Assessment.objects.get(period_kind="month").water_class == WaterClass.II
    page = office.get(answer.url).content.decode()
    assert f'data-receipt="{reading.intake.pk}"' in page
    assert "新填 6 个" in page
    assert "6 个数值" in page


def test_only_what_was_changed_is_written(office, section):
    post(office, fields(section, **GOOD, f="0.4"))
    answer = post(office, fields(section, day="01-06", **GOOD | {"nh3n": "0.30", "tp": "0.06"}, f="0.4"), reason="实验室更正报告")
    assert answer.status_code == 302
    revised = Reading.objects.get(parameter="tp", is_live=True)
    assert (str(revised.value.normalize()), revised.revision, revised.reason) == ("0.06", 2, "实验室更正报告")
    assert Reading.objects.filter(revision=2).count() == 1
    assert Intake.objects.order_by("pk").last().counts["revised"] == 1


def test_nothing_changed_writes_nothing(office, section):
    post(office, fields(section, **GOOD))
    before = Intake.objects.count(), Reading.objects.count(), TrailEvent.objects.count()
    answer = post(office, fields(section, day="01-06", **GOOD))
    assert "没有改动，不必保存" in answer.content.decode()
    assert (Intake.objects.count(), Reading.objects.count(), TrailEvent.objects.count()) == before


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        pytest.param("<0.025", (D("0.025"), True, ""), id="低于检出限"),
        pytest.param("0.025L", (D("0.025"), True, ""), id="检出限后加L"),
        pytest.param("--", (None, False, ""), id="缺测"),
        pytest.param("*", (None, False, "not_monitored"), id="不监测"),
        pytest.param("0.52（存疑）", (D("0.52"), False, "doubtful"), id="存疑"),
        pytest.param(" ０．５２ ", (D("0.52"), False, ""), id="全角"),
    ],
)
def test_cells_take_what_laboratories_write_and_show_it_again(office, section, text, stored):
    assert post(office, fields(section, nh3n=text)).status_code == 302
    row = Reading.objects.get(parameter="nh3n")
    assert (row.value, row.is_below_detection, row.flag) == stored
    shown = month_sheet.read([section], dt.date(2025, 1, 1), dt.date(2025, 2, 20)).blocks[0].rows[0].cells["nh3n"].was
    assert month_sheet.is_same(shown, text)


def test_a_cell_that_is_emptied_is_withdrawn_with_its_reason_and_judged_again(office, section):
    post(office, fields(section, **GOOD, f="0.4"))
    emptied = fields(section, day="01-06", **GOOD | {"nh3n": ""}, f="0.4")
    answer = post(office, emptied)
    assert answer.status_code == 422
    assert "请写明更正理由" in answer.content.decode()
    assert "nh3n" in live(section)
    assert post(office, emptied, reason="填错断面").status_code == 302
    assert "nh3n" not in live(section)
    standing = Assessment.objects.filter(period_kind="month").order_by("revision").last()
    assert (standing.revision, standing.water_class, standing.note) == (2, None, "氨氮缺测")
    event = TrailEvent.objects.get(action="readings.withdraw")
    assert event.changes == {"甲断面 2025-01-06 氨氮": ["0.3", None]}
    assert event.reason == "填错断面"


def test_a_sample_moves_to_the_day_that_was_meant(office, section):
    post(office, fields(section, **GOOD))
    assert post(office, fields(section, day="8", **GOOD), reason="日期写错").status_code == 302
    days = {timezone.localtime(at).day for at in Reading.objects.filter(is_live=True).values_list("sampled_at", flat=True)}
    assert days == {8}
    assert len(live(section)) == len(GOOD)


def test_a_second_sample_of_the_month_gets_a_row_of_its_own(office, section):
    post(office, fields(section, **GOOD))
    more = post(office, fields(section, day="01-06", **GOOD), action=f"more:s{section.pk}")
    assert f'name="s{section.pk}-1-nh3n"' in more.content.decode()
    base = html.unescape(re.search(r'name="base" value="([^"]*)"', more.content.decode())[1])
    typed = fields(section, day="01-06", **GOOD) | fields(section, row=1, day="20", nh3n="0.9")
    assert post(office, typed, base=base).status_code == 302
    assert Reading.objects.filter(parameter="nh3n", is_live=True).count() == 2
    assert "01-20" in office.get(URL).content.decode()


# ── Not sampled ──────────────────────────────────────────────────────────────────────────────────────────────────────
def test_a_dry_section_is_marked_and_taken_back(office, section):
    assert post(office, {f"s{section.pk}-state": "no_flow", f"s{section.pk}-note": "上游引水"}).status_code == 302
    gap = Interruption.objects.get()
    assert (gap.cause, gap.note, gap.month) == (Cause.NO_FLOW, "上游引水", dt.date(2025, 1, 1))
    assert Assessment.objects.get(period_kind="month").note == "断流"
    assert post(office, fields(section, **GOOD) | {f"s{section.pk}-state": "", f"s{section.pk}-note": ""}).status_code == 302
    assert not Interruption.objects.exists()
    assert Assessment.objects.filter(period_kind="month").order_by("revision").last().note == "氟化物缺测"


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        pytest.param({"state": "frozen"}, "已选“结冰”，又有数值", id="有数值又选结冰"),
        pytest.param({"state": "other", "values": {}}, "选“其他”时请写明原因", id="其他没写原因"),
    ],
)
def test_a_state_that_cannot_be_is_told_at_the_section(office, section, more, sentence):
    typed = fields(section, **more.get("values", GOOD)) | {f"s{section.pk}-state": more["state"]}
    answer = post(office, typed)
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert not Reading.objects.exists()


def test_a_month_with_values_that_was_dry_after_all_is_emptied_and_marked_in_one_step(office, section):
    post(office, fields(section, **GOOD))
    emptied = fields(section, day="01-06", **dict.fromkeys(GOOD, "")) | {f"s{section.pk}-state": "no_flow"}
    assert post(office, emptied).status_code == 422
    assert live(section) != {}
    assert post(office, emptied, reason="录到了别的断面").status_code == 302
    assert live(section) == {}
    assert Interruption.objects.get().cause == Cause.NO_FLOW
    assert Assessment.objects.filter(period_kind="month").order_by("revision").last().note == "断流"


# ── Faults ───────────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        pytest.param({"nh3n": "abc"}, "不是数值", id="文字"),
        pytest.param({"nh3n": "0,52"}, "带有逗号", id="小数逗号"),
        pytest.param({"nh3n": "-1"}, "是负数", id="负数"),
        pytest.param({"nh3n": "50 μg/L"}, "带有单位", id="单位"),
        pytest.param({"nh3n": "断流"}, "断流请在“采样情况”里选", id="断流"),
        pytest.param({"nh3n": "停站 "}, "停站请在“采样情况”里选", id="停站"),
        pytest.param({"ph": "70"}, "不是pH值", id="pH 70"),
        pytest.param({"do": "<2"}, "没有低于检出限的写法", id="溶解氧低于检出限"),
        pytest.param({"nh3n": "0.123456789"}, "小数超过7位", id="小数过多"),
        pytest.param({"nh3n": "0.5", "day": "31-12"}, "不是日期", id="日期写反"),
        pytest.param({"nh3n": "0.5", "day": "2025-02-03"}, "不在2025年1月", id="别的月份"),
        pytest.param({"nh3n": "0.5", "day": ""}, "请填采样日期", id="没有日期"),
    ],
)
def test_a_bad_cell_is_told_in_its_place_and_the_rest_of_the_page_is_kept(office, section, typed, sentence):
    answer = post(office, fields(section, **{"codmn": "3.7"} | typed))
    page = answer.content.decode()
    assert answer.status_code == 422
    assert sentence in page
    assert 'aria-invalid="true"' in page
    assert 'value="3.7"' in page
    for text in typed.values():
        assert f'value="{html.escape(text)}"' in page
    assert not Reading.objects.exists()


def test_a_day_in_the_future_is_refused(office, section):
    url = "/sections/readings/?month=2025-02"
    answer = post(office, fields(section, day="21", nh3n="0.5"), url=url)
    assert answer.status_code == 422
    assert "晚于今天（2025-02-20）" in answer.content.decode()


@pytest.mark.parametrize("month", ["2025-13", "2025-03", "1999-01", "一月", "2025"])
def test_an_impossible_month_is_answered_in_chinese(office, month):
    answer = office.get("/sections/readings/", {"month": month})
    assert answer.status_code == 400
    assert "月份无效" in answer.content.decode()


@pytest.mark.parametrize("base", ["", "[]", "{", '{"s1": 3}', '{"s1": {"rows": [1]}}', "[" * 20_000])
def test_a_base_that_is_none_writes_nothing(office, section, base):
    answer = post(office, fields(section, **GOOD), base=base or "null")
    assert answer.status_code == 200
    assert not Reading.objects.exists()


# ── Two people ───────────────────────────────────────────────────────────────────────────────────────────────────────
def test_the_second_of_two_people_sees_both_values_and_chooses(office, section):
    post(office, fields(section, **GOOD))
    base = base_of(office)
    post(office, fields(section, day="01-06", **GOOD | {"nh3n": "0.4"}), reason="更正")
    mine = fields(section, day="01-06", **GOOD | {"nh3n": "0.5", "do": "9.5"})
    answer = post(office, mine, base=base, reason="更正")
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "已保存的 <b>0.4</b>" in re.sub(r"\s+", " ", page)
    assert 'value="0.5"' in page
    assert live(section)["nh3n"] == "0.4"
    new_base = html.unescape(re.search(r'name="base" value="([^"]*)"', page)[1])
    name = f"pick-s{section.pk}-0-nh3n"
    assert post(office, mine | {name: "theirs"}, base=new_base, reason="更正").status_code == 302
    assert (live(section)["nh3n"], live(section)["do"]) == ("0.4", "9.5")


def test_a_value_that_only_the_other_changed_is_not_overwritten(office, section):
    post(office, fields(section, **GOOD))
    base = base_of(office)
    post(office, fields(section, day="01-06", **GOOD | {"nh3n": "0.4"}), reason="更正")
    assert post(office, fields(section, day="01-06", **GOOD | {"tp": "0.07"}), base=base, reason="更正").status_code == 302
    assert (live(section)["nh3n"], live(section)["tp"]) == ("0.4", "0.07")


def test_two_people_who_fill_the_same_empty_row_do_not_make_two_samples(office, section):
    base = base_of(office)
    post(office, fields(section, **GOOD), base=base)
    answer = post(office, fields(section, **GOOD | {"tp": "0.08"}), base=base)
    assert answer.status_code == 422
    assert Reading.objects.filter(parameter="tp").count() == 1
    other_day = post(office, fields(section, day="7", **GOOD), base=base)
    assert other_day.status_code == 422
    assert "有人录入了01-06的采样" in other_day.content.decode()


# ── What is shown ────────────────────────────────────────────────────────────────────────────────────────────────────
def test_values_over_iii_and_far_from_their_range_are_marked_and_never_refused(office, section):
    for month in (10, 11, 12):
        measured(section, "nh3n", "0.3", f"2024-{month}-06 10:00")
    found = month_sheet.read([section], dt.date(2025, 1, 1), dt.date(2025, 2, 20))
    month_sheet.type_over(found, fields(section, nh3n="1.6", ph="8"), json.loads(found.base()), dt.date(2025, 2, 20))
    cell = found.blocks[0].rows[0].cells["nh3n"]
    assert cell.is_over
    assert cell.far == "近12个月为0.3—0.3，相差5倍以上，请再核对"
    assert cell.before == "0.3"
    assert found.is_fit
    assert post(office, fields(section, nh3n="1.6")).status_code == 302


@pytest.mark.parametrize(("value", "is_far"), [("1.5", False), ("1.51", True), ("0.06", False), ("0.059", True)])
def test_far_begins_beyond_five_times(section, value, is_far):
    measured(section, "nh3n", "0.3", "2024-06-06 10:00")
    found = month_sheet.read([section], dt.date(2025, 1, 1), dt.date(2025, 2, 20))
    month_sheet.type_over(found, fields(section, nh3n=value), json.loads(found.base()), dt.date(2025, 2, 20))
    assert bool(found.blocks[0].rows[0].cells["nh3n"].far) is is_far


def test_a_section_has_cells_for_its_due_items_only(office, section):
    other = SectionFactory(name="乙断面")
    page = office.get(URL).content.decode()
    assert f'name="s{section.pk}-0-f"' in page
    assert f'name="s{other.pk}-0-f"' not in page
    assert "不监测" in page


def test_national_sections_come_first_then_by_river_and_along_it(office):
    river = RiverFactory(name="丙河")
    for name, level, along in (("四", Level.OTHER, 1), ("二", Level.NATIONAL, 20), ("一", Level.NATIONAL, 10)):
        SectionFactory(name=name, river=river, level=level, order_along=along)
    assert re.findall(r'href="/sections/\d+/">(.)</a>', office.get(URL).content.decode()) == ["一", "二", "四"]


def test_on_a_past_day_nothing_is_typed(office, section):
    page = office.get(f"{URL}&as_of=2025-02-01").content.decode()
    assert "回到今天" in page
    assert "保存全部" not in page
    assert "保存全部" in office.get(URL).content.decode()


def test_sections_out_of_force_are_left_out(office):
    SectionFactory(name="旧断面", in_force_to=dt.date(2024, 12, 1))
    SectionFactory(name="本月停用", in_force_to=dt.date(2025, 1, 15))
    page = office.get(URL).content.decode()
    assert "旧断面" not in page
    assert "本月停用" in page


def test_the_day_used_last_is_offered(office, section):
    other = SectionFactory(name="乙断面")
    measured(other, "nh3n", "0.3", "2025-01-09 10:00")
    assert f'name="s{section.pk}-0-day" value="01-09"' in re.sub(r"\s+", " ", office.get(URL).content.decode())


def test_the_preview_is_found_word_for_word_in_the_checked_page(office, section):
    typed = fields(section, **GOOD | {"nh3n": "1.6"}, f="0.4")
    part = post(office, typed, action=f"preview:s{section.pk}", **PREVIEW).content.decode()
    assert "Ⅴ" in part
    assert "氨氮(0.6)" in part
    page = post(office, typed, action="check").content.decode()
    assert part in page
    assert not Reading.objects.exists()


def test_the_history_of_a_section_is_found_word_for_word_in_the_page(office, section):
    post(office, fields(section, **GOOD))
    post(office, fields(section, day="01-06", **GOOD | {"nh3n": "0.4"}), reason="实验室更正报告")
    url = f"{URL}&history={section.pk}"
    part = office.get(url, **PREVIEW).content.decode()
    assert "<del>0.3</del>" in part
    assert "实验室更正报告" in part
    assert "网页填报" in part
    assert part in office.get(url).content.decode()


def test_the_history_of_one_cell_leaves_the_others_out(office, section):
    post(office, fields(section, **GOOD))
    samples = office.get(f"{URL}&history={section.pk}&item=nh3n").context["history"].samples
    assert [[origin.name for origin in origins] for _, origins in samples] == [["氨氮"]]
    assert len(office.get(f"{URL}&history={section.pk}&item=nothing").context["history"].samples[0][1]) == len(GOOD)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_people_at_once_never_make_two_samples_of_one_row(section):
    person, month, outcomes = UserFactory(), dt.date(2025, 1, 1), []
    base = json.loads(month_sheet.read([section], month, TODAY).base())

    def save(value):
        try:
            found, intake = month_sheet.save([section], month, fields(section, nh3n=value), base, by=person, reason="")
            outcomes.append((found.is_fit, intake is not None))
        finally:
            connection.close()

    people = [threading.Thread(target=save, args=(value,)) for value in ("0.3", "0.4")]
    for one in people:
        one.start()
    for one in people:
        one.join()
    assert sorted(outcomes) == [(False, False), (True, True)]
    assert Reading.objects.count() == 1


def test_the_number_of_queries_is_the_same_for_one_and_thirty_sections(office):
    def queries():
        with CaptureQueriesContext(
            connection,
        ) as found:
            assert office.get(URL).status_code == 200
        return len(found)

    measured(SectionFactory(), "nh3n", "0.3")
    office.get(URL)
    one = queries()
    for _ in range(29):
        measured(SectionFactory(), "nh3n", "0.3")
    assert queries() == one


# ── Who may ──────────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("person", "status"),
    [
        pytest.param({}, 200, id="专班办"),
        pytest.param({"in_department": True, "domain": "生态环境"}, 200, id="生态环境部门"),
        pytest.param({"in_department": True, "domain": "水利"}, 404, id="别的部门"),
        pytest.param({"in_county": True}, 404, id="县区"),
        pytest.param({"leader": True}, 404, id="领导"),
    ],
)
def test_who_may_type_values(client, section, person, status):
    if "domain" in person:
        person = person | {"domain": DomainFactory(name=person["domain"])}
    client.force_login(UserFactory(**person))
    assert client.get(URL).status_code == status
    answer = client.post(URL, {"base": "{}", "action": "save"})
    assert answer.status_code == status


def test_a_stranger_must_log_in(client):
    assert client.get(URL).status_code == 302


def test_a_month_before_there_were_limits_is_refused(office, section):
    answer = office.get("/sections/readings/?month=2002-05")
    assert answer.status_code == 400
    assert "请填写 2002-06 起的月份" in answer.content.decode()


def test_a_forged_page_names_no_item_that_there_is_not(office, section):
    base = json.dumps({f"s{section.pk}": {"rows": [{"at": "", "cells": {"nothing": "1", "cod": ""}}]}})
    assert post(office, fields(section, nothing="2", **GOOD, f="0.5"), base=base).status_code == 302
    assert not Reading.objects.filter(parameter="nothing").exists()
