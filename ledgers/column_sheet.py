"""The style sheet of a ledger's columns: `columns.css` with the places of columns instead of their classes, so that cells need none.

The address says all that the sheet depends on (`?number=2.8&pin=1.3&v=…`), hence it is kept for good by whoever fetched it.
"""

import functools
import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

from django.urls import reverse
from django.utils.http import urlencode

RULES = (Path(__file__).parent / "columns.css").read_text()
VERSION = hashlib.sha256(RULES.encode()).hexdigest()[:8]
CLASS = re.compile(r"\.([a-z][\w-]*)")
PLACES = re.compile(r"\d{1,3}(\.\d{1,3})*", re.ASCII)


def address(columns: Iterable[str]) -> str:
    """The address of the sheet for a table with these columns, each given by its classes."""
    return _address(tuple(columns))


@functools.lru_cache(maxsize=200)
def _address(columns: tuple[str, ...]) -> str:
    places = defaultdict(list)
    for place, classes in enumerate(columns, start=1):
        for name in classes.split():
            places[name].append(str(place))
    query = {name: ".".join(found) for name, found in places.items()}
    return f"{reverse('column_sheet')}?{urlencode(query | {'v': VERSION})}"


def rules(query: Mapping[str, str]) -> str:
    """The rules for columns that stand where the query says; a class that it does not name stays, and no cell bears it."""
    places = {name: text for name, text in query.items() if PLACES.fullmatch(text)}
    return CLASS.sub(lambda found: cells_at(places[found[1]]) if found[1] in places else found[0], RULES)


def cells_at(places: str) -> str:
    """Selects the cells at `places` (`2.8`) with the weight of one class; a cell across several columns stands at none."""
    nth = ",".join(f":nth-child({place})" for place in places.split("."))
    return f":is({nth}):where(:is(td,th):not([colspan]))"
