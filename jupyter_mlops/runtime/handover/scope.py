"""The notebook's namespace: which names are the user's, and which objects definitions bound."""

from __future__ import annotations

import re
import sys
import types
from collections.abc import Iterable
from typing import Any

from jupyter_mlops.runtime.handover import classes, reasons

PRIVATE = frozenset(
    {"In", "Out", "get_ipython", "exit", "quit", "open", "_", "__", "___", "_ih", "_oh", "_dh"}
)
_HISTORY = re.compile(r"_i{1,3}|_i?\d+|__\w+__")


def is_user_name(name: str) -> bool:
    """Say whether a name is the notebook's own, not one of IPython's or of the module."""
    return name not in PRIVATE and not _HISTORY.fullmatch(name)


def is_importable(value: Any) -> bool:
    """Say whether a function or class is found by its module and name."""
    current: Any = sys.modules.get(getattr(value, "__module__", None) or "")
    for part in value.__qualname__.split("."):
        current = getattr(current, part, None)
    return current is value


class Scope:
    """A namespace, and the objects in it that every process makes for itself from text."""

    def __init__(self, namespace: dict[str, Any]) -> None:
        namespace.setdefault("__name__", "__main__")
        self.namespace = namespace
        self.module: str = namespace["__name__"]
        # Name -> the object that a definition bound to it.
        self.defined: dict[str, Any] = {}
        self._by_identity: dict[int, str] = {}
        self._singles: dict[int, tuple[str, str]] = {}

    def names(self) -> list[str]:
        """Return the user's names, in the order in which they were bound."""
        return [name for name in self.namespace if is_user_name(name)]

    def define(self, names: Iterable[str]) -> None:
        """Remember what is bound to these names now as made by definitions."""
        for name in names:
            if name in self.namespace:
                self.defined[name] = self.namespace[name]
        self.refresh()

    def refresh(self) -> None:
        """Forget the definitions whose name is bound to something else by now."""
        self._singles = reasons.singles()
        self._by_identity = {
            id(value): name
            for name, value in self.defined.items()
            if self.namespace.get(name) is value
        }

    def definition_of(self, value: Any) -> str | None:
        """Return the name by which every process makes this very object, or None."""
        name = self._by_identity.get(id(value))
        return name if name is not None and self.defined[name] is value else None

    def is_of_a_library(self, value: Any) -> bool:
        """Say whether a function or class was imported: every process finds it by its module."""
        module = getattr(value, "__module__", None)
        if module in (None, self.module) or not hasattr(value, "__qualname__"):
            return False
        return is_importable(value)

    def is_notebook_class(self, value: Any) -> bool:
        """Say whether a class was made in the notebook."""
        return isinstance(value, type) and value.__module__ == self.module

    def class_path(self, value: type) -> str | None:
        """Return the dotted path from a top-level name to a notebook's class, or None."""
        top, *inner = value.__qualname__.split(".")
        current = self.namespace.get(top)
        for part in inner:
            current = vars(current).get(part) if isinstance(current, type) else None
        return value.__qualname__ if current is value else self.bound_name(value)

    def resolve(self, path: str) -> Any:
        """Return what a dotted path leads to; raises ``KeyError`` or ``AttributeError``."""
        top, *inner = path.split(".")
        current = self.namespace[top]
        for part in inner:
            current = getattr(current, part)
        return current

    def bound_name(self, value: Any) -> str | None:
        """Return a name of the user to which this very object is bound, or None."""
        for name, each in self.namespace.items():
            if each is value and is_user_name(name):
                return name
        return None

    def is_notebook_function(self, value: types.FunctionType) -> bool:
        """Say whether the globals of a function are the notebook's namespace."""
        return value.__globals__ is self.namespace

    def is_everywhere(self, value: Any) -> bool:
        """Say whether every process has this very object of its own, by a name."""
        if self.definition_of(value) is not None or id(value) in self._singles:
            return True
        return (
            type(value) is types.FunctionType
            and value.__globals__ is not self.namespace
            and is_importable(value)
        )

    def is_text(self, name: str, value: Any) -> bool:
        """Say whether a name's value is made from text in every process that needs it."""
        if self.definition_of(value) == name:
            return True
        return (
            self.is_notebook_class(value)
            and value.__name__ == value.__qualname__ == name
            and classes.recipe(value) is None
        )
