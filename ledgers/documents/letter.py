"""The facts of a letter to one unit (预警函, 提醒函, 督办函, 约谈通知): the verdicts that concern it. Its words: `letter_words.py`."""

import dataclasses
import datetime as dt

from ledgers.documents import DocumentFault, jsonable, periods
from ledgers.documents.bulletin import Office, office_of
from ledgers.documents.wording import date
from ledgers.enums import DocumentKind, DocumentState, Measure
from ledgers.measures import reports, rules
from ledgers.measures.rules import Verdict
from ledgers.models import Document
from linfen_water import policy
from linfen_water.enums import UnitKind
from linfen_water.models import Region, Unit

# Where the office writes paragraphs of its own: {place: what the page calls it}.
PLACES = {
    "opening": "开头之后（约谈在此写明时间、地点）",
    "problems": "存在问题之后",
    "demands": "工作要求（填写后代替系统拟写的要求）",
    "closing": "结尾",
}
# Kinds that are written anew only for what no open letter of the kind has told the unit yet; the others are written every month.
TOLD_ONCE = (DocumentKind.SUPERVISION, DocumentKind.TALK)


@dataclasses.dataclass(frozen=True)
class Line:
    """One verdict as the letter tells it."""

    rule: rules.Rule
    subject_type: str
    subject: str
    project: str  # its code; empty for what concerns the whole unit
    name: str
    county: str  # code
    sentence: str
    evidence: tuple[tuple[str, ...], ...]  # (name, value) pairs

    @property
    def key(self) -> tuple[str, str]:
        return self.rule.value, self.subject


@dataclasses.dataclass(frozen=True)
class LetterFacts:
    """All that a letter is made from; JSON both ways, frozen when it is issued."""

    kind: DocumentKind
    as_of: dt.date
    office: Office
    is_demo: bool
    unit: str  # its code
    unit_name: str
    is_county: bool
    policy_on: dt.date | None
    reply_days: int  # working days
    contact: str
    lines: tuple[Line, ...]

    def to_json(self) -> dict:
        return jsonable.to_json(self)

    @classmethod
    def from_json(cls, data: dict) -> "LetterFacts":
        return jsonable.from_json(cls, data)


def gather(kind: DocumentKind, period: str, today: dt.date, unit: Unit) -> LetterFacts:
    """What the letter of a kind says to `unit`. Raises DocumentFault when there is no ground for one."""
    day = periods.letter_day(period, today)
    found = for_units(kind, reports.verdicts(day), day).get(unit.code, [])
    if not found:
        raise DocumentFault(f"截至{date(day)}，{unit.name}没有应发{kind.label}的情形。")
    return letter_facts(kind, day, unit, found)


def letter_facts(kind: DocumentKind, day: dt.date, unit: Unit, found: list[Verdict]) -> LetterFacts:
    """The facts of a letter from its verdicts."""
    region, values = Region.current(), policy.values_on(day)
    return LetterFacts(
        kind=kind,
        as_of=day,
        office=letter_office(region, kind),
        is_demo=region.is_demo,
        unit=unit.code,
        unit_name=unit.name,
        is_county=unit.kind == UnitKind.COUNTY,
        policy_on=found[0].policy_on,
        reply_days=rules.reply_days(kind, values),
        contact=region.settings.get("office", {}).get("contact", ""),
        lines=tuple(_line(verdict) for verdict in found),
    )


def letter_office(region: Region, kind: DocumentKind) -> Office:
    """The office's names on letters: a head without 文件, the 代字 of the kind or that of all letters, nobody else addressed."""
    given = region.settings.get("office", {})
    own = given.get("letter", {}) | given.get(kind.value, {})
    prefixes = given.get("prefixes", {})
    office = office_of(region, kind.value)
    return dataclasses.replace(
        office,
        head=own.get("head") or office.name,
        prefix=prefixes.get(kind.value) or prefixes.get("letter", ""),
        copies_to=own.get("copies_to", ""),
        has_seal=own.get("has_seal", office.has_seal),
    )


def _line(verdict: Verdict) -> Line:
    return Line(
        verdict.rule,
        verdict.subject_type,
        verdict.subject,
        verdict.project,
        verdict.name,
        verdict.county,
        verdict.sentence,
        verdict.evidence,
    )


def for_units(kind: DocumentKind, verdicts: list[Verdict], day: dt.date) -> dict[str, list[Verdict]]:
    """The verdicts that a letter of `kind` is written for, by the code of the addressee."""
    told = _told(kind, day) if kind in TOLD_ONCE else {}
    found: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        is_new = (verdict.rule.value, verdict.subject) not in told.get(verdict.unit, ())
        if verdict.measure == Measure(kind.value) and verdict.unit and is_new:
            found.setdefault(verdict.unit, []).append(verdict)
    return found


def _told(kind: DocumentKind, day: dt.date) -> dict[str, set[tuple[str, str]]]:
    """(rule, subject) of what open letters of the kind tell, and of drafts set aside within the week, by unit."""
    aside_from = day - dt.timedelta(days=7)
    rows = Document.objects.filter(kind=kind, unit__isnull=False, letter__isnull=False).select_related("unit", "letter")
    told: dict[str, set[tuple[str, str]]] = {}
    for row in rows.filter(state__in=[DocumentState.ISSUED, DocumentState.WITHDRAWN]):
        is_open = row.state == DocumentState.ISSUED and row.issued_at and row.issued_at.date() <= day and not _closed_by(row, day)
        is_aside = row.state == DocumentState.WITHDRAWN and not row.number and aside_from < row.as_of <= day
        if row.unit and (is_open or is_aside):
            told.setdefault(row.unit.code, set()).update((line["rule"], line["subject"]) for line in row.facts.get("lines", ()))
    return told


def _closed_by(row: Document, day: dt.date) -> bool:
    return row.letter.closed_at is not None and row.letter.closed_at.date() <= day
