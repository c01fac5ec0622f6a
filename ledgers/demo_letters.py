"""Letters of the demo city: written by the rules from the facts of past months, with invented receipts and answers (演示数据).

Safe to repeat. Nothing is printed while loading: a letter's PDF is made from its frozen facts when it is first opened.
"""

import dataclasses
import datetime as dt
import random

from django.db import transaction
from django.utils import timezone

from ledgers import demo_words as said
from ledgers.documents import letter as letters
from ledgers.documents import letter_words
from ledgers.enums import DocumentKind, DocumentState, Measure
from ledgers.measures import facts, rules
from ledgers.models import Document, Letter, LetterAnswer, NumberSeries
from ledgers.services import ISSUED_ON
from linfen_water import policy
from linfen_water.dates import add_months, month_start
from linfen_water.enums import Role
from linfen_water.models import Region, Unit, User
from linfen_water.workdays import add_workdays, is_workday
from projects.demo import books

MONTHS = 8  # that are looked back on
TALK_REPORTED = 8  # working days after the notice of a talk its report is sent
RECENT_DAYS = 30  # so far back letters may still wait for an answer or a check
A_MONTH = {DocumentKind.EARLY_WARNING: 1, DocumentKind.REMINDER: 2, DocumentKind.SUPERVISION: 1}  # letters of a kind in a month


@dataclasses.dataclass
class Numbers:
    """The numbers given so far, by 代字 and year."""

    last: dict[tuple[str, int], int] = dataclasses.field(default_factory=dict)

    def take(self, prefix: str, year: int) -> int:
        self.last[prefix, year] = self.last.get((prefix, year), 0) + 1
        return self.last[prefix, year]


@transaction.atomic
def load(seed: str, today: dt.date) -> int:
    """Write the letters of the months before `today`; 0 when the demo has them already."""
    region = Region.current()
    if not region.is_demo or Document.objects.filter(kind__in=A_MONTH).exists():
        return 0
    days = [_first_workday(add_months(month_start(today), -n)) for n in range(MONTHS, -1, -1)]
    talk_on = _first_workday(add_months(month_start(today), -1) + dt.timedelta(days=9))
    numbers, made = Numbers(), 0
    for material in facts.read(sorted({*days, talk_on})):
        wanted = A_MONTH if material.day in days else {DocumentKind.TALK: 1}
        made += _some(material, wanted, random.Random(f"{seed}/letters/{material.day}"), numbers, today)
    NumberSeries.objects.bulk_create(NumberSeries(prefix=prefix, year=year, last=last) for (prefix, year), last in numbers.last.items())
    return made


def _first_workday(day: dt.date) -> dt.date:
    while not is_workday(day):
        day += dt.timedelta(days=1)
    return day


def _some(material: rules.Material, wanted: dict, dice: random.Random, numbers: Numbers, today: dt.date) -> int:
    """The day's letters: of each kind to so many units, chosen by turns."""
    verdicts = rules.judge(material, policy.values_on(material.day))
    made = 0
    for kind, most in wanted.items():
        found = letters.for_units(kind, verdicts, material.day)
        units = list(Unit.objects.filter(code__in=found).select_related("county").order_by("position", "code"))
        for unit in dice.sample(units, min(most, len(units))):
            made += _letter(kind, material.day, unit, found[unit.code], dice, numbers, today)
    return made


def _letter(
    kind: DocumentKind, day: dt.date, unit: Unit, found: list[rules.Verdict], dice: random.Random, numbers: Numbers, today: dt.date
) -> bool:
    """Whether it was sent: where the region has no 代字 for it, it cannot be numbered."""
    told = letters.letter_facts(kind, day, unit, found)
    if not told.office.prefix:
        return False
    office = books.of_office()
    document = Document.objects.create(
        kind=kind,
        period=f"{day:%Y-%m}" if kind not in letters.TOLD_ONCE else day.isoformat(),
        unit=unit,
        title=letter_words.title(told),
        state=DocumentState.ISSUED,
        as_of=day,
        facts=told.to_json() | {ISSUED_ON: day.isoformat()},
        prefix=told.office.prefix,
        year=day.year,
        number=numbers.take(told.office.prefix, day.year),
        drafted_at=_at(day, 9, 10),
        issued_at=_at(day, 15, 30),
        issued_by=office,
    )
    due = letter_words.reply_due_on(told, day)
    letter = Letter(document=document, reviewed_at=_at(day, 11, 5), reviewed_by=office, reviewed_digest="demo", reply_due_on=due)
    if kind == DocumentKind.TALK:
        letter.approved_at, letter.approved_by = _at(day, 14, 20), User.objects.filter(role=Role.LEADER).order_by("pk").first()
    people = User.objects.filter(unit=unit, role__in=[Role.COUNTY, Role.DEPARTMENT]).order_by("pk").first()
    if people and kind == DocumentKind.TALK:
        _after_talk(letter, day, people, office)
    elif people:
        _aftermath(letter, day, due, people, office, dice, today)
    else:
        letter.save()
    return True


def _aftermath(letter: Letter, day: dt.date, due: dt.date, people: User, office: User, dice: random.Random, today: dt.date) -> None:
    """Received a day or two later and mostly answered in time; of the last months some wait, of the earlier ones some were moved up."""
    received_on = add_workdays(day, dice.randint(1, 2))
    answered_on = add_workdays(due, 2) if dice.random() < 0.15 else add_workdays(received_on, dice.randint(0, 2))
    checked_on = add_workdays(answered_on, dice.randint(1, 3))
    is_recent, luck = (today - day).days <= RECENT_DAYS, dice.random()
    kind = DocumentKind(letter.document.kind)
    letter.received_at, letter.received_by = _at(received_on, 9, 40), people
    is_answered = luck < (0.6 if is_recent else 0.85) or (not is_recent and kind != DocumentKind.REMINDER)
    is_checked = is_answered and not (is_recent and luck > 0.3)
    if is_checked:
        letter.closed_at, letter.closed_by, letter.closing_note = _at(checked_on, 16, 20), office, dice.choice(said.CHECKED)
    elif not is_answered and not is_recent:
        letter.closed_at, letter.closed_by, letter.closing_note = _at(add_workdays(due, 5), 16, 20), office, said.MOVED_UP
        letter.moved_up_to, letter.followed_on = Measure.SUPERVISION, add_workdays(due, 6)
    letter.save()
    if is_answered:
        LetterAnswer.objects.create(
            letter=letter,
            text=dice.choice(said.ANSWERS[kind]) + said.LABEL,
            at=_at(answered_on, 10, 25),
            by=people,
            checked_at=letter.closed_at,
            checked_by=letter.closed_by,
            is_accepted=True if is_checked else None,
            remark=letter.closing_note,
        )


def _after_talk(letter: Letter, day: dt.date, people: User, office: User) -> None:
    """Received the day after, the talk held the day after that (`demo_cases`), the report sent in time; the rest is followed there."""
    answered_on, checked_on = add_workdays(day, TALK_REPORTED), add_workdays(day, TALK_REPORTED + 1)
    letter.received_at, letter.received_by = _at(add_workdays(day, 1), 9, 40), people
    letter.closed_at, letter.closed_by, letter.closing_note = _at(checked_on, 16, 20), office, said.TALK_NOTED
    letter.save()
    LetterAnswer.objects.create(
        letter=letter,
        text=said.TALK_REPORT + said.LABEL,
        at=_at(answered_on, 10, 25),
        by=people,
        checked_at=letter.closed_at,
        checked_by=office,
        is_accepted=True,
        remark=letter.closing_note,
    )


def _at(day: dt.date, hour: int, minute: int) -> dt.datetime:
    return timezone.make_aware(dt.datetime.combine(day, dt.time(hour, minute)))
