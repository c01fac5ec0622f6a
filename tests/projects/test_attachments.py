"""Files beside problems, permits and papers: what is taken, what is refused and why, how they are served."""

import io

import pytest
from PIL import Image

from linfen_water.models import TrailEvent
from linfen_water.sent_files import Unfit, clean_name
from projects import attachments, pictures
from projects.models import Attachment
from tests import sent_files as sent
from tests.factories import ProblemFactory, RegionFactory, UserFactory
from tests.sent_files import PDF, docx, package, picture, png_claiming, xlsx

NO_MACROS = "带有宏.*另存为不带宏的"


@pytest.mark.once
@pytest.mark.parametrize(
    ("name", "data", "kept"),
    [
        pytest.param("批复.pdf", PDF, "批复.pdf", id="PDF"),
        pytest.param("批复.pdf", PDF + b"\r\n\0", "批复.pdf", id="结尾有空白的PDF"),
        pytest.param("批复.pdf", PDF + PDF[9:], "批复.pdf", id="增量保存的PDF"),
        pytest.param("批复.pdf", sent.PDF_PACKED, "批复.pdf", id="对象流PDF"),
        pytest.param("现场.JPG", picture(), "现场.JPG", id="JPG"),
        pytest.param("现场.jpeg", picture(), "现场.jpeg", id="JPEG"),
        pytest.param("截图.png", picture(kind="PNG"), "截图.jpg", id="PNG"),
        pytest.param("截图.webp", picture(kind="WEBP"), "截图.jpg", id="WEBP"),
        pytest.param("微信.png", picture(), "微信.jpg", id="JPG叫PNG"),
        pytest.param("公章.png", picture((8, 8), kind="PNG", mode="RGBA"), "公章.jpg", id="很小的透明PNG"),
        pytest.param("函.docx", docx(), "函.docx", id="DOCX"),
        pytest.param("表.xlsx", xlsx(), "表.xlsx", id="XLSX"),
        pytest.param("公式.docx", docx({"word/embeddings/oleObject1.bin": b"\xd0\xcf"}), "公式.docx", id="带公式对象的DOCX"),
        pytest.param("函.docx", sent.docx_loading("attachedTemplate", "file:///C:\\Office\\Normal.dotm"), "函.docx", id="本机模板"),
        pytest.param("函.docx", sent.docx_loading("externalLinkPath", "同一文件夹的表.xlsx"), "函.docx", id="同文件夹的外部链接"),
        pytest.param("函.docx", sent.docx_loading("hyperlink", "https://www.gov.cn/"), "函.docx", id="超链接"),
    ],
)
def test_good_files_are_known_by_their_content(name, data, kept):
    assert attachments.take(name, data).name == kept


@pytest.mark.once
@pytest.mark.parametrize(
    "data",
    [
        pytest.param(sent.jpeg_with_everything(), id="JPG带位置、时间、XMP、注释和尾部夹带"),
        pytest.param(sent.png_with_text(), id="PNG带注释和尾部夹带"),
        pytest.param(picture(kind="WEBP", place=sent.SITE, xmp=sent.XMP) + sent.EVIL, id="WEBP带位置、XMP和尾部夹带"),
    ],
)
def test_a_picture_is_made_over_and_carries_nothing_along(data):
    taken = attachments.take("现场.jpg", data)
    image = Image.open(io.BytesIO(taken.data))
    assert (image.format, dict(image.getexif()), set(image.info) - {"jfif", "jfif_version", "jfif_unit", "jfif_density"}) == (
        "JPEG",
        {},
        {"progressive", "progression"},
    )
    assert taken.data.endswith(b"\xff\xd9")
    assert not any(word in taken.data for word in (b"script", b"xmp", b"Exif", b"PK\x03\x04"))


@pytest.mark.once
def test_a_picture_is_turned_upright_and_stays_readable():
    image = Image.open(io.BytesIO(attachments.take("a.jpg", picture((300, 200), orientation=6)).data))
    assert image.size == (200, 300)
    scan = Image.open(io.BytesIO(attachments.take("扫描.png", picture((4961, 3508), kind="PNG")).data))
    assert scan.size == (4096, 2896)


@pytest.mark.once
@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        pytest.param("空.pdf", b"", "空文件.*重新选择", id="空文件"),
        pytest.param("大.pdf", PDF + b" " * attachments.LARGEST, "超过 10 MB：请压缩", id="超过上限"),
        # not what it says
        pytest.param("网页.pdf", sent.EVIL, "是网页.*打印为 PDF", id="网页冒充"),
        pytest.param("照片.pdf", picture(kind="PNG"), "内容是图片.*改正扩展名", id="图片叫PDF"),
        pytest.param("批复.jpg", PDF, "内容是 PDF.*改正扩展名", id="PDF叫JPG"),
        pytest.param("页面.html", picture() + sent.EVIL, "内容是图片.*改正扩展名", id="图片叫HTML"),
        pytest.param("表.docx", xlsx(), "内容是 XLSX.*改正扩展名", id="表格叫DOCX"),
        pytest.param("程序.pdf", b"MZ\x90\0", "是程序", id="程序冒充"),
        pytest.param("程序.exe", b"MZ\x90\0", "是程序", id="程序"),
        pytest.param("文本.pdf", b"hello", "只收 PDF", id="文本冒充"),
        pytest.param("画.svg", sent.SVG, "是 SVG.*另存为 PNG", id="SVG"),
        pytest.param("画.jpg", sent.SVG, "是 SVG.*另存为 PNG", id="SVG叫JPG"),
        pytest.param("动.jpg", sent.GIF_JS, "是 GIF.*另存为 JPG", id="GIF脚本"),
        pytest.param("苹果.jpg", b"\0\0\0\x18ftypheic" + bytes(40), "HEIC.*兼容性最佳", id="HEIC"),
        pytest.param("旧.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "旧版 Office.*另存为 DOCX", id="旧版DOC"),
        pytest.param("包.rar", b"Rar!\x1a\x07", "压缩包：请解压", id="RAR"),
        pytest.param("包.docx", package({"a.txt": "x"}), "压缩包：请解压", id="压缩包冒充"),
        pytest.param("公文.ofd", package({"OFD.xml": "<x/>"}), "OFD.*为 PDF", id="OFD"),
        pytest.param("演示.docx", docx(kind="application/x.presentationml.presentation.main+xml"), "演示文稿.*导出 PDF", id="演示文稿"),
        # pictures
        pytest.param("坏.jpg", picture()[:400], "不完整或已损坏", id="截断的JPG"),
        pytest.param("坏.jpg", picture()[:20], "不完整或已损坏", id="只有开头的JPG"),
        pytest.param("坏.png", picture(kind="PNG")[:200], "不完整或已损坏", id="截断的PNG"),
        pytest.param("炸.png", png_claiming(30_000, 30_000), "像素.*调低", id="像素炸弹"),
        pytest.param("炸.png", png_claiming(8_000, 6_000), "8000×6000 像素，超过 4000 万", id="过大的PNG"),
        # PDF
        pytest.param("断.pdf", b"%PDF-1.7\nhalf", "缺少结尾.*重新导出", id="截断的PDF"),
        pytest.param("夹.pdf", PDF + package({"a.js": "alert(1)"}), "夹带.*打印为 PDF", id="PDF后接ZIP"),
        pytest.param("夹.pdf", PDF[:-6] + package({"a.js": "1"})[:-2] + b"\x06\0%%EOF\n", "夹带.*打印为 PDF", id="ZIP藏在PDF结尾前"),
        pytest.param("夹.pdf", PDF + sent.EVIL, "夹带.*打印为 PDF", id="PDF后接网页"),
        pytest.param("夹.pdf", b"GIF89a" + PDF, "GIF|夹带", id="GIF后接PDF"),
        pytest.param("夹.pdf", b"MZ;" + PDF, "开头夹带", id="程序后接PDF"),
        pytest.param("跑.pdf", sent.PDF_WITH_SCRIPT, "含有脚本.*打印为 PDF", id="PDF脚本"),
        pytest.param("跑.pdf", sent.PDF_SCRIPT_SPELLED, "含有脚本", id="PDF脚本改写"),
        pytest.param("跑.pdf", sent.PDF_SCRIPT_PACKED, "含有脚本", id="PDF脚本压在对象流里"),
        pytest.param("跑.pdf", sent.PDF_SCRIPT_PACKED_TWICE, "检查不了.*打印为 PDF", id="PDF脚本压两层"),
        pytest.param("跑.pdf", sent.PDF_SCRIPT_BEHIND_A_COMMENT, "检查不了", id="PDF对象流藏在注释后"),
        pytest.param("跑.pdf", sent.PDF_SCRIPT_BEHIND_A_STRING, "检查不了", id="PDF对象流藏在字符串后"),
        pytest.param("跑.pdf", sent.PDF_LAUNCH, "启动程序", id="PDF启动程序"),
        pytest.param("跑.pdf", sent.PDF_WITH_FILE, "嵌入的文件", id="PDF嵌入文件"),
        pytest.param("锁.pdf", sent.PDF_LOCKED, "密码", id="PDF加密对象流"),
        # Office
        pytest.param("宏.docx", docx({"word/vbaProject.bin": b"x"}), NO_MACROS, id="带宏"),
        pytest.param("宏.docx", docx(kind=sent.MACRO_WORD), NO_MACROS, id="DOCM改名"),
        pytest.param("宏.xlsx", xlsx(kind=sent.MACRO_SHEET), NO_MACROS, id="XLSM改名"),
        pytest.param("宏.docm", docx(kind=sent.MACRO_WORD), NO_MACROS, id="DOCM"),
        pytest.param("控.docx", docx({"word/activeX/activeX1.bin": b"x"}), "ActiveX.*导出 PDF", id="控件"),
        pytest.param("远.docx", sent.docx_loading("attachedTemplate", "http://x/a.dotm"), "从网上.*另存", id="远程模板"),
        pytest.param("远.docx", sent.docx_loading("oleObject", "mhtml:&#104;ttp://x/a!x"), "从网上.*另存", id="远程对象"),
        pytest.param("远.docx", sent.docx_loading("attachedTemplate", "file:////server/a.dotm"), "从网上", id="共享盘模板"),
        pytest.param("远.docx", sent.docx_loading("attachedTemplate", "//server/a.dotm"), "从网上", id="省略协议的模板"),
        pytest.param("远.docx", sent.docx_loading("attachedTemplate", "ftps://x/a.dotm"), "从网上", id="别的协议的模板"),
        pytest.param("远.docx", sent.docx_loading("image", "\\\\server\\a.png"), "从网上", id="共享盘图片"),
        pytest.param("远.xlsx", sent.docx_loading("externalLinkPath", "https://x/a.xlsx"), "从网上", id="远程外部链接"),
        pytest.param("远.docx", sent.docx_hiding(), "从网上", id="远程模板藏在属性里"),
        pytest.param("远.docx", sent.docx_with_entities(), "不合规范", id="目录里有实体"),
        pytest.param("坏.xlsx", b"PK\x03\x04 nothing", "损坏.*另存", id="坏的压缩包"),
        pytest.param("坏.docx", docx()[:-30], "损坏.*另存", id="截断的DOCX"),
        pytest.param("缺.docx", package({"[Content_Types].xml": f'<Default ContentType="{sent.WORD}"/>'}), "缺少正文", id="没有正文"),
        pytest.param("夹.docx", docx() + b"MZ", "夹带.*另存", id="DOCX尾部夹带"),
        pytest.param("夹.docx", package({"a": "x"}) + docx(), "夹带.*另存", id="两个压缩包相接"),
        pytest.param("炸.docx", sent.zip_bomb(), "展开后有 110 MB.*过大", id="压缩炸弹"),
        pytest.param("炸.docx", docx({"word/x.xml": bytes(50 << 20)}), "展开后有 50 MB.*过大", id="压缩比过大"),
        pytest.param("炸.docx", sent.zip_liar(), "损坏", id="谎报大小"),
        pytest.param("炸.docx", docx({f"word/{n}.xml": "" for n in range(3_000)}), "3002 个部分，过大", id="部分过多"),
    ],
)
def test_bad_files_are_refused_with_how_to_mend(name, data, words):
    with pytest.raises(Unfit, match=words) as refusal:
        attachments.take(name, data)
    assert str(refusal.value).startswith(f"“{name}”")
    assert str(refusal.value).endswith("。")


@pytest.mark.once
def test_all_that_is_wrong_with_several_files_is_said_at_once():
    with pytest.raises(Unfit, match="空文件") as refusal:
        attachments.take_all([("a.pdf", b""), ("好.pdf", PDF), ("b.exe", b"MZ")])
    assert str(refusal.value) == "“a.pdf”是空文件，请重新选择。“b.exe”是程序，为安全不收：请导出 PDF 后上传。"


@pytest.mark.once
@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("../../etc/批复.pdf", "批复.pdf"),
        ("C:\\图\\批复.pdf", "批复.pdf"),
        ("批\r\n复\u202e.pdf", "批复.pdf"),
        ("账单\u202efdp.exe", "账单fdp.exe"),
        ("批\u2028复\u2066.pdf\0", "批复.pdf"),
        ("...", "附件"),
        ("", "附件"),
        ("长" * 200 + ".pdf", "长" * 116 + ".pdf"),
        ("a." + "长" * 300, "a." + "长" * 118),
        ('a"b<c>.pdf', "a＂b＜c＞.pdf"),
        (" .htaccess ", "htaccess"),
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
    return attachments.keep(project=problem.project, file=attachments.take(name, data), by=by, problem=problem)


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


def test_of_files_that_cannot_all_be_kept_none_is(problem, tmp_path, monkeypatch):
    monkeypatch.setattr(attachments, "MOST", 2)
    by = UserFactory()
    first = keep(problem, by)
    files = attachments.take_all([("批复.pdf", PDF), ("b.pdf", PDF + b" "), ("c.pdf", PDF + b"  ")])
    with pytest.raises(Unfit, match="附件已有 2 个"):
        attachments.keep_all(project=problem.project, files=files, by=by, problem=problem)
    assert list(Attachment.objects.all()) == [first]
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [first.file.name.rpartition("/")[2]]


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


@pytest.mark.parametrize(("value", "shade"), [(0, 0), (1000, 4), (32768, 128), (65535, 255)])
def test_a_scan_in_16_bits_of_grey_keeps_its_shades(value, shade):
    with Image.open(io.BytesIO(sent.grey_of_16_bits(value))) as picture:
        seen = pictures.made_over(picture, 100).getpixel((5, 5))
    assert all(abs(one - shade) <= 1 for one in seen)
