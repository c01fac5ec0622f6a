"""What pages keep, forgotten: as after a change of facts, or a restart."""

from django.core.cache import caches


def forget() -> None:
    for cache in caches.all():
        cache.clear()
