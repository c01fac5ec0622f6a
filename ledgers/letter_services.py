"""Every change of a letter beside its paper: review, approval, receipt, answer, check, close, moving up. `by=` the person.

One transaction each, the letter's row locked, one event in the trail. `seen` is the edit version that the person had before them.
"""

import datetime as dt
from collections.abc import Iterable
from typing import NamedTuple

from django.core.files.base import ContentFile
from django.db import transaction

from ledgers import letter_states, services
from ledgers.documents import DocumentFault, periods
from ledgers.documents import letter as letters
from ledgers.enums import LETTERS, NEXT, DocumentKind, DocumentState, Measure
from ledgers.letter_states import state_on, tell_unit
from ledgers.measures import reports
from ledgers.models import AnswerFile, Document, Letter, LetterAnswer
from ledgers.permissions import may_answer, may_approve_talks, may_issue
from linfen_water import clock, jobs, notices, trail
from linfen_water.enums import UnitKind
from linfen_water.models import Unit, User
from linfen_water.sent_files import Unfit
from linfen_water.workdays import add_workdays, is_workday, workdays_between
from projects import attachments

MONTHLY = (DocumentKind.EARLY_WARNING, DocumentKind.REMINDER)
DAILY = (DocumentKind.SUPERVISION, DocumentKind.TALK)
LONGEST_ANSWER, LONGEST_NOTE = 5000, 500
MOST_FILES = 10
AGAIN_DAYS = 3  # working days for an answer that was asked for again, unless another day is named
QUICKER = "这份函件刚被他人改动，没有办理：请核对下面的新情况后再操作，填写的内容已保留。"


class Quicker(DocumentFault):
    """Somebody else acted on the letter since the person opened the page."""

    def __init__(self):
        super().__init__(QUICKER)


# ── Drafts ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def draft_due(*, kind: str, period: str, lease: jobs.Lease | None = None, by: User | None = None) -> list[Document]:
    """A draft for every unit that the facts of the period call for and that has none; returns those that were made.

    Of the kinds written any day, a draft that still waits speaks for the new day instead of a second one beside it.
    """
    made = services.kind_of(kind)
    period = made.read(period, clock.today())
    drafted = []
    for unit in units_due(DocumentKind(kind), period):
        if lease:
            with transaction.atomic():
                lease.check()
        if document := _draft_for(kind, period, unit, lease, by):
            drafted.append(document)
    return drafted


def units_due(kind: DocumentKind, period: str) -> list[Unit]:
    """Units that a letter of the kind is called for, in their order."""
    day = periods.letter_day(period, clock.today())
    codes = letters.for_units(kind, reports.verdicts(day), day)
    return list(Unit.objects.filter(code__in=codes).order_by("position", "code"))


def _draft_for(kind: str, period: str, unit: Unit, lease: jobs.Lease | None, by: User | None) -> Document | None:
    if Document.objects.filter(kind=kind, period=period, unit=unit).exclude(state=DocumentState.WITHDRAWN).exists():
        return None
    if kind in DAILY:
        waiting = Document.objects.filter(kind=kind, unit=unit, state=DocumentState.DRAFT, period__lt=period)
        if last := waiting.order_by("-period").first():
            Document.objects.filter(pk=last.pk, state=DocumentState.DRAFT).update(period=period)
    return services.draft_document(kind=kind, period=period, unit=unit, by=by, lease=lease)


@transaction.atomic
def set_aside(*, document: Document, by: User, reason: str, seen: int) -> None:
    """A draft that is not sent (不发): it stays on record with the reason, and is not drafted again for a week."""
    document, letter = _locked(document, seen)
    _office(by)
    reason = _said(reason, "请写明不发的理由。")
    if document.state != DocumentState.DRAFT:
        raise DocumentFault(f"本函{document.get_state_display()}，不能改为不发。")
    document.state = DocumentState.WITHDRAWN
    document.save(update_fields=["state"])
    _record("letter.set_aside", document, letter, by, {"state": ["draft", "withdrawn"]}, reason)


# ── Review and approval ─────────────────────────────────────────────────────────────────────────────────────────────


@transaction.atomic
def review(*, document: Document, by: User, facts_seen: str, seen: int) -> None:
    """The office has read the draft as it stands, and it may be issued; 约谈 goes to a leader first."""
    document, letter = _locked(document, seen)
    _office(by)
    _draft_only(document)
    if services.facts_digest(document) != facts_seen:
        raise DocumentFault("您打开页面以后草稿已经刷新，请重新核对后再审核。")
    if letter.reviewed_at:
        return
    letter.reviewed_at, letter.reviewed_by, letter.reviewed_digest = clock.now(), by, facts_seen
    _record("letter.review", document, letter, by, {"reviewed": [False, True]})
    if letter_states.needs_approval(document):
        for leader in User.objects.filter(role="leader", is_active=True):
            text = f"{document.unit}《{document.title}》已审核，请批准。"
            notices.notify(
                key=f"letter:{document.pk}:approve:{letter.edit_version}:{leader.pk}",
                kind=letter_states.NOTICE, text=text, url=letter_states.address(document), user=leader, by=by,
            )  # fmt: skip


@transaction.atomic
def send_back(*, document: Document, by: User, reason: str, seen: int) -> None:
    """Take a review or an approval back, with the reason: the office, and a leader for a talk."""
    document, letter = _locked(document, seen)
    if not may_issue(by) and not (may_approve_talks(by) and letter_states.needs_approval(document)):
        raise DocumentFault("只有专班办和领导可以退回草稿。")
    _draft_only(document)
    reason = _said(reason, "请写明退回修改的意见。")
    letter.reviewed_at = letter.reviewed_by = letter.approved_at = letter.approved_by = None
    letter.reviewed_digest = ""
    _record("letter.send_back", document, letter, by, {"reviewed": [True, False]}, reason)
    _tell_office(document, f"back:{letter.edit_version}", f"{document.unit}《{document.title}》草稿退回修改：{reason}", by)


@transaction.atomic
def approve(*, document: Document, by: User, facts_seen: str, seen: int) -> None:
    """A leader agrees to a talk."""
    document, letter = _locked(document, seen)
    if not may_approve_talks(by):
        raise DocumentFault("约谈只能由领导批准。")
    _draft_only(document)
    if not letter_states.needs_approval(document):
        raise DocumentFault("这种函件不需要领导批准。")
    if letter.reviewed_at is None:
        raise DocumentFault("专班办还没有审核，或审核后数据有变动，请待审核后批准。")
    if services.facts_digest(document) != facts_seen:
        raise DocumentFault("您打开页面以后草稿已经刷新，请重新核对后再批准。")
    if letter.approved_at:
        return
    letter.approved_at, letter.approved_by = clock.now(), by
    _record("letter.approve", document, letter, by, {"approved": [False, True]})
    _tell_office(document, f"approved:{letter.edit_version}", f"{document.unit}《{document.title}》已批准，可以印发。", by)


# ── Receipt and answer ──────────────────────────────────────────────────────────────────────────────────────────────


@transaction.atomic
def receive(*, document: Document, by: User) -> None:
    """签收: the addressee has it; a second time changes nothing."""
    document, letter = _locked(document, None)
    if not may_answer(by, document):
        raise DocumentFault("只有主送单位可以签收。")
    _issued_only(document)
    if letter.received_at is None:
        letter.received_at, letter.received_by = clock.now(), by
        _record("letter.receive", document, letter, by, {"received_on": [None, clock.today()]})


class Upload(NamedTuple):
    """A file as it was sent."""

    name: str
    content: bytes


@transaction.atomic
def answer(*, document: Document, by: User, text: str, files: Iterable[Upload] = (), seen: int) -> LetterAnswer:
    """The addressee's answer with its files; receives the letter when that was not done yet. Unfit for a file that cannot be taken."""
    document, letter = _locked(document, seen)
    if not may_answer(by, document):
        raise DocumentFault("只有主送单位可以回复。")
    _issued_only(document)
    state = state_on(document, clock.today())
    if state not in letter_states.WAITING:
        raise DocumentFault(f"本函{state.label}，现在不能回复。")
    text = text.replace("\0", "").strip()
    if not text:
        raise DocumentFault("请写明回复内容：采取了什么措施，何时完成。")
    if len(text) > LONGEST_ANSWER:
        raise DocumentFault(f"回复内容有{len(text)}字，超过{LONGEST_ANSWER}字：请精简，详细材料作为附件上传。")
    files = list(files)
    if len(files) > MOST_FILES:
        raise Unfit(f"附件最多 {MOST_FILES} 个，现有 {len(files)} 个：请合并后上传。")
    taken = attachments.take_all(files)
    now = clock.now()
    if letter.received_at is None:
        letter.received_at, letter.received_by = now, by
    row = LetterAnswer.objects.create(letter=letter, text=text, at=now, by=by)
    changes = {"answer": [None, row.pk], "files": [None, [file.name for file in taken]], "on": [None, clock.today()]}
    with attachments.whole() as rows:
        for file in taken:
            rows.append(_file_of(row, file))
            rows[-1].save(force_insert=True)
        _record("letter.answer", document, letter, by, changes)
    _tell_office(document, f"answer:{row.pk}", f"{document.unit}已回复{document.get_kind_display()}{document.file_number}，请核查。", by)
    return row


def _file_of(row: LetterAnswer, file: attachments.Taken) -> AnswerFile:
    kept = AnswerFile(answer=row, name=file.name, size=len(file.data), digest=file.digest)
    kept.file.save(f"file{file.suffix}", ContentFile(file.data), save=False)
    return kept


# ── Check, close, move up ───────────────────────────────────────────────────────────────────────────────────────────


@transaction.atomic
def accept(*, document: Document, by: User, remark: str, seen: int) -> None:
    """The office finds the answer good and closes the letter."""
    document, letter = _locked(document, seen)
    _office(by)
    _issued_only(document)
    last = _unchecked(letter)
    remark = _said(remark, "请写明核查意见，例如现场核实情况。")
    _check(last, by, is_accepted=True, remark=remark)
    letter.closed_at, letter.closed_by, letter.closing_note = clock.now(), by, remark
    _record("letter.accept", document, letter, by, {"answer": [last.pk, "accepted"], "on": [None, clock.today()]}, remark)
    tell_unit(document, f"accepted:{last.pk}", f"{document.get_kind_display()}{document.file_number}的回复已认可，办结：{remark}", by)


@transaction.atomic
def ask_again(*, document: Document, by: User, remark: str, seen: int, due_again_on: dt.date | None = None) -> None:
    """The office wants another answer, by a day."""
    document, letter = _locked(document, seen)
    _office(by)
    _issued_only(document)
    last = _unchecked(letter)
    remark = _said(remark, "请写明退回重报的意见：哪里不清楚，要补什么。")
    today = clock.today()
    due = due_again_on or add_workdays(today, AGAIN_DAYS)
    if due <= today:
        raise DocumentFault(f"重新回复的期限须晚于今天（{today}）。")
    last.due_again_on = due
    _check(last, by, is_accepted=False, remark=remark)
    _record("letter.ask_again", document, letter, by, {"answer": [last.pk, "refused"], "due_on": [None, due]}, remark)
    words = f"{document.get_kind_display()}{document.file_number}的回复退回重报，请于 {due} 前重新回复：{remark}"
    tell_unit(document, f"again:{last.pk}", words, by)


def _check(row: LetterAnswer, by: User, *, is_accepted: bool, remark: str) -> None:
    row.checked_at, row.checked_by, row.is_accepted, row.remark = clock.now(), by, is_accepted, remark
    row.save()


def _unchecked(letter: Letter) -> LetterAnswer:
    row = letter.answers.filter(checked_at=None).first()
    if row is None:
        raise DocumentFault("没有待核查的回复。")
    return row


@transaction.atomic
def close(*, document: Document, by: User, reason: str, seen: int, move_up: bool = False) -> None:
    """End a letter without an accepted answer, with the reason; `move_up`: the next measure of the ladder follows."""
    document, letter = _locked(document, seen)
    _office(by)
    _issued_only(document)
    if letter.closed_at:
        raise DocumentFault("本函已经办结。")
    reason = _said(reason, "请写明升级的理由：本级做了什么，为什么没有解决。" if move_up else "请写明办结的理由。")
    if last := letter.answers.filter(checked_at=None).first():
        _check(last, by, is_accepted=False, remark=reason)
    letter.closed_at, letter.closed_by, letter.closing_note = clock.now(), by, reason
    if move_up:
        letter.moved_up_to = NEXT[Measure(document.kind)]
    action = "letter.move_up" if move_up else "letter.close"
    changes = {"closed_on": [None, clock.today()]} | ({"moved_up_to": ["", letter.moved_up_to]} if move_up else {})
    _record(action, document, letter, by, changes, reason)
    what = f"升级为{Measure(letter.moved_up_to).label}" if move_up else "办结"
    tell_unit(document, "closed", f"{document.get_kind_display()}{document.file_number}已{what}：{reason}", by)
    if move_up and letter.moved_up_to in LETTERS and (period := next_period(letter.moved_up_to, document.unit)):
        services.request_draft(kind=letter.moved_up_to, period=period, by=by, unit=document.unit)


def next_period(kind: str, unit: Unit) -> str | None:
    """The period under which the letter that follows is drafted today: that of a draft that waits, or the first that no paper holds.

    None when letters of the kind went out under both the day and the month: the calendar drafts it from tomorrow on.
    """
    today = clock.today()
    day, month = today.isoformat(), periods.month_period(today)
    standing = Document.objects.filter(kind=kind, unit=unit).exclude(state=DocumentState.WITHDRAWN)
    states = dict(standing.order_by("period").values_list("period", "state"))
    waiting = [period for period, state in states.items() if state == DocumentState.DRAFT]
    usual = (month, day) if kind in MONTHLY else (*waiting[-1:], day, month)
    return next((period for period in usual if states.get(period, DocumentState.DRAFT) == DocumentState.DRAFT), None)


@transaction.atomic
def follow(*, document: Document, by: User, reason: str, seen: int) -> None:
    """Note that a measure without a letter (挂牌督办) was carried out or lifted."""
    document, letter = _locked(document, seen)
    _office(by)
    if not letter.moved_up_to or letter.moved_up_to in LETTERS or letter.followed_on:
        raise DocumentFault("没有需要登记落实的升级措施。")
    letter.followed_on = clock.today()
    _record("letter.follow", document, letter, by, {"followed_on": [None, letter.followed_on]}, _said(reason, "请写明落实情况。"))


# ── Chasing ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def waiting_on(day: dt.date) -> list[Document]:
    """Issued letters that wait for their addressee on `day`."""
    rows = Document.objects.filter(kind__in=LETTERS, state=DocumentState.ISSUED, letter__closed_at=None)
    rows = rows.select_related("letter", "unit").prefetch_related("letter__answers").order_by("pk")
    return [row for row in rows if state_on(row, day) in letter_states.WAITING]


def chase(day: dt.date) -> int:
    """Remind those whose answer is due tomorrow or overdue; the office once when it falls overdue. Returns how many were reminded.

    On working days only; from the sixth working day on every fifth.
    """
    if not is_workday(day):
        return 0
    told = 0
    for document in waiting_on(day):
        due = letter_states.due_on(document, day)
        if due is None:
            continue
        late = workdays_between(due, day)
        name = f"{document.get_kind_display()}{document.file_number}"
        if late == 0 and day < due <= add_workdays(day, 1):
            told += tell_unit(document, f"soon:{due}", f"{name}须于 {due} 前回复，请及时办理。", None)
        elif day > due and (late <= 5 or late % 5 == 0):
            words = f"{name}应于 {due} 前回复，已逾期 {(day - due).days} 天，请立即回复。"
            told += tell_unit(document, f"late:{day}", words, None)
            _tell_office(document, f"late:{due}", f"{document.unit}的{name}逾期未回复（应于 {due} 前）。", None)
    return told


# ── Shared ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _locked(document: Document, seen: int | None) -> tuple[Document, Letter]:
    """The letter and its paper, locked; Quicker when somebody acted since `seen`."""
    document = Document.objects.select_for_update(of=("self",)).select_related("unit__county").get(pk=document.pk)
    letter = Letter.objects.select_for_update().get(document=document)
    document.letter = letter
    if seen is not None and letter.edit_version != seen:
        raise Quicker
    return document, letter


def _record(action: str, document: Document, letter: Letter, by: User | None, changes: dict, reason: str = "") -> None:
    letter.edit_version += 1
    letter.save()
    county = document.unit.county if document.unit and document.unit.county_id else None
    trail.record(action=action, subject=document, by=by, county=county, changes=changes, reason=reason)


def _office(by: User) -> None:
    if not may_issue(by):
        raise DocumentFault("只有专班办可以办理。")


def _draft_only(document: Document) -> None:
    if document.state != DocumentState.DRAFT:
        raise DocumentFault(f"本函{document.get_state_display()}，不再是草稿。")


def _issued_only(document: Document) -> None:
    if document.state != DocumentState.ISSUED:
        raise DocumentFault(f"本函{document.get_state_display()}，不能办理。")


def _said(text: str, fault: str) -> str:
    """What a person must say; DocumentFault when they did not, or at too great length."""
    text = " ".join(text.replace("\0", "").split())
    if not text:
        raise DocumentFault(fault)
    if len(text) > LONGEST_NOTE:
        raise DocumentFault(f"意见有{len(text)}字，超过{LONGEST_NOTE}字，请精简。")
    return text


def _tell_office(document: Document, key: str, text: str, by: User | None) -> None:
    office = Unit.objects.filter(kind=UnitKind.OFFICE).order_by("position").first()
    if office:
        notices.notify(
            key=f"letter:{document.pk}:office:{key}",
            kind=letter_states.NOTICE,
            text=text,
            url=letter_states.address(document),
            unit=office,
            by=by,
        )
