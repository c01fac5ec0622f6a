"""Lists to choose counties, domains and units from: read once, and again after a change of facts, not for every page."""

import hashlib

import django_filters as filters
from django.core.cache import cache
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django_filters.fields import ModelChoiceField, ModelChoiceIterator

from linfen_water import trail
from linfen_water.models import County, Domain, Unit
from linfen_water.once import once

_changed = {"times": 0}  # by this process, whether or not the trail tells of it


@receiver([post_save, post_delete], sender=County)
@receiver([post_save, post_delete], sender=Domain)
@receiver([post_save, post_delete], sender=Unit)
def _forget(**kwargs) -> None:
    _changed["times"] += 1


class KeptChoices(ModelChoiceIterator):
    def __iter__(self):
        if self.field.empty_label is not None:
            yield ("", self.field.empty_label)
        yield from cache.get_or_set(self._key(), self._read)

    def _key(self) -> str:
        asked = hashlib.sha256(f"{self.queryset.query} {self.field.to_field_name}".encode()).hexdigest()[:24]
        return f"choices:{asked}:{once('trail', trail.state)}:{_changed['times']}"

    def _read(self) -> list[tuple[str, str]]:
        return [(str(value), label) for value, label in map(self.choice, self.queryset)]


class KeptChoiceField(ModelChoiceField):
    iterator = KeptChoices


class KeptChoiceFilter(filters.ModelChoiceFilter):
    """As its base; the list of choices is kept until facts change."""

    field_class = KeptChoiceField
