"""Find a notebook's parameters: the cell tagged ``parameters``, or a cell that could be it."""

from __future__ import annotations

import dataclasses

from jupyter_mlops.errors import Problem
from jupyter_mlops.notebook import Cell, Notebook
from jupyter_mlops.pipeline.parameters import declared, proposed, scope, usage
from jupyter_mlops.pipeline.parameters.declared import CellParameters, assignments
from jupyter_mlops.pipeline.parameters.models import Found
from jupyter_mlops.pipeline.parameters.usage import Usage


def find(notebook: Notebook) -> Found:
    """Return the parameters of the cell tagged ``parameters`` (papermill's convention).

    Where no cell is tagged, the first cell that holds nothing but imports and literal values,
    none of them rebound or changed later, is proposed: there an injected value does what
    editing would. Constants of other cells are named as candidates.
    """
    tagged = notebook.tagged("parameters")
    if len(tagged) > 1:
        cells = ", ".join(cell.where for cell in tagged[:5]) + (", …" if tagged[5:] else "")
        problem = Problem(
            problem="More than one cell is tagged 'parameters'",
            why=f"Papermill looks at one only: {cells}",
            remedy="Keep the tag on one of them",
            where=notebook.path.name,
        )
        return Found([], "tagged", tagged[0], [problem])
    if tagged:
        return _tagged(notebook, tagged[0])
    found = _proposed(notebook)
    taken = {parameter.name for parameter in found.parameters}
    return dataclasses.replace(found, candidates=proposed.candidates(notebook, taken))


def _tagged(notebook: Notebook, cell: Cell) -> Found:
    used = usage.of(notebook.cells, _assigned(cell))
    here = _of_cell(notebook, cell, used)
    return Found(
        parameters=list(here.parameters.values()),
        source="tagged",
        cell=cell,
        problems=here.problems,
        notes=[*here.notes, *_lost(here, cell, used)],
        forms=here.forms,
    )


def _proposed(notebook: Notebook) -> Found:
    cells = list(proposed.cells_of_literals(notebook))
    used = usage.of(notebook.cells, [name for cell in cells for name in _assigned(cell)])
    for cell in cells:
        if not proposed.kept(_assigned(cell), used):
            continue
        here = _of_cell(notebook, cell, used)
        names = proposed.kept(list(here.parameters), used)
        if names and not here.problems:
            return Found(
                parameters=[here.parameters[name] for name in names],
                source="proposed",
                cell=cell,
                notes=here.notes,
                forms={name: here.forms[name] for name in names if name in here.forms},
            )
    return Found([], "none")


def _assigned(cell: Cell) -> list[str]:
    return [each.name for statement in cell.tree.body for each in assignments(statement)]


def _of_cell(notebook: Notebook, cell: Cell, used: Usage) -> CellParameters:
    earlier, later = set(), set()
    for name, bindings in used.bindings.items():
        if any(each.cell < cell.number for each in bindings):
            earlier.add(name)
        if any(each.cell > cell.number for each in bindings):
            later.add(name)
    return declared.of_cell(cell, scope.upto(notebook.cells, cell), earlier, later)


def _lost(here: CellParameters, cell: Cell, used: Usage) -> list[str]:
    """Say where a value that is given does not last; what builds on it is not worth a word."""
    notes = []
    for name in here.parameters:
        later = [each for each in used.bindings[name] if each.cell >= cell.number]
        again = next((each for each in later[1:] if not each.reads), None)
        if again is not None:
            notes.append(
                f"Cell {again.cell} sets '{name}' again: a value given for it is lost there."
            )
        changed = [number for number in used.changed.get(name, []) if number >= cell.number]
        if changed and again is None:
            notes.append(
                f"Cell {changed[0]} changes '{name}' in place: a value given for it is changed "
                "there too."
            )
    return notes
