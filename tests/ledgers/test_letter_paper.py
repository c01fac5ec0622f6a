"""The letter format (信函格式) measured in the PDF, and what a letter says; positions in millimetres from the paper's upper left corner."""

import dataclasses
import datetime as dt
import io

import docx
import pytest

from ledgers.documents import docx as word
from ledgers.documents import letter_words, pdf
from ledgers.documents.bulletin import Office
from ledgers.documents.letter import LetterFacts, Line
from ledgers.enums import DocumentKind
from ledgers.measures.rules import Rule
from tests.ledgers.test_documents import HOSTILE, MM, flat, letters, pages, strokes, top, x

pytestmark = pytest.mark.once
DAY = dt.date(2025, 2, 20)
OFFICE = Office(
    "临汾市“一泓清水入黄河”生态保护工程专班办公室", "临汾市“一泓清水入黄河”生态保护工程专班办公室", "临泓清专办函", "“清水”工程",
    "县（市、区）", "", "市政府督查室。", has_seal=True,
)  # fmt: skip


def facts(count: int = 2, **changes) -> LetterFacts:
    line = Line(
        Rule.FAR_BEHIND, "project", "LF-001", "LF-001", "河道治理工程", "141031",
        "截至2025年2月20日，计划进度80.0%，实际进度40.0%，滞后40.0个百分点",
        (("计划进度", "80.0%"), ("阈值（建议值）", "超过30个百分点")),
    )  # fmt: skip
    values = {
        "kind": DocumentKind.SUPERVISION, "as_of": DAY, "office": OFFICE, "is_demo": True, "unit": "141031", "unit_name": "隰县人民政府",
        "is_county": True, "policy_on": None, "reply_days": 3, "contact": "", "lines": (line,) * count,
    }  # fmt: skip
    return LetterFacts(**values | changes)


@pytest.fixture(scope="module")
def issued() -> bytes:
    return pdf.render_pdf(letter_words.letter_paper(facts(12), number=37, issued_on=DAY), DAY)


def test_the_head_and_the_double_lines_stand_where_the_standard_puts_them(issued):
    first, *others = pages(issued)
    bars = sorted((item for item in strokes(first) if (item.x1 - item.x0) * MM > 165), key=lambda item: top(first, item))
    assert len(bars) == 4
    assert [round(x(bar), 1) for bar in bars] == pytest.approx([21.0] * 4, abs=0.3)
    assert [(bar.x1 - bar.x0) * MM for bar in bars] == pytest.approx([170] * 4, abs=0.3)
    heights = [(bar.y1 - bar.y0) * MM for bar in bars]
    assert heights[0] > heights[1]  # thick above thin
    assert heights[2] < heights[3]  # thin above thick
    assert (first.height - bars[3].y0) * MM == pytest.approx(297 - 20, abs=0.3)
    red = [letter for letter in letters(first) if letter.get_text() in "临汾市工程专班办公室" and letter.size > 20]
    assert red
    assert all(len([item for item in strokes(page) if (item.x1 - item.x0) * MM > 165]) == 0 for page in others)


def test_the_number_is_flush_right_under_the_line_and_page_one_has_none(issued):
    first, second, *_ = pages(issued)
    words = "".join(letter.get_text() for letter in letters(first))
    assert "临泓清专办函〔2025〕37号" in words
    last = next(letter for letter in letters(first) if letter.get_text() == "号")
    assert last.x1 * MM == pytest.approx(210 - 26, abs=0.5)
    assert "—1—" not in "".join(words.split())
    assert "—2—" in "".join("".join(letter.get_text() for letter in letters(second)).split())


def test_it_says_who_what_why_and_by_when(issued):
    said = flat(issued)
    assert "关于有关工程项目工作推进缓慢的督办函" in said
    assert "加急" in said
    assert "经市专班办公室研判，截至2025年2月20日，你县承担的1个工程项目推进缓慢，现就有关事项督办如下。" in said
    assert "8.河道治理工程（LF-001）：截至2025年2月20日，计划进度80.0%，实际进度40.0%，滞后40.0个百分点。" in said
    assert "其余4项见附件。" in said
    assert "请于2025年2月25日前（印发次日起3个工作日内）" in said
    assert "抄送：市政府督查室。" in said
    assert "演示数据" in said
    assert "草稿" not in said


def test_a_draft_says_so_and_leaves_number_and_days_open():
    paper = letter_words.letter_paper(facts())
    assert paper.marks[0].startswith("草稿")
    assert paper.file_number == "临泓清专办函〔2025〕　号"
    assert "请于　　年　月　日前" in paper.body[-1].text


@pytest.mark.parametrize(
    ("unit", "is_county", "said"),
    [("隰县人民政府", True, "你县"), ("侯马市人民政府", True, "你市"), ("尧都区人民政府", True, "你区"),
     ("临汾经济开发区管理委员会", True, "你区"),
     ("市水利局", False, "你局"), ("市投资集团", False, "你单位")],
)  # fmt: skip
def test_the_addressee_is_spoken_to_rightly(unit, is_county, said):
    assert letter_words.you(facts(unit_name=unit, is_county=is_county)) == said


def test_own_demands_take_the_place_of_the_drafted_ones():
    said = [
        block.text
        for block in letter_words.letter_paper(facts(), own_texts={"demands": "请于三月底前完成。", "opening": "再次提醒。"}).body
    ]
    assert "再次提醒。" in said
    assert "请于三月底前完成。" in said
    assert not any("由政府分管负责同志牵头" in text for text in said)


@pytest.mark.parametrize("text", [HOSTILE, "洰河㎡喆玥", "😀🏞\u200b\u202e", "<w:t>&amp;</w:t>\x0b\x00", "\ud800" if False else "𠮷野"])
def test_hostile_text_comes_out_literally_or_is_named(text):
    line = dataclasses.replace(facts().lines[0], name=text, sentence=text, evidence=((text, text),))
    told = facts(lines=(line,), unit_name=text, contact=text, office=dataclasses.replace(OFFICE, copies_to=text))
    paper = letter_words.letter_paper(told, own_texts={"opening": text, "closing": text}, number=1, issued_on=DAY)
    content = pdf.render_pdf(paper, DAY)
    said, missing = flat(content), set(pdf.unprintable(paper))
    kept = "".join(c for c in text if c not in missing and not c.isspace() and c.isprintable())
    assert kept[:12] in said
    copy = docx.Document(io.BytesIO(word.render_docx(paper, DAY)))
    assert any(kept[:12] in "".join(paragraph.text.split()) for paragraph in copy.paragraphs)


def test_the_word_copy_has_the_same_words_and_the_head_of_a_letter():
    paper = letter_words.letter_paper(facts(), number=37, issued_on=DAY)
    copy = docx.Document(io.BytesIO(word.render_docx(paper, DAY)))
    said = "\n".join(paragraph.text for paragraph in copy.paragraphs)
    assert "临泓清专办函〔2025〕37号" in said
    assert "请于2025年2月25日前" in said
    head = "".join(paragraph.text for paragraph in copy.sections[0].first_page_header.paragraphs)
    assert OFFICE.head in head
