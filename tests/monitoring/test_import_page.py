"""Files and pasted tables come in after a rehearsal: all of it or nothing, and nobody confirms what they have not seen."""

import datetime as dt
import io
import json
import re
from decimal import Decimal as D

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from monitoring.enums import Cause, IntakeKind, WaterClass
from monitoring.models import Assessment, Intake, Interruption, Reading, StationRecord
from monitoring.samples import Batch
from tests.factories import DomainFactory, RegionFactory, SectionFactory, UserFactory

pytestmark = pytest.mark.django_db
URL = "/sections/import/"
HEAD = ["断面", "采样日期", "pH值", "溶解氧", "高锰酸盐指数", "氨氮", "总磷"]
ROW = ["甲断面", "2025-01-06", "8", "9", "3", "0.3", "0.05"]


@pytest.fixture(autouse=True)
def region(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"
    return RegionFactory(settings={"water_domain": "生态环境", "province": "山西省"})


@pytest.fixture
def section():
    return SectionFactory(name="甲断面")


@pytest.fixture
def office(client):
    client.force_login(UserFactory(username="office"))
    return client


def table(*rows) -> str:
    return "\n".join("\t".join(row) for row in rows)


def sheet(*rows) -> bytes:
    book, file = openpyxl.Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(file)
    return file.getvalue()


def post(client, **fields):
    return client.post(URL, {"way": "manual", "action": "rehearse"} | fields)


def send(client, data: bytes, name="一月.xlsx", **fields):
    return post(client, file=SimpleUploadedFile(name, data), **fields)


def confirm(client, page, **fields):
    """Press 确认写入 on the page of a rehearsal."""
    context = page.context
    kept = {"kept": context["kept"], "name": context["name"], "seen": context["rehearsal"].fingerprint}
    return post(client, **kept | {"action": "commit", "text": context["form"]["text"].value() or ""} | fields)


def test_a_workbook_is_rehearsed_then_taken_in_and_judged(office, section):
    page = send(office, sheet(HEAD, ROW))
    assert page.status_code == 200
    assert page.context["rehearsal"].counts["taken"] == 5
    assert not Reading.objects.exists()
    answer = confirm(office, page)
    assert answer.status_code == 302
    intake = Intake.objects.get()
    assert (intake.kind, intake.name, intake.by.username, len(intake.digest)) == (IntakeKind.WORKBOOK, "一月.xlsx", "office", 64)
    assert Reading.objects.filter(is_live=True).count() == 5
    assert Assessment.objects.get(period_kind="month").water_class == WaterClass.II
    done = office.get(answer.url).content.decode()
    assert "导入结果" in done
    assert "新增5" in done


def test_two_errors_are_told_with_row_and_column_and_mended(office, section):
    page = send(office, sheet(HEAD, ROW, ["甲断面", "2025-01-20", "8", "abc", "3", "-1", "0.05"]))
    text = page.content.decode()
    assert page.status_code == 422
    assert [(fault.row, fault.column) for fault in page.context["faults"]] == [(3, "溶解氧"), (3, "氨氮")]
    assert "有 2 处错误，没有写入任何数据" in text
    assert "确认写入" not in text
    assert not Reading.objects.exists()
    assert confirm(office, page).status_code == 422
    assert not Reading.objects.exists()
    mended = send(office, sheet(HEAD, ROW))
    assert confirm(office, mended).status_code == 302


def test_a_pasted_table_is_kept_in_its_field_and_taken_in(office, section):
    page = post(office, text=table(HEAD, ROW))
    assert page.status_code == 200
    assert "甲断面\t2025-01-06" in page.content.decode()
    assert confirm(office, page).status_code == 302
    assert Intake.objects.get().kind == IntakeKind.PASTE


def test_a_paste_that_was_changed_after_the_rehearsal_is_rehearsed_again(office, section):
    page = post(office, text=table(HEAD, ROW))
    other = table(HEAD, [*ROW[:-1], "0.9"])
    answer = confirm(office, page, text=other)
    assert answer.status_code == 200
    assert not Reading.objects.exists()
    assert confirm(office, answer).status_code == 302
    assert Reading.objects.get(parameter="tp").value == D("0.9")


def test_a_revision_needs_a_reason_only_when_it_is_confirmed(office, section):
    confirm(office, post(office, text=table(HEAD, ROW)))
    page = post(office, text=table(HEAD, [*ROW[:-1], "0.06"]))
    assert page.status_code == 200
    assert page.context["faults"] == []
    assert "有 1 个数值与已有的不同" in re.sub(r"\n\s+", " ", page.content.decode())
    refused = confirm(office, page)
    assert refused.status_code == 422
    assert "请写明理由" in refused.content.decode()
    assert Reading.objects.filter(parameter="tp").count() == 1
    assert confirm(office, refused, reason="实验室更正报告").status_code == 302
    standing = Reading.objects.get(parameter="tp", is_live=True)
    assert (standing.value, standing.reason) == (D("0.06"), "实验室更正报告")


def test_a_second_sample_of_a_published_month_is_told_and_needs_a_reason(office, section, settings):
    settings.OFFICE_TODAY = dt.date(2025, 2, 10)
    confirm(office, post(office, text=table(HEAD, ROW)))
    settings.OFFICE_TODAY = dt.date(2025, 2, 20)
    page = post(office, text=table(HEAD, ["甲断面", "2025-01-20", "8", "9", "3", "3.5", "0.5"]))
    text = page.content.decode()
    assert (page.status_code, page.context["faults"]) == (200, [])
    assert "本月已有采样" in text
    assert "甲断面2025年1月的结果已发布（Ⅱ类）" in text
    assert "新增的数值会改变已发布的结果" in text
    assert confirm(office, page).status_code == 422
    assert Reading.objects.filter(parameter="nh3n").count() == 1
    assert confirm(office, page, reason="补测").status_code == 302


def test_what_changed_between_the_steps_must_be_looked_at_again(office, section):
    page = post(office, text=table(HEAD, ROW))
    confirm(office, post(office, text=table(HEAD, [*ROW[:-1], "0.06"])))
    answer = confirm(office, page, reason="更正")
    assert answer.status_code == 422
    assert "监测数据已有新的变动" in answer.content.decode()
    assert Reading.objects.get(parameter="tp", is_live=True).value == D("0.06")
    assert confirm(office, answer, reason="更正").status_code == 302


def test_the_same_file_twice_changes_nothing(office, section):
    confirm(office, send(office, sheet(HEAD, ROW)))
    page = send(office, sheet(HEAD, ROW))
    assert "没有可导入的变化" in page.content.decode()
    assert "确认写入" not in page.content.decode()


def test_a_section_that_is_not_ours_is_left_out_and_named(office, section):
    page = send(office, sheet(HEAD, ROW, ["外地断面", *ROW[1:]]))
    assert page.status_code == 200
    assert "外地断面" in page.content.decode()
    assert page.context["rehearsal"].counts["skipped"] == 1


def test_a_dry_month_comes_in_with_a_table(office, section):
    page = post(office, text=table(HEAD, ["甲断面", "2025-01-06", "断流", "", "", "", ""]))
    assert confirm(office, page).status_code == 302
    assert Interruption.objects.get().cause == Cause.NO_FLOW


def test_a_table_of_a_station_is_taken_as_runs_and_judges_nothing(office, section):
    head = ["断面", "监测时间", *HEAD[2:]]
    page = post(office, way="automatic", text=table(head, ["甲断面", "2025-01-06 08:00", *ROW[2:]]))
    assert confirm(office, page, way="automatic").status_code == 302
    assert StationRecord.objects.get().values["nh3n"] == "0.3"
    assert not Reading.objects.exists()


def test_the_national_feed_is_known_by_its_content(office, section):
    thead = ["省份", "流域", "断面名称", "监测时间", "水质类别", "水温", "pH", "溶解氧", "电导率", "浊度", "高锰酸盐指数", "氨氮", "总磷",
             "总氮", "叶绿素α", "藻密度", "站点情况"]  # fmt: skip
    row = [
        "山西省",
        "黄河流域",
        "甲断面",
        "02-10 08:00",
        "Ⅱ",
        "5.1",
        "8.00",
        "9.00",
        "500",
        "10",
        "3.0",
        "0.30",
        "0.050",
        "4",
        "*",
        "*",
        "正常",
    ]
    stranger = ["河北省", "海河流域", "甲断面", *row[3:]]
    data = json.dumps({"result": 1, "total": 1, "records": 2, "thead": thead, "tbody": [row, stranger]}).encode()
    page = send(office, data, name="feed.json")
    assert page.status_code == 200
    assert confirm(office, page).status_code == 302
    record = StationRecord.objects.get()
    assert (record.feed_class, record.water_class) == (WaterClass.II, WaterClass.II)
    assert Intake.objects.get().kind == IntakeKind.FEED


@pytest.mark.parametrize(
    ("data", "name"),
    [
        pytest.param(b"", "empty.xlsx", id="空文件"),
        pytest.param(b"PK\x03\x04broken", "broken.xlsx", id="坏的工作簿"),
        pytest.param(b'{"result":1,"thead":[', "cut.json", id="截断的JSON"),
        pytest.param(b"<html>502 Bad Gateway</html>", "feed.json", id="网页"),
        pytest.param("你好，世界".encode(), "words.csv", id="没有表头"),
        pytest.param(b"\xff\xfe\xff\xff\x00\xd8", "bytes.csv", id="不是文字"),
    ],
)
def test_what_cannot_be_read_is_answered_at_the_field(office, section, data, name):
    page = send(office, data, name=name, reason="刚填的理由")
    text = page.content.decode()
    assert page.status_code == 422
    assert 'id="file-error"' in text
    assert "刚填的理由" in text


@pytest.mark.parametrize(("lines", "status"), [(50_000, 200), (50_001, 422)], ids=["五万行可读", "再多请分开"])
def test_a_table_too_long_for_a_page_is_refused_before_it_is_read(office, section, monkeypatch, lines, status):
    monkeypatch.setattr("monitoring.views.intake.intake.read_file", lambda *a, **k: (IntakeKind.CSV, Batch()))
    page = send(office, b"x\n" * lines, name="多.csv")
    assert (page.status_code, "分成几个文件" in page.content.decode()) == (status, status == 422)


def test_nothing_brought_is_told(office):
    page = post(office)
    assert page.status_code == 422
    assert "请选择文件，或在下面粘贴表格" in page.content.decode()


@pytest.mark.parametrize(
    ("fields", "sentence"), [({"way": "guess"}, "手工监测还是自动站"), ({"year": "2026"}, "年份不晚于2025"), ({"year": "去年"}, "四位数")]
)
def test_what_is_typed_wrongly_is_told(office, section, fields, sentence):
    page = post(office, text=table(HEAD, ROW), **fields)
    assert page.status_code == 422
    assert sentence in page.content.decode()
    assert "甲断面\t" in page.content.decode()


@pytest.mark.parametrize("kept", ["", "0" * 64, "../../etc/passwd", "x" * 64])
def test_a_file_that_is_not_kept_must_be_brought_again(office, kept):
    page = post(office, action="commit", kept=kept, seen="")
    assert page.status_code == 422
    assert 'id="file-error"' in page.content.decode()


def test_nobody_confirms_the_file_of_another(client, office, section):
    page = send(office, sheet(HEAD, ROW))
    client.force_login(UserFactory())
    assert confirm(client, page).status_code == 422
    assert not Reading.objects.exists()


def test_markup_in_a_file_comes_out_escaped(office, section):
    markup = "<script>alert(1)</script>"
    page = send(office, sheet([*HEAD, markup], [*ROW, "1"]), name=f"{markup}.xlsx")
    assert markup not in page.content.decode()


# ── The workbook to fill in ──────────────────────────────────────────────────────────────────────────────────────────
def test_the_template_comes_back_as_it_was_meant(office):
    SectionFactory(name="=甲断面", x_items=["cod"])
    SectionFactory(name="乙断面")
    answer = office.get(URL, {"template": "xlsx", "month": "2025-01"})
    assert "2025-01" in answer["Content-Disposition"]
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    page = book.active
    assert [cell.value for cell in page[3]] == [*HEAD[:5], "化学需氧量", *HEAD[5:], "说明"]
    assert {page.cell(row, 1).value for row in (5, 6)} == {"=甲断面", "乙断面"}
    assert {page.cell(row, 1).data_type for row in (5, 6)} == {"s"}
    empty = send(office, answer.content)
    assert (empty.status_code, empty.context["faults"], empty.context["lines"]) == (200, [], [])
    row = next(row for row in (5, 6) if page.cell(row, 1).value == "乙断面")
    for place, value in enumerate(["2025-01-06", 8, 9, 3, None, 0.3, "<0.01"], 2):
        page.cell(row, place).value = value
    file = io.BytesIO()
    book.save(file)
    filled = send(office, file.getvalue())
    assert confirm(office, filled).status_code == 302
    found = {row.parameter: (row.value, row.is_below_detection) for row in Reading.objects.all()}
    assert found["tp"] == (D("0.01"), True)
    assert found["nh3n"] == (D("0.3"), False)
    assert "cod" not in found


def test_the_template_of_an_impossible_month_is_refused(office):
    assert office.get(URL, {"template": "xlsx", "month": "2025-99"}).status_code == 400


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
def test_who_may_bring_values(client, section, person, status):
    if "domain" in person:
        person = person | {"domain": DomainFactory(name=person["domain"])}
    client.force_login(UserFactory(**person))
    assert client.get(URL).status_code == status
    assert client.get(URL, {"template": "xlsx"}).status_code == status
    assert post(client, text=table(HEAD, ROW)).status_code == status


def test_the_ledger_of_sections_leads_here(office):
    answer = office.get("/ledgers/sections/import/")
    assert (answer.status_code, answer.url) == (302, URL)


def test_the_template_of_a_month_before_there_were_limits_is_refused(office):
    answer = office.get(URL, {"template": "xlsx", "month": "1990-01"})
    assert answer.status_code == 400
    assert "请填写 2002-06 起的月份" in answer.content.decode()


def test_a_rehearsal_lists_the_results_that_would_change(office, section):
    confirm(office, post(office, text=table(HEAD, ROW)))
    page = post(office, text=table(HEAD, [*ROW[:-2], "3.5", ROW[-1]]))
    assert "将改变的评价" in page.content.decode()
    assert (page.context["results"][0].old, page.context["results"][0].new) == (WaterClass.II, WaterClass.WORSE_THAN_V)
    assert Assessment.objects.filter(period_kind="month").count() == 1
    assert "将改变的评价" not in post(office, text=table(HEAD, ROW)).content.decode()
