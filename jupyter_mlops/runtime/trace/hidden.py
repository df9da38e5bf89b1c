"""State that no name of the notebook holds: what of it a cell changed."""

from __future__ import annotations

import os
import sys
import types
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from jupyter_mlops.runtime.handover import state


def snapshot() -> dict[str, Any]:
    """Return the state of the process by its pseudo-names, as values that compare."""
    found = dict(state.snapshot())
    found["<environ>"] = dict(os.environ)
    found["<sys.path>"] = list(sys.path)
    try:
        found["<cwd>"] = str(Path.cwd())
    except OSError:
        found["<cwd>"] = ""
    figures = _figures()
    if figures is not None:
        found["<figure>"] = figures
    return found


def changed(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Return the pseudo-names whose value differs.

    A library that was just imported brings its state: the cell may have set it, say by a seed.
    """
    return [
        key
        for key, value in after.items()
        if (not _same(before[key], value) if key in before else bool(value))
    ]


def _same(one: Any, other: Any) -> bool:
    try:
        return bool(one == other)
    except Exception:
        return False


def _figures() -> Any:
    helpers = sys.modules.get("matplotlib._pylab_helpers")
    if helpers is None:
        return None
    found = []
    for number, manager in helpers.Gcf.figs.items():
        figure = manager.canvas.figure
        axes = [
            (id(each), len(each._children), each.title.get_text(), each.viewLim.bounds)
            for each in figure._localaxes
        ]
        texts = [each.get_text() for each in figure.texts]
        found.append((number, id(figure), axes, texts))
    return found


def _may_be_changed(value: Any) -> bool:
    # pyplot changes itself when it chooses how to draw.
    return type(value) is types.ModuleType and value.__name__ != "matplotlib.pyplot"


class Modules:
    """Notices that the notebook replaced something inside of a module that it has a name for."""

    def __init__(self) -> None:
        self._known: dict[str, dict[str, int]] = {}

    def changed(self, names: dict[str, Any]) -> list[str]:
        """Return ``<module:NAME>`` for modules whose functions and classes are others now."""
        found = []
        for module in {id(v): v for v in names.values() if _may_be_changed(v)}.values():
            space = vars(module)
            before = self._known.get(module.__name__, {})
            self._known[module.__name__] = {
                key: id(value)
                for key, value in list(space.items())
                if callable(value) and not key.startswith("__")
            }
            if any(id(space.get(key)) != known for key, known in before.items()):
                found.append(f"<module:{module.__name__}>")
        return found


def stored_in_modules(paths: Iterable[str], names: dict[str, Any]) -> list[str]:
    """Return ``<module:NAME>`` for the modules in which these attributes were set."""
    found = []
    for path in paths:
        root, *inner, _ = path.split(".")
        value = names.get(root)
        for part in inner:
            value = vars(value).get(part) if type(value) is types.ModuleType else None
        if type(value) is types.ModuleType:
            found.append(f"<module:{value.__name__}>")
    return found
