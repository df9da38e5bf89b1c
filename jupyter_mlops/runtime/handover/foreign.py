"""What a notebook sets on modules: no process can hand it to another, so it is told."""

from __future__ import annotations

import os
import sys
import sysconfig
import types
from pathlib import Path
from typing import Any

# Modules whose attributes change by themselves.
BUSY = frozenset({"sys", "builtins", "warnings", "__main__", "gc", "threading", "linecache"})


# IPython wraps functions of pyplot when the first figure chooses the kernel's backend.
WRAPPED_BY_KERNEL = "matplotlib.pyplot"
KERNEL = frozenset({"IPython", "ipykernel", "matplotlib_inline"})

_LIBRARIES = tuple(
    {sysconfig.get_path(kind) + os.sep for kind in ("stdlib", "platstdlib", "purelib", "platlib")}
)
_checked: set[str] = set()
_files: dict[str, str] = {}


def _user_files() -> dict[str, str]:
    """Return the files of the imported modules that are not installed ones."""
    for name in list(sys.modules.keys() - _checked):
        _checked.add(name)
        file = getattr(sys.modules[name], "__file__", None)
        if isinstance(file, str) and not file.startswith(_LIBRARIES):
            _files[name] = file
    return _files


class Modules:
    """The attributes of modules that the notebook can name, and of those beside it."""

    def __init__(self, namespace: dict[str, Any], folders: list[str]) -> None:
        self._namespace = namespace
        self._folders = tuple(str(Path(folder)) + os.sep for folder in folders if folder)
        self._first = {name: dict(vars(module)) for name, module in self._watched().items()}

    def _watched(self) -> dict[str, types.ModuleType]:
        found = {
            each.__name__: each
            for each in list(self._namespace.values())
            if isinstance(each, types.ModuleType)
        }
        for name, file in _user_files().items():
            if file.startswith(self._folders) and name in sys.modules:
                found[name] = sys.modules[name]
        return {name: each for name, each in found.items() if name not in BUSY}

    def changed(self) -> dict[str, str]:
        """Return the modules that were changed since, each with the attribute that was."""
        found = {}
        for name, first in self._first.items():
            module = sys.modules.get(name)
            if module is None:
                continue
            attribute = _difference(first, vars(module), hasattr(module, "__getattr__"))
            if attribute is not None:
                found[name] = attribute
        return found


def _is_of_kernel(module: dict[str, Any], value: Any) -> bool:
    made_in = str(getattr(value, "__module__", "")).partition(".")[0]
    return module.get("__name__") == WRAPPED_BY_KERNEL and made_in in KERNEL


def _difference(first: dict[str, Any], now: dict[str, Any], lazy: bool) -> str | None:
    if len(first) == len(now) and all(now.get(k, k) is v for k, v in first.items()):
        return None
    for name, value in list(now.items()):
        if name.startswith("_") or isinstance(value, types.ModuleType):
            continue
        if name not in first:
            if not lazy:
                return name
        elif first[name] is not value and not _is_of_kernel(now, value):
            return name
    return next((n for n in first if n not in now and not n.startswith("_")), None)
