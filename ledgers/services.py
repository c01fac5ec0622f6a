"""Every change of the office's papers: draft, issue, withdraw. Keyword-only, `by=` the person (None: the schedule).

A draft is a pure product of the facts and may be made again at any time. Issuing runs as a job and in three steps, so that a
stop anywhere neither loses nor doubles a number: (1) one transaction takes the number and freezes the facts, (2) the PDF is
made from the frozen facts outside any transaction, (3) a conditional update issues it. Design: docs/adr/0004.
"""

import dataclasses
import datetime as dt
from collections.abc import Callable

from django.db import transaction
from django.db.models import QuerySet

from ledgers import letter_states
from ledgers.documents import (
    DocumentFault,
    PrintFault,
    bulletin,
    bulletin_words,
    fonts,
    jsonable,
    letter_words,
    pdf,
    periods,
    weekly,
    weekly_words,
)
from ledgers.documents import letter as letters
from ledgers.documents.paper import Paper
from ledgers.enums import LETTERS, DocumentKind, DocumentState
from ledgers.models import Document, NumberSeries
from ledgers.permissions import may_issue
from linfen_water import clock, jobs, trail
from linfen_water.dates import month_end
from linfen_water.models import Job, Unit, User
from projects import weeks

ISSUED_ON = "issued_on"  # beside the facts of a frozen paper: the date it bears


OWN_TEXT_LENGTH = 3000  # characters of the office's own words at one place
DRAFT_ATTEMPTS = 3  # while somebody writes own paragraphs between gathering and keeping


@dataclasses.dataclass(frozen=True)
class Kind:
    """How one kind of paper is made: its period, its facts, its words, when its period is over."""

    read: Callable[[str, dt.date], str]  # (what a person wrote, today) -> the period as it is filed
    gather: Callable[..., dict]  # (period, today), and the unit where a paper goes to one -> facts as JSON
    title: Callable[[dict], str]
    paper: Callable[..., Paper]  # (facts, own_texts=, number=, issued_on=)
    over_from: Callable[[str], dt.datetime]  # the moment from which the period's figures are final
    not_over: Callable[[str], str]  # what is said before that
    places: dict[str, str] = dataclasses.field(default_factory=dict)  # where the office writes paragraphs of its own
    is_letter: bool = False  # goes to one unit, is reviewed before its issue and answered after it

    def gathered(self, period: str, today: dt.date, unit: Unit | None) -> dict:
        """The facts as JSON. Raises DocumentFault when there is nothing to make the paper from."""
        return self.gather(period, today, unit) if self.is_letter else self.gather(period, today)

    def is_over(self, period: str) -> bool:
        return clock.now() >= self.over_from(period)


def _gather_bulletin(period: str, today: dt.date) -> dict:
    return bulletin.gather(periods.read_month(period, today), today).to_json()


def _bulletin_paper(facts: dict, **how) -> Paper:
    return bulletin_words.bulletin_paper(bulletin.BulletinFacts.from_json(facts), **how)


def _gather_weekly(period: str, today: dt.date) -> dict:
    return weekly.gather(periods.read_week(period, today), clock.now()).to_json()


def _weekly_paper(facts: dict, **how) -> Paper:
    return weekly_words.weekly_paper(weekly.WeeklyFacts.from_json(facts), **how)


def _month_over(period: str) -> dt.datetime:
    return weeks.at_hour(month_end(periods.read_month(period, dt.date.max)), 24)


def _week_over(period: str) -> dt.datetime:
    """A minute after the deadline: at the minute itself reports still come in."""
    return _deadline(period) + dt.timedelta(minutes=1)


def _deadline(period: str) -> dt.datetime:
    return weeks.week_times(periods.read_week(period, dt.date.max)).deadline_at


def _letter_kind(kind: DocumentKind) -> Kind:
    def gather(period: str, today: dt.date, unit: Unit) -> dict:
        return letters.gather(kind, period, today, unit).to_json()

    def paper(facts: dict, **how) -> Paper:
        return letter_words.letter_paper(letters.LetterFacts.from_json(facts), **how)

    return Kind(
        read=periods.read_day_or_month,
        gather=gather,
        title=lambda facts: letter_words.title(letters.LetterFacts.from_json(facts)),
        paper=paper,
        over_from=lambda period: weeks.at_hour(dt.date.fromisoformat(f"{period}-01"[:10]), 0),
        not_over=lambda period: f"{period} 还没有开始。",
        places=letters.PLACES,
        is_letter=True,
    )


KINDS = {
    DocumentKind.BULLETIN: Kind(
        read=lambda text, today: periods.month_period(periods.read_month(text, today)),
        gather=_gather_bulletin,
        title=lambda facts: bulletin_words.title(bulletin.BulletinFacts.from_json(facts)),
        paper=_bulletin_paper,
        over_from=_month_over,
        not_over=lambda period: f"{period} 尚未结束，目前的数据是期中数，请在期末以后印发。",
        places=bulletin.PLACES,
    ),
    DocumentKind.WEEKLY: Kind(
        read=lambda text, today: periods.week_period(periods.read_week(text, today)),
        gather=_gather_weekly,
        title=lambda facts: weekly_words.title(weekly.WeeklyFacts.from_json(facts)),
        paper=_weekly_paper,
        over_from=_week_over,
        not_over=lambda period: f"{period} 要到{weeks.moment_words(_deadline(period))}才截止，目前的数据是周中数，请在截止以后印发。",
        places=weekly.PLACES,
    ),
    **{kind: _letter_kind(kind) for kind in LETTERS},
}


def kind_of(name: str) -> Kind:
    """How papers of the kind `name` are made; DocumentFault when they are not made yet or there is no such kind."""
    if name not in DocumentKind.values:
        raise DocumentFault(f"没有“{name[:20]}”这种文件，可用：{'、'.join(DocumentKind.values)}。")
    if name not in KINDS:
        raise DocumentFault(f"“{DocumentKind(name).label}”的编制功能尚未建成，目前可以编制：{'、'.join(kind.label for kind in KINDS)}。")
    return KINDS[DocumentKind(name)]


def facts_digest(document: Document) -> str:
    """Names what a person has seen of `document`, its facts and the office's own words; goes with their wish to issue it."""
    return _digest(_facts_of(document), document.own_texts)


def _digest(facts: dict, own_texts: dict) -> str:
    return jsonable.digest(facts | {"own_texts": own_texts} if own_texts else facts)


def _facts_of(document: Document) -> dict:
    return {key: value for key, value in document.facts.items() if key != ISSUED_ON}


def texts_digest(document: Document) -> str:
    """Names the own paragraphs that a person began to edit."""
    return jsonable.digest(document.own_texts)


def is_stale(document: Document) -> bool:
    """Whether a draft no longer says what the facts say now."""
    if document.state != DocumentState.DRAFT or document.data_version == trail.data_version():
        return False
    try:
        facts = kind_of(document.kind).gathered(document.period, clock.today(), document.unit)
    except DocumentFault:  # nothing is left to make it from
        return True
    return jsonable.digest(facts) != jsonable.digest(_facts_of(document))


def drafted_paper(document: Document) -> Paper:
    """The words of `document` as a draft."""
    return kind_of(document.kind).paper(_facts_of(document), own_texts=document.own_texts)


def standing_paper(document: Document) -> Paper:
    """The words of `document` as it stands: a draft, or with number and date what was issued."""
    if not document.number:
        return drafted_paper(document)
    issue = {"number": document.number, "issued_on": dt.date.fromisoformat(document.facts[ISSUED_ON])}
    return kind_of(document.kind).paper(_facts_of(document), own_texts=document.own_texts, **issue)


# ── Draft ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def draft_document(*, kind: str, period: str, by: User | None, unit: Unit | None = None, lease: jobs.Lease | None = None) -> Document:
    """Gather the facts, print them and keep both as the period's draft; one that is being issued or issued is left alone.

    Returns the period's document as it now stands. Raises DocumentFault when there is nothing to make it from.
    """
    made = kind_of(kind)
    _refuse_unit(made, kind, unit)
    period = made.read(period, clock.today())
    for _ in range(DRAFT_ATTEMPTS):
        standing = _standing(kind, period, unit)
        if standing and standing.state != DocumentState.DRAFT:
            return standing
        version = trail.data_version()  # before the facts: they are at least as new as it says
        facts, own_texts = (
            made.gathered(period, clock.today(), unit),
            standing.own_texts if standing else _withdrawn_texts(kind, period, unit),
        )
        as_of = dt.date.fromisoformat(facts["as_of"])
        name = pdf.keep(pdf.render_pdf(made.paper(facts, own_texts=own_texts), as_of))
        content = {"title": made.title(facts), "as_of": as_of, "facts": facts, "data_version": version, "pdf_sha256": name}
        with transaction.atomic():
            if lease:
                lease.check()
            if kept := _keep_draft(kind, period, unit, content, own_texts, by):
                return kept
    raise PrintFault("自拟段落正在修改，草稿没有刷新，请稍后再刷新。")


def _refuse_unit(made: Kind, kind: str, unit: Unit | None) -> None:
    label = DocumentKind(kind).label
    if unit is not None and not made.is_letter:
        raise DocumentFault(f"“{label}”发至全市，不分单位，请不要指定单位。")
    if unit is None and made.is_letter:
        raise DocumentFault(f"“{label}”按单位编制，请指定主送单位。")


def _standing(kind: str, period: str, unit: Unit | None) -> Document | None:
    return Document.objects.filter(kind=kind, period=period, unit=unit).exclude(state=DocumentState.WITHDRAWN).first()


def standing_letters(kind: str, period: str) -> QuerySet[Document]:
    """The period's letters of a kind, by addressee."""
    found = Document.objects.filter(kind=kind, period=period, unit__isnull=False).exclude(state=DocumentState.WITHDRAWN)
    return found.select_related("unit").order_by("unit__position", "unit__code")


def _withdrawn_texts(kind: str, period: str, unit: Unit | None) -> dict[str, str]:
    """The own paragraphs of the period's last withdrawn paper: what the one in its place begins with."""
    last = Document.objects.filter(kind=kind, period=period, unit=unit, state=DocumentState.WITHDRAWN).order_by("-pk").first()
    return last.own_texts if last else {}


def _keep_draft(kind: str, period: str, unit: Unit | None, content: dict, own_texts: dict, by: User | None) -> Document | None:
    """Write the draft unless a newer one, or one on its way out, stands there; None when its own paragraphs changed since then."""
    content = content | {"drafted_at": clock.now()}
    in_force = Document.objects.select_for_update().exclude(state=DocumentState.WITHDRAWN)
    document, is_new = in_force.get_or_create(kind=kind, period=period, unit=unit, defaults=content | {"own_texts": own_texts})
    if not is_new:
        if document.state != DocumentState.DRAFT or document.data_version > content["data_version"]:
            return document
        if document.own_texts != own_texts:
            return None
        for field, value in content.items():
            setattr(document, field, value)
        document.save()
    if kind_of(kind).is_letter:
        letter_states.keep_beside(document, _digest(_facts_of(document), document.own_texts))
    trail.record(
        action="document.draft", subject=document, by=by,
        changes={"as_of": [None, content["as_of"]], "pdf_sha256": [None, content["pdf_sha256"]]},
    )  # fmt: skip
    return document


def draft_key(kind: str, period: str, unit: Unit | None = None) -> str:
    return f"{kind}:{period}:{unit.code}:draft" if unit else f"{kind}:{period}:draft"


def due_key(kind: str, period: str) -> str:
    """Of the draft that the calendar asks for: not the same job as one that a person asked for in the middle of the period."""
    return f"{kind}:{period}:due"


def keys_of(document: Document) -> list[str]:
    """Of every job about `document`."""
    kind, period = document.kind, document.period
    return [issue_key(document), draft_key(kind, period, document.unit), due_key(kind, period)]


def is_there(kind: str, period: str) -> bool:
    """Whether the period has its paper; a draft made before the period was over is none yet."""
    papers = Document.objects.filter(kind=kind, period=period).exclude(state=DocumentState.WITHDRAWN)
    final_from = kind_of(kind).over_from(period)
    if clock.now() < final_from:
        return papers.exists()
    return papers.exclude(state=DocumentState.DRAFT, drafted_at__lt=final_from).exists()


def request_draft(*, kind: str, period: str, by: User, unit: Unit | None = None) -> Job:
    """Have the draft made, or made again, by a worker. Raises DocumentFault at once for what cannot be made."""
    made = kind_of(kind)
    _refuse_unit(made, kind, unit)
    period = made.read(period, clock.today())
    standing = _standing(kind, period, unit)
    if standing and standing.state != DocumentState.DRAFT:
        raise DocumentFault(f"{period} 的文件{standing.get_state_display()}，不能再改；如需重发，请先作废。")
    args = {"kind": kind, "period": period, "again": True} | ({"unit": unit.code} if unit else {})
    return jobs.enqueue(key=draft_key(kind, period, unit), kind="draft_document", args=args, by=by, again=True)


# ── Own paragraphs ──────────────────────────────────────────────────────────────────────────────────────────────────


class TextsConflict(DocumentFault):
    """Somebody else saved own paragraphs meanwhile; `standing` is what they say now."""

    def __init__(self, standing: dict[str, str]):
        self.standing = standing
        super().__init__("您打开页面以后，别人改过自拟段落，您的修改还没有保存。请对照两边的内容后再保存。")


@transaction.atomic
def write_own_texts(*, document: Document, texts: dict[str, str], seen: str, by: User) -> Document:
    """Keep the office's own paragraphs of a draft, by place, and have the draft printed anew.

    `seen` is the `texts_digest` of what the person began with. Raises TextsConflict when that is no longer what stands, and
    DocumentFault for a paper that is no draft or words that cannot be printed; then nothing is kept.
    """
    _may_issue(document, by)
    places = kind_of(document.kind).places
    texts = {place: text for place in places if (text := _tidy(texts.get(place, "")))}
    if faults := [f"“{places[place]}”{fault}" for place, text in texts.items() if (fault := _text_fault(text))]:
        raise DocumentFault("；".join(faults) + "。")
    document = Document.objects.select_for_update().get(pk=document.pk)
    if document.state != DocumentState.DRAFT:
        raise DocumentFault(f"本文件{document.get_state_display()}，不能再改。")
    if texts_digest(document) != seen and document.own_texts != texts:
        raise TextsConflict(document.own_texts)
    changes = {place: [old, new] for place in places if (old := document.own_texts.get(place, "")) != (new := texts.get(place, ""))}
    if not changes:
        return document
    document.own_texts = texts
    document.save(update_fields=["own_texts"])
    trail.record(action="document.write", subject=document, by=by, changes=changes)
    if kind_of(document.kind).is_letter:
        letter_states.keep_beside(document, facts_digest(document))
    request_draft(kind=document.kind, period=document.period, by=by, unit=document.unit)
    return document


def _tidy(text: str) -> str:
    """Lines without blanks at their ends, no empty ones: a line is a paragraph."""
    return "\n".join(line.strip(" \t　") for line in text.replace("\0", "").splitlines() if line.strip(" \t　"))


def _text_fault(text: str) -> str:
    if len(text) > OWN_TEXT_LENGTH:
        return f"有{len(text)}字，超过{OWN_TEXT_LENGTH}字，请删减"
    odd = fonts.unprintable("".join(text.splitlines()))
    return f"里的“{'、'.join(odd)}”无法排印，请改用别的字" if odd else ""


# ── Issue ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def issue_key(document: Document) -> str:
    return f"document:{document.pk}:issue"


def request_issue(*, document: Document, by: User, facts_seen: str) -> Job:
    """Have `document` issued by a worker; the facts are those that the person saw, and still true.

    `facts_seen` is the `facts_digest` of the draft on the page. Raises DocumentFault when the draft or the facts
    behind it have changed since, when the period still runs, or when it is no draft any more.
    """
    _may_issue(document, by)
    if document.state == DocumentState.ISSUING:  # asked again after a fault: same number, same facts
        return jobs.enqueue(key=issue_key(document), kind="issue_document", args=_issue_args(document, facts_seen), by=by, again=True)
    if document.state != DocumentState.DRAFT:
        raise DocumentFault(f"本文件{document.get_state_display()}，不能重复印发。")
    made, today = kind_of(document.kind), clock.today()
    if not made.is_over(document.period):
        raise DocumentFault(made.not_over(document.period))
    if not document.facts.get("office", {}).get("prefix"):
        raise DocumentFault("区域设置里没有这种文件的机关代字（office.prefixes），不能编号。")
    _refuse_other_facts(document, facts_seen)
    if made.is_letter:
        letter_states.refuse_unreviewed(document)
    if _digest(made.gathered(document.period, today, document.unit), document.own_texts) != facts_seen:
        raise DocumentFault("草稿生成以后数据有变动，请刷新草稿并核对后再印发。")
    return jobs.enqueue(key=issue_key(document), kind="issue_document", args=_issue_args(document, facts_seen), by=by, again=True)


def _issue_args(document: Document, seen: str) -> dict:
    return {"document": document.pk, "facts_seen": seen}


def _may_issue(document: Document, by: User) -> None:
    if not may_issue(by):
        raise DocumentFault("只有专班办可以印发和作废文件。")


def _refuse_other_facts(document: Document, seen: str) -> None:
    if facts_digest(document) != seen:
        raise DocumentFault("您打开页面以后草稿已经刷新，请重新核对后再印发。")


def issue_document(*, pk: int, by: User, seen: str, lease: jobs.Lease) -> Document:
    """Number, print and issue the document; safe to stop and start again anywhere. For the worker."""
    document = _freeze(pk, by, seen, lease)
    if document.state != DocumentState.ISSUING:
        return document
    issued_on = dt.date.fromisoformat(document.facts[ISSUED_ON])
    name = pdf.keep(pdf.render_pdf(standing_paper(document), issued_on))
    with transaction.atomic():
        lease.check()
        at = dt.datetime.combine(issued_on, clock.now().timetz())
        issuing = Document.objects.filter(pk=pk, state=DocumentState.ISSUING)
        if issuing.update(state=DocumentState.ISSUED, pdf_sha256=name, issued_at=at, issued_by=by):
            changes = {"state": ["issuing", "issued"], "file_number": [None, document.file_number], "pdf_sha256": [None, name]}
            trail.record(action="document.issue", subject=document, by=by, changes=changes)
            if kind_of(document.kind).is_letter:
                letter_states.start(document, issued_on, by)
    document.refresh_from_db()
    return document


@transaction.atomic
def _freeze(pk: int, by: User, seen: str, lease: jobs.Lease) -> Document:
    """Take the number and freeze the facts in one transaction; a document past that step is returned as it is."""
    lease.check()
    document = Document.objects.select_for_update().get(pk=pk)
    if document.state != DocumentState.DRAFT:
        return document
    _refuse_other_facts(document, seen)
    if kind_of(document.kind).is_letter:
        letter_states.refuse_unreviewed(document)
    today = clock.today()
    document.prefix, document.year = document.facts["office"]["prefix"], today.year
    document.number = _next_number(document.prefix, document.year)
    document.facts = document.facts | {ISSUED_ON: today.isoformat()}
    document.state = DocumentState.ISSUING
    document.save()
    changes = {"state": ["draft", "issuing"], "file_number": [None, document.file_number]}
    trail.record(action="document.number", subject=document, by=by, changes=changes)
    return document


def _next_number(prefix: str, year: int) -> int:
    """The next number of the series, whose row stays locked until the number's document is committed with it."""
    NumberSeries.objects.get_or_create(prefix=prefix, year=year)
    series = NumberSeries.objects.select_for_update().get(prefix=prefix, year=year)
    series.last += 1
    series.save(update_fields=["last"])
    return series.last


def printed(document: Document) -> bytes:
    """The kept bytes of a paper; one of the demo's, which were issued without being printed, is printed from its frozen facts."""
    if not document.pdf_sha256 and document.state == DocumentState.ISSUED and document.facts.get("is_demo"):
        issued_on = dt.date.fromisoformat(document.facts[ISSUED_ON])
        document.pdf_sha256 = pdf.keep(pdf.render_pdf(standing_paper(document), issued_on))
        document.save(update_fields=["pdf_sha256"])
    return pdf.kept(document.pdf_sha256)


# ── Withdraw ────────────────────────────────────────────────────────────────────────────────────────────────────────


@transaction.atomic
def withdraw_document(*, document: Document, by: User, reason: str) -> Document:
    """作废: the paper loses its force and keeps number, facts and file; its period may be drafted anew."""
    _may_issue(document, by)
    reason = reason.strip()
    if not reason:
        raise DocumentFault("请填写作废理由。")
    if not Document.objects.filter(pk=document.pk, state=DocumentState.ISSUED).update(state=DocumentState.WITHDRAWN):
        raise DocumentFault("只有已印发的文件可以作废。")
    trail.record(action="document.withdraw", subject=document, by=by, changes={"state": ["issued", "withdrawn"]}, reason=reason)
    if kind_of(document.kind).is_letter:
        letter_states.tell_withdrawn(document, reason, by)
    document.refresh_from_db()
    return document
