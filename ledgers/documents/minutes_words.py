"""The words of a meeting's minutes in the format of GB/T 9704-2012, 10.3 (纪要格式): no seal, who was there under the text."""

from collections.abc import Iterable, Iterator

from ledgers.documents.bulletin_words import words_of_works
from ledgers.documents.minutes import Decided, MinutesFacts, Part, Topic
from ledgers.documents.paper import Block, Heading, Paper, Paragraph, title_lines
from ledgers.documents.wording import date, listed, numeral
from ledgers.enums import DecisionFrequency

TOLD = 3  # topics of one part of the agenda that are told in full
WORKING, EXCERPT, DEMO = "工作材料　未经定稿", "节选　只含涉及本单位的议定事项", "演示数据　除注明公开来源的信息外均为虚构"


def minutes_paper(facts: MinutesFacts) -> Paper:
    marks = ((WORKING, facts.closed_on is None), (EXCERPT, facts.is_excerpt), (DEMO, facts.is_demo))
    return Paper(
        head=facts.office.head,
        file_number=facts.number,
        title=title_lines([*words_of_works(facts.office.works), f"{facts.kind.label}纪要"]),
        addressees="",
        body=tuple(_body(facts)),
        attachments=(),
        signature=facts.office.name,
        dated=date(facts.closed_on or facts.held_on),
        has_seal=False,
        copies_to=facts.office.copies_to,
        printed=f"{date(facts.closed_on)}定稿" if facts.closed_on else "未定稿",
        marks=tuple(mark for mark, applies in marks if applies),
        form="minutes",
        attendance=tuple(_attendance(facts)),
    )


def _body(facts: MinutesFacts) -> Iterator[Block]:
    yield Paragraph(_opening(facts))
    parts: tuple[tuple[str, list[Block]], ...] = (
        ("会议听取和研究的事项", [*_parts(facts.parts)]),
        ("会议讨论情况", _lines(facts.minutes)),
        ("会议议定事项", _decided(facts)),
    )
    for number, (title, blocks) in enumerate(((title, blocks) for title, blocks in parts if blocks), start=1):
        yield Heading(1, f"{numeral(number)}、{title}")
        yield from blocks


def _opening(facts: MinutesFacts) -> str:
    """When, where, who chaired it, what about."""
    hour, _, minute = facts.starts_at.partition(":")
    time = f"{int(hour)}时{f'{minute}分' if minute != '00' else ''}" if hour else ""
    place = f"在{_flat(facts.place)}" if facts.place else ""
    about = f"，研究{_flat(facts.topic).rstrip('。；')}" if facts.topic else ""
    return f"{date(facts.held_on)}{time}，{_flat(facts.chair_post)}{place}主持召开{facts.kind.label}{about}。现将会议情况纪要如下："


def _parts(parts: Iterable[Part]) -> Iterator[Block]:
    for number, part in enumerate(parts, start=1):
        yield Heading(2, f"（{numeral(number)}）{part.label}")
        told = _told(part.topics)
        for place, topic in enumerate(told, start=1):
            yield Paragraph(_topic(topic) if len(part.topics) == 1 else f"{place}．{_topic(topic)}")
        if others := len(part.topics) - len(told):
            yield Paragraph(f"听取了其余{others}项的情况，见会议材料。")


def _told(topics: tuple[Topic, ...]) -> tuple[Topic, ...]:
    """Minutes are not the material once more: of a long part what the meeting was asked about, else its first."""
    if len(topics) <= TOLD:
        return topics
    return tuple(topic for topic in topics if topic.ask) or topics[:TOLD]


def _topic(topic: Topic) -> str:
    ask = f"提请会议：{_sentence(topic.ask)}" if topic.ask else ""
    return f"{_sentence(topic.text)}{ask}"


def _decided(facts: MinutesFacts) -> list[Block]:
    if not facts.decided:
        return [Paragraph("纪要中没有涉及本单位的议定事项。" if facts.is_excerpt else "本次会议未议定事项。")]
    return [Paragraph(f"{number}．{_decided_item(one)}") for number, one in enumerate(facts.decided, start=1)]


def _decided_item(one: Decided) -> str:
    """What, who does it, with whom, by when, told how often."""
    helped = f"，{listed(one.assist)}协办" if one.assist else ""
    limit = f"，{date(one.due_on)}前办结" if one.due_on else ""
    told = f"，{one.frequency.label}报告进展" if one.frequency != DecisionFrequency.ONCE else ""
    return f"{_sentence(one.what)}由{one.lead}主办{helped}{limit}{told}。"


def _attendance(facts: MinutesFacts) -> Iterator[tuple[str, str]]:
    """Only those that were named; a line of its own becomes part of the list."""
    for label, words in (("出席", facts.attended), ("请假", facts.absent), ("列席", facts.observers)):
        if words.strip():
            yield label, "、".join(line.strip().rstrip("、，；。") for line in words.splitlines() if line.strip())


def _lines(words: str) -> list[Block]:
    return [Paragraph(line.strip()) for line in words.splitlines() if line.strip()]


def _flat(words: str) -> str:
    return " ".join(words.split())


def _sentence(words: str) -> str:
    """On one line and ended."""
    flat = _flat(words)
    return flat if flat.endswith(("。", "！", "？", "；")) else f"{flat}。"
