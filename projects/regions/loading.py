"""Writing a region pack into the database: rows follow the pack, nothing is ever deleted, a repeat changes nothing."""

import dataclasses
import datetime as dt

from django.db import transaction

from linfen_water import trail
from linfen_water.models import County, Domain, Policy, Region, Unit
from monitoring.models import River, Section
from projects import archives
from projects.regions.pack import Pack

# A pack's policy is the office's proposal for all time before it sets its own.
POLICY_FROM = dt.date(2000, 1, 1)
# What follows from the pack's lines, also of a section that the office edited.
MEASURED = {"order_along"}


class OtherRegion(ValueError):
    """The database serves another region already; its text is the Chinese sentence for the person."""


@dataclasses.dataclass
class Loaded:
    """What a load did: counts of rows, and which rows of the database the pack no longer has."""

    created: int = 0
    changed: int = 0
    unchanged: int = 0
    vanished: list[str] = dataclasses.field(default_factory=list)


@transaction.atomic
def load(pack: Pack, *, by=None) -> tuple[Region, Loaded]:
    """Make the rows of the database follow `pack`; all or nothing."""
    if other := Region.objects.exclude(slug=pack.slug).first():
        raise OtherRegion(
            f"数据库已用于“{other.name}”（{other.slug}），不能再装入“{pack.slug}”：请另用一个空库（DATA_DIR 或 DATABASE_URL）。"
        )
    done = Loaded()
    region = _put(
        Region,
        {"slug": pack.slug},
        {"name": pack.settings["name"], "programme": pack.settings["programme"], "settings": pack.settings},
        done,
    )
    domains = {name: _put(Domain, {"name": name}, {"position": i}, done) for i, name in enumerate(pack.domains, 1)}
    counties = {row["code"]: _put(County, {"code": row["code"]}, row | {"position": i}, done) for i, row in enumerate(pack.counties, 1)}
    units = [_put(Unit, {"code": row["code"]}, _unit(row, i, domains, counties), done) for i, row in enumerate(pack.units, 1)]
    rivers = _rivers(pack.rivers, done)
    sections = _sections(pack.sections, rivers, counties, done)
    if pack.settings.get("policy"):
        _put(Policy, {"effective_on": POLICY_FROM}, {"values": pack.settings["policy"], "reason": "区域包默认值（建议）"}, done)
    archives.propose(pack.settings.get("archives"))
    kept = (domains.values(), counties.values(), units, rivers.values(), sections)
    for model, rows in zip((Domain, County, Unit, River, Section), kept, strict=True):
        gone = model.objects.exclude(pk__in=[row.pk for row in rows])
        done.vanished += [f"{model._meta.verbose_name}“{row}”" for row in gone]
    if done.created or done.changed:
        changes = {"created": [0, done.created], "changed": [0, done.changed]}
        trail.record(action="region.load", subject=region, by=by, changes=changes, reason=f"区域包 {pack.slug}")
    return region, done


def _unit(row: dict, position: int, domains: dict, counties: dict) -> dict:
    return row | {"position": position, "domain": domains.get(row["domain"]), "county": counties.get(row["county"])}


def _rivers(rows: list[dict], done: Loaded) -> dict[str, River]:
    """Rivers, then what they flow into: a tributary may stand before its river in the file."""
    rivers = {row["name"]: _put(River, {"name": row["name"]}, {"rank": row["rank"], "mouth_km": row["mouth_km"]}, done) for row in rows}
    for row in rows:
        river, parent = rivers[row["name"]], rivers.get(row["parent"])
        if river.parent != parent:
            river.parent = parent
            river.save(update_fields=["parent"])
    return rivers


def _sections(rows: list[dict], rivers: dict[str, River], counties: dict[str, County], done: Loaded) -> list[Section]:
    """Sections, then what replaced them: a successor may stand below. What the office edited itself stays as it is."""
    edited = set(Section.objects.filter(edited_at__isnull=False).values_list("name", flat=True))
    sections = {}
    for row in rows:
        own = {key: value for key, value in row.items() if key != "replaced_by"}
        values = own | {"river": rivers[row["river"]], "county": counties[row["county"]]}
        kept = {key: value for key, value in values.items() if row["name"] not in edited or key in MEASURED}
        sections[row["name"]] = _put(Section, {"name": row["name"]}, kept, done)
    for row in rows:
        section, successor = sections[row["name"]], sections.get(row.get("replaced_by") or "")
        if "replaced_by" in row and section.edited_at is None and section.replaced_by != successor:
            section.replaced_by = successor
            section.save(update_fields=["replaced_by"])
    return list(sections.values())


def _put(model, key: dict, values: dict, done: Loaded):
    """Create the row, or change what differs."""
    row = model.objects.filter(**key).first()
    if row is None:
        done.created += 1
        return model.objects.create(**(key | values))
    different = [name for name, value in values.items() if getattr(row, name) != value]
    if different:
        for name in different:
            setattr(row, name, values[name])
        row.save(update_fields=different)
        done.changed += 1
    else:
        done.unchanged += 1
    return row
