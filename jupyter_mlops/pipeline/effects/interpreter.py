"""Runs a notebook abstractly, cell by cell: see ``effects``."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from jupyter_mlops import parsed
from jupyter_mlops.errors import NotebookError
from jupyter_mlops.notebook import Cell
from jupyter_mlops.pipeline.effects import definitions
from jupyter_mlops.pipeline.effects.calls import Calls
from jupyter_mlops.pipeline.effects.flow import CellFlow
from jupyter_mlops.pipeline.effects.magics import Magics
from jupyter_mlops.pipeline.effects.statements import Statements
from jupyter_mlops.pipeline.effects.world import World

#: Thousands of cells that build one value out of each other have so many; usual notebooks do not.
MOST_EDGES = 1_000_000
#: Marks after which pyplot's figures outlive the cell that drew them.
FIGURES_LAST = ("close_figures", "matplotlib widget", "matplotlib notebook", "switch_backend",
                "matplotlib.use(", "ipympl")  # fmt: skip


class Interpreter(Statements, Magics, Calls):
    """One abstract run. ``run_cell`` is called for each code cell, in order."""

    def run_cell(self, cell: Cell) -> CellFlow:
        """Interpret a cell and return what it does."""
        flow = CellFlow(cell.number, tree=cell.full_tree)
        self.begin(flow)
        self.source_lines = parsed.lines(cell.python)
        shows = False
        body = cell.full_tree.body
        try:
            self.run_hooks()
            for index, statement in enumerate(body):
                definitions.run(self, statement)
                shows = isinstance(statement, ast.Expr) and index == len(body) - 1
        except RecursionError:  # functions that call each other, hundreds deep
            self.give_up()
            self.barrier("its functions call each other too deeply")
        if shows:
            self.world.displayed.append(cell.number)
        if cell.syntax_error == parsed.TOO_DEEP:
            self.barrier(parsed.TOO_DEEP)
        elif cell.syntax_error:
            flow.note(f"it is not valid Python: {cell.syntax_error}")
            self.barrier("it is not valid Python")
        self.recorder.finish()
        return flow


@dataclass(frozen=True)
class Interpreted:
    """What each cell does, in order, and what is there at the end."""

    flows: list[CellFlow]
    world: World


def interpret(
    cells: Sequence[Cell],
    parameters: Iterable[str] = (),
    stars: Mapping[str, Mapping[str, str]] | None = None,
) -> Interpreted:
    """Run cells abstractly, in order. ``parameters`` are names whose values come from outside.

    ``stars`` says what the star imports of modules bind: each name, with its dotted path. Raises
    ``NotebookError`` when there are more than ``MOST_EDGES`` from cell to cell.
    """
    last = any(mark in cell.source for cell in cells for mark in FIGURES_LAST)
    interpreter = Interpreter(World(parameters, figures_last=last, stars=stars))
    flows: list[CellFlow] = []
    edges = 0
    for cell in cells:
        flows.append(interpreter.run_cell(cell))
        edges += sum(map(len, flows[-1].uses.values()))
        if edges > MOST_EDGES:
            raise NotebookError(
                "The notebook is too entangled to be understood",
                why=f"Up to here its cells depend on each other in more than {MOST_EDGES} ways",
                remedy="Divide it into several notebooks",
                where=cell.where,
            )
    return Interpreted(flows, interpreter.world)
