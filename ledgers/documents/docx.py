"""A paper as an editable Word file, in the same official layout as its PDF; for corrections by hand, never the issued original.

Word sets its lines by a fixed pitch of 28.95 pt, names fonts without carrying them, and narrows 28 characters into 156 mm by
tracking; see GB/T 9704-2012 and docs/adr/0004. Children of pPr and rPr are kept in the order that the schema wants.
"""

import datetime as dt
import io
import logging
import math
import re
from collections.abc import Sequence
from typing import Any

import docx
from docx.document import Document as WordDocument
from docx.enum.section import WD_ORIENT, WD_SECTION
from docx.enum.table import WD_ALIGN_VERTICAL, WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_LINE_SPACING, WD_TAB_ALIGNMENT
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor

from ledgers.documents import PrintFault, pdf
from ledgers.documents.paper import Attachment, Block, Figure, Heading, Paper, Paragraph, Table

log = logging.getLogger(__name__)

CONTENT_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
FONTS = {"fangsong": "仿宋_GB2312", "kai": "楷体_GB2312", "hei": "黑体", "song": "宋体", "title": "方正小标宋简体"}
LATIN = "Times New Roman"
PITCH, SIZE_2, SIZE_3, SIZE_4, CELL = Pt(28.95), Pt(22), Pt(16), Pt(14), Pt(10.5)
TRACKING = -4  # twentieths of a point: 28 characters of 16 pt fill 156 mm
RED = RGBColor(0xE6, 0x00, 0x12)
INDENT = Pt(32)
ALIGNED = {"left": WD_ALIGN_PARAGRAPH.LEFT, "center": WD_ALIGN_PARAGRAPH.CENTER, "right": WD_ALIGN_PARAGRAPH.RIGHT}
# Children of an rPr that may follow w:spacing, of a pPr that may follow w:pBdr and w:snapToGrid (wml.xsd).
AFTER_SPACING = (
    "w:w", "w:kern", "w:position", "w:sz", "w:szCs", "w:highlight", "w:u", "w:effect", "w:bdr", "w:shd", "w:fitText", "w:vertAlign",
    "w:lang",
)  # fmt: skip
AFTER_BORDERS = (
    "w:shd", "w:tabs", "w:suppressAutoHyphens", "w:kinsoku", "w:wordWrap", "w:overflowPunct", "w:snapToGrid", "w:spacing", "w:ind",
    "w:jc", "w:outlineLvl", "w:rPr",
)  # fmt: skip
ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # what XML cannot hold


def render_docx(paper: Paper, dated: dt.date) -> bytes:
    """`paper` as a Word file; the same paper and date give the same words."""
    document = docx.Document()
    drawn = _pictures(paper, dated)
    _set_up(document, paper, dated)
    _head(document, paper)
    for block in paper.body:
        _block(document, block, drawn)
    _closing(document, paper)
    for number, attachment in enumerate(paper.attachments, start=1):
        _attachment(document, attachment, number, drawn, alone=len(paper.attachments) == 1)
    if paper.form == "letter":
        _letter_colophon(document, paper)
    else:
        _colophon(document, paper)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


# ── The page ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _set_up(document: WordDocument, paper: Paper, dated: dt.date) -> None:
    normal: Any = document.styles["Normal"]
    normal.font.size = SIZE_3
    _fonts(normal.element.get_or_add_rPr(), "fangsong")
    form = normal.paragraph_format
    form.space_before = form.space_after = Pt(0)
    form.line_spacing_rule, form.line_spacing = WD_LINE_SPACING.EXACTLY, PITCH
    document.settings.odd_and_even_pages_header_footer = True
    section: Any = document.sections[0]
    _page(section, is_landscape=False)
    for place, align in ((section.footer, WD_ALIGN_PARAGRAPH.RIGHT), (section.even_page_footer, WD_ALIGN_PARAGRAPH.LEFT)):
        _page_number(place.paragraphs[0], align)
    if paper.marks:
        for place in (section.header, section.even_page_header):
            _write(place.paragraphs[0], "　　".join(f"【{mark}】" for mark in paper.marks), "hei", CELL)
    properties = document.core_properties
    properties.title, properties.author = "".join(paper.title), paper.signature
    properties.created = properties.modified = dt.datetime.combine(dated, dt.time())
    properties.comments, properties.language = "", "zh-CN"


def _page(section: Any, *, is_landscape: bool) -> None:
    """A4 with the standard's margins and a grid of lines; a turned page keeps the text block, its head to the left."""
    width, height = Mm(210), Mm(297)
    margins = (Mm(37), Mm(26), Mm(35), Mm(28))  # top, right, bottom, left of the upright page
    if is_landscape:
        section.orientation, width, height = WD_ORIENT.LANDSCAPE, height, width
        margins = (Mm(28), Mm(37), Mm(26), Mm(35))
    else:
        section.orientation = WD_ORIENT.PORTRAIT
    section.page_width, section.page_height = width, height
    section.top_margin, section.right_margin, section.bottom_margin, section.left_margin = margins
    section.header_distance, section.footer_distance = Mm(18), Mm(35 - 7 - 5)
    for old in section._sectPr.findall(qn("w:docGrid")):
        section._sectPr.remove(old)
    grid = OxmlElement("w:docGrid")
    grid.set(qn("w:type"), "lines")
    grid.set(qn("w:linePitch"), "579")  # twentieths of a point
    section._sectPr.append(grid)


def _page_number(paragraph: Any, align: WD_ALIGN_PARAGRAPH) -> None:
    """— 1 —, one character in from the edge."""
    paragraph.alignment = align
    paragraph.paragraph_format.left_indent = paragraph.paragraph_format.right_indent = SIZE_4
    _write(paragraph, "— ", "song", SIZE_4)
    for kind in ("begin", None, "end"):
        run = paragraph.add_run()
        run.font.size = SIZE_4
        _fonts(run._r.get_or_add_rPr(), "song")
        if kind:
            mark = OxmlElement("w:fldChar")
            mark.set(qn("w:fldCharType"), kind)
        else:
            mark = OxmlElement("w:instrText")
            mark.text = "PAGE"
        run._r.append(mark)
    _write(paragraph, " —", "song", SIZE_4)


# ── Words ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _fonts(properties: Any, role: str) -> None:
    """Name the font of `role` for Chinese; figures and letters inside it take the same, as the standard's samples do."""
    fonts = properties.get_or_add_rFonts()
    for slot in ("eastAsia", "ascii", "hAnsi"):
        fonts.set(qn(f"w:{slot}"), FONTS[role])
    fonts.set(qn("w:cs"), LATIN)


def _write(
    paragraph: Any, text: str, role: str = "fangsong", size: Any = SIZE_3, *, colour: RGBColor | None = None, scale: int = 100
) -> Any:
    run = paragraph.add_run(ILLEGAL.sub("", text))
    run.font.size = size
    _fonts(run._r.get_or_add_rPr(), role)
    if colour is not None:
        run.font.color.rgb = colour
    properties = run._r.get_or_add_rPr()
    if size == SIZE_3:
        spacing = OxmlElement("w:spacing")
        spacing.set(qn("w:val"), str(TRACKING))
        properties.insert_element_before(spacing, *AFTER_SPACING)
    if scale != 100:
        narrowed = OxmlElement("w:w")
        narrowed.set(qn("w:val"), str(scale))
        properties.insert_element_before(narrowed, *AFTER_SPACING[1:])
    return run


def _line(document: WordDocument, text: str = "", role: str = "fangsong", size: Any = SIZE_3, *, indent: bool = False) -> Any:
    paragraph: Any = document.add_paragraph()
    if indent:
        paragraph.paragraph_format.first_line_indent = INDENT
    if text:
        _write(paragraph, text, role, size)
    return paragraph


def _width(text: str) -> float:
    """In full-width characters."""
    return sum(1 if ord(character) >= 0x2E80 or character in "“”—" else 0.5 for character in text)


def _head(document: WordDocument, paper: Paper) -> None:
    """标志 72 mm below the paper's edge, 发文字号, red line, title, 主送机关."""
    if paper.form == "letter":
        _letter_head(document, paper)
        return
    size = next((s for s in (42, 36, 32, 26, 22) if _width(paper.head) * s * 0.55 <= 442), 22)
    scale = min(100, math.floor(442 / (_width(paper.head) * size) * 100))
    head = _line(document)
    head.alignment = WD_ALIGN_PARAGRAPH.CENTER
    head.paragraph_format.space_before = Mm(35)
    head.paragraph_format.line_spacing = Pt(size * 1.3)
    _write(head, paper.head, "title", Pt(size), colour=RED, scale=scale)
    _line(document)
    number = _line(document, paper.file_number)
    number.alignment = WD_ALIGN_PARAGRAPH.CENTER
    if paper.is_dated_in_head:
        number = _issuer_and_date(document, paper)
    _border(number, "bottom", "E60012", 16, 11)
    _line(document)
    for line in paper.title:
        title = _line(document, line, "title", SIZE_2)
        title.alignment = WD_ALIGN_PARAGRAPH.CENTER
        title.paragraph_format.line_spacing = Pt(35)
    _line(document)
    if paper.addressees:
        _line(document, paper.addressees)


def _issuer_and_date(document: WordDocument, paper: Paper) -> Any:
    """Of a 简报 and of minutes: who edits it at the left, its date at the right, above the red line."""
    line = _line(document)
    line.paragraph_format.left_indent = line.paragraph_format.right_indent = SIZE_3
    line.paragraph_format.tab_stops.add_tab_stop(Pt(442 - 16), WD_TAB_ALIGNMENT.RIGHT)
    room = 442 - 16 * (3 + _width(paper.dated))
    _write(line, paper.signature, scale=min(100, math.floor(room / (_width(paper.signature) * 16) * 100)))
    _write(line, f"\t{paper.dated}")
    return line


def _letter_head(document: WordDocument, paper: Paper) -> None:
    """信函格式: 标志 30 mm below the paper's edge, double lines of 170 mm on the first page only, number at the right under the first."""
    section: Any = document.sections[0]
    section.different_first_page_header_footer = True
    section.header_distance, section.footer_distance = Mm(18), Mm(20)
    header, footer = section.first_page_header.paragraphs[0], section.first_page_footer.paragraphs[0]
    if paper.marks:
        _write(header, "　　".join(f"【{mark}】" for mark in paper.marks), "hei", CELL)
        header.paragraph_format.line_spacing = Pt(14)
        header = section.first_page_header.add_paragraph()
    size = next((s for s in (42, 36, 32, 26, 22) if _width(paper.head) * s * 0.55 <= 442), 22)
    scale = min(100, math.floor(442 / (_width(paper.head) * size) * 100))
    header.alignment = WD_ALIGN_PARAGRAPH.CENTER
    header.paragraph_format.line_spacing = Pt(size * 1.3)
    header.paragraph_format.space_before = Mm(12) - (Pt(14) if paper.marks else 0)
    _write(header, paper.head, "title", Pt(size), colour=RED, scale=scale)
    for paragraph, side, kind in ((header, "bottom", "thickThinSmallGap"), (footer, "top", "thinThickSmallGap")):
        paragraph.paragraph_format.left_indent, paragraph.paragraph_format.right_indent = Mm(-7), Mm(-7)
        _border(paragraph, side, "E60012", 24, 8, kind)
    number = _line(document)
    number.paragraph_format.tab_stops.add_tab_stop(Mm(156), WD_TAB_ALIGNMENT.RIGHT)
    _write(number, paper.urgency, "hei")
    _write(number, f"\t{paper.file_number}")
    _line(document)
    _line(document)
    for line in paper.title:
        title = _line(document, line, "title", SIZE_2)
        title.alignment = WD_ALIGN_PARAGRAPH.CENTER
        title.paragraph_format.line_spacing = Pt(35)
    _line(document)
    _line(document, paper.addressees)


def _letter_colophon(document: WordDocument, paper: Paper) -> None:
    """A letter's 版记 has neither lines nor who printed it when."""
    if paper.copies_to:
        line = _line(document, f"抄送：{paper.copies_to}", size=SIZE_4)
        line.paragraph_format.left_indent = line.paragraph_format.right_indent = SIZE_4


def _border(paragraph: Any, side: str, colour: str, eighths: int, space: int, kind: str = "single") -> None:
    borders = OxmlElement("w:pBdr")
    border = OxmlElement(f"w:{side}")
    for name, value in (("val", kind), ("sz", eighths), ("space", space), ("color", colour)):
        border.set(qn(f"w:{name}"), str(value))
    borders.append(border)
    paragraph._p.get_or_add_pPr().insert_element_before(borders, *AFTER_BORDERS)


def _pictures(paper: Paper, dated: dt.date) -> dict[str, bytes]:
    """{SVG: PNG} of all figures, which Word cannot be given as drawings; none when they cannot be made: words stand for them then."""
    figures = [block for block in paper.body if isinstance(block, Figure)]
    figures += [figure for attachment in paper.attachments for figure in attachment.figures]
    svgs = [figure.svg for figure in figures]
    try:
        return dict(zip(svgs, pdf.pictures(svgs, dated), strict=True))
    except PrintFault:
        log.warning("no pictures for the editable copy of %s", "".join(paper.title), exc_info=True)
        return {}


def _figure(document: WordDocument, figure: Figure, picture: bytes | None) -> None:
    """The picture with its caption below; its words are the alternative text. Without a picture the words themselves."""
    if picture is None:
        _caption(document, f"{figure.caption}（图见 PDF，图中数据如下）")
        note = _line(document, ILLEGAL.sub("", figure.alt), size=CELL)
        note.paragraph_format.line_spacing = Pt(16)
        return
    line = _line(document)
    line.alignment = WD_ALIGN_PARAGRAPH.CENTER
    line.paragraph_format.line_spacing_rule = WD_LINE_SPACING.SINGLE  # a fixed pitch would show one line's height of it
    line.paragraph_format.keep_with_next = True
    shape = line.add_run().add_picture(io.BytesIO(picture), width=Mm(156))
    if shape.height > Mm(190):
        shape.width, shape.height = int(shape.width * Mm(190) / shape.height), Mm(190)
    shape._inline.docPr.set("descr", ILLEGAL.sub("", figure.alt))
    _caption(document, figure.caption)


def _block(document: WordDocument, block: Block, drawn: dict[str, bytes]) -> None:
    if isinstance(block, Heading):
        heading = _line(document, block.text, "hei" if block.level == 1 else "kai", indent=True)
        heading.paragraph_format.keep_with_next = True
    elif isinstance(block, Paragraph):
        paragraph = _line(document, block.text, indent=True)
        paragraph.alignment = WD_ALIGN_PARAGRAPH.JUSTIFY
    elif isinstance(block, Table):
        _caption(document, block.caption, keep=True)
        _table(document, block, Mm(156))
    elif isinstance(block, Figure):
        _figure(document, block, drawn.get(block.svg))


def _caption(document: WordDocument, words: str, *, keep: bool = False) -> None:
    caption = _line(document, words, "hei", Pt(12))
    caption.alignment = WD_ALIGN_PARAGRAPH.CENTER
    caption.paragraph_format.keep_with_next = keep


def _table(document: WordDocument, data: Table, width: Any) -> None:
    """Head row repeated on each page, rows never broken."""
    table: Any = document.add_table(rows=1, cols=len(data.columns), style="Table Grid")
    table.alignment, table.autofit = WD_TABLE_ALIGNMENT.CENTER, False
    whole = sum(column.width for column in data.columns)
    widths = [int(width * column.width / whole) for column in data.columns]
    for column, size in zip(table.columns, widths, strict=True):
        column.width = size
    _row(table.rows[0], [(column.head, "center") for column in data.columns], widths, "hei")
    _row_flag(table.rows[0], "w:tblHeader")
    for place, row in enumerate(data.rows, start=1):
        is_total = data.has_total and place == len(data.rows)
        cells = [(cell, column.align) for cell, column in zip(row, data.columns, strict=True)]
        _row(table.add_row(), cells, widths, "hei" if is_total else "fangsong")
    after = _line(document)
    after.paragraph_format.line_spacing = Pt(8)


def _row(row: Any, cells: Sequence[tuple[str, str]], widths: list[int], role: str) -> None:
    _row_flag(row, "w:cantSplit")
    for cell, (text, align), width in zip(row.cells, cells, widths, strict=True):
        cell.width = width
        cell.vertical_alignment = WD_ALIGN_VERTICAL.CENTER
        paragraph = cell.paragraphs[0]
        paragraph.alignment = ALIGNED[align]
        paragraph.paragraph_format.line_spacing = Pt(14)
        for number, line in enumerate(text.split("\n")):
            run = _write(paragraph, line, role, CELL)
            if number:
                run._r.insert(1, OxmlElement("w:br"))  # after rPr, before the words


def _row_flag(row: Any, name: str) -> None:
    row._tr.get_or_add_trPr().append(OxmlElement(name))


# ── The end ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _closing(document: WordDocument, paper: Paper) -> None:
    """附件说明, 署名 and 成文日期; a 简报 and minutes have both in the head, minutes who was there here.

    With a seal its place is left free.
    """
    if paper.attachments:
        _line(document)
        for place, attachment in enumerate(paper.attachments):
            number = "" if len(paper.attachments) == 1 else f"{place + 1}."
            line = _line(document, ("附件：" if place == 0 else "　　　") + number + attachment.name)
            line.paragraph_format.left_indent = INDENT
    for label, words in paper.attendance:
        _attendance(document, label, words, is_first=label == paper.attendance[0][0])
    if paper.is_dated_in_head:
        return
    for _ in range(2 if paper.has_seal else 1):
        _line(document).paragraph_format.keep_with_next = True
    right = 4 if paper.has_seal else 2
    name = _line(document, paper.signature)
    date = _line(document, paper.dated)
    for line in (name, date):
        line.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    name.paragraph_format.keep_with_next = True
    shift = right + (_width(paper.dated) - _width(paper.signature)) / 2 if paper.has_seal else 2
    name.paragraph_format.right_indent = Pt(16 * max(shift, 2))
    date.paragraph_format.right_indent = Pt(16 * right)
    if paper.note:
        _line(document, f"（{paper.note}）", indent=True)


def _attendance(document: WordDocument, label: str, words: str, *, is_first: bool) -> None:
    """出席, 请假, 列席: one line below the text, indented by two characters, further lines under the first unit."""
    if is_first:
        _line(document)
    line = _line(document, label, "hei")
    line.paragraph_format.left_indent, line.paragraph_format.first_line_indent = Pt(16 * 5), Pt(-16 * 3)
    _write(line, f"：{words}")


def _attachment(document: WordDocument, attachment: Attachment, number: int, drawn: dict[str, bytes], *, alone: bool) -> None:
    section = document.add_section(WD_SECTION.NEW_PAGE)
    _page(section, is_landscape=attachment.is_landscape)
    _line(document, "附件" if alone else f"附件{number}", "hei")
    _line(document)
    title = _line(document, attachment.name, "title", SIZE_2)
    title.alignment = WD_ALIGN_PARAGRAPH.CENTER
    title.paragraph_format.space_after = Mm(4)
    if attachment.table:
        _table(document, attachment.table, Mm(225 if attachment.is_landscape else 156))
    for figure in attachment.figures:
        _figure(document, figure, drawn.get(figure.svg))
    for note in attachment.notes:
        line = _line(document, f"注：{note}", size=CELL)
        line.paragraph_format.line_spacing = Pt(16)


def _colophon(document: WordDocument, paper: Paper) -> None:
    """版记: 抄送 and 印发 between lines of 156 mm, on a page of its own."""
    section = document.add_section(WD_SECTION.EVEN_PAGE)
    _page(section, is_landscape=False)
    section_properties: Any = section._sectPr
    align = OxmlElement("w:vAlign")
    align.set(qn("w:val"), "bottom")
    section_properties.insert_element_before(align, "w:noEndnote", "w:titlePg", "w:textDirection", "w:bidi", "w:rtlGutter", "w:docGrid")
    label = "报送" if paper.form == "brief" else "抄送"
    rows = [(f"{label}：{paper.copies_to}", "")] if paper.copies_to else []
    rows.append((paper.signature, paper.printed))
    for place, (left, right) in enumerate(rows):
        line = _line(document, size=SIZE_4)
        line.paragraph_format.line_spacing = Pt(24)
        line.paragraph_format.left_indent = line.paragraph_format.right_indent = SIZE_4
        space = 442 - 28 - _width(right) * 14
        scale = min(100, math.floor(space / (_width(left) * 14) * 100)) if right else 100
        _write(line, left, "fangsong", SIZE_4, scale=scale)
        if right:
            line.paragraph_format.tab_stops.add_tab_stop(Pt(442 - 14), WD_TAB_ALIGNMENT.RIGHT)
            _write(line, f"\t{right}", "fangsong", SIZE_4)
        _border(line, "top", "000000", 8 if place == 0 else 6, 1)
        if place == len(rows) - 1:
            _close_below(line)


def _close_below(paragraph: Any) -> None:
    """The last line of the 版记, on the text block's lower edge."""
    borders = paragraph._p.pPr.find(qn("w:pBdr"))
    border = OxmlElement("w:bottom")
    for name, value in (("val", "single"), ("sz", 8), ("space", 1), ("color", "000000")):
        border.set(qn(f"w:{name}"), str(value))
    borders.append(border)
