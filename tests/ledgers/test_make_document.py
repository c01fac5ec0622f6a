"""`make_document` as a person at the machine uses it."""

import pytest
from django.core.management import CommandError, call_command

from ledgers import services
from ledgers.models import Document
from linfen_water import jobs
from tests.factories import ProjectFactory, RegionFactory, UserFactory

SETTINGS = {"office": {"name": "演示专班办", "prefixes": {"bulletin": "演清专办"}}}


@pytest.fixture
def city(db):
    RegionFactory(settings=SETTINGS)
    return ProjectFactory(finished=True)


def test_it_writes_the_draft_and_says_what_it_is(city, tmp_path, capsys):
    call_command("make_document", "bulletin", "2025-01", out=tmp_path / "b.pdf")
    assert (tmp_path / "b.pdf").read_bytes() == Document.objects.get().pdf_path.read_bytes()
    said = capsys.readouterr().out
    assert "草稿，未编号，数据截至 2025-01-31" in said


def test_of_an_earlier_month_it_gives_the_figures_of_that_months_end(city, tmp_path):
    call_command("make_document", "bulletin", "2023-12", out=tmp_path / "b.pdf")
    assert Document.objects.get().facts["totals"]["under_construction"] == 1


def test_of_an_issued_paper_it_writes_the_frozen_bytes(city, tmp_path):
    office = UserFactory()
    document = services.draft_document(kind="bulletin", period="2025-01", by=office)
    job = services.request_issue(document=document, by=office, facts_seen=services.facts_digest(document))
    jobs.run(job.pk)
    document.refresh_from_db()
    ProjectFactory()
    call_command("make_document", "bulletin", "2025-01", out=tmp_path / "b.pdf")
    assert (tmp_path / "b.pdf").read_bytes() == document.pdf_path.read_bytes()
    assert Document.objects.count() == 1


@pytest.mark.parametrize(
    ("args", "fault"),
    [
        (("weekly", "2025-02"), "周次“2025-02”无效"),
        (("weekly", "2025-W09"), "还没有开始"),
        (("early-warning", "2025-02"), "2025-02 没有应发预警函的单位"),
        (("nonsense", "2025-01"), "没有“nonsense”这种文件"),
        (("bulletin", "2025-13"), "月份“2025-13”无效"),
        (("bulletin", "2025-W08"), "无效"),
        (("bulletin", "2025-03"), "还没有开始"),
        (("bulletin", "2019-01"), "还没有项目"),
        (("bulletin", "2025-01", "--unit", "nobody"), "没有代码为“nobody”的单位"),
    ],
)
def test_what_cannot_be_made_ends_with_a_chinese_sentence_and_writes_nothing(city, tmp_path, monkeypatch, args, fault):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CommandError, match=fault):
        call_command("make_document", *args)
    assert list(tmp_path.iterdir()) == []


def test_a_bulletin_goes_to_the_whole_city_not_to_a_unit(city, tmp_path):
    unit = UserFactory(in_county=True).unit
    with pytest.raises(CommandError, match="不分单位"):
        call_command("make_document", "bulletin", "2025-01", "--unit", unit.code, out=tmp_path / "b.pdf")


def test_a_place_that_cannot_be_written_is_told(city, tmp_path):
    with pytest.raises(CommandError, match="不能写入"):
        call_command("make_document", "bulletin", "2025-01", out=tmp_path / "nowhere" / "b.pdf")
