"""Every change of rows that people keep by hand: one transaction, the row locked, one event in the trail.

A `Kind` says once what such a row is: its fields, when it holds from, what must fit. Nothing else writes these models,
loaders apart. `by` is the person, `version` the edit version that they had before them.
"""

import dataclasses
import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from django.db import models, transaction

from linfen_water import clock, notices, trail
from linfen_water.enums import UnitKind
from linfen_water.models import County, TrailEvent, Unit, User
from projects.models import Project, ProjectVersion
from projects.record_base import Record
from projects.rules import Fault, plain
from projects.services import EditConflict, Faulty, Refused

QUICKER = "刚被他人改动，还没有保存：请核对下面的新内容后再操作，填写的内容已保留。"
NOTED_ON = "noted_on"  # in an event of rows that have a day (`on`) of their own: the day on which it was written down
NOTHING: Mapping[str, tuple[str, ...]] = {}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Kind:
    """What a kind of row is."""

    name: str  # of its addresses and its events in the trail: "decision"
    model: type[Record]
    word: str  # 议定事项
    fields: tuple[str, ...]  # what a person may type
    known_from: Callable[[Any], dt.date]  # the day from which on it holds
    later: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=lambda: NOTHING)  # a date → what came with it
    faults: Callable[[dict], Iterable[Fault]] = lambda values: ()
    county: Callable[[Any], County | None] = lambda row: None  # whose chain of the trail
    address: Callable[[Any], str] = lambda row: ""
    told: Callable[[Any], Iterable[Unit]] = lambda row: ()  # the units that it is for
    subject: Callable[[Any], str] = str  # in a notice
    unique: tuple[str, ...] = ()  # standing rows differ in these

    def field(self, name: str) -> models.Field:
        return self.model._meta.get_field(name)

    def label(self, name: str) -> str:
        return str(self.field(name).verbose_name)

    def values(self, row: Record) -> dict:
        """What stands in the row now."""
        return {name: self._value(row, name) for name in self.fields}

    def known(self, row: Record, day: dt.date) -> dict:
        """What stood in it on `day`: dates that lie after it, and what came with them, are not known yet."""
        values = self.values(row)
        for date, companions in self.later.items():
            if values[date] is not None and values[date] > day:
                values |= {name: _empty(self.field(name)) for name in (date, *companions)}
        return values

    def _value(self, row: Record, name: str):
        if self.field(name).many_to_many:
            return sorted(getattr(row, name).all(), key=lambda other: other.pk)
        return getattr(row, name)

    def spelled(self, name: str, value) -> str | None:
        """A value in words, as the trail and the pages show it."""
        field = self.field(name)
        if field.many_to_many:
            return "、".join(map(str, value)) or None
        if value is None or value == "":
            return None
        if isinstance(field, models.BooleanField):
            return "是" if value else "否"
        if isinstance(value, dt.time):
            return f"{value:%H:%M}"
        if isinstance(value, Decimal):
            return plain(value)  # one spelling for one value
        return str(dict(field.flatchoices).get(value, value))


def _empty(field: models.Field):
    return "" if isinstance(field, models.CharField | models.TextField) else None


def project_county(project: Project | None) -> County | None:
    """The county of a project now."""
    if project is None:
        return None
    version = ProjectVersion.objects.select_related("county").filter(project=project, effective_to=None).first()
    return version.county if version else None


# ── Changes ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@transaction.atomic
def add(kind: Kind, /, *, by: User | None, reason: str = "", **values) -> Record:
    """Write a new row; the same one sent twice by the same person is one."""
    values = {name: _tidy(value) for name, value in values.items()}
    many = {name: values.pop(name) for name in list(values) if kind.field(name).many_to_many}
    _lock_place(values)
    if faults := [*_faults(kind, values | many)]:
        raise Faulty(faults)
    if same := kind.model.objects.standing().filter(by=by, **values).first():
        return same
    if faults := [*_twice(kind, values, None)]:
        raise Faulty(faults)
    row = kind.model.objects.create(by=by, **values)
    for name, others in many.items():
        getattr(row, name).set(others)
    said = kind.values(row)
    changes = {name: [None, spelled] for name in said if (spelled := kind.spelled(name, said[name])) is not None}
    record(kind, "add", row, by, changes, reason=reason.strip(), version=[0, row.edit_version])
    tell_units(kind, row, by, "add", f"{kind.word}：{kind.subject(row)}")
    return row


@transaction.atomic
def edit(kind: Kind, /, *, row: Record, by: User | None, version: int, reason: str = "", action: str = "edit", **values) -> Record:
    """Change some fields. What others changed since `version` is kept; the same field changed by both raises EditConflict."""
    row = locked(kind, row)
    current = kind.values(row)
    mine = {name: _tidy(value) for name, value in values.items()}
    if version != row.edit_version:
        mine = _merge(kind, row, version, current, mine)
    changed = {name: value for name, value in mine.items() if value != current[name]}
    if not changed:
        return row
    if faults := [*_faults(kind, current | changed), *_twice(kind, current | changed, row)]:
        raise Faulty(faults)
    spelled = {name: [kind.spelled(name, current[name]), kind.spelled(name, value)] for name, value in changed.items()}
    _write(kind, row, changed)
    record(kind, action, row, by, spelled, reason=reason.strip())
    return row


@transaction.atomic
def act(kind: Kind, /, *, row: Record, by: User, version: int, action: str, reason: str = "", **values) -> Record:
    """A decision on a row: only as it was seen, so `Refused` when somebody was quicker."""
    row = locked(kind, row)
    if version != row.edit_version:
        raise Refused(f"这条{kind.word}{QUICKER}")
    return edit(kind, row=row, by=by, version=version, reason=reason, action=action, **values)


@transaction.atomic
def withdraw(kind: Kind, /, *, row: Record, by: User, version: int, reason: str) -> Record:
    """Take a row back, with a reason: it never held; it stays in the trail."""
    row = locked(kind, row)
    if version != row.edit_version:
        raise Refused(f"这条{kind.word}{QUICKER}")
    if not reason.strip():
        raise Faulty([Fault("reason", "撤销须写明理由。")])
    _write(kind, row, {"withdrawn_at": clock.now(), "withdrawn_by": by, "withdrawn_reason": reason.strip()})
    record(kind, "withdraw", row, by, {}, reason=reason.strip())
    return row


def locked(kind: Kind, row: Record) -> Record:
    """The row anew under its lock: whoever comes second sees what the first one wrote."""
    found = kind.model.objects.select_for_update().get(pk=row.pk)
    if found.withdrawn_at:
        raise Refused(f"这条{kind.word}已撤销（{found.withdrawn_reason}），不能再改。")
    return found


def _lock_place(values: dict) -> None:
    """Rows of one project are added one after the other, so that none is added twice."""
    if isinstance(project := values.get("project"), Project):
        Project.objects.select_for_update().get(pk=project.pk)


def _faults(kind: Kind, values: dict) -> Iterator[Fault]:
    for name, value in values.items():
        field = kind.field(name)
        if not field.many_to_many and not field.blank and value in (None, ""):
            yield Fault(name, f"请填写{field.verbose_name}。")
    yield from kind.faults(values)


def _twice(kind: Kind, values: dict, row: Record | None) -> Iterator[Fault]:
    if not kind.unique:
        return
    same = kind.model.objects.standing().filter(**{name: values[name] for name in kind.unique})
    if same.exclude(pk=row.pk if row else None).exists():
        yield Fault(kind.unique[-1], f"已经登记过同样的{kind.word}，请打开原有的一条修改。")


def _merge(kind: Kind, row: Record, version: int, current: dict, mine: dict) -> dict:
    """`mine` without what only others changed since `version`; EditConflict where both changed a field."""
    since: dict = {}
    for event in events(kind, row):
        if event.changes.get("version", [0, 0])[1] > version:
            for name, (old, _new) in event.changes.items():
                if name in mine:
                    since.setdefault(name, old)
    kept = {name: value for name, value in mine.items() if name not in since or kind.spelled(name, value) != since[name]}
    clash = [name for name in kept if name in since and kept[name] != current[name]]
    if clash:
        raise EditConflict(
            base={name: since[name] for name in clash},
            mine={name: kind.spelled(name, kept[name]) for name in clash},
            theirs={name: kind.spelled(name, current[name]) for name in clash},
            merged=current | kept,
            version=row.edit_version,
        )
    return kept


def _write(kind: Kind, row: Record, values: dict) -> None:
    plain = {name: value for name, value in values.items() if not kind.field(name).many_to_many}
    plain["edit_version"] = row.edit_version + 1
    for name, value in plain.items():
        setattr(row, name, value)
    row.save(update_fields=list(plain))
    for name in values.keys() - plain.keys():
        getattr(row, name).set(values[name])


def record(kind: Kind, action: str, row: Record, by: User | None, changes: dict, *, reason: str = "", version=None) -> None:
    """One event; `version` lets a later editor find what changed since, and its day keeps it from pages of earlier days."""
    stamp = version or [row.edit_version - 1, row.edit_version]
    changes = changes | {NOTED_ON if "on" in kind.fields else "on": [None, clock.today()], "version": stamp}
    trail.record(action=f"{kind.name}.{action}", subject=row, by=by, county=kind.county(row), changes=changes, reason=reason)


def _tidy(value):
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, (list, tuple, models.QuerySet)):
        return sorted(value, key=lambda other: other.pk)
    return value


# ── Telling ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def tell_units(kind: Kind, row: Record, by: User | None, what: str, text: str) -> None:
    """Tell the units that it is for; those who did it themselves need not be told."""
    for unit in dict.fromkeys(kind.told(row)):
        _tell(kind, row, by, what, text, unit)


def tell_office(kind: Kind, row: Record, by: User, what: str, text: str) -> None:
    if unit := Unit.objects.filter(kind=UnitKind.OFFICE).first():
        _tell(kind, row, by, what, text, unit)


def _tell(kind: Kind, row: Record, by: User | None, what: str, text: str, unit: Unit) -> None:
    if by is None or unit.pk != by.unit_id:
        key = f"{kind.name}.{what}:{row.pk}:{row.edit_version}:{unit.pk}"
        notices.notify(key=key, kind=f"{kind.name}.{what}"[:30], text=short(text), by=by, url=kind.address(row), unit=unit)


def short(text: str, length: int = 100) -> str:
    text = " ".join(text.split())
    return text if len(text) <= length else text[: length - 1] + "…"


# ── History ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def events(kind: Kind, row: Record):
    return TrailEvent.objects.filter(subject_type=kind.model._meta.model_name, subject_id=str(row.pk)).order_by("pk")


@dataclasses.dataclass(frozen=True)
class Moment:
    """One thing that happened with a row."""

    on: str
    what: str
    by: str
    changes: list[tuple[str, str | None, str | None]]
    reason: str


def history(kind: Kind, row: Record, day: dt.date, words: Mapping[str, str]) -> list[Moment]:
    """What happened with a row up to `day`, the last first. One query."""
    found = []
    for event in events(kind, row).select_related("by__unit"):
        on = (event.changes.get(NOTED_ON) or event.changes.get("on", [None, ""]))[1] or ""
        if on > day.isoformat():
            continue
        action = event.action.partition(".")[2]
        aside = {"version", NOTED_ON if NOTED_ON in event.changes else "on"}
        changes = [(_label(kind, name), old, new) for name, (old, new) in event.changes.items() if name not in aside]
        found.append(Moment(on, words.get(action, action), str(event.by or "系统"), changes, event.reason))
    return found[::-1]


def _label(kind: Kind, name: str) -> str:
    return {"attachment": "附件", "text": "内容"}.get(name) or (kind.label(name) if name in kind.fields else name)
