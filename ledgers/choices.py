"""Lists to choose from (counties, units, rivers, months): read once, and again after a change of facts, not for every page."""

import hashlib
from collections.abc import Callable
from typing import Any

import django_filters as filters
from django.core.cache import cache
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django_filters.fields import ModelChoiceField, ModelChoiceIterator

from linfen_water import trail
from linfen_water.models import County, Domain, Unit
from linfen_water.once import once
from monitoring.models import River, Section

_changed = {"times": 0}  # by this process, whether or not the trail tells of it


@receiver([post_save, post_delete], sender=County)
@receiver([post_save, post_delete], sender=Domain)
@receiver([post_save, post_delete], sender=Unit)
@receiver([post_save, post_delete], sender=River)
@receiver([post_save, post_delete], sender=Section)
def _forget(**kwargs) -> None:
    _changed["times"] += 1


def state_of_facts() -> str:
    """A text that differs after every change of facts, whether the trail tells of it or not."""
    return f"{once('trail', trail.state)}:{_changed['times']}"


def kept_offer(what: str, find: Callable[[], Any]) -> Any:
    """What `find` finds, found once until facts change; `what` names all that it depends on beside them."""
    return cache.get_or_set(f"offer:{what}:{state_of_facts()}", find)


class KeptChoices(ModelChoiceIterator):
    def __iter__(self):
        if self.field.empty_label is not None:
            yield ("", self.field.empty_label)
        yield from kept_offer(self._asked(), self._read)

    def _asked(self) -> str:
        return hashlib.sha256(f"{self.queryset.query} {self.field.to_field_name}".encode()).hexdigest()[:24]

    def _read(self) -> list[tuple[str, str]]:
        return [(str(value), label) for value, label in map(self.choice, self.queryset)]


class KeptChoiceField(ModelChoiceField):
    iterator = KeptChoices


class KeptChoiceFilter(filters.ModelChoiceFilter):
    """As its base; the list of choices is kept until facts change."""

    field_class = KeptChoiceField
