"""What a page of a ledger found is kept until the facts change, for all who see the same rows and ask for the same of them."""

import copy
import hashlib
from collections.abc import Callable
from typing import Any

from django.core.cache import cache, caches
from django.db.models import QuerySet

from ledgers.choices import state_of_facts
from ledgers.rows import Rows
from linfen_water.permissions import scope_key

# What of the address changes nothing of what is kept: LOOKS neither which rows there are nor which of them stand on the page.
LOOKS = {"density", "cols", "part", "unfolded", "saved", "view", "row", "col"}
ORDER = {"page", "per_page", "sort", "group"}
IDLE = {
    "chosen": LOOKS | ORDER,
    "count": LOOKS | ORDER,
    "notes": LOOKS | ORDER,
    "rows": LOOKS,
    "totals": {"page", "per_page", "density", "part", "unfolded", "saved"},  # they stand under the columns shown
}


def kept(what: str, request, ledger, find: Callable[[], Any]) -> Any:
    """What `find` finds, found once."""
    key = _key(what, request, ledger)
    found = cache.get(key)
    if found is None:
        found = find()
        cache.set(key, found)
    return found


def kept_rows(request, ledger, find: Callable[[], Rows]) -> Rows:
    """The computed rows that `find` finds, found once. They are shared: order and choose among them, but change none."""
    key, state = _key("chosen", request, ledger), state_of_facts()
    found = caches["tables"].get(key, version=state)
    if found is None:
        found = find()
        caches["tables"].set(key, found, version=state)
    return copy.copy(found)  # a table orders the rows that it is given


def count_rows(request, ledger, rows: QuerySet, enough: int | None) -> tuple[int, bool]:
    """How many rows there are, at most `enough` (None: all), and whether there are more.

    Counting takes the longer the more there are. So the page of a long ledger counts only as far as it must, and the request for
    its totals counts on; what was counted to the end is kept.
    """
    key = _key("count", request, ledger)
    count = cache.get(key)
    if count is None and enough is not None:
        count = rows.order_by().values("pk")[: enough + 1].count()
        if count > enough:
            return enough, True
    elif count is None:
        count = rows.count()
    cache.set(key, count)
    return count, False


def _key(what: str, request, ledger) -> str:
    said = sorted((name, values) for name, values in request.GET.lists() if name not in IDLE.get(what, ()))
    asked = hashlib.sha256(repr(said).encode()).hexdigest()
    facts = f"{request.as_of}:{request.today}:{scope_key(request.user)}:{state_of_facts()}"
    return f"ledger-{what}:{ledger.slug}:{facts}:{asked}"
