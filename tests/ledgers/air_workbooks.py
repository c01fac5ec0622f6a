"""Workbooks of an air ranking as offices send them, built cell by cell."""

import io
from pathlib import Path

from openpyxl import Workbook

PERIODS = ("2025年1月", "2024年10月1日—2025年1月31日", "2025年1—1月")
HEADINGS = ("综合指数", "名次", "同比变化率(%)", "名次", "PM2.5(μg/m³)", "名次", "同比变化率(%)", "名次")
TITLE = "县(市、区)环境空气质量排名"
NOTES = ("注：1.综合指数越小，空气质量越好。", "2.同比变化率为负表示改善。")
PUBLICATION = "数据来源：测试市生态环境局　发布日期：2025年2月12日"


def cells(composite, change, pm25, pm25_change, ranks=(None, None, None, None)) -> list:
    """The eight cells of a county in a period."""
    values = (composite, change, pm25, pm25_change)
    return [cell for pair in zip(values, ranks, strict=True) for cell in pair]


def ranking(
    rows: dict[str, list], *, periods=PERIODS, title="县(市、区)环境空气质量排名", notes=NOTES, publication=PUBLICATION
) -> Workbook:
    """The paper's table: title, unit, merged periods over eight headings each, a row a county, notes; `rows` by name."""
    book = Workbook()
    page = book.active
    page.title = "排名"
    width = 1 + 8 * len(periods)
    page.append([title])
    page.merge_cells(start_row=1, end_row=1, start_column=1, end_column=width)
    page.append([None] * (width - 1) + ["单位：μg/m³、%"])
    page.append(["县(市、区)", *(cell for period in periods for cell in (period, *[None] * 7))])
    page.append([None, *HEADINGS * len(periods)])
    page.merge_cells("A3:A4")
    for n in range(len(periods)):
        page.merge_cells(start_row=3, end_row=3, start_column=2 + 8 * n, end_column=9 + 8 * n)
    for name, row in rows.items():
        page.append([name, *row])
    for line in (*notes, publication):
        page.append([line])
    return book


def as_bytes(book: Workbook) -> bytes:
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def save(book: Workbook, path: Path) -> Path:
    book.save(path)
    return path
