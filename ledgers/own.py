"""The office's own columns and ledgers (自设列, 自建台账): what the registry declares, together with what was defined in the browser."""

from ledgers.registry import LEDGERS, Ledger


def find_ledger(slug: str) -> Ledger | None:
    """The ledger of that address with the office's own columns; None when there is none."""
    return LEDGERS.get(slug)


def all_ledgers() -> list[Ledger]:
    """Every ledger in use: those of the registry, then the office's own."""
    return list(LEDGERS.values())
