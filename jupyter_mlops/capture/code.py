"""The classes of the notebook's own code, for formats that make objects of them again.

A file never chooses a class: the manifest lists the names that a capture may use, and the code
behind them came with the publication.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from jupyter_mlops.capture.protocol import CannotLoad, CannotSave

#: How a notebook's kernel calls the module of its cells.
NOTEBOOK = "__main__"

_names: ContextVar[frozenset[str]] = ContextVar("names", default=frozenset())
_namespace: ContextVar[Mapping[str, Any] | None] = ContextVar("namespace", default=None)


@contextmanager
def using(names: Iterable[str], namespace: Mapping[str, Any] | None = None) -> Iterator[None]:
    """Let ``find`` return these names meanwhile, those of the notebook from ``namespace``.

    Without a namespace it is the one of the process: right inside of the kernel.
    """
    before = _names.set(frozenset(names)), _namespace.set(namespace)
    try:
        yield
    finally:
        _names.reset(before[0])
        _namespace.reset(before[1])


def find(name: str) -> Any:
    """Return what a full name stands for; raises ``CannotLoad`` for one that nobody listed."""
    if name not in _names.get():
        raise CannotLoad(f"It asks for {name}, which the manifest does not list.")
    module, _, qualified = name.partition(":")
    found: Any
    if module == NOTEBOOK and (namespace := _namespace.get()) is not None:
        first, *rest = qualified.split(".")
        found = namespace.get(first)
    else:
        try:
            found, rest = importlib.import_module(module), qualified.split(".")
        except ImportError as error:
            raise CannotLoad(f"It needs {name}: {error}.") from None
    for part in rest:
        found = getattr(found, part, None)
    if found is None:
        raise CannotLoad(f"It needs {name}, which is not in the code that was published.")
    return found


@contextmanager
def in_main() -> Iterator[list[str]]:
    """Let what is listed of the notebook be found in the main module meanwhile, where it was.

    Yields its dotted names. Raises ``CannotLoad`` for what is not there.
    """
    names = sorted(name for name in _names.get() if name.startswith(f"{NOTEBOOK}:"))
    main = sys.modules[NOTEBOOK].__dict__
    before = {name: main[name] for name in of_notebook(names) if name in main}
    given = {name: find(f"{NOTEBOOK}:{name}") for name in of_notebook(names)}
    main.update(given)
    try:
        yield [name.replace(":", ".", 1) for name in names]
    finally:
        for name in given:
            del main[name]
        main.update(before)


def name_of(kind: Any) -> str:
    """Return the full name of a class or function, ``module:qualified.name``.

    Raises ``CannotSave`` for one that cannot be found again by its name.
    """
    name = f"{kind.__module__}:{kind.__qualname__}"
    found: Any = sys.modules.get(kind.__module__)
    for part in kind.__qualname__.split("."):
        found = getattr(found, part, None)
    if found is not kind:
        raise CannotSave(
            f"{kind.__qualname__} of {kind.__module__} is not found by its name.",
            why="It is defined inside of a function, or was defined again since.",
            remedy="Define it at the top level of a cell, and run the cells in order.",
        )
    return name


def of_notebook(names: Iterable[str]) -> list[str]:
    """Return the top-level names of the notebook among full names."""
    pairs = (name.partition(":") for name in names)
    return sorted({rest.split(".")[0] for module, _, rest in pairs if module == NOTEBOOK})
