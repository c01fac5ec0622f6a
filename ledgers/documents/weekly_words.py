"""What a week's report says: its facts put into plain official words, with the office's own paragraphs. Pure."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping

from ledgers.documents.bulletin_words import words_of_works, yi_decimal
from ledgers.documents.paper import Attachment, Block, Column, Heading, Paper, Paragraph, Table, own_paragraphs, title_lines
from ledgers.documents.weekly import CountyLine, Moved, Requirement, SectionLine, WeeklyFacts
from ledgers.documents.wording import NOTHING, date, listed, month, percent, ratio, yi
from monitoring import rules as water_rules
from monitoring.enums import Level, WaterClass
from projects.week_change import MONEY_WORDS

NOT_EVALUATED = "未监测"
NAMED = 12  # projects that the text itself names; more are in the attachment
GRAVE = ("严重滞后", "节点已过", "长期无变化")  # kinds of requirements that the text tells one by one


def week_name(week_of: dt.date) -> str:
    year, number, _ = week_of.isocalendar()
    return f"{year}年第{number}周"


def title_words(facts: WeeklyFacts) -> list[str]:
    """The words between which a title may be broken."""
    return [*words_of_works(facts.office.works), "建设进展周报", f"（{week_name(facts.week_of)}）"]


def title(facts: WeeklyFacts) -> str:
    return "".join(title_words(facts))


def weekly_paper(
    facts: WeeklyFacts, *, own_texts: Mapping[str, str] | None = None, number: int | None = None, issued_on: dt.date | None = None
) -> Paper:
    """The paper of `facts` and the office's own paragraphs (by place, `weekly.PLACES`); a draft until number and date are given."""
    office = facts.office
    attachments = tuple(_attachments(facts))
    year = issued_on.year if issued_on else facts.as_of.year
    marks = (() if number else ("草稿　未经印发",)) + (("演示数据　除注明公开来源的信息外均为虚构",) if facts.is_demo else ())
    return Paper(
        head=office.head,
        file_number=f"{year}年第{number or '　'}期" if office.is_brief else f"{office.prefix}〔{year}〕{number or '　'}号",
        title=title_lines(title_words(facts)),
        addressees="" if office.is_brief else f"{office.addressees}：",
        body=tuple(_body(facts, attachments, own_texts or {})),
        attachments=attachments,
        signature=office.name,
        dated=date(issued_on) if issued_on else "　　　年　月　日",
        has_seal=office.has_seal,
        copies_to=office.copies_to,
        printed=f"{date(issued_on) if issued_on else '　　　年　月　日'}印发",
        marks=marks,
        form="brief" if office.is_brief else "official",
    )


def _body(facts: WeeklyFacts, attachments: tuple[Attachment, ...], own: Mapping[str, str]) -> Iterable[Block]:
    yield Paragraph(f"现将{week_name(facts.week_of)}（数据截至{date(facts.as_of)}）断面水质和{facts.office.works}建设进展情况报告如下：")
    yield from own_paragraphs(own, "opening")
    yield Heading(1, "一、断面水质情况")
    yield from _water(facts)
    yield from own_paragraphs(own, "water")
    yield Heading(1, "二、工程项目进展情况")
    yield from _projects(facts, attachments)
    yield from own_paragraphs(own, "projects")
    yield Heading(1, "三、下一步工作要求")
    yield from _requirements(facts, attachments)
    yield from own_paragraphs(own, "requirements")
    yield from own_paragraphs(own, "closing")
    yield _source(facts)


# ── 一、断面水质 ────────────────────────────────────────────────────────────────────────────────────────────────────


def _water(facts: WeeklyFacts) -> Iterable[Block]:
    if facts.water_month is None:
        yield Paragraph(f"截至{date(facts.as_of)}，尚无已公布的断面水质评价结果。")
        return
    yield Paragraph(_water_words(facts, [row for row in facts.sections if row.level == Level.NATIONAL]))
    yield Table(
        caption=f"表1　断面水质情况（{month(facts.water_month)}）",
        columns=(
            Column("序\n号", 8), Column("断面", 26), Column("级别", 13), Column("河流", 18), Column("责任县\n（市、区）", 24),
            Column("考核\n目标", 12), Column("本月\n类别", 13), Column("上月\n类别", 13), Column("主要污染物\n（超标倍数）", 29),
        ),
        rows=tuple(_section_cells(place, row) for place, row in enumerate(facts.sections, start=1)),
    )  # fmt: skip


def _water_words(facts: WeeklyFacts, rows: list[SectionLine]) -> str:
    shares = water_rules.shares(row.water_class for row in rows)
    said = f"已公布的最近一期月评价为{month(facts.water_month) if facts.water_month else ''}。"
    if not shares.evaluated:
        return f"{said}国考断面{len(rows)}个，均未参评。"
    counts = Counter(row.water_class for row in rows if row.water_class is not None)
    said += f"国考断面{len(rows)}个，参评{shares.evaluated}个，优良（Ⅰ—Ⅲ类）{shares.good}个，"
    said += f"优良比例{percent(shares.good_share)}（{ratio(shares.good, shares.evaluated)}）。"
    said += f"其中，{listed(f'{c.label}类{counts[c]}个' for c in WaterClass if counts[c])}"
    said += "。" if counts[WaterClass.WORSE_THAN_V] else "，无劣Ⅴ类断面。"
    return said + _worse(rows) + _missed(rows)


def _worse(rows: list[SectionLine]) -> str:
    """Sections whose class fell or rose since the month before."""
    said = ""
    for word, of in (("下降", 1), ("好转", -1)):
        names = [
            f"{row.name}（{row.county}）{row.before.label}类→{row.water_class.label}类"
            for row in rows
            if row.water_class and row.before and (row.water_class - row.before) * of > 0
        ]
        if names:
            said += f"与上月相比，类别{word}的断面{len(names)}个：{listed(names)}。"
    return said or "各断面类别与上月相比无下降、无好转。"


def _missed(rows: list[SectionLine]) -> str:
    missed = [row for row in rows if water_rules.meets_target(row.water_class, row.target) is False]
    names = listed(f"{row.name}（{row.county}，目标{row.target.label}类）" for row in missed if row.target)
    return f"未达考核目标的断面{len(missed)}个：{names}。" if missed else ""


def _section_cells(place: int, row: SectionLine) -> tuple[str, ...]:
    now = row.water_class.label if row.water_class else row.note or NOT_EVALUATED
    return (
        str(place), row.name, row.level.label, row.river, row.county, row.target.label if row.target else NOTHING, now,
        row.before.label if row.before else NOTHING, row.pollutants or NOTHING,
    )  # fmt: skip


# ── 二、工程进展 ────────────────────────────────────────────────────────────────────────────────────────────────────


def _projects(facts: WeeklyFacts, attachments: tuple[Attachment, ...]) -> Iterable[Block]:
    now, change = facts.totals, facts.change
    yield Paragraph(
        f"列入清单的工程项目{now.count}个，总投资{yi(now.total_investment_wan)}亿元。其中，前期{now.not_started}个，已开工{now.started}个（含完工），"
        f"已完工{now.finished}个；开工率{percent(now.start_rate)}（{ratio(now.started, now.count)}），"
        f"完工率{percent(now.finish_rate)}（{ratio(now.finished, now.count)}）。{change.sentence}。{change.note}"
    )
    yield Paragraph(
        f"累计到位资金{yi_decimal(now.in_place_wan)}亿元，资金到位率（占总投资）{percent(now.in_place_rate)}；累计支付{yi_decimal(now.paid_wan)}亿元，"
        f"支付率（占到位资金）{percent(now.paid_rate)}；累计完成投资{yi_decimal(now.invested_wan)}亿元，投资完成率（占总投资）{percent(now.invested_rate)}。"
    )
    if happened := _happened("本周完工", change.newly_finished) + _happened("本周新开工", change.newly_started):
        yield Paragraph(happened)
    if facts.due:
        yield Paragraph(_reporting(facts))
    yield Table(
        caption="表2　各领域工程项目进展情况",
        columns=(
            Column("领域", 26), Column("项目数", 15), Column("前期", 13), Column("在建", 13), Column("完工", 13), Column("开工率", 17),
            Column("完工率", 17), Column("总投资\n（亿元）", 20, "right"), Column("投资\n完成率", 22),
        ),
        rows=(*(_totals_cells(row.name, row.totals) for row in facts.domains), _totals_cells("合计", now)),
        has_total=True,
    )  # fmt: skip
    places = [f"附件{n}" for n, a in enumerate(attachments, start=1) if a.name.endswith((COUNTIES, MOVED))]
    yield Paragraph(f"各{facts.office.county_word}情况和有新进展的项目见{'、'.join(places)}。")


def _happened(word: str, rows: tuple[Moved, ...]) -> str:
    if not rows:
        return ""
    names = listed(row.name if row.name.startswith(row.county) else f"{row.county}{row.name}" for row in rows[:NAMED])
    return f"{word}项目{len(rows)}个：{names}{'等' if len(rows) > NAMED else ''}。"


def _reporting(facts: WeeklyFacts) -> str:
    missing = [f"{row.name}{row.due - row.reported}个" for row in facts.counties if row.due > row.reported]
    said = f"本周应报周调度的项目{facts.due}个，已报{facts.reported}个"
    said += f"，其中迟报{facts.late}个" if facts.late else ""
    said += f"；未报{facts.due - facts.reported}个：{listed(missing)}。" if missing else "，全部报齐。"
    return said + (f"已报的有{facts.unreviewed}个尚待审核。" if facts.unreviewed else "")


def _totals_cells(name: str, now) -> tuple[str, ...]:
    return (
        name, str(now.count), str(now.not_started), str(now.under_construction), str(now.finished), percent(now.start_rate),
        percent(now.finish_rate), yi(now.total_investment_wan), percent(now.invested_rate),
    )  # fmt: skip


# ── 三、要求 ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _requirements(facts: WeeklyFacts, attachments: tuple[Attachment, ...]) -> Iterable[Block]:
    if not facts.requirements:
        yield Paragraph("本周没有需要点名督促的项目，请各单位按计划推进，按时填报周调度。")
        return
    place = next(n for n, a in enumerate(attachments, start=1) if a.name.endswith(REQUIRED))
    counties = Counter(row.county for row in facts.requirements)
    yield Paragraph(
        f"需要督促解决的事项{len(facts.requirements)}项，涉及{listed(f'{name}{count}项' for name, count in counties.items())}，"
        f"逐项的项目、问题、要求和时限见附件{place}。请有关单位按时限办理，并在下一期周调度中报告结果。"
    )
    grave = sorted((row for row in facts.requirements if row.kind in GRAVE), key=lambda row: GRAVE.index(row.kind))
    for n, row in enumerate(grave[:NAMED], start=1):
        name = row.name if row.name.startswith(row.county) else f"{row.county}{row.name}"
        yield Paragraph(f"{n}.{name}：{row.problem}。请于{date(row.due_on)}前{row.demand}。")


def _source(facts: WeeklyFacts) -> Paragraph:
    over = "" if facts.is_over else "本周尚未截止，数据为周中数。"
    return Paragraph(
        f"本周报由各{facts.office.county_word}周调度填报汇总形成，数据截至{date(facts.as_of)}，“{facts.change.since}”指截至{date(facts.before_on)}；"
        f"“有所推进”“有新进展”指开工、完工、总体进度或资金有增加，有手续报送或办结，或有问题销号。滞后{facts.behind_points}个百分点及以上为滞后，"
        f"超过{facts.far_behind_points}个百分点为严重滞后，均为建议值。{over}"
    )


# ── Attachments ─────────────────────────────────────────────────────────────────────────────────────────────────────

ON_ITS_WAY = tuple(f"{MONEY_WORDS[field]}增加" for field in ("in_place_wan", "allocated_wan", "paid_wan"))
COUNTIES, MOVED, REQUIRED = "一周情况表", "有新进展项目清单", "下一步工作要求清单"


def _attachments(facts: WeeklyFacts) -> Iterable[Attachment]:
    said = week_name(facts.week_of)
    yield Attachment(f"{said}各{facts.office.county_word}{COUNTIES}", _counties_table(facts), (_counties_note(),))
    if facts.change.advanced or facts.change.progressed:
        yield Attachment(f"{said}{MOVED}", _moved_table(facts))
    if facts.requirements:
        yield Attachment(f"{said}{REQUIRED}", _requirements_table(facts))


def _counties_table(facts: WeeklyFacts) -> Table:
    total = CountyLine(
        "全市", facts.totals, len(facts.change.advanced) + len(facts.change.progressed), facts.due, facts.reported, facts.late
    )
    return Table(
        columns=(
            Column(facts.office.county_word, 31), Column("项目数", 13), Column("前期", 11), Column("在建", 11), Column("完工", 11),
            Column("完工率", 16), Column("有新\n进展", 12), Column("应报", 11), Column("已报", 11), Column("迟报", 11),
            Column("投资\n完成率", 18),
        ),
        rows=tuple(_county_cells(row) for row in (*facts.counties, total)),
        has_total=True,
    )  # fmt: skip


def _county_cells(row: CountyLine) -> tuple[str, ...]:
    now = row.totals
    return (
        row.name, str(now.count), str(now.not_started), str(now.under_construction), str(now.finished), percent(now.finish_rate),
        str(row.moved), str(row.due), str(row.reported), str(row.late), percent(now.invested_rate),
    )  # fmt: skip


def _counties_note() -> str:
    return "“应报”为本周应填报周调度的未完工项目和本周完工项目；投资完成率为累计完成投资占总投资；跨县项目只计入牵头县。"


def _moved_table(facts: WeeklyFacts) -> Table:
    rows = (*facts.change.advanced, *facts.change.progressed)
    return Table(
        columns=(Column("序号", 10), Column("编号", 15), Column("项目名称", 54, "left"), Column("县\n（市、区）", 18),
            Column("本周进展", 62, "left")),
        rows=tuple((str(n), row.code, row.name, row.county, _brief(row.steps)) for n, row in enumerate(rows, start=1)),
    )  # fmt: skip


def _brief(steps: tuple[str, ...]) -> str:
    """Without how the money moved on its way, where there is more to tell; the page of the week's change has it all."""
    telling = [step for step in steps if not step.startswith(ON_ITS_WAY)]
    return "；".join(telling or steps)


def _requirements_table(facts: WeeklyFacts) -> Table:
    columns = (
        Column("序\n号", 7), Column("县\n（市、区）", 17), Column("项目", 38, "left"), Column("问题", 52, "left"),
        Column("要求", 28, "left"), Column("时限", 14),
    )  # fmt: skip
    return Table(columns=columns, rows=tuple(_requirement_cells(n, row) for n, row in enumerate(facts.requirements, start=1)))


def _requirement_cells(place: int, row: Requirement) -> tuple[str, ...]:
    due = f"{row.due_on.month}月{row.due_on.day}日"
    return (str(place), row.county, f"{row.code} {row.name}", f"〔{row.kind}〕{row.problem}", row.demand, due)
