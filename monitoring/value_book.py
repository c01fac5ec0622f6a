"""A workbook to type a month's laboratory values into: its rows and columns are the ones that `intake.tables` reads."""

import datetime as dt
import io
from urllib.parse import quote

from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter

from linfen_water.dates import month_end
from monitoring import limits
from monitoring.models import Section
from monitoring.month_sheet import in_order

HEAD_ROW = 3
LINE = Side(style="thin", color="B9B09B")
GRID = Border(left=LINE, right=LINE, top=LINE, bottom=LINE)
SHADE = PatternFill("solid", fgColor="F0E6CD")
NOT_DUE = PatternFill("solid", fgColor="E5E2DA")
HOW = (
    "填法：日期如 2025-01-06；低于检出限写 <0.025，缺测写 --，未监测写 *；断流、结冰、停站写在“说明”列；"
    "存疑、无效写成 0.52（存疑）。灰格不监测，不填的格子留空。"
)


def sections_of(month: dt.date) -> list[Section]:
    """Sections in force at the month's end, national first, by river and along it. One query."""
    rows = Section.objects.select_related("river").in_force(month_end(month))
    return in_order(rows)


def blank(month: dt.date) -> bytes:
    """The workbook for the month that begins on `month`: a row a section, grey where an item is not due."""
    table = limits.in_force_on(month_end(month))
    sections = sections_of(month)
    due = {key for section in sections for key in section.due_items} or set(limits.FIVE)
    keys = [key for key in table.items if key in due]
    heads = ["断面", "采样日期", *map(table.name, keys), "说明"]
    book = Workbook()
    page = book.active
    page.title = f"{month.year}年{month.month}月"
    page.append([f"{month.year}年{month.month}月地表水手工监测数据"])
    page.append([HOW])
    page.append(heads)
    page.append(["", "", *(table.items[key].unit for key in keys), ""])
    for section in sections:
        page.append([section.name])
    _lay_out(page, sections, keys, len(heads))
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def file_name(month: dt.date) -> str:
    """Percent-encoded, for a header."""
    return quote(f"监测数据填报表_{month:%Y-%m}.xlsx")


def _lay_out(page, sections: list[Section], keys: list[str], width: int) -> None:
    page["A1"].font = Font(name="宋体", size=16, bold=True)
    page["A2"].font = Font(name="宋体", size=10)
    for number in (HEAD_ROW, HEAD_ROW + 1):
        for cell in page[number][:width]:
            cell.font, cell.fill, cell.border = Font(name="宋体", size=10, bold=number == HEAD_ROW), SHADE, GRID
            cell.alignment = Alignment(horizontal="center", vertical="center", wrap_text=True)
    for number, section in enumerate(sections, HEAD_ROW + 2):
        for place in range(width):
            cell = page.cell(number, place + 1)
            cell.font, cell.border = Font(name="宋体", size=11), GRID
            cell.data_type = "s" if place == 0 else cell.data_type  # a name is never a formula
            if 2 <= place < width - 1 and keys[place - 2] not in section.due_items:
                cell.fill = NOT_DUE
        page.cell(number, 2).number_format = "yyyy-mm-dd"
    for place in range(1, width + 1):
        page.column_dimensions[get_column_letter(place)].width = 14 if place <= 2 or place == width else 11
    page.freeze_panes = page.cell(HEAD_ROW + 2, 2)
    page.page_setup.orientation, page.page_setup.paperSize, page.page_setup.fitToHeight = "landscape", 9, 0
    page.sheet_properties.pageSetUpPr.fitToPage = True
    page.print_title_rows = f"{HEAD_ROW}:{HEAD_ROW + 1}"
