"""Runs a notebook's cells as plain Python, and its exported module, and compares them."""

from __future__ import annotations

import contextlib
import io
import re
import runpy
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from jupyter_mlops import notebook
from jupyter_mlops.notebook import Notebook
from jupyter_mlops.pipeline import dataflow, export, parameters
from jupyter_mlops.pipeline.boundaries import How
from jupyter_mlops.pipeline.export.plain import plain
from jupyter_mlops.pipeline.plan import Plan, make_plan
from tests.notebooks import Cell, make

FLAT = "stand in order, not in functions"


def read(folder: Path, cells: Iterable[Cell]) -> Notebook:
    return notebook.read(make(folder / "notebook.ipynb", cells))


def planned(found: Notebook, how: How = "auto") -> Plan:
    names = [each.name for each in parameters.find(found).parameters]
    return make_plan(found, dataflow.analyze(found.cells, names), how)


def as_notebook(found: Notebook) -> tuple[dict[str, Any], str]:
    """Execute the cells in one namespace; return it and what was printed."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    with _alone() as printed:
        for cell in found.cells:
            one = plain(cell, frozenset())
            for module in one.modules:
                exec(f"import {module}", namespace)
            exec(compile(one.text, f"cell {cell.number}", "exec"), namespace)
    return namespace, printed.getvalue()


def as_module(
    text: str, folder: Path, given: Mapping[str, Any] | None = None
) -> tuple[dict[str, Any], str]:
    """Execute a module; return what ``main()`` returns, or its names if it has none."""
    path = folder / "module.py"
    path.write_text(text, encoding="utf-8")
    with _alone() as printed:
        found = runpy.run_path(str(path), run_name="module")
        called = re.findall(r"^    (main\w*)\(", text, re.MULTILINE)
        if FLAT not in text:
            found = found[called[-1]](**(given or {}))
    return found, printed.getvalue()


@contextlib.contextmanager
def _alone() -> Iterator[io.StringIO]:
    """Keep what a notebook prints, and imports from the current folder, to itself."""
    printed = io.StringIO()
    before = set(sys.modules)
    with contextlib.redirect_stdout(printed):
        yield printed
    for name in set(sys.modules) - before:
        if name in ("helpers_of_notebook",):
            del sys.modules[name]


def module(found: Notebook, how: How = "auto") -> str:
    return export.to_module(found, planned(found, how))
