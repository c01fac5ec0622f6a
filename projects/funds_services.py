"""Every change of sources and allocation papers: one transaction, one lock on the project, one event in the trail.

Nothing else writes them, loaders apart. What a source gave is reported by the counties (`services.save_dispatch`); here is what it is to
give. `FundingSource.issued_wan`, `issued_doc` and `issued_on` are kept as what its standing papers say, for those who type a report.
"""

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal

from django.db import transaction
from django.db.models import Q, Sum

from linfen_water import clock, trail
from linfen_water.models import User
from linfen_water.sent_files import Unfit
from projects import attachments, permissions
from projects.enums import SourceKind
from projects.models import (
    Attachment,
    Dispatch,
    DispatchLine,
    FundingPaper,
    FundingRevision,
    FundingSource,
    Project,
    ProjectVersion,
)
from projects.rules import Fault, plain
from projects.services import Faulty, Refused

DOC_LENGTH = 60


@transaction.atomic
def add_source(*, project: Project, by: User, kind: SourceKind, planned_wan: Decimal, opened_on: dt.date, reason: str) -> FundingSource:
    """Put a source on a project from a day on."""
    project = _locked(project, by)
    faults = [*_reason_faults(reason, "说明依据"), *_day_faults("opened_on", "启用日", opened_on)]
    if opened_on < project.listed_on:
        faults.append(Fault("opened_on", f"启用日不能早于项目列入清单的日期 {project.listed_on}。"))
    if planned_wan <= 0:
        faults.append(Fault("planned_wan", "计划额须大于 0。"))
    there = FundingSource.objects.filter(project=project, kind=kind).first()
    if there:
        hint = "已关闭，如需再用请点“恢复”" if there.closed_on else "已登记，请在那一行调整计划额"
        faults.append(Fault("kind", f"{SourceKind(kind).label}{hint}。"))
    if faults:
        raise Faulty(faults)
    last = FundingSource.objects.filter(project=project).order_by("position").last()
    row = FundingSource.objects.create(
        project=project, kind=kind, planned_wan=planned_wan, opened_on=opened_on, position=last.position + 1 if last else 0
    )
    _record("funds.add", row, by, {"planned_wan": [None, plain(planned_wan)], "opened_on": [None, opened_on]}, reason)
    return row


@transaction.atomic
def revise_plan(
    *, source: FundingSource, by: User | None, version: int, planned_wan: Decimal, effective_from: dt.date, reason: str
) -> FundingSource:
    """Change what a source is to give, from a day on; the days before keep the old amount. `by` None: a command."""
    row = _seen(source, by, version)
    _must_be_open(row)
    last = FundingRevision.objects.filter(source=row).order_by("effective_from").last()
    if faults := list(plan_faults(row, last.effective_from if last else None, planned_wan, effective_from, reason)):
        raise Faulty(faults)
    values = {"planned_wan": planned_wan, "reason": reason.strip(), "by": by}
    if last and last.effective_from == effective_from:  # the day keeps one amount, the last one; the trail keeps both
        FundingRevision.objects.filter(pk=last.pk).update(**values)
    else:
        FundingRevision.objects.create(source=row, effective_from=effective_from, before_wan=row.planned_wan, **values)
    old = row.planned_wan
    _write(row, planned_wan=planned_wan)
    _record("funds.plan", row, by, {"planned_wan": [plain(old), plain(planned_wan)], "effective_from": [None, effective_from]}, reason)
    return row


def plan_faults(
    row: FundingSource, revised_on: dt.date | None, planned_wan: Decimal, effective_from: dt.date, reason: str
) -> Iterable[Fault]:
    """What speaks against a new plan; `revised_on` is the day from which the last one holds. Without a query."""
    yield from _reason_faults(reason, "调整理由，例如批复文号")
    yield from _day_faults("effective_from", "生效日", effective_from)
    first = revised_on or row.opened_on or row.project.listed_on
    if effective_from < first or (effective_from == first and revised_on is None):
        what = "上次调整的生效日" if revised_on else "来源启用的日期"
        yield Fault("effective_from", f"生效日须晚于{what} {first}。")
    if planned_wan < 0:
        yield Fault("planned_wan", "计划额不能为负数。")
    if planned_wan == row.planned_wan:
        yield Fault("planned_wan", "没有改动：请填写新的计划额。")


@transaction.atomic
def close_source(*, source: FundingSource, by: User, version: int, closed_on: dt.date, reason: str) -> FundingSource:
    """A source gives nothing any more. Refused while money stands on it: what came does not vanish from the sums."""
    row = _seen(source, by, version)
    _must_be_open(row)
    faults = [*_reason_faults(reason, "关闭理由"), *_day_faults("closed_on", "关闭日", closed_on)]
    if row.opened_on and closed_on <= row.opened_on:
        faults.append(Fault("closed_on", f"关闭日须晚于启用日 {row.opened_on}。"))
    if faults:
        raise Faulty(faults)
    if said := _money_since(row, closed_on):
        raise Refused(
            f"{row.get_kind_display()}已报到位{plain(said.in_place_wan)}万元、完成投资{plain(said.completed_wan)}万元，不能关闭："
            "请县（市、区）先在周调度中更正为 0 并写明理由；只是不再增加的，请把计划额调整为实际数。"
        )
    _write(row, closed_on=closed_on, closed_reason=reason.strip())
    _record("funds.close", row, by, {"closed_on": [None, closed_on]}, reason)
    return row


@transaction.atomic
def reopen_source(*, source: FundingSource, by: User, version: int, reason: str) -> FundingSource:
    """Undo a closing, as if it had not been."""
    row = _seen(source, by, version)
    if row.closed_on is None:
        raise Refused("这个来源没有关闭，请刷新页面。")
    if faults := list(_reason_faults(reason, "恢复理由")):
        raise Faulty(faults)
    old = row.closed_on
    _write(row, closed_on=None, closed_reason="")
    _record("funds.reopen", row, by, {"closed_on": [old, None]}, reason)
    return row


@transaction.atomic
def add_paper(
    *,
    project: Project,
    by: User,
    doc_number: str,
    issued_on: dt.date,
    amounts: dict[int, Decimal],
    note: str = "",
    files: Iterable[attachments.Taken] = (),
) -> list[FundingPaper]:
    """Record a paper by which money was issued: its amount by source (keys), and the paper itself as files."""
    project = _locked(project, by)
    doc_number, note = " ".join(doc_number.split()), note.strip()
    amounts = {pk: amount for pk, amount in amounts.items() if amount}
    sources = {row.pk: row for row in FundingSource.objects.filter(project=project, pk__in=amounts)}
    if len(sources) != len(amounts):
        raise Refused("这个项目的资金来源刚有变动，请刷新页面后再登记。")
    faults = list(_day_faults("issued_on", "下达日期", issued_on))
    if not doc_number:
        faults.append(Fault("doc_number", "请填写下达文号。"))
    elif FundingPaper.objects.filter(source__project=project, doc_number=doc_number, withdrawn_at=None).exists():
        faults.append(Fault("doc_number", f"文号“{doc_number}”已登记：金额有误请先撤销原登记，再重新登记。"))
    if not amounts:
        faults.append(Fault("", "请至少填写一个来源的下达额；收回资金填负数。"))
    faults += [fault for pk, amount in amounts.items() for fault in _amount_faults(sources[pk], amount, issued_on, note)]
    if faults:
        raise Faulty(faults)
    rows = []
    for pk, amount in amounts.items():
        row = sources[pk]
        _carry_over(row)
        rows.append(
            FundingPaper.objects.create(source=row, doc_number=doc_number, issued_on=issued_on, amount_wan=amount, note=note, by=by)
        )
        _settle(row)
        changes = {"issued_doc": [None, doc_number], "issued_on": [None, issued_on], "amount_wan": [None, plain(amount)]}
        _record("funds.paper", row, by, changes, note)
    _keep(rows[0], files, by)
    return rows


@transaction.atomic
def add_files(*, paper: FundingPaper, by: User, files: Iterable[attachments.Taken]) -> None:
    """Put files beside a paper that stands."""
    _locked(paper.source.project, by)
    row = FundingPaper.objects.select_related("source__project").get(pk=paper.pk)
    if row.withdrawn_at:
        raise Refused("这份文件的登记已撤销，请刷新页面。")
    _keep(row, files, by)


@transaction.atomic
def withdraw_paper(*, paper: FundingPaper, by: User, reason: str) -> list[FundingPaper]:
    """Take back what was recorded of a paper, for all its sources; the rows stay."""
    project = _locked(paper.source.project, by)
    if faults := list(_reason_faults(reason, "撤销理由")):
        raise Faulty(faults)
    rows = list(
        FundingPaper.objects.filter(
            source__project=project, doc_number=paper.doc_number, issued_on=paper.issued_on, withdrawn_at=None
        ).select_related("source")
    )
    if paper.pk not in {row.pk for row in rows}:
        raise Refused("这份文件的登记已经撤销，请刷新页面。")
    for row in rows:
        FundingPaper.objects.filter(pk=row.pk).update(withdrawn_at=clock.now(), withdrawn_by=by, withdrawn_reason=reason.strip())
        _settle(row.source)
        changes = {"issued_doc": [row.doc_number, None], "issued_on": [row.issued_on, None], "amount_wan": [plain(row.amount_wan), None]}
        _record("funds.unpaper", row.source, by, changes, reason)
    return rows


# ── What all of them share ──────────────────────────────────────────────────────────────────────────────────────────


def _locked(project: Project, by: User | None) -> Project:
    """Whoever comes second sees what the first one wrote."""
    if by is not None and not permissions.may_edit_funds(by):
        raise Refused("资金来源和下达文件由专班办登记。")
    return Project.objects.select_for_update().get(pk=project.pk)


def _seen(source: FundingSource, by: User | None, version: int) -> FundingSource:
    """The row under the lock, when it is still what the person saw."""
    _locked(source.project, by)
    row = FundingSource.objects.select_related("project").get(pk=source.pk)
    if row.edit_version != version:
        raise Refused(f"{row.get_kind_display()}刚被他人修改，还没有保存：请核对表中的新值后再保存。")
    return row


def _must_be_open(row: FundingSource) -> None:
    if row.closed_on:
        raise Refused(f"{row.get_kind_display()}已于 {row.closed_on} 关闭，请先恢复。")


def _write(row: FundingSource, **values) -> None:
    values["edit_version"] = row.edit_version + 1
    if not FundingSource.objects.filter(pk=row.pk, edit_version=row.edit_version).update(**values):
        raise Refused("资金来源刚被他人修改，请刷新页面。")  # the lock on the project should make this impossible
    for name, value in values.items():
        setattr(row, name, value)


def _carry_over(row: FundingSource) -> None:
    """What a source was loaded with becomes its first paper, so that nothing is lost when the second one comes."""
    if row.issued_wan and not FundingPaper.objects.filter(source=row).exists():
        FundingPaper.objects.create(
            source=row,
            doc_number=row.issued_doc,
            issued_on=row.issued_on or row.opened_on or row.project.listed_on,
            amount_wan=row.issued_wan,
            note="" if row.issued_doc else "文号未登记",
        )


def _settle(row: FundingSource) -> None:
    """Keep in the source what its standing papers say: their sum, and the last one's number and day."""
    standing = FundingPaper.objects.filter(source=row, withdrawn_at=None)
    total = standing.aggregate(n=Sum("amount_wan"))["n"]
    last = standing.order_by("issued_on", "pk").last()
    _write(row, issued_wan=total, issued_doc=last.doc_number if last else "", issued_on=last.issued_on if last else None)


def _money_since(row: FundingSource, day: dt.date) -> DispatchLine | None:
    """A line with money in what speaks for `day` or for a day after it."""
    live = Dispatch.objects.filter(project=row.project_id, is_live=True)
    last = live.filter(cut_off_on__lt=day).order_by("-week_of").values("pk")[:1]
    lines = DispatchLine.objects.filter(source=row).filter(
        Q(dispatch__in=live.filter(cut_off_on__gte=day).values("pk")) | Q(dispatch__in=list(last.values_list("pk", flat=True)))
    )
    return lines.filter(Q(in_place_wan__gt=0) | Q(allocated_wan__gt=0) | Q(paid_wan__gt=0) | Q(completed_wan__gt=0)).last()


def _reason_faults(reason: str, what: str) -> Iterable[Fault]:
    if not reason.strip():
        yield Fault("reason", f"请写明{what}。")


def _day_faults(field: str, word: str, day: dt.date) -> Iterable[Fault]:
    if day > clock.today():
        yield Fault(field, f"{word} {day} 晚于今天（{clock.today()}）。")


def _amount_faults(row: FundingSource, amount: Decimal, issued_on: dt.date, note: str) -> Iterable[Fault]:
    """More than planned needs a note, as 超概 does everywhere; less than nothing cannot be."""
    field = f"amount_{row.pk}"
    if row.closed_on and row.closed_on <= issued_on:
        yield Fault(field, f"{row.get_kind_display()}已于 {row.closed_on} 关闭，不能再登记下达。")
    total = (row.issued_wan or Decimal(0)) + amount
    if total < 0:
        yield Fault(field, f"{row.get_kind_display()}收回后累计下达为{plain(total)}万元，不能小于 0。")
    if amount > 0 and total > row.planned_wan and not note:
        yield Fault(
            field,
            f"{row.get_kind_display()}累计下达{plain(total)}万元，超过计划{plain(row.planned_wan)}万元："
            "请先调整计划额，或在“说明”写明原因。",
        )


def _keep(paper: FundingPaper, files: Iterable[attachments.Taken], by: User) -> None:
    try:
        attachments.keep_all(project=paper.source.project, files=files, by=by, paper=paper)
    except Unfit as unfit:
        raise Faulty([Fault("files", str(unfit))]) from unfit


def withdraw_file(*, attachment: Attachment, by: User, reason: str) -> None:
    """Take a file off a paper; row and file stay."""
    if not permissions.may_edit_funds(by):
        raise Refused("下达文件的附件由专班办维护。")
    attachments.withdraw(attachment=attachment, reason=reason, by=by)


def _record(action: str, row: FundingSource, by: User | None, changes: dict, reason: str = "") -> None:
    county = ProjectVersion.objects.select_related("county").get(project=row.project_id, effective_to=None).county
    changes = changes | {"version": [row.edit_version - 1, row.edit_version]}
    trail.record(action=action, subject=row, by=by, county=county, changes=changes, reason=reason.strip())
