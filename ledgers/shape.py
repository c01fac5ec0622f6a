"""How a ledger is looked at: which columns in which order, how dense, grouped by what, compared with which day. The address carries it."""

import dataclasses
import datetime as dt
from collections.abc import Iterable

from django.http import QueryDict

from linfen_water.middleware import BadDay, read_day

# What belongs to one visit and to no saved view.
FLEETING = ("page", "part", "unfolded", "export", "saved", "as_of", "csrfmiddlewaretoken")
LONGEST_QUERY = 2000


@dataclasses.dataclass(frozen=True)
class Shape:
    """`columns` empty: all of them as the ledger declares them."""

    columns: tuple[str, ...] = ()
    is_brief: bool = False
    is_dense: bool = False
    group: str = ""
    since: dt.date | None = None
    only_changed: bool = False  # beside another day: leave out rows that are what they were
    follows_changes: bool = False  # beside another day: show only the columns in which something changed
    fault: str = ""  # what is wrong with `since`, in words


def read_shape(query: QueryDict, as_of: dt.date, *, opens_brief: bool = False) -> Shape:
    """`opens_brief`: a long ledger shows its usual columns until all are asked for; beside another day those that changed, in any place."""
    since, fault = _since(query.get("since", "").strip(), as_of)
    columns = tuple(dict.fromkeys(name for value in query.getlist("cols") for name in value.split(",") if name))
    return Shape(
        columns=columns,
        is_brief=query.get("view", "brief" if opens_brief and not since else "") == "brief",
        is_dense=query.get("density") == "dense",
        group=query.get("group", ""),
        since=since,
        only_changed=since is not None and query.get("changed") != "0",
        follows_changes=since is not None and not columns and not query.get("view"),
        fault=fault,
    )


def _since(text: str, as_of: dt.date) -> tuple[dt.date | None, str]:
    if not text:
        return None, ""
    try:
        day = read_day(text, as_of)
    except BadDay as fault:
        return None, str(fault)
    return (day, "") if day < as_of else (None, f"对比日期须早于 {as_of}，请改选较早的日期。")


def arranged(names: Iterable[str], pinned: Iterable[str], chosen: Iterable[str], hidden: Iterable[str]) -> list[str]:
    """The columns to show, of `names`, in order: pinned ones stay in front, whatever was chosen."""
    names, chosen, hidden = list(names), list(chosen), set(hidden)
    if not chosen:
        return [name for name in names if name not in hidden]
    pinned = list(pinned)
    return [*pinned, *(name for name in chosen if name in names and name not in pinned)]


def kept_query(query: QueryDict) -> str:
    """What of an address is worth a name: filter and looks, without the page, the day and empty fields."""
    kept = QueryDict(mutable=True)
    for name, values in query.lists():
        if name not in FLEETING and any(values):
            kept.setlist(name, values)
    return kept.urlencode()
