"""What stands for a value when it is compared: numbers made of plain values and identities."""

from __future__ import annotations

import gc
import itertools
import marshal
import sys
from collections.abc import Iterable
from typing import Any, NamedTuple

from jupyter_mlops.runtime.handover.walking import is_atom

PLAIN = frozenset((type(None), bool, int, float, complex, str, bytes))
# Elements of one container that are looked at.
ELEMENTS = 100_000
MANY = 2_000_000  # if they are numbers and texts only


class Seen(NamedTuple):
    """What was seen of an object.

    ``quick`` may miss a change of a big one; ``full`` is then ``None`` unless it was computed.
    ``opaque``: a change cannot be seen at all. ``below`` are the objects that it refers to,
    ``links`` the identities of memory that it shares, without being changed with it.
    """

    quick: int
    full: int | None
    below: tuple[Any, ...] = ()
    opaque: bool = False
    links: tuple[Any, ...] = ()


def builtin(value: Any, near: bool) -> Seen:
    """Look at a built-in container, at some elements of a very big one."""
    keys = value.values() if type(value) is dict else ()
    plain = PLAIN.issuperset(map(type, value)) and PLAIN.issuperset(map(type, keys))
    if len(value) > ELEMENTS and not (plain and near and len(value) <= MANY):
        some = itertools.islice(value.items() if type(value) is dict else value, 0, None, 97)
        picked = [each for item in some for each in (item if type(value) is dict else (item,))]
        return of_tokens([len(value), *picked], picked)._replace(full=None)
    if plain:
        return of_bytes(marshal.dumps(value if type(value) is dict else list(value), 2))
    below = gc.get_referents(value)
    if type(value) is list:
        below.reverse()
    return of_tokens(below, below)


def of_tokens(parts: Iterable[Any], below: Iterable[Any]) -> Seen:
    """Return what stands for these parts, and what can be changed below."""
    return of_bytes(marshal.dumps([token(part) for part in parts], 2), links_of(below))


def of_bytes(data: bytes, below: Iterable[Any] = ()) -> Seen:
    """Return what stands for a serialized content."""
    found = hash(data)
    return Seen(found, found, tuple(below))


def links_of(values: Iterable[Any]) -> list[Any]:
    """Return those of some objects below which anything can change."""
    return [each for each in values if type(each) not in PLAIN and not ends(each)]


def ends(value: Any) -> bool:
    """Tell whether nothing can change below a value."""
    if issubclass(type(value), type):
        return bool(value.__module__ != "__main__")
    try:
        return bool(is_atom(value))
    except Exception:  # a value that lies about its class
        return False


def token(value: Any) -> Any:
    """Return what stands for a value in the content of what holds it."""
    kind = type(value)
    if kind in PLAIN:
        return value
    if kind in (tuple, frozenset) and PLAIN.issuperset(map(type, value)):
        return [0, *value]
    if kind.__module__ == "numpy" and isinstance(value, sys.modules["numpy"].generic):
        return (str(value.dtype), value.tobytes())
    if kind.__module__ in ("datetime", "decimal", "fractions", "pathlib", "uuid"):
        return repr(value)
    return (id(value),)


def joined(
    parts: list[Seen], about: object, below: Iterable[Any] = (), links: Iterable[Any] = ()
) -> Seen:
    """Return what stands for several parts together."""
    quick = hash((about, *(part.quick for part in parts)))
    known = [part.full for part in parts if part.full is not None]
    full = hash((about, *known)) if len(known) == len(parts) else None
    inner = [each for part in parts for each in part.below]
    opaque = any(part.opaque for part in parts)
    return Seen(quick, full, (*inner, *below), opaque, tuple(links))
