"""What a month's bulletin says: its facts put into plain official words. Pure; nothing here is computed but shares and counts."""

import dataclasses
import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal

from ledgers.documents import bulletin_rules, charts, wall_maps
from ledgers.documents.bulletin import BulletinFacts, Correction, CountyRow, Pollutant, SectionRow, Water, YearShare
from ledgers.documents.paper import (
    PLACE_MARK,
    Attachment,
    Block,
    Column,
    Figure,
    Heading,
    Paper,
    Paragraph,
    Table,
    own_paragraphs,
    title_lines,
)
from ledgers.documents.wording import (
    NOTHING,
    change,
    date,
    listed,
    month,
    numeral,
    one_decimal,
    percent,
    points,
    ratio,
    short_date,
    since,
    wan,
    yi,
)
from linfen_water.dates import add_months, month_end
from monitoring import rules as water_rules
from monitoring.enums import Change, WaterClass
from projects import rules
from projects.enums import Stage, StageEvent
from projects.facts import Totals

TEXT_WIDTH = 156  # millimetres
NOT_EVALUATED = "未监测"
NAMED = 3  # how many leaders, laggards and far-behind projects the text itself names; the rest is in the attachments


def title_words(facts: BulletinFacts) -> list[str]:
    """The words between which a title may be broken."""
    return [f"关于{month(facts.month)}", *words_of_works(facts.office.works), "建设进展", "情况的通报"]


def title(facts: BulletinFacts) -> str:
    return "".join(title_words(facts))


def bulletin_paper(
    facts: BulletinFacts, *, own_texts: Mapping[str, str] | None = None, number: int | None = None, issued_on: dt.date | None = None
) -> Paper:
    """The paper of `facts` and the office's own paragraphs (by place, `bulletin.PLACES`); a draft until number and date are given."""
    attachments = tuple(_attachments(facts))
    office = facts.office
    year = issued_on.year if issued_on else add_months(facts.month, 1).year
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


def words_of_works(works: str) -> list[str]:
    """“一泓清水入黄河”生态保护工程 may be broken after its quotation, nowhere else."""
    head, quote, tail = works.rpartition("”")
    return [head + quote, tail] if head else [works]


def _body(facts: BulletinFacts, attachments: tuple[Attachment, ...], own: Mapping[str, str]) -> Iterable[Block]:
    yield Paragraph(f"现将截至{date(facts.as_of)}全市{facts.office.works}（以下简称工程项目）建设进展情况通报如下：")
    yield from own_paragraphs(own, "opening")
    parts: tuple[tuple[str, list[Block]], ...] = (
        ("总体情况", [*_overall(facts)]),
        ("分领域进展情况", [*_domains(facts)]),
        (f"各{facts.office.county_word}进展情况", [*_counties(facts, attachments), *own_paragraphs(own, "works")]),
        ("国考断面水质情况", [*_water(facts.water, facts.as_of), *own_paragraphs(own, "water")]),
        ("滞后和无变化项目情况", [*_laggards(facts, attachments)]),
        ("下月到期任务", [*_due(facts, attachments)]),
        ("表扬和点名", [*_praise_and_name(facts, own)]),
        ("下一步工作要求", [*own_paragraphs(own, "requirements")]),
    )
    present = [(name, blocks) for name, blocks in parts if blocks]
    for place, (name, blocks) in enumerate(present, start=1):
        yield Heading(1, f"{numeral(place)}、{name}")
        yield from blocks
    yield from own_paragraphs(own, "closing")
    yield from _source(facts)


# ── 一、总体情况 ────────────────────────────────────────────────────────────────────────────────────────────────────


def _overall(facts: BulletinFacts) -> Iterable[Block]:
    now, before = facts.totals, facts.before
    yield Heading(2, "（一）建设进度")
    yield Paragraph(
        f"列入清单的工程项目共{now.count}个，总投资{yi(now.total_investment_wan)}亿元。其中，{_stages(now)}。累计开工{now.started}个（含完工），开工率{percent(now.start_rate)}"
        f"（{ratio(now.started, now.count)}），{_points(now, before, 'start_rate')}；"
        f"完工率{percent(now.finish_rate)}（{ratio(now.finished, now.count)}），{_points(now, before, 'finish_rate')}。"
        f"{_works_year_on_year(facts)}"
    )
    yield Paragraph(f"{_happened(facts, StageEvent.START)}{_happened(facts, StageEvent.COMPLETION)}")
    yield Heading(2, "（二）投资和资金")
    yield Paragraph(_money(now, before) + _money_year_on_year(facts))


def _works_year_on_year(facts: BulletinFacts) -> str:
    """同比: 与上年同月末相比，开工率提高1.1个百分点，… Nothing when nothing was on the list then."""
    now, then = facts.totals, facts.year_before
    if then is None:
        return ""
    return (
        f"与上年同月末相比，累计开工{change(now.started, then.started, '个')}，"
        f"开工率{_rate_change(now.start_rate, then.start_rate)}；"
        f"累计完工{change(now.finished, then.finished, '个')}，完工率{_rate_change(now.finish_rate, then.finish_rate)}。"
    )


def _money_year_on_year(facts: BulletinFacts) -> str:
    now, then = facts.totals, facts.year_before
    if then is None:
        return ""
    return (
        f"与上年同月末相比，累计完成投资{change(yi_decimal(now.invested_wan), yi_decimal(then.invested_wan), '亿元')}，"
        f"累计到位资金{change(yi_decimal(now.in_place_wan), yi_decimal(then.in_place_wan), '亿元')}，"
        f"累计支付{change(yi_decimal(now.paid_wan), yi_decimal(then.paid_wan), '亿元')}。"
    )


def _rate_change(now: Decimal | None, then: Decimal | None) -> str:
    return change(now, then, "个百分点", up="提高", down="下降")


def _stages(now: Totals) -> str:
    """前期3个，在建30个，完工62个; what there is none of comes last: 在建33个，完工62个，无前期项目."""
    counts = {"前期": now.not_started, "在建": now.under_construction, "完工": now.finished}
    present = [f"{word}{count}个" for word, count in counts.items() if count]
    return "，".join(present + [f"无{word}项目" for word, count in counts.items() if not count])


def _happened(facts: BulletinFacts, event: StageEvent) -> str:
    """本月新开工2个：甲县某工程，乙县某工程。"""
    names = [f"{e.county}{e.name}" if not e.name.startswith(e.county) else e.name for e in facts.events if e.event == event]
    word = f"本月新{event.label}项目"
    if not names:
        return f"本月无新{event.label}项目。"
    if len(names) > 2 * NAMED:
        return f"{word}{len(names)}个，名单见附件。"
    return f"{word}{len(names)}个：{listed(names)}。"


def _money(now: Totals, before: Totals | None) -> str:
    more = since(yi_decimal(now.invested_wan), yi_decimal(before.invested_wan) if before else None, "亿元")
    return (
        f"累计完成投资{yi(now.invested_wan)}亿元，{more}，投资完成率（占总投资）{percent(now.invested_rate)}，"
        f"{_points(now, before, 'invested_rate')}；"
        f"累计到位资金{yi(now.in_place_wan)}亿元，资金到位率（占总投资）{percent(now.in_place_rate)}，"
        f"{_points(now, before, 'in_place_rate')}；"
        f"累计支付{yi(now.paid_wan)}亿元，支付率（占到位资金）{percent(now.paid_rate)}，"
        f"{_points(now, before, 'paid_rate')}。"
    )


# ── 二、分领域 ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _domains(facts: BulletinFacts) -> Iterable[Block]:
    best = sorted(facts.domains, key=lambda row: row.totals.finish_rate or 0, reverse=True)
    finished = listed(f"{row.name}{percent(row.totals.finish_rate)}（{ratio(row.totals.finished, row.totals.count)}）" for row in best)
    yield Paragraph(f"按领域划分，完工率由高到低依次为：{finished}。各领域进展情况见表1。")
    rows = [(row.name, row.totals, row.before) for row in facts.domains] + [("合计", facts.totals, facts.before)]
    yield Table(
        caption="表1　各领域工程项目进展情况",
        columns=(
            Column("领域", 2.2), Column("项目数", 1.4), Column("前期", 1.2), Column("在建", 1.2), Column("完工", 1.2),
            Column("完工率", 1.6), Column("较上月末\n（百分点）", 1.9), Column("总投资\n（亿元）", 1.7, "right"),
            Column("完成投资\n（亿元）", 1.9, "right"), Column("投资\n完成率", 1.6),
        ),
        rows=tuple(_domain_cells(name, now, before) for name, now, before in rows),
        has_total=True,
    )  # fmt: skip


def _domain_cells(name: str, now: Totals, before: Totals | None) -> tuple[str, ...]:
    return (
        name, str(now.count), str(now.not_started), str(now.under_construction), str(now.finished), percent(now.finish_rate),
        signed(now.finish_rate, before.finish_rate if before else None), yi(now.total_investment_wan), yi(now.invested_wan),
        percent(now.invested_rate),
    )  # fmt: skip


# ── 三、各县 ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _counties(facts: BulletinFacts, attachments: tuple[Attachment, ...]) -> Iterable[Block]:
    ranked = [(row.finish_rank, row) for row in facts.counties if row.finish_rank]
    first, last = min(rank for rank, _ in ranked), max(rank for rank, _ in ranked)
    word, table = facts.office.county_word, _reference(attachments, RANKING)
    if first == last:
        yield Paragraph(f"各{word}完工率均为{percent(ranked[0][1].totals.finish_rate)}。{_invested(facts)}{table}")
    else:
        best, worst = ([row for rank, row in ranked if rank == place] for place in (first, last))
        yield Paragraph(f"完工率最高的是{_who(best)}；最低的是{_who(worst)}。{_invested(facts)}{table}")
    yield Figure(
        svg=charts.county_chart(facts.counties),
        caption=f"图1　各{word}项目阶段与进度（截至{date(facts.as_of)}）",
        alt="；".join(_county_alt(row) for row in facts.counties),
    )


def _who(rows: list[CountyRow]) -> str:
    """甲县、乙县（均为100.0%），each with numerator and denominator."""
    rate = percent(rows[0].totals.finish_rate)
    names = listed(f"{row.name}（{ratio(row.totals.finished, row.totals.count)}）" for row in rows)
    return f"{names}，{'均' if len(rows) > 1 else ''}为{rate}"


def _invested(facts: BulletinFacts) -> str:
    """The first by rank, ties with them, and the last by place; nothing when there are too few to name both."""
    ranked = sorted((row.invested_rank, place, row) for place, row in enumerate(facts.counties) if row.invested_rank)
    top = [row for rank, _, row in ranked if rank <= NAMED]
    rest = [row for rank, _, row in ranked if rank > NAMED][-NAMED:]
    if not rest:
        return ""

    def said(rows: list[CountyRow]) -> str:
        return listed(f"{row.name}{percent(row.totals.invested_rate)}" for row in rows)

    return f"投资完成率（累计完成投资占总投资）居前的是{said(top)}；居后的是{said(rest)}。"


def _county_alt(row: CountyRow) -> str:
    now = row.totals
    return f"{row.name}：前期{now.not_started}，在建{now.under_construction}，完工{now.finished}，平均进度{percent(row.physical_progress)}"


# ── 四、断面 ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _water(water: Water, as_of: dt.date) -> Iterable[Block]:
    if water.month is None:
        yield Paragraph(f"截至{date(as_of)}，尚无已公布的国考断面水质评价结果。")
        return
    yield Paragraph(_water_month(water.rows, water.month))
    yield Paragraph(_targets(water.rows) + _changes(water.rows, water.month))
    yield Table(
        caption=f"表2　国考断面水质情况（{month(water.month)}）",
        columns=(
            Column("序\n号", 6.5), Column("断面", 19.8), Column("河流", 13), Column("责任县\n（市、区）", 19.5), Column("考核\n目标", 9.7),
            Column("本月\n类别", 9.7), Column("是否\n达标", 13), Column("上月\n（环比）", 20.6), Column("上年同月\n（同比）", 20.6),
            Column("主要污染物\n（超标倍数）", 23.6),
        ),
        rows=tuple(_section_cells(place, row) for place, row in enumerate(water.rows, start=1)),
    )  # fmt: skip
    if water.to_date:
        yield Paragraph(_water_to_date(water.to_date, water.month))
    yield from _water_years(water)
    yield Paragraph(f"{_corrections(water.corrections)}{METHOD}")


METHOD = (
    "断面类别按手工监测结果单因子评价，自动监测站数据未参与；断流、结冰、停站和缺测的断面不参评，不计入优良比例的分母；"
    "主要污染物的超标倍数对Ⅲ类标准计算。"
)


def _water_month(rows: tuple[SectionRow, ...], of: dt.date) -> str:
    said = f"已公布的最近一期月评价为{month(of)}。{_evaluated(rows)}"
    shares, before, year_before = (water_rules.shares(classes) for classes in _classes(rows))
    if not shares.evaluated:
        return said.rstrip("，") + "。"
    said += f"优良（Ⅰ—Ⅲ类）{shares.good}个，优良比例{percent(shares.good_share)}（{ratio(shares.good, shares.evaluated)}），"
    said += f"{_share_change('环比', shares, '上月', before)}，{_share_change('同比', shares, '上年同月', year_before)}。"
    counts = Counter(row.water_class for row in rows if row.water_class is not None)
    said += f"其中，{listed(f'{c.label}类{counts[c]}个' for c in WaterClass if counts[c])}"
    said += "。" if counts[WaterClass.WORSE_THAN_V] else "，无劣Ⅴ类断面。"
    return said + _poor_sections(rows)


def _evaluated(rows: tuple[SectionRow, ...]) -> str:
    """国考断面9个，未参评1个（某断面，断流），参评8个，"""
    left_out = [row for row in rows if row.water_class is None]
    said = f"国考断面{len(rows)}个，"
    if left_out:
        said += f"未参评{len(left_out)}个（{'；'.join(f'{row.name}，{row.note or NOT_EVALUATED}' for row in left_out)}），"
    return said + f"参评{len(rows) - len(left_out)}个，"


def _classes(rows: tuple[SectionRow, ...]) -> tuple[list[WaterClass | None], ...]:
    """Now, in the period before, a year before."""
    return [row.water_class for row in rows], [row.before for row in rows], [row.year_before for row in rows]


def _share_change(word: str, now: water_rules.Shares, than: str, before: water_rules.Shares) -> str:
    """环比提高11.1个百分点（上月7/9）: the difference of the printed shares, with the sections compared with."""
    if now.good_share is None or before.good_share is None:
        return f"{word}无可比数据"
    compared = f"（{than}{ratio(before.good, before.evaluated)}）"
    return f"{word}{change(now.good_share, before.good_share, '个百分点', up='提高', down='下降')}{compared}"


def _poor_sections(rows: tuple[SectionRow, ...]) -> str:
    poor = [row for row in rows if row.water_class is not None and not row.is_good]
    return f"未达到优良的断面：{'；'.join(map(_poor, poor))}。" if poor else ""


def _poor(row: SectionRow) -> str:
    pollutants = f"，主要污染物{_pollutants(row.pollutants)}" if row.pollutants else ""
    return f"{row.river}{_named(row.name)}（{row.county}，{_class(row)}类{pollutants}）"


def _named(section: str) -> str:
    return section if section.endswith("断面") else f"{section}断面"


def _pollutants(pollutants: tuple[Pollutant, ...]) -> str:
    return listed(p.name + (f"（{p.multiple}倍）" if p.multiple is not None else "") for p in pollutants)


def _targets(rows: tuple[SectionRow, ...]) -> str:
    judged = [row for row in rows if row.meets_target is not None]
    if not judged:
        return ""
    missed = [row for row in judged if not row.meets_target]
    said = f"对照考核目标，达标{len(judged) - len(missed)}个（{ratio(len(judged) - len(missed), len(judged))}）"
    return f"{said}，未达标断面：{'；'.join(map(_missed, missed))}。" if missed else f"{said}。"


def _missed(row: SectionRow) -> str:
    """The multiples against the target are named so: those against Ⅲ are another figure."""
    over = f"，对目标超标项目{_pollutants(row.over_target)}" if row.over_target else ""
    target = row.target.label if row.target else NOTHING
    return f"{row.name}（{row.county}，目标{target}类，实际{_class(row)}类{over}）"


def _changes(rows: tuple[SectionRow, ...], of: dt.date) -> str:
    last_year = month(add_months(of, -12))
    return _changed("与上月相比", [(row, row.before, row.month_on_month) for row in rows]) + _changed(
        f"与{last_year}相比", [(row, row.year_before, row.year_on_year) for row in rows]
    )


def _changed(since_when: str, found: list[tuple[SectionRow, WaterClass | None, Change | None]]) -> str:
    """与上月相比，有所好转1个（某断面Ⅳ类→Ⅲ类），其余8个无明显变化。Nothing when no section can be compared."""
    compared = [(row, before, how) for row, before, how in found if how is not None]
    if not compared:
        return ""
    parts = []
    for wanted in (Change.CLEARLY_BETTER, Change.BETTER, Change.WORSE, Change.CLEARLY_WORSE):
        names = [f"{row.name}{before.label}类→{_class(row)}类" for row, before, how in compared if how == wanted and before]
        if names:
            parts.append(f"{wanted.label}{len(names)}个（{listed(names)}）")
    same = sum(how == Change.NONE for _, _, how in compared)
    if same:
        parts.append(f"{'其余' if parts else '可比的'}{same}个无明显变化")
    left_out = len(found) - len(compared)
    lacking = f"，{left_out}个无可比数据" if left_out else ""
    return f"{since_when}，{'，'.join(parts)}{lacking}。"


def _water_to_date(rows: tuple[SectionRow, ...], of: dt.date) -> str:
    """1—N月: the class of each section's mean over the months, never a mean of classes."""
    said = f"{of.year}年1—{of.month}月累计评价，{_evaluated(rows)}"
    now, _, year_before = (water_rules.shares(classes) for classes in _classes(rows))
    if now.good_share is None:
        return said.rstrip("，") + "。"
    said += f"优良{now.good}个，优良比例{percent(now.good_share)}（{ratio(now.good, now.evaluated)}），"
    said += f"{_share_change('同比', now, '上年同期', year_before)}；"
    said += f"劣Ⅴ类{now.worse_than_v}个。" if now.worse_than_v else "无劣Ⅴ类断面。"
    return said + _poor_sections(rows)


def _water_years(water: Water) -> Iterable[Block]:
    if not water.year_assessed:
        return
    share = percent(rules.rate(water.year_good, water.year_assessed))
    yield Paragraph(
        f"{water.year}年全年评价，优良断面{water.year_good}个，优良比例{share}（{ratio(water.year_good, water.year_assessed)}）"
        f"{_than_year_before(water.years)}。"
    )
    if len(water.years) > 1:
        yield Figure(
            svg=charts.year_chart(water.years),
            caption="图2　国考断面优良比例（按年度评价）",
            alt="；".join(f"{y.year}年优良{y.good}个，参评{y.evaluated}个" for y in water.years),
        )


def _than_year_before(years: tuple[YearShare, ...]) -> str:
    if len(years) < 2 or years[-2].year != years[-1].year - 1:
        return ""
    last, this = (water_rules.Shares(y.evaluated, y.good, 0) for y in years[-2:])
    return f"，{_share_change('较上年', this, '上年', last)}"


def _corrections(corrections: tuple[Correction, ...]) -> str:
    if not corrections:
        return ""
    said = "；".join(f"{_named(c.name)}{c.period}由{_word(c.old)}更正为{_word(c.new)}（{date(c.on)}发布）" for c in corrections)
    return f"本期有{len(corrections)}项评价结果作了更正：{said}，以更正后的结果为准。"


def _word(water_class: WaterClass | None) -> str:
    return f"{water_class.label}类" if water_class else NOT_EVALUATED


def _section_cells(place: int, row: SectionRow) -> tuple[str, ...]:
    meets = {None: NOTHING, True: "达标", False: "未达标"}[row.meets_target]
    return (
        str(place), row.name, row.river, row.county, row.target.label if row.target else NOTHING, _class(row), meets,
        _compared(row.before, row.month_on_month), _compared(row.year_before, row.year_on_year), _pollutant_lines(row) or NOTHING,
    )  # fmt: skip


def _pollutant_lines(row: SectionRow) -> str:
    return "\n".join(p.name + (f"（{p.multiple}）" if p.multiple is not None else "") for p in row.pollutants)


def _compared(before: WaterClass | None, how: Change | None) -> str:
    """Ⅲ and under it 无明显变化: the class compared with and what became of it."""
    return NOTHING if before is None else before.label if how is None else f"{before.label}\n{how.label}"


def _class(row: SectionRow) -> str:
    """The class, or why there is none."""
    return row.water_class.label if row.water_class else row.note or NOT_EVALUATED


# ── 五、六 ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _laggards(facts: BulletinFacts, attachments: tuple[Attachment, ...]) -> Iterable[Block]:
    yield Heading(2, "（一）滞后项目")
    yield Paragraph(_lagging(facts, attachments))
    yield Heading(2, f"（二）连续{numeral(facts.silent_weeks)}期无变化项目")
    yield Paragraph(_silent(facts, attachments))


def _lagging(facts: BulletinFacts, attachments: tuple[Attachment, ...]) -> str:
    measure = f"按建议值（落后计划进度{facts.behind_points}个百分点及以上为滞后，超过{facts.far_behind_points}个百分点为严重滞后）衡量，"
    if not facts.lagging:
        return f"{measure}无滞后项目。"
    far = [row for row in facts.lagging if row.is_far]
    said = f"{measure}滞后项目{len(facts.lagging)}个，其中严重滞后{len(far)}个，涉及{_spread(facts.lagging)}。"
    if far:
        few = "" if len(far) <= NAMED else f"滞后最多的{NAMED}个为："
        said += f"{few or '严重滞后的项目为：'}{'；'.join(f'{row.name}（{row.county}），{row.sentence}' for row in far[:NAMED])}。"
    return said + _reference(attachments, LAGGING, "滞后项目清单")


def _silent(facts: BulletinFacts, attachments: tuple[Attachment, ...]) -> str:
    if not facts.silent:
        return f"无连续{numeral(facts.silent_weeks)}期（建议值）无变化的项目。"
    unreported = sum(row.is_unreported for row in facts.silent)
    missing = f"，其中未报周调度{unreported}个" if unreported else ""
    return (
        f"未完工项目中，连续{numeral(facts.silent_weeks)}期（建议值）阶段、总体进度和到位、支付、完成投资均无变化，且其间无手续办结、无问题销号的"
        f"{len(facts.silent)}个{missing}，涉及{_spread(facts.silent)}。经批准的停工期未予扣除。"
        + _reference(attachments, SILENT, "无变化项目清单")
    )


def _spread(rows) -> str:
    """甲县2个、乙县1个, most first."""
    return listed(f"{county}{count}个" for county, count in Counter(row.county for row in rows).most_common())


def _due(facts: BulletinFacts, attachments: tuple[Attachment, ...]) -> Iterable[Block]:
    following = month(add_months(facts.month, 1))
    counts = Counter(row.event for row in facts.due)
    if not facts.due:
        yield Paragraph(f"{following}无按基线计划或最新预计应开工、应完工的项目。")
        return
    kinds = "，".join(f"应{e.label}{counts[e]}个" if counts[e] else f"无应{e.label}项目" for e in StageEvent)
    yield Paragraph(f"按基线计划或最新预计，{following}{kinds}。{_reference(attachments, DUE, '到期任务清单')}")


# ── 七 ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _praise_and_name(facts: BulletinFacts, own: Mapping[str, str]) -> Iterable[Block]:
    """By rule, unless the office wrote its own; the page on which it writes shows both."""
    typed = own.get("named", "")
    if not typed.strip() or typed.startswith(PLACE_MARK):
        yield from (Paragraph(said) for said in (_praise(facts), _slow(facts)) if said)
    yield from own_paragraphs(own, "named")


def _praise(facts: BulletinFacts) -> str:
    rows = bulletin_rules.praised(facts)
    if not rows:
        return ""
    names = listed(f"{row.name}（{ratio(row.totals.finished, row.totals.count)}，{percent(row.totals.finish_rate)}）" for row in rows)
    return f"对完工率位居前{numeral(bulletin_rules.LEADING)}名、无滞后和无变化项目（建议标准）的{names}提出表扬。"


def _slow(facts: BulletinFacts) -> str:
    found = bulletin_rules.named(facts)
    if not found:
        return ""
    names = "；".join(f"{one.county.name}（{_why_named(one, facts.silent_weeks)}）" for one in found)
    return f"对推进缓慢（建议标准）的下列{facts.office.county_word}点名通报：{names}。"


def _why_named(one: bulletin_rules.Named, weeks: int) -> str:
    row = one.county
    parts = [f"完工率{percent(row.totals.finish_rate)}（{ratio(row.totals.finished, row.totals.count)}）"]
    if one.behind:
        parts.append(f"滞后{one.behind}个" + (f"，其中严重滞后{one.far_behind}个" if one.far_behind else ""))
    if one.silent:
        parts.append(f"连续{numeral(weeks)}期无变化{one.silent}个")
    return "，".join(parts)


def _source(facts: BulletinFacts) -> Iterable[Block]:
    unreviewed = f"其中{facts.unreviewed}个项目的最近一期周调度尚待审核。" if facts.unreviewed else ""
    over = "" if month_end(facts.month) == facts.as_of else "本月尚未结束，数据为月中数。"
    yield Paragraph(
        f"本通报数据由各{facts.office.county_word}周调度填报汇总形成，数据截至{date(facts.as_of)}，“较上月末”指较{date(facts.before_on)}。"
        f"{over}{unreviewed}"
    )


# ── Attachments ─────────────────────────────────────────────────────────────────────────────────────────────────────

RANKING, HAPPENED, LAGGING, SILENT, DUE = "进展情况排名表", "新开工、完工项目清单", "滞后项目清单", "无变化项目清单", "到期任务清单"
MAPS = "工程挂图"


def _reference(attachments: tuple[Attachment, ...], ending: str, words: str = "各项指标及排名") -> str:
    """详见附件2; every list that is not empty has its attachment."""
    place = next(n for n, attachment in enumerate(attachments, start=1) if attachment.name.endswith(ending))
    return f"{words}见附件{place}。"


def _attachments(facts: BulletinFacts) -> Iterable[Attachment]:
    said, following = month(facts.month), month(add_months(facts.month, 1))
    yield Attachment(f"{said}各{facts.office.county_word}{RANKING}", _ranking_table(facts), _ranking_notes(facts), is_landscape=True)
    if facts.events:
        yield Attachment(f"{said}{HAPPENED}", _events_table(facts))
    if facts.lagging:
        yield Attachment(f"{said}{LAGGING}", _lagging_table(facts), (_points_note(facts),))
    if facts.silent:
        yield Attachment(f"{said}连续{numeral(facts.silent_weeks)}期{SILENT}", _silent_table(facts))
    if facts.due:
        yield Attachment(f"{following}{DUE}", _due_table(facts))
    if facts.maps and (facts.maps.buttons or facts.maps.is_dense or facts.maps.sections):
        yield Attachment(f"{MAPS}（截至{date(facts.as_of)}）", None, figures=tuple(_maps(facts.maps)))


def _maps(maps: wall_maps.MapFacts) -> Iterable[Figure]:
    stages = Counter(button.stage for button in maps.buttons)
    counts = "，".join(f"{Stage(stage).label}{stages[stage]}个" for stage in Stage if stages[stage])
    count, many = sum(county.count for county in maps.counties), f"其中完工{sum(county.finished for county in maps.counties)}个"
    yield Figure(wall_maps.sites_map(maps), "图一　工程项目分布图", f"各工程项目位置，共{count}个")
    yield Figure(wall_maps.progress_map(maps), "图二　工程进展图", f"各工程项目所处阶段：{many if maps.is_dense else counts}")
    classes = "；".join(f"{s.name}{WaterClass(s.water_class).label + '类' if s.water_class else NOT_EVALUATED}" for s in maps.sections)
    yield Figure(wall_maps.sections_map(maps), "图三　水质监测断面分布图（最近一期月评价类别）", classes)


def _ranking_table(facts: BulletinFacts) -> Table:
    ranked = sorted(facts.counties, key=lambda row: row.finish_rank or len(facts.counties) + 1)
    return Table(
        columns=(
            Column("完工率\n名次", 13), Column(facts.office.county_word, 29), Column("项目数", 11.5), Column("前期", 10),
            Column("在建", 10), Column("完工", 10), Column("累计\n开工", 11), Column("开工率", 15), Column("完工率", 15),
            Column("较上月末\n（百分点）", 18.5), Column("总投资\n（万元）", 20.5, "right"), Column("累计完成投资\n（万元）", 25, "right"),
            Column("投资完成率\n（占总投资）", 22), Column("投资完成\n率名次", 16.5),
        ),
        rows=(*(_ranking_cells(row) for row in ranked), _ranking_total(facts)),
        has_total=True,
    )  # fmt: skip


def _ranking_cells(row: CountyRow) -> tuple[str, ...]:
    return (_rank(row.finish_rank), row.name, *_ranking_figures(row.totals, row.before), _rank(row.invested_rank))


def _ranking_total(facts: BulletinFacts) -> tuple[str, ...]:
    return (NOTHING, "全市", *_ranking_figures(facts.totals, facts.before), NOTHING)


def _ranking_figures(now: Totals, before: Totals | None) -> tuple[str, ...]:
    return (
        str(now.count), str(now.not_started), str(now.under_construction), str(now.finished), str(now.started),
        percent(now.start_rate), percent(now.finish_rate),
        signed(now.finish_rate, before.finish_rate if before else None), wan(now.total_investment_wan), wan(now.invested_wan),
        percent(now.invested_rate),
    )  # fmt: skip


def _ranking_notes(facts: BulletinFacts) -> tuple[str, ...]:
    return (
        f"数据截至{date(facts.as_of)}；名次按比率由高到低，比率相同的名次相同，其后名次顺延；开工率=累计开工/项目数，累计开工含完工；完工率=完工/项目数；"
        "跨县项目只计入牵头县。",
    )


def _rank(rank: int | None) -> str:
    return NOTHING if rank is None else str(rank)


def _events_table(facts: BulletinFacts) -> Table:
    return _projects_table(
        facts.events,
        (Column("事项", 12), Column("日期", 24)),
        lambda row: (row.event.label, short_date(row.on)),
    )


def _lagging_table(facts: BulletinFacts) -> Table:
    columns = (Column("计划\n进度", 13.5), Column("实际\n进度", 13.5), Column("滞后\n百分点", 14), Column("程度", 17))
    return _projects_table(facts.lagging, columns, _lagging_cells)


def _lagging_cells(row) -> tuple[str, ...]:
    degree = "严重滞后" if row.is_far else "滞后"
    return percent(row.planned_progress), percent(row.physical_progress), str(one_decimal(row.lag)), degree


def _points_note(facts: BulletinFacts) -> str:
    return (
        f"数据截至{date(facts.as_of)}；滞后{facts.behind_points}个百分点及以上列入，超过{facts.far_behind_points}个百分点为严重滞后，"
        "两项标准均为建议值。"
    )


def _silent_table(facts: BulletinFacts) -> Table:
    return _projects_table(facts.silent, (Column("情况", 56, "left"),), lambda row: (row.sentence,))


def _due_table(facts: BulletinFacts) -> Table:
    columns = (Column("事项", 10), Column("基线\n日期", 20.5), Column("最新\n预计", 20.5), Column("实际\n进度", 14))
    return _projects_table(
        facts.due,
        columns,
        lambda row: (row.event.label, short_date(row.baseline_on), short_date(row.forecast_on), percent(row.physical_progress)),
    )


def _projects_table(rows, columns: tuple[Column, ...], cells) -> Table:
    """A list of projects: place, code, name, county, domain, and the columns of its own."""
    own = [Column("序号", 9.5), Column("编号", 14), Column("项目名称", 0, "left"), Column("县\n（市、区）", 17), Column("领域", 16.5)]
    rest = TEXT_WIDTH - sum(column.width for column in (*own, *columns))
    own[2] = dataclasses.replace(own[2], width=rest)  # what the others leave
    return Table(
        columns=(*own, *columns),
        rows=tuple((str(n), row.code, row.name, row.county, row.domain, *cells(row)) for n, row in enumerate(rows, start=1)),
    )


# ── Small words ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _points(now: Totals, before: Totals | None, rate: str) -> str:
    """What became of the named rate since the month before."""
    return points(getattr(now, rate), getattr(before, rate, None))


def yi_decimal(amount: Decimal) -> Decimal:
    """亿元 as printed, so that a difference is that of the printed figures."""
    return Decimal(yi(amount))


def signed(now: Decimal | None, before: Decimal | None) -> str:
    """A difference in a table cell: +1.1, -0.3, 0.0."""
    if now is None or before is None:
        return NOTHING
    difference = one_decimal(now - before)
    return f"+{difference}" if difference > 0 else str(difference)
