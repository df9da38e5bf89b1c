"""Files that a notebook names: what lies beside it now, and would not be there elsewhere."""

from __future__ import annotations

import ast

from jupyter_mlops import parsed
from jupyter_mlops.notebook import Notebook


def beside(notebook: Notebook) -> dict[str, int]:
    """Return the files beside the notebook that its text names, with the first cell that does.

    Only plain string literals are seen; notebooks, Python files and folders do not count.
    """
    folder = notebook.path.parent
    found: dict[str, int] = {}
    for cell in notebook.cells:
        for node in parsed.nodes(cell.tree):
            if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
                continue
            text = node.value
            if not text or len(text) > 255 or "\n" in text or "\0" in text or text in found:
                continue
            path = folder / text
            if path.suffix not in {".py", ".ipynb"} and path.is_file():
                found[text] = cell.number
    return found
