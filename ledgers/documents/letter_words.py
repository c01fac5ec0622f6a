"""What a letter says: its verdicts put into plain official words, with the office's own paragraphs. Pure."""

import datetime as dt
from collections.abc import Iterable, Mapping

from ledgers.documents.letter import LetterFacts, Line
from ledgers.documents.paper import Attachment, Block, Column, Heading, Paper, Paragraph, Table, title_lines
from ledgers.documents.wording import NOTHING, date
from ledgers.enums import DocumentKind
from ledgers.measures.rules import Rule
from linfen_water.workdays import add_workdays

TOLD = 8  # lines that the text itself tells; more are in the attachment
SUBJECT = {
    DocumentKind.EARLY_WARNING: "不能按期开工、完工风险",
    DocumentKind.REMINDER: "工作推进偏慢",
    DocumentKind.SUPERVISION: "工作推进缓慢",
    DocumentKind.TALK: "工作无明显进展",
}
OPENINGS = {
    DocumentKind.EARLY_WARNING: "存在不能按期开工或完工的风险，现予预警。",
    DocumentKind.REMINDER: "推进偏慢，现予提醒。",
    DocumentKind.SUPERVISION: "推进缓慢，现就有关事项督办如下。",
    DocumentKind.TALK: "无明显进展，经研究，决定对{you}分管负责同志进行约谈。",
}
DEMANDS = {
    Rule.START_AT_RISK: "逐项明确所缺手续的办理责任人和办结时间，主动对接受理机关，具备条件的并联办理，确保按期开工。",
    Rule.FINISH_AT_RISK: "倒排剩余工程量和工期，增加作业面和人员设备投入，确保按期完工。",
    Rule.BEHIND: "查明滞后原因，制定赶工计划，按周报送追赶进度情况。",
    Rule.LATE_REPORTS: "明确填报责任人，按时、如实填报周调度；补报未报的周次。",
    Rule.BOTTOM: "对照考核指标逐项查找差距，提出改进措施。",
    Rule.PERMIT_OVERDUE: "对超过承诺时限的手续逐件说明原因，明确办结日期；材料不全的一次性告知补正内容。",
    Rule.FAR_BEHIND: "由政府分管负责同志牵头，制定整改方案，明确责任人和每周目标，限期扭转严重滞后局面。",
    Rule.MILESTONE_OVERDUE: "说明节点逾期原因，重新明确完成时间和保障措施；确需调整基线的，按程序报批。",
    Rule.UNANSWERED: "立即补报逾期函件的书面回复，并说明未按期回复的原因。",
    Rule.MOVED_UP: "针对上一函件指出而未解决的问题，提出实质性整改措施和完成时限。",
    Rule.NO_PROGRESS: "如实说明项目停滞原因，提出逐项目的推进计划，约谈时提交书面材料。",
}
LAST_WORDS = {
    DocumentKind.EARLY_WARNING: "",
    DocumentKind.REMINDER: "逾期未回复的，将转为督办。",
    DocumentKind.SUPERVISION: "逾期未回复或整改不力的，将提请约谈。",
    DocumentKind.TALK: "约谈后一个月仍无明显进展的，将提请挂牌督办。",
}


def title_words(facts: LetterFacts) -> list[str]:
    """The words between which a title may be broken."""
    what = "有关手续办理" if _is_of_permits(facts) else "有关工程项目"
    name = facts.kind.label
    return ["关于", what, SUBJECT[facts.kind] if not _is_of_permits(facts) else "超过承诺时限", f"的{name}"]


def title(facts: LetterFacts) -> str:
    return "".join(title_words(facts))


def _is_of_permits(facts: LetterFacts) -> bool:
    return all(line.rule == Rule.PERMIT_OVERDUE for line in facts.lines)


def you(facts: LetterFacts) -> str:
    """How the addressee is spoken to: 你县, 你市, 你区, 你局, 你单位."""
    name = facts.unit_name
    if facts.is_county:
        return next((f"你{mark}" for mark in "县区市" if f"{mark}人民政府" in name), "你区" if "区" in name else "你单位")
    return "你局" if name.endswith("局") else "你单位"


def reply_due_on(facts: LetterFacts, issued_on: dt.date) -> dt.date:
    """By when it is to be answered: so many working days after the day of issue."""
    return add_workdays(issued_on, facts.reply_days)


def letter_paper(
    facts: LetterFacts, *, own_texts: Mapping[str, str] | None = None, number: int | None = None, issued_on: dt.date | None = None
) -> Paper:
    """The letter of `facts` with the office's own paragraphs (by place); a draft until number and date are given."""
    office = facts.office
    year = issued_on.year if issued_on else facts.as_of.year
    marks = (() if number else ("草稿　未经印发",)) + (("演示数据　除注明公开来源的信息外均为虚构",) if facts.is_demo else ())
    return Paper(
        head=office.head,
        file_number=f"{office.prefix}〔{year}〕{number or '　'}号",
        title=title_lines(title_words(facts)),
        addressees=f"{facts.unit_name}：",
        body=tuple(_body(facts, own_texts or {}, issued_on)),
        attachments=(_attachment(facts),),
        signature=office.name,
        dated=date(issued_on) if issued_on else "　　　年　月　日",
        has_seal=office.has_seal,
        copies_to=office.copies_to,
        printed="",
        marks=marks,
        form="letter",
        urgency="特急" if facts.kind == DocumentKind.TALK else "加急" if facts.kind == DocumentKind.SUPERVISION else "",
        note=facts.contact,
    )


def _body(facts: LetterFacts, own: Mapping[str, str], issued_on: dt.date | None) -> Iterable[Block]:
    yield Paragraph(_opening(facts))
    if own.get("opening", "").strip():
        yield from _own(own, "opening")
    elif facts.kind == DocumentKind.TALK:
        yield Paragraph("约谈时间、地点另行通知。")
    yield Heading(1, "一、存在问题")
    shown = facts.lines[:TOLD]
    for place, line in enumerate(shown, start=1):
        yield Paragraph(f"{place}.{_told(line)}")
    if rest := len(facts.lines) - len(shown):
        yield Paragraph(f"其余{rest}项见附件。")
    yield from _own(own, "problems")
    yield Heading(1, "二、工作要求")
    if own.get("demands", "").strip():
        yield from _own(own, "demands")
    else:
        yield from (Paragraph(text) for text in demands(facts))
    yield Heading(1, "三、回复时限")
    yield Paragraph(_reply(facts, issued_on))
    yield from _own(own, "closing")


def _own(own: Mapping[str, str], place: str) -> Iterable[Block]:
    """The office's own paragraphs, one for each line."""
    return (Paragraph(line.strip()) for line in own.get(place, "").splitlines() if line.strip())


def _opening(facts: LetterFacts) -> str:
    """Since when, who and how many; the rest is told line by line."""
    projects = len({line.project for line in facts.lines if line.project})
    office = "市专班办公室" if len(facts.office.name) > 16 else facts.office.name
    if _is_of_permits(facts):
        what = f"{you(facts)}受理的{projects}个项目的{len(facts.lines)}项手续超过承诺时限未办结，"
        return f"经{office}核查，截至{date(facts.as_of)}，{what}现予提醒。"
    whose = f"{you(facts)}{'承担' if facts.is_county else '负责'}的{f'{projects}个工程项目' if projects else '工程项目'}"
    return f"经{office}研判，截至{date(facts.as_of)}，{whose}{OPENINGS[facts.kind].format(you=you(facts))}"


def _told(line: Line) -> str:
    """甲县某工程（LF-001）：截至…。"""
    head = f"{line.name}（{line.project}）：" if line.project else ""
    return f"{head}{line.sentence}。"


def demands(facts: LetterFacts) -> list[str]:
    """What is asked for, in the order of the rules that asked: one paragraph for each rule."""
    texts = [DEMANDS[rule] for rule in dict.fromkeys(line.rule for line in facts.lines) if rule in DEMANDS]
    return [f"（{place}）{text}" for place, text in enumerate(texts, start=1)] if len(texts) > 1 else texts


def _reply(facts: LetterFacts, issued_on: dt.date | None) -> str:
    due = date(reply_due_on(facts, issued_on)) if issued_on else "　　年　月　日"
    what = "约谈后整改情况" if facts.kind == DocumentKind.TALK else "整改情况"
    words = f"请于{due}前（印发次日起{facts.reply_days}个工作日内）通过系统签收并书面回复{what}，随附佐证材料。"
    return words + LAST_WORDS[facts.kind]


def _attachment(facts: LetterFacts) -> Attachment:
    """Every line with the rule, the figures and the limits that it stands on."""
    columns = (
        Column("序号", 7), Column("项目（事项）", 34, "left"), Column("触发规则", 20), Column("当时数值和阈值", 62, "left"),
    )  # fmt: skip
    rows = tuple(
        (str(place), f"{line.name or NOTHING}\n{line.project}".strip(), line.rule.label, "；".join(f"{n}：{v}" for n, v in line.evidence))
        for place, line in enumerate(facts.lines, start=1)
    )
    since = f"规则自{date(facts.policy_on)}起施行" if facts.policy_on else "规则阈值为建议值"
    return Attachment("触发依据清单", Table(columns, rows), (f"数据截至{date(facts.as_of)}，{since}。",))
