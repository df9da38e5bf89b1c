"""From the notebook to the step that papermill runs: a clean copy, never the original."""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Mapping
from typing import Any

from jupyter_mlops.notebook import Cell, Notebook
from jupyter_mlops.pipeline.parameters import Found
from jupyter_mlops.runtime.publication import Step

MAIN = "pipeline/main.ipynb"
INSTALL = re.compile(r"^(?P<indent>\s*)(?P<line>[%!]\s*(?:uv\s+)?(?:pip3?|conda|mamba)\s+.*)$")
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


def extract(notebook: Notebook, found: Found) -> tuple[list[Step], Any]:
    """Return the pipeline's steps (today one) and the notebook of that step.

    The copy differs from the notebook in three things: lines that install packages are
    commented out (the lock does that), the parameters cell is tagged, and what that cell
    computes *from* its parameters moves to a cell behind it, where papermill's injected
    values reach it.
    """
    node = stripped(notebook)
    for cell in node.cells:
        if cell.cell_type == "code":
            cell.source = without_installs(cell.source)
    if found.cell is not None and found.parameters:
        _settle_parameters(node, found.cell, {p.name for p in found.parameters})
    indices = [cell.index for cell in notebook.cells]
    return [Step(name="main", notebook=MAIN, cells=indices)], node


def without_installs(source: str) -> str:
    """Comment out ``%pip``, ``!pip`` and ``%conda`` lines: the environment is locked."""
    lines = []
    for line in source.splitlines():
        match = INSTALL.match(line)
        if match:
            line = f"{match['indent']}pass  # installed from the lock: {match['line'].strip()}"
        lines.append(line)
    return "\n".join(lines)


def _settle_parameters(node: Any, cell: Cell, names: set[str]) -> None:
    target = node.cells[cell.index]
    tags = list(target.metadata.get("tags", []))
    if "parameters" not in tags:
        target.metadata["tags"] = [*tags, "parameters"]
    rest = [s for s in cell.tree.body if not _sets(s, names)]
    if cell.source != cell.python.rstrip("\n") or not any(_computes(s) for s in rest):
        return
    lines = target.source.splitlines()
    moved: list[str] = []
    for statement in rest:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            continue
        start, end = statement.lineno - 1, statement.end_lineno or statement.lineno
        moved.extend(lines[start:end])
        lines[start:end] = [""] * (end - start)
    target.source = "\n".join(line for line in lines if line.strip())
    behind = copy.deepcopy(target)
    behind.source = "\n".join(moved)
    behind.metadata["tags"] = [tag for tag in tags if tag != "parameters"] + ["derived"]
    if "id" in behind:
        behind["id"] = f"{target['id'][:56]}-derived"
    node.cells.insert(cell.index + 1, behind)


def _sets(statement: ast.stmt, names: set[str]) -> bool:
    if isinstance(statement, ast.Assign):
        return len(statement.targets) == 1 and _is_one_of(statement.targets[0], names)
    return isinstance(statement, ast.AnnAssign) and _is_one_of(statement.target, names)


def _is_one_of(target: ast.expr, names: set[str]) -> bool:
    return isinstance(target, ast.Name) and target.id in names


def _computes(statement: ast.stmt) -> bool:
    docstring = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    return not docstring and not isinstance(statement, ast.Import | ast.ImportFrom)


def set_defaults(node: Any, values: Mapping[str, Any]) -> None:
    """Write values into the parameters cell of a step's notebook: they become its defaults."""
    for cell in node.cells:
        if cell.cell_type == "code" and "parameters" in cell.metadata.get("tags", []):
            cell.source = _with_values(cell.source, values)


def _with_values(source: str, values: Mapping[str, Any]) -> str:
    lines = source.splitlines(keepends=True)
    for statement in reversed(ast.parse(without_magics(source)).body):
        if not _sets(statement, set(values)):
            continue
        assert isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None
        target = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
        assert isinstance(target, ast.Name)
        _replace(lines, statement.value, repr(values[target.id]))
    return "".join(lines)


def without_magics(source: str) -> str:
    """Return the source with magic and shell lines emptied; line numbers stay."""
    lines = source.splitlines(keepends=True)
    return "".join("\n" if re.match(r"\s*[%!]", line) else line for line in lines)


def _replace(lines: list[str], node: ast.expr, text: str) -> None:
    """Replace an expression in place; ``ast`` counts columns in UTF-8 bytes."""
    first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
    head = lines[first].encode()[: node.col_offset].decode()
    tail = lines[last].encode()[node.end_col_offset :].decode()
    lines[first : last + 1] = [head + text + tail]
