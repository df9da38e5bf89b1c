"""Says what ``from MODULE import *`` binds in the interpreter that runs it. Standard library only.

Run as a script by the interpreter of the user's kernel, where this package need not exist, with
the module's name as its argument. Writes JSON: ``names``, each with the places where the same
object can be found, by dotted path (of a module only ``import`` and its own name), and ``paths``,
where modules were looked for.
"""

from __future__ import annotations

import json
import os
import sys
from types import ModuleType

#: Values of which there may be one object for many meanings: where else they are says nothing.
PLAIN = (bool, int, float, complex, str, bytes, tuple, frozenset, type(None))


def bound(module: str) -> dict[str, list[str]]:
    """Return what the star import binds, and where else each object is."""
    namespace: dict[str, object] = {}
    exec(f"from {module} import *", namespace)
    namespace.pop("__builtins__", None)
    homes = _homes(set(map(id, namespace.values())))
    return {
        name: [f"import {value.__name__}"]
        if isinstance(value, ModuleType)
        else ([] if isinstance(value, PLAIN) else sorted(homes.get(id(value), ()), key=_order))
        for name, value in sorted(namespace.items())
    }


def _homes(wanted: set[int]) -> dict[int, set[str]]:
    """Return the public paths of objects in every module that is imported by now."""
    found: dict[int, set[str]] = {}
    for path, module in list(sys.modules.items()):
        if not isinstance(module, ModuleType) or any(p[:1] == "_" for p in path.split(".")):
            continue
        for name, value in list(vars(module).items()):
            if id(value) in wanted and name[:1] != "_":
                found.setdefault(id(value), set()).add(f"{path}.{name}")
    return found


def _order(path: str) -> tuple[int, str]:
    return path.count("."), path


if __name__ == "__main__":
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what the import prints is no answer
    paths = list(sys.path)
    json.dump({"names": bound(sys.argv[1]), "paths": paths}, answer)
    answer.flush()
    os._exit(0)  # threads that the import started are not waited for
