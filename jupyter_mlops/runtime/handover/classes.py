"""Classes that a call made instead of a ``class`` statement: they are made again by that call."""

from __future__ import annotations

import collections
import enum
from collections.abc import Callable
from typing import Any

_TUPLE = frozenset(vars(collections.namedtuple("_TUPLE", ())))
# ``__slotnames__`` is left by copyreg on what was pickled.
_MORE = frozenset({"__annotations__", "__orig_bases__", "__slotnames__"})
_ENUM = frozenset(vars(enum.Enum("_ENUM", [])))


def recipe(value: type) -> tuple[Callable[..., Any], tuple[Any, ...]] | None:
    """Return how to make a named tuple or an enumeration again, or None for other classes."""
    own = set(vars(value))
    if value.__bases__ == (tuple,) and hasattr(value, "_fields"):
        fields: tuple[str, ...] = value._fields
        if own - _TUPLE - set(fields) - _MORE:
            return None
        defaults = tuple(value._field_defaults.values())  # type: ignore[attr-defined]
        return named_tuple, (value.__name__, fields, defaults, value.__module__, value.__doc__)
    if isinstance(value, enum.EnumMeta) and value.__bases__ in ((enum.Enum,), (enum.IntEnum,)):
        named: dict[str, Any] = dict(value.__members__)
        members = {name: each.value for name, each in named.items()}
        if own - _ENUM - set(members) - _MORE:
            return None
        return enumeration, (value.__bases__[0], value.__name__, members, value.__module__)
    return None


def named_tuple(
    name: str, fields: tuple[str, ...], defaults: tuple[Any, ...], module: str, doc: str
) -> type:
    """Make a named tuple."""
    make: Callable[..., type] = getattr(collections, "namedtuple")  # noqa: B009
    made = make(name, fields, defaults=defaults, module=module)
    made.__doc__ = doc
    return made


def enumeration(base: Any, name: str, members: dict[str, Any], module: str) -> Any:
    """Make an enumeration."""
    return base(name, members, module=module)
