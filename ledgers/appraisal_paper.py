"""The appraisal on paper: ranks and scores, and below them every part with numerator, denominator, weight and points. Only words."""

import datetime as dt
from collections.abc import Iterable, Sequence

from ledgers.appraisal import Period, Row, other_weights, period_before, period_name, period_start
from ledgers.appraisal_rules import Part
from ledgers.documents.bulletin import Office
from ledgers.documents.bulletin_words import words_of_works
from ledgers.documents.paper import Attachment, Block, Column, Heading, Paper, Paragraph, Table, title_lines
from ledgers.documents.wording import NOTHING, date

MARK = "工作材料　未经印发"


def appraisal_paper(office: Office, day: dt.date, period: Period, groups: Sequence[tuple[str, list[Row]]], *, is_demo: bool) -> Paper:
    """`groups`: (what they are called, rows by rank)."""
    marks = (MARK, *(("演示数据　除注明公开来源的信息外均为虚构",) if is_demo else ()))
    shown = [(title, rows) for title, rows in groups if rows]
    return Paper(
        head=office.name,
        file_number=f"数据截至{date(day)}",
        title=title_lines([*words_of_works(office.works), "推进情况考核", f"（{period_name(day, period)}）"]),
        addressees="",
        body=tuple(_body(day, period, shown)),
        attachments=tuple(Attachment(f"{title}各项得分", _parts(rows), is_landscape=True) for title, rows in shown),
        signature=office.name,
        dated=date(day),
        has_seal=False,
        copies_to="",
        printed=f"{date(day)}制",
        marks=marks,
    )


def _body(day: dt.date, period: Period, groups: Sequence[tuple[str, list[Row]]]) -> Iterable[Block]:
    before_on = period_before(day, period)
    yield Paragraph(
        f"得分由截至{date(day)}的各台账事实自动算出，报送、函件和审核自{date(period_start(day, period))}起计，"
        f"与{period_name(before_on, period)}（截至{date(before_on)}）相比。"
        "并列同名次，下一名次顺延；没有分母的项不参评，按其余项折算为百分。权重为建议值，由专班办在规则中确定。"
    )
    for number, (title, rows) in zip("一二三", groups, strict=False):
        yield Heading(1, f"{number}、{title}")
        yield Table(
            (
                Column("名次", 1), Column(title, 4, "left"), Column("得分", 1.6, "right"), Column("上期名次", 1.6), Column("名次变化", 1.8),
                Column("上期得分", 1.8, "right"), Column("得分变化", 2),
            ),
            tuple(_standing(row) for row in rows),
        )  # fmt: skip
        if changed := other_weights(rows):
            yield Paragraph(f"{title}考核权重与上期不同：{'；'.join(changed)}。两期得分按各自当时的权重计算。")


def _standing(row: Row) -> tuple[str, ...]:
    score_before = row.earlier.score if row.earlier else None
    return _said(row.rank), row.name, _said(row.score), _said(row.before), row.moved, _said(score_before), row.risen_words


def _parts(rows: list[Row]) -> Table:
    """One line a unit; in each part's cell the points, below them what they are made of."""
    parts = rows[0].parts
    columns = (Column("名次", 1), Column("单位", 3, "left"), Column("得分", 1.4, "right"))
    heads = tuple(Column(f"{part.label}\n（{part.weight}分）", 3) for part in parts)
    return Table(columns + heads, tuple((_said(row.rank), row.name, _said(row.score), *map(_made_of, row.parts)) for row in rows))


def _made_of(part: Part) -> str:
    if part.shown_points is None:
        return "不参评"
    if part.halves:
        return "\n".join([str(part.shown_points), *(f"{half.label} {_fraction(half)}" for half in part.halves)])
    return "\n".join([str(part.shown_points), _fraction(part, "\n")])  # under each other: sums of money are long


def _fraction(part: Part, between: str = "") -> str:
    return f"{part.numerator}{between}/{part.denominator}{part.unit}" if part.denominator else "不参评"


def _said(value) -> str:
    return NOTHING if value is None else str(value)
