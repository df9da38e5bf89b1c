"""From the notebook to the step that papermill runs: a clean copy, never the original."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from jupyter_mlops import installs
from jupyter_mlops.notebook import Notebook
from jupyter_mlops.pipeline import parameters
from jupyter_mlops.pipeline.parameters import Found
from jupyter_mlops.runtime.parameters import DERIVED

MAIN = "pipeline/main.ipynb"
KEPT_METADATA = ("kernelspec", "language_info")


def stripped(notebook: Notebook) -> Any:
    """Return a copy without outputs, execution counts and the editor's own metadata."""
    node = copy.deepcopy(notebook.node)
    node.metadata = type(node.metadata)(
        {key: node.metadata[key] for key in KEPT_METADATA if key in node.metadata}
    )
    for cell in node.cells:
        tags = cell.metadata.get("tags")
        cell.metadata = type(cell.metadata)({"tags": tags} if tags else {})
        cell.pop("attachments", None) if not cell.get("attachments") else None
        if cell.cell_type == "code":
            cell.outputs = []
            cell.execution_count = None
    return node


def extract(notebook: Notebook, found: Found) -> Any:
    """Return the notebook of the whole pipeline, which papermill can run.

    The copy differs from the notebook in three things: lines that install packages are
    commented out (the lock does that), the parameters cell is tagged, and what that cell
    computes *from* its parameters moves to a cell behind it, where papermill's injected
    values reach it; dates, paths and the like are made there of the texts that were given.
    """
    node = stripped(notebook)
    for cell in node.cells:
        if cell.cell_type == "code":
            cell.source = installs.without(cell.source)
    if found.cell is not None and found.parameters:
        _settle_parameters(node, found)
    return node


def _settle_parameters(node: Any, found: Found) -> None:
    """Tag the parameters cell, and put behind it what must see the injected values."""
    assert found.cell is not None
    target = node.cells[found.cell.index]
    tags = [tag for tag in target.metadata.get("tags", []) if tag != "parameters"]
    target.metadata["tags"] = [*tags, "parameters"]
    settled = parameters.settle(target.source, found)
    if not settled.behind:
        return
    target.source = settled.head
    behind = copy.deepcopy(target)
    behind.source = settled.behind
    behind.metadata["tags"] = [*tags, DERIVED]
    if "id" in behind:
        behind["id"] = f"{target['id'][:56]}-derived"
    node.cells.insert(found.cell.index + 1, behind)


def set_defaults(node: Any, values: Mapping[str, Any], found: Found) -> None:
    """Write JSON values into the parameters cell of a step's notebook: they are its defaults."""
    for cell in node.cells:
        if cell.cell_type == "code" and "parameters" in cell.metadata.get("tags", []):
            cell.source = parameters.with_values(cell.source, values, found)
