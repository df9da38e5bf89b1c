"""``from __future__ import``: a module allows it at its head only, a notebook in every cell."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Final

from jupyter_mlops.parsed import tree_of

FUTURE: Final = "from __future__ import"


def without_future(texts: Mapping[int, str]) -> tuple[list[str], dict[int, str]]:
    """Take these imports out of the plain texts of cells; return them, and the other text."""
    found: dict[str, None] = {}
    result = dict(texts)
    for number, text in texts.items():
        if "__future__" not in text:
            continue
        lines = text.split("\n")
        for node in tree_of(text).body:
            if isinstance(node, ast.ImportFrom) and node.module == "__future__":
                found[ast.unparse(node)] = None
                _take_out(lines, node)
        result[number] = "\n".join(lines)
    return list(found), result


def _take_out(lines: list[str], node: ast.ImportFrom) -> None:
    """Empty the lines of an import; where it shares them, ``pass`` stands for it."""
    first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
    before = lines[first].encode()[: node.col_offset].decode()
    after = lines[last].encode()[node.end_col_offset :].decode()
    alone = not before.strip() and (not after.strip() or after.strip().startswith("#"))
    rest = after.strip() if alone else f"{before}pass{after}"
    lines[first : last + 1] = [rest, *[""] * (last - first)]
