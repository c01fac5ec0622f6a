"""A cache that hands out what it was given, as it is: pickling a table of ten thousand rows takes as long as its page may."""

import threading
import time
from collections import OrderedDict
from typing import Any, NamedTuple

from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache


class Kept(NamedTuple):
    table: Any
    version: Any  # of the facts that it was made of
    until: float | None  # seconds since the epoch


_tables: OrderedDict[str, Kept] = OrderedDict()  # of this process, the one asked for last at the end
_lock = threading.Lock()


class Shelf(BaseCache):
    """The tables asked for last, as many as have `MAX_ROWS` rows in all (an empty one counts as one); a longer one is not kept.

    All who ask share what lies here: whoever takes a table must not change it. One of another version drives out all those before.
    """

    def __init__(self, location: str, params: dict):
        super().__init__(params)
        self._most = params["OPTIONS"]["MAX_ROWS"]

    def get(self, key, default=None, version=None):
        with _lock:
            key = self.make_and_validate_key(key, version)
            kept = _tables.get(key)
            if kept is None or (kept.until is not None and kept.until <= time.time()):
                return default
            _tables.move_to_end(key)
            return kept.table

    def set(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        with _lock:
            key = self.make_and_validate_key(key, version)
            for other in [other for other, kept in _tables.items() if other == key or kept.version != version]:
                del _tables[other]
            _tables[key] = Kept(value, version, self.get_backend_timeout(timeout))
            while sum(_weight(kept) for kept in _tables.values()) > self._most:
                _tables.popitem(last=len(value) > self._most)

    def delete(self, key, version=None):
        with _lock:
            return _tables.pop(self.make_and_validate_key(key, version), None) is not None

    def clear(self):
        with _lock:
            _tables.clear()


def _weight(kept: Kept) -> int:
    return max(len(kept.table), 1)
