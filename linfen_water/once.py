"""What one page asks for again and again is read once. Only while a page is read: whoever writes always sees the facts as they are."""

import contextlib
import contextvars
from collections.abc import Callable, Hashable, Iterator
from typing import Any

_found: contextvars.ContextVar[dict[Hashable, Any] | None] = contextvars.ContextVar("found", default=None)


@contextlib.contextmanager
def reading() -> Iterator[None]:
    """Inside, `once` remembers; afterwards nothing of it is left."""
    token = _found.set({})
    try:
        yield
    finally:
        _found.reset(token)


def once(key: Hashable, find: Callable[[], Any]) -> Any:
    """What `find` finds; within one reading it is asked once for each `key`."""
    found = _found.get()
    if found is None:
        return find()
    if key not in found:
        found[key] = find()
    return found[key]
