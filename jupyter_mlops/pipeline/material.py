"""The notebooks of the steps: parts of the pipeline's notebook, and put together again."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from jupyter_mlops.notebook import Notebook
from jupyter_mlops.pipeline.plan import PlannedStep
from jupyter_mlops.runtime.parameters import DERIVED


def parts(notebook: Notebook, whole: Any) -> dict[int, list[Any]]:
    """Return, by code cell number, the cells of the pipeline's notebook that belong to it.

    The Markdown before a code cell belongs to it, and so does the cell that is put behind the
    parameters. ``whole`` is the notebook that ``steps.extract`` gave; what follows the last code
    cell belongs to that.
    """
    found: dict[int, list[Any]] = {}
    waiting: list[Any] = []
    number = 0
    for cell in whole.cells:
        if cell.cell_type == "code" and DERIVED in cell.metadata.get("tags", []) and number:
            found[number].append(cell)
        elif cell.cell_type == "code":
            number += 1
            found[number] = [*waiting, cell]
            waiting = []
        else:
            waiting.append(cell)
    if waiting and number:
        found[number] += waiting
    return found


def step_notebook(whole: Any, cells: Mapping[int, list[Any]], numbers: Sequence[int]) -> Any:
    """Return the notebook of a step: its code cells with what belongs to them."""
    node = copy.deepcopy(whole)
    node.cells = [copy.deepcopy(cell) for number in numbers for cell in cells[number]]
    return node


def together(whole: Any, executed: Sequence[Any]) -> Any:
    """Return one notebook of all executed steps, its cells counted anew."""
    node = copy.deepcopy(whole)
    node.cells = [cell for step in executed for cell in step.cells]
    count = 0
    for cell in node.cells:
        if cell.cell_type == "code" and cell.get("execution_count") is not None:
            count += 1
            cell.execution_count = count
            for output in cell.outputs:
                if "execution_count" in output:
                    output.execution_count = count
    for step in executed:
        for key in ("papermill", "language_info"):
            if key in step.metadata:
                node.metadata[key] = step.metadata[key]
    return node


def described(node: Any, step: PlannedStep) -> Any:
    """Return a step's notebook with what goes in and out written at its head."""
    import nbformat

    rows = [
        ("Inputs", step.inputs),
        ("Outputs", outputs(step)),
        ("Parameters", step.parameters),
        ("Files read", step.files_read),
        ("Files written", step.files_written),
        ("After", step.after),
    ]
    lines = [f"# {step.title or step.name}", ""]
    lines += [
        f"- **{label}**: {', '.join(f'`{n}`' for n in names)}" for label, names in rows if names
    ]
    head = nbformat.v4.new_markdown_cell("\n".join(lines), id=f"step-{step.name}"[:64])
    if node.nbformat_minor < 5:
        head.pop("id", None)
    node.cells = [head, *node.cells]
    return node


def outputs(step: PlannedStep) -> list[str]:
    """Return the names that a step makes or changes and that a later step mentions."""
    return sorted((set(step.writes) & set(step.wanted)) - set(step.defines))
