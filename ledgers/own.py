"""The office's own columns and ledgers (自设列, 自建台账): what the registry declares, together with what was defined in the browser."""

import datetime as dt

from ledgers.history import Entry, spell_person
from ledgers.page_models import OwnValue
from ledgers.registry import LEDGERS, Ledger
from linfen_water.enums import UnitKind
from linfen_water.models import County, Unit


def find_ledger(slug: str) -> Ledger | None:
    """The ledger of that address with the office's own columns; None when there is none."""
    return LEDGERS.get(slug)


def all_ledgers() -> list[Ledger]:
    """Every ledger in use: those of the registry, then the office's own."""
    return list(LEDGERS.values())


def value_history(name: str, key: str, day: dt.date) -> list[Entry]:
    """What an own column said of a row, the last first."""
    pk = name.removeprefix("own_")
    values = OwnValue.objects.filter(column=int(pk), row=key, on__lte=day).order_by("pk").select_related("by__unit")
    entries, before = [], ""
    for value in values:
        entries.append(Entry(value.at, spell_person(value.by), before, value.text or "（空）", value.reason, "台账页面", "", value.on))
        before = value.text
    return entries[::-1]


def names_of(field) -> list[str]:
    """Names that a cell of counties or units may hold, offered while typing."""
    if field.kind == "county":
        return list(County.objects.values_list("name", flat=True))
    return list(Unit.objects.exclude(kind=UnitKind.COMPANY).values_list("name", flat=True)) if field.kind in {"unit", "units"} else []
