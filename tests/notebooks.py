"""Notebooks built by code, for tests of every room."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import nbformat

KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
Cell = str | tuple[str, str]


def make(path: Path, cells: Iterable[Cell], *, metadata: object = KERNEL) -> Path:
    """Write a notebook; a cell is its source, or (tag, source), or ("markdown", text)."""
    node = nbformat.v4.new_notebook(metadata=metadata)
    for number, cell in enumerate(cells, 1):
        tag, source = cell if isinstance(cell, tuple) else ("", cell)
        if tag == "markdown":
            made = nbformat.v4.new_markdown_cell(source)
        else:
            made = nbformat.v4.new_code_cell(source, metadata={"tags": [tag]} if tag else {})
        made["id"] = f"cell-{number}"
        node.cells.append(made)
    nbformat.write(node, path)
    return path
