"""Files beside problems, permits and papers: what is taken, what is refused and why, how they are served."""

import io
import zipfile

import pytest
from PIL import Image

from linfen_water.models import TrailEvent
from linfen_water.sent_files import Unfit, clean_name
from projects import attachments
from projects.models import Attachment
from tests.factories import ProblemFactory, RegionFactory, UserFactory

PDF = b"%PDF-1.7\n1 0 obj\n%%EOF\n"


def picture(kind: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (4, 3), "red").save(file, kind)
    return file.getvalue()


def package(*names: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, "<x/>")
    return file.getvalue()


DOCX = package("[Content_Types].xml", "word/document.xml")
XLSX = package("[Content_Types].xml", "xl/workbook.xml")


@pytest.mark.parametrize(
    ("name", "data", "suffix"),
    [
        ("批复.pdf", PDF, ".pdf"),
        ("现场.JPG", picture("JPEG"), ".jpg"),
        ("现场.jpeg", picture("JPEG"), ".jpg"),
        ("截图.png", picture("PNG"), ".png"),
        ("函.docx", DOCX, ".docx"),
        ("表.xlsx", XLSX, ".xlsx"),
    ],
)
def test_good_files_are_known_by_their_content(name, data, suffix):
    assert attachments.judge(name, data) == suffix


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        pytest.param("空.pdf", b"", "空文件", id="空文件"),
        pytest.param("大.pdf", PDF + b" " * attachments.LARGEST, "超过 10 MB", id="超过上限"),
        pytest.param("网页.pdf", b"<html><script>alert(1)</script>", "只收", id="网页冒充"),
        pytest.param("断.pdf", b"%PDF-1.7\nhalf", "内容须完整", id="不完整的PDF"),
        pytest.param("坏.jpg", picture("JPEG")[:40], "只收", id="损坏的照片"),
        pytest.param("照片.pdf", picture("PNG"), "内容是 PNG", id="扩展名不符"),
        pytest.param("程序.exe", b"MZ\x90\x00", "只收", id="程序"),
        pytest.param("包.docx", package("a.txt"), "只收", id="压缩包冒充"),
        pytest.param("宏.docx", package("[Content_Types].xml", "word/document.xml", "word/vbaProject.bin"), "只收", id="带宏"),
        pytest.param("坏.xlsx", b"PK\x03\x04 nothing", "只收", id="坏的压缩包"),
        pytest.param("画.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "只收", id="SVG"),
    ],
)
def test_bad_files_are_refused_with_how_to_mend(name, data, words):
    with pytest.raises(Unfit, match=words):
        attachments.judge(name, data)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("../../etc/批复.pdf", "批复.pdf"),
        ("C:\\图\\批复.pdf", "批复.pdf"),
        ("批\r\n复\u202e.pdf", "批复.pdf"),
        ("...", "附件"),
        ("长" * 200 + ".pdf", "长" * 116 + ".pdf"),
    ],
)
def test_names_lose_folders_and_control_characters(sent, kept):
    assert clean_name(sent) == kept


@pytest.fixture
def problem(db, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    RegionFactory()
    return ProblemFactory()


def keep(problem, by, data=PDF, name="批复.pdf"):
    return attachments.keep(project=problem.project, name=name, data=data, by=by, problem=problem)


def test_the_same_file_twice_is_one_and_stands_in_the_trail(problem, tmp_path):
    by = UserFactory()
    first = keep(problem, by)
    assert keep(problem, by, name="另名.pdf") == first
    assert Attachment.objects.count() == 1
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1
    event = TrailEvent.objects.get(action="attachment.keep")
    assert (event.subject_type, event.subject_id) == ("problem", str(problem.pk))


def test_too_many_files_are_refused(problem):
    by = UserFactory()
    for place in range(attachments.MOST):
        keep(problem, by, data=PDF + b" " * place)
    with pytest.raises(Unfit, match="附件已有"):
        keep(problem, by, data=PDF + b"\n\n")


def test_a_file_is_served_as_a_download_that_no_browser_runs(client, problem):
    by = UserFactory()
    row = keep(problem, by, name="关于“管网”的批复.pdf")
    client.force_login(by)
    answer = client.get(f"/attachments/{row.pk}/")
    assert answer.content == PDF
    assert answer["Content-Type"] == "application/pdf"
    assert answer["Content-Disposition"].startswith("attachment;")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer["Content-Security-Policy"]
    assert "no-store" in answer["Cache-Control"]


def test_a_withdrawn_file_is_gone_from_the_page_and_kept(client, problem):
    by = UserFactory()
    row = keep(problem, by)
    with pytest.raises(Unfit, match="理由"):
        attachments.withdraw(attachment=row, reason=" ", by=by)
    attachments.withdraw(attachment=row, reason="传错了", by=by)
    client.force_login(by)
    assert client.get(f"/attachments/{row.pk}/").status_code == 404
    row.refresh_from_db()
    assert row.file.storage.exists(row.file.name)
    assert keep(problem, by).pk != row.pk
