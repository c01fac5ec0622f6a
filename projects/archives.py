"""工程档案: the office's catalogue, what every project must have of it, and what was found when it was checked item by item."""

import dataclasses
import datetime as dt
from collections.abc import Iterable, Iterator

from django.db import transaction
from django.db.models import OuterRef, QuerySet, Subquery

from linfen_water import clock, trail
from linfen_water.models import Region, User
from projects import records
from projects.archive_catalogue import PROPOSED
from projects.models import Project
from projects.permissions import visible_projects
from projects.rules import Fault
from projects.services import Faulty, Refused
from projects.site_models import ArchiveCheck, ArchiveEntry, ArchiveItem

ENTRY = records.Kind(
    name="archive_entry",
    model=ArchiveEntry,
    word="档案目录项",
    fields=("group", "name", "required", "position"),
    known_from=lambda row: clock.today(),
    unique=("name",),
)
ITEM = records.Kind(
    name="archive_item",
    model=ArchiveItem,
    word="档案",
    fields=("project", "entry", "required"),
    known_from=lambda row: clock.today(),
    county=lambda row: records.project_county(row.project),
)
CHECKED = ("present", "pages", "checker_post", "missing_note")


def propose(entries: Iterable[Iterable] | None = None) -> int:
    """Put the proposed catalogue there when there is none at all; how many entries it has."""
    if ArchiveEntry.objects.exists():
        return 0
    rows = [
        ArchiveEntry(group=group, name=name, required=required, position=place)
        for place, (group, name, required) in enumerate(entries or PROPOSED, 1)
    ]
    return len(ArchiveEntry.objects.bulk_create(rows))


@dataclasses.dataclass(frozen=True)
class EntryLine:
    """One line of the catalogue as it was typed; `pk` None = a new one, an empty name = taken out."""

    pk: int | None
    group: str
    name: str
    required: int


@transaction.atomic
def set_catalogue(*, lines: list[EntryLine], by: User, seen: str) -> int:
    """Make the catalogue follow `lines`; how many entries were added, changed or taken out."""
    list(Region.objects.select_for_update().values_list("pk"))
    if seen != fingerprint():
        raise Refused("档案目录刚被他人修改，尚未保存：请核对后再保存。")
    names = [line.name for line in lines if line.name]
    if len(set(names)) < len(names):
        double = next(name for name in names if names.count(name) > 1)
        raise Faulty([Fault("name", f"目录项“{double}”重复：请改名或删去一个。")])
    there, count = {row.pk: row for row in ArchiveEntry.objects.standing()}, 0
    for line in lines:  # first what goes, so that its name is free
        if (row := there.get(line.pk)) and not line.name:
            records.withdraw(ENTRY, row=row, by=by, version=row.edit_version, reason="从目录中删去")
            count += 1
    for place, line in enumerate((line for line in lines if line.name), 1):
        values = {"group": line.group, "name": line.name, "required": line.required, "position": place}
        if row := there.get(line.pk):
            count += any(getattr(row, name) != value for name, value in values.items())
            records.edit(ENTRY, row=row, by=by, version=row.edit_version, **values)
        else:
            records.add(ENTRY, by=by, **values)
            count += 1
    return count


def fingerprint() -> str:
    rows = ArchiveEntry.objects.standing().values_list("pk", "edit_version")
    return "-".join(f"{pk}.{version}" for pk, version in rows)


# ── one project ──


@transaction.atomic
def open_archive(*, project: Project, by: User) -> int:
    """Give a project the entries of the catalogue that it does not have yet; how many."""
    Project.objects.select_for_update().get(pk=project.pk)
    there = set(ArchiveItem.objects.standing().filter(project=project).values_list("entry", flat=True))
    missing = [entry for entry in ArchiveEntry.objects.standing() if entry.pk not in there]
    ArchiveItem.objects.bulk_create(ArchiveItem(project=project, entry=entry, required=entry.required, by=by) for entry in missing)
    if missing:
        changes = {"archive": [None, f"建档 {len(missing)} 项"], "on": [None, clock.today()]}
        trail.record(action="archive.open", subject=project, by=by, county=records.project_county(project), changes=changes)
    return len(missing)


@dataclasses.dataclass(frozen=True)
class Line:
    """What was typed of one item; `seen` is the version and the last check that the person had before them."""

    item: ArchiveItem
    required: int
    present: int
    pages: int | None
    missing_note: str
    seen: str


@transaction.atomic
def check_items(*, project: Project, by: User | None, lines: list[Line], checker_post: str, is_said: bool = False) -> int:
    """Write what the check found: only lines that changed; how many. Somebody who was quicker is never written over.

    `is_said`: each line is a check of its own, also where it found what was known before.
    """
    Project.objects.select_for_update().get(pk=project.pk)
    today, count = clock.today(), 0
    if faults := [*line_faults(lines, checker_post)]:
        raise Faulty(faults)
    now = {row.pk: row for row in items_on(ArchiveItem.objects.standing().filter(project=project), today)}
    for line in lines:
        row = now.get(line.item.pk)
        if row is None or stamp(row) != line.seen:
            raise Refused(f"“{line.item.entry.name}”刚被他人改动，都还没有保存：请核对下面的新内容后再保存。")
    for line in lines:
        row = now[line.item.pk]
        if line.required != row.required:
            records.edit(ITEM, row=row, by=by, version=row.edit_version, required=line.required)
        said = (line.present, line.pages, line.missing_note)
        if not is_said and said == (row.present or 0, row.pages, row.missing_note or "") and (row.checked_on or said == (0, None, "")):
            count += line.required != row.required
            continue
        values = {"present": line.present, "pages": line.pages, "missing_note": line.missing_note, "checker_post": checker_post, "by": by}
        ArchiveCheck.objects.update_or_create(item=row, on=today, defaults=values)
        changes = {name: [getattr(row, name), value] for name, value in values.items() if name != "by" and getattr(row, name) != value}
        records.record(ITEM, "check", row, by, changes, version=[row.edit_version, row.edit_version])
        count += 1
    return count


def line_faults(lines: list[Line], checker_post: str) -> Iterator[Fault]:
    """What speaks against these lines. Without a query."""
    if not checker_post.strip():
        yield Fault("checker_post", "请填写核对人（写职务，不写姓名）。")
    for line in lines:
        if line.present < line.required and line.present and not line.missing_note.strip():
            name = line.item.entry.name
            yield Fault(f"note-{line.item.pk}", f"“{name}”应有 {line.required}，已有 {line.present}：请写缺漏说明。")


def stamp(row: ArchiveItem) -> str:
    """What a person must have seen of an item: its version and what the last check said. `row` comes from `items_on`."""
    return f"{row.edit_version}:{row.checked_on}:{row.present}:{row.pages}:{row.missing_note}"


# ── as of a day ──


def items_on(items: QuerySet, day: dt.date) -> QuerySet:
    """Items with what the last check by `day` found: `present`, `pages`, `checker_post`, `missing_note`, `checked_on`; None before it."""
    last = ArchiveCheck.objects.filter(item=OuterRef("pk"), on__lte=day).order_by("-on", "-pk")
    said = {name: Subquery(last.values(name)[:1]) for name in CHECKED}
    return items.annotate(checked_on=Subquery(last.values("on")[:1]), **said)


def visible_items(user, today: dt.date) -> QuerySet:
    found = ArchiveItem.objects.standing()
    return found if user is None else found.filter(project__in=visible_projects(user, today).values("pk"))
