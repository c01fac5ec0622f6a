"""Every change of own columns, their values and own ledgers: one transaction, one event in the trail. Nothing is deleted."""

import datetime as dt
import secrets
from decimal import Decimal, InvalidOperation

from django.db import transaction

from ledgers.enums import OwnKind
from ledgers.page_models import OwnColumn, OwnLedger, OwnValue
from ledgers.permissions import may_share_views
from linfen_water import clock, trail
from linfen_water.models import County, Region, User

MOST_COLUMNS = 20  # of one ledger
LONGEST = OwnValue._meta.get_field("text").max_length


class Refused(Exception):
    """What speaks against it, in words for the person; `field` is the one that it speaks of."""

    def __init__(self, sentence: str, field: str = ""):
        self.field = field
        super().__init__(sentence)


class Stale(Refused):
    """Somebody else changed it meanwhile; `theirs` is what is there now."""

    def __init__(self, theirs: str):
        self.theirs = theirs
        super().__init__(f"刚被他人改为“{theirs or '空'}”，没有写入。")


def _one_at_a_time() -> None:
    """Of two people who make something of the same name at once the second one reads that it is there."""
    list(Region.objects.select_for_update().order_by("pk").values_list("pk"))


def _only_office(by: User) -> None:
    if not may_share_views(by):
        raise Refused("只有专班办可以增设列和台账。")


# ── Columns ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@transaction.atomic
def add_column(*, by: User, ledger: str, label: str, kind: str, unit: str = "", choices: list[str] | None = None, note: str = "",
               counties_write: bool = False) -> OwnColumn:  # fmt: skip
    """Put a column behind those of `ledger`."""
    _only_office(by)
    _one_at_a_time()
    standing = OwnColumn.objects.filter(ledger=ledger, retired_at=None)
    if standing.count() >= MOST_COLUMNS:
        raise Refused(f"每个台账最多自设{MOST_COLUMNS}列，请先停用不用的列。")
    column = OwnColumn(ledger=ledger, kind=kind, by=by, position=OwnColumn.objects.filter(ledger=ledger).count())
    _describe(column, label, unit, choices or [], note, counties_write)
    column.save()
    changes = {"label": [None, column.label], "kind": [None, kind], "unit": [None, unit], "choices": [None, column.choices]}
    trail.record(action="own.column", subject=column, by=by, changes=changes)
    return column


@transaction.atomic
def edit_column(*, by: User, column: OwnColumn, version: int, label: str, unit: str = "", choices: list[str] | None = None, note: str = "",
                counties_write: bool = False) -> OwnColumn:  # fmt: skip
    """Call it otherwise, offer other choices. Its kind stays: its values are of that kind."""
    _only_office(by)
    column = OwnColumn.objects.select_for_update().get(pk=column.pk)
    if column.edit_version != version:
        raise Stale(column.label)
    before = {name: getattr(column, name) for name in ("label", "unit", "choices", "note", "counties_write")}
    _describe(column, label, unit, choices or [], note, counties_write)
    changes = {name: [old, getattr(column, name)] for name, old in before.items() if old != getattr(column, name)}
    if changes:
        column.edit_version += 1
        column.save()
        trail.record(action="own.column", subject=column, by=by, changes=changes)
    return column


def _describe(column: OwnColumn, label: str, unit: str, choices: list[str], note: str, counties_write: bool) -> None:
    label = label.strip()
    if not label or len(label) > 30:
        raise Refused("请填写列名，不超过30字。", "label")
    if column.kind not in OwnKind.values:
        raise Refused("请选择列的类型。", "kind")
    same = OwnColumn.objects.filter(ledger=column.ledger, label=label, retired_at=None).exclude(pk=column.pk)
    if same.exists():
        raise Refused(f"这个台账已有自设列“{label}”，请换一个列名。", "label")
    choices = list(dict.fromkeys(one.strip() for one in choices if one.strip()))
    if column.kind == OwnKind.CHOICE and len(choices) < 2:
        raise Refused("选项列至少要有两个可选值，每行写一个。", "choices")
    if any(len(one) > 60 for one in choices):
        raise Refused("每个可选值不超过60字。", "choices")
    column.label, column.unit, column.note = label, unit.strip()[:10], note.strip()[:120]
    column.choices, column.counties_write = choices if column.kind == OwnKind.CHOICE else [], counties_write


@transaction.atomic
def retire_column(*, by: User, column: OwnColumn, is_retired: bool = True) -> None:
    """Take a column out of the ledger or back into it; its values stay."""
    _only_office(by)
    column = OwnColumn.objects.select_for_update().get(pk=column.pk)
    if (column.retired_at is not None) == is_retired:
        return
    if not is_retired and OwnColumn.objects.filter(ledger=column.ledger, label=column.label, retired_at=None).exists():
        raise Refused(f"已有同名的列“{column.label}”，请先停用或改名。")
    column.retired_at = clock.now() if is_retired else None
    column.save(update_fields=["retired_at"])
    changes = {"retired": [not is_retired, is_retired]}
    trail.record(action="own.retire", subject=column, by=by, changes=changes)


# ── Values ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def read_value(column: OwnColumn, text: str) -> str:
    """What was typed, as it is stored. Raises Refused with what is wrong and how to mend it."""
    text = " ".join(text.split())
    if not text:
        return ""
    if len(text) > LONGEST:
        raise Refused(f"最多{LONGEST}字，现为{len(text)}字。")
    if column.kind == OwnKind.NUMBER:
        return _number(column, text)
    if column.kind == OwnKind.DATE:
        return _date(text)
    if column.kind == OwnKind.CHOICE and text not in column.choices:
        raise Refused(f"没有“{text[:30]}”这一项，可填：{'、'.join(column.choices)}。")
    return text


def _number(column: OwnColumn, text: str) -> str:
    bare = text.replace(",", "").replace("，", "").removesuffix(column.unit).strip()
    try:
        number = Decimal(bare)
    except InvalidOperation:
        raise Refused(f"“{text[:30]}”不是数值，请填数字，例如 12.5。") from None
    if not number.is_finite() or abs(number) >= Decimal(10) ** 13 or number != round(number, 6):
        raise Refused("数值过大或小数过多：整数部分不超过13位，小数不超过6位。")
    return f"{number.normalize():f}"


def _date(text: str) -> str:
    try:
        return dt.date.fromisoformat(text.replace("/", "-").replace(".", "-")).isoformat()
    except ValueError:
        raise Refused(f"日期“{text[:20]}”无效，请按 2025-02-20 填写。") from None


@transaction.atomic
def set_value(*, by: User | None, column: OwnColumn, row: str, text: str, reason: str = "", county: County | None = None,
              seen: str | None = None) -> OwnValue | None:  # fmt: skip
    """Let the column say `text` of a row from today on; None when it says so already. `seen`: what the person had before them."""
    OwnColumn.objects.select_for_update().get(pk=column.pk)
    text = read_value(column, text)
    today = clock.today()
    last = OwnValue.objects.filter(column=column, row=row, on__lte=today).order_by("-pk").first()
    before = last.text if last else ""
    if text == before:
        return None
    if seen is not None and seen != before:
        raise Stale(before)
    value = OwnValue.objects.create(column=column, row=row, on=today, text=text, reason=reason[:200], by=by)
    trail.record(
        action="own.value", subject=column, by=by, county=county, changes={"row": [row, row], column.name: [before, text]}, reason=reason
    )
    return value


# ── Ledgers ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@transaction.atomic
def define_ledger(*, by: User, base: str, title: str, about: str, columns: list[str], query: str, grouping: str) -> OwnLedger:
    """A further ledger out of the rows of `base`."""
    _only_office(by)
    _one_at_a_time()
    own = OwnLedger(base=base, by=by, slug=f"new-{secrets.token_hex(8)}")
    _define(own, title, about, columns, query, grouping)
    own.save()
    own.slug = f"own-{own.pk}"  # nobody else's
    own.save(update_fields=["slug"])
    trail.record(action="own.ledger", subject=own, by=by, changes={name: [None, getattr(own, name)] for name in DEFINED})
    return own


@transaction.atomic
def edit_ledger(
    *, by: User, own: OwnLedger, version: int, title: str, about: str, columns: list[str], query: str, grouping: str
) -> OwnLedger:
    """Define it anew; what it rests on stays."""
    _only_office(by)
    own = OwnLedger.objects.select_for_update().get(pk=own.pk)
    if own.edit_version != version:
        raise Stale(own.title)
    before = {name: getattr(own, name) for name in DEFINED}
    _define(own, title, about, columns, query, grouping)
    changes = {name: [old, getattr(own, name)] for name, old in before.items() if old != getattr(own, name)}
    if changes:
        own.edit_version += 1
        own.save()
        trail.record(action="own.ledger", subject=own, by=by, changes=changes)
    return own


DEFINED = ("title", "about", "columns", "query", "grouping")


def _define(own: OwnLedger, title: str, about: str, columns: list[str], query: str, grouping: str) -> None:
    title = " ".join(title.split())
    if not title or len(title) > 40:
        raise Refused("请填写台账名称，不超过40字。", "title")
    if OwnLedger.objects.filter(title=title, retired_at=None).exclude(pk=own.pk).exists():
        raise Refused(f"已有自建台账“{title}”，请换一个名称。", "title")
    if len(query) > 2000:
        raise Refused("筛选条件太多，请减少一些。", "query")
    own.title, own.about, own.columns, own.query, own.grouping = title, about.strip()[:120], columns, query, grouping


@transaction.atomic
def retire_ledger(*, by: User, own: OwnLedger, is_retired: bool = True) -> None:
    """Take a ledger out of use or back; its definition and the values of its columns stay."""
    _only_office(by)
    own = OwnLedger.objects.select_for_update().get(pk=own.pk)
    if (own.retired_at is not None) != is_retired:
        own.retired_at = clock.now() if is_retired else None
        own.save(update_fields=["retired_at"])
        trail.record(action="own.retire", subject=own, by=by, changes={"retired": [not is_retired, is_retired]})


def stored(value) -> str:
    """A value as it is stored."""
    if value is None:
        return ""
    return f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)
