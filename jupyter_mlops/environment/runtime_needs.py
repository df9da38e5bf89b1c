"""What only shows when a notebook runs: modules that its text does not name, kept for next time."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from msgspec.structs import replace

from jupyter_mlops import settings
from jupyter_mlops.environment import distributions
from jupyter_mlops.environment.imports import Import
from jupyter_mlops.environment.interpreter import Interpreter
from jupyter_mlops.environment.models import Dependency, Inferred
from jupyter_mlops.environment.names import normal
from jupyter_mlops.notebook import Notebook


def add(
    inferred: Inferred,
    modules: Mapping[str, Sequence[int]],
    interpreter: Interpreter,
    *,
    answers: Mapping[str, str] | None = None,
) -> Inferred:
    """Return what is needed with the distributions of ``modules`` (name → cells) added.

    A module that the kernel does not have was not missed there either: it stays absent. Where
    there is no kernel any more, its name tells the distribution, if it does for sure.
    """
    stands_in = not interpreter.versions
    asked = [Import(name, list(cells), guarded=not stands_in) for name, cells in modules.items()]
    found = distributions.resolve(
        asked,
        interpreter,
        answers=answers,
        asked=[each for each in inferred.requirements if each.name],
        ships_sources=True,
    )
    known = {normal(each.name) for each in inferred.dependencies}
    new = [_seen(each) for each in found.dependencies if normal(each.name) not in known]
    every = sorted([*inferred.dependencies, *new], key=lambda each: each.name.lower())
    return replace(inferred, dependencies=every)


def _seen(dependency: Dependency) -> Dependency:
    cells = ", ".join(map(str, dependency.cells))
    by = f": cell {cells} asks for {', '.join(dependency.modules)}" if dependency.cells else ""
    return replace(dependency, source="runtime", why=f"seen at run time{by}")


def keep(notebook: Notebook, modules: Mapping[str, Sequence[int]]) -> None:
    """Remember which cells were seen to ask for modules; without a place for it, nothing is."""
    sources = {cell.number: cell.source for cell in notebook.cells}
    table = _table(notebook)
    for module, cells in modules.items():
        digests = {_digest(sources[cell]) for cell in cells if cell in sources}
        table[module] = sorted({*table.get(module, []), *digests})
    path = _path(notebook)
    part = path.with_suffix(".part")
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps(table, sort_keys=True))
        part.replace(path)


def recall(notebook: Notebook) -> dict[str, list[int]]:
    """Return what was remembered of cells that are still as they were."""
    cells: dict[str, list[int]] = {}
    for cell in notebook.cells:
        cells.setdefault(_digest(cell.source), []).append(cell.number)
    found = {
        module: sorted({number for digest in digests for number in cells.get(digest, [])})
        for module, digests in _table(notebook).items()
    }
    return {module: numbers for module, numbers in found.items() if numbers}


def _table(notebook: Notebook) -> dict[str, list[str]]:
    try:
        table = json.loads(_path(notebook).read_text())
        return {str(module): [str(each) for each in digests] for module, digests in table.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def _path(notebook: Notebook) -> Path:
    name = _digest(str(notebook.path.resolve()))
    return settings.home() / "needs" / f"{name[:24]}.json"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
