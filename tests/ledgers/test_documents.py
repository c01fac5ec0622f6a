"""The official format, measured in the PDF itself: positions in millimetres from the paper's upper left corner."""

import dataclasses
import datetime as dt
import io
import itertools

import docx
import pytest
from fontTools.pens.boundsPen import BoundsPen
from fontTools.ttLib import TTFont
from pdfminer.high_level import extract_pages, extract_text
from pdfminer.layout import LAParams, LTChar, LTCurve, LTLine, LTPage, LTRect

from ledgers.documents import DocumentFault, PrintFault, fonts, jsonable, pdf, periods, wording
from ledgers.documents import docx as word
from ledgers.documents.paper import Attachment, Column, Figure, Heading, Paper, Paragraph, Table, title_lines

DAY = dt.date(2025, 2, 5)
MM = 25.4 / 72
HOSTILE = (
    '#set page(width: 1pt) *粗* _斜_ $x^2$ `码` <b>签</b> & @引 // 注 /* 块 */ \\u{41} {{7*7}} "直" %s [括] #read("/etc/passwd") ~ ---'
)


def paper(**changes) -> Paper:
    table = Table(columns=(Column("序号", 1), Column("名称", 3, "left")), rows=(("1", "甲"), ("2", "乙")))
    values = {
        "head": "演示市“清水工程”生态保护工程专班办公室文件",
        "file_number": "演清专办〔2025〕3号",
        "title": ("关于2025年1月建设进展", "情况的通报"),
        "addressees": "各县（市、区）人民政府：",
        "body": (Heading(1, "一、总体情况"), Paragraph("水" * 28 * 60), Paragraph("数据截至当月末。")),
        "attachments": (Attachment("排名表", table, is_landscape=True), Attachment("清单", table, ("说明",))),
        "signature": "演示市“清水工程”专班办公室",
        "dated": "2025年2月5日",
        "has_seal": True,
        "copies_to": "市政府办公室。",
        "printed": "2025年2月5日印发",
        "marks": ("演示数据",),
    }
    return Paper(**(values | changes))


def pages(content: bytes) -> list[LTPage]:
    return list(extract_pages(io.BytesIO(content), laparams=LAParams(all_texts=True)))


def text(content: bytes) -> str:
    return extract_text(io.BytesIO(content))


def flat(content: bytes) -> str:
    return "".join(text(content).split())


def walk(item):
    yield item
    for child in getattr(item, "_objs", ()):
        yield from walk(child)


def letters(page: LTPage) -> list[LTChar]:
    return [item for item in walk(page) if isinstance(item, LTChar)]


def x(item) -> float:
    return item.x0 * MM


def baseline(page: LTPage, letter: LTChar) -> float:
    return (page.height - letter.matrix[5]) * MM


def strokes(page: LTPage) -> list:
    return [item for item in walk(page) if isinstance(item, (LTLine, LTRect, LTCurve))]


def top(page: LTPage, item) -> float:
    return (page.height - item.y1) * MM


def bottom(page: LTPage, item) -> float:
    return (page.height - item.y0) * MM


def lines_of_water(page: LTPage) -> dict[float, list[LTChar]]:
    """The letters 水 of a page by their baseline, rounded to a tenth of a millimetre."""
    lines: dict[float, list[LTChar]] = {}
    for letter in letters(page):
        if letter.get_text() == "水":
            lines.setdefault(round(baseline(page, letter), 1), []).append(letter)
    return dict(sorted(lines.items()))


@pytest.fixture(scope="module")
def printed() -> bytes:
    return pdf.render_pdf(paper(), DAY)


def test_a_page_of_text_has_22_lines_of_28_characters_that_fill_the_block(printed):
    page = pages(printed)[1]
    lines = lines_of_water(page)
    assert [len(line) for line in lines.values()] == [28] * 22
    assert all(min(map(x, line)) == pytest.approx(28, abs=0.3) for line in lines.values())
    ends = [max(letter.matrix[4] * MM + 16 * MM for letter in line) for line in lines.values()]
    assert ends == pytest.approx([184] * 22, abs=0.3)
    heights = list(lines)
    assert [b - a for a, b in itertools.pairwise(heights)] == pytest.approx([29.609 * MM] * 21, abs=0.15)
    assert heights[0] == pytest.approx(37 + 0.88 * 16 * MM, abs=0.3)
    assert heights[-1] == pytest.approx(262 - 0.12 * 16 * MM, abs=0.3)


def test_upper_edge_of_the_red_head_lies_72_mm_under_the_papers_edge_and_within_156_mm(printed):
    page = pages(printed)[0]
    head = [c for c in letters(page) if _is_red(c.graphicstate.ncolor)]
    assert "".join(c.get_text() for c in head) == paper().head
    with TTFont(fonts.paths("title")[0], lazy=True) as font:
        glyphs, names, em = font.getGlyphSet(), font.getBestCmap(), font["head"].unitsPerEm
        highest = max(_bounds(glyphs, names[ord(c.get_text())])[3] for c in head) / em
    upper = highest * max(c.matrix[3] * c.adv for c in head)
    assert baseline(page, head[0]) - upper * MM == pytest.approx(72, abs=0.3)
    assert min(map(x, head)) >= 27.9
    assert max(c.x1 for c in head) * MM <= 184.1
    assert head[0].matrix[0] / head[0].matrix[3] < 1  # narrowed, not shrunk


def _is_red(colour) -> bool:
    return isinstance(colour, (tuple, list)) and len(colour) == 3 and colour[0] > 0.8 > 0.2 > colour[1]


def _bounds(glyphs, name):
    pen = BoundsPen(glyphs)
    glyphs[name].draw(pen)
    return pen.bounds


def test_red_line_lies_4_mm_under_the_number_and_spans_the_block(printed):
    page = pages(printed)[0]
    line = next(item for item in strokes(page) if _is_red(item.stroking_color) or _is_red(item.non_stroking_color))
    number = next(c for c in letters(page) if c.get_text() == "〔")
    lower_edge = baseline(page, number) + 0.12 * 16 * MM
    assert (top(page, line) + bottom(page, line)) / 2 - lower_edge == pytest.approx(4, abs=0.3)
    assert (line.x0 * MM, line.x1 * MM) == pytest.approx((28, 184), abs=0.2)


def brief(**changes) -> Paper:
    return paper(form="brief", head="“清水工程”简报", file_number="2025年第7期", addressees="", has_seal=False, **changes)


def test_a_brief_has_issue_editor_and_date_over_its_red_line_and_no_signature():
    first, *others = pages(pdf.render_pdf(brief(), DAY))
    line = next(item for item in strokes(first) if _is_red(item.stroking_color) or _is_red(item.non_stroking_color))
    assert (line.x0 * MM, line.x1 * MM) == pytest.approx((28, 184), abs=0.3)
    editor = next(c for c in letters(first) if c.get_text() == "室" and c.size < 20)
    assert top(first, line) - baseline(first, editor) - 0.12 * 16 * MM == pytest.approx(4, abs=0.7)
    said = "".join(c.get_text() for c in letters(first))
    assert said.index("2025年第7期") < said.index("演示市“清水工程”专班办公室") < said.index("2025年2月5日") < said.index("关于2025年1月")
    rest = ["".join(c.get_text() for c in letters(page)) for page in others]
    assert sum("专班办公室" in page for page in rest) == 1  # in the 版记 alone
    assert "报送：市政府办公室。" in rest[-1]
    assert len(others) % 2 == 1


def test_the_word_copy_of_a_brief_has_the_same_head_and_no_signature():
    copy = docx.Document(io.BytesIO(word.render_docx(brief(), DAY)))
    said = [paragraph.text for paragraph in copy.paragraphs]
    assert said.index("2025年第7期") + 1 == said.index("演示市“清水工程”专班办公室\t2025年2月5日")
    assert "报送：市政府办公室。" in said
    assert "2025年2月5日" not in said


def test_date_ends_4_characters_from_the_right_and_the_name_is_centred_above_it():
    content = pdf.render_pdf(paper(signature="市专班办", attachments=(), body=(Paragraph("正文。"),)), DAY)
    page = pages(content)[0]
    last_day = max((c for c in letters(page) if c.get_text() == "日" and baseline(page, c) < 260), key=lambda c: baseline(page, c))
    assert 184 - (last_day.matrix[4] + 16) * MM == pytest.approx(4 * 5.571, abs=0.3)
    date = [c for c in letters(page) if abs(baseline(page, c) - baseline(page, last_day)) < 0.1]
    name = [c for c in letters(page) if abs(baseline(page, c) - baseline(page, last_day) + 29.609 * MM) < 0.2]
    middles = [(min(c.x0 for c in row) + max(c.x1 for c in row)) / 2 * MM for row in (date, name)]
    assert middles[0] == pytest.approx(middles[1], abs=0.5)


@pytest.mark.parametrize("more", range(0, 24, 3))
def test_the_signature_never_stands_on_a_page_without_text(more):
    content = pdf.render_pdf(paper(body=(Paragraph("水" * 28 * (8 + more)), Paragraph("末段。")), attachments=()), DAY)
    signed = next(page for page in pages(content) if any(c.get_text() == "署" for c in letters(page)) or _has(page, "2025年2月5日"))
    assert lines_of_water(signed) or _has(signed, "末段。")


def _has(page: LTPage, words: str) -> bool:
    return words in "".join("".join(c.get_text() for c in letters(page)).split())


def test_colophon_is_on_an_even_last_page_with_its_last_line_on_the_blocks_edge(printed):
    found = pages(printed)
    assert len(found) % 2 == 0
    edge = max(bottom(found[-1], item) for item in strokes(found[-1]))
    assert edge == pytest.approx(262, abs=0.3)
    assert _has(found[-1], "抄送：市政府办公室。")


@pytest.mark.parametrize("count", range(1, 5))
def test_colophon_page_is_even_whatever_goes_before(count):
    table = Table(columns=(Column("名称", 1),), rows=(("甲",),))
    content = pdf.render_pdf(paper(attachments=tuple(Attachment(f"表{n}", table) for n in range(count))), DAY)
    assert len(pages(content)) % 2 == 0


def test_page_numbers_are_right_on_odd_pages_and_left_on_even_ones(printed):
    for place, page in enumerate(pages(printed)[:2], start=1):
        digit = next(c for c in letters(page) if c.get_text() == str(place) and baseline(page, c) > 262)
        assert (x(digit) > 150) is bool(place % 2)


def test_head_of_a_long_table_is_repeated_on_every_page():
    table = Table(columns=(Column("甲栏名", 1), Column("乙栏名", 1)), rows=tuple((str(n), "值") for n in range(120)))
    content = pdf.render_pdf(paper(body=(Paragraph("正文。"),), attachments=(Attachment("长表", table),)), DAY)
    with_rows = [page for page in pages(content) if _has(page, "值")]
    assert len(with_rows) > 2
    assert all(_has(page, "甲栏名") for page in with_rows)


def test_every_page_carries_the_marks_outside_the_text_block(printed):
    for page in pages(printed):
        mark = [c for c in letters(page) if c.get_text() == "演" and baseline(page, c) < 37]
        assert mark, "演示数据 is missing on a page"


def test_what_people_typed_comes_out_literally_in_every_place():
    table = Table(columns=(Column("名称", 1),), rows=((HOSTILE,),), caption=f"表{HOSTILE}")
    content = pdf.render_pdf(
        paper(
            head=f"文件{HOSTILE}",
            title=(f"题{HOSTILE}",),
            addressees=HOSTILE,
            body=(Heading(1, f"一{HOSTILE}"), Heading(2, f"二{HOSTILE}"), Paragraph(f"三{HOSTILE}"), table),
            attachments=(Attachment(f"四{HOSTILE}", table, (HOSTILE,)),),
            signature=f"五{HOSTILE}",
            dated=HOSTILE,
            copies_to=HOSTILE,
            marks=(HOSTILE,),
        ),
        DAY,
    )
    wanted = "".join(HOSTILE.split())
    assert flat(content).count(wanted) >= 8
    assert "root:" not in text(content)
    assert pages(content)[0].width == pytest.approx(210 / MM, abs=1)


def test_unprintable_and_hidden_characters_do_not_stop_the_paper_and_are_named():
    odd = paper(body=(Paragraph("甲\x07乙😀丙\u202e丁\n戊洰㎡喆玥"),), attachments=())
    assert "甲乙□丙丁戊洰㎡喆玥" in flat(pdf.render_pdf(odd, DAY))
    assert pdf.unprintable(odd) == "\x07😀\u202e"


def test_the_same_paper_gives_the_same_bytes_and_another_day_others(printed):
    assert pdf.render_pdf(paper(), DAY) == printed
    assert pdf.render_pdf(paper(), DAY + dt.timedelta(days=1)) != printed


def test_paper_claims_pdf_a_2u_and_is_tagged(printed):
    assert b"pdfaid:part>2<" in printed
    assert b"pdfaid:conformance>U<" in printed
    assert b"/StructTreeRoot" in printed or b"/MarkInfo" in printed


def test_a_fault_in_the_printing_process_is_told_in_chinese(monkeypatch):
    monkeypatch.setattr(pdf, "MEMORY", 8 << 20)
    with pytest.raises(DocumentFault, match="排版失败"):
        pdf.render_pdf(paper(), DAY)


def test_keep_names_the_file_by_its_hash_and_twice_is_once(settings, tmp_path):
    settings.DOCUMENTS_DIR = tmp_path / "kept"
    name = pdf.keep(b"%PDF-")
    assert pdf.keep(b"%PDF-") == name
    assert [path.name for path in settings.DOCUMENTS_DIR.iterdir()] == [f"{name}.pdf"]
    assert (settings.DOCUMENTS_DIR / f"{name}.pdf").read_bytes() == b"%PDF-"


def test_a_full_disk_leaves_nothing_behind(settings, tmp_path, monkeypatch):
    def full(handle):
        raise OSError(28, "No space left on device")

    settings.DOCUMENTS_DIR = tmp_path / "documents"
    monkeypatch.setattr(pdf.os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        pdf.keep(b"%PDF-1.7 a paper")
    assert list(settings.DOCUMENTS_DIR.iterdir()) == []


def test_without_fetched_fonts_the_paper_is_made_in_the_fallback(settings, tmp_path):
    settings.FONTS_DIR = tmp_path
    assert fonts.falls_back()
    assert "一、总体情况" in flat(pdf.render_pdf(paper(), DAY))


def test_an_own_font_of_a_role_comes_first(settings):
    own = fonts.paths("hei")[-1]
    settings.OFFICE_FONTS = {"kai": str(own)}
    assert fonts.paths("kai")[0] == own


@pytest.mark.parametrize(
    ("words", "lines"),
    [
        (
            ["关于2025年1月", "“一泓清水入黄河”", "生态保护工程", "建设进展", "情况的通报"],
            ("关于2025年1月“一泓清水入黄河”", "生态保护工程建设进展情况的通报"),
        ),
        (["关于甲", "的通报"], ("关于甲的通报",)),
    ],
)
def test_a_title_is_broken_between_words_into_even_lines(words, lines):
    assert title_lines(words) == lines


def test_a_title_of_one_overlong_word_is_still_printed():
    assert title_lines(["长" * 30]) == ("长" * 30,)


@pytest.mark.parametrize(("number", "words"), [(1, "一"), (10, "十"), (11, "十一"), (20, "二十"), (21, "二十一")])
def test_numerals(number, words):
    assert wording.numeral(number) == words


@pytest.mark.parametrize(
    ("now", "before", "words"),
    [
        pytest.param(3, 1, "较上月末增加2个", id="多"),
        pytest.param(1, 3, "较上月末减少2个", id="少"),
        pytest.param(2, 2, "与上月末持平", id="平"),
        pytest.param(2, None, "上月末无可比数据", id="无"),
    ],
)
def test_change_since_the_month_before(now, before, words):
    assert wording.since(now, before, "个") == words


@pytest.mark.parametrize(
    ("day", "newest"),
    [pytest.param(dt.date(2025, 2, 4), "2024-12", id="前一天"), pytest.param(dt.date(2025, 2, 5), "2025-01", id="当天")],
)
def test_last_months_bulletin_is_due_from_the_policys_day_on(day, newest):
    due = periods.months_due(day, bulletin_day=5)
    assert periods.month_period(due[-1]) == newest
    assert len(due) == 4


@pytest.mark.parametrize("period", ["2025-13", "2025-00", "25-01", "2025-1", "2025年1月", "", "2025-W08", "0000-01"])
def test_a_month_that_is_none_is_refused_in_chinese(period):
    with pytest.raises(DocumentFault, match="无效"):
        periods.read_month(period, dt.date(2025, 2, 20))


def test_a_month_that_has_not_begun_is_refused_and_the_running_one_is_not():
    with pytest.raises(DocumentFault, match="还没有开始"):
        periods.read_month("2025-03", dt.date(2025, 2, 28))
    assert periods.read_month("2025-03", dt.date(2025, 3, 1)) == dt.date(2025, 3, 1)


@dataclasses.dataclass(frozen=True)
class Inner:
    day: dt.date | None


@dataclasses.dataclass(frozen=True)
class Outer:
    inner: tuple[Inner, ...]
    one: Inner | None


@pytest.mark.parametrize("facts", [Outer((), None), Outer((Inner(DAY), Inner(None)), Inner(DAY))])
def test_facts_come_back_from_json_as_they_were(facts):
    assert jsonable.from_json(Outer, jsonable.to_json(facts)) == facts


def test_facts_of_an_older_release_take_the_default_of_what_they_lack():
    @dataclasses.dataclass(frozen=True)
    class Grown:
        inner: tuple[Inner, ...]
        count: int = 0

    assert jsonable.from_json(Grown, jsonable.to_json(Outer((Inner(DAY),), None))) == Grown((Inner(DAY),))


def test_a_figure_is_drawn_with_its_words_as_letters():
    words = '<text x="1" y="8" font-size="5" font-family="Noto Sans SC">县名</text>'
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 10">{words}</svg>'
    content = pdf.render_pdf(paper(body=(Figure(svg, "图1", "说明"), Paragraph("末段。")), attachments=()), DAY)
    assert "县名" in flat(content)


def drawn_paper(number: int) -> Paper:
    svg = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 {}"><rect width="100" height="9" fill="#c00"/></svg>'
    figures = tuple(Figure(svg.format(10 * n), f"图{n}", f"第{n}图的说明<&>") for n in range(1, number + 1))
    return paper(body=(*figures[:1], Paragraph("末段。")), attachments=(Attachment("挂图", None, figures=figures[1:]),))


@pytest.mark.parametrize("number", [1, 4])
def test_the_word_copy_carries_figures_as_pictures_with_their_words(number):
    copy = docx.Document(io.BytesIO(word.render_docx(drawn_paper(number), DAY)))
    shapes = list(copy.inline_shapes)
    assert [shape._inline.docPr.get("descr") for shape in shapes] == [f"第{n}图的说明<&>" for n in range(1, number + 1)]
    assert [round(shape.height / shape.width, 1) for shape in shapes] == [n / 10 for n in range(1, number + 1)]
    assert {round(shape.width.mm) for shape in shapes} == {156}
    pictures = [part.blob for part in copy.part.package.parts if part.partname.endswith(".png")]
    assert len(pictures) == number
    assert all(picture.startswith(b"\x89PNG") for picture in pictures)


def test_without_pictures_the_word_copy_says_the_words(monkeypatch):
    def fails(*args):
        raise PrintFault("keine")

    monkeypatch.setattr(pdf, "pictures", fails)
    copy = docx.Document(io.BytesIO(word.render_docx(drawn_paper(2), DAY)))
    assert "第1图的说明<&>" in [paragraph.text for paragraph in copy.paragraphs]
    assert not copy.inline_shapes
