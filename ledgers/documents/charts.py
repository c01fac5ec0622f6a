"""Drawings of a paper as SVG, made from facts, in the colours of `linfen_water.palette`. Lengths in millimetres.

A bulletin is often copied in black and white: every bar carries its figure and stages keep one order, so colour is never alone.
"""

from collections.abc import Iterable
from decimal import Decimal
from xml.sax.saxutils import escape, quoteattr

from ledgers.documents import fonts
from ledgers.documents.bulletin import CountyRow, YearShare
from ledgers.documents.wording import percent
from linfen_water.palette import colours
from projects.enums import Stage

WIDTH, ROW, TOP = 156, 5.3, 9
NAME_END, STAGES_FROM, STAGES_TO, PROGRESS_FROM, PROGRESS_TO = 23, 25, 82, 90, 145
STAGE_COLOURS = {Stage.FINISHED: "stage-blue", Stage.UNDER_CONSTRUCTION: "stage-green", Stage.NOT_STARTED: "stage-red"}
STAGE_WORDS = {Stage.FINISHED: "完工", Stage.UNDER_CONSTRUCTION: "在建", Stage.NOT_STARTED: "前期"}
INK, SOFT, HAIRLINE = "#000000", "#555555", "#bbbbbb"


def county_chart(rows: tuple[CountyRow, ...]) -> str:
    """Left: each county's projects by stage. Right: mean progress as a bar, the plan as a mark."""
    height = TOP + ROW * len(rows) + 1
    most = max((row.totals.count for row in rows), default=0) or 1
    parts = [*_legend(), *_scale(height)]
    for place, row in enumerate(rows):
        y = TOP + ROW * place
        parts.append(_text(NAME_END, y + ROW * 0.68, row.name, anchor="end", size=_name_size(row.name)))
        parts += _stages(row, y, (STAGES_TO - STAGES_FROM) / most)
        parts += _progress(row, y)
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.2f}">{"".join(parts)}</svg>'


def year_chart(years: tuple[YearShare, ...]) -> str:
    """One bar a year: the share of good sections, with its figure and the sections it stands on."""
    height = ROW * len(years) + 2
    left, right = NAME_END + 2, PROGRESS_FROM + 20
    parts = [_box(left + (right - left) * share / 100 - 0.05, 0, 0.1, height - 1, HAIRLINE) for share in (0, 50, 100)]
    for place, found in enumerate(years):
        y = ROW * place + 1
        parts.append(_text(NAME_END, y + ROW * 0.68, f"{found.year}年", anchor="end"))
        if not found.evaluated:
            parts.append(_text(left + 1, y + ROW * 0.68, "未评价", fill=SOFT))
            continue
        share = 100 * found.good / found.evaluated
        parts.append(_box(left, y + 0.9, (right - left) * share / 100, ROW - 1.8, colours()["water-2"]))
        words = f"{percent(Decimal(100 * found.good) / found.evaluated)}（{found.good}/{found.evaluated}）"
        parts.append(_text(right + 3, y + ROW * 0.68, words))
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.2f}">{"".join(parts)}</svg>'


def _name_size(name: str) -> float:
    """Long names are set smaller so that they keep to their column."""
    return min(3.3, NAME_END / max(len(name), 1))


def _legend() -> Iterable[str]:
    x: float = STAGES_FROM
    for stage, colour in STAGE_COLOURS.items():
        yield _box(x, 2.4, 3, 2.6, colours()[colour])
        yield _text(x + 3.8, 4.8, STAGE_WORDS[stage])
        x += 13
    yield _text(x, 4.8, "（个）")
    yield _box(PROGRESS_FROM, 2.4, 3, 2.6, SOFT)
    yield _text(PROGRESS_FROM + 3.8, 4.8, "平均进度（%）")
    yield _box(PROGRESS_FROM + 30, 1.9, 0.7, 3.6, INK)
    yield _text(PROGRESS_FROM + 31.8, 4.8, "平均计划进度")


def _scale(height: float) -> Iterable[str]:
    for share in (0, 50, 100):
        yield _box(_along(share) - 0.05, TOP - 1.2, 0.1, height - TOP + 0.8, HAIRLINE)


def _stages(row: CountyRow, y: float, unit: float) -> Iterable[str]:
    counts = {
        Stage.FINISHED: row.totals.finished,
        Stage.UNDER_CONSTRUCTION: row.totals.under_construction,
        Stage.NOT_STARTED: row.totals.not_started,
    }
    x: float = STAGES_FROM
    for stage, count in counts.items():
        if count:
            colour = STAGE_COLOURS[stage]
            yield _box(x, y + 0.7, unit * count - 0.25, ROW - 1.4, colours()[colour])
            yield _text(x + unit * count / 2 - 0.12, y + ROW * 0.68, str(count), anchor="middle", fill=colours()[f"{colour}-digit"])
            x += unit * count


def _progress(row: CountyRow, y: float) -> Iterable[str]:
    if row.physical_progress is None or row.planned_progress is None:
        yield _text(PROGRESS_FROM + 1, y + ROW * 0.68, "未报", fill=SOFT)
        return
    reached = float(row.physical_progress)
    yield _box(PROGRESS_FROM, y + 1.1, _along(reached) - PROGRESS_FROM, ROW - 2.2, SOFT)
    yield _box(_along(float(row.planned_progress)) - 0.35, y + 0.5, 0.7, ROW - 1, INK)
    yield _text(WIDTH, y + ROW * 0.68, f"{reached:.1f}", anchor="end")


def _along(percent: float) -> float:
    return PROGRESS_FROM + (PROGRESS_TO - PROGRESS_FROM) * percent / 100


def _box(x: float, y: float, width: float, height: float, fill: str) -> str:
    return f'<rect x="{x:.2f}" y="{y:.2f}" width="{max(width, 0):.2f}" height="{height:.2f}" fill="{fill}"/>'


def _text(x: float, y: float, words: str, *, anchor: str = "start", size: float = 3.3, fill: str = INK) -> str:
    family = quoteattr(", ".join(fonts.families("hei")))
    return (
        f'<text x="{x:.2f}" y="{y:.2f}" font-family={family} font-size="{size:.2f}" text-anchor="{anchor}" fill="{fill}">'
        f"{escape(fonts.clean(words))}</text>"
    )
