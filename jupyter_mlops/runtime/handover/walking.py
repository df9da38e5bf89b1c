"""Walks through the objects that a value holds: what is shared is found here."""

from __future__ import annotations

import datetime
import decimal
import enum
import fractions
import functools
import gc
import logging
import pathlib
import re
import sys
import types
import uuid
from collections.abc import Callable, Iterable
from typing import Any

# What cannot change, or is the same object in every process.
ATOMS: tuple[type, ...] = (
    type(None),
    bool,
    int,
    float,
    complex,
    str,
    bytes,
    range,
    slice,
    type(Ellipsis),
    type(NotImplemented),
    types.ModuleType,
    types.CodeType,
    types.BuiltinFunctionType,
    types.MethodDescriptorType,
    types.WrapperDescriptorType,
    types.GetSetDescriptorType,
    types.MemberDescriptorType,
    datetime.date,
    datetime.time,
    datetime.timedelta,
    datetime.tzinfo,
    decimal.Decimal,
    fractions.Fraction,
    pathlib.PurePath,
    re.Pattern,
    uuid.UUID,
    logging.Logger,
    enum.Enum,
)
EXACT = frozenset(ATOMS)
# Machinery of the kernel: nothing of it can be handed over, and it reaches everything.
OPAQUE = ("IPython.", "ipykernel.", "zmq.", "tornado.", "asyncio.", "_asyncio", "threading", "_io")


def is_atom(value: Any) -> bool:
    """Say whether a value cannot change, so that sharing it means nothing."""
    kind = type(value)
    if kind in EXACT:
        return kind is not types.BuiltinFunctionType or _is_free(value)
    if isinstance(value, type):
        return True
    if kind.__module__ in ("numpy", "numpy.dtypes"):
        numpy = sys.modules["numpy"]
        return isinstance(value, (numpy.dtype, numpy.ufunc)) or (
            isinstance(value, numpy.generic) and not isinstance(value, numpy.void | numpy.object_)
        )
    if kind in (tuple, frozenset):
        return set(map(type, value)) <= _PLAIN
    if isinstance(value, enum.Enum | logging.Logger):
        return True
    return isinstance(value, ATOMS) and not hasattr(value, "__dict__")


_PLAIN = frozenset(ATOMS[:9])


def _is_free(value: Any) -> bool:
    owner = value.__self__
    return owner is None or isinstance(owner, types.ModuleType | type)


def holds_only_atoms(value: Any) -> bool:
    """Say, fast, whether a builtin container holds nothing that could be shared."""
    if type(value) is dict:
        return set(map(type, value)) <= _PLAIN and set(map(type, value.values())) <= _PLAIN
    return set(map(type, value)) <= _PLAIN


def children(value: Any) -> Iterable[Any]:
    """Return the objects that a value holds directly and that could be shared or at fault."""
    kind = type(value)
    if kind in (list, tuple, set, frozenset, dict):
        if holds_only_atoms(value):
            return ()
        return gc.get_referents(value)
    if kind is types.FunctionType:
        return function_parts(value)
    if kind is types.CellType:
        try:
            return (value.cell_contents,)
        except ValueError:
            return ()
    if kind.__module__.startswith(OPAQUE) and kind.__name__ != "Future":
        return ()
    special = _special(value)
    if special is not None:
        return special(value)
    return [each for each in gc.get_referents(value) if each is not kind]


def function_parts(function: types.FunctionType) -> list[Any]:
    """Return what a function holds besides its code; its globals are the notebook's own."""
    return [
        part
        for part in (
            *(function.__closure__ or ()),
            function.__defaults__,
            function.__kwdefaults__,
            function.__dict__,
        )
        if part
    ]


def _special(value: Any) -> Callable[[Any], Iterable[Any]] | None:
    numpy = sys.modules.get("numpy")
    array = getattr(numpy, "ndarray", None)
    if array is not None and isinstance(value, array):
        return array_parts
    pandas = sys.modules.get("pandas")
    frame = getattr(pandas, "DataFrame", None)
    if frame and isinstance(value, frame | pandas.Series | pandas.Index):  # type: ignore[union-attr]
        return lambda found: [each for parts in pandas_parts(found) for each in parts]
    if isinstance(value, functools._lru_cache_wrapper):
        return lambda wrapper: (wrapper.__wrapped__,)
    return None


def array_parts(array: Any) -> list[Any]:
    """Return the objects in an array, and what a subclass adds to it."""
    parts: list[Any] = [array.__dict__] if getattr(array, "__dict__", None) else []
    if array.dtype.hasobject and array.dtype.names is None:
        items = array.ravel().tolist()
        if not set(map(type, items)) <= _PLAIN:
            parts.append(items)
    return parts


def pandas_parts(value: Any) -> tuple[list[Any], list[Any]]:
    """Return the arrays of a frame, series or index, and what else it holds."""
    if not hasattr(value, "_mgr"):
        data = getattr(value, "_data", None)
        levels = [*value.levels, *value.codes] if hasattr(value, "levels") else []
        return ([] if data is None or is_atom(data) else [data]), levels
    rest = list(value._mgr.axes)
    if value.attrs:
        rest.append(value.attrs)
    rest += [v for k, v in vars(value).items() if k not in _PANDAS_PRIVATE and not is_atom(v)]
    return [block.values for block in value._mgr.blocks], rest


_PANDAS_PRIVATE = ("_mgr", "_item_cache", "_attrs", "_flags", "_cacher", "_is_copy", "_name")


def path_to(roots: dict[str, Any], target: Any, budget: int = 100_000) -> str:
    """Return how to reach an object from a name, like ``model.steps[0]``; empty if unknown."""
    seen: set[int] = set()
    kept: list[Any] = []
    pending = list(roots.items())
    for path, value in pending:
        if value is target:
            return path
        if id(value) in seen or is_atom(value) or len(seen) > budget:
            continue
        seen.add(id(value))
        kept.append(value)
        pending.extend(_labelled(path, value))
    return ""


def _labelled(path: str, value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        return [(f"{path}[{_short(key)}]", each) for key, each in value.items()]
    if isinstance(value, list | tuple):
        return [(f"{path}[{number}]", each) for number, each in enumerate(value)]
    if type(value) is types.FunctionType:
        names = value.__code__.co_freevars
        cells = value.__closure__ or ()
        found = [(f"{path}'s {name}", each) for name, each in zip(names, cells, strict=False)]
        return found + [(path, each) for each in function_parts(value) if each not in cells]
    attributes = getattr(value, "__dict__", None)
    if isinstance(attributes, dict):
        return [(f"{path}.{name}", each) for name, each in attributes.items()]
    return [(path, each) for each in children(value)]


def _short(key: Any) -> str:
    text = repr(key)
    return text if len(text) < 40 else f"{text[:37]}…"
