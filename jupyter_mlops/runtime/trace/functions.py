"""What the notebook's functions look up when it cannot be seen whether they run.

A function that another library compiled, or that ran in another process, leaves no marks: then
whatever the functions within reach look up counts as read.
"""

from __future__ import annotations

import dis
import gc
import types
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from jupyter_mlops.runtime.trace.marks import MARK
from jupyter_mlops.runtime.trace.tokens import ends

OBJECTS = 50_000
LOOKUPS = ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS")


@cache
def lookups(code: types.CodeType) -> frozenset[str]:
    """Return the global names that a function's code looks up, with the functions inside of it."""
    found = {str(step.argval) for step in dis.get_instructions(code) if step.opname in LOOKUPS}
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            found |= lookups(constant)
    return frozenset(found)


def reads(
    names: Iterable[str], namespace: Mapping[str, Any], *, marked_too: bool = False
) -> set[str]:
    """Return what the functions below these names may look up, and those below that.

    Functions with marks say themselves when they run: they count only if ``marked_too``.
    """
    found = set(names)
    waiting = [namespace[name] for name in found if name in namespace]
    met: set[int] = set()
    kept: list[Any] = []
    while waiting:
        value = waiting.pop()
        kind = type(value)
        if id(value) in met or issubclass(kind, types.ModuleType):
            continue
        if ends(value):
            continue
        if len(met) >= OBJECTS:
            return found | _all_lookups(namespace)
        met.add(id(value))
        kept.append(value)
        if kind is types.FunctionType:
            if value.__globals__ is namespace:
                told = lookups(value.__code__)
                if marked_too or MARK not in told:
                    new = {name for name in told - found if name in namespace}
                    found |= new
                    waiting += [namespace[name] for name in new]
            waiting += _held(value)
        elif issubclass(kind, type):
            if value.__module__ == "__main__":
                waiting += [*vars(value).values(), *value.__bases__]
        else:
            waiting += gc.get_referents(value)
    return found


def _held(function: types.FunctionType) -> list[Any]:
    parts = (*(function.__closure__ or ()), function.__defaults__, function.__kwdefaults__)
    return [part for part in (*parts, function.__dict__) if part]


def _all_lookups(namespace: Mapping[str, Any]) -> set[str]:
    """Return what any function of the notebook looks up: there was too much to walk through."""
    found: set[str] = set()
    for value in list(namespace.values()):
        if type(value) is types.FunctionType and value.__globals__ is namespace:
            found |= lookups(value.__code__)
        elif issubclass(type(value), type) and value.__module__ == "__main__":
            for each in vars(value).values():
                code = getattr(getattr(each, "__func__", each), "__code__", None)
                found |= lookups(code) if code is not None else set()
    return found & set(namespace)
