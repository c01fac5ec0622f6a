"""Files between the two steps of an intake, rehearsal and confirmation.

They lie under the person's key, so that nobody confirms or deletes another's.
"""

import contextlib
import hashlib
import time
from pathlib import Path

from django.conf import settings

KEPT_SECONDS = 24 * 3600  # a file that nobody confirms
SUFFIX = ".kept"


def keep(user, data: bytes) -> str:
    """Keep a file until it is confirmed, clear old ones away; return its SHA-256."""
    name = hashlib.sha256(data).hexdigest()
    path = _path(user, name)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    for old in path.parent.iterdir():
        with contextlib.suppress(FileNotFoundError):  # somebody else clears them away too
            if old != path and time.time() - old.stat().st_mtime > KEPT_SECONDS:
                old.unlink()
    path.write_bytes(data)
    return name


def recall(user, name: str) -> bytes | None:
    """The kept file, when it is there and whole."""
    path = _path(user, name)
    data = path.read_bytes() if path.is_file() else b""
    return data if hashlib.sha256(data).hexdigest() == name else None


def forget(user, name: str) -> None:
    """Delete a kept file that was taken in."""
    _path(user, name).unlink(missing_ok=True)


def _path(user, name: str) -> Path:
    return Path(settings.MEDIA_ROOT) / "intake" / f"{user.pk}-{name}{SUFFIX}"
