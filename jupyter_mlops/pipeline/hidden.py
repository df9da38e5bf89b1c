"""Hidden state: what the saved notebook shows of an order or of cells that are not there."""

from __future__ import annotations

import ast
from collections import Counter
from itertools import islice, pairwise
from typing import Literal

import msgspec

from jupyter_mlops import parsed
from jupyter_mlops.errors import shown
from jupyter_mlops.notebook import Notebook
from jupyter_mlops.pipeline.dataflow import Dataflow
from jupyter_mlops.pipeline.effects.flow import CellFlow

Kind = Literal["order", "repeated", "deleted", "undefined", "not run"]


class HiddenState(msgspec.Struct, frozen=True, kw_only=True):
    """A sign that what the notebook shows was made by other cells, or in another order.

    ``cell`` counts code cells from 1; ``name`` is the name at fault, if one is.
    """

    kind: Kind
    cell: int
    problem: str
    remedy: str
    name: str = ""


def find(notebook: Notebook, flow: Dataflow) -> list[HiddenState]:
    """Return every sign of hidden state, by cell."""
    found = [*_counts(notebook), *_names(notebook, flow)]
    return sorted(found, key=lambda item: item.cell)


def _names(notebook: Notebook, flow: Dataflow) -> list[HiddenState]:
    found: list[HiddenState] = []
    for cell in flow.flows:
        for name in sorted(cell.undefined):
            below = [f.number for f in flow.flows[cell.number :] if name in f.writes]
            if below:
                why = f"only cell {below[0]} defines it, further down"
                remedy = f"Move cell {below[0]} above cell {cell.number}"
            else:
                why = "no cell of the saved notebook defines it: its definition was deleted"
                remedy = f"Define '{shown(name)}' in a cell above, or remove its use"
            found.append(
                HiddenState(
                    kind="undefined",
                    cell=cell.number,
                    name=name,
                    problem=f"Cell {cell.number} uses '{shown(name)}'"
                    f"{_written_in(notebook, name, cell)}, but {why}",
                    remedy=remedy,
                )
            )
        found += _deleted(flow, cell)
    return found


def _written_in(notebook: Notebook, name: str, cell: CellFlow) -> str:
    """Say where a name stands when that is not the cell that runs into it: in a function."""
    for other in notebook.cells:
        if any(isinstance(n, ast.Name) and n.id == name for n in parsed.nodes(other.tree)):
            return "" if other.number == cell.number else f" in a function of cell {other.number}"
    return ""


def _deleted(flow: Dataflow, cell: CellFlow) -> list[HiddenState]:
    found: list[HiddenState] = []
    for name in sorted(cell.deleted_uses - cell.deletes):
        before = [f for f in flow.flows[: cell.number - 1] if name in f.writes]
        if before and name in before[-1].deletes and name in before[-1].binds:
            found.append(
                HiddenState(
                    kind="undefined",
                    cell=cell.number,
                    name=name,
                    problem=f"Cell {cell.number} uses '{shown(name)}', "
                    f"which cell {before[-1].number} deletes",
                    remedy=f"Move cell {cell.number} above cell {before[-1].number}",
                )
            )
    return found


def _counts(notebook: Notebook) -> list[HiddenState]:
    counts = [
        (cell.number, notebook.node.cells[cell.index].get("execution_count"))
        for cell in notebook.cells
        if cell.source.strip()
    ]
    ran = [(number, count) for number, count in counts if isinstance(count, int)]
    if not ran:
        return []
    found: list[HiddenState] = []
    for (before, low), (number, count) in pairwise(ran):
        if count < low:
            found.append(
                HiddenState(
                    kind="order",
                    cell=number,
                    problem=f"Cell {number} ran before cell {before}, which stands above it "
                    f"(execution counts {shown(count)} and {shown(low)}): out of order",
                    remedy="Run the notebook from top to bottom and save it",
                )
            )
    for count, times in Counter(count for _, count in ran).items():
        if times > 1:
            same = [number for number, other in ran if other == count]
            found.append(
                HiddenState(
                    kind="repeated",
                    cell=same[-1],
                    problem=f"Cells {_few(same)} have the same execution count "
                    f"{shown(count)}: they come from different sessions",
                    remedy="Run the notebook from top to bottom and save it",
                )
            )
    found += _gaps(ran)
    if len(ran) < len(counts):
        missing = [number for number, count in counts if not isinstance(count, int)]
        inside = [number for number in missing if number < ran[-1][0]]
        found += [
            HiddenState(
                kind="not run",
                cell=number,
                problem=f"Cell {number} was never run, although cells below it were",
                remedy="Run the notebook from top to bottom and save it",
            )
            for number in inside
        ]
    return found


def _few(numbers: list[int]) -> str:
    return ", ".join(map(str, numbers[:5])) + (", …" if len(numbers) > 5 else "")


def _gaps(ran: list[tuple[int, int]]) -> list[HiddenState]:
    """Say where execution counts are missing: a cell ran again, or is gone."""
    counts = {count for _, count in ran}
    unseen = (n for n in range(1, max(counts)) if n not in counts)
    missing = list(islice(unseen, 6))  # a count may be billions
    if not missing:
        return []
    first = next(number for number, count in sorted(ran, key=lambda r: r[1]) if count > missing[0])
    few = _few(missing)
    return [
        HiddenState(
            kind="deleted",
            cell=first,
            problem=f"Before cell {first} the execution counts {few} are missing: cells ran "
            "twice, were changed afterwards, or were deleted",
            remedy="Run the notebook from top to bottom and save it",
        )
    ]
