"""Every change of permits: one transaction, one lock on the project, one event in the trail. Nothing else writes them, loaders apart.

Who may write which field is `permissions.permit_fields`; two people who change the same field are both shown both values.
"""

import datetime as dt
from collections import Counter

from django.db import transaction

from linfen_water import clock, trail
from linfen_water.models import TrailEvent, Unit, User
from projects import permissions, permit_rules
from projects.enums import PermitKind
from projects.models import Permit, Project, ProjectVersion
from projects.services import EditConflict, Faulty, Refused

FIELDS = (
    "is_required", "authority", "submitted_on", "promised_workdays", "obtained_on", "doc_number", "valid_until", "note",
    "parallel_group", "helper_post",
)  # fmt: skip
DATES = ("submitted_on", "obtained_on", "valid_until")


def paper_of(permit: Permit) -> permit_rules.Paper:
    """The permit as the rules see it."""
    values = {name: getattr(permit, name) for name in FIELDS if name != "authority"}
    return permit_rules.Paper(kind=PermitKind(permit.kind), authority=permit.authority.name if permit.authority else "", **values)


@transaction.atomic
def save_permit(*, permit: Permit, by: User | None, version: int, values: dict, reason: str = "") -> Permit:
    """Write `values` by field; what is left out stays, and when nothing differs, nothing is written.

    `version` is what the person saw (`edit_version`): other fields changed meanwhile are kept, the same field changed by both
    raises EditConflict. Raises Refused for a field that `by` does not hold, Faulty for values that contradict.
    """
    current = _locked(permit)
    if values.keys() - permissions.permit_fields(by, current):
        raise Refused("这些内容不由您填写：县（市、区）填报送日和卡点，受理机关填受理和办结情况，其余由专班办填写。")
    if version != current.edit_version:
        values = _merge(current, version, values)
    old = {name: getattr(current, name) for name in FIELDS}
    changed = [name for name in FIELDS if name in values and values[name] != old[name]]
    if not changed:
        return current
    for name in changed:
        setattr(current, name, values[name])
    if faults := permit_rules.check(paper_of(current), clock.today()):
        raise Faulty(faults)
    new = {name: values[name] for name in changed} | {"edit_version": current.edit_version + 1}
    if not Permit.objects.filter(pk=current.pk, edit_version=current.edit_version).update(**new):
        raise Refused("这项手续刚被他人修改，请刷新页面。")  # the lock on the project should make this impossible
    current.edit_version += 1
    changes = {name: [as_text(old[name]), as_text(values[name])] for name in changed}
    changes["version"] = [current.edit_version - 1, current.edit_version]
    trail.record(action="permit.save", subject=current, by=by, county=_county(current.project_id), changes=changes, reason=reason)
    return current


@transaction.atomic
def list_permits(*, project: Project, kinds: list[PermitKind], by: User) -> list[Permit]:
    """Put kinds of the dictionary on a project's list, each with the authority that most projects have for it. Known kinds stay."""
    if not permissions.may_edit_projects(by):
        raise Refused("手续清单由专班办维护。")
    Project.objects.select_for_update().get(pk=project.pk)
    known = set(Permit.objects.filter(project=project).values_list("kind", flat=True))
    wanted = [kind for kind in PermitKind if kind in kinds and kind not in known]
    usual = _usual_authorities(wanted)
    rows = []
    for kind in wanted:
        row = Permit.objects.create(project=project, kind=kind, authority=usual.get(kind))
        changes = {"authority": [None, as_text(row.authority)], "version": [0, row.edit_version]}
        trail.record(action="permit.list", subject=row, by=by, county=_county(project.pk), changes=changes)
        rows.append(row)
    return rows


def _usual_authorities(kinds: list[PermitKind]) -> dict[PermitKind, Unit]:
    """The authority that each kind has most often."""
    pairs = Counter(Permit.objects.filter(kind__in=kinds, authority__isnull=False).order_by().values_list("kind", "authority"))
    units = Unit.objects.in_bulk({authority for _, authority in pairs})
    found: dict[PermitKind, Unit] = {}
    for (kind, authority), _ in sorted(pairs.items(), key=lambda pair: (-pair[1], pair[0])):
        found.setdefault(PermitKind(kind), units[authority])
    return found


def _locked(permit: Permit) -> Permit:
    """Lock the project and read the permit anew: whoever comes second sees what the first one wrote."""
    Project.objects.select_for_update().get(pk=permit.project_id)
    return Permit.objects.select_related("authority").get(pk=permit.pk)


def _merge(current: Permit, version: int, mine: dict) -> dict:
    """`mine`, made when `version` was saved, without what only others changed; EditConflict where both changed a field."""
    since = _changed_since(current, version)
    theirs = {name: getattr(current, name) for name in FIELDS}
    if since is None:  # history unknown: every difference is a question
        base: dict = {}
        clash = [name for name in mine if mine[name] != theirs[name]]
    else:
        base = since
        mine = {name: value for name, value in mine.items() if name not in since or value != since[name]}
        clash = [name for name in mine if name in since and mine[name] != theirs[name]]
    if clash:
        raise EditConflict(
            base={name: base.get(name) for name in clash},
            mine={name: mine[name] for name in clash},
            theirs={name: theirs[name] for name in clash},
            merged=theirs | mine,
            version=current.edit_version,
        )
    return mine


def _changed_since(current: Permit, version: int) -> dict | None:
    """Fields changed after `version`, with their values at that time, out of the trail; None when it is not all there."""
    events = TrailEvent.objects.filter(subject_type="permit", subject_id=str(current.pk), action="permit.save").order_by("pk")
    later = [event.changes for event in events if event.changes["version"][1] > version]
    if version > current.edit_version or len(later) != current.edit_version - version:
        return None
    base: dict = {}
    for changes in later:
        for name, (old, _new) in changes.items():
            if name in FIELDS:
                base.setdefault(name, from_text(name, old))
    return base


def as_text(value):
    """A value as the trail keeps it: days as ISO text, an authority as the code of its unit."""
    if isinstance(value, dt.date):
        return value.isoformat()
    return value.code if isinstance(value, Unit) else value


def from_text(name: str, text):
    if text is None:
        return None
    if name in DATES:
        return dt.date.fromisoformat(text)
    return Unit.objects.filter(code=text).first() if name == "authority" else text


def _county(project_id: int):
    return ProjectVersion.objects.select_related("county").get(project=project_id, effective_to=None).county
