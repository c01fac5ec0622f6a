"""A cache that hands out what it was given, as it is: pickling a table of ten thousand rows takes as long as its page may."""

import threading
from collections import OrderedDict
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache

_tables: OrderedDict[str, Any] = OrderedDict()  # of this process, the one asked for last at the end
_lock = threading.Lock()


class Shelf(BaseCache):
    """The tables asked for last, as many as have `MAX_ROWS` rows in all; a longer one is not kept.

    All who ask share what lies here: whoever takes a table must not change it. Nothing grows old: keys say of which facts.
    """

    def __init__(self, location: str, params: dict):
        super().__init__(params)
        self._most = params["OPTIONS"]["MAX_ROWS"]

    def get(self, key, default=None, version=None):
        with _lock:
            key = self.make_and_validate_key(key, version)
            if key not in _tables:
                return default
            _tables.move_to_end(key)
            return _tables[key]

    def set(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        with _lock:
            key = self.make_and_validate_key(key, version)
            _tables.pop(key, None)
            _tables[key] = value
            while sum(map(len, _tables.values())) > self._most:
                _tables.popitem(last=len(value) > self._most)

    def delete(self, key, version=None):
        with _lock:
            return _tables.pop(self.make_and_validate_key(key, version), None) is not None

    def clear(self):
        with _lock:
            _tables.clear()
