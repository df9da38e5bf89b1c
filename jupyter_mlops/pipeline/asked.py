"""What the notebook itself asks its predict function: the best example of what a caller sends."""

from __future__ import annotations

import ast

from jupyter_mlops import parsed
from jupyter_mlops.notebook import Notebook

#: Parts of a table that are the same whenever they are looked at, and change nothing.
METHODS = frozenset({"copy", "head", "tail"})
LOOKS = frozenset({"iloc", "loc"})


def asked(notebook: Notebook, function: str) -> list[str]:
    """Return the first arguments of the calls of a function, as text, the first call first.

    Only those that can be looked at again after the run without running anything: names, and
    parts of them such as ``data[["a", "b"]].head(20)``.
    """
    found: dict[str, None] = {}
    for cell in notebook.cells:
        calls = [
            node
            for node in parsed.nodes(cell.tree)
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id == function
        ]
        for call in sorted(calls, key=lambda node: (node.lineno, node.col_offset)):
            values = call.args or [each.value for each in call.keywords if each.arg]
            if values and _is_part(values[0]):
                found[ast.unparse(values[0])] = None
    return list(found)


def _is_part(node: ast.expr) -> bool:
    if isinstance(node, ast.Name):
        return True
    if isinstance(node, ast.Subscript):
        return _is_part(node.value) and _is_fixed(node.slice)
    if isinstance(node, ast.Attribute):
        return node.attr in LOOKS and _is_part(node.value)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        plain = all(_is_fixed(each) for each in node.args) and not node.keywords
        return node.func.attr in METHODS and plain and _is_part(node.func.value)
    return False


def _is_fixed(node: ast.expr | None) -> bool:
    if node is None or isinstance(node, ast.Constant):
        return True
    if isinstance(node, ast.UnaryOp):
        return isinstance(node.operand, ast.Constant)
    if isinstance(node, ast.Slice):
        return all(map(_is_fixed, (node.lower, node.upper, node.step)))
    return isinstance(node, ast.List | ast.Tuple) and all(map(_is_fixed, node.elts))
