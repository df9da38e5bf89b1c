"""What was set on functions and classes after their text was executed: it is handed over too.

``class C: count = 0`` is executed as text by every step; that ``C.count`` is 3 by now is not in
the text.
"""

from __future__ import annotations

import enum
import functools
import types
from typing import Any

from jupyter_mlops.runtime.handover.code import globals_of
from jupyter_mlops.runtime.handover.models import HandoverError
from jupyter_mlops.runtime.handover.walking import is_atom

_DESCRIPTORS = (
    types.GetSetDescriptorType,
    types.MemberDescriptorType,
    types.WrapperDescriptorType,
    types.MethodDescriptorType,
)


FILLED = "Its cache was filled, and what is in a cache cannot be handed over."
# What a function may use and still give the same again, whenever it is called.
_PURE = frozenset(
    "abs all any bool bytes complex dict divmod enumerate filter float frozenset hash int "
    "isinstance len list map max min ord chr pow range repr reversed round set sorted str sum "
    "tuple zip ValueError TypeError KeyError IndexError".split()
)


def cache_matters(value: Any) -> bool:
    """Say whether a cached function may give something else when it is computed again."""
    if not isinstance(value, functools._lru_cache_wrapper) or not value.cache_info().currsize:
        return False
    wrapped: Any = value.__wrapped__
    if type(wrapped) is not types.FunctionType or wrapped.__closure__:
        return True
    return bool(globals_of(wrapped.__code__) - _PURE - {wrapped.__name__})


#: So many decorators are looked through.
DEEPEST = 10


class DefinitionState:
    """The attributes of a class, or the defaults and attributes of a function."""

    def __init__(self, kind: str, values: dict[str, Any]) -> None:
        self.kind = kind
        self.values = values


def state_of(value: Any) -> DefinitionState | None:
    """Return what a definition's object holds besides its text, or None where nothing can be."""
    if isinstance(value, type):
        if isinstance(value, enum.EnumMeta):
            return None
        return DefinitionState("class", _data(value))
    if type(value) is types.FunctionType:
        values: dict[str, Any] = {}
        if value.__defaults__ and not all(map(is_atom, value.__defaults__)):
            values["__defaults__"] = value.__defaults__
        if value.__kwdefaults__ and not all(map(is_atom, value.__kwdefaults__.values())):
            values["__kwdefaults__"] = value.__kwdefaults__
        if value.__dict__:
            values["__dict__"] = value.__dict__
        return DefinitionState("function", values)
    return None


def _data(value: type) -> dict[str, Any]:
    own = f"{value.__qualname__}."
    found = {}
    for name, each in vars(value).items():
        if name.startswith("__") and name.endswith("__"):
            continue
        if name == "_abc_impl" or isinstance(each, _DESCRIPTORS) or _is_of_text(each, own):
            continue
        found[name] = each
    return found


def _is_of_text(value: Any, own: str) -> bool:
    """Say whether an attribute is a method, or a class inside, of the class's own text."""
    for _ in range(DEEPEST):  # a property may wrap a property
        inner = _inside(value)
        if inner is None:
            break
        value = inner
    if isinstance(value, types.FunctionType | type):
        return value.__qualname__.startswith(own)
    return False


def _inside(value: Any) -> Any:
    """Return what a descriptor or a decorator's function was made of, or None."""
    if isinstance(value, staticmethod | classmethod):
        return value.__func__
    if isinstance(value, property):
        return value.fget
    if isinstance(value, functools.cached_property):
        return value.func
    return getattr(value, "__wrapped__", None)


def apply(name: str, value: Any, state: DefinitionState) -> None:
    """Set on a freshly defined class or function what it had at the end of an earlier step."""
    try:
        if state.kind == "class":
            for gone in set(_data(value)) - set(state.values):
                type.__delattr__(value, gone)
            for attribute, each in state.values.items():
                type.__setattr__(value, attribute, each)
            return
        if "__defaults__" in state.values:
            value.__defaults__ = state.values["__defaults__"]
        if "__kwdefaults__" in state.values:
            value.__kwdefaults__ = state.values["__kwdefaults__"]
        value.__dict__.update(state.values.get("__dict__", {}))
    except (AttributeError, TypeError) as error:
        raise HandoverError(
            f"What was set on {name} cannot be set again in this step: {error}."
        ) from None
