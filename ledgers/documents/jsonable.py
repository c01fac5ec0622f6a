"""Frozen facts to JSON and back: nested dataclasses, tuples, Decimal, dates, enums and None, told apart by their type hints."""

import dataclasses
import datetime as dt
import enum
import hashlib
import types
import typing
from decimal import Decimal
from typing import Any

import orjson


def to_json(value: Any) -> Any:
    """Return `value` as what JSON knows: a Decimal and a date become strings, a tuple a list, an enum its value."""
    if dataclasses.is_dataclass(value):
        return {field.name: to_json(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, (list, tuple)):
        return [to_json(item) for item in value]
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, (Decimal, dt.date)):
        return str(value)
    return value


def from_json(kind: Any, value: Any) -> Any:
    """Return what `to_json` was given, for the type hint `kind`.

    Keys that the dataclass does not know are left out; what facts of an older release do not have takes the field's default.
    """
    if value is None:
        return None
    if typing.get_origin(kind) is types.UnionType:
        kind = next(choice for choice in typing.get_args(kind) if choice is not types.NoneType)
    if typing.get_origin(kind) is tuple:
        (item, *_) = typing.get_args(kind)
        return tuple(from_json(item, one) for one in value)
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        return kind(**{name: from_json(hint, value[name]) for name, hint in hints.items() if name in value})
    if kind is dt.date:
        return dt.date.fromisoformat(value)
    return kind(value)


def digest(facts: dict) -> str:
    """SHA-256 of facts as JSON, whatever the order of their keys: tells whether two sets of facts are the same."""
    return hashlib.sha256(orjson.dumps(facts, option=orjson.OPT_SORT_KEYS)).hexdigest()
