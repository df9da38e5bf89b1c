"""The slice of a notebook: the cells that some names need, and no others."""

from __future__ import annotations

import copy
import difflib
from collections.abc import Sequence
from typing import Any

import msgspec

from jupyter_mlops.errors import NotebookError, Problem
from jupyter_mlops.notebook import Notebook
from jupyter_mlops.pipeline.dataflow import Dataflow
from jupyter_mlops.pipeline.effects.world import BUILTINS
from jupyter_mlops.pipeline.export.futures import without_future
from jupyter_mlops.pipeline.export.plain import plain
from jupyter_mlops.pipeline.headings import has_heading
from jupyter_mlops.pipeline.steps import stripped


class NameSlice(msgspec.Struct, frozen=True, kw_only=True):
    """The code cells (counted from 1) that give the names their last values, and their text."""

    names: list[str]
    cells: list[int]
    of: int
    source: str


def take(notebook: Notebook, flow: Dataflow, names: Sequence[str]) -> NameSlice:
    """Return the slice for names; raises ``NotebookError`` for each that no cell defines."""
    problems = [_unknown(notebook, flow, name) for name in names if flow.producers(name) is None]
    if problems:
        raise NotebookError.collect(problems)
    cells = flow.slice(names)
    parts = [f"# cell {n}\n{notebook.cells[n - 1].source.strip()}" for n in cells]
    count = len(notebook.cells)
    return NameSlice(names=list(names), cells=cells, of=count, source="\n\n".join(parts) + "\n")


def _unknown(notebook: Notebook, flow: Dataflow, name: str) -> Problem:
    used = [cell.number for cell in flow.flows if name in cell.undefined]
    near = difflib.get_close_matches(name, sorted(set(flow.world.names) - {"*"}), n=3)
    remedy = f"Did you mean {' or '.join(near)}?" if near else "Name a variable of the notebook"
    why = f"Cell {used[0]} uses it, but nothing gives it a value" if used else ""
    if name in BUILTINS:
        why = "It is one of Python's own names"
    return Problem(
        problem=f"No cell defines '{name}'", why=why, remedy=remedy, where=notebook.path.name
    )


def as_python(notebook: Notebook, flow: Dataflow, chosen: NameSlice) -> str:
    """Return the slice as a Python file that needs no IPython; raises ``NotebookError``."""
    names = frozenset(name for cell in flow.flows for name in cell.writes)
    every = [(number, plain(notebook.cells[number - 1], names)) for number in chosen.cells]
    problems = [problem for _, one in every for problem in one.problems]
    if problems:
        raise NotebookError.collect(problems)
    modules = sorted({module for _, one in every for module in one.modules})
    future, texts = without_future({number: one.text for number, one in every})
    head = [*future, *(f"import {module}" for module in modules)]
    parts = ["\n".join(head)] if head else []
    parts += [f"# cell {number}\n{text.strip()}".strip() for number, text in texts.items()]
    return "\n\n".join(parts) + "\n"


def as_notebook(notebook: Notebook, chosen: NameSlice) -> Any:
    """Return a notebook of the slice's cells and of the Markdown headings above them."""
    node = stripped(notebook)
    kept = {notebook.cells[number - 1].index for number in chosen.cells}
    cells: list[Any] = []
    waiting: list[Any] = []
    for index, cell in enumerate(node.cells):
        if cell.cell_type == "markdown" and has_heading(cell.source):
            waiting.append(cell)
        elif index in kept:
            cells += [*waiting, cell]
            waiting = []
        elif cell.cell_type == "code" and cell.source.strip():
            waiting = waiting[:1] if not cells else []
    node.cells = copy.deepcopy(cells)
    return node
