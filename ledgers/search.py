"""How ledgers find what was typed: the words themselves, or by pinyin and initials (`hd` finds 洪洞)."""

from django.db.models import Q

from linfen_water.pinyin import spelled


def spelled_like(field: str, word: str) -> Q:
    """Rows whose stored spelling `field` holds `word`; none when it was not typed with letters."""
    return Q(**{f"{field}__contains": word.lower()}) if word.isascii() else Q(pk__in=[])


def matches(typed: str, *texts: str | None) -> bool:
    """Whether every word of `typed` stands in one of `texts`, as it is or as it is spelled."""
    return all(any(_holds(text, word) for text in texts if text) for word in typed.lower().split())


def _holds(text: str, word: str) -> bool:
    return word in text.lower() or (word.isascii() and word in spelled(text[:200]))
