"""Changes to what a section is: level, place, water body, items, days in force, targets. Judging again is an act of its own."""

import dataclasses
import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import Model

from linfen_water import clock, trail
from linfen_water.dates import month_start
from linfen_water.models import Region, TrailEvent, User
from monitoring import limits, services
from monitoring.enums import WaterClass
from monitoring.models import Assessment, Reading, Section, SectionTarget
from monitoring.periods import Period, touched
from monitoring.recording import DEMO

FIELDS = (
    "level", "river", "order_along", "county", "water_body", "lon", "lat", "coord_quality", "x_items",
    "in_force_from", "in_force_to", "replaced_by", "station_name", "station_province",
)  # fmt: skip
REVISED, REASSESSED = "section.revise", "section.judge_again"  # beside the services' own event of the results
TARGET = "target_"  # before the year, in the trail


class Moved(Exception):
    """Somebody else changed the section since it was read."""


# ── What a section is ────────────────────────────────────────────────────────────────────────────────────────────────
def state_of(section: Section) -> str:
    """Digest of all that `revise_section` may change: what a person saw. Two queries."""
    section = Section.objects.get(pk=section.pk)
    facts = {name: getattr(section, section._meta.get_field(name).attname) for name in FIELDS}
    return hashlib.sha256(json.dumps([facts, _targets(section)], default=str, sort_keys=True).encode()).hexdigest()


def revise_section(
    *, section: Section, values: Mapping[str, Any], targets: Mapping[int, int | None], by: User, reason: str, seen: str
) -> dict[str, list]:
    """Write what differs and leave one event with its reason; `{field: [old, new]}` in words, empty when nothing differs.

    `targets` names the class by year, None takes it back; years that are not named stay. Raises Moved when the section is
    not as it was `seen` (`state_of`). Assessments stay as they are: see `reassess_section`.
    """
    with transaction.atomic():
        section = Section.objects.select_for_update().get(pk=section.pk)
        if seen != state_of(section):
            raise Moved
        county, changes = section.county, {}
        for name in FIELDS:
            old, new = getattr(section, name), values[name]
            if old != new:
                changes[name] = [spoken(name, old), spoken(name, new)]
                setattr(section, name, new)
        changes |= _set_targets(section, targets)
        if not changes:
            return {}
        section.edited_at = clock.now()
        section.save()
        trail.record(action=REVISED, subject=section, by=by, county=county, changes=changes, reason=reason)
    return changes


def _targets(section: Section) -> dict[int, int]:
    return dict(SectionTarget.objects.filter(section=section).order_by("year").values_list("year", "water_class"))


def _set_targets(section: Section, targets: Mapping[int, int | None]) -> dict[str, list]:
    standing, changes = _targets(section), {}
    for year, water_class in sorted(targets.items()):
        if standing.get(year) == water_class:
            continue
        if water_class is None:
            SectionTarget.objects.filter(section=section, year=year).delete()
        else:
            SectionTarget.objects.update_or_create(section=section, year=year, defaults={"water_class": water_class})
        changes[f"{TARGET}{year}"] = [_class_word(standing.get(year)), _class_word(water_class)]
    return changes


def spoken(name: str, value: Any) -> str:
    """The value of a field in words, as the trail keeps it; empty: none."""
    if name == "x_items":
        return "、".join(map(limits.table().name, value or []))
    choices = Section._meta.get_field(name).choices
    if choices:
        return str(dict(choices).get(value, value))
    if value is None:
        return ""
    return str(value) if isinstance(value, Model | dt.date) else f"{value}"


def _class_word(water_class: int | None) -> str:
    return f"{WaterClass(water_class).label}类" if water_class else ""


# ── Judging again ────────────────────────────────────────────────────────────────────────────────────────────────────
@dataclasses.dataclass(frozen=True)
class Difference:
    """A published result that the section as it is now would get otherwise."""

    period: Period
    old: WaterClass | None
    new: WaterClass | None
    note: str  # what else differs: the items it stands on, its values


def differences(section: Section, today: dt.date) -> list[Difference]:
    """Results of periods over by `today` that judging again would change, the last first. Four queries."""
    months = sampled_months(section)
    if not months:
        return []
    periods = touched(months, today)
    last = {_period(row): row for row in Assessment.objects.filter(section=section).order_by("revision")}
    first, end = min(p.starts_on for p in periods), max(p.ends_on for p in periods)
    values, causes = services.months_of([section], first, end)[section.pk], services.causes_of([section], first, end)[section.pk]
    found = []
    for period in periods:
        new = services.assessment(section, values, period, causes=causes, published_on=today, source="")
        old = last.get((period.kind, period.starts_on, period.ends_on))
        if old is not None and (old.water_class, old.items, old.values, old.note) != (new.water_class, new.items, new.values, new.note):
            found.append(Difference(period, _read_class(old), _read_class(new), _what(old, new)))
    return sorted(found, key=lambda one: (one.period.ends_on, len(one.period.months)), reverse=True)


def reassess_section(*, section: Section, since: dt.date, by: User, reason: str) -> int:
    """Judge every period again that holds months from `since` on; how many results changed, each as a new revision."""
    with transaction.atomic():
        section = Section.objects.select_for_update(of=("self",)).select_related("county").get(pk=section.pk)
        months = [month for month in sampled_months(section) if month >= month_start(since)]
        source = DEMO if Region.current().is_demo else services.MANUAL
        count = services.reassess(section=section, months=months, published_on=clock.today(), source=source, by=by) if months else 0
        changes = {"since": [None, f"{since:%Y-%m}"], "results": [None, count]}
        trail.record(action=REASSESSED, subject=section, by=by, county=section.county, changes=changes, reason=reason)
    return count


def sampled_months(section: Section) -> list[dt.date]:
    """First days of the months that have live laboratory values, in order. One query."""
    days = Reading.objects.filter(section=section, is_live=True).datetimes("sampled_at", "month")
    return [at.date() for at in days]


def _period(row: Assessment) -> tuple:
    return row.period_kind, row.starts_on, row.ends_on


def _read_class(row: Assessment) -> WaterClass | None:
    return WaterClass(row.water_class) if row.water_class else None


def _what(old: Assessment, new: Assessment) -> str:
    name = limits.table().name
    added = [name(key) for key in new.items if key not in old.items]
    gone = [name(key) for key in old.items if key not in new.items]
    parts = [f"增加{'、'.join(added)}"] * bool(added) + [f"不再用{'、'.join(gone)}"] * bool(gone) + [new.note] * bool(new.note)
    return "，".join(parts)


# ── What was changed ─────────────────────────────────────────────────────────────────────────────────────────────────
def history(section: Section) -> list[TrailEvent]:
    """The section's own changes, the last first. One query."""
    events = TrailEvent.objects.filter(subject_type=section._meta.model_name, subject_id=str(section.pk), action__in=[REVISED, REASSESSED])
    return list(events.select_related("by__unit").order_by("-pk"))


def field_label(name: str) -> str:
    """What a change in the trail is called on the page."""
    if name.startswith(TARGET):
        return f"{name.removeprefix(TARGET)}年目标"
    if name in FIELDS:
        return str(Section._meta.get_field(name).verbose_name)
    return {"since": "从此月起重新评价", "results": "改变的结果"}.get(name, name)
