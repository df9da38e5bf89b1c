"""Star imports: which modules cells import so, and under which path each name is known."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable, Mapping, Sequence

from jupyter_mlops import parsed
from jupyter_mlops.notebook import Cell
from jupyter_mlops.pipeline.effects.tables import known_part
from jupyter_mlops.pipeline.effects.world import STATE_ATTRIBUTES

_STAR = re.compile(r"\s*from\s+(\S+)\s+import\s+\*")
#: What the kernel's interpreter writes before the name of a module.
A_MODULE = "import "


def modules(cells: Iterable[Cell]) -> list[str]:
    """Return the modules whose names cells import by a star, in order."""
    found: dict[str, None] = {}
    for cell in cells:
        if "*" not in cell.source:
            continue
        for node in parsed.nodes(cell.tree):
            if not isinstance(node, ast.ImportFrom) or node.level or not node.module:
                continue
            if node.names[0].name == "*":
                found[node.module] = None
    return list(found)


def homes(module: str, names: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return each name with a path of its object that the table of libraries knows, if any does.

    ``pylab.seed`` is ``numpy.random.seed``: only under that name its effect is known.
    """
    return {name: _home(f"{module}.{name}", places) for name, places in names.items()}


def narrowed(
    names: Sequence[str], source: str, wanted: Collection[str]
) -> tuple[Sequence[str], str]:
    """Return the names and text of a star import as an import of the wanted names only.

    Elsewhere than where it stands, the other names may mean something else by then. Other texts,
    and star imports that may bind anything, stay as they are.
    """
    star = _STAR.match(source)
    if not star or not names:
        return names, source
    taken = sorted(set(names) & set(wanted))
    if not taken:
        return (), f"import {star[1]}"  # it is wanted for what importing it does
    return taken, f"from {star[1]} import {', '.join(taken)}"


def _home(own: str, places: Sequence[str]) -> str:
    if places and places[0].startswith(A_MODULE):
        name = places[0].removeprefix(A_MODULE)
        return name if known_part(f"{name}.x") or not known_part(f"{own}.x") else own
    root = own.partition(".")[0]
    known = [path for path in (own, *places) if path in STATE_ATTRIBUTES or known_part(path)]
    # What is in another package, too, is from there: this one only passes it on.
    elsewhere = [path for path in known if path.partition(".")[0] != root]
    return min(elsewhere or known, key=_untold, default=own)


def _untold(path: str) -> int:
    """Return how many parts of a path the table does not name."""
    rest = "" if path in STATE_ATTRIBUTES else path[known_part(path) :]
    return rest.count(".") + 1 if rest else 0
