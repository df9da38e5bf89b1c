"""What a step executes, as a digest: its cells and the definitions that it needs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from jupyter_mlops import parsed
from jupyter_mlops.notebook import Cell
from jupyter_mlops.runtime.handover.models import Definition


def code_key(cells: Iterable[Cell], definitions: Sequence[Definition]) -> str:
    """Return the SHA-256 of the code of cells and definitions; comments and layout do not count."""
    parts = [_of_cell(cell) for cell in cells]
    parts += [_of_text(item.source) for item in definitions]
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def _of_cell(cell: Cell) -> str:
    if cell.syntax_error:
        return f"text {cell.source}"
    silent = " silent" if _ends_silently(cell) else ""
    return f"code{silent} {parsed.shape(cell.full_tree)}"


def _ends_silently(cell: Cell) -> bool:
    """Tell whether a semicolon ends the cell: its last value is not shown then."""
    if not cell.tree.body:
        return False
    last = cell.tree.body[-1]
    lines = parsed.lines(cell.python)
    behind = lines[(last.end_lineno or 1) - 1].encode()[last.end_col_offset or 0 :]
    return behind.lstrip()[:1] == b";"


def _of_text(source: str) -> str:
    """Return the code of a definition; a line for IPython as it is written."""
    text, tree, problem = parsed.of(source)
    if problem or text != source:
        return f"text {source}"
    return f"code {parsed.shape(tree)}"
